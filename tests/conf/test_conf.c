/* The configuration: what is taken, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

#define SITE	 "[site]\norigin = https://www.example.org\n"
#define SECRET32 "0123456789abcdefghijklmnopqrstuv"
#define TEXT(z)	 (z), sizeof(z) - 1

enum { ARENA_SIZE = 1024 * 1024, MESSAGE_MAX = 1024, ROOM = 16 * 1024 };

struct stand {
	struct arena arena;
	struct conf conf;
	char message_text[MESSAGE_MAX];
	struct buf message;
	char dir[32], file[64];
};

static int
stand_open(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(arena_open(&s->arena, ARENA_SIZE), DK_OK);
	BUF_OVER(&s->message, s->message_text);
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/dk-conf-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->file, sizeof(s->file), "%s/d.conf", s->dir);
	*state = s;
	return 0;
}

static int
stand_close(void **state)
{
	struct stand *s = *state;

	(void)unlink(s->file);
	(void)rmdir(s->dir);
	arena_close(&s->arena);
	free(s);
	return 0;
}

#define STAND_TEST(f) \
	cmocka_unit_test_setup_teardown(f, stand_open, stand_close)

static enum dk_err
parse(struct stand *s, struct str text)
{
	arena_reset(&s->arena);
	buf_reset(&s->message);
	return conf_parse(
	    STR("d.conf"), text, &s->arena, &s->conf, &s->message);
}

static enum dk_err
parse_z(struct stand *s, const char *text)
{
	return parse(s, str_from(text));
}

static void
must_parse(struct stand *s, const char *text)
{
	if (parse_z(s, text) != DK_OK)
		fail_msg("%s: %s", text, buf_z(&s->message));
}

static void
must_refuse(struct stand *s, const char *text, const char *message)
{
	enum dk_err err = parse_z(s, text);

	if (err != DK_ERR_CONF)
		fail_msg("taken (%s): %s", err_name(err), text);
	if (strcmp(buf_z(&s->message), message) != 0)
		fail_msg("%s\nsays:   %s\nwanted: %s", text, buf_z(&s->message),
		    message);
}

/* What conf_each says about one key. */
struct wanted {
	const char *section, *key;
	char value[ROOM];
	unsigned line;
	size_t found;
};

static void
take_item(void *arg, const struct conf_item *item)
{
	struct wanted *w = arg;

	if (strcmp(item->section, w->section) != 0 ||
	    strcmp(item->key, w->key) != 0)
		return;
	(void)snprintf(
	    w->value, sizeof(w->value), "%.*s", STR_FMT(item->value));
	w->line = item->line;
	w->found++;
}

static void
must_show(struct stand *s, const char *section, const char *key,
    const char *value, unsigned line)
{
	struct wanted w = { .section = section, .key = key };

	conf_each(&s->conf, take_item, &w);
	assert_int_equal(w.found, 1);
	if (strcmp(w.value, value) != 0 || w.line != line)
		fail_msg("[%s] %s, line %u: \"%s\", not \"%s\" on %u", section,
		    key, w.line, w.value, value, line);
}

/* --- every key ------------------------------------------------------------ */

/* The defaults of the manual.  A key that is not here fails the count. */
static const struct {
	const char *section, *key, *value;
} defaults[] = {
	{ "site", "mount", "/auth" },
	{ "site", "name", "www.example.org" },
	{ "site", "templates", "" },
	{ "site", "stylesheet", "" },
	{ "site", "logo", "" },
	{ "site", "accent", "" },
	{ "site", "language", "" },
	{ "site", "messages", "" },
	{ "store", "database", DK_LOCALSTATEDIR "/lib/doorkeep/doorkeep.db" },
	{ "store", "directory", DK_LOCALSTATEDIR "/lib/doorkeep" },
	{ "session", "idle_timeout", "1h" },
	{ "session", "absolute_timeout", "24h" },
	{ "session", "remember_idle_timeout", "14d" },
	{ "session", "remember_absolute_timeout", "30d" },
	{ "session", "max_per_user", "0" },
	{ "session", "single_sign_on", "no" },
	{ "session", "touch_interval", "60s" },
	{ "cookie", "name", "__Host-doorkeep" },
	{ "cookie", "domain", "" },
	{ "security", "allow_http", "no" },
	{ "security", "trusted_proxies", "" },
	{ "security", "argon2_memory", "19456" },
	{ "security", "argon2_passes", "2" },
	{ "security", "password_min_length", "15" },
	{ "security", "password_blocklist", "" },
	{ "security", "require_second_factor", "" },
	{ "security", "sandbox", "auto" },
	{ "fastcgi", "shared_secret", "" },
	{ "log", "destination", "stderr" },
	{ "log", "format", "json" },
	{ "log", "events_keep", "90d" },
	{ "hosting", "markers", "" },
	{ "metrics", "allow", "127.0.0.0/8, ::1" },
	{ "admin", "group", "" },
};

static void
count_item(void *arg, const struct conf_item *item)
{
	size_t *n = arg;

	assert_true(strlen(item->help) > 10);
	(*n)++;
}

