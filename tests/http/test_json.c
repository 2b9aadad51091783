#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/json.h"

enum { MEMBERS = 3, DEEP = 60000 };

static struct arena arena;

static int
open_arena(void **state)
{
	(void)state;
	return arena_open(&arena, 64 * 1024) == DK_OK ? 0 : -1;
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

static enum dk_err
read_sign_in(struct str text, struct json_member m[MEMBERS])
{
	const char *problem = "never set";
	enum dk_err err;

	m[0] = (struct json_member){ "username", JSON_STRING_MEMBER, 8,
		STR_NONE, false };
	m[1] = (struct json_member){ "password", JSON_STRING_MEMBER, 16,
		STR_NONE, false };
	m[2] = (struct json_member){ "remember", JSON_BOOL_MEMBER, 0, STR_NONE,
		false };
	err = json_read(text, m, MEMBERS, &arena, &problem);
	if ((err == DK_OK) != (problem == NULL))
		fail_msg("error %d, but problem %s", (int)err,
		    problem == NULL ? "NULL" : problem);
	return err;
}

static void
check_text(const char *label, struct str value, const char *want)
{
	if (str_is_none(value) != (want == NULL) ||
	    !str_eq(value, str_from(want)))
		fail_msg("%s: got \"%.*s\"", label, STR_FMT(value));
	if (want != NULL && value.p[value.n] != '\0')
		fail_msg("%s: not terminated", label);
}

/* DK-I-15: what is not asked for is ignored, whatever its type */
static void
reads_the_members_that_were_asked_for(void **state)
{
	static const struct {
		const char *label, *text, *username, *password;
		bool remember;
	} cases[] = {
		{ "empty object", "{}", NULL, NULL, false },
		{ "one", "{\"username\":\"a\"}", "a", NULL, false },
		{ "all",
		    "{\"username\":\"a\",\"password\":\"b\","
		    "\"remember\":true}",
		    "a", "b", true },
		{ "false", "{\"remember\":false}", NULL, NULL, false },
		{ "null is absent",
		    "{\"username\":null,\"password\":\"b\","
		    "\"remember\":null}",
		    NULL, "b", false },
		{ "white space around", " \r\n\t{ \"username\" : \"a\" } \n",
		    "a", NULL, false },
		{ "empty string", "{\"username\":\"\"}", "", NULL, false },
		{ "escapes", "{\"username\":\"\\u00e4\\n\\\"\\\\\\/\"}",
		    "\xc3\xa4\n\"\\/", NULL, false },
		{ "escaped name", "{\"user\\u006eame\":\"a\"}", "a", NULL,
		    false },
		{ "pair of surrogates", "{\"username\":\"\\ud83d\\udd11\"}",
		    "\xf0\x9f\x94\x91", NULL, false },
		{ "other case", "{\"Username\":\"a\"}", NULL, NULL, false },
		{ "name with space", "{\"username \":\"a\"}", NULL, NULL,
		    false },
		{ "other members",
		    "{\"role\":\"admin\",\"id\":[1,{\"username\":\"x\"}],"
		    "\"username\":\"a\",\"n\":-1.5e3,\"o\":{}}",
		    "a", NULL, false },
		{ "nested name", "{\"user\":{\"username\":\"a\"}}", NULL, NULL,
		    false },
		{ "as long as allowed", "{\"username\":\"12345678\"}",
		    "12345678", NULL, false },
		{ "bytes count after decoding",
		    "{\"username\":\"\\u0031\\u0032\\u0033\\u0034\"}", "1234",
		    NULL, false },
		{ "four characters of two bytes",
		    "{\"username\":\"\\u00e4\\u00e4\\u00e4\\u00e4\"}",
		    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL, false },
	};
	struct json_member m[MEMBERS];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (read_sign_in(str_from(cases[i].text), m) != DK_OK)
			fail_msg("%s: refused", cases[i].label);
		check_text(cases[i].label, m[0].text, cases[i].username);
		check_text(cases[i].label, m[1].text, cases[i].password);
		if (m[2].flag != cases[i].remember)
			fail_msg("%s: remember", cases[i].label);
	}
}

/* DK-I-08, DK-I-09 */
static void
refuses_what_is_not_one_strict_object(void **state)
{
	static const struct {
		const char *label, *text;
	} cases[] = {
		{ "nothing", "" },
		{ "blank", " \n" },
		{ "array", "[]" },
		{ "array of an object", "[{\"username\":\"a\"}]" },
		{ "string", "\"username\"" },
		{ "number", "1" },
		{ "null", "null" },
		{ "true", "true" },
		{ "form", "username=a&password=b" },
		{ "cut off", "{\"username\":\"a\"" },
		{ "cut in the string", "{\"username\":\"a" },
		{ "only opened", "{" },
		{ "two objects", "{}{}" },
		{ "trailing text", "{\"username\":\"a\"}x" },
		{ "trailing brace", "{\"username\":\"a\"}}" },
		{ "trailing comma", "{\"username\":\"a\",}" },
		{ "comment", "{/* */\"username\":\"a\"}" },
		{ "single quotes", "{'username':'a'}" },
		{ "name without quotes", "{username:\"a\"}" },
		{ "byte order mark", "\xef\xbb\xbf{}" },
		{ "name twice", "{\"username\":\"a\",\"username\":\"b\"}" },
		{ "name twice, equal",
		    "{\"username\":\"a\",\"username\":\"a\"}" },
		{ "name twice, one escaped",
		    "{\"username\":\"a\",\"\\u0075sername\":\"b\"}" },
		{ "name twice, one null",
		    "{\"username\":\"a\",\"username\":null}" },
		{ "other name twice", "{\"x\":1,\"x\":2}" },
		{ "other name twice, nested", "{\"x\":{\"y\":1,\"y\":2}}" },
		{ "NUL escaped", "{\"username\":\"a\\u0000\"}" },
		{ "NUL in another member", "{\"x\":\"\\u0000\"}" },
		{ "NUL in a name", "{\"username\\u0000\":\"a\"}" },
		{ "raw line end", "{\"username\":\"a\nb\"}" },
		{ "raw control", "{\"username\":\"a\x01\"}" },
		{ "Latin-1", "{\"username\":\"\xe4\"}" },
		{ "overlong", "{\"username\":\"\xc0\xaf\"}" },
		{ "raw surrogate", "{\"username\":\"\xed\xa0\x80\"}" },
		{ "Latin-1 in another member", "{\"x\":\"\xe4\"}" },
		{ "Latin-1 in a name", "{\"\xe4\":1}" },
		{ "half a pair", "{\"username\":\"\\ud83d\"}" },
		{ "wrong half", "{\"username\":\"\\udd11\\ud83d\"}" },
		{ "unknown escape", "{\"username\":\"\\x41\"}" },
		{ "short escape", "{\"username\":\"\\u41\"}" },
		{ "number beyond range", "{\"x\":1e999}" },
		{ "leading zero", "{\"x\":01}" },
		{ "not a number", "{\"x\":NaN}" },
	};
	struct json_member m[MEMBERS];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (read_sign_in(str_from(cases[i].text), m) != DK_ERR_INPUT)
			fail_msg("%s: not refused", cases[i].label);
		if (!str_is_none(m[0].text) || m[2].flag)
			fail_msg("%s: a value of it", cases[i].label);
	}
}

