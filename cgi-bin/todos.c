/*
 * todos.cgi: a to-do list for each person, as an example of an application
 * behind the gate.  It knows its user by REMOTE_USER alone, which the web
 * server sets and no client can; who is nobody is refused.
 *
 *	TODOS_DATABASE	its own SQLite file; default todos.db in
 *			the working directory
 *	TODOS_MOUNT	where it is reached; default /todos
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jw.h"
#include "base/secret.h"
#include "gateway/gateway.h"
#include "http/form.h"
#include "http/json.h"

enum { ARENA_SIZE = 1024 * 1024, TEXT_MAX = 500, LIST_MAX = 200 };

struct todos {
	sqlite3 *db;
	struct log log;
	struct arena arena;
	struct request_rules rules;
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE IF NOT EXISTS todos ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " username TEXT NOT NULL,"
    " text TEXT NOT NULL,"
    " done INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX IF NOT EXISTS todos_username ON todos (username, id);";

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:32rem;"
    "margin:2rem auto;padding:0 1rem}"
    "ul{list-style:none;padding:0}"
    "li{display:flex;gap:.5rem;align-items:center;padding:.35rem 0;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}"
    "li span{flex:1;overflow-wrap:anywhere}"
    ".done span{text-decoration:line-through;opacity:.6}"
    "form{display:inline}.add{display:flex;gap:.5rem}"
    "input[type=text]{flex:1;min-width:0}"
    "input,button{font:inherit;padding:.4rem .7rem;border-radius:.4rem;"
    "border:1px solid color-mix(in srgb,currentColor 40%,transparent)}";

/* ---- the table --------------------------------------------------------------
 */
static enum dk_err
run(sqlite3 *db, const char *sql, struct str user, struct str text,
    sqlite3_int64 id, int *changes)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(
		    st, 1, user.p, (int)user.n, SQLITE_STATIC);
	if (rc == SQLITE_OK && !str_is_none(text))
		rc = sqlite3_bind_text(
		    st, 2, text.p, (int)text.n, SQLITE_STATIC);
	if (rc == SQLITE_OK && id > 0)
		rc = sqlite3_bind_int64(st, 2, id);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	*changes = sqlite3_changes(db);
	(void)sqlite3_finalize(st);
	return rc == SQLITE_DONE ? DK_OK : DK_ERR_STORE;
}

struct todo {
	sqlite3_int64 id;
	struct str text;
	bool done;
};
typedef void todo_fn(void *arg, const struct todo *todo);

static enum dk_err
each(sqlite3 *db, struct str user, todo_fn *fn, void *arg)
{
	static const char sql[] = "SELECT id, text, done FROM todos"
				  " WHERE username = ?1"
				  " ORDER BY done, id DESC LIMIT ?2";
	sqlite3_stmt *st = NULL;
	struct todo todo;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(
		    st, 1, user.p, (int)user.n, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(st, 2, LIST_MAX);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		todo.id = sqlite3_column_int64(st, 0);
		todo.text = str_from((const char *)sqlite3_column_text(st, 1));
		todo.done = sqlite3_column_int(st, 2) != 0;
		fn(arg, &todo);
	}
	(void)sqlite3_finalize(st);
	return rc == SQLITE_DONE ? DK_OK : DK_ERR_STORE;
}

/* ---- answers
 * ------------------------------------------------------------------ */
static void
add_headers(struct response *res)
{
	response_header(res, "Cache-Control", STR("no-store"));
	response_header(res, "X-Content-Type-Options", STR("nosniff"));
	response_header(res, "Content-Security-Policy",
	    STR("default-src 'none'; style-src 'self'; base-uri 'none'; "
		"frame-ancestors 'none'; form-action 'self'"));
	response_header(res, "X-Frame-Options", STR("DENY"));
	response_header(res, "X-Robots-Tag", STR("noindex"));
	response_header(res, "Referrer-Policy", STR("same-origin"));
	response_header(res, "Cross-Origin-Opener-Policy", STR("same-origin"));
	response_header(
	    res, "Cross-Origin-Resource-Policy", STR("same-origin"));
	response_header(res, "Vary", STR("Cookie, Accept"));
}

static void
say(const struct request *req, struct response *res, unsigned status,
    const char *text)
{
	struct jw w;

	response_reset(res, status);
	if (req->wants_json) {
		response_start(res, status, STR("application/json"));
		jw_open(&w, &res->body);
		jw_object(&w, NULL);
		jw_str(&w, "message", str_from(text));
		jw_end(&w);
	} else {
		response_start(res, status, STR("text/plain; charset=utf-8"));
		buf_addz(&res->body, text);
		buf_addc(&res->body, '\n');
	}
	add_headers(res);
}

struct view {
	struct todos *todos;
	struct response *res;
	struct jw w;
};

