#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/qr.h"

enum {
	MARGIN = 4,
	SIDE_MAX = QR_SIZE_MAX + 2 * MARGIN,
	TEXT_MAX = 500,
	PICTURE_MAX = 256 * 1024
};

/* A picture drawn back from text, margin and all. */
struct picture {
	int side;
	bool dark[SIDE_MAX][SIDE_MAX];
};

/* Three by three, without a library. */
static const struct qr small = { 3, { 1, 1, 0, 0, 0, 1, 1, 0, 1 } };

/* qr, or a skipped test where libqrencode is not installed */
static void
make(struct str text, struct qr *qr)
{
	bool available = false;

	assert_int_equal(qr_make(text, qr, &available), DK_OK);
	if (!available) {
		assert_int_equal(qr->size, 0);
		skip();
	}
	assert_in_range(qr->size, 21, QR_SIZE_MAX);
	assert_int_equal(qr->size % 4, 1);
}

static bool
dark_at(const struct qr *qr, int x, int y)
{
	return qr->dark[(unsigned)y * qr->size + (unsigned)x] != 0;
}

static void
assert_same_picture(const struct qr *qr, const struct picture *p)
{
	int x, y, size = (int)qr->size;

	assert_int_equal(p->side, size + 2 * MARGIN);
	for (y = 0; y < p->side; y++)
		for (x = 0; x < p->side; x++) {
			int at_x = x - MARGIN, at_y = y - MARGIN;
			bool inside = at_x >= 0 && at_y >= 0 && at_x < size &&
			    at_y < size;

			assert_int_equal(
			    p->dark[y][x], inside && dark_at(qr, at_x, at_y));
		}
}

/* Only steps of the form MX YhNv1h-Nz, each within the picture. */
static void
read_svg_path(const char *path, int side, struct picture *p)
{
	int x, y, n, back, used;

	memset(p, 0, sizeof(*p));
	p->side = side;
	while (*path != '\0') {
		used = 0;
		assert_int_equal(sscanf(path, "M%d %dh%dv1h-%dz%n", &x, &y, &n,
				     &back, &used),
		    4);
		assert_true(used > 0 && n > 0 && n == back);
		assert_true(x >= 0 && y >= 0 && x + n <= side && y < side);
		for (path += used; n > 0; n--) {
			assert_false(p->dark[y][x]); /* none twice */
			p->dark[y][x++] = true;
		}
	}
}

