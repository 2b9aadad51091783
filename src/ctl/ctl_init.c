/*
 * doorkeep init: from nothing to a configuration, a store and the lines for
 * the web server.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dsn.h"
#include "ctl/adoption.h"
#include "ctl/ctl.h"
#include "ctl/snippet.h"

enum { TEXT_MAX = 64 * 1024, PROTECT_MAX = CTL_GIVEN_MAX };

struct init {
	struct ctl *ctl;
	struct str origin, database, mount, server;
	struct str protect[PROTECT_MAX];
	size_t n_protect;
	bool adopts;
	struct adoption adoption;
	bool has_owner;
	uid_t uid;
	gid_t gid;
	char text[TEXT_MAX];
	struct buf file; /* the configuration */
};

static bool
is_one_line(struct str s)
{
	return !str_contains(s, '\n') && !str_contains(s, '\r');
}

/* Whom a web server's files belong to; as root they must not be root's. */
static enum ctl_exit
find_owner(struct init *in)
{
	static const char *const usual[] = { "www-data", "apache", "nginx",
		"http", "www" };
	struct str given = ctl_value(in->ctl, "owner");
	const struct passwd *pw = NULL;
	char name[64];
	struct buf b;
	size_t i;

	if (geteuid() != 0)
		return str_is_none(given)
		    ? CTL_DONE
		    : ctl_misuse(in->ctl, "--owner is for root");
	if (!str_is_none(given)) {
		BUF_OVER(&b, name);
		buf_add(&b, given);
		pw = buf_ok(&b) ? getpwnam(buf_z(&b)) : NULL;
		if (pw == NULL)
			return ctl_fail("--owner %.*s: there is no such user",
			    STR_FMT(given));
	}
	for (i = 0; pw == NULL && i < sizeof(usual) / sizeof(usual[0]); i++)
		pw = getpwnam(usual[i]);
	if (pw == NULL)
		return ctl_fail("which user does the web server run as? Name "
				"it with --owner");
	in->has_owner = true;
	in->uid = pw->pw_uid;
	in->gid = pw->pw_gid;
	return CTL_DONE;
}

/* ---- the text
 * ------------------------------------------------------------------ */
static void
add_rules(struct init *in)
{
	size_t i;

	buf_addz(&in->file,
	    "\n# The first line that matches decides; what none matches is "
	    "denied.\n# See doorkeep.conf(5), and try: doorkeep explain /path "
	    "--user NAME\n[access]\n");
	if (in->adopts)
		adoption_add_rules(&in->adoption, &in->file);
	for (i = 0; i < in->n_protect && !in->adopts; i++) {
		buf_add(&in->file, in->protect[i]);
		buf_addz(&in->file, " = any\n");
	}
	if (in->n_protect == 0)
		buf_addz(&in->file,
		    "# Everything that the web server guards: whoever has "
		    "signed in.\n/ = any\n");
}

static enum ctl_exit
write_text(struct init *in)
{
	char text[CTL_MESSAGE_MAX];
	struct buf message;

	buf_init(&in->file, in->text, sizeof(in->text));
	buf_addz(&in->file,
	    "# Written by doorkeep init.  All keys: doorkeep.conf(5), and "
	    "with their\n# values: doorkeep config show\n[site]\norigin = ");
	buf_add(&in->file, in->origin);
	if (!str_is_none(in->mount)) {
		buf_addz(&in->file, "\nmount = ");
		buf_add(&in->file, in->mount);
	}
	if (!str_is_none(in->database)) {
		buf_addz(&in->file, "\n\n[store]\ndatabase = ");
		buf_add(&in->file, in->database);
	}
	buf_addc(&in->file, '\n');
	add_rules(in);
	if (!buf_ok(&in->file))
		return ctl_fail("that is too much for one configuration");
	BUF_OVER(&message, text);
	if (arena_open(&in->ctl->arena, 1024 * 1024) != DK_OK)
		return ctl_fail("out of memory");
	if (conf_parse(buf_str(&in->ctl->config_file), buf_str(&in->file),
		&in->ctl->arena, &in->ctl->conf, &message) != DK_OK)
		return ctl_fail("nothing is written: %s", buf_z(&message));
	domain_init(&in->ctl->dom, &in->ctl->conf, &in->ctl->log);
	return CTL_DONE;
}

/* ---- the files
 * -------------------------------------------------------------------- */
/* Make the directories above a file; new ones belong to the owner. */
static enum ctl_exit
make_directories(const struct init *in, struct str file, mode_t mode)
{
	char path[CTL_PATH_MAX];
	struct buf b;
	size_t i;

	BUF_OVER(&b, path);
	buf_add(&b, file);
	if (!buf_ok(&b))
		return ctl_fail("%.*s: the path is too long", STR_FMT(file));
	for (i = 1; i < b.len; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path, mode) == 0) {
			if (chmod(path, mode) != 0 ||
			    (in->has_owner &&
				chown(path, in->uid, in->gid) != 0))
				return ctl_fail(
				    "%s: %s", path, strerror(errno));
		} else if (errno != EEXIST) {
			return ctl_fail("%s: %s", path, strerror(errno));
		}
		path[i] = '/';
	}
	return CTL_DONE;
}

