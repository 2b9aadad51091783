#!/bin/sh
# coverage.sh [-b FOLDER]: which lines and branches of http, domain, web and
# gateway do the unit tests and the corpora run?  Builds for gcov in FOLDER
# (default: build/coverage), runs `make check` there and compares each room
# with its floors in tests/coverage_floors.txt, which are only ever raised.
#
# The last line is "N passed, N failed"; exit 1 when a room is below a floor,
# 2: usage.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$(pwd)
folder=$top/build/coverage
while [ $# -gt 0 ]; do
	case $1 in
	-b) [ $# -gt 1 ] || exit 2
		folder=$2; shift ;;
	*) sed -n '2,9s/^# \{0,1\}//p' "$0"
		[ "$1" = --help ]; exit $(($? * 2)) ;;
	esac
	shift
done
command -v gcovr >/dev/null 2>&1 || {
	echo "not ok - gcovr is not installed"
	echo "0 passed, 1 failed"
	exit 1
}
[ -x configure ] || autoreconf -fi || exit 1
mkdir -p "$folder"
cd "$folder" || exit 2
# -O1 would fold branches, and a time that a test measures is another's.
{ [ -f config.status ] || "$top/configure" -q --enable-coverage \
    CFLAGS='-g -O0'; } >coverage.log 2>&1 &&
    make -j"$(nproc)" >>coverage.log 2>&1 || {
	tail -n 20 coverage.log
	echo "not ok - the build for gcov"
	echo "0 passed, 1 failed"
	exit 1
}
find . -name '*.gcda' -delete
# What fails is said by `make check` elsewhere; here it is run for its lines.
make -j"$(nproc)" check >>coverage.log 2>&1 || true

gcovr -r "$top" --object-directory . -f '.*src/' --exclude-throw-branches \
    --json-summary -o summary.json . >>coverage.log 2>&1 || {
	tail -n 20 coverage.log
	echo "not ok - gcovr"
	echo "0 passed, 1 failed"
	exit 1
}
exec python3 - "$top/tests/coverage_floors.txt" summary.json <<'END'
import json
import sys

with open(sys.argv[2]) as f:
    files = json.load(f)["files"]
passed = failed = 0
for row in open(sys.argv[1]):
    if row.startswith("#") or not row.strip():
        continue
    room, *floors = row.split()
    mine = [f for f in files if f["filename"].startswith("src/%s/" % room)]
    good, said = bool(mine), []
    for what, floor in zip(("line", "branch"), floors):
        total = sum(f[what + "_total"] for f in mine)
        share = 100 * sum(f[what + "_covered"] for f in mine) / max(total, 1)
        good = good and share >= float(floor)
        said.append("%.1f %% of %d %s (floor %s)" % (
            share, total, {"line": "lines", "branch": "branches"}[what],
            floor))
    print("%s - %s: %s" % ("ok" if good else "not ok", room,
                           ", ".join(said)))
    if not good:
        for f in sorted(mine, key=lambda f: f["line_covered"] -
                        f["line_total"])[:8]:
            print("#   %s: %s %% of lines, %s %% of branches" % (
                f["filename"], f["line_percent"], f["branch_percent"]))
    passed, failed = passed + good, failed + (not good)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
END
