#include "fixture.h"

#include "store/events.h"

struct seen {
	int64_t ids[64], times[64];
	char last_event[32], last_detail[64];
	size_t n, stop_after;
	bool none; /* the last one's optional fields were NULL */
};

static enum dk_err
take(void *arg, const struct event_row *row)
{
	struct seen *seen = arg;

	assert_true(seen->n < 64);
	seen->ids[seen->n] = row->id;
	seen->times[seen->n++] = row->at_ms;
	(void)snprintf(seen->last_event, sizeof(seen->last_event), "%.*s",
	    STR_FMT(row->event));
	(void)snprintf(seen->last_detail, sizeof(seen->last_detail), "%.*s",
	    STR_FMT(row->detail));
	seen->none = str_is_none(row->username) && str_is_none(row->ip) &&
	    str_is_none(row->session) && str_is_none(row->request_id) &&
	    str_is_none(row->detail);
	return seen->n == seen->stop_after ? DK_ERR_NOMEM : DK_OK;
}

static void
add(struct shelf *s, int64_t at, const char *event, const char *outcome,
    const char *username)
{
	const struct event_row row = { .at_ms = at,
		.event = str_from(event),
		.outcome = str_from(outcome),
		.username = str_from(username),
		.actor = STR("web") };

	assert_int_equal(events_add(s->db, &row), DK_OK);
}

static size_t
list(struct shelf *s, const char *user, int64_t since, int64_t after,
    size_t limit, struct seen *seen)
{
	const struct event_filter filter = { .username = str_from(user),
		.since_ms = since };

	*seen = (struct seen){ .n = 0 };
	assert_int_equal(
	    events_list(s->db, &filter, after, limit, take, seen), DK_OK);
	return seen->n;
}

static void
gives_back_what_was_added(void **state)
{
	struct shelf *s = *state;
	const struct event_row row = { .at_ms = NOW,
		.event = STR("sign_in"),
		.outcome = STR("success"),
		.username = STR("Alice"),
		.ip = STR("192.0.2.7"),
		.session = STR("01234567"),
		.request_id = STR("abcd"),
		.actor = STR("web"),
		.detail = STR("it's \"fine\"; DROP TABLE events --") };
	struct seen seen;

	assert_int_equal(events_add(s->db, &row), DK_OK);
	assert_int_equal(list(s, NULL, 0, 0, 9, &seen), 1);
	assert_string_equal(seen.last_event, "sign_in");
	assert_string_equal(
	    seen.last_detail, "it's \"fine\"; DROP TABLE events --");
	assert_true(seen.times[0] == NOW);
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM events WHERE username ="
			     " 'Alice' AND ip = '192.0.2.7' AND session ="
			     " '01234567' AND request_id = 'abcd'"),
	    1);
	/* What is not known is NULL, and comes back as none. */
	add(s, NOW, "start", "success", NULL);
	assert_int_equal(list(s, NULL, 0, seen.ids[0], 9, &seen), 1);
	assert_true(seen.none);
	assert_int_equal(
	    shelf_sql(s,
		"SELECT count(*) FROM events WHERE username IS NULL"
		" AND ip IS NULL AND detail IS NULL"),
	    1);
}

static void
an_event_needs_its_name_outcome_and_actor(void **state)
{
	struct shelf *s = *state;
	struct event_row row = {
		.at_ms = NOW, .event = STR("sign_in"), .outcome = STR("success")
	};

	assert_int_equal(events_add(s->db, &row), DK_ERR_STORE);
	row.actor = STR("web");
	row.outcome = STR_NONE;
	assert_int_equal(events_add(s->db, &row), DK_ERR_STORE);
	row.outcome = STR("success");
	row.event = STR_NONE;
	assert_int_equal(events_add(s->db, &row), DK_ERR_STORE);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM events"), 0);
}

