#ifndef DK_STORE_EVENTS_H
#define DK_STORE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/db.h"

/* One row of `events`, the audit trail.  Views; STR_NONE is NULL. */
struct event_row {
	int64_t id;	 /* given by the store */
	int64_t at_ms;
	struct str event;   /* "sign_in" */
	struct str outcome; /* "success", "failure", "refused" */
	struct str username;
	struct str ip;
	struct str session;    /* short reference, no secret */
	struct str request_id;
	struct str actor;  /* "web", "cli:root", "sql" */
	struct str detail;
};

enum dk_err events_add(struct db *db, const struct event_row *row) DK_CHECK;

/* Oldest first, ids above after_id, at or after since_ms, of one user (by
 * name, any case) or all (STR_NONE). */
typedef enum dk_err events_fn(void *arg, const struct event_row *row);
enum dk_err events_list(struct db *db, struct str username, int64_t since_ms,
    int64_t after_id, size_t limit, events_fn *fn, void *arg) DK_CHECK;
/* Sign-ins of one person and failures at their name, newest first. */
enum dk_err events_sign_ins(struct db *db, struct str username, size_t limit,
    events_fn *fn, void *arg) DK_CHECK;
/* At most `limit` rows older than before_ms. */
enum dk_err events_purge_step(struct db *db, int64_t before_ms, int64_t limit,
    int64_t *n) DK_CHECK;

#endif
