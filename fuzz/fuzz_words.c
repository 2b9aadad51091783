/*
 * Message files of a site, and Accept-Language.  The first line is the header,
 * the rest the file of a language "xx".  What is chosen is one of ours; what
 * is read can be said, for every message and any number.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "words/words.h"

enum { ARENA = 4 * 1024 * 1024 };

static bool
any_value(const void *arg, struct str name, struct str *value)
{
	(void)name;
	*value = *(const struct str *)arg;
	return true;
}

static void
say_everything(const struct language *l)
{
	static const struct str numbers[] = { { "0", 1 }, { "1", 1 },
		{ "2", 1 }, { "5", 1 }, { "11", 2 }, { "\xd7\x90", 2 } };
	static char storage[8 * 1024];
	struct buf out;
	size_t m, i;

	for (m = MSG_NONE + 1; m < MSG_COUNT; m++)
		for (i = 0; i < 6; i++) {
			BUF_OVER(&out, storage);
			if (!words_add(l, (enum msg)m, any_value, &numbers[i],
				buf_add_html, &out) ||
			    out.len == 0 || strchr(storage, '<') != NULL)
				abort();
		}
	BUF_OVER(&out, storage);
	words_time(l, INT64_C(1795580000000), &out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct words w;
	static char line[1024];
	struct str header, file, input = { (const char *)data, size };
	const struct language *l;
	struct buf message;

	if (size > WORDS_FILE_MAX)
		return 0;
	BUF_OVER(&message, line);
	if (words_open(&w, STR_NONE, &message) != DK_OK ||
	    (w.arena.block == NULL && arena_open(&w.arena, ARENA) != DK_OK))
		abort();
	(void)str_split(input, '\n', &header, &file);
	l = words_choose(&w, header);
	if (l != NULL && words_find(&w, str_from(l->code)) != l)
		abort();
	if (words_read(&w, STR("f"), STR("xx"), file, &message) == DK_OK)
		say_everything(words_find(&w, STR("xx")));
	else if (message.len < 5 || strchr(line, '\n') != NULL)
		abort();
	words_close(&w);
	return 0;
}
