/* Single sign-on over two hosts, as the browser and as a stranger see it. */
#include "fixture.h"

#define FIRST  "www.example.org"
#define SECOND "b.example.org"
#define COOKIE SESSION "-sso"

/* The fixture's jar holds one host's cookies; here the other's lie. */
static char other_jar[sizeof(((struct desk *)0)->jar)];
static const char *at_host;

static int
open_two(void **state)
{
	struct desk *d;

	(void)desk_open_bare(state);
	d = *state;
	d->origins = ORIGIN ", https://" SECOND ", https://c.example.org";
	desk_start(d,
	    "[session]\nsingle_sign_on = yes\n"
	    "[access]\n/new/ = any; reauth=10m\n/ = any\n");
	desk_add_user(d, "alice");
	desk_add_user(d, "bob");
	memset(other_jar, 0, sizeof(other_jar));
	at_host = FIRST;
	return 0;
}

/* The browser goes to this host, with that host's cookies. */
static void
go_to(struct desk *d, const char *host)
{
	char jar[sizeof(d->jar)];

	if (strcmp(at_host, host) == 0)
		return;
	memcpy(jar, d->jar, sizeof(jar));
	memcpy(d->jar, other_jar, sizeof(jar));
	memcpy(other_jar, jar, sizeof(jar));
	at_host = host;
}

static unsigned
get(struct desk *d, const char *host, const char *target)
{
	go_to(d, host);
	desk_begin(d, "GET", target);
	desk_set(d, "HTTP_HOST", host);
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	return desk_send(d);
}

/* Follow a redirect that has to lead to this host; its target. */
static void
location(struct desk *d, const char *host, char *target, size_t size)
{
	const char *to = desk_header(d, "Location");
	char start[128];

	(void)snprintf(start, sizeof(start), "https://%s/", host);
	if (d->status != 303 || to == NULL ||
	    strncmp(to, start, strlen(start)) != 0)
		fail_msg("%u %s", d->status, to == NULL ? d->body : to);
	(void)snprintf(target, size, "%s", to + strlen(start) - 1);
	assert_true(desk_header_is(d, "Referrer-Policy", "no-referrer"));
	assert_true(desk_header_is(d, "Cache-Control", "no-store"));
}

#define ASK  "/auth/sso?next=%2Fp%3Fa%3D1%26b%3D%2526"
#define NEXT "/p?a=1&b=%26"

static void
set_out(struct desk *d, char *url, size_t size)
{
	assert_int_equal(get(d, SECOND, ASK), 303);
	location(d, FIRST, url, size);
}

/* Signed in at the first host; url is then that of the second, with a code. */
static void
come_back(struct desk *d, char *url, size_t size)
{
	go_to(d, FIRST);
	desk_sign_in(d, "alice");
	set_out(d, url, size);
	assert_int_equal(get(d, FIRST, url), 303);
	location(d, SECOND, url, size);
}

static bool
is_signed_in_at(struct desk *d, const char *host)
{
	return get(d, host, "/auth/session") == 200;
}

static void
three_redirects_bring_the_sign_in_over(void **state)
{
	struct desk *d = *state;
	char url[2048];

	come_back(d, url, sizeof(url));
	assert_int_equal(get(d, SECOND, url), 303);
	assert_true(desk_header_is(d, "Location", "https://" SECOND NEXT));
	assert_non_null(desk_cookie(d, SESSION));
	assert_null(desk_cookie(d, COOKIE));
	assert_true(is_signed_in_at(d, SECOND));
	assert_true(desk_shows(d, "\"alice\""));
	assert_true(is_signed_in_at(d, FIRST));
}

/* Who is not signed in anywhere does so at the first host, and goes on. */
static void
a_sign_in_on_the_way_goes_on_to_the_host_that_asked(void **state)
{
	struct desk *d = *state;
	char url[2048], body[4096], token[128];
	struct buf b;

	set_out(d, url, sizeof(url));
	assert_int_equal(get(d, FIRST, url), 401);
	assert_false(desk_shows(d, "/auth/sso?next="));
	desk_token(d, token);
	assert_true(desk_shows(d, "name=\"next\" value=\"/auth/sso?host="));
	/* As the browser sends the field: percent-encoded once more. */
	BUF_OVER(&b, body);
	buf_addf(
	    &b, "csrf_token=%s&username=alice&password=" PW "&next=", token);
	buf_add_percent(&b, str_from(url));
	desk_begin_form(d, "/auth/login", buf_z(&b));
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_header_is(d, "Location", url));
	assert_int_equal(get(d, FIRST, url), 303);
	location(d, SECOND, url, sizeof(url));
	assert_int_equal(get(d, SECOND, url), 303);
	assert_true(is_signed_in_at(d, SECOND));
}

