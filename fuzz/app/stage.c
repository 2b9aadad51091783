#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/account.h"
#include "domain/import.h"
#include "domain/link.h"
#include "web/web.h"

#define HOUR INT64_C(3600000)

/* Whose session it is, and what the log got, is asked of this one. */
static struct stage *stage;

static const struct asker asker = { { "web", 3 }, { "192.0.2.7", 9 },
	{ "Browser/1.0", 11 }, { "www.example.org", 15 }, { "0123abcd", 8 } };

static const struct person cast[PEOPLE] = {
	[ALICE] = { "alice", "seven green bottles 1" },
	[BOB] = { "bob", "three slow buses 5" },
	[CAROL] = { "carol", "nine paper lanterns 2" },
	[DAVE] = { "dave", NULL },
	[ERIN] = { "erin", "four quiet rooms 8" },
	[FRANK] = { "frank", "one borrowed coat 6" },
	[GRETA] = { "greta", "eleven iron keys 4" },
	[HANK] = { "hank", "old linen cupboard 3" },
};

/* Hank's, by another program. */
#define HANK_HASH "{SHA}bfenBFVXp+njuh7kCrXUNqR6iWU="

static const char conf_text[] =
    "[site]\norigin = " STAGE_ORIGIN ", http://localhost:8080\n"
    "name = Reading Room\n"
    "[security]\ntrusted_proxies = 10.0.0.0/8\nallow_http = yes\n"
    "[admin]\ngroup = admins\n"
    "[metrics]\nallow = 127.0.0.0/8\n"
    "[session]\nmax_per_user = 5\n"
    "[access]\n"
    "/public/ = public\n"
    "/any/ = any\n"
    "/alice/ = user:alice\n"
    "/staff/ = group:staff\n"
    "/two/ = any; level=2\n"
    "/fresh/ = any; reauth=10m\n"
    "/read/ = any; methods=GET,HEAD\n"
    "/near/ = any; net=192.0.2.0/24\n"
    "[store]\n";

void
stage_abort(const char *what, const char *why)
{
	(void)fprintf(stderr, "fuzz_app: %s: %s\n", what, why);
	abort();
}

static void
must(enum dk_err err, const char *what)
{
	if (err != DK_OK)
		stage_abort(what, err_name(err));
}

/* What the application writes to its log: --wrap=write, see Makefile.am. */
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	if (fd != STDERR_FILENO || stage == NULL || !stage->catches)
		return __real_write(fd, p, n);
	if (n > sizeof(stage->log_text) - stage->log_len)
		n = sizeof(stage->log_text) - stage->log_len;
	memcpy(stage->log_text + stage->log_len, p, n);
	stage->log_len += n;
	return (ssize_t)n;
}

static void
side_do(struct stage *s, const char *sql)
{
	if (sqlite3_exec(s->side, sql, NULL, NULL, NULL) != SQLITE_OK)
		stage_abort(sql, sqlite3_errmsg(s->side));
}

static void
get_user(struct stage *s, const char *name, struct user_row *user)
{
	bool found;

	must(account_get(&s->dom, str_from(name), user, &found), name);
	if (!found)
		stage_abort(name, "is not there");
}

static void
sign_in(struct stage *s, const char *name, int level, int64_t now_ms,
    char text[SESSION_TOKEN_LEN + 1])
{
	const struct session_start how = {
		.level = level, .event = "sign_in", .old_id = STR_NONE
	};
	struct user_row user;
	struct session session;
	bool refused;

	get_user(s, name, &user);
	must(session_start(
		 &s->dom, &asker, &user, &how, now_ms, &session, &refused),
	    "sign-in");
	if (refused)
		stage_abort(name, "is refused");
	session_token_format(&session.token, text);
}

static void
add_person(struct stage *s, struct person *p)
{
	const struct account_new user = { .name = str_from(p->name),
		.pw = str_from(p->pw) };
	const struct import hank = { .name = str_from(p->name),
		.hash = STR(HANK_HASH) };
	enum password_flaw flaw;
	enum import_result result;
	const char *scheme;
	struct user_row row;
	bool weak;

	if (strcmp(p->name, "hank") == 0)
		must(import_account(&s->dom, &asker, &hank, false, STAGE_NOW,
			 &result, &weak, &scheme),
		    p->name);
	else
		must(account_add(&s->dom, &asker, &user, STAGE_NOW, &flaw),
		    p->name);
	get_user(s, p->name, &row);
	p->id = row.id;
}

