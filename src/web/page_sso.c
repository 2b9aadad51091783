/*
 * /sso: single sign-on (domain/handoff.h), by three redirects.
 *
 *	other host  /sso?next=N                  sets a cookie with a secret
 *	first host  /sso?host=H&browser=B&next=N B is the secret's SHA-256
 *	other host  /sso?code=C&next=N           C, the secret: a session
 *
 * Who is not signed in at the first host does so there in between.  Where to
 * is only ever chosen from [site] origin, and N is a path of the host that is
 * asked: there is nothing for a stranger to redirect.  A code that was caught
 * on the way is no use without the cookie, and a code that a stranger sends
 * somebody does not sign them in as the stranger.
 */
#include "web/sso.h"

#include <string.h>

#include "domain/device.h"
#include "domain/handoff.h"
#include "http/form.h"
#include "web/cause.h"

enum {
	SSO_NEXT_MAX = 1024, /* encoded: the page of sign-in stays small */
	SSO_URL_MAX = 4096,
	SSO_COOKIE_S = 600, /* time to sign in at the first host */
	SSO_ORIGIN_MAX = 300
};

static bool
is_first(const struct ctx *c)
{
	return str_eq(c->site->host, c->web->conf->origins[0].host);
}

/* "/auth/sso?next=…"; STR_NONE when it would be too long. */
static struct str
own_url(struct ctx *c, struct str more, struct str next)
{
	struct buf encoded = arena_buf(c->arena, SSO_NEXT_MAX);

	buf_add_percent(&encoded, next);
	if (!buf_ok(&encoded))
		return STR_NONE;
	return arena_printf(c->arena, SSO_URL_MAX, "%.*s?%.*snext=%.*s",
	    STR_FMT(page_own_path(c, "/sso")), STR_FMT(more),
	    STR_FMT(buf_str(&encoded)));
}

struct str
sso_link(struct ctx *c, struct str next)
{
	if (!c->web->conf->single_sign_on || is_first(c) || ctx_signed_in(c) ||
	    c->kept.n > 0)
		return STR_NONE;
	return own_url(c, STR(""), next);
}

/* 303 to a path of an origin of ours; nobody hears where from. */
static void
redirect(struct ctx *c, const struct conf_origin *to, struct str path)
{
	struct buf url = arena_buf(c->arena, SSO_URL_MAX);

	buf_add(&url, to->text);
	buf_add(&url, path);
	c->no_referrer = true;
	if (str_is_none(path) || !buf_ok(&url))
		page_fail(c, DK_ERR_TOO_LARGE);
	else
		response_redirect(c->res, buf_str(&url));
}

/* The form, with a word about what failed. */
static void
sign_in_by_hand(struct ctx *c, struct str next)
{
	const struct login_form form = { .next = next,
		.message = MSG_SSO_FAILED };

	page_login_form(c, 401, &form);
}

/* At another host: to the first one.  Several tabs share the cookie. */
static void
ask_first(struct ctx *c, struct str next)
{
	char kept[SECRET_TEXT_LEN + 1], told[SECRET_TEXT_LEN + 1];
	struct buf host = arena_buf(c->arena, 3 * SSO_ORIGIN_MAX);
	struct secret secret, shown;
	struct digest browser;
	struct str path;

	if (!secret_from_text(cookie_own(c, "sso"), &secret) &&
	    secret_new(&secret) != DK_OK) {
		page_fail(c, DK_ERR_RANDOM);
		return;
	}
	device_token(&secret, &browser);
	memcpy(shown.byte, browser.byte, sizeof(shown.byte));
	secret_to_text(&secret, kept);
	secret_to_text(&shown, told);
	buf_add_percent(&host, c->site->text);
	path = own_url(c,
	    arena_printf(c->arena, SSO_URL_MAX, "host=%.*s&browser=%s&",
		STR_FMT(buf_str(&host)), told),
	    next);
	if (str_is_none(path) || !buf_ok(&host)) {
		sign_in_by_hand(c, next);
	} else {
		redirect(c, &c->web->conf->origins[0], path);
		cookie_set_own(c, "sso", str_from(kept), SSO_COOKIE_S);
	}
	secret_wipe(&secret, sizeof(secret));
	secret_wipe(kept, sizeof(kept));
}

static const struct conf_origin *
find_origin(const struct ctx *c, struct str text)
{
	const struct conf *conf = c->web->conf;
	size_t i;

	for (i = 0; i < conf->n_origins; i++)
		if (str_eq(conf->origins[i].text, text) &&
		    !str_eq(conf->origins[i].host, conf->origins[0].host))
			return &conf->origins[i];
	return NULL;
}

