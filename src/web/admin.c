/* The administrator's desk: what its pages have in common. */
#include "web/admin.h"

#include <string.h>

#include "domain/factor.h"
#include "domain/permit.h"
#include "domain/session.h"
#include "http/url.h"
#include "web/gate.h"

enum { NUMBER_MAX = 24 };

/* Where this request is: to come back to after a sign-in. */
static struct str
here(struct ctx *c)
{
	struct str path = arena_printf(c->arena, ADMIN_URL_MAX, "%.*s%.*s",
	    STR_FMT(c->web->conf->mount), STR_FMT(c->req->route));

	if (c->req->query.n == 0 || c->req->method == METHOD_POST)
		return path;
	return arena_printf(c->arena, ADMIN_URL_MAX, "%.*s?%.*s", STR_FMT(path),
	    STR_FMT(c->req->query));
}

/* Who has a second factor has used it; who must have one has one. */
static bool
has_factor(struct ctx *c)
{
	enum factor_state state = FACTOR_NONE;
	enum dk_err err = factor_state(
	    c->web->dom, c->session.view.session.user_id, &state);

	if (err != DK_OK) {
		page_fail(c, err);
		return false;
	}
	if (gate_lacks_factor(c))
		gate_step_up(c, ACCESS_STEP_UP, here(c));
	else if (state == FACTOR_ON && c->session.view.session.level < 2)
		page_sign_in_here(c, here(c), MSG_SIGN_IN_WITH_BOTH);
	else
		return true;
	return false;
}

bool
admin_enter(struct ctx *c)
{
	const struct session_view *v = &c->session.view;
	bool is_admin;
	enum dk_err err =
	    permit_is_admin(c->web->dom, v->session.user_id, &is_admin);

	if (err != DK_OK) {
		page_fail(c, err);
		return false;
	}
	/* As where there is no page at all: nobody learns of the desk. */
	if (!is_admin) {
		page_error(c, 404, MSG_NONE);
		return false;
	}
	if (!has_factor(c))
		return false;
	c->asker.admin_id = v->session.user_id;
	c->asker.actor =
	    arena_printf(c->arena, USER_NAME_MAX + 8, "desk:%s", v->username);
	session_touch(c->web->dom, &c->session, c->now_ms);
	return true;
}

bool
admin_may_change(struct ctx *c, struct str token, struct str back)
{
	if (!guard_session_change(c, token))
		return false;
	if (ctx_is_fresh(c))
		return true;
	page_sign_in_here(c, back, MSG_SIGN_IN_FOR_CHANGE);
	return false;
}

bool
admin_read(struct ctx *c, struct str text, struct form_field *fields, size_t n)
{
	const char *problem;
	size_t which;
	enum dk_err err =
	    form_read(text, fields, n, c->arena, &problem, &which);

	if (err == DK_OK)
		return true;
	page_problem(c,
	    &(const struct page_problem){ .status = 400, .detail = problem });
	return false;
}

bool
admin_read_form(struct ctx *c, struct form_field *fields, size_t n)
{
	if (c->req->is_form)
		return admin_read(c, c->req->body, fields, n);
	page_error(c, 415, MSG_NONE);
	return false;
}

struct str
admin_url(
    struct ctx *c, const char *path, const struct admin_pair *pairs, size_t n)
{
	char text[ADMIN_URL_MAX];
	struct buf b;
	bool first = true;
	size_t i;

	BUF_OVER(&b, text);
	buf_add(&b, c->web->conf->mount);
	buf_addz(&b, path);
	for (i = 0; i < n; i++) {
		if (pairs[i].value.n == 0)
			continue;
		buf_addf(&b, "%s%s=", first ? "?" : "&", pairs[i].name);
		buf_add_percent(&b, pairs[i].value);
		first = false;
	}
	return buf_ok(&b) ? arena_dup(c->arena, buf_str(&b))
			  : page_own_path(c, path);
}

void
admin_done(struct ctx *c, const char *path, const struct admin_pair *pairs,
    size_t n, const char *word)
{
	struct admin_pair all[16];
	size_t i;

	for (i = 0; i < n && i < 15; i++)
		all[i] = pairs[i];
	all[i++] = (struct admin_pair){ "done", str_from(word) };
	response_redirect(c->res, admin_url(c, path, all, i));
}

/* What was done stands in the address, as one of these words. */
static enum msg
done_text(struct str word)
{
	static const struct {
		const char *word;
		enum msg message;
	} words[] = { { "disabled", MSG_DESK_DONE_DISABLED },
		{ "enabled", MSG_DESK_DONE_ENABLED },
		{ "groups", MSG_DESK_DONE_GROUPS },
		{ "unlocked", MSG_DESK_DONE_UNLOCKED },
		{ "factor", MSG_DESK_DONE_FACTOR },
		{ "sessions", MSG_DESK_DONE_SESSIONS },
		{ "more", MSG_DESK_DONE_MORE } };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq(word, str_from(words[i].word)))
			return words[i].message;
	return MSG_NONE;
}

