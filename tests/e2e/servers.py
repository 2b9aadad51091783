"""The web servers, each with the configuration that we ship for it."""

import os

from harness import (Skip, free_port, have, need, port_answers, true,
                     wait_for)
from stand import Stand, shipped

PROGRAM = "/usr/local/libexec/doorkeep/doorkeep.fcgi"
CONFIG = "/etc/doorkeep/doorkeep.conf"
SOCKET = "/run/doorkeep/doorkeep.sock"


# ---- lighttpd -----------------------------------------------------------------

class Lighttpd(Stand):
    has_cgi = has_proxy = True
    snippet = ""
    tls = ""

    def names(self):
        return {}

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
server.modules += ( "mod_cgi", "mod_proxy" )
$HTTP["url"] =~ "^/private/.*[.]cgi$" { cgi.assign = ( ".cgi" => "" ) }
$HTTP["url"] =~ "^/private/app/" {
	proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => %d )) )
	proxy.forwarded = ( "for" => 1, "proto" => 1, "remote_user" => 1 )
}
""" % (self.port, d, d, d, self.tls, d, self.more(), self.echo.port)

    def more(self):
        return ""


class LighttpdSpawned(Lighttpd):
    name = "lighttpd-fastcgi-spawned"
    snippet = "conf/lighttpd/doorkeep-spawned.conf"
    has_todos = True

    def names(self):
        return {PROGRAM: self.box.path("bin", "doorkeep.fcgi"),
                CONFIG: self.config_file,
                "/run/lighttpd": self.box.path("run"),
                '"/auth"': '"%s"' % (self.mount or "/")}

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
        return {SOCKET: self.socket,
                '"/auth"': '"%s"' % (self.mount or "/")}


class LighttpdCgi(Lighttpd):
    name = "lighttpd-cgi"
    snippet = "conf/lighttpd/doorkeep-cgi.conf"
    gate = has_cgi = has_proxy = False

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
    modules = ()
    snippets = ()
    has_cgi = has_proxy = True

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
	{includes}
	{cgi}
	<Location /private/app/>
		{app}
		ProxyPass http://127.0.0.1:{echo}/
	</Location>
	{more}
</VirtualHost>
""".format(d=d, port=self.port, load=self.load(), app=self.app(),
           includes="\n\t".join("Include %s/etc/%s" % (
               d, os.path.basename(s)) for s in self.snippets),
           cgi=self.cgi(), echo=self.echo.port, more=self.more())

    def cgi(self):
        if not self.has_cgi:
            return ""
        return """<Directory {d}/htdocs/private>
		Options +ExecCGI
		AddHandler cgi-script .cgi
	</Directory>""".format(d=self.box.dir)

    def app(self):
        """The lines that the shipped file gives for a proxied application."""
        text = shipped(self.snippets[-1], {})
        block = text.partition("#\t<Location /private/app/>\n")[2]
        true(block, "no example of a proxied application")
        lines = block.partition("#\t</Location>")[0].split("\n")
        return "\n".join(line.lstrip("#") for line in lines
                         if "ProxyPass" not in line)

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
    gate = has_cgi = has_proxy = False

    def names(self, _snippet):
        return {PROGRAM: self.box.path("bin", "doorkeep.fcgi"),
                "DOORKEEP_DIR     /usr/local/libexec/doorkeep":
                    "DOORKEEP_DIR     " + self.box.path("bin"),
                CONFIG: self.config_file,
                "DOORKEEP_MOUNT   /auth": "DOORKEEP_MOUNT   " + self.mount}

    def app(self):
        return ""


# ---- nginx ------------------------------------------------------------------------

class Nginx(Stand):
    name = "nginx"
    workers = 2
    has_proxy = has_todos = True
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
        for name in ("doorkeep_params", "doorkeep_gate", "doorkeep_proxy"):
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
		location /private/ {{
			include snippets/doorkeep_gate;
		}}
		location /private/app/ {{
			include snippets/doorkeep_gate;
			include snippets/doorkeep_proxy;
			proxy_pass http://127.0.0.1:{echo}/;
		}}
		location /todos {{
			include snippets/doorkeep_gate;
			include snippets/doorkeep_params;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param QUERY_STRING   $query_string;
			fastcgi_param CONTENT_TYPE   $content_type;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_param SCRIPT_NAME    /todos;
			fastcgi_param REMOTE_USER    $doorkeep_user;
			fastcgi_pass unix:{d}/run/todos.sock;
		}}
	}}
}}
""".format(d=self.box.dir, port=self.port, echo=self.echo.port,
           upstream=self.upstream())


class NginxKeep(Nginx):
    name = "nginx-keep_conn"
    keep = True


ALL = (LighttpdSpawned, LighttpdExternal, LighttpdCgi, ApacheFcgid,
       ApacheProxy, ApacheCgid, Nginx, NginxKeep)
