#include "domain/account.h"
#include "http/url.h"
#include "web/gate.h"
#include "web/page.h"

enum { USERNAME_FIELD_MAX = 254 };

static const char wrong_pair[] =
    "That user name and password do not go together. Check both and try "
    "again.";
static const char stale_form[] =
    "This form had grown old, so it was not used. Please sign in once more.";
static const char no_cookie[] =
    "Your browser did not send back the cookie that this form needs. Allow "
    "cookies for this site; if it is reached through a proxy, the site's "
    "configuration ([site] origin, [security] trusted_proxies) must name "
    "what you see in the address bar.";
static const char needs_https[] =
    "Signing in over plain http would show your password to everybody on "
    "the way. Open this site with https. (For the administrator: if a proxy "
    "does TLS, name it in [security] trusted_proxies; to go without, set "
    "[security] allow_http = yes.)";

static bool
http_is_fine(const struct ctx *c)
{
	return c->req->https || c->req->local || c->web->conf->allow_http;
}

/* RFC 9110 15.5.2 asks for a challenge with each 401. */
static void
add_challenge(struct ctx *c)
{
	char text[512];
	struct buf b;
	struct str name = c->web->conf->name;
	size_t i;

	BUF_OVER(&b, text);
	buf_addz(&b, "Cookie realm=\"");
	for (i = 0; i < name.n; i++)
		if (name.p[i] > 0x1f && name.p[i] < 0x7f &&
		    name.p[i] != '"' && name.p[i] != '\\')
			buf_addc(&b, name.p[i]);
	buf_addf(&b, "\", form-action=\"%.*s/login\", cookie-name=\"%.*s\"",
	    STR_FMT(c->web->conf->mount), STR_FMT(cookie_name(c)));
	response_header(c->res, "WWW-Authenticate", buf_str(&b));
}

void
page_login_form(struct ctx *c, unsigned status, const struct login_form *form)
{
	char token[CSRF_TOKEN_LEN + 1];
	struct secret secret;
	enum dk_err err;

	if (!http_is_fine(c)) {
		page_error_code(c, 403, "https_required", needs_https);
		return;
	}
	response_reset(c->res, status);
	err = guard_login_secret(c, &secret);
	if (err == DK_OK)
		err = csrf_token_make(&secret, token);
	secret_wipe(&secret, sizeof(secret));
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	page_render(c, status, "login.html", "Sign in",
	    (const struct template_value[]){
		T_TEXT("csrf_token", str_from(token)),
		T_TEXT("next", form->next), T_TEXT("username", form->username),
		T_TEXT("message", str_from(form->message)),
		T_TEXT("notice", str_from(form->notice)),
		T_FLAG("remember", form->remember),
		T_FLAG("password_autofocus", form->username.n > 0) },
	    7);
	if (status == 401)
		add_challenge(c);
}

void
page_sign_in_here(struct ctx *c, struct str next, const char *notice)
{
	const struct login_form form = { .next = next_or_home(c, next),
		.notice = notice };
	struct jw w;

	if (!c->req->wants_json) {
		page_login_form(c, 401, &form);
		return;
	}
	page_json(c, 401, &w);
	jw_object(&w, NULL);
	jw_str(&w, "error", STR("not_signed_in"));
	jw_str(&w, "message", STR("You need to sign in to see this."));
	jw_str(&w, "login_url", page_own_path(c, "/login"));
	jw_str(&w, "request_id", str_from(c->req->id));
	jw_end(&w);
	add_challenge(c);
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
	enum dk_err err;

	if (!ctx_signed_in(c)) {
		page_sign_in_here(c, next,
		    str_eq(c->req->wanted_method, STR("POST")) ?
			"You were signed out before your form arrived. Sign "
			"in, go back in your browser, and send it again." :
			NULL);
		return;
	}
	err = gate_judge(c, c->req->wanted, STR("GET"), &answer);
	if (err != DK_OK && err != DK_ERR_INPUT)
		page_fail(c, err);
	else if (err != DK_OK || answer.verdict == ACCESS_DENIED)
		page_error(c, 403, NULL);
	else if (answer.verdict == ACCESS_ALLOWED)
		response_redirect(c->res, next_or_home(c, next));
	else
		page_sign_in_here(c, next,
		    "This page asks for a fresh sign-in.");
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
	if (ctx_signed_in(c))
		response_redirect(c->res, form.next);
	else
		page_login_form(c, 200, &form);
}

