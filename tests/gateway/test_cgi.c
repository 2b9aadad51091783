/* CGI: what is read from stdin, and what goes to stdout. */
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

#include "base/secret.h"
#include "gateway/gateway.h"

/* An application that notes what it was asked, and answers as told. */
struct stand {
	struct arena arena;
	struct log log;
	struct request_rules rules;
	struct gateway_app app;
	FILE *in, *out;
	int saved_in, saved_out;
	bool says_nothing;
	int file;
	/* What was seen. */
	unsigned handled, failed, status, idles;
	bool has_body;
	size_t body_len;
	char body[32];
	char answer[4096];
};

static void
handle(void *arg, struct request *req, struct response *res)
{
	struct stand *s = arg;

	s->handled++;
	s->has_body = !str_is_none(req->body);
	s->body_len = req->body.n;
	(void)snprintf(s->body, sizeof(s->body), "%.*s", STR_FMT(req->body));
	if (s->says_nothing)
		return;
	response_start(res, 200, STR("text/plain"));
	if (s->file >= 0)
		response_file(res, s->file, 2, 5);
	else
		buf_addz(&res->body, "done");
}

static void
fail_request(void *arg, struct request *req, struct response *res,
    unsigned status, const char *problem)
{
	struct stand *s = arg;

	(void)req, (void)problem;
	s->failed++;
	s->status = status;
	response_start(res, status, STR("text/plain"));
}

static bool
idle(void *arg)
{
	struct stand *s = arg;

	s->idles++;
	return true;
}

static int
stand_open(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(secret_init(), DK_OK);
	assert_int_equal(arena_open(&s->arena, 1024 * 1024), DK_OK);
	log_open(&s->log, LOG_TO_STDERR, LOG_AS_TEXT);
	s->rules.mount = STR("/auth");
	s->file = -1;
	s->app = (struct gateway_app){ .arg = s,
		.rules = &s->rules,
		.arena = &s->arena,
		.log = &s->log,
		.handle = handle,
		.fail = fail_request,
		.idle = idle };
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

/* While it runs, 0 and 1 are files (or what out is); the program closes 1. */
static int
run_to(struct stand *s, const char *const *more, const void *input, size_t n,
    int out)
{
	char method[] = "REQUEST_METHOD=POST", uri[] = "REQUEST_URI=/auth/x";
	char addr[] = "REMOTE_ADDR=192.0.2.1", text[4][64];
	char *envp[8] = { uri, addr };
	size_t i, k = 2;
	int status;

	envp[k++] = method;
	for (i = 0; more != NULL && more[i] != NULL; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%s", more[i]);
		if (strncmp(more[i], "REQUEST_METHOD", 14) == 0)
			envp[2] = text[i];
		else
			envp[k++] = text[i];
	}
	s->handled = s->failed = s->status = s->idles = 0;
	s->in = tmpfile();
	assert_non_null(s->in);
	assert_int_equal(fwrite(input, 1, n, s->in), n);
	rewind(s->in);
	(void)fflush(stdout);
	s->saved_in = dup(STDIN_FILENO);
	s->saved_out = dup(STDOUT_FILENO);
	(void)dup2(fileno(s->in), STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	status = gateway_run_cgi(&s->app, envp);
	(void)alarm(0);
	(void)dup2(s->saved_in, STDIN_FILENO);
	(void)dup2(s->saved_out, STDOUT_FILENO);
	(void)close(s->saved_in);
	(void)close(s->saved_out);
	(void)fclose(s->in);
	return status;
}

static int
run(struct stand *s, const char *const *more, const void *input, size_t n)
{
	int status;
	size_t got;

	s->out = tmpfile();
	assert_non_null(s->out);
	status = run_to(s, more, input, n, fileno(s->out));
	rewind(s->out);
	got = fread(s->answer, 1, sizeof(s->answer) - 1, s->out);
	s->answer[got] = '\0';
	(void)fclose(s->out);
	return status;
}

/* DK-G-02, DK-I-03: RFC 3875 4.2, exactly CONTENT_LENGTH bytes. */
static void
reads_as_much_as_was_announced(void **state)
{
	static char large[100 * 1024];
	static const struct {
		const char *more[3];
		size_t n;
		unsigned failed; /* 0: handled */
		bool has_body;
		size_t body_len;
	} rows[] = {
		{ { "CONTENT_LENGTH=3", NULL }, 3, 0, true, 3 },
		{ { "CONTENT_LENGTH=3", NULL }, 9, 0, true, 3 },
		{ { "CONTENT_LENGTH=0", NULL }, 9, 0, true, 0 },
		{ { "CONTENT_LENGTH=9", NULL }, 3, 400, false, 0 },
		{ { NULL }, 9, 0, true, 0 },
		{ { "HTTP_TRANSFER_ENCODING=chunked", NULL }, 9, 0, true, 9 },
		{ { "HTTP_TRANSFER_ENCODING=chunked", NULL }, 65536, 0, true,
		    65536 },
		{ { "HTTP_TRANSFER_ENCODING=chunked", NULL }, 65537, 413,
		    false, 0 },
		{ { "CONTENT_LENGTH=65536", NULL }, 65536, 0, true, 65536 },
		{ { "CONTENT_LENGTH=65537", NULL }, 65537, 413, false, 0 },
		{ { "CONTENT_LENGTH=x", NULL }, 3, 400, false, 0 },
		{ { "REQUEST_METHOD=GET", "CONTENT_LENGTH=9", NULL }, 9, 0,
		    false, 0 },
		{ { "REQUEST_METHOD=PUT", "CONTENT_LENGTH=9", NULL }, 9, 0,
		    false, 0 },
	};
	struct stand *s = *state;
	size_t i;

	memset(large, 'a', sizeof(large));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    run(s, rows[i].more, large, rows[i].n), 0);
		if (s->status != rows[i].failed ||
		    s->handled != (rows[i].failed == 0) ||
		    (s->handled > 0 &&
			(s->has_body != rows[i].has_body ||
			    s->body_len != rows[i].body_len)))
			fail_msg("row %zu: %u, %zu bytes", i, s->status,
			    s->body_len);
		assert_int_equal(s->idles, 1);
	}
}

