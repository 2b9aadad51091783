"""A doorkeep with its configuration, store and processes; servers.py puts
real web servers in front of it."""

import glob
import json
import os
import socket

from client import Browser
from echo import Echo
from harness import (PASSWORD, SOURCE, Sandbox, free_port, have, need,
                     port_answers, socket_answers, true, wait_for)
from headers import HeaderCheck
from store import store_for

RULES = """
/private/admins/ = group:admins
/private/short/ = any; reauth=10m
/private/staff/ = group:staff
/private/app/staff/ = group:staff
/private/open/ = public
/private/app/open/ = public
/private/ = any
/todos/ = any
"""

# Programs behind the gate that say what they see: lines "NAME=value", and
# what came as the body.
SHOW_CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo 'SAYS=%s'
env
echo "BODY=$(sha256sum | cut -c 1-64)"
"""
SHOW_PHP = """<?php
header("Content-Type: text/plain");
echo "SAYS=%s\\n";
foreach ($_SERVER as $name => $value)
	if (is_string($value))
		echo "$name=", strtr($value, "\\r\\n", "  "), "\\n";
echo "BODY=", hash("sha256", file_get_contents("php://input")), "\\n";
"""
PHP_FPM = """[global]
error_log = {d}/log/php-fpm.log
daemonize = no
[www]
listen = {d}/run/php.sock
pm = static
pm.max_children = 2
catch_workers_output = yes
"""
RADICALE = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = http_x_remote_user
[rights]
type = owner_only
[storage]
filesystem_folder = {d}/var/radicale
[logging]
level = warning
"""


def shipped(name, names):
    """A shipped file with its names replaced; each of them must occur."""
    with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
        text = f.read()
    for old, new in names.items():
        true(old in text, "%s has no %s" % (name, old))
        text = text.replace(old, new)
    return text


