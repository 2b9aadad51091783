/*
 * The schema: is it ours, of which version, and how it gets to ours.
 */
#include <string.h>

#include "base/clock.h"
#include "base/dsn.h"
#include "base/embed.h"
#include "store/postgres.h"

extern const struct embedded embedded_postgres_migrations[];

enum { MIGRATION_NUMBER_MAX = 9999, ROUND_TRIPS = 10 };

const char *
pg_migrations_text(int number)
{
	const struct embedded *e;
	uint64_t n;

	for (e = embedded_postgres_migrations; e->name != NULL; e++)
		if (str_to_u64(str_sub(str_from(e->name), 0, 4),
			MIGRATION_NUMBER_MAX, &n) &&
		    (int)n == number)
			return e->text;
	return NULL;
}

int
pg_migrations_newest(void)
{
	int n = 0;

	while (pg_migrations_text(n + 1) != NULL)
		n++;
	return n;
}

static enum dk_err
look(struct pg *s, const char *sql, int64_t *number)
{
	PGresult *r = NULL;
	enum dk_err err = pg_run(s, sql, &r);

	*number = err == DK_OK ? pg_number(r, 0) : 0;
	PQclear(r);
	return err;
}

static enum dk_err
read_version(struct pg *s, int64_t *version)
{
	int64_t there = 0;
	enum dk_err err;

	*version = 0;
	err = look(s,
	    "SELECT count(*) FROM (SELECT to_regclass('doorkeep_schema') AS t)"
	    " AS s WHERE t IS NOT NULL",
	    &there);
	if (err == DK_OK && there == 1)
		err = look(
		    s, "SELECT max(version) FROM doorkeep_schema", version);
	return err;
}

int
pg_schema_version(struct pg *s)
{
	int64_t version;

	return read_version(s, &version) == DK_OK ? (int)version : -1;
}

/* The server's words, and what to do about those that come at a first start. */
static enum dk_err
say(struct pg *s, enum dk_err err, const struct db_options *options,
    struct buf *message)
{
	dsn_show(message, options->database);
	buf_addf(message, ": %s", s->error);
	if (strstr(s->error, "42501") != NULL)
		buf_addz(message,
		    "; the user needs a schema of its own to make tables in: "
		    "make it the owner of the database (ALTER DATABASE NAME "
		    "OWNER TO USER)");
	return err;
}

static enum dk_err
refuse(const struct db_options *options, const char *why, struct buf *message)
{
	dsn_show(message, options->database);
	buf_addf(message, ": %s", why);
	return DK_ERR_STORE;
}

/* Tables of another program by our names, or a database without Unicode. */
static enum dk_err
check_place(struct pg *s, const struct db_options *options, int64_t version,
    struct buf *message)
{
	const char *encoding = PQparameterStatus(s->conn, "server_encoding");
	int64_t users = 0;
	enum dk_err err;

	if (encoding != NULL && strcmp(encoding, "UTF8") != 0)
		return refuse(options,
		    "the database is not in UTF-8; make one with: createdb "
		    "--encoding=UTF8 --template=template0 NAME",
		    message);
	if (version > 0)
		return DK_OK;
	err = look(s,
	    "SELECT count(*) FROM (SELECT to_regclass('users') AS t) AS s "
	    "WHERE t IS NOT NULL",
	    &users);
	if (err != DK_OK)
		return say(s, err, options, message);
	return users == 0 ? DK_OK
			  : refuse(options,
				"holds tables of another program; make a "
				"database for doorkeep alone",
				message);
}

static enum dk_err
check_version(
    const struct db_options *options, int64_t version, struct buf *message)
{
	int newest = pg_migrations_newest();

	if (version > DB_COPYING &&
	    (!options->copying || version != DB_COPYING + newest))
		return refuse(options,
		    "holds an unfinished copy; run the same doorkeep db copy "
		    "again with the doorkeep that began it, or make the "
		    "database anew",
		    message);
	if (version == newest || version > DB_COPYING)
		return DK_OK;
	if (version > newest) {
		dsn_show(message, options->database);
		buf_addf(message,
		    ": was written by a newer doorkeep (schema %d, this one "
		    "knows %d); upgrade this program",
		    (int)version, newest);
		return DK_ERR_STORE;
	}
	if (options->migrate || options->create)
		return DK_OK;
	if (version == 0)
		return refuse(options,
		    "there is no store in it; make one with: doorkeep init, "
		    "or doorkeep db migrate",
		    message);
	dsn_show(message, options->database);
	buf_addf(message,
	    ": has an older schema (%d, this program needs %d); run: doorkeep "
	    "db migrate",
	    (int)version, newest);
	return DK_ERR_STORE;
}

static enum dk_err
run_migrations(struct pg *s, int64_t version)
{
	enum dk_err err = DK_OK;
	int number;

	for (number = (int)version + 1;
	     err == DK_OK && number <= pg_migrations_newest(); number++) {
		err = pg_run(s, pg_migrations_text(number), NULL);
		if (err == DK_OK)
			err = pg_run(s,
			    "INSERT INTO doorkeep_schema SELECT count(*) + 1 "
			    "FROM doorkeep_schema",
			    NULL);
	}
	return err;
}

/*
 * All in one transaction.  The version is read again once we are alone, for
 * sixteen processes on four machines may start at once.  The number of the
 * lock is "dkp1".
 */
