#include "fixture.h"

#include "domain/factor.h"

#define STEP INT64_C(30000)

/* What one user has of a second factor, as the person holds it. */
struct holder {
	struct user_row user;
	struct totp_seed seed;
	struct recovery_codes codes;
};

static void
code_at(const struct totp_seed *seed, int64_t now, char *code)
{
	totp_code(seed, now / TOTP_STEP_MS, code);
}

static void
begin(struct stand *s, struct holder *h)
{
	bool begun;

	assert_int_equal(
	    factor_begin(&s->dom, h->user.id, &h->seed, &begun), DK_OK);
	assert_true(begun);
}

static bool
confirm(struct stand *s, struct holder *h, const char *code, int64_t now)
{
	bool ok = true;

	assert_int_equal(factor_confirm(&s->dom, &stand_asker, &h->user,
			     str_from(code), STR_NONE, now, &h->codes, &ok),
	    DK_OK);
	return ok;
}

/* A user with a factor that is on, confirmed at NOW. */
static void
set_up(struct stand *s, struct str name, struct holder *h)
{
	char code[TOTP_DIGITS + 1];

	stand_add_user(s, name);
	stand_get_user(s, name, &h->user);
	begin(s, h);
	code_at(&h->seed, NOW, code);
	assert_true(confirm(s, h, code, NOW));
}

static bool
check(struct stand *s, const struct holder *h, struct str code, int64_t now)
{
	bool ok = true;

	assert_int_equal(
	    factor_check(&s->dom, &stand_asker, &h->user, code, now, &ok),
	    DK_OK);
	return ok;
}

static bool
check_at(struct stand *s, const struct holder *h, int64_t of, int64_t now)
{
	char code[TOTP_DIGITS + 1];

	code_at(&h->seed, of, code);
	return check(s, h, str_from(code), now);
}

static enum factor_state
state_of(struct stand *s, const struct holder *h)
{
	enum factor_state state;

	assert_int_equal(factor_state(&s->dom, h->user.id, &state), DK_OK);
	return state;
}

static int64_t
codes_left(struct stand *s, const struct holder *h)
{
	int64_t n = -1;

	assert_int_equal(factor_codes_left(&s->dom, h->user.id, &n), DK_OK);
	return n;
}

static bool
is_zero(const void *p, size_t n)
{
	const unsigned char *byte = p;
	size_t i;

	for (i = 0; i < n; i++)
		if (byte[i] != 0)
			return false;
	return true;
}

/* DK-M-05 */
static void
is_on_only_after_a_right_code(void **state)
{
	struct holder h = { .seed = { { 0 } } };
	char right[TOTP_DIGITS + 1], wrong[TOTP_DIGITS + 1];
	struct stand *s = *state;
	struct totp_seed again;
	bool pending, begun;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &h.user);
	assert_false(confirm(s, &h, "123456", NOW));
	begin(s, &h);
	assert_int_equal(state_of(s, &h), FACTOR_NONE);
	assert_int_equal(
	    factor_pending(&s->dom, h.user.id, &again, &pending), DK_OK);
	assert_true(pending);
	assert_memory_equal(&again, &h.seed, sizeof(again));
	code_at(&h.seed, NOW, right);
	code_at(&h.seed, NOW + 10 * STEP, wrong);
	assert_false(check(s, &h, str_from(right), NOW));
	assert_false(confirm(s, &h, wrong, NOW));
	assert_true(is_zero(&h.codes, sizeof(h.codes)));
	assert_int_equal(state_of(s, &h), FACTOR_NONE);
	assert_int_equal(codes_left(s, &h), 0);
	assert_true(confirm(s, &h, right, NOW));
	assert_int_equal(state_of(s, &h), FACTOR_ON);
	assert_int_equal(codes_left(s, &h), RECOVERY_CODES);
	assert_string_equal(stand_last_event(s).event, "second_factor_added");
	/* The seed was shown once; a second set-up does not replace it. */
	assert_int_equal(
	    factor_pending(&s->dom, h.user.id, &again, &pending), DK_OK);
	assert_false(pending);
	assert_int_equal(
	    factor_begin(&s->dom, h.user.id, &again, &begun), DK_OK);
	assert_false(begun);
	assert_true(is_zero(&again, sizeof(again)));
	assert_true(check_at(s, &h, NOW + STEP, NOW + STEP));
}

