/* The person's page, the second step and the one-use links. */
#include "fixture.h"

#include "domain/link.h"
#include "domain/totp.h"

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

/* Send a form of the page; `fields` without its token. */
static unsigned
send_account(struct desk *d, const char *fields)
{
	static char body[1024];
	char token[128];

	assert_int_equal(desk_get(d, "/auth/account"), 200);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body), "csrf_token=%s&%s", token, fields);
	desk_begin_form(d, "/auth/account", body);
	return desk_send(d);
}

/* DK-S-15 */
static void
a_person_sees_and_ends_their_own_sessions(void **state)
{
	struct desk *d = *state;
	char first[512], others[512], fields[600];

	desk_add_user(d, "bob");
	desk_sign_in(d, "bob");
	(void)snprintf(others, sizeof(others), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	desk_sign_in(d, "alice");
	(void)snprintf(first, sizeof(first), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	d->now += 1000;
	desk_sign_in(d, "alice");
	assert_int_equal(desk_get(d, "/auth/account"), 200);
	first[UUID_TEXT_LEN] = '\0';
	others[UUID_TEXT_LEN] = '\0';
	assert_true(desk_shows(d, first));
	assert_false(desk_shows(d, others));
	assert_true(desk_shows(d, "192.0.2.7"));
	assert_true(desk_shows(d, "this one"));
	/* Somebody else's is not there to be ended. */
	(void)snprintf(
	    fields, sizeof(fields), "action=end_session&id=%s", others);
	assert_int_equal(send_account(d, fields), 303);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 3);
	(void)snprintf(
	    fields, sizeof(fields), "action=end_session&id=%s", first);
	assert_int_equal(send_account(d, fields), 303);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM sessions"), 2);
	assert_true(desk_is_signed_in(d));
	assert_int_equal(send_account(d, "action=nonsense"), 400);
	assert_int_equal(send_account(d, "x=y"), 400);
}

/* DK-L-18: what happened at this name since the sign-in before. */
static void
a_person_sees_the_last_sign_ins_and_failures(void **state)
{
	struct desk *d = *state;
	int i;

	desk_add_user(d, "bob");
	desk_sign_in(d, "alice");
	assert_int_equal(desk_get(d, "/auth/account"), 200);
	assert_false(desk_shows(d, "failed attempt"));
	for (i = 0; i < 2; i++) {
		desk_empty_jar(d);
		d->now += 1000;
		desk_fill_login(d, "alice", "wrong wrong wrong", "");
		assert_int_equal(desk_send(d), 401);
	}
	/* Somebody else's do not count. */
	desk_empty_jar(d);
	desk_fill_login(d, "bob", "wrong wrong wrong", "");
	assert_int_equal(desk_send(d), 401);
	desk_empty_jar(d);
	d->now += 1000;
	desk_sign_in(d, "alice");
	assert_int_equal(desk_get(d, "/auth/account"), 200);
	assert_true(desk_shows(d, "2 failed attempts since"));
	assert_true(desk_shows(d, "Failed attempt"));
	assert_true(desk_shows(d, "192.0.2.7"));
	desk_empty_jar(d);
	d->now += 1000;
	desk_sign_in(d, "alice");
	assert_int_equal(desk_get(d, "/auth/account"), 200);
	assert_false(desk_shows(d, "failed attempt"));
}

/* DK-L-09 */
static void
an_old_sign_in_needs_the_password_again(void **state)
{
	struct desk *d = *state;
	char old[512];

	desk_sign_in(d, "alice");
	d->now += 10 * MINUTE - 1;
	assert_int_equal(send_account(d, "action=end_others"), 303);
	d->now += 1;
	assert_int_equal(send_account(d, "action=end_others"), 403);
	assert_true(desk_shows(d, "Enter your password"));
	assert_int_equal(
	    send_account(d, "action=end_others&password=wrong"), 403);
	(void)snprintf(old, sizeof(old), "%s", desk_cookie(d, SESSION));
	d->now += HOUR / 2;
	assert_int_equal(
	    send_account(d, "action=end_others&password=" PW), 303);
	/* DK-S-06: with a new id. */
	assert_string_not_equal(desk_cookie(d, SESSION), old);
	assert_true(desk_is_signed_in(d));
	assert_int_equal(send_account(d, "action=end_others"), 303);
	desk_set_cookie(d, SESSION, old);
	assert_false(desk_is_signed_in(d));
}

/* DK-W-12, DK-S-13 */
static void
changes_the_password_and_signs_other_devices_out(void **state)
{
	struct desk *d = *state;
	char other[512];

	desk_sign_in(d, "alice");
	(void)snprintf(other, sizeof(other), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	desk_sign_in(d, "alice");
	assert_int_equal(send_account(d,
			     "action=change_password&current_password=wrong&"
			     "new_password=another+long+phrase+8"),
	    403);
	assert_int_equal(send_account(d,
			     "action=change_password&current_password=" PW
			     "&new_password=short"),
	    400);
	assert_true(desk_shows(d, "role=\"alert\""));
	assert_int_equal(send_account(d,
			     "action=change_password&current_password=" PW
			     "&new_password=another+long+phrase+8"),
	    303);
	assert_true(desk_is_signed_in(d));
	desk_set_cookie(d, SESSION, other);
	assert_false(desk_is_signed_in(d));
	desk_empty_jar(d);
	desk_fill_login(d, "alice", PW, "");
	assert_int_equal(desk_send(d), 401);
	desk_fill_login(d, "alice", "another long phrase 8", "");
	assert_int_equal(desk_send(d), 303);
}

/* INTERFACE 3: the same for programs. */
static void
a_program_gets_the_page_as_json(void **state)
{
	struct desk *d = *state;
	char token[128];

	desk_sign_in(d, "alice");
	assert_true(desk_is_signed_in(d));
	desk_token(d, token);
	desk_begin(d, "GET", "/auth/account");
	desk_set(d, "HTTP_ACCEPT", "application/json");
	assert_int_equal(desk_send(d), 200);
	assert_memory_equal(d->body, "{\"user\":{\"name\":\"alice\"", 23);
	assert_true(desk_shows(d, "\"sessions\":[{\"id\":\""));
	assert_true(desk_shows(d, "\"current\":true}]}"));
	desk_begin_json(d, "/auth/account",
	    "{\"action\":\"change_password\",\"current_password\":\"" PW
	    "\",\"new_password\":\"short\"}");
	desk_set(d, "HTTP_X_CSRF_TOKEN", token);
	assert_int_equal(desk_send(d), 400);
	assert_true(desk_shows(d, "{\"error\":\"password_refused\","));
	d->now += HOUR / 2;
	desk_begin_json(d, "/auth/account", "{\"action\":\"end_others\"}");
	desk_set(d, "HTTP_X_CSRF_TOKEN", token);
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "{\"error\":\"reauthentication_required\","));
}

