"""Where a site under test keeps its accounts and sessions: an SQLite file, or
with STORE=postgres in the environment a database of its own in one PostgreSQL
(Debian's), started for the whole run as an ordinary user in a directory of its
own."""

import atexit
import contextlib
import copy
import glob
import itertools
import os
import shutil
import signal
import subprocess
import tempfile

from harness import Skip, have, server_user, wait_for


def programs():
    """Where initdb, postgres and pg_basebackup are."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    plain = have("postgres")
    if not found and not plain:
        raise Skip("PostgreSQL is not installed (postgresql)")
    return os.path.dirname(found[-1] if found else plain)


class Postgres:
    """A server below `top`, a directory of the servers' user, on a Unix
    socket in it and where `port` is given on 127.0.0.1 too."""

    def __init__(self, top, name="pg", port=None):
        self.bin = programs()
        self.top, self.port, self.process = top, port, None
        self.data = os.path.join(top, name)
        self.dir = os.path.join(top, name + "-run")
        self.log = os.path.join(top, name + ".log")
        user = server_user()
        self.user = {} if os.getuid() != 0 else {
            "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.makedirs(self.dir, 0o755, exist_ok=True)
        if self.user:
            os.chown(self.dir, user.pw_uid, user.pw_gid)

    def make(self):
        self.tool("initdb", "-D", self.data, "-U", "doorkeep", "-A", "trust",
                  "-E", "UTF8", "--locale=C", "--no-sync")
        return self

    def tool(self, name, *arguments, check=True):
        done = subprocess.run(
            [os.path.join(self.bin, name), *arguments], cwd=self.top,
            capture_output=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL, env=self.environment(), **self.user)
        if check and done.returncode != 0:
            raise AssertionError("%s: %s" % (
                name, (done.stderr + done.stdout).decode(errors="replace")))
        return done

    def environment(self):
        return {"PATH": self.bin + ":/usr/bin:/bin", "LANG": "C",
                "HOME": self.top}

    def address(self, database="postgres", more=""):
        return "postgresql://doorkeep@/%s?host=%s%s" % (
            database, self.dir, more)

    def arguments(self):
        listen = ["-c", "listen_addresses="] if self.port is None else \
            ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port)]
        return [os.path.join(self.bin, "postgres"), "-D", self.data, "-k",
                self.dir, "-c", "max_connections=200", *listen]

    def start(self, *more):
        """Ready for statements when this returns."""
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                self.arguments() + list(more), stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, cwd=self.top, start_new_session=True,
                env=self.environment(), **self.user)
        wait_for(self.answers, 30, "PostgreSQL answers")
        return self

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                raise AssertionError("PostgreSQL ended: " + f.read()[-2000:])
        return self.sql("SELECT 1", check=False) == "1"

    def sql(self, text, database="postgres", check=True, options=(),
            seconds=120):
        """What psql says: a row a line, | between the columns."""
        port = [] if self.port is None else ["-p", str(self.port)]
        done = subprocess.run(
            [have("psql") or os.path.join(self.bin, "psql"), "-XAtq",
             *port, *options, "-d", self.address(database), "-f", "-"],
            input=("\\set ON_ERROR_STOP 1\n" + text).encode(),
            capture_output=True, timeout=seconds, check=False,
            cwd=self.top, env=self.environment(), **self.user)
        if check and done.returncode != 0:
            raise AssertionError("%s: %s" % (
                text, done.stderr.decode(errors="replace")))
        return done.stdout.decode().strip()

    def stop(self, sig=signal.SIGINT):
        """SIGINT: fast shutdown; SIGKILL of them all: as when power fails."""
        if not self.running():
            return
        if sig == signal.SIGKILL:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            # What served a connection may be in a group of its own.
            for pid in self.children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self.process.send_signal(sig)
            self.process.wait(60)

    def children(self):
        done = subprocess.run(["pgrep", "-P", str(self.process.pid)],
                              capture_output=True, check=False)
        return [int(pid) for pid in done.stdout.split()]

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal_all(self, sig):
        for pid in [self.process.pid] + self.children():
            # One may have ended since.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)


# ---- a store for each site --------------------------------------------------

class Shared:
    """The PostgreSQL of the whole run."""

    server = None
    numbers = itertools.count(1)

    @classmethod
    def get(cls):
        if cls.server is None:
            # In memory where there is room: fsync stays on, for `db check`
            # says so if it is off.
            shm = shutil.disk_usage("/dev/shm").free > 1 << 30 if \
                os.path.isdir("/dev/shm") else False
            top = tempfile.mkdtemp(prefix="dk-store-",
                                   dir="/dev/shm" if shm else "/tmp")
            os.chmod(top, 0o755)
            user = server_user()
            if os.getuid() == 0:
                os.chown(top, user.pw_uid, user.pw_gid)
            atexit.register(cls.close, top)
            cls.server = Postgres(top)
            cls.server.make().start()
        return cls.server

    @classmethod
    def close(cls, top):
        if cls.server is not None:
            cls.server.stop()
        shutil.rmtree(top, ignore_errors=True)


def on_postgres():
    return os.environ.get("STORE", "sqlite") == "postgres"


class SqliteStore:
    """A file."""

    name = "SQLite"

    def __init__(self, box):
        self.box = box
        self.address = box.path("var", "dk.db")

    def lines(self):
        return "database = " + self.address

    def sql(self, text, *options):
        done = self.box.run(
            [have("sqlite3") or "sqlite3", *options, "-cmd",
             ".timeout 5000", self.address, text])
        return done.stdout.decode().strip()

    def rows(self, text):
        """The same with each value told apart: NULL, texts, numbers."""
        return self.sql(text, "-quote")

    def leaks(self, secrets):
        """The file lies in the sandbox, which is searched as a whole."""
        return []

    def tables(self):
        return self.sql("SELECT name FROM sqlite_master WHERE type='table'"
                        " AND name NOT LIKE 'sqlite_%' ORDER BY 1").split("\n")

    def columns(self, table):
        return self.sql("SELECT group_concat(name) FROM "
                        "pragma_table_info('%s')" % table).split(",")


class PostgresStore:
    """A database of its own in a server."""

    name = "PostgreSQL"

    def __init__(self, box, server=None):
        self.server = server or Shared.get()
        self.directory = box.path("var")
        self.database = "dk%d" % next(Shared.numbers)
        self.server.sql("CREATE DATABASE " + self.database)
        self.address = self.server.address(self.database)

    def seen_from(self, box):
        """The same for another host, which keeps files of its own."""
        store = copy.copy(self)
        store.directory = box.path("var")
        return store

    def lines(self):
        return "database = %s\ndirectory = %s" % (self.address,
                                                  self.directory)

    def sql(self, text, *options):
        return self.server.sql(text, self.database, options=options)

    def rows(self, text):
        return self.sql(text, "-P", "null=NULL")

    def leaks(self, secrets):
        """Secrets that stand in the database, whoever put them there."""
        if not self.server.running():
            return []
        dump = self.server.tool("pg_dump", "-d", self.address).stdout
        return ["the database holds a " + what for needle, what
                in secrets.needles.items() if needle in dump]

    def tables(self):
        return self.sql(
            "SELECT table_name FROM information_schema.tables WHERE "
            "table_schema = 'public' AND table_type = 'BASE TABLE' AND "
            "table_name <> 'doorkeep_schema' ORDER BY 1").split("\n")

    def columns(self, table):
        return self.sql(
            "SELECT column_name FROM information_schema.columns WHERE "
            "table_schema = 'public' AND table_name = '%s' "
            "ORDER BY ordinal_position" % table).split("\n")


def store_for(box):
    return PostgresStore(box) if on_postgres() else SqliteStore(box)
