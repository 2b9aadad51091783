/* Guarding what changes something: origin, token, and the fields read. */
#include <string.h>

#include "http/cookie.h"
#include "http/form.h"
#include "http/json.h"
#include "http/url.h"
#include "web/page.h"

enum { INPUTS_MAX = 10 };

/* Of the host that is asked: what another of the list is told to send here
 * is as foreign as any. */
static bool
is_own(struct ctx *c, const struct url_origin *o)
{
	const struct conf *conf = c->web->conf;
	size_t i;

	if (!str_eq(c->site->host, o->host))
		return false;
	for (i = 0; i < conf->n_origins; i++)
		if (conf->origins[i].https == o->https &&
		    conf->origins[i].port == o->port &&
		    str_eq(conf->origins[i].host, o->host))
			return true;
	return false;
}

static bool
origin_is_own(struct ctx *c, struct str text)
{
	struct url_origin o;

	return url_origin_parse(text, c->arena, &o) && is_own(c, &o);
}

static bool
referer_is_own(struct ctx *c, struct str text)
{
	struct url_origin o;

	return url_origin_of(text, c->arena, &o) && is_own(c, &o);
}

enum guard
guard_origin(struct ctx *c)
{
	struct str origin = c->req->origin;
	bool has_origin = !str_is_none(origin);

	switch (c->req->fetch_site) {
	case FETCH_SITE_SAME_ORIGIN:
		/* Under Referrer-Policy: no-referrer the Origin is null. */
		return !has_origin || str_eq(origin, STR("null")) ||
			origin_is_own(c, origin) ?
		    GUARD_OWN :
		    GUARD_FOREIGN;
	case FETCH_SITE_NONE:
		return !has_origin || origin_is_own(c, origin) ?
		    GUARD_OWN :
		    GUARD_FOREIGN;
	case FETCH_SITE_SAME_SITE:
	case FETCH_SITE_CROSS_SITE:
		return GUARD_FOREIGN;
	case FETCH_SITE_ABSENT:
		break;
	}
	if (has_origin)
		return origin_is_own(c, origin) ? GUARD_OWN : GUARD_FOREIGN;
	if (!str_is_none(c->req->referer))
		return referer_is_own(c, c->req->referer) ? GUARD_OWN :
							    GUARD_FOREIGN;
	return GUARD_UNKNOWN;
}

bool
guard_has_login_cookie(struct ctx *c, struct secret *secret)
{
	struct str value;

	return cookie_get(c->req->cookies, c->req->n_cookies,
		   cookie_login_name(c), &value) == COOKIE_ONE &&
	    secret_from_text(value, secret);
}

/*
 * From another secret that this browser holds: that of a known browser, or
 * of the session that is over.  One way: it tells nothing about them.
 */
static bool
derive_secret(struct ctx *c, struct secret *secret)
{
	struct session_token token = { .id = "" };
	struct digest d;
	struct str value;
	bool found = secret_from_text(cookie_own(c, "device"), secret);

	if (!found &&
	    cookie_get(c->req->cookies, c->req->n_cookies, cookie_name(c),
		&value) == COOKIE_ONE)
		found = session_token_parse(value, &token);
	if (found && token.id[0] != '\0')
		*secret = token.secret;
	secret_wipe(&token, sizeof(token));
	if (!found)
		return false;
	secret_hmac(secret, STR("doorkeep sign-in of this browser"), &d);
	memcpy(secret->byte, d.byte, sizeof(secret->byte));
	secret_wipe(&d, sizeof(d));
	return true;
}

bool
guard_browser_secret(struct ctx *c, struct secret *secret)
{
	if (c->has_login)
		*secret = c->login;
	return c->has_login || guard_has_login_cookie(c, secret) ||
	    derive_secret(c, secret);
}

enum dk_err
guard_login_secret(struct ctx *c, struct secret *secret)
{
	char text[SECRET_TEXT_LEN + 1];
	struct set_cookie cookie = { .name = cookie_login_name(c),
		.domain = c->web->conf->cookie_domain,
		.secure = c->req->https };
	enum dk_err err;

	/* Several tabs share one: a new one would make their forms stale. */
	if (!c->has_login && guard_has_login_cookie(c, secret))
		return DK_OK;
	err = guard_browser_secret(c, secret) ? DK_OK : secret_new(secret);
	if (err != DK_OK)
		return err;
	c->login = *secret;
	c->has_login = true;
	secret_to_text(secret, text);
	cookie.value = str_from(text);
	response_cookie(c->res, &cookie);
	secret_wipe(text, sizeof(text));
	return DK_OK;
}

