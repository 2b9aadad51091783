/* The administrator's desk, as its users and others meet it. */
#include "fixture.h"

#include "domain/factor.h"
#include "domain/statistics.h"
#include "domain/totp.h"

#define DESK "[admin]\ngroup = admins\n[access]\n/ = any\n"

static void
join(struct desk *d, const char *name, const char *group)
{
	struct user_row user;
	bool found;

	assert_int_equal(
	    account_get(&d->dom, str_from(name), &user, &found), DK_OK);
	assert_true(found);
	assert_int_equal(account_set_group(&d->dom, &desk_asker, &user,
			     str_from(group), true, NOW),
	    DK_OK);
}

static int
open_with(void **state, const char *more)
{
	struct desk *d;

	(void)desk_open_bare(state);
	d = *state;
	desk_start(d, more);
	desk_add_user(d, "ann");
	desk_add_user(d, "ben");
	desk_add_user(d, "carl");
	join(d, "ann", "admins");
	join(d, "ben", "admins");
	return 0;
}

static int
open_desk(void **state)
{
	return open_with(state, DESK);
}

static int
open_without_group(void **state)
{
	return open_with(state, "[access]\n/ = any\n");
}

static int
open_strict(void **state)
{
	return open_with(state,
	    "[security]\nrequire_second_factor = group:admins\n" DESK);
}

#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, open_desk, desk_close)

static const char *const pages[] = { "/auth/admin", "/auth/admin?span=month",
	"/auth/admin/people", "/auth/admin/person?name=carl",
	"/auth/admin/sessions", "/auth/admin/sessions?ask=all",
	"/auth/admin/events", "/auth/admin/events.jsonl",
	"/auth/admin/fresh?next=/auth/admin" };
enum { PAGES = sizeof(pages) / sizeof(pages[0]) };

/* Send a form of the desk with the token of `page`. */
static unsigned
post(struct desk *d, const char *page, const char *action, const char *fields)
{
	static char body[4096];
	char token[128];

	if (desk_get(d, page) != 200)
		fail_msg("%s: %u", page, d->status);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body), "csrf_token=%s&%s", token, fields);
	desk_begin_form(d, action, body);
	return desk_send(d);
}

static unsigned
post_person(struct desk *d, const char *fields)
{
	return post(
	    d, "/auth/admin/people", "/auth/admin/person", fields);
}

static bool
is_disabled(struct desk *d, const char *name)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT disabled FROM users WHERE username = '%s'", name);
	return desk_sql(d, sql) == 1;
}

static int64_t
sessions_of(struct desk *d, const char *name)
{
	char sql[200];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id "
	    "WHERE u.username = '%s'",
	    name);
	return desk_sql(d, sql);
}

static void
an_administrator_sees_every_page(void **state)
{
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "ann");
	for (i = 0; i < PAGES; i++) {
		unsigned want = strstr(pages[i], "fresh") != NULL ? 303 : 200;

		if (desk_get(d, pages[i]) != want)
			fail_msg("%s: %u", pages[i], d->status);
		assert_true(desk_header_is(d, "Cache-Control", "no-store"));
	}
}

/* Signed in and no administrator: as where there is nothing. */
static void
to_others_there_is_no_such_page(void **state)
{
	struct desk *d = *state;
	char nothing[8192];
	size_t i;

	desk_sign_in(d, "carl");
	assert_int_equal(desk_get(d, "/auth/no-such-page"), 404);
	(void)snprintf(nothing, sizeof(nothing), "%.*s",
	    (int)(strstr(d->body, "Request ") - d->body), d->body);
	for (i = 0; i < PAGES; i++) {
		assert_int_equal(desk_get(d, pages[i]), 404);
		assert_memory_equal(d->body, nothing, strlen(nothing));
	}
	desk_begin_form(
	    d, "/auth/admin/person", "name=ann&action=disable");
	assert_int_equal(desk_send(d), 404);
	assert_false(is_disabled(d, "ann"));
}

/* Strangers are asked to sign in, whether there is a desk or not. */
static void
strangers_learn_nothing(void **state)
{
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < PAGES; i++)
		assert_int_equal(desk_get(d, pages[i]), 401);
	assert_int_equal(desk_get(d, "/auth/admin/person?name=carl"), 401);
	/* Where they wanted to go is kept, its query too. */
	assert_true(desk_shows(
	    d, "name=\"next\" value=\"/auth/admin/person?name=carl\""));
}

