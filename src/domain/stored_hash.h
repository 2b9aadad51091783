#ifndef DK_DOMAIN_STORED_HASH_H
#define DK_DOMAIN_STORED_HASH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Password hashes as they stand in the store or in a file to import.  The
 * scheme is told by prefix and exact form; everything else is no hash
 * (DK-P-05).  A hash also decides what it costs to try it, so its cost is
 * read and capped before any function is called with it (DK-P-04).
 */
enum hash_scheme {
	HASH_NONE,     /* not a hash that anything matches */
	HASH_ARGON2ID, /* $argon2id$v=19$… */
	HASH_ARGON2I,  /* $argon2i$v=19$… */
	HASH_BCRYPT,   /* $2a$ $2b$ $2y$ */
	HASH_SHA256,   /* $5$ */
	HASH_SHA512,   /* $6$ */
	HASH_YESCRYPT, /* $y$ */
	HASH_SCRYPT,   /* $7$ */
	HASH_APR1,     /* $apr1$, weak */
	HASH_SHA1,     /* {SHA}, weak */
	HASH_MD5CRYPT  /* $1$, weak */
};

enum {
	HASH_ARGON2_MEMORY_MAX_KIB = 256 * 1024,
	HASH_ARGON2_PASSES_MAX = 16,
	HASH_BCRYPT_COST_MAX = 14,
	HASH_ROUNDS_MAX = 1000000, /* $5$, $6$ */
	HASH_YESCRYPT_N_LOG2_MAX = 18
};

struct stored_hash {
	enum hash_scheme scheme;
	bool too_costly;  /* of a scheme, but above its cap */
	bool weak;	  /* imported with a warning */
	const char *name; /* "argon2id", for people; static, never NULL */
};

struct stored_hash stored_hash_read(struct str text);

/*
 * Does pw match?  False for HASH_NONE and for what is too costly, without
 * trying.  DK_ERR_NOMEM when there was no memory to try: not a wrong
 * password.  bcrypt reads 72 bytes and crypt(3) 511: longer passwords match
 * no such hash, whatever they begin with (DK-P-06).
 */
enum dk_err stored_hash_verify(
    struct str text, struct str pw, bool *match) DK_CHECK;

#endif
