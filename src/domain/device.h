#ifndef DK_DOMAIN_DEVICE_H
#define DK_DOMAIN_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "domain/domain.h"

/*
 * Browsers in which a person has signed in before, known by a cookie of its
 * own with 256 random bits.  It opens nothing; it keeps the owner's way open
 * while strangers guess (domain/throttle.h).  At most DEVICES_MAX per person,
 * the one unused longest goes first.
 */
enum { DEVICES_MAX = 20 };

/* Is this the cookie of a browser that user_id has signed in with?  token is
 * then what throttle.h takes. */
enum dk_err device_is_known(struct domain *dom, int64_t user_id,
    const struct secret *cookie, struct digest *token, bool *known) DK_CHECK;

/* After a success.  The caller has put the secret into the cookie. */
enum dk_err device_remember(struct domain *dom, int64_t user_id,
    const struct secret *cookie, int64_t now_ms) DK_CHECK;

/* The SHA-256 under which tokens of all kinds are stored. */
void device_token(const struct secret *cookie, struct digest *token);

#endif
