#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/md5.h"
#include "base/sha1.h"

enum { LENGTHS = 257, MILLION = 1000000, HEX_MAX = 2 * SHA1_LEN + 1 };

/* RFC 1321 A.5 */
static const struct vector {
	const char *data, *hex;
} md5_vectors[] = {
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

/* RFC 3174 7.3 (its first two), and the empty text */
static const struct vector sha1_vectors[] = {
	{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
};

/* RFC 2202 3; a repeated byte stands for the key or the data. */
static const struct hmac_vector {
	const char *key;
	char key_byte;
	size_t key_len; /* of repeated bytes; 0: key as it stands */
	const char *data;
	char data_byte;
	size_t data_len;
	const char *hex;
} hmac_vectors[] = {
	{ NULL, 0x0b, 20, "Hi There", 0, 0,
	    "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ "Jefe", 0, 0, "what do ya want for nothing?", 0, 0,
	    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ NULL, (char)0xaa, 20, NULL, (char)0xdd, 50,
	    "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
	{ "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
	  "\x11\x12\x13\x14\x15\x16\x17\x18\x19",
	    0, 0, NULL, (char)0xcd, 50,
	    "4c9007f4026250c6bc8414f9bf50c86c2d7235da" },
	{ NULL, 0x0c, 20, "Test With Truncation", 0, 0,
	    "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
	{ NULL, (char)0xaa, 80,
	    "Test Using Larger Than Block-Size Key - Hash Key First", 0, 0,
	    "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	{ NULL, (char)0xaa, 80,
	    "Test Using Larger Than Block-Size Key and Larger Than One "
	    "Block-Size Data",
	    0, 0, "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
};

static void
assert_hex(const unsigned char *digest, size_t n, const char *wanted)
{
	char text[HEX_MAX];
	struct buf b;

	BUF_OVER(&b, text);
	buf_add_hex(&b, digest, n);
	assert_true(buf_ok(&b));
	assert_string_equal(buf_z(&b), wanted);
}

static void
md5(struct str data, unsigned char out[MD5_LEN])
{
	struct md5 m;

	md5_start(&m);
	md5_add(&m, data);
	md5_finish(&m, out);
}

static void
md5_gives_what_rfc_1321_gives(void **state)
{
	unsigned char digest[MD5_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(md5_vectors) / sizeof(md5_vectors[0]); i++) {
		md5(str_from(md5_vectors[i].data), digest);
		assert_hex(digest, sizeof(digest), md5_vectors[i].hex);
	}
}

static void
sha1_gives_what_rfc_3174_gives(void **state)
{
	unsigned char digest[SHA1_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sha1_vectors) / sizeof(sha1_vectors[0]); i++) {
		sha1(str_from(sha1_vectors[i].data), digest);
		assert_hex(digest, sizeof(digest), sha1_vectors[i].hex);
	}
}

static struct str
repeated(char *to, size_t size, const char *text, char byte, size_t n)
{
	if (text != NULL)
		return str_from(text);
	assert_true(n <= size);
	memset(to, byte, n);
	return (struct str){ to, n };
}

static void
hmac_gives_what_rfc_2202_gives(void **state)
{
	unsigned char digest[SHA1_LEN];
	char key[128], data[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hmac_vectors) / sizeof(hmac_vectors[0]); i++) {
		const struct hmac_vector *v = &hmac_vectors[i];

		sha1_hmac(
		    repeated(key, sizeof(key), v->key, v->key_byte, v->key_len),
		    repeated(
			data, sizeof(data), v->data, v->data_byte, v->data_len),
		    digest);
		assert_hex(digest, sizeof(digest), v->hex);
	}
}

/* A key of one block is taken as it is; one byte more is hashed first. */
static void
hmac_knows_the_length_of_a_block(void **state)
{
	unsigned char digest[SHA1_LEN];
	char key[65];

	(void)state;
	memset(key, 'k', sizeof(key));
	sha1_hmac((struct str){ key, 63 }, STR("data"), digest);
	assert_hex(
	    digest, sizeof(digest), "500c90db5a333b977fb03a6bf1b5104eb328a271");
	sha1_hmac((struct str){ key, 64 }, STR("data"), digest);
	assert_hex(
	    digest, sizeof(digest), "fd6ac0544a139c8a65af3b45cd347d1f8d6fc5c2");
	sha1_hmac((struct str){ key, 65 }, STR("data"), digest);
	assert_hex(
	    digest, sizeof(digest), "ce69e0604a581a20b9758fafea17888f2fbf15ec");
	sha1_hmac(STR_NONE, STR_NONE, digest);
	assert_hex(
	    digest, sizeof(digest), "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
}

/*
 * The hash of the hashes of "", "a", "aa" and so on: every place at which
 * the padding and the length can fall within a block.
 */
static void
pads_texts_of_every_length(void **state)
{
	char text[LENGTHS];
	unsigned char all_md5[LENGTHS * MD5_LEN], all_sha1[LENGTHS * SHA1_LEN];
	unsigned char digest[SHA1_LEN];
	size_t n;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (n = 0; n < LENGTHS; n++) {
		md5((struct str){ text, n }, all_md5 + n * MD5_LEN);
		sha1((struct str){ text, n }, all_sha1 + n * SHA1_LEN);
	}
	md5((struct str){ (const char *)all_md5, sizeof(all_md5) }, digest);
	assert_hex(digest, MD5_LEN, "b4fa65e4c24e4ca8fa784dc3c39292f5");
	sha1((struct str){ (const char *)all_sha1, sizeof(all_sha1) }, digest);
	assert_hex(
	    digest, SHA1_LEN, "b8b0693c5305b3dcd6b89ebcf3d77583df30c861");
}

/* RFC 3174 7.3, its third, with a length of more than 16 bits */
static void
takes_a_million_bytes(void **state)
{
	static char text[MILLION];
	unsigned char digest[SHA1_LEN];

	(void)state;
	memset(text, 'a', sizeof(text));
	sha1((struct str){ text, sizeof(text) }, digest);
	assert_hex(
	    digest, SHA1_LEN, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	md5((struct str){ text, sizeof(text) }, digest);
	assert_hex(digest, MD5_LEN, "7707d6ae4e027c70eea2a935c2296f21");
}

static void
takes_bytes_of_every_value(void **state)
{
	unsigned char digest[SHA1_LEN];
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)(unsigned char)i;
	md5((struct str){ text, sizeof(text) }, digest);
	assert_hex(digest, MD5_LEN, "e2c865db4162bed963bfaa9ef6ac18f0");
	sha1((struct str){ text, sizeof(text) }, digest);
	assert_hex(
	    digest, SHA1_LEN, "4916d6bdb7f78e6803698cab32d1586ea457dfc8");
}

static void
md5_takes_a_text_in_pieces(void **state)
{
	unsigned char whole[MD5_LEN], pieces[MD5_LEN];
	char text[200];
	size_t first, i;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	md5((struct str){ text, sizeof(text) }, whole);
	for (first = 0; first <= sizeof(text); first++) {
		struct str rest = { text, sizeof(text) };
		struct md5 m;

		md5_start(&m);
		md5_add(&m, str_sub(rest, 0, first));
		md5_add(&m, STR(""));
		md5_add(&m, str_sub(rest, first, sizeof(text)));
		md5_finish(&m, pieces);
		assert_memory_equal(pieces, whole, sizeof(whole));
	}
}

/* DK-P-12: a password went through it. */
static void
md5_leaves_nothing_behind(void **state)
{
	const struct md5 nothing = { .state = { 0 } };
	unsigned char digest[MD5_LEN];
	struct md5 m;

	(void)state;
	md5_start(&m);
	md5_add(&m, STR("correct horse battery staple"));
	md5_finish(&m, digest);
	assert_memory_equal(&m, &nothing, sizeof(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5_gives_what_rfc_1321_gives),
		cmocka_unit_test(sha1_gives_what_rfc_3174_gives),
		cmocka_unit_test(hmac_gives_what_rfc_2202_gives),
		cmocka_unit_test(hmac_knows_the_length_of_a_block),
		cmocka_unit_test(pads_texts_of_every_length),
		cmocka_unit_test(takes_a_million_bytes),
		cmocka_unit_test(takes_bytes_of_every_value),
		cmocka_unit_test(md5_takes_a_text_in_pieces),
		cmocka_unit_test(md5_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
