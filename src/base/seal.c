#include "base/seal.h"

#include <sodium.h>

enum {
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	MAC_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES
};
_Static_assert(SEAL_EXTRA == NONCE_LEN + MAC_LEN, "what sealing adds");

/* A key of its own for each purpose, so that none opens another's text. */
static void
derive(const struct secret *key, struct str purpose, struct digest *own)
{
	secret_hmac(key, purpose, own);
}

enum dk_err
seal_make(const struct secret *key, struct str purpose, struct str plain,
    struct arena *arena, struct str *text)
{
	size_t len = plain.n + SEAL_EXTRA, max = SEAL_TEXT_LEN(plain.n) + 4;
	unsigned char *sealed = arena_alloc(arena, len);
	char *to = arena_alloc(arena, max);
	struct digest own;
	enum dk_err err;

	*text = STR_NONE;
	if (sealed == NULL || to == NULL)
		return DK_ERR_NOMEM;
	err = secret_random(sealed, NONCE_LEN);
	if (err != DK_OK)
		return err;
	derive(key, purpose, &own);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_LEN,
	    NULL, (const unsigned char *)plain.p, plain.n, NULL, 0, NULL,
	    sealed, own.byte);
	secret_wipe(&own, sizeof(own));
	(void)sodium_bin2base64(to, max, sealed, len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	*text = str_from(to);
	return DK_OK;
}

enum dk_err
seal_open(const struct secret *key, struct str purpose, struct str text,
    struct arena *arena, struct str *plain, bool *opened)
{
	unsigned char *sealed = arena_alloc(arena, text.n + 1);
	unsigned char *to;
	struct digest own;
	size_t len = 0;

	*plain = STR_NONE;
	*opened = false;
	if (sealed == NULL)
		return DK_ERR_NOMEM;
	if (text.n == 0 ||
	    sodium_base642bin(sealed, text.n, text.p, text.n, NULL, &len, NULL,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    len < SEAL_EXTRA)
		return DK_OK;
	to = arena_alloc(arena, len - SEAL_EXTRA + 1);
	if (to == NULL)
		return DK_ERR_NOMEM;
	derive(key, purpose, &own);
	*opened = crypto_aead_xchacha20poly1305_ietf_decrypt(to, NULL, NULL,
		      sealed + NONCE_LEN, len - NONCE_LEN, NULL, 0, sealed,
		      own.byte) == 0;
	secret_wipe(&own, sizeof(own));
	if (*opened)
		*plain = (struct str){ (char *)to, len - SEAL_EXTRA };
	return DK_OK;
}
