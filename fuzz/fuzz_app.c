/*
 * The whole application: several requests, one after the other, go through
 * gateway, web, domain and store, and after each it is asked what must hold
 * (fuzz/app/judge.h).  A line of the input is a step:
 *
 *	g TARGET	GET, as a browser navigates; h: HEAD
 *	f TARGET	POST of a form; j: of JSON, by a program
 *	a TARGET	asked as an authorizer; c: by /check; l: /login in its
 *			place (error_page)
 *	p NAME=VALUE	set a parameter of this request; +: add it; -: drop it
 *	b TEXT		the body, or a line more of it
 *	t SECONDS	time goes on before this request
 *	n		another browser, without cookies
 *
 * In all of them @ and a character stand for what only the stage knows:
 * passwords (@a Alice's, @b, ...), cookies of live sessions (@A, ...; @X of one
 * that is over), @T the form token of the last page, @1 Carol's code, @2 that
 * of the second factor shown last, @r and @R recovery codes, @l a one-use
 * link, @k that of the last page, @S a session's id on the last page, @i the
 * id of Alice's session without its secret.
 */
#include "fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/judge.h"

enum { INPUT_MAX = 8 * 1024, REQUESTS_MAX = 12, JAR_MAX = 10 };

struct browser {
	struct {
		char name[64], value[512];
	} jar[JAR_MAX];
};

struct play {
	struct stage *s;
	struct asked q;
	struct memory memory;
	struct snap before, after;
	struct browser browser;
	bool open, own_length, sends_cookies;
	char text[STAGE_TEXT_MAX]; /* parameters and body of the request */
	size_t n;
	char body[16 * 1024];
	size_t body_n;
	char token[129], link[SECRET_TEXT_LEN + 1], session[UUID_TEXT_LEN + 1];
	char id[SESSION_TOKEN_LEN + 1];
	unsigned requests;
};

static char *
keep(struct play *p, const char *text, size_t n)
{
	char *to = p->text + p->n;

	if (n + 1 > sizeof(p->text) - p->n)
		return NULL;
	memcpy(to, text, n);
	to[n] = '\0';
	p->n += n + 1;
	return to;
}

/* What an @ stands for; "" for others. */
static const char *
stands_for(struct play *p, char c, char code[TOTP_DIGITS + 1])
{
	struct stage *s = p->s;
	size_t i;

	for (i = 0; i < PEOPLE; i++) {
		if (c == s->people[i].name[0] && s->people[i].pw != NULL)
			return s->people[i].pw;
		if (c == toupper(s->people[i].name[0]))
			return s->people[i].cookie;
	}
	code[0] = '\0';
	if (c == '1')
		totp_code(&s->seed, p->q.now / TOTP_STEP_MS, code);
	if (c == '2')
		judge_shown_code(&p->memory, p->q.now, code);
	if (c == '1' || c == '2')
		return code;
	if (c == 'i') {
		(void)snprintf(
		    p->id, sizeof(p->id), "%s", s->people[ALICE].cookie);
		p->id[UUID_TEXT_LEN] = '\0';
		return p->id;
	}
	return c == 'T' ? p->token
	    : c == 'k'	? p->link
	    : c == 'S'	? p->session
	    : c == 'l'	? s->link
	    : c == 'X'	? s->expired
	    : c == 'r'	? s->recovery.text[0]
	    : c == 'R'	? s->recovery.text[1]
			: "";
}

/* The line with what stands for others in its place; NULs are left out. */
static size_t
expand(struct play *p, const char *line, size_t n, char *to, size_t size)
{
	size_t i, k = 0;

	for (i = 0; i < n && k + 1 < size; i++) {
		char code[TOTP_DIGITS + 1];
		const char *with;

		if (line[i] == '\0')
			continue;
		if (line[i] != '@' || i + 1 == n) {
			to[k++] = line[i];
			continue;
		}
		with = stands_for(p, line[++i], code);
		if (strlen(with) + k + 1 > size)
			break;
		memcpy(to + k, with, strlen(with));
		k += strlen(with);
	}
	to[k] = '\0';
	return k;
}

static void
drop_param(struct play *p, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < p->q.n_params; i++)
		if (strncmp(p->q.params[i], name, n) == 0 &&
		    p->q.params[i][n] == '=')
			p->q.params[i--] = p->q.params[--p->q.n_params];
}

