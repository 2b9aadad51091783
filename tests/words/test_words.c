/* What we say: the language that is chosen, the form that fits a number, and
 * message files, those of the house and those of a site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "words/words.h"

enum { ARENA = 4 * 1024 * 1024 };

struct bench {
	struct words w;
	char message_text[1024];
	struct buf message;
};

static int
bench_open(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	BUF_OVER(&b->message, b->message_text);
	assert_int_equal(words_open(&b->w, STR_NONE, &b->message), DK_OK);
	assert_int_equal(arena_open(&b->w.arena, ARENA), DK_OK);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	words_close(&b->w);
	free(b);
	return 0;
}

#define BENCH_TEST(f) \
	cmocka_unit_test_setup_teardown(f, bench_open, bench_close)

static enum dk_err
read_text(struct bench *b, const char *code, const char *text)
{
	buf_reset(&b->message);
	return words_read(
	    &b->w, STR("FILE"), str_from(code), str_from(text), &b->message);
}

/* --- which language ------------------------------------------------------ */

static const char *
chosen(struct bench *b, const char *header)
{
	const struct language *l = words_choose(&b->w, str_from(header));

	return l == NULL ? "none" : l->code;
}

/* RFC 4647 3.4 and RFC 9110 12.5.4, over en and three of a site's own. */
static void
chooses_by_accept_language(void **state)
{
	static const struct {
		const char *header, *code;
	} cases[] = {
		{ NULL, "none" },
		{ "", "none" },
		{ "en", "en" },
		{ "EN-us", "en" },
		{ "xx", "xx" },
		{ "xx-CH", "xx" },
		{ "xx-Latn-CH-1996", "xx" },
		{ "xx-x-private", "xx" },
		{ "xx-a-bbb-x-a", "xx" },
		{ "yy-BR", "yy-BR" },
		{ "YY-br-x-1", "yy-BR" },
		{ "yy", "none" },
		{ "yy-PT, en;q=0.5", "en" },
		{ "xxx", "none" },
		{ "x", "none" },
		/* Weights. */
		{ "en;q=0.5, xx", "xx" },
		{ "en;q=0.5, xx;q=0.4", "en" },
		{ "en;q=0.500, xx;q=0.501", "xx" },
		{ "en, xx", "en" },
		{ "xx, en", "xx" },
		{ "tlh-FR, tlh;q=0.9, xx;q=0.8, en;q=0.7", "xx" },
		{ "xx;q=0, en;q=0.1", "en" },
		{ "xx;q=0", "none" },
		{ "xx;q=0.0", "none" },
		{ "xx;q=1.0", "xx" },
		{ "xx;Q=0.5", "xx" },
		{ "xx ; q = 0.5", "xx" },
		{ "*", "none" },
		{ "*, en;q=0.1", "en" },
		{ "iw-IL", "he" },
		/* A damaged field is passed over. */
		{ "xx;q=2, en;q=0.1", "en" },
		{ "xx;q=1.001, en;q=0.1", "en" },
		{ "xx;q=-1, en;q=0.1", "en" },
		{ "xx;q=, en;q=0.1", "en" },
		{ "xx;q=.5, en;q=0.1", "en" },
		{ "xx;q=0.5555, en;q=0.1", "en" },
		{ "xx;q=0.5x, en;q=0.1", "en" },
		{ "xx;level=1, en;q=0.1", "en" },
		{ "xx;q=0.5;q=0.1, en;q=0.1", "en" },
		{ ",,;,-,--, xx", "xx" },
		{ "xx-,en;q=0.1", "xx" },
		{ "xx yy, en;q=0.1", "en" },
		{ "../../etc/passwd, \"><script>, en;q=0.1", "en" },
	};
	struct bench *b = *state;
	size_t i;

	assert_int_equal(read_text(b, "xx", "_name = X"), DK_OK);
	assert_int_equal(read_text(b, "yy-BR", "_name = Y"), DK_OK);
	assert_int_equal(read_text(b, "he", "_name = H"), DK_OK);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(chosen(b, cases[i].header), cases[i].code) != 0)
			fail_msg("%s: %s", cases[i].header,
			    chosen(b, cases[i].header));
}

