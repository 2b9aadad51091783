/* A stylesheet of the site's own is refused with file, line and cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/embed.h"
#include "web/style_check.h"

extern const struct embedded embedded_html[];

/* What the check says; "" when it takes the text. */
static const char *
said(struct str text)
{
	static char line[256];
	struct buf message;
	enum dk_err err;

	BUF_OVER(&message, line);
	line[0] = '\0';
	err = style_check(STR("s.css"), text, &message);
	assert_true((err == DK_OK) == (message.len == 0));
	assert_true(err == DK_OK || err == DK_ERR_CONF);
	return line;
}

static void
takes_what_is_a_stylesheet(void **state)
{
	static const char *const good[] = {
		"",
		"a{color:red}\n",
		"a > b::before { content: \"}\\\"{\"; } /* } */",
		"@media (width <= 40rem) { main { padding: 0 } }",
		"@charset \"utf-8\";",
		"a { background: url(/pictures/sea.jpg) }",
		"a { background: url( \"/a:b.png?x=//y\" ) }",
		"a { background: url('sea.jpg#x') }",
		"/* @import, </style> and url(https://x) are only spoken of */",
		"a::after { content: '<b>@import url(http://x)' }",
		".a\\{ { color: red }",
		"\xef\xbb\xbf" "a { content: '\xc3\xa9' }",
		"a{}\r\nb{}\tc{}\f",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(said(str_from(good[i])), "") != 0)
			fail_msg("%s: %s", good[i], said(str_from(good[i])));
}

static void
refuses_the_rest_with_file_line_and_cause(void **state)
{
	static const struct {
		struct str text;
		const char *says;
	} bad[] = {
		{ STR("a{}\nb{}\n\0{}"), "s.css:3: has a control" },
		{ STR("a{}\n\x1b[0m"), "s.css:2: has a control" },
		{ STR("a{}\n\xff"), "s.css:2: is no UTF-8" },
		{ STR("a{}\xc3"), "s.css:1: is no UTF-8" },
		{ STR("a{}\n</style><script>"), "s.css:2: is HTML" },
		{ STR("<!doctype html>"), "s.css:1: is HTML" },
		{ STR("<style>a{}</style>"), "s.css:1: is HTML" },
		{ STR("\n@import 'b.css';"), "s.css:2: @import" },
		{ STR("@IMPORT url(//evil.example/x.css)"),
		    "s.css:1: @import" },
		{ STR("a{b:url(https://x/y.png)}"), "s.css:1: url() leads" },
		{ STR("a{b:\nURL( 'http://x')}"), "s.css:2: url() leads" },
		{ STR("a{b:url(//x/y)}"), "s.css:1: url() leads" },
		{ STR("a{b:url(data:image/png,x)}"), "s.css:1: url() leads" },
		{ STR("a{b:url(\\68ttps://x)}"), "s.css:1: url() leads" },
		{ STR("a{b:url(/x"), "s.css:1: url( is not closed" },
		{ STR("a{b:url('/x' y)}"), "s.css:1: url( is not closed" },
		{ STR("a{}\n/* no end"), "s.css:2: a comment" },
		{ STR("a{}\n/*/"), "s.css:2: a comment" },
		{ STR("a{content:'x\n'}"), "s.css:1: a string" },
		{ STR("a{content:\"x"), "s.css:1: a string" },
		{ STR("a{content:\"x\\"), "s.css:1: a string" },
		{ STR("a{}\n}"), "s.css:2: } closes" },
		{ STR("a{\nb{}\n"), "s.css:3: { is not closed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strncmp(said(bad[i].text), bad[i].says,
			strlen(bad[i].says)) != 0)
			fail_msg("%s, not %s", said(bad[i].text), bad[i].says);
}

static void
takes_the_built_in_one(void **state)
{
	const struct embedded *e = embedded_html;

	(void)state;
	while (strcmp(e->name, "style.css") != 0)
		e++;
	assert_string_equal(said((struct str){ e->text, e->len }), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_a_stylesheet),
		cmocka_unit_test(refuses_the_rest_with_file_line_and_cause),
		cmocka_unit_test(takes_the_built_in_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
