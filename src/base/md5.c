#include "base/md5.h"

#include <stdint.h>
#include <string.h>

#include "base/secret.h"

/* floor(2^32 * abs(sin(i + 1))), RFC 1321 3.4 */
static const uint32_t sines[64] = {
	0xd76aa478u, 0xe8c7b756u, 0x242070dbu, 0xc1bdceeeu, 0xf57c0fafu,
	0x4787c62au, 0xa8304613u, 0xfd469501u, 0x698098d8u, 0x8b44f7afu,
	0xffff5bb1u, 0x895cd7beu, 0x6b901122u, 0xfd987193u, 0xa679438eu,
	0x49b40821u, 0xf61e2562u, 0xc040b340u, 0x265e5a51u, 0xe9b6c7aau,
	0xd62f105du, 0x02441453u, 0xd8a1e681u, 0xe7d3fbc8u, 0x21e1cde6u,
	0xc33707d6u, 0xf4d50d87u, 0x455a14edu, 0xa9e3e905u, 0xfcefa3f8u,
	0x676f02d9u, 0x8d2a4c8au, 0xfffa3942u, 0x8771f681u, 0x6d9d6122u,
	0xfde5380cu, 0xa4beea44u, 0x4bdecfa9u, 0xf6bb4b60u, 0xbebfbc70u,
	0x289b7ec6u, 0xeaa127fau, 0xd4ef3085u, 0x04881d05u, 0xd9d4d039u,
	0xe6db99e5u, 0x1fa27cf8u, 0xc4ac5665u, 0xf4292244u, 0x432aff97u,
	0xab9423a7u, 0xfc93a039u, 0x655b59c3u, 0x8f0ccc92u, 0xffeff47du,
	0x85845dd1u, 0x6fa87e4fu, 0xfe2ce6e0u, 0xa3014314u, 0x4e0811a1u,
	0xf7537e82u, 0xbd3af235u, 0x2ad7d2bbu, 0xeb86d391u,
};
static const unsigned char turns[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 },
	{ 4, 11, 16, 23 }, { 6, 10, 15, 21 } };

/* The round's function and the word that the step takes. */
static uint32_t
mix(unsigned i, uint32_t b, uint32_t c, uint32_t d, unsigned *word)
{
	switch (i / 16) {
	case 0:
		*word = i;
		return (b & c) | (~b & d);
	case 1:
		*word = (5 * i + 1) % 16;
		return (d & b) | (~d & c);
	case 2:
		*word = (3 * i + 5) % 16;
		return b ^ c ^ d;
	default:
		*word = 7 * i % 16;
		return c ^ (b | ~d);
	}
}

static void
process(struct md5 *m)
{
	uint32_t w[16], v[4], sum;
	unsigned i, word;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)m->block[4 * i] |
		    (uint32_t)m->block[4 * i + 1] << 8 |
		    (uint32_t)m->block[4 * i + 2] << 16 |
		    (uint32_t)m->block[4 * i + 3] << 24;
	memcpy(v, m->state, sizeof(v));
	for (i = 0; i < 64; i++) {
		unsigned turn = turns[i / 16][i % 4];

		sum = v[0] + mix(i, v[1], v[2], v[3], &word) + sines[i];
		sum += w[word];
		v[0] = v[3];
		v[3] = v[2];
		v[2] = v[1];
		v[1] += sum << turn | sum >> (32 - turn);
	}
	for (i = 0; i < 4; i++)
		m->state[i] += v[i];
	secret_wipe(w, sizeof(w));
}

void
md5_start(struct md5 *m)
{
	*m = (struct md5){ .state = { 0x67452301u, 0xefcdab89u, 0x98badcfeu,
			       0x10325476u } };
}

void
md5_add(struct md5 *m, struct str data)
{
	size_t i;

	for (i = 0; i < data.n; i++) {
		m->block[m->total++ % MD5_BLOCK_LEN] = (unsigned char)data.p[i];
		if (m->total % MD5_BLOCK_LEN == 0)
			process(m);
	}
}

void
md5_finish(struct md5 *m, unsigned char out[MD5_LEN])
{
	unsigned long long bits = m->total * 8;
	char length[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		length[i] = (char)(bits >> 8 * i & 0xff);
	md5_add(m, STR("\x80"));
	while (m->total % MD5_BLOCK_LEN != MD5_BLOCK_LEN - sizeof(length))
		md5_add(m, (struct str){ "", 1 });
	md5_add(m, (struct str){ length, sizeof(length) });
	for (i = 0; i < MD5_LEN; i++)
		out[i] = (unsigned char)(m->state[i / 4] >> 8 * (i % 4));
	secret_wipe(m, sizeof(*m));
}
