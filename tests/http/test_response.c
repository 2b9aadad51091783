#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/response.h"

static struct arena arena;
static char head_text[RESPONSE_HEADERS_MAX];

static int
open_arena(void **state)
{
	(void)state;
	return arena_open(&arena, 1024 * 1024) == DK_OK ? 0 : -1;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static int
reset_arena(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

/* A response with this status and nothing in it. */
static struct response
make(unsigned status)
{
	struct response res;

	response_init(&res, &arena);
	response_start(&res, status, STR_NONE);
	return res;
}

static bool
can_be_sent(const struct response *res)
{
	struct buf out;

	BUF_OVER(&out, head_text);
	return response_head(res, &out) == DK_OK;
}

static void
check_head(const struct response *res, const char *want)
{
	assert_true(can_be_sent(res));
	assert_string_equal(head_text, want);
}

/* ---- head and body ---------------------------------------------------- */

/* DK-A-01, DK-G-08: a missing status is read as a yes, so it comes first */
static void
writes_the_status_first(void **state)
{
	struct response res;

	(void)state;
	response_init(&res, &arena);
	response_header(&res, "X-Early", STR("1"));
	response_start(&res, 404, STR("text/plain"));
	buf_addz(&res.body, "none");
	check_head(&res,
	    "Status: 404 Not Found\r\nX-Early: 1\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\n");
	assert_true(str_eq(response_body(&res, false), STR("none")));
}

static void
is_not_sent_without_a_status(void **state)
{
	static const unsigned bad[] = { 0, 1, 99, 100, 199, 600, 20000 };
	struct response res;
	size_t i;

	(void)state;
	response_init(&res, &arena);
	assert_int_equal(res.status, 0);
	assert_false(can_be_sent(&res));
	assert_string_equal(head_text, "");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		res = make(bad[i]);
		if (can_be_sent(&res))
			fail_msg("status %u", bad[i]);
	}
}

/* DK-H-12: HEAD is GET without a body; DK-G-08: 204 and 304 have none */
static void
leaves_the_body_out_where_there_is_none(void **state)
{
	static const struct {
		unsigned status;
		bool body, length;
	} cases[] = { { 200, true, true }, { 401, true, true },
		{ 503, true, true }, { 204, false, false },
		{ 304, false, false } };
	struct response res;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena_reset(&arena);
		response_init(&res, &arena);
		response_start(&res, cases[i].status, STR("text/plain"));
		buf_addz(&res.body, "12345");
		assert_int_equal(
		    response_body(&res, false).n, cases[i].body ? 5 : 0);
		assert_int_equal(response_body(&res, true).n, 0);
		/* One head for both: it knows nothing of the method. */
		assert_true(can_be_sent(&res));
		assert_int_equal(
		    strstr(head_text, "Content-Length: 5\r\n") != NULL,
		    cases[i].length);
		assert_int_equal(strstr(head_text, "Content-Length") != NULL,
		    cases[i].length);
	}
	res = make(303);
	check_head(&res, "Status: 303 See Other\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(response_body(&res, false).n, 0);
}

/* DK-O-02: a bare Location would be a redirect inside the server. */
static void
redirects_with_a_status(void **state)
{
	struct response res;

	(void)state;
	response_init(&res, &arena);
	response_redirect(&res, STR("/a?b=%20"));
	check_head(&res,
	    "Status: 303 See Other\r\nLocation: /a?b=%20\r\n"
	    "Content-Length: 0\r\n\r\n");
}

static void
knows_the_phrase_of_every_status(void **state)
{
	static const unsigned known[] = { 200, 204, 206, 303, 304, 400, 401,
		403, 404, 405, 409, 411, 412, 413, 415, 416, 429, 500, 501,
		503 };
	char number[4];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		BUF_OVER(&b, number);
		buf_addf(&b, "%u", known[i]);
		assert_true(str_starts(
		    str_from(response_phrase(known[i])), buf_str(&b)));
	}
	assert_string_equal(response_phrase(404), "404 Not Found");
	/* Whatever else: no success by mistake. */
	assert_string_equal(response_phrase(299), "500 Internal Server Error");
	assert_string_equal(response_phrase(20), "500 Internal Server Error");
	assert_string_equal(response_phrase(0), "500 Internal Server Error");
}

