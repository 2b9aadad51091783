#include "fixture.h"

#include "domain/device.h"
#include "domain/factor.h"
#include "domain/link.h"

#define NEW_PW "another long phrase 8"

static void
make_link(struct stand *s, struct str name, int64_t now, struct secret *token)
{
	struct user_row user;

	stand_get_user(s, name, &user);
	assert_int_equal(
	    link_make(&s->dom, &stand_asker, &user, now, token), DK_OK);
}

/* Whose the link is; "" for nobody's. */
static void
whose(struct stand *s, const struct secret *token, int64_t now, char *name)
{
	const struct user_row nobody = { 0 };
	struct user_row user;
	bool found;

	memset(&user, 0xa5, sizeof(user));
	assert_int_equal(link_look(&s->dom, token, now, &user, &found), DK_OK);
	if (!found)
		assert_memory_equal(&user, &nobody, sizeof(user));
	memcpy(name, user.username, USER_NAME_MAX + 1);
}

static bool
works_at(struct stand *s, const struct secret *token, int64_t now)
{
	char name[USER_NAME_MAX + 1];

	whose(s, token, now, name);
	return name[0] != '\0';
}

static bool
set_with(
    struct stand *s, const struct secret *token, struct str pw, int64_t now)
{
	enum password_flaw flaw;
	bool used = true;

	assert_int_equal(
	    link_use(&s->dom, &stand_asker, token, pw, now, &flaw, &used),
	    DK_OK);
	assert_int_equal(flaw, PASSWORD_FINE);
	return used;
}

static bool
is_password(struct stand *s, struct str name, struct str pw)
{
	struct user_row user;
	bool ok;

	assert_int_equal(account_authenticate(
			     &s->dom, &stand_asker, name, pw, NOW, &user, &ok),
	    DK_OK);
	return ok;
}

/* DK-R-02, DK-R-06, DK-W-13 */
static void
sets_a_password_once(void **state)
{
	struct stand *s = *state;
	struct secret token;

	stand_add_user(s, STR("alice"));
	make_link(s, STR("alice"), NOW, &token);
	assert_string_equal(stand_last_event(s).event, "link_made");
	assert_true(is_password(s, STR("alice"), STR(PW)));
	assert_true(set_with(s, &token, STR(NEW_PW), NOW + 1));
	assert_string_equal(stand_last_event(s).event, "password_changed");
	assert_string_equal(stand_last_event(s).detail, "by one-use link");
	assert_false(is_password(s, STR("alice"), STR(PW)));
	assert_true(is_password(s, STR("alice"), STR(NEW_PW)));
	assert_false(works_at(s, &token, NOW + 1));
	assert_false(set_with(s, &token, STR(PW), NOW + 2));
	assert_true(is_password(s, STR("alice"), STR(NEW_PW)));
}

/* DK-R-04: mail scanners look too. */
static void
looking_changes_nothing(void **state)
{
	struct stand *s = *state;
	char name[USER_NAME_MAX + 1];
	struct secret token;
	int i;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	make_link(s, STR("bob"), NOW, &token);
	for (i = 0; i < 3; i++) {
		whose(s, &token, NOW, name);
		assert_string_equal(name, "bob");
	}
	assert_true(is_password(s, STR("bob"), STR(PW)));
	assert_true(set_with(s, &token, STR(NEW_PW), NOW));
	assert_true(is_password(s, STR("alice"), STR(PW)));
}

/* DK-R-02, DK-W-13 */
static void
lives_a_day_to_the_millisecond(void **state)
{
	struct stand *s = *state;
	struct secret token;

	assert_true(LINK_LIFE_MS == 24 * HOUR);
	stand_add_user(s, STR("alice"));
	make_link(s, STR("alice"), NOW, &token);
	assert_false(works_at(s, &token, NOW + LINK_LIFE_MS));
	assert_false(set_with(s, &token, STR(NEW_PW), NOW + LINK_LIFE_MS));
	assert_true(works_at(s, &token, NOW + LINK_LIFE_MS - 1));
	assert_true(set_with(s, &token, STR(NEW_PW), NOW + LINK_LIFE_MS - 1));
}

/* DK-R-02 */
static void
a_new_link_kills_the_old_one(void **state)
{
	struct stand *s = *state;
	struct secret first, second, of_bob;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	make_link(s, STR("alice"), NOW, &first);
	make_link(s, STR("bob"), NOW, &of_bob);
	make_link(s, STR("alice"), NOW, &second);
	assert_false(secret_eq(&first, &second));
	assert_false(works_at(s, &first, NOW));
	assert_false(set_with(s, &first, STR(NEW_PW), NOW));
	assert_true(works_at(s, &second, NOW));
	assert_true(works_at(s, &of_bob, NOW));
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM one_use_links"), 2);
}

