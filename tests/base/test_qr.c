#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/qr.h"

enum { TEXT_MAX = 500, MARGIN = 4, SIDE_MAX = QR_SIZE_MAX + 2 * MARGIN };

static struct qr code;

/* Make the code of a text, or skip the test where the library is missing. */
static void
make(struct str text)
{
	bool available = false;

	assert_int_equal(qr_make(text, &code, &available), DK_OK);
	if (!available) {
		assert_int_equal(code.size, 0);
		skip();
	}
	assert_true(code.size >= 21 && code.size <= QR_SIZE_MAX);
	assert_int_equal(code.size % 4, 1);
}

static unsigned
at(unsigned x, unsigned y)
{
	return code.dark[y * code.size + x] != 0;
}

/* ISO/IEC 18004 5.3.3.1 */
static void
check_finder(unsigned left, unsigned top)
{
	unsigned x, y;

	for (y = 0; y < 7; y++)
		for (x = 0; x < 7; x++) {
			bool edge = x == 0 || x == 6 || y == 0 || y == 6;
			bool core = x >= 2 && x <= 4 && y >= 2 && y <= 4;

			assert_int_equal(at(left + x, top + y), edge || core);
		}
}

static void
draws_the_marks_of_every_code(void **state)
{
	char text[TEXT_MAX];
	unsigned size = 0, i;
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (n = 10; n <= TEXT_MAX; n += 49) {
		make((struct str){ text, n });
		assert_true(code.size >= size);
		size = code.size;
		check_finder(0, 0);
		check_finder(size - 7, 0);
		check_finder(0, size - 7);
		for (i = 8; i < size - 8; i++) {
			assert_int_equal(at(i, 6), i % 2 == 0);
			assert_int_equal(at(6, i), i % 2 == 0);
		}
		/* Level M of error correction: 00, masked by 10. */
		assert_int_equal(at(0, 8), 1);
		assert_int_equal(at(1, 8), 0);
	}
	/* Version 17, which holds 504 bytes at level M. */
	assert_int_equal(size, 85);
}

/* The eight masks of ISO/IEC 18004 7.8.2: y is the row, x the column. */
static bool
is_masked(unsigned mask, unsigned x, unsigned y)
{
	switch (mask) {
	case 0:
		return (x + y) % 2 == 0;
	case 1:
		return y % 2 == 0;
	case 2:
		return x % 3 == 0;
	case 3:
		return (x + y) % 3 == 0;
	case 4:
		return (y / 2 + x / 3) % 2 == 0;
	case 5:
		return x * y % 2 + x * y % 3 == 0;
	case 6:
		return (x * y % 2 + x * y % 3) % 2 == 0;
	default:
		return ((x + y) % 2 + x * y % 3) % 2 == 0;
	}
}

/* Marks and their surroundings in the versions 2 to 6. */
static bool
is_mark(unsigned x, unsigned y)
{
	unsigned n = code.size;

	return (x < 9 && y < 9) || (x >= n - 8 && y < 9) ||
	    (x < 9 && y >= n - 8) || x == 6 || y == 6 ||
	    (x >= n - 9 && x < n - 4 && y >= n - 9 && y < n - 4);
}

/* The first n_bits of the data, which wind up and down from the right. */
static void
read_bits(unsigned char *bit, size_t n_bits)
{
	unsigned mask = (at(2, 8) ^ 1u) << 2 | at(3, 8) << 1 | (at(4, 8) ^ 1u);
	unsigned right, step, side, x, y;
	size_t n = 0;
	bool up = true;

	memset(bit, 0, n_bits);
	for (right = code.size - 1; n < n_bits; right -= 2, up = !up) {
		if (right == 6)
			right--;
		for (step = 0; step < 2 * code.size && n < n_bits; step++) {
			side = step % 2;
			x = right - side;
			y = up ? code.size - 1 - step / 2 : step / 2;
			if (!is_mark(x, y))
				bit[n++] =
				    (at(x, y) ^ is_masked(mask, x, y)) & 1;
		}
	}
}

static unsigned
number(const unsigned char *bit, unsigned n)
{
	unsigned v = 0;

	while (n-- > 0)
		v = v << 1 | *bit++;
	return v;
}

/* Multiply in the field of x^8 + x^4 + x^3 + x^2 + 1 (7.5.2). */
static unsigned
times(unsigned a, unsigned b)
{
	unsigned product = 0;

	for (; b > 0; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = a << 1 ^ (a & 0x80 ? 0x11d : 0);
	}
	return product;
}

/* Without an error the codewords are zero at each root of the generator. */
static void
check_correction(const unsigned char *bit, unsigned codewords, unsigned roots)
{
	unsigned root = 1, sum, i;

	for (; roots > 0; roots--) {
		sum = 0;
		for (i = 0; i < codewords; i++)
			sum = times(sum, root) ^ number(bit + 8 * i, 8);
		assert_int_equal(sum, 0);
		root = times(root, 2);
	}
}

/* A code of one block (versions 2 and 3), none of it wrong. */
static void
holds_the_text(void **state)
{
	static const char *const texts[] = { "otpauth://totp/a?secret=ABC",
		"https://example.org/~x/%41?a=b&c", "aaaaaaaaaaaaaaa",
		"Zo\xc3\xab \xf0\x9f\x98\x80 ~!@#$%^&*()_+{}|:\"<>?" };
	enum { CODEWORDS_2 = 44, CODEWORDS_3 = 70 };
	unsigned char bit[8 * CODEWORDS_3];
	unsigned codewords;
	size_t i, n, j;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		n = strlen(texts[i]);
		assert_true(n >= 15 && n <= 42);
		make(str_from(texts[i]));
		assert_true(code.size == 25 || code.size == 29);
		codewords = code.size == 25 ? CODEWORDS_2 : CODEWORDS_3;
		read_bits(bit, 8 * codewords);
		check_correction(bit, codewords, code.size == 25 ? 16 : 26);
		/* Bytes: numbers and capitals alone would be packed. */
		assert_int_equal(number(bit, 4), 4);
		assert_int_equal(number(bit + 4, 8), n);
		for (j = 0; j < n; j++)
			assert_int_equal(number(bit + 12 + 8 * j, 8),
			    (unsigned char)texts[i][j]);
	}
}

