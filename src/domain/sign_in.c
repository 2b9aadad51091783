#include "domain/sign_in.h"

#include "domain/device.h"
#include "domain/factor.h"
#include "domain/statistics.h"
#include "domain/throttle.h"
#include "store/settings.h"

/* Is the attempt made in a browser that this account knows? */
static enum dk_err
find_device(struct domain *dom, const struct sign_in *attempt,
    struct digest *token, bool *known)
{
	struct user_row user;
	bool found;
	enum dk_err err;

	*known = false;
	if (attempt->device == NULL)
		return DK_OK;
	err = account_get(dom, attempt->name, &user, &found);
	if (err == DK_OK && found)
		err = device_is_known(
		    dom, user.id, attempt->device, token, known);
	secret_wipe(&user, sizeof(user));
	return err;
}

static void
note_throttled(
    struct domain *dom, const struct asker *asker, const char *factor)
{
	statistics_note_throttled(dom);
	/* The log alone, whose rate is bounded: a flood of guesses must not
	 * become a flood of rows. */
	LOG_WRITE(dom->log, LOG_LEVEL_WARNING, "sign_in",
	    { "outcome", STR("throttled") }, { "ip", asker->ip },
	    { "request_id", asker->request_id },
	    { "factor", str_from(factor) });
}

/* Nothing was learnt; if this fails too, the guess stays counted. */
static void
give_back(struct domain *dom, const struct throttle_ticket *ticket)
{
	if (throttle_give_back(dom, ticket) != DK_OK)
		LOG_WRITE(dom->log, LOG_LEVEL_WARNING, "guess_stays_counted");
}

enum dk_err
sign_in_password(struct domain *dom, const struct asker *asker,
    const struct sign_in *attempt, int64_t now_ms, struct user_row *user,
    enum sign_in_result *result, int64_t *wait_ms)
{
	struct throttle_guess guess = { .name = attempt->name,
		.factor = "password" };
	struct throttle_ticket ticket;
	struct digest token;
	struct ip_addr addr;
	bool known, ok = false;
	enum dk_err err;

	*user = (struct user_row){ 0 };
	*result = SIGN_IN_DENIED;
	*wait_ms = 0;
	if (ip_parse(asker->ip, &addr))
		guess.addr = &addr;
	err = find_device(dom, attempt, &token, &known);
	if (err != DK_OK)
		return err;
	guess.device = known ? &token : NULL;
	err = throttle_count_guess(dom, &guess, now_ms, &ticket, wait_ms);
	if (err != DK_OK)
		return err;
	if (*wait_ms > 0) {
		note_throttled(dom, asker, "password");
		*result = SIGN_IN_THROTTLED;
		return DK_OK;
	}
	err = account_authenticate(
	    dom, asker, attempt->name, attempt->pw, now_ms, user, &ok);
	if (err == DK_OK && ok)
		err = throttle_success(dom, &ticket);
	else if (err != DK_OK)
		give_back(dom, &ticket);
	if (err != DK_OK) {
		secret_wipe(user, sizeof(*user));
		return err;
	}
	*result = ok ? SIGN_IN_RIGHT : SIGN_IN_DENIED;
	return DK_OK;
}

/*
 * Counted on the account, and on each source that guesses at it, so that who
 * stole the password neither keeps the owner out nor is forgiven with them.
 */
enum dk_err
sign_in_code(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str code, int64_t now_ms,
    enum sign_in_result *result, int64_t *wait_ms)
{
	struct throttle_guess guess = { .name = str_from(user->username),
		.factor = "second",
		.account_only = true };
	struct throttle_ticket ticket;
	struct ip_addr addr;
	bool ok = false;
	enum dk_err err;

	*result = SIGN_IN_DENIED;
	if (ip_parse(asker->ip, &addr))
		guess.addr = &addr;
	err = throttle_count_guess(dom, &guess, now_ms, &ticket, wait_ms);
	if (err != DK_OK)
		return err;
	if (*wait_ms > 0) {
		note_throttled(dom, asker, "second");
		*result = SIGN_IN_THROTTLED;
		return DK_OK;
	}
	err = factor_check(dom, asker, user, code, now_ms, &ok);
	if (err == DK_OK && ok)
		err = throttle_success(dom, &ticket);
	else if (err != DK_OK)
		give_back(dom, &ticket);
	if (err == DK_OK && ok)
		*result = SIGN_IN_RIGHT;
	return err;
}

