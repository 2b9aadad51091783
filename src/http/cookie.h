#ifndef DK_HTTP_COOKIE_H
#define DK_HTTP_COOKIE_H

#include <stddef.h>

#include "base/str.h"

/*
 * The value of our cookie in the request's Cookie lines (RFC 6265bis 4.2,
 * 5.6; lines may have been joined with "; " or ", ").  A name with a prefix
 * such as __Host- is not looked for behind a comma: a sibling host may set
 * the value "a, __Host-x=b" of another cookie, and what the prefix promises
 * would be gone.  Names are compared exactly.  Two different values: one of
 * them was planted, so neither counts (DK-C-09).  Equal duplicates count once.
 */
enum cookie_found { COOKIE_ABSENT, COOKIE_ONE, COOKIE_CONFLICT };

enum cookie_found cookie_get(const struct str *lines, size_t n_lines,
    struct str name, struct str *value);

#endif
