#include "store/copy.h"

#include <string.h>

#include "store/db_admin.h"

enum {
	BATCH_ROWS = 1000,
	BATCH_BYTES = 8 * 1024 * 1024,
	LINE_BYTES = 4 * 1024 * 1024, /* of one row; SQLite's limit is 1 MB */
	KEY_PARTS = 2,
	KEY_BYTES = 1024,
	SOURCE = 0,
	TARGET = 1
};

/* Below every key that the program makes. */
#define LEAST	{ DB_INT, INT64_MIN, { NULL, 0 } }
#define NO_TEXT { DB_TEXT, 0, { "", 0 } }
#define NO_BLOB { DB_BLOB, 0, { "", 0 } }

/* Who is pointed at comes before who points. */
static const struct table {
	const char *name;
	enum query read, clear, put;
	size_t n_keys, n_columns;
	struct db_arg least[KEY_PARTS];
} tables[COPY_TABLES] = {
	{ "settings", Q_COPY_SETTINGS_READ, Q_COPY_SETTINGS_CLEAR,
	    Q_COPY_SETTINGS_PUT, 1, 2, { NO_TEXT } },
	{ "users", Q_COPY_USERS_READ, Q_COPY_USERS_CLEAR, Q_COPY_USERS_PUT, 1,
	    12, { LEAST } },
	{ "user_groups", Q_COPY_USER_GROUPS_READ, Q_COPY_USER_GROUPS_CLEAR,
	    Q_COPY_USER_GROUPS_PUT, 2, 2, { LEAST, NO_TEXT } },
	{ "sessions", Q_COPY_SESSIONS_READ, Q_COPY_SESSIONS_CLEAR,
	    Q_COPY_SESSIONS_PUT, 1, 14, { NO_TEXT } },
	{ "devices", Q_COPY_DEVICES_READ, Q_COPY_DEVICES_CLEAR,
	    Q_COPY_DEVICES_PUT, 2, 4, { NO_BLOB, LEAST } },
	{ "one_use_links", Q_COPY_ONE_USE_LINKS_READ,
	    Q_COPY_ONE_USE_LINKS_CLEAR, Q_COPY_ONE_USE_LINKS_PUT, 1, 4,
	    { LEAST } },
	{ "second_factors", Q_COPY_SECOND_FACTORS_READ,
	    Q_COPY_SECOND_FACTORS_CLEAR, Q_COPY_SECOND_FACTORS_PUT, 1, 4,
	    { LEAST } },
	{ "recovery_codes", Q_COPY_RECOVERY_CODES_READ,
	    Q_COPY_RECOVERY_CODES_CLEAR, Q_COPY_RECOVERY_CODES_PUT, 2, 2,
	    { LEAST, NO_BLOB } },
	{ "throttle", Q_COPY_THROTTLE_READ, Q_COPY_THROTTLE_CLEAR,
	    Q_COPY_THROTTLE_PUT, 1, 5, { NO_BLOB } },
	{ "hours", Q_COPY_HOURS_READ, Q_COPY_HOURS_CLEAR, Q_COPY_HOURS_PUT, 1,
	    5, { LEAST } },
	{ "session_samples", Q_COPY_SESSION_SAMPLES_READ,
	    Q_COPY_SESSION_SAMPLES_CLEAR, Q_COPY_SESSION_SAMPLES_PUT, 1, 2,
	    { LEAST } },
	{ "events", Q_COPY_EVENTS_READ, Q_COPY_EVENTS_CLEAR, Q_COPY_EVENTS_PUT,
	    1, 10, { LEAST } },
	{ "markers", Q_COPY_MARKERS_READ, Q_COPY_MARKERS_CLEAR,
	    Q_COPY_MARKERS_PUT, 1, 3, { NO_TEXT } },
	{ "handoffs", Q_COPY_HANDOFFS_READ, Q_COPY_HANDOFFS_CLEAR,
	    Q_COPY_HANDOFFS_PUT, 1, 5, { NO_BLOB } },
};

