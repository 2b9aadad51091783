/* Hashes of other programs: which are taken, what they cost, what matches.
 * The samples were made with libxcrypt's crypt(3), openssl passwd and
 * libsodium. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "domain/stored_hash.h"

#define PW "correct horse 9"

static const struct {
	enum hash_scheme scheme;
	bool weak;
	const char *text;
} samples[] = {
	{ HASH_SHA256, false,
	    "$5$rounds=1000$abcdefgh$"
	    "4cXgUPivhnf2gJLQsfr2QuikK5IoIxaebOZwJovUt18" },
	{ HASH_SHA512, false,
	    "$6$rounds=1000$abcdefgh$5mSdlntpRY7shrUFB15JEVvTCJHItbYXClqXJHwM"
	    "PlQoRxO36UgqOH0gY18Blvo3IATOuYdG.XuOCFQTbt0320" },
	{ HASH_BCRYPT, false,
	    "$2b$04$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u" },
	{ HASH_MD5CRYPT, true, "$1$abcdefgh$HANBsCSzq3cLr4WW.PtmH." },
	{ HASH_YESCRYPT, false,
	    "$y$j75$abcdefghijkl$oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6" },
	{ HASH_SCRYPT, false,
	    "$7$66..../....abcdefgh$"
	    "p/68hhqwBznNDXpZYwWzFVHTCLCgXe2lw1lRcUwglR4" },
	{ HASH_SHA1, true, "{SHA}H5CQsPd3Mi7M+rcAd04YFZWatcg=" },
};

static bool
matches(const char *text, struct str pw)
{
	bool match = true;

	assert_int_equal(
	    stored_hash_verify(str_from(text), pw, &match), DK_OK);
	return match;
}

/* DK-P-03 */
static void
takes_each_scheme_and_its_own_password_alone(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct stored_hash h =
		    stored_hash_read(str_from(samples[i].text));

		if (h.scheme != samples[i].scheme || h.too_costly ||
		    h.weak != samples[i].weak)
			fail_msg("%s: %d", samples[i].text, h.scheme);
		if (!matches(samples[i].text, STR(PW)))
			fail_msg("%s: does not match", samples[i].text);
		if (matches(samples[i].text, STR(PW "x")) ||
		    matches(samples[i].text, STR("correct horse ")) ||
		    matches(samples[i].text, STR("")) ||
		    matches(samples[i].text, STR(PW "\0")) ||
		    matches(samples[i].text, STR("Correct horse 9")))
			fail_msg("%s: matches another", samples[i].text);
	}
}

static void
apache_s_own_hash_takes_short_and_long_passwords(void **state)
{
	static const char long_hash[] = "$apr1$saltsalt$"
					"2mFfzhmPOknAGlGo8.2/30";
	char pw[41];

	(void)state;
	memset(pw, 'x', 40);
	assert_true(matches(long_hash, (struct str){ pw, 40 }));
	assert_false(matches(long_hash, (struct str){ pw, 39 }));
	assert_int_equal(
	    stored_hash_read(STR("$apr1$saltsalt$2mFfzhmPOknAGlGo8.2/30"))
		.scheme,
	    HASH_APR1);
	assert_true(
	    stored_hash_read(STR("$apr1$saltsalt$2mFfzhmPOknAGlGo8.2/30"))
		.weak);
}

/* argon2 by libsodium, so that both forms are there. */
static void
takes_both_kinds_of_argon2(void **state)
{
	static const int algorithms[] = { crypto_pwhash_ALG_ARGON2ID13,
		crypto_pwhash_ALG_ARGON2I13 };
	static const enum hash_scheme schemes[] = { HASH_ARGON2ID,
		HASH_ARGON2I };
	char text[crypto_pwhash_STRBYTES];
	size_t i;

	(void)state;
	assert_true(sodium_init() >= 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    crypto_pwhash_str_alg(text, PW, strlen(PW),
			i == 0 ? 1 : 3, 8192, algorithms[i]),
		    0);
		assert_int_equal(
		    stored_hash_read(str_from(text)).scheme, schemes[i]);
		assert_true(matches(text, STR(PW)));
		assert_false(matches(text, STR(PW "x")));
	}
}

