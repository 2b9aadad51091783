#include "fixture.h"

static struct user_row
get(struct shelf *s, const char *key)
{
	struct user_row row;
	bool found;

	assert_int_equal(users_get(s->db, str_from(key), &row, &found), DK_OK);
	assert_true(found);
	return row;
}

static bool
exists(struct shelf *s, const char *key)
{
	struct user_row row;
	bool found;

	assert_int_equal(users_get(s->db, str_from(key), &row, &found), DK_OK);
	return found;
}

static void
gives_back_what_was_added(void **state)
{
	struct shelf *s = *state;
	const struct user_row row = { .id = INT64_MAX,
		.username = "Alice",
		.display_name = "Al\xc3\xafs \"<&",
		.email = "a@example.org",
		.password_hash = "$argon2id$x",
		.must_change = true,
		.created_at_ms = NOW };
	struct user_row again;
	bool found;

	assert_int_equal(users_add(s->db, &row, STR("alice")), DK_OK);
	again = get(s, "alice");
	assert_true(again.id == INT64_MAX);
	assert_string_equal(again.username, "Alice");
	assert_string_equal(again.display_name, row.display_name);
	assert_string_equal(again.email, row.email);
	assert_string_equal(again.password_hash, row.password_hash);
	assert_true(again.must_change);
	assert_false(again.disabled);
	assert_true(again.created_at_ms == NOW);
	assert_true(again.password_changed_at_ms == NOW);
	assert_int_equal(
	    users_get_by_id(s->db, INT64_MAX, &again, &found), DK_OK);
	assert_true(found);
	assert_string_equal(again.username, "Alice");
}

static void
an_absent_user_is_an_answer_and_no_error(void **state)
{
	/* The key is compared as it is: folding is the caller's part. */
	static const struct str keys[] = { { "bob", 3 }, { "Alice", 5 },
		{ "alice\0", 6 }, { "alic", 4 }, { "", 0 }, { NULL, 0 },
		{ "%", 1 }, { "' OR 1=1 --", 11 } };
	struct shelf *s = *state;
	struct user_row row;
	bool found = true;
	size_t i;

	shelf_add_user(s, 1, "alice");
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		memset(&row, 0xa5, sizeof(row));
		found = true;
		assert_int_equal(
		    users_get(s->db, keys[i], &row, &found), DK_OK);
		assert_false(found);
		assert_true(row.id == 0);
		assert_string_equal(row.password_hash, "");
	}
	assert_int_equal(users_get_by_id(s->db, 2, &row, &found), DK_OK);
	assert_false(found);
}

/* DK-L-13 */
static void
one_name_is_one_user_whatever_its_case(void **state)
{
	struct shelf *s = *state;
	struct user_row row = { .id = 2, .username = "ALICE" };
	int64_t n;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(users_add(s->db, &row, STR("alice")), DK_ERR_CONFLICT);
	/* A key that is not the name's is a bug, not a second Alice. */
	assert_int_equal(users_add(s->db, &row, STR("ALICE")), DK_ERR_STORE);
	assert_int_equal(users_add(s->db, &row, STR("bob")), DK_ERR_STORE);
	(void)snprintf(row.username, sizeof(row.username), "bob");
	row.id = 1;
	assert_int_equal(users_add(s->db, &row, STR("bob")), DK_ERR_CONFLICT);
	assert_int_equal(users_count(s->db, &n), DK_OK);
	assert_int_equal(n, 1);
}

