#ifndef DK_CONF_CONF_TABLE_H
#define DK_CONF_CONF_TABLE_H

#include <stddef.h>

#include "conf/conf.h"

/* Within src/conf: the keyword table and how it is read. */

enum {
	CONF_VALUE_MAX = 1024, /* bytes of one text or path */
	CONF_LIST_MAX = 4096,  /* bytes of a list of names */
	CONF_SHOWN_MAX = 60    /* bytes of what a message quotes */
};

enum conf_kind {
	CONF_TEXT,     /* struct str, as it stands */
	CONF_PATH,     /* struct str, absolute, NUL-terminated */
	CONF_DATABASE, /* struct str, shown without its password */
	CONF_SECRET,   /* struct str of 32 to 256 characters, never shown */
	CONF_DURATION, /* int64_t, milliseconds */
	CONF_NUMBER,   /* unsigned */
	CONF_YES_NO,   /* bool */
	CONF_WORD,     /* enum, one of `words` */
	CONF_ORIGINS,
	CONF_NETS,
	CONF_MOUNT,
	CONF_SUBJECTS /* struct str, read into factor_subjects */
};

struct conf_key {
	const char *section, *key;
	enum conf_kind kind;
	size_t offset;	     /* in struct conf */
	size_t count_offset; /* lists */
	int64_t min, max;    /* numbers; durations in milliseconds */
	const char *words;   /* "stderr syslog" */
	const char *initial; /* as one would write it; NULL: unset */
	const char *help;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_count;

/* NULL: the section has no such key. */
const struct conf_key *conf_find_key(struct str section, struct str key);

/*
 * After the last line: fill in what follows from other keys.  On DK_ERR_CONF
 * why says what does not go together and *line where; 0: in no one line.
 */
enum dk_err conf_settle(
    struct conf *conf, unsigned *line, struct buf *why) DK_CHECK;

/* Where a value is kept: &conf->field. */
void *conf_field(struct conf *conf, const struct conf_key *key);

/*
 * Set the key from text, which outlives conf.  On DK_ERR_CONF message says
 * what is wrong and what is allowed; on DK_ERR_NOMEM the arena is used up.
 */
enum dk_err conf_set(struct conf *conf, const struct conf_key *key,
    struct str text, struct arena *arena, struct buf *message) DK_CHECK;
/* Print the value as one would write it. */
void conf_print(
    const struct conf *conf, const struct conf_key *key, struct buf *out);

/* The front of s, as much as a message quotes; never half a character. */
struct str conf_shown(struct str s);

/*
 * Does it hold an empty segment, "." or ".."?  Requests for such paths are
 * refused, so nothing may be configured for them.
 */
bool conf_path_is_odd(struct str path);

/* Parse the list of require_second_factor; errors as for conf_set. */
enum dk_err conf_read_factor(struct conf *conf, struct str text,
    struct arena *arena, struct buf *message) DK_CHECK;
/* Parse one line of [access] into *rule; errors as for conf_set. */
enum dk_err conf_read_rule(struct str pattern, struct str requirement,
    struct arena *arena, struct conf_rule *rule, struct buf *message) DK_CHECK;

#endif
