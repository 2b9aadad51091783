#include "base/module.h"

#include <dlfcn.h>
#include <unistd.h>

enum { PATH_LEN_MAX = 4096 };

/* The path of `file` beside the running program; false: it is not known. */
static bool
beside_program(const char *file, struct buf *path)
{
	char program[PATH_LEN_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program));
	size_t len = n > 0 && (size_t)n < sizeof(program) ? (size_t)n : 0;

	while (len > 0 && program[len - 1] != '/')
		len--;
	if (len == 0)
		return false;
	buf_add(path, (struct str){ program, len });
	buf_addz(path, file);
	return buf_ok(path);
}

void
module_path(const char *file, const char *directory, struct buf *path)
{
	if (beside_program(file, path) && access(buf_z(path), R_OK) == 0)
		return;
	buf_reset(path);
	buf_addf(path, "%s/%s", directory, file);
}

enum dk_err
module_load(const char *file, const char *directory, const char *name,
    const void **symbol, struct buf *message)
{
	char text[PATH_LEN_MAX + 64];
	struct buf path;
	void *library;

	*symbol = NULL;
	BUF_OVER(&path, text);
	module_path(file, directory, &path);
	library =
	    buf_ok(&path) ? dlopen(buf_z(&path), RTLD_NOW | RTLD_LOCAL) : NULL;
	if (library != NULL)
		*symbol = dlsym(library, name);
	if (*symbol == NULL) {
		const char *why = dlerror();

		buf_addf(message, "%s cannot be loaded: %s", file,
		    why == NULL ? "its path is too long" : why);
		return DK_ERR_CONF;
	}
	return DK_OK;
}
