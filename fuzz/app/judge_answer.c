#include <stdio.h>
#include <string.h>

#include "seen.h"

static bool
has(struct str text, const char *what)
{
	return text.n > 0 && memmem(text.p, text.n, what, strlen(what)) != NULL;
}

static const char *
param(const struct asked *q, const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; i < q->n_params; i++)
		if (strncmp(q->params[i], name, n) == 0 &&
		    q->params[i][n] == '=')
			return q->params[i] + n + 1;
	return "";
}

/* --- the head --------------------------------------------------------------
 */

static bool
name_is_ours(struct str name)
{
	static const char *const names[] = { "Status", "Content-Type",
		"Content-Length", "Location", "Set-Cookie", "Cache-Control",
		"X-Content-Type-Options", "Referrer-Policy",
		"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy",
		"X-Frame-Options", "X-Robots-Tag", "Permissions-Policy", "Vary",
		"Content-Security-Policy", "WWW-Authenticate", "ETag", "Allow",
		"Retry-After", "Last-Modified", "Accept-Ranges",
		"Content-Range", "Content-Language", "Content-Disposition",
		"Clear-Site-Data", "Link", "Remote-User", "Remote-Groups",
		"Remote-Name", "Remote-Email", "Remote-Session",
		"Variable-REMOTE_USER", "Variable-REMOTE_GROUPS",
		"Variable-REMOTE_NAME", "Variable-REMOTE_EMAIL",
		"Variable-DOORKEEP_SESSION", "Variable-AUTH_TYPE",
		"Variable-DOORKEEP_GATE" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, str_from(names[i])))
			return true;
	return false;
}

/* A place of this site: no other host, and nothing that could become one. */
static bool
location_is_ours(struct str value)
{
	static const char *const origins[] = { STAGE_ORIGIN "/",
		"http://localhost:8080/" };
	size_t i;

	for (i = 0; i < value.n; i++)
		if (value.p[i] == '\\')
			return false;
	for (i = 0; i < 2; i++)
		if (str_starts(value, str_from(origins[i])))
			return true;
	return value.n > 0 && value.p[0] == '/' &&
	    (value.n == 1 || value.p[1] != '/');
}

static const char *
judge_cookie(const struct asked *q, struct str value)
{
	bool secure = has(value, "; Secure");

	if (!has(value, "; HttpOnly") || !has(value, "; SameSite=Lax") ||
	    !has(value, "; Path=/"))
		return "a cookie without its attributes";
	if (!secure && str_starts(value, STR("__")))
		return "a cookie with a prefix that is not Secure";
	if (has(value, "Domain="))
		return "a cookie for other hosts";
	(void)q;
	return NULL;
}

static const char *
judge_line(const struct asked *q, struct str line, bool first)
{
	struct str name, value;
	size_t i;

	for (i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < 0x20 || line.p[i] == 0x7f)
			return "a control byte in a header";
	if (!str_split(line, ':', &name, &value) || value.n < 1 ||
	    value.p[0] != ' ')
		return "a line that is no header";
	value = str_sub(value, 1, value.n);
	if (!name_is_ours(name))
		return "a header that nobody wrote";
	if (str_eq(name, STR("Status")) != first)
		return "not exactly one Status: at the beginning";
	if (str_eq(name, STR("Location")) && !location_is_ours(value))
		return "a redirect to somewhere else";
	return str_eq(name, STR("Set-Cookie")) ? judge_cookie(q, value) : NULL;
}

static const char *
judge_head(const struct asked *q)
{
	struct str rest = q->head, line;
	const char *wrong = NULL;
	char status[16];
	bool first = true;

	(void)snprintf(status, sizeof(status), "Status: %u ", q->status);
	if (!str_starts(rest, str_from(status)))
		return "no Status: of this answer";
	if (!str_ends(rest, STR("\r\n\r\n")))
		return "a head without its end";
	rest = str_sub(rest, 0, rest.n - 4);
	while (wrong == NULL && str_cut(&rest, '\n', &line)) {
		if (!str_is_none(rest) && !str_ends(line, STR("\r")))
			return "a line without CR";
		if (str_ends(line, STR("\r")))
			line = str_sub(line, 0, line.n - 1);
		wrong = judge_line(q, line, first);
		first = false;
	}
	return wrong;
}

