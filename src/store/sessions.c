#include "store/sessions.h"

#include <string.h>

static enum dk_err
read_session(struct db *db, struct session_row *row)
{
	enum dk_err err;

	err = db_copy_text(db, 0, row->id, sizeof(row->id));
	if (err == DK_OK)
		err = db_copy_blob(db, 1, row->secret_hash.byte,
		    sizeof(row->secret_hash.byte));
	row->user_id = db_int(db, 2);
	row->created_at_ms = db_int(db, 3);
	row->authenticated_at_ms = db_int(db, 4);
	row->last_seen_at_ms = db_int(db, 5);
	row->expires_at_ms = db_int(db, 6);
	row->idle_timeout_ms = db_int(db, 7);
	row->level = (int)db_int(db, 8);
	row->remember = db_int(db, 9) != 0;
	if (err == DK_OK)
		err = db_copy_text(db, 10, row->ip, sizeof(row->ip));
	if (err == DK_OK)
		err = db_copy_text(db, 11, row->user_agent,
		    sizeof(row->user_agent));
	if (err == DK_OK)
		err = db_copy_text(db, 12, row->host, sizeof(row->host));
	return err;
}

static enum dk_err
read_view(struct db *db, struct session_view *view)
{
	enum dk_err err = read_session(db, &view->session);

	if (err == DK_OK)
		err = db_copy_text(db, 13, view->username,
		    sizeof(view->username));
	if (err == DK_OK)
		err = db_copy_text(db, 14, view->display_name,
		    sizeof(view->display_name));
	if (err == DK_OK)
		err = db_copy_text(db, 15, view->email, sizeof(view->email));
	view->disabled = db_int(db, 16) != 0;
	view->must_change = db_int(db, 17) != 0;
	return err;
}

enum dk_err
sessions_get(struct db *db, struct str id, struct session_view *view,
    bool *found)
{
	const struct db_arg args[] = { DB_ARG_TEXT(id) };
	enum dk_err err;

	memset(view, 0, sizeof(*view));
	*found = false;
	err = db_query(db, Q_SESSION_GET, args, 1);
	if (err == DK_OK)
		err = db_next(db, found);
	if (err == DK_OK && *found)
		err = read_view(db, view);
	db_done(db);
	if (err != DK_OK) {
		memset(view, 0, sizeof(*view));
		*found = false;
	}
	return err;
}

enum dk_err
sessions_check(struct db *db, struct str id, struct session_view *view,
    struct group_list *groups, bool *found)
{
	const struct db_arg args[] = { DB_ARG_TEXT(id) };
	bool more = false;
	enum dk_err err;

	memset(view, 0, sizeof(*view));
	groups->n = 0;
	*found = false;
	err = db_query(db, Q_SESSION_CHECK, args, 1);
	if (err == DK_OK)
		err = db_next(db, &more);
	if (err == DK_OK && more) {
		*found = true;
		err = read_view(db, view);
	}
	while (err == DK_OK && more && !str_is_none(db_text(db, 18))) {
		err = users_read_group(db, 18, groups);
		if (err == DK_OK)
			err = db_next(db, &more);
	}
	db_done(db);
	if (err != DK_OK) {
		memset(view, 0, sizeof(*view));
		groups->n = 0;
		*found = false;
	}
	return err;
}

enum dk_err
sessions_add(struct db *db, const struct session_row *row)
{
	const struct db_arg args[] = { DB_ARG_TEXT(str_from(row->id)),
		DB_ARG_BLOB(row->secret_hash.byte,
		    sizeof(row->secret_hash.byte)),
		DB_ARG_INT(row->user_id), DB_ARG_INT(row->created_at_ms),
		DB_ARG_INT(row->authenticated_at_ms),
		DB_ARG_INT(row->last_seen_at_ms),
		DB_ARG_INT(row->expires_at_ms),
		DB_ARG_INT(row->idle_timeout_ms), DB_ARG_INT(row->level),
		DB_ARG_INT(row->remember), DB_ARG_TEXT(str_from(row->ip)),
		DB_ARG_TEXT(str_from(row->user_agent)),
		DB_ARG_TEXT(str_from(row->host)) };

	return db_exec(db, Q_SESSION_ADD, args, 13, NULL);
}

