"""The program without a web server: a bare environment, strange places, the
three mounts (DK-G-08, DK-G-09, DK-G-11)."""

import json
import os
import subprocess

from harness import PASSWORD, eq, true
from servers import (ApacheCgid, ApacheFcgid, LighttpdCgi, LighttpdSpawned,
                     Nginx)

REQUEST = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
           "REQUEST_METHOD": "GET", "REQUEST_URI": "/auth/login",
           "SCRIPT_NAME": "/auth", "PATH_INFO": "/login",
           "SERVER_NAME": "localhost", "REMOTE_ADDR": "127.0.0.1",
           "HTTP_ACCEPT": "text/html"}


def call(stand, env, stdin="", cwd="/", args=()):
    """As a CGI program with nothing but env; head and body of the answer."""
    done = stand.box.run([stand.box.path("bin", "doorkeep.fcgi"), *args],
                         stdin=stdin, exact_env=env, cwd=cwd, timeout=20)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


def open_pipe(stand):
    """The pipe stays open, with more in it than the length says."""
    body = json.dumps({"username": "alice", "password": PASSWORD}).encode()
    process = subprocess.Popen(
        [stand.box.path("bin", "doorkeep.fcgi")], cwd="/",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=dict(
            REQUEST, REQUEST_METHOD="POST", CONTENT_LENGTH=str(len(body)),
            CONTENT_TYPE="application/json",
            HTTP_ACCEPT="application/json"), **stand.box.as_user())
    try:
        process.stdin.write(body + b"username=evil")
        process.stdin.flush()
        eq(process.wait(10), 0, "exit status")
        head = process.stdout.read().split(b"\r\n")
        eq(head[0], b"Status: 200 OK", "first line")
    finally:
        process.kill()
        process.communicate()
    stand.sql("DELETE FROM active_sessions")


def environment(secrets, report):
    stand = LighttpdCgi(secrets)
    box = stand.box
    try:
        stand.add_user("alice")
        os.symlink(stand.config_file, box.path("bin", "doorkeep.conf"))
        name = "bare: "
        with report.case(name + "works with an empty environment, elsewhere",
                         "DK-G-11 DK-G-08", box):
            head, body = call(stand, REQUEST)
            eq(head[0], "Status: 200 OK", "first line")
            true(b"csrf_token" in body, "the form")
        with report.case(name + "a link to it finds the file beside the "
                         "link, started from there or elsewhere", "DK-G-11",
                         box):
            links = box.path("links")
            os.mkdir(links)
            os.symlink(box.path("bin", "doorkeep.fcgi"),
                       os.path.join(links, "doorkeep.fcgi"))
            box.write("links/doorkeep.conf",
                      stand.config().replace("origin", "origine"))
            for program in ("./doorkeep.fcgi", "../links/doorkeep.fcgi",
                            os.path.join(links, "doorkeep.fcgi")):
                done = box.run([program], exact_env=REQUEST, check=False,
                               cwd=links, timeout=20)
                true(b"links/doorkeep.conf:" in done.stderr.replace(
                    b"/./", b"/"), repr(done.stderr))
        with report.case(name + "Status comes first on every error",
                         "DK-G-08 DK-I-06", box):
            for change in ({"REQUEST_URI": "/auth/nothing",
                            "PATH_INFO": "/nothing"},
                           {"REQUEST_METHOD": "FOO"},
                           {"REQUEST_METHOD": "POST",
                            "CONTENT_LENGTH": "-1"},
                           {"REQUEST_METHOD": "POST",
                            "CONTENT_LENGTH": "99999999999999999999"}):
                head, _ = call(stand, dict(REQUEST, **change))
                true(head[0].startswith("Status: 4"), repr(head[0]))
        with report.case(name + "a short body is no request", "DK-I-04",
                         box):
            head, _ = call(stand, dict(
                REQUEST, REQUEST_METHOD="POST", CONTENT_LENGTH="60",
                CONTENT_TYPE="application/json"),
                '{"username":"alice","password":"%s"}' % PASSWORD)
            eq(head[0], "Status: 400 Bad Request", "first line")
            eq(stand.sql("SELECT count(*) FROM sessions"), "0", "sessions")
        with report.case(name + "no byte beyond the length is waited for",
                         "DK-I-05", box):
            open_pipe(stand)
        with report.case(name + "arguments are ignored", "DK-G-01", box):
            head, _ = call(stand, REQUEST, args=("--help", "user", "list"))
            eq(head[0], "Status: 200 OK", "first line")
        with report.case(name + "an odd address does no harm", "DK-G-07",
                         box):
            # Over http only loopback may sign in, and none of these is it.
            for address in ("", "unix:", "999.1.1.1", "x" * 300):
                head, _ = call(stand, dict(REQUEST, REMOTE_ADDR=address))
                eq(head[0], "Status: 403 Forbidden", repr(address[:10]))
            for address in ("127.0.0.1", "::1"):
                head, _ = call(stand, dict(REQUEST, REMOTE_ADDR=address))
                eq(head[0], "Status: 200 OK", address)
        with report.case(name + "a foreign locale and zone change nothing",
                         "DK-Z-01", box):
            head, _ = call(stand, dict(REQUEST, TZ="Asia/Kathmandu",
                                       LC_ALL="de_DE.UTF-8"))
            eq(head[0], "Status: 200 OK", "first line")
        with report.case(name + "a wrong configuration is 503 to people, a "
                         "line and its cure to the log", "DK-E-01", box):
            wrong_configuration(stand)
    finally:
        problems = stand.close()
    with report.case("bare: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")