/* What sets some of them apart; codes are made three steps before now. */
static void
set_apart(struct stage *s)
{
	struct user_row user;
	struct secret token;
	struct buf text;
	char code[TOTP_DIGITS + 1];
	bool ok;

	get_user(s, "bob", &user);
	must(account_set_group(
		 &s->dom, &asker, &user, STR("staff"), true, STAGE_NOW),
	    "staff");
	get_user(s, "greta", &user);
	must(account_set_group(
		 &s->dom, &asker, &user, STR("admins"), true, STAGE_NOW),
	    "admins");
	get_user(s, "carol", &user);
	must(factor_begin(&s->dom, user.id, &s->seed, &ok), "factor");
	totp_code(&s->seed, STAGE_NOW / TOTP_STEP_MS, code);
	must(factor_confirm(&s->dom, &asker, &user, str_from(code), STR_NONE,
		 STAGE_NOW, &s->recovery, &ok),
	    "factor");
	BUF_OVER(&text, s->seed_text);
	totp_add_base32(&text, &s->seed);
	get_user(s, "dave", &user);
	must(link_make(&s->dom, &asker, &user, STAGE_NOW, &token), "link");
	secret_to_text(&token, s->link);
	get_user(s, "erin", &user);
	must(account_set_disabled(&s->dom, &asker, &user, true, STAGE_NOW),
	    "erin");
	get_user(s, "frank", &user);
	must(
	    account_require_change(&s->dom, &asker, &user, STAGE_NOW), "frank");
	if (!ok)
		stage_abort("carol", "the code is refused");
}

static void
fill(struct stage *s)
{
	static const int signed_in[] = { ALICE, BOB, CAROL, GRETA };
	size_t i;

	memcpy(s->people, cast, sizeof(s->people));
	for (i = 0; i < PEOPLE; i++)
		add_person(s, &s->people[i]);
	set_apart(s);
	sign_in(s, "bob", 1, STAGE_NOW - 30 * HOUR, s->expired);
	for (i = 0; i < sizeof(signed_in) / sizeof(signed_in[0]); i++) {
		struct person *p = &s->people[signed_in[i]];

		sign_in(s, p->name, signed_in[i] == CAROL ? 2 : 1, STAGE_NOW,
		    p->cookie);
	}
}

/* A copy of each table, and the statements that put it back. */
static int
keep_table(void *arg, int n, char **values, char **names)
{
	struct stage *s = arg;
	char sql[256];

	(void)n, (void)names;
	(void)snprintf(sql, sizeof(sql),
	    "CREATE TABLE kept.\"%s\" AS SELECT * FROM main.\"%s\"", values[0],
	    values[0]);
	side_do(s, sql);
	return 0;
}

static int
restore_table(void *arg, int n, char **values, char **names)
{
	struct stage *s = arg;
	char sql[256];

	(void)n, (void)names;
	(void)snprintf(sql, sizeof(sql),
	    "DELETE FROM main.\"%s\"; "
	    "INSERT INTO main.\"%s\" SELECT * FROM kept.\"%s\"",
	    values[0], values[0], values[0]);
	side_do(s, sql);
	return 0;
}

static void
each_table(struct stage *s, const char *where,
    int (*fn)(void *, int, char **, char **))
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql),
	    "SELECT name FROM %s.sqlite_master WHERE type = 'table' AND "
	    "name NOT LIKE 'sqlite_%%'",
	    where);
	if (sqlite3_exec(s->side, sql, fn, s, NULL) != SQLITE_OK)
		stage_abort(sql, sqlite3_errmsg(s->side));
}

static void
open_side(struct stage *s)
{
	if (sqlite3_open(s->file, &s->side) != SQLITE_OK)
		stage_abort(s->file, sqlite3_errmsg(s->side));
	(void)sqlite3_busy_timeout(s->side, 1000);
	(void)sqlite3_db_config(
	    s->side, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	side_do(s, "PRAGMA synchronous = OFF; ATTACH ':memory:' AS kept");
	each_table(s, "main", keep_table);
}

static void
app_handle(void *arg, struct request *req, struct response *res)
{
	struct stage *s = arg;

	web_handle(&s->web, req, res, s->now);
}

static void
app_fail(void *arg, struct request *req, struct response *res, unsigned status,
    const char *problem)
{
	struct stage *s = arg;

	web_fail(&s->web, req, res, status, problem);
}

static bool
app_idle(void *arg)
{
	struct stage *s = arg;

	web_idle(&s->web, s->now);
	return true;
}

/* What is left of a run is removed by the next: nothing is written on exit. */
static void
make_dir(struct stage *s)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };
	size_t i;

	for (i = 0; i < 2; i++) {
		(void)snprintf(s->dir, sizeof(s->dir),
		    "%s/doorkeep-fuzz-XXXXXX", places[i]);
		if (mkdtemp(s->dir) != NULL)
			break;
	}
	(void)snprintf(s->file, sizeof(s->file), "%s/store.db", s->dir);
}

