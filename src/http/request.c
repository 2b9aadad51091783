#include "http/request.h"

#include <stdlib.h>

#include "base/secret.h"
#include "http/address.h"
#include "http/form.h"

/*
 * What we read of the variables.  A name that is given twice is refused, not
 * the first nor the last wins (DK-F-11); HTTP_COOKIE alone may repeat (two
 * Cookie lines behind nginx).  All others, REMOTE_USER and HTTP_PROXY among
 * them, are not looked at.
 */
enum name {
	N_REQUEST_METHOD,
	N_REQUEST_URI,
	N_SCRIPT_NAME,
	N_PATH_INFO,
	N_QUERY_STRING,
	N_CONTENT_TYPE,
	N_CONTENT_LENGTH,
	N_REMOTE_ADDR,
	N_HTTPS,
	N_REQUEST_SCHEME,
	N_DOORKEEP_SECRET,
	N_DOORKEEP_SECRET_HEADER,
	N_REDIRECT_REQUEST_METHOD,
	N_HOST,
	N_ORIGIN,
	N_REFERER,
	N_FETCH_SITE,
	N_FETCH_MODE,
	N_FETCH_DEST,
	N_FORWARDED_FOR,
	N_FORWARDED_PROTO,
	N_FORWARDED_HOST,
	N_FORWARDED,
	N_REAL_IP,
	N_CSRF_TOKEN,
	N_CONTENT_ENCODING,
	N_TRANSFER_ENCODING,
	N_ACCEPT,
	N_ACCEPT_LANGUAGE,
	N_USER_AGENT,
	N_IF_NONE_MATCH,
	N_COUNT
};

static const struct str names[N_COUNT] = {
	[N_REQUEST_METHOD] = { "REQUEST_METHOD", 14 },
	[N_REQUEST_URI] = { "REQUEST_URI", 11 },
	[N_SCRIPT_NAME] = { "SCRIPT_NAME", 11 },
	[N_PATH_INFO] = { "PATH_INFO", 9 },
	[N_QUERY_STRING] = { "QUERY_STRING", 12 },
	[N_CONTENT_TYPE] = { "CONTENT_TYPE", 12 },
	[N_CONTENT_LENGTH] = { "CONTENT_LENGTH", 14 },
	[N_REMOTE_ADDR] = { "REMOTE_ADDR", 11 },
	[N_HTTPS] = { "HTTPS", 5 },
	[N_REQUEST_SCHEME] = { "REQUEST_SCHEME", 14 },
	[N_DOORKEEP_SECRET] = { "DOORKEEP_SECRET", 15 },
	[N_DOORKEEP_SECRET_HEADER] = { "HTTP_DOORKEEP_SECRET", 20 },
	[N_REDIRECT_REQUEST_METHOD] = { "REDIRECT_REQUEST_METHOD", 23 },
	[N_HOST] = { "HTTP_HOST", 9 },
	[N_ORIGIN] = { "HTTP_ORIGIN", 11 },
	[N_REFERER] = { "HTTP_REFERER", 12 },
	[N_FETCH_SITE] = { "HTTP_SEC_FETCH_SITE", 19 },
	[N_FETCH_MODE] = { "HTTP_SEC_FETCH_MODE", 19 },
	[N_FETCH_DEST] = { "HTTP_SEC_FETCH_DEST", 19 },
	[N_FORWARDED_FOR] = { "HTTP_X_FORWARDED_FOR", 20 },
	[N_FORWARDED_PROTO] = { "HTTP_X_FORWARDED_PROTO", 22 },
	[N_FORWARDED_HOST] = { "HTTP_X_FORWARDED_HOST", 21 },
	[N_FORWARDED] = { "HTTP_FORWARDED", 14 },
	[N_REAL_IP] = { "HTTP_X_REAL_IP", 14 },
	[N_CSRF_TOKEN] = { "HTTP_X_CSRF_TOKEN", 17 },
	[N_CONTENT_ENCODING] = { "HTTP_CONTENT_ENCODING", 21 },
	[N_TRANSFER_ENCODING] = { "HTTP_TRANSFER_ENCODING", 22 },
	[N_ACCEPT] = { "HTTP_ACCEPT", 11 },
	[N_ACCEPT_LANGUAGE] = { "HTTP_ACCEPT_LANGUAGE", 20 },
	[N_USER_AGENT] = { "HTTP_USER_AGENT", 15 },
	[N_IF_NONE_MATCH] = { "HTTP_IF_NONE_MATCH", 18 },
};

static enum dk_err
refuse(const char **problem, const char *why)
{
	*problem = why;
	return DK_ERR_INPUT;
}