static void
add_button(struct view *v, const struct todo *todo, const char *action,
    const char *label)
{
	buf_addz(&v->res->body, "<form method=\"post\" action=\"");
	buf_add_html(&v->res->body, v->todos->rules.mount);
	buf_addf(&v->res->body,
	    "/\"><input type=\"hidden\" name=\"id\" value=\"%lld\">"
	    "<button name=\"action\" value=\"%s\">%s</button></form>\n",
	    (long long)todo->id, action, label);
}

static void
add_item(void *arg, const struct todo *todo)
{
	struct view *v = arg;

	buf_addf(
	    &v->res->body, "<li%s><span>", todo->done ? " class=\"done\"" : "");
	buf_add_html(&v->res->body, todo->text);
	buf_addz(&v->res->body, "</span>\n");
	add_button(v, todo, "tick", todo->done ? "Not done" : "Done");
	add_button(v, todo, "delete", "Delete");
	buf_addz(&v->res->body, "</li>\n");
}

static void
add_member(void *arg, const struct todo *todo)
{
	struct view *v = arg;

	jw_object(&v->w, NULL);
	jw_int(&v->w, "id", todo->id);
	jw_str(&v->w, "text", todo->text);
	jw_bool(&v->w, "done", todo->done);
	jw_end(&v->w);
}

static enum dk_err
list_html(struct view *v, struct str user)
{
	struct buf *b = &v->res->body;
	enum dk_err err;

	response_start(v->res, 200, STR("text/html; charset=utf-8"));
	buf_addz(b,
	    "<!doctype html>\n<html lang=\"en\">\n<meta "
	    "charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width\">\n<title>To "
	    "do</title>\n<link rel=\"stylesheet\" href=\"");
	buf_add_html(b, v->todos->rules.mount);
	buf_addz(b, "/style.css\">\n<h1>To do, ");
	buf_add_html(b, user);
	buf_addz(b, "</h1>\n<form class=\"add\" method=\"post\" action=\"");
	buf_add_html(b, v->todos->rules.mount);
	buf_addf(b,
	    "/\">\n<input type=\"text\" name=\"text\" maxlength=\"%d\" "
	    "required autofocus aria-label=\"New entry\">\n<input "
	    "type=\"hidden\" name=\"action\" value=\"add\">\n"
	    "<button>Add</button>\n</form>\n<ul>\n",
	    TEXT_MAX);
	err = each(v->todos->db, user, add_item, v);
	buf_addz(b, "</ul>\n");
	return err;
}

static enum dk_err
list_json(struct view *v, struct str user)
{
	enum dk_err err;

	response_start(v->res, 200, STR("application/json"));
	jw_open(&v->w, &v->res->body);
	jw_object(&v->w, NULL);
	jw_str(&v->w, "username", user);
	jw_array(&v->w, "todos");
	err = each(v->todos->db, user, add_member, v);
	jw_end(&v->w);
	jw_end(&v->w);
	return err;
}

static void
show_list(struct todos *t, const struct request *req, struct response *res,
    struct str user)
{
	struct view v = { .todos = t, .res = res };
	enum dk_err err =
	    req->wants_json ? list_json(&v, user) : list_html(&v, user);

	if (err != DK_OK || res->body.overflow) {
		say(req, res, 503, "The list cannot be read just now.");
		return;
	}
	add_headers(res);
}

static void
show_style(struct response *res)
{
	response_start(res, 200, STR("text/css; charset=utf-8"));
	buf_addz(&res->body, style);
	add_headers(res);
}

/* ---- changes
 * ---------------------------------------------------------------------- */
/*
 * A change has to come from our own page.  The gate's cookie does not travel
 * with other sites' posts (SameSite=Lax); this is the second lock.
 */
static bool
is_own_page(const struct request *req)
{
	struct str scheme, host;

	if (req->fetch_site != FETCH_SITE_ABSENT)
		return req->fetch_site == FETCH_SITE_SAME_ORIGIN;
	if (str_is_none(req->origin))
		return req->is_json; /* a program; browsers send one */
	return str_split(req->origin, '/', &scheme, &host) &&
	    str_starts(host, STR("/")) &&
	    str_ieq(str_sub(host, 1, host.n), req->host);
}

static enum dk_err
read_change(struct todos *t, const struct request *req, struct str *action,
    struct str *text, struct str *id)
{
	struct form_field f[] = { { .name = "action", .max = 8 },
		{ .name = "text", .max = TEXT_MAX },
		{ .name = "id", .max = 20 } };
	struct json_member m[] = {
		{ .name = "action", .type = JSON_STRING_MEMBER, .max = 8 },
		{ .name = "text", .type = JSON_STRING_MEMBER, .max = TEXT_MAX },
		{ .name = "id", .type = JSON_STRING_MEMBER, .max = 20 }
	};
	const char *problem;
	size_t which;
	enum dk_err err;

	if (req->is_json)
		err = json_read(req->body, m, 3, &t->arena, &problem);
	else
		err = form_read(req->body, f, 3, &t->arena, &problem, &which);
	*action = req->is_json ? m[0].text : f[0].value;
	*text = req->is_json ? m[1].text : f[1].value;
	*id = req->is_json ? m[2].text : f[2].value;
	return err;
}

