#include "gateway/ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BEGIN	  "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
#define PARAMS(n) "\1\4\0\1\0" n "\0\0"
#define END	  PARAMS("\0")

/* A string literal with NULs in it. */
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *label, *p;
	size_t n;
	enum ahead_state state;
} cases[] = {
	{ "no parameters", BYTES(BEGIN END), AHEAD_WHOLE },
	{ "one pair", BYTES(BEGIN PARAMS("\4") "\1\1ab" END), AHEAD_WHOLE },
	{ "empty name and value", BYTES(BEGIN PARAMS("\2") "\0\0" END),
	    AHEAD_WHOLE },
	{ "across records",
	    BYTES(BEGIN PARAMS("\1") "\1" PARAMS("\2") "\2a" PARAMS(
		"\2") "bc" END),
	    AHEAD_WHOLE },
	{ "a long length across records",
	    BYTES(BEGIN PARAMS("\3") "\0\200\0" PARAMS("\3") "\0\1x" END),
	    AHEAD_WHOLE },
	{ "padding",
	    BYTES(BEGIN "\1\4\0\1\0\3\5\0\1\1aPADDI"
			"\1\4\0\1\0\1\2\0bPA"
			"\1\4\0\1\0\0\3\0PAD"),
	    AHEAD_WHOLE },
	{ "the input behind it is not looked at",
	    BYTES(BEGIN END "\1\5\0\1\0\0\0\0nonsense"), AHEAD_WHOLE },
	{ "a name longer than all", BYTES(BEGIN PARAMS("\4") "\3\0ab" END),
	    AHEAD_BAD },
	{ "a value longer than all", BYTES(BEGIN PARAMS("\4") "\1\2ab" END),
	    AHEAD_BAD },
	{ "lengths whose sum overflows",
	    BYTES(BEGIN PARAMS("\10") "\377\377\377\377\377\377\377\377" END),
	    AHEAD_BAD },
	{ "a length that is cut off", BYTES(BEGIN PARAMS("\2") "\200\0" END),
	    AHEAD_BAD },
	{ "a name without the value's length",
	    BYTES(BEGIN PARAMS("\1") "\0" END), AHEAD_BAD },
	{ "no beginning", BYTES(PARAMS("\2") "\0\0" END), AHEAD_BAD },
	{ "two beginnings", BYTES(BEGIN BEGIN END), AHEAD_BAD },
	{ "parameters of another id", BYTES(BEGIN "\1\4\0\2\0\0\0\0"),
	    AHEAD_BAD },
	{ "a management record first", BYTES("\1\11\0\0\0\0\0\0" BEGIN END),
	    AHEAD_BAD },
	{ "a management record within", BYTES(BEGIN "\1\11\0\0\0\0\0\0" END),
	    AHEAD_BAD },
	{ "input before the end", BYTES(BEGIN "\1\5\0\1\0\0\0\0" END),
	    AHEAD_BAD },
	{ "abort", BYTES(BEGIN "\1\2\0\1\0\0\0\0"), AHEAD_BAD },
	{ "an unknown type", BYTES(BEGIN "\1\143\0\1\0\0\0\0" END), AHEAD_BAD },
	{ "another version", BYTES("\2\1\0\1\0\10\0\0"), AHEAD_BAD },
	{ "a short beginning", BYTES("\1\1\0\1\0\1\0\0\0"), AHEAD_BAD },
	{ "HTTP", BYTES("GET / HTTP/1.1\r\n\r\n"), AHEAD_BAD },
	{ "nothing", BYTES(""), AHEAD_MORE },
};

/* DK-F-04 */
static void
knows_the_head_of_a_request(void **state)
{
	size_t i, need;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ahead_judge((const unsigned char *)cases[i].p, cases[i].n,
			&need) != cases[i].state)
			fail_msg("%s", cases[i].label);
}

static void
asks_for_what_is_missing_and_not_for_more(void **state)
{
	static const char head[] =
	    BEGIN PARAMS("\3") "\1\1a" PARAMS("\1") "b" END;
	const size_t whole = sizeof(head) - 1;
	size_t n, need;

	(void)state;
	for (n = 0; n < whole; n++) {
		assert_int_equal(
		    ahead_judge((const unsigned char *)head, n, &need),
		    AHEAD_MORE);
		assert_true(need > n && need <= whole);
	}
	assert_int_equal(ahead_judge((const unsigned char *)head, whole, &need),
	    AHEAD_WHOLE);
	assert_int_equal(need, whole);
}

/* What the peer has sent before it closed, or left open. */
static bool
sound_when_sent(const void *p, size_t n, bool closes)
{
	struct arena arena;
	unsigned char left[64];
	int fd[2];
	bool sound;

	assert_int_equal(arena_open(&arena, 2 * AHEAD_MAX), DK_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(write(fd[1], p, n), n);
	if (closes)
		assert_int_equal(shutdown(fd[1], SHUT_WR), 0);
	sound = ahead_is_sound(fd[0], &arena);
	/* Nothing was taken. */
	if (n > 0)
		assert_int_equal(read(fd[0], left, sizeof(left)),
		    n < sizeof(left) ? n : sizeof(left));
	(void)close(fd[0]);
	(void)close(fd[1]);
	arena_close(&arena);
	return sound;
}

static void
looks_without_taking(void **state)
{
	static unsigned char large[AHEAD_MAX + 4096];
	const size_t piece = 40000, head = 8;
	size_t at = 16, i;

	(void)state;
	assert_true(sound_when_sent(BEGIN END, 24, false));
	assert_false(sound_when_sent(BEGIN "\1\4\0\1", 20, true));
	assert_false(sound_when_sent("", 0, true));
	assert_false(sound_when_sent(BEGIN BEGIN, 32, false));
	/* Larger than the first look: one pair in three records. */
	memcpy(large, BEGIN, at);
	for (i = 0; i < 3; i++) {
		memcpy(large + at, "\1\4\0\1", 4);
		large[at + 4] = (unsigned char)(piece >> 8);
		large[at + 5] = (unsigned char)(piece & 0xff);
		at += head + piece;
	}
	memcpy(large + 16 + head, "\1\200\1\324\272a", 6);
	memcpy(large + at, END, head);
	assert_true(sound_when_sent(large, at + head, false));
	/* One byte less within the pair, one more behind it. */
	large[16 + head + 4]--;
	assert_false(sound_when_sent(large, at + head, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_head_of_a_request),
		cmocka_unit_test(asks_for_what_is_missing_and_not_for_more),
		cmocka_unit_test(looks_without_taking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