static enum dk_err
too_large(const char **problem, const char *why)
{
	*problem = why;
	return DK_ERR_TOO_LARGE;
}

static enum dk_err
collect_one(struct request *req, struct str param, struct str *vars,
    const char **problem)
{
	struct str name, value;
	size_t i;

	if (!str_split(param, '=', &name, &value) || name.n == 0)
		return refuse(problem, "a variable has no name");
	if (str_eq(name, STR("HTTP_COOKIE"))) {
		if (req->n_cookies == REQUEST_COOKIES_MAX)
			return too_large(problem,
			    "there are too many Cookie headers");
		req->cookies[req->n_cookies++] = value;
		return DK_OK;
	}
	for (i = 0; i < N_COUNT; i++) {
		if (name.n != names[i].n || !str_eq(name, names[i]))
			continue;
		if (!str_is_none(vars[i]))
			return refuse(problem,
			    "a header or server variable was given twice");
		vars[i] = value;
		return DK_OK;
	}
	return DK_OK;
}

/* Sort the variables into vars; the bounds hold for all of them. */
static enum dk_err
collect(struct request *req, char *const *params, struct str *vars,
    const char **problem)
{
	size_t total = 0, n;
	enum dk_err err;

	for (n = 0; params[n] != NULL; n++) {
		struct str param = str_from(params[n]);

		total += param.n;
		if (n == REQUEST_PARAMS_MAX || param.n > REQUEST_PARAM_MAX ||
		    total > REQUEST_PARAMS_TOTAL_MAX)
			return too_large(problem,
			    "the request's headers are too large");
		err = collect_one(req, param, vars, problem);
		if (err != DK_OK)
			return err;
	}
	return DK_OK;
}

static enum request_method
method_of(struct str text)
{
	static const struct {
		const char *text;
		enum request_method method;
	} known[] = { { "GET", METHOD_GET }, { "HEAD", METHOD_HEAD },
		{ "POST", METHOD_POST }, { "PUT", METHOD_PUT },
		{ "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE },
		{ "OPTIONS", METHOD_OPTIONS } };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(text, str_from(known[i].text)))
			return known[i].method;
	return METHOD_OTHER;
}

static enum fetch_site
fetch_site_of(struct str text)
{
	if (str_eq(text, STR("same-origin")))
		return FETCH_SITE_SAME_ORIGIN;
	if (str_eq(text, STR("same-site")))
		return FETCH_SITE_SAME_SITE;
	if (str_eq(text, STR("cross-site")))
		return FETCH_SITE_CROSS_SITE;
	if (str_eq(text, STR("none")))
		return FETCH_SITE_NONE;
	return FETCH_SITE_ABSENT;
}

/* "application/json; charset=utf-8": the type alone, any case (DK-I-02). */
static bool
media_type_is(struct str header, struct str type)
{
	struct str head, tail;

	(void)str_split(header, ';', &head, &tail);
	return str_ieq(str_trim(head), type);
}

bool
request_accepts(struct str accept, struct str media_type)
{
	struct str field;

	while (str_cut(&accept, ',', &field))
		if (media_type_is(field, media_type))
			return true;
	return false;
}

/* The path below the mount, or STR_NONE when it does not lie there. */
static struct str
below_mount(struct str path, struct str mount)
{
	struct str rest;

	if (!str_starts(path, mount))
		return STR_NONE;
	rest = str_sub(path, mount.n, path.n - mount.n);
	if (rest.n == 0)
		return STR("/");
	return rest.p[0] == '/' ? rest : STR_NONE;
}

/*
 * Path and query of the request line; absolute form is cut to its path.  The
 * query goes first: "http://host?/x" has an empty path.
 */
static void
split_target(struct str target, struct str *path, struct str *query)
{
	struct str rest, host, tail;

	if (!str_split(target, '?', path, query))
		*query = STR("");
	if (!str_starts(*path, STR("http://")) &&
	    !str_starts(*path, STR("https://")))
		return;
	(void)str_split(*path, ':', &host, &rest);
	rest = str_sub(rest, 2, rest.n);
	*path = str_split(rest, '/', &host, &tail) &&
		!str_contains(host, '#') ?
	    str_sub(rest, host.n, rest.n) :
	    STR("/");
}

/*
 * INTERFACE 9: below the mount by REQUEST_URI, else by SCRIPT_NAME and
 * PATH_INFO, and then REQUEST_URI is the page that is wanted.
 */
static enum dk_err
find_route(struct request *req, const struct str *vars, struct str mount,
    struct arena *arena, const char **problem)
{
	struct str path, query, inner, raw;

