/* Single sign-on over several hosts, and how its sessions belong together. */
#include "fixture.h"

#include "domain/device.h"
#include "domain/handoff.h"

#define MINUTE INT64_C(60000)

/* What one host gets from another, and the two halves of the check. */
struct trip {
	struct session first, second;
	struct secret code, browser;
	struct digest told;
};

static const struct asker there = { { "web", 3 }, { "192.0.2.8", 9 },
	{ "Browser/2.0", 11 }, { "b.example.org", 13 }, { "4567abcd", 8 } };

static int
open_two(void **state)
{
	struct stand *s;
	size_t i;

	(void)stand_open(state);
	s = *state;
	s->conf.single_sign_on = true;
	s->conf.n_origins = 3;
	for (i = 1; i < 3; i++)
		s->conf.origins[i] = s->conf.origins[0];
	s->conf.origins[1].text = STR("https://b.example.org");
	s->conf.origins[1].host = STR("b.example.org");
	s->conf.origins[2].text = STR("https://c.example.org");
	s->conf.origins[2].host = STR("c.example.org");
	stand_add_user(s, STR("alice"));
	return 0;
}

static void
make(struct stand *s, struct trip *t, int64_t now)
{
	assert_int_equal(secret_new(&t->browser), DK_OK);
	device_token(&t->browser, &t->told);
	assert_int_equal(handoff_make(&s->dom, &t->first, &s->conf.origins[1],
			     &t->told, now, &t->code),
	    DK_OK);
}

static bool
take_at(struct stand *s, struct trip *t, const struct conf_origin *origin,
    const struct digest *browser, int64_t now)
{
	const struct handoff h = { .code = &t->code,
		.origin = origin,
		.browser = browser };
	bool taken = true;

	assert_int_equal(
	    handoff_take(&s->dom, &there, &h, now, &t->second, &taken), DK_OK);
	return taken;
}

static bool
take(struct stand *s, struct trip *t, int64_t now)
{
	return take_at(s, t, &s->conf.origins[1], &t->told, now);
}

static void
set_out(struct stand *s, struct trip *t)
{
	memset(t, 0, sizeof(*t));
	stand_sign_in(s, STR("alice"), NOW, &t->first);
	make(s, t, NOW);
}

static bool
is_live(struct stand *s, const struct session *session, int64_t now)
{
	return stand_check_at(s, session, str_from(session->view.session.host),
		   now) == SESSION_LIVE;
}

static void
the_sign_in_is_the_first_ones(void **state)
{
	struct stand *s = *state;
	const struct session_row *a, *b;
	struct trip t;

	set_out(s, &t);
	assert_true(take(s, &t, NOW + MINUTE / 3));
	a = &t.first.view.session;
	b = &t.second.view.session;
	assert_string_equal(b->host, "b.example.org");
	assert_string_equal(b->ip, "192.0.2.8");
	assert_string_equal(b->user_agent, "Browser/2.0");
	assert_true(b->authenticated_at_ms == a->authenticated_at_ms);
	assert_true(b->expires_at_ms == a->expires_at_ms);
	assert_true(b->created_at_ms == NOW + MINUTE / 3);
	assert_int_equal(b->level, a->level);
	assert_string_not_equal(a->id, b->id);
	assert_false(secret_eq(&t.first.token.secret, &t.second.token.secret));
	assert_true(is_live(s, &t.first, NOW));
	assert_true(is_live(s, &t.second, NOW));
	/* Each at its own host alone. */
	assert_int_equal(stand_check(s, &t.second, NOW), SESSION_NONE);
	assert_string_equal(stand_last_event(s).event, "sign_in");
	assert_string_equal(stand_last_event(s).outcome, "success");
	assert_string_equal(stand_last_event(s).username, "alice");
	assert_string_equal(stand_last_event(s).detail, "single sign-on");
}

static void
a_second_factor_and_the_tick_come_along(void **state)
{
	struct stand *s = *state;
	const struct session_start how = { .level = 2,
		.remember = true,
		.event = "sign_in" };
	struct user_row user;
	struct trip t = { 0 };
	bool refused;

	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how, NOW,
			     &t.first, &refused),
	    DK_OK);
	make(s, &t, NOW + 5 * HOUR);
	assert_true(take(s, &t, NOW + 5 * HOUR));
	assert_int_equal(t.second.view.session.level, 2);
	assert_true(t.second.view.session.remember);
	assert_true(t.second.view.session.authenticated_at_ms == NOW);
	assert_true(t.second.view.session.expires_at_ms ==
	    NOW + s->conf.remember_absolute_timeout_ms);
	assert_true(t.second.view.session.idle_timeout_ms ==
	    s->conf.remember_idle_timeout_ms);
}

static void
a_code_works_once_for_thirty_seconds(void **state)
{
	struct stand *s = *state;
	struct trip t, again;

	assert_int_equal(HANDOFF_LIFE_MS, 30000);
	set_out(s, &t);
	again = t;
	assert_true(take(s, &t, NOW + 29999));
	assert_false(take(s, &again, NOW + 29999));
	set_out(s, &t);
	assert_false(take(s, &t, NOW + 30000));
	assert_int_equal(
	    stand_sql(s, "SELECT count(*) FROM sessions"
			 " WHERE host = 'b.example.org'"), 1);
}

/* A code that was caught, or one that a stranger sends somebody. */
static void
another_host_or_browser_uses_it_up(void **state)
{
	const struct digest nothing = { { 0 } };
	struct stand *s = *state;
	struct trip t, kept;

	set_out(s, &t);
	kept = t;
	assert_false(take_at(s, &t, &s->conf.origins[2], &t.told, NOW));
	assert_string_equal(stand_last_event(s).outcome, "failure");
	assert_string_equal(stand_last_event(s).username, "alice");
	assert_false(take(s, &kept, NOW));
	make(s, &t, NOW);
	kept = t;
	assert_false(take_at(s, &t, &s->conf.origins[1], &nothing, NOW));
	assert_false(take(s, &kept, NOW));
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM sessions"), 1);
	assert_true(is_live(s, &kept.first, NOW));
}

