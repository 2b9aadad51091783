#include "conf/conf_table.h"

#include <stddef.h>

#include "base/dsn.h"

#define AT(member) offsetof(struct conf, member)
#define SECOND	   INT64_C(1000)
#define DAY	   (86400 * SECOND)
#define YEAR	   (366 * DAY)

/* A list begins with its array and its count; the rest is one field. */
const struct conf_key conf_keys[] = {
	{ "site", "origin", CONF_ORIGINS, AT(origins), AT(n_origins), 0, 0,
	    NULL, NULL,
	    "the origin or origins that people use, such as "
	    "https://www.example.org; the first is canonical" },
	{ "site", "mount", CONF_MOUNT, AT(mount), 0, 0, 0, NULL, "/auth",
	    "URL path under which doorkeep answers" },
	{ "site", "name", CONF_TEXT, AT(name), 0, 0, 0, NULL, NULL,
	    "name of the site, shown on the pages; default: host of origin" },
	{ "site", "templates", CONF_PATH, AT(templates), 0, 0, 0, NULL, NULL,
	    "directory of templates that replace the built-in ones" },
	{ "site", "stylesheet", CONF_PATH, AT(stylesheet), 0, 0, 0, NULL, NULL,
	    "file that replaces the built-in stylesheet" },
	{ "site", "logo", CONF_PATH, AT(logo), 0, 0, 0, NULL, NULL,
	    "SVG, PNG or JPEG file shown above the form" },
	{ "site", "accent", CONF_TEXT, AT(accent), 0, 0, 0, NULL, NULL,
	    "colour of links and buttons, such as #2453c9" },
	{ "site", "language", CONF_TEXT, AT(language), 0, 0, 0, NULL, NULL,
	    "language of all pages; unset: as browsers ask, and a choice" },
	{ "site", "messages", CONF_PATH, AT(messages), 0, 0, 0, NULL, NULL,
	    "directory of message files that add languages or change words" },

	{ "store", "database", CONF_DATABASE, AT(database), 0, 0, 0, NULL,
	    DK_LOCALSTATEDIR "/lib/doorkeep/doorkeep.db",
	    "file of the SQLite store, or postgresql://USER@HOST/NAME" },
	{ "store", "directory", CONF_PATH, AT(store_directory), 0, 0, 0, NULL,
	    DK_LOCALSTATEDIR "/lib/doorkeep",
	    "with postgresql://: where this host keeps its own files, such "
	    "as the key of the second factors" },

	{ "session", "idle_timeout", CONF_DURATION, AT(idle_timeout_ms), 0, 0,
	    YEAR, NULL, "1h",
	    "a session ends after this time without a request; 0s: never" },
	{ "session", "absolute_timeout", CONF_DURATION, AT(absolute_timeout_ms),
	    0, SECOND, YEAR, NULL, "24h",
	    "a session ends this long after sign-in" },
	{ "session", "remember_idle_timeout", CONF_DURATION,
	    AT(remember_idle_timeout_ms), 0, 0, YEAR, NULL, "14d",
	    "the same with \"keep me signed in\"; 0s: never" },
	{ "session", "remember_absolute_timeout", CONF_DURATION,
	    AT(remember_absolute_timeout_ms), 0, SECOND, YEAR, NULL, "30d",
	    "the same with \"keep me signed in\"" },
	{ "session", "max_per_user", CONF_NUMBER, AT(max_per_user), 0, 0, 10000,
	    NULL, "0",
	    "sessions of one person; the oldest is ended first; 0: no limit" },
	{ "session", "single_sign_on", CONF_YES_NO, AT(single_sign_on), 0, 0, 0,
	    NULL, "no",
	    "who is signed in at the first origin need not sign in at the "
	    "others" },
	{ "session", "touch_interval", CONF_DURATION, AT(touch_interval_ms), 0,
	    0, DAY, NULL, "60s", "last-seen is written at most this often" },

	{ "cookie", "name", CONF_TEXT, AT(cookie_name), 0, 0, 0, NULL, NULL,
	    "name of the cookie over https; default __Host-doorkeep, or "
	    "__Secure-doorkeep with a domain" },
	{ "cookie", "domain", CONF_TEXT, AT(cookie_domain), 0, 0, 0, NULL, NULL,
	    "share the session with all hosts of this domain: any of them "
	    "can then plant a cookie" },

	{ "security", "allow_http", CONF_YES_NO, AT(allow_http), 0, 0, 0, NULL,
	    "no", "allow sign-in over plain http from other than loopback" },
	{ "security", "trusted_proxies", CONF_NETS, AT(trusted_proxies),
	    AT(n_trusted_proxies), 0, 0, NULL, NULL,
	    "proxies whose X-Forwarded-For, -Proto and -Host are believed" },
	{ "security", "argon2_memory", CONF_NUMBER, AT(argon2_memory_kib), 0,
	    7168, 1048576, NULL, "19456",
	    "memory of one password hash in KiB" },
	{ "security", "argon2_passes", CONF_NUMBER, AT(argon2_passes), 0, 1, 16,
	    NULL, "2", "passes of one password hash" },
	{ "security", "max_parallel_hashes", CONF_NUMBER,
	    AT(max_parallel_hashes), 0, 1, 1024, NULL, NULL,
	    "password hashes at one time over all workers of this machine; "
	    "default: its number of processors" },
	{ "security", "password_min_length", CONF_NUMBER,
	    AT(password_min_length), 0, 8, 64, NULL, "15",
	    "shortest password in characters" },
	{ "security", "password_blocklist", CONF_PATH, AT(password_blocklist),
	    0, 0, 0, NULL, NULL,
	    "file of refused passwords, one a line, beside the built-in "
	    "list" },

	{ "security", "require_second_factor", CONF_SUBJECTS, AT(factor_text),
	    0, 0, 0, NULL, NULL,
	    "who must have a second factor: all, or a list of group:NAME and "
	    "user:NAME" },
	{ "security", "sandbox", CONF_WORD, AT(sandbox), 0, 0, 0,
	    "auto require off", "auto",
	    "workers give up all rights that they do not need: as far as the "
	    "kernel can, all of it or no start, not at all" },

	{ "fastcgi", "shared_secret", CONF_SECRET, AT(shared_secret), 0, 0, 0,
	    NULL, NULL,
	    "requests must carry this value in the parameter "
	    "DOORKEEP_SECRET" },

	{ "log", "destination", CONF_WORD, AT(log_destination), 0, 0, 0,
	    "stderr syslog", "stderr", "where the log goes" },
	{ "log", "format", CONF_WORD, AT(log_format), 0, 0, 0, "json text",
	    "json", "form of a line" },
	{ "log", "events_keep", CONF_DURATION, AT(events_keep_ms), 0, DAY,
	    20 * YEAR, NULL, "90d",
	    "age at which rows of the audit trail are deleted" },

	{ "hosting", "markers", CONF_PATH, AT(markers), 0, 0, 0, NULL, NULL,
	    "directory of marker files, one for each session, that Apache "
	    "looks for itself; outside of the document root" },

	{ "metrics", "allow", CONF_NETS, AT(metrics_allow), AT(n_metrics_allow),
	    0, 0, NULL, "127.0.0.0/8, ::1",
	    "addresses that may read /metrics" },

	{ "admin", "group", CONF_TEXT, AT(admin_group), 0, 0, 0, NULL, NULL,
	    "group whose members have the administrator's desk; without it "
	    "there is none" },
};
const size_t conf_keys_count = sizeof(conf_keys) / sizeof(conf_keys[0]);

