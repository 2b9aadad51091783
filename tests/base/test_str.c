#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/str.h"

enum { FIELDS_MAX = 4 };

static void
tells_absent_from_empty(void **state)
{
	(void)state;
	assert_true(str_is_none(STR_NONE));
	assert_true(str_is_none(str_from(NULL)));
	assert_false(str_is_none(STR("")));
	assert_false(str_is_none(str_from("")));
	assert_int_equal(str_from("abc").n, 3);
	assert_int_equal(STR("a\0b").n, 3);
	assert_true(str_eq(STR_NONE, STR("")));
}

static void
clips_a_part_to_the_text(void **state)
{
	static const struct {
		size_t from, len;
		const char *want;
	} cases[] = {
		{ 0, 5, "hello" },
		{ 0, 0, "" },
		{ 1, 3, "ell" },
		{ 0, 6, "hello" },
		{ 4, 1, "o" },
		{ 4, SIZE_MAX, "o" },
		{ 5, 1, "" },
		{ 6, 1, "" },
		{ SIZE_MAX, 1, "" },
		{ SIZE_MAX, SIZE_MAX, "" },
	};
	struct str s = STR("hello"), part;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		part = str_sub(s, cases[i].from, cases[i].len);
		if (!str_eq(part, str_from(cases[i].want)))
			fail_msg("case %zu: %.*s", i, STR_FMT(part));
		assert_true(part.p >= s.p && part.p + part.n <= s.p + s.n);
	}
	assert_true(str_is_none(str_sub(STR_NONE, 0, 4)));
	assert_true(str_is_none(str_sub(STR_NONE, 4, 4)));
}

static const struct pair_case {
	const char *a, *b;
	bool eq, ieq, starts, ends;
	int order;
} pairs[] = {
	{ "", "", true, true, true, true, 0 },
	{ "abc", "abc", true, true, true, true, 0 },
	{ "abc", "ABC", false, true, false, false, 1 },
	{ "abc", "ab", false, false, true, false, 1 },
	{ "abc", "bc", false, false, false, true, -1 },
	{ "abc", "", false, false, true, true, 1 },
	{ "abc", "b", false, false, false, false, -1 },
	{ "ab", "abc", false, false, false, false, -1 },
	{ "", "a", false, false, false, false, -1 },
	{ "Z", "[", false, false, false, false, -1 },
	/* Around the letters: @ and `, [ and {, and not the Kelvin sign. */
	{ "@", "`", false, false, false, false, -1 },
	{ "[", "{", false, false, false, false, -1 },
	{ "k", "\xe2\x84\xaa", false, false, false, false, -1 },
	{ "\xc3\xa4", "\xc3\x84", false, false, false, false, 1 },
	{ "a", "\xff", false, false, false, false, -1 },
};

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

static void
compares_bytes(void **state)
{
	const struct pair_case *c;
	struct str a, b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		c = &pairs[i];
		a = str_from(c->a);
		b = str_from(c->b);
		if (str_eq(a, b) != c->eq || str_ieq(a, b) != c->ieq ||
		    str_starts(a, b) != c->starts || str_ends(a, b) != c->ends)
			fail_msg("\"%s\" and \"%s\"", c->a, c->b);
		if (str_eq(b, a) != c->eq || str_ieq(b, a) != c->ieq)
			fail_msg("\"%s\" and \"%s\" the other way", c->a, c->b);
		if (sign(str_cmp(a, b)) != c->order ||
		    sign(str_cmp(b, a)) != -c->order)
			fail_msg("order of \"%s\" and \"%s\"", c->a, c->b);
	}
}

static void
ignores_the_case_of_ascii_letters_only(void **state)
{
	unsigned i, j;

	(void)state;
	for (i = 0; i < 256; i++)
		for (j = 0; j < 256; j++) {
			char a = (char)i, b = (char)j;
			bool letter = (i >= 'A' && i <= 'Z' && j == i + 32) ||
			    (j >= 'A' && j <= 'Z' && i == j + 32);

			if (str_ieq((struct str){ &a, 1 },
				(struct str){ &b, 1 }) != (i == j || letter))
				fail_msg("%u and %u", i, j);
		}
}

