"""From nothing: what `doorkeep init` writes and prints is all that a server
gets; and the units for systemd."""

import os
import re

from client import NAVIGATION
from harness import SOURCE, Sandbox, eq, have, need, true
from servers import LUA, SOCKET, ApacheFcgid, LighttpdSpawned, Nginx

# Where the files lie that the printed lines name.
NGINX_FILES = "/usr/local/share/doorkeep/nginx/"


class Printed:
    """A server whose configuration and snippet are those of init; paths that
    belong to an installed doorkeep are those of the test."""

    has_todos = False
    server_name = ""
    paths = ("/private/",)
    options = ()

    def write_site(self):
        super().write_site()
        for name in ("reports/a.html", "reports.html", "x/y/z.html",
                     "x/y/page", "open/a.html", "a.b/c.html"):
            self.box.write("htdocs/" + name, "the page " + name)

    def write_config(self):
        self.config_file = self.box.path("etc", "doorkeep.conf")
        args = ["init", "--config", self.config_file, "--database",
                self.database, "--origin", self.origin, "--server",
                self.server_name, *self.options]
        for path in self.paths:
            args += ["--protect", path]
        done = self.admin(*args, check=False)
        self.said = done.stderr.decode()
        eq((done.returncode, self.said), self.outcome, "init")
        self.printed = done.stdout.decode()

    outcome = (0, "")

    def snippet_file(self):
        text = self.printed
        nginx = os.path.join(self.box.shipped("conf/nginx"), "")
        for old, new in {
                LUA: self.box.shipped("conf/lighttpd/doorkeep.lua"),
                NGINX_FILES: nginx,
                "include snippets/": "include " + nginx,
                SOCKET: self.socket,
                "/run/lighttpd": self.box.path("run")}.items():
            text = text.replace(old, new)
        return text

    def command(self):
        argv = super().command()
        self.box.write(self.place, self.snippet_file())
        return argv


class PrintedLighttpd(Printed, LighttpdSpawned):
    name = "init-lighttpd"
    server_name = "lighttpd"
    place = "etc/doorkeep-lighttpd.conf"

    def more(self):
        return ""


class PrintedApache(Printed, ApacheFcgid):
    name = "init-apache"
    server_name = "apache"
    place = "etc/mod_fcgid.conf"

    def more(self):
        return ""


class PrintedNginx(Printed, Nginx):
    name = "init-nginx"
    server_name = "nginx"
    place = "etc/snippets/doorkeep.conf"

    def locations(self):
        return ""


SEVERAL = ("/private/", "/reports", "/x/y", "/a.b/")
PAGES = ("/private/page.html", "/reports/a.html", "/x/y/z.html",
         "/x/y/page", "/a.b/c.html")
KINDS = (PrintedLighttpd, PrintedApache, PrintedNginx)


def asked(browser, path):
    return browser.request("GET", path, dict(NAVIGATION))


def walk(stand, report, guarded, free):
    """Strangers are asked to sign in, in place; people are let in."""
    with report.case("%s: the printed lines guard %s" % (
            stand.name, " ".join(stand.paths)), "DK-A-02",
                     stand.box):
        stand.add_user("alice")
        stand.start()
        browser = stand.browser()
        for path in free:
            eq(asked(browser, path).status, 200, path + " for strangers")
        for path in guarded:
            answer = asked(browser, path)
            eq(answer.status, 401, path + " for strangers")
            true('name="password"' in answer.text, "the form at " + path)
        eq(browser.fetch("/auth/style.css").status, 200, "own pages")
        me = stand.signed_in()
        for path in guarded + free:
            eq(asked(me, path).status, 200, path + " for alice")


EXPOSURE_MAX = 1.5  # of 10, as systemd-analyze counts


def units(secrets, report):
    box = Sandbox("units", secrets)
    with report.case("systemd: the units are good, and keep the service in"):
        need("systemd-analyze")
        names = []
        for name in ("doorkeep.service", "doorkeep.socket"):
            with open(os.path.join(SOURCE, "conf/systemd", name),
                      encoding="utf-8") as f:
                names.append(box.write("etc/" + name, f.read().replace(
                    "/usr/local/bin/doorkeep", box.path("bin/doorkeep"))))
        analyze = have("systemd-analyze")
        done = box.run([analyze, "verify", "--man=no", *names])
        eq(done.stdout + done.stderr, b"", "verify says")
        done = box.run([analyze, "security", "--offline=yes", "--no-pager",
                        names[0]])
        level = re.search(r"exposure level.*: ([0-9.]+)",
                          done.stdout.decode())
        true(float(level[1]) <= EXPOSURE_MAX, level[0])
    eq(box.close(), [], "left behind")


def run(secrets, report):
    units(secrets, report)
    for kind in KINDS:
        for paths, guarded, free in (
                (SEVERAL, PAGES, ("/index.html", "/open/a.html")),
                (("/",), PAGES + ("/", "/open/a.html"), ())):
            if paths == ("/",) and kind is PrintedLighttpd:
                continue    # refused: its own pages would be guarded
            stand = type(kind.__name__, (kind,), {"paths": paths})(secrets)
            try:
                walk(stand, report, guarded, free)
            finally:
                problems = stand.close()
            with report.case("%s: nothing is left behind" % stand.name,
                             "DK-E-05"):
                eq(problems, [], "problems")
