/*
 * A store into another, on the engine of the test and SQLite: whole, row by
 * row, resumable, and into a new one alone.
 */
#include "fixture.h"
#include "store/copy.h"
#include "store/db_admin.h"
#include "store/events.h"

enum { MANY = 2500 };

/* A copy under way. */
struct pair {
	char dir[64], file[ENGINE_ADDRESS_MAX];
	struct db *from, *to;
	struct copy copy;
	char text[DB_MESSAGE_MAX];
	struct buf message;
	int batches, stop_after;
};

static enum dk_err
open_to(struct pair *p, const char *file, bool copying)
{
	const struct db_options options = { .database = str_from(file),
		.create = copying,
		.migrate = copying,
		.copying = copying };

	BUF_OVER(&p->message, p->text);
	return db_open(&p->to, &options, &p->message);
}

static void
count_batches(void *arg, const char *doing, int64_t done)
{
	struct pair *p = arg;

	assert_non_null(doing);
	assert_true(done >= 0);
	/* As if it were killed, in the middle of everything. */
	if (++p->batches == p->stop_after)
		_exit(77);
}

static void
pair_open(struct pair *p, struct db *from, const char *to)
{
	p->from = from;
	if (open_to(p, to, true) != DK_OK)
		fail_msg("%s", p->text);
	assert_int_equal(copy_open(&p->copy, p->from, p->to), DK_OK);
	p->copy.progress = count_batches;
	p->copy.arg = p;
}

static void
pair_close(struct pair *p)
{
	copy_close(&p->copy);
	db_close(p->to);
	p->to = NULL;
}

static void
copy_all(struct pair *p, struct db *from, const char *to)
{
	bool same;

	pair_open(p, from, to);
	assert_int_equal(copy_begin(&p->copy), DK_OK);
	if (copy_rows(&p->copy, &p->message) != DK_OK ||
	    copy_verify(&p->copy, &same, &p->message) != DK_OK)
		fail_msg("%s", p->text);
	assert_true(same);
}

/* Rows that only differ where engines might. */
static void
fill(struct shelf *s)
{
	static const char *const rows[] = {
		"INSERT INTO settings (name, value) VALUES ('k', x'00ff0061')",
		"INSERT INTO users (id, username, username_key, display_name, "
		"email, password_hash, created_at, disabled_at, disabled) "
		"VALUES (9223372036854775807, 'Ada', 'ada', 'Ada L\xc3\xb6we "
		"\xf0\x9f\x99\x82', 'a''b\\c@example.org', '$x$', 7, 8, 1)",
		"INSERT INTO users (id, username, username_key, created_at) "
		"VALUES (1, 'bob', 'bob', -5)",
		"INSERT INTO user_groups VALUES (1, 'staff'), (1, 'St\xc3\xa4"
		"dte'), (9223372036854775807, 'staff'), (1, 'STAFF')",
		"INSERT INTO devices VALUES (x'00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff', 1, 3, 4), "
		"(x'00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff', 9223372036854775807, 3, 4)",
		"INSERT INTO one_use_links VALUES (1, "
		"x'ff112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff', 3, 4)",
		"INSERT INTO second_factors VALUES (1, x'', NULL, 0)",
		"INSERT INTO recovery_codes VALUES (1, "
		"x'ff112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddee00')",
		"INSERT INTO throttle VALUES "
		"(x'00112233445566778899aabbccddeeff', "
		"x'ff112233445566778899aabbccddeeff', 3, 4, 5)",
		"INSERT INTO hours VALUES (3600000, 1, 2, 3, 1)",
		"INSERT INTO session_samples VALUES (1, NULL), (2, 0)",
		"INSERT INTO events (id, at, event, outcome, actor) "
		"VALUES (41, 1, 'sign_in', '', 'web')",
		"INSERT INTO events (id, at, event, outcome, actor, detail, ip)"
		" VALUES (40, 1, 'sign_in', 'success', 'web', '', 'x')",
		"INSERT INTO markers VALUES ('a', 'b', 0)",
		"INSERT INTO handoffs VALUES "
		"(x'00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff', 'b', 'https://x', "
		"x'00112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff', 9)",
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		(void)shelf_sql(s, rows[i]);
}

static void
fill_sessions(struct shelf *s)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < %d) INSERT INTO sessions SELECT printf('%%08d', i) || "
	    "'-1111-4222-8333-444455556666', "
	    "CAST(x'00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff' AS BLOB), 1, i, i, i, i, 0, 1, "
	    "0, '::1', 'Browser', 'h', CASE i %% 2 WHEN 1 THEN 'f' END "
	    "FROM n",
	    MANY);
	(void)shelf_sql(s, sql);
}

