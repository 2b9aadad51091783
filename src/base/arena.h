#ifndef DK_BASE_ARENA_H
#define DK_BASE_ARENA_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * What lives as long as a request: one fixed block, given out front to back,
 * wiped and reset after every response.  Nothing in it is freed singly.
 */
struct arena {
	unsigned char *block;
	size_t size, used;
};

/* Allocate the block, once per process.  DK_ERR_NOMEM when there is none. */
enum dk_err arena_open(struct arena *a, size_t size) DK_CHECK;
void arena_close(struct arena *a); /* wipes and frees the block */

/* Wipe what was used and start over; all earlier pointers are dead. */
void arena_reset(struct arena *a);

/* n zeroed bytes aligned for any type, or NULL when the block is used up. */
void *arena_alloc(struct arena *a, size_t n);
/*
 * Keep only the first n bytes of what was given out last; none behind them
 * may have been written.  What nobody wrote need not be wiped.
 */
void arena_trim(struct arena *a, const void *last, size_t n);
/* Copy of s, NUL-terminated; STR_NONE when the block is used up. */
struct str arena_dup(struct arena *a, struct str s);
/*
 * A buf with room for max bytes.  When the block is used up the buf has no
 * room and reports overflow at the first append.
 */
struct buf arena_buf(struct arena *a, size_t max);
/* Printed text; STR_NONE when it does not fit into max bytes or the block. */
struct str arena_printf(struct arena *a, size_t max, const char *fmt, ...)
    DK_PRINTF(3, 4);

#endif
