#include "ctl/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/secret.h"

enum { CONFIG_MAX = 8 * 1024 };

/* A quoted value of curl's configuration. */
static void
add_value(struct buf *b, const char *key, struct str value)
{
	size_t i;

	buf_addf(b, "%s = \"", key);
	for (i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_addc(b, '\\');
		if (value.p[i] != '\n' && value.p[i] != '\r')
			buf_addc(b, value.p[i]);
	}
	buf_addz(b, "\"\n");
}

static void
write_config(const struct fetch *f, struct buf *b)
{
	add_value(b, "url", f->url);
	buf_addz(b,
	    "include\nsilent\nshow-error\npath-as-is\nmax-time = 10\n"
	    "globoff\nmax-redirs = 0\n");
	if (f->insecure)
		buf_addz(b, "insecure\n");
	if (!str_is_none(f->cookie))
		add_value(b, "cookie", f->cookie);
	if (!str_is_none(f->header))
		add_value(b, "header", f->header);
	if (!str_is_none(f->json)) {
		add_value(b, "header", STR("Content-Type: application/json"));
		add_value(b, "data", f->json);
	} else {
		/* As a browser asks for a page. */
		add_value(b, "header", STR("Accept: text/html"));
		add_value(b, "header", STR("Sec-Fetch-Mode: navigate"));
	}
}

static _Noreturn void
become_curl(int in, int out)
{
	static char name[] = "curl", q[] = "-q", k[] = "-K", dash[] = "-";
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *const argv[] = { name, q, k, dash, NULL };
	char *const env[] = { path, NULL };
	static const char *const places[] = { "/usr/bin/curl",
		"/usr/local/bin/curl", "/bin/curl" };
	sigset_t none;
	size_t i;

	/* Ctrl-C ends it, whatever its parent puts off. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(127);
	for (i = 0; i < 3; i++)
		(void)execve(places[i], argv, env);
	_exit(127);
}

/* "HTTP/1.1 200" */
static unsigned
status_of(struct str text)
{
	struct str version, rest;
	uint64_t n = 0;

	if (!str_starts(text, STR("HTTP/")) ||
	    !str_split(text, ' ', &version, &rest) ||
	    !str_to_u64(str_sub(rest, 0, 3), 999, &n))
		return 0;
	return (unsigned)n;
}

/* Send the configuration, read all that comes. */
static void
talk(int to, int from, struct str config, struct fetch_answer *a)
{
	size_t n = 0;
	ssize_t got = 1;

	if (write(to, config.p, config.n) != (ssize_t)config.n)
		got = 0;
	(void)close(to);
	while (got > 0 && n < sizeof(a->room)) {
		got = read(from, a->room + n, sizeof(a->room) - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	a->text = (struct str){ a->room, n };
	a->status = status_of(a->text);
}

static enum dk_err
run_curl(struct str config, struct fetch_answer *a)
{
	int in[2], out[2], status = 0;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0)
		return DK_ERR_IO;
	if (pipe2(out, O_CLOEXEC) != 0) {
		(void)close(in[0]);
		(void)close(in[1]);
		return DK_ERR_IO;
	}
	pid = fork();
	if (pid == 0)
		become_curl(in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	if (pid > 0)
		talk(in[1], out[0], config, a);
	else
		(void)close(in[1]);
	(void)close(out[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return DK_ERR_IO;
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? DK_ERR_IO
							       : DK_OK;
}

enum dk_err
fetch(const struct fetch *f, struct fetch_answer *answer)
{
	char text[CONFIG_MAX];
	struct buf config;
	enum dk_err err;

	answer->status = 0;
	answer->text = STR_NONE;
	BUF_OVER(&config, text);
	write_config(f, &config);
	(void)signal(SIGPIPE, SIG_IGN);
	err = buf_ok(&config) ? run_curl(buf_str(&config), answer)
			      : DK_ERR_TOO_LARGE;
	secret_wipe(text, sizeof(text));
	return err;
}

struct str
fetch_header(const struct fetch_answer *answer, struct str name, size_t *from)
{
	struct str rest = str_sub(answer->text, *from, answer->text.n), line;
	struct str key, value;

	while (str_cut(&rest, '\n', &line)) {
		*from = str_is_none(rest) ? answer->text.n
					  : (size_t)(rest.p - answer->text.p);
		if (str_trim(line).n == 0 || str_eq(line, STR("\r")))
			break;
		if (!str_split(line, ':', &key, &value) || !str_ieq(key, name))
			continue;
		value = str_trim(value);
		while (value.n > 0 && value.p[value.n - 1] == '\r')
			value.n--;
		return value;
	}
	return STR_NONE;
}
