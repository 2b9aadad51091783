#include "gateway/output.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE_MAX = 64 * 1024 };

bool
output_wants_body(const struct request *req)
{
	if (req->role != REQUEST_RESPONDER)
		return false;
	if (str_is_none(req->wanted))
		return req->method == METHOD_POST;
	/* Apache makes a GET of it for the page of an error. */
	return str_eq(req->wanted_method, STR("POST")) &&
	    !str_eq(req->route, STR("/check"));
}

bool
output_may_have_body(const struct request *req, char *const *params)
{
	static const char *const announce[] = { "CONTENT_LENGTH=",
		"HTTP_CONTENT_LENGTH=", "HTTP_TRANSFER_ENCODING=" };
	size_t i, k;

	if (req->method != METHOD_GET && req->method != METHOD_HEAD)
		return true;
	for (i = 0; params[i] != NULL; i++) {
		struct str param = str_from(params[i]), name;

		for (k = 0; k < sizeof(announce) / sizeof(announce[0]); k++) {
			name = str_from(announce[k]);
			if (str_starts(param, name) && param.n > name.n &&
			    !str_eq(str_sub(param, name.n, param.n), STR("0")))
				return true;
		}
	}
	return false;
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
	if (!str_is_none(req->wanted)) {
		if (body != BODY_WHOLE || req->content_encoding.n > 0)
			req->body = STR_NONE;
		app->handle(app->arg, req, res);
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

/* "Status: 200 OK" and the variables for the application, no more. */
static enum dk_err
build_yes(const struct response *res, struct buf *out)
{
	size_t i;

	if (res->failed || res->body.overflow)
		return DK_ERR_INTERNAL;
	response_line(out, STR("Status"),
	    str_from(response_phrase(res->status)));
	for (i = 0; i < res->n_heads; i++)
		if (str_starts(res->heads[i].name, STR("Variable-")))
			response_line(out, res->heads[i].name,
			    res->heads[i].value);
	buf_addz(out, "\r\n");
	return buf_ok(out) ? DK_OK : DK_ERR_INTERNAL;
}

enum dk_err
output_build(const struct request *req, const struct response *res,
    struct arena *arena, struct str *head, struct str *body)
{
	bool yes = req->role == REQUEST_AUTHORIZER && res->status == 200;
	struct buf b = arena_buf(arena, RESPONSE_HEADERS_MAX);
	enum dk_err err;

	*head = STR_NONE;
	*body = STR_NONE;
	err = yes ? build_yes(res, &b) : response_head(res, &b);
	if (err != DK_OK)
		return err;
	*head = buf_str(&b);
	if (!yes)
		*body = response_body(res, req->method == METHOD_HEAD);
	return DK_OK;
}

bool
output_file(const struct request *req, const struct response *res,
    struct arena *arena, bool (*put)(void *arg, struct str piece), void *arg)
{
	uint64_t done = 0, n = res->file.n;
	char *piece;
	ssize_t got;

	if (!res->file.is_set || req->method == METHOD_HEAD)
		return true;
	piece = arena_alloc(arena, PIECE_MAX);
	if (piece == NULL)
		return false;
	while (done < n) {
		got = pread(res->file.fd, piece,
		    n - done < PIECE_MAX ? (size_t)(n - done) : PIECE_MAX,
		    (off_t)(res->file.from + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 ||
		    !put(arg, (struct str){ piece, (size_t)got }))
			return false;
		done += (uint64_t)got;
	}
	return true;
}
