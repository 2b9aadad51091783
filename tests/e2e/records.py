"""FastCGI records as no web server sends them: cut, repeated, forged.  The
application answers properly or closes; it never runs half a request, and the
next request is served."""

import itertools
import json
import os
import random
import signal
import socket
import struct
import subprocess
import time

import fastcgi as f
from harness import PASSWORD, eq, one_of, socket_answers, true, wait_for
from stand import Stand
from trouble import children_of


class Alone(Stand):
    """doorkeep serve, with these tests in the web server's place."""

    name = "records"
    gate = False
    workers = 1

    def start_server(self):
        pass


def params(stand, method="GET", route="/login", **more):
    base = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": method,
            "REQUEST_URI": "/auth" + route, "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": stand.origin.split("//")[1],
            "SERVER_PROTOCOL": "HTTP/1.1"}
    base.update(more)
    return base


def sign_in(stand, body=None):
    body = body or json.dumps({"username": "alice",
                               "password": PASSWORD}).encode()
    return params(stand, "POST", "/login", CONTENT_TYPE="application/json",
                  CONTENT_LENGTH=str(len(body))), body


class Records:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report
        self.address = stand.socket

    def case(self, name, ids):
        return self.report.case("records: " + name, ids, self.stand.box)

    def connect(self, timeout=15.0):
        return f.Connection(self.address, timeout)

    def ask(self, **more):
        return f.ask(self.address, params(self.stand, **more))

    def lives(self):
        eq(self.ask(route="/health").status, 200, "the next request")

    def sessions(self):
        return int(self.stand.sql("SELECT count(*) FROM sessions"))

    def run(self):
        for name in dir(self):
            if name.startswith("test_"):
                getattr(self, name)()

    # ---- what servers send ----
    def test_whole(self):
        with self.case("a whole request, in one record or piece by piece",
                       "DK-F-01 DK-G-08"):
            answer = self.ask()
            eq(answer.lines[0], "Status: 200 OK", "first line")
            with self.connect() as c:
                # What is looked at stays in the socket's buffer, which holds
                # a few hundred pieces.
                whole = f.request(params(self.stand))
                for n in range(0, len(whole), 7):
                    c.send(whole[n:n + 7])
                eq(c.answer().status, 200, "in small pieces")

    def test_keep(self):
        with self.case("a kept connection serves again and mixes nothing",
                       "DK-F-06"):
            p, body = sign_in(self.stand)
            with self.connect() as c:
                c.send(f.request(p, body, keep=True))
                answer = c.answer()
                eq(answer.status, 200, "sign-in")
                c.send(f.request(params(self.stand, route="/session",
                                        HTTP_ACCEPT="application/json"),
                                 keep=True))
                eq(c.answer().status, 401, "another person's request")
            with self.connect() as c:
                c.send(f.request(params(self.stand)))
                eq(c.answer().status, 200, "without KEEP_CONN")
                true(c.is_closed(), "the connection is closed")

    def test_authorizer(self):
        with self.case("an authorizer needs neither input nor lengths",
                       "DK-A-05 DK-A-02 DK-A-01"):
            p = {"REQUEST_URI": "/private/", "REQUEST_METHOD": "GET",
                 "REMOTE_ADDR": "127.0.0.1",
                 "HTTP_HOST": self.stand.origin.split("//")[1]}
            answer = f.ask(self.address, p, role=f.AUTHORIZER)
            eq(answer.lines[0].split()[:2], ["Status:", "401"], "anonymous")
            login, body = sign_in(self.stand)
            cookie = f.ask(self.address, login, body).header("Set-Cookie")
            answer = f.ask(self.address, dict(
                p, HTTP_COOKIE=cookie.split(";")[0]), role=f.AUTHORIZER)
            eq(answer.lines[0], "Status: 200 OK", "signed in")
            for line in answer.lines[1:]:
                true(line.startswith("Variable-"), line)
            eq(answer.body, b"", "body")
            for odd in ("/private/../x", "/private/%00", "/%2e%2e/private/",
                        "", "/private//x", "/private/;x"):
                answer = f.ask(self.address, dict(
                    p, REQUEST_URI=odd, HTTP_COOKIE=cookie.split(";")[0]),
                    role=f.AUTHORIZER)
                true(answer.out.startswith(b"Status: 4"), "%r: %r" % (
                    odd, answer.head))

    # ---- cut off ----
    def test_cut(self):
        with self.case("a request that breaks off anywhere does nothing",
                       "DK-F-03 DK-I-04"):
            p, body = sign_in(self.stand)
            whole, before = f.request(p, body), self.sessions()
            for n in sorted(random.sample(range(1, len(whole) - 8), 60)):
                with self.connect() as c:
                    c.send(whole[:n])
                    c.sock.shutdown(socket.SHUT_WR)
                    answer = c.answer()
                    one_of(answer.status, (0, 400), "cut at %d" % n)
            eq(self.sessions(), before, "sessions")
            self.lives()

    def test_abort(self):
        with self.case("an aborted request does nothing", "DK-F-08"):
            p, body = sign_in(self.stand)
            before = self.sessions()
            for head in (f.begin(), f.begin() + f.stream(
                    f.PARAMS, f.pairs(p)), f.begin() + f.stream(
                    f.PARAMS, f.pairs(p)) + f.record(f.STDIN, body[:5])):
                with self.connect() as c:
                    c.send(head + f.record(f.ABORT))
                    answer = c.answer()
                    one_of(answer.status, (0, 400), "answer")
            eq(self.sessions(), before, "sessions")
            self.lives()

    def test_early_input(self):
        with self.case("input before the parameters end is no request",
                       "DK-F-03"):
            p, body = sign_in(self.stand)
            before = self.sessions()
            with self.connect() as c:
                c.send(f.begin() + f.stream(f.PARAMS, f.pairs(p), end=False) +
                       f.stream(f.STDIN, body))
                one_of(c.answer().status, (0, 400), "answer")
            eq(self.sessions(), before, "sessions")
            self.lives()

    def test_short_body(self):
        with self.case("a body shorter or longer than its length is 400",
                       "DK-I-04 DK-F-02"):
            p, body = sign_in(self.stand)
            before = self.sessions()
            for length in (len(body) + 1, len(body) - 1, len(body) + 4000):
                answer = f.ask(self.address, dict(
                    p, CONTENT_LENGTH=str(length)), body)
                eq(answer.status, 400, "length %d" % length)
            eq(self.sessions(), before, "sessions")

    # ---- forged ----
    def test_smuggle(self):
        with self.case("a body that holds a request runs as none",
                       "DK-F-02"):
            inner = f.request(params(
                self.stand, route="/check", REMOTE_USER="admin"), rid=1)
            for size in (0, 8192 - 200, 8192, 60000, 70000):
                body = b"x" * size + inner
                p = params(self.stand, "POST", "/nothing",
                           CONTENT_LENGTH=str(len(body)))
                with self.connect() as c:
                    c.send(f.request(p, body, keep=True))
                    answer = c.answer()
                    true(answer.status >= 400, "answer %d" % answer.status)
                    c.send(f.request(params(self.stand, route="/health"),
                                     keep=True))
                    answer = c.answer()
                    one_of(answer.status, (0, 200), "the next one")
                    eq(answer.others, [], "stray records")
            self.lives()

    def test_odd_records(self):
        with self.case("unknown types, versions, roles and ids do no harm",
                       "DK-F-01 DK-F-04"):
            whole = f.request(params(self.stand))
            for head in (f.record(99), f.record(f.END, bytes(8)),
                         f.record(f.STDIN, b"x" * 100), f.record(0),
                         f.record(f.BEGIN, b"\0", 1), f.begin(7),
                         f.begin(f.FILTER), f.begin(0, 255),
                         f.record(f.BEGIN, bytes(8), version=2),
                         f.record(f.DATA, b"x", 1), bytes(65536),
                         os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n"):
                with self.connect(3) as c:
                    c.send(head)
                    c.send(whole)
                    try:
                        c.sock.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
                    try:
                        answer = c.answer()
                        true(answer.status in (0, 200, 400),
                             "%r: %d" % (head[:8], answer.status))
                    except socket.timeout:
                        true(False, "%r hangs" % head[:8])
                wait_for(lambda: self.ask(route="/health").status == 200, 3,
                         "the next request after %r" % head[:8])

    def test_random(self):
        with self.case("random damage to a request does no harm", "DK-F-01"):
            p, body = sign_in(self.stand)
            whole, rng = f.request(p, body), random.Random(7)
            for _ in range(150):
                damaged = bytearray(whole)
                for _ in range(rng.randrange(1, 6)):
                    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
                with self.connect(3) as c:
                    c.send(bytes(damaged))
                    try:
                        c.sock.shutdown(socket.SHUT_WR)
                        answer = c.answer()
                    except (OSError, ValueError):
                        continue
                    true(not answer.out or answer.out.startswith(b"Status: "),
                         repr(answer.out[:40]))
            wait_for(lambda: self.ask(route="/health").status == 200, 5,
                     "it serves")

    def test_not_for_libfcgi(self):
        with self.case("lengths that reach beyond the records, and records "
                       "for the application itself, end no worker",
                       "DK-F-04"):
            worker = children_of(self.stand.serve.pid)
            p = f.pairs(params(self.stand))
            far = [struct.pack("!II", n | 2 ** 31, v | 2 ** 31) + b"a" * 60000
                   for n, v in itertools.product(
                       (1, 60001, 2 ** 28, 2 ** 31 - 2, 2 ** 31 - 1),
                       repeat=2)]
            itself = [f.record(kind, b"x" * n, rid=0) for kind in
                      (f.GET_VALUES, f.UNKNOWN_TYPE, f.PARAMS, 77)
                      for n in (0, 8, 9000)]
            heads = [f.begin() + f.stream(f.PARAMS, p + odd) for odd in far]
            for odd in itself:
                heads += [odd, f.begin() + odd, f.begin() + f.stream(
                    f.PARAMS, p, end=False) + odd]
            for head in heads:
                with self.connect() as c:
                    c.send(head + f.record(f.STDIN))
                    c.sock.shutdown(socket.SHUT_WR)
                    eq((c.answer().status, c.is_closed()), (0, True), "answer")
            eq(children_of(self.stand.serve.pid), worker, "the worker")

    def test_second_begin(self):
        with self.case("a second request on a busy connection is turned away",
                       "DK-F-07"):
            with self.connect() as c:
                p = f.pairs(params(self.stand))
                c.send(f.begin(flags=f.KEEP) + f.begin(rid=2) +
                       f.stream(f.PARAMS, p) + f.record(f.STDIN))
                answer = c.answer()
                one_of(answer.status, (0, 200), "the first")
            self.lives()

    def test_params(self):
        with self.case("parameters are bounded, and said once", "DK-F-11 "
                       "DK-G-03 DK-G-06"):
            items = list(params(self.stand).items())
            for more in ([("REMOTE_ADDR", "10.0.0.1")],
                         [("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2")],
                         [("REQUEST_METHOD", "POST")],
                         [("REQUEST_URI", "/auth/session")],
                         [("HTTP_X", "y" * 300000)],
                         [("HTTP_%d" % n, "x") for n in range(2000)]):
                with self.connect() as c:
                    c.send(f.begin() + f.stream(
                        f.PARAMS, f.pairs(items + more)) +
                        f.record(f.STDIN))
                    answer = c.answer()
                    true(answer.status in (0, 200, 400, 413, 431),
                         "%r: %d" % (more[0][0], answer.status))
                    # Several Cookie lines are one header (RFC 6265).
                    true(answer.status != 200 or more[0][0] == "HTTP_COOKIE",
                         "%s twice is taken" % more[0][0])
            answer = f.ask(self.address, params(
                self.stand, route="/session", HTTP_ACCEPT="application/json",
                REMOTE_USER="alice", AUTH_TYPE="x", HTTP_REMOTE_USER="alice"))
            eq(answer.status, 401, "REMOTE_USER is nobody")
            self.lives()

    # ---- slow and silent ----
    def test_silent(self):
        with self.case("silent and half-said connections keep nobody waiting",
                       "DK-F-09 DK-I-18"):
            silent = [self.connect() for _ in range(20)]
            start = time.monotonic()
            self.lives()
            true(time.monotonic() - start < 2, "behind silent ones: %.1f s" %
                 (time.monotonic() - start))
            half = self.connect()
            half.send(f.request(params(self.stand))[:40])
            start = time.monotonic()
            self.lives()
            took = time.monotonic() - start
            true(took < 12, "behind half a request: %.1f s" % took)
            for c in silent + [half]:
                c.close()

    def test_kept_gives_way(self):
        with self.case("an idle kept connection gives way", "DK-F-06"):
            with self.connect() as c:
                c.send(f.request(params(self.stand), keep=True))
                eq(c.answer().status, 200, "kept")
                start = time.monotonic()
                self.lives()
                true(time.monotonic() - start < 2, "the one worker is free")

    # ---- signals ----
    def test_term(self):
        with self.case("SIGTERM finishes the request that runs", "DK-F-10"):
            worker = children_of(self.stand.serve.pid)[0]
            with self.connect() as c:
                whole = f.request(params(self.stand))
                c.send(whole[:30])
                time.sleep(0.3)
                os.kill(worker, signal.SIGTERM)
                time.sleep(0.2)
                c.send(whole[30:])
                eq(c.answer().status, 200, "the running request")
            wait_for(lambda: worker not in children_of(self.stand.serve.pid),
                     5, "the worker is gone")
            wait_for(lambda: len(children_of(self.stand.serve.pid)) == 1, 5,
                     "another one")
            self.lives()

    def test_log_gone(self):
        stand, box = self.stand, self.stand.box
        argv = [box.path("bin", "doorkeep"), "serve", "--workers", "2",
                "--listen", "unix:" + box.path("run", "other.sock")]
        env = box.environment({"DOORKEEP_CONFIG": stand.config_file})
        path = box.path("run", "other.sock")
        for name, how in (("a log that nobody reads", "reader"),
                          ("a closed stderr", "closed")):
            with self.case("serve goes on with " + name,
                           "DK-E-07 DK-E-08"):
                reader, writer = os.pipe()
                if how == "closed":
                    argv = ["/bin/sh", "-c", 'exec "$@" 2>&- >&-', "sh",
                            *argv]
                process = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=writer,
                    stderr=writer, env=env, **box.as_user())
                os.close(writer)
                try:
                    wait_for(lambda: socket_answers(path), 5, "it listens")
                    os.close(reader)
                    workers = children_of(process.pid)
                    os.kill(workers[0], signal.SIGKILL)
                    wait_for(lambda w=workers: len(set(children_of(
                        process.pid)) - {w[0]}) == 2, 5, "a new worker")
                    eq(process.poll(), None, "the supervisor lives")
                    eq(f.ask(path, params(stand, route="/health")).status,
                       200, "it serves")
                finally:
                    process.terminate()
                    eq(process.wait(10), 0, "exit status")

    def test_steady(self):
        with self.case("memory and descriptors stay as they are",
                       "DK-F-12 DK-I-03"):
            worker = children_of(self.stand.serve.pid)[0]
            for _ in range(50):
                self.ask()
            before = size_of(worker)
            for _ in range(600):
                self.ask()
                self.ask(route="/nothing")
            after = size_of(worker)
            true(after[0] < before[0] + 2048, "kB: %r, %r" % (before, after))
            true(after[1] <= before[1], "files: %r, %r" % (before, after))


def size_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        rss = [line for line in file if line.startswith("VmRSS")][0]
    try:
        files = len(os.listdir("/proc/%d/fd" % pid))
    except PermissionError:  # a worker lets root alone look into it
        files = 0
    return int(rss.split()[1]), files


def run(secrets, report):
    stand = Alone(secrets)
    try:
        stand.add_user("alice")
        stand.start()
        Records(stand, report).run()
    finally:
        problems = stand.close()
    with report.case("records: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")
