#ifndef DK_CTL_CTL_H
#define DK_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jw.h"
#include "base/log.h"
#include "base/net.h"
#include "base/str.h"
#include "conf/conf.h"
#include "domain/account.h"
#include "domain/domain.h"
#include "domain/import.h"
#include "store/users.h"

/*
 * The command line: `doorkeep NOUN VERB`.  One table of commands says what
 * each takes, so that parsing, --help and the manual's test have one source.
 * Results go to stdout, everything else to stderr.
 */
enum ctl_exit { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

enum {
	CTL_OPTIONS_MAX = 9,
	CTL_OPERANDS_MAX = 64,
	CTL_GIVEN_MAX = 64,
	CTL_PATH_MAX = 4096,
	CTL_MESSAGE_MAX = 1024
};

struct ctl_option {
	const char *name;  /* without "--" */
	const char *value; /* "NAME"; NULL: takes none */
	const char *help;
	bool many; /* may be given more than once */
};

/* What is made ready before a command runs. */
enum ctl_needs { CTL_NEEDS_NOTHING, CTL_NEEDS_CONF, CTL_NEEDS_STORE };

struct ctl;
struct ctl_command {
	const char *noun, *verb; /* verb may be NULL */
	const char *operands;	 /* "NAME"; "" for none */
	unsigned min, max;	 /* how many operands */
	const char *help;	 /* one sentence */
	enum ctl_needs needs;
	enum ctl_exit (*run)(struct ctl *ctl);
	struct ctl_option options[CTL_OPTIONS_MAX];
};
/* Ended by a row without a noun. */
extern const struct ctl_command ctl_commands[];

struct ctl_given {
	const char *name;
	struct str value;
};

/* One run of the command line. */
struct ctl {
	const struct ctl_command *command;
	struct str operand[CTL_OPERANDS_MAX];
	size_t n_operands;
	struct ctl_given given[CTL_GIVEN_MAX];
	size_t n_given;
	bool json;
	char config_text[CTL_PATH_MAX];
	struct buf config_file;
	struct arena arena;
	struct conf conf;
	struct log log;
	struct domain dom;
	char actor[USER_NAME_MAX + 8]; /* "cli:root" */
	struct asker asker;
	int64_t now_ms;
	char *const *envp;
};

/* The whole program; envp only to see that no web server called. */
int ctl_main(int argc, char **argv, char *const *envp);

/* ---- what was given ---- */
bool ctl_has(const struct ctl *ctl, const char *option);
/* STR_NONE when it was not given. */
struct str ctl_value(const struct ctl *ctl, const char *option);
/* The values of a repeated option; at most max. */
size_t ctl_values(
    const struct ctl *ctl, const char *option, struct str *values, size_t max);

/* Options that several commands take; CTL_USAGE after saying what is wrong.
 * What was not given comes out as `otherwise`, and as STR_NONE. */
enum ctl_exit ctl_number(
    const struct ctl *ctl, const char *option, int64_t otherwise, int64_t *n);
/* "12h": so long before now. */
enum ctl_exit ctl_ago(
    const struct ctl *ctl, const char *option, int64_t otherwise, int64_t *ms);
/* An address as the store has it; text outlives *ip. */
enum ctl_exit ctl_address(
    const struct ctl *ctl, char text[IP_TEXT_MAX], struct str *ip);

/* ---- the configuration and the store, as a command needs them ---- */
/* Says what is wrong on stderr. */
enum ctl_exit ctl_read_conf(struct ctl *ctl);
enum ctl_exit ctl_open_store(struct ctl *ctl, bool create, bool migrate);
/* doorkeep.fcgi beside this program, or where it is installed. */
void ctl_find_worker(struct buf *path);
const char *ctl_store_name(const struct ctl *ctl, char *text, size_t size);
/* Find operand `name`; says so and is CTL_FAILED when there is none. */
enum ctl_exit ctl_find_user(
    struct ctl *ctl, struct str name, struct user_row *user);

/* ---- saying things ---- */
/* "doorkeep: …" and a newline on stderr; the result is CTL_FAILED. */
enum ctl_exit ctl_fail(const char *fmt, ...) DK_PRINTF(1, 2);
/* The same with exit status 2 and a hint at --help. */
enum ctl_exit ctl_misuse(const struct ctl *ctl, const char *fmt, ...)
    DK_PRINTF(2, 3);
/* What an error means, in words, for what could not be done. */
enum ctl_exit ctl_fail_err(enum dk_err err, const char *what);
/* A line on stdout. */
void ctl_say(const char *fmt, ...) DK_PRINTF(1, 2);
/* Text from outside: control bytes and invalid UTF-8 come out as '?'. */
void ctl_put(struct str text);
/* The same, filled up with spaces to width characters. */
void ctl_put_column(struct str text, unsigned width);
/* A whole JSON text and a newline on stdout; complains when it overflowed. */
enum ctl_exit ctl_put_json(const struct buf *json);

/* What became of an account of an import.  Static. */
const char *ctl_import_says(enum import_result result);
/* ---- secrets ---- */
/*
 * A password into pw: with --password-stdin all of stdin less one trailing
 * newline, else asked for twice on the terminal without showing it.  Says
 * what is wrong on stderr.  The caller wipes pw.
 */
enum ctl_exit ctl_read_password(struct ctl *ctl, struct buf *pw);

/* ---- commands ---- */
enum ctl_exit ctl_init(struct ctl *ctl);
enum ctl_exit ctl_user_add(struct ctl *ctl);
enum ctl_exit ctl_user_list(struct ctl *ctl);
enum ctl_exit ctl_user_show(struct ctl *ctl);
enum ctl_exit ctl_user_passwd(struct ctl *ctl);
enum ctl_exit ctl_user_disable(struct ctl *ctl);
enum ctl_exit ctl_user_enable(struct ctl *ctl);
enum ctl_exit ctl_user_delete(struct ctl *ctl);
enum ctl_exit ctl_user_groups(struct ctl *ctl);
enum ctl_exit ctl_user_import(struct ctl *ctl);
enum ctl_exit ctl_user_unlock(struct ctl *ctl);
enum ctl_exit ctl_user_factor(struct ctl *ctl);
enum ctl_exit ctl_session_list(struct ctl *ctl);
enum ctl_exit ctl_session_revoke(struct ctl *ctl);
enum ctl_exit ctl_session_purge(struct ctl *ctl);
enum ctl_exit ctl_config_check(struct ctl *ctl);
enum ctl_exit ctl_config_show(struct ctl *ctl);
enum ctl_exit ctl_db_migrate(struct ctl *ctl);
enum ctl_exit ctl_db_check(struct ctl *ctl);
enum ctl_exit ctl_db_backup(struct ctl *ctl);
enum ctl_exit ctl_db_copy(struct ctl *ctl);
enum ctl_exit ctl_db_version(struct ctl *ctl);
enum ctl_exit ctl_events(struct ctl *ctl);
enum ctl_exit ctl_stats(struct ctl *ctl);
enum ctl_exit ctl_explain(struct ctl *ctl);
enum ctl_exit ctl_doctor(struct ctl *ctl);
enum ctl_exit ctl_serve(struct ctl *ctl);
enum ctl_exit ctl_version(struct ctl *ctl);
enum ctl_exit ctl_help(struct ctl *ctl);

#endif
