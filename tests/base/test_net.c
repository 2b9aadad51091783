#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"

static const struct address_case {
	const char *text;
	const char *want; /* as it is written; NULL: refused */
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	/* One address in two forms. */
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::FFFF:c000:0201", "192.0.2.1" },
	{ "0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1" },
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255" },
	/* RFC 5952 4: no leading zeros, longest run shortened, lower case. */
	{ "::", "::" },
	{ "::1", "::1" },
	{ "1::", "1::" },
	{ "2001:db8::1", "2001:db8::1" },
	{ "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
	{ "2001:db8::0:1", "2001:db8::1" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789",
	    "abcd:ef01:2345:6789:abcd:ef01:2345:6789" },
	{ "fe80::1", "fe80::1" },
	{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
	/* IPv4 in other than four decimal parts has several readings. */
	{ "192.0.2", NULL },
	{ "192.0.2.", NULL },
	{ ".192.0.2.1", NULL },
	{ "192..2.1", NULL },
	{ "192.0.2.1.", NULL },
	{ "192.0.2.1.1", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2.01", NULL },
	{ "192.0.2.001", NULL },
	{ "010.0.0.1", NULL },
	{ "192.0.2.0x1", NULL },
	{ "192.0.2.-1", NULL },
	{ "192.0.2.+1", NULL },
	{ "192.0.2.1e0", NULL },
	{ "3221225985", NULL },
	{ "127.1", NULL },
	{ "0", NULL },
	/* Not bare. */
	{ "192.0.2.1:80", NULL },
	{ "[::1]", NULL },
	{ "[::1]:80", NULL },
	{ "::1:80:", NULL },
	{ "fe80::1%eth0", NULL },
	{ "fe80::1%1", NULL },
	{ "192.0.2.1/32", NULL },
	{ "\"::1\"", NULL },
	{ " 192.0.2.1", NULL },
	{ "192.0.2.1 ", NULL },
	{ "192.0.2.1\n", NULL },
	{ "::1 ", NULL },
	{ "\t::1", NULL },
	/* Malformed IPv6. */
	{ "", NULL },
	{ ":", NULL },
	{ ":::", NULL },
	{ ":1", NULL },
	{ "1:", NULL },
	{ "1::2::3", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "::1:2:3:4:5:6:7:8", NULL },
	{ "::12345", NULL },
	{ "::g", NULL },
	{ "::ffff:192.0.2", NULL },
	{ "::ffff:192.0.2.256", NULL },
	{ "::ffff:192.0.2.1:1", NULL },
	{ "192.0.2.1::", NULL },
	{ "localhost", NULL },
	{ "unknown", NULL },
	{ "\xef\xbc\x91.0.0.1", NULL }, /* a full-width digit */
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.2551", NULL },
	{ "00000000000000000000000000000000000000000000000000::1", NULL },
};

static void
reads_and_writes_addresses_in_one_form(void **state)
{
	static const struct ip_addr zero;
	const struct address_case *c;
	char text[IP_TEXT_MAX];
	struct ip_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		c = &addresses[i];
		memset(&addr, 0xa5, sizeof(addr));
		if (ip_parse(str_from(c->text), &addr) != (c->want != NULL))
			fail_msg("\"%s\": wrong answer", c->text);
		if (c->want == NULL) {
			assert_memory_equal(&addr, &zero, sizeof(addr));
			continue;
		}
		ip_format(&addr, text);
		if (strcmp(text, c->want) != 0)
			fail_msg("\"%s\": %s", c->text, text);
	}
}

static void
refuses_a_nul_and_looks_at_the_view_only(void **state)
{
	struct ip_addr addr, want;

	(void)state;
	assert_false(ip_parse(STR_NONE, &addr));
	assert_false(ip_parse(STR("192.0.2.1\0"), &addr));
	assert_false(ip_parse(STR("192.0.2.1\0.evil"), &addr));
	assert_false(ip_parse(STR("::1\0"), &addr));
	assert_false(ip_parse(STR("\0"), &addr));
	assert_true(ip_parse(STR("192.0.2.1"), &want));
	assert_true(ip_parse(str_sub(STR("192.0.2.123"), 0, 9), &addr));
	assert_memory_equal(&addr, &want, sizeof(addr));
}

/* Every pattern of zero groups, which is what the writing shortens. */
static void
reads_back_what_it_wrote(void **state)
{
	struct ip_addr addr, again;
	char text[IP_TEXT_MAX];
	unsigned pattern, i;

	(void)state;
	for (pattern = 0; pattern < 6561; pattern++) {
		unsigned rest = pattern;

		memset(&addr, 0, sizeof(addr));
		for (i = 0; i < 8; i++, rest /= 3) {
			addr.byte[2 * i] = rest % 3 == 2 ? 0xff : 0;
			addr.byte[2 * i + 1] = rest % 3 == 0 ? 0
			    : rest % 3 == 2		     ? 0xff
							     : 1;
		}
		ip_format(&addr, text);
		if (!ip_parse(str_from(text), &again) ||
		    memcmp(&addr, &again, sizeof(addr)) != 0)
			fail_msg("pattern %u: %s", pattern, text);
	}
}

static const struct kind_case {
	const char *text;
	bool v4, loopback;
} kinds[] = {
	{ "127.0.0.1", true, true },
	{ "127.0.0.0", true, true },
	{ "127.255.255.255", true, true },
	{ "::ffff:127.0.0.1", true, true },
	{ "126.255.255.255", true, false },
	{ "128.0.0.1", true, false },
	{ "0.0.0.0", true, false },
	{ "1.0.0.127", true, false },
	{ "::1", false, true },
	{ "::", false, false },
	{ "::2", false, false },
	{ "::1:1", false, false },
	{ "8000::1", false, false },
	{ "::127.0.0.1", false, false },
	{ "64:ff9b::127.0.0.1", false, false },
	{ "::fffe:127.0.0.1", false, false },
	{ "1::ffff:127.0.0.1", false, false },
	{ "7f00::1", false, false },
};

static void
knows_ipv4_and_loopback(void **state)
{
	struct ip_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_true(ip_parse(str_from(kinds[i].text), &addr));
		if (ip_is_v4(&addr) != kinds[i].v4 ||
		    ip_is_loopback(&addr) != kinds[i].loopback)
			fail_msg("%s", kinds[i].text);
	}
}

static const struct net_case {
	const char *text;
	bool ok;
	unsigned prefix;
} nets[] = {
	{ "192.0.2.0/24", true, 120 },
	{ "192.0.2.1", true, 128 },
	{ "192.0.2.1/32", true, 128 },
	{ "0.0.0.0/0", true, 96 },
	{ "128.0.0.0/1", true, 97 },
	{ "192.0.2.128/25", true, 121 },
	{ "::ffff:192.0.2.0/120", true, 120 },
	{ "::/0", true, 0 },
	{ "8000::/1", true, 1 },
	{ "::1", true, 128 },
	{ "::1/128", true, 128 },
	{ "2001:db8::/32", true, 32 },
	{ "2001:db8:8000::/33", true, 33 },
	/* Bits below the prefix: which of the two was meant? */
	{ "192.0.2.1/24", false, 0 },
	{ "192.0.2.1/31", false, 0 },
	{ "192.0.2.128/24", false, 0 },
	{ "1.0.0.0/0", false, 0 },
	{ "2001:db8::1/32", false, 0 },
	{ "2001:db8:8000::/32", false, 0 },
	{ "::1/127", false, 0 },
	{ "::1/0", false, 0 },
	/* The prefix of a mapped address counts all 128 bits. */
	{ "::ffff:192.0.2.0/24", false, 0 },
	{ "::ffff:0.0.0.0/0", false, 0 },
	{ "192.0.2.0/33", false, 0 },
	{ "192.0.2.0/120", false, 0 },
	{ "192.0.2.1/128", false, 0 },
	{ "::/129", false, 0 },
	{ "::/4294967296", false, 0 },
	{ "::/18446744073709551616", false, 0 },
	{ "::/-1", false, 0 },
	{ "::/+0", false, 0 },
	{ "::/", false, 0 },
	{ "::/ 0", false, 0 },
	{ "::/0 ", false, 0 },
	{ "::/0/0", false, 0 },
	{ "::/0x0", false, 0 },
	{ "192.0.2.0/255.255.255.0", false, 0 },
	{ "192.0.2/24", false, 0 },
	{ "192/8", false, 0 },
	{ "/0", false, 0 },
	{ "/", false, 0 },
	{ "", false, 0 },
	{ "0/0", false, 0 },
	{ "all", false, 0 },
	{ "*", false, 0 },
	{ "[::]/0", false, 0 },
	{ " ::/0", false, 0 },
};

static void
reads_networks(void **state)
{
	struct ip_net net;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		net.prefix = 999;
		if (ip_net_parse(str_from(nets[i].text), &net) != nets[i].ok)
			fail_msg("\"%s\": wrong answer", nets[i].text);
		if (nets[i].ok && net.prefix != nets[i].prefix)
			fail_msg("\"%s\": /%u", nets[i].text, net.prefix);
	}
	assert_false(ip_net_parse(STR("::/0\0"), &net));
	assert_false(ip_net_parse(STR_NONE, &net));
}

