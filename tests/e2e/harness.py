"""What every test here stands on: a report, a place of its own on the disk,
processes that are stopped by their id, and a look for secrets at the end."""

import base64
import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PASSWORD = "lantern %s harbour" % os.urandom(4).hex()  # new in every run
LONG = bool(os.environ.get("DK_LONG"))  # the long form (tests/long/)


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def build_dir():
    """Where the programs are: BUILD, else build/ in the source."""
    return os.path.abspath(os.environ.get("BUILD",
                                          os.path.join(SOURCE, "build")))


# ---- the report -----------------------------------------------------------

class Report:
    """One line for each case; the totals come at the very end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def line(self, good, name, note=""):
        number = self.passed + self.failed + self.skipped
        word = "ok" if good else "not ok"
        print("%s %d - %s%s" % (word, number, name, note), flush=True)

    def case(self, name, ids="", sandbox=None):
        return Case(self, name, ids, sandbox)

    def ok(self, name):
        self.passed += 1
        self.line(True, name)

    def fail(self, name, why, sandbox=None):
        self.failed += 1
        self.line(False, name)
        for text in why.rstrip().split("\n"):
            print("#   " + text)
        if sandbox is not None and not sandbox.logs_shown:
            sandbox.logs_shown = True
            sandbox.show_logs()
        sys.stdout.flush()

    def skip(self, name, why):
        self.skipped += 1
        self.line(True, name, " # SKIP " + why)


class Case:
    """with report.case("lighttpd: wrong password is refused", "DK-L-02"):"""

    def __init__(self, report, name, ids, sandbox):
        self.report, self.sandbox = report, sandbox
        self.quiet = False  # set: counts only if it fails
        self.name = "%s [%s]" % (name, ids) if ids else name

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            if not self.quiet:
                self.report.ok(self.name)
        elif issubclass(kind, Skip):
            self.report.skip(self.name, str(value))
        elif issubclass(kind, Exception):
            self.report.fail(self.name, where(value, trace), self.sandbox)
        else:
            return False
        return True


def where(value, trace):
    """The message and the lines of the tests that led there."""
    lines = ["%s: %s" % (type(value).__name__, value)]
    for frame in traceback.extract_tb(trace):
        if frame.filename.startswith(HERE) and \
                not frame.filename.endswith("harness.py"):
            lines.append("%s:%d: %s" % (os.path.basename(frame.filename),
                                        frame.lineno, frame.line))
    return "\n".join(lines[:1] + lines[:0:-1][:3])


def eq(got, want, what="value"):
    if got != want:
        raise AssertionError("%s is %r, not %r" % (what, got, want))


def true(good, what):
    if not good:
        raise AssertionError(what)


def one_of(got, wanted, what="value"):
    if got not in wanted:
        raise AssertionError("%s is %r, none of %r" % (what, got, wanted))


# ---- secrets of the run ------------------------------------------------------

class Secrets:
    """Everything that must stand in no file, log or page (DK-E-05, DK-P-11)."""

    def __init__(self):
        self.needles = {}

    def add(self, text, what):
        if len(text) >= 12:
            self.needles[text.encode()] = what

    def add_cookie(self, value):
        """Of UUID.SECRET the second half is the secret; in every spelling."""
        public, _, part = value.rpartition(".")
        if not public:
            return
        self.add(part, "session secret")
        try:
            raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except ValueError:
            return
        if len(raw) < 16:
            return
        self.needles[raw] = "session secret (raw)"
        self.needles[raw.hex().encode()] = "session secret (hex)"
        self.needles[base64.b64encode(raw).rstrip(b"=")] = \
            "session secret (base64)"

    def search(self, top):
        """Paths below top that hold a secret, as (path, what)."""
        found = []
        for folder, dirs, names in os.walk(top):
            if folder == top:
                dirs.remove("bin")
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path) or os.path.islink(path):
                    continue
                with open(path, "rb") as f:
                    data = f.read()
                found += [(path, what) for needle, what
                          in self.needles.items() if needle in data]
        return found


# ---- a place, and processes in it -------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    """Poll until condition() is true; its value is returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %g s in vain: %s" % (seconds, what))
        time.sleep(0.02)


def port_answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


def socket_answers(path):
    """Somebody listens there; an old socket file alone does not do."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


def server_user():
    """Who the servers run as: root gives up its rights, others keep theirs."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    try:
        return pwd.getpwnam("www-data")
    except KeyError:
        return pwd.getpwnam("nobody")


