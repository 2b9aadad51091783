/*
 * Connecting: what the address leaves open is filled in safely, and what is
 * unsafe in it is said.
 */
#include <string.h>

#include "base/dsn.h"
#include "base/secret.h"
#include "store/postgres.h"

enum { ADDRESS_MAX = 2048, PARAMETERS_MAX = 64, NUMBER_MAX = 16 };

/* What libpq is given; the values of `given` win. */
struct parameters {
	PQconninfoOption *given;
	const char *name[PARAMETERS_MAX], *value[PARAMETERS_MAX];
	size_t n;
};

static const char *
given(const struct parameters *p, const char *name)
{
	const PQconninfoOption *o;

	for (o = p->given; o->keyword != NULL; o++)
		if (strcmp(o->keyword, name) == 0)
			return o->val;
	return NULL;
}

static void
add(struct parameters *p, const char *name, const char *value)
{
	if (p->n + 1 >= PARAMETERS_MAX)
		return;
	p->name[p->n] = name;
	p->value[p->n] = value;
	p->n++;
}

static void
add_default(struct parameters *p, const char *name, const char *value)
{
	if (given(p, name) == NULL)
		add(p, name, value);
}

/* A Unix socket, or an address that does not leave this machine. */
static bool
is_local(struct str host)
{
	return host.n == 0 || host.p[0] == '/' || host.p[0] == '@' ||
	    str_ieq(host, STR("localhost")) || str_eq(host, STR("::1")) ||
	    str_starts(host, STR("127."));
}

static bool
all_local(const char *hosts)
{
	struct str rest = str_from(hosts == NULL ? "" : hosts), host;

	while (str_cut(&rest, ',', &host))
		if (!is_local(host))
			return false;
	return true;
}

/* The address goes before the name where both are given. */
static bool
stays_here(const struct parameters *p)
{
	const char *address = given(p, "hostaddr");

	return all_local(address != NULL ? address : given(p, "host"));
}

static void
fill(struct parameters *p)
{
	const PQconninfoOption *o;

	for (o = p->given; o->keyword != NULL; o++)
		if (o->val != NULL)
			add(p, o->keyword, o->val);
	if (!stays_here(p))
		add_default(p, "sslmode", "verify-full");
	/* Of several hosts the one that takes writes: it moves. */
	add_default(p, "target_session_attrs", "read-write");
	add_default(p, "application_name", "doorkeep");
	add_default(p, "gssencmode", "disable");
	add_default(p, "connect_timeout", "2");
	add_default(p, "keepalives_idle", "20");
	add_default(p, "keepalives_interval", "5");
	add_default(p, "keepalives_count", "3");
	add_default(p, "tcp_user_timeout", "5000");
	/* All our text is UTF-8, whatever the address says. */
	add(p, "client_encoding", "UTF8");
}

/*
 * Where the server really is: with no host in the address the environment of
 * libpq may have named one.
 */
static bool
is_private(const struct pg *s)
{
	const char *host = PQhost(s->conn), *at = PQhostaddr(s->conn);

	return is_local(str_from(at != NULL && at[0] != '\0' ? at : host));
}

/* DK-G-13: what others on the way can read or alter is said, each time. */
static enum dk_err
judge_privacy(struct pg *s, const struct parameters *p, struct log *log,
    struct buf *message)
{
	const char *mode = given(p, "sslmode");

	if (is_private(s) ||
	    (PQsslInUse(s->conn) == 1 && mode == NULL && !stays_here(p)) ||
	    (PQsslInUse(s->conn) == 1 && mode != NULL &&
		strcmp(mode, "verify-full") == 0)) {
		s->is_private = true;
		return DK_OK;
	}
	if (mode == NULL) {
		buf_addz(message,
		    "[store] database names no host, and libpq's environment "
		    "leads to another machine without a check of its "
		    "certificate; write the host into the address");
		return DK_ERR_CONF;
	}
	if (log != NULL)
		LOG_WRITE(log, LOG_LEVEL_WARNING, "store_not_private",
		    { "host", str_from(PQhost(s->conn)) },
		    { "sslmode", str_from(mode) },
		    { "danger",
			PQsslInUse(s->conn) == 1
			    ? STR("nobody checks which server answers")
			    : STR("passwords' hashes cross the network in "
				  "the clear") },
		    { "cure",
			STR("sslmode=verify-full and sslrootcert=FILE in "
			    "[store] database") });
	return DK_OK;
}

/* libpq's words without its line ends, and never a password. */
static void
add_words(struct buf *b, const char *words)
{
	struct str rest = str_from(words), line;
	bool first = true;

	while (str_cut(&rest, '\n', &line)) {
		line = str_trim(line);
		if (line.n == 0)
			continue;
		buf_addz(b, first ? "" : "; ");
		buf_add(b, line);
		first = false;
	}
}

