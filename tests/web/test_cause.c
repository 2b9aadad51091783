/* Sign-in without loops: what stands in the way is said, with its key. */
#include "fixture.h"

enum { TABS = 20 };

static int
open_bare(void **state)
{
	return desk_open_bare(state);
}

static void
start(struct desk *d, const char *more)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s[access]\n/private/ = any\n"
	    "/old/ = any; reauth=10m\n", more);
	desk_start(d, text);
	desk_add_user(d, "alice");
	desk_add_user(d, "bob");
}

/* Somebody who signs in at address; the cookie does not come back. */
struct cause {
	const char *title, *conf;
	const char *https, *host, *origin, *cookie;
	const char *proto, *fetch_site;
	unsigned status;
	const char *says, *key;
};

static void
send_without_cookie(struct desk *d, const struct cause *w)
{
	desk_begin_form(d, "/auth/login", "csrf_token=x&username=alice"
					  "&password=p");
	d->without_cookies = true;
	desk_set(d, "HTTPS", w->https);
	desk_set(d, "HTTP_HOST", w->host);
	desk_set(d, "HTTP_ORIGIN", w->origin);
	desk_set(d, "HTTP_COOKIE", w->cookie);
	desk_set(d, "HTTP_X_FORWARDED_PROTO", w->proto);
	desk_set(d, "HTTP_SEC_FETCH_SITE", w->fetch_site);
	assert_int_equal(desk_send(d), w->status);
	if (!desk_shows(d, w->says) || !desk_shows(d, w->key))
		fail_msg("%s: %s", w->title, d->body);
}

#define HTTPS_SITE "on", "www.example.org", "https://www.example.org"

static void
the_page_names_the_cause_and_the_key(void **state)
{
	static const struct cause cases[] = {
		{ "no cookie at all", "", HTTPS_SITE, NULL, NULL,
		    "same-origin", 403, "keeps no cookies", "[cookie] domain" },
		{ "two of one name", "", HTTPS_SITE,
		    "__Host-doorkeep-login=a; __Host-doorkeep-login=b", NULL,
		    "same-origin", 403, "One cookie too many",
		    "[cookie] name" },
		{ "the proxy says https, the browser http", "", "on",
		    "www.example.org", "http://www.example.org", NULL, NULL,
		    NULL, 403, "believes that it uses https",
		    "X-Forwarded-Proto" },
		{ "a proxy that nobody trusts", "", NULL, "www.example.org",
		    "https://www.example.org", NULL, "https", "same-origin",
		    403, "A proxy hides https",
		    "[security] trusted_proxies" },
		{ "the same without its header", "", NULL, "www.example.org",
		    "https://www.example.org", NULL, NULL, "same-origin", 403,
		    "A proxy hides https", "[security] trusted_proxies" },
		{ "another address", "", "on", "intranet.example.org",
		    "https://intranet.example.org", NULL, NULL, "same-origin",
		    403, "its configuration knows it as "
			 "https://www.example.org",
		    "[site] origin" },
		{ "another port", "", "on", "www.example.org:8443",
		    "https://www.example.org:8443", NULL, NULL, "same-origin",
		    403, "www.example.org:8443", "[site] origin" },
		{ "really another site", "", "on", "www.example.org",
		    "https://evil.example", NULL, NULL, "cross-site", 403,
		    "sent from another site", "Open the sign-in page" },
		{ "a script on it", "", "on", "www.example.org",
		    "https://evil.example", NULL, NULL, NULL, 403,
		    "sent from another site", "Open the sign-in page" },
	};
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(d, cases[i].conf);
		send_without_cookie(d, &cases[i]);
		(void)desk_close(state);
		(void)desk_open_bare(state);
		d = *state;
	}
	start(d, "");
}

/* Nothing is wrong with the browser: its form is old, it may try again. */
static void
an_old_form_is_shown_once_more_and_then_the_cause(void **state)
{
	struct desk *d = *state;
	char body[512], token[128];

	start(d, "");
	assert_int_equal(desk_get(d, "/auth/login"), 200);
	desk_token(d, token);
	assert_false(desk_shows(d, "name=\"tried\""));
	desk_set_cookie(d, SESSION "-login", NULL);
	desk_set_cookie(d, "other", "1");
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=x", token);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "grown old"));
	assert_true(desk_shows(d, "name=\"tried\" value=\"1\""));
	desk_set_cookie(d, SESSION "-login", NULL);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=x&tried=1", token);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "keeps no cookies"));
}

