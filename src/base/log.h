#ifndef DK_BASE_LOG_H
#define DK_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * One event, one line, on stderr or syslog, as JSON or as key=value text.
 * Control bytes and the like are escaped and values cut at LOG_VALUE_MAX.
 * A failing log never stops the program.  Never give it a secret.
 */
enum { LOG_VALUE_MAX = 256, LOG_FIELDS_MAX = 12, LOG_LINE_MAX = 4096 };

enum log_destination { LOG_TO_STDERR, LOG_TO_SYSLOG };
enum log_format { LOG_AS_JSON, LOG_AS_TEXT };
enum log_level { LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log {
	enum log_destination destination;
	enum log_format format;
	enum log_level least; /* what is below it is not written */
	/* At most LOG_RATE_MAX lines are written in any one second; what is
	 * left out is counted and said with a later line. */
	int64_t second;
	unsigned written, dropped;
};

struct log_field {
	const char *name; /* [a-z_]+, a literal */
	struct str value; /* STR_NONE leaves the field out */
};

void log_open(struct log *log, enum log_destination, enum log_format);

/*
 * Write `event` (a literal, [a-z_]+) with n fields.  The line begins with the
 * time, the level and the event.
 */
void log_write(struct log *log, enum log_level level, const char *event,
    const struct log_field *fields, size_t n);
#define LOG_WRITE(log, level, event, ...) \
	log_write((log), (level), (event), \
	    (const struct log_field[]){ __VA_ARGS__ }, \
	    sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
		sizeof(struct log_field))

#endif
