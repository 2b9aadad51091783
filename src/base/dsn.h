#ifndef DK_BASE_DSN_H
#define DK_BASE_DSN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * The address of a database server as people write it:
 * postgresql://user:password@host:port,host/name?key=value&key=value
 */

/* Is it one, and no path of a file? */
bool dsn_is(struct str s);
/* Does a password stand in it, before the host or as a parameter? */
bool dsn_has_password(struct str s);
/* The address with *** in the place of each password; a path as it is. */
void dsn_show(struct buf *b, struct str s);
/* The value of a parameter, decoded; nothing is added when there is none. */
void dsn_parameter(struct buf *b, struct str s, struct str name);

#endif
