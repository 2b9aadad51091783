/* Opening, refusing, migrating, copying a store, and what it says in
 * trouble. */
#include "fixture.h"
#include "store/db_admin.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "store/db_ops.h"
#include "store/events.h"
#include "store/sqlite.h"

enum { NOBODY = 65534 };

static mode_t
mode_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st.st_mode & 07777;
}

static const char *
beside(const struct shelf *s, const char *suffix, char path[160])
{
	(void)snprintf(path, 160, "%s%s", s->file, suffix);
	return path;
}

static enum dk_err
count_users(struct shelf *s, int64_t *n)
{
	return users_count(s->db, n);
}

/* --- what stands after opening ---------------------------------------------
 */

static int64_t
pragma(struct sqlite *s, const char *name)
{
	char sql[64];
	int64_t n = -1;

	(void)snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	assert_int_equal(sqlite_number(s->handle, sql, &n), DK_OK);
	return n;
}

/* The engine itself, to look at what the layer above hides. */
static struct sqlite *
open_engine(struct shelf *s)
{
	const struct db_options options = { .database = str_from(s->file) };
	void *engine = NULL;

	BUF_OVER(&s->message, s->text);
	if (db_sqlite_ops.open(&engine, &options, &s->message) != DK_OK)
		fail_msg("%s", s->text);
	return engine;
}

/* DK-Z-05 */
static void
sets_the_connection_up_for_safety(void **state)
{
	static const struct {
		const char *name;
		int64_t value;
	} want[] = { { "foreign_keys", 1 }, { "secure_delete", 1 },
		{ "synchronous", 2 }, { "trusted_schema", 0 },
		{ "cell_size_check", 1 }, { "temp_store", 2 },
		{ "application_id", SQLITE_APPLICATION_ID } };
	struct shelf *s = *state;
	struct sqlite *engine = open_engine(s);
	sqlite3_stmt *st = NULL;
	size_t i;
	int on = -1;

	(void)sqlite3_set_authorizer(engine->handle, NULL, NULL);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (pragma(engine, want[i].name) != want[i].value)
			fail_msg("%s", want[i].name);
	assert_int_equal(pragma(engine, "user_version"), migrations_newest());
	assert_int_equal(sqlite3_prepare_v2(engine->handle,
			     "PRAGMA journal_mode", -1, &st, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(st, 0), "wal");
	(void)sqlite3_finalize(st);
	assert_int_equal(sqlite3_db_config(engine->handle,
			     SQLITE_DBCONFIG_DEFENSIVE, -1, &on),
	    SQLITE_OK);
	assert_int_equal(on, 1);
	db_sqlite_ops.close(engine);
}

static void
refuses_to_change_the_schema_once_open(void **state)
{
	static const char *const denied[] = { "DROP TABLE users",
		"CREATE TABLE x (y)", "ALTER TABLE users ADD COLUMN x",
		"CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM"
		" users; END",
		"DROP TRIGGER users_disable", "CREATE TEMP TABLE x (y)",
		"CREATE VIEW v AS SELECT 1", "DROP VIEW active_sessions",
		"CREATE INDEX i ON users (email)", "DROP INDEX events_at",
		"PRAGMA foreign_keys = OFF", "PRAGMA user_version = 0",
		"PRAGMA writable_schema = ON", "ATTACH '/tmp/x' AS x",
		"DETACH main", "REINDEX", "ANALYZE",
		"VACUUM INTO '/tmp/doorkeep-test-vacuum'",
		"UPDATE sqlite_master SET sql = ''",
		"SELECT load_extension('/tmp/x.so')" };
	static const char *const allowed[] = { "SELECT count(*) FROM users",
		"BEGIN", "DELETE FROM events", "COMMIT" };
	struct shelf *s = *state;
	struct sqlite *engine = open_engine(s);
	size_t i;

	for (i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
		if (sqlite3_exec(engine->handle, denied[i], NULL, NULL, NULL) ==
		    SQLITE_OK)
			fail_msg("%s", denied[i]);
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (sqlite3_exec(engine->handle, allowed[i], NULL, NULL,
			NULL) != SQLITE_OK)
			fail_msg("%s", allowed[i]);
	/* What looks at the schema locks it again. */
	assert_int_equal(
	    db_sqlite_ops.schema_version(engine), migrations_newest());
	assert_int_not_equal(
	    sqlite3_exec(engine->handle, denied[0], NULL, NULL, NULL),
	    SQLITE_OK);
	db_sqlite_ops.close(engine);
}

/* DK-G-10 */
static void
makes_files_for_its_owner_alone(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct shelf *s = *state;
	mode_t before = umask(0);
	char path[160];
	size_t i;

	assert_int_equal(shelf_try(s, s->file, true, false), DK_OK);
	shelf_add_user(s, 1, "alice");
	for (i = 0; i < 3; i++)
		assert_int_equal(mode_of(beside(s, suffixes[i], path)), 0600);
	BUF_OVER(&s->message, s->text);
	(void)beside(s, ".copy", path);
	assert_int_equal(db_backup(s->db, str_from(path), &s->message), DK_OK);
	assert_int_equal(mode_of(path), 0600);
	/* Ours was back in place meanwhile. */
	assert_int_equal(umask(before), 0);
}

/* DK-G-10 */
static void
refuses_files_that_others_can_read(void **state)
{
	static const struct {
		const char *suffix;
		mode_t mode;
		bool fine;
	} cases[] = { { "", 0600, true }, { "", 0640, true },
		{ "", 0400, true }, { "", 0604, false }, { "", 0644, false },
		{ "", 0660, false }, { "", 0602, false }, { "", 0601, false },
		{ "", 0666, false }, { "-wal", 0644, false },
		{ "-shm", 0644, false }, { "-wal", 0600, true } };
	struct shelf *s = *state;
	char path[160];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		db_close(s->db);
		s->db = NULL;
		(void)beside(s, cases[i].suffix, path);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(fchmod(fd, cases[i].mode), 0);
		(void)close(fd);
		if ((geteuid() == 0 || cases[i].mode != 0400) &&
		    (shelf_try(s, s->file, false, false) == DK_OK) !=
			cases[i].fine)
			fail_msg("%s %o: %s", cases[i].suffix, cases[i].mode,
			    s->text);
		if (!cases[i].fine)
			assert_non_null(strstr(s->text, "chmod"));
		assert_int_equal(chmod(path, 0600), 0);
	}
}

/* --- what is refused ---------------------------------------------------------
 */

static void
write_file(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, text, n) == (ssize_t)n);
	(void)close(fd);
}

