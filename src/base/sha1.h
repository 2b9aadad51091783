#ifndef DK_BASE_SHA1_H
#define DK_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * SHA-1 (RFC 3174) and HMAC-SHA-1 (RFC 2104), for what others have fixed:
 * one-time codes (RFC 6238) and {SHA} hashes of htpasswd files.  Nothing of
 * ours is hashed with it.
 */
enum { SHA1_LEN = 20 };

void sha1(struct str data, unsigned char out[SHA1_LEN]);
void sha1_hmac(struct str key, struct str data, unsigned char out[SHA1_LEN]);

#endif
