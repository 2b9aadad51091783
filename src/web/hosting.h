#ifndef DK_WEB_HOSTING_H
#define DK_WEB_HOSTING_H

#include "web/page.h"

/*
 * Within src/web: shared hosting.  Marker files by which Apache lets people
 * in itself (domain/marker.h); each of these does nothing where [hosting]
 * markers is not set.
 */

/* With the cookie of a new session goes that of its marker. */
void marker_cookie_set(struct ctx *c, const struct session *session);
void marker_cookie_erase(struct ctx *c);

/*
 * Apache has refused a page that [access] opens to this person: they get a
 * marker and go back there, or, when they had one that should have done, a
 * page that says what to look for.  False: no markers here.
 */
bool marker_lead_back(struct ctx *c, struct str next);

/*
 * Before an answer goes out: files of sessions that have ended are removed.
 * Where one stays, whoever asked for a change is told.
 */
void marker_settle(struct ctx *c);

#endif
