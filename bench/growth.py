#!/usr/bin/python3
"""A store that grows: fills a PostgreSQL of its own, in a temporary directory,
with more and more sessions, and prints for each size what the tables and
indexes take, how long one look-up of the gate takes (the very statement, as
pgbench runs it), what signing in and out costs the store, how long the desk's
count takes, and how quickly expired rows are purged.

	bench/growth.py [SESSIONS...]		such as 1000 1000000

The programs are taken from $BUILD, else from build/."""

import os
import re
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "e2e"))

# The imports need the path above.
from harness import Sandbox, Secrets, have  # noqa: E402
from store import Postgres  # noqa: E402

SECONDS = 10
PER_PERSON = 5
SLICE = 500000
PEOPLE = """INSERT INTO users (id, username, username_key, display_name, email,
 password_hash, created_at) SELECT i, 'user' || i, 'user' || i, 'Person ' || i,
 'user' || i || '@example.org', repeat('x', 97), 1 FROM generate_series(%d, %d)
 AS i"""
# Ids are random, and so is the order in which they come.
SESSIONS = """INSERT INTO sessions SELECT gen_random_uuid(), sha256(i::text::bytea),
 1 + i %% %d, %d + i, %d + i, %d + i, %d, 3600000, 1, 0, '192.0.2.' || i %% 250,
 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0', 'www.example.org'
 FROM generate_series(%d, %d) AS i"""
SIZES = """SELECT pg_table_size('%s'), pg_indexes_size('%s'), (SELECT
 reltuples::bigint FROM pg_class WHERE oid = '%s'::regclass)"""


def statement(name):
    """Of sql/queries.sql, with the parameters as pgbench names them."""
    with open(os.path.join(SOURCE, "sql", "queries.sql"),
              encoding="utf-8") as f:
        text = f.read().split("-- name: %s\n" % name)[1].split("-- name:")[0]
    lines = [li for li in text.split("\n") if not li.startswith("--")]
    return " ".join(" ".join(lines).split()).rstrip(";")


def bound(name, *values):
    text = statement(name)
    for n in range(len(values), 0, -1):
        text = re.sub(r"\$%d\b" % n, values[n - 1], text)
    return text + ";\n"


