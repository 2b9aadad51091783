/* What FastCGI and CGI do alike: which answer is asked for, and what of it
 * goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/output.h"

/* An application that notes what it was asked. */
struct seen {
	unsigned handled, failed, status;
	const char *problem;
};

static void
handle(void *arg, struct request *req, struct response *res)
{
	struct seen *seen = arg;

	(void)req;
	seen->handled++;
	response_start(res, 200, STR_NONE);
}

static void
fail_request(void *arg, struct request *req, struct response *res,
    unsigned status, const char *problem)
{
	struct seen *seen = arg;

	(void)req;
	seen->failed++;
	seen->status = status;
	seen->problem = problem;
	response_start(res, status, STR_NONE);
}

struct stand {
	struct arena arena;
	struct seen seen;
	struct gateway_app app;
	struct request req;
	struct response res;
	struct str head, body;
};

static int
stand_open(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(arena_open(&s->arena, 1024 * 1024), DK_OK);
	s->app = (struct gateway_app){ .arg = &s->seen,
		.arena = &s->arena,
		.handle = handle,
		.fail = fail_request };
	response_init(&s->res, &s->arena);
	*state = s;
	return 0;
}

static int
stand_close(void **state)
{
	struct stand *s = *state;

	arena_close(&s->arena);
	free(s);
	return 0;
}

#define STAND_TEST(f) \
	cmocka_unit_test_setup_teardown(f, stand_open, stand_close)

/* --- bodies
 * --------------------------------------------------------------------- */

