#ifndef DK_HTTP_REQUEST_H
#define DK_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/net.h"
#include "base/str.h"

/*
 * CGI variables (RFC 3875 4.1) or FastCGI parameters made into one typed,
 * bounded request.  Everything in it is a view into the variables or into
 * the request's arena.
 */
enum {
	REQUEST_PARAMS_MAX = 256,
	REQUEST_PARAM_MAX = 32 * 1024,	   /* bytes of one "NAME=value" */
	REQUEST_PARAMS_TOTAL_MAX = 128 * 1024,
	REQUEST_BODY_MAX = 64 * 1024,
	REQUEST_KEPT_MAX = 96 * 1024, /* of a form that carries another one */
	REQUEST_TARGET_MAX = 8 * 1024,	   /* bytes of REQUEST_URI */
	REQUEST_COOKIES_MAX = 8,	   /* Cookie lines */
	REQUEST_ID_LEN = 16		   /* characters of the request id */
};

enum request_role { REQUEST_RESPONDER, REQUEST_AUTHORIZER };

enum request_method {
	METHOD_OTHER, /* known to nobody here; method_text has it */
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS
};

/* Values of Sec-Fetch-Site; unknown ones count as absent (DK-X-05). */
enum fetch_site {
	FETCH_SITE_ABSENT,
	FETCH_SITE_SAME_ORIGIN,
	FETCH_SITE_SAME_SITE,
	FETCH_SITE_CROSS_SITE,
	FETCH_SITE_NONE
};

/* What the site's configuration says about requests. */
struct request_rules {
	struct str mount; /* "/auth" or "" */
	const struct ip_net *trusted_proxies;
	size_t n_trusted_proxies;
	struct str shared_secret; /* STR_NONE: none; else the variable
				     DOORKEEP_SECRET or the header
				     Doorkeep-Secret has to be it */
};

struct request {
	char *const *params; /* as given to request_read */
	enum request_role role;
	enum request_method method;
	struct str method_text;
	char id[REQUEST_ID_LEN + 1]; /* random, for error pages and the log */

	/*
	 * The route below the mount, decoded once: "/login".  STR_NONE when
	 * the request is for nothing of ours.
	 */
	struct str route;
	/*
	 * The page that the person wants, raw as it stood in the request
	 * line: set in the Authorizer role and where the server sent the
	 * request to a route of ours in place of another URL (nginx
	 * auth_request and error_page, Apache ErrorDocument); else STR_NONE.
	 */
	struct str wanted;
	/* Method of the wanted page: REDIRECT_REQUEST_METHOD where given. */
	struct str wanted_method;
	struct str query; /* of our own route, raw; empty when wanted is set */

	bool has_body_length; /* CONTENT_LENGTH was given and not empty */
	uint64_t body_length;
	bool chunked; /* HTTP_TRANSFER_ENCODING is chunked */
	struct str content_type, content_encoding;
	struct str body; /* filled by the gateway for POST in responder role;
			    none: it did not come whole, or not at all */

	struct str cookies[REQUEST_COOKIES_MAX];
	size_t n_cookies;

	bool https; /* seen by the person: after trusted proxies */
	bool says_https; /* a proxy says so that is not trusted */
	struct str host; /* HTTP_HOST (or from a trusted proxy), as sent */
	bool has_addr;
	struct ip_addr addr; /* the client: rightmost untrusted hop */
	char addr_text[IP_TEXT_MAX]; /* "" when unknown */
	bool local; /* the peer and the client are both loopback */

	enum fetch_site fetch_site;
	bool has_fetch_mode;
	struct str fetch_mode, fetch_dest;
	struct str origin, referer, accept, accept_language, user_agent;
	struct str csrf_header; /* X-CSRF-Token */
	struct str if_none_match;

	/* It did not give the shared secret that is asked for, or could not be
	 * read so far: whoever sent it is not the web server. */
	bool stranger;

	/* JSON is answered: sent as JSON, asked for by Accept, or no
	 * navigation (INTERFACE 3). */
	bool wants_json;
	/* The body is application/json by its Content-Type. */
	bool is_json, is_form;
};

/*
 * Read `params` ("NAME=value", NULL-terminated, as envp) into *req.  The
 * strings must outlive it.  A name ends at the first '=', a value at the
 * first NUL: FastCGI allows both within, but they cannot be seen here.
 * DK_ERR_INPUT when one that we trust is given twice or is malformed, one
 * has no name, CONTENT_LENGTH is no number; DK_ERR_TOO_LARGE past a bound:
 * *problem then says which, in words without input in them; static.
 * DK_ERR_RANDOM, DK_ERR_NOMEM.  On an error req->id, role, method, stranger
 * and wants_json are still usable for the answer.
 */
enum dk_err request_read(struct request *req, enum request_role role,
    char *const *params, const struct request_rules *rules,
    struct arena *arena, const char **problem) DK_CHECK;

/*
 * A parameter that request_read does not look at, such as REMOTE_USER for an
 * application behind the gate; STR_NONE when it is absent or comes twice.
 * Never a ground for doorkeep itself to let anybody in (DK-G-06).
 */
struct str request_param(const struct request *req, struct str name);

/* A variable of the process itself, set by who started it; NULL: unset. */
const char *request_environment(const char *name);

/*
 * Bytes of a body that are read: REQUEST_BODY_MAX, but for a form of our own,
 * which may carry the data of another one in a field `kept`; who reads the
 * fields sees to it that nothing else is that long.
 */
size_t request_body_max(const struct request *req);

/* True for methods that change nothing: GET, HEAD, OPTIONS. */
bool request_is_safe(const struct request *req);

/* ETag, Accept and such: true when the comma list holds the media type. */
bool request_accepts(struct str accept, struct str media_type);

#endif
