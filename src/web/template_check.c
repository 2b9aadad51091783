/*
 * Is a template safe and complete?  A small reading of its HTML tells in what
 * place each {{name}} stands; only text and double-quoted attributes that
 * hold no script are places where escaping makes any value harmless.
 */
#include "web/template.h"

#include "web/template_tag.h"

/* Names that each page hands over; '!' marks those that it must use. */
static const struct {
	const char *page, *names;
} pages[] = {
	{ "head.html", "site_name mount style title logo" },
	{ "login.html",
	    "site_name mount style title logo next !csrf_token username "
	    "message notice remember password_autofocus" },
	{ "second.html",
	    "site_name mount style title logo next !csrf_token message" },
	{ "password.html",
	    "site_name mount style title logo username !csrf_token message "
	    "dead" },
	{ "logout.html",
	    "site_name mount style title logo signed_in username "
	    "!csrf_token" },
	{ "error.html",
	    "site_name mount style title logo heading message request_id "
	    "home" },
	{ "account.html",
	    "site_name mount style title logo username display_name email "
	    "!csrf_token sessions id device ip signed_in_at last_seen_at "
	    "current others done message fresh groups home factor_on "
	    "codes_left enrolling qr_path qr_side seed_text seed_uri codes "
	    "code sign_ins at what from failures" },
};

enum place { IN_TEXT, IN_TAG, IN_VALUE, IN_SCRIPT, IN_COMMENT };

struct reading {
	enum place place;
	struct str word;   /* the tag's or the attribute's name so far */
	struct str tag;	   /* name of the tag that is open */
	bool risky;	   /* the attribute runs script or style */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Attributes in which no escaping helps. */
static bool
is_risky(struct str attribute)
{
	return (attribute.n > 2 && str_ieq(str_sub(attribute, 0, 2), STR("on"))) ||
	    str_ieq(attribute, STR("style")) ||
	    str_ieq(attribute, STR("srcdoc"));
}

static void
read_in_tag(struct reading *r, struct str text, size_t i)
{
	char c = text.p[i];

	if (c == '>') {
		r->place = str_ieq(r->tag, STR("script")) ||
			str_ieq(r->tag, STR("style")) ?
		    IN_SCRIPT :
		    IN_TEXT;
	} else if (c == '"') {
		r->place = IN_VALUE;
		r->risky = is_risky(r->word);
		r->word = STR_NONE;
	} else if (is_space(c)) {
		r->word = STR_NONE;
	} else if (c != '=' && c != '/') {
		if (str_is_none(r->word))
			r->word = str_sub(text, i, 0);
		r->word.n++;
		/* The first word of a tag is its name. */
		if (str_is_none(r->tag) || r->word.p == r->tag.p)
			r->tag = r->word;
	}
}

/* Follow the HTML through a stretch without {{tags}}. */
static void
read_html(struct reading *r, struct str text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		struct str rest = str_sub(text, i, text.n);

		if (r->place == IN_COMMENT) {
			if (str_starts(rest, STR("-->")))
				r->place = IN_TEXT;
		} else if (r->place == IN_SCRIPT) {
			if (str_starts(rest, STR("</")))
				r->place = IN_TEXT;
		} else if (r->place == IN_VALUE) {
			if (text.p[i] == '"')
				r->place = IN_TAG;
		} else if (r->place == IN_TAG) {
			read_in_tag(r, text, i);
		} else if (str_starts(rest, STR("<!--"))) {
			r->place = IN_COMMENT;
		} else if (text.p[i] == '<') {
			r->place = IN_TAG;
			r->tag = STR_NONE;
			r->word = STR_NONE;
		}
	}
}

static unsigned
line_of(struct str text, struct str at)
{
	unsigned line = 1;
	const char *p;

	for (p = text.p; p < at.p; p++)
		line += *p == '\n';
	return line;
}

static bool
is_known(const char *page, struct str name, bool *required)
{
	struct str list = STR(""), word;
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (str_eq(str_from(page), str_from(pages[i].page)))
			list = str_from(pages[i].names);
	while (str_cut(&list, ' ', &word)) {
		*required = word.n > 0 && word.p[0] == '!';
		if (str_eq(*required ? str_sub(word, 1, word.n) : word, name))
			return true;
	}
	return false;
}

