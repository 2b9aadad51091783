#include "domain/throttle.h"

#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "domain/audit.h"
#include "store/settings.h"

enum {
	SWEEP_STEP = 2000, /* faster than hashing lets guesses come in */
	NAME_FOLD_MAX = 256,
	CLOCKS_APART_MS = 10000 /* of two hosts with one store */
};

/* Waits double from first_s with each guess beyond the free ones. */
struct ladder {
	int64_t free, first_s, cap_s;
};
static const struct ladder pair_ladder = { THROTTLE_PAIR_FREE, 2,
	THROTTLE_PAIR_CAP_S };
static const struct ladder account_ladder = { THROTTLE_ACCOUNT_FREE, 1,
	THROTTLE_ACCOUNT_CAP_S };
static const struct ladder device_ladder = { THROTTLE_DEVICE_FREE, 1,
	THROTTLE_QUIET_S };

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
 * last guess lies as far ahead of now.
 */
static void
follow_clock_back(struct throttle_row *row, int64_t now_ms)
{
	if (row->last_at_ms <= now_ms + CLOCKS_APART_MS)
		return;
	row->next_at_ms -= row->last_at_ms - now_ms;
	row->last_at_ms = now_ms;
}

static int64_t
ladder_wait(const struct ladder *l, struct throttle_row *row, int64_t now_ms)
{
	int64_t cap_ms = l->cap_s * 1000;

	follow_clock_back(row, now_ms);
	forget_if_quiet(row, now_ms);
	if (row->next_at_ms > now_ms + cap_ms)
		row->next_at_ms = now_ms + cap_ms;
	return row->next_at_ms > now_ms ? row->next_at_ms - now_ms : 0;
}

