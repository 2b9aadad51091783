#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http/request.h"

enum { PARAMS_MAX = 12 };

static struct arena arena;
static struct ip_net proxies[2];
static struct request_rules plain, behind_proxies, at_root;

static int
open_all(void **state)
{
	(void)state;
	if (arena_open(&arena, 1024 * 1024) != DK_OK ||
	    !ip_net_parse(STR("10.0.0.0/8"), &proxies[0]) ||
	    !ip_net_parse(STR("127.0.0.1"), &proxies[1]))
		return -1;
	plain.mount = STR("/auth");
	behind_proxies = plain;
	behind_proxies.trusted_proxies = proxies;
	behind_proxies.n_trusted_proxies = 2;
	at_root.mount = STR("");
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static int
reset_arena(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

/*
 * Read the variables of a table's row, up to the first NULL, in the given
 * order; whatever the answer, what an error page needs is there.
 */
static enum dk_err
read_role(struct request *req, enum request_role role, const char *const *vars,
    const struct request_rules *rules)
{
	char *params[PARAMS_MAX + 1] = { NULL };
	const char *problem = "never set";
	enum dk_err err;
	size_t i;

	for (i = 0; i < PARAMS_MAX && vars[i] != NULL; i++) {
		params[i] = arena_alloc(&arena, strlen(vars[i]) + 1);
		assert_non_null(params[i]);
		memcpy(params[i], vars[i], strlen(vars[i]) + 1);
	}
	memset(req, 0xa5, sizeof(*req));
	err = request_read(req, role, params, rules, &arena, &problem);
	if ((err == DK_OK) != (problem == NULL))
		fail_msg("error %d without a word about it", (int)err);
	assert_int_equal(req->role, role);
	assert_int_equal(strlen(req->id), REQUEST_ID_LEN);
	return err;
}

static enum dk_err
read_vars(struct request *req, const char *const *vars)
{
	return read_role(req, REQUEST_RESPONDER, vars, &plain);
}

static void
check_str(const char *label, const char *what, struct str got, const char *want)
{
	if (str_is_none(got) != (want == NULL) || !str_eq(got, str_from(want)))
		fail_msg("%s: %s is \"%.*s\"", label, what, STR_FMT(got));
}

/* ---- parameters ----------------------------------------------------- */

/* DK-F-11, DK-G-03: neither the first nor the last wins */
static void
refuses_a_name_that_is_given_twice(void **state)
{
	static const char *const names[] = { "REQUEST_METHOD", "REQUEST_URI",
		"SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE",
		"CONTENT_LENGTH", "REMOTE_ADDR", "HTTPS", "REQUEST_SCHEME",
		"DOORKEEP_SECRET", "HTTP_DOORKEEP_SECRET",
		"REDIRECT_REQUEST_METHOD", "HTTP_HOST", "HTTP_ORIGIN",
		"HTTP_REFERER", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_MODE",
		"HTTP_SEC_FETCH_DEST", "HTTP_X_FORWARDED_FOR",
		"HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST",
		"HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CSRF_TOKEN",
		"HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING",
		"HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_USER_AGENT",
		"HTTP_IF_NONE_MATCH" };
	static const char *const second[] = { "1", "", "other" };
	char first[64], again[64];
	const char *vars[] = { first, "OTHER=x", again, NULL };
	struct request req;
	struct buf b;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (k = 0; k < sizeof(second) / sizeof(second[0]); k++) {
			BUF_OVER(&b, first);
			buf_addf(&b, "%s=%s", names[i], k == 1 ? "" : "1");
			BUF_OVER(&b, again);
			buf_addf(&b, "%s=%s", names[i], second[k]);
			if (read_vars(&req, vars) != DK_ERR_INPUT)
				fail_msg("%s, then %s", first, again);
		}
}

/* DK-G-02, DK-G-06: what nobody reads may be anything */
static void
looks_at_no_other_names(void **state)
{
	static const char *const vars[] = { "REMOTE_USER=admin",
		"REMOTE_USER=root", "AUTH_TYPE=Basic",
		"HTTP_PROXY=http://other.example", "HTTP_X_REMOTE_USER=admin",
		"HTTP_X_HTTP_METHOD_OVERRIDE=DELETE", "REQUEST_METHOD=GET",
		"remote_addr=127.0.0.1", "HTTP_X_FORWARDED_FOR_=127.0.0.1",
		"BASH_FUNC_x%%=() { :; }", "REQUEST_URI=/auth/login", NULL };
	struct request req;

	(void)state;
	assert_int_equal(read_vars(&req, vars), DK_OK);
	assert_int_equal(req.method, METHOD_GET);
	assert_false(req.has_addr);
	check_str("other names", "route", req.route, "/login");
}

/* DK-F-11, TR-10: a name ends at its first '=', so this is no address */
static void
refuses_variables_without_a_name(void **state)
{
	static const char *const refused[] = { "", "=", "=x", "REMOTE_ADDR",
		"x" };
	static const char *const odd[] = { "REMOTE_ADDR=127.0.0.1=x",
		"REQUEST_METHOD=POST=", NULL };
	const char *vars[] = { "REQUEST_METHOD=GET", NULL, NULL };
	struct request req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		vars[1] = refused[i];
		if (read_vars(&req, vars) != DK_ERR_INPUT)
			fail_msg("taken: \"%s\"", refused[i]);
	}
	assert_int_equal(read_vars(&req, odd), DK_OK);
	assert_false(req.has_addr);
	assert_int_equal(req.method, METHOD_OTHER);
}

/* n parameters of len bytes each, "A=xxx", ended by NULL; one block */
static char **
make_params(size_t n, size_t len, char **block)
{
	char **params = calloc(n + 1, sizeof(*params));
	size_t i;

	*block = malloc(n * (len + 1));
	if (params == NULL || *block == NULL)
		abort();
	for (i = 0; i < n; i++) {
		params[i] = *block + i * (len + 1);
		memset(params[i], 'x', len);
		params[i][1] = '=';
		params[i][len] = '\0';
	}
	return params;
}

/* DK-F-11: number, size and sum */
static void
bounds_the_parameters(void **state)
{
	static const struct {
		size_t n, len;
		enum dk_err err;
	} cases[] = {
		{ 0, 2, DK_OK },
		{ REQUEST_PARAMS_MAX, 2, DK_OK },
		{ REQUEST_PARAMS_MAX + 1, 2, DK_ERR_TOO_LARGE },
		{ 10000, 2, DK_ERR_TOO_LARGE },
		{ 1, REQUEST_PARAM_MAX, DK_OK },
		{ 1, REQUEST_PARAM_MAX + 1, DK_ERR_TOO_LARGE },
		{ 4, REQUEST_PARAMS_TOTAL_MAX / 4, DK_OK },
		{ 5, REQUEST_PARAMS_TOTAL_MAX / 5 + 1, DK_ERR_TOO_LARGE },
		{ REQUEST_PARAMS_MAX,
		    REQUEST_PARAMS_TOTAL_MAX / REQUEST_PARAMS_MAX, DK_OK },
		{ REQUEST_PARAMS_MAX,
		    REQUEST_PARAMS_TOTAL_MAX / REQUEST_PARAMS_MAX + 1,
		    DK_ERR_TOO_LARGE },
	};
	const char *problem;
	struct request req;
	char **params, *block;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		params = make_params(cases[i].n, cases[i].len, &block);
		if (request_read(&req, REQUEST_RESPONDER, params, &plain,
			&arena, &problem) != cases[i].err)
			fail_msg("%zu of %zu bytes", cases[i].n, cases[i].len);
		free(block);
		free(params);
	}
}

