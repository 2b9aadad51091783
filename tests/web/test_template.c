/* Templates: what goes out is escaped, and what cannot be made safe by that
 * is refused at start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embed.h"
#include "web/template.h"

extern const struct embedded embedded_html[];

/* A page that holds nothing but what a test is about. */
#define TOKEN "<input name=\"csrf_token\" value=\"{{csrf_token}}\">"

struct bench {
	struct templates t;
	char text[64 * 1024];
	struct buf out;
	char message_text[512];
	struct buf message;
	char dir[64];
};

static int
bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	BUF_OVER(&b->out, b->text);
	BUF_OVER(&b->message, b->message_text);
	(void)snprintf(b->dir, sizeof(b->dir), "/tmp/doorkeep-test-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	static const char *const names[] = { "head.html", "login.html",
		"error.html", "other.html", "style.css", "account.html" };
	struct bench *b = *state;
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
		if (unlink(path) != 0)
			(void)rmdir(path);
	}
	(void)rmdir(b->dir);
	templates_close(&b->t);
	free(b);
	return 0;
}

#define BENCH_TEST(f) \
	cmocka_unit_test_setup_teardown(f, bench_open, bench_close)

/* One template of this text, and perhaps a head. */
static const char *
render(struct bench *b, const char *text, const char *head,
    const struct template_value *values, size_t n, enum dk_err *err)
{
	b->t.n = 2;
	b->t.item[0] =
	    (struct template){ .name = "page.html", .text = str_from(text) };
	b->t.item[1] =
	    (struct template){ .name = "head.html", .text = str_from(head) };
	buf_reset(&b->out);
	*err = template_render(&b->t, "page.html", WORDS_ENGLISH, values, n, &b->out);
	return buf_z(&b->out);
}

/* --- rendering --------------------------------------------------------------
 */

/* DK-I-14 */
static void
escapes_every_value(void **state)
{
	const struct template_value values[] = {
		T_TEXT("x", STR("<script>\"'&{{y}}</script>")),
		T_TEXT("y", STR("never"))
	};
	struct bench *b = *state;
	const char *out;
	enum dk_err err;

	out = render(b, "<p title=\"{{x}}\">{{x}}</p>", "", values, 2, &err);
	assert_int_equal(err, DK_OK);
	assert_null(strstr(out, "<script"));
	assert_null(strstr(out, "never"));
	assert_null(strchr(out, '\''));
	/* Tags and quotes are those of the template. */
	assert_string_equal(strrchr(out, '<'), "</p>");
	assert_memory_equal(out, "<p title=\"&lt;script&gt;&quot;", 29);
	assert_non_null(strstr(out, "&amp;{{y}}&lt;/script&gt;"));
}

static const struct template_value row_values[] = {
	{ .name = "id", .kind = TEMPLATE_TEXT, .text = { "1", 1 } },
	{ .name = "own", .kind = TEMPLATE_FLAG, .flag = true },
	{ .name = "id", .kind = TEMPLATE_TEXT, .text = { "2", 1 } },
	{ .name = "own", .kind = TEMPLATE_FLAG, .flag = false },
};