/* --- the second step
 * ------------------------------------------------------------ */

/* The seed that the page shows, from its base32. */
static void
read_seed(struct desk *d, struct totp_seed *seed)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const char *at = strstr(d->body, "Key: <code>");
	unsigned bits = 0, n = 0, have = 0;

	assert_non_null(at);
	for (at += 11; *at != '<'; at++) {
		const char *digit = strchr(digits, *at);

		assert_non_null(digit);
		bits = bits << 5 | (unsigned)(digit - digits);
		have += 5;
		if (have >= 8) {
			have -= 8;
			assert_true(n < TOTP_SEED_LEN);
			seed->byte[n++] = (unsigned char)(bits >> have);
		}
	}
	assert_int_equal(n, TOTP_SEED_LEN);
}

static void
code_of(
    struct desk *d, const struct totp_seed *seed, char code[TOTP_DIGITS + 1])
{
	totp_code(seed, d->now / TOTP_STEP_MS, code);
}

/* Turn it on for Alice, who is signed in; *recovery is one of the codes. */
static void
enrol(struct desk *d, struct totp_seed *seed, char recovery[32])
{
	char code[TOTP_DIGITS + 1], fields[64];
	const char *at;

	if (send_account(d, "action=factor_begin") != 200)
		fail_msg("%s", d->body);
	read_seed(d, seed);
	assert_true(desk_shows(d, "otpauth://totp/"));
	code_of(d, seed, code);
	(void)snprintf(
	    fields, sizeof(fields), "action=factor_confirm&totp_code=%s", code);
	if (send_account(d, fields) != 200)
		fail_msg("%s", d->body);
	at = strstr(d->body, "<li><code>");
	assert_non_null(at);
	(void)snprintf(recovery, 32, "%.24s", at + 10);
	d->now += TOTP_STEP_MS;
}

/* The form of the second step. */
static unsigned
send_code(struct desk *d, const char *code)
{
	static char body[512];
	char token[128];

	desk_token(d, token);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&next=/reports/&totp_code=%s", token, code);
	desk_begin_form(d, "/auth/second-factor", body);
	return desk_send(d);
}