/* At the first host, signed in: back to the other one, with a code. */
static void
send_back(struct ctx *c, const struct conf_origin *origin,
    const struct digest *browser, struct str next)
{
	char text[SECRET_TEXT_LEN + 1] = "";
	struct secret code = { { 0 } };
	struct str path;
	enum dk_err err = handoff_make(
	    c->web->dom, &c->session, origin, browser, c->now_ms, &code);

	secret_to_text(&code, text);
	path = own_url(c, arena_printf(c->arena, 64, "code=%s&", text), next);
	if (err != DK_OK)
		page_fail(c, err);
	else
		redirect(c, origin, path);
	secret_wipe(&code, sizeof(code));
	secret_wipe(text, sizeof(text));
}

/* At the first host. */
static void
answer(struct ctx *c, struct str host, struct str told, struct str next)
{
	const struct conf_origin *origin = find_origin(c, host);
	struct digest browser;

	if (origin == NULL ||
	    !secret_decode(told, browser.byte, sizeof(browser.byte)))
		page_problem(c,
		    &(struct page_problem){ .status = 400,
			.detail = "host must be another one of [site] origin, "
				  "and browser 43 characters of base64url." });
	else if (ctx_signed_in(c))
		send_back(c, origin, &browser, next);
	else
		page_sign_in_here(c,
		    arena_printf(c->arena, SSO_URL_MAX, "%.*s?%.*s",
			STR_FMT(page_own_path(c, "/sso")),
			STR_FMT(c->req->query)),
		    MSG_NONE);
}

/* At another host: the code for a session. */
static void
take(struct ctx *c, const struct secret *code, struct str next)
{
	struct handoff handoff = { .code = code, .origin = c->site };
	struct session session = { 0 };
	struct digest browser;
	struct secret secret;
	bool taken = false;
	enum dk_err err;

	if (secret_from_text(cookie_own(c, "sso"), &secret)) {
		device_token(&secret, &browser);
		handoff.browser = &browser;
	}
	if (ctx_signed_in(c))
		handoff.old_id = str_from(c->session.view.session.id);
	err = handoff_take(
	    c->web->dom, &c->asker, &handoff, c->now_ms, &session, &taken);
	if (err != DK_OK) {
		page_fail(c, err);
	} else if (!taken) {
		/* Away from the address with the code in it. */
		redirect(c, c->site, own_url(c, STR("failed=1&"), next));
	} else {
		redirect(c, c->site, next);
		cookie_set_session(c, &session);
		cookie_erase(c, cookie_login_name(c));
		cookie_set_own(c, "sso", STR(""), 0);
	}
	secret_wipe(&secret, sizeof(secret));
	secret_wipe(&session, sizeof(session));
}

enum field { HOST, BROWSER, CODE, FAILED, NEXT, N_FIELDS };

/* At another host. */
static void
go(struct ctx *c, const struct form_field in[N_FIELDS], struct str next)
{
	struct secret code;

	if (secret_from_text(in[CODE].value, &code))
		take(c, &code, next);
	else if (ctx_signed_in(c))
		response_redirect(c->res, next);
	else if (in[FAILED].value.n > 0 || in[CODE].value.n > 0)
		sign_in_by_hand(c, next);
	else
		ask_first(c, next);
	secret_wipe(&code, sizeof(code));
}

void
page_sso(struct ctx *c)
{
	struct form_field in[N_FIELDS] = { [HOST] = { .name = "host",
					       .max = SSO_ORIGIN_MAX },
		[BROWSER] = { .name = "browser", .max = SECRET_TEXT_LEN },
		[CODE] = { .name = "code", .max = SECRET_TEXT_LEN },
		[FAILED] = { .name = "failed", .max = 1 },
		[NEXT] = { .name = "next", .max = URL_NEXT_MAX } };
	const char *problem;
	struct str next;
	size_t which;

	if (!c->web->conf->single_sign_on) {
		page_error(c, 404, MSG_NONE);
		return;
	}
	if (form_read(c->req->query, in, N_FIELDS, c->arena, &problem,
		&which) != DK_OK) {
		page_problem(c,
		    &(struct page_problem){ .status = 400, .detail = problem });
		return;
	}
	next = next_or_home(c, in[NEXT].value);
	if (!http_is_fine(c))
		page_cause_http(c);
	else if (c->req->wants_json || c->req->method != METHOD_GET)
		page_sign_in_here(c, next, MSG_NONE); /* no navigation */
	else if (!is_first(c))
		go(c, in, next);
	else if (in[HOST].value.n > 0)
		answer(c, in[HOST].value, in[BROWSER].value, next);
	else
		page_redirect_own(c, "/login");
}
