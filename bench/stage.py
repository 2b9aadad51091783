"""One machine's worth of contestants: nginx and lighttpd in front of
doorkeep, of the bare libfcgi program and of the peers, in a directory of its
own."""

import http.client
import json
import os
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(SOURCE, "tests", "e2e"))

# The imports need the path above.
from harness import (Sandbox, Secrets, build_dir, free_port, have,  # noqa: E402
                     port_answers, socket_answers, true, wait_for)
from store import Postgres  # noqa: E402
from stand import shipped  # noqa: E402

PASSWORD = "lantern harbour seven"
SOCKET, MOUNT = "/run/doorkeep/doorkeep.sock", "/auth"
LUA = "/usr/local/share/doorkeep/lighttpd/doorkeep.lua"
BARE_LIGHTTPD = """
server.modules += ( "mod_fastcgi" )
fastcgi.server = (
	"/bare/" => (( "socket" => "{d}/run/bare.sock",
		"mode" => "authorizer", "check-local" => "disable" )),
	"/bare-app" => (( "socket" => "{d}/run/bare.sock",
		"check-local" => "disable" )),
	"/store-app" => (( "socket" => "{d}/run/store.sock",
		"check-local" => "disable" )),
	"/store/" => (( "socket" => "{d}/run/store.sock",
		"mode" => "authorizer", "check-local" => "disable" )) )
"""
FILL = """
PRAGMA synchronous = OFF;
PRAGMA cache_size = -1000000;
WITH RECURSIVE n (i) AS (
    SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at,
       last_seen_at, expires_at, idle_timeout, level, remember, ip,
       user_agent, host)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' ||
             substr(hex(randomblob(2)), 2) || '-a' ||
             substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))) AS id,
       randomblob(32), (SELECT min(id) FROM users) + i % 10,
       {now}, {now}, {now}, {now} + {life}, 0, 1, 0, '192.0.2.1',
       'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0', 'localhost'
  FROM n ORDER BY 1;
PRAGMA wal_checkpoint(TRUNCATE);
"""
FILL_POSTGRES = """
INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at,
       last_seen_at, expires_at, idle_timeout, level, remember, ip,
       user_agent, host)
SELECT gen_random_uuid()::text, sha256(i::text::bytea),
       (ARRAY(SELECT id FROM users ORDER BY id))[1 + i % 10],
       {now}, {now}, {now}, {now} + {life}, 0, 1, 0, '192.0.2.1',
       'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0', 'localhost'
  FROM generate_series(1, {count}) AS i;
ANALYZE sessions;
CHECKPOINT;
"""


class Contestant:
    """What wrk asks for, and whose processor time counts."""

    least_good = 0.99   # less of it is no measurement

    def __init__(self, name, url, roots, headers=()):
        self.name, self.url = name, url
        self.roots, self.headers = roots, list(headers)


