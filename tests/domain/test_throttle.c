#include "fixture.h"

#include "domain/throttle.h"
#include "store/throttle.h"

#define SECOND INT64_C(1000)
#define DAY    (24 * HOUR)

/* Who guesses: source n is an IPv4 address of its own. */
static struct ip_addr
source(int n)
{
	struct ip_addr addr = { .byte = { [10] = 0xff, [11] = 0xff } };

	addr.byte[12] = 10;
	addr.byte[13] = (unsigned char)(n >> 16);
	addr.byte[14] = (unsigned char)(n >> 8);
	addr.byte[15] = (unsigned char)n;
	return addr;
}

/* One guess; the wait, 0 when it may be checked. */
static int64_t
guess_as(struct stand *s, const struct throttle_guess *guess, int64_t now_ms,
    struct throttle_ticket *ticket)
{
	int64_t wait_ms = -1;

	assert_int_equal(
	    throttle_count_guess(&s->dom, guess, now_ms, ticket, &wait_ms),
	    DK_OK);
	assert_true(wait_ms >= 0);
	return wait_ms;
}

static int64_t
guess(struct stand *s, int from, const char *name, int64_t now_ms,
    struct throttle_ticket *ticket)
{
	const struct ip_addr addr = source(from);
	const struct throttle_guess g = {
		.name = str_from(name), .addr = &addr, .factor = "password"
	};

	return guess_as(s, &g, now_ms, ticket);
}

static int64_t
try(struct stand *s, int from, const char *name, int64_t now_ms)
{
	struct throttle_ticket ticket;

	return guess(s, from, name, now_ms, &ticket);
}

static void
try_times(struct stand *s, int n, int from, const char *name, int64_t now_ms)
{
	int i;

	for (i = 0; i < n; i++)
		assert_true(try(s, from, name, now_ms) == 0);
}

static int64_t
counters(struct stand *s)
{
	return stand_sql(s, "SELECT count(*) FROM throttle");
}

static int64_t
guesses_in_all(struct stand *s)
{
	return stand_sql(s, "SELECT max(failures) FROM throttle");
}

/* The wait is `wait` to the millisecond, and then it is over. */
static int64_t
wait_out(struct stand *s, int from, const char *name, int64_t now, int64_t wait)
{
	assert_true(try(s, from, name, now) == wait);
	assert_true(try(s, from, name, now + wait - 1) == 1);
	assert_true(try(s, from, name, now + wait) == 0);
	return now + wait;
}

/* DK-T-01, DK-T-12: the numbers of the manual. */
static void
a_pair_waits_longer_and_longer(void **state)
{
	struct stand *s = *state;
	int64_t now = NOW, wait;

	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", now);
	for (wait = 2; wait < THROTTLE_PAIR_CAP_S; wait *= 2)
		now = wait_out(s, 1, "alice", now, wait * SECOND);
	now = wait_out(s, 1, "alice", now, THROTTLE_PAIR_CAP_S * SECOND);
	(void)wait_out(s, 1, "alice", now, THROTTLE_PAIR_CAP_S * SECOND);
}

/* DK-T-01, DK-T-12: from a new address each time. */
static void
an_account_waits_longer_and_longer(void **state)
{
	struct stand *s = *state;
	int64_t now = NOW, wait;
	int from = 0;

	while (from < THROTTLE_ACCOUNT_FREE)
		try_times(s, 1, from++, "alice", now);
	for (wait = 1; wait < THROTTLE_ACCOUNT_CAP_S; wait *= 2)
		now = wait_out(s, from++, "alice", now, wait * SECOND);
	now =
	    wait_out(s, from++, "alice", now, THROTTLE_ACCOUNT_CAP_S * SECOND);
	(void)wait_out(
	    s, from++, "alice", now, THROTTLE_ACCOUNT_CAP_S * SECOND);
	assert_true(try(s, from, "bob", now) == 0);
}

