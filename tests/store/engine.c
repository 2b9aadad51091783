#include "engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- SQLite ---- */

static int64_t
sqlite_sql(const char *file, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	if (sqlite3_finalize(st) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
	return n;
}

static void *
sqlite_lock(const char *file)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

/* ---- PostgreSQL ---- */
#ifdef DK_HAVE_POSTGRES
#include <libpq-fe.h>

static PGconn *
pg_open(const char *address)
{
	PGconn *conn = PQconnectdb(address);

	if (PQstatus(conn) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(conn));
	PQclear(PQexec(conn, "SET client_min_messages = error"));
	return conn;
}

static int64_t
pg_do(PGconn *conn, const char *sql)
{
	PGresult *r = PQexec(conn, sql);
	int64_t n = -1;

	if (PQresultStatus(r) != PGRES_TUPLES_OK &&
	    PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	if (PQntuples(r) > 0 && PQgetisnull(r, 0, 0) == 0) {
		const char *text = PQgetvalue(r, 0, 0);

		n = strcmp(text, "t") == 0 ? 1 : strtoll(text, NULL, 10);
	}
	PQclear(r);
	return n;
}

static int64_t
pg_sql(const char *address, const char *sql)
{
	PGconn *conn = pg_open(address);
	int64_t n = pg_do(conn, sql);

	PQfinish(conn);
	return n;
}

static void *
pg_lock(const char *address)
{
	PGconn *conn = pg_open(address);

	(void)pg_do(conn,
	    "BEGIN; LOCK TABLE users, sessions, events, throttle, devices, "
	    "one_use_links, second_factors, recovery_codes IN EXCLUSIVE MODE");
	return conn;
}

static void
pg_schema(const char *address, const char *verb, const char *more)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql), "%s SCHEMA %s%s", verb,
	    strrchr(address, '%') + 3, more);
	(void)pg_sql(address, sql);
}

/* Case is lost in a schema's name: six characters as hexadecimal digits. */
static void
pg_address(const char *server, const char *dir, char *address)
{
	const char *from = strrchr(dir, '-') + 1;
	char name[16];
	size_t i;

	for (i = 0; i < 6; i++)
		(void)snprintf(name + 2 * i, 3, "%02x", (unsigned char)from[i]);
	(void)snprintf(address, ENGINE_ADDRESS_MAX,
	    "%s&options=-csearch_path%%3Ddk_%s", server, name);
	pg_schema(address, "CREATE", "");
	(void)pg_sql(address,
	    "CREATE FUNCTION characters(VARIADIC c int[]) RETURNS text "
	    "LANGUAGE sql AS $$ SELECT string_agg(chr(x), '') "
	    "FROM unnest(c) AS x $$; "
	    "CREATE FUNCTION printf(f text, v text) RETURNS text "
	    "LANGUAGE sql AS $$ SELECT lpad(v, substring(f FROM "
	    "'[0-9]+')::int) $$; "
	    "CREATE FUNCTION printf(f text, v int) RETURNS text "
	    "LANGUAGE sql AS $$ SELECT lpad(v::text, substring(f FROM "
	    "'[0-9]+')::int, '0') $$; "
	    "CREATE FUNCTION instr(a bytea, b bytea) RETURNS boolean "
	    "LANGUAGE sql AS $$ SELECT position(b IN a) > 0 $$");
}
#else
static int64_t
pg_sql(const char *address, const char *sql)
{
	fail_msg("%s: built without PostgreSQL, so no %s", address, sql);
	return -1;
}
static void *
pg_lock(const char *address)
{
	(void)pg_sql(address, "lock");
	return NULL;
}
static void
pg_schema(const char *address, const char *verb, const char *more)
{
	(void)more;
	(void)pg_sql(address, verb);
}
static void
pg_address(const char *server, const char *dir, char *address)
{
	(void)dir, (void)address;
	(void)pg_sql(server, "schema");
}
#define PQfinish(conn) ((void)(conn))
#endif

/* ---- either ---- */

/* How PostgreSQL writes what the tests write as for SQLite; what they call is
 * made in pg_address(). */
static const struct {
	const char *from, *to;
} words[] = {
	{ " x'", " '\\x" },
	{ "(x'", "('\\x" },
	{ "AS BLOB", "AS BYTEA" },
	{ "char(", "characters(" },
};

static size_t
put_word(const char **sql, char *to)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(*sql, words[i].from, strlen(words[i].from)) == 0) {
			*sql += strlen(words[i].from);
			memcpy(to, words[i].to, strlen(words[i].to));
			return strlen(words[i].to);
		}
	*to = *(*sql)++;
	return 1;
}

static int64_t
pg_sql_of_both(const char *address, const char *sql)
{
	char text[4096];
	size_t n = 0;

	while (*sql != '\0') {
		assert_true(n + 16 < sizeof(text));
		n += put_word(&sql, text + n);
	}
	text[n] = '\0';
	return pg_sql(address, text);
}

void
engine_address(const char *dir, char address[ENGINE_ADDRESS_MAX])
{
	const char *server = getenv("DOORKEEP_TEST_POSTGRES");

	if (server != NULL)
		pg_address(server, dir, address);
	else
		(void)snprintf(address, ENGINE_ADDRESS_MAX, "%s/store.db", dir);
}

void
engine_drop(const char *address)
{
	if (!engine_is_sqlite(address))
		pg_schema(address, "DROP", " CASCADE");
}

int64_t
engine_sql(const char *address, const char *sql)
{
	return engine_is_sqlite(address) ? sqlite_sql(address, sql)
					 : pg_sql_of_both(address, sql);
}

int64_t
engine_columns(const char *address, const char *table, const char *name,
    const char *type)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
	    engine_is_sqlite(address)
		? "SELECT count(*) FROM pragma_table_info('%s') "
		  "WHERE name LIKE '%s' AND type LIKE '%s'"
		: "SELECT count(*) FROM information_schema.columns "
		  "WHERE table_schema = current_schema() AND table_name = '%s' "
		  "AND column_name LIKE '%s' AND data_type ILIKE '%s'",
	    table, name, type);
	return engine_sql(address, sql);
}

void *
engine_lock(const char *address)
{
	return engine_is_sqlite(address) ? sqlite_lock(address)
					 : pg_lock(address);
}

void
engine_unlock(const char *address, void *lock)
{
	if (engine_is_sqlite(address))
		assert_int_equal(sqlite3_close(lock), SQLITE_OK);
	else
		PQfinish(lock);
}
