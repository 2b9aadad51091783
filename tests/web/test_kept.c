/* Nothing typed is lost: a form that meets a session that is over. */
#include "fixture.h"

#define TARGET "/private/save?draft=1"

static int
open_desk(void **state)
{
	struct desk *d;

	(void)desk_open_bare(state);
	d = *state;
	desk_start(d, "[access]\n/private/ = any\n");
	desk_add_user(d, "alice");
	return 0;
}

/* As nginx hands it to us in place of the page that was wanted. */
static void
begin_refused(struct desk *d, const char *body)
{
	desk_begin_form(d, TARGET, body);
	desk_set(d, "PATH_INFO", "/login");
}

static void
kept_field(struct desk *d, char *text, size_t max)
{
	const char *at = strstr(d->body, "name=\"kept\" value=\"");

	assert_non_null(at);
	at += strlen("name=\"kept\" value=\"");
	assert_true(strcspn(at, "\"") < max);
	(void)snprintf(text, max, "%.*s", (int)strcspn(at, "\""), at);
}

/* The page's form of sign-in, with what it keeps. */
static void
fill(struct desk *d, const char *pw)
{
	static char body[100 * 1024], kept[96 * 1024];
	char token[128];

	desk_token(d, token);
	kept_field(d, kept, sizeof(kept));
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=alice&password=%s&next=/x&kept=%s", token,
	    pw, kept);
	desk_begin_form(d, "/auth/login", body);
}

/* DK-L-16 */
static void
what_was_typed_is_shown_after_the_sign_in(void **state)
{
	struct desk *d = *state;

	begin_refused(d, "title=a%22%3Cb&text=one%0D%0Atwo&pass=hidden1");
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "is kept"));
	assert_false(desk_shows(d, "hidden1"));
	fill(d, "wrong");
	assert_int_equal(desk_send(d), 401);
	fill(d, PW);
	assert_int_equal(desk_send(d), 200);
	assert_non_null(desk_cookie(d, SESSION));
	assert_true(desk_shows(d, "action=\"" TARGET "\""));
	assert_true(desk_shows(d, "value=\"a&quot;&lt;b\""));
	assert_true(desk_shows(d, "readonly>\none\r\ntwo</textarea>"));
	assert_true(desk_shows(d,
	    "type=\"hidden\" name=\"pass\" value=\"hidden1\""));
	assert_false(desk_shows(d, "csrf_token"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_was_typed_is_shown_after_the_sign_in, open_desk,
		    desk_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
