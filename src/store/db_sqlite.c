#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/db_ops.h"
#include "store/sqlite.h"

enum dk_err
sqlite_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return DK_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return DK_ERR_BUSY;
	case SQLITE_CONSTRAINT:
		return rc == SQLITE_CONSTRAINT_UNIQUE ||
			rc == SQLITE_CONSTRAINT_PRIMARYKEY
		    ? DK_ERR_CONFLICT
		    : DK_ERR_STORE;
	case SQLITE_NOMEM:
		return DK_ERR_NOMEM;
	default:
		return DK_ERR_STORE;
	}
}

/*
 * SQLite's own busy handler sleeps longer and longer and lets a writer
 * starve; short sleeps of random length serve all (a few milliseconds each
 * instead of seconds for one).
 */
int
sqlite_on_busy(void *arg, int count)
{
	struct sqlite *s = arg;
	int64_t now = clock_monotonic_ms();
	struct timespec pause = { 0, 0 };
	unsigned short jitter = 0;

	if (count == 0)
		s->wait_until_ms = now + s->wait_ms;
	if (now >= s->wait_until_ms)
		return 0;
	sqlite3_randomness((int)sizeof(jitter), &jitter);
	pause.tv_nsec = 100000 + (long)(jitter % 900) * 1000;
	(void)nanosleep(&pause, NULL);
	return 1;
}

/*
 * Once the store is open nothing may change its shape: no statement of ours
 * does, so whatever tries was put there by somebody else.
 */
static int
authorize(void *arg, int action, const char *a, const char *b, const char *c,
    const char *d)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_INSERT:
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
	case SQLITE_FUNCTION:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

void
sqlite_lock_schema(struct sqlite *s)
{
	(void)sqlite3_set_authorizer(s->handle, authorize, NULL);
}

static void
sqlite_shut(void *state)
{
	struct sqlite *s = state;
	size_t i;

	for (i = 0; i < QUERY_COUNT; i++)
		(void)sqlite3_finalize(s->statements[i]);
	(void)sqlite3_close(s->handle);
	secret_free(s);
}

static enum dk_err
sqlite_start(
    void **state, const struct db_options *options, struct buf *message)
{
	struct sqlite *s = secret_alloc(sizeof(*s));
	enum dk_err err;

	*state = NULL;
	if (s == NULL)
		return DK_ERR_NOMEM;
	s->wait_ms = DB_WAIT_MS;
	err = sqlite_open_store(s, options, message);
	if (err != DK_OK) {
		sqlite_shut(s);
		return err;
	}
	sqlite_lock_schema(s);
	*state = s;
	return DK_OK;
}

static bool
sqlite_stale(void *state)
{
	const struct sqlite *s = state;
	struct stat st;

	if (s->stuck || stat(s->path, &st) != 0 || st.st_dev != s->dev ||
	    st.st_ino != s->ino)
		return true;
	/* Opened while it could not be written; can it now? */
	return s->read_only &&
	    faccessat(AT_FDCWD, s->path, W_OK, AT_EACCESS) == 0;
}

static bool
sqlite_stuck(void *state)
{
	const struct sqlite *s = state;

	return s->stuck;
}

static void
sqlite_wait(void *state, int64_t ms)
{
	struct sqlite *s = state;

	s->wait_ms = ms;
}

static enum dk_err
sqlite_run(struct sqlite *s, const char *sql)
{
	return sqlite_error(sqlite3_exec(s->handle, sql, NULL, NULL, NULL));
}

