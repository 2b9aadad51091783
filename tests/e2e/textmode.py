"""People without pictures and scripts: w3m and lynx in a real terminal, and
Chromium with JavaScript switched off.  Each signs in, looks at the account,
changes the language and signs out, by keys alone."""

import os
import shutil
import subprocess
import tempfile
import time

from browser import open_browser
from enrol import code_of, enrol
from harness import PASSWORD, eq, have, true, wait_for
from servers import LighttpdSpawned

LYNX = ("lynx", "-accept_all_cookies", "-cookie_file=/dev/null",
        "-cookie_save_file=/dev/null", "-nopause")


class Terminal:
    """A program in a terminal of its own (tmux)."""

    def __init__(self, box, argv):
        self.box, self.socket = box, box.path("run", "tmux.sock")
        box.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session",
                 "-d", "-x", "96", "-y", "50", *argv],
                env={"LANG": "C.UTF-8", "TERM": "xterm"})

    def tmux(self, *arguments, check=True):
        return self.box.run(["tmux", "-S", self.socket, *arguments],
                            check=check).stdout.decode()

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys):
        """Names of keys, and texts."""
        for key in keys:
            self.tmux("send-keys", key)

    def shows(self, *texts):
        def look():
            shown = " ".join(self.screen().split())
            return all(t in shown for t in texts)
        try:
            wait_for(look, 20, "the terminal shows %r" % (texts,))
        except AssertionError as e:
            raise AssertionError("%s\n%s" % (e, self.screen())) from None

    def close(self):
        self.tmux("kill-server", check=False)


