#include "fixture.h"

#include <time.h>

#include "base/clock.h"
#include "words/words.h"

static bool
matches(struct stand *s, struct str pw, struct str stored)
{
	bool match;

	assert_int_equal(
	    password_verify(&s->dom, pw, stored, &match, NULL), DK_OK);
	return match;
}

static void
make(struct stand *s, struct str pw, char hash[USER_PASSWORD_HASH_MAX + 1])
{
	assert_int_equal(password_hash(&s->dom, pw, hash), DK_OK);
}

/* DK-P-01 */
static void
makes_a_salted_argon2id_string_of_the_configured_cost(void **state)
{
	static const char prefix[] = "$argon2id$v=19$m=1024,t=1,p=1$";
	char a[USER_PASSWORD_HASH_MAX + 1], b[USER_PASSWORD_HASH_MAX + 1];
	struct str rest, salt;
	struct stand *s = *state;

	make(s, STR(PW), a);
	make(s, STR(PW), b);
	assert_string_not_equal(a, b);
	assert_true(str_starts(str_from(a), STR("$argon2id$v=19$")));
	assert_memory_equal(a, prefix, sizeof(prefix) - 1);
	rest = str_from(a + sizeof(prefix) - 1);
	assert_true(str_split(rest, '$', &salt, &rest));
	assert_int_equal(salt.n, 22); /* sixteen bytes */
	assert_int_equal(rest.n, 43); /* thirty-two bytes */
	assert_true(matches(s, STR(PW), str_from(a)));
	assert_true(matches(s, STR(PW), str_from(b)));
}

/* DK-P-06, DK-W-14: every byte of it counts, and as it was typed. */
static void
the_whole_password_counts(void **state)
{
	static const size_t lengths[] = { 1, 8, 71, 72, 73, 255, 511, 512,
		1024 };
	char pw[PASSWORD_BYTES_MAX + 1], hash[USER_PASSWORD_HASH_MAX + 1];
	struct stand *s = *state;
	size_t i, n;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		n = lengths[i];
		memset(pw, 'a', sizeof(pw));
		make(s, (struct str){ pw, n }, hash);
		assert_true(matches(s, (struct str){ pw, n }, str_from(hash)));
		assert_false(
		    matches(s, (struct str){ pw, n - 1 }, str_from(hash)));
		assert_false(
		    matches(s, (struct str){ pw, n + 1 }, str_from(hash)));
		pw[n - 1] = 'b';
		assert_false(matches(s, (struct str){ pw, n }, str_from(hash)));
	}
	make(s, STR("same to the end"), hash);
	assert_false(matches(s, STR("same to the end\n"), str_from(hash)));
	assert_false(matches(s, STR(" same to the end"), str_from(hash)));
	assert_false(matches(s, STR("Same to the end"), str_from(hash)));
	assert_false(matches(s, STR("same to the end\0x"), str_from(hash)));
}

/* DK-P-05: what is no hash matches nothing, not even itself. */
static void
what_is_no_hash_never_matches(void **state)
{
	static const struct str stored[] = { { "", 0 }, { "*", 1 }, { "*0", 2 },
		{ "*1", 2 }, { "!", 1 }, { "!!", 2 }, { "x", 1 },
		{ "$argon2id$", 10 }, { "$argon2id$v=19$m=1024,t=1,p=1$$", 31 },
		{ "a long pass phrase 7", 20 }, { "plain", 5 }, { NULL, 0 } };
	char hash[USER_PASSWORD_HASH_MAX + 1];
	struct stand *s = *state;
	size_t i, n;

	for (i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
		assert_false(matches(s, stored[i], stored[i]));
		assert_false(matches(s, STR(PW), stored[i]));
		assert_false(matches(s, STR(""), stored[i]));
		assert_false(matches(s, STR_NONE, stored[i]));
	}
	make(s, STR(PW), hash);
	n = strlen(hash);
	assert_false(matches(s, STR(""), str_from(hash)));
	assert_false(matches(s, str_from(hash), str_from(hash)));
	for (i = 1; i < 8; i++)
		assert_false(matches(s, STR(PW), (struct str){ hash, n - i }));
	memcpy(hash + n, "=", 2);
	assert_false(matches(s, STR(PW), str_from(hash)));
	memcpy(hash + n, " ", 2);
	assert_false(matches(s, STR(PW), str_from(hash)));
}

