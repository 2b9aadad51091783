#ifndef DK_BASE_SEAL_H
#define DK_BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

/*
 * Text that is handed to a stranger to keep, and comes back only as it was:
 * encrypted and authenticated (XChaCha20-Poly1305) under `key`, for one
 * purpose.  What was sealed for another purpose or under another key does not
 * open.  Text: base64url without padding of nonce and ciphertext.
 */
enum { SEAL_EXTRA = 24 + 16 }; /* bytes that sealing adds */
/* Characters of n sealed bytes. */
#define SEAL_TEXT_LEN(n) (((n) + SEAL_EXTRA) * 4 / 3 + 1)

/* *text is in the arena. */
enum dk_err seal_make(const struct secret *key, struct str purpose,
    struct str plain, struct arena *arena, struct str *text) DK_CHECK;
/* *opened says whether it was ours; only then is *plain, in the arena, set. */
enum dk_err seal_open(const struct secret *key, struct str purpose,
    struct str text, struct arena *arena, struct str *plain,
    bool *opened) DK_CHECK;

#endif
