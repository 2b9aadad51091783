#include "domain/device.h"
#include "http/url.h"
#include "web/cause.h"
#include "web/gate.h"
#include "web/hosting.h"
#include "web/kept.h"
#include "web/page.h"
#include "web/sso.h"

enum { USERNAME_FIELD_MAX = 254, DEVICE_AGE_S = 180 * 86400 };

bool
http_is_fine(const struct ctx *c)
{
	return c->req->https || c->req->local || c->web->conf->allow_http;
}

void
page_login_form(struct ctx *c, unsigned status, const struct login_form *form)
{
	const struct word first = { "site",
		c->web->conf->origins[0].host };
	char token[CSRF_TOKEN_LEN + 1];

	if (!http_is_fine(c)) {
		page_cause_http(c);
		return;
	}
	if (!page_begin_form(c, status, token))
		return;
	page_stays_at(c, "/login", form->next);
	page_render(c, status, "login.html", MSG_SIGN_IN,
	    (const struct template_value[]){
		T_TEXT("csrf_token", str_from(token)),
		T_TEXT("next", next_for_form(form->next)),
		T_TEXT("username", form->username),
		T_TEXT("message",
		    page_say_number(c, form->message, form->number)),
		T_TEXT("detail", str_from(form->detail)),
		T_TEXT("notice", page_say(c, form->notice)),
		T_TEXT("sso", sso_link(c, form->next)),
		T_TEXT("sso_text",
		    page_say_with(c, MSG_SSO_LINK, &first, 1)),
		T_FLAG("wrong_pair", form->message == MSG_WRONG_PAIR),
		T_FLAG("remember", form->remember),
		T_FLAG("tried", form->tried),
		T_FLAG("password_autofocus", form->username.n > 0) },
	    12);
}

void
page_sign_in_here(struct ctx *c, struct str next, enum msg notice)
{
	struct login_form form = { .next = next_or_home(c, next),
		.notice = notice };
	enum kept kept;
	struct jw w;
	enum dk_err err;

	if (!c->req->wants_json) {
		err = kept_take(c, &kept);
		if (kept != KEPT_NOTHING)
			form.notice = kept_notice(kept);
		if (err == DK_OK)
			page_login_form(c, 401, &form);
		else
			page_fail(c, err);
		return;
	}
	page_json(c, 401, &w);
	jw_object(&w, NULL);
	jw_str(&w, "error", STR("not_signed_in"));
	jw_str(&w, "message",
	    words_text(WORDS_ENGLISH, MSG_SIGN_IN_NEEDED, 0));
	jw_str(&w, "login_url", page_own_path(c, "/login"));
	jw_str(&w, "request_id", str_from(c->req->id));
	jw_end(&w);
}

/*
 * The server sent the request here in place of the page that is wanted.
 * Somebody who may see that page goes there; this ends, for the gate lets
 * them in now.
 */
static void
in_place(struct ctx *c)
{
	struct str next = url_next_of_target(c->req->wanted, c->arena);
	struct access_answer answer;
	enum kept kept;
	enum dk_err err;

	if (!ctx_signed_in(c)) {
		page_sign_in_here(c, next, MSG_NONE);
		return;
	}
	err = gate_judge(c, c->req->wanted, c->req->wanted_method, &answer);
	if (err != DK_OK && err != DK_ERR_INPUT)
		page_fail(c, err);
	else if (err != DK_OK || answer.verdict == ACCESS_DENIED)
		page_error(c, 403, MSG_NONE);
	else if (answer.verdict != ACCESS_ALLOWED)
		gate_step_up(c, answer.verdict, next);
	else if ((err = kept_take(c, &kept)) != DK_OK)
		page_fail(c, err);
	else if (!marker_lead_back(c, next))
		page_lead_on(c, next_or_home(c, next));
}

void
page_login(struct ctx *c)
{
	struct login_form form = { 0 };

	if (!str_is_none(c->req->wanted)) {
		in_place(c);
		return;
	}
	form.next = input_next(c);
	if (str_starts(c->req->query, STR("done=password")))
		form.notice = MSG_PASSWORD_WAS_SET;
	if (ctx_signed_in(c))
		response_redirect(c->res, form.next);
	else
		page_login_form(c, 200, &form);
}