static void
renders_values_sections_lists_and_the_head(void **state)
{
	static const struct {
		const char *text, *out;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "{{name}}", "Al" },
		{ "a{{name}}b{{name}}c", "aAlbAlc" },
		{ "{{empty}}", "" },
		{ "{ {name} }", "{ {name} }" },
		{ "}}{{name}}}}", "}}Al}}" },
		{ "{{#name}}yes{{/name}}{{^name}}no{{/name}}", "yes" },
		{ "{{#empty}}yes{{/empty}}{{^empty}}no{{/empty}}", "no" },
		{ "{{#on}}yes{{/on}}{{^on}}no{{/on}}", "yes" },
		{ "{{#off}}yes{{/off}}{{^off}}no{{/off}}", "no" },
		{ "{{#on}}{{#name}}{{name}}{{/name}}{{/on}}", "Al" },
		{ "{{#rows}}{{id}}{{#own}}*{{/own}},{{/rows}}", "1*,2," },
		{ "{{#rows}}{{id}}{{name}} {{/rows}}", "1Al 2Al " },
		{ "{{^rows}}none{{/rows}}", "" },
		{ "{{#none}}{{id}}{{/none}}{{^none}}0{{/none}}", "0" },
		{ "[{{>head.html}}]", "[<Al>]" },
		/* Messages, with what they speak of from the page or row. */
		{ "{{t:password}}", "Password" },
		{ "{{t:signed_in_as}}", "You are signed in as &lt;Al&gt;." },
		{ "{{t:too_long}}", "The password is too long. Use at most 1 "
				    "character." },
		/* What a page hands over later wins. */
		{ "{{twice}}", "second" },
	};
	const struct template_value values[] = { T_TEXT("name", STR("Al")),
		T_TEXT("empty", STR("")), T_FLAG("on", true),
		T_FLAG("off", false), T_LIST("rows", row_values, 2, 2),
		T_LIST("none", NULL, 0, 2), T_TEXT("twice", STR("first")),
		T_TEXT("twice", STR("second")),
		T_TEXT("username", STR("<Al>")),
		T_TEXT("characters", STR("1")) };
	struct bench *b = *state;
	enum dk_err err;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *out =
		    render(b, cases[i].text, "<{{name}}>", values, 10, &err);

		if (err != DK_OK || strcmp(out, cases[i].out) != 0)
			fail_msg("%s: %s", cases[i].text, out);
	}
}

static void
an_unknown_name_is_an_error_and_no_gap(void **state)
{
	static const char *const texts[] = { "{{other}}", "{{ name }}",
		"{{NAME}}", "{{#other}}{{/other}}", "{{^other}}{{/other}}",
		"{{>other.html}}", "{{#name}}", "{{#name}}{{/nam}}", "{{on}}",
		"{{rows}}", "{{id}}", "{{}}", "{{#}}{{/}}", "{{t:other}}",
		"{{t:}}", "{{t:signed_in_as}}" };
	const struct template_value values[] = { T_TEXT("name", STR("Al")),
		T_FLAG("on", true), T_LIST("rows", row_values, 2, 2) };
	struct bench *b = *state;
	enum dk_err err;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)render(b, texts[i], "", values, 3, &err);
		if (err != DK_ERR_INTERNAL)
			fail_msg("%s", texts[i]);
	}
	assert_int_equal(
	    template_render(&b->t, "none.html", WORDS_ENGLISH, values, 3, &b->out),
	    DK_ERR_INTERNAL);
}

static void
never_loops(void **state)
{
	const struct template_value values[] = { T_FLAG("on", true) };
	struct bench *b = *state;
	enum dk_err err;

	(void)render(b, "{{>head.html}}", "{{>head.html}}{{>head.html}}",
	    values, 1, &err);
	assert_int_equal(err, DK_ERR_INTERNAL);
}

/* --- checking
 * ------------------------------------------------------------------ */

static bool
is_fine(struct bench *b, const char *page, const char *text)
{
	enum dk_err err;

	buf_reset(&b->message);
	err = template_check(STR("FILE"), page, str_from(text), &b->message);
	if (err != DK_OK) {
		assert_int_equal(err, DK_ERR_CONF);
		/* One line that begins with the file. */
		assert_memory_equal(b->message_text, "FILE:", 5);
		assert_null(strchr(b->message_text, '\n'));
		assert_true(b->message.len > 20);
	}
	return err == DK_OK;
}

static void
the_built_in_templates_are_fine(void **state)
{
	struct bench *b = *state;
	const struct embedded *e;
	size_t n = 0;

	for (e = embedded_html; e->name != NULL; e++) {
		if (!str_ends(str_from(e->name), STR(".html")))
			continue;
		n++;
		if (template_check(STR("FILE"), e->name,
			(struct str){ e->text, e->len }, &b->message) != DK_OK)
			fail_msg("%s: %s", e->name, b->message_text);
	}
	assert_true(n >= 7);
}