static void
shows_the_default_of_every_key(void **state)
{
	struct stand *s = *state;
	size_t i, n = 0;
	char cpus[32];

	must_parse(s, SITE);
	for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		must_show(s, defaults[i].section, defaults[i].key,
		    defaults[i].value, 0);
	must_show(s, "site", "origin", "https://www.example.org", 2);
	(void)snprintf(
	    cpus, sizeof(cpus), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	must_show(s, "security", "max_parallel_hashes", cpus, 0);
	conf_each(&s->conf, count_item, &n);
	assert_int_equal(n, sizeof(defaults) / sizeof(defaults[0]) + 2);
}

/* DK-S-10: an hour idle and a day at most; 14 and 30 days when kept. */
static void
puts_the_defaults_into_the_struct(void **state)
{
	struct stand *s = *state;
	const struct conf *c = &s->conf;

	memset(&s->conf, 0xa5, sizeof(s->conf));
	must_parse(s, SITE);
	assert_int_equal(c->idle_timeout_ms, 3600000);
	assert_int_equal(c->absolute_timeout_ms, 86400000);
	assert_int_equal(c->remember_idle_timeout_ms, INT64_C(1209600000));
	assert_int_equal(c->remember_absolute_timeout_ms, INT64_C(2592000000));
	assert_int_equal(c->touch_interval_ms, 60000);
	assert_int_equal(c->events_keep_ms, INT64_C(7776000000));
	assert_int_equal(c->max_per_user, 0);
	assert_false(c->allow_http);
	assert_int_equal(c->argon2_memory_kib, 19456);
	assert_int_equal(c->argon2_passes, 2);
	assert_int_equal(c->password_min_length, 15);
	assert_int_equal(c->log_destination, LOG_TO_STDERR);
	assert_int_equal(c->log_format, LOG_AS_JSON);
	assert_int_equal(c->n_trusted_proxies, 0);
	assert_int_equal(c->n_metrics_allow, 2);
	assert_true(ip_is_loopback(&c->metrics_allow[0].addr));
	assert_true(ip_is_loopback(&c->metrics_allow[1].addr));
	assert_int_equal(c->n_rules, 0);
	assert_true(str_eq(c->file, STR("d.conf")));
	assert_true(str_eq(c->mount, STR("/auth")));
	assert_true(str_is_none(c->templates) && str_is_none(c->stylesheet));
	assert_true(str_is_none(c->logo) && str_is_none(c->language));
	assert_true(str_is_none(c->messages));
	assert_true(str_is_none(c->cookie_domain));
	assert_true(str_is_none(c->shared_secret));
	assert_true(str_is_none(c->password_blocklist));
}

struct setting_case {
	const char *section, *key, *value;
	const char *shown; /* NULL: as it was written */
};

/* Both ends of each range, and each word. */
static const struct setting_case taken[] = {
	{ "site", "mount", "/", NULL },
	{ "site", "mount", "/a", NULL },
	{ "site", "mount", "/Sub-dir/log_in.2/x", NULL },
	{ "site", "name", "K\xc3\xb6nig & S\xc3\xb6hne # = ;", NULL },
	{ "site", "templates", "/", NULL },
	{ "site", "stylesheet", "/srv/my site/s.css", NULL },
	{ "site", "logo", "/srv/logo.svg", NULL },
	{ "site", "accent", "#2453c9", NULL },
	{ "site", "language", "de", NULL },
	{ "site", "messages", "/srv/words", NULL },
	{ "store", "database", "/srv/d.db", NULL },
	{ "store", "database", "postgresql://u@h/d?x=y#z", NULL },
	{ "store", "directory", "/srv/doorkeep", NULL },
	{ "session", "idle_timeout", "0", "0s" },
	{ "session", "idle_timeout", "0s", NULL },
	{ "session", "idle_timeout", "1s", NULL },
	{ "session", "idle_timeout", "86400s", "1d" },
	{ "session", "absolute_timeout", "3600s", "1h" },
	{ "session", "absolute_timeout", "366d", NULL },
	{ "session", "remember_idle_timeout", "0", "0s" },
	{ "session", "remember_idle_timeout", "30d", NULL },
	{ "session", "remember_absolute_timeout", "336h", "14d" },
	{ "session", "remember_absolute_timeout", "366d", NULL },
	{ "session", "max_per_user", "0", NULL },
	{ "session", "max_per_user", "10000", NULL },
	{ "session", "touch_interval", "0s", NULL },
	{ "session", "touch_interval", "1d", NULL },
	{ "session", "touch_interval", "90s", NULL },
	{ "cookie", "name", "__Secure-sid", NULL },
	{ "cookie", "name", "sid", NULL },
	{ "cookie", "domain", "example.org", NULL },
	{ "security", "allow_http", "yes", NULL },
	{ "security", "allow_http", "no", NULL },
	{ "security", "trusted_proxies", "192.0.2.1", "192.0.2.1/32" },
	{ "security", "trusted_proxies", "10.0.0.0/8 , 2001:DB8::/32",
	    "10.0.0.0/8, 2001:db8::/32" },
	{ "security", "trusted_proxies", "0.0.0.0/0, ::/0", NULL },
	{ "security", "trusted_proxies", "::ffff:10.0.0.0/104", "10.0.0.0/8" },
	{ "security", "argon2_memory", "1048576", NULL },
	{ "security", "argon2_passes", "16", NULL },
	{ "security", "max_parallel_hashes", "1", NULL },
	{ "security", "max_parallel_hashes", "1024", NULL },
	{ "security", "password_min_length", "8", NULL },
	{ "security", "password_min_length", "64", NULL },
	{ "security", "password_blocklist", "/srv/words", NULL },
	{ "security", "require_second_factor", "all", NULL },
	{ "security", "require_second_factor", "group:board, user:Al", NULL },
	{ "fastcgi", "shared_secret", SECRET32, "(set)" },
	{ "log", "destination", "stderr", NULL },
	{ "log", "destination", "syslog", NULL },
	{ "log", "format", "json", NULL },
	{ "log", "format", "text", NULL },
	{ "log", "events_keep", "1d", NULL },
	{ "log", "events_keep", "7320d", NULL },
	{ "hosting", "markers", "/home/me/doorkeep/markers", NULL },
	{ "metrics", "allow", "192.0.2.0/24", NULL },
	{ "admin", "group", "admins", NULL },
	{ "admin", "group", "A.b_c-9", NULL },
};

static void
takes_a_value_within_its_bounds(void **state)
{
	struct stand *s = *state;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		const struct setting_case *c = &taken[i];

		(void)snprintf(text, sizeof(text), SITE "[%s]\n%s = %s\n",
		    c->section, c->key, c->value);
		must_parse(s, text);
		must_show(s, c->section, c->key,
		    c->shown == NULL ? c->value : c->shown, 4);
	}
}

/* The system takes a path up to its NUL, whatever stands behind it. */
static void
ends_a_path_where_its_line_ends(void **state)
{
	struct stand *s = *state;

	must_parse(s,
	    SITE "stylesheet = /srv/style.css\n"
		 "logo = /srv/logo.png\ntemplates = /srv/pages\n"
		 "[security]\npassword_blocklist = /srv/words\nallow_http = no\n");
	assert_string_equal(s->conf.stylesheet.p, "/srv/style.css");
	assert_string_equal(s->conf.logo.p, "/srv/logo.png");
	assert_string_equal(s->conf.templates.p, "/srv/pages");
	assert_string_equal(s->conf.password_blocklist.p, "/srv/words");
}

#define NO_TIME(bounds) \
	"is no time within bounds; write a number and s, m, h or d, " bounds
#define NO_NET                                                        \
	"is no address or network, such as 192.0.2.1, 10.0.0.0/8 or " \
	"2001:db8::/32 (bits behind the prefix must be zero)"
#define NO_MOUNT                                                            \
	"must be a path such as /auth, or / for the root, without a slash " \
	"at the end"
#define NO_SECRET                                                      \
	"must have 32 to 256 characters; make one with: openssl rand " \
	"-base64 33"

#define NO_FACTOR \
	"must be all, or a list of at most 16 group:NAME and user:NAME"

#define NO_GROUP "is one name of 1 to 64 letters, digits and . _ -"