struct str
conf_shown(struct str s)
{
	size_t n = s.n < CONF_SHOWN_MAX ? s.n : CONF_SHOWN_MAX;

	/* Not within a character: its other bytes begin with 10. */
	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

const struct conf_key *
conf_find_key(struct str section, struct str key)
{
	size_t i;

	for (i = 0; i < conf_keys_count; i++)
		if (str_eq(section, str_from(conf_keys[i].section)) &&
		    str_eq(key, str_from(conf_keys[i].key)))
			return &conf_keys[i];
	return NULL;
}

void *
conf_field(struct conf *conf, const struct conf_key *key)
{
	return (char *)conf + key->offset;
}

static const void *
field(const struct conf *conf, size_t offset)
{
	return (const char *)conf + offset;
}

bool
conf_parse_duration(struct str text, int64_t *ms)
{
	int64_t unit = 0;
	uint64_t n;

	*ms = 0;
	if (str_eq(text, STR("0")))
		return true;
	if (text.n < 2)
		return false;
	switch (text.p[text.n - 1]) {
	case 's':
		unit = SECOND;
		break;
	case 'm':
		unit = 60 * SECOND;
		break;
	case 'h':
		unit = 3600 * SECOND;
		break;
	case 'd':
		unit = DAY;
		break;
	default:
		return false;
	}
	if (!str_to_u64(str_sub(text, 0, text.n - 1), 1000000000, &n))
		return false;
	*ms = (int64_t)n * unit;
	return true;
}

void
conf_format_duration(int64_t ms, struct buf *out)
{
	int64_t s = ms / 1000;

	if (s > 0 && s % 86400 == 0)
		buf_addf(out, "%lldd", (long long)(s / 86400));
	else if (s > 0 && s % 3600 == 0)
		buf_addf(out, "%lldh", (long long)(s / 3600));
	else if (s > 0 && s % 60 == 0)
		buf_addf(out, "%lldm", (long long)(s / 60));
	else
		buf_addf(out, "%llds", (long long)s);
}

static enum dk_err
fail(struct buf *message, const char *why)
{
	buf_addz(message, why);
	return DK_ERR_CONF;
}

static enum dk_err
set_duration(int64_t *to, const struct conf_key *key, struct str text,
    struct buf *message)
{
	if (conf_parse_duration(text, to) && *to >= key->min && *to <= key->max)
		return DK_OK;
	buf_addz(message,
	    "is no time within bounds; write a number and s, m, "
	    "h or d, from ");
	conf_format_duration(key->min, message);
	buf_addz(message, " to ");
	conf_format_duration(key->max, message);
	return DK_ERR_CONF;
}

static enum dk_err
set_number(unsigned *to, const struct conf_key *key, struct str text,
    struct buf *message)
{
	uint64_t n;

	if (!str_to_u64(text, (uint64_t)key->max, &n) ||
	    n < (uint64_t)key->min) {
		buf_addf(message, "must be a whole number from %lld to %lld",
		    (long long)key->min, (long long)key->max);
		return DK_ERR_CONF;
	}
	*to = (unsigned)n;
	return DK_OK;
}

static enum dk_err
set_yes_no(bool *to, struct str text, struct buf *message)
{
	*to = str_eq(text, STR("yes"));
	if (*to || str_eq(text, STR("no")))
		return DK_OK;
	return fail(message, "must be yes or no");
}

static enum dk_err
set_word(unsigned *to, const struct conf_key *key, struct str text,
    struct buf *message)
{
	struct str words = str_from(key->words), word;
	unsigned i;

	for (i = 0; str_cut(&words, ' ', &word); i++)
		if (str_eq(word, text)) {
			*to = i;
			return DK_OK;
		}
	buf_addf(message, "must be one of: %s", key->words);
	return DK_ERR_CONF;
}

static enum dk_err
set_nets(struct ip_net *nets, size_t *n, struct str text, struct buf *message)
{
	struct str item;

	*n = 0;
	while (str_cut(&text, ',', &item)) {
		item = str_trim(item);
		if (*n == CONF_PROXIES_MAX)
			return fail(message, "has too many entries (64)");
		if (!ip_net_parse(item, &nets[*n])) {
			item = conf_shown(item);
			buf_addf(message,
			    "\"%.*s\" is no address or network, such as "
			    "192.0.2.1, 10.0.0.0/8 or 2001:db8::/32 (bits "
			    "behind the prefix must be zero)",
			    STR_FMT(item));
			return DK_ERR_CONF;
		}
		(*n)++;
	}
	return DK_OK;
}

static bool
host_is_valid(struct str host)
{
	struct ip_addr addr;
	struct str label;
	size_t i;

	if (host.n == 0 || host.n > 255)
		return false;
	if (host.p[0] == '[')
		return host.p[host.n - 1] == ']' && str_contains(host, ':') &&
		    ip_parse(str_sub(host, 1, host.n - 2), &addr);
	for (i = 0; i < host.n; i++) {
		char c = host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '.'))
			return false;
	}
	while (str_cut(&host, '.', &label))
		if (label.n == 0)
			return false;
	return true;
}

