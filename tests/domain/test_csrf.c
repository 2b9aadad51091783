#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "domain/csrf.h"

static void
fill(struct secret *secret, unsigned char c)
{
	memset(secret->byte, c, sizeof(secret->byte));
}

/* DK-X-02 */
static void
accepts_what_it_made(void **state)
{
	char text[CSRF_TOKEN_LEN + 1];
	struct secret secret;
	size_t i;

	(void)state;
	fill(&secret, 1);
	for (i = 0; i < 100; i++) {
		assert_int_equal(csrf_token_make(&secret, text), DK_OK);
		assert_int_equal(strlen(text), CSRF_TOKEN_LEN);
		assert_true(csrf_token_check(&secret, str_from(text)));
	}
}

/* DK-X-02: of another session, or of another browser before sign-in */
static void
refuses_the_token_of_another_secret(void **state)
{
	char text[CSRF_TOKEN_LEN + 1];
	struct secret mine, other;

	(void)state;
	fill(&mine, 1);
	fill(&other, 1);
	other.byte[SECRET_LEN - 1] ^= 1;
	assert_int_equal(csrf_token_make(&other, text), DK_OK);
	assert_false(csrf_token_check(&mine, str_from(text)));
}

/* DK-X-02, DK-P-13: every bit of it counts */
static void
refuses_a_token_with_any_character_changed(void **state)
{
	char text[CSRF_TOKEN_LEN + 1], made;
	struct secret secret;
	size_t i;

	(void)state;
	fill(&secret, 7);
	assert_int_equal(csrf_token_make(&secret, text), DK_OK);
	for (i = 0; i < CSRF_TOKEN_LEN; i++) {
		made = text[i];
		text[i] = made == 'A' ? 'B' : 'A';
		assert_false(csrf_token_check(&secret, str_from(text)));
		text[i] = made;
	}
	assert_true(csrf_token_check(&secret, str_from(text)));
}

static void
refuses_other_lengths_and_alphabets(void **state)
{
	char text[CSRF_TOKEN_LEN + 3], changed[CSRF_TOKEN_LEN + 3];
	static const char strange[] = "+/=. \n%\xff";
	struct secret secret;
	size_t n;

	(void)state;
	fill(&secret, 9);
	assert_int_equal(csrf_token_make(&secret, text), DK_OK);
	assert_false(csrf_token_check(&secret, STR_NONE));
	for (n = 0; n < CSRF_TOKEN_LEN; n++)
		assert_false(
		    csrf_token_check(&secret, (struct str){ text, n }));
	memcpy(text + CSRF_TOKEN_LEN, "=", 2);
	assert_false(csrf_token_check(&secret, str_from(text)));
	text[CSRF_TOKEN_LEN] = '\0';
	for (n = 0; n < sizeof(strange); n++) { /* NUL too */
		memcpy(changed, text, sizeof(text));
		changed[50] = strange[n];
		assert_false(csrf_token_check(
		    &secret, (struct str){ changed, CSRF_TOKEN_LEN }));
	}
}

/* DK-X-09: neither the whole nor a part stands on two pages */
static void
masks_every_token_anew(void **state)
{
	char a[CSRF_TOKEN_LEN + 1], b[CSRF_TOKEN_LEN + 1];
	struct secret secret;

	(void)state;
	fill(&secret, 3);
	assert_int_equal(csrf_token_make(&secret, a), DK_OK);
	assert_int_equal(csrf_token_make(&secret, b), DK_OK);
	assert_memory_not_equal(a, b, 42);
	assert_memory_not_equal(a + 44, b + 44, 42);
}

/* The pad alone, or a tag without its mask, is no token. */
static void
refuses_all_zero_bytes(void **state)
{
	char text[CSRF_TOKEN_LEN + 1];
	struct secret secret;

	(void)state;
	fill(&secret, 0);
	memset(text, 'A', CSRF_TOKEN_LEN);
	text[CSRF_TOKEN_LEN] = '\0';
	assert_false(csrf_token_check(&secret, str_from(text)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_what_it_made),
		cmocka_unit_test(refuses_the_token_of_another_secret),
		cmocka_unit_test(refuses_a_token_with_any_character_changed),
		cmocka_unit_test(refuses_other_lengths_and_alphabets),
		cmocka_unit_test(masks_every_token_anew),
		cmocka_unit_test(refuses_all_zero_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
