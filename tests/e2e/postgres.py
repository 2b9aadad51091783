"""Two web servers, lighttpd and nginx, each with its own workers, and one
PostgreSQL (Debian's), started here as an ordinary user.  Then the database
server is restarted, killed and frozen under them."""

import signal
import time

from harness import Sandbox, eq, one_of, true, wait_for
from servers import LighttpdExternal, Nginx
from store import Postgres, PostgresStore

BOUND = 20  # seconds that an answer may take (INTERFACE 9)


class Two:
    def __init__(self, secrets, report):
        self.report = report
        # Of its own, for it is killed and frozen.
        self.box = Sandbox("pg", secrets)
        self.pg = Postgres(self.box.dir).make().start()
        self.a = self.site(LighttpdExternal, secrets)
        self.b = self.site(Nginx, secrets, self.a.store)

    def site(self, kind, secrets, store=None):
        class Site(kind):
            name = kind.name.split("-")[0] + "-pg"
            has_todos = False
        box = Sandbox(Site.name, secrets)
        if store is None:
            store = PostgresStore(box, self.pg)
        return Site(secrets, box=box, store=store.seen_from(box),
                    extra="\n[session]\nmax_per_user = 3\n")

    def case(self, name, ids=""):
        return self.report.case("postgres: " + name, ids, self.a.box)

    def run(self):
        try:
            self.a.add_user("alice")
            self.a.add_user("bob")
            self.a.start()
            self.b.start()
            self.shared()
            self.throttled()
            self.limited()
            self.housekeeping()
            self.restarted()
            self.killed()
            self.frozen()
        finally:
            problems = self.b.close() + self.a.close()
            self.pg.stop()
            problems += self.box.close()
        with self.case("no secret in any file", "DK-E-05 DK-P-11"):
            eq(problems, [], "problems")

    # A cookie of one host, shown to the other server of the same site.
    def carry(self, browser, stand):
        other = stand.browser()
        other.jar = browser.jar
        return other

    def shared(self):
        a, b = self.a, self.b
        with self.case("signed in on one, recognised on the other", "DK-Z-08"):
            me = a.signed_in()
            there = self.carry(me, b)
            true(b.is_signed_in(there), "the other server knows the session")
            answer = there.get("/private/")
            eq(answer.status, 200, "its gate lets in")
            eq(b.browser().get("/private/").status, 401, "but nobody else")
        with self.case("signed out on one, out on the other", "DK-Z-08"):
            true("alice" in b.admin("session", "list").stdout.decode(),
                 "the other lists it")
            b.admin("session", "revoke", "--user", "alice")
            true(not a.is_signed_in(me), "the next request is nobody's")
            eq(self.carry(me, a).get("/private/").status, 401, "its gate")

    def throttled(self):
        with self.case("guesses count on both together", "DK-T-05"):
            statuses = []
            for i in range(24):
                stand = (self.a, self.b)[i % 2]
                answer = stand.browser().post_json(stand.url("/login"), {
                    "username": "nobody-there", "password": "wrong %d" % i})
                statuses.append(answer.status)
            true(429 in statuses, "%r" % statuses)
            first = statuses.index(429)
            eq({s for s in statuses[first:]}, {429}, "closed on both")
            alone = self.a.sql("SELECT max(failures) FROM throttle")
            true(int(alone) >= first, "%s counted of %d" % (alone, first))

    def limited(self):
        with self.case("max_per_user counts on both together", "DK-Z-08"):
            browsers = []
            for i in range(5):
                stand = (self.a, self.b)[i % 2]
                browsers.append((stand, stand.signed_in("bob")))
                time.sleep(0.01)
            alive = [stand.is_signed_in(x) for stand, x in browsers]
            eq(alive, [False, False, True, True, True], "the newest three")

    def housekeeping(self):
        with self.case("the store is sound, and housekeeping runs on it"):
            done = self.a.admin("db", "check")
            eq(done.returncode, 0, "db check")
            self.b.admin("session", "purge")
            version = self.b.admin("db", "version").stdout.decode()
            true(version.startswith("PostgreSQL "), version)

    # ---- faults: nobody is let in, nobody's cookie goes, never for long ----
    def asked(self, stand, browser):
        start = time.monotonic()
        answer = browser.get("/private/")
        took = time.monotonic() - start
        true(took < BOUND, "%s took %.1f s" % (stand.name, took))
        return answer

    def unavailable(self, me):
        for stand, browser in me:
            answer = self.asked(stand, browser)
            eq(answer.status, 503, stand.name)
            eq(answer.all("Set-Cookie"), [], "the cookie is left alone")
            stranger = self.asked(stand, stand.browser())
            one_of(stranger.status, (401, 503), "a stranger")
            true("private page" not in stranger.text, "the page is open")

    def recovered(self, me):
        for stand, browser in me:
            wait_for(lambda s=stand, x=browser: self.asked(s, x).status == 200,
                     15, stand.name + " is well again")

    def everywhere(self):
        return [(stand, stand.signed_in()) for stand in (self.a, self.b)]

    def restarted(self):
        with self.case("restarted: well again without a restart of ours",
                       "DK-Z-06 DK-A-04"):
            me = self.everywhere()
            self.pg.stop()
            self.unavailable(me)
            self.pg.start()
            self.recovered(me)

    def killed(self):
        with self.case("killed with -9: what was acknowledged is there",
                       "DK-Z-04 DK-Z-06"):
            me = self.everywhere()
            gone = self.a.signed_in("bob")
            form = gone.get(self.a.url("/logout")).page.form_with("csrf_token")
            one_of(gone.submit(form, {}, self.a.url("/logout")).status,
                   (200, 303), "signed out")
            self.pg.stop(signal.SIGKILL)
            self.unavailable(me)
            self.pg.start()
            self.recovered(me)
            true(not self.a.is_signed_in(gone), "who signed out stays out")

    def frozen(self):
        with self.case("frozen: an answer within bounds, and back",
                       "DK-Z-06 DK-G-13"):
            me = self.everywhere()
            self.pg.signal_all(signal.SIGSTOP)
            try:
                self.unavailable(me)
            finally:
                self.pg.signal_all(signal.SIGCONT)
            self.recovered(me)


def run(secrets, report):
    Two(secrets, report).run()