/* --- secrets ---------------------------------------------------------------
 */

static bool
shows_text(struct str text, const char *secret)
{
	return secret != NULL && secret[0] != '\0' && has(text, secret) &&
	    !seen_came_elsewhere(secret);
}

static bool
shows_token(struct str text, const struct digest *hash)
{
	return text.n > 0 && seen_holds_token(text.p, text.n, hash) &&
	    !seen_token_elsewhere(hash);
}

/* Tokens of what is stored after the answer; the new link that the desk shows
 * to who may see it is in `links`. */
static const char *
judge_tokens(struct str text, const struct snap *snap, bool links)
{
	size_t i;

	for (i = 0; i < snap->n_sessions; i++)
		if (shows_token(text, &snap->sessions[i].hash))
			return "the secret of a session is told";
	for (i = 0; i < snap->n_devices; i++)
		if (shows_token(text, &snap->devices[i].hash))
			return "the secret of a known browser is told";
	for (i = 0; links && i < snap->n_links; i++)
		if (shows_token(text, &snap->links[i].hash))
			return "a one-use link is told";
	return NULL;
}

static const char *
judge_text(
    struct stage *s, struct str text, const struct snap *after, bool links)
{
	size_t i;

	for (i = 0; i < PEOPLE; i++)
		if (shows_text(text, s->people[i].pw))
			return "a password is told";
	for (i = 0; i < RECOVERY_CODES; i++)
		if (shows_text(text, s->recovery.text[i]))
			return "a recovery code is told";
	if (shows_text(text, s->seed_text))
		return "the seed of a second factor is told";
	return judge_tokens(text, after, links);
}

/* The head without the cookies that it sets. */
static struct str
without_cookies(struct str head, char *to, size_t size)
{
	struct str line;
	struct buf b;

	buf_init(&b, to, size);
	while (str_cut(&head, '\n', &line))
		if (!str_starts(line, STR("Set-Cookie: "))) {
			buf_add(&b, line);
			buf_addc(&b, '\n');
		}
	return buf_str(&b);
}

/* A link goes to its owner by a redirect to the page that takes it, never. */
static const char *
judge_secrets(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap *after)
{
	static char head[RESPONSE_HEADERS_MAX + 2];
	const char *wrong;
	bool desk = seen_admin_came(before, q->now);

	wrong = judge_text(
	    s, without_cookies(q->head, head, sizeof(head)), after, true);
	if (wrong == NULL)
		wrong = judge_text(s, q->out, after, !desk);
	if (wrong == NULL)
		wrong = judge_text(s, q->log, after, true);
	return wrong;
}

/* --- who gets in ------------------------------------------------------------
 */

/* The path as a file server might see it: decoded once, dots resolved. */
static void
plain_path(const char *target, char *to, size_t size)
{
	char step[2048];
	size_t n = 0, i, begin;

	for (i = 0;
	     target[i] != '\0' && target[i] != '?' && n + 1 < sizeof(step);
	     i++) {
		step[n] = target[i];
		if (target[i] == '%' && str_hex_digit(target[i + 1]) >= 0 &&
		    str_hex_digit(target[i + 2]) >= 0) {
			step[n] = (char)(str_hex_digit(target[i + 1]) * 16 +
			    str_hex_digit(target[i + 2]));
			i += 2;
		}
		n++;
	}
	step[n] = '\0';
	to[0] = '\0';
	for (begin = 0; begin <= n; begin = i + 1) {
		char *last;

		for (i = begin; i < n && step[i] != '/'; i++)
			;
		last = strrchr(to, '/');
		if (i == begin || (i == begin + 1 && step[begin] == '.'))
			continue;
		if (i == begin + 2 && step[begin] == '.' &&
		    step[begin + 1] == '.') {
			if (last != NULL)
				*last = '\0';
			continue;
		}
		if (strlen(to) + 2 + (i - begin) < size) {
			strncat(to, "/", 2);
			strncat(to, step + begin, i - begin);
		}
	}
	if (n > 0 && step[n - 1] == '/')
		strncat(to, "/", 2);
}

