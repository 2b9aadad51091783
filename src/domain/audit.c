#include "domain/audit.h"

#include "base/clock.h"

enum { SESSION_REFERENCE_LEN = 8 };

/* The store keeps UTF-8 without NUL alone; the log escapes the rest. */
static struct str
to_keep(struct str s)
{
	return str_is_utf8(s) && !str_contains(s, '\0') ? s
							: STR("(not UTF-8)");
}

enum dk_err
audit_write(struct domain *dom, const struct asker *asker,
    const struct audit *what, int64_t now_ms)
{
	struct str session = str_sub(what->session, 0, SESSION_REFERENCE_LEN);
	const struct event_row row = { .at_ms = now_ms,
		.event = str_from(what->event),
		.outcome = str_from(what->outcome),
		.username = to_keep(what->username),
		.ip = asker->ip,
		.session = session,
		.request_id = asker->request_id,
		.actor = asker->actor,
		.detail = to_keep(what->detail) };

	bool success = str_eq(row.outcome, STR("success"));
	enum dk_err err = events_add(dom->db, &row);

	/* What could not be written is not done, so it is no success; a
	 * failure is worth its line whatever the store says. */
	if (success && err != DK_OK)
		return err;
	LOG_WRITE(dom->log, success ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    what->event, { "outcome", row.outcome },
	    { "username", what->username }, { "ip", row.ip },
	    { "session", session }, { "request_id", row.request_id },
	    { "actor", row.actor }, { "detail", what->detail });
	return err;
}

enum dk_err
audit_sign_ins(struct domain *dom, struct str username, size_t limit,
    events_fn *fn, void *arg)
{
	return events_sign_ins(dom->db, username, limit, fn, arg);
}

enum dk_err
audit_list(struct domain *dom, const struct event_filter *filter,
    int64_t after_id, size_t limit, events_fn *fn, void *arg)
{
	return events_list(dom->db, filter, after_id, limit, fn, arg);
}

enum dk_err
audit_find(struct domain *dom, const struct event_filter *filter,
    int64_t at_ms, int64_t id, size_t limit, events_fn *fn, void *arg)
{
	return events_find(dom->db, filter, at_ms, id, limit, fn, arg);
}

void
audit_json(struct jw *w, const struct event_row *row)
{
	char time[CLOCK_ISO_LEN + 1];

	clock_iso(row->at_ms, time);
	jw_object(w, NULL);
	jw_str(w, "at", str_from(time));
	jw_str(w, "event", row->event);
	jw_str(w, "outcome", row->outcome);
	jw_str(w, "username", row->username);
	jw_str(w, "ip", row->ip);
	jw_str(w, "session", row->session);
	jw_str(w, "request_id", row->request_id);
	jw_str(w, "actor", row->actor);
	jw_str(w, "detail", row->detail);
	jw_end(w);
}
