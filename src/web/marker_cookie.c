#include "domain/access.h"
#include "domain/account.h"
#include "domain/marker.h"
#include "web/gate.h"
#include "web/hosting.h"
#include "web/kept.h"

/* For the administrator. */
static const char unseen_detail[] =
    "Apache has to be able to reach the directory of [hosting] markers (chmod "
    "711 on it and on those above). The .htaccess has to name that directory, "
    "the cookie of this site and a group or user that [access] names too. "
    "Apache's time zone has to be that of the program.";

static bool
has_markers(const struct ctx *c)
{
	return c->web->conf->markers.n > 0;
}

/* Anybody could ask for the files' names where the server gives them out. */
static bool
lies_in_document_root(struct ctx *c)
{
	struct str root = request_param(c->req, STR("DOCUMENT_ROOT"));
	struct str dir = c->web->conf->markers, rest;

	while (root.n > 0 && root.p[root.n - 1] == '/')
		root.n--;
	if (root.n == 0 || !str_starts(dir, root))
		return false;
	rest = str_sub(dir, root.n, dir.n);
	if (rest.n > 0 && rest.p[0] != '/')
		return false;
	LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "markers_unusable",
	    { "directory", dir },
	    { "cause", STR("lies below the document root; name another") });
	return true;
}

/* Somebody who has to use a second factor and did not gets none. */
static enum dk_err
give(struct ctx *c, const struct session *session, bool *made)
{
	const struct session_row *row = &session->view.session;
	struct access_question q = {
		.username = str_from(session->view.username),
		.groups = &session->groups
	};
	struct marker marker = { { 0 } };
	enum dk_err err = DK_OK;

	*made = false;
	if (lies_in_document_root(c))
		err = DK_ERR_CONF;
	if (err == DK_OK &&
	    (row->level >= 2 ||
		!access_needs_factor(c->web->conf, &q)))
		err = marker_make(c->web->dom, session,
		    &session->groups, &marker, made);
	if (err == DK_OK && *made)
		cookie_set_own(c, "gate", str_from(marker.cookie),
		    row->remember ? (row->expires_at_ms - c->now_ms) / 1000
				  : 0);
	secret_wipe(&marker, sizeof(marker));
	return err;
}

void
marker_cookie_set(struct ctx *c, const struct session *session)
{
	bool made;

	/* Without it they are signed in all the same, and get one, or hear
	 * why not, at the first page that Apache refuses. */
	if (has_markers(c) && give(c, session, &made) != DK_OK)
		LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "marker_missing",
		    { "request_id", str_from(c->req->id) });
}

void
marker_cookie_erase(struct ctx *c)
{
	if (has_markers(c))
		cookie_set_own(c, "gate", STR(""), 0);
}

bool
marker_lead_back(struct ctx *c, struct str next)
{
	struct str cookie = cookie_own(c, "gate");
	bool good = false;
	enum dk_err err = DK_OK;

	if (!has_markers(c))
		return false;
	if (cookie.n > 0)
		err = marker_check(
		    c->web->dom, &c->session, &c->session.groups, cookie,
		    c->now_ms, &good);
	if (err == DK_OK && good) {
		page_problem(c,
		    &(struct page_problem){ .status = 403,
			.message = MSG_MARKER_UNSEEN,
			.detail = unseen_detail });
		return true;
	}
	/* The answer first: it drops the cookies that were there. */
	page_lead_on(c, next_or_home(c, next));
	if (err == DK_OK)
		err = give(c, &c->session, &good);
	if (err != DK_OK)
		page_fail(c, err);
	else if (!good)
		page_sign_in_here(c, next, MSG_NONE);
	return true;
}

void
marker_settle(struct ctx *c)
{
	enum dk_err err;

	if (!has_markers(c) || c->web->dom->db == NULL)
		return;
	err = marker_sweep(c->web->dom, c->now_ms);
	if (err == DK_OK)
		return;
	LOG_WRITE(c->web->log, LOG_LEVEL_ERROR, "marker_stays",
	    { "request_id", str_from(c->req->id) },
	    { "cause", str_from(err_name(err)) });
	/* Signed out, and yet let in by a file: that is not to be hidden. */
	if (c->req->method == METHOD_POST)
		page_error(c, 503, MSG_MARKER_STAYS);
}
