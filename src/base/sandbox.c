#include "base/sandbox.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static void
allow(struct sandbox *sb, enum sandbox_access access, struct str path)
{
	struct buf b;

	if (sb->n_paths == SANDBOX_PATHS_MAX || path.n == 0)
		return;
	BUF_OVER(&b, sb->path[sb->n_paths].name);
	buf_add(&b, path);
	sb->path[sb->n_paths].access = access;
	sb->n_paths += buf_ok(&b) ? 1 : 0;
}

void
sandbox_allow_read(struct sandbox *sb, struct str path)
{
	allow(sb, SANDBOX_READ, path);
}

static struct str
directory_of(struct str file)
{
	while (file.n > 0 && file.p[file.n - 1] != '/')
		file.n--;
	return file;
}

void
sandbox_allow_beside(struct sandbox *sb, struct str file)
{
	char name[SANDBOX_PATH_LEN_MAX], real[PATH_MAX];
	struct str dir = directory_of(file), led = STR_NONE;
	struct buf b;

	BUF_OVER(&b, name);
	buf_add(&b, file);
	if (buf_ok(&b) && realpath(name, real) != NULL)
		led = directory_of(str_from(real));
	allow(sb, SANDBOX_STORE, dir);
	if (led.n > 0 && !str_eq(led, dir))
		allow(sb, SANDBOX_STORE, led);
}

void
sandbox_allow_tree(struct sandbox *sb, struct str path)
{
	allow(sb, SANDBOX_TREE, path);
}

void
sandbox_allow_libraries(struct sandbox *sb)
{
	static const char *const places[] = { "/lib", "/lib64", "/usr/lib",
		"/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
		"/etc/ld-musl-x86_64.path" };
	size_t i;

	sb->libraries = true;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		sandbox_allow_read(sb, str_from(places[i]));
}

void
sandbox_allow_network(struct sandbox *sb)
{
	static const char *const places[] = { "/etc/hosts", "/etc/resolv.conf",
		"/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
		"/etc/services", "/etc/ssl", "/etc/pki",
		"/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates", "/run/systemd/resolve" };
	size_t i;

	sb->network = true;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		sandbox_allow_read(sb, str_from(places[i]));
}

static void
lacks(struct buf *missing, const char *what)
{
	buf_addf(missing, "%s%s", missing->len > 0 ? "; " : "", what);
}

enum dk_err
sandbox_enter(struct sandbox *sb, bool require, struct buf *missing)
{
	bool put_off = false;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		lacks(missing, "no_new_privs needs Linux 3.5");
	if (!sb->fenced && !sb->unsupported &&
	    sandbox_fence(sb, &put_off) != DK_OK) {
		sb->unsupported = true;
		lacks(missing,
		    "Landlock needs Linux 5.13 with landlock among its "
		    "security modules (lsm=), and a container that lets it "
		    "through");
	}
	if (!sb->filtered && sandbox_filter(sb) != DK_OK)
		lacks(missing,
		    "seccomp needs x86-64 or aarch64, and a kernel with "
		    "CONFIG_SECCOMP_FILTER");
	sb->fenced = !put_off && !sb->unsupported;
	sb->filtered = true;
	return require && missing->len > 0 ? DK_ERR_INTERNAL : DK_OK;
}

bool
sandbox_is_whole(const struct sandbox *sb)
{
	return sb->filtered && (sb->fenced || sb->unsupported);
}

bool
sandbox_is_outdated(const struct sandbox *sb)
{
	struct stat st;
	size_t i;

	for (i = 0; i < sb->n_paths && sb->fenced; i++)
		if (sb->path[i].access == SANDBOX_STORE &&
		    stat(sb->path[i].name, &st) == 0 &&
		    (st.st_dev != sb->path[i].dev ||
			st.st_ino != sb->path[i].ino))
			return true;
	return false;
}
