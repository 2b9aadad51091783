/*
 * Power cuts.  While people sign in, sign out and change passwords, a VFS of
 * ours notes what SQLite writes, in which order, and what it has been told to
 * be on the disk.  Then the power fails at random places of that record: of
 * what was not synced yet, any sectors are there and any are not, written
 * whole or cut.  The store that is left must open and be sound, and whatever
 * had been answered must hold (DK-Z-04, DK-S-11).
 *
 * Names in directories are watched too: one that was made or removed must be
 * on the disk before the store says so.  DK_POWER_CUTS is how many cuts are
 * tried (default 60), DK_POWER_SEED where they begin.
 */
#include "fixture.h"

#include "disk.h"
#include "domain/factor.h"
#include "store/db_admin.h"

enum { SESSIONS_MAX = 64, CHANGES_MAX = 16, PEOPLE = 3, STEPS = 70 };

/* --- what people did --------------------------------------------------------
 * Places are numbers of entries: what is before a place was done by then.
 */
struct span {
	size_t begun, answered; /* SIZE_MAX: never */
};
struct visit {
	int who;
	char cookie[128], token[128];
	struct span in, out;
	int out_by; /* the change of password that ended it, or -1 */
};
struct change {
	int who;
	char pw[64];
	struct span done;
};
static struct {
	struct visit visit[SESSIONS_MAX];
	size_t visits;
	struct change change[CHANGES_MAX];
	size_t changes;
} story;

static const char *const people[PEOPLE] = { "alice", "bob", "carol" };

/* The password of a person after the changes that had been begun by then. */
static const char *
password_at(int who, size_t changes)
{
	while (changes-- > 0)
		if (story.change[changes].who == who)
			return story.change[changes].pw;
	return PW;
}

static void
use(struct desk *d, const struct visit *v)
{
	desk_empty_jar(d);
	desk_set_cookie(d, SESSION, v->cookie);
}

static void
come(struct desk *d)
{
	struct visit *v = &story.visit[story.visits];
	char body[256];

	if (story.visits == SESSIONS_MAX)
		return;
	*v = (struct visit){ .who = (int)dice(PEOPLE),
		.out = { SIZE_MAX, SIZE_MAX },
		.out_by = -1 };
	desk_empty_jar(d);
	(void)snprintf(body, sizeof(body),
	    "{\"username\":\"%s\",\"password\":\"%s\"}", people[v->who],
	    password_at(v->who, story.changes));
	desk_begin_json(d, "/auth/login", body);
	v->in.begun = disk.n;
	assert_int_equal(desk_send(d), 200);
	v->in.answered = disk.n;
	(void)snprintf(
	    v->cookie, sizeof(v->cookie), "%s", desk_cookie(d, SESSION));
	desk_token(d, v->token);
	story.visits++;
}

/* One who is in, or NULL. */
static struct visit *
somebody(void)
{
	size_t tries = 200;

	while (story.visits > 0 && tries-- > 0) {
		struct visit *v = &story.visit[dice((unsigned)story.visits)];

		if (v->out.begun == SIZE_MAX)
			return v;
	}
	return NULL;
}

static void
leave(struct desk *d)
{
	struct visit *v = somebody();
	char body[256];

	if (v == NULL)
		return;
	use(d, v);
	(void)snprintf(body, sizeof(body), "{\"csrf_token\":\"%s\"}", v->token);
	desk_begin_json(d, "/auth/logout", body);
	v->out.begun = disk.n;
	assert_int_equal(desk_send(d), 204);
	v->out.answered = disk.n;
}

/* A new password ends all sessions of the person but the new one. */
static void
change(struct desk *d)
{
	struct change *c = &story.change[story.changes];
	struct visit *v = somebody();
	char body[512];
	size_t i;

	if (v == NULL || story.changes == CHANGES_MAX)
		return;
	use(d, v);
	c->who = v->who;
	(void)snprintf(
	    c->pw, sizeof(c->pw), "another long phrase %zu", story.changes);
	(void)snprintf(body, sizeof(body),
	    "{\"csrf_token\":\"%s\",\"action\":\"change_password\","
	    "\"current_password\":\"%s\",\"new_password\":\"%s\"}",
	    v->token, password_at(v->who, story.changes), c->pw);
	desk_begin_json(d, "/auth/account", body);
	c->done.begun = disk.n;
	if (desk_send(d) != 204)
		fail_msg("%s%s", d->head, d->body);
	c->done.answered = disk.n;
	for (i = 0; i < story.visits; i++)
		if (story.visit[i].who == c->who &&
		    story.visit[i].out.begun == SIZE_MAX) {
			story.visit[i].out = c->done;
			story.visit[i].out_by = (int)story.changes;
		}
	story.changes++;
}