static void
add_param(struct play *p, const char *text, size_t n)
{
	char *kept;

	if (p->q.n_params == STAGE_PARAMS_MAX)
		return;
	kept = keep(p, text, n);
	if (kept != NULL)
		p->q.params[p->q.n_params++] = kept;
}

static void
set_param(struct play *p, const char *text)
{
	const char *end = strchr(text, '=');

	if (end == NULL)
		return;
	drop_param(p, text, (size_t)(end - text));
	add_param(p, text, strlen(text));
}

static void
set_pair(struct play *p, const char *name, const char *value)
{
	char text[9000];

	(void)snprintf(text, sizeof(text), "%s=%s", name, value);
	set_param(p, text);
}

static void
begin(struct play *p, char how, const char *target)
{
	static const char *const usual[] = { "SERVER_PROTOCOL=HTTP/1.1",
		"GATEWAY_INTERFACE=CGI/1.1", "HTTPS=on",
		"HTTP_HOST=www.example.org", "REMOTE_ADDR=192.0.2.7",
		"HTTP_ACCEPT=text/html,*/*;q=0.8",
		"HTTP_USER_AGENT=Browser/1.0",
		"HTTP_SEC_FETCH_SITE=same-origin",
		"HTTP_SEC_FETCH_MODE=navigate", "SCRIPT_NAME=/auth" };
	size_t i;

	p->n = p->body_n = 0;
	p->q.n_params = 0;
	p->q.role = how == 'a' ? REQUEST_AUTHORIZER : REQUEST_RESPONDER;
	p->open = p->sends_cookies = true;
	p->own_length = false;
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		set_param(p, usual[i]);
	set_pair(p, "REQUEST_METHOD",
	    how == 'f' || how == 'j' ? "POST"
		: how == 'h'	     ? "HEAD"
				     : "GET");
	set_pair(p, "REQUEST_URI", target);
	if (how == 'c')
		set_pair(p, "PATH_INFO", "/check");
	if (how == 'l')
		set_pair(p, "PATH_INFO", "/login");
	if (how == 'a')
		drop_param(p, "SCRIPT_NAME", 11);
	if (how == 'f') {
		set_param(p, "HTTP_ORIGIN=" STAGE_ORIGIN);
		set_param(p, "CONTENT_TYPE=application/x-www-form-urlencoded");
	}
	if (how == 'j') {
		set_param(p, "CONTENT_TYPE=application/json");
		set_param(p, "HTTP_ACCEPT=application/json");
		drop_param(p, "HTTP_SEC_FETCH_SITE", 19);
		drop_param(p, "HTTP_SEC_FETCH_MODE", 19);
	}
}

static void
add_cookies(struct play *p)
{
	char line[JAR_MAX * 600];
	struct buf b;
	size_t i;

	BUF_OVER(&b, line);
	for (i = 0; i < JAR_MAX; i++)
		if (p->browser.jar[i].name[0] != '\0')
			buf_addf(&b, "%s%s=%s", b.len > 0 ? "; " : "",
			    p->browser.jar[i].name, p->browser.jar[i].value);
	if (b.len > 0 && p->sends_cookies)
		set_pair(p, "HTTP_COOKIE", buf_z(&b));
}

static void
keep_cookie(struct browser *browser, struct str line)
{
	struct str name, value, rest;
	size_t i, at = JAR_MAX;

	if (!str_split(line, '=', &name, &rest))
		return;
	(void)str_split(rest, ';', &value, &rest);
	for (i = JAR_MAX; i-- > 0;)
		if (browser->jar[i].name[0] == '\0' ||
		    str_eq(name, str_from(browser->jar[i].name)))
			at = i;
	for (i = 0; i < JAR_MAX; i++)
		if (str_eq(name, str_from(browser->jar[i].name)))
			at = i;
	if (at == JAR_MAX)
		return;
	(void)snprintf(browser->jar[at].name, sizeof(browser->jar[at].name),
	    "%.*s", STR_FMT(name));
	(void)snprintf(browser->jar[at].value, sizeof(browser->jar[at].value),
	    "%.*s", STR_FMT(value));
	if (value.n == 0)
		browser->jar[at].name[0] = '\0';
}

static void
keep_cookies(struct play *p)
{
	struct str rest = p->q.head, line;

	while (str_cut(&rest, '\n', &line))
		if (str_starts(line, STR("Set-Cookie: ")))
			keep_cookie(
			    &p->browser, str_sub(line, 12, line.n - 12));
}

