#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http/url.h"

static struct arena arena;

static int
open_arena(void **state)
{
	(void)state;
	return arena_open(&arena, 1024 * 1024) == DK_OK ? 0 : -1;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static int
reset_arena(void **state)
{
	(void)state;
	arena_reset(&arena);
	return 0;
}

/* DK-O-01 */
static const char *const safe[] = { "/", "/a", "/reports/2026/",
	"/index.html?x=1&y=2", "/?", "/?next=//other.example/",
	"/?next=https://other.example/", "/a?b?c=/d//e", "/a//b", "/a:b@c",
	"/https://other.example/", "/a;b,c=d!e*f'(g)$h", "/%20",
	"/%2f%2Fother.example", "/%5cother.example", "/%09/x", "/%00", "/%ff",
	"/%C3%A4", "/~user/-_.", "/[x]{y}|z^`",
	/* Dot segments never leave the origin (WHATWG URL 4.4). */
	"/..", "/../../x", "/./x", "/.//other.example/", "/a/..//b",
	"/%2e%2e/x", "/@other.example", "/.other.example" };

static const char *const unsafe[] = { "", "a", "a/b", "?x", "#x", ".", "..",
	"./a", "../a", "@other.example", "other.example",
	"https://other.example/", "http://www.example.org/", "HTTPS://x/",
	"https:/x", "https:x", "javascript:alert(1)", "JavaScript:x",
	"data:text/html,x", "mailto:a@b", "://x", ":/x",
	/* scheme-relative, and what browsers read as that */
	"//", "///", "//other.example", "//other.example/..",
	"///other.example", "//user@other.example/", "//\\x",
	"/\\other.example", "\\/other.example", "\\\\other.example", "\\",
	"/\\", "/\\/other.example", "/a\\b", "/a?b=\\",
	/* browsers drop tabs and line ends anywhere, controls in front */
	"/\t/other.example", "/\n/other.example", "/\r/other.example",
	"/\r\n/x", "\t//other.example", "\n//x", " //x", "\x01//x", " /a",
	"/a ", "/a b", "/a\tb", "/a\nb", "/a\r\nSet-Cookie: a=b", "/a\x1b",
	"/a\x7f", "\x7f/a",
	/* what is not kept as it is */
	"/a#b", "/#", "/a\"b", "/<script>", "/a>b", "/\xc3\xa4", "/\xff",
	"/\xe3\x80\x82", "/\xef\xbc\x8fother.example", "\xef\xbc\x8f/x",
	/* malformed escapes */
	"/%", "/%2", "/%zz", "/%2g", "/a?%", "/a?b=%2", "/%%41", "/%u002f" };

static void
takes_local_paths_as_return_to(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(safe) / sizeof(safe[0]); i++)
		if (!url_next_is_safe(str_from(safe[i])))
			fail_msg("refused: %s", safe[i]);
}

/* DK-O-01, DK-H-13 */
static void
refuses_what_a_browser_could_take_elsewhere(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (url_next_is_safe(str_from(unsafe[i])))
			fail_msg("taken, case %zu: %s", i, unsafe[i]);
	assert_false(url_next_is_safe(STR_NONE));
	assert_false(url_next_is_safe(STR("/a\0b")));
	assert_false(url_next_is_safe(STR("/\0/other.example")));
	assert_false(url_next_is_safe(STR("/a\0")));
}

static void
keeps_every_visible_byte_and_no_other(void **state)
{
	char text[] = "/a?x=y";
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++) {
		bool want = i > 0x20 && i < 0x7f &&
		    !str_contains(STR("\\#\"<>%"), (char)i);

		text[5] = (char)i;
		if (url_next_is_safe((struct str){ text, 6 }) != want)
			fail_msg("byte 0x%02x", i);
	}
}

