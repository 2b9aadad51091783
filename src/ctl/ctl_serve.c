/*
 * doorkeep serve: keep workers running on one socket.  The socket stays with
 * this process, so that whatever happens to a worker, nobody is turned away:
 * who connects meanwhile waits in the queue of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/listen.h"

enum {
	WORKERS_MAX = 256,
	ENVIRONMENT_MAX = 512,
	HEALTHY_MS = 1000, /* who lives as long is no failed start */
	BACK_OFF_FIRST_MS = 100,
	BACK_OFF_MAX_MS = 800,
	FINISH_MS = 30000, /* for requests under way */
	FAILED_STARTS_MAX = 3
};

struct worker {
	pid_t pid;			 /* 0: none */
	int64_t started_ms, start_at_ms; /* monotonic */
	unsigned quick_deaths;
	unsigned failed_starts; /* ended by itself, and at once */
};

struct server {
	struct ctl *ctl;
	struct listener listener;
	char program[CTL_PATH_MAX];
	char config[CTL_PATH_MAX + 32];
	char *environment[ENVIRONMENT_MAX];
	struct worker worker[WORKERS_MAX];
	size_t n;
	pid_t leaving[2 * WORKERS_MAX]; /* told to finish */
	size_t n_leaving;
	bool stopping, ever_healthy;
	sigset_t signals, before;
};

/* ---- a worker
 * ---------------------------------------------------------------- */
static _Noreturn void
become_worker(const struct server *s, pid_t parent)
{
	static char name[] = "doorkeep.fcgi";
	char *const argv[] = { name, NULL };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* A worker does not outlive this process, however it ends. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	(void)sigprocmask(SIG_SETMASK, &s->before, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(s->listener.fd, STDIN_FILENO) < 0 || null < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	(void)execve(s->program, argv, s->environment);
	_exit(127);
}

static void
start_worker(struct server *s, struct worker *w)
{
	pid_t parent = getpid(), pid = fork();

	w->started_ms = clock_monotonic_ms();
	if (pid == 0)
		become_worker(s, parent);
	w->pid = pid > 0 ? pid : 0;
	w->start_at_ms = pid > 0 ? 0 : w->started_ms + BACK_OFF_MAX_MS;
}

static void
note(struct server *s, enum log_level level, const char *event, pid_t pid,
    const char *detail)
{
	char text[32];
	struct buf b;

	BUF_OVER(&b, text);
	if (pid > 0)
		buf_addf(&b, "%ld", (long)pid);
	LOG_WRITE(&s->ctl->log, level, event,
	    { "pid", pid > 0 ? buf_str(&b) : STR_NONE },
	    { "detail", str_from(detail) });
}

/* How a worker ended, in words. */
static void
describe(int status, struct buf *b)
{
	if (WIFSIGNALED(status))
		buf_addf(b, "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		buf_addz(b, "the program cannot be executed");
	else
		buf_addf(b, "exit status %d", WEXITSTATUS(status));
}

static void
worker_ended(struct server *s, struct worker *w, int status)
{
	int64_t now = clock_monotonic_ms(), delay = 0;
	bool quick = now - w->started_ms < HEALTHY_MS;
	char text[64];
	struct buf b;

	BUF_OVER(&b, text);
	describe(status, &b);
	note(s, LOG_LEVEL_WARNING, "worker_ended", w->pid, buf_z(&b));
	s->ever_healthy |= !quick;
	w->failed_starts =
	    quick && WIFEXITED(status) ? w->failed_starts + 1 : 0;
	w->quick_deaths = quick ? w->quick_deaths + 1 : 0;
	if (w->quick_deaths > 0) {
		delay = BACK_OFF_FIRST_MS;
		delay <<= w->quick_deaths < 8 ? w->quick_deaths - 1 : 7;
	}
	w->pid = 0;
	w->start_at_ms =
	    now + (delay < BACK_OFF_MAX_MS ? delay : BACK_OFF_MAX_MS);
}

static void
reap(struct server *s)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < s->n; i++)
			if (s->worker[i].pid == pid)
				worker_ended(s, &s->worker[i], status);
		for (i = 0; i < s->n_leaving; i++)
			if (s->leaving[i] == pid)
				s->leaving[i--] = s->leaving[--s->n_leaving];
	}
}

