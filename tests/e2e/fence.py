"""Least privilege: what a worker can still do once it has started, shown in
running workers of FastCGI and CGI by making them do it."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import fastcgi
from bare import REQUEST
from harness import PASSWORD, children_of, eq, one_of, true, wait_for
from inject import Taken
from servers import LighttpdCgi, LighttpdExternal

LANDLOCK, SECCOMP = "444", "317"


def status_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def locked_up(pid, store, elsewhere):
    """Every attempt fails, and with the error that our fence gives."""
    status = status_of(pid)
    eq((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "status")
    with open("/proc/%d/limits" % pid, encoding="ascii") as f:
        core = [line for line in f if line.startswith("Max core")][0]
    eq(core.split()[4:6], ["0", "0"], "core file size")
    eq(os.stat("/proc/%d/mem" % pid).st_uid, 0, "owner of its memory")
    with Taken(pid) as worker:
        denied, not_there = -errno.EACCES, -errno.EPERM
        eq(worker.call("getpid"), pid, "the injected call runs in it")
        eq(worker.call("open", "/etc/passwd", 0), denied, "/etc/passwd")
        eq(worker.call("open", "/proc/self/environ", 0), denied, "/proc")
        eq(worker.call("open", elsewhere, 0), denied, "its own user's file")
        eq(worker.call("rename", elsewhere, store + ".x"), denied, "move")
        eq(worker.call("unlink", elsewhere), denied, "remove")
        eq(worker.call("execve", "/bin/sh", 0, 0), not_there, "execve")
        eq(worker.call("fork"), not_there, "fork")
        eq(worker.call("socket", 2, 1, 0), not_there, "TCP")
        eq(worker.call("socket", 1, 1, 0), not_there, "Unix socket")
        eq(worker.call("connect", 0, b"\2\0\0\1\x7f\0\0\1", 16), not_there,
           "connect")
        eq(worker.call("kill", os.getpid(), 0), not_there, "kill another")
        eq(worker.call("ptrace", 16, os.getpid(), 0, 0), not_there, "ptrace")
        eq(worker.call("prctl", 4, 1, 0, 0, 0), not_there, "be dumped")
        fd = worker.call("open", store, 2)
        true(fd > 2, "its store is still open to it: %d" % fd)


def fastcgi_worker(stand, report):
    name = "fence, FastCGI: "
    elsewhere = stand.box.write("tmp/of-the-same-user", "secret\n", 0o600)
    with report.case(name + "a worker that was taken over reaches its store "
                     "and nothing else", "", stand.box):
        stand.signed_in()
        for pid in children_of(stand.serve.pid):
            locked_up(pid, stand.database, elsewhere)
        stand.signed_in()
        eq(open(elsewhere, encoding="ascii").read(), "secret\n", "the file")
    with report.case(name + "a store in another directory of the same name "
                     "is served by new workers", "", stand.box):
        var = stand.box.path("var")
        before = set(children_of(stand.serve.pid))
        stand.stop_server()
        os.rename(var, var + ".old")
        shutil.copytree(var + ".old", var)
        stand.box.own(var)
        for _ in range(8):
            fastcgi.ask(stand.socket, dict(
                REQUEST, REQUEST_URI="/auth/health", PATH_INFO="/health"))
            time.sleep(0.3)
        wait_for(lambda: len(set(children_of(stand.serve.pid)) - before) ==
                 len(before), 15, "new workers")
        stand.start_server()
        stand.signed_in()
        shutil.rmtree(var + ".old")
        true("store_moved" in stand.box.read("log/serve.log"), "it is logged")


def cgi_process(stand, report):
    with report.case("fence, CGI: a process that was taken over reaches its "
                     "store and nothing else", "", stand.box):
        elsewhere = stand.box.write("tmp/of-the-same-user", "x", 0o600)
        body = json.dumps({"username": "alice",
                           "password": PASSWORD}).encode()
        process = subprocess.Popen(
            [stand.box.path("bin", "doorkeep.fcgi")], cwd="/",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=dict(
                REQUEST, REQUEST_METHOD="POST", CONTENT_LENGTH=str(len(body)),
                CONTENT_TYPE="application/json",
                HTTP_ACCEPT="application/json",
                DOORKEEP_CONFIG=stand.config_file), **stand.box.as_user())
        try:
            # It waits for the body: the sandbox stands already.
            wait_for(lambda: status_of(process.pid)["Seccomp"] == "2", 5,
                     "the sandbox")
            locked_up(process.pid, stand.database, elsewhere)
            out, _ = process.communicate(body, timeout=20)
            true(out.startswith(b"Status: 200"), repr(out[:60]))
        finally:
            process.kill()
            process.communicate()


def call(stand, hidden, more):
    """One CGI request on a kernel that lacks something."""
    stand.box.write("etc/doorkeep.conf", stand.config() + more)
    argv = [stand.box.path("bin", "doorkeep.fcgi")]
    if hidden:
        argv = [sys.executable, stand.box.shipped("tests/e2e/inject.py"),
                hidden] + argv
    return stand.box.run(argv, exact_env=dict(
        REQUEST, DOORKEEP_CONFIG=stand.config_file), cwd="/", check=False)


def older_kernel(stand, report):
    name = "fence, older kernel: "
    with report.case(name + "it goes on with what there is, or refuses "
                     "where the whole is required", "", stand.box):
        for hidden, word in ((LANDLOCK, b"Landlock"), (SECCOMP, b"seccomp")):
            done = call(stand, hidden, "")
            true(done.stdout.startswith(b"Status: 200"), done.stdout[:60])
            done = call(stand, hidden, "\n[security]\nsandbox = require\n")
            true(done.stdout.startswith(b"Status: 503"), done.stdout[:60])
            true(word in done.stderr and b"[security] sandbox" in done.stderr,
                 "cause: %r" % done.stderr)
            true(word not in done.stdout, "not to people")
        done = call(stand, "", "\n[security]\nsandbox = require\n")
        true(done.stdout.startswith(b"Status: 200"), done.stdout[:60])
        stand.write_config()
    with report.case(name + "a worker says so once", "", stand.box):
        listener = stand.box.path("run", "old.sock")
        process = stand.box.start(
            [sys.executable, stand.box.shipped("tests/e2e/inject.py"), LANDLOCK,
             stand.box.path("bin", "doorkeep"), "serve", "--workers", "1",
             "--listen", "unix:" + listener], "old.log",
            {"DOORKEEP_CONFIG": stand.config_file})
        fastcgi.wait_for(listener)
        for _ in range(3):
            eq(fastcgi.ask(listener, REQUEST).status, 200, "status")
        stand.box.stop(process, signal.SIGTERM)
        log = stand.box.read("log/old.log")
        eq(log.count("sandbox_incomplete"), 1, "lines: " + log)
        true("Landlock" in log, "what is missing")


def without(secrets, report, why, options):
    """That the attempts above can succeed at all."""
    stand = LighttpdExternal(secrets, workers=1, **options)
    try:
        stand.add_user("alice")
        stand.start()
        with report.case("fence, %s: the same attempts succeed" % why,
                         "", stand.box):
            stand.signed_in()
            pid = children_of(stand.serve.pid)[0]
            eq(status_of(pid)["Seccomp"], "0", "seccomp")
            with Taken(pid) as worker:
                true(worker.call("open", "/etc/passwd", 0) > 2, "open")
                true(worker.call("socket", 2, 1, 0) > 2, "socket")
            eq(stand.box.read("log/serve.log").count("sandbox_incomplete"),
               1 if "environment" in options else 0, "lines in the log")
    finally:
        problems = stand.close()
    one_of(problems, ([],))


def run(secrets, report):
    stand = LighttpdExternal(secrets)
    try:
        stand.add_user("alice")
        stand.start()
        fastcgi_worker(stand, report)
        older_kernel(stand, report)
    finally:
        problems = stand.close()
    cgi = LighttpdCgi(secrets)
    try:
        cgi.add_user("alice")
        cgi_process(cgi, report)
    finally:
        problems += cgi.close()
    without(secrets, report, "switched off",
            {"extra": "\n[security]\nsandbox = off\n"})
    # A library that is put first needs what cannot be known.
    without(secrets, report, "with LD_PRELOAD",
            {"environment": {"LD_PRELOAD": "libc.so.6"}})
    with report.case("fence: nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")
