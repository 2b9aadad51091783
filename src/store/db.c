#include "store/db.h"

#include <string.h>

#include "base/clock.h"
#include "base/dsn.h"
#include "base/module.h"
#include "base/secret.h"
#include "store/db_admin.h"
#include "store/db_module.h"

enum { AGAIN_MAX = 60, AGAIN_US = 500, AGAIN_DOUBLINGS = 7 };

struct db {
	const struct db_ops *ops;
	void *state;
	struct log *log;
	bool in_txn, in_query;
	bool troubled;	/* the last error has been logged */
	unsigned again; /* how often the transaction has been repeated */
};

/* The engine that is loaded only where it is asked for. */
static enum dk_err
load_postgres(const struct db_ops **ops, struct buf *message)
{
	const struct db_module *module;
	const void *symbol;
	enum dk_err err;

	err = module_load(DB_MODULE_POSTGRES_FILE, DK_MODULEDIR,
	    DB_MODULE_POSTGRES_NAME, &symbol, message);
	if (err != DK_OK) {
		buf_addz(message,
		    "; build doorkeep with PostgreSQL (without "
		    "--without-postgres), or give [store] database a file "
		    "path");
		return err;
	}
	module = symbol;
	if (strcmp(module->version, PACKAGE_VERSION) != 0 ||
	    module->ops_size != sizeof(struct db_ops) ||
	    module->n_queries != QUERY_COUNT) {
		buf_addz(message,
		    DB_MODULE_POSTGRES_FILE
		    " belongs to another build of doorkeep; install both "
		    "together");
		return DK_ERR_CONF;
	}
	*ops = module->ops;
	return DK_OK;
}

static enum dk_err
ops_for(struct str database, const struct db_ops **ops, struct buf *message)
{
	*ops = &db_sqlite_ops;
	return dsn_is(database) ? load_postgres(ops, message) : DK_OK;
}

enum dk_err
db_open(struct db **db, const struct db_options *options, struct buf *message)
{
	struct db *made;
	enum dk_err err;

	*db = NULL;
	made = secret_alloc(sizeof(*made));
	if (made == NULL)
		return DK_ERR_NOMEM;
	made->log = options->log;
	err = ops_for(options->database, &made->ops, message);
	if (err == DK_OK)
		err = made->ops->open(&made->state, options, message);
	if (err != DK_OK) {
		secret_free(made);
		return err;
	}
	*db = made;
	return DK_OK;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	db_done(db);
	db_rollback(db);
	db->ops->close(db->state);
	secret_free(db);
}

bool
db_is_stale(struct db *db)
{
	return db->ops->is_stale(db->state);
}

bool
db_is_stuck(struct db *db)
{
	return db->ops->is_stuck(db->state);
}

void
db_set_wait(struct db *db, int64_t ms)
{
	db->ops->set_wait(db->state, ms);
}

/* Log trouble once when it begins and once when it is over. */
static enum dk_err
note(struct db *db, enum dk_err err)
{
	bool trouble =
	    err != DK_OK && err != DK_ERR_CONFLICT && err != DK_ERR_BUSY;

	if (trouble && !db->troubled && db->log != NULL)
		LOG_WRITE(db->log, LOG_LEVEL_ERROR, "store_error",
		    { "error", str_from(err_name(err)) },
		    { "cause", str_from(db->ops->error_text(db->state)) });
	if (err == DK_OK && db->troubled && db->log != NULL)
		LOG_WRITE(db->log, LOG_LEVEL_INFO, "store_recovered",
		    { "engine", str_from(db->ops->name) });
	if (trouble || err == DK_OK)
		db->troubled = trouble;
	return err;
}

enum dk_err
db_begin(struct db *db, enum db_txn kind)
{
	enum dk_err err;

	if (db->in_txn || db->in_query)
		return DK_ERR_INTERNAL;
	err = note(db, db->ops->begin(db->state, kind));
	db->in_txn = err == DK_OK;
	return err;
}

enum dk_err
db_commit(struct db *db)
{
	enum dk_err err;

	if (!db->in_txn || db->in_query)
		return DK_ERR_INTERNAL;
	err = note(db, db->ops->commit(db->state));
	if (err != DK_OK)
		db->ops->rollback(db->state);
	db->in_txn = false;
	return err;
}

void
db_rollback(struct db *db)
{
	if (!db->in_txn)
		return;
	db_done(db);
	db->ops->rollback(db->state);
	db->in_txn = false;
}

enum dk_err
db_end(struct db *db, enum dk_err err)
{
	if (err == DK_OK)
		return db_commit(db);
	db_rollback(db);
	return err;
}

/* Longer and longer, and of random length: or all would meet again. */
static void
pause_before_again(unsigned times)
{
	unsigned doublings = times < AGAIN_DOUBLINGS ? times : AGAIN_DOUBLINGS;
	unsigned short jitter = 0;
	int64_t longest = (int64_t)AGAIN_US << doublings;

	if (secret_random(&jitter, sizeof(jitter)) != DK_OK)
		jitter = UINT16_MAX;
	clock_sleep_until_us(
	    clock_monotonic_us() + longest * jitter / UINT16_MAX);
}

