#include "base/clock.h"
#include "domain/account.h"
#include "web/page.h"

/* Does the store answer?  A look-up that finds nothing says so. */
static enum dk_err
ask_store(struct ctx *c)
{
	struct user_row user;
	bool found;
	enum dk_err err;

	err = domain_connect(c->web->dom, clock_monotonic_ms());
	if (err != DK_OK)
		return err;
	err = account_get(c->web->dom, STR("health"), &user, &found);
	secret_wipe(&user, sizeof(user));
	return err;
}

void
page_health(struct ctx *c)
{
	enum dk_err err = ask_store(c);
	struct jw w;

	page_json(c, err == DK_OK ? 200 : 503, &w);
	jw_object(&w, NULL);
	jw_str(&w, "status", err == DK_OK ? STR("ok") : STR("unavailable"));
	jw_end(&w);
	if (err != DK_OK)
		response_header(c->res, "Retry-After", STR("5"));
}

/* Prometheus text exposition 0.0.4. */
void
page_metrics(struct ctx *c)
{
	const struct conf *conf = c->web->conf;
	int64_t sessions = 0, users = 0;
	enum dk_err err;

	if (!c->req->has_addr ||
	    !ip_nets_contain(conf->metrics_allow, conf->n_metrics_allow,
		&c->req->addr)) {
		page_error(c, 403, MSG_NONE);
		return;
	}
	err = session_count(c->web->dom, c->now_ms, &sessions);
	if (err == DK_OK)
		err = account_count(c->web->dom, &users);
	if (err != DK_OK) {
		page_fail(c, err);
		return;
	}
	response_start(c->res, 200,
	    STR("text/plain; version=0.0.4; charset=utf-8"));
	buf_addf(&c->res->body,
	    "# HELP doorkeep_sessions_active Sessions that are live.\n"
	    "# TYPE doorkeep_sessions_active gauge\n"
	    "doorkeep_sessions_active %lld\n"
	    "# HELP doorkeep_users Accounts.\n"
	    "# TYPE doorkeep_users gauge\n"
	    "doorkeep_users %lld\n",
	    (long long)sessions, (long long)users);
}
