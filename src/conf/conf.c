#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dsn.h"
#include "conf/conf_table.h"

enum { PASSWORD_MIN_WITH_FACTOR = 8, GROUP_NAME_MAX = 64 };

/* A file under way: what has been read, and where. */
struct reader {
	struct str path;
	unsigned line;
	struct str section;
	struct arena *arena;
	struct conf *conf;
	struct buf *message;
};

static enum dk_err fail_at(
    struct reader *r, unsigned line, const char *fmt, ...) DK_PRINTF(3, 4);

static enum dk_err
fail_at(struct reader *r, unsigned line, const char *fmt, ...)
{
	size_t most = r->message->max / 2;
	struct str path = r->path;
	va_list ap;

	/* The end of a very long path, so that the reason is said too. */
	if (path.n > most)
		path = str_sub(path, path.n - most, most);
	buf_reset(r->message);
	if (line > 0)
		buf_addf(r->message, "%.*s:%u: ", STR_FMT(path), line);
	else
		buf_addf(r->message, "%.*s: ", STR_FMT(path));
	va_start(ap, fmt);
	buf_vaddf(r->message, fmt, ap);
	va_end(ap);
	return DK_ERR_CONF;
}

static enum dk_err
fail_memory(struct reader *r)
{
	(void)fail_at(r, r->line, "does not fit into memory");
	return DK_ERR_NOMEM;
}

static enum dk_err
fail_size(struct reader *r)
{
	(void)fail_at(r, 0, "is larger than %d bytes", CONF_FILE_MAX);
	return DK_ERR_TOO_LARGE;
}

static const struct conf_key *
find_key(struct str section, struct str key)
{
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(section, str_from(conf_keys[i].section)) &&
		    str_eq(key, str_from(conf_keys[i].key)))
			return &conf_keys[i];
	return NULL;
}

static unsigned *
line_of(struct conf *conf, const struct conf_key *key)
{
	return &conf->lines[key - conf_keys];
}

static bool
section_exists(struct str name)
{
	size_t i;

	if (str_eq(name, STR("access")))
		return true;
	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(name, str_from(conf_keys[i].section)))
			return true;
	return false;
}

/* The keys of a section, for the message about an unknown one. */
static void
list_keys(struct str section, struct buf *out)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(section, str_from(conf_keys[i].section))) {
			buf_addf(out, "%s%s", comma, conf_keys[i].key);
			comma = ", ";
		}
}

static enum dk_err
unknown_key(struct reader *r, struct str key)
{
	char text[512];
	struct buf list;
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(key, str_from(conf_keys[i].key)))
			return fail_at(r, r->line,
			    "%.*s belongs into [%s], not into [%.*s]",
			    STR_FMT(key), conf_keys[i].section,
			    STR_FMT(r->section));
	BUF_OVER(&list, text);
	list_keys(r->section, &list);
	key = conf_shown(key);
	return fail_at(r, r->line, "unknown key \"%.*s\"; [%.*s] has: %s",
	    STR_FMT(key), STR_FMT(r->section), buf_z(&list));
}

static enum dk_err
read_setting(struct reader *r, struct str key, struct str value)
{
	const struct conf_key *entry = find_key(r->section, key);
	char text[512];
	struct buf why;
	enum dk_err err;

	if (entry == NULL)
		return unknown_key(r, key);
	if (*line_of(r->conf, entry) != 0)
		return fail_at(r, r->line,
		    "%.*s stands twice, first on line %u; remove one",
		    STR_FMT(key), *line_of(r->conf, entry));
	if (value.n == 0)
		return fail_at(r, r->line,
		    "%.*s has no value; give one or remove the line",
		    STR_FMT(key));
	*line_of(r->conf, entry) = r->line;
	BUF_OVER(&why, text);
	err = conf_set(r->conf, entry, value, r->arena, &why);
	if (err == DK_ERR_NOMEM)
		return fail_memory(r);
	if (err != DK_OK)
		return fail_at(
		    r, r->line, "%.*s %s", STR_FMT(key), buf_z(&why));
	return DK_OK;
}

static bool
same_pattern(const struct conf_rule *a, const struct conf_rule *b)
{
	return str_eq(a->host, b->host) && str_eq(a->pattern, b->pattern);
}

static enum dk_err
read_rule(struct reader *r, struct str line, struct str pattern,
    struct str requirement)
{
	struct str shown = conf_shown(pattern);
	struct conf_rule *rule;
	char text[512];
	struct buf why;
	enum dk_err err;
	size_t i;

