#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

/* 2026-11-23T20:07:28Z; RFC 5424 6.2.1 numbers the severities. */
enum { START = 1795464448, RATE = 200, ERROR = 3, WARNING = 4, INFO = 6 };

#define HEAD(level, event)                                                \
	"{\"time\":\"2026-11-23T20:07:28.000Z\",\"level\":\"" level "\"," \
	"\"event\":\"" event "\""

static struct timespec now;
static int stderr_was = -1, capture = -1;
static struct log out;
static char written[128 * 1024];
static int syslog_priority;

int __attribute__((visibility("default")))
clock_gettime(clockid_t which, struct timespec *ts)
{
	/* The monotonic clock began when the machine started. */
	*ts = now;
	if (which == CLOCK_MONOTONIC)
		ts->tv_sec -= START - 100;
	return 0;
}

/*
 * The system's log is not written to.  The header is left out, for with it
 * these may be macros or inline; the second is what a fortified build calls.
 */
void openlog(const char *, int, int);
void syslog(int, const char *, ...) DK_PRINTF(2, 3);
void __syslog_chk(int, int, const char *, ...) DK_PRINTF(3, 4);

void __attribute__((visibility("default")))
openlog(const char *name, int options, int facility)
{
	(void)name;
	(void)options;
	(void)facility;
}

DK_PRINTF(2, 0)
static void
take_syslog(int priority, const char *fmt, va_list ap)
{
	struct buf b;

	syslog_priority = priority;
	BUF_OVER(&b, written);
	buf_vaddf(&b, fmt, ap);
}

void __attribute__((visibility("default")))
syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_syslog(priority, fmt, ap);
	va_end(ap);
}

void __attribute__((visibility("default")))
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	take_syslog(priority, fmt, ap);
	va_end(ap);
}

/* What log_write() writes from here on goes into a file in memory. */
static void
begin_capture(void)
{
	assert_int_equal(ftruncate(capture, 0), 0);
	assert_int_equal(lseek(capture, 0, SEEK_SET), 0);
	assert_int_equal(dup2(capture, STDERR_FILENO), STDERR_FILENO);
}

/* Back to the real stderr; what was written since. */
static struct str
end_capture(void)
{
	ssize_t n = pread(capture, written, sizeof(written) - 1, 0);

	assert_int_equal(dup2(stderr_was, STDERR_FILENO), STDERR_FILENO);
	assert_true(n >= 0 && (size_t)n < sizeof(written) - 1);
	written[n] = '\0';
	return (struct str){ written, (size_t)n };
}

static struct str
line_of(enum log_format format, const struct log_field *fields, size_t n)
{
	struct str line;

	log_open(&out, LOG_TO_STDERR, format);
	begin_capture();
	log_write(&out, LOG_LEVEL_INFO, "login_denied", fields, n);
	line = end_capture();
	/* One event is one line. */
	if (line.n == 0 || line.n > LOG_LINE_MAX || line.p[line.n - 1] != '\n')
		fail_msg("%zu bytes: %.200s", line.n, line.p);
	line.n--;
	if (!str_is_printable(line))
		fail_msg("not one printable line: %.*s", STR_FMT(line));
	return line;
}

