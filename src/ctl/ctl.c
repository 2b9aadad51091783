#include "base/dsn.h"
#include "ctl/ctl.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "domain/marker.h"

enum { CONF_ARENA_SIZE = 1024 * 1024 };

/* ---- what was given ------------------------------------------------------ */
bool
ctl_has(const struct ctl *ctl, const char *option)
{
	return !str_is_none(ctl_value(ctl, option));
}

struct str
ctl_value(const struct ctl *ctl, const char *option)
{
	size_t i;

	for (i = 0; i < ctl->n_given; i++)
		if (strcmp(ctl->given[i].name, option) == 0)
			return ctl->given[i].value;
	return STR_NONE;
}

size_t
ctl_values(
    const struct ctl *ctl, const char *option, struct str *values, size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < ctl->n_given && n < max; i++)
		if (strcmp(ctl->given[i].name, option) == 0)
			values[n++] = ctl->given[i].value;
	return n;
}

enum ctl_exit
ctl_number(
    const struct ctl *ctl, const char *option, int64_t otherwise, int64_t *n)
{
	struct str text = ctl_value(ctl, option);
	uint64_t value;

	*n = otherwise;
	if (str_is_none(text))
		return CTL_DONE;
	if (!str_to_u64(text, 1000000000, &value) || value == 0)
		return ctl_misuse(ctl, "--%s %.*s is no number above 0", option,
		    STR_FMT(text));
	*n = (int64_t)value;
	return CTL_DONE;
}

enum ctl_exit
ctl_ago(
    const struct ctl *ctl, const char *option, int64_t otherwise, int64_t *ms)
{
	struct str text = ctl_value(ctl, option);
	int64_t span;

	*ms = otherwise;
	if (str_is_none(text))
		return CTL_DONE;
	if (!conf_parse_duration(text, &span))
		return ctl_misuse(ctl,
		    "--%s %.*s is no span of time: 90s, 15m, 12h, 30d", option,
		    STR_FMT(text));
	*ms = ctl->now_ms - span;
	return CTL_DONE;
}

enum ctl_exit
ctl_address(const struct ctl *ctl, char text[IP_TEXT_MAX], struct str *ip)
{
	struct str given = ctl_value(ctl, "address");
	struct ip_addr addr;

	*ip = STR_NONE;
	if (str_is_none(given))
		return CTL_DONE;
	if (!ip_parse(given, &addr))
		return ctl_misuse(
		    ctl, "--address %.*s is no IP address", STR_FMT(given));
	ip_format(&addr, text);
	*ip = str_from(text);
	return CTL_DONE;
}

/* These every command takes. */
static const struct ctl_option common_options[] = {
	{ "json", NULL, "Print the result as JSON.", false },
	{ "config", "FILE", "Read this configuration.", false },
	{ "help", NULL, "Show this help and exit.", false },
	{ NULL, NULL, NULL, false }
};

static const struct ctl_option *
find_option(const struct ctl_option *options, struct str name)
{
	for (; options->name != NULL; options++)
		if (str_eq(str_from(options->name), name))
			return options;
	return NULL;
}

/* ---- the command -----------------------------------------------------------
 */
/* How many of the operands name the command; 0: none does. */
static size_t
find_command(struct ctl *ctl)
{
	const struct ctl_command *c;

	for (c = ctl_commands; c->noun != NULL; c++) {
		if (ctl->n_operands < 1 ||
		    !str_eq(str_from(c->noun), ctl->operand[0]))
			continue;
		if (c->verb == NULL) {
			ctl->command = c;
			return 1;
		}
		if (ctl->n_operands > 1 &&
		    str_eq(str_from(c->verb), ctl->operand[1])) {
			ctl->command = c;
			return 2;
		}
	}
	return 0;
}

static void
print_name(FILE *out, const struct ctl_command *c)
{
	(void)fprintf(out, "doorkeep %s", c->noun);
	if (c->verb != NULL)
		(void)fprintf(out, " %s", c->verb);
}

static void
print_options(const struct ctl_option *options)
{
	char left[48];
	struct buf b;

	for (; options->name != NULL; options++) {
		BUF_OVER(&b, left);
		buf_addf(&b, "--%s%s%s", options->name,
		    options->value == NULL ? "" : " ",
		    options->value == NULL ? "" : options->value);
		ctl_say("  %-26s %s", buf_z(&b), options->help);
	}
}

