#include "disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, ENTRIES_MAX = 20000, IMAGE_MAX = 4 * 1024 * 1024 };
enum { UNTRACKED = DISK_FILES };
enum what { WRITE, TRUNCATE, SYNC, DELETE };

struct disk_record disk;
static uint32_t random_state;

void
disk_seed(unsigned seed)
{
	random_state = seed;
}

unsigned
dice(unsigned sides)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % sides;
}

/* --- the record -------------------------------------------------------------
 */
struct entry {
	enum what what;
	int file;
	sqlite3_int64 at; /* or the new size */
	int n;
	char *bytes;
};
static struct entry entries[ENTRIES_MAX];
/* What was on the disk when it began; there was no log. */
static char base[IMAGE_MAX];
static size_t base_n;

static void
note(enum what what, int file, sqlite3_int64 at, const void *p, int n)
{
	struct entry *e = &entries[disk.n];

	if (!disk.on || file == UNTRACKED)
		return;
	assert_true(disk.n < ENTRIES_MAX);
	*e = (struct entry){ .what = what, .file = file, .at = at, .n = n };
	if (what == WRITE) {
		e->bytes = malloc((size_t)n);
		assert_non_null(e->bytes);
		memcpy(e->bytes, p, (size_t)n);
	}
	disk.n++;
}

/* --- SQLite's files ---------------------------------------------------------
 */
struct shim {
	sqlite3_file base;
	int file;
	sqlite3_file *real;
};
static sqlite3_vfs *under, ours;

#define REAL(f)	   (((struct shim *)(f))->real)
#define PASS(f)	   REAL(f)->pMethods
#define TRACKED(f) ((struct shim *)(f))->file

static int
s_close(sqlite3_file *f)
{
	return PASS(f)->xClose(REAL(f));
}
static int
s_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return PASS(f)->xRead(REAL(f), p, n, at);
}
static int
s_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	note(WRITE, TRACKED(f), at, p, n);
	return PASS(f)->xWrite(REAL(f), p, n, at);
}
static int
s_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	note(TRUNCATE, TRACKED(f), size, NULL, 0);
	return PASS(f)->xTruncate(REAL(f), size);
}
static int
s_sync(sqlite3_file *f, int flags)
{
	disk.early += disk.on && disk.names > 0;
	note(SYNC, TRACKED(f), 0, NULL, 0);
	return PASS(f)->xSync(REAL(f), flags);
}
static int
s_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return PASS(f)->xFileSize(REAL(f), size);
}
static int
s_lock(sqlite3_file *f, int how)
{
	return PASS(f)->xLock(REAL(f), how);
}
static int
s_unlock(sqlite3_file *f, int how)
{
	return PASS(f)->xUnlock(REAL(f), how);
}
static int
s_reserved(sqlite3_file *f, int *out)
{
	return PASS(f)->xCheckReservedLock(REAL(f), out);
}
static int
s_control(sqlite3_file *f, int op, void *arg)
{
	return PASS(f)->xFileControl(REAL(f), op, arg);
}
static int
s_sector(sqlite3_file *f)
{
	return PASS(f)->xSectorSize(REAL(f));
}
static int
s_kind(sqlite3_file *f)
{
	return PASS(f)->xDeviceCharacteristics(REAL(f));
}
static int
s_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	return PASS(f)->xShmMap(REAL(f), page, size, extend, p);
}
static int
s_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return PASS(f)->xShmLock(REAL(f), at, n, flags);
}
static void
s_shm_barrier(sqlite3_file *f)
{
	PASS(f)->xShmBarrier(REAL(f));
}
static int
s_shm_unmap(sqlite3_file *f, int remove)
{
	return PASS(f)->xShmUnmap(REAL(f), remove);
}
static int
s_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **p)
{
	return PASS(f)->xFetch(REAL(f), at, n, p);
}
static int
s_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p)
{
	return PASS(f)->xUnfetch(REAL(f), at, p);
}

static const sqlite3_io_methods methods = { 3, s_close, s_read, s_write,
	s_truncate, s_sync, s_size, s_lock, s_unlock, s_reserved, s_control,
	s_sector, s_kind, s_shm_map, s_shm_lock, s_shm_barrier, s_shm_unmap,
	s_fetch, s_unfetch };

static int
s_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct shim *s = (struct shim *)f;
	int rc;

	(void)vfs;
	memset(s, 0, sizeof(*s));
	s->real = (sqlite3_file *)(s + 1);
	s->file = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? DISK_STORE
	    : (flags & SQLITE_OPEN_WAL) != 0	     ? DISK_WAL
						     : UNTRACKED;
	rc = under->xOpen(under, name, s->real, flags, out);
	if (s->real->pMethods != NULL)
		s->base.pMethods = &methods;
	return rc;
}

static int
s_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	size_t n = strlen(name);

	(void)vfs;
	note(DELETE,
	    n > 4 && strcmp(name + n - 4, "-wal") == 0 ? DISK_WAL : UNTRACKED,
	    0, NULL, 0);
	return under->xDelete(under, name, sync);
}

