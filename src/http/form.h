#ifndef DK_HTTP_FORM_H
#define DK_HTTP_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/*
 * application/x-www-form-urlencoded, also for query strings (WHATWG URL 5.1,
 * but malformed input is refused, never repaired).  The caller names the
 * fields that it reads; others are skipped unread.
 */
enum { FORM_FIELDS_MAX = 512 };

struct form_field {
	const char *name; /* given by the caller */
	size_t max;	  /* bytes after decoding */
	struct str value; /* decoded, in the arena; STR_NONE when absent */
};

/*
 * Fill in fields[0..n).  DK_ERR_INPUT: a field that is read comes twice, has
 * a malformed percent-escape, a NUL, or is not UTF-8; DK_ERR_TOO_LARGE: one
 * passes its maximum, or there are more than FORM_FIELDS_MAX pairs.
 * *problem (static, no input in it) says which; *which the field's index,
 * or n.
 */
enum dk_err form_read(struct str text, struct form_field *fields, size_t n,
    struct arena *arena, const char **problem, size_t *which) DK_CHECK;

/*
 * Every pair, decoded, in its order: pairs[0..*n), at most max.
 * DK_ERR_INPUT when one could not be sent again as it was (a malformed
 * escape, a NUL, not UTF-8), DK_ERR_TOO_LARGE for more than max.
 */
struct form_pair {
	struct str name, value;
};
enum dk_err form_read_all(struct str text, struct form_pair *pairs,
    size_t max, struct arena *arena, size_t *n) DK_CHECK;

/* '+' as space and %XX, once.  DK_ERR_INPUT for malformed escapes. */
enum dk_err form_decode(struct str text, struct arena *arena,
    struct str *out) DK_CHECK;

#endif
