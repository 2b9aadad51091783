#include "domain/stored_hash.h"

#include <crypt.h>
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/md5.h"
#include "base/secret.h"
#include "base/sha1.h"

enum { CRYPT_PHRASE_MAX = 511, BCRYPT_PHRASE_MAX = 72 };

/* The alphabet of crypt(3): value of a character, or -1. */
static int
crypt64(char c)
{
	static const char alphabet[] =
	    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

static bool
all_crypt64(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (crypt64(s.p[i]) < 0)
			return false;
	return true;
}

static bool
all_base64(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '+' || c == '/'))
			return false;
	}
	return true;
}

static bool
take(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_sub(*s, prefix.n, s->n - prefix.n);
	return true;
}

/* "m=19456" of the list of parameters. */
static bool
parameter(struct str *list, struct str name, uint64_t max, uint64_t *value)
{
	struct str field;

	return str_cut(list, ',', &field) && take(&field, name) &&
	    str_to_u64(field, max, value);
}

/* $argon2id$v=19$m=19456,t=2,p=1$SALT$TAG (RFC 9106; PHC string format) */
static void
read_argon2(struct stored_hash *h, enum hash_scheme scheme, struct str rest)
{
	struct str version, list, salt, tag;
	uint64_t m, t, p;

	if (!str_cut(&rest, '$', &version) || !str_eq(version, STR("v=19")) ||
	    !str_cut(&rest, '$', &list) || !str_cut(&rest, '$', &salt) ||
	    !str_cut(&rest, '$', &tag) || !str_is_none(rest))
		return;
	if (!parameter(&list, STR("m="), UINT32_MAX, &m) ||
	    !parameter(&list, STR("t="), UINT32_MAX, &t) ||
	    !parameter(&list, STR("p="), 255, &p) || !str_is_none(list))
		return;
	if (salt.n < 11 || salt.n > 64 || tag.n < 22 || tag.n > 86 ||
	    !all_base64(salt) || !all_base64(tag) || m < 8 * p || t < 1 ||
	    p < 1)
		return;
	h->scheme = scheme;
	h->too_costly = m > HASH_ARGON2_MEMORY_MAX_KIB ||
	    t > HASH_ARGON2_PASSES_MAX ||
	    m * t > (uint64_t)HASH_ARGON2_MEMORY_MAX_KIB * 4 || p > 16;
}

/* $2y$10$ and 53 characters */
static void
read_bcrypt(struct stored_hash *h, struct str rest)
{
	struct str cost;
	uint64_t n;

	if (!str_cut(&rest, '$', &cost) || cost.n != 2 ||
	    !str_to_u64(cost, 31, &n) || n < 4 || rest.n != 53 ||
	    !all_crypt64(rest))
		return;
	h->scheme = HASH_BCRYPT;
	h->too_costly = n > HASH_BCRYPT_COST_MAX;
}

/* $5$ or $6$, then rounds=N$ if not 5000, a salt and the tag */
static void
read_sha2(struct stored_hash *h, enum hash_scheme scheme, size_t tag_len,
    struct str rest)
{
	uint64_t rounds = 5000;
	struct str field, salt;

	if (take(&rest, STR("rounds="))) {
		if (!str_cut(&rest, '$', &field) ||
		    !str_to_u64(field, UINT32_MAX, &rounds))
			return;
	}
	if (!str_cut(&rest, '$', &salt) || salt.n < 1 || salt.n > 16 ||
	    !all_crypt64(salt) || rest.n != tag_len || !all_crypt64(rest))
		return;
	h->scheme = scheme;
	h->too_costly = rounds > HASH_ROUNDS_MAX;
}

/* $y$ PARAMETERS $ SALT $ TAG; N's logarithm is told by the second letter */
static void
read_yescrypt(struct stored_hash *h, struct str rest)
{
	struct str parameters, salt;
	int n_log2;

	if (!str_cut(&rest, '$', &parameters) || parameters.n != 3 ||
	    parameters.p[0] != 'j' || !all_crypt64(parameters) ||
	    !str_cut(&rest, '$', &salt) || salt.n < 1 || salt.n > 86 ||
	    !all_crypt64(salt) || rest.n != 43 || !all_crypt64(rest))
		return;
	n_log2 = crypt64(parameters.p[1]) + 1;
	h->scheme = HASH_YESCRYPT;
	h->too_costly = n_log2 > HASH_YESCRYPT_N_LOG2_MAX ||
	    crypt64(parameters.p[2]) > crypt64('T');
}