static bool
below(const char *path, const char *folder)
{
	size_t n = strlen(folder) - 1; /* "/x/" takes "/x" too */

	return strncmp(path, folder, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/');
}

/* May this session see the page? */
static bool
rule_allows(const struct asked *q, const struct snap_session *e,
    const struct snap_user *u, const char *path)
{
	const char *addr = param(q, "REMOTE_ADDR");

	if (below(path, "/alice/"))
		return strcmp(u->name, "alice") == 0;
	if (below(path, "/staff/"))
		return seen_is_member(u, "staff");
	if (below(path, "/two/"))
		return e->level == 2;
	if (below(path, "/fresh/"))
		return q->now - e->authenticated < 10 * 60000;
	if (below(path, "/read/"))
		return true;
	/* What a trusted proxy says of its client is another target's. */
	if (below(path, "/near/"))
		return strncmp(addr, "192.0.2.", 8) == 0 ||
		    strncmp(addr, "10.", 3) == 0 ||
		    strncmp(addr, "::ffff:", 7) == 0;
	return below(path, "/any/");
}

static bool
may_see(const struct asked *q, const struct snap *snap, const char *target)
{
	char path[2048];
	size_t i;

	plain_path(target, path, sizeof(path));
	if (below(path, "/public/"))
		return true;
	for (i = 0; i < snap->n_sessions; i++) {
		const struct snap_session *e = &snap->sessions[i];

		if (seen_lives(snap, e, q->now) &&
		    rule_allows(q, e, seen_user_of(snap, e->user_id), path))
			return true;
	}
	return false;
}

/* The names that an allowing answer gives are those of a session of its. */
static const char *
judge_identity(const struct asked *q, const struct snap *snap)
{
	static const char *const heads[] = { "Remote-User: ",
		"Variable-REMOTE_USER: " };
	char line[USER_NAME_MAX + 32];
	bool named = false, right = false;
	size_t i, k;

	for (k = 0; k < 2; k++) {
		named |= has(q->head, heads[k]);
		for (i = 0; i < snap->n_sessions; i++) {
			const struct snap_session *e = &snap->sessions[i];

			if (!seen_lives(snap, e, q->now))
				continue;
			(void)snprintf(line, sizeof(line), "%s%s\r\n", heads[k],
			    seen_user_of(snap, e->user_id)->name);
			right |= has(q->head, line);
		}
	}
	if (named && q->status >= 300)
		return "a name in an answer that does not allow";
	return named && !right ? "the name of somebody else" : NULL;
}

static const char *
judge_gate(const struct asked *q, const struct snap *before)
{
	const char *uri = param(q, "REQUEST_URI");
	char path[2048], script[2048];
	bool yes = q->status >= 200 && q->status < 300;

	(void)snprintf(script, sizeof(script), "%s%s", param(q, "SCRIPT_NAME"),
	    param(q, "PATH_INFO"));
	plain_path(uri, path, sizeof(path));
	if (!yes)
		return NULL;
	if (q->role == REQUEST_AUTHORIZER)
		return may_see(q, before, uri) ? NULL
					       : "the gate lets somebody in";
	if (!below(path, "/auth/"))
		return strcmp(script, "/auth/check") != 0 ||
			may_see(q, before, uri)
		    ? NULL
		    : "the gate lets somebody in by /check";
	if ((strcmp(path, "/auth/check") == 0 ||
		strcmp(path, "/auth/account") == 0 ||
		strcmp(path, "/auth/session") == 0) &&
	    !seen_session_came(before, 0, q->now))
		return "a page without a session";
	if (below(path, "/auth/admin/") && !seen_admin_came(before, q->now))
		return "the desk for somebody else";
	return NULL;
}

const char *
judge_answer(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap *after)
{
	const char *wrong;

	if (q->dropped)
		return "no complete answer";
	wrong = judge_head(q);
	if (wrong == NULL)
		wrong = judge_identity(q, before);
	if (wrong == NULL)
		wrong = judge_gate(q, before);
	if (wrong == NULL)
		wrong = judge_secrets(s, q, before, after);
	return wrong;
}
