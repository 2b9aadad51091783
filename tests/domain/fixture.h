#ifndef DK_TESTS_DOMAIN_FIXTURE_H
#define DK_TESTS_DOMAIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../store/engine.h"
#include "base/secret.h"
#include "domain/account.h"
#include "domain/domain.h"
#include "domain/session.h"
#include "store/events.h"

/*
 * A domain over a real store in a directory of its own, made before each test
 * and removed after it.  Hashes are cheap here; the configuration keeps people
 * from that.
 */
#define PW   "a long pass phrase 7"
#define NOW  INT64_C(1900000000000)
#define HOUR INT64_C(3600000)

struct stand {
	char dir[64], file[ENGINE_ADDRESS_MAX], err_file[96];
	int err_fd; /* of the true stderr while it is caught, else -1 */
	struct conf conf;
	struct log log;
	struct domain dom;
};

static const struct asker stand_asker = { { "web", 3 }, { "192.0.2.7", 9 },
	{ "Browser/1.0", 11 }, { "www.example.org", 15 }, { "0123abcd", 8 } };

static inline void
stand_fill_conf(struct stand *s)
{
	s->conf = (struct conf){ .database = str_from(s->file),
		.store_directory = str_from(s->dir),
		.name = STR("Example Reading Room"),
		.n_origins = 1,
		.idle_timeout_ms = HOUR,
		.absolute_timeout_ms = 24 * HOUR,
		.remember_idle_timeout_ms = 14 * 24 * HOUR,
		.remember_absolute_timeout_ms = 30 * 24 * HOUR,
		.touch_interval_ms = 60000,
		.argon2_memory_kib = 1024,
		.argon2_passes = 1,
		.max_parallel_hashes = 2,
		.password_min_length = 15,
		.events_keep_ms = 90 * 24 * HOUR };
	s->conf.origins[0] =
	    (struct conf_origin){ .text = STR("https://www.example.org"),
		    .https = true,
		    .host = STR("www.example.org"),
		    .port = 443 };
}

static inline void
stand_start(struct stand *s, bool create)
{
	char text[DB_MESSAGE_MAX];
	struct buf message;

	domain_init(&s->dom, &s->conf, &s->log);
	BUF_OVER(&message, text);
	if (domain_open(&s->dom, create, create, &message) != DK_OK)
		fail_msg("%s", text);
}

static inline int
stand_open(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(secret_init(), DK_OK);
	s->err_fd = -1;
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/doorkeep-test-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	engine_address(s->dir, s->file);
	(void)snprintf(s->err_file, sizeof(s->err_file), "%s/stderr", s->dir);
	stand_fill_conf(s);
	log_open(&s->log, LOG_TO_STDERR, LOG_AS_TEXT);
	stand_start(s, true);
	*state = s;
	return 0;
}

