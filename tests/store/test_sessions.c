#include "fixture.h"

#include "base/clock.h"

static bool
is_there(struct shelf *s, const struct session_row *row)
{
	struct session_view view;
	bool found;

	assert_int_equal(
	    sessions_get(s->db, str_from(row->id), &view, &found), DK_OK);
	return found;
}

static void
gives_a_session_back_with_its_user(void **state)
{
	struct shelf *s = *state;
	const struct user_row user = { .id = 7,
		.username = "Alice",
		.display_name = "Alice L.",
		.email = "a@example.org",
		.must_change = true };
	struct session_row row = shelf_session(7, 1);
	struct session_view view;
	bool found;

	row.level = 2;
	row.remember = true;
	row.authenticated_at_ms = NOW - 1;
	row.last_seen_at_ms = NOW + 2;
	row.expires_at_ms = INT64_MAX;
	assert_int_equal(users_add(s->db, &user, STR("alice")), DK_OK);
	shelf_add_session(s, &row);
	assert_int_equal(
	    sessions_get(s->db, str_from(row.id), &view, &found), DK_OK);
	assert_true(found);
	assert_memory_equal(&view.session.secret_hash, &row.secret_hash,
	    sizeof(row.secret_hash));
	assert_string_equal(view.session.id, row.id);
	assert_int_equal(view.session.user_id, 7);
	assert_true(view.session.created_at_ms == NOW);
	assert_true(view.session.authenticated_at_ms == NOW - 1);
	assert_true(view.session.last_seen_at_ms == NOW + 2);
	assert_true(view.session.expires_at_ms == INT64_MAX);
	assert_true(view.session.idle_timeout_ms == HOUR);
	assert_int_equal(view.session.level, 2);
	assert_true(view.session.remember);
	assert_string_equal(view.session.ip, "192.0.2.7");
	assert_string_equal(view.session.user_agent, "Browser/1.0");
	assert_string_equal(view.session.host, "www.example.org");
	assert_string_equal(view.username, "Alice");
	assert_string_equal(view.display_name, "Alice L.");
	assert_string_equal(view.email, "a@example.org");
	assert_true(view.must_change);
	assert_false(view.disabled);
}

static void
checks_a_session_and_its_groups_in_one(void **state)
{
	struct shelf *s = *state;
	const struct user_row user = { .id = 7, .username = "Alice" };
	struct session_row row = shelf_session(7, 1);
	struct session_view view;
	struct group_list groups;
	char name[16];
	bool found;
	int i;

	assert_int_equal(users_add(s->db, &user, STR("alice")), DK_OK);
	shelf_add_session(s, &row);
	assert_int_equal(sessions_check(s->db, str_from(row.id), &view,
			     &groups, &found), DK_OK);
	assert_true(found);
	assert_string_equal(view.username, "Alice");
	assert_string_equal(view.session.id, row.id);
	assert_int_equal(groups.n, 0);
	for (i = USER_GROUPS_MAX; i > 0; i--) {
		(void)snprintf(name, sizeof(name), "group%02d", i);
		assert_int_equal(
		    users_group_add(s->db, 7, str_from(name)), DK_OK);
	}
	assert_int_equal(sessions_check(s->db, str_from(row.id), &view,
			     &groups, &found), DK_OK);
	assert_true(found);
	assert_int_equal(groups.n, USER_GROUPS_MAX);
	assert_string_equal(groups.name[0], "group01");
	assert_string_equal(groups.name[USER_GROUPS_MAX - 1], "group32");
	/* Half of them would be a wrong answer. */
	assert_int_equal(users_group_add(s->db, 7, STR("one more")), DK_OK);
	assert_int_equal(sessions_check(s->db, str_from(row.id), &view,
			     &groups, &found), DK_ERR_TOO_LARGE);
	assert_false(found);
	assert_int_equal(groups.n, 0);
	assert_int_equal(sessions_check(s->db,
			     STR("00000000-0000-4000-8000-000000000000"),
			     &view, &groups, &found), DK_OK);
	assert_false(found);
}