/* The form's proof of origin; false after it has shown the form again. */
static bool
form_is_ours(struct ctx *c, struct str token, const struct login_form *form)
{
	struct login_form again = *form;
	struct secret secret;
	bool cookie, fits;

	if (guard_origin(c) != GUARD_OWN) {
		page_error_code(c, 403, "forbidden_origin",
		    "This form was sent from another site. Open the sign-in "
		    "page of this site and use that one. (For the "
		    "administrator: [site] origin must be what people see in "
		    "the address bar.)");
		return false;
	}
	cookie = guard_has_login_cookie(c, &secret);
	fits = cookie && csrf_token_check(&secret, token);
	secret_wipe(&secret, sizeof(secret));
	if (!fits) {
		again.message = cookie ? stale_form : no_cookie;
		page_login_form(c, 403, &again);
	}
	return fits;
}

static void
refuse(struct ctx *c, const struct login_form *form)
{
	struct login_form again = *form;

	if (c->req->is_json) {
		page_error_code(c, 401, "invalid_credentials", wrong_pair);
		add_challenge(c);
		return;
	}
	again.message = wrong_pair;
	page_login_form(c, 401, &again);
}

static void
let_in(struct ctx *c, const struct user_row *user,
    const struct login_form *form)
{
	const struct session_start how = { .remember = form->remember,
		.level = 1,
		.event = "sign_in",
		.old_id = ctx_signed_in(c) ?
		    str_from(c->session.view.session.id) :
		    STR_NONE };
	struct session session;
	bool refused;
	enum dk_err err;

	err = session_start(c->web->dom, &c->asker, user, &how, c->now_ms,
	    &session, &refused);
	if (err != DK_OK) {
		page_fail(c, err);
	} else if (refused) {
		refuse(c, form);
	} else if (c->req->is_json) {
		page_session_json(c, &session);
		cookie_set_session(c, &session);
	} else {
		response_redirect(c->res, form->next);
		cookie_set_session(c, &session);
		cookie_erase(c, cookie_login_name(c));
	}
	secret_wipe(&session, sizeof(session));
}

/* A program without a browser's headers is served; a foreign page is not. */
static bool
json_is_ours(struct ctx *c)
{
	if (guard_origin(c) != GUARD_FOREIGN)
		return true;
	page_error_code(c, 403, "forbidden_origin",
	    "The Origin of this request is not that of the site.");
	return false;
}

void
page_login_post(struct ctx *c)
{
	struct input in[] = { { .name = "username", .max = USERNAME_FIELD_MAX },
		{ .name = "password", .max = PASSWORD_BYTES_MAX },
		{ .name = "remember", .max = 16, .is_flag = true },
		{ .name = "next", .max = REQUEST_TARGET_MAX },
		{ .name = "csrf_token", .max = 256 } };
	struct login_form form;
	struct user_row user;
	bool ok;
	enum dk_err err;

	if (!input_read(c, in, 5))
		return;
	form = (struct login_form){ .username = in[0].text,
		.remember = in[2].flag,
		.next = next_or_home(c, in[3].text) };
	if (!(c->req->is_json ? json_is_ours(c) :
				form_is_ours(c, in[4].text, &form)))
		return;
	if (!http_is_fine(c)) {
		page_error_code(c, 403, "https_required", needs_https);
		return;
	}
	if (c->req->is_json &&
	    (str_is_none(in[0].text) || str_is_none(in[1].text))) {
		page_error(c, 400,
		    "The object needs the strings username and password.");
		return;
	}
	err = account_authenticate(c->web->dom, &c->asker, in[0].text,
	    in[1].text, c->now_ms, &user, &ok);
	if (err != DK_OK)
		page_fail(c, err);
	else if (!ok)
		refuse(c, &form);
	else
		let_in(c, &user, &form);
	secret_wipe(&user, sizeof(user));
}
