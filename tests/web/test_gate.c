/* The gate: who is let through to which page, and how that is said to an
 * Authorizer and to nginx. */
#include "fixture.h"

#define OTHER "https://other.example.org"

static int
open_gate(void **state)
{
	struct desk *d;

	(void)desk_open_bare(state);
	d = *state;
	d->origins = ORIGIN ", " OTHER;
	desk_start(d,
	    "[access]\n"
	    "/public/ = public\n"
	    "/closed/ = deny\n"
	    "/alice/ = user:alice\n"
	    "/staff/ = group:staff\n"
	    "/fresh/ = any; reauth=10m\n"
	    "/two/ = any; level=2\n"
	    "/get/ = any; methods=GET\n"
	    "/poll/ = any; activity=no\n"
	    "/lan/ = any; net=10.0.0.0/8\n"
	    "other.example.org/ = any\n"
	    "/any/ = any\n");
	desk_add_user(d, "alice");
	desk_add_user(d, "bob");
	return 0;
}

#define GATE_TEST(f) cmocka_unit_test_setup_teardown(f, open_gate, desk_close)

static void
begin_authorizer(struct desk *d, const char *method, const char *target)
{
	desk_begin(d, method, target);
	d->role = REQUEST_AUTHORIZER;
	desk_set(d, "SCRIPT_NAME", NULL);
}

static unsigned
ask(struct desk *d, const char *target)
{
	begin_authorizer(d, "GET", target);
	return desk_send(d);
}

/* As nginx asks, and then passes the wanted page beside our own. */
static void
begin_check(struct desk *d, const char *method, const char *target)
{
	desk_begin(d, method, target);
	desk_set(d, "SCRIPT_NAME", "/auth/check");
	desk_set(d, "PATH_INFO", "");
}

/* DK-A-02: a yes has nothing but variables. */
static void
expect_bare_yes(struct desk *d)
{
	const char *line = strstr(d->head, "\r\n");

	assert_memory_equal(d->head, "Status: 200 OK\r\n", 16);
	assert_int_equal(d->body_len, 0);
	/* Apache is told to insist on it. */
	assert_true(desk_header_is(d, "Variable-DOORKEEP_GATE", "passed"));
	for (; line != NULL && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
		if (strncmp(line + 2, "Variable-", 9) != 0 &&
		    strncmp(line + 2, "Content-Length: 0\r\n", 19) != 0)
			fail_msg("%s", line);
}

/* DK-A-01: a no says so first. */
static void
expect_no(struct desk *d, const char *what)
{
	if (d->status < 300 || strncmp(d->head, "Status: ", 8) != 0 ||
	    (unsigned)atoi(d->head + 8) != d->status)
		fail_msg("%s: %s", what, d->head);
	assert_null(strstr(d->head, "Variable-"));
	assert_null(strstr(d->head, "Remote-"));
	/* A cookie that is there stays (DK-A-04). */
	assert_null(strstr(d->head, "Max-Age=0"));
}

/* --- who may see what
 * ---------------------------------------------------------- */

static const struct {
	const char *target;
	unsigned nobody, alice, bob;
} pages[] = {
	{ "/public/", 200, 200, 200 },
	{ "/public/a.html?x=y", 200, 200, 200 },
	{ "/public", 200, 200, 200 },
	{ "/publicity", 403, 403, 403 },
	{ "/closed/x", 403, 403, 403 },
	{ "/alice/", 401, 200, 403 },
	{ "/alice", 401, 200, 403 },
	{ "/staff/", 401, 403, 200 },
	{ "/any/", 401, 200, 200 },
	{ "/fresh/", 401, 200, 200 },
	{ "/two/", 401, 303, 303 }, /* to where it is set up */
	{ "/lan/", 403, 403, 403 },
	{ "/", 403, 403, 403 },
	{ "/nowhere", 403, 403, 403 },
	/* doorkeep's own pages are under no rule here. */
	{ "/auth/login", 403, 403, 403 },
};

static void
try_pages(struct desk *d, const char *user)
{
	size_t i;

	if (user != NULL)
		desk_sign_in(d, user);
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		unsigned want = user == NULL ? pages[i].nobody
		    : user[0] == 'a'	     ? pages[i].alice
					     : pages[i].bob;

		if (ask(d, pages[i].target) != want)
			fail_msg("%s as %s: %u", pages[i].target,
			    user == NULL ? "nobody" : user, d->status);
		if (want == 200)
			expect_bare_yes(d);
		else
			expect_no(d, pages[i].target);
		/* The same said to nginx. */
		begin_check(d, "GET", pages[i].target);
		if (strncmp(pages[i].target, "/auth/", 6) == 0)
			continue;
		/* nginx takes 2xx, 401 and 403, nothing else (DK-A-07). */
		if (desk_send(d) !=
		    (want == 200	  ? 204
			    : want == 303 ? 403
					  : want))
			fail_msg("/check %s as %s: %u", pages[i].target,
			    user == NULL ? "nobody" : user, d->status);
		assert_int_equal(d->body_len == 0, want == 200);
	}
}

