#!/bin/sh
# embed.sh SYMBOL FILE...: print C that holds the files as a table of
# struct embedded, ended by a row of NULLs.
set -eu
symbol=$1
shift
printf '/* Made by tools/embed.sh; do not edit. */\n'
printf '#include "base/embed.h"\n\n'
printf 'extern const struct embedded %s[];\n' "$symbol"
printf 'const struct embedded %s[] = {\n' "$symbol"
for file; do
	printf '\t{ "%s",\n' "${file##*/}"
	awk '{
		gsub(/\\/, "\\\\&"); gsub(/"/, "\\\""); gsub(/\t/, "\\t")
		gsub(/\?\?/, "?\" \"?")
		printf "\t  \"%s\\n\"\n", $0
	} END { if (NR == 0) print "\t  \"\"" }' "$file"
	size=$(wc -c < "$file")
	printf '\t  , %d },\n' "$size"
done
printf '\t{ NULL, NULL, 0 }\n};\n'