/* DK-P-04: a stored string cannot order a gigabyte or a minute. */
static void
does_not_try_what_costs_too_much(void **state)
{
	static const char *const tails[] = { "m=4194304,t=1,p=1",
		"m=1024,t=4294967295,p=1", "m=262144,t=16,p=1",
		"m=1024,t=1,p=255", "m=99999999999,t=1,p=1" };
	struct stand *s = *state;
	char stored[USER_PASSWORD_HASH_MAX + 1];
	int64_t start = clock_monotonic_ms();
	bool match, rehash;
	size_t i;

	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(stored, sizeof(stored),
		    "$argon2id$v=19$%s$AAAAAAAAAAAAAAAAAAAAAA$"
		    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		    tails[i]);
		assert_int_equal(password_verify(&s->dom, STR(PW),
				     str_from(stored), &match, &rehash),
		    DK_OK);
		assert_false(match);
		assert_false(rehash);
	}
	assert_true(clock_monotonic_ms() - start < 2000);
}

/* DK-P-02 */
static void
says_when_the_cost_is_not_the_configured_one(void **state)
{
	static const struct {
		unsigned memory, passes;
		bool rehash;
	} cases[] = { { 1024, 1, false }, { 2048, 1, true }, { 1024, 2, true },
		{ 512, 1, true } };
	char hash[USER_PASSWORD_HASH_MAX + 1];
	struct stand *s = *state;
	bool match, rehash;
	size_t i;

	make(s, STR(PW), hash);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->conf.argon2_memory_kib = cases[i].memory;
		s->conf.argon2_passes = cases[i].passes;
		assert_int_equal(password_verify(&s->dom, STR(PW),
				     str_from(hash), &match, &rehash),
		    DK_OK);
		assert_true(match);
		assert_int_equal(rehash, cases[i].rehash);
	}
}

/* DK-P-02: argon2i of the same cost is another scheme. */
static void
wants_argon2i_replaced(void **state)
{
	static const char stored[] =
	    "$argon2i$v=19$m=1024,t=3,p=1$7m0zYintHR1rYvu/PDO2OA$"
	    "IJRbrNWOGxHnQ835r1/8PRkwswxWs5IfI+sF+CbP73I";
	struct stand *s = *state;
	bool match, rehash;

	s->conf.argon2_passes = 3;
	assert_int_equal(password_verify(&s->dom, STR(PW), str_from(stored),
			     &match, &rehash),
	    DK_OK);
	assert_true(match);
	assert_true(rehash);
}

/* DK-P-08: no slot is no wrong password. */
static void
says_busy_when_all_slots_are_taken(void **state)
{
	char hash[USER_PASSWORD_HASH_MAX + 1], file[128];
	struct hash_slots others;
	struct hash_slot slot;
	struct stand *s = *state;
	bool match = true, rehash;

	make(s, STR(PW), hash);
	(void)stand_own_file(s, "-hash", file);
	assert_int_equal(slots_open(&others, str_from(file), 1, 0), DK_OK);
	assert_int_equal(slots_take(&others, 0, &slot), DK_OK);
	s->dom.slots.running = 1;
	s->dom.slots.waiting = 0;
	assert_int_equal(
	    password_verify(&s->dom, STR(PW), str_from(hash), &match, &rehash),
	    DK_ERR_BUSY);
	assert_false(match);
	assert_int_equal(password_hash(&s->dom, STR(PW), hash), DK_ERR_BUSY);
	assert_string_equal(hash, "");
	slots_give(&others, &slot);
	make(s, STR(PW), hash);
	slots_close(&others);
}

static void
refuses_to_hash_nothing_and_too_much(void **state)
{
	static char much[PASSWORD_BYTES_MAX + 1];
	char hash[USER_PASSWORD_HASH_MAX + 1];
	struct stand *s = *state;

	memset(much, 'm', sizeof(much));
	assert_int_equal(password_hash(&s->dom, STR(""), hash), DK_ERR_INPUT);
	assert_int_equal(
	    password_hash(&s->dom, (struct str){ much, sizeof(much) }, hash),
	    DK_ERR_INPUT);
}

static int64_t
cpu_us(struct stand *s, struct str pw, struct str stored)
{
	struct timespec a, b;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a), 0);
	(void)matches(s, pw, stored);
	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b), 0);
	return (int64_t)(b.tv_sec - a.tv_sec) * 1000000 +
	    (b.tv_nsec - a.tv_nsec) / 1000;
}