static void
without_a_group_nobody_has_a_desk(void **state)
{
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < PAGES; i++)
		assert_int_equal(desk_get(d, pages[i]), 401);
	desk_sign_in(d, "ann");
	for (i = 0; i < PAGES; i++)
		assert_int_equal(desk_get(d, pages[i]), 404);
}

static void
a_second_factor_is_asked_for_where_there_has_to_be_one(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "ann");
	assert_int_equal(desk_get(d, "/auth/admin"), 303);
	assert_non_null(strstr(desk_header(d, "Location"), "need=factor"));
	desk_sign_in(d, "carl");
	assert_int_equal(desk_get(d, "/auth/admin"), 404);
}

/* A session from before it was set up, or of a stolen cookie, will not do. */
static void
a_second_factor_that_is_there_is_asked_for(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "ann");
	(void)desk_sql(d,
	    "INSERT INTO second_factors SELECT id, x'00', 1, 0 FROM users "
	    "WHERE username = 'ann'");
	assert_int_equal(desk_get(d, "/auth/admin/people"), 401);
	assert_true(desk_shows(d, "with the second step"));
	(void)desk_sql(d, "UPDATE sessions SET level = 2");
	assert_int_equal(desk_get(d, "/auth/admin/people"), 200);
}

static void
acts_on_other_people(void **state)
{
	struct desk *d = *state;
	char carl[512];

	desk_sign_in(d, "carl");
	(void)snprintf(carl, sizeof(carl), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	desk_sign_in(d, "ann");
	assert_int_equal(
	    post_person(d, "name=carl&action=add_group&group=staff"), 303);
	assert_true(desk_header_is(d, "Location",
	    "/auth/admin/person?name=carl&done=groups"));
	assert_int_equal(
	    desk_get(d, "/auth/admin/person?name=carl&done=groups"), 200);
	assert_true(desk_shows(d, "The groups have been changed."));
	assert_true(desk_shows(d, "staff"));
	assert_int_equal(
	    post_person(d, "name=CARL&action=remove_group&group=staff"), 303);
	assert_int_equal(
	    desk_sql(d, "SELECT count(*) FROM user_groups"), 2);
	assert_int_equal(
	    post_person(d, "name=carl&action=end_sessions"), 303);
	assert_int_equal(sessions_of(d, "carl"), 0);
	assert_int_equal(post_person(d, "name=carl&action=disable"), 303);
	assert_true(is_disabled(d, "carl"));
	assert_int_equal(post_person(d, "name=carl&action=enable"), 303);
	assert_false(is_disabled(d, "carl"));
	assert_int_equal(post_person(d, "name=carl&action=unlock"), 303);
	assert_int_equal(
	    post_person(d, "name=carl&action=remove_factor"), 303);
	/* Each is in the trail, with who did it. */
	assert_int_equal(
	    desk_sql(d,
		"SELECT count(DISTINCT event) FROM events WHERE actor = "
		"'desk:ann' AND username = 'carl' AND request_id <> ''"),
	    6);
}

static void
refuses_what_cannot_be_done(void **state)
{
	static const struct {
		const char *fields;
		unsigned status;
	} posts[] = { { "name=nobody&action=disable", 404 },
		{ "name=&action=disable", 404 },
		{ "action=disable", 404 },
		{ "name=carl&action=become", 400 },
		{ "name=carl&action=", 400 },
		{ "name=carl&action=delete", 400 },
		{ "name=carl&action=add_group&group=a%20b", 400 },
		{ "name=carl&action=add_group&group=", 400 },
		{ "name=carl&name=ann&action=disable", 400 },
		{ "name=carl&action=disable&action=enable", 400 } };
	struct desk *d = *state;
	int64_t events;
	size_t i;

	desk_sign_in(d, "ann");
	events = desk_sql(d, "SELECT count(*) FROM events");
	for (i = 0; i < sizeof(posts) / sizeof(posts[0]); i++)
		if (post_person(d, posts[i].fields) != posts[i].status)
			fail_msg("%s: %u", posts[i].fields, d->status);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM events"), events);
	/* JSON is no form. */
	desk_begin_json(d, "/auth/admin/person",
	    "{\"name\":\"carl\",\"action\":\"disable\"}");
	assert_int_equal(desk_send(d), 415);
	assert_false(is_disabled(d, "carl"));
}

/* Nobody locks themselves out, nor everybody. */
static void
does_nothing_to_oneself(void **state)
{
	static const char *const acts[] = { "disable", "enable",
		"add_group&group=x", "remove_group&group=admins",
		"remove_factor", "link", "end_sessions" };
	char fields[128];
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "ann");
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		(void)snprintf(fields, sizeof(fields), "name=Ann&action=%s",
		    acts[i]);
		if (post_person(d, fields) != 403)
			fail_msg("%s: %u", acts[i], d->status);
	}
	assert_int_equal(desk_get(d, "/auth/admin/person?name=ann"), 200);
	assert_true(desk_shows(d, "This is you."));
	assert_false(desk_shows(d, "value=\"disable\""));
	assert_false(desk_shows(d, "value=\"remove_group\""));
}