static void
add_cure(struct buf *b, const char *words)
{
	if (strstr(words, "root certificate file") != NULL)
		buf_addz(b,
		    "; name the file with the certificate of the server's "
		    "authority: add sslrootcert=FILE to [store] database");
	else if (strstr(words, "password") != NULL)
		buf_addz(b,
		    "; the password belongs into the address, or into a "
		    "file of mode 0600 named by its parameter passfile");
	else if (strstr(words, "does not exist") != NULL)
		buf_addz(b, "; make it on the server: createuser, createdb");
	else
		buf_addz(b,
		    "; see [store] database and whether the server runs and "
		    "lets this host in (pg_hba.conf)");
}

static enum dk_err
say_unreachable(struct pg *s, struct str address, struct buf *message)
{
	const char *words =
	    s->conn == NULL ? "out of memory" : PQerrorMessage(s->conn);

	dsn_show(message, address);
	buf_addz(message, ": ");
	add_words(message, words);
	add_cure(message, words);
	return DK_ERR_STORE;
}

/*
 * Limits of the session.  Behind a pooler the number of the process that
 * serves us is not the one that we were greeted with: then no session is
 * ours, and what is set for one would meet others.
 */
static enum dk_err
settle_session(struct pg *s)
{
	char text[256];
	PGresult *r;
	struct buf b;
	enum dk_err err = pg_run(s, "SELECT pg_backend_pid()", &r);

	if (err != DK_OK)
		return err;
	s->pooled = pg_number(r, 0) != PQbackendPID(s->conn);
	PQclear(r);
	s->set_wait_ms = DB_WAIT_MS;
	if (s->pooled)
		return DK_OK;
	BUF_OVER(&b, text);
	buf_addf(&b,
	    "SET lock_timeout = %d; SET statement_timeout = %d; "
	    "SET idle_in_transaction_session_timeout = %d",
	    DB_WAIT_MS, s->patient ? 0 : PG_STATEMENT_MS,
	    s->patient ? PG_IDLE_PATIENT_MS : PG_IDLE_TXN_MS);
	return pg_run(s, buf_z(&b), NULL);
}

static void
name_engine(struct pg *s)
{
	const char *text = PQparameterStatus(s->conn, "server_version");
	struct str version, package;
	struct buf b;

	/* "15.3 (Debian 15.3-1)" */
	(void)str_split(
	    str_from(text == NULL ? "?" : text), ' ', &version, &package);
	BUF_OVER(&b, s->engine);
	buf_addz(&b, "PostgreSQL ");
	buf_add(&b, str_sub(version, 0, 16));
	buf_addz(&b, s->pooled ? " behind a pooler" : "");
}

/* Warnings of the server go nowhere: not to a web server's log unasked. */
static void
ignore_notice(void *arg, const PGresult *r)
{
	(void)arg, (void)r;
}

static enum dk_err
connect_to(struct pg *s, struct parameters *p, struct str address,
    struct log *log, struct buf *message)
{
	enum dk_err err;

	fill(p);
	s->conn = PQconnectdbParams(p->name, p->value, 0);
	if (s->conn == NULL || PQstatus(s->conn) != CONNECTION_OK)
		return say_unreachable(s, address, message);
	(void)PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
	err = judge_privacy(s, p, log, message);
	if (err != DK_OK)
		return err;
	if (PQsetnonblocking(s->conn, 1) != 0)
		return DK_ERR_STORE;
	err = settle_session(s);
	if (err != DK_OK) {
		dsn_show(message, address);
		buf_addf(message, ": %s", s->error);
		return err;
	}
	name_engine(s);
	return DK_OK;
}

enum dk_err
pg_connect(
    struct pg *s, struct str address, struct log *log, struct buf *message)
{
	struct parameters p = { .n = 0 };
	char text[ADDRESS_MAX];
	char *words = NULL;
	struct buf b;
	enum dk_err err = DK_ERR_CONF;

	BUF_OVER(&b, text);
	buf_add(&b, address);
	if (buf_ok(&b) && !str_contains(address, '\0'))
		p.given = PQconninfoParse(buf_z(&b), &words);
	/* libpq's words on it would hold the password. */
	PQfreemem(words);
	if (p.given == NULL) {
		buf_addz(message, "[store] database: ");
		dsn_show(message, address);
		buf_addz(message,
		    " is not an address as PostgreSQL reads them: "
		    "postgresql://USER:PASSWORD@HOST:PORT/NAME?KEY=VALUE; "
		    "write @ as %40, : as %3A, / as %2F in a password");
	} else {
		err = connect_to(s, &p, address, log, message);
	}
	PQconninfoFree(p.given);
	secret_wipe(text, sizeof(text));
	return err;
}
