#ifndef DK_STORE_FACTORS_H
#define DK_STORE_FACTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "store/db.h"

/* Known browsers, one-use links, second factors and recovery codes: what
 * hangs on an account.  Tokens and codes are stored as their SHA-256. */

enum dk_err devices_add(struct db *db, int64_t user_id,
    const struct digest *token, int64_t now_ms) DK_CHECK;
enum dk_err devices_get(struct db *db, int64_t user_id,
    const struct digest *token, bool *found) DK_CHECK;
enum dk_err devices_drop_oldest(struct db *db, int64_t user_id,
    int64_t keep) DK_CHECK;
enum dk_err devices_forget(struct db *db, int64_t user_id) DK_CHECK;

/* One link per account: a new one replaces the old. */
enum dk_err links_put(struct db *db, int64_t user_id,
    const struct digest *token, int64_t now_ms, int64_t expires_ms) DK_CHECK;
enum dk_err links_get(struct db *db, const struct digest *token,
    int64_t now_ms, int64_t *user_id, bool *found) DK_CHECK;
/* Use it up; *used is false when it is gone already. */
enum dk_err links_use(struct db *db, const struct digest *token,
    int64_t now_ms, bool *used) DK_CHECK;
enum dk_err links_forget(struct db *db, int64_t user_id) DK_CHECK;
enum dk_err links_purge(struct db *db, int64_t now_ms) DK_CHECK;

enum { FACTOR_SEED_MAX = 128 };
struct factor_row {
	unsigned char seed[FACTOR_SEED_MAX]; /* encrypted */
	size_t seed_len;
	bool confirmed;
	int64_t last_step;
};
enum dk_err factors_get(struct db *db, int64_t user_id,
    struct factor_row *row, bool *found) DK_CHECK;
/* Replaces an unconfirmed one; a confirmed one stays (*put is false). */
enum dk_err factors_put(struct db *db, int64_t user_id, const void *seed,
    size_t seed_len, bool *put) DK_CHECK;
enum dk_err factors_confirm(struct db *db, int64_t user_id, int64_t now_ms,
    bool *confirmed) DK_CHECK;
/* Atomic: *used is false when that step or a later one was used before. */
enum dk_err factors_use_step(struct db *db, int64_t user_id, int64_t step,
    bool *used) DK_CHECK;
/* The factor and the recovery codes; *deleted: there was one. */
enum dk_err factors_delete(struct db *db, int64_t user_id,
    bool *deleted) DK_CHECK;

enum dk_err recovery_add(struct db *db, int64_t user_id,
    const struct digest *code) DK_CHECK;
enum dk_err recovery_use(struct db *db, int64_t user_id,
    const struct digest *code, bool *used) DK_CHECK;
enum dk_err recovery_count(struct db *db, int64_t user_id,
    int64_t *n) DK_CHECK;
enum dk_err recovery_delete(struct db *db, int64_t user_id) DK_CHECK;

/* Is there any of anybody, one that is being set up included? */
enum dk_err factors_any(struct db *db, bool *any) DK_CHECK;

#endif