/* The message behind "d.conf:4: KEY ". */
static const struct {
	const char *section, *key, *value, *why;
} refused[] = {
	{ "site", "mount", "auth", NO_MOUNT },
	{ "site", "mount", "/auth/", NO_MOUNT },
	{ "site", "mount", "//", NO_MOUNT },
	{ "site", "mount", "/a b",
	    "may hold letters, digits, and - _ . / only" },
	{ "site", "mount", "/a%2f",
	    "may hold letters, digits, and - _ . / only" },
	{ "site", "mount", "/a\"b",
	    "may hold letters, digits, and - _ . / only" },
	{ "site", "mount", "/a;b",
	    "may hold letters, digits, and - _ . / only" },
	{ "site", "mount", "/a//b", "may not hold //, /./ or /../" },
	{ "site", "mount", "/a/../b", "may not hold //, /./ or /../" },
	{ "site", "mount", "/..", "may not hold //, /./ or /../" },
	{ "site", "mount", "/.", "may not hold //, /./ or /../" },
	{ "site", "templates", "t", "must be an absolute path" },
	{ "site", "stylesheet", "./s.css", "must be an absolute path" },
	{ "site", "logo", "https://x/l.svg", "must be an absolute path" },
	{ "site", "name", "", "has no value; give one or remove the line" },
	{ "site", "language", "\t",
	    "has no value; give one or remove the line" },
	{ "store", "database", "",
	    "has no value; give one or remove the line" },
	{ "session", "idle_timeout", "367d", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "60", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "-1s", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "1.5h", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "1 h", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "1w", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "1H", NO_TIME("from 0s to 366d") },
	{ "session", "idle_timeout", "99999999999999999999d",
	    NO_TIME("from 0s to 366d") },
	{ "session", "absolute_timeout", "0s", NO_TIME("from 1s to 366d") },
	{ "session", "absolute_timeout", "0", NO_TIME("from 1s to 366d") },
	{ "session", "absolute_timeout", "31622401s",
	    NO_TIME("from 1s to 366d") },
	{ "session", "remember_idle_timeout", "s", NO_TIME("from 0s to 366d") },
	{ "session", "remember_absolute_timeout", "0s",
	    NO_TIME("from 1s to 366d") },
	{ "session", "touch_interval", "86401s", NO_TIME("from 0s to 1d") },
	{ "session", "max_per_user", "10001",
	    "must be a whole number from 0 to 10000" },
	{ "session", "max_per_user", "-1",
	    "must be a whole number from 0 to 10000" },
	{ "session", "max_per_user", "0x10",
	    "must be a whole number from 0 to 10000" },
	{ "session", "max_per_user", "18446744073709551616",
	    "must be a whole number from 0 to 10000" },
	{ "security", "allow_http", "Yes", "must be yes or no" },
	{ "security", "allow_http", "true", "must be yes or no" },
	{ "security", "allow_http", "1", "must be yes or no" },
	{ "security", "trusted_proxies", "10.0.0.0/33",
	    "\"10.0.0.0/33\" " NO_NET },
	{ "security", "trusted_proxies", "10.0.0.1/8",
	    "\"10.0.0.1/8\" " NO_NET },
	{ "security", "trusted_proxies", "::1, proxy", "\"proxy\" " NO_NET },
	{ "security", "trusted_proxies", "::1,", "\"\" " NO_NET },
	{ "security", "trusted_proxies", "[::1]", "\"[::1]\" " NO_NET },
	{ "security", "argon2_memory", "7167",
	    "must be a whole number from 7168 to 1048576" },
	{ "security", "argon2_memory", "1048577",
	    "must be a whole number from 7168 to 1048576" },
	{ "security", "argon2_memory", "19 MiB",
	    "must be a whole number from 7168 to 1048576" },
	{ "security", "argon2_passes", "0",
	    "must be a whole number from 1 to 16" },
	{ "security", "argon2_passes", "17",
	    "must be a whole number from 1 to 16" },
	{ "security", "max_parallel_hashes", "0",
	    "must be a whole number from 1 to 1024" },
	{ "security", "max_parallel_hashes", "1025",
	    "must be a whole number from 1 to 1024" },
	{ "security", "password_min_length", "7",
	    "must be a whole number from 8 to 64" },
	{ "security", "password_min_length", "65",
	    "must be a whole number from 8 to 64" },
	{ "security", "require_second_factor", "public",
	    "\"public\" " NO_FACTOR },
	{ "security", "require_second_factor", "any", "\"any\" " NO_FACTOR },
	{ "security", "require_second_factor", "deny", "\"deny\" " NO_FACTOR },
	{ "security", "require_second_factor", "yes", "\"yes\" " NO_FACTOR },
	{ "security", "require_second_factor", "All", "\"All\" " NO_FACTOR },
	{ "security", "require_second_factor", "all, group:a",
	    "\"all, group:a\" " NO_FACTOR },
	{ "security", "require_second_factor", "group:a,",
	    "\"group:a,\" " NO_FACTOR },
	{ "security", "require_second_factor",
	    "group:", "\"group:\" " NO_FACTOR },
	{ "security", "require_second_factor", "group:a; level=2",
	    "\"group:a; level=2\" " NO_FACTOR },
	{ "security", "password_blocklist", "words",
	    "must be an absolute path" },
	{ "fastcgi", "shared_secret", "0123456789abcdefghijklmnopqrstu",
	    NO_SECRET },
	{ "log", "destination", "stdout", "must be one of: stderr syslog" },
	{ "log", "destination", "stderr syslog",
	    "must be one of: stderr syslog" },
	{ "log", "format", "JSON", "must be one of: json text" },
	{ "log", "events_keep", "86399s", NO_TIME("from 1d to 7320d") },
	{ "log", "events_keep", "7321d", NO_TIME("from 1d to 7320d") },
	{ "metrics", "allow", "localhost", "\"localhost\" " NO_NET },
	{ "admin", "group", "a b", NO_GROUP },
	{ "admin", "group", "group:admins", NO_GROUP },
	{ "admin", "group", "admins,board", NO_GROUP },
	{ "admin", "group",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    NO_GROUP },
};

static void
says_what_is_wrong_with_a_value_and_what_is_allowed(void **state)
{
	struct stand *s = *state;
	char text[512], message[512];
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(text, sizeof(text), SITE "[%s]\n%s = %s\n",
		    refused[i].section, refused[i].key, refused[i].value);
		(void)snprintf(message, sizeof(message), "d.conf:4: %s %s",
		    refused[i].key, refused[i].why);
		must_refuse(s, text, message);
	}
}

/* --- the origin ----------------------------------------------------------- */

static const struct {
	const char *written, *text, *host;
	bool https;
	unsigned port;
} origins[] = {
	{ "https://www.example.org", "https://www.example.org",
	    "www.example.org", true, 443 },
	{ "http://www.example.org", "http://www.example.org", "www.example.org",
	    false, 80 },
	{ "HTTPS://WWW.Example.ORG", "https://www.example.org",
	    "www.example.org", true, 443 },
	{ "https://a:443", "https://a", "a", true, 443 },
	{ "http://a:80", "http://a", "a", false, 80 },
	{ "https://a:80", "https://a:80", "a", true, 80 },
	{ "http://a:443", "http://a:443", "a", false, 443 },
	{ "http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", false,
	    8080 },
	{ "https://a:65535", "https://a:65535", "a", true, 65535 },
	{ "https://1234", "https://1234", "1234", true, 443 },
	{ "https://[::1]", "https://[::1]", "[::1]", true, 443 },
	{ "https://[::ffff:192.0.2.1]", "https://[::ffff:192.0.2.1]",
	    "[::ffff:192.0.2.1]", true, 443 },
	{ "http://[0:0:0:0:0:0:0:1]:80", "http://[::1]", "[::1]", false, 80 },
	{ "https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443",
	    "[2001:db8::1]", true, 8443 },
};

/* DK-X-04: the one place where our own host and scheme come from. */
static void
reads_an_origin_in_its_parts(void **state)
{
	struct stand *s = *state;
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		const struct conf_origin *o = &s->conf.origins[0];

		(void)snprintf(text, sizeof(text), "[site]\norigin = %s\n",
		    origins[i].written);
		must_parse(s, text);
		assert_int_equal(s->conf.n_origins, 1);
		must_show(s, "site", "origin", origins[i].text, 2);
		if (!str_eq(o->host, str_from(origins[i].host)) ||
		    o->https != origins[i].https || o->port != origins[i].port)
			fail_msg("%s: %s, %.*s, %u", origins[i].written,
			    o->https ? "https" : "http", STR_FMT(o->host),
			    o->port);
	}
}

static const char *const no_origins[] = {
	"www.example.org",
	"//www.example.org",
	"ftp://www.example.org",
	"https:/www.example.org",
	"https://",
	"https://:443",
	"https://a/",
	"https://a/auth",
	"https://a?b",
	"https://a#b",
	"https://u@a",
	"https://a:",
	"https://a:0",
	"https://a:65536",
	"https://a:99999999999999999999",
	"https://a:1:2",
	"https://a:-1",
	"https://a b",
	"https://*.example.org",
	"https://a_b",
	"https://a.",
	"https://.a",
	"https://a..b",
	"https://::1",
	"https://[::1",
	"https://::1]",
	"https://[]",
	"https://[a]",
	"https://[:::::]",
	"https://[127.0.0.1]",
	"https://[::1]x",
	"https://[::1%25lo]",
	"https://m\xc3\xbcnster.example",
	"null",
	"*",
};

static void
refuses_what_is_no_origin(void **state)
{
	struct stand *s = *state;
	char text[256], message[256];
	size_t i;

	for (i = 0; i < sizeof(no_origins) / sizeof(no_origins[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "[site]\norigin = %s\n", no_origins[i]);
		(void)snprintf(message, sizeof(message),
		    "d.conf:2: origin \"%s\" is no origin; write https://host "
		    "or https://host:port and nothing behind it",
		    no_origins[i]);
		must_refuse(s, text, message);
	}
}

static void
keeps_the_order_of_origins(void **state)
{
	struct stand *s = *state;

	must_parse(s, "[site]\norigin = https://b , http://a:8080,https://c\n");
	assert_int_equal(s->conf.n_origins, 3);
	must_show(
	    s, "site", "origin", "https://b, http://a:8080, https://c", 2);
	must_show(s, "site", "name", "b", 0);
	must_refuse(s, "[site]\norigin = https://b,\n",
	    "d.conf:2: origin \"\" is no origin; write https://host or "
	    "https://host:port and nothing behind it");
}

static void
add_items(struct buf *b, const char *head, const char *item, size_t n)
{
	size_t i;

	buf_reset(b);
	buf_addz(b, head);
	for (i = 0; i < n; i++)
		buf_addf(b, "%s%s", i > 0 ? ", " : "", item);
	assert_true(buf_ok(b));
}

static void
counts_the_items_of_a_list(void **state)
{
	static const struct {
		const char *head, *item;
		size_t max;
		const char *message;
	} lists[] = {
		{ "[site]\norigin = ", "https://a.example:8443",
		    CONF_ORIGINS_MAX,
		    "d.conf:2: origin has too many entries (16)" },
		{ SITE "[security]\ntrusted_proxies = ", "2001:db8::1",
		    CONF_PROXIES_MAX,
		    "d.conf:4: trusted_proxies has too many entries (64)" },
		{ SITE "[metrics]\nallow = ", "192.0.2.1", CONF_PROXIES_MAX,
		    "d.conf:4: allow has too many entries (64)" },
	};
	struct stand *s = *state;
	char text[ROOM];
	struct buf b;
	size_t i;

	BUF_OVER(&b, text);
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		add_items(&b, lists[i].head, lists[i].item, lists[i].max);
		must_parse(s, buf_z(&b));
		add_items(&b, lists[i].head, lists[i].item, lists[i].max + 1);
		must_refuse(s, buf_z(&b), lists[i].message);
	}
}

