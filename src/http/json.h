#ifndef DK_HTTP_JSON_H
#define DK_HTTP_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * A JSON object with flat members, read strictly (jansson: duplicate names,
 * malformed UTF-8, \u0000 and trailing bytes are refused).  Members that the
 * caller does not name are ignored.
 */
enum json_type { JSON_STRING_MEMBER, JSON_BOOL_MEMBER };

struct json_member {
	const char *name;
	enum json_type type;
	size_t max; /* bytes, for strings */
	struct str text; /* in the arena; STR_NONE when absent or null */
	bool flag;
};

/*
 * DK_ERR_INPUT: not an object, or a member of the wrong type;
 * DK_ERR_TOO_LARGE: a string above its max.  *problem as in form.h.
 */
enum dk_err json_read(struct str text, struct json_member *members, size_t n,
    struct arena *arena, const char **problem) DK_CHECK;

/*
 * Writing: members follow one another, commas come by themselves.
 *	json_open(&w, out); json_object(&w, NULL);
 *	json_str(&w, "name", s); json_end(&w);
 * key is NULL inside an array and at the top.
 */
enum { JSON_DEPTH_MAX = 8 };
struct json_writer {
	struct buf *out;
	unsigned depth;
	bool first[JSON_DEPTH_MAX + 1];
	char close[JSON_DEPTH_MAX + 1];
};
void json_open(struct json_writer *w, struct buf *out);
void json_object(struct json_writer *w, const char *key);
void json_array(struct json_writer *w, const char *key);
void json_end(struct json_writer *w); /* closes the innermost */
void json_str(struct json_writer *w, const char *key, struct str s);
void json_int(struct json_writer *w, const char *key, long long n);
void json_bool(struct json_writer *w, const char *key, bool b);
void json_null(struct json_writer *w, const char *key);

#endif