/* DK-C-10 */
static void
takes_several_cookie_lines(void **state)
{
	static const char *const vars[] = { "HTTP_COOKIE=a=b",
		"REQUEST_METHOD=GET", "HTTP_COOKIE=sid=x; c=d",
		"HTTP_COOKIE=", NULL };
	const char *many[REQUEST_COOKIES_MAX + 2];
	struct request req;
	size_t i;

	(void)state;
	assert_int_equal(read_vars(&req, vars), DK_OK);
	assert_int_equal(req.n_cookies, 3);
	check_str("lines", "first", req.cookies[0], "a=b");
	check_str("lines", "second", req.cookies[1], "sid=x; c=d");
	check_str("lines", "third", req.cookies[2], "");
	for (i = 0; i <= REQUEST_COOKIES_MAX; i++)
		many[i] = "HTTP_COOKIE=a=b";
	many[REQUEST_COOKIES_MAX + 1] = NULL;
	assert_int_equal(read_vars(&req, many), DK_ERR_TOO_LARGE);
	many[REQUEST_COOKIES_MAX] = NULL;
	assert_int_equal(read_vars(&req, many), DK_OK);
	assert_int_equal(req.n_cookies, REQUEST_COOKIES_MAX);
}

/* What an error page needs is there although the request is refused. */
static void
says_how_to_answer_a_refused_request(void **state)
{
	static const char *const vars[] = { "REQUEST_METHOD=HEAD",
		"HTTP_ACCEPT=application/json", "CONTENT_LENGTH=x",
		"REQUEST_URI=/auth/login", NULL };
	struct request a, b;

	(void)state;
	assert_int_equal(read_vars(&a, vars), DK_ERR_INPUT);
	assert_int_equal(a.method, METHOD_HEAD);
	check_str("refused", "method", a.method_text, "HEAD");
	assert_true(a.wants_json);
	assert_int_equal(read_vars(&b, vars), DK_ERR_INPUT);
	assert_string_not_equal(a.id, b.id);
}

/* ---- length, method, types ------------------------------------------- */

/* DK-I-06 */
static void
takes_only_digits_as_content_length(void **state)
{
	static const struct {
		const char *text;
		bool ok, has;
		uint64_t length;
	} cases[] = {
		{ "", true, false, 0 },
		{ "0", true, true, 0 },
		{ "5", true, true, 5 },
		{ "0005", true, true, 5 },
		{ "65536", true, true, 65536 },
		{ "2147483648", true, true, UINT64_C(2147483648) },
		{ "4294967296", true, true, UINT64_C(4294967296) },
		{ "9223372036854775807", true, true, INT64_MAX },
		{ "9223372036854775808", false, false, 0 },
		{ "18446744073709551616", false, false, 0 },
		{ "100000000000000000000", false, false, 0 },
		{ "-1", false, false, 0 },
		{ "+5", false, false, 0 },
		{ " 5", false, false, 0 },
		{ "5 ", false, false, 0 },
		{ "\t5", false, false, 0 },
		{ "5\n", false, false, 0 },
		{ "0x10", false, false, 0 },
		{ "5,5", false, false, 0 },
		{ "5, 5", false, false, 0 },
		{ "5.0", false, false, 0 },
		{ "5e1", false, false, 0 },
		{ "5k", false, false, 0 },
		{ "\xd9\xa5", false, false, 0 },
	};
	char text[64];
	const char *vars[] = { "REQUEST_METHOD=POST", "REQUEST_URI=/auth/login",
		text, NULL };
	struct request req;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "CONTENT_LENGTH=%s", cases[i].text);
		if ((read_vars(&req, vars) == DK_OK) != cases[i].ok ||
		    req.has_body_length != cases[i].has ||
		    req.body_length != cases[i].length)
			fail_msg("%s", text);
	}
}

