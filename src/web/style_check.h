#ifndef DK_WEB_STYLE_CHECK_H
#define DK_WEB_STYLE_CHECK_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Within src/web: is a stylesheet of the site's own whole, and does it do
 * without what the pages' security policy keeps browsers from loading?  Text
 * in UTF-8 without control characters; comments, strings and braces that are
 * closed; no @import, no url() but of a path of the site; no HTML.  Else
 * DK_ERR_CONF, and the message has file, line and cause.
 */
enum dk_err style_check(
    struct str file, struct str text, struct buf *message) DK_CHECK;

#endif
