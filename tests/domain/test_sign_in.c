#include "fixture.h"

#include "domain/device.h"
#include "domain/factor.h"
#include "domain/sign_in.h"
#include "domain/throttle.h"

#define WRONG "not the pass phrase"

static struct asker
from(const char *ip)
{
	struct asker asker = stand_asker;

	asker.ip = str_from(ip);
	return asker;
}

/* The answer, and the wait in *wait; the user is filled in or all zero. */
static enum sign_in_result
sign_in_as(struct stand *s, const struct asker *asker,
    const struct sign_in *attempt, int64_t now, int64_t *wait)
{
	const struct user_row nobody = { 0 };
	enum sign_in_result result = SIGN_IN_RIGHT;
	struct user_row user;

	memset(&user, 0xa5, sizeof(user));
	assert_int_equal(sign_in_password(&s->dom, asker, attempt, now, &user,
			     &result, wait),
	    DK_OK);
	if (result == SIGN_IN_RIGHT)
		assert_int_not_equal(user.id, 0);
	else
		assert_memory_equal(&user, &nobody, sizeof(user));
	assert_true((*wait > 0) == (result == SIGN_IN_THROTTLED));
	return result;
}

static enum sign_in_result
sign_in(struct stand *s, const char *ip, struct str name, struct str pw)
{
	const struct sign_in attempt = { .name = name, .pw = pw };
	const struct asker asker = from(ip);
	int64_t wait;

	return sign_in_as(s, &asker, &attempt, NOW, &wait);
}

static void
add_users(struct stand *s)
{
	struct user_row user;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_get_user(s, STR("bob"), &user);
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_OK);
}

static void
lets_the_right_password_in(void **state)
{
	const struct sign_in attempt = { .name = STR("ALICE"), .pw = STR(PW) };
	struct stand *s = *state;
	enum sign_in_result result;
	struct user_row user;
	int64_t wait = 7;

	add_users(s);
	assert_int_equal(sign_in_password(&s->dom, &stand_asker, &attempt, NOW,
			     &user, &result, &wait),
	    DK_OK);
	assert_int_equal(result, SIGN_IN_RIGHT);
	assert_string_equal(user.username, "alice");
	assert_int_equal(wait, 0);
}

/* DK-T-06, DK-T-07: the same answers, and the same waits after them. */
static void
unknown_wrong_and_disabled_are_alike(void **state)
{
	static const struct {
		struct str name, pw;
	} cases[] = { { STR("nobody"), STR(PW) }, { STR("alice"), STR(WRONG) },
		{ STR("bob"), STR(PW) }, { STR("bob"), STR(WRONG) },
		{ STR(""), STR("") }, { STR("al\0ice"), STR(PW) },
		{ STR("\xff\xfe"), STR(PW) } };
	struct stand *s = *state;
	struct sign_in attempt;
	struct asker asker;
	int64_t wait;
	size_t i;
	char ip[32];
	int n;

	add_users(s);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		attempt = (struct sign_in){ .name = cases[i].name,
			.pw = cases[i].pw };
		(void)snprintf(ip, sizeof(ip), "198.51.100.%zu", i);
		asker = from(ip);
		for (n = 0; n < THROTTLE_PAIR_FREE; n++)
			assert_int_equal(
			    sign_in_as(s, &asker, &attempt, NOW, &wait),
			    SIGN_IN_DENIED);
		assert_int_equal(sign_in_as(s, &asker, &attempt, NOW, &wait),
		    SIGN_IN_THROTTLED);
		assert_true(wait == 2000);
	}
}

/* DK-T-06: with no way to compute one, a hash would be an error. */
static void
no_hash_is_computed_while_throttled(void **state)
{
	static const struct {
		struct str name, pw;
	} cases[] = { { STR("alice"), STR(PW) }, { STR("alice"), STR(WRONG) },
		{ STR("nobody"), STR(PW) } };
	struct stand *s = *state;
	struct user_row user;
	enum sign_in_result result;
	int64_t wait, events;
	struct sign_in attempt;
	size_t i;
	int n;

	add_users(s);
	for (n = 0; n < THROTTLE_PAIR_FREE; n++) {
		(void)sign_in(s, "192.0.2.7", STR("alice"), STR(WRONG));
		(void)sign_in(s, "192.0.2.8", STR("nobody"), STR(WRONG));
	}
	events = stand_sql(s, "SELECT count(*) FROM events");
	slots_close(&s->dom.slots);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sign_in(s, i < 2 ? "192.0.2.7" : "192.0.2.8",
				     cases[i].name, cases[i].pw),
		    SIGN_IN_THROTTLED);
	/* A flood of guesses is no flood of rows. */
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM events"), events);
	attempt = (struct sign_in){ .name = STR("alice"), .pw = STR(PW) };
	assert_int_not_equal(sign_in_password(&s->dom, &stand_asker, &attempt,
				 NOW + 2000, &user, &result, &wait),
	    DK_OK);
	assert_int_equal(result, SIGN_IN_DENIED);
}

