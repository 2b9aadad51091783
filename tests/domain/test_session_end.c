#include "fixture.h"

#include "base/clock.h"
#include "domain/housekeep.h"

static int64_t
sessions(struct stand *s)
{
	return stand_sql(s, "SELECT count(*) FROM sessions");
}

/* DK-S-11, DK-L-06, DK-E-03 */
static void
signing_out_ends_the_session_once(void **state)
{
	struct session session, other;
	struct stand *s = *state;
	int64_t id;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	stand_sign_in(s, STR("alice"), NOW, &other);
	assert_int_equal(
	    session_end(&s->dom, &stand_asker, &session, NOW), DK_OK);
	assert_string_equal(stand_last_event(s).event, "sign_out");
	assert_string_equal(stand_last_event(s).username, "alice");
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &other, NOW), SESSION_LIVE);
	id = stand_last_event(s).id;
	assert_int_equal(
	    session_end(&s->dom, &stand_asker, &session, NOW), DK_OK);
	assert_int_equal(stand_last_event(s).id, id);
}

/* DK-S-14, DK-S-15 */
static void
revokes_one_by_its_name(void **state)
{
	struct session mine, other;
	struct stand *s = *state;
	bool ended = true;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_sign_in(s, STR("alice"), NOW, &mine);
	stand_sign_in(s, STR("bob"), NOW, &other);
	/* Not somebody else's, not what is none. */
	assert_int_equal(
	    session_revoke(&s->dom, &stand_asker, str_from(other.token.id),
		mine.view.session.user_id, NOW, &ended),
	    DK_OK);
	assert_false(ended);
	assert_int_equal(stand_check(s, &other, NOW), SESSION_LIVE);
	assert_int_equal(
	    session_revoke(&s->dom, &stand_asker, STR("%"), 0, NOW, &ended),
	    DK_OK);
	assert_false(ended);
	assert_int_equal(
	    session_revoke(&s->dom, &stand_asker,
		STR("0b5cc0de-1111-4222-8333-444455556666"), 0, NOW, &ended),
	    DK_OK);
	assert_false(ended);
	assert_int_equal(
	    session_revoke(&s->dom, &stand_asker, str_from(mine.token.id),
		mine.view.session.user_id, NOW, &ended),
	    DK_OK);
	assert_true(ended);
	assert_string_equal(stand_last_event(s).event, "session_revoked");
	assert_string_equal(stand_last_event(s).username, "alice");
	assert_int_equal(session_revoke(&s->dom, &stand_asker,
			     str_from(other.token.id), 0, NOW, &ended),
	    DK_OK);
	assert_true(ended);
	assert_int_equal(stand_check(s, &mine, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &other, NOW), SESSION_NONE);
}

/* DK-S-12, DK-S-14 */
static void
revokes_all_of_a_user_and_all(void **state)
{
	struct session a, b, keep, other;
	struct stand *s = *state;
	struct user_row user;
	int64_t n, id;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_sign_in(s, STR("alice"), NOW, &a);
	stand_sign_in(s, STR("alice"), NOW, &b);
	stand_sign_in(s, STR("alice"), NOW, &keep);
	stand_sign_in(s, STR("bob"), NOW, &other);
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(session_revoke_user(&s->dom, &stand_asker, &user,
			     str_from(keep.token.id), NOW, &n),
	    DK_OK);
	assert_int_equal(n, 2);
	assert_string_equal(stand_last_event(s).detail, "2 sessions");
	assert_int_equal(stand_check(s, &a, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &b, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &keep, NOW), SESSION_LIVE);
	assert_int_equal(stand_check(s, &other, NOW), SESSION_LIVE);
	assert_int_equal(
	    session_revoke_all(&s->dom, &stand_asker, NOW, &n), DK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(stand_check(s, &keep, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &other, NOW), SESSION_NONE);
	/* Nothing done, nothing written. */
	id = stand_last_event(s).id;
	assert_int_equal(
	    session_revoke_all(&s->dom, &stand_asker, NOW, &n), DK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(stand_last_event(s).id, id);
}

/* DK-S-12: what an administrator does with the sqlite3 shell holds too. */
static void
the_shell_acts_on_the_next_request(void **state)
{
	struct session session;
	struct stand *s = *state;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), clock_now_ms(), &session);
	(void)stand_sql(
	    s, "DELETE FROM active_sessions WHERE username = 'alice'");
	assert_int_equal(
	    stand_check(s, &session, clock_now_ms()), SESSION_NONE);
	stand_sign_in(s, STR("alice"), NOW, &session);
	(void)stand_sql(
	    s, "UPDATE users SET disabled = 1 WHERE username = 'alice'");
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
	(void)stand_sql(
	    s, "UPDATE users SET disabled = 0 WHERE username = 'alice'");
	stand_sign_in(s, STR("alice"), NOW, &session);
	(void)stand_sql(s, "DELETE FROM users WHERE username = 'alice'");
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
}

