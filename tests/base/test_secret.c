#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/secret.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* How the kernel answers. */
static enum {
	ANSWERS,
	IS_INTERRUPTED, /* every other time */
	GIVES_FEW,	/* bytes at a time */
	REFUSES,
	REFUSES_AFTER_SOME,
	GIVES_NOTHING
} kernel;
static unsigned calls, strange_flags;

ssize_t __attribute__((visibility("default")))
getrandom(void *p, size_t n, unsigned flags)
{
	strange_flags |= flags;
	calls++;
	if (kernel == REFUSES || (kernel == REFUSES_AFTER_SOME && calls > 1)) {
		errno = ENOSYS;
		return -1;
	}
	if (kernel == IS_INTERRUPTED && calls % 2 == 1) {
		errno = EINTR;
		return -1;
	}
	if (kernel == GIVES_NOTHING)
		return 0;
	if (kernel != ANSWERS && n > 5)
		n = 5;
	return (ssize_t)syscall(SYS_getrandom, p, n, flags);
}

static int
start(void **state)
{
	(void)state;
	kernel = ANSWERS;
	calls = strange_flags = 0;
	return secret_init() == DK_OK ? 0 : -1;
}

static bool
is_filled_with(const void *p, unsigned char byte, size_t n)
{
	const unsigned char *at = p;
	size_t i;

	for (i = 0; i < n; i++)
		if (at[i] != byte)
			return false;
	return true;
}

/* DK-S-01: a secret holds as many random bits as it has bits. */
static void
makes_secrets_of_which_every_bit_is_random(void **state)
{
	enum { SECRETS = 20000, SLACK = SECRETS * 3 / 100 };
	static unsigned ones[SECRET_LEN * 8];
	struct secret s;
	unsigned i, bit;

	(void)state;
	for (i = 0; i < SECRETS; i++) {
		assert_int_equal(secret_new(&s), DK_OK);
		for (bit = 0; bit < SECRET_LEN * 8; bit++)
			ones[bit] += (unsigned)s.byte[bit / 8] >> bit % 8 & 1u;
	}
	for (bit = 0; bit < SECRET_LEN * 8; bit++)
		if (ones[bit] < SECRETS / 2 - SLACK ||
		    ones[bit] > SECRETS / 2 + SLACK)
			fail_msg("bit %u: %u of %u", bit, ones[bit], SECRETS);
	/* Wait for a kernel that has just started, and take no weaker pool. */
	assert_int_equal(strange_flags, 0);
}

static void
fills_exactly_what_was_asked_for(void **state)
{
	unsigned char bytes[64 + 1];
	unsigned i, n, untouched;

	(void)state;
	for (kernel = ANSWERS; kernel <= GIVES_FEW; kernel++)
		for (n = 0; n <= 64; n++) {
			/* Each byte is other than zero once in sixteen. */
			untouched = n;
			for (i = 0; i < 16 && untouched > 0; i++) {
				memset(bytes, 0xa5, sizeof(bytes));
				assert_int_equal(
				    secret_random(bytes, n), DK_OK);
				assert_int_equal(bytes[n], 0xa5);
				while (untouched > 0 &&
				    bytes[untouched - 1] != 0 &&
				    bytes[untouched - 1] != 0xa5)
					untouched--;
			}
			assert_int_equal(untouched, 0);
		}
}

/* DK-S-02 */
static void
gives_nothing_when_the_kernel_refuses(void **state)
{
	struct secret s;
	char uuid[UUID_TEXT_LEN + 1];

	(void)state;
	for (kernel = REFUSES; kernel <= GIVES_NOTHING; kernel++) {
		calls = 0;
		memset(&s, 0xa5, sizeof(s));
		assert_int_equal(secret_new(&s), DK_ERR_RANDOM);
		assert_true(is_filled_with(&s, 0, sizeof(s)));
		calls = 0;
		memset(uuid, 'a', sizeof(uuid));
		assert_int_equal(uuid_new(uuid), DK_ERR_RANDOM);
		assert_int_equal(uuid[0], '\0');
	}
}

