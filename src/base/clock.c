#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CLOCK_LAST_MS INT64_C(253402300799999) /* the end of the year 9999 */

static int64_t
read_ms(clockid_t which)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t
clock_monotonic_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

/* The parts of the nearest time that can be written; milliseconds returned. */
static unsigned
split(int64_t ms, struct tm *tm)
{
	time_t s;

	if (ms < 0)
		ms = 0;
	if (ms > CLOCK_LAST_MS)
		ms = CLOCK_LAST_MS;
	s = (time_t)(ms / 1000);
	memset(tm, 0, sizeof(*tm));
	(void)gmtime_r(&s, tm);
	return (unsigned)(ms % 1000);
}

void
clock_iso(int64_t ms, char text[CLOCK_ISO_LEN + 1])
{
	struct tm tm;
	unsigned milli = split(ms, &tm);

	(void)snprintf(text, CLOCK_ISO_LEN + 1,
	    "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000u,
	    (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
	    (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
	    (unsigned)tm.tm_sec % 100u, milli);
}

void
clock_http(int64_t ms, char text[CLOCK_HTTP_LEN + 1])
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	(void)split(ms, &tm);
	(void)snprintf(text, CLOCK_HTTP_LEN + 1,
	    "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
	    (unsigned)tm.tm_mday % 100u, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
	    (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}
