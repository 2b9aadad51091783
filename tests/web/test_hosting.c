/* Shared hosting: files that we give out ourselves, and the cookie of the
 * marker files by which Apache lets people in itself. */
#include "fixture.h"

#include "domain/marker.h"

static const char rules[] = "[access]\n"
			    "/open/ = public\n"
			    "/private/ = any\n"
			    "/bob/ = user:bob\n";

static const char *
below(struct desk *d, const char *name)
{
	static char path[2][512];
	static int turn;

	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/site/%s", d->dir,
	    name);
	return path[turn];
}

static void
put(struct desk *d, const char *name, const char *text)
{
	FILE *f = fopen(below(d, name), "w");

	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static const char *const dirs[] = { "", "open", "private", "private/sub",
	"bob" };
static const char *const files[] = { "open/a.txt", "private/b.html",
	"private/x.php", "private/sub/index.html", "bob/c.txt",
	"private/.htaccess", "private/mode" };

static int
open_hosting(void **state)
{
	struct desk *d;
	size_t i;

	(void)desk_open_bare(state);
	d = *state;
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdir(below(d, dirs[i]), 0755), 0);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put(d, files[i], "0123456789");
	assert_int_equal(
	    symlink("/etc/hostname", below(d, "private/out")), 0);
	desk_start(d, rules);
	desk_add_user(d, "alice");
	return 0;
}

static int
close_hosting(void **state)
{
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(below(d, files[i]));
	(void)unlink(below(d, "private/out"));
	for (i = sizeof(dirs) / sizeof(dirs[0]); i-- > 0;)
		(void)rmdir(below(d, dirs[i]));
	return desk_close(state);
}

/* As Apache's Action runs us for a file. */
static void
begin_file(struct desk *d, const char *method, const char *target)
{
	char path[256];

	desk_begin(d, method, target);
	(void)snprintf(path, sizeof(path), "%.*s",
	    (int)strcspn(target, "?"), target);
	desk_set(d, "SCRIPT_NAME", "/cgi-bin/doorkeep.fcgi");
	desk_set(d, "PATH_INFO", path);
	desk_set(d, "DOCUMENT_ROOT", below(d, ""));
	desk_set(d, "PATH_TRANSLATED", below(d, path + 1));
	desk_set(d, "REDIRECT_HANDLER", "doorkeep-files");
}

static unsigned
get_file(struct desk *d, const char *target)
{
	begin_file(d, "GET", target);
	return desk_send(d);
}

/* DK-A-06 */
static void
gives_a_file_to_who_may_see_it(void **state)
{
	static const struct {
		const char *target;
		unsigned nobody, alice;
	} rows[] = {
		{ "/open/a.txt", 200, 200 },
		{ "/private/b.html", 401, 200 },
		{ "/private/b.html?x=1", 401, 200 },
		{ "/bob/c.txt", 401, 403 },
		{ "/nowhere/d.txt", 403, 403 },
		{ "/private/none", 401, 404 },
		{ "/private/x.php", 401, 403 },
		{ "/private/out", 401, 403 },
		{ "/private/.htaccess", 401, 404 },
		{ "/private/b.html/", 401, 404 },
		{ "/private/sub/", 401, 200 },
		{ "/private/sub", 401, 303 },
		{ "/private/", 401, 404 },
	};
	struct desk *d = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		desk_empty_jar(d);
		if (get_file(d, rows[i].target) != rows[i].nobody)
			fail_msg("%s: %u", rows[i].target, d->status);
	}
	desk_empty_jar(d);
	desk_sign_in(d, "alice");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (get_file(d, rows[i].target) != rows[i].alice)
			fail_msg("%s: %u", rows[i].target, d->status);
		if (d->status == 200)
			assert_string_equal(d->body, "0123456789");
		/* What we give out is nobody else's to keep. */
		if (d->status == 200)
			assert_true(desk_header_is(
			    d, "Cache-Control", "private, no-cache"));
	}
}

static void
a_directory_is_led_to_its_slash_with_the_query(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	assert_int_equal(get_file(d, "/private/sub?a=b"), 303);
	assert_true(desk_header_is(d, "Location", "/private/sub/?a=b"));
}

