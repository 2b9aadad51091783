"""How many instructions an answer costs, counted by callgrind: seconds are
another number on each machine and each day, instructions are not.  What costs
a tenth more than it did fails; who made it dearer knowingly changes COST."""

import json
import os
import re
import socket
import subprocess

import fastcgi
from harness import PASSWORD, Skip, have, true, wait_for
from servers import LighttpdCgi

# Of a worker of a build with the default flags, by Debian 12's gcc, libraries
# and a processor with AVX2; see doc/performance.md.
COST = {"check": 82800, "authorizer": 75300, "session": 140700,
        "sign-in page": 211500, "stylesheet": 54500}
SLACK = 1.10
FEW, MANY = 10, 60
# The same way of clearing memory everywhere: "rep stosb" counts each byte.
TUNABLES = "glibc.cpu.x86_rep_stosb_threshold=1000000"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 " \
    "Firefox/128.0"


def variables(stand, uri, cookie, **more):
    v = {"REQUEST_METHOD": "GET", "REQUEST_URI": uri, "SCRIPT_NAME": "/auth",
         "PATH_INFO": uri[len("/auth"):], "QUERY_STRING": "",
         "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1",
         "SERVER_NAME": "localhost", "REMOTE_ADDR": "127.0.0.1",
         "HTTP_HOST": "localhost:%d" % stand.port, "HTTP_COOKIE": cookie,
         "HTTP_USER_AGENT": FIREFOX, "HTTP_ACCEPT": "text/html"}
    v.update(more)
    return {k: x for k, x in v.items() if x is not None}


def requests(stand, cookie):
    """One of each kind, as its bytes, and what its answer begins with."""
    def of(uri, cookie=cookie, role=fastcgi.RESPONDER, **more):
        return fastcgi.request(variables(stand, uri, cookie, **more),
                               role=role)
    return {
        "check": (of("/private/page.html", PATH_INFO="/check"),
                  b"Status: 204"),
        "authorizer": (of("/private/page.html", role=fastcgi.AUTHORIZER,
                          SCRIPT_NAME="", PATH_INFO=""), b"Status: 200"),
        "session": (of("/auth/session"), b"Status: 200"),
        "sign-in page": (of("/auth/login", None), b"Status: 200"),
        "stylesheet": (of("/auth/style.css", None), b"Status: 200")}


def ask(path, data, starts):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        s.sendall(data)
        out = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            out += piece
    true(starts in out[:40], "the answer begins %r" % out[:60])


class Counter:
    """A worker under callgrind on a socket of its own."""

    def __init__(self, stand, program):
        self.stand, self.program = stand, program

    def total(self, data, starts, times):
        box = self.stand.box
        path = box.path("run", "counted.sock")
        out = box.path("var", "callgrind.out")
        for name in (path, out):
            if os.path.exists(name):
                os.unlink(name)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(16)
            os.chmod(path, 0o666)
            worker = box.start_on_fd(
                [have("valgrind"), "-q", "--tool=callgrind",
                 "--callgrind-out-file=" + out, self.program],
                "callgrind.log", s,
                {"DOORKEEP_CONFIG": self.stand.config_file,
                 "GLIBC_TUNABLES": TUNABLES})
        for _ in range(times):
            ask(path, data, starts)
        box.stop(worker, seconds=30)
        wait_for(lambda: os.path.exists(out) and os.path.getsize(out), 10,
                 "callgrind's file")
        with open(out, encoding="utf-8") as f:
            return int(re.search(r"^(?:totals|summary): (\d+)", f.read(),
                                 re.M).group(1))

    def each(self, data, starts):
        """Instructions of one request: what more of them cost more.  Twice,
        for now and then a worker does its housekeeping meanwhile."""
        few, many = (min(self.total(data, starts, n) for _ in range(2))
                     for n in (FEW, MANY))
        return (many - few) / (MANY - FEW)


def sign_in(stand):
    """The cookie of a session, as a CGI program makes it."""
    body = json.dumps({"username": "alice", "password": PASSWORD})
    done = stand.box.run(
        [stand.box.path("bin", "doorkeep.fcgi")], stdin=body, exact_env=dict(
            variables(stand, "/auth/login", None, REQUEST_METHOD="POST",
                      CONTENT_TYPE="application/json",
                      CONTENT_LENGTH=str(len(body))),
            DOORKEEP_CONFIG=stand.config_file))
    cookie = re.search(rb"Set-Cookie: (doorkeep=[^;]+)", done.stdout)
    true(cookie, "sign-in: %r" % done.stdout[:200])
    stand.secrets.add_cookie(cookie.group(1).decode().partition("=")[2])
    return cookie.group(1).decode()


def measure(stand, names=None):
    """{kind: instructions}"""
    counter = Counter(stand, stand.box.path("bin", "doorkeep.fcgi"))
    cookie = sign_in(stand)
    return {name: counter.each(*kind)
            for name, kind in requests(stand, cookie).items()
            if names is None or name in names}


def sanitized(stand):
    done = subprocess.run(["nm", "-D", stand.box.path("bin", "doorkeep.fcgi")],
                          capture_output=True, text=True, check=False)
    return "__asan_init" in done.stdout


def run(secrets, report):
    stand = LighttpdCgi(secrets)
    try:
        stand.add_user("alice")
        for name in COST:
            with report.case("instructions: %s costs no more than it did" %
                             name, "DK-G-12", stand.box):
                if not have("valgrind"):
                    raise Skip("valgrind is not installed")
                if sanitized(stand):
                    raise Skip("the build has sanitizers")
                one = measure(stand, [name])[name]
                true(one <= COST[name] * SLACK, "%d, not %d" % (
                    one, COST[name]))
                true(one >= COST[name] / 2, "%d: change COST (%d)" % (
                    one, COST[name]))
    finally:
        problems = stand.close()
    if problems:
        report.fail("instructions: nothing is left behind",
                    "\n".join(problems))
