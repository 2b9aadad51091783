#ifndef DK_STORE_HANDOFFS_H
#define DK_STORE_HANDOFFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "store/db.h"

/* Rows of `handoffs`: a sign-in on its way to another host. */
enum { HANDOFF_ORIGIN_MAX = 300 };
struct handoff_row {
	char session_id[UUID_TEXT_LEN + 1];
	char origin[HANDOFF_ORIGIN_MAX + 1];
	struct digest browser;
	int64_t expires_at_ms;
};

enum dk_err handoffs_add(struct db *db, const struct digest *code,
    const struct handoff_row *row) DK_CHECK;
/*
 * Take it out of the store; *found is false for one that is unknown, used or
 * too old.  Within a transaction (DB_WRITE) of the caller's.
 */
enum dk_err handoffs_take(struct db *db, const struct digest *code,
    int64_t now_ms, struct handoff_row *row, bool *found) DK_CHECK;
enum dk_err handoffs_purge(struct db *db, int64_t now_ms) DK_CHECK;

#endif