/* What ends the sign-in meanwhile ends the code. */
static void
nothing_comes_from_a_sign_in_that_is_over(void **state)
{
	static const char *const ends[] = { "DELETE FROM sessions",
		"UPDATE users SET disabled = 1",
		"UPDATE users SET must_change = 1",
		"UPDATE sessions SET expires_at = 1900000000000" };
	struct stand *s = *state;
	struct trip t;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)stand_sql(s, "UPDATE users SET disabled = 0");
		(void)stand_sql(s, "UPDATE users SET must_change = 0");
		set_out(s, &t);
		(void)stand_sql(s, ends[i]);
		if (take(s, &t, NOW))
			fail_msg("%s", ends[i]);
	}
}

/* DK-S-06: signing out anywhere is signing out. */
static void
signing_out_ends_the_family_and_nobody_else(void **state)
{
	struct stand *s = *state;
	struct session phone;
	struct trip t;
	int from_second;

	for (from_second = 0; from_second < 2; from_second++) {
		set_out(s, &t);
		stand_sign_in(s, STR("alice"), NOW, &phone);
		assert_true(take(s, &t, NOW));
		assert_int_equal(session_end(&s->dom, &stand_asker,
				     from_second ? &t.second : &t.first, NOW),
		    DK_OK);
		assert_false(is_live(s, &t.first, NOW));
		assert_false(is_live(s, &t.second, NOW));
		assert_true(is_live(s, &phone, NOW));
	}
}

static void
ending_one_from_a_list_ends_its_family(void **state)
{
	struct stand *s = *state;
	struct trip t;
	bool ended;

	set_out(s, &t);
	assert_true(take(s, &t, NOW));
	assert_int_equal(session_revoke(&s->dom, &stand_asker,
			     str_from(t.first.view.session.id), 0, NOW, &ended),
	    DK_OK);
	assert_true(ended);
	assert_false(is_live(s, &t.second, NOW));
}

/* A fresh sign-in at one host ends no session of another. */
static void
a_new_session_takes_its_place_in_the_family(void **state)
{
	struct stand *s = *state;
	struct session_start how = { .level = 1, .event = "sign_in" };
	struct user_row user;
	struct session fresh;
	struct trip t;
	bool refused;

	set_out(s, &t);
	assert_true(take(s, &t, NOW));
	how.old_id = str_from(t.first.view.session.id);
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how,
			     NOW + HOUR / 2, &fresh, &refused),
	    DK_OK);
	assert_false(is_live(s, &t.first, NOW));
	assert_true(is_live(s, &t.second, NOW));
	assert_int_equal(
	    session_end(&s->dom, &there, &t.second, NOW), DK_OK);
	assert_false(is_live(s, &fresh, NOW + HOUR / 2));
}

static void
somebody_else_in_its_place_is_no_family(void **state)
{
	struct stand *s = *state;
	struct session_start how = { .level = 1, .event = "sign_in" };
	struct user_row user;
	struct session fresh;
	struct trip t;
	bool refused;

	stand_add_user(s, STR("bob"));
	set_out(s, &t);
	assert_true(take(s, &t, NOW));
	how.old_id = str_from(t.first.view.session.id);
	stand_get_user(s, STR("bob"), &user);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how, NOW,
			     &fresh, &refused),
	    DK_OK);
	assert_int_equal(
	    session_end(&s->dom, &there, &t.second, NOW), DK_OK);
	assert_true(is_live(s, &fresh, NOW));
}

/* DK-S-16 */
static void
max_per_user_counts_every_host(void **state)
{
	struct stand *s = *state;
	struct session old;
	struct trip t;

	s->conf.max_per_user = 3;
	stand_sign_in(s, STR("alice"), NOW - 2 * MINUTE, &old);
	set_out(s, &t);
	assert_true(take(s, &t, NOW));
	assert_true(is_live(s, &old, NOW));
	make(s, &t, NOW + 1);
	assert_true(take(s, &t, NOW + 1));
	assert_false(is_live(s, &old, NOW));
	assert_true(is_live(s, &t.first, NOW));
}

static void
the_session_that_was_there_gives_way(void **state)
{
	struct stand *s = *state;
	struct trip t;
	struct session before;
	struct handoff h;
	bool taken;

	set_out(s, &t);
	assert_true(take(s, &t, NOW));
	before = t.second;
	make(s, &t, NOW);
	h = (struct handoff){ .code = &t.code,
		.origin = &s->conf.origins[1],
		.browser = &t.told,
		.old_id = str_from(before.view.session.id) };
	assert_int_equal(
	    handoff_take(&s->dom, &there, &h, NOW, &t.second, &taken), DK_OK);
	assert_true(taken);
	assert_false(is_live(s, &before, NOW));
	assert_true(is_live(s, &t.second, NOW));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_two, stand_close)
	const struct CMUnitTest tests[] = {
		T(the_sign_in_is_the_first_ones),
		T(a_second_factor_and_the_tick_come_along),
		T(a_code_works_once_for_thirty_seconds),
		T(another_host_or_browser_uses_it_up),
		T(nothing_comes_from_a_sign_in_that_is_over),
		T(signing_out_ends_the_family_and_nobody_else),
		T(ending_one_from_a_list_ends_its_family),
		T(a_new_session_takes_its_place_in_the_family),
		T(somebody_else_in_its_place_is_no_family),
		T(max_per_user_counts_every_host),
		T(the_session_that_was_there_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
