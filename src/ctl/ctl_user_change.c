/*
 * doorkeep user disable, enable, delete, groups, unlock, factor
 */
#include <stdio.h>

#include "base/secret.h"
#include "ctl/ctl.h"
#include "domain/factor.h"
#include "domain/throttle.h"

/* What was done, as a sentence or as JSON. */
static enum ctl_exit
done(struct ctl *ctl, const struct user_row *user, const char *sentence)
{
	if (ctl->json)
		ctl_say("{\"username\":\"%s\"}", user->username);
	else
		ctl_say("%s %s", user->username, sentence);
	return CTL_DONE;
}

static enum ctl_exit
set_disabled(struct ctl *ctl, bool disabled)
{
	struct user_row user;
	enum ctl_exit e;
	enum dk_err err;

	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e != CTL_DONE)
		return e;
	err = account_set_disabled(
	    &ctl->dom, &ctl->asker, &user, disabled, ctl->now_ms);
	e = err != DK_OK
	    ? ctl_fail_err(err, "the user was not changed")
	    : done(ctl, &user,
		  disabled ? "is disabled and signed out everywhere."
			   : "may sign in again.");
	secret_wipe(&user, sizeof(user));
	return e;
}

enum ctl_exit
ctl_user_disable(struct ctl *ctl)
{
	return set_disabled(ctl, true);
}

enum ctl_exit
ctl_user_enable(struct ctl *ctl)
{
	return set_disabled(ctl, false);
}

enum ctl_exit
ctl_user_delete(struct ctl *ctl)
{
	struct user_row user;
	enum ctl_exit e;
	enum dk_err err;

	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e != CTL_DONE)
		return e;
	err = account_delete(&ctl->dom, &ctl->asker, &user, ctl->now_ms);
	e = err != DK_OK ? ctl_fail_err(err, "the user was not deleted")
			 : done(ctl, &user, "is deleted.");
	secret_wipe(&user, sizeof(user));
	return e;
}

/* ---- groups
 * ------------------------------------------------------------------ */
static enum ctl_exit
print_groups(struct ctl *ctl, const struct user_row *user)
{
	char text[8 * 1024];
	struct group_list groups;
	struct buf b;
	struct jw w;
	enum dk_err err;
	size_t i;

	err = account_groups(&ctl->dom, user->id, &groups);
	if (err != DK_OK)
		return ctl_fail_err(err, "the groups could not be read");
	if (!ctl->json) {
		for (i = 0; i < groups.n; i++)
			ctl_say("%s", groups.name[i]);
		return CTL_DONE;
	}
	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "username", str_from(user->username));
	jw_array(&w, "groups");
	for (i = 0; i < groups.n; i++)
		jw_str(&w, NULL, str_from(groups.name[i]));
	jw_end(&w);
	jw_end(&w);
	return ctl_put_json(&b);
}

static enum ctl_exit
change_groups(struct ctl *ctl, const struct user_row *user, const char *option,
    bool member)
{
	struct str names[USER_GROUPS_MAX];
	size_t i, n = ctl_values(ctl, option, names, USER_GROUPS_MAX);
	enum dk_err err;

	for (i = 0; i < n; i++) {
		err = account_set_group(&ctl->dom, &ctl->asker, user, names[i],
		    member, ctl->now_ms);
		if (err == DK_ERR_INPUT)
			return ctl_fail("\"%.*s\" is no group name: 1 to %d of "
					"a-z A-Z 0-9 . _ -",
			    STR_FMT(names[i]), USER_GROUP_MAX);
		if (err == DK_ERR_TOO_LARGE)
			return ctl_fail("%s is in %d groups already; that is "
					"the most",
			    user->username, USER_GROUPS_MAX);
		if (err != DK_OK)
			return ctl_fail_err(err, "the group was not changed");
	}
	return CTL_DONE;
}

enum ctl_exit
ctl_user_groups(struct ctl *ctl)
{
	struct user_row user;
	enum ctl_exit e;

	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e == CTL_DONE)
		e = change_groups(ctl, &user, "remove", false);
	if (e == CTL_DONE)
		e = change_groups(ctl, &user, "add", true);
	if (e == CTL_DONE)
		e = print_groups(ctl, &user);
	secret_wipe(&user, sizeof(user));
	return e;
}

/* ---- unlock, factor
 * -------------------------------------------------------------- */
enum ctl_exit
ctl_user_unlock(struct ctl *ctl)
{
	struct user_row user;
	bool was_counted;
	enum ctl_exit e;
	enum dk_err err;

	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e != CTL_DONE)
		return e;
	err = throttle_unlock(&ctl->dom, &ctl->asker, str_from(user.username),
	    ctl->now_ms, &was_counted);
	if (err != DK_OK)
		e = ctl_fail_err(err, "the user was not unlocked");
	else
		e = done(ctl, &user,
		    was_counted ? "may try again at once, from everywhere."
				: "had no wrong guesses to forget.");
	secret_wipe(&user, sizeof(user));
	return e;
}

enum ctl_exit
ctl_user_factor(struct ctl *ctl)
{
	enum factor_state state = FACTOR_NONE;
	struct user_row user;
	bool removed = false;
	enum ctl_exit e;
	enum dk_err err;

	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e != CTL_DONE)
		return e;
	if (ctl_has(ctl, "remove"))
		err = factor_remove(&ctl->dom, &ctl->asker, &user, STR_NONE,
		    ctl->now_ms, &removed);
	else
		err = factor_state(&ctl->dom, user.id, &state);
	if (err != DK_OK)
		e = ctl_fail_err(err, "the second factor");
	else if (ctl_has(ctl, "remove"))
		e = done(ctl, &user,
		    removed ? "has no second factor any more; the sessions "
			      "are ended."
			    : "had no second factor.");
	else if (ctl->json)
		ctl_say("{\"username\":\"%s\",\"second_factor\":%s}",
		    user.username, state == FACTOR_ON ? "true" : "false");
	else
		e = done(ctl, &user,
		    state == FACTOR_ON ? "has a second factor."
				       : "has no second factor.");
	secret_wipe(&user, sizeof(user));
	return e;
}