/*
 * DK-Z-03: between the check of the password and the session an account may
 * change: then there is no session, and the old one is left.
 */
static void
refuses_an_account_that_changed_meanwhile(void **state)
{
	static const char *const changes[] = {
		"UPDATE users SET disabled = 1",
		"UPDATE users SET password_hash = 'another'",
		"UPDATE users SET password_hash = ''",
		"DELETE FROM users",
	};
	const struct session empty = { .expires_at_ms = 0 };
	const struct session_start how = { .level = 1, .event = "sign_in" };
	struct stand *s = *state;
	struct user_row user;
	struct session made;
	struct stand_event e;
	bool ok, refused;
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		(void)stand_sql(s, "DELETE FROM users");
		stand_add_user(s, STR("alice"));
		assert_int_equal(account_authenticate(&s->dom, &stand_asker,
				     STR("alice"), STR(PW), NOW, &user, &ok),
		    DK_OK);
		assert_true(ok);
		(void)stand_sql(s, changes[i]);
		refused = false;
		memset(&made, 0xa5, sizeof(made));
		assert_int_equal(session_start(&s->dom, &stand_asker, &user,
				     &how, NOW, &made, &refused),
		    DK_OK);
		assert_true(refused);
		/* DK-P-12: nothing of the secret stays behind. */
		assert_memory_equal(&made, &empty, sizeof(made));
		assert_int_equal(sessions(s), 0);
		e = stand_last_event(s);
		assert_string_equal(e.outcome, "failure");
		assert_string_equal(e.username, "alice");
	}
}

/* DK-E-02, DK-S-06, DK-L-03: no event, no session; the old one goes on. */
static void
starts_nothing_when_the_store_fails(void **state)
{
	const struct session empty = { .expires_at_ms = 0 };
	struct session_start how = { .level = 1, .event = "sign_in" };
	struct stand *s = *state;
	struct session old, made;
	struct user_row user;
	bool refused = false;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &old);
	stand_get_user(s, STR("alice"), &user);
	stand_catch(s);
	(void)stand_sql(s, "ALTER TABLE events RENAME TO elsewhere");
	how.old_id = str_from(old.token.id);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how, NOW,
			     &made, &refused),
	    DK_ERR_STORE);
	assert_true(refused);
	assert_memory_equal(&made, &empty, sizeof(made));
	assert_int_equal(
	    session_end(&s->dom, &stand_asker, &old, NOW), DK_ERR_STORE);
	assert_int_equal(stand_check(s, &old, NOW), SESSION_LIVE);
	(void)stand_sql(s, "ALTER TABLE elsewhere RENAME TO events");
	assert_int_equal(session_end(&s->dom, &stand_asker, &old, NOW), DK_OK);
}

