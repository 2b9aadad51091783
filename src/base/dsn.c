#include "base/dsn.h"

#include <string.h>

static const struct str hidden = { "***", 3 };

static struct str
scheme_of(struct str s)
{
	static const struct str schemes[] = { { "postgresql://", 13 },
		{ "postgres://", 11 } };
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (str_starts(s, schemes[i]))
			return schemes[i];
	return STR_NONE;
}

bool
dsn_is(struct str s)
{
	return !str_is_none(scheme_of(s));
}

/* "user:password" without the password; true when there was one. */
static bool
show_user(struct buf *b, struct str user)
{
	struct str name, password;

	if (!str_split(user, ':', &name, &password)) {
		buf_add(b, user);
		return false;
	}
	buf_add(b, name);
	buf_addc(b, ':');
	buf_add(b, hidden);
	return password.n > 0;
}

/* Names may be written with %XX: all that is not plainly another is hidden. */
static bool
is_secret_name(struct str name)
{
	return str_ieq(name, STR("password")) ||
	    str_ieq(name, STR("sslpassword")) || str_contains(name, '%');
}

static bool
show_parameters(struct buf *b, struct str rest)
{
	struct str field, name, value;
	bool first = true, some = false;

	while (str_cut(&rest, '&', &field)) {
		buf_addc(b, first ? '?' : '&');
		first = false;
		if (!str_split(field, '=', &name, &value) ||
		    !is_secret_name(name)) {
			buf_add(b, field);
			continue;
		}
		buf_add(b, name);
		buf_addc(b, '=');
		buf_add(b, hidden);
		some = true;
	}
	return some;
}

/* The last @ before the parameters: a password may hold one by mistake. */
static bool
split_user(struct str s, struct str *user, struct str *rest)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != '@')
		i--;
	if (i == 0)
		return false;
	*user = str_sub(s, 0, i - 1);
	*rest = str_sub(s, i, s.n - i);
	return true;
}

static bool
show(struct buf *b, struct str s)
{
	struct str scheme = scheme_of(s), place = s, parameters = STR_NONE;
	struct str user, rest;
	bool some = false, asked;

	if (str_is_none(scheme)) {
		buf_add(b, s);
		return false;
	}
	s = str_sub(s, scheme.n, s.n - scheme.n);
	buf_add(b, scheme);
	asked = str_split(s, '?', &place, &parameters);
	if (!asked)
		place = s;
	/* A password that holds a question mark by mistake. */
	if (asked && !str_contains(place, '@') && str_contains(parameters, '@'))
		place = s, asked = false;
	if (split_user(place, &user, &rest)) {
		some = show_user(b, user);
		buf_addc(b, '@');
		place = rest;
	}
	buf_add(b, place);
	if (asked)
		some = show_parameters(b, parameters) || some;
	return some;
}

bool
dsn_has_password(struct str s)
{
	char none[1];
	struct buf b;

	BUF_OVER(&b, none);
	return show(&b, s);
}

void
dsn_show(struct buf *b, struct str s)
{
	(void)show(b, s);
}

static bool
hex_digit(char c, unsigned *v)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c == '\0' ? NULL : strchr(digits, c | 0x20);

	if (p == NULL)
		return false;
	*v = *v << 4 | (unsigned)(p - digits);
	return true;
}

static void
add_decoded(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned v = 0;

		if (s.p[i] == '%' && i + 2 < s.n &&
		    hex_digit(s.p[i + 1], &v) && hex_digit(s.p[i + 2], &v)) {
			buf_addc(b, (char)v);
			i += 2;
		} else {
			buf_addc(b, s.p[i]);
		}
	}
}

void
dsn_parameter(struct buf *b, struct str s, struct str name)
{
	struct str place, rest, field, key, value;

	if (!dsn_is(s) || !str_split(s, '?', &place, &rest))
		return;
	while (str_cut(&rest, '&', &field))
		if (str_split(field, '=', &key, &value) && str_eq(key, name)) {
			add_decoded(b, value);
			return;
		}
}
