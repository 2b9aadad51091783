/*
 * CGI variables.  The first byte chooses role and rules, each further line is
 * one variable.  What is read lies inside of them, is within its bounds and
 * does not depend on their order; strangers say nothing about themselves.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "http/request.h"

enum {
	PARAMS = 300,
	INPUT_MAX = 16 * 1024,
	ARENA_SIZE = 256 * 1024,
	AUTHORIZER = 1,
	AT_ROOT = 2,
	PROXIES = 4,
	SHARED_SECRET = 8
};

struct input {
	enum request_role role;
	struct request_rules rules;
	struct ip_net net;
	char *text; /* the lines, each NUL-terminated */
	size_t text_len;
	char *params[PARAMS + 1];
	size_t n;
};

static void
open_input(struct input *in, const uint8_t *data, size_t size)
{
	unsigned flags = size > 0 ? data[0] : 0;
	size_t i, begin = 0;

	*in = (struct input){ .role = flags & AUTHORIZER ? REQUEST_AUTHORIZER
							 : REQUEST_RESPONDER };
	in->rules.mount = flags & AT_ROOT ? STR("") : STR("/auth");
	if ((flags & PROXIES) != 0 &&
	    ip_net_parse(STR("10.0.0.0/8"), &in->net)) {
		in->rules.trusted_proxies = &in->net;
		in->rules.n_trusted_proxies = 1;
	}
	if ((flags & SHARED_SECRET) != 0)
		in->rules.shared_secret = STR("s3cret");
	in->text_len = size > 0 ? size - 1 : 0;
	in->text = malloc(in->text_len + 1);
	if (in->text == NULL)
		abort();
	if (in->text_len > 0)
		memcpy(in->text, data + 1, in->text_len);
	in->text[in->text_len] = '\0';
	for (i = 0; i <= in->text_len && in->n < PARAMS; i++) {
		if (in->text[i] != '\n' && in->text[i] != '\0')
			continue;
		in->text[i] = '\0';
		if (i > begin)
			in->params[in->n++] = in->text + begin;
		begin = i + 1;
	}
}

/* The values of the variable, how many there are, and the last of them. */
static size_t
count_of(const struct input *in, struct str name, struct str *value)
{
	struct str head, tail;
	size_t n = 0, i;

	*value = STR_NONE;
	for (i = 0; i < in->n; i++)
		if (str_split(str_from(in->params[i]), '=', &head, &tail) &&
		    str_eq(head, name)) {
			*value = tail;
			n++;
		}
	return n;
}

static void
check_inside(const struct input *in, struct str s)
{
	if (!str_is_none(s) &&
	    (s.p < in->text || s.p + s.n > in->text + in->text_len))
		abort();
}

static void
check_views(const struct input *in, const struct request *req)
{
	size_t i;

	check_inside(in, req->method_text);
	check_inside(in, req->wanted);
	check_inside(in, req->wanted_method);
	check_inside(in, req->content_type);
	check_inside(in, req->content_encoding);
	check_inside(in, req->host);
	check_inside(in, req->origin);
	check_inside(in, req->referer);
	check_inside(in, req->accept);
	check_inside(in, req->csrf_header);
	check_inside(in, req->user_agent);
	check_inside(in, req->fetch_mode);
	if (req->query.n > 0)
		check_inside(in, req->query);
	if (req->n_cookies > REQUEST_COOKIES_MAX)
		abort();
	for (i = 0; i < req->n_cookies; i++)
		check_inside(in, req->cookies[i]);
}

static void
check_once(const struct input *in)
{
	static const char *const names[] = { "REQUEST_METHOD", "REQUEST_URI",
		"SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR", "HTTPS",
		"CONTENT_LENGTH", "CONTENT_TYPE", "DOORKEEP_SECRET",
		"HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_FORWARDED_FOR",
		"HTTP_X_FORWARDED_PROTO" };
	struct str value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (count_of(in, str_from(names[i]), &value) > 1)
			abort();
}

static void
check_secret(const struct input *in)
{
	struct str given;

	if (str_is_none(in->rules.shared_secret))
		return;
	if (count_of(in, STR("DOORKEEP_SECRET"), &given) == 0)
		(void)count_of(in, STR("HTTP_DOORKEEP_SECRET"), &given);
	if (!str_eq(given, in->rules.shared_secret))
		abort();
}

