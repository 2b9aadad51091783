/*
 * /account: who am I, where am I signed in, another password.  POST with the
 * field `action`: end_session (with `id`), end_others, change_password (with
 * `current_password`, `new_password`); those on the second factor are in
 * page_factor.c.  A sign-in older than FRESH_MS needs
 * `password` as well, which gives the session a new id.
 */
#include <string.h>

#include "base/clock.h"
#include "base/qr.h"
#include "domain/account.h"
#include "web/account.h"

bool
account_is_current(struct ctx *c, const struct session_view *view)
{
	return str_eq(str_from(view->session.id),
	    str_from(c->session.view.session.id));
}

struct list {
	struct ctx *c;
	struct jw *json;
};

static enum dk_err
add_json(void *arg, const struct session_view *view)
{
	struct list *list = arg;
	const struct session_row *s = &view->session;
	char time[CLOCK_ISO_LEN + 1];
	struct jw *w = list->json;

	jw_object(w, NULL);
	jw_str(w, "id", str_from(s->id));
	jw_str(w, "device",
	    account_device(list->c, WORDS_ENGLISH, s->user_agent));
	jw_str(w, "ip", str_from(s->ip));
	clock_iso(s->created_at_ms, time);
	jw_str(w, "created_at", str_from(time));
	clock_iso(s->last_seen_at_ms, time);
	jw_str(w, "last_seen_at", str_from(time));
	jw_bool(w, "current", account_is_current(list->c, view));
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
	json_user(&w, &c->session);
	jw_array(&w, "sessions");
	err = session_list_user(c->web->dom, c->session.view.session.user_id,
	    c->now_ms, ACCOUNT_SESSIONS_SHOWN, add_json, &list);
	jw_end(&w);
	jw_end(&w);
	if (err != DK_OK)
		page_fail(c, err);
}

