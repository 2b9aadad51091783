#ifndef DK_GATEWAY_WATCHDOG_H
#define DK_GATEWAY_WATCHDOG_H

/*
 * libfcgi reads and writes without a time limit, so a silent or slow peer
 * would hold a worker for ever (DK-F-09, DK-I-18).  While a connection is
 * being read or written, a timer that ticks once a second counts; after
 * WATCHDOG_LIMIT_S ticks it shuts the socket down, which ends the blocked
 * call.  An idle worker's timer stops by itself; a busy one pays no system
 * call for it.
 */
enum { WATCHDOG_LIMIT_S = 10 };

void watchdog_install(void);
/* The connection fd is read or written from now on. */
void watchdog_watch(int fd);
/* It is not any more: hashing or waiting for the store may take longer. */
void watchdog_rest(void);

#endif