/* DK-A-07, DK-A-11 */
static void
lets_through_whom_the_rules_name_and_nobody_else(void **state)
{
	struct desk *d = *state;

	(void)desk_sql(d,
	    "INSERT INTO user_groups SELECT id, 'staff' FROM"
	    " users WHERE username = 'bob'");
	try_pages(d, NULL);
	try_pages(d, "alice");
	desk_empty_jar(d);
	try_pages(d, "bob");
}

/* DK-A-06: with what servers might read in two ways nobody is let in. */
static void
a_path_that_can_be_read_in_two_ways_is_refused(void **state)
{
	static const char *const targets[] = { "//public/", "/public//x",
		"/public/./x", "/public/../alice/", "/public/..", "/public/.",
		"/public/%2e%2e/alice/", "/public/%2E%2E/alice/",
		"/public/..%2falice/", "/public%2f..%2falice/",
		"/public/%5c..%5calice/", "/public/..\\alice/", "/public/;x",
		"/public/..;/alice/", "/public/%3b/", "/public/%00",
		"/public/%00/../alice/", "/public/%0a", "/public/%7f",
		"/public/%252e%252e/alice/", "/public/%25%32%65/", "/public/%",
		"/public/%2", "/public/%zz", "/public/x.", "/public/x%20",
		"/public/x./y", "/public/%c0%ae%c0%ae/", "/public/%ff",
		"public/", "*", "", "?", "#/public/", ".", "../public/",
		"http://www.example.org/public/", "https://evil/public/",
		"\\public/", "/\\public/" };
	static const char *const headers[] = { "HTTP_X_ORIGINAL_URL",
		"HTTP_X_REWRITE_URL", "HTTP_X_ORIGINAL_URI",
		"HTTP_X_FORWARDED_URI", "HTTP_X_FORWARDED_PREFIX" };
	struct desk *d = *state;
	size_t i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
			if (ask(d, targets[i]) != 403)
				fail_msg("%s: %u", targets[i], d->status);
			expect_no(d, targets[i]);
			begin_check(d, "GET", targets[i]);
			/* Without a wanted page /check is asked itself. */
			if (desk_send(d) != 403 && targets[i][0] != '\0')
				fail_msg(
				    "/check %s: %u", targets[i], d->status);
		}
		desk_sign_in(d, "alice");
	}
	desk_empty_jar(d);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		begin_authorizer(d, "GET", "/alice/");
		desk_set(d, headers[i], "/public/");
		assert_int_equal(desk_send(d), 401);
	}
}

static void
the_plain_spelling_of_a_path_is_what_counts(void **state)
{
	static const struct {
		const char *target;
		unsigned bob;
	} cases[] = { { "/%61lice/", 403 }, { "/al%69ce/x", 403 },
		{ "/%70ublic/", 200 }, { "/alice%2ex", 403 },
		{ "/public/?/../alice/", 200 }, { "/public/?%2e%2e", 200 },
		{ "/public/%C3%A4", 200 }, { "/ALICE/", 403 },
		{ "/PUBLIC/", 403 } };
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "bob");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ask(d, cases[i].target) != cases[i].bob)
			fail_msg("%s: %u", cases[i].target, d->status);
}

