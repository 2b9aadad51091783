#!/bin/sh
# queries.sh h|c queries.sql: print the enum (h) or the table (c) of the
# statements in it.  A block begins with "-- name: NAME"; comment lines do
# not go into the text.
set -eu
case $1 in
h)
	awk '
	BEGIN {
		print "/* Made by tools/queries.sh from sql/queries.sql; do not edit. */"
		print "#ifndef DK_STORE_QUERIES_H"
		print "#define DK_STORE_QUERIES_H\n"
		print "enum query {"
	}
	/^-- name: / { printf "\tQ_%s,\n", toupper($3) }
	END {
		print "\tQUERY_COUNT\n};\n"
		print "struct query_text {\n\tconst char *name, *sql;\n};"
		print "extern const struct query_text query_texts[QUERY_COUNT];\n"
		print "#endif"
	}' "$2"
	;;
c)
	awk '
	function finish() { if (open) print "\t},"; open = 0 }
	BEGIN {
		print "/* Made by tools/queries.sh from sql/queries.sql; do not edit. */"
		print "#include \"store/queries.h\"\n"
		print "const struct query_text query_texts[QUERY_COUNT] = {"
	}
	/^-- name: / {
		finish()
		printf "\t[Q_%s] = { \"%s\",\n", toupper($3), $3
		open = 1
		next
	}
	/^--/ || /^[ \t]*$/ { next }
	{
		gsub(/\\/, "\\\\"); gsub(/"/, "\\\"")
		printf "\t  \"%s\\n\"\n", $0
	}
	END { finish(); print "};" }' "$2"
	;;
*)
	echo "usage: queries.sh h|c FILE" >&2
	exit 2
	;;
esac