/* DK-S-02: version 4, and the other 122 bits random. */
static void
makes_version_4_uuids(void **state)
{
	enum { UUIDS = 5000, SLACK = UUIDS * 6 / 100 };
	static unsigned ones[UUID_TEXT_LEN][4];
	char text[UUID_TEXT_LEN + 1];
	unsigned i, at, bit;

	(void)state;
	for (i = 0; i < UUIDS; i++) {
		assert_int_equal(uuid_new(text), DK_OK);
		assert_int_equal(strlen(text), UUID_TEXT_LEN);
		assert_true(uuid_is_valid(str_from(text)));
		assert_int_equal(text[14], '4');
		for (at = 0; at < UUID_TEXT_LEN; at++)
			for (bit = 0; bit < 4 && text[at] != '-'; bit++)
				ones[at][bit] +=
				    (unsigned)str_hex_digit(text[at]) >> bit &
				    1u;
	}
	for (at = 0; at < UUID_TEXT_LEN; at++)
		for (bit = 0; bit < 4; bit++) {
			/* The version, the variant, the dashes. */
			if (at == 14 || (at == 19 && bit >= 2) || at == 8 ||
			    at == 13 || at == 18 || at == 23)
				continue;
			if (ones[at][bit] < UUIDS / 2 - SLACK ||
			    ones[at][bit] > UUIDS / 2 + SLACK)
				fail_msg("digit %u, bit %u: %u of %u", at, bit,
				    ones[at][bit], UUIDS);
		}
}

static const struct uuid_case {
	const char *label, *text;
	bool valid;
} uuids[] = {
	{ "as it is made", "0f8fad5b-d9cb-469f-a165-70867728950e", true },
	{ "variant 8", "00000000-0000-4000-8000-000000000000", true },
	{ "variant 9", "ffffffff-ffff-4fff-9fff-ffffffffffff", true },
	{ "variant b", "00000000-0000-4000-b000-000000000000", true },
	{ "variant 7", "00000000-0000-4000-7000-000000000000", false },
	{ "variant c", "00000000-0000-4000-c000-000000000000", false },
	{ "version 1", "0f8fad5b-d9cb-169f-a165-70867728950e", false },
	{ "version 7", "0f8fad5b-d9cb-769f-a165-70867728950e", false },
	{ "nil", "00000000-0000-0000-0000-000000000000", false },
	{ "capitals", "0F8FAD5B-D9CB-469F-A165-70867728950E", false },
	{ "one capital", "0f8fad5b-d9cb-469f-a165-70867728950E", false },
	{ "braces", "{0f8fad5b-d9cb-469f-a165-70867728950e}", false },
	{ "prefix", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", false },
	{ "no dashes", "0f8fad5bd9cb469fa16570867728950e", false },
	{ "dash moved", "0f8fad5bd-9cb-469f-a165-70867728950e", false },
	{ "dash for a digit", "0f8fad5b-d9cb-469f-a165-7086772895-e", false },
	{ "letter g", "0f8fad5b-d9cb-469f-a165-70867728950g", false },
	{ "too short", "0f8fad5b-d9cb-469f-a165-70867728950", false },
	{ "too long", "0f8fad5b-d9cb-469f-a165-70867728950ee", false },
	{ "line end", "0f8fad5b-d9cb-469f-a165-70867728950e\n", false },
	{ "line end within", "0f8fad5b-d9cb-469f-a165-70867728950\n", false },
	{ "empty", "", false },
};

static void
knows_its_own_uuids_only(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uuids) / sizeof(uuids[0]); i++)
		if (uuid_is_valid(str_from(uuids[i].text)) != uuids[i].valid)
			fail_msg("%s", uuids[i].label);
	assert_false(uuid_is_valid(STR_NONE));
	assert_false(
	    uuid_is_valid(STR("0f8fad5b-d9cb-469f-\0165-70867728950e")));
	assert_false(
	    uuid_is_valid(STR("0f8fad5b-d9cb-469f-a165-70867728950\0")));
}

