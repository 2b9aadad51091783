"""doorkeep doctor, on sites that are well and on sites that are not."""

import json
import os
import signal
import subprocess

from harness import PASSWORD, eq, true, wait_for
from servers import ApacheFcgid, LighttpdSpawned, Nginx
from store import on_postgres


def ask(stand, *args):
    done = stand.admin("doctor", *args, "--json", check=False)
    found = json.loads(done.stdout)
    eq(done.returncode, 1 if any(not f["good"] for f in found) else 0,
       "exit status")
    for f in found:
        eq(f["cure"] is None, f["good"], "a cure for what is wrong alone")
    return {f["check"]: f for f in found}


def bad(found):
    return [name for name, f in found.items() if not f["good"]]


def one_server(kind, secrets, report):
    stand = kind(secrets, backends=True)
    page = stand.origin + "/private/page.html"
    name = "doctor, %s: " % stand.name
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        with report.case(name + "a site that is well is called so",
                         "DK-A-09 DK-A-06", stand.box):
            eq(bad(ask(stand, page)), [], "findings")
            # One that would show the cookie and what is forged.
            eq(bad(ask(stand, stand.origin + "/private/app/x")), [],
               "findings at an application")
            true("All is well." in stand.admin("doctor").stdout.decode(),
                 "without a URL")
            eq(stand.sql("SELECT username FROM users"), "alice",
               "the throw-away user is gone")
        with report.case(name + "a page that nobody guards is found", "",
                         stand.box):
            found = ask(stand, stand.origin + "/index.html")
            eq(bad(found), ["a stranger is asked to sign in"], "findings")
            text = stand.admin("doctor", stand.origin + "/index.html",
                               check=False).stdout.decode()
            true("conf/nginx/" in text and "1 to mend." in text, text)
        with report.case(name + "a server that is away is found", "",
                         stand.box):
            stand.stop_server()
            eq(bad(ask(stand, page)), ["the site answers"], "findings")
            eq(stand.sql("SELECT username FROM users"), "alice", "users")
    finally:
        problems = stand.close()
    with report.case(name + "nothing is left behind", "DK-E-05 DK-P-11"):
        eq(problems, [], "problems")


def on_this_machine(secrets, report):
    stand = LighttpdSpawned(secrets, rules="\n")
    try:
        with report.case("doctor: what is wrong on this machine is named "
                         "with its cure", "DK-G-10", stand.box):
            found = ask(stand)
            eq(sorted(bad(found)), ["there are rules in [access]",
                                    "there is somebody who can sign in"],
               "findings")
            true(stand.config_file in found["there are rules in [access]"]
                 ["cure"], "the file")
            os.chmod(stand.box.path("var"), 0o777)
            true("nobody else may write beside the store" in bad(
                ask(stand)), "an open directory")
            os.chmod(stand.box.path("var"), 0o755)
            if on_postgres():
                true(any(w.startswith("the store is PostgreSQL ") and
                         w.endswith(" at " + stand.store.address)
                         for w in found), "which store: %r" % list(found))
                true({"the way to the store is private",
                      "the store has connections to spare",
                      "the store answers quickly"} <= set(found), "health")
            else:
                os.chmod(stand.database, 0o644)
                true("the store opens" in bad(ask(stand)), "an open store")
                os.chmod(stand.database, 0o600)
            done = stand.admin("doctor", "nonsense", check=False)
            eq(done.returncode, 2, "no URL")
    finally:
        problems = stand.close()
    with report.case("doctor: nothing is left behind"):
        eq(problems, [], "problems")


class Careless(Nginx):
    """What people get wrong."""

    name = "nginx-careless"

    def backends(self):
        return """
		# The gate, but not what keeps the headers clean.
		location ^~ /private/app/ {
			auth_request /_doorkeep_check;
			error_page 401 403 500 = @doorkeep_refused;
			proxy_pass http://127.0.0.1:%d/;
		}
		# GET is guarded, what else there is, is not.
		location = /private/some.html {
			if ($request_method = POST) { return 200 "done"; }
			include snippets/doorkeep_gate;
		}
		# Guarded as it is spelled in one place only.
		location ~ ^/PRIVATE/(.*)$ { return 200 "private page"; }""" % self.echo.port


