"""What is measured.  Each part takes a Bench (run) and returns its rows; a
goal is a row with a bound."""

import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time

import load
from peers import ALL as PEERS
from stage import PASSWORD, SOURCE, Stage, build_dir, have

BENCH = os.path.join(build_dir(), "bench")
BARE, ASKING = "bare libfcgi", "bare libfcgi with a store"


class Row:
    """One line of a table.  bound: ("≥", 0.9) makes it a goal."""

    def __init__(self, part, name, value, unit="", bound=None, **figures):
        self.part, self.name, self.value, self.unit = part, name, value, unit
        self.bound, self.figures = bound, figures

    @property
    def met(self):
        if self.bound is None:
            return None
        kind, limit = self.bound
        return self.value >= limit if kind == "≥" else self.value <= limit

    def as_json(self):
        return dict(self.figures, part=self.part, name=self.name,
                    value=self.value, unit=self.unit,
                    bound="%s %g" % self.bound if self.bound else None,
                    met=self.met)


def with_stage(bench, sessions, kept, work, store="sqlite", fronts=1):
    stage = Stage(sessions, kept, store)
    stage.fronts = fronts
    try:
        stage.start()
        return work(stage)
    finally:
        stage.close()


# ---- the check ----------------------------------------------------------------

def check(bench):
    """The same connection mode on both sides: kept, and one a request.  The
    second limit asks the store what a check asks it, and no more."""
    rows = []
    for kept in (True, False):
        def work(stage, kept=kept):
            mode = "kept" if kept else "fresh"
            fronts = [("nginx", "nginx, %s connections" % mode)]
            if not kept:
                fronts.append(("lighttpd", "lighttpd"))
            for server, where in fronts:
                limit = "lighttpd-bare" if server == "lighttpd" else server
                those = [
                    stage.contestant(BARE, limit, "/bare-app", stage.bare),
                    stage.contestant(ASKING, limit, "/store-app",
                                     stage.asking),
                    stage.contestant("doorkeep /check", server,
                                     "/auth/check", stage.serve)]
                if server == "nginx":
                    those.append(stage.contestant(
                        "doorkeep /session", "nginx", "/auth/session",
                        stage.serve))
                for n in bench.connections:
                    got = load.rounds(those, n, bench.seconds, bench.rounds,
                                      bench.say)
                    rows.extend(check_rows("check", got, where, n))
        with_stage(bench, 1000, kept, work)
    return rows


def check_rows(part, got, where, connections, least=0.9, most=1.5):
    bare, asking = got[BARE], got.get(ASKING)
    for name, one in got.items():
        goal = name == "doorkeep /check"
        place = "%s, %d connections" % (where, connections)
        if name != BARE:
            yield Row(part, "%s, %s" % (name, place),
                      one["rps"] / bare["rps"], "of bare",
                      ("≥", least) if goal else None, **one)
        if goal:
            yield Row(part, "its processor time, " + place,
                      one["cpu_us"] / bare["cpu_us"], "of bare",
                      ("≤", most) if most else None)
        if goal and asking:
            yield Row(part, "its processor time, " + place,
                      one["cpu_us"] / asking["cpu_us"],
                      "of bare with a store")


def postgres(bench):
    """The check with its store in PostgreSQL, on the same machine."""
    def work(stage):
        rows = []
        those = [stage.contestant(BARE, "nginx", "/bare-app", stage.bare),
                 stage.contestant("doorkeep /check", "nginx", "/auth/check",
                                  stage.serve)]
        for n in bench.connections:
            got = load.rounds(those, n, bench.seconds, bench.rounds,
                              bench.say)
            rows.extend(check_rows("postgres", got, "nginx, kept connections",
                                   n, 0.5, None))
        return rows
    return with_stage(bench, 1000, True, work, "postgres")


def sessions(bench):
    return store_sizes(bench, "sqlite", "sessions")


def postgres_sessions(bench):
    return store_sizes(bench, "postgres", "postgres-sessions")


def store_sizes(bench, store, part):
    """Does the size of the store matter?  One check after another, warm."""
    stages, rows = [], []
    try:
        for count in bench.sessions:
            bench.say("a store of %d sessions, %s" % (count, store))
            stages.append(Stage(count, store=store).start())
        those = [s.contestant("%d sessions" % s.sessions, "nginx",
                              "/auth/check", s.serve) for s in stages]
        got = load.rounds(those, 8, bench.seconds, bench.rounds, bench.say)
        first = got[those[0].name]
        for stage, one in zip(stages, those):
            rows.append(Row(
                part, one.name, got[one.name]["cpu_us"] /
                first["cpu_us"], "of the first's processor time",
                ("≤", 1.15) if one is not those[0] else None,
                bytes_a_session=stage.bytes_of_sessions() / stage.sessions,
                **got[one.name]))
            rows.append(Row(part, one.name + ", start of a worker",
                            start_ms(stage), "ms"))
    finally:
        for stage in stages:
            stage.close()
    return rows


