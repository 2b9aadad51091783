#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "base/jw.h"

static char text[512];
static struct buf out;
static struct jw w;

static int
start(void **state)
{
	(void)state;
	BUF_OVER(&out, text);
	jw_open(&w, &out);
	return 0;
}

/* The text is want, and a reader of others takes it. */
static void
check(const char *want)
{
	json_t *v;

	assert_true(buf_ok(&out));
	assert_string_equal(buf_z(&out), want);
	v = json_loadb(
	    out.p, out.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	assert_non_null(v);
	json_decref(v);
}

static void
writes_members_of_every_kind(void **state)
{
	(void)state;
	jw_object(&w, NULL);
	jw_str(&w, "name", STR("a\"b\n"));
	jw_int(&w, "least", LLONG_MIN);
	jw_int(&w, "most", LLONG_MAX);
	jw_bool(&w, "yes", true);
	jw_bool(&w, "no", false);
	jw_null(&w, "none");
	jw_str(&w, "k\"ey", STR_NONE);
	jw_end(&w);
	check("{\"name\":\"a\\\"b\\n\",\"least\":-9223372036854775808,"
	      "\"most\":9223372036854775807,\"yes\":true,\"no\":false,"
	      "\"none\":null,\"k\\\"ey\":\"\"}");
}

static void
puts_commas_where_they_belong(void **state)
{
	(void)state;
	jw_array(&w, NULL);
	jw_array(&w, NULL);
	jw_end(&w);
	jw_object(&w, NULL);
	jw_end(&w);
	jw_int(&w, NULL, 1);
	jw_object(&w, NULL);
	jw_array(&w, "a");
	jw_int(&w, NULL, 1);
	jw_int(&w, NULL, 2);
	jw_end(&w);
	jw_object(&w, "b");
	jw_null(&w, "c");
	jw_end(&w);
	jw_str(&w, "d", STR("e"));
	jw_end(&w);
	jw_bool(&w, NULL, true);
	jw_end(&w);
	check("[[],{},1,{\"a\":[1,2],\"b\":{\"c\":null},\"d\":\"e\"},true]");
}

static void
writes_a_value_alone(void **state)
{
	(void)state;
	jw_str(&w, NULL, STR("a"));
	check("\"a\"");
}

static void
nests_to_its_depth_and_no_deeper(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < JW_DEPTH_MAX; i++)
		jw_array(&w, NULL);
	for (i = 0; i < JW_DEPTH_MAX; i++)
		jw_end(&w);
	check("[[[[[[[[]]]]]]]]");
	assert_int_equal(start(NULL), 0);
	for (i = 0; i < JW_DEPTH_MAX; i++)
		jw_object(&w, i == 0 ? NULL : "a");
	assert_true(buf_ok(&out));
	jw_array(&w, "a");
	assert_false(buf_ok(&out));
	for (i = 0; i < 100; i++)
		jw_array(&w, NULL);
	for (i = 0; i < 200; i++)
		jw_end(&w);
	assert_false(buf_ok(&out));
}

static void
ends_no_more_than_began(void **state)
{
	(void)state;
	jw_end(&w);
	jw_array(&w, NULL);
	jw_end(&w);
	jw_end(&w);
	jw_end(&w);
	check("[]");
}

static void
says_when_it_does_not_fit(void **state)
{
	char small[16];
	size_t size;

	(void)state;
	for (size = 1; size <= sizeof(small); size++) {
		buf_init(&out, small, size);
		jw_open(&w, &out);
		jw_object(&w, NULL);
		jw_str(&w, "a", STR("b"));
		jw_int(&w, "c", 10);
		jw_end(&w);
		/* {"a":"b","c":10} and the NUL need 17 bytes. */
		assert_false(buf_ok(&out));
		assert_true(out.len < size);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_members_of_every_kind),
		TEST(puts_commas_where_they_belong),
		TEST(writes_a_value_alone),
		TEST(nests_to_its_depth_and_no_deeper),
		TEST(ends_no_more_than_began),
		TEST(says_when_it_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
