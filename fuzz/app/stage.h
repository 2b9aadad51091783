#ifndef DK_FUZZ_APP_STAGE_H
#define DK_FUZZ_APP_STAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/factor.h"
#include "domain/session.h"
#include "gateway/output.h"
#include "web/web.h"

/*
 * The whole application behind the gateway's own code, over an SQLite store
 * in memory (a file on /dev/shm where there is one) with people in it; it is
 * put back before each input.  A second connection looks at what is stored.
 */
enum {
	ALICE, /* a member of nothing */
	BOB,   /* of the group staff */
	CAROL, /* has a second factor */
	DAVE,  /* no password yet, a one-use link */
	ERIN,  /* disabled */
	FRANK, /* has to change the password */
	GRETA, /* works at the desk */
	HANK,  /* moved in with a hash of another program */
	PEOPLE
};
enum {
	STAGE_PARAMS_MAX = 80,
	STAGE_TEXT_MAX = 64 * 1024,
	STAGE_OUT_MAX = 512 * 1024,
	STAGE_LOG_MAX = 64 * 1024
};
#define STAGE_NOW    INT64_C(1900000000000)
#define STAGE_ORIGIN "https://www.example.org"
#define STAGE_COOKIE "__Host-doorkeep"

struct person {
	const char *name, *pw;
	int64_t id;
	char cookie[SESSION_TOKEN_LEN + 1]; /* of a live session; "" */
};

/* One request, and the answer it got. */
struct asked {
	enum request_role role;
	char *params[STAGE_PARAMS_MAX + 1];
	size_t n_params;
	struct str body;
	int64_t now;
	unsigned status;
	bool dropped; /* no complete answer: the connection is closed */
	struct str head, out, log;
};

struct stage {
	char dir[64], file[96], conf_text[2048];
	struct arena conf_arena, arena;
	struct conf conf;
	struct log log;
	struct domain dom;
	struct web web;
	struct gateway_app app;
	sqlite3 *side;
	int64_t now;
	struct person people[PEOPLE];
	struct totp_seed seed; /* Carol's */
	char seed_text[33];
	struct recovery_codes recovery;
	char link[SECRET_TEXT_LEN + 1];	     /* Dave's */
	char expired[SESSION_TOKEN_LEN + 1]; /* was Bob's */
	char log_text[STAGE_LOG_MAX];
	size_t log_len;
	bool catches; /* what goes to the log is kept */
	char head[RESPONSE_HEADERS_MAX + 1], out[STAGE_OUT_MAX];
};

/* Made at the first call; ends the program when that fails. */
struct stage *stage_get(void);
/* People and store as in the beginning. */
void stage_reset(struct stage *s);
/* Send it through gateway, web and domain. */
void stage_send(struct stage *s, struct asked *q);

/* "what: why" on stderr, and abort(). */
_Noreturn void stage_abort(const char *what, const char *why);

#endif
