#include "domain/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { FILE_NAME_MAX = 1240 };

enum dk_err
key_file_read(const char *name, struct secret *key, bool *found)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool whole;

	*key = (struct secret){ { 0 } };
	*found = fd >= 0;
	if (fd < 0)
		return errno == ENOENT ? DK_OK : DK_ERR_IO;
	whole = read(fd, key->byte, sizeof(key->byte)) ==
	    (ssize_t)sizeof(key->byte);
	(void)close(fd);
	return whole ? DK_OK : DK_ERR_IO;
}

/* The name of a file that was made is on the disk, too. */
static bool
keep_name(const char *name)
{
	char folder[FILE_NAME_MAX];
	const char *slash = strrchr(name, '/');
	struct buf b;
	bool kept;
	int fd;

	BUF_OVER(&b, folder);
	buf_add(&b,
	    (struct str){ name, slash == NULL ? 0 : (size_t)(slash - name) });
	buf_addz(&b, slash == NULL ? "." : slash == name ? "/" : "");
	fd = open(buf_z(&b), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* EINVAL: such a file system keeps names without being asked. */
	kept = fsync(fd) == 0 || errno == EINVAL;
	(void)close(fd);
	return kept;
}

/* O_EXCL and link() decide who makes it: nobody else had this file. */
enum dk_err
key_file_make(
    const char *name, const char *beside, const struct secret *key)
{
	char temporary[FILE_NAME_MAX], id[UUID_TEXT_LEN + 1];
	struct stat owner;
	struct buf b;
	enum dk_err err;
	bool whole;
	int fd;

	err = uuid_new(id);
	if (err != DK_OK)
		return err;
	BUF_OVER(&b, temporary);
	buf_addf(&b, "%s.%s", name, id);
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return DK_ERR_IO;
	whole = write(fd, key->byte, sizeof(key->byte)) ==
		(ssize_t)sizeof(key->byte) &&
	    fsync(fd) == 0;
	if (geteuid() == 0 && stat(beside, &owner) == 0 &&
	    fchown(fd, owner.st_uid, owner.st_gid) != 0)
		whole = false;
	(void)close(fd);
	/* A link is made whole or not at all; the first one stays. */
	if (whole && link(temporary, name) != 0 && errno != EEXIST)
		whole = false;
	(void)unlink(temporary);
	/* A power cut would leave factors whose key has gone. */
	return whole && keep_name(name) ? DK_OK : DK_ERR_IO;
}
