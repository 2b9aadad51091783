"""The command line as an administrator uses it, beside a running service."""

import base64
import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from harness import PASSWORD, eq, matches, true, wait_for
from records import Alone
from store import on_postgres

OTHER = PASSWORD + " anew"


def sha(text):
    """As htpasswd -s does it."""
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


class CommandLine:
    def __init__(self, stand, report):
        self.stand, self.report = stand, report

    def case(self, name, ids=""):
        return self.report.case("command line: " + name, ids, self.stand.box)

    def do(self, *args, **options):
        done = self.stand.admin(*args, check=False, **options)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def good(self, *args, **options):
        code, out, err = self.do(*args, **options)
        eq((code, err), (0, ""), " ".join(args))
        return out

    def refused(self, *args, status=1, says="", **options):
        code, out, err = self.do(*args, **options)
        eq(code, status, " ".join(args) + ": " + err)
        eq(out, "", " ".join(args) + ": stdout")
        true(err.startswith("doorkeep: "), "stderr: " + err)
        true(matches(says, err), "%s says %r" % (" ".join(args), err))
        return err

    def value(self, *args):
        return json.loads(self.good(*args, "--json"))

    def run(self):
        for name in sorted(dir(self)):
            if name.startswith("test_"):
                getattr(self, name)()

    # ---- help and misuse ----
    def lists(self):
        """Filters: what is listed is what is ended."""
        self.good("user", "add", "ivan", "--name", "Petrow, Ivan",
                  "--group", "rowers")
        self.good("user", "add", "iris", "--email", "pet@example.org")
        names = [u["username"] for u in self.value("user", "list")]
        eq(names, sorted(names), "order")
        for args, want in (
                (("--search", "PET"), ["iris", "ivan"]),
                (("--search", "petrow"), ["ivan"]),
                (("--group", "rowers"), ["ivan"]),
                (("--group", "rowers", "--search", "iv"), ["ivan"]),
                (("--search", "petro%"), []),
                (("--limit", "2"), names[:2]),
                (("--limit", "2", "--after", names[1]), names[2:4])):
            eq([u["username"] for u in self.value("user", "list", *args)],
               want, "user list " + " ".join(args))
        self.good("user", "disable", "ivan")
        eq([u["username"] for u in self.value("user", "list", "--disabled")],
           ["ivan"], "disabled")
        for name in ("ivan", "iris"):
            self.good("user", "delete", name)
        self.refused("user", "list", "--limit", "0", status=2, says="no number")
        self.refused("session", "list", "--address", "x", status=2,
                     says="no IP address")
        for _ in range(3):
            eq(self.sign_in("alice", PASSWORD), 200, "sign-in")
        for args, want in (((), 3), (("--user", "alice"), 3),
                           (("--address", "127.0.0.1"), 3),
                           (("--address", "127.0.0.2"), 0),
                           (("--older", "1h"), 0), (("--newer", "1h"), 3),
                           (("--limit", "2"), 2)):
            eq(len(self.value("session", "list", *args)), want,
               "session list " + " ".join(args))
        eq(self.value("session", "revoke", "--user", "alice", "--older",
                      "1h"), {"ended": 0}, "ended")
        eq(self.value("session", "revoke", "--address", "127.0.0.1",
                      "--newer", "1h"), {"ended": 3}, "ended")
        last = [json.loads(line) for line in self.good(
            "events", "--lines", "--event", "session_revoked",
            "--outcome", "success").splitlines()][-1]
        true(last["detail"].startswith("3 sessions, from 127.0.0.1, since 2"),
             last["detail"])
        eq(self.value("events", "--until", "1h"), [], "events of long ago")
        eq({e["ip"] for e in self.value("events", "--address", "127.0.0.1")},
           {"127.0.0.1"}, "addresses")
        stats = self.value("stats")
        eq(len(stats["pieces"]), 24, "hours")
        eq(stats["sign_ins"], len(self.value(
            "events", "--event", "sign_in", "--outcome", "success")),
           "sign-ins")
        eq(stats["sessions"], 0, "sessions")
        eq(len(self.value("stats", "--span", "month")["pieces"]), 30, "days")
        true("SIGN-INS" in self.good("stats", "--span", "week"), "table")
        self.refused("stats", "--span", "year", status=2, says="day, week")

    def test_a_help(self):
        with self.case("help names every command; each explains itself",
                       "DK-Z-09"):
            text = self.good("help")
            eq(self.good("--help"), text, "--help")
            commands = re.findall(r"^  (\w+(?: \w+)?)", text, re.M)
            true(len(commands) >= 25, "commands: %r" % commands)
            nouns = {"init", "doctor", "events", "stats", "explain", "serve", "version", "help"}
            for command in commands:
                words = command.split()
                if words[0] in nouns:
                    words = words[:1]
                out = self.good(*words, "--help")
                true(out.startswith("usage: doorkeep " + " ".join(words)),
                     out)
                eq(self.good("help", *words), out, "help " + command)
                for line in out.split("\n"):
                    true(len(line) <= 110, "long line: " + line)
            eq(self.good("version"), "doorkeep 0.1.0\n", "version")
            eq(self.good("--version"), "doorkeep 0.1.0\n", "--version")
            eq(self.value("version"), {"version": "0.1.0"}, "version")
        with self.case("misuse is told apart, with its cure", "DK-Z-09"):
            for args, says in (
                    ((), "say what to do"),
                    (("frob",), 'no command "frob"'),
                    (("user",), "say what to do"),
                    (("user", "frob"), 'no "user frob"'),
                    (("user", "add"), "NAME is missing"),
                    (("user", "add", "a", "b"), "one argument too many"),
                    (("user", "add", "a", "--frob"), "no option --frob"),
                    (("user", "list", "--email", "x"), "no option --email"),
                    (("user", "add", "a", "--name"), "needs a value"),
                    (("user", "add", "a", "--name", "x", "--name", "y"),
                     "given twice"),
                    (("user", "list", "-x"), "begin with --"),
                    (("user", "add", "a", "--password-stdin=x"),
                     "takes no value"),
                    (("session", "revoke"), "give one of"),
                    (("session", "revoke", "--all", "--user", "alice"),
                     "give one of"),
                    (("events", "--since", "soon"), "no span of time"),
                    (("serve",), "--listen is missing"),
                    (("serve", "--listen", "0.0.0.0:9000"), "nothing else"),
                    (("serve", "--listen", "unix:relative"), "absolute"),
                    (("serve", "--listen", "unix:/tmp/x,mode=0666"),
                     "nothing for others"),
                    (("serve", "--listen", "fd:0"), "no listening socket"),
                    (("user", "passwd", "a", "--link", "--must-change"),
                     "exclude"),
                    (("serve", "--listen", "unix:/tmp/x", "--workers", "0"),
                     "from 1 to"),
                    (("explain", "not-a-url"), "neither a path nor a URL"),
                    (("init",), "--origin is missing")):
                self.refused(*args, status=2, says=says)

    # ---- users ----
    def test_b_users(self):
        with self.case("users are added, shown, changed and deleted",
                       "DK-L-12 DK-L-13 DK-W-13 DK-S-14 DK-Z-09"):
            out = self.good("user", "add", "Carol", "--password-stdin",
                            "--name", "Carol Müller", "--email",
                            "carol@example.org", "--group", "staff",
                            "--group", "editors", stdin=PASSWORD + "\n")
            eq(out, "Added Carol.\n", "said")
            show = self.value("user", "show", "cAROL")
            eq((show["username"], show["display_name"], show["email"],
                show["groups"], show["disabled"], show["sessions"]),
               ("Carol", "Carol Müller", "carol@example.org",
                ["editors", "staff"], False, 0), "show")
            true("Carol Müller" in self.good("user", "show", "carol"), "text")
            names = [u["username"] for u in self.value("user", "list")]
            eq(names, ["alice", "Carol"], "list")
            true("Carol" in self.good("user", "list"), "list as text")
            self.refused("user", "add", "CAROL", "--password-stdin",
                         stdin=PASSWORD, says="already")
            for name in ("", " x", "a b", "ａlice", "al​ice", "x" * 65,
                         ".dot", "a/b", "a'b"):
                self.refused("user", "add", name, "--password-stdin",
                             stdin=PASSWORD, says="no user name")
            self.refused("user", "show", "nobody", says="no user")
            eq(self.good("user", "groups", "carol"), "editors\nstaff\n",
               "groups")
            eq(self.value("user", "groups", "carol", "--add", "board",
                          "--remove", "staff")["groups"],
               ["board", "editors"], "changed groups")
            self.refused("user", "groups", "carol", "--add", "no group",
                         says="no group name")
        with self.case("a password is refused with the reason; one newline "
                       "goes", "DK-W-01 DK-W-08 DK-P-11"):
            before = self.good("user", "list")
            for text, says in (("short\n", "15"), ("\n", "no password"),
                               ("", "no password"),
                               ("carol2carol2ca\0l2", "text|character"),
                               ("x" * 1025, "longer than 1024 bytes"),
                               ("\xe4" * 5 + "\n", "15")):
                self.refused("user", "add", "dave", "--password-stdin",
                             stdin=text, says=says)
            eq(self.good("user", "list"), before, "users")
            self.good("user", "passwd", "carol", "--password-stdin",
                      stdin=OTHER + "\n")
            eq(self.sign_in("carol", OTHER), 200, "the new one")
            eq(self.sign_in("carol", PASSWORD), 401, "the old one")

    def test_c_state(self):
        stand = self.stand
        with self.case("disabled at once, enabled again, deleted",
                       "DK-S-12 DK-T-07 DK-R-06"):
            eq(self.sign_in("carol", OTHER), 200, "sign-in")
            eq(len(self.value("session", "list", "--user", "carol")), 2,
               "sessions")
            self.good("user", "disable", "carol")
            eq(self.value("session", "list", "--user", "carol"), [],
               "sessions")
            eq(self.sign_in("carol", OTHER), 401, "disabled")
            self.good("user", "enable", "carol")
            eq(self.sign_in("carol", OTHER), 200, "enabled")
            self.good("user", "delete", "carol")
            eq(self.sign_in("carol", OTHER), 401, "deleted")
            eq(stand.sql("SELECT count(*) FROM user_groups"), "0", "groups")
        with self.case("a user without a password gets a link that works "
                       "once", "DK-W-13 DK-R-02 DK-R-03 DK-R-09 DK-R-10"):
            link = self.value("user", "add", "erin")["link"]
            true(link.startswith(stand.origin + "/auth/set-password?token="),
                 link)
            token = link.partition("=")[2]
            true(token not in stand.dump(), "the store holds it")
            eq(self.sign_in("erin", ""), 401, "no password signs in")
            second = self.value("user", "passwd", "erin", "--link")["link"]
            true(second != link, "another link")
            true("Added frank." in self.good("user", "add", "frank"), "text")

    def test_d_unlock(self):
        with self.case("unlock forgets the wrong guesses", "DK-T-12"):
            status = 401
            for _ in range(40):
                status = self.sign_in("alice", "wrong wrong wrong wrong")
                if status == 429:
                    break
            eq(status, 429, "throttled in the end")
            eq(self.sign_in("alice", PASSWORD), 429, "the right one too")
            out = self.good("user", "unlock", "alice")
            true("try again at once" in out, out)
            eq(self.sign_in("alice", PASSWORD), 200, "after unlock")
            true("no wrong guesses" in self.good("user", "unlock", "frank"),
                 "nothing to forget")
            eq(self.value("user", "factor", "alice")["second_factor"], False,
               "factor")
            true("had no second factor" in self.good(
                "user", "factor", "alice", "--remove"), "remove")

    def sign_in(self, name, password):
        import fastcgi
        body = json.dumps({"username": name, "password": password}).encode()
        from records import sign_in
        params, body = sign_in(self.stand, body)
        self.answer = fastcgi.ask(self.stand.socket, params, body)
        return self.answer.status

    # ---- moving in ----
    def test_d_import(self):
        stand = self.stand
        with self.case("an htpasswd file and JSON lines move in, line by line",
                       "DK-P-02 DK-P-03 DK-P-04 DK-P-05"):
            text = ("# kept\n"
                    "sha:{SHA}%s\n"
                    "des:rqXexS6ZhobKA\n"
                    "plain:secret\n"
                    "star:*\n"
                    "nt:$3$$8846f7eaee8fb117ad06bdd830b7586c\n"
                    "dear:$6$rounds=999999999$saltsalt$%s\n"
                    "deep:$argon2id$v=19$m=4294967295,t=2,p=1$%s$%s\n"
                    "a b:{SHA}%s\n"
                    "rubbish\n"
                    '{"username":"json","display_name":"J. Son",'
                    '"email":"j@example.org","groups":["staff"],'
                    '"disabled":true}\n'
                    '{"username":"json","username":"twice"}\n'
                    '{"username":"list","groups":[1]}\n'
                    "alice:{SHA}%s\n") % (
                        sha(PASSWORD), "x" * 86, "c2FsdHNhbHRzYWx0c2FsdA",
                        "A" * 43, sha("x"), sha("x"))
            name = stand.box.write("etc/htpasswd", text)
            code, out, err = self.do("user", "import", name)
            eq((code, err), (1, ""), "some are refused")
            lines = out.strip().split("\n")
            for start, says in (
                    ("2: sha: ", "added.*weak"), ("3: des: ", "no kind"),
                    ("4: plain: ", "no kind"), ("5: star: ", "no kind"),
                    ("6: nt: ", "no kind"), ("7: dear: ", "cost|no kind"),
                    ("8: deep: ", "cost|no kind"), ("9: a b: ", "no user"),
                    ("10: ", "neither"), ("11: json: ", "added"),
                    ("12: ", "valid JSON"), ("13: ", "string"),
                    ("14: alice: ", "already")):
                found = [line for line in lines if line.startswith(start)]
                eq(len(found), 1, start + out)
                true(matches(says, found[0]), found[0])
            eq(lines[-1].split(";")[0], "2 added, 0 replaced, 11 refused",
               "the sum")
            true(sha(PASSWORD) not in out and "secret" not in out, "a hash")
            show = self.value("user", "show", "json")
            eq((show["display_name"], show["groups"], show["disabled"],
                show["has_password"]), ("J. Son", ["staff"], True, False),
               "json")
        with self.case("the first sign-in replaces an imported hash",
                       "DK-P-02"):
            eq(self.sign_in("sha", "x" * 20), 401, "a wrong one")
            true(stand.sql("SELECT password_hash FROM users WHERE username ="
                           " 'sha'").startswith("{SHA}"), "still imported")
            eq(self.sign_in("sha", PASSWORD), 200, "the right one")
            true(stand.sql("SELECT password_hash FROM users WHERE username ="
                           " 'sha'").startswith("$argon2id$v=19$m=19456,t=2"),
                 "replaced")
            eq(self.sign_in("sha", PASSWORD), 200, "again")
        with self.case("--replace replaces, and ends the sessions"):
            name = stand.box.write("etc/more", "sha:{SHA}%s\n" % sha(OTHER))
            self.refused_import(name)
            rows = self.value("user", "import", name, "--replace")
            eq([r["outcome"] for r in rows], ["replaced"], "outcome")
            eq(self.value("session", "list", "--user", "sha"), [], "sessions")
            eq(self.sign_in("sha", PASSWORD), 401, "the old one")
            eq(self.sign_in("sha", OTHER), 200, "the new one")
            self.good("user", "delete", "sha")
            self.good("user", "delete", "json")
            self.refused("user", "import", "/nowhere", says="/nowhere")

    def refused_import(self, name):
        code, out, _ = self.do("user", "import", name)
        eq(code, 1, "exit status")
        true("stays as it is" in out, out)

    def test_d_must_change(self):
        with self.case("a compromised password signs nobody in", "DK-W-09"):
            self.good("user", "add", "heidi", "--password-stdin",
                      stdin=PASSWORD)
            eq(self.sign_in("heidi", PASSWORD), 200, "before")
            out = self.good("user", "passwd", "heidi", "--must-change")
            true("signed out everywhere" in out, out)
            eq(self.value("session", "list", "--user", "heidi"), [],
               "sessions")
            eq(self.sign_in("heidi", PASSWORD), 403, "JSON is told")
            true(b"password_change_required" in self.answer.body, "why")
            self.good("user", "passwd", "heidi", "--password-stdin",
                      stdin=OTHER)
            eq(self.sign_in("heidi", OTHER), 200, "with another one")
            self.stand.sql("UPDATE users SET must_change = 1 WHERE username"
                           " = 'heidi'")
            eq(self.sign_in("heidi", OTHER), 403, "set in the shell")
            self.good("user", "delete", "heidi")

    # ---- sessions, events, store ----
    def test_e_sessions(self):
        with self.case("sessions are listed and ended; what is printed opens "
                       "nothing", "DK-S-14 DK-S-03 DK-S-11"):
            self.good("session", "revoke", "--all")
            for _ in range(3):
                eq(self.sign_in("alice", PASSWORD), 200, "sign-in")
            rows = self.value("session", "list")
            eq(len(rows), 3, "sessions")
            eq(sorted(rows[0]), ["expires_at", "host", "id", "ip",
                                 "last_seen_at", "level", "remember",
                                 "signed_in_at", "user_agent", "username"],
               "members")
            text = self.good("session", "list", "--user", "alice")
            true(all(row["id"] in text for row in rows), "ids")
            out = self.good("session", "revoke", rows[0]["id"])
            eq(out, "1 session ended.\n", "said")
            self.refused("session", "revoke", rows[0]["id"],
                         says="no such session")
            self.refused("session", "revoke", "x", says="no session id")
            eq(self.value("session", "revoke", "--user", "alice"),
               {"ended": 2}, "of alice")
            eq(self.good("session", "purge"), "0 sessions purged.\n", "purge")
            self.lists()
        with self.case("every act is in the audit trail, with who did it",
                       "DK-E-03 DK-E-04"):
            events = self.value("events", "--since", "1h")
            names = {e["event"] for e in events}
            for name in ("user_added", "password_changed", "user_disabled",
                         "user_enabled", "user_deleted", "group_added",
                         "group_removed", "session_revoked", "sign_in",
                         "user_unlocked", "link_made"):
                true(name in names, name + " is missing in %r" % names)
            actor = [e["actor"] for e in events
                     if e["event"] == "user_added"][0]
            true(actor.startswith("cli:"), actor)
            mine = self.value("events", "--user", "ALICE")
            eq({e["username"] for e in mine}, {"alice"}, "of alice")
            true("sign_in" in self.good("events", "--user", "alice"), "text")
            true(PASSWORD not in json.dumps(events), "a password")

    def test_f_follow(self):
        with self.case("events --follow shows what happens meanwhile"):
            argv = [self.stand.box.path("bin", "doorkeep"), "events",
                    "--since", "1s", "--follow", "--json"]
            process = self.stand.box.start(
                argv, "follow.log", {"DOORKEEP_CONFIG":
                                     self.stand.config_file})
            time.sleep(1.2)
            self.good("user", "add", "grace")
            wait_for(lambda: '"grace"' in self.stand.box.read(
                "log/follow.log"), 5, "the event")
            for line in self.stand.box.read("log/follow.log").split("\n"):
                if line:
                    json.loads(line)
            self.stand.box.stop(process)

    def test_g_store(self):
        stand = self.stand
        with self.case("the store is checked and copied while it is in use",
                       "DK-Z-07 DK-Z-10 DK-G-10"):
            eq(self.good("db", "check"), "The store is sound.\n", "check")
            version = self.value("db", "version")
            eq(version["schema"], version["newest"], "schema")
            true(stand.store.name in self.good("db", "version"), "engine")
            true("is ready" in self.good("db", "migrate"), "migrate again")
            copy = stand.box.path("var", "copy.db")
            if on_postgres():
                self.refused("db", "backup", copy, says="pg_dump")
                return
            self.good("db", "backup", copy)
            eq(os.stat(copy).st_mode & 0o777, 0o600, "mode of the copy")
            count = subprocess.run(
                ["sqlite3", copy, "SELECT count(*) FROM users"],
                capture_output=True, text=True, check=True).stdout.strip()
            eq(count, stand.sql("SELECT count(*) FROM users"), "users")
            self.refused("db", "backup", copy, says="new file")
            os.unlink(copy)

    # ---- configuration ----
    def test_h_config(self):
        stand = self.stand
        with self.case("config show can be read in again; check finds faults",
                       "DK-G-10 DK-S-10"):
            shown = self.good("config", "show")
            true("idle_timeout = 1h" in shown, shown)
            true("# login.html: (built in)\n" in shown, shown)
            true("# languages: en de fr" in shown, shown)
            stand.box.write("ours/error.html", "<p>{{message}}")
            ours = stand.box.write(
                "etc/ours.conf", stand.config().replace(
                    "[store]", "templates = %s\n[store]" %
                    stand.box.path("ours")), 0o640)
            true("# error.html: %s\n" % stand.box.path("ours/error.html") in
                 self.good("config", "show", "--config", ours), "ours")
            again = stand.box.write("etc/again.conf", shown, 0o640)
            true("# default\n" not in self.good(
                "config", "show", "--config", again), "all is set now")
            true("is good" in self.good("config", "check"), "check")
            eq(self.value("config", "check"), {"good": True}, "check")
            items = self.value("config", "show")
            eq([i["value"] for i in items if i["key"] == "touch_interval"],
               ["60s"], "an item")
            wrong = stand.box.write("etc/wrong.conf", stand.config() +
                                    "[session]\nidle_timeout = soon\n", 0o640)
            self.refused("config", "check", "--config", wrong,
                         says=r"wrong\.conf:\d+: idle_timeout is no time")
            os.chmod(wrong, 0o666)
            wrong = stand.box.write("etc/wrong.conf", stand.config(), 0o666)
            self.refused("config", "check", "--config", wrong,
                         says="chmod 0640")
            for key, value, says in (
                    ("templates", stand.box.path("pages"),
                     r"pages/login\.html:1: {{wrong}}"),
                    ("stylesheet", "/nowhere.css", r"/nowhere\.css: must be"),
                    ("logo", stand.config_file, "no SVG, PNG or JPEG")):
                stand.box.write("pages/login.html", "<p>{{wrong}}")
                wrong = stand.box.write(
                    "etc/wrong.conf", stand.config().replace(
                        "[store]", "%s = %s\n[store]" % (key, value)), 0o640)
                self.refused("config", "check", "--config", wrong, says=says)
            self.refused("serve", "--listen", "unix:/tmp/x", "--program",
                         "/nowhere", says="--program")
            self.refused("user", "list", "--config", "/nowhere.conf",
                         says="/nowhere.conf")

    def test_i_explain(self):
        with self.case("explain names the line that decides"):
            answer = self.value("explain", "/private/a?b=c")
            eq((answer["answer"], answer["rule"]),
               ("sign in first", "/private/ = any"), "anonymous")
            eq(self.value("explain", "/private/a", "--user", "alice")
               ["answer"], "allowed", "alice")
            self.refused("explain", "/private/", "--user", "alice",
                         "--level", "3", status=2, says="1 or 2")
            eq(self.value("explain", "/private/", "--user", "alice",
                          "--level", "2", "--method", "POST", "--from",
                          "192.0.2.1")["answer"], "allowed", "with all")
            answer = self.value("explain", self.stand.origin +
                                "/private/admins/", "--user", "alice")
            eq(answer["answer"], "denied", "admins")
            text = self.good("explain", "/elsewhere")
            true("no rule" in text and "denied" in text, text)
            true("page of doorkeep" in self.good("explain", "/auth/login"),
                 "own page")
            self.refused("explain", "/private//x", says="different ways")
            self.refused("explain", "https://other.example/",
                         says="no origin")

    def test_j_init(self):
        stand = self.stand
        with self.case("init writes a start, and never over anything",
                       "DK-G-10 DK-L-12"):
            conf = stand.box.path("etc", "new", "doorkeep.conf")
            base = stand.box.path("var", "new", "store.db")
            args = ("init", "--config", conf, "--database", base, "--origin",
                    "https://www.example.org", "--protect", "/reports/")
            for server, words in (("apache", "FcgidAccessChecker"),
                                  ("lighttpd", '"authorizer"'),
                                  ("nginx", "auth_request"),
                                  ("cgi", "Action doorkeep-files")):
                out = self.good(*args, "--server", server)
                true(words in out and conf in out or server == "nginx", out)
                true("/private" not in out, "names are filled in")
                eq(os.stat(base).st_mode & 0o777, 0o600, "mode of the store")
                eq(os.stat(conf).st_mode & 0o777, 0o640, "mode of the file")
                self.refused(*args, says="already")
                self.good("config", "check", "--config", conf)
                os.unlink(conf)
            out = stand.box.run(
                [stand.box.path("bin", "doorkeep"), *args[:1], *args[3:],
                 "--server", "apache", "--config", "here.conf"],
                cwd=stand.box.path("etc")).stdout.decode()
            true("DOORKEEP_CONFIG  " + stand.box.path("etc", "here.conf")
                 in out, "a whole path: " + out)
            for change, says in (
                    (("--origin", "www.example.org"), "nothing is written"),
                    (("--origin", "https://a.b/c"), "nothing is written"),
                    (("--origin", "https://a\n[log]"), "one line")):
                self.refused("init", "--config", conf, "--database", base,
                             *change, status=2 if "line" in says else 1,
                             says=says)
                true(not os.path.exists(conf), "nothing is written")
            self.refused(*args, "--server", "iis", status=2, says="apache")
            for server, path, says in (
                    ("lighttpd", "/", "each with a --protect"),
                    ("nginx", "/a b/", "letters, digits"),
                    ("apache", "/a|b", "letters, digits"),
                    ("apache", "a/", "begins with /")):
                self.refused(*args, "--server", server, "--protect", path,
                             status=2, says=says)
                true(not os.path.exists(conf), "nothing is written")

    # ---- the terminal ----
    def test_k_terminal(self):
        with self.case("a password is asked for twice and never shown",
                       "DK-P-11 DK-Z-09"):
            eq(self.talk("grace", OTHER, OTHER), (0, True), "the same twice")
            eq(self.talk("grace", OTHER, PASSWORD), (1, True), "not the same")
            eq(self.sign_in("grace", OTHER), 200, "sign-in")
        with self.case("without a terminal it says what to do"):
            self.refused("user", "passwd", "grace", says="--password-stdin")

    def talk(self, name, first, second):
        """On a terminal of its own; (exit status, nothing was echoed)."""
        argv = [self.stand.box.path("bin", "doorkeep"), "user", "passwd",
                name]
        pid, fd = pty.fork()
        if pid == 0:
            if os.getuid() == 0:
                os.setgid(self.stand.box.user.pw_gid)
                os.setuid(self.stand.box.user.pw_uid)
            os.execve(argv[0], argv, self.stand.box.environment(
                {"DOORKEEP_CONFIG": self.stand.config_file}))
        seen, answers = b"", [first, second]
        end = time.monotonic() + 20
        try:
            while time.monotonic() < end:
                if not select.select([fd], [], [], 0.2)[0]:
                    continue
                try:
                    data = os.read(fd, 4096)
                except OSError:
                    break
                if not data:
                    break
                seen += data
                if seen.endswith(b": ") and answers:
                    os.write(fd, answers.pop(0).encode() + b"\n")
                    seen += b"."
        finally:
            os.close(fd)
            if time.monotonic() >= end:
                os.kill(pid, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, first.encode() not in seen


def run(secrets, report):
    stand = Alone(secrets)
    secrets.add(OTHER, "password")
    try:
        stand.add_user("alice")
        stand.start()
        CommandLine(stand, report).run()
    finally:
        problems = stand.close()
    with report.case("command line: nothing is left behind",
                     "DK-E-05 DK-P-11"):
        eq(problems, [], "problems")
