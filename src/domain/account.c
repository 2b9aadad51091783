#include "domain/account.h"

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "domain/audit.h"
#include "domain/factor.h"
#include "domain/permit.h"
#include "store/factors.h"
#include "store/sessions.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
is_made_of(struct str s, const char *others, size_t max)
{
	size_t i;

	if (s.n == 0 || s.n > max || !is_alnum(s.p[0]))
		return false;
	for (i = 1; i < s.n; i++)
		if (!is_alnum(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(others, s.p[i]) == NULL))
			return false;
	return true;
}

bool
account_name_is_valid(struct str name)
{
	return is_made_of(name, "._@+-", USER_NAME_MAX);
}

bool
account_group_is_valid(struct str group)
{
	return is_made_of(group, "._-", USER_GROUP_MAX);
}

bool
account_key(struct str name, char key[USER_NAME_MAX + 1])
{
	size_t i;

	key[0] = '\0';
	if (!account_name_is_valid(name))
		return false;
	for (i = 0; i < name.n; i++)
		key[i] = name.p[i] >= 'A' && name.p[i] <= 'Z'
		    ? (char)(name.p[i] + 32)
		    : name.p[i];
	key[i] = '\0';
	return true;
}

enum dk_err
account_get(
    struct domain *dom, struct str name, struct user_row *user, bool *found)
{
	char key[USER_NAME_MAX + 1];

	*user = (struct user_row){ 0 };
	*found = false;
	if (!account_key(name, key))
		return DK_OK;
	return users_get(dom->db, str_from(key), user, found);
}

enum dk_err
account_by_id(
    struct domain *dom, int64_t id, struct user_row *user, bool *found)
{
	return users_get_by_id(dom->db, id, user, found);
}

enum dk_err
account_find(struct domain *dom, const struct user_filter *filter,
    struct str after, size_t limit, users_fn *fn, void *arg)
{
	return users_find(dom->db, filter, after, limit, fn, arg);
}

enum dk_err
account_count(struct domain *dom, int64_t *n)
{
	return users_count(dom->db, n);
}

enum dk_err
account_groups(struct domain *dom, int64_t user_id, struct group_list *groups)
{
	return users_groups(dom->db, user_id, groups);
}

/*
 * Another cost is configured, or the hash was imported: replace it now that
 * the password is at hand.  If that fails the sign-in does not.  Another
 * worker may have been first: what stands there then is of the same password
 * as long as that was not changed.
 */
static void
rehash(struct domain *dom, struct user_row *user, struct str pw)
{
	char hash[USER_PASSWORD_HASH_MAX + 1];
	struct user_row now = { 0 };
	bool found = false;
	enum dk_err err;

	err = password_hash(dom, pw, hash);
	if (err == DK_OK) /* static(tidy): read anew below, as is said there */
		err = users_rehash(dom->db, user->id,
		    str_from(user->password_hash), str_from(hash));
	/* Read even after an error: it does not tell what others did. */
	err = users_get_by_id(dom->db, user->id, &now, &found);
	if (err == DK_OK && found &&
	    now.password_changed_at_ms == user->password_changed_at_ms)
		memcpy(user->password_hash, now.password_hash,
		    sizeof(now.password_hash));
	secret_wipe(&now, sizeof(now));
	secret_wipe(hash, sizeof(hash));
}

static enum dk_err
write_failure(struct domain *dom, const struct asker *asker,
    const struct user_row *user, bool found, bool match, int64_t now_ms)
{
	const struct audit what = { .event = "sign_in",
		.outcome = "failure",
		.username = found ? str_from(user->username) : STR_NONE,
		.detail = !found ? STR("unknown name")
		    : match	 ? STR("disabled")
				 : STR("wrong password") };

	return audit_write(dom, asker, &what, now_ms);
}

enum dk_err
account_authenticate(struct domain *dom, const struct asker *asker,
    struct str name, struct str pw, int64_t now_ms, struct user_row *user,
    bool *ok)
{
	struct user_row row;
	bool found, match = false, again = false;
	enum dk_err err;

	*user = (struct user_row){ 0 };
	*ok = false;
	err = account_get(dom, name, &row, &found);
	if (err != DK_OK)
		goto out;
	/* Hash even for unknown names, or the answer's delay names them. */
	err = password_verify_for(dom, pw,
	    found ? str_from(row.password_hash) : STR_NONE, !row.disabled,
	    &match, &again);
	if (err != DK_OK)
		goto out;
	if (!found || !match || row.disabled) {
		err = write_failure(dom, asker, &row, found, match, now_ms);
		goto out;
	}
	if (again)
		rehash(dom, &row, pw);
	*user = row;
	*ok = true;
out:
	secret_wipe(&row, sizeof(row));
	return err;
}

