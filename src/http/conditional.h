#ifndef DK_HTTP_CONDITIONAL_H
#define DK_HTTP_CONDITIONAL_H

#include <stdint.h>

#include "base/str.h"

/*
 * Conditional requests and ranges (RFC 9110 13 and 14), for files that we
 * give out ourselves.  Pure functions of the headers.
 */

/* The headers as sent; STR_NONE: absent. */
struct conditional {
	struct str if_match, if_none_match;
	struct str if_modified_since, if_unmodified_since;
	struct str if_range;
	struct str range; /* STR_NONE too unless the method is GET */
};

/* What there is. */
struct representation {
	struct str etag; /* with its quotes; W/ in front if it is weak */
	int64_t modified_s;
	uint64_t size;
};

/* The bytes to send. */
struct part {
	uint64_t from, n;
};

/*
 * The status that the request asks for, by the order of RFC 9110 13.2.2:
 * 200 with the whole in *part, 206 with a part, 304, 412, or 416.  What is
 * malformed counts as absent, but an If-Match then matches nothing.  Several
 * ranges at once are answered whole.
 */
unsigned conditional_judge(const struct conditional *asked,
    const struct representation *is, struct part *part);

#endif
