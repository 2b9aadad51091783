#include "domain/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"

enum { QUEUE_START = 1 << 20, NAME_MAX_LEN = 1200 };

enum dk_err
slots_open(struct hash_slots *slots, struct str file, unsigned running,
    unsigned waiting)
{
	char name[NAME_MAX_LEN];
	struct stat dir;
	struct buf b;
	size_t n = file.n;

	*slots = (struct hash_slots){
		.fd = -1, .running = running, .waiting = waiting
	};
	BUF_OVER(&b, name);
	buf_add(&b, file);
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	slots->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (slots->fd < 0)
		return DK_ERR_IO;
	/* Made by root, it belongs to whom the directory belongs. */
	while (n > 1 && name[n - 1] != '/')
		n--;
	name[n] = '\0';
	if (geteuid() == 0 && stat(name, &dir) == 0 && dir.st_uid != 0 &&
	    fchown(slots->fd, dir.st_uid, dir.st_gid) != 0) {
		slots_close(slots);
		return DK_ERR_IO;
	}
	return DK_OK;
}

void
slots_close(struct hash_slots *slots)
{
	if (slots->fd >= 0)
		(void)close(slots->fd);
	slots->fd = -1;
}

static enum dk_err
set_lock(struct hash_slots *slots, short type, off_t at, bool *got)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1
	};
	int rc;

	do
		rc = fcntl(slots->fd, F_OFD_SETLK, &lock);
	while (rc < 0 && errno == EINTR);
	*got = rc == 0;
	return rc == 0 || errno == EAGAIN || errno == EACCES ? DK_OK
							     : DK_ERR_IO;
}

/* Try the n bytes from `start` on; *at is the one that was free, or -1. */
static enum dk_err
take_any(struct hash_slots *slots, off_t start, unsigned n, off_t *at)
{
	bool got = false;
	enum dk_err err;
	unsigned i;

	*at = -1;
	for (i = 0; i < n; i++) {
		err = set_lock(slots, F_WRLCK, start + (off_t)i, &got);
		if (err != DK_OK)
			return err;
		if (got) {
			*at = start + (off_t)i;
			return DK_OK;
		}
	}
	return DK_OK;
}

static void
pause_a_little(void)
{
	struct timespec pause = { 0, 2000000 };
	unsigned char jitter = 0;

	if (secret_random(&jitter, 1) == DK_OK)
		pause.tv_nsec += jitter * 10000L;
	(void)nanosleep(&pause, NULL);
}

enum dk_err
slots_take(struct hash_slots *slots, int64_t wait_ms, struct hash_slot *slot)
{
	int64_t until = clock_monotonic_ms() + wait_ms;
	off_t running = -1, queue = -1;
	bool got;
	enum dk_err err;

	slot->slot = -1;
	if (slots->fd < 0)
		return DK_ERR_IO;
	err = take_any(slots, 0, slots->running, &running);
	if (err == DK_OK && running < 0)
		err = take_any(slots, QUEUE_START, slots->waiting, &queue);
	if (err != DK_OK)
		return err;
	while (running < 0 && queue >= 0 && err == DK_OK &&
	    clock_monotonic_ms() < until) {
		pause_a_little();
		err = take_any(slots, 0, slots->running, &running);
	}
	if (queue >= 0 && set_lock(slots, F_UNLCK, queue, &got) != DK_OK) {
		slots_close(slots); /* frees all that it holds */
		err = DK_ERR_IO;
	}
	if (err != DK_OK)
		return err;
	slot->slot = (int)running;
	return running < 0 ? DK_ERR_BUSY : DK_OK;
}

void
slots_give(struct hash_slots *slots, struct hash_slot *slot)
{
	bool got;

	if (slot->slot >= 0 &&
	    set_lock(slots, F_UNLCK, slot->slot, &got) != DK_OK)
		slots_close(slots); /* closing frees it in any case */
	slot->slot = -1;
}
