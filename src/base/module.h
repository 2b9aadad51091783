#ifndef DK_BASE_MODULE_H
#define DK_BASE_MODULE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Load a part of the program that most sites do without: the shared object
 * `file` that stands beside the running program, else in `directory`.  *symbol
 * is the address of the object called `name` in it.  Once loaded it stays.
 * On an error message says what was looked for and what the loader says.
 */
enum dk_err module_load(const char *file, const char *directory,
    const char *name, const void **symbol, struct buf *message) DK_CHECK;
/* Where that file stands; path is empty before. */
void module_path(const char *file, const char *directory, struct buf *path);

#endif
