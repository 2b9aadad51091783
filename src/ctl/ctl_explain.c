/*
 * doorkeep explain: the decision of the gate, without a gate.
 */
#include <stdio.h>

#include "base/net.h"
#include "base/secret.h"
#include "ctl/ctl.h"
#include "domain/access.h"
#include "http/url.h"

enum { JSON_MAX = 16 * 1024 };

static const char *const verdict_names[] = { [ACCESS_DENIED] = "denied",
	[ACCESS_SIGN_IN] = "sign in first",
	[ACCESS_REAUTH] = "sign in again",
	[ACCESS_STEP_UP] = "second factor first",
	[ACCESS_ALLOWED] = "allowed" };

struct question {
	struct access_question q;
	struct group_list groups;
	struct user_row user;
	struct ip_addr addr;
	struct str mount_rest; /* behind the mount; STR_NONE: not ours */
};

/* The host and the path of a URL, or of a path on the first origin. */
static enum ctl_exit
take_url(struct ctl *ctl, struct question *at)
{
	struct str url = ctl->operand[0], path = url, rest;
	const struct conf *conf = &ctl->conf;
	struct url_origin origin;
	size_t i, slashes;

	at->q.host = conf->origins[0].host;
	if (!str_starts(url, STR("/"))) {
		if (!url_origin_of(url, &ctl->arena, &origin))
			return ctl_misuse(ctl,
			    "\"%.*s\" is neither a path nor a URL",
			    STR_FMT(url));
		for (i = 0; i < conf->n_origins; i++)
			if (str_eq(conf->origins[i].host, origin.host))
				break;
		if (i == conf->n_origins)
			return ctl_fail("%.*s is no origin of this doorkeep; "
					"[site] origin lists them",
			    STR_FMT(origin.host));
		at->q.host = origin.host;
		for (i = 0, slashes = 0; i < url.n && slashes < 3; i++)
			slashes += url.p[i] == '/';
		path = slashes < 3 ? STR("/") : str_sub(url, i - 1, url.n);
	}
	(void)str_split(path, '?', &path, &rest);
	(void)str_split(path, '#', &path, &rest);
	if (url_canonical_path(path, &ctl->arena, &at->q.path) != DK_OK)
		return ctl_fail("%.*s: servers read such a path in different "
				"ways; it is denied to everybody",
		    STR_FMT(path));
	at->mount_rest = STR_NONE;
	if (str_starts(at->q.path, conf->mount))
		at->mount_rest =
		    str_sub(at->q.path, conf->mount.n, at->q.path.n);
	return CTL_DONE;
}

static enum ctl_exit
take_user(struct ctl *ctl, struct question *at)
{
	enum ctl_exit e;
	enum dk_err err;

	if (!ctl_has(ctl, "user"))
		return ctl_has(ctl, "level")
		    ? ctl_misuse(ctl, "--level goes with --user")
		    : CTL_DONE;
	e = ctl_open_store(ctl, false, false);
	if (e == CTL_DONE)
		e = ctl_find_user(ctl, ctl_value(ctl, "user"), &at->user);
	if (e != CTL_DONE)
		return e;
	if (at->user.disabled)
		return ctl_fail("%s is disabled: every page answers as to "
				"somebody who is not signed in",
		    at->user.username);
	err = account_groups(&ctl->dom, at->user.id, &at->groups);
	if (err != DK_OK)
		return ctl_fail_err(err, "the groups could not be read");
	at->q.signed_in = true;
	at->q.username = str_from(at->user.username);
	at->q.groups = &at->groups;
	at->q.authenticated_at_ms = ctl->now_ms;
	return CTL_DONE;
}

static enum ctl_exit
take_rest(struct ctl *ctl, struct question *at)
{
	struct str level = ctl_value(ctl, "level");

	at->q.now_ms = ctl->now_ms;
	at->q.method =
	    ctl_has(ctl, "method") ? ctl_value(ctl, "method") : STR("GET");
	at->q.level = 1;
	if (str_eq(level, STR("2")))
		at->q.level = 2;
	else if (!str_is_none(level) && !str_eq(level, STR("1")))
		return ctl_misuse(ctl, "--level is 1 or 2");
	if (!ctl_has(ctl, "from"))
		return CTL_DONE;
	if (!ip_parse(ctl_value(ctl, "from"), &at->addr))
		return ctl_misuse(ctl, "--from %.*s is no address",
		    STR_FMT(ctl_value(ctl, "from")));
	at->q.addr = &at->addr;
	return CTL_DONE;
}

/* "FILE:LINE: the line", or what holds where there is none. */
static void
say_rule(struct ctl *ctl, const struct conf_rule *rule)
{
	if (rule == NULL) {
		ctl_say("rule    none matches, and what no rule of [access] "
			"matches is denied");
		return;
	}
	(void)printf("rule    %s:%u: ", buf_z(&ctl->config_file), rule->line);
	ctl_put(rule->text);
	(void)putchar('\n');
}

static enum ctl_exit
say_answer(struct ctl *ctl, const struct question *at,
    const struct access_answer *answer)
{
	char text[JSON_MAX];
	struct buf b;
	struct jw w;

	if (!ctl->json) {
		(void)printf("path    ");
		ctl_put(at->q.path);
		ctl_say("%s", "");
		say_rule(ctl, answer->rule);
		ctl_say("answer  %s", verdict_names[answer->verdict]);
		ctl_say("why     %s", answer->reason);
		return CTL_DONE;
	}
	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "host", at->q.host);
	jw_str(&w, "path", at->q.path);
	if (answer->rule == NULL) {
		jw_null(&w, "rule");
		jw_null(&w, "line");
	} else {
		jw_str(&w, "rule", answer->rule->text);
		jw_int(&w, "line", answer->rule->line);
	}
	jw_str(&w, "answer", str_from(verdict_names[answer->verdict]));
	jw_str(&w, "reason", str_from(answer->reason));
	jw_end(&w);
	return ctl_put_json(&b);
}

static bool
is_own_page(const struct ctl *ctl, const struct question *at)
{
	return ctl->conf.mount.n > 0 && !str_is_none(at->mount_rest) &&
	    (at->mount_rest.n == 0 || at->mount_rest.p[0] == '/');
}

enum ctl_exit
ctl_explain(struct ctl *ctl)
{
	static struct question at;
	struct access_answer answer;
	enum ctl_exit e;

	e = take_url(ctl, &at);
	if (e == CTL_DONE)
		e = take_user(ctl, &at);
	if (e == CTL_DONE)
		e = take_rest(ctl, &at);
	if (e == CTL_DONE && is_own_page(ctl, &at)) {
		answer = (struct access_answer){ .verdict = ACCESS_ALLOWED,
			.reason = "It is a page of doorkeep itself; no rule "
				  "is asked." };
		e = say_answer(ctl, &at, &answer);
	} else if (e == CTL_DONE) {
		answer = access_judge(&ctl->conf, &at.q);
		e = say_answer(ctl, &at, &answer);
	}
	secret_wipe(&at.user, sizeof(at.user));
	return e;
}
