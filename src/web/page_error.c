#include "web/page.h"

/* What a status is called for a program and for a person. */
static const struct said {
	unsigned status;
	const char *code;
	enum msg heading, message;
} said[] = {
	{ 400, "bad_request", MSG_BAD_REQUEST_HEAD, MSG_BAD_REQUEST },
	{ 401, "not_signed_in", MSG_SIGN_IN_HEAD, MSG_SIGN_IN_NEEDED },
	{ 403, "forbidden", MSG_FORBIDDEN_HEAD, MSG_FORBIDDEN },
	{ 404, "not_found", MSG_NOT_FOUND_HEAD, MSG_NOT_FOUND },
	{ 405, "method_not_allowed", MSG_NOT_ALLOWED_HEAD, MSG_NOT_ALLOWED },
	{ 411, "length_required", MSG_BAD_REQUEST_HEAD, MSG_LENGTH_REQUIRED },
	{ 413, "too_large", MSG_TOO_LARGE_HEAD, MSG_TOO_LARGE },
	{ 415, "unsupported_media_type", MSG_NO_FORM_HEAD, MSG_NO_FORM },
	{ 429, "throttled", MSG_THROTTLED_HEAD, MSG_THROTTLED },
	{ 503, "unavailable", MSG_UNAVAILABLE_HEAD, MSG_UNAVAILABLE },
	{ 500, "internal", MSG_INTERNAL_HEAD, MSG_INTERNAL },
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

/* {"error":…,"message":…,"request_id":…}: English, whoever reads it. */
static void
problem_json(struct ctx *c, const struct page_problem *p, const char *code,
    enum msg message)
{
	struct buf text = arena_buf(c->arena, 2048);
	struct jw w;

	if (p->n_words > 0)
		(void)words_say(
		    WORDS_ENGLISH, message, p->words, p->n_words, &text);
	else
		words_say_number(WORDS_ENGLISH, message, p->number, &text);
	if (p->detail != NULL)
		buf_addf(&text, " %s", p->detail);
	page_json(c, p->status, &w);
	jw_object(&w, NULL);
	jw_str(&w, "error", str_from(code));
	jw_str(&w, "message", buf_str(&text));
	jw_str(&w, "request_id", str_from(c->req->id));
	jw_end(&w);
}

void
page_problem(struct ctx *c, const struct page_problem *p)
{
	const struct said *s = find_said(p->status);
	enum msg message = p->message == MSG_NONE ? s->message : p->message;
	enum msg heading = p->heading == MSG_NONE ? s->heading : p->heading;
	const struct template_value values[] = {
		T_TEXT("heading", page_say(c, heading)),
		T_TEXT("message",
		    p->n_words > 0
			? page_say_with(c, message, p->words, p->n_words)
			: page_say_number(c, message, p->number)),
		T_TEXT("detail", str_from(p->detail)),
		T_TEXT("request_id", str_from(c->req->id)),
	};

	response_reset(c->res, p->status);
	if (c->req->wants_json)
		problem_json(c, p, p->code == NULL ? s->code : p->code,
		    message);
	else
		page_render(c, p->status, "error.html", heading, values,
		    4);
	if (p->status == 503)
		response_header(c->res, "Retry-After", STR("5"));
}

void
page_error_code(struct ctx *c, unsigned status, const char *code,
    enum msg message)
{
	const struct page_problem problem = { .status = status,
		.code = code,
		.message = message };

	page_problem(c, &problem);
}

void
page_error(struct ctx *c, unsigned status, enum msg message)
{
	page_error_code(c, status, NULL, message);
}

void
page_fail(struct ctx *c, enum dk_err err)
{
	unsigned status = status_of(err);

	if (status == 500)
		LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "internal_error",
		    { "request_id", str_from(c->req->id) },
		    { "error", str_from(err_name(err)) });
	page_error(c, status, MSG_NONE);
}
