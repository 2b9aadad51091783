/*
 * Opening an SQLite store: is the file ours and private, is its schema ours,
 * does it have to be migrated.  Every refusal names the file, the cause and
 * the cure.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/embed.h"
#include "store/db_ops.h"

extern const struct embedded embedded_sqlite_migrations[];

enum { PRIVATE_MODE_MASK = 0027, FILE_MAX = SQLITE_PATH_MAX + 40 };

const char *
migrations_text(int number)
{
	const struct embedded *e;
	uint64_t n;

	for (e = embedded_sqlite_migrations; e->name != NULL; e++)
		if (str_to_u64(str_sub(str_from(e->name), 0, 4), 9999, &n) &&
		    (int)n == number)
			return e->text;
	return NULL;
}

int
migrations_newest(void)
{
	int n = 0;

	while (migrations_text(n + 1) != NULL)
		n++;
	return n;
}

enum dk_err
sqlite_number(sqlite3 *handle, const char *sql, int64_t *number)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(handle, sql, -1, &st, NULL);

	*number = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*number = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? DK_OK : sqlite_error(rc);
}

int
sqlite_schema_version(struct sqlite *s)
{
	int64_t n;

	return sqlite_number(s->handle, "PRAGMA user_version", &n) == DK_OK
	    ? (int)n
	    : -1;
}

/* Locks and shared memory do not work over the network (DK-Z-05). */
static bool
is_network_file_system(const char *path)
{
	static const unsigned long kinds[] = { 0x6969 /* NFS */,
		0x517b /* SMB */, 0xfe534d42 /* SMB2 */, 0xff534d42 /* CIFS */,
		0x5346414f /* AFS */, 0x00c36400 /* Ceph */ };
	struct statfs fs;
	size_t i;

	if (statfs(path, &fs) != 0)
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((unsigned long)fs.f_type == kinds[i])
			return true;
	return false;
}

/*
 * A store made by root in somebody else's directory belongs to the owner of
 * the directory: that is who will run the workers.
 */
static void
give_to_directory_owner(const char *path)
{
	char dir[SQLITE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat st;
	struct buf b;

	if (geteuid() != 0 || slash == NULL)
		return;
	BUF_OVER(&b, dir);
	buf_add(&b, (struct str){ path, (size_t)(slash - path) });
	if (b.len == 0)
		buf_addc(&b, '/');
	if (stat(dir, &st) == 0 && st.st_uid != 0 &&
	    chown(path, st.st_uid, st.st_gid) != 0)
		return; /* it stays root's; `config check` says so */
}

static enum dk_err
make_file(const char *path, struct buf *message)
{
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EEXIST)
		return DK_OK; /* another process was first */
	if (fd < 0) {
		buf_addf(message,
		    "%s: cannot be made: %s; its directory must "
		    "exist and be writable for this user",
		    path, strerror(errno));
		return DK_ERR_STORE;
	}
	(void)close(fd);
	give_to_directory_owner(path);
	return DK_OK;
}

/* One of the store's files may be read by its owner and group alone. */
static enum dk_err
check_private(const char *path, struct buf *message)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return DK_OK;
	if ((st.st_mode & PRIVATE_MODE_MASK) != 0) {
		buf_addf(message,
		    "%s: other users can get at it (mode %04o); run: "
		    "chmod 0600 %s",
		    path, (unsigned)(st.st_mode & 07777), path);
		return DK_ERR_STORE;
	}
	return DK_OK;
}

static enum dk_err
check_file(
    struct sqlite *s, const struct db_options *options, struct buf *message)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char name[FILE_MAX];
	struct stat st;
	struct buf b;
	size_t i;

	if (stat(s->path, &st) != 0 && errno == ENOENT) {
		if (!options->create) {
			buf_addf(message,
			    "%s: there is no store; make one "
			    "with: doorkeep init, or doorkeep "
			    "db migrate",
			    s->path);
			return DK_ERR_STORE;
		}
		return make_file(s->path, message);
	}
	if (stat(s->path, &st) != 0) {
		buf_addf(message,
		    "%s: %s; every directory above it must be "
		    "open to this user",
		    s->path, strerror(errno));
		return DK_ERR_STORE;
	}
	if (!S_ISREG(st.st_mode)) {
		buf_addf(message,
		    "%s: is not a file; [store] database must "
		    "name one",
		    s->path);
		return DK_ERR_STORE;
	}
	for (i = 0; i < 3; i++) {
		BUF_OVER(&b, name);
		buf_addf(&b, "%s%s", s->path, suffixes[i]);
		if (check_private(name, message) != DK_OK)
			return DK_ERR_STORE;
	}
	return DK_OK;
}

