#ifndef DK_DOMAIN_KEY_FILE_H
#define DK_DOMAIN_KEY_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"

/*
 * The key of the second factors lies in a file outside the database.  The
 * caller wipes what is read.
 */

/* *found is false when there is no such file; one that cannot be read, or is
 * too short, is DK_ERR_IO. */
enum dk_err key_file_read(
    const char *name, struct secret *key, bool *found) DK_CHECK;
/*
 * Make the file, whole or not at all; one that is there stays as it is.  Made
 * by root it belongs to the owner of `beside`.
 */
enum dk_err key_file_make(const char *name, const char *beside,
    const struct secret *key) DK_CHECK;

#endif