static void
answers_with_status_headers_and_body(void **state)
{
	static const char *const get[] = { "REQUEST_METHOD=GET", NULL };
	static const char *const head[] = { "REQUEST_METHOD=HEAD", NULL };
	struct stand *s = *state;

	assert_int_equal(run(s, get, "", 0), 0);
	assert_string_equal(s->answer,
	    "Status: 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 4\r\n\r\ndone");
	assert_int_equal(run(s, head, "", 0), 0);
	assert_string_equal(s->answer,
	    "Status: 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 4\r\n\r\n");
}

static void
sends_the_part_of_a_file(void **state)
{
	static const char *const get[] = { "REQUEST_METHOD=GET", NULL };
	struct stand *s = *state;
	FILE *f = tmpfile();

	assert_non_null(f);
	(void)fputs("0123456789", f);
	assert_int_equal(fflush(f), 0);
	s->file = dup(fileno(f));
	assert_int_equal(run(s, get, "", 0), 0);
	assert_true(strstr(s->answer, "\r\n\r\n23456") != NULL);
	/* It has become shorter: the answer breaks off, and says so. */
	assert_int_equal(ftruncate(fileno(f), 3), 0);
	s->file = dup(fileno(f));
	assert_int_equal(run(s, get, "", 0), 1);
	(void)fclose(f);
}

/* DK-A-04: no complete answer is none at all. */
static void
says_nothing_rather_than_half_of_it(void **state)
{
	struct stand *s = *state;

	s->says_nothing = true;
	assert_int_equal(run(s, NULL, "", 0), 1);
	assert_string_equal(s->answer, "");
}

static void
tells_when_nobody_takes_the_answer(void **state)
{
	struct stand *s = *state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(full >= 0);
	assert_int_equal(run_to(s, NULL, "", 0, full), 1);
	/* Done all the same, and what comes after it too. */
	assert_int_equal(s->handled, 1);
	assert_int_equal(s->idles, 1);
	(void)close(full);
}

#define STAND_TEST(f) \
	cmocka_unit_test_setup_teardown(f, stand_open, stand_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(reads_as_much_as_was_announced),
		STAND_TEST(answers_with_status_headers_and_body),
		STAND_TEST(sends_the_part_of_a_file),
		STAND_TEST(says_nothing_rather_than_half_of_it),
		STAND_TEST(tells_when_nobody_takes_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