/* ---- headers ---------------------------------------------------------- */

/* DK-H-13: no control at all, wherever it stands */
static void
is_never_sent_with_a_control_in_a_header(void **state)
{
	char value[] = "a?b";
	struct response res;
	unsigned i, at;

	(void)state;
	for (i = 0; i < 256; i++)
		for (at = 0; at < 3; at++) {
			arena_reset(&arena);
			memcpy(value, "abc", 3);
			value[at] = (char)i;
			res = make(200);
			response_header(
			    &res, "X-Name", (struct str){ value, 3 });
			if (can_be_sent(&res) != (i >= 0x20 && i != 0x7f))
				fail_msg("byte 0x%02x at %u", i, at);
		}
}

static void
is_never_sent_with_a_split_header(void **state)
{
	static const char *const values[] = { "a\r\nSet-Cookie: sid=x",
		"a\nX: y", "a\rX: y", "\r\n\r\n<script>", "a\r\n b", "a\t" };
	struct response res;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		res = make(200);
		response_header(&res, "X-Name", str_from(values[i]));
		/* A good value afterwards does not heal it. */
		response_header(&res, "X-Name", STR("good"));
		assert_true(res.failed);
		assert_false(can_be_sent(&res));
		assert_string_equal(head_text, "");
		res = make(200);
		response_redirect(&res, str_from(values[i]));
		assert_false(can_be_sent(&res));
	}
	res = make(200);
	response_header(&res, "X-Name", STR("a\0b"));
	assert_false(can_be_sent(&res));
}

static void
replaces_a_header_of_the_same_name(void **state)
{
	struct response res = make(200);

	(void)state;
	response_header(&res, "X-A", STR("1"));
	response_header(&res, "X-B", STR("2"));
	response_header(&res, "x-a", STR("3"));
	response_header(&res, "X-AB", STR("\xc3\xa4 4"));
	response_header(&res, "X-Empty", STR(""));
	check_head(&res,
	    "Status: 200 OK\r\nx-a: 3\r\nX-B: 2\r\nX-AB: \xc3\xa4 4\r\n"
	    "X-Empty: \r\nContent-Length: 0\r\n\r\n");
}

static void
copies_the_value_of_a_header(void **state)
{
	struct response res = make(200);
	char value[] = "abc";

	(void)state;
	response_header(&res, "X-A", str_from(value));
	memcpy(value, "\r\n\r", 3);
	check_head(
	    &res, "Status: 200 OK\r\nX-A: abc\r\nContent-Length: 0\r\n\r\n");
}

static void
bounds_the_number_of_headers(void **state)
{
	static char names[RESPONSE_HEADS_MAX + 1][8];
	struct response res = make(200);
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < RESPONSE_HEADS_MAX; i++) {
		BUF_OVER(&b, names[i]);
		buf_addf(&b, "X-%zu", i);
		response_header(&res, names[i], STR("1"));
	}
	/* The last of a full table can still be replaced. */
	response_header(&res, names[RESPONSE_HEADS_MAX - 1], STR("2"));
	assert_true(can_be_sent(&res));
	response_header(&res, "X-More", STR("1"));
	assert_int_equal(res.n_heads, RESPONSE_HEADS_MAX);
	assert_false(can_be_sent(&res));
}

static void
is_not_sent_when_the_head_does_not_fit(void **state)
{
	struct response res = make(200);
	char small[32];
	struct buf out;

	(void)state;
	response_header(&res, "X-Name", STR("a value"));
	BUF_OVER(&out, small);
	assert_int_equal(response_head(&res, &out), DK_ERR_INTERNAL);
}

/* ---- cookies ---------------------------------------------------------- */

