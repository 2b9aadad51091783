#!/bin/sh
# The programs as they were linked: hardened, and no larger than they say.
set -u
cd "${builddir:-.}" || exit 1
status=0
fault()
{
	echo "$1"
	status=1
}
if ! command -v readelf >/dev/null 2>&1; then
	echo "readelf is not installed (binutils)"
	exit 77
fi
if readelf -d doorkeep.fcgi | grep -q 'lib[a-z]*asan' ||
    readelf -s --wide doorkeep.fcgi | grep -q __asan_init; then
	echo "a build with sanitizers: it is not the one that is shipped"
	exit 77
fi

for program in doorkeep doorkeep.fcgi; do
	readelf -h "$program" | grep -q 'DYN (' ||
	    fault "$program: not position independent (-pie)"
	readelf -l --wide "$program" | grep -q GNU_RELRO ||
	    fault "$program: no RELRO (-Wl,-z,relro)"
	readelf -d "$program" | grep -Eq 'BIND_NOW|FLAGS_1.*NOW' ||
	    fault "$program: bound lazily (-Wl,-z,now)"
	readelf -l --wide "$program" | grep GNU_STACK | grep -q E &&
	    fault "$program: the stack is executable (-Wl,-z,noexecstack)"
	readelf -s --wide "$program" | grep -q __stack_chk_fail ||
	    fault "$program: no stack protector"
	readelf -s --wide "$program" | grep -q '__[a-z]*_chk@' ||
	    fault "$program: no _FORTIFY_SOURCE"
done

# A CGI start has to stay short: these and no other libraries.
for library in $(readelf -d doorkeep.fcgi |
    sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'); do
	case $library in
	libfcgi.so*|libsqlite3.so*|libuuid.so*|libsodium.so*|libcrypt.so*|\
	libjansson.so*|libc.so*|ld-linux*|libm.so*|libdl.so*|libpthread.so*) ;;
	*) fault "doorkeep.fcgi: is linked with $library" ;;
	esac
done
exit $status
