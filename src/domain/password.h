#ifndef DK_DOMAIN_PASSWORD_H
#define DK_DOMAIN_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "domain/domain.h"
#include "store/users.h"
#include "words/messages.h"

enum {
	PASSWORD_BYTES_MAX = 1024,
	PASSWORD_CODE_POINTS_MAX = 256,
	PASSWORD_HASH_WAIT_MS = 5000
};

/*
 * argon2id PHC string of pw in Normalization Form C (base/nfc.h; RFC 9106)
 * with the configured cost, into hash.
 * Takes a slot: DK_ERR_BUSY when all are taken.  The caller wipes pw.
 */
enum dk_err password_hash(struct domain *dom, struct str pw,
    char hash[USER_PASSWORD_HASH_MAX + 1]) DK_CHECK;

/*
 * *match says whether pw is the password that `stored` was made of.  What is
 * no hash of bearable cost never matches, but takes the time of one all the
 * same; every refusal takes twice the time of one of ours.  Give STR_NONE for
 * an unknown user: a decoy with the configured cost is tried (DK-T-08).
 * *rehash (may be NULL) is true when stored has another cost than the
 * configured one.
 */
enum dk_err password_verify(struct domain *dom, struct str pw,
    struct str stored, bool *match, bool *rehash) DK_CHECK;
/* The same for somebody who, unless `welcome`, is refused whatever the
 * password is: that takes as long as any refusal. */
enum dk_err password_verify_for(struct domain *dom, struct str pw,
    struct str stored, bool welcome, bool *match, bool *rehash) DK_CHECK;

/* A new password against the rules (63B 3.1.1.2).  */
enum password_flaw {
	PASSWORD_FINE,
	PASSWORD_TOO_SHORT,
	PASSWORD_TOO_SHORT_WITH_FACTOR,
	PASSWORD_TOO_LONG,
	PASSWORD_NOT_TEXT, /* not UTF-8, or holds NUL */
	PASSWORD_IS_NAME,  /* the user's or the site's name */
	PASSWORD_COMMON,   /* on the list */
	PASSWORD_AS_BEFORE, /* and that one has to go */
	PASSWORD_NOT_CHECKED /* the site's list cannot be read; errno */
};
enum password_flaw password_judge(
    const struct conf *conf, struct str pw, const struct user_row *user);
/* The same for who has a second factor: shorter ones will do (DK-W-01). */
enum password_flaw password_judge_with_factor(
    const struct conf *conf, struct str pw, const struct user_row *user);
/* Too short for somebody without a second factor? */
bool password_is_short(const struct conf *conf, struct str pw);
/* The message that says what is wrong and what to do; *number goes into it.
 * MSG_NONE for PASSWORD_FINE. */
enum msg password_flaw_message(
    enum password_flaw flaw, const struct conf *conf, int64_t *number);

#endif