/* A row of the list of commands. */
static void
print_row(const struct ctl_command *c)
{
	char left[96];
	struct buf b;

	BUF_OVER(&b, left);
	buf_addf(&b, "%s%s%s%s%s", c->noun, c->verb == NULL ? "" : " ",
	    c->verb == NULL ? "" : c->verb, c->operands[0] == '\0' ? "" : " ",
	    c->operands);
	ctl_say("  %-30s %s", buf_z(&b), c->help);
}

static void
help_on_command(const struct ctl_command *c)
{
	(void)printf("usage: ");
	print_name(stdout, c);
	ctl_say(
	    "%s%s [OPTION]...", c->operands[0] == '\0' ? "" : " ", c->operands);
	ctl_say("%s\n", c->help);
	print_options(c->options);
	print_options(common_options);
}

/* All commands, or those of one noun. */
static void
help_on_noun(struct str noun)
{
	const struct ctl_command *c;

	ctl_say("usage: doorkeep NOUN [VERB] [OPTION]...\n");
	for (c = ctl_commands; c->noun != NULL; c++)
		if (str_is_none(noun) || str_eq(noun, str_from(c->noun)))
			print_row(c);
	ctl_say("\ndoorkeep NOUN VERB --help says more; so does doorkeep(1).");
}

static bool
is_noun(struct str name)
{
	const struct ctl_command *c;

	for (c = ctl_commands; c->noun != NULL; c++)
		if (str_eq(name, str_from(c->noun)))
			return true;
	return false;
}

enum ctl_exit
ctl_help(struct ctl *ctl)
{
	size_t i;

	/* The first one is "help" itself. */
	for (i = 1; i < ctl->n_operands; i++)
		ctl->operand[i - 1] = ctl->operand[i];
	ctl->n_operands--;
	if (find_command(ctl) > 0) {
		help_on_command(ctl->command);
	} else if (ctl->n_operands > 0 && !is_noun(ctl->operand[0])) {
		return ctl_misuse(NULL, "there is no command \"%.*s\"",
		    STR_FMT(ctl->operand[0]));
	} else {
		help_on_noun(ctl->n_operands > 0 ? ctl->operand[0] : STR_NONE);
	}
	return CTL_DONE;
}

/* ---- parsing
 * ------------------------------------------------------------------ */
/*
 * Options may stand anywhere, so the operands are collected first: they name
 * the command, which says which options take a value.  Without a command an
 * option is looked up in all of them.
 */
static const struct ctl_option *
known_option(const struct ctl *ctl, struct str name)
{
	const struct ctl_option *o = find_option(common_options, name);
	const struct ctl_command *c;

	if (o != NULL || ctl->command != NULL)
		return o != NULL ? o : find_option(ctl->command->options, name);
	for (c = ctl_commands; o == NULL && c->noun != NULL; c++)
		o = find_option(c->options, name);
	return o;
}

static enum ctl_exit
take_option(struct ctl *ctl, struct str text, char **next, bool *took_next)
{
	const struct ctl_option *o;
	struct str name, value = STR_NONE;
	bool has_value = str_split(text, '=', &name, &value);

	*took_next = false;
	o = known_option(ctl, name);
	if (o == NULL)
		return ctl_misuse(
		    ctl, "there is no option --%.*s", STR_FMT(name));
	if (o->value == NULL && has_value)
		return ctl_misuse(ctl, "--%s takes no value", o->name);
	if (o->value != NULL && !has_value) {
		if (*next == NULL)
			return ctl_misuse(
			    ctl, "--%s needs a value: %s", o->name, o->value);
		value = str_from(*next);
		*took_next = true;
	}
	if (!o->many && ctl_has(ctl, o->name))
		return ctl_misuse(ctl, "--%s is given twice", o->name);
	if (ctl->n_given == CTL_GIVEN_MAX)
		return ctl_misuse(ctl, "there are too many options");
	ctl->given[ctl->n_given].name = o->name;
	ctl->given[ctl->n_given++].value = o->value == NULL ? STR("") : value;
	return CTL_DONE;
}

static enum ctl_exit
take_operand(struct ctl *ctl, const char *text)
{
	if (ctl->n_operands == CTL_OPERANDS_MAX)
		return ctl_misuse(ctl, "there are too many arguments");
	ctl->operand[ctl->n_operands++] = str_from(text);
	if (ctl->command == NULL)
		(void)find_command(ctl);
	return CTL_DONE;
}

