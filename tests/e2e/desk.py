"""The administrator's desk in a real browser: every flow, by keyboard where
a person types; axe on each page; closed to everybody else."""

import base64
import json
import os
import shutil
import tempfile
import time

from axe import Axe
from browser import open_browser
from enrol import code_of, enrol
from harness import PASSWORD, eq, true, wait_for
from servers import LighttpdSpawned

ADMIN = "\n[admin]\ngroup = admins\n"
SIZES = ((360, 780), (768, 1024), (1440, 900))
NOBODYS = ("/admin", "/admin/people", "/admin/person?name=alice",
           "/admin/sessions", "/admin/events")


# What the Tab key has to reach, and what it has reached so far.
LISTEN = """
window.met = new Map();
document.addEventListener("focusin", e => window.met.set(
	e.target, getComputedStyle(e.target).outlineStyle));
document.activeElement.blur();
return document.querySelectorAll(STOPS).length;
"""
MISSED = """
const name = e => e.outerHTML.slice(0, 90);
return [...document.querySelectorAll(STOPS)].filter(
	e => e.checkVisibility() && !window.met.has(e)).map(
	e => "Tab does not reach " + name(e)).concat(
	[...window.met].filter(([e, outline]) => outline == "none").map(
		([e]) => "focus is not seen on " + name(e)));
"""
STOPS = ("a[href], button, input:not([type=hidden]), select, textarea, "
         "summary, [tabindex='0']")


