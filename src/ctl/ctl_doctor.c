/*
 * doorkeep doctor: is everything as it should be?  First what lies on this
 * machine, then, with a URL, the running site.  Each finding names the line
 * to change.
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "ctl/ctl.h"
#include "ctl/fetch.h"
#include "domain/checkup.h"
#include "domain/session.h"
#include "http/url.h"

enum {
	JSON_MAX = 4 * 1024,
	PROBE_NAME_MAX = 40,
	COOKIE_MAX = 400,
	URL_MAX = 2100
};

struct doctor {
	struct ctl *ctl;
	unsigned failed;
	bool first;
	char probe[PROBE_NAME_MAX + 1], password[SECRET_TEXT_LEN + 1];
	char cookie[COOKIE_MAX];
};

/* ---- findings --------------------------------------------------------------
 */
static void
finding_json(struct doctor *d, bool good, const char *what, const char *cure)
{
	char text[JSON_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_bool(&w, "good", good);
	jw_str(&w, "check", str_from(what));
	if (good)
		jw_null(&w, "cure");
	else
		jw_str(&w, "cure", str_from(cure));
	jw_end(&w);
	(void)fputs(d->first ? "" : ",", stdout);
	d->first = false;
	(void)ctl_put_json(&b);
}

/* cure is printed only where something is wrong. */
static void
finding(struct doctor *d, bool good, const char *what, const char *cure)
{
	d->failed += !good;
	if (d->ctl->json) {
		finding_json(d, good, what, cure);
		return;
	}
	(void)printf("%s  %s\n", good ? "ok  " : "FAIL", what);
	if (!good) {
		(void)printf("      ");
		ctl_put(str_from(cure));
		(void)putchar('\n');
	}
}

/* ---- on this machine
 * --------------------------------------------------------- */
static void
take_finding(void *arg, const struct finding *f)
{
	finding(arg, f->good, f->what, f->cure);
}

static enum ctl_exit
check_machine(struct doctor *d)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;
	enum dk_err err;

	BUF_OVER(&message, text);
	err = domain_open(&d->ctl->dom, false, false, &message);
	finding(d, err == DK_OK, "the store opens", buf_z(&message));
	if (err == DK_OK)
		checkup_store(&d->ctl->dom, take_finding, d);
	checkup(&d->ctl->dom, d->ctl->now_ms, take_finding, d);
	return err == DK_OK ? CTL_DONE : CTL_FAILED;
}

/* ---- the running site
 * ----------------------------------------------------------- */
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
	buf_addf(&b, "doctor-%.8s", id);
	secret_to_text(&secret, d->password);
	secret_wipe(&secret, sizeof(secret));
	probe = (struct account_new){ .name = buf_str(&b),
		.display_name = STR("doorkeep doctor"),
		.pw = str_from(d->password) };
	return account_add(
	    &d->ctl->dom, &d->ctl->asker, &probe, d->ctl->now_ms, &flaw);
}

static void
remove_probe(struct doctor *d)
{
	struct user_row user;
	bool found;

	if (account_get(&d->ctl->dom, str_from(d->probe), &user, &found) !=
		DK_OK ||
	    !found ||
	    account_delete(
		&d->ctl->dom, &d->ctl->asker, &user, d->ctl->now_ms) != DK_OK)
		finding(d, false, "the throw-away user is gone again",
		    "doorkeep user list, and delete the one that begins with "
		    "doctor-");
	secret_wipe(&user, sizeof(user));
	secret_wipe(d->password, sizeof(d->password));
	secret_wipe(d->cookie, sizeof(d->cookie));
}

/* The session's cookie out of the answer to a sign-in. */
static void
keep_cookie(struct doctor *d, const struct fetch_answer *answer)
{
	struct str name = d->ctl->conf.cookie_name, line, pair, rest;
	struct str plain = d->ctl->conf.cookie_name_http;
	size_t from = 0;
	struct buf b;

	BUF_OVER(&b, d->cookie);
	for (;;) {
		line = fetch_header(answer, STR("Set-Cookie"), &from);
		if (str_is_none(line))
			return;
		(void)str_split(line, ';', &pair, &rest);
		if ((str_starts(pair, name) && pair.p[name.n] == '=') ||
		    (str_starts(pair, plain) && pair.p[plain.n] == '='))
			break;
	}
	buf_add(&b, pair);
}

static struct fetch_answer answer; /* large, and one at a time */

static unsigned
get(struct doctor *d, struct str url, bool signed_in, struct str header)
{
	const struct fetch f = { .url = url,
		.cookie = signed_in ? str_from(d->cookie) : STR_NONE,
		.header = header,
		.insecure = ctl_has(d->ctl, "insecure") };

	return fetch(&f, &answer) == DK_OK ? answer.status : 0;
}

static bool
is_closed(unsigned status)
{
	return status == 401 || status == 403 || status == 303 ||
	    status == 404 || status == 400;
}

