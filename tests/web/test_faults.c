/*
 * Fault injection: while a request is answered, the
 * n-th call of one kind fails, for each n until none is left to fail.  The
 * answer is right or 5xx, nobody is let in, what was done is done whole, no
 * descriptor is lost, and the next request finds all as it should be.
 *
 * Our own calls are wrapped by the linker (--wrap, see Makefile.am); SQLite's
 * memory and system calls by its own interfaces.  DK_FAULT_STEP (default 5)
 * is how many n are skipped of what is called hundreds of times; 1 is all.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

enum kind {
	ALLOCATION,
	RANDOM,
	FILES,
	DERIVATION,
	STATEMENT,
	SQLITE_MEMORY,
	SQLITE_FILES,
	KINDS
};
static const char *const kind_names[KINDS] = { "allocation", "getrandom",
	"file call", "password hash", "SQLite call", "allocation of SQLite",
	"system call of SQLite" };

static struct {
	bool on, for_good; /* that call alone, or all from it on */
	bool lie;	   /* planted: a step that fails says "done" */
	enum kind kind;
	unsigned long at, calls;
	bool fired;
} fault;

static bool
fails(enum kind kind)
{
	bool now;

	if (!fault.on || kind != fault.kind)
		return false;
	fault.calls++;
	now =
	    fault.for_good ? fault.calls >= fault.at : fault.calls == fault.at;
	fault.fired |= now;
	return now;
}

/* --- our own calls ---------------------------------------------------------
 */
#define WRAP(type, name, params, args, kind, result, error) \
	type __real_##name params;                          \
	type __wrap_##name params;                          \
	type __wrap_##name params                           \
	{                                                   \
		if (fails(kind)) {                          \
			errno = (error);                    \
			return result;                      \
		}                                           \
		return __real_##name args;                  \
	}

WRAP(void *, calloc, (size_t a, size_t b), (a, b), ALLOCATION, NULL, ENOMEM)
WRAP(ssize_t, getrandom, (void *p, size_t n, unsigned f), (p, n, f), RANDOM, -1,
    EIO)
WRAP(int, stat, (const char *p, struct stat *s), (p, s), FILES, -1, EIO)
WRAP(int, fstat, (int fd, struct stat *s), (fd, s), FILES, -1, EIO)
WRAP(int, faccessat, (int d, const char *p, int m, int f), (d, p, m, f), FILES,
    -1, EIO)
WRAP(int, crypto_pwhash_str_alg,
    (char *o, const char *p, unsigned long long n, unsigned long long ops,
	size_t mem, int alg),
    (o, p, n, ops, mem, alg), DERIVATION, -1, ENOMEM)
WRAP(int, crypto_pwhash_argon2id_str_verify,
    (const char *s, const char *p, unsigned long long n), (s, p, n), DERIVATION,
    -1, ENOMEM)
WRAP(int, sqlite3_prepare_v3,
    (sqlite3 * db, const char *s, int n, unsigned f, sqlite3_stmt **st,
	const char **t),
    (db, s, n, f, st, t), STATEMENT, SQLITE_IOERR, 0)
WRAP(int, sqlite3_exec,
    (sqlite3 * db, const char *s, int (*f)(void *, int, char **, char **),
	void *a, char **m),
    (db, s, f, a, m), STATEMENT, SQLITE_IOERR, 0)
WRAP(int, sqlite3_open_v2, (const char *p, sqlite3 **db, int f, const char *v),
    (p, db, f, v), STATEMENT, SQLITE_CANTOPEN, 0)
WRAP(int, sqlite3_bind_int64, (sqlite3_stmt * st, int i, sqlite3_int64 v),
    (st, i, v), STATEMENT, SQLITE_NOMEM, 0)
WRAP(int, sqlite3_bind_null, (sqlite3_stmt * st, int i), (st, i), STATEMENT,
    SQLITE_NOMEM, 0)
WRAP(int, sqlite3_bind_text64,
    (sqlite3_stmt * st, int i, const char *p, sqlite3_uint64 n,
	void (*f)(void *), unsigned char e),
    (st, i, p, n, f, e), STATEMENT, SQLITE_NOMEM, 0)
WRAP(int, sqlite3_bind_blob64,
    (sqlite3_stmt * st, int i, const void *p, sqlite3_uint64 n,
	void (*f)(void *)),
    (st, i, p, n, f), STATEMENT, SQLITE_NOMEM, 0)
WRAP(int, sqlite3_step, (sqlite3_stmt * st), (st), STATEMENT,
    fault.lie ? SQLITE_DONE : SQLITE_FULL, 0)

/* --- SQLite's own -----------------------------------------------------------
 */
