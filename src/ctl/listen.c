#include "ctl/listen.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/net.h"

enum { BACKLOG = 511, DEFAULT_MODE = 0660, MODE_MAX = 0777 };

struct unix_options {
	struct str path;
	mode_t mode;
	bool has_group;
	gid_t group;
};

static enum dk_err
read_mode(struct str text, mode_t *mode)
{
	size_t i;

	*mode = 0;
	if (text.n < 3 || text.n > 4)
		return DK_ERR_INPUT;
	for (i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '7')
			return DK_ERR_INPUT;
		*mode = *mode * 8 + (mode_t)(text.p[i] - '0');
	}
	return *mode <= MODE_MAX && (*mode & 0007) == 0 ? DK_OK : DK_ERR_INPUT;
}

static enum dk_err
read_group(struct str name, struct unix_options *o)
{
	char text[64];
	const struct group *gr;
	struct buf b;

	BUF_OVER(&b, text);
	buf_add(&b, name);
	gr = buf_ok(&b) ? getgrnam(buf_z(&b)) : NULL;
	if (gr == NULL)
		return DK_ERR_INPUT;
	o->group = gr->gr_gid;
	o->has_group = true;
	return DK_OK;
}

static enum dk_err
read_unix(struct str rest, struct unix_options *o, struct buf *message)
{
	struct str option, key, value;

	*o = (struct unix_options){ .mode = DEFAULT_MODE };
	if (!str_cut(&rest, ',', &o->path) || o->path.n == 0 ||
	    o->path.p[0] != '/') {
		buf_addz(message, "--listen unix:PATH needs an absolute path");
		return DK_ERR_INPUT;
	}
	while (str_cut(&rest, ',', &option)) {
		(void)str_split(option, '=', &key, &value);
		if (str_eq(key, STR("mode")) &&
		    read_mode(value, &o->mode) == DK_OK)
			continue;
		if (str_eq(key, STR("group")) && read_group(value, o) == DK_OK)
			continue;
		buf_addf(message,
		    "--listen: \"%.*s\" is not understood; there "
		    "are mode=0660 (nothing for others) and "
		    "group=NAME (a group that exists)",
		    STR_FMT(option));
		return DK_ERR_INPUT;
	}
	return DK_OK;
}

/* Is somebody there?  What is no socket is never touched. */
static enum dk_err
clear_path(const struct sockaddr_un *un, struct buf *message)
{
	struct stat st;
	int fd, rc;

	if (lstat(un->sun_path, &st) != 0)
		return DK_OK;
	if (!S_ISSOCK(st.st_mode)) {
		buf_addf(message,
		    "%s is there and no socket; name another "
		    "path",
		    un->sun_path);
		return DK_ERR_IO;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return DK_ERR_IO;
	rc = connect(fd, (const struct sockaddr *)un, sizeof(*un));
	(void)close(fd);
	if (rc == 0) {
		buf_addf(message, "another process serves %s; stop it first",
		    un->sun_path);
		return DK_ERR_IO;
	}
	return unlink(un->sun_path) == 0 ? DK_OK : DK_ERR_IO;
}

static enum dk_err
bind_unix(struct listener *l, const struct unix_options *o,
    const struct sockaddr_un *un)
{
	struct stat st;
	mode_t before;
	int rc;

	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return DK_ERR_IO;
	/* Closed to everybody until group and mode are right. */
	before = umask(0777);
	rc = bind(l->fd, (const struct sockaddr *)un, sizeof(*un));
	(void)umask(before);
	if (rc != 0)
		return DK_ERR_IO;
	memcpy(l->path, un->sun_path, sizeof(l->path));
	if (o->has_group && chown(l->path, (uid_t)-1, o->group) != 0)
		return DK_ERR_IO;
	if (chmod(l->path, o->mode) != 0 || stat(l->path, &st) != 0)
		return DK_ERR_IO;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return listen(l->fd, BACKLOG) == 0 ? DK_OK : DK_ERR_IO;
}

static enum dk_err
open_unix(struct listener *l, struct str rest, struct buf *message)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct unix_options o;
	enum dk_err err;

	err = read_unix(rest, &o, message);
	if (err != DK_OK)
		return err;
	if (o.path.n >= sizeof(un.sun_path)) {
		buf_addf(message,
		    "--listen: the path of a socket has at most "
		    "%zu bytes",
		    sizeof(un.sun_path) - 1);
		return DK_ERR_INPUT;
	}
	memcpy(un.sun_path, o.path.p, o.path.n);
	err = clear_path(&un, message);
	if (err == DK_OK)
		err = bind_unix(l, &o, &un);
	if (err != DK_OK && message->len == 0)
		buf_addf(message, "%s: %s", un.sun_path, strerror(errno));
	return err;
}

static enum dk_err
open_tcp(struct listener *l, struct str where, struct buf *message)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	bool v4 = str_starts(where, STR("127.0.0.1:"));
	size_t host = v4 ? sizeof("127.0.0.1:") - 1 : sizeof("[::1]:") - 1;
	uint64_t port;
	int one = 1, rc;

	if ((!v4 && !str_starts(where, STR("[::1]:"))) ||
	    !str_to_u64(str_sub(where, host, where.n), 65535, &port) ||
	    port == 0) {
		buf_addf(message,
		    "--listen %.*s: there are unix:PATH, 127.0.0.1:PORT, "
		    "[::1]:PORT and fd:N, nothing else",
		    STR_FMT(where));
		return DK_ERR_INPUT;
	}
	l->fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return DK_ERR_IO;
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	in4.sin_port = in6.sin6_port = htons((uint16_t)port);
	in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in6.sin6_addr = in6addr_loopback;
	rc = v4 ? bind(l->fd, (const struct sockaddr *)&in4, sizeof(in4))
		: bind(l->fd, (const struct sockaddr *)&in6, sizeof(in6));
	l->tcp = true;
	if (rc == 0 && listen(l->fd, BACKLOG) == 0)
		return DK_OK;
	buf_addf(message, "%.*s: %s", STR_FMT(where), strerror(errno));
	return DK_ERR_IO;
}

/* Socket activation: sd_listen_fds(3) begins with 3. */
static enum dk_err
open_given(struct listener *l, struct str number, struct buf *message)
{
	socklen_t len = sizeof(int);
	int listening = 0;
	uint64_t n;

	if (!str_to_u64(number, 1023, &n) ||
	    getsockopt((int)n, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) !=
		0 ||
	    listening == 0) {
		buf_addf(message,
		    "--listen fd:%.*s is no listening socket; "
		    "systemd gives fd:3",
		    STR_FMT(number));
		return DK_ERR_INPUT;
	}
	l->fd = (int)n;
	return DK_OK;
}

enum dk_err
listener_open(struct listener *l, struct str where, struct buf *message)
{
	enum dk_err err;

	*l = (struct listener){ .fd = -1 };
	if (str_starts(where, STR("unix:")))
		err = open_unix(l, str_sub(where, 5, where.n), message);
	else if (str_starts(where, STR("fd:")))
		err = open_given(l, str_sub(where, 3, where.n), message);
	else
		err = open_tcp(l, where, message);
	if (err != DK_OK)
		listener_close(l);
	return err;
}

void
listener_close(struct listener *l)
{
	struct stat st;

	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	if (l->path[0] != '\0' && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		(void)unlink(l->path);
	l->path[0] = '\0';
}
