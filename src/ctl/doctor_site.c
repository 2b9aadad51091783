/*
 * doorkeep doctor URL: the running site, seen by a stranger, by somebody who
 * is signed in, and by somebody who tries to get around the gate.
 */
#include <signal.h>

#include "ctl/doctor.h"
#include "ctl/fetch.h"
#include "domain/session.h"
#include "http/url.h"

enum { URL_MAX = 4200, PROBES_MAX = 32, PROBE_OLD_MS = 10 * 60 * 1000 };
static const char probe_begins[] = "doctor-";
static const char probe_shown[] = "doorkeep doctor";

static struct fetch_answer answer; /* large, and one at a time */

/* What is looked at: https://host + /path */
struct site {
	struct str url, origin, path;
};

/* ---- asking ------------------------------------------------------------ */

static void
ending_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGHUP);
}

/* Somebody wants the program to end: no further question. */
static bool
is_interrupted(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	    (sigismember(&set, SIGINT) == 1 ||
		sigismember(&set, SIGTERM) == 1 ||
		sigismember(&set, SIGHUP) == 1);
}

static unsigned
ask(struct doctor *d, struct fetch f)
{
	answer.status = 0;
	f.insecure = ctl_has(d->ctl, "insecure");
	return !is_interrupted() && fetch(&f, &answer) == DK_OK
	    ? answer.status
	    : 0;
}

static unsigned
get(struct doctor *d, struct str url, bool signed_in, struct str header)
{
	return ask(d,
	    (struct fetch){ .url = url,
		.cookie = signed_in ? str_from(d->cookie) : STR_NONE,
		.header = header });
}

/* What stands behind the answer's head. */
static struct str
body(void)
{
	struct str rest = answer.text, line;

	while (str_cut(&rest, '\n', &line))
		if (line.n == 0 || str_eq(line, STR("\r")))
			return rest;
	return STR("");
}

static bool
body_shows(struct str text)
{
	struct str all = body();
	size_t i;

	for (i = 0; text.n > 0 && i + text.n <= all.n; i++)
		if (str_eq(str_sub(all, i, text.n), text))
			return true;
	return false;
}

static bool
is_open(unsigned status)
{
	return status >= 200 && status < 300;
}

/* ---- the throw-away user ------------------------------------------------- */

static enum dk_err
add_probe(struct doctor *d)
{
	char id[UUID_TEXT_LEN + 1];
	struct secret secret;
	struct buf b;
	struct account_new probe;
	enum password_flaw flaw;
	enum dk_err err = secret_new(&secret);

	if (err == DK_OK)
		err = uuid_new(id);
	if (err != DK_OK)
		return err;
	BUF_OVER(&b, d->probe);
	buf_addf(&b, "%s%.8s", probe_begins, id);
	secret_to_text(&secret, d->password);
	secret_wipe(&secret, sizeof(secret));
	probe = (struct account_new){ .name = buf_str(&b),
		.display_name = str_from(probe_shown),
		.pw = str_from(d->password) };
	return account_add(
	    &d->ctl->dom, &d->ctl->asker, &probe, d->ctl->now_ms, &flaw);
}

static bool
remove_user(struct doctor *d, struct str name)
{
	struct user_row user;
	bool found, gone;

	gone =
	    account_get(&d->ctl->dom, name, &user, &found) == DK_OK && found &&
	    account_delete(
		&d->ctl->dom, &d->ctl->asker, &user, d->ctl->now_ms) == DK_OK;
	secret_wipe(&user, sizeof(user));
	return gone;
}

static void
remove_probe(struct doctor *d)
{
	if (!remove_user(d, str_from(d->probe)))
		doctor_finding(d, false, "the throw-away user is gone again",
		    "doorkeep user list, and delete the one that begins with "
		    "doctor-");
	secret_wipe(d->password, sizeof(d->password));
	secret_wipe(d->cookie, sizeof(d->cookie));
}

struct left_over {
	struct doctor *d;
	char name[PROBES_MAX][USER_NAME_MAX + 1];
	size_t n;
};