/* DK-A-05 */
static void
a_yes_needs_a_wanted_page_and_little_else(void **state)
{
	static const char *const names[] = { "SCRIPT_NAME", "PATH_INFO",
		"SERVER_PROTOCOL", "GATEWAY_INTERFACE", "REMOTE_ADDR",
		"HTTP_ACCEPT", "HTTP_USER_AGENT", "HTTP_SEC_FETCH_SITE",
		"HTTP_SEC_FETCH_MODE", "HTTP_HOST", "REQUEST_METHOD" };
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "alice");
	begin_authorizer(d, "GET", "/any/");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		desk_set(d, names[i], NULL);
	assert_int_equal(desk_send(d), 200);
	begin_authorizer(d, "GET", "/any/");
	desk_set(d, "REQUEST_URI", NULL);
	desk_set(d, "SCRIPT_NAME", "/any/");
	desk_set(d, "PATH_INFO", "/public/");
	assert_int_equal(desk_send(d), 403);
	expect_no(d, "no REQUEST_URI");
}

static void
a_rule_sees_the_method_and_the_address(void **state)
{
	static const struct {
		const char *method;
		unsigned status;
	} methods[] = { { "GET", 200 }, { "HEAD", 200 }, { "POST", 403 },
		{ "PUT", 403 }, { "get", 403 }, { "PROPFIND", 403 } };
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "alice");
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		begin_authorizer(d, methods[i].method, "/get/");
		if (desk_send(d) != methods[i].status)
			fail_msg("%s: %u", methods[i].method, d->status);
		begin_check(d, methods[i].method, "/get/");
		assert_int_equal(desk_send(d) == 204, methods[i].status == 200);
		/* Elsewhere the method makes no difference. */
		begin_authorizer(d, methods[i].method, "/any/");
		assert_int_equal(desk_send(d), 200);
	}
	begin_authorizer(d, "GET", "/lan/");
	desk_set(d, "REMOTE_ADDR", "10.1.2.3");
	assert_int_equal(desk_send(d), 200);
	begin_authorizer(d, "GET", "/lan/");
	desk_set(d, "HTTP_X_FORWARDED_FOR", "10.1.2.3");
	assert_int_equal(desk_send(d), 403);
	begin_authorizer(d, "GET", "/lan/");
	desk_set(d, "REMOTE_ADDR", "unix:");
	assert_int_equal(desk_send(d), 403);
}

/* DK-L-10 */
static void
asks_for_a_fresh_sign_in_where_a_rule_does(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	d->now += 10 * MINUTE - 1;
	assert_int_equal(ask(d, "/fresh/"), 200);
	d->now += 1;
	assert_int_equal(ask(d, "/fresh/"), 401);
	assert_true(desk_shows(d, "fresh sign-in"));
	assert_true(desk_shows(d, "name=\"next\" value=\"/fresh/\""));
	expect_no(d, "/fresh/");
	assert_int_equal(ask(d, "/any/"), 200);
	desk_sign_in(d, "alice");
	assert_int_equal(ask(d, "/fresh/"), 200);
	/* The second factor, as the store says it. */
	assert_int_equal(ask(d, "/two/"), 303);
	assert_true(desk_header_is(
	    d, "Location", "/auth/account?need=factor&next=%2Ftwo%2F"));
	(void)desk_sql(d, "UPDATE sessions SET level = 2");
	assert_int_equal(ask(d, "/two/"), 200);
}