static enum dk_err
sqlite_begin(void *state, enum db_txn kind)
{
	return sqlite_run(
	    state, kind == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
}

static enum dk_err
sqlite_commit(void *state)
{
	return sqlite_run(state, "COMMIT");
}

static void
sqlite_rollback(void *state)
{
	struct sqlite *s = state;

	/* SQLite may have rolled back by itself: then there is nothing. */
	if (sqlite3_get_autocommit(s->handle) == 0)
		(void)sqlite_run(s, "ROLLBACK");
	/* It would hold the writer's lock, and refuse all that comes. */
	s->stuck = sqlite3_get_autocommit(s->handle) == 0;
}

/* Whoever writes has the writer's lock: nothing is undone by others. */
static bool
sqlite_undone(void *state)
{
	(void)state;
	return false;
}

static int
bind_one(sqlite3_stmt *st, const struct db_arg *arg, size_t number)
{
	char name[8] = { '$' };
	struct buf b;
	int at;

	buf_init(&b, name, sizeof(name));
	buf_addf(&b, "$%u", (unsigned)number);
	at = sqlite3_bind_parameter_index(st, name);
	if (at == 0)
		return SQLITE_MISUSE;
	if (arg->type == DB_NULL ||
	    (arg->type == DB_TEXT && str_is_none(arg->s)))
		return sqlite3_bind_null(st, at);
	if (arg->type == DB_INT)
		return sqlite3_bind_int64(st, at, arg->i);
	if (arg->type == DB_BLOB)
		return sqlite3_bind_blob64(
		    st, at, arg->s.p, arg->s.n, SQLITE_STATIC);
	return sqlite3_bind_text64(
	    st, at, arg->s.p, arg->s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static enum dk_err
sqlite_query(void *state, enum query q, const struct db_arg *args, size_t n)
{
	struct sqlite *s = state;
	sqlite3_stmt **st = &s->statements[q];
	int rc = SQLITE_OK;
	size_t i;

	s->current = NULL;
	if (*st == NULL)
		rc = sqlite3_prepare_v3(s->handle, query_texts[q].sql, -1,
		    SQLITE_PREPARE_PERSISTENT, st, NULL);
	for (i = 0; rc == SQLITE_OK && i < n; i++)
		rc = bind_one(*st, &args[i], i + 1);
	if (rc != SQLITE_OK)
		return rc == SQLITE_MISUSE ? DK_ERR_INTERNAL : sqlite_error(rc);
	s->current = *st;
	return DK_OK;
}

static enum dk_err
sqlite_next(void *state, bool *row)
{
	struct sqlite *s = state;
	int rc;

	if (s->current == NULL)
		return DK_ERR_INTERNAL;
	rc = sqlite3_step(s->current);
	*row = rc == SQLITE_ROW;
	return sqlite_error(rc);
}

/* The bound values may be secrets: none stays behind. */
static void
sqlite_done(void *state)
{
	struct sqlite *s = state;

	if (s->current == NULL)
		return;
	(void)sqlite3_reset(s->current);
	(void)sqlite3_clear_bindings(s->current);
	s->current = NULL;
}

static int64_t
sqlite_changes(void *state)
{
	struct sqlite *s = state;

	return sqlite3_changes64(s->handle);
}

static int64_t
sqlite_int(void *state, int column)
{
	struct sqlite *s = state;

	return sqlite3_column_int64(s->current, column);
}

static struct str
sqlite_bytes(void *state, int column)
{
	struct sqlite *s = state;
	const char *p = sqlite3_column_blob(s->current, column);
	int n = sqlite3_column_bytes(s->current, column);

	if (sqlite3_column_type(s->current, column) == SQLITE_NULL)
		return STR_NONE;
	return (struct str){ p == NULL ? "" : p, (size_t)n };
}

static enum db_type
sqlite_type(void *state, int column)
{
	struct sqlite *s = state;

	switch (sqlite3_column_type(s->current, column)) {
	case SQLITE_INTEGER:
		return DB_INT;
	case SQLITE_TEXT:
		return DB_TEXT;
	case SQLITE_BLOB:
		return DB_BLOB;
	default:
		return DB_NULL;
	}
}

static int
sqlite_version(void *state)
{
	struct sqlite *s = state;
	int version;

	(void)sqlite3_set_authorizer(s->handle, NULL, NULL);
	version = sqlite_schema_version(s);
	sqlite_lock_schema(s);
	return version;
}

static enum dk_err
sqlite_set_copying(void *state, bool copying)
{
	struct sqlite *s = state;
	char pragma[48];
	struct buf b;
	enum dk_err err;

	BUF_OVER(&b, pragma);
	buf_addf(&b, "PRAGMA user_version = %d",
	    migrations_newest() + (copying ? DB_COPYING : 0));
	(void)sqlite3_set_authorizer(s->handle, NULL, NULL);
	err = sqlite_run(s, buf_z(&b));
	sqlite_lock_schema(s);
	return err;
}

static const char *
sqlite_engine(void *state)
{
	struct sqlite *s = state;
	struct buf b;

	BUF_OVER(&b, s->engine);
	buf_addf(&b, "SQLite %s", sqlite3_libversion());
	return s->engine;
}

static enum dk_err
sqlite_health(void *state, struct db_health *health)
{
	(void)state;
	health->is_private = true;
	return DK_OK;
}

static enum dk_err
sqlite_backup(void *state, struct str file, struct buf *message)
{
	struct sqlite *s = state;
	char path[SQLITE_PATH_MAX];
	struct buf b;

	BUF_OVER(&b, path);
	buf_add(&b, file);
	if (!buf_ok(&b) || str_contains(file, '\0')) {
		buf_addz(message, "the name of the copy is too long");
		return DK_ERR_TOO_LARGE;
	}
	return sqlite_copy(s->handle, path, message);
}

/* Rows of a checking pragma that are not "ok" go into message. */
static enum dk_err
collect_faults(struct sqlite *s, const char *sql, struct buf *message)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->handle, sql, -1, &st, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		const char *text;

		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		text = (const char *)sqlite3_column_text(st, 0);
		if (text != NULL && strcmp(text, "ok") != 0)
			buf_addf(message, "%s%s", message->len > 0 ? "; " : "",
			    text);
	}
	(void)sqlite3_finalize(st);
	return sqlite_error(rc);
}

static enum dk_err
sqlite_check(void *state, bool *sound, struct buf *message)
{
	struct sqlite *s = state;
	size_t before = message->len;
	enum dk_err err;

	(void)sqlite3_set_authorizer(s->handle, NULL, NULL);
	err = collect_faults(s, "PRAGMA integrity_check(20)", message);
	if (err == DK_OK)
		err = collect_faults(s, "PRAGMA foreign_key_check", message);
	sqlite_lock_schema(s);
	*sound = err == DK_OK && message->len == before;
	if (err == DK_OK && !*sound)
		buf_addz(message, "; restore it from a backup");
	return err;
}

static const char *
sqlite_error_text(void *state)
{
	struct sqlite *s = state;

	return sqlite3_errmsg(s->handle);
}

const struct db_ops db_sqlite_ops = {
	.name = "sqlite",
	.open = sqlite_start,
	.close = sqlite_shut,
	.is_stale = sqlite_stale,
	.is_stuck = sqlite_stuck,
	.set_wait = sqlite_wait,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.undone = sqlite_undone,
	.start = sqlite_query,
	.next = sqlite_next,
	.done = sqlite_done,
	.changes = sqlite_changes,
	.column_int = sqlite_int,
	.column_bytes = sqlite_bytes,
	.column_type = sqlite_type,
	.schema_version = sqlite_version,
	.schema_newest = migrations_newest,
	.set_copying = sqlite_set_copying,
	.engine = sqlite_engine,
	.health = sqlite_health,
	.backup = sqlite_backup,
	.check = sqlite_check,
	.error_text = sqlite_error_text,
};
