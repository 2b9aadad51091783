/*
 * doorkeep.fcgi: the application, started by a web server as a FastCGI worker
 * (listening socket on fd 0) or as a CGI program, told apart by itself.  Its
 * arguments are not looked at: a query string can become arguments (RFC 3875
 * 4.4).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dsn.h"
#include "base/module.h"
#include "base/nfc.h"
#include "base/qr.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "gateway/gateway.h"
#include "store/db_module.h"
#include "web/web.h"

enum {
	CONF_ARENA_SIZE = 1024 * 1024,
	REQUEST_ARENA_SIZE = 1024 * 1024,
	MESSAGE_MAX = 1024
};

/* All that lives as long as the process. */
struct program {
	struct arena conf_arena, request_arena;
	struct conf conf;
	struct log log;
	struct domain domain;
	struct web web;
	struct sandbox sandbox;
	bool preloaded; /* LD_PRELOAD is set */
};

/*
 * What the kernel cannot take from us is logged by who stays: a CGI process
 * would say it at each request.  A library that the administrator puts before
 * all others (libfaketime, an allocator) needs what we cannot know.
 */
static enum dk_err
give_up_rights(struct program *p, bool fastcgi, struct buf *message)
{
	bool require = p->conf.sandbox == SANDBOX_REQUIRE;
	char text[MESSAGE_MAX];
	struct buf missing;
	enum dk_err err;

	if (p->conf.sandbox == SANDBOX_OFF)
		return DK_OK;
	BUF_OVER(&missing, text);
	if (p->preloaded && !require) {
		p->sandbox =
		    (struct sandbox){ .filtered = true, .unsupported = true };
		buf_addz(&missing, "LD_PRELOAD is set, so all of it");
	}
	err = sandbox_enter(&p->sandbox, require, &missing);
	if (err != DK_OK)
		buf_addf(message, "[security] sandbox = require: %s",
		    buf_z(&missing));
	else if (missing.len > 0 && fastcgi)
		LOG_WRITE(&p->log, LOG_LEVEL_WARNING, "sandbox_incomplete",
		    { "missing", buf_str(&missing) });
	return err;
}

/* What libpq opens when a connection has to be made again, and where the host
 * keeps its own files. */
static void
name_rights_of_postgres(struct program *p)
{
	static const char *const files[] = { "passfile", "sslrootcert",
		"sslcert", "sslkey", "sslcrl" };
	struct sandbox *sb = &p->sandbox;
	char text[SANDBOX_PATH_LEN_MAX];
	struct buf path;
	size_t i;

	sandbox_allow_network(sb);
	BUF_OVER(&path, text);
	domain_own_file(&p->conf, "", &path);
	sandbox_allow_beside(sb, buf_str(&path));
	buf_reset(&path);
	module_path(DB_MODULE_POSTGRES_FILE, DK_MODULEDIR, &path);
	sandbox_allow_read(sb, buf_str(&path));
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		buf_reset(&path);
		dsn_parameter(&path, p->conf.database, str_from(files[i]));
		if (buf_ok(&path))
			sandbox_allow_read(sb, buf_str(&path));
	}
	sandbox_allow_read(sb, STR("/etc/passwd"));
}

/*
 * All else has been read: the configuration, templates, the logo.  Libraries
 * that are wanted now and then are loaded by a worker at once, so that it
 * needs no way to more code; a CGI process loads them when it needs them.
 */
static void
name_rights(struct program *p, bool fastcgi)
{
	struct sandbox *sb = &p->sandbox;
	struct str store = p->conf.database;

	sb->syslog = p->conf.log_destination == LOG_TO_SYSLOG;
	sandbox_allow_read(sb, p->conf.password_blocklist);
	sandbox_allow_read(sb, STR("/dev/urandom"));
	if (dsn_is(store))
		name_rights_of_postgres(p);
	else
		sandbox_allow_beside(sb, store);
	if (p->conf.markers.n > 0) {
		/* Landlock waits until the first sign-in has made it. */
		sandbox_allow_tree(sb, p->conf.markers);
		clock_prepare_local();
	}
	/* The handler of a directory gives out the site's files. */
	if (!fastcgi && request_environment("REDIRECT_HANDLER") != NULL)
		sandbox_allow_read(
		    sb, str_from(request_environment("DOCUMENT_ROOT")));
	if (sb->network || !fastcgi) {
		sandbox_allow_libraries(sb);
		return;
	}
	nfc_prepare();
	qr_prepare();
}

static void
handle(void *arg, struct request *req, struct response *res)
{
	struct program *p = arg;
	char text[MESSAGE_MAX];
	struct buf message;

	BUF_OVER(&message, text);
	/* The directory of store or markers was not there; it may be now. */
	if (!sandbox_is_whole(&p->sandbox) &&
	    give_up_rights(p, true, &message) != DK_OK) {
		web_fail(&p->web, req, res, 503, buf_z(&message));
		return;
	}
	web_handle(&p->web, req, res, clock_now_ms());
}

