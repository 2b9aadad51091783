/* The pages, from the variables of a request to the text of the answer. */
#include "fixture.h"

#include "web/route.h"

static int
open_desk(void **state)
{
	struct desk *d;

	(void)desk_open_bare(state);
	d = *state;
	desk_start(d, "[access]\n/ = any\n");
	desk_add_user(d, "alice");
	return 0;
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, desk_close)

/* --- the sign-in page
 * ----------------------------------------------------------- */

static void
shows_a_form_that_can_be_sent(void **state)
{
	struct desk *d = *state;
	char token[128];

	assert_int_equal(desk_get(d, "/auth/login?next=/reports/"), 200);
	assert_true(
	    desk_header_is(d, "Content-Type", "text/html; charset=utf-8"));
	desk_token(d, token);
	assert_int_equal(strlen(token), CSRF_TOKEN_LEN);
	assert_true(desk_shows(d,
	    "<form method=\"post\" "
	    "action=\"/auth/login\">"));
	assert_true(desk_shows(d, "name=\"next\" value=\"/reports/\""));
	/* DK-W-11 */
	assert_true(desk_shows(d, "autocomplete=\"username\""));
	assert_true(desk_shows(d,
	    "type=\"password\" "
	    "autocomplete=\"current-password\""));
	assert_false(desk_shows(d, "<script"));
	assert_false(desk_shows(d, "style="));
	assert_non_null(desk_cookie(d, SESSION "-login"));
	assert_string_equal(
	    strchr(desk_set_cookie_line(d, SESSION "-login"), ';'),
	    "; Path=/; Secure; HttpOnly; SameSite=Lax");
	/* DK-S-04: nobody has a session yet. */
	assert_null(desk_cookie(d, SESSION));
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 0);
}

/* DK-X-07, DK-X-09: tabs share a cookie, and no two pages look alike. */
static void
the_forms_of_two_tabs_both_work(void **state)
{
	struct desk *d = *state;
	char first[128], second[128], cookie[512], body[512];

	(void)desk_get(d, "/auth/login");
	desk_token(d, first);
	(void)snprintf(
	    cookie, sizeof(cookie), "%s", desk_cookie(d, SESSION "-login"));
	(void)desk_get(d, "/auth/login");
	desk_token(d, second);
	assert_string_equal(cookie, desk_cookie(d, SESSION "-login"));
	assert_string_not_equal(first, second);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=" PW, first);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 303);
}

/* DK-H-12 */
static void
head_is_get_without_its_body(void **state)
{
	static const char *const targets[] = { "/auth/login", "/auth/logout",
		"/auth/style.css", "/auth/session", "/auth/health",
		"/auth/none", "/auth/account", "/auth/check" };
	struct desk *d = *state;
	char head[16 * 1024];
	size_t i;

	(void)desk_get(d, "/auth/login"); /* the cookie is there now */
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		(void)desk_get(d, targets[i]);
		(void)snprintf(head, sizeof(head), "%s", d->head);
		desk_begin(d, "HEAD", targets[i]);
		(void)desk_send(d);
		assert_string_equal(d->head, head);
		assert_int_equal(d->body_len, 0);
	}
}

/* DK-I-14, DK-H-13 */
static void
echoes_nothing_unescaped(void **state)
{
	static const char hostile[] =
	    "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%7B%7Bmessage%7D%7D";
	struct desk *d = *state;
	char target[256];

	desk_fill_login(d, hostile, "wrong", "");
	assert_int_equal(desk_send(d), 401);
	assert_false(desk_shows(d, "<script"));
	assert_true(desk_shows(d, "&quot;&gt;&lt;script&gt;"));
	assert_true(desk_shows(d, "{{message}}"));
	(void)snprintf(target, sizeof(target), "/auth/login?next=/%s", hostile);
	assert_int_equal(desk_get(d, target), 200);
	assert_false(desk_shows(d, "<script"));
	(void)snprintf(target, sizeof(target), "/auth/%s", hostile);
	assert_int_equal(desk_get(d, target), 404);
	assert_false(desk_shows(d, "script"));
	(void)desk_get(d, "/auth/login?next=/%0d%0aX-Evil:%201");
	assert_null(strstr(d->head, "X-Evil"));
}

/* INTERFACE 3 and 5: Apache's mod_authnz_fcgi passes 8 KB on. */
static void
the_sign_in_page_is_small_whatever_is_wanted(void **state)
{
	static const char fills[] = "a&'\"<%";
	struct desk *d = *state;
	char target[2400];
	size_t i, n;

	for (i = 0; i < sizeof(fills) - 1; i++) {
		for (n = 200; n < 2300; n += 260) {
			memset(target, fills[i], sizeof(target));
			target[0] = '/';
			target[n] = '\0';
			desk_begin(d, "GET", target);
			d->role = REQUEST_AUTHORIZER;
			d->without_cookies = true;
			(void)desk_send(d);
			if (d->body_len > 7 * 1024)
				fail_msg(
				    "%c %zu: %zu", fills[i], n, d->body_len);
		}
	}
	/* With all that the form can say. */
	memset(target, '&', sizeof(target));
	target[250] = '\0';
	desk_fill_login(d, "a", "wrong", "&remember=1");
	assert_int_equal(desk_send(d), 401);
	assert_true(d->body_len <= 7 * 1024);
}

/* --- return-to (DK-O)
 * --------------------------------------------------------------- */

static void
returns_only_to_where_it_is_safe(void **state)
{
	static const struct {
		const char *next, *location;
	} cases[] = {
		{ "/reports/?a=1%26b=2%23", "/" },
		{ "/reports/?a=1%26b=2", "/reports/?a=1&b=2" },
		{ "/a%2525", "/a%25" },
		{ "", "/" },
		{ "reports", "/" },
		{ "//evil.example", "/" },
		{ "/%5Cevil.example", "/" },
		{ "https://evil.example/", "/" },
		{ "javascript:alert(1)", "/" },
		{ "/a%0d%0aLocation:%20x", "/" },
		{ "/auth/login", "/" },
		{ "/auth/login?next=/x", "/" },
		{ "/auth/logout", "/" },
		{ "/auth/account", "/auth/account" },
		{ "/auth/loginx", "/auth/loginx" },
	};
	struct desk *d = *state;
	char more[128], target[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_empty_jar(d);
		(void)snprintf(more, sizeof(more), "&next=%s", cases[i].next);
		desk_fill_login(d, "alice", PW, more);
		assert_int_equal(desk_send(d), 303);
		if (!desk_header_is(d, "Location", cases[i].location))
			fail_msg("%s: %s", cases[i].next,
			    desk_header(d, "Location"));
		/* Signed in already: the same way at once. */
		(void)snprintf(target, sizeof(target), "/auth/login?next=%s",
		    cases[i].next);
		assert_int_equal(desk_get(d, target), 303);
		if (!desk_header_is(d, "Location", cases[i].location))
			fail_msg("%s: %s", target, desk_header(d, "Location"));
		d->now += HOUR;
	}
}

