/* What the pages have in common: answers, cookies, values. */
#include "web/page.h"

#include <string.h>

#include "http/cookie.h"
#include "http/form.h"
#include "http/url.h"
#include "web/hosting.h"

/* Escaped; so that the page of sign-in has at most 7 KB (INTERFACE 5). */
enum { NEXT_SHOWN_MAX = 3072, SAID_MAX = 1536 };

bool
ctx_signed_in(const struct ctx *c)
{
	return c->session_answer == SESSION_LIVE;
}

bool
ctx_is_fresh(const struct ctx *c)
{
	int64_t at = c->session.view.session.authenticated_at_ms;

	return ctx_signed_in(c) && c->now_ms - at < FRESH_MS;
}

struct str
page_own_path(struct ctx *c, const char *path)
{
	return arena_printf(c->arena, c->web->conf->mount.n + strlen(path),
	    "%.*s%s", STR_FMT(c->web->conf->mount), path);
}

void
page_redirect_own(struct ctx *c, const char *path)
{
	response_redirect(c->res, page_own_path(c, path));
}

struct str
page_say(struct ctx *c, enum msg m)
{
	return page_say_number(c, m, 0);
}

struct str
page_say_number(struct ctx *c, enum msg m, int64_t n)
{
	struct buf b;

	if (m == MSG_NONE || message_names[m].number == NULL)
		return words_text(c->language, m, 0);
	b = arena_buf(c->arena, SAID_MAX);
	words_say_number(c->language, m, n, &b);
	return buf_str(&b);
}

struct str
page_say_with(struct ctx *c, enum msg m, const struct word *words, size_t n)
{
	struct buf b = arena_buf(c->arena, SAID_MAX);

	(void)words_say(c->language, m, words, n, &b);
	return buf_str(&b);
}

struct str
page_time(struct ctx *c, int64_t ms)
{
	struct buf b = arena_buf(c->arena, 128);

	words_time(c->language, ms, &b);
	return buf_str(&b);
}

void
page_render(struct ctx *c, unsigned status, const char *template,
    enum msg title, const struct template_value *values, size_t n)
{
	const struct language *l = c->language;
	struct template_value all[PAGE_VALUES_MAX] = {
		T_TEXT("site_name", c->web->conf->name),
		T_TEXT("mount", c->web->conf->mount),
		T_TEXT("style", c->web->style.target),
		T_TEXT("title", page_say(c, title)),
		T_TEXT("logo",
		    c->web->logo.text.n > 0 ? c->web->logo.target : STR("")),
		T_TEXT("home", STR("/")),
		T_TEXT("lang", str_from(l->code)),
		T_TEXT("dir", l->rtl ? STR("rtl") : STR("ltr")),
		T_TEXT("kept", c->kept),
	};
	size_t used = 9, i;

	page_language_values(c, all + used);
	used += PAGE_LANGUAGE_VALUES;
	for (i = 0; i < n && used < PAGE_VALUES_MAX; i++)
		all[used++] = values[i];
	response_start(c->res, status, STR("text/html; charset=utf-8"));
	response_header(c->res, "Content-Language", str_from(l->code));
	if (template_render(&c->web->templates, template, l, all, used,
		&c->res->body) == DK_OK)
		return;
	c->res->failed = true;
	LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "template_failed",
	    { "request_id", str_from(c->req->id) },
	    { "template", str_from(template) });
}

void
page_json(struct ctx *c, unsigned status, struct jw *w)
{
	response_start(c->res, status,
	    STR("application/json; charset=utf-8"));
	jw_open(w, &c->res->body);
}

struct str
cookie_name(const struct ctx *c)
{
	return c->req->https ? c->web->conf->cookie_name :
			       c->web->conf->cookie_name_http;
}

struct str
cookie_login_name(struct ctx *c)
{
	return arena_printf(c->arena, 128, "%.*s-login",
	    STR_FMT(cookie_name(c)));
}

void
cookie_set_session(struct ctx *c, const struct session *session)
{
	const struct session_row *row = &session->view.session;
	char text[SESSION_TOKEN_LEN + 1];
	struct set_cookie cookie = { .name = cookie_name(c),
		.domain = c->web->conf->cookie_domain,
		.secure = c->req->https };

	session_token_format(&session->token, text);
	text[SESSION_TOKEN_LEN] = '\0';
	cookie.value = str_from(text);
	if (row->remember)
		cookie.max_age_s = (row->expires_at_ms - c->now_ms) / 1000;
	response_cookie(c->res, &cookie);
	secret_wipe(text, sizeof(text));
	marker_cookie_set(c, session);
}

void
cookie_erase(struct ctx *c, struct str name)
{
	const struct set_cookie cookie = { .name = name,
		.value = STR(""),
		.domain = c->web->conf->cookie_domain,
		.secure = c->req->https,
		.erase = true };

	response_cookie(c->res, &cookie);
}

struct str
cookie_own(struct ctx *c, const char *suffix)
{
	struct str name = arena_printf(c->arena, 160, "%.*s-%s",
		       STR_FMT(cookie_name(c)), suffix),
		   value;

	return cookie_get(c->req->cookies, c->req->n_cookies, name, &value) ==
		COOKIE_ONE ?
	    value :
	    STR_NONE;
}

void
cookie_set_own(struct ctx *c, const char *suffix, struct str value,
    int64_t max_age_s)
{
	const struct set_cookie cookie = {
		.name = arena_printf(c->arena, 160, "%.*s-%s",
		    STR_FMT(cookie_name(c)), suffix),
		.value = value,
		.domain = c->web->conf->cookie_domain,
		.secure = c->req->https,
		.erase = value.n == 0,
		.max_age_s = max_age_s
	};

	response_cookie(c->res, &cookie);
}

/* Signing in and out again is nobody's destination (DK-O-04). */
struct str
next_or_home(struct ctx *c, struct str next)
{
	struct str path, query;

	if (!url_next_is_safe(next))
		return STR("/");
	(void)str_split(next, '?', &path, &query);
	if (str_eq(path, page_own_path(c, "/login")) ||
	    str_eq(path, page_own_path(c, "/logout")) ||
	    str_eq(path, page_own_path(c, "/check")))
		return STR("/");
	return next;
}

struct str
next_for_form(struct str next)
{
	size_t n = 0, i;

	for (i = 0; i < next.n; i++)
		n += next.p[i] == '&' || next.p[i] == '\'' ? 5 : 1;
	return n > NEXT_SHOWN_MAX ? STR("/") : next;
}

struct str
input_next(struct ctx *c)
{
	struct form_field field = { .name = "next", .max = URL_NEXT_MAX };
	const char *problem;
	size_t which;

	if (form_read(c->req->query, &field, 1, c->arena, &problem, &which) !=
	    DK_OK)
		return STR("/");
	return next_or_home(c, field.value);
}

bool
page_begin_form(struct ctx *c, unsigned status, char token[CSRF_TOKEN_LEN + 1])
{
	struct secret secret;
	enum dk_err err;

	response_reset(c->res, status);
	err = guard_login_secret(c, &secret);
	if (err == DK_OK)
		err = csrf_token_make(&secret, token);
	secret_wipe(&secret, sizeof(secret));
	if (err != DK_OK)
		page_fail(c, err);
	return err == DK_OK;
}
