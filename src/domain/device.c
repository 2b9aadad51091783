#include "domain/device.h"

#include "store/factors.h"

void
device_token(const struct secret *cookie, struct digest *token)
{
	secret_sha256(
	    (struct str){ (const char *)cookie->byte, sizeof(cookie->byte) },
	    token);
}

enum dk_err
device_is_known(struct domain *dom, int64_t user_id,
    const struct secret *cookie, struct digest *token, bool *known)
{
	device_token(cookie, token);
	return devices_get(dom->db, user_id, token, known);
}

enum dk_err
device_remember(struct domain *dom, int64_t user_id,
    const struct secret *cookie, int64_t now_ms)
{
	struct digest token;
	enum dk_err err;

	device_token(cookie, &token);
	do {
		err = db_begin(dom->db, DB_WRITE);
		if (err == DK_OK)
			err = devices_add(dom->db, user_id, &token, now_ms);
		if (err == DK_OK)
			err =
			    devices_drop_oldest(dom->db, user_id, DEVICES_MAX);
		err = db_end(dom->db, err);
	} while (db_again(dom->db, err));
	return err;
}