static void
expect_refusal(
    struct shelf *s, const char *file, bool create, const char *words)
{
	assert_int_not_equal(shelf_try(s, file, create, create), DK_OK);
	assert_null(s->db);
	if (strstr(s->text, words) == NULL)
		fail_msg("%s: %s", file, s->text);
}

static void
says_what_is_wrong_with_the_name_of_a_store(void **state)
{
	struct shelf *s = *state;
	char path[160], longer[SQLITE_PATH_MAX + 8];

	expect_refusal(s, s->file, false, "doorkeep init");
	(void)snprintf(path, sizeof(path), "%s/none/store.db", s->dir);
	expect_refusal(s, path, false, "there is no store");
	expect_refusal(s, path, true, "directory must exist");
	expect_refusal(s, s->dir, false, "is not a file");
	(void)snprintf(path, sizeof(path), "%s/fifo", s->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refusal(s, path, true, "is not a file");
	(void)snprintf(path, sizeof(path), "%s/text", s->dir);
	write_file(path,
	    "The quick brown fox jumps over the lazy dog, and "
	    "then over a hundred more of them, to be longer.",
	    97);
	expect_refusal(s, path, true, "file is not a database");
	expect_refusal(s, "postgresql://127.0.0.1:1/db", true,
	    "[store] database");
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	expect_refusal(s, longer, true, "too long");
	/* A link into nowhere is not followed and filled. */
	(void)snprintf(path, sizeof(path), "%s/link", s->dir);
	assert_int_equal(symlink("target", path), 0);
	expect_refusal(s, path, true, "");
	(void)snprintf(path, sizeof(path), "%s/target", s->dir);
	assert_int_equal(access(path, F_OK), -1);
}

static void
refuses_the_database_of_another_program(void **state)
{
	struct shelf *s = *state;
	char path[160];

	(void)beside(s, ".other", path);
	write_file(path, "", 0);
	(void)engine_sql(path, "CREATE TABLE users (id)");
	expect_refusal(s, path, true, "another program");
	(void)engine_sql(path, "DROP TABLE users");
	(void)engine_sql(path, "PRAGMA application_id = 77");
	expect_refusal(s, path, true, "another program");
	/* Nothing was done to it. */
	assert_int_equal(
	    engine_sql(path, "SELECT count(*) FROM sqlite_master"), 0);
	/* An empty one may become ours. */
	(void)engine_sql(path, "PRAGMA application_id = 0");
	expect_refusal(s, path, false, "doorkeep db migrate");
	assert_int_equal(shelf_try(s, path, true, false), DK_OK);
}

static void
an_existing_store_is_opened_and_not_made_anew(void **state)
{
	struct shelf *s = *state;
	int64_t n;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(shelf_try(s, s->file, true, true), DK_OK);
	assert_int_equal(count_users(s, &n), DK_OK);
	assert_int_equal(n, 1);
}

/* --- migrations (DK-Z-07)
 * -------------------------------------------------------- */

/* A store as the first version left it, with one user. */
static void
make_older(struct shelf *s)
{
	sqlite3 *db = NULL;
	char sql[96];

	write_file(s->file, "", 0);
	assert_int_equal(sqlite3_open(s->file, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, migrations_text(1), NULL, NULL, NULL), SQLITE_OK);
	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA application_id = %d; PRAGMA user_version = 1",
	    SQLITE_APPLICATION_ID);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	(void)shelf_sql(s,
	    "INSERT INTO users (id, username, username_key,"
	    " created_at) VALUES (1, 'alice', 'alice', 1)");
}

