/*
 * What an attacker gets in a day, through the real counters and a real store,
 * with a clock of our own: `simulate_throttle ADDRESSES ACCOUNTS HOURS`.
 * Every address guesses as fast as it is allowed, over all accounts in turn.
 * Fails when it gets more than is promised (DK-T-01, DK-T-02).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "domain/domain.h"
#include "domain/throttle.h"

enum { STEP_MS = 1000, ACCOUNT_DAY_MAX = 100, SOURCE_HOUR_MAX = 150 };

struct world {
	struct arena arena;
	struct conf conf;
	struct log log;
	struct domain dom;
	char dir[64], file[96];
};

static int
open_world(struct world *w)
{
	char text[512];
	struct buf message;

	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/simulate.XXXXXX");
	if (mkdtemp(w->dir) == NULL)
		return -1;
	(void)snprintf(w->file, sizeof(w->file), "%s/s.db", w->dir);
	BUF_OVER(&message, text);
	log_open(&w->log, LOG_TO_STDERR, LOG_AS_TEXT);
	w->conf.database = str_from(w->file);
	w->conf.max_parallel_hashes = 1;
	domain_init(&w->dom, &w->conf, &w->log);
	if (secret_init() != DK_OK ||
	    domain_open(&w->dom, true, true, &message) != DK_OK) {
		(void)fprintf(stderr, "%s\n", text);
		return -1;
	}
	return 0;
}

static void
close_world(struct world *w)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-hash" };
	char name[128];
	size_t i;

	domain_close(&w->dom);
	for (i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", w->file, ends[i]);
		(void)unlink(name);
	}
	(void)rmdir(w->dir);
}

/* One guess; the milliseconds to wait, 0 when it was checked. */
static int64_t
guess(struct world *w, long address, long account, int64_t now_ms)
{
	struct throttle_ticket ticket;
	struct ip_addr addr = { .byte = { [10] = 0xff, [11] = 0xff } };
	char name[32];
	struct throttle_guess g = { .addr = &addr, .factor = "password" };
	int64_t wait_ms = 0;

	addr.byte[12] = 10;
	addr.byte[13] = (unsigned char)(address >> 16);
	addr.byte[14] = (unsigned char)(address >> 8);
	addr.byte[15] = (unsigned char)address;
	(void)snprintf(name, sizeof(name), "user%ld", account);
	g.name = str_from(name);
	if (throttle_count_guess(&w->dom, &g, now_ms, &ticket, &wait_ms) !=
	    DK_OK)
		exit(1);
	return wait_ms;
}

int
main(int argc, char **argv)
{
	long addresses = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	long accounts = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
	long hours = argc > 3 ? strtol(argv[3], NULL, 10) : 24;
	int64_t *ready = calloc((size_t)addresses, sizeof(*ready));
	long *next = calloc((size_t)addresses, sizeof(*next));
	long *checked = calloc((size_t)accounts, sizeof(*checked));
	int64_t start = INT64_C(1700000000000), now, wait;
	long total = 0, most = 0, i, asked = 0;
	static struct world w;

	if (ready == NULL || next == NULL || checked == NULL ||
	    open_world(&w) != 0)
		return 1;
	for (i = 0; i < addresses; i++)
		next[i] = i % accounts;
	for (now = start; now < start + hours * INT64_C(3600000);
	     now += STEP_MS)
		for (i = 0; i < addresses; i++) {
			if (ready[i] > now)
				continue;
			asked++;
			wait = guess(&w, i, next[i], now);
			if (wait == 0) {
				total++;
				checked[next[i]]++;
			}
			/* On to the next account; come back when it is worth
			 * the while, but for few accounts wait. */
			next[i] = (next[i] + 1) % accounts;
			ready[i] = wait > 0 && accounts == 1 ? now + wait
							     : now + STEP_MS;
			if (wait > 0 && accounts > 1)
				ready[i] = now + (wait < 30000 ? wait : 30000);
		}
	for (i = 0; i < accounts; i++)
		most = checked[i] > most ? checked[i] : most;
	printf("%ld addresses, %ld accounts, %ld hours: %ld guesses checked, "
	       "at most %ld on one account (%ld asked)\n",
	    addresses, accounts, hours, total, most, asked);
	close_world(&w);
	free(ready);
	free(next);
	free(checked);
	return most > (hours + 23) / 24 * ACCOUNT_DAY_MAX ||
	    total > addresses * hours * SOURCE_HOUR_MAX;
}
