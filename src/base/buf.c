#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void
buf_init(struct buf *b, char *storage, size_t size)
{
	*b = (struct buf){ storage, 0, size - 1, false };
	storage[0] = '\0';
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = b->p == NULL;
	if (b->p != NULL)
		b->p[0] = '\0';
}

bool
buf_ok(const struct buf *b)
{
	return !b->overflow;
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->len };
}

const char *
buf_z(const struct buf *b)
{
	return b->p == NULL ? "" : b->p;
}

void
buf_add(struct buf *b, struct str s)
{
	if (b->overflow || s.n > b->max - b->len) {
		b->overflow = true;
		return;
	}
	if (s.n > 0)
		memcpy(b->p + b->len, s.p, s.n);
	b->len += s.n;
	b->p[b->len] = '\0';
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, (struct str){ &c, 1 });
}

void
buf_addz(struct buf *b, const char *z)
{
	buf_add(b, str_from(z));
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	size_t left;
	int n;

	if (b->overflow)
		return;
	left = b->max - b->len;
	/* static(tidy): the caller has begun it */
	n = vsnprintf(b->p + b->len, left + 1, fmt, ap);
	if (n < 0 || (size_t)n > left) {
		b->p[b->len] = '\0';
		b->overflow = true;
		return;
	}
	b->len += (size_t)n;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

/* Of a text that did not fit as a whole, no part is left behind. */
static void
take_back(struct buf *b, size_t len)
{
	if (!b->overflow || b->p == NULL)
		return;
	b->len = len;
	b->p[len] = '\0';
}

void
buf_add_html(struct buf *b, struct str s)
{
	size_t len = b->len, i;

	for (i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':
			buf_add(b, STR("&amp;"));
			break;
		case '<':
			buf_add(b, STR("&lt;"));
			break;
		case '>':
			buf_add(b, STR("&gt;"));
			break;
		case '"':
			buf_add(b, STR("&quot;"));
			break;
		case '\'':
			buf_add(b, STR("&#39;"));
			break;
		default:
			buf_addc(b, s.p[i]);
		}
	}
	take_back(b, len);
}

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

void
buf_add_percent(struct buf *b, struct str s)
{
	size_t len = b->len, i;

	for (i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i]))
			buf_addc(b, s.p[i]);
		else
			buf_addf(b, "%%%02X", (unsigned char)s.p[i]);
	}
	take_back(b, len);
}

static void
add_json_escape(struct buf *b, uint32_t cp)
{
	switch (cp) {
	case '\n':
		buf_add(b, STR("\\n"));
		return;
	case '\r':
		buf_add(b, STR("\\r"));
		return;
	case '\t':
		buf_add(b, STR("\\t"));
		return;
	}
	if (cp > 0xffff) {
		cp -= 0x10000;
		buf_addf(b, "\\u%04x\\u%04x", (unsigned)(0xd800 | cp >> 10),
		    (unsigned)(0xdc00 | (cp & 0x3ff)));
		return;
	}
	buf_addf(b, "\\u%04x", (unsigned)cp);
}

void
buf_add_json(struct buf *b, struct str s)
{
	size_t len = b->len;

	buf_addc(b, '"');
	while (s.n > 0) {
		struct str before = s;
		uint32_t cp;

		if (!utf8_next(&s, &cp)) {
			buf_add(b, STR("\\ufffd"));
			s = str_sub(s, 1, s.n - 1);
		} else if (cp == '"' || cp == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)cp);
		} else if (utf8_is_unsafe(cp)) {
			add_json_escape(b, cp);
		} else {
			buf_add(b, str_sub(before, 0, before.n - s.n));
		}
	}
	buf_addc(b, '"');
	take_back(b, len);
}

void
buf_add_hex(struct buf *b, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;
	size_t len = b->len, i;

	for (i = 0; i < n; i++) {
		buf_addc(b, digits[p[i] >> 4]);
		buf_addc(b, digits[p[i] & 15]);
	}
	take_back(b, len);
}
