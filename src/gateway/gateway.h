#ifndef DK_GATEWAY_GATEWAY_H
#define DK_GATEWAY_GATEWAY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/log.h"
#include "http/request.h"
#include "http/response.h"

/*
 * How requests come in and answers go out.  gateway/fcgi.c is the only place
 * that includes libfcgi's header.
 */
struct gateway_app {
	void *arg;
	const struct request_rules *rules;
	struct arena *arena; /* reset after every response */
	struct log *log;
	/* Answer a request that was read whole. */
	void (*handle)(void *arg, struct request *req, struct response *res);
	/* Answer one that could not be read. */
	void (*fail)(void *arg, struct request *req, struct response *res,
	    unsigned status, const char *problem);
	/* After an answer has gone out.  False: a new process must take over;
	 * under CGI, where there is one, it is not asked. */
	bool (*idle)(void *arg);
};

/* True when fd is a listening socket: started as a FastCGI worker. */
bool gateway_is_fastcgi(int fd);

/*
 * Serve the listening socket fd until SIGTERM, SIGINT or SIGUSR1; a running
 * request is finished first.  Returns the exit status.
 */
int gateway_run_fcgi(const struct gateway_app *app, int fd);
/* Answer the one request of this process from envp and stdin to stdout. */
int gateway_run_cgi(const struct gateway_app *app, char *const *envp);

#endif
