#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define LAST INT64_C(253402300799999)

static const struct time_case {
	int64_t ms;
	const char *iso, *http;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 1, "1970-01-01T00:00:00.001Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 999, "1970-01-01T00:00:00.999Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 1000, "1970-01-01T00:00:01.000Z", "Thu, 01 Jan 1970 00:00:01 GMT" },
	/* The example of RFC 9110 5.6.7. */
	{ INT64_C(784111777000), "1994-11-06T08:49:37.000Z",
	    "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ INT64_C(951782400000), "2000-02-29T00:00:00.000Z",
	    "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ INT64_C(1795464448123), "2026-11-23T20:07:28.123Z",
	    "Mon, 23 Nov 2026 20:07:28 GMT" },
	/* DK-Z-01: the last second of 32 bits, signed and unsigned. */
	{ INT64_C(2147483647999), "2038-01-19T03:14:07.999Z",
	    "Tue, 19 Jan 2038 03:14:07 GMT" },
	{ INT64_C(2147483648000), "2038-01-19T03:14:08.000Z",
	    "Tue, 19 Jan 2038 03:14:08 GMT" },
	{ INT64_C(4294967296000), "2106-02-07T06:28:16.000Z",
	    "Sun, 07 Feb 2106 06:28:16 GMT" },
	/* DK-Z-01: 2100 is no leap year. */
	{ INT64_C(4107542399000), "2100-02-28T23:59:59.000Z",
	    "Sun, 28 Feb 2100 23:59:59 GMT" },
	{ INT64_C(4107542400000), "2100-03-01T00:00:00.000Z",
	    "Mon, 01 Mar 2100 00:00:00 GMT" },
	{ LAST, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT" },
	/* What cannot be written comes out as the nearest. */
	{ -1, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ INT64_MIN, "1970-01-01T00:00:00.000Z",
	    "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ LAST + 1, "9999-12-31T23:59:59.999Z",
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ INT64_MAX, "9999-12-31T23:59:59.999Z",
	    "Fri, 31 Dec 9999 23:59:59 GMT" },
};

static void
check_times(const char *where)
{
	char iso[CLOCK_ISO_LEN + 1], http[CLOCK_HTTP_LEN + 1];
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		clock_iso(times[i].ms, iso);
		clock_http(times[i].ms, http);
		if (strcmp(iso, times[i].iso) != 0 ||
		    strcmp(http, times[i].http) != 0)
			fail_msg("%s, %jd: %s, %s", where,
			    (intmax_t)times[i].ms, iso, http);
	}
}

static void
writes_times_of_all_centuries(void **state)
{
	(void)state;
	check_times("as it is");
}

