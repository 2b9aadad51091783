#!/bin/sh
# Every name that people rely on is used by a test: pages, keys, statements
# and commands; and every requirement that is cited is kept in
# doc/requirements.md or proved by a test that says so.
set -u
cd "${srcdir:-.}" || exit 1
status=0

# One file with all tests and one with their requirements: quick to search.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
find tests fuzz -name '*.[ch]' -o -name '*.py' | sort | xargs cat >"$work/tests"
cat tests/*/*.[ch] fuzz/*.[ch] >"$work/unit"
# .sh files of this folder name what they look for: they do not count.
tested() { grep -qF -e "$1" "$work/tests"; }

# say FILE PATTERN TEXT: a fault where FILE has the name
say() { echo "$1:$(grep -nF -e "$2" "$1" | head -n 1 | cut -d: -f1): $3"; }

# at_least N WHAT: what is searched for is still found
at_least()
{
	read -r found
	[ "$found" -ge "$1" ] && return
	echo "tests/coverage_of_names.sh:1: sees $found $2 only; mend it"
	status=1
}

sed -n 's/^	{ "\(\/[a-z.\/-]*\)", METHOD.*/\1/p' src/web/route.c |
    sort -u >"$work/routes"
wc -l <"$work/routes" >"$work/n"; at_least 10 routes <"$work/n"
while read -r route; do
	tested "$route\"" || tested "$route'" || tested "$route?" ||
	    say src/web/route.c "\"$route\"" "no test asks for $route"
done <"$work/routes" | grep . && status=1

sed -n 's/^	{ "\([a-z]*\)", "\([a-z0-9_]*\)", CONF_.*/\1 \2/p' \
    src/conf/conf_table.c >"$work/keys"
wc -l <"$work/keys" >"$work/n"; at_least 20 keys <"$work/n"
while read -r section key; do
	grep -Eq -e "(^|[^a-z_])${key} *=" -e "['\"]${key}['\"]" "$work/tests" ||
	    say src/conf/conf_table.c "\"$section\", \"$key\"" \
		"no test sets [$section] $key"
done <"$work/keys" | grep . && status=1

# The two engines go through the same migrations to the same tables, columns
# and indexes.
shape()
{
	sed 's/--.*//' "$1" | awk '
	/^(CREATE|DROP) (UNIQUE )?(TABLE|INDEX|VIEW)/ {
		sub(/UNIQUE /, ""); table = $2 == "TABLE" ? $3 : ""
		print $1, $2, $3
	}
	/^ALTER TABLE/ { print }
	/^\)/ { table = "" }
	table != "" && /^\t[a-z_]+ / { print table "." $1 }' |
	    sed 's/ INTEGER/ BIGINT/; s/ COLLATE "C"//; s/;$//' | sort
}
for f in sql/sqlite/*.sql sql/postgres/*.sql; do
	a=sql/sqlite/${f##*/} b=sql/postgres/${f##*/}
	[ -e "$a" ] && [ -e "$b" ] || {
		echo "$f:1: is there for one of the two engines only"
		status=1
		continue
	}
	shape "$a" >"$work/a"
	shape "$b" >"$work/b"
	diff "$work/a" "$work/b" >"$work/diff" || {
		echo "$f:1: makes other tables than its twin:"
		cat "$work/diff"
		status=1
	}
	wc -l <"$work/a" >"$work/n"
	at_least 3 "names in $f" <"$work/n"
done

# The test of the statements prepares each by its number; here: is it used?
sed -n 's/^-- name: //p' sql/queries.sql >"$work/statements"
wc -l <"$work/statements" >"$work/n"; at_least 30 statements <"$work/n"
cat src/store/*.c >"$work/store"
while read -r name; do
	upper=Q_$(echo "$name" | tr '[:lower:]' '[:upper:]')
	grep -qw -e "$upper" "$work/store" ||
	    say sql/queries.sql "-- name: $name" "nobody uses it; remove it"
done <"$work/statements" | grep . && status=1
grep -qw QUERY_COUNT "$work/unit" || {
	echo "tests/store/test_statements.c:1: does not go through QUERY_COUNT"
	status=1
}

# Each command is run by an end-to-end test.
cat tests/e2e/*.py >"$work/e2e"
sed -n -e 's/^	{ "\([a-z]*\)", NULL, .*/"\1"/p' \
    -e 's/^	{ \("[a-z]*", "[a-z]*"\), .*/\1/p' \
    src/ctl/ctl_commands.c >"$work/commands"
wc -l <"$work/commands" >"$work/n"; at_least 20 commands <"$work/n"
while read -r words; do
	grep -qF -e "$words" "$work/e2e" ||
	    say src/ctl/ctl_commands.c "{ $words" "no test runs it"
done <"$work/commands" | grep . && status=1

# ---- requirements ------------------------------------------------------------
# | id | weight | tests that name it, or "-" | and why not |
list=doc/requirements.md
if [ ! -r $list ]; then
	echo "$list:1: is missing; README.md promises it"
	exit 1
fi
grep -ohE 'DK-[A-Z]+-[0-9]+' -r tests fuzz --include='*.[ch]' \
    --include='*.py' | sort -u >"$work/proved"
grep -oE '^\| *DK-[A-Z]+-[0-9]+' $list | tr -d '| ' | sort >"$work/listed"
uniq -d "$work/listed" | while read -r id; do
	say $list "| $id " "$id has two rows"
done | grep . && status=1
grep -onE 'DK-[A-Z]+-[0-9]+' -r src cgi-bin sql html tests fuzz \
    --include='*.[ch]' --include='*.sql' --include='*.py' |
    sort -t: -u -k3 | while IFS=: read -r file line id; do
	grep -qx "$id" "$work/listed" ||
	    echo "$file:$line: $id has no row in $list"
done | grep . && status=1
awk -F ' *[|] *' -v list=$list '
function fault(text) { print list ":" FNR ": " $2 ": " text; bad = 1 }
# Does the file name the requirement?
function names(file, id,    line, found) {
	found = 0
	while ((getline line < file) > 0) {
		lines[file]++
		if (line ~ id "([^0-9]|$)")
			found = 1
	}
	close(file)
	return found
}
BEGIN {
	while ((getline id < ARGV[1]) > 0)
		proved[id] = 1
	ARGV[1] = ""
}
/^[|] *DK-/ {
	if ($4 == "-") {
		if ($5 == "" || $5 ~ /TODO/)
			fault("no test and no reason; give one")
		else if ($2 in proved)
			fault("a test names it by now; name that test here")
		next
	}
	n = split($4, file, / *, */)
	if (n == 0)
		fault("names no test; give one, or - and why not")
	for (i = 1; i <= n; i++) {
		path = file[i] ~ /^fuzz\// ? file[i] : "tests/" file[i]
		if (!names(path, $2))
			fault(path (path in lines ? " does not name it" : \
			    " is no test") "; cite the id there, or say why not")
	}
}
END { exit bad }' "$work/proved" $list || status=1
exit $status
