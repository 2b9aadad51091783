"""What others use for the same thing, behind the same nginx: each signs in
once, and then says who it is to whoever has its cookie."""

import json
import os
import shutil
import subprocess

from stage import Contestant, HERE, free_port, have, port_answers, \
    socket_answers, wait_for

PEERS = os.path.join(HERE, "peers")


class Peer:
    """A contestant with processes of its own; `location` goes into nginx."""

    name = ""
    path = ""
    form = ("", None)    # body and content type of the sign-in

    def __init__(self, stage):
        self.stage, self.box, self.root = stage, stage.box, None

    def missing(self):
        """Why it cannot be measured here; "" when it can."""
        return ""

    def location(self):
        """Lines for nginx: in http, and in the server."""
        raise NotImplementedError

    def start(self):
        raise NotImplementedError

    def contestant(self):
        body, kind = self.form
        heads = {"Content-Type": kind} if kind else {}
        status, answer, _ = self.stage.ask(
            "POST", self.path + self.sign_in, body, heads)
        cookies = answer.get_all("Set-Cookie") or []
        if status >= 400 or not cookies:
            raise RuntimeError("%s: sign-in answered %d" % (self.name, status))
        cookie = "; ".join(line.partition(";")[0] for line in cookies)
        status, _, body = self.stage.ask("GET", self.path + self.look, None,
                                        {"Cookie": cookie})
        if status != 200:
            raise RuntimeError("%s: the check answered %d" % (
                self.name, status))
        one = Contestant(self.name, self.stage.at("nginx",
                                                  self.path + self.look),
                         [self.root.pid], [
                             "Host: localhost:%d" % self.stage.nginx_port,
                             "Cookie: " + cookie])
        # Others' answers count as far as they are good ones: mod_session_dbd
        # refuses some when SQLite is busy.
        one.least_good = 0
        return one


class Express(Peer):
    name, path = "express-session + better-sqlite3", "/express"
    sign_in, look = "/login", "/session"
    modules = os.path.join(PEERS, "node_modules")

    def missing(self):
        if not have("node") or not have("npm"):
            return "no node and npm"
        if not os.path.isdir(self.modules):
            done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"],
                                  cwd=PEERS, capture_output=True, text=True,
                                  check=False)
            if done.returncode:
                return "npm ci: " + done.stderr.strip()[-200:]
        return ""

    def location(self):
        return """upstream express { server unix:%s; keepalive 32; }
""" % self.box.path("run", "express.sock"), """
		location /express/ {
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $http_host;
			proxy_pass http://express/;
		}"""

    def start(self):
        place = self.box.path("express")
        shutil.copytree(PEERS, place, symlinks=True)
        self.box.own(place)
        path = self.box.path("run", "express.sock")
        self.root = self.box.start(
            [have("node"), os.path.join(place, "express.js"), path,
             self.box.path("var", "express.db")], "express.log",
            {"NODE_ENV": "production"})
        wait_for(lambda: socket_answers(path), 20, "express")
        os.chmod(path, 0o666)


class Php(Peer):
    name, path = "PHP-FPM sessions", "/php"
    sign_in = look = ""

    def program(self):
        folder = "/usr/sbin"
        names = sorted(n for n in os.listdir(folder)
                       if n.startswith("php-fpm"))
        return os.path.join(folder, names[-1]) if names else None

    def missing(self):
        return "" if self.program() else "no php-fpm"

    def location(self):
        return """upstream php { server unix:%s; keepalive 8; }
""" % self.box.path("run", "php.sock"), """
		location = /php {
			include snippets/doorkeep_params;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_param SCRIPT_FILENAME %s;
			fastcgi_pass unix:%s;
		}""" % (os.path.join(self.box.path("php"), "session.php"),
                        self.box.path("run", "php.sock"))

    def start(self):
        box = self.box
        os.makedirs(box.path("php", "sessions"), exist_ok=True)
        shutil.copy(os.path.join(PEERS, "session.php"), box.path("php"))
        box.own(box.path("php"))
        conf = box.write("etc/php-fpm.conf", """
[global]
error_log = {d}/log/php-fpm.log
daemonize = no
[www]
listen = {d}/run/php.sock
pm = static
pm.max_children = 8
php_value[session.save_path] = {d}/php/sessions
php_value[opcache.enable] = 1
""".format(d=box.dir))
        self.root = box.start([self.program(), "-F", "-y", conf], "php.log")
        wait_for(lambda: socket_answers(box.path("run", "php.sock")), 15,
                 "php-fpm")