static int64_t
rows_of(const struct pair *p, const char *table, int side)
{
	size_t i;

	for (i = 0; i < COPY_TABLES; i++)
		if (strcmp(p->copy.tally[i].table, table) == 0)
			return p->copy.tally[i].rows[side];
	fail_msg("%s is not copied", table);
	return -1;
}

/* A directory beside the shelf's; it ends as engine_address() wants it. */
static void
other_place(struct pair *p)
{
	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/doorkeep-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	engine_address(p->dir, p->file);
}

static void
other_place_gone(struct pair *p)
{
	char path[128];

	engine_drop(p->file);
	(void)snprintf(path, sizeof(path), "%s/store.db", p->dir);
	(void)unlink(path);
	(void)rmdir(p->dir);
}

/* DK-Z-08: there and back, and nothing has changed on the way. */
static void
goes_to_sqlite_and_back(void **state)
{
	struct shelf *s = *state;
	struct pair there = { .from = NULL }, back = { .from = NULL };
	char file[128];
	const struct event_row event = { .at_ms = NOW,
		.event = STR("sign_in"),
		.outcome = STR("success"),
		.actor = STR("web") };
	size_t i;

	(void)snprintf(file, sizeof(file), "%s/other.db", s->dir);
	fill(s);
	fill_sessions(s);
	copy_all(&there, s->db, file);
	assert_int_equal(there.copy.rows, MANY + 20);
	assert_int_equal(rows_of(&there, "sessions", 1), MANY);
	assert_int_equal(rows_of(&there, "user_groups", 1), 4);
	other_place(&back);
	copy_all(&back, there.to, back.file);
	for (i = 0; i < COPY_TABLES; i++) {
		assert_true(there.copy.tally[i].rows[0] > 0);
		assert_true(digest_eq(&there.copy.tally[i].digest[0],
		    &back.copy.tally[i].digest[1]));
	}
	pair_close(&back);
	pair_close(&there);
	/* In use now; ids go on behind those that came. */
	assert_int_equal(shelf_try(s, back.file, false, false), DK_OK);
	assert_int_equal(events_add(s->db, &event), DK_OK);
	assert_int_equal(engine_sql(back.file, "SELECT max(id) FROM events"),
	    42);
	db_close(s->db);
	s->db = NULL;
	other_place_gone(&back);
}

/* Runs the copy in a child that dies after so many batches. */
static void
copy_until_killed(struct shelf *s, const char *to, int stop_after)
{
	struct pair p = { .stop_after = stop_after };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		engine_child();
		s->db = NULL; /* the parent's */
		shelf_reopen(s);
		copy_all(&p, s->db, to);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 77);
}

