#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/cookie.h"

enum { LINES_MAX = 3 };

struct cookie_case {
	const char *label;
	const char *line[LINES_MAX]; /* up to the first NULL */
	enum cookie_found found;
	const char *value;
};

/* DK-C-08: names are compared exactly; DK-C-11: others do not disturb. */
static const struct cookie_case one_line[] = {
	{ "alone", { "sid=abc" }, COOKIE_ONE, "abc" },
	{ "first", { "sid=abc; a=b" }, COOKIE_ONE, "abc" },
	{ "last", { "a=b; sid=abc" }, COOKIE_ONE, "abc" },
	{ "no space", { "a=b;sid=abc;c=d" }, COOKIE_ONE, "abc" },
	{ "more space", { "  a=b ;\t sid=abc \t; c=d" }, COOKIE_ONE, "abc" },
	{ "space around the sign", { "sid = abc" }, COOKIE_ONE, "abc" },
	{ "empty value", { "sid=" }, COOKIE_ONE, "" },
	{ "blank value", { "sid= ; a=b" }, COOKIE_ONE, "" },
	{ "sign in value", { "sid=a=b=" }, COOKIE_ONE, "a=b=" },
	{ "quotes are part of it", { "sid=\"abc\"" }, COOKIE_ONE, "\"abc\"" },
	{ "escapes are not decoded", { "sid=%61+b" }, COOKIE_ONE, "%61+b" },
	{ "bytes above ASCII", { "sid=\xff\xfe" }, COOKIE_ONE, "\xff\xfe" },
	{ "no header", { NULL }, COOKIE_ABSENT, NULL },
	{ "empty header", { "" }, COOKIE_ABSENT, NULL },
	{ "only separators", { ";;, ;=" }, COOKIE_ABSENT, NULL },
	{ "no equals sign", { "sid" }, COOKIE_ABSENT, NULL },
	{ "no equals sign before others", { "sid; a=b" }, COOKIE_ABSENT, NULL },
	{ "name is a suffix", { "xsid=abc" }, COOKIE_ABSENT, NULL },
	{ "name is a prefix", { "sidx=abc" }, COOKIE_ABSENT, NULL },
	{ "with the prefix", { "__Host-sid=abc" }, COOKIE_ABSENT, NULL },
	{ "other case", { "SID=abc; Sid=abc; siD=abc" }, COOKIE_ABSENT, NULL },
	{ "escaped name", { "%73id=abc" }, COOKIE_ABSENT, NULL },
	{ "quoted name", { "\"sid\"=abc" }, COOKIE_ABSENT, NULL },
	{ "name in a value", { "a=sid=abc" }, COOKIE_ABSENT, NULL },
	{ "name as attribute", { "$Version=1; a=b; $sid=abc" }, COOKIE_ABSENT,
	    NULL },
	{ "line end is no separator", { "a=b\nsid=abc" }, COOKIE_ABSENT, NULL },
	{ "empty name", { "=sid; =sid=abc" }, COOKIE_ABSENT, NULL },
	{ "near misses around it",
	    { "xsid=1; sidx=2; SID=3; sid=abc; sid; si=4; id=5" }, COOKIE_ONE,
	    "abc" },
	{ "JSON beside it", { "a={\"k\":1}; sid=abc" }, COOKIE_ONE, "abc" },
	{ "quoted separators beside it", { "a=\"b; sid=abc; c\"" }, COOKIE_ONE,
	    "abc" },
	{ "strange ones beside it", { "\x01\x7f=\xff; ===; sid=abc; \\" },
	    COOKIE_ONE, "abc" },
};

/* DK-C-09: two values, whatever their order and place; DK-C-10: lines */
static const struct cookie_case several[] = {
	{ "planted twice", { "sid=a; sid=b" }, COOKIE_CONFLICT, NULL },
	{ "the other order", { "sid=b; sid=a" }, COOKIE_CONFLICT, NULL },
	{ "one is empty", { "sid=; sid=b" }, COOKIE_CONFLICT, NULL },
	{ "the last is empty", { "sid=b; sid=" }, COOKIE_CONFLICT, NULL },
	{ "one is a prefix", { "sid=ab; sid=abc" }, COOKIE_CONFLICT, NULL },
	{ "the third differs", { "sid=a; sid=a; sid=b" }, COOKIE_CONFLICT,
	    NULL },
	{ "the first comes back", { "sid=a; sid=b; sid=a" }, COOKIE_CONFLICT,
	    NULL },
	{ "quoted is another", { "sid=a; sid=\"a\"" }, COOKIE_CONFLICT, NULL },
	{ "hidden by space", { "sid=a; sid\t=b" }, COOKIE_CONFLICT, NULL },
	{ "equal", { "sid=a; sid=a" }, COOKIE_ONE, "a" },
	{ "equal but for space", { "sid=a ;sid= a" }, COOKIE_ONE, "a" },
	{ "in the first line", { "sid=a", "b=c" }, COOKIE_ONE, "a" },
	{ "in the second line", { "b=c", "sid=a" }, COOKIE_ONE, "a" },
	{ "in the last line", { "b=c", "", "sid=a" }, COOKIE_ONE, "a" },
	{ "equal in two lines", { "sid=a", "sid=a" }, COOKIE_ONE, "a" },
	{ "two lines differ", { "sid=a", "sid=b" }, COOKIE_CONFLICT, NULL },
	{ "two lines differ late", { "sid=a", "c=d", "e=f; sid=b" },
	    COOKIE_CONFLICT, NULL },
	{ "a value is not continued", { "a=b; sid", "=abc" }, COOKIE_ABSENT,
	    NULL },
	{ "joined by a comma", { "b=c, sid=a" }, COOKIE_ONE, "a" },
	{ "joined in front", { "sid=a, b=c" }, COOKIE_ONE, "a" },
	{ "joined, equal", { "sid=a, sid=a" }, COOKIE_ONE, "a" },
	{ "joined, differing", { "sid=a, sid=b" }, COOKIE_CONFLICT, NULL },
	{ "joined both ways", { "b=c; d=e, f=g; sid=a, h=i" }, COOKIE_ONE,
	    "a" },
	{ "comma in another's value", { "a=1,2,3; sid=a; b=,," }, COOKIE_ONE,
	    "a" },
};