class Stage:
    """store: "sqlite" or "postgres"."""

    def __init__(self, sessions=1000, kept=True, store="sqlite"):
        self.box = Sandbox("bench", Secrets())
        self.postgres = None
        self.fronts = 1     # processes of nginx
        self.sessions = sessions
        self.kept = kept
        self.nginx_port = free_port()
        # lighttpd as doorkeep ships it, and one that has never heard of it.
        self.lighttpd_port, self.lighttpd_bare_port = free_port(), free_port()
        self.origin = "http://localhost:%d" % self.nginx_port
        self.database = self.box.path("var", "dk.db")
        if store == "postgres":
            self.postgres = Postgres(self.box.dir).make().start()
        self.upstreams = self.locations = ""    # of the peers
        self.serve = self.bare = self.asking = self.nginx = None
        self.lighttpd = self.lighttpd_bare = None
        self.cookie = None
        self.write_files()

    # ---- files ----
    def write_files(self):
        box = self.box
        for place in ("plain", "private", "bare", "store"):
            box.write("htdocs/%s/file.txt" % place, "a page\n" * 100)
        self.config = box.write("etc/doorkeep.conf", """
[site]
origin = %s
[store]
database = %s
directory = %s
[session]
idle_timeout = 0
[access]
/private/ = any
""" % (self.origin, self.postgres.address() if self.postgres else self.database,
       self.box.path("var")), 0o640)
        self.admin("db", "migrate")
        for name in ["alice"] + ["user%d" % n for n in range(9)]:
            self.admin("user", "add", name, "--password-stdin",
                       stdin=PASSWORD + "\n")

    def admin(self, *args, stdin="", timeout=60):
        return self.box.run([self.box.path("bin", "doorkeep"), *args], stdin,
                            {"DOORKEEP_CONFIG": self.config}, timeout)

    def sqlite(self, text, timeout=1800):
        return self.box.run([have("sqlite3"), self.database], text,
                            timeout=timeout).stdout.decode().strip()

    def sql(self, text):
        """On the store, whichever it is."""
        if self.postgres:
            return self.postgres.sql(text, seconds=1800)
        return self.sqlite(text)

    def fill(self, count, life_s=86400):
        """Sessions of other people: rows as sign-ins make them."""
        now = int(time.time() * 1000)
        if self.postgres:
            self.sql(FILL_POSTGRES.format(count=count, now=now,
                                          life=life_s * 1000))
        else:
            self.sqlite(FILL.format(count=count, now=now,
                                    life=life_s * 1000))

    def bytes_of_sessions(self):
        """What the sessions take on disk, their indexes with them."""
        if self.postgres:
            return int(self.sql("SELECT pg_total_relation_size('sessions')"))
        return os.path.getsize(self.database)

    # ---- processes ----
    def start(self):
        box = self.box
        if self.sessions > 1:
            self.fill(self.sessions - 1)
        self.start_serve()
        self.bare = self.on_socket("bare", "bare")
        if not self.postgres:
            self.asking = self.on_socket("store", "store", self.question())
        box.write("etc/nginx.conf", self.nginx_conf())
        for name in ("doorkeep_params", "doorkeep_gate"):
            box.write("etc/snippets/" + name,
                      shipped("conf/nginx/" + name, {}))
        text = shipped("conf/nginx/doorkeep.conf", {
            SOCKET: box.path("run", "dk.sock")})
        box.write("etc/snippets/doorkeep.conf", self.keep(text, "dk"))
        self.nginx = box.start(
            [have("nginx"), "-p", box.dir, "-e", box.path("log/nginx-error.log"),
             "-c", box.path("etc/nginx.conf")], "nginx.log")
        self.lighttpd = self.start_lighttpd(
            "lighttpd", self.lighttpd_port,
            shipped("conf/lighttpd/doorkeep-external.conf", {
                SOCKET: box.path("run", "dk.sock"),
                LUA: box.shipped("conf/lighttpd/doorkeep.lua")}))
        self.lighttpd_bare = self.start_lighttpd(
            "lighttpd-bare", self.lighttpd_bare_port, BARE_LIGHTTPD.format(
                d=box.dir))
        for port, name in ((self.nginx_port, "nginx"),
                           (self.lighttpd_port, "lighttpd"),
                           (self.lighttpd_bare_port, "lighttpd-bare")):
            try:
                wait_for(lambda p=port: port_answers(p), 15, name)
            except AssertionError as e:
                raise RuntimeError("%s: %s" % (e, self.said(name))) from e
        self.cookie = self.sign_in()
        return self

    def said(self, name):
        with open(self.box.path("log", name + ".log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()[-1000:]

    def start_serve(self):
        path = self.box.path("run", "dk.sock")
        self.serve = self.box.start(
            [self.box.path("bin", "doorkeep"), "serve", "--listen",
             "unix:%s,mode=0660" % path], "serve.log",
            {"DOORKEEP_CONFIG": self.config})
        wait_for(lambda: socket_answers(path), 15, "doorkeep serve")

    def question(self):
        """What bench/store.c is told: the very statement of a check."""
        with open(os.path.join(SOURCE, "sql", "queries.sql"),
                  encoding="utf-8") as f:
            text = f.read().partition("-- name: session_check\n")[2]
        lines = [line for line in text.partition("-- name:")[0].split("\n")
                 if not line.startswith("--")]
        return {"STORE": self.database,
                "QUERY": " ".join(lines).replace("$1", "?1")}

    def on_socket(self, program, name, env=None):
        path = self.box.path("run", name + ".sock")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(1024)
            os.chmod(path, 0o666)
            return self.box.start_on_fd(
                [os.path.join(build_dir(), "bench", program)],
                name + ".log", s, env)

    def keep(self, text, name):
        if not self.kept:
            return text
        return text.replace(
            "fastcgi_pass unix:%s;" % self.box.path("run", name + ".sock"),
            "fastcgi_pass %s; fastcgi_keep_conn on;" % name)

    def nginx_conf(self):
        d = self.box.dir
        bare, asking = (self.keep("fastcgi_pass unix:%s;" % self.box.path(
            "run", name + ".sock"), name) for name in ("bare", "store"))
        return """
daemon off;
pid {d}/run/nginx.pid;
error_log {d}/log/nginx-error.log error;
worker_processes {fronts};
events {{ worker_connections 30000; }}
http {{
	include /etc/nginx/mime.types;
	access_log off;
	keepalive_requests 1000000;
	client_body_temp_path {d}/tmp/body;
	proxy_temp_path {d}/tmp/proxy;
	fastcgi_temp_path {d}/tmp/fastcgi;
	uwsgi_temp_path {d}/tmp/uwsgi;
	scgi_temp_path {d}/tmp/scgi;
	upstream dk {{ server unix:{d}/run/dk.sock; keepalive 32; }}
	{upstreams}
	upstream bare {{ server unix:{d}/run/bare.sock; keepalive 32; }}
	upstream store {{ server unix:{d}/run/store.sock; keepalive 32; }}
	server {{
		listen 127.0.0.1:{port} backlog=20000;
		server_name localhost;
		root {d}/htdocs;
		include snippets/doorkeep.conf;
		location = /front {{ return 200 "ok\\n"; }}
		location = /bare-app {{
			include snippets/doorkeep_params;
			{bare}
		}}
		location = /store-app {{
			include snippets/doorkeep_params;
			{asking}
		}}
		location = /_bare {{
			internal;
			include snippets/doorkeep_params;
			fastcgi_pass_request_body off;
			fastcgi_pass unix:{d}/run/bare.sock;
		}}
		location = /_store {{
			internal;
			include snippets/doorkeep_params;
			fastcgi_pass_request_body off;
			fastcgi_pass unix:{d}/run/store.sock;
		}}
		location /bare/ {{ auth_request /_bare; }}
		location /store/ {{ auth_request /_store; }}
		location /private/ {{ include snippets/doorkeep_gate; }}
		{locations}
	}}
}}
""".format(d=d, port=self.nginx_port, fronts=self.fronts, bare=bare, asking=asking,
           upstreams=self.upstreams, locations=self.locations)

    def start_lighttpd(self, name, port, text):
        conf = self.box.write("etc/%s.conf" % name, """
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{d}/htdocs"
server.errorlog = "{d}/log/{name}-error.log"
server.max-keep-alive-requests = 1000000
mimetype.assign = ( ".txt" => "text/plain" )
{text}
""".format(port=port, d=self.box.dir, name=name, text=text))
        return self.box.start([have("lighttpd"), "-D", "-f", conf],
                              name + ".log")

    # ---- clients ----
    def ask(self, method, path, body=None, headers=None, port=None):
        connection = http.client.HTTPConnection(
            "127.0.0.1", port or self.nginx_port, timeout=30)
        try:
            connection.request(method, path, body, dict(
                headers or {}, Host="localhost:%d" % self.nginx_port))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def sign_in(self, user="alice"):
        """The cookie."""
        return self.sign_in_fully(user)[0]

    def sign_in_fully(self, user="alice"):
        """The cookie, and the token for what changes something."""
        status, heads, body = self.ask("POST", "/auth/login", json.dumps(
            {"username": user, "password": PASSWORD}),
            {"Content-Type": "application/json"})
        true(status == 200, "sign-in: %d" % status)
        for line in heads.get_all("Set-Cookie"):
            if line.startswith("doorkeep="):
                return line.partition(";")[0], json.loads(body)["csrf_token"]
        raise RuntimeError("no cookie")

    def at(self, server, path):
        return "http://127.0.0.1:%d%s" % ({
            "nginx": self.nginx_port, "lighttpd": self.lighttpd_port,
            "lighttpd-bare": self.lighttpd_bare_port}[server], path)

    def contestant(self, name, server, path, who):
        """who: the process that answers, beside the server."""
        heads = ["Host: localhost:%d" % self.nginx_port,
                 "Cookie: " + self.cookie]
        return Contestant(name, self.at(server, path), [who.pid], heads)

    def workers(self):
        with open("/proc/%d/task/%d/children" % (
                self.serve.pid, self.serve.pid), encoding="utf-8") as f:
            return [int(pid) for pid in f.read().split()]

    def close(self):
        if self.postgres:
            self.postgres.stop()
        return self.box.close()
