#ifndef DK_DOMAIN_SIGN_IN_H
#define DK_DOMAIN_SIGN_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "domain/account.h"
#include "domain/domain.h"

/*
 * A guess at a password as it comes from outside: counted first, then checked
 * (domain/throttle.h, domain/account.h).  Pages call this, never
 * account_authenticate itself.
 */
struct sign_in {
	struct str name, pw;
	const struct secret *device; /* cookie of a known browser; NULL */
};

enum sign_in_result {
	SIGN_IN_DENIED, /* zero: unknown, wrong, disabled */
	SIGN_IN_THROTTLED, /* not looked at; *wait_ms says how long */
	SIGN_IN_RIGHT	/* *user is filled in; a second factor may follow */
};

enum dk_err sign_in_password(struct domain *dom, const struct asker *asker,
    const struct sign_in *attempt, int64_t now_ms, struct user_row *user,
    enum sign_in_result *result, int64_t *wait_ms) DK_CHECK;

/* The same for a code of the second factor, with a counter of its own. */
enum dk_err sign_in_code(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, int64_t now_ms,
    enum sign_in_result *result, int64_t *wait_ms) DK_CHECK;

/*
 * Between password and code the browser holds a ticket that is no session:
 * whose password was right, until when, bound by a MAC to the browser's
 * sign-in cookie and to the password's hash.  It opens nothing but the
 * second step (DK-L-11).
 */
enum { STEP_TEXT_MAX = 120, STEP_LIFE_MS = 10 * 60 * 1000 };
struct sign_in_step {
	int64_t user_id, expires_ms;
	bool remember;
};
/* text holds STEP_TEXT_MAX + 1. */
enum dk_err sign_in_step_make(struct domain *dom, const struct user_row *user,
    bool remember, const struct secret *browser, int64_t now_ms,
    char *text) DK_CHECK;
/* *valid only for a ticket of ours, not expired, of this browser, while the
 * password is still the same and the account enabled. */
enum dk_err sign_in_step_check(struct domain *dom, struct str text,
    const struct secret *browser, int64_t now_ms, struct sign_in_step *step,
    struct user_row *user, bool *valid) DK_CHECK;

#endif
