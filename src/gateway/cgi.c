/* The CGI side (RFC 3875): one process, one request. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/output.h"

enum { READ_LIMIT_MS = 10000, DRAIN_MAX = 2 * 1024 * 1024 };

/* Some bytes of stdin, waiting until `until_ms`; 0 at its end or too late. */
static ssize_t
read_some(char *to, size_t n, int64_t until_ms)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	int64_t left = until_ms - clock_monotonic_ms();
	ssize_t got;

	if (n == 0 || left <= 0 || poll(&p, 1, (int)left) <= 0)
		return 0;
	do
		got = read(STDIN_FILENO, to, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? 0 : got;
}

/* Up to n bytes; fewer when the input ends or stalls. */
static size_t
read_up_to(char *to, size_t n)
{
	int64_t until_ms = clock_monotonic_ms() + READ_LIMIT_MS;
	size_t done = 0;
	ssize_t got = 1;

	while (done < n && got > 0) {
		got = read_some(to + done, n - done, until_ms);
		done += (size_t)got;
	}
	return done;
}

/* A server may hang up on us, answer unread, while it is still sending. */
static void
drain(uint64_t n)
{
	char rest[8192];
	size_t got = 1;

	if (n > DRAIN_MAX)
		n = DRAIN_MAX;
	while (n > 0 && got > 0) {
		got = read_up_to(rest, n < sizeof(rest) ? (size_t)n :
							  sizeof(rest));
		n -= got;
	}
}

/*
 * Exactly CONTENT_LENGTH bytes: the pipe may stay open (RFC 3875 4.2).  Only
 * a chunked request, which has no length, is read to its end.
 */
static enum body_state
read_body(struct request *req, struct arena *arena)
{
	size_t want = REQUEST_BODY_MAX + 1, got;
	char *to;

	if (!output_wants_body(req))
		return BODY_NONE;
	if (!req->has_body_length && !req->chunked) {
		req->body = STR("");
		return BODY_WHOLE;
	}
	if (req->has_body_length && req->body_length > REQUEST_BODY_MAX) {
		drain(req->body_length);
		return BODY_TOO_LARGE;
	}
	if (req->has_body_length)
		want = (size_t)req->body_length;
	to = arena_alloc(arena, want + 1);
	if (to == NULL)
		return BODY_TOO_LARGE;
	got = read_up_to(to, want);
	if (got > REQUEST_BODY_MAX) {
		drain(DRAIN_MAX);
		return BODY_TOO_LARGE;
	}
	req->body = (struct str){ to, got };
	return req->has_body_length && got != want ? BODY_CUT : BODY_WHOLE;
}

static bool
write_all(struct str text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text.n) {
		n = write(STDOUT_FILENO, text.p + done, text.n - done);
		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

int
gateway_run_cgi(const struct gateway_app *app, char *const *envp)
{
	enum body_state body = BODY_NONE;
	const char *problem = NULL;
	struct str head, text;
	struct response res;
	struct request req;
	enum dk_err err;
	bool sent;

	(void)signal(SIGPIPE, SIG_IGN);
	response_init(&res, app->arena);
	err = request_read(&req, REQUEST_RESPONDER, envp, app->rules,
	    app->arena, &problem);
	if (err == DK_OK)
		body = read_body(&req, app->arena);
	output_answer(app, &req, &res, err, problem, body);
	if (output_build(&req, &res, app->arena, &head, &text) != DK_OK)
		return 1;
	sent = write_all(head) && write_all(text);
	arena_reset(app->arena);
	return sent ? 0 : 1;
}
