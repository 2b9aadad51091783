#include "base/secret.h"

#include <errno.h>
#include <malloc.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include <uuid/uuid.h>

enum dk_err
secret_init(void)
{
	return sodium_init() < 0 ? DK_ERR_RANDOM : DK_OK;
}

/*
 * Not randombytes_buf(): it ends the process where the kernel refuses, and a
 * refusal has to reach the person as an answer.
 */
enum dk_err
secret_random(void *p, size_t n)
{
	unsigned char *at = p;
	size_t done = 0;

	memset(p, 0, n);
	while (done < n) {
		ssize_t got = getrandom(at + done, n - done, 0);

		if (got > 0) {
			done += (size_t)got;
		} else if (got == 0 || errno != EINTR) {
			sodium_memzero(p, n);
			return DK_ERR_RANDOM;
		}
	}
	return DK_OK;
}

enum dk_err
secret_new(struct secret *s)
{
	return secret_random(s->byte, sizeof(s->byte));
}

void
secret_to_text(const struct secret *s, char *text)
{
	(void)sodium_bin2base64(text, SECRET_TEXT_LEN + 1, s->byte,
	    sizeof(s->byte), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/*
 * libsodium compares characters as signed numbers and takes every byte from
 * 0x80 on for an underscore: those are refused before it sees them.
 */
bool
secret_decode(struct str text, void *to, size_t n)
{
	const char *end = NULL;
	size_t len = 0, i;

	memset(to, 0, n);
	for (i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	if (text.n == 0 ||
	    sodium_base642bin(to, n, text.p, text.n, NULL, &len, &end,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    len != n || end != text.p + text.n) {
		sodium_memzero(to, n);
		return false;
	}
	return true;
}

bool
secret_from_text(struct str text, struct secret *s)
{
	return secret_decode(text, s->byte, sizeof(s->byte));
}

void
text_tag(struct str text, struct text_tag *out)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = { 0 };

	_Static_assert(sizeof(out->byte) == crypto_shorthash_BYTES, "SipHash");
	(void)crypto_shorthash(
	    out->byte, (const unsigned char *)text.p, text.n, key);
}

void
secret_sha256(struct str data, struct digest *out)
{
	(void)crypto_hash_sha256(
	    out->byte, (const unsigned char *)data.p, data.n);
}

void
secret_hmac(const struct secret *key, struct str data, struct digest *out)
{
	(void)crypto_auth_hmacsha256(
	    out->byte, (const unsigned char *)data.p, data.n, key->byte);
}

bool
secret_bytes_eq(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

bool
secret_eq(const struct secret *a, const struct secret *b)
{
	return secret_bytes_eq(a->byte, b->byte, sizeof(a->byte));
}

bool
digest_eq(const struct digest *a, const struct digest *b)
{
	return secret_bytes_eq(a->byte, b->byte, sizeof(a->byte));
}

void
secret_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

void *
secret_alloc(size_t n)
{
	return calloc(1, n);
}

void
secret_lock(void *p, size_t n)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)p & ~(page - 1);
	uintptr_t end = ((uintptr_t)p + n + page - 1) & ~(page - 1);

	(void)mlock2((void *)from, end - from, MLOCK_ONFAULT);
	(void)madvise((void *)from, end - from, MADV_DONTDUMP);
}

void
secret_free(void *p)
{
	if (p != NULL)
		sodium_memzero(p, malloc_usable_size(p));
	free(p);
}

enum dk_err
uuid_new(char text[UUID_TEXT_LEN + 1])
{
	uuid_t id = { 0 };
	enum dk_err err;

	text[0] = '\0';
	err = secret_random(id, sizeof(id));
	if (err != DK_OK)
		return err;
	id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
	uuid_unparse_lower(id, text);
	return DK_OK;
}

bool
uuid_is_valid(struct str text)
{
	size_t i;

	if (text.n != UUID_TEXT_LEN)
		return false;
	for (i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-'
			 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return text.p[14] == '4' && strchr("89ab", text.p[19]) != NULL;
}
