/*
 * Message files of the site: they replace single sentences, or bring another
 * language.  What is wrong in one stops the start, with file and line.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "words/words.h"

enum {
	PATH_LEN_MAX = 4096,
	TEXT_MAX = 1200, /* bytes of one message, all forms */
	PLACEHOLDERS_MAX = 8,
	ARENA_SIZE = 8 * 1024 * 1024
};

struct reading {
	struct words *w;
	struct str file;
	unsigned line;
	struct buf *message;
	struct language *language;
	const char **text;     /* the language's, while it is made */
	bool given[MSG_COUNT]; /* has a line in this file */
};

static enum dk_err
refuse(struct reading *r, struct str key, const char *why)
{
	struct str shown = str_sub(key, 0, 60);

	buf_addf(r->message, "%.*s:%u: %.*s%s%s", STR_FMT(r->file), r->line,
	    STR_FMT(str_is_printable(shown) ? shown : STR("?")),
	    key.n > 0 ? ": " : "", why);
	return DK_ERR_CONF;
}

static size_t
placeholders(struct str text, struct str names[PLACEHOLDERS_MAX])
{
	struct str before, name;
	size_t n = 0, i;

	while (words_next(&text, &before, &name)) {
		for (i = 0; i < n && !str_eq(names[i], name); i++)
			continue;
		if (i == n && n < PLACEHOLDERS_MAX)
			names[n++] = name;
	}
	return n;
}

static bool
holds(const struct str *names, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* The placeholders of English, all and no others; the number may be told by
 * the form alone ("one minute"). */
static enum dk_err
check_placeholders(
    struct reading *r, enum msg m, struct str key, struct str text)
{
	struct str want[PLACEHOLDERS_MAX], have[PLACEHOLDERS_MAX];
	struct str number = str_from(message_names[m].number);
	size_t n_want, n_have, i;

	n_want = placeholders(words_text(WORDS_ENGLISH, m, 2), want);
	n_have = placeholders(text, have);
	for (i = 0; i < n_have; i++)
		if (!holds(want, n_want, have[i]))
			return refuse(r, key,
			    "has a {placeholder} that is not in the English "
			    "text");
	for (i = 0; i < n_want; i++)
		if (!holds(have, n_have, want[i]) && !str_eq(want[i], number))
			return refuse(r, key,
			    "lacks a {placeholder} of the English text");
	return DK_OK;
}

/* Is form one of "one few many"? */
static bool
is_form(struct str forms, struct str form)
{
	struct str word;

	while (str_cut(&forms, ' ', &word))
		if (str_eq(word, form))
			return true;
	return false;
}

/* Append a form to those that came in the lines before. */
static enum dk_err
add_form(struct reading *r, enum msg m, struct str key, struct str form,
    struct str text)
{
	struct str before = r->given[m] ? str_from(r->text[m]) : STR(""), all;

	if (r->given[m] && form.n == 0)
		return refuse(r, key, "stands there twice");
	all = form.n == 0
	    ? arena_dup(&r->w->arena, text)
	    : arena_printf(&r->w->arena, TEXT_MAX, "%.*s%s%.*s\t%.*s",
		  STR_FMT(before), before.n > 0 ? "\n" : "", STR_FMT(form),
		  STR_FMT(text));
	if (str_is_none(all))
		return refuse(r, key, "is too long");
	r->text[m] = all.p;
	r->given[m] = true;
	return DK_OK;
}

static enum dk_err
set_message(struct reading *r, struct str key, struct str form, struct str text)
{
	enum msg m = words_key(key);
	enum dk_err err;

	if (m == MSG_NONE)
		return refuse(r, key, "is no message of doorkeep");
	if (form.n > 0 &&
	    (message_names[m].number == NULL ||
		!is_form(str_from(plural_forms(r->language->plural)), form)))
		return refuse(r, key,
		    "has a form that this message or this language does not "
		    "have; see _plural");
	if (text.n == 0 || text.n > TEXT_MAX || !str_is_printable(text))
		return refuse(r, key,
		    "must be one line of printable text of at most 1200 "
		    "bytes");
	err = check_placeholders(r, m, key, text);
	return err == DK_OK ? add_form(r, m, key, form, text) : err;
}

static enum dk_err
set_property(struct reading *r, struct str key, struct str value)
{
	struct str name;

	if (str_eq(key, STR("_name"))) {
		name = arena_dup(&r->w->arena, value);
		if (value.n == 0 || value.n > 60 || str_is_none(name) ||
		    !str_is_printable(value))
			return refuse(r, key, "must be a short name");
		r->language->name = name.p;
		return DK_OK;
	}
	if (str_eq(key, STR("_direction"))) {
		r->language->rtl = str_eq(value, STR("rtl"));
		if (r->language->rtl || str_eq(value, STR("ltr")))
			return DK_OK;
		return refuse(r, key, "must be ltr or rtl");
	}
	if (!str_eq(key, STR("_plural")))
		return refuse(r, key,
		    "is no property; there are _name, _direction and _plural");
	if (plural_find(value, &r->language->plural))
		return DK_OK;
	return refuse(r, key,
	    "must be none, one, zero_one, polish, russian, czech, hebrew or "
	    "arabic");
}

static enum dk_err
read_line(struct reading *r, struct str line)
{
	struct str key, value, name, form = STR_NONE;

	line = str_trim(line);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || line.p[0] == '#')
		return DK_OK;
	if (!str_split(line, '=', &key, &value))
		return refuse(r, STR_NONE, "is no \"key = text\"");
	key = str_trim(key);
	value = str_trim(value);
	if (str_starts(key, STR("_")))
		return set_property(r, key, value);
	if (str_split(key, '[', &name, &form)) {
		if (!str_ends(form, STR("]")) || form.n < 2)
			return refuse(r, key, "must be key or key[form]");
		form.n--;
	} else {
		name = key;
	}
	return set_message(r, name, form, value);
}

