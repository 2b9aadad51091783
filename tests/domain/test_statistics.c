#include "fixture.h"

#include "domain/statistics.h"
#include "store/hours.h"

#define DAY (24 * HOUR)
/* A quarter past an hour of a UTC day. */
#define THEN (NOW - NOW % HOUR + HOUR / 4)

static void
add(struct stand *s, int64_t at, const char *event, const char *outcome)
{
	const struct event_row row = { .at_ms = at,
		.event = str_from(event),
		.outcome = str_from(outcome),
		.actor = STR("web") };

	assert_int_equal(events_add(s->dom.db, &row), DK_OK);
}

/* What counts, and what looks like it. */
static void
fill(struct stand *s)
{
	add(s, THEN, "sign_in", "success");
	add(s, THEN - HOUR, "sign_in", "success");
	add(s, THEN - HOUR, "sign_in", "failure");
	add(s, THEN - HOUR, "second_factor", "failure");
	add(s, THEN - HOUR, "sign_out", "success");
	add(s, THEN - HOUR, "reauthentication", "success");
	add(s, THEN - HOUR, "user_added", "success");
	add(s, THEN - 30 * HOUR, "sign_in", "success");
	add(s, THEN - 20 * DAY, "sign_in", "failure");
	add(s, THEN - 40 * DAY, "sign_in", "failure");
}

static void
must_be(struct stand *s, enum statistics_span span, int64_t now,
    int64_t sign_ins, int64_t failures)
{
	struct statistics st;
	int64_t a = 0, b = 0;
	size_t i;

	assert_int_equal(statistics_read(&s->dom, span, now, &st), DK_OK);
	assert_int_equal(st.sign_ins, sign_ins);
	assert_int_equal(st.failures, failures);
	for (i = 0; i < st.n; i++) {
		a += st.piece[i].sign_ins;
		b += st.piece[i].failures;
		assert_true(st.piece[i].from_ms % st.piece_ms == 0);
		assert_true(i == 0 ||
		    st.piece[i].from_ms ==
			st.piece[i - 1].from_ms + st.piece_ms);
	}
	assert_int_equal(a, sign_ins);
	assert_int_equal(b, failures);
	/* The last piece is the one under way. */
	assert_true(st.piece[st.n - 1].from_ms <= now &&
	    now < st.piece[st.n - 1].from_ms + st.piece_ms);
}

static void
keep_all(struct stand *s, int64_t now)
{
	unsigned i;

	for (i = 0; i < 40; i++)
		assert_int_equal(statistics_keep(&s->dom, now), DK_OK);
}

/* The same before housekeeping has counted, in between, and after. */
static void
counts_from_the_events_whether_kept_or_not(void **state)
{
	struct stand *s = *state;
	unsigned i;

	fill(s);
	for (i = 0; i < 3; i++) {
		must_be(s, STATISTICS_DAY, THEN, 2, 2);
		must_be(s, STATISTICS_WEEK, THEN, 3, 2);
		must_be(s, STATISTICS_MONTH, THEN, 3, 3);
		if (i == 0)
			assert_int_equal(statistics_keep(&s->dom, THEN), DK_OK);
		else
			keep_all(s, THEN);
	}
	/* Kept figures outlive the events; of the hour under way none are. */
	(void)stand_sql(s, "DELETE FROM events");
	must_be(s, STATISTICS_DAY, THEN, 1, 2);
	must_be(s, STATISTICS_MONTH, THEN, 2, 3);
	/* An hour that is kept is not counted again. */
	add(s, THEN - HOUR, "sign_in", "success");
	must_be(s, STATISTICS_DAY, THEN, 1, 2);
}

static void
puts_each_event_into_its_hour(void **state)
{
	struct stand *s = *state;
	struct statistics st;

	add(s, THEN - THEN % HOUR - 1, "sign_in", "success");
	add(s, THEN - THEN % HOUR, "sign_in", "failure");
	assert_int_equal(
	    statistics_read(&s->dom, STATISTICS_DAY, THEN, &st), DK_OK);
	assert_int_equal(st.n, 24);
	assert_int_equal(st.piece[22].sign_ins, 1);
	assert_int_equal(st.piece[22].failures, 0);
	assert_int_equal(st.piece[23].sign_ins, 0);
	assert_int_equal(st.piece[23].failures, 1);
	keep_all(s, THEN + DAY - HOUR);
	assert_int_equal(
	    statistics_read(&s->dom, STATISTICS_DAY, THEN + HOUR, &st), DK_OK);
	assert_int_equal(st.piece[21].sign_ins, 1);
	assert_int_equal(st.piece[22].failures, 1);
}

/* A process that stands still for days leaves no gap. */
static void
makes_up_for_a_time_without_housekeeping(void **state)
{
	struct stand *s = *state;

	keep_all(s, THEN - 5 * DAY);
	fill(s);
	must_be(s, STATISTICS_MONTH, THEN, 3, 2);
	keep_all(s, THEN);
	must_be(s, STATISTICS_MONTH, THEN, 3, 2);
	assert_int_equal(
	    stand_sql(s, "SELECT count(*) FROM hours WHERE counted = 1"),
	    31 * 24 + 5 * 24);
}

