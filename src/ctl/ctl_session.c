/*
 * doorkeep session …
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "ctl/ctl.h"
#include "domain/session.h"

enum { LIST_STEP = 200, JSON_MAX = 8 * 1024 };

/* ---- list ------------------------------------------------------------------
 */
struct page {
	struct session_view view[LIST_STEP];
	size_t n;
};

static enum dk_err
keep_session(void *arg, const struct session_view *view)
{
	struct page *page = arg;

	page->view[page->n++] = *view;
	return DK_OK;
}

static int64_t
expires_at(const struct session_row *s)
{
	int64_t idle = s->last_seen_at_ms + s->idle_timeout_ms;

	return s->idle_timeout_ms > 0 && idle < s->expires_at_ms
	    ? idle
	    : s->expires_at_ms;
}

static void
add_time(struct jw *w, const char *key, int64_t ms)
{
	char text[CLOCK_ISO_LEN + 1];

	clock_iso(ms, text);
	jw_str(w, key, str_from(text));
}

static enum ctl_exit
print_json(const struct session_view *v, bool first)
{
	const struct session_row *s = &v->session;
	char text[JSON_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "id", str_from(s->id));
	jw_str(&w, "username", str_from(v->username));
	add_time(&w, "signed_in_at", s->created_at_ms);
	add_time(&w, "last_seen_at", s->last_seen_at_ms);
	add_time(&w, "expires_at", expires_at(s));
	jw_str(&w, "ip", str_from(s->ip));
	jw_str(&w, "user_agent", str_from(s->user_agent));
	jw_str(&w, "host", str_from(s->host));
	jw_bool(&w, "remember", s->remember);
	jw_int(&w, "level", s->level);
	jw_end(&w);
	(void)fputs(first ? "" : ",", stdout);
	return ctl_put_json(&b);
}

static void
print_line(const struct session_view *v)
{
	const struct session_row *s = &v->session;
	char time[CLOCK_ISO_LEN + 1];

	ctl_put_column(str_from(s->id), UUID_TEXT_LEN);
	ctl_put_column(str_from(v->username), 16);
	clock_iso(s->created_at_ms, time);
	ctl_put_column(str_sub(str_from(time), 0, 16), 16);
	clock_iso(s->last_seen_at_ms, time);
	ctl_put_column(str_sub(str_from(time), 0, 16), 16);
	ctl_put_column(str_from(s->ip), 15);
	ctl_put(str_from(s->user_agent));
	(void)putchar('\n');
}

/* What the options of list and revoke name. */
struct chosen {
	struct session_filter filter;
	struct user_row user;
	char ip_text[IP_TEXT_MAX];
	bool some; /* at least one was given */
};

static enum ctl_exit
read_filter(struct ctl *ctl, struct chosen *c)
{
	enum ctl_exit e = ctl_address(ctl, c->ip_text, &c->filter.ip);

	if (e == CTL_DONE)
		e = ctl_ago(ctl, "older", 0, &c->filter.before_ms);
	if (e == CTL_DONE)
		e = ctl_ago(ctl, "newer", 0, &c->filter.since_ms);
	if (e == CTL_DONE && ctl_has(ctl, "user"))
		e = ctl_find_user(ctl, ctl_value(ctl, "user"), &c->user);
	c->filter.user_id = c->user.id;
	c->some = ctl_has(ctl, "user") || ctl_has(ctl, "address") ||
	    ctl_has(ctl, "older") || ctl_has(ctl, "newer");
	return e;
}

static enum ctl_exit
list_sessions(
    struct ctl *ctl, const struct session_filter *filter, int64_t limit)
{
	static struct page page;
	struct session_row last = { .created_at_ms = INT64_MAX };
	enum ctl_exit e = CTL_DONE;
	size_t step = LIST_STEP, i;
	bool first = true;
	enum dk_err err;

	do {
		page.n = 0;
		step = limit < LIST_STEP ? (size_t)limit : LIST_STEP;
		err = session_find(&ctl->dom, filter, ctl->now_ms,
		    last.created_at_ms, str_from(last.id), step, keep_session,
		    &page);
		if (err != DK_OK)
			e = ctl_fail_err(err, "the sessions could not be read");
		for (i = 0; e == CTL_DONE && i < page.n; i++) {
			if (ctl->json)
				e = print_json(&page.view[i], first);
			else
				print_line(&page.view[i]);
			first = false;
			last = page.view[i].session;
		}
		limit -= (int64_t)page.n;
	} while (e == CTL_DONE && page.n == step && limit > 0);
	return e;
}