static enum dk_err
note_old(void *arg, const struct user_row *row)
{
	struct left_over *left = arg;
	struct buf b;

	if (!str_eq(str_from(row->display_name), str_from(probe_shown)) ||
	    left->d->ctl->now_ms - row->created_at_ms < PROBE_OLD_MS ||
	    left->n == PROBES_MAX)
		return DK_OK;
	BUF_OVER(&b, left->name[left->n]);
	buf_addz(&b, row->username);
	left->n++;
	return DK_OK;
}

/* Of a doctor that was killed; not of one that is at work. */
static void
remove_left_over(struct doctor *d)
{
	const struct user_filter filter = { .begins = str_from(
						probe_begins) };
	struct left_over left = { .d = d };
	size_t i;

	if (account_find(&d->ctl->dom, &filter, STR(""), PROBES_MAX, note_old,
		&left) != DK_OK)
		return;
	for (i = 0; i < left.n; i++)
		(void)remove_user(d, str_from(left.name[i]));
}

/* ---- a stranger ---------------------------------------------------------- */

/* True when it is closed, so that there is more to try. */
static bool
check_strangers(struct doctor *d, struct str url)
{
	static const char *const forged[] = { "Remote-User: admin",
		"Remote_User: admin", "X-Remote-User: admin",
		"X-Forwarded-User: admin" };
	unsigned status = get(d, url, false, STR_NONE);
	bool closed = status == 401 || status == 403 || status == 303;
	size_t i;

	doctor_finding(d, status != 0, "the site answers",
	    "is the web server running, and the name right? curl says why; a "
	    "certificate that nobody vouches for needs --insecure");
	if (status == 0)
		return false;
	doctor_finding(d, closed, "a stranger is asked to sign in",
	    "the web server does not ask doorkeep for this path: guard it in "
	    "its configuration (apache-conf/, conf/lighttpd/, conf/nginx/)");
	if (!closed)
		return false;
	for (i = 0; i < 4 && closed; i++)
		closed = !is_open(get(d, url, false, str_from(forged[i])));
	doctor_finding(d, closed, "a forged Remote-User lets nobody in",
	    "the web server's configuration must drop the header Remote-User "
	    "from requests, as the shipped files do");
	doctor_finding(d,
	    !is_open(ask(d,
		(struct fetch){ .url = url, .json = STR("{}") })),
	    "a stranger's POST is refused as well",
	    "the web server guards some methods only: take the guard out of "
	    "<Limit>, limit_except and the like");
	return true;
}

/* ---- somebody who is signed in ------------------------------------------- */

/* The session's cookie out of the answer to a sign-in. */
static void
keep_cookie(struct doctor *d)
{
	struct str name = d->ctl->conf.cookie_name, line, pair, rest;
	struct str plain = d->ctl->conf.cookie_name_http;
	size_t from = 0;
	struct buf b;

	BUF_OVER(&b, d->cookie);
	for (;;) {
		line = fetch_header(&answer, STR("Set-Cookie"), &from);
		if (str_is_none(line))
			return;
		(void)str_split(line, ';', &pair, &rest);
		if ((str_starts(pair, name) && pair.p[name.n] == '=') ||
		    (str_starts(pair, plain) && pair.p[plain.n] == '='))
			break;
	}
	buf_add(&b, pair);
}

static struct str
own_url(struct doctor *d, const struct site *site, const char *path)
{
	return arena_printf(&d->ctl->arena, URL_MAX, "%.*s%.*s%s",
	    STR_FMT(site->origin), STR_FMT(d->ctl->conf.mount), path);
}

static void
sign_in(struct doctor *d, const struct site *site)
{
	char json[256];
	struct buf j;
	bool good;

	BUF_OVER(&j, json);
	buf_addf(&j, "{\"username\":\"%s\",\"password\":\"%s\"}", d->probe,
	    d->password);
	good = ask(d,
		   (struct fetch){ .url = own_url(d, site, "/login"),
		       .json = buf_str(&j) }) == 200;
	doctor_finding_key(d, good, "a throw-away user can sign in", "site",
	    "mount",
	    "is it the path under which the web server reaches doorkeep, and "
	    "does the worker use this file and this store?");
	if (good)
		keep_cookie(d);
	secret_wipe(json, sizeof(json));
}

