#ifndef DK_GATEWAY_OUTPUT_H
#define DK_GATEWAY_OUTPUT_H

#include "gateway/gateway.h"

/* Within src/gateway: what FastCGI and CGI do alike. */

/* How the body came in. */
enum body_state {
	BODY_WHOLE,	/* as long as it was said to be, or to its end */
	BODY_NONE,	/* none is read: no POST, or not wanted */
	BODY_TOO_LARGE, /* above request_body_max */
	BODY_CUT	/* shorter or longer than it was said to be */
};

/*
 * Is a body read for this request at all?  In place of another page it is
 * that page's, and whatever becomes of it there is an answer; /check gets
 * none.
 */
bool output_wants_body(const struct request *req);

/*
 * Might the client have sent a body, whatever became of it?  By its method
 * and by its headers among the variables.
 */
bool output_may_have_body(const struct request *req, char *const *params);

/*
 * Let the application answer: a request that could not be read (err, status
 * by it, problem), a body that did not arrive, or all is well.
 */
void output_answer(const struct gateway_app *app, struct request *req,
    struct response *res, enum dk_err err, const char *problem,
    enum body_state body);

/*
 * The head of the answer into *head and its body into *body.  The yes of an
 * authorizer is reduced to what FastCGI 6.3 gives a meaning, its Variable-
 * headers: Apache hands all others on to the client, a Content-Length too.
 * DK_ERR_INTERNAL when there is no complete answer: then nothing is sent and
 * the connection dropped, because lighttpd takes an empty answer for a yes.
 */
enum dk_err output_build(const struct request *req, const struct response *res,
    struct arena *arena, struct str *head, struct str *body) DK_CHECK;

/*
 * The file that is the answer's body, in pieces that put takes; nothing for
 * HEAD and where there is none.  False when put does not take one or the file
 * is shorter by now: then the connection is dropped, for the length has been
 * told.
 */
bool output_file(const struct request *req, const struct response *res,
    struct arena *arena, bool (*put)(void *arg, struct str piece), void *arg);

#endif
