"""The web servers, each with the configuration that we ship for it."""

import os
import re

from harness import Skip, free_port, have, need, port_answers, wait_for
from stand import Stand, shipped

PROGRAM = "/usr/local/libexec/doorkeep/doorkeep.fcgi"
CONFIG = "/etc/doorkeep/doorkeep.conf"
SOCKET = "/run/doorkeep/doorkeep.sock"
LUA = "/usr/local/share/doorkeep/lighttpd/doorkeep.lua"


# ---- lighttpd -----------------------------------------------------------------

class Lighttpd(Stand):
    snippet = ""
    tls = ""

    def names(self):
        return {LUA: self.box.shipped("conf/lighttpd/doorkeep.lua")} \
            if self.gate else {}

    def command(self):
        need("lighttpd")
        box = self.box
        box.write("etc/doorkeep-lighttpd.conf",
                  shipped(self.snippet, self.names()))
        return [have("lighttpd"), "-D", "-f",
                box.write("etc/lighttpd.conf", self.base())]

    def base(self):
        d = self.box.dir
        return """
server.port = %d
server.bind = "127.0.0.1"
server.document-root = "%s/htdocs"
server.errorlog = "%s/log/error.log"
server.upload-dirs = ( "%s/tmp" )
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html; charset=utf-8", "" => "text/plain" )
%s
include "%s/etc/doorkeep-lighttpd.conf"
%s
%s
""" % (self.port, d, d, d, self.tls, d, self.backends(), self.more())

    def backends(self):
        """As people have them, without a word of doorkeep's."""
        if not self.full:
            return ""
        text = """
server.modules += ( "mod_cgi", "mod_proxy" )
$HTTP["url"] =~ "^/private/" { cgi.assign = ( ".cgi" => "" ) }
fastcgi.server += ( ".php" => (( %s )) )
""" % self.php_lines()
        for path, port in self.proxied().items():
            text += """
$HTTP["url"] =~ "^%s/" {
	proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => %d )) )
	proxy.header = ( "map-urlpath" => ( "%s/" => "/" ) )
}
""" % (path, port, path)
        return text

    def php_lines(self):
        return '"socket" => "%s", "broken-scriptfilename" => "enable"' % \
            self.php_fpm()

    def more(self):
        return ""


class LighttpdSpawned(Lighttpd):
    name = "lighttpd-fastcgi-spawned"
    snippet = "conf/lighttpd/doorkeep-spawned.conf"
    has_todos = True

    def names(self):
        return {**super().names(),
                PROGRAM: self.box.path("bin", "doorkeep.fcgi"),
                CONFIG: self.config_file,
                "/run/lighttpd": self.box.path("run"),
                '"/auth"': '"%s"' % (self.mount or "/")}

    def php_lines(self):
        """Processes of lighttpd's own."""
        return """"socket" => "%s/php.sock", "bin-path" => "%s",
	"max-procs" => 1, "bin-environment" => ( "PHP_FCGI_CHILDREN" => "2" ),
	"broken-scriptfilename" => "enable" """ % (
            self.box.path("run"), self.php_cgi())

    def more(self):
        """The to-do example, guarded as the shipped file says."""
        return """
fastcgi.server += ( "/todos" => (
	( "socket" => var.doorkeep_run + "/doorkeep-gate.sock-0",
	  "mode" => "authorizer", "check-local" => "disable" ),
	( "socket" => var.doorkeep_run + "/todos.sock",
	  "bin-path" => "%s", "max-procs" => 1,
	  "bin-environment" => ( %s ), "check-local" => "disable" )
) )
""" % (self.box.path("bin", "todos.cgi"),
            ", ".join('"%s" => "%s"' % pair
                      for pair in self.todos_environment().items()))


class LighttpdExternal(Lighttpd):
    name = "lighttpd-fastcgi-external"
    snippet = "conf/lighttpd/doorkeep-external.conf"
    workers = 2

    def names(self):
        return {**super().names(), SOCKET: self.socket,
                '"/auth"': '"%s"' % (self.mount or "/")}