static void
writes_secrets_as_base64url(void **state)
{
	char text[SECRET_TEXT_LEN + 2];
	struct secret s, again;
	unsigned i;

	(void)state;
	text[SECRET_TEXT_LEN + 1] = 'x';
	memset(&s, 0xff, sizeof(s));
	secret_to_text(&s, text);
	assert_string_equal(
	    text, "__________________________________________8");
	assert_int_equal(text[SECRET_TEXT_LEN + 1], 'x');
	memset(&s, 0xfb, sizeof(s));
	secret_to_text(&s, text);
	assert_string_equal(
	    text, "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
	for (i = 0; i < 100; i++) {
		assert_int_equal(secret_new(&s), DK_OK);
		secret_to_text(&s, text);
		assert_int_equal(strlen(text), SECRET_TEXT_LEN);
		assert_true(secret_from_text(str_from(text), &again));
		assert_true(secret_eq(&s, &again));
	}
}

/* Each byte in each place: one text for one secret, DK-S-07. */
static void
reads_exactly_the_alphabet(void **state)
{
	char text[SECRET_TEXT_LEN + 1], again[SECRET_TEXT_LEN + 1];
	struct secret s;
	size_t at;
	int c;

	(void)state;
	for (at = 0; at < SECRET_TEXT_LEN; at++)
		for (c = 0; c < 256; c++) {
			const char *p = c == 0 ? NULL : strchr(alphabet, c);
			/* 43 characters hold two bits more than a secret. */
			bool want = p != NULL &&
			    (at < SECRET_TEXT_LEN - 1 ||
				(p - alphabet) % 4 == 0);

			memset(text, 'A', SECRET_TEXT_LEN);
			text[SECRET_TEXT_LEN] = '\0';
			text[at] = (char)c;
			memset(&s, 0xa5, sizeof(s));
			if (secret_from_text(
				(struct str){ text, SECRET_TEXT_LEN }, &s) !=
			    want)
				fail_msg("byte %d at %zu", c, at);
			if (!want) {
				assert_true(is_filled_with(&s, 0, sizeof(s)));
				continue;
			}
			secret_to_text(&s, again);
			assert_string_equal(text, again);
		}
}

static void
reads_exactly_the_length(void **state)
{
	char text[128];
	struct secret s;
	size_t n;

	(void)state;
	memset(text, 'A', sizeof(text));
	for (n = 0; n <= sizeof(text); n++)
		assert_int_equal(secret_from_text((struct str){ text, n }, &s),
		    n == SECRET_TEXT_LEN);
	assert_false(secret_from_text(STR_NONE, &s));
	assert_true(is_filled_with(&s, 0, sizeof(s)));
}

static const struct decode_case {
	const char *text;
	size_t n;
	const char *want; /* NULL: refused */
} decodes[] = {
	{ "Zg", 1, "f" },
	{ "Zm8", 2, "fo" },
	{ "Zm9v", 3, "foo" },
	{ "Zm9vYg", 4, "foob" },
	{ "Zm9vYmE", 5, "fooba" },
	{ "Zm9vYmFy", 6, "foobar" },
	{ "--__", 3, "\xfb\xef\xff" },
	/* Padding, the other alphabet, spaces. */
	{ "Zg==", 1, NULL },
	{ "Zg=", 1, NULL },
	{ "Zm8=", 2, NULL },
	{ "++//", 3, NULL },
	{ " Zg", 1, NULL },
	{ "Zg ", 1, NULL },
	{ "Zg\n", 1, NULL },
	{ "Z g", 1, NULL },
	/* Stray bits. */
	{ "Zh", 1, NULL },
	{ "Zv", 1, NULL },
	{ "Zm9", 2, NULL },
	{ "Zm-", 2, NULL },
	/* Other lengths. */
	{ "Z", 1, NULL },
	{ "Z", 0, NULL },
	{ "Zm9v", 2, NULL },
	{ "Zm9v", 4, NULL },
	{ "Zm9vY", 3, NULL },
	{ "Zm9vY", 4, NULL },
	{ "", 1, NULL },
	{ "", 0, NULL },
};

static void
decodes_strictly(void **state)
{
	const struct decode_case *c;
	char out[9];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(decodes) / sizeof(decodes[0]); i++) {
		c = &decodes[i];
		memset(out, 0x5a, sizeof(out));
		if (secret_decode(str_from(c->text), out, c->n) !=
		    (c->want != NULL))
			fail_msg("\"%s\" as %zu bytes", c->text, c->n);
		if (c->want != NULL)
			assert_memory_equal(out, c->want, c->n);
		else
			assert_true(is_filled_with(out, 0, c->n));
		assert_true(
		    is_filled_with(out + c->n, 0x5a, sizeof(out) - c->n));
	}
}

