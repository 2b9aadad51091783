"""The store is away: every server says 503 and when to come back, soon, to
everybody; nobody is let in or sent elsewhere, no cookie changes; and when the
store is back all goes on without a restart."""

import os
import time

import servers
from harness import PASSWORD, eq, true, wait_for

BOUND = 20  # seconds (INTERFACE 9)


def closed(stand, browser, who, path):
    before = dict(browser.jar.cookies)
    start = time.monotonic()
    answer = browser.get(path)
    took = time.monotonic() - start
    true(took < BOUND, "%s waited %.1f s" % (who, took))
    eq(answer.status, 503, "%s at %s" % (who, path))
    true((answer.header("Retry-After") or "").isdigit(),
         "%s: Retry-After at %s" % (who, path))
    eq(answer.header("Location"), None, "no redirect")
    eq(answer.all("Set-Cookie"), [], "the cookies are left alone")
    true("private page" not in answer.text, "the page stays closed")
    eq(browser.jar.cookies, before, "the jar")


def one(kind, secrets, report):
    stand = kind(secrets)
    name = "store away, %s: " % stand.name
    var = stand.box.path("var")
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        known = stand.signed_in()
        with report.case(name + "503 with Retry-After, bounded, no redirect, "
                         "no cookie touched", "DK-A-04", stand.box):
            os.rename(var, var + ".away")
            try:
                paths = ["/private/page.html"] if stand.gate else []
                for path in paths + [stand.url("/account")]:
                    closed(stand, known, "somebody signed in", path)
                answer = stand.browser().get("/private/page.html") \
                    if stand.gate else None
                true(answer is None or answer.status in (401, 503),
                     "a stranger is not let in: %r" % answer)
            finally:
                os.rename(var + ".away", var)
        with report.case(name + "goes on when the store is back", "DK-A-04",
                         stand.box):
            wait_for(lambda: stand.is_signed_in(known), 5, "signed in still")
            if stand.gate:
                wait_for(lambda: "private page" in known.get(
                    "/private/page.html").text, 5, "the page")
    finally:
        problems = stand.close()
    with report.case(name + "nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")


def run(secrets, report):
    for kind in servers.ALL:
        one(kind, secrets, report)
