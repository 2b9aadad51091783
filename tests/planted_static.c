/*
 * Faults for the tools of tools/static.sh to find.  Not part of any program.
 * A comment names the tools that have to say something about its line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int planted(const char *name, size_t n, int which);

static int
leaks(const char *name)
{
	FILE *f = fopen(name, "r");
	int c = 0;

	if (f == NULL)
		return -1;
	c = fgetc(f);
	return c; /* found by gcc cppcheck */
}

static int
frees_twice(size_t n)
{
	char *p = malloc(n);

	if (p == NULL)
		return -1;
	free(p);
	free(p); /* found by gcc cppcheck tidy */
	return 0;
}

static int
follows_null(size_t n)
{
	int *p = malloc(n * sizeof(*p));

	*p = 1; /* found by gcc */
	n = (size_t)*p;
	free(p);
	return (int)n;
}

static int
reads_beyond(int which)
{
	static const int table[4] = { 1, 2, 3, 4 };
	int i, sum = which;

	for (i = 0; i <= 4; i++)
		sum += table[i]; /* found by cppcheck */
	return sum;
}

static int
says_the_same_twice(int which)
{
	return which > 1 && which > 1; /* found by tidy */
}

static size_t
measures_the_pointer(const char *name)
{
	return sizeof(name) / sizeof(*name); /* found by tidy */
}

static int
reads_what_nobody_wrote(int which)
{
	int value;

	if (which > 3)
		value = 1;
	return value; /* found by gcc cppcheck tidy */
}

int
planted(const char *name, size_t n, int which)
{
	return leaks(name) + frees_twice(n) + follows_null(n) +
	    reads_beyond(which) + says_the_same_twice(which) +
	    (int)measures_the_pointer(name) + reads_what_nobody_wrote(which);
}