class Desk:
    def __init__(self, secrets, report):
        self.stand = LighttpdSpawned(secrets, extra=ADMIN)
        self.report = report
        self.driver = self.axe = None

    def case(self, name, ids=""):
        return self.report.case("desk: " + name, ids, self.stand.box)

    def run(self):
        profile = tempfile.mkdtemp(prefix="dk-chromium-", dir="/tmp")
        try:
            with self.case("starts"):
                self.people()
                self.stand.start()
                self.driver = open_browser(profile)
                self.axe = Axe()
            if self.axe is not None:
                self.closed()
                self.opens()
                self.overview()
                self.warned()
                self.adds()
                self.person()
                self.sessions()
                self.filters()
                self.events()
                self.stale()
                self.second_factor()
        finally:
            if self.driver is not None:
                self.driver.quit()
            shutil.rmtree(profile, ignore_errors=True)
            problems = self.stand.close()
        if problems:
            self.report.fail("desk: nothing is left behind",
                             "\n".join(problems))

    def people(self):
        stand = self.stand
        stand.add_user("alice", PASSWORD, "--group", "admins", "--group",
                       "staff")
        stand.add_user("mallory")
        for n in range(60):
            stand.admin("user", "add", "person%02d" % n, "--name",
                        "Person No. %d" % n)
        # A day as the picture shows it.
        now = int(time.time() * 1000)
        stand.sql("INSERT INTO events (at, event, outcome, username, ip, "
                  "actor) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
                  "i + 1 FROM n WHERE i < 400) SELECT %d - abs((i * 7919) %% "
                  "80000) * 1000, 'sign_in', CASE i %% 5 WHEN 0 THEN "
                  "'failure' ELSE 'success' END, 'person' || (i %% 60), "
                  "'192.0.2.' || (i %% 9), 'web' FROM n" % now)

    # ---- helpers ----
    def open(self, route):
        self.driver.get(self.stand.origin + self.stand.url(route))

    def text(self):
        return self.driver.execute_script("return document.body.innerText")

    def shows(self, text):
        def look():
            try:
                return text in self.text()
            except Exception:   # the page is just being replaced
                return False
        wait_for(look, 10, "the page shows %r" % text)

    def find(self, css):
        return self.driver.find_element("css selector", css)

    def press(self, text):
        """The button of that name, by its key."""
        from selenium.webdriver.common.keys import Keys
        for button in self.driver.find_elements("css selector", "button"):
            if button.text.strip() == text:
                button.send_keys(Keys.ENTER)
                return
        raise AssertionError("no button says %r" % text)

    def sign_in(self, name):
        from selenium.webdriver.common.keys import Keys
        self.shows("Sign in")
        field = self.driver.find_elements("css selector", "#username")
        if field and field[0].is_displayed() and field[0].is_enabled() and \
                not field[0].get_attribute("readonly"):
            field[0].clear()
            field[0].send_keys(name)
        self.find("#password").send_keys(PASSWORD, Keys.ENTER)

    def look(self, name):
        """axe, no sideways scrolling on a phone, and pictures if asked."""
        wrong = []
        folder = os.environ.get("SCREENSHOTS")
        for mode in ("light", "dark"):
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
                "features": [{"name": "prefers-color-scheme",
                              "value": mode}]})
            for width, height in SIZES:
                self.driver.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride", {
                        "width": width, "height": height,
                        "deviceScaleFactor": 1, "mobile": False})
                wide = self.driver.execute_script(
                    "return document.documentElement.scrollWidth")
                if wide > width:
                    wrong.append("%s is %d wide at %d" % (name, wide, width))
                if folder:
                    self.picture(os.path.join(folder, "desk-%s-%d-%s.png" % (
                        name, width, mode)), width)
            wrong += ["%s, %s: %s" % (name, mode, w)
                      for w in self.axe.wrong(self.driver)]
        wrong += ["%s: %s" % (name, w) for w in self.walk()]
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride",
                                    {})
        eq(wrong, [], "what is wrong")

    def walk(self):
        """Once around with the Tab key: what it misses."""
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        stops = "const STOPS = %s;" % json.dumps(STOPS)
        number = self.driver.execute_script(stops + LISTEN)
        true(number > 4, "stops: %d" % number)
        chain = ActionChains(self.driver, duration=0)
        # A field for a day has a few stops within.
        chain.send_keys(*[Keys.TAB] * (2 * number + 12)).perform()
        return self.driver.execute_script(stops + MISSED)

    def picture(self, path, width):
        """The whole page, not what the window shows of it."""
        height = self.driver.execute_script(
            "return document.documentElement.scrollHeight")
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {
                "x": 0, "y": 0, "width": width, "height": height,
                "scale": 1}})
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    # ---- the story ----
    def closed(self):
        with self.case("a stranger is asked to sign in; who is not in the "
                       "group learns of no desk"):
            stand = self.stand
            stranger = stand.browser()
            other = stand.signed_in("mallory")
            for route in NOBODYS:
                answer = stranger.get(stand.url(route))
                true(answer.status in (303, 401), "%s to a stranger: %d" % (
                    route, answer.status))
                eq(other.get(stand.url(route)).status, 404, route)
            before = stand.dump()
            for route in NOBODYS[1:4]:
                answer = other.post_form(
                    stand.url(route.partition("?")[0]),
                    {"action": "disable", "name": "alice",
                     "username": "evil", "csrf_token": "x" * 43})
                eq(answer.status, 404, route)
            eq(stand.dump(), before, "the store")
            stand.sql("DELETE FROM active_sessions")

    def opens(self):
        with self.case("a member signs in and is at the desk"):
            self.open("/admin")
            self.sign_in("alice")
            self.shows("Overview")
            self.stand.secrets.add_cookie(
                self.driver.get_cookie("doorkeep")["value"])

    def overview(self):
        with self.case("the picture of the day has the day's figures"):
            total = int(self.stand.sql(
                "SELECT count(*) FROM events WHERE event = 'sign_in' AND "
                "outcome = 'failure'"))
            true(total > 60, "failures: %d" % total)
            failures = self.driver.execute_script(
                "return [...document.querySelectorAll('figcaption')].map("
                "f => f.innerText)")
            eq([f.split() for f in failures if f.startswith("Failed")],
               [["Failed", str(total)]], "the caption")
            for span in ("Week", "Month", "Day"):
                self.driver.find_element("link text", span).click()
                wait_for(lambda s=span: self.find("#spans b").text == s, 10,
                         span)
        with self.case("the overview stands up to a look"):
            self.look("overview")
            from selenium.webdriver.common.keys import Keys
            self.find("summary").send_keys(Keys.ENTER)
            wait_for(lambda: self.find("details table").is_displayed(), 10,
                     "the figures")
            eq(len(self.driver.find_elements(
                "css selector", "details tbody tr")), 24, "hours")
            self.look("overview-figures")

    def warned(self):
        """What is wrong on the machine, as doctor says it."""
        var = self.stand.box.path("var")
        with self.case("the overview warns as doctor does"):
            self.shows("Nothing is wrong on this machine")
            mode = os.stat(var).st_mode & 0o777
            os.chmod(var, mode | 0o007)
            try:
                self.open("/admin")
                self.shows("should be:")
                found = json.loads(self.stand.admin(
                    "doctor", "--json", check=False).stdout)
                told = [f["check"] + "\n" + f["cure"] for f in found
                        if not f["good"]]
                true(told, "doctor finds nothing")
                eq([e.text for e in self.driver.find_elements(
                    "css selector", "li.alert")], told, "warnings")
                self.look("overview-warning")
            finally:
                os.chmod(var, mode)
            self.open("/admin")
            self.shows("Nothing is wrong on this machine")

    def adds(self):
        from selenium.webdriver.common.keys import Keys
        with self.case("people are found by the beginning of a name, page "
                       "by page"):
            self.driver.find_element("link text", "People").click()
            self.shows("person00")
            self.look("people")
            self.driver.find_element("link text", "Next page").click()
            self.shows("person59")
            self.find("#search").send_keys("person4", Keys.ENTER)
            self.shows("person40")
            names = [e.text for e in self.driver.find_elements(
                "css selector", "tbody th a")]
            eq(names, ["person4%d" % n for n in range(10)], "names")
        with self.case("somebody is added by a link, with the keyboard, and "
                       "sets a password with it"):
            self.find("#username").send_keys(
                "zoe", Keys.TAB, "Zoë Zimt", Keys.TAB, "zoe@example.org",
                Keys.TAB)
            self.driver.switch_to.active_element.send_keys(
                "staff, editors", Keys.TAB, Keys.ENTER) \
                if self.driver.switch_to.active_element.get_attribute(
                    "id") != "groups" else \
                self.find("#groups").send_keys("staff, editors", Keys.ENTER)
            self.shows("zoe has been added")
            link = self.find("#link").get_attribute("value")
            self.stand.secrets.add(link.rpartition("=")[2] or link, "a link")
            self.look("link")
            shown = self.stand.admin_json("user", "show", "zoe")
            eq((shown["display_name"], shown["email"],
                sorted(shown["groups"])),
               ("Zoë Zimt", "zoe@example.org", ["editors", "staff"]), "zoe")
            browser = self.stand.browser()
            answer = browser.get(link.replace(self.stand.origin, ""))
            true(answer.status in (200, 303), "the link: %d" % answer.status)
        with self.case("a name that is taken is refused, nothing typed is "
                       "lost"):
            self.open("/admin/people")
            self.find("#username").send_keys("ALICE")
            self.find("#email").send_keys("a@example.org", Keys.ENTER)
            self.shows("There is somebody of that name already")
            eq(self.find("#email").get_attribute("value"), "a@example.org",
               "the address")
            self.look("people-refused")

    def person(self):
        stand = self.stand
        with self.case("one person: disable, enable, groups, unlock, link"):
            self.open("/admin/person?name=zoe")
            self.shows("Zoë Zimt")
            self.look("person")
            self.press("Disable")
            self.shows("Disabled, and signed out everywhere")
            true(stand.admin_json("user", "show", "zoe")["disabled"],
                 "disabled")
            self.press("Enable")
            self.shows("Enabled again")
            self.find("#group").send_keys("night-shift")
            self.press("Add to the group")
            self.shows("The groups have been changed")
            eq(sorted(stand.admin_json("user", "show", "zoe")["groups"]),
               ["editors", "night-shift", "staff"], "groups")
            self.find("button[aria-label='Remove from editors']").click()
            wait_for(lambda: sorted(stand.admin_json(
                "user", "show", "zoe")["groups"]) == ["night-shift", "staff"],
                10, "editors is gone")
            self.press("Forget wrong guesses")
            self.shows("Wrong guesses are forgotten")
            self.press("Link for a new password")
            self.shows("With this link zoe sets a password")
        with self.case("what changes oneself is not offered"):
            self.open("/admin/person?name=alice")
            self.shows("This is you")
            eq([b.text for b in self.driver.find_elements(
                "css selector", "main button")], [], "buttons")

    def sessions(self):
        stand = self.stand
        with self.case("sessions: found by person, one ended, all ended but "
                       "one's own"):
            others = [stand.signed_in("mallory") for _ in range(3)]
            self.open("/admin/sessions?user=mallory")
            self.shows("mallory")
            self.look("sessions")
            boxes = self.driver.find_elements("css selector",
                                              "input[type=checkbox]")
            eq(len(boxes), 3, "boxes")
            boxes[0].click()
            self.press("End those ticked")
            self.shows("The sessions have been ended")
            eq(sum(stand.is_signed_in(b) for b in others), 2, "left")
            self.driver.find_element("link text", "End all of these").click()
            self.shows("2 sessions end")
            self.look("end")
            self.press("End them")
            self.shows("The sessions have been ended")
            eq(sum(stand.is_signed_in(b) for b in others), 0, "left")
            self.open("/admin")
            self.shows("Overview")

    def filters(self):
        from selenium.webdriver.common.keys import Keys
        stand = self.stand
        with self.case("sessions: found by address and by age, with the "
                       "keyboard"):
            for _ in range(3):
                stand.signed_in("mallory")
            ids = stand.sql("SELECT id FROM active_sessions WHERE username "
                            "= 'mallory' ORDER BY id").split()
            stand.sql("UPDATE sessions SET ip = '192.0.2.77' WHERE id = '%s'"
                      % ids[0])
            stand.sql("UPDATE sessions SET created_at = created_at - "
                      "36 * 3600000 WHERE id = '%s'" % ids[1])
            for keys, want in (
                    (["mallory"], 3), (["mallory", Keys.TAB, "192.0.2.77"], 1),
                    (["", Keys.TAB, "192.0.2.77"], 1),
                    (["mallory", Keys.TAB, Keys.TAB, "more than 1 d"], 1),
                    (["mallory", Keys.TAB, Keys.TAB, "more than 1 d",
                      Keys.TAB, "in the last 1 h"], 0),
                    (["mallory", Keys.TAB, Keys.TAB, Keys.TAB,
                      "in the last 12"], 2)):
                self.open("/admin/sessions")
                self.shows("Find")
                self.find("#user").send_keys("")
                self.type(*keys, Keys.ENTER if len(keys) < 4 else Keys.TAB)
                if len(keys) >= 4:
                    self.find("form.filter button").send_keys(Keys.ENTER)
                wait_for(lambda: "?" in self.driver.current_url, 10,
                         "the list")
                self.shows("Find")
                eq(len(self.driver.find_elements(
                    "css selector", "tbody tr")), want,
                   "found by %r" % [k for k in keys if k != Keys.TAB])
            self.open("/admin/sessions?address=192.0.2.0.1")
            self.shows("That is no address")
            self.look("sessions-refused")

    def type(self, *keys):
        """Into what has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains
        chain = ActionChains(self.driver, duration=0)
        chain.send_keys(*keys).perform()

    def events(self):
        with self.case("events: filtered, and downloaded as JSON lines"):
            self.open("/admin/events?user=zoe")
            self.shows("user_added")
            self.look("events")
            url = self.driver.find_element(
                "link text", "Download as lines of JSON").get_attribute(
                    "href")
            # By a client of our own: the page lets no script fetch.
            lines = self.stand.signed_in("alice").get(
                url.replace(self.stand.origin, "")).text
            rows = [json.loads(line) for line in lines.strip().split("\n")]
            true(len(rows) >= 5, "lines: %r" % lines[:300])
            eq({r["username"] for r in rows}, {"zoe"}, "whose")
            eq([r["event"] for r in rows][-1], "user_added", "the oldest")

    def stale(self):
        with self.case("who signed in a while ago can look, not change"):
            self.stand.sql("UPDATE sessions SET authenticated_at = "
                           "authenticated_at - 700000")
            self.open("/admin/person?name=zoe")
            self.shows("You signed in more than ten minutes ago")
            eq([b.text for b in self.driver.find_elements(
                "css selector", "main button")], [], "buttons")
            self.driver.find_element(
                "link text", "Sign in again to make changes").click()
            self.sign_in("alice")
            self.shows("Zoë Zimt")
            self.press("Disable")
            self.shows("Disabled, and signed out everywhere")

    def second_factor(self):
        from selenium.webdriver.common.keys import Keys
        stand = self.stand
        with self.case("the second step of somebody is taken off, which ends "
                       "their sessions"):
            browser = stand.signed_in("mallory")
            enrol(browser, stand, browser.get(stand.url("/account")))
            self.open("/admin/person?name=mallory")
            self.press("Take the second step off")
            self.shows("The second step is off")
            true("Take the second step off" not in self.text(), "gone")
            true(not stand.is_signed_in(browser), "the session has ended")
            stand.signed_in("mallory")
        with self.case("who has a second step must have used it"):
            browser = stand.signed_in("alice")
            seed, _ = enrol(browser, stand, browser.get(
                stand.url("/account")))
            self.open("/admin")
            self.sign_in("alice")
            self.shows("code")
            true("Overview" not in self.text(), "the desk is closed")
            # The code of enrolment is used up; the next one will do.
            self.find("[name=totp_code]").send_keys(
                code_of(seed, time.time() + 30), Keys.ENTER)
            self.shows("Overview")
            self.stand.secrets.add_cookie(
                self.driver.get_cookie("doorkeep")["value"])


def run(secrets, report):
    Desk(secrets, report).run()