bool
guard_login_form(struct ctx *c, struct str token, bool *cookie_missing)
{
	struct secret secret;
	bool fits;

	*cookie_missing = !guard_has_login_cookie(c, &secret);
	fits = !*cookie_missing && csrf_token_check(&secret, token);
	secret_wipe(&secret, sizeof(secret));
	return fits;
}

/*
 * Signed in already, as whom the form names, in another tab since this one
 * showed it: there is nothing left to prove.  Not where the wanted page asks
 * for a fresh sign-in.
 */
static bool
is_in_already(struct ctx *c, const struct login_form *form, enum dk_err *err)
{
	struct access_answer answer;

	*err = DK_OK;
	if (!ctx_signed_in(c) || c->req->wants_json ||
	    (form->username.n > 0 &&
		!str_ieq(form->username,
		    str_from(c->session.view.username))))
		return false;
	*err = gate_judge(c, form->next, STR("GET"), &answer);
	if (*err == DK_ERR_INPUT)
		*err = DK_OK;
	return *err == DK_OK && answer.verdict != ACCESS_REAUTH &&
	    answer.verdict != ACCESS_STEP_UP;
}

/* A form whose token does not fit: what is the cause? */
static void
not_ours(struct ctx *c, const struct login_form *form, bool cookie_missing)
{
	struct login_form again = *form;
	enum dk_err err;

	again.message = MSG_STALE_FORM;
	again.tried = cookie_missing;
	if (is_in_already(c, form, &err))
		page_lead_on(c, form->next);
	else if (err != DK_OK)
		page_fail(c, err);
	else if (cookie_missing && !ctx_signed_in(c) &&
	    page_cookie_is_hopeless(c, form->tried))
		page_cause_cookie(c);
	else if (c->req->wants_json)
		page_error_code(c, 403, "bad_csrf_token", again.message);
	else
		page_login_form(c, 403, &again);
}

/* The form's proof of origin; false after it has answered. */
static bool
form_is_ours(struct ctx *c, struct str token, const struct login_form *form)
{
	bool cookie_missing;

	if (guard_origin(c) != GUARD_OWN) {
		page_cause_origin(c);
		return false;
	}
	if (guard_login_form(c, token, &cookie_missing))
		return true;
	not_ours(c, form, cookie_missing);
	return false;
}

static void
refuse(struct ctx *c, const struct login_form *form)
{
	struct login_form again = *form;

	if (c->req->wants_json) {
		page_error_code(c, 401, "invalid_credentials",
		    MSG_WRONG_PAIR);
		return;
	}
	again.message = MSG_WRONG_PAIR;
	page_login_form(c, 401, &again);
}

/*
 * A browser that has signed in is known from then on: its cookie keeps the
 * owner's way open while strangers guess.
 */
static void
remember_device(struct ctx *c, const struct user_row *user)
{
	char text[SECRET_TEXT_LEN + 1];
	struct secret secret;
	enum dk_err err = DK_OK;

	if (!secret_from_text(cookie_own(c, "device"), &secret))
		err = secret_new(&secret);
	if (err == DK_OK)
		err =
		    device_remember(c->web->dom, user->id, &secret, c->now_ms);
	/* Without it the person is signed in all the same. */
	if (err == DK_OK) {
		secret_to_text(&secret, text);
		cookie_set_own(c, "device", str_from(text), DEVICE_AGE_S);
	}
	secret_wipe(&secret, sizeof(secret));
	secret_wipe(text, sizeof(text));
}

void
page_let_in(struct ctx *c, const struct user_row *user,
    const struct login_form *form, int level)
{
	const struct session_start how = { .remember = form->remember,
		.level = level,
		.event = "sign_in",
		.old_id = ctx_signed_in(c)
		    ? str_from(c->session.view.session.id)
		    : STR_NONE };
	struct session session;
	bool refused;
	enum dk_err err;

	if (user->must_change) {
		page_change_first(c, user, form);
		return;
	}
	err = session_start(
	    c->web->dom, &c->asker, user, &how, c->now_ms, &session, &refused);
	if (err != DK_OK) {
		page_fail(c, err);
	} else if (refused) {
		refuse(c, form);
	} else if (c->req->wants_json) {
		page_session_json(c, &session);
		if (c->res->status != 200)
			goto out; /* an error lets nobody in */
		cookie_set_session(c, &session);
		remember_device(c, user);
	} else {
		page_lead_on(c, form->next);
		cookie_set_session(c, &session);
		/* What is kept needs it if the page is loaded again. */
		if (c->kept.n == 0)
			cookie_erase(c, cookie_login_name(c));
		remember_device(c, user);
	}
out:
	secret_wipe(&session, sizeof(session));
}

