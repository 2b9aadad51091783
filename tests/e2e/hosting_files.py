"""Shared hosting: doorkeep.fcgi is the handler (Action) of a directory and
gives out its files itself, after the whole decision of [access]."""

import email.utils
import hashlib
import os
import shutil
import socket
import threading
import time

from client import raw_exchange
from harness import PASSWORD, children_of, eq, true
from hosting import PROGRAM_URL, Hosting, sign_in_at
from paths import Paths
from servers import Apache
from stand import RULES, shipped

TEXT = "".join("%02d" % (n % 100) for n in range(50))   # 100 bytes
SCRIPTS = ("show.php", "show.cgi", "show.PHP", "show.php.bak", "show.php~",
           "db.inc", "x.phtml", "x.pl", "x.php.txt")
LARGE = 96 * 1024 * 1024
RAN = "source-or-output-of-a-script"


class HostingFiles(Hosting):
    name = "apache-files"

    def config(self):
        return Apache.config(self)

    def fill(self):
        box = self.box
        os.makedirs(self.htdocs("cgi-bin"), exist_ok=True)
        shutil.copy2(os.path.join(self.box.path("bin"), "doorkeep.fcgi"),
                     self.htdocs("cgi-bin"))
        link = self.htdocs("cgi-bin", "doorkeep.conf")
        if not os.path.lexists(link):
            os.symlink(self.config_file, link)
        box.write("htdocs/cgi-bin/.htaccess",
                  shipped("apache-conf/htaccess-cgi-bin", {}))
        box.write("htdocs/private/.htaccess",
                  shipped("apache-conf/htaccess-handler", {}))
        box.write("htdocs/private/page.txt", TEXT)
        for name in SCRIPTS:
            box.write("htdocs/private/scripts/" + name,
                      "#!/bin/sh\necho; echo %s\n<?php echo '%s';" % (
                          RAN, RAN), 0o755)

    def base(self):
        # As hosts set PHP up: by the end of the name, for all sites.
        return super().base() + """
Action the-php-of-the-host /php/php-cgi
<FilesMatch "[.]php$">
	SetHandler the-php-of-the-host
</FilesMatch>
<FilesMatch "[.](cgi|pl)$">
	SetHandler cgi-script
</FilesMatch>
"""


class HostingFastcgi(HostingFiles):
    """A host that runs .fcgi by mod_fcgid: the same directories.  A worker
    is in its fence before it hears of a document root."""
    name = "apache-files-fastcgi"
    modules = Hosting.modules + ("fcgid",)

    def config(self):
        return super().config() + "\n[security]\nsandbox = off\n"

    def fill(self):
        super().fill()
        self.box.write("htdocs/cgi-bin/.htaccess", shipped(
            "apache-conf/htaccess-cgi-bin", {
                "AddHandler cgi-script": "AddHandler fcgid-script",
                "SetHandler cgi-script": "SetHandler fcgid-script"}))


def case(stand, report, name, ids=""):
    return report.case("%s: %s" % (stand.name[len("apache-"):], name), ids,
                       stand.box)


def opens(stand, report):
    with case(stand, report, "the page asks, and shows itself after sign-in",
              "DK-L-02 DK-G-11"):
        browser = sign_in_at(stand, "/private/page.html?a=1&b=%2f")
        eq(browser.get("/private/page.html").text,
           "<!doctype html><p>private page page.html", "page")
    with case(stand, report, "strangers hear of nothing that is there",
              "DK-A-11"):
        for path in ("/private/none", "/private/sub", "/private/scripts/",
                     "/private/page.txt"):
            eq(stand.browser().get(path).status, 401, path)
            eq(stand.browser().request("HEAD", path).status, 401, path)
        answer = stand.browser().fetch("/private/page.txt")
        eq((answer.status, answer.json["login_url"]),
           (401, PROGRAM_URL + "/login"), "fetch()")
        eq(browser.get("/private/none").status, 404, "alice")
    with case(stand, report, "index, directories, and no lists of them"):
        answer = browser.get("/private/sub?x=%26&y")
        eq((answer.status, answer.header("Location")),
           (303, "/private/sub/?x=%26&y"), "without the slash")
        true("private page index.html" in browser.get("/private/").text,
             "index")
        for path in ("/private/sub/", "/private/page.txt/",
                     "/private/page.txt/x", "/private/sub/a.html/"):
            eq(browser.get(path).status, 404, path)
        answer = browser.post_form("/private/page.txt", {"a": "b"})
        eq((answer.status, answer.header("Allow")), (405, "GET, HEAD"),
           "POST")
    return browser


