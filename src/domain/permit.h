#ifndef DK_DOMAIN_PERMIT_H
#define DK_DOMAIN_PERMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/domain.h"
#include "store/users.h"

/*
 * What an administrator may do at the desk.  The command line may do
 * everything (asker->admin_id is 0 there, and on people's own pages).
 */

/* Is this person, enabled, in [admin] group?  No: nobody is without one. */
enum dk_err permit_is_admin(
    struct domain *dom, int64_t user_id, bool *is_admin) DK_CHECK;

/*
 * Begin the transaction of a change: on_user_id is whom it is done to, 0 for
 * nobody or many.  For an asker at the desk DK_ERR_DENIED, and no transaction,
 * when they are no administrator any more, or when they do it to themselves:
 * whoever works at the desk afterwards is still enabled, in the group and
 * signed in, so that not even two of them who act on each other at one moment
 * can leave the desk to nobody.
 */
enum dk_err permit_begin(
    struct domain *dom, const struct asker *asker, int64_t on_user_id) DK_CHECK;

#endif
