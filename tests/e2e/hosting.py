"""Shared hosting: an account with CGI and .htaccess and nothing else; Apache
runs as a user without rights and allows what hosts allow.  The directories
are guarded by the shipped .htaccess files."""

import hashlib
import os
import re
import stat
import time

from harness import PASSWORD, build_dir, eq, one_of, true
from servers import Apache
from stand import shipped

import shutil

PROGRAM_URL = "/cgi-bin/doorkeep.fcgi"
RULES = """
/marked/staff/ = group:staff
/marked/shut/ = user:nobody
/marked/ = any
"""
ENV_CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env
[ "$REQUEST_METHOD" = POST ] && { printf 'BODY='; head -c "$CONTENT_LENGTH"; }
"""
ENV_PHP = """<?php header('Content-Type: text/plain');
foreach ($_SERVER as $k => $v) if (is_string($v)) echo "$k=$v\\n";
echo 'BODY=', file_get_contents('php://input');
"""


class Hosting(Apache):
    name = "apache-hosting"
    mount = PROGRAM_URL
    modules = ("cgid", "actions", "rewrite")
    snippets = ()
    gate = has_cgi = has_proxy = False

    def __init__(self, secrets, **options):
        options.setdefault("rules", RULES)
        super().__init__(secrets, **options)
        self.fill()

    # ---- the account ----
    def config(self):
        return super().config() + "\n[hosting]\nmarkers = %s\n" % self.markers

    def write_rules(self, shut):
        self.rules = RULES.replace("user:nobody", shut)
        self.write_config()

    @property
    def markers(self):
        return self.box.path("account", "markers")

    def htdocs(self, *parts):
        return self.box.path("htdocs", *parts)

    def fill(self):
        """As somebody does who has FTP and nothing else."""
        box = self.box
        os.makedirs(self.htdocs("cgi-bin"), exist_ok=True)
        os.makedirs(box.path("account"), exist_ok=True)
        os.chmod(box.path("account"), 0o711)
        shutil.copy2(os.path.join(build_dir(), "doorkeep.fcgi"),
                     self.htdocs("cgi-bin"))
        link = self.htdocs("cgi-bin", "doorkeep.conf")
        if not os.path.lexists(link):
            os.symlink(self.config_file, link)
        box.write("htdocs/cgi-bin/.htaccess",
                  shipped("apache-conf/htaccess-cgi-bin", {}))
        for folder, place in (("marked", "any"), ("marked/shut", "user.bob"),
                              ("marked/staff", "group.staff")):
            box.write("htdocs/%s/.htaccess" % folder, self.marked(place))
            box.write("htdocs/%s/index.html" % folder, "<p>in " + folder)
        box.write("htdocs/marked/page.txt", "0123456789" * 10)
        box.write("htdocs/marked/sub/deep.txt", "deep")
        box.write("htdocs/marked/env.cgi", ENV_CGI, 0o755)
        box.write("htdocs/marked/env.php", ENV_PHP)
        box.write("htdocs/marked/php/index.php", ENV_PHP)

    def marked(self, place):
        text = shipped("apache-conf/htaccess-marker", {
            "/home/me/doorkeep/markers/any": self.markers + "/" + place,
            "__Host-doorkeep-gate": "doorkeep-gate"})
        return text + """
Options +ExecCGI
AddHandler cgi-script .cgi
Action php /php/php-cgi
AddHandler php .php
DirectoryIndex index.html index.php
"""

    # ---- the host ----
    def base(self):
        d = self.box.dir
        return super().base().replace("Require all granted", """\
Require all granted
		AllowOverride AuthConfig FileInfo Indexes Limit Options=ExecCGI""",
                                      1) + """
ScriptAlias /php/php-cgi /usr/bin/php-cgi
<Files php-cgi>
	Require all granted