/* DK-O-06 */
static void
bounds_the_length_of_a_return_to(void **state)
{
	static char text[URL_NEXT_MAX + 1];
	struct str next;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	assert_true(url_next_is_safe((struct str){ text, URL_NEXT_MAX }));
	assert_false(url_next_is_safe((struct str){ text, URL_NEXT_MAX + 1 }));
	next = url_next_of_target((struct str){ text, URL_NEXT_MAX }, &arena);
	assert_int_equal(next.n, URL_NEXT_MAX);
	next =
	    url_next_of_target((struct str){ text, URL_NEXT_MAX + 1 }, &arena);
	assert_true(str_is_none(next));
	/* Encoding makes it longer: the last byte becomes three. */
	text[URL_NEXT_MAX - 1] = '"';
	next = url_next_of_target((struct str){ text, URL_NEXT_MAX }, &arena);
	assert_true(str_is_none(next));
	text[URL_NEXT_MAX - 3] = '"';
	next =
	    url_next_of_target((struct str){ text, URL_NEXT_MAX - 2 }, &arena);
	assert_int_equal(next.n, URL_NEXT_MAX);
}

/* DK-O-03: what the browser asked for is what it is sent back to */
static void
makes_a_return_to_of_the_request_line(void **state)
{
	static const struct {
		const char *target, *next; /* NULL: STR_NONE */
	} cases[] = {
		{ "/", "/" },
		{ "/a/b?c=d&e=f", "/a/b?c=d&e=f" },
		{ "/a?x=%2525&y=%26%3d+z", "/a?x=%2525&y=%26%3d+z" },
		{ "/a?next=//other.example", "/a?next=//other.example" },
		{ "/?", "/?" },
		{ "/a//b", "/a//b" },
		{ "//other.example/a", "/other.example/a" },
		{ "////other.example/a", "/other.example/a" },
		{ "//", "/" },
		{ "/\\other.example", "/%5Cother.example" },
		{ "//\\other.example", "/%5Cother.example" },
		{ "/a\\b?c=\\", "/a%5Cb?c=%5C" },
		{ "/\t/other.example", "/%09/other.example" },
		{ "/a b", "/a%20b" },
		{ "/a\r\nb", "/a%0D%0Ab" },
		{ "/<\">", "/%3C%22%3E" },
		{ "/\xc3\xa4", "/%C3%A4" },
		{ "/\xff\x80", "/%FF%80" },
		{ "/%", "/%25" },
		{ "/%2", "/%252" },
		{ "/%zz%41", "/%25zz%41" },
		{ "/a#b?c", "/a" },
		{ "/#", "/" },
		{ "http://www.example.org/a?b", "/a?b" },
		{ "https://www.example.org/a?b", "/a?b" },
		{ "http://other.example//x", "/x" },
		{ "http://h/a?u=http://x/y", "/a?u=http://x/y" },
		{ "http://h?u=/y", NULL },
		{ "http://h#/y", NULL },
		{ "http://h", NULL },
		{ "http://", NULL },
		{ "", NULL },
		{ "*", NULL },
		{ "a", NULL },
		{ "?a", NULL },
		{ "\\a", NULL },
		{ "www.example.org:443", NULL },
		{ "ftp://www.example.org/a", NULL },
		{ "javascript:alert(1)", NULL },
	};
	struct str next;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		next = url_next_of_target(str_from(cases[i].target), &arena);
		if (str_is_none(next) != (cases[i].next == NULL) ||
		    !str_eq(next, str_from(cases[i].next)))
			fail_msg(
			    "%s: \"%.*s\"", cases[i].target, STR_FMT(next));
		if (!str_is_none(next) && !url_next_is_safe(next))
			fail_msg("%s: not safe", cases[i].target);
	}
	assert_true(str_is_none(url_next_of_target(STR_NONE, &arena)));
}

