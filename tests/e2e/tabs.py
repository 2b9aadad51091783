"""Twenty tabs are restored at once, long after the session is over.  Each
shows the form of sign-in; after one sign-in all of them end well, whether the
person sends the form of a tab or loads it again."""

import threading

from harness import PASSWORD, eq, true, wait_for
from servers import ApacheFcgid, LighttpdSpawned, Nginx

TABS = 20


def restored(stand, browser):
    """The tabs ask with the cookies from before; what is set comes later."""
    tabs = [stand.browser() for _ in range(TABS)]
    for tab in tabs:
        tab.jar.cookies = dict(browser.jar.cookies)
    answers = [None] * TABS

    def load(n):
        answers[n] = tabs[n].get(path(n))
    threads = [threading.Thread(target=load, args=(n,)) for n in range(TABS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for tab in tabs:
        browser.jar.cookies.update(tab.jar.cookies)
    return answers


def path(n):
    return "/private/page.html?tab=%d&x=%%26" % n


def all_end_well(stand, browser):
    answers = restored(stand, browser)
    eq([a.status for a in answers], [401] * TABS, "statuses")
    first = TABS // 2
    done = browser.sign_in(answers[first].page, path(first), "alice",
                           PASSWORD)
    eq((done.status, done.header("Location")), (303, path(first)),
       "the one sign-in")
    session = browser.jar.session()
    for n, answer in enumerate(answers):
        if n % 2 == 0 and n != first:   # these are sent
            done = browser.sign_in(answer.page, path(n), "alice", "")
            eq((done.status, done.header("Location")), (303, path(n)),
               "tab %d" % n)
        eq(browser.get(path(n)).status, 200, "tab %d, loaded" % n)
    eq(browser.jar.session(), session, "still the one session")
    eq(stand.sql("SELECT count(*) FROM active_sessions"), "1", "sessions")


def one(kind, secrets, report):
    stand = kind(secrets)
    name = "tabs, %s: " % stand.name
    try:
        stand.add_user("alice", PASSWORD)
        stand.start()
        for remembered in (True, False):
            with report.case(name + "twenty restored at once end well after "
                             "one sign-in%s" % (
                                 "" if remembered else ", of a browser that "
                                 "has not signed in before by form"),
                             "DK-L-15", stand.box):
                browser = stand.signed_in()
                if remembered:
                    true(any(c.endswith("-device")
                             for c in browser.jar.cookies), "a known browser")
                else:
                    browser.jar.cookies = {
                        c: v for c, v in browser.jar.cookies.items()
                        if not c.endswith("-device")}
                stand.sql("DELETE FROM active_sessions")
                wait_for(lambda b=browser: not stand.is_signed_in(b), 5,
                         "the session is over")
                all_end_well(stand, browser)
                stand.sql("DELETE FROM active_sessions")
    finally:
        problems = stand.close()
    with report.case(name + "nothing is left behind", "DK-E-05"):
        eq(problems, [], "problems")


def run(secrets, report):
    for kind in (Nginx, LighttpdSpawned, ApacheFcgid):
        one(kind, secrets, report)
