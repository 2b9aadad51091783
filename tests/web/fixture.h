#ifndef DK_TESTS_WEB_FIXTURE_H
#define DK_TESTS_WEB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/engine.h"
#include "base/secret.h"
#include "domain/account.h"
#include "web/web.h"

/*
 * The application over a real store in a directory of its own, and a browser
 * that keeps cookies.  Hashes are cheap here.  The clock is d->now.
 */
#define PW	"a long pass phrase 7"
#define NOW	INT64_C(1900000000000)
#define MINUTE	INT64_C(60000)
#define HOUR	INT64_C(3600000)
#define ORIGIN	"https://www.example.org"
#define SESSION "__Host-doorkeep"

enum { PARAMS_MAX = 64, JAR_MAX = 8 };

struct desk {
	char dir[64], file[ENGINE_ADDRESS_MAX], conf_text[4096];
	const char *origins; /* NULL: ORIGIN alone */
	struct arena conf_arena, arena;
	struct conf conf;
	struct log log;
	struct domain dom;
	struct web web;
	int64_t now;
	/* The request that is being made. */
	enum request_role role;
	char *params[PARAMS_MAX + 1];
	size_t n_params;
	bool without_cookies;
	struct str request_body;
	/* The answer that came. */
	unsigned status;
	char head[16 * 1024], body[500 * 1024];
	size_t body_len;
	/* The browser's cookies. */
	struct {
		char name[64], value[512];
	} jar[JAR_MAX];
};

static const struct asker desk_asker = { { "web", 3 }, { "192.0.2.7", 9 },
	{ "Browser/1.0", 11 }, { "www.example.org", 15 }, { "0123abcd", 8 } };

static inline void
desk_start(struct desk *d, const char *more)
{
	char text[512];
	struct buf message;

	(void)snprintf(d->conf_text, sizeof(d->conf_text),
	    "[site]\norigin = %s\nname = Reading Room\n"
	    "[store]\ndatabase = %s\ndirectory = %s\n%s",
	    d->origins == NULL ? ORIGIN : d->origins, d->file, d->dir, more);
	BUF_OVER(&message, text);
	if (conf_parse(STR("test.conf"), str_from(d->conf_text), &d->conf_arena,
		&d->conf, &message) != DK_OK)
		fail_msg("%s", text);
	d->conf.argon2_memory_kib = 1024;
	d->conf.argon2_passes = 1;
	log_open(&d->log, LOG_TO_STDERR, LOG_AS_TEXT);
	d->log.least = LOG_LEVEL_ERROR;
	domain_init(&d->dom, &d->conf, &d->log);
	if (domain_open(&d->dom, true, true, &message) != DK_OK)
		fail_msg("%s", text);
	if (web_open(&d->web, &d->conf, &d->dom, &d->log, &message) != DK_OK)
		fail_msg("%s", text);
}

/* What a test asks for itself before desk_start. */
static inline int
desk_open_bare(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	assert_int_equal(secret_init(), DK_OK);
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/doorkeep-test-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	engine_address(d->dir, d->file);
	assert_int_equal(arena_open(&d->conf_arena, 1024 * 1024), DK_OK);
	assert_int_equal(arena_open(&d->arena, 1024 * 1024), DK_OK);
	d->now = NOW;
	*state = d;
	return 0;
}

/* For a test that commits thousands of times to a file: in memory, where that
 * can be had, no commit waits for the disk.  Before desk_start. */
static inline void
desk_move_to_memory(struct desk *d)
{
	char dir[] = "/dev/shm/doorkeep-test-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return;
	(void)rmdir(d->dir);
	(void)snprintf(d->dir, sizeof(d->dir), "%s", dir);
	(void)snprintf(d->file, sizeof(d->file), "%s/store.db", dir);
}

static inline void
desk_add_user(struct desk *d, const char *name)
{
	const struct account_new user = { .name = str_from(name),
		.pw = STR(PW) };
	enum password_flaw flaw;

	assert_int_equal(
	    account_add(&d->dom, &desk_asker, &user, NOW, &flaw), DK_OK);
}

static inline void
desk_forget_request(struct desk *d)
{
	size_t i;

	for (i = 0; i < d->n_params; i++)
		free(d->params[i]);
	d->n_params = 0;
	d->params[0] = NULL;
}

static inline int
desk_close(void **state)
{
	struct desk *d = *state;
	char path[512];
	struct dirent *entry;
	DIR *dir;

	desk_forget_request(d);
	web_close(&d->web);
	domain_close(&d->dom);
	engine_drop(d->file);
	arena_close(&d->arena);
	arena_close(&d->conf_arena);
	dir = opendir(d->dir);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", d->dir, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(d->dir);
	free(d);
	return 0;
}

/* What an administrator does with the engine's shell; one number back. */
static inline int64_t
desk_sql(struct desk *d, const char *sql)
{
	return engine_sql(d->file, sql);
}

/* --- the request ------------------------------------------------------------
 */