/* An Authorizer gets no body, and waiting for one would hang (DK-A-05). */
static void
a_body_is_read_for_a_post_to_us_alone(void **state)
{
	static const struct {
		enum request_role role;
		enum request_method method;
		const char *wanted, *route;
		bool wants;
		const char *wanted_method;
	} cases[] = {
		{ REQUEST_RESPONDER, METHOD_GET, "/x", "/login", true, "POST" },
		{ REQUEST_RESPONDER, METHOD_GET, "/x", "/login", false, "PUT" },
		{ REQUEST_RESPONDER, METHOD_GET, "/x", "/check", false,
		    "POST" },
		{ REQUEST_RESPONDER, METHOD_GET, NULL, "/login", false,
		    "POST" },
		{ REQUEST_AUTHORIZER, METHOD_GET, "/x", NULL, false, "POST" },
		{ REQUEST_RESPONDER, METHOD_POST, NULL, "/login", true, NULL },
		{ REQUEST_RESPONDER, METHOD_POST, NULL, "/check", true, NULL },
		{ REQUEST_RESPONDER, METHOD_POST, "/x", "/check", false,
		    "POST" },
		{ REQUEST_RESPONDER, METHOD_POST, "", "/check", false, "POST" },
		{ REQUEST_RESPONDER, METHOD_POST, "/x", "/login", true,
		    "POST" },
		{ REQUEST_RESPONDER, METHOD_GET, NULL, "/login", false, NULL },
		{ REQUEST_RESPONDER, METHOD_PUT, NULL, "/login", false, NULL },
		{ REQUEST_RESPONDER, METHOD_OTHER, NULL, "/login", false,
		    NULL },
		{ REQUEST_AUTHORIZER, METHOD_POST, NULL, NULL, false, NULL },
		{ REQUEST_AUTHORIZER, METHOD_POST, "/x", NULL, false,
		    "POST" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct request req = { .role = cases[i].role,
			.method = cases[i].method,
			.wanted = str_from(cases[i].wanted),
			.wanted_method = str_from(cases[i].wanted_method),
			.route = str_from(cases[i].route) };

		if (output_wants_body(&req) != cases[i].wants)
			fail_msg("case %zu", i);
	}
}

/* What is not read is drained, or it would be taken for records (DK-F-02). */
static void
tells_by_method_and_headers_whether_a_body_may_come(void **state)
{
	static const struct {
		enum request_method method;
		const char *param;
		bool may;
	} cases[] = {
		{ METHOD_GET, "REQUEST_URI=/", false },
		{ METHOD_HEAD, "REQUEST_URI=/", false },
		{ METHOD_POST, "REQUEST_URI=/", true },
		{ METHOD_PUT, "REQUEST_URI=/", true },
		{ METHOD_OPTIONS, "REQUEST_URI=/", true },
		{ METHOD_OTHER, "REQUEST_URI=/", true },
		{ METHOD_GET, "CONTENT_LENGTH=", false },
		{ METHOD_GET, "CONTENT_LENGTH=0", false },
		{ METHOD_GET, "CONTENT_LENGTH=1", true },
		{ METHOD_GET, "CONTENT_LENGTH=00", true },
		{ METHOD_GET, "CONTENT_LENGTH=x", true },
		{ METHOD_HEAD, "CONTENT_LENGTH=5", true },
		{ METHOD_GET, "HTTP_CONTENT_LENGTH=5", true },
		{ METHOD_GET, "HTTP_CONTENT_LENGTH=0", false },
		{ METHOD_GET, "HTTP_TRANSFER_ENCODING=chunked", true },
		{ METHOD_GET, "HTTP_TRANSFER_ENCODING=", false },
		{ METHOD_GET, "XCONTENT_LENGTH=5", false },
		{ METHOD_GET, "CONTENT_LENGTHX=5", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct request req = { .method = cases[i].method };
		char first[] = "SERVER_NAME=x", param[64];
		char *params[] = { first, param, NULL };

		(void)snprintf(param, sizeof(param), "%s", cases[i].param);
		if (output_may_have_body(&req, params) != cases[i].may)
			fail_msg("case %zu: %s", i, cases[i].param);
	}
}

/* --- which answer
 * ------------------------------------------------------------------ */

static void
asks_the_application_only_for_what_came_whole(void **state)
{
	static const struct {
		enum dk_err err;
		enum body_state body;
		const char *encoding;
		unsigned failed; /* 0: handled */
	} cases[] = {
		{ DK_OK, BODY_WHOLE, NULL, 0 },
		{ DK_OK, BODY_NONE, NULL, 0 },
		{ DK_OK, BODY_WHOLE, "identity", 0 },
		{ DK_OK, BODY_WHOLE, "", 0 },
		/* DK-I-03, DK-I-04, DK-I-16 */
		{ DK_OK, BODY_TOO_LARGE, NULL, 413 },
		{ DK_OK, BODY_CUT, NULL, 400 },
		{ DK_OK, BODY_WHOLE, "gzip", 415 },
		{ DK_OK, BODY_TOO_LARGE, "gzip", 415 },
		{ DK_ERR_INPUT, BODY_NONE, NULL, 400 },
		{ DK_ERR_INPUT, BODY_WHOLE, NULL, 400 },
		{ DK_ERR_TOO_LARGE, BODY_NONE, NULL, 413 },
		{ DK_ERR_RANDOM, BODY_NONE, NULL, 503 },
		{ DK_ERR_NOMEM, BODY_NONE, NULL, 503 },
	};
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->seen = (struct seen){ 0 };
		s->req = (struct request){ .role = REQUEST_RESPONDER,
			.method = METHOD_POST,
			.content_encoding = str_from(cases[i].encoding) };
		output_answer(&s->app, &s->req, &s->res, cases[i].err, "why",
		    cases[i].body);
		if (s->seen.status != cases[i].failed ||
		    s->seen.handled != (cases[i].failed == 0) ||
		    s->seen.failed != (cases[i].failed != 0))
			fail_msg("case %zu: %u", i, s->seen.status);
		if (cases[i].err != DK_OK)
			assert_string_equal(s->seen.problem, "why");
	}
}

/* The encoding of a body that nobody reads is nobody's matter. */
static void
a_get_may_say_what_it_likes_about_its_body(void **state)
{
	struct stand *s = *state;

	s->req = (struct request){ .method = METHOD_GET,
		.content_encoding = STR("gzip") };
	output_answer(&s->app, &s->req, &s->res, DK_OK, NULL, BODY_NONE);
	assert_int_equal(s->seen.handled, 1);
}

/* --- what goes out
 * ------------------------------------------------------------------- */

static enum dk_err
build(struct stand *s, enum request_role role, enum request_method method)
{
	s->req = (struct request){ .role = role, .method = method };
	return output_build(&s->req, &s->res, &s->arena, &s->head, &s->body);
}

static void
fill(struct stand *s, unsigned status)
{
	const struct set_cookie cookie = { .name = STR("a"),
		.value = STR("b") };

	arena_reset(&s->arena);
	response_init(&s->res, &s->arena);
	response_start(&s->res, status, STR("text/html; charset=utf-8"));
	response_header(&s->res, "Variable-REMOTE_USER", STR("alice"));
	response_header(&s->res, "X-Other", STR("c"));
	response_header(&s->res, "Variable-AUTH_TYPE", STR("doorkeep"));
	response_cookie(&s->res, &cookie);
	buf_addz(&s->res.body, "text");
}

/* DK-A-01, DK-A-02: Apache hands all but the variables to the client. */
static void
the_yes_of_an_authorizer_is_variables_alone(void **state)
{
	struct stand *s = *state;

	fill(s, 200);
	assert_int_equal(build(s, REQUEST_AUTHORIZER, METHOD_GET), DK_OK);
	assert_true(str_eq(s->head,
	    STR("Status: 200 OK\r\n"
		"Variable-REMOTE_USER: alice\r\n"
		"Variable-AUTH_TYPE: doorkeep\r\n"
		"\r\n")));
	assert_int_equal(s->body.n, 0);
	/* Without a user, too, the status stands there. */
	response_init(&s->res, &s->arena);
	response_start(&s->res, 200, STR_NONE);
	assert_int_equal(build(s, REQUEST_AUTHORIZER, METHOD_POST), DK_OK);
	assert_true(str_eq(s->head, STR("Status: 200 OK\r\n\r\n")));
	assert_int_equal(s->body.n, 0);
}

static void
the_no_of_an_authorizer_is_a_whole_answer(void **state)
{
	static const struct {
		unsigned status;
		const char *line;
	} cases[] = { { 401, "Status: 401 Unauthorized\r\n" },
		{ 403, "Status: 403 Forbidden\r\n" },
		{ 303, "Status: 303 See Other\r\n" },
		{ 204, "Status: 204 No Content\r\n" },
		{ 206, "Status: 206 Partial Content\r\n" },
		{ 503, "Status: 503 Service Unavailable\r\n" } };
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill(s, cases[i].status);
		assert_int_equal(
		    build(s, REQUEST_AUTHORIZER, METHOD_GET), DK_OK);
		if (!str_starts(s->head, str_from(cases[i].line)))
			fail_msg("%u: %.*s", cases[i].status, STR_FMT(s->head));
		assert_true(str_ends(s->head, STR("\r\n\r\n")));
		assert_int_equal(s->body.n, cases[i].status == 204 ? 0 : 4);
	}
}

