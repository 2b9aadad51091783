/*
 * Every statement of sql/queries.sql on the real schema: it prepares, it is
 * fed with what its comment promises, and what runs for every request finds
 * its rows by an index.
 */
#include "fixture.h"

static sqlite3 *
open_raw(struct shelf *s)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(s->file, &db), SQLITE_OK);
	return db;
}

static sqlite3_stmt *
prepare(sqlite3 *db, enum query q)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, query_texts[q].sql, -1, &st, NULL) !=
	    SQLITE_OK)
		fail_msg("%s: %s", query_texts[q].name, sqlite3_errmsg(db));
	return st;
}

static void
every_statement_prepares(void **state)
{
	sqlite3 *db = open_raw(*state);
	int q;

	assert_true(QUERY_COUNT > 40);
	for (q = 0; q < QUERY_COUNT; q++) {
		assert_non_null(query_texts[q].sql);
		(void)sqlite3_finalize(prepare(db, (enum query)q));
	}
	(void)sqlite3_close(db);
}

/* A gap in the numbers, or a name that is no number, would be bound to
 * nothing; PostgreSQL counts them. */
static void
parameters_are_numbered_from_one_without_a_gap(void **state)
{
	sqlite3 *db = open_raw(*state);
	char name[8];
	int q, i, n;

	for (q = 0; q < QUERY_COUNT; q++) {
		sqlite3_stmt *st = prepare(db, (enum query)q);

		n = sqlite3_bind_parameter_count(st);
		assert_true(n <= DB_ARGS_MAX);
		for (i = 1; i <= n; i++) {
			(void)snprintf(name, sizeof(name), "$%d", i);
			if (sqlite3_bind_parameter_index(st, name) == 0)
				fail_msg(
				    "%s: no %s", query_texts[q].name, name);
		}
		(void)sqlite3_finalize(st);
	}
	(void)sqlite3_close(db);
}

/* One text, one statement, nothing that depends on an engine. */
static void
every_block_is_one_statement_of_a_known_kind(void **state)
{
	static const char *const kinds[] = { "SELECT ", "INSERT INTO ",
		"UPDATE ", "DELETE FROM " };
	static const char *const never[] = { "PRAGMA", "ATTACH", "rowid",
		"randomblob", "'now'", "GLOB", "OR REPLACE", "OR IGNORE" };
	int q;
	size_t i;

	(void)state;
	for (q = 0; q < QUERY_COUNT; q++) {
		struct str sql = str_from(query_texts[q].sql);
		const char *end = strchr(query_texts[q].sql, ';');
		bool known = false;

		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			known = known || str_starts(sql, str_from(kinds[i]));
		if (!known || end == NULL || strcmp(end, ";\n") != 0)
			fail_msg("%s", query_texts[q].name);
		for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
			if (strstr(query_texts[q].sql, never[i]) != NULL)
				fail_msg(
				    "%s: %s", query_texts[q].name, never[i]);
	}
}

/* Does the plan walk a whole table?  The step's text goes into `what`. */
static bool
scans(sqlite3 *db, enum query q, char *what, size_t size)
{
	char sql[2048];
	sqlite3_stmt *st = NULL;
	bool scan = false;

	(void)snprintf(
	    sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", query_texts[q].sql);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (!scan && sqlite3_step(st) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(st, 3);

		scan = strncmp(step, "SCAN ", 5) == 0 &&
		    strstr(step, "SCAN step") == NULL &&
		    strcmp(step, "SCAN CONSTANT ROW") != 0;
		(void)snprintf(what, size, "%s", step);
	}
	(void)sqlite3_finalize(st);
	return scan;
}

