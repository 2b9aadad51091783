#include "fixture.h"

#define ID     "0b5cc0de-1111-4222-8333-444455556666"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* DK-S-07 */
static void
parses_exactly_one_form(void **state)
{
	static const char *const damaged[] = { "", ".", ID, ID ".", "." SECRET,
		ID SECRET, ID "-" SECRET, ID ". " SECRET, " " ID "." SECRET,
		ID "." SECRET " ", ID "." SECRET "=", "\"" ID "." SECRET "\"",
		/* upper case, version 1, another variant, no dashes, nil */
		"0B5CC0DE-1111-4222-8333-444455556666." SECRET,
		"0b5cc0de-1111-1222-8333-444455556666." SECRET,
		"0b5cc0de-1111-4222-c333-444455556666." SECRET,
		"0b5cc0de111142228333444455556666xxxx." SECRET,
		"00000000-0000-0000-0000-000000000000." SECRET,
		"%b5cc0de-1111-4222-8333-444455556666." SECRET,
		/* other alphabets, stray bits at the end */
		ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+",
		ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
		ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH%2",
		ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
		ID ".AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\xffx8",
		ID "." SECRET "A", ID "." SECRET "." SECRET };
	const struct session_token zero = { .id = "" };
	char text[SESSION_TOKEN_LEN + 1];
	struct session_token token;
	size_t i;

	(void)state;
	assert_true(session_token_parse(STR(ID "." SECRET), &token));
	assert_string_equal(token.id, ID);
	for (i = 0; i < SECRET_LEN; i++)
		assert_int_equal(token.secret.byte[i], i);
	session_token_format(&token, text);
	assert_string_equal(text, ID "." SECRET);
	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		memset(&token, 0xa5, sizeof(token));
		if (session_token_parse(str_from(damaged[i]), &token))
			fail_msg("%s", damaged[i]);
		assert_memory_equal(&token, &zero, sizeof(token));
	}
	assert_false(session_token_parse(STR_NONE, &token));
	memcpy(text + 3, "\0", 1);
	assert_false(session_token_parse(
	    (struct str){ text, SESSION_TOKEN_LEN }, &token));
}

/* DK-S-03, DK-E-03 */
static void
starts_a_session_whose_secret_is_not_kept(void **state)
{
	struct stand *s = *state;
	struct session session;
	struct stand_event e;
	char text[SECRET_TEXT_LEN + 1], sql[512], hex[65];
	struct digest hash;
	struct buf out;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	assert_int_equal(stand_check(s, &session, NOW), SESSION_LIVE);
	e = stand_last_event(s);
	assert_string_equal(e.event, "sign_in");
	assert_string_equal(e.outcome, "success");
	assert_string_equal(e.username, "alice");
	assert_string_equal(e.detail, "password");
	assert_memory_equal(e.session, session.token.id, 8);
	assert_int_equal(strlen(e.session), 8);
	/* SHA-256 of the bytes, not of their text */
	secret_sha256(
	    (struct str){ (const char *)session.token.secret.byte, SECRET_LEN },
	    &hash);
	BUF_OVER(&out, hex);
	buf_add_hex(&out, hash.byte, sizeof(hash.byte));
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM sessions WHERE lower(hex(secret_hash)) = "
	    "'%s' AND id = '%s'",
	    hex, session.token.id);
	assert_int_equal(stand_sql(s, sql), 1);
	secret_to_text(&session.token.secret, text);
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM events WHERE detail LIKE '%%%s%%' OR "
	    "session LIKE '%%%s%%'",
	    text, text);
	assert_int_equal(stand_sql(s, sql), 0);
}

