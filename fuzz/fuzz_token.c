/*
 * The values that come back from a browser: the session cookie and the token
 * of a form.  What is taken has exactly one form and writes itself the same
 * way again; a form token is taken if and only if it is the masked tag.
 */
#include "fuzz.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "domain/csrf.h"
#include "domain/session.h"

static void
try_session_token(struct str text)
{
	const struct session_token zero = { .id = "" };
	char again[SESSION_TOKEN_LEN + 1];
	struct session_token token;

	memset(&token, 0xa5, sizeof(token));
	if (!session_token_parse(text, &token)) {
		if (memcmp(&token, &zero, sizeof(token)) != 0)
			abort();
		return;
	}
	session_token_format(&token, again);
	if (!str_eq(str_from(again), text) ||
	    !uuid_is_valid(str_from(token.id)))
		abort();
}

static bool
is_masked_tag(const struct secret *secret, struct str text)
{
	unsigned char bytes[2 * DIGEST_LEN];
	struct digest tag;
	size_t n = 0, i;

	for (i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	if (text.n != CSRF_TOKEN_LEN ||
	    sodium_base642bin(bytes, sizeof(bytes), text.p, text.n, NULL, &n,
		NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    n != sizeof(bytes))
		return false;
	secret_hmac(secret, STR("doorkeep form token"), &tag);
	for (i = 0; i < DIGEST_LEN; i++)
		if ((bytes[i] ^ bytes[DIGEST_LEN + i]) != tag.byte[i])
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct secret secret, other;

	memset(secret.byte, 0x42, sizeof(secret.byte));
	memset(other.byte, 0x43, sizeof(other.byte));
	try_session_token(text);
	if (csrf_token_check(&secret, text) != is_masked_tag(&secret, text))
		abort();
	if (csrf_token_check(&secret, text) && csrf_token_check(&other, text))
		abort();
	return 0;
}