</Files>
LogLevel warn
# {d}
""".format(d=d)

    def app(self):
        return ""

    def marker_files(self):
        found = []
        for folder, _, names in os.walk(self.markers):
            found += [os.path.join(folder, name) for name in names]
        return sorted(found)


def gate_cookie(browser):
    return browser.jar.cookies.get("doorkeep-gate")


def sign_in_at(stand, path, username="alice"):
    """As a person does: the page itself asks, then shows itself."""
    browser = stand.browser()
    answer = browser.get(path)
    eq(answer.status, 401, "stranger")
    back = browser.sign_in(answer.page, path, username, PASSWORD)
    eq(back.status, 303, "sign-in")
    eq(back.header("Location"), path, "back to")
    eq(browser.get(path).status, 200, "after it")
    return browser


# ---- marker files ------------------------------------------------------------

def variables(text):
    return dict(line.split("=", 1) for line in text.split("\n")
                if "=" in line)


def markers_open(stand, report):
    box = stand.box
    with report.case("markers: the page asks, and shows itself after sign-in",
                     "DK-L-02 DK-G-11", box):
        browser = sign_in_at(stand, "/marked/?a=1&b=%2f")
        name = hashlib.sha1(gate_cookie(browser).encode()).hexdigest()
        eq(stand.marker_files(), [
            os.path.join(stand.markers, "any", name),
            os.path.join(stand.markers, "group.staff", name)], "files")
        for path in stand.marker_files():
            eq(os.stat(path).st_size, 0, "size")
        for folder in (stand.markers, os.path.join(stand.markers, "any")):
            eq(stat.S_IMODE(os.stat(folder).st_mode), 0o711, "mode")
    with report.case("markers: Apache serves as ever: types, ranges, 304, "
                     "HEAD, no program at work", "DK-A-12", box):
        served_natively(stand, browser)
    with report.case("markers: CGI and PHP get the name, the body and no "
                     "cookie of ours", "DK-G-06", box):
        scripts_get_the_name(stand, browser)
    with report.case("markers: group and user places", "DK-A-11", box):
        eq(browser.get("/marked/staff/").status, 200, "staff for alice")
        bob = stand.signed_in("bob")
        eq(bob.get("/marked/").status, 200, "any for bob")
        eq(bob.get("/marked/staff/").status, 403, "staff for bob")
    with report.case("markers: a missing page is nobody's business", "", box):
        eq(stand.browser().get("/marked/none").status, 401, "stranger")
        eq(browser.get("/marked/none").status, 404, "alice")
    with report.case("markers: fetch() hears 401 as JSON", "DK-L-17", box):
        answer = stand.browser().fetch("/marked/page.txt")
        eq(answer.status, 401, "status")
        eq(answer.json["login_url"], PROGRAM_URL + "/login", "login_url")


def served_natively(stand, browser):
    runs = stand.sql("SELECT max(last_seen_at) FROM sessions")
    answer = browser.get("/marked/page.txt")
    true(answer.header("Content-Type").startswith("text/plain"), "type")
    true("private" in answer.header("Cache-Control"), "Cache-Control")
    eq(browser.get("/marked/page.txt", Range="bytes=10-14").body, b"01234",
       "range")
    tag = answer.header("ETag")
    eq(browser.get("/marked/page.txt", If_None_Match=tag).status, 304, "304")
    eq(browser.request("HEAD", "/marked/page.txt").status, 200, "HEAD")
    eq(browser.get("/marked/sub/deep.txt").text, "deep", "below")
    eq(stand.sql("SELECT max(last_seen_at) FROM sessions"), runs, "touched")


def scripts_get_the_name(stand, browser):
    for path, key in (("/marked/env.cgi", "REMOTE_USER"),
                      ("/marked/env.php", "REDIRECT_REMOTE_USER"),
                      ("/marked/php/", "REDIRECT_REMOTE_USER")):
        browser.jar.cookies["other"] = "kept"
        answer = browser.get(path, Remote_User="root", X_Remote_User="root")
        eq(answer.status, 200, path)
        env = variables(answer.text)
        eq(env.get(key), "alice", path + ": " + key)
        true("doorkeep" not in env.get("HTTP_COOKIE", ""), "cookie: %r" %
             env.get("HTTP_COOKIE"))
        true("other=kept" in env.get("HTTP_COOKIE", ""), "other cookie")
        del browser.jar.cookies["other"]
    answer = browser.post_form("/marked/env.cgi", {"a": "1 2"})
    true(answer.text.endswith("BODY=a=1+2"), "body: " + answer.text[-40:])


def forged(stand, report):
    box = stand.box
    browser = stand.signed_in()
    good = gate_cookie(browser)
    random, end, name = good.split(".", 2)

    def try_it(line):
        return stand.browser().get("/marked/page.txt", Cookie=line).status

    with report.case("markers: no other cookie opens anything",
                     "DK-S-07 DK-C-08", box):
        eq(try_it("doorkeep-gate=" + good), 200, "the cookie itself")
        eq(try_it("a=b; doorkeep-gate=%s; c=d" % good), 200, "among others")
        for line in (
                "doorkeep-gate=%s.%s.bob" % (random, end),
                "doorkeep-gate=%s.20991231235959.%s" % (random, name),
                "doorkeep-gate=%s.%s.%s" % (random[:-1] + "_", end, name),
                "doorkeep-gate=%s.%s.%s" % (random.upper(), end, name),
                "doorkeep-gate=../any/" + hashlib.sha1(
                    good.encode()).hexdigest(),
                "doorkeep-gate=" + hashlib.sha1(good.encode()).hexdigest(),
                "xdoorkeep-gate=" + good, "Doorkeep-Gate=" + good,
                "x=doorkeep-gate=" + good, "doorkeep-gate=%sX" % good,
                'doorkeep-gate="%s"' % good, "doorkeep-gate=",
                "doorkeep-gate=%s%%00" % good, "doorkeep-gate=.." * 9,
                "doorkeep=" + browser.jar.session()):
            eq(try_it(line), 401 if "doorkeep=" not in line else 303, line)
    with report.case("markers: Apache itself keeps to the end of the session",
                     "DK-S-09", box):
        past = "%s.20010101000000.%s" % (random, name)
        path = os.path.join(stand.markers, "any",
                            hashlib.sha1(past.encode()).hexdigest())
        with open(path, "w", encoding="ascii"):
            pass
        eq(try_it("doorkeep-gate=" + past), 401, "after its end")
        os.unlink(path)
        seconds = int(stand.sql(
            "SELECT max(expires_at) / 1000 FROM sessions"))
        eq(end, time.strftime("%Y%m%d%H%M%S", time.localtime(seconds)),
           "end in the cookie")
        row = stand.store.rows("SELECT name, expires_at FROM markers")
        true(random not in row, "the cookie is not in the store")


def ends(stand, report):
    box = stand.box

    def closed(browser):
        cookie = "doorkeep-gate=" + gate_cookie(browser)
        return stand.browser().get("/marked/page.txt",
                                   Cookie=cookie).status == 401

    with report.case("markers: sign-out ends it before the answer is there",
                     "DK-S-11", box):
        browser = stand.signed_in()
        cookie = gate_cookie(browser)
        page = browser.get(stand.url("/logout")).page
        before = len(stand.marker_files())
        answer = browser.submit(page.form_with("csrf_token"), {},
                                stand.url("/logout"))
        eq(answer.status, 303, "signed out")
        eq(len(stand.marker_files()), before - 2, "files")
        eq(gate_cookie(browser), None, "cookie")
        eq(stand.browser().get("/marked/page.txt",
                               Cookie="doorkeep-gate=" + cookie).status, 401,
           "replayed")
    with report.case("markers: the command line ends them at once",
                     "DK-S-12 DK-S-14", box):
        for words in (("session", "revoke", "--user", "alice"),
                      ("user", "groups", "alice", "--remove", "staff"),
                      ("user", "disable", "alice"),
                      ("session", "revoke", "--all")):
            browser = stand.signed_in()
            stand.admin(*words)
            if words[1] == "groups":
                eq(browser.get("/marked/").status, 303, "a new one")
                eq(browser.get("/marked/").status, 200, "still a person")
                eq(browser.get("/marked/staff/").status, 403, "no longer")
                stand.admin("user", "groups", "alice", "--add", "staff")
                eq(browser.get("/marked/staff/").status, 303, "a new one")
                eq(browser.get("/marked/staff/").status, 200, "again")
                continue
            true(closed(browser), " ".join(words))
            if words[1] == "disable":
                stand.admin("user", "enable", "alice")
    with report.case("markers: DELETE FROM active_sessions holds from the "
                     "next run on", "DK-S-12", box):
        browser = stand.signed_in()
        stand.sql("DELETE FROM active_sessions WHERE username='alice'")
        # Anybody's visit will do, or cron's: session purge.
        stand.browser().get(stand.url("/login"))
        true(closed(browser), "after a visit")
        browser = stand.signed_in()
        stand.sql("UPDATE users SET disabled=1 WHERE username='alice'")
        stand.admin("session", "purge")
        true(closed(browser), "after the purge")
        stand.sql("UPDATE users SET disabled=0 WHERE username='alice'")
    with report.case("markers: a new password ends the others",
                     "DK-S-13", box):
        browser = stand.signed_in()
        stand.admin("user", "passwd", "alice", "--password-stdin",
                    stdin=PASSWORD + "\n")
        true(closed(browser), "after user passwd")
        eq(stand.marker_files(), [], "files")


def trouble(stand, report):
    box = stand.box
    with report.case("markers: lost ones come back without a new sign-in", "",
                     box):
        browser = stand.signed_in()
        del browser.jar.cookies["doorkeep-gate"]
        answer = browser.get("/marked/page.txt?q=%26")
        eq(answer.status, 303, "status")
        eq(answer.header("Location"), "/marked/page.txt?q=%26", "where to")
        eq(browser.get("/marked/page.txt?q=%26").status, 200, "then")
    with report.case("markers: no loop where Apache does not see them", "",
                     box):
        eq(browser.get("/marked/shut/").status, 403, "not for alice")
        os.chmod(stand.markers, 0o600)
        answer = browser.get("/marked/page.txt")
        os.chmod(stand.markers, 0o711)
        one_of(answer.status, (403, 503), "status")
        # A place that no rule names: they have all markers that they can.
        stand.box.write("htdocs/marked/shut/.htaccess",
                        stand.marked("group.typo"))
        stand.write_rules("any")
        answer = browser.get("/marked/shut/")
        if answer.status == 303:
            answer = browser.get("/marked/shut/")
        eq(answer.status, 403, "status")
        true("[hosting] markers" in answer.page.text, "says what to look for")
        stand.write_rules("user:nobody")
    with report.case("markers: a directory below the document root is "
                     "refused", "DK-G-10", box):
        stand.box.write("etc/doorkeep.conf", stand.config().replace(
            stand.markers, stand.htdocs("markers")))
        fresh = stand.signed_in()
        eq(gate_cookie(fresh), None, "no marker")
        eq(fresh.get("/marked/page.txt").status, 503, "closed")
        true(not os.path.exists(stand.htdocs("markers")), "nothing is made")
        true("below the document root" in box.read("log/error.log"), "log")
        stand.write_config()
    with report.case("markers: the configuration is not given out",
                     "DK-G-10", box):
        for name in ("doorkeep.conf", ".htaccess", "doorkeep.db", ""):
            one_of(stand.browser().get("/cgi-bin/" + name).status,
                   (403, 404), name)


def fileinfo_only(stand, report):
    """Where AuthConfig is not allowed: the same with mod_rewrite."""
    box = stand.box
    text = stand.marked("any")
    line = re.search(r'Require expr "(.*)"\n', text)
    box.write("htdocs/marked/.htaccess", text.replace(
        line.group(0), 'RewriteEngine On\nRewriteCond expr "! (%s)"\n'
        "RewriteRule ^ - [F]\n" % line.group(1)))
    with report.case("markers: with mod_rewrite where Require is not allowed",
                     "", box):
        eq(stand.browser().get("/marked/page.txt").status, 401, "stranger")
        browser = sign_in_at(stand, "/marked/page.txt")
        env = variables(browser.get("/marked/env.cgi").text)
        eq(env["REMOTE_USER"], "alice", "REMOTE_USER")
    box.write("htdocs/marked/.htaccess", stand.marked("any"))


def run(secrets, report):
    stand = Hosting(secrets)
    try:
        stand.add_user("alice", PASSWORD, "--group", "staff")
        stand.add_user("bob")
        stand.start()
        markers_open(stand, report)
        forged(stand, report)
        ends(stand, report)
        trouble(stand, report)
        fileinfo_only(stand, report)
    finally:
        problems = stand.close()
    with report.case("hosting: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")