/* DK-S-07: exact match, no wildcard, no folding. */
static void
finds_a_session_by_its_exact_id_alone(void **state)
{
	static const struct str ids[] = { { "", 0 }, { NULL, 0 }, { "%", 1 },
		{ "0000000a-1111-4222-8333-44445555666", 35 },
		{ "0000000A-1111-4222-8333-444455556666", 36 },
		{ "0000000a-1111-4222-8333-444455556666 ", 37 },
		{ "0000000a-1111-4222-8333-444455556666\0", 37 } };
	struct shelf *s = *state;
	struct session_row row = shelf_session(1, 10);
	struct session_view view;
	bool found;
	size_t i;

	shelf_add_user(s, 1, "alice");
	shelf_add_session(s, &row);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		memset(&view, 0xa5, sizeof(view));
		assert_int_equal(
		    sessions_get(s->db, ids[i], &view, &found), DK_OK);
		assert_false(found);
		assert_string_equal(view.username, "");
		assert_int_equal(view.session.user_id, 0);
	}
	assert_true(is_there(s, &row));
}

static void
an_id_is_given_once_and_to_somebody(void **state)
{
	struct shelf *s = *state;
	struct session_row row = shelf_session(1, 1);

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	shelf_add_session(s, &row);
	row.user_id = 2;
	assert_int_equal(sessions_add(s->db, &row), DK_ERR_CONFLICT);
	row = shelf_session(99, 2);
	assert_int_equal(sessions_add(s->db, &row), DK_ERR_STORE);
	row = shelf_session(1, 3);
	row.level = 3;
	assert_int_equal(sessions_add(s->db, &row), DK_ERR_STORE);
	row.level = 0;
	assert_int_equal(sessions_add(s->db, &row), DK_ERR_STORE);
}

/* DK-S-03 */
static void
the_store_keeps_no_text_of_a_secret(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(
	    engine_columns(s->file, "sessions", "%secret%", "%"), 1);
	assert_int_equal(
	    engine_columns(s->file, "sessions", "secret_hash", "B%"), 1);
}

/* DK-Z-02: last-seen never goes back, whatever the clock does. */
static void
touches_only_forward(void **state)
{
	static const struct {
		int64_t now, then;
	} steps[] = { { NOW + 5, NOW + 5 }, { NOW + 4, NOW + 5 },
		{ NOW + 5, NOW + 5 }, { 0, NOW + 5 }, { NOW + 9, NOW + 9 } };
	struct shelf *s = *state;
	struct session_row row = shelf_session(1, 1);
	struct session_view view;
	bool found;
	size_t i;

	shelf_add_user(s, 1, "alice");
	shelf_add_session(s, &row);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(
		    sessions_touch(s->db, str_from(row.id), steps[i].now),
		    DK_OK);
		assert_int_equal(
		    sessions_get(s->db, str_from(row.id), &view, &found),
		    DK_OK);
		assert_true(view.session.last_seen_at_ms == steps[i].then);
	}
	assert_int_equal(sessions_touch(s->db, STR("none"), NOW), DK_OK);
}