/* DK-E-05, DK-P-11: neither cookie nor hash nor password in the log */
static void
logs_no_secret(void **state)
{
	struct stand *s = *state;
	struct session session;
	char text[4096], token[SESSION_TOKEN_LEN + 1];

	stand_catch(s);
	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	assert_int_equal(
	    session_end(&s->dom, &stand_asker, &session, NOW), DK_OK);
	stand_caught(s, text, sizeof(text));
	session_token_format(&session.token, token);
	assert_non_null(strstr(text, "event=\"sign_in\""));
	assert_null(strstr(text, token));
	assert_null(strstr(text, token + UUID_TEXT_LEN + 1));
	assert_null(strstr(text, session.token.id));
	assert_null(strstr(text, PW));
	assert_null(strstr(text, "$argon2id"));
}

/* DK-S-01: each of the 256 bits is as often one as zero; no two are equal. */
static void
secrets_are_random_in_every_bit(void **state)
{
	enum { N = 2000 };
	static unsigned ones[SECRET_LEN * 8];
	struct secret secret;
	size_t i, bit;

	(void)state;
	for (i = 0; i < N; i++) {
		assert_int_equal(secret_new(&secret), DK_OK);
		for (bit = 0; bit < SECRET_LEN * 8; bit++)
			ones[bit] += secret.byte[bit / 8] >> bit % 8 & 1;
	}
	for (bit = 0; bit < SECRET_LEN * 8; bit++)
		assert_in_range(ones[bit], N * 2 / 5, N * 3 / 5);
}

/* DK-S-04, DK-P-13: unknown ids are not adopted, other secrets not taken. */
static void
takes_no_session_that_was_not_issued(void **state)
{
	struct stand *s = *state;
	struct session session, again;
	char cookie[SESSION_TOKEN_LEN + 1];
	enum session_answer answer;
	size_t i;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	for (i = 0; i < SECRET_LEN; i++) {
		session.token.secret.byte[i] ^= 0x80;
		assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
		session.token.secret.byte[i] ^= 0x80;
	}
	session_token_format(&session.token, cookie);
	cookie[35] = cookie[35] == '0' ? '1' : '0';
	memset(&again, 0xa5, sizeof(again));
	assert_int_equal(session_check(&s->dom, str_from(cookie),
			     stand_asker.host, NOW, &again, &answer),
	    DK_OK);
	assert_int_equal(answer, SESSION_NONE);
	assert_int_equal(again.view.session.user_id, 0);
	assert_string_equal(again.token.id, "");
	assert_int_equal(session_check(&s->dom, STR(ID "." SECRET),
			     stand_asker.host, NOW, &again, &answer),
	    DK_OK);
	assert_int_equal(answer, SESSION_NONE);
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM sessions"), 1);
}

/* DK-S-08, DK-S-09 */
static void
ends_to_the_millisecond(void **state)
{
	static const struct {
		int64_t idle, absolute, end;
	} cases[] = { { HOUR, 24 * HOUR, HOUR }, { 0, 24 * HOUR, 24 * HOUR },
		{ HOUR, HOUR / 2, HOUR / 2 }, { 1000, 1000, 1000 } };
	struct stand *s = *state;
	struct session session;
	size_t i;

	stand_add_user(s, STR("alice"));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s->conf.idle_timeout_ms = cases[i].idle;
		s->conf.absolute_timeout_ms = cases[i].absolute;
		stand_sign_in(s, STR("alice"), NOW, &session);
		assert_int_equal(session.expires_at_ms, NOW + cases[i].end);
		assert_int_equal(
		    stand_check(s, &session, NOW + cases[i].end - 1),
		    SESSION_LIVE);
		assert_int_equal(stand_check(s, &session, NOW + cases[i].end),
		    SESSION_EXPIRED);
	}
}

/* The limits are the row's: a new configuration is for new sessions. */
static void
remembered_sessions_have_their_own_limits(void **state)
{
	const struct session_start how = {
		.remember = true, .level = 2, .event = "sign_in"
	};
	struct stand *s = *state;
	struct session session;
	struct user_row user;
	bool refused;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how, NOW,
			     &session, &refused),
	    DK_OK);
	assert_string_equal(stand_last_event(s).detail,
	    "password, second factor, kept signed in");
	assert_int_equal(session.view.session.level, 2);
	assert_true(session.view.session.remember);
	s->conf.remember_idle_timeout_ms = 1000;
	assert_int_equal(
	    stand_check(s, &session, NOW + 14 * 24 * HOUR - 1), SESSION_LIVE);
	assert_int_equal(
	    stand_check(s, &session, NOW + 14 * 24 * HOUR), SESSION_EXPIRED);
}

