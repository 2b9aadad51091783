#include <string.h>

#include "judge.h"

static void
copy_text(sqlite3_stmt *st, int column, char *to, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	if (text == NULL || strlen(text) >= size)
		stage_abort("snapshot", "a text that is absent or too long");
	memcpy(to, text, strlen(text) + 1);
}

static void
copy_digest(sqlite3_stmt *st, int column, struct digest *to)
{
	if (sqlite3_column_bytes(st, column) != DIGEST_LEN)
		stage_abort("snapshot", "a hash of another length");
	memcpy(to->byte, sqlite3_column_blob(st, column), DIGEST_LEN);
}

static void
hash_text(sqlite3_stmt *st, int column, struct digest *to)
{
	secret_sha256(
	    (struct str){ (const char *)sqlite3_column_blob(st, column),
		(size_t)sqlite3_column_bytes(st, column) },
	    to);
}

static void
take_session(struct snap *snap, sqlite3_stmt *st)
{
	struct snap_session *e = &snap->sessions[snap->n_sessions++];

	copy_text(st, 0, e->id, sizeof(e->id));
	copy_digest(st, 1, &e->hash);
	e->user_id = sqlite3_column_int64(st, 2);
	e->level = sqlite3_column_int(st, 3);
	e->created = sqlite3_column_int64(st, 4);
	e->authenticated = sqlite3_column_int64(st, 5);
	e->seen = sqlite3_column_int64(st, 6);
	e->expires = sqlite3_column_int64(st, 7);
	e->idle = sqlite3_column_int64(st, 8);
}

static void
take_user(struct snap *snap, sqlite3_stmt *st)
{
	struct snap_user *u = &snap->users[snap->n_users++];

	u->id = sqlite3_column_int64(st, 0);
	copy_text(st, 1, u->name, sizeof(u->name));
	u->has_pw = sqlite3_column_bytes(st, 2) > 0;
	hash_text(st, 2, &u->pw);
	u->disabled = sqlite3_column_int(st, 3) != 0;
	u->must_change = sqlite3_column_int(st, 4) != 0;
	copy_text(st, 5, u->groups, sizeof(u->groups));
	hash_text(st, 6, &u->rest);
	u->has_factor = sqlite3_column_int(st, 7) != 0;
}

static void
take_link(struct snap *snap, sqlite3_stmt *st)
{
	struct snap_token *t = &snap->links[snap->n_links++];

	t->user_id = sqlite3_column_int64(st, 0);
	copy_digest(st, 1, &t->hash);
}

static void
take_device(struct snap *snap, sqlite3_stmt *st)
{
	struct snap_token *t = &snap->devices[snap->n_devices++];

	t->user_id = sqlite3_column_int64(st, 0);
	copy_digest(st, 1, &t->hash);
}

static void
rows(struct stage *s, struct snap *snap, const char *sql, const size_t *n,
    size_t max, void (*take)(struct snap *, sqlite3_stmt *))
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(s->side, sql, -1, &st, NULL) != SQLITE_OK)
		stage_abort(sql, sqlite3_errmsg(s->side));
	while (sqlite3_step(st) == SQLITE_ROW) {
		if (*n >= max)
			stage_abort(sql, "more than the snapshot holds");
		take(snap, st);
	}
	if (sqlite3_finalize(st) != SQLITE_OK)
		stage_abort(sql, sqlite3_errmsg(s->side));
}

void
snap_take(struct stage *s, struct snap *snap)
{
	snap->n_sessions = snap->n_users = snap->n_links = snap->n_devices = 0;
	rows(s, snap,
	    "SELECT id, secret_hash, user_id, level, created_at, "
	    "authenticated_at, last_seen_at, expires_at, idle_timeout "
	    "FROM sessions",
	    &snap->n_sessions, SNAP_SESSIONS_MAX, take_session);
	rows(s, snap,
	    "SELECT u.id, username, password_hash, disabled, must_change, "
	    "(SELECT coalesce(group_concat(group_name, ','), '') "
	    " FROM user_groups AS g WHERE g.user_id = u.id), "
	    "username || '|' || display_name || '|' || email, "
	    "EXISTS (SELECT 1 FROM second_factors AS f WHERE "
	    " f.user_id = u.id AND f.confirmed_at IS NOT NULL) "
	    "FROM users AS u",
	    &snap->n_users, SNAP_USERS_MAX, take_user);
	rows(s, snap, "SELECT user_id, token_hash FROM one_use_links",
	    &snap->n_links, SNAP_TOKENS_MAX, take_link);
	rows(s, snap, "SELECT user_id, token_hash FROM devices",
	    &snap->n_devices, SNAP_TOKENS_MAX, take_device);
}
