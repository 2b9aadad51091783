#ifndef DK_BASE_EMBED_H
#define DK_BASE_EMBED_H

#include <stddef.h>

/* A file of the source tree, embedded by tools/embed.sh; NUL-terminated. */
struct embedded {
	const char *name; /* without its folder */
	const char *text;
	size_t len;
};

#endif
