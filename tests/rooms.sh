#!/bin/sh
# Data flows one way: which room may include which (doc/architecture.md).
# Every header stands alone and stays short.
set -u
cd "${srcdir:-.}" || exit 1
status=0
fault()
{
	echo "$1"
	status=1
}

# "room: what it may use"
rooms='base: base
conf: base conf
http: base http
store: base store
domain: base conf store domain
web: base conf http store domain web
ctl: base conf http store domain ctl
gateway: base http gateway'

for room in base conf http store domain web ctl gateway; do
	may=$(echo "$rooms" | sed -n "s/^$room: //p")
	for file in src/"$room"/*.[ch]; do
		for used in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" |
		    sort -u); do
			case " $may " in
			*" $used "*) ;;
			*) fault "$file: $room must not use $used" ;;
			esac
		done
	done
done

# Pages go through the domain; the structs of rows are all that they see.
grep -n 'users_[a-z_]*(\|sessions_[a-z_]*(\|events_[a-z_]*(\|db_[a-z_]*(' \
    src/web/*.c && fault "src/web: pages never call the store"

# What only one place may include.
for one in 'fcgiapp.h src/gateway/' 'sqlite3.h src/store/' \
    'jansson.h src/http/' 'sodium.h src/base/'; do
	header=${one% *} place=${one#* }
	for file in $(grep -l "#include <$header>" src/*/*.[ch]); do
		case $file in
		"$place"*) ;;
		src/domain/*)
			[ "$header" = sodium.h ] ||
			    fault "$file: <$header> belongs into $place" ;;
		*) fault "$file: <$header> belongs into $place" ;;
		esac
	done
done

queries=${abs_top_builddir:-${builddir:-.}}
for header in src/*/*.h; do
	lines=$(wc -l <"$header")
	[ "$lines" -le 170 ] ||
	    fault "$header: $lines lines; split it"
	printf '#include "%s"\n' "${header#src/}" |
	    ${CC:-cc} -std=c11 -D_GNU_SOURCE -Isrc -I"$queries/src" \
		-fsyntax-only -x c - ||
	    fault "$header: does not stand alone"
done
exit $status
