#include "domain/throttle.h"

#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "domain/audit.h"
#include "domain/permit.h"
#include "store/settings.h"

enum {
	SWEEP_STEP = 2000, /* faster than hashing lets guesses come in */
	NAME_FOLD_MAX = 256,
	CLOCKS_APART_MS = 10000 /* of two hosts with one store */
};

/* Waits double from first_s with each guess beyond the free ones. */
struct ladder {
	int64_t free, first_s, cap_s;
	bool leaks;
};
static const struct ladder pair_ladder = { THROTTLE_PAIR_FREE, 2,
	THROTTLE_PAIR_CAP_S, false };
static const struct ladder account_ladder = { THROTTLE_ACCOUNT_FREE, 1,
	THROTTLE_ACCOUNT_CAP_S, true };
static const struct ladder device_ladder = { THROTTLE_DEVICE_FREE, 1,
	THROTTLE_QUIET_S, false };

static void
bucket_name(const struct secret *key, const char *kind, const char *factor,
    struct str a, struct str b, struct bucket *out)
{
	char text[1024];
	struct buf buf;
	struct digest tag;

	BUF_OVER(&buf, text);
	/* The lengths keep two parts from being read as another two. */
	buf_addf(&buf, "%s %s %zu ", kind, factor, a.n);
	buf_add(&buf, a);
	buf_addc(&buf, ' ');
	buf_add(&buf, b);
	secret_hmac(key, buf_str(&buf), &tag);
	memcpy(out->byte, tag.byte, sizeof(out->byte));
	secret_wipe(text, sizeof(text));
}

/* Lower case for ASCII; what is longer than a name can be is cut. */
static struct str
fold(struct str name, char folded[NAME_FOLD_MAX])
{
	size_t i;

	if (name.n > NAME_FOLD_MAX)
		name.n = NAME_FOLD_MAX;
	for (i = 0; i < name.n; i++)
		folded[i] = name.p[i] >= 'A' && name.p[i] <= 'Z'
		    ? (char)(name.p[i] + 32)
		    : name.p[i];
	return (struct str){ folded, name.n };
}

/* The bytes that name a source: all of IPv4, the /64 of IPv6. */
static struct str
source_of(const struct ip_addr *addr)
{
	if (addr == NULL)
		return STR("unknown");
	return (struct str){ (const char *)addr->byte,
		ip_is_v4(addr) ? sizeof(addr->byte) : 8 };
}

static enum dk_err
name_buckets(struct domain *dom, const struct throttle_guess *guess,
    struct throttle_ticket *t)
{
	struct str source = source_of(guess->addr), name;
	char folded[NAME_FOLD_MAX];
	struct secret key;
	enum dk_err err;

	err = settings_secret(dom->db, STR("throttle_key"), &key);
	if (err != DK_OK)
		return err;
	name = fold(guess->name, folded);
	bucket_name(&key, "account", guess->factor, name, STR(""), &t->account);
	bucket_name(&key, "pair", guess->factor, name, source, &t->pair);
	bucket_name(&key, "source", guess->factor,
	    guess->account_only ? name : STR(""), source, &t->source);
	t->source_owner = guess->account_only ? t->account : t->source;
	t->by_device = guess->device != NULL;
	if (t->by_device)
		bucket_name(&key, "device", guess->factor, name,
		    (struct str){ (const char *)guess->device->byte,
			sizeof(guess->device->byte) },
		    &t->device);
	secret_wipe(&key, sizeof(key));
	secret_wipe(folded, sizeof(folded));
	return DK_OK;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
bounded(int64_t n, int64_t max)
{
	return n > max ? max : later(n, 0);
}

/* What somebody wrote into the row by hand must not overflow. */
static enum dk_err
read_row(
    struct domain *dom, const struct bucket *bucket, struct throttle_row *row)
{
	enum dk_err err = throttle_get(dom->db, bucket, row);

