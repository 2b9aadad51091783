#ifndef DK_DOMAIN_FACTOR_H
#define DK_DOMAIN_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "domain/domain.h"
#include "domain/totp.h"
#include "store/users.h"

/*
 * The second factor: a one-time code of an authenticator (domain/totp.h), or
 * one of ten recovery codes.  Seeds are encrypted (XChaCha20-Poly1305, bound
 * to the user's id) with the key in FILE-OF-THE-STORE-key, made at first
 * use, mode 0600: a copy of the store alone gives no codes away.
 */
enum {
	RECOVERY_CODES = 10,
	RECOVERY_CODE_LEN = 24 /* XXXX-XXXX-XXXX-XXXX-XXXX: 100 bits */
};

struct recovery_codes {
	char text[RECOVERY_CODES][RECOVERY_CODE_LEN + 1];
};

enum factor_state {
	FACTOR_NONE, /* not set up, or set-up not completed */
	FACTOR_ON
};
enum dk_err factor_state(struct domain *dom, int64_t user_id,
    enum factor_state *state) DK_CHECK;
enum dk_err factor_codes_left(struct domain *dom, int64_t user_id,
    int64_t *n) DK_CHECK;

/*
 * Begin to set one up: *seed is shown once and wiped.  Complete only after
 * factor_confirm with a right code.  *begun is false when one is on.
 */
enum dk_err factor_begin(struct domain *dom, int64_t user_id,
    struct totp_seed *seed, bool *begun) DK_CHECK;
/*
 * *ok: the code was right and the factor is on; *codes are then shown once.
 * Ends the user's other sessions.  Writes its event.
 */
enum dk_err factor_confirm(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, struct str keep_session,
    int64_t now_ms, struct recovery_codes *codes, bool *ok) DK_CHECK;
/* The seed that is being set up, to show the page again. */
enum dk_err factor_pending(struct domain *dom, int64_t user_id,
    struct totp_seed *seed, bool *pending) DK_CHECK;

/*
 * Check a code at sign-in: six digits or a recovery code.  Each works once,
 * whoever comes first (DK-M-02, DK-M-06).  The caller has counted the guess
 * (domain/throttle.h, factor "second").
 */
enum dk_err factor_check(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, int64_t now_ms,
    bool *ok) DK_CHECK;

/* New recovery codes; the old ones die. */
enum dk_err factor_new_codes(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms,
    struct recovery_codes *codes) DK_CHECK;
/* Take it off, by the person or by an administrator; other sessions end.  A
 * password that is too short without it has to be changed (DK-W-01). */
enum dk_err factor_remove(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str keep_session, int64_t now_ms,
    bool *removed) DK_CHECK;

#endif
