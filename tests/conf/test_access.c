/* The lines of [access]: how a rule is read, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

#define HEAD                                                             \
	"[site]\norigin = https://www.example.org, https://[::1]:8443\n" \
	"[access]\n"

enum { ARENA_SIZE = 1024 * 1024, MESSAGE_MAX = 1024, ROOM = 64 * 1024 };

struct stand {
	struct arena arena;
	struct conf conf;
	char message_text[MESSAGE_MAX];
	struct buf message;
	char text[ROOM];
};

static int
stand_open(void **state)
{
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(arena_open(&s->arena, ARENA_SIZE), DK_OK);
	BUF_OVER(&s->message, s->message_text);
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

/* The rules stand from line 4 on. */
static enum dk_err
parse(struct stand *s, const char *rules)
{
	struct buf b;

	BUF_OVER(&b, s->text);
	buf_addz(&b, HEAD);
	buf_addz(&b, rules);
	assert_true(buf_ok(&b));
	arena_reset(&s->arena);
	buf_reset(&s->message);
	return conf_parse(
	    STR("d.conf"), buf_str(&b), &s->arena, &s->conf, &s->message);
}

/* The one rule that the text is. */
static const struct conf_rule *
one(struct stand *s, const char *rule)
{
	if (parse(s, rule) != DK_OK)
		fail_msg("%s: %s", rule, buf_z(&s->message));
	assert_int_equal(s->conf.n_rules, 1);
	return &s->conf.rules[0];
}

static void
must_refuse(struct stand *s, const char *rules, const char *message)
{
	enum dk_err err = parse(s, rules);

	if (err != DK_ERR_CONF)
		fail_msg("taken (%s): %s", err_name(err), rules);
	if (strcmp(buf_z(&s->message), message) != 0)
		fail_msg("%s\nsays:   %s\nwanted: %s", rules,
		    buf_z(&s->message), message);
}

/* --- patterns ------------------------------------------------------------- */

static const struct {
	const char *written, *host, *pattern; /* host NULL: every host */
	bool glob;
} patterns[] = {
	{ "/", NULL, "/", false },
	{ "/reports/", NULL, "/reports/", false },
	{ "/reports", NULL, "/reports", false },
	{ "/Reports/A b.html", NULL, "/Reports/A b.html", false },
	{ "/k\xc3\xb6nig/", NULL, "/k\xc3\xb6nig/", false },
	{ "/.well-known/...", NULL, "/.well-known/...", false },
	{ "/a#b", NULL, "/a#b", false },
	{ "/x/*.pdf", NULL, "/x/*.pdf", true },
	{ "/x/**", NULL, "/x/**", true },
	{ "/x/a?c", NULL, "/x/a?c", true },
	{ "www.example.org/", "www.example.org", "/", false },
	{ "WWW.Example.ORG/A/*", "www.example.org", "/A/*", true },
	{ "[::1]/x", "[::1]", "/x", false },
};

static void
reads_a_pattern_with_and_without_a_host(void **state)
{
	struct stand *s = *state;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct conf_rule *r;

		(void)snprintf(
		    text, sizeof(text), "%s\t = any", patterns[i].written);
		r = one(s, text);
		if (!str_eq(r->pattern, str_from(patterns[i].pattern)) ||
		    !str_eq(r->host, str_from(patterns[i].host)) ||
		    str_is_none(r->host) != (patterns[i].host == NULL) ||
		    r->glob != patterns[i].glob)
			fail_msg("%s: host %.*s, pattern %.*s, glob %d",
			    patterns[i].written, STR_FMT(r->host),
			    STR_FMT(r->pattern), r->glob);
	}
}

#define ESCAPED "may not hold % \\ or ; (write the path as people read it)"
#define ODD                                                                   \
	"may not hold //, /./ or /../: such requests are refused before any " \
	"rule"
#define FOREIGN                                                              \
	"is the host of no origin; write /path/, or host/path/ with a host " \
	"from [site] origin, without scheme and port"