	if (r->conf->n_rules == CONF_RULES_MAX)
		return fail_at(r, r->line, "there are too many rules (%d)",
		    CONF_RULES_MAX);
	rule = &r->conf->rules[r->conf->n_rules];
	BUF_OVER(&why, text);
	err = conf_read_rule(pattern, requirement, r->arena, rule, &why);
	if (err == DK_ERR_NOMEM)
		return fail_memory(r);
	if (err != DK_OK)
		return fail_at(r, r->line, "%s", buf_z(&why));
	rule->line = r->line;
	rule->text = line;
	for (i = 0; i < r->conf->n_rules; i++)
		if (same_pattern(&r->conf->rules[i], rule))
			return fail_at(r, r->line,
			    "%.*s stands twice, first on line %u, which "
			    "decides; remove one",
			    STR_FMT(shown), r->conf->rules[i].line);
	r->conf->n_rules++;
	return DK_OK;
}

static enum dk_err
read_head(struct reader *r, struct str line)
{
	struct str shown;

	if (!str_ends(line, STR("]")))
		return fail_at(r, r->line, "a section head is written [name]");
	r->section = str_sub(line, 1, line.n - 2);
	shown = conf_shown(r->section);
	if (!section_exists(r->section))
		return fail_at(r, r->line,
		    "unknown section [%.*s]; there are site, store, session, "
		    "cookie, security, fastcgi, log, metrics, admin and access",
		    STR_FMT(shown));
	return DK_OK;
}