/* DK-I-11: names are case-sensitive; DK-I-12: nothing overrides them */
static void
knows_the_methods_by_their_exact_names(void **state)
{
	static const struct {
		const char *text;
		enum request_method method;
		bool safe;
	} cases[] = {
		{ "GET", METHOD_GET, true },
		{ "HEAD", METHOD_HEAD, true },
		{ "OPTIONS", METHOD_OPTIONS, true },
		{ "POST", METHOD_POST, false },
		{ "PUT", METHOD_PUT, false },
		{ "PATCH", METHOD_PATCH, false },
		{ "DELETE", METHOD_DELETE, false },
		{ "TRACE", METHOD_OTHER, false },
		{ "CONNECT", METHOD_OTHER, false },
		{ "get", METHOD_OTHER, false },
		{ "Post", METHOD_OTHER, false },
		{ "GETS", METHOD_OTHER, false },
		{ "GE", METHOD_OTHER, false },
		{ " GET", METHOD_OTHER, false },
		{ "GET ", METHOD_OTHER, false },
		{ "", METHOD_OTHER, false },
	};
	char text[64];
	const char *vars[] = { "HTTP_X_HTTP_METHOD_OVERRIDE=GET", text, NULL };
	struct request req;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "REQUEST_METHOD=%s", cases[i].text);
		assert_int_equal(read_vars(&req, vars), DK_OK);
		if (req.method != cases[i].method ||
		    request_is_safe(&req) != cases[i].safe)
			fail_msg("%s", text);
		check_str(text, "method", req.method_text, cases[i].text);
	}
	vars[1] = NULL;
	assert_int_equal(read_vars(&req, vars), DK_OK);
	assert_int_equal(req.method, METHOD_OTHER);
	assert_false(request_is_safe(&req));
}

/* DK-I-02: the whole media type, any case, parameters tolerated */
static void
compares_media_types_as_a_whole(void **state)
{
	static const struct {
		const char *type;
		bool json, form;
	} cases[] = {
		{ "application/json", true, false },
		{ "Application/JSON", true, false },
		{ "application/json; charset=utf-8", true, false },
		{ "application/json;charset=x;y=z", true, false },
		{ " application/json ;", true, false },
		{ "application/x-www-form-urlencoded", false, true },
		{ "APPLICATION/X-WWW-FORM-URLENCODED;charset=utf-8", false,
		    true },
		{ "", false, false },
		{ ";", false, false },
		{ ";application/json", false, false },
		{ "application/jsonx", false, false },
		{ "application/jso", false, false },
		{ "application/json-patch+json", false, false },
		{ "application/ld+json", false, false },
		{ "xapplication/json", false, false },
		{ "text/json", false, false },
		{ "text/plain", false, false },
		{ "text/plain;application/json", false, false },
		{ "text/plain, application/json", false, false },
		{ "application/json, text/plain", false, false },
		{ "application /json", false, false },
		{ "application/json\tx", false, false },
		{ "multipart/form-data; boundary=application/json", false,
		    false },
		{ "application/x-www-form-urlencodedd", false, false },
		{ "*/*", false, false },
	};
	char text[128];
	const char *vars[] = { text, NULL };
	struct request req;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "CONTENT_TYPE=%s", cases[i].type);
		assert_int_equal(read_vars(&req, vars), DK_OK);
		if (req.is_json != cases[i].json ||
		    req.is_form != cases[i].form ||
		    req.wants_json != cases[i].json)
			fail_msg("%s", text);
	}
	vars[0] = NULL;
	assert_int_equal(read_vars(&req, vars), DK_OK);
	assert_false(req.is_json || req.is_form);
}

/* INTERFACE 3 */
static void
answers_json_to_those_who_ask_for_it(void **state)
{
	static const struct {
		const char *vars[3];
		bool json;
	} cases[] = {
		{ { NULL }, false },
		{ { "HTTP_ACCEPT=" }, false },
		{ { "HTTP_ACCEPT=*/*" }, false },
		{ { "HTTP_ACCEPT=text/html,*/*;q=0.8" }, false },
		{ { "HTTP_ACCEPT=application/json" }, true },
		{ { "HTTP_ACCEPT=text/plain, Application/Json;q=0.5" }, true },
		{ { "HTTP_ACCEPT=application/json, text/html" }, false },
		{ { "HTTP_ACCEPT=application/jsonp" }, false },
		{ { "HTTP_SEC_FETCH_MODE=navigate" }, false },
		{ { "HTTP_SEC_FETCH_MODE=cors" }, true },
		{ { "HTTP_SEC_FETCH_MODE=no-cors" }, true },
		{ { "HTTP_SEC_FETCH_MODE=" }, true },
		{ { "HTTP_SEC_FETCH_MODE=navigate", "HTTP_ACCEPT=text/html" },
		    false },
		{ { "HTTP_SEC_FETCH_MODE=navigate",
		      "CONTENT_TYPE=application/json" },
		    true },
	};
	struct request req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_vars(&req, cases[i].vars), DK_OK);
		if (req.wants_json != cases[i].json)
			fail_msg("%s", cases[i].vars[0]);
	}
}

