#include "domain/access.h"

enum { GLOB_MAX = 1024 }; /* conf_access.c lets nothing longer in */

/* A '*' that has another beside it: it crosses '/'. */
static bool
is_deep(struct str pattern, size_t i)
{
	return (i > 0 && pattern.p[i - 1] == '*') ||
	    (i + 1 < pattern.n && pattern.p[i + 1] == '*');
}

/* Does the pattern's character at i take c? */
static bool
takes(struct str pattern, size_t i, char c)
{
	if (pattern.p[i] == '*')
		return c != '/' || is_deep(pattern, i);
	return pattern.p[i] == c || (pattern.p[i] == '?' && c != '/');
}

/*
 * All places of the pattern are kept at once, so that a path chosen by a
 * stranger costs its length times that of the pattern and no more, however
 * many '*' there are.  at[i]: what stands before i has matched so far.
 */
static bool
glob_matches(struct str pattern, struct str path)
{
	bool at[GLOB_MAX + 1] = { true };
	bool alive = true;
	size_t i, k;

	if (pattern.n > GLOB_MAX)
		return false;
	for (k = 0; k <= path.n && alive; k++) {
		/* A '*' may stand for nothing. */
		for (i = 0; i < pattern.n; i++)
			if (pattern.p[i] == '*' && at[i])
				at[i + 1] = true;
		if (k == path.n)
			return at[pattern.n];
		alive = false;
		for (i = pattern.n + 1; i-- > 0;) {
			bool stays = i < pattern.n && pattern.p[i] == '*' &&
			    at[i] && takes(pattern, i, path.p[k]);
			bool comes = i > 0 && pattern.p[i - 1] != '*' &&
			    at[i - 1] && takes(pattern, i - 1, path.p[k]);

			at[i] = stays || comes;
			alive = alive || at[i];
		}
	}
	return false;
}

/* "/x/" holds /x and all below; "/x" holds /x and /x/…, not /xy. */
static bool
prefix_matches(struct str prefix, struct str path)
{
	if (str_ends(prefix, STR("/")))
		prefix.n--;
	if (!str_starts(path, prefix))
		return false;
	return path.n == prefix.n || path.p[prefix.n] == '/';
}

bool
access_pattern_matches(
    const struct conf_rule *rule, struct str host, struct str path)
{
	if (!str_is_none(rule->host) && !str_ieq(rule->host, host))
		return false;
	return rule->glob ? glob_matches(rule->pattern, path)
			  : prefix_matches(rule->pattern, path);
}

static bool
method_fits(const struct conf_rule *rule, struct str method)
{
	struct str list = rule->methods, item;

	if (str_is_none(list))
		return true;
	while (str_cut(&list, ',', &item)) {
		item = str_trim(item);
		/* HEAD is GET without a body (RFC 9110 9.3.2). */
		if (str_eq(item, method) ||
		    (str_eq(item, STR("GET")) && str_eq(method, STR("HEAD"))))
			return true;
	}
	return false;
}

static bool
net_fits(const struct conf_rule *rule, const struct ip_addr *addr)
{
	if (rule->n_nets == 0)
		return true;
	return addr != NULL && ip_nets_contain(rule->nets, rule->n_nets, addr);
}

static const struct conf_rule *
find_rule(const struct conf *conf, const struct access_question *q)
{
	size_t i;

	for (i = 0; i < conf->n_rules; i++)
		if (access_pattern_matches(&conf->rules[i], q->host, q->path))
			return &conf->rules[i];
	return NULL;
}

static bool
subject_fits(const struct conf_subject *subjects, size_t n,
    const struct access_question *q)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		struct str name = subjects[i].name;

		if (subjects[i].kind == CONF_SUBJECT_USER) {
			if (str_ieq(name, q->username))
				return true;
			continue;
		}
		for (k = 0; q->groups != NULL && k < q->groups->n; k++)
			if (str_eq(name, str_from(q->groups->name[k])))
				return true;
	}
	return false;
}

bool
access_needs_factor(const struct conf *conf, const struct access_question *q)
{
	return conf->factor_for_all ||
	    subject_fits(conf->factor_subjects, conf->n_factor_subjects, q);
}

static struct access_answer
answer(enum access_verdict verdict, const struct conf_rule *rule,
    const char *reason)
{
	return (struct access_answer){ .verdict = verdict,
		.rule = rule,
		.reason = reason,
		.activity = rule != NULL && rule->activity };
}

struct access_answer
access_judge(const struct conf *conf, const struct access_question *q)
{
	const struct conf_rule *rule = find_rule(conf, q);

	if (rule == NULL)
		return answer(ACCESS_DENIED, NULL,
		    conf->n_rules == 0
			? "There are no rules in [access], so everything is "
			  "denied; \"/ = any\" lets everybody in who is "
			  "signed in."
			: "No rule matches, and what no rule matches is "
			  "denied.");
	/* Part of the requirement: what is not met is denied, and no later
	 * rule is asked. */
	if (!method_fits(rule, q->method))
		return answer(ACCESS_DENIED, rule,
		    "The rule is for other methods than this.");
	if (!net_fits(rule, q->addr))
		return answer(ACCESS_DENIED, rule,
		    "The rule is for other networks than this.");
	if (rule->requirement == CONF_REQUIRE_PUBLIC)
		return answer(
		    ACCESS_ALLOWED, rule, "The rule makes it public.");
	if (rule->requirement == CONF_REQUIRE_DENY)
		return answer(ACCESS_DENIED, rule, "The rule denies it.");
	if (!q->signed_in)
		return answer(ACCESS_SIGN_IN, rule,
		    "The rule asks for a sign-in, and nobody is signed in.");
	if (rule->requirement == CONF_REQUIRE_SUBJECTS &&
	    !subject_fits(rule->subjects, rule->n_subjects, q))
		return answer(ACCESS_DENIED, rule,
		    "The rule does not name this person or a group of "
		    "theirs.");
	if (rule->level > q->level)
		return answer(
		    ACCESS_STEP_UP, rule, "The rule asks for a second factor.");
	if (q->level < 2 && access_needs_factor(conf, q))
		return answer(ACCESS_STEP_UP, rule,
		    "This person has to use a second factor "
		    "(require_second_factor).");
	if (rule->reauth_ms > 0 &&
	    q->now_ms - q->authenticated_at_ms >= rule->reauth_ms)
		return answer(ACCESS_REAUTH, rule,
		    "The rule asks for a more recent sign-in.");
	return answer(ACCESS_ALLOWED, rule, "The rule allows it.");
}
