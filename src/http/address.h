#ifndef DK_HTTP_ADDRESS_H
#define DK_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"
#include "base/str.h"

/*
 * The client's address: the peer, or, when the peer is a trusted proxy, the
 * rightmost entry of X-Forwarded-For that is no trusted proxy (DK-G-04).
 * Entries may carry a port or brackets.  An entry that is no address ends
 * the walk at the last good one.  False when the peer is no address
 * (DK-G-07).
 */
bool address_of_client(struct str peer, struct str forwarded_for,
    const struct ip_net *trusted, size_t n_trusted, struct ip_addr *addr);

#endif
