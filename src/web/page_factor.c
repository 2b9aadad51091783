/*
 * The second factor on the person's page.  POST to /account with the field
 * `action`: factor_begin, factor_confirm (with `totp_code`), factor_codes and
 * factor_remove (both with `totp_code` as well: who has only the password
 * cannot take the second step away).
 */
#include "domain/account.h"
#include "web/account.h"

static struct user_row
me(struct ctx *c)
{
	struct user_row user = { .id = c->session.view.session.user_id };
	struct buf b;

	BUF_OVER(&b, user.username);
	buf_addz(&b, c->session.view.username);
	return user;
}

static void
begin(struct ctx *c)
{
	struct totp_seed seed;
	const struct account_view view = { .seed = &seed };
	bool begun;
	enum dk_err err;

	err = factor_begin(c->web->dom, c->session.view.session.user_id,
	    &seed, &begun);
	if (err != DK_OK)
		page_fail(c, err);
	else if (!begun)
		account_refuse(c, 409, "second_factor_on",
		    MSG_FACTOR_IS_ON);
	else
		account_show(c, 200, &view);
	secret_wipe(&seed, sizeof(seed));
}

/* A wrong code: the same picture again. */
static void
show_pending(struct ctx *c, enum msg message)
{
	struct totp_seed seed;
	struct account_view view = { .message = message,
		.code = "invalid_code" };
	bool pending;
	enum dk_err err;

	err = factor_pending(c->web->dom, c->session.view.session.user_id,
	    &seed, &pending);
	if (pending)
		view.seed = &seed;
	if (err != DK_OK)
		page_fail(c, err);
	else
		account_show(c, 400, &view);
	secret_wipe(&seed, sizeof(seed));
}

/* The session that set it up has shown both factors: it gets a new id and
 * level 2 (DK-S-06). */
static enum dk_err
raise_session(struct ctx *c)
{
	const struct session_row *row = &c->session.view.session;
	const struct session_start how = { .remember = row->remember,
		.level = 2,
		.event = "reauthentication",
		.old_id = str_from(row->id) };
	struct user_row user;
	struct session session = { 0 };
	bool found, refused = true;
	enum dk_err err;

	err = account_by_id(c->web->dom, row->user_id, &user, &found);
	if (err == DK_OK && found)
		err = session_start(c->web->dom, &c->asker, &user, &how,
		    c->now_ms, &session, &refused);
	if (err == DK_OK && !refused) {
		c->session = session;
		cookie_set_session(c, &session);
	}
	secret_wipe(&user, sizeof(user));
	secret_wipe(&session, sizeof(session));
	return err == DK_OK && refused ? DK_ERR_BUSY : err;
}

static void
confirm(struct ctx *c, struct str code)
{
	const struct user_row user = me(c);
	struct recovery_codes codes;
	struct account_view view = { .codes = &codes };
	bool ok;
	enum dk_err err;

	err = factor_confirm(c->web->dom, &c->asker, &user, code,
	    str_from(c->session.view.session.id), c->now_ms, &codes, &ok);
	if (err == DK_OK && ok)
		err = raise_session(c);
	view.done = MSG_DONE_FACTOR_ON;
	if (err != DK_OK)
		page_fail(c, err);
	else if (ok)
		account_show(c, 200, &view);
	else
		show_pending(c, MSG_CODE_DOES_NOT_FIT);
	secret_wipe(&codes, sizeof(codes));
}

/* The code that is asked for with each change; false after answering. */
static bool
code_is_right(struct ctx *c, struct str code)
{
	const struct user_row user = me(c);
	const struct login_form form = { .next = page_own_path(c,
					     "/account") };
	enum sign_in_result result;
	int64_t wait_ms;
	enum dk_err err;

	err = sign_in_code(c->web->dom, &c->asker, &user, code, c->now_ms,
	    &result, &wait_ms);
	if (err != DK_OK)
		page_fail(c, err);
	else if (result == SIGN_IN_THROTTLED)
		page_throttled(c, &form, wait_ms);
	else if (result != SIGN_IN_RIGHT)
		account_refuse(c, 403, "invalid_code",
		    MSG_CODE_CHANGED_NOTHING);
	return err == DK_OK && result == SIGN_IN_RIGHT;
}

static void
new_codes(struct ctx *c)
{
	const struct user_row user = me(c);
	struct recovery_codes codes;
	const struct account_view view = { .codes = &codes,
		.done = MSG_DONE_CODES };
	enum dk_err err;

	err = factor_new_codes(c->web->dom, &c->asker, &user, c->now_ms,
	    &codes);
	if (err != DK_OK)
		page_fail(c, err);
	else
		account_show(c, 200, &view);
	secret_wipe(&codes, sizeof(codes));
}

static void
take_off(struct ctx *c)
{
	const struct user_row user = me(c);
	bool removed;
	enum dk_err err;

	err = factor_remove(c->web->dom, &c->asker, &user,
	    str_from(c->session.view.session.id), c->now_ms, &removed);
	if (err != DK_OK)
		page_fail(c, err);
	else
		account_succeed(c, "/account?done=factor");
}

bool
account_factor_action(struct ctx *c, struct str action, struct str code,
    struct str pw)
{
	static const char *const actions[] = { "factor_begin",
		"factor_confirm", "factor_codes", "factor_remove" };
	size_t i;

	for (i = 0; i < 4 && !str_eq(action, str_from(actions[i])); i++)
		continue;
	if (i == 4)
		return false;
	if (!account_be_fresh(c, pw))
		return true;
	if (i == 0)
		begin(c);
	else if (i == 1)
		confirm(c, code);
	else if (!code_is_right(c, code))
		return true;
	else if (i == 2)
		new_codes(c);
	else
		take_off(c);
	return true;
}