/* What stands behind a mark on the page, up to its end. */
static void
find_text(struct str page, const char *mark, char end, char *to, size_t size)
{
	const char *at =
	    page.n == 0 ? NULL : memmem(page.p, page.n, mark, strlen(mark));
	size_t n;

	if (at == NULL)
		return;
	at += strlen(mark);
	n = page.n - (size_t)(at - page.p);
	for (size_t i = 0; i < n && i + 1 < size; i++) {
		to[i] = at[i] == end ? '\0' : at[i];
		to[i + 1] = '\0';
		if (at[i] == end)
			return;
	}
}

static void
look_at_page(struct play *p)
{
	struct str page = p->q.out;
	char seed[33] = "";

	find_text(page, "name=\"csrf_token\" value=\"", '"', p->token,
	    sizeof(p->token));
	find_text(page, "\"csrf_token\":\"", '"', p->token, sizeof(p->token));
	find_text(page, "set-password?token=", '<', p->link, sizeof(p->link));
	find_text(
	    page, "name=\"id\" value=\"", '"', p->session, sizeof(p->session));
	find_text(page, "?secret=", '&', seed, sizeof(seed));
	judge_note_shown(&p->memory, seed, page);
}

static void
send_request(struct play *p)
{
	char length[24];
	const char *wrong;

	if (!p->open || p->requests++ >= REQUESTS_MAX)
		return;
	p->open = false;
	add_cookies(p);
	if (p->body_n > 0 && !p->own_length) {
		(void)snprintf(length, sizeof(length), "%zu", p->body_n);
		set_pair(p, "CONTENT_LENGTH", length);
	}
	p->q.params[p->q.n_params] = NULL;
	p->q.body = (struct str){ p->body, p->body_n };
	stage_send(p->s, &p->q);
	snap_take(p->s, &p->after);
	if (getenv("DK_FUZZ_SHOW") != NULL)
		(void)fprintf(stderr, "%.*s%.*s\n%.*s\n", STR_FMT(p->q.head),
		    STR_FMT(p->q.out), STR_FMT(p->q.log));
	wrong = judge(p->s, &p->q, &p->before, &p->after, &p->memory);
	if (wrong != NULL)
		stage_abort("after a request", wrong);
	p->before = p->after;
	keep_cookies(p);
	look_at_page(p);
}

static void
change_param(struct play *p, char how, const char *text)
{
	const char *end = strchr(text, '=');

	if (strncmp(text, "CONTENT_LENGTH", 14) == 0)
		p->own_length = true;
	if (strncmp(text, "HTTP_COOKIE", 11) == 0)
		p->sends_cookies = false;
	if (how == '-')
		drop_param(p, text, strlen(text));
	else if (how == '+')
		add_param(p, text, strlen(text));
	else if (end != NULL)
		set_param(p, text);
}

static void
step(struct play *p, const char *line, size_t n)
{
	char text[INPUT_MAX + 1];
	size_t len = 0;

	text[0] = '\0';
	if (n > 1)
		len = expand(p, line + 2, n - 2, text, sizeof(text));
	if (n == 0)
		return;
	if (strchr("ghfjaclnt", line[0]) != NULL)
		send_request(p);
	if (strchr("ghfjacl", line[0]) != NULL)
		begin(p, line[0], text);
	else if (strchr("p+-", line[0]) != NULL)
		change_param(p, line[0], text);
	else if (line[0] == 'n')
		memset(&p->browser, 0, sizeof(p->browser));
	else if (line[0] == 't')
		p->q.now += 1000 * (strtol(text, NULL, 10) % 100000000);
	else if (line[0] == 'b' && p->body_n + len + 2 < sizeof(p->body)) {
		if (p->body_n > 0)
			p->body[p->body_n++] = '\n';
		memcpy(p->body + p->body_n, text, len);
		p->body_n += len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play play; /* large: not made anew each time */
	struct play *p = &play;
	const char *text = (const char *)data;
	size_t i, begin_at = 0;

	if (size > INPUT_MAX)
		return 0;
	memset(&p->memory, 0, sizeof(p->memory));
	memset(&p->browser, 0, sizeof(p->browser));
	p->open = false;
	p->requests = 0;
	p->token[0] = p->link[0] = p->session[0] = '\0';
	p->s = stage_get();
	stage_reset(p->s);
	p->q.now = p->s->now;
	snap_take(p->s, &p->before);
	for (i = 0; i <= size; i++) {
		if (i < size && text[i] != '\n')
			continue;
		step(p, text + begin_at, i - begin_at);
		begin_at = i + 1;
	}
	send_request(p);
	return 0;
}