/* The same as JSON, read by others. */
static json_t *
object_of(const struct log_field *fields, size_t n)
{
	struct str line = line_of(LOG_AS_JSON, fields, n);
	json_t *v = json_loadb(
	    line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	if (v == NULL)
		fail_msg("no JSON: %.*s", STR_FMT(line));
	return v;
}

static struct str
member(const json_t *object, const char *name)
{
	json_t *v = json_object_get(object, name);

	return (struct str){ json_string_value(v), json_string_length(v) };
}

static int
start(void **state)
{
	(void)state;
	now = (struct timespec){ START, 0 };
	stderr_was = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	capture = memfd_create("log", MFD_CLOEXEC);
	return stderr_was < 0 || capture < 0 ? -1 : 0;
}

static int
end(void **state)
{
	(void)state;
	(void)dup2(stderr_was, STDERR_FILENO);
	(void)close(stderr_was);
	(void)close(capture);
	return 0;
}

/* DK-E-04: the time with milliseconds in UTC, the event, the fields. */
static void
writes_one_line_an_event(void **state)
{
	(void)state;
	now.tv_nsec = 123456789;
	log_open(&out, LOG_TO_STDERR, LOG_AS_JSON);
	begin_capture();
	LOG_WRITE(&out, LOG_LEVEL_WARNING, "login_denied",
	    { "username", STR("ann") }, { "ip", STR("192.0.2.1") });
	(void)end_capture();
	assert_string_equal(written,
	    "{\"time\":\"2026-11-23T20:07:28.123Z\",\"level\":\"warning\","
	    "\"event\":\"login_denied\",\"username\":\"ann\","
	    "\"ip\":\"192.0.2.1\"}\n");
	log_open(&out, LOG_TO_STDERR, LOG_AS_TEXT);
	begin_capture();
	LOG_WRITE(&out, LOG_LEVEL_ERROR, "stop", { "pid", STR("7") });
	log_write(&out, LOG_LEVEL_INFO, "start", NULL, 0);
	(void)end_capture();
	assert_string_equal(written,
	    "time=\"2026-11-23T20:07:28.123Z\" level=\"error\" event=\"stop\" "
	    "pid=\"7\"\n"
	    "time=\"2026-11-23T20:07:28.123Z\" level=\"info\" "
	    "event=\"start\"\n");
}

static void
leaves_absent_fields_out(void **state)
{
	const struct log_field fields[] = { { "a", STR_NONE },
		{ "b", { "", 0 } }, { "c", STR_NONE }, { "d", { "x", 1 } } };
	struct str line = line_of(LOG_AS_JSON, fields, 4);

	(void)state;
	assert_true(str_eq(line,
	    STR(HEAD("info", "login_denied") ",\"b\":\"\",\"d\":\"x\"}")));
}

static const struct unsafe_case {
	const char *label, *in, *want;
} unsafe[] = {
	{ "line end", "a\nevent=login_ok", "\"a\\nevent=login_ok\"" },
	{ "carriage return", "a\r\nb", "\"a\\r\\nb\"" },
	{ "closing quote", "a\",\"event\":\"x",
	    "\"a\\\",\\\"event\\\":\\\"x\"" },
	{ "backslash at the end", "a\\", "\"a\\\\\"" },
	{ "terminal escape", "\x1b[2J", "\"\\u001b[2J\"" },
	{ "delete", "a\x7f", "\"a\\u007f\"" },
	{ "C1 next line",
	    "a\xc2\x85"
	    "b",
	    "\"a\\u0085b\"" },
	{ "C1 control sequence",
	    "\xc2\x9b"
	    "2J",
	    "\"\\u009b2J\"" },
	{ "line separator",
	    "a\xe2\x80\xa8"
	    "b",
	    "\"a\\u2028b\"" },
	{ "paragraph separator",
	    "a\xe2\x80\xa9"
	    "b",
	    "\"a\\u2029b\"" },
	{ "right-to-left override",
	    "\xe2\x80\xae"
	    "nna",
	    "\"\\u202enna\"" },
	{ "isolate",
	    "\xe2\x81\xa6"
	    "a\xe2\x81\xa9",
	    "\"\\u2066a\\u2069\"" },
	{ "zero width space", "a\xe2\x80\x8b", "\"a\\u200b\"" },
	{ "byte order mark",
	    "\xef\xbb\xbf"
	    "a",
	    "\"\\ufeffa\"" },
	{ "tag above 16 bits", "\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"" },
	{ "stray byte",
	    "a\xff"
	    "b",
	    "\"a\\ufffdb\"" },
	{ "raw C1",
	    "a\x9b"
	    "b",
	    "\"a\\ufffdb\"" },
	{ "cut off", "a\xe2\x82", "\"a\\ufffd\\ufffd\"" },
	{ "overlong line end", "a\xc0\x8a", "\"a\\ufffd\\ufffd\"" },
	{ "surrogate", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "letters stay", "Zo\xc3\xab", "\"Zo\xc3\xab\"" },
	{ "percent stays", "%s%n%", "\"%s%n%\"" },
};

/* DK-E-06, in both formats */
static void
escapes_what_forges_a_line(void **state)
{
	struct log_field field = { "username", STR_NONE };
	char want[256];
	struct str line;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		field.value = str_from(unsafe[i].in);
		BUF_OVER(&b, want);
		buf_addf(&b, HEAD("info", "login_denied") ",\"username\":%s}",
		    unsafe[i].want);
		line = line_of(LOG_AS_JSON, &field, 1);
		if (!str_eq(line, buf_str(&b)))
			fail_msg("%s: %.*s", unsafe[i].label, STR_FMT(line));
		buf_reset(&b);
		buf_addf(&b, " username=%s", unsafe[i].want);
		line = line_of(LOG_AS_TEXT, &field, 1);
		if (!str_ends(line, buf_str(&b)))
			fail_msg("%s: %.*s", unsafe[i].label, STR_FMT(line));
	}
}

/* DK-E-06: every byte in every field */
static void
writes_every_byte_in_every_field(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct log_field fields[3];
	char value[3] = "x?z";
	unsigned byte, at, i;
	json_t *object;

	(void)state;
	for (byte = 0; byte < 256; byte++)
		for (at = 0; at < 3; at++) {
			struct str s = { value, 3 }, got;

			for (i = 0; i < 3; i++)
				fields[i] =
				    (struct log_field){ names[i], STR("x") };
			value[1] = (char)byte;
			fields[at].value = s;
			(void)line_of(LOG_AS_TEXT, fields, 3);
			object = object_of(fields, 3);
			assert_int_equal(json_object_size(object), 6);
			got = member(object, names[at]);
			if (!str_eq(
				got, byte < 0x80 ? s : STR("x\xef\xbf\xbdz")))
				fail_msg("byte %u: %.*s", byte, STR_FMT(got));
			json_decref(object);
		}
}

static void
cuts_long_values(void **state)
{
	char value[LOG_VALUE_MAX + 50];
	struct log_field field = { "a", { value, 0 } };
	json_t *object;
	size_t n;

	(void)state;
	memset(value, 'x', sizeof(value));
	for (n = LOG_VALUE_MAX - 2; n <= sizeof(value); n++) {
		field.value.n = n;
		object = object_of(&field, 1);
		assert_int_equal(member(object, "a").n,
		    n < LOG_VALUE_MAX ? n : LOG_VALUE_MAX);
		json_decref(object);
	}
}

/* A cut leaves no half character that looks like a malformed one. */
static void
cuts_between_characters(void **state)
{
	static const char *const letters[] = { "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80" };
	char value[LOG_VALUE_MAX + 50];
	struct log_field field = { "a", STR_NONE };
	struct str letter, got;
	size_t kind, before;
	json_t *object;
	struct buf b;

	(void)state;
	for (kind = 0; kind < 3; kind++)
		for (before = 0; before < 4; before++) {
			letter = str_from(letters[kind]);
			BUF_OVER(&b, value);
			buf_add(&b, str_sub(STR("xxxx"), 0, before));
			while (b.len <= LOG_VALUE_MAX)
				buf_add(&b, letter);
			field.value = buf_str(&b);
			object = object_of(&field, 1);
			got = member(object, "a");
			assert_true(str_starts(field.value, got));
			assert_true(got.n <= LOG_VALUE_MAX &&
			    got.n > LOG_VALUE_MAX - letter.n);
			assert_int_equal((got.n - before) % letter.n, 0);
			json_decref(object);
		}
	/* What is malformed all over is cut as well. */
	memset(value, '\x80', sizeof(value));
	field.value = (struct str){ value, sizeof(value) };
	object = object_of(&field, 1);
	json_decref(object);
}

/*
 * A line is whole at every length, and what does not fit does not push out
 * the short fields behind it: a long name must not hide an address.
 */
static void
keeps_a_full_line_whole(void **state)
{
	char bytes[LOG_VALUE_MAX], letters[8];
	struct log_field fields[] = { { "a", { bytes, sizeof(bytes) } },
		{ "b", { bytes, sizeof(bytes) } }, { "c", { bytes, 0 } },
		{ "d", { letters, 0 } }, { "e", { bytes, sizeof(bytes) } },
		{ "f", { letters, sizeof(letters) } } };
	size_t longest = 0;

	(void)state;
	memset(bytes, '\xff', sizeof(bytes));
	memset(letters, 'x', sizeof(letters));
	for (fields[2].value.n = 130; fields[2].value.n < 170;
	     fields[2].value.n++)
		for (fields[3].value.n = 0; fields[3].value.n < 7;
		     fields[3].value.n++) {
			json_t *object = object_of(fields, 5);
			struct str line = line_of(LOG_AS_TEXT, fields, 5);

			json_decref(object);
			longest = line.n > longest ? line.n : longest;
		}
	/* The lengths above reach the end. */
	assert_true(longest >= LOG_LINE_MAX - 8);
}

static void
keeps_short_fields_behind_long_ones(void **state)
{
	char bytes[LOG_VALUE_MAX];
	struct str junk = { bytes, sizeof(bytes) };
	const struct log_field fields[] = { { "a", junk }, { "b", junk },
		{ "c", junk }, { "d", junk }, { "ip", { "192.0.2.1", 9 } } };
	json_t *object;

	(void)state;
	memset(bytes, '\xff', sizeof(bytes));
	object = object_of(fields, 5);
	assert_true(str_eq(member(object, "ip"), STR("192.0.2.1")));
	json_decref(object);
}

static void
takes_so_many_fields(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g",
		"h", "i", "j", "k", "l", "m", "n" };
	struct log_field fields[LOG_FIELDS_MAX + 2];
	json_t *object;
	size_t i;

	(void)state;
	for (i = 0; i < LOG_FIELDS_MAX + 2; i++)
		fields[i] = (struct log_field){ names[i], STR("x") };
	object = object_of(fields, LOG_FIELDS_MAX + 2);
	assert_non_null(json_object_get(object, "l"));
	assert_null(json_object_get(object, "m"));
	json_decref(object);
}