static const struct member_case {
	const char *net, *addr;
	bool in;
} members[] = {
	{ "192.0.2.0/24", "192.0.2.0", true },
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.1.255", false },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
	{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
	{ "192.0.2.0/24", "::192.0.2.9", false },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.0", false },
	{ "192.0.2.2/31", "192.0.2.3", true },
	{ "192.0.2.2/31", "192.0.2.4", false },
	{ "10.0.0.0/8", "10.255.255.255", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "128.0.0.0/1", "255.0.0.0", true },
	{ "128.0.0.0/1", "127.255.255.255", false },
	/* All of IPv4 is not all. */
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::1", false },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "192.0.2.1", true },
	{ "::1", "::1", true },
	{ "::1", "::", false },
	{ "::1", "127.0.0.1", false },
	{ "8000::/1", "ffff::", true },
	{ "8000::/1", "7fff::", false },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/32", "2001:db9::", false },
	{ "2001:db8:8000::/33", "2001:db8:7fff::", false },
	{ "2001:db8:8000::/33", "2001:db8:ffff::", true },
};

static void
knows_who_is_in_a_network(void **state)
{
	const struct member_case *c;
	struct ip_addr addr;
	struct ip_net net;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		c = &members[i];
		assert_true(ip_net_parse(str_from(c->net), &net));
		assert_true(ip_parse(str_from(c->addr), &addr));
		if (ip_net_contains(&net, &addr) != c->in)
			fail_msg("%s, %s", c->net, c->addr);
	}
}