class LighttpdCgi(Lighttpd):
    name = "lighttpd-cgi"
    snippet = "conf/lighttpd/doorkeep-cgi.conf"
    gate = False

    def names(self):
        return {PROGRAM: self.box.path("bin", "doorkeep.fcgi"),
                CONFIG: self.config_file,
                '"/auth"': '"%s"' % self.mount}


class LighttpdTls(LighttpdSpawned):
    name = "lighttpd-tls"
    scheme = "https"
    has_todos = False

    def command(self):
        need("openssl")
        if not os.path.exists("/usr/lib/lighttpd/mod_openssl.so"):
            raise Skip("lighttpd-mod-openssl is not installed")
        box = self.box
        key, cert = box.path("etc", "key.pem"), box.path("etc", "cert.pem")
        if not os.path.exists(cert):
            box.run([have("openssl"), "req", "-x509", "-newkey", "ec",
                     "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-keyout", key, "-out", cert, "-days", "2",
                     "-subj", "/CN=localhost",
                     "-addext", "subjectAltName=DNS:localhost"])
        self.tls = """
server.modules += ( "mod_openssl" )
ssl.engine = "enable"
ssl.pemfile = "%s"
ssl.privkey = "%s"
""" % (cert, key)
        return super().command()

    def more(self):
        return ""


# ---- Apache ---------------------------------------------------------------------

APACHE_MODULES = """mpm_event authn_core authz_core authz_user authz_host
alias dir mime env setenvif headers proxy proxy_http""".split()


class Apache(Stand):
    hides_ht = True
    modules = ()
    snippets = ()

    def names(self, _snippet):
        return {}

    def command(self):
        need("apache2")
        box = self.box
        for snippet in self.snippets:
            box.write("etc/" + os.path.basename(snippet),
                      shipped(snippet, self.names(snippet)))
        return [have("apache2"), "-DFOREGROUND", "-f",
                box.write("etc/httpd.conf", self.base())]

    def load(self):
        lines = []
        for name in (*APACHE_MODULES, *self.modules):
            path = "/usr/lib/apache2/modules/mod_%s.so" % name
            if not os.path.exists(path):
                raise Skip("Apache's mod_%s is not installed" % name)
            lines.append("LoadModule %s_module %s" % (name, path))
        if "cgid" in self.modules:
            lines.append("ScriptSock %s/run/cgi.sock" % self.box.dir)
        return "\n".join(lines)

    def base(self):
        d = self.box.dir
        return """
ServerRoot {d}
DefaultRuntimeDir {d}/run
PidFile {d}/run/httpd.pid
Mutex file:{d}/run default
# Where the suexec package is installed, mod_fcgid wants to be root.
Suexec Off
ErrorLog {d}/log/error.log
ServerName localhost
Suexec Off
Listen 127.0.0.1:{port}
{load}
StartServers 1
ThreadsPerChild 25
MaxRequestWorkers 50
TypesConfig /etc/mime.types
DirectoryIndex index.html
<Directory />
	AllowOverride None
	Require all denied
</Directory>
<VirtualHost *>
	DocumentRoot {d}/htdocs
	<Directory {d}/htdocs>
		Require all granted
	</Directory>
	<FilesMatch "^[.]ht">
		Require all denied
	</FilesMatch>
	{includes}
	{backends}
	{more}
</VirtualHost>
""".format(d=d, port=self.port, load=self.load(),
           includes="\n\t".join("Include %s/etc/%s" % (
               d, os.path.basename(s)) for s in self.snippets),
           backends=self.backends(), more=self.more())

    def backends(self):
        """As people have them, without a word of doorkeep's."""
        if not self.full:
            return ""
        return """<Directory {d}/htdocs/private>
		Options +ExecCGI
		AddHandler cgi-script .cgi
		DirectoryIndex index.html index.cgi index.php
		{php}
	</Directory>
	{proxied}""".format(
            d=self.box.dir, php=self.php_lines(), proxied="\n\t".join(
                "ProxyPass %s/ http://127.0.0.1:%d/" % pair
                for pair in self.proxied().items()))

    def php_lines(self):
        return """<FilesMatch "[.]php$">
			SetHandler "proxy:unix:%s|fcgi://localhost/"
		</FilesMatch>""" % self.php_fpm()

    def more(self):
        return ""