static const struct {
	const char *text;
	bool fine;
} places[] = {
	/* Text and double quotes. */
	{ "{{message}}", true },
	{ "<p>{{message}}</p>", true },
	{ "<p title=\"{{message}}\">", true },
	{ "<p title = \"{{message}}\" >", true },
	{ "<p title=\"a {{message}} b\">", true },
	{ "<br/>{{message}}", true },
	{ "<title>{{message}}</title>", true },
	{ "<textarea>{{message}}</textarea>", true },
	{ "<!-- a --><p>{{message}}</p>", true },
	{ "<!-- > -- --><p>{{message}}</p>", true },
	{ "<!--><p>{{message}}</p>", true },
	{ "<script>1</script>{{message}}", true },
	{ "<SCRIPT>1</Script>{{message}}", true },
	{ "<style>p{}</style>{{message}}", true },
	{ "<p title='\"'>{{message}}</p>", true },
	{ "<p title=a>{{message}}</p>", true },
	{ "<p data-on=\"{{message}}\">", true },
	/* Not within a tag. */
	{ "<p {{message}}>", false },
	{ "<{{message}}>", false },
	{ "<p title={{message}}>", false },
	{ "<p title=a{{message}}>", false },
	{ "<p title='{{message}}'>", false },
	{ "<p title=\"a\"{{message}}>", false },
	{ "<p title='\"' {{message}} '\"'>", false },
	{ "<p title=a\"{{message}}\">", false },
	{ "<p \"{{message}}\">", false },
	{ "<p title=a=\"{{message}}\">", false },
	/* Not in scripts, styles, comments. */
	{ "<script>{{message}}</script>", false },
	{ "<script >{{message}}</script>", false },
	{ "<SCRIPT>{{message}}</SCRIPT>", false },
	{ "<script src=\"x\">{{message}}</script>", false },
	{ "<script/x>{{message}}</script>", false },
	{ "<script>\"</b>\" {{message}}</script>", false },
	{ "<script>'\"' {{message}}</script>", false },
	{ "<script>// </style> {{message}}\n</script>", false },
	{ "<style>{{message}}</style>", false },
	{ "<noscript>{{message}}</noscript>", false },
	{ "<iframe>{{message}}</iframe>", false },
	{ "<!-- {{message}} -->", false },
	{ "<!-- <p> {{message}} -->", false },
	/* Not in attributes that run. */
	{ "<p onclick=\"{{message}}\">", false },
	{ "<p ONCLICK=\"{{message}}\">", false },
	{ "<p onclick = \"{{message}}\">", false },
	{ "<p onclick\n=\n\"{{message}}\">", false },
	{ "<p/onclick=\"{{message}}\">", false },
	{ "<p a=\"b\"onclick=\"{{message}}\">", false },
	{ "<p a=b onclick=\"{{message}}\">", false },
	{ "<p a onclick=\"{{message}}\">", false },
	{ "<p style=\"{{message}}\">", false },
	{ "<iframe srcdoc=\"{{message}}\"></iframe>", false },
	/* A section may stand where the rest reads the same without it. */
	{ "{{#message}}<p>{{message}}</p>{{/message}}", true },
	{ "<p{{#message}} title=\"{{message}}\"{{/message}}>a</p>", true },
	{ "<p title=\"a{{#message}} b{{/message}}\">", true },
	{ "{{#message}}<p {{/message}}>", false },
	{ "{{#message}}<p title=\"{{/message}}\">", false },
	{ "{{#message}}<!--{{/message}}-->", false },
	{ "{{#message}}<script>{{/message}}</script>", false },
	{ "<script>{{#message}}1{{/message}}</script>", false },
	{ "<scr{{#message}}{{/message}}ipt>{{message}}</script>", false },
	{ "<p o{{#message}}{{/message}}nclick=\"{{message}}\">", false },
	{ "<p onclick {{#message}} title {{/message}} =\"{{message}}\">",
	    false },
	{ "<script {{#message}} ></script><p {{/message}} >{{message}}",
	    false },
	{ "<p style{{#message}}=\"\" title{{/message}}=\"{{message}}\">",
	    false },
	{ "<p title=\"{{#message}}\" style=\"{{/message}}{{message}}\">",
	    false },
	{ "<p title=\"{{#message}}\"><p title=\"{{/message}}{{message}}\">",
	    true },
	/* Sections end in their order, and are there. */
	{ "{{#message}}", false },
	{ "{{/message}}", false },
	{ "{{#message}}{{/notice}}", false },
	{ "{{#message}}{{#notice}}{{/message}}{{/notice}}", false },
	{ "{{#message}}{{#notice}}{{/notice}}{{/message}}", true },
	{ "{{#message}}{{#message}}{{/message}}{{/message}}", false },
	{ "{{#message}}{{^message}}{{/message}}{{/message}}", false },
	{ "{{#}}{{/}}", false },
	/* Names as the page has them. */
	{ "{{mesage}}", false },
	{ "{{ message }}", false },
	{ "{{Message}}", false },
	{ "{{heading}}", false },
	{ "{{}}", false },
	{ "{{message", false },
	{ "{{message}", false },
	{ "{{#mesage}}{{/mesage}}", false },
	{ "{{remember}}", false },
	{ "{{#remember}}checked{{/remember}}", true },
	{ "{{home}} {{site_name}} {{mount}} {{style}} {{title}} {{logo}}",
	    true },
	{ "<html lang=\"{{lang}}\" dir=\"{{dir}}\">", true },
	/* Messages: there are such, and the page has what they speak of. */
	{ "{{t:sign_in}}", true },
	{ "<p title=\"{{t:sign_in}}\">", true },
	{ "{{t:signed_in_as}}", true },
	{ "{{t:sign_inn}}", false },
	{ "{{t:}}", false },
	{ "{{t: sign_in}}", false },
	{ "{{#t:sign_in}}{{/t:sign_in}}", false },
	{ "{{t:last_seen}}", false },
	{ "<p title='{{t:sign_in}}'>", false },
	{ "<p {{t:sign_in}}>", false },
	{ "<script>{{t:sign_in}}</script>", false },
	/* The head, between tags. */
	{ "{{>head.html}}", true },
	{ "{{>brand.html}}{{>foot.html}}", true },
	{ "{{>desk.html}}", false },	/* not on this page */
	{ "{{>login.html}}", false },
	{ "{{>../head.html}}", false },
	{ "{{>}}", false },
	{ "<script>{{>head.html}}</script>", false },
	{ "<p title=\"{{>head.html}}\">", false },
	{ "<p {{>head.html}}>", false },
	/* Nothing may be left open. */
	{ "<p title=\"", false },
	{ "<p", false },
	{ "<!-- ", false },
	{ "<script>", false },
};

