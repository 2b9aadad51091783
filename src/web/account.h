#ifndef DK_WEB_ACCOUNT_H
#define DK_WEB_ACCOUNT_H

#include "domain/factor.h"
#include "web/page.h"

/* Within src/web: the person's page, shared by its three parts. */

/* What the page shows beside the account itself. */
struct account_view {
	enum msg message; /* an error; MSG_NONE: none */
	int64_t number;	  /* in the message */
	const char *code; /* what a program is told of it; may be NULL */
	enum msg done;	  /* what was done; MSG_NONE: nothing */
	const struct totp_seed *seed; /* a second factor being set up */
	const struct recovery_codes *codes; /* shown once */
};
void account_show(struct ctx *c, unsigned status,
    const struct account_view *view);

/* The page again with a message, or the same as JSON. */
void account_refuse(struct ctx *c, unsigned status, const char *code,
    enum msg message);
void account_refuse_number(struct ctx *c, unsigned status, const char *code,
    enum msg message, int64_t number);
/* 303 to `where` below the mount, or 204 for JSON. */
void account_succeed(struct ctx *c, const char *where);
/* Make sure of a sign-in younger than FRESH_MS, by `pw` if need be; false
 * after answering. */
bool account_be_fresh(struct ctx *c, struct str pw);

/* The lists of the page, as rows for the template. */
enum {
	ACCOUNT_SESSIONS_SHOWN = 50,
	ACCOUNT_SIGN_INS_SHOWN = 10,
	SESSION_ROW_VALUES = 7,
	SIGN_IN_ROW_VALUES = 3
};
/* "Firefox on Linux": enough to know one's own devices by. */
struct str account_device(struct ctx *c, const struct language *language,
    const char *agent);
bool account_is_current(struct ctx *c, const struct session_view *view);
struct account_rows {
	struct template_value *values;
	size_t n;
};
enum dk_err account_session_rows(struct ctx *c,
    struct account_rows *rows) DK_CHECK;
/* *failures: since the sign-in before this one. */
enum dk_err account_sign_in_rows(struct ctx *c, struct account_rows *rows,
    size_t *failures) DK_CHECK;

/* The actions on the second factor; false when `action` is none of them. */
bool account_factor_action(struct ctx *c, struct str action, struct str code,
    struct str pw);

#endif