class ApacheFcgid(Apache):
    name = "apache-mod_fcgid"
    modules = ("fcgid", "cgid")
    snippets = ("apache-conf/mod_fcgid.conf",)
    has_todos = True

    def names(self, _snippet):
        return {PROGRAM: self.box.path("bin", "doorkeep.fcgi"),
                CONFIG: self.config_file,
                "DOORKEEP_MOUNT   /auth":
                    "DOORKEEP_MOUNT   " + (self.mount or "/"),
                "^/private(/|$)": "^/(private|todos)(/|$)"}

    def load(self):
        return super().load() + """
FcgidIPCDir {d}/run/fcgid
FcgidProcessTableFile {d}/run/fcgid-table
FcgidInitialEnv {env}
""".format(d=self.box.dir, env="\nFcgidInitialEnv ".join(
            "%s %s" % p for p in self.todos_environment().items()))

    def php_lines(self):
        return """AddHandler fcgid-script .php
		FcgidWrapper %s .php""" % self.php_cgi()

    def more(self):
        return """
	<Location /todos>
		SetHandler fcgid-script
		Options +ExecCGI
		FcgidWrapper %s virtual
	</Location>""" % self.box.path("bin", "todos.cgi")


class ApacheProxy(Apache):
    """Pages over a Unix socket, the gate over TCP with a shared secret."""

    name = "apache-mod_proxy_fcgi"
    modules = ("proxy_fcgi", "authnz_fcgi", "cgid")
    snippets = ("apache-conf/mod_proxy_fcgi.conf",
                "apache-conf/mod_authnz_fcgi.conf")
    workers = 2
    json_denials = False    # the module says text/html whatever it is

    secret = "Zk3-the-shared-secret-of-this-test-only"

    def __init__(self, *args, **options):
        self.gate_port, self.gate_serve = free_port(), None
        super().__init__(*args, **options)

    def names(self, snippet):
        if "authnz" in snippet:
            return {"the-shared-secret-of-gate.conf": self.secret}
        return {SOCKET: self.socket,
                "DOORKEEP_MOUNT  /auth": "DOORKEEP_MOUNT  " + self.mount}

    def load(self):
        provider = shipped("apache-conf/mod_authnz_fcgi_provider.conf", {
            "127.0.0.1:9124": "127.0.0.1:%d" % self.gate_port})
        return super().load() + "\n" + provider

    def start_serve(self, seconds=10):
        super().start_serve(seconds)
        self.box.write("etc/gate.conf", self.config().replace(
            "[access]", "[fastcgi]\nshared_secret = %s\n[access]" %
            self.secret), 0o640)
        self.gate_serve = self.box.start(
            [self.box.path("bin", "doorkeep"), "serve", "--listen",
             "127.0.0.1:%d" % self.gate_port, "--workers", "2"], "gate.log",
            {"DOORKEEP_CONFIG": self.box.path("etc", "gate.conf")})
        wait_for(lambda: port_answers(self.gate_port), seconds, "the gate")

    def stop_serve(self):
        super().stop_serve()
        if self.gate_serve is not None:
            self.box.stop(self.gate_serve)
            self.gate_serve = None


class ApacheCgid(Apache):
    name = "apache-mod_cgid"
    modules = ("cgid",)
    snippets = ("apache-conf/cgi.conf",)
    gate = False

    def names(self, _snippet):
        return {PROGRAM: self.box.path("bin", "doorkeep.fcgi"),
                "DOORKEEP_DIR     /usr/local/libexec/doorkeep":
                    "DOORKEEP_DIR     " + self.box.path("bin"),
                CONFIG: self.config_file,
                "DOORKEEP_MOUNT   /auth": "DOORKEEP_MOUNT   " + self.mount}


# ---- nginx ------------------------------------------------------------------------

