#include "base/log.h"

#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define LOG_RATE_MAX 200 /* lines a second */

static const char *const level_names[] = { "info", "warning", "error" };
static const int level_priorities[] = { LOG_INFO, LOG_WARNING, LOG_ERR };

/* At once, with the time zone that syslog(3) reads: a sandbox comes. */
static void
open_syslog(void)
{
	tzset();
	openlog("doorkeep", LOG_PID | LOG_NDELAY, LOG_AUTH);
}

void
log_open(
    struct log *log, enum log_destination destination, enum log_format format)
{
	*log = (struct log){ 0 };
	log->destination = destination;
	log->format = format;
	if (destination == LOG_TO_SYSLOG)
		open_syslog();
}

/* The front of a value that is too long, without half a character at the end
 * of well-formed text. */
static struct str
cut(struct str value)
{
	size_t n = LOG_VALUE_MAX;

	if (value.n <= n)
		return value;
	while (n > LOG_VALUE_MAX - 3 && (value.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(value, 0, n);
}

static void
add_field(
    struct buf *b, enum log_format format, const char *name, struct str value)
{
	value = cut(value);
	if (format == LOG_AS_JSON) {
		buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", name);
		buf_add_json(b, value);
		return;
	}
	buf_addf(b, "%s%s=", b->len > 0 ? " " : "", name);
	buf_add_json(b, value);
}

static void
emit(struct log *log, enum log_level level, struct buf *b)
{
	if (log->destination == LOG_TO_SYSLOG) {
		syslog(level_priorities[level], "%s", buf_z(b));
		return;
	}
	buf_addc(b, '\n');
	if (buf_ok(b) && write(STDERR_FILENO, b->p, b->len) < 0)
		return; /* a full disk or a closed stderr stops nobody */
}

static void
write_line(struct log *log, enum log_level level, const char *event,
    const struct log_field *fields, size_t n)
{
	char line[LOG_LINE_MAX], time[CLOCK_ISO_LEN + 1];
	struct buf b;
	size_t i;

	BUF_OVER(&b, line);
	clock_iso(clock_now_ms(), time);
	if (log->format == LOG_AS_JSON)
		buf_addc(&b, '{');
	add_field(&b, log->format, "time", str_from(time));
	add_field(&b, log->format, "level", str_from(level_names[level]));
	add_field(&b, log->format, "event", str_from(event));
	for (i = 0; i < n && i < LOG_FIELDS_MAX; i++) {
		struct buf before = b;

		if (str_is_none(fields[i].value))
			continue;
		add_field(&b, log->format, fields[i].name, fields[i].value);
		/* Leave room for the closing brace and the line's end; a
		 * field that is too long does not push out the later ones. */
		if (b.overflow || b.max - b.len < 2) {
			b = before;
			b.p[b.len] = '\0';
		}
	}
	if (log->format == LOG_AS_JSON)
		buf_addc(&b, '}');
	emit(log, level, &b);
}

/* True when one more line may be written in this second. */
static bool
within_rate(struct log *log)
{
	int64_t second = clock_monotonic_ms() / 1000;
	unsigned dropped = log->dropped;

	if (log->second != second) {
		log->second = second;
		log->written = 0;
		log->dropped = 0;
		if (dropped > 0) {
			char text[32];
			struct buf b;
			struct log_field field = { "count", STR_NONE };

			BUF_OVER(&b, text);
			buf_addf(&b, "%u", dropped);
			field.value = buf_str(&b);
			write_line(log, LOG_LEVEL_WARNING, "log_lines_dropped",
			    &field, 1);
		}
	}
	if (log->written >= LOG_RATE_MAX) {
		log->dropped++;
		return false;
	}
	log->written++;
	return true;
}

void
log_write(struct log *log, enum log_level level, const char *event,
    const struct log_field *fields, size_t n)
{
	if (level >= log->least && within_rate(log))
		write_line(log, level, event, fields, n);
}
