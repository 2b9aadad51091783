/* Files below a document root: what is found, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/hosting.h"

struct site {
	char dir[64];
	struct arena arena;
};

/* dir/name, in the arena. */
static const char *
at(struct site *s, const char *name)
{
	return arena_printf(&s->arena, 4096, "%s/%s", s->dir, name).p;
}

static void
make_file(struct site *s, const char *name)
{
	FILE *f = fopen(at(s, name), "w");

	assert_non_null(f);
	(void)fputs(name, f);
	assert_int_equal(fclose(f), 0);
}

static int
open_site(void **state)
{
	static const char *const dirs[] = { "root", "root/sub", "root/.git",
		"root/empty", "other", "rootless" };
	static const char *const files[] = { "root/a.txt", "root/sub/b.txt",
		"root/.hidden", "root/.git/config", "root/x.php",
		"root/x.php.bak", "root/data.db", "root/data.db-key",
		"outside.txt", "other/c.txt", "rootless/d.txt" };
	static const char *const links[][2] = { { "a.txt", "root/inner" },
		{ "../outside.txt", "root/out" }, { "../other", "root/out-dir" },
		{ "sub", "root/in-dir" }, { "..", "root/up" },
		{ ".hidden", "root/to-hidden" }, { "x.php", "root/to-php" },
		{ "data.db", "root/to-store" }, { "loop", "root/loop" },
		{ "/", "root/top" }, { "root", "root-link" },
		{ "nowhere", "root/broken" } };
	struct site *s = calloc(1, sizeof(*s));
	size_t i;

	assert_non_null(s);
	assert_int_equal(arena_open(&s->arena, 1024 * 1024), DK_OK);
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/dk-hosted-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdir(at(s, dirs[i]), 0755), 0);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(s, files[i]);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		assert_int_equal(
		    symlink(links[i][0], at(s, links[i][1])), 0);
	assert_int_equal(mkfifo(at(s, "root/fifo"), 0644), 0);
	*state = s;
	return 0;
}

static int
close_site(void **state)
{
	static const char *const names[] = { "root/a.txt", "root/sub/b.txt",
		"root/.hidden", "root/.git/config", "root/x.php",
		"root/x.php.bak", "root/data.db", "root/data.db-key",
		"outside.txt", "other/c.txt", "rootless/d.txt", "root/inner",
		"root/out", "root/out-dir", "root/in-dir", "root/up",
		"root/to-hidden", "root/to-php", "root/to-store", "root/loop",
		"root/top", "root-link", "root/broken", "root/fifo" };
	static const char *const dirs[] = { "root/sub", "root/.git",
		"root/empty", "root", "other", "rootless" };
	struct site *s = *state;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(at(s, names[i]));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		(void)rmdir(at(s, dirs[i]));
	assert_int_equal(rmdir(s->dir), 0);
	arena_close(&s->arena);
	free(s);
	return 0;
}

static enum dk_err
look(struct site *s, const char *root, const char *path, struct hosted *found)
{
	return hosted_path_open(&s->arena, str_from(at(s, root)),
	    str_from(at(s, path)), str_from(at(s, "root/data.db")), found);
}

