#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* The encoding of cp by the table of RFC 3629 3. */
static struct str
encode(uint32_t cp, char out[4])
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i-- > 1; cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3f));
	out[0] = (char)(first[n] | cp);
	return (struct str){ out, n };
}

static void
reads_every_code_point(void **state)
{
	char out[4];
	struct str s;
	uint32_t cp, got;

	(void)state;
	for (cp = 0; cp <= 0x10ffff; cp++) {
		bool surrogate = cp >= 0xd800 && cp <= 0xdfff;
		size_t n;

		s = encode(cp, out);
		n = s.n;
		if (utf8_next(&s, &got) == surrogate ||
		    got != (surrogate ? 0 : cp) || s.n != (surrogate ? n : 0))
			fail_msg("U+%04X: %x", cp, got);
	}
}

static const struct malformed_case {
	const char *label;
	struct str text;
} malformed[] = {
	{ "stray continuation, first", { "\x80", 1 } },
	{ "stray continuation, last", { "\xbf", 1 } },
	{ "overlong NUL", { "\xc0\x80", 2 } },
	{ "overlong slash", { "\xc0\xaf", 2 } },
	{ "overlong, last of two", { "\xc1\xbf", 2 } },
	{ "overlong slash in three", { "\xe0\x80\xaf", 3 } },
	{ "overlong, last of three", { "\xe0\x9f\xbf", 3 } },
	{ "overlong slash in four", { "\xf0\x80\x80\xaf", 4 } },
	{ "overlong, last of four", { "\xf0\x8f\xbf\xbf", 4 } },
	{ "first surrogate", { "\xed\xa0\x80", 3 } },
	{ "last surrogate", { "\xed\xbf\xbf", 3 } },
	{ "pair of surrogates", { "\xed\xa0\xbd\xed\xb8\x80", 6 } },
	{ "above the last", { "\xf4\x90\x80\x80", 4 } },
	{ "far above the last", { "\xf7\xbf\xbf\xbf", 4 } },
	{ "five bytes", { "\xf8\x88\x80\x80\x80", 5 } },
	{ "six bytes", { "\xfc\x84\x80\x80\x80\x80", 6 } },
	{ "FE", { "\xfe", 1 } },
	{ "FF", { "\xff", 1 } },
	{ "cut off after one of two", { "\xc3", 1 } },
	{ "cut off after two of three", { "\xe2\x82", 2 } },
	{ "cut off after three of four", { "\xf0\x9f\x98", 3 } },
	{ "start instead of continuation", { "\xe2\xe2\x82\xac", 4 } },
	{ "letter instead of continuation", { "\xc3(", 2 } },
	{ "letter as the third", { "\xe2\x82(", 3 } },
	{ "letter as the fourth", { "\xf0\x9f\x98(", 4 } },
	{ "Latin-1", { "\xe4rger", 5 } },
};

static void
refuses_malformed_sequences(void **state)
{
	const struct malformed_case *c;
	struct str s;
	uint32_t cp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		c = &malformed[i];
		s = c->text;
		cp = 99;
		if (utf8_next(&s, &cp) || cp != 0 || s.p != c->text.p ||
		    s.n != c->text.n)
			fail_msg("%s: taken", c->label);
		if (str_is_utf8(c->text) || str_is_printable(c->text))
			fail_msg("%s: called well formed", c->label);
	}
}

static void
reads_nothing_from_nothing(void **state)
{
	struct str none = STR_NONE, empty = STR("");
	uint32_t cp = 99;

	(void)state;
	assert_false(utf8_next(&none, &cp));
	assert_int_equal(cp, 0);
	assert_false(utf8_next(&empty, &cp));
	assert_true(str_is_utf8(STR_NONE));
	assert_true(str_is_utf8(STR("")));
	assert_true(str_is_printable(STR("")));
	assert_int_equal(str_utf8_len(STR_NONE), 0);
}

/* A sequence that the view cuts off is cut off, whatever stands behind. */
static void
does_not_look_behind_the_end(void **state)
{
	struct str s = STR("\xf0\x9f\x98\x80"), part;
	uint32_t cp;
	size_t n;

	(void)state;
	for (n = 0; n < s.n; n++) {
		part = str_sub(s, 0, n);
		assert_false(utf8_next(&part, &cp));
	}
	assert_true(utf8_next(&s, &cp));
	assert_int_equal(cp, 0x1f600);
}

static void
counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(str_utf8_len(STR("abc")), 3);
	assert_int_equal(str_utf8_len(STR("\xc3\xa4\xe2\x82\xac")), 2);
	assert_int_equal(str_utf8_len(STR("\xf0\x9f\x98\x80")), 1);
	assert_int_equal(str_utf8_len(STR("a\xcc\x88")), 2);
	assert_int_equal(str_utf8_len(STR("a\0b")), 3);
}

/*
 * The control characters, the separators, the bidirectional controls and
 * Default_Ignorable_Code_Point of the Unicode Character Database.  DK-E-06
 */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{ 0x00, 0x1f },
	{ 0x7f, 0x9f },
	{ 0xad, 0xad },
	{ 0x34f, 0x34f },
	{ 0x61c, 0x61c },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x2029 },
	{ 0x202a, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x3164, 0x3164 },
	{ 0xfdd0, 0xfdef },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfff8 },
	{ 0xfff9, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0x1fffe, 0x1ffff },
	{ 0xe0000, 0xe0fff },
	{ 0x10fffe, 0x10ffff },
};

static void
calls_unsafe_what_forges_or_hides(void **state)
{
	char text[6] = "a";
	struct str s;
	uint32_t cp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		for (cp = unsafe[i].first; cp <= unsafe[i].last; cp++) {
			s = encode(cp, text + 1);
			text[1 + s.n] = 'z';
			if (!utf8_is_unsafe(cp) ||
			    str_is_printable((struct str){ text, s.n + 2 }))
				fail_msg("U+%04X", cp);
		}
}

static void
lets_people_write_their_names(void **state)
{
	static const char *const texts[] = { "Zo\xc3\xab O'Neill-Smith",
		"\xd0\x9b\xd0\xb5\xd0\xb2", "\xe6\x9d\x8e\xe5\xb0\x8f",
		"\xd9\x85\xd8\xad\xd9\x85\xd8\xaf", "\xd7\x93\xd7\x95\xd7\x93",
		"e\xcc\x81", "\xf0\x9f\x98\x80", "\xf0\xa0\x80\x80", "\xc2\xa0",
		"\xef\xbf\xbd" };
	static const uint32_t beside[] = { 0x20, 0x7e, 0xa0, 0xac, 0xae, 0x34e,
		0x350, 0x61b, 0x61d, 0x200a, 0x2010, 0x2027, 0x202f, 0x205f,
		0x2070, 0xfdcf, 0xfdf0, 0xfe10, 0xfffc, 0xfffd, 0x10000,
		0x1d172, 0x1d17b, 0x1fffd, 0x10fffd };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!str_is_printable(str_from(texts[i])))
			fail_msg("%s", texts[i]);
	for (i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (utf8_is_unsafe(beside[i]))
			fail_msg("U+%04X", beside[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_code_point),
		cmocka_unit_test(refuses_malformed_sequences),
		cmocka_unit_test(reads_nothing_from_nothing),
		cmocka_unit_test(does_not_look_behind_the_end),
		cmocka_unit_test(counts_code_points),
		cmocka_unit_test(calls_unsafe_what_forges_or_hides),
		cmocka_unit_test(lets_people_write_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
