#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "domain/totp.h"

/* Of RFC 4226 appendix D and RFC 6238 appendix B. */
static const struct totp_seed rfc_seed = { { '1', '2', '3', '4', '5', '6', '7',
    '8', '9', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0' } };

#define STEP  INT64_C(66666666)
#define START (STEP * TOTP_STEP_MS)

/* DK-M-01, DK-M-03: three of these begin with a zero. */
static void
codes_are_those_of_the_rfc(void **state)
{
	static const struct {
		int64_t time_s;
		const char *code;
	} cases[] = { { 59, "287082" }, { 1111111109, "081804" },
		{ 1111111111, "050471" }, { 1234567890, "005924" },
		{ 2000000000, "279037" }, { 20000000000, "353130" } };
	char code[TOTP_DIGITS + 1];
	int64_t step;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		step = cases[i].time_s / 30;
		totp_code(&rfc_seed, step, code);
		assert_string_equal(code, cases[i].code);
		assert_true(totp_match(&rfc_seed, str_from(cases[i].code), 0,
				cases[i].time_s * 1000) == step);
	}
}

static void
codes_of_small_counters_are_those_of_the_rfc(void **state)
{
	static const char *const codes[] = { "755224", "287082", "359152",
		"969429", "338314", "254676", "287922", "162583", "399871",
		"520489" };
	char code[TOTP_DIGITS + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		totp_code(&rfc_seed, (int64_t)i, code);
		assert_string_equal(code, codes[i]);
	}
}

static int64_t
match(int64_t step, int64_t last_step, int64_t now_ms)
{
	char code[TOTP_DIGITS + 1];

	totp_code(&rfc_seed, step, code);
	return totp_match(&rfc_seed, str_from(code), last_step, now_ms);
}

/* DK-M-01: one step to either side, to the millisecond. */
static void
takes_the_code_of_now_and_of_its_neighbours(void **state)
{
	static const struct {
		int off;
		bool fits;
	} cases[] = { { -3, false }, { -2, false }, { -1, true }, { 0, true },
		{ 1, true }, { 2, false }, { 3, false } };
	int64_t want;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		want = cases[i].fits ? STEP + cases[i].off : -1;
		assert_true(match(STEP + cases[i].off, 0, START) == want);
		assert_true(match(STEP + cases[i].off, 0,
				START + TOTP_STEP_MS - 1) == want);
	}
	assert_true(match(STEP - 1, 0, START + TOTP_STEP_MS) == -1);
	assert_true(match(STEP + 1, 0, START - 1) == -1);
}

