/*
 * The FastCGI side.  libfcgi is the record layer and is fenced in: we accept
 * connections ourselves and hand them to it, so that it never waits for one;
 * a request whose parameters were cut off is dropped; the body is read to
 * its end or the connection closed, or the rest of it would be parsed as
 * records of a forged request; the answer is sent whole or not at all.
 */
#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/net.h"
#include "gateway/output.h"
#include "gateway/watchdog.h"

enum {
	KEPT_IDLE_MS = 5000,	     /* a kept connection may be silent */
	DRAIN_MAX = 8 * 1024 * 1024, /* of a body that is too large */
	PEERS_MAX = 32
};

/* Set by SIGTERM, SIGINT and SIGUSR1, which arrive only while we wait. */
static volatile sig_atomic_t stopping;

struct server {
	const struct gateway_app *app;
	FCGX_Request request;
	int listen_fd;
	sigset_t wait_mask; /* of signals while waiting */
	/* FCGI_WEB_SERVER_ADDRS (FastCGI 3.2): peers that may connect over
	 * TCP; none named: all. */
	struct ip_net peers[PEERS_MAX];
	size_t n_peers;
	bool peers_given;
};

bool
gateway_is_fastcgi(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) ==
		0 &&
	    listening != 0;
}

static void
on_stop(int signal_number)
{
	(void)signal_number;
	stopping = 1;
}

/* Signals are blocked but while we wait for something to do. */
static void
install_signals(struct server *s)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct sigaction action;
	sigset_t blocked;
	size_t i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_stop;
	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&blocked);
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		(void)sigaction(stops[i], &action, NULL);
		(void)sigaddset(&blocked, stops[i]);
	}
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigprocmask(SIG_BLOCK, &blocked, &s->wait_mask);
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		(void)sigdelset(&s->wait_mask, stops[i]);
	watchdog_install();
}

static void
read_peers(struct server *s)
{
	struct str list = str_from(request_environment(
		       "FCGI_WEB_SERVER_ADDRS")),
		   item;

	s->peers_given = list.n > 0;
	while (s->peers_given && str_cut(&list, ',', &item))
		if (s->n_peers < PEERS_MAX &&
		    ip_net_parse(str_trim(item), &s->peers[s->n_peers]))
			s->n_peers++;
}

/* May this peer talk to us?  Unix sockets guard themselves by their mode. */
static bool
peer_is_welcome(const struct server *s, const struct sockaddr_storage *from)
{
	struct ip_addr addr = { { 0 } };

	if (!s->peers_given || from->ss_family == AF_UNIX)
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
	return ip_nets_contain(s->peers, s->n_peers, &addr);
}

/* Take a waiting connection; -1 when a sibling was faster. */
static int
accept_one(struct server *s)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int fd;

	memset(&from, 0, sizeof(from));
	fd = accept4(s->listen_fd, (struct sockaddr *)&from, &len,
	    SOCK_CLOEXEC);
	if (fd >= 0 && !peer_is_welcome(s, &from)) {
		(void)close(fd);
		return -1;
	}
	if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
			  errno == ENOMEM || errno == ENOBUFS))
		(void)poll(NULL, 0, 50);
	return fd;
}

static void
drop(struct server *s)
{
	watchdog_rest();
	FCGX_Free(&s->request, 1);
}

/*
 * Wait until there is a request to read: on a new connection or on the kept
 * one.  A kept connection that is idle gives way to whoever waits.
 */
static bool
wait_for_work(struct server *s)
{
	for (;;) {
		bool kept = s->request.ipcFd >= 0;
		struct pollfd p[2] = { { s->listen_fd, POLLIN, 0 },
			{ s->request.ipcFd, POLLIN, 0 } };
		const struct timespec idle = { KEPT_IDLE_MS / 1000, 0 };
		int rc, fd;

		rc = ppoll(p, kept ? 2 : 1, kept ? &idle : NULL,
		    &s->wait_mask);
		if (stopping)
			return false;
		if (rc < 0 && errno != EINTR)
			return false;
		if (rc < 0)
			continue;
		if (kept && p[1].revents != 0)
			return true;
		if (kept) {
			drop(s);
			continue;
		}
		fd = accept_one(s);
		if (fd < 0)
			continue;
		/* libfcgi takes a preset connection for a kept one. */
		s->request.ipcFd = fd;
		s->request.keepConnection = 1;
		return true;
	}
}

/*
 * The body up to its end, into the arena.  What is above the limit is read
 * and thrown away up to DRAIN_MAX, so that the client can read our answer.
 */
