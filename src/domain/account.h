#ifndef DK_DOMAIN_ACCOUNT_H
#define DK_DOMAIN_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "domain/domain.h"
#include "domain/password.h"
#include "store/users.h"

/*
 * User names are ASCII letters, digits and . _ @ + - , begin with a letter or
 * digit, have at most USER_NAME_MAX bytes and are one name whatever their
 * case (RFC 8265 3.3, UsernameCaseMapped, restricted to ASCII so that no two
 * names look alike).
 */
bool account_name_is_valid(struct str name);
/* The folded form; key holds USER_NAME_MAX + 1.  False for invalid names. */
bool account_key(struct str name, char key[USER_NAME_MAX + 1]);
/* Group names: ASCII letters, digits and . _ - , at most USER_GROUP_MAX. */
bool account_group_is_valid(struct str group);

/*
 * Check name and pw.  On DK_OK, *ok says whether they match; only then is
 * *user filled in.  An unknown name, a disabled account and a wrong password
 * cost the same time and look the same.  Writes the audit event for a
 * failure (sign_in, failure); an unknown name is left out of it, because
 * people type passwords there (DK-T-11).  The caller wipes pw and *user.
 * Rehashes when the configured cost has changed.
 */
enum dk_err account_authenticate(struct domain *dom, const struct asker *asker,
    struct str name, struct str pw, int64_t now_ms, struct user_row *user,
    bool *ok) DK_CHECK;

/* *found: an absent or invalid name is an answer, not an error. */
enum dk_err account_get(struct domain *dom, struct str name,
    struct user_row *user, bool *found) DK_CHECK;

enum dk_err account_by_id(struct domain *dom, int64_t id,
    struct user_row *user, bool *found) DK_CHECK;
/* In name order, at most `limit` behind the folded name `after` ("": all). */
enum dk_err account_find(struct domain *dom, const struct user_filter *filter,
    struct str after, size_t limit, users_fn *fn, void *arg) DK_CHECK;
enum dk_err account_count(struct domain *dom, int64_t *n) DK_CHECK;
enum dk_err account_groups(
    struct domain *dom, int64_t user_id, struct group_list *groups) DK_CHECK;

/*
 * What an administrator does.  Each writes its audit event in the same
 * transaction.  flaw says why a password is refused (DK_ERR_INPUT).  pw is
 * STR_NONE for an account that cannot sign in yet.
 */
struct account_new {
	struct str name, display_name, email, pw;
	const struct str *groups;
	size_t n_groups;
};
/* DK_ERR_CONFLICT: the name exists.  DK_ERR_INPUT with flaw PASSWORD_FINE:
 * a name, address or group is malformed. */
enum dk_err account_add(struct domain *dom, const struct asker *asker,
    const struct account_new *new_account, int64_t now_ms,
    enum password_flaw *flaw) DK_CHECK;
/* The same for domain/import.h, which is within a transaction already; pw is
 * STR_NONE then, for a hash must not be computed while others wait. */
enum dk_err account_add_within(struct domain *dom, const struct asker *asker,
    const struct account_new *new_account, int64_t now_ms,
    enum password_flaw *flaw) DK_CHECK;
/* What is STR_NONE stays as it is.  DK_ERR_INPUT: it is malformed. */
enum dk_err account_set_profile_within(struct domain *dom,
    const struct user_row *user, struct str display_name,
    struct str email) DK_CHECK;
/*
 * The rules for a new password of this user: shorter ones will do with a
 * second factor.  *is_short: it would not do without one.
 */
enum dk_err account_judge_password(struct domain *dom,
    const struct user_row *user, struct str pw, enum password_flaw *flaw,
    bool *is_short) DK_CHECK;
/* The password is known to others: all sessions end, and the next sign-in
 * has to choose another (DK-W-09). */
enum dk_err account_require_change(struct domain *dom,
    const struct asker *asker, const struct user_row *user,
    int64_t now_ms) DK_CHECK;
/* Ends all sessions of the user. */
enum dk_err account_set_password(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str pw, int64_t now_ms,
    enum password_flaw *flaw) DK_CHECK;
enum dk_err account_set_disabled(struct domain *dom, const struct asker *asker,
    const struct user_row *user, bool disabled, int64_t now_ms) DK_CHECK;
enum dk_err account_delete(struct domain *dom, const struct asker *asker,
    const struct user_row *user, int64_t now_ms) DK_CHECK;
/* Add or remove one group; sessions see it on the next request.
 * DK_ERR_TOO_LARGE: the user is in USER_GROUPS_MAX groups already. */
enum dk_err account_set_group(struct domain *dom, const struct asker *asker,
    const struct user_row *user, struct str group, bool member,
    int64_t now_ms) DK_CHECK;

#endif
