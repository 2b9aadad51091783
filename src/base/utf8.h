#ifndef DK_BASE_UTF8_H
#define DK_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Take one code point from the front of *s (RFC 3629).  False, with *cp = 0
 * and *s as it was, when s is empty or its front is not well formed:
 * overlong, a surrogate, above U+10FFFF, or cut off.
 */
bool utf8_next(struct str *s, uint32_t *cp);

/*
 * True for code points that can forge a line or hide text: controls (C0,
 * DEL, C1), line and paragraph separators, bidirectional controls, zero
 * width and other invisible format characters, noncharacters.
 */
bool utf8_is_unsafe(uint32_t cp);

#endif