void
admin_add(struct admin_page *page, struct template_value value)
{
	if (page->n < page->max)
		page->values[page->n++] = value;
}

/* Which of the tabs this page belongs to. */
static size_t
add_tabs(const struct ctx *c, struct template_value *v)
{
	static const struct {
		const char *flag, *route, *other;
	} tabs[] = { { "at_people", "/admin/people", "/admin/person" },
		{ "at_sessions", "/admin/sessions", "" },
		{ "at_events", "/admin/events", "" } };
	size_t i, n = sizeof(tabs) / sizeof(tabs[0]);
	bool found = false, here;

	for (i = 0; i < n; i++) {
		here = str_eq(c->req->route, str_from(tabs[i].route)) ||
		    str_eq(c->req->route, str_from(tabs[i].other));
		found = found || here;
		v[i] = T_FLAG(tabs[i].flag, here);
	}
	v[n] = T_FLAG("at_overview", !found);
	return n + 1;
}

void
admin_render(struct ctx *c, unsigned status, struct admin_page *page)
{
	struct form_field done = { .name = "done", .max = 16 };
	char token[CSRF_TOKEN_LEN + 1];
	struct template_value all[PAGE_VALUES_MAX];
	const struct admin_pair back = { "next", here(c) };
	const char *problem;
	size_t n = 0, which, i;
	enum dk_err err = guard_token(c, token);

	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	if (form_read(c->req->query, &done, 1, c->arena, &problem, &which) !=
	    DK_OK)
		done.value = STR_NONE;
	all[n++] = T_TEXT("csrf_token", str_from(token));
	all[n++] = T_FLAG("fresh", ctx_is_fresh(c));
	all[n++] = T_TEXT("fresh_url", admin_url(c, "/admin/fresh", &back, 1));
	all[n++] = T_TEXT("message",
	    page->problem == MSG_NONE
		? STR("")
		: page_say_number(c, page->problem, page->number));
	all[n++] = T_TEXT("done",
	    page->problem != MSG_NONE || done_text(done.value) == MSG_NONE
		? STR("")
		: page_say(c, done_text(done.value)));
	all[n++] = T_TEXT("me", str_from(c->session.view.username));
	n += add_tabs(c, all + n);
	/* The field of a filter that the problem speaks of. */
	all[n++] = T_FLAG("no_user", page->problem == MSG_DESK_NOBODY);
	all[n++] = T_FLAG("no_ip", page->problem == MSG_DESK_NO_IP);
	all[n++] = T_FLAG("no_day", page->problem == MSG_DESK_NO_DAY);
	for (i = 0; i < page->n && n < PAGE_VALUES_MAX; i++)
		all[n++] = page->values[i];
	page_render(c, status, page->template, page->title, all, n);
	secret_wipe(token, sizeof(token));
}

struct template_value
admin_options(struct ctx *c, const char *name,
    const struct admin_option *options, size_t n, struct str chosen)
{
	struct template_value *rows =
	    arena_alloc(c->arena, n * 3 * sizeof(*rows));
	size_t i;

	for (i = 0; rows != NULL && i < n; i++) {
		struct str value = str_from(options[i].value);

		rows[i * 3] = T_TEXT("value", value);
		rows[i * 3 + 1] = T_TEXT("label",
		    page_say_number(c, options[i].label, options[i].number));
		rows[i * 3 + 2] = T_FLAG("selected", str_eq(value, chosen));
	}
	return T_LIST(name, rows, rows == NULL ? 0 : n, 3);
}

enum dk_err
admin_rows_begin(struct admin_rows *r, size_t width)
{
	r->width = width;
	r->values = arena_alloc(r->c->arena,
	    r->limit * width * sizeof(*r->values));
	return r->values == NULL ? DK_ERR_NOMEM : DK_OK;
}

struct template_value *
admin_rows_next(struct admin_rows *r)
{
	if (r->n == r->limit) {
		r->cursor->more = true;
		return NULL;
	}
	return r->values + r->n++ * r->width;
}

struct str
admin_link(struct ctx *c, const char *path, const char *name, struct str value)
{
	const struct admin_pair pair = { name, value };

	return value.n == 0 ? STR("") : admin_url(c, path, &pair, 1);
}

struct str
admin_number(struct ctx *c, int64_t n)
{
	return arena_printf(c->arena, NUMBER_MAX, "%lld", (long long)n);
}

bool
admin_read_number(struct str text, int64_t *n)
{
	uint64_t value;

	*n = 0;
	if (!str_to_u64(text, (uint64_t)INT64_MAX, &value))
		return false;
	*n = (int64_t)value;
	return true;
}

void
page_admin_fresh(struct ctx *c)
{
	struct str next;

	if (!admin_enter(c))
		return;
	next = input_next(c);
	if (ctx_is_fresh(c))
		response_redirect(c->res, next);
	else
		page_sign_in_here(c, next, MSG_SIGN_IN_FOR_CHANGE);
}