static void
bounds_the_host_of_an_origin(void **state)
{
	struct stand *s = *state;
	char host[256], text[512];

	memset(host, 'h', sizeof(host));
	(void)snprintf(
	    text, sizeof(text), "[site]\norigin = https://%.255s\n", host);
	must_parse(s, text);
	assert_int_equal(s->conf.origins[0].host.n, 255);
	(void)snprintf(
	    text, sizeof(text), "[site]\norigin = https://%.256s\n", host);
	assert_int_equal(parse_z(s, text), DK_ERR_CONF);
}

/* --- the cookie ----------------------------------------------------------- */

/* DK-C-01, DK-C-04, DK-C-12, DK-C-13, DK-C-15 */
static const struct {
	const char *settings, *https, *http;
} cookies[] = {
	{ "", "__Host-doorkeep", "doorkeep" },
	{ "domain = example.org\n", "__Secure-doorkeep", "doorkeep" },
	{ "name = sid\n", "sid", "sid" },
	{ "name = __Host-sid\n", "__Host-sid", "sid" },
	{ "name = __Secure-sid\n", "__Secure-sid", "sid" },
	{ "name = __Host-Http-sid\n", "__Host-Http-sid", "sid" },
	{ "name = Http-sid\n", "Http-sid", "Http-sid" },
	{ "name = __Secure-Http-sid\n", "__Secure-Http-sid", "Http-sid" },
	{ "name = s.i-d_9\n", "s.i-d_9", "s.i-d_9" },
	{ "name = _sid\n", "_sid", "_sid" },
	{ "name = __Secure-s\ndomain = example.org\n", "__Secure-s", "s" },
	{ "domain = WWW.example.org\n", "__Secure-doorkeep", "doorkeep" },
	{ "domain = .example.org\n", "__Secure-doorkeep", "doorkeep" },
};

static void
names_the_cookie_for_https_and_http(void **state)
{
	struct stand *s = *state;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(cookies) / sizeof(cookies[0]); i++) {
		(void)snprintf(text, sizeof(text), SITE "[cookie]\n%s",
		    cookies[i].settings);
		must_parse(s, text);
		if (!str_eq(s->conf.cookie_name, str_from(cookies[i].https)) ||
		    !str_eq(
			s->conf.cookie_name_http, str_from(cookies[i].http)))
			fail_msg("%s: %.*s, %.*s", cookies[i].settings,
			    STR_FMT(s->conf.cookie_name),
			    STR_FMT(s->conf.cookie_name_http));
	}
}

#define NO_TOKEN "name may hold up to 100 letters, digits and - _ . only"
#define NO_PREFIX                                                             \
	"name may begin with __Host- or __Secure-, written so and once, and " \
	"with no other __"
#define NOT_WIDE                                                         \
	"the name of a cookie with a domain must begin with __Secure-; " \
	"change name or remove domain"

#define NOT_OURS                                                             \
	"the host of no origin belongs to domain, so no browser would keep " \
	"the cookie; give a domain that is the end of a host in [site] origin"

/* Browsers know a prefix in any case; over http they drop such a cookie. */
static const struct {
	const char *settings, *message;
} no_cookies[] = {
	{ "name = a b\n", "d.conf:4: " NO_TOKEN },
	{ "name = a;b\n", "d.conf:4: " NO_TOKEN },
	{ "name = a=b\n", "d.conf:4: " NO_TOKEN },
	{ "name = \"sid\"\n", "d.conf:4: " NO_TOKEN },
	{ "name = s\xc3\xafn\n", "d.conf:4: " NO_TOKEN },
	{ "name = __host-sid\n", "d.conf:4: " NO_PREFIX },
	{ "name = __HOST-sid\n", "d.conf:4: " NO_PREFIX },
	{ "name = __secure-sid\n", "d.conf:4: " NO_PREFIX },
	{ "name = __Http-sid\n", "d.conf:4: " NO_PREFIX },
	{ "name = __Host-__Secure-sid\n", "d.conf:4: " NO_PREFIX },
	{ "name = __Host-Http-__Host-s\n", "d.conf:4: " NO_PREFIX },
	{ "name = __Host-\n",
	    "d.conf:4: name is nothing but a prefix; write more behind it" },
	{ "name = __Secure-\n",
	    "d.conf:4: name is nothing but a prefix; write more behind it" },
	{ "name = __Host-Http-\n",
	    "d.conf:4: name is nothing but a prefix; write more behind it" },
	{ "name = __Host-sid\ndomain = example.org\n", "d.conf:4: " NOT_WIDE },
	{ "domain = example.org\nname = sid\n", "d.conf:5: " NOT_WIDE },
	{ "domain = example.org; Path=/x\n",
	    "d.conf:4: domain must be a name such as example.org" },
	{ "domain = example.net\n", "d.conf:4: " NOT_OURS },
	{ "domain = ample.org\n", "d.conf:4: " NOT_OURS },
	{ "domain = www.www.example.org\n", "d.conf:4: " NOT_OURS },
	{ "domain = .\n", "d.conf:4: " NOT_OURS },
	{ "domain = ..\n", "d.conf:4: " NOT_OURS },
	{ "domain = old.example.org\n", "d.conf:4: " NOT_OURS },
	{ "domain = example.org:80\n",
	    "d.conf:4: domain must be a name such as example.org" },
};

static void
refuses_a_cookie_that_browsers_drop_or_others_can_plant(void **state)
{
	struct stand *s = *state;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(no_cookies) / sizeof(no_cookies[0]); i++) {
		(void)snprintf(text, sizeof(text), SITE "[cookie]\n%s",
		    no_cookies[i].settings);
		must_refuse(s, text, no_cookies[i].message);
	}
}

static void
bounds_the_name_of_the_cookie(void **state)
{
	struct stand *s = *state;
	char name[102], text[256];

	memset(name, 'n', sizeof(name));
	(void)snprintf(
	    text, sizeof(text), SITE "[cookie]\nname = %.100s\n", name);
	must_parse(s, text);
	assert_int_equal(s->conf.cookie_name.n, 100);
	(void)snprintf(
	    text, sizeof(text), SITE "[cookie]\nname = %.101s\n", name);
	must_refuse(s, text, "d.conf:4: " NO_TOKEN);
}

/* --- keys that depend on each other --------------------------------------- */

/* The name of the key that is wrong stands on line 4. */
static const struct {
	const char *origin, *more, *message;
} sign_ons[] = {
	{ "https://a, https://b", "", NULL },
	{ "https://a, https://b", "max_per_user = 2\n", NULL },
	{ "http://localhost, http://127.0.0.1", "", NULL },
	{ "http://localhost, https://b", "", NULL },
	{ "https://a", "", "single_sign_on needs a second address in [site] "
			   "origin" },
	{ "https://a, https://b", "max_per_user = 1\n",
	    "with single_sign_on a person has a session for each host; make "
	    "max_per_user at least the number of addresses in [site] origin, "
	    "or 0" },
	{ "https://a.org, https://b", "[cookie]\ndomain = a.org\n",
	    "single_sign_on is for hosts that share no cookie; remove it, or "
	    "[cookie] domain" },
	{ "https://a, http://b", "",
	    "single_sign_on would carry a sign-in from https to plain http; "
	    "make every address in [site] origin https" },
};

