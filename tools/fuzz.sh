#!/bin/sh
# fuzz.sh [-b FOLDER] SECONDS [TARGET...]: run the fuzz targets named (form,
# cookie, ...), or all of them, for so many seconds each with clang's
# libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#
# FOLDER (default: doorkeep-fuzz in $TMPDIR or /tmp) takes the build, the new
# inputs (FOLDER/new/TARGET) and what made a target fail (FOLDER/found); the
# corpora in fuzz/corpus are only read.  Exit 0: nothing found, 1: something
# found or not built, 2: usage.
set -eu

usage()
{
	sed -n '2,4s/^# //p' "$0" >&2
	exit 2
}

here=$(cd "$(dirname "$0")/.." && pwd)
folder=${TMPDIR:-/tmp}/doorkeep-fuzz
while getopts b: option; do
	case $option in
	b) folder=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
seconds=$1
shift
case $seconds in
'' | *[!0-9]* | 0) usage ;;
esac
if [ $# -eq 0 ]; then
	for file in "$here"/fuzz/fuzz_*.c; do
		file=${file##*/fuzz_}
		set -- "$@" "${file%.c}"
	done
fi
for target; do
	[ -f "$here/fuzz/fuzz_$target.c" ] || {
		echo "fuzz.sh: there is no fuzz/fuzz_$target.c" >&2
		exit 2
	}
done

[ -x "$here/configure" ] || (cd "$here" && autoreconf -fi)
mkdir -p "$folder/found"
cd "$folder"
[ -f Makefile ] || "$here/configure" -q --enable-sanitizers CC=clang \
    CFLAGS='-g -O1 -fsanitize=fuzzer-no-link'

# The program that replays a corpus, linked without its main(): libFuzzer
# brings its own.
build()
{
	make -s src/store/queries.h src/words/messages.h &&
	    make -s "fuzz/replay_$1" \
	    "fuzz_replay_$1_OBJECTS=fuzz/fuzz_$1.o" LDFLAGS='-fsanitize=fuzzer'
}

bad=0
for target; do
	if ! build "$target"; then
		echo "fuzz.sh: $target could not be built" >&2
		bad=1
		continue
	fi
	mkdir -p "new/$target"
	echo "== $target, $seconds s"
	dict=$here/fuzz/dict/$target
	[ -f "$dict" ] || {
		echo "fuzz.sh: there is no dictionary fuzz/dict/$target" >&2
		exit 2
	}
	"fuzz/replay_$target" -dict="$dict" -max_total_time="$seconds" -max_len=4096 \
	    -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix="found/$target-" "new/$target" \
	    "$here/fuzz/corpus/$target" >"$target.log" 2>&1 || {
		bad=1
		tail -n 40 "$target.log"
		echo "fuzz.sh: $target failed; see $folder/$target.log and" \
		    "$folder/found"
	}
	sed -n 's/^stat::\(number_of_executed_units\|new_units_added\): */   \1 /p' \
	    "$target.log"
done
exit $bad
