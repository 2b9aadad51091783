/*
 * FastCGI records as they come from a socket: the input is what a peer writes
 * to a connection and then closes.  The gateway serves it with libfcgi, in
 * this very thread, and after it a request that is in order, which must get
 * its answer whatever came before.  What libfcgi cannot tell apart must not
 * gain anything: no more requests run than the input begins (no body becomes
 * one), and all that is answered are whole streams that begin with Status:.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/secret.h"
#include "gateway/gateway.h"

enum {
	INPUT_MAX = 32 * 1024,
	ANSWER_MAX = 512 * 1024,
	HEADER_LEN = 8,
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	STDOUT = 6
};

/* Role responder, id 1; the parameters; no body. */
static const char in_order[] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"
			       "\1\4\0\1\0\077\0\0"
			       "\16\3REQUEST_METHODGET"
			       "\13\11REQUEST_URI/auth/end"
			       "\13\11REMOTE_ADDR192.0.2.1"
			       "\1\4\0\1\0\0\0\0"
			       "\1\5\0\1\0\0\0\0";

/*
 * libfcgi forgets 48 bytes at each management record of a type that it does
 * not know; only the web server can send one.  For LeakSanitizer.
 */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(
    void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfcgi.so\n";
}

struct server {
	struct arena arena;
	struct log log;
	struct request_rules rules;
	struct gateway_app app;
	int listener;
	struct sockaddr_un address;
	socklen_t address_len;
	unsigned asked, last; /* requests that ran; those in order */
};

static void
need(bool holds, const char *what)
{
	if (!holds) {
		(void)fprintf(stderr, "fuzz_fcgi: %s\n", what);
		abort();
	}
}

static void
handle(void *arg, struct request *req, struct response *res)
{
	struct server *s = arg;

	s->asked++;
	if (str_eq(req->route, STR("/end")))
		s->last++;
	need(req->body.n <= request_body_max(req), "a body above its limit");
	need(!req->has_body_length || str_is_none(req->body) ||
		req->body_length == req->body.n || !str_is_none(req->wanted),
	    "a body that is not as long as was said");
	response_start(res, 200, STR("text/plain"));
	buf_addf(&res->body, "%zu", req->body.n);
}

static void
fail(void *arg, struct request *req, struct response *res, unsigned status,
    const char *problem)
{
	struct server *s = arg;

	(void)req, (void)problem;
	s->asked++;
	response_start(res, status, STR("text/plain"));
}

/* The worker ends after the request that is in order. */
static bool
idle(void *arg)
{
	const struct server *s = arg;

	return s->last == 0;
}

static struct server *
open_server(void)
{
	static struct server s;

	if (s.listener != 0)
		return &s;
	need(secret_init() == DK_OK, "libsodium");
	need(arena_open(&s.arena, 512 * 1024) == DK_OK, "no memory");
	log_open(&s.log, LOG_TO_STDERR, LOG_AS_TEXT);
	s.log.least = LOG_LEVEL_ERROR + 1;
	s.rules.mount = STR("/auth");
	s.app = (struct gateway_app){ .arg = &s,
		.rules = &s.rules,
		.arena = &s.arena,
		.log = &s.log,
		.handle = handle,
		.fail = fail,
		.idle = idle };
	/* In no file system: the name begins with NUL. */
	s.address.sun_family = AF_UNIX;
	(void)snprintf(s.address.sun_path + 1, sizeof(s.address.sun_path) - 1,
	    "doorkeep-fuzz-%ld", (long)getpid());
	s.address_len = (socklen_t)(sizeof(sa_family_t) + 1 +
	    strlen(s.address.sun_path + 1));
	s.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(s.listener > 0 &&
		bind(s.listener, (const struct sockaddr *)&s.address,
		    s.address_len) == 0 &&
		listen(s.listener, 8) == 0,
	    strerror(errno));
	return &s;
}

/* A connection with all that the peer has to say. */
static int
say(struct server *s, const void *p, size_t n)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(fd >= 0 &&
		connect(fd, (const struct sockaddr *)&s->address,
		    s->address_len) == 0,
	    strerror(errno));
	need(send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n, "a short write");
	(void)shutdown(fd, SHUT_WR);
	return fd;
}

/* A connection that the worker did not come to. */
static void
forget_waiting(struct server *s)
{
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0)
		(void)close(fd);
}

static size_t
hear(int fd, unsigned char *to)
{
	size_t n = 0;
	ssize_t got = 1;

	while (got > 0 && n < ANSWER_MAX) {
		got = recv(fd, to + n, ANSWER_MAX - n, 0);
		n += got > 0 ? (size_t)got : 0;
	}
	(void)close(fd);
	return n;
}

/* How many requests the records of the input begin. */
static unsigned
count_begun(const unsigned char *p, size_t n)
{
	unsigned begun = 0;
	size_t at = 0;

	while (at + HEADER_LEN <= n) {
		size_t len = (size_t)p[at + 4] << 8 | p[at + 5];

		begun += p[at + 1] == BEGIN_REQUEST;
		at += HEADER_LEN + len + p[at + 6];
	}
	return begun;
}

/* Whole records, each answer's stream begun by Status:; how many ended. */
static unsigned
read_answers(const unsigned char *p, size_t n)
{
	unsigned ended = 0;
	bool within = false;
	size_t at = 0;

	while (at + HEADER_LEN <= n) {
		const unsigned char *record = p + at;
		size_t len = (size_t)record[4] << 8 | record[5];

		need(record[0] == 1, "a record of another version");
		at += HEADER_LEN + len + record[6];
		need(at <= n, "a record that breaks off");
		if (record[1] == END_REQUEST) {
			ended++;
			within = false;
		} else if (record[1] == STDOUT && len > 0 && !within) {
			need(len >= 8 &&
				memcmp(record + HEADER_LEN, "Status: ", 8) == 0,
			    "an answer without Status:");
			within = true;
		}
	}
	need(at == n, "the end of a record is missing");
	return ended;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char answer[ANSWER_MAX];
	struct server *s = open_server();
	int first, second;
	size_t n;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	s->asked = s->last = 0;
	first = say(s, data, size);
	second = say(s, in_order, sizeof(in_order) - 1);
	need(gateway_run_fcgi(&s->app, s->listener) == 0,
	    "the worker ends with an error");
	forget_waiting(s);
	n = hear(first, answer);
	need(read_answers(answer, n) <= count_begun(data, size),
	    "more answers than requests");
	n = hear(second, answer);
	need(s->asked <= count_begun(data, size) + 1,
	    "more requests ran than were begun");
	/* The input may have asked for the end itself. */
	need(n > 0 || s->last > 0, "the request in order has no answer");
	need(n == 0 || read_answers(answer, n) == 1,
	    "the request in order has another answer");
	return 0;
}