/* From where, with which token, how long after the sign-in (DK-X-01). */
static void
changes_need_the_page_its_token_and_a_fresh_sign_in(void **state)
{
	struct desk *d = *state;
	char body[512], token[128];

	desk_sign_in(d, "ann");
	assert_int_equal(desk_get(d, "/auth/admin/people"), 200);
	desk_token(d, token);
	desk_begin_form(
	    d, "/auth/admin/person", "name=carl&action=disable");
	assert_int_equal(desk_send(d), 403);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&name=carl&action=disable", token);
	desk_begin_form(d, "/auth/admin/person", body);
	desk_set(d, "HTTP_ORIGIN", "https://evil.example");
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	assert_int_equal(desk_send(d), 403);
	desk_begin_form(d, "/auth/admin/person", body);
	desk_set(d, "HTTP_ORIGIN", NULL);
	desk_set(d, "HTTP_SEC_FETCH_SITE", NULL);
	assert_int_equal(desk_send(d), 403);
	d->now += 10 * MINUTE;
	desk_begin_form(d, "/auth/admin/person", body);
	assert_int_equal(desk_send(d), 401);
	assert_true(
	    desk_shows(d, "value=\"/auth/admin/person?name=carl\""));
	assert_false(is_disabled(d, "carl"));
	d->now -= 1;
	desk_begin_form(d, "/auth/admin/person", body);
	assert_int_equal(desk_send(d), 303);
	assert_true(is_disabled(d, "carl"));
}

/* Later than that one looks, and is led to a fresh sign-in. */
static void
who_signed_in_a_while_ago_sees_no_forms(void **state)
{
	static const char *const shown[] = { "/auth/admin/people",
		"/auth/admin/person?name=carl", "/auth/admin/sessions",
		"/auth/admin/sessions?ask=all" };
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "ann");
	d->now += 10 * MINUTE;
	for (i = 0; i < 4; i++) {
		assert_int_equal(desk_get(d, shown[i]), 200);
		assert_true(desk_shows(d, "/auth/admin/fresh?next="));
		assert_false(desk_shows(d, "name=\"csrf_token\"") &&
		    i != 2);
		assert_false(desk_shows(d, "type=\"checkbox\""));
	}
	assert_int_equal(
	    desk_get(d, "/auth/admin/fresh?next=%2Fauth%2Fadmin%2Fpeople"),
	    401);
	assert_true(desk_shows(d, "value=\"/auth/admin/people\""));
}

static void
adds_somebody_and_shows_the_link_once(void **state)
{
	struct desk *d = *state;
	char link[512];
	const char *at;

	desk_sign_in(d, "ann");
	assert_int_equal(
	    post(d, "/auth/admin/people", "/auth/admin/people",
		"username=dora&display_name=Dora+D.&email=d%40example.org&"
		"groups=staff%2C+board"),
	    200);
	at = strstr(d->body, "https://www.example.org/auth/set-password?token=");
	assert_non_null(at);
	(void)snprintf(link, sizeof(link), "%.*s", (int)strcspn(at, "<"), at);
	assert_true(desk_shows(d, "dora"));
	assert_int_equal(desk_get(d, "/auth/admin/person?name=dora"), 200);
	assert_false(desk_shows(d, strstr(link, "token=") + 6));
	assert_true(desk_shows(d, "board"));
	assert_true(desk_shows(d, "Dora D."));
	/* The link works, once, and for her alone. */
	desk_empty_jar(d);
	assert_int_equal(
	    desk_get(d, link + strlen("https://www.example.org")), 303);
	assert_int_equal(desk_get(d, "/auth/set-password"), 200);
	assert_true(desk_shows(d, "dora"));
}

