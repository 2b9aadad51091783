#ifndef DK_DOMAIN_CHECKUP_H
#define DK_DOMAIN_CHECKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/domain.h"

/*
 * What can be found wrong on this machine without asking the site: for
 * `doorkeep doctor` and for the administrator's desk.  The store is open
 * already, or dom->db is NULL and what needs it is left out.
 */
struct finding {
	bool good;
	const char *what; /* what ought to be so; static */
	const char *cure; /* what to do where it is not; lives for the call */
};
typedef void checkup_fn(void *arg, const struct finding *finding);

/* Everything that is quick whatever the size of the store. */
void checkup(struct domain *dom, int64_t now_ms, checkup_fn *fn, void *arg);
/* Is the store sound?  Reads all of it. */
void checkup_store(struct domain *dom, checkup_fn *fn, void *arg);

enum { CHECKUP_PLACE_MAX = 512 };

/* What is running: the program, the engine of the store, its schema. */
struct checkup_versions {
	const char *program, *engine;
	int schema;
	/* The address of a server, passwords as ***; empty for a file. */
	char place[CHECKUP_PLACE_MAX];
};
void checkup_versions(struct domain *dom, struct checkup_versions *versions);

#endif
