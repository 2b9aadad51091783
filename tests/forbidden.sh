#!/bin/sh
# What the house forbids, and what a function may be.  The compiler watches
# over VLAs (-Wvla) and casts that drop const (-Wcast-qual); this script over
# the rest that can be told by reading.
set -u
cd "${srcdir:-.}" || exit 1
status=0

# forbidden call | where it may be (a regular expression) | the cure
# $	stored_hash.c frees what libcrypt and libsodium hand out; json.c gives
#	jansson our allocator.
rules='
strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets strtok strtok_r|^$|unbounded or cutting; use base/str.h and base/buf.h
atoi atol atoll atof strtol strtoul strtoll strtoull sscanf scanf|^$|silent about errors; use str_to_u64
alloca|^$|no bound; use the arena
malloc calloc realloc free strdup strndup asprintf|^src/(base/|domain/stored_hash.c|http/json.c)|memory comes from the arena or base/secret.h
rand srand random srandom drand48 rand_r|^$|guessable; use secret_random
time gettimeofday clock_gettime localtime localtime_r gmtime|^src/base/clock.c|the one clock is base/clock.h
getenv secure_getenv|^src/(http/request|conf/conf_find).c|the environment is read in http and conf
putenv unsetenv clearenv|^$|the environment is not changed
setenv|^src/gateway/fcgi.c|the environment is not changed
printf puts putchar vprintf|^src/ctl/|stdout belongs to the command line
memcmp strncasecmp|^src/base/(str|net|secret).c|secrets: secret_bytes_eq; texts: str_eq
bcmp|^$|secrets: secret_bytes_eq; texts: str_eq
system popen execlp execvp|^$|no shell and no search path
fork execve|^src/ctl/(ctl_serve|fetch).c|only doorkeep serve and doctor start programs
randombytes_buf randombytes_random randombytes_uniform|^$|ends the process where the kernel refuses; use secret_random
uuid_generate uuid_generate_random uuid_generate_time|^$|falls back to guessable bytes; use uuid_new
FCGX_OpenSocket FCGX_Accept FCGX_Finish FCGI_Accept|^$|see src/gateway/fcgi.c
mktemp tmpnam tempnam|^$|anybody can be first; use O_EXCL
setjmp longjmp exit abort|^$|one way out: return the error'

# Process-wide state: signal handlers can be told things in no other way.
globals='^src/(gateway/watchdog|http/json)[.]c'

# shellcheck disable=SC2016
check='
function fault(line, text) { print FILENAME ":" line ": " text; bad = 1 }