/* DK-M-02 */
static void
takes_no_code_of_the_last_step_used_or_before(void **state)
{
	static const struct {
		int last, step;
		bool fits;
	} cases[] = { { -2, -1, true }, { -1, -1, false }, { -1, 0, true },
		{ 0, -1, false }, { 0, 0, false }, { 0, 1, true },
		{ 1, 0, false }, { 1, 1, false }, { 1000, 1, false } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(
		    match(STEP + cases[i].step, STEP + cases[i].last, START) ==
		    (cases[i].fits ? STEP + cases[i].step : -1));
}

/* DK-M-03: at second 59 the code is 287082. */
static void
takes_exactly_six_ascii_digits(void **state)
{
	static const struct str cases[] = { STR(""), STR("2"), STR("28708"),
		STR("2870820"), STR("0287082"), STR("94287082"), STR(" 287082"),
		STR("287082 "), STR("287082\n"), STR("287 082"),
		STR("287082\0"), STR("28708\0"), STR("+87082"), STR("-87082"),
		STR("28708O"), STR("2870B2"), STR("0x7082"), STR("287.82"),
		/* six bytes: two fullwidth, three Arabic digits */
		STR("\xef\xbc\x92\xef\xbc\x98"),
		STR("\xd9\xa2\xd9\xa8\xd9\xa7"),
		/* six fullwidth digits */
		STR("\xef\xbc\x92\xef\xbc\x98\xef\xbc\x97"
		    "\xef\xbc\x90\xef\xbc\x98\xef\xbc\x92"),
		STR("287083"), STR("387082") };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (totp_match(&rfc_seed, cases[i], 0, 59000) != -1)
			fail_msg("case %zu", i);
	assert_true(totp_match(&rfc_seed, STR_NONE, 0, 59000) == -1);
	assert_true(totp_match(&rfc_seed, STR("287082"), 0, 59000) == 1);
	/* A zero is a digit: 081804 is not 81804. */
	assert_true(totp_match(&rfc_seed, STR("81804"), 0, 1111111109000) < 0);
}

static void
another_seed_has_other_codes(void **state)
{
	struct totp_seed seed = rfc_seed;

	(void)state;
	seed.byte[TOTP_SEED_LEN - 1] ^= 1;
	assert_true(totp_match(&seed, STR("287082"), 0, 59000) == -1);
}

/* A clock of nineteen seventy, or none at all, is no way in. */
static void
takes_nothing_at_the_beginning_of_time(void **state)
{
	(void)state;
	assert_true(match(0, 0, 0) == -1);
	assert_true(match(-1, 0, 0) == -1);
	assert_true(match(1, 0, 0) == 1);
	assert_true(match(-100, 0, -100 * TOTP_STEP_MS) == -1);
}

static void
the_seed_is_shown_in_base32(void **state)
{
	static const struct {
		struct totp_seed seed;
		const char *text;
	} cases[] = {
		{ { { 0 } }, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		{ { { [19] = 1 } }, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB" },
		{ { { [0] = 0xf8, [4] = 0xff, [19] = 0xff } },
		    "7AAAAAH7AAAAAAAAAAAAAAAAAAAAAAH7" },
	};
	char text[33];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_OVER(&b, text);
		totp_add_base32(&b, &cases[i].seed);
		assert_true(str_eq(buf_str(&b), str_from(cases[i].text)));
	}
	BUF_OVER(&b, text);
	totp_add_base32(&b, &rfc_seed);
	assert_true(
	    str_eq(buf_str(&b), STR("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")));
}

/* What stands in a name or title stays in its place of the address. */
static void
the_address_for_applications_is_escaped(void **state)
{
	static const struct {
		struct str issuer, name;
		const char *uri;
	} cases[] = {
		{ STR("Example"), STR("alice"),
		    "otpauth://totp/Example:alice"
		    "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example" },
		{ STR("A: B&C?"), STR("a+b@x.org"),
		    "otpauth://totp/A%3A%20B%26C%3F:a%2Bb%40x.org"
		    "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		    "&issuer=A%3A%20B%26C%3F" },
		{ STR("B\xc3\xbc"
		      "cher"),
		    STR("x&secret=A"),
		    "otpauth://totp/B%C3%BCcher:x%26secret%3DA"
		    "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		    "&issuer=B%C3%BCcher" },
	};
	char text[256];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_OVER(&b, text);
		totp_add_uri(&b, &rfc_seed, cases[i].issuer, cases[i].name);
		if (!str_eq(buf_str(&b), str_from(cases[i].uri)))
			fail_msg("%.*s", STR_FMT(buf_str(&b)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_rfc),
		cmocka_unit_test(codes_of_small_counters_are_those_of_the_rfc),
		cmocka_unit_test(takes_the_code_of_now_and_of_its_neighbours),
		cmocka_unit_test(takes_no_code_of_the_last_step_used_or_before),
		cmocka_unit_test(takes_exactly_six_ascii_digits),
		cmocka_unit_test(another_seed_has_other_codes),
		cmocka_unit_test(takes_nothing_at_the_beginning_of_time),
		cmocka_unit_test(the_seed_is_shown_in_base32),
		cmocka_unit_test(the_address_for_applications_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
