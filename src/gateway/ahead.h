#ifndef DK_GATEWAY_AHEAD_H
#define DK_GATEWAY_AHEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * Within src/gateway: a look at the head of a request before libfcgi reads
 * it.  libfcgi believes the lengths that it is told, asks for memory by them
 * and aborts when there is none (before 2.4.7 their sum can overflow, too),
 * and it answers management records into a buffer that is too small.  So a
 * head is one BEGIN record and then PARAMS records of the same id up to an
 * empty one, whose pairs lie within them (FastCGI 1.0, 3.3 and 5.2): that is
 * all that web servers send.  Anything else is not handed on.
 */
enum {
	/* The most that may come; and what fits into a socket's buffer, for
	 * what is looked at is not taken out of it. */
	AHEAD_MAX = 160 * 1024
};

enum ahead_state {
	AHEAD_BAD,  /* no head that a web server sends */
	AHEAD_MORE, /* right so far: *need bytes are needed, at least */
	AHEAD_WHOLE /* *need bytes are the whole head */
};
enum ahead_state ahead_judge(const unsigned char *p, size_t n, size_t *need);

/*
 * Wait until the whole head has come on this blocking socket, and say whether
 * it is sound.  False also when the peer stops or memory runs out.  Nothing is
 * taken from the socket.  The caller bounds the time.
 */
bool ahead_is_sound(int fd, struct arena *arena) DK_CHECK;

#endif