/* Every number finds its form. */
static enum dk_err
check_forms(struct reading *r)
{
	struct str forms, form;
	size_t m;

	for (m = MSG_NONE + 1; m < MSG_COUNT; m++) {
		if (!r->given[m] || message_names[m].number == NULL ||
		    strchr(r->text[m], '\t') == NULL)
			continue;
		forms = str_from(plural_forms(r->language->plural));
		while (str_cut(&forms, ' ', &form)) {
			char line[32];
			struct buf b;

			BUF_OVER(&b, line);
			buf_addf(&b, "%.*s\t", STR_FMT(form));
			if (strstr(r->text[m], buf_z(&b)) == NULL)
				return refuse(r, str_from(message_names[m].key),
				    "lacks a form of this language; see "
				    "_plural");
		}
	}
	return DK_OK;
}

/* A language to be changed: a copy of the one of this code, or a new one. */
static enum dk_err
begin(struct reading *r, struct str code)
{
	const struct language *old = words_find(r->w, code);
	struct str copy = arena_dup(&r->w->arena, code);
	size_t i;

	r->language = arena_alloc(&r->w->arena, sizeof(*r->language));
	r->text = arena_alloc(&r->w->arena, MSG_COUNT * sizeof(*r->text));
	if (r->language == NULL || r->text == NULL || str_is_none(copy))
		return DK_ERR_NOMEM;
	*r->language =
	    (struct language){ .code = copy.p, .plural = PLURAL_ONE };
	if (old != NULL) {
		*r->language = *old;
		for (i = 0; i < MSG_COUNT; i++)
			r->text[i] = old->text[i];
	}
	r->language->text = r->text;
	return DK_OK;
}

static enum dk_err
put(struct reading *r)
{
	struct words *w = r->w;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (str_eq(str_from(w->item[i]->code),
			str_from(r->language->code)))
			break;
	if (i == LANGUAGES_MAX)
		return refuse(r, STR_NONE, "is one language too many (48)");
	w->item[i] = r->language;
	w->n += i == w->n;
	return DK_OK;
}

enum dk_err
words_read(struct words *w, struct str file, struct str code, struct str text,
    struct buf *message)
{
	struct reading r = { .w = w, .file = file, .message = message };
	struct str line;
	enum dk_err err = begin(&r, code);

