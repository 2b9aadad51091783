#ifndef DK_BASE_SANDBOX_H
#define DK_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Least privilege: what a worker needs no more once it has started it gives
 * up for good, so that whoever takes it over has little left to use.  Three
 * parts, each by the kernel's own interface and without a library:
 *
 *   no_new_privs  no program run from here gains rights (prctl(2))
 *   seccomp       only the system calls of the request path; no exec, fork,
 *                 ptrace, and no socket but for what is named below
 *   Landlock      only the paths named below (Linux 5.13); no TCP (6.7)
 */
enum sandbox_mode {
	SANDBOX_AUTO,	 /* as much as this kernel has */
	SANDBOX_REQUIRE, /* all of it, or no start */
	SANDBOX_OFF
};
enum sandbox_access {
	SANDBOX_READ, /* a file, or a directory and all beneath it */
	SANDBOX_STORE, /* a directory where files are made and removed */
	SANDBOX_TREE   /* the same, and directories in it */
};

enum { SANDBOX_PATHS_MAX = 40, SANDBOX_PATH_LEN_MAX = 1100 };

/* Zero is a good beginning: nothing is allowed. */
struct sandbox {
	struct {
		char name[SANDBOX_PATH_LEN_MAX];
		enum sandbox_access access;
		dev_t dev; /* of what was there when it was entered */
		ino_t ino;
	} path[SANDBOX_PATHS_MAX];
	size_t n_paths;
	bool syslog;	/* datagrams to a Unix socket (syslog(3) reconnects) */
	bool network;	/* TCP, DNS: a store that is reached by them */
	bool libraries; /* dlopen later on */
	bool filtered, fenced; /* seccomp, Landlock are in force */
	bool unsupported;      /* this kernel has no Landlock */
};

/* Reading path, a file or a directory; it need not exist.  Of a link, what it
 * leads to is allowed.  Too many or too long: not allowed. */
void sandbox_allow_read(struct sandbox *sb, struct str path);
/* Making, writing and removing files beside `file`, and beside what it leads
 * to if it is a link: SQLite and we keep companions of the store there. */
void sandbox_allow_beside(struct sandbox *sb, struct str file);
/* Making, writing and removing files and directories beneath path. */
void sandbox_allow_tree(struct sandbox *sb, struct str path);
/* What dlopen needs, and what TCP, names and certificates need. */
void sandbox_allow_libraries(struct sandbox *sb);
void sandbox_allow_network(struct sandbox *sb);

/*
 * Give up the rest, for good.  What this kernel or its container has not is
 * named in missing with its cure; then DK_ERR_INTERNAL where `require`, and
 * DK_OK otherwise.  Paths that are not only read and are not there (the store
 * is away) put Landlock off: call again before each request until
 * sandbox_is_whole.
 */
enum dk_err sandbox_enter(
    struct sandbox *sb, bool require, struct buf *missing) DK_CHECK;
/* Nothing is left to be done by sandbox_enter. */
bool sandbox_is_whole(const struct sandbox *sb);

/*
 * A directory of SANDBOX_STORE is another one than it was (moved away,
 * restored): its new contents are out of reach, only a new process helps.
 */
bool sandbox_is_outdated(const struct sandbox *sb);

/* Within src/base: the seccomp part, and Landlock's. */
enum dk_err sandbox_filter(const struct sandbox *sb) DK_CHECK;
/* *put_off: a path is missing.  DK_ERR_INTERNAL: the kernel has it not. */
enum dk_err sandbox_fence(struct sandbox *sb, bool *put_off) DK_CHECK;

#endif
