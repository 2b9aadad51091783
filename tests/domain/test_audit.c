#include "fixture.h"

#include "domain/audit.h"

static const struct audit failure = { .event = "sign_in",
	.outcome = "failure",
	.username = { "alice", 5 },
	.session = { "0b5cc0de-1111-4222-8333-444455556666", 36 },
	.detail = { "wrong password", 14 } };

/* DK-E-03 */
static void
writes_a_row_with_who_where_and_what(void **state)
{
	struct stand *s = *state;
	struct stand_event e;

	assert_int_equal(
	    audit_write(&s->dom, &stand_asker, &failure, NOW), DK_OK);
	e = stand_last_event(s);
	assert_string_equal(e.event, "sign_in");
	assert_string_equal(e.outcome, "failure");
	assert_string_equal(e.username, "alice");
	assert_string_equal(e.ip, "192.0.2.7");
	assert_string_equal(e.request_id, "0123abcd");
	assert_string_equal(e.actor, "web");
	assert_string_equal(e.detail, "wrong password");
	assert_int_equal(e.at_ms, NOW);
}

/* DK-E-05: a reference, not the name that revokes it */
static void
keeps_eight_characters_of_the_session(void **state)
{
	struct stand *s = *state;
	char text[2048];

	stand_catch(s);
	assert_int_equal(
	    audit_write(&s->dom, &stand_asker, &failure, NOW), DK_OK);
	stand_caught(s, text, sizeof(text));
	assert_string_equal(stand_last_event(s).session, "0b5cc0de");
	assert_non_null(strstr(text, "session=\"0b5cc0de\""));
	assert_null(strstr(text, "0b5cc0de-"));
}

/* DK-E-03: the line that programs such as fail2ban read stays as it is. */
static void
writes_the_line_that_others_read(void **state)
{
	static const char want[] =
	    " level=\"warning\" event=\"sign_in\" outcome=\"failure\""
	    " username=\"alice\" ip=\"192.0.2.7\" session=\"0b5cc0de\""
	    " request_id=\"0123abcd\" actor=\"web\""
	    " detail=\"wrong password\"\n";
	struct stand *s = *state;
	char text[2048];
	const char *line;

	stand_catch(s);
	assert_int_equal(
	    audit_write(&s->dom, &stand_asker, &failure, NOW), DK_OK);
	stand_caught(s, text, sizeof(text));
	line = strstr(text, " level=");
	assert_non_null(line);
	assert_string_equal(line, want);
}

static void
leaves_out_what_is_unknown(void **state)
{
	const struct asker cli = { .actor = STR("cli:root") };
	const struct audit what = { .event = "user_added",
		.outcome = "success" };
	struct stand *s = *state;
	char text[2048];

	stand_catch(s);
	assert_int_equal(audit_write(&s->dom, &cli, &what, NOW), DK_OK);
	stand_caught(s, text, sizeof(text));
	assert_null(strstr(text, "username"));
	assert_null(strstr(text, "ip="));
	assert_non_null(strstr(text, "level=\"info\""));
	assert_false(stand_last_event(s).has_username);
	assert_int_equal(stand_sql(s,
			     "SELECT count(*) FROM events WHERE ip IS NULL AND "
			     "session IS NULL AND request_id IS NULL AND "
			     "detail IS NULL AND actor = 'cli:root'"),
	    1);
}

/* DK-E-06: whatever a client sends as its name, it is one line. */
static void
stays_one_line_whatever_is_in_it(void **state)
{
	const struct audit what = { .event = "sign_in",
		.outcome = "failure",
		.username =
		    STR("a\nevent=\"sign_in\" outcome=\"success\"\x1b["),
		.detail = STR("\xe2\x80\xa8\xff") };
	struct stand *s = *state;
	char text[2048], *end;

	stand_catch(s);
	assert_int_equal(audit_write(&s->dom, &stand_asker, &what, NOW), DK_OK);
	stand_caught(s, text, sizeof(text));
	end = strchr(text, '\n');
	assert_non_null(end);
	assert_string_equal(end, "\n");
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xe2'));
	assert_null(strstr(text, " outcome=\"success\""));
}

/* DK-Z-03: no act without its event; and no line of what was not done. */
static void
says_nothing_of_an_act_that_the_store_refused(void **state)
{
	const struct audit success = { .event = "sign_in",
		.outcome = "success" };
	struct stand *s = *state;
	char text[4096];

	(void)stand_sql(s, "DROP TABLE events");
	stand_catch(s);
	assert_int_equal(
	    audit_write(&s->dom, &stand_asker, &success, NOW), DK_ERR_STORE);
	stand_caught(s, text, sizeof(text));
	assert_null(strstr(text, "event=\"sign_in\""));
	stand_catch(s);
	assert_int_equal(
	    audit_write(&s->dom, &stand_asker, &failure, NOW), DK_ERR_STORE);
	stand_caught(s, text, sizeof(text));
	assert_non_null(strstr(text, "event=\"sign_in\" outcome=\"failure\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(writes_a_row_with_who_where_and_what),
		STAND_TEST(keeps_eight_characters_of_the_session),
		STAND_TEST(writes_the_line_that_others_read),
		STAND_TEST(leaves_out_what_is_unknown),
		STAND_TEST(stays_one_line_whatever_is_in_it),
		STAND_TEST(says_nothing_of_an_act_that_the_store_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
