"""A real browser: headless Chromium, its own cookie jar, the keyboard only."""

import os
import shutil
import tempfile
import time

from axe import Axe
from harness import PASSWORD, Skip, eq, have, true, wait_for
from servers import LighttpdSpawned, LighttpdTls

PAGE = "/private/page.html?a=1&b=%26x"
FLAGS = ("--headless", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run",
         "--disable-dev-shm-usage", "--ignore-certificate-errors",
         "--window-size=900,700")


def open_browser(folder):
    """A driver with a profile of its own, or the reason why not."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise Skip("python3-selenium is not installed") from None
    if not have("chromium") or not have("chromedriver"):
        raise Skip("chromium or chromium-driver is not installed")
    options = Options()
    options.binary_location = have("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument("--user-data-dir=" + folder)
    if os.getuid() == 0:
        options.add_argument("--no-sandbox")
    return webdriver.Chrome(service=Service(have("chromedriver")),
                            options=options)


class Visit:
    def __init__(self, stand, report, cookie):
        self.stand, self.report, self.cookie = stand, report, cookie
        self.driver = self.axe = None

    def case(self, name, ids=""):
        return self.report.case("chromium, %s: %s" % (
            "https" if self.stand.scheme == "https" else "http on localhost",
            name), ids, self.stand.box)

    def run(self):
        profile = tempfile.mkdtemp(prefix="dk-chromium-", dir="/tmp")
        try:
            with self.case("starts"):
                if self.stand.server is None:
                    self.stand.add_user("alice")
                    self.stand.start()
                self.driver = open_browser(profile)
            if self.driver is not None:
                self.story()
        finally:
            if self.driver is not None:
                self.driver.quit()
            shutil.rmtree(profile, ignore_errors=True)

    # ---- helpers ----
    def open(self, path):
        self.driver.get(self.stand.origin + path)

    def keys(self, *keys):
        """What the keyboard sends to whatever has the focus."""
        from selenium.webdriver.common.action_chains import ActionChains
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def text(self):
        return self.driver.execute_script("return document.body.innerText")

    def shows(self, text, what):
        def look():
            try:
                return text in self.text()
            except Exception:   # the page is just being replaced
                return False
        wait_for(look, 10, "%s shows %r" % (what, text))

    def active(self):
        return self.driver.switch_to.active_element

    def jar(self):
        return {c["name"]: c for c in self.driver.get_cookies()}

    # ---- the story ----
    def story(self):
        from selenium.webdriver.common.keys import Keys
        with self.case("a guarded page shows the sign-in page in its place",
                       "DK-L-19"):
            self.open(PAGE)
            self.shows("Sign in", "the page")
            true(self.driver.current_url.endswith(PAGE), "the URL stays")
            self.screenshot("sign-in")
        with self.case("another language by keyboard, and the way back"):
            self.choose("de", "Anmelden")
            true(self.driver.current_url.endswith(PAGE), "the URL stays")
            eq(self.driver.execute_script(
                "return document.documentElement.lang"), "de", "lang")
            self.screenshot("sign-in-de")
            self.choose("en", "Sign in")
        with self.case("a wrong password by keyboard", "DK-L-19"):
            eq(self.active().get_attribute("name"), "username", "focus")
            self.keys("alice", Keys.TAB, "a wrong password", Keys.ENTER)
            wait_for(lambda: self.driver.find_elements(
                "css selector", "[role=alert]"), 10, "the message")
            self.screenshot("wrong-password")
        with self.case("signed in by Tab and Enter, back at the page, query "
                       "intact", "DK-L-19 DK-O-03"):
            eq(self.active().get_attribute("name"), "password", "focus")
            self.keys(PASSWORD, Keys.TAB, Keys.TAB, Keys.ENTER)
            self.shows("private page", "the page")
            true(self.driver.current_url.endswith(PAGE), "URL " +
                 self.driver.current_url)
        self.cookie_in_jar()
        with self.case("a reload keeps the session and sends no form",
                       "DK-L-02"):
            self.driver.refresh()
            self.shows("private page", "the page")
        with self.case("a link from another site finds the session",
                       "DK-C-03"):
            self.driver.get("data:text/html,<a id=x href='%s'>go</a>" %
                            (self.stand.origin + "/private/"))
            self.driver.find_element("id", "x").send_keys(Keys.ENTER)
            self.shows("private page", "the page")
        self.sign_out(Keys)

    def choose(self, code, shown):
        """The list at the foot of the page, which posts to /language."""
        from selenium.webdriver.common.keys import Keys
        select = self.driver.find_element("id", "language")
        option = select.find_element("css selector", "[value=%s]" % code)
        select.send_keys(option.text, Keys.TAB)
        self.keys(Keys.ENTER)
        self.shows(shown, "the page in " + code)

    def cookie_in_jar(self):
        with self.case("the jar holds %s as it should" % self.cookie,
                       "DK-C-01 DK-C-02 DK-C-03 DK-C-13"):
            cookie = self.jar().get(self.cookie)
            true(cookie, "cookies: %r" % sorted(self.jar()))
            self.stand.secrets.add_cookie(cookie["value"])
            secure = self.stand.scheme == "https"
            eq((cookie["httpOnly"], cookie["secure"], cookie["sameSite"],
                cookie["path"], cookie["domain"]),
               (True, secure, "Lax", "/", "localhost"), "attributes")
            true("expiry" not in cookie, "it ends with the browser")
            eq(self.driver.execute_script("return document.cookie"), "",
               "what a script sees")

    def sign_out(self, keys):
        with self.case("the account page", "DK-S-15"):
            self.open(self.stand.url("/account"))
            self.shows("alice", "the account page")
            self.screenshot("account")
        with self.case("signed out by the keyboard", "DK-L-05"):
            self.open(self.stand.url("/logout"))
            self.driver.find_element(
                "css selector", "form button").send_keys(keys.ENTER)
            wait_for(lambda: self.driver.current_url.endswith("/login"), 10,
                     "the sign-in page")
            true(self.cookie not in self.jar(), "the cookie is gone")
        with self.case("the back button shows nothing private", "DK-L-08"):
            for _ in range(3):
                self.driver.back()
                time.sleep(0.3)
                true("private page" not in self.text(), "a private page")
                true("Where you are signed in" not in self.text(),
                     "the account page")
            self.open(PAGE)
            self.shows("Sign in", "the page")

    def screenshot(self, name):
        if self.axe is None:
            self.axe = Axe()
        eq(self.axe.wrong(self.driver), [], "what axe finds")
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.driver.save_screenshot(os.path.join(
                folder, "%s-%s.png" % (self.stand.scheme, name)))


def run(secrets, report):
    for kind, cookie in ((LighttpdSpawned, "doorkeep"),
                         (LighttpdTls, "__Host-doorkeep")):
        stand = kind(secrets)
        try:
            Visit(stand, report, cookie).run()
        finally:
            problems = stand.close()
        if problems:
            report.fail("chromium: nothing is left behind",
                        "\n".join(problems))
