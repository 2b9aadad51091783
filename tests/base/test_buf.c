#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { GUARD = 0x5a };

static void
fills_to_the_last_byte(void **state)
{
	char text[5];
	struct buf b;

	(void)state;
	memset(text, GUARD, sizeof(text));
	buf_init(&b, text, sizeof(text) - 1);
	assert_string_equal(buf_z(&b), "");
	buf_add(&b, STR("ab"));
	buf_addc(&b, 'c');
	assert_true(buf_ok(&b));
	assert_true(str_eq(buf_str(&b), STR("abc")));
	assert_string_equal(buf_z(&b), "abc");
	buf_addc(&b, 'd');
	assert_false(buf_ok(&b));
	assert_string_equal(buf_z(&b), "abc");
	assert_int_equal(text[4], GUARD);
}

static void
holds_nothing_in_one_byte(void **state)
{
	char text[1];
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	buf_add(&b, STR(""));
	buf_add(&b, STR_NONE);
	buf_addz(&b, "");
	buf_addz(&b, NULL);
	buf_addf(&b, "%s", "");
	assert_true(buf_ok(&b));
	buf_addc(&b, 'a');
	assert_false(buf_ok(&b));
	assert_string_equal(buf_z(&b), "");
}

static void
remembers_that_something_did_not_fit(void **state)
{
	char text[4];
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	buf_add(&b, STR("abcd"));
	assert_false(buf_ok(&b));
	assert_string_equal(buf_z(&b), "");
	/* What would fit comes too late: the text would have a hole. */
	buf_add(&b, STR("a"));
	buf_addf(&b, "%d", 1);
	buf_add_html(&b, STR("a"));
	buf_add_percent(&b, STR("a"));
	buf_add_json(&b, STR(""));
	buf_add_hex(&b, "a", 1);
	assert_false(buf_ok(&b));
	assert_int_equal(buf_str(&b).n, 0);
	buf_reset(&b);
	buf_add(&b, STR("abc"));
	assert_true(buf_ok(&b));
	assert_string_equal(buf_z(&b), "abc");
}

static void
does_not_wrap_around(void **state)
{
	char text[4];
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	buf_add(&b, STR("ab"));
	buf_add(&b, (struct str){ "", SIZE_MAX });
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_add(&b, STR("ab"));
	buf_add(&b, (struct str){ "", SIZE_MAX - 1 });
	assert_false(buf_ok(&b));
	assert_string_equal(buf_z(&b), "ab");
}

static void
keeps_nul_as_any_byte(void **state)
{
	char text[16];
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	buf_add(&b, STR("a\0b"));
	buf_addf(&b, "%c%s", '\0', "c");
	assert_true(str_eq(buf_str(&b), STR("a\0b\0c")));
}

static void
prints_what_fits_or_nothing(void **state)
{
	char text[8];
	struct buf b;

	(void)state;
	memset(text, GUARD, sizeof(text));
	buf_init(&b, text, 7);
	buf_addf(&b, "%s-%d", "ab", 12);
	buf_addf(&b, "%c", 'x');
	assert_true(buf_ok(&b));
	assert_string_equal(buf_z(&b), "ab-12x");
	buf_reset(&b);
	buf_addz(&b, "ab");
	buf_addf(&b, "%s", "12345");
	assert_false(buf_ok(&b));
	assert_string_equal(buf_z(&b), "ab");
	assert_int_equal(text[7], GUARD);
}

/* Every encoder, with a text that becomes longer. */
static void
leaves_nothing_of_an_encoding_that_does_not_fit(void **state)
{
	struct str value = STR("ab<\"&\xff");
	char text[64];
	struct buf b;
	size_t size, kind;

	(void)state;
	for (kind = 0; kind < 4; kind++)
		for (size = 3; size <= sizeof(text); size++) {
			buf_init(&b, text, size);
			buf_add(&b, STR("x="));
			if (kind == 0)
				buf_add_html(&b, value);
			else if (kind == 1)
				buf_add_percent(&b, value);
			else if (kind == 2)
				buf_add_json(&b, value);
			else
				buf_add_hex(&b, value.p, value.n);
			if (buf_ok(&b) ? b.len <= 8 : b.len != 2)
				fail_msg("kind %zu, %zu bytes: %s", kind, size,
				    buf_z(&b));
			assert_int_equal(text[b.len], '\0');
		}
	assert_true(buf_ok(&b));
}

static void
encodes_for_html(void **state)
{
	char text[128];
	struct buf b;
	unsigned i;

	(void)state;
	BUF_OVER(&b, text);
	buf_add_html(&b, STR("<a href=\"x\">&amp; 'y'</a>"));
	assert_string_equal(buf_z(&b),
	    "&lt;a href=&quot;x&quot;&gt;&amp;amp; &#39;y&#39;&lt;/a&gt;");
	for (i = 0; i < 256; i++) {
		char c = (char)i;

		buf_reset(&b);
		buf_add_html(&b, (struct str){ &c, 1 });
		assert_int_equal(b.len > 1,
		    c == '<' || c == '>' || c == '&' || c == '"' || c == '\'');
		if (b.len == 1)
			assert_int_equal(text[0], c);
	}
}

