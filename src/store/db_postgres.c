/*
 * PostgreSQL, and what speaks its protocol and SQL.  A module of its own,
 * for libpq brings twenty libraries along: loaded by db.c when [store]
 * database asks for it.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "store/db_module.h"
#include "store/postgres.h"

/* Of pg_type.h; the numbers are part of the protocol. */
enum {
	OID_BOOL = 16,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_BYTEA = 17,
	NUMBER_TEXT_MAX = 24
};

/* ---- open and close ---------------------------------------------------- */

static void
pg_close(void *state)
{
	struct pg *s = state;

	PQclear(s->result);
	PQfinish(s->conn);
	secret_free(s);
}

static enum dk_err
pg_open(void **state, const struct db_options *options, struct buf *message)
{
	struct pg *s = secret_alloc(sizeof(*s));
	enum dk_err err;

	*state = NULL;
	if (s == NULL)
		return DK_ERR_NOMEM;
	s->wait_ms = DB_WAIT_MS;
	s->patient = options->patient;
	err = pg_connect(s, options->database, options->log, message);
	if (err == DK_OK)
		err = pg_open_schema(s, options, message);
	if (err != DK_OK) {
		pg_close(s);
		return err;
	}
	*state = s;
	return DK_OK;
}

/*
 * Between two statements a server has nothing to say but that it goes, or
 * that a setting has changed.
 */
static bool
pg_is_stale(void *state)
{
	struct pg *s = state;
	struct pollfd p = { .fd = PQsocket(s->conn), .events = POLLIN };

	if (!s->dead && poll(&p, 1, 0) > 0 && PQconsumeInput(s->conn) == 0)
		s->dead = true;
	return s->dead || PQstatus(s->conn) != CONNECTION_OK;
}

static bool
pg_is_stuck(void *state)
{
	const struct pg *s = state;

	return s->dead;
}

static void
pg_set_wait(void *state, int64_t ms)
{
	struct pg *s = state;

	s->wait_ms = ms;
}

/* ---- transactions ------------------------------------------------------ */

/* For the server 0 means to wait for ever: 1 ms is the least. */
static long long
lock_timeout(const struct pg *s)
{
	return s->wait_ms < 1 ? 1 : s->wait_ms;
}

/* Tell our session how long to wait for locks, if it does not know yet. */
static enum dk_err
set_session_wait(struct pg *s)
{
	char text[64];
	struct buf b;
	enum dk_err err;

	if (s->pooled || s->in_txn || s->wait_ms == s->set_wait_ms)
		return DK_OK;
	BUF_OVER(&b, text);
	buf_addf(&b, "SET lock_timeout = %lld", lock_timeout(s));
	err = pg_run(s, buf_z(&b), NULL);
	if (err == DK_OK)
		s->set_wait_ms = s->wait_ms;
	return err;
}

/*
 * A transaction that writes reads and writes as if it were alone; where it
 * was not, the server says so and db_again() has it run once more.  Behind a
 * pooler the limits have to come with each transaction.
 */
static enum dk_err
pg_begin(void *state, enum db_txn kind)
{
	struct pg *s = state;
	char text[320];
	struct buf b;
	enum dk_err err = set_session_wait(s);

	if (err != DK_OK)
		return err;
	BUF_OVER(&b, text);
	buf_addz(&b,
	    kind == DB_WRITE ? "BEGIN ISOLATION LEVEL SERIALIZABLE"
			     : "BEGIN ISOLATION LEVEL REPEATABLE READ, "
			       "READ ONLY");
	if (s->pooled)
		buf_addf(&b,
		    "; SET LOCAL lock_timeout = %lld"
		    "; SET LOCAL statement_timeout = %d"
		    "; SET LOCAL idle_in_transaction_session_timeout = %d",
		    lock_timeout(s), s->patient ? 0 : PG_STATEMENT_MS,
		    s->patient ? PG_IDLE_PATIENT_MS : PG_IDLE_TXN_MS);
	err = pg_run(s, buf_z(&b), NULL);
	s->in_txn = err == DK_OK;
	return err;
}

static enum dk_err
pg_commit(void *state)
{
	struct pg *s = state;
	PGresult *r = NULL;
	enum dk_err err = pg_run(s, "COMMIT", &r);

	s->in_txn = false;
	/* A transaction that had failed is "committed" by a rollback. */
	if (err == DK_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0)
		err = DK_ERR_STORE;
	PQclear(r);
	return err;
}

static void
pg_rollback(void *state)
{
	struct pg *s = state;
	bool undone = s->undone;

	s->in_txn = false;
	if (!s->dead && PQtransactionStatus(s->conn) != PQTRANS_IDLE &&
	    pg_run(s, "ROLLBACK", NULL) != DK_OK)
		s->dead = true;
	s->undone = undone;
}

