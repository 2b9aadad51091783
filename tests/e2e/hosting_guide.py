"""doc/shared-hosting.md, done word for word by somebody who has an account and
nothing else; then what it promises."""

import json
import os
import re
import shutil
import stat

from harness import PASSWORD, SOURCE, eq, true
from hosting import Hosting, variables


ENV_PHP = """<?php header('Content-Type: text/plain');
foreach ($_SERVER as $k => $v) if (is_string($v)) echo "$k=$v\\n";
"""


class Account(Hosting):
    name = "apache-guide"

    def htdocs(self, *parts):
        return self.box.path("home", "public_html", *parts)

    def fill(self):
        """As the host makes it over; and the programs, as built."""
        os.makedirs(self.htdocs())
        os.makedirs(self.box.path("upload"))
        for name in ("doorkeep", "doorkeep.fcgi"):
            shutil.copy2(self.box.path("bin", name), self.box.path("upload"))
        shutil.copy2(os.path.join(SOURCE, "apache-conf/htaccess-marker"),
                     self.box.path("upload"))
        self.box.write("home/public_html/index.html", "the front page")

    def base(self):
        return super().base().replace(self.box.path("htdocs"),
                                      self.htdocs()) + """
<Directory {d}/home/public_html>
	Action php /php/php-cgi
	AddHandler php .php
</Directory>
""".format(d=self.box.dir)

    def shell(self, text):
        """A block of the page, in a shell of the account."""
        return self.box.run(["/bin/sh", "-eu", "-c", text],
                            env={"HOME": self.box.path("home")},
                            cwd=self.box.path("upload")).stdout.decode()


