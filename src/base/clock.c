#include "base/clock.h"

#include <time.h>

#include "base/buf.h"

#define CLOCK_LAST_MS INT64_C(253402300799999) /* the end of the year 9999 */
#define DAY_MS	      86400000

static int64_t
read_us(clockid_t which)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_now_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t
clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void
clock_sleep_until_us(int64_t monotonic_us)
{
	int64_t left_us;

	/* A signal ends a sleep early. */
	while ((left_us = monotonic_us - clock_monotonic_us()) > 0) {
		const struct timespec pause = { .tv_sec = left_us / 1000000,
			.tv_nsec = left_us % 1000000 * 1000 };

		(void)nanosleep(&pause, NULL);
	}
}

static bool
is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* A time in UTC: month and weekday (Sunday) from 0, the day from 1. */
struct date {
	unsigned year, month, day, weekday, hour, minute, second, ms;
};

/* month: from 0 */
static unsigned
month_length(unsigned year, unsigned month)
{
	static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31 };

	return lengths[month] + (month == 1 && is_leap(year));
}

/*
 * The nearest time that can be written, in its parts.  Not by gmtime(): with
 * TZ=right/UTC that counts leap seconds, which Unix time does not.
 */
static struct date
split(int64_t ms)
{
	const unsigned cycle = 146097; /* days of 400 years */
	struct date d = { .year = 1970 };
	unsigned days, left, n;

	ms = ms < 0 ? 0 : ms > CLOCK_LAST_MS ? CLOCK_LAST_MS : ms;
	days = (unsigned)(ms / DAY_MS);
	left = (unsigned)(ms % DAY_MS);
	d.weekday = (days + 4) % 7; /* the first day was a Thursday */
	d.year += days / cycle * 400;
	days %= cycle;
	while (days >= (n = is_leap(d.year) ? 366 : 365)) {
		days -= n;
		d.year++;
	}
	while (days >= (n = month_length(d.year, d.month))) {
		days -= n;
		d.month++;
	}
	d.day = days + 1;
	d.hour = left / 3600000;
	d.minute = left / 60000 % 60;
	d.second = left / 1000 % 60;
	d.ms = left % 1000;
	return d;
}

void
clock_iso(int64_t ms, char text[CLOCK_ISO_LEN + 1])
{
	struct date d = split(ms);
	struct buf b;

	buf_init(&b, text, CLOCK_ISO_LEN + 1);
	buf_addf(&b, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year, d.month + 1,
	    d.day, d.hour, d.minute, d.second, d.ms);
}

static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May",
	"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void
clock_http(int64_t ms, char text[CLOCK_HTTP_LEN + 1])
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	struct date d = split(ms);
	struct buf b;

	buf_init(&b, text, CLOCK_HTTP_LEN + 1);
	buf_addf(&b, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[d.weekday],
	    d.day, month_names[d.month], d.year, d.hour, d.minute, d.second);
}

/* Seconds by which the local clock is ahead of UTC. */
static int64_t
local_offset_s(int64_t ms)
{
	const time_t t = (time_t)(ms / 1000);
	struct tm parts;

	return localtime_r(&t, &parts) == NULL ? 0 : parts.tm_gmtoff;
}

void
clock_prepare_local(void)
{
	tzset();
}

void
clock_local_end(int64_t ms, char text[CLOCK_LOCAL_LEN + 1])
{
	enum { STEP_MS = 15 * 60 * 1000, STEPS = 16 };
	int64_t offset_s = local_offset_s(ms), later_s;
	struct date d;
	struct buf b;
	int i;

	for (i = 1; i <= STEPS; i++) {
		later_s = local_offset_s(ms + i * (int64_t)STEP_MS);
		if (later_s < offset_s)
			offset_s = later_s;
	}
	d = split(ms + offset_s * 1000);
	buf_init(&b, text, CLOCK_LOCAL_LEN + 1);
	buf_addf(&b, "%04u%02u%02u%02u%02u%02u", d.year, d.month + 1, d.day,
	    d.hour, d.minute, d.second);
}

/* From the first day of year 1, as if the calendar had always been ours. */
static int64_t
days_before(uint64_t year)
{
	int64_t n = (int64_t)year - 1;

	return 365 * n + n / 4 - n / 100 + n / 400;
}

bool
clock_parse_day(struct str text, int64_t *ms)
{
	uint64_t year, month, day;
	int64_t days;
	unsigned m;

	*ms = 0;
	if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-' ||
	    !str_to_u64(str_sub(text, 0, 4), 9999, &year) || year < 1970 ||
	    !str_to_u64(str_sub(text, 5, 2), 12, &month) || month == 0 ||
	    !str_to_u64(str_sub(text, 8, 2), 31, &day) || day == 0 ||
	    day > month_length((unsigned)year, (unsigned)month - 1))
		return false;
	days = days_before(year) - days_before(1970) + (int64_t)day - 1;
	for (m = 0; m + 1 < month; m++)
		days += month_length((unsigned)year, m);
	*ms = days * DAY_MS;
	return true;
}

/* Mon, 23 Nov 2026 20:07:28 GMT: right if it comes out the same again. */
static bool
parse_fixdate(struct str text, int64_t *ms)
{
	char day_text[16], again[CLOCK_HTTP_LEN + 1];
	uint64_t hour, minute, second;
	unsigned m = 0;
	struct buf day;

	if (text.n != CLOCK_HTTP_LEN)
		return false;
	while (m < 11 &&
	    !str_eq(str_sub(text, 8, 3), str_from(month_names[m])))
		m++;
	BUF_OVER(&day, day_text);
	buf_addf(&day, "%.4s-%02u-%.2s", text.p + 12, m + 1, text.p + 5);
	if (!clock_parse_day(buf_str(&day), ms) ||
	    !str_to_u64(str_sub(text, 17, 2), 23, &hour) ||
	    !str_to_u64(str_sub(text, 20, 2), 59, &minute) ||
	    !str_to_u64(str_sub(text, 23, 2), 59, &second))
		return false;
	*ms += (int64_t)((hour * 60 + minute) * 60 + second) * 1000;
	clock_http(*ms, again);
	return str_eq(str_from(again), text);
}

bool
clock_parse_http(struct str text, int64_t *ms)
{
	char fixed[CLOCK_HTTP_LEN + 8];
	struct str weekday, rest;
	struct buf b;

	BUF_OVER(&b, fixed);
	if (!str_split(text, ',', &weekday, &rest)) {
		/* Sun Nov  6 08:49:37 1994 */
		if (text.n == 24)
			buf_addf(&b, "%.3s, %c%c %.3s %.4s %.8s GMT", text.p,
			    text.p[8] == ' ' ? '0' : text.p[8], text.p[9],
			    text.p + 4, text.p + 20, text.p + 11);
	} else if (rest.n == 23 && weekday.n >= 6) {
		/* Sunday, 06-Nov-94 08:49:37 GMT */
		buf_addf(&b, "%.3s, %.2s %.3s %s%.2s %.8s%.4s", weekday.p,
		    rest.p + 1, rest.p + 4, rest.p[8] >= '7' ? "19" : "20",
		    rest.p + 8, rest.p + 11, rest.p + 19);
	} else {
		buf_add(&b, text);
	}
	*ms = 0;
	if (buf_ok(&b) && parse_fixdate(buf_str(&b), ms))
		return true;
	*ms = 0;
	return false;
}
