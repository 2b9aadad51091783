#ifndef DK_CTL_LISTEN_H
#define DK_CTL_LISTEN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Within src/ctl: the listening socket of `doorkeep serve`.  It is private: a
 * Unix socket, or loopback (DK-F-04, DK-F-05).
 */
struct listener {
	int fd;			     /* -1: none */
	char path[108];		     /* of our own Unix socket; "" for others */
	unsigned long long dev, ino; /* of that path */
	bool tcp;
};

/*
 * where: "unix:PATH[,mode=0660][,group=NAME]", "127.0.0.1:PORT",
 * "[::1]:PORT" or "fd:N".  A stale socket is replaced, one that answers is
 * not.  On an error message says cause and cure.
 */
enum dk_err listener_open(
    struct listener *l, struct str where, struct buf *message) DK_CHECK;
/* Also removes the Unix socket, if it is still ours. */
void listener_close(struct listener *l);

#endif
