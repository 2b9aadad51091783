#ifndef DK_DOMAIN_SESSION_H
#define DK_DOMAIN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "domain/domain.h"
#include "store/sessions.h"
#include "store/users.h"

/*
 * The session: UUID and secret.  The cookie's value is "UUID.SECRET"; the
 * UUID is what people see, log and revoke by, the SHA-256 of the secret is
 * what counts.
 */
enum { SESSION_TOKEN_LEN = UUID_TEXT_LEN + 1 + SECRET_TEXT_LEN };

struct session_token {
	char id[UUID_TEXT_LEN + 1];
	struct secret secret;
};
/* Exact form or false; checked before any store access (DK-S-07). */
bool session_token_parse(struct str text, struct session_token *token);
void session_token_format(
    const struct session_token *token, char text[SESSION_TOKEN_LEN + 1]);

/* A live session and its user.  Wipe it when done. */
struct session {
	struct session_view view;
	struct group_list groups; /* of its user, now */
	struct session_token token;
	int64_t expires_at_ms; /* the earlier of absolute and idle */
};

enum session_answer {
	SESSION_NONE,	 /* unknown, damaged, or another secret */
	SESSION_EXPIRED, /* was one; its row goes away */
	SESSION_LIVE
};

/*
 * Look the cookie's value up.  Only with SESSION_LIVE is *session filled in.
 * Reads once; writes only to delete an expired row, never waiting for it.
 * The session of a disabled user, or of one who has to change the password,
 * is SESSION_NONE.  host is the host of the
 * request's origin: a session of another host is SESSION_NONE (DK-S-19).
 */
enum dk_err session_check(struct domain *dom, struct str cookie_value,
    struct str host, int64_t now_ms, struct session *session,
    enum session_answer *answer) DK_CHECK;

/*
 * Write last-seen if it is older than touch_interval, or than a quarter of the
 * session's idle time where that is less (a person at work is not signed
 * out).  Never waits for a lock and never fails the request: a missed touch
 * is made up by the next.
 */
void session_touch(
    struct domain *dom, const struct session *session, int64_t now_ms);

/*
 * Sign in: make a new session for user, end the old one (old_id, STR_NONE for
 * none), apply max_per_user, write the audit event, all in one transaction.
 * The token in *session is what goes into the cookie; the caller wipes it.
 * *refused is true, no session made and the old one left, when the account
 * was disabled, deleted or given another password since `user` was read: the
 * person has to sign in again.  (Also true with an error.)
 */
struct session_start {
	bool remember;
	int level;
	const char *event; /* "sign_in", "reauthentication" */
	struct str old_id; /* of a session that was found live */
};
enum dk_err session_start(struct domain *dom, const struct asker *asker,
    const struct user_row *user, const struct session_start *how,
    int64_t now_ms, struct session *session, bool *refused) DK_CHECK;

/* Sign out: the row and its family go, the event is written ("sign_out"). */
enum dk_err session_end(struct domain *dom, const struct asker *asker,
    const struct session *session, int64_t now_ms) DK_CHECK;

/*
 * Revoke by id ("session_revoked").  user_id > 0: only if it is that user's
 * own.  *ended is false when there was no such session.
 */
enum dk_err session_revoke(struct domain *dom, const struct asker *asker,
    struct str id, int64_t user_id, int64_t now_ms, bool *ended) DK_CHECK;
/* All of a user's sessions but keep_id (STR_NONE: all); *n counts. */
enum dk_err session_revoke_user(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str keep_id, int64_t now_ms,
    int64_t *n) DK_CHECK;
enum dk_err session_revoke_all(struct domain *dom, const struct asker *asker,
    int64_t now_ms, int64_t *n) DK_CHECK;

enum dk_err session_count(
    struct domain *dom, int64_t now_ms, int64_t *n) DK_CHECK;
/* Live sessions page by page: as sessions_find. */
enum dk_err session_find(struct domain *dom,
    const struct session_filter *filter, int64_t now_ms, int64_t at_ms,
    struct str id, size_t limit, sessions_fn *fn, void *arg) DK_CHECK;
/* How many; SESSION_COUNT_MAX + 1 stands for more than SESSION_COUNT_MAX. */
enum { SESSION_COUNT_MAX = 1000 };
enum dk_err session_find_count(struct domain *dom,
    const struct session_filter *filter, int64_t now_ms, int64_t *n) DK_CHECK;
/*
 * End those that the filter names but for keep_id (STR_NONE: all), in steps
 * with an event each, until none is left or about at_most are ended.
 */
enum dk_err session_revoke_found(struct domain *dom,
    const struct asker *asker, const struct session_filter *filter,
    struct str keep_id, int64_t now_ms, int64_t at_most, int64_t *n) DK_CHECK;
/* The live sessions of one user, newest first, at most `limit`. */
enum dk_err session_list_user(struct domain *dom, int64_t user_id,
    int64_t now_ms, size_t limit, sessions_fn *fn, void *arg) DK_CHECK;

/* All expired sessions, in steps; *n counts. */
enum dk_err session_purge(
    struct domain *dom, int64_t now_ms, int64_t *n) DK_CHECK;

#endif
