"""Who must have a second factor gets no further without it: the site's key
require_second_factor, and rules with level=2."""

import base64
import hashlib
import hmac
import re
import struct
import time

from client import NAVIGATION
from harness import PASSWORD, eq, one_of, true
from servers import ApacheFcgid, LighttpdSpawned, Nginx
from stand import RULES

EXTRA = """
[security]
require_second_factor = group:board
"""


def code_of(seed, when=None):
    """RFC 6238."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    step = struct.pack("!Q", int((when or time.time()) // 30))
    mac = hmac.new(key, step, hashlib.sha1).digest()
    at = mac[-1] & 15
    number = struct.unpack("!I", mac[at:at + 4])[0] & 0x7fffffff
    return "%06d" % (number % 1000000)


def follow(browser, answer):
    """Where a 303 leads, as a browser goes."""
    for _ in range(5):
        if answer.status not in (302, 303):
            break
        answer = browser.get(answer.header("Location"))
    return answer


def one_server(kind, secrets, report):
    stand = kind(secrets, extra=EXTRA,
                 rules="\n/private/two/ = any; level=2" + RULES)
    stand.box.write("htdocs/private/two/index.html", "<!doctype html><p>two")
    name = stand.name + ": "
    try:
        stand.add_user("alice")
        stand.add_user("bob", PASSWORD, "--group", "board")
        stand.start()
        with report.case(name + "who must have a second factor gets no "
                         "further without", "DK-M-07 DK-L-10 DK-L-15",
                         stand.box):
            required(stand)
        with report.case(name + "level=2 leads to the second step and back",
                         "DK-L-10 DK-L-15", stand.box):
            level(stand)
        with report.case(name + "side doors without the second factor are "
                         "closed", "DK-M-07 DK-R-05 DK-S-20", stand.box):
            side_doors(stand)
    finally:
        problems = stand.close()
    with report.case(name + "enrolment leaves nothing behind", "DK-E-05"):
        eq(problems, [], "problems")


def enrol(browser, stand, answer):
    """From the account page to a second factor that is on."""
    form = [f for f in answer.page.forms
            if f.fields.get("action") == "factor_begin"][0]
    answer = browser.submit(form, {}, stand.url("/account"))
    seed = re.search(r"<code>([A-Z2-7]{32})</code>", answer.text).group(1)
    form = [f for f in answer.page.forms
            if f.fields.get("action") == "factor_confirm"][0]
    answer = browser.submit(form, {"totp_code": code_of(seed)},
                            stand.url("/account"))
    eq(answer.status, 200, "confirmed")
    return seed, answer


def required(stand):
    browser = stand.browser()
    answer = browser.get("/private/page.html?a=1&b=2")
    answer = browser.sign_in(answer.page, stand.url("/login"), "bob",
                             PASSWORD)
    eq(answer.status, 303, "sign-in")
    answer = follow(browser, answer)
    true("asks for a second step" in answer.text, answer.text[-2000:])
    for path in ("/private/", "/private/page.html"):
        got = browser.request("GET", path, NAVIGATION)
        true("private page" not in got.text, path + " is open")
    eq(browser.fetch(stand.url("/session")).status, 403, "/session")
    eq(browser.fetch(stand.url("/check")).status, 403, "/check")
    bob_seed, answer = enrol(browser, stand, answer)
    stand.bob_seed = bob_seed
    true('href="/private/page.html?a=1&amp;b=2"' in answer.text,
         "the way back")
    answer = browser.get("/private/page.html?a=1&b=2")
    true("private page" in answer.text, "the page at last")
    eq(browser.fetch(stand.url("/session")).status, 200, "/session")


def level(stand):
    browser = stand.signed_in("alice")
    true("private page" in browser.get("/private/").text, "level 1 will do")
    answer = follow(browser, browser.get("/private/two/"))
    true("<p>two" not in answer.text, "it is open")
    true("asks for a second step" in answer.text, "the way to set it up")
    stand.alice_seed, answer = enrol(browser, stand, answer)
    true('href="/private/two/"' in answer.text, "the way back")
    true("<p>two" in browser.get("/private/two/").text, "the page")


def second_step(browser, stand, answer, seed):
    form = answer.page.form_with("totp_code")
    # The code of enrolment is used up; the next one will do (one step).
    return browser.submit(form, {"totp_code": code_of(
        seed, time.time() + 30)}, stand.url("/second-factor"))


def side_doors(stand):
    # A sign-in that stops at the password is no session anywhere.
    browser = stand.browser()
    answer = browser.get("/private/")
    answer = browser.sign_in(answer.page, stand.url("/login"), "bob",
                             PASSWORD, remember=True)
    true("totp_code" in answer.text, "the second step")
    for path in ("/private/", "/private/two/"):
        true("<p>" + "private page" not in browser.get(path).text, path)
    eq(browser.fetch(stand.url("/session")).status, 401, "/session")
    eq(browser.fetch(stand.url("/account")).status, 401, "/account")
    answer = second_step(browser, stand, answer, stand.bob_seed)
    eq(answer.status, 303, "the second step")
    true("private page" in browser.get("/private/").text, "in")
    # JSON with the password alone, and a link to a new password.
    program = stand.browser()
    answer = program.post_json(stand.url("/login"), {
        "username": "bob", "password": PASSWORD})
    eq((answer.status, answer.json["error"]),
       (401, "second_factor_required"), "JSON")
    link = stand.admin_json("user", "passwd", "bob", "--link")["link"]
    other = stand.browser()
    answer = follow(other, other.get(link[len(stand.origin):]))
    answer = other.submit(answer.page.form_with("new_password"),
                          {"new_password": PASSWORD + " two"},
                          stand.url("/set-password"))
    answer = follow(other, answer)
    answer = other.sign_in(answer.page, stand.url("/login"), "bob",
                           PASSWORD + " two")
    one_of(answer.status, (200,), "after the link")
    true("totp_code" in answer.text, "the link does not stand in for it")
    # Without its factor the account is back where it began.
    stand.admin("user", "factor", "bob", "--remove")
    again = stand.signed_in("bob", PASSWORD + " two")
    true("private page" not in follow(again, again.get("/private/")).text,
         "open without a factor")


def run(secrets, report):
    for kind in (LighttpdSpawned, ApacheFcgid, Nginx):
        one_server(kind, secrets, report)
