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
#include "words/words.h"

/* A file that is served as it is, read at start. */
struct web_file {
	struct str text;
	struct str type;   /* "text/css; charset=utf-8" */
	struct str target; /* "/auth/style.css?v=0123456789abcdef" */
};

/*
 * The application, made once in main().  Borrowed but for the templates and
 * the files, which live in its arena.
 */
struct web {
	const struct conf *conf;
	struct domain *dom;
	struct log *log;
	struct templates templates;
	struct words words;
	const struct language *language; /* fixed by the site; NULL: not */
	struct arena arena;
	struct web_file style, logo; /* logo.text.n == 0: none */
	struct str security_policy;  /* Content-Security-Policy */
	struct request_rules rules;  /* for request_read */
	int64_t housekept_ms;	     /* when housekeeping ran last */
};

/*
 * Load and check the templates and the stylesheet.  DK_ERR_CONF with
 * FILE:LINE and the cause in message when an override or a file is wrong.
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

#endif