static void
changes_only_what_was_asked_for(void **state)
{
	struct shelf *s = *state;
	struct user_row row;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	assert_int_equal(
	    users_set_password(s->db, 1, STR("$new"), true, NOW + 5), DK_OK);
	row = get(s, "alice");
	assert_string_equal(row.password_hash, "$new");
	assert_true(row.must_change);
	assert_true(row.password_changed_at_ms == NOW + 5);
	assert_true(row.created_at_ms == NOW);
	(void)snprintf(row.display_name, sizeof(row.display_name), "Al");
	(void)snprintf(row.email, sizeof(row.email), "a@b");
	(void)snprintf(row.password_hash, sizeof(row.password_hash), "no");
	assert_int_equal(users_set_profile(s->db, &row), DK_OK);
	row = get(s, "alice");
	assert_string_equal(row.display_name, "Al");
	assert_string_equal(row.email, "a@b");
	assert_string_equal(row.password_hash, "$new");
	row = get(s, "bob");
	assert_string_equal(row.password_hash, "$x");
	assert_string_equal(row.display_name, "");
	assert_false(row.must_change);
}

/* DK-P-02: a rehash never undoes a change of the password. */
static void
rehashes_only_the_hash_that_was_verified(void **state)
{
	struct shelf *s = *state;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(
	    users_rehash(s->db, 1, STR("$old"), STR("$re")), DK_OK);
	assert_string_equal(get(s, "alice").password_hash, "$x");
	assert_int_equal(users_rehash(s->db, 1, STR("$x"), STR("$re")), DK_OK);
	assert_string_equal(get(s, "alice").password_hash, "$re");
	assert_true(get(s, "alice").password_changed_at_ms == NOW);
}

/* DK-S-12 */
static void
a_disabled_user_has_no_sessions(void **state)
{
	struct shelf *s = *state;
	struct session_row a = shelf_session(1, 1), b = shelf_session(2, 2);
	struct session_view view;
	bool found;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	shelf_add_session(s, &a);
	shelf_add_session(s, &b);
	assert_int_equal(users_set_disabled(s->db, 1, true, NOW), DK_OK);
	assert_true(get(s, "alice").disabled);
	assert_false(get(s, "bob").disabled);
	assert_int_equal(
	    sessions_get(s->db, str_from(a.id), &view, &found), DK_OK);
	assert_false(found);
	assert_int_equal(
	    sessions_get(s->db, str_from(b.id), &view, &found), DK_OK);
	assert_true(found);
	assert_true(
	    shelf_sql(s, "SELECT disabled_at FROM users WHERE id = 1") == NOW);
	assert_int_equal(users_set_disabled(s->db, 1, false, NOW), DK_OK);
	assert_false(get(s, "alice").disabled);
	assert_int_equal(
	    shelf_sql(s, "SELECT disabled_at IS NULL FROM users WHERE id = 1"),
	    1);
	/* The program writes its own events. */
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM events"), 0);
}

static void
what_belongs_to_a_user_goes_with_the_user(void **state)
{
	struct shelf *s = *state;
	struct session_row a = shelf_session(1, 1), b = shelf_session(2, 2);

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	shelf_add_session(s, &a);
	shelf_add_session(s, &b);
	assert_int_equal(users_group_add(s->db, 1, STR("staff")), DK_OK);
	assert_int_equal(users_group_add(s->db, 2, STR("staff")), DK_OK);
	assert_int_equal(users_delete(s->db, 1), DK_OK);
	assert_false(exists(s, "alice"));
	assert_true(exists(s, "bob"));
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM sessions"), 1);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM user_groups"), 1);
	assert_int_equal(users_delete(s->db, 1), DK_OK);
}

struct page {
	char names[16][USER_NAME_MAX + 1];
	size_t n, stop_after;
};

static enum dk_err
take(void *arg, const struct user_row *row)
{
	struct page *page = arg;

	assert_true(page->n < 16);
	memcpy(page->names[page->n++], row->username, sizeof(row->username));
	return page->n == page->stop_after ? DK_ERR_NOMEM : DK_OK;
}

