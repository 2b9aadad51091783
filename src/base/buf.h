#ifndef DK_BASE_BUF_H
#define DK_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/*
 * An appender to bounded storage that the caller owns.  When something does
 * not fit, nothing of it is written, overflow is set and stays set: check
 * once at the end with buf_ok().  The text is always NUL-terminated (the
 * terminator is not counted), so buf_z() can meet a library.
 */
struct buf {
	char *p;
	size_t len; /* bytes written */
	size_t max; /* bytes that may be written, terminator not counted */
	bool overflow;
};

/* storage holds size >= 1 bytes and outlives the buf. */
void buf_init(struct buf *b, char *storage, size_t size);
#define BUF_OVER(b, array) buf_init((b), (array), sizeof(array))

void buf_reset(struct buf *b); /* empty again, overflow forgotten */
bool buf_ok(const struct buf *b);
struct str buf_str(const struct buf *b);
const char *buf_z(const struct buf *b);

void buf_add(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addz(struct buf *b, const char *z);
void buf_addf(struct buf *b, const char *fmt, ...) DK_PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) DK_PRINTF(2, 0);

/* Named encodings: what goes out is safe in the place the name says. */
/* Text or double-quoted attribute of HTML: & < > " ' as references. */
void buf_add_html(struct buf *b, struct str s);
/* Member of a query or path segment: all but unreserved (RFC 3986 2.3). */
void buf_add_percent(struct buf *b, struct str s);
/*
 * A JSON string with its quotes (RFC 8259 7).  Controls, DEL, C1, separators,
 * bidirectional controls and other invisible characters come out as \u
 * escapes, malformed UTF-8 bytes as \ufffd: one line, whatever went in.
 */
void buf_add_json(struct buf *b, struct str s);
/* Lower-case hexadecimal of n bytes. */
void buf_add_hex(struct buf *b, const void *bytes, size_t n);

#endif
