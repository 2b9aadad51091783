#include "base/qr.h"

#include <dlfcn.h>
#include <string.h>

#include "base/secret.h"

enum { MARGIN = 4, TEXT_MAX = 500, LEVEL_M = 1, MODE_8 = 2 };

/* The part of libqrencode's QRcode that is read. */
struct code {
	int version, width;
	unsigned char *data; /* bit 0: dark */
};
typedef struct code *encode_fn(const char *, int, int, int, int);
typedef void free_fn(struct code *);

/* A function pointer out of dlsym's object pointer, as POSIX allows. */
static bool
find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void *
open_library(void)
{
	return dlopen("libqrencode.so.4", RTLD_NOW | RTLD_LOCAL);
}

void
qr_prepare(void)
{
	/* static(cppcheck): it stays loaded until the process ends */
	(void)open_library();
}

static enum dk_err
draw(encode_fn *encode, free_fn *release, const char *text, struct qr *qr)
{
	struct code *code = encode(text, 0, LEVEL_M, MODE_8, 1);
	enum dk_err err = DK_ERR_TOO_LARGE;
	unsigned i, n;

	if (code == NULL)
		return DK_ERR_NOMEM;
	if (code->width > 0 && code->width <= QR_SIZE_MAX) {
		qr->size = (unsigned)code->width;
		n = qr->size * qr->size;
		for (i = 0; i < n; i++)
			qr->dark[i] = code->data[i] & 1;
		err = DK_OK;
	}
	release(code);
	return err;
}

enum dk_err
qr_make(struct str text, struct qr *qr, bool *available)
{
	char z[TEXT_MAX + 1];
	encode_fn *encode;
	free_fn *release;
	struct buf b;
	void *library;
	enum dk_err err = DK_ERR_TOO_LARGE;

	memset(qr, 0, sizeof(*qr));
	*available = false;
	BUF_OVER(&b, z);
	buf_add(&b, text);
	if (!buf_ok(&b) || str_contains(text, '\0'))
		goto out;
	err = DK_OK;
	library = open_library();
	if (library == NULL)
		goto out;
	if (find(library, "QRcode_encodeString", &encode) &&
	    find(library, "QRcode_free", &release)) {
		*available = true;
		err = draw(encode, release, z, qr);
	}
	(void)dlclose(library);
out:
	secret_wipe(z, sizeof(z));
	return err;
}

static bool
is_dark(const struct qr *qr, int x, int y)
{
	int size = (int)qr->size;

	x -= MARGIN;
	y -= MARGIN;
	return x >= 0 && y >= 0 && x < size && y < size &&
	    qr->dark[y * size + x] != 0;
}

void
qr_add_svg_path(const struct qr *qr, struct buf *out)
{
	int side = (int)qr->size + 2 * MARGIN, x, y, run;

	for (y = 0; y < side; y++)
		for (x = 0; x < side; x += run) {
			for (run = 1; x + run < side &&
			     is_dark(qr, x + run, y) == is_dark(qr, x, y);
			     run++)
				continue;
			if (is_dark(qr, x, y))
				buf_addf(
				    out, "M%d %dh%dv1h-%dz", x, y, run, run);
		}
}

void
qr_add_terminal(const struct qr *qr, struct buf *out)
{
	static const char *const blocks[] = { "\xe2\x96\x88", "\xe2\x96\x80",
		"\xe2\x96\x84", " " };
	int side = (int)qr->size + 2 * MARGIN, x, y;

	/* The light modules are drawn, for terminals are mostly dark. */
	for (y = 0; y < side; y += 2) {
		for (x = 0; x < side; x++)
			buf_addz(out,
			    blocks[is_dark(qr, x, y) * 2 +
				is_dark(qr, x, y + 1)]);
		buf_addc(out, '\n');
	}
}
