#ifndef DK_WEB_ACCENT_H
#define DK_WEB_ACCENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Within src/web: the colour of links and buttons, from the configuration. */

struct colour {
	unsigned char red, green, blue;
};

/* "#2453c9"; false for anything else. */
bool colour_parse(struct str text, struct colour *colour);
/* From 1 to 21 (WCAG 2.2, "contrast ratio"). */
double colour_contrast(struct colour a, struct colour b);
/*
 * The colour made darker for the light pages, and lighter for the dark ones,
 * as far as it must to be read on every ground of html/style.css: 4.5 to 1
 * (WCAG 2.2, 1.4.3).
 */
struct colour accent_on_light(struct colour accent);
struct colour accent_on_dark(struct colour accent);
/* Rules that stand behind those of the stylesheet. */
void accent_add_rules(struct buf *css, struct colour accent);

#endif