/* DK-L-15 */
static void
a_wrong_password_keeps_the_way_back(void **state)
{
	struct desk *d = *state;
	char token[128], body[512];

	desk_fill_login(d, "alice", "wrong", "&next=/reports/&remember=1");
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "name=\"next\" value=\"/reports/\""));
	assert_true(desk_shows(d, "value=\"alice\""));
	assert_true(desk_shows(d, "checked"));
	assert_false(desk_shows(d, "wrong\""));
	assert_memory_equal(desk_header(d, "WWW-Authenticate"), "Cookie ", 7);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&next=/reports/&password=" PW, token);
	d->now += MINUTE;
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_header_is(d, "Location", "/reports/"));
}

/* --- signing in
 * -------------------------------------------------------------------------- */

/* DK-C-01 to DK-C-06, DK-C-14, DK-L-02 */
static void
a_right_password_gives_a_session_by_cookie(void **state)
{
	struct desk *d = *state;
	const char *line;

	desk_fill_login(d, "alice", PW, "");
	assert_int_equal(desk_send(d), 303);
	assert_memory_equal(d->head, "Status: 303 See Other\r\n", 23);
	assert_true(desk_header_is(d, "Location", "/"));
	assert_true(desk_header_is(d, "Cache-Control", "no-store"));
	line = desk_set_cookie_line(d, SESSION);
	assert_string_equal(
	    strchr(line, ';'), "; Path=/; Secure; HttpOnly; SameSite=Lax");
	assert_int_equal(strlen(desk_cookie(d, SESSION)), SESSION_TOKEN_LEN);
	line = desk_set_cookie_line(d, SESSION "-login");
	assert_non_null(strstr(line, "-login=; Path=/; Max-Age=0; "));
	assert_true(desk_is_signed_in(d));
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 1);
}

static void
a_kept_session_has_an_age_that_is_its_own(void **state)
{
	struct desk *d = *state;

	desk_fill_login(d, "alice", PW, "&remember=1");
	assert_int_equal(desk_send(d), 303);
	assert_string_equal(strchr(desk_set_cookie_line(d, SESSION), ';'),
	    "; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax");
	assert_int_equal(desk_sql(d,
			     "SELECT (expires_at - created_at) / 1000"
			     " FROM sessions WHERE remember = 1"),
	    2592000);
}

static void
a_program_signs_in_with_json(void **state)
{
	struct desk *d = *state;

	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"ALICE\",\"password\":\"" PW
	    "\",\"remember\":true}");
	assert_int_equal(desk_send(d), 200);
	assert_true(desk_header_is(
	    d, "Content-Type", "application/json; charset=utf-8"));
	assert_true(desk_shows(d,
	    "\"user\":{\"name\":\"alice\","
	    "\"display_name\":\"\",\"groups\":[]}"));
	assert_true(desk_shows(d, "\"created_at\":\"2030-03-17T17:46:40"));
	assert_true(desk_shows(d, "\"expires_at\":\"2030-04-16T17:46:40"));
	assert_true(desk_shows(d, "\"idle_timeout\":1209600"));
	assert_true(desk_shows(d, "\"csrf_token\":\""));
	assert_non_null(strstr(desk_set_cookie_line(d, SESSION), "Max-Age="));
	/* DK-S-05: the secret is in the cookie alone. */
	assert_false(desk_shows(d, strchr(desk_cookie(d, SESSION), '.')));
	assert_true(desk_is_signed_in(d));
}

static void
refuses_json_that_is_not_what_it_should_be(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *error;
	} cases[] = {
		{ "", 400, "bad_request" },
		{ "{", 400, "bad_request" },
		{ "[]", 400, "bad_request" },
		{ "{}", 400, "bad_request" },
		{ "null", 400, "bad_request" },
		{ "{\"username\":\"alice\"}", 400, "bad_request" },
		{ "{\"password\":\"x\"}", 400, "bad_request" },
		{ "{\"username\":\"alice\",\"password\":7}", 400,
		    "bad_request" },
		{ "{\"username\":[\"alice\"],\"password\":\"x\"}", 400,
		    "bad_request" },
		{ "{\"username\":\"alice\",\"password\":null}", 400,
		    "bad_request" },
		{ "{\"username\":\"alice\",\"username\":\"alice\","
		  "\"password\":\"" PW "\"}",
		    400, "bad_request" },
		{ "{\"username\":\"alice\",\"password\":\"" PW "\"} x", 400,
		    "bad_request" },
		{ "{\"username\":\"alice\\u0000\",\"password\":\"" PW "\"}",
		    400, "bad_request" },
		{ "{\"username\":\"alice\",\"password\":\"wrong\"}", 401,
		    "invalid_credentials" },
		{ "{\"username\":\"\",\"password\":\"\"}", 401,
		    "invalid_credentials" },
	};
	struct desk *d = *state;
	char error[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_begin_json(d, "/auth/login", cases[i].body);
		(void)snprintf(
		    error, sizeof(error), "{\"error\":\"%s\",", cases[i].error);
		if (desk_send(d) != cases[i].status ||
		    strncmp(d->body, error, strlen(error)) != 0)
			fail_msg(
			    "%s: %u %s", cases[i].body, d->status, d->body);
		assert_null(desk_cookie(d, SESSION));
		d->now += HOUR;
	}
}

/* DK-I-02, DK-I-08, DK-I-09 */
static void
refuses_forms_that_are_not_what_they_should_be(void **state)
{
	static const struct {
		const char *type, *more;
		unsigned status;
	} cases[] = {
		{ "application/x-www-form-urlencoded", "", 303 },
		{ "Application/X-WWW-Form-Urlencoded; charset=utf-8", "", 303 },
		{ "application/x-www-form-urlencoded", "&role=admin&id=7",
		    303 },
		{ "application/x-www-form-urlencoded", "&username=bob", 400 },
		{ "application/x-www-form-urlencoded", "&password=", 400 },
		{ "application/x-www-form-urlencoded", "&csrf_token=", 400 },
		{ "application/x-www-form-urlencoded", "&next=%", 400 },
		{ "application/x-www-form-urlencoded", "&next=%00", 400 },
		{ "application/x-www-form-urlencoded", "&next=%ff", 400 },
		{ "application/x-www-form-urlencodedx", "", 415 },
		{ "text/plain", "", 415 },
		{ "multipart/form-data; boundary=x", "", 415 },
		{ "", "", 415 },
		{ NULL, "", 415 },
	};
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_empty_jar(d);
		desk_fill_login(d, "alice", PW, cases[i].more);
		desk_set(d, "CONTENT_TYPE", cases[i].type);
		if (desk_send(d) != cases[i].status)
			fail_msg("%s %s: %u", cases[i].type, cases[i].more,
			    d->status);
		assert_true((desk_cookie(d, SESSION) != NULL) ==
		    (cases[i].status == 303));
	}
}