/* What a half block draws is light; a space is dark in both halves. */
static bool
read_block(struct str *line, bool dark[2])
{
	static const struct {
		struct str block;
		bool upper, lower;
	} blocks[] = { { { " ", 1 }, true, true },
		{ { "\xe2\x96\x80", 3 }, false, true },
		{ { "\xe2\x96\x84", 3 }, true, false },
		{ { "\xe2\x96\x88", 3 }, false, false } };
	size_t i;

	for (i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (str_starts(*line, blocks[i].block)) {
			dark[0] = blocks[i].upper;
			dark[1] = blocks[i].lower;
			*line = str_sub(*line, blocks[i].block.n, line->n);
			return true;
		}
	return false;
}

static void
read_terminal(struct str text, int side, struct picture *p)
{
	struct str line;
	bool dark[2];
	int x, y = 0;

	memset(p, 0, sizeof(*p));
	p->side = side;
	assert_true(str_ends(text, STR("\n")));
	text.n--;
	while (str_cut(&text, '\n', &line)) {
		assert_true(y < side);
		for (x = 0; x < side; x++) {
			assert_true(read_block(&line, dark));
			p->dark[y][x] = dark[0];
			if (y + 1 < side)
				p->dark[y + 1][x] = dark[1];
			else
				assert_false(dark[1]);
		}
		assert_int_equal(line.n, 0);
		y += 2;
	}
	assert_true(y >= side);
}

static void
svg_path_draws_each_dark_module_once(void **state)
{
	static char text[PICTURE_MAX];
	static struct picture p;
	static struct qr qr;
	struct buf out;

	(void)state;
	BUF_OVER(&out, text);
	qr_add_svg_path(&small, &out);
	assert_string_equal(
	    buf_z(&out), "M4 4h2v1h-2zM6 5h1v1h-1zM4 6h1v1h-1zM6 6h1v1h-1z");
	make(STR("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ"), &qr);
	buf_reset(&out);
	qr_add_svg_path(&qr, &out);
	assert_true(buf_ok(&out));
	read_svg_path(buf_z(&out), (int)qr.size + 2 * MARGIN, &p);
	assert_same_picture(&qr, &p);
}

static void
terminal_draws_light_on_dark_with_a_margin(void **state)
{
	static char text[PICTURE_MAX];
	static struct picture p;
	static struct qr qr;
	struct buf out;

	(void)state;
	BUF_OVER(&out, text);
	qr_add_terminal(&small, &out);
	read_terminal(buf_str(&out), (int)small.size + 2 * MARGIN, &p);
	assert_same_picture(&small, &p);
	make(STR("otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ"), &qr);
	buf_reset(&out);
	qr_add_terminal(&qr, &out);
	assert_true(buf_ok(&out));
	read_terminal(buf_str(&out), (int)qr.size + 2 * MARGIN, &p);
	assert_same_picture(&qr, &p);
}

static void
says_when_the_picture_does_not_fit(void **state)
{
	char text[32];
	struct buf out;

	(void)state;
	BUF_OVER(&out, text);
	qr_add_svg_path(&small, &out);
	assert_false(buf_ok(&out));
	buf_reset(&out);
	qr_add_terminal(&small, &out);
	assert_false(buf_ok(&out));
}

/* ---- reading a symbol of version 1, whose data is one block ---- */

/* ISO/IEC 18004 7.8.2: the masks, by row and column */
static bool
is_masked(unsigned mask, int row, int column)
{
	switch (mask) {
	case 0:
		return (row + column) % 2 == 0;
	case 1:
		return row % 2 == 0;
	case 2:
		return column % 3 == 0;
	case 3:
		return (row + column) % 3 == 0;
	case 4:
		return (row / 2 + column / 3) % 2 == 0;
	case 5:
		return row * column % 2 + row * column % 3 == 0;
	case 6:
		return (row * column % 2 + row * column % 3) % 2 == 0;
	default:
		return ((row + column) % 2 + row * column % 3) % 2 == 0;
	}
}

/* Finders with their format bits, and the timing lines */
static bool
is_function(int row, int column)
{
	return (row < 9 && (column < 9 || column > 12)) ||
	    (row > 12 && column < 9) || row == 6 || column == 6;
}

/* The first data bits, in pairs of columns from the right, up and down */
static void
read_bits(const struct qr *qr, unsigned mask, bool *bits, size_t n)
{
	int right, step, side, row, column;
	size_t i = 0;

	for (right = 20; right > 0; right -= 2) {
		bool up = right == 20 || right == 16 || right == 12 ||
		    right == 8 || right == 3;

		if (right == 6)
			right--; /* the timing column */
		for (step = 0; step < 21; step++)
			for (side = 0; side < 2; side++) {
				row = up ? 20 - step : step;
				column = right - side;
				if (is_function(row, column) || i == n)
					continue;
				bits[i++] = dark_at(qr, column, row) !=
				    is_masked(mask, row, column);
			}
	}
	assert_int_equal(i, n);
}

static unsigned
number(const bool *bits, size_t n)
{
	unsigned value = 0;

	while (n-- > 0)
		value = value << 1 | *bits++;
	return value;
}

static void
the_picture_holds_the_text(void **state)
{
	static const char *const texts[] = { "otpauth://a", "x",
		"14 characters.", "\xc3\xa9\xff\x01" };
	enum { HEAD = 12, BITS = 128 };
	bool bits[BITS], format[5];
	struct qr qr;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]);

		make(str_from(texts[i]), &qr);
		assert_int_equal(qr.size, 21);
		/* 7.9.1: five bits and the mask upon them, 10101 */
		for (k = 0; k < 5; k++)
			format[k] = dark_at(&qr, (int)k, 8) != (k % 2 == 0);
		assert_int_equal(number(format, 2), 0); /* level M */
		read_bits(&qr, number(format + 2, 3), bits, BITS);
		assert_int_equal(number(bits, 4), 4); /* bytes */
		assert_int_equal(number(bits + 4, 8), n);
		for (k = 0; k < n; k++)
			assert_int_equal(number(bits + HEAD + 8 * k, 8),
			    (unsigned char)texts[i][k]);
	}
}

static void
takes_500_bytes_and_no_more(void **state)
{
	static struct qr qr;
	char text[TEXT_MAX + 1];
	bool available = true;

	(void)state;
	memset(text, 'a', sizeof(text));
	memset(&qr, 1, sizeof(qr));
	assert_int_equal(
	    qr_make((struct str){ text, sizeof(text) }, &qr, &available),
	    DK_ERR_TOO_LARGE);
	assert_int_equal(qr.size, 0);
	assert_false(available);
	make((struct str){ text, TEXT_MAX }, &qr);
}

/* The library would end at the NUL and draw half a secret. */
static void
refuses_a_text_with_nul(void **state)
{
	static struct qr qr;
	bool available = true;

	(void)state;
	memset(&qr, 1, sizeof(qr));
	assert_int_equal(
	    qr_make(STR("otpauth://a\0b"), &qr, &available), DK_ERR_TOO_LARGE);
	assert_int_equal(qr.size, 0);
	assert_false(available);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svg_path_draws_each_dark_module_once),
		cmocka_unit_test(terminal_draws_light_on_dark_with_a_margin),
		cmocka_unit_test(says_when_the_picture_does_not_fit),
		cmocka_unit_test(the_picture_holds_the_text),
		cmocka_unit_test(takes_500_bytes_and_no_more),
		cmocka_unit_test(refuses_a_text_with_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