/* ---- signals
 * -------------------------------------------------------------------- */
static void
send_away(struct server *s, struct worker *w)
{
	if (w->pid <= 0)
		return;
	(void)kill(w->pid, SIGTERM);
	if (s->n_leaving < sizeof(s->leaving) / sizeof(s->leaving[0]))
		s->leaving[s->n_leaving++] = w->pid;
	w->pid = 0;
}

/*
 * New workers read the new configuration; the old ones finish what they are
 * at.  A wrong configuration changes nothing.
 */
static void
reload(struct server *s)
{
	char text[CTL_MESSAGE_MAX];
	struct arena arena = { 0 };
	static struct conf conf;
	struct buf message;
	size_t i;

	BUF_OVER(&message, text);
	if (arena_open(&arena, s->ctl->arena.size) != DK_OK)
		return;
	if (conf_load(buf_str(&s->ctl->config_file), &arena, &conf, &message) !=
	    DK_OK) {
		note(s, LOG_LEVEL_ERROR, "configuration_refused", 0,
		    buf_z(&message));
	} else {
		note(s, LOG_LEVEL_INFO, "configuration_read", 0, NULL);
		for (i = 0; i < s->n; i++) {
			send_away(s, &s->worker[i]);
			s->worker[i].quick_deaths = 0;
			start_worker(s, &s->worker[i]);
		}
	}
	arena_close(&arena);
}

static void
handle_signal(struct server *s, int signal)
{
	if (signal == SIGHUP)
		reload(s);
	if (signal == SIGTERM || signal == SIGINT)
		s->stopping = true;
}

/* Until the next signal, or until a worker is due. */
static void
wait_for_signal(struct server *s, int64_t until_ms)
{
	int64_t left = until_ms - clock_monotonic_ms();
	struct timespec t;
	int signal;

	left = left < 0 ? 0 : left;
	t.tv_sec = (time_t)(left / 1000);
	t.tv_nsec = (long)(left % 1000) * 1000000L;
	signal = sigtimedwait(&s->signals, NULL, &t);
	if (signal > 0)
		handle_signal(s, signal);
	reap(s);
}

/* ---- the whole
 * --------------------------------------------------------------------- */
/* No worker has ever come to life: it is not worth going on. */
static bool
is_hopeless(const struct server *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->worker[i].failed_starts < FAILED_STARTS_MAX)
			return false;
	return !s->ever_healthy;
}

static void
finish(struct server *s)
{
	int64_t until = clock_monotonic_ms() + FINISH_MS;
	size_t i;

	for (i = 0; i < s->n; i++)
		send_away(s, &s->worker[i]);
	while (s->n_leaving > 0 && clock_monotonic_ms() < until)
		wait_for_signal(s, until);
	for (i = 0; i < s->n_leaving; i++)
		(void)kill(s->leaving[i], SIGKILL);
}

static enum ctl_exit
supervise(struct server *s)
{
	int64_t now, next;
	size_t i;

	while (!s->stopping && !is_hopeless(s)) {
		now = clock_monotonic_ms();
		next = now + 3600000;
		for (i = 0; i < s->n; i++) {
			struct worker *w = &s->worker[i];

			if (w->pid == 0 && w->start_at_ms <= now)
				start_worker(s, w);
			if (w->pid == 0 && w->start_at_ms < next)
				next = w->start_at_ms;
		}
		wait_for_signal(s, next);
	}
	if (s->stopping) {
		finish(s);
		note(s, LOG_LEVEL_INFO, "serve_stopped", 0, NULL);
		return CTL_DONE;
	}
	finish(s);
	return ctl_fail(
	    "%s does not start; its own message stands above", s->program);
}

/* ---- making ready
 * --------------------------------------------------------------------- */
static enum ctl_exit
find_program(struct server *s)
{
	struct str given = ctl_value(s->ctl, "program");
	struct buf b;

	buf_init(&b, s->program, sizeof(s->program));
	if (given.n > 0)
		buf_add(&b, given);
	else
		ctl_find_worker(&b);
	if (!buf_ok(&b) || access(buf_z(&b), X_OK) != 0)
		return ctl_fail("%s: %s; name the worker with --program",
		    buf_z(&b), strerror(errno));
	return CTL_DONE;
}