/* When the server was too busy to look, nobody pays for it. */
static void
a_guess_that_was_not_looked_at_does_not_count(void **state)
{
	const struct sign_in attempt = { .name = STR("alice"), .pw = STR(PW) };
	struct stand *s = *state;
	struct user_row user;
	enum sign_in_result result;
	int64_t wait;
	int n;

	add_users(s);
	slots_close(&s->dom.slots);
	for (n = 0; n < 3 * THROTTLE_PAIR_FREE; n++) {
		assert_int_not_equal(sign_in_password(&s->dom, &stand_asker,
					 &attempt, NOW, &user, &result, &wait),
		    DK_OK);
		assert_int_equal(result, SIGN_IN_DENIED);
		assert_int_equal(user.id, 0);
	}
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM throttle"), 0);
	domain_close(&s->dom);
	stand_start(s, false);
	assert_int_equal(
	    sign_in(s, "192.0.2.7", STR("alice"), STR(PW)), SIGN_IN_RIGHT);
}

/* DK-T-02: as the gateway gives it; what is no address is one source. */
static void
counts_by_the_address_of_who_asks(void **state)
{
	static const struct {
		const char *guesses, *then;
		enum sign_in_result result;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.2", SIGN_IN_RIGHT },
		{ "192.0.2.3", "::ffff:192.0.2.3", SIGN_IN_THROTTLED },
		{ "2001:db8:1::1", "2001:db8:1::2", SIGN_IN_THROTTLED },
		{ "2001:db8:2::1", "2001:db8:3::1", SIGN_IN_RIGHT },
		{ "", "not an address", SIGN_IN_THROTTLED },
	};
	struct stand *s = *state;
	size_t i;
	int n;

	add_users(s);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (n = 0; n < THROTTLE_PAIR_FREE; n++)
			(void)sign_in(
			    s, cases[i].guesses, STR("alice"), STR(WRONG));
		if (sign_in(s, cases[i].then, STR("alice"), STR(PW)) !=
		    cases[i].result)
			fail_msg("%s", cases[i].then);
		(void)stand_sql(s, "DELETE FROM throttle");
	}
}

/* DK-T-03 */
static void
a_known_browser_gets_in_while_strangers_guess(void **state)
{
	struct secret mine, of_bob, unknown;
	struct sign_in attempt = { .name = STR("alice"), .pw = STR(PW) };
	struct stand *s = *state;
	struct user_row user;
	int64_t wait;
	char ip[32];
	int n;

	add_users(s);
	assert_int_equal(secret_new(&mine), DK_OK);
	assert_int_equal(secret_new(&of_bob), DK_OK);
	assert_int_equal(secret_new(&unknown), DK_OK);
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(device_remember(&s->dom, user.id, &mine, NOW), DK_OK);
	stand_get_user(s, STR("bob"), &user);
	assert_int_equal(
	    device_remember(&s->dom, user.id, &of_bob, NOW), DK_OK);
	for (n = 0; n < THROTTLE_ACCOUNT_FREE; n++) {
		(void)snprintf(ip, sizeof(ip), "198.51.100.%d", n);
		(void)sign_in(s, ip, STR("alice"), STR(WRONG));
	}
	assert_int_equal(sign_in_as(s, &stand_asker, &attempt, NOW, &wait),
	    SIGN_IN_THROTTLED);
	attempt.device = &of_bob;
	assert_int_equal(sign_in_as(s, &stand_asker, &attempt, NOW, &wait),
	    SIGN_IN_THROTTLED);
	attempt.device = &unknown;
	assert_int_equal(sign_in_as(s, &stand_asker, &attempt, NOW, &wait),
	    SIGN_IN_THROTTLED);
	attempt.device = &mine;
	assert_int_equal(
	    sign_in_as(s, &stand_asker, &attempt, NOW, &wait), SIGN_IN_RIGHT);
	/* It opens nothing by itself. */
	attempt.pw = STR(WRONG);
	assert_int_equal(
	    sign_in_as(s, &stand_asker, &attempt, NOW, &wait), SIGN_IN_DENIED);
}

