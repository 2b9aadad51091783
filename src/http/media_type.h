#ifndef DK_HTTP_MEDIA_TYPE_H
#define DK_HTTP_MEDIA_TYPE_H

#include <stdbool.h>

#include "base/str.h"

/*
 * The media type of a file by the end of its name, any case; "text/html"
 * without a charset, for the page says it itself.  application/octet-stream
 * where the end is not known: with nosniff that is saved, not shown.
 */
struct str media_type_of_name(struct str name);

/*
 * Might a web server run this file instead of giving it out?  By any part of
 * the name between dots, a '~' at the end not counted: "index.php",
 * "config.php.bak", "a.CGI~".  Its source is nobody's to read.
 */
bool media_type_is_script(struct str name);

#endif