static void
deletes_one_all_but_one_and_all(void **state)
{
	struct shelf *s = *state;
	struct session_row rows[5];
	bool deleted;
	int64_t n;
	unsigned i;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	for (i = 0; i < 5; i++) {
		rows[i] = shelf_session(i < 4 ? 1 : 2, i + 1);
		shelf_add_session(s, &rows[i]);
	}
	assert_int_equal(
	    sessions_delete(s->db, str_from(rows[0].id), &deleted), DK_OK);
	assert_true(deleted);
	assert_int_equal(
	    sessions_delete(s->db, str_from(rows[0].id), &deleted), DK_OK);
	assert_false(deleted);
	assert_int_equal(
	    sessions_delete_of_user(s->db, 1, str_from(rows[2].id), &n), DK_OK);
	assert_int_equal(n, 2);
	assert_true(is_there(s, &rows[2]));
	assert_true(is_there(s, &rows[4]));
	assert_int_equal(
	    sessions_delete_of_user(s->db, 1, STR_NONE, &n), DK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(sessions_delete_all(s->db, &n), DK_OK);
	assert_int_equal(n, 1);
	assert_int_equal(sessions_delete_all(s->db, &n), DK_OK);
	assert_int_equal(n, 0);
}

static void
a_family_ends_together(void **state)
{
	struct shelf *s = *state;
	struct session_row rows[5];
	char family[UUID_TEXT_LEN + 1];
	bool deleted;
	unsigned i;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	for (i = 0; i < 5; i++) {
		rows[i] = shelf_session(1, i + 1);
		shelf_add_session(s, &rows[i]);
		if (i < 4)
			assert_int_equal(
			    sessions_set_family(s->db, str_from(rows[i].id),
				str_from(rows[i < 3 ? 0 : 3].id)),
			    DK_OK);
	}
	/* It stays what it was, and is nothing to somebody else. */
	assert_int_equal(sessions_set_family(s->db, str_from(rows[1].id),
			     str_from(rows[3].id)),
	    DK_OK);
	assert_int_equal(
	    sessions_family(s->db, str_from(rows[1].id), 1, family), DK_OK);
	assert_string_equal(family, rows[0].id);
	assert_int_equal(
	    sessions_family(s->db, str_from(rows[1].id), 2, family), DK_OK);
	assert_string_equal(family, "");
	assert_int_equal(
	    sessions_family(s->db, str_from(rows[4].id), 1, family), DK_OK);
	assert_string_equal(family, "");
	assert_int_equal(sessions_delete_family(
			     s->db, str_from(rows[1].id), &deleted),
	    DK_OK);
	assert_true(deleted);
	for (i = 0; i < 5; i++)
		assert_int_equal(is_there(s, &rows[i]), i >= 3);
	assert_int_equal(sessions_delete_family(
			     s->db, str_from(rows[1].id), &deleted),
	    DK_OK);
	assert_false(deleted);
	assert_int_equal(sessions_delete_family(
			     s->db, str_from(rows[4].id), &deleted),
	    DK_OK);
	assert_true(deleted);
	assert_false(is_there(s, &rows[4]));
	assert_true(is_there(s, &rows[3]));
}

/* DK-S-16 */
static void
keeps_the_newest_live_ones(void **state)
{
	struct shelf *s = *state;
	struct session_row rows[6], other = shelf_session(2, 20);
	int64_t n;
	unsigned i;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	for (i = 0; i < 6; i++) {
		rows[i] = shelf_session(1, 10 - i);
		rows[i].created_at_ms = NOW + i;
		shelf_add_session(s, &rows[i]);
	}
	shelf_add_session(s, &other);
	/* The newest of all has expired: it does not count. */
	(void)shelf_sql(s,
	    "UPDATE sessions SET expires_at = 1900000000000"
	    " WHERE id LIKE '00000005%'");
	assert_int_equal(
	    sessions_delete_oldest(s->db, 1, 2, NOW + 10, &n), DK_OK);
	assert_int_equal(n, 4);
	assert_true(is_there(s, &rows[4]));
	assert_true(is_there(s, &rows[3]));
	assert_true(is_there(s, &other));
	assert_int_equal(
	    sessions_delete_oldest(s->db, 1, 0, NOW + 10, &n), DK_OK);
	assert_int_equal(n, 2);
}

/* When a row counts as live; NOW + HOUR is asked about. */
static const struct {
	int64_t expires, seen, idle;
	bool live;
} lives[] = {
	{ NOW + HOUR + 1, NOW + HOUR, HOUR, true },
	{ NOW + HOUR, NOW + HOUR, HOUR, false },
	{ NOW + 9 * HOUR, NOW, HOUR, false },
	{ NOW + 9 * HOUR, NOW + 1, HOUR, true },
	{ NOW + 9 * HOUR, NOW - 9 * HOUR, 0, true },
	{ INT64_MAX, INT64_MAX, INT64_MAX, true },
	{ 0, 0, 0, false },
};

static enum dk_err
count_one(void *arg, const struct session_view *view)
{
	(void)view;
	++*(size_t *)arg;
	return DK_OK;
}

static void
counts_lists_and_purges_by_one_rule(void **state)
{
	struct shelf *s = *state;
	char last[UUID_TEXT_LEN + 1];
	struct session_row row;
	const struct session_filter all = { .user_id = 0 };
	const struct session_filter of_one = { .user_id = 1 };
	size_t i, listed, of_user;
	int64_t n, purged, counted, looked, summed;

	shelf_add_user(s, 1, "alice");
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		int64_t want = lives[i].live;

		row = shelf_session(1, (unsigned)i);
		row.expires_at_ms = lives[i].expires;
		row.last_seen_at_ms = lives[i].seen;
		row.idle_timeout_ms = lives[i].idle;
		shelf_add_session(s, &row);
		listed = of_user = 0;
		assert_int_equal(sessions_count(s->db, NOW + HOUR, &n), DK_OK);
		assert_int_equal(sessions_find(s->db, &all, NOW + HOUR,
				     INT64_MAX, STR(""), 9, count_one, &listed),
		    DK_OK);
		assert_int_equal(
		    sessions_find(s->db, &of_one, NOW + HOUR, INT64_MAX,
			STR(""), 9, count_one, &of_user),
		    DK_OK);
		assert_int_equal(
		    sessions_find_count(s->db, &all, NOW + HOUR, 9, &counted),
		    DK_OK);
		assert_int_equal(
		    sessions_sum(s->db, NOW + HOUR, 9, &looked, &summed),
		    DK_OK);
		assert_int_equal(looked, 1);
		assert_int_equal(counted, want);
		assert_int_equal(summed, want);
		assert_int_equal(sessions_purge_step(s->db, STR(""), 9,
				     NOW + HOUR, last, &purged),
		    DK_OK);
		if (n != want || (int64_t)listed != want ||
		    (int64_t)of_user != want || purged != 1 - want)
			fail_msg("row %zu", i);
		assert_int_equal(sessions_delete_all(s->db, &n), DK_OK);
	}
}

