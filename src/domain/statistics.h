#ifndef DK_DOMAIN_STATISTICS_H
#define DK_DOMAIN_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/domain.h"

/*
 * The last day, week or month in equal pieces of UTC, the one that is under
 * way last.  Sign-ins and failures come from the audit trail; once an hour is
 * over housekeeping keeps their number, so that a month costs no walk through
 * it.  Throttled guesses, which the audit trail does not hold, are counted by
 * each process and added up by housekeeping, half a minute later at most.
 * Sessions are sampled every quarter of an hour (ADR 0014).
 */
enum statistics_span {
	STATISTICS_DAY,	 /* 24 hours */
	STATISTICS_WEEK, /* 28 pieces of six hours */
	STATISTICS_MONTH /* 30 days */
};
enum { STATISTICS_PIECES_MAX = 30 };

struct statistics_piece {
	int64_t from_ms;
	int64_t sign_ins, failures, throttled;
	int64_t sessions; /* the most that were alive; -1: not known */
};
struct statistics {
	int64_t piece_ms;
	size_t n;
	struct statistics_piece piece[STATISTICS_PIECES_MAX];
	int64_t sign_ins, failures, throttled; /* of all pieces */
	int64_t sessions; /* the most of all pieces; -1: not known */
};
enum dk_err statistics_read(struct domain *dom, enum statistics_span span,
    int64_t now_ms, struct statistics *out) DK_CHECK;
/* "day", "week", "month". */
bool statistics_span_parse(struct str text, enum statistics_span *span);

/*
 * How many sessions are alive: counted if the store holds few, else the
 * latest sample.  *at_ms is when it was so, 0 when nobody knows.
 */
enum dk_err statistics_sessions(
    struct domain *dom, int64_t now_ms, int64_t *live, int64_t *at_ms) DK_CHECK;

/* A guess was turned away unread. */
void statistics_note_throttled(struct domain *dom);
/* Housekeeping: write down what this process has counted … */
enum dk_err statistics_flush(struct domain *dom, int64_t now_ms) DK_CHECK;
/* … and the rest of it: hours that are over, the sample that is due. */
enum dk_err statistics_keep(struct domain *dom, int64_t now_ms) DK_CHECK;

#endif
