/*
 * doorkeep user …
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/qr.h"
#include "base/secret.h"
#include "ctl/ctl.h"
#include "domain/factor.h"
#include "domain/link.h"
#include "domain/session.h"
#include "words/words.h"

enum { LIST_STEP = 100, LINK_MAX = 512, JSON_MAX = 16 * 1024 };

/* Why an account was not made or changed. */
static enum ctl_exit
say_refusal(
    struct ctl *ctl, enum dk_err err, enum password_flaw flaw, struct str name)
{
	char text[256];
	int64_t number;
	enum msg why = password_flaw_message(flaw, &ctl->conf, &number);
	struct buf b;

	if (why != MSG_NONE) {
		BUF_OVER(&b, text);
		words_say_number(WORDS_ENGLISH, why, number, &b);
		return ctl_fail("%s", buf_z(&b));
	}
	if (err == DK_ERR_CONFLICT)
		return ctl_fail("there is a user \"%.*s\" already; names are "
				"one whatever their case",
		    STR_FMT(name));
	return ctl_fail_err(err, "the user was not changed");
}

/* ---- the one-use link
 * ---------------------------------------------------------- */
static void
draw_link(const struct buf *link)
{
	/* For a telephone beside the terminal. */
	char picture[32 * 1024];
	struct buf b;
	struct qr qr;
	bool available;

	if (!isatty(STDOUT_FILENO))
		return;
	BUF_OVER(&b, picture);
	if (qr_make(buf_str(link), &qr, &available) != DK_OK || !available)
		return;
	qr_add_terminal(&qr, &b);
	if (buf_ok(&b))
		(void)fputs(buf_z(&b), stdout);
}

static enum ctl_exit
print_link(struct ctl *ctl, const struct user_row *user)
{
	char text[LINK_MAX];
	char until[CLOCK_ISO_LEN + 1], json_text[LINK_MAX + 128];
	struct secret token;
	struct buf link, json;
	struct jw w;
	enum dk_err err;

	err = link_make(&ctl->dom, &ctl->asker, user, ctl->now_ms, &token);
	if (err != DK_OK)
		return ctl_fail_err(err, "no link could be made");
	BUF_OVER(&link, text);
	link_add_url(&ctl->conf, &token, &link);
	clock_iso(ctl->now_ms + LINK_LIFE_MS, until);
	if (ctl->json) {
		BUF_OVER(&json, json_text);
		jw_open(&w, &json);
		jw_object(&w, NULL);
		jw_str(&w, "username", str_from(user->username));
		jw_str(&w, "link", buf_str(&link));
		jw_str(&w, "expires_at", str_from(until));
		jw_end(&w);
		(void)ctl_put_json(&json);
		secret_wipe(json_text, sizeof(json_text));
	} else {
		ctl_say("With this link %s sets a password; it works once, "
			"until %s:\n%s",
		    user->username, until, buf_z(&link));
		draw_link(&link);
	}
	secret_wipe(&token, sizeof(token));
	secret_wipe(text, sizeof(text));
	return CTL_DONE;
}

/* ---- add, passwd
 * ------------------------------------------------------------------ */
static enum ctl_exit
check_new(const struct account_new *new_account)
{
	size_t i;

	if (!account_name_is_valid(new_account->name))
		return ctl_fail("\"%.*s\" is no user name: 1 to %d of a-z A-Z "
				"0-9 . _ @ + - beginning with a letter or "
				"digit",
		    STR_FMT(new_account->name), USER_NAME_MAX);
	for (i = 0; i < new_account->n_groups; i++)
		if (!account_group_is_valid(new_account->groups[i]))
			return ctl_fail("\"%.*s\" is no group name: 1 to %d of "
					"a-z A-Z 0-9 . _ -",
			    STR_FMT(new_account->groups[i]), USER_GROUP_MAX);
	return CTL_DONE;
}