static void
lists_by_user_time_and_place(void **state)
{
	struct shelf *s = *state;
	struct seen all, seen;
	size_t i;

	add(s, NOW + 3, "sign_in", "success", "alice");
	add(s, NOW + 1, "sign_in", "failure", "Bob");
	add(s, NOW + 2, "sign_out", "success", "ALICE");
	add(s, NOW + 4, "start", "success", NULL);
	assert_int_equal(list(s, NULL, 0, 0, 9, &all), 4);
	/* Oldest first by the order of writing, whatever the clock said. */
	for (i = 1; i < 4; i++)
		assert_true(all.ids[i] > all.ids[i - 1]);
	assert_int_equal(list(s, "alice", 0, 0, 9, &seen), 2);
	assert_int_equal(list(s, "bOB", 0, 0, 9, &seen), 1);
	assert_int_equal(list(s, "", 0, 0, 9, &seen), 4);
	assert_int_equal(list(s, "bo", 0, 0, 9, &seen), 0);
	assert_int_equal(list(s, "%", 0, 0, 9, &seen), 0);
	assert_int_equal(list(s, NULL, NOW + 3, 0, 9, &seen), 2);
	assert_int_equal(list(s, NULL, NOW + 4, 0, 9, &seen), 1);
	assert_int_equal(list(s, "alice", NOW + 3, 0, 9, &seen), 1);
	assert_int_equal(list(s, NULL, 0, all.ids[1], 9, &seen), 2);
	assert_int_equal(list(s, NULL, 0, all.ids[3], 9, &seen), 0);
	assert_int_equal(list(s, NULL, 0, 0, 0, &seen), 0);
}

static void
pages_through_all_events(void **state)
{
	struct shelf *s = *state;
	const struct event_filter all = { .since_ms = 0 };
	struct seen seen;
	int64_t after = 0, total = 0;
	unsigned i;

	for (i = 0; i < 10; i++)
		add(s, NOW, "sign_in", "success", "alice");
	while (list(s, NULL, 0, after, 3, &seen) > 0) {
		assert_true(seen.ids[0] > after);
		after = seen.ids[seen.n - 1];
		total += (int64_t)seen.n;
	}
	assert_int_equal(total, 10);
	/* The listener's error ends the list and comes back. */
	seen = (struct seen){ .stop_after = 2 };
	assert_int_equal(
	    events_list(s->db, &all, 0, 9, take, &seen), DK_ERR_NOMEM);
	assert_int_equal(seen.n, 2);
	add(s, NOW, "sign_in", "success", "alice");
}

static void
shows_the_sign_ins_of_one_person_newest_first(void **state)
{
	struct shelf *s = *state;
	struct seen seen = { .n = 0 };

	add(s, NOW + 1, "sign_in", "success", "alice");
	add(s, NOW + 2, "sign_out", "success", "alice");
	add(s, NOW + 3, "second_factor", "failure", "alice");
	add(s, NOW + 4, "sign_in", "success", "bob");
	add(s, NOW + 5, "sign_in", "failure", NULL);
	add(s, NOW + 6, "sign_in", "failure", "alice");
	assert_int_equal(
	    events_sign_ins(s->db, STR("alice"), 9, take, &seen), DK_OK);
	assert_int_equal(seen.n, 3);
	assert_true(seen.times[0] == NOW + 6);
	assert_true(seen.times[1] == NOW + 3);
	assert_true(seen.times[2] == NOW + 1);
	seen = (struct seen){ .n = 0 };
	assert_int_equal(
	    events_sign_ins(s->db, STR("alice"), 1, take, &seen), DK_OK);
	assert_int_equal(seen.n, 1);
	assert_true(seen.times[0] == NOW + 6);
	/* Nobody's name does not stand for everybody's. */
	seen = (struct seen){ .n = 0 };
	assert_int_equal(
	    events_sign_ins(s->db, STR_NONE, 9, take, &seen), DK_OK);
	assert_int_equal(seen.n, 0);
}

static void
purges_what_is_older_in_bounded_steps(void **state)
{
	struct shelf *s = *state;
	struct seen seen;
	int64_t n;
	unsigned i;

	for (i = 0; i < 10; i++)
		add(s, NOW + i, "sign_in", "success", "alice");
	assert_int_equal(events_purge_step(s->db, NOW + 7, 5, &n), DK_OK);
	assert_int_equal(n, 5);
	assert_int_equal(list(s, NULL, 0, 0, 20, &seen), 5);
	assert_true(seen.times[0] == NOW + 5);
	assert_int_equal(events_purge_step(s->db, NOW + 7, 5, &n), DK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(events_purge_step(s->db, NOW + 7, 5, &n), DK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(events_purge_step(s->db, NOW + 99, 50, &n), DK_OK);
	/* An id that was used is not used again: who follows the trail by id
	 * sees what comes after a purge. */
	add(s, NOW, "sign_in", "success", "alice");
	assert_int_equal(list(s, NULL, 0, 10, 20, &seen), 1);
}

/* INTERFACE 7 */
static void
the_shell_reads_recent_events_newest_first(void **state)
{
	struct shelf *s = *state;

	add(s, INT64_C(1700000000123), "sign_in", "failure", "alice");
	add(s, INT64_C(4200000000000), "sign_in", "success", "bob");
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM recent_events WHERE at ="
			     " '2023-11-14T22:13:20Z' AND event = 'sign_in' AND"
			     " outcome = 'failure' AND username = 'alice' AND"
			     " ip IS NULL AND detail IS NULL"),
	    1);
	assert_int_equal(
	    shelf_sql(s,
		"SELECT username = 'bob' AND at ="
		" '2103-02-04T02:40:00Z' FROM recent_events LIMIT 1"),
	    1);
}