/* A header of any length costs little. */
static void
looks_at_a_bounded_number_of_ranges(void **state)
{
	struct bench *b = *state;
	char text[400];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < WORDS_RANGES_MAX; i++)
		(void)snprintf(text + 4 * i, 8, "zz, ");
	(void)snprintf(text + 4 * i, 8, "en");
	assert_string_equal(chosen(b, text), "none");
	assert_string_equal(chosen(b, text + 4), "en");
}

static void
finds_a_language_by_its_code(void **state)
{
	struct bench *b = *state;

	assert_non_null(words_find(&b->w, STR("EN")));
	assert_null(words_find(&b->w, STR("")));
	assert_null(words_find(&b->w, STR_NONE));
	assert_null(words_find(&b->w, STR("e")));
	assert_null(words_find(&b->w, STR("en-")));
}

/* --- which form ------------------------------------------------------------
 */

/* Unicode CLDR, for whole numbers. */
static void
numbers_choose_the_form(void **state)
{
	static const struct {
		enum plural rule;
		const char *one, *two, *few, *many, *other, *zero;
	} cases[] = {
		{ PLURAL_NONE, "", "", "", "", "0 1 2 5 11 100", "" },
		{ PLURAL_ONE, "1", "", "", "", "0 2 11 21 101", "" },
		{ PLURAL_ZERO_ONE, "0 1", "", "", "", "2 11 21 101", "" },
		{ PLURAL_POLISH, "1", "", "2 3 4 22 34 102 1003",
		    "0 5 11 12 13 14 21 25 100 112 114 1012", "", "" },
		{ PLURAL_RUSSIAN, "1 21 101 1001", "", "2 3 4 22 104",
		    "0 5 11 12 14 20 111 112", "", "" },
		{ PLURAL_CZECH, "1", "", "2 3 4", "", "0 5 11 22 102", "" },
		{ PLURAL_HEBREW, "1", "2", "", "", "0 3 10 12 20 102", "" },
		{ PLURAL_ARABIC, "1", "2", "3 10 103 110 1003",
		    "11 26 99 111 199", "100 101 102 200 202 1000", "0" },
	};
	static const char *const names[] = { "one", "two", "few", "many",
		"other", "zero" };
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *lists[] = { cases[i].one, cases[i].two,
			cases[i].few, cases[i].many, cases[i].other,
			cases[i].zero };

		for (k = 0; k < 6; k++) {
			struct str list = str_from(lists[k]), word;
			uint64_t n;

			while (list.n > 0 && str_cut(&list, ' ', &word)) {
				assert_true(str_to_u64(word, 9999, &n));
				if (strcmp(plural_form(cases[i].rule, n),
					names[k]) != 0)
					fail_msg("rule %zu, %u: %s", i,
					    (unsigned)n,
					    plural_form(cases[i].rule, n));
			}
		}
	}
}

static const char *
said(struct bench *b, const char *code, enum msg m, const struct word *words,
    size_t n)
{
	static char text[1024];
	const struct language *l = words_find(&b->w, str_from(code));
	struct buf out;

	assert_non_null(l);
	BUF_OVER(&out, text);
	assert_true(words_say(l, m, words, n, &out));
	return text;
}

static void
says_a_number_in_its_form(void **state)
{
	struct word n = { "seconds", STR("5") };
	struct bench *b = *state;

	assert_int_equal(read_text(b, "xx",
			     "_name = X\n_plural = polish\n"
			     "throttled_seconds[one] = one\n"
			     "throttled_seconds[few] = few {seconds}\n"
			     "throttled_seconds[many] = many {seconds}\n"),
	    DK_OK);
	assert_string_equal(
	    said(b, "xx", MSG_THROTTLED_SECONDS, &n, 1), "many 5");
	n.text = STR("1");
	assert_string_equal(said(b, "xx", MSG_THROTTLED_SECONDS, &n, 1), "one");
	n.text = STR("23");
	assert_string_equal(
	    said(b, "xx", MSG_THROTTLED_SECONDS, &n, 1), "few 23");
	assert_non_null(
	    strstr(said(b, "en", MSG_THROTTLED_SECONDS, &n, 1), "23 seconds."));
	/* What the language lacks, English says, by its own rule. */
	n = (struct word){ "minutes", STR("2") };
	assert_non_null(
	    strstr(said(b, "xx", MSG_THROTTLED_MINUTES, &n, 1), "2 minutes."));
	n.text = STR("1");
	assert_non_null(
	    strstr(said(b, "xx", MSG_THROTTLED_MINUTES, &n, 1), "1 minute."));
}