/* Only what the page itself shows can be seen from here. */
static void
check_application(struct doctor *d, const struct site *site)
{
	static const char *const names[] = { "Remote-User", "X-Remote-User",
		"Remote_User", "X_Remote_User", "Remote-Groups",
		"Remote-Name", "Remote-Email", "Remote-Session" };
	struct str cookie = str_from(d->cookie), secret;
	char text[128];
	struct buf b;
	bool hidden = true;
	size_t i;

	(void)str_split(cookie, '.', &cookie, &secret);
	doctor_finding(d, !body_shows(secret),
	    "doorkeep's cookie is hidden from the application",
	    "the web server hands the cookie on: take it out as the shipped "
	    "files do (nginx: proxy_set_header Cookie $doorkeep_cookies; by "
	    "include snippets/doorkeep_gate; Apache: the RequestHeader edit* "
	    "Cookie lines; lighttpd: conf/lighttpd/doorkeep.lua)");
	for (i = 0; i < sizeof(names) / sizeof(names[0]) && hidden; i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "%s: forged-%s", names[i], d->probe);
		(void)get(d, site->url, true, buf_str(&b));
		hidden = !body_shows(str_sub(
		    buf_str(&b), str_from(names[i]).n + 2, sizeof(text)));
	}
	doctor_finding(d, hidden,
	    "a forged identity header does not reach the application",
	    "the web server must drop Remote-User and the like from requests "
	    "before it sets its own (nginx: the proxy_set_header lines of "
	    "snippets/doorkeep_gate; Apache: RequestHeader unset; lighttpd: "
	    "conf/lighttpd/)");
}

static void
check_person(struct doctor *d, const struct site *site)
{
	unsigned status;

	doctor_finding_key(d,
	    d->cookie[0] != '\0' &&
		get(d, own_url(d, site, "/session"), true, STR_NONE) == 200,
	    "the cookie comes back over this scheme", "site", "origin",
	    "must be what people type; behind a proxy that does TLS name it "
	    "in [security] trusted_proxies; no proxy may drop Set-Cookie or "
	    "Cookie");
	status = get(d, site->url, true, STR_NONE);
	doctor_finding(d, status != 0 && status != 401 && status < 500,
	    status == 403 ? "the page knows the person (who is not permitted)"
			  : "the page opens after a sign-in",
	    "doorkeep explain URL --user NAME says which rule decides; the "
	    "web server's error log says more");
	if (!is_open(status) || d->cookie[0] == '\0')
		return;
	d->page_len = body().n;
	check_application(d, site);
}

/* ---- somebody who tries to get around it -------------------------------- */

/* With capital letters, where the file system does not tell them apart. */
static struct str
shouted(struct doctor *d, struct str path)
{
	char *to = arena_alloc(&d->ctl->arena, path.n);
	size_t i;

	for (i = 0; to != NULL && i < path.n; i++)
		to[i] = path.p[i] >= 'a' && path.p[i] <= 'z'
		    ? (char)(path.p[i] - 'a' + 'A')
		    : path.p[i];
	return to == NULL ? STR("/") : (struct str){ to, path.n };
}

/* Is the page shown to a stranger who writes its path like this? */
static bool
opens(struct doctor *d, const struct site *site, struct str path,
    bool answers_all)
{
	struct str url = arena_printf(&d->ctl->arena, URL_MAX, "%.*s%.*s",
	    STR_FMT(site->origin), STR_FMT(path));

	/* A site may have a page for every path; it is not this one. */
	return is_open(get(d, url, false, STR_NONE)) &&
	    (!answers_all || (d->page_len > 0 && body().n == d->page_len));
}