static const struct {
	const char *username, *ip, *event, *outcome;
	int64_t since, before; /* 0: not given */
	const char *found;     /* details, newest first */
} searches[] = {
	{ NULL, NULL, NULL, NULL, 0, 0, "f e d c b a" },
	{ "alice", NULL, NULL, NULL, 0, 0, "e c a" },
	{ NULL, "192.0.2.1", NULL, NULL, 0, 0, "e b a" },
	{ NULL, NULL, "sign_in", NULL, 0, 0, "d c a" },
	{ NULL, NULL, NULL, "failure", 0, 0, "d c" },
	{ "alice", "192.0.2.1", NULL, NULL, 0, 0, "e a" },
	{ "alice", NULL, "sign_in", "success", 0, 0, "a" },
	{ NULL, "192.0.2.1", "sign_out", NULL, 0, 0, "e b" },
	{ NULL, NULL, "sign_in", "failure", NOW + 3, 0, "d" },
	{ NULL, NULL, NULL, NULL, NOW + 2, NOW + 4, "d c b" },
	{ "bob", NULL, NULL, NULL, 0, NOW + 4, "d b" },
	{ "ali", NULL, NULL, NULL, 0, 0, "" },
	{ NULL, "' OR 1=1 --", NULL, NULL, 0, 0, "" },
};

struct details {
	char text[64];
	struct buf b;
	int64_t at, id;
	size_t n;
};

static enum dk_err
take_detail(void *arg, const struct event_row *row)
{
	struct details *d = arg;

	buf_addf(&d->b, "%s%.*s", d->b.len > 0 ? " " : "",
	    STR_FMT(row->detail));
	d->at = row->at_ms;
	d->id = row->id;
	d->n++;
	return DK_OK;
}

static void
add_all(struct shelf *s)
{
	static const struct {
		int64_t at;
		const char *username, *ip, *event, *outcome, *detail;
	} all[] = { { 1, "alice", "192.0.2.1", "sign_in", "success", "a" },
		{ 2, "bob", "192.0.2.1", "sign_out", "success", "b" },
		{ 2, "alice", "192.0.2.2", "sign_in", "failure", "c" },
		{ 3, "bob", "192.0.2.2", "sign_in", "failure", "d" },
		{ 4, "alice", "192.0.2.1", "sign_out", "success", "e" },
		{ 5, NULL, NULL, "user_added", "success", "f" } };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct event_row row = { .at_ms = NOW + all[i].at,
			.event = str_from(all[i].event),
			.outcome = str_from(all[i].outcome),
			.username = str_from(all[i].username),
			.ip = str_from(all[i].ip),
			.detail = str_from(all[i].detail),
			.actor = STR("web") };

		assert_int_equal(events_add(s->db, &row), DK_OK);
	}
}

static void
finds_events_page_by_page_whatever_is_asked_for(void **state)
{
	struct shelf *s = *state;
	size_t i, was;

	add_all(s);
	for (i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
		const struct event_filter filter = {
			.username = str_from(searches[i].username),
			.ip = str_from(searches[i].ip),
			.event = str_from(searches[i].event),
			.outcome = str_from(searches[i].outcome),
			.since_ms = searches[i].since,
			.before_ms = searches[i].before
		};
		struct details d = { .at = INT64_MAX, .id = INT64_MAX };

		BUF_OVER(&d.b, d.text);
		do {
			was = d.n;
			assert_int_equal(events_find(s->db, &filter, d.at,
					     d.id, 2, take_detail, &d),
			    DK_OK);
		} while (d.n > was);
		if (strcmp(d.text, searches[i].found) != 0)
			fail_msg("search %zu: \"%s\"", i, d.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(gives_back_what_was_added),
		SHELF_TEST(an_event_needs_its_name_outcome_and_actor),
		SHELF_TEST(lists_by_user_time_and_place),
		SHELF_TEST(pages_through_all_events),
		SHELF_TEST(finds_events_page_by_page_whatever_is_asked_for),
		SHELF_TEST(shows_the_sign_ins_of_one_person_newest_first),
		SHELF_TEST(purges_what_is_older_in_bounded_steps),
		SHELF_TEST(the_shell_reads_recent_events_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
