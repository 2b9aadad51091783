#ifndef DK_WEB_ROUTE_H
#define DK_WEB_ROUTE_H

#include "http/request.h"
#include "web/page.h"

/* A route without ROUTE_PUBLIC needs a session. */
enum route_flags {
	ROUTE_PUBLIC = 1,
	ROUTE_ANY_METHOD = 2, /* /check sees the client's method */
	ROUTE_NO_STORE = 4,   /* answers while the store is away */
	ROUTE_JSON = 8	      /* JSON to everybody, errors too */
};

struct route {
	const char *path;
	enum request_method method; /* HEAD counts as GET */
	void (*handle)(struct ctx *c);
	unsigned flags;
};

/*
 * The route of a request.  NULL when there is none: then *allow names the
 * methods that the path has (NULL: no such path).
 */
const struct route *route_find(const struct request *req, const char **allow);

/* The table, for the test that walks it. */
extern const struct route routes[];
extern const size_t routes_count;

#endif
