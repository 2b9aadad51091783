#ifndef DK_STORE_DB_OPS_H
#define DK_STORE_DB_OPS_H

#include "store/db_admin.h"

/*
 * What an engine provides.  db.c checks states and counts trouble; an engine
 * only does as it is told.  `state` is the engine's own connection.
 */
struct db_ops {
	const char *name;
	enum dk_err (*open)(void **state, const struct db_options *options,
	    struct buf *message);
	void (*close)(void *state);
	bool (*is_stale)(void *state);
	bool (*is_stuck)(void *state);
	void (*set_wait)(void *state, int64_t ms);
	enum dk_err (*begin)(void *state, enum db_txn kind);
	enum dk_err (*commit)(void *state);
	void (*rollback)(void *state);
	/* Did the last error undo a transaction that may work next time? */
	bool (*undone)(void *state);
	/* Make ready to step; next; done. */
	enum dk_err (*start)(void *state, enum query q,
	    const struct db_arg *args, size_t n);
	enum dk_err (*next)(void *state, bool *row);
	void (*done)(void *state);
	int64_t (*changes)(void *state);
	int64_t (*column_int)(void *state, int column);
	struct str (*column_bytes)(void *state, int column);
	enum db_type (*column_type)(void *state, int column);
	int (*schema_version)(void *state);
	int (*schema_newest)(void);
	enum dk_err (*set_copying)(void *state, bool copying);
	const char *(*engine)(void *state);
	enum dk_err (*health)(void *state, struct db_health *health);
	enum dk_err (*backup)(void *state, struct str file,
	    struct buf *message);
	enum dk_err (*check)(void *state, bool *sound, struct buf *message);
	/* The engine's own words for the last error; never a bound value. */
	const char *(*error_text)(void *state);
};

extern const struct db_ops db_sqlite_ops;

/* Number of the newest migration that this program carries. */
int migrations_newest(void);
/* Text of migration `number`; NULL when there is none. */
const char *migrations_text(int number);

#endif
