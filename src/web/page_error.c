#include "web/page.h"

/* What a status is called for a program and for a person. */
static const struct said {
	unsigned status;
	const char *code, *heading, *message;
} said[] = {
	{ 400, "bad_request", "That did not arrive whole",
	    "The request was damaged or incomplete. Go back and try again." },
	{ 401, "not_signed_in", "Please sign in",
	    "You need to sign in to see this." },
	{ 403, "forbidden", "This is not for you",
	    "You are signed in, but you have no access to this page. Ask the "
	    "person who looks after this site." },
	{ 404, "not_found", "There is nothing here",
	    "Check the address, or start from the front page." },
	{ 405, "method_not_allowed", "That cannot be done here",
	    "This address does not take that kind of request." },
	{ 411, "length_required", "That did not arrive whole",
	    "The request did not say how long it is." },
	{ 413, "too_large", "That is too much at once",
	    "The request was larger than a form can be." },
	{ 415, "unsupported_media_type", "That is not a form",
	    "Send a form (application/x-www-form-urlencoded) or JSON "
	    "(application/json), without Content-Encoding." },
	{ 429, "throttled", "Please wait a moment",
	    "There were too many attempts. Try again later." },
	{ 503, "unavailable", "Please try again in a moment",
	    "Signing in does not work right now. Nothing is lost; try again "
	    "in a few seconds." },
	{ 500, "internal", "Something went wrong",
	    "The fault is on our side. Try again; if it stays, tell the "
	    "person who looks after this site the request number below." },
};

static const struct said *
find_said(unsigned status)
{
	size_t i, n = sizeof(said) / sizeof(said[0]);

	for (i = 0; i < n - 1; i++)
		if (said[i].status == status)
			return &said[i];
	return &said[n - 1];
}

unsigned
status_of(enum dk_err err)
{
	switch (err) {
	case DK_OK:
		return 200;
	case DK_ERR_INPUT:
		return 400;
	case DK_ERR_DENIED:
		return 403;
	case DK_ERR_TOO_LARGE:
		return 413;
	case DK_ERR_BUSY:
	case DK_ERR_STORE:
	case DK_ERR_RANDOM:
	case DK_ERR_IO:
	case DK_ERR_NOMEM:
	case DK_ERR_CONF:
		return 503;
	case DK_ERR_CONFLICT:
	case DK_ERR_INTERNAL:
		break;
	}
	return 500;
}

void
page_error_code(struct ctx *c, unsigned status, const char *code,
    const char *message)
{
	const struct said *s = find_said(status);
	struct str text = str_from(message == NULL ? s->message : message);
	const struct template_value values[] = {
		T_TEXT("heading", str_from(s->heading)),
		T_TEXT("message", text),
		T_TEXT("request_id", str_from(c->req->id)),
	};
	struct jw w;

	response_reset(c->res, status);
	if (c->req->wants_json) {
		page_json(c, status, &w);
		jw_object(&w, NULL);
		jw_str(&w, "error", str_from(code));
		jw_str(&w, "message", text);
		jw_str(&w, "request_id", str_from(c->req->id));
		jw_end(&w);
	} else {
		page_render(c, status, "error.html", s->heading, values, 3);
	}
	if (status == 503)
		response_header(c->res, "Retry-After", STR("5"));
}

void
page_error(struct ctx *c, unsigned status, const char *message)
{
	page_error_code(c, status, find_said(status)->code, message);
}

void
page_fail(struct ctx *c, enum dk_err err)
{
	unsigned status = status_of(err);

	if (status == 500)
		LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "internal_error",
		    { "request_id", str_from(c->req->id) },
		    { "error", str_from(err_name(err)) });
	page_error(c, status, NULL);
}