static void
allows_values_only_where_escaping_makes_them_safe(void **state)
{
	struct bench *b = *state;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "%s%s", TOKEN, places[i].text);
		if (is_fine(b, "login.html", text) != places[i].fine)
			fail_msg("%s: %s", places[i].text, b->message_text);
	}
}

static void
a_form_needs_its_token(void **state)
{
	static const char *const pages[] = { "login.html", "second.html",
		"password.html", "logout.html", "account.html" };
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		assert_false(is_fine(b, pages[i], "<p>Hello</p>"));
		assert_non_null(strstr(b->message_text, "csrf_token"));
		assert_false(is_fine(b, pages[i], "<!-- csrf_token -->"));
		assert_false(
		    is_fine(b, pages[i], "{{#csrf_token}}a{{/csrf_token}}"));
		if (!is_fine(b, pages[i], TOKEN))
			fail_msg("%s", b->message_text);
	}
	assert_true(is_fine(b, "error.html", "<p>{{message}}</p>"));
	assert_true(is_fine(b, "head.html", "<title>{{title}}</title>"));
	assert_true(is_fine(b, "admin.html", "{{>desk.html}}{{>brand.html}}"));
	assert_true(is_fine(b, "desk.html", "{{#at_people}}{{me}}{{/at_people}}"));
	assert_false(is_fine(b, "desk.html", "{{fresh_url}}"));
	assert_false(is_fine(b, "desk.html", "{{>foot.html}}"));
	assert_false(is_fine(b, "brand.html", "{{>head.html}}"));
	assert_false(is_fine(b, "brand.html", "{{message}}"));
	assert_false(is_fine(b, "error.html", TOKEN));
	assert_false(is_fine(b, "none.html", "{{title}}"));
}

