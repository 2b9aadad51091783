#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"

enum { SIZE = 256 };

static struct arena arena;

static int
open_arena(void **state)
{
	(void)state;
	return arena_open(&arena, SIZE) == DK_OK ? 0 : -1;
}

static int
close_arena(void **state)
{
	(void)state;
	arena_close(&arena);
	return 0;
}

static bool
is_zero(const unsigned char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static void
gives_zeroed_aligned_memory(void **state)
{
	static const size_t sizes[] = { 1, 3, 16, 17, 0, 40 };
	unsigned char *p, *end = arena.block;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		p = arena_alloc(&arena, sizes[i]);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_true(p >= end && p + sizes[i] <= arena.block + SIZE);
		assert_true(is_zero(p, sizes[i]));
		memset(p, 0xa5, sizes[i]);
		end = p + sizes[i];
	}
}

static void
gives_the_whole_block_and_no_more(void **state)
{
	(void)state;
	assert_null(arena_alloc(&arena, SIZE + 1));
	assert_non_null(arena_alloc(&arena, SIZE));
	assert_null(arena_alloc(&arena, 1));
	arena_reset(&arena);
	/* The gap before the next aligned place is used up as well. */
	assert_non_null(arena_alloc(&arena, SIZE - 15));
	assert_null(arena_alloc(&arena, 1));
	arena_reset(&arena);
	assert_non_null(arena_alloc(&arena, SIZE - 16));
	assert_non_null(arena_alloc(&arena, 16));
	assert_null(arena_alloc(&arena, 1));
}

static void
stays_usable_after_a_refusal(void **state)
{
	(void)state;
	assert_null(arena_alloc(&arena, SIZE * 2));
	assert_non_null(arena_alloc(&arena, SIZE));
}

static void
does_not_wrap_around(void **state)
{
	struct buf b;
	size_t n;

	(void)state;
	assert_non_null(arena_alloc(&arena, 17));
	for (n = 0; n < 64; n++) {
		assert_null(arena_alloc(&arena, SIZE_MAX - n));
		assert_true(str_is_none(
		    arena_dup(&arena, (struct str){ "a", SIZE_MAX - n })));
		b = arena_buf(&arena, SIZE_MAX - n);
		buf_addc(&b, 'a');
		assert_false(buf_ok(&b));
		assert_true(
		    str_is_none(arena_printf(&arena, SIZE_MAX - n, "%s", "a")));
	}
}

/* Nothing of one request is left for the next: DK-P-12 */
static void
wipes_what_was_used(void **state)
{
	char *p;

	(void)state;
	p = arena_alloc(&arena, 40);
	memset(p, 's', 40);
	assert_false(str_is_none(arena_dup(&arena, STR("secret"))));
	assert_false(str_is_none(arena_printf(&arena, 40, "%s", "secret")));
	arena_reset(&arena);
	assert_true(is_zero(arena.block, SIZE));
	assert_ptr_equal(arena_alloc(&arena, 1), arena.block);
}

/* A text that did not fit may have been written in part. */
static void
wipes_what_did_not_fit(void **state)
{
	(void)state;
	assert_true(str_is_none(arena_printf(&arena, 4, "%s", "secret")));
	arena_reset(&arena);
	assert_true(is_zero(arena.block, SIZE));
}

static void
copies_a_text_with_a_nul_behind(void **state)
{
	char source[] = "a\0bc";
	struct str copy = arena_dup(&arena, (struct str){ source, 3 });

	(void)state;
	source[0] = 'x';
	assert_true(str_eq(copy, STR("a\0b")));
	assert_int_equal(copy.p[3], '\0');
	copy = arena_dup(&arena, STR(""));
	assert_false(str_is_none(copy));
	assert_int_equal(copy.n, 0);
	assert_int_equal(copy.p[0], '\0');
}

static void
copies_what_fits_with_its_nul(void **state)
{
	char text[SIZE];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(str_is_none(arena_dup(&arena, (struct str){ text, SIZE })));
	assert_false(
	    str_is_none(arena_dup(&arena, (struct str){ text, SIZE - 1 })));
	assert_null(arena_alloc(&arena, 1));
}

static void
makes_bufs_with_the_room_asked_for(void **state)
{
	struct buf b = arena_buf(&arena, 3), last;

	(void)state;
	buf_add(&b, STR("abc"));
	assert_true(buf_ok(&b));
	buf_addc(&b, 'd');
	assert_false(buf_ok(&b));
	assert_string_equal(buf_z(&b), "abc");
	b = arena_buf(&arena, SIZE - 16);
	assert_string_equal(buf_z(&b), "");
	assert_int_equal(buf_str(&b).n, 0);
	buf_addc(&b, 'a');
	assert_false(buf_ok(&b));
	/* There is still no room behind it after a reset. */
	buf_reset(&b);
	buf_addf(&b, "%d", 1);
	buf_add_json(&b, STR("a"));
	buf_add_html(&b, STR("a"));
	assert_false(buf_ok(&b));
	last = arena_buf(&arena, SIZE - 17);
	assert_true(buf_ok(&last));
}

static void
prints_what_fits_or_nothing(void **state)
{
	struct str s = arena_printf(&arena, 5, "%s-%d", "ab", 12);

	(void)state;
	assert_true(str_eq(s, STR("ab-12")));
	assert_int_equal(s.p[5], '\0');
	assert_true(str_is_none(arena_printf(&arena, 4, "%s-%d", "ab", 12)));
	assert_true(str_is_none(arena_printf(&arena, SIZE, "%s", "a")));
	s = arena_printf(&arena, 0, "%s", "");
	assert_false(str_is_none(s));
	assert_int_equal(s.n, 0);
}

/* AddressSanitizer ends a program that asks for too much, unless told here. */
const char *__asan_default_options(void);
__attribute__((visibility("default"), used)) const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
reports_memory_that_is_not_there(void **state)
{
	struct arena a = { .used = 7 };

	(void)state;
	assert_int_equal(arena_open(&a, PTRDIFF_MAX), DK_ERR_NOMEM);
	assert_null(a.block);
	assert_null(arena_alloc(&a, 1));
	arena_close(&a);
	arena_close(&a);
}

static void
gives_back_what_nobody_wrote(void **state)
{
	unsigned char *first = arena_alloc(&arena, 16),
		      *p = arena_alloc(&arena, 200), *next;

	(void)state;
	assert_non_null(first);
	assert_non_null(p);
	memset(p, 0xa5, 20);
	arena_trim(&arena, p, 20);
	next = arena_alloc(&arena, 100);
	assert_ptr_equal(next, p + 32);
	assert_true(is_zero(next, 100));
	arena_trim(&arena, next, 200); /* never more than there was */
	assert_null(arena_alloc(&arena, SIZE - 16 - 32 - 100));
	arena_reset(&arena);
	assert_true(is_zero(p, 20));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_zeroed_aligned_memory),
		TEST(gives_the_whole_block_and_no_more),
		TEST(stays_usable_after_a_refusal),
		TEST(does_not_wrap_around),
		TEST(wipes_what_was_used),
		TEST(wipes_what_did_not_fit),
		TEST(copies_a_text_with_a_nul_behind),
		TEST(copies_what_fits_with_its_nul),
		TEST(makes_bufs_with_the_room_asked_for),
		TEST(prints_what_fits_or_nothing),
		TEST(gives_back_what_nobody_wrote),
		TEST(reports_memory_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