static void
fail(void *arg, struct request *req, struct response *res, unsigned status,
    const char *problem)
{
	struct program *p = arg;

	web_fail(&p->web, req, res, status, problem);
}

static bool
idle(void *arg)
{
	struct program *p = arg;

	web_idle(&p->web, clock_now_ms());
	if (p->domain.db != NULL || !sandbox_is_outdated(&p->sandbox))
		return true;
	LOG_WRITE(&p->log, LOG_LEVEL_WARNING, "store_moved",
	    { "cause",
		STR("the directory of the store is another one; this worker "
		    "ends, for only a new one can open it") });
	return false;
}

/* Descriptors 0 to 2 exist, secrets stay out of core files. */
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

static enum dk_err
set_up(struct program *p, struct buf *message)
{
	char path_text[4096];
	struct buf path;
	enum dk_err err;

	log_open(&p->log, LOG_TO_STDERR, LOG_AS_JSON);
	BUF_OVER(&path, path_text);
	err = secret_init();
	if (err == DK_OK)
		err = arena_open(&p->conf_arena, CONF_ARENA_SIZE);
	if (err == DK_OK)
		err = arena_open(&p->request_arena, REQUEST_ARENA_SIZE);
	if (err == DK_OK) {
		/* Typed passwords pass through one, the other holds keys. */
		secret_lock(p->request_arena.block, p->request_arena.size);
		secret_lock(p->conf_arena.block, p->conf_arena.size);
		err = conf_find(&path);
	}
	if (err == DK_OK)
		err = conf_load(
		    buf_str(&path), &p->conf_arena, &p->conf, message);
	if (err != DK_OK)
		return err;
	log_open(&p->log, p->conf.log_destination, p->conf.log_format);
	domain_init(&p->domain, &p->conf, &p->log);
	return web_open(&p->web, &p->conf, &p->domain, &p->log, message);
}

static bool
has_variable(char *const *envp, struct str name_and_sign)
{
	for (; *envp != NULL; envp++)
		if (str_starts(str_from(*envp), name_and_sign))
			return true;
	return false;
}

/* Is this a person's shell, and no web server? */
static bool
started_by_hand(char *const *envp)
{
	return !has_variable(envp, STR("REQUEST_METHOD=")) &&
	    !has_variable(envp, STR("GATEWAY_INTERFACE="));
}

/*
 * Nothing can be answered without a configuration.  A FastCGI worker ends and
 * the server says 500 or 503; under CGI we say so ourselves.
 */
static int
refuse_to_start(bool fastcgi, enum dk_err err, const struct buf *message)
{
	static const char page[] =
	    "Status: 503 Service Unavailable\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\n"
	    "Retry-After: 30\r\n"
	    "\r\n"
	    "The sign-in is not set up correctly. Its log says why.\n";

	(void)fprintf(stderr, "doorkeep: %s\n",
	    message->len > 0 ? buf_z(message) : err_name(err));
	if (fastcgi)
		return 1;
	return write(STDOUT_FILENO, page, sizeof(page) - 1) < 0;
}

int
main(int argc, char **argv, char **envp)
{
	static struct program p;
	bool fastcgi = gateway_is_fastcgi(STDIN_FILENO);
	struct gateway_app app = { .arg = &p,
		.rules = &p.web.rules,
		.arena = &p.request_arena,
		.log = &p.log,
		.handle = handle,
		.fail = fail,
		.idle = idle };
	char text[MESSAGE_MAX];
	struct buf message;
	enum dk_err err;
	int status;

	(void)argc, (void)argv;
	settle_process();
	if (!fastcgi && started_by_hand(envp)) {
		(void)fputs("doorkeep.fcgi is started by a web server or by "
			    "`doorkeep serve`, see doorkeep.fcgi(8)\n",
		    stderr);
		return 2;
	}
	BUF_OVER(&message, text);
	err = set_up(&p, &message);
	if (err == DK_OK) {
		p.preloaded = has_variable(envp, STR("LD_PRELOAD="));
		name_rights(&p, fastcgi);
		err = give_up_rights(&p, fastcgi, &message);
	}
	if (err != DK_OK)
		return refuse_to_start(fastcgi, err, &message);
	status = fastcgi ? gateway_run_fcgi(&app, STDIN_FILENO)
			 : gateway_run_cgi(&app, envp);
	domain_close(&p.domain);
	web_close(&p.web);
	arena_close(&p.request_arena);
	arena_close(&p.conf_arena);
	return status;
}
