/*
 * Cookie lines, one to a line of the input.  The value lies inside of one of
 * them; neither their order nor how a server joins them decides anything; a
 * second value is always seen.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/arena.h"
#include "http/cookie.h"

enum { LINES = 8, INPUT_MAX = 16 * 1024, ARENA_SIZE = 256 * 1024 };

static const struct str name = { "sid", 3 };

static void
check_inside(const struct str *lines, size_t n, struct str value)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (value.p >= lines[i].p &&
		    value.p + value.n <= lines[i].p + lines[i].n)
			return;
	abort();
}

static void
check_gives(const struct str *lines, size_t n, enum cookie_found found,
    struct str value)
{
	struct str got;

	if (cookie_get(lines, n, name, &got) != found || !str_eq(got, value) ||
	    str_is_none(got) != str_is_none(value))
		abort();
}

/* Text that holds our value plainly is seen beside whatever came before. */
static void
check_one_more(struct str *lines, size_t n, enum cookie_found found,
    struct str value, struct arena *arena)
{
	struct str other = STR("sid=planted");
	struct buf again = arena_buf(arena, INPUT_MAX + 4);

	lines[n] = STR("SID=x; sidx=x, xsid=x; sid; =sid=x; s=id=x; sid\1=x");
	check_gives(lines, n + 1, found, value);
	lines[n] = other;
	if (found == COOKIE_ABSENT) {
		check_gives(lines, n + 1, COOKIE_ONE, STR("planted"));
		return;
	}
	if (found == COOKIE_CONFLICT || !str_eq(value, STR("planted")))
		check_gives(lines, n + 1, COOKIE_CONFLICT, STR_NONE);
	if (found == COOKIE_CONFLICT)
		return;
	buf_addf(&again, "%.*s=%.*s", STR_FMT(name), STR_FMT(value));
	/* STR_FMT ends at a NUL; the value may hold one. */
	if (again.len != name.n + 1 + value.n)
		return;
	lines[n] = buf_str(&again);
	check_gives(lines, n + 1, COOKIE_ONE, value);
}

static struct str
joined(const struct str *lines, size_t n, const char *by, struct arena *arena)
{
	struct buf out = arena_buf(arena, INPUT_MAX + 2 * LINES);
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addz(&out, by);
		buf_add(&out, lines[i]);
	}
	return buf_str(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct str lines[LINES + 1], turned[LINES], one, value;
	enum cookie_found found;
	struct arena arena;
	size_t n = 0, i;

	if (size > INPUT_MAX || arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	while (n < LINES && str_cut(&text, '\n', &lines[n]))
		n++;
	found = cookie_get(lines, n, name, &value);
	if ((found == COOKIE_ONE) != !str_is_none(value))
		abort();
	if (found == COOKIE_ONE)
		check_inside(lines, n, value);
	for (i = 0; i < n; i++)
		turned[i] = lines[n - 1 - i];
	check_gives(turned, n, found, value);
	one = joined(lines, n, "; ", &arena);
	check_gives(&one, 1, found, value);
	one = joined(lines, n, ", ", &arena);
	check_gives(&one, 1, found, value);
	check_one_more(lines, n, found, value, &arena);
	arena_close(&arena);
	return 0;
}
