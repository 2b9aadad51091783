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
	struct adopt_text in;
	struct block blocks[ADOPT_DEPTH_MAX];
	size_t depth;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A word, with or without quotes; a backslash takes the next byte along. */
static struct str
next_word(struct reader *r)
{
	struct str start = r->in.rest;
	char quote = adopt_first(&r->in), c;
	size_t n;

	if (quote != '"' && quote != '\'')
		quote = '\0';
	else
		(void)adopt_step(&r->in);
	while (r->in.rest.n > 0) {
		c = adopt_first(&r->in);
		if (quote != '\0'
			? c == quote
			: is_space(c) || c == ';' || c == '{' || c == '}')
			break;
		(void)adopt_step(&r->in);
		if (c == '\\' && r->in.rest.n > 0)
			(void)adopt_step(&r->in);
		/* ${name}: the braces are no block. */
		if (c == '$' && adopt_first(&r->in) == '{')
			while (r->in.rest.n > 0 && adopt_step(&r->in) != '}')
				;
	}
	n = start.n - r->in.rest.n;
	if (quote == '\0')
		return str_sub(start, 0, n);
	(void)adopt_step(&r->in);
	return str_sub(start, 1, n - 1);
}

static enum dk_err
next_statement(struct reader *r, struct adopt_statement *s)
{
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
		adopt_skip(&r->in, true);
		c = adopt_first(&r->in);
		s->last_line = r->in.line;
		if (c == ';' || c == '{') {
			(void)adopt_step(&r->in);
			s->token = c == '{' ? ADOPT_OPEN : ADOPT_STATEMENT;
			return DK_OK;
		}
		if (c == '}' || r->in.rest.n == 0)
			return adopt_fail(
			    r->a, s->line, "no ; at the end of this");
		word = next_word(r);
		if (s->n < ADOPT_WORDS_MAX)
			s->word[s->n++] = word;
		else
			s->cut = true;
	}
}

static enum dk_err
open_block(struct reader *r, const struct adopt_statement *s)
{
	const struct block *outer = &r->blocks[r->depth];
	bool prefix = s->n == 2 ||
	    (s->n == 3 && (adopt_is(s, 1, "=") || adopt_is(s, 1, "^~")));
	struct block *block;

	if (r->depth + 1 >= ADOPT_DEPTH_MAX)
		return adopt_fail(
		    r->a, s->line, "blocks are nested too deeply");
	block = &r->blocks[++r->depth];
	*block = (struct block){
		.name = adopt_word(s, 0), .path = outer->path, .line = s->line
	};
	if (adopt_is(s, 0, "location")) {
		block->path = adopt_word(s, s->n - 1);
		block->exact = adopt_is(s, 1, "=");
		block->closed = !prefix || !str_starts(block->path, STR("/"));
	} else if (!adopt_is(s, 0, "server") && !adopt_is(s, 0, "http")) {
		block->closed = true;
	}
	return DK_OK;
}

static enum dk_err
take_statement(struct reader *r, const struct adopt_statement *s)
{
	struct block *block = &r->blocks[r->depth];
	struct adopt *a = r->a;

	if (adopt_is(s, 0, "satisfy") && !adopt_is(s, 1, "all"))
		return adopt_fail(a, s->line,
		    "satisfy %.*s: who comes without a password? Write the "
		    "rule by hand (net= in [access])",
		    STR_FMT(adopt_word(s, 1)));
	if (adopt_is(s, 0, "auth_basic_user_file")) {
		enum dk_err err = adopt_set_file(
		    a, &a->users_file, &a->users_line, s, adopt_word(s, 1));

		return err == DK_OK ? adopt_mark(a, s, false) : err;
	}
	if (!adopt_is(s, 0, "auth_basic"))
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
	if (block->exact && adopt_is(s, 1, "off"))
		return adopt_fail(a, s->line,
		    "one open page (location =) is not understood; open a "
		    "directory, or write the rule by hand");
	block->area.line = s->line;
	block->area.open = adopt_is(s, 1, "off");
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