static void
lists_users_page_by_page_in_name_order(void **state)
{
	static const char *const names[] = { "dora", "alice", "carol", "bob",
		"bo.b", "bo_b" };
	static const char *const order[] = { "alice", "bo.b", "bo_b", "bob",
		"carol", "dora" };
	struct shelf *s = *state;
	const struct user_filter all = { .state = USERS_ALL };
	struct page page = { .n = 0 }, one = { .n = 0 };
	struct str after = STR_NONE;
	size_t i, before;

	for (i = 0; i < 6; i++)
		shelf_add_user(s, 10 - (int64_t)i, names[i]);
	do {
		before = page.n;
		assert_int_equal(
		    users_find(s->db, &all, after, 2, take, &page), DK_OK);
		assert_true(page.n - before <= 2);
		if (page.n > 0)
			after = str_from(page.names[page.n - 1]);
	} while (page.n > before);
	assert_int_equal(page.n, 6);
	for (i = 0; i < 6; i++)
		assert_string_equal(page.names[i], order[i]);
	/* The listener's error ends the list and comes back. */
	one.stop_after = 1;
	assert_int_equal(
	    users_find(s->db, &all, STR(""), 6, take, &one), DK_ERR_NOMEM);
	assert_int_equal(one.n, 1);
	assert_true(exists(s, "alice"));
}

static void
keeps_groups_in_order_and_once(void **state)
{
	struct shelf *s = *state;
	struct group_list groups;
	bool removed;

	shelf_add_user(s, 1, "alice");
	assert_int_equal(users_groups(s->db, 1, &groups), DK_OK);
	assert_int_equal(groups.n, 0);
	assert_int_equal(users_group_add(s->db, 1, STR("staff")), DK_OK);
	assert_int_equal(users_group_add(s->db, 1, STR("editors")), DK_OK);
	assert_int_equal(users_group_add(s->db, 1, STR("staff")), DK_OK);
	assert_int_equal(users_groups(s->db, 1, &groups), DK_OK);
	assert_int_equal(groups.n, 2);
	assert_string_equal(groups.name[0], "editors");
	assert_string_equal(groups.name[1], "staff");
	assert_int_equal(
	    users_group_remove(s->db, 1, STR("staff"), &removed), DK_OK);
	assert_true(removed);
	assert_int_equal(
	    users_group_remove(s->db, 1, STR("staff"), &removed), DK_OK);
	assert_false(removed);
	assert_int_equal(
	    users_group_remove(s->db, 1, STR("EDITORS"), &removed), DK_OK);
	assert_false(removed);
	/* Nobody, and a group without a name. */
	assert_int_equal(users_group_add(s->db, 7, STR("staff")), DK_ERR_STORE);
	assert_int_equal(users_group_add(s->db, 1, STR("")), DK_ERR_STORE);
}

static void
too_many_groups_are_an_error_and_none_is_left_out(void **state)
{
	struct shelf *s = *state;
	struct group_list groups;
	char name[8];
	unsigned i;

	shelf_add_user(s, 1, "alice");
	for (i = 0; i <= USER_GROUPS_MAX; i++) {
		assert_int_equal(users_groups(s->db, 1, &groups), DK_OK);
		assert_int_equal(groups.n, i);
		(void)snprintf(name, sizeof(name), "g%u", i);
		assert_int_equal(
		    users_group_add(s->db, 1, str_from(name)), DK_OK);
	}
	assert_int_equal(users_groups(s->db, 1, &groups), DK_ERR_TOO_LARGE);
	assert_int_equal(groups.n, 0);
}

/* A format with one %0…d or two: a text of that many zeros. */
static void
fill_in(char *sql, size_t size, const char *format)
{
	size_t n = 0, width;
	char *end;

	for (; *format != '\0'; format++) {
		assert_true(n + 1 < size);
		if (*format != '%') {
			sql[n++] = *format;
			continue;
		}
		width = strtoul(format + 1, &end, 10);
		assert_true(n + width + 1 < size);
		memset(sql + n, '0', width);
		n += width;
		format = end; /* the d */
	}
	sql[n] = '\0';
}

