#ifndef DK_GATEWAY_WAITING_H
#define DK_GATEWAY_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/net.h"
#include "base/str.h"

/*
 * Within src/gateway: who is served next.  A worker waits on its listening
 * socket, on the connection that it keeps (FastCGI 5.1), and on new
 * connections that have not said anything yet, so that a silent peer stops
 * nobody (DK-F-09) and a kept connection gives way to a waiting one.  Of many
 * workers that wait, the kernel wakes one.  SIGTERM, SIGINT and SIGUSR1 are
 * blocked and seen only here, so a running request is always finished.
 */
enum {
	WAITING_SILENT_MAX = 16,
	WAITING_SILENT_MS = 10000, /* a new connection may be silent */
	WAITING_KEPT_MS = 5000,	   /* a kept connection may be idle */
	WAITING_PEERS_MAX = 32
};

struct waiting_peer {
	int fd;
	int64_t since_ms; /* monotonic */
};

struct waiting {
	int listener, epoll, signals;
	struct waiting_peer kept;			/* fd -1: none */
	struct waiting_peer silent[WAITING_SILENT_MAX]; /* oldest first */
	size_t n_silent;
	/* The connection that was handed out last is watched already. */
	bool known;
	/* FCGI_WEB_SERVER_ADDRS (FastCGI 3.2): who may connect over TCP. */
	struct ip_net peers[WAITING_PEERS_MAX];
	size_t n_peers;
	bool peers_given;
};

/*
 * Begin to wait on listener, which becomes non-blocking.  peers is the list
 * of addresses that may connect over TCP; empty or STR_NONE: all.  A list
 * with an entry that is no address is DK_ERR_CONF.
 */
enum dk_err waiting_open(
    struct waiting *w, int listener, struct str peers) DK_CHECK;
void waiting_close(struct waiting *w);

/*
 * Wait for a connection that has something to read.  *fd is -1 when a signal
 * asks to stop and nothing has come; else the caller owns it until it closes
 * it or gives it back by waiting_keep.  *crowded: others wait too, or we are
 * to stop, so it should not be kept.
 * DK_ERR_IO: the listening socket is of no use any more.
 */
enum dk_err waiting_next(struct waiting *w, int *fd, bool *crowded) DK_CHECK;

/* The connection that was handed out last may bring another request. */
void waiting_keep(struct waiting *w, int fd);

#endif
