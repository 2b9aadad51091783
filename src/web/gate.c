#include "web/gate.h"

#include "domain/account.h"
#include "domain/factor.h"
#include "http/url.h"

enum dk_err
gate_judge(struct ctx *c, struct str wanted, struct str method,
    struct access_answer *answer)
{
	const struct session_view *v = &c->session.view;
	struct access_question q = { .method = method,
		.host = c->site->host,
		.addr = c->req->has_addr ? &c->req->addr : NULL,
		.signed_in = ctx_signed_in(c),
		.username = str_from(v->username),
		.groups = &c->session.groups,
		.level = v->session.level,
		.authenticated_at_ms = v->session.authenticated_at_ms,
		.now_ms = c->now_ms };
	struct str target, query;
	enum dk_err err;

	*answer = (struct access_answer){ .verdict = ACCESS_DENIED };
	(void)str_split(wanted, '?', &target, &query);
	err = url_canonical_path(target, c->arena, &q.path);
	if (err == DK_OK)
		*answer = access_judge(c->web->conf, &q);
	return err;
}

/* "staff,editors" for a variable or header. */
static struct str
groups_value(struct ctx *c)
{
	const struct group_list *groups = &c->session.groups;
	struct buf b = arena_buf(c->arena, 4096);
	size_t i;

	for (i = 0; i < groups->n; i++) {
		buf_addz(&b, i > 0 ? "," : "");
		buf_addz(&b, groups->name[i]);
	}
	return buf_str(&b);
}

/* Who it is, by the names that the server hands on (INTERFACE 5). */
static void
add_identity(struct ctx *c, const char *const names[5])
{
	const struct session_view *v = &c->session.view;
	struct str values[5];
	size_t i;

	values[0] = str_from(v->username);
	values[1] = groups_value(c);
	values[2] = str_from(v->display_name);
	values[3] = str_from(v->email);
	values[4] = str_from(v->session.id);
	/* All were checked when they were stored; lighttpd does not check
	 * them again, so what is unfit is left out here too. */
	for (i = 0; i < 5; i++)
		if (str_is_printable(values[i]))
			response_header(c->res, names[i], values[i]);
}

static void
allow(struct ctx *c, unsigned status, const struct access_answer *answer)
{
	static const char *const variables[] = { "Variable-REMOTE_USER",
		"Variable-REMOTE_GROUPS", "Variable-REMOTE_NAME",
		"Variable-REMOTE_EMAIL", "Variable-DOORKEEP_SESSION" };
	static const char *const headers[] = { "Remote-User", "Remote-Groups",
		"Remote-Name", "Remote-Email", "Remote-Session" };
	bool variable = c->req->role == REQUEST_AUTHORIZER;

	response_reset(c->res, status);
	if (ctx_signed_in(c))
		add_identity(c, variable ? variables : headers);
	if (variable && ctx_signed_in(c))
		response_header(c->res, "Variable-AUTH_TYPE",
		    STR("doorkeep"));
	/* The shipped configurations insist on it: a server that takes an
	 * answer without a status for a yes still stays closed. */
	if (variable)
		response_header(c->res, "Variable-DOORKEEP_GATE",
		    STR("passed"));
	c->bare = variable;
	if (ctx_signed_in(c) && answer->activity)
		session_touch(c->web->dom, &c->session, c->now_ms);
}

static void
note_denied(struct ctx *c, const char *reason)
{
	LOG_WRITE(c->web->log, LOG_LEVEL_WARNING, "access_denied",
	    { "request_id", str_from(c->req->id) }, { "ip", c->asker.ip },
	    { "username",
		ctx_signed_in(c) ? str_from(c->session.view.username) :
				   STR_NONE },
	    { "reason", str_from(reason) });
}

