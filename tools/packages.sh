# Functions shared by ./check and ./quickstart: which packages are needed and
# how they come onto the machine.  To be read with "." by a POSIX shell.

# Debian's names.  What a build needs:
packages_build='gcc libc6-dev make autoconf automake pkg-config
libsqlite3-dev libsodium-dev uuid-dev libjansson-dev libfcgi-dev libpq-dev'
# What the tests need on top of it:
packages_check='libcmocka-dev mandoc xz-utils sqlite3 python3 openssl curl
lighttpd lighttpd-modules-lua apache2 libapache2-mod-fcgid nginx spawn-fcgi
fcgiwrap php-fpm php-cgi radicale systemd binutils libqrencode4 valgrind
w3m lynx tmux postgresql cppcheck'
# What they can do without, skipping the tests in question:
packages_wanted='clang lighttpd-mod-openssl faketime chromium
chromium-driver python3-selenium fail2ban zbar-tools'
# What ./check --long needs on top:
packages_long='clang-tidy gcovr'

# Run a command as root; 1 if that cannot be had.
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		# Only somebody at a terminal can be asked for a password.
		if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
	else
		echo "This needs root's rights, and there is no sudo: $*" >&2
		return 1
	fi
}

# Print those of the packages that are not installed.
packages_missing()
{
	for p in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$p" \
		    2>/dev/null) || state=none
		[ "$state" = installed ] || printf '%s ' "$p"
	done
}

# Installing a web server starts it, on a port that may be somebody's.  While
# this file says 101, Debian's packages start nothing.
policy_file=/usr/sbin/policy-rc.d
policy_made=no
policy_on()
{
	[ -e "$policy_file" ] && return 0
	printf '#!/bin/sh\nexit 101\n' |
	    as_root tee "$policy_file" >/dev/null &&
	    as_root chmod 755 "$policy_file" && policy_made=yes
}
policy_off()
{
	[ "$policy_made" = yes ] && as_root rm -f "$policy_file"
	policy_made=no
}

apt_run()
{
	# env: sudo drops variables that are set outside of it.
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null
}

# Install what is missing of the named packages.  Returns 1 when something
# could not be installed.
packages_install()
{
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	echo "Installing: $missing"
	policy_on || return 1
	good=0
	# shellcheck disable=SC2086
	apt_run install --no-install-recommends $missing >/dev/null 2>&1 || {
		apt_run update >/dev/null 2>&1
		apt_run install --no-install-recommends $missing || good=1
	}
	policy_off
	return $good
}

# The same, one by one, for what may be missing.
packages_try()
{
	for p in "$@"; do
		packages_install "$p" >/dev/null 2>&1 ||
		    echo "not installed: $p (its tests will be skipped)"
	done
}

is_debian()
{
	command -v dpkg-query >/dev/null 2>&1 &&
	    command -v apt-get >/dev/null 2>&1
}

# What to install elsewhere.
packages_elsewhere()
{
	cat <<'END'
This is neither Debian nor Ubuntu: please install what is missing yourself.
  Fedora, EPEL:  dnf install gcc make autoconf automake pkgconf sqlite-devel \
                     libsodium-devel libuuid-devel jansson-devel fcgi-devel
  Alpine:        apk add build-base autoconf automake pkgconf sqlite-dev \
                     libsodium-dev util-linux-dev jansson-dev fcgi-dev
and a web server: lighttpd; or Apache with mod_fcgid; or nginx and spawn-fcgi.
END
}
