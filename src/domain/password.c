#include "domain/password.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/embed.h"
#include "base/nfc.h"
#include "base/secret.h"
#include "domain/stored_hash.h"

extern const struct embedded embedded_passwords[];

enum {
	BLOCKLIST_LINE_MAX = 2048,
	REFUSAL_WAIT_MAX_US = 1000000,
	NORMAL_MAX = PASSWORD_BYTES_MAX * NFC_GROWTH_MAX
};

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
	char text[NORMAL_MAX + 1];
	struct hash_slot slot;
	struct buf normal;
	enum dk_err err;

	hash[0] = '\0';
	if (pw.n == 0 || pw.n > PASSWORD_BYTES_MAX)
		return DK_ERR_INPUT;
	err = slots_take(&dom->slots, PASSWORD_HASH_WAIT_MS, &slot);
	if (err != DK_OK)
		return err;
	BUF_OVER(&normal, text);
	(void)nfc_add(&normal, pw);
	err = hash_in_slot(dom->conf, buf_str(&normal), hash);
	slots_give(&dom->slots, &slot);
	secret_wipe(text, sizeof(text));
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

/*
 * As it is normalized, and for an imported hash as it was typed too: who made
 * it may not have normalized (D-04 of the requirements).
 */
static enum dk_err
try_stored(struct str stored, struct str pw, bool *match)
{
	char text[NORMAL_MAX + 1];
	struct buf normal;
	enum dk_err err;

	BUF_OVER(&normal, text);
	(void)nfc_add(&normal, pw);
	err = stored_hash_verify(stored, buf_str(&normal), match);
	if (err == DK_OK && !*match && !str_eq(buf_str(&normal), pw) &&
	    stored_hash_read(stored).scheme != HASH_ARGON2ID)
		err = stored_hash_verify(stored, pw, match);
	secret_wipe(text, sizeof(text));
	return err;
}

struct password_try {
	bool usable;  /* there is a hash that can be tried */
	bool current; /* and it is of the configured cost */
	bool match;
};

static enum dk_err
try_decoy(const struct conf *conf, struct str pw)
{
	char text[crypto_pwhash_STRBYTES];
	struct buf decoy;
	bool match;
	enum dk_err err;

	BUF_OVER(&decoy, text);
	err = make_decoy(conf, &decoy);
	if (err != DK_OK)
		return err;
	return stored_hash_verify(
	    buf_str(&decoy), can_match(pw) ? pw : STR("x"), &match);
}

/*
 * One hash of ours is always tried, whatever is stored.  An imported one
 * comes on top of it; so every refusal waits until twice the time of ours is
 * over, in which all cheaper ones have room: the delay tells neither names
 * nor schemes (DK-T-08).  Nothing is computed while it waits, but the slot is
 * kept, for a waiting worker serves nobody else.
 */
static enum dk_err
try_in_slot(const struct conf *conf, struct str pw, struct str stored,
    bool welcome, struct password_try *t)
{
	int64_t start_us = clock_monotonic_us(), ours_us;
	enum dk_err err;

	err = t->current ? try_stored(stored, pw, &t->match)
			 : try_decoy(conf, pw);
	ours_us = clock_monotonic_us() - start_us;
	if (err == DK_OK && t->usable && !t->current)
		err = try_stored(stored, pw, &t->match);
	if (ours_us > REFUSAL_WAIT_MAX_US)
		ours_us = REFUSAL_WAIT_MAX_US;
	if (err == DK_OK && !(t->match && welcome))
		clock_sleep_until_us(start_us + 2 * ours_us);
	return err;
}

enum dk_err
password_verify_for(struct domain *dom, struct str pw, struct str stored,
    bool welcome, bool *match, bool *rehash)
{
	struct stored_hash h = stored_hash_read(stored);
	struct password_try t = { .usable = can_match(pw) &&
		    h.scheme != HASH_NONE && !h.too_costly };
	struct hash_slot slot;
	enum dk_err err;

	t.current = t.usable && is_current(dom->conf, stored);
	*match = false;
	if (rehash != NULL)
		*rehash = t.usable && !t.current;
	err = slots_take(&dom->slots, PASSWORD_HASH_WAIT_MS, &slot);
	if (err != DK_OK)
		return err;
	err = try_in_slot(dom->conf, pw, stored, welcome, &t);
	slots_give(&dom->slots, &slot);
	*match = err == DK_OK && t.match;
	return err;
}

enum dk_err
password_verify(struct domain *dom, struct str pw, struct str stored,
    bool *match, bool *rehash)
{
	return password_verify_for(dom, pw, stored, true, match, rehash);
}

/* Between the digits and signs that people put around a name. */
static struct str
core_of(struct str pw)
{
	static const char around[] = "0123456789!?.,-_+*#$%&/()= ";

	while (pw.n > 0 && strchr(around, pw.p[0]) != NULL)
		pw = str_sub(pw, 1, pw.n);
	while (pw.n > 0 && strchr(around, pw.p[pw.n - 1]) != NULL)
		pw.n--;
	return pw;
}

