#ifndef DK_WEB_TEMPLATE_TAG_H
#define DK_WEB_TEMPLATE_TAG_H

#include <stdbool.h>

#include "base/str.h"

/* Within src/web: the two pieces of the template's grammar. */

/*
 * Take the text up to the next {{tag}} into *before and what stands between
 * the braces into *tag.  False at the end: *before is then the rest.  When
 * *text is not empty afterwards, a tag was opened there and not closed.
 */
bool template_next_tag(struct str *text, struct str *before, struct str *tag);

/* Take the text up to {{/name}} into *inner and move *text behind it. */
bool template_take_section(struct str *text, struct str name,
    struct str *inner);

/* "t:key" names a message: then *key is its key. */
bool template_is_message(struct str tag, struct str *key);

#endif
