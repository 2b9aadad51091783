"""A doorkeep with its configuration, store and processes; servers.py puts
real web servers in front of it."""

import json
import os
import socket

from client import Browser
from echo import Echo
from harness import (PASSWORD, SOURCE, Sandbox, free_port, have, port_answers,
                     socket_answers, true, wait_for)
from headers import HeaderCheck

ENV_CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env
"""
RULES = """
/private/admins/ = group:admins
/private/short/ = any; reauth=10m
/private/ = any
/todos/ = any
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
    workers = 0         # of doorkeep serve; 0: the server spawns them
    has_cgi = False     # /private/env.cgi
    has_proxy = False   # /private/app/ is proxied
    has_todos = False   # /todos is the example application
    json_denials = True  # the gate's refusal of fetch() stays JSON

    def __init__(self, secrets, **options):
        self.secrets = secrets
        self.extra = options.get("extra", "")
        self.rules = options.get("rules", RULES)
        self.environment = options.get("environment", {})
        for key in ("mount", "workers", "scheme"):
            if key in options:
                setattr(self, key, options[key])
        self.box = Sandbox(self.name, secrets)
        self.port = free_port()
        self.origin = "%s://localhost:%d" % (self.scheme, self.port)
        self.check = HeaderCheck(self.mount, secrets)
        self.socket = self.box.path("run", "dk.sock")
        self.server = self.serve = self.todos = None
        self.echo = Echo()
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
        box.write("htdocs/private/env.cgi", ENV_CGI, 0o755)

    def config(self):
        return """# test
[site]
origin = %s
mount = %s
name = Test site
[store]
database = %s
[access]%s%s""" % (self.origin, self.mount or "/", self.box.path("var/dk.db"),
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
        """As an administrator with the sqlite3 shell does."""
        done = self.box.run([have("sqlite3") or "sqlite3", *options, "-cmd",
                             ".timeout 5000", self.database, text])
        return done.stdout.decode().strip()

    def dump(self, but=("last_seen_at",)):
        """Every row of the store but the named columns."""
        text = ""
        for table in self.sql(
                "SELECT name FROM sqlite_master WHERE type='table'"
                " AND name NOT LIKE 'sqlite_%' ORDER BY 1").split("\n"):
            columns = self.sql("SELECT group_concat(name) FROM "
                               "pragma_table_info('%s')" % table)
            keep = [c for c in columns.split(",") if c not in but]
            text += table + ":\n" + self.sql(
                "SELECT %s FROM %s" % (",".join(keep), table),
                "-quote") + "\n"
        return text

    # ---- processes ----
    def start(self):
        if self.workers:
            self.start_serve()
        if self.has_todos:
            self.start_todos()
        self.start_server()
        return self

    def start_serve(self, seconds=10):
        argv = [self.box.path("bin", "doorkeep"), "serve", "--listen",
                "unix:%s,mode=0660" % self.socket, "--workers",
                str(self.workers)]
        env = {"DOORKEEP_CONFIG": self.config_file}
        env.update(self.environment)
        self.serve = self.box.start(argv, "serve.log", env)
        wait_for(lambda: socket_answers(self.socket) or
                 self.serve.poll() is not None, seconds, "doorkeep serve")
        true(self.serve.poll() is None, "doorkeep serve ended at once")

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
        self.server = self.box.start(self.command(), "server.log")
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