/* DK-L-01 */
static void
credentials_in_the_address_are_not_looked_at(void **state)
{
	struct desk *d = *state;
	char token[128], body[256];

	assert_int_equal(
	    desk_get(d, "/auth/login?username=alice&password=secretword"), 200);
	assert_false(desk_shows(d, "alice"));
	assert_false(desk_shows(d, "secretword"));
	desk_token(d, token);
	(void)snprintf(body, sizeof(body), "csrf_token=%s", token);
	desk_begin_form(d,
	    "/auth/login?username=alice&password=a+long+pass+phrase+7", body);
	assert_int_equal(desk_send(d), 401);
	assert_null(desk_cookie(d, SESSION));
}

/* Blank out what differs by its nature: the token of the form. */
static void
blank_tokens(char *text)
{
	char *at = text;

	while ((at = strstr(at, "csrf_token\" value=\"")) != NULL) {
		at += 19;
		memset(at, 'T', CSRF_TOKEN_LEN);
	}
}

/* DK-T-07 */
static void
unknown_wrong_and_disabled_look_alike(void **state)
{
	static const struct {
		const char *name, *pw;
	} cases[] = { { "alice", "wrong word of this length" }, { "bobby", PW },
		{ "bobby", "wrong word of this length" }, { "carol", PW },
		{ "no/ne", PW }, { "empty", PW }, { "empty", "" } };
	struct desk *d = *state;
	static char page[sizeof(d->body)];
	char head[16 * 1024];
	char *name;
	size_t i;

	desk_add_user(d, "bobby");
	desk_add_user(d, "empty");
	(void)desk_sql(d,
	    "UPDATE users SET disabled = 1"
	    " WHERE username = 'bobby'");
	(void)desk_sql(d,
	    "UPDATE users SET password_hash = ''"
	    " WHERE username = 'empty'");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_fill_login(d, cases[i].name, cases[i].pw, "");
		assert_int_equal(desk_send(d), 401);
		blank_tokens(d->body);
		name = strstr(d->body, cases[i].name);
		assert_non_null(name);
		memcpy(name, "alice", 5);
		if (i == 0) {
			(void)snprintf(head, sizeof(head), "%s", d->head);
			(void)snprintf(page, sizeof(page), "%s", d->body);
		}
		assert_string_equal(d->head, head);
		assert_string_equal(d->body, page);
		d->now += 24 * HOUR;
	}
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 0);
}

/* DK-T-06 */
static void
too_many_guesses_are_told_to_wait_right_or_wrong(void **state)
{
	struct desk *d = *state;
	unsigned i, status = 0;

	for (i = 0; i < 40 && status != 429; i++) {
		desk_fill_login(d, "alice", "wrong", "");
		status = desk_send(d);
		assert_true(status == 401 || status == 429);
	}
	assert_int_equal(status, 429);
	assert_true(atoi(desk_header(d, "Retry-After")) > 0);
	assert_true(desk_shows(d, "role=\"alert\""));
	desk_fill_login(d, "alice", PW, "");
	assert_int_equal(desk_send(d), 429);
	assert_null(desk_cookie(d, SESSION));
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	assert_int_equal(desk_send(d), 429);
	assert_true(desk_shows(d, "{\"error\":\"throttled\","));
	assert_true(desk_shows(d, "\"retry_after\":"));
	assert_non_null(desk_header(d, "Retry-After"));
	/* It passes. */
	d->now += 24 * HOUR;
	desk_sign_in(d, "alice");
}

/* DK-L-03, DK-L-14, DK-S-06 */
static void
a_sign_in_makes_a_new_session_and_ends_the_old_one(void **state)
{
	static const char planted[] = "0b5cc0de-1111-4222-8333-444455556666."
				      "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGx"
				      "wdHh8";
	struct desk *d = *state;
	char first[512];

	desk_add_user(d, "bob");
	desk_fill_login(d, "alice", PW, "");
	desk_set_cookie(d, SESSION, planted);
	assert_int_equal(desk_send(d), 303);
	assert_string_not_equal(desk_cookie(d, SESSION), planted);
	(void)snprintf(first, sizeof(first), "%s", desk_cookie(d, SESSION));
	/* Bob signs in where Alice was. */
	desk_set_cookie(d, SESSION, NULL);
	desk_fill_login(d, "bob", PW, "");
	desk_set_cookie(d, SESSION, first);
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_is_signed_in(d));
	assert_true(desk_shows(d, "\"name\":\"bob\""));
	desk_set_cookie(d, SESSION, first);
	assert_false(desk_is_signed_in(d));
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 1);
}

/* DK-C-13 */
static void
plain_http_is_refused_but_on_loopback_and_by_choice(void **state)
{
	static const struct {
		const char *addr;
		bool allowed, fine;
	} cases[] = { { "192.0.2.7", false, false },
		{ "127.0.0.1", false, true }, { "::1", false, true },
		{ "192.0.2.7", true, true }, { "", false, false },
		{ "unix:", false, false } };
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_empty_jar(d);
		d->conf.allow_http = cases[i].allowed;
		desk_begin(d, "GET", "/auth/login");
		desk_set(d, "HTTPS", NULL);
		desk_set(d, "REMOTE_ADDR", cases[i].addr);
		if (desk_send(d) != (cases[i].fine ? 200 : 403))
			fail_msg("%s: %u", cases[i].addr, d->status);
		assert_null(strstr(d->head, "__Host-"));
		assert_null(strstr(d->head, "; Secure"));
		if (cases[i].fine)
			assert_non_null(desk_cookie(d, "doorkeep-login"));
		else
			assert_true(desk_shows(d, "allow_http"));
	}
	/* A proxy that nobody trusts makes no stranger local. */
	d->conf.allow_http = false;
	desk_begin(d, "GET", "/auth/login");
	desk_set(d, "HTTPS", NULL);
	desk_set(d, "REMOTE_ADDR", "127.0.0.1");
	desk_set(d, "HTTP_X_FORWARDED_FOR", "127.0.0.1");
	assert_int_equal(desk_send(d), 403);
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	desk_set(d, "HTTPS", NULL);
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "{\"error\":\"https_required\","));
}

/* --- where a change comes from (DK-X)
 * -------------------------------------------------------- */

