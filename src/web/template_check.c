/*
 * Is a template safe and complete?  A small reading of its HTML tells in what
 * place each {{name}} stands; only text and double-quoted attributes that
 * hold no script are places where escaping makes any value harmless.
 */
#include "web/template.h"

#include "web/template_tag.h"

/*
 * Names that each page hands over.  '!' marks those that it must use, '?'
 * those that open a section only; "list.name" is a name that there is within
 * {{#list}} alone.
 */
#define TABS "?at_overview ?at_people ?at_sessions ?at_events message done me "
#define DESK	      TABS "?fresh fresh_url ?no_user ?no_ip ?no_day "
#define OPTIONS(list) list ".value " list ".label ?" list ".selected "
#define DESK_SESSIONS                                                    \
	"?sessions sessions.tick sessions.id sessions.user "             \
	"sessions.user_url sessions.device sessions.ip sessions.ip_url " \
	"sessions.signed_in_at sessions.last_seen_at "                   \
	"?sessions.current ?sessions.two_steps "
#define DESK_AGES                                                             \
	"user address older newer ?ages " OPTIONS("ages") "?youths " OPTIONS( \
	    "youths")
#define DESK_EVENTS                                                 \
	"?events events.at events.event events.outcome events.who " \
	"events.who_url events.ip events.ip_url events.actor events.what "
static const struct {
	const char *page, *names;
	bool part; /* pages of the same first names include it */
} pages[] = {
	{ "head.html", "", true },
	{ "foot.html", "", true },
	{ "brand.html", "", true },
	{ "desk.html", TABS, true },
	{ "login.html",
	    "next !csrf_token username message detail notice kept sso "
	    "sso_text ?tried "
	    "?remember ?password_autofocus ?wrong_pair" },
	{ "second.html", "next !csrf_token message kept" },
	{ "password.html", "next username !csrf_token message kept ?dead" },
	{ "kept.html",
	    "!target ?fields fields.name fields.value fields.id "
	    "?fields.hidden ?fields.line ?fields.lines" },
	{ "logout.html", "?signed_in username !csrf_token" },
	{ "error.html", "heading message detail request_id" },
	{ "account.html",
	    "next username display_name email !csrf_token message done "
	    "?wrong_password ?wrong_new ?wrong_code ?fresh groups ?others "
	    "?sessions sessions.id sessions.device sessions.ip "
	    "sessions.signed_in_at sessions.last_seen_at ?sessions.current "
	    "?factor_on codes_left ?codes codes.code ?enrolling "
	    "enrolling.qr_path enrolling.qr_side enrolling.seed_text "
	    "enrolling.seed_uri failures ?sign_ins sign_ins.at "
	    "sign_ins.what sign_ins.from" },
	{ "admin.html",
	    DESK "?spans spans.url spans.label ?spans.shown ?charts "
		 "charts.title charts.total charts.path charts.label "
		 "charts.most ?pieces "
		 "pieces.from pieces.sign_ins pieces.failures pieces.throttled "
		 "pieces.alive first sessions_at ?trouble ?findings "
		 "findings.what findings.cure program engine schema" },
	{ "admin_people.html",
	    DESK "!csrf_token "
		 "search group ?states " OPTIONS(
		     "states") "?people people.name "
			       "people.url people.person people.groups "
			       "?people.disabled "
			       "?people.no_password next_url first_url "
			       "new_name new_person "
			       "new_email new_groups" },
	{ "admin_link.html", DESK "link username ?added until person_url" },
	{ "admin_person.html",
	    DESK "!csrf_token "
		 "username display_name email added_at password_at "
		 "?must_change ?disabled ?factor_on ?myself ?groups "
		 "groups.group " DESK_SESSIONS "sessions_url " DESK_EVENTS
		 "events_url" },
	{ "admin_sessions.html",
	    DESK "!csrf_token " DESK_SESSIONS DESK_AGES
		 "next_url first_url ask_url" },
	{ "admin_end.html",
	    DESK "!csrf_token " DESK_AGES "found at_least until back_url" },
	{ "admin_events.html",
	    DESK DESK_EVENTS "user address event from to ?outcomes " OPTIONS(
		"outcomes") "next_url first_url lines_url" },
};

/* What page_render gives to all of them. */
static const char common[] =
    "site_name mount style title logo home lang dir "
    "here ?choose_language ?languages " OPTIONS("languages");