/* A name of other letters does not turn the sentence around (UAX 9). */
static void
sets_apart_what_may_run_the_other_way(void **state)
{
	struct word name = { "username", STR("alice") };
	struct bench *b = *state;

	assert_string_equal(said(b, "en", MSG_SIGNED_IN_AS, &name, 1),
	    "You are signed in as alice.");
	name.text = STR("\xd7\x93\xd7\xa0\xd7\x94");
	assert_string_equal(said(b, "en", MSG_SIGNED_IN_AS, &name, 1),
	    "You are signed in as \xe2\x81\xa8\xd7\x93\xd7\xa0\xd7\x94"
	    "\xe2\x81\xa9.");
	assert_int_equal(read_text(b, "xx",
			     "_name = X\n_direction = rtl\n"
			     "signed_in_as = <{username}>\n"),
	    DK_OK);
	name.text = STR("alice");
	assert_string_equal(said(b, "xx", MSG_SIGNED_IN_AS, &name, 1),
	    "<\xe2\x81\xa8"
	    "alice\xe2\x81\xa9>");
	name.text = STR("12");
	assert_string_equal(said(b, "xx", MSG_SIGNED_IN_AS, &name, 1), "<12>");
	/* What is a sentence itself runs as the language does, though all
	 * that is not set apart in it is Latin: "25 <month> 2026 UTC". */
	name.text = STR("25 \xe2\x81\xa8\xd7\x93\xe2\x81\xa9 2026 UTC");
	assert_string_equal(said(b, "xx", MSG_SIGNED_IN_AS, &name, 1),
	    "<\xe2\x81\xa7"
	    "25 \xe2\x81\xa8\xd7\x93\xe2\x81\xa9 2026 UTC"
	    "\xe2\x81\xa9>");
}

static void
a_value_is_no_text_of_ours(void **state)
{
	const struct word names[] = { { "username", STR("{username}{x}") } };
	struct bench *b = *state;
	char text[256];
	struct buf out;

	assert_string_equal(said(b, "en", MSG_SIGNED_IN_AS, names, 1),
	    "You are signed in as {username}{x}.");
	BUF_OVER(&out, text);
	assert_false(words_say(WORDS_ENGLISH, MSG_SIGNED_IN_AS, NULL, 0, &out));
	assert_false(words_say(WORDS_ENGLISH, MSG_NONE, NULL, 0, &out));
	assert_int_equal(words_text(WORDS_ENGLISH, MSG_NONE, 0).n, 0);
}

static void
writes_the_time_as_the_language_does(void **state)
{
	struct bench *b = *state;
	char text[128];
	struct buf out;

	BUF_OVER(&out, text);
	words_time(WORDS_ENGLISH, INT64_C(1795581065000), &out);
	assert_string_equal(text, "25 November 2026, 04:31 UTC");
	assert_int_equal(read_text(b, "xx",
			     "_name = X\n"
			     "months = 1,2,3,4,5,6,7,8,9,10, e l f ,12\n"
			     "date_time = {year}.{month}.{day} "
			     "{hour}h{minute}\n"),
	    DK_OK);
	BUF_OVER(&out, text);
	words_time(words_find(&b->w, STR("xx")), INT64_C(1795581065000), &out);
	assert_string_equal(text, "2026.e l f.25 04h31");
}

/* --- message files of a site
 * -------------------------------------------------- */