static const char *const sites[] = { NULL, "foo", "same-origin", "same-site",
	"cross-site", "none" };
static const struct {
	const char *text;
	bool own;
} origins[] = { { NULL, false }, { ORIGIN, true },
	{ "https://WWW.Example.ORG", true },
	{ "https://www.example.org:443", true }, { "null", false },
	{ "http://www.example.org", false },
	{ "http://www.example.org:443", false },
	{ "https://www.example.org:8443", false },
	{ "https://example.org", false },
	{ "https://www.example.org.evil", false },
	{ "https://www.example.org.", false },
	{ "https://www.example.org/", false },
	{ "https://a@www.example.org", false }, { "", false } };
static const struct {
	const char *text;
	bool own;
} referers[] = { { NULL, false }, { ORIGIN "/auth/login?x=y", true },
	{ "https://evil.example/?" ORIGIN, false } };

/* What DK-X-01 and INTERFACE 9 say. */
static bool
may_pass(size_t site, size_t origin, size_t referer)
{
	const char *o = origins[origin].text;

	switch (site) {
	case 2:
		return o == NULL || strcmp(o, "null") == 0 ||
		    origins[origin].own;
	case 3:
	case 4:
		return false;
	case 5:
		return o == NULL || origins[origin].own;
	default:
		return o != NULL ? origins[origin].own : referers[referer].own;
	}
}

/* Send what is ready with every set of headers; `passed` is the status of
 * one that passed. */
static void
try_headers(struct desk *d, unsigned passed, void (*prepare)(struct desk *))
{
	size_t s, o, r;

	for (s = 0; s < 6; s++)
		for (o = 0; o < sizeof(origins) / sizeof(origins[0]); o++)
			for (r = 0; r < 3; r++) {
				bool pass = may_pass(s, o, r);

				prepare(d);
				desk_set(d, "HTTP_SEC_FETCH_SITE", sites[s]);
				desk_set(d, "HTTP_ORIGIN", origins[o].text);
				desk_set(d, "HTTP_REFERER", referers[r].text);
				if (desk_send(d) != (pass ? passed : 403))
					fail_msg("%zu %zu %zu: %u", s, o, r,
					    d->status);
			}
}

static void
prepare_sign_in(struct desk *d)
{
	desk_empty_jar(d);
	desk_fill_login(d, "nobody", "x", "");
	(void)desk_sql(d, "DELETE FROM throttle");
}

static void
a_sign_in_from_another_site_is_refused(void **state)
{
	try_headers(*state, 401, prepare_sign_in);
}

/* The session that prepare_change goes on with. */
static void
prepare_change(struct desk *d)
{
	static char body[512];
	static char token[128];

	if (desk_cookie(d, SESSION) == NULL) {
		desk_sign_in(d, "alice");
		assert_true(desk_is_signed_in(d));
		desk_token(d, token);
	}
	(void)snprintf(
	    body, sizeof(body), "csrf_token=%s&action=end_others", token);
	desk_begin_form(d, "/auth/account", body);
}

static void
a_change_from_another_site_is_refused(void **state)
{
	try_headers(*state, 303, prepare_change);
}

static void
prepare_sign_out(struct desk *d)
{
	prepare_change(d);
	desk_set(d, "REQUEST_URI", "/auth/logout");
}

static void
a_sign_out_from_another_site_is_refused(void **state)
{
	struct desk *d = *state;

	try_headers(d, 303, prepare_sign_out);
	prepare_sign_out(d);
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_is_signed_in(d));
	/* Without a session there is nothing to end; it is refused the same. */
	desk_begin_form(d, "/auth/logout", "csrf_token=x");
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	d->without_cookies = true;
	assert_int_equal(desk_send(d), 403);
	/* DK-X-04: the request does not say which site this is. */
	prepare_sign_out(d);
	desk_set(d, "HTTP_SEC_FETCH_SITE", NULL);
	desk_set(d, "HTTP_HOST", "evil.example");
	desk_set(d, "HTTP_ORIGIN", "https://evil.example");
	desk_set(d, "HTTP_X_FORWARDED_HOST", "evil.example");
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_is_signed_in(d));
}

/* INTERFACE 3 */
static void
a_program_without_a_browsers_headers_is_served(void **state)
{
	static const struct {
		const char *name, *value;
		unsigned status;
	} cases[] = { { "HTTP_ORIGIN", NULL, 401 },
		{ "HTTP_ORIGIN", ORIGIN, 401 },
		{ "HTTP_ORIGIN", "https://evil.example", 403 },
		{ "HTTP_ORIGIN", "null", 403 },
		{ "HTTP_REFERER", "https://evil.example/", 403 },
		{ "HTTP_REFERER", ORIGIN "/x", 401 },
		{ "HTTP_SEC_FETCH_SITE", "cross-site", 403 },
		{ "HTTP_SEC_FETCH_SITE", "same-site", 403 },
		{ "HTTP_SEC_FETCH_SITE", "same-origin", 401 } };
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_begin_json(d, "/auth/login",
		    "{\"username\":\"nobody\",\"password\":\"x\"}");
		desk_set(d, cases[i].name, cases[i].value);
		if (desk_send(d) != cases[i].status)
			fail_msg("%s %s: %u", cases[i].name, cases[i].value,
			    d->status);
		if (cases[i].status == 403)
			assert_true(
			    desk_shows(d, "{\"error\":\"forbidden_origin\","));
		(void)desk_sql(d, "DELETE FROM throttle");
	}
}

/* DK-X-02 */
static void
a_form_of_sign_in_needs_the_token_of_its_browser(void **state)
{
	struct desk *d = *state;
	char token[128], body[512];

	/* Another browser's. */
	(void)desk_get(d, "/auth/login");
	desk_token(d, token);
	desk_empty_jar(d);
	(void)desk_get(d, "/auth/login");
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=" PW, token);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 403);
	/* DK-X-07: the form again, with the name and a token that works. */
	assert_true(desk_shows(d, "value=\"alice\""));
	desk_token(d, token);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=" PW, token);
	/* No cookie came back: the page says so. */
	desk_begin_form(d, "/auth/login", body);
	d->without_cookies = true;
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "cookie"));
	desk_begin_form(d, "/auth/login", "username=alice&password=" PW);
	assert_int_equal(desk_send(d), 403);
	desk_begin_form(
	    d, "/auth/login", "csrf_token=AAAA&username=alice&password=" PW);
	assert_int_equal(desk_send(d), 403);
	assert_null(desk_cookie(d, SESSION));
	assert_int_equal(desk_sql(d,
			     "SELECT count(*) FROM events"
			     " WHERE event = 'sign_in'"),
	    0);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 303);
}