	row->failures = bounded(row->failures, INT32_MAX);
	row->last_at_ms = bounded(row->last_at_ms, INT64_MAX / 4);
	row->next_at_ms = bounded(row->next_at_ms, INT64_MAX / 4);
	return err;
}

/* A row that counts nothing goes. */
static enum dk_err
write_row(struct domain *dom, const struct throttle_row *row)
{
	return row->failures > 0 ? throttle_put(dom->db, row)
				 : throttle_delete(dom->db, &row->bucket);
}

static void
forget_if_quiet(struct throttle_row *row, int64_t now_ms)
{
	if (now_ms - row->last_at_ms >= (int64_t)THROTTLE_QUIET_S * 1000) {
		row->failures = 0;
		row->next_at_ms = 0;
	}
}

/*
 * A clock that went back must not lock anybody out: what lies ahead of the
 * last guess lies as far ahead of now.  True when the row was changed; it
 * then has to be written, or every look at it would begin the wait anew.
 */
static bool
follow_clock_back(struct throttle_row *row, int64_t now_ms)
{
	bool changed = false;

	if (row->last_at_ms > now_ms + CLOCKS_APART_MS) {
		row->next_at_ms -= row->last_at_ms - now_ms;
		row->last_at_ms = now_ms;
		changed = true;
	}
	/* Longer than any wait of ours. */
	if (row->next_at_ms > now_ms + (int64_t)THROTTLE_QUIET_S * 1000) {
		row->next_at_ms = now_ms + (int64_t)THROTTLE_PAIR_CAP_S * 1000;
		changed = true;
	}
	return changed;
}

static enum dk_err
read_row_at(struct domain *dom, const struct bucket *bucket, int64_t now_ms,
    struct throttle_row *row)
{
	enum dk_err err = read_row(dom, bucket, row);

