#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/md5.h"
#include "base/sha1.h"

enum { HEX_MAX = 2 * SHA1_LEN + 1, LONG = 256 };

static void
check(const char *label, const unsigned char *out, size_t n, const char *want)
{
	char text[HEX_MAX];
	struct buf b;

	BUF_OVER(&b, text);
	buf_add_hex(&b, out, n);
	if (strcmp(buf_z(&b), want) != 0)
		fail_msg("%s: %s", label, buf_z(&b));
}

static void
md5_of(struct str data, unsigned char out[MD5_LEN])
{
	struct md5 m;

	md5_start(&m);
	md5_add(&m, data);
	md5_finish(&m, out);
}

struct hash_case {
	const char *text, *want;
};

/* RFC 1321 A.5 */
static const struct hash_case md5_cases[] = {
	{ "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ "a", "0cc175b9c0f1b6a831c399e269772661" },
	{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
	{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	    "d174ab98d277d9f5a5611c2c9f419d9f" },
	{ "1234567890123456789012345678901234567890"
	  "1234567890123456789012345678901234567890",
	    "57edf4a22be3c955ac49da2e2107b67a" },
};

/* RFC 3174 7.3, the texts that are not repeated. */
static const struct hash_case sha1_cases[] = {
	{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
};

static void
hashes_as_the_rfcs_say(void **state)
{
	unsigned char out[SHA1_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(md5_cases) / sizeof(md5_cases[0]); i++) {
		md5_of(str_from(md5_cases[i].text), out);
		check(md5_cases[i].text, out, MD5_LEN, md5_cases[i].want);
	}
	for (i = 0; i < sizeof(sha1_cases) / sizeof(sha1_cases[0]); i++) {
		sha1(str_from(sha1_cases[i].text), out);
		check(sha1_cases[i].text, out, SHA1_LEN, sha1_cases[i].want);
	}
}

/* RFC 3174 7.3, TEST3 and TEST4 */
static void
hashes_many_blocks(void **state)
{
	static char many[1000000];
	unsigned char out[SHA1_LEN];
	size_t i;

	(void)state;
	memset(many, 'a', sizeof(many));
	sha1((struct str){ many, sizeof(many) }, out);
	check("a million", out, SHA1_LEN,
	    "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	for (i = 0; i < 640; i++)
		many[i] = (char)('0' + i % 8);
	sha1((struct str){ many, 640 }, out);
	check("ten blocks", out, SHA1_LEN,
	    "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

/* So many letters "a" as leave the padding all the places it can have. */
static const struct padding_case {
	size_t n;
	const char *md5, *sha1;
} paddings[] = {
	{ 55, "ef1772b6dff9a122358552954ad0df65",
	    "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
	{ 56, "3b0c8ac703f828b04c6c197006d17218",
	    "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
	{ 57, "652b906d60af96844ebd21b674f35e93",
	    "f08f24908d682555111be7ff6f004e78283d989a" },
	{ 63, "b06521f39153d618550606be297466d5",
	    "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
	{ 64, "014842d480b571495a4a0363793f7367",
	    "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
	{ 65, "c743a45e0d2e6a95cb859adae0248435",
	    "11655326c708d70319be2610e8a57d9a5b959d3b" },
	{ 119, "8a7bd0732ed6a28ce75f6dabc90e1613",
	    "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56" },
	{ 120, "5f61c0ccad4cac44c75ff505e1f1e537",
	    "f34c1488385346a55709ba056ddd08280dd4c6d6" },
	{ 128, "e510683b3f5ffe4093d021808bc6ff70",
	    "ad5b3fdbcb526778c2839d2f151ea753995e26a0" },
};

static void
pads_in_every_place(void **state)
{
	unsigned char out[SHA1_LEN];
	char text[LONG];
	size_t i;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++) {
		struct str s = { text, paddings[i].n };

		md5_of(s, out);
		check("MD5", out, MD5_LEN, paddings[i].md5);
		sha1(s, out);
		check("SHA-1", out, SHA1_LEN, paddings[i].sha1);
	}
}

static void
takes_a_text_in_pieces(void **state)
{
	unsigned char whole[MD5_LEN], parts[MD5_LEN];
	char text[LONG];
	struct md5 m;
	size_t n, at;

	(void)state;
	for (n = 0; n < LONG; n++)
		text[n] = (char)n;
	for (n = 0; n < LONG; n++) {
		md5_of((struct str){ text, n }, whole);
		for (at = 0; at <= n; at++) {
			md5_start(&m);
			md5_add(&m, (struct str){ text, at });
			md5_add(&m, STR_NONE);
			md5_add(&m, (struct str){ text + at, n - at });
			md5_finish(&m, parts);
			if (memcmp(whole, parts, sizeof(whole)) != 0)
				fail_msg("%zu bytes cut at %zu", n, at);
		}
	}
}

/* Nothing of a password is left in the state. */
static void
wipes_the_state(void **state)
{
	static const struct md5 zero;
	unsigned char out[MD5_LEN];
	struct md5 m;

	(void)state;
	md5_start(&m);
	md5_add(&m, STR("password"));
	md5_finish(&m, out);
	assert_memory_equal(&m, &zero, sizeof(m));
}

/* RFC 2202 3, and keys around the length of a block. */
static const struct hmac_case {
	const char *label;
	char key_byte; /* as often as key_n says, or 0: counting from 1 */
	size_t key_n;
	const char *data; /* NULL: data_byte, fifty times */
	char data_byte;
	const char *want;
} hmacs[] = {
	{ "1", '\x0b', 20, "Hi There", 0,
	    "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ "3", '\xaa', 20, NULL, '\xdd',
	    "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
	{ "4", 0, 25, NULL, '\xcd',
	    "4c9007f4026250c6bc8414f9bf50c86c2d7235da" },
	{ "5", '\x0c', 20, "Test With Truncation", 0,
	    "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
	{ "6", '\xaa', 80,
	    "Test Using Larger Than Block-Size Key - Hash Key First", 0,
	    "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	{ "7", '\xaa', 80,
	    "Test Using Larger Than Block-Size Key and Larger Than One "
	    "Block-Size Data",
	    0, "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
	{ "a block", 'k', 64, "x", 0,
	    "2c31eadf68d9ba971ad29339d28ce725b03c11f6" },
	{ "a block and one", 'k', 65, "x", 0,
	    "7209aca75ec680871725fd309aa689746677dbd4" },
	{ "nothing", 'k', 0, "", 0,
	    "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d" },
};

static void
authenticates_as_the_rfc_says(void **state)
{
	unsigned char out[SHA1_LEN];
	char key[80], fifty[50];
	const struct hmac_case *c;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(hmacs) / sizeof(hmacs[0]); i++) {
		c = &hmacs[i];
		for (at = 0; at < c->key_n; at++)
			key[at] =
			    c->key_byte != 0 ? c->key_byte : (char)(at + 1);
		memset(fifty, c->data_byte, sizeof(fifty));
		sha1_hmac((struct str){ key, c->key_n },
		    c->data != NULL ? str_from(c->data)
				    : (struct str){ fifty, sizeof(fifty) },
		    out);
		check(c->label, out, SHA1_LEN, c->want);
	}
	sha1_hmac(STR("Jefe"), STR("what do ya want for nothing?"), out);
	check("2", out, SHA1_LEN, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	sha1_hmac(STR_NONE, STR_NONE, out);
	check("absent", out, SHA1_LEN,
	    "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_the_rfcs_say),
		cmocka_unit_test(hashes_many_blocks),
		cmocka_unit_test(pads_in_every_place),
		cmocka_unit_test(takes_a_text_in_pieces),
		cmocka_unit_test(wipes_the_state),
		cmocka_unit_test(authenticates_as_the_rfc_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