static void
beginning_anew_makes_another_seed(void **state)
{
	struct holder first = { .seed = { { 0 } } }, second;
	struct stand *s = *state;
	char code[TOTP_DIGITS + 1];

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &first.user);
	second = first;
	begin(s, &first);
	begin(s, &second);
	assert_memory_not_equal(&first.seed, &second.seed, sizeof(first.seed));
	code_at(&first.seed, NOW, code);
	assert_false(confirm(s, &first, code, NOW));
	code_at(&second.seed, NOW, code);
	assert_true(confirm(s, &second, code, NOW));
}

/* Waits where the key is read, which is a pipe, and then goes on. */
static bool
confirm_slowly(struct stand *s, struct holder *h)
{
	char code[TOTP_DIGITS + 1];

	stand_start(s, false);
	code_at(&h->seed, NOW, code);
	return confirm(s, h, code, NOW);
}

/*
 * DK-M-05: while a code is looked at, the seed that it belongs to cannot be
 * replaced by one of which nobody has shown a code.
 */
static void
the_seed_confirmed_is_the_one_of_the_code(void **state)
{
	struct holder h = { .seed = { { 0 } } };
	unsigned char key[SECRET_LEN];
	struct stand *s = *state;
	char name[128];
	int fd, rc, status;
	sqlite3 *db;
	pid_t pid;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &h.user);
	begin(s, &h);
	(void)stand_own_file(s, "-key", name);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, key, sizeof(key)), sizeof(key));
	(void)close(fd);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(sqlite3_open(s->file, &db), SQLITE_OK);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		engine_child();
		_exit(confirm_slowly(s, &h) ? 0 : 1);
	}
	fd = open(name, O_WRONLY | O_CLOEXEC); /* until it reads */
	rc = sqlite3_exec(
	    db, "UPDATE second_factors SET seed = seed", NULL, NULL, NULL);
	status = write(fd, key, sizeof(key)) == sizeof(key) ? 0 : -1;
	(void)close(fd);
	assert_int_equal(status, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)sqlite3_close(db);
	assert_int_equal(rc, SQLITE_BUSY);
	assert_int_equal(status, 0);
}

static void
other_sessions_end_when_it_is_set_up_or_taken_off(void **state)
{
	struct session here, there;
	char code[TOTP_DIGITS + 1];
	struct stand *s = *state;
	struct holder h;
	bool ok;

	stand_add_user(s, STR("alice"));
	stand_get_user(s, STR("alice"), &h.user);
	stand_sign_in(s, STR("alice"), NOW, &here);
	stand_sign_in(s, STR("alice"), NOW, &there);
	begin(s, &h);
	code_at(&h.seed, NOW, code);
	assert_int_equal(
	    factor_confirm(&s->dom, &stand_asker, &h.user, str_from(code),
		str_from(here.token.id), NOW, &h.codes, &ok),
	    DK_OK);
	assert_true(ok);
	assert_int_equal(stand_check(s, &here, NOW), SESSION_LIVE);
	assert_int_equal(stand_check(s, &there, NOW), SESSION_NONE);
	stand_sign_in(s, STR("alice"), NOW, &there);
	assert_int_equal(factor_remove(&s->dom, &stand_asker, &h.user,
			     str_from(here.token.id), NOW, &ok),
	    DK_OK);
	assert_true(ok);
	assert_int_equal(stand_check(s, &here, NOW), SESSION_LIVE);
	assert_int_equal(stand_check(s, &there, NOW), SESSION_NONE);
}

