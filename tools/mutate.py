#!/usr/bin/env python3
"""Break the code and see whether a test notices.

usage: mutate.py [-b FOLDER] planted [NAME...]
       mutate.py [-b FOLDER] sample [COUNT [SEED]]

planted: each fault of tests/planted.txt, or those named, is made in a copy of
the sources, and the test that stands beside it must fail; first all of these
tests must pass.

sample: COUNT (default 60) small changes in src/domain and src/http (a
condition negated, && for ||, a bound moved by one, a call left out, an error
or an answer turned round), chosen by SEED (default 1) and by nothing else, are
tried by the unit tests of the file, then by the other tests of its room and
the pages.  What no test notices must be in tests/mutants_accepted.txt with a
reason; everything there must still be unnoticed when it is tried.

FOLDER (default: doorkeep-mutate in $TMPDIR or /tmp) takes the copy and the
build.  The last line is "N passed, N failed"; exit 1 when one failed.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOMS = ("domain", "http")
# What a room's tests do not say is often said by the pages'.
PAGES = ["tests/web/test_web", "tests/web/test_account", "tests/web/test_gate",
         "tests/web/test_admin", "fuzz/replay_app"]
LIMIT_S = 120


class Tree:
    """A copy of the sources, with a build of its own."""

    def __init__(self, folder):
        self.top = os.path.join(folder, "tree")
        self.build = os.path.join(folder, "build")
        self.copy()
        if not os.path.exists(os.path.join(self.build, "config.status")):
            self.configure()

    def copy(self):
        listed = subprocess.run(
            ["git", "-C", TOP, "ls-files", "-z", "-c", "-o",
             "--exclude-standard"], stdout=subprocess.PIPE, check=True).stdout
        for name in listed.decode().split("\0"):
            if name == "" or name.startswith(("bench/", "doc/", "tests/e2e/")):
                continue
            source, to = os.path.join(TOP, name), os.path.join(self.top, name)
            if not os.path.isfile(source):
                continue
            os.makedirs(os.path.dirname(to), exist_ok=True)
            # Unchanged files keep their time, and make its work.
            if not os.path.exists(to) or read(source) != read(to):
                shutil.copyfile(source, to)
                shutil.copymode(source, to)
        # What automake asks for and no test needs.
        for name in ("doc", "bench", "tests/e2e"):
            os.makedirs(os.path.join(self.top, name), exist_ok=True)

    def configure(self):
        os.makedirs(self.build, exist_ok=True)
        for command, place in ((["autoreconf", "-fi"], self.top),
                               ([os.path.join(self.top, "configure"), "-q",
                                 "CFLAGS=-g -O0"], self.build)):
            done = subprocess.run(command, cwd=place, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            if done.returncode != 0:
                sys.exit(done.stdout.decode(errors="replace"))

    def make(self, tests):
        """True when they could be built."""
        return subprocess.run(
            ["make", "-s", "-j2", "src/store/queries.h",
             "src/words/messages.h"] + tests, cwd=self.build,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            ).returncode == 0

    def passes(self, test):
        env = dict(os.environ, srcdir=self.top, builddir=self.build,
                   LC_ALL="C")
        try:
            return subprocess.run(
                [os.path.join(self.build, test)], cwd=self.build, env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=LIMIT_S).returncode == 0
        except subprocess.TimeoutExpired:
            return False


class Changed:
    """A file of the tree with another text, while the block runs."""

    def __init__(self, tree, name, text):
        self.path = os.path.join(tree.top, name)
        self.text = text

    def __enter__(self):
        self.before = read(self.path)
        write(self.path, self.text)

    def __exit__(self, *_):
        write(self.path, self.before)


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)


# ---- planted faults ---------------------------------------------------------

def read_planted():
    """Blocks of `name`, `test`, `file`, `from` and `to` lines."""
    faults, fault = [], {}
    for line in read(os.path.join(TOP, "tests/planted.txt")).split("\n") + [""]:
        if line.startswith("#"):
            continue
        if line.strip() == "":
            if fault:
                faults.append(fault)
            fault = {}
            continue
        if line.startswith("\t"):
            fault[key] += "\n" + line
            continue
        key, _, fault_text = line.partition(": ")
        fault[key] = fault_text
    return faults


def planted(tree, names):
    faults = [f for f in read_planted() if not names or f["name"] in names]
    unknown = set(names) - {f["name"] for f in faults}
    if unknown:
        sys.exit("mutate.py: no such fault: " + ", ".join(sorted(unknown)))
    passed, failed = 0, 0
    tests = sorted({f["test"] for f in faults})
    if not tree.make(tests):
        sys.exit("mutate.py: the tests do not build")
    for test in tests:
        if not tree.passes(test):
            print("not ok - %s fails without a fault" % test)
            failed += 1
    for f in faults:
        text = read(os.path.join(tree.top, f["file"]))
        if text.count(f["from"]) != 1:
            print("not ok - %s: %s holds the line %d times" %
                  (f["name"], f["file"], text.count(f["from"])))
            failed += 1
            continue
        with Changed(tree, f["file"], text.replace(f["from"], f["to"])):
            built = tree.make([f["test"]])
            found = built and not tree.passes(f["test"])
        print("%s - %s: %s %s" % (
            "ok" if found else "not ok", f["name"], f["test"],
            "notices" if found else
            "does not notice" if built else "cannot be built with it"),
            flush=True)
        passed, failed = passed + found, failed + (not found)
    return passed, failed


# ---- a sample of mutants ----------------------------------------------------

SWAPS = [(r"(?<=[^=!<>])==(?=[^=])", "!="), (r"!=", "=="),
         (r" <(?= )", " <="), (r" <=(?= )", " <"), (r" >(?= )", " >="),
         (r" >=(?= )", " >"), (r"&&", "||"), (r"\|\|", "&&"),
         (r" \+ 1\b(?!\d)", ""), (r" - 1\b(?!\d)", ""),
         (r"\breturn true;", "return false;"),
         (r"\breturn false;", "return true;"),
         (r"\breturn err;", "return DK_OK;"),
         (r"(?<=[( ])!(?=[a-z_(])", ""),
         (r"\bif \((?=[^\n]*\)$)", "if (1 || ("),
         (r"^\t+(?!return|goto|break|continue|else|case|\(void\))"
          r"[a-z_]+\([^;=]*\);$", "\t;")]


def without_text(line):
    """The line with what is within quotes made blank, of the same length."""
    return re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'',
                  lambda m: '"' + " " * (len(m.group()) - 2) + '"', line)


def mutants_of(name, text):
    inside, comment = False, False
    for number, line in enumerate(text.split("\n")):
        if line == "{":
            inside = True
        elif line == "}":
            inside = False
        bare = without_text(line)
        if "/*" in bare:
            comment = True
        skip = comment or not inside or "assert(" in bare
        if "*/" in bare:
            comment = False
        if skip:
            continue
        for rule, (pattern, to) in enumerate(SWAPS):
            for n, m in enumerate(re.finditer(pattern, bare)):
                changed = line[:m.start()] + to + line[m.end():]
                if to.startswith("if (1"):
                    changed += ")"
                yield {"file": name, "number": number, "line": line.strip(),
                       "to": changed, "key": "%s|%s|%d|%d" % (
                           name, line.strip(), rule, n)}


def all_mutants():
    for room in ROOMS:
        folder = os.path.join(TOP, "src", room)
        for name in sorted(os.listdir(folder)):
            if name.endswith(".c"):
                path = "src/%s/%s" % (room, name)
                yield from mutants_of(path, read(os.path.join(TOP, path)))


def tests_for(tree, name):
    """Of the file itself, then of its room, then the pages'."""
    room, stem = name.split("/")[1], name.split("/")[2][:-2]
    known = re.findall(r"^\t((?:tests|fuzz)/\S+)",
                       read(os.path.join(tree.top, "Makefile.am")), re.M)
    known = [t.rstrip("\\").strip() for t in known]
    known = [t for t in known if "/test_" in t or "/replay_" in t]
    own = [t for t in known if re.search(
        r"/(test|replay)_%s(_|$)" % stem, t)]
    room = [t for t in known if t.startswith("tests/%s/" % room)]
    return [own, [t for t in room if t not in own],
            [t for t in PAGES if t not in own]]


