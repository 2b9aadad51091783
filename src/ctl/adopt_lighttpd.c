/*
 * Basic authentication in a configuration of lighttpd: auth.backend with a
 * file of htpasswd, and auth.require, also within $HTTP["url"].
 */
#include "ctl/adopt.h"

struct block {
	unsigned line;
	struct str path; /* STR_NONE: no path of ours */
};

struct reader {
	struct adopt *a;
	struct adopt_text in;
	struct block blocks[ADOPT_DEPTH_MAX];
	size_t depth;
};

/* The words of one statement, in order. */
struct words {
	const struct adopt_statement *s;
	size_t at;
};

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || str_contains(STR("._-$"), c);
}

/* A name, a string without its quotes, or a sign such as => or ( . */
static struct str
next_word(struct reader *r)
{
	struct str start = r->in.rest;
	size_t n = 0;
	char c = adopt_step(&r->in);

	if (c == '"') {
		while (r->in.rest.n > 0 && adopt_first(&r->in) != '"') {
			if (adopt_step(&r->in) == '\\' && r->in.rest.n > 0)
				(void)adopt_step(&r->in);
		}
		n = start.n - r->in.rest.n;
		(void)adopt_step(&r->in);
		return str_sub(start, 1, n - 1);
	}
	if (is_name(c))
		while (is_name(adopt_first(&r->in)))
			(void)adopt_step(&r->in);
	else if (str_contains(STR("=+!"), c))
		while (r->in.rest.n > 0 &&
		    str_contains(STR("=~>^$"), adopt_first(&r->in)))
			(void)adopt_step(&r->in);
	return str_sub(start, 0, start.n - r->in.rest.n);
}

static enum dk_err
next_statement(struct reader *r, struct adopt_statement *s)
{
	unsigned inside = 0; /* parentheses */
	struct str word;
	char c;

	s->n = 0;
	s->cut = false;
	adopt_skip(&r->in, true);
	s->line = s->last_line = r->in.line;
	s->token = r->in.rest.n == 0	 ? ADOPT_END
	    : adopt_first(&r->in) == '}' ? ADOPT_CLOSE
					 : ADOPT_STATEMENT;
	if (s->token != ADOPT_STATEMENT) {
		(void)adopt_step(&r->in);
		return DK_OK;
	}
	for (;;) {
		adopt_skip(&r->in, inside > 0);
		c = adopt_first(&r->in);
		s->last_line = r->in.line;
		if (r->in.rest.n == 0 && inside > 0)
			return adopt_fail(r->a, s->line, "( is not closed");
		if (r->in.rest.n == 0 || c == '\n' || (c == '}' && inside == 0))
			return DK_OK;
		if (c == '{' && inside == 0) {
			(void)adopt_step(&r->in);
			s->token = ADOPT_OPEN;
			return DK_OK;
		}
		inside += c == '(';
		inside -= c == ')' && inside > 0;
		word = next_word(r);
		if (s->n < ADOPT_WORDS_MAX)
			s->word[s->n++] = word;
		else
			s->cut = true;
	}
}

static bool
take(struct words *w, const char *word)
{
	bool taken = adopt_is(w->s, w->at, word);

	w->at += taken;
	return taken;
}

/* $HTTP["url"] =~ "^/path": the path; others leave none, or, for a host or
 * a port, the one around it. */
static struct str
path_of(const struct adopt_statement *s, struct str outer)
{
	struct str pattern = adopt_word(s, 5);
	bool url = adopt_is(s, 0, "$HTTP") && adopt_is(s, 2, "url"), begins;
	size_t i;

	if ((adopt_is(s, 0, "$HTTP") &&
		(adopt_is(s, 2, "host") || adopt_is(s, 2, "scheme"))) ||
	    adopt_is(s, 0, "$SERVER"))
		return outer;
	begins = adopt_is(s, 4, "=^");
	if (adopt_is(s, 4, "=~") && str_starts(pattern, STR("^"))) {
		pattern = str_sub(pattern, 1, pattern.n);
		begins = true;
		for (i = 0; i < pattern.n; i++)
			if (str_contains(STR("\\[](){}*+?|$^."), pattern.p[i]))
				begins = false;
	}
	if (!url || !begins || s->n != 6 || !str_starts(pattern, STR("/")))
		return STR_NONE;
	return pattern;
}

/* "user=a|user=b|group=c|valid-user" */
static enum dk_err
take_who(struct adopt *a, struct adopt_area *area, struct str who)
{
	enum dk_err err = DK_OK;
	struct str one;

	while (err == DK_OK && str_cut(&who, '|', &one)) {
		one = str_trim(one);
		if (str_eq(one, STR("valid-user")))
			area->any = true;
		else if (str_starts(one, STR("user=")))
			err = adopt_add_name(
			    a, area, str_sub(one, 5, one.n), false, area->line);
		else if (str_starts(one, STR("group=")))
			err = adopt_add_name(
			    a, area, str_sub(one, 6, one.n), true, area->line);
		else
			err = adopt_fail(a, area->line,
			    "\"%.*s\" in auth.require is not understood",
			    STR_FMT(one));
	}
	return err;
}