/* DK-X-03: only the exact tuple; hosts in any case, the port implied */
static void
parses_an_origin(void **state)
{
	static const struct {
		const char *text;
		bool https;
		const char *host;
		unsigned port;
	} cases[] = {
		{ "https://www.example.org", true, "www.example.org", 443 },
		{ "http://www.example.org", false, "www.example.org", 80 },
		{ "HTTPS://WWW.Example.ORG", true, "www.example.org", 443 },
		{ "https://www.example.org:443", true, "www.example.org", 443 },
		{ "http://www.example.org:443", false, "www.example.org", 443 },
		{ "https://localhost:8443", true, "localhost", 8443 },
		{ "http://127.0.0.1:1", false, "127.0.0.1", 1 },
		{ "http://h:65535", false, "h", 65535 },
		{ "http://[::1]", false, "[::1]", 80 },
		{ "http://[2001:DB8::1]:8080", false, "[2001:db8::1]", 8080 },
		{ "http://[::ffff:192.0.2.1]", false, "[::ffff:192.0.2.1]",
		    80 },
		{ "https://xn--bcher-kva.example", true,
		    "xn--bcher-kva.example", 443 },
		{ "https://a_b", true, "a_b", 443 },
	};
	struct url_origin o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!url_origin_parse(str_from(cases[i].text), &arena, &o) ||
		    o.https != cases[i].https || o.port != cases[i].port ||
		    !str_eq(o.host, str_from(cases[i].host)))
			fail_msg("%s: %.*s, %u", cases[i].text, STR_FMT(o.host),
			    o.port);
	}
}

static void
refuses_what_is_no_origin(void **state)
{
	static const char *const cases[] = { "", "null", "www.example.org",
		"//www.example.org", "https:", "https:/", "https://",
		"https:///", "https://:443", "https:www.example.org",
		"https:/www.example.org", "https:\\\\www.example.org",
		"https://www.example.org/", "https://www.example.org/a",
		"https://www.example.org?a", "https://www.example.org#a",
		"https://www.example.org.", "https://www.example.org.:443",
		"https://.", "https://user@www.example.org",
		"https://user:pw@www.example.org", "https://@h",
		"https://www.example.org@other.example",
		"https://www.example.org\\@other.example",
		"https://www.example.org\\",
		"https://www.example.org:", "https://www.example.org:0",
		"https://www.example.org:65536",
		"https://www.example.org:443:443",
		"https://www.example.org:+443", "https://www.example.org:-1",
		"https://www.example.org: 443", "https://www.example.org:0x1",
		"https://www.example.org:99999999999999999999",
		"https://www.example.org:443/", " https://www.example.org",
		"https://www.example.org ", "https:// www.example.org",
		"https://www.example.org\n", "https://www.example.org\t",
		"https://www.example.org https://other.example",
		"https://www.example.org,https://other.example",
		"https://*.example.org", "https://*", "https://a%2eb",
		"https://\xc3\xa4.example", "https://[", "https://]",
		"https://[]", "https://[::1", "https://[::1]x",
		"https://[::1]x443", "https://[::1]:", "https://[::1]:x",
		"https://[::1]]", "https://[[::1]]", "https://[::1%25lo]",
		"https://[www.example.org]", "https://::1", "wss://h",
		"ftp://h", "file://h", "httpss://h", "xhttps://h", "http//h",
		"httpshttps://h", "javascript://h" };
	struct url_origin o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&o, 0xa5, sizeof(o));
		if (url_origin_parse(str_from(cases[i]), &arena, &o))
			fail_msg("taken: %s", cases[i]);
	}
	assert_false(url_origin_parse(STR_NONE, &arena, &o));
	assert_false(url_origin_parse(STR("https://h\0.example"), &arena, &o));
	assert_false(url_origin_parse(STR("https://h\0"), &arena, &o));
	assert_false(url_origin_parse(STR("https://h:443\0"), &arena, &o));
}

static void
bounds_the_length_of_a_host(void **state)
{
	char text[8 + 256];
	struct url_origin o;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "https://", 8);
	assert_true(
	    url_origin_parse((struct str){ text, 8 + 255 }, &arena, &o));
	assert_false(
	    url_origin_parse((struct str){ text, 8 + 256 }, &arena, &o));
}