/* What would never match must not look as if it guarded something. */
static const struct {
	const char *pattern, *quoted, *why;
} no_patterns[] = {
	{ "", "", "is no pattern; write /path/" },
	{ "reports", "reports", "is no pattern; write /path/ or host/path/" },
	{ "*", "*", "is no pattern; write /path/ or host/path/" },
	{ "www.example.org", "www.example.org",
	    "is no pattern; write /path/ or host/path/" },
	{ "/a%20b/", "/a%20b/", ESCAPED },
	{ "/a\\b/", "/a\\b/", ESCAPED },
	{ "/a;b/", "/a;b/", ESCAPED },
	{ "//", "//", ODD },
	{ "/a//b", "/a//b", ODD },
	{ "/a/../b/", "/a/../b/", ODD },
	{ "/a/..", "/a/..", ODD },
	{ "/./a", "/./a", ODD },
	{ "/a/.", "/a/.", ODD },
	{ "www.example.org//a", "www.example.org//a", ODD },
	{ "https://www.example.org/a", "https://www.example.org/a", ODD },
	{ "reports/", "reports", FOREIGN },
	{ "example.org/", "example.org", FOREIGN },
	{ "*.example.org/", "*.example.org", FOREIGN },
	{ "www.example.org.evil.net/", "www.example.org.evil.net", FOREIGN },
	{ "www.example.org:443/", "www.example.org:443", FOREIGN },
	{ "www.example.org./", "www.example.org.", FOREIGN },
	{ "[::1]:8443/", "[::1]:8443", FOREIGN },
	{ "::1/", "::1", FOREIGN },
	{ "-/", "-", FOREIGN },
};

static void
refuses_a_pattern_that_would_never_match(void **state)
{
	struct stand *s = *state;
	char text[256], message[512];
	size_t i;

	for (i = 0; i < sizeof(no_patterns) / sizeof(no_patterns[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "%s = deny", no_patterns[i].pattern);
		(void)snprintf(message, sizeof(message), "d.conf:4: \"%s\" %s",
		    no_patterns[i].quoted, no_patterns[i].why);
		must_refuse(s, text, message);
	}
}

static void
knows_the_origins_also_when_they_come_last(void **state)
{
	static const char text[] = "[access]\nwww.example.org/ = any\n"
				   "[site]\norigin = https://www.example.org";
	static const char other[] = "[access]\n\nevil.example/ = any\n"
				    "[site]\norigin = https://www.example.org";
	struct stand *s = *state;

	assert_int_equal(conf_parse(STR("d.conf"), STR(text), &s->arena,
			     &s->conf, &s->message),
	    DK_OK);
	arena_reset(&s->arena);
	assert_int_equal(conf_parse(STR("d.conf"), STR(other), &s->arena,
			     &s->conf, &s->message),
	    DK_ERR_CONF);
	assert_string_equal(
	    buf_z(&s->message), "d.conf:3: \"evil.example\" " FOREIGN);
}

static void
bounds_the_pattern(void **state)
{
	struct stand *s = *state;
	char text[2048], path[1024], message[256];

	memset(path, 'p', sizeof(path));
	(void)snprintf(text, sizeof(text), "/%.1023s = any", path);
	assert_int_equal(one(s, text)->pattern.n, 1024);
	(void)snprintf(text, sizeof(text), "/%.1024s = any", path);
	(void)snprintf(message, sizeof(message),
	    "d.conf:4: \"/%.59s\" is no pattern; write /path/ with at most "
	    "1024 bytes",
	    path);
	must_refuse(s, text, message);
}

/* --- requirements --------------------------------------------------------- */

static const struct {
	const char *text;
	enum conf_requirement requirement;
} plain[] = {
	{ "/x = deny", CONF_REQUIRE_DENY },
	{ "/x = public", CONF_REQUIRE_PUBLIC },
	{ "/x = any", CONF_REQUIRE_ANY },
	{ "/x=any", CONF_REQUIRE_ANY },
	{ "/x = user:a", CONF_REQUIRE_SUBJECTS },
	{ "/x = group:a", CONF_REQUIRE_SUBJECTS },
	{ "/x = user:any", CONF_REQUIRE_SUBJECTS },
	{ "/x = group:public", CONF_REQUIRE_SUBJECTS },
};

/* DK-A-11 */
static void
reads_a_requirement_and_asks_for_nothing_else(void **state)
{
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		const struct conf_rule *r = one(s, plain[i].text);

		if (r->requirement != plain[i].requirement)
			fail_msg("%s: %d", plain[i].text, r->requirement);
		assert_int_equal(r->level, 1);
		assert_int_equal(r->reauth_ms, 0);
		assert_true(str_is_none(r->methods));
		assert_int_equal(r->n_nets, 0);
		assert_true(r->activity);
		assert_int_equal(r->line, 4);
		assert_true(str_eq(r->text, str_from(plain[i].text)));
		assert_int_equal(r->n_subjects,
		    plain[i].requirement == CONF_REQUIRE_SUBJECTS);
	}
}

