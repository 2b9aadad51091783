/*
 * doorkeep events
 */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "domain/audit.h"

enum { LIST_STEP = 500, JSON_MAX = 8 * 1024, FOLLOW_MS = 500 };

#define DEFAULT_SINCE_MS INT64_C(86400000)

struct printer {
	bool json, follow, first;
	int64_t last_id;
	size_t n;
	enum ctl_exit e;
};

static enum ctl_exit
print_json(struct printer *p, const struct event_row *row)
{
	char text[JSON_MAX], time[CLOCK_ISO_LEN + 1];
	struct buf b;
	struct jw w;

	clock_iso(row->at_ms, time);
	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "at", str_from(time));
	jw_str(&w, "event", row->event);
	jw_str(&w, "outcome", row->outcome);
	jw_str(&w, "username", row->username);
	jw_str(&w, "ip", row->ip);
	jw_str(&w, "session", row->session);
	jw_str(&w, "request_id", row->request_id);
	jw_str(&w, "actor", row->actor);
	jw_str(&w, "detail", row->detail);
	jw_end(&w);
	/* A list in one piece, or a line each where there is no end. */
	(void)fputs(p->follow || p->first ? "" : ",", stdout);
	p->first = false;
	return ctl_put_json(&b);
}

static void
print_line(const struct event_row *row)
{
	char time[CLOCK_ISO_LEN + 1];

	clock_iso(row->at_ms, time);
	ctl_put_column(str_sub(str_from(time), 0, 19), 19);
	ctl_put_column(row->event, 22);
	ctl_put_column(row->outcome, 8);
	ctl_put_column(row->username.n > 0 ? row->username : STR("-"), 16);
	ctl_put_column(row->ip.n > 0 ? row->ip : STR("-"), 15);
	ctl_put_column(row->actor, 10);
	ctl_put(row->detail);
	(void)putchar('\n');
}

static enum dk_err
print_event(void *arg, const struct event_row *row)
{
	struct printer *p = arg;

	p->last_id = row->id;
	p->n++;
	if (!p->json)
		print_line(row);
	else if (p->e == CTL_DONE)
		p->e = print_json(p, row);
	return DK_OK;
}

static enum ctl_exit
print_new(struct ctl *ctl, struct printer *p, int64_t since_ms)
{
	enum dk_err err;

	do {
		p->n = 0;
		err = audit_list(&ctl->dom, ctl_value(ctl, "user"), since_ms,
		    p->last_id, LIST_STEP, print_event, p);
		if (err != DK_OK)
			return ctl_fail_err(err, "the events cannot be read");
	} while (p->n == LIST_STEP && p->e == CTL_DONE);
	return p->e;
}

/* Until somebody stops it, or nobody reads on. */
static enum ctl_exit
follow(struct ctl *ctl, struct printer *p, int64_t since_ms)
{
	const struct timespec pause = { 0, FOLLOW_MS * 1000000L };
	enum ctl_exit e = CTL_DONE;

	while (e == CTL_DONE && fflush(stdout) == 0) {
		(void)nanosleep(&pause, NULL);
		e = print_new(ctl, p, since_ms);
	}
	return e;
}

enum ctl_exit
ctl_events(struct ctl *ctl)
{
	struct printer p = { .json = ctl->json,
		.follow = ctl_has(ctl, "follow"),
		.first = true };
	int64_t since_ms = DEFAULT_SINCE_MS;
	enum ctl_exit e;

	if (ctl_has(ctl, "since") &&
	    !conf_parse_duration(ctl_value(ctl, "since"), &since_ms))
		return ctl_misuse(ctl,
		    "--since %.*s is no span of time: 90s, "
		    "15m, 12h, 30d",
		    STR_FMT(ctl_value(ctl, "since")));
	since_ms = ctl->now_ms - since_ms;
	if (p.json && !p.follow)
		ctl_say("[");
	e = print_new(ctl, &p, since_ms);
	if (e == CTL_DONE && p.follow)
		e = follow(ctl, &p, since_ms);
	else if (e == CTL_DONE && p.json)
		ctl_say("]");
	return e;
}