static void
compares_origins_as_tuples(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "https://h", "https://h", true },
		{ "https://h", "https://h:443", true },
		{ "http://h:80", "http://h", true },
		{ "https://h", "HTTPS://H", true },
		{ "https://h", "http://h", false },
		{ "https://h", "http://h:443", false },
		{ "https://h", "https://h:444", false },
		{ "https://example.org", "https://www.example.org", false },
		{ "https://example.org", "https://example.org.evil", false },
		{ "https://example.org", "https://example.orgevil", false },
		{ "https://example.org", "https://evilexample.org", false },
		{ "https://localhost", "https://127.0.0.1", false },
	};
	struct url_origin a, b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(url_origin_parse(str_from(cases[i].a), &arena, &a));
		assert_true(url_origin_parse(str_from(cases[i].b), &arena, &b));
		if (url_origin_eq(&a, &b) != cases[i].equal ||
		    url_origin_eq(&b, &a) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

/* DK-X-01: the origin of a Referer */
static void
finds_the_origin_of_a_url(void **state)
{
	static const struct {
		const char *url, *origin; /* NULL: none */
	} cases[] = {
		{ "https://h", "https://h" },
		{ "https://h/", "https://h" },
		{ "https://h:8443/a/b?c#d", "https://h:8443" },
		{ "https://h?a", "https://h" },
		{ "https://h#a", "https://h" },
		{ "https://h?a/b/c", "https://h" },
		{ "https://h/https://own/", "https://h" },
		{ "https://h?https://own/", "https://h" },
		{ "https://h#https://own/", "https://h" },
		{ "HTTP://H/", "http://h" },
		{ "https://own@h/", NULL },
		{ "https://own:443@h/", NULL },
		{ "https://own\\@h/", NULL },
		{ "https://own\\.h/", NULL },
		{ "https://h./", NULL },
		{ "https:///own/", NULL },
		{ "https:/own/", NULL },
		{ "https:own/", NULL },
		{ "//own/", NULL },
		{ "/own/", NULL },
		{ "", NULL },
		{ "about:blank", NULL },
		{ "null", NULL },
		{ "x?https://own/", NULL },
		{ "data:text/html,https://own/", NULL },
		{ " https://own/", NULL },
		{ "https://own\t/", NULL },
	};
	struct url_origin got, want;
	bool found;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		found = url_origin_of(str_from(cases[i].url), &arena, &got);
		if (found != (cases[i].origin != NULL))
			fail_msg("%s: %d", cases[i].url, found);
		if (!found)
			continue;
		assert_true(
		    url_origin_parse(str_from(cases[i].origin), &arena, &want));
		if (!url_origin_eq(&got, &want))
			fail_msg("%s: %.*s", cases[i].url, STR_FMT(got.host));
	}
	assert_false(url_origin_of(STR_NONE, &arena, &got));
}

/* DK-A-06, DK-I-13 */
static void
decodes_a_path_once(void **state)
{
	static const struct {
		const char *target, *path;
	} cases[] = {
		{ "/", "/" },
		{ "/a", "/a" },
		{ "/a/", "/a/" },
		{ "/a/b.pdf", "/a/b.pdf" },
		{ "/%61/b", "/a/b" },
		{ "/a%2eb", "/a.b" },
		{ "/.hidden/..x", "/.hidden/..x" },
		{ "/a%20b", "/a b" },
		{ "/a b/c", "/a b/c" },
		{ "/+a+", "/+a+" },
		{ "/a%23b%3Fc", "/a#b?c" },
		{ "/%C3%A4", "/\xc3\xa4" },
		{ "/\xc3\xa4", "/\xc3\xa4" },
		{ "/100%25", "/100%" },
		{ "/100%25/b", "/100%/b" },
		{ "/%25zz", "/%zz" },
		{ "/%252", "/%2" },
		{ "/~a:b@c!$&'()*,=", "/~a:b@c!$&'()*,=" },
	};
	struct str path;
	enum dk_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = url_canonical_path(
		    str_from(cases[i].target), &arena, &path);
		if (err != DK_OK || !str_eq(path, str_from(cases[i].path)))
			fail_msg("%s: error %d, %.*s", cases[i].target,
			    (int)err, STR_FMT(path));
	}
}

