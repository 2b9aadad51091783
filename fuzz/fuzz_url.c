/*
 * One text as a return-to value, as a request line, as an origin, as a URL
 * and as a path.  A return-to that is taken stays on the own origin when a
 * browser reads it; what is taken and printed again gives the same; a
 * canonical path is its own canonical form and holds no dot segments.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "http/url.h"

enum { INPUT_MAX = 16 * 1024, ARENA_SIZE = 512 * 1024 };

/*
 * Does a browser on https://own read text as a place there?  After WHATWG
 * URL 4.4 for texts that begin with a slash: spaces and controls at both
 * ends and tabs and line ends anywhere go, a backslash is a slash, and two
 * of them begin a host.
 */
static bool
stays_on_own_origin(struct str text)
{
	char front[2] = { '\0', '\0' };
	size_t i, n = 0;

	while (text.n > 0 && (unsigned char)text.p[0] <= 0x20)
		text = str_sub(text, 1, text.n);
	for (i = 0; i < text.n && n < sizeof(front); i++) {
		char c = text.p[i];

		if (c != '\t' && c != '\n' && c != '\r')
			front[n++] = c == '\\' ? '/' : c;
	}
	return front[0] == '/' && front[1] != '/';
}

static void
try_return_to(struct str text, struct arena *arena)
{
	struct str next;

	if (url_next_is_safe(text)) {
		if (text.n > URL_NEXT_MAX || !stays_on_own_origin(text) ||
		    !str_is_printable(text) || str_contains(text, ' '))
			abort();
		/* DK-O-03: every byte of it comes back. */
		if (!str_eq(url_next_of_target(text, arena), text))
			abort();
	}
	next = url_next_of_target(text, arena);
	if (str_is_none(next))
		return;
	if (!url_next_is_safe(next) || !stays_on_own_origin(next) ||
	    !str_eq(url_next_of_target(next, arena), next))
		abort();
}

static void
check_origin(const struct url_origin *o, struct arena *arena)
{
	struct url_origin again;
	struct str text;
	size_t i;

	if (o->port == 0 || o->port > 65535 || o->host.n == 0 ||
	    o->host.n > 255 || o->host.p[o->host.n - 1] == '.')
		abort();
	for (i = 0; i < o->host.n; i++) {
		char c = o->host.p[i];

		if (c <= ' ' || c >= 0x7f || (c >= 'A' && c <= 'Z') ||
		    str_contains(STR("/\\@?#%,;*"), c))
			abort();
	}
	text = arena_printf(arena, 300, "http%s://%.*s:%u", o->https ? "s" : "",
	    STR_FMT(o->host), o->port);
	if (!url_origin_parse(text, arena, &again) ||
	    !url_origin_eq(o, &again) || !str_eq(o->host, again.host))
		abort();
	again.port ^= 1;
	if (url_origin_eq(o, &again))
		abort();
	again.port ^= 1;
	again.https = !again.https;
	if (url_origin_eq(o, &again))
		abort();
}

static void
try_origin(struct str text, struct arena *arena)
{
	struct buf longer = arena_buf(arena, INPUT_MAX + 16);
	struct url_origin origin, of_url;

	if (!url_origin_parse(text, arena, &origin)) {
		if (url_origin_of(text, arena, &of_url))
			check_origin(&of_url, arena);
		return;
	}
	check_origin(&origin, arena);
	buf_add(&longer, text);
	if (!url_origin_of(buf_str(&longer), arena, &of_url) ||
	    !url_origin_eq(&origin, &of_url))
		abort();
	buf_addz(&longer, "/@h?//x#//y");
	if (url_origin_parse(buf_str(&longer), arena, &of_url) ||
	    !url_origin_of(buf_str(&longer), arena, &of_url) ||
	    !url_origin_eq(&origin, &of_url))
		abort();
}

static void
check_segments(struct str path)
{
	struct str rest = str_sub(path, 1, path.n), segment;

	while (str_cut(&rest, '/', &segment)) {
		if (str_ends(segment, STR(".")) || str_ends(segment, STR(" ")))
			abort();
		if (segment.n == 0 && !str_is_none(rest))
			abort();
	}
}

static size_t
slashes_in(struct str text)
{
	size_t n = 0, i;

	for (i = 0; i < text.n; i++)
		n += text.p[i] == '/';
	return n;
}

/* A second decoding, as a server behind might do it, changes nothing. */
static void
check_decoded(struct str path)
{
	size_t i;

	for (i = 0; i < path.n; i++) {
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f)
			abort();
		if (path.p[i] == '%' && path.n - i >= 3 &&
		    str_hex_digit(path.p[i + 1]) >= 0 &&
		    str_hex_digit(path.p[i + 2]) >= 0)
			abort();
	}
}

static void
try_path(struct str text, struct arena *arena)
{
	struct buf printed = arena_buf(arena, 3 * INPUT_MAX);
	struct str path, again, rest, segment;

	if (url_canonical_path(text, arena, &path) != DK_OK) {
		if (!str_is_none(path))
			abort();
		return;
	}
	if (path.n == 0 || path.n > text.n || path.p[0] != '/' ||
	    path.p[path.n] != '\0' || !str_is_utf8(path) ||
	    str_contains(path, '\0') || str_contains(path, '\\') ||
	    str_contains(path, ';') || str_contains(text, '#') ||
	    str_contains(text, '?') || slashes_in(path) != slashes_in(text))
		abort();
	check_decoded(path);
	check_segments(path);
	rest = str_sub(path, 1, path.n);
	while (str_cut(&rest, '/', &segment)) {
		buf_addc(&printed, '/');
		buf_add_percent(&printed, segment);
	}
	if (url_canonical_path(buf_str(&printed), arena, &again) != DK_OK ||
	    !str_eq(path, again))
		abort();
	/* Where no byte needs an escape, the path is its own form. */
	if (!str_contains(path, '%') && !str_contains(path, '#') &&
	    !str_contains(path, '?') &&
	    (url_canonical_path(path, arena, &again) != DK_OK ||
		!str_eq(path, again)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena arena;

	if (size > INPUT_MAX || arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	try_return_to(text, &arena);
	arena_reset(&arena);
	try_origin(text, &arena);
	arena_reset(&arena);
	try_path(text, &arena);
	arena_close(&arena);
	return 0;
}