static const char *
hex(const struct digest *d, struct buf *b)
{
	buf_reset(b);
	buf_add_hex(b, d->byte, sizeof(d->byte));
	return buf_z(b);
}

/* FIPS 180-4, the examples; RFC 4231 4.2 to 4.5. */
static void
hashes_as_published(void **state)
{
	char text[2 * DIGEST_LEN + 1], fifty[50];
	struct secret key = { { 0 } };
	struct digest d;
	struct buf b;

	(void)state;
	BUF_OVER(&b, text);
	secret_sha256(STR("abc"), &d);
	assert_string_equal(hex(&d, &b),
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	secret_sha256(STR_NONE, &d);
	assert_string_equal(hex(&d, &b),
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
	/* A shorter key is a key with zeros behind it. */
	memset(key.byte, 0x0b, 20);
	secret_hmac(&key, STR("Hi There"), &d);
	assert_string_equal(hex(&d, &b),
	    "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	key = (struct secret){ "Jefe" };
	secret_hmac(&key, STR("what do ya want for nothing?"), &d);
	assert_string_equal(hex(&d, &b),
	    "5bdcc146bf60754e6a042426089575c7"
	    "5a003f089d2739839dec58b964ec3843");
	memset(key.byte, 0xaa, 20);
	memset(fifty, 0xdd, sizeof(fifty));
	secret_hmac(&key, (struct str){ fifty, sizeof(fifty) }, &d);
	assert_string_equal(hex(&d, &b),
	    "773ea91e36800e46854db8ebd09181a7"
	    "2959098b3ef8c122d9635514ced565fe");
}

static void
tells_every_other_secret(void **state)
{
	struct secret a, b;
	struct digest c, d;
	unsigned bit;

	(void)state;
	memset(&a, 0xa5, sizeof(a));
	memset(&c, 0xa5, sizeof(c));
	b = a;
	d = c;
	assert_true(secret_eq(&a, &b));
	assert_true(digest_eq(&c, &d));
	for (bit = 0; bit < 256; bit++) {
		b = a;
		d = c;
		b.byte[bit / 8] ^= (unsigned char)(1u << bit % 8);
		d.byte[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_false(secret_eq(&a, &b));
		assert_false(digest_eq(&c, &d));
		assert_false(secret_bytes_eq(&a, &b, sizeof(a)));
		assert_true(secret_bytes_eq(&a, &b, bit / 8));
	}
	assert_true(secret_bytes_eq("", "", 0));
}

static void
wipes_exactly_what_was_asked_for(void **state)
{
	unsigned char bytes[8];
	unsigned char *p;

	(void)state;
	memset(bytes, 's', sizeof(bytes));
	secret_wipe(bytes + 1, 6);
	assert_true(is_filled_with(bytes + 1, 0, 6));
	assert_true(bytes[0] == 's' && bytes[7] == 's');
	p = secret_alloc(100);
	assert_non_null(p);
	assert_true(is_filled_with(p, 0, 100));
	memset(p, 's', 100);
	secret_free(p);
	secret_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_secrets_of_which_every_bit_is_random),
		TEST(fills_exactly_what_was_asked_for),
		TEST(gives_nothing_when_the_kernel_refuses),
		TEST(makes_version_4_uuids),
		TEST(knows_its_own_uuids_only),
		TEST(writes_secrets_as_base64url),
		TEST(reads_exactly_the_alphabet),
		TEST(reads_exactly_the_length),
		TEST(decodes_strictly),
		TEST(hashes_as_published),
		TEST(tells_every_other_secret),
		TEST(wipes_exactly_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