class Text:
    def __init__(self, secrets, report):
        self.report, self.stand = report, LighttpdSpawned(secrets)
        self.terminal = self.driver = None

    def case(self, name, ids=""):
        return self.report.case("without pictures and scripts: " + name, ids,
                                self.stand.box)

    def run(self):
        try:
            with self.case("starts"):
                self.stand.add_user("alice")
                self.stand.add_user("carol")
                self.stand.start()
            for name, story in (("w3m", self.w3m), ("lynx", self.lynx)):
                with self.case("%s signs in, sees the account, signs out" %
                               name, "DK-L-19"):
                    true(have(name) and have("tmux"), "not installed")
                    try:
                        story()
                    finally:
                        if self.terminal is not None:
                            self.terminal.close()
            self.no_scripts()
        finally:
            problems = self.stand.close()
        if problems:
            self.report.fail("without pictures: nothing is left behind",
                             "\n".join(problems))

    def url(self, route):
        return self.stand.origin + self.stand.url(route)

    def sessions(self):
        return int(self.stand.sql("SELECT count(*) FROM active_sessions"))

    def w3m(self):
        t = self.terminal = Terminal(self.stand.box, [
            "w3m", "-cookie", self.stand.origin + "/private/page.html"])
        t.shows("Sign in", "User name", "Password")
        # A field is reached by Tab, and Enter opens it.
        t.keys("Tab", "Enter")
        t.shows("TEXT:")
        t.keys("alice", "Enter", "Tab", "Enter")
        t.shows("Password:")
        t.keys("not this one", "Enter", "Tab", "Tab", "Enter")
        t.shows("do not go together", "alice")
        t.keys("Tab", "Tab", "Enter")
        t.shows("Password:")
        t.keys(PASSWORD, "Enter", "Tab", "Tab", "Enter")
        t.shows("private page")
        eq(self.sessions(), 1, "sessions")
        self.w3m_to(t, "/account")
        t.shows("Your account", "w3m this one", "Signed in")
        self.w3m_to(t, "/logout")
        t.shows("You are signed in as alice")
        t.keys("Tab", "Enter")
        t.shows("Sign in", "User name")
        eq(self.sessions(), 0, "sessions")

    def w3m_to(self, terminal, route):
        terminal.keys("U", "C-u", self.url(route), "Enter")

    def lynx(self):
        t = self.terminal = Terminal(self.stand.box, [
            *LYNX, self.stand.origin + "/private/page.html"])
        # It asks so at every status of 400 and more.
        t.shows("401 message body?")
        t.keys("y")
        t.shows("Sign in", "User name", "Password")
        t.keys("alice", "Tab", PASSWORD, "Tab", "Tab", "Enter")
        t.shows("private page")
        eq(self.sessions(), 1, "sessions")
        self.lynx_to(t, "/account")
        t.shows("Your account", "this one")
        self.lynx_to(t, "/logout")
        t.shows("You are signed in as alice")
        t.keys("Enter")
        t.shows("Sign in", "User name")
        eq(self.sessions(), 0, "sessions")

    def lynx_to(self, terminal, route):
        terminal.keys("g", "C-u", self.url(route), "Enter")

    # ---- Chromium ----
    def no_scripts(self):
        profile = tempfile.mkdtemp(prefix="dk-chromium-", dir="/tmp")
        try:
            with self.case("chromium without JavaScript: second step, new "
                           "password, language, by keys alone",
                           "DK-L-19"):
                self.driver = open_browser(profile)
                self.driver.execute_cdp_cmd(
                    "Emulation.setScriptExecutionDisabled", {"value": True})
                self.story()
        finally:
            if self.driver is not None:
                self.driver.quit()
            shutil.rmtree(profile, ignore_errors=True)

    def type(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def shows(self, text):
        def look():
            try:
                return text in self.driver.find_element("tag name",
                                                        "body").text
            except Exception:   # the page is just being replaced
                return False
        wait_for(look, 15, "the page shows %r" % text)

    def focus(self, name):
        wait_for(lambda: self.driver.switch_to.active_element.get_attribute(
            "name") == name, 10, "the focus is on " + name)

    def story(self):
        from selenium.webdriver.common.keys import Keys
        stand, driver = self.stand, self.driver
        driver.get("data:text/html,<title>off</title><script>document.title"
                   "='on'</script>")
        eq(driver.title, "off", "JavaScript")
        browser = stand.signed_in("carol")
        seed, _ = enrol(browser, stand, browser.get(stand.url("/account")))
        stand.sql("DELETE FROM active_sessions")
        driver.get(stand.origin + "/private/page.html")
        self.shows("Sign in")
        self.focus("username")
        self.type("carol", Keys.TAB, PASSWORD, Keys.TAB, Keys.SPACE, Keys.TAB,
                  Keys.ENTER)
        self.shows("One more step")
        self.focus("totp_code")
        self.type("000000", Keys.ENTER)
        self.shows("That code is wrong")
        self.focus("totp_code")
        self.type(code_of(seed, time.time() + 30), Keys.ENTER)
        self.shows("private page")
        true(driver.get_cookie("doorkeep").get("expiry"), "kept signed in")
        stand.secrets.add_cookie(driver.get_cookie("doorkeep")["value"])
        driver.get(self.url("/account"))
        self.shows("On: after your password")
        self.tab_to("current_password")
        self.type("a wrong guess", Keys.TAB, "whatever else it is", Keys.ENTER)
        self.shows("nothing was changed")
        self.focus("current_password")
        new = "some other words " + os.urandom(4).hex()
        stand.secrets.add(new, "password")
        self.type(PASSWORD, Keys.TAB, new, Keys.ENTER)
        self.shows("Your password has been changed")
        stand.secrets.add_cookie(driver.get_cookie("doorkeep")["value"])
        self.tab_to("language")
        self.type("Deutsch", Keys.TAB, Keys.ENTER)
        self.shows("Ihr Konto")
        driver.get(self.url("/logout"))
        self.shows("Abmelden")
        self.type(Keys.ENTER)
        self.shows("Anmelden")
        eq(driver.get_cookie("doorkeep"), None, "the cookie")

    def tab_to(self, name):
        from selenium.webdriver.common.keys import Keys
        for _ in range(60):
            if self.driver.switch_to.active_element.get_attribute(
                    "name") == name:
                return
            self.type(Keys.TAB)
        raise AssertionError("Tab does not lead to " + name)


def run(secrets, report):
    Text(secrets, report).run()