static void
check_target(const struct input *in, const struct request *req)
{
	struct str uri;

	(void)count_of(in, STR("REQUEST_URI"), &uri);
	if (uri.n > REQUEST_TARGET_MAX)
		abort();
	if (in->role == REQUEST_AUTHORIZER) {
		if (!str_is_none(req->route) || req->wanted.p != uri.p ||
		    req->wanted.n != uri.n)
			abort();
		return;
	}
	if (!str_is_none(req->wanted) &&
	    (!str_eq(req->wanted, uri) || req->query.n > 0))
		abort();
	if (!str_is_none(req->route) &&
	    (req->route.n == 0 || req->route.p[0] != '/'))
		abort();
	/* Taken from the request line it lies below the mount, as a whole. */
	if (str_starts(uri, STR("/")) && str_is_none(req->wanted)) {
		struct str rest = str_sub(uri, in->rules.mount.n, uri.n);

		if (!str_starts(uri, in->rules.mount) ||
		    (rest.n > 0 && rest.p[0] != '/' && rest.p[0] != '?'))
			abort();
	}
	/* Decoded from the request line: text that a person may see. */
	if (uri.n > 0 && str_is_none(req->wanted) &&
	    (str_is_none(req->route) || !str_is_printable(req->route)))
		abort();
}

static void
check_peer(const struct input *in, const struct request *req)
{
	struct str peer_text, host, proto;
	struct ip_addr peer, again;
	bool known, trusted;

	(void)count_of(in, STR("REMOTE_ADDR"), &peer_text);
	known = ip_parse(peer_text, &peer);
	trusted = known &&
	    ip_nets_contain(
		in->rules.trusted_proxies, in->rules.n_trusted_proxies, &peer);
	if (req->has_addr != known || (!known && req->addr_text[0] != '\0') ||
	    (req->local && (!known || !ip_is_loopback(&req->addr))))
		abort();
	if (known &&
	    (!ip_parse(str_from(req->addr_text), &again) ||
		memcmp(&again, &req->addr, sizeof(again)) != 0))
		abort();
	if (trusted)
		return;
	if (known && memcmp(&peer, &req->addr, sizeof(peer)) != 0)
		abort();
	(void)count_of(in, STR("HTTP_HOST"), &host);
	if (req->host.p != host.p)
		abort();
	if (req->https && count_of(in, STR("HTTPS"), &proto) == 0 &&
	    count_of(in, STR("REQUEST_SCHEME"), &proto) == 0)
		abort();
}

static void
check_same(const struct request *a, const struct request *b)
{
	if (a->method != b->method || !str_eq(a->route, b->route) ||
	    str_is_none(a->route) != str_is_none(b->route) ||
	    !str_eq(a->wanted, b->wanted) ||
	    str_is_none(a->wanted) != str_is_none(b->wanted) ||
	    !str_eq(a->query, b->query) || !str_eq(a->host, b->host) ||
	    a->body_length != b->body_length || a->https != b->https ||
	    a->local != b->local || strcmp(a->addr_text, b->addr_text) != 0 ||
	    a->n_cookies != b->n_cookies || a->fetch_site != b->fetch_site ||
	    a->wants_json != b->wants_json || a->is_json != b->is_json ||
	    a->is_form != b->is_form)
		abort();
}

static enum dk_err
read_request(const struct input *in, struct request *req, struct arena *arena)
{
	const char *problem;
	enum dk_err err;
	size_t i;

	err = request_read(
	    req, in->role, in->params, &in->rules, arena, &problem);
	if ((err == DK_OK) != (problem == NULL) || req->role != in->role ||
	    req->id[REQUEST_ID_LEN] != '\0')
		abort();
	for (i = 0; i < REQUEST_ID_LEN; i++)
		if (str_hex_digit(req->id[i]) < 0)
			abort();
	check_views(in, req);
	return err;
}

static void
turn_round(struct input *in)
{
	size_t i;

	for (i = 0; i < in->n / 2; i++) {
		char *param = in->params[i];

		in->params[i] = in->params[in->n - 1 - i];
		in->params[in->n - 1 - i] = param;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request req, turned;
	struct arena arena;
	struct input in;
	bool taken;

	if (size > INPUT_MAX || arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	open_input(&in, data, size);
	taken = read_request(&in, &req, &arena) == DK_OK;
	if (taken) {
		check_once(&in);
		check_secret(&in);
		check_target(&in, &req);
		check_peer(&in, &req);
	}
	turn_round(&in);
	if ((read_request(&in, &turned, &arena) == DK_OK) != taken)
		abort();
	if (taken)
		check_same(&req, &turned);
	free(in.text);
	arena_close(&arena);
	return 0;
}