/* DK-S-12: on the very next request. */
static void
what_changes_in_the_store_counts_at_once(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	assert_int_equal(ask(d, "/staff/"), 403);
	(void)desk_sql(d,
	    "INSERT INTO user_groups SELECT id, 'staff' FROM"
	    " users WHERE username = 'alice'");
	assert_int_equal(ask(d, "/staff/"), 200);
	(void)desk_sql(d, "DELETE FROM user_groups");
	assert_int_equal(ask(d, "/staff/"), 403);
	(void)desk_sql(d, "DELETE FROM sessions");
	assert_int_equal(ask(d, "/any/"), 401);
	desk_sign_in(d, "alice");
	(void)desk_sql(d,
	    "UPDATE users SET disabled=1"
	    " WHERE username='alice'");
	assert_int_equal(ask(d, "/any/"), 401);
}

/* DK-S-19 */
static void
a_session_belongs_to_the_host_it_was_made_on(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	begin_authorizer(d, "GET", "/any/");
	desk_set(d, "HTTP_HOST", "other.example.org");
	assert_int_equal(desk_send(d), 401);
	/* Rules by host are those of the host that was asked. */
	begin_authorizer(d, "GET", "/nowhere");
	desk_set(d, "HTTP_HOST", "other.example.org");
	assert_int_equal(desk_send(d), 401);
	begin_authorizer(d, "GET", "/nowhere");
	desk_set(d, "HTTP_HOST", "evil.example");
	assert_int_equal(desk_send(d), 403);
	/* Only with a cookie for the domain, by choice (DK-C-12). */
	d->conf.cookie_domain = STR("example.org");
	begin_authorizer(d, "GET", "/any/");
	desk_set(d, "HTTP_HOST", "other.example.org");
	assert_int_equal(desk_send(d), 200);
}

/* --- what is said
 * ------------------------------------------------------------------ */

/* INTERFACE 5 */
static void
hands_the_identity_on(void **state)
{
	static const char *const names[] = { "USER", "GROUPS", "NAME", "EMAIL",
		"SESSION" };
	static const char *const heads[] = { "User", "Groups", "Name", "Email",
		"Session" };
	const char *want[5] = { "alice", "editors,staff", "Al\xc3\xafs \"L\"",
		"a@example.org", NULL };
	struct desk *d = *state;
	char name[64], id[512];
	size_t i;

	(void)desk_sql(d,
	    "INSERT INTO user_groups SELECT id, 'staff' FROM"
	    " users WHERE username = 'alice'");
	(void)desk_sql(d,
	    "INSERT INTO user_groups SELECT id, 'editors' FROM"
	    " users WHERE username = 'alice'");
	(void)desk_sql(d,
	    "UPDATE users SET display_name = 'Al\xc3\xafs"
	    " \"L\"', email = 'a@example.org'"
	    " WHERE username = 'alice'");
	desk_sign_in(d, "alice");
	(void)snprintf(id, sizeof(id), "%s", desk_cookie(d, SESSION));
	id[UUID_TEXT_LEN] = '\0';
	want[4] = id;
	assert_int_equal(ask(d, "/any/"), 200);
	expect_bare_yes(d);
	assert_true(desk_header_is(d, "Variable-AUTH_TYPE", "doorkeep"));
	for (i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "Variable-%s%s",
		    i == 4 ? "DOORKEEP_" : "REMOTE_", names[i]);
		if (!desk_header_is(d, name, want[i]))
			fail_msg("%s: %s", name, d->head);
	}
	begin_check(d, "GET", "/any/");
	assert_int_equal(desk_send(d), 204);
	for (i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "Remote-%s", heads[i]);
		if (!desk_header_is(d, name, want[i]))
			fail_msg("%s: %s", name, d->head);
	}
	/* The secret is not among it. */
	assert_null(strstr(d->head, strchr(desk_cookie(d, SESSION), '.')));
}

