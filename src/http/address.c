#include "http/address.h"

static bool
is_port(struct str text)
{
	uint64_t port;

	return str_to_u64(text, 65535, &port);
}

/*
 * One entry of X-Forwarded-For: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]",
 * "[2001:db8::1]:80" or a bare IPv6 address.
 */
static bool
parse_entry(struct str entry, struct ip_addr *addr)
{
	struct str host, rest;

	entry = str_trim(entry);
	if (str_starts(entry, STR("["))) {
		if (!str_split(str_sub(entry, 1, entry.n), ']', &host, &rest))
			return false;
		if (rest.n > 0 &&
		    (rest.p[0] != ':' || !is_port(str_sub(rest, 1, rest.n))))
			return false;
		return ip_parse(host, addr);
	}
	if (ip_parse(entry, addr))
		return true;
	return str_split(entry, ':', &host, &rest) && is_port(rest) &&
	    ip_parse(host, addr);
}

/* Take the last comma-separated entry off *list. */
static bool
take_last(struct str *list, struct str *entry)
{
	size_t i;

	if (str_is_none(*list))
		return false;
	for (i = list->n; i > 0 && list->p[i - 1] != ','; i--)
		continue;
	*entry = str_sub(*list, i, list->n - i);
	*list = i == 0 ? STR_NONE : str_sub(*list, 0, i - 1);
	return true;
}

bool
address_of_client(struct str peer, struct str forwarded_for,
    const struct ip_net *trusted, size_t n_trusted, struct ip_addr *addr)
{
	struct ip_addr hop;
	struct str entry;

	if (!ip_parse(peer, addr))
		return false;
	while (ip_nets_contain(trusted, n_trusted, addr) &&
	    take_last(&forwarded_for, &entry)) {
		if (!parse_entry(entry, &hop))
			break;
		*addr = hop;
	}
	return true;
}
