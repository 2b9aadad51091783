#include "domain/checkup.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/dsn.h"
#include "domain/account.h"
#include "store/db_admin.h"

enum {
	FREE_MIN_MB = 64,
	PATH_LEN_MAX = 4096,
	CONNECTIONS_FULL = 85, /* of a hundred */
	ROUND_TRIP_MAX_US = 20000
};

#define EPOCH_MIN_MS INT64_C(1767225600000) /* 2026: clocks before are wrong \
					     */

struct checkup {
	struct domain *dom;
	checkup_fn *fn;
	void *arg;
};

static void
find(const struct checkup *c, bool good, const char *what, const char *cure)
{
	const struct finding finding = { good, what, cure };

	c->fn(c->arg, &finding);
}

/* The store is a file of this machine. */
static bool
is_file(const struct checkup *c)
{
	return c->dom->conf->database.n > 0 &&
	    c->dom->conf->database.p[0] == '/';
}

static void
check_directory(const struct checkup *c)
{
	char own[PATH_LEN_MAX], dir[PATH_LEN_MAX], cure[PATH_LEN_MAX + 64];
	struct statvfs fs;
	struct stat st;
	struct buf b, text;
	struct str file;

	BUF_OVER(&b, own);
	domain_own_file(c->dom->conf, "", &b);
	file = buf_str(&b);
	while (file.n > 1 && file.p[file.n - 1] != '/')
		file.n--;
	BUF_OVER(&b, dir);
	buf_add(&b, file);
	BUF_OVER(&text, cure);
	buf_addf(&text, "chmod o-rwx %s", buf_z(&b));
	find(c, stat(buf_z(&b), &st) == 0 && (st.st_mode & S_IWOTH) == 0,
	    "nobody else may write beside the store", buf_z(&text));
	buf_reset(&text);
	buf_addf(&text, "make room where %s lies", buf_z(&b));
	find(c,
	    statvfs(buf_z(&b), &fs) == 0 &&
		fs.f_bavail * (fs.f_frsize / 1024) / 1024 >= FREE_MIN_MB,
	    "there is room for the store to grow", buf_z(&text));
}

/* The workers run as the owner of the store, or they cannot write it. */
static void
check_owner(const struct checkup *c)
{
	char file[PATH_LEN_MAX], cure[PATH_LEN_MAX + 128];
	static const char *const suffixes[] = { "", "-wal", "-shm", "-hash",
		"-key" };
	struct stat store = { 0 }, st = { 0 };
	struct buf b, text;
	bool same = true;
	size_t i;

	BUF_OVER(&text, cure);
	for (i = 0; i < 5; i++) {
		BUF_OVER(&b, file);
		buf_add(&b, c->dom->conf->database);
		buf_addz(&b, suffixes[i]);
		if (stat(buf_z(&b), i == 0 ? &store : &st) != 0)
			continue;
		if (i > 0 && same && st.st_uid != store.st_uid) {
			same = false;
			buf_addf(&text, "chown --reference=%.*s %s",
			    STR_FMT(c->dom->conf->database), buf_z(&b));
		}
	}
	find(c, same, "the store's files have one owner", buf_z(&text));
}

/* "FILE: " and what is to be written there. */
static const char *
in_file(const struct checkup *c, struct buf *b, const char *what)
{
	buf_reset(b);
	buf_addf(b, "%.*s: %s", STR_FMT(c->dom->conf->file), what);
	return buf_z(b);
}

static void
check_conf(const struct checkup *c, int64_t now_ms)
{
	const struct conf *conf = c->dom->conf;
	char text[PATH_LEN_MAX + 128];
	struct buf b;

	BUF_OVER(&b, text);
	find(c,
	    conf->origins[0].https || conf->allow_http ||
		str_eq(conf->origins[0].host, STR("localhost")) ||
		str_eq(conf->origins[0].host, STR("127.0.0.1")),
	    "passwords travel safely",
	    in_file(c, &b,
		"[site] origin begins with http: use https, or say "
		"[security] allow_http = yes"));
	find(c, conf->n_rules > 0, "there are rules in [access]",
	    in_file(c, &b,
		"[access] is empty, so everything is denied: add / = any"));
	find(c, now_ms > EPOCH_MIN_MS, "the clock is plausible",
	    "set the clock of this machine");
}