struct page {
	char ids[32][UUID_TEXT_LEN + 1];
	int64_t last_ms;
	size_t n;
};

static enum dk_err
take(void *arg, const struct session_view *view)
{
	struct page *page = arg;

	assert_true(page->n < 32);
	memcpy(
	    page->ids[page->n++], view->session.id, sizeof(view->session.id));
	page->last_ms = view->session.created_at_ms;
	return DK_OK;
}

static void
walk(struct shelf *s, int64_t user_id, size_t limit, struct page *page)
{
	const struct session_filter filter = { .user_id = user_id };
	char id[UUID_TEXT_LEN + 1] = "";
	int64_t before = INT64_MAX;
	size_t was;

	page->n = 0;
	do {
		was = page->n;
		assert_int_equal(sessions_find(s->db, &filter, NOW, before,
				     str_from(id), limit, take, page),
		    DK_OK);
		assert_true(page->n - was <= limit);
		before = page->last_ms;
		if (page->n > 0)
			memcpy(id, page->ids[page->n - 1], sizeof(id));
	} while (page->n > was);
}

/* Many are made in one millisecond: none is left out, none comes twice. */
static void
pages_through_sessions_of_the_same_moment(void **state)
{
	struct shelf *s = *state;
	struct page all, page;
	size_t limit, i;
	unsigned k;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	for (k = 0; k < 12; k++) {
		struct session_row row = shelf_session(k % 3 == 0 ? 2 : 1, k);

		row.created_at_ms = NOW - k / 5;
		shelf_add_session(s, &row);
	}
	walk(s, 0, 32, &all);
	assert_int_equal(all.n, 12);
	for (limit = 1; limit < 8; limit++) {
		walk(s, 0, limit, &page);
		assert_int_equal(page.n, 12);
		for (i = 0; i < 12; i++)
			assert_string_equal(page.ids[i], all.ids[i]);
		walk(s, 1, limit, &page);
		assert_int_equal(page.n, 8);
		walk(s, 2, limit, &page);
		assert_int_equal(page.n, 4);
	}
	/* Newest first, and among equals by id. */
	assert_memory_equal(all.ids[0], "00000004", 8);
	assert_memory_equal(all.ids[4], "00000000", 8);
	assert_memory_equal(all.ids[5], "00000009", 8);
	assert_memory_equal(all.ids[11], "0000000a", 8);
}

/* DK-S-17 */
static void
purges_in_bounded_steps_and_all_of_it(void **state)
{
	struct shelf *s = *state;
	char last[UUID_TEXT_LEN + 1] = "";
	int64_t n, total = 0;
	unsigned k, steps = 0;

	shelf_add_user(s, 1, "alice");
	for (k = 0; k < 25; k++) {
		struct session_row row = shelf_session(1, k);

		if (k % 2 == 0)
			row.expires_at_ms = NOW;
		shelf_add_session(s, &row);
	}
	do {
		/* `last` is given as the place to go on from, too. */
		assert_int_equal(sessions_purge_step(
				     s->db, str_from(last), 10, NOW, last, &n),
		    DK_OK);
		assert_true(n <= 10);
		total += n;
		steps++;
	} while (last[0] != '\0');
	assert_int_equal(total, 13);
	assert_int_equal(steps, 4);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM sessions"), 12);
	assert_int_equal(sessions_purge_step(s->db,
			     STR("0123456789012345678901234567890"
				 "1234567"),
			     10, NOW, last, &n),
	    DK_ERR_INTERNAL);
}

