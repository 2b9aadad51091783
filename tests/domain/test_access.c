/* The rules of [access]: which one decides, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/access.h"

#define NOW    INT64_C(1900000000000)
#define MINUTE INT64_C(60000)

/* What a rule must say for its glob or prefix to take the path. */
static const struct {
	const char *pattern, *path;
	bool matches;
} patterns[] = {
	/* A prefix ends where a segment ends. */
	{ "/", "/", true },
	{ "/", "/x", true },
	{ "/x/", "/x", true },
	{ "/x/", "/x/", true },
	{ "/x/", "/x/y/z", true },
	{ "/x/", "/xy", false },
	{ "/x/", "/", false },
	{ "/x/", "/X/", false },
	{ "/x", "/x", true },
	{ "/x", "/x/y", true },
	{ "/x", "/xy", false },
	{ "/x", "/x.html", false },
	{ "/x/y", "/x", false },
	/* One star stays within its segment. */
	{ "/x/*", "/x/", true },
	{ "/x/*", "/x/y", true },
	{ "/x/*", "/x/y/", false },
	{ "/x/*", "/x/y/z", false },
	{ "/x/*", "/x", false },
	{ "/x/*.pdf", "/x/a.pdf", true },
	{ "/x/*.pdf", "/x/.pdf", true },
	{ "/x/*.pdf", "/x/a.pdf.html", false },
	{ "/x/*.pdf", "/x/a.pdf/b", false },
	{ "/x/*.pdf", "/x/a.PDF", false },
	{ "/x/*.pdf", "/x/y/a.pdf", false },
	{ "/x/*.pdf", "/x/a.pdf.pdf", true },
	{ "/*/y", "/x/y", true },
	{ "/*/y", "//y", true },
	{ "/*/y", "/x/z/y", false },
	{ "/a*b*c", "/abc", true },
	{ "/a*b*c", "/aXbYbZc", true },
	{ "/a*b*c", "/ab/c", false },
	{ "/a*b*c", "/acb", false },
	{ "/*a/b*", "/xa/b", true },
	{ "/*a/b*", "/a/ba", true },
	/* Two stars cross. */
	{ "/x/**", "/x/", true },
	{ "/x/**", "/x/y/z", true },
	{ "/x/**", "/x", false },
	{ "/**.pdf", "/a/b/c.pdf", true },
	{ "/**.pdf", "/.pdf", true },
	{ "/**.pdf", "/a.pdf/b", false },
	{ "/**/secret/*", "/a/secret/b", true },
	{ "/**/secret/*", "/a/b/secret/c", true },
	{ "/**/secret/*", "/a/secret/b/c", false },
	{ "/**/secret/*", "/secret/b", false },
	{ "/**/s*/x", "/a/sa/b/sc/x", true },
	{ "/***", "/a/b", true },
	/* A question mark is one byte, but no slash. */
	{ "/?", "/a", true },
	{ "/?", "/", false },
	{ "/?", "/ab", false },
	{ "/?x", "//x", false },
	{ "/a?c*", "/abc", true },
	{ "/**?", "/", false },
	{ "/*?*", "/", false },
	{ "/*?*", "/a", true },
};

static struct conf_rule
rule_of(const char *pattern)
{
	return (struct conf_rule){ .pattern = str_from(pattern),
		.glob = strpbrk(pattern, "*?") != NULL,
		.requirement = CONF_REQUIRE_ANY,
		.level = 1,
		.activity = true };
}

static void
matches_prefixes_and_globs(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct conf_rule rule = rule_of(patterns[i].pattern);

		if (access_pattern_matches(&rule, STR("h"),
			str_from(patterns[i].path)) != patterns[i].matches)
			fail_msg(
			    "%s on %s", patterns[i].pattern, patterns[i].path);
	}
}

/* The plainest reading of a glob: tries everything, slow and right. */
static bool
reference(const char *p, const char *s, bool behind_star)
{
	bool deep;

	if (*p == '\0')
		return *s == '\0';
	if (*p == '*') {
		deep = behind_star || p[1] == '*';
		return reference(p + 1, s, true) ||
		    (*s != '\0' && (*s != '/' || deep) &&
			reference(p, s + 1, behind_star));
	}
	return *s != '\0' && (*s == *p || (*p == '?' && *s != '/')) &&
	    reference(p + 1, s + 1, false);
}