def conditions(stand, report, browser):
    """RFC 9110 13 and 14, over the wire."""
    path = "/private/page.txt"
    disk = stand.htdocs("private", "page.txt")
    changed = int(time.time()) - 1000
    os.utime(disk, (changed, changed))
    date = email.utils.formatdate(changed, usegmt=True)
    earlier = email.utils.formatdate(changed - 1, usegmt=True)
    whole = browser.get(path)
    tag = whole.header("ETag")

    def ask(**headers):
        answer = browser.get(path, **headers)
        return answer.status, answer.text

    with case(stand, report, "types, lengths and what caches need", "DK-A-12"):
        eq((whole.status, whole.text), (200, TEXT), "whole")
        eq((whole.header("Content-Type"), whole.header("Content-Length"),
            whole.header("Last-Modified"), whole.header("Accept-Ranges"),
            whole.header("Cache-Control"), whole.header("Vary")),
           ("text/plain", "100", date, "bytes", "private, no-cache",
            "Cookie"), "heads")
        eq(whole.header("Set-Cookie"), None, "no cookie")
        for name, kind in (("a.html", "text/html"), ("a.css", "text/css"),
                           ("A.JPG", "image/jpeg"),
                           ("a", "application/octet-stream"),
                           ("a b#ü.pdf", "application/pdf")):
            stand.box.write("htdocs/private/types/" + name, "x")
            quoted = name.replace(" ", "%20").replace("#", "%23").replace(
                "ü", "%c3%bc")
            answer = browser.get("/private/types/" + quoted)
            eq((answer.status, answer.header("Content-Type")), (200, kind),
               name)
        head = browser.request("HEAD", path)
        eq((head.status, head.header("Content-Length"), head.header("ETag"),
            head.body), (200, "100", tag, b""), "HEAD")
    with case(stand, report, "ranges"):
        answer = browser.get(path, Range="bytes=10-14")
        eq((answer.status, answer.text, answer.header("Content-Range"),
            answer.header("Content-Length")),
           (206, TEXT[10:15], "bytes 10-14/100", "5"), "part")
        for given, wanted in (("bytes=95-", (206, TEXT[95:])),
                              ("bytes=-3", (206, TEXT[97:])),
                              ("bytes=-300", (206, TEXT)),
                              ("bytes=0-999999999999999999999", (206, TEXT)),
                              ("bytes=5-4", (200, TEXT)),
                              ("lines=1-2", (200, TEXT)),
                              ("bytes=1-2,5-6", (200, TEXT))):
            eq(ask(Range=given), wanted, given)
        answer = browser.get(path, Range="bytes=100-")
        eq((answer.status, answer.header("Content-Range"), answer.body),
           (416, "bytes */100", b""), "behind the end")
        head = browser.request("HEAD", path, {"Range": "bytes=0-1"})
        eq((head.status, head.header("Content-Length")), (200, "100"),
           "HEAD")
    with case(stand, report, "conditional requests"):
        answer = browser.get(path, If_None_Match=tag)
        eq((answer.status, answer.body, answer.header("ETag")),
           (304, b"", tag), "304")
        for given, wanted in (
                ({"If_None_Match": '"x", W/%s' % tag}, 304),
                ({"If_None_Match": '"x"'}, 200),
                ({"If_Modified_Since": date}, 304),
                ({"If_Modified_Since": earlier}, 200),
                ({"If_None_Match": '"x"', "If_Modified_Since": date}, 200),
                ({"If_Match": '"x"'}, 412), ({"If_Match": tag}, 200),
                ({"If_Unmodified_Since": earlier}, 412),
                ({"Range": "bytes=0-4", "If_Range": tag}, 206),
                ({"Range": "bytes=0-4", "If_Range": '"x"'}, 200),
                ({"Range": "bytes=0-4", "If_Range": date}, 206),
                ({"Range": "bytes=0-4", "If_Range": earlier}, 200)):
            eq(browser.get(path, **given).status, wanted, given)
        # Conditions say nothing to whom the page is not for.
        eq(stand.browser().get(path, If_None_Match=tag).status, 401,
           "stranger")
        stand.box.write("htdocs/private/page.txt", TEXT[::-1])
        eq(browser.get(path, If_None_Match=tag).text, TEXT[::-1], "changed")
        stand.box.write("htdocs/private/page.txt", TEXT)


