#ifndef DK_STORE_DB_MODULE_H
#define DK_STORE_DB_MODULE_H

#include <stddef.h>

#include "store/db_ops.h"

/*
 * What a module with an engine shows to db.c: its table, and what both must
 * have been compiled with.  A module of another build is refused.
 */
struct db_module {
	const char *version;	/* PACKAGE_VERSION */
	size_t ops_size;	/* sizeof(struct db_ops) */
	size_t n_queries;	/* QUERY_COUNT */
	const struct db_ops *ops;
};

#define DB_MODULE_POSTGRES_FILE "db_postgres.so"
#define DB_MODULE_POSTGRES_NAME "db_postgres_module"

#endif