/* DK-G-08, DK-H-12 */
static void
a_responder_sends_headers_cookies_length_and_body(void **state)
{
	struct stand *s = *state;
	struct str head;

	fill(s, 200);
	assert_int_equal(build(s, REQUEST_RESPONDER, METHOD_GET), DK_OK);
	assert_true(str_eq(s->head,
	    STR("Status: 200 OK\r\n"
		"Content-Type: text/html; charset=utf-8\r\n"
		"Variable-REMOTE_USER: alice\r\n"
		"X-Other: c\r\n"
		"Variable-AUTH_TYPE: doorkeep\r\n"
		"Set-Cookie: a=b; Path=/; HttpOnly; SameSite=Lax\r\n"
		"Content-Length: 4\r\n"
		"\r\n")));
	assert_true(str_eq(s->body, STR("text")));
	head = s->head;
	assert_int_equal(build(s, REQUEST_RESPONDER, METHOD_HEAD), DK_OK);
	assert_true(str_eq(s->head, head));
	assert_int_equal(s->body.n, 0);
}

/* lighttpd takes an empty answer for a yes: then nothing is sent at all. */
static void
nothing_goes_out_of_an_answer_that_is_not_whole(void **state)
{
	static const enum request_role roles[] = { REQUEST_RESPONDER,
		REQUEST_AUTHORIZER };
	struct stand *s = *state;
	size_t i, k;

	for (i = 0; i < 2; i++)
		for (k = 0; k < 4; k++) {
			fill(s, 200);
			if (k == 0)
				s->res.status = 0;
			else if (k == 1)
				response_header(&s->res, "Variable-X",
				    STR("a\r\nStatus: 200"));
			else if (k == 2)
				s->res.body.overflow = true;
			else
				response_header(
				    &s->res, "X", (struct str){ "a\0b", 3 });
			s->head = STR("old");
			s->body = STR("old");
			assert_int_equal(
			    build(s, roles[i], METHOD_GET), DK_ERR_INTERNAL);
			assert_true(str_is_none(s->head));
			assert_true(str_is_none(s->body));
		}
}