/*
 * Shared hosting: the web server is another user there and looks for the
 * files itself, so it has to pass through every directory on the way.  The
 * last is made at the first sign-in.
 */
static void
check_markers(const struct checkup *c)
{
	char dir[PATH_LEN_MAX], cure[PATH_LEN_MAX + 64];
	struct str path = c->dom->conf->markers;
	struct buf b, text;
	struct stat st;
	bool open = true;
	size_t i;

	BUF_OVER(&text, cure);
	for (i = 1; open && i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		BUF_OVER(&b, dir);
		buf_add(&b, str_sub(path, 0, i));
		open = stat(buf_z(&b), &st) != 0 || (st.st_mode & S_IXOTH) != 0;
		if (!open)
			buf_addf(&text, "chmod o+x %s", buf_z(&b));
	}
	find(c, open, "the web server can reach the markers", buf_z(&text));
}

/* A store on a server of its own: the way there, and how it does. */
static void
check_server(const struct checkup *c)
{
	char text[PATH_LEN_MAX + 256], cure[160];
	struct db_health health;
	struct buf b, more;
	bool answers = db_health(c->dom->db, &health) == DK_OK;

	BUF_OVER(&b, text);
	BUF_OVER(&more, cure);
	find(c, answers && health.is_private,
	    "the way to the store is private",
	    in_file(c, &b,
		"[store] database: add sslmode=verify-full and "
		"sslrootcert=FILE, or others on the way can read it and "
		"answer in its place"));
	buf_addf(&more,
	    "%lld of %lld connections are taken: raise max_connections of "
	    "PostgreSQL, or put pgbouncer in between",
	    (long long)health.connections, (long long)health.connections_max);
	find(c,
	    answers &&
		(health.connections_max == 0 ||
		    health.connections * 100 <=
			health.connections_max * CONNECTIONS_FULL),
	    "the store has connections to spare", buf_z(&more));
	buf_reset(&more);
	buf_addf(&more,
	    "an answer takes %lld ms, and every page waits for some: bring "
	    "the two servers closer together",
	    (long long)health.round_trip_us / 1000);
	find(c, answers && health.round_trip_us <= ROUND_TRIP_MAX_US,
	    "the store answers quickly", buf_z(&more));
}

static void
check_people(const struct checkup *c)
{
	int64_t users = 0;

	find(c, account_count(c->dom, &users) == DK_OK && users > 0,
	    "there is somebody who can sign in", "doorkeep user add NAME");
}

void
checkup(struct domain *dom, int64_t now_ms, checkup_fn *fn, void *arg)
{
	const struct checkup c = { dom, fn, arg };

	check_directory(&c);
	if (is_file(&c))
		check_owner(&c);
	check_conf(&c, now_ms);
	if (dom->conf->markers.n > 0)
		check_markers(&c);
	if (dom->db != NULL && dsn_is(dom->conf->database))
		check_server(&c);
	if (dom->db != NULL)
		check_people(&c);
}

void
checkup_store(struct domain *dom, checkup_fn *fn, void *arg)
{
	const struct checkup c = { dom, fn, arg };
	char text[DB_MESSAGE_MAX];
	struct buf message;
	bool sound = false;
	enum dk_err err;

	BUF_OVER(&message, text);
	err = db_check(dom->db, &sound, &message);
	find(&c, err == DK_OK && sound, "the store is sound",
	    err == DK_OK && buf_ok(&message)
		? buf_z(&message)
		: "doorkeep db check says more");
}

void
checkup_versions(struct domain *dom, struct checkup_versions *versions)
{
	struct buf b;

	versions->program = PACKAGE_VERSION;
	versions->engine = db_engine(dom->db);
	versions->schema = db_schema_version(dom->db);
	BUF_OVER(&b, versions->place);
	if (dsn_is(dom->conf->database))
		dsn_show(&b, dom->conf->database);
}
