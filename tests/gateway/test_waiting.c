/* Who is served next: silent, kept and waiting connections, and signals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/waiting.h"

struct stand {
	int listener;
	struct sockaddr_un address; /* abstract: in no file system */
	socklen_t address_len;
	struct waiting w;
};

static int
stand_open(void **state)
{
	static unsigned count;
	struct stand *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->address.sun_family = AF_UNIX;
	s->address_len = (socklen_t)(sizeof(sa_family_t) + 1 +
	    (size_t)snprintf(s->address.sun_path + 1, 40, "dk-test-%ld-%u",
		(long)getpid(), count++));
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener,
			     (const struct sockaddr *)&s->address,
			     s->address_len),
	    0);
	assert_int_equal(listen(s->listener, 64), 0);
	assert_int_equal(
	    waiting_open(&s->w, s->listener, STR_NONE), DK_OK);
	*state = s;
	return 0;
}

static int
stand_close(void **state)
{
	struct stand *s = *state;

	waiting_close(&s->w);
	(void)close(s->listener);
	free(s);
	return 0;
}

static int
call(struct stand *s)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&s->address,
			     s->address_len),
	    0);
	return fd;
}

static void
say(int fd, const char *word)
{
	assert_int_equal(
	    send(fd, word, strlen(word), MSG_NOSIGNAL), strlen(word));
}

/* The next one that is handed out has said this. */
static int
expect(struct stand *s, const char *word, bool crowded)
{
	char text[32] = "";
	bool is_crowded;
	int fd;

	assert_int_equal(waiting_next(&s->w, &fd, &is_crowded), DK_OK);
	assert_true(fd >= 0);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), strlen(word));
	assert_string_equal(text, word);
	assert_int_equal(is_crowded, crowded);
	return fd;
}

static bool
is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void
who_talks_is_served_before_who_is_silent(void **state)
{
	struct stand *s = *state;
	int silent = call(s), talks = call(s), fd;

	say(talks, "first");
	fd = expect(s, "first", false);
	(void)close(fd);
	say(silent, "second");
	fd = expect(s, "second", false);
	(void)close(fd);
	(void)close(silent);
	(void)close(talks);
}

static void
a_kept_connection_brings_the_next_request(void **state)
{
	struct stand *s = *state;
	int peer = call(s), fd;

	say(peer, "one");
	fd = expect(s, "one", false);
	waiting_keep(&s->w, fd);
	say(peer, "two");
	fd = expect(s, "two", false);
	waiting_keep(&s->w, fd);
	say(peer, "three");
	fd = expect(s, "three", false);
	(void)close(fd);
	(void)close(peer);
}

/* DK-F-09: it would starve those who wait. */
static void
an_idle_kept_connection_gives_way(void **state)
{
	struct stand *s = *state;
	int kept = call(s), other, fd;

	say(kept, "kept");
	fd = expect(s, "kept", false);
	waiting_keep(&s->w, fd);
	other = call(s);
	say(other, "other");
	fd = expect(s, "other", false);
	assert_true(is_closed(kept));
	(void)close(fd);
	(void)close(other);
	(void)close(kept);
}

static void
a_busy_kept_connection_hears_that_others_wait(void **state)
{
	struct stand *s = *state;
	int kept = call(s), other, fd;

	say(kept, "one");
	fd = expect(s, "one", false);
	waiting_keep(&s->w, fd);
	other = call(s);
	say(other, "other");
	say(kept, "two");
	fd = expect(s, "two", true);
	(void)close(fd);
	fd = expect(s, "other", false);
	(void)close(fd);
	(void)close(other);
	(void)close(kept);
}

static void
of_too_many_silent_ones_the_oldest_goes(void **state)
{
	struct stand *s = *state;
	int silent[WAITING_SILENT_MAX + 1], talks, fd, i;

	for (i = 0; i <= WAITING_SILENT_MAX; i++)
		silent[i] = call(s);
	talks = call(s);
	say(talks, "here");
	fd = expect(s, "here", false);
	(void)close(fd);
	assert_true(is_closed(silent[0]));
	assert_false(is_closed(silent[1]));
	/* The others are still heard. */
	say(silent[WAITING_SILENT_MAX], "late");
	fd = expect(s, "late", false);
	(void)close(fd);
	(void)close(talks);
	for (i = 0; i <= WAITING_SILENT_MAX; i++)
		(void)close(silent[i]);
}

