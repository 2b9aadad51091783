/*
 * Configurations of web servers with Basic authentication.  A refusal has a
 * place and a reason; what is accepted guards at least one path, each path
 * and line is one of the text, and the longer paths come first.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "ctl/adopt.h"

enum { INPUT_MAX = 64 * 1024 };

static void
need(bool holds)
{
	if (!holds)
		abort();
}

static void
check(const struct adopt *a, unsigned lines)
{
	bool guards = false;
	size_t i;

	need(a->n_areas > 0 && a->n_areas <= ADOPT_AREAS_MAX);
	need(str_starts(a->users_file, STR("/")));
	for (i = 0; i < a->n_areas; i++) {
		const struct adopt_area *area = &a->areas[i];

		need(str_starts(area->path, STR("/")));
		need(area->line > 0 && area->line <= lines && area->odd == 0);
		need(area->n_names <= ADOPT_NAMES_MAX);
		guards = guards || area->any || area->n_names > 0;
	}
	need(guards);
	for (i = 0; i < a->n_spans; i++)
		need(a->spans[i].from > 0 && a->spans[i].to <= lines &&
		    a->spans[i].from <= a->spans[i].to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct adopt a;
	struct str text = { (const char *)data, size }, rest = text, line;
	char storage[1024];
	struct buf message;
	unsigned lines = 0;

	if (size > INPUT_MAX)
		return 0;
	while (str_cut(&rest, '\n', &line))
		lines++;
	BUF_OVER(&message, storage);
	if (adopt_read(&a, STR("f"), text, STR("/srv"), STR("/srv/x"),
		&message) == DK_OK)
		check(&a, lines);
	else
		need(buf_ok(&message) && message.len > 10);
	return 0;
}