static void
migrations_are_numbered_without_a_gap(void **state)
{
	int n;

	(void)state;
	assert_true(migrations_newest() >= 2);
	assert_null(migrations_text(0));
	for (n = 1; n <= migrations_newest(); n++)
		assert_non_null(migrations_text(n));
	assert_null(migrations_text(migrations_newest() + 1));
}

static void
refuses_a_newer_schema_and_leaves_it_alone(void **state)
{
	struct shelf *s = *state;

	shelf_add_user(s, 1, "alice");
	db_close(s->db);
	s->db = NULL;
	(void)shelf_sql(s, "PRAGMA user_version = 9999");
	expect_refusal(s, s->file, false, "newer doorkeep");
	expect_refusal(s, s->file, true, "newer doorkeep");
	assert_int_equal(shelf_sql(s, "PRAGMA user_version"), 9999);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM users"), 1);
}

static void
migrates_an_older_schema_only_when_told_to(void **state)
{
	struct shelf *s = *state;
	char copy[160];
	bool sound;

	make_older(s);
	expect_refusal(s, s->file, false, "doorkeep db migrate");
	assert_int_equal(shelf_sql(s, "PRAGMA user_version"), 1);
	write_file(beside(s, ".before-0002.part", copy), "cut", 3);
	write_file(beside(s, ".before-0002", copy), "old", 3);
	assert_int_equal(shelf_try(s, s->file, false, true), DK_OK);
	assert_int_equal(db_schema_version(s->db), migrations_newest());
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM users"), 1);
	BUF_OVER(&s->message, s->text);
	assert_int_equal(db_check(s->db, &sound, &s->message), DK_OK);
	assert_true(sound);
	/* As it was, beside it; what an earlier attempt left is in nobody's
	 * way. */
	(void)beside(s, ".before-0002", copy);
	assert_int_equal(mode_of(copy), 0600);
	assert_int_equal(engine_sql(copy, "PRAGMA user_version"), 1);
	assert_int_equal(engine_sql(copy, "SELECT count(*) FROM users"), 1);
}