/* DK-T-02, DK-T-12: spraying, each name once. */
static void
a_source_has_a_burst_and_then_a_rate(void **state)
{
	struct stand *s = *state;
	char name[16];
	int64_t now = NOW;
	int i;

	for (i = 0; i < THROTTLE_SOURCE_BURST; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		try_times(s, 1, 1, name, now);
	}
	for (; i < THROTTLE_SOURCE_BURST + 5; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		now =
		    wait_out(s, 1, name, now, THROTTLE_SOURCE_EVERY_S * SECOND);
	}
	assert_true(try(s, 2, "user0", now) == 0);
	/* A rest gives the burst back, and no more than that. */
	now += 10 * DAY;
	for (i = 0; i < THROTTLE_SOURCE_BURST; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		try_times(s, 1, 1, name, now);
	}
	assert_true(try(s, 1, "another", now) > 0);
}

/* DK-T-03: hour after hour; the others come in at any time. */
static void
one_source_alone_makes_nobody_else_wait(void **state)
{
	struct stand *s = *state;
	struct throttle_ticket ticket;
	int64_t now = NOW, wait;
	int day = 0;

	for (; now < NOW + 7 * DAY; now += wait) {
		wait = try(s, 1, "alice", now);
		if (now < NOW + day * DAY)
			continue;
		day++;
		assert_true(guess(s, 2, "alice", now, &ticket) == 0);
		assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	}
}

/* DK-T-03: the owner's own sign-ins do not stop the account's forgetting. */
static void
an_owner_who_signs_in_often_waits_no_longer(void **state)
{
	struct stand *s = *state;
	struct throttle_ticket ticket;
	int64_t now = NOW, next = NOW;

	for (; now < NOW + 3 * DAY; now += HOUR / 4) {
		if (next <= now)
			next = now + try(s, 1, "alice", now);
		assert_true(guess(s, 2, "alice", now, &ticket) == 0);
		assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	}
}

/* DK-T-02 */
static void
sources_are_told_apart_by_what_is_theirs(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", false },
		{ "2001:db8:1:2::1", "2001:db8:1:2:0:ffff:c000:201", true },
		/* not IPv4, though it ends like it */
		{ "::c000:201", "192.0.2.1", false },
		{ "", "", true },
		{ "", "192.0.2.1", false },
		{ "", "::", false },
	};
	struct throttle_guess g = { .factor = "password" };
	struct throttle_ticket a, b;
	struct stand *s = *state;
	struct ip_addr addr;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		g.name = STR("alice");
		g.addr = ip_parse(str_from(cases[i].a), &addr) ? &addr : NULL;
		(void)guess_as(s, &g, NOW + (int64_t)i * 30 * DAY, &a);
		g.addr = ip_parse(str_from(cases[i].b), &addr) ? &addr : NULL;
		(void)guess_as(s, &g, NOW + (int64_t)i * 30 * DAY, &b);
		assert_memory_equal(&a.account, &b.account, BUCKET_LEN);
		if ((memcmp(&a.pair, &b.pair, BUCKET_LEN) == 0) !=
			cases[i].same ||
		    (memcmp(&a.source, &b.source, BUCKET_LEN) == 0) !=
			cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

/* DK-T-07: any bytes can be typed; a longer name does not cost more rows. */
static void
names_are_counted_as_one_whatever_their_case(void **state)
{
	static char longer[5000], much_longer[6000];
	const struct ip_addr addr = source(1);
	struct {
		struct str a, b;
		bool same;
	} cases[] = {
		{ STR("alice"), STR("ALICE"), true },
		{ STR("alice"), STR("alic"), false },
		{ STR("alice"), STR("alice "), false },
		{ STR("a\0b"), STR("a\0c"), false },
		{ STR("a\0b"), STR("a"), false },
		{ STR(""), STR(" "), false },
		{ STR("\xff\xfe"), STR("\xff\xff"), false },
		{ { longer, sizeof(longer) },
		    { much_longer, sizeof(much_longer) }, true },
		{ { longer, 255 }, { longer, 256 }, false },
	};
	struct throttle_guess g = { .addr = &addr, .factor = "password" };
	struct throttle_ticket a, b;
	struct stand *s = *state;
	size_t i;

	memset(longer, 'x', sizeof(longer));
	memset(much_longer, 'x', sizeof(much_longer));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		g.name = cases[i].a;
		(void)guess_as(s, &g, NOW + (int64_t)i * DAY, &a);
		g.name = cases[i].b;
		(void)guess_as(s, &g, NOW + (int64_t)i * DAY, &b);
		if ((memcmp(&a.account, &b.account, BUCKET_LEN) == 0) !=
			cases[i].same ||
		    (memcmp(&a.pair, &b.pair, BUCKET_LEN) == 0) !=
			cases[i].same)
			fail_msg("case %zu", i);
	}
}

