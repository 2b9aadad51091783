#ifndef DK_STORE_THROTTLE_H
#define DK_STORE_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/db.h"

enum { BUCKET_LEN = 16 };

/* The name of a counter: a keyed hash, so that the table shows no names. */
struct bucket {
	unsigned char byte[BUCKET_LEN];
};

/* One row of `throttle`. */
struct throttle_row {
	struct bucket bucket;
	struct bucket owner; /* the account's bucket; its own for others */
	int64_t failures;    /* guesses counted since the last success */
	int64_t last_at_ms;  /* of the last counted guess */
	int64_t next_at_ms;  /* before this no guess is checked */
};

/* An absent row is all zero but for its bucket. */
enum dk_err throttle_get(struct db *db, const struct bucket *bucket,
    struct throttle_row *row) DK_CHECK;
enum dk_err throttle_put(struct db *db,
    const struct throttle_row *row) DK_CHECK;
enum dk_err throttle_delete(struct db *db,
    const struct bucket *bucket) DK_CHECK;
/* The row itself and those that it owns; *n counts. */
enum dk_err throttle_forget(struct db *db, const struct bucket *owner,
    int64_t *n) DK_CHECK;
/*
 * One step of the purge: at most `limit` rows whose last guess is older than
 * before_ms.
 */
enum dk_err throttle_purge_step(struct db *db, int64_t before_ms,
    int64_t limit, int64_t *n) DK_CHECK;
enum dk_err throttle_count(struct db *db, int64_t *n) DK_CHECK;
/* The `limit` rows that say least: fewest failures, then oldest. */
enum dk_err throttle_drop_least(struct db *db, int64_t limit,
    int64_t *n) DK_CHECK;

#endif
