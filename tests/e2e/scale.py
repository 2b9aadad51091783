"""How long the desk's pages take in a large store: the time from the request
to the last byte, through a real web server.  bench/desk.py runs it with
100,000 people and 1,000,000 sessions, the end-to-end tests with fewer."""

import json
import os
import statistics
import time

from harness import PASSWORD, true
from servers import LighttpdSpawned

SMALL = {"people": 5000, "sessions": 50000, "events": 50000}
FULL = {"people": 100000, "sessions": 1000000, "events": 1000000}
DAY = 86400000

# Everybody in `everybody`, a hundredth in `board`, ten in `few`; a fiftieth
# disabled; half of all sessions from one address; a month of sign-ins, a
# tenth of them failures, and their hours counted as housekeeping does it.
FILL = """
PRAGMA synchronous = OFF;
PRAGMA cache_size = -400000;
BEGIN;
CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
INSERT INTO n WITH RECURSIVE c (i) AS (
    SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {most}) SELECT i FROM c;
INSERT INTO users (id, username, username_key, display_name, email,
       password_hash, disabled, disabled_at, created_at)
SELECT i, printf('person%06d', i), printf('person%06d', i),
       CASE i % 3 WHEN 0 THEN 'Ada' WHEN 1 THEN 'Bela' ELSE 'Chris' END ||
       printf(' No. %d', i), printf('p%d@example.org', i), 'x', i % 50 = 0,
       CASE i % 50 WHEN 0 THEN {now} END, {now} - 40 * {day}
  FROM n WHERE i <= {people};
INSERT INTO user_groups SELECT i, 'everybody' FROM n WHERE i <= {people};
INSERT INTO user_groups SELECT i, 'board' FROM n
 WHERE i <= {people} AND i % 100 = 0;
INSERT INTO user_groups SELECT i, 'few' FROM n WHERE i <= 10;
INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at,
       last_seen_at, expires_at, idle_timeout, level, remember, ip,
       user_agent, host)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' ||
             substr(hex(randomblob(2)), 2) || '-a' ||
             substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))) AS id,
       randomblob(32), 1 + i % {people}, {now} - i * {step}, {now}, {now},
       {now} + {day}, 0, 1, 0,
       CASE i % 2 WHEN 0 THEN '192.0.2.1' ELSE
            '198.51.' || (i / 512 % 200) || '.' || (i / 2 % 256) END,
       'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0', 'localhost'
  FROM n WHERE i <= {sessions} AND (1 + i % {people}) % 50 <> 0
 ORDER BY 1;
INSERT INTO events (at, event, outcome, username, ip, actor)
SELECT {now} - ({events} - i) * ({month} / {events}), 'sign_in',
       CASE i % 10 WHEN 0 THEN 'failure' ELSE 'success' END,
       printf('person%06d', 1 + i % {people}),
       CASE i % 2 WHEN 0 THEN '192.0.2.1' ELSE '198.51.7.' || (i % 256) END,
       'web' FROM n WHERE i <= {events};
INSERT INTO hours (hour, sign_ins, failures, counted)
SELECT at / 3600000 * 3600000, sum(outcome = 'success'),
       sum(outcome = 'failure'), 1
  FROM events WHERE at < {now} / 3600000 * 3600000 GROUP BY 1;
INSERT INTO session_samples (at, live)
SELECT {now} / 900000 * 900000 - i * 900000, {sessions} - i FROM n
 WHERE i <= 2880;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
"""


