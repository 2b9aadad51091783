/*
 * Bodies of JSON requests.  What is read is bounded text that is read the
 * same again when it is printed; an object that is taken ends with its
 * brace, and nothing but white space may follow.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "http/json.h"

enum { MEMBERS = 3, INPUT_MAX = 16 * 1024, ARENA_SIZE = 512 * 1024 };

static const struct json_member wanted[MEMBERS] = {
	{ .name = "username", .type = JSON_STRING_MEMBER, .max = 64 },
	{ .name = "password", .type = JSON_STRING_MEMBER, .max = 1024 },
	{ .name = "remember", .type = JSON_BOOL_MEMBER },
};

static enum dk_err
read_json(struct str text, struct json_member m[MEMBERS], struct arena *arena)
{
	const char *problem;
	enum dk_err err;

	memcpy(m, wanted, sizeof(wanted));
	m[0].text = STR("of an earlier reading");
	m[2].flag = true;
	err = json_read(text, m, MEMBERS, arena, &problem);
	if ((err == DK_OK) != (problem == NULL))
		abort();
	return err;
}

static void
check_values(const struct json_member *m)
{
	size_t i;

	for (i = 0; i < MEMBERS; i++) {
		if (m[i].flag && m[i].type != JSON_BOOL_MEMBER)
			abort();
		if (str_is_none(m[i].text))
			continue;
		if (m[i].type != JSON_STRING_MEMBER || m[i].text.n > m[i].max ||
		    !str_is_utf8(m[i].text) || str_contains(m[i].text, '\0') ||
		    m[i].text.p[m[i].text.n] != '\0')
			abort();
	}
}

static void
check_same(const struct json_member *a, const struct json_member *b)
{
	size_t i;

	for (i = 0; i < MEMBERS; i++)
		if (!str_eq(a[i].text, b[i].text) ||
		    str_is_none(a[i].text) != str_is_none(b[i].text) ||
		    a[i].flag != b[i].flag)
			abort();
}

static void
check_printed(const struct json_member *m, struct arena *arena)
{
	struct buf text = arena_buf(arena, 8 * INPUT_MAX);
	struct json_member again[MEMBERS];
	size_t i;

	buf_addf(&text, "{\"remember\":%s", m[2].flag ? "true" : "false");
	for (i = 0; i < 2; i++) {
		if (str_is_none(m[i].text))
			continue;
		buf_addf(&text, ",\"%s\":", m[i].name);
		buf_add_json(&text, m[i].text);
	}
	buf_addc(&text, '}');
	if (!buf_ok(&text) || read_json(buf_str(&text), again, arena) != DK_OK)
		abort();
	check_same(m, again);
}

/* With white space behind it, with more than that, and cut off. */
static void
check_end(struct str text, const struct json_member *m, struct arena *arena)
{
	struct buf longer = arena_buf(arena, text.n + 3);
	struct json_member again[MEMBERS];

	buf_add(&longer, text);
	buf_addz(&longer, " \n");
	if (read_json(buf_str(&longer), again, arena) != DK_OK)
		abort();
	check_same(m, again);
	buf_addc(&longer, '}');
	if (read_json(buf_str(&longer), again, arena) != DK_ERR_INPUT)
		abort();
	while (text.n > 0 && text.p[text.n - 1] != '}')
		text.n--;
	if (text.n == 0)
		abort();
	text.n--;
	if (read_json(text, again, arena) != DK_ERR_INPUT)
		abort();
}

/* Once more what was given already, whatever it is: the braces are cut. */
static void
check_twice(struct str text, const struct json_member *m, struct arena *arena)
{
	struct json_member again[MEMBERS];
	struct buf longer;
	size_t i;

	while (text.n > 0 && text.p[text.n - 1] != '}')
		text.n--;
	for (i = 0; i < MEMBERS; i++) {
		if (str_is_none(m[i].text) && !m[i].flag)
			continue;
		longer = arena_buf(arena, text.n + 32);
		buf_add(&longer, str_sub(text, 0, text.n - 1));
		buf_addf(&longer, ",\"%s\":null}", m[i].name);
		if (read_json(buf_str(&longer), again, arena) != DK_ERR_INPUT)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct json_member m[MEMBERS];
	struct arena arena;

	if (size > INPUT_MAX || arena_open(&arena, ARENA_SIZE) != DK_OK)
		return 0;
	if (read_json(text, m, &arena) == DK_OK) {
		check_values(m);
		check_printed(m, &arena);
		check_end(text, m, &arena);
		check_twice(text, m, &arena);
	}
	arena_close(&arena);
	return 0;
}
