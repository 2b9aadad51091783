#ifndef DK_STORE_SETTINGS_H
#define DK_STORE_SETTINGS_H

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/db.h"

/*
 * A secret that the program made for itself and keeps in the store, by name;
 * made at the first call.  All processes get the same one.  The caller wipes
 * it.
 */
enum dk_err settings_secret(struct db *db, struct str name,
    struct secret *value) DK_CHECK;

#endif