struct key {
	struct db_arg part[KEY_PARTS];
	char bytes[KEY_PARTS][KEY_BYTES];
};

/* What was read of a table in one go. */
struct rows {
	size_t n;
	struct db_arg *values; /* n times n_columns; NULL: not kept */
	struct digest digest;  /* of them and of what was there before */
	struct key last;       /* to go on behind */
};

enum dk_err
copy_open(struct copy *c, struct db *from, struct db *to)
{
	enum dk_err err;

	*c = (struct copy){ .from = from, .to = to };
	err = arena_open(&c->arena, BATCH_BYTES);
	if (err != DK_OK)
		return err;
	c->line_bytes = secret_alloc(LINE_BYTES);
	if (c->line_bytes == NULL) {
		arena_close(&c->arena);
		return DK_ERR_NOMEM;
	}
	return DK_OK;
}

void
copy_close(struct copy *c)
{
	secret_free(c->line_bytes);
	arena_close(&c->arena);
}

/* ---- reading ------------------------------------------------------------- */

static void
key_least(struct key *key, const struct table *t)
{
	memcpy(key->part, t->least, sizeof(key->part));
}

/* The key as values to bind, which live as long as the key. */
static void
key_args(const struct key *key, const struct table *t, struct db_arg *args)
{
	size_t i;

	for (i = 0; i < t->n_keys; i++) {
		args[i] = key->part[i];
		if (args[i].type != DB_INT)
			args[i].s.p = key->bytes[i];
	}
}

/* The key of the row that a statement stands at: its first columns. */
static enum dk_err
key_keep(struct key *key, const struct table *t, struct db *db)
{
	size_t i;

	for (i = 0; i < t->n_keys; i++) {
		struct db_arg v = db_value(db, (int)i);

		if (v.s.n > KEY_BYTES)
			return DK_ERR_TOO_LARGE;
		if (v.s.n > 0)
			memcpy(key->bytes[i], v.s.p, v.s.n);
		key->part[i] = v;
	}
	return DK_OK;
}

/* Unlike values never give the same bytes: each says what it is, how long. */
static void
add_value(struct buf *line, const struct db_arg *v)
{
	const uint64_t number = v->type == DB_INT ? (uint64_t)v->i : v->s.n;
	int shift;

	buf_addc(line, (char)('0' + (int)v->type));
	if (v->type == DB_NULL)
		return;
	for (shift = 56; shift >= 0; shift -= 8)
		buf_addc(line, (char)(number >> shift & 0xff));
	if (v->type != DB_INT)
		buf_add(line, v->s);
}

/* False when there is no room for the row: the batch ends before it. */
static bool
keep_values(struct copy *c, struct db_arg *to, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (str_is_none(to[i].s))
			continue;
		to[i].s = arena_dup(&c->arena, to[i].s);
		if (str_is_none(to[i].s))
			return false;
	}
	return true;
}

/* *more is false when the batch is full. */
static enum dk_err
take_row(struct copy *c, struct db *db, const struct table *t,
    struct rows *rows, struct buf *line, bool *more)
{
	struct db_arg values[DB_ARGS_MAX];
	size_t i;

	buf_reset(line);
	buf_add(line,
	    (struct str){ (const char *)rows->digest.byte,
		sizeof(rows->digest.byte) });
	for (i = 0; i < t->n_columns; i++) {
		values[i] = db_value(db, (int)i);
		add_value(line, &values[i]);
	}
	if (!buf_ok(line))
		return DK_ERR_TOO_LARGE;
	if (rows->values != NULL && !keep_values(c, values, t->n_columns)) {
		*more = false;
		return rows->n > 0 ? DK_OK : DK_ERR_NOMEM;
	}
	if (rows->values != NULL)
		memcpy(rows->values + rows->n * t->n_columns, values,
		    t->n_columns * sizeof(*values));
	secret_sha256(buf_str(line), &rows->digest);
	rows->n++;
	return key_keep(&rows->last, t, db);
}

