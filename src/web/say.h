#ifndef DK_WEB_SAY_H
#define DK_WEB_SAY_H

#include <stdint.h>

#include "words/words.h"

/* Within src/web: what a page says, and what it says when it cannot. */

struct ctx;

/*
 * An error page, or JSON with `code` where JSON is asked for; replaces what
 * was written so far.  The message is for the person, in their language (in
 * JSON: English); MSG_NONE takes the status's own.  detail is one more
 * sentence for who looks after the site or writes a program, in English.
 */
struct page_problem {
	unsigned status;
	const char *code; /* NULL: the status's own */
	enum msg heading; /* MSG_NONE: the status's own */
	enum msg message;
	const struct word *words; /* what the message names */
	size_t n_words;
	int64_t number; /* in the message, if it has one */
	const char *detail;
};
void page_problem(struct ctx *c, const struct page_problem *problem);
void page_error(struct ctx *c, unsigned status, enum msg message);
void page_error_code(struct ctx *c, unsigned status, const char *code,
    enum msg message);

/* The language of the answer; never NULL. */
const struct language *page_language_of(struct ctx *c);
/* The form on this page is shown again by mount + path with this `next`. */
void page_stays_at(struct ctx *c, const char *path, struct str next);

/* In the language of the answer; all in the arena. */
/* A message without placeholders, or whose only one is a number. */
struct str page_say(struct ctx *c, enum msg m);
struct str page_say_number(struct ctx *c, enum msg m, int64_t n);
struct str page_say_with(struct ctx *c, enum msg m, const struct word *words,
    size_t n);
struct str page_time(struct ctx *c, int64_t ms);

#endif
