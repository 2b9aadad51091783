#ifndef DK_STORE_HOURS_H
#define DK_STORE_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/db.h"

/* What happened hour by hour, and how many sessions were alive: the figures
 * of the administrator's desk (sql: `hours`, `session_samples`). */
#define HOUR_MS	  INT64_C(3600000)
#define SAMPLE_MS (HOUR_MS / 4)

struct hour_row {
	int64_t hour_ms; /* when it began; a multiple of HOUR_MS */
	int64_t sign_ins, failures, throttled;
	bool counted; /* sign_ins and failures are known */
};
typedef void hours_fn(void *arg, const struct hour_row *row);

/* The last hour that was counted; 0: none. */
enum dk_err hours_last_counted(struct db *db, int64_t *hour_ms) DK_CHECK;
/* Count the hour that began then from the events; harmless twice. */
enum dk_err hours_count(struct db *db, int64_t hour_ms) DK_CHECK;
enum dk_err hours_add_throttled(
    struct db *db, int64_t hour_ms, int64_t n) DK_CHECK;
/* The rows there are, from from_ms on and before to_ms, oldest first. */
enum dk_err hours_list(struct db *db, int64_t from_ms, int64_t to_ms,
    hours_fn *fn, void *arg) DK_CHECK;
/* The same counted from the events now; hours without one are left out. */
enum dk_err hours_from_events(struct db *db, int64_t from_ms, int64_t to_ms,
    hours_fn *fn, void *arg) DK_CHECK;

/* *mine: nobody has sampled at this time, and nobody else will. */
enum dk_err samples_claim(struct db *db, int64_t at_ms, bool *mine) DK_CHECK;
enum dk_err samples_set(struct db *db, int64_t at_ms, int64_t live) DK_CHECK;
typedef void samples_fn(void *arg, int64_t at_ms, int64_t live);
enum dk_err samples_list(struct db *db, int64_t from_ms, int64_t to_ms,
    samples_fn *fn, void *arg) DK_CHECK;

/* Hours and samples from before. */
enum dk_err hours_purge(struct db *db, int64_t before_ms) DK_CHECK;

#endif