static void
encodes_for_a_url(void **state)
{
	static const char unreserved[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~";
	static const char digits[] = "0123456789ABCDEF";
	char text[16];
	struct buf b;
	unsigned i;

	(void)state;
	BUF_OVER(&b, text);
	for (i = 0; i < 256; i++) {
		char c = (char)i;

		buf_reset(&b);
		buf_add_percent(&b, (struct str){ &c, 1 });
		if (str_contains(STR(unreserved), c)) {
			assert_true(str_eq(buf_str(&b), (struct str){ &c, 1 }));
			continue;
		}
		assert_int_equal(b.len, 3);
		assert_int_equal(text[0], '%');
		assert_int_equal(text[1], digits[i >> 4]);
		assert_int_equal(text[2], digits[i & 15]);
	}
}

static const struct json_case {
	const char *label;
	struct str text;
	const char *want;
} json[] = {
	{ "empty", { "", 0 }, "\"\"" },
	{ "quotes and backslash", { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
	{ "slash and markup stay", { "</b>'&", 6 }, "\"</b>'&\"" },
	{ "NUL", { "a\0b", 3 }, "\"a\\u0000b\"" },
	{ "line ends and tab", { "\r\n\t", 3 }, "\"\\r\\n\\t\"" },
	{ "escape and delete", { "\x1b\x7f", 2 }, "\"\\u001b\\u007f\"" },
	{ "C1", { "\xc2\x85\xc2\x9b", 4 }, "\"\\u0085\\u009b\"" },
	{ "separators", { "\xe2\x80\xa8\xe2\x80\xa9", 6 },
	    "\"\\u2028\\u2029\"" },
	{ "override", { "\xe2\x80\xae", 3 }, "\"\\u202e\"" },
	{ "byte order mark", { "\xef\xbb\xbf", 3 }, "\"\\ufeff\"" },
	{ "tag, above 16 bits", { "\xf3\xa0\x81\x81", 4 },
	    "\"\\udb40\\udc41\"" },
	{ "last code point", { "\xf4\x8f\xbf\xbf", 4 }, "\"\\udbff\\udfff\"" },
	{ "letters of all lengths",
	    { "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10 },
	    "\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "stray byte",
	    { "a\xff"
	      "b",
		3 },
	    "\"a\\ufffdb\"" },
	{ "cut off", { "\xe2\x82", 2 }, "\"\\ufffd\\ufffd\"" },
	{ "malformed before a quote", { "\xc3\"", 2 }, "\"\\ufffd\\\"\"" },
	{ "surrogate", { "\xed\xa0\x80", 3 }, "\"\\ufffd\\ufffd\\ufffd\"" },
};

static void
encodes_for_json(void **state)
{
	char text[64];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
		BUF_OVER(&b, text);
		buf_add_json(&b, json[i].text);
		if (!buf_ok(&b) || strcmp(buf_z(&b), json[i].want) != 0)
			fail_msg("%s: %s", json[i].label, buf_z(&b));
	}
	BUF_OVER(&b, text);
	buf_add_json(&b, STR_NONE);
	assert_string_equal(buf_z(&b), "\"\"");
}

/* Put the code point's bytes between two letters. */
static struct str
between_letters(uint32_t cp, char out[6])
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i;
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	out[0] = 'a';
	for (i = n; i > 1; i--, cp >>= 6)
		out[i] = (char)(0x80 | (cp & 0x3f));
	out[1] = (char)(first[n] | cp);
	out[n + 1] = 'z';
	return (struct str){ out, n + 2 };
}

/* A JSON reader of others gets back what went in. */
static void
writes_json_that_others_read(void **state)
{
	char in[6], text[64];
	struct buf b;
	uint32_t cp;

	(void)state;
	for (cp = 0; cp <= 0x10ffff; cp += cp < 0x3000 ? 1 : 61) {
		struct str s = between_letters(cp, in), got;
		json_t *v;

		if (cp >= 0xd800 && cp <= 0xdfff)
			continue;
		BUF_OVER(&b, text);
		buf_add_json(&b, s);
		v = json_loadb(
		    b.p, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (v == NULL)
			fail_msg("U+%04X: %s", cp, buf_z(&b));
		got =
		    (struct str){ json_string_value(v), json_string_length(v) };
		if (!str_eq(got, s) || !str_is_printable(buf_str(&b)))
			fail_msg("U+%04X: %s", cp, buf_z(&b));
		json_decref(v);
	}
}

static void
writes_lower_case_hexadecimal(void **state)
{
	char text[16];
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	buf_add_hex(&b, "\x00\x0f\xa0\xff", 4);
	buf_add_hex(&b, NULL, 0);
	assert_true(buf_ok(&b));
	assert_string_equal(buf_z(&b), "000fa0ff");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_to_the_last_byte),
		cmocka_unit_test(holds_nothing_in_one_byte),
		cmocka_unit_test(remembers_that_something_did_not_fit),
		cmocka_unit_test(does_not_wrap_around),
		cmocka_unit_test(keeps_nul_as_any_byte),
		cmocka_unit_test(prints_what_fits_or_nothing),
		cmocka_unit_test(
		    leaves_nothing_of_an_encoding_that_does_not_fit),
		cmocka_unit_test(encodes_for_html),
		cmocka_unit_test(encodes_for_a_url),
		cmocka_unit_test(encodes_for_json),
		cmocka_unit_test(writes_json_that_others_read),
		cmocka_unit_test(writes_lower_case_hexadecimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
