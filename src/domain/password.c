#include "domain/password.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "domain/stored_hash.h"

enum { BLOCKLIST_LINE_MAX = 2048 };

static size_t
memory_bytes(const struct conf *conf)
{
	return (size_t)conf->argon2_memory_kib * 1024;
}

static enum dk_err
hash_in_slot(const struct conf *conf, struct str pw,
    char hash[USER_PASSWORD_HASH_MAX + 1])
{
	char made[crypto_pwhash_STRBYTES];
	int rc = crypto_pwhash_str_alg(made, pw.p, pw.n, conf->argon2_passes,
	    memory_bytes(conf), crypto_pwhash_ALG_ARGON2ID13);

	if (rc == 0)
		memcpy(hash, made, sizeof(made));
	secret_wipe(made, sizeof(made));
	return rc == 0 ? DK_OK : DK_ERR_NOMEM;
}

enum dk_err
password_hash(
    struct domain *dom, struct str pw, char hash[USER_PASSWORD_HASH_MAX + 1])
{
	struct hash_slot slot;
	enum dk_err err;

	hash[0] = '\0';
	if (pw.n == 0 || pw.n > PASSWORD_BYTES_MAX)
		return DK_ERR_INPUT;
	err = slots_take(&dom->slots, PASSWORD_HASH_WAIT_MS, &slot);
	if (err != DK_OK)
		return err;
	err = hash_in_slot(dom->conf, pw, hash);
	slots_give(&dom->slots, &slot);
	return err;
}

/*
 * A hash of the configured cost that no password has: random salt and tag.
 * Trying it takes as long as trying a real one.
 */