/* DK-T-11: people type passwords there. */
static void
an_unknown_name_is_written_nowhere(void **state)
{
	struct stand *s = *state;
	char text[8192];
	int n;

	add_users(s);
	stand_catch(s);
	for (n = 0; n <= THROTTLE_PAIR_FREE; n++)
		(void)sign_in(s, "192.0.2.7", STR("my secret phrase"),
		    STR("my secret phrase"));
	stand_caught(s, text, sizeof(text));
	assert_non_null(strstr(text, "outcome=\"failure\""));
	assert_non_null(strstr(text, "outcome=\"throttled\""));
	assert_null(strstr(text, "my secret phrase"));
	assert_int_equal(
	    stand_sql(s,
		"SELECT count(*) FROM events WHERE username LIKE '%secret%'"
		" OR detail LIKE '%secret%'"),
	    0);
}

static void
set_up_factor(struct stand *s, struct user_row *user, struct totp_seed *seed,
    struct recovery_codes *codes)
{
	char code[TOTP_DIGITS + 1];
	bool ok;

	stand_get_user(s, STR("alice"), user);
	assert_int_equal(factor_begin(&s->dom, user->id, seed, &ok), DK_OK);
	totp_code(seed, NOW / TOTP_STEP_MS, code);
	assert_int_equal(factor_confirm(&s->dom, &stand_asker, user,
			     str_from(code), STR_NONE, NOW, codes, &ok),
	    DK_OK);
	assert_true(ok);
}

static enum sign_in_result
give_code(struct stand *s, const char *ip, const struct user_row *user,
    struct str code, int64_t now)
{
	const struct asker asker = from(ip);
	enum sign_in_result result;
	int64_t wait;

	assert_int_equal(
	    sign_in_code(&s->dom, &asker, user, code, now, &result, &wait),
	    DK_OK);
	assert_true((wait > 0) == (result == SIGN_IN_THROTTLED));
	return result;
}

/* DK-T-09: a new sign-in does not give new guesses at the code. */
static void
codes_have_their_own_counter(void **state)
{
	struct recovery_codes codes;
	struct stand *s = *state;
	struct totp_seed seed;
	struct user_row user;
	int n, looked_at = 0;

	add_users(s);
	set_up_factor(s, &user, &seed, &codes);
	for (n = 0; n < 150; n++) {
		if (n % 3 == 0)
			assert_int_equal(
			    sign_in(s, "192.0.2.7", STR("alice"), STR(PW)),
			    SIGN_IN_RIGHT);
		if (give_code(s, "192.0.2.7", &user,
			n % 2 ? STR("AAAA-AAAA-AAAA-AAAA-AAAA") : STR("ABCDEF"),
			NOW) == SIGN_IN_DENIED)
			looked_at++;
	}
	assert_int_equal(looked_at, THROTTLE_PAIR_FREE);
	/* Not even the right one, until the wait is over. */
	assert_int_equal(
	    give_code(s, "192.0.2.7", &user, str_from(codes.text[0]), NOW),
	    SIGN_IN_THROTTLED);
	assert_int_equal(give_code(s, "192.0.2.7", &user,
			     str_from(codes.text[0]), NOW + 2000),
	    SIGN_IN_RIGHT);
}

/* DK-T-03, DK-T-04: of the password, at the second step. */
static void
a_thief_does_not_keep_the_owner_out(void **state)
{
	struct recovery_codes codes;
	struct stand *s = *state;
	struct totp_seed seed;
	struct user_row user;
	int n;

	add_users(s);
	set_up_factor(s, &user, &seed, &codes);
	for (n = 0; n < 2 * THROTTLE_PAIR_FREE; n++)
		(void)give_code(s, "198.51.100.1", &user, STR("ABCDEF"), NOW);
	assert_int_equal(
	    give_code(s, "192.0.2.7", &user, str_from(codes.text[0]), NOW),
	    SIGN_IN_RIGHT);
	/* The owner's success forgives the thief nothing. */
	assert_int_equal(
	    give_code(s, "198.51.100.1", &user, STR("ABCDEF"), NOW),
	    SIGN_IN_THROTTLED);
}