static void
reads_names_in_their_case(void **state)
{
	static const struct {
		enum conf_subject_kind kind;
		const char *name;
	} wanted[] = {
		{ CONF_SUBJECT_USER, "alice" },
		{ CONF_SUBJECT_GROUP, "Staff" },
		{ CONF_SUBJECT_USER, "b.o_b+x@example.org" },
		{ CONF_SUBJECT_USER, "alice" },
	};
	struct stand *s = *state;
	const struct conf_rule *r = one(s,
	    "/x = user:Alice,group:Staff , user:B.o_b+x@example.org,"
	    "user: alice");
	size_t i;

	assert_int_equal(r->n_subjects, 4);
	for (i = 0; i < 4; i++) {
		assert_int_equal(r->subjects[i].kind, wanted[i].kind);
		assert_true(
		    str_eq(r->subjects[i].name, str_from(wanted[i].name)));
	}
}

#define NO_REQUIREMENT                                                        \
	"is no requirement; write public, any, deny, or a list of user:NAME " \
	"and group:NAME"
#define NOBODY                                                              \
	"names nobody; write user:NAME or group:NAME, with commas between " \
	"them"

static const struct {
	const char *requirement, *quoted, *why;
} no_requirements[] = {
	{ "", "", NO_REQUIREMENT },
	{ "; level=2", "", NO_REQUIREMENT },
	{ "Public", "Public", NO_REQUIREMENT },
	{ "ANY", "ANY", NO_REQUIREMENT },
	{ "anyone", "anyone", NO_REQUIREMENT },
	{ "any public", "any public", NO_REQUIREMENT },
	{ "alice", "alice", NO_REQUIREMENT },
	{ "User:alice", "User:alice", NO_REQUIREMENT },
	{ "user", "user", NO_REQUIREMENT },
	{ "user=alice", "user=alice", NO_REQUIREMENT },
	{ "any, user:alice", "any", NO_REQUIREMENT },
	{ "user:alice, public", "public", NO_REQUIREMENT },
	{ "deny, any", "deny", NO_REQUIREMENT },
	{ "user:alice,", "", NO_REQUIREMENT },
	{ ",user:alice", "", NO_REQUIREMENT },
	{ "user:a,,user:b", "", NO_REQUIREMENT },
	{ "any # all", "any # all", NO_REQUIREMENT },
	{ "user:", "user:", NOBODY },
	{ "group:", "group:", NOBODY },
	{ "user:a, group: ", "group:", NOBODY },
	{ "user:a user:b", "user:a user:b", NOBODY },
	{ "group:all staff", "group:all staff", NOBODY },
	{ "user:group:a", "user:group:a", NOBODY },
};

static void
refuses_what_is_no_requirement(void **state)
{
	struct stand *s = *state;
	char text[256], message[512];
	size_t i, n = sizeof(no_requirements) / sizeof(no_requirements[0]);

	for (i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "/x = %s",
		    no_requirements[i].requirement);
		(void)snprintf(message, sizeof(message), "d.conf:4: \"%s\" %s",
		    no_requirements[i].quoted, no_requirements[i].why);
		must_refuse(s, text, message);
	}
}

/* --- options -------------------------------------------------------------- */

static void
reads_all_options_together(void **state)
{
	struct stand *s = *state;
	const struct conf_rule *r = one(s,
	    "/x = group:a; reauth=10m ;level = 2; methods=GET, POST;"
	    "net=10.0.0.0/8, 2001:db8::/32; activity=no");

	assert_int_equal(r->requirement, CONF_REQUIRE_SUBJECTS);
	assert_int_equal(r->n_subjects, 1);
	assert_int_equal(r->reauth_ms, 600000);
	assert_int_equal(r->level, 2);
	assert_true(str_eq(r->methods, STR("GET, POST")));
	assert_int_equal(r->n_nets, 2);
	assert_int_equal(r->nets[0].prefix, 104);
	assert_int_equal(r->nets[1].prefix, 32);
	assert_false(r->activity);
}

