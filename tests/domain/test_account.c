#include "fixture.h"

static enum dk_err
try(struct stand *s, struct str name, struct str pw, struct user_row *user,
    bool *ok)
{
	return account_authenticate(
	    &s->dom, &stand_asker, name, pw, NOW, user, ok);
}

static bool
gets_in(struct stand *s, struct str name, struct str pw)
{
	struct user_row user;
	bool ok;

	assert_int_equal(try(s, name, pw, &user, &ok), DK_OK);
	assert_int_equal(ok, user.id != 0);
	return ok;
}

/* DK-L-13 */
static void
takes_only_names_that_cannot_be_mistaken(void **state)
{
	static const struct {
		struct str name;
		bool valid;
	} cases[] = { { { "alice", 5 }, true }, { { "A", 1 }, true },
		{ { "7of9", 4 }, true },
		{ { "a.b_c-d+e@example.org", 21 }, true }, { { "", 0 }, false },
		{ { NULL, 0 }, false }, { { ".alice", 6 }, false },
		{ { "-alice", 6 }, false }, { { "@alice", 6 }, false },
		{ { " alice", 6 }, false }, { { "alice ", 6 }, false },
		{ { "al ice", 6 }, false }, { { "alice\n", 6 }, false },
		{ { "alice\0", 6 }, false }, { { "ali/ce", 6 }, false },
		{ { "ali:ce", 6 }, false }, { { "ali,ce", 6 }, false },
		{ { "ali*ce", 6 }, false }, { { "ali'ce", 6 }, false },
		{ { "ali%ce", 6 }, false },
		{ { "\xef\xbd\x81lice", 7 }, false },	 /* wide a */
		{ { "al\xe2\x80\x8bice", 8 }, false },	 /* zero width */
		{ { "\xd0\xb0lice", 6 }, false },	 /* Cyrillic a */
		{ { "al\xe2\x80\xaeice", 8 }, false } }; /* override */
	char key[USER_NAME_MAX + 1], longest[USER_NAME_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (account_name_is_valid(cases[i].name) != cases[i].valid ||
		    account_key(cases[i].name, key) != cases[i].valid)
			fail_msg("case %zu", i);
		if (!cases[i].valid)
			assert_string_equal(key, "");
	}
	memset(longest, 'x', sizeof(longest));
	assert_true(
	    account_name_is_valid((struct str){ longest, USER_NAME_MAX }));
	assert_false(
	    account_name_is_valid((struct str){ longest, USER_NAME_MAX + 1 }));
	assert_true(account_key(STR("Alice.@Z9"), key));
	assert_string_equal(key, "alice.@z9");
}

/* DK-L-13: one name whatever its case; it is shown as it was registered. */
static void
a_name_exists_once_in_any_case(void **state)
{
	const struct account_new again = { .name = STR("ALICE") };
	struct stand *s = *state;
	enum password_flaw flaw;
	struct user_row user;
	int64_t before;
	bool found;

	stand_add_user(s, STR("Alice"));
	before = stand_last_event(s).id;
	assert_int_equal(account_add(&s->dom, &stand_asker, &again, NOW, &flaw),
	    DK_ERR_CONFLICT);
	assert_int_equal(stand_last_event(s).id, before);
	assert_int_equal(
	    account_get(&s->dom, STR("aLiCe"), &user, &found), DK_OK);
	assert_true(found);
	assert_string_equal(user.username, "Alice");
	assert_true(user.id > 0);
	assert_int_equal(
	    account_get(&s->dom, STR("alice2"), &user, &found), DK_OK);
	assert_false(found);
	assert_int_equal(
	    account_get(&s->dom, STR("not a name"), &user, &found), DK_OK);
	assert_false(found);
}

