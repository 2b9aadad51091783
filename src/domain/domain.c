#include "domain/domain.h"

#include "base/dsn.h"

enum {
	RETRY_MS = 1000,
	QUEUE_PER_HASH = 2, /* who may wait for a hash: some for each */
	QUEUE_MORE = 12,    /* and some more */
	NAME_MAX_LEN = 1100
};

void
domain_init(struct domain *dom, const struct conf *conf, struct log *log)
{
	*dom = (struct domain){ .conf = conf, .log = log };
	dom->slots.fd = -1;
	dom->tried_ms = -RETRY_MS;
}

void
domain_close(struct domain *dom)
{
	db_close(dom->db);
	dom->db = NULL;
	slots_close(&dom->slots);
}

void
domain_rest(struct domain *dom)
{
	if (dom->db == NULL || !db_is_stuck(dom->db))
		return;
	db_close(dom->db);
	dom->db = NULL;
}

unsigned
domain_hash_queue(const struct conf *conf)
{
	return conf->max_parallel_hashes * QUEUE_PER_HASH + QUEUE_MORE;
}

void
domain_own_file(const struct conf *conf, const char *suffix, struct buf *path)
{
	if (dsn_is(conf->database)) {
		buf_add(path, conf->store_directory);
		buf_addz(path, "/doorkeep");
	} else {
		buf_add(path, conf->database);
	}
	buf_addz(path, suffix);
}

static enum dk_err
open_slots(struct domain *dom)
{
	char file[NAME_MAX_LEN];
	struct buf b;

	if (dom->slots.fd >= 0)
		return DK_OK;
	BUF_OVER(&b, file);
	domain_own_file(dom->conf, "-hash", &b);
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	return slots_open(&dom->slots, buf_str(&b),
	    dom->conf->max_parallel_hashes, domain_hash_queue(dom->conf));
}

static enum dk_err
open_store(
    struct domain *dom, const struct db_options *options, struct buf *message)
{
	enum dk_err err;

	err = db_open(&dom->db, options, message);
	if (err != DK_OK)
		return err;
	err = open_slots(dom);
	if (err != DK_OK) {
		domain_own_file(dom->conf, "-hash", message);
		buf_addz(message,
		    ": cannot be made or opened; its directory must exist "
		    "and be writable for this user");
		db_close(dom->db);
		dom->db = NULL;
	}
	return err;
}

enum dk_err
domain_open(struct domain *dom, bool create, bool migrate, struct buf *message)
{
	const struct db_options options = { .database = dom->conf->database,
		.create = create,
		.migrate = migrate,
		.patient = true,
		.log = dom->log };

	return open_store(dom, &options, message);
}

static enum dk_err
open_for_requests(struct domain *dom, struct buf *message)
{
	const struct db_options options = { .database = dom->conf->database,
		.log = dom->log };

	return open_store(dom, &options, message);
}

/* Back again; of an address the password stays untold. */
static void
say_back(struct domain *dom)
{
	char text[LOG_VALUE_MAX];
	struct buf b;

	BUF_OVER(&b, text);
	dsn_show(&b, dom->conf->database);
	LOG_WRITE(dom->log, LOG_LEVEL_INFO, "store_back",
	    { "database", buf_str(&b) });
}

enum dk_err
domain_connect(struct domain *dom, int64_t monotonic_ms)
{
	char text[DB_MESSAGE_MAX];
	struct buf message;

	if (dom->db != NULL && !db_is_stale(dom->db))
		return DK_OK;
	db_close(dom->db);
	dom->db = NULL;
	if (monotonic_ms - dom->tried_ms < RETRY_MS)
		return DK_ERR_STORE;
	dom->tried_ms = monotonic_ms;
	BUF_OVER(&message, text);
	if (open_for_requests(dom, &message) != DK_OK) {
		if (!dom->away)
			LOG_WRITE(dom->log, LOG_LEVEL_ERROR, "store_away",
			    { "cause", buf_str(&message) });
		dom->away = true;
		return DK_ERR_STORE;
	}
	if (dom->away)
		say_back(dom);
	dom->away = false;
	/* The next trouble is tried at once. */
	dom->tried_ms = monotonic_ms - RETRY_MS;
	return DK_OK;
}
