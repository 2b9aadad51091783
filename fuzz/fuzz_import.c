/*
 * A file for `doorkeep user import`: htpasswd or JSON lines, through the
 * command itself into a store in memory.  What comes in afterwards has a name
 * that may be one, and no password or a hash that is known and bearable.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "ctl/ctl.h"
#include "domain/stored_hash.h"

enum { INPUT_MAX = 32 * 1024 };

struct place {
	char dir[64], store[96], file[96];
	struct ctl ctl;
	sqlite3 *side;
};

static void
need(bool holds, const char *what)
{
	if (!holds) {
		(void)fprintf(stderr, "fuzz_import: %s\n", what);
		abort();
	}
}

static struct place *place;

static void
remove_place(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-hash" };
	char path[128];
	size_t i;

	(void)sqlite3_close(place->side);
	domain_close(&place->ctl.dom);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s%s", place->store, ends[i]);
		(void)unlink(path);
	}
	(void)unlink(place->file);
	(void)rmdir(place->dir);
	free(place);
}

static void
open_place(void)
{
	static const char *const dirs[] = { "/dev/shm", "/tmp" };
	struct buf message;
	struct ctl *ctl;
	char text[512];
	size_t i;

	need(secret_init() == DK_OK, "libsodium");
	place = calloc(1, sizeof(*place));
	need(place != NULL, "no memory");
	ctl = &place->ctl;
	for (i = 0; i < 2; i++) {
		(void)snprintf(place->dir, sizeof(place->dir),
		    "%s/doorkeep-import-XXXXXX", dirs[i]);
		if (mkdtemp(place->dir) != NULL)
			break;
	}
	(void)snprintf(
	    place->store, sizeof(place->store), "%s/store.db", place->dir);
	(void)snprintf(place->file, sizeof(place->file), "%s/file", place->dir);
	ctl->conf = (struct conf){ .database = str_from(place->store),
		.max_parallel_hashes = 1 };
	log_open(&ctl->log, LOG_TO_STDERR, LOG_AS_TEXT);
	ctl->log.least = LOG_LEVEL_ERROR;
	ctl->asker = (struct asker){ .actor = STR("cli:fuzz") };
	ctl->now_ms = INT64_C(1900000000000);
	ctl->json = true;
	ctl->operand[0] = str_from(place->file);
	ctl->n_operands = 1;
	domain_init(&ctl->dom, &ctl->conf, &ctl->log);
	BUF_OVER(&message, text);
	need(domain_open(&ctl->dom, true, true, &message) == DK_OK, text);
	need(sqlite3_open(place->store, &place->side) == SQLITE_OK, "side");
	(void)sqlite3_busy_timeout(place->side, 1000);
	(void)atexit(remove_place);
}

static void
write_file(const uint8_t *data, size_t size)
{
	FILE *f = fopen(place->file, "wb");

	need(f != NULL && fwrite(data, 1, size, f) == size && fclose(f) == 0,
	    "the file cannot be written");
}

static int
check_user(void *arg, int n, char **values, char **names)
{
	struct str hash = str_from(values[1]);
	struct stored_hash h = stored_hash_read(hash);

	(void)arg, (void)n, (void)names;
	need(account_name_is_valid(str_from(values[0])), "an odd name");
	need(hash.n == 0 || (h.scheme != HASH_NONE && !h.too_costly),
	    "a hash that nothing can match");
	need(str_is_printable(str_from(values[2])) &&
		str_is_printable(str_from(values[3])),
	    "a field that nobody can look at");
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int out, null;

	if (size > INPUT_MAX)
		return 0;
	if (place == NULL)
		open_place();
	write_file(data, size);
	/* What the command prints is for people. */
	(void)fflush(stdout);
	out = dup(STDOUT_FILENO);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	need(out >= 0 && null >= 0 && dup2(null, STDOUT_FILENO) >= 0, "stdout");
	(void)ctl_user_import(&place->ctl);
	(void)fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	(void)close(out);
	(void)close(null);
	need(sqlite3_exec(place->side,
		 "SELECT username, password_hash, display_name, email "
		 "FROM users",
		 check_user, NULL, NULL) == SQLITE_OK &&
		sqlite3_exec(place->side,
		    "DELETE FROM users; DELETE FROM user_groups; "
		    "DELETE FROM events",
		    NULL, NULL, NULL) == SQLITE_OK,
	    sqlite3_errmsg(place->side));
	return 0;
}
