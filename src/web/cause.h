#ifndef DK_WEB_CAUSE_H
#define DK_WEB_CAUSE_H

#include "web/page.h"

/*
 * Within src/web: a sign-in that cannot work, however often it is tried.
 * Each of these answers 403 with the cause and the key that mends it.
 */
void page_cause_http(struct ctx *c);   /* it would go over plain http */
void page_cause_origin(struct ctx *c); /* the form is not from [site] origin */
void page_cause_cookie(struct ctx *c); /* its cookie did not come back */

/*
 * The form came without its cookie: is it no use to show it again?  tried: it
 * has been shown again already.
 */
bool page_cookie_is_hopeless(struct ctx *c, bool tried);

#endif