enum ctl_exit
ctl_session_list(struct ctl *ctl)
{
	struct chosen chosen = { 0 };
	int64_t limit;
	enum ctl_exit e = ctl_number(ctl, "limit", INT64_MAX, &limit);

	if (e == CTL_DONE)
		e = read_filter(ctl, &chosen);
	if (e != CTL_DONE)
		return e;
	if (ctl->json) {
		ctl_say("[");
	} else {
		ctl_put_column(STR("ID"), UUID_TEXT_LEN);
		ctl_put_column(STR("USER"), 16);
		ctl_put_column(STR("SIGNED IN (UTC)"), 16);
		ctl_put_column(STR("LAST SEEN (UTC)"), 16);
		ctl_put_column(STR("ADDRESS"), 15);
		ctl_say("BROWSER");
	}
	e = list_sessions(ctl, &chosen.filter, limit);
	if (e == CTL_DONE && ctl->json)
		ctl_say("]");
	secret_wipe(&chosen, sizeof(chosen));
	return e;
}

/* ---- revoke, purge
 * ------------------------------------------------------------- */
static enum ctl_exit
say_count(struct ctl *ctl, int64_t n, const char *what)
{
	if (ctl->json)
		ctl_say("{\"%s\":%lld}", what, (long long)n);
	else
		ctl_say("%lld session%s %s.", (long long)n, n == 1 ? "" : "s",
		    what);
	return CTL_DONE;
}

static enum ctl_exit
revoke_found(struct ctl *ctl, const struct chosen *chosen)
{
	int64_t n = 0;
	enum dk_err err;

	err = session_revoke_found(&ctl->dom, &ctl->asker, &chosen->filter,
	    STR_NONE, ctl->now_ms, INT64_MAX, &n);
	return err != DK_OK ? ctl_fail_err(err, "not all sessions were ended")
			    : say_count(ctl, n, "ended");
}

static enum ctl_exit
revoke_one(struct ctl *ctl)
{
	struct str id = ctl->operand[0];
	bool ended;
	enum dk_err err;

	if (!uuid_is_valid(id))
		return ctl_fail("\"%.*s\" is no session id; doorkeep session "
				"list shows them",
		    STR_FMT(id));
	err =
	    session_revoke(&ctl->dom, &ctl->asker, id, 0, ctl->now_ms, &ended);
	if (err != DK_OK)
		return ctl_fail_err(err, "the session was not ended");
	if (!ended)
		return ctl_fail("there is no such session (any more)");
	return say_count(ctl, 1, "ended");
}

enum ctl_exit
ctl_session_revoke(struct ctl *ctl)
{
	struct chosen chosen = { 0 };
	int64_t n = 0;
	enum ctl_exit e = read_filter(ctl, &chosen);
	enum dk_err err;

	if (e == CTL_DONE &&
	    (ctl->n_operands > 0) + chosen.some + ctl_has(ctl, "all") != 1)
		e = ctl_misuse(ctl,
		    "give one of: a session's ID; --all; or which ones, by "
		    "--user NAME, --address, --older, --newer");
	if (e == CTL_DONE && chosen.some) {
		e = revoke_found(ctl, &chosen);
	} else if (e == CTL_DONE && ctl->n_operands > 0) {
		e = revoke_one(ctl);
	} else if (e == CTL_DONE) {
		err = session_revoke_all(
		    &ctl->dom, &ctl->asker, ctl->now_ms, &n);
		e = err != DK_OK
		    ? ctl_fail_err(err, "the sessions were not ended")
		    : say_count(ctl, n, "ended");
	}
	secret_wipe(&chosen, sizeof(chosen));
	return e;
}

enum ctl_exit
ctl_session_purge(struct ctl *ctl)
{
	int64_t n = 0;
	enum dk_err err = session_purge(&ctl->dom, ctl->now_ms, &n);

	return err != DK_OK ? ctl_fail_err(err, "the purge did not end")
			    : say_count(ctl, n, "purged");
}
