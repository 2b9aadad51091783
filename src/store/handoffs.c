#include "store/handoffs.h"

#include <string.h>

enum dk_err
handoffs_add(struct db *db, const struct digest *code,
    const struct handoff_row *row)
{
	const struct db_arg args[] = { DB_ARG_BLOB(
					   code->byte, sizeof(code->byte)),
		DB_ARG_TEXT(str_from(row->session_id)),
		DB_ARG_TEXT(str_from(row->origin)),
		DB_ARG_BLOB(row->browser.byte, sizeof(row->browser.byte)),
		DB_ARG_INT(row->expires_at_ms) };

	return db_exec(db, Q_HANDOFF_ADD, args, 5, NULL);
}

static enum dk_err
read_row(struct db *db, struct handoff_row *row)
{
	enum dk_err err =
	    db_copy_text(db, 0, row->session_id, sizeof(row->session_id));

	if (err == DK_OK)
		err = db_copy_text(db, 1, row->origin, sizeof(row->origin));
	if (err == DK_OK)
		err = db_copy_blob(
		    db, 2, row->browser.byte, sizeof(row->browser.byte));
	return err;
}

enum dk_err
handoffs_take(struct db *db, const struct digest *code, int64_t now_ms,
    struct handoff_row *row, bool *found)
{
	const struct db_arg args[] = { DB_ARG_BLOB(
					   code->byte, sizeof(code->byte)),
		DB_ARG_INT(now_ms) };
	int64_t n = 0;
	enum dk_err err;

	memset(row, 0, sizeof(*row));
	*found = false;
	err = db_query(db, Q_HANDOFF_GET, args, 2);
	if (err == DK_OK)
		err = db_next(db, found);
	if (err == DK_OK && *found)
		err = read_row(db, row);
	db_done(db);
	if (err == DK_OK && *found)
		err = db_exec(db, Q_HANDOFF_USE, args, 1, &n);
	if (err != DK_OK || n != 1)
		*found = false;
	return err;
}

enum dk_err
handoffs_purge(struct db *db, int64_t now_ms)
{
	const struct db_arg args[] = { DB_ARG_INT(now_ms) };

	return db_exec(db, Q_HANDOFF_PURGE, args, 1, NULL);
}
