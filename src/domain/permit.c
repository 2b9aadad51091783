#include "domain/permit.h"

#include "base/secret.h"

enum dk_err
permit_is_admin(struct domain *dom, int64_t user_id, bool *is_admin)
{
	struct str wanted = dom->conf->admin_group;
	struct group_list groups = { 0 };
	struct user_row user;
	bool found = false;
	enum dk_err err;
	size_t i;

	*is_admin = false;
	if (wanted.n == 0 || user_id <= 0)
		return DK_OK;
	err = users_get_by_id(dom->db, user_id, &user, &found);
	if (err == DK_OK && found && !user.disabled && !user.must_change)
		err = users_groups(dom->db, user_id, &groups);
	for (i = 0; err == DK_OK && i < groups.n; i++)
		if (str_eq(str_from(groups.name[i]), wanted))
			*is_admin = true;
	secret_wipe(&user, sizeof(user));
	return err;
}

enum dk_err
permit_begin(struct domain *dom, const struct asker *asker, int64_t on_user_id)
{
	bool is_admin = false;
	enum dk_err err = db_begin(dom->db, DB_WRITE);

	if (err != DK_OK || asker->admin_id == 0)
		return err;
	err = permit_is_admin(dom, asker->admin_id, &is_admin);
	if (err == DK_OK && (!is_admin || on_user_id == asker->admin_id))
		err = DK_ERR_DENIED;
	if (err != DK_OK)
		db_rollback(dom->db);
	return err;
}