struct cookie_case {
	const char *label;
	struct set_cookie cookie;
	const char *line;
};

#define NAME	.name = { "__Host-sid", 10 }
#define VALUE	.value = { "aB0_.-", 6 }
#define DELETED "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"

/* DK-C-01, DK-C-02, DK-C-03, DK-C-06, DK-C-07 */
static const struct cookie_case cookies[] = {
	{ "session cookie", { NAME, VALUE, .secure = true },
	    "__Host-sid=aB0_.-; Path=/; Secure; HttpOnly; SameSite=Lax" },
	{ "over http", { NAME, VALUE },
	    "__Host-sid=aB0_.-; Path=/; HttpOnly; SameSite=Lax" },
	{ "kept", { NAME, VALUE, .secure = true, .max_age_s = 1 },
	    "__Host-sid=aB0_.-; Path=/; Max-Age=1; Secure; HttpOnly; "
	    "SameSite=Lax" },
	{ "kept for 400 days",
	    { NAME, VALUE, .secure = true, .max_age_s = 34560000 },
	    "__Host-sid=aB0_.-; Path=/; Max-Age=34560000; Secure; HttpOnly; "
	    "SameSite=Lax" },
	{ "kept no longer",
	    { NAME, VALUE, .secure = true, .max_age_s = 34560001 },
	    "__Host-sid=aB0_.-; Path=/; Max-Age=34560000; Secure; HttpOnly; "
	    "SameSite=Lax" },
	{ "kept for ever",
	    { NAME, VALUE, .secure = true, .max_age_s = INT64_MAX },
	    "__Host-sid=aB0_.-; Path=/; Max-Age=34560000; Secure; HttpOnly; "
	    "SameSite=Lax" },
	{ "domain",
	    { NAME, VALUE, .domain = { "example.org", 11 }, .secure = true },
	    "__Host-sid=aB0_.-; Path=/; Domain=example.org; Secure; "
	    "HttpOnly; SameSite=Lax" },
	{ "empty value", { NAME, .secure = true },
	    "__Host-sid=; Path=/; Secure; HttpOnly; SameSite=Lax" },
	/* Browsers ignore a deletion that repeats not all of it (TR-13). */
	{ "deletion", { NAME, .secure = true, .erase = true },
	    "__Host-sid=; Path=/; " DELETED
	    "; Secure; HttpOnly; SameSite=Lax" },
	{ "deletion over http", { NAME, .erase = true },
	    "__Host-sid=; Path=/; " DELETED "; HttpOnly; SameSite=Lax" },
	{ "deletion with a domain",
	    { NAME, .domain = { "example.org", 11 }, .secure = true,
		.erase = true },
	    "__Host-sid=; Path=/; Domain=example.org; " DELETED
	    "; Secure; HttpOnly; SameSite=Lax" },
	{ "deletion drops value and age",
	    { NAME, VALUE, .secure = true, .erase = true, .max_age_s = 9 },
	    "__Host-sid=; Path=/; " DELETED
	    "; Secure; HttpOnly; SameSite=Lax" },
};

static void
writes_cookies_with_all_their_attributes(void **state)
{
	char want[400];
	struct response res;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
		BUF_OVER(&b, want);
		buf_addf(&b,
		    "Status: 200 OK\r\nSet-Cookie: %s\r\n"
		    "Content-Length: 0\r\n\r\n",
		    cookies[i].line);
		res = make(200);
		response_cookie(&res, &cookies[i].cookie);
		assert_true(can_be_sent(&res));
		if (strcmp(head_text, want) != 0)
			fail_msg("%s: %s", cookies[i].label, head_text);
	}
}

