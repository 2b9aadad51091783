#ifndef DK_STORE_COPY_H
#define DK_STORE_COPY_H

#include "base/arena.h"
#include "base/secret.h"
#include "store/db.h"

/*
 * A whole store into another, of either engine.  Both go through each table by
 * its key, a batch at a time: what is the same on both sides is left, the rest
 * is replaced.  So a copy that was cut off goes on where it was, and one that
 * is whole is found to be so.  Until copy_verify() has seen that, the target
 * is marked as unfinished and nothing else opens it.
 */
enum { COPY_TABLES = 14 };

/* A table as one side has it: its rows by key, chained into one SHA-256. */
struct copy_tally {
	const char *table;
	int64_t rows[2]; /* of the source, of the target */
	struct digest digest[2];
};

struct copy {
	struct db *from, *to;
	struct arena arena; /* the rows of a batch */
	void *line_bytes;   /* one row, as it is hashed */
	/* Called after each batch; may be NULL. */
	void (*progress)(void *arg, const char *doing, int64_t done);
	void *arg;
	int64_t rows; /* of the source, when it began */
	int64_t done; /* of them, in this walk */
	struct copy_tally tally[COPY_TABLES];
};

/* Both are open and stay the caller's; `to` with db_options.copying. */
enum dk_err copy_open(struct copy *c, struct db *from, struct db *to) DK_CHECK;
void copy_close(struct copy *c);

/*
 * Mark the target as an unfinished copy, unless it is one already.  One that
 * has been used is refused with DK_ERR_DENIED.
 */
enum dk_err copy_begin(struct copy *c) DK_CHECK;
/*
 * Make the target what the source is now.  message says what went wrong at
 * which table.
 */
enum dk_err copy_rows(struct copy *c, struct buf *message) DK_CHECK;

/*
 * Read both sides again, from the beginning, into c->tally.  When all is the
 * same the target is opened for use; else somebody has written to one of
 * them meanwhile, and copy_rows() has to be run again.
 */
enum dk_err copy_verify(
    struct copy *c, bool *same, struct buf *message) DK_CHECK;

#endif
