#include "fixture.h"

#include "domain/device.h"
#include "domain/link.h"

static int64_t
id_of(struct stand *s, struct str name)
{
	struct user_row user;

	stand_get_user(s, name, &user);
	return user.id;
}

static struct secret
cookie(int n)
{
	struct secret secret;

	memset(secret.byte, n, sizeof(secret.byte));
	return secret;
}

static void
remember(struct stand *s, int64_t user_id, int n, int64_t now)
{
	const struct secret secret = cookie(n);

	assert_int_equal(
	    device_remember(&s->dom, user_id, &secret, now), DK_OK);
}

static bool
knows(struct stand *s, int64_t user_id, int n)
{
	const struct secret secret = cookie(n);
	struct digest token;
	bool known = true;

	assert_int_equal(
	    device_is_known(&s->dom, user_id, &secret, &token, &known), DK_OK);
	return known;
}

/* DK-T-03: a cookie opens the way to the account it was given for alone. */
static void
a_browser_is_known_to_whom_it_signed_in(void **state)
{
	struct stand *s = *state;
	int64_t alice, bob;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	alice = id_of(s, STR("alice"));
	bob = id_of(s, STR("bob"));
	assert_false(knows(s, alice, 1));
	remember(s, alice, 1, NOW);
	assert_true(knows(s, alice, 1));
	assert_false(knows(s, alice, 2));
	assert_false(knows(s, bob, 1));
	assert_false(knows(s, 0, 1));
	/* Two people at one browser: neither is forgotten for the other. */
	remember(s, bob, 1, NOW);
	assert_true(knows(s, alice, 1));
	assert_true(knows(s, bob, 1));
	domain_close(&s->dom);
	stand_start(s, false);
	assert_true(knows(s, alice, 1));
}

static void
the_one_unused_longest_goes_first(void **state)
{
	struct stand *s = *state;
	int64_t alice, bob;
	int i;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	alice = id_of(s, STR("alice"));
	bob = id_of(s, STR("bob"));
	remember(s, bob, 100, NOW - HOUR);
	for (i = 0; i < DEVICES_MAX; i++)
		remember(s, alice, i, NOW + i);
	for (i = 0; i < DEVICES_MAX; i++)
		assert_true(knows(s, alice, i));
	remember(s, alice, 0, NOW + HOUR); /* used again */
	remember(s, alice, 200, NOW + HOUR + 1);
	assert_true(knows(s, alice, 0));
	assert_false(knows(s, alice, 1));
	for (i = 2; i < DEVICES_MAX; i++)
		assert_true(knows(s, alice, i));
	assert_true(knows(s, alice, 200));
	assert_true(knows(s, bob, 100));
	assert_int_equal(
	    stand_sql(s, "SELECT count(*) FROM devices"), DEVICES_MAX + 1);
}

/* DK-R-06 */
static void
a_new_password_by_link_forgets_them(void **state)
{
	struct stand *s = *state;
	struct user_row user;
	struct secret token;
	enum password_flaw flaw;
	bool used;

	stand_add_user(s, STR("alice"));
	stand_add_user(s, STR("bob"));
	stand_get_user(s, STR("alice"), &user);
	remember(s, user.id, 1, NOW);
	remember(s, user.id, 2, NOW);
	remember(s, id_of(s, STR("bob")), 1, NOW);
	assert_int_equal(
	    link_make(&s->dom, &stand_asker, &user, NOW, &token), DK_OK);
	assert_true(knows(s, user.id, 1));
	assert_int_equal(link_use(&s->dom, &stand_asker, &token,
			     STR("another long phrase 8"), NOW, &flaw, &used),
	    DK_OK);
	assert_true(used);
	assert_false(knows(s, user.id, 1));
	assert_false(knows(s, user.id, 2));
	assert_true(knows(s, id_of(s, STR("bob")), 1));
}

static void
they_go_with_the_account(void **state)
{
	struct stand *s = *state;
	struct user_row user;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	remember(s, user.id, 1, NOW);
	assert_int_equal(
	    account_delete(&s->dom, &stand_asker, &user, NOW), DK_OK);
	assert_false(knows(s, user.id, 1));
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM devices"), 0);
}

/* The cookie's value is not in the store; its SHA-256 is. */
static void
only_the_hash_is_stored(void **state)
{
	const struct secret secret = cookie(0x41);
	struct stand *s = *state;
	struct digest token, hash;

	stand_add_user(s, STR("alice"));
	remember(s, id_of(s, STR("alice")), 0x41, NOW);
	assert_int_equal(stand_sql(s,
			     "SELECT count(*) FROM devices WHERE"
			     " instr(token_hash, 'AAAA') = 0"
			     " AND length(token_hash) = 32"),
	    1);
	device_token(&secret, &token);
	secret_sha256(
	    (struct str){ (const char *)secret.byte, SECRET_LEN }, &hash);
	assert_memory_equal(&token, &hash, sizeof(hash));
}

static bool
remember_in_parallel(struct stand *s, int number)
{
	const struct secret secret = cookie(number);

	return device_remember(&s->dom, id_of(s, STR("alice")), &secret,
		   NOW + number) == DK_OK;
}

/* DK-Z-03 */
static void
the_number_holds_in_parallel(void **state)
{
	struct stand *s = *state;

	stand_add_user(s, STR("alice"));
	assert_int_equal(stand_parallel(s, 30, remember_in_parallel), 30);
	assert_int_equal(
	    stand_sql(s, "SELECT count(*) FROM devices"), DEVICES_MAX);
	assert_true(knows(s, id_of(s, STR("alice")), 29));
}

static void
a_busy_store_is_an_error(void **state)
{
	const struct secret secret = cookie(1);
	struct stand *s = *state;
	sqlite3 *other;
	int64_t alice;

	stand_add_user(s, STR("alice"));
	alice = id_of(s, STR("alice"));
	assert_int_equal(sqlite3_open(s->file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	db_set_wait(s->dom.db, 0);
	assert_int_equal(
	    device_remember(&s->dom, alice, &secret, NOW), DK_ERR_BUSY);
	(void)sqlite3_close(other);
	assert_false(knows(s, alice, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(a_browser_is_known_to_whom_it_signed_in),
		STAND_TEST(the_one_unused_longest_goes_first),
		STAND_TEST(a_new_password_by_link_forgets_them),
		STAND_TEST(they_go_with_the_account),
		STAND_TEST(only_the_hash_is_stored),
		STAND_TEST(the_number_holds_in_parallel),
		STAND_TEST(a_busy_store_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
