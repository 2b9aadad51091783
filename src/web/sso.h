#ifndef DK_WEB_SSO_H
#define DK_WEB_SSO_H

#include "web/page.h"

/* Within src/web: single sign-on over several hosts (domain/handoff.h). */

/*
 * Where a form of sign-in leads that takes over the sign-in of the first
 * host; STR_NONE: there is nothing to take over, or it would cost what is
 * kept.
 */
struct str sso_link(struct ctx *c, struct str next);
/* /sso, of the first host and of the others. */
void page_sso(struct ctx *c);

#endif
