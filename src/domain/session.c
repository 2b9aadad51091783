#include "domain/session.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "domain/audit.h"
#include "domain/permit.h"
#include "domain/session_new.h"

enum {
	PURGE_STEP = 1000,
	REVOKE_STEP = 5000 /* so that others get to write, too */
};

bool
session_token_parse(struct str text, struct session_token *token)
{
	struct str id, secret;

	memset(token, 0, sizeof(*token));
	if (text.n != SESSION_TOKEN_LEN ||
	    !str_split(text, '.', &id, &secret) || !uuid_is_valid(id) ||
	    !secret_from_text(secret, &token->secret))
		return false;
	memcpy(token->id, id.p, id.n);
	return true;
}

void
session_token_format(
    const struct session_token *token, char text[SESSION_TOKEN_LEN + 1])
{
	memcpy(text, token->id, UUID_TEXT_LEN);
	text[UUID_TEXT_LEN] = '.';
	secret_to_text(&token->secret, text + UUID_TEXT_LEN + 1);
}

static void
hash_secret(const struct secret *secret, struct digest *hash)
{
	secret_sha256(
	    (struct str){ (const char *)secret->byte, sizeof(secret->byte) },
	    hash);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Times that people wrote into the store by hand do not overflow. */
int64_t
session_expiry(const struct session_row *row)
{
	if (row->idle_timeout_ms < 0 || row->last_seen_at_ms < 0)
		return 0;
	if (row->idle_timeout_ms == 0 ||
	    row->last_seen_at_ms > INT64_MAX - row->idle_timeout_ms)
		return row->expires_at_ms;
	return earlier(
	    row->expires_at_ms, row->last_seen_at_ms + row->idle_timeout_ms);
}

/*
 * An expired row goes away at once, so that a clock that goes back cannot
 * revive it (DK-Z-02).  It is not waited for: the purge comes by later.
 */
static void
drop_expired(struct domain *dom, struct str id)
{
	bool deleted;

	db_set_wait(dom->db, 0);
	if (sessions_delete(dom->db, id, &deleted) != DK_OK)
		deleted = false;
	db_set_wait(dom->db, DB_WAIT_MS);
}

static bool
host_fits(
    const struct domain *dom, const struct session_row *row, struct str host)
{
	return dom->conf->cookie_domain.n > 0 ||
	    str_ieq(str_from(row->host), host);
}

enum dk_err
session_check(struct domain *dom, struct str cookie_value, struct str host,
    int64_t now_ms, struct session *session, enum session_answer *answer)
{
	struct session_token token;
	struct session_view view = { 0 };
	struct digest hash;
	bool found = false;
	enum dk_err err = DK_OK;

	memset(session, 0, sizeof(*session));
	*answer = SESSION_NONE;
	if (!session_token_parse(cookie_value, &token))
		goto out;
	err = sessions_check(
	    dom->db, str_from(token.id), &view, &session->groups, &found);
	if (err != DK_OK || !found)
		goto out;
	hash_secret(&token.secret, &hash);
	if (!digest_eq(&hash, &view.session.secret_hash) || view.disabled ||
	    view.must_change || !host_fits(dom, &view.session, host))
		goto out;
	if (now_ms >= session_expiry(&view.session)) {
		*answer = SESSION_EXPIRED;
		drop_expired(dom, str_from(token.id));
		goto out;
	}
	session->view = view;
	session->token = token;
	session->expires_at_ms = session_expiry(&view.session);
	*answer = SESSION_LIVE;
out:
	if (*answer != SESSION_LIVE)
		session->groups.n = 0;
	secret_wipe(&token, sizeof(token));
	secret_wipe(&view, sizeof(view));
	return err;
}

void
session_touch(struct domain *dom, const struct session *session, int64_t now_ms)
{
	const struct session_row *row = &session->view.session;
	int64_t interval = dom->conf->touch_interval_ms;
	enum dk_err err;

	if (row->idle_timeout_ms > 0)
		interval = earlier(interval, row->idle_timeout_ms / 4);
	if (now_ms <= row->last_seen_at_ms ||
	    now_ms - row->last_seen_at_ms < interval)
		return;
	db_set_wait(dom->db, 0);
	/* A missed touch is made up by the next request. */
	err = sessions_touch(dom->db, str_from(row->id), now_ms);
	(void)err;
	db_set_wait(dom->db, DB_WAIT_MS);
}

/* What of `text` fits and is fit to be shown. */
static void
copy_shown(char *to, size_t size, struct str text)
{
	struct buf out;
	struct str before;
	uint32_t cp;

	buf_init(&out, to, size);
	while (text.n > 0 && buf_ok(&out)) {
		before = text;
		if (!utf8_next(&text, &cp)) {
			text = str_sub(text, 1, text.n - 1);
			buf_addc(&out, '?');
		} else if (utf8_is_unsafe(cp)) {
			buf_addc(&out, '?');
		} else {
			buf_add(&out, str_sub(before, 0, before.n - text.n));
		}
	}
}

enum dk_err
session_new_token(const struct asker *asker, struct session *session)
{
	struct session_row *row = &session->view.session;
	enum dk_err err = uuid_new(session->token.id);

	if (err == DK_OK)
		err = secret_new(&session->token.secret);
	if (err != DK_OK)
		return err;
	memcpy(row->id, session->token.id, sizeof(row->id));
	hash_secret(&session->token.secret, &row->secret_hash);
	copy_shown(row->ip, sizeof(row->ip), asker->ip);
	copy_shown(row->user_agent, sizeof(row->user_agent), asker->user_agent);
	copy_shown(row->host, sizeof(row->host), asker->host);
	return DK_OK;
}

static enum dk_err
new_session(struct domain *dom, const struct asker *asker,
    const struct user_row *user, const struct session_start *how,
    int64_t now_ms, struct session *session)
{
	const struct conf *conf = dom->conf;
	struct session_row *row = &session->view.session;
	enum dk_err err;

	err = session_new_token(asker, session);
	if (err != DK_OK)
		return err;
	row->user_id = user->id;
	row->created_at_ms = now_ms;
	row->authenticated_at_ms = now_ms;
	row->last_seen_at_ms = now_ms;
	row->expires_at_ms = now_ms +
	    (how->remember ? conf->remember_absolute_timeout_ms
			   : conf->absolute_timeout_ms);
	row->idle_timeout_ms = how->remember ? conf->remember_idle_timeout_ms
					     : conf->idle_timeout_ms;
	row->level = how->level;
	row->remember = how->remember;
	memcpy(session->view.username, user->username,
	    sizeof(session->view.username));
	memcpy(session->view.display_name, user->display_name,
	    sizeof(session->view.display_name));
	memcpy(session->view.email, user->email, sizeof(session->view.email));
	session->view.must_change = user->must_change;
	session->expires_at_ms = session_expiry(row);
	return users_groups(dom->db, user->id, &session->groups);
}

static bool
same_hash(struct str a, struct str b)
{
	return a.n == b.n && secret_bytes_eq(a.p, b.p, a.n);
}

/* Is the account still what was authenticated?  Within the transaction. */
static enum dk_err
still_valid(struct domain *dom, const struct user_row *user, bool *valid)
{
	struct user_row now;
	bool found;
	enum dk_err err;

	*valid = false;
	err = users_get_by_id(dom->db, user->id, &now, &found);
	if (err == DK_OK && found && !now.disabled && !now.must_change)
		*valid = same_hash(
		    str_from(now.password_hash), str_from(user->password_hash));
	secret_wipe(&now, sizeof(now));
	return err;
}

/* By which methods (DK-E-03). */
static struct str
methods(const struct session_start *how)
{
	if (how->level > 1)
		return how->remember
		    ? STR("password, second factor, kept signed in")
		    : STR("password, second factor");
	return how->remember ? STR("password, kept signed in")
			     : STR("password");
}

/*
 * The others give way before the new one is there: whatever the clock says,
 * the session that was just made is not the oldest.
 */
static enum dk_err
store_session(struct domain *dom, const struct asker *asker,
    const struct session_start *how, int64_t now_ms,
    const struct session *session)
{
	const struct session_row *row = &session->view.session;
	const struct audit what = { .event = how->event,
		.outcome = "success",
		.username = str_from(session->view.username),
		.session = str_from(row->id),
		.detail = methods(how) };
	char family[UUID_TEXT_LEN + 1] = "";
	enum dk_err err = DK_OK;
	bool deleted;
	int64_t n;

	/* One that takes the place of another belongs where that did. */
	if (how->old_id.n > 0 && dom->conf->single_sign_on)
		err = sessions_family(
		    dom->db, how->old_id, row->user_id, family);
	if (err == DK_OK && how->old_id.n > 0)
		err = sessions_delete(dom->db, how->old_id, &deleted);
	if (err == DK_OK && dom->conf->max_per_user > 0)
		err = sessions_delete_oldest(dom->db, row->user_id,
		    (int64_t)dom->conf->max_per_user - 1, now_ms, &n);
	if (err == DK_OK)
		err = sessions_add(dom->db, row);
	if (err == DK_OK && family[0] != '\0')
		err = sessions_set_family(
		    dom->db, str_from(row->id), str_from(family));
	if (err == DK_OK)
		err = audit_write(dom, asker, &what, now_ms);
	return err;
}

/* Right password, but the account is no longer what it was for. */
static enum dk_err
note_refused(struct domain *dom, const struct asker *asker,
    const struct user_row *user, const char *event, int64_t now_ms)
{
	const struct audit what = { .event = event,
		.outcome = "failure",
		.username = str_from(user->username),
		.detail = STR("account changed meanwhile") };

	return audit_write(dom, asker, &what, now_ms);
}

enum dk_err
session_start(struct domain *dom, const struct asker *asker,
    const struct user_row *user, const struct session_start *how,
    int64_t now_ms, struct session *session, bool *refused)
{
	bool valid = false;
	enum dk_err err;

	memset(session, 0, sizeof(*session));
	*refused = true;
	err = new_session(dom, asker, user, how, now_ms, session);
	if (err != DK_OK)
		goto out;
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = still_valid(dom, user, &valid);
		if (err == DK_OK && valid)
			err = store_session(dom, asker, how, now_ms, session);
		else if (err == DK_OK)
			err =
			    note_refused(dom, asker, user, how->event, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	*refused = err != DK_OK || !valid;
out:
	if (err != DK_OK || !valid)
		secret_wipe(session, sizeof(*session));
	return err;
}

/* Write what was done to sessions, in the transaction that did it. */
static enum dk_err
note_end(struct domain *dom, const struct asker *asker, const char *event,
    struct str username, struct str id, struct str detail, int64_t now_ms)
{
	const struct audit what = { .event = event,
		.outcome = "success",
		.username = username,
		.session = id,
		.detail = detail };

	return audit_write(dom, asker, &what, now_ms);
}

enum dk_err
session_end(struct domain *dom, const struct asker *asker,
    const struct session *session, int64_t now_ms)
{
	struct str id = str_from(session->view.session.id);
	enum dk_err err;
	bool deleted = false;

	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = sessions_delete_family(dom->db, id, &deleted);
		if (err == DK_OK && deleted)
			err = note_end(dom, asker, "sign_out",
			    str_from(session->view.username), id, STR_NONE,
			    now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
session_revoke(struct domain *dom, const struct asker *asker, struct str id,
    int64_t user_id, int64_t now_ms, bool *ended)
{
	struct session_view view;
	bool found = false;
	enum dk_err err;

	*ended = false;
	if (!uuid_is_valid(id))
		return DK_OK;
	do {
		*ended = false;
		err = permit_begin(dom, asker, 0);
		if (err == DK_OK)
			err = sessions_get(dom->db, id, &view, &found);
		if (err == DK_OK && found &&
		    (user_id == 0 || user_id == view.session.user_id))
			err = sessions_delete_family(dom->db, id, ended);
		if (err == DK_OK && *ended)
			err = note_end(dom, asker, "session_revoked",
			    str_from(view.username), id, STR_NONE, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	if (err != DK_OK)
		*ended = false;
	secret_wipe(&view, sizeof(view));
	return err;
}

static enum dk_err
note_count(struct domain *dom, const struct asker *asker, struct str username,
    int64_t n, int64_t now_ms)
{
	char text[48];
	struct buf detail;

	BUF_OVER(&detail, text);
	buf_addf(&detail, "%lld sessions", (long long)n);
	return note_end(dom, asker, "session_revoked", username, STR_NONE,
	    buf_str(&detail), now_ms);
}

enum dk_err
session_revoke_user(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str keep_id, int64_t now_ms, int64_t *n)
{
	enum dk_err err;

	*n = 0;
	do {
		err = permit_begin(dom, asker, user->id);
		if (err == DK_OK)
			err = sessions_delete_of_user(
			    dom->db, user->id, keep_id, n);
		if (err == DK_OK && *n > 0)
			err = note_count(
			    dom, asker, str_from(user->username), *n, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
session_revoke_all(
    struct domain *dom, const struct asker *asker, int64_t now_ms, int64_t *n)
{
	enum dk_err err;

	*n = 0;
	do {
		err = permit_begin(dom, asker, 0);
		if (err == DK_OK)
			err = sessions_delete_all(dom->db, n);
		if (err == DK_OK && *n > 0)
			err = note_count(dom, asker, STR_NONE, *n, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
session_count(struct domain *dom, int64_t now_ms, int64_t *n)
{
	return sessions_count(dom->db, now_ms, n);
}

enum dk_err
session_find(struct domain *dom, const struct session_filter *filter,
    int64_t now_ms, int64_t at_ms, struct str id, size_t limit, sessions_fn *fn,
    void *arg)
{
	return sessions_find(
	    dom->db, filter, now_ms, at_ms, id, limit, fn, arg);
}

enum dk_err
session_find_count(struct domain *dom, const struct session_filter *filter,
    int64_t now_ms, int64_t *n)
{
	return sessions_find_count(
	    dom->db, filter, now_ms, SESSION_COUNT_MAX + 1, n);
}

enum dk_err
session_list_user(struct domain *dom, int64_t user_id, int64_t now_ms,
    size_t limit, sessions_fn *fn, void *arg)
{
	const struct session_filter filter = { .user_id = user_id };

	return sessions_find(
	    dom->db, &filter, now_ms, INT64_MAX, STR(""), limit, fn, arg);
}

/* What was ended, in words: "12 sessions, from 192.0.2.7". */
static void
describe(const struct session_filter *filter, int64_t n, struct buf *out)
{
	char time[CLOCK_ISO_LEN + 1];

	buf_addf(out, "%lld sessions", (long long)n);
	if (filter->ip.n > 0)
		buf_addf(out, ", from %.*s", STR_FMT(filter->ip));
	if (filter->since_ms > 0) {
		clock_iso(filter->since_ms, time);
		buf_addf(out, ", since %s", time);
	}
	if (filter->before_ms > 0) {
		clock_iso(filter->before_ms, time);
		buf_addf(out, ", before %s", time);
	}
}

static enum dk_err
note_found(struct domain *dom, const struct asker *asker,
    const struct session_filter *filter, int64_t n, int64_t now_ms)
{
	char text[160];
	struct buf detail;
	struct user_row user = { 0 };
	bool found = false;
	enum dk_err err = DK_OK;

	BUF_OVER(&detail, text);
	describe(filter, n, &detail);
	if (filter->user_id > 0)
		err = users_get_by_id(dom->db, filter->user_id, &user, &found);
	if (err == DK_OK)
		err = note_end(dom, asker, "session_revoked",
		    found ? str_from(user.username) : STR_NONE, STR_NONE,
		    buf_str(&detail), now_ms);
	secret_wipe(&user, sizeof(user));
	return err;
}

/* One step, in a transaction of its own with its event. */
static enum dk_err
revoke_step(struct domain *dom, const struct asker *asker,
    const struct session_filter *filter, struct str keep_id, int64_t now_ms,
    int64_t *n)
{
	enum dk_err err;

	*n = 0;
	do {
		err = permit_begin(dom, asker, 0);
		if (err == DK_OK)
			err = sessions_delete_found(
			    dom->db, filter, keep_id, REVOKE_STEP, n);
		if (err == DK_OK && *n > 0)
			err = note_found(dom, asker, filter, *n, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
session_revoke_found(struct domain *dom, const struct asker *asker,
    const struct session_filter *filter, struct str keep_id, int64_t now_ms,
    int64_t at_most, int64_t *n)
{
	int64_t step = REVOKE_STEP;
	enum dk_err err = DK_OK;

	*n = 0;
	while (err == DK_OK && step == REVOKE_STEP && *n < at_most) {
		err = revoke_step(dom, asker, filter, keep_id, now_ms, &step);
		if (err == DK_OK)
			*n += step;
	}
	return err;
}

enum dk_err
session_purge(struct domain *dom, int64_t now_ms, int64_t *n)
{
	char last[UUID_TEXT_LEN + 1] = "";
	int64_t step = 0;
	enum dk_err err;

	*n = 0;
	do {
		err = sessions_purge_step(
		    dom->db, str_from(last), PURGE_STEP, now_ms, last, &step);
		*n += step;
	} while (err == DK_OK && last[0] != '\0');
	return err;
}
