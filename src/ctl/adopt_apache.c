/*
 * Basic authentication in a configuration of Apache httpd 2.4: AuthType,
 * AuthUserFile, AuthGroupFile and Require in <Directory>, <Location>, a
 * <VirtualHost> or a .htaccess.
 */
#include "ctl/adopt.h"

enum section_kind {
	SECTION_AREA,	 /* has a path, or will have */
	SECTION_THROUGH, /* belongs to what is around it */
	SECTION_CLOSED	 /* a password in here is not understood */
};

struct section {
	enum section_kind kind;
	struct str tag, argument;
	unsigned line;
	bool directory; /* argument is one of the disk */
	bool asks;	/* says AuthType Basic itself */
	struct adopt_area area;
};

struct reader {
	struct adopt *a;
	struct str rest;
	unsigned line;
	struct section sections[ADOPT_DEPTH_MAX];
	size_t depth; /* of the innermost */
};

/* ---- words
 * ----------------------------------------------------------------------- */
static struct str
next_word(struct str *text)
{
	struct str word;
	size_t n = 0;
	char quote;

	*text = str_trim(*text);
	if (text->n == 0)
		return STR_NONE;
	quote = text->p[0];
	if (quote == '"' || quote == '\'') {
		*text = str_sub(*text, 1, text->n);
		while (n < text->n && text->p[n] != quote)
			n++;
	} else {
		quote = '\0';
		while (n < text->n && text->p[n] != ' ' && text->p[n] != '\t')
			n++;
	}
	word = str_sub(*text, 0, n);
	*text = str_sub(*text, n + (quote != '\0' ? 1 : 0), text->n);
	return word;
}

/* The next line that says something, with those that continue it. */
static enum dk_err
next_statement(struct reader *r, struct adopt_statement *s)
{
	struct str line, word;

	s->token = ADOPT_END;
	s->n = 0;
	s->cut = false;
	while (s->token == ADOPT_END && str_cut(&r->rest, '\n', &line)) {
		s->line = ++r->line;
		if (str_ends(line, STR("\r")))
			line.n--;
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		while (str_ends(line, STR("\\")) && !str_is_none(r->rest)) {
			if (str_ieq(str_sub(line, 0, 4), STR("Auth")) ||
			    str_ieq(str_sub(line, 0, 7), STR("Require")))
				return adopt_fail(r->a, s->line,
				    "write this in one line, without \\");
			(void)str_cut(&r->rest, '\n', &line);
			r->line++;
		}
		s->token = ADOPT_STATEMENT;
		if (str_starts(line, STR("<"))) {
			s->token = str_starts(line, STR("</")) ? ADOPT_CLOSE
							       : ADOPT_OPEN;
			line = str_sub(
			    line, s->token == ADOPT_OPEN ? 1 : 2, line.n);
			if (str_ends(line, STR(">")))
				line.n--;
		}
		while (!str_is_none(word = next_word(&line))) {
			if (s->n < ADOPT_WORDS_MAX)
				s->word[s->n++] = word;
			else
				s->cut = true;
		}
		s->last_line = r->line;
	}
	return DK_OK;
}

static bool
is(const struct adopt_statement *s, size_t n, const char *word)
{
	return str_ieq(adopt_word(s, n), str_from(word));
}

/* ---- places
 * ---------------------------------------------------------------------- */
/* What of the path is below the folder; STR_NONE: it is elsewhere. */
static struct str
below(struct str path, struct str folder)
{
	while (folder.n > 0 && folder.p[folder.n - 1] == '/')
		folder.n--;
	if (str_is_none(folder) || !str_starts(path, folder) ||
	    (path.n > folder.n && path.p[folder.n] != '/'))
		return STR_NONE;
	return path.n == folder.n ? STR("/") : str_sub(path, folder.n, path.n);
}

/* The URL path of a directory. */
static enum dk_err
find_path(
    struct reader *r, struct str directory, unsigned line, struct str *path)
{
	struct adopt *a = r->a;
	size_t i;

	for (i = 0; i < a->n_aliases; i++) {
		*path = below(directory, a->aliases[i].directory);
		if (str_is_none(*path))
			continue;
		if (!str_eq(*path, STR("/")))
			return adopt_fail(a, line,
			    "%.*s is a part of an Alias; write it as "
			    "<Location>",
			    STR_FMT(directory));
		*path = a->aliases[i].path;
		return DK_OK;
	}
	*path = below(directory, a->document_root);
	if (str_is_none(*path))
		return adopt_fail(a, line,
		    "%.*s: which URL is that? The site's directory is named "
		    "with --document-root",
		    STR_FMT(directory));
	return DK_OK;
}

