"""doorkeep doctor, on sites that are well and on sites that are not."""

import json
import os

from harness import PASSWORD, eq, true
from servers import ApacheFcgid, LighttpdSpawned, Nginx


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
    stand = kind(secrets)
    page = stand.origin + "/private/page.html"
    name = "doctor, %s: " % stand.name
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        with report.case(name + "a site that is well is called so",
                         "DK-A-09 DK-A-06", stand.box):
            eq(bad(ask(stand, page)), [], "findings")
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
            os.chmod(stand.database, 0o644)
            true("the store opens" in bad(ask(stand)), "an open store")
            os.chmod(stand.database, 0o600)
            done = stand.admin("doctor", "nonsense", check=False)
            eq(done.returncode, 2, "no URL")
    finally:
        problems = stand.close()
    with report.case("doctor: nothing is left behind"):
        eq(problems, [], "problems")


def run(secrets, report):
    on_this_machine(secrets, report)
    for kind in (LighttpdSpawned, ApacheFcgid, Nginx):
        one_server(kind, secrets, report)
