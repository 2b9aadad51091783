#!/bin/sh
# The manual is well-formed and complete, and says of nothing what is not
# there: keys with defaults and bounds, commands with options, pages,
# variables of the environment.
set -u
cd "${srcdir:-.}" || exit 1
status=0
conf=man/doorkeep.conf.5 ctl=man/doorkeep.1 worker=man/doorkeep.fcgi.8

if command -v mandoc >/dev/null 2>&1; then
	for page in man/*; do
		# Its complaints say file and line.
		mandoc -Tlint -W warning "$page" || status=1
	done
	sh tools/manual.sh doc/manual/*.md doc/manual/trouble/*.md |
	    mandoc -Tlint -W warning || status=1
else
	echo "mandoc is not installed: the pages are not linted"
fi

for page in doc/manual/*.md doc/manual/trouble/*.md; do
	[ "$page" = doc/manual/README.md ] || grep -q "$page" Makefile.am || {
		echo "Makefile.am: doorkeep-manual(7) lacks $page"
		status=1
	}
done

# ---- keys ------------------------------------------------------------------
# A row of the table is a set of words here: kind, bounds, words, default.
awk -v table=src/conf/conf_table.c -v page="$conf" '
function fault(line, text) { print page ":" line ": " text; bad = 1 }
function span(text) {
	if (text == "SECOND")
		return "1s"
	if (text == "DAY")
		return "1d"
	if (text == "YEAR")
		return "366d"
	if (text ~ /^[0-9]+ \* YEAR$/)
		return (text * 366) "d"
	return text == "0" ? "0s" : text
}
# Does the entry of the key hold this word?
function says(key, word,    n, k, part) {
	n = split(said[key], part, "\n")
	for (k = 1; k <= n; k++)
		if (part[k] == word)
			return 1
	return 0
}
function want(key, word) {
	if (!says(key, word))
		fault(line_of[key], key ": does not say " word)
}
function read_page(    line, section, n, part, names, i, k) {
	n = 0
	while ((getline line < page) > 0) {
		n++
		if (line ~ /^\.S[hs] /) {
			section = line
			sub(/^\.S[hs] /, "", section)
			names = ""
		} else if (line ~ /^\.(El|Bl)/) {
			names = ""
		} else if (line ~ /^\.It / && section ~ /^\[/ &&
		    section != "[access]") {
			gsub(/^\.It Cm | ,/, "", line)
			names = line
			k = split(names, part, " ")
			for (i = 1; i <= k; i++) {
				if ((section " " part[i]) in line_of)
					fault(n, section " " part[i] \
					    ": is there twice; remove one")
				line_of[section " " part[i]] = n
				said[section " " part[i]] = ""
			}
		} else if (names != "") {
			gsub(/[;:.,()]* |[;:.,()]+$/, "\n", line)
			k = split(names, part, " ")
			for (i = 1; i <= k; i++)
				said[section " " part[i]] = \
				    said[section " " part[i]] "\n" line
		}
	}
}
function read_table(    line, row) {
	while ((getline line < table) > 0) {
		if (line ~ /^\t\{ "/)
			row = ""
		if (line ~ /^\t(\{ "|    |\t)/ || row != "")
			row = row " " line
		if (line ~ /\},$/ && row ~ /CONF_/) {
			check(row)
			row = ""
		}
		if (line ~ /^\};/)
			return
	}
}
function check(row,    part, key, kind, list, field, n, i, first) {
	gsub(/[ \t]+/, " ", row)
	split(row, part, "\"")
	key = "[" part[2] "] " part[4]
	seen[key] = 1
	if (!(key in line_of)) {
		fault(1, key ": is missing")
		return
	}
	sub(/^[^"]*"[^"]*", "[^"]*", /, "", row)
	# kind, place, place of the count, least, most, words, default
	n = split(row, field, ", ")
	kind = field[1]
	if (kind == "CONF_NUMBER" || kind == "CONF_DURATION") {
		want(key, kind == "CONF_NUMBER" ? field[4] : span(field[4]))
		want(key, kind == "CONF_NUMBER" ? field[5] : span(field[5]))
	}
	if (kind == "CONF_WORD" && split(field[6], list, "\"") > 2) {
		n = split(list[2], part, " ")
		for (i = 1; i <= n; i++)
			want(key, part[i])
	}
	first = field[7]
	if (first ~ /^"/) {
		sub(/^"/, "", first)
		sub(/".*/, "", first)
		want(key, first)
	}
}
BEGIN {
	read_page()
	read_table()
	n = 0
	for (key in seen)
		n++
	if (n < 20) {
		print table ":1: its rows cannot be read; mend tests/man.sh"
		bad = 1
	}
	for (key in line_of)
		if (!(key in seen))
			fault(line_of[key], key ": there is no such key")
	exit bad
}' || status=1

# ---- commands ----------------------------------------------------------------
# Rows of the table: noun, verb, operands; then options, one a line.
awk -v table=src/ctl/ctl_commands.c -v page="$ctl" '
function fault(line, text) { print page ":" line ": " text; bad = 1 }
BEGIN {
	while ((getline line < page) > 0) {
		n++
		if (line !~ /^\.It Ic /)
			continue
		name = line
		sub(/^\.It Ic /, "", name)
		sub(/ (Ar|Op|Oo|Fl) .*/, "", name)
		line_of[name] = n
		# The lines of session revoke count together.
		entry[name] = entry[name] " " line " "
	}
	while ((getline line < table) > 0) {
		if (line ~ /^\t\{ "/) {
			split(line, part, "\"")
			name = part[2]
			if (line !~ /", NULL, "/)
				name = name " " part[4]
			seen[name] = 1
			rows++
			if (!(name in line_of))
				fault(1, "the command " name " is missing")
		} else if (line ~ /^\t\t\{ "/ && name in line_of) {
			split(line, part, "\"")
			options[name, part[2]] = 1
			if (index(entry[name], "Fl -" part[2] " ") == 0)
				fault(line_of[name], name ": --" part[2] \
				    " is missing")
		}
	}
	if (rows < 20) {
		print table ":1: its rows cannot be read; mend tests/man.sh"
		bad = 1
	}
	for (name in line_of) {
		if (!(name in seen)) {
			fault(line_of[name], name ": there is no such command")
			continue
		}
		n = split(entry[name], part, " ")
		for (i = 1; i < n; i++)
			if (part[i] == "Fl" && part[i + 1] ~ /^-/ &&
			    !((name, substr(part[i + 1], 2)) in options))
				fault(line_of[name], name ": there is no -" \
				    part[i + 1])
	}
	exit bad
}' || status=1

# ---- pages and variables --------------------------------------------------------
sed -n 's/^	{ "\(\/[a-z.\/-]*\)", METHOD.*/\1/p' src/web/route.c | sort -u |
    while read -r route; do
	grep -Eq "^\.It Pa (.* , )?$route( |\$)" "$worker" ||
	    echo "$worker:1: the page $route is missing"
    done | grep . && status=1
cat src/*/*.c | sed -n \
    's/.*\(getenv\|request_environment\)("\([A-Z_]*\)").*/\2/p' | sort -u |
    while read -r name; do
	grep -q "^\.It Ev $name" "$worker" ||
	    echo "$worker:1: the variable $name is missing"
    done | grep . && status=1
exit $status