static void
reads_an_option_alone(void **state)
{
	struct stand *s = *state;

	assert_int_equal(one(s, "/x = any; reauth=1s")->reauth_ms, 1000);
	assert_int_equal(one(s, "/x = any; level=1")->level, 1);
	assert_int_equal(one(s, "/x = any; level=2")->level, 2);
	assert_true(one(s, "/x = any; activity=yes")->activity);
	assert_false(one(s, "/x = any; activity=no")->activity);
	assert_int_equal(one(s, "/x = any; net=192.0.2.1")->n_nets, 1);
	assert_int_equal(one(s, "/x = any; net=0.0.0.0/0")->nets[0].prefix, 96);
	/* What a public page may have: all that needs no session. */
	assert_int_equal(one(s, "/x = public; net=::1")->n_nets, 1);
	assert_true(
	    str_eq(one(s, "/x = public; methods=GET")->methods, STR("GET")));
	assert_int_equal(one(s, "/x = public; level=1")->level, 1);
	assert_false(one(s, "/x = public; activity=no")->activity);
	assert_int_equal(
	    one(s, "/x = deny; methods=POST")->requirement, CONF_REQUIRE_DENY);
}

#define NO_OPTION                                                  \
	"is no option; there are reauth, level, methods, net and " \
	"activity"
#define NO_VALUE                                                              \
	"is no option; write NAME=VALUE with one of reauth, level, methods, " \
	"net and activity"
#define NO_REAUTH  "must be reauth=TIME, such as reauth=10m"
#define NO_LEVEL   "must be level=1 or level=2"
#define NO_METHODS "must be a list such as methods=GET,HEAD"
#define NO_NET	   "is no network, such as 10.0.0.0/8"
#define TWICE	   "stands twice in the rule; remove one"

/* An option that says nothing must not mean "every". */
static const struct {
	const char *options, *quoted, *why;
} no_options[] = {
	{ "", "", NO_VALUE },
	{ "level=2;", "", NO_VALUE },
	{ "net", "net", NO_VALUE },
	{ "net=", "net=", NO_VALUE },
	{ "methods", "methods", NO_VALUE },
	{ "methods=", "methods=", NO_VALUE },
	{ "level", "level", NO_VALUE },
	{ "activity=", "activity=", NO_VALUE },
	{ "reauth = ", "reauth =", NO_VALUE },
	{ "levels=2", "levels=2", NO_OPTION },
	{ "Level=2", "Level=2", NO_OPTION },
	{ "=2", "=2", NO_OPTION },
	{ "user=alice", "user=alice", NO_OPTION },
	{ "reauth=0s", "reauth=0s", NO_REAUTH },
	{ "reauth=0", "reauth=0", NO_REAUTH },
	{ "reauth=600", "reauth=600", NO_REAUTH },
	{ "reauth=no", "reauth=no", NO_REAUTH },
	{ "reauth=99999999999d", "reauth=99999999999d", NO_REAUTH },
	{ "level=0", "level=0", NO_LEVEL },
	{ "level=3", "level=3", NO_LEVEL },
	{ "level=22", "level=22", NO_LEVEL },
	{ "level=high", "level=high", NO_LEVEL },
	{ "methods=get", "methods=get", NO_METHODS },
	{ "methods=GET,", "methods=GET,", NO_METHODS },
	{ "methods=,GET", "methods=,GET", NO_METHODS },
	{ "methods=GET POST", "methods=GET POST", NO_METHODS },
	{ "methods=*", "methods=*", NO_METHODS },
	{ "net=10.0.0.1/8", "10.0.0.1/8", NO_NET },
	{ "net=10.0.0.0/33", "10.0.0.0/33", NO_NET },
	{ "net=10.0.0.0/8,", "", NO_NET },
	{ "net=intranet", "intranet", NO_NET },
	{ "activity=none", "activity=none",
	    "must be activity=no or activity=yes" },
	{ "activity=No", "activity=No", "must be activity=no or activity=yes" },
	{ "level=2; level=1", "level=1", TWICE },
	{ "level=2;level = 2", "level = 2", TWICE },
	{ "net=::1; methods=GET; net=::2", "net=::2", TWICE },
	{ "methods=GET; methods=POST", "methods=POST", TWICE },
	{ "reauth=1m; reauth=9h", "reauth=9h", TWICE },
	{ "activity=no; reauth=1m; activity=yes", "activity=yes", TWICE },
	{ "level=2; level", "level", TWICE },
};