static bool
pg_undone(void *state)
{
	const struct pg *s = state;

	return s->undone && !s->dead;
}

/* ---- statements -------------------------------------------------------- */

/* Values as the server wants them: numbers as text, the rest as it is. */
struct values {
	const char *p[DB_ARGS_MAX];
	int n[DB_ARGS_MAX], format[DB_ARGS_MAX];
	char number[DB_ARGS_MAX][NUMBER_TEXT_MAX];
};

static void
fill(struct values *v, const struct db_arg *args, size_t n)
{
	struct buf b;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct db_arg *a = &args[i];

		v->format[i] = a->type == DB_INT ? 0 : 1;
		v->n[i] = (int)a->s.n;
		v->p[i] = a->s.p;
		if (a->type == DB_NULL)
			v->p[i] = NULL;
		if (a->type == DB_BLOB && a->s.p == NULL)
			v->p[i] = "";
		if (a->type != DB_INT)
			continue;
		BUF_OVER(&b, v->number[i]);
		buf_addf(&b, "%lld", (long long)a->i);
		v->p[i] = buf_z(&b);
	}
}

/*
 * A statement is prepared when it comes for the second time: a CGI program
 * runs each of them once.  Behind a pooler the next statement may meet
 * another session, where ours are unknown.
 */
static enum dk_err
prepare(struct pg *s, enum query q, size_t n)
{
	const char *name = query_texts[q].name;
	PGresult *r = NULL;
	enum dk_err err;

	if (s->pooled || s->prepared[q] != PG_SENT_ONCE)
		return DK_OK;
	if (PQsendPrepare(s->conn, name, query_texts[q].sql, (int)n, NULL) == 1)
		r = pg_answer(s);
	err = pg_verdict(s, r);
	PQclear(r);
	if (err == DK_OK)
		s->prepared[q] = PG_PREPARED;
	return err;
}

static enum dk_err
send(struct pg *s, enum query q, const struct db_arg *args, size_t n)
{
	struct values v;
	enum dk_err err = prepare(s, q, n);
	int sent;

	if (err != DK_OK)
		return err;
	fill(&v, args, n);
	if (s->prepared[q] == PG_PREPARED)
		sent = PQsendQueryPrepared(s->conn, query_texts[q].name, (int)n,
		    v.p, v.n, v.format, 1);
	else
		sent = PQsendQueryParams(s->conn, query_texts[q].sql, (int)n,
		    NULL, v.p, v.n, v.format, 1);
	s->result = sent == 1 ? pg_answer(s) : NULL;
	if (sent != 1)
		s->dead = true;
	err = pg_verdict(s, s->result);
	if (err == DK_OK && !s->pooled && s->prepared[q] == PG_NEVER)
		s->prepared[q] = PG_SENT_ONCE;
	return err;
}

static void
pg_done(void *state)
{
	struct pg *s = state;

	PQclear(s->result);
	s->result = NULL;
}

/* Somebody threw our prepared statements away (DISCARD ALL), or changed a
 * table under them: invalid_sql_statement_name, feature_not_supported. */
static bool
is_forgotten(const struct pg *s)
{
	const char *code = s->result == NULL
	    ? NULL
	    : PQresultErrorField(s->result, PG_DIAG_SQLSTATE);

	return code != NULL &&
	    (strcmp(code, "26000") == 0 || strcmp(code, "0A000") == 0);
}

/* Outside a transaction a statement that others undid is simply repeated. */
static enum dk_err
send_alone(struct pg *s, enum query q, const struct db_arg *args, size_t n)
{
	unsigned short jitter = 0;
	enum dk_err err;
	int tries = 0;

	for (;;) {
		err = send(s, q, args, n);
		if (s->in_txn || s->dead || ++tries > PG_AGAIN_MAX)
			return err;
		if (err == DK_ERR_STORE && s->prepared[q] == PG_PREPARED &&
		    is_forgotten(s)) {
			memset(s->prepared, 0, sizeof(s->prepared));
		} else if (!s->undone) {
			return err;
		} else if (secret_random(&jitter, sizeof(jitter)) == DK_OK) {
			clock_sleep_until_us(clock_monotonic_us() +
			    1000 * tries + jitter % 4096);
		}
		pg_done(s);
	}
}

/*
 * A single statement that writes waits for locks as long as the caller says;
 * one that only reads waits for none.
 */
static enum dk_err
send_within(struct pg *s, enum query q, const struct db_arg *args, size_t n)
{
	bool reads = strncmp(query_texts[q].sql, "SELECT", 6) == 0;
	enum dk_err err;

	if (s->in_txn || reads || s->wait_ms == s->set_wait_ms)
		return send_alone(s, q, args, n);
	if (!s->pooled) {
		err = set_session_wait(s);
		return err == DK_OK ? send_alone(s, q, args, n) : err;
	}
	err = pg_begin(s, DB_WRITE);
	if (err == DK_OK)
		err = send(s, q, args, n);
	if (err == DK_OK)
		return pg_commit(s);
	pg_rollback(s);
	return err;
}