/* What SQLite says, and what to do about it. */
static void
add_cause(struct sqlite *s, struct buf *message)
{
	int rc = sqlite3_errcode(s->handle) & 0xff;

	buf_addf(message, "%s: %s", s->path, sqlite3_errmsg(s->handle));
	if (rc == SQLITE_NOTADB)
		buf_addz(message, "; [store] database names some other file");
	else if (rc == SQLITE_READONLY || rc == SQLITE_CANTOPEN)
		buf_addz(message,
		    "; the file and its directory must be "
		    "writable for this user");
	else if (rc == SQLITE_CORRUPT)
		buf_addz(message,
		    "; restore it from a backup, or name another "
		    "file in [store] database");
}

static enum dk_err
run(struct sqlite *s, const char *sql, struct buf *message)
{
	int rc = sqlite3_exec(s->handle, sql, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		return DK_OK;
	add_cause(s, message);
	return sqlite_error(rc);
}

static void
set_limits(sqlite3 *handle)
{
	(void)sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1000000);
	(void)sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, 100000);
	(void)sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_limit(handle, SQLITE_LIMIT_VARIABLE_NUMBER, 32);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(
	    handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(
	    handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	(void)sqlite3_extended_result_codes(handle, 1);
}

/* Is it a store of ours, and of which version? */
static enum dk_err
check_identity(
    struct sqlite *s, const struct db_options *options, struct buf *message)
{
	int64_t id = 0, version = 0, tables = 0;
	enum dk_err err;

	/* One look: another process may be making the store just now. */
	err = sqlite_error(sqlite3_exec(s->handle, "BEGIN", NULL, NULL, NULL));
	if (err == DK_OK)
		err = sqlite_number(s->handle, "PRAGMA application_id", &id);
	if (err == DK_OK)
		err = sqlite_number(s->handle, "PRAGMA user_version", &version);
	if (err == DK_OK)
		err = sqlite_number(
		    s->handle, "SELECT count(*) FROM sqlite_master", &tables);
	if (err != DK_OK)
		add_cause(s, message);
	(void)sqlite3_exec(s->handle, "COMMIT", NULL, NULL, NULL);
	if (err != DK_OK)
		return err;
	if (id != SQLITE_APPLICATION_ID && (tables > 0 || id != 0)) {
		buf_addf(message,
		    "%s: is a database of another program; name "
		    "another file in [store] database",
		    s->path);
		return DK_ERR_STORE;
	}
	if (version > DB_COPYING) {
		if (options->copying &&
		    version == DB_COPYING + migrations_newest())
			return DK_OK;
		buf_addf(message,
		    "%s: holds an unfinished copy; run the same doorkeep db "
		    "copy again with the doorkeep that began it, or remove "
		    "the file",
		    s->path);
		return DK_ERR_STORE;
	}
	if (version > migrations_newest()) {
		buf_addf(message,
		    "%s: was written by a newer doorkeep "
		    "(schema %d, this one knows %d); upgrade "
		    "this program",
		    s->path, (int)version, migrations_newest());
		return DK_ERR_STORE;
	}
	if (version < migrations_newest() && !options->migrate &&
	    !options->create) {
		buf_addf(message,
		    "%s: has an older schema (%d, this program "
		    "needs %d); run: doorkeep db migrate",
		    s->path, (int)version, migrations_newest());
		return DK_ERR_STORE;
	}
	return DK_OK;
}

/*
 * A copy of the store as it was, beside it: FILE.before-0002.  Made while we
 * hold the writer's lock, so by a connection of its own; whole before it has
 * its name.
 */
static enum dk_err
save_before(struct sqlite *s, int number, struct buf *message)
{
	char file[FILE_MAX], part[FILE_MAX];
	struct buf b;
	sqlite3 *from = NULL;
	enum dk_err err;

	BUF_OVER(&b, file);
	buf_addf(&b, "%s.before-%04d", s->path, number);
	BUF_OVER(&b, part);
	buf_addf(&b, "%s.part", file);
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	(void)unlink(part);
	err = sqlite_error(sqlite3_open_v2(
	    s->path, &from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (err == DK_OK)
		err = sqlite_copy(from, part, message);
	(void)sqlite3_close(from);
	if (err != DK_OK)
		return err;
	give_to_directory_owner(part);
	if (rename(part, file) != 0) {
		buf_addf(message, "%s: %s", file, strerror(errno));
		return DK_ERR_IO;
	}
	return DK_OK;
}

/* Within the transaction, from version `have` on. */
static enum dk_err
migrate_from(struct sqlite *s, int have, struct buf *message)
{
	char pragmas[96];
	struct buf b;
	enum dk_err err = DK_OK;
	int number;

	if (have > 0)
		err = save_before(s, have + 1, message);
	for (number = have + 1; err == DK_OK && number <= migrations_newest();
	     number++)
		err = run(s, migrations_text(number), message);
	BUF_OVER(&b, pragmas);
	buf_addf(&b, "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    SQLITE_APPLICATION_ID, migrations_newest());
	return err == DK_OK ? run(s, buf_z(&b), message) : err;
}

/*
 * All in one transaction.  The version is read again inside, for sixteen
 * processes may start at once.
 */
static enum dk_err
migrate(struct sqlite *s, struct buf *message)
{
	int have = sqlite_schema_version(s);
	enum dk_err err;

	if (have < 0)
		return DK_ERR_STORE;
	if (have >= migrations_newest())
		return DK_OK;
	err = run(s, "BEGIN IMMEDIATE", message);
	if (err != DK_OK)
		return err;
	have = sqlite_schema_version(s);
	if (have < 0)
		err = DK_ERR_STORE;
	else if (have < migrations_newest())
		err = migrate_from(s, have, message);
	if (err == DK_OK)
		err = run(s, "COMMIT", message);
	if (err != DK_OK)
		(void)sqlite3_exec(s->handle, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

/*
 * While several processes make a new store, the switch to WAL is refused
 * without asking the busy handler: we ask it ourselves.
 */
static enum dk_err
set_journal(struct sqlite *s, struct buf *message)
{
	const char *sql = "PRAGMA journal_mode = WAL";
	int count = 0, rc;

	do
		rc = sqlite3_exec(s->handle, sql, NULL, NULL, NULL);
	while ((rc & 0xff) == SQLITE_BUSY && sqlite_on_busy(s, count++) != 0);
	if (rc != SQLITE_OK)
		add_cause(s, message);
	return sqlite_error(rc);
}

static enum dk_err
set_up(struct sqlite *s, const struct db_options *options, struct buf *message)
{
	enum dk_err err;

	set_limits(s->handle);
	(void)sqlite3_busy_handler(s->handle, sqlite_on_busy, s);
	err = check_identity(s, options, message);
	if (err == DK_OK)
		err = set_journal(s, message);
	/* FULL: an acknowledged sign-in or sign-out survives a power cut. */
	if (err == DK_OK)
		err = run(s,
		    "PRAGMA synchronous = FULL;"
		    "PRAGMA foreign_keys = ON;"
		    "PRAGMA secure_delete = ON;"
		    "PRAGMA cell_size_check = ON;"
		    "PRAGMA temp_store = MEMORY;"
		    "PRAGMA journal_size_limit = 16777216;"
		    "PRAGMA mmap_size = 268435456;",
		    message);
	if (err == DK_OK && (options->migrate || options->create))
		err = migrate(s, message);
	return err;
}

/*
 * Before the library is used first; too late it changes nothing.  Nobody asks
 * it what memory it uses, and its counting takes a lock each time.  A cache
 * filled in advance would touch pages that a CGI program never needs.
 */
static void
set_library(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

enum dk_err
sqlite_open_store(
    struct sqlite *s, const struct db_options *options, struct buf *message)
{
	struct stat st;
	mode_t before;
	enum dk_err err;
	int rc;

	if (options->database.n >= sizeof(s->path)) {
		buf_addz(message, "[store] database: the path is too long");
		return DK_ERR_CONF;
	}
	memcpy(s->path, options->database.p, options->database.n);
	s->path[options->database.n] = '\0';
	err = check_file(s, options, message);
	if (err != DK_OK)
		return err;
	if (options->log != NULL && is_network_file_system(s->path))
		LOG_WRITE(options->log, LOG_LEVEL_WARNING,
		    "store_on_network_file_system",
		    { "file", str_from(s->path) });
	set_library();
	/* -wal and -shm take the mode of the file itself. */
	before = umask(0077);
	rc = sqlite3_open_v2(s->path, &s->handle,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_PRIVATECACHE,
	    NULL);
	if (rc != SQLITE_OK) {
		buf_addf(message,
		    "%s: %s; it must be readable and writable "
		    "for this user",
		    s->path,
		    s->handle == NULL ? "out of memory"
				      : sqlite3_errmsg(s->handle));
		err = sqlite_error(rc);
	}
	if (err == DK_OK)
		err = set_up(s, options, message);
	(void)umask(before);
	if (err == DK_OK && stat(s->path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		s->read_only = sqlite3_db_readonly(s->handle, "main") == 1;
	}
	return err;
}

enum dk_err
sqlite_copy(sqlite3 *from, const char *file, struct buf *message)
{
	sqlite3_backup *backup;
	sqlite3 *to = NULL;
	mode_t before;
	int rc = SQLITE_CANTOPEN, fd;

	before = umask(0077);
	fd = open(
	    file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		buf_addf(message, "%s: %s; give the name of a new file", file,
		    strerror(errno));
		(void)umask(before);
		return DK_ERR_IO;
	}
	(void)close(fd);
	rc = sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE, NULL);
	backup = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main")
				 : NULL;
	if (backup != NULL) {
		(void)sqlite3_backup_step(backup, -1);
		rc = sqlite3_backup_finish(backup);
	} else {
		rc = SQLITE_CANTOPEN;
	}
	/* A single file, whatever the journal mode of the original. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
		    to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		buf_addf(message, "%s: the copy failed: %s", file,
		    to == NULL ? "out of memory" : sqlite3_errmsg(to));
	(void)sqlite3_close(to);
	(void)umask(before);
	if (rc != SQLITE_OK)
		(void)unlink(file);
	return rc == SQLITE_OK ? DK_OK : sqlite_error(rc);
}