int
disk_watch(void **state)
{
	(void)state;
	under = sqlite3_vfs_find(NULL);
	assert_non_null(under);
	ours = *under;
	ours.zName = "watched";
	ours.szOsFile = (int)sizeof(struct shim) + under->szOsFile;
	ours.xOpen = s_open;
	ours.xDelete = s_delete;
	return sqlite3_vfs_register(&ours, 1);
}

/* --- names in directories ---------------------------------------------------
 */
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);

int
__wrap_fsync(int fd)
{
	struct stat st;

	if (disk.names > 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		disk.synced_names += disk.names;
		disk.names = 0;
	}
	return __real_fsync(fd);
}

int
__wrap_link(const char *from, const char *to)
{
	int rc = __real_link(from, to);

	disk.names += rc == 0;
	return rc;
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	int rc = __real_unlinkat(fd, name, flags);

	disk.names += rc == 0;
	return rc;
}

/* --- beginning and end ------------------------------------------------------
 */
void
disk_start(const char *store)
{
	FILE *f = fopen(store, "rb");

	disk = (struct disk_record){ 0 };
	assert_non_null(f);
	base_n = fread(base, 1, IMAGE_MAX, f);
	assert_true(base_n > 0 && base_n < IMAGE_MAX);
	(void)fclose(f);
}

void
disk_stop(void)
{
	size_t i;

	for (i = 0; i < disk.n; i++)
		free(entries[i].bytes);
	disk = (struct disk_record){ 0 };
}

struct disk_image {
	char *bytes;
	size_t n;
	bool exists;
};

/* --- the disk after a cut ----------------------------------------------------
 */
static void
put(struct disk_image *im, const struct entry *e, size_t from, size_t n)
{
	size_t at = (size_t)e->at + from;

	assert_true(at + n <= IMAGE_MAX);
	if (at > im->n)
		memset(im->bytes + im->n, 0, at - im->n);
	memcpy(im->bytes + at, e->bytes + from, n);
	if (at + n > im->n)
		im->n = at + n;
	im->exists = true;
}

/* What happens to an entry that was not synced. */
enum luck { ALL, NONE, SECTORS, TORN };

static void
apply(struct disk_image *im, const struct entry *e, enum luck luck)
{
	size_t from, n = (size_t)e->n;

	if (luck == NONE || (e->what != WRITE && luck != ALL && dice(2) == 0))
		return;
	if (e->what == DELETE)
		*im = (struct disk_image){ .bytes = im->bytes };
	if (e->what == TRUNCATE && (size_t)e->at < im->n)
		im->n = (size_t)e->at;
	if (e->what != WRITE)
		return;
	if (luck == ALL)
		put(im, e, 0, n);
	for (from = 0; from < n && luck == SECTORS; from += SECTOR)
		if (dice(2) == 0)
			put(im, e, from, n - from < SECTOR ? n - from : SECTOR);
	if (luck == TORN)
		put(im, e, 0, dice((unsigned)n + 1));
}

static void
make_images(struct disk_image im[DISK_FILES], size_t cut, bool lies)
{
	size_t synced[DISK_FILES] = { 0, 0 }, i;
	enum luck luck = (enum luck)dice(4);

	for (i = 0; i < cut; i++)
		if (entries[i].what == SYNC &&
		    !(lies && entries[i].file == DISK_WAL))
			synced[entries[i].file] = i;
	memcpy(im[DISK_STORE].bytes, base, base_n);
	im[DISK_STORE].n = base_n;
	im[DISK_STORE].exists = true;
	for (i = 0; i < cut; i++) {
		const struct entry *e = &entries[i];
		bool kept = i < synced[e->file];

		apply(&im[e->file], e,
		    kept		  ? ALL
			: luck == SECTORS ? (enum luck)dice(4)
			: luck != TORN	  ? luck
			: i + 1 == cut	  ? TORN
					  : ALL);
	}
}

static void
write_image(const char *store, const char *suffix, const struct disk_image *im)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", store, suffix);
	(void)unlink(path);
	if (!im->exists)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, im->bytes, im->n), im->n);
	(void)close(fd);
}

void
disk_cut(const char *store, size_t cut, bool lies)
{
	struct disk_image im[DISK_FILES] = { { NULL, 0, false },
		{ NULL, 0, false } };
	size_t i;

	for (i = 0; i < DISK_FILES; i++) {
		im[i].bytes = malloc(IMAGE_MAX);
		assert_non_null(im[i].bytes);
	}
	make_images(im, cut, lies);
	write_image(store, "", &im[DISK_STORE]);
	write_image(store, "-wal", &im[DISK_WAL]);
	/* Shared memory has gone, or is left over and means nothing. */
	im[DISK_WAL].n = dice(2) == 0 ? im[DISK_WAL].n : 0;
	write_image(store, "-shm", &im[DISK_WAL]);
	for (i = 0; i < DISK_FILES; i++)
		free(im[i].bytes);
}