static void
single_sign_on_needs_hosts_that_it_works_with(void **state)
{
	struct stand *s = *state;
	char text[256], message[256];
	size_t i;

	for (i = 0; i < sizeof(sign_ons) / sizeof(sign_ons[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "[site]\norigin = %s\n[session]\nsingle_sign_on = "
		    "yes\n%s",
		    sign_ons[i].origin, sign_ons[i].more);
		(void)snprintf(message, sizeof(message), "d.conf:4: %s",
		    sign_ons[i].message == NULL ? "" : sign_ons[i].message);
		if (sign_ons[i].message != NULL)
			must_refuse(s, text, message);
		else
			must_parse(s, text);
		assert_true(s->conf.single_sign_on);
	}
}

/* DK-P-01: the costs that are equal to 19456 KiB in two passes. */
static const struct {
	unsigned memory, passes;
	bool strong;
} costs[] = {
	{ 7168, 4, false },
	{ 7168, 5, true },
	{ 7168, 16, true },
	{ 9215, 4, false },
	{ 9216, 4, true },
	{ 9216, 3, false },
	{ 12287, 3, false },
	{ 12288, 3, true },
	{ 12288, 2, false },
	{ 19455, 2, false },
	{ 19456, 2, true },
	{ 19456, 1, false },
	{ 47103, 1, false },
	{ 47104, 1, true },
	{ 1048576, 1, true },
};

#define TOO_WEAK                                                            \
	"argon2_memory and argon2_passes are too weak together; take at "   \
	"least 47104 and 1, 19456 and 2, 12288 and 3, 9216 and 4, or 7168 " \
	"and 5"

static void
wants_memory_and_passes_strong_together(void **state)
{
	struct stand *s = *state;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    SITE "[security]\nargon2_passes = %u\n"
			 "argon2_memory = %u\n",
		    costs[i].passes, costs[i].memory);
		if (costs[i].strong)
			must_parse(s, text);
		else
			must_refuse(s, text, "d.conf:5: " TOO_WEAK);
	}
	must_refuse(
	    s, SITE "[security]\n\nargon2_passes = 1\n", "d.conf:5: " TOO_WEAK);
}

#define NEVER_COUNTS                                                    \
	"idle_timeout is longer than absolute_timeout and would never " \
	"count; make it shorter or 0s"
#define NEVER_COUNTS_KEPT                                                  \
	"remember_idle_timeout is longer than remember_absolute_timeout; " \
	"make it shorter or 0s"

static void
refuses_an_idle_time_that_never_counts(void **state)
{
	struct stand *s = *state;

	must_refuse(s, SITE "[session]\nidle_timeout = 25h\n",
	    "d.conf:4: " NEVER_COUNTS);
	/* The key that was written has the line, also when it is the other. */
	must_refuse(s, SITE "[session]\nabsolute_timeout = 59m\n",
	    "d.conf:4: " NEVER_COUNTS);
	must_refuse(s, SITE "[session]\nremember_idle_timeout = 31d\n",
	    "d.conf:4: " NEVER_COUNTS_KEPT);
	must_refuse(s, SITE "[session]\nremember_absolute_timeout = 13d\n",
	    "d.conf:4: " NEVER_COUNTS_KEPT);
	must_parse(s,
	    SITE "[session]\nidle_timeout = 24h\n"
		 "remember_idle_timeout = 30d\n");
	must_parse(s,
	    SITE "[session]\nabsolute_timeout = 1s\n"
		 "idle_timeout = 0\nremember_idle_timeout = 0\n"
		 "remember_absolute_timeout = 1s\n");
}

#define NO_IDLE                                                             \
	"with [hosting] markers sessions have no idle time, for the web "   \
	"server lets people in without asking; write 0s, and make "         \
	"absolute_timeout shorter instead"
#define MARKERS "[hosting]\nmarkers = /m\n"

/* Apache lets markers' owners in: nobody sees them being idle. */
static void
has_no_idle_time_beside_markers(void **state)
{
	struct stand *s = *state;

	must_parse(s, SITE MARKERS);
	assert_int_equal(s->conf.idle_timeout_ms, 0);
	assert_int_equal(s->conf.remember_idle_timeout_ms, 0);
	must_show(s, "session", "idle_timeout", "0s", 4);
	must_parse(s, SITE MARKERS "[session]\nidle_timeout = 0s\n"
				   "absolute_timeout = 30m\n");
	must_refuse(s, SITE MARKERS "[session]\nidle_timeout = 30m\n",
	    "d.conf:6: " NO_IDLE);
	must_refuse(s, SITE MARKERS "[session]\nremember_idle_timeout = 7d\n",
	    "d.conf:6: " NO_IDLE);
}

/* open(2) reads on to the end of the text. */
static void
gives_a_path_an_end_of_its_own(void **state)
{
	struct stand *s = *state;

	must_parse(s, SITE "logo = /srv/l.svg\nstylesheet = /srv/s.css\n"
			   MARKERS);
	assert_string_equal(s->conf.logo.p, "/srv/l.svg");
	assert_string_equal(s->conf.stylesheet.p, "/srv/s.css");
	assert_string_equal(s->conf.markers.p, "/m");
}

/* Fifteen alone, eight beside a second factor, or what the site says. */
static void
lets_a_password_be_shorter_beside_a_second_factor(void **state)
{
	struct stand *s = *state;

	must_parse(s, SITE);
	assert_int_equal(s->conf.password_min_with_factor, 8);
	must_parse(s, SITE "[security]\npassword_min_length = 15\n");
	assert_int_equal(s->conf.password_min_with_factor, 15);
	must_parse(s, SITE "[security]\npassword_min_length = 20\n");
	assert_int_equal(s->conf.password_min_length, 20);
	assert_int_equal(s->conf.password_min_with_factor, 20);
}

static void
names_who_must_have_a_second_factor(void **state)
{
	struct stand *s = *state;
	const struct conf *c = &s->conf;
	char text[8192];
	struct buf b;
	size_t i;

	must_parse(s, SITE);
	assert_false(c->factor_for_all);
	assert_int_equal(c->n_factor_subjects, 0);
	must_parse(s, SITE "[security]\nrequire_second_factor = all\n");
	assert_true(c->factor_for_all);
	assert_int_equal(c->n_factor_subjects, 0);
	must_parse(s,
	    SITE "[security]\nrequire_second_factor = group:Board,user:Al\n");
	assert_false(c->factor_for_all);
	assert_int_equal(c->n_factor_subjects, 2);
	assert_int_equal(c->factor_subjects[0].kind, CONF_SUBJECT_GROUP);
	assert_true(str_eq(c->factor_subjects[0].name, STR("Board")));
	assert_int_equal(c->factor_subjects[1].kind, CONF_SUBJECT_USER);
	assert_true(str_eq(c->factor_subjects[1].name, STR("al")));

	BUF_OVER(&b, text);
	buf_addz(&b, SITE "[security]\nrequire_second_factor = group:a");
	for (i = 1; i < CONF_RULE_SUBJECTS_MAX; i++)
		buf_addz(&b, ", group:a");
	must_parse(s, buf_z(&b));
	assert_int_equal(c->n_factor_subjects, CONF_RULE_SUBJECTS_MAX);
	buf_addz(&b, ", group:a");
	assert_int_equal(parse_z(s, buf_z(&b)), DK_ERR_CONF);
	/* A name too long to be shown again. */
	for (i = 0; i < 4096; i++)
		buf_addc(&b, 'a');
	assert_int_equal(parse_z(s, buf_z(&b)), DK_ERR_CONF);
	assert_non_null(
	    strstr(buf_z(&s->message), " is too long; use a group"));
}

/* --- the file as a whole -------------------------------------------------- */

