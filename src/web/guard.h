#ifndef DK_WEB_GUARD_H
#define DK_WEB_GUARD_H

#include "domain/csrf.h"

/* Within src/web: what changes something is guarded, and its fields read. */

struct ctx;

enum guard {
	GUARD_FOREIGN, /* zero: refused */
	GUARD_UNKNOWN, /* none of the three headers came */
	GUARD_OWN
};
/* From the host that it is for, or from elsewhere?  DK-X-01, INTERFACE 9. */
enum guard guard_origin(struct ctx *c);
/*
 * The secret that the form's token is bound to before sign-in: from the
 * pre-login cookie; when there is none its cookie is set.  Tabs that ask at
 * the same time get the same one wherever the browser holds a secret of ours
 * already, be it the cookie of a session that is over.
 */
enum dk_err guard_login_secret(struct ctx *c, struct secret *secret) DK_CHECK;
/* The one that guard_login_secret gives or gave; false: there is none yet. */
bool guard_browser_secret(struct ctx *c, struct secret *secret);
bool guard_has_login_cookie(struct ctx *c, struct secret *secret);
/* A token for a form on this page: of the session, or of the sign-in. */
enum dk_err guard_token(struct ctx *c,
    char token[CSRF_TOKEN_LEN + 1]) DK_CHECK;
/*
 * Check origin and token of a change within a session; false after it has
 * answered 403.
 */
bool guard_session_change(struct ctx *c, struct str token);

/* Is the posted form of sign-in ours?  guard_origin and the token. */
bool guard_login_form(struct ctx *c, struct str token, bool *no_cookie);

struct input {
	const char *name;
	size_t max;
	bool is_flag, is_kept; /* is_kept: beside the limit of a body */
	struct str text;
	bool flag;
};
/*
 * Read the fields of a posted form or JSON object.  False after it has
 * answered 400, 413 or 415.
 */
bool input_read(struct ctx *c, struct input *fields, size_t n);
/* The return-to value of the query; "/" when absent or unsafe. */
struct str input_next(struct ctx *c);
/* `next`, or "/" when it would make a page with it too large. */
struct str next_for_form(struct str next);
/* `next` if it is safe and leads to no page of sign-in or sign-out. */
struct str next_or_home(struct ctx *c, struct str next);

#endif
