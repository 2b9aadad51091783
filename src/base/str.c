#include "base/str.h"

#include <string.h>

#include "base/utf8.h"

struct str
str_from(const char *z)
{
	return (struct str){ z, z == NULL ? 0 : strlen(z) };
}

struct str
str_sub(struct str s, size_t from, size_t len)
{
	if (from > s.n)
		from = s.n;
	if (len > s.n - from)
		len = s.n - from;
	if (s.p == NULL)
		return STR_NONE;
	return (struct str){ s.p + from, len };
}

bool
str_is_none(struct str s)
{
	return s.p == NULL;
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
str_ieq(struct str a, struct str b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	    str_eq(str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

bool
str_contains(struct str s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool
str_split(struct str s, char sep, struct str *head, struct str *tail)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, sep, s.n);
	size_t n;

	*head = s;
	*tail = STR_NONE;
	if (at == NULL)
		return false;
	n = (size_t)(at - s.p);
	*head = (struct str){ s.p, n };
	*tail = (struct str){ at + 1, s.n - n - 1 };
	return true;
}

bool
str_cut(struct str *rest, char sep, struct str *field)
{
	*field = STR_NONE;
	if (rest->p == NULL)
		return false;
	/* The last field leaves STR_NONE behind, an empty tail a view. */
	(void)str_split(*rest, sep, field, rest);
	return true;
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_sub(s, 1, s.n - 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
str_to_u64(struct str s, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;
	size_t i;

	*value = 0;
	if (s.n == 0)
		return false;
	for (i = 0; i < s.n; i++) {
		uint64_t digit;

		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		digit = (uint64_t)(s.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v > max)
		return false;
	*value = v;
	return true;
}

int
str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
str_is_utf8(struct str s)
{
	uint32_t cp;

	while (s.n > 0)
		if (!utf8_next(&s, &cp))
			return false;
	return true;
}

size_t
str_utf8_len(struct str s)
{
	uint32_t cp;
	size_t n = 0;

	while (s.n > 0 && utf8_next(&s, &cp))
		n++;
	return n;
}

bool
str_is_printable(struct str s)
{
	uint32_t cp;

	while (s.n > 0)
		if (!utf8_next(&s, &cp) || utf8_is_unsafe(cp))
			return false;
	return true;
}