static void
says_why_somebody_cannot_be_added(void **state)
{
	static const struct {
		const char *fields, *why;
	} posts[] = { { "username=carl", "somebody of that name already" },
		{ "username=CARL", "somebody of that name already" },
		{ "username=", "no user name" },
		{ "username=%3Cscript%3E", "no user name" },
		{ "username=eve&email=nonsense", "cannot be used" },
		{ "username=eve&display_name=%E2%80%AEevil", "cannot be used" },
		{ "username=eve&groups=a%2Fb", "no name of a group" } };
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "ann");
	for (i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
		assert_int_equal(post(d, "/auth/admin/people",
				     "/auth/admin/people", posts[i].fields),
		    400);
		if (!desk_shows(d, posts[i].why))
			fail_msg("%s", posts[i].fields);
		assert_false(desk_shows(d, "<script>"));
	}
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM users"), 3);
}

static void
finds_people_page_by_page(void **state)
{
	struct desk *d = *state;
	char name[16];
	unsigned i;

	for (i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "p%02u", i);
		desk_add_user(d, name);
	}
	desk_sign_in(d, "ann");
	assert_int_equal(desk_get(d, "/auth/admin/people?search=P"), 200);
	assert_true(desk_shows(d, ">p00<"));
	assert_true(desk_shows(d, ">p49<"));
	assert_false(desk_shows(d, ">p50<"));
	assert_false(desk_shows(d, ">carl<"));
	assert_true(
	    desk_shows(d, "/auth/admin/people?search=P&amp;after=p49"));
	assert_int_equal(
	    desk_get(d, "/auth/admin/people?search=P&after=p49"), 200);
	assert_true(desk_shows(d, ">p50<"));
	assert_true(desk_shows(d, ">p59<"));
	assert_false(desk_shows(d, ">p49<"));
	assert_false(desk_shows(d, "rel=\"next\""));
	assert_int_equal(desk_get(d, "/auth/admin/people?group=admins"), 200);
	assert_true(desk_shows(d, ">ben<"));
	assert_false(desk_shows(d, ">carl<"));
	assert_int_equal(
	    desk_get(d, "/auth/admin/people?state=disabled"), 200);
	assert_true(desk_shows(d, "Nothing was found."));
	assert_int_equal(desk_get(d, "/auth/admin/people?after=%2F"), 400);
	assert_int_equal(
	    desk_get(d, "/auth/admin/people?search=a&search=b"), 400);
}

static void
ends_the_sessions_that_are_ticked(void **state)
{
	struct desk *d = *state;
	char ids[2][UUID_TEXT_LEN + 1], mine[UUID_TEXT_LEN + 1], fields[512];
	size_t i;

	for (i = 0; i < 2; i++) {
		desk_empty_jar(d);
		desk_sign_in(d, "carl");
		(void)snprintf(ids[i], sizeof(ids[i]), "%.36s",
		    desk_cookie(d, SESSION));
	}
	desk_empty_jar(d);
	desk_sign_in(d, "ann");
	(void)snprintf(mine, sizeof(mine), "%.36s", desk_cookie(d, SESSION));
	/* One's own is not among them, ticked or not. */
	(void)snprintf(fields, sizeof(fields),
	    "action=end&s0=%s&s1=%s&s2=nonsense", ids[0], mine);
	assert_int_equal(post(d, "/auth/admin/sessions",
			     "/auth/admin/sessions", fields),
	    303);
	assert_int_equal(sessions_of(d, "carl"), 1);
	assert_int_equal(sessions_of(d, "ann"), 1);
	assert_true(desk_is_signed_in(d));
}

/* What began after the page that asked stays; so does one's own. */
static void
ends_all_that_were_there_when_it_asked(void **state)
{
	struct desk *d = *state;
	char token[128], until[32], body[512];
	const char *at;

	desk_sign_in(d, "carl");
	desk_empty_jar(d);
	desk_sign_in(d, "ben");
	desk_empty_jar(d);
	desk_sign_in(d, "ann");
	d->now += 1000;
	assert_int_equal(
	    desk_get(d, "/auth/admin/sessions?address=192.0.2.7&ask=all"), 200);
	assert_true(desk_shows(d, "3 sessions end."));
	desk_token(d, token);
	at = strstr(d->body, "name=\"until\" value=\"");
	assert_non_null(at);
	(void)snprintf(until, sizeof(until), "%.13s", at + 20);
	d->now += 1000;
	(void)desk_sql(d,
	    "INSERT INTO sessions SELECT '00000000-0000-4000-8000-"
	    "000000000000', secret_hash, user_id, s.created_at + 1500, "
	    "authenticated_at, last_seen_at, expires_at, idle_timeout, level, "
	    "remember, ip, user_agent, host, NULL FROM sessions AS s "
	    "JOIN users AS u "
	    "ON u.id = s.user_id WHERE username = 'carl'");
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&action=end_found&address=192.0.2.7&until=%s", token,
	    until);
	desk_begin_form(d, "/auth/admin/sessions", body);
	assert_int_equal(desk_send(d), 303);
	assert_int_equal(sessions_of(d, "carl"), 1);
	assert_int_equal(sessions_of(d, "ben"), 0);
	assert_int_equal(sessions_of(d, "ann"), 1);
	assert_int_equal(
	    desk_sql(d,
		"SELECT count(*) FROM events WHERE event = 'session_revoked' "
		"AND actor = 'desk:ann' AND detail LIKE "
		"'2 sessions, from 192.0.2.7, before %'"),
	    1);
}

