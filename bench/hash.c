/*
 * hash TIMES: what one argon2id of doorkeep's default cost takes, alone.
 * Prints one line for each: microseconds of the processor.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long
cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int
main(int argc, char **argv)
{
	static const char password[] = "lantern harbour seven";
	char text[crypto_pwhash_STRBYTES] = { 0 };
	long times = argc == 2 ? strtol(argv[1], NULL, 10) : 0;

	if (times <= 0 || sodium_init() < 0 ||
	    crypto_pwhash_str(
		text, password, strlen(password), 2, (size_t)19456 * 1024) != 0)
		return 2;
	while (times-- > 0) {
		long long start = cpu_us();

		if (crypto_pwhash_str_verify(
			text, password, strlen(password)) != 0)
			return 1;
		(void)printf("%lld\n", cpu_us() - start);
	}
	return 0;
}