static int64_t
last_seen(struct stand *s)
{
	return stand_sql(s, "SELECT max(last_seen_at) FROM sessions");
}

/* DK-S-08, DK-S-09: activity moves the idle limit and never the absolute. */
static void
activity_prolongs_idle_time_alone(void **state)
{
	struct stand *s = *state;
	struct session session;
	int64_t t;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	session_touch(&s->dom, &session, NOW + 59999);
	assert_int_equal(last_seen(s), NOW);
	session_touch(&s->dom, &session, NOW - HOUR);
	assert_int_equal(last_seen(s), NOW);
	session_touch(&s->dom, &session, NOW + 60000);
	assert_int_equal(last_seen(s), NOW + 60000);
	for (t = NOW + HOUR / 2; t < NOW + 24 * HOUR; t += HOUR / 2) {
		assert_int_equal(stand_check(s, &session, t), SESSION_LIVE);
		session_touch(&s->dom, &session, t);
	}
	assert_int_equal(
	    stand_check(s, &session, NOW + 24 * HOUR), SESSION_EXPIRED);
}

/* With an idle time below the interval of touches work is still no idling. */
static void
short_idle_times_are_touched_in_time(void **state)
{
	struct stand *s = *state;
	struct session session;

	s->conf.idle_timeout_ms = 4000;
	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	session_touch(&s->dom, &session, NOW + 999);
	assert_int_equal(last_seen(s), NOW);
	session_touch(&s->dom, &session, NOW + 1000);
	assert_int_equal(last_seen(s), NOW + 1000);
}

/* DK-Z-02: an end that was seen is the end, whatever the clock does then. */
static void
a_clock_that_goes_back_revives_nothing(void **state)
{
	struct stand *s = *state;
	struct session session;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	assert_int_equal(stand_check(s, &session, NOW + HOUR), SESSION_EXPIRED);
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM sessions"), 0);
}

/* DK-Z-02, DK-S-16: and locks nobody out. */
static void
a_clock_that_goes_back_locks_nobody_out(void **state)
{
	struct stand *s = *state;
	struct session before, after;

	s->conf.max_per_user = 1;
	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW + HOUR, &before);
	assert_int_equal(stand_check(s, &before, NOW), SESSION_LIVE);
	session_touch(&s->dom, &before, NOW);
	stand_sign_in(s, STR("alice"), NOW, &after);
	assert_int_equal(stand_check(s, &after, NOW), SESSION_LIVE);
	assert_int_equal(stand_check(s, &before, NOW), SESSION_NONE);
}

/* Whatever somebody wrote into the row by hand. */
static void
strange_times_in_the_row_are_survived(void **state)
{
	static const struct {
		const char *set;
		enum session_answer answer;
	} cases[] = {
		{ "last_seen_at = 9223372036854775807", SESSION_LIVE },
		{ "idle_timeout = 9223372036854775807", SESSION_LIVE },
		{ "expires_at = 9223372036854775807", SESSION_LIVE },
		{ "last_seen_at = -9223372036854775808", SESSION_EXPIRED },
		{ "idle_timeout = -1", SESSION_EXPIRED },
		{ "idle_timeout = -9223372036854775808", SESSION_EXPIRED },
		{ "expires_at = 0", SESSION_EXPIRED },
	};
	struct stand *s = *state;
	struct session session;
	char sql[128];
	size_t i;

	stand_add_user(s, STR("alice"));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stand_sign_in(s, STR("alice"), NOW, &session);
		(void)snprintf(
		    sql, sizeof(sql), "UPDATE sessions SET %s", cases[i].set);
		(void)stand_sql(s, sql);
		assert_int_equal(
		    stand_check(s, &session, NOW), cases[i].answer);
		session_touch(&s->dom, &session, NOW + HOUR);
		(void)stand_sql(s, "DELETE FROM sessions");
	}
}

