#include "web/hosting.h"

void
page_logout(struct ctx *c)
{
	char token[CSRF_TOKEN_LEN + 1];
	enum dk_err err = guard_token(c, token);

	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	page_render(c, 200, "logout.html", MSG_SIGN_OUT,
	    (const struct template_value[]){
		T_TEXT("csrf_token", str_from(token)),
		T_FLAG("signed_in", ctx_signed_in(c)),
		T_TEXT("username", str_from(c->session.view.username)) },
	    3);
}

/*
 * The same answer whether there was a session or not (DK-L-06).  Without one
 * there is nothing that a foreign page could end, so no token is asked for.
 */
void
page_logout_post(struct ctx *c)
{
	struct input in[] = { { .name = "csrf_token", .max = 256 } };
	enum dk_err err;

	/* A program may send no body at all. */
	if ((c->req->body.n > 0 || !c->req->wants_json) &&
	    !input_read(c, in, 1))
		return;
	if (guard_origin(c) == GUARD_FOREIGN) {
		page_error_code(c, 403, "forbidden_origin",
		    MSG_STILL_SIGNED_IN);
		return;
	}
	if (ctx_signed_in(c)) {
		if (!guard_session_change(c, in[0].text))
			return;
		err = session_end(c->web->dom, &c->asker, &c->session,
		    c->now_ms);
		if (err != DK_OK) {
			page_fail(c, err);
			return;
		}
	}
	if (c->req->wants_json)
		response_start(c->res, 204, STR_NONE);
	else
		page_redirect_own(c, "/login");
	cookie_erase(c, cookie_name(c));
	marker_cookie_erase(c);
	if (c->req->https)
		response_header(c->res, "Clear-Site-Data", STR("\"cache\""));
}