/* Killed anywhere, with a source that goes on changing in between. */
static void
goes_on_where_it_was_killed(void **state)
{
	/* Two people swap their names, one goes and comes back as another
	 * row, sessions come, go and change at every place of the table. */
	static const char *const changes[] = {
		"UPDATE users SET username = 'x', username_key = 'x' "
		"WHERE id = 1",
		"UPDATE users SET username = 'bob', username_key = 'bob' "
		"WHERE id = 9223372036854775807",
		"UPDATE users SET username = 'ada', username_key = 'ada' "
		"WHERE id = 1",
		"DELETE FROM sessions WHERE created_at < 20",
		"UPDATE sessions SET last_seen_at = 99 WHERE created_at = 1500",
		"DELETE FROM sessions WHERE created_at > 2490",
		"DELETE FROM user_groups WHERE group_name = 'STAFF'",
		"UPDATE one_use_links SET user_id = 9223372036854775807",
		"DELETE FROM events WHERE id = 40",
		"DELETE FROM settings",
	};
	struct shelf *s = *state;
	struct pair p = { .from = NULL };
	char file[128];
	size_t i;

	(void)snprintf(file, sizeof(file), "%s/other.db", s->dir);
	fill(s);
	fill_sessions(s);
	for (i = 1; i < 14; i += 3) {
		copy_until_killed(s, file, (int)i);
		assert_int_equal(open_to(&p, file, false), DK_ERR_STORE);
		assert_non_null(strstr(p.text, "unfinished copy"));
	}
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		(void)shelf_sql(s, changes[i]);
		copy_until_killed(s, file, 2 + (int)i);
	}
	shelf_reopen(s);
	copy_all(&p, s->db, file);
	assert_int_equal(rows_of(&p, "sessions", 1), MANY - 29);
	assert_int_equal(rows_of(&p, "settings", 1), 0);
	pair_close(&p);
	/* Whole: it opens, and is no target any more. */
	assert_int_equal(open_to(&p, file, false), DK_OK);
	db_close(p.to);
	pair_open(&p, s->db, file);
	assert_int_equal(copy_begin(&p.copy), DK_ERR_DENIED);
	pair_close(&p);
}

static void
a_store_in_use_is_no_target(void **state)
{
	static const char *const rows[] = {
		"INSERT INTO users (id, username, username_key, created_at) "
		"VALUES (1, 'bob', 'bob', 5)",
		"INSERT INTO events (at, event, outcome, actor) "
		"VALUES (1, 'sign_in', 'failure', 'web')",
	};
	static const char *const away[] = { "DELETE FROM users",
		"DELETE FROM events" };
	struct shelf *s = *state;
	struct pair p = { .from = NULL };
	struct db *from = NULL;
	char file[128];
	size_t i;

	(void)snprintf(file, sizeof(file), "%s/other.db", s->dir);
	assert_int_equal(shelf_try(s, file, true, false), DK_OK);
	from = s->db;
	s->db = NULL;
	for (i = 0; i < 2; i++) {
		(void)shelf_sql(s, rows[i]);
		pair_open(&p, from, s->file);
		assert_int_equal(copy_begin(&p.copy), DK_ERR_DENIED);
		pair_close(&p);
		/* It stays what it was. */
		shelf_reopen(s);
		assert_int_equal(
		    db_schema_version(s->db), db_schema_newest(s->db));
		db_close(s->db);
		s->db = NULL;
		(void)shelf_sql(s, away[i]);
	}
	copy_all(&p, from, s->file);
	pair_close(&p);
	db_close(from);
}

/* Somebody writes while it is copied, to either side. */
static void
a_difference_is_found_and_made_good(void **state)
{
	struct shelf *s = *state;
	struct pair p = { .from = NULL };
	char file[128];
	bool same = true;

	(void)snprintf(file, sizeof(file), "%s/other.db", s->dir);
	fill(s);
	pair_open(&p, s->db, file);
	assert_int_equal(copy_begin(&p.copy), DK_OK);
	assert_int_equal(copy_rows(&p.copy, &p.message), DK_OK);
	(void)shelf_sql(s, "UPDATE users SET email = 'x' WHERE id = 1");
	assert_int_equal(copy_verify(&p.copy, &same, &p.message), DK_OK);
	assert_false(same);
	assert_true(db_is_copying(p.to));
	assert_int_equal(copy_rows(&p.copy, &p.message), DK_OK);
	(void)engine_sql(file, "INSERT INTO session_samples VALUES (3, 0)");
	assert_int_equal(copy_verify(&p.copy, &same, &p.message), DK_OK);
	assert_false(same);
	assert_int_equal(copy_rows(&p.copy, &p.message), DK_OK);
	assert_int_equal(copy_verify(&p.copy, &same, &p.message), DK_OK);
	assert_true(same);
	assert_false(db_is_copying(p.to));
	pair_close(&p);
}

