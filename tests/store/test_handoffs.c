#include "fixture.h"

#include "store/handoffs.h"

static struct digest
hash_of(const char *text)
{
	struct digest d;

	secret_sha256(str_from(text), &d);
	return d;
}

static struct handoff_row
row_for(const char *session, int64_t expires)
{
	struct handoff_row row = { .origin = "https://b.example.org",
		.browser = hash_of("browser"),
		.expires_at_ms = expires };

	(void)snprintf(row.session_id, sizeof(row.session_id), "%s", session);
	return row;
}

static void
add(struct shelf *s, const char *code, int64_t expires)
{
	const struct digest d = hash_of(code);
	const struct handoff_row row = row_for("one", expires);

	assert_int_equal(handoffs_add(s->db, &d, &row), DK_OK);
}

static bool
take(struct shelf *s, const char *code, int64_t now, struct handoff_row *row)
{
	const struct digest d = hash_of(code);
	bool found = true;

	assert_int_equal(db_begin(s->db, DB_WRITE), DK_OK);
	assert_int_equal(
	    handoffs_take(s->db, &d, now, row, &found), DK_OK);
	assert_int_equal(db_commit(s->db), DK_OK);
	return found;
}

static void
gives_a_row_back_once(void **state)
{
	struct shelf *s = *state;
	const struct handoff_row want = row_for("one", 0);
	struct handoff_row row;

	add(s, "code", NOW + 1);
	add(s, "other", NOW + 1);
	assert_false(take(s, "cod", NOW, &row));
	assert_string_equal(row.session_id, "");
	assert_true(take(s, "code", NOW, &row));
	assert_string_equal(row.session_id, "one");
	assert_string_equal(row.origin, "https://b.example.org");
	assert_memory_equal(&row.browser, &want.browser, sizeof(row.browser));
	assert_false(take(s, "code", NOW, &row));
	assert_true(take(s, "other", NOW, &row));
}

static void
is_over_at_its_time_and_purged_then(void **state)
{
	struct shelf *s = *state;
	struct handoff_row row;

	add(s, "a", NOW);
	add(s, "b", NOW + 1);
	assert_false(take(s, "a", NOW, &row));
	assert_int_equal(handoffs_purge(s->db, NOW), DK_OK);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM handoffs"), 1);
	assert_true(take(s, "b", NOW, &row));
}

static void
a_code_is_stored_once(void **state)
{
	struct shelf *s = *state;
	const struct digest d = hash_of("code");
	const struct handoff_row row = row_for("two", NOW);

	add(s, "code", NOW);
	assert_int_equal(handoffs_add(s->db, &d, &row), DK_ERR_CONFLICT);
}

static bool
takes_it(struct shelf *s, int number)
{
	const struct digest d = hash_of("code");
	struct handoff_row row;
	bool found;
	enum dk_err err;

	(void)number;
	shelf_reopen(s);
	do {
		found = false;
		err = db_begin(s->db, DB_WRITE);
		if (err == DK_OK)
			err = handoffs_take(s->db, &d, NOW, &row, &found);
		err = db_end(s->db, err);
	} while (db_again(s->db, err));
	return err == DK_OK && found;
}

static void
of_many_at_once_one_gets_it(void **state)
{
	struct shelf *s = *state;

	add(s, "code", NOW + 1);
	assert_int_equal(shelf_parallel(s, 8, takes_it), 1);
}

static void
the_store_keeps_no_text_of_a_code(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(engine_columns(s->file, "handoffs", "%code%", "%"), 1);
	assert_int_equal(
	    engine_columns(s->file, "handoffs", "code_hash", "B%"), 1);
	assert_int_equal(
	    engine_columns(s->file, "handoffs", "browser", "B%"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(gives_a_row_back_once),
		SHELF_TEST(is_over_at_its_time_and_purged_then),
		SHELF_TEST(a_code_is_stored_once),
		SHELF_TEST(of_many_at_once_one_gets_it),
		SHELF_TEST(the_store_keeps_no_text_of_a_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