static enum body_state
read_body(struct server *s, struct request *req)
{
	struct arena *arena = s->app->arena;
	char rest[8192];
	char *to;
	int n, more;
	size_t drained = 0;

	if (!output_wants_body(req))
		return BODY_NONE;
	to = arena_alloc(arena, REQUEST_BODY_MAX + 1);
	if (to == NULL)
		return BODY_TOO_LARGE;
	n = FCGX_GetStr(to, REQUEST_BODY_MAX + 1, s->request.in);
	if (n < 0 || FCGX_GetError(s->request.in) != 0)
		return BODY_CUT;
	if (n <= REQUEST_BODY_MAX) {
		req->body = (struct str){ to, (size_t)n };
		/* Without a length (chunked) the records say where it ends. */
		return req->has_body_length && req->body_length != (uint64_t)n ?
		    BODY_CUT :
		    BODY_WHOLE;
	}
	do {
		more = FCGX_GetStr(rest, sizeof(rest), s->request.in);
		drained += more > 0 ? (size_t)more : 0;
	} while (more > 0 && drained < DRAIN_MAX);
	return BODY_TOO_LARGE;
}

/*
 * Whatever the server still sends of the body is read, or the connection
 * closed: unread bytes on a kept one would be taken for records.
 */
static void
settle_input(struct server *s)
{
	char rest[8192];
	size_t drained = 0;
	int n = 1;

	if (s->request.role != FCGI_RESPONDER || !s->request.keepConnection)
		return;
	while (n > 0 && drained <= REQUEST_BODY_MAX) {
		n = FCGX_GetStr(rest, sizeof(rest), s->request.in);
		drained += n > 0 ? (size_t)n : 0;
	}
	if (n > 0 || FCGX_GetError(s->request.in) != 0)
		s->request.keepConnection = 0;
}

static bool
send_all(struct server *s, struct str text)
{
	return text.n == 0 ||
	    FCGX_PutStr(text.p, (int)text.n, s->request.out) == (int)text.n;
}

/* Send the answer and end the request, or drop the connection. */
static void
answer(struct server *s, const struct request *req, const struct response *res)
{
	struct str head, body;

	if (output_build(req, res, s->app->arena, &head, &body) != DK_OK) {
		LOG_WRITE(s->app->log, LOG_LEVEL_ERROR, "answer_incomplete",
		    { "request_id", str_from(req->id) });
		drop(s);
		return;
	}
	watchdog_watch(s->request.ipcFd);
	settle_input(s);
	if (!send_all(s, head) || !send_all(s, body))
		drop(s);
	else
		FCGX_Finish_r(&s->request);
	watchdog_rest();
}

static void
serve_one(struct server *s)
{
	const struct gateway_app *app = s->app;
	enum request_role role = s->request.role == FCGI_AUTHORIZER ?
	    REQUEST_AUTHORIZER :
	    REQUEST_RESPONDER;
	enum body_state body = BODY_NONE;
	const char *problem = NULL;
	struct response res;
	struct request req;
	enum dk_err err;

	response_init(&res, app->arena);
	err = request_read(&req, role, s->request.envp, app->rules,
	    app->arena, &problem);
	if (err == DK_OK)
		body = read_body(s, &req);
	/* The connection broke while the body came: nobody listens. */
	if (body == BODY_CUT && FCGX_GetError(s->request.in) != 0) {
		drop(s);
		return;
	}
	if (body == BODY_TOO_LARGE || body == BODY_CUT)
		s->request.keepConnection = 0;
	watchdog_rest();
	output_answer(app, &req, &res, err, problem, body);
	answer(s, &req, &res);
}

/* True when a whole set of parameters has come in. */
static bool
take_request(struct server *s)
{
	int rc;

	watchdog_watch(s->request.ipcFd);
	rc = FCGX_Accept_r(&s->request);
	if (rc != 0) {
		/* Malformed: libfcgi has closed it and looked for another. */
		watchdog_rest();
		return false;
	}
	/* Cut-off parameters must not run as a request (DK-F-03). */
	if (FCGX_GetError(s->request.in) != 0 ||
	    (s->request.role != FCGI_RESPONDER &&
		s->request.role != FCGI_AUTHORIZER)) {
		drop(s);
		return false;
	}
	return true;
}

int
gateway_run_fcgi(const struct gateway_app *app, int fd)
{
	struct server s = { .app = app, .listen_fd = fd };
	int flags = fcntl(fd, F_GETFL);

	if (FCGX_Init() != 0 || flags < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return 1;
	/* -1: libfcgi itself has nothing to accept from. */
	if (FCGX_InitRequest(&s.request, -1, 0) != 0)
		return 1;
	install_signals(&s);
	read_peers(&s);
	while (wait_for_work(&s)) {
		if (!take_request(&s))
			continue;
		serve_one(&s);
		arena_reset(app->arena);
		app->idle(app->arg);
		if (stopping)
			break;
	}
	drop(&s);
	return 0;
}