/* DK-R-06: nobody keeps a way back from before the change. */
static void
a_password_set_otherwise_kills_it_too(void **state)
{
	struct stand *s = *state;
	enum password_flaw flaw;
	struct user_row user;
	struct secret token;

	stand_add_user(s, STR("alice"));
	make_link(s, STR("alice"), NOW, &token);
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(account_set_password(&s->dom, &stand_asker, &user,
			     STR(NEW_PW), NOW, &flaw),
	    DK_OK);
	assert_false(works_at(s, &token, NOW));
	assert_false(set_with(s, &token, STR(PW), NOW));
}

/* DK-R-02, DK-E-05: the SHA-256 of the bytes, and nothing in the log. */
static void
only_its_hash_is_stored(void **state)
{
	struct stand *s = *state;
	char text[SECRET_TEXT_LEN + 1], hex[65], sql[512], said[4096];
	struct secret token;
	struct digest hash;
	struct buf b;

	stand_add_user(s, STR("alice"));
	stand_catch(s);
	make_link(s, STR("alice"), NOW, &token);
	assert_true(set_with(s, &token, STR(NEW_PW), NOW));
	make_link(s, STR("alice"), NOW, &token);
	stand_caught(s, said, sizeof(said));
	secret_sha256(
	    (struct str){ (const char *)token.byte, SECRET_LEN }, &hash);
	BUF_OVER(&b, hex);
	buf_add_hex(&b, hash.byte, sizeof(hash.byte));
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM one_use_links"
	    " WHERE lower(hex(token_hash)) = '%s'",
	    hex);
	assert_int_equal(stand_sql(s, sql), 1);
	secret_to_text(&token, text);
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM events WHERE detail LIKE '%%%s%%'", text);
	assert_int_equal(stand_sql(s, sql), 0);
	assert_non_null(strstr(said, "link_made"));
	assert_null(strstr(said, text));
	assert_null(strstr(said, NEW_PW));
}

static void
no_other_token_is_taken(void **state)
{
	struct stand *s = *state;
	struct secret token;
	size_t i;

	stand_add_user(s, STR("alice"));
	make_link(s, STR("alice"), NOW, &token);
	for (i = 0; i < SECRET_LEN; i++) {
		token.byte[i] ^= 1;
		assert_false(works_at(s, &token, NOW));
		token.byte[i] ^= 1;
	}
	assert_true(works_at(s, &token, NOW));
	memset(&token, 0, sizeof(token));
	assert_false(works_at(s, &token, NOW));
}

/* A password that is refused does not cost the link. */
static void
a_refused_password_does_not_use_it_up(void **state)
{
	static const struct {
		struct str pw;
		enum password_flaw flaw;
	} cases[] = {
		{ STR("too short"), PASSWORD_TOO_SHORT },
		{ STR("not \xff text at all, or is it"), PASSWORD_NOT_TEXT },
		{ STR("with a \0 in the middle of it"), PASSWORD_NOT_TEXT },
		{ STR(""), PASSWORD_TOO_SHORT },
	};
	struct stand *s = *state;
	enum password_flaw flaw;
	struct secret token;
	bool used = true;
	size_t i;

	stand_add_user(s, STR("alice"));
	make_link(s, STR("alice"), NOW, &token);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(link_use(&s->dom, &stand_asker, &token,
				     cases[i].pw, NOW, &flaw, &used),
		    DK_ERR_INPUT);
		assert_int_equal(flaw, cases[i].flaw);
		assert_false(used);
	}
	assert_true(is_password(s, STR("alice"), STR(PW)));
	assert_true(set_with(s, &token, STR(NEW_PW), NOW));
}

/* DK-R-06 */
static void
sessions_and_known_browsers_end(void **state)
{
	struct session of_alice, of_bob;
	struct secret token, browser;
	struct stand *s = *state;
	struct digest hash;
	struct user_row user;
	bool known;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_sign_in(s, STR("alice"), NOW, &of_alice);
	stand_sign_in(s, STR("bob"), NOW, &of_bob);
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(secret_new(&browser), DK_OK);
	assert_int_equal(
	    device_remember(&s->dom, user.id, &browser, NOW), DK_OK);
	make_link(s, STR("alice"), NOW, &token);
	assert_int_equal(stand_check(s, &of_alice, NOW), SESSION_LIVE);
	assert_true(set_with(s, &token, STR(NEW_PW), NOW));
	assert_int_equal(stand_check(s, &of_alice, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &of_bob, NOW), SESSION_LIVE);
	assert_int_equal(
	    device_is_known(&s->dom, user.id, &browser, &hash, &known), DK_OK);
	assert_false(known);
	/* It does not sign in either. */
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM sessions"), 1);
}