static void
ends_nothing_where_the_filter_is_wrong(void **state)
{
	static const struct {
		const char *fields;
		unsigned status;
	} posts[] = { { "action=end_found", 400 },
		{ "action=end_found&until=x", 400 },
		{ "action=end_found&until=9000000000000000", 400 },
		{ "action=end_found&until=1900000000000&user=nobody", 400 },
		{ "action=end_found&until=1900000000000&address=x", 400 },
		{ "action=end_found&until=1900000000000&older=soon", 400 },
		{ "action=end_found&until=1900000000000&older=1h", 303 },
		{ "action=purge&until=1900000000000", 400 } };
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "carl");
	desk_empty_jar(d);
	desk_sign_in(d, "ann");
	for (i = 0; i < sizeof(posts) / sizeof(posts[0]); i++) {
		if (post(d, "/auth/admin/sessions", "/auth/admin/sessions",
			posts[i].fields) != posts[i].status)
			fail_msg("%s: %u", posts[i].fields, d->status);
		assert_int_equal(sessions_of(d, "carl"), 1);
	}
	assert_int_equal(
	    desk_get(d, "/auth/admin/sessions?user=nobody"), 200);
	assert_true(desk_shows(d, "There is nobody of that name."));
	assert_false(desk_shows(d, "type=\"checkbox\""));
}

static void
add_event(struct desk *d, const char *detail, int64_t at)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
	    "INSERT INTO events (at, event, outcome, username, ip, actor, "
	    "detail) VALUES (%lld, 'sign_in', 'failure', "
	    "'<b>\"x\"</b>', '192.0.2.66', 'web', '%s')",
	    (long long)at, detail);
	(void)desk_sql(d, sql);
}

static void
shows_events_and_gives_them_as_lines(void **state)
{
	struct desk *d = *state;
	char *line, *rest;
	size_t n = 0;

	add_event(d, "two\nlines \"}\n{\"event\":\"forged\"}", NOW + 1);
	add_event(d, "<script>alert(1)</script>", NOW + 2);
	desk_sign_in(d, "ann");
	assert_int_equal(
	    desk_get(d, "/auth/admin/events?address=192.0.2.66"), 200);
	assert_true(desk_shows(d, "&lt;script&gt;"));
	assert_false(desk_shows(d, "<script>"));
	assert_false(desk_shows(d, "<b>\"x\"</b>"));
	assert_true(desk_shows(d, "/auth/admin/events.jsonl?address=192"));
	assert_int_equal(
	    desk_get(d, "/auth/admin/events.jsonl?address=192.0.2.66"), 200);
	assert_true(desk_header_is(
	    d, "Content-Type", "application/jsonl; charset=utf-8"));
	assert_non_null(desk_header(d, "Content-Disposition"));
	assert_null(desk_header(d, "Link"));
	for (line = d->body; *line != '\0'; line = rest + 1, n++) {
		rest = strchr(line, '\n');
		assert_non_null(rest);
		assert_true(line[0] == '{' && rest[-1] == '}');
	}
	assert_int_equal(n, 2);
	assert_true(desk_shows(d, "two\\nlines"));
	assert_int_equal(
	    desk_get(d, "/auth/admin/events?from=2026-13-40"), 200);
	assert_true(desk_shows(d, "That is no day."));
	assert_int_equal(
	    desk_get(d, "/auth/admin/events.jsonl?from=2026-13-40"), 400);
	assert_int_equal(desk_get(d, "/auth/admin/events?at=x&id=1"), 400);
}