/*
 * What the workers get: our own environment less what is not theirs, and the
 * configuration that this process has checked.
 */
static enum ctl_exit
make_environment(struct server *s)
{
	static const char *const dropped[] = { "DOORKEEP_CONFIG=",
		"LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=",
		"HTTP_PROXY=" };
	const size_t n_dropped = sizeof(dropped) / sizeof(dropped[0]);
	char *const *e;
	struct buf b;
	size_t i, n = 0;

	BUF_OVER(&b, s->config);
	buf_addf(&b, "DOORKEEP_CONFIG=%s", buf_z(&s->ctl->config_file));
	s->environment[n++] = s->config;
	for (e = s->ctl->envp; *e != NULL && n < ENVIRONMENT_MAX - 1; e++) {
		for (i = 0; i < n_dropped; i++)
			if (str_starts(str_from(*e), str_from(dropped[i])))
				break;
		if (i == n_dropped)
			s->environment[n++] = *e;
	}
	s->environment[n] = NULL;
	return buf_ok(&b) && *e == NULL
	    ? CTL_DONE
	    : ctl_fail("the environment is too large");
}

static enum ctl_exit
count_workers(struct server *s)
{
	struct str given = ctl_value(s->ctl, "workers");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t n;

	/* However many hash passwords or wait for it, some are left. */
	n = (uint64_t)s->ctl->conf.max_parallel_hashes +
	    domain_hash_queue(&s->ctl->conf) +
	    (cores > 2 ? (uint64_t)cores : 2);
	if (!str_is_none(given) &&
	    (!str_to_u64(given, WORKERS_MAX, &n) || n == 0))
		return ctl_misuse(
		    s->ctl, "--workers is a number from 1 to %d", WORKERS_MAX);
	s->n = n < WORKERS_MAX ? (size_t)n : WORKERS_MAX;
	return CTL_DONE;
}

static enum ctl_exit
open_listener(struct server *s)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;
	enum dk_err err;

	if (!ctl_has(s->ctl, "listen"))
		return ctl_misuse(s->ctl, "--listen is missing");
	BUF_OVER(&message, text);
	err =
	    listener_open(&s->listener, ctl_value(s->ctl, "listen"), &message);
	if (err == DK_ERR_INPUT)
		return ctl_misuse(s->ctl, "%s", buf_z(&message));
	if (err != DK_OK)
		return ctl_fail("%s", buf_z(&message));
	if (s->listener.tcp && s->ctl->conf.shared_secret.n == 0)
		note(s, LOG_LEVEL_WARNING, "anybody_may_connect", 0,
		    "every local user can pose as the web server; set "
		    "[fastcgi] shared_secret, or listen on unix:PATH");
	return CTL_DONE;
}

static void
take_signals(struct server *s)
{
	/* A log that nobody reads any more stops nobody (DK-E-07). */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&s->signals);
	(void)sigaddset(&s->signals, SIGCHLD);
	(void)sigaddset(&s->signals, SIGTERM);
	(void)sigaddset(&s->signals, SIGINT);
	(void)sigaddset(&s->signals, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &s->signals, &s->before);
}

enum ctl_exit
ctl_serve(struct ctl *ctl)
{
	static struct server s;
	enum ctl_exit e;

	s.ctl = ctl;
	s.listener.fd = -1;
	/* A service writes its log, whatever the command line keeps back. */
	log_open(&ctl->log, ctl->conf.log_destination, ctl->conf.log_format);
	e = count_workers(&s);
	if (e == CTL_DONE)
		e = find_program(&s);
	if (e == CTL_DONE)
		e = make_environment(&s);
	if (e != CTL_DONE)
		return e;
	take_signals(&s);
	e = open_listener(&s);
	if (e == CTL_DONE) {
		note(&s, LOG_LEVEL_INFO, "serve_started", getpid(), NULL);
		e = supervise(&s);
	}
	listener_close(&s.listener);
	return e;
}
