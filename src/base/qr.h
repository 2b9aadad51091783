#ifndef DK_BASE_QR_H
#define DK_BASE_QR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * QR codes (ISO/IEC 18004) by libqrencode, which is loaded when the first one
 * is drawn and not before: nobody else pays for it.  Without the library
 * there is no picture, and the text beside it has to do.
 */
enum { QR_SIZE_MAX = 105 }; /* modules along one side: version 22 */

struct qr {
	unsigned size; /* 0: none */
	unsigned char dark[QR_SIZE_MAX * QR_SIZE_MAX];
};

/* text: at most 500 bytes.  *available is false without the library. */
enum dk_err qr_make(struct str text, struct qr *qr, bool *available) DK_CHECK;
/* Load the library now, before a sandbox shuts its place off. */
void qr_prepare(void);

/* The dark modules as the path of an SVG, four modules of margin around:
 * the picture is size + 8 units wide. */
void qr_add_svg_path(const struct qr *qr, struct buf *out);
/* Two modules a line in half blocks, light on dark or not, for a terminal. */
void qr_add_terminal(const struct qr *qr, struct buf *out);

#endif