static void
check_spellings(struct doctor *d, const struct site *site)
{
	struct arena *a = &d->ctl->arena;
	struct str path = site->path, rest = str_sub(path, 1, path.n), first;
	struct str all[16], found = STR_NONE;
	char text[URL_MAX + 200];
	struct buf cure;
	size_t n = 0, i;
	bool answers_all;

	(void)str_split(path, '?', &path, &rest);
	rest = str_sub(path, 1, path.n);
	(void)str_cut(&rest, '/', &first);
	rest = str_sub(path, 1 + first.n, path.n);
#define SPELL(...) (all[n++] = arena_printf(a, URL_MAX, __VA_ARGS__))
	SPELL("/%.*s", STR_FMT(path));
	SPELL("/.%.*s", STR_FMT(path));
	SPELL("/x/..%.*s", STR_FMT(path));
	SPELL("/%%2e%.*s", STR_FMT(path));
	SPELL("/%%2f%.*s", STR_FMT(path));
	SPELL("/%%%02x%.*s%.*s", (unsigned)(unsigned char)first.p[0],
	    STR_FMT(str_sub(first, 1, first.n)), STR_FMT(rest));
	SPELL("/%.*s;x%.*s", STR_FMT(first), STR_FMT(rest));
	SPELL("/%.*s.%.*s", STR_FMT(first), STR_FMT(rest));
	SPELL("/%.*s/.%.*s", STR_FMT(first), STR_FMT(rest));
	SPELL("%.*s/.", STR_FMT(path));
	SPELL("%.*s%%00", STR_FMT(path));
	SPELL("%.*s%%20", STR_FMT(path));
	SPELL("%.*s/..%.*s", STR_FMT(d->ctl->conf.mount), STR_FMT(path));
#undef SPELL
	all[n++] = shouted(d, path);
	answers_all = is_open(get(d,
	    arena_printf(a, URL_MAX, "%.*s/%s", STR_FMT(site->origin),
		d->probe),
	    false, STR_NONE));
	for (i = 0; i < n && str_is_none(found); i++)
		if (!str_eq(all[i], path) &&
		    opens(d, site, all[i], answers_all))
			found = all[i];
	BUF_OVER(&cure, text);
	buf_add(&cure, found);
	buf_addz(&cure,
	    " opens it to everybody: guard the directory in the web server's "
	    "configuration, not one spelling of it");
	doctor_finding(d, str_is_none(found),
	    "odd spellings of the path open nothing", buf_z(&cure));
}

/* -------------------------------------------------------------------------- */

static enum ctl_exit
take_url(struct doctor *d, struct site *site)
{
	struct str url = d->ctl->operand[0];
	struct url_origin parsed;
	size_t i, slashes = 0;

	*site = (struct site){ .url = url, .origin = url };
	if (!url_origin_of(url, &d->ctl->arena, &parsed))
		return ctl_misuse(d->ctl, "\"%.*s\" is no URL", STR_FMT(url));
	for (i = 0; i < url.n && slashes < 3; i++)
		slashes += url.p[i] == '/';
	if (slashes == 3) {
		site->origin = str_sub(url, 0, i - 1);
		site->path = str_sub(url, i - 1, url.n);
	}
	if (site->path.n < 2 || site->path.p[1] == '/' ||
	    site->path.p[1] == '?' || url.n > URL_MAX / 2)
		return ctl_misuse(d->ctl,
		    "name a protected page, such as %.*s/private/",
		    STR_FMT(site->origin));
	return CTL_DONE;
}

enum ctl_exit
doctor_site(struct doctor *d)
{
	struct site site;
	sigset_t ending, before;
	bool closed;
	enum ctl_exit e = take_url(d, &site);

	if (e != CTL_DONE)
		return e;
	remove_left_over(d);
	closed = check_strangers(d, site.url);
	if (answer.status == 0)
		return CTL_DONE;
	ending_signals(&ending);
	if (sigprocmask(SIG_BLOCK, &ending, &before) != 0)
		return ctl_fail("signals cannot be held back");
	if (add_probe(d) == DK_OK) {
		sign_in(d, &site);
		check_person(d, &site);
		if (closed)
			check_spellings(d, &site);
		remove_probe(d);
	} else {
		e = ctl_fail("the throw-away user cannot be added");
	}
	/* A signal that came meanwhile ends the program here. */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return e;
}
