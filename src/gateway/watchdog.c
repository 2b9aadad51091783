#include "gateway/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/*
 * A signal handler can be told things only through variables of this kind.
 * One process serves one connection at a time, so one set is enough.
 */
static volatile sig_atomic_t watched_fd = -1;
static volatile sig_atomic_t ticks_left;
static volatile sig_atomic_t idle_ticks;
static volatile sig_atomic_t armed;

static void
set_timer(long seconds)
{
	const struct itimerval timer = { .it_interval = { seconds, 0 },
		.it_value = { seconds, 0 } };

	(void)setitimer(ITIMER_REAL, &timer, NULL);
	armed = seconds > 0;
}

static void
tick(int signal_number)
{
	int saved = errno;

	(void)signal_number;
	if (watched_fd >= 0) {
		idle_ticks = 0;
		if (--ticks_left <= 0)
			(void)shutdown(watched_fd, SHUT_RDWR);
	} else if (++idle_ticks > 2) {
		set_timer(0);
	}
	errno = saved;
}

void
watchdog_install(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = tick;
	/* A read that is interrupted goes on: only shutdown ends it. */
	action.sa_flags = SA_RESTART;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGALRM, &action, NULL);
}

void
watchdog_watch(int fd)
{
	ticks_left = WATCHDOG_LIMIT_S;
	watched_fd = fd;
	idle_ticks = 0;
	if (!armed)
		set_timer(1);
}

void
watchdog_rest(void)
{
	watched_fd = -1;
}