/*
 * At most `limit` rows behind rows->last, which moves on.  With `keep` their
 * values stay in the arena, which begins anew.
 */
static enum dk_err
read_rows(struct copy *c, struct db *db, const struct table *t, size_t limit,
    bool keep, struct rows *rows)
{
	struct db_arg args[KEY_PARTS + 1];
	const struct key behind = rows->last;
	bool row = false, more = true;
	struct buf line;
	enum dk_err err;

	rows->n = 0;
	rows->values = NULL;
	buf_init(&line, c->line_bytes, LINE_BYTES);
	key_args(&behind, t, args);
	args[t->n_keys] = DB_ARG_INT((int64_t)limit);
	if (keep) {
		arena_reset(&c->arena);
		rows->values = arena_alloc(
		    &c->arena, limit * t->n_columns * sizeof(*rows->values));
		if (rows->values == NULL)
			return DK_ERR_NOMEM;
	}
	err = db_query(db, t->read, args, t->n_keys + 1);
	while (err == DK_OK && more) {
		err = db_next(db, &row);
		if (err != DK_OK || !row)
			break;
		err = take_row(c, db, t, rows, &line, &more);
	}
	db_done(db);
	return err;
}

/* ---- writing ------------------------------------------------------------- */

static enum dk_err
clear(struct copy *c, const struct table *t, const struct key *behind,
    const struct key *to)
{
	struct db_arg args[2 * KEY_PARTS];

	key_args(behind, t, args);
	key_args(to, t, args + t->n_keys);
	return db_exec(c->to, t->clear, args, 2 * t->n_keys, NULL);
}

/* What the target has behind a key, the source has not. */
static enum dk_err
clear_tail(struct copy *c, const struct table *t, const struct key *behind)
{
	struct rows there = { .last = *behind };
	struct key from = *behind;
	enum dk_err err;

	for (;;) {
		err = read_rows(c, c->to, t, BATCH_ROWS, false, &there);
		if (err != DK_OK || there.n == 0)
			return err;
		do {
			err = db_begin(c->to, DB_WRITE);
			if (err == DK_OK)
				err = clear(c, t, &from, &there.last);
			err = db_end(c->to, err);
		} while (db_again(c->to, err));
		if (err != DK_OK)
			return err;
		from = there.last;
	}
}

static enum dk_err
put_rows(struct copy *c, const struct table *t, const struct key *behind,
    const struct rows *rows)
{
	enum dk_err err;
	size_t i;

	do {
		err = db_begin(c->to, DB_WRITE);
		if (err == DK_OK)
			err = clear(c, t, behind, &rows->last);
		for (i = 0; err == DK_OK && i < rows->n; i++)
			err = db_exec(c->to, t->put,
			    rows->values + i * t->n_columns, t->n_columns,
			    NULL);
		err = db_end(c->to, err);
	} while (db_again(c->to, err));
	return err;
}

/*
 * A name may have gone from one row to another since a copy was cut off: then
 * the old one lies further on and goes first.
 */
static enum dk_err
replace(struct copy *c, const struct table *t, const struct key *behind,
    const struct rows *rows)
{
	enum dk_err err = put_rows(c, t, behind, rows);

	if (err != DK_ERR_CONFLICT)
		return err;
	err = clear_tail(c, t, behind);
	return err == DK_OK ? put_rows(c, t, behind, rows) : err;
}

/* ---- the walk ------------------------------------------------------------ */

static void
say_progress(struct copy *c, const char *doing, size_t n)
{
	c->done += (int64_t)n;
	if (c->progress != NULL)
		c->progress(c->arg, doing, c->done);
}