/* DK-E-03 */
static void
adds_with_profile_groups_and_event(void **state)
{
	const struct str groups[] = { STR("staff"), STR("staff"),
		STR("readers") };
	const struct account_new user = { .name = STR("bob"),
		.display_name = STR("Bob \xc3\x89"),
		.email = STR("bob@example.org"),
		.groups = groups,
		.n_groups = 3 };
	struct stand *s = *state;
	enum password_flaw flaw;
	struct group_list list;
	struct user_row row;

	assert_int_equal(
	    account_add(&s->dom, &stand_asker, &user, NOW, &flaw), DK_OK);
	stand_get_user(s, STR("bob"), &row);
	assert_string_equal(row.display_name, "Bob \xc3\x89");
	assert_string_equal(row.email, "bob@example.org");
	assert_string_equal(row.password_hash, "");
	assert_int_equal(row.created_at_ms, NOW);
	assert_int_equal(account_groups(&s->dom, row.id, &list), DK_OK);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.name[0], "readers");
	assert_string_equal(stand_last_event(s).event, "user_added");
	assert_string_equal(stand_last_event(s).username, "bob");
	/* DK-P-05: who has no password does not get in with an empty one. */
	assert_false(gets_in(s, STR("bob"), STR("")));
	assert_false(gets_in(s, STR("bob"), STR_NONE));
	assert_false(gets_in(s, STR("bob"), STR(PW)));
}

static void
refuses_malformed_accounts(void **state)
{
	const struct str bad_group = STR("a,b"),
			 groups[USER_GROUPS_MAX + 1] = { STR("g") };
	const struct {
		struct account_new user;
		enum dk_err err;
		enum password_flaw flaw;
	} cases[] = {
		{ { .name = STR("no spaces") }, DK_ERR_INPUT, PASSWORD_FINE },
		{ { .name = STR("c"), .email = STR("nobody") }, DK_ERR_INPUT,
		    PASSWORD_FINE },
		{ { .name = STR("c"), .email = STR("a@b@c") }, DK_ERR_INPUT,
		    PASSWORD_FINE },
		{ { .name = STR("c"), .email = STR("-oQ/tmp@b") }, DK_ERR_INPUT,
		    PASSWORD_FINE },
		{ { .name = STR("c"), .email = STR("a@b\nBcc: d@e") },
		    DK_ERR_INPUT, PASSWORD_FINE },
		{ { .name = STR("c"), .email = STR("a,b@c") }, DK_ERR_INPUT,
		    PASSWORD_FINE },
		{ { .name = STR("c"), .email = STR("\xc3\xa9@c") },
		    DK_ERR_INPUT, PASSWORD_FINE },
		{ { .name = STR("c"), .display_name = STR("a\x1b[2J") },
		    DK_ERR_INPUT, PASSWORD_FINE },
		{ { .name = STR("c"), .display_name = STR("a\xff") },
		    DK_ERR_INPUT, PASSWORD_FINE },
		{ { .name = STR("c"), .groups = &bad_group, .n_groups = 1 },
		    DK_ERR_INPUT, PASSWORD_FINE },
		{ { .name = STR("c"),
		      .groups = groups,
		      .n_groups = USER_GROUPS_MAX + 1 },
		    DK_ERR_TOO_LARGE, PASSWORD_FINE },
		{ { .name = STR("c"), .pw = STR("short") }, DK_ERR_INPUT,
		    PASSWORD_TOO_SHORT },
		{ { .name = STR("c"), .pw = STR("") }, DK_ERR_INPUT,
		    PASSWORD_TOO_SHORT },
	};
	struct stand *s = *state;
	enum password_flaw flaw;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (account_add(&s->dom, &stand_asker, &cases[i].user, NOW,
			&flaw) != cases[i].err ||
		    flaw != cases[i].flaw)
			fail_msg("case %zu", i);
	assert_int_equal(account_count(&s->dom, &n), DK_OK);
	assert_int_equal(n, 0);
	assert_int_equal(stand_last_event(s).id, 0);
}

