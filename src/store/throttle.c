#include "store/throttle.h"

#define ARG_BUCKET(b) DB_ARG_BLOB((b)->byte, sizeof((b)->byte))

enum dk_err
throttle_get(struct db *db, const struct bucket *bucket,
    struct throttle_row *row)
{
	const struct db_arg args[] = { ARG_BUCKET(bucket) };
	bool some = false;
	enum dk_err err;

	*row = (struct throttle_row){ .bucket = *bucket, .owner = *bucket };
	err = db_query(db, Q_THROTTLE_GET, args, 1);
	if (err == DK_OK)
		err = db_next(db, &some);
	if (err == DK_OK && some) {
		err = db_copy_blob(db, 0, row->owner.byte,
		    sizeof(row->owner.byte));
		row->failures = db_int(db, 1);
		row->last_at_ms = db_int(db, 2);
		row->next_at_ms = db_int(db, 3);
	}
	db_done(db);
	return err;
}

enum dk_err
throttle_put(struct db *db, const struct throttle_row *row)
{
	const struct db_arg args[] = { ARG_BUCKET(&row->bucket),
		ARG_BUCKET(&row->owner), DB_ARG_INT(row->failures),
		DB_ARG_INT(row->last_at_ms), DB_ARG_INT(row->next_at_ms) };

	return db_exec(db, Q_THROTTLE_PUT, args, 5, NULL);
}

enum dk_err
throttle_delete(struct db *db, const struct bucket *bucket)
{
	const struct db_arg args[] = { ARG_BUCKET(bucket) };

	return db_exec(db, Q_THROTTLE_DELETE, args, 1, NULL);
}

enum dk_err
throttle_forget(struct db *db, const struct bucket *owner, int64_t *n)
{
	const struct db_arg args[] = { ARG_BUCKET(owner) };

	return db_exec(db, Q_THROTTLE_FORGET, args, 1, n);
}

enum dk_err
throttle_purge_step(struct db *db, int64_t before_ms, int64_t limit,
    int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(before_ms),
		DB_ARG_INT(limit) };

	return db_exec(db, Q_THROTTLE_PURGE_STEP, args, 2, n);
}

enum dk_err
throttle_count(struct db *db, int64_t *n)
{
	return db_number(db, Q_THROTTLE_COUNT, NULL, 0, n);
}

enum dk_err
throttle_drop_least(struct db *db, int64_t limit, int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(limit) };

	return db_exec(db, Q_THROTTLE_DROP_LEAST, args, 1, n);
}