enum dk_err
sessions_touch(struct db *db, struct str id, int64_t now_ms)
{
	const struct db_arg args[] = { DB_ARG_TEXT(id), DB_ARG_INT(now_ms) };

	return db_exec(db, Q_SESSION_TOUCH, args, 2, NULL);
}

enum dk_err
sessions_delete(struct db *db, struct str id, bool *deleted)
{
	const struct db_arg args[] = { DB_ARG_TEXT(id) };
	int64_t n = 0;
	enum dk_err err = db_exec(db, Q_SESSION_DELETE, args, 1, &n);

	*deleted = n > 0;
	return err;
}

enum dk_err
sessions_delete_family(struct db *db, struct str id, bool *deleted)
{
	const struct db_arg args[] = { DB_ARG_TEXT(id) };
	int64_t n = 0;
	enum dk_err err = db_exec(db, Q_SESSION_DELETE_FAMILY, args, 1, &n);

	*deleted = n > 0;
	return err;
}

enum dk_err
sessions_family(struct db *db, struct str id, int64_t user_id,
    char family[UUID_TEXT_LEN + 1])
{
	const struct db_arg args[] = { DB_ARG_TEXT(id), DB_ARG_INT(user_id) };
	bool found = false;
	enum dk_err err = db_query(db, Q_SESSION_FAMILY, args, 2);

	family[0] = '\0';
	if (err == DK_OK)
		err = db_next(db, &found);
	if (err == DK_OK && found && !str_is_none(db_text(db, 0)))
		err = db_copy_text(db, 0, family, UUID_TEXT_LEN + 1);
	db_done(db);
	return err;
}

enum dk_err
sessions_set_family(struct db *db, struct str id, struct str family)
{
	const struct db_arg args[] = { DB_ARG_TEXT(id), DB_ARG_TEXT(family) };

	return db_exec(db, Q_SESSION_SET_FAMILY, args, 2, NULL);
}

enum dk_err
sessions_delete_of_user(struct db *db, int64_t user_id, struct str keep,
    int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id),
		DB_ARG_TEXT(keep.n == 0 ? STR("") : keep) };

	return db_exec(db, Q_SESSION_DELETE_OF_USER, args, 2, n);
}

enum dk_err
sessions_delete_all(struct db *db, int64_t *n)
{
	return db_exec(db, Q_SESSION_DELETE_ALL, NULL, 0, n);
}

enum dk_err
sessions_delete_oldest(struct db *db, int64_t user_id, int64_t keep_newest,
    int64_t now_ms, int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(user_id), DB_ARG_INT(now_ms),
		DB_ARG_INT(keep_newest) };

	return db_exec(db, Q_SESSION_DELETE_OLDEST, args, 3, n);
}

enum dk_err
sessions_count(struct db *db, int64_t now_ms, int64_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(now_ms) };

	return db_number(db, Q_SESSION_COUNT, args, 1, n);
}

enum dk_err
sessions_purge_step(struct db *db, struct str from, int64_t limit,
    int64_t now_ms, char last[UUID_TEXT_LEN + 1], int64_t *n)
{
	const struct db_arg look[] = { DB_ARG_TEXT(
					   from.n == 0 ? STR("") : from),
		DB_ARG_INT(limit) };
	struct db_arg purge[3];
	char start[UUID_TEXT_LEN + 1] = "";
	bool some = false;
	enum dk_err err;

	*n = 0;
	if (from.n > UUID_TEXT_LEN)
		return DK_ERR_INTERNAL;
	/* `from` may be the caller's `last` itself. */
	if (from.n > 0)
		memcpy(start, from.p, from.n);
	err = db_query(db, Q_SESSION_PURGE_END, look, 2);
	if (err == DK_OK)
		err = db_next(db, &some);
	last[0] = '\0';
	if (err == DK_OK && some)
		err = db_copy_text(db, 0, last, UUID_TEXT_LEN + 1);
	db_done(db);
	if (err != DK_OK || last[0] == '\0')
		return err;
	purge[0] = DB_ARG_TEXT(str_from(start));
	purge[1] = DB_ARG_TEXT(str_from(last));
	purge[2] = DB_ARG_INT(now_ms);
	return db_exec(db, Q_SESSION_PURGE, purge, 3, n);
}