static void
first_step(struct desk *d)
{
	desk_empty_jar(d);
	desk_fill_login(d, "alice", PW, "&next=/reports/");
	if (desk_send(d) != 200)
		fail_msg("%u %s", d->status, d->body);
	assert_true(desk_shows(d, "one-time-code"));
}

/* DK-M-05, DK-S-06, DK-S-13 */
static void
a_factor_is_on_after_one_right_code(void **state)
{
	struct desk *d = *state;
	struct totp_seed seed;
	char other[512], before[512], recovery[32];

	desk_sign_in(d, "alice");
	(void)snprintf(other, sizeof(other), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	desk_sign_in(d, "alice");
	(void)snprintf(before, sizeof(before), "%s", desk_cookie(d, SESSION));
	assert_int_equal(send_account(d, "action=factor_begin"), 200);
	read_seed(d, &seed);
	/* Not yet: a wrong code. */
	assert_int_equal(
	    send_account(d, "action=factor_confirm&totp_code=x"), 400);
	read_seed(d, &seed);
	enrol(d, &seed, recovery);
	assert_string_not_equal(desk_cookie(d, SESSION), before);
	assert_true(desk_is_signed_in(d));
	assert_int_equal(desk_sql(d, "SELECT level FROM sessions"), 2);
	desk_set_cookie(d, SESSION, other);
	assert_false(desk_is_signed_in(d));
	desk_set_cookie(d, SESSION, before);
	assert_false(desk_is_signed_in(d));
	assert_int_equal(
	    desk_sql(d, "SELECT count(*) FROM recovery_codes"), 10);
}

/* DK-L-11, DK-L-15, DK-M-02 */
static void
the_password_alone_is_no_session_then(void **state)
{
	struct desk *d = *state;
	struct totp_seed seed;
	char code[TOTP_DIGITS + 1], recovery[32];

	desk_sign_in(d, "alice");
	enrol(d, &seed, recovery);
	first_step(d);
	assert_null(desk_cookie(d, SESSION));
	assert_false(desk_is_signed_in(d));
	desk_begin(d, "GET", "/x");
	d->role = REQUEST_AUTHORIZER;
	assert_int_equal(desk_send(d), 401);
	assert_int_equal(desk_get(d, "/auth/second-factor"), 200);
	assert_int_equal(send_code(d, "000000x"), 401);
	code_of(d, &seed, code);
	assert_int_equal(send_code(d, code), 303);
	assert_true(desk_header_is(d, "Location", "/reports/"));
	assert_true(desk_is_signed_in(d));
	assert_int_equal(
	    desk_sql(d, "SELECT level FROM sessions ORDER BY created_at DESC"),
	    2);
	/* The same code once more, in another browser. */
	first_step(d);
	assert_int_equal(send_code(d, code), 401);
	assert_null(desk_cookie(d, SESSION));
	/* A recovery code lets in once. */
	d->now += HOUR;
	first_step(d);
	assert_int_equal(send_code(d, recovery), 303);
	d->now += HOUR;
	first_step(d);
	assert_int_equal(send_code(d, recovery), 401);
}

/* DK-L-11 */
static void
the_second_step_cannot_be_had_without_the_first(void **state)
{
	struct desk *d = *state;
	struct totp_seed seed;
	char code[TOTP_DIGITS + 1], recovery[32], step[512], body[256];
	char token[128];

	desk_sign_in(d, "alice");
	enrol(d, &seed, recovery);
	desk_empty_jar(d);
	assert_int_equal(desk_get(d, "/auth/second-factor"), 303);
	assert_true(desk_header_is(d, "Location", "/auth/login"));
	/* With a form token of its own, but no ticket. */
	(void)desk_get(d, "/auth/login");
	code_of(d, &seed, code);
	assert_int_equal(send_code(d, code), 401);
	assert_null(desk_cookie(d, SESSION));
	/* A ticket that was carried into another browser. */
	first_step(d);
	(void)snprintf(
	    step, sizeof(step), "%s", desk_cookie(d, SESSION "-step"));
	desk_empty_jar(d);
	(void)desk_get(d, "/auth/login");
	desk_set_cookie(d, SESSION "-step", step);
	assert_int_equal(send_code(d, code), 401);
	assert_null(desk_cookie(d, SESSION));
	/* One that is too old. */
	first_step(d);
	d->now += 10 * MINUTE;
	code_of(d, &seed, code);
	assert_int_equal(send_code(d, code), 401);
	assert_true(desk_shows(d, "start again"));
	assert_true(desk_shows(d, "action=\"/auth/login\""));
	/* And a form from elsewhere. */
	first_step(d);
	(void)snprintf(body, sizeof(body), "csrf_token=x&totp_code=%s", code);
	desk_begin_form(d, "/auth/second-factor", body);
	assert_int_equal(desk_send(d), 403);
	first_step(d);
	desk_token(d, token);
	(void)snprintf(
	    body, sizeof(body), "csrf_token=%s&totp_code=%s", token, code);
	desk_begin_form(d, "/auth/second-factor", body);
	desk_set(d, "HTTP_SEC_FETCH_SITE", "cross-site");
	assert_int_equal(desk_send(d), 403);
	assert_null(desk_cookie(d, SESSION));
	/* And one from before the password was changed. */
	first_step(d);
	(void)desk_sql(d,
	    "UPDATE users SET password_hash = password_hash ||"
	    " 'x'");
	assert_int_equal(send_code(d, code), 401);
	assert_null(desk_cookie(d, SESSION));
}

static void
a_program_sends_the_code_with_the_password(void **state)
{
	struct desk *d = *state;
	struct totp_seed seed;
	char code[TOTP_DIGITS + 1], recovery[32], body[256];

	desk_sign_in(d, "alice");
	enrol(d, &seed, recovery);
	desk_empty_jar(d);
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "{\"error\":\"second_factor_required\","));
	code_of(d, &seed, code);
	(void)snprintf(body, sizeof(body),
	    "{\"username\":\"alice\",\"password\":\"wrong\","
	    "\"totp_code\":\"%s\"}",
	    code);
	desk_begin_json(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 401);
	assert_true(desk_shows(d, "{\"error\":\"invalid_credentials\","));
	d->now += MINUTE;
	code_of(d, &seed, code);
	(void)snprintf(body, sizeof(body),
	    "{\"username\":\"alice\",\"password\":\"" PW "\","
	    "\"totp_code\":\"%s\"}",
	    code);
	desk_begin_json(d, "/auth/login", body);
	assert_int_equal(desk_send(d), 200);
	assert_true(desk_is_signed_in(d));
}

