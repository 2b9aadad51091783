#include "http/response.h"

#include <unistd.h>

#define COOKIE_MAX_AGE_S INT64_C(34560000) /* 400 days, RFC 6265bis 5.5 */

void
response_init(struct response *res, struct arena *arena)
{
	*res = (struct response){ .arena = arena };
}

void
response_reset(struct response *res, unsigned status)
{
	response_close(res);
	res->status = status;
	res->n_heads = 0;
	res->n_cookies = 0;
	res->failed = false;
	if (res->body.p != NULL)
		buf_reset(&res->body);
	else
		res->body = (struct buf){ 0 };
}

/*
 * Made only now, so that answers without a body stay cheap; and again where
 * a page replaces an answer whose body was to be small.
 */
static void
make_room(struct response *res, size_t max)
{
	struct buf body;

	if (res->body.p != NULL && (res->body.max >= max || res->body.len > 0))
		return;
	body = arena_buf(res->arena, max);
	if (body.p != NULL || res->body.p == NULL)
		res->body = body;
}

void
response_start(struct response *res, unsigned status, struct str type)
{
	res->status = status;
	if (str_is_none(type))
		return;
	response_header(res, "Content-Type", type);
	make_room(res,
	    str_starts(type, STR("text/html")) ? RESPONSE_BODY_MAX :
						 RESPONSE_SMALL_BODY_MAX);
}

/* Visible characters, spaces and bytes of UTF-8; no control at all. */
static bool
is_header_value(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

void
response_header(struct response *res, const char *name, struct str value)
{
	struct str copy = arena_dup(res->arena, value), key = str_from(name);
	size_t i;

	for (i = 0; i < res->n_heads; i++)
		if (str_ieq(res->heads[i].name, key))
			break;
	if (str_is_none(copy) || !is_header_value(value) ||
	    i == RESPONSE_HEADS_MAX) {
		res->failed = true;
		return;
	}
	res->heads[i].name = key;
	res->heads[i].value = copy;
	if (i == res->n_heads)
		res->n_heads++;
}

void
response_redirect(struct response *res, struct str location)
{
	res->status = 303;
	response_header(res, "Location", location);
}

void
response_file(struct response *res, int fd, uint64_t from, uint64_t n)
{
	response_close(res);
	res->file.is_set = true;
	res->file.fd = fd;
	res->file.from = from;
	res->file.n = n;
}

void
response_close(struct response *res)
{
	if (res->file.is_set)
		(void)close(res->file.fd);
	res->file.is_set = false;
}

static bool
is_cookie_text(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') ||
			str_contains(STR("_.-@+"), c)))
			return false;
	}
	return true;
}

void
response_cookie(struct response *res, const struct set_cookie *cookie)
{
	struct set_cookie copy = *cookie;
	size_t i;

	for (i = 0; i < res->n_cookies; i++)
		if (str_eq(res->cookies[i].name, cookie->name))
			break;
	copy.value = arena_dup(res->arena, cookie->value);
	if (cookie->name.n == 0 || !is_cookie_text(cookie->name) ||
	    !is_cookie_text(cookie->value) || str_is_none(copy.value) ||
	    !is_header_value(cookie->domain) ||
	    str_contains(cookie->domain, ';') || i == RESPONSE_COOKIES_MAX) {
		res->failed = true;
		return;
	}
	res->cookies[i] = copy;
	if (i == res->n_cookies)
		res->n_cookies++;
}

static void
add_cookie(struct buf *out, const struct set_cookie *c)
{
	int64_t age = c->max_age_s;

	buf_addf(out, "Set-Cookie: %.*s=", STR_FMT(c->name));
	if (!c->erase)
		buf_add(out, c->value);
	/* A deletion repeats all of it, or browsers ignore it. */
	buf_addz(out, "; Path=/");
	if (c->domain.n > 0)
		buf_addf(out, "; Domain=%.*s", STR_FMT(c->domain));
	if (c->erase)
		buf_addz(out,
		    "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
	else if (age > 0)
		buf_addf(out, "; Max-Age=%lld",
		    (long long)(age < COOKIE_MAX_AGE_S ? age :
							 COOKIE_MAX_AGE_S));
	if (c->secure)
		buf_addz(out, "; Secure");
	buf_addz(out, "; HttpOnly; SameSite=Lax\r\n");
}

void
response_line(struct buf *out, struct str name, struct str value)
{
	buf_add(out, name);
	buf_addz(out, ": ");
	buf_add(out, value);
	buf_addz(out, "\r\n");
}

static uint64_t
body_length(const struct response *res)
{
	return res->file.is_set ? res->file.n : res->body.len;
}

enum dk_err
response_head(const struct response *res, struct buf *out)
{
	size_t i;

	if (res->failed || res->body.overflow || res->status < 200 ||
	    res->status > 599)
		return DK_ERR_INTERNAL;
	response_line(out, STR("Status"),
	    str_from(response_phrase(res->status)));
	for (i = 0; i < res->n_heads; i++)
		response_line(out, res->heads[i].name, res->heads[i].value);
	for (i = 0; i < res->n_cookies; i++)
		add_cookie(out, &res->cookies[i]);
	if (res->status != 204 && res->status != 304)
		buf_addf(out, "Content-Length: %llu\r\n",
		    (unsigned long long)body_length(res));
	buf_addz(out, "\r\n");
	return buf_ok(out) ? DK_OK : DK_ERR_INTERNAL;
}

struct str
response_body(const struct response *res, bool head_only)
{
	if (head_only || res->file.is_set || res->status == 204 ||
	    res->status == 304 || res->body.p == NULL)
		return STR_NONE;
	return buf_str(&res->body);
}

const char *
response_phrase(unsigned status)
{
	static const char *const phrases[] = { "200 OK", "204 No Content",
		"206 Partial Content", "303 See Other", "304 Not Modified",
		"400 Bad Request", "401 Unauthorized", "403 Forbidden",
		"404 Not Found", "405 Method Not Allowed", "409 Conflict",
		"411 Length Required", "412 Precondition Failed",
		"413 Content Too Large", "415 Unsupported Media Type",
		"416 Range Not Satisfiable", "429 Too Many Requests",
		"500 Internal Server Error", "501 Not Implemented",
		"503 Service Unavailable" };
	uint64_t number;
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (str_to_u64(str_sub(str_from(phrases[i]), 0, 3), 999,
			&number) &&
		    number == status)
			return phrases[i];
	return "500 Internal Server Error";
}
