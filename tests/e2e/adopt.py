"""An existing site with Basic authentication moves to doorkeep, and back, by
what `doorkeep init --adopt` prints and nothing else."""

import base64
import json
import re

from client import NAVIGATION
from harness import PASSWORD, eq, true
from start import PrintedApache, PrintedLighttpd, PrintedNginx, asked

OTHER = PASSWORD + " of bob"


class Moving:
    """First the old site; move() reads its file and makes the new one."""

    moved = False
    areas = ("/private/", "/private/staff/")
    refused = ()

    def write_config(self):
        """Not yet: the old site has none."""
        self.config_file = self.box.path("etc", "doorkeep.conf")
        hashed = {}
        for name, password, kind in (("alice", PASSWORD, "-apr1"),
                                     ("bob", OTHER, "-6")):
            hashed[name] = self.box.run(
                ["openssl", "passwd", kind, "-stdin"],
                stdin=password + "\n").stdout.decode().strip()
        self.box.write("etc/htpasswd", "# people\nalice:%s\nbob:%s\n%s" % (
            hashed["alice"], hashed["bob"],
            "".join(line + "\n" for line in self.refused)), 0o640)
        self.box.write("etc/groups", "staff: alice carol\nothers: bob\n")
        self.old = self.old_lines().format(etc=self.box.path("etc"),
                                           htdocs=self.box.path("htdocs"))
        self.box.write(self.place, self.old)

    def admin(self, *args, **options):
        if args == ("db", "migrate"):
            return None     # init makes the store
        return super().admin(*args, **options)

    def start_serve(self, seconds=10):
        if self.moved:
            super().start_serve(seconds)

    def snippet_file(self):
        return super().snippet_file() if self.moved else self.old

    def adopt(self, *more):
        return self.admin(
            "init", "--config", self.config_file, "--database",
            self.database, "--origin", self.origin, "--adopt",
            self.box.path(self.place), *self.options_of_site(), *more,
            check=False)

    def options_of_site(self):
        return ()

    def move(self):
        done = self.adopt()
        eq((done.returncode, done.stderr.decode()), self.outcome, "init")
        self.said = done.stdout.decode()
        lines = self.old.split("\n")
        for number, text, instead in re.findall(
                r"^#   (\d+): (.*)$(?:\n#      and put in its place: (.*))?",
                self.said, re.M):
            eq(lines[int(number) - 1].strip(), text, "line " + number)
            lines[int(number) - 1] = instead
        self.printed = "\n".join(lines) + "\n" + self.said
        self.moved = True

    def get(self, path, name=None, password=""):
        more = dict(NAVIGATION)
        if name:
            more["Authorization"] = "Basic " + base64.b64encode(
                ("%s:%s" % (name, password)).encode()).decode()
        return self.browser().request("GET", path, more)


class MovingApache(Moving, PrintedApache):
    name = "adopt-apache"
    modules = (*PrintedApache.modules, "auth_basic", "authn_file",
               "authz_groupfile")
    # A hash that nobody takes over.
    refused = ("dora:rl.3StKT.4T8M", "erin")
    outcome = (1, "doorkeep: all is set up, but 2 of the people did not move "
                  "in; see above, and doorkeep user add\n")

    def old_lines(self):
        return """<Directory "{htdocs}/private">
	AuthName "Members"
	AuthType Basic
	AuthUserFile {etc}/htpasswd
	AuthGroupFile {etc}/groups
	Options -Indexes
	Require valid-user
</Directory>
<Directory {htdocs}/private/open>
	Require all granted
</Directory>
<Location /private/staff>
	Require group staff
</Location>
"""

    def options_of_site(self):
        return ("--document-root", self.box.path("htdocs"))


class MovingLighttpd(Moving, PrintedLighttpd):
    name = "adopt-lighttpd"

    def old_lines(self):
        return """server.modules += ( "mod_auth", "mod_authn_file" )
auth.backend = "htpasswd"
auth.backend.htpasswd.userfile = "{etc}/htpasswd"
$HTTP["url"] !~ "^/private/open/" {{
	server.tag = "old"
}}
auth.require = (
	"/private/staff/" => ( "method" => "basic", "realm" => "Members",
		"require" => "user=alice" ),
	"/private/" => ( "method" => "basic", "realm" => "Members",
		"require" => "valid-user" )
)
"""


class MovingNginx(Moving, PrintedNginx):
    name = "adopt-nginx"

    def old_lines(self):
        return """location /private/ {{
	auth_basic "Members; only";
	auth_basic_user_file {etc}/htpasswd;
	location /private/open/ {{
		auth_basic off;
	}}
}}
"""


