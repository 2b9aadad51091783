#ifndef DK_WORDS_WORDS_H
#define DK_WORDS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "words/messages.h"

/*
 * What we say to people, in their language.  The sentences stand in
 * messages/LANGUAGE.txt and are compiled in; enum msg (words/messages.h) is
 * made of the keys of messages/en.txt, in their order.  A site may replace
 * single ones, or add a language, in a directory of its own.
 */
enum {
	LANGUAGES_MAX = 48,
	LANGUAGE_CODE_MAX = 35, /* RFC 5646 4.4.1 */
	WORDS_FILE_MAX = 128 * 1024,
	WORDS_RANGES_MAX = 32 /* of Accept-Language; more are not looked at */
};

/* Which form goes with a number; after the rules of Unicode CLDR. */
enum plural {
	PLURAL_NONE,	 /* one form: Chinese, Japanese */
	PLURAL_ONE,	 /* 1 is its own: English, German, Turkish, ... */
	PLURAL_ZERO_ONE, /* 0 and 1: French, Portuguese */
	PLURAL_POLISH,
	PLURAL_RUSSIAN, /* and Ukrainian, Serbian, ... */
	PLURAL_CZECH,	/* and Slovak */
	PLURAL_HEBREW,
	PLURAL_ARABIC,
	PLURAL_COUNT
};
/* The form's name: "zero", "one", "two", "few", "many" or "other". */
const char *plural_form(enum plural rule, uint64_t n);
/* All forms of a rule, such as "one other"; static. */
const char *plural_forms(enum plural rule);
/* The rule that a message file calls so ("zero_one"); false: none is. */
bool plural_find(struct str name, enum plural *rule);

struct language {
	const char *code; /* "de": an RFC 5646 tag */
	const char *name; /* what its people call it */
	bool rtl;	  /* written from right to left */
	enum plural plural;
	/* By enum msg; NULL: English says it.  A message with forms for
	 * numbers holds "one\ttext\nother\ttext". */
	const char *const *text;
};

struct message_name {
	const char *key;
	const char *number; /* the placeholder that chooses the form, or NULL */
};
extern const struct message_name message_names[MSG_COUNT];
extern const struct language built_in_languages[];
extern const size_t built_in_languages_count;
/* What programs are told (JSON), logs and the command line. */
#define WORDS_ENGLISH (&built_in_languages[0])

struct words {
	const struct language *item[LANGUAGES_MAX]; /* in the order shown */
	size_t n;
	struct arena arena; /* holds those of the site; owned */
};

/*
 * The built-in languages, and those of directory (STR_NONE: none).  On
 * DK_ERR_CONF message holds FILE:LINE and what is wrong.
 */
enum dk_err words_open(
    struct words *w, struct str directory, struct buf *message) DK_CHECK;
void words_close(struct words *w);
/* One file of messages, for the language `code`; fuzzed. */
enum dk_err words_read(struct words *w, struct str file, struct str code,
    struct str text, struct buf *message) DK_CHECK;

/* The language with this code, in any case of letters; NULL: none. */
const struct language *words_find(const struct words *w, struct str code);
/*
 * The best language for an Accept-Language header, by lookup as in RFC 4647
 * 3.4 and the weights of RFC 9110 12.5.4; NULL when none of them fits.
 */
const struct language *words_choose(
    const struct words *w, struct str accept_language);

/* The message with this key, or MSG_NONE. */
enum msg words_key(struct str key);
/* The text of a message in l, else in English, for the number n. */
struct str words_text(const struct language *l, enum msg m, uint64_t n);
/* Take the next {placeholder} as template_next_tag does; false at the end. */
bool words_next(struct str *text, struct str *before, struct str *name);

/* Where placeholders get their values: false when there is no such name. */
typedef bool words_value_fn(
    const void *arg, struct str name, struct str *value);
/*
 * Append the message to out by `add` (buf_add, or buf_add_html where it goes
 * into a page).  Values whose letters may run the other way are set apart by
 * the isolates of UAX 9.  False when a placeholder has no value.
 */
bool words_add(const struct language *l, enum msg m, words_value_fn *value,
    const void *arg, void (*add)(struct buf *, struct str), struct buf *out);

/* The same as plain text with the values given here. */
struct word {
	const char *name;
	struct str text;
};
bool words_say(const struct language *l, enum msg m, const struct word *words,
    size_t n, struct buf *out);

/* A message whose one placeholder, if any, is the number that chooses it. */
void words_say_number(
    const struct language *l, enum msg m, int64_t n, struct buf *out);

/* "25 November 2026, 04:31 UTC", as the language writes it. */
void words_time(const struct language *l, int64_t ms, struct buf *out);

#endif
