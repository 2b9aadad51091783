/*
 * The FastCGI side.  libfcgi is the record layer and is fenced in: we accept
 * connections ourselves and hand them to it, so that it never waits for one;
 * a request whose head is not what web servers send is never shown to it
 * (ahead.h), nor the input of somebody who lacks the shared secret; one whose
 * parameters were cut off is dropped; the input is read to its end or the
 * connection closed, or the rest of it would be parsed as records of a forged
 * request; the answer is sent whole or not at all.
 *
 * What libfcgi cannot tell us: it hands out "NAME=value" strings, so a
 * parameter whose name holds '=' looks like another one, and a NUL cuts a
 * value off.  Neither gains anything: names that we trust are refused when
 * they come twice, names of the client's headers begin with HTTP_ and cannot
 * hold '=' (RFC 9110 5.1), and REMOTE_USER and the like are never read.
 */
#include <fastcgi.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/ahead.h"
#include "gateway/output.h"
#include "gateway/waiting.h"
#include "gateway/watchdog.h"

enum { DRAIN_MAX = 16 * 1024 * 1024 }; /* of a body that is too large */

/* How long libfcgi waits, closing, for a peer that has not read our answer. */
#define CLOSE_LIMIT_MS "500"

struct server {
	const struct gateway_app *app;
	struct waiting waiting;
	FCGX_Request request;
	bool input_ended; /* nothing of this request is left unread */
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

/* libfcgi installs handlers of its own: ours come after. */
static void
install_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = SIG_IGN;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGPIPE, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	watchdog_install();
}

/* Close at once, without an answer. */
static void
drop(struct server *s)
{
	watchdog_rest();
	/* Detached: libfcgi does not linger for the peer's goodbye. */
	s->request.detached = 1;
	FCGX_Free(&s->request, 1);
	s->request.ipcFd = -1;
}

/* The input up to its end, or at most max bytes of it, thrown away. */
static void
drain(struct server *s, size_t max)
{
	char rest[8192];
	size_t drained = 0;
	int n = 1;

	while (n > 0 && drained < max) {
		n = FCGX_GetStr(rest, sizeof(rest), s->request.in);
		drained += n > 0 ? (size_t)n : 0;
	}
	s->input_ended = n <= 0 && FCGX_GetError(s->request.in) == 0;
}

/*
 * The body, into the arena.  What is above the limit is read and thrown away
 * up to DRAIN_MAX, so that the client can read our answer.
 */
static enum body_state
read_body(struct server *s, struct request *req)
{
	size_t max = request_body_max(req);
	char *to = arena_alloc(s->app->arena, max + 1);
	int n;

	if (to == NULL) {
		drain(s, DRAIN_MAX);
		return BODY_TOO_LARGE;
	}
	n = FCGX_GetStr(to, (int)max + 1, s->request.in);
	if (n > (int)max) {
		drain(s, DRAIN_MAX);
		return BODY_TOO_LARGE;
	}
	s->input_ended = FCGX_GetError(s->request.in) == 0;
	if (n < 0)
		return BODY_CUT;
	req->body = (struct str){ to, (size_t)n };
	/* Without a length (chunked) the records say where it ends. */
	return req->has_body_length && req->body_length != (uint64_t)n
	    ? BODY_CUT
	    : BODY_WHOLE;
}

/*
 * Read what comes after the parameters.  To an authorizer nothing comes
 * (FastCGI 6.3): to read would be to wait for ever.  But where the client
 * has sent a body, some server might send it after all, so that connection
 * is not kept.
 */
static enum body_state
read_input(struct server *s, struct request *req, enum dk_err err)
{
	s->input_ended = false;
	/* Not the web server: libfcgi is not shown more of it. */
	if (req->stranger) {
		s->request.keepConnection = 0;
		return BODY_NONE;
	}
	if (req->role == REQUEST_AUTHORIZER) {
		if (err != DK_OK || output_may_have_body(req, s->request.envp))
			s->request.keepConnection = 0;
		return BODY_NONE;
	}
	if (err == DK_OK && output_wants_body(req))
		return read_body(s, req);
	drain(s, DRAIN_MAX);
	return BODY_NONE;
}