static void
a_head_that_does_not_fit_is_no_answer(void **state)
{
	static char value[3000];
	static const char *const names[] = { "Variable-A", "Variable-B",
		"Variable-C", "Variable-D", "Variable-E" };
	static const enum request_role roles[] = { REQUEST_RESPONDER,
		REQUEST_AUTHORIZER };
	struct stand *s = *state;
	size_t i, k;

	memset(value, 'x', sizeof(value));
	for (i = 0; i < 2; i++) {
		response_init(&s->res, &s->arena);
		response_start(&s->res, 200, STR_NONE);
		for (k = 0; k < 5; k++)
			response_header(&s->res, names[k],
			    (struct str){ value, sizeof(value) });
		assert_int_equal(
		    build(s, roles[i], METHOD_GET), DK_ERR_INTERNAL);
		assert_true(str_is_none(s->head));
	}
}

/* Bounded memory that is used up is no yes either. */
static void
an_arena_that_is_used_up_is_no_answer(void **state)
{
	struct stand *s = *state;
	size_t left;

	fill(s, 200);
	left = s->arena.size - s->arena.used;
	assert_non_null(arena_alloc(&s->arena, left - 64));
	assert_int_equal(
	    build(s, REQUEST_AUTHORIZER, METHOD_GET), DK_ERR_INTERNAL);
	assert_true(str_is_none(s->head));
	assert_int_equal(
	    build(s, REQUEST_RESPONDER, METHOD_GET), DK_ERR_INTERNAL);
	assert_true(str_is_none(s->head));
}

/* What put was given, all of it and in how many pieces. */
struct taken {
	uint64_t n;
	unsigned pieces, at_most;
	unsigned char first, last;
};

static bool
take(void *arg, struct str piece)
{
	struct taken *taken = arg;

	assert_true(piece.n > 0 && piece.n <= 64 * 1024);
	if (taken->n == 0)
		taken->first = (unsigned char)piece.p[0];
	taken->last = (unsigned char)piece.p[piece.n - 1];
	taken->n += piece.n;
	return ++taken->pieces != taken->at_most;
}

enum { FILE_SIZE = 200 * 1000 };

/* A file in which each byte is its place modulo 251. */
static int
open_file(void)
{
	char name[] = "/tmp/dk-output-XXXXXX";
	static unsigned char bytes[FILE_SIZE];
	int fd = mkstemp(name);
	size_t i;

	for (i = 0; i < FILE_SIZE; i++)
		bytes[i] = (unsigned char)(i % 251);
	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(fd, bytes, FILE_SIZE), FILE_SIZE);
	return fd;
}

