/* The rules of Unicode CLDR for whole numbers, by the languages' names. */
#include "words/words.h"

static const struct {
	const char *name, *forms;
} rules[PLURAL_COUNT] = {
	[PLURAL_NONE] = { "none", "other" },
	[PLURAL_ONE] = { "one", "one other" },
	[PLURAL_ZERO_ONE] = { "zero_one", "one other" },
	[PLURAL_POLISH] = { "polish", "one few many" },
	[PLURAL_RUSSIAN] = { "russian", "one few many" },
	[PLURAL_CZECH] = { "czech", "one few other" },
	[PLURAL_HEBREW] = { "hebrew", "one two other" },
	[PLURAL_ARABIC] = { "arabic", "zero one two few many other" },
};

const char *
plural_forms(enum plural rule)
{
	return rule < PLURAL_COUNT ? rules[rule].forms : "other";
}

bool
plural_find(struct str name, enum plural *rule)
{
	size_t i;

	*rule = PLURAL_ONE;
	for (i = 0; i < PLURAL_COUNT; i++)
		if (str_eq(name, str_from(rules[i].name))) {
			*rule = (enum plural)i;
			return true;
		}
	return false;
}

/* 2 to 4, 22 to 24, ... but not 12 to 14. */
static bool
is_slavic_few(uint64_t n)
{
	return n % 10 >= 2 && n % 10 <= 4 && !(n % 100 >= 12 && n % 100 <= 14);
}

static const char *
arabic_form(uint64_t n)
{
	if (n == 0)
		return "zero";
	if (n <= 2)
		return n == 1 ? "one" : "two";
	if (n % 100 >= 3 && n % 100 <= 10)
		return "few";
	return n % 100 >= 11 ? "many" : "other";
}

const char *
plural_form(enum plural rule, uint64_t n)
{
	switch (rule) {
	case PLURAL_NONE:
	case PLURAL_COUNT:
		return "other";
	case PLURAL_ONE:
		break;
	case PLURAL_ZERO_ONE:
		return n <= 1 ? "one" : "other";
	case PLURAL_POLISH:
		return n == 1 ? "one" : is_slavic_few(n) ? "few" : "many";
	case PLURAL_RUSSIAN:
		if (n % 10 == 1 && n % 100 != 11)
			return "one";
		return is_slavic_few(n) ? "few" : "many";
	case PLURAL_CZECH:
		return n == 1 ? "one" : n >= 2 && n <= 4 ? "few" : "other";
	case PLURAL_HEBREW:
		return n == 1 ? "one" : n == 2 ? "two" : "other";
	case PLURAL_ARABIC:
		return arabic_form(n);
	}
	return n == 1 ? "one" : "other";
}
