/*
 * Lines of a request, one header each in the order of struct conditional, the
 * last one the size: whatever they say, what is sent lies within the file, a
 * part is never empty, and dates that are read come out the same again.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/clock.h"
#include "http/conditional.h"
#include "http/media_type.h"

enum { INPUT_MAX = 16 * 1024, LINES = 8 };

static void
try_date(struct str text)
{
	char again[CLOCK_HTTP_LEN + 1];
	int64_t ms, ms_again;

	if (!clock_parse_http(text, &ms)) {
		if (ms != 0)
			abort();
		return;
	}
	clock_http(ms, again);
	if (ms < 0 || ms % 1000 != 0 ||
	    !clock_parse_http(str_from(again), &ms_again) || ms_again != ms)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, line[LINES];
	struct representation is = { .etag = STR("\"5-1a\""),
		.modified_s = 784111777 };
	struct conditional asked;
	struct part part;
	unsigned status;
	size_t i;

	if (size > INPUT_MAX)
		return 0;
	for (i = 0; i < LINES; i++) {
		if (!str_cut(&rest, '\n', &line[i]) || line[i].n == 0)
			line[i] = STR_NONE;
		try_date(line[i]);
		(void)media_type_of_name(line[i]);
		(void)media_type_is_script(line[i]);
	}
	asked = (struct conditional){ .if_match = line[0],
		.if_none_match = line[1],
		.if_modified_since = line[2],
		.if_unmodified_since = line[3],
		.if_range = line[4],
		.range = line[5] };
	if (!str_to_u64(line[6], UINT64_MAX, &is.size))
		is.size = 10000;
	if (!str_is_none(line[7]))
		is.etag = line[7];
	status = conditional_judge(&asked, &is, &part);
	if (part.from > is.size || part.n > is.size - part.from)
		abort();
	if (status == 206 && (part.n == 0 || str_is_none(asked.range)))
		abort();
	if (status != 206 && (part.from != 0 || part.n != is.size))
		abort();
	if (status != 200 && status != 206 && status != 304 &&
	    status != 412 && status != 416)
		abort();
	return 0;
}