/* DK-Z-01 */
static void
does_not_mind_where_it_runs(void **state)
{
	static const char *const zones[] = { "UTC", "NPT-5:45", "HST10",
		"XXX-14YYY-15,0/0,J365/25", "Asia/Kathmandu", "right/UTC",
		"nowhere/at all", "" };
	static const char *const locales[] = { "C", "C.UTF-8", "de_DE.UTF-8",
		"ar_EG.UTF-8", "fa_IR.UTF-8", "th_TH.UTF-8" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		check_times(zones[i]);
	}
	assert_int_equal(setenv("TZ", "NPT-5:45", 1), 0);
	tzset();
	/* A locale that is not installed leaves the one before. */
	for (i = 0; i < sizeof(locales) / sizeof(locales[0]); i++) {
		(void)setlocale(LC_ALL, locales[i]);
		check_times(locales[i]);
	}
	(void)setlocale(LC_ALL, "C");
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

/*
 * Where clocks go back by an hour, by half of one, or by more: the text of an
 * end is never later than what the clock on the wall shows after that end.
 */
static void
ends_in_local_time_are_never_late(void **state)
{
	static const char *const zones[] = { "UTC0", "NPT-5:45",
		"CET-1CEST,M3.5.0,M10.5.0/3", "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
		"XXX0YYY-3,M3.2.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0" };
	const int64_t minute = 60000;
	char text[CLOCK_LOCAL_LEN + 1], wall[32];
	int64_t day, end, later;
	struct tm parts;
	time_t t;
	size_t z;

	(void)state;
	for (z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		assert_int_equal(setenv("TZ", zones[z], 1), 0);
		tzset();
		/* Two years of 26 hours' steps, each with the hours behind. */
		for (day = 0; day < 670; day++) {
			end = INT64_C(1795464448123) + day * 1571 * minute;
			clock_local_end(end, text);
			for (later = 0; later < 300; later += 13) {
				t = (time_t)((end + later * minute) / 1000);
				assert_non_null(localtime_r(&t, &parts));
				(void)strftime(wall, sizeof(wall),
				    "%Y%m%d%H%M%S", &parts);
				if (strcmp(text, wall) > 0)
					fail_msg("%s: %s > %s", zones[z], text,
					    wall);
				if (later == 0 && z < 2)
					assert_string_equal(text, wall);
			}
		}
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

/* Each day from 1970 to 9999 by the rules of the calendar. */
static void
counts_every_day(void **state)
{
	static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31 };
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon",
		"Tue", "Wed" };
	char iso[CLOCK_ISO_LEN + 1], http[CLOCK_HTTP_LEN + 1];
	unsigned year, month, day;
	int64_t n = 0;

	(void)state;
	for (year = 1970; year <= 9999; year++)
		for (month = 0; month < 12; month++) {
			bool leap = year % 4 == 0 &&
			    (year % 100 != 0 || year % 400 == 0);
			unsigned last = lengths[month] + (month == 1 && leap);

			/* The first and the last day of each month. */
			for (day = 1; day <= last; day += last - 1) {
				int64_t at = n + day - 1;

				clock_iso(at * 86400000, iso);
				clock_http(at * 86400000, http);
				if ((unsigned)strtoul(iso, NULL, 10) != year ||
				    (unsigned)strtoul(iso + 5, NULL, 10) !=
					month + 1 ||
				    (unsigned)strtoul(iso + 8, NULL, 10) !=
					day ||
				    memcmp(http, days[at % 7], 3) != 0)
					fail_msg("day %jd: %s, %s",
					    (intmax_t)at, iso, http);
			}
			n += last;
		}
	assert_int_equal(n * 86400000, LAST + 1);
}

static void
writes_texts_of_the_promised_length(void **state)
{
	char iso[CLOCK_ISO_LEN + 1], http[CLOCK_HTTP_LEN + 1];

	(void)state;
	clock_iso(0, iso);
	clock_http(0, http);
	assert_int_equal(strlen(iso), CLOCK_ISO_LEN);
	assert_int_equal(strlen(http), CLOCK_HTTP_LEN);
	clock_iso(LAST, iso);
	clock_http(LAST, http);
	assert_int_equal(strlen(iso), CLOCK_ISO_LEN);
	assert_int_equal(strlen(http), CLOCK_HTTP_LEN);
}

/* What the clocks of the system say, for the tests below. */
static struct timespec real_time, monotonic_time;

int __attribute__((visibility("default")))
clock_gettime(clockid_t which, struct timespec *ts)
{
	*ts = which == CLOCK_REALTIME ? real_time : monotonic_time;
	return 0;
}

static void
reads_the_clocks_in_milliseconds(void **state)
{
	(void)state;
	real_time = (struct timespec){ 1795464448, 123999999 };
	monotonic_time = (struct timespec){ 5, 1000000 };
	assert_int_equal(clock_now_ms(), INT64_C(1795464448123));
	assert_int_equal(clock_monotonic_ms(), 5001);
	/* DK-Z-01 */
	real_time = (struct timespec){ INT64_C(4107542400), 999999999 };
	assert_int_equal(clock_now_ms(), INT64_C(4107542400999));
}

static void
reads_the_days_that_it_writes(void **state)
{
	static const char *const none[] = { "", "2026-11-2", "2026-11-231",
		"2026-13-01", "2026-00-01", "2026-01-00", "2026-02-29",
		"2100-02-29", "1969-12-31", "2026-04-31", "2026/04/01",
		"+026-04-01", "2026-4-001", " 2026-04-1" };
	char text[CLOCK_ISO_LEN + 1];
	int64_t day, ms;
	size_t i;

	(void)state;
	for (day = 0; day < 2932897; day += day < 60000 ? 1 : 97) {
		clock_iso(day * 86400000, text);
		assert_true(
		    clock_parse_day(str_sub(str_from(text), 0, 10), &ms));
		if (ms != day * 86400000)
			fail_msg("%s", text);
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ms = 1;
		if (clock_parse_day(str_from(none[i]), &ms) || ms != 0)
			fail_msg("%s", none[i]);
	}
	assert_false(clock_parse_day(STR_NONE, &ms));
}

/* RFC 9110 5.6.7: all three forms. */
static void
reads_the_dates_of_http(void **state)
{
	static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" };
	static const char *const bad[] = { "", "Sun, 06 Nov 1994 08:49:37",
		"Mon, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 Xxx 1994 08:49:37 GMT",
		"Thu, 30 Feb 2024 00:00:00 GMT",
		"Wed, 31 Dec 1969 23:59:59 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sunday, 06-Nov-94 08:49:37 GM", "Sun Nov 66 08:49:37 1994",
		"Sunday, 06-Nov-1994 08:49:37 GMT", "784111777", "," };
	char text[CLOCK_HTTP_LEN + 1];
	int64_t day, ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(clock_parse_http(str_from(good[i]), &ms));
		assert_int_equal(ms, INT64_C(784111777000));
	}
	assert_true(clock_parse_http(STR("Tue, 29-Feb-00 00:00:00 GMT"), &ms) ==
	    false);
	assert_true(
	    clock_parse_http(STR("Tuesday, 29-Feb-00 00:00:00 GMT"), &ms));
	assert_int_equal(ms, INT64_C(951782400000));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ms = 1;
		if (clock_parse_http(str_from(bad[i]), &ms) || ms != 0)
			fail_msg("%s", bad[i]);
	}
	for (day = 0; day < 60000; day += 7) {
		clock_http(day * 86399000, text);
		assert_true(clock_parse_http(str_from(text), &ms));
		assert_int_equal(ms, day * 86399000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_days_that_it_writes),
		cmocka_unit_test(reads_the_dates_of_http),
		cmocka_unit_test(writes_times_of_all_centuries),
		cmocka_unit_test(does_not_mind_where_it_runs),
		cmocka_unit_test(ends_in_local_time_are_never_late),
		cmocka_unit_test(counts_every_day),
		cmocka_unit_test(writes_texts_of_the_promised_length),
		cmocka_unit_test(reads_the_clocks_in_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