/* A row that somebody changed by hand is an error, never cut to fit. */
static void
refuses_a_row_that_does_not_fit(void **state)
{
	static const char *const changes[] = {
		"UPDATE users SET email = '%0300d'",
		"UPDATE users SET display_name = '%0129d'",
		"UPDATE users SET password_hash = '%0256d'",
		"UPDATE users SET username = '%065d', username_key = '%065d'",
		/* PostgreSQL keeps no NUL in a text. */
		"UPDATE users SET display_name = 'a' || char(0) || 'b'",
	};
	struct shelf *s = *state;
	struct user_row row;
	char sql[800];
	bool found;
	size_t i, n = sizeof(changes) / sizeof(changes[0]);

	if (!engine_is_sqlite(s->file))
		n--;
	for (i = 0; i < n; i++) {
		shelf_add_user(s, 1, "alice");
		fill_in(sql, sizeof(sql), changes[i]);
		(void)shelf_sql(s, sql);
		assert_int_equal(
		    users_get_by_id(s->db, 1, &row, &found), DK_ERR_STORE);
		assert_false(found);
		assert_true(row.id == 0);
		assert_int_equal(users_delete(s->db, 1), DK_OK);
	}
	/* The greatest that fits comes whole. */
	shelf_add_user(s, 1, "alice");
	fill_in(sql, sizeof(sql),
	    "UPDATE users SET email = '%0254d', display_name = '%0128d'");
	(void)shelf_sql(s, sql);
	row = get(s, "alice");
	assert_int_equal(strlen(row.email), USER_EMAIL_MAX);
	assert_int_equal(strlen(row.display_name), USER_DISPLAY_NAME_MAX);
}

/* INTERFACE 7, by a second connection with its defaults */
static void
the_shell_disables_a_user(void **state)
{
	struct shelf *s = *state;
	struct session_row a = shelf_session(1, 1);

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	shelf_add_session(s, &a);
	(void)shelf_sql(
	    s, "UPDATE users SET disabled=1 WHERE username='alice'");
	assert_true(get(s, "alice").disabled);
	assert_false(get(s, "bob").disabled);
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM sessions"), 0);
	assert_int_equal(shelf_sql(s,
			     "SELECT disabled_at > 1600000000000 FROM users"
			     " WHERE username='alice'"),
	    1);
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM recent_events WHERE"
			     " event='user_disabled' AND username='alice'"),
	    1);
	assert_int_equal(
	    shelf_sql(s, "SELECT count(*) FROM events WHERE actor='sql'"), 1);
	/* Once more changes nothing, and it can be undone. */
	(void)shelf_sql(
	    s, "UPDATE users SET disabled=1 WHERE username='alice'");
	assert_int_equal(shelf_sql(s, "SELECT count(*) FROM events"), 1);
	(void)shelf_sql(
	    s, "UPDATE users SET disabled=0 WHERE username='alice'");
	assert_false(get(s, "alice").disabled);
	assert_int_equal(shelf_sql(s,
			     "SELECT disabled_at IS NULL FROM users"
			     " WHERE username='alice'"),
	    1);
	assert_int_equal(shelf_sql(s,
			     "SELECT count(*) FROM recent_events WHERE"
			     " event='user_enabled'"),
	    1);
}

static void
the_shell_deletes_a_user_with_all_that_is_theirs(void **state)
{
	static const char *const tables[] = { "user_groups", "sessions",
		"devices", "one_use_links", "second_factors",
		"recovery_codes" };
	struct shelf *s = *state;
	struct session_row a = shelf_session(1, 1), b = shelf_session(2, 2);
	char sql[160];
	size_t i;

	shelf_add_user(s, 1, "alice");
	shelf_add_user(s, 2, "bob");
	shelf_add_session(s, &a);
	shelf_add_session(s, &b);
	for (i = 1; i <= 2; i++) {
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO user_groups VALUES (%zu, 'g')", i);
		(void)shelf_sql(s, sql);
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO devices VALUES (x'%064zx', %zu, 1, 1)", i, i);
		(void)shelf_sql(s, sql);
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO one_use_links VALUES (%zu, x'%064zx', 1, 1)",
		    i, i);
		(void)shelf_sql(s, sql);
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO second_factors VALUES (%zu, x'00', 1, 1)", i);
		(void)shelf_sql(s, sql);
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO recovery_codes VALUES (%zu, x'%064zx')", i,
		    i);
		(void)shelf_sql(s, sql);
	}
	(void)shelf_sql(s, "DELETE FROM users WHERE username='alice'");
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		(void)snprintf(
		    sql, sizeof(sql), "SELECT sum(user_id) FROM %s", tables[i]);
		assert_int_equal(shelf_sql(s, sql), 2);
	}
}