static enum dk_err
read_line(struct reader *r, struct str line)
{
	struct str key, value;
	bool setting;

	if (str_ends(line, STR("\r")))
		line.n--;
	if (r->line == 1 && str_starts(line, STR("\xef\xbb\xbf")))
		return fail_at(r, r->line,
		    "the file begins with a byte order mark; save it as UTF-8 "
		    "without one");
	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return DK_OK;
	setting = str_split(line, '=', &key, &value);
	key = str_trim(key);
	value = str_trim(value);
	/* Tabs may stand around the words, not within. */
	if (!str_is_printable(key) || !str_is_printable(value))
		return fail_at(r, r->line,
		    "the line holds a control or invisible character, or a "
		    "byte that is not UTF-8; write plain text");
	/* "[::1]/x = any" is a rule. */
	if (line.p[0] == '[' && (!setting || str_ends(line, STR("]"))))
		return read_head(r, line);
	if (!setting)
		return fail_at(r, r->line, "a line is written key = value");
	if (str_is_none(r->section))
		return fail_at(r, r->line,
		    "a section head such as [site] must come first");
	if (str_eq(r->section, STR("access")))
		return read_rule(r, line, key, value);
	return read_setting(r, key, value);
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
	struct str name = str_from(section);
	unsigned line = *line_of(c, find_key(name, str_from(one)));

	return line != 0 ? line : *line_of(c, find_key(name, str_from(other)));
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

/* The cookie's two names, and whether its prefix may stand (DK-C-01). */
static enum dk_err
settle_cookie(struct reader *r)
{
	struct conf *c = r->conf;
	unsigned line = line_of_pair(c, "cookie", "name", "domain");
	unsigned domain_line = line_of_pair(c, "cookie", "domain", "domain");
	bool wide = c->cookie_domain.n > 0;

	if (str_is_none(c->cookie_name))
		c->cookie_name =
		    wide ? STR("__Secure-doorkeep") : STR("__Host-doorkeep");
	if (!is_token(c->cookie_name))
		return fail_at(r, line,
		    "name may hold up to 100 letters, digits and - _ . only");
	/* DK-C-12: other hosts of the domain can set a name without it. */
	if (wide && !str_starts(c->cookie_name, STR("__Secure-")))
		return fail_at(r, line,
		    "the name of a cookie with a domain must begin with "
		    "__Secure-; change name or remove domain");
	if (wide && !is_token(c->cookie_domain))
		return fail_at(r, domain_line,
		    "domain must be a name such as example.org");
	if (wide && !domain_holds_an_origin(c))
		return fail_at(r, domain_line,
		    "the host of no origin belongs to domain, so no browser "
		    "would keep the cookie; give a domain that is the end of "
		    "a host in [site] origin");
	c->cookie_name_http = without_prefix(c->cookie_name);
	if (c->cookie_name_http.n == 0)
		return fail_at(r, line,
		    "name is nothing but a prefix; write more behind it");
	if (str_starts(c->cookie_name_http, STR("__")))
		return fail_at(r, line,
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
settle_markers(struct reader *r)
{
	struct conf *c = r->conf;
	unsigned *idle, *remember_idle;

	if (str_is_none(c->markers))
		return DK_OK;
	idle = line_of(c, find_key(STR("session"), STR("idle_timeout")));
	remember_idle =
	    line_of(c, find_key(STR("session"), STR("remember_idle_timeout")));
	if ((*idle != 0 && c->idle_timeout_ms != 0) ||
	    (*remember_idle != 0 && c->remember_idle_timeout_ms != 0))
		return fail_at(r, *idle != 0 ? *idle : *remember_idle,
		    "with [hosting] markers sessions have no idle time, for "
		    "the web server lets people in without asking; write 0s, "
		    "and make absolute_timeout shorter instead");
	c->idle_timeout_ms = c->remember_idle_timeout_ms = 0;
	*idle = *remember_idle =
	    *line_of(c, find_key(STR("hosting"), STR("markers")));
	return DK_OK;
}

static enum dk_err
settle_timeouts(struct reader *r)
{
	struct conf *c = r->conf;

	if (c->idle_timeout_ms > c->absolute_timeout_ms)
		return fail_at(r,
		    line_of_pair(
			c, "session", "idle_timeout", "absolute_timeout"),
		    "idle_timeout is longer than absolute_timeout and would "
		    "never count; make it shorter or 0s");
	if (c->remember_idle_timeout_ms > c->remember_absolute_timeout_ms)
		return fail_at(r,
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
settle_rules(struct reader *r)
{
	const struct conf *c = r->conf;
	size_t i, k;

	for (i = 0; i < c->n_rules; i++) {
		struct str host = c->rules[i].host, shown = conf_shown(host);
		bool known = str_is_none(host);

		for (k = 0; k < c->n_origins && !known; k++)
			known = str_eq(host, c->origins[k].host);
		if (!known)
			return fail_at(r, c->rules[i].line,
			    "\"%.*s\" is the host of no origin; write /path/, "
			    "or host/path/ with a host from [site] origin, "
			    "without scheme and port",
			    STR_FMT(shown));
	}
	return DK_OK;
}

/* A name that no group can have would leave the desk to nobody. */
static enum dk_err
settle_admin(struct reader *r)
{
	const struct conf *c = r->conf;

	if (str_is_none(c->admin_group) ||
	    (is_token(c->admin_group) && c->admin_group.n <= GROUP_NAME_MAX))
		return DK_OK;
	return fail_at(r,
	    *line_of(r->conf, find_key(STR("admin"), STR("group"))),
	    "group is one name of 1 to 64 letters, digits and . _ -");
}

/* What follows from several keys together. */
static enum dk_err
settle(struct reader *r)
{
	struct conf *c = r->conf;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long most =
	    (long)find_key(STR("security"), STR("max_parallel_hashes"))->max;
	enum dk_err err;

	if (c->n_origins == 0)
		return fail_at(r, 0,
		    "[site] origin is missing; give what people type, such "
		    "as: origin = https://www.example.org");
	if (str_is_none(c->name))
		c->name = c->origins[0].host;
	/* 8 with a second factor (63B 3.1.1.2), unless the site says more. */
	c->password_min_with_factor = PASSWORD_MIN_WITH_FACTOR;
	if (*line_of(
		c, find_key(STR("security"), STR("password_min_length"))) != 0)
		c->password_min_with_factor = c->password_min_length;
	if (c->max_parallel_hashes == 0)
		c->max_parallel_hashes =
		    cpus < 1 ? 1 : (unsigned)(cpus < most ? cpus : most);
	if (!argon2_is_strong(c->argon2_memory_kib, c->argon2_passes))
		return fail_at(r,
		    line_of_pair(
			c, "security", "argon2_memory", "argon2_passes"),
		    "argon2_memory and argon2_passes are too weak together; "
		    "take at least 47104 and 1, 19456 and 2, 12288 and 3, "
		    "9216 and 4, or 7168 and 5");
	err = settle_markers(r);
	if (err == DK_OK)
		err = settle_timeouts(r);
	if (err == DK_OK)
		err = settle_cookie(r);
	if (err == DK_OK)
		err = settle_admin(r);
	return err == DK_OK ? settle_rules(r) : err;
}

static enum dk_err
set_defaults(struct reader *r)
{
	char text[512];
	struct buf why;
	size_t i;

	for (i = 0; i < conf_keys_count; i++) {
		if (conf_keys[i].initial == NULL)
			continue;
		BUF_OVER(&why, text);
		if (conf_set(r->conf, &conf_keys[i],
			str_from(conf_keys[i].initial), r->arena,
			&why) != DK_OK)
			return DK_ERR_INTERNAL;
	}
	return DK_OK;
}

enum dk_err
conf_parse(struct str path, struct str text, struct arena *arena,
    struct conf *conf, struct buf *message)
{
	struct reader r = {
		.path = path, .arena = arena, .conf = conf, .message = message
	};
	struct str rest, line;
	enum dk_err err;

	*conf = (struct conf){ 0 };
	if (text.n > CONF_FILE_MAX)
		return fail_size(&r);
	rest = arena_dup(arena, text);
	conf->file = arena_dup(arena, path);
	conf->rules = arena_alloc(arena, CONF_RULES_MAX * sizeof(*conf->rules));
	if (str_is_none(rest) || str_is_none(conf->file) ||
	    conf->rules == NULL || conf_keys_count > CONF_KEYS_MAX)
		return fail_memory(&r);
	err = set_defaults(&r);
	while (err == DK_OK && str_cut(&rest, '\n', &line)) {
		r.line++;
		err = read_line(&r, line);
	}
	return err == DK_OK ? settle(&r) : err;
}

/* A secret in a file that everybody reads is none. */
static enum dk_err
check_mode(struct reader *r, int fd)
{
	struct stat st;

	if ((str_is_none(r->conf->shared_secret) &&
		!dsn_has_password(r->conf->database)) ||
	    fstat(fd, &st) != 0 || (st.st_mode & S_IROTH) == 0)
		return DK_OK;
	return fail_at(r, 0,
	    "holds a secret and everybody can read it; run: chmod o-rwx %.*s",
	    STR_FMT(r->path));
}

/* The whole file into the arena, or one byte more than is allowed. */
static enum dk_err
read_file(int fd, struct arena *arena, struct str *text)
{
	char *p = arena_alloc(arena, CONF_FILE_MAX + 1);
	size_t n = 0;
	ssize_t got = 1;

	*text = STR_NONE;
	if (p == NULL)
		return DK_ERR_NOMEM;
	while (got > 0 && n <= CONF_FILE_MAX) {
		got = read(fd, p + n, CONF_FILE_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	*text = (struct str){ p, n };
	return got < 0 ? DK_ERR_IO : DK_OK;
}

enum dk_err
conf_load(struct str path, struct arena *arena, struct conf *conf,
    struct buf *message)
{
	struct reader r = {
		.path = path, .arena = arena, .conf = conf, .message = message
	};
	struct str name = arena_dup(arena, path), text;
	enum dk_err err;
	int fd;

	if (str_is_none(name))
		return fail_memory(&r);
	fd = open(name.p, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		(void)fail_at(&r, 0,
		    "cannot be read: %s; make one with: doorkeep init, or "
		    "name another in DOORKEEP_CONFIG",
		    strerror(errno));
		return DK_ERR_IO;
	}
	err = read_file(fd, arena, &text);
	if (err == DK_ERR_IO)
		(void)fail_at(&r, 0, "%s", strerror(errno));
	if (err == DK_ERR_NOMEM)
		(void)fail_memory(&r);
	if (err == DK_OK)
		err = conf_parse(path, text, arena, conf, message);
	if (err == DK_OK)
		err = check_mode(&r, fd);
	(void)close(fd);
	return err;
}

unsigned
conf_line(const struct conf *conf, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (strcmp(conf_keys[i].section, section) == 0 &&
		    strcmp(conf_keys[i].key, key) == 0)
			return conf->lines[i];
	return 0;
}

void
conf_each(const struct conf *conf, conf_item_fn *fn, void *arg)
{
	char text[8192]; /* the longest list of origins */
	struct buf value;
	size_t i;

	for (i = 0; i < conf_keys_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		struct conf_item item = { key->section, key->key, STR_NONE,
			conf->lines[i], key->help };

		BUF_OVER(&value, text);
		/* A default as the manual writes it: 60s, not 1m. */
		if (conf->lines[i] == 0 && key->initial != NULL)
			buf_addz(&value, key->initial);
		else
			conf_print(conf, key, &value);
		item.value = buf_str(&value);
		fn(arg, &item);
	}
}