static void
takes_nul_as_any_byte(void **state)
{
	struct str s = STR("a\0b"), head, tail;

	(void)state;
	assert_false(str_eq(s, STR("a\0c")));
	assert_false(str_eq(s, STR("a")));
	assert_true(str_ieq(s, STR("A\0B")));
	assert_true(str_contains(s, '\0'));
	assert_false(str_contains(STR("ab"), '\0'));
	assert_true(str_cmp(s, STR("a\0a")) > 0);
	assert_true(str_split(s, '\0', &head, &tail));
	assert_true(str_eq(head, STR("a")) && str_eq(tail, STR("b")));
	assert_true(str_split(s, 'b', &head, &tail));
	assert_true(str_eq(head, STR("a\0")) && tail.n == 0);
}

static void
finds_nothing_in_nothing(void **state)
{
	(void)state;
	assert_false(str_contains(STR_NONE, 'a'));
	assert_false(str_contains(STR_NONE, '\0'));
	assert_true(str_starts(STR_NONE, STR_NONE));
	assert_true(str_ends(STR_NONE, STR("")));
	assert_false(str_starts(STR_NONE, STR("a")));
	assert_false(str_ends(STR_NONE, STR("a")));
	assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
	assert_true(str_cmp(STR_NONE, STR("a")) < 0);
	assert_int_equal(str_trim(STR_NONE).n, 0);
}

static const struct cut_case {
	const char *text;
	const char *field[FIELDS_MAX]; /* up to the first NULL */
} cuts[] = {
	{ "a,b", { "a", "b" } },
	{ "a", { "a" } },
	{ "", { "" } },
	{ "a,", { "a", "" } },
	{ ",a", { "", "a" } },
	{ ",", { "", "" } },
	{ ",,", { "", "", "" } },
	{ "a,,b", { "a", "", "b" } },
	{ " a , b ", { " a ", " b " } },
};

static void
cuts_into_fields(void **state)
{
	const struct cut_case *c;
	struct str rest, field;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		c = &cuts[i];
		rest = str_from(c->text);
		for (n = 0; n < FIELDS_MAX && c->field[n] != NULL; n++)
			if (!str_cut(&rest, ',', &field) ||
			    str_is_none(field) ||
			    !str_eq(field, str_from(c->field[n])))
				fail_msg("\"%s\": field %zu", c->text, n);
		if (!str_is_none(rest) || str_cut(&rest, ',', &field) ||
		    !str_is_none(field))
			fail_msg("\"%s\": more than %zu", c->text, n);
	}
	rest = STR_NONE;
	assert_false(str_cut(&rest, ',', &field));
}

static void
splits_at_the_first_separator(void **state)
{
	struct str head, tail, s = STR("key=a=b");

	(void)state;
	assert_true(str_split(s, '=', &head, &tail));
	assert_true(str_eq(head, STR("key")) && str_eq(tail, STR("a=b")));
	assert_ptr_equal(tail.p, s.p + 4);
	assert_true(str_split(STR("="), '=', &head, &tail));
	assert_true(head.n == 0 && tail.n == 0 && !str_is_none(tail));
	assert_false(str_split(s, ';', &head, &tail));
	assert_true(str_eq(head, s) && str_is_none(tail));
	assert_false(str_split(STR(""), '=', &head, &tail));
	assert_true(!str_is_none(head) && str_is_none(tail));
	assert_false(str_split(STR_NONE, '=', &head, &tail));
	assert_true(str_is_none(head) && str_is_none(tail));
	/* What stands behind the end is not seen. */
	assert_false(str_split(str_sub(s, 0, 3), '=', &head, &tail));
}

