#include "domain/housekeep.h"

#include "base/secret.h"
#include "domain/statistics.h"
#include "domain/throttle.h"
#include "store/events.h"
#include "store/factors.h"
#include "store/handoffs.h"
#include "store/sessions.h"

enum { STEP = 200 };

/*
 * Ids are random, so a step from a random id on looks at a random sample;
 * many small steps cover the table without anybody keeping a place.
 */
void
housekeep(struct domain *dom, int64_t now_ms)
{
	char from[UUID_TEXT_LEN + 1], last[UUID_TEXT_LEN + 1];
	int64_t n = 0;
	enum dk_err err = uuid_new(from);

	db_set_wait(dom->db, 0);
	if (err == DK_OK)
		err = sessions_purge_step(
		    dom->db, str_from(from), STEP, now_ms, last, &n);
	/* And the first rows, which few random ids lie before: they would
	 * hardly ever be looked at, and a small table not as a whole. */
	if (err == DK_OK)
		err = sessions_purge_step(
		    dom->db, STR(""), STEP, now_ms, last, &n);
	if (err == DK_OK)
		err = events_purge_step(
		    dom->db, now_ms - dom->conf->events_keep_ms, STEP, &n);
	if (err == DK_OK)
		err = throttle_sweep(dom, now_ms);
	if (err == DK_OK)
		err = links_purge(dom->db, now_ms);
	if (err == DK_OK)
		err = handoffs_purge(dom->db, now_ms);
	if (err == DK_OK)
		err = statistics_keep(dom, now_ms);
	/* Somebody else holds the lock: there is a next time. */
	(void)err;
	db_set_wait(dom->db, DB_WAIT_MS);
}