/* DK-X-05: unknown values count as absent, they prove nothing */
static void
knows_the_values_of_sec_fetch_site(void **state)
{
	static const struct {
		const char *var;
		enum fetch_site site;
	} cases[] = {
		{ "HTTP_SEC_FETCH_SITE=same-origin", FETCH_SITE_SAME_ORIGIN },
		{ "HTTP_SEC_FETCH_SITE=same-site", FETCH_SITE_SAME_SITE },
		{ "HTTP_SEC_FETCH_SITE=cross-site", FETCH_SITE_CROSS_SITE },
		{ "HTTP_SEC_FETCH_SITE=none", FETCH_SITE_NONE },
		{ "HTTP_SEC_FETCH_SITE=", FETCH_SITE_ABSENT },
		{ "HTTP_SEC_FETCH_SITE=Same-Origin", FETCH_SITE_ABSENT },
		{ "HTTP_SEC_FETCH_SITE=same-origin ", FETCH_SITE_ABSENT },
		{ "HTTP_SEC_FETCH_SITE=same-origin, same-origin",
		    FETCH_SITE_ABSENT },
		{ "HTTP_SEC_FETCH_SITE=foo", FETCH_SITE_ABSENT },
		{ "OTHER=x", FETCH_SITE_ABSENT },
	};
	const char *vars[] = { NULL, NULL };
	struct request req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vars[0] = cases[i].var;
		assert_int_equal(read_vars(&req, vars), DK_OK);
		if (req.fetch_site != cases[i].site)
			fail_msg("%s", vars[0]);
	}
}

static void
keeps_the_other_headers_as_they_are(void **state)
{
	static const char *const vars[] = { "HTTP_ORIGIN=null",
		"HTTP_REFERER=https://h/?a=b",
		"HTTP_X_CSRF_TOKEN=t=", "HTTP_USER_AGENT= x ",
		"HTTP_ACCEPT_LANGUAGE=de", "HTTP_IF_NONE_MATCH=\"e\"",
		"HTTP_CONTENT_ENCODING=gzip", "HTTP_TRANSFER_ENCODING= Chunked",
		"HTTP_SEC_FETCH_DEST=image", "HTTP_HOST=www.example.org:80",
		NULL };
	static const char *const none[] = { NULL };
	struct request req;

	(void)state;
	assert_int_equal(read_vars(&req, vars), DK_OK);
	check_str("given", "origin", req.origin, "null");
	check_str("given", "referer", req.referer, "https://h/?a=b");
	check_str("given", "token", req.csrf_header, "t=");
	check_str("given", "user agent", req.user_agent, " x ");
	check_str("given", "language", req.accept_language, "de");
	check_str("given", "tag", req.if_none_match, "\"e\"");
	check_str("given", "encoding", req.content_encoding, "gzip");
	check_str("given", "dest", req.fetch_dest, "image");
	check_str("given", "host", req.host, "www.example.org:80");
	assert_true(req.chunked);
	assert_int_equal(read_vars(&req, none), DK_OK);
	check_str("absent", "origin", req.origin, NULL);
	check_str("absent", "referer", req.referer, NULL);
	check_str("absent", "host", req.host, NULL);
	assert_false(req.chunked);
}

/* ---- who asks --------------------------------------------------------- */

struct peer_case {
	const char *label;
	const char *vars[6];
	const char *addr; /* "" for none */
	bool https, local;
	const char *host;
};

/* DK-G-04, DK-G-05, DK-G-07 */
static const struct peer_case direct[] = {
	{ "nothing known", { NULL }, "", false, false, NULL },
	{ "peer", { "REMOTE_ADDR=198.51.100.1" }, "198.51.100.1", false, false,
	    NULL },
	{ "loopback", { "REMOTE_ADDR=127.0.0.1" }, "127.0.0.1", false, true,
	    NULL },
	{ "loopback, IPv6", { "REMOTE_ADDR=::1" }, "::1", false, true, NULL },
	{ "loopback, mapped", { "REMOTE_ADDR=::ffff:127.0.0.1" }, "127.0.0.1",
	    false, true, NULL },
	{ "empty peer", { "REMOTE_ADDR=" }, "", false, false, NULL },
	{ "socket", { "REMOTE_ADDR=unix:" }, "", false, false, NULL },
	{ "socket and header",
	    { "REMOTE_ADDR=unix:", "HTTP_X_FORWARDED_FOR=127.0.0.1" }, "",
	    false, false, NULL },
	{ "no peer, header", { "HTTP_X_FORWARDED_FOR=127.0.0.1" }, "", false,
	    false, NULL },
	/* A proxy that nobody configured must not make everybody local. */
	{ "loopback that forwards",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_FOR=127.0.0.1" },
	    "127.0.0.1", false, false, NULL },
	{ "loopback with Forwarded",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_FORWARDED=for=127.0.0.1" },
	    "127.0.0.1", false, false, NULL },
	{ "loopback with X-Real-IP",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_REAL_IP=127.0.0.1" },
	    "127.0.0.1", false, false, NULL },
	{ "loopback with X-Forwarded-Proto",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_PROTO=https" },
	    "127.0.0.1", false, false, NULL },
	{ "planted headers",
	    { "REMOTE_ADDR=198.51.100.1", "HTTP_X_FORWARDED_FOR=127.0.0.1",
		"HTTP_X_FORWARDED_PROTO=https",
		"HTTP_X_FORWARDED_HOST=other.example", "HTTP_HOST=h" },
	    "198.51.100.1", false, false, "h" },
	{ "HTTPS on", { "HTTPS=on" }, "", true, false, NULL },
	{ "HTTPS On", { "HTTPS=On" }, "", true, false, NULL },
	{ "HTTPS 1", { "HTTPS=1" }, "", true, false, NULL },
	{ "HTTPS off", { "HTTPS=off" }, "", false, false, NULL },
	{ "HTTPS empty", { "HTTPS=" }, "", false, false, NULL },
	{ "HTTPS 0", { "HTTPS=0" }, "", false, false, NULL },
	{ "scheme https", { "REQUEST_SCHEME=https" }, "", true, false, NULL },
	{ "scheme http", { "REQUEST_SCHEME=http" }, "", false, false, NULL },
	{ "a header named HTTPS", { "HTTP_HTTPS=on" }, "", false, false, NULL },
};

