#ifndef DK_BASE_STR_H
#define DK_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A view of bytes that somebody else owns: not NUL-terminated, may hold NUL,
 * may be empty.  An absent value is STR_NONE (p == NULL); an empty one has
 * p != NULL and n == 0.  Parsers consume a str; none does its own pointer
 * arithmetic.
 */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf: "%.*s", STR_FMT(s) */
#define STR_FMT(s) (int)(s).n, (s).p == NULL ? "" : (s).p

/* View of a NUL-terminated string; NULL gives STR_NONE. */
struct str str_from(const char *z);
struct str str_sub(struct str s, size_t from, size_t len); /* clipped */

bool str_is_none(struct str s);
bool str_eq(struct str a, struct str b);   /* none equals empty */
bool str_ieq(struct str a, struct str b);  /* ASCII case ignored */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, char c);
/* Bytewise order, as memcmp with the shorter first. */
int str_cmp(struct str a, struct str b);

/*
 * Take the next field of *rest up to sep into *field and move *rest behind
 * the separator.  False when nothing is left (*rest is STR_NONE): "a,b" gives
 * a and b, "a," gives a and an empty field, "" gives one empty field.  *rest
 * starts as the whole text.
 */
bool str_cut(struct str *rest, char sep, struct str *field);
/* Split s at the first sep.  False, with *head = s, when there is none. */
bool str_split(struct str s, char sep, struct str *head, struct str *tail);
/* Without leading and trailing spaces and tabs (RFC 9110 5.6.3, OWS). */
struct str str_trim(struct str s);

/*
 * The decimal number that s is as a whole: digits only, no sign, no space,
 * at most max.  False, with *value = 0, for anything else.
 */
bool str_to_u64(struct str s, uint64_t max, uint64_t *value);

/* Value of a hexadecimal digit, or -1. */
int str_hex_digit(char c);

/* True when s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong). */
bool str_is_utf8(struct str s);
/* Number of code points of well-formed UTF-8. */
size_t str_utf8_len(struct str s);
/*
 * True when s is well-formed UTF-8 and holds no control (C0, DEL, C1), line
 * or paragraph separator, bidirectional or invisible character: fit to be
 * shown to a person, and put in a header or a log.
 */
bool str_is_printable(struct str s);

#endif