static void
lets_the_right_password_in(void **state)
{
	struct stand *s = *state;
	struct user_row user;
	bool ok;

	stand_add_user(s, STR("Alice"));
	assert_int_equal(try(s, STR("alice"), STR(PW), &user, &ok), DK_OK);
	assert_true(ok);
	assert_string_equal(user.username, "Alice");
	/* The event of a success is the session's. */
	assert_string_equal(stand_last_event(s).event, "user_added");
	assert_true(gets_in(s, STR("ALICE"), STR(PW)));
	assert_false(gets_in(s, STR("alice"), STR(PW " ")));
	assert_false(gets_in(s, STR("alice "), STR(PW)));
	assert_false(gets_in(s, STR("alice"), STR("")));
}

/* DK-T-07, DK-T-11, DK-E-03: the same to the caller, told apart in the trail,
 * where the name of nobody does not stand. */
static void
refuses_unknown_wrong_and_disabled_alike(void **state)
{
	static const struct {
		struct str name, pw;
		const char *username, *detail;
	} cases[] = {
		{ { "nobody", 6 }, { PW, 20 }, "", "unknown name" },
		{ { "my secret! 1", 12 }, { "x", 1 }, "", "unknown name" },
		{ { NULL, 0 }, { NULL, 0 }, "", "unknown name" },
		{ { "alice", 5 }, { "a wrong pass phrase", 19 }, "Alice",
		    "wrong password" },
		{ { "carol", 5 }, { PW, 20 }, "carol", "disabled" },
		{ { "carol", 5 }, { "a wrong pass phrase", 19 }, "carol",
		    "wrong password" },
	};
	const struct user_row empty = { 0 };
	struct stand *s = *state;
	struct stand_event e;
	struct user_row user;
	char text[4096];
	bool ok;
	size_t i;

	stand_add_user(s, STR("Alice"));
	stand_add_user(s, STR("carol"));
	stand_get_user(s, STR("carol"), &user);
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_OK);
	stand_catch(s);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&user, 0xa5, sizeof(user));
		ok = true;
		assert_int_equal(
		    try(s, cases[i].name, cases[i].pw, &user, &ok), DK_OK);
		assert_false(ok);
		assert_memory_equal(&user, &empty, sizeof(user));
		e = stand_last_event(s);
		assert_string_equal(e.event, "sign_in");
		assert_string_equal(e.outcome, "failure");
		assert_string_equal(e.username, cases[i].username);
		assert_string_equal(e.detail, cases[i].detail);
		assert_string_equal(e.ip, "192.0.2.7");
		assert_int_equal(e.has_username, cases[i].username[0] != '\0');
	}
	stand_caught(s, text, sizeof(text));
	/* DK-P-11, DK-E-05: neither in the log */
	assert_null(strstr(text, "my secret"));
	assert_null(strstr(text, "pass phrase"));
	assert_null(strstr(text, "nobody"));
	assert_null(strstr(text, "$argon2id"));
}

/* DK-P-11: the password itself stands nowhere in the store's files. */
static void
keeps_no_password_in_its_files(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm", "-hash" };
	struct stand *s = *state;
	char path[128], *bytes = malloc(4 << 20);
	size_t i, n;
	FILE *f;

	assert_non_null(bytes);
	stand_add_user(s, STR("alice"));
	assert_true(gets_in(s, STR("alice"), STR(PW)));
	assert_false(gets_in(s, STR("alice"), STR(PW PW)));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)stand_own_file(s, names[i], path);
		f = fopen(path, "re");
		assert_non_null(f);
		n = fread(bytes, 1, 4 << 20, f);
		(void)fclose(f);
		assert_null(memmem(bytes, n, PW, sizeof(PW) - 1));
	}
	free(bytes);
}