/* Every pattern of up to four characters with every path of up to four. */
static void
agrees_with_the_plainest_reading_of_a_glob(void **state)
{
	static const char in_pattern[] = "a/*?", in_path[] = "ab/";
	unsigned p, s, i, n;

	(void)state;
	for (p = 0; p < 4 * 4 * 4 * 4; p++) {
		char pattern[8] = "/";
		struct conf_rule rule;

		for (i = 0, n = p; i < 4; i++, n /= 4)
			pattern[i + 1] = in_pattern[n % 4];
		rule = rule_of(pattern);
		rule.glob = true;
		for (s = 0; s < 3 * 3 * 3 * 3 * 5; s++) {
			char path[8] = "/";

			for (i = 0, n = s / 5; i < s % 5; i++, n /= 3)
				path[i + 1] = in_path[n % 3];
			if (access_pattern_matches(
				&rule, STR("h"), str_from(path)) !=
			    reference(pattern, path, false))
				fail_msg("%s on %s", pattern, path);
		}
	}
}

/* Somebody who chooses the path must not choose how long we think. */
static void
judges_a_long_path_in_bounded_time(void **state)
{
	static const char *const hostile[] = { "/**a**a**a**a**a**a**a**a**b",
		"/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
		"/**/**/**/**/**/**/**/**/**/**x", "/?**?**?**?**?**?**?b" };
	static char path[8192];
	int64_t before = clock_monotonic_ms();
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct conf_rule rule = rule_of(hostile[i]);

		memset(path, 'a', sizeof(path));
		path[0] = '/';
		if (strchr(hostile[i] + 1, '/') != NULL)
			for (k = 0; k < sizeof(path); k += 2)
				path[k] = '/';
		assert_false(access_pattern_matches(
		    &rule, STR("h"), (struct str){ path, sizeof(path) }));
	}
	assert_true(clock_monotonic_ms() - before < 2000);
}

static void
matches_the_host_that_it_names_and_every_host_without(void **state)
{
	struct conf_rule rule = rule_of("/x/");

	(void)state;
	assert_true(access_pattern_matches(&rule, STR("a"), STR("/x/")));
	rule.host = STR("www.example.org");
	assert_true(
	    access_pattern_matches(&rule, STR("www.example.org"), STR("/x/")));
	assert_true(
	    access_pattern_matches(&rule, STR("WWW.example.org"), STR("/x/")));
	assert_false(
	    access_pattern_matches(&rule, STR("example.org"), STR("/x/")));
	assert_false(access_pattern_matches(
	    &rule, STR("www.example.org.evil"), STR("/x/")));
	assert_false(access_pattern_matches(&rule, STR(""), STR("/x/")));
}

/* --- judging ------------------------------------------------------------- */

/* The rules as a site writes them. */
static const char rules_text[] =
    "[site]\n"
    "origin = https://www.example.org, https://other.example.org\n"
    "[access]\n"
    "/open/ = public\n"
    "/closed/ = deny\n"
    "/alice/ = user:Alice\n"
    "/staff/ = group:staff, user:bob\n"
    "/fresh/ = any; reauth=10m\n"
    "/two/ = any; level=2\n"
    "/two-fresh/ = group:staff; level=2; reauth=10m\n"
    "/read/ = any; methods=GET\n"
    "/read/** = public\n"
    "/lan/ = public; net=10.0.0.0/8, 2001:db8::/32\n"
    "/lan/** = public\n"
    "/poll/ = any; activity=no\n"
    "/first/ = deny\n"
    "/first/x/ = public\n"
    "other.example.org/ = public\n"
    "/any/ = any\n";

struct stand {
	struct arena arena;
	struct conf conf;
	struct group_list staff, none;
};

static int
stand_open(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));
	char text[512];
	struct buf message;

	assert_non_null(s);
	BUF_OVER(&message, text);
	assert_int_equal(arena_open(&s->arena, 512 * 1024), DK_OK);
	if (conf_parse(STR("test.conf"), STR(rules_text), &s->arena, &s->conf,
		&message) != DK_OK)
		fail_msg("%s", text);
	s->staff.n = 2;
	(void)snprintf(s->staff.name[0], sizeof(s->staff.name[0]), "editors");
	(void)snprintf(s->staff.name[1], sizeof(s->staff.name[1]), "staff");
	*state = s;
	return 0;
}

static int
stand_close(void **state)
{
	struct stand *s = *state;

	arena_close(&s->arena);
	free(s);
	return 0;
}

#define STAND_TEST(f) \
	cmocka_unit_test_setup_teardown(f, stand_open, stand_close)

static struct access_answer
judge(const struct stand *s, const char *path, const char *user)
{
	const struct access_question q = { .host = STR("www.example.org"),
		.path = str_from(path),
		.method = STR("GET"),
		.signed_in = user != NULL,
		.username = str_from(user),
		.groups = &s->none,
		.level = user != NULL ? 1 : 0,
		.authenticated_at_ms = NOW - MINUTE,
		.now_ms = NOW };

	return access_judge(&s->conf, &q);
}