/* DK-M-02 */
static void
a_code_works_once(void **state)
{
	struct stand *s = *state;
	struct stand_event e;
	struct holder h;

	set_up(s, STR("alice"), &h);
	/* that of the set-up, and the one before it */
	assert_false(check_at(s, &h, NOW, NOW));
	assert_false(check_at(s, &h, NOW - STEP, NOW));
	assert_true(check_at(s, &h, NOW + STEP, NOW + STEP));
	assert_false(check_at(s, &h, NOW + STEP, NOW + STEP));
	e = stand_last_event(s);
	assert_string_equal(e.event, "second_factor");
	assert_string_equal(e.outcome, "failure");
	assert_string_equal(e.username, "alice");
	assert_string_equal(e.detail, "");
	assert_true(check_at(s, &h, NOW + 3 * STEP, NOW + 2 * STEP));
	assert_false(check_at(s, &h, NOW + 2 * STEP, NOW + 2 * STEP));
	assert_true(check_at(s, &h, NOW + 4 * STEP, NOW + 5 * STEP));
}

/* DK-M-02, DK-Z-02 */
static void
a_clock_that_goes_back_brings_no_code_back(void **state)
{
	struct stand *s = *state;
	struct holder h;
	int64_t t;

	set_up(s, STR("alice"), &h);
	assert_true(check_at(s, &h, NOW + 9 * STEP, NOW + 9 * STEP));
	for (t = NOW; t <= NOW + 9 * STEP; t += STEP) {
		assert_false(check_at(s, &h, NOW + 9 * STEP, t));
		assert_false(check_at(s, &h, t, t));
	}
	assert_true(check_at(s, &h, NOW + 10 * STEP, NOW + 10 * STEP));
}

/* What all processes of one test are given. */
static struct holder raced;

static bool
use_code_of_next_step(struct stand *s, int number)
{
	(void)number;
	return check_at(s, &raced, NOW + STEP, NOW + STEP);
}

static bool
use_recovery_code(struct stand *s, int number)
{
	(void)number;
	return check(s, &raced, str_from(raced.codes.text[3]), NOW);
}

/* DK-M-02, DK-M-06, DK-Z-03 */
static void
of_fifty_with_one_code_one_gets_in(void **state)
{
	struct stand *s = *state;

	set_up(s, STR("alice"), &raced);
	assert_int_equal(stand_parallel(s, 50, use_code_of_next_step), 1);
	assert_int_equal(stand_parallel(s, 50, use_recovery_code), 1);
	assert_int_equal(codes_left(s, &raced), RECOVERY_CODES - 1);
}

/* DK-M-04 */
static void
the_store_alone_gives_no_seed_away(void **state)
{
	struct stand *s = *state;
	char hex[2 * TOTP_SEED_LEN + 1], sql[256];
	struct holder h;
	struct buf b;
	int64_t n;

	set_up(s, STR("alice"), &h);
	BUF_OVER(&b, hex);
	buf_add_hex(&b, h.seed.byte, sizeof(h.seed.byte));
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM second_factors WHERE length(seed) = 60"
	    " AND instr(seed, x'%s') = 0",
	    hex);
	n = stand_sql(s, sql);
	assert_int_equal(n, 1);
}

static void
check_fails(
    struct stand *s, const struct holder *h, int64_t now, enum dk_err want)
{
	char code[TOTP_DIGITS + 1];
	enum dk_err err;
	bool ok = true;

	code_at(&h->seed, now, code);
	err = factor_check(
	    &s->dom, &stand_asker, &h->user, str_from(code), now, &ok);
	assert_false(ok);
	assert_int_equal(err, want);
}

