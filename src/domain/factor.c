#include "domain/factor.h"

#include <sodium.h>
#include <string.h>

#include "base/dsn.h"
#include "base/secret.h"
#include "domain/audit.h"
#include "domain/key_file.h"
#include "domain/permit.h"
#include "store/factors.h"
#include "store/sessions.h"

enum {
	NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	SEALED_LEN = NONCE_LEN + TOTP_SEED_LEN +
	    crypto_aead_xchacha20poly1305_ietf_ABYTES,
	FILE_NAME_MAX = 1200
};

/* What is wrong with it is said once, here. */
static enum dk_err
key_error(struct domain *dom, const char *event, const char *name)
{
	LOG_WRITE(dom->log, LOG_LEVEL_ERROR, event, { "file", str_from(name) },
	    { "cure",
		STR("restore it from a backup, or take the second factors "
		    "off: doorkeep user factor NAME --remove") });
	return DK_ERR_IO;
}

/*
 * A key that is missing is made only while nothing hangs on it: after a
 * restore without it, a new one would hide what is wrong.  Looked for once
 * more when something does: another process may just have made it.
 */
static enum dk_err
make_first_key(
    struct domain *dom, const char *name, struct secret *key, bool *found)
{
	const char *store = dsn_is(dom->conf->database)
	    ? dom->conf->store_directory.p
	    : dom->conf->database.p;
	bool any = false;
	enum dk_err err = factors_any(dom->db, &any);

	if (err == DK_OK && !any) {
		err = secret_new(key);
		if (err == DK_OK)
			err = key_file_make(name, store, key);
	}
	return err == DK_OK ? key_file_read(name, key, found) : err;
}

static enum dk_err
load_key(struct domain *dom, struct secret *key)
{
	char name[FILE_NAME_MAX];
	enum dk_err err;
	bool found;
	struct buf b;

	BUF_OVER(&b, name);
	domain_own_file(dom->conf, "-key", &b);
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	err = key_file_read(name, key, &found);
	if (err == DK_OK && !found) {
		err = make_first_key(dom, name, key, &found);
		if (err != DK_OK)
			return err;
		if (!found)
			return key_error(
			    dom, "second_factor_key_missing", name);
	}
	return err == DK_OK
	    ? DK_OK
	    : key_error(dom, "second_factor_key_unreadable", name);
}

/* nonce and ciphertext; the user's id is authenticated with it. */
static enum dk_err
seal(struct domain *dom, int64_t user_id, const struct totp_seed *seed,
    unsigned char out[SEALED_LEN])
{
	struct secret key;
	enum dk_err err = load_key(dom, &key);

	if (err == DK_OK)
		err = secret_random(out, NONCE_LEN);
	if (err == DK_OK)
		(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		    out + NONCE_LEN, NULL, seed->byte, sizeof(seed->byte),
		    (const unsigned char *)&user_id, sizeof(user_id), NULL, out,
		    key.byte);
	secret_wipe(&key, sizeof(key));
	return err;
}

static enum dk_err
unseal(struct domain *dom, int64_t user_id, const struct factor_row *row,
    struct totp_seed *seed)
{
	struct secret key;
	enum dk_err err;

	memset(seed, 0, sizeof(*seed));
	if (row->seed_len != SEALED_LEN)
		return DK_ERR_STORE;
	err = load_key(dom, &key);
	if (err == DK_OK &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(seed->byte, NULL, NULL,
		row->seed + NONCE_LEN, SEALED_LEN - NONCE_LEN,
		(const unsigned char *)&user_id, sizeof(user_id), row->seed,
		key.byte) != 0) {
		LOG_WRITE(dom->log, LOG_LEVEL_ERROR,
		    "second_factor_not_of_this_key_or_user");
		err = DK_ERR_STORE;
	}
	secret_wipe(&key, sizeof(key));
	return err;
}

enum dk_err
factor_state(struct domain *dom, int64_t user_id, enum factor_state *state)
{
	struct factor_row row;
	bool found;
	enum dk_err err = factors_get(dom->db, user_id, &row, &found);

	*state =
	    err == DK_OK && found && row.confirmed ? FACTOR_ON : FACTOR_NONE;
	return err;
}