static void
decides_by_the_first_rule_that_matches(void **state)
{
	static const struct {
		const char *path, *user;
		enum access_verdict verdict;
	} cases[] = {
		{ "/open/x", NULL, ACCESS_ALLOWED },
		{ "/open/x", "carol", ACCESS_ALLOWED },
		{ "/closed/x", NULL, ACCESS_DENIED },
		{ "/closed/x", "alice", ACCESS_DENIED },
		{ "/any/", NULL, ACCESS_SIGN_IN },
		{ "/any/", "carol", ACCESS_ALLOWED },
		{ "/alice/", NULL, ACCESS_SIGN_IN },
		{ "/alice/", "alice", ACCESS_ALLOWED },
		{ "/alice/", "ALICE", ACCESS_ALLOWED },
		{ "/alice/", "alic", ACCESS_DENIED },
		{ "/alice/", "alice2", ACCESS_DENIED },
		{ "/staff/", "bob", ACCESS_ALLOWED },
		{ "/staff/", "carol", ACCESS_DENIED },
		{ "/first/x/", NULL, ACCESS_DENIED },
		{ "/nowhere", NULL, ACCESS_DENIED },
		{ "/nowhere", "alice", ACCESS_DENIED },
		{ "", "alice", ACCESS_DENIED },
	};
	const struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (judge(s, cases[i].path, cases[i].user).verdict !=
		    cases[i].verdict)
			fail_msg("%s as %s", cases[i].path,
			    cases[i].user == NULL ? "nobody" : cases[i].user);
}

static void
denies_everything_without_a_rule(void **state)
{
	struct stand *s = *state;
	struct access_answer a;

	s->conf.n_rules = 0;
	a = judge(s, "/any/", "alice");
	assert_int_equal(a.verdict, ACCESS_DENIED);
	assert_null(a.rule);
	assert_non_null(a.reason);
	assert_int_equal(judge(s, "/", NULL).verdict, ACCESS_DENIED);
}

static void
who_is_in_no_group_is_denied_what_groups_may(void **state)
{
	struct stand *s = *state;
	struct access_question q = { .host = STR("www.example.org"),
		.path = STR("/staff/"),
		.method = STR("GET"),
		.signed_in = true,
		.username = STR("carol"),
		.level = 1,
		.authenticated_at_ms = NOW,
		.now_ms = NOW };
	struct access_answer a = access_judge(&s->conf, &q);

	assert_int_equal(a.verdict, ACCESS_DENIED);
	q.groups = &s->staff;
	a = access_judge(&s->conf, &q);
	assert_int_equal(a.verdict, ACCESS_ALLOWED);
	/* Bob is named himself; elsewhere no group is named. */
	q.groups = NULL;
	q.username = STR("bob");
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_ALLOWED);
	q.username = STR("carol");
	q.path = STR("/any/");
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_ALLOWED);
	q.path = STR("/alice/");
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_DENIED);
	/* Group names are compared as written, and whole. */
	q.path = STR("/staff/");
	q.groups = &s->staff;
	(void)snprintf(s->staff.name[1], sizeof(s->staff.name[1]), "Staff");
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_DENIED);
	(void)snprintf(s->staff.name[1], sizeof(s->staff.name[1]), "staff2");
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_DENIED);
}

/* DK-L-10 */
static void
asks_for_a_recent_sign_in_and_a_second_factor(void **state)
{
	static const struct {
		const char *path;
		int level;
		int64_t age_ms;
		enum access_verdict verdict;
	} cases[] = {
		{ "/fresh/", 1, 10 * MINUTE - 1, ACCESS_ALLOWED },
		{ "/fresh/", 1, 10 * MINUTE, ACCESS_REAUTH },
		{ "/fresh/", 2, 10 * MINUTE, ACCESS_REAUTH },
		/* The clock was set back: not older than none. */
		{ "/fresh/", 1, -MINUTE, ACCESS_ALLOWED },
		{ "/two/", 1, 0, ACCESS_STEP_UP },
		{ "/two/", 2, 100 * MINUTE, ACCESS_ALLOWED },
		{ "/two/", 0, 0, ACCESS_STEP_UP },
		{ "/two-fresh/", 1, 20 * MINUTE, ACCESS_STEP_UP },
		{ "/two-fresh/", 2, 20 * MINUTE, ACCESS_REAUTH },
		{ "/two-fresh/", 2, MINUTE, ACCESS_ALLOWED },
	};
	const struct stand *s = *state;
	struct access_question q = { .host = STR("www.example.org"),
		.method = STR("GET"),
		.signed_in = true,
		.username = STR("carol"),
		.groups = &s->staff,
		.now_ms = NOW };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		q.path = str_from(cases[i].path);
		q.level = cases[i].level;
		q.authenticated_at_ms = NOW - cases[i].age_ms;
		if (access_judge(&s->conf, &q).verdict != cases[i].verdict)
			fail_msg("case %zu: %s", i, cases[i].path);
	}
	/* Who is not in the group is not asked to sign in again for it. */
	q.groups = &s->none;
	q.path = STR("/two-fresh/");
	q.level = 1;
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_DENIED);
}

