/* The lists of the person's page. */
#include <string.h>

#include "base/clock.h"
#include "domain/audit.h"
#include "web/account.h"

/* "Firefox on Linux": enough to know one's own devices by. */
struct str
account_device(struct ctx *c, const struct language *language,
    const char *agent)
{
	static const char *const browsers[][2] = { { "Edg", "Edge" },
		{ "OPR/", "Opera" }, { "Firefox/", "Firefox" },
		{ "SamsungBrowser", "Samsung Internet" },
		{ "Chrome/", "Chrome" }, { "CriOS", "Chrome" },
		{ "FxiOS", "Firefox" }, { "Safari/", "Safari" },
		{ "curl/", "curl" }, { "w3m/", "w3m" }, { "Lynx/", "Lynx" } };
	static const char *const systems[][2] = { { "Windows", "Windows" },
		{ "Android", "Android" }, { "iPhone", "iPhone" },
		{ "iPad", "iPad" }, { "Mac OS X", "Mac" },
		{ "CrOS", "ChromeOS" }, { "Linux", "Linux" } };
	const char *browser = NULL, *system = NULL;
	struct buf b = arena_buf(c->arena, 128);
	size_t i;

	for (i = 0; browser == NULL && i < 11; i++)
		if (strstr(agent, browsers[i][0]) != NULL)
			browser = browsers[i][1];
	for (i = 0; system == NULL && i < 7; i++)
		if (strstr(agent, systems[i][0]) != NULL)
			system = systems[i][1];
	if (browser != NULL && system != NULL)
		(void)words_say(language, MSG_BROWSER_ON_SYSTEM,
		    (const struct word[]){ { "browser", str_from(browser) },
			{ "system", str_from(system) } },
		    2, &b);
	else if (browser != NULL || system != NULL)
		buf_addz(&b, browser != NULL ? browser : system);
	else
		buf_add(&b, words_text(language, MSG_UNKNOWN_DEVICE, 0));
	return buf_str(&b);
}

struct list {
	struct ctx *c;
	struct account_rows *rows;
	size_t failures;
	unsigned sign_ins;
};

static enum dk_err
add_row(void *arg, const struct session_view *view)
{
	struct list *list = arg;
	struct ctx *c = list->c;
	const struct session_row *s = &view->session;
	struct template_value *v =
	    list->rows->values + list->rows->n++ * SESSION_ROW_VALUES;

	v[0] = T_TEXT("id", arena_dup(c->arena, str_from(s->id)));
	v[1] = T_TEXT("device", account_device(c, c->language, s->user_agent));
	v[2] = T_TEXT("ip", arena_dup(c->arena, str_from(s->ip)));
	v[3] = T_TEXT("signed_in_at", page_time(c, s->created_at_ms));
	v[4] = T_TEXT("last_seen_at", page_time(c, s->last_seen_at_ms));
	v[5] = T_FLAG("current", account_is_current(c, view));
	v[6] = T_FLAG("fresh", ctx_is_fresh(c));
	return str_is_none(v[4].text) ? DK_ERR_NOMEM : DK_OK;
}

enum dk_err
account_session_rows(struct ctx *c, struct account_rows *rows)
{
	struct list list = { .c = c, .rows = rows };

	rows->n = 0;
	rows->values = arena_alloc(c->arena,
	    ACCOUNT_SESSIONS_SHOWN * SESSION_ROW_VALUES *
		sizeof(*rows->values));
	if (rows->values == NULL)
		return DK_ERR_NOMEM;
	return session_list_user(c->web->dom,
	    c->session.view.session.user_id, c->now_ms,
	    ACCOUNT_SESSIONS_SHOWN, add_row, &list);
}

/* Newest first: the first success is this session's own, as a rule; what
 * failed before the next one is what the person has not seen yet. */
static enum dk_err
add_sign_in(void *arg, const struct event_row *row)
{
	struct list *list = arg;
	struct ctx *c = list->c;
	bool success = str_eq(row->outcome, STR("success"));
	struct template_value *v =
	    list->rows->values + list->rows->n * SIGN_IN_ROW_VALUES;

	list->sign_ins += success;
	if (!success && list->sign_ins <= 1)
		list->failures++;
	if (list->rows->n == ACCOUNT_SIGN_INS_SHOWN)
		return DK_OK;
	list->rows->n++;
	v[0] = T_TEXT("at", page_time(c, row->at_ms));
	v[1] = T_TEXT("what", page_say(c,
		    success ? MSG_SIGNED_IN : MSG_FAILED_ATTEMPT));
	v[2] = T_TEXT("from", arena_dup(c->arena, row->ip));
	return DK_OK;
}

enum dk_err
account_sign_in_rows(struct ctx *c, struct account_rows *rows,
    size_t *failures)
{
	struct list list = { .c = c, .rows = rows };
	enum dk_err err;

	rows->n = 0;
	*failures = 0;
	rows->values = arena_alloc(c->arena,
	    ACCOUNT_SIGN_INS_SHOWN * SIGN_IN_ROW_VALUES *
		sizeof(*rows->values));
	if (rows->values == NULL)
		return DK_ERR_NOMEM;
	err = audit_sign_ins(c->web->dom, str_from(c->session.view.username),
	    100, add_sign_in, &list);
	*failures = list.failures;
	return err;
}
