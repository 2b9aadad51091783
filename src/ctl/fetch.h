#ifndef DK_CTL_FETCH_H
#define DK_CTL_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Within src/ctl: one HTTP request by curl(1), which knows TLS and what the
 * machine trusts; for doorkeep doctor.  Nothing secret is in its arguments:
 * they come through its standard input as a configuration.
 */
struct fetch {
	struct str url;
	struct str cookie; /* "name=value"; STR_NONE: none */
	struct str header; /* one more header line; STR_NONE: none */
	struct str json;   /* posted; STR_NONE: GET */
	bool insecure;	   /* a certificate that nobody vouches for will do */
};

enum { FETCH_ANSWER_MAX = 256 * 1024 };

struct fetch_answer {
	unsigned status; /* 0: no answer; text says why */
	struct str text; /* head and body as they came */
	char room[FETCH_ANSWER_MAX];
};

/*
 * DK_ERR_IO: curl cannot be run.  The path is sent as it is written, dots and
 * all; redirects are not followed; ten seconds are the limit.
 */
enum dk_err fetch(const struct fetch *f, struct fetch_answer *answer) DK_CHECK;
/* The value of the header (any case), or STR_NONE.  From `from` on, for
 * headers that come more than once; *next is where to go on. */
struct str fetch_header(
    const struct fetch_answer *answer, struct str name, size_t *from);

#endif