# The line without its comments, in kept; and without its literals, returned.
function code(line,    out) {
	out = kept = ""
	while (line != "") {
		if (inside) {
			i = index(line, "*/")
			if (!i)
				return out
			line = substr(line, i + 2)
			inside = 0
			continue
		}
		if (!match(line, /\/\*|\/\/|"|\047/)) {
			kept = kept line
			return out line
		}
		out = out substr(line, 1, RSTART - 1)
		kept = kept substr(line, 1, RSTART - 1)
		token = substr(line, RSTART, RLENGTH)
		line = substr(line, RSTART + RLENGTH)
		if (token == "//")
			return out
		if (token == "/*") {
			inside = 1
			continue
		}
		if (token == "\"")
			match(line, /^([^"\\]|\\.)*"?/)
		else
			match(line, /^([^\047\\]|\\.)*\047?/)
		out = out "0"
		kept = kept token substr(line, 1, RLENGTH)
		line = substr(line, RLENGTH + 1)
	}
	return out
}

function width(line,    n, c, k) {
	n = 0
	k = length(line)
	for (i = 1; i <= k; i++) {
		c = substr(line, i, 1)
		n = c == "\t" ? n + 8 - n % 8 : n + 1
	}
	return n
}

BEGIN {
	n_rules = 0
	n = split(rules, line, "\n")
	for (i = 1; i <= n; i++) {
		if (split(line[i], part, "|") < 3)
			continue
		# what is in parentheses may hold a bar
		k = index(line[i], "|")
		names = substr(line[i], 1, k - 1)
		rest = substr(line[i], k + 1)
		match(rest, /\|[^|]*$/)
		n_rules++
		gsub(/ /, "|", names)
		pattern[n_rules] = "(^|[^A-Za-z0-9_>.])(" names ")[ \t]*\\("
		may[n_rules] = substr(rest, 1, RSTART - 1)
		cure[n_rules] = substr(rest, RSTART + 1)
		all = all (all == "" ? "" : "|") names
	}
	all = "(^|[^A-Za-z0-9_>.])(" all ")[ \t]*\\("
}

FNR == 1 { inside = body = log_call = 0; before = type = "" }
{
	text = code($0)
	if ($0 ~ /[ \t]$/)
		fault(FNR, "space at the end of the line")
	if (length($0) > 40 && width($0) > 80 &&
	    FILENAME != "src/ctl/ctl_commands.c")
		fault(FNR, "wider than 80 columns; run clang-format")
}
text ~ all {
	for (r = 1; r <= n_rules; r++)
		if (text ~ pattern[r] && FILENAME !~ may[r])
			fault(FNR, "forbidden call: " cure[r])
}

# SQL is a closed set; pragmas and literals of sqlite_open.c are whole.
kept ~ /(addf|printf|addz|buf_add)\(.*"[^"]*(SELECT|INSERT INTO|UPDATE|DELETE FROM) / {
	fault(FNR, "SQL is not put together; name it in sql/queries.sql")
}

# What is logged is named in LOG_WRITE: no secret may be.
kept ~ /LOG_WRITE\(/ { log_call = FNR }
log_call && text ~ /(^|[^a-z_])(pw|password|secret|token|cookies?|totp_code|csrf_token|body)([^a-z_0-9]|$)/ {
	fault(FNR, "a secret in the log; log what is public")
}
log_call && text ~ /;/ { log_call = 0 }

# A function: its type on a line, its name in column 1, its braces too.
/^[a-z]/ && text !~ /[;(){}=,]/ { type = text }
/^\{/ && !body { body = FNR }
/^\}/ && body {
	if (FNR - body - 1 > 60)
		fault(body, "a function of " (FNR - body - 1) \
		    " lines; split it (60)")
	body = 0
	type = ""
}
body && type ~ /enum [a-z_]+$/ && text ~ /return \(?(0|-1|1|true|false)\)?;/ {
	fault(FNR, "returns a bare value as " type "; name it, as DK_OK")
}
body && /^[ \t]*#[ \t]*if/ {
	fault(FNR, "#if within a function; make a file for each platform")
}
# Five tabs begin a statement four levels deep.
body && parens == 0 && text ~ /^\t\t\t\t\t\t*[^ \t]/ && text !~ /^\t+[{"}&.0-9]/ &&
    before ~ /[;{})]$|else$|(case .*|default):$/ {
	fault(FNR, "nested deeper than 3; make a function of it")
}
# A function that gives text out must not own it.
body && type ~ /(\*|struct str)$/ && text ~ /^\t+static / &&
    text !~ /const/ && text ~ /char [a-z_]+\[/ {
	fault(FNR, "a static buffer as a result; let the caller own it")
}
!body && text ~ /^(static )?(volatile )?(unsigned |signed |long |short )*(char|int|bool|size_t|u?int(8|16|32|64)_t|sig_atomic_t|struct [a-z_]+|enum [a-z_]+|long|unsigned) \*?[a-z_]+(\[[^\]]*\])*( =.*|;)$/ &&
    text !~ /const/ && FILENAME ~ /\.c$/ && FILENAME !~ globals {
	fault(FNR, "a mutable global; put it where main() makes it")
}
{
	opened = gsub(/\(/, "(", text)
	parens = body ? parens + opened - gsub(/\)/, ")", text) : 0
	if (text != "")
		before = text
	sub(/[ \t]+$/, "", before)
}
END { exit bad }'
awk -v rules="$rules" -v globals="$globals" "$check" \
    src/*/*.[ch] cgi-bin/*.c || status=1

# A header's function that can fail must be looked at by its caller.
awk '
function fault(text) { print FILENAME ":" first ": " text; bad = 1 }
/^(extern )?enum dk_err [a-z_0-9]+\(/ { first = FNR; whole = "" }
first {
	whole = whole $0
	if ($0 ~ /;/) {
		if (whole !~ /DK_CHECK/)
			fault("returns enum dk_err and is not DK_CHECK")
		first = 0
	}
}
FNR == 1 { first = 0 }
END { exit bad }' src/*/*.h || status=1

# The compiler watches over these for us.
for flag in -Wvla -Wcast-qual -Wconversion -Wformat=2; do
	grep -q -e "\[$flag\]" configure.ac || {
		echo "configure.ac:1: $flag is gone; put it back"
		status=1
	}
done

# Unit tests: no clock and no network.  To wait for another process, to
# measure the time of a processor, is what these are for.
for file in tests/*/*.[ch]; do
	case $file in
	tests/domain/test_slots.c | tests/domain/test_session_end.c) continue ;;
	tests/*/test_many_*.c) continue ;;
	esac
	grep -nE '(^|[^a-z_])(sleep|usleep|nanosleep|time|getaddrinfo)\(' "$file" |
	    sed "s|^\([0-9]*\):.*|$file:\1: sleep or clock in a unit test; hand down now_ms|" |
	    grep . && status=1
done

# The tree knows nothing of the places where it was made.
grep -rnE '/[w]ork/(main|shared)|/tmp/[b]-' src cgi-bin sql html man doc \
    conf apache-conf tests fuzz tools ./*.md Makefile.am configure.ac \
    check quickstart 2>/dev/null |
    sed 's/^\([^:]*:[0-9]*\):.*/\1: a path of one workplace; take it out/' |
    grep . && status=1
exit $status
