#include "store/factors.h"

#include <string.h>

#define ARG_DIGEST(d) DB_ARG_BLOB((d)->byte, sizeof((d)->byte))

/* A statement that changes at most one row: did it? */
static enum dk_err
change_one(struct db *db, enum query q, const struct db_arg *args, size_t n,
    bool *changed)
{
	int64_t count = 0;
	enum dk_err err = db_exec(db, q, args, n, &count);

	*changed = err == DK_OK && count > 0;
	return err;
}

enum dk_err
devices_add(struct db *db, int64_t user_id, const struct digest *token,
    int64_t now_ms)
{
	const struct db_arg args[] = { ARG_DIGEST(token), DB_ARG_INT(user_id),
		DB_ARG_INT(now_ms) };

	return db_exec(db, Q_DEVICE_ADD, args, 3, NULL);
}

enum dk_err
devices_get(struct db *db, int64_t user_id, const struct digest *token,
    bool *found)
{
	const struct db_arg args[] = { ARG_DIGEST(token),
		DB_ARG_INT(user_id) };
	int64_t used = 0;
	enum dk_err err = db_number(db, Q_DEVICE_GET, args, 2, &used);

	*found = err == DK_OK && used > 0;
	return err;
}

enum dk_err
devices_drop_oldest(struct db *db, int64_t user_id, int64_t keep)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id), DB_ARG_INT(keep) };

	return db_exec(db, Q_DEVICE_DROP_OLDEST, args, 2, NULL);
}

enum dk_err
devices_forget(struct db *db, int64_t user_id)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id) };

	return db_exec(db, Q_DEVICE_FORGET, args, 1, NULL);
}

enum dk_err
links_put(struct db *db, int64_t user_id, const struct digest *token,
    int64_t now_ms, int64_t expires_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id), ARG_DIGEST(token),
		DB_ARG_INT(now_ms), DB_ARG_INT(expires_ms) };

	return db_exec(db, Q_LINK_PUT, args, 4, NULL);
}

enum dk_err
links_get(struct db *db, const struct digest *token, int64_t now_ms,
    int64_t *user_id, bool *found)
{
	const struct db_arg args[] = { ARG_DIGEST(token), DB_ARG_INT(now_ms) };
	enum dk_err err = db_number(db, Q_LINK_GET, args, 2, user_id);

	*found = err == DK_OK && *user_id != 0;
	return err;
}

enum dk_err
links_use(struct db *db, const struct digest *token, int64_t now_ms,
    bool *used)
{
	const struct db_arg args[] = { ARG_DIGEST(token), DB_ARG_INT(now_ms) };

	return change_one(db, Q_LINK_USE, args, 2, used);
}

enum dk_err
links_forget(struct db *db, int64_t user_id)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id) };

	return db_exec(db, Q_LINK_FORGET, args, 1, NULL);
}

enum dk_err
links_purge(struct db *db, int64_t now_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(now_ms) };

	return db_exec(db, Q_LINK_PURGE, args, 1, NULL);
}

enum dk_err
factors_get(struct db *db, int64_t user_id, struct factor_row *row,
    bool *found)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id) };
	struct str seed;
	enum dk_err err;

	*row = (struct factor_row){ .seed_len = 0 };
	*found = false;
	err = db_query(db, Q_FACTOR_GET, args, 1);
	if (err == DK_OK)
		err = db_next(db, found);
	if (err == DK_OK && *found) {
		seed = db_text(db, 0);
		if (seed.n > sizeof(row->seed)) {
			err = DK_ERR_STORE;
		} else if (seed.n > 0) {
			memcpy(row->seed, seed.p, seed.n);
			row->seed_len = seed.n;
		}
		row->confirmed = db_int(db, 1) > 0;
		row->last_step = db_int(db, 2);
	}
	db_done(db);
	if (err != DK_OK)
		*found = false;
	return err;
}

enum dk_err
factors_put(struct db *db, int64_t user_id, const void *seed, size_t seed_len,
    bool *put)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id),
		DB_ARG_BLOB(seed, seed_len) };

	return change_one(db, Q_FACTOR_PUT, args, 2, put);
}

enum dk_err
factors_confirm(struct db *db, int64_t user_id, int64_t now_ms,
    bool *confirmed)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id),
		DB_ARG_INT(now_ms) };

	return change_one(db, Q_FACTOR_CONFIRM, args, 2, confirmed);
}

enum dk_err
factors_use_step(struct db *db, int64_t user_id, int64_t step, bool *used)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id), DB_ARG_INT(step) };

	return change_one(db, Q_FACTOR_USE_STEP, args, 2, used);
}

enum dk_err
factors_delete(struct db *db, int64_t user_id, bool *deleted)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id) };
	enum dk_err err = change_one(db, Q_FACTOR_DELETE, args, 1, deleted);

	return err == DK_OK ? recovery_delete(db, user_id) : err;
}

enum dk_err
recovery_add(struct db *db, int64_t user_id, const struct digest *code)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id), ARG_DIGEST(code) };

	return db_exec(db, Q_RECOVERY_ADD, args, 2, NULL);
}

enum dk_err
recovery_use(struct db *db, int64_t user_id, const struct digest *code,
    bool *used)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id), ARG_DIGEST(code) };

	return change_one(db, Q_RECOVERY_USE, args, 2, used);
}

enum dk_err
recovery_count(struct db *db, int64_t user_id, int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id) };

	return db_number(db, Q_RECOVERY_COUNT, args, 1, n);
}

enum dk_err
recovery_delete(struct db *db, int64_t user_id)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id) };

	return db_exec(db, Q_RECOVERY_DELETE, args, 1, NULL);
}

enum dk_err
factors_any(struct db *db, bool *any)
{
	int64_t n = 0;
	enum dk_err err = db_number(db, Q_FACTOR_ANY, NULL, 0, &n);

	*any = n > 0;
	return err;
}