/* Set a variable; NULL takes it away. */
static inline void
desk_set(struct desk *d, const char *name, const char *value)
{
	size_t n = strlen(name), size, i;

	for (i = 0; i < d->n_params; i++)
		if (strncmp(d->params[i], name, n) == 0 &&
		    d->params[i][n] == '=')
			break;
	if (i < d->n_params) {
		free(d->params[i]);
		d->params[i] = d->params[--d->n_params];
		d->params[d->n_params] = NULL;
	}
	if (value == NULL)
		return;
	assert_true(d->n_params < PARAMS_MAX);
	size = n + strlen(value) + 2;
	d->params[d->n_params] = malloc(size);
	assert_non_null(d->params[d->n_params]);
	(void)snprintf(d->params[d->n_params++], size, "%s=%s", name, value);
	d->params[d->n_params] = NULL;
}

/* A browser's navigation over https. */
static inline void
desk_begin(struct desk *d, const char *method, const char *target)
{
	desk_forget_request(d);
	d->role = REQUEST_RESPONDER;
	d->without_cookies = false;
	d->request_body = STR_NONE;
	desk_set(d, "REQUEST_METHOD", method);
	desk_set(d, "REQUEST_URI", target);
	desk_set(d, "SCRIPT_NAME", "/auth");
	desk_set(d, "SERVER_PROTOCOL", "HTTP/1.1");
	desk_set(d, "GATEWAY_INTERFACE", "CGI/1.1");
	desk_set(d, "HTTPS", "on");
	desk_set(d, "HTTP_HOST", "www.example.org");
	desk_set(d, "REMOTE_ADDR", "192.0.2.7");
	desk_set(d, "HTTP_ACCEPT", "text/html,*/*;q=0.8");
	desk_set(d, "HTTP_USER_AGENT", "Browser/1.0");
	desk_set(d, "HTTP_SEC_FETCH_SITE", "same-origin");
	desk_set(d, "HTTP_SEC_FETCH_MODE", "navigate");
}

static inline void
desk_begin_form(struct desk *d, const char *target, const char *body)
{
	char length[24];

	desk_begin(d, "POST", target);
	desk_set(d, "HTTP_ORIGIN", ORIGIN);
	desk_set(d, "CONTENT_TYPE", "application/x-www-form-urlencoded");
	(void)snprintf(length, sizeof(length), "%zu", strlen(body));
	desk_set(d, "CONTENT_LENGTH", length);
	d->request_body = str_from(body);
}

/* A program, not a browser. */
static inline void
desk_begin_json(struct desk *d, const char *target, const char *body)
{
	desk_begin_form(d, target, body);
	desk_set(d, "CONTENT_TYPE", "application/json");
	desk_set(d, "HTTP_ACCEPT", "application/json");
	desk_set(d, "HTTP_ORIGIN", NULL);
	desk_set(d, "HTTP_SEC_FETCH_SITE", NULL);
	desk_set(d, "HTTP_SEC_FETCH_MODE", NULL);
}

/* --- the browser's cookies
 * -------------------------------------------------------- */

static inline const char *
desk_cookie(struct desk *d, const char *name)
{
	size_t i;

	for (i = 0; i < JAR_MAX; i++)
		if (strcmp(d->jar[i].name, name) == 0)
			return d->jar[i].value;
	return NULL;
}

static inline void
desk_set_cookie(struct desk *d, const char *name, const char *value)
{
	size_t i, at = JAR_MAX;

	for (i = 0; i < JAR_MAX; i++)
		if (strcmp(d->jar[i].name, name) == 0 ||
		    (at == JAR_MAX && d->jar[i].name[0] == '\0'))
			at = i;
	assert_true(at < JAR_MAX);
	(void)snprintf(d->jar[at].name, sizeof(d->jar[at].name), "%s",
	    value == NULL ? "" : name);
	(void)snprintf(d->jar[at].value, sizeof(d->jar[at].value), "%s",
	    value == NULL ? "" : value);
}

static inline void
desk_empty_jar(struct desk *d)
{
	memset(d->jar, 0, sizeof(d->jar));
}

static inline void
desk_add_cookies(struct desk *d)
{
	char line[8192];
	struct buf b;
	size_t i;

	BUF_OVER(&b, line);
	for (i = 0; i < JAR_MAX; i++)
		if (d->jar[i].name[0] != '\0')
			buf_addf(&b, "%s%s=%s", b.len > 0 ? "; " : "",
			    d->jar[i].name, d->jar[i].value);
	if (b.len > 0)
		desk_set(d, "HTTP_COOKIE", buf_z(&b));
}

static inline void
desk_keep_cookies(struct desk *d, const struct response *res)
{
	char name[64], value[512];
	size_t i;

	for (i = 0; i < res->n_cookies; i++) {
		const struct set_cookie *c = &res->cookies[i];

		(void)snprintf(name, sizeof(name), "%.*s", STR_FMT(c->name));
		(void)snprintf(value, sizeof(value), "%.*s", STR_FMT(c->value));
		desk_set_cookie(d, name, c->erase ? NULL : value);
	}
}

/* --- the answer
 * ---------------------------------------------------------------------- */