/* DK-X-02 */
static void
a_change_needs_the_token_of_its_session(void **state)
{
	static const char *const targets[] = { "/auth/logout",
		"/auth/account" };
	struct desk *d = *state;
	char login[128], other[128], body[512];
	const char *tokens[4] = { login, other, "", "AAAA" };
	size_t i, k;

	(void)desk_get(d, "/auth/login");
	desk_token(d, login);
	desk_sign_in(d, "alice");
	(void)desk_is_signed_in(d);
	desk_token(d, other);
	desk_empty_jar(d);
	desk_sign_in(d, "alice");
	for (i = 0; i < 2; i++)
		for (k = 0; k < 4; k++) {
			(void)snprintf(body, sizeof(body),
			    "action=end_others&csrf_token=%s", tokens[k]);
			desk_begin_form(d, targets[i], body);
			assert_int_equal(desk_send(d), 403);
			desk_begin_json(
			    d, targets[i], "{\"action\":\"end_others\"}");
			desk_set(d, "HTTP_X_CSRF_TOKEN", tokens[k]);
			assert_int_equal(desk_send(d), 403);
			assert_true(
			    desk_shows(d, "{\"error\":\"bad_csrf_token\","));
		}
	assert_true(desk_is_signed_in(d));
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 2);
	desk_token(d, other);
	desk_begin_json(d, "/auth/account", "{\"action\":\"end_others\"}");
	desk_set(d, "HTTP_X_CSRF_TOKEN", other);
	assert_int_equal(desk_send(d), 204);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 1);
}

/* --- signing out (DK-L-05, DK-L-06)
 * ------------------------------------------------------------ */

static void
looking_at_the_page_signs_nobody_out(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "PUT",
		"DELETE", "PATCH", "get", "TRACE" };
	struct desk *d = *state;
	char token[128], target[256];
	size_t i;

	desk_sign_in(d, "alice");
	(void)desk_is_signed_in(d);
	desk_token(d, token);
	(void)snprintf(
	    target, sizeof(target), "/auth/logout?csrf_token=%s", token);
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		desk_begin(d, methods[i], target);
		desk_set(d, "HTTP_X_HTTP_METHOD_OVERRIDE", "POST");
		desk_set(d, "HTTP_SEC_PURPOSE", "prefetch");
		assert_int_equal(desk_send(d), i < 2 ? 200 : 405);
		assert_true(desk_is_signed_in(d));
	}
	assert_int_equal(desk_get(d, "/auth/logout"), 200);
	assert_true(desk_shows(d, "You are signed in as alice."));
	assert_true(desk_shows(d, "method=\"post\" action=\"/auth/logout\""));
}

/* DK-C-07, DK-S-11, DK-H-08 */
static void
signing_out_ends_the_session_and_takes_the_cookie(void **state)
{
	struct desk *d = *state;
	char cookie[512];

	prepare_sign_out(d);
	(void)snprintf(cookie, sizeof(cookie), "%s", desk_cookie(d, SESSION));
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_header_is(d, "Location", "/auth/login"));
	assert_string_equal(desk_set_cookie_line(d, SESSION),
	    "Set-Cookie: " SESSION "=; Path=/; Max-Age=0; "
	    "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; "
	    "SameSite=Lax");
	assert_true(desk_header_is(d, "Clear-Site-Data", "\"cache\""));
	assert_null(desk_cookie(d, SESSION));
	desk_set_cookie(d, SESSION, cookie);
	assert_false(desk_is_signed_in(d));
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 0);
	assert_int_equal(desk_sql(d,
			     "SELECT count(*) FROM events WHERE"
			     " event = 'sign_out'"),
	    1);
}

static void
signing_out_looks_the_same_with_and_without_a_session(void **state)
{
	struct desk *d = *state;
	char head[16 * 1024], cookie[512];

	prepare_sign_out(d);
	(void)snprintf(cookie, sizeof(cookie), "%s", desk_cookie(d, SESSION));
	(void)desk_send(d);
	(void)snprintf(head, sizeof(head), "%s", d->head);
	/* Without any, with a dead one, and again. */
	desk_begin_form(d, "/auth/logout", "csrf_token=");
	assert_int_equal(desk_send(d), 303);
	assert_string_equal(d->head, head);
	desk_set_cookie(d, SESSION, cookie);
	desk_begin_form(d, "/auth/logout", "csrf_token=stale");
	assert_int_equal(desk_send(d), 303);
	assert_string_equal(d->head, head);
	desk_begin_form(d, "/auth/logout", "csrf_token=stale");
	assert_int_equal(desk_send(d), 303);
	assert_string_equal(d->head, head);
	desk_begin_json(d, "/auth/logout", "");
	assert_int_equal(desk_send(d), 204);
	assert_int_equal(d->body_len, 0);
	assert_non_null(strstr(desk_set_cookie_line(d, SESSION), "Max-Age=0"));
	assert_int_equal(desk_sql(d,
			     "SELECT count(*) FROM events WHERE"
			     " event = 'sign_out'"),
	    1);
}

/* --- cookies
 * -----------------------------------------------------------------------------------------
 */

/* DK-S-07, DK-C-08, DK-C-09, DK-C-11 */
static void
only_the_cookie_as_it_was_set_is_a_session(void **state)
{
	struct desk *d = *state;
	char value[512], line[2048];
	const char *formats[] = { SESSION "=%s", "a=b; " SESSION "=%s; c",
		";;=; " SESSION "=%s;", SESSION "=\"%s\"", SESSION "=%sx",
		SESSION "=x%s", "__HOST-doorkeep=%s", "doorkeep=%s",
		SESSION "2=%s", SESSION "=%s; " SESSION "=other",
		SESSION "=other; " SESSION "=%s", "x=" SESSION "=%s" };
	size_t i;

	desk_sign_in(d, "alice");
	(void)snprintf(value, sizeof(value), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const char *at = strstr(formats[i], "%s");

		(void)snprintf(line, sizeof(line), "%.*s%s%s",
		    (int)(at - formats[i]), formats[i], value, at + 2);
		desk_begin(d, "GET", "/auth/session");
		desk_set(d, "HTTP_COOKIE", line);
		d->without_cookies = true;
		if (desk_send(d) != (i < 3 ? 200 : 401))
			fail_msg("%s: %u", formats[i], d->status);
	}
	/* DK-S-05: nor from anywhere else. */
	desk_begin(d, "GET", "/auth/session");
	desk_set(d, "HTTP_AUTHORIZATION", value);
	desk_set(d, "HTTP_X_SESSION", value);
	desk_set(d, "REMOTE_USER", "alice");
	desk_set(d, "HTTP_REMOTE_USER", "alice");
	desk_set(d, "DOORKEEP_SESSION", value);
	assert_int_equal(desk_send(d), 401);
	(void)snprintf(
	    line, sizeof(line), "/auth/session?" SESSION "=%s", value);
	assert_int_equal(desk_get(d, line), 401);
}