/* Throttled guesses are no events: each process adds up its own. */
static void
keeps_what_was_throttled(void **state)
{
	struct stand *s = *state;
	struct statistics st;
	unsigned i;

	for (i = 0; i < 3; i++)
		statistics_note_throttled(&s->dom);
	assert_int_equal(statistics_flush(&s->dom, THEN), DK_OK);
	assert_int_equal(statistics_flush(&s->dom, THEN), DK_OK);
	statistics_note_throttled(&s->dom);
	assert_int_equal(statistics_keep(&s->dom, THEN), DK_OK);
	assert_int_equal(
	    statistics_read(&s->dom, STATISTICS_DAY, THEN, &st), DK_OK);
	assert_int_equal(st.throttled, 4);
	assert_int_equal(st.piece[23].throttled, 4);
	/* Counting the hour later leaves them. */
	keep_all(s, THEN + 2 * HOUR);
	assert_int_equal(
	    statistics_read(&s->dom, STATISTICS_DAY, THEN + 2 * HOUR, &st),
	    DK_OK);
	assert_int_equal(st.piece[21].throttled, 4);
}

static void
samples_sessions_once_a_quarter_of_an_hour(void **state)
{
	struct stand *s = *state;
	struct session session;
	struct statistics st;
	int64_t live, at;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), THEN, &session);
	assert_int_equal(statistics_keep(&s->dom, THEN), DK_OK);
	stand_sign_in(s, STR("alice"), THEN, &session);
	assert_int_equal(statistics_keep(&s->dom, THEN + 1), DK_OK);
	assert_int_equal(
	    statistics_read(&s->dom, STATISTICS_DAY, THEN, &st), DK_OK);
	assert_int_equal(st.piece[23].sessions, 1);
	assert_int_equal(st.piece[22].sessions, -1);
	assert_int_equal(st.sessions, 1);
	assert_int_equal(statistics_keep(&s->dom, THEN + HOUR / 4), DK_OK);
	assert_int_equal(
	    statistics_read(&s->dom, STATISTICS_DAY, THEN, &st), DK_OK);
	assert_int_equal(st.piece[23].sessions, 2);
	/* Now, in a small store, they are counted. */
	assert_int_equal(
	    statistics_sessions(&s->dom, THEN + 1, &live, &at), DK_OK);
	assert_int_equal(live, 2);
	assert_true(at == THEN + 1);
	assert_int_equal(
	    statistics_sessions(&s->dom, THEN + 2 * HOUR, &live, &at), DK_OK);
	assert_int_equal(live, 0);
}

/* A large store is not counted while somebody waits. */
static void
gives_the_latest_sample_of_a_large_store(void **state)
{
	struct stand *s = *state;
	int64_t live, at;

	stand_add_user(s, STR("alice"));
	(void)stand_sql(s,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 20000) INSERT INTO sessions SELECT printf('%08d-', i), "
	    "zeroblob(32), u.id, 1, 1, 1, 9000000000000, 0, 1, 0, '', '', '', "
	    "NULL FROM n, users AS u");
	assert_int_equal(statistics_sessions(&s->dom, THEN, &live, &at), DK_OK);
	assert_int_equal(at, 0);
	assert_int_equal(statistics_keep(&s->dom, THEN), DK_OK);
	(void)stand_sql(s,
	    "INSERT INTO sessions SELECT 'x', secret_hash, user_id, 1, 1, 1, "
	    "9000000000000, 0, 1, 0, '', '', '', NULL FROM sessions LIMIT 1");
	assert_int_equal(statistics_sessions(&s->dom, THEN, &live, &at), DK_OK);
	assert_int_equal(live, 20000);
	assert_true(at == THEN - THEN % (HOUR / 4));
}

static void
forgets_figures_of_more_than_a_year(void **state)
{
	struct stand *s = *state;

	assert_int_equal(statistics_keep(&s->dom, THEN - 401 * DAY), DK_OK);
	assert_true(stand_sql(s, "SELECT count(*) FROM hours") > 0);
	keep_all(s, THEN);
	assert_int_equal(
	    stand_sql(s,
		"SELECT count(*) FROM hours WHERE hour < 1900000000000 - "
		"401 * 86400000"),
	    0);
	assert_int_equal(
	    stand_sql(s, "SELECT count(*) FROM session_samples"), 1);
}

static void
reads_the_name_of_a_span(void **state)
{
	enum statistics_span span;

	(void)state;
	assert_true(statistics_span_parse(STR("month"), &span));
	assert_int_equal(span, STATISTICS_MONTH);
	assert_true(statistics_span_parse(STR("day"), &span));
	assert_false(statistics_span_parse(STR("year"), &span));
	assert_int_equal(span, STATISTICS_DAY);
	assert_false(statistics_span_parse(STR_NONE, &span));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(counts_from_the_events_whether_kept_or_not),
		STAND_TEST(puts_each_event_into_its_hour),
		STAND_TEST(makes_up_for_a_time_without_housekeeping),
		STAND_TEST(keeps_what_was_throttled),
		STAND_TEST(samples_sessions_once_a_quarter_of_an_hour),
		STAND_TEST(gives_the_latest_sample_of_a_large_store),
		STAND_TEST(forgets_figures_of_more_than_a_year),
		STAND_TEST(reads_the_name_of_a_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