static void
a_peer_that_hangs_up_is_handed_out_too(void **state)
{
	struct stand *s = *state;
	bool crowded;
	int silent = call(s), talks = call(s), fd;

	say(talks, "here");
	fd = expect(s, "here", false);
	(void)close(fd);
	/* Its end is read like bytes. */
	(void)close(silent);
	assert_int_equal(waiting_next(&s->w, &fd, &crowded), DK_OK);
	assert_true(fd >= 0 && is_closed(fd));
	(void)close(fd);
	(void)close(talks);
}

/* DK-F-06 */
static void
what_has_come_is_answered_before_a_signal_stops_it(void **state)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGUSR1 };
	struct stand *s = *state;
	bool crowded;
	size_t i;

	for (i = 0; i < 3; i++) {
		int peer = call(s), fd;

		say(peer, "one");
		fd = expect(s, "one", false);
		waiting_keep(&s->w, fd);
		say(peer, "two");
		assert_int_equal(raise(stops[i]), 0);
		fd = expect(s, "two", true);
		(void)close(fd);
		(void)close(peer);
		assert_int_equal(waiting_next(&s->w, &fd, &crowded), DK_OK);
		assert_int_equal(fd, -1);
		/* Told once more each time it is asked, until it is read. */
		waiting_close(&s->w);
		assert_int_equal(
		    waiting_open(&s->w, s->listener, STR_NONE), DK_OK);
		{
			const struct timespec now = { 0, 0 };
			sigset_t set;

			(void)sigemptyset(&set);
			(void)sigaddset(&set, stops[i]);
			assert_int_equal(
			    sigtimedwait(&set, NULL, &now), stops[i]);
		}
	}
}

static int
tcp_listener(struct sockaddr_in *in)
{
	socklen_t len = sizeof(*in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*in = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	assert_true(fd >= 0);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)in, sizeof(*in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)in, &len), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* FCGI_WEB_SERVER_ADDRS (FastCGI 3.2): DK-F-10. */
static void
over_tcp_only_the_named_peers_are_heard(void **state)
{
	static const struct {
		const char *peers;
		bool heard;
	} rows[] = { { "", true }, { "127.0.0.1", true },
		{ "192.0.2.1, 127.0.0.0/8", true }, { "192.0.2.1", false },
		{ "::1", false } };
	struct stand *s = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_in in;
		bool crowded;
		int listener = tcp_listener(&in), fd;
		int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		waiting_close(&s->w);
		assert_int_equal(waiting_open(&s->w, listener,
				     str_from(rows[i].peers)),
		    DK_OK);
		assert_int_equal(connect(peer, (const struct sockaddr *)&in,
				     sizeof(in)),
		    0);
		say(peer, "hello");
		/* So that it ends where nobody is heard. */
		if (!rows[i].heard) {
			assert_int_equal(shutdown(listener, SHUT_RD), 0);
			while (waiting_next(&s->w, &fd, &crowded) == DK_OK)
				assert_int_equal(fd, -1);
		} else {
			fd = expect(s, "hello", false);
			(void)close(fd);
		}
		(void)close(peer);
		(void)close(listener);
	}
}

static void
a_list_of_peers_that_is_none_is_refused(void **state)
{
	struct stand *s = *state;

	waiting_close(&s->w);
	assert_int_equal(
	    waiting_open(&s->w, s->listener, STR("127.0.0.1,localhost")),
	    DK_ERR_CONF);
	assert_int_equal(
	    waiting_open(&s->w, s->listener, STR("127.0.0.1,")),
	    DK_ERR_CONF);
	assert_int_equal(waiting_open(&s->w, -1, STR_NONE), DK_ERR_IO);
	assert_int_equal(
	    waiting_open(&s->w, s->listener, STR_NONE), DK_OK);
}

#define STAND_TEST(f) \
	cmocka_unit_test_setup_teardown(f, stand_open, stand_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(who_talks_is_served_before_who_is_silent),
		STAND_TEST(a_kept_connection_brings_the_next_request),
		STAND_TEST(an_idle_kept_connection_gives_way),
		STAND_TEST(a_busy_kept_connection_hears_that_others_wait),
		STAND_TEST(of_too_many_silent_ones_the_oldest_goes),
		STAND_TEST(a_peer_that_hangs_up_is_handed_out_too),
		STAND_TEST(what_has_come_is_answered_before_a_signal_stops_it),
		STAND_TEST(over_tcp_only_the_named_peers_are_heard),
		STAND_TEST(a_list_of_peers_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