static size_t
lines_in(struct str text)
{
	size_t n = 0, i;

	for (i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static void
writes_from_the_least_level_on(void **state)
{
	int least, level;

	(void)state;
	log_open(&out, LOG_TO_STDERR, LOG_AS_JSON);
	assert_int_equal(out.least, LOG_LEVEL_INFO);
	for (least = LOG_LEVEL_INFO; least <= LOG_LEVEL_ERROR; least++)
		for (level = LOG_LEVEL_INFO; level <= LOG_LEVEL_ERROR;
		     level++) {
			log_open(&out, LOG_TO_STDERR, LOG_AS_JSON);
			out.least = (enum log_level)least;
			begin_capture();
			log_write(&out, (enum log_level)level, "a", NULL, 0);
			assert_int_equal(
			    lines_in(end_capture()), level >= least);
		}
}

static struct str
flood(unsigned n)
{
	begin_capture();
	while (n-- > 0)
		log_write(&out, LOG_LEVEL_INFO, "a", NULL, 0);
	return end_capture();
}

/* DK-E-07: a flood does not fill the disk, and does not go unsaid. */
static void
bounds_the_lines_of_a_second(void **state)
{
	struct str text;

	(void)state;
	log_open(&out, LOG_TO_STDERR, LOG_AS_JSON);
	assert_int_equal(lines_in(flood(RATE)), RATE);
	assert_int_equal(flood(34).n, 0);
	now.tv_nsec = 999999999;
	assert_int_equal(flood(1).n, 0);
	now = (struct timespec){ START + 1, 0 };
	text = flood(1);
	assert_int_equal(lines_in(text), 2);
	assert_true(str_starts(text,
	    STR("{\"time\":\"2026-11-23T20:07:29.000Z\","
		"\"level\":\"warning\",\"event\":\"log_lines_dropped\","
		"\"count\":\"35\"}\n")));
	/* It is said once; and the next second has all its lines. */
	now.tv_sec++;
	assert_int_equal(lines_in(flood(RATE + 1)), RATE);
	/* A quiet hour does not forget what was left out. */
	now.tv_sec += 3600;
	text = flood(1);
	assert_int_equal(lines_in(text), 2);
	assert_non_null(strstr(text.p, "\"count\":\"1\"}"));
	now.tv_sec++;
	assert_int_equal(lines_in(flood(1)), 1);
}

/* What nobody wants to see does not use up the lines of a second. */
static void
counts_only_what_is_written(void **state)
{
	(void)state;
	log_open(&out, LOG_TO_STDERR, LOG_AS_JSON);
	out.least = LOG_LEVEL_WARNING;
	assert_int_equal(flood(2 * RATE).n, 0);
	begin_capture();
	log_write(&out, LOG_LEVEL_ERROR, "a", NULL, 0);
	assert_int_equal(lines_in(end_capture()), 1);
}

/* DK-E-07, DK-E-08: closed, full, not for writing */
static void
goes_on_without_a_place_to_write(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(full >= 0 && read_only >= 0);
	log_open(&out, LOG_TO_STDERR, LOG_AS_JSON);
	assert_int_equal(close(STDERR_FILENO), 0);
	log_write(&out, LOG_LEVEL_ERROR, "a", NULL, 0);
	(void)dup2(full, STDERR_FILENO);
	log_write(&out, LOG_LEVEL_ERROR, "a", NULL, 0);
	(void)dup2(read_only, STDERR_FILENO);
	log_write(&out, LOG_LEVEL_ERROR, "a", NULL, 0);
	(void)close(full);
	(void)close(read_only);
	/* And it is there again when stderr is. */
	assert_int_equal(lines_in(flood(1)), 1);
}

/* DK-E-08 */
static void
writes_to_the_system_log(void **state)
{
	static const int priorities[] = { INFO, WARNING, ERROR };
	int level;

	(void)state;
	log_open(&out, LOG_TO_SYSLOG, LOG_AS_JSON);
	for (level = LOG_LEVEL_INFO; level <= LOG_LEVEL_ERROR; level++) {
		begin_capture();
		LOG_WRITE(
		    &out, (enum log_level)level, "a", { "b", STR("%s%n\n") });
		assert_int_equal(lseek(capture, 0, SEEK_CUR), 0);
		assert_int_equal(
		    dup2(stderr_was, STDERR_FILENO), STDERR_FILENO);
		assert_int_equal(syslog_priority, priorities[level]);
		assert_non_null(strstr(written, ",\"b\":\"%s%n\\n\"}"));
		assert_null(strchr(written, '\n'));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_one_line_an_event),
		TEST(leaves_absent_fields_out),
		TEST(escapes_what_forges_a_line),
		TEST(writes_every_byte_in_every_field),
		TEST(cuts_long_values),
		TEST(cuts_between_characters),
		TEST(keeps_a_full_line_whole),
		TEST(keeps_short_fields_behind_long_ones),
		TEST(takes_so_many_fields),
		TEST(writes_from_the_least_level_on),
		TEST(bounds_the_lines_of_a_second),
		TEST(counts_only_what_is_written),
		TEST(goes_on_without_a_place_to_write),
		TEST(writes_to_the_system_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
