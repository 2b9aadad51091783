#include "web/route.h"

#include "web/admin.h"
#include "web/sso.h"

/*
 * The default is the safe one: no flag, and a session is needed.  What
 * changes something is a POST, and each of them checks the token (but
 * /language, which changes only words).
 */
const struct route routes[] = {
	{ "/login", METHOD_GET, page_login, ROUTE_PUBLIC },
	{ "/login", METHOD_POST, page_login_post, ROUTE_PUBLIC },
	{ "/logout", METHOD_GET, page_logout, ROUTE_PUBLIC },
	{ "/logout", METHOD_POST, page_logout_post, ROUTE_PUBLIC },
	{ "/second-factor", METHOD_GET, page_second, ROUTE_PUBLIC },
	{ "/second-factor", METHOD_POST, page_second_post, ROUTE_PUBLIC },
	{ "/set-password", METHOD_GET, page_set_password, ROUTE_PUBLIC },
	{ "/set-password", METHOD_POST, page_set_password_post, ROUTE_PUBLIC },
	{ "/sso", METHOD_GET, page_sso, ROUTE_PUBLIC },
	{ "/language", METHOD_GET, page_language,
	    ROUTE_PUBLIC | ROUTE_NO_STORE },
	{ "/language", METHOD_POST, page_language_post,
	    ROUTE_PUBLIC | ROUTE_NO_STORE },
	{ "/session", METHOD_GET, page_session, ROUTE_JSON },
	{ "/check", METHOD_GET, page_check, ROUTE_PUBLIC | ROUTE_ANY_METHOD },
	{ "/account", METHOD_GET, page_account, 0 },
	{ "/account", METHOD_POST, page_account_post, 0 },
	{ "/admin", METHOD_GET, page_admin, 0 },
	{ "/admin/fresh", METHOD_GET, page_admin_fresh, 0 },
	{ "/admin/people", METHOD_GET, page_admin_people, 0 },
	{ "/admin/people", METHOD_POST, page_admin_people_post, 0 },
	{ "/admin/person", METHOD_GET, page_admin_person, 0 },
	{ "/admin/person", METHOD_POST, page_admin_person_post, 0 },
	{ "/admin/sessions", METHOD_GET, page_admin_sessions, 0 },
	{ "/admin/sessions", METHOD_POST, page_admin_sessions_post, 0 },
	{ "/admin/events", METHOD_GET, page_admin_events, 0 },
	{ "/admin/events.jsonl", METHOD_GET, page_admin_lines, 0 },
	{ "/health", METHOD_GET, page_health, ROUTE_PUBLIC | ROUTE_NO_STORE },
	{ "/metrics", METHOD_GET, page_metrics, ROUTE_PUBLIC },
	{ "/style.css", METHOD_GET, page_style, ROUTE_PUBLIC | ROUTE_NO_STORE },
	{ "/logo", METHOD_GET, page_logo, ROUTE_PUBLIC | ROUTE_NO_STORE },
};
const size_t routes_count = sizeof(routes) / sizeof(routes[0]);

const struct route *
route_find(const struct request *req, const char **allow)
{
	enum request_method method =
	    req->method == METHOD_HEAD ? METHOD_GET : req->method;
	bool get = false, post = false;
	size_t i;

	/* In place of another page there is only something to be shown. */
	if (!str_is_none(req->wanted))
		method = METHOD_GET;
	*allow = NULL;
	for (i = 0; i < routes_count; i++) {
		if (!str_eq(req->route, str_from(routes[i].path)))
			continue;
		if (routes[i].method == method ||
		    (routes[i].flags & ROUTE_ANY_METHOD) != 0)
			return &routes[i];
		get = get || routes[i].method == METHOD_GET;
		post = post || routes[i].method == METHOD_POST;
	}
	if (get)
		*allow = post ? "GET, HEAD, POST" : "GET, HEAD";
	return NULL;
}
