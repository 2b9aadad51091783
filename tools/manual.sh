#!/bin/sh
# doorkeep-manual(7) out of the pages of doc/manual, as mdoc(7): a section for
# each page.  What it knows of Markdown is what these pages use: headings,
# paragraphs, tables, blocks of commands, `code` and links.
#
#	manual.sh FILE...
set -eu
cat <<'END'
.Dd November 25, 2026
.Dt DOORKEEP-MANUAL 7
.Os
.Sh NAME
.Nm doorkeep-manual
.Nd what to do with doorkeep, by task
.Sh DESCRIPTION
The pages of
.Pa doc/manual
one after the other.
Commands are run as root, or as the user that the store belongs to; a test runs
them as they stand here.
.Li …
stands for what differs from site to site.
END
awk '
# A line of text, safe in roff; code is bold, of links the words stay.
function plain(text,    out, part, n, i) {
	gsub(/\\/, "\\e", text)
	while (match(text, /!?\[[^]]*\]\([^)]*\)/)) {
		part = substr(text, RSTART, RLENGTH)
		sub(/\]\(.*/, "", part)
		sub(/^!?\[/, "", part)
		text = substr(text, 1, RSTART - 1) part \
		    substr(text, RSTART + RLENGTH)
	}
	n = split(text, piece, "`")
	out = piece[1]
	for (i = 2; i <= n; i++)
		out = out (i % 2 ? "\\fR" : "\\fB") piece[i]
	if (out ~ /^[.\047]/)
		out = "\\&" out
	return out
}
function literal(text) {
	gsub(/\\/, "\\e", text)
	return text ~ /^[.\047]/ ? "\\&" text : text
}
# Paragraphs begin sentences on lines of their own, as roff wants it.
function flush_text(    n, i, part) {
	if (paragraph == "")
		return
	print gap
	n = split(paragraph, part, "\001")
	for (i = 1; i <= n; i++)
		print plain(part[i])
	paragraph = ""
	gap = ".Pp"
}
function close_table() {
	if (in_table)
		print ".El"
	in_table = 0
}
function row(text,    cell, n, i, rest) {
	gsub(/\\\|/, "\002", text)
	n = split(text, cell, "|")
	for (i = 2; i < n; i++)
		gsub(/^ +| +$/, "", cell[i])
	if (cell[2] == "" || text ~ /^\|[-|]+$/)
		return
	if (!in_table)
		print ".Bl -tag -width Ds"
	in_table = 1
	rest = cell[3]
	for (i = 4; i < n; i++)
		rest = rest "; " cell[i]
	print ".It " quoted(plain(cell[2]))
	if (rest != "")
		print plain(rest)
}
# One argument of a macro, and none of it a macro.
function quoted(text) {
	gsub(/"/, "\\(dq", text)
	return "\"" text "\""
}
FNR == 1 { in_code = 0 }
/^```/ {
	flush_text()
	close_table()
	if (in_code)
		print ".Ed"
	else if ($0 ~ /^```text/)
		print ".Pp\nprints\n.Bd -literal -offset indent"
	else
		print ".Bd -literal -offset indent"
	in_code = !in_code
	gap = ".Pp"
	next
}
in_code { print literal($0); next }
/^# / { flush_text(); close_table(); print ".Sh " toupper(substr($0, 3)); gap = ".\\\""; next }
/^## / { flush_text(); close_table(); print ".Ss " substr($0, 4); gap = ".\\\""; next }
/^!\[/ { next }
/^\|/ { flush_text(); row($0); next }
/^$/ { flush_text(); close_table(); next }
{
	line = $0
	gsub(/[.:;!?] +/, "&\001", line)
	gsub(/ +\001/, "\001", line)
	paragraph = paragraph == "" ? line : paragraph "\001" line
}
END { flush_text(); close_table() }
' "$@"
cat <<'END'
.Sh SEE ALSO
.Xr doorkeep 1 ,
.Xr doorkeep.conf 5 ,
.Xr doorkeep.fcgi 8
END
