/*
 * A worker that somebody has taken over: each attempt runs in a process of
 * its own, in the very sandbox of doorkeep.fcgi, and says with which error it
 * failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

enum { NO_SANDBOX = 250, STRANGE = 251 };

static char store_dir[64], other_dir[64], store_file[96], other_file[96];
static int listener = -1, client = -1;
static struct sockaddr_in listening;

/* How a call ended: 0, or its errno. */
static int
outcome(long rc)
{
	return rc >= 0 ? 0 : errno;
}

static void
enter(const struct sandbox *wanted, bool beside_store)
{
	struct sandbox sb = *wanted;
	char text[512];
	struct buf missing;

	BUF_OVER(&missing, text);
	if (beside_store)
		sandbox_allow_beside(&sb, str_from(store_file));
	if (sandbox_enter(&sb, true, &missing) != DK_OK)
		_exit(NO_SANDBOX);
}

/* The attempt's outcome within the sandbox of a FastCGI worker. */
static int
run_in(const struct sandbox *wanted, int (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		enter(wanted, true);
		_exit(attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == NO_SANDBOX)
		fail_msg("this kernel has no Landlock or no seccomp: the test "
			 "needs Linux 5.13 or newer");
	return WEXITSTATUS(status);
}

static int
run(int (*attempt)(void))
{
	const struct sandbox none = { 0 };

	return run_in(&none, attempt);
}

/* ---- what a worker needs --------------------------------------------------
 */
static int
write_beside_the_store(void)
{
	char name[160], new_name[192];
	int fd;

	(void)snprintf(name, sizeof(name), "%s-wal", store_file);
	(void)snprintf(new_name, sizeof(new_name), "%s2", name);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0 ||
	    fsync(fd) != 0 || close(fd) != 0 || rename(name, new_name) != 0 ||
	    link(new_name, name) != 0 || unlink(new_name) != 0 ||
	    unlink(name) != 0)
		return errno;
	fd = open(store_dir, O_RDONLY | O_DIRECTORY);
	return outcome(fd < 0 ? fd : fsync(fd));
}

static int
use_memory_and_time(void)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rlimit limit;

	if (p == MAP_FAILED || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    mprotect(p, 4096, PROT_READ) != 0 || raise(0) != 0 ||
	    munmap(p, 1 << 20) != 0)
		return STRANGE;
	return outcome(alarm(0) > 0 ? -1 : 0);
}

static void
lets_a_worker_do_its_work(void **state)
{
	(void)state;
	assert_int_equal(run(write_beside_the_store), 0);
	assert_int_equal(run(use_memory_and_time), 0);
}

/* ---- files -----------------------------------------------------------------
 */
static int
read_passwd(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}
static int
read_shadow_through_proc(void)
{
	return outcome(open("/proc/self/root/etc/passwd", O_RDONLY));
}
static int
read_own_memory(void)
{
	return outcome(open("/proc/self/mem", O_RDWR));
}
static int
list_root(void)
{
	return outcome(open("/", O_RDONLY | O_DIRECTORY));
}
static int
read_other_file(void)
{
	return outcome(open(other_file, O_RDONLY));
}
static int
truncate_other_file(void)
{
	return outcome(truncate(other_file, 0));
}
static int
remove_other_file(void)
{
	return outcome(unlink(other_file));
}
static int
move_into_the_store(void)
{
	return outcome(rename(other_file, store_file));
}
static int
link_into_the_store(void)
{
	return outcome(link(other_file, store_file));
}
static int
follow_a_link_out(void)
{
	char name[160];

	(void)snprintf(name, sizeof(name), "%s/out", store_dir);
	return outcome(open(name, O_RDONLY));
}
static int
make_a_link(void)
{
	char name[160];

	(void)snprintf(name, sizeof(name), "%s/new", store_dir);
	return outcome(symlink("/etc/passwd", name));
}
static int
make_a_device(void)
{
	char name[160];

	(void)snprintf(name, sizeof(name), "%s/dev", store_dir);
	return outcome(mknod(name, S_IFCHR | 0600, 0x103));
}

/* ---- programs and processes
 * -------------------------------------------------- */
