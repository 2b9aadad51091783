#ifndef DK_BASE_CLOCK_H
#define DK_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * The only clock.  Programs read it at their edge (once per request, once per
 * command) and hand the time down as `now_ms`; nothing below reads a clock,
 * so a test gives whatever time it likes.
 */

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_now_ms(void);
/* Milliseconds of a clock that never jumps, for time limits. */
int64_t clock_monotonic_ms(void);

/* The same in microseconds, and a sleep until then. */
int64_t clock_monotonic_us(void);
void clock_sleep_until_us(int64_t monotonic_us);

/*
 * The time as text, always UTC and English whatever TZ and locale say.
 * Years 1970 to 9999; earlier and later times come out as the nearest.
 */
enum { CLOCK_ISO_LEN = 24, CLOCK_HTTP_LEN = 29 };
/* 2026-11-23T20:07:28.123Z (RFC 3339) */
void clock_iso(int64_t ms, char text[CLOCK_ISO_LEN + 1]);
/* Mon, 23 Nov 2026 20:07:28 GMT (RFC 9110 5.6.7, IMF-fixdate) */
void clock_http(int64_t ms, char text[CLOCK_HTTP_LEN + 1]);

/*
 * 20261123200728 in the zone of this machine, as Apache's %{TIME} counts, for
 * a time at which something ends: that clock never shows less once it is
 * over, also when it goes back within the next hours (then the text is that
 * much early).
 */
enum { CLOCK_LOCAL_LEN = 14 };
/* Reads the zone's file: a worker that then shuts itself in keeps it. */
void clock_prepare_local(void);
void clock_local_end(int64_t ms, char text[CLOCK_LOCAL_LEN + 1]);

/*
 * An HTTP date in any of the three forms of RFC 9110 5.6.7; a year of two
 * digits is one of 1970 to 2069.  False, with *ms = 0, for anything else, and
 * for a day of the week that it was not.
 */
bool clock_parse_http(struct str text, int64_t *ms);

/* "2026-11-23": when that day began; 1970 to 9999, exactly this form. */
bool clock_parse_day(struct str text, int64_t *ms);

#endif
