#include "seen.h"

#include <string.h>

/* --- what became of what is stored --------------------------------------- */

static const char *
judge_new_session(struct stage *s, const struct asked *q,
    const struct snap *before, const struct snap *after,
    const struct snap_session *e, const struct memory *m)
{
	const struct snap_user *u = seen_user_of(after, e->user_id);
	const struct snap_user *was = seen_user_of(before, e->user_id);
	int who = seen_person_of(s, e->user_id);
	bool pw = seen_password_came(s, m, e->user_id);
	bool code = seen_code_came(s, q, m, e->user_id);
	/* With a second factor the password may have come before; the session
	 * in which one was set up is raised without it. */
	bool steps = code && (who == PEOPLE || m->knocked[who]);
	bool raised = code && e->level == 2 &&
	    seen_session_came(before, e->user_id, q->now);

	if (q->status >= 400 || q->dropped)
		return "a session with an error";
	if (u == NULL || was == NULL || u->disabled || u->must_change)
		return "a session of somebody who may have none";
	if (e->created != q->now || e->authenticated != q->now ||
	    e->expires <= q->now)
		return "a session of another time";
	if (!pw && !steps && !raised)
		return "a session without the right password";
	if ((e->level > 1 || was->has_factor) && !code)
		return "a session without a right code";
	if (was->has_factor && e->level < 2)
		return "a session without the second factor";
	return NULL;
}

static const char *
judge_sessions(struct stage *s, const struct asked *q,
    const struct snap *before, const struct snap *after, const struct memory *m)
{
	const char *wrong = NULL;
	size_t i, made = 0;

	for (i = 0; i < after->n_sessions && wrong == NULL; i++) {
		const struct snap_session *e = &after->sessions[i];
		const struct snap_session *was = seen_session_of(before, e->id);

		if (was == NULL) {
			made++;
			wrong = judge_new_session(s, q, before, after, e, m);
		} else if (memcmp(&was->hash, &e->hash, sizeof(e->hash)) != 0 ||
		    was->user_id != e->user_id || was->level != e->level ||
		    was->authenticated != e->authenticated ||
		    was->expires < e->expires) {
			wrong = "a session became another one";
		} else if (was->seen != e->seen &&
		    !seen_session_came(before, e->user_id, q->now)) {
			wrong = "a session prolonged by somebody else";
		}
	}
	return wrong == NULL && made > 1 ? "two sessions at once" : wrong;
}

static const char *
judge_ended(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap *after, const struct memory *m)
{
	size_t i;

	for (i = 0; i < before->n_sessions; i++) {
		const struct snap_session *e = &before->sessions[i];
		bool over = q->now >= e->expires ||
		    (e->idle > 0 && q->now >= e->seen + e->idle);

		if (seen_session_of(after, e->id) == NULL && !over &&
		    !seen_presented(e) &&
		    !seen_session_came(before, e->user_id, q->now) &&
		    !seen_admin_came(before, q->now) &&
		    !seen_link_came(before, e->user_id) &&
		    !seen_password_came(s, m, e->user_id) &&
		    !(seen_person_of(s, e->user_id) < PEOPLE &&
			m->knocked[seen_person_of(s, e->user_id)]))
			return "a session ended by a stranger";
	}
	return NULL;
}

static const char *
judge_user(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap_user *was, const struct snap_user *u,
    const struct memory *m)
{
	bool admin = seen_admin_came(before, q->now);
	bool own = seen_session_came(before, was->id, q->now);

	if (u == NULL)
		return admin ? NULL : "an account deleted";
	if (memcmp(&u->pw, &was->pw, sizeof(u->pw)) != 0 &&
	    !seen_link_came(before, u->id) && !seen_password_came(s, m, u->id))
		return "a password changed by a stranger";
	if (!admin &&
	    (u->disabled != was->disabled ||
		strcmp(u->groups, was->groups) != 0 ||
		memcmp(&u->rest, &was->rest, sizeof(u->rest)) != 0))
		return "an account changed by a stranger";
	if (was->must_change && !u->must_change && !admin &&
	    !seen_link_came(before, u->id))
		return "a password that need not be changed any more";
	if (was->has_factor != u->has_factor && !admin &&
	    !(own && seen_code_came(s, q, m, u->id)))
		return "a second factor changed by a stranger";
	return NULL;
}

static const char *
judge_users(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap *after, const struct memory *m)
{
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < before->n_users && wrong == NULL; i++)
		wrong = judge_user(s, q, before, &before->users[i],
		    seen_user_of(after, before->users[i].id), m);
	for (i = 0; i < after->n_users && wrong == NULL; i++)
		if (seen_user_of(before, after->users[i].id) == NULL &&
		    !seen_admin_came(before, q->now))
			wrong = "an account made by a stranger";
	return wrong;
}

static void
remember(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap *after, struct memory *m)
{
	size_t i;
	int k;

	for (k = 0; k < PEOPLE; k++)
		if (s->people[k].pw != NULL && seen_came(s->people[k].pw))
			m->knocked[k] = true;
	for (i = 0; i < before->n_users; i++) {
		const struct snap_user *was = &before->users[i], *u;

		u = seen_user_of(after, was->id);
		k = seen_person_of(s, was->id);
		if (k < PEOPLE && u != NULL &&
		    memcmp(&u->pw, &was->pw, sizeof(u->pw)) != 0)
			m->changed[k] = true;
	}
	(void)q;
}

const char *
judge(struct stage *s, const struct asked *q, const struct snap *before,
    const struct snap *after, struct memory *m)
{
	const char *wrong;

	seen_gather(q);
	wrong = judge_sessions(s, q, before, after, m);
	if (wrong == NULL)
		wrong = judge_ended(s, q, before, after, m);
	if (wrong == NULL)
		wrong = judge_users(s, q, before, after, m);
	if (wrong == NULL)
		wrong = judge_answer(s, q, before, after);
	remember(s, q, before, after, m);
	return wrong;
}