/* DK-P-02 */
static void
replaces_the_hash_when_the_cost_changed(void **state)
{
	struct stand *s = *state;
	struct user_row old, user, now;
	bool ok;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &old);
	assert_true(gets_in(s, STR("alice"), STR(PW)));
	stand_get_user(s, STR("alice"), &now);
	assert_string_equal(now.password_hash, old.password_hash);
	s->conf.argon2_passes = 2;
	assert_false(gets_in(s, STR("alice"), STR("a wrong pass phrase")));
	stand_get_user(s, STR("alice"), &now);
	assert_string_equal(now.password_hash, old.password_hash);
	assert_int_equal(try(s, STR("alice"), STR(PW), &user, &ok), DK_OK);
	assert_true(ok);
	stand_get_user(s, STR("alice"), &now);
	assert_true(str_starts(str_from(now.password_hash),
	    STR("$argon2id$v=19$m=1024,t=2,p=1$")));
	assert_string_equal(user.password_hash, now.password_hash);
	assert_int_equal(
	    now.password_changed_at_ms, old.password_changed_at_ms);
	assert_true(gets_in(s, STR("alice"), STR(PW)));
}

static bool
sign_in_fully(struct stand *s, int number)
{
	const struct session_start how = { .level = 1, .event = "sign_in" };
	struct session session;
	struct user_row user;
	bool ok, refused;

	(void)number;
	s->conf.argon2_passes = 2;
	return try(s, STR("alice"), STR(PW), &user, &ok) == DK_OK && ok &&
	    session_start(&s->dom, &stand_asker, &user, &how, NOW, &session,
		&refused) == DK_OK &&
	    !refused;
}

/* DK-P-02, DK-Z-03: two browsers at once, and the cost has changed: the one
 * whose new hash comes too late is let in as well. */
static void
parallel_sign_ins_survive_each_others_new_hash(void **state)
{
	struct stand *s = *state;

	stand_add_user(s, STR("alice"));
	assert_int_equal(stand_parallel(s, 6, sign_in_fully), 6);
	assert_true(gets_in(s, STR("alice"), STR(PW)));
}

/* DK-S-13, DK-E-03 */
static void
a_new_password_ends_the_other_sessions(void **state)
{
	struct session here, there;
	struct stand *s = *state;
	enum password_flaw flaw;
	struct user_row user;

	stand_add_user(s, STR("alice"));
	stand_sign_in(s, STR("alice"), NOW, &here);
	stand_sign_in(s, STR("alice"), NOW, &there);
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(account_set_password(&s->dom, &stand_asker, &user,
			     STR("short"), NOW, &flaw),
	    DK_ERR_INPUT);
	assert_int_equal(flaw, PASSWORD_TOO_SHORT);
	assert_int_equal(stand_check(s, &there, NOW), SESSION_LIVE);
	assert_int_equal(account_set_password(&s->dom, &stand_asker, &user,
			     STR("another pass phrase 8"), NOW + 5, &flaw),
	    DK_OK);
	assert_int_equal(flaw, PASSWORD_FINE);
	assert_string_equal(stand_last_event(s).event, "password_changed");
	assert_int_equal(stand_check(s, &here, NOW), SESSION_NONE);
	assert_int_equal(stand_check(s, &there, NOW), SESSION_NONE);
	assert_false(gets_in(s, STR("alice"), STR(PW)));
	assert_true(gets_in(s, STR("alice"), STR("another pass phrase 8")));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(user.password_changed_at_ms, NOW + 5);
}

/* DK-S-12 */
static void
disabling_and_deleting_act_at_once(void **state)
{
	struct session session;
	struct stand *s = *state;
	struct user_row user;
	bool found;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	stand_sign_in(s, STR("alice"), NOW, &session);
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_OK);
	assert_string_equal(stand_last_event(s).event, "user_disabled");
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
	assert_false(gets_in(s, STR("alice"), STR(PW)));
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, false, NOW),
	    DK_OK);
	assert_string_equal(stand_last_event(s).event, "user_enabled");
	/* What was ended stays ended. */
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
	assert_true(gets_in(s, STR("alice"), STR(PW)));
	stand_sign_in(s, STR("alice"), NOW, &session);
	assert_int_equal(
	    account_delete(&s->dom, &stand_asker, &user, NOW), DK_OK);
	assert_string_equal(stand_last_event(s).event, "user_deleted");
	assert_int_equal(stand_check(s, &session, NOW), SESSION_NONE);
	assert_int_equal(
	    account_get(&s->dom, STR("alice"), &user, &found), DK_OK);
	assert_false(found);
}

