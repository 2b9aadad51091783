/* The CGI side (RFC 3875): one process, one request. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/output.h"

enum {
	READ_LIMIT_MS = 10000,
	OTHERS_LIMIT_MS = 3000, /* a body that may have been thrown away */
	DRAIN_MAX = 16 * 1024 * 1024, /* of a body that is too large */
	/* Nobody waits longer for a page; the store and a hash are slow. */
	PROCESS_LIMIT_S = 60
};

/* stdin, and until when we wait for it. */
struct input {
	int64_t until_ms; /* monotonic */
};

/* Some bytes; 0 at the end of the input, or when it comes too late. */
static size_t
read_some(const struct input *in, char *to, size_t n)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	int64_t left = in->until_ms - clock_monotonic_ms();
	ssize_t got;

	if (n == 0 || poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
		return 0;
	do
		got = read(STDIN_FILENO, to, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? 0 : (size_t)got;
}

/* Up to n bytes; fewer when the input ends or stalls. */
static size_t
read_up_to(const struct input *in, char *to, size_t n)
{
	size_t done = 0, got = 1;

	while (done < n && got > 0) {
		got = read_some(in, to + done, n - done);
		done += got;
	}
	return done;
}

/* A server may hang up on us, answer unread, while it is still sending. */
static void
drain(const struct input *in, uint64_t n)
{
	char rest[8192];
	size_t got = 1;

	if (n > DRAIN_MAX)
		n = DRAIN_MAX;
	while (n > 0 && got > 0) {
		got = read_up_to(
		    in, rest, n < sizeof(rest) ? (size_t)n : sizeof(rest));
		n -= got;
	}
}

/*
 * Exactly CONTENT_LENGTH bytes: the pipe may stay open (RFC 3875 4.2).  Only
 * a chunked request, which has no length, is read to its end.
 */
static enum body_state
read_body(const struct input *in, struct request *req, struct arena *arena)
{
	size_t max = request_body_max(req), want = max + 1, got;
	char *to;

	if (!req->has_body_length && !req->chunked) {
		req->body = STR("");
		return BODY_WHOLE;
	}
	if (req->has_body_length && req->body_length > max) {
		drain(in, req->body_length);
		return BODY_TOO_LARGE;
	}
	if (req->has_body_length)
		want = (size_t)req->body_length;
	to = arena_alloc(arena, want + 1);
	if (to == NULL)
		return BODY_TOO_LARGE;
	got = read_up_to(in, to, want);
	if (got > max) {
		drain(in, DRAIN_MAX);
		return BODY_TOO_LARGE;
	}
	req->body = (struct str){ to, got };
	return req->has_body_length && got != want ? BODY_CUT : BODY_WHOLE;
}

/*
 * Read what the request announces.  A GET with a length has that of another
 * request (ErrorDocument); mod_cgi and mod_cgid hand on its body too.  Of a
 * refused request it may be missing: then only what is there is taken.
 */
static enum body_state
read_input(struct request *req, struct arena *arena, enum dk_err err)
{
	struct input in = { clock_monotonic_ms() + READ_LIMIT_MS };

	if (err == DK_OK && request_is_safe(req) && output_wants_body(req))
		in.until_ms += OTHERS_LIMIT_MS - READ_LIMIT_MS;
	if (err == DK_OK && output_wants_body(req))
		return read_body(&in, req, arena);
	if (err != DK_OK || request_is_safe(req))
		in.until_ms = 0;
	drain(
	    &in, err == DK_OK && !req->chunked ? req->body_length : DRAIN_MAX);
	return BODY_NONE;
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

/* A file may take its time, as long as it goes on. */
static bool
put_piece(void *arg, struct str piece)
{
	(void)arg;
	(void)alarm(PROCESS_LIMIT_S);
	return write_all(piece);
}

/*
 * Nobody waits for what we do next: the server sees the end of the answer.
 * Its number is taken by a copy of stdin, or the store might get it.
 */
static void
end_output(void)
{
	int taken;

	(void)close(STDOUT_FILENO);
	taken = dup(STDIN_FILENO);
	(void)taken;
}

int
gateway_run_cgi(const struct gateway_app *app, char *const *envp)
{
	const char *problem = NULL;
	enum body_state body;
	struct str head, text;
	struct response res;
	struct request req;
	enum dk_err err;
	bool sent;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(PROCESS_LIMIT_S);
	response_init(&res, app->arena);
	err = request_read(
	    &req, REQUEST_RESPONDER, envp, app->rules, app->arena, &problem);
	body = read_input(&req, app->arena, err);
	output_answer(app, &req, &res, err, problem, body);
	if (output_build(&req, &res, app->arena, &head, &text) != DK_OK)
		return 1;
	sent = write_all(head) && write_all(text) &&
	    output_file(&req, &res, app->arena, put_piece, NULL);
	response_close(&res);
	if (sent)
		end_output();
	arena_reset(app->arena);
	(void)app->idle(app->arg);
	return sent ? 0 : 1;
}
