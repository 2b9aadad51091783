/*
 * Bodies of forms and query strings.  What is read is bounded text that is
 * read the same again when it is printed; the order of the pairs decides
 * nothing; a field that came once cannot come again.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "http/form.h"

enum { FIELDS = 4, INPUT_MAX = 16 * 1024, ARENA_SIZE = 512 * 1024 };

static const struct form_field wanted[FIELDS] = {
	{ .name = "username", .max = 64 },
	{ .name = "password", .max = 1024 },
	{ .name = "next", .max = 2048 },
	{ .name = "a", .max = 3 },
};

static enum dk_err
read_form(struct str text, struct form_field f[FIELDS], struct arena *arena)
{
	const char *problem;
	enum dk_err err;
	size_t which;

	memcpy(f, wanted, sizeof(wanted));
	f[FIELDS - 1].value = STR("of an earlier reading");
	err = form_read(text, f, FIELDS, arena, &problem, &which);
	if ((err == DK_OK) != (problem == NULL) || which > FIELDS ||
	    (err == DK_OK && which != FIELDS))
		abort();
	return err;
}

static void
check_same(const struct form_field *a, const struct form_field *b)
{
	size_t i;

	for (i = 0; i < FIELDS; i++)
		if (!str_eq(a[i].value, b[i].value) ||
		    str_is_none(a[i].value) != str_is_none(b[i].value))
			abort();
}

static void
check_values(const struct form_field *f)
{
	size_t i;

	for (i = 0; i < FIELDS; i++) {
		if (str_is_none(f[i].value))
			continue;
		if (f[i].value.n > f[i].max || !str_is_utf8(f[i].value) ||
		    str_contains(f[i].value, '\0') ||
		    f[i].value.p[f[i].value.n] != '\0')
			abort();
	}
}

/* Print what was read, and read it again; then once more with a field twice. */
static void
check_printed(const struct form_field *f, struct arena *arena)
{
	struct buf text = arena_buf(arena, 4 * INPUT_MAX);
	struct form_field again[FIELDS];
	size_t i, present = FIELDS;

	for (i = 0; i < FIELDS; i++) {
		if (str_is_none(f[i].value))
			continue;
		present = i;
		buf_addf(&text, "%s=", f[i].name);
		buf_add_percent(&text, f[i].value);
		buf_addc(&text, '&');
	}
	if (!buf_ok(&text) || read_form(buf_str(&text), again, arena) != DK_OK)
		abort();
	check_same(f, again);
	if (present == FIELDS)
		return;
	buf_addz(&text, f[present].name);
	if (read_form(buf_str(&text), again, arena) != DK_ERR_INPUT)
		abort();
}

/* Pairs with names that are nearly ours are skipped unread. */
static void
check_near_misses(
    struct str text, const struct form_field *f, struct arena *arena)
{
	struct buf longer = arena_buf(arena, INPUT_MAX + 64);
	struct form_field again[FIELDS];
	enum dk_err err;

	buf_add(&longer, text);
	buf_addz(&longer, "&usernam=%zz&usernamea=%00&A=%ff&%=&a%00=&aa");
	err = read_form(buf_str(&longer), again, arena);
	if (err == DK_ERR_TOO_LARGE) /* too many pairs */
		return;
	if (err != DK_OK)
		abort();
	check_same(f, again);
}

/* The pairs of text, the last one first. */
static struct str
turned_round(struct str text, struct arena *arena)
{
	struct buf out = arena_buf(arena, text.n + 1);
	size_t end = text.n, i;

	for (i = text.n; i > 0; i--) {
		if (text.p[i - 1] != '&')
			continue;
		buf_add(&out, str_sub(text, i, end - i));
		buf_addc(&out, '&');
		end = i - 1;
	}
	buf_add(&out, str_sub(text, 0, end));
	return buf_str(&out);
}

static void
check_decoding(struct str text, struct arena *arena)
{
	struct buf printed = arena_buf(arena, 3 * INPUT_MAX);
	struct str out;

	buf_add_percent(&printed, text);
	if (form_decode(buf_str(&printed), arena, &out) != DK_OK ||
	    !str_eq(out, text))
		abort();
	if (form_decode(text, arena, &out) == DK_OK ? out.n > text.n
						    : !str_is_none(out))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct form_field f[FIELDS], turned[FIELDS];
	struct arena arena;

	if (size > INPUT_MAX || arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	if (read_form(text, f, &arena) == DK_OK) {
		check_values(f);
		check_printed(f, &arena);
		check_near_misses(text, f, &arena);
		if (read_form(turned_round(text, &arena), turned, &arena) !=
		    DK_OK)
			abort();
		check_same(f, turned);
	} else if (read_form(turned_round(text, &arena), turned, &arena) ==
	    DK_OK) {
		abort();
	}
	check_decoding(text, &arena);
	arena_close(&arena);
	return 0;
}
