#ifndef DK_BASE_SECRET_H
#define DK_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum {
	SECRET_LEN = 32,      /* bytes of a session secret or one-use token */
	SECRET_TEXT_LEN = 43, /* the same as base64url without padding */
	DIGEST_LEN = 32	      /* SHA-256, HMAC-SHA-256 */
};

/* Fixed-size secrets; wipe them at `out:`. */
struct secret {
	unsigned char byte[SECRET_LEN];
};
struct digest {
	unsigned char byte[DIGEST_LEN];
};

/* Make the cryptographic library ready; once per process, before the rest. */
enum dk_err secret_init(void) DK_CHECK;

/*
 * n random bytes from the kernel (getrandom).  DK_ERR_RANDOM, and zeroed
 * bytes, when it gives none: there is no weaker fallback.
 */
enum dk_err secret_random(void *p, size_t n) DK_CHECK;
enum dk_err secret_new(struct secret *s) DK_CHECK;

/* base64url without padding (RFC 4648 5); text holds SECRET_TEXT_LEN + 1. */
void secret_to_text(const struct secret *s, char *text);
/* Strict: exactly SECRET_TEXT_LEN characters of the alphabet, no stray bits. */
bool secret_from_text(struct str text, struct secret *s);
/* The same for any n bytes; they are zero when it says false. */
bool secret_decode(struct str text, void *to, size_t n);

/*
 * Tells versions of a public text apart, at a tenth of the cost of SHA-256
 * (SipHash-2-4 with a fixed key); anybody can make a text with a given tag.
 */
struct text_tag {
	unsigned char byte[8];
};
void text_tag(struct str text, struct text_tag *out);

void secret_sha256(struct str data, struct digest *out);
/* HMAC-SHA-256 (RFC 2104) of data under key. */
void secret_hmac(const struct secret *key, struct str data, struct digest *out);

bool secret_eq(const struct secret *a, const struct secret *b);
/* Equal in constant time; the lengths are not secret. */
bool secret_bytes_eq(const void *a, const void *b, size_t n);
bool digest_eq(const struct digest *a, const struct digest *b);
void secret_wipe(void *p, size_t n);

/* Zeroed memory that is wiped when it is freed; also for libraries that take
 * an allocator.  NULL when there is none. */
void *secret_alloc(size_t n);
/* Keep n bytes from p on out of swap and core files, as far as the process's
 * limit of locked memory goes; only pages that are touched count. */
void secret_lock(void *p, size_t n);
void secret_free(void *p);

/* A version 4 UUID (RFC 9562 5.4) from secret_random, lower case. */
enum { UUID_TEXT_LEN = 36 };
enum dk_err uuid_new(char text[UUID_TEXT_LEN + 1]) DK_CHECK;
/* True for exactly the form that uuid_new writes. */
bool uuid_is_valid(struct str text);

#endif
