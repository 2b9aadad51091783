#ifndef DK_DOMAIN_SESSION_NEW_H
#define DK_DOMAIN_SESSION_NEW_H

#include "domain/session.h"

/* Within src/domain: what new sessions have in common. */

/* The end of a session: absolute, or by idleness. */
int64_t session_expiry(const struct session_row *row);
/*
 * Give it an id and a secret, and say where it is: the asker's address,
 * browser and host.  These fields are empty before.
 */
enum dk_err session_new_token(
    const struct asker *asker, struct session *session) DK_CHECK;

#endif
