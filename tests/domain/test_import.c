/* Moving in: what is taken of an account, what is refused, what stays. */
#include "fixture.h"

#include "domain/import.h"
#include "domain/link.h"

#define SHA_OF_PW  "{SHA}H5CQsPd3Mi7M+rcAd04YFZWatcg="
#define IMPORTED_PW "correct horse 9"

static enum import_result
take(struct stand *s, const struct import *in, bool replace, bool *weak)
{
	enum import_result result;
	const char *scheme;

	assert_int_equal(import_account(&s->dom, &stand_asker, in, replace, NOW,
			     &result, weak, &scheme),
	    DK_OK);
	assert_non_null(scheme);
	return result;
}

static bool
signs_in(struct stand *s, const char *name, const char *pw)
{
	struct user_row user;
	bool ok;

	assert_int_equal(account_authenticate(&s->dom, &stand_asker,
			     str_from(name), str_from(pw), NOW, &user, &ok),
	    DK_OK);
	return ok;
}

/* DK-P-03 */
static void
an_account_moves_in_with_its_password(void **state)
{
	static const struct str groups[] = { { "staff", 5 }, { "press", 5 } };
	const struct import in = { .name = STR("Ida"),
		.hash = STR(SHA_OF_PW),
		.display_name = STR("Ida B."),
		.email = STR("ida@example.org"),
		.groups = groups,
		.n_groups = 2 };
	struct stand *s = *state;
	struct group_list list;
	struct user_row user;
	bool weak;

	assert_int_equal(take(s, &in, false, &weak), IMPORT_ADDED);
	assert_true(weak);
	stand_get_user(s, STR("ida"), &user);
	assert_string_equal(user.username, "Ida");
	assert_string_equal(user.display_name, "Ida B.");
	assert_string_equal(user.email, "ida@example.org");
	assert_string_equal(user.password_hash, SHA_OF_PW);
	assert_int_equal(account_groups(&s->dom, user.id, &list), DK_OK);
	assert_int_equal(list.n, 2);
	assert_false(signs_in(s, "ida", "correct horse 8"));
	assert_true(signs_in(s, "ida", IMPORTED_PW));
	/* From then on it is one of ours (DK-P-07). */
	stand_get_user(s, STR("ida"), &user);
	assert_true(
	    str_starts(str_from(user.password_hash), STR("$argon2id$")));
	assert_true(signs_in(s, "ida", IMPORTED_PW));
}

static void
who_is_there_stays_unless_it_is_said(void **state)
{
	const struct import in = { .name = STR("alice"),
		.hash = STR(SHA_OF_PW),
		.email = STR("new@example.org") };
	const struct import bare = { .name = STR("alice"),
		.hash = STR_NONE,
		.disabled = true };
	struct stand *s = *state;
	struct user_row user;
	bool weak;

	stand_add_user(s, STR("alice"));
	assert_int_equal(take(s, &in, false, &weak), IMPORT_EXISTS);
	assert_true(signs_in(s, "alice", PW));
	assert_int_equal(take(s, &in, true, &weak), IMPORT_REPLACED);
	assert_false(signs_in(s, "alice", PW));
	assert_true(signs_in(s, "alice", IMPORTED_PW));
	stand_get_user(s, STR("alice"), &user);
	assert_string_equal(user.email, "new@example.org");
	/* Without a hash the password stays; with "disabled" nobody gets in. */
	assert_int_equal(take(s, &bare, true, &weak), IMPORT_REPLACED);
	assert_false(weak);
	stand_get_user(s, STR("alice"), &user);
	assert_true(user.disabled && user.password_hash[0] != '\0');
	assert_string_equal(user.email, "new@example.org");
	assert_false(signs_in(s, "alice", IMPORTED_PW));
}

/* DK-P-04, DK-P-05: and nothing of such a line is kept. */
static void
what_cannot_be_taken_leaves_nothing(void **state)
{
	static const struct str odd[] = { { "st aff", 6 } };
	static const struct {
		struct import in;
		enum import_result result;
	} rows[] = {
		{ { .name = STR("bad name"), .hash = STR(SHA_OF_PW) },
		    IMPORT_BAD_NAME },
		{ { .name = STR(""), .hash = STR(SHA_OF_PW) },
		    IMPORT_BAD_NAME },
		{ { .name = STR("ida"), .hash = STR("rl.3StKT.4T8M") },
		    IMPORT_BAD_HASH },
		{ { .name = STR("ida"),
		      .hash = STR("$2y$31$abcdefghijklmnopqrstuuJ1eS4a7MXLbfI0"
				  "VfGZ0bXnCUaD8eCnu") },
		    IMPORT_TOO_COSTLY },
		{ { .name = STR("ida"), .email = STR("nobody") },
		    IMPORT_BAD_FIELD },
		{ { .name = STR("ida"), .display_name = STR("a\nb") },
		    IMPORT_BAD_FIELD },
		{ { .name = STR("ida"), .groups = odd, .n_groups = 1 },
		    IMPORT_BAD_FIELD },
	};
	struct stand *s = *state;
	bool weak;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (take(s, &rows[i].in, false, &weak) != rows[i].result)
			fail_msg("row %zu", i);
		assert_int_equal(
		    engine_sql(s->file, "SELECT count(*) FROM users"), 0);
	}
	/* Of somebody who is there nothing is changed by half either. */
	stand_add_user(s, STR("ida"));
	for (i = 4; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (take(s, &rows[i].in, true, &weak) != IMPORT_BAD_FIELD)
			fail_msg("row %zu", i);
	assert_true(signs_in(s, "ida", PW));
	assert_int_equal(
	    engine_sql(s->file, "SELECT count(*) FROM user_groups"), 0);
}

static void
replacing_a_password_ends_the_sessions(void **state)
{
	const struct import in = { .name = STR("alice"),
		.hash = STR(SHA_OF_PW) };
	const struct session_start how = { .level = 1, .event = "sign_in" };
	struct stand *s = *state;
	struct session session;
	struct user_row user;
	bool refused, weak;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &user);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how, NOW,
			     &session, &refused),
	    DK_OK);
	assert_int_equal(
	    engine_sql(s->file, "SELECT count(*) FROM sessions"), 1);
	assert_int_equal(take(s, &in, true, &weak), IMPORT_REPLACED);
	assert_int_equal(
	    engine_sql(s->file, "SELECT count(*) FROM sessions"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(an_account_moves_in_with_its_password),
		STAND_TEST(who_is_there_stays_unless_it_is_said),
		STAND_TEST(what_cannot_be_taken_leaves_nothing),
		STAND_TEST(replacing_a_password_ends_the_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
