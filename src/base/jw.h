#ifndef DK_BASE_JW_H
#define DK_BASE_JW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * A JSON writer: members follow one another, commas come by themselves.
 *	jw_open(&w, out); jw_object(&w, NULL);
 *	jw_str(&w, "name", s); jw_end(&w);
 * key is NULL inside an array and at the top.  What does not fit, or nests
 * deeper than JW_DEPTH_MAX, sets out->overflow.
 */
enum { JW_DEPTH_MAX = 8 };
struct jw {
	struct buf *out;
	unsigned depth;
	bool first[JW_DEPTH_MAX + 1];
	char close[JW_DEPTH_MAX + 1];
};
void jw_open(struct jw *w, struct buf *out);
void jw_object(struct jw *w, const char *key);
void jw_array(struct jw *w, const char *key);
void jw_end(struct jw *w); /* closes the innermost */
void jw_str(struct jw *w, const char *key, struct str s);
void jw_int(struct jw *w, const char *key, long long n);
void jw_bool(struct jw *w, const char *key, bool b);
void jw_null(struct jw *w, const char *key);

#endif