static void
refused(struct desk *d, const char *url)
{
	char failed[2048];

	assert_int_equal(get(d, SECOND, url), 303);
	location(d, SECOND, failed, sizeof(failed));
	assert_null(desk_cookie(d, SESSION));
	assert_null(strstr(failed, "code="));
	assert_int_equal(get(d, SECOND, failed), 401);
	assert_true(desk_shows(d, "could not be taken over"));
	assert_true(desk_shows(d, "name=\"next\" value=\"/p?a=1&amp;b=%26\""));
}

static void
a_code_that_was_used_is_dead(void **state)
{
	struct desk *d = *state;
	char url[2048], nonce[128];

	come_back(d, url, sizeof(url));
	go_to(d, SECOND);
	(void)snprintf(nonce, sizeof(nonce), "%s", desk_cookie(d, COOKIE));
	assert_int_equal(get(d, SECOND, url), 303);
	desk_set_cookie(d, SESSION, NULL);
	desk_set_cookie(d, COOKIE, nonce);
	refused(d, url);
}

static void
a_code_is_dead_after_thirty_seconds(void **state)
{
	struct desk *d = *state;
	char url[2048];

	come_back(d, url, sizeof(url));
	d->now += 30000;
	refused(d, url);
}

/* From a log, or by a Referer: without the cookie it opens nothing, and the
 * owner's try afterwards fails too, for the code is used up. */
static void
a_stolen_code_is_dead_in_another_browser(void **state)
{
	struct desk *d = *state;
	char url[2048], nonce[128];

	come_back(d, url, sizeof(url));
	go_to(d, SECOND);
	(void)snprintf(nonce, sizeof(nonce), "%s", desk_cookie(d, COOKIE));
	desk_empty_jar(d);
	refused(d, url);
	/* With a cookie of the thief's own it is the same. */
	assert_int_equal(get(d, SECOND, ASK), 303);
	refused(d, url);
	desk_set_cookie(d, COOKIE, nonce);
	refused(d, url);
}

/* Login CSRF: the stranger's code does not sign the victim in as them. */
static void
a_strangers_code_signs_nobody_in(void **state)
{
	struct desk *d = *state;
	char url[2048], mine[2048];

	come_back(d, url, sizeof(url)); /* the stranger, who stops here */
	go_to(d, SECOND);
	desk_empty_jar(d);
	set_out(d, mine, sizeof(mine)); /* the victim, on the way too */
	refused(d, url);
}

#define NO_BROWSER "browser=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Nor one that the stranger has tied to no browser: 32 bytes of zero are not
 * what a browser without a cookie has. */
static void
a_code_for_no_browser_signs_nobody_in(void **state)
{
	struct desk *d = *state;
	char url[2048];

	go_to(d, FIRST);
	desk_sign_in(d, "alice");
	assert_int_equal(get(d, FIRST,
			     "/auth/sso?host=https%3A%2F%2F" SECOND
			     "&" NO_BROWSER "&next=%2Fp%3Fa%3D1%26b%3D%2526"),
	    303);
	location(d, SECOND, url, sizeof(url));
	go_to(d, SECOND);
	desk_empty_jar(d);
	refused(d, url);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM handoffs"), 0);
}

static void
a_code_is_good_at_one_host_alone(void **state)
{
	struct desk *d = *state;
	char url[2048];

	come_back(d, url, sizeof(url));
	go_to(d, SECOND); /* and the cookie is planted at the third */
	at_host = "c.example.org";
	assert_int_equal(get(d, "c.example.org", url), 303);
	assert_null(desk_cookie(d, SESSION));
	at_host = SECOND;
	refused(d, url);
}