/* RFC 9110 13 and 14 */
static void
answers_conditions_and_ranges(void **state)
{
	struct desk *d = *state;
	char tag[64];

	d->now += HOUR * 24 * 365 * 40; /* the file is not of just now */
	assert_int_equal(get_file(d, "/open/a.txt"), 200);
	assert_true(desk_header_is(d, "Content-Type",
	    "text/plain"));
	(void)snprintf(tag, sizeof(tag), "%s", desk_header(d, "ETag"));
	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "HTTP_IF_NONE_MATCH", tag);
	assert_int_equal(desk_send(d), 304);
	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "HTTP_RANGE", "bytes=2-4");
	assert_int_equal(desk_send(d), 206);
	assert_string_equal(d->body, "234");
	assert_true(desk_header_is(d, "Content-Range", "bytes 2-4/10"));
	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "HTTP_RANGE", "bytes=10-");
	assert_int_equal(desk_send(d), 416);
	assert_true(desk_header_is(d, "Content-Range", "bytes */10"));
	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "HTTP_IF_MATCH", "\"other\"");
	assert_int_equal(desk_send(d), 412);
	begin_file(d, "HEAD", "/open/a.txt");
	assert_int_equal(desk_send(d), 200);
	assert_int_equal(d->body_len, 0);
	assert_true(desk_header_is(d, "Content-Length", "10"));
}

static void
other_methods_are_not_allowed(void **state)
{
	struct desk *d = *state;

	begin_file(d, "POST", "/open/a.txt");
	assert_int_equal(desk_send(d), 405);
	assert_true(desk_header_is(d, "Allow", "GET, HEAD"));
}

/* DK-A-06: no client can make us a server of files. */
static void
without_apache_s_word_there_are_no_files(void **state)
{
	struct desk *d = *state;

	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "REDIRECT_HANDLER", NULL);
	desk_set(d, "HTTP_REDIRECT_HANDLER", "doorkeep-files");
	assert_int_equal(desk_send(d), 404);
	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "PATH_TRANSLATED", NULL);
	assert_true(desk_send(d) >= 500);
	assert_false(desk_shows(d, "0123456789"));
}

/* Two spellings of one path: the judge and the disk must not differ. */
static void
what_is_judged_is_what_is_given_out(void **state)
{
	struct desk *d = *state;

	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "PATH_INFO", "/private/b.html");
	desk_set(d, "PATH_TRANSLATED", below(d, "private/b.html"));
	assert_int_equal(desk_send(d), 401);
	begin_file(d, "GET", "/open/a.txt");
	desk_set(d, "PATH_INFO", "/open/../private/b.html");
	desk_set(d, "PATH_TRANSLATED", below(d, "private/b.html"));
	assert_true(desk_send(d) >= 400);
	assert_false(desk_shows(d, "0123456789"));
}

/* --- marker files ----------------------------------------------------------- */

static int
open_markers(void **state)
{
	char more[512];
	struct desk *d;

	(void)desk_open_bare(state);
	d = *state;
	(void)snprintf(more, sizeof(more),
	    "[hosting]\nmarkers = %s/markers\n%s", d->dir, rules);
	desk_start(d, more);
	desk_add_user(d, "alice");
	return 0;
}

static unsigned
count_markers(struct desk *d, bool remove_them)
{
	static const char *const places[] = { "any", "user.bob" };
	char path[512], file[800];
	struct dirent *e;
	unsigned n = 0;
	size_t i;
	DIR *dir;

	for (i = 0; i < 2; i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/markers/%s", d->dir, places[i]);
		dir = opendir(path);
		while (dir != NULL && (e = readdir(dir)) != NULL) {
			n += e->d_name[0] != '.';
			(void)snprintf(
			    file, sizeof(file), "%s/%s", path, e->d_name);
			if (remove_them)
				(void)unlink(file);
		}
		if (dir != NULL)
			(void)closedir(dir);
		if (remove_them)
			(void)rmdir(path);
	}
	return n;
}

static int
close_markers(void **state)
{
	struct desk *d = *state;
	char path[512];

	(void)count_markers(d, true);
	(void)snprintf(path, sizeof(path), "%s/markers", d->dir);
	(void)rmdir(path);
	return desk_close(state);
}

#define GATE "__Host-doorkeep-gate"