/* DK-T-01, DK-T-09: from however many addresses. */
static void
codes_are_counted_on_the_account(void **state)
{
	struct recovery_codes codes;
	struct stand *s = *state;
	struct totp_seed seed;
	struct user_row user;
	int n, looked_at = 0;
	char ip[32];

	add_users(s);
	set_up_factor(s, &user, &seed, &codes);
	for (n = 0; n < 100; n++) {
		(void)snprintf(ip, sizeof(ip), "198.51.100.%d", n);
		if (give_code(s, ip, &user, STR("ABCDEF"), NOW) ==
		    SIGN_IN_DENIED)
			looked_at++;
	}
	assert_int_equal(looked_at, THROTTLE_ACCOUNT_FREE);
}

static bool
is_valid(
    struct stand *s, struct str text, const struct secret *browser, int64_t now)
{
	const struct sign_in_step none = { 0 };
	const struct user_row nobody = { 0 };
	struct sign_in_step step;
	struct user_row user;
	bool valid = true;

	memset(&step, 0xa5, sizeof(step));
	memset(&user, 0xa5, sizeof(user));
	assert_int_equal(sign_in_step_check(
			     &s->dom, text, browser, now, &step, &user, &valid),
	    DK_OK);
	if (!valid) {
		assert_true(step.user_id == none.user_id);
		assert_true(step.expires_ms == none.expires_ms);
		assert_true(step.remember == none.remember);
		assert_memory_equal(&user, &nobody, sizeof(user));
	} else {
		assert_string_equal(user.username, "alice");
		assert_true(step.user_id == user.id);
	}
	return valid;
}

static struct secret
make_step(struct stand *s, bool remember, char *text)
{
	struct secret browser;
	struct user_row user;

	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(secret_new(&browser), DK_OK);
	assert_int_equal(
	    sign_in_step_make(&s->dom, &user, remember, &browser, NOW, text),
	    DK_OK);
	assert_in_range(strlen(text), 1, STEP_TEXT_MAX);
	return browser;
}

/* DK-L-11 */
static void
a_step_lasts_ten_minutes(void **state)
{
	struct stand *s = *state;
	char text[STEP_TEXT_MAX + 1];
	struct secret browser;

	add_users(s);
	browser = make_step(s, false, text);
	assert_true(STEP_LIFE_MS == 10 * 60 * 1000);
	assert_true(is_valid(s, str_from(text), &browser, NOW));
	assert_true(
	    is_valid(s, str_from(text), &browser, NOW + STEP_LIFE_MS - 1));
	assert_false(is_valid(s, str_from(text), &browser, NOW + STEP_LIFE_MS));
	/* A clock that goes back makes it no longer. */
	assert_false(is_valid(s, str_from(text), &browser, NOW - 1));
	/* It outlives the process. */
	domain_close(&s->dom);
	stand_start(s, false);
	assert_true(is_valid(s, str_from(text), &browser, NOW));
}

/* DK-L-11 */
static void
a_step_is_bound_to_browser_and_password(void **state)
{
	struct stand *s = *state;
	char text[STEP_TEXT_MAX + 1];
	struct secret browser, other;
	enum password_flaw flaw;
	struct user_row user;

	add_users(s);
	browser = make_step(s, false, text);
	other = make_step(s, false, text);
	assert_true(is_valid(s, str_from(text), &other, NOW));
	assert_false(is_valid(s, str_from(text), &browser, NOW));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_OK);
	assert_false(is_valid(s, str_from(text), &other, NOW));
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, false, NOW),
	    DK_OK);
	assert_true(is_valid(s, str_from(text), &other, NOW));
	/* The same password with a new salt is a new password, too. */
	assert_int_equal(
	    account_set_password(&s->dom, &stand_asker, &user,
		STR("another long phrase 8"), NOW, &flaw),
	    DK_OK);
	assert_false(is_valid(s, str_from(text), &other, NOW));
	browser = make_step(s, false, text);
	assert_int_equal(
	    account_delete(&s->dom, &stand_asker, &user, NOW), DK_OK);
	assert_false(is_valid(s, str_from(text), &browser, NOW));
}