/* DK-A-06 */
static void
finds_what_is_there_and_nothing_else(void **state)
{
	static const struct {
		const char *path;
		enum hosted_kind kind;
	} rows[] = {
		{ "root/a.txt", HOSTED_FILE },
		{ "root//sub/./b.txt", HOSTED_FILE },
		{ "root/sub/../a.txt", HOSTED_FILE },
		{ "root/inner", HOSTED_FILE },
		{ "root/in-dir/b.txt", HOSTED_FILE },
		{ "root", HOSTED_DIRECTORY },
		{ "root/", HOSTED_DIRECTORY },
		{ "root/sub", HOSTED_DIRECTORY },
		{ "root/in-dir/", HOSTED_DIRECTORY },
		{ "root/empty", HOSTED_DIRECTORY },
		{ "root/none", HOSTED_NOTHING },
		{ "root/a.txt/", HOSTED_NOTHING },
		{ "root/a.txt/b", HOSTED_NOTHING },
		{ "root/.hidden", HOSTED_NOTHING },
		{ "root/.git", HOSTED_NOTHING },
		{ "root/.git/config", HOSTED_NOTHING },
		{ "root/to-hidden", HOSTED_NOTHING },
		{ "root/loop", HOSTED_NOTHING },
		{ "root/broken", HOSTED_NOTHING },
		{ "root/fifo", HOSTED_NOTHING },
		{ "root/data.db", HOSTED_NOTHING },
		{ "root/data.db-key", HOSTED_NOTHING },
		{ "root/to-store", HOSTED_NOTHING },
		{ "root/x.php", HOSTED_SCRIPT },
		{ "root/x.php.bak", HOSTED_SCRIPT },
		{ "root/to-php", HOSTED_SCRIPT },
		{ "root/out", HOSTED_OUTSIDE },
		{ "root/out-dir", HOSTED_OUTSIDE },
		{ "root/out-dir/c.txt", HOSTED_OUTSIDE },
		{ "root/up/outside.txt", HOSTED_OUTSIDE },
		{ "root/top/etc/passwd", HOSTED_OUTSIDE },
		{ "root/../outside.txt", HOSTED_OUTSIDE },
		{ "outside.txt", HOSTED_OUTSIDE },
		{ "rootless/d.txt", HOSTED_OUTSIDE },
	};
	static const char *const roots[] = { "root", "root/", "root-link" };
	struct site *s = *state;
	struct hosted found;
	size_t i, k;

	for (k = 0; k < 3; k++)
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			arena_reset(&s->arena);
			assert_int_equal(
			    look(s, roots[k], rows[i].path, &found), DK_OK);
			if (found.kind != rows[i].kind)
				fail_msg("%s: %d", rows[i].path, found.kind);
			assert_int_equal(
			    found.fd >= 0, found.kind == HOSTED_FILE);
			if (found.fd >= 0)
				assert_int_equal(close(found.fd), 0);
		}
}

static void
opens_the_very_file(void **state)
{
	struct site *s = *state;
	struct hosted found;
	char text[64] = "";

	assert_int_equal(look(s, "root", "root/in-dir/b.txt", &found), DK_OK);
	assert_int_equal(found.kind, HOSTED_FILE);
	assert_int_equal(read(found.fd, text, sizeof(text)), 14);
	assert_string_equal(text, "root/sub/b.txt");
	assert_int_equal(found.size, 14);
	assert_true(found.modified_ns > 0);
	/* The name decides about the type: that of the file, not the link. */
	assert_true(str_eq(found.name, STR("b.txt")));
	assert_int_equal(close(found.fd), 0);
}

static void
says_when_it_cannot_be_told(void **state)
{
	struct site *s = *state;
	struct hosted found;

	/* No document root: nothing is below it. */
	assert_int_not_equal(look(s, "none", "root/a.txt", &found), DK_OK);
	assert_int_equal(found.kind, HOSTED_NOTHING);
	assert_int_equal(found.fd, -1);
	assert_int_not_equal(hosted_path_open(&s->arena, STR_NONE,
				 str_from(at(s, "root/a.txt")), STR_NONE,
				 &found),
	    DK_OK);
	assert_int_equal(found.fd, -1);
	if (geteuid() == 0)
		return; /* may read everything */
	assert_int_equal(chmod(at(s, "root/a.txt"), 0), 0);
	assert_int_equal(look(s, "root", "root/a.txt", &found), DK_OK);
	assert_int_equal(found.kind, HOSTED_UNREADABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    finds_what_is_there_and_nothing_else, open_site,
		    close_site),
		cmocka_unit_test_setup_teardown(
		    opens_the_very_file, open_site, close_site),
		cmocka_unit_test_setup_teardown(
		    says_when_it_cannot_be_told, open_site, close_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
