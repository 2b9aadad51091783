#include "store/db.h"

#include <string.h>

#include "base/secret.h"
#include "store/db_ops.h"

struct db {
	const struct db_ops *ops;
	void *state;
	struct log *log;
	bool in_txn, in_query;
	bool troubled; /* the last error has been logged */
};

static const struct db_ops *
ops_for(struct str database, struct buf *message)
{
	if (str_starts(database, STR("postgresql://")) ||
	    str_starts(database, STR("postgres://"))) {
		buf_addz(message,
		    "this program was built without PostgreSQL; give "
		    "[store] database a file path");
		return NULL;
	}
	return &db_sqlite_ops;
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
	made->ops = ops_for(options->database, message);
	err = made->ops == NULL ?
	    DK_ERR_CONF :
	    made->ops->open(&made->state, options, message);
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

void
db_set_wait(struct db *db, int64_t ms)
{
	db->ops->set_wait(db->state, ms);
}

/* Log trouble once when it begins and once when it is over. */
static enum dk_err
note(struct db *db, enum dk_err err)
{
	bool trouble = err != DK_OK && err != DK_ERR_CONFLICT &&
	    err != DK_ERR_BUSY;

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

enum dk_err
db_query(struct db *db, enum query q, const struct db_arg *args, size_t n)
{
	enum dk_err err;

	if (db->in_query || n > DB_ARGS_MAX)
		return DK_ERR_INTERNAL;
	err = db->ops->start(db->state, q, args, n);
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
db_schema_newest(void)
{
	return migrations_newest();
}

const char *
db_engine(struct db *db)
{
	return db->ops->engine(db->state);
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
