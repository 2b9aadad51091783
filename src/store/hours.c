#include "store/hours.h"

enum dk_err
hours_last_counted(struct db *db, int64_t *hour_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(0) };

	return db_number(db, Q_HOUR_LAST_COUNTED, args, 1, hour_ms);
}

enum dk_err
hours_count(struct db *db, int64_t hour_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(hour_ms),
		DB_ARG_INT(hour_ms + HOUR_MS) };

	return db_exec(db, Q_HOUR_COUNT, args, 2, NULL);
}

enum dk_err
hours_add_throttled(struct db *db, int64_t hour_ms, int64_t n)
{
	const struct db_arg args[] = { DB_ARG_INT(hour_ms), DB_ARG_INT(n) };

	return db_exec(db, Q_HOUR_ADD_THROTTLED, args, 2, NULL);
}

static enum dk_err
each_hour(struct db *db, enum query q, int64_t from_ms, int64_t to_ms,
    hours_fn *fn, void *arg)
{
	const struct db_arg args[] = { DB_ARG_INT(from_ms), DB_ARG_INT(to_ms) };
	struct hour_row row;
	bool some = false;
	enum dk_err err = db_query(db, q, args, 2);

	while (err == DK_OK) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		row = (struct hour_row){ .hour_ms = db_int(db, 0),
			.sign_ins = db_int(db, 1),
			.failures = db_int(db, 2),
			.throttled = db_int(db, 3),
			.counted = db_int(db, 4) != 0 };
		fn(arg, &row);
	}
	db_done(db);
	return err;
}

enum dk_err
hours_list(struct db *db, int64_t from_ms, int64_t to_ms, hours_fn *fn,
    void *arg)
{
	return each_hour(db, Q_HOUR_LIST, from_ms, to_ms, fn, arg);
}

enum dk_err
hours_from_events(struct db *db, int64_t from_ms, int64_t to_ms, hours_fn *fn,
    void *arg)
{
	return each_hour(db, Q_HOUR_UNCOUNTED, from_ms, to_ms, fn, arg);
}

enum dk_err
samples_claim(struct db *db, int64_t at_ms, bool *mine)
{
	const struct db_arg args[] = { DB_ARG_INT(at_ms) };
	int64_t n = 0;
	enum dk_err err = db_number(db, Q_SAMPLE_GET, args, 1, &n);

	*mine = false;
	if (err != DK_OK || n > 0)
		return err;
	err = db_exec(db, Q_SAMPLE_CLAIM, args, 1, &n);
	*mine = err == DK_OK && n > 0;
	return err;
}

enum dk_err
samples_set(struct db *db, int64_t at_ms, int64_t live)
{
	const struct db_arg args[] = { DB_ARG_INT(at_ms), DB_ARG_INT(live) };

	return db_exec(db, Q_SAMPLE_SET, args, 2, NULL);
}

enum dk_err
samples_list(
    struct db *db, int64_t from_ms, int64_t to_ms, samples_fn *fn, void *arg)
{
	const struct db_arg args[] = { DB_ARG_INT(from_ms), DB_ARG_INT(to_ms) };
	bool some = false;
	enum dk_err err = db_query(db, Q_SAMPLE_LIST, args, 2);

	while (err == DK_OK) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		fn(arg, db_int(db, 0), db_int(db, 1));
	}
	db_done(db);
	return err;
}

enum dk_err
hours_purge(struct db *db, int64_t before_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(before_ms) };
	enum dk_err err = db_exec(db, Q_HOUR_PURGE, args, 1, NULL);

	return err == DK_OK ? db_exec(db, Q_SAMPLE_PURGE, args, 1, NULL) : err;
}