static void
nobody_has_no_identity(void **state)
{
	struct desk *d = *state;

	begin_authorizer(d, "GET", "/public/");
	desk_set(d, "REMOTE_USER", "alice");
	desk_set(d, "HTTP_REMOTE_USER", "alice");
	desk_set(d, "HTTP_AUTHORIZATION", "Basic YWxpY2U6eA==");
	assert_int_equal(desk_send(d), 200);
	expect_bare_yes(d);
	assert_null(strstr(d->head, "Variable-REMOTE"));
	assert_null(strstr(d->head, "Variable-AUTH"));
	assert_null(strstr(d->head, "Variable-DOORKEEP_SESSION"));
	begin_check(d, "GET", "/public/");
	assert_int_equal(desk_send(d), 204);
	assert_null(strstr(d->head, "Remote-"));
}

/* DK-A-03, TR-07: by hand anything can get into the store. */
static void
a_value_with_a_line_in_it_makes_no_header(void **state)
{
	static const char *const changes[] = {
		"UPDATE users SET display_name = 'a' || char(13, 10) ||"
		" 'Variable-REMOTE_USER: root'",
		"UPDATE users SET email = 'a' || char(10) || 'Status: 200'",
		"INSERT INTO user_groups SELECT id, 'a' || char(10) ||"
		" 'Variable-X: y' FROM users",
		"UPDATE users SET display_name = char(0x202e) || 'x'",
		"UPDATE users SET display_name = CAST(x'ff' AS TEXT)",
	};
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "alice");
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		/* PostgreSQL keeps nothing that is not UTF-8. */
		if (strstr(changes[i], "x'ff'") != NULL &&
		    !engine_is_sqlite(d->file))
			continue;
		(void)desk_sql(d, "DELETE FROM user_groups");
		(void)desk_sql(
		    d, "UPDATE users SET display_name = 'D', email = 'E'");
		(void)desk_sql(d, changes[i]);
		/* The value is left out, the person is let in. */
		assert_int_equal(ask(d, "/any/"), 200);
		expect_bare_yes(d);
		assert_true(desk_header_is(d, "Variable-REMOTE_USER", "alice"));
		assert_null(strstr(d->head, "root"));
		assert_null(strstr(d->head, "Variable-X"));
		if (i != 1)
			assert_true(
			    desk_header_is(d, "Variable-REMOTE_EMAIL", "E"));
		else
			assert_null(desk_header(d, "Variable-REMOTE_EMAIL"));
		if (i == 0 || i > 2)
			assert_null(desk_header(d, "Variable-REMOTE_NAME"));
		if (i == 2)
			assert_null(desk_header(d, "Variable-REMOTE_GROUPS"));
	}
}

/* mod_fcgid sends our headers and makes the page elsewhere (ErrorDocument):
 * it gets the status alone. */
static void
says_no_to_mod_fcgid_without_a_page(void **state)
{
	static const struct {
		const char *target, *head;
	} cases[] = { { "/any/",
			  "Status: 401 Unauthorized\r\n"
			  "Content-Length: 0\r\n\r\n" },
		{ "/closed/",
		    "Status: 403 Forbidden\r\n"
		    "Content-Length: 0\r\n\r\n" } };
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		begin_authorizer(d, "GET", cases[i].target);
		desk_set(d, "FCGI_APACHE_ROLE", "ACCESS_CHECKER");
		(void)desk_send(d);
		assert_string_equal(d->head, cases[i].head);
		assert_int_equal(d->body_len, 0);
	}
	desk_sign_in(d, "alice");
	begin_authorizer(d, "GET", "/any/");
	desk_set(d, "FCGI_APACHE_ROLE", "ACCESS_CHECKER");
	assert_int_equal(desk_send(d), 200);
	expect_bare_yes(d);
	assert_true(desk_header_is(d, "Variable-REMOTE_USER", "alice"));
}

