"""The shipped fail2ban filter against lines that doorkeep really writes."""

import os
import re

from harness import PASSWORD, SOURCE, eq, need, true
from servers import LighttpdSpawned
from stand import shipped

FILTER = "conf/fail2ban/filter.d/doorkeep.conf"
JAIL = os.path.join(SOURCE, "conf", "fail2ban", "jail.d", "doorkeep.conf")


def one_format(secrets, report, form):
    stand = LighttpdSpawned(secrets, extra="[log]\nformat = %s\n" % form)
    try:
        with report.case("fail2ban: the filter finds guesses in the %s log, "
                         "and no one else" % form, "DK-E-04", stand.box):
            need("fail2ban-regex")
            stand.add_user("alice")
            stand.start()
            for name, password in (("alice", "wrong wrong wrong"),
                                   ("nobody", "wrong wrong wrong"),
                                   ('"ip":"192.0.2.1"', "x"),
                                   ("alice", PASSWORD)):
                stand.browser().post_json(stand.url("/login"), {
                    "username": name, "password": password})
            for _ in range(40):
                answer = stand.browser().post_json(stand.url("/login"), {
                    "username": "alice", "password": "wrong wrong wrong"})
                if answer.status == 429:
                    break
            eq(answer.status, 429, "throttled in the end")
            log = stand.box.path("log", "server.log")
            lines = [line for line in stand.box.read("log/server.log").split(
                "\n") if re.search(r'event"?[:=]"sign_in"', line)]
            bad = [line for line in lines if "success" not in line]
            true(len(bad) > 5 and len(lines) > len(bad), "lines")
            # What the servers' user cannot read would be taken for a regex.
            copy = stand.box.write("etc/doorkeep-filter.conf", shipped(
                FILTER, {}))
            done = stand.box.run(["fail2ban-regex", "--out", "ip", log, copy])
            hosts = done.stdout.decode().split()
            eq(len(hosts), len(bad), "hits")
            eq(set(hosts), {"127.0.0.1"}, "addresses")
    finally:
        problems = stand.close()
    with report.case("fail2ban: nothing is left behind"):
        eq(problems, [], "problems")


def run(secrets, report):
    one_format(secrets, report, "json")
    one_format(secrets, report, "text")
    with report.case("fail2ban: the jail names the filter"):
        with open(JAIL, encoding="utf-8") as f:
            true(re.search(r"^filter += doorkeep$", f.read(), re.M), "filter")