/* Whatever a stranger writes into the address, it leads to no other site. */
static void
leads_nowhere_but_to_the_origins(void **state)
{
	static const struct {
		const char *host, *target;
		unsigned status;
	} cases[] = {
		{ FIRST, "?host=https%3A%2F%2Fevil.example&" NO_BROWSER, 400 },
		{ FIRST,
		    "?host=https%3A%2F%2Fb.example.org.evil."
		    "example&" NO_BROWSER,
		    400 },
		{ FIRST, "?host=https%3A%2F%2Fb.example.org%2F&" NO_BROWSER,
		    400 },
		{ FIRST, "?host=http%3A%2F%2Fb.example.org&" NO_BROWSER, 400 },
		{ FIRST, "?host=b.example.org&" NO_BROWSER, 400 },
		{ FIRST, "?host=https%3A%2F%2Fwww.example.org&" NO_BROWSER,
		    400 },
		{ FIRST, "?host=https%3A%2F%2Fb.example.org", 400 },
		{ FIRST, "?host=https%3A%2F%2Fb.example.org&browser=short",
		    400 },
		{ FIRST, "?host=https%3A%2F%2Fb.example.org&host=x&" NO_BROWSER,
		    400 },
		{ FIRST, "?host=https%3A%2F%2Fb.example.org&" NO_BROWSER "A",
		    400 },
		{ FIRST, "", 303 },
		{ SECOND, "?code=x&code=y", 400 },
		{ SECOND, "?next=%00", 400 },
	};
	static const char *const nexts[] = { "//evil.example/",
		"https://evil.example/", "/\\evil.example", "%5C", "evil",
		"/%0d%0aX:1", "/auth/login", "/auth/logout" };
	struct desk *d = *state;
	char url[2048], path[512];
	size_t i;

	go_to(d, FIRST);
	desk_sign_in(d, "alice");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "/auth/sso%s", cases[i].target);
		if (get(d, cases[i].host, path) != cases[i].status)
			fail_msg("%s: %u", path, d->status);
	}
	for (i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++) {
		go_to(d, SECOND);
		desk_empty_jar(d);
		(void)snprintf(
		    path, sizeof(path), "/auth/sso?next=%s", nexts[i]);
		assert_int_equal(get(d, SECOND, path), 303);
		location(d, FIRST, url, sizeof(url));
		assert_int_equal(get(d, FIRST, url), 303);
		location(d, SECOND, url, sizeof(url));
		assert_int_equal(get(d, SECOND, url), 303);
		location(d, SECOND, url, sizeof(url));
		if (strcmp(url, "/") != 0 && strcmp(url, "/%0d%0aX:1") != 0)
			fail_msg("%s: %s", nexts[i], url);
	}
}

/* fetch(), images and HEAD make no code and use none up. */
static void
only_a_navigation_counts(void **state)
{
	struct desk *d = *state;
	char url[2048], code[2048];
	size_t i;

	come_back(d, code, sizeof(code));
	set_out(d, url, sizeof(url));
	for (i = 0; i < 2; i++) {
		go_to(d, i == 0 ? FIRST : SECOND);
		desk_begin(d, "GET", i == 0 ? url : code);
		desk_set(d, "HTTP_HOST", i == 0 ? FIRST : SECOND);
		desk_set(d, "HTTP_SEC_FETCH_MODE", "no-cors");
		assert_int_equal(desk_send(d), 401);
		desk_begin(d, "HEAD", i == 0 ? url : code);
		desk_set(d, "HTTP_HOST", i == 0 ? FIRST : SECOND);
		assert_int_equal(desk_send(d), 401);
	}
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM handoffs"), 1);
	go_to(d, SECOND);
	desk_begin_form(d, code, "");
	desk_set(d, "HTTP_HOST", SECOND);
	assert_int_equal(desk_send(d), 405);
	assert_int_equal(get(d, SECOND, code), 303);
	assert_true(is_signed_in_at(d, SECOND));
}

