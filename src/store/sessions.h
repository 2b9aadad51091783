#ifndef DK_STORE_SESSIONS_H
#define DK_STORE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/net.h"
#include "base/secret.h"
#include "base/str.h"
#include "store/db.h"
#include "store/users.h"

enum { SESSION_AGENT_MAX = 256, SESSION_HOST_MAX = 255 };

/* One row of `sessions`. */
struct session_row {
	char id[UUID_TEXT_LEN + 1];
	struct digest secret_hash; /* SHA-256 of the 32 secret bytes */
	int64_t user_id;
	int64_t created_at_ms;	     /* sign-in */
	int64_t authenticated_at_ms; /* last full authentication */
	int64_t last_seen_at_ms;
	int64_t expires_at_ms;	 /* absolute */
	int64_t idle_timeout_ms; /* 0: none */
	int level;		 /* 1: password, 2: second factor too */
	bool remember;
	char ip[IP_TEXT_MAX];
	char user_agent[SESSION_AGENT_MAX + 1]; /* cut to fit, printable */
	char host[SESSION_HOST_MAX + 1]; /* the origin's host it belongs to */
};

/* A session together with what the gate must know of its user. */
struct session_view {
	struct session_row session;
	char username[USER_NAME_MAX + 1];
	char display_name[USER_DISPLAY_NAME_MAX + 1];
	char email[USER_EMAIL_MAX + 1];
	bool disabled, must_change;
};

enum dk_err sessions_get(struct db *db, struct str id,
    struct session_view *view, bool *found) DK_CHECK;
/*
 * The hot look-up: a session, its user and the user's groups in one statement
 * (two would double what a check costs the store).  More groups than fit:
 * DK_ERR_TOO_LARGE, as users_groups().
 */
enum dk_err sessions_check(struct db *db, struct str id,
    struct session_view *view, struct group_list *groups,
    bool *found) DK_CHECK;
enum dk_err sessions_add(struct db *db,
    const struct session_row *row) DK_CHECK;
/* Only ever moves last_seen_at forward. */
enum dk_err sessions_touch(struct db *db, struct str id,
    int64_t now_ms) DK_CHECK;
enum dk_err sessions_delete(struct db *db, struct str id,
    bool *deleted) DK_CHECK;
/* With all of its family; *deleted: there was one. */
enum dk_err sessions_delete_family(struct db *db, struct str id,
    bool *deleted) DK_CHECK;
/* The sessions of several hosts that came from one sign-in are a family;
 * `family` is "" for one that stands alone or is not of that user. */
enum dk_err sessions_family(struct db *db, struct str id, int64_t user_id,
    char family[UUID_TEXT_LEN + 1]) DK_CHECK;
/* One that has a family keeps it. */
enum dk_err sessions_set_family(struct db *db, struct str id,
    struct str family) DK_CHECK;
/* All of a user's but `keep` (STR_NONE: all); *n counts. */
enum dk_err sessions_delete_of_user(struct db *db, int64_t user_id,
    struct str keep, int64_t *n) DK_CHECK;
enum dk_err sessions_delete_all(struct db *db, int64_t *n) DK_CHECK;
/* The oldest live ones of a user beyond `keep_newest`. */
enum dk_err sessions_delete_oldest(struct db *db, int64_t user_id,
    int64_t keep_newest, int64_t now_ms, int64_t *n) DK_CHECK;

enum dk_err sessions_count(struct db *db, int64_t now_ms,
    int64_t *n) DK_CHECK; /* live ones; walks the table */

/*
 * One step of the purge: look at up to `limit` rows whose id is above `from`
 * and delete the expired ones; *last is the id looked at last ("" at the
 * end), *n what was deleted.
 */
enum dk_err sessions_purge_step(struct db *db, struct str from, int64_t limit,
    int64_t now_ms, char last[UUID_TEXT_LEN + 1], int64_t *n) DK_CHECK;

/* Which sessions: zero and STR_NONE narrow nothing down. */
struct session_filter {
	int64_t user_id;
	struct str ip;	   /* as it is stored: ip_format */
	int64_t since_ms;  /* signed in at or after */
	int64_t before_ms; /* signed in before; 0: whenever */
};
/*
 * Live ones, newest first, behind the given created_at and id (keyset
 * paging; INT64_MAX and "" for the start).
 */
typedef enum dk_err sessions_fn(void *arg, const struct session_view *view);
enum dk_err sessions_find(struct db *db, const struct session_filter *filter,
    int64_t now_ms, int64_t at_ms, struct str id, size_t limit,
    sessions_fn *fn, void *arg) DK_CHECK;
/* How many live ones there are; counting stops at at_most. */
enum dk_err sessions_find_count(struct db *db,
    const struct session_filter *filter, int64_t now_ms, int64_t at_most,
    int64_t *n) DK_CHECK;
/* Delete at most at_most of them, dead ones too, but for `keep`. */
enum dk_err sessions_delete_found(struct db *db,
    const struct session_filter *filter, struct str keep, int64_t at_most,
    int64_t *n) DK_CHECK;
/* Look at so many rows: *looked is how many there were, *live how many of
 * them are alive. */
enum dk_err sessions_sum(struct db *db, int64_t now_ms, int64_t rows,
    int64_t *looked, int64_t *live) DK_CHECK;

#endif
