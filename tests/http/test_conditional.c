#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/conditional.h"
#include "http/media_type.h"

/* Changed at Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 5.6.7). */
enum { SIZE = 10000 };
#define CHANGED INT64_C(784111777)
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

static unsigned
judge(const struct conditional *asked, const char *etag, struct part *part)
{
	const struct representation is = { .etag = str_from(etag),
		.modified_s = CHANGED,
		.size = SIZE };

	return conditional_judge(asked, &is, part);
}

static void
finds_the_range(void **state)
{
	static const struct {
		const char *range;
		unsigned status;
		uint64_t from, n;
	} rows[] = {
		/* the examples of RFC 9110 14.1.2 */
		{ "bytes=0-499", 206, 0, 500 },
		{ "bytes=500-999", 206, 500, 500 },
		{ "bytes=-500", 206, 9500, 500 },
		{ "bytes=9500-", 206, 9500, 500 },
		{ "bytes=0-0", 206, 0, 1 },
		{ "bytes=9999-9999", 206, 9999, 1 },
		/* clipped at the end */
		{ "bytes=9999-20000", 206, 9999, 1 },
		{ "bytes=0-18446744073709551615", 206, 0, SIZE },
		{ "bytes=0-99999999999999999999999", 206, 0, SIZE },
		{ "bytes=-20000", 206, 0, SIZE },
		{ "bytes=-99999999999999999999999", 206, 0, SIZE },
		{ "Bytes = 1-2 ", 206, 1, 2 },
		{ "bytes=000001-0002", 206, 1, 2 },
		/* nothing there */
		{ "bytes=10000-", 416, 0, SIZE },
		{ "bytes=10000-10001", 416, 0, SIZE },
		{ "bytes=99999999999999999999-", 416, 0, SIZE },
		{ "bytes=-0", 416, 0, SIZE },
		/* no range that we know: the whole */
		{ "bytes=2-1", 200, 0, SIZE },
		{ "bytes=", 200, 0, SIZE },
		{ "bytes=-", 200, 0, SIZE },
		{ "bytes", 200, 0, SIZE },
		{ "", 200, 0, SIZE },
		{ "bytes=1", 200, 0, SIZE },
		{ "bytes=a-b", 200, 0, SIZE },
		{ "bytes=1-b", 200, 0, SIZE },
		{ "bytes=-1-2", 200, 0, SIZE },
		{ "bytes=+1-2", 200, 0, SIZE },
		{ "bytes=0x1-2", 200, 0, SIZE },
		{ "bytes=1 -2", 200, 0, SIZE },
		{ "bytes=0-0,-1", 200, 0, SIZE },
		{ "bytes=0-0,1-1", 200, 0, SIZE },
		{ "lines=0-1", 200, 0, SIZE },
		{ "0-1", 200, 0, SIZE },
	};
	struct conditional asked = { .if_match = STR_NONE };
	struct part part;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		asked.range = str_from(rows[i].range);
		print_message("%s\n", rows[i].range);
		assert_int_equal(
		    judge(&asked, "\"x\"", &part), rows[i].status);
		assert_int_equal(part.from, rows[i].from);
		assert_int_equal(part.n, rows[i].n);
	}
}

static void
gives_an_empty_file_whole(void **state)
{
	const struct representation is = { .etag = STR("\"x\"") };
	static const char *const ranges[] = { "bytes=0-", "bytes=-5",
		"bytes=0-0", "bytes=-0" };
	struct conditional asked = { .if_match = STR_NONE };
	struct part part;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		asked.range = str_from(ranges[i]);
		assert_int_equal(conditional_judge(&asked, &is, &part), 200);
		assert_int_equal(part.n, 0);
	}
}

