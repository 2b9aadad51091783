#ifndef DK_DOMAIN_HANDOFF_H
#define DK_DOMAIN_HANDOFF_H

#include "domain/session.h"

/*
 * Single sign-on over the hosts of [site] origin ([session] single_sign_on):
 * whoever is signed in at the first of them gets a session at another by a
 * code in a redirect.  It is good for one use within HANDOFF_LIFE_MS, at one
 * origin, and in the one browser that asked there; the store keeps its
 * SHA-256.  Level, time and end of the sign-in are those of the first
 * session; both are of one family from then on (session_end).
 */
enum { HANDOFF_LIFE_MS = 30000 };

/* Make a code for `origin`.  browser is the SHA-256 of a secret that the
 * browser holds there.  Wipe *code. */
enum dk_err handoff_make(struct domain *dom, const struct session *from,
    const struct conf_origin *origin, const struct digest *browser,
    int64_t now_ms, struct secret *code) DK_CHECK;

/* What came back to a host. */
struct handoff {
	const struct secret *code;
	const struct conf_origin *origin; /* that was asked */
	const struct digest *browser; /* of the secret that it sent; NULL: of
					 none, and no code is good for that */
	struct str old_id; /* the session to end with it; or STR_NONE */
};
/*
 * The code for a session.  *taken is false, and *session empty, when it is
 * unknown, used, too old, for another origin or browser, or when the sign-in
 * is over.  Whatever the answer, the code is used up, and a success or a code
 * that was somebody else's is an event ("sign_in").  Wipe *session.
 */
enum dk_err handoff_take(struct domain *dom, const struct asker *asker,
    const struct handoff *h, int64_t now_ms, struct session *session,
    bool *taken) DK_CHECK;

#endif