/* Never over an existing file. */
static enum ctl_exit
write_config(const struct init *in)
{
	const char *path = buf_z(&in->ctl->config_file);
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	bool good;

	if (fd < 0 && errno == EEXIST)
		return ctl_fail("%s is there already and stays as it is; "
				"name another file with --config",
		    path);
	if (fd < 0)
		return ctl_fail("%s: %s", path, strerror(errno));
	good = fchmod(fd, 0640) == 0 &&
	    (!in->has_owner || fchown(fd, 0, in->gid) == 0) &&
	    write(fd, in->file.p, in->file.len) == (ssize_t)in->file.len &&
	    fsync(fd) == 0;
	if (close(fd) != 0 || !good) {
		(void)unlink(path);
		return ctl_fail("%s: %s", path, strerror(errno));
	}
	return CTL_DONE;
}

static enum ctl_exit
make_store_directory(struct init *in)
{
	char path[CTL_PATH_MAX];
	struct buf b;

	BUF_OVER(&b, path);
	domain_own_file(&in->ctl->conf, "", &b);
	return make_directories(in, buf_str(&b), 0700);
}

static enum ctl_exit
make_files(struct init *in)
{
	enum ctl_exit e;

	if (access(buf_z(&in->ctl->config_file), F_OK) == 0)
		return ctl_fail("%s is there already and stays as it is; "
				"name another file with --config",
		    buf_z(&in->ctl->config_file));
	e = make_directories(in, buf_str(&in->ctl->config_file), 0755);
	if (e == CTL_DONE)
		e = make_store_directory(in);
	/* The store first: a configuration alone would be no half success. */
	if (e == CTL_DONE)
		e = ctl_open_store(in->ctl, true, true);
	if (e == CTL_DONE && in->adopts)
		e = adoption_import(&in->adoption, in->ctl);
	if (e == CTL_DONE)
		e = write_config(in);
	return e;
}

/* ---- what to do next
 * ----------------------------------------------------------------- */
static enum ctl_exit
say_snippet(const struct init *in)
{
	static const struct str usual = { "/private", 8 };
	char program[CTL_PATH_MAX], config[PATH_MAX];
	struct snippet_names names = { .mount = in->ctl->conf.mount,
		.protect = in->n_protect > 0 ? in->protect : &usual,
		.n_protect = in->n_protect > 0 ? in->n_protect : 1,
		.in_place = in->adopts };
	struct buf b;

	BUF_OVER(&b, program);
	ctl_find_worker(&b);
	names.program = buf_str(&b);
	if (!buf_ok(&b))
		return ctl_fail("the path of doorkeep.fcgi is too long");
	/* The server is at home in another directory than this one. */
	if (realpath(buf_z(&in->ctl->config_file), config) == NULL)
		return ctl_fail(
		    "%s: %s", buf_z(&in->ctl->config_file), strerror(errno));
	names.config = str_from(config);
	snippet_print(in->server, &names);
	return CTL_DONE;
}

static enum ctl_exit
say_result(const struct init *in)
{
	struct ctl *ctl = in->ctl;
	char text[CTL_MESSAGE_MAX];

	ctl_say("# Written: %s", buf_z(&ctl->config_file));
	ctl_say("# Made:    %s", ctl_store_name(ctl, text, sizeof(text)));
	if (!ctl->conf.origins[0].https)
		ctl_say("# The origin is not https: sign-in works from this "
			"machine only (allow_http).");
	if (in->adopts)
		adoption_say(&in->adoption);
	else
		ctl_say("# Next:    doorkeep user add NAME");
	if (str_is_none(in->server)) {
		ctl_say("# Then put it in front: doorkeep init --server "
			"apache, lighttpd, nginx or cgi");
		ctl_say("# prints the lines; they are in apache-conf/ and "
			"conf/ too.");
		return CTL_DONE;
	}
	if (!in->adopts)
		ctl_say(str_eq(in->server, STR("cgi"))
			? "# Then make these files below the document root:"
			: "# Then put these lines into the web server's "
			  "configuration:");
	ctl_say("%s", "");
	return say_snippet(in);
}

static enum ctl_exit
say_json(const struct init *in)
{
	static char text[256 * 1024];
	char name[CTL_MESSAGE_MAX];
	struct buf b;
	struct jw w;

	BUF_OVER(&b, text);
	jw_open(&w, &b);
	jw_object(&w, NULL);
	jw_str(&w, "config", buf_str(&in->ctl->config_file));
	jw_str(&w, "database",
	    str_from(ctl_store_name(in->ctl, name, sizeof(name))));
	if (in->adopts)
		adoption_add_json(&in->adoption, &w);
	jw_end(&w);
	return ctl_put_json(&b);
}

