#include "web/template.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/embed.h"
#include "web/template_tag.h"

extern const struct embedded embedded_html[];

enum { PATH_LEN_MAX = 4096 };

/* Where names are looked up: a row first, then the page. */
struct scope {
	const struct template_value *values;
	size_t n;
	const struct scope *outer;
	const struct language *language;
};

bool
template_next_tag(struct str *text, struct str *before, struct str *tag)
{
	size_t open, close;

	*tag = STR_NONE;
	for (open = 0; open + 1 < text->n; open++)
		if (text->p[open] == '{' && text->p[open + 1] == '{')
			break;
	if (open + 1 >= text->n) {
		*before = *text;
		*text = str_sub(*text, text->n, 0);
		return false;
	}
	*before = str_sub(*text, 0, open);
	for (close = open + 2; close + 1 < text->n; close++)
		if (text->p[close] == '}' && text->p[close + 1] == '}')
			break;
	if (close + 1 >= text->n) {
		*text = str_sub(*text, open, text->n);
		return false;
	}
	*tag = str_sub(*text, open + 2, close - open - 2);
	*text = str_sub(*text, close + 2, text->n);
	return true;
}

bool
template_take_section(struct str *text, struct str name, struct str *inner)
{
	struct str rest = *text, before, tag;

	while (template_next_tag(&rest, &before, &tag)) {
		if (tag.n == name.n + 1 && tag.p[0] == '/' &&
		    str_eq(str_sub(tag, 1, name.n), name)) {
			size_t n = (size_t)(tag.p - 2 - text->p);

			*inner = str_sub(*text, 0, n);
			*text = rest;
			return true;
		}
	}
	return false;
}

bool
template_is_message(struct str tag, struct str *key)
{
	*key = str_sub(tag, 2, tag.n);
	return str_starts(tag, STR("t:"));
}

static const struct template_value *
find_value(const struct scope *scope, struct str name)
{
	for (; scope != NULL; scope = scope->outer) {
		size_t i = scope->n;

		while (i-- > 0)
			if (str_eq(name, str_from(scope->values[i].name)))
				return &scope->values[i];
	}
	return NULL;
}

static bool
is_true(const struct template_value *v)
{
	switch (v->kind) {
	case TEMPLATE_TEXT:
		return v->text.n > 0;
	case TEMPLATE_FLAG:
		return v->flag;
	case TEMPLATE_LIST:
		break;
	}
	return v->n_rows > 0;
}

static const struct template *
find_template(const struct templates *t, struct str name)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (str_eq(name, str_from(t->item[i].name)))
			return &t->item[i];
	return NULL;
}

static enum dk_err render(const struct templates *t, struct str text,
    const struct scope *scope, struct buf *out, unsigned depth);

static enum dk_err
render_section(const struct templates *t, struct str inner, char kind,
    const struct template_value *v, const struct scope *scope,
    struct buf *out, unsigned depth)
{
	enum dk_err err = DK_OK;
	size_t i;

	if (kind == '^')
		return is_true(v) ? DK_OK :
				    render(t, inner, scope, out, depth);
	if (v->kind != TEMPLATE_LIST)
		return is_true(v) ? render(t, inner, scope, out, depth) :
				    DK_OK;
	for (i = 0; err == DK_OK && i < v->n_rows; i++) {
		const struct scope row = { v->rows + i * v->n_values,
			v->n_values, scope, scope->language };

		err = render(t, inner, &row, out, depth);
	}
	return err;
}

/* A placeholder of a message is a value of the page. */
static bool
find_text(const void *arg, struct str name, struct str *text)
{
	const struct template_value *v = find_value(arg, name);

	*text = STR_NONE;
	if (v == NULL || v->kind != TEMPLATE_TEXT)
		return false;
	*text = v->text;
	return true;
}

