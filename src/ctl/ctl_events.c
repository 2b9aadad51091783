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
	bool json, lines, first;
	int64_t last_id;
	size_t n;
	enum ctl_exit e;
};

static enum ctl_exit
print_json(struct printer *p, const struct event_row *row)
{
	char text[JSON_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	audit_json(&w, row);
	/* A list in one piece, or a line each. */
	(void)fputs(p->lines || p->first ? "" : ",", stdout);
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
print_new(
    struct ctl *ctl, struct printer *p, const struct event_filter *filter)
{
	enum dk_err err;

	do {
		p->n = 0;
		err = audit_list(
		    &ctl->dom, filter, p->last_id, LIST_STEP, print_event, p);
		if (err != DK_OK)
			return ctl_fail_err(err, "the events cannot be read");
	} while (p->n == LIST_STEP && p->e == CTL_DONE);
	return p->e;
}

/* Until somebody stops it, or nobody reads on. */
static enum ctl_exit
follow(
    struct ctl *ctl, struct printer *p, const struct event_filter *filter)
{
	const struct timespec pause = { 0, FOLLOW_MS * 1000000L };
	enum ctl_exit e = CTL_DONE;

	while (e == CTL_DONE && fflush(stdout) == 0) {
		(void)nanosleep(&pause, NULL);
		e = print_new(ctl, p, filter);
	}
	return e;
}

enum ctl_exit
ctl_events(struct ctl *ctl)
{
	bool follows = ctl_has(ctl, "follow"), lines = ctl_has(ctl, "lines");
	struct printer p = { .json = ctl->json || lines,
		.lines = follows || lines,
		.first = true };
	struct event_filter filter = { .username = ctl_value(ctl, "user"),
		.event = ctl_value(ctl, "event"),
		.outcome = ctl_value(ctl, "outcome") };
	char ip_text[IP_TEXT_MAX];
	enum ctl_exit e = ctl_address(ctl, ip_text, &filter.ip);

	if (e == CTL_DONE)
		e = ctl_ago(ctl, "since", ctl->now_ms - DEFAULT_SINCE_MS,
		    &filter.since_ms);
	if (e == CTL_DONE)
		e = ctl_ago(ctl, "until", 0, &filter.before_ms);
	if (e != CTL_DONE)
		return e;
	if (p.json && !p.lines)
		ctl_say("[");
	e = print_new(ctl, &p, &filter);
	if (e == CTL_DONE && follows)
		e = follow(ctl, &p, &filter);
	else if (e == CTL_DONE && p.json && !p.lines)
		ctl_say("]");
	return e;
}