/* Send the request; the answer's status comes back. */
static inline unsigned
desk_send(struct desk *d)
{
	const char *problem = NULL;
	struct request req;
	struct response res;
	struct str body;
	struct buf head;
	enum dk_err err;

	if (!d->without_cookies)
		desk_add_cookies(d);
	response_init(&res, &d->arena);
	err = request_read(
	    &req, d->role, d->params, &d->web.rules, &d->arena, &problem);
	req.body = d->request_body;
	if (err == DK_OK)
		web_handle(&d->web, &req, &res, d->now);
	else
		web_fail(&d->web, &req, &res,
		    err == DK_ERR_TOO_LARGE    ? 413
			: err == DK_ERR_INPUT ? 400
					      : 503,
		    problem);
	BUF_OVER(&head, d->head);
	if (response_head(&res, &head) != DK_OK)
		fail_msg("no answer");
	body = response_body(&res, req.method == METHOD_HEAD);
	assert_true(body.n < sizeof(d->body));
	if (body.n > 0)
		memcpy(d->body, body.p, body.n);
	if (res.file.is_set && req.method != METHOD_HEAD) {
		assert_true(res.file.n < sizeof(d->body));
		body.n = res.file.n;
		assert_int_equal(pread(res.file.fd, d->body, body.n,
				     (off_t)res.file.from),
		    body.n);
	}
	response_close(&res);
	d->body[body.n] = '\0';
	d->body_len = body.n;
	d->status = res.status;
	/* RFC 9110 15.5.2; Apache makes the page of an access checker. */
	if (d->status == 401 && body.n > 0 &&
	    strstr(d->head, "\r\nWWW-Authenticate: Cookie ") == NULL)
		fail_msg("401 without a challenge");
	if (!d->without_cookies)
		desk_keep_cookies(d, &res);
	arena_reset(&d->arena);
	return d->status;
}

/* The value of a header, in storage that later calls take; NULL: none. */
static inline const char *
desk_header(struct desk *d, const char *name)
{
	static char value[8][4096];
	static int turn;
	char line[80];
	const char *at, *end;

	(void)snprintf(line, sizeof(line), "\r\n%s: ", name);
	at = strstr(d->head, line);
	if (at == NULL)
		return NULL;
	at += strlen(line);
	end = strstr(at, "\r\n");
	assert_non_null(end);
	turn = (turn + 1) % 8;
	(void)snprintf(
	    value[turn], sizeof(value[turn]), "%.*s", (int)(end - at), at);
	return value[turn];
}

static inline bool
desk_header_is(struct desk *d, const char *name, const char *want)
{
	const char *value = desk_header(d, name);

	return value != NULL && strcmp(value, want) == 0;
}

/* The whole line that sets this cookie; "" when there is none. */
static inline const char *
desk_set_cookie_line(struct desk *d, const char *name)
{
	static char line[1024];
	char start[96];
	const char *at;

	(void)snprintf(start, sizeof(start), "\r\nSet-Cookie: %s=", name);
	at = strstr(d->head, start);
	line[0] = '\0';
	if (at != NULL) {
		at += 2;
		(void)snprintf(line, sizeof(line), "%.*s",
		    (int)(strstr(at, "\r\n") - at), at);
	}
	return line;
}

static inline bool
desk_shows(struct desk *d, const char *text)
{
	return strstr(d->body, text) != NULL;
}

/* The form token of the page that is shown. */
static inline void
desk_token(struct desk *d, char token[128])
{
	static const char *const marks[] = { "name=\"csrf_token\" value=\"",
		"\"csrf_token\":\"" };
	const char *at = NULL;
	size_t i;

	for (i = 0; at == NULL && i < 2; i++) {
		at = strstr(d->body, marks[i]);
		if (at != NULL)
			at += strlen(marks[i]);
	}
	if (at == NULL)
		fail_msg("no token in: %s", d->body);
	(void)snprintf(token, 128, "%.*s", (int)strcspn(at, "\""), at);
}

/* --- what people do
 * --------------------------------------------------------------------- */

static inline unsigned
desk_get(struct desk *d, const char *target)
{
	desk_begin(d, "GET", target);
	return desk_send(d);
}

/* Fill in the form of sign-in and make it ready to be sent. */
static inline void
desk_fill_login(
    struct desk *d, const char *name, const char *pw, const char *more)
{
	static char body[4096];
	char token[128];

	assert_true(desk_get(d, "/auth/login") == 200);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body),
	    "csrf_token=%s&username=%s&password=%s%s", token, name, pw, more);
	desk_begin_form(d, "/auth/login", body);
}

static inline void
desk_sign_in(struct desk *d, const char *name)
{
	desk_set_cookie(d, SESSION, NULL);
	desk_fill_login(d, name, PW, "");
	if (desk_send(d) != 303)
		fail_msg("%s%s", d->head, d->body);
	assert_non_null(desk_cookie(d, SESSION));
}

static inline bool
desk_is_signed_in(struct desk *d)
{
	desk_begin(d, "GET", "/auth/session");
	return desk_send(d) == 200;
}

#endif