static enum dk_err
copy_table(struct copy *c, const struct table *t)
{
	static const struct digest nothing;
	struct rows source, there;
	struct key behind;
	enum dk_err err;

	key_least(&behind, t);
	for (;;) {
		source = there = (struct rows){ .digest = nothing };
		source.last = there.last = behind;
		err = read_rows(c, c->from, t, BATCH_ROWS, true, &source);
		if (err != DK_OK || source.n == 0)
			break;
		err = read_rows(c, c->to, t, source.n, false, &there);
		if (err == DK_OK &&
		    (there.n != source.n ||
			!digest_eq(&there.digest, &source.digest)))
			err = replace(c, t, &behind, &source);
		if (err != DK_OK)
			break;
		behind = source.last;
		say_progress(c, t->name, source.n);
	}
	return err == DK_OK ? clear_tail(c, t, &behind) : err;
}

static enum dk_err
explain(const struct copy *c, enum dk_err err, const char *table,
    struct buf *message)
{
	buf_addf(message, "table %s: ", table);
	if (err == DK_ERR_INTERNAL)
		buf_addz(message,
		    "a text in it is not UTF-8 or holds a NUL, which the "
		    "program never writes; mend it with the engine's shell");
	else if (err == DK_ERR_TOO_LARGE || err == DK_ERR_NOMEM)
		buf_addz(message, "a row in it is too long");
	else if (err == DK_ERR_BUSY)
		buf_addz(message, "others keep the store busy");
	else
		buf_addf(message, "%s (source); %s (target)",
		    db_error_text(c->from), db_error_text(c->to));
	return err;
}

enum dk_err
copy_begin(struct copy *c)
{
	int64_t used = 0;
	enum dk_err err;

	if (db_is_copying(c->to))
		return DK_OK;
	err = db_number(c->to, Q_COPY_IS_USED, NULL, 0, &used);
	if (err != DK_OK)
		return err;
	return used > 0 ? DK_ERR_DENIED : db_set_copying(c->to, true);
}

enum dk_err
copy_rows(struct copy *c, struct buf *message)
{
	enum dk_err err;
	size_t i;

	c->done = 0;
	/* All tables as they were at one moment. */
	err = db_begin(c->from, DB_READ);
	if (err == DK_OK)
		err = db_number(c->from, Q_COPY_ROWS, NULL, 0, &c->rows);
	for (i = 0; err == DK_OK && i < COPY_TABLES; i++) {
		err = copy_table(c, &tables[i]);
		if (err != DK_OK)
			err = explain(c, err, tables[i].name, message);
	}
	return db_end(c->from, err);
}

static enum dk_err
tally_side(struct copy *c, const struct table *t, int side)
{
	struct copy_tally *tally = &c->tally[t - tables];
	struct rows rows = { .n = 0 };
	enum dk_err err;

	key_least(&rows.last, t);
	do {
		err = read_rows(c, side == SOURCE ? c->from : c->to, t,
		    BATCH_ROWS, false, &rows);
		tally->rows[side] += (int64_t)rows.n;
		say_progress(c, "comparing", rows.n);
	} while (err == DK_OK && rows.n > 0);
	tally->digest[side] = rows.digest;
	return err;
}

enum dk_err
copy_verify(struct copy *c, bool *same, struct buf *message)
{
	enum dk_err err = db_begin(c->from, DB_READ);
	struct copy_tally *tally;
	size_t i;

	*same = true;
	c->done = 0;
	for (i = 0; err == DK_OK && i < COPY_TABLES; i++) {
		tally = &c->tally[i];
		*tally = (struct copy_tally){ .table = tables[i].name };
		err = tally_side(c, &tables[i], SOURCE);
		if (err == DK_OK)
			err = tally_side(c, &tables[i], TARGET);
		if (err != DK_OK)
			err = explain(c, err, tables[i].name, message);
		*same = *same && tally->rows[SOURCE] == tally->rows[TARGET] &&
		    digest_eq(&tally->digest[SOURCE], &tally->digest[TARGET]);
	}
	err = db_end(c->from, err);
	if (err == DK_OK && *same)
		err = db_set_copying(c->to, false);
	if (err != DK_OK)
		*same = false;
	return err;
}
