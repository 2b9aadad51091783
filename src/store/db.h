#ifndef DK_STORE_DB_H
#define DK_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "store/queries.h" /* enum query, made from sql/queries.sql */

/*
 * The thin layer over an engine: prepare, bind and step over the closed set
 * of statements of sql/queries.sql.  One connection per process, one
 * statement under way at a time.  An engine is a constant table of functions
 * (store/db_ops.h); the text of the statements is the same on all of them.
 *
 * Errors, from every function: DK_ERR_BUSY when a bounded wait for a lock ran
 * out, DK_ERR_CONFLICT when a unique name exists, DK_ERR_STORE for the rest
 * (missing, read-only, full, damaged, gone); the cause is logged once, when
 * it begins, and once more when it is over.
 */
struct db;

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BLOB };
struct db_arg {
	enum db_type type;
	int64_t i;
	struct str s;
};
#define DB_ARG_NULL ((struct db_arg){ DB_NULL, 0, STR_NONE })
#define DB_ARG_INT(v) ((struct db_arg){ DB_INT, (v), STR_NONE })
#define DB_ARG_TEXT(v) ((struct db_arg){ DB_TEXT, 0, (v) }) /* none: NULL */
#define DB_ARG_BLOB(ptr, len) \
	((struct db_arg){ DB_BLOB, 0, { (const char *)(ptr), (len) } })

enum {
	DB_ARGS_MAX = 20,
	DB_WAIT_MS = 5000, /* default wait for a writer's lock */
	DB_MESSAGE_MAX = 512,
	DB_COPYING = 1000000 /* added to the version of an unfinished copy */
};

struct db_options {
	struct str database; /* a file path, or postgresql://… */
	bool create;	     /* make a new store when there is none */
	bool migrate;	     /* bring an older schema up to date */
	bool copying; /* an unfinished copy will do (store/copy.h) */
	bool patient; /* a command line: a statement may take minutes */
	struct log *log;     /* borrowed; may be NULL */
};

/*
 * Open a store.  On an error *db is NULL and message says cause and cure in
 * one line for an administrator.  A newer schema than ours is refused
 * (DK-Z-07); an older one without `migrate` too.
 */
enum dk_err db_open(struct db **db, const struct db_options *options,
    struct buf *message) DK_CHECK;
void db_close(struct db *db); /* NULL is fine */

/*
 * True when the connection has to be opened anew before it can work again
 * (the file was replaced or removed, the server went away).
 */
bool db_is_stale(struct db *db);
bool db_is_stuck(struct db *db); /* as far as that is known unasked */

/* How long the next statements wait for a lock; 0: not at all. */
void db_set_wait(struct db *db, int64_t ms);

/* Transactions do not nest.  What is read in one of DB_WRITE holds until the
 * commit, or the commit fails (see db_again). */
enum db_txn { DB_READ, DB_WRITE };
enum dk_err db_begin(struct db *db, enum db_txn kind) DK_CHECK;
enum dk_err db_commit(struct db *db) DK_CHECK;
void db_rollback(struct db *db); /* harmless when none is open */

/* End a transaction by how it went: commit when err is DK_OK, else roll
 * back.  Returns err, or what the commit returned. */
enum dk_err db_end(struct db *db, enum dk_err err) DK_CHECK;

/* After db_end with its err: others got in the way, and all of it, db_begin to
 * db_end, is to be run again.  A bounded number of times; then err stands. */
bool db_again(struct db *db, enum dk_err err);

/* Run a statement that returns no rows; *changes (may be NULL) counts. */
enum dk_err db_exec(struct db *db, enum query q, const struct db_arg *args,
    size_t n, int64_t *changes) DK_CHECK;
/*
 * Begin a statement that returns rows, then db_next until *row is false, then
 * db_done (always, also after an error; harmless twice).
 */
enum dk_err db_query(struct db *db, enum query q, const struct db_arg *args,
    size_t n) DK_CHECK;
enum dk_err db_next(struct db *db, bool *row) DK_CHECK;
void db_done(struct db *db);
/* The first column of a statement's one row; 0 when there is none. */
enum dk_err db_number(struct db *db, enum query q, const struct db_arg *args,
    size_t n, int64_t *number) DK_CHECK;

/* Columns of the current row, from 0; texts and blobs live until db_next. */
int64_t db_int(struct db *db, int column);
struct str db_text(struct db *db, int column); /* NULL: STR_NONE */
/* The same as a value to hand to another statement; the views as above. */
struct db_arg db_value(struct db *db, int column);
/* Copy a text column into a fixed field with its terminator; too long for
 * size is DK_ERR_STORE, never cut. */
enum dk_err db_copy_text(struct db *db, int column, char *to,
    size_t size) DK_CHECK;
/* Copy a blob of exactly size bytes; another length is DK_ERR_STORE. */
enum dk_err db_copy_blob(struct db *db, int column, void *to,
    size_t size) DK_CHECK;

#endif
