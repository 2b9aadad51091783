#ifndef DK_BASE_NFC_H
#define DK_BASE_NFC_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * Normalization Form C (UAX 15) of UTF-8 text, for passwords (63B 3.1.1.2):
 * one person's keyboard sends e and an accent, another's the letter that has
 * it.  By libunistring, which is loaded when the first text beyond ASCII
 * comes; nobody else pays for it.  Without the library text stays as it is.
 */
enum { NFC_GROWTH_MAX = 3 }; /* UTF-8 bytes out for each byte in, at most */

/*
 * The normalized text, appended to out.  False, with the text as it was,
 * when the library is missing or the text is not UTF-8.
 */
bool nfc_add(struct buf *out, struct str text);

/* Load the library now, before a sandbox shuts its place off. */
void nfc_prepare(void);

#endif