/* DK-M-04: a seed works in its own row only, and only as a whole. */
static void
a_seed_is_bound_to_its_user(void **state)
{
	static const char *const damages[] = {
		/* those of alice and bob change places */
		"UPDATE second_factors SET seed = (SELECT seed FROM kept"
		" WHERE kept.user_id <> second_factors.user_id)",
		"UPDATE second_factors SET seed = x''",
		"UPDATE second_factors SET seed = x'00'",
		"UPDATE second_factors SET seed = zeroblob(60)",
		"UPDATE second_factors SET seed = zeroblob(129)",
		"UPDATE second_factors SET seed = substr(seed, 1, 59)",
		"UPDATE second_factors SET seed = CAST(seed || x'00' AS BLOB)",
		"UPDATE second_factors SET seed ="
		" CAST(CASE WHEN substr(seed, 1, 1) = x'ff' THEN x'00'"
		" ELSE x'ff' END || substr(seed, 2) AS BLOB)",
		"UPDATE second_factors SET seed ="
		" CAST(substr(seed, 1, 59) || CASE WHEN substr(seed, 60) ="
		" x'ff' THEN x'00' ELSE x'ff' END AS BLOB)",
	};
	struct stand *s = *state;
	struct holder alice, bob, thief;
	char text[8192];
	size_t i;

	set_up(s, STR("alice"), &alice);
	set_up(s, STR("bob"), &bob);
	/* bob's application, alice's name: no yes after the exchange */
	thief = bob;
	thief.user = alice.user;
	(void)stand_sql(s, "CREATE TABLE kept AS SELECT * FROM second_factors");
	stand_catch(s);
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		(void)stand_sql(s, damages[i]);
		assert_int_equal(
		    stand_sql(s,
			"SELECT count(*) FROM second_factors f"
			" JOIN kept k USING (user_id) WHERE f.seed = k.seed"),
		    0);
		check_fails(s, &alice, NOW + STEP, DK_ERR_STORE);
		check_fails(s, &thief, NOW + STEP, DK_ERR_STORE);
		(void)stand_sql(s,
		    "UPDATE second_factors SET seed = (SELECT seed FROM kept"
		    " WHERE kept.user_id = second_factors.user_id)");
	}
	stand_caught(s, text, sizeof(text));
	assert_non_null(strstr(text, "second_factor_not_of_this_key_or_user"));
	assert_true(check_at(s, &alice, NOW + STEP, NOW + STEP));
	(void)stand_sql(s, "DROP TABLE kept");
}

static void
write_key(struct stand *s, const void *key, size_t n)
{
	char name[128];
	int fd;

	(void)stand_own_file(s, "-key", name);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, key, n), n);
	(void)close(fd);
}

/* An error, not a yes; and the codes work again with the right file. */
static void
a_damaged_key_opens_nothing(void **state)
{
	unsigned char key[SECRET_LEN], other[SECRET_LEN];
	struct stand *s = *state;
	char name[128], away[128], text[8192];
	struct stat st;
	struct holder h;
	int fd;

	set_up(s, STR("alice"), &h);
	(void)stand_own_file(s, "-key", name);
	(void)snprintf(away, sizeof(away), "%s/other.db", s->dir);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, key, sizeof(key)), sizeof(key));
	(void)close(fd);
	stand_catch(s);
	/* Gone: none is made in its place. */
	assert_int_equal(rename(name, away), 0);
	check_fails(s, &h, NOW + STEP, DK_ERR_IO);
	assert_int_not_equal(stat(name, &st), 0);
	/* A symbolic link is not followed. */
	assert_int_equal(symlink(away, name), 0);
	check_fails(s, &h, NOW + STEP, DK_ERR_IO);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(mkdir(name, 0700), 0);
	check_fails(s, &h, NOW + STEP, DK_ERR_IO);
	assert_int_equal(rmdir(name), 0);
	write_key(s, key, 0);
	check_fails(s, &h, NOW + STEP, DK_ERR_IO);
	write_key(s, key, sizeof(key) - 1);
	check_fails(s, &h, NOW + STEP, DK_ERR_IO);
	memcpy(other, key, sizeof(key));
	other[sizeof(other) - 1] ^= 1;
	write_key(s, other, sizeof(other));
	check_fails(s, &h, NOW + STEP, DK_ERR_STORE);
	stand_caught(s, text, sizeof(text));
	assert_non_null(strstr(text, "second_factor_key_missing"));
	assert_non_null(strstr(text, "second_factor_key_unreadable"));
	/* Recovery codes need no key. */
	assert_true(check(s, &h, str_from(h.codes.text[0]), NOW));
	write_key(s, key, sizeof(key));
	assert_true(check_at(s, &h, NOW + STEP, NOW + STEP));
}

