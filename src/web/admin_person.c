/*
 * One person: what there is to know, and what can be done.  POST
 * /admin/person takes name and action: disable, enable, add_group and
 * remove_group (with `group`), unlock, remove_factor, link, end_sessions.
 * Nothing of it is done to oneself: that is what /account is for.
 */
#include "domain/account.h"
#include "domain/factor.h"
#include "domain/session.h"
#include "domain/throttle.h"
#include "web/admin.h"

enum { SESSIONS_SHOWN = 20, EVENTS_SHOWN = 20, GROUP_VALUES = 1 };

/* Who is meant; false after answering 404. */
static bool
find_person(struct ctx *c, struct str name, struct user_row *user)
{
	bool found = false;
	enum dk_err err = account_get(c->web->dom, name, user, &found);

	if (err != DK_OK)
		page_fail(c, err);
	else if (!found)
		page_error(c, 404, MSG_DESK_NOBODY);
	return err == DK_OK && found;
}

static bool
is_me(const struct ctx *c, const struct user_row *user)
{
	return user->id == c->session.view.session.user_id;
}

static enum dk_err
add_groups(struct ctx *c, const struct user_row *user, struct admin_page *page)
{
	struct group_list *groups = arena_alloc(c->arena, sizeof(*groups));
	struct template_value *rows = arena_alloc(
	    c->arena, USER_GROUPS_MAX * GROUP_VALUES * sizeof(*rows));
	enum dk_err err;
	size_t i;

	if (groups == NULL || rows == NULL)
		return DK_ERR_NOMEM;
	err = account_groups(c->web->dom, user->id, groups);
	for (i = 0; err == DK_OK && i < groups->n; i++)
		rows[i] = T_TEXT("group", str_from(groups->name[i]));
	admin_add(page, T_LIST("groups", rows, i, GROUP_VALUES));
	return err;
}

static enum dk_err
add_lists(struct ctx *c, const struct user_row *user, struct admin_page *page)
{
	const struct session_filter sessions = { .user_id = user->id };
	const struct event_filter events = { .username =
						 str_from(user->username) };
	const struct admin_pair pair = { "user", str_from(user->username) };
	struct admin_cursor begin = { .at_ms = INT64_MAX, .event = INT64_MAX };
	struct admin_cursor at = begin;
	struct template_value list;
	enum dk_err err;

	err = admin_list_sessions(c, &sessions, &at, SESSIONS_SHOWN, &list);
	admin_add(page, list);
	admin_add(page,
	    T_TEXT("sessions_url", admin_url(c, "/admin/sessions", &pair, 1)));
	if (err != DK_OK)
		return err;
	at = begin;
	err = admin_list_events(c, &events, &at, EVENTS_SHOWN, &list);
	admin_add(page, list);
	admin_add(page,
	    T_TEXT("events_url", admin_url(c, "/admin/events", &pair, 1)));
	return err;
}

static void
show(struct ctx *c, unsigned status, const struct user_row *user,
    enum msg problem, int64_t number)
{
	struct template_value values[24];
	struct admin_page page = { .template = "admin_person.html",
		.title = MSG_DESK_PERSON,
		.problem = problem,
		.number = number,
		.values = values,
		.max = 24 };
	enum factor_state factor = FACTOR_NONE;
	enum dk_err err = factor_state(c->web->dom, user->id, &factor);

	if (err == DK_OK)
		err = add_groups(c, user, &page);
	if (err == DK_OK)
		err = add_lists(c, user, &page);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	admin_add(&page, T_TEXT("username", str_from(user->username)));
	admin_add(&page, T_TEXT("display_name", str_from(user->display_name)));
	admin_add(&page, T_TEXT("email", str_from(user->email)));
	admin_add(&page, T_TEXT("added_at", page_time(c, user->created_at_ms)));
	admin_add(&page,
	    T_TEXT("password_at",
		user->password_hash[0] == '\0'
		    ? STR("")
		    : page_time(c, user->password_changed_at_ms)));
	admin_add(&page, T_FLAG("must_change", user->must_change));
	admin_add(&page, T_FLAG("disabled", user->disabled));
	admin_add(&page, T_FLAG("factor_on", factor == FACTOR_ON));
	admin_add(&page, T_FLAG("myself", is_me(c, user)));
	admin_render(c, status, &page);
}