/* DK-P-04: the cost is read before anything is tried. */
static void
what_costs_too_much_is_known_and_not_tried(void **state)
{
	static const struct {
		const char *text;
		bool costly;
	} rows[] = {
		{ "$argon2id$v=19$m=262144,t=4,p=1$c2FsdHNhbHRzYWx0$"
		  "DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM", false },
		{ "$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHRzYWx0$"
		  "DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM", true },
		{ "$argon2id$v=19$m=262144,t=5,p=1$c2FsdHNhbHRzYWx0$"
		  "DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM", true },
		{ "$argon2i$v=19$m=65536,t=16,p=1$c2FsdHNhbHRzYWx0$"
		  "DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM", false },
		{ "$argon2i$v=19$m=8192,t=17,p=1$c2FsdHNhbHRzYWx0$"
		  "DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM", true },
		{ "$argon2id$v=19$m=8192,t=1,p=17$c2FsdHNhbHRzYWx0$"
		  "DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM", true },
		{ "$2y$14$abcdefghijklmnopqrstuuJ1eS4a7MXLbfI0VfGZ0bXnCUaD8eC"
		  "nu", false },
		{ "$2y$15$abcdefghijklmnopqrstuuJ1eS4a7MXLbfI0VfGZ0bXnCUaD8eC"
		  "nu", true },
		{ "$5$rounds=1000000$abcdefgh$"
		  "4cXgUPivhnf2gJLQsfr2QuikK5IoIxaebOZwJovUt18", false },
		{ "$5$rounds=1000001$abcdefgh$"
		  "4cXgUPivhnf2gJLQsfr2QuikK5IoIxaebOZwJovUt18", true },
		{ "$y$jFT$abcdefghijkl$"
		  "oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6", false },
		{ "$y$jGT$abcdefghijkl$"
		  "oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6", true },
		{ "$y$j9U$abcdefghijkl$"
		  "oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6", true },
		{ "$7$G6..../....abcdefgh$"
		  "oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6", true },
		{ "$7$F6..../....abcdefgh$"
		  "oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6", false },
		{ "$7$66...//....abcdefgh$"
		  "oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stored_hash h = stored_hash_read(str_from(rows[i].text));

		if (h.scheme == HASH_NONE || h.too_costly != rows[i].costly)
			fail_msg("%s: %d %d", rows[i].text, h.scheme,
			    h.too_costly);
		if (h.too_costly)
			assert_false(matches(rows[i].text, STR(PW)));
	}
}

/* DK-P-05: what is no hash of a scheme, to the last character, is none. */
static void
everything_else_is_no_hash(void **state)
{
	static const char *const texts[] = { "", "$", PW, "rl.3StKT.4T8M",
		"$3$$8846f7eaee8fb117ad06bdd830b7586c",
		"$2x$04$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u",
		"$2b$4$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u",
		"$2b$03$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u",
		"$2b$32$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1u",
		"$2b$04$abcdefghijklmnopqrstuuNQrW4HtpbvUPwWirnrwjC4bel4JAS1",
		"$2b$04$abcdefghijklmnopqrstu:NQrW4HtpbvUPwWirnrwjC4bel4JAS1u",
		"$apr1$saltsalt$2mFfzhmPOknAGlGo8.2/3",
		"$apr1$saltsaltx$2mFfzhmPOknAGlGo8.2/30",
		"$apr1$$2mFfzhmPOknAGlGo8.2/30", "$apr1$saltsalt",
		"$1$abcdefgh$HANBsCSzq3cLr4WW.PtmH", "{SHA}",
		"{SHA}H5CQsPd3Mi7M+rcAd04YFZWatcg", "{sha}H5CQsPd3Mi7M+rcAd04"
		"YFZWatcg=", "{SHA}H5CQsPd3Mi7M+rcAd04YFZWatc!=",
		"$5$rounds=x$abcdefgh$"
		"4cXgUPivhnf2gJLQsfr2QuikK5IoIxaebOZwJovUt18",
		"$5$rounds=1000",
		"$5$$4cXgUPivhnf2gJLQsfr2QuikK5IoIxaebOZwJovUt18",
		"$5$abcdefgh$4cXgUPivhnf2gJLQsfr2QuikK5IoIxaebOZwJovUt1",
		"$y$j7$abcdefghijkl$"
		"oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6",
		"$y$k75$abcdefghijkl$"
		"oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6",
		"$y$j75$abcdefghijkl$"
		"oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev",
		"$7$66..../....$oUH7sQ498wzHPfByUenM8VhYPIlr4RKLHt0Z3rQeev6",
		"$argon2id$v=18$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$"
		"DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM",
		"$argon2id$v=19$m=8192,t=1$c2FsdHNhbHRzYWx0$"
		"DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM",
		"$argon2id$v=19$m=7,t=1,p=1$c2FsdHNhbHRzYWx0$"
		"DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM",
		"$argon2id$v=19$m=8192,t=0,p=1$c2FsdHNhbHRzYWx0$"
		"DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM",
		"$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0",
		"$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$"
		"DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM$x",
		"$argon2id$v=19$m=8192,t=1,p=1$c2Fs-HNhbHRzYWx0$"
		"DFOGMEV2yjgGqsFZPyTZbw0DSNhRzTsvp5jsTVp5BJM" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (stored_hash_read(str_from(texts[i])).scheme != HASH_NONE)
			fail_msg("%s", texts[i]);
		assert_false(matches(texts[i], STR(PW)));
	}
	assert_non_null(stored_hash_read(STR("x")).name);
}

/* DK-P-06: bcrypt reads 72 bytes; what is longer must not pass for it. */
static void
a_password_that_the_hash_would_cut_matches_none(void **state)
{
	char pw[600];

	(void)state;
	memset(pw, 'x', sizeof(pw));
	memcpy(pw, PW, strlen(PW));
	assert_false(matches(samples[2].text, (struct str){ pw, 73 }));
	assert_false(matches(samples[0].text, (struct str){ pw, 512 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_scheme_and_its_own_password_alone),
		cmocka_unit_test(
		    apache_s_own_hash_takes_short_and_long_passwords),
		cmocka_unit_test(takes_both_kinds_of_argon2),
		cmocka_unit_test(what_costs_too_much_is_known_and_not_tried),
		cmocka_unit_test(everything_else_is_no_hash),
		cmocka_unit_test(
		    a_password_that_the_hash_would_cut_matches_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