class Growth:
    def __init__(self):
        self.secrets = Secrets()
        self.box = Sandbox("growth", self.secrets)
        self.top = tempfile.mkdtemp(prefix="dk-growth-",
                                    dir=os.environ.get("TMPDIR", "/tmp"))
        os.chmod(self.top, 0o755)
        if os.getuid() == 0:
            os.chown(self.top, self.box.user.pw_uid, self.box.user.pw_gid)
        self.pg = Postgres(self.top).make()
        # As a small server is set; all that was acknowledged stays safe.
        self.pg.start("-c", "shared_buffers=2GB", "-c", "max_wal_size=8GB",
                      "-c", "maintenance_work_mem=256MB",
                      "-c", "checkpoint_timeout=15min")
        self.config = self.box.write("etc/doorkeep.conf", """[site]
origin = http://localhost:1
[store]
database = %s
directory = %s
""" % (self.pg.address(), self.box.path("var")), 0o640)
        self.admin("db", "migrate")
        self.sql("CREATE TABLE sample (n BIGINT PRIMARY KEY, id TEXT)")
        self.now, self.have, self.people = int(time.time() * 1000), 0, 0

    def admin(self, *args):
        return self.box.run([self.box.path("bin", "doorkeep"), *args],
                            env={"DOORKEEP_CONFIG": self.config},
                            timeout=3600).stdout.decode()

    def sql(self, text):
        return self.pg.sql(text, seconds=3600)

    def fill(self, n):
        people = max(10, n // PER_PERSON)
        if people > self.people:
            self.sql(PEOPLE % (self.people + 1, people))
            self.people = people
        start, begun = self.have, time.monotonic()
        while self.have < n:
            upto = min(n, self.have + SLICE)
            self.sql(SESSIONS % (
                people, self.now - n, self.now - n, self.now - n,
                self.now + 86400000, self.have + 1, upto))
            self.have = upto
        took = time.monotonic() - begun
        self.sql("VACUUM ANALYZE users; VACUUM ANALYZE sessions; TRUNCATE "
                 "sample; INSERT INTO sample SELECT row_number() OVER (), id "
                 "FROM (SELECT id FROM sessions TABLESAMPLE SYSTEM "
                 "(least(100, 100.0 * 60000 / %d)) LIMIT 50000) AS s; "
                 "VACUUM ANALYZE sample; CHECKPOINT" % n)
        print("filled with %d rows, %.0f a second" % (
            n - start, (n - start) / took))

    def bench(self, script, clients):
        """Statements a second, and the mean and 99th hundredth in ms."""
        path = self.box.write("tmp/script", script)
        log = os.path.join(self.top, "bench")
        done = self.pg.tool("pgbench", "-n", "-M", "prepared", "-f", path,
                            "-T", str(SECONDS), "-c", str(clients), "-l",
                            "--log-prefix=" + log, "-d", self.pg.address())
        text = done.stdout.decode()
        took = []
        for name in os.listdir(self.top):
            if name.startswith("bench."):
                with open(os.path.join(self.top, name),
                          encoding="utf-8") as f:
                    took += [int(line.split()[2]) for line in f]
                os.unlink(os.path.join(self.top, name))
        took.sort()
        return (float(re.search(r"tps = ([\d.]+)", text).group(1)),
                sum(took) / len(took) / 1000, took[len(took) * 99 // 100]
                / 1000)

    def sizes(self, table):
        rows, index, n = (int(x) for x in self.sql(
            SIZES % (table, table, table)).split("|"))
        print("  %-9s %11d rows  table %8.1f MB, %4.0f bytes a row  indexes "
              "%8.1f MB, %4.0f bytes a row" % (
                  table, n, rows / 1e6, rows / max(n, 1), index / 1e6,
                  index / max(n, 1)))

    def look_ups(self):
        known = int(self.sql("SELECT count(*) FROM sample"))
        pick = "\\set n random(1, %d)\n" % known
        check = pick + "SELECT id AS sid FROM sample WHERE n = :n \\gset\n"
        self.bench(check + bound("session_check", ":sid"), 8)     # warm
        for clients in (1, 8):
            base = self.bench(check, clients)
            both = self.bench(check + bound("session_check", ":sid"),
                              clients)
            print("  check, %d at once: %7.0f a second, the look-up alone "
                  "%.3f ms; 99 of 100 within %.3f ms" % (
                      clients, both[0], both[1] - base[1], both[2]))
        write = "\\set u random(1, %d)\n" % self.people + bound(
            "session_add", "gen_random_uuid()::text",
            "sha256(:u::text::bytea)", ":u", "1", "1", str(self.now),
            str(self.now + 86400000), "3600000", "1", "0", "'192.0.2.7'",
            "'Mozilla/5.0'", "'www.example.org'")
        # Of 8 in turn, so that no two transactions meet in one row.
        print("  sign-in (its row), 8 at once: %7.0f a second, %.2f ms; "
              "99 of 100 within %.2f ms" % self.bench(write, 8))

    def counts(self):
        begun = time.monotonic()
        self.sql(bound("session_count", str(self.now)))
        print("  count of all that live: %.0f ms" % (
            (time.monotonic() - begun) * 1000))
        begun = time.monotonic()
        self.admin("session", "list", "--limit", "50")
        print("  session list --limit 50: %.0f ms" % (
            (time.monotonic() - begun) * 1000))

    def purge(self):
        """A tenth has expired."""
        self.sql("UPDATE sessions SET expires_at = 1 WHERE id < '1999999a'")
        self.sql("VACUUM sessions")
        gone = int(self.sql("SELECT count(*) FROM sessions WHERE "
                            "expires_at = 1"))
        begun = time.monotonic()
        self.admin("session", "purge")
        took = time.monotonic() - begun
        print("  purge of %d of %d: %.1f s, %.0f a second" % (
            gone, self.have, took, gone / took))
        self.have = int(self.sql("SELECT count(*) FROM sessions"))

    def close(self):
        self.pg.stop()
        self.box.close()
        shutil.rmtree(self.top, ignore_errors=True)


def main(sizes):
    if not have("pgbench"):
        sys.exit("growth.py: pgbench is not installed (postgresql)")
    it = Growth()
    try:
        print(it.pg.sql("SELECT version()"))
        for n in sizes:
            it.fill(n)
            it.sizes("users")
            it.sizes("sessions")
            it.look_ups()
            it.counts()
            it.purge()
            sys.stdout.flush()
    finally:
        it.close()


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [1000, 1000000, 10000000])
