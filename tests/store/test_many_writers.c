/*
 * Sixteen processes sign in, are seen and sign out at once: nobody is told
 * that the store is locked, and nothing is lost.
 */
#include "fixture.h"
#include "store/db_admin.h"

#include <signal.h>

#include "base/clock.h"
#include "store/events.h"
#include "store/throttle.h"

enum { WRITERS = 16, ROUNDS = 12 };

static enum dk_err
note(struct shelf *s, int number)
{
	const struct event_row row = { .at_ms = NOW + number,
		.event = STR("sign_in"),
		.outcome = STR("success"),
		.actor = STR("web") };

	return events_add(s->db, &row);
}

/* What a sign-in does, in one transaction. */
static enum dk_err
sign_in(struct shelf *s, const struct session_row *row, int number)
{
	enum dk_err err;

	do {
		err = db_begin(s->db, DB_WRITE);
		if (err == DK_OK)
			err = sessions_add(s->db, row);
		if (err == DK_OK)
			err = note(s, number);
		err = db_end(s->db, err);
	} while (db_again(s->db, err));
	return err;
}

/* Count one guess: read, add, write back. */
static enum dk_err
guess(struct shelf *s)
{
	struct throttle_row row;
	const struct bucket bucket = { { 1 } };
	enum dk_err err;

	do {
		err = db_begin(s->db, DB_WRITE);
		if (err == DK_OK)
			err = throttle_get(s->db, &bucket, &row);
		row.failures++;
		if (err == DK_OK)
			err = throttle_put(s->db, &row);
		err = db_end(s->db, err);
	} while (db_again(s->db, err));
	return err;
}

static bool
be_busy(struct shelf *s, int number)
{
	struct session_view view;
	enum dk_err err;
	bool found = true;
	unsigned i;

	err = shelf_try(s, s->file, false, false);
	for (i = 0; err == DK_OK && i < ROUNDS; i++) {
		const struct session_row row =
		    shelf_session(1, (unsigned)number * 1000 + i);
		bool deleted = true;

		err = sign_in(s, &row, number);
		if (err == DK_OK)
			err = guess(s);
		if (err == DK_OK)
			err = sessions_touch(s->db, str_from(row.id), NOW + 1);
		if (err == DK_OK)
			err = sessions_get(
			    s->db, str_from(row.id), &view, &found);
		if (err == DK_OK && i % 2 == 0)
			err =
			    sessions_delete(s->db, str_from(row.id), &deleted);
		if (!found || !deleted)
			return false;
	}
	if (err != DK_OK)
		(void)fprintf(stderr, "writer %d: %s\n", number, err_name(err));
	db_close(s->db);
	return err == DK_OK;
}

/* DK-T-05, DK-Z-03 */
static void
nobody_sees_a_locked_store_and_nothing_is_lost(void **state)
{
	struct shelf *s = *state;
	int64_t before = clock_monotonic_ms();
	bool sound;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(shelf_parallel(s, WRITERS, be_busy), WRITERS);
	assert_true(clock_monotonic_ms() - before < 60000);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM sessions"),
	    WRITERS * ROUNDS / 2);
	assert_int_equal(
	    shelf_sql(s, "SELECT count(*) FROM events"), WRITERS * ROUNDS);
	assert_int_equal(
	    shelf_sql(s, "SELECT failures FROM throttle"), WRITERS * ROUNDS);
	BUF_OVER(&s->message, s->text);
	assert_int_equal(db_check(s->db, &sound, &s->message), DK_OK);
	if (!sound)
		fail_msg("%s", s->text);
}

/* DK-Z-04: one that is killed in the middle of a transaction leaves none of
 * it behind, and nobody has to repair anything. */
static void
a_killed_writer_leaves_nothing_half_done(void **state)
{
	struct shelf *s = *state;
	struct session_row row = shelf_session(1, 1);
	int status, ready[2];
	char c;
	pid_t pid;

	shelf_add_user(s, 1, "alice");
	db_close(s->db);
	s->db = NULL;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (shelf_try(s, s->file, false, false) != DK_OK ||
		    db_begin(s->db, DB_WRITE) != DK_OK ||
		    sessions_add(s->db, &row) != DK_OK ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	shelf_reopen(s);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM sessions"), 0);
	shelf_add_session(s, &row);
}

/* Readers go on while somebody writes. */
static void
reads_go_on_beside_an_open_transaction(void **state)
{
	struct shelf *s = *state, other = { .db = NULL };
	struct session_row row = shelf_session(1, 1);
	struct session_view view;
	bool found;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(shelf_try(&other, s->file, false, false), DK_OK);
	db_set_wait(other.db, 0);
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_OK);
	shelf_add_session(s, &row);
	assert_int_equal(
	    sessions_get(other.db, str_from(row.id), &view, &found), DK_OK);
	assert_false(found);
	assert_int_equal(db_commit(s->db), DK_OK);
	assert_int_equal(
	    sessions_get(other.db, str_from(row.id), &view, &found), DK_OK);
	assert_true(found);
	db_close(other.db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(nobody_sees_a_locked_store_and_nothing_is_lost),
		SHELF_TEST(a_killed_writer_leaves_nothing_half_done),
		SHELF_TEST(reads_go_on_beside_an_open_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
