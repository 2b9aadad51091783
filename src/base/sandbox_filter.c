/*
 * The system calls that are left (seccomp(2)), as a program of classic BPF by
 * hand: libseccomp would be one more library to load at each CGI start.  What
 * is not named fails with EPERM; what is newer than our list with ENOSYS,
 * which makes a C library take the older way.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#define OUR_ARCH 0
#endif

enum { NEWEST_KNOWN = 462, CODE_MAX = 512 };

static const unsigned short plain_calls[] = {
	/* files; which ones is for Landlock to say */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_preadv,
	SYS_pwritev,
	SYS_close,
	SYS_dup,
	SYS_fstat,
	SYS_newfstatat,
	SYS_statx,
	SYS_lseek,
	SYS_openat,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_fcntl,
	SYS_flock,
	SYS_unlinkat,
	SYS_linkat,
	SYS_renameat,
	SYS_renameat2,
	SYS_mkdirat,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_fchownat,
	SYS_faccessat,
	439,
	SYS_readlinkat,
	SYS_getcwd,
	SYS_getdents64,
	SYS_statfs,
	SYS_fstatfs,
	SYS_umask,
	SYS_utimensat,
	SYS_sendfile,
	SYS_copy_file_range,
	/* connections that come in, and waiting for them */
	SYS_accept,
	SYS_accept4,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_shutdown,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_ppoll,
	SYS_pselect6,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_signalfd4,
	/* memory */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_mlock,
	SYS_mlock2,
	SYS_munlock,
	/* time, signals to ourselves, ending */
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_gettimeofday,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_setitimer,
	SYS_getitimer,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigpending,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
	SYS_futex,
	SYS_set_robust_list,
	/* who we are */
	SYS_getpid,
	SYS_getppid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_uname,
	SYS_sysinfo,
	SYS_getrandom,
	SYS_sched_getaffinity,
	SYS_sched_yield,
	SYS_getrusage,
	SYS_times,
	/* to give up more */
	SYS_seccomp,
	444,
	445,
	446,
#if defined(__x86_64__)
	SYS_stat,
	SYS_lstat,
	SYS_open,
	SYS_unlink,
	SYS_link,
	SYS_rename,
	SYS_mkdir,
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_access,
	SYS_readlink,
	SYS_getdents,
	SYS_poll,
	SYS_select,
	SYS_epoll_create,
	SYS_epoll_wait,
	SYS_signalfd,
	SYS_alarm,
	SYS_pause,
	SYS_time,
	SYS_getpgrp,
	SYS_arch_prctl,
#endif
};

/* The program as it grows; code that does not fit makes it useless. */
struct filter {
	struct sock_filter code[CODE_MAX];
	unsigned short n;
	bool overflow;
};

static void
put(struct filter *f, unsigned short code, unsigned k, unsigned char yes,
    unsigned char no)
{
	f->overflow = f->n == CODE_MAX;
	if (!f->overflow)
		f->code[f->n++] = (struct sock_filter){ code, yes, no, k };
}

static void
put_return(struct filter *f, unsigned action)
{
	put(f, BPF_RET | BPF_K, action, 0, 0);
}