/* DK-T-09: wrong passwords and wrong codes do not meet. */
static void
each_factor_has_a_counter_of_its_own(void **state)
{
	const struct ip_addr addr = source(1);
	const struct throttle_guess code = { .name = STR("alice"),
		.addr = &addr,
		.factor = "second",
		.account_only = true };
	struct throttle_ticket ticket;
	struct stand *s = *state;
	int i;

	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", NOW);
	assert_true(try(s, 1, "alice", NOW) > 0);
	for (i = 0; i < THROTTLE_PAIR_FREE; i++)
		assert_true(guess_as(s, &code, NOW, &ticket) == 0);
	assert_true(guess_as(s, &code, NOW, &ticket) > 0);
	/* Nor does a right password forgive a code. */
	assert_true(guess(s, 1, "alice", NOW + 2 * SECOND, &ticket) == 0);
	assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	assert_true(guess_as(s, &code, NOW + SECOND, &ticket) > 0);
}

/* Many people behind one proxy: the codes of one are not those of another. */
static void
codes_are_not_counted_on_the_source(void **state)
{
	struct throttle_guess code = { .factor = "second",
		.account_only = true };
	struct throttle_ticket ticket;
	struct stand *s = *state;
	char name[16];
	int i;

	for (i = 0; i < 4 * THROTTLE_SOURCE_BURST; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		code.name = str_from(name);
		assert_true(guess_as(s, &code, NOW, &ticket) == 0);
	}
}

static int64_t
guess_by_device(struct stand *s, int number, int from, int64_t now,
    struct throttle_ticket *ticket)
{
	const struct ip_addr addr = source(from);
	struct digest device;
	const struct throttle_guess g = { .name = STR("alice"),
		.addr = &addr,
		.device = &device,
		.factor = "password" };

	memset(device.byte, number, sizeof(device.byte));
	return guess_as(s, &g, now, ticket);
}

/* DK-T-03: neither the account's counter nor the source's is in the way. */
static void
a_known_browser_comes_in_during_an_attack(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	char name[16];
	int i;

	for (i = 0; i < 100; i++)
		(void)try(s, i, "alice", NOW);
	for (i = 0; i < THROTTLE_SOURCE_BURST; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		(void)try(s, 1, name, NOW);
	}
	assert_true(try(s, 1, "alice", NOW) > 0);
	assert_true(try(s, 200, "alice", NOW) > 0);
	for (i = 0; i < 20; i++) {
		assert_true(guess_by_device(s, 1, 1, NOW, &ticket) == 0);
		assert_true(ticket.by_device);
		assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	}
	assert_true(try(s, 200, "alice", NOW) > 0);
}

/* DK-T-03, DK-T-12: a stolen cookie is worth five guesses a day. */
static void
a_known_browser_that_guesses_is_a_stranger(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	int i;

	for (i = 0; i < THROTTLE_DEVICE_FREE; i++) {
		assert_true(guess_by_device(s, 1, 1, NOW, &ticket) == 0);
		assert_true(ticket.by_device);
	}
	for (i = 0; i < THROTTLE_PAIR_FREE; i++) {
		assert_true(guess_by_device(s, 1, 1, NOW, &ticket) == 0);
		assert_false(ticket.by_device);
	}
	assert_true(guess_by_device(s, 1, 1, NOW, &ticket) > 0);
	/* Right as a stranger: the browser's own slips stay counted. */
	assert_true(guess_by_device(s, 1, 2, NOW, &ticket) == 0);
	assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	assert_true(guess_by_device(s, 1, 2, NOW, &ticket) == 0);
	assert_false(ticket.by_device);
	/* Another browser has its own; a day later all is forgotten. */
	assert_true(guess_by_device(s, 2, 1, NOW, &ticket) == 0);
	assert_true(ticket.by_device);
	(void)guess_by_device(s, 1, 3, NOW + DAY - 1, &ticket);
	assert_false(ticket.by_device);
	(void)guess_by_device(s, 1, 3, NOW + DAY, &ticket);
	assert_true(ticket.by_device);
}

