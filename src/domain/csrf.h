#ifndef DK_DOMAIN_CSRF_H
#define DK_DOMAIN_CSRF_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

/*
 * The token in forms: HMAC of a purpose under a secret that only the browser
 * has in a cookie (the session's, or before sign-in that of the pre-login
 * cookie), masked with a fresh pad so that no two pages carry the same bytes
 * (BREACH).  Text: base64url of pad and pad XOR tag.
 */
enum { CSRF_TOKEN_LEN = 86 };

enum dk_err csrf_token_make(
    const struct secret *secret, char text[CSRF_TOKEN_LEN + 1]) DK_CHECK;
/* Constant time in the secret part. */
bool csrf_token_check(const struct secret *secret, struct str text);

#endif