enum dk_err
guard_token(struct ctx *c, char token[CSRF_TOKEN_LEN + 1])
{
	struct secret secret;
	enum dk_err err;

	if (ctx_signed_in(c))
		return csrf_token_make(&c->session.token.secret, token);
	err = guard_login_secret(c, &secret);
	if (err == DK_OK)
		err = csrf_token_make(&secret, token);
	secret_wipe(&secret, sizeof(secret));
	return err;
}

bool
guard_session_change(struct ctx *c, struct str token)
{
	enum guard from = guard_origin(c);

	if (str_is_none(token))
		token = c->req->csrf_header;
	if (from == GUARD_FOREIGN ||
	    (from == GUARD_UNKNOWN && !c->req->is_json)) {
		LOG_WRITE(c->web->log, LOG_LEVEL_WARNING, "csrf_refused",
		    { "request_id", str_from(c->req->id) },
		    { "ip", c->asker.ip }, { "reason", STR("origin") });
		page_error_code(c, 403, "forbidden_origin",
		    MSG_FOREIGN_CHANGE);
		return false;
	}
	if (!csrf_token_check(&c->session.token.secret, token)) {
		LOG_WRITE(c->web->log, LOG_LEVEL_WARNING, "csrf_refused",
		    { "request_id", str_from(c->req->id) },
		    { "ip", c->asker.ip }, { "reason", STR("token") });
		page_error_code(c, 403, "bad_csrf_token",
		    MSG_PAGE_TOO_OLD);
		return false;
	}
	return true;
}

static enum dk_err
read_form(struct ctx *c, struct input *fields, size_t n,
    const char **problem)
{
	struct form_field form[INPUTS_MAX];
	enum dk_err err;
	size_t i, which;

	for (i = 0; i < n; i++)
		form[i] = (struct form_field){ .name = fields[i].name,
			.max = fields[i].max };
	err = form_read(c->req->body, form, n, c->arena, problem, &which);
	for (i = 0; err == DK_OK && i < n; i++) {
		fields[i].text = form[i].value;
		fields[i].flag = form[i].value.n > 0 &&
		    !str_eq(form[i].value, STR("0"));
	}
	return err;
}

static enum dk_err
read_json(struct ctx *c, struct input *fields, size_t n,
    const char **problem)
{
	struct json_member json[INPUTS_MAX];
	enum dk_err err;
	size_t i;

	for (i = 0; i < n; i++)
		json[i] = (struct json_member){ .name = fields[i].name,
			.type = fields[i].is_flag ? JSON_BOOL_MEMBER :
						    JSON_STRING_MEMBER,
			.max = fields[i].max };
	err = json_read(c->req->body, json, n, c->arena, problem);
	for (i = 0; err == DK_OK && i < n; i++) {
		fields[i].text = json[i].text;
		fields[i].flag = json[i].flag;
	}
	return err;
}

bool
input_read(struct ctx *c, struct input *fields, size_t n)
{
	const char *problem = NULL;
	size_t size = c->req->body.n, i;
	enum dk_err err;

	if (n > INPUTS_MAX) {
		page_fail(c, DK_ERR_INTERNAL);
		return false;
	}
	if (!c->req->is_form && !c->req->is_json) {
		page_error(c, 415, MSG_NONE);
		return false;
	}
	err = c->req->is_json ? read_json(c, fields, n, &problem) :
				read_form(c, fields, n, &problem);
	for (i = 0; i < n; i++)
		if (fields[i].is_kept)
			size -= fields[i].text.n;
	if (err == DK_OK && size <= REQUEST_BODY_MAX)
		return true;
	if (err == DK_OK) {
		page_error(c, 413, MSG_NONE);
		return false;
	}
	/* A field that is too long is a mistake in it, not in its size. */
	page_problem(c,
	    &(struct page_problem){
		.status = err == DK_ERR_TOO_LARGE ? 400 : status_of(err),
		.detail = problem });
	return false;
}
