/*
 * What several keys say together: defaults that follow from others, and what
 * cannot stand side by side.
 */
#include <string.h>
#include <unistd.h>

#include "conf/conf_table.h"

enum { PASSWORD_MIN_WITH_FACTOR = 8, GROUP_NAME_MAX = 64 };

struct settling {
	struct conf *conf;
	unsigned *line;
	struct buf *why;
};

static enum dk_err fail_at(
    struct settling *s, unsigned line, const char *fmt, ...) DK_PRINTF(3, 4);

static enum dk_err
fail_at(struct settling *s, unsigned line, const char *fmt, ...)
{
	va_list ap;

	*s->line = line;
	va_start(ap, fmt);
	buf_vaddf(s->why, fmt, ap);
	va_end(ap);
	return DK_ERR_CONF;
}

/* Where the key stands, for reading and setting; 0: a default. */
static unsigned *
line_of(struct conf *conf, const char *section, const char *key)
{
	const struct conf_key *entry =
	    conf_find_key(str_from(section), str_from(key));

	return &conf->lines[entry - conf_keys];
}

static bool
is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_' ||
			c == '.'))
			return false;
	}
	return s.n > 0 && s.n <= 100;
}

/* Where the first of two keys that were given stands; 0: neither was. */
static unsigned
line_of_pair(
    struct conf *c, const char *section, const char *one, const char *other)
{
	unsigned line = *line_of(c, section, one);

	return line != 0 ? line : *line_of(c, section, other);
}

/*
 * Over http a browser takes no cookie whose name has a prefix, in whatever
 * case it is written (draft-ietf-httpbis-rfc6265bis 5.7).
 */
static struct str
without_prefix(struct str name)
{
	if (str_starts(name, STR("__Secure-")))
		return str_sub(name, 9, name.n);
	if (!str_starts(name, STR("__Host-")))
		return name;
	name = str_sub(name, 7, name.n);
	if (str_starts(name, STR("Http-")))
		name = str_sub(name, 5, name.n);
	return name;
}

/*
 * A browser drops a cookie for a domain that the host is not in, and people
 * would sign in for ever.
 */
static bool
domain_holds_an_origin(const struct conf *c)
{
	struct str domain = c->cookie_domain;
	size_t i;

	if (str_starts(domain, STR(".")))
		domain = str_sub(domain, 1, domain.n);
	for (i = 0; i < c->n_origins; i++) {
		struct str host = c->origins[i].host, front;

		if (host.n < domain.n)
			continue;
		front = str_sub(host, 0, host.n - domain.n);
		if (str_ieq(str_sub(host, front.n, domain.n), domain) &&
		    (front.n == 0 || str_ends(front, STR("."))))
			return true;
	}
	return false;
}

/* Would single sign-on do what people expect of it?  NULL: yes. */
static const char *
single_sign_on_problem(const struct conf *c)
{
	size_t i;

	if (c->n_origins < 2)
		return "single_sign_on needs a second address in [site] origin";
	if (c->cookie_domain.n > 0)
		return "single_sign_on is for hosts that share no cookie; "
		       "remove it, or [cookie] domain";
	if (c->max_per_user > 0 && c->max_per_user < c->n_origins)
		return "with single_sign_on a person has a session for each "
		       "host; make max_per_user at least the number of "
		       "addresses in [site] origin, or 0";
	for (i = 1; i < c->n_origins; i++)
		if (c->origins[0].https && !c->origins[i].https)
			return "single_sign_on would carry a sign-in from "
			       "https to plain http; make every address in "
			       "[site] origin https";
	return NULL;
}

static enum dk_err
settle_single_sign_on(struct settling *s)
{
	const char *problem =
	    s->conf->single_sign_on ? single_sign_on_problem(s->conf) : NULL;

	if (problem == NULL)
		return DK_OK;
	return fail_at(s,
	    line_of_pair(
		s->conf, "session", "single_sign_on", "single_sign_on"),
	    "%s", problem);
}

/* The cookie's two names, and whether its prefix may stand (DK-C-01). */
static enum dk_err
settle_cookie(struct settling *s)
{
	struct conf *c = s->conf;
	unsigned line = line_of_pair(c, "cookie", "name", "domain");
	unsigned domain_line = line_of_pair(c, "cookie", "domain", "domain");
	bool wide = c->cookie_domain.n > 0;

	if (str_is_none(c->cookie_name))
		c->cookie_name =
		    wide ? STR("__Secure-doorkeep") : STR("__Host-doorkeep");
	if (!is_token(c->cookie_name))
		return fail_at(s, line,
		    "name may hold up to 100 letters, digits and - _ . only");
	/* DK-C-12: other hosts of the domain can set a name without it. */
	if (wide && !str_starts(c->cookie_name, STR("__Secure-")))
		return fail_at(s, line,
		    "the name of a cookie with a domain must begin with "
		    "__Secure-; change name or remove domain");
	if (wide && !is_token(c->cookie_domain))
		return fail_at(s, domain_line,
		    "domain must be a name such as example.org");
	if (wide && !domain_holds_an_origin(c))
		return fail_at(s, domain_line,
		    "the host of no origin belongs to domain, so no browser "
		    "would keep the cookie; give a domain that is the end of "
		    "a host in [site] origin");
	c->cookie_name_http = without_prefix(c->cookie_name);
	if (c->cookie_name_http.n == 0)
		return fail_at(s, line,
		    "name is nothing but a prefix; write more behind it");
	if (str_starts(c->cookie_name_http, STR("__")))
		return fail_at(s, line,
		    "name may begin with __Host- or __Secure-, written so and "
		    "once, and with no other __");
	return DK_OK;
}