static void
trims_spaces_and_tabs_only(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ " ", "" },
		{ "\t \t", "" },
		{ "a", "a" },
		{ " a", "a" },
		{ "a ", "a" },
		{ " \ta b\t ", "a b" },
		{ "\na\r", "\na\r" },
		{ "\v\f", "\v\f" },
		{ "\xc2\xa0 a", "\xc2\xa0 a" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!str_eq(
			str_trim(str_from(cases[i][0])), str_from(cases[i][1])))
			fail_msg("\"%s\"", cases[i][0]);
	assert_int_equal(str_trim(STR(" \0 ")).n, 1);
}

static const struct number_case {
	const char *text;
	uint64_t max;
	bool ok;
	uint64_t value;
} numbers[] = {
	{ "0", 0, true, 0 }, { "1", 0, false, 0 }, { "7", 7, true, 7 },
	{ "8", 7, false, 0 }, { "007", 7, true, 7 }, { "10", 9, false, 0 },
	{ "4294967296", UINT64_MAX, true, 4294967296u },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551615", UINT64_MAX - 1, false, 0 },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "18446744073709551620", UINT64_MAX, false, 0 },
	{ "99999999999999999999", UINT64_MAX, false, 0 },
	{ "184467440737095516150", UINT64_MAX, false, 0 },
	/* 2^64 and a little wraps around to a small number. */
	{ "18446744073709551617", 10, false, 0 }, { "", 10, false, 0 },
	{ "-1", UINT64_MAX, false, 0 }, { "-0", 10, false, 0 },
	{ "+1", 10, false, 0 }, { " 1", 10, false, 0 }, { "1 ", 10, false, 0 },
	{ "1\n", 10, false, 0 }, { "1.0", 10, false, 0 },
	{ "1e0", 10, false, 0 }, { "0x1", 10, false, 0 }, { "a", 10, false, 0 },
	{ "1/", 10, false, 0 }, { "1:", 10, false, 0 },
	{ "\xd9\xa1", 10, false, 0 }, /* an Arabic one */
};

static void
reads_whole_decimal_numbers(void **state)
{
	const struct number_case *c;
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		c = &numbers[i];
		value = 99;
		if (str_to_u64(str_from(c->text), c->max, &value) != c->ok ||
		    value != c->value)
			fail_msg("\"%s\": %ju", c->text, (uintmax_t)value);
	}
	value = 99;
	assert_false(str_to_u64(STR_NONE, 10, &value));
	assert_int_equal(value, 0);
	assert_false(str_to_u64(STR("1\0"), 10, &value));
	/* What stands behind the end is not seen. */
	assert_true(str_to_u64(str_sub(STR("123"), 0, 2), 99, &value));
	assert_int_equal(value, 12);
}

static void
knows_the_hexadecimal_digits(void **state)
{
	static const char digits[] = "0123456789abcdef";
	static const char capitals[] = "0123456789ABCDEF";
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++) {
		const char *low = i == 0 ? NULL : strchr(digits, (int)i);
		const char *high = i == 0 ? NULL : strchr(capitals, (int)i);
		int want = low != NULL ? (int)(low - digits)
		    : high != NULL     ? (int)(high - capitals)
				       : -1;

		assert_int_equal(str_hex_digit((char)i), want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_absent_from_empty),
		cmocka_unit_test(clips_a_part_to_the_text),
		cmocka_unit_test(compares_bytes),
		cmocka_unit_test(ignores_the_case_of_ascii_letters_only),
		cmocka_unit_test(takes_nul_as_any_byte),
		cmocka_unit_test(finds_nothing_in_nothing),
		cmocka_unit_test(cuts_into_fields),
		cmocka_unit_test(splits_at_the_first_separator),
		cmocka_unit_test(trims_spaces_and_tabs_only),
		cmocka_unit_test(reads_whole_decimal_numbers),
		cmocka_unit_test(knows_the_hexadecimal_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