def start_ms(stage):
    """From a new process to its first answer: as CGI, the store opened."""
    env = cgi_environment(stage, "/auth/check")
    return statistics.median(spawn(
        os.path.join(build_dir(), "doorkeep.fcgi"), 31, env)[0]) / 1000


def peers(bench):
    """At eight connections: how many times as many as others."""
    stage, kinds, rows = Stage(1000), [], []
    for kind in PEERS:
        peer = kind(stage)
        why = peer.missing()
        if why:
            bench.say("left out: %s: %s" % (peer.name, why))
            rows.append(Row("peers", peer.name, float("nan"),
                            "left out: " + why))
            continue
        upstream, location = peer.location()
        stage.upstreams += upstream
        stage.locations += location
        kinds.append(peer)
    try:
        stage.start()
        for peer in kinds:
            peer.start()
        those = [stage.contestant("doorkeep", "nginx", "/auth/session",
                                  stage.serve)]
        those += [peer.contestant() for peer in kinds]
        got = load.rounds(those, 8, bench.seconds, bench.rounds, bench.say)
        goals = {"express-session + better-sqlite3": 8, "PHP-FPM sessions":
                 1.8, "Apache mod_auth_form + session_dbd": 5,
                 "LemonLDAP::NG": 15}
        for one in those[1:]:
            rows.append(Row(
                "peers", "doorkeep, to " + one.name,
                got["doorkeep"]["rps"] / got[one.name]["rps"], "times",
                ("≥", goals[one.name]), doorkeep=got["doorkeep"],
                peer=got[one.name]))
    finally:
        stage.close()
    return rows


def gates(bench):
    """A static file: alone, behind a yes to everything, behind doorkeep."""
    rows = []

    def work(stage):
        for server, bare in (("nginx", "nginx"),
                             ("lighttpd", "lighttpd-bare")):
            those = [stage.contestant("no gate", bare, "/plain/file.txt",
                                      stage.bare),
                     stage.contestant("a bare yes", bare, "/bare/file.txt",
                                      stage.bare),
                     stage.contestant("a yes from a store", bare,
                                      "/store/file.txt", stage.asking),
                     stage.contestant("doorkeep", server,
                                      "/private/file.txt", stage.serve)]
            for n in bench.connections:
                got = load.rounds(those, n, bench.seconds, bench.rounds,
                                  bench.say)
                bare = got["a bare yes"]
                for name, one in got.items():
                    rows.append(Row(
                        "gates", "%s, %s, %d connections" % (
                            name, server, n), one["rps"] / bare["rps"],
                        "of a bare yes",
                        ("≥", 0.9) if name == "doorkeep" else None, **one))
    with_stage(bench, 1000, False, work)
    return rows


# ---- sign-in -------------------------------------------------------------------

def sign_in(bench):
    """Processor time of a sign-in, to that of its one hash."""
    def work(stage):
        pairs = []
        for _ in range(bench.rounds * 2):
            hashes = [int(n) for n in subprocess.run(
                [os.path.join(BENCH, "hash"), "15"], capture_output=True,
                text=True, check=True).stdout.split()]
            before = load.cpu_seconds([stage.serve.pid])
            for _ in range(15):
                stage.sign_in()
            used = load.cpu_seconds([stage.serve.pid]) - before
            pairs.append((used / 15, statistics.median(hashes) / 1e6))
        ratio = statistics.median(a / b for a, b in pairs)
        return [Row("sign-in", "a sign-in, to one argon2id", ratio,
                    "of its processor time", ("≤", 1.10),
                    sign_in_ms=statistics.median(a for a, _ in pairs) * 1e3,
                    hash_ms=statistics.median(b for _, b in pairs) * 1e3)]
    return with_stage(bench, 1000, True, work)


def sign_out(bench):
    """A sign-out is a row less, on the disk before it is answered."""
    def work(stage):
        taken = []
        for _ in range(bench.rounds):
            those = [stage.sign_in_fully() for _ in range(20)]
            before = load.cpu_seconds([stage.serve.pid])
            begun = time.monotonic()
            for cookie, token in those:
                status, _, _ = stage.ask("POST", "/auth/logout", "{}", {
                    "Cookie": cookie, "X-CSRF-Token": token,
                    "Content-Type": "application/json"})
                if status != 204:
                    raise RuntimeError("sign-out answered %d" % status)
            taken.append(((time.monotonic() - begun) / 20 * 1e3,
                          (load.cpu_seconds([stage.serve.pid]) - before) /
                          20 * 1e3))
        return [Row("sign-out", "a sign-out", statistics.median(
            t for t, _ in taken), "ms", None, cpu_ms=statistics.median(
                c for _, c in taken))]
    return with_stage(bench, 1000, True, work)