static enum ctl_exit
add_user(struct ctl *ctl, const struct account_new *new_account)
{
	struct user_row user = { 0 };
	enum password_flaw flaw = PASSWORD_FINE;
	enum ctl_exit e;
	enum dk_err err;

	err = account_add(
	    &ctl->dom, &ctl->asker, new_account, ctl->now_ms, &flaw);
	if (err == DK_ERR_INPUT && flaw == PASSWORD_FINE)
		return ctl_fail("--name or --email is not acceptable: plain "
				"text of at most %d and %d bytes, an address "
				"with one @ and no spaces",
		    USER_DISPLAY_NAME_MAX, USER_EMAIL_MAX);
	if (err != DK_OK)
		return say_refusal(ctl, err, flaw, new_account->name);
	e = ctl_find_user(ctl, new_account->name, &user);
	if (e != CTL_DONE)
		return e;
	if (!ctl->json)
		ctl_say("Added %s.", user.username);
	if (str_is_none(new_account->pw))
		e = print_link(ctl, &user);
	else if (ctl->json)
		ctl_say("{\"username\":\"%s\"}", user.username);
	secret_wipe(&user, sizeof(user));
	return e;
}

enum ctl_exit
ctl_user_add(struct ctl *ctl)
{
	char pw_text[PASSWORD_BYTES_MAX + 1];
	struct str groups[USER_GROUPS_MAX];
	struct account_new new_account = { .name = ctl->operand[0],
		.display_name = ctl_value(ctl, "name"),
		.email = ctl_value(ctl, "email"),
		.groups = groups };
	struct buf pw;
	enum ctl_exit e;

	BUF_OVER(&pw, pw_text);
	new_account.n_groups =
	    ctl_values(ctl, "group", groups, USER_GROUPS_MAX);
	e = check_new(&new_account);
	if (e == CTL_DONE &&
	    (ctl_has(ctl, "password-stdin") || ctl_has(ctl, "password"))) {
		e = ctl_read_password(ctl, &pw);
		new_account.pw = buf_str(&pw);
	}
	if (e == CTL_DONE)
		e = add_user(ctl, &new_account);
	secret_wipe(pw_text, sizeof(pw_text));
	return e;
}

static enum ctl_exit
set_password(struct ctl *ctl, const struct user_row *user)
{
	char pw_text[PASSWORD_BYTES_MAX + 1];
	enum password_flaw flaw = PASSWORD_FINE;
	struct buf pw;
	enum ctl_exit e;
	enum dk_err err;

	BUF_OVER(&pw, pw_text);
	e = ctl_read_password(ctl, &pw);
	if (e == CTL_DONE) {
		err = account_set_password(&ctl->dom, &ctl->asker, user,
		    buf_str(&pw), ctl->now_ms, &flaw);
		if (err != DK_OK)
			e = say_refusal(
			    ctl, err, flaw, str_from(user->username));
	}
	secret_wipe(pw_text, sizeof(pw_text));
	if (e == CTL_DONE && ctl->json)
		ctl_say("{\"username\":\"%s\"}", user->username);
	else if (e == CTL_DONE)
		ctl_say("%s has a new password; the old sessions are ended.",
		    user->username);
	return e;
}

static enum ctl_exit
require_change(struct ctl *ctl, const struct user_row *user)
{
	enum dk_err err =
	    account_require_change(&ctl->dom, &ctl->asker, user, ctl->now_ms);

	if (err != DK_OK)
		return ctl_fail_err(err, "the user was not changed");
	if (ctl->json)
		ctl_say("{\"username\":\"%s\"}", user->username);
	else
		ctl_say("%s is signed out everywhere and has to choose a new "
			"password at the next sign-in.",
		    user->username);
	return CTL_DONE;
}

