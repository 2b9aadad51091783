/*
 * The rules of [access].  The first byte says who asks, the first line what
 * for (METHOD HOST PATH), the rest is the section.  The decision is compared
 * with one that is made again here, slowly and by the manual: the first rule
 * whose pattern matches decides, none means no.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "domain/access.h"

enum { INPUT_MAX = 2048, ARENA_SIZE = 1024 * 1024 };

struct asker {
	struct access_question q;
	struct group_list groups;
	struct ip_addr addr;
};

/* '*' within a segment, two and more across them; exponential, so short. */
static bool
glob(const char *p, size_t n, const char *s, size_t m, unsigned *left)
{
	size_t i, stars = 0;

	if (*left == 0)
		return false;
	(*left)--;
	if (n == 0)
		return m == 0;
	while (stars < n && p[stars] == '*')
		stars++;
	if (stars == 0)
		return m > 0 &&
		    (p[0] == s[0] || (p[0] == '?' && s[0] != '/')) &&
		    glob(p + 1, n - 1, s + 1, m - 1, left);
	for (i = 0; i <= m; i++) {
		if (glob(p + stars, n - stars, s + i, m - i, left))
			return true;
		if (i < m && s[i] == '/' && stars == 1)
			return false;
	}
	return false;
}

static bool
pattern_fits(
    const struct conf_rule *r, const struct access_question *q, unsigned *left)
{
	struct str p = r->pattern;

	if (!str_is_none(r->host) && !str_ieq(r->host, q->host))
		return false;
	if (r->glob)
		return glob(p.p, p.n, q->path.p, q->path.n, left);
	if (p.n > 0 && p.p[p.n - 1] == '/')
		p.n--;
	return q->path.n >= p.n && memcmp(q->path.p, p.p, p.n) == 0 &&
	    (q->path.n == p.n || q->path.p[p.n] == '/');
}

static bool
is_named(const struct conf_rule *r, const struct access_question *q)
{
	size_t i, k;

	for (i = 0; i < r->n_subjects; i++) {
		const struct conf_subject *s = &r->subjects[i];

		if (s->kind == CONF_SUBJECT_USER &&
		    str_ieq(s->name, q->username))
			return true;
		for (k = 0; s->kind == CONF_SUBJECT_GROUP && k < q->groups->n;
		     k++)
			if (str_eq(s->name, str_from(q->groups->name[k])))
				return true;
	}
	return false;
}

/* May it be allowed at all?  What is left out is what only refuses more. */
static bool
may_be_allowed(const struct conf_rule *r, const struct access_question *q)
{
	if (r == NULL || r->requirement == CONF_REQUIRE_DENY)
		return false;
	if (r->n_nets > 0 && !ip_nets_contain(r->nets, r->n_nets, q->addr))
		return false;
	if (r->requirement == CONF_REQUIRE_PUBLIC)
		return true;
	if (!q->signed_in || q->level < r->level ||
	    (r->reauth_ms > 0 &&
		q->now_ms - q->authenticated_at_ms > r->reauth_ms))
		return false;
	return r->requirement == CONF_REQUIRE_ANY || is_named(r, q);
}

static void
compare(const struct conf *conf, const struct access_question *q)
{
	struct access_answer a = access_judge(conf, q);
	const struct conf_rule *rule = NULL;
	unsigned left = 200000;
	size_t i;

	for (i = 0; i < conf->n_rules && rule == NULL; i++)
		if (pattern_fits(&conf->rules[i], q, &left))
			rule = &conf->rules[i];
	if (left == 0)
		return;
	if (a.rule != rule || a.reason == NULL)
		abort();
	if (a.verdict == ACCESS_ALLOWED && !may_be_allowed(rule, q))
		abort();
	if (rule != NULL && rule->requirement == CONF_REQUIRE_ANY &&
	    str_is_none(rule->methods) && may_be_allowed(rule, q) &&
	    a.verdict != ACCESS_ALLOWED)
		abort();
	if (a.verdict == ACCESS_SIGN_IN && q->signed_in)
		abort();
}

static void
make_asker(struct asker *who, unsigned flags, struct str line)
{
	struct access_question *q = &who->q;

	*who = (struct asker){ 0 };
	(void)str_cut(&line, ' ', &q->method);
	(void)str_cut(&line, ' ', &q->host);
	q->path = str_is_none(line) ? STR("/") : line;
	q->groups = &who->groups;
	q->signed_in = (flags & 1) != 0;
	q->username = STR("alice");
	q->level = flags & 2 ? 2 : 1;
	q->now_ms = INT64_C(1900000000000);
	q->authenticated_at_ms = q->now_ms - (flags & 4 ? 3600000 : 1000);
	if ((flags & 8) != 0) {
		memcpy(who->groups.name[0], "staff", 6);
		who->groups.n = 1;
	}
	if ((flags & 16) != 0 && ip_parse(STR("192.0.2.7"), &who->addr))
		q->addr = &who->addr;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[INPUT_MAX + 256], said[512];
	struct str input = { (const char *)data, size }, line, rules;
	struct buf conf_text, message;
	struct arena arena;
	struct conf conf;
	struct asker who;

	if (size < 1 || size > INPUT_MAX ||
	    arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	(void)str_split(str_sub(input, 1, size), '\n', &line, &rules);
	BUF_OVER(&conf_text, text);
	buf_addz(&conf_text,
	    "[site]\norigin = https://www.example.org\n"
	    "[access]\n");
	buf_add(&conf_text, rules);
	BUF_OVER(&message, said);
	if (conf_parse(STR("fuzz.conf"), buf_str(&conf_text), &arena, &conf,
		&message) == DK_OK) {
		make_asker(&who, data[0], line);
		compare(&conf, &who.q);
	}
	arena_close(&arena);
	return 0;
}
