#include "base/arena.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGN 16

enum dk_err
arena_open(struct arena *a, size_t size)
{
	*a = (struct arena){ 0 };
	a->block = calloc(1, size);
	if (a->block == NULL)
		return DK_ERR_NOMEM;
	a->size = size;
	return DK_OK;
}

void
arena_close(struct arena *a)
{
	if (a->block != NULL)
		arena_reset(a);
	free(a->block);
	*a = (struct arena){ 0 };
}

void
arena_reset(struct arena *a)
{
	sodium_memzero(a->block, a->used);
	a->used = 0;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t start = (a->used + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

	if (start > a->size || n > a->size - start)
		return NULL;
	a->used = start + n;
	return a->block + start;
}

void
arena_trim(struct arena *a, const void *last, size_t n)
{
	size_t start = (size_t)((const unsigned char *)last - a->block);

	if (start + n < a->used)
		a->used = start + n;
}

struct str
arena_dup(struct arena *a, struct str s)
{
	char *p = s.n < a->size ? arena_alloc(a, s.n + 1) : NULL;

	if (p == NULL)
		return STR_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

struct buf
arena_buf(struct arena *a, size_t max)
{
	char *p = max < a->size ? arena_alloc(a, max + 1) : NULL;
	struct buf b = { 0 };

	if (p != NULL)
		buf_init(&b, p, max + 1);
	else
		b.overflow = true;
	return b;
}

struct str
arena_printf(struct arena *a, size_t max, const char *fmt, ...)
{
	struct buf b = arena_buf(a, max);
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	return buf_ok(&b) ? buf_str(&b) : STR_NONE;
}