class Lowercase(LighttpdSpawned):
    """Files are found whatever the case; the guard is not."""

    name = "lighttpd-lowercase"

    def more(self):
        return super().more() + """
server.force-lowercase-filenames = "enable"
"""


def careless(secrets, report):
    stand = Careless(secrets)
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        page = stand.origin + "/private/"
        for wrong, path, names in (
                ("an application that sees cookie and forged headers",
                 "app/x", ["doorkeep's cookie is hidden from the application",
                           "a forged identity header does not reach the "
                           "application"]),
                ("a guard for GET alone", "some.html",
                 ["a stranger's POST is refused as well"]),
                ("a guard for one spelling", "page.html",
                 ["odd spellings of the path open nothing"])):
            with report.case("doctor: %s is found" % wrong, "DK-A-06",
                             stand.box):
                found = ask(stand, page + path)
                for name in names:
                    true(name in bad(found), "%s in %r" % (name, bad(found)))
                true("the site answers" not in bad(found), "it answers")
                eq(stand.sql("SELECT username FROM users"), "alice", "users")
        with report.case("doctor: the line of the key to change is named, "
                         "and the throw-away user goes all the same", "",
                         stand.box):
            text = stand.box.read("etc/doorkeep.conf")
            stand.box.write("etc/other.conf", text.replace(
                "mount = /auth", "mount = /elsewhere"), 0o640)
            done = stand.admin("doctor", page + "page.html", "--json",
                               "--config", stand.box.path("etc/other.conf"),
                               check=False)
            eq(done.returncode, 1, "exit status")
            cures = [f["cure"] for f in json.loads(done.stdout)
                     if not f["good"]]
            line = 1 + [k.startswith("mount") for k in
                        text.split("\n")].index(True)
            true(any(c.startswith("%s:%d: [site] mount" % (
                stand.box.path("etc/other.conf"), line)) for c in cures),
                 cures)
            eq(stand.sql("SELECT username FROM users"), "alice", "users")
        interrupted(stand, report, page + "page.html")
    finally:
        problems = stand.close()
    with report.case("doctor, careless: nothing is left behind"):
        eq(problems, [], "problems")


def interrupted(stand, report, page):
    """A signal in the middle; and what a killed one leaves goes next time."""
    count = "SELECT count(*) FROM users WHERE username LIKE 'doctor-%'"
    for sent, left in ((signal.SIGTERM, "0"), (signal.SIGINT, "0"),
                       (signal.SIGKILL, "1")):
        with report.case("doctor: %s leaves %s throw-away user" % (
                sent.name, left), "", stand.box):
            child = subprocess.Popen(
                [stand.box.path("bin", "doorkeep"), "doctor", page],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"DOORKEEP_CONFIG": stand.config_file})
            try:
                wait_for(lambda: stand.sql(count) == "1", 10, "the user")
                child.send_signal(sent)
                eq(child.wait(30), -sent, "how it ended")
            finally:
                child.kill()
                child.wait()
            eq(stand.sql(count), left, "throw-away users")
    with report.case("doctor: what a killed one left is removed", "",
                     stand.box):
        stand.sql("UPDATE users SET created_at = created_at - 3600000 "
                  "WHERE username LIKE 'doctor-%'")
        ask(stand, page)
        eq(stand.sql(count), "0", "throw-away users")


def lowercase(secrets, report):
    stand = Lowercase(secrets)
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        with report.case("doctor: files found in any case behind a guard "
                         "that minds it are found", "DK-A-11", stand.box):
            found = ask(stand, stand.origin + "/private/page.html")
            eq(bad(found), ["odd spellings of the path open nothing"],
               "findings")
            true("/PRIVATE/PAGE.HTML" in found[
                "odd spellings of the path open nothing"]["cure"], "which")
    finally:
        problems = stand.close()
    with report.case("doctor, lowercase: nothing is left behind"):
        eq(problems, [], "problems")


def run(secrets, report):
    on_this_machine(secrets, report)
    careless(secrets, report)
    lowercase(secrets, report)
    for kind in (LighttpdSpawned, ApacheFcgid, Nginx):
        one_server(kind, secrets, report)