/* DK-C-05: name and value only from [A-Za-z0-9_.-], no empty name */
static void
is_never_sent_with_another_byte_in_a_cookie(void **state)
{
	static const struct str allowed =
	    STR("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_.-@+");
	char text[] = "a?c";
	struct set_cookie cookie = { .name = STR("a"), .value = STR("b") };
	struct response res;
	unsigned i;
	bool good;

	(void)state;
	for (i = 0; i < 256; i++) {
		arena_reset(&arena);
		text[1] = (char)i;
		good = str_contains(allowed, (char)i);
		cookie.name = STR("a");
		cookie.value = (struct str){ text, 3 };
		res = make(200);
		response_cookie(&res, &cookie);
		if (can_be_sent(&res) != good)
			fail_msg("byte 0x%02x in the value", i);
		cookie.name = cookie.value;
		cookie.value = STR("b");
		res = make(200);
		response_cookie(&res, &cookie);
		if (can_be_sent(&res) != good)
			fail_msg("byte 0x%02x in the name", i);
	}
	cookie.name = STR("");
	res = make(200);
	response_cookie(&res, &cookie);
	assert_false(can_be_sent(&res));
}

static void
is_never_sent_with_a_split_domain(void **state)
{
	static const char *const domains[] = { "h; Path=/x", "h\r\nX: y", "h\n",
		";" };
	struct set_cookie cookie = { .name = STR("a"), .value = STR("b") };
	struct response res;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		cookie.domain = str_from(domains[i]);
		res = make(200);
		response_cookie(&res, &cookie);
		assert_false(can_be_sent(&res));
	}
}

/* DK-C-05: one Set-Cookie per name; names differ by case */
static void
replaces_a_cookie_of_the_same_name(void **state)
{
	struct set_cookie a = { .name = STR("a"), .value = STR("1") };
	struct set_cookie upper = { .name = STR("A"), .value = STR("2") };
	const struct set_cookie gone = { .name = STR("a"), .erase = true };
	struct response res = make(200);
	char value[] = "1";

	(void)state;
	a.value = str_from(value);
	response_cookie(&res, &gone);
	response_cookie(&res, &upper);
	response_cookie(&res, &a);
	value[0] = ';'; /* it was copied */
	check_head(&res,
	    "Status: 200 OK\r\n"
	    "Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax\r\n"
	    "Set-Cookie: A=2; Path=/; HttpOnly; SameSite=Lax\r\n"
	    "Content-Length: 0\r\n\r\n");
}

static void
bounds_the_number_of_cookies(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e",
		"f", "g", "h", "i" };
	struct set_cookie cookie = { .value = STR("1") };
	struct response res = make(200);
	size_t i;

	(void)state;
	for (i = 0; i < RESPONSE_COOKIES_MAX; i++) {
		cookie.name = str_from(names[i]);
		response_cookie(&res, &cookie);
	}
	response_cookie(&res, &cookie);
	assert_true(can_be_sent(&res));
	cookie.name = str_from(names[RESPONSE_COOKIES_MAX]);
	response_cookie(&res, &cookie);
	assert_false(can_be_sent(&res));
}

/* ---- errors replace what was there ------------------------------------ */

static void
starts_over_as_an_error(void **state)
{
	const struct set_cookie cookie = { .name = STR("a"),
		.value = STR("secret") };
	struct response res;

	(void)state;
	response_init(&res, &arena);
	response_start(&res, 200, STR("text/html; charset=utf-8"));
	response_header(&res, "X-Name", STR("secret"));
	response_header(&res, "X-Bad", STR("\n"));
	response_cookie(&res, &cookie);
	buf_addz(&res.body, "secret");
	response_reset(&res, 503);
	check_head(&res,
	    "Status: 503 Service Unavailable\r\n"
	    "Content-Length: 0\r\n\r\n");
	assert_int_equal(response_body(&res, false).n, 0);
	response_start(&res, 503, STR("text/plain"));
	buf_addz(&res.body, "later");
	assert_true(str_eq(response_body(&res, false), STR("later")));
}

static void
fill(struct response *res, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_addc(&res->body, 'x');
}