static void
denies_other_methods_whatever_later_rules_say(void **state)
{
	static const struct {
		const char *method;
		enum access_verdict verdict;
	} cases[] = { { "GET", ACCESS_ALLOWED }, { "HEAD", ACCESS_ALLOWED },
		{ "POST", ACCESS_DENIED }, { "get", ACCESS_DENIED },
		{ "GETX", ACCESS_DENIED }, { "", ACCESS_DENIED },
		{ "DELETE", ACCESS_DENIED } };
	const struct stand *s = *state;
	struct access_question q = { .host = STR("www.example.org"),
		.path = STR("/read/"),
		.signed_in = true,
		.username = STR("carol"),
		.level = 1,
		.authenticated_at_ms = NOW,
		.now_ms = NOW };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		q.method = str_from(cases[i].method);
		if (access_judge(&s->conf, &q).verdict != cases[i].verdict)
			fail_msg("%s", cases[i].method);
	}
}

static void
denies_other_networks_whatever_later_rules_say(void **state)
{
	static const struct {
		const char *addr;
		enum access_verdict verdict;
	} cases[] = { { "10.1.2.3", ACCESS_ALLOWED },
		{ "::ffff:10.1.2.3", ACCESS_ALLOWED },
		{ "2001:db8::1", ACCESS_ALLOWED },
		{ "11.0.0.1", ACCESS_DENIED }, { "2001:db9::1", ACCESS_DENIED },
		{ NULL, ACCESS_DENIED } };
	const struct stand *s = *state;
	struct access_question q = { .host = STR("www.example.org"),
		.path = STR("/lan/"),
		.method = STR("GET") };
	struct ip_addr addr;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		q.addr = NULL;
		if (cases[i].addr != NULL) {
			assert_true(ip_parse(str_from(cases[i].addr), &addr));
			q.addr = &addr;
		}
		if (access_judge(&s->conf, &q).verdict != cases[i].verdict)
			fail_msg("%s",
			    cases[i].addr == NULL ? "none" : cases[i].addr);
	}
}

static void
judges_each_host_by_its_own_rules(void **state)
{
	const struct stand *s = *state;
	struct access_question q = { .host = STR("other.example.org"),
		.path = STR("/nowhere"),
		.method = STR("GET") };

	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_ALLOWED);
	q.host = STR("www.example.org");
	assert_int_equal(access_judge(&s->conf, &q).verdict, ACCESS_DENIED);
}

static void
says_whether_a_request_is_activity(void **state)
{
	const struct stand *s = *state;

	assert_true(judge(s, "/any/", "carol").activity);
	assert_false(judge(s, "/poll/", "carol").activity);
	assert_false(judge(s, "/nowhere", "carol").activity);
}

static void
names_the_rule_and_a_reason_every_time(void **state)
{
	static const char *const paths[] = { "/open/", "/closed/", "/alice/",
		"/staff/", "/fresh/", "/two/", "/any/", "/nowhere" };
	const struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct access_answer a = judge(s, paths[i], "carol");
		const struct access_answer b = judge(s, paths[i], NULL);

		assert_true(strlen(a.reason) > 10);
		assert_true(strlen(b.reason) > 10);
		assert_ptr_equal(a.rule, b.rule);
		if (a.rule != NULL)
			assert_true(
			    str_starts(str_from(paths[i]), a.rule->pattern));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_prefixes_and_globs),
		cmocka_unit_test(agrees_with_the_plainest_reading_of_a_glob),
		cmocka_unit_test(judges_a_long_path_in_bounded_time),
		cmocka_unit_test(
		    matches_the_host_that_it_names_and_every_host_without),
		STAND_TEST(decides_by_the_first_rule_that_matches),
		STAND_TEST(denies_everything_without_a_rule),
		STAND_TEST(who_is_in_no_group_is_denied_what_groups_may),
		STAND_TEST(asks_for_a_recent_sign_in_and_a_second_factor),
		STAND_TEST(denies_other_methods_whatever_later_rules_say),
		STAND_TEST(denies_other_networks_whatever_later_rules_say),
		STAND_TEST(judges_each_host_by_its_own_rules),
		STAND_TEST(says_whether_a_request_is_activity),
		STAND_TEST(names_the_rule_and_a_reason_every_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
