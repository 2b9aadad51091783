/*
 * One-time codes.  Eight bytes of time, one of the step used last, the rest is
 * what somebody typed: taken if and only if it is the code of this step or a
 * neighbour that is later than the last.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "domain/totp.h"

enum { HEAD = 9 };

static int64_t
expected(
    const struct totp_seed *seed, struct str code, int64_t last, int64_t now_ms)
{
	char text[TOTP_DIGITS + 1];
	int64_t step;

	for (step = now_ms / TOTP_STEP_MS - 1;
	     step <= now_ms / TOTP_STEP_MS + 1; step++) {
		totp_code(seed, step, text);
		if (strlen(text) != TOTP_DIGITS ||
		    strspn(text, "0123456789") != TOTP_DIGITS)
			abort();
		if (step > last && str_eq(code, str_from(text)))
			return step;
	}
	return -1;
}

static void
try_code(
    const struct totp_seed *seed, struct str code, int64_t last, int64_t now_ms)
{
	if (totp_match(seed, code, last, now_ms) !=
	    expected(seed, code, last, now_ms))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct totp_seed seed;
	char code[TOTP_DIGITS + 1];
	int64_t now_ms = 0, last;
	size_t i;

	if (size < HEAD)
		return 0;
	memset(seed.byte, 0x42, sizeof(seed.byte));
	for (i = 0; i < 8; i++)
		now_ms = (int64_t)((uint64_t)now_ms << 8 | data[i]);
	now_ms &= INT64_C(0xffffffffffff); /* about the year 10889 */
	if (now_ms < TOTP_STEP_MS)
		now_ms += TOTP_STEP_MS;
	last = now_ms / TOTP_STEP_MS + (int64_t)(data[8] % 8) - 4;
	try_code(&seed, (struct str){ (const char *)data + HEAD, size - HEAD },
	    last, now_ms);
	/* No fuzzer finds a right one: these are. */
	for (i = 0; i < 5; i++) {
		totp_code(&seed, now_ms / TOTP_STEP_MS - 2 + (int64_t)i, code);
		try_code(&seed, str_from(code), last, now_ms);
	}
	return 0;
}
