#include "web/web.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/embed.h"
#include "base/secret.h"
#include "domain/housekeep.h"
#include "domain/statistics.h"
#include "http/cookie.h"
#include "http/url.h"
#include "web/accent.h"
#include "web/gate.h"
#include "web/hosting.h"
#include "web/page.h"
#include "web/route.h"
#include "web/style_check.h"

extern const struct embedded embedded_html[];

enum {
	WEB_ARENA_SIZE = 900 * 1024,
	WEB_FILE_MAX = 256 * 1024,
	HOUSEKEEP_EVERY_MS = 30000
};

/* A file of the site's own, whole; the message says what is wrong. */
static enum dk_err
read_file(struct web *web, struct str path, struct str *text,
    struct buf *message)
{
	char *to = arena_alloc(&web->arena, WEB_FILE_MAX + 1);
	int fd = open(path.p, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || to == NULL ? -1 :
					   read(fd, to, WEB_FILE_MAX + 1);

	if (fd >= 0)
		(void)close(fd);
	if (n <= 0 || n > WEB_FILE_MAX) {
		buf_addf(message, "%.*s: must be a readable file of 1 to %d "
				  "bytes",
		    STR_FMT(path), WEB_FILE_MAX);
		return DK_ERR_CONF;
	}
	*text = (struct str){ to, (size_t)n };
	return DK_OK;
}

/* The URL of a file carries its hash, so that it can be kept for ever. */
static void
name_file(struct web *web, struct web_file *file, const char *path)
{
	struct text_tag tag;
	char hex[2 * sizeof(tag.byte) + 1];
	struct buf b;

	text_tag(file->text, &tag);
	BUF_OVER(&b, hex);
	buf_add_hex(&b, tag.byte, sizeof(tag.byte));
	file->target = arena_printf(&web->arena, 256, "%.*s%s?v=%s",
	    STR_FMT(web->conf->mount), path, hex);
}

static struct str
built_in(const char *name)
{
	const struct embedded *e;

	for (e = embedded_html; e->name != NULL; e++)
		if (str_eq(str_from(e->name), str_from(name)))
			return (struct str){ e->text, e->len };
	return STR_NONE;
}

/* By the first bytes; a name can lie. */
static struct str
image_type(struct str text)
{
	if (str_starts(text, STR("\x89PNG\r\n")))
		return STR("image/png");
	if (str_starts(text, STR("\xff\xd8\xff")))
		return STR("image/jpeg");
	if (str_starts(text, STR("<svg")) || str_starts(text, STR("<?xml")))
		return STR("image/svg+xml");
	return STR_NONE;
}

/* [site] accent goes behind the rules of the stylesheet. */
static enum dk_err
add_accent(struct web *web, struct buf *message)
{
	const struct conf *conf = web->conf;
	struct colour accent;
	struct buf css;

	if (str_is_none(conf->accent))
		return DK_OK;
	if (!colour_parse(conf->accent, &accent)) {
		buf_addf(message,
		    "%.*s:%u: accent: must be # and six digits of 0 to 9 and "
		    "a to f, such as #2453c9",
		    STR_FMT(conf->file), conf_line(conf, "site", "accent"));
		return DK_ERR_CONF;
	}
	css = arena_buf(&web->arena, web->style.text.n + 256);
	buf_add(&css, web->style.text);
	accent_add_rules(&css, accent);
	web->style.text = buf_str(&css);
	return buf_ok(&css) ? DK_OK : DK_ERR_NOMEM;
}

static enum dk_err
load_files(struct web *web, struct buf *message)
{
	const struct conf *conf = web->conf;
	enum dk_err err = DK_OK;

	web->style.type = STR("text/css; charset=utf-8");
	web->style.text = built_in("style.css");
	if (!str_is_none(conf->stylesheet))
		err = read_file(web, conf->stylesheet, &web->style.text,
		    message);
	if (err == DK_OK)
		err = style_check(
		    conf->stylesheet, web->style.text, message);
	if (err == DK_OK && !str_is_none(conf->logo)) {
		err = read_file(web, conf->logo, &web->logo.text, message);
		web->logo.type = image_type(web->logo.text);
		if (err == DK_OK && str_is_none(web->logo.type)) {
			buf_addf(message, "%.*s: is no SVG, PNG or JPEG",
			    STR_FMT(conf->logo));
			err = DK_ERR_CONF;
		}
	}
	if (err == DK_OK)
		err = add_accent(web, message);
	name_file(web, &web->style, "/style.css");
	name_file(web, &web->logo, "/logo");
	return err;
}

/* Nothing but our own stylesheet and logo; forms go to our origins only. */
static enum dk_err
make_policy(struct web *web)
{
	struct buf b = arena_buf(&web->arena, 4096);
	size_t i;

	buf_addz(&b, "default-src 'none'; style-src 'self'; img-src 'self'; "
		     "base-uri 'none'; frame-ancestors 'none'; "
		     "form-action 'self'");
	for (i = 1; i < web->conf->n_origins; i++)
		buf_addf(&b, " %.*s", STR_FMT(web->conf->origins[i].text));
	web->security_policy = buf_str(&b);
	return buf_ok(&b) ? DK_OK : DK_ERR_TOO_LARGE;
}

/* [site] language, which only now can be looked up. */
static enum dk_err
fix_language(struct web *web, struct buf *message)
{
	const struct conf *conf = web->conf;
	size_t i;

	if (str_is_none(conf->language))
		return DK_OK;
	web->language = words_find(&web->words, conf->language);
	if (web->language != NULL)
		return DK_OK;
	buf_addf(message, "%.*s:%u: language: must be one of",
	    STR_FMT(conf->file), conf_line(conf, "site", "language"));
	for (i = 0; i < web->words.n; i++)
		buf_addf(message, " %s", web->words.item[i]->code);
	buf_addz(message, "; [site] messages can add one");
	return DK_ERR_CONF;
}

enum dk_err
web_open(struct web *web, const struct conf *conf, struct domain *dom,
    struct log *log, struct buf *message)
{
	enum dk_err err;