static void
refuses_members_of_the_wrong_type(void **state)
{
	static const char *const strings[] = { "1", "true", "false", "0", "[]",
		"[\"a\"]", "{}", "{\"$ne\":\"\"}", "1.5" };
	static const char *const flags[] = { "\"true\"", "\"\"", "1", "0", "[]",
		"{}", "\"on\"" };
	struct json_member m[MEMBERS];
	char text[80];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "{\"username\":%s}", strings[i]);
		if (read_sign_in(buf_str(&b), m) != DK_ERR_INPUT)
			fail_msg("%s", text);
		assert_true(str_is_none(m[0].text));
	}
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "{\"remember\":%s}", flags[i]);
		if (read_sign_in(buf_str(&b), m) != DK_ERR_INPUT)
			fail_msg("%s", text);
		assert_false(m[2].flag);
	}
}

static void
refuses_strings_that_are_too_long(void **state)
{
	struct json_member m[MEMBERS];

	(void)state;
	assert_int_equal(read_sign_in(STR("{\"username\":\"123456789\"}"), m),
	    DK_ERR_TOO_LARGE);
	assert_true(str_is_none(m[0].text));
	/* five characters, ten bytes */
	assert_int_equal(
	    read_sign_in(STR("{\"username\":\"\\u00e4\\u00e4\\u00e4"
			     "\\u00e4\\u00e4\"}"),
		m),
	    DK_ERR_TOO_LARGE);
	/* What is not read may be long. */
	assert_int_equal(
	    read_sign_in(STR("{\"x\":\"12345678901234567890\"}"), m), DK_OK);
}

static void
refuses_a_raw_nul(void **state)
{
	struct json_member m[MEMBERS];

	(void)state;
	assert_int_equal(
	    read_sign_in(STR("{\"username\":\"a\0\"}"), m), DK_ERR_INPUT);
	assert_int_equal(
	    read_sign_in(STR("{\"username\":\"a\"}\0"), m), DK_ERR_INPUT);
	assert_int_equal(read_sign_in(STR("{}\0{}"), m), DK_ERR_INPUT);
	assert_int_equal(read_sign_in(STR_NONE, m), DK_ERR_INPUT);
}

/* DK-I-10: nesting as deep as a body allows does not use up the stack */
static void
refuses_deep_nesting(void **state)
{
	static const char *const openers[] = { "[", "{\"a\":" };
	struct json_member m[MEMBERS];
	char *text = malloc(DEEP);
	struct buf b;
	size_t i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		buf_init(&b, text, DEEP);
		buf_addz(&b, "{\"username\":");
		while (buf_ok(&b))
			buf_addz(&b, openers[i]);
		assert_int_equal(read_sign_in(buf_str(&b), m), DK_ERR_INPUT);
	}
	free(text);
}

static void
forgets_earlier_values(void **state)
{
	struct json_member m = { .name = "remember", .type = JSON_BOOL_MEMBER };
	const char *problem;

	(void)state;
	assert_int_equal(
	    json_read(STR("{\"remember\":true}"), &m, 1, &arena, &problem),
	    DK_OK);
	assert_true(m.flag);
	assert_int_equal(json_read(STR("{}"), &m, 1, &arena, &problem), DK_OK);
	assert_false(m.flag);
}

static void
says_when_memory_is_used_up(void **state)
{
	struct json_member m = { .name = "a", .max = 100 };
	const char *problem;
	struct arena small;

	(void)state;
	assert_int_equal(arena_open(&small, 8), DK_OK);
	assert_int_equal(
	    json_read(STR("{\"a\":\"12345678\"}"), &m, 1, &small, &problem),
	    DK_ERR_NOMEM);
	assert_true(str_is_none(m.text));
	arena_close(&small);
}

#define TEST(name) cmocka_unit_test_teardown(name, reset_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_members_that_were_asked_for),
		TEST(refuses_what_is_not_one_strict_object),
		TEST(refuses_members_of_the_wrong_type),
		TEST(refuses_strings_that_are_too_long),
		TEST(refuses_a_raw_nul),
		TEST(refuses_deep_nesting),
		TEST(forgets_earlier_values),
		TEST(says_when_memory_is_used_up),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