/* DK-A-06: deny when unsure */
static void
refuses_paths_that_two_servers_may_read_differently(void **state)
{
	static const char *const cases[] = { "", "a", "a/b", "*", "?a",
		"http://h/a", "\\a", ".", "..",
		/* empty and dot segments, raw and escaped */
		"//", "//a", "/a//", "/a//b", "/.", "/..", "/./", "/../",
		"/./a", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b", "/%2e",
		"/%2e%2e", "/%2E./a", "/.%2e/a", "/a/%2e/b", "/a/%2e%2e/b",
		"/a/..%2fb", "/a/...", "/.../a",
		/* separators of other systems and hidden ones */
		"/a%2fb", "/a%2Fb", "/%2f", "/a%2f", "/%2fa", "/a\\b", "/a%5cb",
		"/a%5Cb", "/..\\a", "/..%5ca", "/a/..;/b", "/a;b", "/a;", "/;",
		"/a%3bb", "/a%3B",
		/* the path may end here */
		"/a#b", "/a#", "/#", "/a#/../b", "/a?b", "/a?", "/?",
		/* names that end early on some systems */
		"/a.", "/a./", "/a./b", "/a%2e", "/a ", "/a%20", "/a /b",
		"/a%20/b", "/a. ", "/ ",
		/* controls */
		"/a%00", "/%00", "/a%00.pdf", "/a%0ab", "/a%0D", "/a%09b",
		"/a\tb", "/a\nb", "/a\x7f", "/a%7f", "/a%1F",
		/* malformed and doubled escapes */
		"/%", "/a%", "/a%2", "/a%zz", "/a%2g", "/%%", "/%u002e",
		"/%252e", "/%252e%252e/a", "/%252F", "/%255c", "/%2500",
		"/%25%32%65", "/%25252e", "/a%2541",
		/* no UTF-8 */
		"/%ff", "/\xff", "/%C3", "/%c0%ae", "/%c0%af", "/%e0%80%af",
		"/%ED%A0%80", "/\xc0\xae" };
	struct str path;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path = STR("left over");
		if (url_canonical_path(str_from(cases[i]), &arena, &path) !=
		    DK_ERR_INPUT)
			fail_msg("not refused: %s", cases[i]);
		assert_true(str_is_none(path));
	}
	assert_int_equal(
	    url_canonical_path(STR_NONE, &arena, &path), DK_ERR_INPUT);
	assert_int_equal(
	    url_canonical_path(STR("/a\0"), &arena, &path), DK_ERR_INPUT);
	assert_int_equal(
	    url_canonical_path(STR("/a\0.pdf"), &arena, &path), DK_ERR_INPUT);
}

static void
says_when_memory_is_used_up(void **state)
{
	struct url_origin o;
	struct arena small;
	struct str path;

	(void)state;
	assert_int_equal(arena_open(&small, 8), DK_OK);
	assert_int_equal(
	    url_canonical_path(STR("/12345678"), &small, &path), DK_ERR_NOMEM);
	assert_true(str_is_none(path));
	assert_true(str_is_none(url_next_of_target(STR("/a"), &small)));
	assert_false(url_origin_parse(STR("https://12345678"), &small, &o));
	arena_close(&small);
}

#define TEST(name) cmocka_unit_test_teardown(name, reset_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_local_paths_as_return_to),
		TEST(refuses_what_a_browser_could_take_elsewhere),
		TEST(keeps_every_visible_byte_and_no_other),
		TEST(bounds_the_length_of_a_return_to),
		TEST(makes_a_return_to_of_the_request_line),
		TEST(parses_an_origin),
		TEST(refuses_what_is_no_origin),
		TEST(bounds_the_length_of_a_host),
		TEST(compares_origins_as_tuples),
		TEST(finds_the_origin_of_a_url),
		TEST(decodes_a_path_once),
		TEST(refuses_paths_that_two_servers_may_read_differently),
		TEST(says_when_memory_is_used_up),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