enum ctl_exit
ctl_user_passwd(struct ctl *ctl)
{
	struct user_row user;
	enum ctl_exit e;

	if (ctl_has(ctl, "link") + ctl_has(ctl, "password-stdin") +
		ctl_has(ctl, "must-change") >
	    1)
		return ctl_misuse(ctl,
		    "--link, --must-change and "
		    "--password-stdin exclude one another");
	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e != CTL_DONE)
		return e;
	if (ctl_has(ctl, "link"))
		e = print_link(ctl, &user);
	else if (ctl_has(ctl, "must-change"))
		e = require_change(ctl, &user);
	else
		e = set_password(ctl, &user);
	secret_wipe(&user, sizeof(user));
	return e;
}

/* ---- list, show
 * --------------------------------------------------------------------- */
static void
write_user(
    struct jw *w, const struct user_row *u, const struct group_list *groups)
{
	char created[CLOCK_ISO_LEN + 1];
	size_t i;

	clock_iso(u->created_at_ms, created);
	jw_object(w, NULL);
	jw_str(w, "username", str_from(u->username));
	jw_str(w, "display_name", str_from(u->display_name));
	jw_str(w, "email", str_from(u->email));
	jw_bool(w, "disabled", u->disabled);
	jw_bool(w, "has_password", u->password_hash[0] != '\0');
	jw_bool(w, "must_change_password", u->must_change);
	jw_str(w, "created_at", str_from(created));
	jw_array(w, "groups");
	for (i = 0; i < groups->n; i++)
		jw_str(w, NULL, str_from(groups->name[i]));
	jw_end(w);
}

static const char *
state_of(const struct user_row *u)
{
	if (u->disabled)
		return "disabled";
	return u->password_hash[0] == '\0' ? "no password" : "active";
}

static enum ctl_exit
print_user(struct ctl *ctl, const struct user_row *u, bool first)
{
	char text[JSON_MAX];
	struct group_list groups;
	struct buf b;
	struct jw w;
	enum dk_err err;
	size_t i;

	err = account_groups(&ctl->dom, u->id, &groups);
	if (err != DK_OK)
		return ctl_fail_err(err, "the groups could not be read");
	if (ctl->json) {
		BUF_OVER(&b, text);
		jw_open(&w, &b);
		write_user(&w, u, &groups);
		jw_end(&w);
		(void)fputs(first ? "" : ",", stdout);
		return ctl_put_json(&b);
	}
	ctl_put_column(str_from(u->username), 20);
	ctl_put_column(str_from(state_of(u)), 12);
	ctl_put_column(str_from(u->display_name), 24);
	for (i = 0; i < groups.n; i++)
		(void)printf("%s%s", i > 0 ? "," : "", groups.name[i]);
	(void)putchar('\n');
	return CTL_DONE;
}

struct page {
	struct user_row row[LIST_STEP];
	size_t n;
};

static enum dk_err
keep_user(void *arg, const struct user_row *row)
{
	struct page *page = arg;

	page->row[page->n++] = *row;
	return DK_OK;
}

static enum ctl_exit
list_users(struct ctl *ctl, const struct user_filter *filter, int64_t limit)
{
	static struct page page;
	struct str after = ctl_value(ctl, "after");
	char key[USER_NAME_MAX + 1] = "";
	enum ctl_exit e = CTL_DONE;
	size_t step = LIST_STEP, i;
	bool first = true;
	enum dk_err err;

	if (!str_is_none(after) && !account_key(after, key))
		return ctl_misuse(
		    ctl, "--after %.*s is no user name", STR_FMT(after));
	do {
		page.n = 0;
		step = limit < LIST_STEP ? (size_t)limit : LIST_STEP;
		err = account_find(
		    &ctl->dom, filter, str_from(key), step, keep_user, &page);
		if (err != DK_OK)
			e = ctl_fail_err(err, "the users could not be read");
		for (i = 0; e == CTL_DONE && i < page.n; i++) {
			e = print_user(ctl, &page.row[i], first);
			first = false;
		}
		if (page.n > 0 &&
		    !account_key(str_from(page.row[page.n - 1].username), key))
			e = ctl_fail("the store holds a damaged user name");
		limit -= (int64_t)page.n;
	} while (e == CTL_DONE && page.n == step && limit > 0);
	secret_wipe(&page, sizeof(page));
	return e;
}