static void
ladder_count(const struct ladder *l, struct throttle_row *row, int64_t now_ms)
{
	int64_t step = ++row->failures - l->free, wait_s = 0;

	if (step >= 0)
		wait_s = step > 30 ? l->cap_s : l->first_s << step;
	if (wait_s > l->cap_s)
		wait_s = l->cap_s;
	row->last_at_ms = now_ms;
	/* "Now" would be a wait for a worker that began a moment earlier. */
	row->next_at_ms = wait_s > 0 ? now_ms + wait_s * 1000 : 0;
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

	follow_clock_back(row, now_ms);
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

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static enum dk_err
count_stranger(struct domain *dom, const struct throttle_ticket *t,
    int64_t now_ms, int64_t *wait_ms)
{
	struct throttle_row account, pair, source;
	enum dk_err err;

	err = throttle_get(dom->db, &t->account, &account);
	if (err == DK_OK)
		err = throttle_get(dom->db, &t->pair, &pair);
	if (err == DK_OK)
		err = throttle_get(dom->db, &t->source, &source);
	if (err != DK_OK)
		return err;
	*wait_ms = later(ladder_wait(&account_ladder, &account, now_ms),
	    later(ladder_wait(&pair_ladder, &pair, now_ms),
		source_wait(&source, now_ms)));
	if (*wait_ms > 0)
		return DK_OK;
	ladder_count(&account_ladder, &account, now_ms);
	ladder_count(&pair_ladder, &pair, now_ms);
	source_count(&source, now_ms);
	account.owner = t->account;
	pair.owner = t->account;
	source.owner = t->source_owner;
	err = throttle_put(dom->db, &account);
	if (err == DK_OK)
		err = throttle_put(dom->db, &pair);
	if (err == DK_OK)
		err = throttle_put(dom->db, &source);
	return err;
}

/* True in *counted when the browser's own counter still had room. */
static enum dk_err
count_device(struct domain *dom, const struct throttle_ticket *t,
    int64_t now_ms, bool *counted)
{
	struct throttle_row row;
	enum dk_err err;

	*counted = false;
	err = throttle_get(dom->db, &t->device, &row);
	if (err != DK_OK)
		return err;
	if (ladder_wait(&device_ladder, &row, now_ms) > 0 ||
	    row.failures >= THROTTLE_DEVICE_FREE)
		return DK_OK;
	ladder_count(&device_ladder, &row, now_ms);
	row.owner = t->account;
	err = throttle_put(dom->db, &row);
	*counted = err == DK_OK;
	return err;
}

enum dk_err
throttle_count_guess(struct domain *dom, const struct throttle_guess *guess,
    int64_t now_ms, struct throttle_ticket *ticket, int64_t *wait_ms)
{
	bool counted = false;
	enum dk_err err;

	*ticket = (struct throttle_ticket){ 0 };
	*wait_ms = INT64_MAX;
	err = name_buckets(dom, guess, ticket);
	if (err != DK_OK)
		return err;
	err = db_begin(dom->db, DB_WRITE);
	if (err != DK_OK)
		return err;
	if (ticket->by_device)
		err = count_device(dom, ticket, now_ms, &counted);
	ticket->by_device = counted;
	if (counted)
		*wait_ms = 0;
	else if (err == DK_OK)
		err = count_stranger(dom, ticket, now_ms, wait_ms);
	err = db_end(dom->db, err);
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

	err = throttle_get(dom->db, &t->account, &account);
	if (err == DK_OK)
		err = throttle_get(dom->db, &t->pair, &pair);
	if (err == DK_OK)
		err = throttle_get(dom->db, &t->source, &source);
	if (err != DK_OK)
		return err;
	account_forgive(&account, pair.failures);
	source.failures = later(source.failures - 1, 0);
	source.next_at_ms -= (int64_t)THROTTLE_SOURCE_EVERY_S * 1000;
	err = throttle_delete(dom->db, &t->pair);
	if (err == DK_OK)
		err = throttle_put(dom->db, &account);
	if (err == DK_OK)
		err = throttle_put(dom->db, &source);
	return err;
}

static enum dk_err
take_one_back(struct domain *dom, const struct bucket *bucket, int64_t free)
{
	struct throttle_row row;
	enum dk_err err = throttle_get(dom->db, bucket, &row);

	if (err != DK_OK)
		return err;
	row.failures = later(row.failures - 1, 0);
	if (row.failures < free)
		row.next_at_ms = 0;
	return throttle_put(dom->db, &row);
}

static enum dk_err
give_back_stranger(struct domain *dom, const struct throttle_ticket *t)
{
	struct throttle_row source;
	enum dk_err err;

	err = take_one_back(dom, &t->account, THROTTLE_ACCOUNT_FREE);
	if (err == DK_OK)
		err = take_one_back(dom, &t->pair, THROTTLE_PAIR_FREE);
	if (err == DK_OK)
		err = throttle_get(dom->db, &t->source, &source);
	if (err != DK_OK)
		return err;
	source.failures = later(source.failures - 1, 0);
	source.next_at_ms -= (int64_t)THROTTLE_SOURCE_EVERY_S * 1000;
	return throttle_put(dom->db, &source);
}

enum dk_err
throttle_give_back(struct domain *dom, const struct throttle_ticket *ticket)
{
	enum dk_err err;

	err = db_begin(dom->db, DB_WRITE);
	if (err != DK_OK)
		return err;
	if (ticket->by_device)
		err = take_one_back(dom, &ticket->device, THROTTLE_DEVICE_FREE);
	else
		err = give_back_stranger(dom, ticket);
	return db_end(dom->db, err);
}

enum dk_err
throttle_success(struct domain *dom, const struct throttle_ticket *ticket)
{
	enum dk_err err;

	err = db_begin(dom->db, DB_WRITE);
	if (err != DK_OK)
		return err;
	if (ticket->by_device)
		err = throttle_delete(dom->db, &ticket->device);
	else
		err = forgive_stranger(dom, ticket);
	return db_end(dom->db, err);
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

	*was_counted = false;
	err = db_begin(dom->db, DB_WRITE);
	if (err != DK_OK)
		return err;
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
	return db_end(dom->db, err);
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