/* DK-M-04: whatever the umask. */
static void
the_key_is_for_its_owner_alone(void **state)
{
	struct stand *s = *state;
	struct stat before, after;
	struct holder h;
	char name[128];
	mode_t mask = umask(0);

	set_up(s, STR("alice"), &h);
	(void)umask(mask);
	(void)stand_own_file(s, "-key", name);
	assert_int_equal(lstat(name, &before), 0);
	assert_true(S_ISREG(before.st_mode));
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_int_equal(before.st_size, SECRET_LEN);
	assert_int_equal(before.st_nlink, 1);
	set_up(s, STR("bob"), &h);
	assert_int_equal(lstat(name, &after), 0);
	assert_true(before.st_ino == after.st_ino);
}

static bool
begin_one_of_many(struct stand *s, int number)
{
	struct holder h;
	char name[16], code[TOTP_DIGITS + 1];

	(void)snprintf(name, sizeof(name), "user%d", number);
	stand_get_user(s, str_from(name), &h.user);
	begin(s, &h);
	code_at(&h.seed, NOW, code);
	return confirm(s, &h, code, NOW);
}

/* At the first use: all get the same key, and none is told it is lost. */
static void
many_processes_make_one_key(void **state)
{
	struct stand *s = *state;
	struct totp_seed seed;
	struct holder h;
	bool pending;
	char name[16];
	int i;

	for (i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		stand_add_user(s, str_from(name));
	}
	assert_int_equal(stand_parallel(s, 20, begin_one_of_many), 20);
	/* ... which is the one in the file. */
	(void)stand_sql(s, "UPDATE second_factors SET confirmed_at = NULL");
	for (i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		stand_get_user(s, str_from(name), &h.user);
		assert_int_equal(
		    factor_pending(&s->dom, h.user.id, &seed, &pending), DK_OK);
		assert_true(pending);
	}
}

/* DK-M-06: 20 characters of 32 are 100 bits; all of them are used. */
static void
recovery_codes_are_random(void **state)
{
	static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	struct recovery_codes codes;
	struct stand *s = *state;
	unsigned seen[sizeof(alphabet) - 1] = { 0 };
	struct holder h;
	const char *at;
	size_t i, j, k;

	set_up(s, STR("alice"), &h);
	for (k = 0; k < 20; k++) {
		assert_int_equal(factor_new_codes(&s->dom, &stand_asker,
				     &h.user, NOW, &codes),
		    DK_OK);
		for (i = 0; i < RECOVERY_CODES; i++) {
			assert_int_equal(
			    strlen(codes.text[i]), RECOVERY_CODE_LEN);
			for (j = 0; j < RECOVERY_CODE_LEN; j++) {
				if (j % 5 == 4) {
					assert_true(codes.text[i][j] == '-');
					continue;
				}
				at = strchr(alphabet, codes.text[i][j]);
				assert_non_null(at);
				seen[at - alphabet]++;
			}
			for (j = 0; j < i; j++)
				assert_string_not_equal(
				    codes.text[i], codes.text[j]);
		}
	}
	/* 4000 characters, 125 of each are expected */
	for (i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		assert_in_range(seen[i], 60, 200);
}

/* DK-M-06 */
static void
recovery_codes_work_once_each_for_their_owner(void **state)
{
	struct holder alice, bob;
	struct stand *s = *state;
	struct str code;
	size_t i;

	set_up(s, STR("alice"), &alice);
	set_up(s, STR("bob"), &bob);
	for (i = 0; i < RECOVERY_CODES; i++) {
		code = str_from(alice.codes.text[i]);
		assert_false(check(s, &bob, code, NOW));
		assert_int_equal(codes_left(s, &alice), RECOVERY_CODES - i);
		assert_true(check(s, &alice, code, NOW));
		assert_string_equal(
		    stand_last_event(s).event, "recovery_code_used");
		assert_false(check(s, &alice, code, NOW));
	}
	assert_int_equal(codes_left(s, &alice), 0);
	assert_int_equal(codes_left(s, &bob), RECOVERY_CODES);
}

/* DK-M-06, DK-E-05: neither code nor seed in a row or a line of the log. */
static void
recovery_codes_are_kept_as_hashes(void **state)
{
	struct stand *s = *state;
	char plain[RECOVERY_CODE_LEN + 1] = "", sql[256], hex[65], text[8192];
	struct digest hash;
	struct holder h;
	struct buf b;
	size_t i;

	stand_catch(s);
	set_up(s, STR("alice"), &h);
	BUF_OVER(&b, plain);
	for (i = 0; i < RECOVERY_CODE_LEN; i++)
		if (h.codes.text[0][i] != '-')
			buf_addc(&b, h.codes.text[0][i]);
	secret_sha256(buf_str(&b), &hash);
	BUF_OVER(&b, hex);
	buf_add_hex(&b, hash.byte, sizeof(hash.byte));
	(void)snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM recovery_codes WHERE lower(hex(code_hash))"
	    " = '%s'",
	    hex);
	assert_int_equal(stand_sql(s, sql), 1);
	assert_true(check(s, &h, str_from(h.codes.text[0]), NOW));
	assert_false(check(s, &h, str_from(h.codes.text[0]), NOW));
	stand_caught(s, text, sizeof(text));
	assert_non_null(strstr(text, "recovery_code_used"));
	assert_null(strstr(text, h.codes.text[0]));
	assert_null(strstr(text, plain));
}