/* True when it is closed, so that there is more to try. */
static bool
check_strangers(struct doctor *d, struct str url)
{
	unsigned status = get(d, url, false, STR_NONE);

	finding(d, status != 0, "the site answers",
	    "is the web server running, and the name right? curl says why; a "
	    "certificate that nobody vouches for needs --insecure");
	if (status == 0)
		return false;
	finding(d, is_closed(status) && status != 404,
	    "a stranger is asked to sign in",
	    "the web server does not ask doorkeep for this path: guard it in "
	    "its configuration (apache-conf/, conf/lighttpd/, conf/nginx/)");
	if (!is_closed(status))
		return false;
	status = get(d, url, false, STR("Remote-User: admin"));
	finding(d, is_closed(status), "a forged Remote-User lets nobody in",
	    "the web server's configuration must drop the header Remote-User "
	    "from requests, as the shipped files do");
	return true;
}

static void
sign_in(struct doctor *d, struct str origin)
{
	char url[URL_MAX], json[256];
	struct buf u, j;
	struct fetch f = { .insecure = ctl_has(d->ctl, "insecure") };
	bool good;

	BUF_OVER(&u, url);
	buf_add(&u, origin);
	buf_add(&u, d->ctl->conf.mount);
	buf_addz(&u, "/login");
	BUF_OVER(&j, json);
	buf_addf(&j, "{\"username\":\"%s\",\"password\":\"%s\"}", d->probe,
	    d->password);
	f.url = buf_str(&u);
	f.json = buf_str(&j);
	good = fetch(&f, &answer) == DK_OK && answer.status == 200;
	finding(d, good, "a throw-away user can sign in",
	    "is [site] mount the path under which the web server reaches "
	    "doorkeep, and does the worker use this configuration and store?");
	if (good)
		keep_cookie(d, &answer);
	secret_wipe(json, sizeof(json));
}

static void
check_person(struct doctor *d, struct str origin, struct str url)
{
	char session[URL_MAX];
	struct buf u;
	unsigned status;

	BUF_OVER(&u, session);
	buf_add(&u, origin);
	buf_add(&u, d->ctl->conf.mount);
	buf_addz(&u, "/session");
	finding(d,
	    d->cookie[0] != '\0' && get(d, buf_str(&u), true, STR_NONE) == 200,
	    "the cookie comes back over this scheme",
	    "[site] origin must be what people type; behind a proxy that does "
	    "TLS name it in [security] trusted_proxies");
	status = get(d, url, true, STR_NONE);
	finding(d, status != 0 && status != 401 && status < 500,
	    status == 403 ? "the page knows the person (who is not permitted)"
			  : "the page opens after a sign-in",
	    "doorkeep explain URL --user NAME says which rule decides; the "
	    "web server's error log says more");
}

/* Other spellings of the path that a server may take for the same file. */
static void
check_spellings(struct doctor *d, struct str origin, struct str path)
{
	static const char *const before[] = { "/", "/.", "/x/..", "/%2e",
		"/%2f" };
	char text[URL_MAX];
	struct buf u;
	bool closed = true;
	size_t i;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		BUF_OVER(&u, text);
		buf_add(&u, origin);
		buf_addz(&u, before[i]);
		buf_add(&u, path);
		closed = closed && get(d, buf_str(&u), false, STR_NONE) != 200;
	}
	finding(d, closed, "odd spellings of the path open nothing",
	    "the web server serves the path under another spelling without "
	    "asking doorkeep: guard the directory, not one spelling of it");
}

static enum ctl_exit
check_site(struct doctor *d)
{
	struct str url = d->ctl->operand[0], path = STR_NONE, origin = url;
	struct url_origin parsed;
	size_t i, slashes = 0;
	bool closed;

	if (!url_origin_of(url, &d->ctl->arena, &parsed))
		return ctl_misuse(d->ctl, "\"%.*s\" is no URL", STR_FMT(url));
	for (i = 0; i < url.n && slashes < 3; i++)
		slashes += url.p[i] == '/';
	if (slashes == 3) {
		origin = str_sub(url, 0, i - 1);
		path = str_sub(url, i - 1, url.n);
	}
	if (path.n < 2)
		return ctl_misuse(d->ctl,
		    "name a protected page, such as "
		    "%.*s/private/",
		    STR_FMT(origin));
	closed = check_strangers(d, url);
	if (answer.status == 0)
		return CTL_DONE;
	if (add_probe(d) != DK_OK)
		return ctl_fail("the throw-away user cannot be added");
	sign_in(d, origin);
	check_person(d, origin, url);
	if (closed)
		check_spellings(d, origin, path);
	remove_probe(d);
	return CTL_DONE;
}

enum ctl_exit
ctl_doctor(struct ctl *ctl)
{
	static struct doctor d;
	enum ctl_exit e;

	d.ctl = ctl;
	d.first = true;
	if (ctl->json)
		ctl_say("[");
	e = check_machine(&d);
	if (e == CTL_DONE && ctl->n_operands > 0)
		e = check_site(&d);
	if (ctl->json)
		ctl_say("]");
	else if (e == CTL_DONE && d.failed == 0)
		ctl_say("All is well.");
	else if (d.failed > 0)
		ctl_say("%u to mend.", d.failed);
	return e == CTL_DONE && d.failed > 0 ? CTL_FAILED : e;
}