def storm(bench):
    """The slowest checks while every core hashes passwords."""
    def work(stage):
        stop = threading.Event()
        done = [0]

        def attack(number):
            while not stop.is_set():
                status, _, _ = stage.ask("POST", "/auth/login", json.dumps(
                    {"username": "user%d" % number, "password": PASSWORD}),
                    {"Content-Type": "application/json"})
                done[0] += status == 200
        one = stage.contestant("checks", "nginx", "/auth/check", stage.serve)
        calm, stormy = [], []
        for number in range(bench.rounds):
            bench.say("storm, round %d of %d" % (number + 1, bench.rounds))
            calm.append(load.measure(one, 4, bench.seconds))
            stop.clear()
            threads = [threading.Thread(target=attack, args=(n,))
                       for n in range(8)]
            for t in threads:
                t.start()
            time.sleep(0.5)
            stormy.append(load.measure(one, 4, bench.seconds))
            stop.set()
            for t in threads:
                t.join()
        p99 = [statistics.median(r["p99_us"] for r in rs)
               for rs in (calm, stormy)]
        return [Row("storm", "p99 of a check while all cores hash",
                    load.ratio_of_rounds([r["p99_us"] for r in stormy],
                                         [r["p99_us"] for r in calm]),
                    "of it without", ("≤", 3), calm_us=p99[0],
                    storm_us=p99[1], sign_ins=done[0],
                    worst_us=max(r["max_us"] for r in stormy))]
    return with_stage(bench, 1000, True, work)


# ---- CGI, memory ------------------------------------------------------------------

def spawn(program, times, env):
    """Microseconds of the clock and of the processor, one for each start."""
    done = subprocess.run([os.path.join(BENCH, "spawn"), str(times), program],
                          env=env, capture_output=True, text=True, check=True)
    pairs = [line.split() for line in done.stdout.split("\n") if line]
    return [int(a) for a, _ in pairs], [int(b) for _, b in pairs]


def cgi_environment(stage, uri):
    return {"DOORKEEP_CONFIG": stage.config, "GATEWAY_INTERFACE": "CGI/1.1",
            "REQUEST_METHOD": "GET", "REQUEST_URI": uri,
            "SCRIPT_NAME": "/auth", "PATH_INFO": uri[5:],
            "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "localhost", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:%d" % stage.nginx_port,
            "HTTP_COOKIE": stage.cookie}


def cgi(bench):
    def work(stage):
        env = dict(cgi_environment(stage, "/auth/check"), **stage.question())
        programs = {"doorkeep": os.path.join(build_dir(), "doorkeep.fcgi"),
                    "asking": os.path.join(BENCH, "store"),
                    "linked": os.path.join(BENCH, "linked"),
                    "empty": os.path.join(BENCH, "empty")}
        taken = {name: [] for name in programs}
        for _ in range(bench.rounds):
            for name, program in programs.items():
                taken[name].append(statistics.median(
                    spawn(program, 101, env)[0]))
        us = {n: statistics.median(t) for n, t in taken.items()}
        return [Row("cgi", "a check as CGI, to an empty program %s" % what,
                    load.ratio_of_rounds(taken["doorkeep"], taken[name]),
                    "of its time", ("≤", bound) if bound else None, **us)
                for name, what, bound in (
                    ("linked", "linked with the same libraries", 1.3),
                    ("empty", "in C", 2.0),
                    ("asking", "that asks the same store", None))]
    return with_stage(bench, 1000, True, work)


def memory(bench):
    def work(stage):
        for _ in range(20):
            stage.ask("GET", "/auth/check", None, {"Cookie": stage.cookie})
        kib = [load.private_kib(pid) for pid in stage.workers()]
        whole = sum(kib) + load.private_kib(stage.serve.pid)
        return [Row("memory", "an idle worker, private", max(kib) / 1024,
                    "MiB", ("≤", 4), workers=len(kib)),
                Row("memory", "all of an idle doorkeep, private",
                    whole / 1024, "MiB", ("≤", 16))]
    return with_stage(bench, 1000, True, work)


# ---- system calls ------------------------------------------------------------------