static void
refuses_what_is_wrong_in_a_file(void **state)
{
	static const struct {
		const char *text, *message; /* NULL: it is fine */
	} cases[] = {
		{ "_name = X", NULL },
		{ "\n# a = b\n\t_name =  X \r\nsign_in=Go", NULL },
		{ "_name = X\nsign_in = a = b", NULL },
		{ "", "FILE:1: _name" },
		{ "sign_in = Go", "FILE:1: _name" },
		{ "_name = X\nsign_inn = Go", "FILE:2: sign_inn: is no" },
		{ "_name = X\nsign_in", "FILE:2: is no" },
		{ "_name = X\nsign_in =", "FILE:2: sign_in: must be" },
		{ "_name = X\nsign_in = a\nsign_in = b", "FILE:3: sign_in" },
		{ "_name = X\nsign_in = a\x01", "FILE:2: sign_in" },
		{ "_name = X\nsign_in = a\xff", "FILE:2: sign_in" },
		{ "_name = X\nsign_in = \xe2\x80\xae", "FILE:2: sign_in" },
		{ "_name = X\nsign_in = {who}", "FILE:2: sign_in: has a" },
		{ "_name = X\nsigned_in_as = You", "FILE:2: signed_in_as" },
		{ "_name = X\nsigned_in_as = {username}", NULL },
		{ "_name = X\nsigned_in_as = {username} {username}", NULL },
		{ "_name = X\nsign_in[one] = Go", "FILE:2: sign_in: has a" },
		{ "_name = X\ntoo_long[few] = {characters}",
		    "FILE:2: too_long: has a form" },
		{ "_name = X\ntoo_long[one] = 1", "FILE:2: too_long: lacks" },
		{ "_name = X\ntoo_long[one] = 1\ntoo_long[other] = 2", NULL },
		{ "_name = X\ntoo_long = {characters}", NULL },
		{ "_name = X\ntoo_long = {n}", "FILE:2: too_long: has a" },
		{ "_name = X\ntoo_long[ = a", "FILE:2: too_long[: must be" },
		{ "_name = X\ntoo_long[] = a", "FILE:2: too_long[]: must" },
		{ "_name =", "FILE:1: _name" },
		{ "_name = X\n_direction = up", "FILE:2: _direction" },
		{ "_name = X\n_plural = latin", "FILE:2: _plural" },
		{ "_nam = X", "FILE:1: _nam" },
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum dk_err err = read_text(b, "xx", cases[i].text);

		b->w.n = built_in_languages_count;
		if (cases[i].message == NULL ? err != DK_OK
					     : err != DK_ERR_CONF ||
			    !str_starts(buf_str(&b->message),
				str_from(cases[i].message)))
			fail_msg("%s: %s", cases[i].text, b->message_text);
	}
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
reads_the_directory_of_a_site(void **state)
{
	static const char *const files[] = { "en.txt", "sv.txt", "notes.md",
		"not a code.txt" };
	struct bench *b = *state;
	char dir[] = "/tmp/doorkeep-test-XXXXXX", path[256];
	const struct language *l;
	struct words w;
	size_t i;

	assert_non_null(mkdtemp(dir));
	write_file(dir, "en.txt", "sign_in = Come in\n");
	write_file(dir, "sv.txt", "_name = Svenska\nsign_in = Logga in\n");
	write_file(dir, "notes.md", "nothing\n");
	assert_int_equal(
	    words_open(&w, (struct str){ dir, strlen(dir) }, &b->message),
	    DK_OK);
	assert_int_equal(w.n, built_in_languages_count + 1);
	l = words_find(&w, STR("sv"));
	assert_non_null(l);
	assert_true(str_eq(words_text(l, MSG_SIGN_IN, 0), STR("Logga in")));
	assert_true(str_eq(words_text(l, MSG_PASSWORD, 0), STR("Password")));
	l = words_find(&w, STR("en"));
	assert_string_equal(l->name, "English");
	assert_true(str_eq(words_text(l, MSG_SIGN_IN, 0), STR("Come in")));
	assert_true(str_eq(words_text(l, MSG_PASSWORD, 0), STR("Password")));
	words_close(&w);

	write_file(dir, "not a code.txt", "_name = X\n");
	assert_int_equal(
	    words_open(&w, (struct str){ dir, strlen(dir) }, &b->message),
	    DK_ERR_CONF);
	assert_non_null(strstr(b->message_text, "not a code.txt"));
	words_close(&w);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
	buf_reset(&b->message);
	assert_int_equal(
	    words_open(&w, (struct str){ dir, strlen(dir) }, &b->message),
	    DK_ERR_CONF);
	words_close(&w);
}

/* --- the languages of the house
 * ------------------------------------------------ */

static bool
same_placeholders(struct str a, struct str b, struct str number)
{
	struct str before, name, other, rest;

	while (words_next(&a, &before, &name)) {
		bool found = false;

		rest = b;
		while (words_next(&rest, &before, &other))
			found = found || str_eq(name, other);
		if (!found && !str_eq(name, number))
			return false;
	}
	return true;
}

/* One form, or one text, of a message. */
static void
check_text(const struct language *l, enum msg m, struct str text)
{
	struct str english = words_text(WORDS_ENGLISH, m, 2);
	struct str number = str_from(message_names[m].number);

	if (text.n == 0 || !str_is_printable(text) ||
	    str_starts(text, STR(" ")) || str_ends(text, STR(" ")) ||
	    str_contains(text, '<'))
		fail_msg("%s: %s is empty or no plain text", l->code,
		    message_names[m].key);
	if (!same_placeholders(text, english, STR_NONE) ||
	    !same_placeholders(english, text, number))
		fail_msg("%s: %s: the {placeholders} differ from English",
		    l->code, message_names[m].key);
}

/* Every form of the language's rule is there, and no other. */
static void
check_forms(const struct language *l, enum msg m)
{
	struct str forms = str_from(l->text[m]), line, name, text, want, word;
	size_t n = 0, n_want = 0;

	if (!str_contains(forms, '\t')) {
		check_text(l, m, forms);
		return;
	}
	while (str_cut(&forms, '\n', &line)) {
		bool known = false;

		assert_true(str_split(line, '\t', &name, &text));
		check_text(l, m, text);
		want = str_from(plural_forms(l->plural));
		for (n_want = 0; str_cut(&want, ' ', &word); n_want++)
			known = known || str_eq(word, name);
		if (!known)
			fail_msg("%s: %s[%.*s]: no form of this language",
			    l->code, message_names[m].key, STR_FMT(name));
		n++;
	}
	if (n != n_want)
		fail_msg("%s: %s lacks a form", l->code, message_names[m].key);
}

static void
every_language_says_everything(void **state)
{
	size_t i, m;

	(void)state;
	for (i = 0; i < built_in_languages_count; i++) {
		const struct language *l = &built_in_languages[i];

		for (m = MSG_NONE + 1; m < MSG_COUNT; m++) {
			if (l->text[m] == NULL)
				fail_msg("messages/%s.txt lacks %s", l->code,
				    message_names[m].key);
			if (message_names[m].number != NULL)
				check_forms(l, (enum msg)m);
			else
				check_text(
				    l, (enum msg)m, str_from(l->text[m]));
		}
	}
}

static void
every_language_has_twelve_months(void **state)
{
	struct str names, name;
	size_t i, n;

	(void)state;
	for (i = 0; i < built_in_languages_count; i++) {
		names = words_text(&built_in_languages[i], MSG_MONTHS, 0);
		for (n = 0; str_cut(&names, ',', &name); n++)
			assert_true(str_trim(name).n > 0);
		if (n != 12)
			fail_msg(
			    "%s: %zu months", built_in_languages[i].code, n);
	}
}

static void
keys_are_found(void **state)
{
	size_t m;

	(void)state;
	for (m = MSG_NONE + 1; m < MSG_COUNT; m++)
		assert_int_equal(words_key(str_from(message_names[m].key)), m);
	assert_int_equal(words_key(STR("")), MSG_NONE);
	assert_int_equal(words_key(STR("sign_i")), MSG_NONE);
	assert_int_equal(words_key(STR("sign_inn")), MSG_NONE);
	assert_int_equal(words_key(STR("SIGN_IN")), MSG_NONE);
	assert_int_equal(words_key(STR("zzz")), MSG_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(chooses_by_accept_language),
		BENCH_TEST(looks_at_a_bounded_number_of_ranges),
		BENCH_TEST(finds_a_language_by_its_code),
		BENCH_TEST(numbers_choose_the_form),
		BENCH_TEST(says_a_number_in_its_form),
		BENCH_TEST(sets_apart_what_may_run_the_other_way),
		BENCH_TEST(a_value_is_no_text_of_ours),
		BENCH_TEST(writes_the_time_as_the_language_does),
		BENCH_TEST(refuses_what_is_wrong_in_a_file),
		BENCH_TEST(reads_the_directory_of_a_site),
		cmocka_unit_test(every_language_says_everything),
		cmocka_unit_test(every_language_has_twelve_months),
		cmocka_unit_test(keys_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