/* DK-T-04 */
static void
success_forgives_ones_own_guesses_only(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	int i;

	for (i = 0; i < THROTTLE_ACCOUNT_FREE - 5; i++)
		try_times(s, 1, 100 + i, "alice", NOW);
	try_times(s, 3, 1, "alice", NOW);
	assert_true(guess(s, 1, "alice", NOW, &ticket) == 0);
	assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	/* 35 of others stand: five more, and then the account waits. */
	for (i = 0; i < 5; i++)
		try_times(s, 1, 200 + i, "alice", NOW);
	assert_true(try(s, 300, "alice", NOW) == SECOND);
	assert_true(try(s, 1, "alice", NOW) == SECOND);
}

/* DK-T-04: who has an account does not buy guesses at others with it. */
static void
success_does_not_reset_the_source(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	char name[16];
	int i, checked = 0;

	for (i = 0; i < 3 * THROTTLE_SOURCE_BURST; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		if (try(s, 1, name, NOW) == 0)
			checked++;
		if (guess(s, 1, "mallory", NOW, &ticket) == 0)
			assert_int_equal(
			    throttle_success(&s->dom, &ticket), DK_OK);
	}
	assert_int_equal(checked, THROTTLE_SOURCE_BURST);
	(void)snprintf(name, sizeof(name), "user%d", i);
	assert_true(try(s, 1, name, NOW) > 0);
}

/* Success is no step towards the waits, however often. */
static void
right_passwords_are_never_throttled(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	int i;

	for (i = 0; i < 200; i++) {
		assert_true(guess(s, 1, "alice", NOW, &ticket) == 0);
		assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	}
	assert_int_equal(counters(s), 0);
}

/* Not looked at, not counted; also the wait that it began. */
static void
a_guess_that_is_given_back_does_not_count(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	int64_t now = NOW;
	int i;

	for (i = 0; i < 100; i++) {
		assert_true(guess(s, 1, "alice", now, &ticket) == 0);
		assert_int_equal(throttle_give_back(&s->dom, &ticket), DK_OK);
		assert_true(guess_by_device(s, 1, 1, now, &ticket) == 0);
		assert_true(ticket.by_device);
		assert_int_equal(throttle_give_back(&s->dom, &ticket), DK_OK);
	}
	assert_int_equal(counters(s), 0);
	for (i = 0; i < THROTTLE_ACCOUNT_FREE; i++)
		try_times(s, 1, i, "alice", now);
	now += SECOND;
	for (i = 0; i < 20; i++) {
		assert_true(guess(s, 99, "alice", now, &ticket) == 0);
		assert_int_equal(throttle_give_back(&s->dom, &ticket), DK_OK);
	}
	assert_true(guess(s, 99, "alice", now, &ticket) == 0);
	assert_true(try(s, 98, "alice", now) > 0);
}

/* DK-T-12 */
static void
unlock_forgets_the_account_from_everywhere(void **state)
{
	const struct ip_addr addr = source(1);
	const struct throttle_guess code = { .name = STR("alice"),
		.addr = &addr,
		.factor = "second",
		.account_only = true };
	struct throttle_ticket ticket;
	struct stand *s = *state;
	bool was_counted = true;
	int i;

	assert_int_equal(throttle_unlock(&s->dom, &stand_asker, STR("alice"),
			     NOW, &was_counted),
	    DK_OK);
	assert_false(was_counted);
	for (i = 0; i < 60; i++) {
		(void)try(s, i, "alice", NOW);
		(void)try(s, 100, "bob", NOW);
		(void)guess_as(s, &code, NOW, &ticket);
		(void)guess_by_device(s, 1, 1, NOW, &ticket);
	}
	assert_true(try(s, 1, "alice", NOW) > 0);
	assert_int_equal(throttle_unlock(&s->dom, &stand_asker, STR("Alice"),
			     NOW, &was_counted),
	    DK_OK);
	assert_true(was_counted);
	assert_string_equal(stand_last_event(s).event, "user_unlocked");
	assert_true(try(s, 1, "alice", NOW) == 0);
	assert_true(guess_as(s, &code, NOW, &ticket) == 0);
	assert_true(guess_by_device(s, 1, 1, NOW, &ticket) == 0);
	assert_true(ticket.by_device);
	assert_true(try(s, 100, "bob", NOW) > 0);
}

