#!/bin/sh
# The programs as they were linked: hardened, and no larger than they say.
# Looks at the binaries, not at the flags: flags get lost on the way.
set -u
cd "${builddir:-.}" || exit 1
status=0
fault()
{
	echo "$1"
	status=1
}
skip()
{
	echo "skipped: $1"
	exit 77
}

command -v readelf >/dev/null 2>&1 || skip "readelf is missing (binutils)"
for program in doorkeep doorkeep.fcgi; do
	[ -x "$program" ] || {
		echo "$program: is not built; run make first"
		exit 1
	}
done
if readelf -Ws doorkeep.fcgi | grep -q -e __asan_init -e __ubsan_handle; then
	skip "a build with sanitizers is not the one that people run"
fi
configured() { grep -q -e "$1" config.status 2>/dev/null; }

for program in doorkeep doorkeep.fcgi; do
	header=$(readelf -Wh "$program")
	segments=$(readelf -Wl "$program")
	dynamic=$(readelf -Wd "$program")
	symbols=$(readelf -Ws "$program")
	case $header in
	*'Type:'*'DYN ('*) ;;
	*) fault "$program: not position independent; link with -pie" ;;
	esac
	case $segments in
	*GNU_RELRO*) ;;
	*) fault "$program: no RELRO; link with -Wl,-z,relro" ;;
	esac
	case $dynamic in
	*BIND_NOW* | *'Flags:'*NOW*) ;;
	*) fault "$program: RELRO is not full; link with -Wl,-z,now" ;;
	esac
	# Without the entry the stack is executable, too.
	case $(echo "$segments" | awk '$1 == "GNU_STACK" { print $7 }') in
	RW) ;;
	*) fault "$program: executable stack; link with -Wl,-z,noexecstack" ;;
	esac
	if echo "$segments" | awk '$1 == "LOAD" { print $7 $8 }' |
	    grep -q 'W.*E'; then
		fault "$program: a segment is writable and executable"
	fi
	case $dynamic in
	*TEXTREL*) fault "$program: text relocations; compile with -fPIE" ;;
	esac
	case $dynamic in
	*RPATH* | *RUNPATH*)
		fault "$program: looks for libraries where it was built; no -rpath" ;;
	esac
	case $symbols in
	*__stack_chk_fail*) ;;
	*) fault "$program: no stack protector; -fstack-protector-strong" ;;
	esac
	# musl has no symbols for it, and -O0 none to use.
	if configured '-D_FORTIFY_SOURCE' && ! echo "$dynamic" |
	    grep -q 'NEEDED.*musl'; then
		echo "$symbols" | grep -q '__[a-z]*_chk@' ||
		    fault "$program: not fortified; -D_FORTIFY_SOURCE and -O2"
	else
		echo "$program: built without _FORTIFY_SOURCE"
	fi
done

# A CGI start stays in the low milliseconds with these and no others;
# what is wanted now and then is loaded then.
for library in $(readelf -Wd doorkeep.fcgi |
    sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
	case $library in
	libfcgi.so* | libsqlite3.so* | libuuid.so* | libsodium.so*) ;;
	libcrypt.so* | libjansson.so*) ;;
	libc.so* | libc.musl* | ld-linux* | ld64.so* | ld-musl*) ;;
	# Parts of an older libc.
	libm.so* | libdl.so* | libpthread.so* | librt.so*) ;;
	*) fault "doorkeep.fcgi: is linked with $library; load it when needed" ;;
	esac
done
exit $status
