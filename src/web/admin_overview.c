/*
 * The desk's first page: pictures of the last day, week or month, what is
 * running, and what is wrong on this machine.
 */
#include "base/clock.h"
#include "domain/checkup.h"
#include "domain/statistics.h"
#include "web/admin.h"

enum {
	CHARTS = 4,
	CHART_VALUES = 5,
	CHART_WIDTH = 1200, /* as in the viewBox of admin.html */
	CHART_HEIGHT = 200,
	BAR_GAP = 4,
	PATH_MAX_LEN = 2048,
	PIECE_VALUES = 5,
	FINDINGS_MAX = 24,
	FINDING_VALUES = 2,
	SPANS = 3,
	SPAN_VALUES = 3
};

/* Which figure of a piece; -1 where it is not known. */
enum figure { SIGN_INS, FAILURES, THROTTLED, SESSIONS };

static int64_t
figure_of(const struct statistics_piece *p, enum figure which)
{
	switch (which) {
	case SIGN_INS:
		return p->sign_ins;
	case FAILURES:
		return p->failures;
	case THROTTLED:
		return p->throttled;
	case SESSIONS:
		break;
	}
	return p->sessions;
}

static int64_t
most_of(const struct statistics *st, enum figure which)
{
	int64_t most = 0;
	size_t i;

	for (i = 0; i < st->n; i++)
		if (figure_of(&st->piece[i], which) > most)
			most = figure_of(&st->piece[i], which);
	return most;
}

/* A bar for each piece, as high as its share of the highest. */
static struct str
draw(struct ctx *c, const struct statistics *st, enum figure which)
{
	struct buf b = arena_buf(c->arena, PATH_MAX_LEN);
	int64_t most = most_of(st, which), value, high;
	unsigned step = CHART_WIDTH / (unsigned)st->n;
	size_t i;

	for (i = 0; i < st->n; i++) {
		value = figure_of(&st->piece[i], which);
		if (value <= 0)
			continue;
		/* What there was is seen. */
		high = value > INT64_MAX / CHART_HEIGHT
		    ? CHART_HEIGHT /* static(tidy): most is one of them */
		    : value * CHART_HEIGHT / most;
		high = high < 2 ? 2 : high;
		buf_addf(&b, "M%u %dv-%lldh%uv%lldz", (unsigned)i * step,
		    CHART_HEIGHT, (long long)high, step - BAR_GAP,
		    (long long)high);
	}
	return buf_str(&b);
}

/* "Sign-ins: 120, at most 14 in an hour": the picture in words. */
static struct template_value
charts(struct ctx *c, const struct statistics *st, struct str live)
{
	static const enum msg titles[] = { MSG_DESK_SIGN_INS, MSG_DESK_FAILURES,
		MSG_DESK_THROTTLED, MSG_DESK_SESSIONS };
	const int64_t sums[] = { st->sign_ins, st->failures, st->throttled };
	struct template_value *rows =
	    arena_alloc(c->arena, CHARTS * CHART_VALUES * sizeof(*rows));
	size_t i;

	for (i = 0; rows != NULL && i < CHARTS; i++) {
		struct template_value *v = rows + i * CHART_VALUES;
		const struct word words[] = {
			{ "title", page_say(c, titles[i]) },
			{ "most",
			    admin_number(c, most_of(st, (enum figure)i)) },
		};

		v[0] = T_TEXT("title", words[0].text);
		v[1] = T_TEXT(
		    "total", i < SESSIONS ? admin_number(c, sums[i]) : live);
		v[2] = T_TEXT("path", draw(c, st, (enum figure)i));
		v[3] =
		    T_TEXT("label", page_say_with(c, MSG_DESK_CHART, words, 2));
		v[4] = T_TEXT("most",
		    most_of(st, (enum figure)i) > 0 ? words[1].text : STR(""));
	}
	return T_LIST("charts", rows, rows == NULL ? 0 : CHARTS, CHART_VALUES);
}

static struct template_value
pieces(struct ctx *c, const struct statistics *st)
{
	struct template_value *rows =
	    arena_alloc(c->arena, st->n * PIECE_VALUES * sizeof(*rows));
	size_t i;

	for (i = 0; rows != NULL && i < st->n; i++) {
		const struct statistics_piece *p = &st->piece[i];
		struct template_value *v = rows + i * PIECE_VALUES;

		v[0] = T_TEXT("from", page_time(c, p->from_ms));
		v[1] = T_TEXT("sign_ins", admin_number(c, p->sign_ins));
		v[2] = T_TEXT("failures", admin_number(c, p->failures));
		v[3] = T_TEXT("throttled", admin_number(c, p->throttled));
		v[4] = T_TEXT("alive",
		    p->sessions < 0 ? STR("") : admin_number(c, p->sessions));
	}
	return T_LIST("pieces", rows, rows == NULL ? 0 : st->n, PIECE_VALUES);
}

