#include "http/url.h"

static bool
is_escape(struct str s, size_t i)
{
	return s.n - i >= 3 && str_hex_digit(s.p[i + 1]) >= 0 &&
	    str_hex_digit(s.p[i + 2]) >= 0;
}

/* A byte that every browser keeps as it is in a path or query. */
static bool
is_kept(char c)
{
	return c > 0x20 && c < 0x7f && c != '\\' && c != '#' && c != '"' &&
	    c != '<' && c != '>';
}

bool
url_next_is_safe(struct str next)
{
	size_t i;

	if (next.n == 0 || next.n > URL_NEXT_MAX || next.p[0] != '/' ||
	    str_starts(next, STR("//")))
		return false;
	for (i = 0; i < next.n; i++) {
		if (!is_kept(next.p[i]))
			return false;
		if (next.p[i] == '%' && !is_escape(next, i))
			return false;
	}
	return true;
}

/* The path and query of a request target in origin or absolute form. */
static struct str
origin_form(struct str target)
{
	struct str rest;
	size_t i;

	if (str_starts(target, STR("http://")))
		rest = str_sub(target, 7, target.n);
	else if (str_starts(target, STR("https://")))
		rest = str_sub(target, 8, target.n);
	else
		return target;
	/* The host ends here too: "http://host?/x" has an empty path. */
	for (i = 0; i < rest.n; i++)
		if (rest.p[i] == '/' || rest.p[i] == '?' || rest.p[i] == '#')
			break;
	return str_sub(rest, i, rest.n - i);
}

struct str
url_next_of_target(struct str target, struct arena *arena)
{
	struct str s = origin_form(target);
	struct buf out = arena_buf(arena, URL_NEXT_MAX);
	size_t i;

	while (str_starts(s, STR("//")))
		s = str_sub(s, 1, s.n - 1);
	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (is_kept(c) && (c != '%' || is_escape(s, i)))
			buf_addc(&out, c);
		else if (c == '#')
			break;
		else
			buf_addf(&out, "%%%02X", (unsigned char)c);
	}
	if (!buf_ok(&out) || !url_next_is_safe(buf_str(&out)))
		return STR_NONE;
	return buf_str(&out);
}

/* A host name or address literal: what may stand in an origin. */
static bool
host_is_valid(struct str host)
{
	size_t i;
	bool literal = str_starts(host, STR("["));

	if (host.n == 0 || host.n > 255 || host.p[host.n - 1] == '.')
		return false;
	if (literal && host.p[host.n - 1] != ']')
		return false;
	for (i = literal; i < host.n - literal; i++) {
		char c = host.p[i];
		bool plain = (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_';

		if (literal ? str_hex_digit(c) < 0 && c != ':' && c != '.' :
			      !plain)
			return false;
	}
	return !literal || host.n > 2;
}

static struct str
lower_copy(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n + 1);
	size_t i;

	if (p == NULL)
		return STR_NONE;
	for (i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) :
							s.p[i];
	p[i] = '\0';
	return (struct str){ p, s.n };
}

/* Split "host[:port]"; an IPv6 literal keeps its brackets in *host. */
static bool
split_port(struct str authority, struct str *host, struct str *port)
{
	struct str tail;

	*port = STR_NONE;
	if (str_starts(authority, STR("["))) {
		if (!str_split(authority, ']', host, &tail))
			return false;
		*host = str_sub(authority, 0, host->n + 1);
		if (tail.n == 0)
			return true;
		if (tail.p[0] != ':')
			return false;
		*port = str_sub(tail, 1, tail.n - 1);
		return true;
	}
	(void)str_split(authority, ':', host, port);
	return true;
}

bool
url_origin_parse(struct str text, struct arena *arena, struct url_origin *out)
{
	struct str authority, host, port;
	uint64_t number = 0;

	*out = (struct url_origin){ 0 };
	if (text.n >= 8 && str_ieq(str_sub(text, 0, 8), STR("https://"))) {
		out->https = true;
		authority = str_sub(text, 8, text.n);
	} else if (text.n >= 7 &&
	    str_ieq(str_sub(text, 0, 7), STR("http://"))) {
		authority = str_sub(text, 7, text.n);
	} else {
		return false;
	}
	if (!split_port(authority, &host, &port) || !host_is_valid(host))
		return false;
	if (!str_is_none(port) &&
	    (!str_to_u64(port, 65535, &number) || number == 0))
		return false;
	out->port = number != 0 ? (unsigned)number : out->https ? 443 : 80;
	out->host = lower_copy(host, arena);
	return !str_is_none(out->host);
}

bool
url_origin_eq(const struct url_origin *a, const struct url_origin *b)
{
	return a->https == b->https && a->port == b->port &&
	    str_ieq(a->host, b->host);
}

bool
url_origin_of(struct str url, struct arena *arena, struct url_origin *out)
{
	size_t slashes = 0, i;

	for (i = 0; i < url.n; i++) {
		char c = url.p[i];

		if (c == '/' && ++slashes == 3)
			break;
		if (slashes == 2 && (c == '?' || c == '#'))
			break;
	}
	return url_origin_parse(str_sub(url, 0, i), arena, out);
}

/* Bytes that some server treats specially, decoded or not. */
static bool
is_doubtful(char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0x20 || u == 0x7f || c == '\\' || c == ';';
}

/* A decoded path with an escape still in it was encoded twice. */
static bool
has_escape(struct str path)
{
	size_t i;

	for (i = 0; i < path.n; i++)
		if (path.p[i] == '%' && is_escape(path, i))
			return true;
	return false;
}

static bool
segments_are_plain(struct str path)
{
	struct str rest = str_sub(path, 1, path.n - 1), segment;

	while (str_cut(&rest, '/', &segment)) {
		char last = segment.n == 0 ? '\0' : segment.p[segment.n - 1];

		/* Empty is fine at the end alone: "/reports/". */
		if (segment.n == 0 && !str_is_none(rest))
			return false;
		if (last == '.' || last == ' ')
			return false;
	}
	return true;
}

enum dk_err
url_canonical_path(struct str target, struct arena *arena, struct str *path)
{
	struct buf out;
	size_t i;

	*path = STR_NONE;
	if (target.n == 0 || target.p[0] != '/')
		return DK_ERR_INPUT;
	out = arena_buf(arena, target.n);
	if (!buf_ok(&out))
		return DK_ERR_NOMEM;
	for (i = 0; i < target.n; i++) {
		char c = target.p[i];

		if (c == '%') {
			if (!is_escape(target, i))
				return DK_ERR_INPUT;
			c = (char)(str_hex_digit(target.p[i + 1]) << 4 |
			    str_hex_digit(target.p[i + 2]));
			i += 2;
			if (c == '/')
				return DK_ERR_INPUT;
		} else if (c == '#' || c == '?') {
			/* Some servers end the path here, others do not. */
			return DK_ERR_INPUT;
		}
		if (is_doubtful(c))
			return DK_ERR_INPUT;
		buf_addc(&out, c);
	}
	if (!str_is_utf8(buf_str(&out)) || has_escape(buf_str(&out)) ||
	    !segments_are_plain(buf_str(&out)))
		return DK_ERR_INPUT;
	*path = buf_str(&out);
	return DK_OK;
}
