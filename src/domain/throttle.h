#ifndef DK_DOMAIN_THROTTLE_H
#define DK_DOMAIN_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/net.h"
#include "base/str.h"
#include "domain/domain.h"
#include "store/throttle.h"

/*
 * Throttling of guesses, so that no attacker gets far and none can keep the
 * owner out.  A guess is counted before its password is looked at, in one
 * transaction, so that parallel guesses count exactly; a success takes its
 * own count back.  Three counters, all in the store:
 *
 *	pair	one source on one account: THROTTLE_PAIR_FREE guesses at once,
 *		then a wait of 2, 4, 8 … seconds, at most an hour
 *	account	all strangers on one account: THROTTLE_ACCOUNT_FREE at once,
 *		then 1, 2, 4 … seconds, at most THROTTLE_ACCOUNT_CAP_S; one
 *		is forgotten every THROTTLE_ACCOUNT_LEAK_S
 *	source	one source on all accounts: THROTTLE_SOURCE_BURST at once,
 *		then one in THROTTLE_SOURCE_EVERY_S seconds
 *
 * A pair runs into its waits before the account does, and the account forgets
 * faster than a waiting pair guesses, so one source alone never makes an
 * account's other people wait.  Nothing is locked for good:
 * THROTTLE_QUIET_S without a guess forgets the counter.  A source is an IPv4
 * address or an IPv6 /64; requests without an address share one source.
 *
 * A browser that has signed in to the account before (domain/device.h) does
 * not meet the account's and the source's counter but its own, of
 * THROTTLE_DEVICE_FREE guesses; then it is a stranger again.
 *
 * Names that exist and names that do not are counted alike.
 */
enum {
	THROTTLE_PAIR_FREE = 16,
	THROTTLE_PAIR_CAP_S = 3600,
	THROTTLE_ACCOUNT_FREE = 40,
	THROTTLE_ACCOUNT_CAP_S = 2000,
	THROTTLE_ACCOUNT_LEAK_S = 2160,
	THROTTLE_SOURCE_BURST = 30,
	THROTTLE_SOURCE_EVERY_S = 30,
	THROTTLE_DEVICE_FREE = 5,
	THROTTLE_QUIET_S = 24 * 3600,
	THROTTLE_ROWS_MAX = 200000
};

struct throttle_guess {
	struct str name;	     /* as typed; any bytes */
	const struct ip_addr *addr;  /* NULL when unknown */
	const struct digest *device; /* of a known browser; NULL: none */
	const char *factor; /* "password", "second": counted apart */
	/* Who guesses has the password already: no source is counted, or one
	 * person's slips would make others wait. */
	bool account_only;
};

/* What a counted guess has to give back when it was right. */
struct throttle_ticket {
	struct bucket account, pair, source, device;
	int64_t account_next_ms, pair_next_ms, device_next_ms;
	struct bucket source_owner; /* whose unlocking forgets it */
	bool by_device;
};

/*
 * Count a guess.  *wait_ms is 0 when it may be checked; else nothing was
 * counted and the caller answers 429 without looking at the password.
 */
enum dk_err throttle_count_guess(struct domain *dom,
    const struct throttle_guess *guess, int64_t now_ms,
    struct throttle_ticket *ticket, int64_t *wait_ms) DK_CHECK;

/*
 * The guess was right: what this source (or this browser) got wrong before is
 * forgiven and this guess taken off the source's count; what others did to
 * the account stays counted (DK-T-04), so that an attacker gains nothing by
 * the owner's signing in.
 */
enum dk_err throttle_success(
    struct domain *dom, const struct throttle_ticket *ticket) DK_CHECK;

/*
 * The guess was never looked at (no slot for a hash, the store failed): it
 * does not count.
 */
enum dk_err throttle_give_back(
    struct domain *dom, const struct throttle_ticket *ticket) DK_CHECK;

/* `user unlock`: forget what is counted on the account, from everywhere. */
enum dk_err throttle_unlock(struct domain *dom, const struct asker *asker,
    struct str name, int64_t now_ms, bool *was_counted) DK_CHECK;

/* Housekeeping: drop forgotten counters, keep the table bounded. */
enum dk_err throttle_sweep(struct domain *dom, int64_t now_ms) DK_CHECK;

#endif
