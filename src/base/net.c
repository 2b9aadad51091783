#include "base/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0xff, 0xff };

bool
ip_parse(struct str text, struct ip_addr *addr)
{
	char z[IP_TEXT_MAX];

	memset(addr, 0, sizeof(*addr));
	if (text.n == 0 || text.n >= sizeof(z) || str_contains(text, '\0'))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	if (inet_pton(AF_INET, z, addr->byte + sizeof(v4_prefix)) == 1) {
		memcpy(addr->byte, v4_prefix, sizeof(v4_prefix));
		return true;
	}
	return inet_pton(AF_INET6, z, addr->byte) == 1;
}

bool
ip_is_v4(const struct ip_addr *addr)
{
	return memcmp(addr->byte, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool
ip_is_loopback(const struct ip_addr *addr)
{
	static const unsigned char one[16] = { [15] = 1 };

	if (ip_is_v4(addr))
		return addr->byte[sizeof(v4_prefix)] == 127;
	return memcmp(addr->byte, one, sizeof(one)) == 0;
}

void
ip_format(const struct ip_addr *addr, char text[IP_TEXT_MAX])
{
	text[0] = '\0';
	if (ip_is_v4(addr))
		(void)inet_ntop(AF_INET, addr->byte + sizeof(v4_prefix), text,
		    IP_TEXT_MAX);
	else
		(void)inet_ntop(AF_INET6, addr->byte, text, IP_TEXT_MAX);
}

/* True when all bits of addr from bit `prefix` on are zero. */
static bool
host_part_is_zero(const struct ip_addr *addr, unsigned prefix)
{
	unsigned bit;

	for (bit = prefix; bit < 128; bit++)
		if (addr->byte[bit / 8] & (0x80u >> bit % 8))
			return false;
	return true;
}

bool
ip_net_parse(struct str text, struct ip_net *net)
{
	struct str addr, bits;
	uint64_t prefix = 128;
	bool slash = str_split(text, '/', &addr, &bits);

	memset(net, 0, sizeof(*net));
	if (!ip_parse(addr, &net->addr))
		return false;
	if (slash) {
		bool dotted = !str_contains(addr, ':');

		if (!str_to_u64(bits, dotted ? 32 : 128, &prefix))
			return false;
		if (dotted)
			prefix += 96;
	}
	net->prefix = (unsigned)prefix;
	return host_part_is_zero(&net->addr, net->prefix);
}

bool
ip_net_contains(const struct ip_net *net, const struct ip_addr *addr)
{
	size_t whole = net->prefix / 8;
	unsigned rest = net->prefix % 8;
	unsigned char mask = (unsigned char)(0xff00u >> rest);

	if (memcmp(net->addr.byte, addr->byte, whole) != 0)
		return false;
	return rest == 0 ||
	    (net->addr.byte[whole] & mask) == (addr->byte[whole] & mask);
}

bool
ip_nets_contain(
    const struct ip_net *nets, size_t n, const struct ip_addr *addr)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ip_net_contains(&nets[i], addr))
			return true;
	return false;
}
