/*
 * The check of a stylesheet: it comes to an end within the text; a refusal
 * says why in one line; what is taken holds neither a NUL nor, outside of
 * strings and comments, the beginning of another file.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "web/style_check.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[512];
	struct str text = { (const char *)data, size };
	struct buf message;
	enum dk_err err;
	size_t i;

	BUF_OVER(&message, line);
	err = style_check(STR("f"), text, &message);
	if (err != DK_OK) {
		if (err != DK_ERR_CONF || message.len < 8 ||
		    strchr(line, '\n') != NULL)
			abort();
		return 0;
	}
	if (message.len != 0 || !str_is_utf8(text) || str_contains(text, '\0'))
		abort();
	/* Without quotes, comments and escapes there is no hiding place. */
	if (str_contains(text, '"') || str_contains(text, '\'') ||
	    str_contains(text, '\\') || str_contains(text, '*'))
		return 0;
	for (i = 0; i < size; i++)
		if (str_ieq(str_sub(text, i, 7), STR("@import")) ||
		    str_ieq(str_sub(text, i, 2), STR("</")) ||
		    str_ieq(str_sub(text, i, 6), STR("url(//")))
			abort();
	return 0;
}
