/*
 * The peer (first line) and X-Forwarded-For (the rest).  Who is not trusted
 * says nothing; what is written further left moves nothing; the answer is
 * the peer or an address that is printed and read again.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "http/address.h"

enum { NETS = 3, INPUT_MAX = 16 * 1024, ARENA_SIZE = 64 * 1024 };

static bool
is_same(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

static void
check_printed(const struct ip_addr *addr)
{
	char text[IP_TEXT_MAX];
	struct ip_addr again;

	ip_format(addr, text);
	if (!ip_parse(str_from(text), &again) || !is_same(addr, &again))
		abort();
}

/* A stranger's word in front of the list, as a client can send it. */
static void
check_planted(struct str peer, struct str list, const struct ip_net *nets,
    const struct ip_addr *addr, struct arena *arena)
{
	static const char *const planted[] = { "127.0.0.1", "203.0.113.66",
		"unknown", "[", "" };
	struct ip_addr moved;
	struct buf text;
	size_t i;

	for (i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		arena_reset(arena);
		text = arena_buf(arena, INPUT_MAX + 16);
		buf_addf(&text, "%s,", planted[i]);
		buf_add(&text, list);
		if (!address_of_client(
			peer, buf_str(&text), nets, NETS, &moved) ||
		    !is_same(addr, &moved))
			abort();
	}
}

static void
check_net(struct str text)
{
	struct ip_net net;

	if (!ip_net_parse(text, &net))
		return;
	if (net.prefix > 128 || !ip_net_contains(&net, &net.addr))
		abort();
	check_printed(&net.addr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size }, peer, list;
	struct ip_net nets[NETS];
	struct ip_addr parsed, addr;
	struct arena arena;
	bool known;

	if (size > INPUT_MAX || !ip_net_parse(STR("127.0.0.1"), &nets[0]) ||
	    !ip_net_parse(STR("10.0.0.0/8"), &nets[1]) ||
	    !ip_net_parse(STR("2001:db8::/32"), &nets[2]) ||
	    arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	(void)str_split(text, '\n', &peer, &list);
	known = ip_parse(peer, &parsed);
	if (address_of_client(peer, list, nets, NETS, &addr) != known)
		abort();
	if (known) {
		check_printed(&addr);
		if (!ip_nets_contain(nets, NETS, &parsed) &&
		    !is_same(&addr, &parsed))
			abort();
		if (!ip_nets_contain(nets, NETS, &addr))
			check_planted(peer, list, nets, &addr, &arena);
		if (!address_of_client(peer, list, NULL, 0, &addr) ||
		    !is_same(&addr, &parsed))
			abort();
	}
	check_net(peer);
	arena_close(&arena);
	return 0;
}
