"""Every page in every state, as people meet it: what axe finds, at 320 pixels
as at 400 % zoom, in light and dark, from left and from right; nothing wider
than a phone in any language; fields that password managers and phones know;
errors that are tied to what they speak of."""

import time

from axe import Axe
from gallery import Gallery
from harness import eq, true
from states import LANGUAGES, States

# WCAG 2.2, 1.4.10: no scrolling to the side at 320 pixels.
NARROW, PHONE = 320, 360
# A table scrolls in a frame of its own; all else has to fit.
WIDE = """
const wide = document.documentElement.clientWidth, found = [];
if (document.documentElement.scrollWidth > wide)
	found.push("the page is " + document.documentElement.scrollWidth);
let at = "";
for (const e of document.body.querySelectorAll("*")) {
	const id = e.getAttribute("id") || "";	// e.id may be a field
	at = id.startsWith("at-") ? id : at;
	if (e.closest(".scroll table, svg, select") || !e.checkVisibility())
		continue;
	const box = e.getBoundingClientRect();
	if (box.right > wide + 1 || box.left < -1 ||
			(e.tagName == "BUTTON" && e.scrollWidth > e.clientWidth))
		found.push(at + ": " + e.outerHTML.slice(0, 80));
}
return found;
"""
# What a field is for, as WCAG 1.3.5 and password managers want it.
PURPOSES = {"username": "username", "password": "current-password",
            "current_password": "current-password",
            "new_password": "new-password", "totp_code": "one-time-code"}
# A page that shows what has gone wrong, and the fields that it speaks of.
ERRORS = {
    "wrong-password": ["username", "password"],
    "second-step-wrong": ["totp_code"],
    "set-password-short": ["new_password"],
    "set-password-common": ["new_password"],
    "account-wrong-password": ["current_password"],
    "account-short-password": ["new_password"],
    "enrol-wrong-code": ["totp_code"],
    "desk-taken": ["username"],
    "desk-address": ["address"],
}
# These speak of no field: to type it again is no use.
TOLD = {"throttled", "stale-form", "second-step-late", "account-must-enrol"}
# These answer a POST that another language could not repeat.
ONE_LANGUAGE = {"kept-form", "signed-out-while-typing"}


