#ifndef DK_DOMAIN_LINK_H
#define DK_DOMAIN_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "domain/account.h"
#include "domain/domain.h"

/*
 * One-use links to set a password: 256 random bits, of which the store keeps
 * the SHA-256; one per account; dead after use or LINK_LIFE_MS.
 */
#define LINK_LIFE_MS INT64_C(86400000)

/* Make one; it replaces an older one.  The caller wipes *token. */
enum dk_err link_make(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms,
    struct secret *token) DK_CHECK;

/* The whole link, for the person: append it to out. */
void link_add_url(
    const struct conf *conf, const struct secret *token, struct buf *out);
/* Whose is it?  Changes nothing. */
enum dk_err link_look(struct domain *dom, const struct secret *token,
    int64_t now_ms, struct user_row *user, bool *found) DK_CHECK;

/*
 * Set the password and use the link up, in one transaction; all sessions and
 * known browsers of the account end.  *used is false when the link was dead.
 * Does not sign in, and does not stand in for a second factor.
 */
enum dk_err link_use(struct domain *dom, const struct asker *asker,
    const struct secret *token, struct str pw, int64_t now_ms,
    enum password_flaw *flaw, bool *used) DK_CHECK;

#endif