static enum dk_err
make_decoy(const struct conf *conf, struct buf *out)
{
	unsigned char bytes[16 + DIGEST_LEN];
	char salt[23], tag[44];
	enum dk_err err = secret_random(bytes, sizeof(bytes));

	if (err != DK_OK)
		return err;
	(void)sodium_bin2base64(salt, sizeof(salt), bytes, 16,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	(void)sodium_bin2base64(tag, sizeof(tag), bytes + 16, DIGEST_LEN,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	buf_addf(out, "$argon2id$v=19$m=%u,t=%u,p=1$%s$%s",
	    conf->argon2_memory_kib, conf->argon2_passes, salt, tag);
	return buf_ok(out) ? DK_OK : DK_ERR_INTERNAL;
}

/* Can anything match it?  An empty field, or one with NUL, does not. */
static bool
can_match(struct str pw)
{
	return pw.n > 0 && pw.n <= PASSWORD_BYTES_MAX &&
	    !str_contains(pw, '\0');
}

/* Of the configured scheme and cost?  (The library takes argon2i for it.) */
static bool
is_current(const struct conf *conf, struct str stored)
{
	char z[crypto_pwhash_STRBYTES] = { 0 };

	if (stored.n >= sizeof(z) || !str_starts(stored, STR("$argon2id$")))
		return false;
	memcpy(z, stored.p, stored.n);
	return crypto_pwhash_str_needs_rehash(
		   z, conf->argon2_passes, memory_bytes(conf)) == 0;
}

enum dk_err
password_verify(struct domain *dom, struct str pw, struct str stored,
    bool *match, bool *rehash)
{
	char text[crypto_pwhash_STRBYTES];
	struct stored_hash h = stored_hash_read(stored);
	bool fit = can_match(pw), current, decoy_match;
	bool usable = fit && h.scheme != HASH_NONE && !h.too_costly;
	struct hash_slot slot;
	struct buf decoy;
	enum dk_err err;

	*match = false;
	current = usable && is_current(dom->conf, stored);
	if (rehash != NULL)
		*rehash = usable && !current;
	BUF_OVER(&decoy, text);
	err = make_decoy(dom->conf, &decoy);
	if (err != DK_OK)
		return err;
	err = slots_take(&dom->slots, PASSWORD_HASH_WAIT_MS, &slot);
	if (err != DK_OK)
		return err;
	if (usable)
		err = stored_hash_verify(stored, pw, match);
	/* Whatever is stored, one hash of the configured cost is computed,
	 * or the answer's delay would tell names and schemes. */
	if (err == DK_OK && !current && !*match)
		err = stored_hash_verify(
		    buf_str(&decoy), fit ? pw : STR("x"), &decoy_match);
	slots_give(&dom->slots, &slot);
	if (err != DK_OK)
		*match = false;
	return err;
}

static bool
is_name(struct str pw, const struct conf *conf, const struct user_row *user)
{
	struct str local, rest;
	size_t i;

	(void)str_split(str_from(user->email), '@', &local, &rest);
	if (str_ieq(pw, str_from(user->username)) ||
	    str_ieq(pw, str_from(user->display_name)) ||
	    str_ieq(pw, str_from(user->email)) || str_ieq(pw, local) ||
	    str_ieq(pw, conf->name))
		return true;
	for (i = 0; i < conf->n_origins; i++)
		if (str_ieq(pw, conf->origins[i].host) ||
		    str_ieq(pw, conf->origins[i].text))
			return true;
	return false;
}

/* Long ones that people really take. */
static bool
is_well_known(struct str pw)
{
	static const char *const list[] = { "passwordpassword",
		"password12345678", "1234567890123456", "123456789012345",
		"1q2w3e4r5t6y7u8i", "qwertyuiopasdfgh", "qwertyuiopasdfghjkl",
		"qwertyuiop123456", "correcthorsebatterystaple",
		"correct horse battery staple", "iloveyouiloveyou",
		"abcdefghijklmnop", "abcdefghijklmno", "aaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaa", "000000000000000", "0000000000000000",
		"111111111111111", "1111111111111111", "changemechangeme",
		"letmeinletmeinletmein", "administrator123",
		"administratoradministrator", "thisisapassword",
		"thisismypassword", "mypasswordispassword", "passwordpassword1",
		"qwertyqwertyqwerty", "1qaz2wsx3edc4rfv", "zaq12wsxcde34rfv" };
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (str_ieq(pw, str_from(list[i])))
			return true;
	return false;
}

/* A whole line of the site's own list. */
static bool
is_listed(const struct conf *conf, struct str pw)
{
	char line[BLOCKLIST_LINE_MAX];
	bool listed = false;
	FILE *f;

	if (str_is_none(conf->password_blocklist))
		return false;
	f = fopen(conf->password_blocklist.p, "re");
	if (f == NULL)
		return false;
	while (!listed && fgets(line, sizeof(line), f) != NULL) {
		struct str s = str_from(line);

		while (
		    s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
			s.n--;
		listed = s.n > 0 && str_ieq(pw, s);
	}
	(void)fclose(f);
	return listed;
}

enum password_flaw
password_judge(
    const struct conf *conf, struct str pw, const struct user_row *user)
{
	size_t points;

	if (pw.n > PASSWORD_BYTES_MAX)
		return PASSWORD_TOO_LONG;
	if (!str_is_utf8(pw) || str_contains(pw, '\0'))
		return PASSWORD_NOT_TEXT;
	points = str_utf8_len(pw);
	if (points > PASSWORD_CODE_POINTS_MAX)
		return PASSWORD_TOO_LONG;
	if (points < conf->password_min_length)
		return PASSWORD_TOO_SHORT;
	if (is_name(pw, conf, user))
		return PASSWORD_IS_NAME;
	if (is_well_known(pw) || is_listed(conf, pw))
		return PASSWORD_COMMON;
	return PASSWORD_FINE;
}

void
password_flaw_text(
    enum password_flaw flaw, const struct conf *conf, struct buf *out)
{
	switch (flaw) {
	case PASSWORD_FINE:
		break;
	case PASSWORD_TOO_SHORT:
		buf_addf(out,
		    "The password is too short. Use at least %u "
		    "characters; a few words are easy to remember.",
		    conf->password_min_length);
		break;
	case PASSWORD_TOO_LONG:
		buf_addf(out,
		    "The password is too long. Use at most %d "
		    "characters.",
		    PASSWORD_CODE_POINTS_MAX);
		break;
	case PASSWORD_NOT_TEXT:
		buf_addz(out,
		    "The password holds bytes that are not text. "
		    "Type it with the keyboard.");
		break;
	case PASSWORD_IS_NAME:
		buf_addz(out,
		    "The password is a name that others know. "
		    "Choose something else.");
		break;
	case PASSWORD_COMMON:
		buf_addz(out,
		    "Many people use this password, so it is "
		    "guessed first. Choose something else.");
		break;
	}
}
