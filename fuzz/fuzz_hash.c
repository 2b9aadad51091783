/*
 * Password hashes of other programs, as they come in with an import.  What is
 * no hash, or too costly, matches nothing and is not tried; what is tried is
 * cheap enough, does not match the password that nobody chose, and reading
 * says the same each time.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "domain/stored_hash.h"

/* Each known scheme by the form that its own functions write. */
static bool
has_prefix_of(struct str text, enum hash_scheme scheme)
{
	static const char *const prefixes[][3] = {
		[HASH_ARGON2ID] = { "$argon2id$v=19$" },
		[HASH_ARGON2I] = { "$argon2i$v=19$" },
		[HASH_BCRYPT] = { "$2a$", "$2b$", "$2y$" },
		[HASH_SHA256] = { "$5$" },
		[HASH_SHA512] = { "$6$" },
		[HASH_YESCRYPT] = { "$y$" },
		[HASH_SCRYPT] = { "$7$" },
		[HASH_APR1] = { "$apr1$" },
		[HASH_SHA1] = { "{SHA}" },
		[HASH_MD5CRYPT] = { "$1$" }
	};
	size_t i;

	for (i = 0; i < 3 && prefixes[scheme][i] != NULL; i++)
		if (str_starts(text, str_from(prefixes[scheme][i])))
			return true;
	return false;
}

/* Trying costs a second and more for some: those are read, not tried. */
static bool
is_quick(const struct stored_hash *h, struct str text)
{
	return h->scheme == HASH_SHA1 || h->scheme == HASH_APR1 ||
	    h->scheme == HASH_MD5CRYPT || h->too_costly ||
	    h->scheme == HASH_NONE ||
	    (h->scheme == HASH_BCRYPT &&
		str_starts(str_sub(text, 4, 3), STR("04$")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct stored_hash h, again;
	bool match = true;

	if (secret_init() != DK_OK)
		abort();
	h = stored_hash_read(text);
	again = stored_hash_read(text);
	if (h.scheme != again.scheme || h.too_costly != again.too_costly ||
	    h.name == NULL ||
	    (size > 0 && memchr(data, 0, size) != NULL &&
		h.scheme != HASH_NONE))
		abort();
	if (h.scheme != HASH_NONE && !has_prefix_of(text, h.scheme))
		abort();
	if (h.weak !=
	    (h.scheme == HASH_APR1 || h.scheme == HASH_SHA1 ||
		h.scheme == HASH_MD5CRYPT))
		abort();
	if (!is_quick(&h, text))
		return 0;
	if (stored_hash_verify(
		text, STR("a password that nobody chose"), &match) == DK_OK &&
	    match)
		abort();
	return 0;
}
