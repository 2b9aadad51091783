#ifndef DK_HTTP_URL_H
#define DK_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { URL_NEXT_MAX = 2048 }; /* DK-O-06; nginx's header buffer is 4 KB */

/*
 * Return-to values.  True when `next` is a local path that every browser
 * reads as one: begins with one '/', not "//" or "/\", no backslash, control,
 * space or byte above 0x7e, no fragment, at most URL_NEXT_MAX, every
 * percent-escape whole.  Refused, not repaired.
 */
bool url_next_is_safe(struct str next);

/*
 * The raw target of a request line (REQUEST_URI) as a return-to value:
 * leading slashes collapsed, bytes that browsers would not keep
 * percent-encoded.  STR_NONE when it cannot be one (DK-O-03: the query's
 * bytes arrive unchanged).  In the arena.
 */
struct str url_next_of_target(struct str target, struct arena *arena);

/*
 * One origin, "https://host[:port]", nothing behind it.  Host and scheme come
 * out in lower case in the arena, the port with its default.  False for
 * anything else: user info, path, trailing dot, "null".
 */
struct url_origin {
	bool https;
	struct str host;
	unsigned port;
};
bool url_origin_parse(struct str text, struct arena *arena,
    struct url_origin *out);
bool url_origin_eq(const struct url_origin *a, const struct url_origin *b);
/* The origin part of an absolute URL such as a Referer. */
bool url_origin_of(struct str url, struct arena *arena,
    struct url_origin *out);

/*
 * The one canonical form of a path that rules are judged on: decoded once.
 * DK_ERR_INPUT when two servers might read it differently: "//", "/./",
 * "/../", %2f, %5c, backslash, ';', a raw '#' or '?', NUL and controls, a
 * malformed escape, a second layer of encoding (%25xx of hex digits), a
 * segment that ends in a dot or space, bytes that are not UTF-8.  The query
 * is not part of target.
 */
enum dk_err url_canonical_path(struct str target, struct arena *arena,
    struct str *path) DK_CHECK;

#endif