class AuthForm(Peer):
    name = "Apache mod_auth_form + session_dbd"
    path = "/authform"
    sign_in, look = "/login", "/file.txt"
    form = ("httpd_username=alice&httpd_password=lantern",
            "application/x-www-form-urlencoded")
    modules = "/usr/lib/apache2/modules"

    def missing(self):
        for path in (os.path.join(self.modules, "mod_auth_form.so"),
                     "/usr/lib/x86_64-linux-gnu/apr-util-1/"
                     "apr_dbd_sqlite3.so"):
            if not os.path.exists(path):
                return "no " + os.path.basename(path)
        return "" if have("htpasswd") else "no htpasswd"

    def location(self):
        self.port = free_port()
        return "upstream authform { server 127.0.0.1:%d; keepalive 32; }\n" \
            % self.port, """
		location /authform/ {
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_pass http://authform/authform/;
		}"""

    def start(self):
        box = self.box
        box.write("htdocs/authform/file.txt", "alice\n")
        line = subprocess.run([have("htpasswd"), "-nbm", "alice", "lantern"],
                              capture_output=True, text=True, check=True)
        box.write("etc/htpasswd", line.stdout)
        database = box.path("var", "authform.db")
        box.run([have("sqlite3"), database],
                "CREATE TABLE session (key TEXT PRIMARY KEY, value TEXT, "
                "expiry INTEGER);")
        modules = "\n".join(
            "LoadModule %s_module %s/mod_%s.so" % (m, self.modules, m)
            for m in ("mpm_event", "authn_core", "authz_core", "authz_user",
                      "authn_file", "auth_form", "request", "session",
                      "session_dbd", "session_cookie", "dbd", "mime"))
        conf = box.write("etc/authform.conf", """
ServerRoot {d}
PidFile {d}/run/authform.pid
ServerName localhost
Listen 127.0.0.1:{port}
{modules}
TypesConfig /etc/mime.types
ErrorLog {d}/log/authform.log
DocumentRoot {d}/htdocs
MaxKeepAliveRequests 0
DBDriver sqlite3
DBDParams {database}
DBDPrepareSQL "delete from session where key = %s" deletesession
DBDPrepareSQL "update session set value = %s, expiry = %lld, key = %s where key = %s" updatesession
DBDPrepareSQL "insert into session (value, expiry, key) values (%s, %lld, %s)" insertsession
DBDPrepareSQL "select value from session where key = %s and (expiry = 0 or expiry > %lld)" selectsession
DBDPrepareSQL "delete from session where expiry != 0 and expiry < %lld" cleansession
<Location /authform>
	Session On
	SessionMaxAge 3600
	SessionDBDCookieName authform path=/
	AuthType form
	AuthName bench
	AuthFormProvider file
	AuthUserFile {d}/etc/htpasswd
	Require valid-user
</Location>
<Location /authform/login>
	SetHandler form-login-handler
	AuthFormLoginSuccessLocation /authform/file.txt
</Location>
""".format(d=box.dir, port=self.port, modules=modules, database=database))
        self.root = box.start([have("apache2"), "-DFOREGROUND", "-f", conf],
                              "authform-start.log")
        wait_for(lambda: port_answers(self.port), 15, "apache2")


class LemonLdap(Peer):
    """Debian's packages lemonldap-ng-fastcgi-server and
    liblemonldap-ng-portal-perl, as they come: sessions in files, the demo
    accounts, the handler that nginx asks with auth_request."""

    name, path = "LemonLDAP::NG", "/llng"
    sign_in, look = "/login", "/look"
    form = ("user=dwho&password=dwho", "application/x-www-form-urlencoded")
    server = "/usr/sbin/llng-fastcgi-server"
    portal = "/usr/share/lemonldap-ng/portal/htdocs/index.psgi"
    ini = "/etc/lemonldap-ng/lemonldap-ng.ini"
    home = "/var/lib/lemonldap-ng"

    def missing(self):
        for path in (self.server, self.portal, self.ini):
            if not os.path.exists(path):
                return "no " + path
        first = self.home + "/conf/lmConf-1.json"
        return "" if os.access(first, os.R_OK) else "cannot read " + first

    def location(self):
        asked = """
			fastcgi_param HTTP_HOST %s;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param QUERY_STRING "";
			fastcgi_param CONTENT_TYPE $content_type;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
			fastcgi_param SERVER_NAME %s;
			fastcgi_param SERVER_PORT 80;
			fastcgi_param REMOTE_ADDR $remote_addr;
			fastcgi_param SCRIPT_NAME "";
			fastcgi_param PATH_INFO /;
			fastcgi_param REQUEST_URI /;
			fastcgi_pass llng;"""
        return """upstream llng { server unix:%s; keepalive 8; }
""" % self.box.path("run", "llng.sock"), """
		location = /llng/login {
			fastcgi_param LLTYPE psgi;
			fastcgi_param SCRIPT_FILENAME %s;%s
		}
		location = /llng/look {
			fastcgi_keep_conn on;
			fastcgi_param X_ORIGINAL_URI /;%s
		}""" % (self.portal, asked % (("auth.example.com",) * 2),
          asked % (("test1.example.com",) * 2))

    def start(self):
        box, home = self.box, self.box.path("llng")
        with open(self.home + "/conf/lmConf-1.json", encoding="utf-8") as f:
            conf = json.loads(f.read().replace(self.home, home))
        conf["requireToken"] = 0    # a form that is sent without being read
        box.write("llng/conf/lmConf-1.json", json.dumps(conf))
        for name in ("cache", "sessions/lock", "psessions/lock",
                     "notifications"):
            os.makedirs(os.path.join(home, name))
        box.own(home)
        with open(self.ini, encoding="utf-8") as f:
            ini = box.write("etc/lemonldap-ng.ini",
                            f.read().replace(self.home, home))
        path = box.path("run", "llng.sock")
        self.root = box.start(
            [self.server, "--foreground", "--socket", path, "--pid",
             box.path("run", "llng.pid")], "llng.log",
            {"LLNG_DEFAULTCONFFILE": ini, "LLNG_DEFAULTLOGGER":
             "Lemonldap::NG::Common::Logger::Std"})
        wait_for(lambda: socket_answers(path), 60, "llng-fastcgi-server")
        os.chmod(path, 0o666)


ALL = (Express, Php, AuthForm, LemonLdap)
