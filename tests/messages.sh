#!/bin/sh
# What pages say are messages: each key of messages/en.txt is used, templates
# and pages hold no words of their own, and every language is compiled in.
# (That all languages say everything, tests/words/test_words.c sees.)
set -u
cd "${srcdir:-.}" || exit 1
status=0

cat html/*.html >/dev/null || exit 1
keys=$(sed -n 's/^\([a-z][a-z0-9_]*\)\(\[[a-z]*\]\)\{0,1\} = .*/\1/p' \
    messages/en.txt | sort -u)
[ "$(echo "$keys" | wc -l)" -ge 100 ] || {
	echo "tests/messages.sh:1: sees too few messages; mend it"
	status=1
}
used=$(cat src/*/*.[ch] cgi-bin/*.c | grep -o 'MSG_[A-Z0-9_]*' | sort -u)
shown=$(cat html/*.html | grep -o '{{t:[a-z0-9_]*' | sort -u)
for key in $keys; do
	upper=$(echo "$key" | tr '[:lower:]' '[:upper:]')
	echo "$used" | grep -qx "MSG_$upper" ||
	    echo "$shown" | grep -qx "{{t:$key" || {
		echo "messages/en.txt:$(grep -n "^$key[][ =]" messages/en.txt |
		    head -n 1 | cut -d: -f1): nobody says $key; remove it"
		status=1
	}
done

# A language that is not in the list of Makefile.am is not compiled in.
for file in messages/*.txt; do
	grep -q "$file" Makefile.am || {
		echo "$file:1: is not in message_files of Makefile.am"
		status=1
	}
done

# Text between tags and in the attributes that people hear or see.
awk '
function fault(text) {
	print FILENAME ":" FNR ": \"" text "\" is no message; write {{t:key}}"
	bad = 1
}
function judge(text) {
	gsub(/&[a-z]+;/, "", text)
	if (text ~ /[A-Za-z]/) {
		gsub(/^[ \t]+|[ \t]+$/, "", text)
		fault(text)
	}
}
{
	line = $0
	gsub(/\{\{[^}]*\}\}/, "", line)
	rest = line
	while (match(rest, /(aria-label|alt|title|placeholder)="[^"]*"/)) {
		part = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		sub(/^[a-z-]*="/, "", part); sub(/"$/, "", part)
		judge(part)
	}
	gsub(/<[^>]*>/, "\n", line)
	judge(line)
}
END { exit bad }' html/*.html || status=1

# A sentence in the code of a page: two words and a stop.  Details for
# administrators and programs (struct page_problem) stay English.
awk '
FNR == 1 { detail = 0 }
/detail\[\]|\.detail/ { detail = 1 }
/"[^"]*[a-z] [a-z][^"]*[.?!]"/ && !detail &&
    FILENAME !~ /template_check|page_health|web\/web.c/ {
	print FILENAME ":" FNR ": a sentence that is no message: " $0
	bad = 1
}
/;/ { detail = 0 }
END { exit bad }' src/web/*.c || status=1
exit $status