def walk(stand, report):
    staff = "/private/staff/secret.txt"
    has_staff = not isinstance(stand, MovingNginx)
    has_open = not isinstance(stand, MovingLighttpd)

    def case(name):
        return report.case("%s: %s" % (stand.name, name), "", stand.box)

    def old_site():
        for path in ("/private/page.html", staff):
            answer = stand.get(path)
            eq(answer.status, 401, path)
            true(answer.header("WWW-Authenticate").startswith("Basic"), "asks")
            eq(stand.get(path, "alice", PASSWORD).status, 200, "alice")
        eq(stand.get("/private/page.html", "bob", OTHER).status, 200, "bob")
        if has_staff:
            true(stand.get(staff, "bob", OTHER).status in (401, 403), "bob")

    with case("the site with Basic authentication"):
        stand.start()
        old_site()
    with case("init --adopt moves people, groups and rules in"):
        stand.stop_server()
        before = stand.box.read("etc/htpasswd")
        stand.move()
        eq(stand.box.read("etc/htpasswd"), before, "the old passwords")
        true("2 moved in" in stand.said, "sum")
        eq("/doorkeep_fastcgi;" in stand.said, isinstance(stand, MovingNginx),
           "a word about FastCGI programs")
        if stand.refused:
            true(re.search(r"^# .*/htpasswd:4: dora: the hash is of no kind",
                           stand.said, re.M), "dora")
            true(re.search(r"^# .*/htpasswd:5: is not name:hash",
                           stand.said, re.M), "erin")
        stand.admin("config", "check")
        eq(stand.adopt().returncode, 1, "never twice")
    with case("who came in before comes in, by the sign-in page, and nobody "
              "else"):
        stand.start()
        for path in ("/private/page.html", staff):
            for answer in (stand.get(path),
                           stand.get(path, "alice", PASSWORD)):
                eq(answer.status, 401, path)
                true('name="password"' in answer.text, "the form")
        alice = stand.signed_in()
        bob = stand.signed_in("bob", OTHER)
        eq(asked(bob, "/private/page.html").status, 200, "bob")
        eq(asked(alice, staff).status, 200, "alice")
        if has_staff:
            true(asked(bob, staff).status in (401, 403), "bob as staff")
            true(stand.treasure["file"] not in asked(bob, staff).text, "bob")
        if has_open:
            eq(stand.get("/private/open/secret.txt").status, 200, "open")
    with case("and back"):
        stand.stop()
        stand.moved = False
        stand.start()
        old_site()
        stand.stop()


def refusals(stand, report):
    with report.case(stand.name + ": what is not understood is named with its "
                     "line, and nothing is written", "", stand.box):
        for old, change, says in (
                ("Require valid-user", "Require valid-user\nRequire ip ::1",
                 r"mod_fcgid.conf:8: this condition"),
                ("AuthType Basic", "AuthType Digest", ":3: AuthType Digest"),
                ("htpasswd", "nowhere", "/nowhere: No such file")):
            stand.box.write(stand.place, stand.old.replace(old, change))
            done = stand.adopt()
            eq((done.returncode, done.stdout), (1, b""), "init")
            true(re.search(says, done.stderr.decode()), done.stderr.decode())
        stand.box.write(stand.place, stand.old)
        for more, says in ((("--protect", "/x"), "leave --protect out"),):
            done = stand.adopt(*more)
            eq(done.returncode, 2, "init")
            true(says in done.stderr.decode(), done.stderr.decode())
        true(not stand.box.read("etc/htpasswd") == "", "htpasswd")
        eq(stand.admin("config", "check", check=False).returncode, 1,
           "no configuration")
        done = stand.adopt("--json")
        value = json.loads(done.stdout)
        eq((value["people_added"], value["people_refused"],
            value["weak_hashes"]), (2, 2, 1), "people")
        eq(value["replace"][0], {"line": 2, "text": 'AuthName "Members"'},
           "the first line")


def run(secrets, report):
    for kind, what in ((MovingApache, refusals), (MovingApache, walk),
                       (MovingLighttpd, walk), (MovingNginx, walk)):
        secrets.add(OTHER, "password")
        stand = kind(secrets)
        try:
            what(stand, report)
        finally:
            problems = stand.close()
        with report.case(stand.name + ": nothing is left behind",
                         "DK-E-05 DK-P-11"):
            eq(problems, [], "problems")