static struct str
lower(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n + 1);
	size_t i;

	if (p == NULL)
		return STR_NONE;
	for (i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32)
						      : s.p[i];
	p[i] = '\0';
	return (struct str){ p, s.n };
}

/* Split the port off; an IPv6 literal keeps its brackets. */
static bool
read_port(struct conf_origin *o)
{
	size_t i = o->host.n;
	uint64_t n;

	o->port = o->https ? 443 : 80;
	while (i > 0 && o->host.p[i - 1] >= '0' && o->host.p[i - 1] <= '9')
		i--;
	if (i == 0 || i == o->host.n || o->host.p[i - 1] != ':')
		return true;
	if (!str_to_u64(str_sub(o->host, i, o->host.n), 65535, &n) || n == 0)
		return false;
	o->port = (unsigned)n;
	o->host = str_sub(o->host, 0, i - 1);
	return true;
}

/* text: scheme://host[:port] in lower case */
static bool
read_origin(struct str text, struct conf_origin *o)
{
	*o = (struct conf_origin){ 0 };
	o->https = str_starts(text, STR("https://"));
	if (!o->https && !str_starts(text, STR("http://")))
		return false;
	o->host = str_sub(text, o->https ? 8 : 7, text.n);
	return read_port(o) && host_is_valid(o->host);
}

