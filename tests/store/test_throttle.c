#include "fixture.h"

#include "store/settings.h"
#include "store/throttle.h"

static struct bucket
bucket(int n)
{
	struct bucket b;

	memset(b.byte, n, sizeof(b.byte));
	return b;
}

static void
put(struct shelf *s, int n, int owner, int64_t failures, int64_t last)
{
	const struct throttle_row row = { .bucket = bucket(n),
		.owner = bucket(owner),
		.failures = failures,
		.last_at_ms = last,
		.next_at_ms = last + 1 };

	assert_int_equal(throttle_put(s->db, &row), DK_OK);
}

static int64_t
failures(struct shelf *s, int n)
{
	const struct bucket b = bucket(n);
	struct throttle_row row;

	assert_int_equal(throttle_get(s->db, &b, &row), DK_OK);
	return row.failures;
}

static int64_t
count(struct shelf *s)
{
	int64_t n;

	assert_int_equal(throttle_count(s->db, &n), DK_OK);
	return n;
}

static void
an_absent_counter_is_zero(void **state)
{
	struct shelf *s = *state;
	const struct bucket b = bucket(1);
	struct throttle_row row;

	memset(&row, 0xa5, sizeof(row));
	assert_int_equal(throttle_get(s->db, &b, &row), DK_OK);
	assert_memory_equal(&row.bucket, &b, sizeof(b));
	assert_true(row.failures == 0);
	assert_true(row.last_at_ms == 0);
	assert_true(row.next_at_ms == 0);
	assert_int_equal(count(s), 0);
}

static void
puts_a_counter_over_the_old_one(void **state)
{
	struct shelf *s = *state;
	const struct bucket b = bucket(1), owner = bucket(3);
	struct throttle_row row;

	put(s, 1, 2, 5, NOW);
	put(s, 1, 3, 6, NOW + 7);
	assert_int_equal(throttle_get(s->db, &b, &row), DK_OK);
	assert_memory_equal(&row.owner, &owner, sizeof(owner));
	assert_true(row.failures == 6);
	assert_true(row.last_at_ms == NOW + 7);
	assert_true(row.next_at_ms == NOW + 8);
	assert_int_equal(count(s), 1);
	row.failures = -1;
	assert_int_equal(throttle_put(s->db, &row), DK_ERR_STORE);
	assert_int_equal(failures(s, 1), 6);
}

/* DK-T-04 */
static void
forgets_an_account_with_all_that_it_owns_and_no_other(void **state)
{
	struct shelf *s = *state;
	const struct bucket owner = bucket(1), b = bucket(2);
	int64_t n;

	put(s, 1, 1, 5, NOW);
	put(s, 2, 1, 5, NOW);
	put(s, 3, 3, 5, NOW);
	assert_int_equal(throttle_delete(s->db, &b), DK_OK);
	assert_int_equal(failures(s, 2), 0);
	put(s, 2, 1, 5, NOW);
	assert_int_equal(throttle_forget(s->db, &owner, &n), DK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(failures(s, 1), 0);
	assert_int_equal(failures(s, 3), 5);
	assert_int_equal(throttle_forget(s->db, &owner, &n), DK_OK);
	assert_int_equal(n, 0);
}

/* DK-T-10 */
static void
purges_in_bounded_steps_what_was_long_ago(void **state)
{
	struct shelf *s = *state;
	int64_t n;
	int i;

	for (i = 0; i < 10; i++)
		put(s, i, i, 1, NOW + i);
	assert_int_equal(throttle_purge_step(s->db, NOW + 7, 5, &n), DK_OK);
	assert_int_equal(n, 5);
	assert_int_equal(failures(s, 4), 0);
	assert_int_equal(failures(s, 5), 1);
	assert_int_equal(throttle_purge_step(s->db, NOW + 7, 5, &n), DK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(count(s), 3);
	assert_int_equal(failures(s, 7), 1);
}

static void
drops_first_what_says_least(void **state)
{
	struct shelf *s = *state;
	int64_t n;

	put(s, 1, 1, 9, NOW);
	put(s, 2, 2, 1, NOW + 2);
	put(s, 3, 3, 1, NOW + 1);
	put(s, 4, 4, 2, NOW);
	assert_int_equal(throttle_drop_least(s->db, 1, &n), DK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(failures(s, 3), 0);
	assert_int_equal(throttle_drop_least(s->db, 2, &n), DK_OK);
	assert_int_equal(failures(s, 2), 0);
	assert_int_equal(failures(s, 4), 0);
	assert_int_equal(failures(s, 1), 9);
}

/* DK-T-11: the table has no place for a name or an address. */
static void
a_counter_has_no_name(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(
	    engine_columns(s->file, "throttle", "%", "TEXT"), 0);
	assert_int_equal(engine_columns(s->file, "throttle", "%", "%"), 5);
}

static void
a_secret_is_made_once_and_kept(void **state)
{
	struct shelf *s = *state;
	struct secret a, b, c;

	assert_int_equal(settings_secret(s->db, STR("key"), &a), DK_OK);
	assert_int_equal(settings_secret(s->db, STR("key"), &b), DK_OK);
	assert_int_equal(settings_secret(s->db, STR("other"), &c), DK_OK);
	assert_true(secret_eq(&a, &b));
	assert_false(secret_eq(&a, &c));
	shelf_reopen(s);
	assert_int_equal(settings_secret(s->db, STR("key"), &b), DK_OK);
	assert_true(secret_eq(&a, &b));
	/* One that was cut is an error, not a weaker key. */
	(void)shelf_sql(s,
	    "UPDATE settings SET value = x'00'"
	    " WHERE name = 'key'");
	assert_int_equal(settings_secret(s->db, STR("key"), &b), DK_ERR_STORE);
	memset(&c, 0, sizeof(c));
	assert_true(secret_eq(&b, &c));
}

/* Each process writes what it got into a row of its own. */
static bool
take_secret(struct shelf *s, int number)
{
	struct secret secret;
	struct throttle_row row = { .bucket = bucket(number) };

	if (shelf_try(s, s->file, false, false) != DK_OK ||
	    settings_secret(s->db, STR("key"), &secret) != DK_OK)
		return false;
	memcpy(row.owner.byte, secret.byte, sizeof(row.owner.byte));
	return throttle_put(s->db, &row) == DK_OK;
}

static void
all_processes_get_the_same_secret(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(shelf_parallel(s, 12, take_secret), 12);
	assert_int_equal(
	    shelf_sql(s, "SELECT count(DISTINCT owner) FROM throttle"), 1);
	assert_int_equal(count(s), 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(an_absent_counter_is_zero),
		SHELF_TEST(puts_a_counter_over_the_old_one),
		SHELF_TEST(
		    forgets_an_account_with_all_that_it_owns_and_no_other),
		SHELF_TEST(purges_in_bounded_steps_what_was_long_ago),
		SHELF_TEST(drops_first_what_says_least),
		SHELF_TEST(a_counter_has_no_name),
		SHELF_TEST(a_secret_is_made_once_and_kept),
		SHELF_TEST(all_processes_get_the_same_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