def stays_inside(stand, report, browser):
    box, private = stand.box, stand.htdocs("private")
    box.write("outside.txt", "treasure outside")
    box.write("htdocs/elsewhere/x.txt", "inside the root")
    box.write("htdocs/private/.hidden", "treasure hidden")
    box.write("htdocs/private/.git/config", "treasure hidden")
    links = {"out": box.path("outside.txt"), "out-dir": box.dir,
             "etc": "/etc", "up": "../..", "root": "/",
             "to-hidden": ".hidden", "to-script": "scripts/show.php",
             "loop": "loop", "inner.txt": "page.txt",
             "inner-dir": "../elsewhere", "fifo-link": "fifo"}
    for name, target in links.items():
        os.symlink(target, os.path.join(private, name))
    os.mkfifo(os.path.join(private, "fifo"))
    box.write("htdocs/private/shut.txt", "treasure shut", 0)
    with case(stand, report, "no link leads out of the document root",
              "DK-A-06 DK-G-09"):
        for path in ("out", "out-dir/outside.txt", "etc/passwd", "etc/",
                     "up/outside.txt", "root/etc/passwd"):
            answer = browser.get("/private/" + path)
            eq(answer.status, 403, path)
            true("treasure" not in answer.text and "root:" not in answer.text,
                 path)
        eq(browser.get("/private/inner.txt").text, TEXT, "within")
        eq(browser.get("/private/inner-dir/x.txt").text, "inside the root",
           "within the root")
    with case(stand, report, "no dotfile, FIFO, loop or unreadable file"):
        for path, status in (
                (".htaccess", (403, 404)), (".hidden", (404,)),
                (".git/config", (404,)), ("to-hidden", (404,)),
                ("loop", (403, 404)), ("fifo", (404,)), ("fifo-link", (404,)),
                ("shut.txt", (403,))):
            answer = browser.get("/private/" + path)
            true(answer.status in status, "%s: %d" % (path, answer.status))
            true("treasure" not in answer.text, path)
        page = browser.get("/private/shut.txt").page
        true("chmod 644" in page.text, "says what to do")
    with case(stand, report, "scripts neither run nor show their source",
              "DK-A-11"):
        for name in SCRIPTS:
            for who, wanted in ((stand.browser(), 401), (browser, 403)):
                answer = who.get("/private/scripts/" + name)
                eq(answer.status, wanted, name)
                true(RAN not in answer.text, name + " got out")
        eq(browser.get("/private/to-script").status, 403, "by a link")
        box.write("htdocs/private/php/index.php", "<?php echo '%s';" % RAN)
        answer = browser.get("/private/php/")
        eq(answer.status, 403, "as the index")
        true("htaccess-marker" in answer.page.text, "says what to do")
        # The host's PHP works, or this shows nothing.
        box.write("htdocs/plain.php", "<?php echo '%s';" % RAN)
        eq(browser.get("/plain.php").text, RAN, "outside it")
    with case(stand, report, "the program called by its own URL gives out "
              "nothing", "DK-A-06"):
        for head in ({}, {"Redirect-Handler": "doorkeep-files",
                          "REDIRECT_HANDLER": "doorkeep-files",
                          "Path-Translated": private + "/page.txt"}):
            for path in ("/private/page.txt", "/private/staff/secret.txt",
                         "/index.html", "//private/page.txt"):
                answer = browser.request("GET", PROGRAM_URL + path, head)
                true(answer.status in (403, 404), path)
                true(TEXT not in answer.text, path)