static sqlite3_mem_methods memory;

static void *
sqlite_malloc(int n)
{
	return fails(SQLITE_MEMORY) ? NULL : memory.xMalloc(n);
}

static void *
sqlite_realloc(void *p, int n)
{
	return fails(SQLITE_MEMORY) ? NULL : memory.xRealloc(p, n);
}

typedef int open_fn(const char *, int, int);
typedef ssize_t pread_fn(int, void *, size_t, off_t);
typedef ssize_t pwrite_fn(int, const void *, size_t, off_t);
typedef int lock_fn(int, int, struct flock *);
static struct {
	open_fn *open;
	pread_fn *pread;
	pwrite_fn *pwrite;
	lock_fn *fcntl;
	int (*ftruncate)(int, off_t);
} os;

static int
os_open(const char *path, int flags, int mode)
{
	errno = EMFILE;
	return fails(SQLITE_FILES) ? -1 : os.open(path, flags, mode);
}

static ssize_t
os_pread(int fd, void *p, size_t n, off_t at)
{
	errno = EIO;
	return fails(SQLITE_FILES) ? -1 : os.pread(fd, p, n, at);
}

static ssize_t
os_pwrite(int fd, const void *p, size_t n, off_t at)
{
	errno = ENOSPC;
	return fails(SQLITE_FILES) ? -1 : os.pwrite(fd, p, n, at);
}

static int
os_fcntl(int fd, int what, struct flock *lock)
{
	/* Giving up a lock does not fail; and where no lock can be had for
	 * good, SQLite waits ten seconds each time: that is not tried here. */
	bool gives =
	    what != F_SETLK || lock->l_type == F_UNLCK || fault.for_good;

	errno = ENOLCK;
	return !gives && fails(SQLITE_FILES) ? -1 : os.fcntl(fd, what, lock);
}

static int
os_ftruncate(int fd, off_t n)
{
	errno = EROFS;
	return fails(SQLITE_FILES) ? -1 : os.ftruncate(fd, n);
}

#define TAKE(name, type)                                                 \
	do {                                                             \
		sqlite3_syscall_ptr p = vfs->xGetSystemCall(vfs, #name); \
		memcpy(&os.name, &p, sizeof(p));                         \
		assert_int_equal(vfs->xSetSystemCall(vfs, #name,         \
				     (sqlite3_syscall_ptr)os_##name),    \
		    SQLITE_OK);                                          \
	} while (0)

static int
wrap_sqlite(void **state)
{
	sqlite3_mem_methods ours;
	sqlite3_vfs *vfs;

	(void)state;
	assert_int_equal(
	    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory), SQLITE_OK);
	ours = memory;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	assert_int_equal(
	    sqlite3_config(SQLITE_CONFIG_MALLOC, &ours), SQLITE_OK);
	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	vfs = sqlite3_vfs_find("unix");
	assert_non_null(vfs);
	TAKE(open, open_fn);
	TAKE(pread, pread_fn);
	TAKE(pwrite, pwrite_fn);
	TAKE(fcntl, lock_fn);
	TAKE(ftruncate, truncate_fn);
	return 0;
}

/* --- what people do, and what must hold afterwards --------------------------
 */
#define PW2 "another long phrase 8"

struct action {
	const char *name;
	bool signed_in;
	void (*begin)(struct desk *d, const char *token);
	unsigned right; /* the answer without a fault */
};

static void
ask_right(struct desk *d, const char *token)
{
	(void)token;
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
}

static void
ask_wrong(struct desk *d, const char *token)
{
	(void)token;
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"not " PW "\"}");
}

static void
ask_gate(struct desk *d, const char *token)
{
	(void)token;
	desk_begin(d, "GET", "/private/");
	d->role = REQUEST_AUTHORIZER;
	desk_set(d, "SCRIPT_NAME", NULL);
}

static void
ask_out(struct desk *d, const char *token)
{
	static char body[256];

	(void)snprintf(body, sizeof(body), "{\"csrf_token\":\"%s\"}", token);
	desk_begin_json(d, "/auth/logout", body);
}

static void
ask_change(struct desk *d, const char *token)
{
	static char body[512];

	(void)snprintf(body, sizeof(body),
	    "{\"csrf_token\":\"%s\",\"action\":\"change_password\","
	    "\"current_password\":\"" PW "\",\"new_password\":\"" PW2 "\"}",
	    token);
	desk_begin_json(d, "/auth/account", body);
}

static void
ask_page(struct desk *d, const char *token)
{
	(void)token;
	desk_begin(d, "GET", "/auth/account");
}

