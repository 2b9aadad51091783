#include "http/cookie.h"

/* Take one pair: up to ';', or up to a ',' too where commas count. */
static bool
next_pair(struct str *rest, bool commas, struct str *pair)
{
	size_t i;

	if (str_is_none(*rest))
		return false;
	for (i = 0; i < rest->n; i++)
		if (rest->p[i] == ';' || (commas && rest->p[i] == ','))
			break;
	*pair = str_sub(*rest, 0, i);
	*rest = i < rest->n ? str_sub(*rest, i + 1, rest->n - i - 1) : STR_NONE;
	return true;
}

enum cookie_found
cookie_get(
    const struct str *lines, size_t n_lines, struct str name, struct str *value)
{
	struct str found = STR_NONE, rest, pair, key, text;
	bool commas = !str_starts(name, STR("__"));
	size_t i;

	*value = STR_NONE;
	for (i = 0; i < n_lines; i++) {
		rest = lines[i];
		while (next_pair(&rest, commas, &pair)) {
			if (!str_split(pair, '=', &key, &text) ||
			    !str_eq(str_trim(key), name))
				continue;
			text = str_trim(text);
			if (!str_is_none(found) && !str_eq(found, text))
				return COOKIE_CONFLICT;
			found = text;
		}
	}
	if (str_is_none(found))
		return COOKIE_ABSENT;
	*value = found;
	return COOKIE_ONE;
}