/* Text into a fixed field; false when it does not fit or is unfit to show. */
static bool
set_text(char *to, size_t size, struct str s)
{
	if (s.n >= size || !str_is_printable(s))
		return false;
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}

/* ASCII, one '@' with something on both sides; no space, no leading dash: it
 * may become an argument or a header one day (DK-R-08). */
static bool
email_is_valid(struct str s)
{
	struct str local, domain;
	size_t i;

	if (s.n == 0)
		return true;
	if (!str_split(s, '@', &local, &domain) || local.n == 0 ||
	    domain.n == 0 || str_contains(domain, '@') || s.p[0] == '-')
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' ||
		    s.p[i] == '<' || s.p[i] == '>' || s.p[i] == ',')
			return false;
	return true;
}

/* An id that no other has: random, positive, 62 bits. */
static enum dk_err
new_id(int64_t *id)
{
	uint64_t n = 0;
	enum dk_err err = secret_random(&n, sizeof(n));

	*id = (int64_t)(n >> 2) | 1;
	return err;
}

/* Against the rules; a list that cannot be read lets nothing pass. */
static enum dk_err
judge(struct domain *dom, struct str pw, const struct user_row *user,
    bool has_factor, enum password_flaw *flaw)
{
	*flaw = has_factor
	    ? password_judge_with_factor(dom->conf, pw, user)
	    : password_judge(dom->conf, pw, user);
	if (*flaw != PASSWORD_NOT_CHECKED)
		return DK_OK;
	LOG_WRITE(dom->log, LOG_LEVEL_ERROR, "password_blocklist_unreadable",
	    { "file", dom->conf->password_blocklist },
	    { "cause", str_from(strerror(errno)) });
	*flaw = PASSWORD_FINE;
	return DK_ERR_IO;
}

static enum dk_err
fill_in(struct domain *dom, const struct account_new *new_account,
    struct user_row *row, enum password_flaw *flaw)
{
	enum dk_err err;
	size_t i;

	if (!account_name_is_valid(new_account->name) ||
	    !set_text(
		row->username, sizeof(row->username), new_account->name) ||
	    !set_text(row->display_name, sizeof(row->display_name),
		new_account->display_name) ||
	    !email_is_valid(new_account->email) ||
	    !set_text(row->email, sizeof(row->email), new_account->email))
		return DK_ERR_INPUT;
	if (new_account->n_groups > USER_GROUPS_MAX)
		return DK_ERR_TOO_LARGE;
	for (i = 0; i < new_account->n_groups; i++)
		if (!account_group_is_valid(new_account->groups[i]))
			return DK_ERR_INPUT;
	if (str_is_none(new_account->pw))
		return DK_OK;
	err = judge(dom, new_account->pw, row, false, flaw);
	if (err == DK_OK && *flaw != PASSWORD_FINE)
		err = DK_ERR_INPUT;
	return err == DK_OK
	    ? password_hash(dom, new_account->pw, row->password_hash)
	    : err;
}

/* Within a transaction: the row, its groups, its event. */
static enum dk_err
insert(struct domain *dom, const struct asker *asker,
    const struct account_new *new_account, const struct user_row *row,
    int64_t now_ms)
{
	const struct audit what = { .event = "user_added",
		.outcome = "success",
		.username = str_from(row->username) };
	char key[USER_NAME_MAX + 1];
	enum dk_err err;
	size_t i;

	if (!account_key(new_account->name, key))
		return DK_ERR_INPUT;
	err = users_add(dom->db, row, str_from(key));
	for (i = 0; err == DK_OK && i < new_account->n_groups; i++)
		err = users_group_add(dom->db, row->id, new_account->groups[i]);
	return err == DK_OK ? audit_write(dom, asker, &what, now_ms) : err;
}

enum dk_err
account_add_within(struct domain *dom, const struct asker *asker,
    const struct account_new *new_account, int64_t now_ms,
    enum password_flaw *flaw)
{
	struct user_row row = { .created_at_ms = now_ms };
	enum dk_err err;

	*flaw = PASSWORD_FINE;
	err = fill_in(dom, new_account, &row, flaw);
	if (err == DK_OK)
		err = new_id(&row.id);
	if (err == DK_OK)
		err = insert(dom, asker, new_account, &row, now_ms);
	secret_wipe(&row, sizeof(row));
	return err;
}

enum dk_err
account_add(struct domain *dom, const struct asker *asker,
    const struct account_new *new_account, int64_t now_ms,
    enum password_flaw *flaw)
{
	struct user_row row = { .created_at_ms = now_ms };
	enum dk_err err;

