#include "fixture.h"

#include "base/clock.h"
#include "domain/device.h"
#include "domain/housekeep.h"
#include "domain/link.h"
#include "domain/throttle.h"

#define DAY (24 * HOUR)

static int64_t
count(struct stand *s, const char *table)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	return stand_sql(s, sql);
}

static void
guess(struct stand *s, struct str name, int64_t now)
{
	const struct throttle_guess g = { .name = name, .factor = "password" };
	struct throttle_ticket ticket;
	int64_t wait;

	assert_int_equal(
	    throttle_count_guess(&s->dom, &g, now, &ticket, &wait), DK_OK);
}

static void
make_link(struct stand *s, struct str name, int64_t now)
{
	struct user_row user;
	struct secret token;

	stand_get_user(s, name, &user);
	assert_int_equal(
	    link_make(&s->dom, &stand_asker, &user, now, &token), DK_OK);
}

/* One of everything that is over at `now`, and one that is not. */
static void
fill(struct stand *s, int64_t now)
{
	struct session session;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_sign_in(s, STR("alice"), now - 2 * DAY, &session);
	stand_sign_in(s, STR("alice"), now, &session);
	make_link(s, STR("alice"), now - LINK_LIFE_MS);
	make_link(s, STR("bob"), now - LINK_LIFE_MS + 1);
	(void)stand_sql(s, "UPDATE events SET at = 1");
	guess(s, STR("alice"), now - DAY - 1);
	guess(s, STR("bob"), now);
	make_link(s, STR("bob"), now - LINK_LIFE_MS + 1);
}

/* DK-S-17, DK-T-10 */
static void
drops_what_is_over_and_nothing_else(void **state)
{
	struct stand *s = *state;
	int i;

	fill(s, NOW);
	assert_int_equal(count(s, "sessions"), 2);
	assert_int_equal(count(s, "one_use_links"), 2);
	assert_int_equal(count(s, "throttle"), 5); /* they share a source */
	assert_true(count(s, "events") > 1);
	for (i = 0; i < 3; i++) {
		housekeep(&s->dom, NOW);
		assert_int_equal(count(s, "sessions"), 1);
		assert_int_equal(count(s, "one_use_links"), 1);
		assert_int_equal(count(s, "throttle"), 3);
		assert_int_equal(count(s, "events"), 1);
		assert_int_equal(count(s, "users"), 2);
	}
	assert_int_equal(
	    stand_sql(s,
		"SELECT count(*) FROM sessions WHERE created_at > 0"
		" AND last_seen_at = 1900000000000"),
	    1);
}

/* Somebody else writes: it goes at once, says nothing, does nothing. */
static void
never_waits_for_a_lock(void **state)
{
	struct stand *s = *state;
	char text[4096];
	sqlite3 *other;
	int64_t began;

	fill(s, NOW);
	assert_int_equal(sqlite3_open(s->file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	stand_catch(s);
	began = clock_monotonic_ms();
	housekeep(&s->dom, NOW);
	assert_true(clock_monotonic_ms() - began < DB_WAIT_MS / 2);
	(void)sqlite3_close(other);
	stand_caught(s, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(count(s, "sessions"), 2);
	assert_int_equal(count(s, "one_use_links"), 2);
	housekeep(&s->dom, NOW);
	assert_int_equal(count(s, "sessions"), 1);
	assert_int_equal(count(s, "one_use_links"), 1);
}

static bool
write_after_it(struct stand *s, int number)
{
	struct secret secret;
	struct user_row user;
	int i;

	stand_get_user(s, STR("alice"), &user);
	memset(secret.byte, number, sizeof(secret.byte));
	for (i = 0; i < 5; i++) {
		housekeep(&s->dom, NOW);
		if (device_remember(&s->dom, user.id, &secret, NOW + i) !=
		    DK_OK)
			return false;
	}
	return true;
}

/* The writes of requests wait their turn as before. */
static void
the_next_write_waits_again(void **state)
{
	struct stand *s = *state;

	fill(s, NOW);
	assert_int_equal(stand_parallel(s, 16, write_after_it), 16);
	assert_int_equal(count(s, "devices"), 16);
}

/* DK-S-17: a step is small; many steps reach everything. */
static void
small_steps_reach_everything(void **state)
{
	enum { ROWS = 900, STEP_MOST = 400 };
	struct stand *s = *state;
	struct session session;
	int64_t before, after;
	int i;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &session);
	for (i = 0; i < ROWS; i++)
		stand_sign_in(s, STR("alice"), NOW - 2 * DAY, &session);
	before = count(s, "sessions");
	for (i = 0; i < 1000 && before > 1; i++) {
		housekeep(&s->dom, NOW);
		after = count(s, "sessions");
		assert_in_range(before - after, 0, STEP_MOST);
		before = after;
	}
	assert_int_equal(before, 1);
}

/* A store that is damaged or of another shape does not stop a worker. */
static void
a_failing_store_is_survived(void **state)
{
	struct stand *s = *state;

	fill(s, NOW);
	(void)stand_sql(s, "DROP TABLE throttle");
	stand_catch(s);
	housekeep(&s->dom, NOW);
	housekeep(&s->dom, NOW);
	assert_int_equal(count(s, "sessions"), 1);
	assert_int_equal(count(s, "users"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(drops_what_is_over_and_nothing_else),
		STAND_TEST(never_waits_for_a_lock),
		STAND_TEST(the_next_write_waits_again),
		STAND_TEST(small_steps_reach_everything),
		STAND_TEST(a_failing_store_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