static void
remove_dir(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-hash",
		"-key" };
	char path[128];
	size_t i;

	(void)sqlite3_close(stage->side);
	web_close(&stage->web);
	domain_close(&stage->dom);
	arena_close(&stage->arena);
	arena_close(&stage->conf_arena);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s%s", stage->file, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(stage->dir);
	free(stage);
	stage = NULL;
}

static void
open_all(struct stage *s)
{
	char text[512];
	struct buf message;

	must(secret_init(), "libsodium");
	must(arena_open(&s->conf_arena, 1024 * 1024), "arena");
	must(arena_open(&s->arena, 1024 * 1024), "arena");
	make_dir(s);
	(void)snprintf(s->conf_text, sizeof(s->conf_text), "%sdatabase = %s\n",
	    conf_text, s->file);
	BUF_OVER(&message, text);
	if (conf_parse(STR("fuzz.conf"), str_from(s->conf_text), &s->conf_arena,
		&s->conf, &message) != DK_OK)
		stage_abort("configuration", text);
	/* As cheap as libsodium makes it: many sign-ins a second. */
	s->conf.argon2_memory_kib = 8;
	s->conf.argon2_passes = 1;
	log_open(&s->log, LOG_TO_STDERR, LOG_AS_JSON);
	domain_init(&s->dom, &s->conf, &s->log);
	if (domain_open(&s->dom, true, true, &message) != DK_OK ||
	    web_open(&s->web, &s->conf, &s->dom, &s->log, &message) != DK_OK)
		stage_abort("start", text);
	s->app = (struct gateway_app){ .arg = s,
		.rules = &s->web.rules,
		.arena = &s->arena,
		.log = &s->log,
		.handle = app_handle,
		.fail = app_fail,
		.idle = app_idle };
}

struct stage *
stage_get(void)
{
	if (stage != NULL)
		return stage;
	stage = calloc(1, sizeof(*stage));
	if (stage == NULL)
		stage_abort("start", "no memory");
	stage->catches = true;
	open_all(stage);
	fill(stage);
	open_side(stage);
	(void)atexit(remove_dir);
	return stage;
}

void
stage_reset(struct stage *s)
{
	side_do(s, "BEGIN IMMEDIATE");
	each_table(s, "kept", restore_table);
	side_do(s, "COMMIT");
	s->now = STAGE_NOW + 5 * 60000;
	s->web.housekept_ms = s->now;
	s->dom.throttled = 0;
	s->log.written = 0;
}

/* As read_body and read_input of gateway/fcgi.c, without the connection. */
static enum body_state
take_body(struct request *req, struct str body, enum dk_err err)
{
	if (err != DK_OK || !output_wants_body(req))
		return BODY_NONE;
	if (body.n > request_body_max(req))
		return BODY_TOO_LARGE;
	req->body = body;
	return req->has_body_length && req->body_length != body.n ? BODY_CUT
								  : BODY_WHOLE;
}

void
stage_send(struct stage *s, struct asked *q)
{
	const char *problem = NULL;
	struct response res;
	struct request req;
	struct str head, out;
	enum dk_err err;

	s->log_len = 0;
	s->now = q->now;
	s->log.written = 0;
	response_init(&res, &s->arena);
	err = request_read(
	    &req, q->role, q->params, &s->web.rules, &s->arena, &problem);
	output_answer(
	    &s->app, &req, &res, err, problem, take_body(&req, q->body, err));
	q->dropped = output_build(&req, &res, &s->arena, &head, &out) != DK_OK;
	q->status = res.status;
	if (head.n >= sizeof(s->head) || out.n >= sizeof(s->out))
		stage_abort("answer", "too long");
	if (head.n > 0)
		memcpy(s->head, head.p, head.n);
	if (out.n > 0)
		memcpy(s->out, out.p, out.n);
	response_close(&res);
	arena_reset(&s->arena);
	(void)s->app.idle(s->app.arg);
	q->head = (struct str){ s->head, head.n };
	q->out = (struct str){ s->out, out.n };
	q->log = (struct str){ s->log_text, s->log_len };
}
