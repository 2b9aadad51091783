#include "web/page.h"

/* The URL carries the content's hash, so what was fetched stays true. */
static void
send_file(struct ctx *c, const struct web_file *file)
{
	struct str path, version;
	struct str tag;

	c->cacheable = true;
	(void)str_split(file->target, '=', &path, &version);
	tag = arena_printf(c->arena, 32, "\"%.*s\"", STR_FMT(version));
	if (str_eq(c->req->if_none_match, tag)) {
		response_start(c->res, 304, STR_NONE);
	} else {
		response_start(c->res, 200, file->type);
		if (file->text.n > c->res->body.max)
			c->res->body = arena_buf(c->arena, file->text.n);
		buf_add(&c->res->body, file->text);
	}
	response_header(c->res, "ETag", tag);
	response_header(c->res, "Cache-Control",
	    str_ends(c->req->query, version) ?
		STR("public, max-age=31536000, immutable") :
		STR("public, max-age=300"));
}

void
page_style(struct ctx *c)
{
	send_file(c, &c->web->style);
}

void
page_logo(struct ctx *c)
{
	if (c->web->logo.text.n == 0)
		page_error(c, 404, MSG_NONE);
	else
		send_file(c, &c->web->logo);
}