/* "had no wrong guesses" is what the administrator then reads. */
static void
there_is_nothing_to_unlock_after_a_success(void **state)
{
	struct throttle_ticket ticket;
	struct stand *s = *state;
	bool was_counted = true;

	assert_true(guess(s, 1, "alice", NOW, &ticket) == 0);
	assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
	assert_int_equal(throttle_unlock(&s->dom, &stand_asker, STR("alice"),
			     NOW, &was_counted),
	    DK_OK);
	assert_false(was_counted);
}

/* Nothing is locked for good. */
static void
a_day_of_quiet_forgets(void **state)
{
	struct stand *s = *state;
	int64_t now = NOW, last = NOW, wait;
	int i;

	for (i = 0; i < 60; i++) {
		wait = try(s, 1, "alice", now);
		if (wait == 0)
			last = now;
		now += wait;
	}
	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", last + DAY);
	assert_true(try(s, 1, "alice", last + DAY) == 2 * SECOND);
}

/* DK-Z-02: waits stay as long as they were, and never longer than promised. */
static void
a_clock_that_goes_back_locks_nobody_out(void **state)
{
	static const int64_t back[] = { 1000, 10000, 11000, 60000, HOUR, DAY,
		365 * DAY };
	struct stand *s = *state;
	int64_t wait;
	char name[16];
	size_t i;
	int from;

	for (i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		(void)snprintf(name, sizeof(name), "user%zu", i);
		from = 1000 * (int)(i + 1);
		try_times(s, THROTTLE_PAIR_FREE, from, name, NOW);
		wait = try(s, from, name, NOW - back[i]);
		assert_in_range(wait, 1, 2 * SECOND + 10 * SECOND);
		for (; from % 1000 < THROTTLE_ACCOUNT_FREE; from++)
			(void)try(s, from + 1, name, NOW);
		wait = try(s, from + 500, name, NOW - back[i]);
		assert_in_range(wait, 1, 1024 * SECOND);
		assert_true(
		    try(s, from + 500, name, NOW - back[i] + wait) == 0);
	}
}

/* DK-T-02, DK-Z-02 */
static void
a_clock_that_goes_back_leaves_a_source_its_rate(void **state)
{
	struct stand *s = *state;
	char name[16];
	int i;

	for (i = 0; i < THROTTLE_SOURCE_BURST; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		try_times(s, 1, 1, name, NOW);
	}
	assert_true(try(s, 1, "another", NOW - 365 * DAY) ==
	    THROTTLE_SOURCE_EVERY_S * SECOND);
	try_times(s, 1, 1, "another",
	    NOW - 365 * DAY + THROTTLE_SOURCE_EVERY_S * SECOND);
}

/* DK-Z-02: a jump ahead and back again leaves no wait of a year. */
static void
a_clock_that_went_ahead_for_a_while_is_survived(void **state)
{
	struct stand *s = *state;
	int64_t wait;

	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", NOW + 365 * DAY);
	wait = try(s, 1, "alice", NOW);
	assert_true(wait == 2 * SECOND);
	try_times(s, 1, 1, "alice", NOW + wait);
	wait = try(s, 1, "alice", NOW + wait);
	assert_true(wait == 4 * SECOND);
}

/* Whatever somebody wrote into the rows by hand. */
static void
strange_rows_are_survived(void **state)
{
	static const char *const sets[] = {
		"failures = 9223372036854775807",
		"last_at = 9223372036854775807",
		"last_at = -9223372036854775808",
		"next_at = 9223372036854775807",
		"next_at = -9223372036854775808",
		"next_at = -9223372036854775808, last_at = 9223372036854775807",
		"next_at = 9223372036854775807, last_at = -9223372036854775808",
	};
	struct throttle_ticket ticket;
	struct stand *s = *state;
	char sql[160];
	int64_t wait;
	size_t i;

	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		assert_true(guess(s, 1, "alice", NOW, &ticket) == 0);
		(void)snprintf(
		    sql, sizeof(sql), "UPDATE throttle SET %s", sets[i]);
		(void)stand_sql(s, sql);
		assert_int_equal(throttle_give_back(&s->dom, &ticket), DK_OK);
		assert_int_equal(throttle_success(&s->dom, &ticket), DK_OK);
		try_times(s, 1, 1, "alice", NOW + DAY);
		(void)stand_sql(s, sql);
		wait = try(s, 1, "alice", NOW + DAY);
		assert_in_range(wait, 0, THROTTLE_PAIR_CAP_S * SECOND);
		if (wait > 0)
			assert_true(try(s, 1, "alice", NOW + DAY + wait) == 0);
		(void)stand_sql(s, "DELETE FROM throttle");
	}
}

