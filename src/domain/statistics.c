#include "domain/statistics.h"

#include "store/hours.h"
#include "store/sessions.h"

enum {
	HOURS_A_STEP = 24,	 /* counted in one go of housekeeping */
	SESSIONS_COUNTED = 20000 /* so many are counted while a page waits */
};

#define DAY_MS	   (24 * HOUR_MS)
#define GRACE_MS   INT64_C(120000) /* until the last events are in */
#define KEEP_MS	   (400 * DAY_MS)
#define LONGEST_MS (31 * DAY_MS)

static const struct {
	const char *name;
	int64_t piece_ms;
	size_t n;
} spans[] = {
	[STATISTICS_DAY] = { "day", HOUR_MS, 24 },
	[STATISTICS_WEEK] = { "week", 6 * HOUR_MS, 28 },
	[STATISTICS_MONTH] = { "month", DAY_MS, 30 },
};

bool
statistics_span_parse(struct str text, enum statistics_span *span)
{
	size_t i;

	*span = STATISTICS_DAY;
	for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (str_eq(text, str_from(spans[i].name))) {
			*span = (enum statistics_span)i;
			return true;
		}
	return false;
}

static int64_t
floor_to(int64_t ms, int64_t step)
{
	return ms - ms % step;
}

struct reading {
	struct statistics *out;
	int64_t uncounted_ms; /* the first hour that nobody has counted */
	int64_t next_ms;      /* the hour that is expected */
	bool live;	      /* rows come from the events */
};

static struct statistics_piece *
piece_of(struct statistics *out, int64_t ms)
{
	int64_t i = (ms - out->piece[0].from_ms) / out->piece_ms;

	return i >= 0 && (size_t)i < out->n ? &out->piece[i] : NULL;
}

static void
take_hour(void *arg, const struct hour_row *row)
{
	struct reading *r = arg;
	struct statistics_piece *p = piece_of(r->out, row->hour_ms);

	if (p == NULL)
		return;
	p->throttled += row->throttled;
	/* What is counted is counted up to here, without a gap. */
	if (row->counted && row->hour_ms == r->next_ms) {
		p->sign_ins += row->sign_ins;
		p->failures += row->failures;
		r->next_ms += HOUR_MS;
	}
}

static void
take_events(void *arg, const struct hour_row *row)
{
	struct reading *r = arg;
	struct statistics_piece *p = piece_of(r->out, row->hour_ms);

	if (p == NULL)
		return;
	p->sign_ins += row->sign_ins;
	p->failures += row->failures;
}

static void
take_sample(void *arg, int64_t at_ms, int64_t live)
{
	struct reading *r = arg;
	struct statistics_piece *p = piece_of(r->out, at_ms);

	if (p != NULL && live > p->sessions)
		p->sessions = live;
}

static void
add_up(struct statistics *out)
{
	size_t i;

	out->sessions = -1;
	for (i = 0; i < out->n; i++) {
		const struct statistics_piece *p = &out->piece[i];

		out->sign_ins += p->sign_ins;
		out->failures += p->failures;
		out->throttled += p->throttled;
		if (p->sessions > out->sessions)
			out->sessions = p->sessions;
	}
}

enum dk_err
statistics_read(struct domain *dom, enum statistics_span span, int64_t now_ms,
    struct statistics *out)
{
	int64_t step = spans[span].piece_ms, from, to;
	struct reading r = { .out = out };
	enum dk_err err;
	size_t i;

	*out = (struct statistics){ .piece_ms = step, .n = spans[span].n };
	to = floor_to(now_ms, step) + step;
	from = to - (int64_t)out->n * step;
	for (i = 0; i < out->n; i++) {
		out->piece[i].from_ms = from + (int64_t)i * step;
		out->piece[i].sessions = -1;
	}
	r.next_ms = from;
	err = hours_list(dom->db, from, to, take_hour, &r);
	if (err == DK_OK)
		err =
		    hours_from_events(dom->db, r.next_ms, to, take_events, &r);
	if (err == DK_OK)
		err = samples_list(dom->db, from, to, take_sample, &r);
	add_up(out);
	return err;
}

struct latest {
	int64_t live, at_ms;
};

static void
take_latest(void *arg, int64_t at_ms, int64_t live)
{
	struct latest *latest = arg;

	*latest = (struct latest){ live, at_ms };
}

enum dk_err
statistics_sessions(
    struct domain *dom, int64_t now_ms, int64_t *live, int64_t *at_ms)
{
	struct latest latest = { 0 };
	int64_t looked = 0;
	enum dk_err err;

	*at_ms = now_ms;
	err = sessions_sum(dom->db, now_ms, SESSIONS_COUNTED, &looked, live);
	if (err != DK_OK || looked < SESSIONS_COUNTED)
		return err;
	err = samples_list(
	    dom->db, now_ms - DAY_MS, now_ms + 1, take_latest, &latest);
	*live = latest.live;
	*at_ms = latest.at_ms;
	return err;
}

void
statistics_note_throttled(struct domain *dom)
{
	dom->throttled++;
}

enum dk_err
statistics_flush(struct domain *dom, int64_t now_ms)
{
	enum dk_err err;

	if (dom->throttled == 0)
		return DK_OK;
	err = hours_add_throttled(
	    dom->db, floor_to(now_ms, HOUR_MS), dom->throttled);
	if (err == DK_OK)
		dom->throttled = 0;
	return err;
}

/* In order, so that what is counted has no gap. */
static enum dk_err
count_each_hour(struct domain *dom, int64_t now_ms)
{
	int64_t oldest = floor_to(now_ms - LONGEST_MS, HOUR_MS), hour;
	unsigned steps = 0;
	enum dk_err err = hours_last_counted(dom->db, &hour);

	hour = hour + HOUR_MS < oldest ? oldest : hour + HOUR_MS;
	for (; err == DK_OK && steps < HOURS_A_STEP &&
	     hour + HOUR_MS + GRACE_MS <= now_ms;
	     hour += HOUR_MS, steps++)
		err = hours_count(dom->db, hour);
	return err;
}

/*
 * One commit for all of them: with one each, the many hours after a long rest
 * would hold up the touches of sessions, which never wait for the lock.
 */
static enum dk_err
count_hours(struct domain *dom, int64_t now_ms)
{
	int64_t last;
	enum dk_err err = hours_last_counted(dom->db, &last);

	if (err != DK_OK || last + 2 * HOUR_MS + GRACE_MS > now_ms)
		return err;
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = count_each_hour(dom, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

static enum dk_err
sample_sessions(struct domain *dom, int64_t now_ms)
{
	int64_t at = floor_to(now_ms, SAMPLE_MS), live = 0;
	bool mine;
	enum dk_err err = samples_claim(dom->db, at, &mine);

	if (err != DK_OK || !mine)
		return err;
	err = sessions_count(dom->db, now_ms, &live);
	return err == DK_OK ? samples_set(dom->db, at, live) : err;
}

enum dk_err
statistics_keep(struct domain *dom, int64_t now_ms)
{
	enum dk_err err = statistics_flush(dom, now_ms);

	if (err == DK_OK)
		err = count_hours(dom, now_ms);
	if (err == DK_OK)
		err = sample_sessions(dom, now_ms);
	return err == DK_OK ? hours_purge(dom->db, now_ms - KEEP_MS) : err;
}