	*flaw = PASSWORD_FINE;
	err = fill_in(dom, new_account, &row, flaw);
	if (err == DK_OK)
		err = new_id(&row.id);
	if (err != DK_OK)
		goto out;
	do {
		err = permit_begin(dom, asker, 0);
		if (err == DK_OK)
			err = insert(dom, asker, new_account, &row, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
out:
	secret_wipe(&row, sizeof(row));
	return err;
}

enum dk_err
account_set_profile_within(struct domain *dom, const struct user_row *user,
    struct str display_name, struct str email)
{
	struct user_row row = *user;
	enum dk_err err = DK_ERR_INPUT;

	if ((str_is_none(display_name) ||
		set_text(row.display_name, sizeof(row.display_name),
		    display_name)) &&
	    (str_is_none(email) ||
		(email_is_valid(email) &&
		    set_text(row.email, sizeof(row.email), email))))
		err = users_set_profile(dom->db, &row);
	secret_wipe(&row, sizeof(row));
	return err;
}

enum dk_err
account_judge_password(struct domain *dom, const struct user_row *user,
    struct str pw, enum password_flaw *flaw, bool *is_short)
{
	enum factor_state state;
	bool same = false;
	enum dk_err err = factor_state(dom, user->id, &state);

	*flaw = PASSWORD_FINE;
	*is_short = false;
	if (err != DK_OK)
		return err;
	err = judge(dom, pw, user, state == FACTOR_ON, flaw);
	if (err != DK_OK || *flaw != PASSWORD_FINE)
		return err;
	*is_short = password_is_short(dom->conf, pw);
	/* One that others know is not kept by setting it again (DK-W-09). */
	if (user->must_change && user->password_hash[0] != '\0')
		err = password_verify(
		    dom, pw, str_from(user->password_hash), &same, NULL);
	if (err == DK_OK && same)
		*flaw = PASSWORD_AS_BEFORE;
	return err;
}

enum dk_err
account_require_change(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms)
{
	const struct audit what = { .event = "password_change_required",
		.outcome = "success",
		.username = str_from(user->username) };
	int64_t n;
	enum dk_err err;

	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = users_require_change(dom->db, user->id, false);
		if (err == DK_OK)
			err = sessions_delete_of_user(
			    dom->db, user->id, STR_NONE, &n);
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
account_set_password(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str pw, int64_t now_ms,
    enum password_flaw *flaw)
{
	const struct audit what = { .event = "password_changed",
		.outcome = "success",
		.username = str_from(user->username) };
	char hash[USER_PASSWORD_HASH_MAX + 1];
	bool is_short;
	enum dk_err err;
	int64_t n;

	hash[0] = '\0';
	err = account_judge_password(dom, user, pw, flaw, &is_short);
	if (err == DK_OK && *flaw != PASSWORD_FINE)
		err = DK_ERR_INPUT;
	if (err == DK_OK)
		err = password_hash(dom, pw, hash);
	if (err != DK_OK)
		goto out;
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = users_set_password(
			    dom->db, user->id, str_from(hash), false, now_ms);
		if (err == DK_OK)
			err = users_mark_password(dom->db, user->id, is_short);
		if (err == DK_OK)
			err = sessions_delete_of_user(
			    dom->db, user->id, STR_NONE, &n);
		/* A link that is under way is not to undo the person's choice.
		 */
		if (err == DK_OK)
			err = links_forget(dom->db, user->id);
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
out:
	secret_wipe(hash, sizeof(hash));
	return err;
}

enum dk_err
account_set_disabled(struct domain *dom, const struct asker *asker,
    const struct user_row *user, bool disabled, int64_t now_ms)
{
	const struct audit what = { .event = disabled ? "user_disabled"
						      : "user_enabled",
		.outcome = "success",
		.username = str_from(user->username) };
	enum dk_err err;

	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = users_set_disabled(
			    dom->db, user->id, disabled, now_ms);
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
account_delete(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms)
{
	const struct audit what = { .event = "user_deleted",
		.outcome = "success",
		.username = str_from(user->username) };
	enum dk_err err;

	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = users_delete(dom->db, user->id);
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

/* More groups than a list holds would end every request of the user. */
static enum dk_err
add_group(struct domain *dom, int64_t id, struct str group)
{
	struct group_list groups;
	enum dk_err err = users_groups(dom->db, id, &groups);
	size_t i;

	for (i = 0; err == DK_OK && i < groups.n; i++)
		if (str_eq(str_from(groups.name[i]), group))
			return DK_OK;
	if (err == DK_OK && groups.n == USER_GROUPS_MAX)
		err = DK_ERR_TOO_LARGE;
	return err == DK_OK ? users_group_add(dom->db, id, group) : err;
}

enum dk_err
account_set_group(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str group, bool member, int64_t now_ms)
{
	const struct audit what = { .event = member ? "group_added"
						    : "group_removed",
		.outcome = "success",
		.username = str_from(user->username),
		.detail = group };
	enum dk_err err;
	bool removed;

	if (!account_group_is_valid(group))
		return DK_ERR_INPUT;
	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = member ? add_group(dom, user->id, group)
				     : users_group_remove(
					   dom->db, user->id, group, &removed);
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}
