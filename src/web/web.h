#ifndef DK_WEB_WEB_H
#define DK_WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "domain/domain.h"
#include "domain/session.h"
#include "http/request.h"
#include "http/response.h"
#include "store/users.h"
#include "web/template.h"

/*
 * The application, made once in main().  Everything is borrowed but the
 * templates.
 */
struct web {
	const struct conf *conf;
	struct domain *dom;
	struct log *log;
	struct templates templates;
	struct request_rules rules; /* for request_read */
};

/*
 * Load and check the templates and the stylesheet.  DK_ERR_CONF with
 * FILE:LINE and the cause in message when an override is wrong.
 */
enum dk_err web_open(struct web *web, const struct conf *conf,
    struct domain *dom, struct log *log, struct buf *message) DK_CHECK;
void web_close(struct web *web);

/*
 * Answer a request: always leaves a status in *res, and if anything fails a
 * 4xx or 5xx.  Both roles.
 */
void web_handle(struct web *web, struct request *req, struct response *res,
    int64_t now_ms);

/*
 * Answer a request that could not be read (request_read failed or the body
 * is wrong): an error page or JSON with the request's id.  problem is shown
 * to the person; static text without input in it; may be NULL.
 */
void web_fail(struct web *web, struct request *req, struct response *res,
    unsigned status, const char *problem);

/* After a response has been sent: now and then a step of housekeeping. */
void web_idle(struct web *web, int64_t now_ms);

/* --- within src/web ---------------------------------------------------- */

/* One request on its way through the pages. */
struct ctx {
	struct web *web;
	struct arena *arena;
	struct request *req;
	struct response *res;
	int64_t now_ms;
	struct asker asker;

	const struct conf_origin *site; /* the origin this request is for */
	enum session_answer session_answer;
	struct session session; /* SESSION_LIVE only */
	bool cookie_conflict;	/* two different session cookies came */
};

/* 404, 503 …: the page or JSON; replaces what was written so far. */
void page_error(struct ctx *c, unsigned status, const char *problem);
/* The one place where errors become statuses. */
unsigned status_of(enum dk_err err);

#endif