static const struct action actions[] = {
	{ "sign-in", false, ask_right, 200 },
	{ "sign-in with a wrong password", false, ask_wrong, 401 },
	{ "gate, nobody", false, ask_gate, 401 },
	{ "gate, signed in", true, ask_gate, 200 },
	{ "sign-out", true, ask_out, 204 },
	{ "change of password", true, ask_change, 204 },
	{ "account page", true, ask_page, 200 },
};

static char saved[512 * 1024];
static size_t saved_n;
static char saved_cookie[512], saved_token[128];

static void
write_store(struct desk *d)
{
	char side[128];
	FILE *f;

	(void)snprintf(side, sizeof(side), "%s-wal", d->file);
	(void)unlink(side);
	(void)snprintf(side, sizeof(side), "%s-shm", d->file);
	(void)unlink(side);
	f = fopen(d->file, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(saved, 1, saved_n, f), saved_n);
	assert_int_equal(fclose(f), 0);
}

static void
open_again(struct desk *d)
{
	char text[512];
	struct buf message;

	BUF_OVER(&message, text);
	if (domain_open(&d->dom, false, false, &message) != DK_OK)
		fail_msg("%s", text);
}

/* One user, signed in: kept as bytes, put back before each request. */
static int
open_faults(void **state)
{
	struct desk *d;
	FILE *f;

	(void)desk_open_bare(state);
	d = *state;
	desk_move_to_memory(d);
	desk_start(d, "[access]\n/private/ = any\n");
	desk_add_user(d, "alice");
	desk_begin_json(d, "/auth/login",
	    "{\"username\":\"alice\",\"password\":\"" PW "\"}");
	assert_int_equal(desk_send(d), 200);
	desk_token(d, saved_token);
	(void)snprintf(
	    saved_cookie, sizeof(saved_cookie), "%s", desk_cookie(d, SESSION));
	domain_close(&d->dom);
	f = fopen(d->file, "rb");
	assert_non_null(f);
	saved_n = fread(saved, 1, sizeof(saved), f);
	assert_true(saved_n > 0 && saved_n < sizeof(saved));
	(void)fclose(f);
	open_again(d);
	return 0;
}

static size_t
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

/* Without any fault: does this password open a session? */
static bool
opens(struct desk *d, const char *pw)
{
	char body[256];

	desk_empty_jar(d);
	(void)desk_sql(d, "DELETE FROM throttle");
	(void)snprintf(body, sizeof(body),
	    "{\"username\":\"alice\",\"password\":\"%s\"}", pw);
	desk_begin_json(d, "/auth/login", body);
	return desk_send(d) == 200;
}

static bool
first_session_lives(struct desk *d)
{
	desk_empty_jar(d);
	desk_set_cookie(d, SESSION, saved_cookie);
	return desk_is_signed_in(d);
}

/* What is wrong with what is there after the answer; NULL: nothing. */
static const char *
judge(struct desk *d, const struct action *a)
{
	unsigned status = d->status;
	bool right = status == a->right, with_cookie;
	char mine[512] = "";

	if (strncmp(d->head, "Status: ", 8) != 0)
		return "no Status:";
	if (strstr(d->body, PW) != NULL || strstr(d->head, PW) != NULL)
		return "a password in the answer";
	if (!right && status < 500)
		return "neither right nor 5xx";
	with_cookie = strstr(d->head, "Set-Cookie: " SESSION "=") != NULL &&
	    strstr(d->head, "Max-Age=0") == NULL;
	if (with_cookie)
		(void)snprintf(mine, sizeof(mine), "%s",
		    desk_cookie(d, SESSION) ? desk_cookie(d, SESSION) : "");
	if (with_cookie && !right)
		return "a session with an error";
	if (a->begin == ask_right && right) {
		desk_empty_jar(d);
		desk_set_cookie(d, SESSION, mine);
		if (!with_cookie || !desk_is_signed_in(d))
			return "an acknowledged sign-in is not there";
	} else if (with_cookie && a->begin != ask_change) {
		return "a session out of nothing";
	}
	if (a->begin == ask_out && right && first_session_lives(d))
		return "an acknowledged sign-out is not in force";
	if (a->begin == ask_change) {
		bool new_opens = opens(d, PW2), old_opens = opens(d, PW);

		if (new_opens == old_opens)
			return "half a change of password";
		if (right && !new_opens)
			return "an acknowledged change is not in force";
	} else if (!opens(d, PW)) {
		return "the next sign-in fails";
	}
	if (a->begin != ask_out && a->begin != ask_change &&
	    !first_session_lives(d))
		return "a session of somebody else ended";
	return NULL;
}

