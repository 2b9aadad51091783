/* The site's colour: readable whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "web/accent.h"

static const struct colour black = { 0, 0, 0 }, white = { 255, 255, 255 };

static void
reads_six_digits_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "", "#", "2453c9", "#2453c",
		"#2453c99", "#2453cg", "#2453c ", "#24 3c9", "blue", "#fff",
		"#+453c9", "#2453c\n" };
	struct colour c;
	size_t i;

	(void)state;
	assert_true(colour_parse(STR("#2453c9"), &c));
	assert_true(c.red == 0x24 && c.green == 0x53 && c.blue == 0xc9);
	assert_true(colour_parse(STR("#AbCdEf"), &c));
	assert_true(c.red == 0xab && c.green == 0xcd && c.blue == 0xef);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (colour_parse(str_from(wrong[i]), &c))
			fail_msg("%s", wrong[i]);
}

/* As other programs compute it. */
static void
contrast_is_that_of_wcag(void **state)
{
	static const struct {
		struct colour a, b;
		double ratio;
	} cases[] = {
		{ { 0, 0, 0 }, { 255, 255, 255 }, 21.0 },
		{ { 255, 255, 255 }, { 255, 255, 255 }, 1.0 },
		{ { 0x77, 0x77, 0x77 }, { 255, 255, 255 }, 4.478 },
		{ { 0x76, 0x76, 0x76 }, { 255, 255, 255 }, 4.542 },
		{ { 255, 0, 0 }, { 255, 255, 255 }, 3.998 },
		{ { 0, 0, 255 }, { 0, 0, 0 }, 2.444 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double off = colour_contrast(cases[i].a, cases[i].b) -
		    cases[i].ratio;

		if (off > 0.001 || off < -0.001)
			fail_msg("case %zu: off by %f", i, off);
	}
}

static void
every_colour_can_be_read_on_both_grounds(void **state)
{
	static const struct colour light[] = { { 255, 255, 255 },
		{ 0xf4, 0xf5, 0xf7 }, { 0xea, 0xf1, 0xfd } };
	static const struct colour dark[] = { { 0x1d, 0x21, 0x28 },
		{ 0x14, 0x17, 0x1c }, { 0x1c, 0x2a, 0x45 },
		{ 0x0d, 0x15, 0x26 } };
	unsigned n;
	size_t i;

	(void)state;
	for (n = 0; n < 16 * 16 * 16; n++) {
		struct colour c = { (unsigned char)(n % 16 * 17),
			(unsigned char)(n / 16 % 16 * 17),
			(unsigned char)(n / 256 * 17) };

		for (i = 0; i < sizeof(light) / sizeof(light[0]); i++)
			assert_true(colour_contrast(accent_on_light(c),
					light[i]) >= 4.5);
		for (i = 0; i < sizeof(dark) / sizeof(dark[0]); i++)
			assert_true(colour_contrast(accent_on_dark(c),
					dark[i]) >= 4.5);
	}
	assert_true(colour_contrast(accent_on_light(white), white) < 6);
	assert_true(colour_contrast(accent_on_dark(black), black) < 9);
}

static void
a_colour_that_does_is_left_alone(void **state)
{
	const struct colour blue = { 0x24, 0x53, 0xc9 };
	struct colour c = accent_on_light(blue);
	char text[256];
	struct buf b;

	(void)state;
	assert_memory_equal(&c, &blue, sizeof(c));
	BUF_OVER(&b, text);
	accent_add_rules(&b, blue);
	assert_non_null(strstr(buf_z(&b), "--accent: #2453c9; }"));
	assert_non_null(strstr(buf_z(&b), "(prefers-color-scheme: dark)"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_six_digits_and_nothing_else),
		cmocka_unit_test(contrast_is_that_of_wcag),
		cmocka_unit_test(every_colour_can_be_read_on_both_grounds),
		cmocka_unit_test(a_colour_that_does_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
