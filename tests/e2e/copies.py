"""`doorkeep db copy`: a site moves from SQLite to PostgreSQL and back, and
nobody has to sign in again."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import store
from enrol import code_of, enrol, follow
from harness import PASSWORD, Sandbox, eq, true, wait_for
from servers import LighttpdExternal

MANY = 60000    # sessions: long enough to be killed in the middle
MORE = """WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
 WHERE i < %d) INSERT INTO sessions (id, secret_hash, user_id, created_at,
 authenticated_at, last_seen_at, expires_at, idle_timeout, level, remember, ip,
 user_agent, host) SELECT printf('%%08x-1111-4222-8333-444455556666', i),
 randomblob(32), (SELECT min(id) FROM users), i, i, i, 4000000000000, 0, 1, 0,
 '::1', 'Browser', 'h' FROM n""" % MANY


class Home(store.SqliteStore):
    """Its configuration says already where the key goes."""

    def lines(self):
        return super().lines() + "\ndirectory = " + self.box.path("var")


class Copies:
    def __init__(self, secrets, report):
        self.report = report
        self.box = Sandbox("copy-pg", secrets)
        self.pg = store.Postgres(self.box.dir).make().start()
        box = Sandbox("copy", secrets)
        self.stand = LighttpdExternal(secrets, box=box,
                                      store=Home(box))

    def case(self, name, ids=""):
        return self.report.case("db copy: " + name, ids, self.stand.box)

    def run(self):
        try:
            self.stand.add_user("alice")
            self.stand.add_user("bob")
            self.stand.start()
            self.there()
            self.back()
            self.refusals()
            self.killed()
            self.watched()
        finally:
            problems = self.stand.close()
            self.pg.stop()
            problems += self.box.close()
        with self.case("no secret in any file", "DK-E-05"):
            eq(problems, [], "problems")

    def move(self, to):
        """The site's store goes there, as the manual says."""
        stand = self.stand
        stand.stop_serve()
        done = stand.admin("db", "copy", stand.store.address, to.address)
        eq(done.stderr.decode(), "", "quiet where no terminal is")
        self.use(to)
        stand.start_serve()
        return done.stdout.decode()

    def use(self, to):
        self.stand.store = to
        self.stand.write_config()

    def database(self):
        return store.PostgresStore(self.stand.box, self.pg)

    def there(self):
        stand = self.stand
        with self.case("to PostgreSQL: who is signed in stays so, with the "
                       "second factor", "DK-Z-08"):
            self.me = stand.signed_in()
            browser = stand.signed_in("bob")
            self.seed, _ = enrol(browser, stand,
                                 browser.get(stand.url("/account")))
            said = self.move(self.database())
            true(re.search(r"^sessions +\d+  [0-9a-f]{16}…$", said, re.M),
                 said)
            true("Every row is the same on both sides" in said, said)
            true(stand.is_signed_in(self.me), "alice is signed in")
            eq(self.me.get("/private/").status, 200, "the gate lets her in")
            true(stand.is_signed_in(browser), "bob too")
            self.second_factor()
            eq(stand.browser().get("/private/").status, 401, "nobody else")
            eq(stand.admin("db", "check").returncode, 0, "db check")

    def second_factor(self):
        """Its key went along.  Of the next step: a code works once."""
        stand, browser = self.stand, self.stand.browser()
        answer = browser.get("/private/")
        answer = follow(browser, browser.sign_in(
            answer.page, stand.url("/login"), "bob", PASSWORD))
        form = answer.page.form_with("totp_code")
        answer = browser.submit(form, {"totp_code": code_of(
            self.seed, time.time() + 30)}, stand.url("/second-factor"))
        eq(answer.status, 303, "the second step")
        eq(browser.get("/private/").status, 200, "with the second factor")

    def back(self):
        stand = self.stand
        with self.case("and back: so do those who signed in meanwhile",
                       "DK-Z-08"):
            later = stand.signed_in()
            gone = stand.signed_in()
            gone.post_json(stand.url("/logout"), {"csrf_token": gone.fetch(
                stand.url("/session")).json["csrf_token"]})
            true(not stand.is_signed_in(gone), "signed out")
            home = Home(stand.box)
            home.address = stand.box.path("var", "home.db")
            self.move(home)
            for browser in (self.me, later):
                true(stand.is_signed_in(browser), "signed in")
            true(not stand.is_signed_in(gone), "who signed out stays out")
            eq(stand.admin("db", "check").returncode, 0, "db check")
            true(oct(os.stat(home.address).st_mode).endswith("600"), "mode")
            stand.signed_in()   # and events count on

    def refused(self, *args, status=1):
        done = self.stand.admin("db", "copy", *args, check=False)
        eq((done.returncode, done.stdout), (status, b""), args)
        return done.stderr.decode()

    def refusals(self):
        stand = self.stand
        home = stand.store.address
        with self.case("a store in use, or a password in an argument, is "
                       "refused", "DK-G-13"):
            said = self.refused(home, stand.box.path("var", "dk.db"))
            true("is in use" in said and "Nothing was changed" in said, said)
            said = self.refused(home, home, status=2)
            true("the same store" in said, said)
            said = self.refused(home, "postgresql://u:topsecret@h/n",
                                status=2)
            true("passfile" in said and "topsecret" not in said, said)
            said = self.refused(stand.box.path("var", "none.db"),
                                stand.box.path("var", "new.db"))
            true("there is no store" in said, said)
            true(not os.path.exists(stand.box.path("var", "new.db")), "made")
            other = self.database()
            box = stand.box.path("var", "doorkeep-key")
            with open(box, "rb") as f:
                key = f.read()
            with open(box, "wb") as f:
                f.write(bytes(32))
            said = self.refused(home, other.address)
            true("key of other second factors" in said, said)
            with open(box, "wb") as f:
                f.write(key)

    def killed(self):
        stand = self.stand
        with self.case("killed in the middle: nobody takes it for a store, "
                       "and it goes on", "DK-Z-04"):
            stand.sql(MORE)
            target = self.database()
            argv = [stand.box.path("bin", "doorkeep"), "db", "copy",
                    stand.store.address, target.address]
            process = stand.box.start(
                argv, "copy.log", {"DOORKEEP_CONFIG": stand.config_file})
            wait_for(lambda: int("0" + target.server.sql(
                "SELECT count(*) FROM sessions", target.database,
                check=False)) > 5000, 60, "some of it is there")
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            some = int(target.sql("SELECT count(*) FROM sessions"))
            true(5000 <= some < MANY, "%d of %d rows" % (some, MANY))
            stand.stop_serve()
            home = stand.store
            self.use(target)
            done = stand.admin("session", "list", check=False)
            eq(done.returncode, 1, "the command line")
            true("unfinished copy" in done.stderr.decode(), done.stderr)
            stand.start_serve()
            eq(stand.browser().get("/private/").status, 503, "the gate")
            stand.stop_serve()
            self.use(home)
            done = stand.admin("db", "copy", home.address, target.address,
                               "--json")
            tables = json.loads(done.stdout)
            true(tables["same"], done.stdout)
            rows = {t["table"]: t["rows"] for t in tables["tables"]}
            eq(rows["sessions"], int(stand.sql(
                "SELECT count(*) FROM sessions")), "sessions")
            self.use(target)
            stand.start_serve()
            true(stand.is_signed_in(self.me), "alice is signed in")

    def watched(self):
        """What a terminal shows: a bar, and no line of it at the end."""
        stand = self.stand
        with self.case("long work shows how far it is, on a terminal"):
            master, slave = pty.openpty()
            process = subprocess.Popen(
                [stand.box.path("bin", "doorkeep"), "db", "copy",
                 stand.store.address, stand.box.path("var", "watched.db")],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=slave, env=stand.box.environment(
                    {"DOORKEEP_CONFIG": stand.config_file}),
                **stand.box.as_user())
            os.close(slave)
            shown = b""
            while select.select([master], [], [], 60)[0]:
                try:
                    shown += os.read(master, 4096)
                except OSError:
                    break   # nobody has the other end any more
            out = process.communicate(timeout=60)[0].decode()
            os.close(master)
            eq(process.returncode, 0, "exit")
            text = shown.decode()
            true(re.search(r"\rsessions +\[#+\.+\] +\d+ %  \d+ of \d+ rows",
                           text), text[:400])
            true(re.search(r"\rcomparing +\[#", text), text[-400:])
            true("\n" not in text and text.endswith(" \r"), "wiped")
            true(len(text) < 40000, "%d bytes" % len(text))
            true("Every row is the same" in out, out)


def run(secrets, report):
    Copies(secrets, report).run()