def decisions(stand, report, browser):
    with case(stand, report, "every kind of rule holds, also for a file",
              "DK-A-11"):
        eq(browser.get("/private/staff/secret.txt").status, 200, "alice")
        bob = stand.signed_in("bob")
        eq(bob.get("/private/page.txt").status, 200, "bob, any")
        eq(bob.get("/private/staff/secret.txt").status, 403, "bob, staff")
        eq(stand.browser().get("/private/open/secret.txt").status, 200,
           "public")
    with case(stand, report, "idle time is kept to; a visit is activity",
              "DK-S-08"):
        one = stand.signed_in()
        stand.sql("UPDATE sessions SET last_seen_at = last_seen_at - 120000")
        before = int(stand.sql("SELECT min(last_seen_at) FROM sessions"))
        eq(one.get("/private/page.txt").status, 200, "page")
        true(int(stand.sql("SELECT max(last_seen_at) FROM sessions")) >
             before + 60000, "touched")
        stand.sql("UPDATE sessions SET last_seen_at = last_seen_at - "
                  "30 * 86400000")
        eq(one.get("/private/page.txt").status, 401, "idle too long")
    with case(stand, report, "sign-out holds from the next file on",
              "DK-S-11 DK-S-12"):
        one = stand.signed_in()
        cookie = one.jar.header()
        stand.sql("DELETE FROM active_sessions WHERE username='alice'")
        eq(one.get("/private/page.txt").status, 401, "ended")
        eq(stand.browser().get("/private/page.txt", Cookie=cookie).status,
           401, "replayed")
    with case(stand, report, "an unknown answer of the store is 503, and no "
              "file", "DK-A-04"):
        one = stand.signed_in()
        os.rename(stand.database, stand.database + ".away")
        os.mkdir(stand.database)
        try:
            answer = one.get("/private/page.txt")
        finally:
            os.rmdir(stand.database)
            os.rename(stand.database + ".away", stand.database)
        eq(answer.status, 503, "status")
        true(answer.header("Retry-After") is not None, "Retry-After")
        true(TEXT not in answer.text, "no file")
        eq(answer.all("Set-Cookie"), [], "cookie untouched")
        eq(one.get("/private/page.txt").status, 200, "afterwards")


def peak_of_program(stand):
    """VmHWM of the doorkeep.fcgi that runs now, in KiB."""
    todo = [stand.server.pid]
    while todo:
        pid = todo.pop()
        todo += children_of(pid)
        try:
            with open("/proc/%d/status" % pid, encoding="ascii") as f:
                lines = dict(line.split(":", 1) for line in f)
        except OSError:
            continue
        if lines["Name"].strip() == "doorkeep.fcgi" and "VmHWM" in lines:
            return int(lines["VmHWM"].split()[0])
    return None


