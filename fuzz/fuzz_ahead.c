/*
 * The head of a FastCGI request.  What is whole is whole up to its own end,
 * every beginning of it is "more" and asks for no more than there is to come,
 * and what is bad once stays bad.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "gateway/ahead.h"

enum { INPUT_MAX = 64 * 1024, CUTS = 64 };

static void
check_beginnings(const unsigned char *p, size_t whole)
{
	size_t need, step = whole / CUTS + 1, n;

	for (n = 0; n < whole; n += step)
		if (ahead_judge(p, n, &need) != AHEAD_MORE || need <= n ||
		    need > whole)
			abort();
	if (ahead_judge(p, whole, &need) != AHEAD_WHOLE || need != whole)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ahead_state state;
	size_t need, n;

	if (size > INPUT_MAX)
		return 0;
	state = ahead_judge(data, size, &need);
	if (state == AHEAD_MORE && need <= size)
		abort();
	if (state == AHEAD_WHOLE) {
		if (need > size)
			abort();
		check_beginnings(data, need);
	}
	for (n = 0; n < size && state != AHEAD_BAD; n += size / CUTS + 1)
		if (ahead_judge(data, n, &need) == AHEAD_BAD)
			abort();
	return 0;
}