static const struct {
	const char *begins, *group;
	enum user_state_filter state;
	const char *found; /* in order */
} searches[] = {
	{ NULL, NULL, USERS_ALL, "alice bob carol dave erin" },
	{ "", "", USERS_ENABLED, "alice bob dave erin" },
	{ NULL, NULL, USERS_DISABLED, "carol" },
	{ "AL", NULL, USERS_ALL, "alice" },
	{ "c", NULL, USERS_ALL, "alice carol" }, /* a person, a name */
	{ "team@", NULL, USERS_ALL, "bob erin" },
	{ "Team@B", NULL, USERS_ALL, "bob" },
	{ "c", "staff", USERS_ALL, "alice" },
	{ "c", NULL, USERS_DISABLED, "carol" },
	{ NULL, "staff", USERS_ALL, "alice dave" },
	{ NULL, "staff", USERS_DISABLED, "" },
	{ NULL, "Staff", USERS_ALL, "" },
	{ "\303\204", NULL, USERS_ALL, "dave" }, /* \304 is no prefix of it */
	{ "%", NULL, USERS_ALL, "" },
	{ "_", NULL, USERS_ALL, "" },
	{ "'", NULL, USERS_ALL, "erin" },
	{ "li", NULL, USERS_ALL, "" }, /* a beginning, not a piece */
};

static void
add_people(struct shelf *s)
{
	static const struct {
		const char *name, *person, *email;
	} people[] = { { "alice", "Cooper, Alice", "a@example.org" },
		{ "bob", "Bob", "Team@b.example" }, { "carol", "", "" },
		{ "dave", "\303\204nne D.", "" },
		{ "erin", "' OR 1=1 --", "team@a.example" } };
	struct user_row row;
	size_t i;

	for (i = 0; i < 5; i++) {
		row = (struct user_row){ .id = 100 - (int64_t)i };
		(void)snprintf(row.username, sizeof(row.username), "%s",
		    people[i].name);
		(void)snprintf(row.display_name, sizeof(row.display_name),
		    "%s", people[i].person);
		(void)snprintf(
		    row.email, sizeof(row.email), "%s", people[i].email);
		assert_int_equal(
		    users_add(s->db, &row, str_from(row.username)), DK_OK);
	}
	assert_int_equal(users_set_disabled(s->db, 98, true, NOW), DK_OK);
	assert_int_equal(users_group_add(s->db, 100, STR("staff")), DK_OK);
	assert_int_equal(users_group_add(s->db, 97, STR("staff")), DK_OK);
}

static void
must_find(struct shelf *s, size_t i)
{
	const struct user_filter filter = { .begins =
						str_from(searches[i].begins),
		.group = str_from(searches[i].group),
		.state = searches[i].state };
	struct page page = { .n = 0 };
	struct str after = STR_NONE;
	char text[512];
	struct buf b;
	size_t before, k;

	do { /* page by page, and every page ends where the next begins */
		before = page.n;
		assert_int_equal(
		    users_find(s->db, &filter, after, 1, take, &page), DK_OK);
		if (page.n > 0)
			after = str_from(page.names[page.n - 1]);
	} while (page.n > before);
	BUF_OVER(&b, text);
	for (k = 0; k < page.n; k++)
		buf_addf(&b, "%s%s", k > 0 ? " " : "", page.names[k]);
	if (strcmp(buf_z(&b), searches[i].found) != 0)
		fail_msg("search %zu: \"%s\"", i, buf_z(&b));
}

