/*
 * doorkeep stats
 */
#include <stdio.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "domain/statistics.h"

enum { JSON_MAX = 8 * 1024 };

static void
add_piece(struct jw *w, const struct statistics_piece *p)
{
	char time[CLOCK_ISO_LEN + 1];

	clock_iso(p->from_ms, time);
	jw_object(w, NULL);
	jw_str(w, "from", str_from(time));
	jw_int(w, "sign_ins", p->sign_ins);
	jw_int(w, "failures", p->failures);
	jw_int(w, "throttled", p->throttled);
	if (p->sessions < 0)
		jw_null(w, "sessions");
	else
		jw_int(w, "sessions", p->sessions);
	jw_end(w);
}

static enum ctl_exit
print_json(const struct statistics *st, struct str span, int64_t live,
    int64_t at_ms)
{
	char text[JSON_MAX], time[CLOCK_ISO_LEN + 1];
	struct buf b;
	struct jw w;
	size_t i;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "span", span);
	jw_int(&w, "piece_seconds", st->piece_ms / 1000);
	jw_int(&w, "sign_ins", st->sign_ins);
	jw_int(&w, "failures", st->failures);
	jw_int(&w, "throttled", st->throttled);
	if (at_ms == 0) {
		jw_null(&w, "sessions");
		jw_null(&w, "sessions_at");
	} else {
		clock_iso(at_ms, time);
		jw_int(&w, "sessions", live);
		jw_str(&w, "sessions_at", str_from(time));
	}
	jw_array(&w, "pieces");
	for (i = 0; i < st->n; i++)
		add_piece(&w, &st->piece[i]);
	jw_end(&w);
	jw_end(&w);
	return ctl_put_json(&b);
}

static void
put_number(int64_t n, unsigned width)
{
	char text[24];
	struct buf b;

	BUF_OVER(&b, text);
	if (n < 0)
		buf_addz(&b, "-");
	else
		buf_addf(&b, "%lld", (long long)n);
	ctl_put_column(buf_str(&b), width);
}

static enum ctl_exit
print_table(const struct statistics *st, int64_t live, int64_t at_ms)
{
	char time[CLOCK_ISO_LEN + 1];
	size_t i;

	ctl_put_column(STR("FROM (UTC)"), 16);
	ctl_put_column(STR("SIGN-INS"), 9);
	ctl_put_column(STR("FAILURES"), 9);
	ctl_put_column(STR("THROTTLED"), 9);
	ctl_say("SESSIONS");
	for (i = 0; i < st->n; i++) {
		const struct statistics_piece *p = &st->piece[i];

		clock_iso(p->from_ms, time);
		ctl_put_column(str_sub(str_from(time), 0, 16), 16);
		put_number(p->sign_ins, 9);
		put_number(p->failures, 9);
		put_number(p->throttled, 9);
		put_number(p->sessions, 1);
		(void)putchar('\n');
	}
	ctl_put_column(STR("all"), 16);
	put_number(st->sign_ins, 9);
	put_number(st->failures, 9);
	put_number(st->throttled, 9);
	put_number(st->sessions, 1);
	(void)putchar('\n');
	clock_iso(at_ms, time);
	if (at_ms == 0)
		ctl_say("How many sessions are alive is not known yet.");
	else
		ctl_say("%lld session%s alive at %s.", (long long)live,
		    live == 1 ? " was" : "s were", time);
	return CTL_DONE;
}

enum ctl_exit
ctl_stats(struct ctl *ctl)
{
	struct str name = ctl_has(ctl, "span") ? ctl_value(ctl, "span")
					       : STR("day");
	struct statistics st;
	enum statistics_span span;
	int64_t live = 0, at_ms = 0;
	enum dk_err err;

	if (!statistics_span_parse(name, &span))
		return ctl_misuse(ctl, "--span is day, week or month");
	err = statistics_read(&ctl->dom, span, ctl->now_ms, &st);
	if (err == DK_OK)
		err = statistics_sessions(
		    &ctl->dom, ctl->now_ms, &live, &at_ms);
	if (err != DK_OK)
		return ctl_fail_err(err, "the figures could not be read");
	return ctl->json ? print_json(&st, name, live, at_ms)
			 : print_table(&st, live, at_ms);
}