static struct template_value
spans(struct ctx *c, enum statistics_span chosen)
{
	static const struct {
		const char *word;
		enum msg label;
	} all[SPANS] = { [STATISTICS_DAY] = { "day", MSG_DESK_DAY },
		[STATISTICS_WEEK] = { "week", MSG_DESK_WEEK },
		[STATISTICS_MONTH] = { "month", MSG_DESK_MONTH } };
	struct template_value *rows =
	    arena_alloc(c->arena, SPANS * SPAN_VALUES * sizeof(*rows));
	size_t i;

	for (i = 0; rows != NULL && i < SPANS; i++) {
		const struct admin_pair pair = { "span",
			str_from(all[i].word) };

		rows[i * SPAN_VALUES] =
		    T_TEXT("url", admin_url(c, "/admin", &pair, 1));
		rows[i * SPAN_VALUES + 1] =
		    T_TEXT("label", page_say(c, all[i].label));
		rows[i * SPAN_VALUES + 2] =
		    T_FLAG("shown", i == (size_t)chosen);
	}
	return T_LIST("spans", rows, rows == NULL ? 0 : SPANS, SPAN_VALUES);
}

struct findings {
	struct ctx *c;
	struct template_value *rows;
	size_t n;
};

static void
take_finding(void *arg, const struct finding *f)
{
	struct findings *all = arg;
	struct template_value *v = all->rows + all->n * FINDING_VALUES;

	if (f->good || all->n == FINDINGS_MAX)
		return;
	v[0] = T_TEXT("what", str_from(f->what));
	v[1] = T_TEXT("cure", arena_dup(all->c->arena, str_from(f->cure)));
	all->n++;
}

static void
add_state(struct ctx *c, struct admin_page *page)
{
	struct findings all = { .c = c,
		.rows = arena_alloc(c->arena,
		    FINDINGS_MAX * FINDING_VALUES * sizeof(*all.rows)) };
	struct checkup_versions versions;

	if (all.rows != NULL)
		checkup(c->web->dom, c->now_ms, take_finding, &all);
	checkup_versions(c->web->dom, &versions);
	admin_add(page, T_LIST("findings", all.rows, all.n, FINDING_VALUES));
	admin_add(page, T_FLAG("trouble", all.n > 0));
	admin_add(page, T_TEXT("program", str_from(versions.program)));
	admin_add(page,
	    T_TEXT("engine",
		arena_printf(c->arena, sizeof(versions.place) + 64, "%s%s%s",
		    versions.engine, versions.place[0] == '\0' ? "" : ", ",
		    versions.place)));
	admin_add(page, T_TEXT("schema", admin_number(c, versions.schema)));
}

static void
show(struct ctx *c, enum statistics_span span)
{
	struct template_value values[24];
	struct admin_page page = { .template = "admin.html",
		.title = MSG_DESK,
		.values = values,
		.max = 24 };
	struct statistics st;
	int64_t live = 0, at_ms = 0;
	enum dk_err err;

	err = statistics_read(c->web->dom, span, c->now_ms, &st);
	if (err == DK_OK)
		err =
		    statistics_sessions(c->web->dom, c->now_ms, &live, &at_ms);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	admin_add(
	    &page, charts(c, &st, at_ms > 0 ? admin_number(c, live) : STR("")));
	admin_add(&page, pieces(c, &st));
	admin_add(&page, spans(c, span));
	admin_add(&page, T_TEXT("first", page_time(c, st.piece[0].from_ms)));
	admin_add(&page,
	    T_TEXT("sessions_at", at_ms > 0 ? page_time(c, at_ms) : STR("")));
	add_state(c, &page);
	admin_render(c, 200, &page);
}

void
page_admin(struct ctx *c)
{
	struct form_field in[] = { { .name = "span", .max = 8 } };
	enum statistics_span span;

	if (!admin_enter(c) || !admin_read(c, c->req->query, in, 1))
		return;
	(void)statistics_span_parse(in[0].value, &span);
	show(c, span);
}
