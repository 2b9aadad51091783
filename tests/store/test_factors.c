#include "fixture.h"

#include "store/factors.h"

static struct digest
digest(int n)
{
	struct digest d;

	memset(d.byte, n, sizeof(d.byte));
	return d;
}

static int
open_with_users(void **state)
{
	(void)shelf_open(state);
	shelf_add_user(*state, 1, "alice");
	shelf_add_user(*state, 2, "bob");
	return 0;
}

#define USERS_TEST(f) \
	cmocka_unit_test_setup_teardown(f, open_with_users, shelf_close)

static bool
knows(struct shelf *s, int64_t user_id, int n)
{
	const struct digest d = digest(n);
	bool found;

	assert_int_equal(devices_get(s->db, user_id, &d, &found), DK_OK);
	return found;
}

static void
remember(struct shelf *s, int64_t user_id, int n, int64_t now)
{
	const struct digest d = digest(n);

	assert_int_equal(devices_add(s->db, user_id, &d, now), DK_OK);
}

/* DK-T-03 */
static void
knows_a_browser_for_its_user_alone(void **state)
{
	struct shelf *s = *state;

	assert_false(knows(s, 1, 7));
	remember(s, 1, 7, NOW);
	assert_true(knows(s, 1, 7));
	assert_false(knows(s, 2, 7));
	assert_false(knows(s, 1, 8));
	remember(s, 1, 7, NOW + 1);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM devices"), 1);
	remember(s, 2, 9, NOW);
	assert_int_equal(devices_forget(s->db, 1), DK_OK);
	assert_false(knows(s, 1, 7));
	assert_true(knows(s, 2, 9));
}

static void
drops_the_browsers_that_were_used_longest_ago(void **state)
{
	struct shelf *s = *state;
	int i;

	for (i = 0; i < 6; i++)
		remember(s, 1, 10 + i, NOW + i);
	remember(s, 2, 30, NOW - HOUR);
	remember(s, 1, 10, NOW + HOUR); /* used again */
	assert_int_equal(devices_drop_oldest(s->db, 1, 3), DK_OK);
	assert_true(knows(s, 1, 10));
	assert_true(knows(s, 1, 15));
	assert_true(knows(s, 1, 14));
	assert_false(knows(s, 1, 13));
	assert_false(knows(s, 1, 11));
	assert_true(knows(s, 2, 30));
}

static int64_t
link_of(struct shelf *s, int n, int64_t now)
{
	const struct digest d = digest(n);
	int64_t user_id;
	bool found;

	assert_int_equal(links_get(s->db, &d, now, &user_id, &found), DK_OK);
	assert_true(found == (user_id != 0));
	return user_id;
}

/* DK-R-02, DK-W-13 */
static void
a_link_works_once_until_it_expires(void **state)
{
	struct shelf *s = *state;
	const struct digest a = digest(1);
	bool used;

	assert_int_equal(links_put(s->db, 1, &a, NOW, NOW + HOUR), DK_OK);
	assert_int_equal(link_of(s, 1, NOW + HOUR - 1), 1);
	assert_int_equal(link_of(s, 1, NOW + HOUR), 0);
	assert_int_equal(link_of(s, 2, NOW), 0);
	assert_int_equal(links_use(s->db, &a, NOW + HOUR, &used), DK_OK);
	assert_false(used);
	assert_int_equal(links_use(s->db, &a, NOW + HOUR - 1, &used), DK_OK);
	assert_true(used);
	assert_int_equal(links_use(s->db, &a, NOW, &used), DK_OK);
	assert_false(used);
	assert_int_equal(link_of(s, 1, NOW), 0);
}

