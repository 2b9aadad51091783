#ifndef DK_STORE_DB_ADMIN_H
#define DK_STORE_DB_ADMIN_H

#include "store/db.h"

/* What the command line and the desk want of a store as a whole. */

int db_schema_version(struct db *db);	/* of the open store */
int db_schema_newest(struct db *db);	/* that this program knows */
const char *db_engine(struct db *db);	/* "SQLite 3.40.1" */
/* The engine's words for the last error; never a bound value. */
const char *db_error_text(struct db *db);
/* Is it an unfinished copy?  Mark it as one, which nobody opens by mistake,
 * or as whole. */
bool db_is_copying(struct db *db);
enum dk_err db_set_copying(struct db *db, bool copying) DK_CHECK;
/* How a server does; a file is private and has no connections. */
struct db_health {
	bool is_private; /* nobody on the way reads or alters */
	int64_t connections, connections_max; /* max 0: unknown */
	int64_t round_trip_us;
};
enum dk_err db_health(struct db *db, struct db_health *health) DK_CHECK;
/* Online copy to a new file; an existing one is refused. */
enum dk_err db_backup(struct db *db, struct str file,
    struct buf *message) DK_CHECK;
/* Integrity and foreign keys; *sound says the result, message the faults. */
enum dk_err db_check(struct db *db, bool *sound, struct buf *message) DK_CHECK;

#endif
