#ifndef DK_TESTS_WEB_DISK_H
#define DK_TESTS_WEB_DISK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A record of what SQLite writes, in which order, and of what it has been told
 * to be on the disk; and the disk as a power cut would leave it.  For cmocka's
 * tests; linked with --wrap=fsync, link and unlinkat.
 */
enum disk_file { DISK_STORE, DISK_WAL, DISK_FILES };

struct disk_record {
	bool on;
	size_t n; /* entries so far: a place in the record */
	/* Names in directories, which were made or removed by us. */
	unsigned names;	       /* and are not synced */
	unsigned synced_names; /* and are */
	unsigned early;	       /* syncs of the store while some were not */
};
extern struct disk_record disk;

/* A group's set-up: from now on SQLite's files are watched. */
int disk_watch(void **state);
/* An empty record, over the store in this file, which nobody has open. */
void disk_start(const char *store);
void disk_stop(void);

/* Numbers that look random, the same for one seed: 0 to sides - 1. */
void disk_seed(unsigned seed);
unsigned dice(unsigned sides);

/*
 * Write the files as they are when the power fails after `cut` entries.  With
 * `lies` the disk does not keep the log when it is told to, as if
 * `synchronous` were NORMAL: planted, to be noticed.
 */
void disk_cut(const char *store, size_t cut, bool lies);

#endif
