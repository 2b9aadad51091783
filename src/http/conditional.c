#include "http/conditional.h"

#include "base/clock.h"

/*
 * Take the next entity tag (RFC 9110 8.8.3) of *rest: the text between the
 * quotes, in which there may be commas.  False at the end, and at what is no
 * list of them: then nothing of it is left.
 */
static bool
take_tag(struct str *rest, struct str *opaque, bool *weak)
{
	struct str left = str_trim(*rest), tail;

	*rest = STR_NONE;
	*weak = str_starts(left, STR("W/"));
	if (*weak)
		left = str_sub(left, 2, left.n);
	if (left.n < 2 || left.p[0] != '"' ||
	    !str_split(str_sub(left, 1, left.n), '"', opaque, &tail))
		return false;
	tail = str_trim(tail);
	if (tail.n > 0 && tail.p[0] != ',')
		return false;
	*rest = str_sub(tail, 1, tail.n);
	return true;
}

/* Is the tag among the list?  A strong comparison knows no weak ones. */
static bool
list_has(struct str list, struct str etag, bool strong)
{
	struct str want, one;
	bool want_weak, weak, found = false;

	if (!take_tag(&etag, &want, &want_weak))
		return false;
	if (str_eq(str_trim(list), STR("*")))
		return true;
	while (take_tag(&list, &one, &weak))
		if (str_eq(one, want) && !(strong && (weak || want_weak)))
			found = true;
	return found;
}

/* By the second: files are no older for having changed within it. */
static bool
is_newer(const struct representation *is, struct str date, bool *known)
{
	int64_t ms;

	*known = clock_parse_http(date, &ms);
	return *known && is->modified_s > ms / 1000;
}

/* RFC 9110 13.1.5: the very same bytes, or the range means nothing. */
static bool
range_is_of_this(struct str if_range, const struct representation *is)
{
	int64_t ms;

	if (str_is_none(if_range))
		return true;
	if (str_contains(if_range, '"'))
		return list_has(if_range, is->etag, true);
	/* A date is as good as the tag is strong (8.8.2.2). */
	return !str_starts(is->etag, STR("W/")) &&
	    clock_parse_http(str_trim(if_range), &ms) &&
	    is->modified_s == ms / 1000;
}

/* More digits than we can count are beyond every end. */
static bool
read_position(struct str text, uint64_t *value)
{
	size_t i;

	if (str_to_u64(text, UINT64_MAX, value))
		return true;
	for (i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	*value = UINT64_MAX;
	return text.n > 0;
}

/* 206, 416, or 200 where the range is none that we understand. */
static unsigned
read_range(struct str range, uint64_t size, struct part *part)
{
	struct str unit, set, first, last;
	uint64_t from, to = UINT64_MAX;

	if (!str_split(range, '=', &unit, &set) ||
	    !str_ieq(str_trim(unit), STR("bytes")) || size == 0)
		return 200;
	set = str_trim(set);
	if (!str_split(set, '-', &first, &last))
		return 200;
	if (first.n == 0) { /* the last bytes */
		if (!read_position(last, &from))
			return 200;
		if (from == 0)
			return 416;
		from = from > size ? size : from;
		*part = (struct part){ size - from, from };
		return 206;
	}
	if (!read_position(first, &from) ||
	    (last.n > 0 && !read_position(last, &to)) || from > to)
		return 200;
	if (from >= size)
		return 416;
	to = to >= size ? size - 1 : to;
	*part = (struct part){ from, to - from + 1 };
	return 206;
}

unsigned
conditional_judge(const struct conditional *asked,
    const struct representation *is, struct part *part)
{
	bool known, newer;

	*part = (struct part){ 0, is->size };
	if (!str_is_none(asked->if_match)) {
		if (!list_has(asked->if_match, is->etag, true))
			return 412;
	} else if (is_newer(is, asked->if_unmodified_since, &known)) {
		return 412;
	}
	if (!str_is_none(asked->if_none_match)) {
		if (list_has(asked->if_none_match, is->etag, false))
			return 304;
	} else {
		newer = is_newer(is, asked->if_modified_since, &known);
		if (known && !newer)
			return 304;
	}
	if (str_is_none(asked->range) ||
	    !range_is_of_this(asked->if_range, is))
		return 200;
	return read_range(asked->range, is->size, part);
}
