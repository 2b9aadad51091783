/*
 * /account: who am I, where am I signed in, another password.  POST with the
 * field `action`: end_session (with `id`), end_others, change_password (with
 * `current_password`, `new_password`).  A sign-in older than FRESH_MS needs
 * `password` as well, which gives the session a new id.
 */
#include <string.h>

#include "base/clock.h"
#include "domain/account.h"
#include "web/page.h"

enum { SESSIONS_SHOWN = 50, ROW_VALUES = 7 };

/* "Firefox on Linux": enough to know one's own devices by. */
static struct str
device_of(struct ctx *c, const char *agent)
{
	static const char *const browsers[][2] = { { "Edg", "Edge" },
		{ "OPR/", "Opera" }, { "Firefox/", "Firefox" },
		{ "SamsungBrowser", "Samsung Internet" },
		{ "Chrome/", "Chrome" }, { "CriOS", "Chrome" },
		{ "FxiOS", "Firefox" }, { "Safari/", "Safari" },
		{ "curl/", "curl" }, { "w3m/", "w3m" }, { "Lynx/", "Lynx" } };
	static const char *const systems[][2] = { { "Windows", "Windows" },
		{ "Android", "Android" }, { "iPhone", "iPhone" },
		{ "iPad", "iPad" }, { "Mac OS X", "Mac" },
		{ "CrOS", "ChromeOS" }, { "Linux", "Linux" } };
	const char *browser = NULL, *system = NULL;
	size_t i;

	for (i = 0; browser == NULL && i < 11; i++)
		if (strstr(agent, browsers[i][0]) != NULL)
			browser = browsers[i][1];
	for (i = 0; system == NULL && i < 7; i++)
		if (strstr(agent, systems[i][0]) != NULL)
			system = systems[i][1];
	if (browser != NULL && system != NULL)
		return arena_printf(c->arena, 64, "%s on %s", browser, system);
	if (browser != NULL || system != NULL)
		return str_from(browser != NULL ? browser : system);
	return STR("Unknown device");
}

/* "2026-11-23 20:07 UTC" */
static struct str
shown_time(struct ctx *c, int64_t ms)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso(ms, iso);
	iso[10] = ' ';
	return arena_printf(c->arena, 32, "%.16s UTC", iso);
}

struct list {
	struct ctx *c;
	struct template_value *rows;
	size_t n;
	struct jw *json;
};

static bool
is_current(struct ctx *c, const struct session_view *view)
{
	return str_eq(str_from(view->session.id),
	    str_from(c->session.view.session.id));
}

static enum dk_err
add_row(void *arg, const struct session_view *view)
{
	struct list *list = arg;
	struct ctx *c = list->c;
	const struct session_row *s = &view->session;
	struct template_value *v = list->rows + list->n++ * ROW_VALUES;

	v[0] = T_TEXT("id", arena_dup(c->arena, str_from(s->id)));
	v[1] = T_TEXT("device", device_of(c, s->user_agent));
	v[2] = T_TEXT("ip", arena_dup(c->arena, str_from(s->ip)));
	v[3] = T_TEXT("signed_in_at", shown_time(c, s->created_at_ms));
	v[4] = T_TEXT("last_seen_at", shown_time(c, s->last_seen_at_ms));
	v[5] = T_FLAG("current", is_current(c, view));
	v[6] = T_FLAG("fresh", ctx_is_fresh(c));
	return str_is_none(v[4].text) ? DK_ERR_NOMEM : DK_OK;
}

static enum dk_err
add_json(void *arg, const struct session_view *view)
{
	struct list *list = arg;
	const struct session_row *s = &view->session;
	char time[CLOCK_ISO_LEN + 1];
	struct jw *w = list->json;

	jw_object(w, NULL);
	jw_str(w, "id", str_from(s->id));
	jw_str(w, "device", device_of(list->c, s->user_agent));
	jw_str(w, "ip", str_from(s->ip));
	clock_iso(s->created_at_ms, time);
	jw_str(w, "created_at", str_from(time));
	clock_iso(s->last_seen_at_ms, time);
	jw_str(w, "last_seen_at", str_from(time));
	jw_bool(w, "current", is_current(list->c, view));
	jw_end(w);
	return DK_OK;
}

