/* Which of our languages does a browser ask for? */
#include "words/words.h"

struct range {
	struct str tag;
	unsigned weight; /* thousandths; 0: not wanted */
};

const struct language *
words_find(const struct words *w, struct str code)
{
	size_t i;

	/* The old code of Hebrew, which some programs send still. */
	if (str_ieq(code, STR("iw")))
		code = STR("he");
	for (i = 0; code.n > 0 && i < w->n; i++)
		if (str_ieq(code, str_from(w->item[i]->code)))
			return w->item[i];
	return NULL;
}

/* "1", "0.5", "0.123" in thousandths (RFC 9110 12.4.2). */
static bool
read_weight(struct str text, unsigned *weight)
{
	static const unsigned scale[] = { 1000, 100, 10, 1 };
	struct str whole, part;
	uint64_t one, rest = 0;

	if (str_split(text, '.', &whole, &part) && part.n > 0 &&
	    (part.n > 3 || !str_to_u64(part, 999, &rest)))
		return false;
	if (whole.n != 1 || !str_to_u64(whole, 1, &one))
		return false;
	rest *= scale[part.n];
	*weight = (unsigned)(one * 1000 + rest);
	return *weight <= 1000;
}

/* "de-CH;q=0.8" */
static bool
read_range(struct str field, struct range *range)
{
	struct str parameter, name, value;

	range->weight = 1000;
	if (str_split(field, ';', &range->tag, &parameter)) {
		if (!str_split(str_trim(parameter), '=', &name, &value) ||
		    !str_ieq(str_trim(name), STR("q")) ||
		    !read_weight(str_trim(value), &range->weight))
			return false;
	}
	range->tag = str_trim(range->tag);
	return range->tag.n > 0 && range->tag.n <= LANGUAGE_CODE_MAX;
}

/* Subtag after subtag is taken off the end, a single letter with the one
 * behind it (RFC 4647 3.4). */
static const struct language *
look_up(const struct words *w, struct str tag)
{
	const struct language *found = words_find(w, tag);

	while (found == NULL && tag.n > 0) {
		while (tag.n > 0 && tag.p[tag.n - 1] != '-')
			tag.n--;
		if (tag.n > 0)
			tag.n--;
		if (tag.n > 1 && tag.p[tag.n - 2] == '-')
			tag.n -= 2;
		found = words_find(w, tag);
	}
	return found;
}

const struct language *
words_choose(const struct words *w, struct str accept_language)
{
	const struct language *best = NULL, *found;
	unsigned best_weight = 0;
	struct range range;
	struct str field;
	unsigned n;

	for (n = 0;
	     n < WORDS_RANGES_MAX && str_cut(&accept_language, ',', &field);
	     n++) {
		/* "*" is any language: then the default is as good. */
		if (!read_range(field, &range) || range.weight <= best_weight)
			continue;
		found = look_up(w, range.tag);
		if (found != NULL) {
			best = found;
			best_weight = range.weight;
		}
	}
	return best;
}