static bool
says_something(const struct adopt_area *area)
{
	return area->line > 0;
}

/* Is anything but what the disk's own rules for all say? */
static enum dk_err
end_area(struct reader *r, struct section *section)
{
	struct adopt_area *area = &section->area;
	bool password = area->any || area->n_names > 0;
	enum dk_err err = DK_OK;

	if (!says_something(area))
		return DK_OK;
	if (section->asks && !password && area->odd > 0)
		return adopt_fail(r->a, area->odd,
		    "this condition beside AuthType is not understood; write "
		    "the rule by hand");
	if (section->directory) {
		err = find_path(r, section->argument, area->line, &area->path);
		/* Elsewhere on the disk, and open or closed to everybody. */
		if (err != DK_OK && !password)
			return DK_OK;
	} else {
		area->path = section->argument;
	}
	return err == DK_OK ? adopt_add_area(r->a, area) : err;
}

static enum section_kind
kind_of(const struct adopt_statement *s)
{
	static const char *const through[] = { "IfModule", "IfDefine",
		"IfVersion", "RequireAny" };
	size_t i;

	for (i = 0; i < sizeof(through) / sizeof(through[0]); i++)
		if (is(s, 0, through[i]))
			return SECTION_THROUGH;
	if ((is(s, 0, "Directory") || is(s, 0, "Location")) && s->n == 2)
		return SECTION_AREA;
	return is(s, 0, "VirtualHost") ? SECTION_AREA : SECTION_CLOSED;
}

static enum dk_err
open_section(struct reader *r, const struct adopt_statement *s)
{
	struct section *section;

	if (r->depth + 1 >= ADOPT_DEPTH_MAX)
		return adopt_fail(
		    r->a, s->line, "sections are nested too deeply");
	section = &r->sections[++r->depth];
	*section = (struct section){ .kind = kind_of(s),
		.tag = adopt_word(s, 0),
		.argument = adopt_word(s, 1),
		.line = s->line,
		.directory = is(s, 0, "Directory") };
	if (is(s, 0, "VirtualHost"))
		section->argument = STR("/");
	section->area.overrides = is(s, 0, "Location");
	if (str_contains(section->argument, '*') ||
	    str_contains(section->argument, '?') ||
	    str_contains(section->argument, '['))
		section->kind = SECTION_CLOSED;
	if (is(s, 0, "RequireAny"))
		return adopt_mark(r->a, s, false);
	return DK_OK;
}

static enum dk_err
close_section(struct reader *r, const struct adopt_statement *s)
{
	struct section *section = &r->sections[r->depth];

	if (r->depth == 0 || !str_ieq(section->tag, adopt_word(s, 0)))
		return adopt_fail(r->a, s->line, "</%.*s> closes nothing",
		    STR_FMT(adopt_word(s, 0)));
	r->depth--;
	if (str_ieq(section->tag, STR("RequireAny")))
		return adopt_mark(r->a, s, false);
	return section->kind == SECTION_AREA ? end_area(r, section) : DK_OK;
}

/* ---- directives
 * ------------------------------------------------------------------ */
/* The section that a directive belongs to. */
static enum dk_err
find_section(
    struct reader *r, const struct adopt_statement *s, struct section **section)
{
	size_t i = r->depth;

	while (i > 0 && r->sections[i].kind == SECTION_THROUGH)
		i--;
	*section = &r->sections[i];
	if ((*section)->kind == SECTION_CLOSED)
		return adopt_fail(r->a, s->line,
		    "a password within <%.*s> is not understood; write the "
		    "rule by hand",
		    STR_FMT((*section)->tag));
	return DK_OK;
}

static enum dk_err
require_names(
    struct reader *r, struct adopt_area *area, const struct adopt_statement *s)
{
	enum dk_err err = DK_OK;
	size_t i;

	if (s->cut || s->n < 3)
		return adopt_fail(r->a, s->line, "Require with %s; use a group",
		    s->cut ? "too many names" : "no names");
	for (i = 2; i < s->n && err == DK_OK; i++)
		err = adopt_add_name(
		    r->a, area, s->word[i], is(s, 1, "group"), s->line);
	return err;
}

static bool
is_of_everybody(const struct adopt_statement *s)
{
	return is(s, 1, "all") && s->n == 3 &&
	    (is(s, 2, "granted") || is(s, 2, "denied"));
}