/* DK-T-05: a restart forgets nothing. */
static void
counters_are_in_the_store(void **state)
{
	struct stand *s = *state;

	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", NOW);
	domain_close(&s->dom);
	stand_start(s, false);
	assert_true(try(s, 1, "alice", NOW) == 2 * SECOND);
}

static bool
guess_once(struct stand *s, int number)
{
	const struct ip_addr addr = source(number);
	const struct throttle_guess g = {
		.name = STR("alice"), .addr = &addr, .factor = "password"
	};
	struct throttle_ticket ticket;
	int64_t wait;

	return throttle_count_guess(&s->dom, &g, NOW, &ticket, &wait) ==
	    DK_OK &&
	    wait == 0;
}

static bool
guess_from_one_source(struct stand *s, int number)
{
	(void)number;
	return guess_once(s, 1);
}

/* DK-T-05: fifty at once, of whom exactly the free ones get through. */
static void
counts_exactly_in_parallel(void **state)
{
	struct stand *s = *state;

	assert_int_equal(
	    stand_parallel(s, 50, guess_once), THROTTLE_ACCOUNT_FREE);
	assert_int_equal(guesses_in_all(s), THROTTLE_ACCOUNT_FREE);
	(void)stand_sql(s, "DELETE FROM throttle");
	assert_int_equal(
	    stand_parallel(s, 50, guess_from_one_source), THROTTLE_PAIR_FREE);
	assert_int_equal(guesses_in_all(s), THROTTLE_PAIR_FREE);
}

static void
nothing_may_be_checked_when_the_store_is_busy(void **state)
{
	const struct throttle_guess g = { .name = STR("alice"),
		.factor = "password" };
	struct throttle_ticket ticket;
	struct stand *s = *state;
	void *other;
	int64_t wait = 0;

	/* The key is made at the first guess. */
	try_times(s, 1, 1, "alice", NOW);
	other = engine_lock(s->file);
	db_set_wait(s->dom.db, 0);
	assert_int_equal(throttle_count_guess(&s->dom, &g, NOW, &ticket, &wait),
	    DK_ERR_BUSY);
	assert_true(wait > 0);
	engine_unlock(s->file, other);
}

/* DK-T-10: a flood of names is swept in steps; what counts most stays. */
static void
the_table_is_bounded(void **state)
{
	char sql[512];
	struct stand *s = *state;
	int64_t rows = THROTTLE_ROWS_MAX + 3000;
	int i;

	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", NOW);
	(void)snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %lld) INSERT INTO throttle"
	    " SELECT CAST(printf('%%016d', i) AS BLOB),"
	    " CAST(printf('%%016d', i) AS BLOB), 1, %lld, 0 FROM n",
	    (long long)rows, (long long)NOW);
	(void)stand_sql(s, sql);
	for (i = 0; i < 3; i++)
		assert_int_equal(throttle_sweep(&s->dom, NOW), DK_OK);
	assert_in_range(
	    counters(s), THROTTLE_ROWS_MAX - 2000, THROTTLE_ROWS_MAX);
	assert_true(try(s, 1, "alice", NOW) == 2 * SECOND);
}

/* DK-T-10 */
static void
sweeping_drops_what_is_forgotten_and_no_more(void **state)
{
	struct stand *s = *state;

	try_times(s, THROTTLE_PAIR_FREE, 1, "alice", NOW);
	try_times(s, 1, 2, "bob", NOW + HOUR);
	assert_int_equal(counters(s), 6);
	assert_int_equal(throttle_sweep(&s->dom, NOW + DAY), DK_OK);
	assert_int_equal(counters(s), 6);
	assert_int_equal(throttle_sweep(&s->dom, NOW + DAY + 1), DK_OK);
	assert_int_equal(counters(s), 3);
	assert_int_equal(throttle_sweep(&s->dom, NOW + 2 * DAY), DK_OK);
	assert_int_equal(counters(s), 0);
}

