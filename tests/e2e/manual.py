"""The manual as it stands: the commands of doc/manual/*.md are run, one page
in one place, and print what the page says they print.

In a page ```sh are commands that succeed and ```sh fails those that do not,
```text behind them is what they print (a line of … stands for any lines, …
within one for any text), and ```ini is what goes into doorkeep.conf.  Names such as /etc/doorkeep become those of the
test's own directory, and systemctl starts what doorkeep.service does."""

import glob
import os
import re

from harness import PASSWORD, SOURCE, eq, have, need, true
from servers import LighttpdExternal
from store import PostgresStore

BLOCK = re.compile(r"^```([a-z]+(?: fails)?)\n(.*?)^```$", re.M | re.S)
COMMANDS = ("sh", "sh fails")
SHARE = {"lighttpd": "conf/lighttpd", "nginx": "conf/nginx",
         "systemd": "conf/systemd", "apache": "apache-conf", "html": "html"}
ACCESS = "\n/private/staff/ = group:staff\n/private/ = any\n"

SYSTEMCTL = """#!/bin/sh
# What doorkeep.service says, without systemd.
pid=$(cat {run}/serve.pid 2>/dev/null)
answers() {{ kill -0 "$pid" 2>/dev/null; }}
start()
{{
	nohup {bin}/doorkeep serve --listen unix:{run}/dk.sock,mode=0660 \\
	    --workers 2 </dev/null >>{log}/serve.log 2>&1 &
	pid=$!
	echo "$pid" >{run}/serve.pid
	for i in $(seq 400); do
		[ "$(pgrep -c -P "$pid")" = 2 ] && exit 0
		sleep 0.05
	done
	exit 1
}}
stop()
{{
	answers || return 0
	kill "$pid"
	for i in $(seq 400); do answers || return 0; sleep 0.05; done
	exit 1
}}
reload()
{{
	old=$(pgrep -P "$pid" | head -n 1)
	kill -HUP "$pid"
	for i in $(seq 400); do
		kill -0 "$old" 2>/dev/null || return 0
		sleep 0.05
	done
	exit 1
}}
case "$*" in
"start doorkeep" | "enable --now doorkeep.socket doorkeep.service") start ;;
"stop doorkeep") stop ;;
"restart doorkeep") stop; start ;;
"reload doorkeep") reload ;;
*) echo "systemctl $*: the manual's test has no such thing" >&2; exit 1 ;;
esac
"""


class Blocks:
    """Kind, text and line of each block of a page."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        self.text = text
        self.all = [(m.group(1), m.group(2), text.count("\n", 0, m.start()))
                    for m in BLOCK.finditer(text)]

    def have(self, word):
        return any(kind in COMMANDS and word in text
                   for kind, text, _ in self.all)


def says(want, got):
    """Does got look like want, in which … is anything?"""
    pattern = ""
    for line in want.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += "(.*\n)*?"
        else:
            pattern += ".*".join(re.escape(p.rstrip() if i else p) for i, p in
                                 enumerate(line.split("…"))) + "[ ]*\n"
    return re.fullmatch(pattern, got.rstrip("\n") + "\n") is not None


def merge(config, fragment):
    """The fragment's keys in place of the same ones; [access] whole."""
    sections, order = {}, []
    for text in (config, fragment):
        name, fresh = None, set()
        for line in text.split("\n"):
            line = line.strip()
            if line.startswith("["):
                name = line
                if name not in sections:
                    sections[name] = []
                    order.append(name)
                if name == "[access]" and text is fragment:
                    sections[name] = []
            elif line and not line.startswith("#"):
                key = line.split("=")[0].strip()
                if name != "[access]" and key not in fresh:
                    sections[name] = [row for row in sections[name] if
                                      row.split("=")[0].strip() != key]
                fresh.add(key)
                sections[name].append(line)
    return "".join("%s\n%s\n\n" % (name, "\n".join(sections[name]))
                   for name in order)


