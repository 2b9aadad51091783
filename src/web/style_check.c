/*
 * What a stylesheet must not be.  The reading is that of CSS Syntax Level 3
 * as far as comments, strings, url() and braces go; all else is a matter
 * between the site and its browsers.
 */
#include "web/style_check.h"

#include "base/utf8.h"

struct style {
	struct str file, text;
	size_t at;
	struct buf *message;
};

static enum dk_err
refuse(const struct style *s, size_t at, const char *why)
{
	unsigned line = 1;
	size_t i;

	for (i = 0; i < at && i < s->text.n; i++)
		if (s->text.p[i] == '\n')
			line++;
	buf_addf(s->message, "%.*s:%u: %s", STR_FMT(s->file), line, why);
	return DK_ERR_CONF;
}

static char
peek(const struct style *s, size_t ahead)
{
	return s->at + ahead < s->text.n ? s->text.p[s->at + ahead] : '\0';
}

static bool
is_next(const struct style *s, const char *word)
{
	struct str w = str_from(word);

	return str_ieq(str_sub(s->text, s->at, w.n), w);
}

static enum dk_err
check_bytes(const struct style *s)
{
	struct str rest = s->text;
	uint32_t cp;

	while (rest.n > 0) {
		size_t at = s->text.n - rest.n;

		if (!utf8_next(&rest, &cp))
			return refuse(s, at, "is no UTF-8");
		if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r' &&
			cp != '\f') ||
		    cp == 0x7f)
			return refuse(s, at, "has a control character");
	}
	return DK_OK;
}

static enum dk_err
skip_comment(struct style *s)
{
	size_t start = s->at;

	for (s->at += 2; s->at < s->text.n; s->at++)
		if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			s->at += 2;
			return DK_OK;
		}
	return refuse(s, start, "a comment is not closed");
}

/* A string ends on its line; a backslash takes the next byte along. */
static enum dk_err
take_string(struct style *s, struct str *inner)
{
	size_t start = s->at++;
	char quote = s->text.p[start];

	while (s->at < s->text.n && peek(s, 0) != quote && peek(s, 0) != '\n')
		s->at += peek(s, 0) == '\\' ? 2 : 1;
	if (peek(s, 0) != quote)
		return refuse(s, start, "a string is not closed");
	*inner = str_sub(s->text, start + 1, s->at - start - 1);
	s->at++;
	return DK_OK;
}

static void
skip_space(struct style *s)
{
	char c = peek(s, 0);

	while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
		s->at++;
		c = peek(s, 0);
	}
}

/* A path of this site, or of the document; none that names a host. */
static bool
is_near(struct str url)
{
	size_t i;

	if (str_starts(url, STR("//")) || str_contains(url, '\\'))
		return false;
	for (i = 0; i < url.n && url.p[i] != '/' && url.p[i] != '?' &&
	    url.p[i] != '#'; i++)
		if (url.p[i] == ':')
			return false;
	return true;
}

/* At "url(". */
static enum dk_err
check_url(struct style *s)
{
	size_t start = s->at, from;
	struct str url;
	enum dk_err err;

	s->at += 4;
	skip_space(s);
	from = s->at;
	if (peek(s, 0) == '"' || peek(s, 0) == '\'') {
		err = take_string(s, &url);
		if (err != DK_OK)
			return err;
	} else {
		while (s->at < s->text.n && peek(s, 0) != ')')
			s->at++;
		url = str_trim(str_sub(s->text, from, s->at - from));
	}
	skip_space(s);
	if (peek(s, 0) != ')')
		return refuse(s, start, "url( is not closed");
	if (!is_near(url))
		return refuse(s, start,
		    "url() leads elsewhere, and browsers would not load it: "
		    "only pictures of this site, as url(/PATH), are allowed");
	return DK_OK;
}

/* One piece of the text; *open counts braces. */
static enum dk_err
check_piece(struct style *s, unsigned *open)
{
	char c = peek(s, 0);
	struct str ignored;

	if (c == '/' && peek(s, 1) == '*')
		return skip_comment(s);
	if (c == '"' || c == '\'')
		return take_string(s, &ignored);
	if (is_next(s, "url("))
		return check_url(s);
	if (is_next(s, "@import"))
		return refuse(s, s->at,
		    "@import loads another file, which browsers would not; "
		    "put its rules here");
	if (c == '<' && !is_next(s, "<=") &&
	    (peek(s, 1) == '/' || peek(s, 1) == '!' ||
		(peek(s, 1) | 0x20) >= 'a'))
		return refuse(s, s->at, "is HTML, not a stylesheet");
	if (c == '}' && *open == 0)
		return refuse(s, s->at, "} closes what is not open");
	*open += c == '{';
	*open -= c == '}';
	s->at += c == '\\' ? 2 : 1;
	return DK_OK;
}

enum dk_err
style_check(struct str file, struct str text, struct buf *message)
{
	struct style s = { .file = file, .text = text, .message = message };
	unsigned open = 0;
	enum dk_err err = check_bytes(&s);

	while (err == DK_OK && s.at < text.n)
		err = check_piece(&s, &open);
	if (err == DK_OK && open > 0)
		return refuse(&s, text.n, "{ is not closed at the end");
	return err;
}
