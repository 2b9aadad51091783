#include "words/words.h"

#include <string.h>

#include "base/clock.h"

/* U+2068 and U+2069: what stands between runs its own way (UAX 9); behind
 * U+2067 it runs from right to left. */
#define ISOLATE	    STR("\xe2\x81\xa8")
#define ISOLATE_RTL STR("\xe2\x81\xa7")
#define ISOLATE_END STR("\xe2\x81\xa9")

enum msg
words_key(struct str key)
{
	size_t low = MSG_NONE + 1, high = MSG_COUNT;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		int order = str_cmp(key, str_from(message_names[at].key));

		if (order == 0)
			return (enum msg)at;
		if (order < 0)
			high = at;
		else
			low = at + 1;
	}
	return MSG_NONE;
}

/* The form for n out of "one\ttext\nother\ttext"; "other" if it is not there.
 */
static struct str
choose_form(struct str forms, const char *want)
{
	struct str line, name, text, other = STR_NONE;

	while (str_cut(&forms, '\n', &line)) {
		if (!str_split(line, '\t', &name, &text))
			return line;
		if (str_eq(name, str_from(want)))
			return text;
		if (str_eq(name, STR("other")))
			other = text;
	}
	return other;
}

struct str
words_text(const struct language *l, enum msg m, uint64_t n)
{
	const char *text;

	if (m <= MSG_NONE || m >= MSG_COUNT)
		return STR("");
	text = l->text[m];
	if (text == NULL) {
		l = WORDS_ENGLISH;
		text = l->text[m];
	}
	return message_names[m].number == NULL
	    ? str_from(text)
	    : choose_form(str_from(text), plural_form(l->plural, n));
}

bool
words_next(struct str *text, struct str *before, struct str *name)
{
	struct str rest;

	*name = STR_NONE;
	if (!str_split(*text, '{', before, &rest) ||
	    !str_split(rest, '}', name, text)) {
		*before = *text;
		*text = str_sub(*text, text->n, 0);
		return false;
	}
	return true;
}

/* Has isolates of its own, so a message of that language made it. */
static bool
is_composed(struct str value)
{
	size_t i;

	for (i = 0; i < value.n; i++)
		if (str_starts(str_sub(value, i, ISOLATE.n), ISOLATE))
			return true;
	return false;
}

/* Letters that run from right to left are all beyond ASCII; digits, and in
 * a language of Latin letters Latin words, need no setting apart. */
static struct str
isolate_for(const struct language *l, struct str value)
{
	uint64_t number;
	size_t i;

	if (str_to_u64(value, UINT64_MAX, &number))
		return STR("");
	if (l->rtl)
		return is_composed(value) ? ISOLATE_RTL : ISOLATE;
	for (i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] >= 0x80)
			return ISOLATE;
	return STR("");
}

static uint64_t
number_of(enum msg m, words_value_fn *value, const void *arg)
{
	uint64_t n = 0;
	struct str text;

	if (message_names[m].number != NULL &&
	    value(arg, str_from(message_names[m].number), &text))
		(void)str_to_u64(text, UINT64_MAX, &n);
	return n;
}

bool
words_add(const struct language *l, enum msg m, words_value_fn *value,
    const void *arg, void (*add)(struct buf *, struct str), struct buf *out)
{
	struct str text, before, name, shown;

	if (m <= MSG_NONE || m >= MSG_COUNT)
		return false;
	text = words_text(l, m, number_of(m, value, arg));
	while (words_next(&text, &before, &name)) {
		struct str isolate;

		add(out, before);
		if (!value(arg, name, &shown))
			return false;
		isolate = isolate_for(l, shown);
		add(out, isolate);
		add(out, shown);
		add(out, isolate.n > 0 ? ISOLATE_END : STR(""));
	}
	add(out, before);
	return true;
}

struct given {
	const struct word *words;
	size_t n;
};

static bool
find_given(const void *arg, struct str name, struct str *value)
{
	const struct given *given = arg;
	size_t i;

	*value = STR_NONE;
	for (i = 0; i < given->n; i++)
		if (str_eq(name, str_from(given->words[i].name))) {
			*value = given->words[i].text;
			return true;
		}
	return false;
}

bool
words_say(const struct language *l, enum msg m, const struct word *words,
    size_t n, struct buf *out)
{
	const struct given given = { words, n };

	return words_add(l, m, find_given, &given, buf_add, out);
}

void
words_say_number(
    const struct language *l, enum msg m, int64_t n, struct buf *out)
{
	char text[24];
	struct word word = { NULL, STR_NONE };
	struct buf b;

	if (m <= MSG_NONE || m >= MSG_COUNT)
		return;
	word.name = message_names[m].number;
	BUF_OVER(&b, text);
	buf_addf(&b, "%lld", (long long)n);
	word.text = buf_str(&b);
	(void)words_say(l, m, &word, word.name != NULL, out);
}

/* The n-th of "January, February, ..." */
static struct str
month_name(const struct language *l, uint64_t n)
{
	struct str names = words_text(l, MSG_MONTHS, 0), name = STR_NONE;

	while (n-- > 0 && str_cut(&names, ',', &name))
		continue;
	return str_trim(name);
}

void
words_time(const struct language *l, int64_t ms, struct buf *out)
{
	char iso[CLOCK_ISO_LEN + 1];
	uint64_t month, day;
	struct str text;
	char digits[3];
	struct buf b;

	clock_iso(ms, iso);
	text = str_from(iso);
	(void)str_to_u64(str_sub(text, 5, 2), 12, &month);
	(void)str_to_u64(str_sub(text, 8, 2), 31, &day);
	BUF_OVER(&b, digits);
	buf_addf(&b, "%u", (unsigned)day);
	(void)words_say(l, MSG_DATE_TIME,
	    (const struct word[]){ { "year", str_sub(text, 0, 4) },
		{ "month", month_name(l, month) }, { "day", buf_str(&b) },
		{ "hour", str_sub(text, 11, 2) },
		{ "minute", str_sub(text, 14, 2) } },
	    5, out);
}
