/*
 * Sessions of everybody, of one person, from one address, by age.  POST
 * /admin/sessions takes action: end (with s0, s1, …: the ids ticked) and
 * end_found (the fields of the filter, after a page that asks).  The session
 * of whoever acts is never among them.
 */
#include <string.h>

#include "base/net.h"
#include "domain/account.h"
#include "domain/session.h"
#include "web/account.h"
#include "web/admin.h"

enum {
	SESSION_VALUES = 11,
	AGE_MAX = 12,
	ADDRESS_MAX = 64,
	END_AT_ONCE = 50000 /* so that a request has an end */
};

static enum dk_err
take(void *arg, const struct session_view *view)
{
	struct admin_rows *r = arg;
	struct ctx *c = r->c;
	const struct session_row *s = &view->session;
	unsigned number = (unsigned)r->n;
	struct template_value *v = admin_rows_next(r);
	struct str user, ip;

	if (v == NULL)
		return DK_OK;
	user = arena_dup(c->arena, str_from(view->username));
	ip = arena_dup(c->arena, str_from(s->ip));
	v[0] = T_TEXT("tick", arena_printf(c->arena, 12, "s%u", number));
	v[1] = T_TEXT("id", arena_dup(c->arena, str_from(s->id)));
	v[2] = T_TEXT("user", user);
	v[3] = T_TEXT("user_url", admin_link(c, "/admin/person", "name", user));
	v[4] = T_TEXT("device", account_device(c, c->language, s->user_agent));
	v[5] = T_TEXT("ip", ip);
	v[6] = T_TEXT(
	    "ip_url", admin_link(c, "/admin/sessions", "address", ip));
	v[7] = T_TEXT("signed_in_at", page_time(c, s->created_at_ms));
	v[8] = T_TEXT("last_seen_at", page_time(c, s->last_seen_at_ms));
	v[9] = T_FLAG("current", account_is_current(c, view));
	v[10] = T_FLAG("two_steps", s->level > 1);
	r->cursor->at_ms = s->created_at_ms;
	memcpy(r->cursor->session, s->id, sizeof(r->cursor->session));
	return str_is_none(v[8].text) ? DK_ERR_NOMEM : DK_OK;
}

enum dk_err
admin_list_sessions(struct ctx *c, const struct session_filter *filter,
    struct admin_cursor *cursor, size_t limit, struct template_value *list)
{
	const struct admin_cursor from = *cursor;
	struct admin_rows r = { .c = c, .cursor = cursor, .limit = limit };
	enum dk_err err = admin_rows_begin(&r, SESSION_VALUES);

	if (err == DK_OK)
		err = session_find(c->web->dom, filter, c->now_ms, from.at_ms,
		    str_from(from.session), limit + 1, take, &r);
	*list = T_LIST("sessions", r.values, r.n, SESSION_VALUES);
	return err;
}

/* What the form of the list asks for. */
struct search {
	struct str user, address, older, newer, at, id, until;
	struct session_filter filter;
	char ip_text[IP_TEXT_MAX];
	enum msg problem;
	bool nobody; /* nothing can be found */
};

enum { FIELDS = 7 };

/* The filter of a query, or of the form behind the page that asks. */
static enum dk_err
make_filter(struct ctx *c, struct search *s)
{
	struct user_row user = { 0 };
	struct ip_addr addr;
	bool found = true;
	int64_t age;
	enum dk_err err = DK_OK;

	if (s->user.n > 0)
		err = account_get(c->web->dom, s->user, &user, &found);
	s->filter.user_id = user.id;
	secret_wipe(&user, sizeof(user));
	if (err == DK_OK && !found)
		s->problem = MSG_DESK_NOBODY;
	if (s->address.n > 0 && !ip_parse(s->address, &addr)) {
		s->problem = MSG_DESK_NO_IP;
	} else if (s->address.n > 0) {
		ip_format(&addr, s->ip_text);
		s->filter.ip = str_from(s->ip_text);
	}
	if (s->older.n > 0 && conf_parse_duration(s->older, &age))
		s->filter.before_ms = c->now_ms - age;
	if (s->newer.n > 0 && conf_parse_duration(s->newer, &age))
		s->filter.since_ms = c->now_ms - age;
	s->nobody = s->problem != MSG_NONE;
	return err;
}

