#include "store/users.h"

/* Columns as user_get and its kin name them. */
static enum dk_err
read_row(struct db *db, struct user_row *row)
{
	enum dk_err err;

	row->id = db_int(db, 0);
	err = db_copy_text(db, 1, row->username, sizeof(row->username));
	if (err == DK_OK)
		err = db_copy_text(db, 2, row->display_name,
		    sizeof(row->display_name));
	if (err == DK_OK)
		err = db_copy_text(db, 3, row->email, sizeof(row->email));
	if (err == DK_OK)
		err = db_copy_text(db, 4, row->password_hash,
		    sizeof(row->password_hash));
	row->disabled = db_int(db, 5) != 0;
	row->must_change = db_int(db, 6) != 0;
	row->created_at_ms = db_int(db, 7);
	row->password_changed_at_ms = db_int(db, 8);
	return err;
}

static enum dk_err
get(struct db *db, enum query q, struct db_arg arg, struct user_row *row,
    bool *found)
{
	enum dk_err err;

	*row = (struct user_row){ 0 };
	*found = false;
	err = db_query(db, q, &arg, 1);
	if (err == DK_OK)
		err = db_next(db, found);
	if (err == DK_OK && *found)
		err = read_row(db, row);
	db_done(db);
	if (err != DK_OK) {
		*row = (struct user_row){ 0 };
		*found = false;
	}
	return err;
}

enum dk_err
users_get(struct db *db, struct str key, struct user_row *row, bool *found)
{
	return get(db, Q_USER_GET, DB_ARG_TEXT(key), row, found);
}

enum dk_err
users_get_by_id(struct db *db, int64_t id, struct user_row *row, bool *found)
{
	return get(db, Q_USER_GET_BY_ID, DB_ARG_INT(id), row, found);
}

enum dk_err
users_add(struct db *db, const struct user_row *row, struct str key)
{
	const struct db_arg args[] = { DB_ARG_INT(row->id),
		DB_ARG_TEXT(str_from(row->username)), DB_ARG_TEXT(key),
		DB_ARG_TEXT(str_from(row->display_name)),
		DB_ARG_TEXT(str_from(row->email)),
		DB_ARG_TEXT(str_from(row->password_hash)),
		DB_ARG_INT(row->must_change), DB_ARG_INT(row->created_at_ms) };

	return db_exec(db, Q_USER_ADD, args, 8, NULL);
}

enum dk_err
users_set_password(struct db *db, int64_t id, struct str hash,
    bool must_change, int64_t now_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(id), DB_ARG_TEXT(hash),
		DB_ARG_INT(must_change), DB_ARG_INT(now_ms) };

	return db_exec(db, Q_USER_SET_PASSWORD, args, 4, NULL);
}

enum dk_err
users_mark_password(struct db *db, int64_t id, bool is_short)
{
	const struct db_arg args[] = { DB_ARG_INT(id), DB_ARG_INT(is_short) };

	return db_exec(db, Q_USER_MARK_PASSWORD, args, 2, NULL);
}

enum dk_err
users_require_change(struct db *db, int64_t id, bool if_short)
{
	const struct db_arg args[] = { DB_ARG_INT(id) };

	return db_exec(db,
	    if_short ? Q_USER_REQUIRE_CHANGE_IF_SHORT : Q_USER_REQUIRE_CHANGE,
	    args, 1, NULL);
}

enum dk_err
users_rehash(struct db *db, int64_t id, struct str verified, struct str hash)
{
	const struct db_arg args[] = { DB_ARG_INT(id), DB_ARG_TEXT(verified),
		DB_ARG_TEXT(hash) };

	return db_exec(db, Q_USER_REHASH, args, 3, NULL);
}

enum dk_err
users_set_profile(struct db *db, const struct user_row *row)
{
	const struct db_arg args[] = { DB_ARG_INT(row->id),
		DB_ARG_TEXT(str_from(row->display_name)),
		DB_ARG_TEXT(str_from(row->email)) };

	return db_exec(db, Q_USER_SET_PROFILE, args, 3, NULL);
}

enum dk_err
users_set_disabled(struct db *db, int64_t id, bool disabled, int64_t now_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(id), DB_ARG_INT(disabled),
		disabled ? DB_ARG_INT(now_ms) : DB_ARG_NULL };

	return db_exec(db, Q_USER_SET_DISABLED, args, 3, NULL);
}

enum dk_err
users_delete(struct db *db, int64_t id)
{
	const struct db_arg args[] = { DB_ARG_INT(id) };

	return db_exec(db, Q_USER_DELETE, args, 1, NULL);
}

/* Candidates that are looked at one by one without anybody noticing. */
enum { FEW = 2000 };

/* What to look for, and the first text behind all that begin so.  */
struct bounds {
	char low_text[USER_BEGINS_MAX + 1], high_text[USER_BEGINS_MAX + 5];
	struct str low, high;
};

