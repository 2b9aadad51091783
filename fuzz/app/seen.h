#ifndef DK_FUZZ_APP_SEEN_H
#define DK_FUZZ_APP_SEEN_H

#include "judge.h"

/* Within fuzz/app: what a request has shown, read from its bytes alone. */

/* Before all others. */
void seen_gather(const struct asked *q);
/* Has the request these characters, plain or percent-encoded? */
bool seen_came(const char *what);
/* The same, where it is not the value of a password's or a code's field or a
 * cookie: then a page may well show it again. */
bool seen_came_elsewhere(const char *what);
/* Is the secret of this hash in the text, as base64url? */
bool seen_holds_token(const char *text, size_t n, const struct digest *hash);
/* The same of the request without its cookies. */
bool seen_token_elsewhere(const struct digest *hash);

const struct snap_user *seen_user_of(const struct snap *snap, int64_t id);
const struct snap_session *seen_session_of(
    const struct snap *snap, const char *id);
/* Is the session's cookie among those of the request? */
bool seen_presented(const struct snap_session *e);
/* The same, and it was good for something at this moment. */
bool seen_lives(
    const struct snap *snap, const struct snap_session *e, int64_t now);
/* A live session of this user; id 0: anybody's. */
bool seen_session_came(const struct snap *snap, int64_t id, int64_t now);
bool seen_admin_came(const struct snap *snap, int64_t now);
bool seen_is_member(const struct snap_user *u, const char *group);
bool seen_link_came(const struct snap *snap, int64_t user_id);
/* PEOPLE: somebody who was not there in the beginning. */
int seen_person_of(struct stage *s, int64_t id);
/* True also where the password is not known here any more. */
bool seen_password_came(struct stage *s, const struct memory *m, int64_t id);
/* A code of now or of a neighbour step, or one for recovery. */
bool seen_code_came(
    struct stage *s, const struct asked *q, const struct memory *m, int64_t id);

/* In judge_answer.c: the answer itself. */
const char *judge_answer(struct stage *s, const struct asked *q,
    const struct snap *before, const struct snap *after);

#endif