static enum ctl_exit
parse(struct ctl *ctl, char **argv)
{
	bool options = true, took_next = false;
	enum ctl_exit e = CTL_DONE;
	size_t i, n;

	for (; e == CTL_DONE && *argv != NULL; argv += took_next ? 2 : 1) {
		struct str text = str_from(*argv);

		took_next = false;
		if (options && str_eq(text, STR("--")))
			options = false;
		else if (options && str_eq(text, STR("-h")))
			e = take_option(ctl, STR("help"), argv + 1, &took_next);
		else if (options && ctl->n_operands == 0 &&
		    str_eq(text, STR("--version")))
			e = take_operand(ctl, *argv + 2);
		else if (options && str_starts(text, STR("--")))
			e = take_option(ctl, str_sub(text, 2, text.n), argv + 1,
			    &took_next);
		else if (options && text.n > 1 && text.p[0] == '-')
			e = ctl_misuse(ctl,
			    "there is no option %s; all of ours begin with --",
			    *argv);
		else
			e = take_operand(ctl, *argv);
	}
	if (e != CTL_DONE || ctl->command == NULL)
		return e;
	/* What is left are the command's own operands. */
	n = ctl->command->verb == NULL ? 1 : 2;
	if (ctl->command->run == ctl_help)
		n = 0;
	for (i = n; i < ctl->n_operands; i++)
		ctl->operand[i - n] = ctl->operand[i];
	ctl->n_operands -= n;
	return CTL_DONE;
}

/* Which options go with a command is known only now. */
static enum ctl_exit
check_given(const struct ctl *ctl)
{
	const struct ctl_command *c = ctl->command;
	size_t i;

	for (i = 0; i < ctl->n_given; i++) {
		struct str name = str_from(ctl->given[i].name);

		if (find_option(common_options, name) == NULL &&
		    find_option(c->options, name) == NULL)
			return ctl_misuse(
			    ctl, "there is no option --%.*s", STR_FMT(name));
	}
	if (c->run == ctl_help)
		return CTL_DONE;
	if (ctl->n_operands < c->min)
		return ctl_misuse(ctl, "%s is missing", c->operands);
	if (ctl->n_operands > c->max)
		return ctl_misuse(ctl, "\"%.*s\" is one argument too many",
		    STR_FMT(ctl->operand[c->max]));
	return CTL_DONE;
}

/* ---- making ready
 * ---------------------------------------------------------------- */
enum ctl_exit
ctl_read_conf(struct ctl *ctl)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;

	BUF_OVER(&message, text);
	if (arena_open(&ctl->arena, CONF_ARENA_SIZE) != DK_OK)
		return ctl_fail("out of memory");
	if (conf_load(buf_str(&ctl->config_file), &ctl->arena, &ctl->conf,
		&message) != DK_OK)
		return ctl_fail("%s", buf_z(&message));
	/* Results are said by the command; the log keeps what is wrong. */
	log_open(&ctl->log, ctl->conf.log_destination, LOG_AS_TEXT);
	if (ctl->conf.log_destination == LOG_TO_STDERR)
		ctl->log.least = LOG_LEVEL_ERROR;
	domain_init(&ctl->dom, &ctl->conf, &ctl->log);
	return CTL_DONE;
}

enum ctl_exit
ctl_open_store(struct ctl *ctl, bool create, bool migrate)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;

	BUF_OVER(&message, text);
	if (domain_open(&ctl->dom, create, migrate, &message) != DK_OK)
		return ctl_fail("%s", buf_z(&message));
	return CTL_DONE;
}

void
ctl_find_worker(struct buf *path)
{
	char self[CTL_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

	while (n > 0 && self[n - 1] != '/')
		n--;
	buf_reset(path);
	buf_addf(path, "%.*sdoorkeep.fcgi", n > 0 ? (int)n : 0, self);
	if (n <= 0 || !buf_ok(path) || access(buf_z(path), X_OK) != 0) {
		buf_reset(path);
		buf_addz(path, DK_LIBEXECDIR "/doorkeep/doorkeep.fcgi");
	}
}

const char *
ctl_store_name(const struct ctl *ctl, char *text, size_t size)
{
	struct buf b;

	buf_init(&b, text, size);
	dsn_show(&b, ctl->conf.database);
	return buf_z(&b);
}

enum ctl_exit
ctl_find_user(struct ctl *ctl, struct str name, struct user_row *user)
{
	bool found;
	enum dk_err err;

	err = account_get(&ctl->dom, name, user, &found);
	if (err != DK_OK)
		return ctl_fail_err(err, "the user could not be read");
	if (!found)
		return ctl_fail("there is no user \"%.*s\"; doorkeep user "
				"list shows all",
		    STR_FMT(name));
	return CTL_DONE;
}

/* A query string can become arguments (RFC 3875 4.4; DK-G-01). */
static bool
called_by_web_server(char *const *envp)
{
	for (; *envp != NULL; envp++)
		if (str_starts(str_from(*envp), STR("GATEWAY_INTERFACE=")) ||
		    str_starts(str_from(*envp), STR("REQUEST_METHOD=")))
			return true;
	return false;
}

/* Descriptors 0 to 2 exist, or what is opened first would get the log. */
static void
settle_process(void)
{
	const struct rlimit no_core = { 0, 0 };
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)umask(0077);
}