class Nginx(Stand):
    name = "nginx"
    workers = 2
    has_todos = True
    hides_ht = True
    keep = False

    def names(self):
        names = {SOCKET: self.socket}
        if not self.mount:
            names["SCRIPT_NAME    /auth"] = 'SCRIPT_NAME    ""'
            names["/auth/"] = "/"
        names["/auth"] = self.mount
        return names

    def command(self):
        need("nginx")
        box = self.box
        text = shipped("conf/nginx/doorkeep.conf", self.names())
        if self.keep:
            text = text.replace("fastcgi_pass unix:%s;" % self.socket,
                                "fastcgi_pass doorkeep; fastcgi_keep_conn on;")
        box.write("etc/snippets/doorkeep.conf", text)
        for name in ("doorkeep_params", "doorkeep_gate", "doorkeep_fastcgi"):
            box.write("etc/snippets/" + name,
                      shipped("conf/nginx/" + name, {}))
        return [have("nginx"), "-p", box.dir, "-e", box.path("log/error.log"),
                "-c", box.write("etc/nginx.conf", self.base())]

    def start_todos(self):
        self.todos_on_socket()

    def upstream(self):
        if not self.keep:
            return ""
        return "upstream doorkeep { server unix:%s; keepalive 4; }" % \
            self.socket

    def base(self):
        return """
daemon off;
pid {d}/run/nginx.pid;
error_log {d}/log/error.log info;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
	include /etc/nginx/mime.types;
	access_log {d}/log/access.log;
	client_body_temp_path {d}/tmp/body;
	proxy_temp_path {d}/tmp/proxy;
	fastcgi_temp_path {d}/tmp/fastcgi;
	uwsgi_temp_path {d}/tmp/uwsgi;
	scgi_temp_path {d}/tmp/scgi;
	{upstream}
	server {{
		listen 127.0.0.1:{port};
		server_name localhost;
		root {d}/htdocs;
		include snippets/doorkeep.conf;
		{locations}
		{backends}
	}}
}}
""".format(d=self.box.dir, port=self.port, upstream=self.upstream(),
           backends=self.backends(), locations=self.locations())

    def locations(self):
        return """location ^~ /private/ {
			include snippets/doorkeep_gate;
			%s
			%s
		}
		location /todos {
			include snippets/doorkeep_gate;
			include snippets/doorkeep_fastcgi;
			fastcgi_pass unix:%s/run/todos.sock;
		}""" % (self.hidden(), self.guarded(), self.box.dir)

    @staticmethod
    def hidden():
        """The line of the shipped file that denies .htpasswd and the like."""
        return re.search(r"^#\t\t(location ~ /\\\..*)$", shipped(
            "conf/nginx/doorkeep.conf", {}), re.M).group(1)

    def backends(self):
        """PHP as it was before doorkeep, which must not win over the gate,
        and the proxied applications."""
        if not self.full:
            return ""
        text = """
		location ~ [.]php$ {
			include /etc/nginx/fastcgi_params;
			fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
			fastcgi_pass unix:%s;
		}""" % self.php_fpm()
        for path, port in self.proxied().items():
            text += """
		location ^~ %s/ {
			include snippets/doorkeep_gate;
			proxy_pass http://127.0.0.1:%d/;
		}""" % (path, port)
        return text

    def guarded(self):
        """Inside of the guarded location: PHP as the shipped file shows it
        in a comment, and CGI by the same rules."""
        if not self.full:
            return ""
        text = shipped("conf/nginx/doorkeep.conf", {
            "/run/php/php-fpm.sock": self.php_fpm()})
        start = "location ~ ^/private"
        block = text.partition("#\t\t" + start)[2].partition("#\t\t}")[0]
        return start + block.replace("\n#", "\n") + """}
			index index.html index.php;
			location ~ ^/private/.+[.]cgi(/|$) {
				include snippets/doorkeep_gate;
				fastcgi_split_path_info ^(.+?[.]cgi)(/.*)$;
				include snippets/doorkeep_fastcgi;
				fastcgi_pass unix:%s;
			}""" % self.fcgiwrap()


class NginxKeep(Nginx):
    name = "nginx-keep_conn"
    keep = True


ALL = (LighttpdSpawned, LighttpdExternal, LighttpdCgi, ApacheFcgid,
       ApacheProxy, ApacheCgid, Nginx, NginxKeep)
