/*
 * What the command line says, and the one secret that it reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/utf8.h"
#include "ctl/ctl.h"

/* ---- saying things
 * ----------------------------------------------------------- */
/* Text that may hold anything becomes one line that a terminal bears. */
static void
put_clean(FILE *out, struct str text)
{
	struct str at;
	uint32_t cp;

	while (text.n > 0) {
		at = text;
		if (utf8_next(&text, &cp) && !utf8_is_unsafe(cp)) {
			(void)fwrite(at.p, 1, at.n - text.n, out);
			continue;
		}
		(void)fputc('?', out);
		if (text.n == at.n)
			text = str_sub(at, 1, at.n);
	}
}

static void DK_PRINTF(1, 0) complain(const char *fmt, va_list ap)
{
	char text[CTL_MESSAGE_MAX + CTL_PATH_MAX];
	struct buf b;

	BUF_OVER(&b, text);
	buf_vaddf(&b, fmt, ap);
	(void)fflush(stdout);
	(void)fputs("doorkeep: ", stderr);
	put_clean(stderr, buf_str(&b));
	(void)fputc('\n', stderr);
}

enum ctl_exit
ctl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

enum ctl_exit
ctl_misuse(const struct ctl *ctl, const char *fmt, ...)
{
	const struct ctl_command *c = ctl == NULL ? NULL : ctl->command;
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	if (c == NULL)
		(void)fputs("doorkeep help lists the commands.\n", stderr);
	else
		(void)fprintf(stderr, "doorkeep %s%s%s --help says more.\n",
		    c->noun, c->verb == NULL ? "" : " ",
		    c->verb == NULL ? "" : c->verb);
	return CTL_USAGE;
}

enum ctl_exit
ctl_fail_err(enum dk_err err, const char *what)
{
	switch (err) {
	case DK_ERR_BUSY:
		return ctl_fail("%s: others keep the store busy; try again in "
				"a moment",
		    what);
	case DK_ERR_STORE:
		return ctl_fail("%s: the store failed; doorkeep db check may "
				"say more",
		    what);
	case DK_ERR_RANDOM:
		return ctl_fail("%s: the kernel gives no randomness", what);
	case DK_ERR_NOMEM:
		return ctl_fail("%s: there is not enough memory", what);
	default:
		return ctl_fail("%s (%s)", what, err_name(err));
	}
}

void
ctl_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

void
ctl_put(struct str text)
{
	put_clean(stdout, text);
}

void
ctl_put_column(struct str text, unsigned width)
{
	size_t i, columns = 0;

	put_clean(stdout, text);
	for (i = 0; i < text.n; i++) /* continuation bytes take no room */
		columns += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	for (; columns < width; columns++)
		(void)putchar(' ');
	(void)putchar(' ');
}

enum ctl_exit
ctl_put_json(const struct buf *json)
{
	if (!buf_ok(json))
		return ctl_fail("the result is too long");
	(void)fwrite(json->p, 1, json->len, stdout);
	(void)putchar('\n');
	return CTL_DONE;
}

/* ---- secrets
 * ------------------------------------------------------------------- */
static enum ctl_exit
read_whole_stdin(struct buf *pw)
{
	char bytes[PASSWORD_BYTES_MAX + 2];
	size_t n = 0;
	ssize_t got = 1;

	while (got > 0 && n < sizeof(bytes)) {
		got = read(STDIN_FILENO, bytes + n, sizeof(bytes) - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	if (n > 0 && n < sizeof(bytes) && bytes[n - 1] == '\n')
		n--;
	buf_add(pw, (struct str){ bytes, n });
	secret_wipe(bytes, sizeof(bytes));
	if (got < 0)
		return ctl_fail("stdin cannot be read: %s", strerror(errno));
	if (n > PASSWORD_BYTES_MAX || !buf_ok(pw))
		return ctl_fail(
		    "the password is longer than %d bytes", PASSWORD_BYTES_MAX);
	if (n == 0)
		return ctl_fail("stdin holds no password");
	return CTL_DONE;
}

/* One line from the terminal; false when it is gone or the line too long. */
static bool
read_line(int fd, struct buf *line)
{
	char c = '\0';
	ssize_t got;

	buf_reset(line);
	for (;;) {
		got = read(fd, &c, 1);
		if (got != 1 || c == '\n')
			break;
		buf_addc(line, c);
	}
	/* The interrupt key arrives as a character. */
	return got == 1 && buf_ok(line) && !str_contains(buf_str(line), 3);
}

static bool
ask(int fd, const char *prompt, struct buf *line)
{
	bool good;

	if (write(fd, prompt, strlen(prompt)) < 0)
		return false;
	good = read_line(fd, line);
	return write(fd, "\n", 1) == 1 && good;
}

/* Twice, for nobody sees what is typed. */
static enum ctl_exit
ask_twice(int fd, struct buf *pw)
{
	char again_text[PASSWORD_BYTES_MAX + 1];
	struct buf again;
	enum ctl_exit e = CTL_DONE;

	BUF_OVER(&again, again_text);
	if (!ask(fd, "New password: ", pw) ||
	    !ask(fd, "The same again: ", &again))
		e = ctl_fail("no password was given");
	else if (!str_eq(buf_str(pw), buf_str(&again)))
		e = ctl_fail("the two are not the same; nothing was changed");
	secret_wipe(again_text, sizeof(again_text));
	return e;
}

static enum ctl_exit
ask_terminal(struct buf *pw)
{
	struct termios before, quiet;
	sigset_t all, mask;
	enum ctl_exit e;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return ctl_fail("there is no terminal to ask for the password; "
				"use --password-stdin");
	}
	/* An interrupt waits until the terminal shows again what is typed. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &mask);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	(void)tcsetattr(fd, TCSAFLUSH, &quiet);
	e = ask_twice(fd, pw);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)close(fd);
	return e;
}

enum ctl_exit
ctl_read_password(struct ctl *ctl, struct buf *pw)
{
	return ctl_has(ctl, "password-stdin") ? read_whole_stdin(pw)
					      : ask_terminal(pw);
}