/* The tabs ask at the same time, so each with the cookies from before. */
static void
tabs_restored_at_once_share_one_secret(void **state)
{
	struct desk *d = *state;
	char dead[128], first[64], device[64];
	int i, known;

	start(d, "");
	desk_sign_in(d, "alice");
	(void)snprintf(dead, sizeof(dead), "%s", desk_cookie(d, SESSION));
	(void)snprintf(device, sizeof(device), "%s",
	    desk_cookie(d, SESSION "-device"));
	(void)desk_sql(d, "DELETE FROM active_sessions");
	for (known = 0; known < 2; known++) {
		first[0] = '\0';
		for (i = 0; i < TABS; i++) {
			desk_empty_jar(d);
			desk_set_cookie(d, SESSION, dead);
			if (known)
				desk_set_cookie(d, SESSION "-device", device);
			(void)desk_get(d, "/auth/account");
			assert_non_null(desk_cookie(d, SESSION "-login"));
			if (i == 0)
				(void)snprintf(first, sizeof(first), "%s",
				    desk_cookie(d, SESSION "-login"));
			assert_string_equal(
			    first, desk_cookie(d, SESSION "-login"));
		}
		assert_null(strstr(dead, first));
		assert_string_not_equal(first, device);
	}
}

/* What the form of another tab holds, once somebody signed in. */
static void
post_old_form(struct desk *d, const char *token, const char *more)
{
	char body[512];

	(void)snprintf(body, sizeof(body), "csrf_token=%s&%s", token, more);
	desk_begin_form(d, "/auth/login", body);
	(void)desk_send(d);
}

static void
a_form_of_another_tab_leads_on_once_signed_in(void **state)
{
	struct desk *d = *state;
	char old[128], session[128];

	start(d, "");
	assert_int_equal(desk_get(d, "/auth/login"), 200);
	desk_token(d, old);
	desk_sign_in(d, "alice");
	(void)snprintf(
	    session, sizeof(session), "%s", desk_cookie(d, SESSION));
	/* The password is not looked at: there is nothing left to prove. */
	post_old_form(d, old, "username=alice&password=&next=/private/a?b=1");
	assert_int_equal(d->status, 303);
	assert_true(desk_header_is(d, "Location", "/private/a?b=1"));
	assert_string_equal(session, desk_cookie(d, SESSION));
	/* Not as somebody else, and not where a fresh sign-in is asked. */
	post_old_form(d, old, "username=bob&password=&next=/private/");
	assert_int_equal(d->status, 403);
	d->now += 20 * MINUTE;
	post_old_form(d, old, "username=alice&password=&next=/old/");
	assert_int_equal(d->status, 403);
	/* And never for another site. */
	desk_begin_form(d, "/auth/login", "csrf_token=x&username=alice");
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	assert_int_equal(desk_send(d), 403);
}

/* DK-L-03: a cookie planted before does not stand in for the sign-in. */
static void
a_planted_session_is_replaced_by_a_sign_in(void **state)
{
	struct desk *d = *state;
	char planted[128], token[128], body[512];

	start(d, "");
	desk_sign_in(d, "alice");
	(void)snprintf(
	    planted, sizeof(planted), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	assert_int_equal(desk_get(d, "/auth/login"), 200);
	desk_token(d, token);
	desk_set_cookie(d, SESSION, planted);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=" PW, token);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 303);
	assert_string_not_equal(planted, desk_cookie(d, SESSION));
	desk_set_cookie(d, SESSION, planted);
	assert_false(desk_is_signed_in(d));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_bare, desk_close)
	const struct CMUnitTest tests[] = {
		T(the_page_names_the_cause_and_the_key),
		T(an_old_form_is_shown_once_more_and_then_the_cause),
		T(tabs_restored_at_once_share_one_secret),
		T(a_form_of_another_tab_leads_on_once_signed_in),
		T(a_planted_session_is_replaced_by_a_sign_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
