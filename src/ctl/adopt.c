#include "ctl/adopt.h"

#include <stdarg.h>
#include <string.h>

enum dk_err
adopt_fail(struct adopt *a, unsigned line, const char *fmt, ...)
{
	va_list ap;
	size_t i;

	buf_reset(a->message);
	buf_addf(a->message, "%.*s:%u: ", STR_FMT(a->file), line);
	va_start(ap, fmt);
	buf_vaddf(a->message, fmt, ap);
	va_end(ap);
	/* A word of the file was too long to be shown. */
	if (!buf_ok(a->message)) {
		buf_reset(a->message);
		buf_addf(a->message, "line %u is not understood", line);
	}
	for (i = 0; i < a->message->len; i++)
		if ((unsigned char)a->message->p[i] < 0x20 ||
		    a->message->p[i] == 0x7f)
			a->message->p[i] = '?';
	return DK_ERR_CONF;
}

struct str
adopt_word(const struct adopt_statement *s, size_t n)
{
	return n < s->n ? s->word[n] : STR("");
}

bool
adopt_is(const struct adopt_statement *s, size_t n, const char *word)
{
	return str_eq(adopt_word(s, n), str_from(word));
}

char
adopt_first(const struct adopt_text *t)
{
	return t->rest.n > 0 ? t->rest.p[0] : '\0';
}

char
adopt_step(struct adopt_text *t)
{
	char c = adopt_first(t);

	t->rest = str_sub(t->rest, 1, t->rest.n);
	t->line += c == '\n';
	return c;
}

void
adopt_skip(struct adopt_text *t, bool lines)
{
	bool comment = false;
	char c;

	while (t->rest.n > 0) {
		c = adopt_first(t);
		comment = c == '#' || (comment && c != '\n');
		if (!comment && c != ' ' && c != '\t' && c != '\r' &&
		    !(lines && c == '\n'))
			return;
		(void)adopt_step(t);
	}
}

const char *
adopt_server_name(enum adopt_server server)
{
	static const char *const names[] = { [ADOPT_APACHE] = "apache",
		[ADOPT_NGINX] = "nginx",
		[ADOPT_LIGHTTPD] = "lighttpd" };

	return names[server];
}

/* ---- areas
 * ----------------------------------------------------------------------- */