/* "method" => "basic", "realm" => "x", "require" => "valid-user" ) */
static enum dk_err
take_fields(struct adopt *a, struct adopt_area *area, struct words *w)
{
	enum dk_err err = DK_OK;

	while (err == DK_OK && !take(w, ")")) {
		struct str key = adopt_word(w->s, w->at),
			   value = adopt_word(w->s, w->at + 2);

		if (!adopt_is(w->s, w->at + 1, "=>") || w->at + 2 >= w->s->n)
			return adopt_fail(a, area->line,
			    "auth.require is not understood here");
		w->at += 3;
		if (str_eq(key, STR("require")))
			err = take_who(a, area, value);
		else if (str_eq(key, STR("method")) &&
		    !str_eq(value, STR("basic")))
			err = adopt_fail(a, area->line,
			    "method %.*s: only the passwords of basic can be "
			    "taken over",
			    STR_FMT(value));
		(void)take(w, ",");
	}
	return err;
}

/* ( "/path" => ( ... ), "/other" => ( ... ) ) */
static enum dk_err
take_require(struct reader *r, const struct adopt_statement *s)
{
	struct words w = { s, 2 };
	struct str around = r->blocks[r->depth].path;
	enum dk_err err = DK_OK;

	if (s->cut || !take(&w, "("))
		return adopt_fail(r->a, s->line,
		    "auth.require is too long or no list; write it in more "
		    "than one, with +=");
	while (err == DK_OK && !take(&w, ")")) {
		struct adopt_area area = { .line = s->line,
			.path = adopt_word(s, w.at) };

		if (area.path.n == 0 || str_eq(area.path, STR("/")))
			area.path = around;
		else if (str_is_none(around) || !str_starts(area.path, around))
			area.path = STR_NONE;
		if (str_is_none(area.path))
			return adopt_fail(r->a, s->line,
			    "auth.require under this condition is not "
			    "understood; write the rule by hand");
		w.at++;
		if (!take(&w, "=>") || !take(&w, "("))
			return adopt_fail(r->a, s->line,
			    "auth.require is not understood here");
		err = take_fields(r->a, &area, &w);
		(void)take(&w, ",");
		if (err == DK_OK)
			err = adopt_add_area(r->a, &area);
	}
	if (err == DK_OK && w.at != s->n)
		err = adopt_fail(r->a, s->line,
		    "what stands behind the list of auth.require is not "
		    "understood");
	return err == DK_OK ? adopt_mark(r->a, s, false) : err;
}

static enum dk_err
take_statement(struct reader *r, const struct adopt_statement *s)
{
	struct adopt *a = r->a;
	enum dk_err err = DK_OK;

	if (!str_starts(adopt_word(s, 0), STR("auth.")))
		return DK_OK;
	if (adopt_is(s, 0, "auth.require"))
		return take_require(r, s);
	if (adopt_is(s, 0, "auth.backend") &&
	    !(adopt_is(s, 2, "htpasswd") && s->n == 3))
		return adopt_fail(a, s->line,
		    "only passwords in a file of htpasswd can be taken over");
	if (adopt_is(s, 0, "auth.backend.htpasswd.userfile"))
		err = adopt_set_file(a, &a->users_file, &a->users_line, s,
		    s->n == 3 ? s->word[2] : STR(""));
	else if (!adopt_is(s, 0, "auth.backend") &&
	    !adopt_is(s, 0, "auth.cache"))
		return adopt_fail(a, s->line, "%.*s is not understood",
		    STR_FMT(adopt_word(s, 0)));
	return err == DK_OK ? adopt_mark(a, s, false) : err;
}

static enum dk_err
open_block(struct reader *r, const struct adopt_statement *s)
{
	struct str outer = r->blocks[r->depth].path;

	if (r->depth + 1 >= ADOPT_DEPTH_MAX)
		return adopt_fail(
		    r->a, s->line, "blocks are nested too deeply");
	r->blocks[++r->depth] = (struct block){ s->line, path_of(s, outer) };
	return DK_OK;
}

enum dk_err
adopt_lighttpd(struct adopt *a, struct str text)
{
	struct reader r = { .a = a, .in = { text, 1 } };
	struct adopt_statement s;
	enum dk_err err;

	r.blocks[0].path = STR("/");
	do {
		err = next_statement(&r, &s);
		if (err == DK_OK && s.token == ADOPT_OPEN)
			err = open_block(&r, &s);
		else if (err == DK_OK && s.token == ADOPT_STATEMENT)
			err = take_statement(&r, &s);
		else if (err == DK_OK && s.token == ADOPT_CLOSE) {
			if (r.depth == 0)
				err = adopt_fail(a, s.line, "} closes nothing");
			else
				r.depth--;
		}
	} while (err == DK_OK && s.token != ADOPT_END);
	if (err == DK_OK && r.depth > 0)
		err = adopt_fail(a, r.blocks[r.depth].line, "{ is not closed");
	return err;
}
