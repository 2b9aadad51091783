#include "store/settings.h"

static enum dk_err
read_secret(struct db *db, struct str name, struct secret *value, bool *found)
{
	const struct db_arg args[] = { DB_ARG_TEXT(name) };
	enum dk_err err;

	*found = false;
	err = db_query(db, Q_SETTING_GET, args, 1);
	if (err == DK_OK)
		err = db_next(db, found);
	if (err == DK_OK && *found)
		err = db_copy_blob(db, 0, value->byte, sizeof(value->byte));
	db_done(db);
	return err;
}

enum dk_err
settings_secret(struct db *db, struct str name, struct secret *value)
{
	struct db_arg args[2];
	bool found;
	enum dk_err err;

	*value = (struct secret){ { 0 } };
	err = read_secret(db, name, value, &found);
	if (err != DK_OK || found)
		return err;
	err = secret_new(value);
	if (err != DK_OK)
		return err;
	/* Another process may be first: what stands in the store counts. */
	args[0] = DB_ARG_TEXT(name);
	args[1] = DB_ARG_BLOB(value->byte, sizeof(value->byte));
	err = db_exec(db, Q_SETTING_ADD, args, 2, NULL);
	if (err == DK_OK)
		err = read_secret(db, name, value, &found);
	if (err == DK_OK && !found)
		err = DK_ERR_STORE;
	return err;
}