static void
put_load(struct filter *f, size_t offset)
{
	put(f, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

/* The lower half of an argument, where all that we look at is (both
 * architectures are little-endian). */
static void
put_load_argument(struct filter *f, unsigned i)
{
	put_load(f, offsetof(struct seccomp_data, args) + i * sizeof(uint64_t));
}

/* The call nr is allowed; put before all that load something else. */
static void
put_allow(struct filter *f, unsigned nr)
{
	put(f, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
	put_return(f, SECCOMP_RET_ALLOW);
}

#define DENY (SECCOMP_RET_ERRNO | EPERM)

/* Each of these is for one call, is skipped by others, and ends in a return:
 * the number is still loaded for what comes next. */
static void
put_only_argument(struct filter *f, unsigned nr, unsigned i, unsigned value)
{
	put(f, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4);
	put_load_argument(f, i);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	put_return(f, SECCOMP_RET_ALLOW);
	put_return(f, DENY);
}

/* No memory that can be executed; a library's file may be, if late. */
static void
put_no_code(struct filter *f, unsigned nr, bool of_files)
{
	put(f, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, of_files ? 8 : 4);
	put_load_argument(f, 2);
	put(f, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	put_return(f, SECCOMP_RET_ALLOW);
	if (of_files) {
		put(f, BPF_JMP | BPF_JSET | BPF_K, PROT_WRITE, 3, 0);
		put_load_argument(f, 3);
		put(f, BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0);
		put_return(f, SECCOMP_RET_ALLOW);
	}
	put_return(f, DENY);
}

/* socket(2): of the Unix family for datagrams, or what a store needs. */
static void
put_sockets(struct filter *f, const struct sandbox *sb)
{
	if (!sb->syslog && !sb->network)
		return;
	put_allow(f, SYS_connect);
	if (sb->network) {
		put_only_argument(f, SYS_socketpair, 0, AF_UNIX);
		put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 6);
		put_load_argument(f, 0);
		put(f, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 2, 0);
		put(f, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0);
		put(f, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1);
		put_return(f, SECCOMP_RET_ALLOW);
		put_return(f, DENY);
		return;
	}
	put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 7);
	put_load_argument(f, 0);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 4);
	put_load_argument(f, 1);
	put(f, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0); /* without flags */
	put(f, BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1);
	put_return(f, SECCOMP_RET_ALLOW);
	put_return(f, DENY);
}

/* ioctl(2) of a terminal could type into it: two questions are left. */
static void
put_ioctl(struct filter *f)
{
	put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 6);
	put_load_argument(f, 1);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, TCGETS, 2, 0);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, FIONREAD, 1, 0);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, FIONBIO, 0, 1);
	put_return(f, SECCOMP_RET_ALLOW);
	put_return(f, DENY);
}

/* Read limits of our own, set none. */
static void
put_prlimit(struct filter *f)
{
	put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 6);
	put_load_argument(f, 2);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	put_load(f, offsetof(struct seccomp_data, args) + 2 * 8 + 4);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	put_return(f, SECCOMP_RET_ALLOW);
	put_return(f, DENY);
}

static void
build(struct filter *f, const struct sandbox *sb)
{
	unsigned self = (unsigned)getpid();
	size_t i;

	put_load(f, offsetof(struct seccomp_data, arch));
	put(f, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	put_return(f, SECCOMP_RET_KILL_PROCESS);
	put_load(f, offsetof(struct seccomp_data, nr));
	for (i = 0; i < sizeof(plain_calls) / sizeof(plain_calls[0]); i++)
		put_allow(f, plain_calls[i]);
	put_no_code(f, SYS_mmap, sb->libraries);
	put_no_code(f, SYS_mprotect, false);
	put_ioctl(f);
	put_prlimit(f);
	put_only_argument(f, SYS_kill, 0, self);
	put_only_argument(f, SYS_tgkill, 0, self);
	put_only_argument(f, SYS_prctl, 0, PR_SET_NO_NEW_PRIVS);
	put_sockets(f, sb);
	put(f, BPF_JMP | BPF_JGT | BPF_K, NEWEST_KNOWN, 0, 1);
	put_return(f, SECCOMP_RET_ERRNO | ENOSYS);
	put_return(f, DENY);
}

enum dk_err
sandbox_filter(const struct sandbox *sb)
{
	struct filter f = { .n = 0 };
	struct sock_fprog program = { 0, f.code };

	if (OUR_ARCH == 0)
		return DK_ERR_INTERNAL;
	build(&f, sb);
	program.len = f.n;
	if (f.overflow)
		return DK_ERR_INTERNAL;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0
	    ? DK_OK
	    : DK_ERR_INTERNAL;
}
