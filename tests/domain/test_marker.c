#include "fixture.h"

#include <dirent.h>

#include "base/sha1.h"
#include "domain/marker.h"

/* A stand with a directory of markers and rules that name alice's group. */
struct post {
	struct stand *s;
	char dir[96];
	struct conf_rule rules[2];
	struct group_list groups;
	struct session session;
	struct marker marker;
};

static void
remove_tree(const char *dir)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) != 0)
			remove_tree(path);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(dir);
}

static int
post_open(void **state)
{
	struct post *p = calloc(1, sizeof(*p));
	void *inner;

	assert_non_null(p);
	assert_int_equal(stand_open(&inner), 0);
	p->s = inner;
	(void)snprintf(p->dir, sizeof(p->dir), "%s/markers", p->s->dir);
	p->rules[0] = (struct conf_rule){ .n_subjects = 3,
		.subjects = { { CONF_SUBJECT_GROUP, STR("staff") },
		    { CONF_SUBJECT_USER, STR("alice") },
		    { CONF_SUBJECT_GROUP, STR("board") } } };
	p->rules[1] = p->rules[0]; /* named twice */
	p->s->conf.markers = str_from(p->dir);
	p->s->conf.rules = p->rules;
	p->s->conf.n_rules = 2;
	p->s->conf.idle_timeout_ms = 0;
	stand_add_user(p->s, STR("Alice"));
	p->groups.n = 1;
	(void)strcpy(p->groups.name[0], "staff");
	(void)stand_sql(p->s,
	    "INSERT INTO user_groups SELECT id, 'staff' FROM users");
	stand_sign_in(p->s, STR("alice"), NOW, &p->session);
	*state = p;
	return 0;
}

static int
post_close(void **state)
{
	struct post *p = *state;
	void *inner = p->s;

	remove_tree(p->dir);
	assert_int_equal(stand_close(&inner), 0);
	free(p);
	return 0;
}

#define POST_TEST(f) cmocka_unit_test_setup_teardown(f, post_open, post_close)

static void
make(struct post *p)
{
	bool made;

	assert_int_equal(marker_make(&p->s->dom, &p->session, &p->groups,
			     &p->marker, &made),
	    DK_OK);
	assert_true(made);
}

static void
path_of(struct post *p, const char *place, char path[256])
{
	unsigned char hash[SHA1_LEN];
	size_t n, i;

	sha1(str_from(p->marker.cookie), hash);
	n = (size_t)snprintf(path, 256, "%s/%s/", p->dir, place);
	for (i = 0; i < sizeof(hash); i++)
		n += (size_t)snprintf(path + n, 256 - n, "%02x", hash[i]);
}

static bool
is_at(struct post *p, const char *place)
{
	char path[256];

	path_of(p, place, path);
	return access(path, F_OK) == 0;
}

static bool
is_good(struct post *p, int64_t now)
{
	bool good = true;

	assert_int_equal(marker_check(&p->s->dom, &p->session, &p->groups,
			     str_from(p->marker.cookie), now, &good),
	    DK_OK);
	return good;
}

static int64_t
rows(struct post *p)
{
	return stand_sql(p->s, "SELECT count(*) FROM markers");
}