enum place {
	IN_TEXT,
	IN_TAG,
	IN_VALUE,  /* in double quotes */
	IN_SINGLE, /* in single quotes */
	IN_TITLE,  /* text in which tags are no tags */
	IN_SCRIPT, /* and style */
	IN_COMMENT,
	IN_DOUBT /* it reads differently with and without a section */
};

struct reading {
	enum place place;
	struct str word; /* name of the tag or attribute, so far */
	struct str tag;	 /* name of the tag that is open */
	bool closing;	 /* it is an end tag */
	bool gap;	 /* the word is complete: the next one begins */
	bool equals;	 /* behind the word's '=' */
	bool bare;	 /* in a value without quotes */
	bool risky;	 /* the attribute runs script or style */
	bool seam;	 /* a {{tag}} stood here */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Attributes in which no escaping helps. */
static bool
is_risky(struct str attribute)
{
	return (attribute.n > 2 &&
		   str_ieq(str_sub(attribute, 0, 2), STR("on"))) ||
	    str_ieq(attribute, STR("style")) ||
	    str_ieq(attribute, STR("srcdoc"));
}

/* Behind the '>' of a tag. */
static enum place
place_behind(const struct reading *r)
{
	static const char *const raw[] = { "script", "style", "iframe",
		"noscript", "noembed", "noframes", "xmp", "plaintext" };
	size_t i;

	if (r->closing)
		return IN_TEXT;
	for (i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
		if (str_ieq(r->tag, str_from(raw[i])))
			return IN_SCRIPT;
	return str_ieq(r->tag, STR("title")) || str_ieq(r->tag, STR("textarea"))
	    ? IN_TITLE
	    : IN_TEXT;
}

static void
begin_value(struct reading *r, enum place place)
{
	r->place = place;
	r->risky = is_risky(r->word);
	r->equals = false;
	r->gap = true;
}

/* A character of a name, or the first of a bare value. */
static void
read_name(struct reading *r, struct str text, size_t i)
{
	if (r->equals) {
		r->bare = true;
		return;
	}
	if (r->gap || str_is_none(r->word))
		r->word = str_sub(text, i, 0);
	r->gap = false;
	r->word.n++;
	/* The first word of a tag is its name. */
	if (str_is_none(r->tag) || r->word.p == r->tag.p)
		r->tag = r->word;
}

/* As in WHATWG HTML 13.2.5.32 ff. */
static void
read_in_tag(struct reading *r, struct str text, size_t i)
{
	char c = text.p[i];

	if (c == '>') {
		r->place = place_behind(r);
	} else if (is_space(c)) {
		r->equals = r->equals && !r->bare;
		r->bare = false;
		r->gap = true;
	} else if (r->bare) {
		return;
	} else if (r->equals && (c == '"' || c == '\'')) {
		begin_value(r, c == '"' ? IN_VALUE : IN_SINGLE);
	} else if (c == '=' && !str_is_none(r->word) && !r->equals) {
		r->equals = true;
	} else if (c == '/' && !r->equals) {
		r->closing = r->closing || str_is_none(r->tag);
		r->gap = true;
	} else {
		read_name(r, text, i);
	}
}

static void
read_in_text(struct reading *r, struct str rest)
{
	if (str_starts(rest, STR("<!--")))
		r->place = IN_COMMENT;
	else if (rest.p[0] == '<')
		*r = (struct reading){ .place = IN_TAG };
}

/* "</title", in any case */
static bool
ends_element(const struct reading *r, struct str rest)
{
	return str_starts(rest, STR("</")) &&
	    str_ieq(str_sub(rest, 2, r->tag.n), r->tag);
}

static void
read_one(struct reading *r, struct str text, size_t i)
{
	struct str rest = str_sub(text, i, text.n);

	switch (r->place) {
	case IN_TEXT:
		read_in_text(r, rest);
		break;
	case IN_TAG:
		read_in_tag(r, text, i);
		break;
	case IN_VALUE:
	case IN_SINGLE:
		if (rest.p[0] == (r->place == IN_VALUE ? '"' : '\''))
			r->place = IN_TAG;
		break;
	case IN_TITLE:
	case IN_SCRIPT:
		if (ends_element(r, rest))
			r->place = IN_TEXT;
		break;
	case IN_COMMENT:
		if (str_starts(rest, STR("-->")))
			r->place = IN_TEXT;
		break;
	case IN_DOUBT:
		break;
	}
}

/* Follow the HTML through a stretch without {{tags}}. */
static void
read_html(struct reading *r, struct str text)
{
	size_t i;

	/* No name may be put together from both sides of a {{tag}}. */
	if (text.n > 0 && r->seam && r->place == IN_TAG &&
	    !is_space(text.p[0]) && text.p[0] != '>' && text.p[0] != '/')
		r->place = IN_DOUBT;
	if (text.n > 0)
		r->seam = false;
	for (i = 0; i < text.n; i++)
		read_one(r, text, i);
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

struct check {
	struct str file, text;
	const char *page;
	struct buf *message;
	struct reading reading;
	bool has_token;
	struct str open[TEMPLATE_DEPTH_MAX]; /* "#name" or "^name" */
	struct reading open_reading[TEMPLATE_DEPTH_MAX];
	size_t n_open;
};

enum kind { NAME_UNKNOWN, NAME_SECTION, NAME_TEXT, NAME_REQUIRED };

static struct str
names_of(const char *page)
{
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (str_eq(str_from(page), str_from(pages[i].page)))
			return str_from(pages[i].names);
	return STR("");
}

static bool
is_open(const struct check *c, char kind, struct str name)
{
	size_t i;

	for (i = 0; i < c->n_open; i++)
		if ((kind == '\0' || c->open[i].p[0] == kind) &&
		    str_eq(str_sub(c->open[i], 1, c->open[i].n), name))
			return true;
	return false;
}

static enum kind
kind_in(const struct check *c, struct str list, struct str name)
{
	struct str word, within, rest;

	while (str_cut(&list, ' ', &word)) {
		char mark = word.n > 0 ? word.p[0] : '\0';

		if (mark == '!' || mark == '?')
			word = str_sub(word, 1, word.n);
		if (str_split(word, '.', &within, &rest)) {
			if (!is_open(c, '#', within))
				continue;
			word = rest;
		}
		if (word.n > 0 && str_eq(word, name))
			return mark == '!' ? NAME_REQUIRED
			    : mark == '?'  ? NAME_SECTION
					   : NAME_TEXT;
	}
	return NAME_UNKNOWN;
}

static bool
is_page(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (str_eq(str_from(name), str_from(pages[i].page)))
			return true;
	return false;
}

static bool
is_part(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (str_eq(str_from(name), str_from(pages[i].page)))
			return pages[i].part;
	return false;
}

/* What is the name here, between the sections that are open? */
static enum kind
kind_of(const struct check *c, struct str name)
{
	enum kind kind = kind_in(c, names_of(c->page), name);

	return kind == NAME_UNKNOWN && is_page(c->page)
	    ? kind_in(c, str_from(common), name)
	    : kind;
}

static enum dk_err
refuse(struct check *c, struct str at, const char *why)
{
	struct str shown = str_sub(at, 0, 40);

	buf_addf(c->message, "%.*s:%u: {{%.*s}} %s", STR_FMT(c->file),
	    line_of(c->text, at),
	    STR_FMT(str_is_printable(shown) ? shown : STR("?")), why);
	return DK_ERR_CONF;
}

/* Script, style and comment: a value there is never safe. */
static bool
is_unsafe(const struct reading *r)
{
	return r->place == IN_SCRIPT || r->place == IN_COMMENT ||
	    r->place == IN_DOUBT || (r->place == IN_VALUE && r->risky);
}

/* With a section or without: the rest must read the same. */
static bool
reads_alike(const struct reading *a, const struct reading *b)
{
	if (a->place != b->place)
		return false;
	return a->place == IN_TEXT ||
	    (str_eq(a->tag, b->tag) && a->closing == b->closing &&
		a->risky == b->risky);
}

static enum dk_err
check_end(struct check *c, struct str tag)
{
	struct str name = str_sub(tag, 1, tag.n);

	if (c->n_open == 0 ||
	    !str_eq(
		str_sub(c->open[c->n_open - 1], 1, TEMPLATE_FILE_MAX), name))
		return refuse(c, tag, "closes what is not open");
	c->n_open--;
	if (!reads_alike(&c->open_reading[c->n_open], &c->reading))
		return refuse(c, tag,
		    "ends in another place (text, tag, attribute) than it "
		    "began");
	return DK_OK;
}

static enum dk_err
check_section(struct check *c, struct str tag)
{
	struct str name = str_sub(tag, 1, tag.n);

	if (kind_of(c, name) == NAME_UNKNOWN)
		return refuse(c, tag, "is no name that this page has here");
	if (is_open(c, '\0', name))
		return refuse(c, tag, "is open already");
	if (c->n_open == TEMPLATE_DEPTH_MAX)
		return refuse(c, tag, "is nested too deep");
	if (is_unsafe(&c->reading))
		return refuse(
		    c, tag, "may not stand in a script, a style or a comment");
	c->open_reading[c->n_open] = c->reading;
	c->open[c->n_open++] = tag;
	return DK_OK;
}

/* A part for pages that have all of its names, and for no other part. */
static bool
may_include(const struct check *c, struct str name)
{
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (pages[i].part && str_eq(name, str_from(pages[i].page)))
			return !is_part(c->page) &&
			    str_starts(names_of(c->page),
				str_from(pages[i].names));
	return false;
}

static enum dk_err
check_include(struct check *c, struct str tag)
{
	if (!may_include(c, str_sub(tag, 1, tag.n)))
		return refuse(c, tag,
		    "is no template for this place; there are head.html, "
		    "brand.html and foot.html for all pages, desk.html for "
		    "those of the desk");
	if (c->reading.place != IN_TEXT)
		return refuse(c, tag, "must stand between tags");
	return DK_OK;
}

/* What a page says: the message is there, and so is what it speaks of. */
static enum dk_err
check_message(struct check *c, struct str tag, struct str key)
{
	enum msg m = words_key(key);
	struct str text, before, name;

	if (m == MSG_NONE)
		return refuse(c, tag, "is no message of doorkeep");
	text = words_text(WORDS_ENGLISH, m, 2);
	while (words_next(&text, &before, &name))
		if (kind_of(c, name) <= NAME_SECTION)
			return refuse(c, tag,
			    "speaks of something that this page does not "
			    "have here");
	return DK_OK;
}

static enum dk_err
check_name(struct check *c, struct str tag)
{
	enum kind kind = kind_of(c, tag);
	struct str key;

	if (template_is_message(tag, &key))
		return check_message(c, tag, key);
	if (kind == NAME_UNKNOWN)
		return refuse(c, tag, "is no name that this page has here");
	if (kind == NAME_SECTION)
		return refuse(
		    c, tag, "has no text; it opens a section, {{#name}}");
	return DK_OK;
}

static enum dk_err
check_value(struct check *c, struct str tag)
{
	enum dk_err err = check_name(c, tag);

	if (err != DK_OK)
		return err;
	if (c->reading.place == IN_TAG || c->reading.place == IN_SINGLE)
		return refuse(c, tag, "must stand in double quotes");
	if (is_unsafe(&c->reading))
		return refuse(c, tag,
		    "stands where escaping does not make it safe (script, "
		    "style, comment, event handler)");
	if (str_eq(tag, STR("csrf_token")))
		c->has_token = true;
	return DK_OK;
}

/* What stands before a {{tag}} and what stands behind it are two words, and
 * an '=' does not reach across. */
static void
note_seam(struct reading *r)
{
	r->seam = true;
	r->word = STR_NONE;
	r->equals = false;
	r->gap = true;
}

static enum dk_err
check_tag(struct check *c, struct str tag)
{
	if (tag.n == 0)
		return refuse(c, tag, "is empty");
	note_seam(&c->reading);
	if (tag.p[0] == '/')
		return check_end(c, tag);
	if (tag.p[0] == '#' || tag.p[0] == '^')
		return check_section(c, tag);
	return tag.p[0] == '>' ? check_include(c, tag) : check_value(c, tag);
}

enum dk_err
template_check(
    struct str file, const char *name, struct str text, struct buf *message)
{
	struct check c = {
		.file = file, .text = text, .page = name, .message = message
	};
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
	read_html(&c.reading, before);
	if (c.reading.place != IN_TEXT) {
		buf_addf(message,
		    "%.*s: ends within a tag, a comment or a script",
		    STR_FMT(file));
		return DK_ERR_CONF;
	}
	if (kind_of(&c, STR("csrf_token")) == NAME_REQUIRED && !c.has_token) {
		buf_addf(message,
		    "%.*s: a form without {{csrf_token}} would "
		    "be refused; put it into a hidden field",
		    STR_FMT(file));
		return DK_ERR_CONF;
	}
	return DK_OK;
}
