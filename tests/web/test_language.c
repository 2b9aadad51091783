/* In which language a page is, and who chooses it. */
#include "fixture.h"

#define CHOICE SESSION "-language"

static void
read_page(struct desk *d, const char *accept, const char *cookie)
{
	desk_begin(d, "GET", "/auth/login?next=/a%3Fb%26c");
	desk_set(d, "HTTP_ACCEPT_LANGUAGE", accept);
	desk_set_cookie(d, CHOICE, cookie);
	assert_int_equal(desk_send(d), 200);
}

static void
speaks_as_chosen_then_as_asked_then_english(void **state)
{
	static const struct {
		const char *accept, *cookie, *code;
	} cases[] = {
		{ NULL, NULL, "en" },
		{ "", NULL, "en" },
		{ "de", NULL, "de" },
		{ "de-AT", NULL, "de" },
		{ "tlh, de;q=0.5", NULL, "de" },
		{ "en;q=0.4, de;q=0.5", NULL, "de" },
		{ "de;q=0", NULL, "en" },
		{ "de;q=2, en", NULL, "en" },
		{ "*", NULL, "en" },
		{ "de\"><script>", NULL, "en" },
		{ "en", "de", "de" },
		{ "de", "en", "en" },
		{ "de", "tlh", "de" },
		{ "de", "..", "de" },
	};
	struct desk *d = *state;
	char html[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_page(d, cases[i].accept, cases[i].cookie);
		(void)snprintf(html, sizeof(html),
		    "<html lang=\"%s\" dir=\"ltr\">", cases[i].code);
		if (!desk_shows(d, html) ||
		    !desk_header_is(d, "Content-Language", cases[i].code) ||
		    desk_shows(d, ">Anmelden</h1>") !=
			(strcmp(cases[i].code, "de") == 0))
			fail_msg("case %zu: %.60s", i, d->body);
		(void)snprintf(html, sizeof(html), " lang=\"%s\" selected>",
		    cases[i].code);
		assert_true(desk_shows(d, html));
		/* A cache may not give it to somebody else. */
		assert_non_null(
		    strstr(desk_header(d, "Vary"), "Accept-Language"));
	}
}

static void
an_error_is_said_in_the_language_but_json_stays_english(void **state)
{
	struct desk *d = *state;

	desk_begin(d, "GET", "/auth/nothing");
	desk_set(d, "HTTP_ACCEPT_LANGUAGE", "de");
	assert_int_equal(desk_send(d), 404);
	assert_true(desk_shows(d, "Hier ist nichts"));
	desk_begin_json(d, "/auth/login", "{}");
	desk_set(d, "HTTP_ACCEPT_LANGUAGE", "de");
	assert_int_equal(desk_send(d), 400);
	assert_true(desk_shows(d, "The request was"));
	assert_null(desk_header(d, "Content-Language"));
}

static unsigned
choose(struct desk *d, const char *body)
{
	desk_begin_form(d, "/auth/language", body);
	return desk_send(d);
}

static void
a_choice_is_kept_and_leads_back(void **state)
{
	static const struct {
		const char *body, *location;
	} cases[] = {
		{ "language=de&next=/auth/login%3Fnext%3D%252Fa",
		    "/auth/login?next=%2Fa" },
		{ "language=DE&next=/x", "/x" },
		{ "language=de&next=", "/auth/login" },
		{ "language=de", "/auth/login" },
		{ "language=de&next=//evil.example/", "/auth/login" },
		{ "language=de&next=https://evil.example/", "/auth/login" },
	};
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		desk_empty_jar(d);
		assert_int_equal(choose(d, cases[i].body), 303);
		if (!desk_header_is(d, "Location", cases[i].location))
			fail_msg("%s", cases[i].body);
		assert_string_equal(desk_cookie(d, CHOICE), "de");
		assert_string_equal(desk_set_cookie_line(d, CHOICE),
		    "Set-Cookie: " CHOICE
		    "=de; Path=/; Max-Age=31536000; Secure; HttpOnly; "
		    "SameSite=Lax");
	}
	assert_int_equal(choose(d, "language=tlh"), 400);
	assert_int_equal(choose(d, "next=/x"), 400);
	assert_int_equal(choose(d, "language=de&language=en"), 400);
	assert_null(strstr(d->head, "Set-Cookie"));
	desk_begin_form(d, "/auth/language", "language=en&next=/x");
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	desk_set(d, "HTTP_ORIGIN", "https://evil.example");
	assert_int_equal(desk_send(d), 403);
	assert_string_equal(desk_cookie(d, CHOICE), "de");
	/* Who reloads the answer looks at something. */
	desk_begin(d, "GET", "/auth/language");
	assert_int_equal(desk_send(d), 303);
	assert_null(strstr(d->head, "Set-Cookie"));
}

