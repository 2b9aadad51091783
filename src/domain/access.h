#ifndef DK_DOMAIN_ACCESS_H
#define DK_DOMAIN_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/net.h"
#include "base/str.h"
#include "conf/conf.h"
#include "store/users.h"

/*
 * The rules of [access]: first match wins, nothing matched is denied.  A pure
 * function of its arguments; `doorkeep explain` prints the same decision.
 */
struct access_question {
	struct str host;   /* without port, lower case */
	struct str path;   /* canonical: url_canonical_path */
	struct str method; /* "GET" */
	const struct ip_addr *addr; /* NULL when unknown */
	/* Who asks; signed_in false leaves the rest unset. */
	bool signed_in;
	struct str username;
	const struct group_list *groups; /* NULL: a member of none */
	int level;
	int64_t authenticated_at_ms, now_ms;
};

enum access_verdict {
	ACCESS_DENIED,	/* zero: not permitted, signed in or not */
	ACCESS_SIGN_IN, /* nobody is signed in: ask */
	ACCESS_REAUTH,	/* signed in too long ago for this rule */
	ACCESS_STEP_UP, /* a second factor is asked for */
	ACCESS_ALLOWED
};

struct access_answer {
	enum access_verdict verdict;
	const struct conf_rule *rule; /* NULL: no rule matched */
	const char *reason; /* one sentence for people; static */
	bool activity;	    /* counts as activity of the session */
};

struct access_answer access_judge(const struct conf *conf,
    const struct access_question *question);

/* Must this person use a second factor, whatever the page? */
bool access_needs_factor(
    const struct conf *conf, const struct access_question *question);

/* Does the rule's pattern match?  Prefix "/x/" matches "/x/…" and "/x";
 * a glob's '*' stays within a segment, "**" crosses them, '?' is one
 * character but '/'.  Case counts. */
bool access_pattern_matches(const struct conf_rule *rule, struct str host,
    struct str path);

#endif