/* As people type them. */
static void
recovery_codes_are_taken_in_any_case_and_spacing(void **state)
{
	struct stand *s = *state;
	char text[64];
	struct holder h;
	size_t i, n;

	set_up(s, STR("alice"), &h);
	for (i = 0; i < RECOVERY_CODE_LEN; i++) {
		text[i] = h.codes.text[0][i];
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] + 32);
	}
	assert_true(check(s, &h, (struct str){ text, RECOVERY_CODE_LEN }, NOW));
	for (i = n = 0; i < RECOVERY_CODE_LEN; i++)
		if (h.codes.text[1][i] != '-')
			text[n++] = h.codes.text[1][i];
	assert_true(check(s, &h, (struct str){ text, n }, NOW));
	text[0] = ' ';
	memcpy(text + 1, h.codes.text[2], RECOVERY_CODE_LEN);
	text[5] = ' ';
	text[RECOVERY_CODE_LEN + 1] = ' ';
	assert_true(
	    check(s, &h, (struct str){ text, RECOVERY_CODE_LEN + 2 }, NOW));
}

static void
what_is_no_code_is_refused(void **state)
{
	static char longer[5000];
	struct str cases[] = { STR(""), STR_NONE, STR("-"), STR("------"),
		STR("     "), STR("12345"), STR("1234567"), STR("abcdef"),
		{ longer, sizeof(longer) }, { longer, 20 }, STR("\0\0\0\0\0\0"),
		STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		STR("AAAA-AAAA-AAAA-AAAA-AAAA"), STR_NONE, STR_NONE };
	struct stand *s = *state;
	char with_nul[RECOVERY_CODE_LEN + 2], changed[RECOVERY_CODE_LEN];
	size_t i, n = sizeof(cases) / sizeof(cases[0]);
	struct holder h;

	memset(longer, 'A', sizeof(longer));
	set_up(s, STR("alice"), &h);
	memcpy(with_nul, h.codes.text[0], RECOVERY_CODE_LEN + 1);
	cases[n - 2] = (struct str){ with_nul, RECOVERY_CODE_LEN + 1 };
	memcpy(changed, h.codes.text[0], RECOVERY_CODE_LEN);
	changed[23] = changed[23] == 'A' ? 'B' : 'A';
	cases[n - 1] = (struct str){ changed, RECOVERY_CODE_LEN };
	for (i = 0; i < n; i++)
		if (check(s, &h, cases[i], NOW + STEP))
			fail_msg("case %zu", i);
	assert_int_equal(codes_left(s, &h), RECOVERY_CODES);
}