def large(stand, report, browser):
    path = stand.htdocs("private", "large.bin")
    want = hashlib.sha256()
    with open(path, "wb") as f:
        for n in range(LARGE // 65536):
            piece = hashlib.sha256(b"%d" % n).digest() * 2048
            want.update(piece)
            f.write(piece)
    with case(stand, report, "a file of %d MiB goes through in pieces" % (
            LARGE >> 20)):
        got, n, peak = hashlib.sha256(), 0, None
        with socket.create_connection(("127.0.0.1", stand.port), 30) as s:
            s.sendall(("GET /private/large.bin HTTP/1.0\r\nHost: localhost:%d"
                       "\r\nCookie: %s\r\n\r\n" % (
                           stand.port, browser.jar.header())).encode())
            f = s.makefile("rb")
            eq(f.readline().split()[1], b"200", "status")
            while f.readline() not in (b"\r\n", b""):
                pass
            while True:
                piece = f.read(1 << 20)
                if peak is None and n > LARGE // 4:
                    peak = peak_of_program(stand)
                if not piece:
                    break
                got.update(piece)
                n += len(piece)
        eq((n, got.digest()), (LARGE, want.digest()), "bytes")
        true(peak is not None and peak < 40 * 1024, "peak of %r KiB" % peak)
        answer = browser.get("/private/large.bin",
                             Range="bytes=%d-" % (LARGE - 32))
        eq(answer.body, hashlib.sha256(
            b"%d" % (LARGE // 65536 - 1)).digest(), "its end")
    os.unlink(path)


def leaving(stand, report, browser):
    path = stand.htdocs("private", "large.bin")
    with open(path, "wb") as f:
        f.truncate(LARGE)
    with case(stand, report, "who goes away early leaves no program behind"):
        def leave():
            with socket.create_connection(("127.0.0.1", stand.port), 10) as s:
                s.sendall(("GET /private/large.bin HTTP/1.0\r\nHost: "
                           "localhost:%d\r\nCookie: %s\r\n\r\n" % (
                               stand.port, browser.jar.header())).encode())
                s.recv(1000)
        people = [threading.Thread(target=leave) for _ in range(4)]
        for each in people:
            each.start()
        for each in people:
            each.join()
        end = time.monotonic() + 20
        while peak_of_program(stand) and time.monotonic() < end:
            time.sleep(0.1)
        eq(peak_of_program(stand), None, "still runs")
    os.unlink(path)


def whole_site(stand, report):
    """The handler at the document root, the program below it."""
    box = stand.box
    text = shipped("apache-conf/htaccess-handler", {})
    os.unlink(stand.htdocs("private", ".htaccess"))
    box.write("htdocs/.htaccess", text)
    box.write("htdocs/dk.db-copy", "x")
    stand.rules = "\n/open.txt = public\n/ = any\n"
    stand.write_config()
    box.write("htdocs/open.txt", "open")
    with case(stand, report, "also for the whole site, program and all"):
        eq(stand.browser().get("/").status, 401, "stranger")
        eq(stand.browser().get("/open.txt").text, "open", "public")
        browser = sign_in_at(stand, "/")
        true("public page" in browser.get("/").text, "the front page")
        for path in ("doorkeep.conf", ".htaccess", "doorkeep.fcgi/../x"):
            true(browser.get("/cgi-bin/" + path).status in (403, 404), path)
        answer = raw_exchange(stand.port, b"GET /cgi-bin/doorkeep.conf "
                              b"HTTP/1.0\r\nHost: localhost\r\n\r\n")
        true(b"origin" not in answer, "the configuration")
        # A store below the document root is not given out at least.
        stand.box.write("etc/doorkeep.conf", stand.config().replace(
            stand.database, stand.htdocs("data.db")))
        stand.admin("db", "migrate")
        stand.add_user("carol", PASSWORD)
        other = sign_in_at(stand, "/index.html", "carol")
        for name in ("data.db", "data.db-wal", "data.db-key"):
            eq(other.get("/" + name).status, 404, name)
        stand.write_config()


def on(kind, secrets, report, name, more):
    """What holds however the program is started, and then more(stand,
    browser)."""
    stand = kind(secrets, rules=RULES)
    try:
        stand.add_user("alice", PASSWORD, "--group", "staff")
        stand.add_user("bob")
        stand.start()
        browser = opens(stand, report)
        conditions(stand, report, browser)
        stays_inside(stand, report, browser)
        large(stand, report, browser)
        more(stand, browser)
    finally:
        problems = stand.close()
    with report.case(name + ": no secret is left in any file", "DK-E-05"):
        eq(problems, [], "problems")


def run(secrets, report):
    def alone(stand, browser):
        leaving(stand, report, browser)
        Paths(stand, report, ("file", "index")).run()
        decisions(stand, report, stand.signed_in())
        whole_site(stand, report)

    on(HostingFiles, secrets, report, "files", alone)
    # Behind an Action as well; what differs is how the answer goes out.
    on(HostingFastcgi, secrets, report, "files-fastcgi", lambda *_: None)