	if (err == DK_OK && follow_clock_back(row, now_ms))
		err = throttle_put(dom->db, row);
	return err;
}

/*
 * The account's counter leaks, or one source that guesses patiently would in
 * the end make everybody wait.  last_at is then the time up to which it has
 * leaked, so that no guess loses what is left of a step.
 */
static void
leak(struct throttle_row *row, int64_t now_ms)
{
	int64_t every_ms = (int64_t)THROTTLE_ACCOUNT_LEAK_S * 1000;
	int64_t n;

	n = row->last_at_ms < now_ms ? (now_ms - row->last_at_ms) / every_ms
				     : 0;
	if (n >= row->failures) {
		row->failures = 0;
		row->last_at_ms = now_ms;
	} else {
		row->failures -= n;
		row->last_at_ms += n * every_ms;
	}
}

/* The wait that a guess begins which brings the counter to `failures`. */
static int64_t
ladder_step_ms(const struct ladder *l, int64_t failures)
{
	int64_t step = failures - l->free, wait_s = 0;

	if (step >= 0)
		wait_s = step > 30 ? l->cap_s : l->first_s << step;
	return (wait_s > l->cap_s ? l->cap_s : wait_s) * 1000;
}

static int64_t
ladder_wait(const struct ladder *l, struct throttle_row *row, int64_t now_ms)
{
	int64_t longest_ms = ladder_step_ms(l, row->failures);

	forget_if_quiet(row, now_ms);
	if (l->leaks)
		leak(row, now_ms);
	/* No wait is longer than its guess began it. */
	if (row->next_at_ms > now_ms + longest_ms)
		row->next_at_ms = now_ms + longest_ms;
	return row->next_at_ms > now_ms ? row->next_at_ms - now_ms : 0;
}

static void
ladder_count(const struct ladder *l, struct throttle_row *row, int64_t now_ms)
{
	int64_t wait_ms = ladder_step_ms(l, ++row->failures);

	if (!l->leaks)
		row->last_at_ms = now_ms;
	/* "Now" would be a wait for a worker that began a moment earlier. */
	row->next_at_ms = wait_ms > 0 ? now_ms + wait_ms : 0;
}

/*
 * The source's counter is a line that moves THROTTLE_SOURCE_EVERY_S ahead
 * with each guess and may be THROTTLE_SOURCE_BURST guesses ahead of now
 * (the generic cell rate algorithm); next_at holds the line.
 */
static int64_t
source_wait(struct throttle_row *row, int64_t now_ms)
{
	int64_t every_ms = (int64_t)THROTTLE_SOURCE_EVERY_S * 1000;
	int64_t ahead_ms = (THROTTLE_SOURCE_BURST - 1) * every_ms;

	if (row->next_at_ms < now_ms)
		row->next_at_ms = now_ms;
	if (row->next_at_ms > now_ms + ahead_ms + every_ms)
		row->next_at_ms = now_ms + ahead_ms + every_ms;
	return row->next_at_ms > now_ms + ahead_ms
	    ? row->next_at_ms - now_ms - ahead_ms
	    : 0;
}

static void
source_count(struct throttle_row *row, int64_t now_ms)
{
	row->failures++;
	row->last_at_ms = now_ms;
	row->next_at_ms += (int64_t)THROTTLE_SOURCE_EVERY_S * 1000;
}

/*
 * A wait that was brought nearer is kept even when nothing is counted, or it
 * would move along with each look.
 */
static enum dk_err
keep_if_nearer(struct domain *dom, const struct throttle_row *row,
    const struct throttle_row *seen)
{
	return row->next_at_ms < seen->next_at_ms ? throttle_put(dom->db, row)
						  : DK_OK;
}

struct stranger {
	struct throttle_row account, pair, source;
};

/* The longest of the three waits; *rows are as they stand now. */
static enum dk_err
stranger_wait(struct domain *dom, const struct throttle_ticket *t,
    int64_t now_ms, struct stranger *rows, int64_t *wait_ms)
{
	struct stranger seen;
	enum dk_err err;

	err = read_row_at(dom, &t->account, now_ms, &rows->account);
	if (err == DK_OK)
		err = read_row_at(dom, &t->pair, now_ms, &rows->pair);
	if (err == DK_OK)
		err = read_row_at(dom, &t->source, now_ms, &rows->source);
	if (err != DK_OK)
		return err;
	seen = *rows;
	*wait_ms = later(ladder_wait(&account_ladder, &rows->account, now_ms),
	    later(ladder_wait(&pair_ladder, &rows->pair, now_ms),
		source_wait(&rows->source, now_ms)));
	err = keep_if_nearer(dom, &rows->account, &seen.account);
	if (err == DK_OK)
		err = keep_if_nearer(dom, &rows->pair, &seen.pair);
	if (err == DK_OK)
		err = keep_if_nearer(dom, &rows->source, &seen.source);
	return err;
}

static enum dk_err
count_stranger(struct domain *dom, struct throttle_ticket *t, int64_t now_ms,
    int64_t *wait_ms)
{
	struct stranger rows;
	enum dk_err err;

	err = stranger_wait(dom, t, now_ms, &rows, wait_ms);
	if (err != DK_OK || *wait_ms > 0)
		return err;
	ladder_count(&account_ladder, &rows.account, now_ms);
	ladder_count(&pair_ladder, &rows.pair, now_ms);
	source_count(&rows.source, now_ms);
	t->account_next_ms = rows.account.next_at_ms;
	t->pair_next_ms = rows.pair.next_at_ms;
	rows.account.owner = t->account;
	rows.pair.owner = t->account;
	rows.source.owner = t->source_owner;
	err = throttle_put(dom->db, &rows.account);
	if (err == DK_OK)
		err = throttle_put(dom->db, &rows.pair);
	if (err == DK_OK)
		err = throttle_put(dom->db, &rows.source);
	return err;
}

/* True in *counted when the browser's own counter still had room. */
static enum dk_err
count_device(struct domain *dom, struct throttle_ticket *t, int64_t now_ms,
    bool *counted)
{
	struct throttle_row row;
	enum dk_err err;

	*counted = false;
	err = read_row_at(dom, &t->device, now_ms, &row);
	if (err != DK_OK)
		return err;
	if (ladder_wait(&device_ladder, &row, now_ms) > 0 ||
	    row.failures >= THROTTLE_DEVICE_FREE)
		return DK_OK;
	ladder_count(&device_ladder, &row, now_ms);
	t->device_next_ms = row.next_at_ms;
	row.owner = t->account;
	err = throttle_put(dom->db, &row);
	*counted = err == DK_OK;
	return err;
}

enum dk_err
throttle_count_guess(struct domain *dom, const struct throttle_guess *guess,
    int64_t now_ms, struct throttle_ticket *ticket, int64_t *wait_ms)
{
	bool counted = false, by_device;
	enum dk_err err;

	*ticket = (struct throttle_ticket){ 0 };
	*wait_ms = INT64_MAX;
	err = name_buckets(dom, guess, ticket);
	if (err != DK_OK)
		return err;
	by_device = ticket->by_device;
	do {
		counted = false;
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK && by_device)
			err = count_device(dom, ticket, now_ms, &counted);
		ticket->by_device = counted;
		if (counted)
			*wait_ms = 0;
		else if (err == DK_OK)
			err = count_stranger(dom, ticket, now_ms, wait_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	if (err != DK_OK)
		*wait_ms = INT64_MAX;
	return err;
}

/* The person's own slips are forgiven, those of others stay counted. */
static void
account_forgive(struct throttle_row *account, int64_t own)
{
	account->failures = later(account->failures - own, 0);
	if (account->failures <= THROTTLE_ACCOUNT_FREE)
		account->next_at_ms = 0;
}

static enum dk_err
forgive_stranger(struct domain *dom, const struct throttle_ticket *t)
{
	struct throttle_row account, pair, source;
	enum dk_err err;

	err = read_row(dom, &t->account, &account);
	if (err == DK_OK)
		err = read_row(dom, &t->pair, &pair);
	if (err == DK_OK)
		err = read_row(dom, &t->source, &source);
	if (err != DK_OK)
		return err;
	account_forgive(&account, pair.failures);
	source.failures = later(source.failures - 1, 0);
	source.next_at_ms -= (int64_t)THROTTLE_SOURCE_EVERY_S * 1000;
	err = throttle_delete(dom->db, &t->pair);
	if (err == DK_OK)
		err = write_row(dom, &account);
	if (err == DK_OK)
		err = write_row(dom, &source);
	return err;
}

/* next_ms: the wait that the guess began; it was free to come. */
static enum dk_err
take_one_back(struct domain *dom, const struct bucket *bucket, int64_t next_ms)
{
	struct throttle_row row;
	enum dk_err err = read_row(dom, bucket, &row);

	if (err != DK_OK)
		return err;
	row.failures = later(row.failures - 1, 0);
	if (row.next_at_ms == next_ms)
		row.next_at_ms = 0;
	return write_row(dom, &row);
}

static enum dk_err
give_back_stranger(struct domain *dom, const struct throttle_ticket *t)
{
	struct throttle_row source;
	enum dk_err err;

	err = take_one_back(dom, &t->account, t->account_next_ms);
	if (err == DK_OK)
		err = take_one_back(dom, &t->pair, t->pair_next_ms);
	if (err == DK_OK)
		err = read_row(dom, &t->source, &source);
	if (err != DK_OK)
		return err;
	source.failures = later(source.failures - 1, 0);
	source.next_at_ms -= (int64_t)THROTTLE_SOURCE_EVERY_S * 1000;
	return write_row(dom, &source);
}

enum dk_err
throttle_give_back(struct domain *dom, const struct throttle_ticket *ticket)
{
	enum dk_err err;

	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK && ticket->by_device)
			err = take_one_back(
			    dom, &ticket->device, ticket->device_next_ms);
		else if (err == DK_OK)
			err = give_back_stranger(dom, ticket);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
throttle_success(struct domain *dom, const struct throttle_ticket *ticket)
{
	enum dk_err err;

	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK && ticket->by_device)
			err = throttle_delete(dom->db, &ticket->device);
		else if (err == DK_OK)
			err = forgive_stranger(dom, ticket);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
throttle_unlock(struct domain *dom, const struct asker *asker, struct str name,
    int64_t now_ms, bool *was_counted)
{
	static const char *const factors[] = { "password", "second" };
	struct throttle_ticket t;
	const struct audit what = {
		.event = "user_unlocked", .outcome = "success", .username = name
	};
	enum dk_err err;
	size_t i;
	int64_t n;

	do {
		*was_counted = false;
		err = permit_begin(dom, asker, 0);
		for (i = 0; err == DK_OK && i < 2; i++) {
			struct throttle_guess guess = { .name = name,
				.factor = factors[i] };

			err = name_buckets(dom, &guess, &t);
			if (err == DK_OK)
				err = throttle_forget(dom->db, &t.account, &n);
			if (err == DK_OK && n > 0)
				*was_counted = true;
		}
		if (err == DK_OK)
			err = audit_write(dom, asker, &what, now_ms);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}

enum dk_err
throttle_sweep(struct domain *dom, int64_t now_ms)
{
	int64_t n = 0, rows = 0;
	enum dk_err err;

	err = throttle_purge_step(
	    dom->db, now_ms - (int64_t)THROTTLE_QUIET_S * 1000, SWEEP_STEP, &n);
	if (err == DK_OK)
		err = throttle_count(dom->db, &rows);
	if (err == DK_OK && rows > THROTTLE_ROWS_MAX)
		err = throttle_drop_least(dom->db, SWEEP_STEP, &n);
	return err;
}
