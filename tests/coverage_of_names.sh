#!/bin/sh
# Everything that people rely on by name is used by a test: routes, keys,
# statements, commands; and every requirement has a test or a reason.
set -u
cd "${srcdir:-.}" || exit 1
status=0
fault()
{
	echo "$1"
	status=1
}
tested() { grep -rqF -- "$1" tests fuzz; }

for route in $(sed -n 's/^	{ "\(\/[a-z.-]*\)", METHOD.*/\1/p' \
    src/web/route.c | sort -u); do
	tested "$route" || fault "route $route: no test names it"
done

for key in $(sed -n 's/^	{ "[a-z]*", "\([a-z0-9_]*\)", CONF_.*/\1/p' \
    src/conf/conf_table.c); do
	tested "$key" || fault "key $key: no test names it"
done

# The test of the statements goes through all of them by their number.
for name in $(sed -n 's/^-- name: //p' sql/queries.sql); do
	upper=Q_$(echo "$name" | tr '[:lower:]' '[:upper:]')
	grep -rqw "$upper" src || fault "statement $name: nobody uses it"
done
tested QUERY_COUNT || fault "statements: no test prepares them all"

sed -n 's/^	{ "\([a-z]*\)", \("\([a-z]*\)"\|NULL\).*/\1 \3/p' \
    src/ctl/ctl_commands.c |
    while read -r noun verb; do
	pattern="\"$noun\"${verb:+, \"$verb\"}"
	grep -rqF -- "$pattern" tests/e2e ||
	    echo "command $noun $verb: no test runs it"
    done | grep . && status=1

for id in $(sed -n 's/^| \(DK-[A-Z]-[0-9]*\) .*/\1/p' doc/requirements.md); do
	row=$(grep "^| $id " doc/requirements.md)
	case $row in
	*'| - |'*) ;;
	*) grep -rqw -- "$id" tests fuzz ||
	    fault "$id: doc/requirements.md says tested, and no test names it" ;;
	esac
done
exit $status
