#include "gateway/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	EVENTS_MAX = WAITING_SILENT_MAX + 3,
	/* Between connect and the first bytes of a busy web server. */
	FIRST_BYTES_MS = 20,
	OUT_OF_FILES_MS = 50
};

static enum dk_err
read_peers(struct waiting *w, struct str list)
{
	struct str item;

	w->peers_given = list.n > 0;
	while (w->peers_given && str_cut(&list, ',', &item)) {
		if (w->n_peers == WAITING_PEERS_MAX ||
		    !ip_net_parse(str_trim(item), &w->peers[w->n_peers]))
			return DK_ERR_CONF;
		w->n_peers++;
	}
	return DK_OK;
}

static enum dk_err
watch(const struct waiting *w, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? DK_OK
							       : DK_ERR_IO;
}

/* Blocked for good: what they say is read from w->signals. */
static enum dk_err
open_signals(struct waiting *w)
{
	sigset_t stops;

	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGINT);
	(void)sigaddset(&stops, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &stops, NULL) != 0)
		return DK_ERR_IO;
	w->signals = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0)
		return DK_ERR_IO;
	return watch(w, w->signals, EPOLLIN);
}

enum dk_err
waiting_open(struct waiting *w, int listener, struct str peers)
{
	int flags = fcntl(listener, F_GETFL), one = 1;
	enum dk_err err;

	*w = (struct waiting){ .listener = listener,
		.epoll = -1,
		.signals = -1,
		.kept = { -1, 0 } };
	err = read_peers(w, peers);
	if (err != DK_OK)
		return err;
	/* A sibling may be faster to accept: then we must not hang in it. */
	if (flags < 0 || fcntl(listener, F_SETFL, flags | O_NONBLOCK) < 0)
		return DK_ERR_IO;
	/* Inherited by what is accepted; no use for Unix sockets. */
	(void)setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return DK_ERR_IO;
	/* Exclusive: a connection wakes one of the idle workers, not all. */
	err = watch(w, listener, EPOLLIN | EPOLLEXCLUSIVE);
	if (err == DK_OK)
		err = open_signals(w);
	return err;
}

static void
forget_silent(struct waiting *w, size_t i)
{
	w->n_silent--;
	memmove(&w->silent[i], &w->silent[i + 1],
	    (w->n_silent - i) * sizeof(w->silent[0]));
}

static void
close_silent(struct waiting *w, size_t i)
{
	(void)close(w->silent[i].fd);
	forget_silent(w, i);
}

static void
close_kept(struct waiting *w)
{
	if (w->kept.fd >= 0)
		(void)close(w->kept.fd);
	w->kept.fd = -1;
}

void
waiting_close(struct waiting *w)
{
	close_kept(w);
	while (w->n_silent > 0)
		close_silent(w, w->n_silent - 1);
	if (w->signals >= 0)
		(void)close(w->signals);
	if (w->epoll >= 0)
		(void)close(w->epoll);
}

/* May this peer talk to us?  Unix sockets guard themselves by their mode. */
static bool
is_welcome(const struct waiting *w, const struct sockaddr_storage *from)
{
	struct ip_addr addr = { { 0 } };

	if (!w->peers_given || from->ss_family == AF_UNIX)
		return true;
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		memset(addr.byte + 10, 0xff, 2);
		memcpy(addr.byte + 12, &in->sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;

		memcpy(addr.byte, &in6->sin6_addr, 16);
	} else {
		return false;
	}
	return ip_nets_contain(w->peers, w->n_peers, &addr);
}

/* Take a waiting connection; -1 when there is none after all. */
static enum dk_err
accept_one(const struct waiting *w, int *fd)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);

	*fd =
	    accept4(w->listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	if (*fd >= 0 && !is_welcome(w, &from)) {
		(void)close(*fd);
		*fd = -1;
		return DK_OK;
	}
	if (*fd >= 0)
		return DK_OK;
	if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK ||
	    errno == EOPNOTSUPP)
		return DK_ERR_IO;
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
	    errno == ENOBUFS)
		(void)poll(NULL, 0, OUT_OF_FILES_MS);
	return DK_OK;
}

