#include "domain/import.h"

#include <string.h>

#include "base/secret.h"
#include "domain/account.h"
#include "domain/audit.h"
#include "domain/stored_hash.h"
#include "store/sessions.h"

/* Is the hash one that can be tried, at a bearable cost (DK-P-03, 04)? */
static enum import_result
judge_hash(struct str hash, bool *weak, const char **scheme)
{
	struct stored_hash h = stored_hash_read(hash);

	*weak = false;
	*scheme = "no password";
	if (hash.n == 0)
		return IMPORT_ADDED;
	*scheme = h.name;
	*weak = h.weak;
	if (h.scheme == HASH_NONE || hash.n > USER_PASSWORD_HASH_MAX)
		return IMPORT_BAD_HASH;
	return h.too_costly ? IMPORT_TOO_COSTLY : IMPORT_ADDED;
}

static enum dk_err
set_hash(struct domain *dom, const struct import *in,
    const struct user_row *user, bool replaced, int64_t now_ms)
{
	int64_t n;
	enum dk_err err = DK_OK;

	if (in->hash.n > 0)
		err = users_set_password(
		    dom->db, user->id, in->hash, false, now_ms);
	if (err == DK_OK && in->hash.n > 0 && replaced)
		err = sessions_delete_of_user(dom->db, user->id, STR_NONE, &n);
	if (err == DK_OK && (in->disabled || replaced))
		err =
		    users_set_disabled(dom->db, user->id, in->disabled, now_ms);
	return err;
}

static enum dk_err
add(struct domain *dom, const struct asker *asker, const struct import *in,
    int64_t now_ms, enum import_result *result)
{
	const struct account_new account = { .name = in->name,
		.display_name = in->display_name,
		.email = in->email,
		.groups = in->groups,
		.n_groups = in->n_groups };
	enum password_flaw flaw;
	struct user_row user = { 0 };
	bool found = false;
	enum dk_err err;

	err = account_add_within(dom, asker, &account, now_ms, &flaw);
	if (err == DK_ERR_INPUT || err == DK_ERR_TOO_LARGE) {
		*result = IMPORT_BAD_FIELD;
		return err;
	}
	if (err == DK_OK)
		err = account_get(dom, in->name, &user, &found);
	if (err == DK_OK && found)
		err = set_hash(dom, in, &user, false, now_ms);
	secret_wipe(&user, sizeof(user));
	return err;
}

static enum dk_err
replace_existing(struct domain *dom, const struct asker *asker,
    const struct import *in, const struct user_row *user, int64_t now_ms,
    enum import_result *result)
{
	const struct audit what = { .event = "user_imported",
		.outcome = "success",
		.username = str_from(user->username),
		.detail = STR("replaced") };
	enum dk_err err = DK_OK;
	size_t i;

	*result = IMPORT_REPLACED;
	for (i = 0; err == DK_OK && i < in->n_groups; i++) {
		if (!account_group_is_valid(in->groups[i])) {
			*result = IMPORT_BAD_FIELD;
			return DK_ERR_INPUT;
		}
		err = users_group_add(dom->db, user->id, in->groups[i]);
	}
	if (err == DK_OK)
		err = account_set_profile_within(
		    dom, user, in->display_name, in->email);
	if (err == DK_ERR_INPUT)
		*result = IMPORT_BAD_FIELD;
	if (err == DK_OK)
		err = set_hash(dom, in, user, true, now_ms);
	if (err == DK_OK)
		err = audit_write(dom, asker, &what, now_ms);
	return err;
}

enum dk_err
import_account(struct domain *dom, const struct asker *asker,
    const struct import *in, bool replace, int64_t now_ms,
    enum import_result *result, bool *weak, const char **scheme)
{
	struct user_row user = { 0 };
	bool found;
	enum dk_err err;

	*result = judge_hash(in->hash, weak, scheme);
	if (*result == IMPORT_ADDED && !account_name_is_valid(in->name))
		*result = IMPORT_BAD_NAME;
	if (*result != IMPORT_ADDED)
		return DK_OK;
	do {
		*result = IMPORT_ADDED;
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = account_get(dom, in->name, &user, &found);
		if (err == DK_OK && found && !replace)
			*result = IMPORT_EXISTS;
		else if (err == DK_OK && found)
			err = replace_existing(
			    dom, asker, in, &user, now_ms, result);
		else if (err == DK_OK)
			err = add(dom, asker, in, now_ms, result);
		secret_wipe(&user, sizeof(user));
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	/* A malformed field is an answer; nothing of the line was kept. */
	return *result == IMPORT_BAD_FIELD ? DK_OK : err;
}