enum ctl_exit
ctl_user_list(struct ctl *ctl)
{
	const struct user_filter filter = { .begins = ctl_value(ctl, "search"),
		.group = ctl_value(ctl, "group"),
		.state = ctl_has(ctl, "disabled") ? USERS_DISABLED
						  : USERS_ALL };
	int64_t limit;
	enum ctl_exit e = ctl_number(ctl, "limit", INT64_MAX, &limit);

	if (e != CTL_DONE)
		return e;
	if (filter.begins.n > USER_BEGINS_MAX)
		return ctl_misuse(
		    ctl, "--search takes at most %d bytes", USER_BEGINS_MAX);
	if (ctl->json) {
		ctl_say("[");
	} else {
		ctl_put_column(STR("NAME"), 20);
		ctl_put_column(STR("STATE"), 12);
		ctl_put_column(STR("PERSON"), 24);
		ctl_say("GROUPS");
	}
	e = list_users(ctl, &filter, limit);
	if (ctl->json && e == CTL_DONE)
		ctl_say("]");
	return e;
}

static void
show_field(const char *label, struct str value)
{
	ctl_put_column(str_from(label), 14);
	ctl_put(value.n > 0 ? value : STR("-"));
	(void)putchar('\n');
}

static void
show_user(const struct user_row *u, const struct group_list *groups,
    bool factor, int64_t sessions)
{
	char text[2 * USER_GROUPS_MAX * USER_GROUP_MAX];
	char time[CLOCK_ISO_LEN + 1];
	struct buf b;
	size_t i;

	show_field("name", str_from(u->username));
	show_field("state", str_from(state_of(u)));
	show_field("person", str_from(u->display_name));
	show_field("email", str_from(u->email));
	BUF_OVER(&b, text);
	for (i = 0; i < groups->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", groups->name[i]);
	show_field("groups", buf_str(&b));
	clock_iso(u->created_at_ms, time);
	show_field("added", str_from(time));
	clock_iso(u->password_changed_at_ms, time);
	show_field("password of",
	    u->password_hash[0] == '\0' ? STR_NONE : str_from(time));
	if (u->must_change)
		show_field("", STR("to be changed at the next sign-in"));
	show_field("second factor", factor ? STR("on") : STR("off"));
	buf_reset(&b);
	buf_addf(&b, "%lld", (long long)sessions);
	show_field("sessions", buf_str(&b));
}

static enum dk_err
count_one(void *arg, const struct session_view *view)
{
	(void)view;
	++*(int64_t *)arg;
	return DK_OK;
}

enum ctl_exit
ctl_user_show(struct ctl *ctl)
{
	char text[JSON_MAX];
	struct group_list groups;
	struct user_row user;
	enum factor_state factor = FACTOR_NONE;
	int64_t sessions = 0;
	struct buf b;
	struct jw w;
	enum ctl_exit e;
	enum dk_err err;

	e = ctl_find_user(ctl, ctl->operand[0], &user);
	if (e != CTL_DONE)
		return e;
	err = account_groups(&ctl->dom, user.id, &groups);
	if (err == DK_OK)
		err = factor_state(&ctl->dom, user.id, &factor);
	if (err == DK_OK)
		err = session_list_user(&ctl->dom, user.id, ctl->now_ms, 100000,
		    count_one, &sessions);
	if (err != DK_OK) {
		e = ctl_fail_err(err, "the user could not be read");
	} else if (ctl->json) {
		BUF_OVER(&b, text);
		jw_open(&w, &b);
		write_user(&w, &user, &groups);
		jw_bool(&w, "second_factor", factor == FACTOR_ON);
		jw_int(&w, "sessions", sessions);
		jw_end(&w);
		e = ctl_put_json(&b);
	} else {
		show_user(&user, &groups, factor == FACTOR_ON, sessions);
	}
	secret_wipe(&user, sizeof(user));
	return e;
}