static enum dk_err
change(
    struct todos *t, const struct request *req, struct str user, int *changes)
{
	struct str action, text, id_text;
	uint64_t id = 0;
	enum dk_err err;

	*changes = 0;
	err = read_change(t, req, &action, &text, &id_text);
	if (err != DK_OK)
		return err;
	if (str_eq(action, STR("add")) && str_trim(text).n > 0)
		return run(t->db,
		    "INSERT INTO todos (username, text) VALUES (?1, ?2)", user,
		    str_trim(text), 0, changes);
	if (str_is_none(id_text) || !str_to_u64(id_text, INT64_MAX, &id) ||
	    id == 0)
		return DK_ERR_INPUT;
	if (str_eq(action, STR("tick")))
		return run(t->db,
		    "UPDATE todos SET done = 1 - done"
		    " WHERE username = ?1 AND id = ?2",
		    user, STR_NONE, (sqlite3_int64)id, changes);
	if (str_eq(action, STR("delete")))
		return run(t->db,
		    "DELETE FROM todos WHERE username = ?1 AND id = ?2", user,
		    STR_NONE, (sqlite3_int64)id, changes);
	return DK_ERR_INPUT;
}

static void
take_change(struct todos *t, const struct request *req, struct response *res,
    struct str user)
{
	struct buf to = arena_buf(&t->arena, 256);
	enum dk_err err;
	int changes;

	if (!is_own_page(req)) {
		say(req, res, 403, "This did not come from your list.");
		return;
	}
	err = change(t, req, user, &changes);
	if (err == DK_ERR_INPUT || err == DK_ERR_TOO_LARGE) {
		say(req, res, 400,
		    "An entry has 1 to 500 bytes; action is add, tick or "
		    "delete, the last two with an id.");
	} else if (err != DK_OK) {
		say(req, res, 503, "The list cannot be changed just now.");
	} else if (changes == 0) {
		say(req, res, 404, "There is no such entry in your list.");
	} else if (req->wants_json) {
		show_list(t, req, res, user);
	} else {
		buf_add(&to, t->rules.mount);
		buf_addc(&to, '/');
		response_redirect(res, buf_str(&to));
		add_headers(res);
	}
}

/* ---- requests
 * ------------------------------------------------------------------------ */
static void
handle(void *arg, struct request *req, struct response *res)
{
	struct str user = request_param(req, STR("REMOTE_USER"));
	struct todos *t = arg;

	if (user.n == 0 || req->role != REQUEST_RESPONDER)
		say(req, res, 403,
		    "Nobody is signed in: this list belongs behind a gate.");
	else if (str_eq(req->route, STR("/style.css")))
		show_style(res);
	else if (!str_eq(req->route, STR("/")) && req->route.n > 0)
		say(req, res, 404, "There is no such page.");
	else if (req->method == METHOD_POST)
		take_change(t, req, res, user);
	else if (req->method == METHOD_GET || req->method == METHOD_HEAD)
		show_list(t, req, res, user);
	else
		say(req, res, 405, "GET and POST, nothing else.");
	if (res->status == 405)
		response_header(res, "Allow", STR("GET, HEAD, POST"));
}

static void
fail(void *arg, struct request *req, struct response *res, unsigned status,
    const char *problem)
{
	(void)arg;
	say(req, res, status,
	    problem == NULL ? "The request cannot be read." : problem);
}

static bool
idle(void *arg)
{
	(void)arg;
	return true;
}

static int
open_list(struct todos *t)
{
	const char *file = request_environment("TODOS_DATABASE");

	(void)umask(0077);
	if (file == NULL)
		file = "todos.db";
	if (sqlite3_open(file, &t->db) != SQLITE_OK ||
	    sqlite3_busy_timeout(t->db, 5000) != SQLITE_OK ||
	    sqlite3_exec(t->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
		(void)fprintf(stderr,
		    "todos: %s: %s; TODOS_DATABASE names "
		    "the file\n",
		    file, sqlite3_errmsg(t->db));
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv, char **envp)
{
	static struct todos t;
	const struct gateway_app app = { .arg = &t,
		.rules = &t.rules,
		.arena = &t.arena,
		.log = &t.log,
		.handle = handle,
		.fail = fail,
		.idle = idle };
	bool fastcgi = gateway_is_fastcgi(STDIN_FILENO);
	const char *mount = request_environment("TODOS_MOUNT");
	int status;

	(void)argc, (void)argv;
	log_open(&t.log, LOG_TO_STDERR, LOG_AS_JSON);
	t.rules.mount = mount == NULL ? STR("/todos") : str_from(mount);
	if (secret_init() != DK_OK ||
	    arena_open(&t.arena, ARENA_SIZE) != DK_OK || open_list(&t) != 0)
		return 1;
	status = fastcgi ? gateway_run_fcgi(&app, STDIN_FILENO)
			 : gateway_run_cgi(&app, envp);
	(void)sqlite3_close(t.db);
	arena_close(&t.arena);
	return status;
}