static void
a_new_link_replaces_the_old_one(void **state)
{
	struct shelf *s = *state;
	const struct digest a = digest(1), b = digest(2), c = digest(3);

	assert_int_equal(links_put(s->db, 1, &a, NOW, NOW + HOUR), DK_OK);
	assert_int_equal(links_put(s->db, 2, &c, NOW, NOW + 2 * HOUR), DK_OK);
	assert_int_equal(links_put(s->db, 1, &b, NOW, NOW + HOUR), DK_OK);
	assert_int_equal(link_of(s, 1, NOW), 0);
	assert_int_equal(link_of(s, 2, NOW), 1);
	assert_int_equal(link_of(s, 3, NOW), 2);
	assert_int_equal(
	    links_put(s->db, 2, &b, NOW, NOW + HOUR), DK_ERR_CONFLICT);
	assert_int_equal(links_purge(s->db, NOW + HOUR), DK_OK);
	assert_int_equal(link_of(s, 2, NOW), 0);
	assert_int_equal(link_of(s, 3, NOW), 2);
	assert_int_equal(links_forget(s->db, 2), DK_OK);
	assert_int_equal(link_of(s, 3, NOW), 0);
}

static void
a_confirmed_factor_is_not_replaced(void **state)
{
	struct shelf *s = *state;
	unsigned char seed[FACTOR_SEED_MAX];
	struct factor_row row;
	bool found, put, confirmed;

	memset(seed, 7, sizeof(seed));
	assert_int_equal(factors_get(s->db, 1, &row, &found), DK_OK);
	assert_false(found);
	assert_int_equal(factors_put(s->db, 1, seed, 40, &put), DK_OK);
	assert_true(put);
	assert_int_equal(
	    factors_put(s->db, 1, seed, sizeof(seed), &put), DK_OK);
	assert_true(put);
	assert_int_equal(factors_get(s->db, 1, &row, &found), DK_OK);
	assert_true(found);
	assert_false(row.confirmed);
	assert_int_equal(row.seed_len, FACTOR_SEED_MAX);
	assert_memory_equal(row.seed, seed, sizeof(seed));
	assert_int_equal(factors_confirm(s->db, 1, NOW, &confirmed), DK_OK);
	assert_true(confirmed);
	assert_int_equal(factors_confirm(s->db, 1, NOW, &confirmed), DK_OK);
	assert_false(confirmed);
	assert_int_equal(factors_confirm(s->db, 2, NOW, &confirmed), DK_OK);
	assert_false(confirmed);
	assert_int_equal(factors_put(s->db, 1, seed, 8, &put), DK_OK);
	assert_false(put);
	assert_int_equal(factors_get(s->db, 1, &row, &found), DK_OK);
	assert_true(row.confirmed);
	assert_int_equal(row.seed_len, FACTOR_SEED_MAX);
}

/* DK-M-02 */
static void
a_step_is_used_once_and_only_rises(void **state)
{
	static const struct {
		int64_t step;
		bool used;
	} steps[] = { { 100, true }, { 100, false }, { 99, false },
		{ 101, true }, { 100, false }, { 102, true } };
	struct shelf *s = *state;
	bool put, used;
	size_t i;

	assert_int_equal(factors_use_step(s->db, 1, 100, &used), DK_OK);
	assert_false(used);
	assert_int_equal(factors_put(s->db, 1, "seed", 4, &put), DK_OK);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(
		    factors_use_step(s->db, 1, steps[i].step, &used), DK_OK);
		if (used != steps[i].used)
			fail_msg("step %zu", i);
	}
}

static void
a_seed_that_does_not_fit_is_an_error(void **state)
{
	struct shelf *s = *state;
	struct factor_row row;
	char sql[400];
	bool found;

	(void)snprintf(sql, sizeof(sql),
	    "INSERT INTO second_factors VALUES (1, x'%0258d', 1, 0)", 0);
	(void)shelf_sql(s, sql);
	assert_int_equal(factors_get(s->db, 1, &row, &found), DK_ERR_STORE);
	assert_false(found);
	assert_int_equal(row.seed_len, 0);
}

