#include "store/events.h"

enum dk_err
events_add(struct db *db, const struct event_row *row)
{
	const struct db_arg args[] = { DB_ARG_INT(row->at_ms),
		DB_ARG_TEXT(row->event), DB_ARG_TEXT(row->outcome),
		DB_ARG_TEXT(row->username), DB_ARG_TEXT(row->ip),
		DB_ARG_TEXT(row->session), DB_ARG_TEXT(row->request_id),
		DB_ARG_TEXT(row->actor), DB_ARG_TEXT(row->detail) };

	return db_exec(db, Q_EVENT_ADD, args, 9, NULL);
}

static enum dk_err
each_row(struct db *db, enum query q, const struct db_arg *args, size_t n,
    events_fn *fn, void *arg)
{
	struct event_row row;
	bool some = false;
	enum dk_err err;

	err = db_query(db, q, args, n);
	while (err == DK_OK) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		row = (struct event_row){ .id = db_int(db, 0),
			.at_ms = db_int(db, 1),
			.event = db_text(db, 2),
			.outcome = db_text(db, 3),
			.username = db_text(db, 4),
			.ip = db_text(db, 5),
			.session = db_text(db, 6),
			.request_id = db_text(db, 7),
			.actor = db_text(db, 8),
			.detail = db_text(db, 9) };
		err = fn(arg, &row);
	}
	db_done(db);
	return err;
}

/* Empty where nothing is asked for. */
static struct db_arg
text_arg(struct str text)
{
	return DB_ARG_TEXT(text.n == 0 ? STR("") : text);
}

static int64_t
before(const struct event_filter *filter)
{
	return filter->before_ms > 0 ? filter->before_ms : INT64_MAX;
}

enum dk_err
events_list(struct db *db, const struct event_filter *filter,
    int64_t after_id, size_t limit, events_fn *fn, void *arg)
{
	const struct db_arg args[] = { DB_ARG_INT(after_id),
		DB_ARG_INT(filter->since_ms), text_arg(filter->username),
		DB_ARG_INT((int64_t)limit), text_arg(filter->event),
		text_arg(filter->outcome), text_arg(filter->ip),
		DB_ARG_INT(before(filter)) };

	return each_row(db, Q_EVENT_LIST, args, 8, fn, arg);
}

/* The statement that has least to look at. */
static enum query
choose(const struct event_filter *filter)
{
	if (filter->username.n > 0)
		return Q_EVENT_FIND_OF_USERNAME;
	if (filter->ip.n > 0)
		return Q_EVENT_FIND_OF_IP;
	if (filter->event.n > 0)
		return Q_EVENT_FIND_OF_EVENT;
	return filter->outcome.n > 0 ? Q_EVENT_FIND_OF_OUTCOME : Q_EVENT_FIND;
}

enum dk_err
events_find(struct db *db, const struct event_filter *filter, int64_t at_ms,
    int64_t id, size_t limit, events_fn *fn, void *arg)
{
	struct db_arg args[] = { DB_ARG_INT(at_ms), DB_ARG_INT(id),
		DB_ARG_INT(filter->since_ms), DB_ARG_INT((int64_t)limit),
		text_arg(filter->username), text_arg(filter->ip),
		text_arg(filter->event), text_arg(filter->outcome) };

	if (at_ms >= before(filter)) {
		args[0] = DB_ARG_INT(before(filter) - 1);
		args[1] = DB_ARG_INT(INT64_MAX);
	}
	return each_row(db, choose(filter), args, 8, fn, arg);
}

enum dk_err
events_sign_ins(struct db *db, struct str username, size_t limit,
    events_fn *fn, void *arg)
{
	const struct db_arg args[] = { DB_ARG_TEXT(username),
		DB_ARG_INT((int64_t)limit) };

	return each_row(db, Q_EVENT_SIGN_INS, args, 2, fn, arg);
}

enum dk_err
events_purge_step(struct db *db, int64_t before_ms, int64_t limit, int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(before_ms),
		DB_ARG_INT(limit) };

	return db_exec(db, Q_EVENT_PURGE_STEP, args, 2, n);
}