static struct str
stem(struct str path)
{
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

enum dk_err
adopt_add_name(struct adopt *a, struct adopt_area *area, struct str name,
    bool group, unsigned line)
{
	if (area->n_names == ADOPT_NAMES_MAX)
		return adopt_fail(a, line,
		    "more than %d names for one path; make a group of them",
		    ADOPT_NAMES_MAX);
	area->names[area->n_names] = name;
	area->is_group[area->n_names] = group;
	area->n_names++;
	return DK_OK;
}

static bool
asks_for_password(const struct adopt_area *area)
{
	return area->any || area->n_names > 0;
}

enum dk_err
adopt_add_area(struct adopt *a, const struct adopt_area *area)
{
	size_t i;

	if (!str_starts(area->path, STR("/")))
		return adopt_fail(a, area->line,
		    "\"%.*s\" is no path of the site", STR_FMT(area->path));
	/* lighttpd takes the first in its list that the path begins with. */
	for (i = 0; i < a->n_areas && a->server == ADOPT_LIGHTTPD; i++)
		if (str_starts(area->path, a->areas[i].path))
			return adopt_fail(a, area->line,
			    "%.*s stands behind %.*s, which takes its place; "
			    "put it in front",
			    STR_FMT(area->path), STR_FMT(a->areas[i].path));
	if (a->n_areas == ADOPT_AREAS_MAX)
		return adopt_fail(
		    a, area->line, "more than %d rules", ADOPT_AREAS_MAX);
	/* The longest stays in front: the first rule that fits decides. */
	for (i = a->n_areas++;
	     i > 0 && stem(a->areas[i - 1].path).n < stem(area->path).n; i--)
		a->areas[i] = a->areas[i - 1];
	a->areas[i] = *area;
	return DK_OK;
}

static bool
lies_in(struct str path, struct str folder)
{
	path = stem(path);
	folder = stem(folder);
	return str_starts(path, folder) &&
	    (path.n == folder.n || path.p[folder.n] == '/');
}

/* A <Location> comes after every <Directory>, and a later one after an
 * earlier: what lies in it and comes before has no effect. */
static bool
is_overridden(const struct adopt *a, const struct adopt_area *area)
{
	size_t i;

	for (i = 0; i < a->n_areas; i++) {
		const struct adopt_area *other = &a->areas[i];

		if (other->overrides && asks_for_password(other) &&
		    (!area->overrides || area->line < other->line) &&
		    lies_in(area->path, other->path))
			return true;
	}
	return false;
}

static void
drop_overridden(struct adopt *a)
{
	size_t i = 0, j;

	while (i < a->n_areas) {
		if (!is_overridden(a, &a->areas[i])) {
			i++;
			continue;
		}
		a->n_areas--;
		for (j = i; j < a->n_areas; j++)
			a->areas[j] = a->areas[j + 1];
	}
}

/* Is the i-th, or does it lie in, a place that asks for a password? */
static bool
is_guarded(const struct adopt *a, size_t i)
{
	size_t j;

	if (asks_for_password(&a->areas[i]))
		return true;
	for (j = i + 1; j < a->n_areas; j++)
		if (asks_for_password(&a->areas[j]) &&
		    lies_in(a->areas[i].path, a->areas[j].path))
			return true;
	return false;
}

/* What is open or closed without a password stays the server's business,
 * unless it lies in a guarded area: there doorkeep decides. */
static enum dk_err
keep_what_is_guarded(struct adopt *a)
{
	size_t i, kept = 0;

	drop_overridden(a);
	for (i = 0; i < a->n_areas; i++) {
		const struct adopt_area *area = &a->areas[i];

		if (i + 1 < a->n_areas &&
		    str_eq(stem(area->path), stem(area[1].path)) &&
		    (is_guarded(a, i) || is_guarded(a, i + 1)))
			return adopt_fail(a, area[1].line,
			    "%.*s has a rule already, from line %u; make one "
			    "of the two",
			    STR_FMT(area->path), area->line);
		if (!is_guarded(a, i))
			continue;
		if (area->odd > 0)
			return adopt_fail(a, area->odd,
			    "this condition beside or below a password is not "
			    "understood; write the rule by hand (net=, "
			    "methods= in [access])");
		a->areas[kept++] = *area;
	}
	a->n_areas = kept;
	return DK_OK;
}

void
adopt_add_requirement(const struct adopt_area *area, struct buf *out)
{
	size_t i;

	/* Each of Apache's lines opens it by itself. */
	if (area->open || area->any || area->n_names == 0) {
		buf_addz(out,
		    area->open	    ? "public"
			: area->any ? "any"
				    : "deny");
		return;
	}
	for (i = 0; i < area->n_names; i++) {
		buf_addz(out, i > 0 ? ", " : "");
		buf_addz(out, area->is_group[i] ? "group:" : "user:");
		buf_add(out, area->names[i]);
	}
}

/* ---- lines and files
 * ------------------------------------------------------------- */
enum dk_err
adopt_mark(struct adopt *a, const struct adopt_statement *s, bool guards)
{
	if (a->n_spans == ADOPT_SPANS_MAX)
		return adopt_fail(a, s->line, "too many lines to replace");
	a->spans[a->n_spans++] =
	    (struct adopt_span){ s->line, s->last_line, guards };
	return DK_OK;
}

enum dk_err
adopt_set_file(struct adopt *a, struct str *file, unsigned *line,
    const struct adopt_statement *s, struct str path)
{
	if (!str_starts(path, STR("/")) || str_contains(path, '$'))
		return adopt_fail(a, s->line,
		    "\"%.*s\": write the full path of the file", STR_FMT(path));
	if (!str_is_none(*file) && !str_eq(*file, path))
		return adopt_fail(a, s->line,
		    "another file than in line %u; the same name could be two "
		    "people: join the two files first",
		    *line);
	*file = path;
	*line = s->line;
	return DK_OK;
}

/* ---- which language
 * -------------------------------------------------------------- */
static bool
holds(struct str text, struct str needle)
{
	size_t i;

	for (i = 0; i + needle.n <= text.n; i++)
		if (str_ieq(str_sub(text, i, needle.n), needle))
			return true;
	return false;
}

static bool
find_server(struct adopt *a, struct str text)
{
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		line = str_trim(line);
		if (str_starts(line, STR("#")))
			continue;
		a->server = ADOPT_LIGHTTPD;
		if (holds(line, STR("auth.require")) ||
		    holds(line, STR("auth.backend")))
			return true;
		a->server = ADOPT_NGINX;
		if (holds(line, STR("auth_basic")))
			return true;
		a->server = ADOPT_APACHE;
		if (str_ieq(str_sub(line, 0, 4), STR("Auth")) ||
		    str_ieq(str_sub(line, 0, 8), STR("Require ")))
			return true;
	}
	return false;
}

enum dk_err
adopt_read(struct adopt *a, struct str file, struct str text,
    struct str document_root, struct str htaccess, struct buf *message)
{
	enum dk_err err;

	memset(a, 0, sizeof(*a));
	a->file = file;
	a->message = message;
	a->document_root = document_root;
	if (str_contains(text, '\0'))
		return adopt_fail(a, 1, "holds a NUL: no configuration");
	if (!find_server(a, text))
		return adopt_fail(a, 1,
		    "says nothing about Basic authentication: no Require, "
		    "auth_basic or auth.require");
	if (a->server == ADOPT_APACHE)
		err = adopt_apache(a, text, htaccess);
	else if (a->server == ADOPT_NGINX)
		err = adopt_nginx(a, text);
	else
		err = adopt_lighttpd(a, text);
	if (err == DK_OK)
		err = keep_what_is_guarded(a);
	if (err == DK_OK && a->n_areas == 0)
		err = adopt_fail(a, 1, "no path in it asks for a password");
	if (err == DK_OK && str_is_none(a->users_file))
		err = adopt_fail(a, a->areas[0].line,
		    "the file with the passwords is not named in this file");
	return err;
}