static enum dk_err
render_tag(const struct templates *t, struct str *text, struct str tag,
    const struct scope *scope, struct buf *out, unsigned depth)
{
	struct str name = str_sub(tag, 1, tag.n), inner;
	char kind = tag.n > 0 ? tag.p[0] : '\0';
	const struct template_value *v;
	const struct template *other;

	if (kind == '>') {
		other = find_template(t, name);
		return other == NULL ?
		    DK_ERR_INTERNAL :
		    render(t, other->text, scope, out, depth + 1);
	}
	if (kind == '#' || kind == '^') {
		v = find_value(scope, name);
		if (v == NULL || !template_take_section(text, name, &inner))
			return DK_ERR_INTERNAL;
		return render_section(t, inner, kind, v, scope, out,
		    depth + 1);
	}
	if (template_is_message(tag, &name))
		return words_add(scope->language, words_key(name), find_text,
			   scope, buf_add_html, out) ?
		    DK_OK :
		    DK_ERR_INTERNAL;
	if (!find_text(scope, tag, &inner))
		return DK_ERR_INTERNAL;
	buf_add_html(out, inner);
	return DK_OK;
}

/* At its deepest: all sections of a page, head.html, all sections of that. */
static enum dk_err
render(const struct templates *t, struct str text, const struct scope *scope,
    struct buf *out, unsigned depth)
{
	struct str before, tag;
	enum dk_err err = DK_OK;

	if (depth > TEMPLATE_DEPTH_MAX * 2 + 1)
		return DK_ERR_INTERNAL;
	while (err == DK_OK && template_next_tag(&text, &before, &tag)) {
		buf_add(out, before);
		err = render_tag(t, &text, tag, scope, out, depth);
	}
	if (err == DK_OK)
		buf_add(out, before);
	return err;
}

enum dk_err
template_render(const struct templates *t, const char *name,
    const struct language *language, const struct template_value *values,
    size_t n, struct buf *out)
{
	const struct scope page = { values, n, NULL, language };
	const struct template *found = find_template(t, str_from(name));

	if (found == NULL)
		return DK_ERR_INTERNAL;
	return render(t, found->text, &page, out, 0);
}

/* The override DIRECTORY/NAME, if there is one, into *item. */
static enum dk_err
load_override(struct templates *t, struct str directory,
    struct template *item, struct buf *message)
{
	char path[PATH_LEN_MAX];
	char *to;
	struct buf b;
	ssize_t n;
	int fd;

	BUF_OVER(&b, path);
	buf_addf(&b, "%.*s/%s", STR_FMT(directory), item->name);
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return DK_OK;
	to = arena_alloc(&t->arena, TEMPLATE_FILE_MAX + 1);
	n = fd < 0 || to == NULL ? -1 : read(fd, to, TEMPLATE_FILE_MAX + 1);
	if (fd >= 0)
		(void)close(fd);
	if (n < 0 || n > TEMPLATE_FILE_MAX) {
		buf_addf(message, "%s: %s", path,
		    n > 0 ? "is larger than 65536 bytes" : strerror(errno));
		return DK_ERR_CONF;
	}
	item->text = (struct str){ to, (size_t)n };
	item->file = arena_dup(&t->arena, buf_str(&b));
	return DK_OK;
}

static bool
is_page(const char *name)
{
	return str_ends(str_from(name), STR(".html"));
}

enum dk_err
templates_open(struct templates *t, struct str directory, struct buf *message)
{
	const struct embedded *e;
	enum dk_err err = DK_OK;
	size_t i;

	*t = (struct templates){ 0 };
	if (!str_is_none(directory) &&
	    arena_open(&t->arena,
		TEMPLATES_MAX * (TEMPLATE_FILE_MAX + PATH_LEN_MAX)) != DK_OK)
		return DK_ERR_NOMEM;
	for (e = embedded_html; e->name != NULL; e++) {
		if (!is_page(e->name))
			continue;
		if (t->n == TEMPLATES_MAX)
			return DK_ERR_INTERNAL;
		t->item[t->n].name = e->name;
		t->item[t->n].text = (struct str){ e->text, e->len };
		t->item[t->n].file = STR("(built in)");
		t->n++;
	}
	for (i = 0; err == DK_OK && !str_is_none(directory) && i < t->n; i++)
		err = load_override(t, directory, &t->item[i], message);
	/* The built-in ones are checked by a test, not at each CGI start. */
	for (i = 0; err == DK_OK && i < t->n; i++)
		if (!str_eq(t->item[i].file, STR("(built in)")))
			err = template_check(t->item[i].file,
			    t->item[i].name, t->item[i].text, message);
	return err;
}

void
templates_close(struct templates *t)
{
	if (t->arena.block != NULL)
		arena_close(&t->arena);
	t->n = 0;
}