void
page_admin_person(struct ctx *c)
{
	struct form_field in[] = { { .name = "name", .max = USER_NAME_MAX } };
	struct user_row user = { 0 };

	if (!admin_enter(c) || !admin_read(c, c->req->query, in, 1))
		return;
	if (find_person(c, in[0].value, &user))
		show(c, 200, &user, MSG_NONE, 0);
	secret_wipe(&user, sizeof(user));
}

/* One of the actions that end with the person's page. */
struct act {
	struct ctx *c;
	const struct user_row *user;
	struct str group;
};

static enum dk_err
disable(const struct act *a)
{
	return account_set_disabled(
	    a->c->web->dom, &a->c->asker, a->user, true, a->c->now_ms);
}

static enum dk_err
enable(const struct act *a)
{
	return account_set_disabled(
	    a->c->web->dom, &a->c->asker, a->user, false, a->c->now_ms);
}

static enum dk_err
add_group(const struct act *a)
{
	return account_set_group(a->c->web->dom, &a->c->asker, a->user,
	    a->group, true, a->c->now_ms);
}

static enum dk_err
remove_group(const struct act *a)
{
	return account_set_group(a->c->web->dom, &a->c->asker, a->user,
	    a->group, false, a->c->now_ms);
}

static enum dk_err
unlock(const struct act *a)
{
	bool was_counted;

	return throttle_unlock(a->c->web->dom, &a->c->asker,
	    str_from(a->user->username), a->c->now_ms, &was_counted);
}

static enum dk_err
remove_factor(const struct act *a)
{
	bool removed;

	return factor_remove(a->c->web->dom, &a->c->asker, a->user, STR_NONE,
	    a->c->now_ms, &removed);
}

static enum dk_err
end_sessions(const struct act *a)
{
	int64_t n;

	return session_revoke_user(
	    a->c->web->dom, &a->c->asker, a->user, STR_NONE, a->c->now_ms, &n);
}

static const struct {
	const char *action;
	enum dk_err (*run)(const struct act *a);
	const char *done;
} acts[] = { { "disable", disable, "disabled" },
	{ "enable", enable, "enabled" }, { "add_group", add_group, "groups" },
	{ "remove_group", remove_group, "groups" },
	{ "unlock", unlock, "unlocked" },
	{ "remove_factor", remove_factor, "factor" },
	{ "end_sessions", end_sessions, "sessions" } };

static void
run(const struct act *a, struct str action)
{
	const struct admin_pair pair = { "name", str_from(a->user->username) };
	struct ctx *c = a->c;
	enum dk_err err;
	size_t i, n = sizeof(acts) / sizeof(acts[0]);

	for (i = 0; i < n && !str_eq(action, str_from(acts[i].action)); i++)
		continue;
	if (i == n) {
		page_problem(c,
		    &(const struct page_problem){ .status = 400,
			.detail = "The field action is none of the desk's." });
		return;
	}
	/* static(cppcheck): it has returned where i is n */
	err = acts[i].run(a);
	if (err == DK_OK)
		admin_done(c, "/admin/person", &pair, 1, acts[i].done);
	else if (err == DK_ERR_INPUT)
		show(c, 400, a->user, MSG_DESK_NO_GROUP, 0);
	else if (err == DK_ERR_TOO_LARGE)
		show(
		    c, 400, a->user, MSG_DESK_TOO_MANY_GROUPS, USER_GROUPS_MAX);
	else if (err == DK_ERR_DENIED)
		page_error(c, 403, MSG_DESK_NOT_YOURSELF);
	else
		page_fail(c, err);
}

void
page_admin_person_post(struct ctx *c)
{
	struct form_field in[] = { { .name = "csrf_token", .max = 256 },
		{ .name = "name", .max = USER_NAME_MAX },
		{ .name = "action", .max = 32 },
		{ .name = "group", .max = 256 } };
	struct admin_pair pair = { "name", STR_NONE };
	struct user_row user = { 0 };
	struct act act = { .c = c, .user = &user };

	if (!admin_enter(c) || !admin_read_form(c, in, 4))
		return;
	pair.value = in[1].value;
	if (!admin_may_change(
		c, in[0].value, admin_url(c, "/admin/person", &pair, 1)))
		return;
	act.group = str_trim(in[3].value);
	if (!find_person(c, in[1].value, &user))
		return;
	if (!str_eq(in[2].value, STR("link")))
		run(&act, in[2].value);
	else if (is_me(c, &user))
		page_error(c, 403, MSG_DESK_NOT_YOURSELF);
	else
		admin_show_link(c, &user, false);
	secret_wipe(&user, sizeof(user));
}
