#include "fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "domain/slots.h"

static struct hash_slots
open_slots(struct stand *s, unsigned running, unsigned waiting)
{
	struct hash_slots slots;
	char file[128];

	(void)stand_own_file(s, "-hash", file);
	assert_int_equal(
	    slots_open(&slots, str_from(file), running, waiting), DK_OK);
	return slots;
}

/* DK-P-08 */
static void
gives_as_many_as_there_are(void **state)
{
	struct hash_slots a = open_slots(*state, 2, 0),
			  b = open_slots(*state, 2, 0),
			  c = open_slots(*state, 2, 0);
	struct hash_slot x, y, z;

	assert_int_equal(slots_take(&a, 0, &x), DK_OK);
	assert_int_equal(slots_take(&b, 0, &y), DK_OK);
	assert_int_not_equal(x.slot, y.slot);
	assert_int_equal(slots_take(&c, 0, &z), DK_ERR_BUSY);
	assert_int_equal(z.slot, -1);
	slots_give(&a, &x);
	assert_int_equal(x.slot, -1);
	assert_int_equal(slots_take(&c, 0, &z), DK_OK);
	slots_give(&c, &z);
	slots_give(&c, &z); /* harmless twice */
	slots_give(&b, &y);
	slots_close(&a);
	slots_close(&b);
	slots_close(&c);
}

/* DK-P-08: the wait is bounded, and taken only when there is a place. */
static void
waits_no_longer_than_it_may(void **state)
{
	struct hash_slots a = open_slots(*state, 1, 1),
			  b = open_slots(*state, 1, 1);
	struct hash_slot x, y;
	int64_t start;

	assert_int_equal(slots_take(&a, 0, &x), DK_OK);
	start = clock_monotonic_ms();
	assert_int_equal(slots_take(&b, 30, &y), DK_ERR_BUSY);
	assert_true(clock_monotonic_ms() - start >= 30);
	assert_int_equal(y.slot, -1);
	/* It left the queue: the next one may wait there. */
	start = clock_monotonic_ms();
	assert_int_equal(slots_take(&b, 10, &y), DK_ERR_BUSY);
	assert_true(clock_monotonic_ms() - start >= 10);
	slots_close(&a);
	slots_close(&b);
}

static void
a_closed_set_gives_none(void **state)
{
	struct hash_slots slots = { .fd = -1, .running = 1, .waiting = 1 };
	struct hash_slot slot;

	(void)state;
	assert_int_equal(slots_take(&slots, 0, &slot), DK_ERR_IO);
	assert_int_equal(slot.slot, -1);
	slots_close(&slots);
}

static void
the_file_is_private_and_no_link(void **state)
{
	struct stand *s = *state;
	struct hash_slots slots = open_slots(s, 1, 1);
	char link_name[128];
	struct stat st;

	assert_int_equal(fstat(slots.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(fcntl(slots.fd, F_GETFD) & FD_CLOEXEC);
	slots_close(&slots);
	(void)snprintf(link_name, sizeof(link_name), "%s/link", s->dir);
	assert_int_equal(symlink(s->file, link_name), 0);
	assert_int_equal(
	    slots_open(&slots, str_from(link_name), 1, 1), DK_ERR_IO);
	assert_int_equal(slots.fd, -1);
}

/* The number of locks that others hold behind byte `from`: one or none. */
static bool
is_locked(struct stand *s, off_t from)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from
	};
	char file[128];
	int fd;

	(void)stand_own_file(s, "-hash", file);
	fd = open(file, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_GETLK, &lock), 0);
	(void)close(fd);
	return lock.l_type != F_UNLCK;
}

static void
await_lock(struct stand *s, off_t from)
{
	const struct timespec pause = { 0, 200000 };
	int tries;

	for (tries = 0; tries < 25000; tries++) {
		if (is_locked(s, from))
			return;
		(void)nanosleep(&pause, NULL);
	}
	fail_msg("nobody came");
}

/* A process that takes a slot, then waits to be killed or says how it went. */
static pid_t
start_taker(struct stand *s, bool hold)
{
	struct hash_slots slots;
	struct hash_slot slot;
	pid_t pid = fork();
	enum dk_err err;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	slots = open_slots(s, 1, 1);
	err = slots_take(&slots, 20000, &slot);
	if (err == DK_OK && hold)
		(void)pause();
	_exit(err == DK_OK ? 0 : 1);
}

/* DK-P-08: a worker that dies while it hashes blocks nobody. */
static void
a_killed_holder_frees_its_slot(void **state)
{
	struct stand *s = *state;
	struct hash_slots slots = open_slots(s, 1, 0);
	struct hash_slot slot;
	pid_t pid = start_taker(s, true);
	int status;

	await_lock(s, 0);
	assert_int_equal(slots_take(&slots, 0, &slot), DK_ERR_BUSY);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(slots_take(&slots, 0, &slot), DK_OK);
	slots_close(&slots);
}

/* DK-P-08: who finds the queue full does not wait; who stands in it is
 * served. */
static void
a_full_queue_turns_away_at_once(void **state)
{
	struct stand *s = *state;
	struct hash_slots holder = open_slots(s, 1, 1),
			  late = open_slots(s, 1, 1);
	struct hash_slot x, y;
	int64_t start;
	int status;
	pid_t pid;

	assert_int_equal(slots_take(&holder, 0, &x), DK_OK);
	pid = start_taker(s, false);
	await_lock(s, 1); /* behind the running one */
	start = clock_monotonic_ms();
	assert_int_equal(slots_take(&late, 20000, &y), DK_ERR_BUSY);
	assert_true(clock_monotonic_ms() - start < 5000);
	slots_give(&holder, &x);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(is_locked(s, 0));
	slots_close(&holder);
	slots_close(&late);
}

struct tally {
	atomic_int now, most;
};
static struct tally *tally;

static bool
take_and_count(struct stand *s, int number)
{
	const struct timespec work = { 0, 1000000 };
	struct hash_slots slots = open_slots(s, 3, 16);
	struct hash_slot slot;
	int i, now, most;

	(void)number;
	for (i = 0; i < 5; i++) {
		if (slots_take(&slots, 20000, &slot) != DK_OK)
			return false;
		now = atomic_fetch_add(&tally->now, 1) + 1;
		most = atomic_load(&tally->most);
		while (now > most &&
		    !atomic_compare_exchange_weak(&tally->most, &most, now))
			;
		(void)nanosleep(&work, NULL);
		(void)atomic_fetch_sub(&tally->now, 1);
		slots_give(&slots, &slot);
	}
	return true;
}

/* DK-P-08: over all workers of the host */
static void
twelve_processes_never_pass_the_bound(void **state)
{
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(tally != MAP_FAILED);
	assert_int_equal(stand_parallel(*state, 12, take_and_count), 12);
	assert_in_range(atomic_load(&tally->most), 1, 3);
	assert_int_equal(munmap(tally, sizeof(*tally)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(gives_as_many_as_there_are),
		STAND_TEST(waits_no_longer_than_it_may),
		STAND_TEST(a_closed_set_gives_none),
		STAND_TEST(the_file_is_private_and_no_link),
		STAND_TEST(a_killed_holder_frees_its_slot),
		STAND_TEST(a_full_queue_turns_away_at_once),
		STAND_TEST(twelve_processes_never_pass_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
