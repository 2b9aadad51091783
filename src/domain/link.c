#include "domain/link.h"

#include "domain/audit.h"
#include "domain/device.h"
#include "domain/permit.h"
#include "store/factors.h"
#include "store/sessions.h"

enum dk_err
link_make(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms, struct secret *token)
{
	const struct audit what = { .event = "link_made",
		.outcome = "success",
		.username = str_from(user->username) };
	struct digest hash;
	enum dk_err err = secret_new(token);

	if (err != DK_OK)
		goto out;
	device_token(token, &hash);
	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = links_put(dom->db, user->id, &hash, now_ms,
			    now_ms + LINK_LIFE_MS);
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
out:
	if (err != DK_OK)
		secret_wipe(token, sizeof(*token));
	return err;
}

void
link_add_url(
    const struct conf *conf, const struct secret *token, struct buf *out)
{
	char text[SECRET_TEXT_LEN + 1];

	secret_to_text(token, text);
	buf_add(out, conf->origins[0].text);
	buf_add(out, conf->mount);
	buf_addf(out, "/set-password?token=%s", text);
	secret_wipe(text, sizeof(text));
}

enum dk_err
link_look(struct domain *dom, const struct secret *token, int64_t now_ms,
    struct user_row *user, bool *found)
{
	struct digest hash;
	int64_t id = 0;
	enum dk_err err;

	*user = (struct user_row){ 0 };
	device_token(token, &hash);
	err = links_get(dom->db, &hash, now_ms, &id, found);
	if (err == DK_OK && *found)
		err = users_get_by_id(dom->db, id, user, found);
	if (err != DK_OK || user->disabled)
		*found = false;
	if (!*found)
		secret_wipe(user, sizeof(*user));
	return err;
}

/* All in one transaction: who comes second finds the link used up. */
static enum dk_err
use_up(struct domain *dom, const struct asker *asker,
    const struct digest *token, const struct user_row *user, struct str hash,
    int64_t now_ms, bool *used)
{
	const struct audit what = { .event = "password_changed",
		.outcome = "success",
		.username = str_from(user->username),
		.detail = STR("by one-use link") };
	int64_t n;
	enum dk_err err = links_use(dom->db, token, now_ms, used);

	if (err != DK_OK || !*used)
		return err;
	err = users_set_password(dom->db, user->id, hash, false, now_ms);
	if (err == DK_OK)
		err = sessions_delete_of_user(dom->db, user->id, STR_NONE, &n);
	if (err == DK_OK)
		err = devices_forget(dom->db, user->id);
	if (err == DK_OK)
		err = audit_write(dom, asker, &what, now_ms);
	return err;
}

enum dk_err
link_use(struct domain *dom, const struct asker *asker,
    const struct secret *token, struct str pw, int64_t now_ms,
    enum password_flaw *flaw, bool *used)
{
	char hash[USER_PASSWORD_HASH_MAX + 1] = "";
	struct digest token_hash;
	struct user_row user;
	bool found, is_short = false;
	enum dk_err err;

	*flaw = PASSWORD_FINE;
	*used = false;
	err = link_look(dom, token, now_ms, &user, &found);
	if (err != DK_OK || !found)
		goto out;
	err = account_judge_password(dom, &user, pw, flaw, &is_short);
	if (err == DK_OK && *flaw != PASSWORD_FINE)
		err = DK_ERR_INPUT;
	if (err == DK_OK)
		err = password_hash(dom, pw, hash);
	if (err != DK_OK)
		goto out;
	device_token(token, &token_hash);
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = use_up(dom, asker, &token_hash, &user,
			    str_from(hash), now_ms, used);
		if (err == DK_OK && *used)
			err = users_mark_password(dom->db, user.id, is_short);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	if (err != DK_OK)
		*used = false;
out:
	secret_wipe(&user, sizeof(user));
	secret_wipe(hash, sizeof(hash));
	return err;
}