/* Every prefix against an address that differs in exactly one bit. */
static void
compares_exactly_the_bits_of_the_prefix(void **state)
{
	struct ip_net net = { .prefix = 0 };
	struct ip_addr addr;
	unsigned bit;

	(void)state;
	for (net.prefix = 0; net.prefix <= 128; net.prefix++)
		for (bit = 0; bit < 128; bit++) {
			addr = net.addr;
			addr.byte[bit / 8] ^= (unsigned char)(0x80u >> bit % 8);
			if (ip_net_contains(&net, &addr) != (bit >= net.prefix))
				fail_msg("/%u, bit %u", net.prefix, bit);
		}
}

static void
looks_through_all_networks(void **state)
{
	static const char *const texts[] = { "192.0.2.0/24", "::1",
		"10.0.0.0/8" };
	struct ip_addr addr;
	struct ip_net list[3];
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(ip_net_parse(str_from(texts[i]), &list[i]));
	assert_true(ip_parse(STR("10.1.2.3"), &addr));
	assert_true(ip_nets_contain(list, 3, &addr));
	assert_false(ip_nets_contain(list, 2, &addr));
	assert_false(ip_nets_contain(list, 0, &addr));
	assert_false(ip_nets_contain(NULL, 0, &addr));
	assert_true(ip_parse(STR("192.0.2.3"), &addr));
	assert_true(ip_nets_contain(list, 3, &addr));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_addresses_in_one_form),
		cmocka_unit_test(refuses_a_nul_and_looks_at_the_view_only),
		cmocka_unit_test(reads_back_what_it_wrote),
		cmocka_unit_test(knows_ipv4_and_loopback),
		cmocka_unit_test(reads_networks),
		cmocka_unit_test(knows_who_is_in_a_network),
		cmocka_unit_test(compares_exactly_the_bits_of_the_prefix),
		cmocka_unit_test(looks_through_all_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