def wrong_configuration(stand):
    stand.box.write("etc/doorkeep.conf",
                    stand.config() + "\n[session]\nidle_timeuot = 1h\n")
    done = stand.box.run([stand.box.path("bin", "doorkeep.fcgi")],
                         exact_env=REQUEST, cwd="/", check=False)
    true(b"idle_timeuot" not in done.stdout, "not shown to people")
    true(b"Status: 200" not in done.stdout, "not served")
    true(b"doorkeep.conf:" in done.stderr, "FILE:LINE: %r" % done.stderr)
    done = stand.admin("config", "check", check=False)
    eq(done.returncode, 1, "config check")
    true(b"idle_timeuot" in done.stderr + done.stdout, "the wrong key")
    stand.write_config()


MOUNTS = ((LighttpdSpawned, ""), (ApacheFcgid, ""), (Nginx, ""),
          (LighttpdCgi, "/cgi-bin/doorkeep.fcgi"),
          (ApacheCgid, "/cgi-bin/doorkeep.fcgi"),
          (Nginx, "/cgi-bin/doorkeep.fcgi"),
          (ApacheFcgid, "/cgi-bin/doorkeep.fcgi"))


def mounts(secrets, report):
    for kind, mount in MOUNTS:
        stand = kind(secrets, mount=mount)
        name = "%s at %s: " % (stand.name, mount or "/")
        try:
            stand.add_user("alice")
            stand.start()
            with report.case(name + "form, sign-in, links and sign-out work",
                             "DK-G-09", stand.box):
                one_mount(stand)
        finally:
            problems = stand.close()
        if problems:
            report.fail(name + "nothing is left behind", "\n".join(problems))
        wrong = stand.check.wrong
        if wrong:
            report.fail(name + "headers", "\n".join(wrong[:10]))


def one_mount(stand):
    browser, login = stand.browser(), stand.url("/login")
    answer = browser.get(login + "?next=%2Fprivate%2F%3Fa%3D1")
    eq(answer.status, 200, "status of the form")
    style = [a["href"] for tag, a in answer.page.tags
             if tag == "link" and a.get("rel") == "stylesheet"]
    eq(browser.get(style[0]).status, 200, "the stylesheet")
    answer = browser.sign_in(answer.page, login, "alice", PASSWORD)
    eq((answer.status, answer.header("Location")), (303, "/private/?a=1"),
       "answer")
    eq(browser.fetch(stand.url("/session")).status, 200, "/session")
    # At the root everything is doorkeep's: a host of its own.
    if stand.gate and stand.mount:
        eq(browser.get("/private/?a=1").status, 200, "the page")
        eq(stand.browser().get("/private/?a=1").status, 401, "anonymous")
    answer = browser.get(stand.url("/logout"))
    answer = browser.submit(answer.page.form_with("csrf_token"), {},
                            stand.url("/logout"))
    eq((answer.status, answer.header("Location")),
       (303, stand.url("/login")), "sign-out")


def run(secrets, report):
    environment(secrets, report)
    mounts(secrets, report)