static void
a_file_goes_out_in_pieces(void **state)
{
	struct stand *s = *state;
	struct taken taken = { 0 };

	s->req = (struct request){ .method = METHOD_GET };
	response_start(&s->res, 206, STR("text/plain"));
	response_file(&s->res, open_file(), 1000, 150 * 1000);
	assert_int_equal(output_build(&s->req, &s->res, &s->arena, &s->head,
			     &s->body),
	    DK_OK);
	assert_non_null(strstr(s->head.p, "\r\nContent-Length: 150000\r\n"));
	assert_int_equal(s->body.n, 0);
	assert_true(output_file(&s->req, &s->res, &s->arena, take, &taken));
	assert_int_equal(taken.n, 150 * 1000);
	assert_int_equal(taken.pieces, 3);
	assert_int_equal(taken.first, 1000 % 251);
	assert_int_equal(taken.last, 150999 % 251);
	response_close(&s->res);
}

static void
a_file_is_not_read_for_head(void **state)
{
	struct stand *s = *state;
	struct taken taken = { 0 };

	s->req = (struct request){ .method = METHOD_HEAD };
	response_start(&s->res, 200, STR("text/plain"));
	response_file(&s->res, open_file(), 0, FILE_SIZE);
	assert_true(output_file(&s->req, &s->res, &s->arena, take, &taken));
	assert_int_equal(taken.pieces, 0);
	response_close(&s->res);
	/* And where there is none, nothing is sent. */
	s->req.method = METHOD_GET;
	assert_true(output_file(&s->req, &s->res, &s->arena, take, &taken));
	assert_int_equal(taken.pieces, 0);
}

static void
a_file_that_is_shorter_than_was_said_is_no_answer(void **state)
{
	struct stand *s = *state;
	struct taken taken = { 0 };

	s->req = (struct request){ .method = METHOD_GET };
	response_start(&s->res, 200, STR("text/plain"));
	response_file(&s->res, open_file(), 0, FILE_SIZE + 1);
	assert_false(output_file(&s->req, &s->res, &s->arena, take, &taken));
	assert_int_equal(taken.n, FILE_SIZE);
	response_close(&s->res);
}

static void
a_file_ends_where_nobody_takes_it(void **state)
{
	struct stand *s = *state;
	struct taken taken = { .at_most = 2 };

	s->req = (struct request){ .method = METHOD_GET };
	response_start(&s->res, 200, STR("text/plain"));
	response_file(&s->res, open_file(), 0, FILE_SIZE);
	assert_false(output_file(&s->req, &s->res, &s->arena, take, &taken));
	assert_int_equal(taken.pieces, 2);
	response_close(&s->res);
}

/* An error replaces it: it is closed, and its length is said no more. */
static void
an_error_takes_the_place_of_a_file(void **state)
{
	struct stand *s = *state;
	int fd = open_file();

	s->req = (struct request){ .method = METHOD_GET };
	response_start(&s->res, 200, STR("text/plain"));
	response_file(&s->res, fd, 0, FILE_SIZE);
	response_reset(&s->res, 503);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(output_build(&s->req, &s->res, &s->arena, &s->head,
			     &s->body),
	    DK_OK);
	assert_non_null(strstr(s->head.p, "\r\nContent-Length: 0\r\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_is_read_for_a_post_to_us_alone),
		cmocka_unit_test(
		    tells_by_method_and_headers_whether_a_body_may_come),
		STAND_TEST(asks_the_application_only_for_what_came_whole),
		STAND_TEST(a_get_may_say_what_it_likes_about_its_body),
		STAND_TEST(the_yes_of_an_authorizer_is_variables_alone),
		STAND_TEST(the_no_of_an_authorizer_is_a_whole_answer),
		STAND_TEST(a_responder_sends_headers_cookies_length_and_body),
		STAND_TEST(nothing_goes_out_of_an_answer_that_is_not_whole),
		STAND_TEST(a_head_that_does_not_fit_is_no_answer),
		STAND_TEST(an_arena_that_is_used_up_is_no_answer),
		STAND_TEST(a_file_goes_out_in_pieces),
		STAND_TEST(a_file_is_not_read_for_head),
		STAND_TEST(a_file_that_is_shorter_than_was_said_is_no_answer),
		STAND_TEST(a_file_ends_where_nobody_takes_it),
		STAND_TEST(an_error_takes_the_place_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
