#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/seal.h"

static struct arena arena;
static struct secret key, other;

static int
open_all(void **state)
{
	(void)state;
	assert_int_equal(secret_init(), DK_OK);
	assert_int_equal(arena_open(&arena, 1024 * 1024), DK_OK);
	assert_int_equal(secret_new(&key), DK_OK);
	assert_int_equal(secret_new(&other), DK_OK);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static bool
opens(const struct secret *k, struct str purpose, struct str text,
    struct str want)
{
	struct str plain;
	bool opened;

	assert_int_equal(
	    seal_open(k, purpose, text, &arena, &plain, &opened), DK_OK);
	if (opened)
		assert_true(str_eq(plain, want));
	else
		assert_true(str_is_none(plain));
	return opened;
}

static void
what_was_sealed_opens_as_it_was(void **state)
{
	static char big[66000];
	const struct str plain[] = { { "", 0 }, { "a\0b\xff", 4 },
		{ big, sizeof(big) } };
	struct str text, again;
	size_t i;

	(void)state;
	memset(big, 'x', sizeof(big));
	for (i = 0; i < 3; i++) {
		assert_int_equal(
		    seal_make(&key, STR("p"), plain[i], &arena, &text), DK_OK);
		assert_int_equal(
		    seal_make(&key, STR("p"), plain[i], &arena, &again),
		    DK_OK);
		assert_false(str_eq(text, again));
		assert_true(text.n <= SEAL_TEXT_LEN(plain[i].n));
		assert_true(opens(&key, STR("p"), text, plain[i]));
		assert_false(opens(&other, STR("p"), text, plain[i]));
		assert_false(opens(&key, STR("q"), text, plain[i]));
	}
}

static void
what_was_changed_does_not_open(void **state)
{
	char copy[128];
	struct str text;
	size_t i;

	(void)state;
	assert_int_equal(
	    seal_make(&key, STR("p"), STR("some words"), &arena, &text),
	    DK_OK);
	assert_true(text.n < sizeof(copy) - 2);
	for (i = 0; i < text.n; i++) {
		memcpy(copy, text.p, text.n);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_false(opens(&key, STR("p"),
		    (struct str){ copy, text.n }, STR("")));
		assert_false(opens(
		    &key, STR("p"), (struct str){ text.p, i }, STR("")));
	}
	memcpy(copy, text.p, text.n);
	copy[text.n] = 'A';
	assert_false(
	    opens(&key, STR("p"), (struct str){ copy, text.n + 1 }, STR("")));
	copy[text.n] = '=';
	assert_false(
	    opens(&key, STR("p"), (struct str){ copy, text.n + 1 }, STR("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_as_it_was),
		cmocka_unit_test(what_was_changed_does_not_open),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
