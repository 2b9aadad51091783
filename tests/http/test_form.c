#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http/form.h"

enum { FIELDS = 3 };

static struct arena arena;

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

/* username, password and next, as the sign-in reads them */
static enum dk_err
read_three(struct str text, struct form_field f[FIELDS], size_t *which)
{
	const char *problem = "never set";
	enum dk_err err;

	f[0] = (struct form_field){ .name = "username", .max = 8 };
	f[1] = (struct form_field){ .name = "password", .max = 16 };
	f[2] = (struct form_field){ .name = "next", .max = 32 };
	err = form_read(text, f, FIELDS, &arena, &problem, which);
	if ((err == DK_OK) != (problem == NULL))
		fail_msg("error %d, but problem %s", (int)err,
		    problem == NULL ? "NULL" : problem);
	return err;
}

struct read_case {
	const char *label, *text;
	/* expected values; NULL: not sent */
	const char *username, *password, *next;
};

static void
check_value(const char *label, struct str value, const char *want)
{
	if (want == NULL && !str_is_none(value))
		fail_msg("%s: a value, but none was sent", label);
	if (want != NULL &&
	    (str_is_none(value) || !str_eq(value, str_from(want))))
		fail_msg("%s: got \"%.*s\", not \"%s\"", label, STR_FMT(value),
		    want);
	/* Views of the arena meet libraries: they are terminated. */
	if (want != NULL && value.p[value.n] != '\0')
		fail_msg("%s: not terminated", label);
}

/* DK-I-01, DK-I-15 */
static const struct read_case taken[] = {
	{ "nothing", "", NULL, NULL, NULL },
	{ "one", "username=a", "a", NULL, NULL },
	{ "all", "username=a&password=b&next=/", "a", "b", "/" },
	{ "any order", "next=/&password=b&username=a", "a", "b", "/" },
	{ "empty value", "username=", "", NULL, NULL },
	{ "no equals sign", "username", "", NULL, NULL },
	{ "equals sign in value", "password=a=b==", NULL, "a=b==", NULL },
	{ "empty pairs", "&&username=a&&&password=b&", "a", "b", NULL },
	{ "only separators", "&&&", NULL, NULL, NULL },
	{ "pair without a name", "=x&username=a&=", "a", NULL, NULL },
	{ "plus is space", "password=a+b+", NULL, "a b ", NULL },
	{ "%2B is plus", "password=a%2Bb%2b", NULL, "a+b+", NULL },
	{ "decoded once", "next=%252F%2526", NULL, NULL, "%2F%26" },
	{ "separators in value", "password=%26%3D%3b", NULL, "&=;", NULL },
	{ "semicolon is no separator", "password=a;username=b", NULL,
	    "a;username=b", NULL },
	{ "spaces are kept", "password=+%20a%20+", NULL, "  a  ", NULL },
	{ "raw space", "password= a ", NULL, " a ", NULL },
	{ "line ends are kept", "password=a%0D%0Ab%09", NULL, "a\r\nb\t",
	    NULL },
	{ "UTF-8 raw", "username=\xc3\xa4", "\xc3\xa4", NULL, NULL },
	{ "UTF-8 escaped", "username=%C3%a4", "\xc3\xa4", NULL, NULL },
	{ "UTF-8 half and half", "username=\xc3%a4", "\xc3\xa4", NULL, NULL },
	{ "four bytes", "username=%F0%9F%94%91", "\xf0\x9f\x94\x91", NULL,
	    NULL },
	{ "byte order mark is text", "username=%EF%BB%BFa",
	    "\xef\xbb\xbf"
	    "a",
	    NULL, NULL },
	{ "escaped name", "user%6eame=a", "a", NULL, NULL },
	{ "name wholly escaped", "%6e%65%78%74=/", NULL, NULL, "/" },
	{ "other case", "Username=a&PASSWORD=b", NULL, NULL, NULL },
	{ "name with space", "+username=a&username+=b", NULL, NULL, NULL },
	{ "name cut off", "usernam=a&passwordd=b", NULL, NULL, NULL },
	{ "name with brackets", "username[]=a&username[0]=b", NULL, NULL,
	    NULL },
	{ "name with NUL", "username%00=a&username%00x=b", NULL, NULL, NULL },
	{ "name with bad escape", "username%=a&user%6=b&%zz=c", NULL, NULL,
	    NULL },
	{ "others may be anything", "role=%zz&id=%00&role=%ff&username=a", "a",
	    NULL, NULL },
	{ "as long as allowed", "username=12345678", "12345678", NULL, NULL },
	{ "long by escapes only", "username=%31%32%33%34%35%36%37%38",
	    "12345678", NULL, NULL },
};