static void
open_store(struct desk *d)
{
	char text[512];
	struct buf message;

	BUF_OVER(&message, text);
	if (domain_open(&d->dom, false, false, &message) != DK_OK)
		fail_msg("%s", text);
}

static void
live(struct desk *d)
{
	int i;

	for (i = 0; i < STEPS; i++) {
		unsigned n = dice(20);

		d->now += 1000;
		(void)desk_sql(d, "DELETE FROM throttle");
		if (n < 9)
			come(d);
		else if (n < 14)
			leave(d);
		else if (n < 17)
			change(d);
		else if (n < 19)
			(void)desk_sql(d, "PRAGMA wal_checkpoint(PASSIVE)");
		else {
			/* The last to close writes back, and removes it. */
			domain_close(&d->dom);
			open_store(d);
		}
	}
}

/* --- judging -----------------------------------------------------------------
 */
static bool
opens(struct desk *d, int who, const char *pw)
{
	char body[256];

	desk_empty_jar(d);
	(void)desk_sql(d, "DELETE FROM throttle");
	(void)snprintf(body, sizeof(body),
	    "{\"username\":\"%s\",\"password\":\"%s\"}", people[who], pw);
	desk_begin_json(d, "/auth/login", body);
	return desk_send(d) == 200;
}

/* The change under way at the cut, when it is in force; -1: there is none. */
static const char *
judge_passwords(struct desk *d, size_t cut, int *landed)
{
	size_t i, done = 0;
	int who, open_one = -1;

	for (i = 0; i < story.changes; i++) {
		if (story.change[i].done.answered <= cut)
			done = i + 1;
		else if (story.change[i].done.begun < cut)
			open_one = (int)i;
	}
	*landed = -1;
	for (who = 0; who < PEOPLE; who++) {
		bool mine = open_one >= 0 && story.change[open_one].who == who;
		bool before = opens(d, who, password_at(who, done));

		if (!mine && !before)
			return "an acknowledged password is not in force";
		if (mine && opens(d, who, story.change[open_one].pw))
			*landed = open_one;
		if (mine && before == (*landed == open_one))
			return "half a change of password";
	}
	return NULL;
}

static const char *
judge_visit(struct desk *d, const struct visit *v, size_t cut, int landed)
{
	bool is_in;

	if (v->in.answered > cut)
		return NULL; /* nobody was told of it */
	use(d, v);
	is_in = desk_is_signed_in(d);
	if (is_in && v->out.answered <= cut)
		return "an acknowledged sign-out is not in force";
	if (!is_in && v->out.begun >= cut)
		return "an acknowledged sign-in is not there";
	/* The change that was under way took all with it, or none. */
	if (v->out.begun < cut && v->out.answered > cut && v->out_by >= 0 &&
	    is_in == (landed == v->out_by))
		return "half a change of password: its sessions";
	return NULL;
}

static const char *
judge(struct desk *d, size_t cut)
{
	const char *wrong;
	char text[512];
	struct buf message;
	int landed = -1;
	bool sound = false;
	size_t i;

	BUF_OVER(&message, text);
	if (domain_open(&d->dom, false, false, &message) != DK_OK)
		return "it does not open";
	/* Both PRAGMA integrity_check and foreign_key_check. */
	if (db_check(d->dom.db, &sound, &message) != DK_OK || !sound)
		return "it is damaged";
	wrong = judge_passwords(d, cut, &landed);
	for (i = 0; wrong == NULL && i < story.visits; i++)
		wrong = judge_visit(d, &story.visit[i], cut, landed);
	return wrong;
}

/* --- tests
 * ---------------------------------------------------------------------
 */
