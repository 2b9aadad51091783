"""The README word for word: its commands are run and its lines for the web
servers are what the servers get.  Only the places are those of the test: the
names below, in place of an installed doorkeep's."""

import grp
import os
import re
import shlex
import shutil

from harness import PASSWORD, SOURCE, eq, have, need, true
from servers import ApacheFcgid, LighttpdSpawned, Nginx
from start import asked

SHARE = "/usr/local/share/doorkeep/"


def blocks():
    """Every indented block, by the paragraph before it."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        text = f.read()
    found, before = [], ""
    for part in re.split(r"\n\n+", text):
        if part.startswith("    "):
            found.append((before, re.sub(r"^    ", "", part, flags=re.M)))
        else:
            before = part
    return found


def block(words, begins=""):
    """The one block behind a paragraph with these words."""
    fit = [text for before, text in blocks()
           if words in before and text.startswith(begins)]
    eq(len(fit), 1, "blocks of the README behind " + words)
    return fit[0]


class AsTold:
    """A stand with the files where the README has them."""

    told_of = ""
    has_todos = False

    def __init__(self, secrets):
        super().__init__(secrets, rules="\n" + block(
            "first match wins").partition("[access]\n")[2] + "\n")

    def share(self, name, text):
        self.box.write("share/" + name, text)

    def told(self, words):
        return block(words).replace(SHARE, self.box.path("share") + "/")

    def put_in(self, base, line):
        """The server's file with the README's lines in place of ours."""
        true(line in base, line)
        return base.replace(line, self.told(self.told_of))


class ToldLighttpd(AsTold, LighttpdSpawned):
    name = "readme-lighttpd"
    told_of = "starts doorkeep itself"

    def base(self):
        self.share("lighttpd/doorkeep-spawned.conf", self.box.read(
            "etc/doorkeep-lighttpd.conf"))
        return self.put_in(super().base(), 'include "%s"' % self.box.path(
            "etc/doorkeep-lighttpd.conf"))

    def more(self):
        return ""


class ToldApache(AsTold, ApacheFcgid):
    name = "readme-apache"
    told_of = "In the `<VirtualHost>`"

    def base(self):
        self.share("apache/mod_fcgid.conf",
                   self.box.read("etc/mod_fcgid.conf"))
        return self.put_in(super().base(), "Include " + self.box.path(
            "etc/mod_fcgid.conf"))

    def more(self):
        return ""


class ToldNginx(AsTold, Nginx):
    name = "readme-nginx"
    told_of = "In the server block"

    def base(self):
        copy, _ = self.commands()
        shutil.move(self.box.path("etc/snippets"), self.box.path("share"))
        os.rename(self.box.path("share"), self.box.path("nginx"))
        os.makedirs(self.box.path("share"))
        os.rename(self.box.path("nginx"), self.box.path("share/nginx"))
        os.makedirs(self.box.path("etc/snippets"))
        self.box.own(self.box.dir)
        self.box.run(["sh", "-c", copy.replace(
            "/etc/nginx/snippets/", self.box.path("etc/snippets/"))])
        return self.put_in(super().base(), "include snippets/doorkeep.conf;")

    def commands(self):
        return self.told("needs the workers kept").split("\n")

    def locations(self):
        return ""

    def start_serve(self, seconds=10):
        """By the command of the README."""
        command = shlex.split(self.commands()[1])
        eq(command[:3], ["doorkeep", "serve", "--listen"], "command")
        where = command[3].replace("/run/doorkeep/doorkeep.sock", self.socket)
        group = grp.getgrgid(self.box.user.pw_gid).gr_name
        self.listen = where.replace("group=www-data", "group=" + group)
        super().start_serve(seconds)

    def serve_arguments(self):
        return ["--listen", self.listen]


def walk(stand, report):
    with report.case("%s: the lines of the README guard /private/" %
                     stand.name, "DK-A-02", stand.box):
        stand.add_user("alice")
        stand.start()
        stranger, alice = stand.browser(), stand.signed_in()
        eq(asked(stranger, "/index.html").status, 200, "public")
        answer = asked(stranger, "/private/page.html")
        eq(answer.status, 401, "strangers")
        true('name="password"' in answer.text, "the form")
        eq(asked(alice, "/private/page.html").status, 200, "alice")
        true(asked(alice, "/private/board/").status in (401, 403), "board")


def programs(stand, report):
    """What else a README can be wrong about, beside the running site."""
    box = stand.box

    def case(name):
        return report.case("readme: " + name, "", box)

    def places(text):
        return text.replace("https://www.example.org", stand.origin).replace(
            "/var/lib/doorkeep/doorkeep.db", stand.database).replace(
            '"..."', '"%s"' % PASSWORD)

    with case("init and user add"):
        lines = [line for line in block("## Install").replace(
            "\\\n", "").split("\n") if line.startswith("doorkeep ")]
        eq(len(lines), 2, "commands")
        where = ["--config", box.path("etc/new.conf")]
        done = stand.admin(*shlex.split(lines[0])[1:], *where, "--database",
                           box.path("var/new.db"))
        true(b'"authorizer"' in done.stdout, "the lines for lighttpd")
        done = stand.admin(*shlex.split(lines[1])[1:], *where)
        true(b"https://www.example.org/auth/" in done.stdout, "the link")
    with case("a program signs in by curl"):
        need("curl")
        commands = places(block("sign in with JSON")).replace("\\\n", "")
        for command in commands.split("\n"):
            out = box.run(["sh", "-c", command.replace(
                "curl ", "curl -sS --fail ", 1)]).stdout.decode()
            true('"alice"' in out, out)
    with case("explain names the line of the example"):
        done = stand.admin("explain", "/private/board/", "--user", "alice")
        true(b"group:board" in done.stdout, done.stdout.decode())
    with case("sessions with sqlite3"):
        need("sqlite3")
        command, _, statements = places(block("## Sessions")).partition("\n")
        out = box.run(["sh", "-c", command.replace(
            "sqlite3", have("sqlite3"), 1)], stdin=statements).stdout.decode()
        true("alice" in out and "session_revoked" in out, out)
        eq(stand.sql("SELECT disabled FROM users"), "1", "disabled")


def run(secrets, report):
    for kind in (ToldLighttpd, ToldApache, ToldNginx):
        stand = kind(secrets)
        try:
            walk(stand, report)
            if kind is ToldNginx:
                programs(stand, report)
        finally:
            problems = stand.close()
        with report.case(stand.name + ": nothing is left behind",
                         "DK-E-05"):
            eq(problems, [], "problems")
