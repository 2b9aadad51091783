#include "domain/handoff.h"

#include <string.h>

#include "domain/audit.h"
#include "domain/device.h"
#include "domain/session_new.h"
#include "store/handoffs.h"

static enum dk_err
fill_row(struct handoff_row *row, const struct session *from,
    const struct conf_origin *origin)
{
	struct buf id, text;

	BUF_OVER(&id, row->session_id);
	buf_addz(&id, from->view.session.id);
	BUF_OVER(&text, row->origin);
	buf_add(&text, origin->text);
	return buf_ok(&id) && buf_ok(&text) ? DK_OK : DK_ERR_TOO_LARGE;
}

enum dk_err
handoff_make(struct domain *dom, const struct session *from,
    const struct conf_origin *origin, const struct digest *browser,
    int64_t now_ms, struct secret *code)
{
	struct handoff_row row = { .browser = *browser,
		.expires_at_ms = now_ms + HANDOFF_LIFE_MS };
	struct digest hash;
	enum dk_err err = secret_new(code);

	if (err == DK_OK)
		err = fill_row(&row, from, origin);
	if (err == DK_OK) {
		device_token(code, &hash);
		err = handoffs_add(dom->db, &hash, &row);
	}
	if (err != DK_OK)
		secret_wipe(code, sizeof(*code));
	return err;
}

/* The sign-in that the code is for, while it lasts; fits: it is good here. */
static enum dk_err
find_first(struct domain *dom, const struct handoff *h, int64_t now_ms,
    struct session_view *first, bool *found, bool *fits)
{
	struct handoff_row row;
	struct digest hash;
	enum dk_err err;

	*fits = false;
	device_token(h->code, &hash);
	err = handoffs_take(dom->db, &hash, now_ms, &row, found);
	if (err != DK_OK || !*found)
		return err;
	*fits = h->browser != NULL &&
	    str_eq(str_from(row.origin), h->origin->text) &&
	    digest_eq(&row.browser, h->browser);
	err = sessions_get(dom->db, str_from(row.session_id), first, found);
	*found = err == DK_OK && *found && !first->disabled &&
	    !first->must_change && now_ms < session_expiry(&first->session);
	return err;
}

static enum dk_err
note(struct domain *dom, const struct asker *asker,
    const struct session_view *first, const struct session *session,
    int64_t now_ms)
{
	const struct audit what = { .event = "sign_in",
		.outcome = session == NULL ? "failure" : "success",
		.username = str_from(first->username),
		.session = session == NULL
		    ? STR_NONE
		    : str_from(session->view.session.id),
		.detail = session == NULL
		    ? STR("single sign-on: the code was for another host or "
			  "browser")
		    : STR("single sign-on") };

	return audit_write(dom, asker, &what, now_ms);
}

/* A session of the same person at the asker's host: with the sign-in, level
 * and end of the first. */
static enum dk_err
branch(struct domain *dom, const struct asker *asker,
    const struct session_view *first, int64_t now_ms, struct session *session)
{
	struct session_row *row = &session->view.session;
	enum dk_err err;

	session->view = *first;
	memset(row->ip, 0, sizeof(row->ip));
	memset(row->user_agent, 0, sizeof(row->user_agent));
	memset(row->host, 0, sizeof(row->host));
	err = session_new_token(asker, session);
	if (err == DK_OK)
		err = users_groups(dom->db, row->user_id, &session->groups);
	row->created_at_ms = now_ms;
	row->last_seen_at_ms = now_ms;
	session->expires_at_ms = session_expiry(row);
	return err;
}

/* The new session into the store, in one family with the first. */
static enum dk_err
put(struct domain *dom, const struct session_view *first,
    const struct handoff *h, int64_t now_ms, const struct session *session)
{
	const struct session_row *row = &session->view.session;
	struct str first_id = str_from(first->session.id);
	char family[UUID_TEXT_LEN + 1];
	bool deleted;
	int64_t n;
	enum dk_err err = sessions_set_family(dom->db, first_id, first_id);

	if (err == DK_OK)
		err = sessions_family(
		    dom->db, first_id, row->user_id, family);
	if (err == DK_OK && h->old_id.n > 0)
		err = sessions_delete(dom->db, h->old_id, &deleted);
	if (err == DK_OK && dom->conf->max_per_user > 0)
		err = sessions_delete_oldest(dom->db, row->user_id,
		    (int64_t)dom->conf->max_per_user - 1, now_ms, &n);
	if (err == DK_OK)
		err = sessions_add(dom->db, row);
	if (err == DK_OK)
		err = sessions_set_family(
		    dom->db, str_from(row->id), str_from(family));
	return err;
}

/* Within the transaction. */
static enum dk_err
take(struct domain *dom, const struct asker *asker, const struct handoff *h,
    int64_t now_ms, struct session *session, bool *taken)
{
	struct session_view first = { 0 };
	bool found = false, fits = false;
	enum dk_err err =
	    find_first(dom, h, now_ms, &first, &found, &fits);

	if (err == DK_OK && found && fits)
		err = branch(dom, asker, &first, now_ms, session);
	if (err == DK_OK && found && fits)
		err = put(dom, &first, h, now_ms, session);
	if (err == DK_OK && found)
		err = note(dom, asker, &first, fits ? session : NULL, now_ms);
	*taken = err == DK_OK && found && fits;
	secret_wipe(&first, sizeof(first));
	return err;
}

enum dk_err
handoff_take(struct domain *dom, const struct asker *asker,
    const struct handoff *h, int64_t now_ms, struct session *session,
    bool *taken)
{
	enum dk_err err;

	do {
		*session = (struct session){ 0 };
		*taken = false;
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = take(dom, asker, h, now_ms, session, taken);
		/* A code that was wrong here is used up all the same. */
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	if (err != DK_OK)
		*taken = false;
	if (!*taken)
		secret_wipe(session, sizeof(*session));
	return err;
}
