#ifndef DK_DOMAIN_TOTP_H
#define DK_DOMAIN_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/*
 * Time-based one-time codes (RFC 6238) as every authenticator application
 * speaks them: SHA-1, 6 digits, 30 seconds, and one step to either side for
 * clocks that differ and thumbs that are slow.  Pure functions.
 */
enum { TOTP_SEED_LEN = 20, TOTP_DIGITS = 6, TOTP_STEP_MS = 30000 };

struct totp_seed {
	unsigned char byte[TOTP_SEED_LEN];
};

/*
 * The step whose code `code` is, if it is that of now or of a neighbour and
 * later than `last_step`, the last one used (RFC 6238 5.2: a code works
 * once).  -1 for every other text; compared in constant time.  Exactly six
 * ASCII digits.
 */
int64_t totp_match(const struct totp_seed *seed, struct str code,
    int64_t last_step, int64_t now_ms);

/* The code of one step; text holds TOTP_DIGITS + 1. */
void totp_code(const struct totp_seed *seed, int64_t step, char *text);

/* base32 without padding (RFC 4648 6), 32 characters. */
void totp_add_base32(struct buf *out, const struct totp_seed *seed);
/* otpauth://totp/ISSUER:NAME?secret=…&issuer=… for QR codes. */
void totp_add_uri(struct buf *out, const struct totp_seed *seed,
    struct str issuer, struct str name);

#endif