/* "ID.EXPIRES.REMEMBER" under a MAC. */
static enum dk_err
step_mac(struct domain *dom, const struct sign_in_step *step,
    const struct user_row *user, const struct secret *browser,
    struct digest *mac)
{
	char text[512], hash[SECRET_TEXT_LEN + 1];
	struct secret key;
	struct buf b;
	enum dk_err err;

	err = settings_secret(dom->db, STR("step_key"), &key);
	if (err != DK_OK)
		return err;
	secret_to_text(browser, hash);
	BUF_OVER(&b, text);
	buf_addf(&b, "step %lld %lld %d %s %s", (long long)step->user_id,
	    (long long)step->expires_ms, step->remember, hash,
	    user->password_hash);
	secret_hmac(&key, buf_str(&b), mac);
	secret_wipe(&key, sizeof(key));
	secret_wipe(text, sizeof(text));
	secret_wipe(hash, sizeof(hash));
	return buf_ok(&b) ? DK_OK : DK_ERR_INTERNAL;
}

enum dk_err
sign_in_step_make(struct domain *dom, const struct user_row *user,
    bool remember, const struct secret *browser, int64_t now_ms, char *text)
{
	const struct sign_in_step step = { .user_id = user->id,
		.expires_ms = now_ms + STEP_LIFE_MS,
		.remember = remember };
	struct digest mac;
	struct secret as_secret;
	char tail[SECRET_TEXT_LEN + 1];
	struct buf b;
	enum dk_err err = step_mac(dom, &step, user, browser, &mac);
	size_t i;

	text[0] = '\0';
	if (err != DK_OK)
		return err;
	for (i = 0; i < sizeof(mac.byte); i++)
		as_secret.byte[i] = mac.byte[i];
	secret_to_text(&as_secret, tail);
	buf_init(&b, text, STEP_TEXT_MAX + 1);
	buf_addf(&b, "%lld.%lld.%d.%s", (long long)step.user_id,
	    (long long)step.expires_ms, step.remember, tail);
	return buf_ok(&b) ? DK_OK : DK_ERR_INTERNAL;
}

static bool
parse_step(struct str text, struct sign_in_step *step, struct secret *mac)
{
	struct str field[4];
	uint64_t id, expires, remember;
	size_t i;

	for (i = 0; i < 4; i++)
		if (!str_cut(&text, '.', &field[i]))
			return false;
	if (!str_is_none(text) || !str_to_u64(field[0], INT64_MAX, &id) ||
	    !str_to_u64(field[1], INT64_MAX, &expires) ||
	    !str_to_u64(field[2], 1, &remember) ||
	    !secret_from_text(field[3], mac))
		return false;
	*step = (struct sign_in_step){ .user_id = (int64_t)id,
		.expires_ms = (int64_t)expires,
		.remember = remember == 1 };
	return true;
}

enum dk_err
sign_in_step_check(struct domain *dom, struct str text,
    const struct secret *browser, int64_t now_ms, struct sign_in_step *step,
    struct user_row *user, bool *valid)
{
	struct secret given = { { 0 } };
	struct digest mac;
	bool found;
	enum dk_err err = DK_OK;

	*valid = false;
	*user = (struct user_row){ 0 };
	if (!parse_step(text, step, &given) || now_ms >= step->expires_ms ||
	    step->expires_ms > now_ms + STEP_LIFE_MS)
		goto out;
	err = account_by_id(dom, step->user_id, user, &found);
	if (err != DK_OK || !found || user->disabled)
		goto out;
	err = step_mac(dom, step, user, browser, &mac);
	if (err == DK_OK)
		*valid =
		    secret_bytes_eq(mac.byte, given.byte, sizeof(mac.byte));
out:
	if (!*valid) {
		secret_wipe(user, sizeof(*user));
		*step = (struct sign_in_step){ 0 };
	}
	return err;
}
