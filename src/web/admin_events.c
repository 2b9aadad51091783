/*
 * The audit trail: look through it, and take a piece of it along as lines of
 * JSON, the same as those of `doorkeep events --lines`, newest first.
 */
#include "base/clock.h"
#include "base/net.h"
#include "domain/account.h"
#include "domain/audit.h"
#include "web/admin.h"

enum {
	EVENT_VALUES = 9,
	WORD_MAX = 64,
	ADDRESS_MAX = 64,
	DAY_LEN = 10,
	LINES_MAX_LEN = 448 * 1024, /* of one file */
	LINE_MAX_LEN = 8 * 1024,
	LINES_STEP = 200
};

#define DAY_MS INT64_C(86400000)

static struct str
keep(struct ctx *c, struct str text)
{
	return text.n == 0 ? STR("") : arena_dup(c->arena, text);
}

static enum dk_err
take(void *arg, const struct event_row *row)
{
	struct admin_rows *r = arg;
	struct ctx *c = r->c;
	struct template_value *v = admin_rows_next(r);

	if (v == NULL)
		return DK_OK;
	v[0] = T_TEXT("at", page_time(c, row->at_ms));
	v[1] = T_TEXT("event", keep(c, row->event));
	v[2] = T_TEXT("outcome", keep(c, row->outcome));
	v[3] = T_TEXT("who", keep(c, row->username));
	v[4] = T_TEXT(
	    "who_url", admin_link(c, "/admin/person", "name", row->username));
	v[5] = T_TEXT("ip", keep(c, row->ip));
	v[6] = T_TEXT(
	    "ip_url", admin_link(c, "/admin/events", "address", row->ip));
	v[7] = T_TEXT("actor", keep(c, row->actor));
	v[8] = T_TEXT("what", keep(c, row->detail));
	r->cursor->at_ms = row->at_ms;
	r->cursor->event = row->id;
	return str_is_none(v[8].text) ? DK_ERR_NOMEM : DK_OK;
}

enum dk_err
admin_list_events(struct ctx *c, const struct event_filter *filter,
    struct admin_cursor *cursor, size_t limit, struct template_value *list)
{
	const struct admin_cursor from = *cursor;
	struct admin_rows r = { .c = c, .cursor = cursor, .limit = limit };
	enum dk_err err = admin_rows_begin(&r, EVENT_VALUES);

	if (err == DK_OK)
		err = audit_find(c->web->dom, filter, from.at_ms, from.event,
		    limit + 1, take, &r);
	*list = T_LIST("events", r.values, r.n, EVENT_VALUES);
	return err;
}

/* What the form of the list asks for. */
struct search {
	struct str user, address, event, outcome, from, to;
	struct event_filter filter;
	struct admin_cursor at;
	char ip_text[IP_TEXT_MAX];
	enum msg problem;
	bool later; /* not the first page */
};

/* Names stand in the trail as they are registered; of people who are gone, as
 * they are typed. */
static enum dk_err
find_name(struct ctx *c, struct search *s)
{
	struct user_row user = { 0 };
	bool found;
	enum dk_err err = account_get(c->web->dom, s->user, &user, &found);

	s->filter.username = s->user;
	if (err == DK_OK && found)
		s->filter.username =
		    arena_dup(c->arena, str_from(user.username));
	secret_wipe(&user, sizeof(user));
	return err;
}

static void
make_filter(struct search *s)
{
	struct ip_addr addr;
	int64_t day = 0;

	s->filter.event = s->event;
	s->filter.outcome = s->outcome;
	if (s->address.n > 0 && !ip_parse(s->address, &addr)) {
		s->problem = MSG_DESK_NO_IP;
	} else if (s->address.n > 0) {
		ip_format(&addr, s->ip_text);
		s->filter.ip = str_from(s->ip_text);
	}
	if (s->from.n > 0 && !clock_parse_day(s->from, &s->filter.since_ms))
		s->problem = MSG_DESK_NO_DAY;
	if (s->to.n > 0 && !clock_parse_day(s->to, &day))
		s->problem = MSG_DESK_NO_DAY;
	else if (s->to.n > 0)
		s->filter.before_ms = day + DAY_MS; /* that day, too */
}

static bool
read_search(struct ctx *c, struct search *s)
{
	struct form_field in[] = { { .name = "user", .max = USER_NAME_MAX },
		{ .name = "address", .max = ADDRESS_MAX },
		{ .name = "event", .max = WORD_MAX },
		{ .name = "outcome", .max = WORD_MAX },
		{ .name = "from", .max = DAY_LEN },
		{ .name = "to", .max = DAY_LEN }, { .name = "at", .max = 20 },
		{ .name = "id", .max = 20 } };
	enum dk_err err = DK_OK;

	if (!admin_read(c, c->req->query, in, 8))
		return false;
	*s = (struct search){ .user = str_trim(in[0].value),
		.address = str_trim(in[1].value),
		.event = str_trim(in[2].value),
		.outcome = in[3].value,
		.from = in[4].value,
		.to = in[5].value,
		.at = { .at_ms = INT64_MAX, .event = INT64_MAX },
		.later = in[6].value.n > 0 };
	make_filter(s);
	if (s->user.n > 0)
		err = find_name(c, s);
	if (err == DK_OK && s->later &&
	    (!admin_read_number(in[6].value, &s->at.at_ms) ||
		!admin_read_number(in[7].value, &s->at.event)))
		err = DK_ERR_INPUT;
	if (err != DK_OK)
		page_fail(c, err);
	return err == DK_OK;
}