/* Where the choice at the foot of a page leads back to. */
static void
the_page_that_is_shown_is_where_a_choice_leads(void **state)
{
	struct desk *d = *state;
	char token[128], body[512];

	read_page(d, NULL, NULL);
	assert_true(desk_shows(d,
	    "name=\"next\" value=\"/auth/login?next=%2Fa%3Fb%26c\""));
	desk_token(d, token);
	(void)snprintf(body, sizeof(body),
	    "username=x&password=y&next=/a?b%%26c&csrf_token=%s", token);
	desk_begin_form(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d,
	    "name=\"next\" value=\"/auth/login?next=%2Fa%3Fb%26c\""));
	/* In place of a page of the site. */
	desk_begin(d, "GET", "/private/x?y=1");
	desk_set(d, "SCRIPT_NAME", "/auth/login");
	assert_int_equal(desk_send(d), 401);
	assert_true(
	    desk_shows(d, "name=\"next\" value=\"/private/x?y=1\">\n<label "
			  "for=\"language\">"));
}

static int
open_german(void **state)
{
	(void)desk_open_bare(state);
	desk_start(*state, "[site]\nlanguage = DE\n");
	return 0;
}

static void
a_site_fixes_its_language(void **state)
{
	struct desk *d = *state;

	read_page(d, "en", "en");
	assert_true(desk_shows(d, ">Anmelden</h1>"));
	assert_false(desk_shows(d, "/auth/language"));
}

static int
open_with_words(void **state)
{
	char path[256], more[256];
	struct desk *d;
	FILE *f;

	(void)desk_open_bare(state);
	d = *state;
	(void)snprintf(path, sizeof(path), "%s/sv.txt", d->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("_name = Svenska\nsign_in = Logga <in>\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(more, sizeof(more), "[site]\nmessages = %s\n", d->dir);
	desk_start(d, more);
	return 0;
}

static void
a_site_adds_a_language(void **state)
{
	struct desk *d = *state;

	read_page(d, "sv-SE", NULL);
	assert_true(desk_shows(d, ">Logga &lt;in&gt;</h1>"));
	assert_true(desk_shows(d, ">Svenska</option>"));
	/* What it does not say, English says. */
	assert_true(desk_shows(d, ">Password</label>"));
}

static void
refuse(const char *more, const char *want)
{
	char conf_text[512], text[512];
	struct arena arena;
	struct buf message;
	struct conf conf;
	struct web web;

	(void)snprintf(conf_text, sizeof(conf_text),
	    "[site]\norigin = " ORIGIN "\n%s", more);
	assert_int_equal(arena_open(&arena, 1024 * 1024), DK_OK);
	BUF_OVER(&message, text);
	assert_int_equal(conf_parse(STR("t.conf"), str_from(conf_text),
			     &arena, &conf, &message),
	    DK_OK);
	assert_int_equal(
	    web_open(&web, &conf, NULL, NULL, &message), DK_ERR_CONF);
	if (strncmp(buf_z(&message), want, strlen(want)) != 0)
		fail_msg("%s", buf_z(&message));
	web_close(&web);
	arena_close(&arena);
}

static void
what_is_wrong_with_words_stops_the_start(void **state)
{
	char dir[] = "/tmp/doorkeep-test-XXXXXX", path[128], more[128];
	char want[160];
	FILE *f;

	(void)state;
	refuse("name = x\nlanguage = tlh\n",
	    "t.conf:4: language: must be one of en de fr es it "
	    "pt nl pl tr ar he zh ja;");
	refuse("accent = blue\n", "t.conf:3: accent: must be # and six");
	refuse("messages = /nowhere/at/all\n", "/nowhere/at/all: No such");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/de.txt", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("# ours\nsignin = Los\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(more, sizeof(more), "messages = %s\n", dir);
	(void)snprintf(want, sizeof(want), "%s:2: signin: is no message", path);
	refuse(more, want);
	(void)unlink(path);
	(void)rmdir(dir);
}

static int
open_plain(void **state)
{
	(void)desk_open_bare(state);
	desk_start(*state, "");
	return 0;
}

#define TEST(f, open) cmocka_unit_test_setup_teardown(f, open, desk_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(speaks_as_chosen_then_as_asked_then_english, open_plain),
		TEST(an_error_is_said_in_the_language_but_json_stays_english,
		    open_plain),
		TEST(a_choice_is_kept_and_leads_back, open_plain),
		TEST(the_page_that_is_shown_is_where_a_choice_leads,
		    open_plain),
		TEST(a_site_fixes_its_language, open_german),
		TEST(a_site_adds_a_language, open_with_words),
		cmocka_unit_test(what_is_wrong_with_words_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