	split_target(vars[N_REQUEST_URI], &path, &query);
	inner = arena_printf(arena, vars[N_SCRIPT_NAME].n +
		vars[N_PATH_INFO].n, "%.*s%.*s", STR_FMT(vars[N_SCRIPT_NAME]),
	    STR_FMT(vars[N_PATH_INFO]));
	if (str_is_none(inner))
		return DK_ERR_NOMEM;
	inner = below_mount(inner, mount);
	raw = below_mount(path, mount);
	/* With the mount at the root every URL lies below it: there, a
	 * route that the server names itself comes first. */
	if (mount.n == 0 && !str_is_none(inner) && inner.n > 1 &&
	    vars[N_REQUEST_URI].n > 0 && !str_eq(inner, path))
		raw = STR_NONE;
	if (req->role == REQUEST_AUTHORIZER) {
		req->wanted = vars[N_REQUEST_URI];
		req->query = STR("");
		return DK_OK;
	}
	if (!str_is_none(raw) && vars[N_REQUEST_URI].n > 0) {
		req->query = query;
		if (form_decode(raw, arena, &req->route) == DK_OK &&
		    str_is_printable(req->route))
			return DK_OK;
		req->route = STR_NONE;
		return refuse(problem, "the path of the URL is malformed");
	}
	req->route = inner;
	req->query = STR("");
	if (vars[N_REQUEST_URI].n > 0)
		req->wanted = vars[N_REQUEST_URI];
	else
		req->query = vars[N_QUERY_STRING];
	return DK_OK;
}

static enum dk_err
read_length(struct request *req, struct str text, const char **problem)
{
	if (text.n == 0)
		return DK_OK;
	if (!str_to_u64(text, (uint64_t)INT64_MAX, &req->body_length))
		return refuse(problem, "the Content-Length is not a number");
	req->has_body_length = true;
	return DK_OK;
}

/* The last of a comma list: our own proxy's word. */
static struct str
last_of(struct str list)
{
	struct str last = STR_NONE, field;

	while (str_cut(&list, ',', &field))
		last = str_trim(field);
	return last;
}

/*
 * A proxy on this machine must not make everybody local: behind one, its own
 * word for that is needed, and that only from one that is trusted.
 */
static bool
is_local(const struct request *req, const struct ip_addr *peer, bool trusted,
    const struct str *vars)
{
	bool by_proxy = !str_is_none(vars[N_FORWARDED_FOR]) ||
	    !str_is_none(vars[N_FORWARDED]) ||
	    !str_is_none(vars[N_REAL_IP]) ||
	    !str_is_none(vars[N_FORWARDED_PROTO]);
	struct ip_addr hop;

	if (!req->has_addr || !ip_is_loopback(peer) ||
	    !ip_is_loopback(&req->addr))
		return false;
	return !by_proxy ||
	    (trusted && ip_parse(last_of(vars[N_FORWARDED_FOR]), &hop) &&
		ip_is_loopback(&hop));
}

/* Who asks, from where, over what: proxies are believed if configured. */
static void
read_peer(struct request *req, const struct str *vars,
    const struct request_rules *rules)
{
	struct str peer_text = vars[N_REMOTE_ADDR];
	struct ip_addr peer = { { 0 } };
	bool known = ip_parse(peer_text, &peer);
	bool trusted = known &&
	    ip_nets_contain(rules->trusted_proxies, rules->n_trusted_proxies,
		&peer);

	req->has_addr = address_of_client(peer_text, vars[N_FORWARDED_FOR],
	    rules->trusted_proxies, rules->n_trusted_proxies, &req->addr);
	if (req->has_addr)
		ip_format(&req->addr, req->addr_text);
	req->https = str_ieq(vars[N_HTTPS], STR("on")) ||
	    str_eq(vars[N_HTTPS], STR("1")) ||
	    str_ieq(vars[N_REQUEST_SCHEME], STR("https"));
	req->host = vars[N_HOST];
	req->says_https = !trusted &&
	    str_ieq(last_of(vars[N_FORWARDED_PROTO]), STR("https"));
	if (trusted && !str_is_none(vars[N_FORWARDED_PROTO]))
		req->https = str_ieq(last_of(vars[N_FORWARDED_PROTO]),
		    STR("https"));
	if (trusted && vars[N_FORWARDED_HOST].n > 0 &&
	    !str_contains(vars[N_FORWARDED_HOST], ','))
		req->host = vars[N_FORWARDED_HOST];
	req->local = is_local(req, &peer, trusted, vars);
}

