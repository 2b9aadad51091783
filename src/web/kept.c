#include "web/kept.h"

#include "http/form.h"

static const struct str purpose = { "doorkeep kept form", 18 };

/* One that can be shown and sent again as it was. */
static bool
is_whole(struct ctx *c)
{
	struct form_pair *pairs =
	    arena_alloc(c->arena, KEPT_FIELDS_MAX * sizeof(*pairs));
	size_t n;

	return pairs != NULL &&
	    form_read_all(c->req->body, pairs, KEPT_FIELDS_MAX, c->arena,
		&n) == DK_OK &&
	    n > 0;
}

static enum dk_err
seal(struct ctx *c, struct str target)
{
	struct buf plain = arena_buf(c->arena, URL_NEXT_MAX + 1 +
		REQUEST_BODY_MAX);
	struct secret browser;
	enum dk_err err;

	buf_add(&plain, target);
	buf_addc(&plain, '\n');
	buf_add(&plain, c->req->body);
	if (!buf_ok(&plain))
		return DK_ERR_NOMEM;
	err = guard_login_secret(c, &browser);
	if (err == DK_OK)
		err = seal_make(&browser, purpose, buf_str(&plain), c->arena,
		    &c->kept);
	secret_wipe(&browser, sizeof(browser));
	return err;
}

enum dk_err
kept_take(struct ctx *c, enum kept *what)
{
	struct str target = url_next_of_target(c->req->wanted, c->arena);
	enum guard from;

	*what = KEPT_NOTHING;
	if (str_is_none(c->req->wanted) || c->req->wants_json ||
	    !str_eq(c->req->wanted_method, STR("POST")))
		return DK_OK;
	/* Else a foreign page could have its own data confirmed here. */
	from = guard_origin(c);
	*what = from == GUARD_FOREIGN ? KEPT_FOREIGN : KEPT_LOST;
	if (from != GUARD_OWN || !c->req->is_form ||
	    str_is_none(c->req->body) || str_is_none(target) || !is_whole(c))
		return DK_OK;
	*what = KEPT_SEALED;
	return seal(c, target);
}

enum msg
kept_notice(enum kept what)
{
	switch (what) {
	case KEPT_NOTHING:
		break;
	case KEPT_FOREIGN:
		return MSG_FORM_FOREIGN;
	case KEPT_LOST:
		return MSG_FORM_INTERRUPTED;
	case KEPT_SEALED:
		return MSG_FORM_KEPT;
	}
	return MSG_NONE;
}

/* Under the key of this browser; STR_NONE when it is not ours. */
static enum dk_err
open_kept(struct ctx *c, struct str *plain)
{
	struct secret browser;
	enum dk_err err = DK_OK;
	bool opened;

	*plain = STR_NONE;
	if (guard_browser_secret(c, &browser))
		err = seal_open(
		    &browser, purpose, c->kept, c->arena, plain, &opened);
	secret_wipe(&browser, sizeof(browser));
	return err;
}

enum dk_err
kept_read(struct ctx *c, struct str field)
{
	struct str plain;
	enum dk_err err;

	c->kept = field;
	if (field.n == 0)
		return DK_OK;
	err = open_kept(c, &plain);
	if (err != DK_OK || str_is_none(plain))
		c->kept = STR_NONE;
	return err;
}

/* Passwords and such are sent, but not put on the screen. */
static bool
is_secret(struct str name)
{
	static const char *const words[] = { "pass", "pwd", "secret", "token",
		"csrf", "nonce", "key" };
	size_t i, k;

	for (i = 0; i < name.n; i++)
		for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
			struct str word = str_from(words[k]);

			if (str_ieq(str_sub(name, i, word.n), word))
				return true;
		}
	return false;
}

enum { ROW_VALUES = 6 };

static struct template_value *
make_rows(struct ctx *c, const struct form_pair *pairs, size_t n)
{
	struct template_value *rows =
	    arena_alloc(c->arena, n * ROW_VALUES * sizeof(*rows));
	size_t i;

	for (i = 0; rows != NULL && i < n; i++) {
		struct template_value *row = &rows[i * ROW_VALUES];
		struct str value = pairs[i].value;
		bool hidden = is_secret(pairs[i].name) || value.n == 0;
		bool lines = str_contains(value, '\n') ||
		    str_contains(value, '\r') || value.n > 60;

		row[0] = T_TEXT("name", pairs[i].name);
		row[1] = T_TEXT("value", value);
		row[2] = T_FLAG("hidden", hidden);
		row[3] = T_FLAG("lines", !hidden && lines);
		row[4] = T_FLAG("line", !hidden && !lines);
		row[5] = T_TEXT("id",
		    arena_printf(c->arena, 24, "field-%zu", i + 1));
	}
	return rows;
}

/* The form as it was, with a button that sends it to where it was going. */
static enum dk_err
show(struct ctx *c, struct str plain)
{
	struct form_pair *pairs =
	    arena_alloc(c->arena, KEPT_FIELDS_MAX * sizeof(*pairs));
	struct template_value *rows;
	struct str target, body;
	size_t n;
	enum dk_err err;

	if (pairs == NULL)
		return DK_ERR_NOMEM;
	if (!str_split(plain, '\n', &target, &body) ||
	    !url_next_is_safe(target))
		return DK_ERR_INTERNAL;
	err = form_read_all(body, pairs, KEPT_FIELDS_MAX, c->arena, &n);
	if (err != DK_OK)
		return err;
	rows = make_rows(c, pairs, n);
	if (rows == NULL)
		return DK_ERR_NOMEM;
	response_reset(c->res, 200);
	page_render(c, 200, "kept.html", MSG_KEPT_HEAD,
	    (const struct template_value[]){ T_TEXT("target", target),
		T_LIST("fields", rows, n, ROW_VALUES) },
	    2);
	return DK_OK;
}

void
page_lead_on(struct ctx *c, struct str next)
{
	struct str plain = STR_NONE;
	enum dk_err err = DK_OK;

	if (c->kept.n > 0)
		err = open_kept(c, &plain);
	if (err == DK_OK && !str_is_none(plain))
		err = show(c, plain);
	if (err != DK_OK)
		page_fail(c, err);
	else if (str_is_none(plain))
		response_redirect(c->res, next);
}