static bool
read_search(struct ctx *c, const struct form_field in[FIELDS], struct search *s)
{
	int64_t age;
	enum dk_err err;

	*s = (struct search){ .user = str_trim(in[0].value),
		.address = str_trim(in[1].value),
		.older = in[2].value,
		.newer = in[3].value,
		.at = in[4].value,
		.id = in[5].value,
		.until = in[6].value };
	if ((s->older.n > 0 && !conf_parse_duration(s->older, &age)) ||
	    (s->newer.n > 0 && !conf_parse_duration(s->newer, &age))) {
		page_problem(c,
		    &(const struct page_problem){ .status = 400,
			.detail = "An age is a number and s, m, h or d." });
		return false;
	}
	err = make_filter(c, s);
	if (err != DK_OK)
		page_fail(c, err);
	return err == DK_OK;
}

static struct str
search_url(struct ctx *c, const struct search *s, struct str at, struct str id,
    struct str ask)
{
	const struct admin_pair pairs[] = { { "user", s->user },
		{ "address", s->address }, { "older", s->older },
		{ "newer", s->newer }, { "at", at }, { "id", id },
		{ "ask", ask } };

	return admin_url(c, "/admin/sessions", pairs, 7);
}

/* The filter's own fields, for the forms of a page. */
static void
add_search(struct ctx *c, const struct search *s, struct admin_page *page)
{
	static const struct admin_option older[] = {
		{ "", MSG_DESK_ANY_AGE, 0 }, { "1h", MSG_DESK_OLDER_HOURS, 1 },
		{ "12h", MSG_DESK_OLDER_HOURS, 12 },
		{ "1d", MSG_DESK_OLDER_DAYS, 1 },
		{ "7d", MSG_DESK_OLDER_DAYS, 7 },
		{ "30d", MSG_DESK_OLDER_DAYS, 30 }
	};
	static const struct admin_option newer[] = {
		{ "", MSG_DESK_ANY_AGE, 0 }, { "1h", MSG_DESK_NEWER_HOURS, 1 },
		{ "12h", MSG_DESK_NEWER_HOURS, 12 },
		{ "1d", MSG_DESK_NEWER_DAYS, 1 },
		{ "7d", MSG_DESK_NEWER_DAYS, 7 }
	};

	admin_add(page, T_TEXT("user", s->user));
	admin_add(page, T_TEXT("address", s->address));
	admin_add(page, T_TEXT("older", s->older));
	admin_add(page, T_TEXT("newer", s->newer));
	admin_add(page, admin_options(c, "ages", older, 6, s->older));
	admin_add(page, admin_options(c, "youths", newer, 5, s->newer));
}

static void
show(struct ctx *c, const struct search *s)
{
	struct template_value values[20];
	struct admin_page page = { .template = "admin_sessions.html",
		.title = MSG_DESK_SESSIONS,
		.problem = s->problem,
		.values = values,
		.max = 20 };
	struct admin_cursor at = { .at_ms = INT64_MAX };
	struct template_value list = T_LIST("sessions", NULL, 0, 1);
	enum dk_err err = DK_OK;

	if (s->at.n > 0 &&
	    (!admin_read_number(s->at, &at.at_ms) || !uuid_is_valid(s->id)))
		err = DK_ERR_INPUT;
	else if (s->at.n > 0)
		memcpy(at.session, s->id.p, UUID_TEXT_LEN);
	if (err == DK_OK && !s->nobody)
		err =
		    admin_list_sessions(c, &s->filter, &at, ADMIN_ROWS, &list);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	admin_add(&page, list);
	add_search(c, s, &page);
	admin_add(&page,
	    T_TEXT("next_url",
		at.more ? search_url(c, s, admin_number(c, at.at_ms),
			      str_from(at.session), STR_NONE)
			: STR("")));
	admin_add(&page,
	    T_TEXT("first_url",
		s->at.n > 0 ? search_url(c, s, STR_NONE, STR_NONE, STR_NONE)
			    : STR("")));
	admin_add(&page,
	    T_TEXT(
		"ask_url", search_url(c, s, STR_NONE, STR_NONE, STR("all"))));
	admin_render(c, 200, &page);
}

/* Before many sessions end: how many, and which. */
static void
ask(struct ctx *c, const struct search *s)
{
	struct template_value values[20];
	struct admin_page page = { .template = "admin_end.html",
		.title = MSG_DESK_END_FOUND,
		.values = values,
		.max = 20 };
	int64_t n = 0;
	enum dk_err err =
	    session_find_count(c->web->dom, &s->filter, c->now_ms, &n);

	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	add_search(c, s, &page);
	admin_add(&page,
	    T_TEXT(
		"found", n > SESSION_COUNT_MAX ? STR("") : admin_number(c, n)));
	admin_add(
	    &page, T_TEXT("at_least", admin_number(c, SESSION_COUNT_MAX)));
	/* What begins after this page was shown is not what was meant. */
	admin_add(&page, T_TEXT("until", admin_number(c, c->now_ms)));
	admin_add(&page,
	    T_TEXT("back_url", search_url(c, s, STR_NONE, STR_NONE, STR_NONE)));
	admin_render(c, 200, &page);
}