static unsigned long
number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static int
open_power(void **state)
{
	struct desk *d;
	int i;

	(void)desk_open_bare(state);
	d = *state;
	memset(&story, 0, sizeof(story));
	disk_seed((unsigned)number("DK_POWER_SEED", 1));
	desk_move_to_memory(d);
	desk_start(d, "[access]\n/private/ = any\n");
	d->log.least = LOG_LEVEL_ERROR + 1;
	for (i = 0; i < PEOPLE; i++)
		desk_add_user(d, people[i]);
	domain_close(&d->dom);
	disk_start(d->file);
	open_store(d);
	return 0;
}

static int
close_power(void **state)
{
	disk_stop();
	return desk_close(state);
}

/* Live, then cut the power so many times; how many went wrong. */
static unsigned
cut_often(struct desk *d, unsigned long cuts, bool lies)
{
	unsigned bad = 0;
	unsigned long n;

	disk.on = true;
	live(d);
	disk.on = false;
	for (n = 0; n < cuts; n++) {
		size_t cut = dice((unsigned)disk.n + 1);
		const char *wrong;

		domain_close(&d->dom);
		disk_cut(d->file, cut, lies);
		wrong = judge(d, cut);
		bad += wrong != NULL;
		if (wrong != NULL && !lies)
			print_error("cut no. %lu, after %zu of %zu: %s\n", n,
			    cut, disk.n, wrong);
	}
	return bad;
}

/* DK-Z-04, DK-S-11 */
static void
what_was_answered_survives_a_power_cut(void **state)
{
	struct desk *d = *state;
	unsigned bad = cut_often(d, number("DK_POWER_CUTS", 60), false);

	print_message("%zu entries, %zu sign-ins, %zu changes\n", disk.n,
	    story.visits, story.changes);
	assert_true(story.visits > 20 && story.changes > 2);
	assert_int_equal(bad, 0);
}

static void
notices_a_disk_that_lies(void **state)
{
	assert_true(cut_often(*state, 60, true) > 3);
}

/* Markers of ended sessions would let people in by themselves (INTERFACE 5). */
static void
a_markers_end_is_on_the_disk_before_the_answer(void **state)
{
	struct desk *d = *state;
	char more[256], dir[128], body[256], token[128];

	(void)snprintf(dir, sizeof(dir), "%s/markers", d->dir);
	(void)snprintf(more, sizeof(more),
	    "[hosting]\nmarkers = %s\n[access]\n/private/ = any\n", dir);
	web_close(&d->web);
	domain_close(&d->dom);
	desk_start(d, more);
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	assert_int_equal(desk_send(d), 200);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body), "{\"csrf_token\":\"%s\"}", token);
	desk_begin_json(d, "/auth/logout", body);
	disk.names = 0;
	disk.on = true;
	assert_int_equal(desk_send(d), 204);
	disk.on = false;
	assert_int_equal(disk.synced_names, 1);
	assert_int_equal(disk.names, 0);
	/* Its row, which knows of it, goes after it. */
	assert_int_equal(disk.early, 0);
	(void)snprintf(body, sizeof(body), "%s/any", dir);
	assert_int_equal(rmdir(body), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Without its key a second factor is worth nothing: nobody gets in any more. */
static void
the_key_of_the_factors_is_on_the_disk_before_they_are(void **state)
{
	struct desk *d = *state;
	int64_t alice =
	    desk_sql(d, "SELECT id FROM users WHERE username = 'alice'");
	struct totp_seed seed;
	bool begun;

	disk.on = true;
	assert_int_equal(factor_begin(&d->dom, alice, &seed, &begun), DK_OK);
	disk.on = false;
	assert_true(begun);
	assert_int_equal(disk.synced_names, 1);
	assert_int_equal(disk.early, 0);
}

#define POWER_TEST(f) \
	cmocka_unit_test_setup_teardown(f, open_power, close_power)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		POWER_TEST(what_was_answered_survives_a_power_cut),
		POWER_TEST(notices_a_disk_that_lies),
		POWER_TEST(a_markers_end_is_on_the_disk_before_the_answer),
		POWER_TEST(
		    the_key_of_the_factors_is_on_the_disk_before_they_are),
	};

	return cmocka_run_group_tests(tests, disk_watch, NULL);
}