static void
judges_conditions_in_their_order(void **state)
{
	const struct str bytes = STR("bytes=0-0"), none = STR_NONE;
	const struct {
		const char *etag;
		struct conditional asked;
		unsigned status;
	} rows[] = {
		{ "\"x\"", { .if_none_match = STR("\"x\"") }, 304 },
		{ "\"x\"", { .if_none_match = STR("W/\"x\"") }, 304 },
		{ "W/\"x\"", { .if_none_match = STR("\"x\"") }, 304 },
		{ "\"x\"", { .if_none_match = STR("*") }, 304 },
		{ "\"x\"", { .if_none_match = STR(" \"y\" , ,\"x\"") }, 200 },
		{ "\"x\"", { .if_none_match = STR("\"y\", \"x\" ") }, 304 },
		{ "\"x\"", { .if_none_match = STR("\"a,\", \"x\"") }, 304 },
		{ "\"x\"", { .if_none_match = STR("\"a,\"x\"") }, 200 },
		{ "\"x\"", { .if_none_match = STR("x") }, 200 },
		{ "\"x\"", { .if_none_match = STR("\"x") }, 200 },
		{ "\"x\"", { .if_none_match = STR("") }, 200 },
		{ "\"x\"", { .if_none_match = STR("\"X\"") }, 200 },
		{ "\"x\"", { .if_none_match = STR("w/\"x\"") }, 200 },
		/* If-Match is strong */
		{ "\"x\"", { .if_match = STR("\"x\"") }, 200 },
		{ "\"x\"", { .if_match = STR("*") }, 200 },
		{ "\"x\"", { .if_match = STR("\"y\"") }, 412 },
		{ "\"x\"", { .if_match = STR("W/\"x\"") }, 412 },
		{ "W/\"x\"", { .if_match = STR("W/\"x\"") }, 412 },
		{ "\"x\"", { .if_match = STR("nonsense") }, 412 },
		/* dates */
		{ "\"x\"", { .if_modified_since = STR(DATE) }, 304 },
		{ "\"x\"", { .if_modified_since = STR(LATER) }, 304 },
		{ "\"x\"", { .if_modified_since = STR(EARLIER) }, 200 },
		{ "\"x\"", { .if_modified_since = STR("yesterday") }, 200 },
		{ "\"x\"", { .if_unmodified_since = STR(EARLIER) }, 412 },
		{ "\"x\"", { .if_unmodified_since = STR(DATE) }, 200 },
		{ "\"x\"", { .if_unmodified_since = STR("never") }, 200 },
		/* a tag comes before a date */
		{ "\"x\"",
		    { .if_none_match = STR("\"y\""),
			.if_modified_since = STR(DATE) },
		    200 },
		{ "\"x\"",
		    { .if_match = STR("\"x\""),
			.if_unmodified_since = STR(EARLIER) },
		    200 },
		{ "\"x\"",
		    { .if_match = STR("\"y\""),
			.if_none_match = STR("\"x\"") },
		    412 },
		/* a range only of what it was asked for */
		{ "\"x\"", { .range = bytes, .if_range = none }, 206 },
		{ "\"x\"", { .range = bytes, .if_range = STR("\"x\"") }, 206 },
		{ "\"x\"", { .range = bytes, .if_range = STR("\"y\"") }, 200 },
		{ "\"x\"",
		    { .range = bytes, .if_range = STR("W/\"x\"") }, 200 },
		{ "W/\"x\"",
		    { .range = bytes, .if_range = STR("W/\"x\"") }, 200 },
		{ "\"x\"", { .range = bytes, .if_range = STR(DATE) }, 206 },
		{ "\"x\"", { .range = bytes, .if_range = STR(LATER) }, 200 },
		{ "W/\"x\"", { .range = bytes, .if_range = STR(DATE) }, 200 },
		{ "\"x\"", { .range = bytes, .if_range = STR("soon") }, 200 },
		{ "\"x\"", { .range = bytes, .if_range = STR("") }, 200 },
		{ "\"x\"",
		    { .range = bytes, .if_none_match = STR("\"x\"") }, 304 },
		{ "\"x\"", { .range = bytes, .if_match = STR("\"y\"") }, 412 },
		{ "\"x\"", { .if_range = STR("\"x\"") }, 200 },
	};
	struct part part;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("row %zu\n", i);
		assert_int_equal(
		    judge(&rows[i].asked, rows[i].etag, &part),
		    rows[i].status);
	}
}

static void
names_the_media_type(void **state)
{
	static const struct {
		const char *name, *type;
	} rows[] = {
		{ "a.html", "text/html" },
		{ "A.HTML", "text/html" },
		{ "a.tar.gz", "application/gzip" },
		{ "a.min.js", "text/javascript" },
		{ "a", "application/octet-stream" },
		{ "html", "application/octet-stream" },
		{ "a.", "application/octet-stream" },
		{ "", "application/octet-stream" },
		{ "a.htmlx", "application/octet-stream" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(
		    str_eq(media_type_of_name(str_from(rows[i].name)),
			str_from(rows[i].type)));
}

/* DK-A-11: no source of a program comes out as text. */
static void
knows_scripts_by_any_part_of_the_name(void **state)
{
	static const char *const scripts[] = { "index.php", "INDEX.PHP",
		"a.php.bak", "a.php~", "a.php.~", "a.php5", "x.cgi", "x.pl",
		"db.inc", "config.inc.txt", "a.php.", "x.phtml~~",
		"a.tar.php.gz", ".php" };
	static const char *const files[] = { "php", "a.txt", "phpinfo.txt",
		"a.phpx", "", "~", ".", "plan.pdf", "cgi~" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		assert_true(media_type_is_script(str_from(scripts[i])));
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_false(media_type_is_script(str_from(files[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_range),
		cmocka_unit_test(gives_an_empty_file_whole),
		cmocka_unit_test(judges_conditions_in_their_order),
		cmocka_unit_test(names_the_media_type),
		cmocka_unit_test(knows_scripts_by_any_part_of_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