static void
lies_where_its_owner_belongs(void **state)
{
	struct post *p = *state;
	struct stat st;
	char path[256];

	make(p);
	assert_true(is_at(p, "any"));
	assert_true(is_at(p, "group.staff"));
	assert_true(is_at(p, "user.alice"));
	assert_false(is_at(p, "group.board"));
	assert_true(is_good(p, NOW));
	/* The cookie: 256 random bits, the end, the name as registered. */
	assert_int_equal(strlen(p->marker.cookie), 43 + 1 + 14 + 1 + 5);
	assert_string_equal(p->marker.cookie + 43 + 1 + 14, ".Alice");
	/* Others may pass, see no names and add none; the file is empty. */
	path_of(p, "any", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(stat(p->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	(void)snprintf(path, sizeof(path), "%s/any", p->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
}

static void
has_nothing_of_the_session_in_it(void **state)
{
	struct post *p = *state;
	char text[SESSION_TOKEN_LEN + 1];
	struct marker first;

	make(p);
	first = p->marker;
	session_token_format(&p->session.token, text);
	assert_null(strstr(text, "Alice"));
	assert_memory_not_equal(
	    text + UUID_TEXT_LEN + 1, first.cookie, SECRET_TEXT_LEN);
	/* Made anew it is another, and the one before goes. */
	make(p);
	assert_memory_not_equal(
	    first.cookie, p->marker.cookie, SECRET_TEXT_LEN);
	assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	assert_true(is_at(p, "any"));
	p->marker = first;
	assert_false(is_at(p, "any"));
	assert_int_equal(rows(p), 1);
}

/* DK-S-11, DK-S-12: each of these, by whom ever, ends it at the next run. */
static const char *const ends[] = { "DELETE FROM active_sessions",
	"DELETE FROM sessions", "UPDATE users SET disabled = 1",
	"UPDATE users SET must_change = 1", "DELETE FROM users",
	"UPDATE users SET username = 'alicia', username_key = 'alicia'",
	"DELETE FROM user_groups",
	"UPDATE user_groups SET group_name = 'others'",
	"UPDATE sessions SET expires_at = expires_at - 1000" };

static void
ends_with_the_session_whoever_ends_it(void **state)
{
	struct post *p = *state;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		make(p);
		/* active_sessions goes by the true clock. */
		assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
		assert_true(is_at(p, "any"));
		(void)stand_sql(p->s, ends[i]);
		assert_false(is_good(p, NOW));
		assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
		if (is_at(p, "any") || is_at(p, "group.staff") ||
		    is_at(p, "user.alice") || rows(p) != 0)
			fail_msg("still there after: %s", ends[i]);
		assert_int_equal(post_close(state), 0);
		assert_int_equal(post_open(state), 0);
		p = *state;
	}
}

static void
ends_with_sign_out_and_at_its_time(void **state)
{
	struct post *p = *state;
	int64_t end = p->session.view.session.expires_at_ms;

	make(p);
	assert_int_equal(marker_sweep(&p->s->dom, end - 1), DK_OK);
	assert_true(is_at(p, "any"));
	assert_true(is_good(p, end - 2000));
	assert_false(is_good(p, end));
	assert_int_equal(marker_sweep(&p->s->dom, end), DK_OK);
	assert_false(is_at(p, "any"));
	make(p);
	assert_int_equal(
	    session_end(&p->s->dom, &stand_asker, &p->session, NOW), DK_OK);
	assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	assert_false(is_at(p, "any"));
}

static void
is_not_made_for_a_session_that_has_ended(void **state)
{
	struct post *p = *state;
	bool made = true;

	assert_int_equal(
	    session_end(&p->s->dom, &stand_asker, &p->session, NOW), DK_OK);
	assert_int_equal(marker_make(&p->s->dom, &p->session, &p->groups,
			     &p->marker, &made),
	    DK_OK);
	assert_false(made);
	assert_string_equal(p->marker.cookie, "");
	assert_int_equal(rows(p), 0);
}

/* Another's cookie, a changed byte, a place that lacks the file. */
static void
is_good_for_its_owner_alone(void **state)
{
	struct post *p = *state;
	struct session own = p->session;
	char path[256];

	make(p);
	stand_add_user(p->s, STR("bob"));
	stand_sign_in(p->s, STR("bob"), NOW, &p->session);
	assert_false(is_good(p, NOW));
	p->session = own;
	assert_true(is_good(p, NOW));
	p->marker.cookie[46] ^= 1;
	assert_false(is_good(p, NOW));
	p->marker.cookie[46] ^= 1;
	path_of(p, "group.staff", path);
	assert_int_equal(unlink(path), 0);
	assert_false(is_good(p, NOW));
}

static void
refuses_a_directory_that_others_can_write(void **state)
{
	struct post *p = *state;
	char text[4096], other[160];
	bool made = true;

	assert_int_equal(mkdir(p->dir, 0711), 0);
	assert_int_equal(chmod(p->dir, 0777), 0);
	stand_catch(p->s);
	assert_int_equal(marker_make(&p->s->dom, &p->session, &p->groups,
			     &p->marker, &made),
	    DK_ERR_IO);
	assert_false(made);
	/* Nor one behind a link. */
	assert_int_equal(rmdir(p->dir), 0);
	(void)snprintf(other, sizeof(other), "%s/other", p->s->dir);
	assert_int_equal(mkdir(other, 0711), 0);
	assert_int_equal(symlink(other, p->dir), 0);
	assert_int_equal(marker_make(&p->s->dom, &p->session, &p->groups,
			     &p->marker, &made),
	    DK_ERR_IO);
	stand_caught(p->s, text, sizeof(text));
	assert_non_null(strstr(text, "chmod 711"));
	assert_int_equal(unlink(p->dir), 0);
	assert_int_equal(rmdir(other), 0);
}

/* A file that cannot be removed is not forgotten. */
static void
keeps_the_row_while_the_file_is_there(void **state)
{
	struct post *p = *state;
	char text[4096], path[256];

	make(p);
	path_of(p, "any", path);
	/* unlink does not do it to a directory. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)stand_sql(p->s, "DELETE FROM sessions");
	stand_catch(p->s);
	assert_int_not_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	stand_caught(p->s, text, sizeof(text));
	assert_non_null(strstr(text, "markers_unusable"));
	assert_int_equal(rows(p), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	assert_int_equal(rows(p), 0);
}

static void
sweeps_many_at_once(void **state)
{
	struct post *p = *state;
	struct session session;
	int i;

	for (i = 0; i < 150; i++) {
		stand_sign_in(p->s, STR("alice"), NOW, &session);
		p->session = session;
		make(p);
	}
	assert_int_equal(rows(p), 150);
	(void)stand_sql(p->s, "DELETE FROM sessions");
	assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	assert_int_equal(rows(p), 0);
	assert_false(is_at(p, "any"));
}

/* Without the directory there is no file either. */
static void
sweeps_where_nothing_is(void **state)
{
	struct post *p = *state;

	assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	assert_int_equal(access(p->dir, F_OK), -1);
	make(p);
	remove_tree(p->dir);
	(void)stand_sql(p->s, "DELETE FROM sessions");
	assert_int_equal(marker_sweep(&p->s->dom, NOW), DK_OK);
	assert_int_equal(rows(p), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		POST_TEST(lies_where_its_owner_belongs),
		POST_TEST(has_nothing_of_the_session_in_it),
		POST_TEST(ends_with_the_session_whoever_ends_it),
		POST_TEST(ends_with_sign_out_and_at_its_time),
		POST_TEST(is_not_made_for_a_session_that_has_ended),
		POST_TEST(is_good_for_its_owner_alone),
		POST_TEST(refuses_a_directory_that_others_can_write),
		POST_TEST(keeps_the_row_while_the_file_is_there),
		POST_TEST(sweeps_many_at_once),
		POST_TEST(sweeps_where_nothing_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