static struct str
search_url(struct ctx *c, const char *path, const struct search *s,
    const struct admin_cursor *at)
{
	const struct admin_pair pairs[] = { { "user", s->user },
		{ "address", s->address }, { "event", s->event },
		{ "outcome", s->outcome }, { "from", s->from }, { "to", s->to },
		{ "at", at == NULL ? STR_NONE : admin_number(c, at->at_ms) },
		{ "id", at == NULL ? STR_NONE : admin_number(c, at->event) } };

	return admin_url(c, path, pairs, 8);
}

static void
show(struct ctx *c, struct search *s)
{
	static const struct admin_option outcomes[] = { { "", MSG_DESK_ANY, 0 },
		{ "success", MSG_DESK_SUCCESS, 0 },
		{ "failure", MSG_DESK_FAILURE, 0 },
		{ "refused", MSG_DESK_REFUSED, 0 } };
	struct template_value values[20];
	struct admin_page page = { .template = "admin_events.html",
		.title = MSG_DESK_EVENTS,
		.problem = s->problem,
		.values = values,
		.max = 20 };
	struct admin_cursor next = s->at;
	struct template_value list = T_LIST("events", NULL, 0, 1);
	enum dk_err err = DK_OK;

	if (s->problem == MSG_NONE)
		err =
		    admin_list_events(c, &s->filter, &next, ADMIN_ROWS, &list);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	admin_add(&page, list);
	admin_add(&page, T_TEXT("user", s->user));
	admin_add(&page, T_TEXT("address", s->address));
	admin_add(&page, T_TEXT("event", s->event));
	admin_add(&page, T_TEXT("from", s->from));
	admin_add(&page, T_TEXT("to", s->to));
	admin_add(&page, admin_options(c, "outcomes", outcomes, 4, s->outcome));
	admin_add(&page,
	    T_TEXT("next_url",
		next.more ? search_url(c, "/admin/events", s, &next)
			  : STR("")));
	admin_add(&page,
	    T_TEXT("first_url",
		s->later ? search_url(c, "/admin/events", s, NULL) : STR("")));
	admin_add(&page,
	    T_TEXT("lines_url",
		search_url(
		    c, "/admin/events.jsonl", s, s->later ? &s->at : NULL)));
	admin_render(c, 200, &page);
}

void
page_admin_events(struct ctx *c)
{
	struct search s;

	if (admin_enter(c) && read_search(c, &s))
		show(c, &s);
}

struct lines {
	struct buf *out;
	struct admin_cursor at;
	size_t n;  /* rows of this step */
	bool full; /* there are more than the file holds */
};

static enum dk_err
add_line(void *arg, const struct event_row *row)
{
	struct lines *lines = arg;
	struct jw w;

	lines->n++;
	lines->full =
	    lines->full || lines->out->max - lines->out->len < LINE_MAX_LEN;
	if (lines->full)
		return DK_OK;
	jw_open(&w, lines->out);
	audit_json(&w, row);
	buf_addc(lines->out, '\n');
	lines->at.at_ms = row->at_ms;
	lines->at.event = row->id;
	return DK_OK;
}

static void
name_next(struct ctx *c, const struct search *s, const struct lines *lines)
{
	struct str url = search_url(c, "/admin/events.jsonl", s, &lines->at);

	response_header(c->res, "Link",
	    arena_printf(c->arena, ADMIN_URL_MAX + 32, "<%.*s>; rel=\"next\"",
		STR_FMT(url)));
}

void
page_admin_lines(struct ctx *c)
{
	struct search s;
	struct lines lines = { .n = LINES_STEP };
	enum dk_err err = DK_OK;

	if (!admin_enter(c) || !read_search(c, &s))
		return;
	if (s.problem != MSG_NONE) {
		page_error(c, 400, s.problem);
		return;
	}
	response_start(c->res, 200, STR("application/jsonl; charset=utf-8"));
	c->res->body = arena_buf(c->arena, LINES_MAX_LEN);
	lines.out = &c->res->body;
	lines.at = s.at;
	while (err == DK_OK && lines.n == LINES_STEP && !lines.full) {
		lines.n = 0;
		err = audit_find(c->web->dom, &s.filter, lines.at.at_ms,
		    lines.at.event, LINES_STEP, add_line, &lines);
	}
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	response_header(c->res, "Content-Disposition",
	    STR("attachment; filename=\"doorkeep-events.jsonl\""));
	if (lines.full)
		name_next(c, &s, &lines);
}
