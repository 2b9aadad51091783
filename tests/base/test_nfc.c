#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <string.h>

#include "base/nfc.h"

/* DK-W-04: composed, and nothing else: no compatibility folding. */
static void
composes_letters(void **state)
{
	static const struct {
		const char *name, *in, *out;
	} cases[] = {
		{ "ascii", "plain text 123", "plain text 123" },
		{ "empty", "", "" },
		{ "composed already", "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "e and an accent", "cafe\xcc\x81", "caf\xc3\xa9" },
		{ "two accents, either order", "a\xcc\xa3\xcc\x82",
		    "\xe1\xba\xad" },
		{ "the other order", "a\xcc\x82\xcc\xa3", "\xe1\xba\xad" },
		{ "Angstrom sign", "\xe2\x84\xab", "\xc3\x85" },
		{ "Hangul", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
		    "\xed\x95\x9c" },
		{ "a ligature stays", "\xef\xac\x81", "\xef\xac\x81" },
		{ "wide letters stay", "\xef\xbd\x81", "\xef\xbd\x81" },
		{ "a no-break space stays", "a\xc2\xa0"
					    "b",
		    "a\xc2\xa0"
		    "b" },
		{ "joined emoji stay", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f",
		    NULL },
	};
	char text[256];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Text that is not UTF-8 stays as it is. */
		const char *want =
		    cases[i].out == NULL ? cases[i].in : cases[i].out;
		bool good;

		BUF_OVER(&b, text);
		good = nfc_add(&b, str_from(cases[i].in));
		if (good != (cases[i].out != NULL) ||
		    !str_eq(buf_str(&b), str_from(want)))
			fail_msg("%s: %s", cases[i].name, buf_z(&b));
	}
}

static void
leaves_what_is_too_long(void **state)
{
	static char in[2001], text[8192];
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i + 1 < sizeof(in); i += 2)
		memcpy(in + i, "\xc3\xa9", 2);
	BUF_OVER(&b, text);
	assert_false(nfc_add(&b, str_from(in)));
	assert_true(str_eq(buf_str(&b), str_from(in)));
}

/* What does not fit is not half written. */
static void
says_when_there_is_no_room(void **state)
{
	char text[4];
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	(void)nfc_add(&b, STR("cafe\xcc\x81"));
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composes_letters),
		cmocka_unit_test(leaves_what_is_too_long),
		cmocka_unit_test(says_when_there_is_no_room),
	};

	if (dlopen("libunistring.so.2", RTLD_NOW) == NULL &&
	    dlopen("libunistring.so.5", RTLD_NOW) == NULL) {
		print_message("libunistring is not installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