/* DK-T-11: neither the name nor the address is in the file. */
static void
the_table_shows_no_names(void **state)
{
	struct stand *s = *state;

	try_times(s, 1, 1, "a pass phrase typed as name", NOW);
	assert_int_equal(stand_sql(s,
			     "SELECT count(*) FROM throttle WHERE"
			     " instr(bucket, 'phrase') OR"
			     " instr(owner, 'phrase') OR"
			     " instr(bucket, x'0a000001')"),
	    0);
	assert_int_equal(stand_sql(s,
			     "SELECT count(*) FROM throttle"
			     " WHERE length(bucket) = 16"),
	    3);
}

/* The most that fall into any window of that length. */
static int
most_within(const int64_t *times, int n, int64_t window)
{
	int first = 0, i, most = 0;

	for (i = 0; i < n; i++) {
		while (times[first] <= times[i] - window)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	return most;
}

/* DK-T-01: whoever has so many addresses and all the time of four days. */
static void
an_account_takes_a_hundred_guesses_a_day(void **state)
{
	static const struct {
		int sources;
		int at_least;
	} cases[] = { { 1, 40 }, { 100, 80 }, { 10000, 80 } };
	static int64_t times[2000];
	struct stand *s = *state;
	int64_t now, wait;
	int asked, n, most;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(name, sizeof(name), "user%zu", i);
		n = 0;
		for (now = NOW, asked = 0; now < NOW + 4 * DAY; asked++) {
			wait =
			    try(s, asked * 7 % cases[i].sources + 1, name, now);
			now += wait;
			assert_true(n < 2000);
			if (wait == 0)
				times[n++] = now;
		}
		most = most_within(times, n, DAY);
		assert_in_range(most, cases[i].at_least, 100);
	}
}

/* DK-T-02: a name a guess. */
static void
a_source_has_a_hundred_and_fifty_guesses_an_hour(void **state)
{
	static int64_t times[2000];
	struct stand *s = *state;
	int64_t now = NOW, wait;
	int asked, n = 0;
	char name[16];

	for (asked = 0; now < NOW + 3 * HOUR; asked++) {
		(void)snprintf(name, sizeof(name), "user%d", asked);
		wait = try(s, 1, name, now);
		now += wait;
		assert_true(n < 2000);
		if (wait == 0)
			times[n++] = now;
	}
	assert_in_range(most_within(times, n, HOUR), 140, 150);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STAND_TEST(a_pair_waits_longer_and_longer),
		STAND_TEST(an_account_waits_longer_and_longer),
		STAND_TEST(a_source_has_a_burst_and_then_a_rate),
		STAND_TEST(one_source_alone_makes_nobody_else_wait),
		STAND_TEST(an_owner_who_signs_in_often_waits_no_longer),
		STAND_TEST(sources_are_told_apart_by_what_is_theirs),
		STAND_TEST(names_are_counted_as_one_whatever_their_case),
		STAND_TEST(each_factor_has_a_counter_of_its_own),
		STAND_TEST(codes_are_not_counted_on_the_source),
		STAND_TEST(a_known_browser_comes_in_during_an_attack),
		STAND_TEST(a_known_browser_that_guesses_is_a_stranger),
		STAND_TEST(success_forgives_ones_own_guesses_only),
		STAND_TEST(success_does_not_reset_the_source),
		STAND_TEST(right_passwords_are_never_throttled),
		STAND_TEST(a_guess_that_is_given_back_does_not_count),
		STAND_TEST(unlock_forgets_the_account_from_everywhere),
		STAND_TEST(there_is_nothing_to_unlock_after_a_success),
		STAND_TEST(a_day_of_quiet_forgets),
		STAND_TEST(a_clock_that_goes_back_locks_nobody_out),
		STAND_TEST(a_clock_that_goes_back_leaves_a_source_its_rate),
		STAND_TEST(a_clock_that_went_ahead_for_a_while_is_survived),
		STAND_TEST(strange_rows_are_survived),
		STAND_TEST(counters_are_in_the_store),
		STAND_TEST(counts_exactly_in_parallel),
		STAND_TEST(nothing_may_be_checked_when_the_store_is_busy),
		STAND_TEST(the_table_is_bounded),
		STAND_TEST(sweeping_drops_what_is_forgotten_and_no_more),
		STAND_TEST(the_table_shows_no_names),
		STAND_TEST(an_account_takes_a_hundred_guesses_a_day),
		STAND_TEST(a_source_has_a_hundred_and_fifty_guesses_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