static enum dk_err
pg_start(void *state, enum query q, const struct db_arg *args, size_t n)
{
	struct pg *s = state;
	const char *count;
	uint64_t changes = 0;
	enum dk_err err;

	pg_done(s);
	s->row = -1;
	s->changes = 0;
	if (s->dead)
		return DK_ERR_STORE;
	err = send_within(s, q, args, n);
	if (err != DK_OK) {
		pg_done(s);
		return err;
	}
	count = PQcmdTuples(s->result);
	if (str_to_u64(str_from(count), INT64_MAX, &changes))
		s->changes = (int64_t)changes;
	return DK_OK;
}

static enum dk_err
pg_next(void *state, bool *row)
{
	struct pg *s = state;

	*row = false;
	if (s->result == NULL)
		return DK_ERR_STORE;
	if (s->row < PQntuples(s->result))
		s->row++;
	*row = s->row < PQntuples(s->result);
	return DK_OK;
}

static int64_t
pg_changes(void *state)
{
	const struct pg *s = state;

	return s->changes;
}

/* ---- columns ----------------------------------------------------------- */

static bool
has(const struct pg *s, int column)
{
	return s->result != NULL && s->row >= 0 &&
	    s->row < PQntuples(s->result) && column < PQnfields(s->result) &&
	    PQgetisnull(s->result, s->row, column) == 0;
}

/* Whole numbers come as 1, 2, 4 or 8 bytes, the first the highest. */
static int64_t
pg_int(void *state, int column)
{
	struct pg *s = state;
	const unsigned char *p;
	uint64_t v;
	int i, n;

	if (!has(s, column))
		return 0;
	p = (const unsigned char *)PQgetvalue(s->result, s->row, column);
	n = PQgetlength(s->result, s->row, column);
	v = n > 0 && n < 8 && (p[0] & 0x80) != 0 ? UINT64_MAX : 0;
	for (i = 0; i < n && i < 8; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static struct str
pg_bytes(void *state, int column)
{
	struct pg *s = state;

	if (!has(s, column))
		return STR_NONE;
	return (struct str){ PQgetvalue(s->result, s->row, column),
		(size_t)PQgetlength(s->result, s->row, column) };
}

static enum db_type
pg_type(void *state, int column)
{
	struct pg *s = state;

	if (!has(s, column))
		return DB_NULL;
	switch (PQftype(s->result, column)) {
	case OID_BOOL:
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		return DB_INT;
	case OID_BYTEA:
		return DB_BLOB;
	default:
		return DB_TEXT;
	}
}

/* ---- for the command line ---------------------------------------------- */

static int
pg_version(void *state)
{
	return pg_schema_version(state);
}

static enum dk_err
pg_copying(void *state, bool copying)
{
	return pg_set_copying(state, copying);
}

static const char *
pg_engine(void *state)
{
	struct pg *s = state;

	return s->engine;
}

static enum dk_err
pg_is_well(void *state, struct db_health *health)
{
	return pg_health(state, health);
}

static enum dk_err
pg_backup(void *state, struct str file, struct buf *message)
{
	(void)state, (void)file;
	buf_addz(message,
	    "a PostgreSQL store is copied with its own tools, which also "
	    "restore it: pg_dump --format=custom --file=FILE DATABASE");
	return DK_ERR_CONF;
}

static enum dk_err
pg_is_sound(void *state, bool *sound, struct buf *message)
{
	return pg_check(state, sound, message);
}

static const char *
pg_error_text(void *state)
{
	const struct pg *s = state;

	return s->error;
}

static const struct db_ops db_postgres_ops = {
	.name = "postgresql",
	.open = pg_open,
	.close = pg_close,
	.is_stale = pg_is_stale,
	.is_stuck = pg_is_stuck,
	.set_wait = pg_set_wait,
	.begin = pg_begin,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.undone = pg_undone,
	.start = pg_start,
	.next = pg_next,
	.done = pg_done,
	.changes = pg_changes,
	.column_int = pg_int,
	.column_bytes = pg_bytes,
	.column_type = pg_type,
	.schema_version = pg_version,
	.schema_newest = pg_migrations_newest,
	.set_copying = pg_copying,
	.engine = pg_engine,
	.health = pg_is_well,
	.backup = pg_backup,
	.check = pg_is_sound,
	.error_text = pg_error_text,
};

/* The one name that the module shows. */
extern const struct db_module db_postgres_module;
__attribute__((__visibility__("default")))
const struct db_module db_postgres_module = { PACKAGE_VERSION,
	sizeof(struct db_ops), QUERY_COUNT, &db_postgres_ops };