/* The equals of m=19456 t=2 that OWASP gives (DK-P-01). */
static bool
argon2_is_strong(unsigned memory_kib, unsigned passes)
{
	static const struct {
		unsigned memory_kib, passes;
	} floors[] = { { 47104, 1 }, { 19456, 2 }, { 12288, 3 }, { 9216, 4 },
		{ 7168, 5 } };
	size_t i;

	for (i = 0; i < sizeof(floors) / sizeof(floors[0]); i++)
		if (memory_kib >= floors[i].memory_kib &&
		    passes >= floors[i].passes)
			return true;
	return false;
}

/* Apache lets markers' owners in by itself: nobody sees them being idle. */
static enum dk_err
settle_markers(struct settling *s)
{
	struct conf *c = s->conf;
	unsigned *idle, *remember_idle;

	if (str_is_none(c->markers))
		return DK_OK;
	idle = line_of(c, "session", "idle_timeout");
	remember_idle = line_of(c, "session", "remember_idle_timeout");
	if ((*idle != 0 && c->idle_timeout_ms != 0) ||
	    (*remember_idle != 0 && c->remember_idle_timeout_ms != 0))
		return fail_at(s, *idle != 0 ? *idle : *remember_idle,
		    "with [hosting] markers sessions have no idle time, for "
		    "the web server lets people in without asking; write 0s, "
		    "and make absolute_timeout shorter instead");
	c->idle_timeout_ms = c->remember_idle_timeout_ms = 0;
	*idle = *remember_idle = *line_of(c, "hosting", "markers");
	return DK_OK;
}

static enum dk_err
settle_timeouts(struct settling *s)
{
	struct conf *c = s->conf;

	if (c->idle_timeout_ms > c->absolute_timeout_ms)
		return fail_at(s,
		    line_of_pair(
			c, "session", "idle_timeout", "absolute_timeout"),
		    "idle_timeout is longer than absolute_timeout and would "
		    "never count; make it shorter or 0s");
	if (c->remember_idle_timeout_ms > c->remember_absolute_timeout_ms)
		return fail_at(s,
		    line_of_pair(c, "session", "remember_idle_timeout",
			"remember_absolute_timeout"),
		    "remember_idle_timeout is longer than "
		    "remember_absolute_timeout; make it shorter or 0s");
	return DK_OK;
}

/*
 * Every request belongs to one of the origins, so a rule for another host
 * would never match: "https://...", "host:8443/" and "x/" for "/x/" among
 * them.  Were it one that denies, the next would let people in.
 */
static enum dk_err
settle_rules(struct settling *s)
{
	const struct conf *c = s->conf;
	size_t i, k;

	for (i = 0; i < c->n_rules; i++) {
		struct str host = c->rules[i].host, shown = conf_shown(host);
		bool known = str_is_none(host);

		for (k = 0; k < c->n_origins && !known; k++)
			known = str_eq(host, c->origins[k].host);
		if (!known)
			return fail_at(s, c->rules[i].line,
			    "\"%.*s\" is the host of no origin; write /path/, "
			    "or host/path/ with a host from [site] origin, "
			    "without scheme and port",
			    STR_FMT(shown));
	}
	return DK_OK;
}

/* A name that no group can have would leave the desk to nobody. */
static enum dk_err
settle_admin(struct settling *s)
{
	const struct conf *c = s->conf;

	if (str_is_none(c->admin_group) ||
	    (is_token(c->admin_group) && c->admin_group.n <= GROUP_NAME_MAX))
		return DK_OK;
	return fail_at(s, *line_of(s->conf, "admin", "group"),
	    "group is one name of 1 to 64 letters, digits and . _ -");
}

enum dk_err
conf_settle(struct conf *c, unsigned *line, struct buf *why)
{
	struct settling s = { .conf = c, .line = line, .why = why };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long most =
	    (long)conf_find_key(STR("security"), STR("max_parallel_hashes"))
		->max;
	enum dk_err err;

	if (c->n_origins == 0)
		return fail_at(&s, 0,
		    "[site] origin is missing; give what people type, such "
		    "as: origin = https://www.example.org");
	if (str_is_none(c->name))
		c->name = c->origins[0].host;
	/* 8 with a second factor (63B 3.1.1.2), unless the site says more. */
	c->password_min_with_factor = PASSWORD_MIN_WITH_FACTOR;
	if (*line_of(c, "security", "password_min_length") != 0)
		c->password_min_with_factor = c->password_min_length;
	if (c->max_parallel_hashes == 0)
		c->max_parallel_hashes =
		    cpus < 1 ? 1 : (unsigned)(cpus < most ? cpus : most);
	if (!argon2_is_strong(c->argon2_memory_kib, c->argon2_passes))
		return fail_at(&s,
		    line_of_pair(
			c, "security", "argon2_memory", "argon2_passes"),
		    "argon2_memory and argon2_passes are too weak together; "
		    "take at least 47104 and 1, 19456 and 2, 12288 and 3, "
		    "9216 and 4, or 7168 and 5");
	err = settle_markers(&s);
	if (err == DK_OK)
		err = settle_timeouts(&s);
	if (err == DK_OK)
		err = settle_cookie(&s);
	if (err == DK_OK)
		err = settle_single_sign_on(&s);
	if (err == DK_OK)
		err = settle_admin(&s);
	return err == DK_OK ? settle_rules(&s) : err;
}