enum dk_err
factor_codes_left(struct domain *dom, int64_t user_id, int64_t *n)
{
	return recovery_count(dom->db, user_id, n);
}

enum dk_err
factor_begin(
    struct domain *dom, int64_t user_id, struct totp_seed *seed, bool *begun)
{
	unsigned char sealed[SEALED_LEN];
	enum dk_err err;

	*begun = false;
	err = secret_random(seed->byte, sizeof(seed->byte));
	if (err == DK_OK)
		err = seal(dom, user_id, seed, sealed);
	if (err == DK_OK)
		err = factors_put(
		    dom->db, user_id, sealed, sizeof(sealed), begun);
	if (err != DK_OK || !*begun)
		secret_wipe(seed, sizeof(*seed));
	return err;
}

enum dk_err
factor_pending(
    struct domain *dom, int64_t user_id, struct totp_seed *seed, bool *pending)
{
	struct factor_row row;
	enum dk_err err;

	memset(seed, 0, sizeof(*seed));
	err = factors_get(dom->db, user_id, &row, pending);
	if (err == DK_OK && *pending && row.confirmed)
		*pending = false;
	if (err == DK_OK && *pending)
		err = unseal(dom, user_id, &row, seed);
	return err;
}

/* Letters and digits that nobody mistakes for one another: 32 of them. */
static enum dk_err
make_code(char text[RECOVERY_CODE_LEN + 1])
{
	static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	unsigned char bytes[20];
	enum dk_err err = secret_random(bytes, sizeof(bytes));
	struct buf b;
	size_t i;

	buf_init(&b, text, RECOVERY_CODE_LEN + 1);
	for (i = 0; err == DK_OK && i < sizeof(bytes); i++) {
		if (i > 0 && i % 4 == 0)
			buf_addc(&b, '-');
		buf_addc(&b, alphabet[bytes[i] & 31]);
	}
	secret_wipe(bytes, sizeof(bytes));
	return err;
}

/* As it was typed, without dashes and spaces, in upper case. */
static bool
code_digest(struct str text, struct digest *digest)
{
	char plain[RECOVERY_CODE_LEN + 1];
	struct buf b;
	size_t i;

	BUF_OVER(&b, plain);
	for (i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '-' || c == ' ')
			continue;
		buf_addc(&b, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
	}
	if (!buf_ok(&b) || b.len != 20)
		return false;
	secret_sha256(buf_str(&b), digest);
	secret_wipe(plain, sizeof(plain));
	return true;
}

static enum dk_err
store_codes(
    struct domain *dom, int64_t user_id, const struct recovery_codes *codes)
{
	enum dk_err err = recovery_delete(dom->db, user_id);
	struct digest digest;
	size_t i;

	for (i = 0; err == DK_OK && i < RECOVERY_CODES; i++)
		err = code_digest(str_from(codes->text[i]), &digest)
		    ? recovery_add(dom->db, user_id, &digest)
		    : DK_ERR_INTERNAL;
	return err;
}

static enum dk_err
make_codes(struct recovery_codes *codes)
{
	enum dk_err err = DK_OK;
	size_t i;

	for (i = 0; err == DK_OK && i < RECOVERY_CODES; i++)
		err = make_code(codes->text[i]);
	return err;
}

static enum dk_err
note(struct domain *dom, const struct asker *asker, const char *event,
    const struct user_row *user, struct str detail, int64_t now_ms)
{
	const struct audit what = { .event = event,
		.outcome = "success",
		.username = str_from(user->username),
		.detail = detail };

	return audit_write(dom, asker, &what, now_ms);
}

static enum dk_err
turn_on(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t step, struct str keep_session,
    int64_t now_ms, const struct recovery_codes *codes, bool *ok)
{
	int64_t n;
	enum dk_err err;

	err = factors_use_step(dom->db, user->id, step, ok);
	if (err == DK_OK && *ok)
		err = factors_confirm(dom->db, user->id, now_ms, ok);
	if (err != DK_OK || !*ok)
		return err;
	err = store_codes(dom, user->id, codes);
	if (err == DK_OK)
		err = sessions_delete_of_user(
		    dom->db, user->id, keep_session, &n);
	if (err == DK_OK)
		err = note(
		    dom, asker, "second_factor_added", user, STR_NONE, now_ms);
	return err;
}

