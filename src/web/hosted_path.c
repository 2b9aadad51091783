/*
 * From a path to an open file.  The path is resolved first, links and all,
 * and what comes out is opened segment by segment without following a link:
 * whoever swaps one in between gets nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/media_type.h"
#include "web/hosting.h"

enum { STEP_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* What an errno of looking for a file means to who asked for it. */
static enum dk_err
judge_errno(int problem, struct hosted *found)
{
	switch (problem) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case ELOOP: /* also: a link that was not there a moment ago */
	case ENXIO:
		found->kind = HOSTED_NOTHING;
		return DK_OK;
	case EACCES:
	case EPERM:
		found->kind = HOSTED_UNREADABLE;
		return DK_OK;
	default:
		return DK_ERR_IO;
	}
}

/* The path without links, "." and "..", in the arena; as realpath(3). */
static struct str
resolve(struct arena *arena, struct str path)
{
	struct str text = arena_dup(arena, path);
	char *real = arena_alloc(arena, PATH_MAX);

	if (str_is_none(text) || real == NULL) {
		errno = ENOMEM;
		return STR_NONE;
	}
	return str_from(realpath(text.p, real));
}

/* What is left of path behind root, with its slash; STR_NONE: not below. */
static struct str
below(struct str path, struct str root)
{
	struct str rest;

	if (str_eq(root, STR("/")))
		return path;
	if (!str_starts(path, root))
		return STR_NONE;
	rest = str_sub(path, root.n, path.n);
	return rest.n == 0 || rest.p[0] == '/' ? rest : STR_NONE;
}

static bool
has_hidden_segment(struct str rest)
{
	struct str segment;

	while (str_cut(&rest, '/', &segment))
		if (str_starts(segment, STR(".")))
			return true;
	return false;
}

static enum dk_err
open_last(int at, const char *name, struct hosted *found)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return judge_errno(errno, found);
	if (S_ISDIR(st.st_mode)) {
		found->kind = HOSTED_DIRECTORY;
		return DK_OK;
	}
	if (!S_ISREG(st.st_mode))
		return DK_OK;
	if (media_type_is_script(found->name)) {
		found->kind = HOSTED_SCRIPT;
		return DK_OK;
	}
	found->fd = openat(at, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (found->fd < 0)
		return judge_errno(errno, found);
	/* It may be another one by now. */
	if (fstat(found->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(found->fd);
		found->fd = -1;
		return DK_OK;
	}
	found->kind = HOSTED_FILE;
	found->size = (uint64_t)st.st_size;
	found->modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
	    st.st_mtim.tv_nsec;
	return DK_OK;
}

/* Down from root; rest begins with a slash or is empty: root itself. */
static enum dk_err
walk(struct arena *arena, struct str root, struct str rest,
    struct hosted *found)
{
	/* static(gcc): static(tidy): the caller has asked str_is_none() */
	int at = open(root.p, STEP_FLAGS), next;
	enum dk_err err = DK_OK;
	struct str segment, name;

	rest = str_sub(rest, 1, rest.n);
	found->name = STR(".");
	while (at >= 0 && str_cut(&rest, '/', &segment)) {
		name = arena_dup(arena, segment);
		if (str_is_none(name)) {
			err = DK_ERR_NOMEM;
			break;
		}
		found->name = name.n > 0 ? name : STR(".");
		if (str_is_none(rest))
			break;
		next = openat(at, name.p, STEP_FLAGS);
		(void)close(at);
		at = next;
	}
	if (at < 0)
		return judge_errno(errno, found);
	if (err == DK_OK)
		err = open_last(at, found->name.p, found);
	(void)close(at);
	return err;
}

enum dk_err
hosted_path_open(struct arena *arena, struct str root, struct str path,
    struct str database, struct hosted *found)
{
	struct str real_root, real, rest;

	*found = (struct hosted){ .kind = HOSTED_NOTHING, .fd = -1 };
	real_root = resolve(arena, root);
	if (str_is_none(real_root))
		return DK_ERR_IO;
	real = resolve(arena, path);
	if (str_is_none(real))
		return judge_errno(errno, found);
	rest = below(real, real_root);
	if (str_is_none(rest)) {
		found->kind = HOSTED_OUTSIDE;
		return DK_OK;
	}
	if (has_hidden_segment(rest) ||
	    (database.n > 0 && str_starts(real, database)))
		return DK_OK;
	return walk(arena, real_root, rest, found);
}
