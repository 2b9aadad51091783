#!/bin/sh
# static.sh [-j N] BUILD [TOOL...]: look for faults in src and cgi-bin without
# running anything: gcc -fanalyzer, clang-tidy (.clang-tidy says which checks)
# and cppcheck, or those named (gcc, tidy, cppcheck).  BUILD is a build of the
# sources, of which the generated headers are used.
#
#	static.sh --planted BUILD	each tool must find the faults in
#					tests/planted_static.c, and no more than
#					there is
#
# A line of the code may be excepted where it stands, by a comment on it or on
# the one before: "static(gcc): why" (or tidy, cppcheck).
#
# The last line is "N passed, N failed"; exit 1 when something was found or a
# tool is missing, 2: usage.
set -u
cd "$(dirname "$0")/.." || exit 2

usage()
{
	sed -n '2,15s/^# \{0,1\}//p' "$0"
}

jobs=$(nproc 2>/dev/null || echo 2) planted=no
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--planted) planted=yes ;;
	-j) [ $# -gt 1 ] || { usage >&2; exit 2; }
		jobs=$2; shift ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
[ $# -ge 1 ] && [ -f "$1/src/store/queries.h" ] || { usage >&2; exit 2; }
build=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- cppcheck gcc tidy

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0

# What the Makefile gives to the compiler, without its optimizer.
flags="-D_GNU_SOURCE -Isrc -I$build/src -DPACKAGE_VERSION=\"0\"
-DDK_SYSCONFDIR=\"/etc\" -DDK_LOCALSTATEDIR=\"/var\"
-DDK_LIBEXECDIR=\"/usr/libexec\" -DDK_DATADIR=\"/usr/share\"
-DDK_MODULEDIR=\"/usr/lib/doorkeep\" -DDK_HAVE_POSTGRES"
for package in sqlite3 libsodium uuid jansson libpq; do
	flags="$flags $(pkg-config --cflags "$package" 2>/dev/null)"
done

files()
{
	if [ "$planted" = yes ]; then
		echo tests/planted_static.c
	else
		find src cgi-bin -name '*.c' | LC_ALL=C sort
	fi
}

# What was found, without the lines that are excepted where they stand.
found()
{
	awk -v tool="$1" '
	match($0, /^[^ :]+\.[ch]:[0-9]+:[0-9]+: (error|warning|portability|performance):/) {
		split($0, at, ":")
		file = at[1]
		sub("^.*/src/", "src/", file)
		mark = "static(" tool "):"
		if (!(file in known)) {
			n = 0
			while ((getline line < file) > 0)
				text[file, ++n] = line
			close(file)
			known[file] = 1
		}
		shown = !index(text[file, at[2]], mark) &&
		    !index(text[file, at[2] - 1], mark)
	}
	shown' "$2"
}

# Each writes what it finds to stdout, each with a FILE:LINE.  (There are no
# threads here: what cppcheck says about getpwnam and the like is not asked.)
run_gcc()
{
	# shellcheck disable=SC2086
	files | xargs -P "$jobs" -n 1 gcc -std=c11 $flags -O0 -fanalyzer \
	    -Wall -Wextra -Wno-missing-field-initializers -c -o /dev/null 2>&1
}
run_tidy()
{
	# shellcheck disable=SC2086
	files | xargs -P "$jobs" -n 4 sh -c '
		files=
		while [ "$1" != -- ]; do flags="$flags $1"; shift; done
		shift
		clang-tidy --quiet "$@" -- -std=c11 $flags' sh $flags -- 2>/dev/null
}
run_cppcheck()
{
	# shellcheck disable=SC2046,SC2086
	cppcheck -q -j "$jobs" --enable=warning,performance,portability \
	    --inline-suppr --std=c11 --library=posix \
	    --suppress=getpwnamCalled --suppress=getgrnamCalled \
	    --suppress=getpwuidCalled \
	    --suppress=readdirCalled \
	    $flags $(files) 2>&1
}

# What a tool has to say of the planted faults: "LINE WORD" in the comments.
check_planted()
{
	missing=$(awk -v tool="$1" '
		FNR == NR { said = said "\n" $0; next }
		match($0, "found by.* " tool "( |$)") {
			if (!index(said, "planted_static.c:" FNR ":"))
				print FILENAME ":" FNR ": not found by " tool
		}' "$2" tests/planted_static.c)
	[ -z "$missing" ] || echo "$missing"
	[ -z "$missing" ]
}

for tool; do
	case $tool in
	gcc) program=gcc ;;
	tidy) program=clang-tidy ;;
	cppcheck) program=cppcheck ;;
	*) usage >&2; exit 2 ;;
	esac
	if ! command -v $program >/dev/null 2>&1; then
		echo "not ok - $program is not installed"
		failed=$((failed + 1))
		continue
	fi
	run_$tool >"$work/said"
	if [ "$planted" = yes ]; then
		check_planted $tool "$work/said" && good=yes || good=no
		what="finds the planted faults"
	else
		found $tool "$work/said" >"$work/found"
		[ -s "$work/found" ] && good=no || good=yes
		what="finds nothing in $(files | wc -l) files"
	fi
	if [ $good = yes ]; then
		echo "ok - $program $what"
		passed=$((passed + 1))
	else
		cat "$work/found" 2>/dev/null
		echo "not ok - $program $what"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