static const struct {
	const char *label, *text;
	size_t len;
} whole[] = {
	{ "no newline at the end", TEXT("[site]\norigin = https://a") },
	{ "no space", TEXT("[site]\norigin=https://a\n") },
	{ "tabs and space around all",
	    TEXT(" \t[site] \t\n\t origin\t=\t https://a \t\n") },
	{ "CRLF", TEXT("# x\r\n\r\n[site]\r\norigin = https://a\r\n") },
	{ "CRLF and none at the end", TEXT("[site]\r\norigin = https://a\r") },
	{ "empty lines and comments",
	    TEXT("\n\n#\n  # [nowhere]\n\t\n[site]\n#origin = x\n"
		 "origin = https://a\n\n") },
	{ "any byte in a comment",
	    TEXT("# \xff\x00\x1b\xef\xbb\xbf\n[site]\norigin = https://a\n") },
	{ "a section in two parts",
	    TEXT("[site]\nmount = /x\n[log]\n[site]\norigin = https://a\n") },
	{ "the rules in front",
	    TEXT("[access]\na/x = any\n[site]\n"
		 "origin = https://a\n") },
};

static void
takes_a_file_however_it_is_laid_out(void **state)
{
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (parse(s, (struct str){ whole[i].text, whole[i].len }) !=
		    DK_OK)
			fail_msg("%s: %s", whole[i].label, buf_z(&s->message));
		if (!str_eq(s->conf.origins[0].text, STR("https://a")))
			fail_msg("%s: %.*s", whole[i].label,
			    STR_FMT(s->conf.origins[0].text));
	}
}

#define NO_ORIGIN                                                            \
	"d.conf: [site] origin is missing; give what people type, such as: " \
	"origin = https://www.example.org"
#define NO_TEXT                                                            \
	"the line holds a control or invisible character, or a byte that " \
	"is not UTF-8; write plain text"
#define SECTIONS                                                             \
	"; there are site, store, session, cookie, security, fastcgi, log, " \
	"metrics, admin and access"

static const struct {
	const char *text;
	size_t len;
	const char *message;
} broken[] = {
	{ TEXT(""), NO_ORIGIN },
	{ TEXT("\n"), NO_ORIGIN },
	{ TEXT("[site]\n"), NO_ORIGIN },
	{ TEXT("#[site]\n#origin = https://a\n"), NO_ORIGIN },
	/* Keys and sections */
	{ TEXT(SITE "orgin = https://a\n"),
	    "d.conf:3: unknown key \"orgin\"; [site] has: origin, mount, "
	    "name, templates, stylesheet, logo, accent, language, messages" },
	{ TEXT(SITE "Mount = /x\n"),
	    "d.conf:3: unknown key \"Mount\"; [site] has: origin, mount, "
	    "name, templates, stylesheet, logo, accent, language, messages" },
	{ TEXT("[fastcgi]\n= x\n"),
	    "d.conf:2: unknown key \"\"; [fastcgi] has: shared_secret" },
	{ TEXT("[log]\norigin = https://a\n"),
	    "d.conf:2: origin belongs into [site], not into [log]" },
	{ TEXT("[session]\n\ndomain = a\n"),
	    "d.conf:3: domain belongs into [cookie], not into [session]" },
	{ TEXT("[sites]\n"), "d.conf:1: unknown section [sites]" SECTIONS },
	{ TEXT("[Site]\n"), "d.conf:1: unknown section [Site]" SECTIONS },
	{ TEXT("[]\n"), "d.conf:1: unknown section []" SECTIONS },
	{ TEXT("[ site ]\n"), "d.conf:1: unknown section [ site ]" SECTIONS },
	{ TEXT("[a = b]\n"), "d.conf:1: unknown section [a = b]" SECTIONS },
	{ TEXT("[site\n"), "d.conf:1: a section head is written [name]" },
	{ TEXT("[\n"), "d.conf:1: a section head is written [name]" },
	{ TEXT("[site] # x\n"), "d.conf:1: a section head is written [name]" },
	{ TEXT("[site]x = y\n"),
	    "d.conf:1: a section head such as [site] must come first" },
	{ TEXT("[log]\n[site]x = y\n"),
	    "d.conf:2: unknown key \"[site]x\"; [log] has: destination, "
	    "format, events_keep" },
	{ TEXT("origin = https://a\n[site]\n"),
	    "d.conf:1: a section head such as [site] must come first" },
	{ TEXT(SITE "allow_http\n"),
	    "d.conf:3: a line is written key = value" },
	{ TEXT(SITE "; comment\n"), "d.conf:3: a line is written key = value" },
	/* Twice: neither the first nor the last wins. */
	{ TEXT(SITE "mount = /a\n\n[site]\nmount = /a\n"),
	    "d.conf:6: mount stands twice, first on line 3; remove one" },
	{ TEXT(SITE "origin = https://b\n"),
	    "d.conf:3: origin stands twice, first on line 2; remove one" },
	{ TEXT("[log]\r\nformat = text\r\nformat=text\r\n"),
	    "d.conf:3: format stands twice, first on line 2; remove one" },
	/* Bytes that are no text */
	{ TEXT("\xef\xbb\xbf" SITE),
	    "d.conf:1: the file begins with a byte order mark; save it as "
	    "UTF-8 without one" },
	{ TEXT("\xef\xbb\xbf# x\n" SITE),
	    "d.conf:1: the file begins with a byte order mark; save it as "
	    "UTF-8 without one" },
	{ TEXT("# x\n\xef\xbb\xbf" SITE), "d.conf:2: " NO_TEXT },
	{ TEXT("\xff\xfe[\0s\0"), "d.conf:1: " NO_TEXT },
	{ TEXT(SITE "name = a\0b\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "na\0me = a\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "\0\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "name = a\x1b[31m\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "name = a\tb\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "name = a\x7f\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "name = caf\xe9\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "name = \xc0\xaf\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "name = a\xe2\x80\xae\n"), "d.conf:3: " NO_TEXT },
	{ TEXT(SITE "mount\xe2\x80\x8b = /x\n"), "d.conf:3: " NO_TEXT },
	{ TEXT("[site]\rorigin = https://a\r"), "d.conf:1: " NO_TEXT },
	{ TEXT("[site]\norigin = https://a\r\r\n"), "d.conf:2: " NO_TEXT },
};

static void
refuses_a_file_with_its_line(void **state)
{
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct str text = { broken[i].text, broken[i].len };

		if (parse(s, text) != DK_ERR_CONF)
			fail_msg("taken: case %zu, %s", i, broken[i].text);
		if (strcmp(buf_z(&s->message), broken[i].message) != 0)
			fail_msg("%s\nsays:   %s\nwanted: %s", broken[i].text,
			    buf_z(&s->message), broken[i].message);
	}
}

/* What is quoted is cut, so that the rest of the message has its place. */
static const struct {
	const char *head, *tail, *before, *after;
} endless[] = {
	{ "[site]\n", " = x\n", "d.conf:2: unknown key \"",
	    "\"; [site] has: origin, mount, name, templates, stylesheet, "
	    "logo, accent, language, messages" },
	{ "[", "]\n", "d.conf:1: unknown section [", "]" SECTIONS },
	{ "[site]\norigin = ", "\n", "d.conf:2: origin \"",
	    "\" is no origin; write https://host or https://host:port and "
	    "nothing behind it" },
	{ "[metrics]\nallow = ", "\n", "d.conf:2: allow \"", "\" " NO_NET },
};

static void
still_says_what_is_allowed_when_the_line_is_endless(void **state)
{
	static const char unit[] = "\xc3\xa9"; /* two bytes */
	struct stand *s = *state;
	char text[ROOM], message[ROOM];
	struct buf b, m;
	size_t i, k;

	for (i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		BUF_OVER(&b, text);
		BUF_OVER(&m, message);
		buf_addz(&b, endless[i].head);
		buf_addz(&m, endless[i].before);
		/* One byte in front: the cut falls into a character. */
		buf_addc(&b, 'x');
		buf_addc(&m, 'x');
		for (k = 0; k < 4000; k++)
			buf_addz(&b, unit);
		for (k = 0; k < 29; k++)
			buf_addz(&m, unit);
		buf_addz(&b, endless[i].tail);
		buf_addz(&m, endless[i].after);
		must_refuse(s, buf_z(&b), buf_z(&m));
	}
}

