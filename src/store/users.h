#ifndef DK_STORE_USERS_H
#define DK_STORE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/db.h"

enum {
	USER_NAME_MAX = 64,	    /* bytes, ASCII */
	USER_DISPLAY_NAME_MAX = 128, /* bytes, UTF-8 */
	USER_EMAIL_MAX = 254,	    /* bytes, RFC 5321 4.5.3.1.3 */
	USER_PASSWORD_HASH_MAX = 255,
	USER_GROUP_MAX = 64,	    /* bytes */
	USER_GROUPS_MAX = 32,
	USER_BEGINS_MAX = 128 /* bytes of what is looked for */
};

/* One row of `users`.  Wipe it when done: it holds a password hash. */
struct user_row {
	int64_t id; /* random, positive */
	char username[USER_NAME_MAX + 1]; /* as registered */
	char display_name[USER_DISPLAY_NAME_MAX + 1]; /* "" when unset */
	char email[USER_EMAIL_MAX + 1];		      /* "" when unset */
	char password_hash[USER_PASSWORD_HASH_MAX + 1]; /* "" when unset */
	bool disabled;
	bool must_change; /* the password is compromised or temporary */
	int64_t created_at_ms, password_changed_at_ms;
};

struct group_list {
	char name[USER_GROUPS_MAX][USER_GROUP_MAX + 1];
	size_t n;
};

/*
 * key is the user name in lower case (the folded column).  *found says
 * whether there is one; an absent one is no error.
 */
enum dk_err users_get(struct db *db, struct str key, struct user_row *row,
    bool *found) DK_CHECK;
enum dk_err users_get_by_id(struct db *db, int64_t id, struct user_row *row,
    bool *found) DK_CHECK;
/* DK_ERR_CONFLICT when the key exists. */
enum dk_err users_add(struct db *db, const struct user_row *row,
    struct str key) DK_CHECK;
/* Also sets password_changed_at. */
enum dk_err users_set_password(struct db *db, int64_t id, struct str hash,
    bool must_change, int64_t now_ms) DK_CHECK;
/* Too short for somebody without a second factor? */
enum dk_err users_mark_password(struct db *db, int64_t id,
    bool is_short) DK_CHECK;
/* The next sign-in has to change it; if_short: only if it is marked so. */
enum dk_err users_require_change(struct db *db, int64_t id,
    bool if_short) DK_CHECK;
/* Replace a hash by one of the same password, unless it changed meanwhile. */
enum dk_err users_rehash(struct db *db, int64_t id, struct str verified,
    struct str hash) DK_CHECK;
/* display_name and email of row. */
enum dk_err users_set_profile(struct db *db,
    const struct user_row *row) DK_CHECK;
/* A trigger ends the sessions of a disabled user. */
enum dk_err users_set_disabled(struct db *db, int64_t id, bool disabled,
    int64_t now_ms) DK_CHECK;
/* Sessions and group memberships go with it. */
enum dk_err users_delete(struct db *db, int64_t id) DK_CHECK;

/* Which people; what is STR_NONE or empty narrows nothing down. */
enum user_state_filter { USERS_ALL, USERS_ENABLED, USERS_DISABLED };
struct user_filter {
	struct str begins; /* name, address or person begin so; any case */
	struct str group;
	enum user_state_filter state;
};
/*
 * In name order, at most `limit` behind the key `after` ("" for the start).
 * A page costs the same in a large store as in a small one, unless what is
 * asked for is both common in each part and rare together.
 */
typedef enum dk_err users_fn(void *arg, const struct user_row *row);
enum dk_err users_find(struct db *db, const struct user_filter *filter,
    struct str after, size_t limit, users_fn *fn, void *arg) DK_CHECK;
enum dk_err users_count(struct db *db, int64_t *n) DK_CHECK;

enum dk_err users_groups(struct db *db, int64_t id,
    struct group_list *groups) DK_CHECK;
/* Of a query that reads one group a row: append the current row's. */
enum dk_err users_read_group(struct db *db, int column,
    struct group_list *groups) DK_CHECK;
enum dk_err users_group_add(struct db *db, int64_t id,
    struct str group) DK_CHECK; /* already a member: DK_OK */
enum dk_err users_group_remove(struct db *db, int64_t id, struct str group,
    bool *removed) DK_CHECK;

#endif