/* INTERFACE 5, DK-A-08, DK-L-17 */
static void
shows_the_sign_in_page_in_place_of_the_wanted_one(void **state)
{
	struct desk *d = *state;

	assert_int_equal(ask(d, "/any/x?a=1&b=%26"), 401);
	expect_no(d, "/any/x");
	assert_true(
	    desk_shows(d, "name=\"next\" value=\"/any/x?a=1&amp;b=%26\""));
	assert_true(desk_shows(d, "action=\"/auth/login\""));
	assert_true(desk_header_is(d, "Cache-Control", "no-store"));
	assert_memory_equal(desk_header(d, "WWW-Authenticate"), "Cookie ", 7);
	assert_non_null(desk_cookie(d, SESSION "-login"));
	begin_authorizer(d, "GET", "/any/x");
	desk_set(d, "HTTP_SEC_FETCH_MODE", "cors");
	assert_int_equal(desk_send(d), 401);
	assert_memory_equal(d->body, "{\"error\":\"not_signed_in\"", 24);
	begin_authorizer(d, "GET", "/closed/");
	desk_set(d, "HTTP_SEC_FETCH_MODE", "no-cors");
	assert_int_equal(desk_send(d), 403);
	assert_memory_equal(d->body, "{\"error\":\"forbidden\"", 20);
	/* DK-L-16: what was posted is not kept. */
	begin_authorizer(d, "POST", "/any/x");
	desk_set(d, "CONTENT_LENGTH", "1000");
	assert_int_equal(desk_send(d), 401);
	/* A loop through the sign-in page ends at home (DK-O-04). */
	d->conf.rules[0].pattern = STR("/auth/");
	d->conf.rules[0].requirement = CONF_REQUIRE_ANY;
	assert_int_equal(ask(d, "/auth/login?next=/any/"), 401);
	assert_true(desk_shows(d, "name=\"next\" value=\"/\""));
}

/* Apache's ErrorDocument and nginx's error_page: the request comes to the
 * page of sign-in, and REQUEST_URI is the page that was wanted. */
static void
the_page_of_sign_in_finds_the_wanted_page(void **state)
{
	struct desk *d = *state;

	desk_begin(d, "GET", "/any/x?a=1");
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "name=\"next\" value=\"/any/x?a=1\""));
	/* A POST to it is one to the wanted page, not a sign-in. */
	desk_begin_form(d, "/any/x", "username=alice&password=" PW);
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "before your form arrived"));
	assert_null(desk_cookie(d, SESSION));
	desk_sign_in(d, "alice");
	desk_begin(d, "GET", "/any/x?a=1");
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_header_is(d, "Location", "/any/x?a=1"));
	desk_begin(d, "GET", "/closed/");
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 403);
	desk_begin(d, "GET", "/two/");
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 303);
	/* No other site is a destination. */
	desk_begin(d, "GET", "//evil.example/any/");
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 403);
	/* Nothing is done in place of another page. */
	desk_begin_form(d, "/any/x", "csrf_token=x");
	desk_set(d, "SCRIPT_NAME", "/auth/logout");
	assert_int_equal(desk_send(d), 200);
	assert_true(desk_is_signed_in(d));
}

/* INTERFACE 9: /check sees the client's method. */
static void
check_answers_every_method_and_for_itself(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT",
		"DELETE", "OPTIONS", "PROPFIND" };
	struct desk *d = *state;
	size_t i;

	assert_int_equal(desk_get(d, "/auth/check"), 401);
	desk_sign_in(d, "alice");
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		desk_begin(d, methods[i], "/auth/check");
		assert_int_equal(desk_send(d), 204);
		begin_check(d, methods[i], "/any/");
		assert_int_equal(desk_send(d), 204);
		assert_null(strstr(d->head, "Set-Cookie"));
	}
	assert_true(desk_header_is(d, "Remote-User", "alice"));
}

/* --- the session at the gate
 * ------------------------------------------------------------ */

static int64_t
last_seen(struct desk *d)
{
	return desk_sql(d, "SELECT last_seen_at FROM sessions");
}