/* The paths and the server of an existing set-up. */
static enum ctl_exit
take_adoption(struct init *in)
{
	struct str file = ctl_value(in->ctl, "adopt");
	enum ctl_exit e;

	in->adopts = !str_is_none(file);
	if (!in->adopts)
		return str_is_none(ctl_value(in->ctl, "document-root"))
		    ? CTL_DONE
		    : ctl_misuse(in->ctl, "--document-root goes with --adopt");
	if (in->n_protect > 0)
		return ctl_misuse(in->ctl,
		    "--adopt finds the paths itself; leave --protect out");
	e = adoption_open(
	    &in->adoption, file, ctl_value(in->ctl, "document-root"));
	if (e != CTL_DONE)
		return e;
	if (str_is_none(in->server))
		in->server =
		    str_from(adopt_server_name(in->adoption.adopt.server));
	in->n_protect = adoption_paths(&in->adoption, in->protect, PROTECT_MAX);
	return CTL_DONE;
}

/* What the configuration takes for a path, and the server's lines too. */
static enum ctl_exit
check_protect(const struct init *in)
{
	size_t i;

	for (i = 0; i < in->n_protect; i++) {
		struct str path = in->protect[i];

		if (!str_starts(path, STR("/")) || !is_one_line(path))
			return ctl_misuse(in->ctl,
			    "--protect %.*s: a path begins with /",
			    STR_FMT(path));
		if (!str_is_none(in->server) && !snippet_can_protect(path))
			return ctl_misuse(in->ctl,
			    "--protect %.*s: with --server a path is made of "
			    "letters, digits and - . _ ~ + @ , = /, and not "
			    "longer than 250 bytes",
			    STR_FMT(path));
		if (str_eq(path, STR("/")) && !str_is_none(in->server) &&
		    !snippet_can_protect_all(in->server))
			return ctl_misuse(in->ctl,
			    "--protect /: lighttpd would guard the sign-in "
			    "page as well; name the directories, each with "
			    "a --protect of its own");
	}
	return CTL_DONE;
}

static enum ctl_exit
take_options(struct init *in)
{
	struct ctl *ctl = in->ctl;
	enum ctl_exit e;

	in->origin = ctl_value(ctl, "origin");
	in->database = ctl_value(ctl, "database");
	in->mount = ctl_value(ctl, "mount");
	in->server = ctl_value(ctl, "server");
	in->n_protect = ctl_values(ctl, "protect", in->protect, PROTECT_MAX);
	if (str_is_none(in->origin))
		return ctl_misuse(ctl,
		    "--origin is missing: where people "
		    "find the site, e.g. --origin "
		    "https://www.example.org");
	if (dsn_has_password(in->database))
		return ctl_misuse(ctl,
		    "--database: everybody on this machine can read the "
		    "arguments of a program (ps): leave the password out and "
		    "give it in a file of mode 0600, "
		    "postgresql://USER@HOST/NAME?passfile=FILE");
	if (!is_one_line(in->origin) || !is_one_line(in->database) ||
	    !is_one_line(in->mount))
		return ctl_misuse(ctl, "a value has more than one line");
	if (!str_is_none(in->server) && !snippet_is_known(in->server))
		return ctl_misuse(ctl,
		    "--server is apache, lighttpd, nginx "
		    "or cgi");
	/* There the program is called by its own URL. */
	if (str_eq(in->server, STR("cgi")) && str_is_none(in->mount))
		in->mount = STR("/cgi-bin/doorkeep.fcgi");
	if (str_eq(in->server, STR("cgi")) && in->mount.n < 2)
		return ctl_misuse(ctl,
		    "with --server cgi --mount is the URL of the program, "
		    "e.g. /cgi-bin/doorkeep.fcgi");
	e = take_adoption(in);
	return e == CTL_DONE ? check_protect(in) : e;
}

enum ctl_exit
ctl_init(struct ctl *ctl)
{
	static struct init in;
	enum ctl_exit e;

	in.ctl = ctl;
	log_open(&ctl->log, LOG_TO_STDERR, LOG_AS_TEXT);
	ctl->log.least = LOG_LEVEL_ERROR;
	e = take_options(&in);
	if (e == CTL_DONE)
		e = find_owner(&in);
	if (e == CTL_DONE)
		e = write_text(&in);
	if (e == CTL_DONE)
		e = make_files(&in);
	if (e != CTL_DONE)
		return e;
	e = ctl->json ? say_json(&in) : say_result(&in);
	if (e == CTL_DONE && in.adopts && in.adoption.refused > 0)
		e = ctl_fail("all is set up, but %u of the people did not "
			     "move in; see above, and doorkeep user add",
		    in.adoption.refused);
	if (in.adopts)
		adoption_close(&in.adoption);
	return e;
}
