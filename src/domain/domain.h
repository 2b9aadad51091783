#ifndef DK_DOMAIN_DOMAIN_H
#define DK_DOMAIN_DOMAIN_H

#include <stdint.h>

#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "domain/slots.h"
#include "store/db.h"

/*
 * What every function of the domain is given: the rules, the store, the log.
 * Made in main() and torn down there.  The domain never sees HTTP and never
 * reads a clock: callers hand down `now_ms`.
 */
struct domain {
	const struct conf *conf;
	struct db *db; /* NULL while the store is away */
	struct log *log;
	struct hash_slots slots; /* bounds parallel password hashes */
	int64_t tried_ms;	 /* monotonic; of the last attempt to open */
	bool away;		 /* said so in the log */
	int64_t throttled;	 /* guesses turned away, not yet in the store */
};

void domain_init(struct domain *dom, const struct conf *conf, struct log *log);
void domain_close(struct domain *dom);

/*
 * Make sure that the store is open: open it, or open it anew when its file
 * was replaced; at most one attempt a second.  DK_ERR_STORE while it is
 * away, said in the log once when that begins and once when it is over.
 */
enum dk_err domain_connect(struct domain *dom, int64_t monotonic_ms) DK_CHECK;

/*
 * The same for a command line: with the reason in words, and with `create`
 * and `migrate` as in struct db_options.
 */
enum dk_err domain_open(struct domain *dom, bool create, bool migrate,
    struct buf *message) DK_CHECK;

/* Between requests: close what only stands in the way of other processes. */
void domain_rest(struct domain *dom);
/*
 * A file of this host: beside an SQLite store, or in [store] directory when
 * the store is a server: its name with `suffix`, such as "-key".
 */
void domain_own_file(const struct conf *conf, const char *suffix,
    struct buf *path);

/* How many processes may wait for a password hash; the rest is turned away. */
unsigned domain_hash_queue(const struct conf *conf);

/* Who asks, for the audit trail.  Views that live as long as the call. */
struct asker {
	struct str actor;      /* "web", "cli:root", "desk:alice" */
	struct str ip;	       /* STR_NONE when unknown */
	struct str user_agent; /* STR_NONE when unknown */
	struct str host;       /* host of the site asked for */
	struct str request_id; /* STR_NONE on the command line */
	int64_t admin_id;      /* who acts at the desk (domain/permit.h); 0:
				  nobody does */
};

#endif