	*web = (struct web){ .conf = conf, .dom = dom, .log = log };
	web->rules = (struct request_rules){ .mount = conf->mount,
		.trusted_proxies = conf->trusted_proxies,
		.n_trusted_proxies = conf->n_trusted_proxies,
		.shared_secret = conf->shared_secret };
	err = arena_open(&web->arena, WEB_ARENA_SIZE);
	if (err == DK_OK)
		err = templates_open(&web->templates, conf->templates,
		    message);
	if (err == DK_OK)
		err = words_open(&web->words, conf->messages, message);
	if (err == DK_OK)
		err = fix_language(web, message);
	if (err == DK_OK)
		err = load_files(web, message);
	if (err == DK_OK)
		err = make_policy(web);
	return err;
}

void
web_close(struct web *web)
{
	templates_close(&web->templates);
	words_close(&web->words);
	if (web->arena.block != NULL)
		arena_close(&web->arena);
}

/*
 * The origin that this request is for, by its Host; the canonical one when
 * none fits.  Only ever chosen from the configuration (DK-X-04).
 */
static const struct conf_origin *
find_site(struct ctx *c)
{
	const struct conf *conf = c->web->conf;
	struct str text = arena_printf(c->arena, 300, "http%s://%.*s",
	    c->req->https ? "s" : "", STR_FMT(c->req->host));
	struct url_origin asked;
	size_t i;

	if (!url_origin_parse(text, c->arena, &asked))
		return &conf->origins[0];
	c->asked_host = asked.host;
	for (i = 0; i < conf->n_origins; i++)
		if (str_eq(conf->origins[i].host, asked.host) &&
		    conf->origins[i].https == asked.https &&
		    conf->origins[i].port == asked.port)
			return &conf->origins[i];
	/* Some servers leave the port out (nginx's $host). */
	for (i = 0; i < conf->n_origins; i++)
		if (str_eq(conf->origins[i].host, asked.host))
			return &conf->origins[i];
	return &conf->origins[0];
}

static void
begin(struct ctx *c, struct web *web, struct request *req,
    struct response *res, int64_t now_ms)
{
	memset(c, 0, sizeof(*c));
	c->web = web;
	c->arena = res->arena;
	c->req = req;
	c->res = res;
	c->now_ms = now_ms;
	c->site = find_site(c);
	c->language = page_language_of(c);
	c->asker = (struct asker){ .actor = STR("web"),
		.ip = req->has_addr ? str_from(req->addr_text) : STR_NONE,
		.user_agent = req->user_agent,
		.host = c->site->host,
		.request_id = str_from(req->id) };
}

/* RFC 9110 15.5.2 asks for a challenge with every 401. */
static void
add_challenge(struct ctx *c)
{
	char text[512];
	struct buf b;
	struct str name = c->web->conf->name;
	size_t i;

	BUF_OVER(&b, text);
	buf_addz(&b, "Cookie realm=\"");
	for (i = 0; i < name.n; i++)
		if (name.p[i] > 0x1f && name.p[i] < 0x7f && name.p[i] != '"' &&
		    name.p[i] != '\\')
			buf_addc(&b, name.p[i]);
	buf_addf(&b, "\", form-action=\"%.*s/login\", cookie-name=\"%.*s\"",
	    STR_FMT(c->web->conf->mount), STR_FMT(cookie_name(c)));
	response_header(c->res, "WWW-Authenticate", buf_str(&b));
}

/*
 * Headers that stand on every answer of ours.  An allowing answer of the
 * gate has none of them: Apache would pass them on to the client.
 */
static void
finish(struct ctx *c)
{
	static const struct {
		const char *name, *value;
	} heads[] = { { "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "same-origin" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "X-Frame-Options", "DENY" },
		{ "X-Robots-Tag", "noindex" },
		{ "Permissions-Policy",
		    "camera=(), geolocation=(), microphone=()" },
		{ "Vary",
		    "Cookie, Accept, Accept-Language, Origin, "
		    "Sec-Fetch-Mode, Sec-Fetch-Site" } };
	size_t i;

	if (c->bare)
		return;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		response_header(c->res, heads[i].name,
		    str_from(heads[i].value));
	response_header(c->res, "Content-Security-Policy",
	    c->web->security_policy);
	if (c->no_referrer)
		response_header(c->res, "Referrer-Policy",
		    STR("no-referrer"));
	if (c->res->status == 401)
		add_challenge(c);
	if (!c->cacheable)
		response_header(c->res, "Cache-Control", STR("no-store"));
}

/* Who is it?  Damaged and doubled cookies are nobody's. */
static enum dk_err
find_session(struct ctx *c)
{
	struct str value;
	enum cookie_found found = cookie_get(c->req->cookies,
	    c->req->n_cookies, cookie_name(c), &value);

	c->session_answer = SESSION_NONE;
	if (found == COOKIE_CONFLICT)
		LOG_WRITE(c->web->log, LOG_LEVEL_WARNING, "cookie_conflict",
		    { "request_id", str_from(c->req->id) },
		    { "ip", c->asker.ip });
	if (found != COOKIE_ONE)
		return DK_OK;
	return session_check(c->web->dom, value, c->site->host, c->now_ms,
	    &c->session, &c->session_answer);
}

/* The page of ours that was asked for, its query intact. */
static struct str
asked_for(struct ctx *c, const struct route *route)
{
	struct str path = page_own_path(c, route->path);

	if (route->method != METHOD_GET || c->req->query.n == 0 ||
	    c->req->query.n > URL_NEXT_MAX)
		return path;
	return arena_printf(c->arena, 2 * URL_NEXT_MAX, "%.*s?%.*s",
	    STR_FMT(path), STR_FMT(c->req->query));
}

/* Who asks, or why that cannot be told. */
static enum dk_err
know_session(struct ctx *c)
{
	enum dk_err err = domain_connect(c->web->dom, clock_monotonic_ms());

	return err == DK_OK ? find_session(c) : err;
}

static void
dispatch_hosted(struct ctx *c)
{
	enum dk_err err = know_session(c);

	if (err == DK_OK)
		hosted_file(c);
	else
		page_fail(c, err);
}

static void
dispatch(struct ctx *c)
{
	const char *allow;
	const struct route *route = route_find(c->req, &allow);
	enum dk_err err;

	if (hosted_file_asked(c->req)) {
		dispatch_hosted(c);
		return;
	}
	if (route == NULL && allow == NULL) {
		page_error(c, 404, MSG_NONE);
		return;
	}
	if (route == NULL) {
		page_error(c, 405, MSG_NONE);
		response_header(c->res, "Allow", str_from(allow));
		return;
	}
	/* A person may look at it too; it stays what programs read. */
	if ((route->flags & ROUTE_JSON) != 0)
		c->req->wants_json = true;
	err = (route->flags & ROUTE_NO_STORE) != 0 ? DK_OK : know_session(c);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	if ((route->flags & ROUTE_PUBLIC) == 0 && !ctx_signed_in(c)) {
		page_sign_in_here(c, asked_for(c, route), MSG_NONE);
		return;
	}
	route->handle(c);
}

void
web_handle(struct web *web, struct request *req, struct response *res,
    int64_t now_ms)
{
	struct ctx c;

	begin(&c, web, req, res, now_ms);
	if (req->role == REQUEST_AUTHORIZER) {
		gate_authorize(&c, know_session(&c));
	} else {
		dispatch(&c);
		marker_settle(&c);
	}
	/* Whatever went wrong on the way: an answer, and never a yes. */
	if (res->status == 0 || res->failed || res->body.overflow) {
		c.bare = false;
		page_error(&c, 500, MSG_NONE);
	}
	finish(&c);
	secret_wipe(&c, sizeof(c));
}

void
web_fail(struct web *web, struct request *req, struct response *res,
    unsigned status, const char *problem)
{
	struct ctx c;

	begin(&c, web, req, res, 0);
	LOG_WRITE(web->log, LOG_LEVEL_WARNING, "request_refused",
	    { "request_id", str_from(req->id) }, { "ip", c.asker.ip },
	    { "problem", str_from(problem) });
	page_problem(&c,
	    &(struct page_problem){ .status = status, .detail = problem });
	finish(&c);
}

/* One in 64. */
static bool
is_chosen(void)
{
	unsigned char dice = 1;

	return secret_random(&dice, 1) == DK_OK && dice % 64 == 0;
}

void
web_idle(struct web *web, int64_t now_ms)
{
	enum dk_err err = DK_OK;

	domain_rest(web->dom);
	if (web->dom->db == NULL ||
	    (now_ms - web->housekept_ms < HOUSEKEEP_EVERY_MS &&
		now_ms >= web->housekept_ms))
		return;
	/* A CGI process has one request to serve: few of them do it. */
	if (web->housekept_ms != 0 || is_chosen())
		housekeep(web->dom, now_ms);
	else
		err = statistics_flush(web->dom, now_ms);
	(void)err; /* figures that are missed are missed */
	web->housekept_ms = now_ms;
}