/* As browsers write it: they send [::1] for [0:0:0:0:0:0:0:1]. */
static enum dk_err
write_origin(struct conf_origin *o, struct arena *arena)
{
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	if (o->host.p[0] == '[' &&
	    ip_parse(str_sub(o->host, 1, o->host.n - 2), &addr) &&
	    !ip_is_v4(&addr)) {
		ip_format(&addr, text);
		o->host = arena_printf(arena, IP_TEXT_MAX + 2, "[%s]", text);
	}
	if (o->port == (o->https ? 443u : 80u))
		o->text = arena_printf(arena, 300, "http%s://%.*s",
		    o->https ? "s" : "", STR_FMT(o->host));
	else
		o->text = arena_printf(arena, 300, "http%s://%.*s:%u",
		    o->https ? "s" : "", STR_FMT(o->host), o->port);
	return str_is_none(o->host) || str_is_none(o->text) ? DK_ERR_NOMEM
							    : DK_OK;
}

static enum dk_err
set_origins(struct conf *conf, struct str text, struct arena *arena,
    struct buf *message)
{
	struct conf_origin *o;
	struct str item, folded;

	conf->n_origins = 0;
	while (str_cut(&text, ',', &item)) {
		item = str_trim(item);
		if (conf->n_origins == CONF_ORIGINS_MAX)
			return fail(message, "has too many entries (16)");
		folded = lower(item, arena);
		if (str_is_none(folded))
			return DK_ERR_NOMEM;
		o = &conf->origins[conf->n_origins];
		if (!read_origin(folded, o)) {
			item = conf_shown(item);
			buf_addf(message,
			    "\"%.*s\" is no origin; write "
			    "https://host or https://host:port and nothing "
			    "behind it",
			    STR_FMT(item));
			return DK_ERR_CONF;
		}
		if (write_origin(o, arena) != DK_OK)
			return DK_ERR_NOMEM;
		conf->n_origins++;
	}
	return DK_OK;
}

bool
conf_path_is_odd(struct str path)
{
	struct str segment;
	size_t i;

	/* Empty in front of the first slash and behind the last. */
	for (i = 0; str_cut(&path, '/', &segment); i++)
		if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")) ||
		    (segment.n == 0 && i > 0 && !str_is_none(path)))
			return true;
	return false;
}

static enum dk_err
set_mount(struct str *to, struct str text, struct buf *message)
{
	size_t i;

	if (str_eq(text, STR("/"))) {
		*to = STR("");
		return DK_OK;
	}
	if (text.n < 2 || text.n > 200 || text.p[0] != '/' ||
	    text.p[text.n - 1] == '/')
		return fail(message,
		    "must be a path such as /auth, or / for "
		    "the root, without a slash at the end");
	for (i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		    c == '.' || c == '/';

		if (!plain)
			return fail(message,
			    "may hold letters, digits, and "
			    "- _ . / only");
	}
	if (conf_path_is_odd(text))
		return fail(message, "may not hold //, /./ or /../");
	*to = text;
	return DK_OK;
}

