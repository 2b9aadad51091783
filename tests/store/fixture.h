#ifndef DK_TESTS_STORE_FIXTURE_H
#define DK_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "engine.h"
#include "store/db.h"
#include "store/sessions.h"
#include "store/users.h"

/*
 * A store in a directory of its own, made before each test and removed after
 * it.
 */
#define NOW  INT64_C(1900000000000)
#define HOUR INT64_C(3600000)

struct shelf {
	char dir[64], file[ENGINE_ADDRESS_MAX];
	struct db *db;
	char text[DB_MESSAGE_MAX]; /* of the last opening */
	struct buf message;
};

static inline enum dk_err
shelf_try(struct shelf *s, const char *file, bool create, bool migrate)
{
	const struct db_options options = {
		.database = str_from(file), .create = create, .migrate = migrate
	};

	db_close(s->db);
	BUF_OVER(&s->message, s->text);
	return db_open(&s->db, &options, &s->message);
}

/* Open it anew, as a worker does. */
static inline void
shelf_reopen(struct shelf *s)
{
	if (shelf_try(s, s->file, false, false) != DK_OK)
		fail_msg("%s", s->text);
}

/* A directory without a store. */
static inline int
shelf_open_empty(void **state)
{
	struct shelf *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(secret_init(), DK_OK);
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/doorkeep-test-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	engine_address(s->dir, s->file);
	*state = s;
	return 0;
}

static inline int
shelf_open(void **state)
{
	struct shelf *s;

	(void)shelf_open_empty(state);
	s = *state;
	if (shelf_try(s, s->file, true, false) != DK_OK)
		fail_msg("%s", s->text);
	return 0;
}

static inline int
shelf_close(void **state)
{
	struct shelf *s = *state;
	char path[512];
	struct dirent *entry;
	DIR *d;

	db_close(s->db);
	engine_drop(s->file);
	(void)chmod(s->dir, 0700);
	d = opendir(s->dir);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s/%s", s->dir, entry->d_name);
		(void)unlink(path);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(s->dir);
	free(s);
	return 0;
}

#define SHELF_TEST(f) \
	cmocka_unit_test_setup_teardown(f, shelf_open, shelf_close)
#define SHELF_TEST_EMPTY(f) \
	cmocka_unit_test_setup_teardown(f, shelf_open_empty, shelf_close)

/* What an administrator does with the engine's shell; one number back, -1
 * where there is none. */
static inline int64_t
shelf_sql(struct shelf *s, const char *sql)
{
	return engine_sql(s->file, sql);
}

static inline void
shelf_add_user(struct shelf *s, int64_t id, const char *name)
{
	struct user_row row = { .id = id, .created_at_ms = NOW };

	(void)snprintf(row.username, sizeof(row.username), "%s", name);
	(void)snprintf(row.password_hash, sizeof(row.password_hash), "$x");
	assert_int_equal(users_add(s->db, &row, str_from(name)), DK_OK);
}

/* A live session; `number` makes its id, later ones sort behind. */
static inline struct session_row
shelf_session(int64_t user_id, unsigned number)
{
	struct session_row row = { .user_id = user_id,
		.created_at_ms = NOW,
		.authenticated_at_ms = NOW,
		.last_seen_at_ms = NOW,
		.expires_at_ms = NOW + 24 * HOUR,
		.idle_timeout_ms = HOUR,
		.level = 1,
		.ip = "192.0.2.7",
		.user_agent = "Browser/1.0",
		.host = "www.example.org" };

	(void)snprintf(
	    row.id, sizeof(row.id), "%08x-1111-4222-8333-444455556666", number);
	memset(row.secret_hash.byte, (int)(number & 0xff),
	    sizeof(row.secret_hash.byte));
	return row;
}

static inline void
shelf_add_session(struct shelf *s, const struct session_row *row)
{
	assert_int_equal(sessions_add(s->db, row), DK_OK);
}

/*
 * Run fn in n processes at once, each with a connection of its own; returns
 * how many of them said true.
 */
typedef bool shelf_fn(struct shelf *s, int number);

static inline int
shelf_parallel(struct shelf *s, int n, shelf_fn *fn)
{
	pid_t pids[32];
	int gate[2], i, status, good = 0;
	char c;

	assert_true(n <= 32);
	assert_int_equal(pipe(gate), 0);
	for (i = 0; i < n; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			engine_child();
			(void)close(gate[1]);
			/* What was open before the fork is not ours. */
			s->db = NULL;
			_exit(read(gate[0], &c, 1) == 0 && fn(s, i) ? 0 : 1);
		}
	}
	(void)close(gate[0]);
	(void)close(gate[1]); /* they all go now */
	for (i = 0; i < n; i++)
		if (waitpid(pids[i], &status, 0) == pids[i] &&
		    WIFEXITED(status) && WEXITSTATUS(status) == 0)
			good++;
	return good;
}

#endif
