/*
 * /set-password: where a one-use link leads.  The link's token comes once in
 * the query and goes at once into a cookie, so that it stands in no address
 * that is passed on; GET changes nothing, so that a mail scanner may look.
 */
#include "domain/link.h"
#include "http/form.h"
#include "http/url.h"
#include "web/kept.h"

enum { LINK_COOKIE_AGE_S = 3600, CHANGE_COOKIE_AGE_S = 600 };

static struct str
token_of_query(struct ctx *c)
{
	struct form_field field = { .name = "token", .max = SECRET_TEXT_LEN };
	const char *problem;
	size_t which;

	if (form_read(c->req->query, &field, 1, c->arena, &problem, &which) !=
	    DK_OK)
		return STR_NONE;
	return field.value;
}

/* Is the link alive?  *user is then whose it is. */
static enum dk_err
look(struct ctx *c, struct secret *token, struct user_row *user, bool *alive)
{
	*alive = false;
	*user = (struct user_row){ 0 };
	if (!secret_from_text(cookie_own(c, "link"), token))
		return DK_OK;
	return link_look(c->web->dom, token, c->now_ms, user, alive);
}

static void
show_form(struct ctx *c, unsigned status, const struct user_row *user,
    bool alive, struct str next, struct str message)
{
	char token[CSRF_TOKEN_LEN + 1];

	if (!page_begin_form(c, status, token))
		return;
	page_render(c, status, "password.html", MSG_SET_YOUR_PASSWORD,
	    (const struct template_value[]){
		T_TEXT("csrf_token", str_from(token)),
		T_TEXT("username", str_from(user->username)),
		T_TEXT("next", next_for_form(next)),
		T_TEXT("message", message), T_FLAG("dead", !alive) },
	    5);
}

void
page_set_password(struct ctx *c)
{
	struct str given = token_of_query(c);
	struct secret token = { { 0 } };
	struct user_row user;
	bool alive;
	enum dk_err err;

	if (given.n > 0 && secret_from_text(given, &token)) {
		c->no_referrer = true;
		page_redirect_own(c, "/set-password");
		cookie_set_own(c, "link", given, LINK_COOKIE_AGE_S);
	} else {
		err = look(c, &token, &user, &alive);
		if (err != DK_OK)
			page_fail(c, err);
		else
			show_form(c, alive ? 200 : 404, &user, alive,
			    input_next(c), STR_NONE);
		secret_wipe(&user, sizeof(user));
	}
	secret_wipe(&token, sizeof(token));
}

/* The password alone signs nobody in; where they were going is kept. */
static void
sign_in_next(struct ctx *c, struct str next)
{
	const struct login_form form = { .next = next,
		.notice = MSG_PASSWORD_WAS_SET };
	struct buf path = arena_buf(c->arena, 4 * URL_NEXT_MAX);

	/* In an address there is no room for what is kept. */
	if (c->kept.n > 0) {
		page_login_form(c, 200, &form);
		return;
	}
	buf_addz(&path, "/login?done=password&next=");
	buf_add_percent(&path, next);
	page_redirect_own(
	    c, buf_ok(&path) ? buf_z(&path) : "/login?done=password");
}

static void
set_password(struct ctx *c, const struct secret *token,
    const struct user_row *user, struct str pw, struct str next)
{
	enum password_flaw flaw;
	int64_t number;
	enum msg why;
	bool used;
	enum dk_err err;

	err = link_use(
	    c->web->dom, &c->asker, token, pw, c->now_ms, &flaw, &used);
	why = password_flaw_message(flaw, c->web->conf, &number);
	if (why != MSG_NONE) {
		show_form(c, 400, user, true, next,
		    page_say_number(c, why, number));
	} else if (err != DK_OK) {
		page_fail(c, err);
	} else if (!used) {
		show_form(c, 404, user, false, next, STR_NONE);
	} else {
		sign_in_next(c, next);
		cookie_set_own(c, "link", STR(""), 0);
	}
}

/*
 * The password was right, but others know it: before anything else it has to
 * be changed (DK-W-09).  By a one-use link of which nobody is told.
 */
void
page_change_first(
    struct ctx *c, const struct user_row *user, const struct login_form *form)
{
	struct buf path = arena_buf(c->arena, 4 * URL_NEXT_MAX);
	char text[SECRET_TEXT_LEN + 1];
	struct secret token;
	enum dk_err err;

	if (c->req->wants_json) {
		page_error_code(c, 403, "password_change_required",
		    MSG_CHANGE_FIRST);
		return;
	}
	err = link_make(c->web->dom, &c->asker, user, c->now_ms, &token);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	buf_addz(&path, "/set-password?next=");
	buf_add_percent(&path, form->next);
	if (c->kept.n > 0)
		show_form(c, 200, user, true, form->next, STR_NONE);
	else
		page_redirect_own(
		    c, buf_ok(&path) ? buf_z(&path) : "/set-password");
	secret_to_text(&token, text);
	cookie_set_own(c, "link", str_from(text), CHANGE_COOKIE_AGE_S);
	secret_wipe(&token, sizeof(token));
	secret_wipe(text, sizeof(text));
}

void
page_set_password_post(struct ctx *c)
{
	struct input in[] = { { .name = "new_password",
				  .max = PASSWORD_BYTES_MAX },
		{ .name = "csrf_token", .max = 256 },
		{ .name = "next", .max = REQUEST_TARGET_MAX },
		{ .name = "kept", .max = KEPT_TEXT_MAX, .is_kept = true } };
	struct secret token = { { 0 } };
	struct user_row user = { 0 };
	bool alive, no_cookie;
	enum dk_err err;

	if (!input_read(c, in, 4))
		return;
	err = kept_read(c, in[3].text);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	if (guard_origin(c) != GUARD_OWN ||
	    !guard_login_form(c, in[1].text, &no_cookie)) {
		page_error_code(c, 403, "bad_csrf_token",
		    MSG_LINK_FORM_STALE);
		return;
	}
	err = look(c, &token, &user, &alive);
	if (err != DK_OK)
		page_fail(c, err);
	else if (!alive)
		show_form(c, 404, &user, false, STR_NONE, STR_NONE);
	else
		set_password(
		    c, &token, &user, in[0].text, next_or_home(c, in[2].text));
	secret_wipe(&token, sizeof(token));
	secret_wipe(&user, sizeof(user));
}