	while (err == DK_OK && str_cut(&text, '\n', &line)) {
		r.line++;
		err = read_line(&r, line);
	}
	if (err == DK_OK)
		err = check_forms(&r);
	if (err == DK_OK && r.language->name == NULL)
		err = refuse(&r, STR("_name"),
		    "is missing: what the people of this language call it");
	return err == DK_OK ? put(&r) : err;
}

/* A tag of letters and digits (RFC 5646 2.1): "de", "pt-BR". */
static bool
is_code(struct str code)
{
	struct str tag;
	size_t i;

	if (code.n < 2 || code.n > LANGUAGE_CODE_MAX)
		return false;
	while (str_cut(&code, '-', &tag)) {
		if (tag.n < 1 || tag.n > 8)
			return false;
		for (i = 0; i < tag.n; i++)
			if (!((tag.p[i] >= 'a' && tag.p[i] <= 'z') ||
				(tag.p[i] >= 'A' && tag.p[i] <= 'Z') ||
				(tag.p[i] >= '0' && tag.p[i] <= '9')))
				return false;
	}
	return true;
}

static enum dk_err
load(
    struct words *w, struct str directory, struct str name, struct buf *message)
{
	struct str path, code = str_sub(name, 0, name.n - 4);
	char *to;
	ssize_t n;
	int fd;

	path = arena_printf(&w->arena, PATH_LEN_MAX, "%.*s/%.*s",
	    STR_FMT(directory), STR_FMT(name));
	to = arena_alloc(&w->arena, WORDS_FILE_MAX + 1);
	if (str_is_none(path) || to == NULL)
		return DK_ERR_NOMEM;
	if (!is_code(code)) {
		buf_addf(message,
		    "%.*s: must be named by a language, such as "
		    "sv.txt or pt-BR.txt",
		    STR_FMT(path));
		return DK_ERR_CONF;
	}
	fd = open(path.p, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, to, WORDS_FILE_MAX + 1);
	if (fd >= 0)
		(void)close(fd);
	if (n < 0 || n > WORDS_FILE_MAX) {
		buf_addf(message,
		    "%.*s: must be a readable file of at most "
		    "%d bytes",
		    STR_FMT(path), WORDS_FILE_MAX);
		return DK_ERR_CONF;
	}
	return words_read(
	    w, path, code, (struct str){ to, (size_t)n }, message);
}

/* The *.txt of the directory, in the order of their names. */
static enum dk_err
list(struct words *w, struct str directory, struct str names[LANGUAGES_MAX],
    size_t *n, struct buf *message)
{
	struct dirent *entry;
	DIR *d = opendir(directory.p);
	size_t at;

	*n = 0;
	if (d == NULL) {
		buf_addf(
		    message, "%.*s: %s", STR_FMT(directory), strerror(errno));
		return DK_ERR_CONF;
	}
	while (*n < LANGUAGES_MAX && (entry = readdir(d)) != NULL) {
		struct str name = str_from(entry->d_name);

		if (!str_ends(name, STR(".txt")) || name.p[0] == '.')
			continue;
		name = arena_dup(&w->arena, name);
		for (at = (*n)++; at > 0 && str_cmp(names[at - 1], name) > 0;
		     at--)
			names[at] = names[at - 1];
		names[at] = name;
	}
	(void)closedir(d);
	return DK_OK;
}

enum dk_err
words_open(struct words *w, struct str directory, struct buf *message)
{
	struct str names[LANGUAGES_MAX];
	size_t n = 0, i;
	enum dk_err err;

	*w = (struct words){ 0 };
	for (i = 0; i < built_in_languages_count; i++)
		w->item[w->n++] = &built_in_languages[i];
	if (str_is_none(directory))
		return DK_OK;
	err = arena_open(&w->arena, ARENA_SIZE);
	if (err == DK_OK)
		err = list(w, directory, names, &n, message);
	for (i = 0; err == DK_OK && i < n; i++)
		err = load(w, directory, names[i], message);
	return err;
}

void
words_close(struct words *w)
{
	if (w->arena.block != NULL)
		arena_close(&w->arena);
	w->n = 0;
}
