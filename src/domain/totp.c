#include "domain/totp.h"

#include <stdio.h>

#include "base/secret.h"
#include "base/sha1.h"

void
totp_code(const struct totp_seed *seed, int64_t step, char *text)
{
	unsigned char tag[SHA1_LEN];
	char counter[8];
	uint32_t number;
	unsigned i, at;

	for (i = 0; i < sizeof(counter); i++)
		counter[i] = (char)((uint64_t)step >> (56 - 8 * i) & 0xff);
	sha1_hmac((struct str){ (const char *)seed->byte, sizeof(seed->byte) },
	    (struct str){ counter, sizeof(counter) }, tag);
	/* Dynamic truncation, RFC 4226 5.3. */
	at = tag[SHA1_LEN - 1] & 0x0f;
	number = (uint32_t)(tag[at] & 0x7f) << 24 |
	    (uint32_t)tag[at + 1] << 16 | (uint32_t)tag[at + 2] << 8 |
	    tag[at + 3];
	(void)snprintf(
	    text, TOTP_DIGITS + 1, "%06u", (unsigned)(number % 1000000));
	secret_wipe(tag, sizeof(tag));
}

int64_t
totp_match(const struct totp_seed *seed, struct str code, int64_t last_step,
    int64_t now_ms)
{
	int64_t now = now_ms / TOTP_STEP_MS, step, found = -1;
	char want[TOTP_DIGITS + 1];
	uint64_t number;

	if (code.n != TOTP_DIGITS || !str_to_u64(code, 999999, &number))
		return -1;
	/* All three are tried, whichever fits, for the sake of time. */
	for (step = now - 1; step <= now + 1; step++) {
		totp_code(seed, step, want);
		if (secret_bytes_eq(want, code.p, TOTP_DIGITS) &&
		    step > last_step)
			found = step;
	}
	secret_wipe(want, sizeof(want));
	return found;
}

void
totp_add_base32(struct buf *out, const struct totp_seed *seed)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned n = 0, i;

	for (i = 0; i < sizeof(seed->byte); i++) {
		bits = bits << 8 | seed->byte[i];
		for (n += 8; n >= 5; n -= 5)
			buf_addc(out, alphabet[bits >> (n - 5) & 0x1f]);
	}
}

void
totp_add_uri(struct buf *out, const struct totp_seed *seed, struct str issuer,
    struct str name)
{
	buf_addz(out, "otpauth://totp/");
	buf_add_percent(out, issuer);
	buf_addz(out, ":");
	buf_add_percent(out, name);
	buf_addz(out, "?secret=");
	totp_add_base32(out, seed);
	buf_addz(out, "&issuer=");
	buf_add_percent(out, issuer);
}