static void
refuses_a_wrong_option(void **state)
{
	struct stand *s = *state;
	char text[256], message[512];
	size_t i;

	for (i = 0; i < sizeof(no_options) / sizeof(no_options[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "/x = any; %s", no_options[i].options);
		(void)snprintf(message, sizeof(message), "d.conf:4: \"%s\" %s",
		    no_options[i].quoted, no_options[i].why);
		must_refuse(s, text, message);
	}
}

static void
refuses_a_public_page_that_asks_for_a_sign_in(void **state)
{
	static const char message[] =
	    "d.conf:4: \"/x\" is public: nobody signs in, so reauth and level "
	    "cannot be met";
	struct stand *s = *state;

	must_refuse(s, "/x = public; level=2", message);
	must_refuse(s, "/x = public; reauth=10m", message);
}

/* --- many ----------------------------------------------------------------- */

static void
counts_names_and_networks(void **state)
{
	struct stand *s = *state;
	char names[512], nets[512];
	struct buf a, b;
	size_t i;

	BUF_OVER(&a, names);
	BUF_OVER(&b, nets);
	buf_addz(&a, "/x = user:a");
	buf_addz(&b, "/x = any; net=::1");
	for (i = 1; i < CONF_RULE_SUBJECTS_MAX; i++)
		buf_addz(&a, ", user:a");
	for (i = 1; i < CONF_RULE_NETS_MAX; i++)
		buf_addz(&b, ", ::1");
	assert_int_equal(one(s, buf_z(&a))->n_subjects, CONF_RULE_SUBJECTS_MAX);
	assert_int_equal(one(s, buf_z(&b))->n_nets, CONF_RULE_NETS_MAX);
	buf_addz(&a, ", group:b");
	buf_addz(&b, ", ::2");
	must_refuse(s, buf_z(&a),
	    "d.conf:4: \"group:b\" is one name too many (16); use a group");
	must_refuse(
	    s, buf_z(&b), "d.conf:4: \"::2\" is one network too many (16)");
}

static void
counts_the_rules(void **state)
{
	struct stand *s = *state;
	char text[ROOM / 2];
	struct buf b;
	int i;

	BUF_OVER(&b, text);
	for (i = 0; i < CONF_RULES_MAX; i++)
		buf_addf(&b, "/%d/ = any\n", i);
	assert_int_equal(parse(s, buf_z(&b)), DK_OK);
	assert_int_equal(s->conf.n_rules, CONF_RULES_MAX);
	buf_addz(&b, "/last/ = deny\n");
	must_refuse(s, buf_z(&b), "d.conf:260: there are too many rules (256)");
}

static void
keeps_the_rules_in_their_order(void **state)
{
	struct stand *s = *state;

	assert_int_equal(parse(s,
			     "/b/ = deny\n\n# x\n/a/ = any\n[log]\n"
			     "format = text\n[access]\n/ = public\r\n"),
	    DK_OK);
	assert_int_equal(s->conf.n_rules, 3);
	assert_true(str_eq(s->conf.rules[0].text, STR("/b/ = deny")));
	assert_int_equal(s->conf.rules[0].line, 4);
	assert_true(str_eq(s->conf.rules[1].text, STR("/a/ = any")));
	assert_int_equal(s->conf.rules[1].line, 7);
	assert_true(str_eq(s->conf.rules[2].text, STR("/ = public")));
	assert_int_equal(s->conf.rules[2].line, 11);
}

/* The second of two would never be reached. */
static void
refuses_a_pattern_that_stands_twice(void **state)
{
	struct stand *s = *state;

	must_refuse(s, "/x/ = any\n/y/ = any\n/x/ = deny\n",
	    "d.conf:6: /x/ stands twice, first on line 4, which decides; "
	    "remove one");
	must_refuse(s, "www.example.org/x = any\nWWW.EXAMPLE.ORG/x = deny\n",
	    "d.conf:5: WWW.EXAMPLE.ORG/x stands twice, first on line 4, which "
	    "decides; remove one");
	must_refuse(s, "/x = any; methods=GET\n/x = deny; methods=GET\n",
	    "d.conf:5: /x stands twice, first on line 4, which decides; "
	    "remove one");
	/* These differ in what they match. */
	assert_int_equal(
	    parse(s,
		"/x = any\n/X = any\n/x/ = any\nwww.example.org/x = any\n"
		"[::1]/x = any\n/x* = any\n"),
	    DK_OK);
	/* Options are part of the requirement. */
	must_refuse(s, "/x = any; methods=GET\n/x = user:a; methods=POST\n",
	    "d.conf:5: /x stands twice, first on line 4, which decides; "
	    "remove one");
	must_refuse(s, "/x = any; net=10.0.0.0/8\n/x = deny\n",
	    "d.conf:5: /x stands twice, first on line 4, which decides; "
	    "remove one");
}

static void
refuses_a_line_without_a_requirement(void **state)
{
	struct stand *s = *state;

	must_refuse(s, "/x\n", "d.conf:4: a line is written key = value");
	must_refuse(s, "/x any\n", "d.conf:4: a line is written key = value");
	must_refuse(s, "/a=b = any\n", "d.conf:4: \"b = any\" " NO_REQUIREMENT);
	must_refuse(s, "/x\xff = any\n",
	    "d.conf:4: the line holds a control or invisible character, or a "
	    "byte that is not UTF-8; write plain text");
}

static void
still_says_what_is_allowed_when_the_line_is_endless(void **state)
{
	static const struct {
		const char *head, *tail, *why;
	} cases[] = {
		{ "", " = any\n", "is no pattern; write /path/ or host/path/" },
		{ "/x = ", "\n", NO_REQUIREMENT },
		{ "/x = any; ", "=1\n", NO_OPTION },
		{ "/x = any; net=", "\n", NO_NET },
		{ "", "/ = any\n", FOREIGN },
	};
	struct stand *s = *state;
	char text[8192], message[512], word[4001];
	size_t i;

	memset(word, 'w', sizeof(word));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%.4000s%s", cases[i].head,
		    word, cases[i].tail);
		(void)snprintf(message, sizeof(message),
		    "d.conf:4: \"%.60s\" %s", word, cases[i].why);
		must_refuse(s, text, message);
	}
}

