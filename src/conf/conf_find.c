#include "conf/conf.h"

#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { PATH_LEN_MAX = 4096 };

struct str
conf_default_file(void)
{
	return STR(DK_SYSCONFDIR "/doorkeep/doorkeep.conf");
}

/* Write DIRECTORY-OF(program)/doorkeep.conf; true when there is such a file. */
static bool
beside(struct buf *path, struct str program)
{
	size_t n = program.n;

	buf_reset(path);
	while (n > 0 && program.p[n - 1] != '/')
		n--;
	if (n == 0)
		return false;
	buf_add(path, str_sub(program, 0, n));
	buf_addz(path, "doorkeep.conf");
	return buf_ok(path) && access(buf_z(path), F_OK) == 0;
}

/*
 * The same for a name that may be relative: the directory of a program that
 * has just been started is still the one that it was started in.
 */
static bool
beside_name(struct buf *path, const char *name)
{
	char file[PATH_LEN_MAX], here[PATH_LEN_MAX] = "";
	struct buf b;

	BUF_OVER(&b, file);
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	if (name[0] != '/' && getcwd(here, sizeof(here)) == NULL)
		return false;
	if (name[0] != '/')
		buf_addf(&b, "%s/", here);
	buf_addz(&b, name);
	return buf_ok(&b) && beside(path, buf_str(&b));
}

/*
 * The kernel says what was executed: by the name that was used (a link in a
 * cgi-bin, say), and by the file behind it.  No request can change either.
 */
static bool
beside_program(struct buf *path)
{
	/* An address that the kernel hands over as a number. */
	const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	char file[PATH_LEN_MAX];
	ssize_t n;

	if (name != NULL && beside_name(path, name))
		return true;
	n = readlink("/proc/self/exe", file, sizeof(file));
	return n > 0 && (size_t)n < sizeof(file) &&
	    beside(path, (struct str){ file, (size_t)n });
}

enum dk_err
conf_find(struct buf *path)
{
	const char *named = getenv("DOORKEEP_CONFIG");

	buf_reset(path);
	if (named != NULL && named[0] != '\0') {
		buf_addz(path, named);
	} else if (!beside_program(path)) {
		buf_reset(path);
		buf_add(path, conf_default_file());
	}
	return buf_ok(path) ? DK_OK : DK_ERR_TOO_LARGE;
}