#define SEARCH_FIELDS                                                         \
	{ .name = "user", .max = USER_NAME_MAX },                             \
	    { .name = "address", .max = ADDRESS_MAX },                        \
	    { .name = "older", .max = AGE_MAX },                              \
	    { .name = "newer", .max = AGE_MAX }, { .name = "at", .max = 20 }, \
	    { .name = "id", .max = UUID_TEXT_LEN },                           \
	{                                                                     \
		.name = "until", .max = 20                                    \
	}

void
page_admin_sessions(struct ctx *c)
{
	struct form_field in[] = { SEARCH_FIELDS, { .name = "ask", .max = 8 } };
	struct search s;

	if (!admin_enter(c) || !admin_read(c, c->req->query, in, FIELDS + 1) ||
	    !read_search(c, in, &s))
		return;
	if (in[FIELDS].value.n > 0 && !s.nobody)
		ask(c, &s);
	else
		show(c, &s);
}

static void
done(struct ctx *c, const struct search *s, const char *word)
{
	const struct admin_pair pairs[] = { { "user", s->user },
		{ "address", s->address }, { "older", s->older },
		{ "newer", s->newer } };

	admin_done(c, "/admin/sessions", pairs, 4, word);
}

/* All that the filter names and that began before the page that asked. */
static void
end_found(struct ctx *c, struct search *s)
{
	struct session_filter filter = s->filter;
	int64_t until, n = 0;
	enum dk_err err;

	if (s->nobody || !admin_read_number(s->until, &until) ||
	    until > c->now_ms) {
		page_error(c, 400, MSG_NONE);
		return;
	}
	/* The ages are those of the page that asked, too. */
	if (filter.before_ms > 0)
		filter.before_ms -= c->now_ms - until;
	else
		filter.before_ms = until + 1;
	if (filter.since_ms > 0)
		filter.since_ms -= c->now_ms - until;
	err = session_revoke_found(c->web->dom, &c->asker, &filter,
	    str_from(c->session.view.session.id), c->now_ms, END_AT_ONCE, &n);
	if (err != DK_OK)
		page_fail(c, err);
	else
		done(c, s, n >= END_AT_ONCE ? "more" : "sessions");
}

static void
end_ticked(struct ctx *c, struct search *s, const struct form_field *ticks)
{
	struct str mine = str_from(c->session.view.session.id);
	enum dk_err err = DK_OK;
	bool ended;
	size_t i;

	for (i = 0; err == DK_OK && i < ADMIN_ROWS; i++)
		if (ticks[i].value.n > 0 && !str_eq(ticks[i].value, mine))
			err = session_revoke(c->web->dom, &c->asker,
			    ticks[i].value, 0, c->now_ms, &ended);
	if (err != DK_OK)
		page_fail(c, err);
	else
		done(c, s, "sessions");
}

void
page_admin_sessions_post(struct ctx *c)
{
	struct form_field in[FIELDS + 2 + ADMIN_ROWS] = { SEARCH_FIELDS,
		{ .name = "csrf_token", .max = 256 },
		{ .name = "action", .max = 16 } };
	char names[ADMIN_ROWS][8];
	struct search s;
	struct buf b;
	size_t i;

	for (i = 0; i < ADMIN_ROWS; i++) {
		BUF_OVER(&b, names[i]);
		buf_addf(&b, "s%u", (unsigned)i);
		in[FIELDS + 2 + i] = (struct form_field){ .name = names[i],
			.max = UUID_TEXT_LEN };
	}
	if (!admin_enter(c) ||
	    !admin_read_form(c, in, FIELDS + 2 + ADMIN_ROWS) ||
	    !read_search(c, in, &s) ||
	    !admin_may_change(c, in[FIELDS].value,
		search_url(c, &s, STR_NONE, STR_NONE, STR_NONE)))
		return;
	if (str_eq(in[FIELDS + 1].value, STR("end")))
		end_ticked(c, &s, &in[FIELDS + 2]);
	else if (str_eq(in[FIELDS + 1].value, STR("end_found")))
		end_found(c, &s);
	else
		page_problem(c,
		    &(const struct page_problem){ .status = 400,
			.detail = "The field action must be end or "
				  "end_found." });
}