/* DK-M-06 */
static void
new_recovery_codes_kill_the_old_set(void **state)
{
	struct stand *s = *state;
	struct recovery_codes codes;
	struct holder h;
	sqlite3 *other;
	size_t i;

	set_up(s, STR("alice"), &h);
	assert_true(check(s, &h, str_from(h.codes.text[9]), NOW));
	assert_int_equal(
	    factor_new_codes(&s->dom, &stand_asker, &h.user, NOW, &codes),
	    DK_OK);
	assert_string_equal(stand_last_event(s).event, "recovery_codes_made");
	assert_int_equal(codes_left(s, &h), RECOVERY_CODES);
	for (i = 0; i < RECOVERY_CODES; i++)
		assert_false(check(s, &h, str_from(h.codes.text[i]), NOW));
	/* What was not stored is not shown either. */
	h.codes = codes;
	assert_int_equal(sqlite3_open(s->file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	db_set_wait(s->dom.db, 0);
	assert_int_equal(
	    factor_new_codes(&s->dom, &stand_asker, &h.user, NOW, &codes),
	    DK_ERR_BUSY);
	(void)sqlite3_close(other);
	assert_true(is_zero(&codes, sizeof(codes)));
	assert_true(check(s, &h, str_from(h.codes.text[0]), NOW));
}

/* DK-M-08 */
static void
nothing_is_left_after_it_was_taken_off(void **state)
{
	struct stand *s = *state;
	struct holder h, again;
	char code[TOTP_DIGITS + 1];
	bool removed;

	set_up(s, STR("alice"), &h);
	assert_int_equal(factor_remove(&s->dom, &stand_asker, &h.user, STR_NONE,
			     NOW, &removed),
	    DK_OK);
	assert_true(removed);
	assert_string_equal(stand_last_event(s).event, "second_factor_removed");
	assert_int_equal(state_of(s, &h), FACTOR_NONE);
	assert_int_equal(codes_left(s, &h), 0);
	assert_false(check_at(s, &h, NOW + STEP, NOW + STEP));
	assert_false(check(s, &h, str_from(h.codes.text[0]), NOW));
	assert_int_equal(factor_remove(&s->dom, &stand_asker, &h.user, STR_NONE,
			     NOW, &removed),
	    DK_OK);
	assert_false(removed);
	/* It can be set up anew, with a seed of its own. */
	again.user = h.user;
	begin(s, &again);
	code_at(&again.seed, NOW, code);
	assert_true(confirm(s, &again, code, NOW));
	assert_false(check_at(s, &h, NOW + STEP, NOW + STEP));
	assert_false(check(s, &h, str_from(h.codes.text[0]), NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(is_on_only_after_a_right_code),
		STAND_TEST(beginning_anew_makes_another_seed),
		STAND_TEST(the_seed_confirmed_is_the_one_of_the_code),
		STAND_TEST(other_sessions_end_when_it_is_set_up_or_taken_off),
		STAND_TEST(a_code_works_once),
		STAND_TEST(a_clock_that_goes_back_brings_no_code_back),
		STAND_TEST(of_fifty_with_one_code_one_gets_in),
		STAND_TEST(the_store_alone_gives_no_seed_away),
		STAND_TEST(a_seed_is_bound_to_its_user),
		STAND_TEST(a_damaged_key_opens_nothing),
		STAND_TEST(the_key_is_for_its_owner_alone),
		STAND_TEST(many_processes_make_one_key),
		STAND_TEST(recovery_codes_are_random),
		STAND_TEST(recovery_codes_work_once_each_for_their_owner),
		STAND_TEST(recovery_codes_are_kept_as_hashes),
		STAND_TEST(recovery_codes_are_taken_in_any_case_and_spacing),
		STAND_TEST(what_is_no_code_is_refused),
		STAND_TEST(new_recovery_codes_kill_the_old_set),
		STAND_TEST(nothing_is_left_after_it_was_taken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
