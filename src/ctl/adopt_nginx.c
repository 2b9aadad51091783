/*
 * Basic authentication in a configuration of nginx: auth_basic and
 * auth_basic_user_file in http, server and location.
 */
#include "ctl/adopt.h"

struct block {
	struct str name, path;
	unsigned line;
	/* A location by regular expression, or none at all (limit_except). */
	bool closed;
	bool exact; /* this page only */
	struct adopt_area area;
};

struct reader {
	struct adopt *a;
	struct str rest;
	unsigned line;
	struct block blocks[ADOPT_DEPTH_MAX];
	size_t depth;
};

static char
first(const struct reader *r)
{
	return r->rest.n > 0 ? r->rest.p[0] : '\0';
}

static char
step(struct reader *r)
{
	char c = first(r);

	r->rest = str_sub(r->rest, 1, r->rest.n);
	r->line += c == '\n';
	return c;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(struct reader *r)
{
	while (is_space(first(r)) || first(r) == '#') {
		if (first(r) == '#')
			while (r->rest.n > 0 && first(r) != '\n')
				(void)step(r);
		else
			(void)step(r);
	}
}

/* A word, with or without quotes; a backslash takes the next byte along. */
static struct str
next_word(struct reader *r)
{
	struct str start = r->rest;
	char quote = first(r), c;
	size_t n;

	if (quote != '"' && quote != '\'')
		quote = '\0';
	else
		(void)step(r);
	while (r->rest.n > 0) {
		c = first(r);
		if (quote != '\0'
			? c == quote
			: is_space(c) || c == ';' || c == '{' || c == '}')
			break;
		(void)step(r);
		if (c == '\\' && r->rest.n > 0)
			(void)step(r);
		/* ${name}: the braces are no block. */
		if (c == '$' && first(r) == '{')
			while (r->rest.n > 0 && step(r) != '}')
				;
	}
	n = start.n - r->rest.n;
	if (quote == '\0')
		return str_sub(start, 0, n);
	(void)step(r);
	return str_sub(start, 1, n - 1);
}

static enum dk_err
next_statement(struct reader *r, struct adopt_statement *s)
{
	struct str word;
	char c;

	s->n = 0;
	s->cut = false;
	skip_space(r);
	s->line = s->last_line = r->line;
	s->token = r->rest.n == 0 ? ADOPT_END
	    : first(r) == '}'	  ? ADOPT_CLOSE
				  : ADOPT_STATEMENT;
	if (s->token != ADOPT_STATEMENT) {
		(void)step(r);
		return DK_OK;
	}
	for (;;) {
		skip_space(r);
		c = first(r);
		s->last_line = r->line;
		if (c == ';' || c == '{') {
			(void)step(r);
			s->token = c == '{' ? ADOPT_OPEN : ADOPT_STATEMENT;
			return DK_OK;
		}
		if (c == '}' || r->rest.n == 0)
			return adopt_fail(
			    r->a, s->line, "no ; at the end of this");
		word = next_word(r);
		if (s->n < ADOPT_WORDS_MAX)
			s->word[s->n++] = word;
		else
			s->cut = true;
	}
}

static bool
is(const struct adopt_statement *s, size_t n, const char *word)
{
	return str_eq(adopt_word(s, n), str_from(word));
}

static enum dk_err
open_block(struct reader *r, const struct adopt_statement *s)
{
	const struct block *outer = &r->blocks[r->depth];
	bool prefix =
	    s->n == 2 || (s->n == 3 && (is(s, 1, "=") || is(s, 1, "^~")));
	struct block *block;

	if (r->depth + 1 >= ADOPT_DEPTH_MAX)
		return adopt_fail(
		    r->a, s->line, "blocks are nested too deeply");
	block = &r->blocks[++r->depth];
	*block = (struct block){
		.name = adopt_word(s, 0), .path = outer->path, .line = s->line
	};
	if (is(s, 0, "location")) {
		block->path = adopt_word(s, s->n - 1);
		block->exact = is(s, 1, "=");
		block->closed = !prefix || !str_starts(block->path, STR("/"));
	} else if (!is(s, 0, "server") && !is(s, 0, "http")) {
		block->closed = true;
	}
	return DK_OK;
}

static enum dk_err
take_statement(struct reader *r, const struct adopt_statement *s)
{
	struct block *block = &r->blocks[r->depth];
	struct adopt *a = r->a;

	if (is(s, 0, "satisfy") && !is(s, 1, "all"))
		return adopt_fail(a, s->line,
		    "satisfy %.*s: who comes without a password? Write the "
		    "rule by hand (net= in [access])",
		    STR_FMT(adopt_word(s, 1)));
	if (is(s, 0, "auth_basic_user_file")) {
		enum dk_err err = adopt_set_file(
		    a, &a->users_file, &a->users_line, s, adopt_word(s, 1));

		return err == DK_OK ? adopt_mark(a, s, false) : err;
	}
	if (!is(s, 0, "auth_basic"))
		return DK_OK;
	if (block->closed)
		return adopt_fail(a, s->line,
		    "a password within %.*s %.*s is not understood; write "
		    "the rule by hand",
		    STR_FMT(block->name), STR_FMT(block->path));
	if (s->n != 2 || str_contains(s->word[1], '$'))
		return adopt_fail(
		    a, s->line, "auth_basic with a variable is not understood");
	/* A rule of ours holds for what is below as well. */
	if (block->exact && is(s, 1, "off"))
		return adopt_fail(a, s->line,
		    "one open page (location =) is not understood; open a "
		    "directory, or write the rule by hand");
	block->area.line = s->line;
	block->area.open = is(s, 1, "off");
	block->area.any = !block->area.open;
	return adopt_mark(a, s, block->area.any);
}

static enum dk_err
end_block(struct reader *r)
{
	struct block *block = &r->blocks[r->depth];

	block->area.path = block->path;
	return block->area.line > 0 ? adopt_add_area(r->a, &block->area)
				    : DK_OK;
}

enum dk_err
adopt_nginx(struct adopt *a, struct str text)
{
	struct reader r = { .a = a, .rest = text, .line = 1 };
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
			err = r.depth == 0
			    ? adopt_fail(a, s.line, "} closes nothing")
			    : end_block(&r);
			r.depth--;
		}
	} while (err == DK_OK && s.token != ADOPT_END);
	if (err == DK_OK && r.depth > 0)
		err = adopt_fail(a, r.blocks[r.depth].line, "{ is not closed");
	return err == DK_OK ? end_block(&r) : err;
}
