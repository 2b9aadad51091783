#ifndef DK_HTTP_RESPONSE_H
#define DK_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * The small response writer: status, headers, one Set-Cookie per name, a
 * body that is buffered whole, so that an error can replace what was there,
 * or an open file.
 * Written out as a CGI response (RFC 3875 6) with `Status:` always first.
 */
enum {
	RESPONSE_BODY_MAX = 256 * 1024,
	RESPONSE_SMALL_BODY_MAX = 16 * 1024, /* of what is not HTML */
	RESPONSE_HEADERS_MAX = 12 * 1024,
	RESPONSE_COOKIES_MAX = 8,
	RESPONSE_HEADS_MAX = 32
};

/* Lax where the gate's cookie is meant; path is "/". */
struct set_cookie {
	struct str name, value; /* value: [A-Za-z0-9_.@+-]* */
	struct str domain;	/* STR_NONE: host-only */
	bool secure;
	bool erase;		/* empty value, Max-Age=0, Expires in 1970 */
	int64_t max_age_s;	/* 0: a session cookie; cut at 400 days */
};

struct response {
	unsigned status; /* 0 until set: then nothing may be sent */
	struct arena *arena;
	struct {
		struct str name, value;
	} heads[RESPONSE_HEADS_MAX];
	size_t n_heads;
	struct set_cookie cookies[RESPONSE_COOKIES_MAX];
	size_t n_cookies;
	struct buf body;
	/* In place of the body: n bytes of an open file. */
	struct {
		bool is_set;
		int fd; /* owned */
		uint64_t from, n;
	} file;
	bool failed; /* something did not fit or was not allowed */
};

/* Empty, status 0, body buffer from the arena. */
void response_init(struct response *res, struct arena *arena);
/* Start over as this status: headers, cookies, body, file are dropped. */
void response_reset(struct response *res, unsigned status);
/*
 * Set the status and the content type ("text/html; charset=utf-8").
 * STR_NONE: no body.  The body has room for RESPONSE_BODY_MAX bytes if it is
 * HTML, else for RESPONSE_SMALL_BODY_MAX.
 */
void response_start(struct response *res, unsigned status, struct str type);

/*
 * Add or replace the header `name`.  The value is copied.  CR, LF, NUL or
 * another control in it marks the response as failed: it is never sent
 * (DK-H-13).
 */
void response_header(struct response *res, const char *name, struct str value);
/* 303 to a location that is safe already (RFC 9110 15.4.4). */
void response_redirect(struct response *res, struct str location);
/* The body is n bytes of fd, which is the response's from now on. */
void response_file(struct response *res, int fd, uint64_t from, uint64_t n);
/* Close the file, if there is one; after the answer has gone out. */
void response_close(struct response *res);
/* Replaces an earlier one of the same name. */
void response_cookie(struct response *res, const struct set_cookie *cookie);

/* `name: value` and CRLF; both were checked before. */
void response_line(struct buf *out, struct str name, struct str value);

/*
 * The head of the CGI response: `Status:` first, then the headers, the
 * cookies, Content-Length, a blank line; lines end in CRLF.  DK_ERR_INTERNAL
 * when the response failed or has no status: then the caller sends nothing
 * and drops the connection.
 */
enum dk_err response_head(const struct response *res, struct buf *out) DK_CHECK;
/* The body to send, unless it is a file: empty for HEAD, 204 and 304. */
struct str response_body(const struct response *res, bool head_only);

/* "404 Not Found"; a status without a known phrase is a bug. */
const char *response_phrase(unsigned status);

#endif
