#ifndef DK_DOMAIN_AUDIT_H
#define DK_DOMAIN_AUDIT_H

#include "base/err.h"
#include "base/jw.h"
#include "base/str.h"
#include "domain/domain.h"
#include "store/events.h"

/*
 * The audit trail: a row of `events` and a line of the log for each.  Call
 * within the transaction of the act itself: no act without its event.
 */
struct audit {
	const char *event;   /* literal: "sign_in", "sign_out", … */
	const char *outcome; /* "success", "failure", "refused" */
	struct str username; /* STR_NONE when unknown */
	struct str session;  /* a session's UUID; only its first eight
				characters are kept */
	struct str detail;
};
enum dk_err audit_write(struct domain *dom, const struct asker *asker,
    const struct audit *what, int64_t now_ms) DK_CHECK;

/* Page by page: as events_list (oldest first) and events_find (newest). */
enum dk_err audit_list(struct domain *dom, const struct event_filter *filter,
    int64_t after_id, size_t limit, events_fn *fn, void *arg) DK_CHECK;
enum dk_err audit_find(struct domain *dom, const struct event_filter *filter,
    int64_t at_ms, int64_t id, size_t limit, events_fn *fn,
    void *arg) DK_CHECK;
/* One event as a JSON object. */
void audit_json(struct jw *w, const struct event_row *row);
/* Sign-ins of this person and failures at their name, newest first. */
enum dk_err audit_sign_ins(struct domain *dom, struct str username,
    size_t limit, events_fn *fn, void *arg) DK_CHECK;

#endif