class Scale:
    def __init__(self, secrets, size):
        self.size = size
        self.stand = LighttpdSpawned(
            secrets, extra="\n[admin]\ngroup = admins\n")
        self.browser = None

    def start(self):
        self.stand.add_user("admin", PASSWORD, "--group", "admins")
        self.now = int(time.time() * 1000)
        month = 30 * DAY
        path = self.stand.box.write("tmp/fill.sql", FILL.format(
            now=self.now, day=DAY, month=month,
            most=max(3000, *self.size.values()),
            step=month // self.size["sessions"], **self.size))
        self.stand.box.run(["sqlite3", self.stand.database, ".read " + path],
                           timeout=600)
        self.stand.start()
        self.browser = self.stand.signed_in("admin")

    def pages(self):
        """Name and address of each page; the deep ones lie in the middle."""
        middle = "at=%d&id=ffffffff-ffff-4fff-bfff-ffffffffffff" % (
            self.now - 15 * DAY)
        deep = "person%06d" % (self.size["people"] // 2 + 1)
        return [
            ("overview, day", "/admin"),
            ("overview, week", "/admin?span=week"),
            ("overview, month", "/admin?span=month"),
            ("people", "/admin/people"),
            ("people, in the middle", "/admin/people?after=" + deep),
            ("people, one found", "/admin/people?search=" + deep),
            ("people, a third found", "/admin/people?search=bela"),
            ("people, nobody found", "/admin/people?search=zz"),
            ("people, a large group", "/admin/people?group=everybody"),
            ("people, a small group", "/admin/people?group=few"),
            ("people, disabled", "/admin/people?state=disabled"),
            ("people, all filters", "/admin/people?state=disabled&group=board"
             "&search=chris"),
            ("one person", "/admin/person?name=" + deep),
            ("sessions", "/admin/sessions"),
            ("sessions, in the middle", "/admin/sessions?" + middle),
            ("sessions of a person", "/admin/sessions?user=" + deep),
            ("sessions from a busy address",
             "/admin/sessions?address=192.0.2.1"),
            ("sessions from a rare address",
             "/admin/sessions?address=198.51.7.8"),
            ("sessions, old", "/admin/sessions?older=7d"),
            ("sessions, old, in the middle",
             "/admin/sessions?older=7d&" + middle),
            ("sessions, end all?", "/admin/sessions?ask=all"),
            ("sessions, end the old?", "/admin/sessions?older=7d&ask=all"),
            ("events", "/admin/events"),
            ("events, in the middle", "/admin/events?at=%d&id=%d" % (
                self.now - 15 * DAY, self.size["events"] // 2)),
            ("events of a person", "/admin/events?user=" + deep),
            ("events from a busy address",
             "/admin/events?address=192.0.2.1"),
            ("events, failures", "/admin/events?outcome=failure"),
            ("events, of a kind", "/admin/events?event=user_added"),
            ("events, two filters", "/admin/events?event=sign_in&outcome="
             "failure&address=192.0.2.1"),
            ("events, download", "/admin/events.jsonl"),
        ]

    def measure(self, runs):
        """Rows of name, fastest, median and worst milliseconds, bytes."""
        rows = []
        for name, route in self.pages():
            took, answer = [], None
            for _ in range(runs):
                begun = time.monotonic()
                answer = self.browser.get(self.stand.url(route))
                took.append((time.monotonic() - begun) * 1000)
                true(answer.status == 200, "%s: %r" % (route, answer))
            rows.append((name, min(took), statistics.median(took), max(took),
                         len(answer.body), answer))
        return rows

    def close(self):
        return self.stand.close()


def run(secrets, report):
    """A page takes no longer for what lies behind it.  The fastest of five
    counts, for the machine has other things to do, too."""
    scale = Scale(secrets, SMALL)
    try:
        with report.case("desk: %(people)d people, %(sessions)d sessions and "
                         "%(events)d events are there" % SMALL, "",
                         scale.stand.box):
            scale.start()
        if scale.browser is not None:
            with report.case("desk: each page of a large store within 100 ms",
                             "", scale.stand.box):
                check(scale)
    finally:
        problems = scale.close()
    if problems:
        report.fail("desk: nothing is left behind", "\n".join(problems))


def check(scale):
    rows = scale.measure(5)
    slow = ["%s: %.0f ms" % row[:2] for row in rows if row[1] > 100]
    true(not slow, "; ".join(slow))
    pages = {row[0]: row[5] for row in rows}
    # What was timed has found something: a page of rows, not an empty one.
    for name in ("people", "people, in the middle", "people, a third found",
                 "people, a large group", "people, disabled", "sessions",
                 "sessions, in the middle", "sessions from a busy address",
                 "sessions, old, in the middle", "events",
                 "events, in the middle", "events, failures",
                 "events from a busy address", "events, two filters"):
        count = pages[name].text.count("</tr>") - 1
        true(count == 50, "%s has %d rows" % (name, count))
    for name in ("people, one found", "people, a small group",
                 "people, all filters", "sessions of a person",
                 "sessions from a rare address", "events of a person"):
        true("<tbody><tr>" in pages[name].text, name + " finds nobody")
    lines = pages["events, download"].text.strip().split("\n")
    times = [json.loads(line)["at"] for line in lines]
    true(len(lines) > 1000 and times == sorted(times, reverse=True),
         "%d lines, newest first" % len(lines))


def table(rows):
    text = "%-32s %8s %8s %8s %8s\n" % ("page, ms", "fastest", "median",
                                        "worst", "bytes")
    for row in rows:
        text += "%-32s %8.1f %8.1f %8.1f %8d\n" % row[:5]
    return text


def store_size(scale):
    return os.path.getsize(scale.stand.database)