/*
 * One check against another, in turn, so that both meet the same load of the
 * machine; the least of each is what the work itself takes.
 */
static void
assert_costs_the_same(struct stand *s, struct str pw, struct str stored,
    const char *hash)
{
	int64_t least = INT64_MAX, real = INT64_MAX, us;
	int i;

	for (i = 0; i < 7; i++) {
		us = cpu_us(s, STR("another pass phrase"), str_from(hash));
		real = us < real ? us : real;
		us = cpu_us(s, pw, stored);
		least = us < least ? us : least;
	}
	assert_in_range(least, real / 2, real * 3 / 2);
}

/*
 * DK-T-08: unknown users, users without a password, damaged hashes and
 * impossible passwords cost one hash of the configured cost, no more, no
 * less.
 */
static void
costs_one_hash_whatever_is_stored(void **state)
{
	static const char *const stored[] = { NULL, "", "*",
		"$argon2id$v=19$m=4194304,t=9,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	static const struct str strange[] = { { "", 0 }, { NULL, 0 },
		{ "a\0b", 3 } };
	char hash[USER_PASSWORD_HASH_MAX + 1];
	struct stand *s = *state;
	size_t i;

	s->conf.argon2_memory_kib = 16384;
	make(s, STR(PW), hash);
	for (i = 0; i < sizeof(stored) / sizeof(stored[0]); i++)
		assert_costs_the_same(s, STR(PW), str_from(stored[i]), hash);
	for (i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_costs_the_same(s, strange[i], str_from(hash), hash);
}

/* DK-W-01, DK-W-02, DK-W-03, DK-W-05, DK-W-07, DK-W-08 */
static void
judges_new_passwords(void **state)
{
	static const struct {
		const char *pw;
		size_t n;
		enum password_flaw flaw;
	} cases[] = {
		{ "", 0, PASSWORD_TOO_SHORT },
		{ "fourteen chars", 14, PASSWORD_TOO_SHORT },
		{ "fifteen  chars.", 15, PASSWORD_FINE },
		{ "               ", 15, PASSWORD_FINE },
		{ "kkkkkkkkkkkkkkkk", 16, PASSWORD_FINE },
		/* fourteen and fifteen code points of two bytes */
		{ "ääääääääääääää", 28, PASSWORD_TOO_SHORT },
		{ "äääääääääääääää", 30, PASSWORD_FINE },
		{ "fifteen\0 chars..", 16, PASSWORD_NOT_TEXT },
		{ "fifteen\xff chars..", 16, PASSWORD_NOT_TEXT },
		{ "alice.from.the.reading.room", 27, PASSWORD_IS_NAME },
		{ "ALICE.from.the.reading.ROOM", 27, PASSWORD_IS_NAME },
		{ "alice.from.the.reading.room1", 28, PASSWORD_IS_NAME },
		{ "moor.gnidaer.eht.morf.ecila", 27, PASSWORD_IS_NAME },
		{ "2026!alice.from.the.reading.room!", 33, PASSWORD_IS_NAME },
		{ "alice.from.the.reading.room too", 31, PASSWORD_FINE },
		{ "Alice of the Reading Room", 25, PASSWORD_IS_NAME },
		{ "alice.of.the.room@example.org", 29, PASSWORD_IS_NAME },
		{ "alice.of.the.room", 17, PASSWORD_IS_NAME },
		{ "www.example.org", 15, PASSWORD_IS_NAME },
		{ "https://www.example.org", 23, PASSWORD_IS_NAME },
		{ "example reading room", 20, PASSWORD_IS_NAME },
		{ "passwordpassword", 16, PASSWORD_COMMON },
		{ "PasswordPassword", 16, PASSWORD_COMMON },
		{ "correct horse battery staple", 28, PASSWORD_COMMON },
		{ "passwordpassword and more", 25, PASSWORD_FINE },
	};
	const struct user_row user = { .username =
					   "alice.from.the.reading.room",
		.display_name = "Alice of the Reading Room",
		.email = "alice.of.the.room@example.org" };
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (password_judge(&s->conf,
			(struct str){ cases[i].pw, cases[i].n },
			&user) != cases[i].flaw)
			fail_msg("case %zu: %s", i, cases[i].pw);
}

/* DK-W-02: long ones are taken, too long ones refused and never cut. */
static void
judges_the_greatest_length(void **state)
{
	const struct user_row user = { .username = "alice" };
	char pw[PASSWORD_BYTES_MAX + 4];
	struct stand *s = *state;
	size_t i;

	for (i = 0; i + 4 <= sizeof(pw); i += 4)
		memcpy(pw + i, "\xf0\x9f\x94\x91", 4);
	assert_int_equal(
	    password_judge(&s->conf, (struct str){ pw, 64 * 4 }, &user),
	    PASSWORD_FINE);
	assert_int_equal(
	    password_judge(&s->conf, (struct str){ pw, 256 * 4 }, &user),
	    PASSWORD_FINE);
	assert_int_equal(
	    password_judge(&s->conf, (struct str){ pw, 257 * 4 }, &user),
	    PASSWORD_TOO_LONG);
	memset(pw, 'q', sizeof(pw));
	assert_int_equal(
	    password_judge(&s->conf, (struct str){ pw, 256 }, &user),
	    PASSWORD_FINE);
	assert_int_equal(
	    password_judge(&s->conf, (struct str){ pw, 257 }, &user),
	    PASSWORD_TOO_LONG);
}

/* DK-W-06 */
static void
refuses_the_lines_of_the_sites_own_list(void **state)
{
	const struct user_row user = { .username = "alice" };
	struct stand *s = *state;
	char file[128];
	FILE *f;

	(void)snprintf(file, sizeof(file), "%s/list", s->dir);
	f = fopen(file, "we");
	assert_non_null(f);
	(void)fputs("first of the list\r\n\nThe Last Of The List", f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(
	    password_judge(&s->conf, STR("first of the list"), &user),
	    PASSWORD_FINE);
	s->conf.password_blocklist = str_from(file);
	assert_int_equal(
	    password_judge(&s->conf, STR("first of the list"), &user),
	    PASSWORD_COMMON);
	assert_int_equal(
	    password_judge(&s->conf, STR("the last of the list"), &user),
	    PASSWORD_COMMON);
	assert_int_equal(password_judge(&s->conf,
			     STR("the last of the list, longer"), &user),
	    PASSWORD_FINE);
	assert_int_equal(
	    password_judge(&s->conf, STR("passwordpassword"), &user),
	    PASSWORD_COMMON);
	/* Without the list nobody can tell. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(
	    password_judge(&s->conf, STR("last year's long winter"), &user),
	    PASSWORD_NOT_CHECKED);
	assert_int_equal(
	    password_judge(&s->conf, STR("passwordpassword"), &user),
	    PASSWORD_COMMON);
}

/* DK-W-08 */
static void
says_what_is_wrong_and_what_to_do(void **state)
{
	struct stand *s = *state;
	char text[256];
	struct buf out;
	int64_t number;
	enum msg why;
	int flaw;

	for (flaw = PASSWORD_TOO_SHORT; flaw <= PASSWORD_NOT_CHECKED; flaw++) {
		BUF_OVER(&out, text);
		why = password_flaw_message(
		    (enum password_flaw)flaw, &s->conf, &number);
		words_say_number(WORDS_ENGLISH, why, number, &out);
		assert_true(buf_ok(&out));
		assert_true(out.len > 40);
		assert_int_equal(text[out.len - 1], '.');
	}
	(void)password_flaw_message(PASSWORD_TOO_SHORT, &s->conf, &number);
	assert_int_equal(number, 15);
	assert_int_equal(
	    password_flaw_message(PASSWORD_FINE, &s->conf, &number), MSG_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(
		    makes_a_salted_argon2id_string_of_the_configured_cost),
		STAND_TEST(the_whole_password_counts),
		STAND_TEST(what_is_no_hash_never_matches),
		STAND_TEST(does_not_try_what_costs_too_much),
		STAND_TEST(says_when_the_cost_is_not_the_configured_one),
		STAND_TEST(wants_argon2i_replaced),
		STAND_TEST(says_busy_when_all_slots_are_taken),
		STAND_TEST(refuses_to_hash_nothing_and_too_much),
		STAND_TEST(costs_one_hash_whatever_is_stored),
		STAND_TEST(judges_new_passwords),
		STAND_TEST(judges_the_greatest_length),
		STAND_TEST(refuses_the_lines_of_the_sites_own_list),
		STAND_TEST(says_what_is_wrong_and_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
