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

/* Which events: STR_NONE and zero narrow nothing down. */
struct event_filter {
	struct str username, ip, event, outcome;
	int64_t since_ms;  /* at or after */
	int64_t before_ms; /* 0: whenever */
};
typedef enum dk_err events_fn(void *arg, const struct event_row *row);
/* Oldest first, ids above after_id; the user name in any case. */
enum dk_err events_list(struct db *db, const struct event_filter *filter,
    int64_t after_id, size_t limit, events_fn *fn, void *arg) DK_CHECK;
/* Newest first, behind the given time and id (keyset paging; INT64_MAX for
 * the start); the user name as it is written. */
enum dk_err events_find(struct db *db, const struct event_filter *filter,
    int64_t at_ms, int64_t id, size_t limit, events_fn *fn,
    void *arg) DK_CHECK;
/* Sign-ins of one person and failures at their name, newest first. */
enum dk_err events_sign_ins(struct db *db, struct str username, size_t limit,
    events_fn *fn, void *arg) DK_CHECK;
/* At most `limit` rows older than before_ms. */
enum dk_err events_purge_step(struct db *db, int64_t before_ms, int64_t limit,
    int64_t *n) DK_CHECK;

#endif
