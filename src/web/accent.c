#include "web/accent.h"

enum { STEPS = 64, ROUNDS = 32 };

/* The grounds of html/style.css that are nearest to an accent. */
static const struct colour light_ground = { 0xea, 0xf1, 0xfd };
static const struct colour dark_ground = { 0x1c, 0x2a, 0x45 };
static const double enough = 4.5;

static bool
read_hex(struct str two, unsigned char *value)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		char c = two.p[i];

		if (c >= '0' && c <= '9')
			n = n * 16 + (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n * 16 + (unsigned)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			n = n * 16 + (unsigned)(c - 'A') + 10;
		else
			return false;
	}
	*value = (unsigned char)n;
	return true;
}

bool
colour_parse(struct str text, struct colour *colour)
{
	*colour = (struct colour){ 0 };
	return text.n == 7 && text.p[0] == '#' &&
	    read_hex(str_sub(text, 1, 2), &colour->red) &&
	    read_hex(str_sub(text, 3, 2), &colour->green) &&
	    read_hex(str_sub(text, 5, 2), &colour->blue);
}

/* x to the power of 2.4, for 0 < x <= 1: x² times the fifth root of x², by
 * Newton; no CGI start shall load libm for it. */
static double
power_2_4(double x)
{
	double square = x * x, root = 1;
	int i;

	for (i = 0; i < ROUNDS; i++)
		root -= (root - square / (root * root * root * root)) / 5;
	return square * root;
}

/* "Relative luminance" of WCAG 2.2. */
static double
linear(unsigned char value)
{
	double x = value / 255.0;

	return x <= 0.04045 ? x / 12.92 : power_2_4((x + 0.055) / 1.055);
}

static double
luminance(struct colour c)
{
	return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) +
	    0.0722 * linear(c.blue);
}

double
colour_contrast(struct colour a, struct colour b)
{
	double first = luminance(a) + 0.05, second = luminance(b) + 0.05;

	return first > second ? first / second : second / first;
}

static unsigned char
between(unsigned char from, unsigned to, unsigned step)
{
	return (unsigned char)((from * (STEPS - step) + to * step) / STEPS);
}

/* As few steps towards black or white as will do. */
static struct colour
move(struct colour c, unsigned to, struct colour ground)
{
	struct colour moved = c;
	unsigned step;

	for (step = 0;
	     step <= STEPS && colour_contrast(moved, ground) < enough; step++)
		moved = (struct colour){ between(c.red, to, step),
			between(c.green, to, step), between(c.blue, to, step) };
	return moved;
}

struct colour
accent_on_light(struct colour accent)
{
	return move(accent, 0, light_ground);
}

struct colour
accent_on_dark(struct colour accent)
{
	return move(accent, 255, dark_ground);
}

/* What stands on a button, white or nearly black, is further from the accent
 * than the ground is: html/style.css says it for both. */
void
accent_add_rules(struct buf *css, struct colour accent)
{
	struct colour light = accent_on_light(accent),
		      dark = accent_on_dark(accent);

	buf_addf(css,
	    "\n:root { --accent: #%02x%02x%02x; }\n"
	    "@media (prefers-color-scheme: dark) { :root { --accent: "
	    "#%02x%02x%02x; } }\n",
	    light.red, light.green, light.blue, dark.red, dark.green,
	    dark.blue);
}
