#include "domain/domain.h"

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
	if (dom->db == NULL || !db_is_stale(dom->db))
		return;
	db_close(dom->db);
	dom->db = NULL;
}

unsigned
domain_hash_queue(const struct conf *conf)
{
	return conf->max_parallel_hashes * QUEUE_PER_HASH + QUEUE_MORE;
}

/* The file of the slots stands beside the store, like -wal and -shm. */
static enum dk_err
open_slots(struct domain *dom)
{
	char file[NAME_MAX_LEN];
	struct buf b;

	if (dom->slots.fd >= 0)
		return DK_OK;
	BUF_OVER(&b, file);
	buf_add(&b, dom->conf->database);
	buf_addz(&b, "-hash");
	if (!buf_ok(&b))
		return DK_ERR_TOO_LARGE;
	return slots_open(&dom->slots, buf_str(&b),
	    dom->conf->max_parallel_hashes, domain_hash_queue(dom->conf));
}

enum dk_err
domain_open(struct domain *dom, bool create, bool migrate, struct buf *message)
{
	const struct db_options options = { .database = dom->conf->database,
		.create = create,
		.migrate = migrate,
		.log = dom->log };
	enum dk_err err;

	err = db_open(&dom->db, &options, message);
	if (err != DK_OK)
		return err;
	err = open_slots(dom);
	if (err != DK_OK) {
		buf_addf(message,
		    "%.*s-hash: cannot be made or opened; its "
		    "directory must be writable for this user",
		    STR_FMT(dom->conf->database));
		db_close(dom->db);
		dom->db = NULL;
	}
	return err;
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
	if (domain_open(dom, false, false, &message) != DK_OK) {
		if (!dom->away)
			LOG_WRITE(dom->log, LOG_LEVEL_ERROR, "store_away",
			    { "cause", buf_str(&message) });
		dom->away = true;
		return DK_ERR_STORE;
	}
	if (dom->away)
		LOG_WRITE(dom->log, LOG_LEVEL_INFO, "store_back",
		    { "database", dom->conf->database });
	dom->away = false;
	/* The next trouble is tried at once. */
	dom->tried_ms = monotonic_ms - RETRY_MS;
	return DK_OK;
}
