/*
 * Landlock (landlock(7)), without its header, which older systems lack: the
 * numbers are the kernel's interface and stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif

enum { ASK_VERSION = 1, RULE_PATH_BENEATH = 1 };

#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_READ	       (FS_READ_FILE | FS_READ_DIR)
#define FS_STORE \
	(FS_READ | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE)
#define FS_TREE (FS_STORE | FS_MAKE_DIR)

struct ruleset {
	uint64_t fs, net, scoped;
};
struct path_beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* All that a version of the interface knows is closed. */
static size_t
close_all(long version, struct ruleset *rules, bool network)
{
	unsigned bits = version < 2 ? 13
	    : version < 3	    ? 14
	    : version < 5	    ? 15
				    : 16;

	*rules = (struct ruleset){ .fs = (UINT64_C(1) << bits) - 1 };
	if (version < 4)
		return sizeof(uint64_t);
	/* Neither listens nor connects over TCP. */
	rules->net = network ? 1 : 3;
	if (version < 6)
		return 2 * sizeof(uint64_t);
	rules->scoped = 3; /* abstract sockets and signals of others */
	return sizeof(*rules);
}

/* What is not there is allowed to nobody; *found says whether it was. */
static enum dk_err
allow(struct sandbox *sb, size_t i, int set, uint64_t handled, bool *found)
{
	struct path_beneath rule = { .access = FS_READ };
	struct stat st;
	long rc;

	*found = false;
	rule.fd = open(sb->path[i].name, O_PATH | O_CLOEXEC);
	if (rule.fd < 0) /* static(cppcheck): none is open here */
		return DK_OK;
	if (fstat(rule.fd, &st) != 0) {
		(void)close(rule.fd);
		return DK_OK;
	}
	if (sb->path[i].access == SANDBOX_TREE)
		rule.access = FS_TREE & handled;
	else if (sb->path[i].access == SANDBOX_STORE)
		rule.access = FS_STORE & handled;
	else if (!S_ISDIR(st.st_mode))
		rule.access = FS_READ_FILE;
	sb->path[i].dev = st.st_dev;
	sb->path[i].ino = st.st_ino;
	rc = syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &rule, 0);
	(void)close(rule.fd);
	*found = rc == 0;
	return rc == 0 ? DK_OK : DK_ERR_INTERNAL;
}

enum dk_err
sandbox_fence(struct sandbox *sb, bool *put_off)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	struct ruleset rules;
	enum dk_err err = DK_OK;
	size_t size, i;
	bool found;
	int set;

	*put_off = false;
	if (version < 1)
		return DK_ERR_INTERNAL;
	size = close_all(version, &rules, sb->network);
	set = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (set < 0)
		return DK_ERR_INTERNAL;
	for (i = 0; i < sb->n_paths && err == DK_OK && !*put_off; i++) {
		err = allow(sb, i, set, rules.fs, &found);
		*put_off = !found && sb->path[i].access != SANDBOX_READ;
	}
	if (err == DK_OK && !*put_off &&
	    syscall(SYS_landlock_restrict_self, set, 0) != 0)
		err = DK_ERR_INTERNAL;
	(void)close(set);
	return err;
}
