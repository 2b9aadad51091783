#ifndef DK_CTL_DOCTOR_H
#define DK_CTL_DOCTOR_H

#include "base/secret.h"
#include "ctl/ctl.h"

/* Within src/ctl: what doorkeep doctor finds. */

enum {
	DOCTOR_NAME_MAX = 40,
	DOCTOR_COOKIE_MAX = 400,
	DOCTOR_PAGE_MAX = 256 * 1024
};

struct doctor {
	struct ctl *ctl;
	unsigned failed;
	bool first;
	/* The throw-away user, and its session at the site. */
	char probe[DOCTOR_NAME_MAX + 1], password[SECRET_TEXT_LEN + 1];
	char cookie[DOCTOR_COOKIE_MAX];
	/* The page as it is for who is signed in; 0 bytes: not seen. */
	size_t page_len;
};

/* cure is printed only where something is wrong. */
void doctor_finding(
    struct doctor *d, bool good, const char *what, const char *cure);
/* The same, where a key of the configuration is to change: with its line. */
void doctor_finding_key(struct doctor *d, bool good, const char *what,
    const char *section, const char *key, const char *cure);

/*
 * Look at the running site by the URL that is the command's operand.  The
 * throw-away user is gone when this returns: signals that would end the
 * program wait until then, and one that a killed doctor has left is removed.
 */
enum ctl_exit doctor_site(struct doctor *d);

#endif