static int
execute(void)
{
	static char name[] = "sh";
	char *const argv[] = { name, NULL };
	char *const envp[] = { NULL };

	return outcome(execve("/bin/sh", argv, envp));
}
static int
execute_descriptor(void)
{
	char *const argv[] = { NULL };

	return outcome(syscall(SYS_execveat, 0, "", argv, argv, 0x1000));
}
static int
start_a_process(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}
static int
trace_the_parent(void)
{
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}
static int
stop_the_parent(void)
{
	return outcome(kill(getppid(), SIGCONT));
}
static int
raise_a_limit(void)
{
	const struct rlimit core = { 1, RLIM_INFINITY };

	return outcome(setrlimit(RLIMIT_CORE, &core));
}
static int
be_dumped(void)
{
	return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static int
run_written_code(void)
{
	return outcome(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		? -1
		: 0);
}
static int
make_memory_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return outcome(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static int
use_a_ring(void)
{
	return outcome(syscall(425 /* io_uring_setup */, 1, NULL));
}
static int
load_a_program_into_the_kernel(void)
{
	return outcome(syscall(SYS_bpf, 0, NULL, 0));
}
static int
become_another(void)
{
	return outcome(setuid(65534));
}

/* ---- the network
 * -------------------------------------------------------------- */
static int
make_a_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}
static int
make_a_unix_socket(void)
{
	return outcome(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int
make_a_datagram_socket(void)
{
	return outcome(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}
static int
make_a_packet_socket(void)
{
	return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}
/* The socket was there before. */
static int
connect_out(void)
{
	return outcome(connect(
	    client, (const struct sockaddr *)&listening, sizeof(listening)));
}
static int
listen_for_others(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	return outcome(bind(client, (struct sockaddr *)&any, sizeof(any)));
}

struct attempt {
	const char *name;
	int (*run)(void);
	int want;
};

#define ATTEMPT(function, error)           \
	{                                  \
#function, function, error \
	}

static void
check_all(const struct attempt *attempts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int got = run(attempts[i].run);

		if (got != attempts[i].want)
			fail_msg("%s: %s", attempts[i].name,
			    got == 0 ? "it worked" : strerror(got));
	}
}

static void
opens_nothing_outside_of_the_store(void **state)
{
	static const struct attempt attempts[] = {
		ATTEMPT(read_passwd, EACCES),
		ATTEMPT(read_shadow_through_proc, EACCES),
		ATTEMPT(read_own_memory, EACCES),
		ATTEMPT(list_root, EACCES),
		ATTEMPT(read_other_file, EACCES),
		ATTEMPT(truncate_other_file, EPERM),
		ATTEMPT(remove_other_file, EACCES),
		ATTEMPT(move_into_the_store, EACCES),
		ATTEMPT(link_into_the_store, EXDEV),
		ATTEMPT(follow_a_link_out, EACCES),
		ATTEMPT(make_a_link, EPERM),
		ATTEMPT(make_a_device, EPERM),
	};

	(void)state;
	check_all(attempts, sizeof(attempts) / sizeof(attempts[0]));
	assert_int_equal(access(other_file, F_OK), 0);
}

static void
starts_and_touches_no_process(void **state)
{
	static const struct attempt attempts[] = {
		ATTEMPT(execute, EPERM),
		ATTEMPT(execute_descriptor, EPERM),
		ATTEMPT(start_a_process, EPERM),
		ATTEMPT(trace_the_parent, EPERM),
		ATTEMPT(stop_the_parent, EPERM),
		ATTEMPT(raise_a_limit, EPERM),
		ATTEMPT(be_dumped, EPERM),
		ATTEMPT(run_written_code, EPERM),
		ATTEMPT(make_memory_code, EPERM),
		ATTEMPT(use_a_ring, EPERM),
		ATTEMPT(load_a_program_into_the_kernel, EPERM),
		ATTEMPT(become_another, EPERM),
	};

	(void)state;
	check_all(attempts, sizeof(attempts) / sizeof(attempts[0]));
}

static void
reaches_no_network(void **state)
{
	static const struct attempt attempts[] = {
		ATTEMPT(make_a_socket, EPERM),
		ATTEMPT(make_a_unix_socket, EPERM),
		ATTEMPT(make_a_datagram_socket, EPERM),
		ATTEMPT(make_a_packet_socket, EPERM),
		ATTEMPT(connect_out, EPERM),
		ATTEMPT(listen_for_others, EPERM),
	};

	(void)state;
	check_all(attempts, sizeof(attempts) / sizeof(attempts[0]));
}

/* syslog(3) connects again when its daemon was restarted. */
static void
keeps_the_way_to_syslog_where_it_is_used(void **state)
{
	const struct sandbox sb = { .syslog = true };

	(void)state;
	assert_int_equal(run_in(&sb, make_a_datagram_socket), 0);
	assert_int_equal(run_in(&sb, make_a_unix_socket), EPERM);
	assert_int_equal(run_in(&sb, make_a_socket), EPERM);
	/* The filter cannot see where to; Landlock can for TCP (6.7). */
	assert_int_not_equal(run_in(&sb, connect_out), 0);
}

static void
keeps_the_way_to_a_store_on_the_network(void **state)
{
	struct sandbox sb = { 0 };

	(void)state;
	sandbox_allow_network(&sb);
	assert_int_equal(run_in(&sb, connect_out), 0);
	assert_int_equal(run_in(&sb, make_a_packet_socket), EPERM);
	assert_int_equal(run_in(&sb, execute), EPERM);
	assert_int_equal(run_in(&sb, read_passwd), EACCES);
}

static int
load_a_library(void)
{
	return dlopen("libz.so.1", RTLD_NOW) == NULL &&
		dlopen("libsqlite3.so.0", RTLD_NOW) == NULL
	    ? STRANGE
	    : 0;
}

static void
loads_libraries_only_where_asked_for(void **state)
{
	struct sandbox late = { 0 };

	(void)state;
	assert_int_equal(run(load_a_library), STRANGE);
	sandbox_allow_libraries(&late);
	assert_int_equal(run_in(&late, load_a_library), 0);
	assert_int_equal(run_in(&late, run_written_code), EPERM);
	assert_int_equal(run_in(&late, make_memory_code), EPERM);
}

/* ---- a store that is away
 * ------------------------------------------------------ */
static int
wait_for_the_store(void)
{
	char text[512], late[128], file[160], moved[160];
	struct sandbox sb = { 0 };
	struct buf missing;

	BUF_OVER(&missing, text);
	(void)snprintf(late, sizeof(late), "%s/late", other_dir);
	(void)snprintf(file, sizeof(file), "%s/store.db", late);
	(void)snprintf(moved, sizeof(moved), "%s/moved", other_dir);
	sandbox_allow_beside(&sb, str_from(file));
	if (sandbox_enter(&sb, true, &missing) != DK_OK ||
	    sandbox_is_whole(&sb) || execute() != EPERM)
		return 1;
	if (mkdir(late, 0700) != 0 ||
	    sandbox_enter(&sb, true, &missing) != DK_OK ||
	    !sandbox_is_whole(&sb))
		return 2;
	if (read_passwd() != EACCES || open(file, O_RDWR | O_CREAT, 0600) < 0 ||
	    sandbox_is_outdated(&sb))
		return 3;
	return missing.len == 0 ? 0 : 4;
}

/* Marker files: places are made, and files in them, there alone. */
static int
use_a_tree(void)
{
	char text[512], tree[128], place[160], file[200], outside[160];
	struct sandbox sb = { 0 };
	struct buf missing;

	BUF_OVER(&missing, text);
	(void)snprintf(tree, sizeof(tree), "%s/tree", other_dir);
	(void)snprintf(place, sizeof(place), "%s/any", tree);
	(void)snprintf(file, sizeof(file), "%s/marker", place);
	(void)snprintf(outside, sizeof(outside), "%s/outside", other_dir);
	if (mkdir(tree, 0700) != 0)
		return 1;
	sandbox_allow_tree(&sb, str_from(tree));
	if (sandbox_enter(&sb, true, &missing) != DK_OK)
		return 2;
	if (mkdir(place, 0700) != 0 ||
	    open(file, O_CREAT | O_EXCL | O_WRONLY, 0600) < 0 || dup(0) < 0 ||
	    unlink(file) != 0)
		return 3;
	return mkdir(outside, 0700) != -1 || errno != EACCES ? 4 : 0;
}

static int
tidy_a_tree(int result)
{
	char place[160], tree[128];

	(void)snprintf(place, sizeof(place), "%s/tree/any", other_dir);
	(void)snprintf(tree, sizeof(tree), "%s/tree", other_dir);
	(void)rmdir(place);
	return rmdir(tree) == 0 ? result : 99;
}

static void
makes_directories_in_a_tree_alone(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(use_a_tree());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(tidy_a_tree(
			     WIFEXITED(status) ? WEXITSTATUS(status) : -1), 0);
}

static void
waits_with_landlock_for_a_store_that_is_away(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(wait_for_the_store());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

static void
notices_another_directory_in_place_of_the_store(void **state)
{
	char dir[128], file[160], away[160];
	struct sandbox sb = { 0 };

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/here", other_dir);
	(void)snprintf(file, sizeof(file), "%s/store.db", dir);
	(void)snprintf(away, sizeof(away), "%s/away", other_dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	sandbox_allow_beside(&sb, str_from(file));
	/* As sandbox_enter leaves it. */
	sb.fenced = true;
	{
		struct stat st;

		assert_int_equal(stat(dir, &st), 0);
		sb.path[0].dev = st.st_dev;
		sb.path[0].ino = st.st_ino;
	}
	assert_false(sandbox_is_outdated(&sb));
	assert_int_equal(rename(dir, away), 0);
	assert_false(sandbox_is_outdated(&sb)); /* it may come back */
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true(sandbox_is_outdated(&sb));
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(rmdir(away), 0);
}

static void
allows_what_a_link_leads_to(void **state)
{
	char link_name[128], target[160];
	struct sandbox sb = { 0 };

	(void)state;
	(void)snprintf(link_name, sizeof(link_name), "%s/link.db", other_dir);
	(void)snprintf(target, sizeof(target), "%s/real.db", store_dir);
	assert_true(close(open(target, O_CREAT | O_WRONLY, 0600)) == 0);
	assert_int_equal(symlink(target, link_name), 0);
	sandbox_allow_beside(&sb, str_from(link_name));
	assert_int_equal(sb.n_paths, 2);
	assert_int_equal(unlink(link_name), 0);
	assert_int_equal(unlink(target), 0);
	/* And none that does not fit is let in cut off. */
	sb = (struct sandbox){ 0 };
	{
		static char longest[SANDBOX_PATH_LEN_MAX + 1];

		memset(longest, '/', SANDBOX_PATH_LEN_MAX);
		sandbox_allow_read(&sb, str_from(longest));
	}
	assert_int_equal(sb.n_paths, 0);
}

static int
set_up(void **state)
{
	socklen_t len = sizeof(listening);
	char name[128];

	(void)state;
	strcpy(store_dir, "/tmp/doorkeep-sandbox-XXXXXX");
	strcpy(other_dir, "/tmp/doorkeep-outside-XXXXXX");
	assert_non_null(mkdtemp(store_dir));
	assert_non_null(mkdtemp(other_dir));
	(void)snprintf(store_file, sizeof(store_file), "%s/s.db", store_dir);
	(void)snprintf(other_file, sizeof(other_file), "%s/file", other_dir);
	(void)snprintf(name, sizeof(name), "%s/out", store_dir);
	assert_true(close(open(other_file, O_CREAT | O_WRONLY, 0600)) == 0);
	assert_int_equal(symlink(other_file, name), 0);
	listening.sin_family = AF_INET;
	listening.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&listening, len), 0);
	assert_int_equal(listen(listener, 4), 0);
	return getsockname(listener, (struct sockaddr *)&listening, &len);
}

static int
tear_down(void **state)
{
	char command[256];
	const char *const names[] = { "out" };

	(void)state;
	(void)snprintf(command, sizeof(command), "%s/%s", store_dir, names[0]);
	(void)unlink(command);
	(void)rmdir(store_dir);
	(void)snprintf(command, sizeof(command), "%s/late/store.db", other_dir);
	(void)unlink(command);
	(void)snprintf(command, sizeof(command), "%s/late", other_dir);
	(void)rmdir(command);
	(void)unlink(other_file);
	(void)rmdir(other_dir);
	(void)close(listener);
	return close(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_a_worker_do_its_work),
		cmocka_unit_test(opens_nothing_outside_of_the_store),
		cmocka_unit_test(starts_and_touches_no_process),
		cmocka_unit_test(reaches_no_network),
		cmocka_unit_test(keeps_the_way_to_syslog_where_it_is_used),
		cmocka_unit_test(keeps_the_way_to_a_store_on_the_network),
		cmocka_unit_test(loads_libraries_only_where_asked_for),
		cmocka_unit_test(makes_directories_in_a_tree_alone),
		cmocka_unit_test(waits_with_landlock_for_a_store_that_is_away),
		cmocka_unit_test(
		    notices_another_directory_in_place_of_the_store),
		cmocka_unit_test(allows_what_a_link_leads_to),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