void
page_throttled(struct ctx *c, const struct login_form *form, int64_t wait_ms)
{
	struct login_form again = *form;
	int64_t wait_s = (wait_ms + 999) / 1000;
	struct buf text = arena_buf(c->arena, 512);
	struct jw w;

	/* Rounded up, so that it is true. */
	again.message =
	    wait_s < 100 ? MSG_THROTTLED_SECONDS : MSG_THROTTLED_MINUTES;
	again.number = wait_s < 100 ? wait_s : (wait_s + 59) / 60;
	if (c->req->wants_json) {
		words_say_number(WORDS_ENGLISH, again.message, again.number,
		    &text);
		response_reset(c->res, 429);
		page_json(c, 429, &w);
		jw_object(&w, NULL);
		jw_str(&w, "error", STR("throttled"));
		jw_str(&w, "message", buf_str(&text));
		jw_int(&w, "retry_after", wait_s);
		jw_str(&w, "request_id", str_from(c->req->id));
		jw_end(&w);
	} else {
		page_login_form(c, 429, &again);
	}
	response_header(c->res, "Retry-After",
	    arena_printf(c->arena, 24, "%lld", (long long)wait_s));
}

/* A program without a browser's headers is served; a foreign page is not. */
static bool
json_is_ours(struct ctx *c)
{
	if (guard_origin(c) != GUARD_FOREIGN)
		return true;
	page_problem(c,
	    &(struct page_problem){ .status = 403,
		.code = "forbidden_origin",
		.message = MSG_FOREIGN_CHANGE,
		.detail = "The Origin of this request is not that of the "
			  "site." });
	return false;
}

void
page_login_post(struct ctx *c)
{
	struct input in[] = { { .name = "username", .max = USERNAME_FIELD_MAX },
		{ .name = "password", .max = PASSWORD_BYTES_MAX },
		{ .name = "remember", .max = 16, .is_flag = true },
		{ .name = "next", .max = REQUEST_TARGET_MAX },
		{ .name = "csrf_token", .max = 256 },
		{ .name = "totp_code", .max = 64 },
		{ .name = "kept", .max = KEPT_TEXT_MAX, .is_kept = true },
		{ .name = "tried", .max = 16, .is_flag = true } };
	struct sign_in attempt;
	enum sign_in_result result;
	struct login_form form;
	struct user_row user;
	struct secret device;
	int64_t wait_ms;
	enum dk_err err;

	if (!input_read(c, in, 8))
		return;
	err = kept_read(c, in[6].text);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	form = (struct login_form){ .username = in[0].text,
		.remember = in[2].flag,
		.tried = in[7].flag,
		.next = next_or_home(c, in[3].text) };
	if (!(c->req->is_json ? json_is_ours(c)
			      : form_is_ours(c, in[4].text, &form)))
		return;
	if (!http_is_fine(c)) {
		page_cause_http(c);
		return;
	}
	if (c->req->is_json &&
	    (str_is_none(in[0].text) || str_is_none(in[1].text))) {
		page_problem(c,
		    &(struct page_problem){ .status = 400,
			.detail = "The object needs the strings username and "
				  "password." });
		return;
	}
	attempt = (struct sign_in){ .name = in[0].text, .pw = in[1].text };
	if (secret_from_text(cookie_own(c, "device"), &device))
		attempt.device = &device;
	err = sign_in_password(c->web->dom, &c->asker, &attempt, c->now_ms,
	    &user, &result, &wait_ms);
	if (err != DK_OK)
		page_fail(c, err);
	else if (result == SIGN_IN_THROTTLED)
		page_throttled(c, &form, wait_ms);
	else if (result != SIGN_IN_RIGHT)
		refuse(c, &form);
	else
		page_password_right(c, &user, &form, in[5].text);
	secret_wipe(&device, sizeof(device));
	secret_wipe(&user, sizeof(user));
}
