/*
 * In which language does a person read?  What the site has fixed; else what
 * they chose on the page, kept in a cookie; else what their browser asks for;
 * else English.
 */
#include "http/url.h"
#include "web/page.h"

enum {
	COOKIE_AGE_S = 365 * 86400,
	HERE_MAX = 1024, /* so that the page of sign-in has at most 7 KB */
	LANGUAGE_VALUES = 3
};

const struct language *
page_language_of(struct ctx *c)
{
	const struct words *words = &c->web->words;
	const struct language *l = c->web->language;

	if (l == NULL)
		l = words_find(words, cookie_own(c, "language"));
	if (l == NULL)
		l = words_choose(words, c->req->accept_language);
	return l != NULL ? l : WORDS_ENGLISH;
}

/*
 * Where a GET shows this page again; "" when there is no such place.  Before
 * sign-in the query of an address of ours is repeated nowhere (DK-L-01).
 */
static struct str
find_here(struct ctx *c)
{
	struct str here = c->here;
	bool whole = ctx_signed_in(c) && c->req->query.n > 0;

	if (str_is_none(here) && !str_is_none(c->req->wanted))
		here = url_next_of_target(c->req->wanted, c->arena);
	else if (str_is_none(here))
		here = arena_printf(c->arena, URL_NEXT_MAX, "%.*s%.*s%s%.*s",
		    STR_FMT(c->web->conf->mount), STR_FMT(c->req->route),
		    whole ? "?" : "",
		    STR_FMT(whole ? c->req->query : STR("")));
	return here.n <= HERE_MAX && url_next_is_safe(here) ? here : STR("");
}

void
page_stays_at(struct ctx *c, const char *path, struct str next)
{
	struct buf b = arena_buf(c->arena, 4 * URL_NEXT_MAX);

	buf_add(&b, page_own_path(c, path));
	buf_addz(&b, "?next=");
	buf_add_percent(&b, next);
	if (str_is_none(c->req->wanted) && buf_ok(&b))
		c->here = buf_str(&b);
}

void
page_language_values(
    struct ctx *c, struct template_value values[PAGE_LANGUAGE_VALUES])
{
	const struct words *words = &c->web->words;
	/* A form that is kept on this page would be lost on the way. */
	bool choose =
	    c->web->language == NULL && words->n > 1 && c->kept.n == 0;
	struct template_value *rows = NULL;
	size_t i, n = 0;

	if (choose)
		rows = arena_alloc(c->arena,
		    words->n * LANGUAGE_VALUES * sizeof(*rows));
	for (i = 0; rows != NULL && i < words->n; i++) {
		const struct language *l = words->item[i];
		struct template_value *v = rows + n++ * LANGUAGE_VALUES;

		v[0] = T_TEXT("value", str_from(l->code));
		v[1] = T_TEXT("label", str_from(l->name));
		v[2] = T_FLAG("selected", l == c->language);
	}
	values[0] = T_LIST("languages", rows, n, LANGUAGE_VALUES);
	values[1] = T_FLAG("choose_language", n > 0);
	values[2] = T_TEXT("here", find_here(c));
}

/* Who reloads the answer to a choice. */
void
page_language(struct ctx *c)
{
	page_redirect_own(c, "/login");
}

/*
 * A choice is no secret and ends no session, so it needs no token: a page of
 * another site cannot make it, and that does.
 */
void
page_language_post(struct ctx *c)
{
	struct input in[] = { { .name = "language", .max = LANGUAGE_CODE_MAX },
		{ .name = "next", .max = URL_NEXT_MAX } };
	const struct language *l;

	if (!input_read(c, in, 2))
		return;
	l = words_find(&c->web->words, in[0].text);
	if (guard_origin(c) == GUARD_FOREIGN) {
		page_error_code(
		    c, 403, "forbidden_origin", MSG_FOREIGN_CHANGE);
	} else if (l == NULL) {
		page_error(c, 400, MSG_NO_LANGUAGE);
	} else {
		if (url_next_is_safe(in[1].text))
			response_redirect(c->res, in[1].text);
		else
			page_redirect_own(c, "/login");
		cookie_set_own(
		    c, "language", str_from(l->code), COOKIE_AGE_S);
	}
}
