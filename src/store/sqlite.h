#ifndef DK_STORE_SQLITE_H
#define DK_STORE_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/db.h"

/* Shared by db_sqlite.c and sqlite_open.c; nobody else includes it. */

enum { SQLITE_PATH_MAX = 1024 };

/* "dkp1": tells our files from others (PRAGMA application_id). */
#define SQLITE_APPLICATION_ID 0x646b7031

struct sqlite {
	sqlite3 *handle;
	sqlite3_stmt *statements[QUERY_COUNT]; /* prepared at first use */
	sqlite3_stmt *current;
	bool stuck;  /* a transaction that could not be rolled back */
	bool failed; /* the statement under way has reported an error */
	char path[SQLITE_PATH_MAX];
	dev_t dev; /* of the file that was opened */
	ino_t ino;
	int64_t wait_ms;
	bool read_only; /* the system lets us read alone */
	int64_t wait_until_ms; /* while a lock is waited for; 0: not */
	char engine[32];
};

enum dk_err sqlite_error(int rc) DK_CHECK;

/* Check the file, open it, set it up, migrate it. */
enum dk_err sqlite_open_store(struct sqlite *s,
    const struct db_options *options, struct buf *message) DK_CHECK;
/* One number that a pragma or a query gives. */
enum dk_err sqlite_number(sqlite3 *handle, const char *sql,
    int64_t *number) DK_CHECK;
/* Copy the whole store into a new file of mode 0600. */
enum dk_err sqlite_copy(sqlite3 *from, const char *file,
    struct buf *message) DK_CHECK;
/* The busy handler; arg is the struct sqlite. */
int sqlite_on_busy(void *arg, int count);
/* Refuse changes of the schema from now on. */
void sqlite_lock_schema(struct sqlite *s);
int sqlite_schema_version(struct sqlite *s);

#endif
