#ifndef DK_DOMAIN_IMPORT_H
#define DK_DOMAIN_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "domain/domain.h"

/*
 * Moving in: an account with the password hash that another program made.
 * It works as it is and is replaced by one of ours at the first sign-in.
 */
struct import {
	struct str name, hash; /* hash STR_NONE or empty: no password */
	struct str display_name, email;
	const struct str *groups;
	size_t n_groups;
	bool disabled;
};

enum import_result {
	IMPORT_ADDED,
	IMPORT_REPLACED, /* hash, what is given of the rest; groups added */
	IMPORT_EXISTS,	 /* left as it is */
	IMPORT_BAD_NAME,
	IMPORT_BAD_HASH, /* of no scheme that is taken */
	IMPORT_TOO_COSTLY,
	IMPORT_BAD_FIELD /* name, address or group is malformed */
};

/*
 * In one transaction with its event.  *weak: the hash is of a kind that is
 * easy to break; *scheme (static) names it for people.
 */
enum dk_err import_account(struct domain *dom, const struct asker *asker,
    const struct import *in, bool replace, int64_t now_ms,
    enum import_result *result, bool *weak, const char **scheme) DK_CHECK;

#endif