static void
a_sign_in_makes_a_marker_and_a_sign_out_takes_it(void **state)
{
	struct desk *d = *state;
	char body[256], token[128];

	desk_sign_in(d, "alice");
	assert_non_null(desk_cookie(d, GATE));
	assert_int_equal(count_markers(d, false), 1);
	assert_int_equal(desk_get(d, "/auth/logout"), 200);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body), "csrf_token=%s", token);
	desk_begin_form(d, "/auth/logout", body);
	assert_int_equal(desk_send(d), 303);
	assert_null(desk_cookie(d, GATE));
	assert_int_equal(count_markers(d, false), 0);
}

/* In place of a page that Apache has refused. */
static void
refused(struct desk *d, const char *target)
{
	desk_begin(d, "GET", target);
	desk_set(d, "SCRIPT_NAME", "/auth");
	desk_set(d, "PATH_INFO", "/login");
}

static void
who_has_lost_the_marker_gets_one_and_goes_back(void **state)
{
	struct desk *d = *state;

	desk_sign_in(d, "alice");
	desk_set_cookie(d, GATE, NULL);
	refused(d, "/private/x");
	assert_int_equal(desk_send(d), 303);
	assert_true(desk_header_is(d, "Location", "/private/x"));
	assert_non_null(desk_cookie(d, GATE));
	assert_int_equal(count_markers(d, false), 1);
	/* With a good one it would go round for ever: it is said instead. */
	refused(d, "/private/x");
	assert_int_equal(desk_send(d), 403);
	assert_true(desk_shows(d, "chmod"));
	/* One that was changed is as none. */
	desk_set_cookie(d, GATE, "x.20300101000000.alice");
	refused(d, "/private/x");
	assert_int_equal(desk_send(d), 303);
}

/* DK-G-11 */
static void
markers_in_the_document_root_are_not_used(void **state)
{
	struct desk *d = *state;

	d->log.least = LOG_LEVEL_ERROR + 1;
	desk_fill_login(d, "alice", PW, "");
	desk_set(d, "DOCUMENT_ROOT", d->dir);
	assert_int_equal(desk_send(d), 303);
	assert_null(desk_cookie(d, GATE));
	assert_int_equal(count_markers(d, false), 0);
	/* The session is there; the page says that something is wrong. */
	refused(d, "/private/x");
	desk_set(d, "DOCUMENT_ROOT", d->dir);
	assert_true(desk_send(d) >= 500);
	/* A directory beside, with the same beginning, is no document root. */
	refused(d, "/private/x");
	{
		char root[512];

		(void)snprintf(root, sizeof(root), "%s/mark", d->dir);
		desk_set(d, "DOCUMENT_ROOT", root);
	}
	assert_int_equal(desk_send(d), 303);
}

/* Signed out and yet let in by a file: that is not hidden. */
static void
a_marker_that_stays_is_told(void **state)
{
	struct desk *d = *state;
	char body[256], token[128], dir[512];

	d->log.least = LOG_LEVEL_ERROR + 1;
	desk_sign_in(d, "alice");
	assert_int_equal(desk_get(d, "/auth/logout"), 200);
	desk_token(d, token);
	(void)snprintf(body, sizeof(body), "csrf_token=%s", token);
	/* In place of the file something that cannot be unlinked. */
	(void)snprintf(dir, sizeof(dir),
	    "cd %s/markers/any && for f in *; do rm $f; mkdir $f; done",
	    d->dir);
	assert_int_equal(system(dir), 0);
	desk_begin_form(d, "/auth/logout", body);
	assert_int_equal(desk_send(d), 503);
	(void)snprintf(dir, sizeof(dir), "rmdir %s/markers/any/*", d->dir);
	assert_int_equal(system(dir), 0);
}

#define FILE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, open_hosting, close_hosting)
#define MARKER_TEST(f) \
	cmocka_unit_test_setup_teardown(f, open_markers, close_markers)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(gives_a_file_to_who_may_see_it),
		FILE_TEST(a_directory_is_led_to_its_slash_with_the_query),
		FILE_TEST(answers_conditions_and_ranges),
		FILE_TEST(other_methods_are_not_allowed),
		FILE_TEST(without_apache_s_word_there_are_no_files),
		FILE_TEST(what_is_judged_is_what_is_given_out),
		MARKER_TEST(a_sign_in_makes_a_marker_and_a_sign_out_takes_it),
		MARKER_TEST(who_has_lost_the_marker_gets_one_and_goes_back),
		MARKER_TEST(markers_in_the_document_root_are_not_used),
		MARKER_TEST(a_marker_that_stays_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