/* DK-M-06 */
static void
a_recovery_code_works_once_for_its_owner(void **state)
{
	struct shelf *s = *state;
	const struct digest a = digest(1), b = digest(2);
	int64_t n;
	bool used;

	assert_int_equal(recovery_add(s->db, 1, &a), DK_OK);
	assert_int_equal(recovery_add(s->db, 1, &b), DK_OK);
	assert_int_equal(recovery_add(s->db, 2, &a), DK_OK);
	assert_int_equal(recovery_add(s->db, 1, &a), DK_ERR_CONFLICT);
	assert_int_equal(recovery_use(s->db, 2, &b, &used), DK_OK);
	assert_false(used);
	assert_int_equal(recovery_use(s->db, 1, &a, &used), DK_OK);
	assert_true(used);
	assert_int_equal(recovery_use(s->db, 1, &a, &used), DK_OK);
	assert_false(used);
	assert_int_equal(recovery_count(s->db, 1, &n), DK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(recovery_count(s->db, 2, &n), DK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(recovery_delete(s->db, 1), DK_OK);
	assert_int_equal(recovery_count(s->db, 1, &n), DK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(recovery_count(s->db, 2, &n), DK_OK);
	assert_int_equal(n, 1);
}

static void
a_factor_goes_with_its_recovery_codes(void **state)
{
	struct shelf *s = *state;
	const struct digest a = digest(1);
	int64_t n;
	bool put, deleted;

	assert_int_equal(factors_put(s->db, 1, "seed", 4, &put), DK_OK);
	assert_int_equal(recovery_add(s->db, 1, &a), DK_OK);
	assert_int_equal(recovery_add(s->db, 2, &a), DK_OK);
	assert_int_equal(factors_delete(s->db, 1, &deleted), DK_OK);
	assert_true(deleted);
	assert_int_equal(recovery_count(s->db, 1, &n), DK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(recovery_count(s->db, 2, &n), DK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(factors_delete(s->db, 1, &deleted), DK_OK);
	assert_false(deleted);
}

/* DK-Z-03: many at once, one wins. */
static bool
use_the_code(struct shelf *s, int number)
{
	const struct digest a = digest(1);
	bool used = false;

	(void)number;
	return shelf_try(s, s->file, false, false) == DK_OK &&
	    recovery_use(s->db, 1, &a, &used) == DK_OK && used;
}

static bool
use_the_step(struct shelf *s, int number)
{
	bool used = false;

	(void)number;
	return shelf_try(s, s->file, false, false) == DK_OK &&
	    factors_use_step(s->db, 1, 100, &used) == DK_OK && used;
}

static bool
use_the_link(struct shelf *s, int number)
{
	const struct digest a = digest(1);
	bool used = false;

	(void)number;
	return shelf_try(s, s->file, false, false) == DK_OK &&
	    links_use(s->db, &a, NOW, &used) == DK_OK && used;
}

static void
what_works_once_works_once_for_many_at_once(void **state)
{
	struct shelf *s = *state;
	const struct digest a = digest(1);
	bool put;

	assert_int_equal(recovery_add(s->db, 1, &a), DK_OK);
	assert_int_equal(factors_put(s->db, 1, "seed", 4, &put), DK_OK);
	assert_int_equal(links_put(s->db, 1, &a, NOW, NOW + HOUR), DK_OK);
	assert_int_equal(shelf_parallel(s, 8, use_the_code), 1);
	assert_int_equal(shelf_parallel(s, 8, use_the_step), 1);
	assert_int_equal(shelf_parallel(s, 8, use_the_link), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		USERS_TEST(knows_a_browser_for_its_user_alone),
		USERS_TEST(drops_the_browsers_that_were_used_longest_ago),
		USERS_TEST(a_link_works_once_until_it_expires),
		USERS_TEST(a_new_link_replaces_the_old_one),
		USERS_TEST(a_confirmed_factor_is_not_replaced),
		USERS_TEST(a_step_is_used_once_and_only_rises),
		USERS_TEST(a_seed_that_does_not_fit_is_an_error),
		USERS_TEST(a_recovery_code_works_once_for_its_owner),
		USERS_TEST(a_factor_goes_with_its_recovery_codes),
		USERS_TEST(what_works_once_works_once_for_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
