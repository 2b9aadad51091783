#ifndef DK_FUZZ_APP_JUDGE_H
#define DK_FUZZ_APP_JUDGE_H

#include "stage.h"

/*
 * What is stored at one moment, seen by the second connection, and whether a
 * request and its answer may have made one of another.  The judge is written
 * from INTERFACE and manual, not from the code it judges: it finds passwords,
 * codes and cookies in the bytes of the request itself.
 */
enum { SNAP_SESSIONS_MAX = 96, SNAP_USERS_MAX = 24, SNAP_TOKENS_MAX = 96 };

struct snap_session {
	char id[UUID_TEXT_LEN + 1];
	struct digest hash;
	int64_t user_id, created, authenticated, seen, expires, idle;
	int level;
};
struct snap_user {
	int64_t id;
	char name[USER_NAME_MAX + 1], groups[256];
	struct digest pw, rest;
	bool disabled, must_change, has_pw, has_factor;
};
struct snap_token {
	int64_t user_id;
	struct digest hash;
};
struct snap {
	struct snap_session sessions[SNAP_SESSIONS_MAX];
	size_t n_sessions;
	struct snap_user users[SNAP_USERS_MAX];
	size_t n_users;
	struct snap_token links[SNAP_TOKENS_MAX], devices[SNAP_TOKENS_MAX];
	size_t n_links, n_devices;
};
void snap_take(struct stage *s, struct snap *snap);

/* What is remembered from request to request of one input. */
struct memory {
	bool knocked[PEOPLE]; /* the right password came in before */
	bool changed[PEOPLE]; /* the password is not the first one any more */
	char seeds[4][33];    /* of second factors that were shown */
	size_t n_seeds;
	bool codes_shown; /* recovery codes that are not known here */
};

/* NULL, or what is wrong in words. */
const char *judge(struct stage *s, const struct asked *q,
    const struct snap *before, const struct snap *after, struct memory *m);

/* A page has shown this seed ("" for none), and perhaps recovery codes. */
void judge_note_shown(struct memory *m, const char *seed, struct str page);
/* The code of the seed shown last; "" when there is none. */
void judge_shown_code(
    const struct memory *m, int64_t now, char code[TOTP_DIGITS + 1]);

/* Are there 43 characters of base64url at p, n left?  Their SHA-256. */
bool judge_token_at(const char *p, size_t n, struct digest *hash);

#endif
