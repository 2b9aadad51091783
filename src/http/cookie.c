#include "http/cookie.h"

/*
 * Take one pair: up to ';', or up to a ',' that a server put between two
 * joined lines.  Foreign values may hold commas; splitting there too only
 * makes more pieces, none of which begins with our name unless a server or
 * the client put it there, and then the duplicate is seen.
 */
static bool
next_pair(struct str *rest, struct str *pair)
{
	size_t i;

	if (str_is_none(*rest))
		return false;
	for (i = 0; i < rest->n; i++)
		if (rest->p[i] == ';' || rest->p[i] == ',')
			break;
	*pair = str_sub(*rest, 0, i);
	*rest = i < rest->n ? str_sub(*rest, i + 1, rest->n - i - 1) :
			      STR_NONE;
	return true;
}

enum cookie_found
cookie_get(const struct str *lines, size_t n_lines, struct str name,
    struct str *value)
{
	struct str found = STR_NONE, rest, pair, key, text;
	size_t i;

	*value = STR_NONE;
	for (i = 0; i < n_lines; i++) {
		rest = lines[i];
		while (next_pair(&rest, &pair)) {
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