/* DK-L-11: and says for whom, and whether to stay signed in. */
static void
a_step_cannot_be_changed(void **state)
{
	struct stand *s = *state;
	char text[STEP_TEXT_MAX + 1], changed[STEP_TEXT_MAX + 2], *dot;
	struct secret browser;
	struct user_row bob;
	size_t i, n;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	browser = make_step(s, false, text);
	n = strlen(text);
	for (i = 0; i < n; i++) {
		memcpy(changed, text, n + 1);
		changed[i] = changed[i] == '1' ? '2' : '1';
		if (is_valid(s, str_from(changed), &browser, NOW))
			fail_msg("changed at %zu", i);
		assert_false(
		    is_valid(s, (struct str){ text, i }, &browser, NOW));
		changed[i] = '\0';
		assert_false(
		    is_valid(s, (struct str){ changed, n }, &browser, NOW));
	}
	assert_false(is_valid(s, (struct str){ text, n + 1 }, &browser, NOW));
	(void)snprintf(changed, sizeof(changed), " %s", text);
	assert_false(is_valid(s, str_from(changed), &browser, NOW));
	(void)snprintf(changed, sizeof(changed), "%s.", text);
	assert_false(is_valid(s, str_from(changed), &browser, NOW));
	/* bob's id before alice's ticket */
	stand_get_user(s, STR("bob"), &bob);
	dot = strchr(text, '.');
	assert_non_null(dot);
	(void)snprintf(
	    changed, sizeof(changed), "%lld%s", (long long)bob.id, dot);
	assert_false(is_valid(s, str_from(changed), &browser, NOW));
	assert_true(is_valid(s, str_from(text), &browser, NOW));
}

static void
what_is_no_step_is_refused(void **state)
{
	static const struct str cases[] = { STR(""), STR("."), STR("..."),
		STR("...."), STR("1.2.0."), STR("1.1900000000001.0."),
		STR("-1.1900000000001.0."
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
		STR("1.1900000000001.0."
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
		STR("1.1900000000001.2."
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
		STR("9223372036854775808.1900000000001.0."
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
		STR("1.9223372036854775807.0."
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
		STR("1.99999999999999999999999999.0."
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8") };
	struct stand *s = *state;
	struct secret browser = { { 0 } };
	size_t i;

	stand_add_user(s, STR("alice"));
	assert_false(is_valid(s, STR_NONE, &browser, NOW));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (is_valid(s, cases[i], &browser, NOW))
			fail_msg("case %zu", i);
}

static void
a_step_remembers_what_was_asked_for(void **state)
{
	struct stand *s = *state;
	char text[STEP_TEXT_MAX + 1];
	struct sign_in_step step;
	struct secret browser;
	struct user_row user;
	bool valid;
	int remember;

	add_users(s);
	for (remember = 0; remember < 2; remember++) {
		browser = make_step(s, remember == 1, text);
		assert_int_equal(sign_in_step_check(&s->dom, str_from(text),
				     &browser, NOW, &step, &user, &valid),
		    DK_OK);
		assert_true(valid);
		assert_true(step.remember == (remember == 1));
		assert_true(step.expires_ms == NOW + STEP_LIFE_MS);
	}
}

/* DK-L-11: the ticket is no session. */
static void
a_step_opens_nothing_else(void **state)
{
	struct stand *s = *state;
	char text[STEP_TEXT_MAX + 1];
	enum session_answer answer;
	struct session session;

	add_users(s);
	(void)make_step(s, false, text);
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM sessions"), 0);
	assert_int_equal(session_check(&s->dom, str_from(text),
			     stand_asker.host, NOW, &session, &answer),
	    DK_OK);
	assert_int_equal(answer, SESSION_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(lets_the_right_password_in),
		STAND_TEST(unknown_wrong_and_disabled_are_alike),
		STAND_TEST(no_hash_is_computed_while_throttled),
		STAND_TEST(a_guess_that_was_not_looked_at_does_not_count),
		STAND_TEST(counts_by_the_address_of_who_asks),
		STAND_TEST(a_known_browser_gets_in_while_strangers_guess),
		STAND_TEST(an_unknown_name_is_written_nowhere),
		STAND_TEST(codes_have_their_own_counter),
		STAND_TEST(a_thief_does_not_keep_the_owner_out),
		STAND_TEST(codes_are_counted_on_the_account),
		STAND_TEST(a_step_lasts_ten_minutes),
		STAND_TEST(a_step_is_bound_to_browser_and_password),
		STAND_TEST(a_step_cannot_be_changed),
		STAND_TEST(what_is_no_step_is_refused),
		STAND_TEST(a_step_remembers_what_was_asked_for),
		STAND_TEST(a_step_opens_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