/* A file ends, and says where the next one begins. */
static void
goes_on_in_another_file(void **state)
{
	struct desk *d = *state;
	char next[512];
	const char *link, *p;
	size_t n, files = 0, lines = 0;

	(void)desk_sql(d,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 3000) INSERT INTO events (at, event, outcome, ip, "
	    "actor) SELECT i / 7, 'many', 'success', '192.0.2.9', 'web' "
	    "FROM n");
	desk_sign_in(d, "ann");
	(void)snprintf(
	    next, sizeof(next), "/auth/admin/events.jsonl?event=many");
	do {
		n = lines;
		desk_begin(d, "GET", next);
		assert_int_equal(desk_send(d), 200);
		assert_true(d->body_len < 450 * 1024);
		for (p = d->body; (p = strchr(p, '\n')) != NULL; p++)
			lines++;
		assert_true(lines > n);
		files++;
		link = desk_header(d, "Link");
		if (link != NULL)
			(void)snprintf(next, sizeof(next), "%.*s",
			    (int)strcspn(link + 1, ">"), link + 1);
	} while (link != NULL);
	assert_int_equal(lines, 3000);
	assert_true(files > 1);
}

/* Pictures with their words, and what is wrong with its cure. */
static void
draws_what_happened(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "ann");
	assert_int_equal(desk_get(d, "/auth/admin"), 200);
	assert_true(desk_shows(d, "aria-label=\"Sign-ins: at most 1 at a time\""));
	assert_true(desk_shows(d, "<path d=\"M1150 200v-200h46v200z\"/>"));
	assert_true(desk_shows(
	    d, engine_is_sqlite(d->file) ? "SQLite" : "PostgreSQL"));
	assert_true(desk_shows(d, "schema"));
	assert_true(desk_shows(d, "Nothing is wrong on this machine."));
	assert_int_equal(chmod(d->dir, 0777), 0);
	assert_int_equal(desk_get(d, "/auth/admin?span=nonsense"), 200);
	assert_true(desk_shows(d, "nobody else may write beside the store"));
	assert_int_equal(chmod(d->dir, 0700), 0);
}

/* Nothing that opens anything is on any page. */
static void
shows_no_secret(void **state)
{
	struct desk *d = *state;
	char cookie[512];
	size_t i;

	desk_sign_in(d, "carl");
	(void)snprintf(cookie, sizeof(cookie), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	desk_sign_in(d, "ann");
	for (i = 0; i < PAGES - 1; i++) {
		assert_int_equal(desk_get(d, pages[i]), 200);
		assert_false(desk_shows(d, cookie + UUID_TEXT_LEN + 1));
		assert_false(desk_shows(d, "argon2"));
	}
}

static void
is_503_while_the_store_is_away(void **state)
{
	struct desk *d = *state;
	size_t i;

	desk_sign_in(d, "ann");
	(void)desk_sql(d, "ALTER TABLE user_groups RENAME TO gone");
	for (i = 0; i < PAGES; i++)
		assert_int_equal(desk_get(d, pages[i]), 503);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(an_administrator_sees_every_page),
		DESK_TEST(to_others_there_is_no_such_page),
		DESK_TEST(strangers_learn_nothing),
		cmocka_unit_test_setup_teardown(
		    without_a_group_nobody_has_a_desk, open_without_group,
		    desk_close),
		cmocka_unit_test_setup_teardown(
		    a_second_factor_is_asked_for_where_there_has_to_be_one,
		    open_strict, desk_close),
		DESK_TEST(a_second_factor_that_is_there_is_asked_for),
		DESK_TEST(acts_on_other_people),
		DESK_TEST(refuses_what_cannot_be_done),
		DESK_TEST(does_nothing_to_oneself),
		DESK_TEST(changes_need_the_page_its_token_and_a_fresh_sign_in),
		DESK_TEST(who_signed_in_a_while_ago_sees_no_forms),
		DESK_TEST(adds_somebody_and_shows_the_link_once),
		DESK_TEST(says_why_somebody_cannot_be_added),
		DESK_TEST(finds_people_page_by_page),
		DESK_TEST(ends_the_sessions_that_are_ticked),
		DESK_TEST(ends_all_that_were_there_when_it_asked),
		DESK_TEST(ends_nothing_where_the_filter_is_wrong),
		DESK_TEST(shows_events_and_gives_them_as_lines),
		DESK_TEST(goes_on_in_another_file),
		DESK_TEST(draws_what_happened),
		DESK_TEST(shows_no_secret),
		DESK_TEST(is_503_while_the_store_is_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