class Guide:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report
        with open(os.path.join(SOURCE, "doc", "shared-hosting.md"),
                  encoding="utf-8") as f:
            self.text = f.read()

    def case(self, name, ids=""):
        return self.report.case("guide: " + name, ids, self.stand.box)

    def blocks(self, heading):
        """What stands to be typed below a heading."""
        section = re.search(r"^## %s.*?(?=^## |\Z)" % re.escape(heading),
                            self.text, re.S | re.M)
        true(section is not None, "no section " + heading)
        found = re.findall(r"^```sh\n(.*?)^```$", section.group(0),
                           re.S | re.M)
        true(found, "no commands below " + heading)
        return [text.replace("https://www.example.org", self.stand.origin)
                for text in found]

    def follow(self, heading):
        return "".join(self.stand.shell(text)
                       for text in self.blocks(heading))

    def run(self):
        stand = self.stand
        with self.case("every block of commands has its step here"):
            eq(self.text.count("```sh\n"), 8, "blocks")
        with self.case("upload, mode bits, configuration, .htaccess, a person",
                       "DK-G-11"):
            for heading in ("1. Upload", "2. Mode bits",
                            "3. Configuration and store",
                            "4. The .htaccess files"):
                self.follow(heading)
            said = self.follow("5. The first person")
        stand.box.write("home/public_html/members/index.html", "members only")
        stand.box.write("home/public_html/members/list.txt", "names")
        self.first_sign_in(said)
        with self.case("doctor finds all well"):
            true("All is well." in self.follow("6. See that it holds"),
                 "doctor")
        self.closed()
        self.without_cron()
        self.scripts()

    def first_sign_in(self, said):
        stand = self.stand
        with self.case("the link, a password, and the page", "DK-L-02"):
            link = re.search(re.escape(stand.origin) + r"(\S+)", said)
            true(link is not None, said)
            stand.secrets.add_cookie("x." + link.group(1).partition(
                "token=")[2])
            browser = stand.browser()
            answer = browser.get(link.group(1))
            eq(answer.status, 303, "link")
            page = browser.get(answer.header("Location")).page
            browser.submit(page.form_with("new_password"),
                           {"new_password": PASSWORD},
                           stand.url("/set-password"))
            self.browser = stand.browser()
            answer = self.browser.get("/members/")
            eq(answer.status, 401, "asks")
            answer = self.browser.sign_in(answer.page, "/members/", "anna",
                                          PASSWORD)
            eq((answer.status, answer.header("Location")),
               (303, "/members/"), "sign-in")
            eq(self.browser.get("/members/").text, "members only", "page")

    def closed(self):
        stand = self.stand
        with self.case("nothing else is open, and the rest of the site is",
                       "DK-A-11 DK-G-10"):
            for path in ("/members/", "/members", "/members/list.txt",
                         "/members/none"):
                eq(stand.browser().get(path).status, 401, path)
            for name in ("doorkeep.conf", ".htaccess", ""):
                true(stand.browser().get("/cgi-bin/" + name).status in
                     (403, 404), name)
            eq(stand.browser().get("/").text, "the front page", "site")
            eq(stat.S_IMODE(os.stat(stand.box.path(
                "home", "doorkeep")).st_mode), 0o700, "mode")

    def without_cron(self):
        stand = self.stand

        def old():
            return stand.box.run(
                ["sqlite3", stand.box.path("home/doorkeep/doorkeep.db"),
                 "SELECT count(*) FROM sessions WHERE expires_at < 100"]
            ).stdout.strip()

        with self.case("without cron, what is over goes by itself"):
            browser = stand.browser()
            page = browser.get(stand.url("/login"))
            eq(browser.sign_in(page.page, stand.url("/login"), "anna",
                               PASSWORD).status, 303, "sign-in")
            stand.box.run(
                ["sqlite3", stand.box.path("home/doorkeep/doorkeep.db"),
                 "UPDATE sessions SET created_at = 1, authenticated_at = 1, "
                 "last_seen_at = 1, expires_at = 2 WHERE id = "
                 "(SELECT id FROM sessions ORDER BY created_at DESC "
                 "LIMIT 1)"])
            eq(old(), b"1", "one is over")
            # One request in 64 does it: that 2000 do not has a chance of
            # one in 10^13.
            for _ in range(2000):
                stand.browser().get(stand.url("/health"))
                if old() == b"0":
                    break
            eq(old(), b"0", "still there")
            self.follow("Without cron")

    def scripts(self):
        stand = self.stand
        with self.case("scripts: refused by the handler, guarded by markers",
                       "DK-G-06"):
            stand.box.write("home/public_html/members/a.php", ENV_PHP)
            eq(self.browser.get("/members/a.php").status, 403, "handler")
            self.follow("CGI and PHP")
            path = stand.htdocs("app", ".htaccess")
            with open(path, encoding="utf-8") as f:
                text = f.read()
            # This site is http.
            stand.box.write("home/public_html/app/.htaccess",
                            text.replace("__Host-doorkeep-gate",
                                         "doorkeep-gate"))
            stand.box.write("home/public_html/app/a.php", ENV_PHP)
            browser = stand.browser()
            answer = browser.get("/app/a.php?x=1")
            eq(answer.status, 401, "asks")
            answer = browser.sign_in(answer.page, "/app/a.php?x=1", "anna",
                                     PASSWORD)
            eq(answer.header("Location"), "/app/a.php?x=1", "sign-in")
            env = variables(browser.get("/app/a.php?x=1").text)
            eq(env["REDIRECT_REMOTE_USER"], "anna", "who")
        with self.case("doctor: markers that Apache cannot reach", "DK-G-10"):
            self.markers_out_of_reach()

    def markers_out_of_reach(self):
        stand = self.stand
        home = stand.box.path("home")

        def findings():
            done = stand.box.run(
                [os.path.join(home, "doorkeep/doorkeep"), "--config",
                 os.path.join(home, "doorkeep/doorkeep.conf"), "doctor",
                 "--json"], check=False)
            return {f["check"]: f for f in json.loads(done.stdout)}

        name = "the web server can reach the markers"
        true(findings()[name]["good"], "well")
        os.chmod(home, 0o700)
        found = findings()[name]
        os.chmod(home, 0o711)
        eq((found["good"], found["cure"]), (False, "chmod o+x " + home),
           "finding")


def run(secrets, report):
    stand = Account(secrets)
    try:
        stand.start_server()
        Guide(stand, report).run()
    finally:
        problems = stand.close()
    with report.case("guide: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")