/* A host that found no room must not become every host, nor a name nobody. */
static void
never_widens_a_rule_when_memory_runs_out(void **state)
{
	static const char text[] = HEAD "www.example.org/x = user:Alice\n";
	struct stand *s = *state;
	size_t refused = 0, size, needed;

	assert_int_equal(parse(s, "www.example.org/x = user:Alice\n"), DK_OK);
	needed = s->arena.used;
	for (size = needed - 512; size <= needed; size += 8) {
		enum dk_err err;

		arena_reset(&s->arena);
		s->arena.size = size;
		buf_reset(&s->message);
		err = conf_parse(
		    STR("d.conf"), STR(text), &s->arena, &s->conf, &s->message);
		s->arena.size = ARENA_SIZE;
		if (err != DK_OK) {
			assert_true(s->message.len > strlen("d.conf:4: "));
			refused++;
			continue;
		}
		assert_true(
		    str_eq(s->conf.rules[0].host, STR("www.example.org")));
		assert_true(
		    str_eq(s->conf.rules[0].subjects[0].name, STR("alice")));
	}
	assert_true(refused > 0 && refused < 65);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(reads_a_pattern_with_and_without_a_host),
		STAND_TEST(refuses_a_pattern_that_would_never_match),
		STAND_TEST(knows_the_origins_also_when_they_come_last),
		STAND_TEST(bounds_the_pattern),
		STAND_TEST(reads_a_requirement_and_asks_for_nothing_else),
		STAND_TEST(reads_names_in_their_case),
		STAND_TEST(refuses_what_is_no_requirement),
		STAND_TEST(reads_all_options_together),
		STAND_TEST(reads_an_option_alone),
		STAND_TEST(refuses_a_wrong_option),
		STAND_TEST(refuses_a_public_page_that_asks_for_a_sign_in),
		STAND_TEST(counts_names_and_networks),
		STAND_TEST(counts_the_rules),
		STAND_TEST(keeps_the_rules_in_their_order),
		STAND_TEST(refuses_a_pattern_that_stands_twice),
		STAND_TEST(refuses_a_line_without_a_requirement),
		STAND_TEST(still_says_what_is_allowed_when_the_line_is_endless),
		STAND_TEST(never_widens_a_rule_when_memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
