/*
 * Replays a corpus: each file of $srcdir/fuzz/corpus/NAME (NAME from the
 * program's own name, replay_NAME) goes once through the target.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 1024 * 1024, PATH_LEN_MAX = 4096 };

static int
replay_file(const char *path, uint8_t *input)
{
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t n;

	if (f == NULL)
		return -1;
	n = fread(input, 1, INPUT_MAX, f);
	(void)fclose(f);
	/* A block of the exact size, so that a sanitizer sees the end. */
	exact = malloc(n == 0 ? 1 : n);
	if (exact == NULL)
		return -1;
	memcpy(exact, input, n);
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strrchr(argv[0], '/');
	char dir[PATH_LEN_MAX], path[PATH_LEN_MAX + 512];
	struct dirent *entry;
	unsigned long count = 0;
	uint8_t *input;
	DIR *d;

	name = strstr(name == NULL ? argv[0] : name, "replay_");
	if (name == NULL || argc > 2)
		return 2;
	(void)snprintf(dir, sizeof(dir), "%s/fuzz/corpus/%s",
	    srcdir == NULL ? "." : srcdir, name + strlen("replay_"));
	if (argc == 2)
		(void)snprintf(dir, sizeof(dir), "%s", argv[1]);
	d = opendir(dir);
	input = malloc(INPUT_MAX);
	if (d == NULL || input == NULL) {
		(void)fprintf(stderr, "%s: no corpus\n", dir);
		return 1;
	}
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir,
		    entry->d_name);
		if (replay_file(path, input) == 0)
			count++;
	}
	(void)closedir(d);
	free(input);
	printf("%s: %lu inputs replayed\n", dir, count);
	return count == 0;
}