/* The name itself, backwards, or again and again. */
static bool
is_made_of(struct str pw, struct str name)
{
	size_t i;

	if (name.n == 0 || pw.n == 0)
		return false;
	for (i = 0; i + name.n <= pw.n; i += name.n)
		if (!str_ieq(str_sub(pw, i, name.n), name))
			break;
	if (i == pw.n)
		return true;
	for (i = 0; pw.n == name.n && i < pw.n; i++)
		if (!str_ieq(
			str_sub(pw, i, 1), str_sub(name, name.n - 1 - i, 1)))
			return false;
	return pw.n == name.n;
}

static bool
is_name(struct str pw, const struct conf *conf, const struct user_row *user)
{
	struct str local, rest, names[5 + 2 * CONF_ORIGINS_MAX];
	struct str core = core_of(pw);
	size_t i, n = 0;

	(void)str_split(str_from(user->email), '@', &local, &rest);
	names[n++] = str_from(user->username);
	names[n++] = str_from(user->display_name);
	names[n++] = str_from(user->email);
	names[n++] = local;
	names[n++] = conf->name;
	for (i = 0; i < conf->n_origins; i++) {
		names[n++] = conf->origins[i].host;
		names[n++] = conf->origins[i].text;
	}
	for (i = 0; i < n; i++)
		if (is_made_of(pw, names[i]) || is_made_of(core, names[i]))
			return true;
	return false;
}

/* The built-in list: in lower case, one a line. */
static bool
is_well_known(struct str pw)
{
	const struct embedded *e = embedded_passwords;
	struct str rest = { e->text, e->len }, line;

	while (str_cut(&rest, '\n', &line))
		if (line.n > 0 && str_ieq(line, pw))
			return true;
	return false;
}

/* A whole line of the site's own list? */
static enum password_flaw
look_up(const struct conf *conf, struct str pw)
{
	char line[BLOCKLIST_LINE_MAX];
	bool listed = false;
	FILE *f;

	if (str_is_none(conf->password_blocklist))
		return PASSWORD_FINE;
	f = fopen(conf->password_blocklist.p, "re");
	if (f == NULL)
		return PASSWORD_NOT_CHECKED;
	while (!listed && fgets(line, sizeof(line), f) != NULL) {
		struct str s = str_from(line);

		while (
		    s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
			s.n--;
		listed = s.n > 0 && str_ieq(pw, s);
	}
	(void)fclose(f);
	return listed ? PASSWORD_COMMON : PASSWORD_FINE;
}

static size_t
code_points(struct str pw)
{
	char text[NORMAL_MAX + 1];
	struct buf normal;
	size_t points;

	BUF_OVER(&normal, text);
	(void)nfc_add(&normal, pw);
	points = str_utf8_len(buf_str(&normal));
	secret_wipe(text, sizeof(text));
	return points;
}

static enum password_flaw
judge(const struct conf *conf, struct str pw, const struct user_row *user,
    unsigned least)
{
	size_t points;

	if (pw.n > PASSWORD_BYTES_MAX)
		return PASSWORD_TOO_LONG;
	if (!str_is_utf8(pw) || str_contains(pw, '\0'))
		return PASSWORD_NOT_TEXT;
	points = code_points(pw);
	if (points > PASSWORD_CODE_POINTS_MAX)
		return PASSWORD_TOO_LONG;
	if (points < least)
		return least == conf->password_min_length
		    ? PASSWORD_TOO_SHORT
		    : PASSWORD_TOO_SHORT_WITH_FACTOR;
	if (is_name(pw, conf, user))
		return PASSWORD_IS_NAME;
	return is_well_known(pw) ? PASSWORD_COMMON : look_up(conf, pw);
}

enum password_flaw
password_judge(
    const struct conf *conf, struct str pw, const struct user_row *user)
{
	return judge(conf, pw, user, conf->password_min_length);
}

enum password_flaw
password_judge_with_factor(
    const struct conf *conf, struct str pw, const struct user_row *user)
{
	return judge(conf, pw, user, conf->password_min_with_factor);
}

bool
password_is_short(const struct conf *conf, struct str pw)
{
	return code_points(pw) < conf->password_min_length;
}

enum msg
password_flaw_message(
    enum password_flaw flaw, const struct conf *conf, int64_t *number)
{
	*number = 0;
	switch (flaw) {
	case PASSWORD_FINE:
		break;
	case PASSWORD_TOO_SHORT:
		*number = conf->password_min_length;
		return MSG_TOO_SHORT;
	case PASSWORD_TOO_SHORT_WITH_FACTOR:
		*number = conf->password_min_with_factor;
		return MSG_TOO_SHORT;
	case PASSWORD_TOO_LONG:
		*number = PASSWORD_CODE_POINTS_MAX;
		return MSG_TOO_LONG;
	case PASSWORD_NOT_TEXT:
		return MSG_NOT_TEXT;
	case PASSWORD_IS_NAME:
		return MSG_IS_NAME;
	case PASSWORD_AS_BEFORE:
		return MSG_IS_AS_BEFORE;
	case PASSWORD_COMMON:
		return MSG_IS_COMMON;
	case PASSWORD_NOT_CHECKED:
		return MSG_NOT_CHECKED;
	}
	return MSG_NONE;
}