class Manual(LighttpdExternal):
    name = "manual"
    workers = 0     # systemctl starts them

    def __init__(self, secrets, path):
        super().__init__(secrets, rules=ACCESS)
        self.page, self.path = Blocks(path), path
        box = self.box
        box.write("bin/systemctl", SYSTEMCTL.format(
            bin=box.path("bin"), run=box.path("run"), log=box.path("log")),
            0o755)
        for folder in ("backups", "etc/nginx"):
            os.makedirs(box.path(folder), exist_ok=True)
        for name, source in SHARE.items():
            for path in glob.glob(os.path.join(SOURCE, source, "*")):
                with open(path, encoding="utf-8") as f:
                    box.write("share/%s/%s" % (
                        name, os.path.basename(path)), f.read())
        box.own(box.dir)
        self.there = {}
        if "postgresql://" in self.page.text:
            # With the parameter that the page's has, and libpq needs not.
            passfile = box.write("etc/pgpass", "", 0o600)
            self.there["postgresql://doorkeep@db.example.org/doorkeep?"
                       "passfile=/etc/doorkeep/pgpass"] = PostgresStore(
                           box).address + "&passfile=" + passfile
        self.there.update({
            "https://www.example.org": self.origin,
            "/etc/doorkeep": box.path("etc"),
            "/var/lib/doorkeep/doorkeep.db": self.database,
            "/var/lib/doorkeep": box.path("var"),
            "/var/backups": box.path("backups"),
            "/var/log": box.path("log"),
            "/run/doorkeep/doorkeep.sock": self.socket,
            "/usr/local/share/doorkeep": box.path("share"),
            "/etc/nginx": box.path("etc/nginx"),
        })

    def here(self, text):
        for name, place in self.there.items():
            text = text.replace(name, place)
        return text

    def in_manual(self, text):
        for name, place in self.there.items():
            text = text.replace(place, name)
        return text

    def begin(self):
        """Installed, with somebody in it; or nothing, for a page that
        begins with init."""
        if self.page.have("doorkeep init "):
            for name in os.listdir(self.box.path("var")):
                os.unlink(self.box.path("var", name))
            os.unlink(self.config_file)
        else:
            self.add_user("alice", PASSWORD, "--group", "staff")
            self.shell("systemctl start doorkeep\n")
        self.start()

    def shell(self, text):
        need("sh", "pgrep")
        path = self.box.write("tmp/commands", "set -e\n" + self.here(text))
        done = self.box.run(
            ["sh", path], env={
                "DOORKEEP_CONFIG": self.config_file,
                "PATH": self.box.path("bin") + ":/usr/bin:/bin:/usr/sbin"},
            check=False, timeout=120)
        return done.returncode, self.in_manual(
            (done.stdout + done.stderr).decode())

    def configure(self, text):
        with open(self.config_file, encoding="utf-8") as f:
            config = f.read()
        self.box.write("etc/doorkeep.conf", merge(config, self.here(text)),
                       0o640)
        status, out = self.shell("doorkeep config check\n")
        true(status == 0, out)

    def follow(self):
        wants = dict(enumerate(self.page.all))
        for n, (kind, text, line) in wants.items():
            where = "%s:%d: " % (os.path.basename(self.path), line + 2)
            if kind == "ini":
                self.configure(text)
            elif kind in COMMANDS:
                behind = wants.get(n + 1, ("", "", 0))
                status, out = self.shell(text)
                true((status == 0) == (kind == "sh"),
                     where + "exit %d: %s" % (status, out))
                if behind[0] == "text":
                    true(says(behind[1], out), where + "prints\n" + out)
            else:
                true(kind == "text" and wants[n - 1][0] in COMMANDS or
                     kind in ("html", "css", "apache", "nginx", "lighttpd"),
                     where + "a block of kind " + kind)

    def close(self):
        try:
            self.shell("systemctl stop doorkeep\n")
        finally:
            problems = super().close()
        return problems


def pages():
    return sorted(glob.glob(os.path.join(SOURCE, "doc/manual/*.md")) +
                  glob.glob(os.path.join(SOURCE, "doc/manual/*/*.md")))


def check_links(report):
    """Links lead somewhere, and every page is on one of the lists."""
    linked, wrong = set(), []
    for path in pages():
        text = Blocks(path).text
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            there = os.path.normpath(os.path.join(os.path.dirname(path),
                                                  link))
            linked.add(there)
            if not link.startswith("http") and not os.path.exists(there):
                wrong.append("%s: %s" % (os.path.basename(path), link))
        for name in re.findall(
                r"/usr/local/share/doorkeep/([a-z]+/[\w.-]+)", text):
            folder, _, name = name.partition("/")
            if not os.path.exists(os.path.join(SOURCE, SHARE[folder], name)):
                wrong.append("%s: %s" % (os.path.basename(path), name))
    with report.case("manual: links lead to a page, and every page is linked"):
        true(not wrong, "; ".join(wrong))
        left = [os.path.basename(p) for p in pages()
                if p not in linked and not p.endswith("manual/README.md")]
        true(not left, "not linked: " + ", ".join(left))


def check_words(report):
    """What the list of symptoms quotes is what doorkeep says."""
    with open(os.path.join(SOURCE, "messages/en.txt"),
              encoding="utf-8") as f:
        words = f.read()
    with open(os.path.join(SOURCE, "doc/manual/trouble/README.md"),
              encoding="utf-8") as f:
        said = re.findall(r'"([A-Z][^"]+)"', f.read())
    with report.case("manual: symptoms are quoted as the pages say them"):
        true(len(said) > 5, "quotes: %d" % len(said))
        eq([quote for quote in said if quote not in words], [], "not said")


def run(secrets, report):
    true(len(pages()) > 10 and have("sh"), "pages: %d" % len(pages()))
    check_links(report)
    check_words(report)
    for path in pages():
        if not Blocks(path).all:
            continue
        stand = Manual(secrets, path)
        try:
            with report.case("manual: what %s shows is so" % os.path.relpath(
                    path, os.path.join(SOURCE, "doc/manual")), "", stand.box):
                stand.begin()
                stand.follow()
        finally:
            problems = stand.close()
        if problems:
            report.fail("manual: %s: nothing is left behind" % path,
                        "\n".join(problems))