/* What there is in the rows of a list is not there outside of it. */
static void
names_of_rows_belong_into_their_list(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} cases[] = {
		{ "{{#sessions}}{{id}} {{device}} {{ip}}{{#current}}*"
		  "{{/current}}{{^fresh}}{{username}}{{/fresh}}{{/sessions}}",
		    true },
		{ "{{id}}", false },
		{ "{{^sessions}}{{id}}{{/sessions}}", false },
		{ "{{#sign_ins}}{{id}}{{/sign_ins}}", false },
		{ "{{#sign_ins}}{{at}}{{what}}{{from}}{{/sign_ins}}", true },
		{ "{{sessions}}", false },
		{ "{{fresh}}", false },
		{ "{{sessions.id}}", false },
		{ "{{seed_text}}", false },
		{ "{{#enrolling}}{{seed_text}}{{/enrolling}}", true },
		{ "{{#codes}}{{code}}{{/codes}}{{codes_left}}", true },
		{ "{{t:last_seen}}", false },
		{ "{{#sessions}}{{t:last_seen}}{{/sessions}}", true },
		{ "{{t:second_step_is_on}}", true },
	};
	struct bench *b = *state;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "%s%s", TOKEN, cases[i].text);
		if (is_fine(b, "account.html", text) != cases[i].fine)
			fail_msg("%s: %s", cases[i].text, b->message_text);
	}
}

static void
names_the_line_of_what_is_wrong(void **state)
{
	struct bench *b = *state;

	assert_false(is_fine(b, "error.html", "a\nb\n<p>{{nonsense}}</p>\n"));
	assert_memory_equal(b->message_text, "FILE:3: {{nonsense}} ", 21);
	assert_false(is_fine(b, "error.html", "\n\n\n<p>{{mess\x1b[1m\nage}}"));
	assert_memory_equal(b->message_text, "FILE:4: {{", 10);
	assert_null(strchr(b->message_text, '\x1b'));
}

/* The cause is said however long the mistake is. */
static void
says_what_is_wrong_with_a_very_long_name(void **state)
{
	struct bench *b = *state;
	char text[2048] = "{{";

	memset(text + 2, 'x', sizeof(text) - 5);
	memcpy(text + sizeof(text) - 3, "}}", 3);
	assert_false(is_fine(b, "error.html", text));
	assert_non_null(strstr(b->message_text, "no name"));
	text[sizeof(text) - 3] = 'x';
	assert_false(is_fine(b, "error.html", text));
	assert_non_null(strstr(b->message_text, "not closed"));
}

static void
what_is_checked_can_be_rendered_at_its_deepest(void **state)
{
	static const char head[] =
	    "{{#site_name}}{{#mount}}{{#title}}{{#style}}x{{/style}}"
	    "{{/title}}{{/mount}}{{/site_name}}";
	static const char page[] =
	    "{{#message}}{{#heading}}{{#home}}{{#request_id}}{{>head.html}}"
	    "{{/request_id}}{{/home}}{{/heading}}{{/message}}";
	const struct template_value values[] = { T_TEXT("site_name", STR("a")),
		T_TEXT("mount", STR("a")), T_TEXT("title", STR("a")),
		T_TEXT("style", STR("a")), T_TEXT("message", STR("a")),
		T_TEXT("heading", STR("a")), T_TEXT("home", STR("a")),
		T_TEXT("request_id", STR("a")) };
	struct bench *b = *state;
	enum dk_err err;

	assert_true(is_fine(b, "head.html", head));
	assert_true(is_fine(b, "error.html", page));
	assert_string_equal(render(b, page, head, values, 8, &err), "x");
	assert_int_equal(err, DK_OK);
	assert_false(is_fine(b, "error.html",
	    "{{#message}}{{#heading}}{{#home}}{{#request_id}}{{#title}}"
	    "{{/title}}{{/request_id}}{{/home}}{{/heading}}{{/message}}"));
	/* The head does not hold itself. */
	assert_false(is_fine(b, "head.html", "{{>head.html}}"));
}

