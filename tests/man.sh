#!/bin/sh
# The manual is well-formed and complete: every key of the configuration,
# every command and every option is in it.
set -u
cd "${srcdir:-.}" || exit 1
status=0
fault()
{
	echo "$1"
	status=1
}
if command -v mandoc >/dev/null 2>&1; then
	for page in man/*; do
		mandoc -Tlint -W warning "$page" || fault "$page: see above"
	done
else
	echo "mandoc is not installed; the pages are not linted"
fi

sed -n 's/^	{ "\([a-z]*\)", "\([a-z0-9_]*\)", CONF_.*/\1 \2/p' \
    src/conf/conf_table.c |
    while read -r section key; do
	grep -q "^\.Ss \[$section\]" man/doorkeep.conf.5 ||
	    echo "man/doorkeep.conf.5: no section [$section]"
	grep -Eq "^\.It Cm (.* , )?$key( |$)" man/doorkeep.conf.5 ||
	    echo "man/doorkeep.conf.5: [$section] $key is missing"
    done | grep . && status=1

# Each row of the table of commands: noun, verb, options.
awk '
/^	\{ "/ {
	split($0, part, "\"")
	noun = part[2]
	verb = $0 ~ /", NULL, "/ ? "" : " " part[4]
	print noun verb
}
/^		\{ "/ { split($0, part, "\""); print noun verb " --" part[2] }
' src/ctl/ctl_commands.c |
    while read -r noun verb option; do
	case $verb in --*) option=$verb verb= ;; esac
	line=$(grep -E "^\.It Ic $noun${verb:+ $verb}( |\$)" man/doorkeep.1)
	[ -n "$line" ] ||
	    echo "man/doorkeep.1: the command \"$noun $verb\" is missing"
	case $option in
	'') ;;
	*) echo "$line" | grep -q -e "-${option#--}\b" ||
	    echo "man/doorkeep.1: $noun $verb: $option is missing" ;;
	esac
    done | grep . && status=1
exit $status