static void
finds_people_by_how_they_begin_by_group_and_state(void **state)
{
	struct shelf *s = *state;
	size_t i;

	add_people(s);
	for (i = 0; i < sizeof(searches) / sizeof(searches[0]); i++)
		must_find(s, i);
}

/* Whatever statement is taken: common beginnings and large groups, too. */
static void
finds_the_same_where_many_begin_alike(void **state)
{
	struct shelf *s = *state;
	struct user_row row;
	int64_t i;
	size_t k;

	add_people(s);
	assert_int_equal(db_begin(s->db, DB_WRITE), DK_OK);
	for (i = 0; i < 2100; i++) {
		row = (struct user_row){ .id = 1000 + i };
		(void)snprintf(row.username, sizeof(row.username), "z%04d",
		    (int)i);
		(void)snprintf(row.display_name, sizeof(row.display_name),
		    "crowd %d", (int)i);
		assert_int_equal(
		    users_add(s->db, &row, str_from(row.username)), DK_OK);
		assert_int_equal(
		    users_group_add(s->db, row.id, STR("crowd")), DK_OK);
	}
	assert_int_equal(db_commit(s->db), DK_OK);
	for (k = 3; k < sizeof(searches) / sizeof(searches[0]); k++) {
		struct page page = { .n = 0 };
		const struct user_filter filter = {
			.begins = str_from(searches[k].begins),
			.group = str_from(searches[k].group),
			.state = searches[k].state
		};

		assert_int_equal(
		    users_find(s->db, &filter, STR("z"), 1, take, &page),
		    DK_OK);
		assert_int_equal(page.n,
		    searches[k].begins != NULL &&
			strcmp(searches[k].begins, "c") == 0 &&
			searches[k].group == NULL &&
			searches[k].state == USERS_ALL);
	}
	for (k = 0; k < 2; k++) { /* both common */
		struct page page = { .n = 0 };
		const struct user_filter filter = { .begins = STR("CRO"),
			.group = k == 0 ? STR("crowd") : STR("staff") };

		assert_int_equal(users_find(s->db, &filter, STR("z2097"), 9,
				     take, &page),
		    DK_OK);
		assert_int_equal(page.n, k == 0 ? 2 : 0);
	}
}

static void
refuses_to_look_for_too_long_a_text(void **state)
{
	struct shelf *s = *state;
	char text[USER_BEGINS_MAX + 2];
	struct user_filter filter = { .begins = { text, USER_BEGINS_MAX } };
	struct page page = { .n = 0 };

	memset(text, 'a', sizeof(text));
	assert_int_equal(
	    users_find(s->db, &filter, STR(""), 9, take, &page), DK_OK);
	filter.begins.n++;
	assert_int_equal(users_find(s->db, &filter, STR(""), 9, take, &page),
	    DK_ERR_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHELF_TEST(gives_back_what_was_added),
		SHELF_TEST(an_absent_user_is_an_answer_and_no_error),
		SHELF_TEST(one_name_is_one_user_whatever_its_case),
		SHELF_TEST(changes_only_what_was_asked_for),
		SHELF_TEST(rehashes_only_the_hash_that_was_verified),
		SHELF_TEST(a_disabled_user_has_no_sessions),
		SHELF_TEST(what_belongs_to_a_user_goes_with_the_user),
		SHELF_TEST(lists_users_page_by_page_in_name_order),
		SHELF_TEST(finds_people_by_how_they_begin_by_group_and_state),
		SHELF_TEST(finds_the_same_where_many_begin_alike),
		SHELF_TEST(refuses_to_look_for_too_long_a_text),
		SHELF_TEST(keeps_groups_in_order_and_once),
		SHELF_TEST(too_many_groups_are_an_error_and_none_is_left_out),
		SHELF_TEST(refuses_a_row_that_does_not_fit),
		SHELF_TEST(the_shell_disables_a_user),
		SHELF_TEST(the_shell_deletes_a_user_with_all_that_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