static bool
has_data(int fd, int wait_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, wait_ms) > 0;
}

/* Nothing came yet: others first.  The oldest goes when it gets crowded. */
static void
set_aside(struct waiting *w, int fd)
{
	if (w->n_silent == WAITING_SILENT_MAX)
		close_silent(w, 0);
	if (watch(w, fd, EPOLLIN) != DK_OK) {
		(void)close(fd);
		return;
	}
	w->silent[w->n_silent++] =
	    (struct waiting_peer){ fd, clock_monotonic_ms() };
}

/* Close who was silent for too long; ms until the next one is, or -1. */
static int
expire(struct waiting *w)
{
	int64_t now, next = INT64_MAX;

	if (w->kept.fd < 0 && w->n_silent == 0)
		return -1;
	now = clock_monotonic_ms();
	while (
	    w->n_silent > 0 && now - w->silent[0].since_ms >= WAITING_SILENT_MS)
		close_silent(w, 0);
	if (w->kept.fd >= 0 && now - w->kept.since_ms >= WAITING_KEPT_MS)
		close_kept(w);
	if (w->n_silent > 0)
		next = w->silent[0].since_ms + WAITING_SILENT_MS - now;
	if (w->kept.fd >= 0 && w->kept.since_ms + WAITING_KEPT_MS - now < next)
		next = w->kept.since_ms + WAITING_KEPT_MS - now;
	return next == INT64_MAX ? -1 : (int)next;
}

/* What one look at the sockets found. */
struct found {
	bool stop, listener;
	int fd; /* a known connection with something to read, or -1 */
};

/* A connection of ours is ready: the first of them is handed out. */
static void
take_known(struct waiting *w, int fd, struct found *f)
{
	size_t i;

	if (f->fd >= 0)
		return; /* level-triggered: it is reported again */
	if (fd == w->kept.fd) {
		w->kept.fd = -1;
		f->fd = fd;
		return;
	}
	for (i = 0; i < w->n_silent; i++) {
		if (w->silent[i].fd != fd)
			continue;
		forget_silent(w, i);
		f->fd = fd;
		return;
	}
}

static enum dk_err
look(struct waiting *w, struct found *f)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(w->epoll, events, EVENTS_MAX, expire(w));

	*f = (struct found){ .fd = -1 };
	if (n < 0)
		return errno == EINTR ? DK_OK : DK_ERR_IO;
	for (i = 0; i < n; i++) {
		if (events[i].data.fd == w->signals)
			f->stop = true;
		else if (events[i].data.fd == w->listener)
			f->listener = true;
		else
			take_known(w, events[i].data.fd, f);
	}
	return DK_OK;
}

enum dk_err
waiting_next(struct waiting *w, int *fd, bool *crowded)
{
	struct found f;
	enum dk_err err;

	*fd = -1;
	*crowded = false;
	for (;;) {
		err = look(w, &f);
		if (err != DK_OK)
			return err;
		/* What has come already is answered before we stop. */
		if (f.fd >= 0) {
			w->known = true;
			*fd = f.fd;
			*crowded = f.listener || f.stop;
			return DK_OK;
		}
		if (f.stop)
			return DK_OK;
		if (!f.listener)
			continue;
		close_kept(w); /* idle: it gives way */
		err = accept_one(w, fd);
		if (err != DK_OK)
			return err;
		if (*fd >= 0 && has_data(*fd, FIRST_BYTES_MS)) {
			w->known = false;
			return DK_OK;
		}
		if (*fd >= 0)
			set_aside(w, *fd);
		*fd = -1;
	}
}

void
waiting_keep(struct waiting *w, int fd)
{
	close_kept(w);
	if (!w->known && watch(w, fd, EPOLLIN) != DK_OK) {
		(void)close(fd);
		return;
	}
	w->kept = (struct waiting_peer){ fd, clock_monotonic_ms() };
}
