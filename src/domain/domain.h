#ifndef DK_DOMAIN_DOMAIN_H
#define DK_DOMAIN_DOMAIN_H

#include <stdint.h>

#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "store/db.h"

/*
 * What every function of the domain is given: the rules, the store, the log.
 * Borrowed; made in main() and torn down there.  The domain never sees HTTP
 * and never reads a clock: callers hand down `now_ms`.
 */
struct domain {
	const struct conf *conf;
	struct db *db;
	struct log *log;
	struct hash_slots *slots; /* domain/slots.h; bounds parallel hashes */
};

/* Who asks, for the audit trail.  Views that live as long as the call. */
struct asker {
	struct str actor;      /* "web", "cli:root" */
	struct str ip;	       /* STR_NONE when unknown */
	struct str user_agent; /* STR_NONE when unknown */
	struct str host;       /* host of the site asked for */
	struct str request_id; /* STR_NONE on the command line */
};

#endif
