/*
 * The sign-in form came without the cookie that was set with it, or from an
 * address that is not the site's, or over http: to show the form once more
 * would lead nowhere.  What the request shows tells the causes apart; each
 * has a page of its own, with the key that mends it.
 */
#include "http/cookie.h"
#include "web/cause.h"

/* The page, and a line for whoever reads the log. */
static void
explain(struct ctx *c, struct page_problem problem)
{
	LOG_WRITE(c->web->log, LOG_LEVEL_WARNING, "sign_in_impossible",
	    { "request_id", str_from(c->req->id) }, { "ip", c->asker.ip },
	    { "reason", str_from(problem.code) },
	    { "cause",
		words_text(WORDS_ENGLISH, problem.heading, 0) });
	problem.status = 403;
	page_problem(c, &problem);
}

/* The address bar, as the browser itself says it. */
static bool
seen_origin(struct ctx *c, struct url_origin *seen)
{
	return url_origin_parse(c->req->origin, c->arena, seen);
}

void
page_cause_http(struct ctx *c)
{
	struct url_origin seen = { 0 };
	bool behind_proxy = c->req->says_https ||
	    (seen_origin(c, &seen) && seen.https);

	if (behind_proxy)
		explain(c,
		    (struct page_problem){ .code = "https_required",
			.heading = MSG_CAUSE_PROXY_HEAD,
			.message = MSG_CAUSE_PROXY,
			.detail =
			    "For the administrator: [security] "
			    "trusted_proxies must hold the address of the "
			    "proxy that does TLS, and the proxy must send "
			    "X-Forwarded-Proto. doorkeep doctor says more." });
	else
		explain(c,
		    (struct page_problem){ .code = "https_required",
			.heading = MSG_CAUSE_HTTP_HEAD,
			.message = MSG_NEEDS_HTTPS,
			.detail =
			    "For the administrator: if a proxy does TLS, name "
			    "it in [security] trusted_proxies; to go without, "
			    "set [security] allow_http = yes." });
}

/* The browser uses http, and everybody on the server's side says https. */
static void
explain_no_https(struct ctx *c, const char *code)
{
	explain(c,
	    (struct page_problem){ .code = code,
		.heading = MSG_CAUSE_NO_HTTPS_HEAD,
		.message = MSG_CAUSE_NO_HTTPS,
		.detail =
		    "For the administrator: the web server or its proxy says "
		    "https for a request that came by http. Redirect http to "
		    "https there, or mend what it sends as "
		    "X-Forwarded-Proto." });
}

void
page_cause_origin(struct ctx *c)
{
	struct url_origin seen;
	bool own = c->req->fetch_site == FETCH_SITE_SAME_ORIGIN ||
	    c->req->fetch_site == FETCH_SITE_ABSENT;
	struct str host =
	    str_is_none(c->asked_host) ? c->site->host : c->asked_host;
	const struct word words[] = { { "seen", c->req->origin },
		{ "known", c->site->text } };

	/* What another site has sent is no matter of configuration. */
	if (!own || !seen_origin(c, &seen) || !str_eq(seen.host, host))
		page_error_code(c, 403, "forbidden_origin", MSG_FOREIGN_FORM);
	else if (!seen.https && c->req->https)
		explain_no_https(c, "forbidden_origin");
	else
		explain(c,
		    (struct page_problem){ .code = "forbidden_origin",
			.heading = MSG_CAUSE_NAME_HEAD,
			.message = MSG_CAUSE_NAME,
			.words = words,
			.n_words = 2,
			.detail =
			    "For the administrator: [site] origin must list "
			    "what people see in the address bar, with its "
			    "scheme and port. Behind a proxy, [security] "
			    "trusted_proxies must name it, too." });
}

static bool
has_two_cookies(struct ctx *c)
{
	struct str value;

	return cookie_get(c->req->cookies, c->req->n_cookies,
		   cookie_login_name(c), &value) == COOKIE_CONFLICT;
}

void
page_cause_cookie(struct ctx *c)
{
	struct url_origin seen = { 0 };
	bool known = seen_origin(c, &seen);

	if (has_two_cookies(c))
		explain(c,
		    (struct page_problem){ .code = "bad_csrf_token",
			.heading = MSG_CAUSE_TWO_COOKIES_HEAD,
			.message = MSG_CAUSE_TWO_COOKIES,
			.detail =
			    "For the administrator: another host of the same "
			    "domain sets a cookie of that name, or [cookie] "
			    "domain was changed. Choose another [cookie] "
			    "name." });
	else if (known && !seen.https && c->req->https)
		explain_no_https(c, "bad_csrf_token");
	else if (known && seen.https && !c->req->https)
		page_cause_http(c);
	else
		explain(c,
		    (struct page_problem){ .code = "bad_csrf_token",
			.heading = MSG_CAUSE_NO_COOKIE_HEAD,
			.message = MSG_NO_COOKIE,
			.detail =
			    "For the administrator: if cookies are allowed, "
			    "[site] origin, [cookie] domain and [security] "
			    "trusted_proxies must fit what people see in the "
			    "address bar, and no proxy may drop the headers "
			    "Set-Cookie and Cookie." });
}

bool
page_cookie_is_hopeless(struct ctx *c, bool tried)
{
	struct url_origin seen = { 0 };

	/* With none at all, or the second time, there is no use in trying. */
	return tried || c->req->n_cookies == 0 || has_two_cookies(c) ||
	    (seen_origin(c, &seen) && seen.https != c->req->https);
}