static void
lock(struct stand *s, sqlite3 **db)
{
	assert_int_equal(sqlite3_open(s->file, db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(*db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

/* DK-S-17, DK-Z-05: the gate waits for no writer. */
static void
checks_touches_and_purges_wait_for_nobody(void **state)
{
	struct session live, expired;
	struct stand *s = *state;
	sqlite3 *writer = NULL;
	int64_t start;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW - HOUR, &expired);
	stand_sign_in(s, STR("alice"), NOW, &live);
	lock(s, &writer);
	start = clock_monotonic_ms();
	assert_int_equal(stand_check(s, &live, NOW + 60000), SESSION_LIVE);
	session_touch(&s->dom, &live, NOW + 60000);
	assert_int_equal(
	    stand_check(s, &expired, NOW + 60000), SESSION_EXPIRED);
	housekeep(&s->dom, NOW + 60000);
	assert_true(clock_monotonic_ms() - start < DB_WAIT_MS / 2);
	assert_int_equal(sqlite3_close(writer), SQLITE_OK);
	/* Made up for later. */
	session_touch(&s->dom, &live, NOW + 60000);
	assert_int_equal(stand_sql(s, "SELECT max(last_seen_at) FROM sessions"),
	    NOW + 60000);
	assert_int_equal(
	    stand_check(s, &expired, NOW + 60000), SESSION_EXPIRED);
	assert_int_equal(stand_check(s, &expired, NOW + 60000), SESSION_NONE);
}

static bool
release_soon(struct stand *s, int number)
{
	struct session session;

	/* One holds the lock for a moment, the other has to wait for it. */
	if (number == 1) {
		stand_sign_in(s, STR("alice"), NOW, &session);
		return true;
	}
	if (db_begin(s->dom.db, DB_WRITE) != DK_OK)
		return false;
	(void)usleep(20000);
	return db_end(s->dom.db, DK_OK) == DK_OK;
}

/* What does not wait leaves the wait of the others as it was. */
static void
a_sign_in_waits_for_its_turn(void **state)
{
	struct stand *s = *state;
	struct session session;
	sqlite3 *writer = NULL;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	lock(s, &writer);
	session_touch(&s->dom, &session, NOW + 60000);
	assert_int_equal(sqlite3_close(writer), SQLITE_OK);
	assert_int_equal(stand_parallel(s, 2, release_soon), 2);
	assert_int_equal(sessions(s), 2);
}

/* DK-S-16 */
static void
the_oldest_gives_way(void **state)
{
	struct session made[5], other;
	struct stand *s = *state;
	int i;

	s->conf.max_per_user = 3;
	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_sign_in(s, STR("bob"), NOW, &other);
	for (i = 0; i < 5; i++)
		stand_sign_in(s, STR("alice"), NOW + i, &made[i]);
	for (i = 0; i < 5; i++)
		assert_int_equal(stand_check(s, &made[i], NOW + 5),
		    i < 2 ? SESSION_NONE : SESSION_LIVE);
	assert_int_equal(stand_check(s, &other, NOW + 5), SESSION_LIVE);
}

static bool
sign_in_once(struct stand *s, int number)
{
	struct session session;

	(void)number;
	s->conf.max_per_user = 3;
	stand_sign_in(s, STR("alice"), NOW, &session);
	return true;
}

/* DK-S-16, DK-Z-03: sixteen at once, and all in the same millisecond */
static void
parallel_sign_ins_keep_to_the_limit(void **state)
{
	struct stand *s = *state;

	stand_add_user(s, STR("alice"));
	assert_int_equal(stand_parallel(s, 16, sign_in_once), 16);
	assert_int_equal(sessions(s), 3);
	assert_int_equal(
	    stand_sql(s, "SELECT count(*) FROM events WHERE event = 'sign_in'"),
	    16);
}

/* DK-S-17 */
static void
purges_what_has_expired_and_nothing_else(void **state)
{
	struct stand *s = *state;
	struct session live;
	int64_t n;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &live);
	(void)stand_sql(s,
	    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
	    "WHERE i < 2500) INSERT INTO sessions SELECT printf('%08x-0000-"
	    "4000-8000-%012x', (i * 2654435761) % 4294967296, i), "
	    "secret_hash, user_id, created_at, authenticated_at, "
	    "last_seen_at - 3600000 * (i % 2), expires_at - 86400000 * "
	    "(i % 3 = 0), idle_timeout, level, remember, ip, user_agent, "
	    "host, NULL FROM c, sessions");
	assert_int_equal(sessions(s), 2501);
	assert_int_equal(session_purge(&s->dom, NOW, &n), DK_OK);
	assert_int_equal(n, 2500 - 834); /* even and no multiple of 3: live */
	assert_int_equal(sessions(s), 835);
	assert_int_equal(stand_check(s, &live, NOW), SESSION_LIVE);
	assert_int_equal(session_purge(&s->dom, NOW, &n), DK_OK);
	assert_int_equal(n, 0);
}

/* DK-S-17: a few small steps from anywhere come to everything. */
static void
housekeeping_clears_the_table_bit_by_bit(void **state)
{
	struct stand *s = *state;
	struct session session;
	int i;

	stand_add_user(s, STR("alice"));
	for (i = 0; i < 50; i++)
		stand_sign_in(s, STR("alice"), NOW - 2 * HOUR, &session);
	stand_sign_in(s, STR("alice"), NOW, &session);
	for (i = 0; i < 400 && sessions(s) > 1; i++)
		housekeep(&s->dom, NOW);
	assert_int_equal(sessions(s), 1);
	assert_int_equal(stand_check(s, &session, NOW), SESSION_LIVE);
	/* Old events go as well. */
	assert_true(stand_last_event(s).id > 0);
	s->conf.events_keep_ms = HOUR;
	housekeep(&s->dom, NOW);
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM events"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(signing_out_ends_the_session_once),
		STAND_TEST(revokes_one_by_its_name),
		STAND_TEST(revokes_all_of_a_user_and_all),
		STAND_TEST(the_shell_acts_on_the_next_request),
		STAND_TEST(refuses_an_account_that_changed_meanwhile),
		STAND_TEST(starts_nothing_when_the_store_fails),
		STAND_TEST(checks_touches_and_purges_wait_for_nobody),
		STAND_TEST(a_sign_in_waits_for_its_turn),
		STAND_TEST(the_oldest_gives_way),
		STAND_TEST(parallel_sign_ins_keep_to_the_limit),
		STAND_TEST(purges_what_has_expired_and_nothing_else),
		STAND_TEST(housekeeping_clears_the_table_bit_by_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
