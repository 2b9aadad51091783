"""Every answer of doorkeep in the whole run passes here (DK-H, DK-C)."""

from client import Cookie
from harness import eq, true

CSP = ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
       "form-action 'self'")


class HeaderCheck:
    """Collects what is wrong; the report has one case for it."""

    def __init__(self, mount, secrets):
        self.mount, self.secrets = mount, secrets
        self.seen, self.wrong = 0, []

    def __call__(self, answer, method, path, secure):
        if not self.is_ours(answer, method, path):
            return
        self.seen += 1
        for rule in (policy, content, caching, cookies, extras):
            try:
                rule(answer, method, secure)
            except AssertionError as e:
                self.note(answer, str(e))
        self.no_secret(answer)

    def is_ours(self, answer, method, path):
        """What the web server says by itself (413, 501 …) is not."""
        if answer.header("Content-Security-Policy"):
            return True
        if method == "TRACE" or "%00" in path:
            return False
        below = path.startswith(self.mount + "/")
        return below and answer.status in (200, 204, 303, 401, 403, 404, 405)

    def note(self, answer, text):
        text = "%r: %s" % (answer, text)
        if text not in self.wrong:
            self.wrong.append(text)

    def no_secret(self, answer):
        """DK-S-05, DK-L-01: no session secret outside of Set-Cookie."""
        rest = answer.body + "\n".join(
            value for name, value in answer.headers
            if name.lower() != "set-cookie").encode("latin-1", "replace")
        for needle, what in self.secrets.needles.items():
            if needle in rest:
                self.note(answer, "a %s stands in the answer" % what)


def policy(answer, _method, secure):
    csp = answer.header("Content-Security-Policy") or ""
    for part in CSP:
        true(part in csp, "DK-H-01: %s is not in %r" % (part, csp))
    true("unsafe-inline" not in csp, "DK-H-01: unsafe-inline")
    eq(answer.header("X-Content-Type-Options"), "nosniff", "DK-H-03")
    true(answer.header("Referrer-Policy") in ("same-origin", "no-referrer"),
         "DK-H-04: Referrer-Policy")
    eq(answer.header("Cross-Origin-Opener-Policy"), "same-origin", "DK-H-05")
    eq(answer.header("Cross-Origin-Resource-Policy"), "same-origin",
       "DK-H-05")
    eq(answer.header("X-Frame-Options"), "DENY", "DK-H-11")
    true("noindex" in (answer.header("X-Robots-Tag") or ""), "DK-H-11")
    if not secure:
        eq(answer.header("Strict-Transport-Security"), None, "DK-H-07")


def content(answer, method, _secure):
    kind = answer.header("Content-Type")
    if answer.body:
        true(kind and "charset=utf-8" in kind.lower() or
             kind and kind.startswith("image/"),
             "DK-H-03: Content-Type is %r" % kind)
    if method == "HEAD":
        eq(answer.body, b"", "DK-H-12: body of HEAD")
    if answer.status == 405:
        true(answer.header("Allow"), "DK-I-11: 405 without Allow")


def caching(answer, _method, _secure):
    # A list: behind nginx's gate an application's own and the gate's.
    control = ", ".join(answer.all("Cache-Control"))
    static = "immutable" in control or "max-age=" in control
    if not static:
        true("no-store" in control, "DK-H-06: Cache-Control %r" % control)
        true("cookie" in (", ".join(answer.all("Vary"))).lower(),
             "DK-H-10: Vary")
    if answer.all("Set-Cookie"):
        true("no-store" in control, "DK-C-14: Set-Cookie, no no-store")
        true(not static, "DK-C-14: Set-Cookie on a static answer")


def cookies(answer, _method, secure):
    names = set()
    for line in answer.all("Set-Cookie"):
        cookie = Cookie(line)
        true(cookie.name not in names, "DK-C-05: two cookies of one name")
        names.add(cookie.name)
        eq(cookie.attributes.get("path"), "/", "DK-C-01: Path")
        true(not cookie.has("domain"), "DK-C-01: Domain")
        true(cookie.has("httponly"), "DK-C-02: HttpOnly")
        true(cookie.attributes.get("samesite") in ("Lax", "Strict"),
             "DK-C-03: SameSite")
        eq(cookie.has("secure"), secure, "DK-C-01: Secure")
        eq(cookie.name.startswith("__Host-"), secure, "DK-C-13: __Host-")
        age = cookie.attributes.get("max-age")
        true(age is None or int(age) <= 34560000, "DK-C-06: Max-Age")
        if cookie.erases:
            eq(cookie.value, "", "DK-C-07: value of a deletion")
            true("1970" in cookie.attributes.get("expires", ""),
                 "DK-C-07: Expires of a deletion")


def extras(answer, _method, _secure):
    for name, value in answer.headers:
        low = name.lower()
        true(not low.startswith("access-control-allow"), "DK-X-08: " + name)
        true(low not in ("x-powered-by", "x-xss-protection", "status"),
             "DK-H-09: " + name)
        true("doorkeep/" not in value.lower(), "DK-H-09: version in " + name)
