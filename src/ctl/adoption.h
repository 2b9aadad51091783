#ifndef DK_CTL_ADOPTION_H
#define DK_CTL_ADOPTION_H

#include "base/arena.h"
#include "ctl/adopt.h"
#include "ctl/ctl.h"

/*
 * Within src/ctl: `doorkeep init --adopt FILE`, from the files to the people
 * in the store and the words about what to replace.  No file of the web
 * server is written to.
 */
struct adoption {
	struct adopt adopt;
	struct arena arena; /* of the texts */
	struct str config, users, groups;
	unsigned added, refused, weak;
};

/* Reads FILE and the files that it names; says what is wrong. */
enum ctl_exit adoption_open(
    struct adoption *ad, struct str file, struct str document_root);
void adoption_close(struct adoption *ad);
/* Lines of [access]. */
void adoption_add_rules(const struct adoption *ad, struct buf *out);
/* The paths that ask for a password; at most max. */
size_t adoption_paths(const struct adoption *ad, struct str *paths, size_t max);
/* Into the open store; those who do not come along are named. */
enum ctl_exit adoption_import(struct adoption *ad, struct ctl *ctl);
/* Which lines to take out, and how to go back. */
void adoption_say(const struct adoption *ad);
void adoption_add_json(const struct adoption *ad, struct jw *w);

#endif