static void
read_texts(struct request *req, const struct str *vars)
{
	req->content_type = vars[N_CONTENT_TYPE];
	req->content_encoding = vars[N_CONTENT_ENCODING];
	req->chunked = req->role == REQUEST_RESPONDER &&
	    str_ieq(str_trim(vars[N_TRANSFER_ENCODING]), STR("chunked"));
	req->origin = vars[N_ORIGIN];
	req->referer = vars[N_REFERER];
	req->accept = vars[N_ACCEPT];
	req->accept_language = vars[N_ACCEPT_LANGUAGE];
	req->user_agent = vars[N_USER_AGENT];
	req->csrf_header = vars[N_CSRF_TOKEN];
	req->if_none_match = vars[N_IF_NONE_MATCH];
	req->fetch_site = fetch_site_of(vars[N_FETCH_SITE]);
	req->has_fetch_mode = !str_is_none(vars[N_FETCH_MODE]);
	req->fetch_mode = vars[N_FETCH_MODE];
	req->fetch_dest = vars[N_FETCH_DEST];
	req->is_json =
	    media_type_is(req->content_type, STR("application/json"));
	req->is_form = media_type_is(req->content_type,
	    STR("application/x-www-form-urlencoded"));
	req->wants_json = req->is_json ||
	    (request_accepts(req->accept, STR("application/json")) &&
		!request_accepts(req->accept, STR("text/html"))) ||
	    (req->has_fetch_mode &&
		!str_eq(req->fetch_mode, STR("navigate")));
}

static enum dk_err
check_secret(struct str want, struct str given, const char **problem)
{
	if (str_is_none(want))
		return DK_OK;
	if (given.n != want.n || !secret_bytes_eq(given.p, want.p, want.n))
		return refuse(problem,
		    "the web server did not send the shared secret "
		    "(DOORKEEP_SECRET)");
	return DK_OK;
}

/*
 * An id is no secret, so the kernel is asked for many at a time: a check has
 * a system call less.
 */
static enum dk_err
new_id(struct request *req)
{
	static unsigned char bytes[32][REQUEST_ID_LEN / 2];
	static size_t left;
	enum dk_err err = DK_OK;
	struct buf id;

	if (left == 0) {
		err = secret_random(bytes, sizeof(bytes));
		left = err == DK_OK ? sizeof(bytes) / sizeof(bytes[0]) : 0;
	}
	BUF_OVER(&id, req->id);
	buf_add_hex(&id, bytes[left > 0 ? --left : 0], sizeof(bytes[0]));
	return err;
}

enum dk_err
request_read(struct request *req, enum request_role role, char *const *params,
    const struct request_rules *rules, struct arena *arena,
    const char **problem)
{
	struct str vars[N_COUNT] = { { NULL, 0 } };
	enum dk_err err, err_id;

	*req = (struct request){ .role = role,
		.params = params,
		.stranger = !str_is_none(rules->shared_secret) };
	*problem = NULL;
	err_id = new_id(req);
	err = collect(req, params, vars, problem);
	req->method_text = vars[N_REQUEST_METHOD];
	req->method = method_of(req->method_text);
	req->wanted_method = str_is_none(vars[N_REDIRECT_REQUEST_METHOD]) ?
	    req->method_text :
	    vars[N_REDIRECT_REQUEST_METHOD];
	read_texts(req, vars);
	if (err != DK_OK)
		return err;
	if (err_id != DK_OK)
		return err_id;
	/* As a header where a server has no other way to send it: who can
	 * say it may, whoever that is. */
	err = check_secret(rules->shared_secret,
	    str_is_none(vars[N_DOORKEEP_SECRET]) ?
		vars[N_DOORKEEP_SECRET_HEADER] :
		vars[N_DOORKEEP_SECRET],
	    problem);
	if (err != DK_OK)
		return err;
	req->stranger = false;
	read_peer(req, vars, rules);
	if (vars[N_REQUEST_URI].n > REQUEST_TARGET_MAX)
		return too_large(problem, "the URL is too long");
	err = read_length(req, vars[N_CONTENT_LENGTH], problem);
	if (err != DK_OK)
		return err;
	return find_route(req, vars, rules->mount, arena, problem);
}

struct str
request_param(const struct request *req, struct str name)
{
	struct str found = STR_NONE, key, value;
	char *const *p;

	for (p = req->params; p != NULL && *p != NULL; p++) {
		if (!str_split(str_from(*p), '=', &key, &value) ||
		    !str_eq(key, name))
			continue;
		if (!str_is_none(found))
			return STR_NONE;
		found = value;
	}
	return found;
}

const char *
request_environment(const char *name)
{
	return getenv(name);
}

size_t
request_body_max(const struct request *req)
{
	return req->is_form && str_is_none(req->wanted) ? REQUEST_KEPT_MAX :
							  REQUEST_BODY_MAX;
}

bool
request_is_safe(const struct request *req)
{
	return req->method == METHOD_GET || req->method == METHOD_HEAD ||
	    req->method == METHOD_OPTIONS;
}