/* DK-M-05: who has the password alone cannot take the second step away. */
static void
taking_the_factor_off_needs_a_code(void **state)
{
	struct desk *d = *state;
	struct totp_seed seed;
	char code[TOTP_DIGITS + 1], recovery[32], fields[96];

	desk_sign_in(d, "alice");
	enrol(d, &seed, recovery);
	assert_int_equal(send_account(d, "action=factor_remove"), 403);
	assert_int_equal(send_account(d, "action=factor_begin"), 409);
	code_of(d, &seed, code);
	(void)snprintf(
	    fields, sizeof(fields), "action=factor_codes&totp_code=%s", code);
	assert_int_equal(send_account(d, fields), 200);
	assert_false(desk_shows(d, recovery));
	d->now += MINUTE;
	code_of(d, &seed, code);
	(void)snprintf(
	    fields, sizeof(fields), "action=factor_remove&totp_code=%s", code);
	assert_int_equal(send_account(d, fields), 303);
	assert_int_equal(desk_sql(d, "SELECT count(*) FROM second_factors"), 0);
	desk_empty_jar(d);
	desk_sign_in(d, "alice");
}

/* --- one-use links (DK-R-02, DK-R-04, DK-R-05)
 * ------------------------------------------ */

static void
make_link(struct desk *d, char target[128])
{
	char text[SECRET_TEXT_LEN + 1];
	struct user_row user;
	struct secret token;
	bool found;

	assert_int_equal(
	    account_get(&d->dom, STR("alice"), &user, &found), DK_OK);
	assert_int_equal(
	    link_make(&d->dom, &desk_asker, &user, d->now, &token), DK_OK);
	secret_to_text(&token, text);
	(void)snprintf(target, 128, "/auth/set-password?token=%s", text);
}

static unsigned
send_new_password(struct desk *d, const char *pw)
{
	static char body[512];
	char token[128];

	desk_token(d, token);
	(void)snprintf(
	    body, sizeof(body), "csrf_token=%s&new_password=%s", token, pw);
	desk_begin_form(d, "/auth/set-password", body);
	return desk_send(d);
}

