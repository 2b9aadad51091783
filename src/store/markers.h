#ifndef DK_STORE_MARKERS_H
#define DK_STORE_MARKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/db.h"

/* Rows of `markers`: files that let a session in (domain/marker.h). */
enum { MARKER_NAME_LEN = 40 }; /* SHA-1 in hexadecimal */

/* *added is false when there is no such session (any more). */
enum dk_err markers_add(struct db *db, struct str name, struct str session_id,
    bool *added) DK_CHECK;
/* *found: the marker is valid; session_id says whose. */
enum dk_err markers_get(struct db *db, struct str name, int64_t now_ms,
    char session_id[UUID_TEXT_LEN + 1], bool *found) DK_CHECK;
/* Those of the session have to go. */
enum dk_err markers_end(struct db *db, struct str session_id) DK_CHECK;
/* Names of up to max files that have to go. */
enum dk_err markers_due(struct db *db, int64_t now_ms,
    char (*names)[MARKER_NAME_LEN + 1], size_t max, size_t *n) DK_CHECK;
enum dk_err markers_delete(struct db *db, struct str name) DK_CHECK;

#endif