/* --- methods, paths, headers
 * ------------------------------------------------------------------------- */

/* DK-I-11 */
static void
every_route_takes_its_methods_and_names_them(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT",
		"PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW",
		"" };
	struct desk *d = *state;
	char target[128];
	size_t i, k;

	for (i = 0; i < routes_count; i++) {
		bool post = false;

		for (k = 0; k < routes_count; k++)
			post = post ||
			    (strcmp(routes[i].path, routes[k].path) == 0 &&
				routes[k].method == METHOD_POST);
		for (k = 0; k < sizeof(methods) / sizeof(methods[0]); k++) {
			bool taken = k < 2 || (k == 2 && post) ||
			    (routes[i].flags & ROUTE_ANY_METHOD) != 0;

			(void)snprintf(
			    target, sizeof(target), "/auth%s", routes[i].path);
			desk_begin(d, methods[k], target);
			if ((desk_send(d) != 405) != taken)
				fail_msg(
				    "%s %s: %u", methods[k], target, d->status);
			if (taken)
				assert_null(desk_header(d, "Allow"));
			else
				assert_true(desk_header_is(d, "Allow",
				    post ? "GET, HEAD, POST" : "GET, HEAD"));
			/* DK-X-08 */
			assert_null(strstr(d->head, "Access-Control"));
		}
	}
}

/* DK-I-13 */
static void
other_paths_are_not_found(void **state)
{
	static const char *const targets[] = { "/auth", "/auth/",
		"/auth/login/", "/auth//login", "/auth/./login",
		"/auth/x/../login", "/auth/LOGIN", "/auth/login.php",
		"/auth/login%00", "/auth/login;x", "/auth/logi",
		"/auth/.git/config", "/auth/%2e%2e/login" };
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		(void)desk_get(d, targets[i]);
		if (d->status != 404 && d->status != 400)
			fail_msg("%s: %u", targets[i], d->status);
	}
	/* Decoded once. */
	assert_int_equal(desk_get(d, "/auth/%6cogin"), 200);
	assert_int_equal(desk_get(d, "/auth/%256cogin"), 404);
}

/* DK-H-01, 03, 04, 05, 06, 09, 10, 11; DK-X-08; DK-L-08 */
static void
expect_safe_headers(struct desk *d, const char *what)
{
	static const struct {
		const char *name, *value;
	} always[] = { { "X-Content-Type-Options", "nosniff" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "X-Frame-Options", "DENY" }, { "X-Robots-Tag", "noindex" },
		{ "Cache-Control", "no-store" },
		{ "Content-Security-Policy",
		    "default-src 'none'; style-src 'self'; img-src 'self'; "
		    "base-uri 'none'; frame-ancestors 'none'; form-action "
		    "'self'" } };
	static const char *const never[] = { "\r\nServer:", "\r\nX-Powered-By:",
		"\r\nAccess-Control", "doorkeep/", "\r\nX-XSS-Protection: 1",
		"\r\n\r\n\r\n" };
	const char *referrer, *vary, *type;
	size_t i;

	assert_memory_equal(d->head, "Status: ", 8);
	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!desk_header_is(d, always[i].name, always[i].value))
			fail_msg("%s: %s: %s", what, always[i].name,
			    desk_header(d, always[i].name));
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strstr(d->head, never[i]) != NULL)
			fail_msg("%s: %s", what, never[i]);
	referrer = desk_header(d, "Referrer-Policy");
	if (referrer == NULL ||
	    (strcmp(referrer, "same-origin") != 0 &&
		strcmp(referrer, "no-referrer") != 0))
		fail_msg("%s: Referrer-Policy", what);
	vary = desk_header(d, "Vary");
	assert_non_null(vary);
	assert_non_null(strstr(vary, "Cookie"));
	assert_non_null(strstr(vary, "Sec-Fetch-Mode"));
	type = desk_header(d, "Content-Type");
	if (d->body_len > 0 &&
	    (type == NULL || strstr(type, "charset=utf-8") == NULL))
		fail_msg("%s: Content-Type", what);
}

static void
every_answer_has_the_headers_of_safety(void **state)
{
	static const struct {
		const char *method, *target;
		unsigned status;
	} cases[] = { { "GET", "/auth/login", 200 },
		{ "HEAD", "/auth/login", 200 }, { "GET", "/auth/logout", 200 },
		{ "GET", "/auth/session", 401 },
		{ "GET", "/auth/account", 401 }, { "GET", "/auth/check", 401 },
		{ "GET", "/auth/second-factor", 303 },
		{ "GET", "/auth/set-password", 404 },
		{ "GET",
		    "/auth/set-password?token="
		    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		    303 },
		{ "GET", "/auth/none", 404 }, { "GET", "/auth/logo", 404 },
		{ "PUT", "/auth/login", 405 }, { "POST", "/auth/login", 415 },
		{ "POST", "/auth/logout", 415 },
		{ "GET", "/auth/metrics", 403 }, { "GET", "/auth/health", 200 },
		{ "GET", "/auth/%zz", 400 } };
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_begin(d, cases[i].method, cases[i].target);
		if (desk_send(d) != cases[i].status)
			fail_msg("%s: %u", cases[i].target, d->status);
		expect_safe_headers(d, cases[i].target);
		/* The same as JSON. */
		desk_set(d, "HTTP_ACCEPT", "application/json");
		desk_set(d, "HTTP_SEC_FETCH_MODE", "cors");
		(void)desk_send(d);
		expect_safe_headers(d, cases[i].target);
		/* DK-E-01 */
		assert_false(desk_shows(d, d->dir));
		assert_false(desk_shows(d, "SQL"));
	}
	desk_sign_in(d, "alice");
	expect_safe_headers(d, "signed in");
	(void)desk_get(d, "/auth/account");
	assert_int_equal(d->status, 200);
	expect_safe_headers(d, "account");
	desk_empty_jar(d);
	prepare_sign_out(d);
	assert_int_equal(desk_send(d), 303);
	expect_safe_headers(d, "signed out");
	desk_fill_login(d, "alice", "wrong", "");
	(void)desk_send(d);
	expect_safe_headers(d, "wrong password");
}