/* DK-S-19 */
static void
a_session_belongs_to_its_host(void **state)
{
	struct stand *s = *state;
	struct session session;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	assert_int_equal(
	    stand_check_at(s, &session, STR("WWW.example.org"), NOW),
	    SESSION_LIVE);
	assert_int_equal(
	    stand_check_at(s, &session, STR("b.example.org"), NOW + HOUR),
	    SESSION_NONE);
	assert_int_equal(
	    stand_check_at(s, &session, STR_NONE, NOW), SESSION_NONE);
	s->conf.cookie_domain = STR("example.org");
	assert_int_equal(stand_check_at(s, &session, STR("b.example.org"), NOW),
	    SESSION_LIVE);
}

/* DK-L-03, DK-L-14, DK-S-06: the old one is dead in the same transaction. */
static void
signing_in_again_ends_the_old_session(void **state)
{
	struct session_start how = { .level = 1, .event = "sign_in" };
	struct session old, made;
	struct stand *s = *state;
	struct user_row bob;
	bool refused;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_sign_in(s, STR("alice"), NOW, &old);
	stand_get_user(s, STR("bob"), &bob);
	how.old_id = str_from(old.token.id);
	assert_int_equal(session_start(&s->dom, &stand_asker, &bob, &how, NOW,
			     &made, &refused),
	    DK_OK);
	assert_false(refused);
	assert_string_not_equal(made.token.id, old.token.id);
	assert_false(secret_eq(&made.token.secret, &old.token.secret));
	assert_int_equal(stand_check(s, &old, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &made, NOW), SESSION_LIVE);
	assert_string_equal(made.view.username, "bob");
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM sessions"), 1);
}

/* What the browser calls itself is cut between characters, and shown safely. */
static void
keeps_what_fits_of_the_user_agent(void **state)
{
	static char agent[600];
	struct asker asker = stand_asker;
	const struct session_start how = { .level = 1, .event = "sign_in" };
	struct stand *s = *state;
	struct session session;
	struct user_row user;
	bool refused;
	size_t i;

	/* The 256th byte would be the first of a character of two. */
	memset(agent, 'a', 255);
	for (i = 255; i + 2 <= sizeof(agent); i += 2)
		memcpy(agent + i, "\xc3\xa9", 2);
	memcpy(agent, "x\x1b[2J\xff\xe2\x80\xae", 9);
	asker.user_agent = (struct str){ agent, sizeof(agent) };
	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(session_start(&s->dom, &asker, &user, &how, NOW,
			     &session, &refused),
	    DK_OK);
	assert_memory_equal(session.view.session.user_agent, "x?[2J??aaa", 10);
	assert_true(
	    str_is_printable(str_from(session.view.session.user_agent)));
	assert_in_range(
	    strlen(session.view.session.user_agent), 250, SESSION_AGENT_MAX);
	assert_int_equal(stand_check(s, &session, NOW), SESSION_LIVE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(parses_exactly_one_form),
		STAND_TEST(starts_a_session_whose_secret_is_not_kept),
		STAND_TEST(logs_no_secret),
		STAND_TEST(secrets_are_random_in_every_bit),
		STAND_TEST(takes_no_session_that_was_not_issued),
		STAND_TEST(ends_to_the_millisecond),
		STAND_TEST(remembered_sessions_have_their_own_limits),
		STAND_TEST(activity_prolongs_idle_time_alone),
		STAND_TEST(short_idle_times_are_touched_in_time),
		STAND_TEST(a_clock_that_goes_back_revives_nothing),
		STAND_TEST(a_clock_that_goes_back_locks_nobody_out),
		STAND_TEST(strange_times_in_the_row_are_survived),
		STAND_TEST(a_session_belongs_to_its_host),
		STAND_TEST(signing_in_again_ends_the_old_session),
		STAND_TEST(keeps_what_fits_of_the_user_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
