#ifndef DK_WEB_HOSTING_H
#define DK_WEB_HOSTING_H

#include "web/page.h"

/*
 * Within src/web: shared hosting, without an authorizer.
 *
 * Files that we give out ourselves: Apache's Action hands us every request
 * below a directory whose handler is "doorkeep-files".
 */
/* Is this such a request?  No client can say so itself. */
bool hosted_file_asked(const struct request *req);
/* The whole decision, then the file, 304, a part of it, or an error page. */
void hosted_file(struct ctx *c);

/* A file below the document root, found without leaving it. */
enum hosted_kind {
	HOSTED_NOTHING, /* not there, or nobody's business */
	HOSTED_FILE,
	HOSTED_DIRECTORY,
	HOSTED_SCRIPT,	 /* the server might run it: never given out */
	HOSTED_OUTSIDE,	 /* a link leads out of the document root */
	HOSTED_UNREADABLE /* by its mode bits */
};
struct hosted {
	enum hosted_kind kind;
	int fd; /* HOSTED_FILE: the caller closes it; else -1 */
	struct str name; /* as it is on the disk, after links; in the arena */
	uint64_t size;
	int64_t modified_ns;
};
/*
 * Look for path, an absolute one, below root.  Links are followed as long as
 * they stay there; names that begin with a dot and the store's own files,
 * which begin with database, are as if they were not there.  DK_ERR_IO when
 * it cannot be told.
 */
enum dk_err hosted_path_open(struct arena *arena, struct str root,
    struct str path, struct str database, struct hosted *found) DK_CHECK;

/*
 * Marker files by which Apache lets people
 * in itself (domain/marker.h); each of these does nothing where [hosting]
 * markers is not set.
 */

/* With the cookie of a new session goes that of its marker. */
void marker_cookie_set(struct ctx *c, const struct session *session);
void marker_cookie_erase(struct ctx *c);

/*
 * Apache has refused a page that [access] opens to this person: they get a
 * marker and go back there, or, when they had one that should have done, a
 * page that says what to look for.  False: no markers here.
 */
bool marker_lead_back(struct ctx *c, struct str next);

/*
 * Before an answer goes out: files of sessions that have ended are removed.
 * Where one stays, whoever asked for a change is told.
 */
void marker_settle(struct ctx *c);

#endif