/*
 * In one transaction: the seed is still the one whose code is right, the step
 * is used, the factor on, other sessions out.
 */
enum dk_err
factor_confirm(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, struct str keep_session,
    int64_t now_ms, struct recovery_codes *codes, bool *ok)
{
	struct totp_seed seed;
	bool pending = false;
	int64_t step = -1;
	enum dk_err err;

	*ok = false;
	err = make_codes(codes);
	if (err != DK_OK)
		goto out;
	do {
		pending = false;
		step = -1;
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = factor_pending(dom, user->id, &seed, &pending);
		if (err == DK_OK && pending)
			step = totp_match(&seed, code, 0, now_ms);
		secret_wipe(&seed, sizeof(seed));
		if (err == DK_OK && step >= 0)
			err = turn_on(dom, asker, user, step, keep_session,
			    now_ms, codes, ok);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
out:
	if (err != DK_OK || !*ok) {
		*ok = false;
		secret_wipe(codes, sizeof(*codes));
	}
	return err;
}

static enum dk_err
check_totp(struct domain *dom, const struct user_row *user, struct str code,
    int64_t now_ms, bool *ok)
{
	struct factor_row row;
	struct totp_seed seed;
	bool found;
	int64_t step;
	enum dk_err err;

	err = factors_get(dom->db, user->id, &row, &found);
	if (err != DK_OK || !found || !row.confirmed)
		return err;
	err = unseal(dom, user->id, &row, &seed);
	if (err != DK_OK)
		return err;
	step = totp_match(&seed, code, row.last_step, now_ms);
	secret_wipe(&seed, sizeof(seed));
	return step < 0 ? DK_OK : factors_use_step(dom->db, user->id, step, ok);
}

static enum dk_err
check_recovery(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, int64_t now_ms, bool *ok)
{
	struct digest digest;
	enum dk_err err;

	if (!code_digest(code, &digest))
		return DK_OK;
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = recovery_use(dom->db, user->id, &digest, ok);
		if (err == DK_OK && *ok)
			err = note(dom, asker, "recovery_code_used", user,
			    STR_NONE, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	if (err != DK_OK)
		*ok = false;
	return err;
}

enum dk_err
factor_check(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, int64_t now_ms, bool *ok)
{
	const struct audit what = { .event = "second_factor",
		.outcome = "failure",
		.username = str_from(user->username) };
	enum dk_err err;

	*ok = false;
	err = code.n == TOTP_DIGITS
	    ? check_totp(dom, user, code, now_ms, ok)
	    : check_recovery(dom, asker, user, code, now_ms, ok);
	if (err == DK_OK && !*ok)
		err = audit_write(dom, asker, &what, now_ms);
	return err;
}

enum dk_err
factor_new_codes(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms, struct recovery_codes *codes)
{
	enum dk_err err = make_codes(codes);

	if (err != DK_OK)
		goto out;
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = store_codes(dom, user->id, codes);
		if (err == DK_OK)
			err = note(dom, asker, "recovery_codes_made", user,
			    STR_NONE, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
out:
	if (err != DK_OK)
		secret_wipe(codes, sizeof(*codes));
	return err;
}

enum dk_err
factor_remove(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str keep_session, int64_t now_ms,
    bool *removed)
{
	int64_t n;
	enum dk_err err;

	*removed = false;
	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = factors_delete(dom->db, user->id, removed);
		if (err == DK_OK && *removed)
			err = sessions_delete_of_user(
			    dom->db, user->id, keep_session, &n);
		if (err == DK_OK && *removed)
			err = users_require_change(dom->db, user->id, true);
		if (err == DK_OK && *removed)
			err = note(dom, asker, "second_factor_removed", user,
			    STR_NONE, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}