static void
reads_the_fields_that_were_asked_for(void **state)
{
	struct form_field f[FIELDS];
	size_t i, which;

	(void)state;
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		const struct read_case *c = &taken[i];

		if (read_three(str_from(c->text), f, &which) != DK_OK)
			fail_msg("%s: refused", c->label);
		assert_int_equal(which, FIELDS);
		check_value(c->label, f[0].value, c->username);
		check_value(c->label, f[1].value, c->password);
		check_value(c->label, f[2].value, c->next);
	}
}

/* DK-I-08, DK-I-09: refused, never repaired, cut or chosen from */
static void
refuses_malformed_fields(void **state)
{
	static const struct {
		const char *label, *text;
		enum dk_err err;
		size_t which;
	} cases[] = {
		{ "twice, different", "username=a&username=b", DK_ERR_INPUT,
		    0 },
		{ "twice, equal", "username=a&username=a", DK_ERR_INPUT, 0 },
		{ "twice, first empty", "username=&username=a", DK_ERR_INPUT,
		    0 },
		{ "twice, no sign", "username&username=a", DK_ERR_INPUT, 0 },
		{ "twice, far apart", "next=/&x=y&username=a&next=/",
		    DK_ERR_INPUT, 2 },
		{ "twice, second name escaped", "password=a&pass%77ord=b",
		    DK_ERR_INPUT, 1 },
		{ "lone percent", "password=%", DK_ERR_INPUT, 1 },
		{ "one digit", "password=%4", DK_ERR_INPUT, 1 },
		{ "one digit, then the next pair", "password=%4&username=a",
		    DK_ERR_INPUT, 1 },
		{ "no digit", "password=%zz", DK_ERR_INPUT, 1 },
		{ "second no digit", "password=%4g", DK_ERR_INPUT, 1 },
		{ "sign for a digit", "password=%+1%-1", DK_ERR_INPUT, 1 },
		{ "%u notation", "password=%u0041", DK_ERR_INPUT, 1 },
		{ "good, then bad", "password=%41%4", DK_ERR_INPUT, 1 },
		{ "NUL", "username=a%00", DK_ERR_INPUT, 0 },
		{ "NUL alone", "username=%00", DK_ERR_INPUT, 0 },
		{ "NUL in front", "username=%00admin", DK_ERR_INPUT, 0 },
		{ "Latin-1", "username=%E4", DK_ERR_INPUT, 0 },
		{ "Latin-1 raw", "username=\xe4", DK_ERR_INPUT, 0 },
		{ "overlong slash", "next=%C0%AF", DK_ERR_INPUT, 2 },
		{ "overlong NUL", "next=%C0%80", DK_ERR_INPUT, 2 },
		{ "surrogate", "username=%ED%A0%80", DK_ERR_INPUT, 0 },
		{ "beyond Unicode", "username=%F4%90%80%80", DK_ERR_INPUT, 0 },
		{ "cut sequence", "username=%E2%82", DK_ERR_INPUT, 0 },
		{ "cut by the pair's end", "username=%C3&x=%A4", DK_ERR_INPUT,
		    0 },
		{ "one byte too long", "username=123456789", DK_ERR_TOO_LARGE,
		    0 },
		{ "too long escaped", "username=%31%32%33%34%35%36%37%38%39",
		    DK_ERR_TOO_LARGE, 0 },
		{ "far too long",
		    "username=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    DK_ERR_TOO_LARGE, 0 },
	};
	struct form_field f[FIELDS];
	size_t i, which;
	enum dk_err err;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = read_three(str_from(cases[i].text), f, &which);
		if (err != cases[i].err || which != cases[i].which)
			fail_msg("%s: error %d of field %zu", cases[i].label,
			    (int)err, which);
	}
}

/* DK-I-09: a raw NUL does not end the text either */
static void
refuses_a_raw_nul(void **state)
{
	struct form_field f[FIELDS];
	size_t which;

	(void)state;
	assert_int_equal(read_three(STR("username=a\0&password=b"), f, &which),
	    DK_ERR_INPUT);
	assert_int_equal(which, 0);
	assert_int_equal(read_three(STR("x=\0&password=b"), f, &which), DK_OK);
	assert_true(str_eq(f[1].value, STR("b")));
}