def read_accepted():
    accepted = {}
    for line in read(os.path.join(
            TOP, "tests/mutants_accepted.txt")).split("\n"):
        if line and not line.startswith(("#", "\t")):
            accepted[line] = True
    return accepted


def try_mutant(tree, m):
    """ "killed by TEST", "does not build" or None."""
    lines = read(os.path.join(tree.top, m["file"])).split("\n")
    lines[m["number"]] = m["to"]
    with Changed(tree, m["file"], "\n".join(lines)):
        for tests in tests_for(tree, m["file"]):
            if tests and not tree.make(tests):
                return "does not build"
            for test in tests:
                if not tree.passes(test):
                    return "killed by " + test
    return None


def sample(tree, count, seed):
    mutants = sorted(all_mutants(), key=lambda m: hashlib.sha256(
        ("%s|%s" % (seed, m["key"])).encode()).digest())
    accepted = read_accepted()
    print("%d mutants, %d of them tried, seed %s" % (
        len(mutants), min(count, len(mutants)), seed))
    passed, failed, void = 0, 0, 0
    for m in mutants:
        if passed + failed >= count:
            break
        result = try_mutant(tree, m)
        where = "%s:%d: %s -> %s" % (m["file"], m["number"] + 1, m["line"],
                                     m["to"].strip())
        if result == "does not build":
            void += 1
            continue
        known = m["key"] in accepted
        good = known != (result is not None)
        print("%s - %s: %s" % ("ok" if good else "not ok", where,
                               result or ("survives, as accepted" if known
                                          else "survives")), flush=True)
        if not good:
            print("#   key: " + m["key"])
        passed, failed = passed + good, failed + (not good)
    print("%d that do not build are not counted" % void)
    return passed, failed


def main(args):
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), "doorkeep-mutate")
    if args[:1] == ["-b"] and len(args) > 1:
        folder, args = args[1], args[2:]
    if not args or args[0] not in ("planted", "sample"):
        print(__doc__, file=sys.stdout if "--help" in args else sys.stderr)
        return 0 if "--help" in args else 2
    tree = Tree(os.path.abspath(folder))
    if args[0] == "planted":
        passed, failed = planted(tree, args[1:])
    else:
        passed, failed = sample(
            tree, int(args[1]) if len(args) > 1 else 60,
            args[2] if len(args) > 2 else "1")
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