def have(program):
    """Full path of a program, also of those that only root has in PATH."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    return shutil.which(program, path=path)


def need(*programs):
    for program in programs:
        if not have(program):
            raise Skip(program + " is not installed")


class Sandbox:
    """A temporary directory owned by the servers' user, with the programs
    copied into it, and the processes started in it."""

    def __init__(self, name, secrets):
        self.secrets, self.logs_shown = secrets, False
        self.running = []
        self.user = server_user()
        # Short, or the sockets' paths grow too long (unix(7)).
        self.dir = tempfile.mkdtemp(prefix="dk-%s-" % name[:24], dir="/tmp")
        os.chmod(self.dir, 0o755)
        for sub in ("bin", "etc", "var", "log", "run", "tmp", "htdocs"):
            os.mkdir(self.path(sub), 0o755)
        for name in ("doorkeep", "doorkeep.fcgi", "todos.cgi",
                     "db_postgres.so"):
            built = os.path.join(build_dir(), name)
            if os.path.exists(built):
                shutil.copy2(built, self.path("bin", name))
        self.own(self.dir)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def shipped(self, name):
        """A file or directory of the source where the servers' user can read
        it: the source may lie where only root can."""
        to = self.path("share", name)
        if not os.path.exists(to):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            copy = shutil.copytree if os.path.isdir(
                os.path.join(SOURCE, name)) else shutil.copy2
            copy(os.path.join(SOURCE, name), to)
            self.own(self.path("share"))
        return to

    def own(self, top):
        """Give everything below top to the servers' user."""
        if os.getuid() != 0:
            return
        for folder, dirs, names in os.walk(top):
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
            for name in names:
                # What runs may remove a journal of its own meanwhile.
                with contextlib.suppress(FileNotFoundError):
                    os.chown(os.path.join(folder, name), self.user.pw_uid,
                             self.user.pw_gid, follow_symlinks=False)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        self.own(self.dir)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def as_user(self):
        if os.getuid() != 0:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid,
                "extra_groups": []}

    def environment(self, more=None):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
               "HOME": self.dir, "TMPDIR": self.path("tmp"), "LANG": "C"}
        env.update(more or {})
        return env

    def start(self, argv, log, env=None, cwd=None, exact_env=None):
        """Start a process in a session of its own; stop() ends it."""
        with open(self.path("log", log), "ab") as out:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=cwd or self.dir, start_new_session=True,
                env=self.environment(env) if exact_env is None else exact_env,
                **self.as_user())
        self.running.append(process)
        return process

    def start_on_fd(self, argv, log, listener, env=None):
        """The same with a listening socket as standard input."""
        with open(self.path("log", log), "ab") as out:
            process = subprocess.Popen(
                argv, stdin=listener, stdout=out, stderr=out, cwd=self.dir,
                start_new_session=True, env=self.environment(env),
                **self.as_user())
        self.running.append(process)
        return process

    def run(self, argv, stdin="", env=None, timeout=60, cwd=None, check=True,
            exact_env=None):
        done = subprocess.run(
            argv, input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True, timeout=timeout, cwd=cwd or self.dir,
            env=self.environment(env) if exact_env is None else exact_env,
            check=False, **self.as_user())
        if check and done.returncode != 0:
            raise AssertionError("%s: exit %d: %s" % (
                " ".join(argv), done.returncode,
                (done.stderr + done.stdout).decode(errors="replace")))
        return done

    def stop(self, process, sig=signal.SIGTERM, seconds=15):
        """End a process and what is left of its session.  Its exit status."""
        if process.poll() is None:
            process.send_signal(sig)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
                raise AssertionError("%s did not stop within %d s" %
                                     (process.args[0], seconds)) from None
            finally:
                self._end_session(process)
        self._end_session(process)
        if process in self.running:
            self.running.remove(process)
        return process.returncode

    @staticmethod
    def _end_session(process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def close(self):
        problems = []
        for process in reversed(list(self.running)):
            try:
                self.stop(process)
            except AssertionError as e:
                problems.append(str(e))
        leaked = self.secrets.search(self.dir)
        if os.environ.get("KEEP"):
            print("# kept: " + self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        return problems + ["%s holds a %s" % (os.path.relpath(p, self.dir), w)
                           for p, w in leaked]

    def show_logs(self, lines=8):
        folder = self.path("log")
        for name in sorted(os.listdir(folder)):
            text = self.read(os.path.join("log", name)).split("\n")
            for line in text[-lines:]:
                if line:
                    print("#   %s: %s" % (name, line[:400]))


def children_of(pid):
    """Process ids of the direct children."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8",
                      errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        rest = text.rpartition(")")[2].split()
        if int(rest[1]) == pid and rest[0] != "Z":
            found.append(int(name))
    return found


def matches(pattern, text):
    return re.search(pattern, text) is not None