static void
groups_come_and_go_within_their_bound(void **state)
{
	struct stand *s = *state;
	struct group_list list;
	struct user_row user;
	char name[16];
	int i;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(account_set_group(&s->dom, &stand_asker, &user,
			     STR("no,comma"), true, NOW),
	    DK_ERR_INPUT);
	for (i = 0; i < USER_GROUPS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "g%d", i);
		assert_int_equal(account_set_group(&s->dom, &stand_asker, &user,
				     str_from(name), true, NOW),
		    DK_OK);
	}
	assert_string_equal(stand_last_event(s).event, "group_added");
	assert_string_equal(stand_last_event(s).detail, "g31");
	/* A member already; one too many; room again. */
	assert_int_equal(account_set_group(&s->dom, &stand_asker, &user,
			     STR("g0"), true, NOW),
	    DK_OK);
	assert_int_equal(account_set_group(&s->dom, &stand_asker, &user,
			     STR("more"), true, NOW),
	    DK_ERR_TOO_LARGE);
	assert_int_equal(account_set_group(&s->dom, &stand_asker, &user,
			     STR("g0"), false, NOW),
	    DK_OK);
	assert_string_equal(stand_last_event(s).event, "group_removed");
	assert_int_equal(account_set_group(&s->dom, &stand_asker, &user,
			     STR("more"), true, NOW),
	    DK_OK);
	assert_int_equal(account_groups(&s->dom, user.id, &list), DK_OK);
	assert_int_equal(list.n, USER_GROUPS_MAX);
}

/* DK-Z-03, DK-E-02: no event, no act; no answer, no entry. */
static void
denies_when_the_store_fails(void **state)
{
	struct stand *s = *state;
	enum password_flaw flaw;
	struct user_row user, now;
	bool ok;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	stand_catch(s);
	(void)stand_sql(s, "ALTER TABLE events RENAME TO elsewhere");
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_ERR_STORE);
	assert_int_equal(
	    account_set_password(&s->dom, &stand_asker, &user,
		STR("another pass phrase 8"), NOW, &flaw),
	    DK_ERR_STORE);
	assert_int_equal(
	    account_delete(&s->dom, &stand_asker, &user, NOW), DK_ERR_STORE);
	stand_get_user(s, STR("alice"), &now);
	assert_memory_equal(&now, &user, sizeof(now));
	(void)stand_sql(s, "ALTER TABLE users RENAME TO nowhere");
	ok = true;
	assert_int_equal(
	    try(s, STR("alice"), STR(PW), &now, &ok), DK_ERR_STORE);
	assert_false(ok);
	assert_int_equal(now.id, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(takes_only_names_that_cannot_be_mistaken),
		STAND_TEST(a_name_exists_once_in_any_case),
		STAND_TEST(adds_with_profile_groups_and_event),
		STAND_TEST(refuses_malformed_accounts),
		STAND_TEST(lets_the_right_password_in),
		STAND_TEST(refuses_unknown_wrong_and_disabled_alike),
		STAND_TEST(keeps_no_password_in_its_files),
		STAND_TEST(replaces_the_hash_when_the_cost_changed),
		STAND_TEST(parallel_sign_ins_survive_each_others_new_hash),
		STAND_TEST(a_new_password_ends_the_other_sessions),
		STAND_TEST(disabling_and_deleting_act_at_once),
		STAND_TEST(groups_come_and_go_within_their_bound),
		STAND_TEST(denies_when_the_store_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