/* DK-A-10 */
static void
writes_last_seen_once_a_minute_and_not_for_polls(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	d->now = NOW + MINUTE - 1;
	assert_int_equal(ask(d, "/any/"), 200);
	assert_true(last_seen(d) == NOW);
	d->now = NOW + MINUTE;
	assert_int_equal(ask(d, "/poll/"), 200);
	assert_true(last_seen(d) == NOW);
	assert_int_equal(ask(d, "/closed/"), 403);
	assert_true(last_seen(d) == NOW);
	assert_int_equal(ask(d, "/any/"), 200);
	assert_true(last_seen(d) == NOW + MINUTE);
	/* The poll does not keep the session. */
	d->now = NOW + MINUTE + HOUR - 1;
	assert_int_equal(ask(d, "/poll/"), 200);
	d->now = NOW + MINUTE + HOUR;
	assert_int_equal(ask(d, "/poll/"), 401);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 0);
}

/* A writer's lock does not stop the gate. */
static void
goes_on_while_somebody_writes(void **state)
{
	struct desk *d = *state;
	void *other;

	desk_sign_in(d, "alice");
	d->now += 2 * MINUTE;
	other = engine_lock(d->file);
	assert_int_equal(ask(d, "/any/"), 200);
	assert_int_equal(ask(d, "/staff/"), 403);
	engine_unlock(d->file, other);
	assert_true(last_seen(d) == NOW);
	assert_int_equal(ask(d, "/any/"), 200);
	assert_true(last_seen(d) == d->now);
}

/* DK-C-09, DK-S-07 */
static void
a_cookie_that_is_not_right_is_nobodys(void **state)
{
	struct desk *d = *state;
	char value[512], line[1200];
	size_t i;

	desk_sign_in(d, "alice");
	(void)snprintf(value, sizeof(value), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	for (i = 0; i < SESSION_TOKEN_LEN; i++) {
		char was = value[i];

		value[i] = was == 'a' ? 'b' : 'a';
		desk_set_cookie(d, SESSION, value);
		if (ask(d, "/any/") != 401)
			fail_msg("%zu: %s", i, value);
		value[i] = was;
	}
	desk_empty_jar(d);
	(void)snprintf(line, sizeof(line), SESSION "=%s; " SESSION "=x", value);
	begin_authorizer(d, "GET", "/any/");
	desk_set(d, "HTTP_COOKIE", line);
	assert_int_equal(desk_send(d), 401);
	desk_set_cookie(d, SESSION, value);
	assert_int_equal(ask(d, "/any/"), 200);
}

/* --- when it cannot be known
 * -------------------------------------------------------------- */

static void
expect_unavailable(struct desk *d, const char *what)
{
	static const char *const targets[] = { "/any/", "/alice/", "/nowhere" };
	size_t i;

	for (i = 0; i < 3; i++) {
		if (ask(d, targets[i]) != 503)
			fail_msg("%s: %s: %u", what, targets[i], d->status);
		expect_no(d, what);
		assert_memory_equal(d->head, "Status: 503 ", 12);
		assert_non_null(desk_header(d, "Retry-After"));
		assert_null(strstr(d->head, "Set-Cookie"));
		begin_check(d, "GET", targets[i]);
		assert_int_equal(desk_send(d), 503);
	}
}

/* DK-A-04 */
static void
lets_nobody_in_while_the_store_is_away(void **state)
{
	struct desk *d = *state;
	char away[128];

	/* tests/e2e/postgres.py stops the server. */
	if (!engine_is_sqlite(d->file))
		skip();
	desk_sign_in(d, "alice");
	(void)snprintf(away, sizeof(away), "%s.away", d->file);
	assert_int_equal(rename(d->file, away), 0);
	expect_unavailable(d, "away");
	assert_int_equal(ask(d, "/public/"), 503);
	assert_int_equal(rename(away, d->file), 0);
	d->dom.tried_ms -= 1000;
	assert_int_equal(ask(d, "/any/"), 200);
}

static void
lets_nobody_in_when_the_store_answers_wrongly(void **state)
{
	static const struct {
		const char *spoil, *repair;
	} cases[] = {
		{ "ALTER TABLE sessions RENAME TO gone",
		    "ALTER TABLE gone RENAME TO sessions" },
		{ "ALTER TABLE users RENAME TO gone",
		    "ALTER TABLE gone RENAME TO users" },
		{ "ALTER TABLE user_groups RENAME TO gone",
		    "ALTER TABLE gone RENAME TO user_groups" },
		{ "UPDATE users SET email = printf('%300c', 'x')",
		    "UPDATE users SET email = ''" },
		{ "UPDATE sessions SET host = printf('%300c', 'x')",
		    "UPDATE sessions SET host = 'www.example.org'" },
	};
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "alice");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)desk_sql(d, cases[i].spoil);
		if (i == 2) {
			/* The groups are asked for only here. */
			assert_int_equal(ask(d, "/staff/"), 503);
			assert_int_equal(ask(d, "/any/"), 503);
			expect_no(d, cases[i].spoil);
		} else {
			expect_unavailable(d, cases[i].spoil);
		}
		(void)desk_sql(d, cases[i].repair);
		assert_int_equal(ask(d, "/any/"), 200);
	}
}