static void
refuses_a_row_that_does_not_fit(void **state)
{
	static const char *const changes[] = {
		"UPDATE sessions SET ip = printf('%46c', 'x')",
		"UPDATE sessions SET user_agent = printf('%257c', 'x')",
		"UPDATE sessions SET host = printf('%256c', 'x')",
		"UPDATE sessions SET host = 'a' || char(0)",
	};
	struct shelf *s = *state;
	struct session_row row = shelf_session(1, 1);
	struct session_view view;
	bool found, deleted;
	size_t i;

	shelf_add_user(s, 1, "alice");
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		/* PostgreSQL keeps no NUL at all. */
		if (strstr(changes[i], "char(0)") != NULL &&
		    !engine_is_sqlite(s->file))
			continue;
		shelf_add_session(s, &row);
		(void)shelf_sql(s, changes[i]);
		assert_int_equal(
		    sessions_get(s->db, str_from(row.id), &view, &found),
		    DK_ERR_STORE);
		assert_false(found);
		assert_int_equal(view.session.user_id, 0);
		assert_int_equal(
		    sessions_delete(s->db, str_from(row.id), &deleted), DK_OK);
	}
}

/* INTERFACE 7, by a second connection with its defaults; the views read the
 * real clock. */
static void
the_shell_sees_and_ends_active_sessions(void **state)
{
	struct shelf *s = *state;
	int64_t now = clock_now_ms();
	struct session_row rows[5];
	unsigned i;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	for (i = 0; i < 5; i++) {
		rows[i] = shelf_session(i == 4 ? 2 : 1, i + 1);
		rows[i].created_at_ms = now - HOUR;
		rows[i].last_seen_at_ms = now;
		rows[i].expires_at_ms = now + HOUR;
	}
	rows[1].expires_at_ms = now - 2000;
	rows[2].last_seen_at_ms = now - HOUR - 2000;
	rows[3].last_seen_at_ms = now - 9 * HOUR;
	rows[3].idle_timeout_ms = 0;
	for (i = 0; i < 5; i++)
		shelf_add_session(s, &rows[i]);
	assert_int_equal(
	    shelf_sql(s, "SELECT count(*) FROM active_sessions"), 3);
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM active_sessions WHERE"
			     " username = 'alice' AND ip = '192.0.2.7' AND"
			     " user_agent = 'Browser/1.0' AND remember = 0 AND"
			     " level = 1 AND signed_in_at LIKE"
			     " '20__-__-__T__:__:__Z' AND last_seen_at LIKE"
			     " '20__-__-__T__:__:__Z' AND expires_at LIKE"
			     " '20__-__-__T__:__:__Z' AND expires_at >"
			     " last_seen_at"),
	    2);
	(void)shelf_sql(s,
	    "DELETE FROM active_sessions"
	    " WHERE username='alice'");
	assert_false(is_there(s, &rows[0]));
	assert_false(is_there(s, &rows[3]));
	assert_true(is_there(s, &rows[4]));
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM recent_events WHERE"
			     " event = 'session_revoked' AND username = 'alice'"
			     " AND outcome = 'success' AND ip = '192.0.2.7'"),
	    2);
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM events WHERE actor = 'sql'"
			     " AND length(session) = 8"),
	    2);
	(void)shelf_sql(s, "DELETE FROM active_sessions");
	assert_int_equal(
	    shelf_sql(s, "SELECT count(*) FROM active_sessions"), 0);
}

/* DK-Z-01: times beyond 2038 and 2100 come out as they went in. */
static void
the_views_show_late_times(void **state)
{
	struct shelf *s = *state;
	struct session_row row = shelf_session(1, 1);

	shelf_add_user(s, 1, "alice");
	row.idle_timeout_ms = 0;
	row.expires_at_ms = INT64_C(4200000000000);
	shelf_add_session(s, &row);
	assert_int_equal(shelf_sql(s,
			     "SELECT expires_at = '2103-02-04T02:40:00Z'"
			     " FROM active_sessions"),
	    1);
}

/* Twelve sessions: of two people, from two addresses, a minute apart. */
static void
fill(struct shelf *s)
{
	unsigned k;

	for (k = 0; k < 12; k++) {
		struct session_row row = shelf_session(k % 3 == 0 ? 2 : 1, k);

		row.created_at_ms = NOW - (int64_t)k * 60000;
		(void)snprintf(row.ip, sizeof(row.ip), "%s",
		    k % 4 == 0 ? "2001:db8::1" : "192.0.2.7");
		shelf_add_session(s, &row);
	}
}

