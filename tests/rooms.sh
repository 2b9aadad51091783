#!/bin/sh
# Data flows one way: which room may include what (doc/architecture.md).
# Every header stands alone and stays short.
set -u
build=$(cd "${builddir:-.}" && pwd) || exit 1
cd "${srcdir:-.}" || exit 1
status=0

# room: the rooms that it may use, with its own.  web uses the structs of the
# store's rows and nothing else of it; ctl uses two parsers of http and opens the
# pages as a worker does.
table='
base: base
conf: base conf
http: base http
store: base store
words: base words
domain: base conf words store domain
web: base conf words http domain web store/users.h store/sessions.h
ctl: base conf words store domain ctl http/url.h http/json.h web/web.h
gateway: base http gateway'

# header: the only places that may include it
fenced='
fcgiapp.h: src/gateway/fcgi.c
fastcgi.h: src/gateway/fcgi.c
fcgi_stdio.h:
sqlite3.h: src/store/sqlite.h cgi-bin/todos.c
libpq-fe.h: src/store/postgres.h
jansson.h: src/http/json.c
uuid/uuid.h: src/base/secret.c
crypt.h: src/domain/stored_hash.c
dlfcn.h: src/base/
sodium.h: src/base/ src/domain/'

for dir in src/*/; do
	room=${dir#src/}
	room=${room%/}
	case $table in
	*"
$room: "*) ;;
	*) echo "$dir:1: a room that is in no table; see doc/architecture.md"
		status=1 ;;
	esac
done

awk -v table="$table" -v fenced="$fenced" '
function fault(text) { print FILENAME ":" FNR ": " text; bad = 1 }
BEGIN {
	n = split(table, line, "\n")
	for (i = 1; i <= n; i++) {
		k = split(line[i], part, " ")
		sub(/:$/, "", part[1])
		for (j = 2; j <= k; j++)
			may[part[1], part[j]] = 1
	}
	n = split(fenced, line, "\n")
	for (i = 1; i <= n; i++) {
		k = index(line[i], ":")
		if (k > 0)
			place[substr(line[i], 1, k - 1)] = substr(line[i], k + 1)
	}
}
FNR == 1 {
	room = FILENAME
	sub(/^src\//, "", room)
	sub(/\/.*/, "", room)
}
# "room/header.h": of a room that this one may use
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	used = part[2]
	of = used
	sub(/\/.*/, "", of)
	if (used !~ /\//)
		fault("\"" used "\": write the room too, \"room/" used "\"")
	else if (FILENAME ~ /^src\// && !((room, of) in may) &&
	    !((room, used) in may))
		fault(room " must not use " used "; move the code, or what " \
		    "it needs, down")
}
# <header.h>: libraries are met in one place each
/^[ \t]*#[ \t]*include[ \t]*</ {
	used = $0
	sub(/^[^<]*</, "", used)
	sub(/>.*/, "", used)
	if (used in place) {
		ok = 0
		n = split(place[used], part, " ")
		for (i = 1; i <= n; i++)
			if (index(FILENAME, part[i]) == 1)
				ok = 1
		if (!ok)
			fault("<" used "> belongs into" \
			    (n > 0 ? place[used] : " no file of ours"))
	}
}
# Pages and commands go through the domain; rows are all that pages see.
/(users|groups|sessions|events|throttle|devices|links|factors|recovery|settings|db)_[a-z_]+\(/ &&
    FILENAME ~ /^src\/web\// {
	gsub(/throttle_unlock/, "") # of src/domain/throttle.h
	if (match($0, /(^|[^a-z_])(users|sessions|events|throttle|devices|links|factors|recovery|settings|db)_[a-z_]+\(/))
		fault("pages never call the store; go through src/domain")
}
END { exit bad }' src/*/*.[ch] cgi-bin/*.c || status=1

# A file that is in no list is in no tarball.
for file in src/*/*.[ch] cgi-bin/*.c; do
	grep -q "[ 	]$file\( \|\$\)" Makefile.am || {
		echo "$file:1: is in no list of Makefile.am; add or remove it"
		status=1
	}
done

# Headers with one table or one struct in them that has to be in one piece.
limit_of()
{
	case $1 in
	src/conf/conf.h | src/web/page.h) echo 175 ;;
	src/ctl/ctl.h) echo 175 ;;
	src/http/request.h) echo 160 ;;
	*) echo 125 ;;
	esac
}

# What configure found, so that this is the compiler of the build.
config() { sed -n "s/^S\[\"$1\"\]=\"\(.*\)\"\$/\1/p" "$build/config.status"; }
cc=${CC:-} flags=
if [ -r "$build/config.status" ]; then
	cc=$(config CC)
	flags="$(config SODIUM_CFLAGS) $(config SQLITE_CFLAGS) $(config PQ_CFLAGS)
	    $(config JANSSON_CFLAGS) $(config UUID_CFLAGS)"
fi
if [ ! -r "$build/src/store/queries.h" ] ||
    [ ! -r "$build/src/words/messages.h" ]; then
	echo "src/store/queries.h:1: is not made yet; run make first"
	exit 1
fi
for header in src/*/*.h; do
	case $header:$flags in
	src/store/postgres.h:*DK_HAVE_POSTGRES*) ;;
	src/store/postgres.h:*) continue ;; # built without it
	esac
	lines=$(wc -l <"$header")
	limit=$(limit_of "$header")
	if [ "$lines" -gt "$limit" ]; then
		echo "$header:$limit: has $lines lines; split it ($limit)"
		status=1
	fi
	# Twice, so that its guard is tried too.
	# shellcheck disable=SC2086
	why=$(printf '#include "%s"\n#include "%s"\n' "${header#src/}" \
	    "${header#src/}" |
	    ${cc:-cc} -std=c11 -D_GNU_SOURCE -Isrc -I"$build/src" $flags \
		-fsyntax-only -x c - 2>&1) || {
		echo "$header:1: does not stand alone; include what it needs:"
		echo "$why" | grep error | head -n 1
		status=1
	}
done
exit $status