static const struct peer_case proxied[] = {
	{ "one hop",
	    { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=203.0.113.9" },
	    "203.0.113.9", false, false, NULL },
	{ "planted on the left",
	    { "REMOTE_ADDR=10.0.0.1",
		"HTTP_X_FORWARDED_FOR=127.0.0.1, 203.0.113.9" },
	    "203.0.113.9", false, false, NULL },
	{ "proto and host",
	    { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=203.0.113.9",
		"HTTP_X_FORWARDED_PROTO=https",
		"HTTP_X_FORWARDED_HOST=www.example.org", "HTTP_HOST=inner" },
	    "203.0.113.9", true, false, "www.example.org" },
	{ "proto says http",
	    { "REMOTE_ADDR=10.0.0.1", "HTTPS=on",
		"HTTP_X_FORWARDED_PROTO=http" },
	    "10.0.0.1", false, false, NULL },
	{ "proto planted on the left",
	    { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=https, http" },
	    "10.0.0.1", false, false, NULL },
	{ "proto, the last counts",
	    { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=http,\tHTTPS " },
	    "10.0.0.1", true, false, NULL },
	{ "proto is empty",
	    { "REMOTE_ADDR=10.0.0.1", "HTTPS=on", "HTTP_X_FORWARDED_PROTO=" },
	    "10.0.0.1", false, false, NULL },
	{ "proto is strange",
	    { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_PROTO=httpsx" },
	    "10.0.0.1", false, false, NULL },
	{ "two hosts",
	    { "REMOTE_ADDR=10.0.0.1",
		"HTTP_X_FORWARDED_HOST=a.example, b.example",
		"HTTP_HOST=inner" },
	    "10.0.0.1", false, false, "inner" },
	{ "empty host",
	    { "REMOTE_ADDR=10.0.0.1",
		"HTTP_X_FORWARDED_HOST=", "HTTP_HOST=inner" },
	    "10.0.0.1", false, false, "inner" },
	{ "stranger",
	    { "REMOTE_ADDR=198.51.100.1", "HTTP_X_FORWARDED_FOR=127.0.0.1",
		"HTTP_X_FORWARDED_PROTO=https",
		"HTTP_X_FORWARDED_HOST=other.example", "HTTP_HOST=h" },
	    "198.51.100.1", false, false, "h" },
	{ "stranger behind a proxy says loopback",
	    { "REMOTE_ADDR=10.0.0.1",
		"HTTP_X_FORWARDED_FOR=127.0.0.1, 198.51.100.1" },
	    "198.51.100.1", false, false, NULL },
	{ "local proxy, local person",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_FOR=127.0.0.1" },
	    "127.0.0.1", false, true, NULL },
	{ "local proxy, stranger",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_FOR=203.0.113.9" },
	    "203.0.113.9", false, false, NULL },
	{ "local proxy, planted in front of a local person",
	    { "REMOTE_ADDR=127.0.0.1",
		"HTTP_X_FORWARDED_FOR=unknown, 127.0.0.1" },
	    "127.0.0.1", false, true, NULL },
	{ "nobody between", { "REMOTE_ADDR=127.0.0.1" }, "127.0.0.1", false,
	    true, NULL },
	/* Who it forwards for is not known, so it is nobody local. */
	{ "local proxy that names a socket",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_FOR=unix:" },
	    "127.0.0.1", false, false, NULL },
	{ "local proxy that names nobody",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_FOR=" }, "127.0.0.1",
	    false, false, NULL },
	{ "local proxy with another header",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_REAL_IP=203.0.113.9" },
	    "127.0.0.1", false, false, NULL },
	{ "local proxy, scheme only",
	    { "REMOTE_ADDR=127.0.0.1", "HTTP_X_FORWARDED_PROTO=http" },
	    "127.0.0.1", false, false, NULL },
	{ "far proxy, loopback hop",
	    { "REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=127.0.0.1" },
	    "127.0.0.1", false, false, NULL },
	{ "socket",
	    { "REMOTE_ADDR=unix:", "HTTP_X_FORWARDED_FOR=203.0.113.9",
		"HTTP_X_FORWARDED_PROTO=https" },
	    "", false, false, NULL },
};

static void
check_peer(const struct peer_case *c, const struct request_rules *rules)
{
	struct request req;

	if (read_role(&req, REQUEST_RESPONDER, c->vars, rules) != DK_OK)
		fail_msg("%s: refused", c->label);
	if (strcmp(req.addr_text, c->addr) != 0 ||
	    req.has_addr != (c->addr[0] != '\0'))
		fail_msg("%s: address \"%s\"", c->label, req.addr_text);
	if (req.https != c->https)
		fail_msg("%s: https %d", c->label, req.https);
	if (req.local != c->local)
		fail_msg("%s: local %d", c->label, req.local);
	check_str(c->label, "host", req.host, c->host);
}

static void
believes_the_server_and_no_header(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		check_peer(&direct[i], &plain);
}

static void
believes_headers_of_trusted_proxies(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(proxied) / sizeof(proxied[0]); i++)
		check_peer(&proxied[i], &behind_proxies);
}

/* DK-F-05 */
static void
asks_the_server_for_the_shared_secret(void **state)
{
	static const struct {
		const char *vars[3];
		bool ok;
	} cases[] = {
		{ { "DOORKEEP_SECRET=abcdef" }, true },
		{ { "X=y", "DOORKEEP_SECRET=abcdef" }, true },
		{ { "X=y" }, false },
		{ { "DOORKEEP_SECRET=" }, false },
		{ { "DOORKEEP_SECRET=abcde" }, false },
		{ { "DOORKEEP_SECRET=abcdefg" }, false },
		{ { "DOORKEEP_SECRET=abcdeg" }, false },
		{ { "DOORKEEP_SECRET=ABCDEF" }, false },
		/* as a header, where the server has no other way; its own
		 * variable comes first */
		{ { "HTTP_DOORKEEP_SECRET=abcdef" }, true },
		{ { "HTTP_DOORKEEP_SECRET=abcdeg" }, false },
		{ { "HTTP_DOORKEEP_SECRET=" }, false },
		{ { "DOORKEEP_SECRET=x", "HTTP_DOORKEEP_SECRET=abcdef" },
		    false },
		{ { "DOORKEEP_SECRET=", "HTTP_DOORKEEP_SECRET=abcdef" },
		    false },
		{ { "HTTP_DOORKEEP_SECRET=x", "HTTP_DOORKEEP_SECRET=abcdef" },
		    false },
		{ { "HTTP_X_DOORKEEP_SECRET=abcdef" }, false },
		{ { "DOORKEEP_SECRET=abcdef", "DOORKEEP_SECRET=x" }, false },
		{ { "DOORKEEP_SECRET=x", "DOORKEEP_SECRET=abcdef" }, false },
	};
	struct request_rules rules = plain;
	struct request req;
	size_t i;

	(void)state;
	rules.shared_secret = STR("abcdef");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (read_role(&req, REQUEST_RESPONDER, cases[i].vars, &rules) !=
			(cases[i].ok ? DK_OK : DK_ERR_INPUT) ||
		    req.stranger == cases[i].ok)
			fail_msg("case %zu", i);
}

/* ---- what is meant ---------------------------------------------------- */

struct route_case {
	const char *label;
	const char *vars[6];
	/* NULL: STR_NONE */
	const char *route, *query, *wanted;
};

/* INTERFACE 9, DK-G-09 */
static const struct route_case under_auth[] = {
	{ "by request line", { "REQUEST_URI=/auth/login" }, "/login", "",
	    NULL },
	{ "with query", { "REQUEST_URI=/auth/login?next=/a?b" }, "/login",
	    "next=/a?b", NULL },
	{ "empty query", { "REQUEST_URI=/auth/login?" }, "/login", "", NULL },
	{ "the mount", { "REQUEST_URI=/auth" }, "/", "", NULL },
	{ "the mount and query", { "REQUEST_URI=/auth?a" }, "/", "a", NULL },
	{ "the mount and slash", { "REQUEST_URI=/auth/" }, "/", "", NULL },
	{ "deep", { "REQUEST_URI=/auth/account/sessions" }, "/account/sessions",
	    "", NULL },
	{ "decoded once", { "REQUEST_URI=/auth/%6cogin" }, "/login", "", NULL },
	{ "not twice", { "REQUEST_URI=/auth/%256cogin" }, "/%6cogin", "",
	    NULL },
	{ "dots stay", { "REQUEST_URI=/auth/./login" }, "/./login", "", NULL },
	{ "slashes stay", { "REQUEST_URI=/auth//login" }, "//login", "", NULL },
	{ "fragment stays", { "REQUEST_URI=/auth/health#x" }, "/health#x", "",
	    NULL },
	{ "absolute form", { "REQUEST_URI=http://h/auth/login?a" }, "/login",
	    "a", NULL },
	{ "absolute form, https", { "REQUEST_URI=https://h:1/auth/login" },
	    "/login", "", NULL },
	{ "the server's query does not count",
	    { "REQUEST_URI=/auth/login?a", "QUERY_STRING=b" }, "/login", "a",
	    NULL },
	{ "the server's script does not count",
	    { "REQUEST_URI=/auth/login", "SCRIPT_NAME=/auth/check",
		"PATH_INFO=" },
	    "/login", "", NULL },
	{ "no request line",
	    { "SCRIPT_NAME=/auth", "PATH_INFO=/login", "QUERY_STRING=a=b" },
	    "/login", "a=b", NULL },
	{ "no request line, no query",
	    { "SCRIPT_NAME=/auth", "PATH_INFO=/login" }, "/login", NULL, NULL },
	{ "empty request line", { "REQUEST_URI=", "SCRIPT_NAME=/auth/login" },
	    "/login", NULL, NULL },
	{ "script is another file",
	    { "SCRIPT_NAME=/cgi-bin/doorkeep.fcgi", "PATH_INFO=/login" }, NULL,
	    NULL, NULL },
	{ "nothing", { NULL }, NULL, NULL, NULL },
	/* sent here in place of another page */
	{ "auth_request",
	    { "REQUEST_URI=/reports/?a", "SCRIPT_NAME=/auth/check" }, "/check",
	    "", "/reports/?a" },
	{ "error page",
	    { "REQUEST_URI=/reports/", "SCRIPT_NAME=/auth", "PATH_INFO=/login",
		"QUERY_STRING=next=/other" },
	    "/login", "", "/reports/" },
	{ "wanted stays raw",
	    { "REQUEST_URI=/%2e%2e//a#b", "SCRIPT_NAME=/auth/check" }, "/check",
	    "", "/%2e%2e//a#b" },
	{ "mount is a prefix only",
	    { "REQUEST_URI=/authority", "SCRIPT_NAME=/auth/check" }, "/check",
	    "", "/authority" },
	{ "mount in another case",
	    { "REQUEST_URI=/Auth/login", "SCRIPT_NAME=/auth/check" }, "/check",
	    "", "/Auth/login" },
	{ "mount in the query",
	    { "REQUEST_URI=/?/auth/health", "SCRIPT_NAME=/auth/check" },
	    "/check", "", "/?/auth/health" },
	{ "mount further inside",
	    { "REQUEST_URI=/x/auth/health", "SCRIPT_NAME=/auth/check" },
	    "/check", "", "/x/auth/health" },
	{ "two slashes in front",
	    { "REQUEST_URI=//auth/health", "SCRIPT_NAME=/auth/check" },
	    "/check", "", "//auth/health" },
	/* Servers read an empty path here. */
	{ "absolute form, mount in the query",
	    { "REQUEST_URI=http://h?/auth/health", "SCRIPT_NAME=/auth/check" },
	    "/check", "", "http://h?/auth/health" },
	{ "absolute form, mount in the fragment",
	    { "REQUEST_URI=http://h#/auth/health", "SCRIPT_NAME=/auth/check" },
	    "/check", "", "http://h#/auth/health" },
	{ "absolute form without a path",
	    { "REQUEST_URI=http://h", "SCRIPT_NAME=/auth/check" }, "/check", "",
	    "http://h" },
	{ "asterisk", { "REQUEST_URI=*", "SCRIPT_NAME=/auth/check" }, "/check",
	    "", "*" },
	{ "nothing of ours",
	    { "REQUEST_URI=/x", "SCRIPT_NAME=/x", "PATH_INFO=/auth/login" },
	    NULL, "", "/x" },
	{ "mount in the script's name",
	    { "REQUEST_URI=/x", "SCRIPT_NAME=/authx", "PATH_INFO=/login" },
	    NULL, "", "/x" },
};

/* With the mount at the root every URL lies below it. */
static const struct route_case under_root[] = {
	{ "by request line", { "REQUEST_URI=/login?a" }, "/login", "a", NULL },
	{ "the root", { "REQUEST_URI=/" }, "/", "", NULL },
	{ "the server says the same",
	    { "REQUEST_URI=/login", "SCRIPT_NAME=/login" }, "/login", "",
	    NULL },
	{ "the server says the same in parts",
	    { "REQUEST_URI=/account/end", "SCRIPT_NAME=/account",
		"PATH_INFO=/end" },
	    "/account/end", "", NULL },
	{ "auth_request", { "REQUEST_URI=/reports/", "SCRIPT_NAME=/check" },
	    "/check", "", "/reports/" },
	{ "auth_request for a route's name",
	    { "REQUEST_URI=/health", "SCRIPT_NAME=/check" }, "/check", "",
	    "/health" },
	{ "script at the root", { "REQUEST_URI=/login", "SCRIPT_NAME=/" },
	    "/login", "", NULL },
	{ "no request line", { "PATH_INFO=/login" }, "/login", NULL, NULL },
};

static void
check_route(const struct route_case *c, const struct request_rules *rules)
{
	struct request req;

	if (read_role(&req, REQUEST_RESPONDER, c->vars, rules) != DK_OK)
		fail_msg("%s: refused", c->label);
	check_str(c->label, "route", req.route, c->route);
	check_str(c->label, "query", req.query, c->query);
	check_str(c->label, "wanted", req.wanted, c->wanted);
}

static void
finds_the_route_and_the_wanted_page(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(under_auth) / sizeof(under_auth[0]); i++)
		check_route(&under_auth[i], &plain);
	for (i = 0; i < sizeof(under_root) / sizeof(under_root[0]); i++)
		check_route(&under_root[i], &at_root);
}

/* DK-I-13 */
static void
refuses_a_route_that_is_no_text(void **state)
{
	static const char *const cases[] = { "REQUEST_URI=/auth/%",
		"REQUEST_URI=/auth/%2", "REQUEST_URI=/auth/%zz",
		"REQUEST_URI=/auth/%00", "REQUEST_URI=/auth/login%00",
		"REQUEST_URI=/auth/%0a", "REQUEST_URI=/auth/\x7f",
		"REQUEST_URI=/auth/%ff", "REQUEST_URI=/auth/%c0%af",
		"REQUEST_URI=/auth/%E2%80%AE" };
	const char *vars[] = { NULL, "SCRIPT_NAME=/auth/login", NULL };
	struct request req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vars[0] = cases[i];
		if (read_vars(&req, vars) != DK_ERR_INPUT ||
		    !str_is_none(req.route))
			fail_msg("%s", cases[i]);
	}
}

/* DK-A-05, DK-A-06: the authorizer judges the raw request line alone */
static void
gives_the_authorizer_the_wanted_page(void **state)
{
	static const struct {
		const char *vars[5];
		const char *wanted;
	} cases[] = {
		{ { "REQUEST_URI=/a/%2e?b" }, "/a/%2e?b" },
		{ { "REQUEST_URI=/auth/login", "SCRIPT_NAME=/auth/login" },
		    "/auth/login" },
		{ { "REQUEST_URI=/a", "CONTENT_LENGTH=5",
		      "HTTP_TRANSFER_ENCODING=chunked" },
		    "/a" },
		{ { "REQUEST_URI=/auth/%zz" }, "/auth/%zz" },
		{ { "REQUEST_URI=" }, "" },
		{ { "SCRIPT_NAME=/a", "PATH_INFO=/b" }, NULL },
		{ { NULL }, NULL },
	};
	struct request req;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (read_role(&req, REQUEST_AUTHORIZER, cases[i].vars,
			&plain) != DK_OK)
			fail_msg("case %zu: refused", i);
		check_str("authorizer", "wanted", req.wanted, cases[i].wanted);
		check_str("authorizer", "route", req.route, NULL);
		check_str("authorizer", "query", req.query, "");
		assert_false(req.chunked);
	}
}

