#ifndef DK_WEB_TEMPLATE_H
#define DK_WEB_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "words/words.h"

/*
 * HTML templates (html/, embedded; a file of the same name in the template
 * directory replaces one).  A mustache subset:
 *
 *	{{name}}		the value, always escaped
 *	{{#name}} … {{/name}}	the part once when the flag is true or the
 *				value not empty; once per row for a list
 *	{{^name}} … {{/name}}	the part when it is false, empty, no row
 *	{{>file.html}}		another template, one level of nesting deep
 *	{{t:key}}		the message of that key (messages/en.txt), its
 *				{placeholders} filled with the page's values
 *
 * {{name}} is allowed in text and in double-quoted attributes only; checked
 * at start, with file and line, together with unknown names and a form
 * without its csrf_token.
 */
enum {
	TEMPLATE_FILE_MAX = 64 * 1024,
	TEMPLATES_MAX = 24,
	TEMPLATE_DEPTH_MAX = 4,
	TEMPLATE_VALUES_MAX = 48
};

/* A value that a page hands to its template. */
struct template_value {
	const char *name;
	enum { TEMPLATE_TEXT, TEMPLATE_FLAG, TEMPLATE_LIST } kind;
	struct str text;
	bool flag;
	/* A list: rows of the same names, n_values each, row after row. */
	const struct template_value *rows;
	size_t n_rows, n_values;
};
#define T_TEXT(n, s) ((struct template_value){ .name = (n), \
    .kind = TEMPLATE_TEXT, .text = (s) })
#define T_FLAG(n, b) ((struct template_value){ .name = (n), \
    .kind = TEMPLATE_FLAG, .flag = (b) })
#define T_LIST(n, r, nr, nv) ((struct template_value){ .name = (n), \
    .kind = TEMPLATE_LIST, .rows = (r), .n_rows = (nr), .n_values = (nv) })

struct template {
	const char *name; /* "login.html" */
	struct str text;
	struct str file; /* where it came from; "(built in)" */
};

struct templates {
	struct template item[TEMPLATES_MAX];
	size_t n;
	struct arena arena; /* holds the overrides; owned */
};

/*
 * Load the built-in templates and those of directory (STR_NONE: none) that
 * replace them, and check them all.
 */
enum dk_err templates_open(struct templates *t, struct str directory,
    struct buf *message) DK_CHECK;
void templates_close(struct templates *t);

/*
 * Append the template to out, its names looked up in values[0..n), from the
 * back, so that later ones win; its messages in the language.
 * DK_ERR_INTERNAL for an unknown name.
 */
enum dk_err template_render(const struct templates *t, const char *name,
    const struct language *language, const struct template_value *values,
    size_t n, struct buf *out) DK_CHECK;

/* Check one template's text alone; fuzzed. */
enum dk_err template_check(struct str file, const char *name, struct str text,
    struct buf *message) DK_CHECK;

#endif
