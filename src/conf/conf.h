#ifndef DK_CONF_CONF_H
#define DK_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/net.h"
#include "base/sandbox.h"
#include "base/str.h"

/*
 * The configuration: one keyword table, read once into one struct that is
 * const from then on.  All texts live in the arena that conf_load was given.
 */
enum {
	CONF_FILE_MAX = 256 * 1024, /* bytes */
	CONF_ORIGINS_MAX = 16,
	CONF_PROXIES_MAX = 64,
	CONF_RULES_MAX = 256,
	CONF_RULE_SUBJECTS_MAX = 16,
	CONF_RULE_NETS_MAX = 16,
	CONF_KEYS_MAX = 64
};

/* scheme://host[:port], parsed and in lower case; the port is always set. */
struct conf_origin {
	struct str text; /* canonical, default port left out */
	bool https;
	struct str host; /* without port; IPv6 in brackets */
	unsigned port;
};

enum conf_subject_kind { CONF_SUBJECT_USER, CONF_SUBJECT_GROUP };
struct conf_subject {
	enum conf_subject_kind kind;
	struct str name; /* in lower case for users, as written for groups */
};

/* One line of [access].  domain/access.h evaluates it. */
enum conf_requirement {
	CONF_REQUIRE_DENY, /* zero means denied */
	CONF_REQUIRE_PUBLIC,
	CONF_REQUIRE_ANY,
	CONF_REQUIRE_SUBJECTS
};
struct conf_rule {
	unsigned line;
	struct str text;    /* the line as written, for people */
	struct str host;    /* in lower case; STR_NONE: every host */
	struct str pattern; /* begins with '/'; prefix or glob */
	bool glob;	    /* holds '*' or '?' */
	enum conf_requirement requirement;
	struct conf_subject subjects[CONF_RULE_SUBJECTS_MAX];
	size_t n_subjects;
	int64_t reauth_ms;  /* 0: not asked for */
	int level;	    /* 1 or 2 */
	struct str methods; /* "GET,HEAD"; STR_NONE: every method */
	struct ip_net nets[CONF_RULE_NETS_MAX];
	size_t n_nets; /* 0: from everywhere */
	bool activity; /* false: the request does not prolong the session */
};

struct conf {
	struct str file;	       /* where it was read from */
	unsigned lines[CONF_KEYS_MAX]; /* line of each key; 0: default */

	/* [site] */
	struct conf_origin origins[CONF_ORIGINS_MAX]; /* first: canonical */
	size_t n_origins;
	struct str mount, name; /* "/auth"; "" for the root; no slash last */
	struct str templates, stylesheet, logo, language, messages, accent;

	/* [store] */
	struct str database, store_directory; /* see domain_own_file() */

	/* [session], milliseconds */
	int64_t idle_timeout_ms, absolute_timeout_ms; /* idle 0: none */
	int64_t remember_idle_timeout_ms, remember_absolute_timeout_ms;
	int64_t touch_interval_ms;
	unsigned max_per_user; /* 0: no limit */
	bool single_sign_on;   /* over the hosts of origin */

	/* [cookie] */
	struct str cookie_name;	     /* as sent over https, with its prefix */
	struct str cookie_name_http; /* without __Host- or __Secure- */
	struct str cookie_domain;    /* STR_NONE: host-only */

	/* [security] */
	bool allow_http;
	struct ip_net trusted_proxies[CONF_PROXIES_MAX];
	size_t n_trusted_proxies;
	unsigned argon2_memory_kib, argon2_passes;
	unsigned max_parallel_hashes;
	unsigned password_min_length;	   /* code points */
	unsigned password_min_with_factor; /* of who has a second factor */
	/* Who must have a second factor; 0: nobody. */
	struct conf_subject factor_subjects[CONF_RULE_SUBJECTS_MAX];
	size_t n_factor_subjects;
	bool factor_for_all;
	struct str factor_text; /* as it was written */
	struct str password_blocklist;	   /* STR_NONE: the built-in one */
	enum sandbox_mode sandbox;

	/* [fastcgi] */
	struct str shared_secret; /* STR_NONE: none asked for */

	/* [log] */
	enum log_destination log_destination;
	enum log_format log_format;
	int64_t events_keep_ms; /* age at which events are purged */

	/* [hosting]; STR_NONE: unset */
	struct str markers; /* directory of the marker files */

	/* [metrics] */
	struct ip_net metrics_allow[CONF_PROXIES_MAX];
	size_t n_metrics_allow;

	/* [admin] */
	struct str admin_group; /* STR_NONE: there is no desk */

	/* [access] */
	struct conf_rule *rules;
	size_t n_rules;
};

/*
 * The file to read: DOORKEEP_CONFIG in the process's environment, else a
 * doorkeep.conf beside the running program, else the default place.  Written
 * to path; DK_ERR_TOO_LARGE when it does not fit.  (The one getenv of conf.)
 */
enum dk_err conf_find(struct buf *path) DK_CHECK;
/* The default place, e.g. /etc/doorkeep/doorkeep.conf.  Static. */
struct str conf_default_file(void);

/*
 * Read and check the whole file.  On an error nothing in *conf may be used
 * and message holds "FILE:LINE: what is wrong, what is allowed" (without a
 * newline).  DK_ERR_IO: it cannot be read; DK_ERR_TOO_LARGE: more than
 * CONF_FILE_MAX; DK_ERR_NOMEM: more than the arena; DK_ERR_CONF: it is wrong.
 */
enum dk_err conf_load(struct str path, struct arena *arena, struct conf *conf,
    struct buf *message) DK_CHECK;
/* The same from text; path is only for messages.  Fuzzed. */
enum dk_err conf_parse(struct str path, struct str text, struct arena *arena,
    struct conf *conf, struct buf *message) DK_CHECK;

/*
 * Go through every key in the order of the table: its section, name,
 * effective value as one would write it, the line it stands on (0: default)
 * and a line of explanation.  For `config show` and the manual's test.
 * Secret values are given as "(set)".
 */
struct conf_item {
	const char *section, *key;
	struct str value;
	unsigned line;
	const char *help;
};
typedef void conf_item_fn(void *arg, const struct conf_item *item);
/* The line of a key in the file; 0: it is not set there. */
unsigned conf_line(const struct conf *c, const char *section, const char *key);
void conf_each(const struct conf *conf, conf_item_fn *fn, void *arg);

/* "90s", "15m", "12h", "30d" in milliseconds; "0s" or "0" is 0. */
bool conf_parse_duration(struct str text, int64_t *ms);
/* The largest unit that divides it: "90s", "15m", "0s". */
void conf_format_duration(int64_t ms, struct buf *out);

#endif