/* A migration that fails in the middle has done nothing. */
static void
a_migration_happens_whole_or_not_at_all(void **state)
{
	struct shelf *s = *state;

	make_older(s);
	/* The second one makes a table of this name late in its text. */
	(void)shelf_sql(s, "CREATE TABLE recovery_codes (x)");
	expect_refusal(s, s->file, true, "recovery_codes");
	assert_int_equal(shelf_sql(s, "PRAGMA user_version"), 1);
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM sqlite_master WHERE name ="
			     " 'settings'"),
	    0);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM users"), 1);
}

static bool
migrate_it(struct shelf *s, int number)
{
	(void)number;
	if (shelf_try(s, s->file, false, true) == DK_OK)
		return db_schema_version(s->db) == migrations_newest();
	(void)fprintf(stderr, "%s\n", s->text);
	return false;
}

static bool
create_it(struct shelf *s, int number)
{
	(void)number;
	if (shelf_try(s, s->file, true, false) == DK_OK)
		return db_schema_version(s->db) == migrations_newest();
	(void)fprintf(stderr, "%s\n", s->text);
	return false;
}

static void
many_may_migrate_at_once(void **state)
{
	struct shelf *s = *state;
	char copy[160];
	int round;

	for (round = 0; round < 5; round++) {
		make_older(s);
		assert_int_equal(shelf_parallel(s, 8, migrate_it), 8);
		/* The copy is of before, whoever made it. */
		(void)beside(s, ".before-0002", copy);
		assert_int_equal(engine_sql(copy, "PRAGMA user_version"), 1);
		assert_int_equal(
		    engine_sql(copy, "SELECT count(*) FROM users"), 1);
		assert_int_equal(unlink(copy), 0);
		assert_int_equal(unlink(s->file), 0);
	}
}

static void
many_may_make_a_store_at_once(void **state)
{
	struct shelf *s = *state;
	int64_t n;
	int round;

	for (round = 0; round < 10; round++) {
		(void)snprintf(s->file, sizeof(s->file), "%s/store%d.db",
		    s->dir, round);
		assert_int_equal(shelf_parallel(s, 8, create_it), 8);
	}
	shelf_reopen(s);
	assert_int_equal(count_users(s, &n), DK_OK);
}

/* --- trouble while it is open
 * ------------------------------------------------------ */

static void
waits_for_a_lock_as_long_as_told_and_goes_on_after_it(void **state)
{
	struct shelf *s = *state, other = { .db = NULL };
	struct user_row row;
	int64_t before, took;
	bool found;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(shelf_try(&other, s->file, false, false), DK_OK);
	assert_int_equal(db_begin(other.db, DB_WRITE), DK_OK);
	db_set_wait(s->db, 0);
	before = clock_monotonic_ms();
	assert_int_equal(
	    users_set_password(s->db, 1, STR("x"), false, NOW), DK_ERR_BUSY);
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_ERR_BUSY);
	assert_true(clock_monotonic_ms() - before < 1000);
	db_set_wait(s->db, 100);
	before = clock_monotonic_ms();
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_ERR_BUSY);
	took = clock_monotonic_ms() - before;
	assert_true(took >= 90 && took < 5000);
	/* Reading goes on. */
	assert_int_equal(users_get(s->db, STR("alice"), &row, &found), DK_OK);
	assert_true(found);
	assert_int_equal(db_commit(other.db), DK_OK);
	assert_int_equal(
	    users_set_password(s->db, 1, STR("x"), false, NOW), DK_OK);
	db_close(other.db);
}

static void
knows_when_its_file_is_gone_or_another(void **state)
{
	struct shelf *s = *state;
	char path[160], other[160];

	assert_false(db_is_stale(s->db));
	(void)beside(s, ".away", path);
	assert_int_equal(rename(s->file, path), 0);
	assert_true(db_is_stale(s->db));
	assert_int_equal(rename(path, s->file), 0);
	assert_false(db_is_stale(s->db));
	/* Restored from a copy: the same name, another file. */
	BUF_OVER(&s->message, s->text);
	(void)beside(s, ".copy", other);
	assert_int_equal(db_backup(s->db, str_from(other), &s->message), DK_OK);
	assert_int_equal(rename(other, s->file), 0);
	assert_true(db_is_stale(s->db));
}