/* $7$ N rrrrr ppppp SALT $ TAG */
static void
read_scrypt(struct stored_hash *h, struct str rest)
{
	struct str head;

	if (!str_cut(&rest, '$', &head) || head.n < 12 || head.n > 97 ||
	    !all_crypt64(head) || rest.n != 43 || !all_crypt64(rest))
		return;
	h->scheme = HASH_SCRYPT;
	/* r = 8 is "6....", p = 1 is "/....", as everywhere in use. */
	h->too_costly = crypt64(head.p[0]) > HASH_YESCRYPT_N_LOG2_MAX - 1 ||
	    crypt64(head.p[1]) > 32 || crypt64(head.p[6]) > 4 ||
	    !str_eq(str_sub(head, 2, 4), STR("....")) ||
	    !str_eq(str_sub(head, 7, 4), STR("...."));
}

/* SALT $ TAG, both in crypt(3)'s alphabet: $apr1$ and $1$ */
static void
read_md5(struct stored_hash *h, enum hash_scheme scheme, struct str rest)
{
	struct str salt;

	if (!str_cut(&rest, '$', &salt) || salt.n < 1 || salt.n > 8 ||
	    !all_crypt64(salt) || rest.n != 22 || !all_crypt64(rest))
		return;
	h->scheme = scheme;
	h->weak = true;
}

/* {SHA} and the base64 of twenty bytes */
static void
read_sha1(struct stored_hash *h, struct str rest)
{
	if (rest.n != 28 || rest.p[27] != '=' ||
	    !all_base64(str_sub(rest, 0, 27)))
		return;
	h->scheme = HASH_SHA1;
	h->weak = true;
}

static const char *
scheme_name(enum hash_scheme scheme)
{
	static const char *const names[] = { [HASH_NONE] = "none",
		[HASH_ARGON2ID] = "argon2id",
		[HASH_ARGON2I] = "argon2i",
		[HASH_BCRYPT] = "bcrypt",
		[HASH_SHA256] = "sha256crypt",
		[HASH_SHA512] = "sha512crypt",
		[HASH_YESCRYPT] = "yescrypt",
		[HASH_SCRYPT] = "scrypt",
		[HASH_APR1] = "apr1",
		[HASH_SHA1] = "sha1",
		[HASH_MD5CRYPT] = "md5crypt" };

	return names[scheme];
}

struct stored_hash
stored_hash_read(struct str text)
{
	struct stored_hash h = { .scheme = HASH_NONE };
	struct str rest = text;

	if (take(&rest, STR("$argon2id$")))
		read_argon2(&h, HASH_ARGON2ID, rest);
	else if (take(&rest, STR("$argon2i$")))
		read_argon2(&h, HASH_ARGON2I, rest);
	else if (take(&rest, STR("$2a$")) || take(&rest, STR("$2b$")) ||
	    take(&rest, STR("$2y$")))
		read_bcrypt(&h, rest);
	else if (take(&rest, STR("$5$")))
		read_sha2(&h, HASH_SHA256, 43, rest);
	else if (take(&rest, STR("$6$")))
		read_sha2(&h, HASH_SHA512, 86, rest);
	else if (take(&rest, STR("$y$")))
		read_yescrypt(&h, rest);
	else if (take(&rest, STR("$7$")))
		read_scrypt(&h, rest);
	else if (take(&rest, STR("$apr1$")))
		read_md5(&h, HASH_APR1, rest);
	else if (take(&rest, STR("$1$")))
		read_md5(&h, HASH_MD5CRYPT, rest);
	else if (take(&rest, STR("{SHA}")))
		read_sha1(&h, rest);
	h.name = scheme_name(h.scheme);
	return h;
}

static enum dk_err
verify_argon2(
    enum hash_scheme scheme, struct str text, struct str pw, bool *match)
{
	/* The library reads a fixed field of 128 bytes. */
	char stored[crypto_pwhash_STRBYTES] = { 0 };
	int rc;

	if (text.n >= sizeof(stored))
		return DK_OK;
	memcpy(stored, text.p, text.n);
	errno = 0;
	rc = scheme == HASH_ARGON2ID
	    ? crypto_pwhash_argon2id_str_verify(stored, pw.p, pw.n)
	    : crypto_pwhash_argon2i_str_verify(stored, pw.p, pw.n);
	*match = rc == 0;
	secret_wipe(stored, sizeof(stored));
	return rc != 0 && errno == ENOMEM ? DK_ERR_NOMEM : DK_OK;
}

static enum dk_err
verify_crypt(struct str text, struct str pw, size_t phrase_max, bool *match)
{
	char phrase[CRYPT_PHRASE_MAX + 1] = { 0 }, setting[256] = { 0 };
	struct crypt_data *data = NULL;
	int size = 0;
	const char *made;

	if (pw.n > phrase_max || text.n >= sizeof(setting) ||
	    str_contains(pw, '\0'))
		return DK_OK;
	memcpy(phrase, pw.p, pw.n);
	memcpy(setting, text.p, text.n);
	/* Allocates its 32 KiB by itself; NULL or a failure token on error. */
	made = crypt_ra(phrase, setting, (void **)&data, &size);
	*match = made != NULL && made[0] != '*' && strlen(made) == text.n &&
	    secret_bytes_eq(made, text.p, text.n);
	secret_wipe(phrase, sizeof(phrase));
	if (data != NULL)
		secret_wipe(data, (size_t)size);
	free(data);
	return made == NULL && errno == ENOMEM ? DK_ERR_NOMEM : DK_OK;
}