/* From here on what goes to stderr is kept. */
static inline void
stand_catch(struct stand *s)
{
	int fd =
	    open(s->err_file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	s->err_fd = dup(STDERR_FILENO);
	assert_true(s->err_fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	(void)close(fd);
}

/* Gives what was caught. */
static inline void
stand_caught(struct stand *s, char *text, size_t size)
{
	FILE *f = fopen(s->err_file, "re");
	size_t n;

	if (s->err_fd >= 0) {
		(void)dup2(s->err_fd, STDERR_FILENO);
		(void)close(s->err_fd);
		s->err_fd = -1;
	}
	assert_non_null(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	(void)fclose(f);
}

static inline int
stand_close(void **state)
{
	static const char *const names[] = { "store.db", "store.db-wal",
		"store.db-shm", "store.db-hash", "store.db-key", "stderr",
		"list", "other.db", "link", "doorkeep-hash",
		"doorkeep-key" };
	struct stand *s = *state;
	char path[128];
	size_t i;

	domain_close(&s->dom);
	engine_drop(s->file);
	if (s->err_fd >= 0) {
		(void)dup2(s->err_fd, STDERR_FILENO);
		(void)close(s->err_fd);
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(s->dir);
	free(s);
	return 0;
}

#define STAND_TEST(f) \
	cmocka_unit_test_setup_teardown(f, stand_open, stand_close)

/* What an administrator does with the engine's shell; one number back. */
static inline int64_t
stand_sql(struct stand *s, const char *sql)
{
	return engine_sql(s->file, sql);
}

/* A file that belongs to the store and lies on this host. */
static inline const char *
stand_own_file(struct stand *s, const char *suffix, char name[128])
{
	struct buf b;

	buf_init(&b, name, 128);
	domain_own_file(&s->conf, suffix, &b);
	return buf_z(&b);
}

static inline void
stand_add_user(struct stand *s, struct str name)
{
	const struct account_new user = { .name = name, .pw = STR(PW) };
	enum password_flaw flaw;

	assert_int_equal(
	    account_add(&s->dom, &stand_asker, &user, NOW, &flaw), DK_OK);
}

static inline void
stand_get_user(struct stand *s, struct str name, struct user_row *user)
{
	bool found;

	assert_int_equal(account_get(&s->dom, name, user, &found), DK_OK);
	assert_true(found);
}

/* Sign the user in without asking for the password. */
static inline void
stand_sign_in(
    struct stand *s, struct str name, int64_t now_ms, struct session *session)
{
	const struct session_start how = { .level = 1, .event = "sign_in" };
	struct user_row user;
	bool refused;

	stand_get_user(s, name, &user);
	assert_int_equal(session_start(&s->dom, &stand_asker, &user, &how,
			     now_ms, session, &refused),
	    DK_OK);
	assert_false(refused);
}

static inline enum session_answer
stand_check_at(struct stand *s, const struct session *session, struct str host,
    int64_t now)
{
	char cookie[SESSION_TOKEN_LEN + 1];
	enum session_answer answer;
	struct session again;

	session_token_format(&session->token, cookie);
	assert_int_equal(session_check(&s->dom, str_from(cookie), host, now,
			     &again, &answer),
	    DK_OK);
	return answer;
}

static inline enum session_answer
stand_check(struct stand *s, const struct session *session, int64_t now)
{
	return stand_check_at(s, session, stand_asker.host, now);
}

/* The event written last. */
struct stand_event {
	char event[64], outcome[32], username[80], ip[64], session[64],
	    request_id[64], actor[64], detail[96];
	int64_t id, at_ms;
	bool has_username;
};

static inline void
stand_copy(char *to, size_t size, struct str s)
{
	(void)snprintf(to, size, "%.*s", STR_FMT(s));
}

static inline enum dk_err
stand_take_event(void *arg, const struct event_row *row)
{
	struct stand_event *e = arg;

	stand_copy(e->event, sizeof(e->event), row->event);
	stand_copy(e->outcome, sizeof(e->outcome), row->outcome);
	stand_copy(e->username, sizeof(e->username), row->username);
	stand_copy(e->ip, sizeof(e->ip), row->ip);
	stand_copy(e->session, sizeof(e->session), row->session);
	stand_copy(e->request_id, sizeof(e->request_id), row->request_id);
	stand_copy(e->actor, sizeof(e->actor), row->actor);
	stand_copy(e->detail, sizeof(e->detail), row->detail);
	e->has_username = !str_is_none(row->username);
	e->id = row->id;
	e->at_ms = row->at_ms;
	return DK_OK;
}

static inline struct stand_event
stand_last_event(struct stand *s)
{
	const struct event_filter all = { .since_ms = 0 };
	struct stand_event e = { .id = 0 };

	assert_int_equal(
	    events_list(s->dom.db, &all, 0, 1000, stand_take_event, &e),
	    DK_OK);
	return e;
}

/*
 * Run fn in n processes at once, each with a domain of its own; returns how
 * many of them said true.
 */
typedef bool stand_fn(struct stand *s, int number);

static inline int
stand_run_child(struct stand *s, int gate, stand_fn *fn, int number)
{
	char c;

	/* The connection of before the fork is not ours to touch. */
	stand_start(s, false);
	if (read(gate, &c, 1) != 0)
		return 1;
	return fn(s, number) ? 0 : 1;
}

static inline int
stand_parallel(struct stand *s, int n, stand_fn *fn)
{
	pid_t pids[64];
	int gate[2], i, status, good = 0;

	assert_true(n <= 64);
	assert_int_equal(pipe(gate), 0);
	for (i = 0; i < n; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			engine_child();
			(void)close(gate[1]);
			_exit(stand_run_child(s, gate[0], fn, i));
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
