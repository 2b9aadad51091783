#ifndef DK_HTTP_JSON_H
#define DK_HTTP_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/*
 * A JSON object with flat members, read strictly (jansson: duplicate names,
 * malformed UTF-8, \u0000 and trailing bytes are refused).  Members that the
 * caller does not name are ignored.
 */
enum json_type { JSON_STRING_MEMBER, JSON_BOOL_MEMBER, JSON_LIST_MEMBER };

struct json_member {
	const char *name;
	enum json_type type;
	size_t max; /* bytes, for strings */
	struct str text; /* in the arena; STR_NONE when absent or null */
	bool flag;
	struct str *list; /* room for list_max strings, the caller's */
	size_t list_max, n_list;
};

/*
 * DK_ERR_INPUT: not an object, or a member of the wrong type;
 * DK_ERR_TOO_LARGE: a string above its max, or too many in a list.  *problem
 * as in form.h.
 */
enum dk_err json_read(struct str text, struct json_member *members, size_t n,
    struct arena *arena, const char **problem) DK_CHECK;

#endif