/* Only a shell puts it there; PostgreSQL would not have it. */
static void
a_text_that_is_none_is_named(void **state)
{
	struct shelf *s = *state;
	struct pair p = { .from = NULL };
	struct db *from = NULL;
	char file[128];

	(void)snprintf(file, sizeof(file), "%s/other.db", s->dir);
	assert_int_equal(shelf_try(s, file, true, false), DK_OK);
	from = s->db;
	s->db = NULL;
	(void)engine_sql(file,
	    "INSERT INTO events (at, event, outcome, actor) "
	    "VALUES (1, CAST(x'61ff' AS TEXT), 'failure', 'web')");
	pair_open(&p, from, s->file);
	assert_int_equal(copy_begin(&p.copy), DK_OK);
	assert_int_equal(copy_rows(&p.copy, &p.message), DK_ERR_INTERNAL);
	assert_non_null(strstr(p.text, "table events: "));
	assert_non_null(strstr(p.text, "UTF-8"));
	pair_close(&p);
	db_close(from);
}

/* A migration that adds a column or a table has to add it here. */
static void
every_column_of_every_table_is_copied(void **state)
{
	struct shelf *s = *state;
	sqlite3_stmt *tables = NULL, *st = NULL;
	char file[128], name[96], sql[160];
	sqlite3 *db = NULL;
	int n = 0, q, i;

	(void)snprintf(file, sizeof(file), "%s/other.db", s->dir);
	assert_int_equal(shelf_try(s, file, true, false), DK_OK);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "SELECT name FROM sqlite_master WHERE type = "
			     "'table' AND name NOT LIKE 'sqlite_%'",
			     -1, &tables, NULL),
	    SQLITE_OK);
	while (sqlite3_step(tables) == SQLITE_ROW) {
		const char *table =
		    (const char *)sqlite3_column_text(tables, 0);

		n++;
		(void)snprintf(name, sizeof(name), "copy_%s_read", table);
		for (q = 0; q < QUERY_COUNT; q++)
			if (strcmp(query_texts[q].name, name) == 0)
				break;
		if (q == QUERY_COUNT)
			fail_msg("%s is not copied", table);
		assert_int_equal(sqlite3_prepare_v2(
				     db, query_texts[q].sql, -1, &st, NULL),
		    SQLITE_OK);
		for (i = 0; i < sqlite3_column_count(st); i++) {
			(void)snprintf(sql, sizeof(sql),
			    "SELECT count(*) FROM pragma_table_info('%s') "
			    "WHERE name = '%s'",
			    table, sqlite3_column_name(st, i));
			assert_int_equal(engine_sql(file, sql), 1);
		}
		(void)snprintf(sql, sizeof(sql),
		    "SELECT count(*) FROM pragma_table_info('%s')", table);
		if (engine_sql(file, sql) != sqlite3_column_count(st))
			fail_msg("not all columns of %s are copied", table);
		(void)sqlite3_finalize(st);
	}
	(void)sqlite3_finalize(tables);
	(void)sqlite3_close(db);
	assert_int_equal(n, COPY_TABLES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(goes_to_sqlite_and_back),
		SHELF_TEST(goes_on_where_it_was_killed),
		SHELF_TEST(a_store_in_use_is_no_target),
		SHELF_TEST(a_difference_is_found_and_made_good),
		SHELF_TEST(a_text_that_is_none_is_named),
		SHELF_TEST(every_column_of_every_table_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