/* "staff, editors" */
static struct str
groups_text(struct ctx *c)
{
	const struct group_list *groups = &c->session.groups;
	struct buf b = arena_buf(c->arena, 4096);
	size_t i;

	for (i = 0; i < groups->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", groups->name[i]);
	return buf_str(&b);
}

/* Both pictures of the seed: the path of the QR code and its side. */
static enum dk_err
add_seed(struct ctx *c, const struct totp_seed *seed,
    struct template_value *v, size_t *n)
{
	struct buf uri = arena_buf(c->arena, 600);
	struct buf text = arena_buf(c->arena, 64);
	struct buf path = arena_buf(c->arena, 48 * 1024);
	struct qr *qr = arena_alloc(c->arena, sizeof(*qr));
	bool available;
	enum dk_err err;

	if (qr == NULL)
		return DK_ERR_NOMEM;
	totp_add_uri(&uri, seed, c->web->conf->name,
	    str_from(c->session.view.username));
	totp_add_base32(&text, seed);
	err = qr_make(buf_str(&uri), qr, &available);
	if (err != DK_OK)
		return err;
	if (available)
		qr_add_svg_path(qr, &path);
	v[(*n)++] = T_TEXT("qr_path", buf_str(&path));
	v[(*n)++] = T_TEXT("qr_side",
	    arena_printf(c->arena, 8, "%u", qr->size + 8));
	v[(*n)++] = T_TEXT("seed_text", buf_str(&text));
	v[(*n)++] = T_TEXT("seed_uri", buf_str(&uri));
	return DK_OK;
}

/* The state of the second factor, into v. */
static enum dk_err
add_factor(struct ctx *c, const struct account_view *view,
    struct template_value *v, size_t *n)
{
	struct template_value *codes = arena_alloc(c->arena,
	    RECOVERY_CODES * sizeof(*codes));
	enum factor_state state = FACTOR_NONE;
	int64_t id = c->session.view.session.user_id, left = 0;
	enum dk_err err;
	size_t i;

	if (codes == NULL)
		return DK_ERR_NOMEM;
	err = factor_state(c->web->dom, id, &state);
	if (err == DK_OK)
		err = factor_codes_left(c->web->dom, id, &left);
	for (i = 0; view->codes != NULL && i < RECOVERY_CODES; i++)
		codes[i] = T_TEXT("code", str_from(view->codes->text[i]));
	v[(*n)++] = T_FLAG("factor_on", state == FACTOR_ON);
	v[(*n)++] = T_TEXT("codes_left",
	    arena_printf(c->arena, 8, "%lld", (long long)left));
	v[(*n)++] = T_LIST("codes", codes,
	    view->codes == NULL ? 0 : RECOVERY_CODES, 1);
	v[(*n)++] = T_FLAG("enrolling", view->seed != NULL);
	if (err == DK_OK && view->seed != NULL)
		err = add_seed(c, view->seed, v, n);
	return err;
}

static enum dk_err
add_lists(struct ctx *c, struct template_value *v, size_t *n)
{
	struct account_rows sessions, sign_ins;
	size_t failures = 0;
	enum dk_err err;

	err = account_session_rows(c, &sessions);
	if (err == DK_OK)
		err = account_sign_in_rows(c, &sign_ins, &failures);
	if (err != DK_OK)
		return err;
	v[(*n)++] = T_FLAG("others", sessions.n > 1);
	v[(*n)++] = T_LIST("sessions", sessions.values, sessions.n,
	    SESSION_ROW_VALUES);
	v[(*n)++] = T_LIST("sign_ins", sign_ins.values, sign_ins.n,
	    SIGN_IN_ROW_VALUES);
	v[(*n)++] = T_TEXT("failures",
	    failures == 0 ? STR("") :
			    arena_printf(c->arena, 8, "%zu", failures));
	return DK_OK;
}

/* Which fields the message speaks of. */
static void
add_wrong(const struct account_view *view, struct template_value *v, size_t *n)
{
	struct str code = str_from(view->code);

	v[(*n)++] = T_FLAG("wrong_password",
	    str_eq(code, STR("invalid_credentials")) ||
		str_eq(code, STR("reauthentication_required")));
	v[(*n)++] = T_FLAG("wrong_new", str_eq(code, STR("password_refused")));
	v[(*n)++] = T_FLAG("wrong_code", str_eq(code, STR("invalid_code")));
}

void
account_show(struct ctx *c, unsigned status, const struct account_view *view)
{
	const struct session_view *s = &c->session.view;
	struct template_value v[PAGE_VALUES_MAX];
	char token[CSRF_TOKEN_LEN + 1];
	size_t n = 0;
	enum dk_err err;

	v[n++] = T_TEXT("groups", groups_text(c));
	err = add_lists(c, v, &n);
	if (err == DK_OK)
		err = add_factor(c, view, v, &n);
	if (err == DK_OK)
		err = guard_token(c, token);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	v[n++] = T_TEXT("username", str_from(s->username));
	v[n++] = T_TEXT("display_name", str_from(s->display_name));
	v[n++] = T_TEXT("email", str_from(s->email));
	v[n++] = T_TEXT("csrf_token", str_from(token));
	v[n++] = T_TEXT("message",
	    page_say_number(c, view->message, view->number));
	v[n++] = T_TEXT("done", page_say(c, view->done));
	add_wrong(view, v, &n);
	/* With two factors a password beside the change would not do. */
	v[n++] = T_FLAG("fresh", ctx_is_fresh(c) || s->session.level > 1);
	v[n++] = T_TEXT("next", next_for_form(c->go_on));
	page_render(c, status, "account.html", MSG_YOUR_ACCOUNT, v, n);
}

/* What was done stands in the address, as one word out of three. */
static enum msg
done_message(struct str query)
{
	if (str_eq(query, STR("done=ended")))
		return MSG_DONE_SESSION;
	if (str_eq(query, STR("done=factor")))
		return MSG_DONE_FACTOR_OFF;
	if (str_eq(query, STR("done=others")))
		return MSG_DONE_OTHERS;
	if (str_eq(query, STR("done=password")))
		return MSG_DONE_PASSWORD;
	return MSG_NONE;
}

void
page_account(struct ctx *c)
{
	struct account_view view = { .done = done_message(c->req->query) };

	if (str_starts(c->req->query, STR("need=factor"))) {
		view.message = MSG_SET_UP_FIRST;
		c->go_on = input_next(c);
	}

	if (c->req->wants_json)
		show_json(c);
	else
		account_show(c, 200, &view);
	session_touch(c->web->dom, &c->session, c->now_ms);
}

void
account_refuse_number(struct ctx *c, unsigned status, const char *code,
    enum msg message, int64_t number)
{
	const struct account_view view = { .message = message,
		.number = number,
		.code = code };
	const struct page_problem problem = { .status = status,
		.code = code,
		.message = message,
		.number = number };

	if (c->req->wants_json)
		page_problem(c, &problem);
	else
		account_show(c, status, &view);
}

void
account_refuse(struct ctx *c, unsigned status, const char *code,
    enum msg message)
{
	account_refuse_number(c, status, code, message, 0);
}

void
account_succeed(struct ctx *c, const char *where)
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
	struct sign_in attempt = { .name = str_from(c->session.view.username),
		.pw = pw };
	enum sign_in_result result;
	struct login_form form = { .next = page_own_path(c, "/account") };
	struct secret device;
	int64_t wait_ms;
	enum dk_err err;

	/* As at sign-in: guessing strangers do not keep the owner out. */
	if (secret_from_text(cookie_own(c, "device"), &device))
		attempt.device = &device;
	err = sign_in_password(c->web->dom, &c->asker, &attempt, c->now_ms,
	    user, &result, &wait_ms);
	if (err != DK_OK)
		page_fail(c, err);
	else if (result == SIGN_IN_THROTTLED)
		page_throttled(c, &form, wait_ms);
	else if (result != SIGN_IN_RIGHT)
		account_refuse(c, 403, "invalid_credentials",
		    MSG_NOT_YOUR_PASSWORD);
	secret_wipe(&device, sizeof(device));
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

/*
 * Who signed in with two factors is asked for both again, and the password
 * alone makes nothing fresh (DK-L-09).  True after answering.
 */
static bool
needs_both(struct ctx *c)
{
	if (c->session.view.session.level < 2 || ctx_is_fresh(c))
		return false;
	if (c->req->wants_json)
		page_error_code(c, 403, "reauthentication_required",
		    MSG_SIGN_IN_WITH_BOTH);
	else
		page_sign_in_here(c, page_own_path(c, "/account"),
		    MSG_SIGN_IN_FOR_CHANGE);
	return true;
}

bool
account_be_fresh(struct ctx *c, struct str pw)
{
	struct user_row user;
	enum dk_err err = DK_OK;
	bool ok;

	if (ctx_is_fresh(c))
		return true;
	if (needs_both(c))
		return false;
	if (pw.n == 0) {
		account_refuse(c, 403, "reauthentication_required",
		    MSG_PASSWORD_WITH_CHANGE);
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
		account_succeed(c, "/account?done=ended");
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
		account_succeed(c, "/account?done=others");
}

static enum dk_err
set_password(struct ctx *c, struct user_row *user, struct str new_pw,
    enum password_flaw *flaw)
{
	bool found = false;
	enum dk_err err;

	/* This session with the others: if we get no further, it is not left
	 * as it was to whoever has a copy of its cookie. */
	err = account_set_password(
	    c->web->dom, &c->asker, user, new_pw, c->now_ms, flaw);
	if (err == DK_OK)
		err = account_by_id(c->web->dom, user->id, user, &found);
	if (err == DK_OK && !found)
		err = DK_ERR_INTERNAL;
	return err == DK_OK ? renew(c, user) : err;
}

static void
change_password(struct ctx *c, struct str old_pw, struct str new_pw)
{
	enum password_flaw flaw = PASSWORD_FINE;
	struct user_row user;
	int64_t number;
	enum msg why;
	enum dk_err err;

	user = (struct user_row){ 0 };
	if (needs_both(c) || !authenticate(c, old_pw, &user))
		goto out;
	err = set_password(c, &user, new_pw, &flaw);
	why = password_flaw_message(flaw, c->web->conf, &number);
	if (why != MSG_NONE) {
		account_refuse_number(
		    c, 400, "password_refused", why, number);
	} else if (err != DK_OK) {
		page_fail(c, err);
	} else {
		account_succeed(c, "/account?done=password");
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
		{ .name = "new_password", .max = PASSWORD_BYTES_MAX },
		{ .name = "totp_code", .max = 64 },
		{ .name = "next", .max = REQUEST_TARGET_MAX } };

	if (!input_read(c, in, 8) || !guard_session_change(c, in[0].text))
		return;
	if (in[7].text.n > 0)
		c->go_on = next_or_home(c, in[7].text);
	if (str_eq(in[1].text, STR("change_password"))) {
		change_password(c, in[4].text, in[5].text);
	} else if (str_eq(in[1].text, STR("end_session"))) {
		if (account_be_fresh(c, in[3].text))
			end_session(c, in[2].text);
	} else if (str_eq(in[1].text, STR("end_others"))) {
		if (account_be_fresh(c, in[3].text))
			end_others(c);
	} else if (!account_factor_action(c, in[1].text, in[6].text,
		       in[3].text)) {
		page_problem(c,
		    &(struct page_problem){ .status = 400,
			.detail = "The field action must be end_session, "
				  "end_others, change_password, "
				  "factor_begin, factor_confirm, "
				  "factor_codes or factor_remove." });
	}
}