/* Who has no second factor has to set one up before anything helps. */
static void
lead_to_enrolment(struct ctx *c, struct str next)
{
	struct buf path = arena_buf(c->arena, 4 * URL_NEXT_MAX);

	/* nginx takes no other refusal from /check (DK-A-07). */
	if (c->req->wants_json || str_eq(c->req->route, STR("/check"))) {
		page_error_code(c, 403, "second_factor_required",
		    MSG_FACTOR_FIRST);
		return;
	}
	buf_addz(&path, "/account?need=factor&next=");
	buf_add_percent(&path, next_or_home(c, next));
	page_redirect_own(
	    c, buf_ok(&path) ? buf_z(&path) : "/account?need=factor");
}

void
gate_step_up(struct ctx *c, enum access_verdict verdict, struct str next)
{
	enum factor_state state = FACTOR_ON;
	enum dk_err err = DK_OK;

	if (verdict == ACCESS_STEP_UP)
		err = factor_state(c->web->dom,
		    c->session.view.session.user_id, &state);
	if (err != DK_OK)
		page_fail(c, err);
	else if (state == FACTOR_NONE)
		lead_to_enrolment(c, next);
	else
		page_sign_in_here(
		    c, next, MSG_SIGN_IN_AFRESH);
}

bool
gate_lacks_factor(struct ctx *c)
{
	struct access_question q = {
		.username = str_from(c->session.view.username),
		.groups = &c->session.groups
	};

	return ctx_signed_in(c) && c->session.view.session.level < 2 &&
	    access_needs_factor(c->web->conf, &q);
}

bool
gate_admits(struct ctx *c, struct str target, struct access_answer *answer)
{
	struct str next;
	enum dk_err err;

	err = gate_judge(c, target, c->req->wanted_method, answer);
	if (err == DK_ERR_INPUT) {
		note_denied(c, "the path can be read in two ways");
		page_error(c, 403,
		    MSG_ODD_ADDRESS);
		return false;
	}
	if (err != DK_OK) {
		page_fail(c, err);
		return false;
	}
	next = url_next_of_target(c->req->wanted, c->arena);
	switch (answer->verdict) {
	case ACCESS_ALLOWED:
		return true;
	case ACCESS_SIGN_IN:
		page_sign_in_here(c, next, MSG_NONE);
		return false;
	case ACCESS_REAUTH:
	case ACCESS_STEP_UP:
		gate_step_up(c, answer->verdict, next);
		return false;
	case ACCESS_DENIED:
		break;
	}
	note_denied(c, answer->reason);
	page_error(c, 403, MSG_NONE);
	return false;
}

static void
decide(struct ctx *c, unsigned allowed_status)
{
	struct access_answer answer;

	if (gate_admits(c, c->req->wanted, &answer))
		allow(c, allowed_status, &answer);
}

/*
 * mod_fcgid sends the headers of a refusal and makes the page elsewhere
 * (ErrorDocument): with any of ours they would stand there twice.
 */
static bool
is_page_made_elsewhere(const struct ctx *c)
{
	return str_eq(request_param(c->req, STR("FCGI_APACHE_ROLE")),
	    STR("ACCESS_CHECKER"));
}

void
gate_authorize(struct ctx *c, enum dk_err err)
{
	if (err == DK_OK)
		decide(c, 200);
	else
		page_fail(c, err);
	if (c->res->status != 200 && is_page_made_elsewhere(c)) {
		response_reset(c->res, c->res->status);
		c->bare = true;
	}
}

/*
 * /check: nginx asks with the wanted page; asked directly it says whether
 * there is a session.
 */
void
page_check(struct ctx *c)
{
	const struct access_answer any = { .activity = true };

	if (!str_is_none(c->req->wanted))
		decide(c, 204);
	else if (gate_lacks_factor(c))
		page_error_code(c, 403, "second_factor_required",
		    MSG_FACTOR_FIRST);
	else if (ctx_signed_in(c))
		allow(c, 204, &any);
	else
		page_sign_in_here(c, STR("/"), MSG_NONE);
}
