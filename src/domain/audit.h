#ifndef DK_DOMAIN_AUDIT_H
#define DK_DOMAIN_AUDIT_H

#include "base/err.h"
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

/* Page by page: as events_list. */
enum dk_err audit_list(struct domain *dom, struct str username,
    int64_t since_ms, int64_t after_id, size_t limit, events_fn *fn,
    void *arg) DK_CHECK;
/* Sign-ins of this person and failures at their name, newest first. */
enum dk_err audit_sign_ins(struct domain *dom, struct str username,
    size_t limit, events_fn *fn, void *arg) DK_CHECK;

#endif