/* DK-R-05 */
static void
a_second_factor_stays_on(void **state)
{
	struct recovery_codes codes;
	enum factor_state factor;
	char code[TOTP_DIGITS + 1];
	struct stand *s = *state;
	struct totp_seed seed;
	struct user_row user;
	struct secret token;
	bool ok;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(factor_begin(&s->dom, user.id, &seed, &ok), DK_OK);
	totp_code(&seed, NOW / TOTP_STEP_MS, code);
	assert_int_equal(factor_confirm(&s->dom, &stand_asker, &user,
			     str_from(code), STR_NONE, NOW, &codes, &ok),
	    DK_OK);
	assert_true(ok);
	make_link(s, STR("alice"), NOW, &token);
	assert_true(set_with(s, &token, STR(NEW_PW), NOW));
	assert_int_equal(factor_state(&s->dom, user.id, &factor), DK_OK);
	assert_int_equal(factor, FACTOR_ON);
}

/* A disabled person does not come back by a link made before. */
static void
a_disabled_account_has_no_link(void **state)
{
	struct stand *s = *state;
	struct user_row user;
	struct secret token;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	make_link(s, STR("alice"), NOW, &token);
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_OK);
	assert_false(works_at(s, &token, NOW));
	assert_false(set_with(s, &token, STR(NEW_PW), NOW));
	assert_int_equal(
	    account_delete(&s->dom, &stand_asker, &user, NOW), DK_OK);
	assert_false(works_at(s, &token, NOW));
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM one_use_links"), 0);
}

static struct secret raced;

static bool
use_it(struct stand *s, int number)
{
	char pw[32];
	enum password_flaw flaw;
	bool used = false;
	enum dk_err err;

	(void)snprintf(pw, sizeof(pw), "pass phrase of process %d", number);
	err = link_use(
	    &s->dom, &stand_asker, &raced, str_from(pw), NOW, &flaw, &used);
	return err == DK_OK && used;
}

/* DK-R-02, DK-Z-03 */
static void
of_fifty_with_one_link_one_sets_the_password(void **state)
{
	struct stand *s = *state;

	s->conf.max_parallel_hashes = 64;
	stand_add_user(s, STR("alice"));
	make_link(s, STR("alice"), NOW, &raced);
	assert_int_equal(stand_parallel(s, 50, use_it), 1);
	assert_int_equal(
	    stand_sql(s,
		"SELECT count(*) FROM events WHERE event = 'password_changed'"),
	    1);
	assert_false(works_at(s, &raced, NOW));
}

/* Nothing happens by halves when the store fails. */
static void
a_busy_store_leaves_the_link(void **state)
{
	struct stand *s = *state;
	enum password_flaw flaw;
	struct secret token, other_token;
	const struct secret zero = { { 0 } };
	struct user_row user;
	sqlite3 *other;
	bool used = true;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	make_link(s, STR("alice"), NOW, &token);
	assert_int_equal(sqlite3_open(s->file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	db_set_wait(s->dom.db, 0);
	assert_int_equal(link_use(&s->dom, &stand_asker, &token, STR(NEW_PW),
			     NOW, &flaw, &used),
	    DK_ERR_BUSY);
	assert_false(used);
	assert_int_equal(
	    link_make(&s->dom, &stand_asker, &user, NOW, &other_token),
	    DK_ERR_BUSY);
	assert_memory_equal(&other_token, &zero, sizeof(zero));
	(void)sqlite3_close(other);
	assert_true(set_with(s, &token, STR(NEW_PW), NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(sets_a_password_once),
		STAND_TEST(looking_changes_nothing),
		STAND_TEST(lives_a_day_to_the_millisecond),
		STAND_TEST(a_new_link_kills_the_old_one),
		STAND_TEST(a_password_set_otherwise_kills_it_too),
		STAND_TEST(only_its_hash_is_stored),
		STAND_TEST(no_other_token_is_taken),
		STAND_TEST(a_refused_password_does_not_use_it_up),
		STAND_TEST(sessions_and_known_browsers_end),
		STAND_TEST(a_second_factor_stays_on),
		STAND_TEST(a_disabled_account_has_no_link),
		STAND_TEST(of_fifty_with_one_link_one_sets_the_password),
		STAND_TEST(a_busy_store_leaves_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