static enum dk_err
migrate(struct pg *s)
{
	int64_t version = 0;
	PGresult *r = NULL;
	enum dk_err err = pg_run(s,
	    "BEGIN; SET LOCAL lock_timeout = 60000; "
	    "SET LOCAL statement_timeout = 0; "
	    "SELECT pg_advisory_xact_lock(1684762673); "
	    "CREATE TABLE IF NOT EXISTS doorkeep_schema "
	    "(version BIGINT NOT NULL PRIMARY KEY)",
	    NULL);

	if (err == DK_OK)
		err = read_version(s, &version);
	if (err == DK_OK)
		err = run_migrations(s, version);
	if (err != DK_OK) {
		char words[sizeof(s->error)];

		memcpy(words, s->error, sizeof(words));
		(void)!pg_run(s, "ROLLBACK", NULL);
		memcpy(s->error, words, sizeof(words));
		return err;
	}
	err = pg_run(s, "COMMIT", &r);
	if (err == DK_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0)
		err = DK_ERR_STORE;
	PQclear(r);
	return err;
}

enum dk_err
pg_open_schema(
    struct pg *s, const struct db_options *options, struct buf *message)
{
	bool patient = s->patient;
	int64_t version = 0;
	enum dk_err err = read_version(s, &version);

	if (err != DK_OK)
		return say(s, err, options, message);
	err = check_place(s, options, version, message);
	if (err == DK_OK)
		err = check_version(options, version, message);
	if (err != DK_OK || version >= pg_migrations_newest())
		return err;
	s->patient = true;
	err = migrate(s);
	s->patient = patient;
	return err == DK_OK ? DK_OK : say(s, err, options, message);
}

/*
 * A whole copy counts on from the greatest id that came with it, and the
 * planner has to hear of the rows now and not at the next autovacuum.
 */
enum dk_err
pg_set_copying(struct pg *s, bool copying)
{
	char sql[512];
	struct buf b;

	BUF_OVER(&b, sql);
	if (copying)
		buf_addf(&b,
		    "INSERT INTO doorkeep_schema VALUES (%d)",
		    DB_COPYING + pg_migrations_newest());
	else
		buf_addf(&b,
		    "SELECT setval(pg_get_serial_sequence('events', 'id'), "
		    "max(id)) FROM events HAVING max(id) > 0; "
		    "ANALYZE; "
		    "DELETE FROM doorkeep_schema WHERE version > %d",
		    DB_COPYING);
	return pg_run(s, buf_z(&b), NULL);
}

/* The quickest of some: the others say how busy the machines are just now. */
static enum dk_err
time_round_trip(struct pg *s, int64_t *us)
{
	int64_t start, took;
	enum dk_err err = DK_OK;
	int i;

	*us = INT64_MAX;
	for (i = 0; err == DK_OK && i < ROUND_TRIPS; i++) {
		start = clock_monotonic_us();
		err = pg_run(s, "SELECT 1", NULL);
		took = clock_monotonic_us() - start;
		if (took < *us)
			*us = took;
	}
	return err;
}

/* Where the counters are missing (other engines), they stay unknown. */
enum dk_err
pg_health(struct pg *s, struct db_health *health)
{
	PGresult *r = NULL;
	enum dk_err err = time_round_trip(s, &health->round_trip_us);

	health->is_private = s->is_private;
	if (err != DK_OK)
		return err;
	if (pg_run(s,
		"SELECT CAST(sum(numbackends) AS BIGINT), "
		"CAST(current_setting('max_connections') AS BIGINT) - "
		"CAST(current_setting('superuser_reserved_connections') AS "
		"BIGINT) FROM pg_stat_database",
		&r) != DK_OK)
		return s->dead ? DK_ERR_STORE : DK_OK;
	health->connections = pg_number(r, 0);
	health->connections_max = pg_number(r, 1);
	PQclear(r);
	return DK_OK;
}

/*
 * What can be wrong without the server's noticing: it checks its keys itself
 * unless somebody switched that off, an index can be left half made, and
 * settings for speed can cost what was acknowledged.
 */
enum dk_err
pg_check(struct pg *s, bool *sound, struct buf *message)
{
	static const char sql[] =
	    "SELECT 'index ' || i.indexrelid::regclass || ' is not valid; "
	    "run REINDEX' FROM pg_index AS i JOIN pg_class AS c "
	    "ON c.oid = i.indrelid WHERE NOT i.indisvalid AND "
	    "c.relnamespace = current_schema()::regnamespace "
	    "UNION ALL SELECT 'trigger ' || t.tgname || ' is switched off' "
	    "FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid "
	    "WHERE t.tgenabled IN ('D', 'R') AND "
	    "c.relnamespace = current_schema()::regnamespace "
	    "UNION ALL SELECT 'the setting ' || name || ' is off: a sign-in "
	    "or sign-out that was acknowledged can be lost' FROM pg_settings "
	    "WHERE name IN ('fsync', 'full_page_writes', "
	    "'synchronous_commit') AND setting = 'off' "
	    "UNION ALL SELECT 'sessions of nobody' FROM sessions AS o WHERE "
	    "NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = o.user_id) "
	    "UNION ALL SELECT 'groups of nobody' FROM user_groups AS o WHERE "
	    "NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = o.user_id) "
	    "UNION ALL SELECT 'second factors of nobody' FROM second_factors "
	    "AS o WHERE NOT EXISTS (SELECT 1 FROM users AS u "
	    "WHERE u.id = o.user_id) LIMIT 20";
	PGresult *r = NULL;
	enum dk_err err = pg_run(s, sql, &r);
	int i;

	*sound = false;
	if (err != DK_OK) {
		buf_addz(message, s->error);
		return err;
	}
	for (i = 0; i < PQntuples(r); i++)
		buf_addf(
		    message, "%s%s", i > 0 ? "; " : "", PQgetvalue(r, i, 0));
	*sound = PQntuples(r) == 0;
	PQclear(r);
	return DK_OK;
}