class Pages:
    def __init__(self, secrets, report):
        self.report = report
        self.site, self.gallery, self.axe = States(secrets), None, None

    def case(self, name, ids=""):
        return self.report.case("pages: " + name, ids, self.site.stand.box)

    def run(self):
        try:
            with self.case("a site, and a browser"):
                self.site.start()
                self.gallery, self.axe = Gallery(), Axe()
            if self.axe is not None:
                self.languages()
                self.fields()
                self.errors()
                self.looks()
        finally:
            if self.gallery is not None:
                self.gallery.close()
            problems = self.site.close()
        with self.case("nothing is left behind", "DK-E-05"):
            eq(problems, [], "problems")
            eq(self.site.stand.check.wrong[:10], [], "headers")

    def languages(self):
        """All states in a language, and nothing that is too wide."""
        for language in LANGUAGES:
            with self.case("%s: every state, none wider than a phone" %
                           language):
                answers = self.site.all(language)
                true(len(answers) > 50, "states: %d" % len(answers))
                self.gallery.add(language, answers)
                if language == "en":
                    self.english = answers
                    self.gallery.add_files(self.site.reader(),
                                           answers["sign-in"].page)
                eq(set(answers), set(self.english), "states")
                eq(self.too_wide(language, answers), [], "too wide")

    def too_wide(self, language, answers):
        self.gallery.media()
        self.gallery.size(NARROW)
        self.gallery.show("/%s/sign-in" % language)
        shown, wrong = "", []
        for name, answer in answers.items():
            head, _, body = answer.text.partition("<body>\n")
            shown = (shown or head + "<body>") + "<b id='at-%s'></b>%s" % (
                name, body.partition("</body>")[0])
        # One below the other, in one go.
        self.gallery.put(shown + "</body></html>")
        for width in NARROW, PHONE:
            self.gallery.size(width)
            wrong += ["%d: %s" % (width, what) for what
                      in self.gallery.driver.execute_script(WIDE)]
        eq(self.gallery.driver.execute_script(
            "return document.querySelectorAll('main').length"), len(answers),
           "pages")
        return wrong

    def looks(self):
        """axe: all of it in English and in Arabic on a phone, the contrast
        of colours in the dark too."""
        self.gallery.size(NARROW)
        for language, scheme, rules in (("en", "light", None),
                                        ("ar", "light", None),
                                        ("en", "dark", ["color-contrast"])):
            with self.case("axe finds nothing on any page: %s, %s, 320 "
                           "pixels" % (language, scheme)):
                self.gallery.media(prefers_color_scheme=scheme)
                wrong, before = [], self.axe.pages
                self.gallery.show("/%s/sign-in" % language)
                for name in self.english:
                    self.gallery.put(self.gallery.pages["/%s/%s" % (
                        language, name)].text)
                    wrong += ["%s: %s" % (name, w) for w in
                              self.axe.wrong(self.gallery.driver, rules)]
                eq(wrong, [], "what axe finds")
                eq(self.axe.pages - before, len(self.english), "pages")

    def fields(self):
        with self.case("each field says what it is for, as password managers "
                       "and phones ask", "DK-W-11"):
            seen = set()
            for name, answer in self.english.items():
                for form in answer.page.forms:
                    if form.action.startswith("/auth/admin"):
                        continue
                    seen |= self.purposes(name, form)
            eq(seen, set(PURPOSES), "fields that were met")
        with self.case("every page offers the languages but where what was "
                       "typed would be lost"):
            for name, answer in self.english.items():
                offers = any(f.action.endswith("/language")
                             for f in answer.page.forms)
                eq(offers, name not in ONE_LANGUAGE, name)

    def purposes(self, name, form):
        met = set()
        for field, wanted in PURPOSES.items():
            a = form.attributes.get(field)
            if a is None or a.get("type") == "hidden":
                continue
            met.add(field)
            eq(a.get("autocomplete"), wanted, "%s, %s" % (name, field))
            if field == "totp_code":
                eq((a.get("inputmode"), a.get("type")), ("numeric", "text"),
                   "%s, keyboard of the code" % name)
            elif field != "username":
                eq(a.get("type"), "password", "%s, %s" % (name, field))
        return met

    def errors(self):
        with self.case("an error is announced, tied to its fields, and the "
                       "focus is there", "DK-L-19"):
            for name, fields in ERRORS.items():
                tags = self.english[name].page.tags
                told = [a for _, a in tags if a.get("role") == "alert"]
                eq([a.get("id") for a in told], ["problem"], name)
                tied = [a for _, a in tags if a.get("aria-invalid") == "true"]
                eq([a.get("name") for a in tied], fields, name)
                for a in tied:
                    true("problem" in a.get("aria-describedby", "").split(),
                         "%s: %s is not described" % (name, a.get("name")))
            with_focus = [n for n in ERRORS if not n.startswith("desk")]
            for name in with_focus:
                self.gallery.show("/en/" + name)
                end = time.monotonic() + 5
                while True:
                    at = self.gallery.driver.execute_script(
                        "return document.activeElement.name")
                    if at == ERRORS[name][-1] or time.monotonic() > end:
                        break
                    time.sleep(0.02)
                eq(at, ERRORS[name][-1], name + ", focus")
        with self.case("no other field is marked, no other page alarms"):
            for name in set(self.english) - set(ERRORS):
                tags = self.english[name].page.tags
                eq([a for _, a in tags if "aria-invalid" in a], [], name)
                eq(len([a for _, a in tags if a.get("role") == "alert"]),
                   name in TOLD, name)


def run(secrets, report):
    Pages(secrets, report).run()