/* The reason is said even when the file's name fills the message. */
static void
shows_the_end_of_an_endless_path(void **state)
{
	static char path[4096];
	struct stand *s = *state;
	struct str said;

	memset(path, 'p', sizeof(path));
	memcpy(path + sizeof(path) - 9, "/the.conf", 9);
	assert_int_equal(conf_parse((struct str){ path, sizeof(path) },
			     STR("x"), &s->arena, &s->conf, &s->message),
	    DK_ERR_CONF);
	assert_true(buf_ok(&s->message));
	said = buf_str(&s->message);
	assert_true(str_ends(
	    said, STR("pp/the.conf:1: a line is written key = value")));
}

static void
bounds_texts_and_paths(void **state)
{
	static const struct {
		const char *section, *key;
	} keys[] = { { "site", "name" }, { "site", "language" },
		{ "site", "logo" }, { "store", "database" } };
	struct stand *s = *state;
	char value[1024], text[2048], message[128];
	size_t i;

	memset(value, 'v', sizeof(value));
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(text, sizeof(text), SITE "[%s]\n%s = /%.1023s",
		    keys[i].section, keys[i].key, value);
		must_parse(s, text);
		(void)snprintf(text, sizeof(text), SITE "[%s]\n%s = /%.1024s",
		    keys[i].section, keys[i].key, value);
		(void)snprintf(message, sizeof(message),
		    "d.conf:4: %s may have at most 1024 bytes", keys[i].key);
		must_refuse(s, text, message);
	}
}

static void
bounds_the_shared_secret(void **state)
{
	struct stand *s = *state;
	char secret[257], text[512];

	memset(secret, 's', sizeof(secret));
	(void)snprintf(text, sizeof(text),
	    SITE "[fastcgi]\nshared_secret = %.256s\n", secret);
	must_parse(s, text);
	assert_int_equal(s->conf.shared_secret.n, 256);
	(void)snprintf(text, sizeof(text),
	    SITE "[fastcgi]\nshared_secret = %.257s\n", secret);
	must_refuse(s, text, "d.conf:4: shared_secret " NO_SECRET);
	/* The message about a wrong one does not repeat it. */
	must_refuse(s, SITE "[fastcgi]\nshared_secret = short-but-secret\n",
	    "d.conf:4: shared_secret " NO_SECRET);
}

static void
bounds_the_mount(void **state)
{
	struct stand *s = *state;
	char mount[200], text[512];

	memset(mount, 'm', sizeof(mount));
	(void)snprintf(text, sizeof(text), SITE "mount = /%.199s\n", mount);
	must_parse(s, text);
	assert_int_equal(s->conf.mount.n, 200);
	(void)snprintf(text, sizeof(text), SITE "mount = /%.200s\n", mount);
	must_refuse(s, text, "d.conf:3: mount " NO_MOUNT);
	must_parse(s, SITE "mount = /\n");
	assert_int_equal(s->conf.mount.n, 0);
}

static void
bounds_the_text(void **state)
{
	static char text[CONF_FILE_MAX + 1];
	struct stand *s = *state;

	memset(text, '\n', sizeof(text));
	memcpy(text, SITE, strlen(SITE));
	assert_int_equal(parse(s, (struct str){ text, CONF_FILE_MAX }), DK_OK);
	assert_int_equal(parse(s, (struct str){ text, CONF_FILE_MAX + 1 }),
	    DK_ERR_TOO_LARGE);
	assert_string_equal(
	    buf_z(&s->message), "d.conf: is larger than 262144 bytes");
}

static void
says_so_when_memory_does_not_suffice(void **state)
{
	struct stand *s = *state;
	struct arena small;

	assert_int_equal(arena_open(&small, 1024), DK_OK);
	assert_int_equal(
	    conf_parse(STR("d.conf"), STR(SITE), &small, &s->conf, &s->message),
	    DK_ERR_NOMEM);
	assert_string_equal(
	    buf_z(&s->message), "d.conf: does not fit into memory");
	arena_close(&small);
}

/* --- printed and read again ----------------------------------------------- */

static void
print_item(void *arg, const struct conf_item *item)
{
	struct buf *out = arg;

	if (item->value.n > 0 && strcmp(item->key, "shared_secret") != 0)
		buf_addf(out, "[%s]\n%s = %.*s\n", item->section, item->key,
		    STR_FMT(item->value));
}

static void
reads_again_what_it_prints(void **state)
{
	static char first[ROOM], second[ROOM];
	struct stand *s = *state;
	struct buf one, two;

	must_parse(s,
	    "[site]\norigin = HTTPS://Www.Example.ORG:443, "
	    "http://[::1]:8080\nmount = /\n"
	    "[session]\nidle_timeout = 5400s\nabsolute_timeout = 36h\n"
	    "[cookie]\ndomain = example.org\n"
	    "[security]\ntrusted_proxies = ::ffff:10.0.0.0/104, ::1\n"
	    "max_parallel_hashes = 7\nallow_http = yes\n"
	    "[log]\ndestination = syslog\nformat = text\n");
	must_show(s, "session", "idle_timeout", "90m", 5);
	BUF_OVER(&one, first);
	conf_each(&s->conf, print_item, &one);
	assert_true(buf_ok(&one));
	must_parse(s, buf_z(&one));
	must_show(s, "session", "idle_timeout", "90m", 12);
	must_show(s, "metrics", "allow", "127.0.0.0/8, ::1/128", 50);
	/* A default that was shown as the manual writes it is now a value. */
	BUF_OVER(&two, second);
	conf_each(&s->conf, print_item, &two);
	must_parse(s, buf_z(&two));
	BUF_OVER(&one, first);
	conf_each(&s->conf, print_item, &one);
	assert_string_equal(first, second);
}

static void
prints_the_longest_list_whole(void **state)
{
	static char text[ROOM];
	struct wanted w = { .section = "site", .key = "origin" };
	struct stand *s = *state;
	char host[256];
	struct buf b;
	size_t i;

	memset(host, 'h', sizeof(host));
	BUF_OVER(&b, text);
	buf_addz(&b, "[site]\norigin = ");
	for (i = 0; i < CONF_ORIGINS_MAX; i++)
		buf_addf(&b, "%shttps://%.255s:65535", i > 0 ? ", " : "", host);
	must_parse(s, buf_z(&b));
	conf_each(&s->conf, take_item, &w);
	assert_string_equal(w.value, text + strlen("[site]\norigin = "));
}

static void
never_prints_the_secret(void **state)
{
	static char text[ROOM];
	struct stand *s = *state;
	struct wanted w = { .section = "fastcgi", .key = "shared_secret" };
	struct buf b;

	must_parse(s, SITE "[fastcgi]\nshared_secret = " SECRET32 "\n");
	assert_true(str_eq(s->conf.shared_secret, STR(SECRET32)));
	BUF_OVER(&b, text);
	conf_each(&s->conf, print_item, &b);
	assert_null(strstr(buf_z(&b), SECRET32));
	conf_each(&s->conf, take_item, &w);
	assert_string_equal(w.value, "(set)");
}

/* --- durations ------------------------------------------------------------ */

static const struct {
	const char *text;
	int64_t ms; /* -1: refused */
	const char *shown;
} durations[] = {
	{ "0", 0, "0s" },
	{ "0s", 0, "0s" },
	{ "0d", 0, "0s" },
	{ "1s", 1000, "1s" },
	{ "90s", 90000, "90s" },
	{ "60s", 60000, "1m" },
	{ "15m", 900000, "15m" },
	{ "60m", 3600000, "1h" },
	{ "12h", 43200000, "12h" },
	{ "24h", 86400000, "1d" },
	{ "25h", 90000000, "25h" },
	{ "30d", INT64_C(2592000000), "30d" },
	{ "007s", 7000, "7s" },
	{ "1000000000d", INT64_C(86400000000000000), "1000000000d" },
	{ "1000000001d", -1, NULL },
	{ "18446744073709551617s", -1, NULL },
	{ "", -1, NULL },
	{ "s", -1, NULL },
	{ "00", -1, NULL },
	{ "1", -1, NULL },
	{ "1ms", -1, NULL },
	{ "1S", -1, NULL },
	{ "+1s", -1, NULL },
	{ "-1s", -1, NULL },
	{ " 1s", -1, NULL },
	{ "1s ", -1, NULL },
	{ "1h30m", -1, NULL },
	{ "1w", -1, NULL },
	{ "1.0s", -1, NULL },
	{ "0x1s", -1, NULL },
};

