/*
 * spawn TIMES PROGRAM: start a CGI program again and again, in the
 * environment that spawn itself has, its answer thrown away.  Prints one line
 * for each: microseconds of the clock, and of the processor.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long
us_of(const struct timeval *t)
{
	return (long long)t->tv_sec * 1000000 + t->tv_usec;
}

static long long
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int
main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	long times = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

	if (times <= 0) {
		(void)fputs("usage: spawn TIMES PROGRAM\n", stderr);
		return 2;
	}
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(
	    &files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(
	    &files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	while (times-- > 0) {
		char *const child_argv[] = { argv[2], NULL };
		long long start = now_us();
		struct rusage used;
		int status;
		pid_t pid;

		if (posix_spawn(&pid, argv[2], &files, NULL, child_argv,
			environ) != 0 ||
		    wait4(pid, &status, 0, &used) != pid || status != 0) {
			(void)fprintf(stderr, "spawn: %s failed\n", argv[2]);
			return 1;
		}
		(void)printf("%lld %lld\n", now_us() - start,
		    us_of(&used.ru_utime) + us_of(&used.ru_stime));
	}
	return 0;
}
