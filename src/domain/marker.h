#ifndef DK_DOMAIN_MARKER_H
#define DK_DOMAIN_MARKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "domain/domain.h"
#include "domain/session.h"
#include "store/users.h"

/*
 * Marker files, for hosting where nothing but a .htaccess and CGI is to be
 * had ([hosting] markers).  Each session has a second cookie,
 * RANDOM.END.USERNAME, and empty files named after its SHA-1; Apache itself
 * looks whether the file is there and END not yet over, and takes the name
 * from the cookie: whoever changes a byte of it names no file.
 *
 * A file lies in each "place" below the directory that its owner belongs to:
 * any/, and group.NAME/ and user.NAME/ for the groups and users that [access]
 * names.  Which of them opens a page is said by the page's .htaccess.
 *
 * The row is written before the file is made, and deleted after the file has
 * gone, so no crash leaves a file that nobody knows of.  Triggers say of a
 * row that its file has to go, whoever ended the session (sql/).
 */
enum {
	MARKER_COOKIE_MAX =
	    SECRET_TEXT_LEN + 1 + CLOCK_LOCAL_LEN + 1 + USER_NAME_MAX
};
struct marker {
	char cookie[MARKER_COOKIE_MAX + 1]; /* secret: wipe it */
};

/*
 * Make the markers of a live session; older ones of it go.  *made is false,
 * without an error, when the session has ended meanwhile.  DK_ERR_IO when the
 * directory cannot be used: the log says why.
 */
enum dk_err marker_make(struct domain *dom, const struct session *session,
    const struct group_list *groups, struct marker *marker,
    bool *made) DK_CHECK;

/*
 * Would Apache find all files of the session by this cookie?  *good is false
 * also where END is over: on the night when clocks go back that is up to an
 * hour before the session ends.
 */
enum dk_err marker_check(struct domain *dom, const struct session *session,
    const struct group_list *groups, struct str cookie, int64_t now_ms,
    bool *good) DK_CHECK;

/*
 * Remove the files of sessions that have ended.  DK_OK: none of them is left.
 * Costs one look-up when there is nothing to do.
 */
enum dk_err marker_sweep(struct domain *dom, int64_t now_ms) DK_CHECK;

#endif
