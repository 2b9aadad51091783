#include "store/markers.h"

enum dk_err
markers_add(
    struct db *db, struct str name, struct str session_id, bool *added)
{
	const struct db_arg args[] = { DB_ARG_TEXT(name),
		DB_ARG_TEXT(session_id) };
	int64_t n = 0;
	enum dk_err err = db_exec(db, Q_MARKER_ADD, args, 2, &n);

	*added = err == DK_OK && n > 0;
	return err;
}

enum dk_err
markers_get(struct db *db, struct str name, int64_t now_ms,
    char session_id[UUID_TEXT_LEN + 1], bool *found)
{
	const struct db_arg args[] = { DB_ARG_TEXT(name), DB_ARG_INT(now_ms) };
	enum dk_err err;

	*found = false;
	session_id[0] = '\0';
	err = db_query(db, Q_MARKER_GET, args, 2);
	if (err == DK_OK)
		err = db_next(db, found);
	if (err == DK_OK && *found)
		err = db_copy_text(db, 0, session_id, UUID_TEXT_LEN + 1);
	db_done(db);
	if (err != DK_OK)
		*found = false;
	return err;
}

enum dk_err
markers_end(struct db *db, struct str session_id)
{
	const struct db_arg args[] = { DB_ARG_TEXT(session_id) };

	return db_exec(db, Q_MARKER_END, args, 1, NULL);
}

enum dk_err
markers_due(struct db *db, int64_t now_ms, char (*names)[MARKER_NAME_LEN + 1],
    size_t max, size_t *n)
{
	const struct db_arg args[] = { DB_ARG_INT(now_ms),
		DB_ARG_INT((int64_t)max) };
	bool some = false;
	enum dk_err err;

	*n = 0;
	err = db_query(db, Q_MARKER_DUE, args, 2);
	while (err == DK_OK && *n < max) {
		err = db_next(db, &some);
		if (err != DK_OK || !some)
			break;
		err = db_copy_text(db, 0, names[*n], MARKER_NAME_LEN + 1);
		*n += err == DK_OK;
	}
	db_done(db);
	return err;
}

enum dk_err
markers_delete(struct db *db, struct str name)
{
	const struct db_arg args[] = { DB_ARG_TEXT(name) };

	return db_exec(db, Q_MARKER_DELETE, args, 1, NULL);
}