/* Overwrite all pages from the given one on. */
static void
damage(struct shelf *s, off_t from)
{
	static const char junk[4096] = { 0x5a, 0x01, 0x02 };
	int fd = open(s->file, O_WRONLY | O_CLOEXEC);
	off_t at, size;

	assert_true(fd >= 0);
	size = lseek(fd, 0, SEEK_END);
	assert_true(size > from * 4096);
	for (at = from * 4096; at < size; at += 4096)
		assert_int_equal(
		    pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	(void)close(fd);
}

/* DK-A-04 */
static void
a_damaged_store_is_an_error_and_never_an_answer(void **state)
{
	struct shelf *s = *state;
	struct session_row row;
	struct session_view view;
	bool found = true, sound = true;
	unsigned i, whole = 0;
	off_t pages;

	shelf_add_user(s, 1, "alice");
	pages = (off_t)shelf_sql(s, "PRAGMA page_count");
	for (i = 0; i < 500; i++) {
		row = shelf_session(1, i);
		shelf_add_session(s, &row);
	}
	db_close(s->db);
	s->db = NULL;
	damage(s, pages);
	shelf_reopen(s);
	for (i = 0; i < 500; i++) {
		enum dk_err err;

		row = shelf_session(1, i);
		err = sessions_get(s->db, str_from(row.id), &view, &found);
		if (err == DK_OK && found) {
			assert_string_equal(view.session.id, row.id);
			whole++;
		} else {
			assert_int_equal(err, DK_ERR_STORE);
			assert_false(found);
		}
	}
	assert_true(whole < 500);
	BUF_OVER(&s->message, s->text);
	if (db_check(s->db, &sound, &s->message) == DK_OK)
		assert_true(s->message.len > 0);
	assert_false(sound);
}

static void
a_store_without_its_schema_is_refused(void **state)
{
	struct shelf *s = *state;

	db_close(s->db);
	s->db = NULL;
	damage(s, 1);
	expect_refusal(s, s->file, false, "restore it from a backup");
}

static void
finds_what_belongs_to_nobody(void **state)
{
	struct shelf *s = *state;
	bool sound;

	BUF_OVER(&s->message, s->text);
	assert_int_equal(db_check(s->db, &sound, &s->message), DK_OK);
	assert_true(sound);
	assert_int_equal(s->message.len, 0);
	(void)shelf_sql(s, "INSERT INTO user_groups VALUES (99, 'ghosts')");
	assert_int_equal(db_check(s->db, &sound, &s->message), DK_OK);
	assert_false(sound);
	assert_non_null(strstr(s->text, "user_groups"));
	/* And the schema is locked as before. */
	shelf_add_user(s, 1, "alice");
}

/* In a process of its own: fn says true when all is as it should be. */
static bool
in_child(struct shelf *s, bool (*fn)(struct shelf *s))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		s->db = NULL;
		_exit(fn(s) ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
}

static void
limit_files_to(rlim_t size)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* A full disk is a write that fails; here the largest file is. */
static bool
write_on_a_full_disk(struct shelf *s)
{
	struct session_row row;
	struct rlimit before;
	enum dk_err err = DK_OK;
	unsigned i;
	int64_t n;

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &before);
	if (shelf_try(s, s->file, false, false) != DK_OK)
		return false;
	limit_files_to(200000);
	for (i = 0; err == DK_OK && i < 1000; i++) {
		row = shelf_session(1, i);
		err = sessions_add(s->db, &row);
	}
	/* The error is the store's, reads go on, the rest recovers. */
	if (err != DK_ERR_STORE || i == 1000 ||
	    db_begin(s->db, DB_WRITE) != DK_OK ||
	    db_end(s->db, sessions_add(s->db, &row)) != DK_ERR_STORE ||
	    sessions_count(s->db, NOW, &n) != DK_OK || n != i - 1)
		return false;
	limit_files_to(before.rlim_cur);
	return sessions_add(s->db, &row) == DK_OK &&
	    sessions_count(s->db, NOW, &n) == DK_OK && n == i;
}

