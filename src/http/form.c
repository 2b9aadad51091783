#include "http/form.h"

#include <string.h>

/*
 * Decode text into to, which has room for text.n bytes (decoding never
 * grows).  False for a malformed escape.
 */
static bool
decode(struct str text, char *to, size_t *len)
{
	size_t i, n = 0;

	for (i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high, low;

			if (text.n - i < 3)
				return false;
			high = str_hex_digit(text.p[i + 1]);
			low = str_hex_digit(text.p[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		to[n++] = c;
	}
	*len = n;
	return true;
}

enum dk_err
form_decode(struct str text, struct arena *arena, struct str *out)
{
	char *to;
	size_t n = 0;

	*out = STR_NONE;
	to = arena_alloc(arena, text.n + 1);
	if (to == NULL)
		return DK_ERR_NOMEM;
	if (!decode(text, to, &n))
		return DK_ERR_INPUT;
	to[n] = '\0';
	*out = (struct str){ to, n };
	return DK_OK;
}

/*
 * Is the raw name the one that the caller reads?  Names are decoded too, so
 * "user%6eame" is "username": compared byte by byte without a copy.
 */
static bool
name_is(struct str raw, const char *name)
{
	size_t len = strlen(name), at = 0, i;

	for (i = 0; i < raw.n; i++, at++) {
		char c = raw.p[i] == '+' ? ' ' : raw.p[i];

		if (c == '%' && raw.n - i >= 3 &&
		    str_hex_digit(raw.p[i + 1]) >= 0 &&
		    str_hex_digit(raw.p[i + 2]) >= 0) {
			c = (char)(str_hex_digit(raw.p[i + 1]) << 4 |
			    str_hex_digit(raw.p[i + 2]));
			i += 2;
		}
		if (at >= len || name[at] != c)
			return false;
	}
	return at == len;
}

static enum dk_err
read_value(struct form_field *field, struct str raw, struct arena *arena,
    const char **problem)
{
	struct str value;
	enum dk_err err;

	if (!str_is_none(field->value)) {
		*problem = "a field was sent twice";
		return DK_ERR_INPUT;
	}
	/* Three raw bytes at most make one. */
	if (raw.n / 3 > field->max) {
		*problem = "a field is too long";
		return DK_ERR_TOO_LARGE;
	}
	err = form_decode(raw, arena, &value);
	if (err == DK_ERR_INPUT)
		*problem = "a field holds a malformed percent-escape";
	if (err != DK_OK)
		return err;
	if (value.n > field->max) {
		*problem = "a field is too long";
		return DK_ERR_TOO_LARGE;
	}
	if (str_contains(value, '\0') || !str_is_utf8(value)) {
		*problem = "a field is not valid UTF-8 text";
		return DK_ERR_INPUT;
	}
	field->value = value;
	return DK_OK;
}

enum dk_err
form_read(struct str text, struct form_field *fields, size_t n,
    struct arena *arena, const char **problem, size_t *which)
{
	struct str pair, name, value;
	size_t pairs = 0, i;
	enum dk_err err;

	*problem = NULL;
	*which = n;
	for (i = 0; i < n; i++)
		fields[i].value = STR_NONE;
	while (str_cut(&text, '&', &pair)) {
		if (pair.n == 0)
			continue;
		if (++pairs > FORM_FIELDS_MAX) {
			*problem = "there are too many fields";
			return DK_ERR_TOO_LARGE;
		}
		if (!str_split(pair, '=', &name, &value))
			value = str_sub(pair, pair.n, 0);
		for (i = 0; i < n && !name_is(name, fields[i].name); i++)
			continue;
		if (i == n)
			continue;
		err = read_value(&fields[i], value, arena, problem);
		if (err != DK_OK) {
			*which = i;
			return err;
		}
	}
	return DK_OK;
}

static enum dk_err
read_text(struct str raw, struct arena *arena, struct str *text)
{
	enum dk_err err = form_decode(raw, arena, text);

	if (err == DK_OK &&
	    (str_contains(*text, '\0') || !str_is_utf8(*text)))
		err = DK_ERR_INPUT;
	return err;
}

enum dk_err
form_read_all(struct str text, struct form_pair *pairs, size_t max,
    struct arena *arena, size_t *n)
{
	struct str pair, name, value;
	enum dk_err err = DK_OK;

	*n = 0;
	while (err == DK_OK && str_cut(&text, '&', &pair)) {
		if (pair.n == 0)
			continue;
		if (*n == max)
			return DK_ERR_TOO_LARGE;
		if (!str_split(pair, '=', &name, &value))
			value = str_sub(pair, pair.n, 0);
		err = read_text(name, arena, &pairs[*n].name);
		if (err == DK_OK)
			err = read_text(value, arena, &pairs[*n].value);
		++*n;
	}
	return err;
}
