#include "gateway/output.h"

bool
output_wants_body(const struct request *req)
{
	return req->role == REQUEST_RESPONDER && req->method == METHOD_POST &&
	    str_is_none(req->wanted);
}

static unsigned
status_of_read(enum dk_err err)
{
	if (err == DK_ERR_TOO_LARGE)
		return 413;
	return err == DK_ERR_INPUT ? 400 : 503;
}

void
output_answer(const struct gateway_app *app, struct request *req,
    struct response *res, enum dk_err err, const char *problem,
    enum body_state body)
{
	if (err != DK_OK) {
		app->fail(app->arg, req, res, status_of_read(err), problem);
		return;
	}
	if (req->content_encoding.n > 0 &&
	    !str_ieq(req->content_encoding, STR("identity")) &&
	    output_wants_body(req)) {
		app->fail(app->arg, req, res, 415,
		    "The body must not have a Content-Encoding.");
		return;
	}
	switch (body) {
	case BODY_WHOLE:
	case BODY_NONE:
		app->handle(app->arg, req, res);
		return;
	case BODY_TOO_LARGE:
		app->fail(app->arg, req, res, 413, NULL);
		return;
	case BODY_CUT:
		break;
	}
	app->fail(app->arg, req, res, 400,
	    "The body was not as long as the request said.");
}

enum dk_err
output_build(const struct request *req, const struct response *res,
    struct arena *arena, struct str *head, struct str *body)
{
	struct buf b = arena_buf(arena, RESPONSE_HEADERS_MAX);
	enum dk_err err;

	*head = STR_NONE;
	*body = STR_NONE;
	err = response_head(res, &b);
	if (err != DK_OK)
		return err;
	*head = buf_str(&b);
	*body = response_body(res, req->method == METHOD_HEAD);
	return DK_OK;
}