static void
a_link_sets_the_password_once_and_signs_nobody_in(void **state)
{
	struct desk *d = *state;
	char target[128], session[512];
	unsigned i;

	desk_sign_in(d, "alice");
	(void)snprintf(session, sizeof(session), "%s", desk_cookie(d, SESSION));
	desk_empty_jar(d);
	make_link(d, target);
	/* Looking changes nothing; the token leaves the address at once. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(desk_get(d, target), 303);
		assert_true(
		    desk_header_is(d, "Location", "/auth/set-password"));
		assert_true(
		    desk_header_is(d, "Referrer-Policy", "no-referrer"));
	}
	assert_int_equal(desk_get(d, "/auth/set-password"), 200);
	assert_true(desk_shows(d, "This is for alice."));
	assert_false(desk_shows(d, strchr(target, '=') + 1));
	assert_int_equal(send_new_password(d, "short"), 400);
	assert_int_equal(send_new_password(d, "another long phrase 8"), 303);
	assert_memory_equal(
	    desk_header(d, "Location"), "/auth/login?done=password", 25);
	assert_null(desk_cookie(d, SESSION));
	desk_set_cookie(d, SESSION, session);
	assert_false(desk_is_signed_in(d));
	/* Used up. */
	desk_empty_jar(d);
	(void)desk_get(d, target);
	assert_int_equal(desk_get(d, "/auth/set-password"), 404);
	(void)desk_get(d, "/auth/login"); /* for its token */
	assert_int_equal(send_new_password(d, "a third long phrase 9"), 404);
	desk_empty_jar(d);
	desk_fill_login(d, "alice", "another long phrase 8", "");
	assert_int_equal(desk_send(d), 303);
}

/* DK-W-09, DK-L-15 */
static void
a_password_that_others_know_is_changed_before_anything_else(void **state)
{
	struct desk *d = *state;
	char more[2200] = "&next=/", target[128];
	size_t n;

	make_link(d, target); /* an older one does not matter */
	for (n = strlen(more); n < 2000; n++)
		more[n] = n % 20 == 0 ? '/' : 'a';
	desk_sign_in(d, "alice");
	(void)desk_sql(d, "UPDATE users SET must_change = 1");
	assert_false(desk_is_signed_in(d));
	desk_empty_jar(d);
	desk_fill_login(d, "alice", "wrong", "");
	assert_int_equal(desk_send(d), 401);
	d->now += MINUTE;
	desk_fill_login(d, "alice", PW, more);
	assert_int_equal(desk_send(d), 303);
	assert_null(desk_cookie(d, SESSION));
	assert_memory_equal(
	    desk_header(d, "Location"), "/auth/set-password", 18);
	assert_int_equal(desk_get(d, desk_header(d, "Location")), 200);
	assert_true(desk_shows(d, "This is for alice."));
	assert_int_equal(send_new_password(d, "another long phrase 8"), 303);
	assert_null(desk_cookie(d, SESSION));
	desk_fill_login(d, "alice", "another long phrase 8", "");
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_is_signed_in(d));
}

static void
a_link_needs_its_own_browser_and_site(void **state)
{
	struct desk *d = *state;
	char target[128];

	make_link(d, target);
	(void)desk_get(d, target);
	(void)desk_get(d, "/auth/set-password");
	desk_begin_form(
	    d, "/auth/set-password", "new_password=another long phrase 8");
	assert_int_equal(desk_send(d), 403);
	assert_int_equal(desk_get(d, "/auth/set-password"), 200);
	assert_int_equal(send_new_password(d, "another long phrase 8"), 303);
	make_link(d, target);
	(void)desk_get(d, target);
	(void)desk_get(d, "/auth/set-password");
	d->now += LINK_LIFE_MS;
	assert_int_equal(send_new_password(d, "another long phrase 8"), 404);
	assert_int_equal(desk_get(d, "/auth/set-password"), 404);
	desk_empty_jar(d);
	assert_int_equal(desk_get(d, "/auth/set-password?token=short"), 404);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_person_sees_and_ends_their_own_sessions),
		DESK_TEST(a_person_sees_the_last_sign_ins_and_failures),
		DESK_TEST(an_old_sign_in_needs_the_password_again),
		DESK_TEST(changes_the_password_and_signs_other_devices_out),
		DESK_TEST(a_program_gets_the_page_as_json),
		DESK_TEST(a_factor_is_on_after_one_right_code),
		DESK_TEST(the_password_alone_is_no_session_then),
		DESK_TEST(the_second_step_cannot_be_had_without_the_first),
		DESK_TEST(a_program_sends_the_code_with_the_password),
		DESK_TEST(taking_the_factor_off_needs_a_code),
		DESK_TEST(a_link_sets_the_password_once_and_signs_nobody_in),
		DESK_TEST(
		    a_password_that_others_know_is_changed_before_anything_else),
		DESK_TEST(a_link_needs_its_own_browser_and_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