static void
is_not_sent_when_the_body_does_not_fit(void **state)
{
	static const struct {
		const char *type;
		size_t max;
	} cases[] = { { "text/html; charset=utf-8", RESPONSE_BODY_MAX },
		{ "application/json", RESPONSE_SMALL_BODY_MAX } };
	struct response res;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena_reset(&arena);
		response_init(&res, &arena);
		response_start(&res, 200, str_from(cases[i].type));
		fill(&res, cases[i].max);
		assert_true(can_be_sent(&res));
		assert_int_equal(response_body(&res, false).n, cases[i].max);
		fill(&res, 1);
		assert_false(can_be_sent(&res));
		response_reset(&res, 500);
		assert_true(can_be_sent(&res));
	}
}

/* An error page that takes the place of a small answer may be large. */
static void
has_room_for_a_page_after_a_small_answer(void **state)
{
	struct response res;

	(void)state;
	response_init(&res, &arena);
	response_start(&res, 200, STR("application/json"));
	fill(&res, 9);
	response_reset(&res, 500);
	response_start(&res, 500, STR("text/html; charset=utf-8"));
	fill(&res, RESPONSE_BODY_MAX);
	assert_true(can_be_sent(&res));
	assert_int_equal(response_body(&res, false).n, RESPONSE_BODY_MAX);
}

/* What was written stays when a page only changes its mind. */
static void
keeps_the_body_when_started_again(void **state)
{
	struct response res;

	(void)state;
	response_init(&res, &arena);
	response_start(&res, 200, STR("text/plain"));
	fill(&res, 3);
	response_start(&res, 401, STR("text/html"));
	check_head(&res,
	    "Status: 401 Unauthorized\r\nContent-Type: text/html\r\n"
	    "Content-Length: 3\r\n\r\n");
}

static void
takes_memory_for_one_body_only(void **state)
{
	struct response res;
	size_t used, i;

	(void)state;
	response_init(&res, &arena);
	response_start(&res, 200, STR("text/html"));
	used = arena.used;
	for (i = 0; i < 8; i++) {
		response_reset(&res, 500);
		response_start(&res, 500, STR("text/html"));
	}
	assert_true(arena.used - used < RESPONSE_SMALL_BODY_MAX);
}

/* Without room for a body the answer is dropped, or goes without one. */
static void
is_not_sent_when_memory_is_used_up(void **state)
{
	struct response res;
	struct arena small;

	(void)state;
	assert_int_equal(arena_open(&small, 512), DK_OK);
	response_init(&res, &small);
	response_start(&res, 200, STR("text/html"));
	buf_addz(&res.body, "x");
	assert_false(can_be_sent(&res));
	assert_int_equal(response_body(&res, false).n, 0);
	response_reset(&res, 503);
	assert_true(can_be_sent(&res));
	while (arena_alloc(&small, 1) != NULL)
		continue;
	response_header(&res, "X-Name", STR("value"));
	assert_false(can_be_sent(&res));
	arena_close(&small);
}

#define TEST(name) cmocka_unit_test_teardown(name, reset_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_the_status_first),
		TEST(is_not_sent_without_a_status),
		TEST(leaves_the_body_out_where_there_is_none),
		TEST(redirects_with_a_status),
		TEST(knows_the_phrase_of_every_status),
		TEST(is_never_sent_with_a_control_in_a_header),
		TEST(is_never_sent_with_a_split_header),
		TEST(replaces_a_header_of_the_same_name),
		TEST(copies_the_value_of_a_header),
		TEST(bounds_the_number_of_headers),
		TEST(is_not_sent_when_the_head_does_not_fit),
		TEST(writes_cookies_with_all_their_attributes),
		TEST(is_never_sent_with_another_byte_in_a_cookie),
		TEST(is_never_sent_with_a_split_domain),
		TEST(replaces_a_cookie_of_the_same_name),
		TEST(bounds_the_number_of_cookies),
		TEST(starts_over_as_an_error),
		TEST(is_not_sent_when_the_body_does_not_fit),
		TEST(has_room_for_a_page_after_a_small_answer),
		TEST(keeps_the_body_when_started_again),
		TEST(takes_memory_for_one_body_only),
		TEST(is_not_sent_when_memory_is_used_up),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