/* The statement of each of three kinds that has least to look at. */
enum { BY_TIME, BY_USER, BY_IP };

static size_t
kind_of(const struct session_filter *filter)
{
	if (filter->user_id > 0)
		return BY_USER;
	return filter->ip.n > 0 ? BY_IP : BY_TIME;
}

/* What narrows the list down, behind the first n arguments: how many now. */
static size_t
add_filter(struct db_arg *args, size_t n, const struct session_filter *filter)
{
	switch (kind_of(filter)) {
	case BY_USER:
		args[n++] = DB_ARG_INT(filter->user_id);
		args[n++] = DB_ARG_TEXT(
		    filter->ip.n == 0 ? STR("") : filter->ip);
		break;
	case BY_IP:
		args[n++] = DB_ARG_TEXT(filter->ip);
		break;
	default:
		break;
	}
	return n;
}

static int64_t
last_ms(const struct session_filter *filter)
{
	return filter->before_ms > 0 ? filter->before_ms - 1 : INT64_MAX;
}

enum dk_err
sessions_find(struct db *db, const struct session_filter *filter,
    int64_t now_ms, int64_t at_ms, struct str id, size_t limit,
    sessions_fn *fn, void *arg)
{
	static const enum query queries[] = { Q_SESSION_FIND,
		Q_SESSION_FIND_OF_USER, Q_SESSION_FIND_OF_IP };
	struct db_arg args[7] = { DB_ARG_INT(now_ms), DB_ARG_INT(at_ms),
		DB_ARG_TEXT(id.n == 0 ? STR("") : id),
		DB_ARG_INT((int64_t)limit), DB_ARG_INT(filter->since_ms) };
	struct session_view view;
	bool some = false;
	enum dk_err err;

	if (at_ms > last_ms(filter)) {
		args[1] = DB_ARG_INT(last_ms(filter));
		args[2] = DB_ARG_TEXT(STR("~")); /* behind every id */
	}
	err = db_query(
	    db, queries[kind_of(filter)], args, add_filter(args, 5, filter));
	while (err == DK_OK) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		memset(&view, 0, sizeof(view));
		err = read_view(db, &view);
		if (err == DK_OK)
			err = fn(arg, &view);
	}
	db_done(db);
	return err;
}

enum dk_err
sessions_find_count(struct db *db, const struct session_filter *filter,
    int64_t now_ms, int64_t at_most, int64_t *n)
{
	static const enum query queries[] = { Q_SESSION_FIND_COUNT,
		Q_SESSION_FIND_COUNT_OF_USER, Q_SESSION_FIND_COUNT_OF_IP };
	struct db_arg args[6] = { DB_ARG_INT(now_ms),
		DB_ARG_INT(last_ms(filter)), DB_ARG_INT(filter->since_ms),
		DB_ARG_INT(at_most) };

	return db_number(db, queries[kind_of(filter)], args,
	    add_filter(args, 4, filter), n);
}

enum dk_err
sessions_delete_found(struct db *db, const struct session_filter *filter,
    struct str keep, int64_t at_most, int64_t *n)
{
	static const enum query queries[] = { Q_SESSION_DELETE_FOUND,
		Q_SESSION_DELETE_FOUND_OF_USER, Q_SESSION_DELETE_FOUND_OF_IP };
	struct db_arg args[6] = { DB_ARG_TEXT(keep.n == 0 ? STR("") : keep),
		DB_ARG_INT(last_ms(filter)), DB_ARG_INT(filter->since_ms),
		DB_ARG_INT(at_most) };

	return db_exec(db, queries[kind_of(filter)], args,
	    add_filter(args, 4, filter), n);
}

enum dk_err
sessions_sum(struct db *db, int64_t now_ms, int64_t rows, int64_t *looked,
    int64_t *live)
{
	const struct db_arg args[] = { DB_ARG_INT(now_ms), DB_ARG_INT(rows) };
	bool some = false;
	enum dk_err err = db_query(db, Q_SESSION_SUM, args, 2);

	*looked = *live = 0;
	if (err == DK_OK)
		err = db_next(db, &some);
	if (err == DK_OK && some) {
		*looked = db_int(db, 0);
		*live = db_int(db, 1);
	}
	db_done(db);
	return err;
}