static enum dk_err
take_require(struct reader *r, const struct adopt_statement *s)
{
	bool user = is(s, 1, "user"), group = is(s, 1, "group"),
	     valid = is(s, 1, "valid-user") && s->n == 2;
	struct section *section;
	enum dk_err err = find_section(r, s, &section);

	if (err != DK_OK)
		/* <FilesMatch>, <Proxy> and the like: only passwords matter.
		 */
		return user || group || is(s, 1, "valid-user") ? err : DK_OK;
	section->area.line = s->line;
	if (is_of_everybody(s)) {
		section->area.open |= is(s, 2, "granted");
		return DK_OK;
	}
	if (!user && !group && !valid) {
		section->area.odd = s->line;
		return DK_OK;
	}
	section->area.any |= valid;
	if (!valid)
		err = require_names(r, &section->area, s);
	return err == DK_OK ? adopt_mark(r->a, s, false) : err;
}

static enum dk_err
take_auth(struct reader *r, const struct adopt_statement *s)
{
	struct adopt *a = r->a;
	enum dk_err err = DK_OK;

	r->sections[r->depth].asks |= is(s, 0, "AuthType");
	if (is(s, 0, "AuthUserFile"))
		err = adopt_set_file(
		    a, &a->users_file, &a->users_line, s, adopt_word(s, 1));
	else if (is(s, 0, "AuthGroupFile"))
		err = adopt_set_file(
		    a, &a->groups_file, &a->groups_line, s, adopt_word(s, 1));
	else if (is(s, 0, "AuthType") && !is(s, 1, "Basic") &&
	    !is(s, 1, "None"))
		err = adopt_fail(a, s->line,
		    "AuthType %.*s: only the passwords of Basic can be taken "
		    "over",
		    STR_FMT(adopt_word(s, 1)));
	else if (is(s, 0, "AuthBasicProvider") &&
	    !(is(s, 1, "file") && s->n == 2))
		err = adopt_fail(a, s->line,
		    "only passwords in a file (AuthBasicProvider file) can be "
		    "taken over");
	else if (!is(s, 0, "AuthType") && !is(s, 0, "AuthBasicProvider") &&
	    !is(s, 0, "AuthName") && !is(s, 0, "AuthBasicAuthoritative"))
		err = adopt_fail(a, s->line, "%.*s is not understood",
		    STR_FMT(adopt_word(s, 0)));
	return err == DK_OK ? adopt_mark(a, s, false) : err;
}

static enum dk_err
take_statement(struct reader *r, const struct adopt_statement *s)
{
	struct adopt *a = r->a;

	if (is(s, 0, "Require"))
		return take_require(r, s);
	if (str_ieq(str_sub(adopt_word(s, 0), 0, 4), STR("Auth")))
		return take_auth(r, s);
	if (is(s, 0, "Satisfy") && !is(s, 1, "All"))
		return adopt_fail(a, s->line,
		    "Satisfy %.*s: who comes without a password? Write the "
		    "rule by hand (net= in [access])",
		    STR_FMT(adopt_word(s, 1)));
	if (is(s, 0, "DocumentRoot") && str_is_none(a->document_root))
		a->document_root = adopt_word(s, 1);
	if ((is(s, 0, "Alias") || is(s, 0, "ScriptAlias")) && s->n == 3) {
		if (a->n_aliases == ADOPT_ALIASES_MAX)
			return adopt_fail(a, s->line, "too many aliases");
		a->aliases[a->n_aliases++] =
		    (struct adopt_alias){ s->word[1], s->word[2] };
	}
	return DK_OK;
}

enum dk_err
adopt_apache(struct adopt *a, struct str text, struct str htaccess)
{
	struct reader r = { .a = a, .rest = text };
	struct adopt_statement s;
	enum dk_err err;

	r.sections[0].kind = SECTION_AREA;
	r.sections[0].argument = str_is_none(htaccess) ? STR("/") : htaccess;
	r.sections[0].directory = !str_is_none(htaccess);
	do {
		err = next_statement(&r, &s);
		if (err == DK_OK && s.token == ADOPT_OPEN)
			err = open_section(&r, &s);
		else if (err == DK_OK && s.token == ADOPT_CLOSE)
			err = close_section(&r, &s);
		else if (err == DK_OK && s.token == ADOPT_STATEMENT)
			err = take_statement(&r, &s);
	} while (err == DK_OK && s.token != ADOPT_END);
	if (err == DK_OK && r.depth > 0)
		err = adopt_fail(a, r.sections[r.depth].line,
		    "<%.*s> is not closed", STR_FMT(r.sections[r.depth].tag));
	return err == DK_OK ? end_area(&r, &r.sections[0]) : err;
}