struct check {
	struct str file, text;
	const char *page;
	struct buf *message;
	struct reading reading;
	bool has_token;
	struct str open[TEMPLATE_DEPTH_MAX];
	enum place open_place[TEMPLATE_DEPTH_MAX];
	size_t n_open;
};

static enum dk_err
refuse(struct check *c, struct str at, const char *why)
{
	buf_addf(c->message, "%.*s:%u: {{%.*s}} %s", STR_FMT(c->file),
	    line_of(c->text, at), STR_FMT(at), why);
	return DK_ERR_CONF;
}

static enum dk_err
check_section(struct check *c, struct str tag)
{
	struct str name = str_sub(tag, 1, tag.n);
	bool required;

	if (tag.p[0] == '/') {
		if (c->n_open == 0 ||
		    !str_eq(c->open[c->n_open - 1], name))
			return refuse(c, tag, "closes what is not open");
		c->n_open--;
		/* With it or without: the rest must read the same. */
		if (c->open_place[c->n_open] != c->reading.place)
			return refuse(c, tag, "ends in another place (text, "
					      "tag, attribute) than it began");
		return DK_OK;
	}
	if (!is_known(c->page, name, &required))
		return refuse(c, tag, "is no name that this page has");
	if (c->n_open == TEMPLATE_DEPTH_MAX)
		return refuse(c, tag, "is nested too deep");
	if (c->reading.place == IN_SCRIPT || c->reading.place == IN_COMMENT)
		return refuse(c, tag, "may not stand in a script, a style "
				      "or a comment");
	c->open_place[c->n_open] = c->reading.place;
	c->open[c->n_open++] = name;
	return DK_OK;
}

static enum dk_err
check_tag(struct check *c, struct str tag)
{
	bool required = false;

	if (tag.n == 0)
		return refuse(c, tag, "is empty");
	if (tag.p[0] == '#' || tag.p[0] == '^' || tag.p[0] == '/')
		return check_section(c, tag);
	if (tag.p[0] == '>') {
		if (!str_eq(tag, STR(">head.html")))
			return refuse(c, tag, "is no template; there is "
					      "head.html");
		/* It ends inside of <body>. */
		return DK_OK;
	}
	if (!is_known(c->page, tag, &required))
		return refuse(c, tag, "is no name that this page has");
	if (c->reading.place == IN_TAG)
		return refuse(c, tag, "must stand in double quotes");
	if (c->reading.place == IN_SCRIPT || c->reading.place == IN_COMMENT ||
	    (c->reading.place == IN_VALUE && c->reading.risky))
		return refuse(c, tag, "stands where escaping does not make "
				      "it safe (script, style, comment, "
				      "event handler)");
	if (str_eq(tag, STR("csrf_token")))
		c->has_token = true;
	return DK_OK;
}

static bool
needs_token(const char *page)
{
	bool required = false;

	return is_known(page, STR("csrf_token"), &required) && required;
}

enum dk_err
template_check(struct str file, const char *name, struct str text,
    struct buf *message)
{
	struct check c = { .file = file, .text = text, .page = name,
		.message = message };
	struct str rest = text, before, tag;
	enum dk_err err = DK_OK;

	while (err == DK_OK && template_next_tag(&rest, &before, &tag)) {
		read_html(&c.reading, before);
		err = check_tag(&c, tag);
	}
	if (err != DK_OK)
		return err;
	if (rest.n > 0)
		return refuse(&c, str_sub(rest, 2, 20), "is not closed");
	if (c.n_open > 0)
		return refuse(&c, c.open[c.n_open - 1], "is not closed");
	if (needs_token(name) && !c.has_token) {
		buf_addf(message, "%.*s: a form without {{csrf_token}} would "
				  "be refused; put it into a hidden field",
		    STR_FMT(file));
		return DK_ERR_CONF;
	}
	return DK_OK;
}
