#ifndef DK_BASE_NET_H
#define DK_BASE_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/*
 * An IP address in one form: sixteen bytes, IPv4 as IPv4-mapped (RFC 4291
 * 2.5.5.2), so that 192.0.2.1 and ::ffff:192.0.2.1 are one address.
 */
struct ip_addr {
	unsigned char byte[16];
};

struct ip_net {
	struct ip_addr addr;
	unsigned prefix; /* 0 to 128, counted in the sixteen bytes */
};

enum { IP_TEXT_MAX = 46 }; /* with the terminator */

/* A bare address: no port, no brackets, no zone. */
bool ip_parse(struct str text, struct ip_addr *addr);
bool ip_is_v4(const struct ip_addr *addr);
bool ip_is_loopback(const struct ip_addr *addr); /* 127/8, ::1 */
/* Canonical text (RFC 5952; IPv4 dotted). */
void ip_format(const struct ip_addr *addr, char text[IP_TEXT_MAX]);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone; bits below the
 * prefix must be zero. */
bool ip_net_parse(struct str text, struct ip_net *net);
bool ip_net_contains(const struct ip_net *net, const struct ip_addr *addr);
bool ip_nets_contain(
    const struct ip_net *nets, size_t n, const struct ip_addr *addr);

#endif