static void
show_json(struct ctx *c)
{
	struct jw w;
	struct list list = { .c = c, .json = &w };
	enum dk_err err;

	page_json(c, 200, &w);
	jw_object(&w, NULL);
	json_user(c, &w, &c->session);
	jw_array(&w, "sessions");
	err = session_list_user(c->web->dom, c->session.view.session.user_id,
	    c->now_ms, SESSIONS_SHOWN, add_json, &list);
	jw_end(&w);
	jw_end(&w);
	if (err != DK_OK)
		page_fail(c, err);
}

/* "staff, editors" */
static struct str
groups_text(struct ctx *c, enum dk_err *err)
{
	struct group_list *groups = arena_alloc(c->arena, sizeof(*groups));
	struct buf b = arena_buf(c->arena, 4096);
	size_t i;

	*err = groups == NULL ?
	    DK_ERR_NOMEM :
	    account_groups(c->web->dom, c->session.view.session.user_id,
		groups);
	for (i = 0; *err == DK_OK && i < groups->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", groups->name[i]);
	return buf_str(&b);
}

static void
show_html(struct ctx *c, unsigned status, const char *message,
    const char *done)
{
	const struct session_view *v = &c->session.view;
	char token[CSRF_TOKEN_LEN + 1];
	struct list list = { .c = c };
	struct str groups;
	enum dk_err err;

	list.rows = arena_alloc(c->arena,
	    SESSIONS_SHOWN * ROW_VALUES * sizeof(*list.rows));
	groups = groups_text(c, &err);
	if (err == DK_OK && list.rows == NULL)
		err = DK_ERR_NOMEM;
	if (err == DK_OK)
		err = session_list_user(c->web->dom, v->session.user_id,
		    c->now_ms, SESSIONS_SHOWN, add_row, &list);
	if (err == DK_OK)
		err = guard_token(c, token);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	page_render(c, status, "account.html", "Your account",
	    (const struct template_value[]){
		T_TEXT("username", str_from(v->username)),
		T_TEXT("display_name", str_from(v->display_name)),
		T_TEXT("email", str_from(v->email)),
		T_TEXT("groups", groups),
		T_TEXT("csrf_token", str_from(token)),
		T_TEXT("message", str_from(message)),
		T_TEXT("done", str_from(done)),
		T_FLAG("fresh", ctx_is_fresh(c)),
		T_FLAG("others", list.n > 1),
		T_LIST("sessions", list.rows, list.n, ROW_VALUES) },
	    10);
}

/* What was done stands in the address, as one word out of three. */
static const char *
done_text(struct str query)
{
	if (str_eq(query, STR("done=ended")))
		return "The session has been ended.";
	if (str_eq(query, STR("done=others")))
		return "All your other sessions have been ended.";
	if (str_eq(query, STR("done=password")))
		return "Your password has been changed, and all your other "
		       "devices have been signed out.";
	return NULL;
}

void
page_account(struct ctx *c)
{
	if (c->req->wants_json)
		show_json(c);
	else
		show_html(c, 200, NULL, done_text(c->req->query));
	session_touch(c->web->dom, &c->session, c->now_ms);
}

/* The page again with a message, or the same as JSON. */
static void
refuse(struct ctx *c, unsigned status, const char *code, const char *message)
{
	if (c->req->wants_json)
		page_error_code(c, status, code, message);
	else
		show_html(c, status, message, NULL);
}

static void
succeed(struct ctx *c, const char *where)
{
	if (c->req->wants_json)
		response_start(c->res, 204, STR_NONE);
	else
		page_redirect_own(c, where);
}

/*
 * Is it still the same person?  *ok only after a right password.  False
 * after it has answered.
 */
static bool
authenticate(struct ctx *c, struct str pw, struct user_row *user)
{
	const struct sign_in attempt = {
		.name = str_from(c->session.view.username), .pw = pw
	};
	enum sign_in_result result;
	struct login_form form = { .next = page_own_path(c, "/account") };
	int64_t wait_ms;
	enum dk_err err;

	err = sign_in_password(c->web->dom, &c->asker, &attempt, c->now_ms,
	    user, &result, &wait_ms);
	if (err != DK_OK)
		page_fail(c, err);
	else if (result == SIGN_IN_THROTTLED)
		page_throttled(c, &form, wait_ms);
	else if (result != SIGN_IN_RIGHT)
		refuse(c, 403, "invalid_credentials",
		    "That is not your password, so nothing was changed.");
	return err == DK_OK && result == SIGN_IN_RIGHT;
}

/* A new id for this session, as after each authentication (DK-S-06). */
static enum dk_err
renew(struct ctx *c, const struct user_row *user)
{
	const struct session_row *row = &c->session.view.session;
	const struct session_start how = { .remember = row->remember,
		.level = row->level,
		.event = "reauthentication",
		.old_id = str_from(row->id) };
	struct session session;
	bool refused = true;
	enum dk_err err;

	err = session_start(c->web->dom, &c->asker, user, &how, c->now_ms,
	    &session, &refused);
	if (err == DK_OK && refused)
		err = DK_ERR_BUSY;
	if (err == DK_OK) {
		c->session = session;
		cookie_set_session(c, &session);
	}
	secret_wipe(&session, sizeof(session));
	return err;
}

/* Make sure of a sign-in younger than FRESH_MS; false after answering. */
static bool
be_fresh(struct ctx *c, struct str pw)
{
	struct user_row user;
	enum dk_err err = DK_OK;
	bool ok;

	if (ctx_is_fresh(c))
		return true;
	if (pw.n == 0) {
		refuse(c, 403, "reauthentication_required",
		    "You signed in a while ago. Enter your password with the "
		    "change.");
		return false;
	}
	ok = authenticate(c, pw, &user);
	if (ok)
		err = renew(c, &user);
	if (err != DK_OK)
		page_fail(c, err);
	secret_wipe(&user, sizeof(user));
	return ok && err == DK_OK;
}

static void
end_session(struct ctx *c, struct str id)
{
	bool ended;
	enum dk_err err;

	err = session_revoke(c->web->dom, &c->asker, id,
	    c->session.view.session.user_id, c->now_ms, &ended);
	if (err != DK_OK)
		page_fail(c, err);
	else
		succeed(c, "/account?done=ended");
}

static void
end_others(struct ctx *c)
{
	const struct session_row *row = &c->session.view.session;
	struct user_row user = { .id = row->user_id };
	int64_t n;
	enum dk_err err;

	memcpy(user.username, c->session.view.username,
	    sizeof(user.username));
	err = session_revoke_user(c->web->dom, &c->asker, &user,
	    str_from(row->id), c->now_ms, &n);
	if (err != DK_OK)
		page_fail(c, err);
	else
		succeed(c, "/account?done=others");
}

static enum dk_err
set_password(struct ctx *c, struct user_row *user, struct str new_pw,
    enum password_flaw *flaw)
{
	bool found = false;
	enum dk_err err;

	err = account_set_password(c->web->dom, &c->asker, user, new_pw,
	    str_from(c->session.view.session.id), c->now_ms, flaw);
	if (err == DK_OK)
		err = account_get(c->web->dom, str_from(user->username), user,
		    &found);
	if (err == DK_OK && !found)
		err = DK_ERR_INTERNAL;
	return err == DK_OK ? renew(c, user) : err;
}

static void
change_password(struct ctx *c, struct str old_pw, struct str new_pw)
{
	enum password_flaw flaw = PASSWORD_FINE;
	struct user_row user;
	char text[256];
	struct buf why;
	enum dk_err err;

	if (!authenticate(c, old_pw, &user))
		goto out;
	err = set_password(c, &user, new_pw, &flaw);
	if (flaw != PASSWORD_FINE) {
		BUF_OVER(&why, text);
		password_flaw_text(flaw, c->web->conf, &why);
		refuse(c, 400, "password_refused", buf_z(&why));
	} else if (err != DK_OK) {
		page_fail(c, err);
	} else {
		succeed(c, "/account?done=password");
	}
out:
	secret_wipe(&user, sizeof(user));
}

void
page_account_post(struct ctx *c)
{
	struct input in[] = { { .name = "csrf_token", .max = 256 },
		{ .name = "action", .max = 32 },
		{ .name = "id", .max = UUID_TEXT_LEN },
		{ .name = "password", .max = PASSWORD_BYTES_MAX },
		{ .name = "current_password", .max = PASSWORD_BYTES_MAX },
		{ .name = "new_password", .max = PASSWORD_BYTES_MAX } };

	if (!input_read(c, in, 6) || !guard_session_change(c, in[0].text))
		return;
	if (str_eq(in[1].text, STR("change_password"))) {
		change_password(c, in[4].text, in[5].text);
	} else if (str_eq(in[1].text, STR("end_session"))) {
		if (be_fresh(c, in[3].text))
			end_session(c, in[2].text);
	} else if (str_eq(in[1].text, STR("end_others"))) {
		if (be_fresh(c, in[3].text))
			end_others(c);
	} else {
		page_error(c, 400,
		    "The field action must be end_session, end_others or "
		    "change_password.");
	}
}