bool
db_again(struct db *db, enum dk_err err)
{
	if (err == DK_OK || db->again >= AGAIN_MAX ||
	    !db->ops->undone(db->state)) {
		db->again = 0;
		return false;
	}
	db->again++;
	pause_before_again(db->again);
	return true;
}

/*
 * One engine would keep what the other refuses: a text is UTF-8 without NUL.
 * Looked for, any other is NULL, which equals nothing; to be kept it is a bug
 * of the caller, who has checked what came from outside.
 */
static enum dk_err
check_texts(enum query q, struct db_arg *args, size_t n)
{
	bool reads = str_starts(str_from(query_texts[q].sql), STR("SELECT"));
	size_t i;

	for (i = 0; i < n; i++) {
		if (args[i].type != DB_TEXT ||
		    (str_is_utf8(args[i].s) && !str_contains(args[i].s, '\0')))
			continue;
		if (!reads)
			return DK_ERR_INTERNAL;
		args[i] = DB_ARG_NULL;
	}
	return DK_OK;
}

enum dk_err
db_query(struct db *db, enum query q, const struct db_arg *args, size_t n)
{
	struct db_arg checked[DB_ARGS_MAX];
	enum dk_err err;

	if (db->in_query || n > DB_ARGS_MAX)
		return DK_ERR_INTERNAL;
	if (n > 0)
		memcpy(checked, args, n * sizeof(*args));
	err = check_texts(q, checked, n);
	if (err != DK_OK)
		return err;
	err = db->ops->start(db->state, q, checked, n);
	db->in_query = true;
	return err == DK_OK ? DK_OK : note(db, err);
}

enum dk_err
db_next(struct db *db, bool *row)
{
	enum dk_err err;

	*row = false;
	if (!db->in_query)
		return DK_ERR_INTERNAL;
	err = note(db, db->ops->next(db->state, row));
	if (err != DK_OK)
		*row = false;
	return err;
}

void
db_done(struct db *db)
{
	if (db->in_query)
		db->ops->done(db->state);
	db->in_query = false;
}

enum dk_err
db_exec(struct db *db, enum query q, const struct db_arg *args, size_t n,
    int64_t *changes)
{
	bool row = false;
	enum dk_err err;

	if (changes != NULL)
		*changes = 0;
	err = db_query(db, q, args, n);
	if (err == DK_OK)
		err = db_next(db, &row);
	if (err == DK_OK && changes != NULL)
		*changes = db->ops->changes(db->state);
	db_done(db);
	return err;
}

enum dk_err
db_number(struct db *db, enum query q, const struct db_arg *args, size_t n,
    int64_t *number)
{
	bool row = false;
	enum dk_err err;

	*number = 0;
	err = db_query(db, q, args, n);
	if (err == DK_OK)
		err = db_next(db, &row);
	if (err == DK_OK && row)
		*number = db_int(db, 0);
	db_done(db);
	return err;
}

int64_t
db_int(struct db *db, int column)
{
	return db->ops->column_int(db->state, column);
}

struct str
db_text(struct db *db, int column)
{
	return db->ops->column_bytes(db->state, column);
}

struct db_arg
db_value(struct db *db, int column)
{
	struct db_arg value = { db->ops->column_type(db->state, column), 0,
		STR_NONE };

	if (value.type == DB_INT)
		value.i = db_int(db, column);
	else if (value.type != DB_NULL)
		value.s = db_text(db, column);
	return value;
}

enum dk_err
db_copy_text(struct db *db, int column, char *to, size_t size)
{
	struct str s = db_text(db, column);

	to[0] = '\0';
	if (s.n >= size || str_contains(s, '\0'))
		return DK_ERR_STORE;
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return DK_OK;
}

enum dk_err
db_copy_blob(struct db *db, int column, void *to, size_t size)
{
	struct str s = db_text(db, column);

	memset(to, 0, size);
	if (s.n != size)
		return DK_ERR_STORE;
	memcpy(to, s.p, size);
	return DK_OK;
}

int
db_schema_version(struct db *db)
{
	return db->ops->schema_version(db->state);
}

int
db_schema_newest(struct db *db)
{
	return db->ops->schema_newest();
}

const char *
db_engine(struct db *db)
{
	return db->ops->engine(db->state);
}

const char *
db_error_text(struct db *db)
{
	return db->ops->error_text(db->state);
}

bool
db_is_copying(struct db *db)
{
	return db_schema_version(db) > DB_COPYING;
}

enum dk_err
db_set_copying(struct db *db, bool copying)
{
	if (db->in_txn || db->in_query)
		return DK_ERR_INTERNAL;
	return note(db, db->ops->set_copying(db->state, copying));
}

enum dk_err
db_health(struct db *db, struct db_health *health)
{
	*health = (struct db_health){ false, 0, 0, 0 };
	return note(db, db->ops->health(db->state, health));
}

enum dk_err
db_backup(struct db *db, struct str file, struct buf *message)
{
	return db->ops->backup(db->state, file, message);
}

enum dk_err
db_check(struct db *db, bool *sound, struct buf *message)
{
	*sound = false;
	return db->ops->check(db->state, sound, message);
}