/* The auth time is that of the first host. */
static void
a_page_that_asks_for_a_fresh_sign_in_still_does(void **state)
{
	struct desk *d = *state;
	char url[2048];

	go_to(d, FIRST);
	desk_sign_in(d, "alice");
	d->now += 20 * MINUTE;
	set_out(d, url, sizeof(url));
	(void)get(d, FIRST, url);
	location(d, SECOND, url, sizeof(url));
	assert_int_equal(get(d, SECOND, url), 303);
	go_to(d, SECOND);
	desk_begin(d, "GET", "/new/");
	desk_set(d, "HTTP_HOST", SECOND);
	d->role = REQUEST_AUTHORIZER;
	assert_int_equal(desk_send(d), 401);
	/* It would bring nothing: no link. */
	assert_false(desk_shows(d, "/auth/sso"));
	desk_begin(d, "GET", "/p");
	desk_set(d, "HTTP_HOST", SECOND);
	d->role = REQUEST_AUTHORIZER;
	assert_int_equal(desk_send(d), 200);
}

static void
the_form_of_another_host_has_the_link(void **state)
{
	struct desk *d = *state;
	char target[1101];

	go_to(d, SECOND);
	desk_begin(d, "GET", "/p?a=1&b=%26");
	desk_set(d, "HTTP_HOST", SECOND);
	d->role = REQUEST_AUTHORIZER;
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "href=\"" ASK "\""));
	assert_true(
	    desk_shows(d, "Go on with your sign-in at www.example.org"));
	(void)get(d, FIRST, "/auth/login");
	assert_false(desk_shows(d, "/auth/sso"));
	/* One that would make the page too large is left out. */
	memset(target, 'a', 1100);
	target[1100] = '\0';
	memcpy(target, "/auth/login?next=/", 18);
	assert_int_equal(get(d, SECOND, target), 200);
	assert_false(desk_shows(d, "/auth/sso"));
	assert_true(d->body_len <= 7 * 1024);
}

/* Who is signed in there already just goes on. */
static void
a_host_that_knows_somebody_asks_nobody(void **state)
{
	struct desk *d = *state;
	char body[512], token[128];

	assert_int_equal(get(d, SECOND, "/auth/login"), 200);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=bob&password=" PW, token);
	desk_begin_form(d, "/auth/login", body);
	desk_set(d, "HTTP_HOST", SECOND);
	desk_set(d, "HTTP_ORIGIN", "https://" SECOND);
	assert_int_equal(desk_send(d), 303);
	assert_int_equal(get(d, SECOND, ASK), 303);
	assert_true(desk_header_is(d, "Location", NEXT));
}

/* DK-X-01: one host of the list says nothing for another. */
static void
a_form_of_another_of_our_hosts_is_foreign(void **state)
{
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		desk_set_cookie(d, SESSION, NULL);
		desk_fill_login(d, "alice", PW, "");
		desk_set(d, "HTTP_SEC_FETCH_SITE", NULL);
		if (i < 2)
			desk_set(d, "HTTP_ORIGIN",
			    i == 0 ? ORIGIN : "https://" SECOND);
		else
			desk_set(d, "HTTP_ORIGIN", NULL);
		if (i == 2)
			desk_set(d, "HTTP_REFERER", "https://" SECOND "/x");
		assert_int_equal(desk_send(d), i == 0 ? 303 : 403);
	}
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	desk_set(d, "HTTP_ORIGIN", "https://" SECOND);
	assert_int_equal(desk_send(d), 403);
}

static void
off_there_is_no_such_page(void **state)
{
	struct desk *d = *state;

	d->conf.single_sign_on = false;
	assert_int_equal(get(d, SECOND, ASK), 404);
	(void)get(d, SECOND, "/auth/login");
	assert_false(desk_shows(d, "/auth/sso"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_two, desk_close)
	const struct CMUnitTest tests[] = {
		T(three_redirects_bring_the_sign_in_over),
		T(a_sign_in_on_the_way_goes_on_to_the_host_that_asked),
		T(a_code_that_was_used_is_dead),
		T(a_code_is_dead_after_thirty_seconds),
		T(a_stolen_code_is_dead_in_another_browser),
		T(a_strangers_code_signs_nobody_in),
		T(a_code_for_no_browser_signs_nobody_in),
		T(a_code_is_good_at_one_host_alone),
		T(leads_nowhere_but_to_the_origins),
		T(only_a_navigation_counts),
		T(a_page_that_asks_for_a_fresh_sign_in_still_does),
		T(the_form_of_another_host_has_the_link),
		T(a_host_that_knows_somebody_asks_nobody),
		T(a_form_of_another_of_our_hosts_is_foreign),
		T(off_there_is_no_such_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
