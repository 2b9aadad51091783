#ifndef DK_DOMAIN_HOUSEKEEP_H
#define DK_DOMAIN_HOUSEKEEP_H

#include <stdint.h>

#include "domain/domain.h"

/*
 * A small step of cleaning up that never waits for a lock: expired sessions
 * from a random place of the table, old events, forgotten counters of
 * guesses, dead links; and the figures of the desk.  For workers, now and
 * then.  What cannot be done now is left for the next time (DK-S-17,
 * DK-T-10).
 */
void housekeep(struct domain *dom, int64_t now_ms);

#endif