/* DK-L-17 */
static void
what_is_no_navigation_is_answered_in_json(void **state)
{
	static const struct {
		const char *accept, *mode;
		bool json;
	} cases[] = { { "text/html", "navigate", false },
		{ "text/html", NULL, false }, { NULL, NULL, false },
		{ "*/*", NULL, false }, { "*/*", "cors", true },
		{ "image/png", "no-cors", true },
		{ "text/html", "same-origin", true },
		{ "application/json", NULL, true },
		{ "text/html, application/json", NULL, false },
		{ "Application/JSON; q=1", NULL, true } };
	static const char *const targets[] = { "/auth/account", "/auth/check",
		"/auth/none" };
	struct desk *d = *state;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (k = 0; k < 3; k++) {
			desk_begin(d, "GET", targets[k]);
			desk_set(d, "HTTP_ACCEPT", cases[i].accept);
			desk_set(d, "HTTP_SEC_FETCH_MODE", cases[i].mode);
			assert_int_equal(desk_send(d), k == 2 ? 404 : 401);
			if ((d->body[0] == '{') != cases[i].json)
				fail_msg("%s %zu", targets[k], i);
			if (cases[i].json && k < 2)
				assert_true(
				    desk_shows(
					d, "\"error\":\"not_signed_in\"") &&
				    desk_shows(
					d, "\"login_url\":\"/auth/login\""));
		}
}

/* INTERFACE 3: a form that a script sends is answered in JSON as well. */
static void
a_form_sent_by_a_script_is_answered_in_json(void **state)
{
	struct desk *d = *state;

	desk_fill_login(d, "alice", "wrong", "");
	desk_set(d, "HTTP_ACCEPT", "application/json");
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "{\"error\":\"invalid_credentials\","));
	desk_begin_form(d, "/auth/login", "username=alice&password=" PW);
	desk_set(d, "HTTP_SEC_FETCH_MODE", "cors");
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "{\"error\":\"bad_csrf_token\","));
	d->now += MINUTE;
	desk_fill_login(d, "alice", PW, "");
	desk_set(d, "HTTP_SEC_FETCH_MODE", "cors");
	assert_int_equal(desk_send(d), 200);
	assert_true(desk_shows(d, "{\"user\":{\"name\":\"alice\""));
	assert_true(desk_is_signed_in(d));
}

static void
static_files_are_kept_by_their_content(void **state)
{
	struct desk *d = *state;
	char href[128], tag[64];
	const char *at;

	(void)desk_get(d, "/auth/login");
	at = strstr(d->body, "href=\"/auth/style.css");
	assert_non_null(at);
	(void)snprintf(
	    href, sizeof(href), "%.*s", (int)strcspn(at + 6, "\""), at + 6);
	assert_int_equal(desk_get(d, href), 200);
	assert_true(
	    desk_header_is(d, "Content-Type", "text/css; charset=utf-8"));
	assert_non_null(strstr(desk_header(d, "Cache-Control"), "immutable"));
	assert_null(strstr(d->head, "Set-Cookie"));
	(void)snprintf(tag, sizeof(tag), "%s", desk_header(d, "ETag"));
	assert_int_equal(desk_get(d, "/auth/style.css?v=old"), 200);
	assert_null(strstr(desk_header(d, "Cache-Control"), "immutable"));
	desk_begin(d, "GET", href);
	desk_set(d, "HTTP_IF_NONE_MATCH", tag);
	assert_int_equal(desk_send(d), 304);
	assert_int_equal(d->body_len, 0);
	desk_begin(d, "GET", href);
	desk_set(d, "HTTP_IF_NONE_MATCH", "\"other\"");
	assert_int_equal(desk_send(d), 200);
}

/* DK-X-06 */
static void
looking_changes_nothing(void **state)
{
	static const char *const tables[] = { "users", "sessions", "events",
		"throttle", "devices", "one_use_links", "second_factors",
		"recovery_codes" };
	struct desk *d = *state;
	int64_t before[8];
	char sql[64], target[96];
	size_t i;

	desk_sign_in(d, "alice");
	for (i = 0; i < 8; i++) {
		(void)snprintf(
		    sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
		before[i] = desk_sql(d, sql);
	}
	for (i = 0; i < routes_count; i++) {
		(void)snprintf(target, sizeof(target),
		    "/auth%s?action=end_others&done=x", routes[i].path);
		(void)desk_get(d, target);
		desk_begin(d, "OPTIONS", target);
		(void)desk_send(d);
	}
	for (i = 0; i < 8; i++) {
		(void)snprintf(
		    sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
		assert_int_equal(desk_sql(d, sql), before[i]);
	}
}

static void
somebody_without_a_session_is_asked_to_sign_in(void **state)
{
	struct desk *d = *state;

	assert_int_equal(desk_get(d, "/auth/account"), 401);
	assert_true(desk_shows(d, "name=\"next\" value=\"/auth/account\""));
	desk_begin_form(d, "/auth/account", "action=end_others");
	assert_int_equal(desk_send(d), 401);
}

/* Whatever is asked for, a person's browser included. */
static void
session_speaks_json_to_everybody(void **state)
{
	static const char *const accepts[] = { NULL, "*/*", "text/html",
		"text/html,application/xhtml+xml,*/*;q=0.8" };
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
		desk_begin(d, "GET", "/auth/session");
		if (accepts[i] != NULL)
			desk_set(d, "HTTP_ACCEPT", accepts[i]);
		desk_set(d, "HTTP_SEC_FETCH_MODE", "navigate");
		assert_int_equal(desk_send(d), 401);
		assert_true(desk_header_is(d, "Content-Type",
		    "application/json; charset=utf-8"));
		assert_true(desk_shows(d, "{\"error\":\"not_signed_in\","));
		assert_true(desk_shows(d, "\"login_url\":\"/auth/login\""));
	}
}

/* DK-S-08, DK-S-09, DK-S-12 */
static void
a_session_ends_by_time_and_by_hand(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	d->now += HOUR - 1;
	assert_true(desk_is_signed_in(d));
	d->now += HOUR;
	assert_false(desk_is_signed_in(d));
	/* DK-Z-02: the clock goes back; it stays ended. */
	d->now -= HOUR;
	assert_false(desk_is_signed_in(d));
	desk_sign_in(d, "alice");
	(void)desk_sql(d,
	    "UPDATE users SET disabled=1"
	    " WHERE username='alice'");
	assert_false(desk_is_signed_in(d));
}

/* --- the store is away
 * -------------------------------------------------------------------------------------
 */

static void
says_unavailable_while_the_store_is_away(void **state)
{
	static const struct {
		const char *target;
		unsigned status;
	} cases[] = { { "/auth/login", 503 }, { "/auth/logout", 503 },
		{ "/auth/session", 503 }, { "/auth/account", 503 },
		{ "/auth/check", 503 }, { "/auth/health", 503 },
		{ "/auth/metrics", 503 }, { "/auth/style.css", 200 },
		{ "/auth/none", 404 } };
	struct desk *d = *state;
	char away[128], cookie[512];
	size_t i;

	desk_sign_in(d, "alice");
	(void)snprintf(cookie, sizeof(cookie), "%s", desk_cookie(d, SESSION));
	(void)snprintf(away, sizeof(away), "%s.away", d->file);
	assert_int_equal(rename(d->file, away), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (desk_get(d, cases[i].target) != cases[i].status)
			fail_msg("%s: %u", cases[i].target, d->status);
		/* DK-A-04: the person stays signed in. */
		assert_null(strstr(d->head, "Set-Cookie"));
		if (d->status == 503) {
			assert_non_null(desk_header(d, "Retry-After"));
			expect_safe_headers(d, cases[i].target);
		}
	}
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	assert_int_equal(desk_send(d), 503);
	assert_true(desk_shows(d, "{\"error\":\"unavailable\","));
	desk_begin_form(d, "/auth/logout", "csrf_token=x");
	assert_int_equal(desk_send(d), 503);
	assert_string_equal(desk_cookie(d, SESSION), cookie);
	/* Back again, without a restart. */
	assert_int_equal(rename(away, d->file), 0);
	d->dom.tried_ms -= 1000;
	assert_true(desk_is_signed_in(d));
	assert_int_equal(desk_get(d, "/auth/health"), 200);
	assert_string_equal(d->body, "{\"status\":\"ok\"}");
}

static void
an_error_in_the_store_is_no_answer(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	(void)desk_sql(d, "ALTER TABLE sessions RENAME TO gone");
	assert_int_equal(desk_get(d, "/auth/session"), 503);
	assert_int_equal(desk_get(d, "/auth/login"), 503);
	(void)desk_sql(d, "ALTER TABLE gone RENAME TO sessions");
	assert_true(desk_is_signed_in(d));
	(void)desk_sql(d, "ALTER TABLE users RENAME TO gone");
	assert_int_equal(desk_get(d, "/auth/session"), 503);
	assert_int_equal(desk_get(d, "/auth/health"), 503);
	(void)desk_sql(d, "ALTER TABLE gone RENAME TO users");
	assert_true(desk_is_signed_in(d));
}

/* HOUSE_STYLE: a response is buffered whole, and an error replaces it. */
static void
a_page_that_cannot_be_made_is_an_error_page(void **state)
{
	struct desk *d = *state;
	struct templates *t = &d->web.templates;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->item[i].name, "login.html") == 0)
			t->item[i].text = STR("<p>half a page {{nonsense}}");
	assert_int_equal(desk_get(d, "/auth/login"), 500);
	expect_safe_headers(d, "500");
	assert_false(desk_shows(d, "half a page"));
	assert_true(desk_shows(d, "Request "));
	assert_null(strstr(d->head, "Set-Cookie"));
	/* At the gate, too, it is a no. */
	desk_begin(d, "GET", "/x");
	d->role = REQUEST_AUTHORIZER;
	assert_int_equal(desk_send(d), 500);
	assert_memory_equal(d->head, "Status: 500 ", 12);
}

