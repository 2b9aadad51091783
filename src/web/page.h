#ifndef DK_WEB_PAGE_H
#define DK_WEB_PAGE_H

#include "base/jw.h"
#include "base/seal.h"
#include "domain/csrf.h"
#include "domain/sign_in.h"
#include "http/url.h"
#include "web/guard.h"
#include "web/say.h"
#include "web/web.h"

/* Within src/web: one request on its way through the pages. */

enum {
	PAGE_VALUES_MAX = 40,
	PAGE_LANGUAGE_VALUES = 3,
	FRESH_MS = 10 * 60 * 1000
};

struct ctx {
	struct web *web;
	struct arena *arena;
	struct request *req;
	struct response *res;
	int64_t now_ms;
	struct asker asker;
	const struct conf_origin *site; /* the origin this request is for */
	const struct language *language; /* of the answer; never NULL */
	enum session_answer session_answer;
	struct session session; /* SESSION_LIVE only */
	bool cacheable;		/* a file: Cache-Control is set already */
	bool no_referrer; /* the URL holds a secret */
	struct str here; /* where a GET shows this page; STR_NONE: its URL */
	struct str go_on; /* where /account leads back to; STR_NONE: nowhere */
	struct str asked_host; /* by the Host header; lower case, no port */
	struct secret login; /* made for this answer: guard_login_secret */
	bool has_login;
	struct str kept; /* sealed data of a form (web/kept.h) */
	bool bare; /* an allowing answer of the gate: no further headers */
};

bool ctx_signed_in(const struct ctx *c);
/* Signed in within the last FRESH_MS. */
bool ctx_is_fresh(const struct ctx *c);

/* --- answers ------------------------------------------------------------ */

/* The one place where errors become statuses. */
unsigned status_of(enum dk_err err);
void page_fail(struct ctx *c, enum dk_err err); /* by status_of */

/* Render a template as the whole answer, with the values common to all. */
void page_render(struct ctx *c, unsigned status, const char *template,
    enum msg title, const struct template_value *values, size_t n);
/* Begin a JSON answer; the writer goes on in the body. */
void page_json(struct ctx *c, unsigned status, struct jw *w);
/* 303 to mount + path, or to a return-to value that is safe already. */
void page_redirect_own(struct ctx *c, const char *path);
/* "/auth" + path, in the arena. */
struct str page_own_path(struct ctx *c, const char *path);

/* --- cookies ------------------------------------------------------------- */

struct str cookie_name(const struct ctx *c);
struct str cookie_login_name(struct ctx *c); /* of the pre-login cookie */
void cookie_set_session(struct ctx *c, const struct session *session);
void cookie_erase(struct ctx *c, struct str name);
/* Another cookie of ours, "…-device": its value, or STR_NONE. */
struct str cookie_own(struct ctx *c, const char *suffix);
/* Set it; max_age_s 0: until the browser closes.  Empty value: erase. */
void cookie_set_own(struct ctx *c, const char *suffix, struct str value,
    int64_t max_age_s);

/* --- pages --------------------------------------------------------------- */

/* The sign-in form with this status; message and notice may be MSG_NONE. */
struct login_form {
	struct str next, username;
	enum msg message, notice;
	int64_t number;	    /* in the message */
	const char *detail; /* as in struct page_problem; may be NULL */
	bool remember;
	bool tried; /* its cookie did not come back once already */
};
void page_login_form(struct ctx *c, unsigned status,
    const struct login_form *form);
/* 401 in place of a page that asks for a sign-in: the form, or JSON. */
void page_sign_in_here(struct ctx *c, struct str next, enum msg notice);
/* {"user":…,"session":…,"csrf_token":…} as the whole answer. */
void page_session_json(struct ctx *c, const struct session *session);
/* "user":{…} and "session":{…} into an open object. */
void json_user(struct jw *w, const struct session *session);
void json_session(struct jw *w, const struct session *session);

/* 429 with Retry-After: the sign-in form, or JSON with retry_after. */
void page_throttled(struct ctx *c, const struct login_form *form,
    int64_t wait_ms);
/* The password was right: the second step, or the session. */
void page_password_right(struct ctx *c, const struct user_row *user,
    const struct login_form *form, struct str code);
/* Make the session and send the person on. */
void page_let_in(struct ctx *c, const struct user_row *user,
    const struct login_form *form, int level);
/* A page with a form for who has no session; false after an error page. */
bool page_begin_form(
    struct ctx *c, unsigned status, char token[CSRF_TOKEN_LEN + 1]);
/* The password has to be changed before anything else. */
void page_change_first(struct ctx *c, const struct user_row *user,
    const struct login_form *form);
/* Does plain http do here? */
bool http_is_fine(const struct ctx *c);

/* The choice of languages at the foot of a page. */
void page_language_values(struct ctx *c,
    struct template_value values[PAGE_LANGUAGE_VALUES]);
void page_language(struct ctx *c);
void page_language_post(struct ctx *c);
void page_second(struct ctx *c);
void page_second_post(struct ctx *c);
void page_set_password(struct ctx *c);
void page_set_password_post(struct ctx *c);
void page_login(struct ctx *c);
void page_login_post(struct ctx *c);
void page_logout(struct ctx *c);
void page_logout_post(struct ctx *c);
void page_session(struct ctx *c);
void page_account(struct ctx *c);
void page_account_post(struct ctx *c);
void page_health(struct ctx *c);
void page_metrics(struct ctx *c);
void page_style(struct ctx *c);
void page_logo(struct ctx *c);
void page_check(struct ctx *c);

#endif
