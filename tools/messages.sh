#!/bin/sh
# messages.sh h|c EN OTHER...: print the enum (h) or the tables (c) of the
# message files, of which the first is English.  A line is "key = text" or
# "key[form] = text"; keys that begin with "_" describe the language.
set -eu
kind=$1
shift
LC_ALL=C awk -v kind="$kind" -v first="$1" '
function fault(text) {
	print FILENAME ":" FNR ": " text >"/dev/stderr"
	bad = 1
	exit 1
}
function quote(text) {
	gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text)
	gsub(/\?\?/, "?\" \"?", text)
	return "\"" text "\""
}
FNR == 1 {
	code = FILENAME
	sub(/.*\//, "", code); sub(/\.txt$/, "", code)
	codes[++n_codes] = code
}
/^[ \t]*(#|$)/ { next }
!/^[a-z_][a-z0-9_]*(\[[a-z]+\])? = ./ { fault("is no \"key = text\"") }
{
	at = index($0, " = ")
	key = substr($0, 1, at - 1)
	value = substr($0, at + 3)
	form = ""
	if ((i = index(key, "[")) > 0) {
		form = substr(key, i + 1, length(key) - i - 1)
		key = substr(key, 1, i - 1)
	}
	if (key ~ /^_/) {
		about[code, key] = value
		next
	}
	if (FILENAME == first && !(key in known)) {
		known[key] = 1
		keys[++n] = key
	}
	if (!(key in known))
		fault(key ": is no message of " first)
	if ((code, key, form) in seen)
		fault(key ": stands there twice")
	seen[code, key, form] = 1
	if (form == "")
		text[code, key] = quote(value)
	else
		text[code, key] = text[code, key] \
		    (text[code, key] == "" ? "" : " \"\\n\" ") \
		    "\"" form "\\t\" " quote(value)
	# What a number in the text is called: its first placeholder.
	if (FILENAME == first && form != "" &&
	    match(value, /\{[a-z_]+\}/))
		number[key] = substr(value, RSTART + 1, RLENGTH - 2)
}
END {
	if (bad)
		exit 1
	for (i = 2; i <= n; i++) {
		key = keys[i]
		for (j = i - 1; j > 0 && keys[j] > key; j--)
			keys[j + 1] = keys[j]
		keys[j + 1] = key
	}
	print "/* Made by tools/messages.sh from messages/; do not edit. */"
	if (kind == "h") {
		print "#ifndef DK_WORDS_MESSAGES_H"
		print "#define DK_WORDS_MESSAGES_H\n"
		print "enum msg {\n\tMSG_NONE,"
		for (i = 1; i <= n; i++)
			print "\tMSG_" toupper(keys[i]) ","
		print "\tMSG_COUNT\n};\n\n#endif"
		exit
	}
	print "#include \"words/words.h\"\n"
	print "const struct message_name message_names[MSG_COUNT] = {"
	for (i = 1; i <= n; i++)
		print "\t[MSG_" toupper(keys[i]) "] = { \"" keys[i] "\", " \
		    (keys[i] in number ? "\"" number[keys[i]] "\"" : "NULL") " },"
	print "};\n"
	for (c = 1; c <= n_codes; c++) {
		print "static const char *const text_" c "[MSG_COUNT] = {"
		for (i = 1; i <= n; i++)
			if ((codes[c], keys[i]) in text)
				print "\t[MSG_" toupper(keys[i]) "] = " \
				    text[codes[c], keys[i]] ","
		print "};\n"
	}
	print "const struct language built_in_languages[] = {"
	for (c = 1; c <= n_codes; c++)
		print "\t{ \"" codes[c] "\", " \
		    quote(about[codes[c], "_name"]) ", " \
		    (about[codes[c], "_direction"] == "rtl" ? "true" : "false") \
		    ", PLURAL_" toupper(about[codes[c], "_plural"]) ", text_" c \
		    " },"
	print "};\nconst size_t built_in_languages_count = " n_codes ";"
}' "$@"
