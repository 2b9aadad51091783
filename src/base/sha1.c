#include "base/sha1.h"

#include <string.h>

#include "base/secret.h"

enum { BLOCK_LEN = 64 };

struct sha1_state {
	uint32_t h[5];
	unsigned char block[BLOCK_LEN];
	size_t fill;
	uint64_t total; /* bytes */
};

static uint32_t
rotate(uint32_t v, unsigned bits)
{
	return v << bits | v >> (32 - bits);
}

/* One of the eighty steps: the round's function and constant (RFC 3174 5). */
static uint32_t
mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999u;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1u;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
	return (b ^ c ^ d) + 0xca62c1d6u;
}

static void
process(struct sha1_state *s)
{
	uint32_t w[80], v[5], next;
	unsigned t;

	for (t = 0; t < 16; t++)
		w[t] = (uint32_t)s->block[4 * t] << 24 |
		    (uint32_t)s->block[4 * t + 1] << 16 |
		    (uint32_t)s->block[4 * t + 2] << 8 | s->block[4 * t + 3];
	for (; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, s->h, sizeof(v));
	for (t = 0; t < 80; t++) {
		next = rotate(v[0], 5) + mix(t, v[1], v[2], v[3]) + v[4] + w[t];
		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (t = 0; t < 5; t++)
		s->h[t] += v[t];
	s->fill = 0;
	secret_wipe(w, sizeof(w));
}

static void
start(struct sha1_state *s)
{
	*s = (struct sha1_state){ .h = { 0x67452301u, 0xefcdab89u, 0x98badcfeu,
				      0x10325476u, 0xc3d2e1f0u } };
}

static void
add(struct sha1_state *s, struct str data)
{
	size_t i;

	s->total += data.n;
	for (i = 0; i < data.n; i++) {
		s->block[s->fill++] = (unsigned char)data.p[i];
		if (s->fill == BLOCK_LEN)
			process(s);
	}
}

static void
finish(struct sha1_state *s, unsigned char out[SHA1_LEN])
{
	uint64_t bits = s->total * 8;
	char length[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		length[i] = (char)(bits >> (56 - 8 * i) & 0xff);
	add(s, STR("\x80"));
	while (s->fill != BLOCK_LEN - sizeof(length))
		add(s, (struct str){ "", 1 });
	add(s, (struct str){ length, sizeof(length) });
	for (i = 0; i < SHA1_LEN; i++)
		out[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
	secret_wipe(s, sizeof(*s));
}

void
sha1(struct str data, unsigned char out[SHA1_LEN])
{
	struct sha1_state s;

	start(&s);
	add(&s, data);
	finish(&s, out);
}

void
sha1_hmac(struct str key, struct str data, unsigned char out[SHA1_LEN])
{
	unsigned char pad[BLOCK_LEN] = { 0 };
	struct sha1_state s;
	size_t i;

	if (key.n > BLOCK_LEN)
		sha1(key, pad);
	else if (key.n > 0)
		memcpy(pad, key.p, key.n);
	for (i = 0; i < BLOCK_LEN; i++)
		pad[i] ^= 0x36;
	start(&s);
	add(&s, (struct str){ (const char *)pad, sizeof(pad) });
	add(&s, data);
	finish(&s, out);
	for (i = 0; i < BLOCK_LEN; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	start(&s);
	add(&s, (struct str){ (const char *)pad, sizeof(pad) });
	add(&s, (struct str){ (const char *)out, SHA1_LEN });
	finish(&s, out);
	secret_wipe(pad, sizeof(pad));
}