/* All steps of the plan, one a line. */
static void
explain(sqlite3 *db, enum query q, char *plan, size_t size)
{
	char sql[4096];
	sqlite3_stmt *st = NULL;
	struct buf b;

	buf_init(&b, plan, size);
	(void)snprintf(
	    sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", query_texts[q].sql);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		buf_addf(&b, "%s\n", sqlite3_column_text(st, 3));
	(void)sqlite3_finalize(st);
}

/* DK-A-10: what a request or a sign-in runs costs the same in a large store
 * as in a small one. */
static void
only_statements_for_administrators_walk_a_table(void **state)
{
	static const enum query may_walk[] = { Q_USER_COUNT, Q_SESSION_COUNT,
		Q_SESSION_DELETE_ALL, Q_THROTTLE_COUNT,
		Q_THROTTLE_DROP_LEAST, Q_LINK_PURGE, Q_COPY_ROWS,
		Q_COPY_IS_USED };
	sqlite3 *db = open_raw(*state);
	char step[256];
	int q;
	size_t i;

	for (q = 0; q < QUERY_COUNT; q++) {
		bool may = false;

		for (i = 0; i < sizeof(may_walk) / sizeof(may_walk[0]); i++)
			may = may || may_walk[i] == (enum query)q;
		if (!may && scans(db, (enum query)q, step, sizeof(step)))
			fail_msg("%s: %s", query_texts[q].name, step);
	}
	/* The reading of the plan itself works. */
	assert_true(scans(db, Q_SESSION_COUNT, step, sizeof(step)));
	(void)sqlite3_close(db);
}

/* The lists of the desk: by which index, and never sorted as a whole but for
 * the few that a group or a beginning gives. */
static void
pages_are_read_off_an_index(void **state)
{
	static const struct {
		enum query q;
		const char *index;
		bool sorts;
	} pages[] = {
		{ Q_USER_FIND, "sqlite_autoindex_users_1", false },
		{ Q_USER_FIND_DISABLED, "users_disabled", false },
		{ Q_USER_FIND_IN_GROUP, "user_groups_group_name", true },
		{ Q_USER_FIND_BEGINS, "users_email", true },
		{ Q_USER_BEGINS_COUNT, "users_display_name", true },
		{ Q_SESSION_FIND, "sessions_created_at", false },
		{ Q_SESSION_FIND_OF_USER, "sessions_user_id", false },
		{ Q_SESSION_FIND_OF_IP, "sessions_ip", false },
		{ Q_SESSION_FIND_COUNT, "sessions_created_at", false },
		{ Q_SESSION_FIND_COUNT_OF_USER, "sessions_user_id", false },
		{ Q_SESSION_FIND_COUNT_OF_IP, "sessions_ip", false },
		{ Q_SESSION_DELETE_FOUND, "sessions_created_at", false },
		{ Q_SESSION_DELETE_FOUND_OF_USER, "sessions_user_id", false },
		{ Q_SESSION_DELETE_FOUND_OF_IP, "sessions_ip", false },
		{ Q_EVENT_FIND, "events_at", false },
		{ Q_EVENT_FIND_OF_USERNAME, "events_username", false },
		{ Q_EVENT_FIND_OF_IP, "events_ip", false },
		{ Q_EVENT_FIND_OF_EVENT, "events_event", false },
		{ Q_EVENT_FIND_OF_OUTCOME, "events_outcome", false },
		{ Q_EVENT_SIGN_INS, "events_username", false },
		{ Q_HOUR_COUNT, "events_event", true },
		{ Q_HOUR_UNCOUNTED, "events_event", true },
	};
	sqlite3 *db = open_raw(*state);
	char plan[2048];
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		explain(db, pages[i].q, plan, sizeof(plan));
		if (strstr(plan, pages[i].index) == NULL ||
		    (!pages[i].sorts && strstr(plan, "TEMP B-TREE") != NULL))
			fail_msg("%s: %s", query_texts[pages[i].q].name, plan);
	}
	(void)sqlite3_close(db);
}

static void
names_are_told_apart(void **state)
{
	int q, r;

	(void)state;
	for (q = 0; q < QUERY_COUNT; q++)
		for (r = 0; r < q; r++)
			assert_string_not_equal(
			    query_texts[q].name, query_texts[r].name);
}

/* Caller and text disagree: that is a bug, and never an empty answer. */
static void
a_value_too_many_is_an_error(void **state)
{
	struct shelf *s = *state;
	const struct db_arg args[DB_ARGS_MAX + 1] = { DB_ARG_TEXT(STR("a")) };
	int64_t n;

	assert_int_equal(
	    db_number(s->db, Q_USER_GET, args, 2, &n), DK_ERR_INTERNAL);
	assert_int_equal(
	    db_number(s->db, Q_USER_COUNT, args, DB_ARGS_MAX + 1, &n),
	    DK_ERR_INTERNAL);
	assert_int_equal(db_number(s->db, Q_USER_GET, args, 1, &n), DK_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(every_statement_prepares),
		SHELF_TEST(parameters_are_numbered_from_one_without_a_gap),
		SHELF_TEST(every_block_is_one_statement_of_a_known_kind),
		SHELF_TEST(only_statements_for_administrators_walk_a_table),
		SHELF_TEST(pages_are_read_off_an_index),
		SHELF_TEST(names_are_told_apart),
		SHELF_TEST(a_value_too_many_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
