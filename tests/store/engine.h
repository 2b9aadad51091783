#ifndef DK_TESTS_STORE_ENGINE_H
#define DK_TESTS_STORE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/dsn.h"

/*
 * The same tests on every engine.  Without more they use SQLite files; with
 * DOORKEEP_TEST_POSTGRES, the address of a database that ends in a parameter,
 * each store is a schema of its own in it (see tests/postgres.sh).
 */
enum { ENGINE_ADDRESS_MAX = 112 };

/* The address of a store that can be made for the directory dir, whose name
 * ends in "-" and six characters. */
void engine_address(const char *dir, char address[ENGINE_ADDRESS_MAX]);
/* Throw that store away, files aside. */
void engine_drop(const char *address);
/* What an administrator does with a shell; one number back, -1 for none.
 * Blobs are written as x'00' for either engine. */
int64_t engine_sql(const char *address, const char *sql);
/* How many columns of the table have a name, or a type, like that. */
int64_t engine_columns(const char *address, const char *table,
    const char *name, const char *type);
/* Another writer holds the store until engine_unlock(); readers go on. */
void *engine_lock(const char *address);
void engine_unlock(const char *address, void *lock);

/*
 * First thing in a forked child: a check that fails ends it.  Otherwise cmocka
 * would go on with the parent's other tests in the child, which fork again.
 */
static inline void
engine_child(void)
{
	(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
	(void)alarm(120);
}

static inline bool
engine_is_sqlite(const char *address)
{
	return !dsn_is(str_from(address));
}

#endif
