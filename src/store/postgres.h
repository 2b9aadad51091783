#ifndef DK_STORE_POSTGRES_H
#define DK_STORE_POSTGRES_H

#include <libpq-fe.h>

#include "store/db.h"
#include "store/db_ops.h"

/* Shared by the files of the module db_postgres; nobody else includes it. */

enum {
	PG_STATEMENT_MS = 5000, /* a statement of a request may take this */
	PG_GRACE_MS = 2000,	/* after that the server counts as frozen */
	PG_PATIENT_MS = 3600000, /* the same for a command line */
	PG_IDLE_TXN_MS = 15000, /* a worker that stops in a transaction */
	PG_IDLE_PATIENT_MS = 600000,
	PG_CONNECT_S = 2,	/* for each host and address */
	PG_AGAIN_MAX = 5	/* a single statement that others undid */
};

/* How far a statement has come on this connection. */
enum pg_prepared { PG_NEVER, PG_SENT_ONCE, PG_PREPARED };

struct pg {
	PGconn *conn;
	PGresult *result; /* of the statement under way */
	int row;	  /* in it; -1 before the first */
	int64_t changes;
	unsigned char prepared[QUERY_COUNT];
	bool pooled;  /* a pooler in between: no session of our own */
	bool dead;    /* does not answer, or may not write any more */
	bool in_txn;
	bool undone; /* the server gave the transaction up: try again */
	bool patient; /* a command line: statements may take long */
	bool is_private; /* nobody on the way reads or alters */
	int64_t wait_ms;     /* for locks, as the caller wants it */
	int64_t set_wait_ms; /* as the server was told */
	char engine[48];
	char error[256]; /* the server's words, no values in them */
};

/* Connect as the address says; cause and cure in message. */
enum dk_err pg_connect(struct pg *s, struct str address, struct log *log,
    struct buf *message) DK_CHECK;
/* Is the schema there, of our version, or to be brought there? */
enum dk_err pg_open_schema(struct pg *s, const struct db_options *options,
    struct buf *message) DK_CHECK;
int pg_schema_version(struct pg *s); /* 0: none, -1: unknown */
enum dk_err pg_set_copying(struct pg *s, bool copying) DK_CHECK;

/*
 * Run statements of ours without parameters; *result (may be NULL) is that of
 * the last one, and the caller's to clear.
 */
enum dk_err pg_run(struct pg *s, const char *sql, PGresult **result) DK_CHECK;
/* Wait for the answer to what was sent; NULL when none came in time. */
PGresult *pg_answer(struct pg *s);
/* What a result means; keeps the server's words.  Does not clear it. */
enum dk_err pg_verdict(struct pg *s, const PGresult *result) DK_CHECK;
/* A number in the first row of a result in text format; 0 for none. */
int64_t pg_number(const PGresult *result, int column);

/* Number of the newest migration that the module carries, and their texts. */
int pg_migrations_newest(void);
const char *pg_migrations_text(int number);

/* How the server does (db_admin.h). */
enum dk_err pg_health(struct pg *s, struct db_health *health) DK_CHECK;
/* What is wrong with the store as a whole, one line for each fault. */
enum dk_err pg_check(struct pg *s, bool *sound, struct buf *message) DK_CHECK;

#endif