/* More groups than there is room for: not some of them, but none. */
static void
lets_nobody_in_with_too_many_groups(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	(void)desk_sql(d,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 33) INSERT INTO user_groups SELECT users.id, 'g' || i"
	    " FROM n, users");
	assert_true(ask(d, "/staff/") >= 400);
	expect_no(d, "/staff/");
	assert_true(ask(d, "/any/") >= 400);
	expect_no(d, "/any/");
}

/* An Authorizer that cannot read its request says no, too. */
static void
a_request_that_cannot_be_read_is_refused(void **state)
{
	struct desk *d = *state;
	char *twice = NULL;

	begin_authorizer(d, "GET", "/public/");
	desk_set(d, "CONTENT_LENGTH", "x");
	assert_int_equal(desk_send(d), 400);
	expect_no(d, "CONTENT_LENGTH");
	begin_authorizer(d, "GET", "/public/");
	twice = strdup("REQUEST_URI=/alice/");
	assert_non_null(twice);
	d->params[d->n_params++] = twice;
	d->params[d->n_params] = NULL;
	assert_int_equal(desk_send(d), 400);
	expect_no(d, "REQUEST_URI twice");
	d->web.rules.shared_secret = STR("between us");
	assert_int_equal(ask(d, "/public/"), 400);
	expect_no(d, "shared secret");
	begin_authorizer(d, "GET", "/public/");
	desk_set(d, "DOORKEEP_SECRET", "between us");
	assert_int_equal(desk_send(d), 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GATE_TEST(lets_through_whom_the_rules_name_and_nobody_else),
		GATE_TEST(a_path_that_can_be_read_in_two_ways_is_refused),
		GATE_TEST(the_plain_spelling_of_a_path_is_what_counts),
		GATE_TEST(a_yes_needs_a_wanted_page_and_little_else),
		GATE_TEST(a_rule_sees_the_method_and_the_address),
		GATE_TEST(asks_for_a_fresh_sign_in_where_a_rule_does),
		GATE_TEST(what_changes_in_the_store_counts_at_once),
		GATE_TEST(a_session_belongs_to_the_host_it_was_made_on),
		GATE_TEST(hands_the_identity_on),
		GATE_TEST(nobody_has_no_identity),
		GATE_TEST(a_value_with_a_line_in_it_makes_no_header),
		GATE_TEST(says_no_to_mod_fcgid_without_a_page),
		GATE_TEST(shows_the_sign_in_page_in_place_of_the_wanted_one),
		GATE_TEST(the_page_of_sign_in_finds_the_wanted_page),
		GATE_TEST(check_answers_every_method_and_for_itself),
		GATE_TEST(writes_last_seen_once_a_minute_and_not_for_polls),
		GATE_TEST(goes_on_while_somebody_writes),
		GATE_TEST(a_cookie_that_is_not_right_is_nobodys),
		GATE_TEST(lets_nobody_in_while_the_store_is_away),
		GATE_TEST(lets_nobody_in_when_the_store_answers_wrongly),
		GATE_TEST(lets_nobody_in_with_too_many_groups),
		GATE_TEST(a_request_that_cannot_be_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