static enum dk_err
make_bounds(struct str begins, struct bounds *bounds)
{
	struct buf low, high;
	size_t i;

	BUF_OVER(&low, bounds->low_text);
	BUF_OVER(&high, bounds->high_text);
	/* As lower() of the store: ASCII alone. */
	for (i = 0; i < begins.n; i++)
		buf_addc(&low,
		    begins.p[i] >= 'A' && begins.p[i] <= 'Z'
			? (char)(begins.p[i] + 32)
			: begins.p[i]);
	buf_add(&high, buf_str(&low));
	buf_addz(&high, "\xf4\x8f\xbf\xbf"); /* U+10FFFF */
	bounds->low = buf_str(&low);
	bounds->high = buf_str(&high);
	return buf_ok(&low) && buf_ok(&high) ? DK_OK : DK_ERR_TOO_LARGE;
}

/* The statement that has least to look at. */
static enum dk_err
choose(struct db *db, const struct user_filter *filter,
    const struct bounds *bounds, enum query *q)
{
	const struct db_arg begins[] = { DB_ARG_TEXT(bounds->low),
		DB_ARG_TEXT(bounds->high), DB_ARG_INT(FEW) };
	const struct db_arg group[] = { DB_ARG_TEXT(filter->group),
		DB_ARG_INT(FEW) };
	int64_t n = FEW;
	enum dk_err err = DK_OK;

	*q = filter->state == USERS_DISABLED ? Q_USER_FIND_DISABLED
					     : Q_USER_FIND;
	if (bounds->low.n > 0)
		err = db_number(db, Q_USER_BEGINS_COUNT, begins, 3, &n);
	if (err != DK_OK || n < FEW) {
		*q = Q_USER_FIND_BEGINS;
		return err;
	}
	if (filter->group.n > 0)
		err = db_number(db, Q_USER_IN_GROUP_COUNT, group, 2, &n);
	if (n < FEW)
		*q = Q_USER_FIND_IN_GROUP;
	return err;
}

enum dk_err
users_find(struct db *db, const struct user_filter *filter, struct str after,
    size_t limit, users_fn *fn, void *arg)
{
	static const int64_t states[] = { -1, 0, 1 };
	struct bounds bounds;
	struct db_arg args[6];
	enum query q;
	struct user_row row;
	bool some = false;
	enum dk_err err = make_bounds(filter->begins, &bounds);

	if (err == DK_OK)
		err = choose(db, filter, &bounds, &q);
	if (err != DK_OK)
		return err;
	args[0] = DB_ARG_TEXT(after.n == 0 ? STR("") : after);
	args[1] = DB_ARG_INT((int64_t)limit);
	args[2] = DB_ARG_TEXT(filter->group.n == 0 ? STR("") : filter->group);
	args[3] = DB_ARG_INT(states[filter->state]);
	args[4] = DB_ARG_TEXT(bounds.low);
	args[5] = DB_ARG_TEXT(bounds.high);
	err = db_query(db, q, args, 6);
	while (err == DK_OK) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		row = (struct user_row){ 0 };
		err = read_row(db, &row);
		if (err == DK_OK)
			err = fn(arg, &row);
	}
	db_done(db);
	return err;
}

enum dk_err
users_count(struct db *db, int64_t *n)
{
	return db_number(db, Q_USER_COUNT, NULL, 0, n);
}

enum dk_err
users_read_group(struct db *db, int column, struct group_list *groups)
{
	enum dk_err err;

	if (groups->n == USER_GROUPS_MAX)
		return DK_ERR_TOO_LARGE;
	err = db_copy_text(db, column, groups->name[groups->n],
	    sizeof(groups->name[0]));
	if (err == DK_OK)
		groups->n++;
	return err;
}

enum dk_err
users_groups(struct db *db, int64_t id, struct group_list *groups)
{
	const struct db_arg args[] = { DB_ARG_INT(id) };
	bool some = false;
	enum dk_err err;

	groups->n = 0;
	err = db_query(db, Q_GROUP_LIST, args, 1);
	while (err == DK_OK) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		err = users_read_group(db, 0, groups);
	}
	db_done(db);
	if (err != DK_OK)
		groups->n = 0;
	return err;
}

enum dk_err
users_group_add(struct db *db, int64_t id, struct str group)
{
	const struct db_arg args[] = { DB_ARG_INT(id), DB_ARG_TEXT(group) };

	return db_exec(db, Q_GROUP_ADD, args, 2, NULL);
}

enum dk_err
users_group_remove(struct db *db, int64_t id, struct str group, bool *removed)
{
	const struct db_arg args[] = { DB_ARG_INT(id), DB_ARG_TEXT(group) };
	int64_t n = 0;
	enum dk_err err = db_exec(db, Q_GROUP_REMOVE, args, 2, &n);

	*removed = n > 0;
	return err;
}