static void
reads_and_writes_durations(void **state)
{
	char text[64];
	struct buf b;
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		bool ok;

		ms = -2;
		ok = conf_parse_duration(str_from(durations[i].text), &ms);
		if (ok != (durations[i].ms >= 0) ||
		    ms != (ok ? durations[i].ms : 0))
			fail_msg("\"%s\": %d, %lld", durations[i].text, ok,
			    (long long)ms);
		if (!ok)
			continue;
		BUF_OVER(&b, text);
		conf_format_duration(ms, &b);
		assert_string_equal(buf_z(&b), durations[i].shown);
	}
}

/* --- on the disk ---------------------------------------------------------- */

static enum dk_err
load(struct stand *s)
{
	arena_reset(&s->arena);
	buf_reset(&s->message);
	return conf_load(str_from(s->file), &s->arena, &s->conf, &s->message);
}

static void
write_file(const struct stand *s, const char *text, size_t pad, mode_t mode)
{
	int fd = open(s->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t i;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	for (i = 0; i < pad; i++)
		assert_int_equal(write(fd, "#", 1), 1);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/* Its message is the file's name and the rest. */
static void
must_say(struct stand *s, const char *rest)
{
	char message[MESSAGE_MAX];

	(void)snprintf(message, sizeof(message), "%s%s", s->file, rest);
	assert_string_equal(buf_z(&s->message), message);
}

static void
loads_a_file(void **state)
{
	struct stand *s = *state;

	write_file(s, SITE "[access]\n/ = any\n", 0, 0644);
	assert_int_equal(load(s), DK_OK);
	assert_true(str_eq(s->conf.file, str_from(s->file)));
	assert_int_equal(s->conf.n_rules, 1);
	write_file(s, SITE "x = y\n", 0, 0644);
	assert_int_equal(load(s), DK_ERR_CONF);
	must_say(s,
	    ":3: unknown key \"x\"; [site] has: origin, mount, name, "
	    "templates, stylesheet, logo, accent, language, messages");
}

static void
says_why_a_file_cannot_be_read(void **state)
{
	struct stand *s = *state;

	assert_int_equal(load(s), DK_ERR_IO);
	must_say(s,
	    ": cannot be read: No such file or directory; make one "
	    "with: doorkeep init, or name another in DOORKEEP_CONFIG");
	assert_int_equal(mkdir(s->file, 0700), 0);
	assert_int_equal(load(s), DK_ERR_IO);
	must_say(s, ": Is a directory");
	assert_int_equal(rmdir(s->file), 0);
}

static void
bounds_the_file(void **state)
{
	struct stand *s = *state;
	size_t used = strlen(SITE);

	write_file(s, SITE, CONF_FILE_MAX - used, 0644);
	assert_int_equal(load(s), DK_OK);
	write_file(s, SITE, CONF_FILE_MAX - used + 1, 0644);
	assert_int_equal(load(s), DK_ERR_TOO_LARGE);
	must_say(s, ": is larger than 262144 bytes");
}

/* DK-G-10 */
static void
wants_a_file_with_a_secret_kept_from_others(void **state)
{
	static const char text[] =
	    SITE "[fastcgi]\nshared_secret = " SECRET32 "\n";
	struct stand *s = *state;
	char rest[256];

	write_file(s, text, 0, 0640);
	assert_int_equal(load(s), DK_OK);
	write_file(s, text, 0, 0604);
	assert_int_equal(load(s), DK_ERR_CONF);
	(void)snprintf(rest, sizeof(rest),
	    ": holds a secret and everybody can read it; run: chmod o-rwx %s",
	    s->file);
	must_say(s, rest);
}

/* --- where it is ---------------------------------------------------------- */

static void
must_find(const char *path)
{
	char text[4096];
	struct buf b;

	BUF_OVER(&b, text);
	buf_addz(&b, "left over");
	assert_int_equal(conf_find(&b), DK_OK);
	assert_string_equal(buf_z(&b), path);
}

static void
finds_the_file_by_the_environment_first(void **state)
{
	char small[8];
	struct buf b;

	(void)state;
	assert_int_equal(setenv("DOORKEEP_CONFIG", "/srv/x.conf", 1), 0);
	must_find("/srv/x.conf");
	BUF_OVER(&b, small);
	assert_int_equal(conf_find(&b), DK_ERR_TOO_LARGE);
	assert_int_equal(unsetenv("DOORKEEP_CONFIG"), 0);
}

static void
finds_the_file_beside_the_program(void **state)
{
	char beside[4096 + 32];
	ssize_t n = readlink("/proc/self/exe", beside, 4096);
	char *slash;
	int fd;

	(void)state;
	assert_true(n > 0 && n < 4096);
	beside[n] = '\0';
	slash = strrchr(beside, '/');
	(void)snprintf(slash, 32, "/doorkeep.conf");
	(void)unlink(beside); /* of a run that was broken off */
	/* An empty variable is an unset one. */
	assert_int_equal(setenv("DOORKEEP_CONFIG", "", 1), 0);
	must_find(DK_SYSCONFDIR "/doorkeep/doorkeep.conf");
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	must_find(beside);
	assert_int_equal(unlink(beside), 0);
	assert_int_equal(unsetenv("DOORKEEP_CONFIG"), 0);
	must_find(DK_SYSCONFDIR "/doorkeep/doorkeep.conf");
	assert_true(str_eq(
	    conf_default_file(), STR(DK_SYSCONFDIR "/doorkeep/doorkeep.conf")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(shows_the_default_of_every_key),
		STAND_TEST(puts_the_defaults_into_the_struct),
		STAND_TEST(takes_a_value_within_its_bounds),
		STAND_TEST(ends_a_path_where_its_line_ends),
		STAND_TEST(says_what_is_wrong_with_a_value_and_what_is_allowed),
		STAND_TEST(reads_an_origin_in_its_parts),
		STAND_TEST(refuses_what_is_no_origin),
		STAND_TEST(bounds_the_host_of_an_origin),
		STAND_TEST(keeps_the_order_of_origins),
		STAND_TEST(counts_the_items_of_a_list),
		STAND_TEST(single_sign_on_needs_hosts_that_it_works_with),
		STAND_TEST(names_the_cookie_for_https_and_http),
		STAND_TEST(
		    refuses_a_cookie_that_browsers_drop_or_others_can_plant),
		STAND_TEST(bounds_the_name_of_the_cookie),
		STAND_TEST(wants_memory_and_passes_strong_together),
		STAND_TEST(refuses_an_idle_time_that_never_counts),
		STAND_TEST(has_no_idle_time_beside_markers),
		STAND_TEST(gives_a_path_an_end_of_its_own),
		STAND_TEST(lets_a_password_be_shorter_beside_a_second_factor),
		STAND_TEST(names_who_must_have_a_second_factor),
		STAND_TEST(takes_a_file_however_it_is_laid_out),
		STAND_TEST(refuses_a_file_with_its_line),
		STAND_TEST(still_says_what_is_allowed_when_the_line_is_endless),
		STAND_TEST(shows_the_end_of_an_endless_path),
		STAND_TEST(bounds_texts_and_paths),
		STAND_TEST(bounds_the_shared_secret),
		STAND_TEST(bounds_the_mount),
		STAND_TEST(bounds_the_text),
		STAND_TEST(says_so_when_memory_does_not_suffice),
		STAND_TEST(reads_again_what_it_prints),
		STAND_TEST(prints_the_longest_list_whole),
		STAND_TEST(never_prints_the_secret),
		STAND_TEST(reads_and_writes_durations),
		STAND_TEST(loads_a_file),
		STAND_TEST(says_why_a_file_cannot_be_read),
		STAND_TEST(bounds_the_file),
		STAND_TEST(wants_a_file_with_a_secret_kept_from_others),
		STAND_TEST(finds_the_file_by_the_environment_first),
		STAND_TEST(finds_the_file_beside_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