/* The n-th call fails; *fired says whether there was one. */
static const char *
try_one(struct desk *d, const struct action *a, bool cold, bool *fired)
{
	const char *wrong;
	size_t files;

	domain_close(&d->dom);
	write_store(d);
	open_again(d);
	desk_empty_jar(d);
	if (a->signed_in)
		desk_set_cookie(d, SESSION, saved_cookie);
	if (cold) {
		domain_close(&d->dom);
		d->dom.tried_ms = 0;
	}
	files = open_files();
	a->begin(d, saved_token);
	fault.calls = 0;
	fault.fired = false;
	fault.on = true;
	(void)desk_send(d);
	fault.on = false;
	domain_rest(&d->dom);
	*fired = fault.fired;
	d->dom.tried_ms = 0;
	wrong = judge(d, a);
	if (wrong == NULL && !cold && open_files() > files + 2)
		wrong = "a descriptor was lost";
	return wrong;
}

static unsigned long
step_of(enum kind kind)
{
	const char *text = getenv("DK_FAULT_STEP");
	unsigned long step = text == NULL ? 5 : strtoul(text, NULL, 10);

	if (step == 0)
		step = 1;
	return kind == SQLITE_MEMORY			? step * 31
	    : kind == STATEMENT || kind == SQLITE_FILES ? step
							: 1;
}

/* Returns how many requests went wrong; *tried counts them all. */
static unsigned
try_kind(struct desk *d, const struct action *a, unsigned long *tried)
{
	unsigned bad = 0;
	int way;

	for (way = 0; way < (fault.lie ? 1 : 4); way++) {
		bool cold = way >= 2, fired = true;
		unsigned long n;

		fault.for_good = way % 2 == 1;
		for (n = 1; fired && n < 20000;
		     n += fault.lie ? 1 : step_of(fault.kind)) {
			const char *wrong;

			fault.at = n;
			wrong = try_one(d, a, cold, &fired);
			(*tried)++;
			if (wrong == NULL)
				continue;
			if (!fault.lie)
				print_error("%s, %s no. %lu%s%s: %u, %s\n",
				    a->name, kind_names[fault.kind], n,
				    fault.for_good ? " and on" : "",
				    cold ? ", store closed" : "", d->status,
				    wrong);
			bad++;
			if (fault.lie)
				return bad;
		}
	}
	return bad;
}

static void
run_kind(struct desk *d, enum kind kind)
{
	unsigned long tried = 0;
	unsigned bad = 0;
	size_t i;

	d->log.least = LOG_LEVEL_ERROR + 1;
	fault.kind = kind;
	fault.lie = false;
	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		bad += try_kind(d, &actions[i], &tried);
	print_message("%s: %lu requests\n", kind_names[kind], tried);
	assert_int_equal(bad, 0);
	/* More than those that end each round without a fault. */
	assert_true(tried > 4 * sizeof(actions) / sizeof(actions[0]));
}

#define KIND_TEST(name, kind)           \
	static void name(void **state)  \
	{                               \
		run_kind(*state, kind); \
	}
KIND_TEST(survives_failing_allocations, ALLOCATION)
KIND_TEST(survives_failing_getrandom, RANDOM)
KIND_TEST(survives_failing_file_calls, FILES)
KIND_TEST(survives_failing_password_hashes, DERIVATION)
KIND_TEST(survives_failing_sqlite_calls, STATEMENT)
KIND_TEST(survives_failing_sqlite_memory, SQLITE_MEMORY)
KIND_TEST(survives_failing_sqlite_files, SQLITE_FILES)

/* The judge notices where it must: a store that says "done" and does not. */
static void
notices_a_planted_fault(void **state)
{
	struct desk *d = *state;
	unsigned long tried = 0;

	d->log.least = LOG_LEVEL_ERROR + 1;
	fault.kind = STATEMENT;
	fault.lie = true;
	assert_true(try_kind(d, &actions[0], &tried) > 0);
	assert_true(try_kind(d, &actions[4], &tried) > 0);
	assert_true(try_kind(d, &actions[5], &tried) > 0);
	fault.lie = false;
}

#define FAULT_TEST(f) \
	cmocka_unit_test_setup_teardown(f, open_faults, desk_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(survives_failing_allocations),
		FAULT_TEST(survives_failing_getrandom),
		FAULT_TEST(survives_failing_file_calls),
		FAULT_TEST(survives_failing_password_hashes),
		FAULT_TEST(survives_failing_sqlite_calls),
		FAULT_TEST(survives_failing_sqlite_memory),
		FAULT_TEST(survives_failing_sqlite_files),
		FAULT_TEST(notices_a_planted_fault),
	};

	return cmocka_run_group_tests(tests, wrap_sqlite, NULL);
}