static const struct {
	int64_t user_id;
	const char *ip;
	int64_t since, before; /* minutes ago; -1: not given */
	size_t found;
} filters[] = {
	{ 0, NULL, -1, -1, 12 },
	{ 1, NULL, -1, -1, 8 },
	{ 2, NULL, -1, -1, 4 },
	{ 3, NULL, -1, -1, 0 },
	{ 0, "2001:db8::1", -1, -1, 3 },
	{ 0, "192.0.2.7", -1, -1, 9 },
	{ 0, "192.0.2.", -1, -1, 0 },
	{ 2, "2001:db8::1", -1, -1, 1 },
	{ 1, "2001:db8::1", -1, -1, 2 },
	{ 0, NULL, 3, -1, 4 },	/* 0 to 3 minutes ago */
	{ 0, NULL, -1, 3, 8 },	/* 4 to 11 */
	{ 0, NULL, 5, 3, 2 },	/* 4 and 5 */
	{ 1, NULL, 5, 3, 2 },
	{ 2, "192.0.2.7", 3, -1, 1 },
	{ 0, "2001:db8::1", -1, 4, 1 },
};

static struct session_filter
filter_of(size_t i)
{
	return (struct session_filter){ .user_id = filters[i].user_id,
		.ip = str_from(filters[i].ip),
		.since_ms = filters[i].since < 0
		    ? 0
		    : NOW - filters[i].since * 60000,
		.before_ms = filters[i].before < 0
		    ? 0
		    : NOW - filters[i].before * 60000 };
}

static void
finds_counts_and_deletes_by_one_filter(void **state)
{
	struct shelf *s = *state;
	size_t i;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const struct session_filter filter = filter_of(i);
		struct page page = { .n = 0 };
		int64_t n, all;

		assert_int_equal(sessions_delete_all(s->db, &all), DK_OK);
		fill(s);
		assert_int_equal(sessions_find(s->db, &filter, NOW, INT64_MAX,
				     STR(""), 32, take, &page),
		    DK_OK);
		if (page.n != filters[i].found)
			fail_msg("filter %zu finds %zu", i, page.n);
		assert_int_equal(
		    sessions_find_count(s->db, &filter, NOW, 99, &n), DK_OK);
		assert_int_equal(n, page.n);
		assert_int_equal(
		    sessions_find_count(s->db, &filter, NOW, 2, &n), DK_OK);
		assert_int_equal(n, page.n < 2 ? page.n : 2);
		/* One at a time, and the one to keep stays. */
		if (page.n == 0)
			continue;
		assert_int_equal(sessions_delete_found(s->db, &filter,
				     str_from(page.ids[0]), 1, &n),
		    DK_OK);
		assert_int_equal(n, page.n > 1);
		assert_int_equal(sessions_delete_found(s->db, &filter,
				     str_from(page.ids[0]), 99, &n),
		    DK_OK);
		assert_int_equal(n, page.n > 1 ? page.n - 2 : 0);
		assert_int_equal(
		    sessions_find_count(s->db, &filter, NOW, 99, &n), DK_OK);
		assert_int_equal(n, 1);
		assert_int_equal(sessions_sum(s->db, NOW, 99, &all, &n),
		    DK_OK);
		assert_int_equal(n, 12 - (int64_t)page.n + 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(gives_a_session_back_with_its_user),
		SHELF_TEST(checks_a_session_and_its_groups_in_one),
		SHELF_TEST(finds_a_session_by_its_exact_id_alone),
		SHELF_TEST(an_id_is_given_once_and_to_somebody),
		SHELF_TEST(the_store_keeps_no_text_of_a_secret),
		SHELF_TEST(touches_only_forward),
		SHELF_TEST(deletes_one_all_but_one_and_all),
		SHELF_TEST(a_family_ends_together),
		SHELF_TEST(keeps_the_newest_live_ones),
		SHELF_TEST(counts_lists_and_purges_by_one_rule),
		SHELF_TEST(finds_counts_and_deletes_by_one_filter),
		SHELF_TEST(pages_through_sessions_of_the_same_moment),
		SHELF_TEST(purges_in_bounded_steps_and_all_of_it),
		SHELF_TEST(refuses_a_row_that_does_not_fit),
		SHELF_TEST(the_shell_sees_and_ends_active_sessions),
		SHELF_TEST(the_views_show_late_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