/* DK-E-01: what could not be read is answered all the same. */
static void
a_request_that_cannot_be_read_is_answered_with_its_number(void **state)
{
	struct desk *d = *state;

	desk_begin(d, "GET", "/auth/login");
	desk_set(d, "CONTENT_LENGTH", "1x");
	assert_int_equal(desk_send(d), 400);
	assert_true(desk_shows(d, "Request "));
	assert_null(strstr(d->head, "Set-Cookie"));
	desk_begin(d, "POST", "/auth/login");
	desk_set(d, "CONTENT_LENGTH", "-1");
	desk_set(d, "CONTENT_TYPE", "application/json");
	assert_int_equal(desk_send(d), 400);
	assert_true(desk_shows(d, "{\"error\":\"bad_request\","));
	assert_true(desk_shows(d, "\"request_id\":\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(shows_a_form_that_can_be_sent),
		DESK_TEST(the_forms_of_two_tabs_both_work),
		DESK_TEST(head_is_get_without_its_body),
		DESK_TEST(echoes_nothing_unescaped),
		DESK_TEST(the_sign_in_page_is_small_whatever_is_wanted),
		DESK_TEST(returns_only_to_where_it_is_safe),
		DESK_TEST(a_wrong_password_keeps_the_way_back),
		DESK_TEST(a_right_password_gives_a_session_by_cookie),
		DESK_TEST(a_kept_session_has_an_age_that_is_its_own),
		DESK_TEST(a_program_signs_in_with_json),
		DESK_TEST(refuses_json_that_is_not_what_it_should_be),
		DESK_TEST(refuses_forms_that_are_not_what_they_should_be),
		DESK_TEST(credentials_in_the_address_are_not_looked_at),
		DESK_TEST(unknown_wrong_and_disabled_look_alike),
		DESK_TEST(too_many_guesses_are_told_to_wait_right_or_wrong),
		DESK_TEST(a_sign_in_makes_a_new_session_and_ends_the_old_one),
		DESK_TEST(plain_http_is_refused_but_on_loopback_and_by_choice),
		DESK_TEST(a_sign_in_from_another_site_is_refused),
		DESK_TEST(a_change_from_another_site_is_refused),
		DESK_TEST(a_sign_out_from_another_site_is_refused),
		DESK_TEST(a_program_without_a_browsers_headers_is_served),
		DESK_TEST(a_form_of_sign_in_needs_the_token_of_its_browser),
		DESK_TEST(a_change_needs_the_token_of_its_session),
		DESK_TEST(looking_at_the_page_signs_nobody_out),
		DESK_TEST(signing_out_ends_the_session_and_takes_the_cookie),
		DESK_TEST(
		    signing_out_looks_the_same_with_and_without_a_session),
		DESK_TEST(only_the_cookie_as_it_was_set_is_a_session),
		DESK_TEST(every_route_takes_its_methods_and_names_them),
		DESK_TEST(other_paths_are_not_found),
		DESK_TEST(every_answer_has_the_headers_of_safety),
		DESK_TEST(what_is_no_navigation_is_answered_in_json),
		DESK_TEST(a_form_sent_by_a_script_is_answered_in_json),
		DESK_TEST(static_files_are_kept_by_their_content),
		DESK_TEST(looking_changes_nothing),
		DESK_TEST(somebody_without_a_session_is_asked_to_sign_in),
		DESK_TEST(session_speaks_json_to_everybody),
		DESK_TEST(a_session_ends_by_time_and_by_hand),
		DESK_TEST(says_unavailable_while_the_store_is_away),
		DESK_TEST(an_error_in_the_store_is_no_answer),
		DESK_TEST(a_page_that_cannot_be_made_is_an_error_page),
		DESK_TEST(
		    a_request_that_cannot_be_read_is_answered_with_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