enum dk_err
conf_set(struct conf *conf, const struct conf_key *key, struct str text,
    struct arena *arena, struct buf *message)
{
	void *to = conf_field(conf, key);
	struct str *value = to;

	switch (key->kind) {
	case CONF_DURATION:
		return set_duration(to, key, text, message);
	case CONF_NUMBER:
		return set_number(to, key, text, message);
	case CONF_YES_NO:
		return set_yes_no(to, text, message);
	case CONF_WORD:
		return set_word(to, key, text, message);
	case CONF_ORIGINS:
		return set_origins(conf, text, arena, message);
	case CONF_NETS:
		return set_nets(to,
		    (size_t *)(void *)((char *)conf + key->count_offset), text,
		    message);
	case CONF_MOUNT:
		return set_mount(to, text, message);
	case CONF_SUBJECTS:
		*(struct str *)to = text;
		return conf_read_factor(conf, text, arena, message);
	case CONF_SECRET:
		if (text.n < 32 || text.n > 256)
			return fail(message,
			    "must have 32 to 256 characters; "
			    "make one with: openssl rand "
			    "-base64 33");
		break;
	case CONF_PATH:
		if (text.p[0] != '/')
			return fail(message, "must be an absolute path");
		/* With an end of its own: open(2) gets it. */
		text = arena_dup(arena, text);
		if (str_is_none(text))
			return DK_ERR_NOMEM;
		break;
	case CONF_DATABASE:
	case CONF_TEXT:
		break;
	}
	if (text.n > CONF_VALUE_MAX)
		return fail(message, "may have at most 1024 bytes");
	/* A path goes to the system, which wants its end marked. */
	*value = arena_dup(arena, text);
	return str_is_none(*value) ? DK_ERR_NOMEM : DK_OK;
}

static void
print_list(const struct conf *conf, const struct conf_key *key, struct buf *out)
{
	const struct ip_net *nets = field(conf, key->offset);
	const size_t *n = field(conf, key->count_offset);
	char addr[IP_TEXT_MAX];
	size_t i;

	for (i = 0; i < *n; i++) {
		buf_addz(out, i > 0 ? ", " : "");
		if (key->kind == CONF_ORIGINS) {
			buf_add(out, conf->origins[i].text);
			continue;
		}
		ip_format(&nets[i].addr, addr);
		buf_addf(out, "%s/%u", addr,
		    nets[i].prefix - (ip_is_v4(&nets[i].addr) ? 96 : 0));
	}
}

void
conf_print(const struct conf *conf, const struct conf_key *key, struct buf *out)
{
	const void *from = field(conf, key->offset);
	struct str words, word = STR_NONE, text;
	unsigned i;

	switch (key->kind) {
	case CONF_DURATION:
		conf_format_duration(*(const int64_t *)from, out);
		return;
	case CONF_NUMBER:
		buf_addf(out, "%u", *(const unsigned *)from);
		return;
	case CONF_YES_NO:
		buf_addz(out, *(const bool *)from ? "yes" : "no");
		return;
	case CONF_WORD:
		words = str_from(key->words);
		for (i = 0; i <= *(const unsigned *)from; i++)
			(void)str_cut(&words, ' ', &word);
		buf_add(out, word);
		return;
	case CONF_ORIGINS:
	case CONF_NETS:
		print_list(conf, key, out);
		return;
	case CONF_SECRET:
	case CONF_MOUNT:
	case CONF_SUBJECTS:
	case CONF_PATH:
	case CONF_TEXT:
		break;
	case CONF_DATABASE:
		dsn_show(out, *(const struct str *)from);
		return;
	}
	text = *(const struct str *)from;
	if (key->kind == CONF_SECRET && text.n > 0)
		text = STR("(set)");
	if (key->kind == CONF_MOUNT && text.n == 0)
		text = STR("/");
	buf_add(out, text);
}
