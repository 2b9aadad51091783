#!/bin/sh
# What the house forbids, and what a function may be.
set -u
cd "${srcdir:-.}" || exit 1
status=0
fault()
{
	echo "$1"
	status=1
}
files=$(ls src/*/*.[ch] cgi-bin/*.c)

# Comments and texts may name what the code must not use.
code()
{
	sed -e 's/"\([^"\\]\|\\.\)*"/""/g' -e 's://.*$::' "$1" |
	    awk '{
		while (1) {
			if (inside) {
				i = index($0, "*/")
				if (!i) { $0 = ""; break }
				$0 = substr($0, i + 2); inside = 0
			}
			i = index($0, "/*")
			if (!i) break
			j = index(substr($0, i + 2), "*/")
			if (j) $0 = substr($0, 1, i - 1) substr($0, i + j + 3)
			else { $0 = substr($0, 1, i - 1); inside = 1 }
		}
		print NR ":" $0 }'
}

# forbid PATTERN WHY [FILES THAT MAY...]
forbid()
{
	pattern=$1 why=$2
	shift 2
	for file in $files; do
		allowed=no
		for may; do
			case $file in $may) allowed=yes ;; esac
		done
		[ $allowed = yes ] && continue
		found=$(code "$file" | grep -E "(^|[^A-Za-z0-9_>.])$pattern")
		[ -z "$found" ] || fault "$file: $why
$found"
	done
}

forbid '(strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|gets|atoi|atol|alloca)\(' \
    'unbounded or unchecked; use str and buf'
forbid '(malloc|calloc|realloc|free|strdup)\(' \
    'memory comes from the arena or base/secret.h' \
    'src/base/*' src/domain/stored_hash.c src/http/json.c
forbid '(rand|srand|random|drand48)\(' 'randomness comes from base/secret.h'
forbid '(time|gettimeofday|clock_gettime)\(' \
    'the one clock is base/clock.h' src/base/clock.c
forbid '(getenv|secure_getenv|setenv|putenv)\(' \
    'the environment is read in http and conf' \
    'src/http/*' 'src/conf/*' src/gateway/fcgi.c
forbid '(printf|puts|putchar|vprintf)\(' \
    'stdout belongs to the command line' 'src/ctl/*'
forbid '(system|popen)\(' 'no shell'
forbid 'memcmp\(' 'compare secrets with base/secret.h, texts with str_eq' \
    src/base/str.c src/base/net.c src/base/secret.c

# Formatted SQL.
for file in $files; do
	found=$(grep -nE '(addf|printf)\(.*"(SELECT|INSERT|UPDATE|DELETE) ' "$file")
	[ -z "$found" ] || fault "$file: SQL is not put together
$found"
done

# Functions up to 60 lines, nesting up to 4 tabs within them.
for file in $files; do
	awk -v file="$file" '
	/^\{/ { start = NR }
	/^\}/ && start {
		if (NR - start > 61) {
			printf "%s:%d: a function of %d lines; split it\n", \
			    file, start, NR - start - 1
			bad = 1
		}
		start = 0
	}
	length($0) > 100 && file !~ /ctl_commands/ {
		printf "%s:%d: a line of %d bytes\n", file, NR, length($0)
		bad = 1
	}
	END { exit bad }' "$file" || status=1
done
exit $status
