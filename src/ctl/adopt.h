#ifndef DK_CTL_ADOPT_H
#define DK_CTL_ADOPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Within src/ctl: what a web server's configuration says about Basic
 * authentication, for `doorkeep init --adopt`.  What is not understood is an
 * error with its line, never a guess: a page that was closed must not come
 * out open.  All texts are views of the file, or of the directory given.
 */
enum {
	ADOPT_AREAS_MAX = 64,
	ADOPT_NAMES_MAX = 16, /* as many as a rule takes */
	ADOPT_SPANS_MAX = 256,
	ADOPT_ALIASES_MAX = 16,
	ADOPT_DEPTH_MAX = 16,
	ADOPT_WORDS_MAX = 64
};

enum adopt_server { ADOPT_APACHE, ADOPT_NGINX, ADOPT_LIGHTTPD };

/* A part of the site and who may see it; zero: nobody. */
struct adopt_area {
	unsigned line;
	struct str path; /* of URLs; "/" for all */
	bool open, any;
	struct str names[ADOPT_NAMES_MAX];
	bool is_group[ADOPT_NAMES_MAX];
	size_t n_names;
	/* Line of a condition that has no counterpart; 0: none. */
	unsigned odd;
	/* A <Location>: takes the place of what Apache reads before it. */
	bool overrides;
};

/* Lines that doorkeep takes the place of, first and last. */
struct adopt_span {
	unsigned from, to;
	bool guards; /* asks for a password here (nginx) */
};

struct adopt_alias {
	struct str path, directory;
};

struct adopt {
	enum adopt_server server;
	struct adopt_area areas[ADOPT_AREAS_MAX]; /* longest path first */
	size_t n_areas;
	struct adopt_span spans[ADOPT_SPANS_MAX];
	size_t n_spans;
	struct str users_file, groups_file; /* full paths; STR_NONE: none */
	unsigned users_line, groups_line;

	/* While it is read. */
	struct str file; /* for messages */
	struct str document_root;
	struct adopt_alias aliases[ADOPT_ALIASES_MAX];
	size_t n_aliases;
	struct buf *message;
};

/*
 * Read the text of file.  document_root: what the file itself does not say,
 * or STR_NONE.  htaccess: the directory that a .htaccess lies in, STR_NONE
 * for a file of the server.  DK_ERR_CONF: message is "FILE:LINE: why".
 */
enum dk_err adopt_read(struct adopt *a, struct str file, struct str text,
    struct str document_root, struct str htaccess,
    struct buf *message) DK_CHECK;
/* "user:a, group:b", "any", "public" or "deny". */
void adopt_add_requirement(const struct adopt_area *area, struct buf *out);
/* "apache", as init --server calls it. */
const char *adopt_server_name(enum adopt_server server);

/* ---- for the readers of the three languages ---- */
enum adopt_token { ADOPT_END, ADOPT_STATEMENT, ADOPT_OPEN, ADOPT_CLOSE };
struct adopt_statement {
	enum adopt_token token;
	struct str word[ADOPT_WORDS_MAX];
	size_t n;
	bool cut; /* there were more words than fit */
	unsigned line, last_line;
};

enum dk_err adopt_apache(
    struct adopt *a, struct str text, struct str htaccess) DK_CHECK;
enum dk_err adopt_nginx(struct adopt *a, struct str text) DK_CHECK;
enum dk_err adopt_lighttpd(struct adopt *a, struct str text) DK_CHECK;

/* Always DK_ERR_CONF. */
enum dk_err adopt_fail(struct adopt *a, unsigned line, const char *fmt, ...)
    DK_PRINTF(3, 4) DK_CHECK;
/* The n-th word, or "" when there are fewer. */
struct str adopt_word(const struct adopt_statement *s, size_t n);
/* Is the n-th word this one, byte for byte? */
bool adopt_is(const struct adopt_statement *s, size_t n, const char *word);

/* What is left of a file that is read byte by byte, and the line it is in. */
struct adopt_text {
	struct str rest;
	unsigned line;
};

char adopt_first(const struct adopt_text *t); /* NUL at the end */
char adopt_step(struct adopt_text *t);	      /* go over it */
/* Go over blanks and comments; lines: and over ends of lines. */
void adopt_skip(struct adopt_text *t, bool lines);
enum dk_err adopt_add_area(
    struct adopt *a, const struct adopt_area *area) DK_CHECK;
enum dk_err adopt_add_name(struct adopt *a, struct adopt_area *area,
    struct str name, bool group, unsigned line) DK_CHECK;
enum dk_err adopt_mark(
    struct adopt *a, const struct adopt_statement *s, bool guards) DK_CHECK;
/* The one file with the passwords (or groups): the same in every place. */
enum dk_err adopt_set_file(struct adopt *a, struct str *file, unsigned *line,
    const struct adopt_statement *s, struct str path) DK_CHECK;

#endif
