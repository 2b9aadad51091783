#ifndef DK_WEB_KEPT_H
#define DK_WEB_KEPT_H

#include "web/page.h"

/*
 * What a person had typed into a form of the site when the session was over.
 * Nobody is signed in, so nothing is stored: the data travels sealed in the
 * pages of sign-in, in the hidden field `kept`, under a key that only this
 * browser's cookies give (doc/adr/0010-kept-forms.md).  c->kept holds it in
 * between.  After the sign-in it is shown with a button that sends it; it is
 * never sent by itself.
 */
enum {
	KEPT_FIELDS_MAX = 256,
	/* Target, line feed, body; sealed and as text. */
	KEPT_TEXT_MAX = SEAL_TEXT_LEN(URL_NEXT_MAX + 1 + REQUEST_BODY_MAX)
};

enum kept {
	KEPT_NOTHING, /* no form was on its way */
	KEPT_FOREIGN, /* one that another site has sent: not delivered */
	KEPT_LOST,    /* the server did not pass it on, or it has files */
	KEPT_SEALED   /* it is in c->kept */
};

/*
 * A sign-in is asked for in place of the wanted page: keep the form that was
 * on its way there.  Only one that a page of this site has sent.
 */
enum dk_err kept_take(struct ctx *c, enum kept *what) DK_CHECK;
/* The sentence for the page of sign-in; MSG_NONE for KEPT_NOTHING. */
enum msg kept_notice(enum kept what);

/* The field `kept` of a page of ours into c->kept if this browser made it. */
enum dk_err kept_read(struct ctx *c, struct str field) DK_CHECK;

/* The person is in: to the kept form if there is one, else to next. */
void page_lead_on(struct ctx *c, struct str next);

#endif