/* --- overrides
 * -------------------------------------------------------------------- */

static void
put_file(struct bench *b, const char *name, const char *text, size_t n)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, text, n) == (ssize_t)n);
	(void)close(fd);
}

static enum dk_err
open_with(struct bench *b)
{
	templates_close(&b->t);
	buf_reset(&b->message);
	return templates_open(&b->t, str_from(b->dir), &b->message);
}

static void
a_file_of_the_same_name_replaces_a_template(void **state)
{
	const struct template_value values[] = { T_TEXT(
	    "message", STR("<b>")) };
	struct bench *b = *state;

	put_file(b, "error.html", "own: {{message}}", 16);
	put_file(b, "other.html", "{{nonsense}}", 12);
	put_file(b, "style.css", "{{nonsense}}", 12);
	assert_int_equal(open_with(b), DK_OK);
	assert_int_equal(
	    template_render(
		&b->t, "error.html", WORDS_ENGLISH, values, 1, &b->out),
	    DK_OK);
	assert_string_equal(buf_z(&b->out), "own: &lt;b&gt;");
	assert_int_equal(
	    template_render(
		&b->t, "other.html", WORDS_ENGLISH, values, 1, &b->out),
	    DK_ERR_INTERNAL);
}

static void
a_wrong_override_stops_the_start(void **state)
{
	static char large[TEMPLATE_FILE_MAX + 1];
	struct bench *b = *state;
	char path[128];

	put_file(b, "error.html", "a\n{{nonsense}}", 14);
	assert_int_equal(open_with(b), DK_ERR_CONF);
	assert_non_null(strstr(b->message_text, "/error.html:2: "));
	put_file(b, "error.html", "a", 1);
	put_file(b, "login.html", "<p>no form</p>", 14);
	assert_int_equal(open_with(b), DK_ERR_CONF);
	assert_non_null(strstr(b->message_text, "csrf_token"));
	memset(large, 'x', sizeof(large));
	put_file(b, "login.html", TOKEN, sizeof(TOKEN) - 1);
	put_file(b, "error.html", large, sizeof(large));
	assert_int_equal(open_with(b), DK_ERR_CONF);
	assert_non_null(strstr(b->message_text, "65536"));
	put_file(b, "error.html", large, sizeof(large) - 1);
	assert_int_equal(open_with(b), DK_OK);
	(void)snprintf(path, sizeof(path), "%s/error.html", b->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_with(b), DK_ERR_CONF);
	assert_non_null(strstr(b->message_text, "/error.html: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(escapes_every_value),
		BENCH_TEST(renders_values_sections_lists_and_the_head),
		BENCH_TEST(an_unknown_name_is_an_error_and_no_gap),
		BENCH_TEST(never_loops),
		BENCH_TEST(the_built_in_templates_are_fine),
		BENCH_TEST(allows_values_only_where_escaping_makes_them_safe),
		BENCH_TEST(a_form_needs_its_token),
		BENCH_TEST(names_of_rows_belong_into_their_list),
		BENCH_TEST(names_the_line_of_what_is_wrong),
		BENCH_TEST(says_what_is_wrong_with_a_very_long_name),
		BENCH_TEST(what_is_checked_can_be_rendered_at_its_deepest),
		BENCH_TEST(a_file_of_the_same_name_replaces_a_template),
		BENCH_TEST(a_wrong_override_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
