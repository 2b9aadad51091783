#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/address.h"

enum { NETS_MAX = 4, LONG = 65536 };

static const char *const nets_text[NETS_MAX] = { "127.0.0.1", "10.0.0.0/8",
	"2001:db8:1::/48", "192.0.2.128/25" };
static struct ip_net nets[NETS_MAX];

static int
parse_nets(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NETS_MAX; i++)
		if (!ip_net_parse(str_from(nets_text[i]), &nets[i]))
			return -1;
	return 0;
}

struct address_case {
	const char *label, *peer, *forwarded_for;
	const char *want; /* NULL: no address */
};

static void
check_case(const struct address_case *c, const struct ip_net *trusted,
    size_t n_trusted)
{
	char text[IP_TEXT_MAX] = "";
	struct ip_addr addr;

	memset(&addr, 0xa5, sizeof(addr));
	if (address_of_client(str_from(c->peer), str_from(c->forwarded_for),
		trusted, n_trusted, &addr) != (c->want != NULL))
		fail_msg("%s: wrong answer", c->label);
	if (c->want == NULL)
		return;
	ip_format(&addr, text);
	if (strcmp(text, c->want) != 0)
		fail_msg("%s: %s, not %s", c->label, text, c->want);
}

/* DK-G-04: without configured proxies no header is believed */
static const struct address_case untrusting[] = {
	{ "peer alone", "198.51.100.1", NULL, "198.51.100.1" },
	{ "header from a stranger", "198.51.100.1", "203.0.113.9",
	    "198.51.100.1" },
	{ "header from loopback", "127.0.0.1", "203.0.113.9", "127.0.0.1" },
	{ "header from a private net", "10.0.0.1", "203.0.113.9", "10.0.0.1" },
	{ "IPv6", "2001:DB8:0:0::1", NULL, "2001:db8::1" },
	{ "mapped IPv4 is IPv4", "::ffff:198.51.100.1", NULL, "198.51.100.1" },
	/* DK-G-07 */
	{ "no peer", NULL, NULL, NULL },
	{ "no peer, header", NULL, "203.0.113.9", NULL },
	{ "empty peer", "", NULL, NULL },
	{ "empty peer, header", "", "127.0.0.1", NULL },
	{ "socket", "unix:", NULL, NULL },
	{ "socket, header", "unix:", "127.0.0.1", NULL },
	{ "socket with path", "unix:/run/web.sock", NULL, NULL },
	{ "path", "/run/web.sock", NULL, NULL },
	{ "host name", "localhost", NULL, NULL },
	{ "peer with port", "198.51.100.1:80", NULL, NULL },
	{ "peer in brackets", "[::1]", NULL, NULL },
	{ "peer with space", " 127.0.0.1", NULL, NULL },
	{ "two peers", "127.0.0.1, 127.0.0.1", NULL, NULL },
	{ "short form", "127.1", NULL, NULL },
	{ "octal form", "0177.0.0.1", NULL, NULL },
	{ "number form", "2130706433", NULL, NULL },
	{ "zone", "fe80::1%lo", NULL, NULL },
};

