#!/bin/sh
# The tests of the store, the domain and the pages once more, on PostgreSQL:
# Debian's, started by this script as an ordinary user in a directory of its
# own on a Unix socket, and stopped by it.
#
#	tests/postgres.sh [TEST...]	such as tests/store/test_users
#
# In `make check` those of the store alone; FULL=yes: all.
set -u
build=$(cd "${builddir:-.}" && pwd) || exit 1
skip()
{
	echo "skipped: $1"
	exit 77
}

[ -e "$build/db_postgres.so" ] || skip "built --without-postgres"
[ -x "$build/tests/store/test_users" ] || skip "cmocka is missing"
bin=""
for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/bin /usr/bin; do
	[ -x "$d/initdb" ] && [ -x "$d/postgres" ] && bin=$d
done
[ -n "$bin" ] || skip "no PostgreSQL server is installed (postgresql)"

# The server refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
	command -v setpriv >/dev/null 2>&1 || skip "setpriv is missing"
	group=$(id -gn nobody)
	as() { setpriv --reuid=nobody --regid="$group" --clear-groups "$@"; }
else
	as() { "$@"; }
fi

free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
base=/tmp
[ "${free:-0}" -lt 500000 ] || base=/dev/shm
dir=$(mktemp -d "$base/dk-pg-XXXXXX") || exit 1
finish()
{
	[ -e "$dir/data/postmaster.pid" ] &&
	    as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$dir"
[ "$(id -u)" -ne 0 ] || chown nobody "$dir"
cd "$dir" || exit 1

# In memory where there is room, for fsync stays on: `doorkeep db check` says
# so if it is off.  A locale that folds more than ASCII would show where the
# store depends on one.
locale=$(locale -a 2>/dev/null | grep -iE -m 1 '^(tr_TR|de_DE|en_US|C)[._]utf-?8$')
{
	as "$bin/initdb" -D "$dir/data" -U doorkeep -A trust -E UTF8 \
	    --locale="${locale:-C}" --no-sync &&
	    as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-k $dir \
		-c listen_addresses= -c max_connections=120 -c autovacuum=off" start
} >"$dir/start" 2>&1 || {
	cat "$dir/start" "$dir/log"
	exit 1
}
DOORKEEP_TEST_POSTGRES="postgresql://doorkeep@/postgres?host=$dir"
export DOORKEEP_TEST_POSTGRES

# Those that are about SQLite's files.
only_sqlite='tests/store/test_db tests/store/test_statements
tests/domain/test_slots tests/web/test_template'
if [ $# -eq 0 ]; then
	cd "$build" || exit 1
	set --
	rooms=store
	[ "${FULL:-no}" = no ] || rooms="store domain web"
	for room in $rooms; do
		for t in tests/"$room"/test_*; do
			case $t in *.*) continue ;; esac
			case " $(echo "$only_sqlite" | tr '\n' ' ') " in
			*" $t "*) continue ;;
			esac
			[ -x "$t" ] && set -- "$@" "$t"
		done
	done
fi

status=0 passed=0
cd "$build" || exit 1
for t; do
	# A module is looked for beside the program.
	ln -sf "$build/db_postgres.so" "$(dirname "$t")/db_postgres.so"
	"./$t" >"$dir/out" 2>&1 || {
		status=1
		echo "$t on PostgreSQL:"
		grep -E 'FAILED|ERROR|error:|\[   LINE' "$dir/out" | head -n 60
	}
	n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$dir/out" |
	    tail -n 1)
	passed=$((passed + ${n:-0}))
done
echo "[  PASSED  ] $passed test(s) on $("$bin/postgres" --version)."
exit $status