static void
verify_sha1(struct str text, struct str pw, bool *match)
{
	unsigned char tag[SHA1_LEN];
	char made[sodium_base64_ENCODED_LEN(
	    SHA1_LEN, sodium_base64_VARIANT_ORIGINAL)];

	sha1(pw, tag);
	(void)sodium_bin2base64(made, sizeof(made), tag, sizeof(tag),
	    sodium_base64_VARIANT_ORIGINAL);
	*match = secret_bytes_eq(made, text.p + 5, text.n - 5);
	secret_wipe(tag, sizeof(tag));
	secret_wipe(made, sizeof(made));
}

/* The first mixture of Apache's MD5 hash: password, magic, salt, and bits of
 * the password's length. */
static void
apr1_first(struct str pw, struct str salt, unsigned char out[MD5_LEN])
{
	struct md5 m;
	size_t left;

	md5_start(&m);
	md5_add(&m, pw);
	md5_add(&m, salt);
	md5_add(&m, pw);
	md5_finish(&m, out);
	md5_start(&m);
	md5_add(&m, pw);
	md5_add(&m, STR("$apr1$"));
	md5_add(&m, salt);
	for (left = pw.n; left > 0; left -= left > MD5_LEN ? MD5_LEN : left)
		md5_add(&m,
		    (struct str){
			(const char *)out, left > MD5_LEN ? MD5_LEN : left });
	for (left = pw.n; left > 0; left >>= 1)
		md5_add(
		    &m, left & 1 ? (struct str){ "", 1 } : str_sub(pw, 0, 1));
	md5_finish(&m, out);
}

static void
apr1_rounds(struct str pw, struct str salt, unsigned char tag[MD5_LEN])
{
	struct str last = { (const char *)tag, MD5_LEN };
	struct md5 m;
	unsigned i;

	for (i = 0; i < 1000; i++) {
		md5_start(&m);
		md5_add(&m, i & 1 ? pw : last);
		if (i % 3 != 0)
			md5_add(&m, salt);
		if (i % 7 != 0)
			md5_add(&m, pw);
		md5_add(&m, i & 1 ? last : pw);
		md5_finish(&m, tag);
	}
}

static void
add_crypt64(struct buf *out, uint32_t v, unsigned n)
{
	static const char alphabet[] =
	    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (; n > 0; n--, v >>= 6)
		buf_addc(out, alphabet[v & 0x3f]);
}

static void
verify_apr1(struct str text, struct str pw, bool *match)
{
	unsigned char tag[MD5_LEN];
	struct str rest = str_sub(text, 6, text.n - 6), salt;
	char made[32];
	struct buf out;
	unsigned i;

	if (!str_cut(&rest, '$', &salt))
		return;
	apr1_first(pw, salt, tag);
	apr1_rounds(pw, salt, tag);
	BUF_OVER(&out, made);
	for (i = 0; i < 5; i++)
		add_crypt64(&out,
		    (uint32_t)tag[i] << 16 | (uint32_t)tag[i + 6] << 8 |
			tag[i == 4 ? 5 : i + 12],
		    4);
	add_crypt64(&out, tag[11], 2);
	*match = rest.n == out.len && secret_bytes_eq(out.p, rest.p, rest.n);
	secret_wipe(tag, sizeof(tag));
	secret_wipe(made, sizeof(made));
}

enum dk_err
stored_hash_verify(struct str text, struct str pw, bool *match)
{
	struct stored_hash h = stored_hash_read(text);

	*match = false;
	if (h.scheme == HASH_NONE || h.too_costly || pw.n == 0 ||
	    str_contains(pw, '\0'))
		return DK_OK;
	switch (h.scheme) {
	case HASH_ARGON2ID:
	case HASH_ARGON2I:
		return verify_argon2(h.scheme, text, pw, match);
	case HASH_APR1:
		verify_apr1(text, pw, match);
		return DK_OK;
	case HASH_SHA1:
		verify_sha1(text, pw, match);
		return DK_OK;
	case HASH_BCRYPT:
		return verify_crypt(text, pw, BCRYPT_PHRASE_MAX, match);
	case HASH_SHA256:
	case HASH_SHA512:
	case HASH_YESCRYPT:
	case HASH_SCRYPT:
	case HASH_MD5CRYPT:
		return verify_crypt(text, pw, CRYPT_PHRASE_MAX, match);
	case HASH_NONE:
		break;
	}
	return DK_OK;
}
