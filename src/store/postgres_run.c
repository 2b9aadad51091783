/*
 * Sending and waiting.  libpq's own calls wait for ever on a server that is
 * frozen but whose kernel still answers; here every wait has an end.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "store/postgres.h"

/* Until then an answer has to be there. */
static int64_t
deadline(const struct pg *s)
{
	return clock_monotonic_ms() +
	    (s->patient ? PG_PATIENT_MS : PG_STATEMENT_MS + PG_GRACE_MS);
}

static bool
wait_for(struct pg *s, short events, int64_t until)
{
	struct pollfd p = { .fd = PQsocket(s->conn), .events = events };
	int64_t left;
	int rc;

	do {
		left = until - clock_monotonic_ms();
		rc = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (rc < 0 || (rc == 0 && left > 0));
	return rc > 0;
}

static bool
flush(struct pg *s, int64_t until)
{
	int rc;

	/* While much is sent, what comes in must be taken. */
	while ((rc = PQflush(s->conn)) == 1)
		if (!wait_for(s, POLLIN | POLLOUT, until) ||
		    PQconsumeInput(s->conn) == 0)
			return false;
	return rc == 0;
}

static bool
await(struct pg *s, int64_t until)
{
	while (PQisBusy(s->conn) == 1)
		if (!wait_for(s, POLLIN, until) || PQconsumeInput(s->conn) == 0)
			return false;
	return true;
}

static bool
is_bad(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

PGresult *
pg_answer(struct pg *s)
{
	int64_t until = deadline(s);
	PGresult *last = NULL, *next;

	if (!flush(s, until))
		goto lost;
	for (;;) {
		if (!await(s, until))
			goto lost;
		next = PQgetResult(s->conn);
		if (next == NULL)
			break;
		/* Of several statements the first that fails counts. */
		if (last != NULL && is_bad(last)) {
			PQclear(next);
			continue;
		}
		PQclear(last);
		last = next;
	}
	if (PQstatus(s->conn) != CONNECTION_OK)
		s->dead = true;
	return last;
lost:
	/* What the server did with it is unknown: this connection is over. */
	s->dead = true;
	PQclear(last);
	return NULL;
}

static void
keep_words(struct pg *s, const char *words, const char *code)
{
	struct buf b;

	BUF_OVER(&b, s->error);
	buf_add(&b, str_sub(str_from(words), 0, sizeof(s->error) - 16));
	if (code != NULL)
		buf_addf(&b, " (%s)", code);
}

/* SQLSTATE, PostgreSQL's Appendix A. */
static enum dk_err
verdict_of(struct pg *s, const char *code)
{
	if (strcmp(code, "23505") == 0) /* unique_violation */
		return DK_ERR_CONFLICT;
	/* lock_not_available */
	if (strcmp(code, "55P03") == 0)
		return DK_ERR_BUSY;
	/* serialization_failure, deadlock_detected */
	if (strcmp(code, "40001") == 0 || strcmp(code, "40P01") == 0) {
		s->undone = true;
		return DK_ERR_BUSY;
	}
	/* read_only_sql_transaction: another server is the primary now;
	 * connection, operator intervention but query_canceled */
	if (strcmp(code, "25006") == 0 || strncmp(code, "08", 2) == 0 ||
	    strncmp(code, "57P", 3) == 0)
		s->dead = true;
	return DK_ERR_STORE;
}

enum dk_err
pg_verdict(struct pg *s, const PGresult *result)
{
	const char *code, *words;

	s->undone = false;
	if (result == NULL) {
		keep_words(s,
		    PQstatus(s->conn) == CONNECTION_OK
			? "the server did not answer in time"
			: "the connection to the server was lost",
		    NULL);
		return DK_ERR_STORE;
	}
	if (!is_bad(result))
		return DK_OK;
	code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	/* Without a code it comes from libpq: the connection broke. */
	if (code == NULL)
		s->dead = true;
	keep_words(s,
	    words == NULL ? "the connection to the server was lost" : words,
	    code);
	return code == NULL ? DK_ERR_STORE : verdict_of(s, code);
}

enum dk_err
pg_run(struct pg *s, const char *sql, PGresult **result)
{
	PGresult *r = NULL;
	enum dk_err err;

	if (result != NULL)
		*result = NULL;
	if (!s->dead && PQsendQuery(s->conn, sql) == 1)
		r = pg_answer(s);
	else
		s->dead = true;
	err = pg_verdict(s, r);
	if (err == DK_OK && result != NULL)
		*result = r;
	else
		PQclear(r);
	return err;
}

int64_t
pg_number(const PGresult *result, int column)
{
	uint64_t n = 0;

	if (PQntuples(result) < 1 || column >= PQnfields(result))
		return 0;
	if (!str_to_u64(str_from(PQgetvalue(result, 0, column)), INT64_MAX, &n))
		return 0;
	return (int64_t)n;
}