class Stand:
    """One server with doorkeep behind it."""

    name = "stand"
    scheme = "http"
    mount = "/auth"
    gate = True         # protected pages; else only doorkeep's own
    secret = "none"     # of [fastcgi] shared_secret
    workers = 0         # of doorkeep serve; 0: the server spawns them
    has_todos = False   # /todos is the example application
    hides_ht = False    # the server itself gives nobody .htpasswd
    json_denials = True  # the gate's refusal of fetch() stays JSON

    def __init__(self, secrets, **options):
        self.secrets = secrets
        self.extra = options.get("extra", "")
        self.rules = options.get("rules", RULES)
        self.full = self.gate and options.get("backends", False)
        self.environment = options.get("environment", {})
        for key in ("mount", "workers", "scheme"):
            if key in options:
                setattr(self, key, options[key])
        self.box = options.get("box") or Sandbox(self.name, secrets)
        self.store = options.get("store") or store_for(self.box)
        self.port = free_port()
        self.origin = "%s://localhost:%d" % (self.scheme, self.port)
        self.check = HeaderCheck(self.mount, secrets)
        self.socket = self.box.path("run", "dk.sock")
        self.server = self.serve = self.todos = None
        self.helpers = {}   # PHP and the like, by the name of their socket
        # What a backend says to whom it lets in, and to nobody else.
        self.treasure = {kind: "treasure-%s-%s" % (kind, os.urandom(9).hex())
                         for kind in ("file", "cgi", "php", "app")}
        self.echo = Echo(self.treasure["app"])
        self.write_site()
        self.write_config()
        try:
            self.admin("db", "migrate")
        except AssertionError:
            self.close()
            raise

    # ---- files ----
    def write_site(self):
        box = self.box
        box.write("htdocs/index.html", "<!doctype html><p>public page")
        for name in ("index.html", "page.html", "sub/a.html",
                     "admins/index.html", "short/index.html"):
            box.write("htdocs/private/" + name,
                      "<!doctype html><p>private page " + name)
        box.write("htdocs/private/.htpasswd", "nobody:sees-this\n")
        self.write_treasures("")
        self.write_treasures("staff/")
        self.write_treasures("open/", "open to everybody, ")
        box.write("htdocs/private/staff/index.html", self.treasure["file"])

    def write_treasures(self, folder, instead=None):
        for name, kind, text, mode in (
                ("secret.txt", "file", "%s\n", 0o644),
                ("show.cgi", "cgi", SHOW_CGI, 0o755),
                ("show.php", "php", SHOW_PHP, 0o644)):
            says = instead + kind if instead else self.treasure[kind]
            self.box.write("htdocs/private/" + folder + name, text % says,
                           mode)

    def config(self):
        return """# test
[site]
origin = %s
mount = %s
name = Test site
[store]
%s
[access]%s%s""" % (self.origin, self.mount or "/", self.store.lines(),
                   self.rules, self.extra)

    def write_config(self):
        self.config_file = self.box.write("etc/doorkeep.conf", self.config(),
                                          0o640)

    @property
    def database(self):
        return self.box.path("var", "dk.db")

    # ---- the command line ----
    def admin(self, *args, stdin="", check=True, env=None):
        more = {"DOORKEEP_CONFIG": self.config_file}
        more.update(env or {})
        return self.box.run([self.box.path("bin", "doorkeep"), *args],
                            stdin=stdin, env=more, check=check)

    def admin_json(self, *args):
        return json.loads(self.admin(*args, "--json").stdout)

    def add_user(self, name, password=PASSWORD, *more):
        self.secrets.add(password, "password")
        self.admin("user", "add", name, "--password-stdin", *more,
                   stdin=password + "\n")

    def sql(self, text, *options):
        """As an administrator with the engine's shell does."""
        return self.store.sql(text, *options)

    def dump(self, but=("last_seen_at",)):
        """Every row of the store but the named columns, and but what
        housekeeping counts at times of its own."""
        text = ""
        for table in self.store.tables():
            if table in ("hours", "session_samples"):
                continue
            keep = [c for c in self.store.columns(table) if c not in but]
            text += table + ":\n" + self.store.rows(
                "SELECT %s FROM %s ORDER BY 1, 2" % (
                    ",".join(keep), table)) + "\n\n"
        return text

    # ---- what stands behind the gate ----
    def proxied(self):
        """Path to port: an application of ours that says what it is told,
        and one of somebody else's that believes it."""
        return {"/private/app": self.echo.port,
                "/private/calendar": self.radicale()}

    def php_cgi(self):
        need("php-cgi")
        return have("php-cgi")

    def php_fpm(self):
        if "php.sock" not in self.helpers:
            found = sorted(glob.glob("/usr/sbin/php-fpm*"))
            true(found, "php-fpm is not installed")
            self.helpers["php.sock"] = self.box.start(
                [found[-1], "-F", "-O", "-y", self.box.write(
                    "etc/php-fpm.conf", PHP_FPM.format(d=self.box.dir))],
                "php-fpm.log")
        return self.box.path("run", "php.sock")

    def fcgiwrap(self):
        path = self.box.path("run", "wrap.sock")
        if "wrap.sock" not in self.helpers:
            need("fcgiwrap")
            self.helpers["wrap.sock"] = self.box.start(
                [have("fcgiwrap"), "-c", "2", "-s", "unix:" + path],
                "fcgiwrap.log")
        return path

    def radicale(self):
        """A calendar server of Debian's; it takes the name in X-Remote-User
        for the owner of the calendars."""
        if "radicale" not in self.helpers:
            need("radicale")
            self.radicale_port = free_port()
            self.helpers["radicale"] = self.box.start(
                [have("radicale"), "--config", self.box.write(
                    "etc/radicale.conf", RADICALE.format(
                        d=self.box.dir, port=self.radicale_port))],
                "radicale.log")
        return self.radicale_port

    def wait_for_helpers(self):
        for name in self.helpers:
            if name.endswith(".sock"):
                path = self.box.path("run", name)
                wait_for(lambda: socket_answers(path), 15, name)
            else:
                wait_for(lambda: port_answers(self.radicale_port), 30, name)

    # ---- processes ----
    def start(self):
        if self.workers:
            self.start_serve()
        if self.has_todos:
            self.start_todos()
        self.start_server()
        return self

    def start_serve(self, seconds=10):
        argv = [self.box.path("bin", "doorkeep"), "serve",
                *self.serve_arguments()]
        env = {"DOORKEEP_CONFIG": self.config_file}
        env.update(self.environment)
        self.serve = self.box.start(argv, "serve.log", env)
        wait_for(lambda: socket_answers(self.socket) or
                 self.serve.poll() is not None, seconds, "doorkeep serve")
        true(self.serve.poll() is None, "doorkeep serve ended at once")

    def serve_arguments(self):
        return ["--listen", "unix:%s,mode=0660" % self.socket, "--workers",
                str(self.workers)]

    def stop_serve(self):
        if self.serve is not None:
            self.box.stop(self.serve)
            self.serve = None

    def start_todos(self):
        """Where the server does not start it, it gets a listening socket on
        fd 0, as from spawn-fcgi(1)."""

    def todos_on_socket(self):
        path = self.box.path("run", "todos.sock")
        with socket.socket(socket.AF_UNIX) as s:
            if os.path.exists(path):
                os.unlink(path)
            s.bind(path)
            s.listen(16)
            os.chmod(path, 0o666)
            self.todos = self.box.start_on_fd(
                [self.box.path("bin", "todos.cgi")], "todos.log", s,
                self.todos_environment())

    def todos_environment(self):
        return {"TODOS_DATABASE": self.box.path("var", "todos.db")}

    def start_server(self):
        command = self.command()
        self.wait_for_helpers()
        self.server = self.box.start(command, "server.log")
        wait_for(lambda: port_answers(self.port) or
                 self.server.poll() is not None, 15, self.name + " answers")
        true(self.server.poll() is None, self.name + " ended at once")

    def stop_server(self):
        if self.server is not None:
            self.box.stop(self.server)
            self.server = None

    def restart(self):
        """Server and workers, as after a reboot."""
        self.stop_server()
        self.stop_serve()
        self.start()

    def stop(self):
        self.stop_server()
        self.stop_serve()
        if self.todos is not None:
            self.box.stop(self.todos)
            self.todos = None

    def close(self):
        """What is wrong at the end: secrets in files, processes that hang."""
        problems = []
        try:
            self.stop()
        except AssertionError as e:
            problems.append(str(e))
        problems += self.store.leaks(self.secrets)
        self.echo.close()
        return problems + self.box.close()

    def command(self):
        raise NotImplementedError

    # ---- clients ----
    def url(self, route):
        return self.mount + route

    def browser(self):
        return Browser(self.origin, self.check, self.secrets)

    def signed_in(self, username="alice", password=PASSWORD, remember=False):
        """A browser that has signed in as a program does."""
        browser = self.browser()
        answer = browser.post_json(self.url("/login"), {
            "username": username, "password": password,
            "remember": remember})
        true(answer.status == 200, "sign-in: %r %s" % (answer, answer.text))
        return browser

    def is_signed_in(self, browser):
        return browser.fetch(self.url("/session")).status == 200
