#ifndef DK_WEB_GATE_H
#define DK_WEB_GATE_H

#include "domain/access.h"
#include "web/page.h"

/*
 * The gate: one decision about the wanted page, said in three ways: to an
 * Authorizer (200 and Variable-… headers), to nginx's auth_request (204 and
 * Remote-… headers), and, when it is no, as the sign-in page or 403.
 */

/* In the Authorizer role; err: why it cannot be told who asks, or DK_OK. */
void gate_authorize(struct ctx *c, enum dk_err err);

/*
 * Judge the wanted page.  *verdict is ACCESS_DENIED unless everything is
 * known; DK_ERR_INPUT when the path might mean different things to
 * different servers.
 */
enum dk_err gate_judge(struct ctx *c, struct str wanted, struct str method,
    struct access_answer *answer) DK_CHECK;

/*
 * May whoever asks have target, a raw path with or without a query?  False
 * after the refusal has been answered, by which the person comes back to the
 * wanted page.
 */
bool gate_admits(struct ctx *c, struct str target,
    struct access_answer *answer);

/*
 * The answer where a sign-in is not enough: a fresh one, or for who has no
 * second factor the way to set one up, and from there back to next.
 */
void gate_step_up(struct ctx *c, enum access_verdict verdict,
    struct str next);
/* Signed in without the second factor that the site asks of this person? */
bool gate_lacks_factor(struct ctx *c);

#endif
