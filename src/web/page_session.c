#include "base/clock.h"
#include "domain/account.h"
#include "web/gate.h"
#include "web/page.h"

void
json_user(struct jw *w, const struct session *session)
{
	const struct session_view *v = &session->view;
	const struct group_list *groups = &session->groups;
	size_t i;

	jw_object(w, "user");
	jw_str(w, "name", str_from(v->username));
	jw_str(w, "display_name", str_from(v->display_name));
	jw_array(w, "groups");
	for (i = 0; i < groups->n; i++)
		jw_str(w, NULL, str_from(groups->name[i]));
	jw_end(w);
	jw_end(w);
}

void
json_session(struct jw *w, const struct session *session)
{
	const struct session_row *row = &session->view.session;
	char time[CLOCK_ISO_LEN + 1];

	jw_object(w, "session");
	jw_str(w, "id", str_from(row->id));
	clock_iso(row->created_at_ms, time);
	jw_str(w, "created_at", str_from(time));
	clock_iso(row->expires_at_ms, time);
	jw_str(w, "expires_at", str_from(time));
	jw_int(w, "idle_timeout", row->idle_timeout_ms / 1000);
	jw_end(w);
}

void
page_session_json(struct ctx *c, const struct session *session)
{
	char token[CSRF_TOKEN_LEN + 1];
	struct jw w;
	enum dk_err err = csrf_token_make(&session->token.secret, token);

	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	page_json(c, 200, &w);
	jw_object(&w, NULL);
	json_user(&w, session);
	json_session(&w, session);
	jw_str(&w, "csrf_token", str_from(token));
	jw_end(&w);
}

void
page_session(struct ctx *c)
{
	if (gate_lacks_factor(c)) {
		page_error_code(c, 403, "second_factor_required",
		    MSG_FACTOR_FIRST);
		return;
	}
	page_session_json(c, &c->session);
	session_touch(c->web->dom, &c->session, c->now_ms);
}
