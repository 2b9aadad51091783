/*
 * The second step of signing in: a code, for those who have set up a second
 * factor.  Between the steps the browser holds a ticket in a cookie of its
 * own, which is no session.
 */
#include "domain/factor.h"
#include "web/kept.h"

static void
show_form(struct ctx *c, unsigned status, struct str next,
    enum msg message)
{
	char token[CSRF_TOKEN_LEN + 1];

	if (!page_begin_form(c, status, token))
		return;
	page_stays_at(c, "/second-factor", next);
	page_render(c, status, "second.html", MSG_ONE_MORE_STEP,
	    (const struct template_value[]){
		T_TEXT("csrf_token", str_from(token)),
		T_TEXT("next", next_for_form(next)),
		T_TEXT("message", page_say(c, message)) },
	    3);
}

/* The browser's own secret, which the ticket is bound to. */
static enum dk_err
make_ticket(struct ctx *c, const struct user_row *user, bool remember,
    char text[STEP_TEXT_MAX + 1])
{
	struct secret browser;
	enum dk_err err = guard_login_secret(c, &browser);

	if (err == DK_OK)
		err = sign_in_step_make(c->web->dom, user, remember, &browser,
		    c->now_ms, text);
	secret_wipe(&browser, sizeof(browser));
	return err;
}

static void
ask_for_code(struct ctx *c, const struct user_row *user,
    const struct login_form *form)
{
	char ticket[STEP_TEXT_MAX + 1];
	enum dk_err err;

	if (c->req->wants_json) {
		page_problem(c,
		    &(struct page_problem){ .status = 401,
			.code = "second_factor_required",
			.message = MSG_CODE_HINT,
			.detail = "Send the same again with totp_code." });
		return;
	}
	err = make_ticket(c, user, form->remember, ticket);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	show_form(c, 200, form->next, MSG_NONE);
	cookie_set_own(c, "step", str_from(ticket), 0);
	secret_wipe(ticket, sizeof(ticket));
}

/* A code for somebody whose password was right; level 2 or no. */
static void
check_code(struct ctx *c, const struct user_row *user,
    const struct login_form *form, struct str code)
{
	enum sign_in_result result;
	int64_t wait_ms = 0;
	enum dk_err err;

	err = sign_in_code(c->web->dom, &c->asker, user, code, c->now_ms,
	    &result, &wait_ms);
	if (err != DK_OK)
		page_fail(c, err);
	else if (result == SIGN_IN_THROTTLED)
		page_throttled(c, form, wait_ms);
	else if (result == SIGN_IN_RIGHT)
		page_let_in(c, user, form, 2);
	else if (c->req->wants_json)
		page_error_code(c, 401, "invalid_code",
		    MSG_WRONG_CODE);
	else
		show_form(c, 401, form->next,
		    MSG_WRONG_CODE);
	if (err == DK_OK && result == SIGN_IN_RIGHT &&
	    !str_is_none(cookie_own(c, "step")))
		cookie_set_own(c, "step", STR(""), 0);
}

void
page_password_right(struct ctx *c, const struct user_row *user,
    const struct login_form *form, struct str code)
{
	enum factor_state state;
	enum dk_err err = factor_state(c->web->dom, user->id, &state);

	if (err != DK_OK)
		page_fail(c, err);
	else if (state == FACTOR_NONE)
		page_let_in(c, user, form, 1);
	else if (c->req->wants_json && code.n > 0)
		check_code(c, user, form, code);
	else
		ask_for_code(c, user, form);
}

/* Nobody comes here but from the first step. */
void
page_second(struct ctx *c)
{
	const struct login_form form = { .next = input_next(c) };

	if (ctx_signed_in(c))
		response_redirect(c->res, form.next);
	else if (str_is_none(cookie_own(c, "step")))
		page_redirect_own(c, "/login");
	else
		show_form(c, 200, form.next, MSG_NONE);
}

void
page_second_post(struct ctx *c)
{
	struct input in[] = { { .name = "totp_code", .max = 64 },
		{ .name = "next", .max = REQUEST_TARGET_MAX },
		{ .name = "csrf_token", .max = 256 },
		{ .name = "kept", .max = KEPT_TEXT_MAX, .is_kept = true } };
	struct sign_in_step step;
	struct secret browser;
	struct user_row user = { 0 };
	struct login_form form;
	bool no_cookie, valid = false;
	enum dk_err err = DK_OK;

	if (!input_read(c, in, 4))
		return;
	err = kept_read(c, in[3].text);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	form = (struct login_form){ .next = next_or_home(c, in[1].text) };
	if (guard_origin(c) == GUARD_OWN && ctx_signed_in(c) &&
	    !c->req->wants_json && str_is_none(cookie_own(c, "step"))) {
		/* In by another tab, or this page was loaded again. */
		page_lead_on(c, form.next);
		return;
	}
	if (guard_origin(c) != GUARD_OWN ||
	    !guard_login_form(c, in[2].text, &no_cookie)) {
		page_error_code(c, 403, "bad_csrf_token",
		    MSG_STEP_STALE);
		return;
	}
	if (guard_has_login_cookie(c, &browser))
		err = sign_in_step_check(c->web->dom, cookie_own(c, "step"),
		    &browser, c->now_ms, &step, &user, &valid);
	secret_wipe(&browser, sizeof(browser));
	form.remember = valid && step.remember;
	form.message = MSG_STEP_TOO_LATE;
	if (err != DK_OK)
		page_fail(c, err);
	else if (!valid && c->req->wants_json)
		page_error_code(c, 401, "not_signed_in", form.message);
	else if (!valid)
		page_login_form(c, 401, &form);
	else
		check_code(c, &user, &form, in[0].text);
	secret_wipe(&user, sizeof(user));
}