static void
knows_the_method_of_the_wanted_page(void **state)
{
	static const char *const direct_vars[] = { "REQUEST_METHOD=POST",
		NULL };
	static const char *const redirected[] = { "REQUEST_METHOD=GET",
		"REDIRECT_REQUEST_METHOD=POST", NULL };
	struct request req;

	(void)state;
	assert_int_equal(read_vars(&req, direct_vars), DK_OK);
	check_str("direct", "wanted method", req.wanted_method, "POST");
	assert_int_equal(read_vars(&req, redirected), DK_OK);
	assert_int_equal(req.method, METHOD_GET);
	check_str("redirected", "wanted method", req.wanted_method, "POST");
}

static void
bounds_the_request_line(void **state)
{
	static char text[12 + REQUEST_TARGET_MAX + 2];
	const char *vars[] = { text, NULL };
	struct request req;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "REQUEST_URI=/auth/", 18);
	assert_int_equal(read_vars(&req, vars), DK_ERR_TOO_LARGE);
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(read_vars(&req, vars), DK_OK);
	assert_int_equal(req.route.n, REQUEST_TARGET_MAX - 5);
}

/* DK-G-06, DK-F-11: one that comes twice is nobody's word */
static void
finds_a_parameter_that_comes_once(void **state)
{
	static char a[] = "A=1", equals[] = "EQ=x=y=", empty[] = "EMPTY=",
		    twice[] = "TWICE=1", again[] = "TWICE=1", lower[] = "low=1";
	char *params[] = { a, twice, equals, empty, again, lower, NULL };
	static const struct {
		const char *name, *value;
	} cases[] = { { "A", "1" }, { "EQ", "x=y=" }, { "EMPTY", "" },
		{ "low", "1" }, { "TWICE", NULL }, { "LOW", NULL },
		{ "B", NULL }, { "", NULL }, { "EQ=x", NULL }, { "A=1", NULL },
		{ "EMPT", NULL } };
	struct request req;
	const char *problem;
	size_t i;

	(void)state;
	assert_int_equal(request_read(&req, REQUEST_RESPONDER, params, &plain,
			     &arena, &problem),
	    DK_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_str(cases[i].name, "value",
		    request_param(&req, str_from(cases[i].name)),
		    cases[i].value);
}

static void
says_when_memory_is_used_up(void **state)
{
	char uri[] = "REQUEST_URI=/auth/login", *params[] = { uri, NULL };
	const char *problem;
	struct request req;
	struct arena none;

	(void)state;
	assert_int_equal(arena_open(&none, 1), DK_OK);
	assert_non_null(arena_alloc(&none, 1));
	assert_int_equal(request_read(&req, REQUEST_RESPONDER, params, &plain,
			     &none, &problem),
	    DK_ERR_NOMEM);
	arena_close(&none);
}

#define TEST(name) cmocka_unit_test_teardown(name, reset_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_a_name_that_is_given_twice),
		TEST(looks_at_no_other_names),
		TEST(refuses_variables_without_a_name),
		TEST(bounds_the_parameters),
		TEST(takes_several_cookie_lines),
		TEST(says_how_to_answer_a_refused_request),
		TEST(takes_only_digits_as_content_length),
		TEST(knows_the_methods_by_their_exact_names),
		TEST(compares_media_types_as_a_whole),
		TEST(answers_json_to_those_who_ask_for_it),
		TEST(knows_the_values_of_sec_fetch_site),
		TEST(keeps_the_other_headers_as_they_are),
		TEST(believes_the_server_and_no_header),
		TEST(believes_headers_of_trusted_proxies),
		TEST(asks_the_server_for_the_shared_secret),
		TEST(finds_the_route_and_the_wanted_page),
		TEST(refuses_a_route_that_is_no_text),
		TEST(gives_the_authorizer_the_wanted_page),
		TEST(knows_the_method_of_the_wanted_page),
		TEST(bounds_the_request_line),
		TEST(finds_a_parameter_that_comes_once),
		TEST(says_when_memory_is_used_up),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
