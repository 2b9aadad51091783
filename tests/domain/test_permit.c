#include "fixture.h"

#include "domain/factor.h"
#include "domain/link.h"
#include "domain/permit.h"
#include "domain/throttle.h"

/* Two administrators, ann and ben, and carl, who is none. */
static void
open_desk(struct stand *s)
{
	static const char *const names[] = { "ann", "ben", "carl" };
	struct user_row user;
	size_t i;

	s->conf.admin_group = STR("admins");
	for (i = 0; i < 3; i++) {
		stand_add_user(s, str_from(names[i]));
		stand_get_user(s, str_from(names[i]), &user);
		if (i < 2)
			assert_int_equal(
			    account_set_group(&s->dom, &stand_asker, &user,
				STR("admins"), true, NOW),
			    DK_OK);
	}
}

static struct asker
desk_of(struct stand *s, struct str name)
{
	struct asker asker = stand_asker;
	struct user_row user;

	stand_get_user(s, name, &user);
	asker.admin_id = user.id;
	return asker;
}

static bool
is_admin(struct stand *s, struct str name)
{
	struct user_row user;
	bool yes;

	stand_get_user(s, name, &user);
	assert_int_equal(permit_is_admin(&s->dom, user.id, &yes), DK_OK);
	return yes;
}

static void
knows_who_has_the_desk(void **state)
{
	struct stand *s = *state;
	bool yes = true;

	open_desk(s);
	assert_true(is_admin(s, STR("ann")));
	assert_true(is_admin(s, STR("ben")));
	assert_false(is_admin(s, STR("carl")));
	assert_int_equal(permit_is_admin(&s->dom, 0, &yes), DK_OK);
	assert_false(yes);
	(void)stand_sql(
	    s, "UPDATE users SET must_change = 1 WHERE username = 'ben'");
	assert_false(is_admin(s, STR("ben")));
	(void)stand_sql(
	    s, "UPDATE users SET disabled = 1 WHERE username = 'ann'");
	assert_false(is_admin(s, STR("ann")));
	/* Without a group nobody has one, not even those in none. */
	s->conf.admin_group = STR_NONE;
	assert_false(is_admin(s, STR("carl")));
	s->conf.admin_group = STR("admin");
	assert_false(is_admin(s, STR("ben")));
}

/* Everything that the desk does, by `asker` to `name`. */
static size_t
count_allowed(struct stand *s, const struct asker *asker, struct str name)
{
	const struct session_filter all = { .user_id = 0 };
	struct user_row user;
	struct secret token;
	size_t n = 0;
	bool flag;
	int64_t many;
	enum dk_err err[9];
	size_t i;

	stand_get_user(s, name, &user);
	err[0] =
	    account_set_group(&s->dom, asker, &user, STR("other"), true, NOW);
	err[1] =
	    account_set_group(&s->dom, asker, &user, STR("admins"), false, NOW);
	err[2] = link_make(&s->dom, asker, &user, NOW, &token);
	err[3] = factor_remove(&s->dom, asker, &user, STR_NONE, NOW, &flag);
	err[4] =
	    session_revoke_user(&s->dom, asker, &user, STR_NONE, NOW, &many);
	err[5] = account_require_change(&s->dom, asker, &user, NOW);
	err[6] = account_set_disabled(&s->dom, asker, &user, true, NOW);
	err[7] = session_revoke_found(
	    &s->dom, asker, &all, STR_NONE, NOW, 10, &many);
	err[8] = account_delete(&s->dom, asker, &user, NOW);
	for (i = 0; i < 9; i++) {
		assert_true(err[i] == DK_OK || err[i] == DK_ERR_DENIED);
		n += err[i] == DK_OK;
	}
	return n;
}

static void
lets_an_administrator_do_it_to_others(void **state)
{
	struct stand *s = *state;
	struct asker ann;

	open_desk(s);
	ann = desk_of(s, STR("ann"));
	assert_int_equal(count_allowed(s, &ann, STR("ben")), 9);
	assert_true(is_admin(s, STR("ann")));
}

/* Nobody can lock everybody out: whoever acts is left as they were. */
static void
lets_nobody_do_it_to_themselves(void **state)
{
	struct stand *s = *state;
	struct asker ann;
	int64_t events;

	open_desk(s);
	ann = desk_of(s, STR("ann"));
	events = stand_sql(s, "SELECT count(*) FROM events");
	/* To end all sessions but one is not done to anybody in particular. */
	assert_int_equal(count_allowed(s, &ann, STR("ann")), 1);
	assert_true(is_admin(s, STR("ann")));
	assert_int_equal(stand_sql(s, "SELECT count(*) FROM events"), events);
}

/* Who was an administrator when the request came may be none by now. */
static void
lets_nobody_go_on_who_is_no_administrator(void **state)
{
	struct stand *s = *state;
	struct asker ben, carl;
	struct user_row user;

	open_desk(s);
	ben = desk_of(s, STR("ben"));
	carl = desk_of(s, STR("carl"));
	assert_int_equal(count_allowed(s, &carl, STR("ann")), 0);
	stand_get_user(s, STR("ben"), &user);
	assert_int_equal(
	    account_set_disabled(&s->dom, &stand_asker, &user, true, NOW),
	    DK_OK);
	assert_int_equal(count_allowed(s, &ben, STR("ann")), 0);
	assert_true(is_admin(s, STR("ann")));
}

/* Ann disables ben while ben disables ann: one of them comes second. */
static void
leaves_one_of_two_who_act_on_each_other(void **state)
{
	struct stand *s = *state;
	struct asker ann, ben;
	struct user_row a, b;

	open_desk(s);
	ann = desk_of(s, STR("ann"));
	ben = desk_of(s, STR("ben"));
	stand_get_user(s, STR("ann"), &a);
	stand_get_user(s, STR("ben"), &b);
	assert_int_equal(
	    account_set_disabled(&s->dom, &ann, &b, true, NOW), DK_OK);
	assert_int_equal(
	    account_set_disabled(&s->dom, &ben, &a, true, NOW), DK_ERR_DENIED);
	assert_true(is_admin(s, STR("ann")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(knows_who_has_the_desk),
		STAND_TEST(lets_an_administrator_do_it_to_others),
		STAND_TEST(lets_nobody_do_it_to_themselves),
		STAND_TEST(lets_nobody_go_on_who_is_no_administrator),
		STAND_TEST(leaves_one_of_two_who_act_on_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
