#ifndef DK_DOMAIN_SLOTS_H
#define DK_DOMAIN_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * The bound on parallel password hashes over all workers of a host: byte
 * locks (open file description locks, fcntl(2)) on one small file beside the
 * database.  A lock goes with its process, so a crash frees its slot.
 * `running` bytes are slots; as many as `waiting` processes may queue for
 * one, the rest are turned away at once.
 */
struct hash_slots {
	int fd; /* -1: closed */
	unsigned running, waiting;
};

/* Opens or makes `file` (mode 0600). */
enum dk_err slots_open(struct hash_slots *slots, struct str file,
    unsigned running, unsigned waiting) DK_CHECK;
void slots_close(struct hash_slots *slots);

/*
 * Take a slot, waiting at most wait_ms in the queue.  DK_ERR_BUSY when the
 * queue is full or the wait ran out.  One slot per process at a time.
 */
struct hash_slot {
	int slot; /* -1: none */
};
enum dk_err slots_take(
    struct hash_slots *slots, int64_t wait_ms, struct hash_slot *slot) DK_CHECK;
void slots_give(struct hash_slots *slots, struct hash_slot *slot);

#endif