def calls(bench):
    """Every system call of one check, as strace sees it.  The worker runs
    under strace from its start: it lets nobody attach."""
    if not have("strace"):
        return [Row("calls", "strace is not installed", float("nan"))]

    def work(stage):
        trace = tempfile.NamedTemporaryFile(suffix=".strace")
        path = stage.box.path("run", "traced.sock")
        import socket
        from fastcgi import request
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(16)
            worker = subprocess.Popen(
                [have("strace"), "-o", trace.name,
                 os.path.join(build_dir(), "doorkeep.fcgi")], stdin=s,
                env=dict(os.environ, DOORKEEP_CONFIG=stage.config),
                stderr=subprocess.DEVNULL)
        env = cgi_environment(stage, "/auth/check")
        data = request({k: v for k, v in env.items()
                        if k != "DOORKEEP_CONFIG"})
        try:
            for _ in range(12):
                with socket.socket(socket.AF_UNIX) as c:
                    c.connect(path)
                    c.sendall(data)
                    while c.recv(65536):
                        pass
            time.sleep(0.3)
        finally:
            for pid in load.descendants(worker.pid)[1:]:
                os.kill(pid, signal.SIGKILL)
            worker.wait()
        names = re.findall(r"^(\w+)\(", open(trace.name).read(), re.M)
        turns = [i for i, n in enumerate(names) if n.startswith("accept")]
        one = names[turns[1]:turns[2]]
        return [Row("calls", "system calls of a check on a fresh connection",
                    len(one), "calls", None, calls=one)]
    return with_stage(bench, 1000, False, work)


# ---- instructions --------------------------------------------------------------

def instructions(bench):
    """Where time goes, in a figure that is the same each time."""
    if not have("valgrind"):
        return [Row("instructions", "valgrind is not installed",
                    float("nan"))]
    import instructions as counted
    from harness import Secrets
    from servers import LighttpdCgi
    stand = LighttpdCgi(Secrets())
    try:
        bench.say("instructions")
        stand.add_user("alice")
        return [Row("instructions", name, cost, "instructions",
                    ("≤", counted.COST[name] * counted.SLACK))
                for name, cost in counted.measure(stand).items()]
    finally:
        stand.close()


# ---- scale ---------------------------------------------------------------------

def scale(bench):
    """From one connection to ten thousand; and past what can be served: who
    is not served is told when to come again, and after it all is well."""
    def work(stage):
        one = stage.contestant("checks", "nginx", "/auth/check", stage.serve)
        rows = []
        for n in (1, 10, 100, 1000, 10000):
            if n > bench.max_connections:
                rows.append(Row("scale", "checks, %d connections" % n,
                                float("nan"), "left out: RLIMIT_NOFILE"))
                continue
            bench.say("%d connections" % n)
            got = load.wrk(one.url, n, max(bench.seconds, n // 500), one.headers,
                           look=True)
            good = got["requests"] - got["errors"] + got["dropped"]
            rows.append(Row(
                "scale", "checks, %d connections" % n,
                good * 1e6 / got["duration_us"], "good answers a second",
                None, p99_us=got["p99_us"], worst_us=got["max_us"],
                told_to_wait=got["polite"], dropped=got["dropped"],
                other_errors=got["errors"] - got["polite"] -
                got["dropped"]))
        rows.append(Row("scale", "and again with one, at once after",
                        load.measure(one, 1, bench.seconds)["rps"],
                        "answers a second"))
        return rows
    return with_stage(bench, 1000, False, work, fronts=2)


def beside(bench):
    """Checks while a million expired rows are purged, and while the store is
    copied: what they feel of it."""
    count = min(max(bench.sessions), 1000000)

    def work(stage):
        one = stage.contestant("checks", "nginx", "/auth/check", stage.serve)
        calm = [load.measure(one, 4, bench.seconds)
                for _ in range(bench.rounds)]
        rows = []
        for what, command in (
                ("copied", ["db", "backup",
                            stage.box.path("var", "copy.db")]),
                ("purged", ["session", "purge"])):
            if what == "purged":
                stage.sql("UPDATE sessions SET expires_at = 1 WHERE "
                             "created_at <> last_seen_at OR user_agent LIKE "
                             "'%rv:128.0%';")
            bench.say("%d sessions are %s" % (count, what))
            begun = time.monotonic()
            taken = []
            thread = threading.Thread(target=lambda c=command: taken.append(
                (stage.admin(*c, timeout=900), time.monotonic() - begun)))
            thread.start()
            during = []
            while thread.is_alive():
                during.append(load.measure(one, 4, 1))
            thread.join()
            rows.append(Row(
                "beside", "p99 of checks while %d sessions are %s" % (
                    count, what),
                statistics.median(r["p99_us"] for r in during) /
                statistics.median(r["p99_us"] for r in calm),
                "of it without", None, seconds=taken[0][1],
                worst_us=max(r["max_us"] for r in during)))
        return rows
    return with_stage(bench, count, True, work)


TABLE = (("check", check), ("gates", gates), ("peers", peers),
         ("sessions", sessions), ("sign-in", sign_in),
         ("sign-out", sign_out), ("storm", storm),
         ("cgi", cgi), ("memory", memory), ("calls", calls),
         ("instructions", instructions), ("scale", scale),
         ("beside", beside), ("postgres", postgres),
         ("postgres-sessions", postgres_sessions))