static bool
send_all(struct server *s, struct str text)
{
	return text.n == 0 ||
	    FCGX_PutStr(text.p, (int)text.n, s->request.out) == (int)text.n;
}

static bool
put_piece(void *arg, struct str piece)
{
	struct server *s = arg;

	watchdog_watch(s->request.ipcFd);
	return send_all(s, piece);
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
	if (!send_all(s, head) || !send_all(s, body) ||
	    !output_file(req, res, s->app->arena, put_piece, s)) {
		drop(s);
		return;
	}
	/* With input unread, a plain close would take the answer along. */
	s->request.detached = s->input_ended;
	FCGX_Finish_r(&s->request);
	watchdog_rest();
	if (s->request.ipcFd >= 0)
		waiting_keep(&s->waiting, s->request.ipcFd);
	s->request.ipcFd = -1;
}

static void
serve_one(struct server *s, bool crowded)
{
	const struct gateway_app *app = s->app;
	enum request_role role = s->request.role == FCGI_AUTHORIZER
	    ? REQUEST_AUTHORIZER
	    : REQUEST_RESPONDER;
	const char *problem = NULL;
	enum body_state body;
	struct response res;
	struct request req;
	enum dk_err err;

	response_init(&res, app->arena);
	err = request_read(
	    &req, role, s->request.envp, app->rules, app->arena, &problem);
	body = read_input(s, &req, err);
	/* It broke off or was aborted: nobody listens, nothing is done. */
	if (FCGX_GetError(s->request.in) != 0) {
		drop(s);
		return;
	}
	if (crowded || body == BODY_TOO_LARGE || body == BODY_CUT ||
	    (role == REQUEST_RESPONDER && !s->input_ended))
		s->request.keepConnection = 0;
	watchdog_rest();
	output_answer(app, &req, &res, err, problem, body);
	answer(s, &req, &res);
	response_close(&res);
}

/* True when a whole set of parameters has come in. */
static bool
take_request(struct server *s, int fd)
{
	int rc;

	watchdog_watch(fd);
	if (!ahead_is_sound(fd, s->app->arena)) {
		watchdog_rest();
		(void)close(fd);
		arena_reset(s->app->arena);
		return false;
	}
	/* libfcgi takes a preset connection for a kept one. */
	s->request.ipcFd = fd;
	s->request.keepConnection = 1;
	s->request.detached = 1;
	rc = FCGX_Accept_r(&s->request);
	if (rc != 0) {
		/* Malformed: libfcgi has closed it and looked for another. */
		watchdog_rest();
		s->request.ipcFd = -1;
		return false;
	}
	s->request.detached = 0;
	/* Cut-off parameters must not run as a request (DK-F-03). */
	if (FCGX_GetError(s->request.in) != 0 ||
	    (s->request.role != FCGI_RESPONDER &&
		s->request.role != FCGI_AUTHORIZER)) {
		drop(s);
		return false;
	}
	return true;
}

static int
serve(struct server *s)
{
	bool crowded;
	int fd;

	for (;;) {
		if (waiting_next(&s->waiting, &fd, &crowded) != DK_OK)
			return 1;
		if (fd < 0)
			return 0;
		if (!take_request(s, fd))
			continue;
		serve_one(s, crowded);
		arena_reset(s->app->arena);
		if (!s->app->idle(s->app->arg))
			return 0;
	}
}

int
gateway_run_fcgi(const struct gateway_app *app, int fd)
{
	struct server s = { .app = app };
	enum dk_err err;
	int status = 1;

	(void)setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", CLOSE_LIMIT_MS, 0);
	/* -1: libfcgi itself has nothing to accept from. */
	if (FCGX_Init() != 0 || FCGX_InitRequest(&s.request, -1, 0) != 0)
		return 1;
	install_signals();
	err = waiting_open(&s.waiting, fd,
	    str_from(request_environment("FCGI_WEB_SERVER_ADDRS")));
	if (err == DK_OK)
		status = serve(&s);
	if (err != DK_OK || status != 0)
		LOG_WRITE(app->log, LOG_LEVEL_ERROR, "listening_failed",
		    { "cause", str_from(err_name(err)) });
	waiting_close(&s.waiting);
	return status;
}