/* DK-G-04: the rightmost hop that is no proxy of ours */
static const struct address_case trusting[] = {
	{ "no header", "10.0.0.1", NULL, "10.0.0.1" },
	{ "empty header", "10.0.0.1", "", "10.0.0.1" },
	{ "blank header", "10.0.0.1", "  ", "10.0.0.1" },
	{ "one hop", "10.0.0.1", "203.0.113.9", "203.0.113.9" },
	{ "one hop, IPv6", "10.0.0.1", "2001:db8::9", "2001:db8::9" },
	{ "one hop, mapped", "10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9" },
	{ "planted on the left", "10.0.0.1", "127.0.0.1, 203.0.113.9",
	    "203.0.113.9" },
	{ "many planted", "10.0.0.1",
	    "10.0.0.1, 127.0.0.1,10.0.0.2,,x, 203.0.113.9", "203.0.113.9" },
	{ "two proxies", "10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9" },
	{ "two proxies, planted", "10.0.0.1",
	    "198.51.100.7, 203.0.113.9, 10.0.0.2", "203.0.113.9" },
	{ "proxies of both families", "2001:db8:1::1",
	    "203.0.113.9, 192.0.2.200, 10.9.9.9", "203.0.113.9" },
	{ "proxy as mapped peer", "::ffff:10.0.0.1", "203.0.113.9",
	    "203.0.113.9" },
	{ "proxy as mapped hop", "10.0.0.1", "203.0.113.9, ::ffff:10.0.0.2",
	    "203.0.113.9" },
	{ "only proxies: the leftmost", "10.0.0.1", "10.0.0.3, 10.0.0.2",
	    "10.0.0.3" },
	{ "neighbour of the net", "192.0.2.127", "203.0.113.9", "192.0.2.127" },
	{ "first of the net", "192.0.2.128", "203.0.113.9", "203.0.113.9" },
	{ "neighbour as hop", "10.0.0.1", "203.0.113.9, 11.0.0.0", "11.0.0.0" },
	{ "peer is no proxy", "198.51.100.1", "203.0.113.9", "198.51.100.1" },
	{ "peer is none, header names proxies", "198.51.100.1",
	    "203.0.113.9, 10.0.0.1", "198.51.100.1" },
	{ "no peer", "", "203.0.113.9", NULL },
	{ "socket", "unix:", "203.0.113.9", NULL },
	/* forms of an entry */
	{ "port", "10.0.0.1", "203.0.113.9:4711", "203.0.113.9" },
	{ "brackets", "10.0.0.1", "[2001:db8::9]", "2001:db8::9" },
	{ "brackets and port", "10.0.0.1", "[2001:db8::9]:4711",
	    "2001:db8::9" },
	{ "proxy with port", "10.0.0.1", "203.0.113.9:1, 10.0.0.2:443",
	    "203.0.113.9" },
	{ "tabs and spaces", "10.0.0.1", "\t203.0.113.9 ,\t10.0.0.2 ",
	    "203.0.113.9" },
	/* an entry that is no address ends the walk */
	{ "unknown", "10.0.0.1", "unknown", "10.0.0.1" },
	{ "unknown behind a proxy", "10.0.0.1", "203.0.113.9, unknown",
	    "10.0.0.1" },
	{ "unknown before a proxy", "10.0.0.1",
	    "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2" },
	{ "empty entry", "10.0.0.1", "203.0.113.9,", "10.0.0.1" },
	{ "empty entry between", "10.0.0.1", "203.0.113.9,,10.0.0.2",
	    "10.0.0.2" },
	{ "obfuscated", "10.0.0.1", "203.0.113.9, _hidden", "10.0.0.1" },
	{ "host name", "10.0.0.1", "localhost", "10.0.0.1" },
	{ "Forwarded's form", "10.0.0.1", "for=203.0.113.9", "10.0.0.1" },
	{ "quotes", "10.0.0.1", "\"203.0.113.9\"", "10.0.0.1" },
	{ "zone", "10.0.0.1", "fe80::1%eth0", "10.0.0.1" },
	{ "port is no number", "10.0.0.1", "203.0.113.9:x", "10.0.0.1" },
	{ "port is empty", "10.0.0.1", "203.0.113.9:", "10.0.0.1" },
	{ "port is too large", "10.0.0.1", "203.0.113.9:65536", "10.0.0.1" },
	{ "port in brackets is no number", "10.0.0.1", "[2001:db8::9]:x",
	    "10.0.0.1" },
	{ "bracket is not closed", "10.0.0.1", "[2001:db8::9", "10.0.0.1" },
	{ "bracket is not opened", "10.0.0.1", "2001:db8::9]", "10.0.0.1" },
	{ "text behind the bracket", "10.0.0.1", "[2001:db8::9]x", "10.0.0.1" },
	{ "port without a colon", "10.0.0.1", "[2001:db8::9]x80", "10.0.0.1" },
	{ "empty brackets", "10.0.0.1", "[]", "10.0.0.1" },
	{ "space within", "10.0.0.1", "203.0.113.9 203.0.113.8", "10.0.0.1" },
	{ "semicolon", "10.0.0.1", "203.0.113.9; 203.0.113.8", "10.0.0.1" },
	{ "line end", "10.0.0.1", "203.0.113.9\n", "10.0.0.1" },
	{ "out of range", "10.0.0.1", "203.0.113.256", "10.0.0.1" },
	{ "net", "10.0.0.1", "203.0.113.0/24", "10.0.0.1" },
};

static void
believes_nobody_unless_told(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(untrusting) / sizeof(untrusting[0]); i++)
		check_case(&untrusting[i], NULL, 0);
}

static void
takes_the_rightmost_hop_that_is_no_proxy(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(trusting) / sizeof(trusting[0]); i++)
		check_case(&trusting[i], nets, NETS_MAX);
}

/* Whatever the client writes in front of what our proxy appended. */
static void
cannot_be_moved_by_what_stands_further_left(void **state)
{
	static const char *const planted[] = { "", ",", "127.0.0.1,",
		"10.0.0.1,", "unknown,", "[,", "\",", "203.0.113.1:1,," };
	char text[80];
	struct address_case c = { "planted", "10.0.0.1", text, "203.0.113.9" };
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		BUF_OVER(&b, text);
		buf_addf(&b, "%s 203.0.113.9, 10.0.0.2", planted[i]);
		check_case(&c, nets, NETS_MAX);
	}
}

static void
does_not_end_at_a_nul(void **state)
{
	struct ip_addr addr;

	(void)state;
	assert_false(address_of_client(
	    STR("127.0.0.1\0"), STR_NONE, nets, NETS_MAX, &addr));
	assert_true(address_of_client(STR("10.0.0.1"),
	    STR("203.0.113.9\0, 10.0.0.2"), nets, NETS_MAX, &addr));
	assert_true(ip_nets_contain(nets, NETS_MAX, &addr));
}

/* Only what counts is walked; all of it where all are proxies. */
static void
walks_a_very_long_list(void **state)
{
	char *text = malloc(LONG);
	struct address_case c = { "long", "10.0.0.1", text, "10.0.0.9" };
	struct buf b;

	(void)state;
	assert_non_null(text);
	buf_init(&b, text, LONG);
	buf_addz(&b, "10.0.0.9");
	while (buf_ok(&b))
		buf_addz(&b, ",10.0.0.2");
	check_case(&c, nets, NETS_MAX);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_nobody_unless_told),
		cmocka_unit_test(takes_the_rightmost_hop_that_is_no_proxy),
		cmocka_unit_test(cannot_be_moved_by_what_stands_further_left),
		cmocka_unit_test(does_not_end_at_a_nul),
		cmocka_unit_test(walks_a_very_long_list),
	};

	return cmocka_run_group_tests(tests, parse_nets, NULL);
}
