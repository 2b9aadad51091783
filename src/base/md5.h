#ifndef DK_BASE_MD5_H
#define DK_BASE_MD5_H

#include "base/str.h"

/*
 * MD5 (RFC 1321), for one thing only: the $apr1$ hashes of imported htpasswd
 * files, which are replaced at the first sign-in.
 */
enum { MD5_LEN = 16, MD5_BLOCK_LEN = 64 };

struct md5 {
	unsigned state[4];
	unsigned char block[MD5_BLOCK_LEN];
	unsigned long long total; /* bytes */
};

void md5_start(struct md5 *m);
void md5_add(struct md5 *m, struct str data);
void md5_finish(struct md5 *m, unsigned char out[MD5_LEN]); /* wipes *m */

#endif