/* DK-A-04 */
static void
a_full_disk_is_an_error_that_passes(void **state)
{
	struct shelf *s = *state;
	bool sound;

	shelf_add_user(s, 1, "alice");
	assert_true(in_child(s, write_on_a_full_disk));
	BUF_OVER(&s->message, s->text);
	assert_int_equal(db_check(s->db, &sound, &s->message), DK_OK);
	assert_true(sound);
}

/* Root may write whatever the mode says. */
static bool
be_nobody(struct shelf *s)
{
	if (geteuid() != 0)
		return true;
	return chown(s->dir, NOBODY, NOBODY) == 0 &&
	    chown(s->file, NOBODY, NOBODY) == 0 && setgroups(0, NULL) == 0 &&
	    setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

static bool
open_what_may_not_be_written(struct shelf *s)
{
	struct user_row row = { .id = 2, .username = "bob" };
	enum dk_err err;

	if (!be_nobody(s) || chmod(s->file, 0400) != 0 ||
	    chmod(s->dir, 0500) != 0)
		return false;
	err = shelf_try(s, s->file, false, false);
	/* Refused at once with the reason, not at the first sign-in. */
	if (err != DK_ERR_STORE || strstr(s->text, "writable") == NULL) {
		(void)fprintf(stderr, "%d: %s\n", (int)err, s->text);
		return false;
	}
	if (chmod(s->dir, 0700) != 0 || chmod(s->file, 0600) != 0)
		return false;
	return shelf_try(s, s->file, false, false) == DK_OK &&
	    users_add(s->db, &row, STR("bob")) == DK_OK;
}

/* People go on reading; the connection is made anew once it can write. */
static bool
open_with_the_file_alone_read_only(struct shelf *s)
{
	struct user_row row = { .id = 3, .username = "carol" };
	bool found;

	if (!be_nobody(s) || chmod(s->file, 0400) != 0 ||
	    shelf_try(s, s->file, false, false) != DK_OK ||
	    users_get(s->db, STR("alice"), &row, &found) != DK_OK || !found ||
	    db_is_stale(s->db))
		return false;
	(void)snprintf(row.username, sizeof(row.username), "carol");
	row.id = 3;
	if (users_add(s->db, &row, STR("carol")) != DK_ERR_STORE ||
	    chmod(s->file, 0600) != 0 || !db_is_stale(s->db))
		return false;
	return shelf_try(s, s->file, false, false) == DK_OK &&
	    !db_is_stale(s->db) &&
	    users_add(s->db, &row, STR("carol")) == DK_OK;
}

static bool
open_what_may_not_be_read(struct shelf *s)
{
	if (!be_nobody(s) || chmod(s->file, 0) != 0 ||
	    shelf_try(s, s->file, false, false) == DK_OK ||
	    strstr(s->text, "readable and writable") == NULL)
		return false;
	return chmod(s->file, 0600) == 0 && chmod(s->dir, 0) == 0 &&
	    shelf_try(s, s->file, false, false) == DK_ERR_STORE &&
	    strstr(s->text, "every directory above") != NULL;
}

static void
a_store_without_permission_says_so_at_start(void **state)
{
	struct shelf *s = *state;

	shelf_add_user(s, 1, "alice");
	db_close(s->db);
	s->db = NULL;
	assert_true(in_child(s, open_what_may_not_be_written));
	assert_true(in_child(s, open_with_the_file_alone_read_only));
	assert_int_equal(chmod(s->file, 0600), 0);
	assert_true(in_child(s, open_what_may_not_be_read));
	assert_int_equal(chmod(s->dir, 0700), 0);
	assert_int_equal(chmod(s->file, 0600), 0);
}

static size_t
count_in(const char *text, const char *word)
{
	size_t n = 0;

	while ((text = strstr(text, word)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* The cause is logged once when it begins and once when it is over. */
static bool
log_trouble(struct shelf *s)
{
	struct log log;
	const struct db_options options = { .database = str_from(s->file),
		.log = &log };
	struct user_row row;
	char text[4096];
	ssize_t n;
	bool found;
	int fd, i;

	fd = open(s->dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	log_open(&log, LOG_TO_STDERR, LOG_AS_TEXT);
	BUF_OVER(&s->message, s->text);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 ||
	    db_open(&s->db, &options, &s->message) != DK_OK)
		return false;
	(void)shelf_sql(s, "UPDATE users SET disabled = 0");
	(void)shelf_sql(s, "ALTER TABLE users RENAME TO users_away");
	for (i = 0; i < 3; i++)
		if (users_get(s->db, STR("alice"), &row, &found) !=
		    DK_ERR_STORE)
			return false;
	(void)shelf_sql(s, "ALTER TABLE users_away RENAME TO users");
	for (i = 0; i < 3; i++)
		if (users_get(s->db, STR("alice"), &row, &found) != DK_OK)
			return false;
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return count_in(text, "store_error") == 1 &&
	    count_in(text, "store_recovered") == 1 &&
	    strstr(text, "no such table") != NULL &&
	    strstr(text, "alice") == NULL;
}

static void
logs_trouble_once_and_its_end_once(void **state)
{
	struct shelf *s = *state;

	shelf_add_user(s, 1, "alice");
	assert_true(in_child(s, log_trouble));
}

/* --- transactions, statements, columns
 * ---------------------------------------------- */

static void
transactions_do_not_nest(void **state)
{
	struct shelf *s = *state;
	int64_t n;

	assert_int_equal(db_commit(s->db), DK_ERR_INTERNAL);
	db_rollback(s->db);
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_OK);
	assert_int_equal(db_begin(s->db, DB_READ), DK_ERR_INTERNAL);
	shelf_add_user(s, 1, "alice");
	assert_int_equal(db_end(s->db, DK_ERR_NOMEM), DK_ERR_NOMEM);
	assert_int_equal(count_users(s, &n), DK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_OK);
	shelf_add_user(s, 1, "alice");
	assert_int_equal(db_end(s->db, DK_OK), DK_OK);
	assert_int_equal(count_users(s, &n), DK_OK);
	assert_int_equal(n, 1);
	/* What is open when the store is closed did not happen. */
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_OK);
	shelf_add_user(s, 2, "bob");
	shelf_reopen(s);
	assert_int_equal(count_users(s, &n), DK_OK);
	assert_int_equal(n, 1);
}

static void
one_statement_is_under_way_at_a_time(void **state)
{
	struct shelf *s = *state;
	int64_t n;
	bool row;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(db_next(s->db, &row), DK_ERR_INTERNAL);
	assert_int_equal(db_query(s->db, Q_USER_COUNT, NULL, 0), DK_OK);
	assert_int_equal(
	    db_query(s->db, Q_USER_COUNT, NULL, 0), DK_ERR_INTERNAL);
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_ERR_INTERNAL);
	assert_int_equal(db_next(s->db, &row), DK_OK);
	assert_true(row);
	assert_int_equal(db_int(s->db, 0), 1);
	assert_int_equal(db_next(s->db, &row), DK_OK);
	assert_false(row);
	db_done(s->db);
	db_done(s->db);
	assert_int_equal(count_users(s, &n), DK_OK);
}

static void
copies_columns_whole_or_not_at_all(void **state)
{
	struct shelf *s = *state;
	const struct db_arg args[] = { DB_ARG_TEXT(STR("name")) };
	char text[5];
	bool row;

	(void)shelf_sql(s, "INSERT INTO settings VALUES ('name', x'61626364')");
	assert_int_equal(db_query(s->db, Q_SETTING_GET, args, 1), DK_OK);
	assert_int_equal(db_next(s->db, &row), DK_OK);
	assert_int_equal(db_copy_text(s->db, 0, text, 5), DK_OK);
	assert_string_equal(text, "abcd");
	assert_int_equal(db_copy_text(s->db, 0, text, 4), DK_ERR_STORE);
	assert_string_equal(text, "");
	assert_int_equal(db_copy_blob(s->db, 0, text, 4), DK_OK);
	assert_memory_equal(text, "abcd", 4);
	assert_int_equal(db_copy_blob(s->db, 0, text, 3), DK_ERR_STORE);
	assert_memory_equal(text, "\0\0\0", 3);
	assert_int_equal(db_copy_blob(s->db, 0, text, 5), DK_ERR_STORE);
	db_done(s->db);
}

/* --- copies (DK-Z-10)
 * ----------------------------------------------------------------- */

static void
copies_a_store_in_use_and_never_over_a_file(void **state)
{
	struct shelf *s = *state, other = { .db = NULL };
	char path[160];
	int64_t n;

	(void)beside(s, ".copy", path);
	shelf_add_user(s, 1, "alice");
	/* Somebody else's unfinished work is not part of it. */
	assert_int_equal(shelf_try(&other, s->file, false, false), DK_OK);
	assert_int_equal(db_begin(other.db, DB_WRITE), DK_OK);
	shelf_add_user(&other, 2, "bob");
	BUF_OVER(&s->message, s->text);
	assert_int_equal(db_backup(s->db, str_from(path), &s->message), DK_OK);
	assert_int_equal(db_commit(other.db), DK_OK);
	db_close(other.db);
	assert_int_equal(
	    db_backup(s->db, str_from(path), &s->message), DK_ERR_IO);
	assert_non_null(strstr(s->text, "new file"));
	assert_int_equal(shelf_try(s, path, false, false), DK_OK);
	assert_int_equal(count_users(s, &n), DK_OK);
	assert_int_equal(n, 1);
	BUF_OVER(&s->message, s->text);
	(void)snprintf(path, sizeof(path), "%s/none/copy", s->dir);
	assert_int_equal(
	    db_backup(s->db, str_from(path), &s->message), DK_ERR_IO);
	(void)snprintf(path, sizeof(path), "%s/link", s->dir);
	assert_int_equal(symlink("target", path), 0);
	assert_int_equal(
	    db_backup(s->db, str_from(path), &s->message), DK_ERR_IO);
}

static void
names_its_engine(void **state)
{
	struct shelf *s = *state;

	assert_memory_equal(db_engine(s->db), "SQLite 3.", 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(sets_the_connection_up_for_safety),
		SHELF_TEST(refuses_to_change_the_schema_once_open),
		SHELF_TEST_EMPTY(makes_files_for_its_owner_alone),
		SHELF_TEST(refuses_files_that_others_can_read),
		SHELF_TEST_EMPTY(says_what_is_wrong_with_the_name_of_a_store),
		SHELF_TEST_EMPTY(refuses_the_database_of_another_program),
		SHELF_TEST(an_existing_store_is_opened_and_not_made_anew),
		cmocka_unit_test(migrations_are_numbered_without_a_gap),
		SHELF_TEST(refuses_a_newer_schema_and_leaves_it_alone),
		SHELF_TEST_EMPTY(migrates_an_older_schema_only_when_told_to),
		SHELF_TEST_EMPTY(a_migration_happens_whole_or_not_at_all),
		SHELF_TEST_EMPTY(many_may_migrate_at_once),
		SHELF_TEST_EMPTY(many_may_make_a_store_at_once),
		SHELF_TEST(
		    waits_for_a_lock_as_long_as_told_and_goes_on_after_it),
		SHELF_TEST(knows_when_its_file_is_gone_or_another),
		SHELF_TEST(a_damaged_store_is_an_error_and_never_an_answer),
		SHELF_TEST(a_store_without_its_schema_is_refused),
		SHELF_TEST(finds_what_belongs_to_nobody),
		SHELF_TEST(a_full_disk_is_an_error_that_passes),
		SHELF_TEST(a_store_without_permission_says_so_at_start),
		SHELF_TEST(logs_trouble_once_and_its_end_once),
		SHELF_TEST(transactions_do_not_nest),
		SHELF_TEST(one_statement_is_under_way_at_a_time),
		SHELF_TEST(copies_columns_whole_or_not_at_all),
		SHELF_TEST(copies_a_store_in_use_and_never_over_a_file),
		SHELF_TEST(names_its_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