/* Who did it, for the audit trail (DK-E-03). */
static void
name_actor(struct ctl *ctl)
{
	const struct passwd *pw = getpwuid(getuid());
	struct buf b;

	BUF_OVER(&b, ctl->actor);
	buf_addz(&b, "cli:");
	if (pw != NULL)
		buf_addz(&b, pw->pw_name);
	if (pw == NULL || !buf_ok(&b))
		buf_addf(&b, "%u", (unsigned)getuid());
	ctl->asker = (struct asker){ .actor = buf_str(&b) };
	ctl->now_ms = clock_now_ms();
}

static enum ctl_exit
choose_config(struct ctl *ctl)
{
	struct str named = ctl_value(ctl, "config");

	BUF_OVER(&ctl->config_file, ctl->config_text);
	if (str_is_none(named))
		return conf_find(&ctl->config_file) == DK_OK
		    ? CTL_DONE
		    : ctl_fail("the path of the configuration is too long");
	buf_add(&ctl->config_file, named);
	return buf_ok(&ctl->config_file) && named.n > 0
	    ? CTL_DONE
	    : ctl_misuse(ctl, "--config names no file");
}

static enum ctl_exit
make_ready(struct ctl *ctl)
{
	enum ctl_exit e;

	if (secret_init() != DK_OK)
		return ctl_fail("the cryptographic library does not start");
	name_actor(ctl);
	ctl->json = ctl_has(ctl, "json");
	e = choose_config(ctl);
	if (e == CTL_DONE && ctl->command->needs >= CTL_NEEDS_CONF)
		e = ctl_read_conf(ctl);
	if (e == CTL_DONE && ctl->command->needs >= CTL_NEEDS_STORE)
		e = ctl_open_store(ctl, false, false);
	return e;
}

static enum ctl_exit
run(struct ctl *ctl)
{
	enum ctl_exit e;

	if (ctl->command == NULL && ctl->n_operands > 0 &&
	    !is_noun(ctl->operand[0]))
		return ctl_misuse(NULL, "there is no command \"%.*s\"",
		    STR_FMT(ctl->operand[0]));
	if (ctl->command == NULL && ctl_has(ctl, "help")) {
		help_on_noun(ctl->n_operands > 0 ? ctl->operand[0] : STR_NONE);
		return CTL_DONE;
	}
	if (ctl->command == NULL && ctl->n_operands > 1)
		return ctl_misuse(NULL, "there is no \"%.*s %.*s\"",
		    STR_FMT(ctl->operand[0]), STR_FMT(ctl->operand[1]));
	if (ctl->command == NULL)
		return ctl_misuse(NULL, "say what to do");
	if (ctl_has(ctl, "help")) {
		help_on_command(ctl->command);
		return CTL_DONE;
	}
	e = check_given(ctl);
	if (e == CTL_DONE)
		e = make_ready(ctl);
	if (e == CTL_DONE)
		e = ctl->command->run(ctl);
	if (e == CTL_DONE && ctl->dom.db != NULL && ctl->conf.markers.n > 0 &&
	    marker_sweep(&ctl->dom, ctl->now_ms) != DK_OK)
		e = ctl_fail("it is done, but a marker file could not be "
			     "removed: the web server may let an ended session "
			     "in until its time is over. Run this as a user "
			     "who may write %.*s: doorkeep session purge",
		    STR_FMT(ctl->conf.markers));
	domain_close(&ctl->dom);
	arena_close(&ctl->arena);
	return e;
}

int
ctl_main(int argc, char **argv, char *const *envp)
{
	static struct ctl ctl;
	enum ctl_exit e;

	if (called_by_web_server(envp)) {
		(void)fputs("doorkeep: this is the command line; a web server "
			    "runs doorkeep.fcgi\n",
		    stderr);
		return CTL_USAGE;
	}
	settle_process();
	ctl.dom.slots.fd = -1;
	ctl.envp = envp;
	e = argc < 1 ? CTL_USAGE : parse(&ctl, argv + 1);
	if (e == CTL_DONE)
		e = run(&ctl);
	if (fflush(stdout) != 0 && e == CTL_DONE)
		e = ctl_fail("stdout cannot be written");
	return (int)e;
}
