#include "fixture.h"
#include "store/db_admin.h"

static const char *
other_name(struct stand *s, char name[128])
{
	(void)snprintf(name, 128, "%s/other.db", s->dir);
	return name;
}

static int
lines_of(const char *text, const char *event)
{
	int n = 0;

	while ((text = strstr(text, event)) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void
connects_once_and_stays(void **state)
{
	struct stand *s = *state;
	struct db *db;

	domain_close(&s->dom);
	domain_init(&s->dom, &s->conf, &s->log);
	assert_null(s->dom.db);
	assert_int_equal(domain_connect(&s->dom, 0), DK_OK);
	db = s->dom.db;
	assert_non_null(db);
	assert_int_equal(domain_connect(&s->dom, 1), DK_OK);
	assert_ptr_equal(s->dom.db, db);
	assert_true(s->dom.slots.fd >= 0);
	domain_close(&s->dom);
	assert_null(s->dom.db);
	domain_close(&s->dom); /* harmless twice */
}

/*
 * DK-E-02, DK-E-03: a store that is away is an error and no open gate; it is
 * looked for once a second, said once, and found again without a restart.
 */
static void
comes_back_when_the_store_does(void **state)
{
	struct stand *s = *state;
	char other[128], text[4096];

	stand_catch(s);
	assert_int_equal(rename(s->file, other_name(s, other)), 0);
	assert_int_equal(domain_connect(&s->dom, 5000), DK_ERR_STORE);
	assert_null(s->dom.db);
	assert_int_equal(domain_connect(&s->dom, 6000), DK_ERR_STORE);
	assert_int_equal(rename(other, s->file), 0);
	assert_int_equal(domain_connect(&s->dom, 6999), DK_ERR_STORE);
	assert_int_equal(domain_connect(&s->dom, 7000), DK_OK);
	assert_int_equal(domain_connect(&s->dom, 7001), DK_OK);
	stand_caught(s, text, sizeof(text));
	assert_int_equal(lines_of(text, "event=\"store_away\""), 1);
	assert_int_equal(lines_of(text, "event=\"store_back\""), 1);
	assert_non_null(strstr(text, "there is no store"));
	/* A worker makes no store of its own. */
	assert_int_equal(access(other, F_OK), -1);
}

/* A restored backup is taken up; nothing is read from the file of before. */
static void
takes_up_a_store_that_was_replaced(void **state)
{
	char other[128], text[DB_MESSAGE_MAX];
	struct stand *s = *state;
	struct buf message;
	struct user_row user;
	bool found;

	BUF_OVER(&message, text);
	assert_int_equal(
	    db_backup(s->dom.db, str_from(other_name(s, other)), &message),
	    DK_OK);
	stand_add_user(s, STR("alice"));
	domain_close(&s->dom);
	assert_int_equal(domain_connect(&s->dom, 1), DK_OK);
	assert_int_equal(rename(other, s->file), 0);
	assert_int_equal(domain_connect(&s->dom, 2), DK_OK);
	assert_int_equal(
	    account_get(&s->dom, STR("alice"), &user, &found), DK_OK);
	assert_false(found);
}

static void
opening_says_cause_and_cure(void **state)
{
	char text[DB_MESSAGE_MAX], other[128];
	struct stand *s = *state;
	struct buf message;

	domain_close(&s->dom);
	s->conf.database = str_from(other_name(s, other));
	domain_init(&s->dom, &s->conf, &s->log);
	BUF_OVER(&message, text);
	assert_int_equal(
	    domain_open(&s->dom, false, false, &message), DK_ERR_STORE);
	assert_null(s->dom.db);
	assert_non_null(strstr(text, other));
	/* Without the file of the slots no hash is bounded: not opened. */
	s->conf.database = str_from(s->file);
	(void)stand_own_file(s, "-hash", other);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink("/dev/null", other), 0);
	BUF_OVER(&message, text);
	assert_int_not_equal(
	    domain_open(&s->dom, false, false, &message), DK_OK);
	assert_null(s->dom.db);
	assert_non_null(strstr(text, "-hash"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(connects_once_and_stays),
		STAND_TEST(comes_back_when_the_store_does),
		STAND_TEST(takes_up_a_store_that_was_replaced),
		STAND_TEST(opening_says_cause_and_cure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
