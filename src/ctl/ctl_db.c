/*
 * doorkeep db …
 */
#include "ctl/ctl.h"
#include "store/db_admin.h"

static enum ctl_exit
say_version(struct ctl *ctl)
{
	struct db *db = ctl->dom.db;

	if (ctl->json)
		ctl_say("{\"engine\":\"%s\",\"schema\":%d,\"newest\":%d}",
		    db_engine(db), db_schema_version(db), db_schema_newest(db));
	else
		ctl_say("%s, schema %d (this program knows up to %d)",
		    db_engine(db), db_schema_version(db), db_schema_newest(db));
	return CTL_DONE;
}

enum ctl_exit
ctl_db_version(struct ctl *ctl)
{
	return say_version(ctl);
}

enum ctl_exit
ctl_db_migrate(struct ctl *ctl)
{
	char text[CTL_MESSAGE_MAX];
	enum ctl_exit e = ctl_open_store(ctl, true, true);

	if (e != CTL_DONE)
		return e;
	if (!ctl->json)
		ctl_say("%s is ready.",
		    ctl_store_name(ctl, text, sizeof(text)));
	return say_version(ctl);
}

enum ctl_exit
ctl_db_check(struct ctl *ctl)
{
	char text[4096];
	struct buf message;
	bool sound = false;
	enum dk_err err;

	BUF_OVER(&message, text);
	err = db_check(ctl->dom.db, &sound, &message);
	if (err != DK_OK)
		return ctl_fail_err(err, "the store could not be checked");
	if (!sound)
		return ctl_fail("the store is not sound: %s", buf_z(&message));
	ctl_say(ctl->json ? "{\"sound\":true}" : "The store is sound.");
	return CTL_DONE;
}

enum ctl_exit
ctl_db_backup(struct ctl *ctl)
{
	char text[CTL_MESSAGE_MAX], key[CTL_PATH_MAX];
	struct buf message, b;

	BUF_OVER(&b, key);
	domain_own_file(&ctl->conf, "-key", &b);
	BUF_OVER(&message, text);
	if (db_backup(ctl->dom.db, ctl->operand[0], &message) != DK_OK)
		return ctl_fail("%s", buf_z(&message));
	if (ctl->json)
		ctl_say("{\"backup\":true}");
	else
		ctl_say("The copy is complete. It holds password hashes: keep "
			"it as safe as the store.\nSecond factors need "
			"%s beside it; copy that to another place.",
		    buf_z(&b));
	return CTL_DONE;
}
