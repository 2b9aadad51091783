#include "base/dsn.h"

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