static void
reads_an_absent_text_as_no_fields(void **state)
{
	struct form_field f[FIELDS];
	size_t which;

	(void)state;
	assert_int_equal(read_three(STR_NONE, f, &which), DK_OK);
	assert_true(str_is_none(f[0].value));
}

/* Values of an earlier reading must not shine through. */
static void
forgets_earlier_values(void **state)
{
	struct form_field f = { .name = "a", .max = 9 };
	const char *problem;
	size_t which;

	(void)state;
	assert_int_equal(
	    form_read(STR("a=1"), &f, 1, &arena, &problem, &which), DK_OK);
	assert_true(str_eq(f.value, STR("1")));
	assert_int_equal(
	    form_read(STR("b=1"), &f, 1, &arena, &problem, &which), DK_OK);
	assert_true(str_is_none(f.value));
}

/* DK-I-10: the number of pairs is bounded, that of empty ones need not be */
static void
bounds_the_number_of_pairs(void **state)
{
	static char text[2 * (FORM_FIELDS_MAX + 1)];
	static char separators[65536];
	struct form_field f[FIELDS];
	size_t i, which;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'x' : '&';
	assert_int_equal(
	    read_three((struct str){ text, 2 * FORM_FIELDS_MAX }, f, &which),
	    DK_OK);
	assert_int_equal(
	    read_three((struct str){ text, sizeof(text) }, f, &which),
	    DK_ERR_TOO_LARGE);
	assert_int_equal(which, FIELDS);
	memset(separators, '&', sizeof(separators));
	assert_int_equal(
	    read_three(
		(struct str){ separators, sizeof(separators) }, f, &which),
	    DK_OK);
}

/* DK-I-10: refused before it is decoded */
static void
takes_no_memory_for_a_value_that_is_too_long(void **state)
{
	static char text[60009];
	struct form_field f[FIELDS];
	size_t which, used;

	(void)state;
	memset(text, '%', sizeof(text));
	memcpy(text, "password=", 9);
	used = arena.used;
	assert_int_equal(
	    read_three((struct str){ text, sizeof(text) }, f, &which),
	    DK_ERR_TOO_LARGE);
	assert_int_equal(arena.used, used);
}

static void
says_when_memory_is_used_up(void **state)
{
	struct form_field f = { .name = "a", .max = 100 };
	const char *problem = NULL;
	struct arena small;
	struct str out;
	size_t which;

	(void)state;
	assert_int_equal(arena_open(&small, 8), DK_OK);
	assert_int_equal(
	    form_read(STR("a=12345678"), &f, 1, &small, &problem, &which),
	    DK_ERR_NOMEM);
	assert_int_equal(
	    form_decode(STR("12345678"), &small, &out), DK_ERR_NOMEM);
	assert_true(str_is_none(out));
	arena_close(&small);
}

static void
decodes_every_byte(void **state)
{
	char text[4];
	struct buf b;
	struct str out;
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, i % 2 == 0 ? "%%%02x" : "%%%02X", i);
		assert_int_equal(form_decode(buf_str(&b), &arena, &out), DK_OK);
		assert_int_equal(out.n, 1);
		assert_int_equal((unsigned char)out.p[0], i);
	}
}

static void
gives_nothing_for_a_malformed_escape(void **state)
{
	struct str out = STR("left over");

	(void)state;
	assert_int_equal(form_decode(STR("a%2"), &arena, &out), DK_ERR_INPUT);
	assert_true(str_is_none(out));
	/* What stands behind the end is not part of it. */
	assert_int_equal(form_decode(str_sub(STR("a%20"), 0, 3), &arena, &out),
	    DK_ERR_INPUT);
	assert_int_equal(form_decode(str_sub(STR("a%20"), 0, 2), &arena, &out),
	    DK_ERR_INPUT);
}

#define TEST(name) cmocka_unit_test_teardown(name, reset_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_fields_that_were_asked_for),
		TEST(refuses_malformed_fields),
		TEST(refuses_a_raw_nul),
		TEST(reads_an_absent_text_as_no_fields),
		TEST(forgets_earlier_values),
		TEST(bounds_the_number_of_pairs),
		TEST(takes_no_memory_for_a_value_that_is_too_long),
		TEST(says_when_memory_is_used_up),
		TEST(decodes_every_byte),
		TEST(gives_nothing_for_a_malformed_escape),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