static void
check_case(const struct cookie_case *c)
{
	struct str lines[LINES_MAX], value = STR("left over");
	enum cookie_found found;
	size_t n = 0;

	while (n < LINES_MAX && c->line[n] != NULL) {
		lines[n] = str_from(c->line[n]);
		n++;
	}
	found = cookie_get(lines, n, STR("sid"), &value);
	if (found != c->found)
		fail_msg("%s: answer %d", c->label, (int)found);
	if (str_is_none(value) != (c->value == NULL))
		fail_msg("%s: a value only with COOKIE_ONE", c->label);
	if (c->value != NULL && !str_eq(value, str_from(c->value)))
		fail_msg("%s: \"%.*s\"", c->label, STR_FMT(value));
}

static void
finds_the_cookie_of_exactly_this_name(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(one_line) / sizeof(one_line[0]); i++)
		check_case(&one_line[i]);
}

static void
counts_two_different_values_as_a_conflict(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(several) / sizeof(several[0]); i++)
		check_case(&several[i]);
}

/* DK-C-09: an old cookie at another path is not a part of ours. */
static void
takes_the_prefix_as_part_of_the_name(void **state)
{
	const struct str line =
	    STR("doorkeep=planted; __Host-doorkeep=own; "
		"__host-doorkeep=planted; __Host-doorkeep-login=other");
	struct str value;

	(void)state;
	assert_int_equal(
	    cookie_get(&line, 1, STR("__Host-doorkeep"), &value), COOKIE_ONE);
	assert_true(str_eq(value, STR("own")));
}

/*
 * A sibling host may set a cookie x with the value "a, __Host-doorkeep=…":
 * it must not pass for the one that only this host can set (DK-C-01).
 */
static void
finds_no_prefixed_name_behind_a_comma(void **state)
{
	const struct str planted = STR("x=a, __Host-doorkeep=planted");
	const struct str both =
	    STR("x=a, __Host-doorkeep=planted; __Host-doorkeep=own");
	struct str value;

	(void)state;
	assert_int_equal(
	    cookie_get(&planted, 1, STR("__Host-doorkeep"), &value),
	    COOKIE_ABSENT);
	assert_int_equal(
	    cookie_get(&both, 1, STR("__Host-doorkeep"), &value), COOKIE_ONE);
	assert_true(str_eq(value, STR("own")));
}

static void
does_not_end_at_a_nul(void **state)
{
	const struct str line = STR("a=\0; sid=abc; sid\0=x; sid=a\0bc");
	const struct str first = str_sub(line, 0, 12);
	struct str value;

	(void)state;
	assert_int_equal(cookie_get(&first, 1, STR("sid"), &value), COOKIE_ONE);
	assert_true(str_eq(value, STR("abc")));
	assert_int_equal(
	    cookie_get(&line, 1, STR("sid"), &value), COOKIE_CONFLICT);
}

/* DK-C-11: size; a sanitizer sees a step beyond the exact block */
static void
finds_it_behind_a_large_foreign_cookie(void **state)
{
	static const char tail[] = "; sid=abc";
	const size_t n = 32768, len = n + sizeof(tail) - 1;
	char *text = malloc(len);
	struct str line = { text, len }, value;

	(void)state;
	assert_non_null(text);
	memset(text, ',', n);
	memcpy(text, "a=", 2);
	memcpy(text + n, tail, sizeof(tail) - 1);
	assert_int_equal(cookie_get(&line, 1, STR("sid"), &value), COOKIE_ONE);
	assert_true(str_eq(value, STR("abc")));
	assert_ptr_equal(value.p + value.n, text + len);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_cookie_of_exactly_this_name),
		cmocka_unit_test(counts_two_different_values_as_a_conflict),
		cmocka_unit_test(takes_the_prefix_as_part_of_the_name),
		cmocka_unit_test(does_not_end_at_a_nul),
		cmocka_unit_test(finds_no_prefixed_name_behind_a_comma),
		cmocka_unit_test(finds_it_behind_a_large_foreign_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
