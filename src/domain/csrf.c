#include "domain/csrf.h"

#include <sodium.h>

/* pad and pad XOR tag, as base64url: 64 bytes make 86 characters. */
struct masked {
	unsigned char pad[DIGEST_LEN], tag[DIGEST_LEN];
};

static void
make_tag(const struct secret *secret, struct digest *tag)
{
	secret_hmac(secret, STR("doorkeep form token"), tag);
}

static void
mask(struct masked *m, const struct digest *tag)
{
	size_t i;

	for (i = 0; i < sizeof(m->tag); i++)
		m->tag[i] = m->pad[i] ^ tag->byte[i];
}

enum dk_err
csrf_token_make(const struct secret *secret, char text[CSRF_TOKEN_LEN + 1])
{
	struct masked m;
	struct digest tag;
	enum dk_err err;

	text[0] = '\0';
	err = secret_random(m.pad, sizeof(m.pad));
	if (err != DK_OK)
		return err;
	make_tag(secret, &tag);
	mask(&m, &tag);
	(void)sodium_bin2base64(text, CSRF_TOKEN_LEN + 1, (unsigned char *)&m,
	    sizeof(m), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	secret_wipe(&tag, sizeof(tag));
	return DK_OK;
}

bool
csrf_token_check(const struct secret *secret, struct str text)
{
	struct masked given, want;
	struct digest tag;
	size_t i;
	bool same;

	if (!secret_decode(text, &given, sizeof(given)))
		return false;
	make_tag(secret, &tag);
	for (i = 0; i < sizeof(want.pad); i++)
		want.pad[i] = given.pad[i];
	mask(&want, &tag);
	same = secret_bytes_eq(want.tag, given.tag, sizeof(want.tag));
	secret_wipe(&tag, sizeof(tag));
	return same;
}