static void
refuses_what_does_not_fit(void **state)
{
	char text[TEXT_MAX + 1];
	bool available = true;

	(void)state;
	memset(text, 'x', sizeof(text));
	code.size = 99;
	code.dark[0] = 1;
	assert_int_equal(
	    qr_make((struct str){ text, sizeof(text) }, &code, &available),
	    DK_ERR_TOO_LARGE);
	assert_int_equal(code.size, 0);
	assert_int_equal(code.dark[0], 0);
	assert_false(available);
	/* The library would stop at the NUL and draw another text. */
	code.size = 99;
	assert_int_equal(
	    qr_make(STR("a\0b"), &code, &available), DK_ERR_TOO_LARGE);
	assert_int_equal(code.size, 0);
	/* Bytes take the most room of all. */
	memset(text, '\xff', sizeof(text));
	make((struct str){ text, TEXT_MAX });
}

/* A code that has something at all edges and in all halves of a line. */
static void
make_by_hand(unsigned size)
{
	unsigned i;

	memset(&code, 0, sizeof(code));
	code.size = size;
	for (i = 0; i < size * size; i++)
		code.dark[i] = i % 5 == 0 || i % 7 < 3 || i == size * size - 1;
}

/* Whether the module of the picture at x, y is dark, margin included. */
static bool
is_dark(unsigned x, unsigned y)
{
	return x >= MARGIN && y >= MARGIN && x < MARGIN + code.size &&
	    y < MARGIN + code.size && at(x - MARGIN, y - MARGIN);
}

static unsigned
take_number(struct str *path, const char *before)
{
	struct str literal = str_from(before);
	unsigned v = 0;

	assert_true(str_starts(*path, literal));
	*path = str_sub(*path, literal.n, path->n);
	assert_true(path->n > 0 && path->p[0] >= '0' && path->p[0] <= '9');
	while (path->n > 0 && path->p[0] >= '0' && path->p[0] <= '9') {
		v = v * 10 + (unsigned)(path->p[0] - '0');
		*path = str_sub(*path, 1, path->n);
	}
	return v;
}

static void
check_path(struct str path)
{
	static unsigned char drawn[SIDE_MAX][SIDE_MAX];
	unsigned side = code.size + 2 * MARGIN, x, y, run, back;

	memset(drawn, 0, sizeof(drawn));
	while (path.n > 0) {
		x = take_number(&path, "M");
		y = take_number(&path, " ");
		run = take_number(&path, "h");
		assert_int_equal(take_number(&path, "v"), 1);
		back = take_number(&path, "h-");
		assert_int_equal(back, run);
		assert_true(str_starts(path, STR("z")));
		path = str_sub(path, 1, path.n);
		for (; run > 0; run--, x++) {
			assert_true(x < side && y < side);
			drawn[y][x]++;
		}
	}
	for (y = 0; y < side; y++)
		for (x = 0; x < side; x++)
			assert_int_equal(drawn[y][x], is_dark(x, y));
}

static void
draws_a_path_of_the_dark_modules(void **state)
{
	static char text[128 * 1024];
	struct buf b;
	unsigned size;

	(void)state;
	code = (struct qr){ 1, { 1 } };
	BUF_OVER(&b, text);
	qr_add_svg_path(&code, &b);
	assert_string_equal(buf_z(&b), "M4 4h1v1h-1z");
	for (size = 1; size <= QR_SIZE_MAX; size += 13) {
		make_by_hand(size);
		buf_reset(&b);
		qr_add_svg_path(&code, &b);
		assert_true(buf_ok(&b));
		check_path(buf_str(&b));
	}
}

/* The light modules are drawn: a terminal is mostly dark. */
static void
draws_two_modules_a_line_for_a_terminal(void **state)
{
	static char text[SIDE_MAX * SIDE_MAX * 3];
	struct str rest, line, block;
	struct buf b;
	unsigned size, x, y, side;

	(void)state;
	BUF_OVER(&b, text);
	for (size = 1; size <= QR_SIZE_MAX; size += 13) {
		make_by_hand(size);
		side = size + 2 * MARGIN;
		buf_reset(&b);
		qr_add_terminal(&code, &b);
		assert_true(buf_ok(&b));
		rest = buf_str(&b);
		for (y = 0; y < side; y += 2) {
			assert_true(str_cut(&rest, '\n', &line));
			for (x = 0; x < side; x++) {
				bool up = is_dark(x, y);
				bool down = is_dark(x, y + 1);

				block = up
				    ? down ? STR(" ") : STR("\xe2\x96\x84")
				    : down ? STR("\xe2\x96\x80")
					   : STR("\xe2\x96\x88");
				assert_true(str_starts(line, block));
				line = str_sub(line, block.n, line.n);
			}
			assert_int_equal(line.n, 0);
		}
		assert_int_equal(rest.n, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_the_marks_of_every_code),
		cmocka_unit_test(holds_the_text),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(draws_a_path_of_the_dark_modules),
		cmocka_unit_test(draws_two_modules_a_line_for_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
