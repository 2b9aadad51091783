"""A browser as strict as the standards ask: cookies by RFC 6265bis (with
__Host- and __Secure-), forms by html.parser, every answer looked over."""

import http.client
import html.parser
import json
import re
import socket
import ssl
import urllib.parse

from harness import eq, true

COOKIE_VALUE = re.compile(r"^[A-Za-z0-9_.-]*$")
NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "User-Agent": "Mozilla/5.0 (doorkeep tests)",
}


class Form:
    def __init__(self, action, method):
        self.action, self.method, self.fields = action, method.upper(), {}
        self.types, self.attributes, self.buttons = {}, {}, []


class Page(html.parser.HTMLParser):
    """The forms, labels and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.labels, self.text, self.tags = [], set(), "", []
        self.area = None    # the text area that is being read
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = {name: value or "" for name, value in attrs}
        self.tags.append((tag, a))
        if tag == "form":
            self.forms.append(Form(a.get("action", ""),
                                   a.get("method", "get")))
        elif tag == "label":
            self.labels.add(a.get("for", ""))
        elif tag in ("input", "button") and self.forms:
            self._control(tag, a)
        elif tag == "textarea" and self.forms:
            self.area = a.get("name", "")
            self.forms[-1].fields[self.area] = ""

    def _control(self, tag, a):
        form, kind = self.forms[-1], a.get("type", "text")
        if tag == "button" or kind == "submit":
            form.buttons.append((a.get("name", ""), a.get("value", "")))
            return
        name = a.get("name", "")
        form.types[name], form.attributes[name] = kind, a
        if kind != "checkbox" or "checked" in a:
            form.fields[name] = a.get("value", "")

    def handle_endtag(self, tag):
        if tag == "textarea" and self.area is not None:
            fields, self.area = self.forms[-1].fields, None
            # The first line feed goes; lines end in CR LF when sent.
            value = fields[next(reversed(fields))]
            value = value[1:] if value.startswith("\n") else value
            fields[next(reversed(fields))] = re.sub("\r\n?|\n", "\r\n",
                                                    value)

    def handle_data(self, data):
        self.text += data
        if self.area is not None:
            self.forms[-1].fields[self.area] += data

    def form_with(self, field):
        for form in self.forms:
            if field in form.fields:
                return form
        raise AssertionError("no form with a field %r" % field)


class Answer:
    def __init__(self, status, reason, headers, body, request):
        self.status, self.reason = status, reason
        self.headers, self.body, self.request = headers, body, request

    def header(self, name):
        """The one value of a header; None when it is absent."""
        values = self.all(name)
        true(len(values) < 2, "two headers %s: %r" % (name, values))
        return values[0] if values else None

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def page(self):
        return Page(self.text)

    def __repr__(self):
        return "<%d %s for %s>" % (self.status, self.reason, self.request)


class Cookie:
    """One Set-Cookie line, refused when it is malformed (DK-C-05)."""

    def __init__(self, line):
        parts = [p.strip() for p in line.split(";")]
        self.name, equals, self.value = parts[0].partition("=")
        true(equals and self.name, "nameless cookie: " + line)
        true(COOKIE_VALUE.match(self.value), "odd cookie value")
        self.attributes = {}
        for part in parts[1:]:
            name, _, value = part.partition("=")
            true(name.lower() not in self.attributes,
                 "attribute %s twice in Set-Cookie" % name)
            self.attributes[name.lower()] = value

    def has(self, name):
        return name in self.attributes

    @property
    def erases(self):
        age = self.attributes.get("max-age")
        return age is not None and int(age) <= 0

    def allowed(self, secure):
        """Would a browser store it (or let it erase)?"""
        lower = self.name.lower()
        if (self.has("secure") or lower.startswith("__")) and not secure:
            return False
        if lower.startswith("__secure-") and not self.has("secure"):
            return False
        if lower.startswith("__host-"):
            return self.has("secure") and not self.has("domain") and \
                self.attributes.get("path") == "/"
        return True


class Jar:
    """Cookies of one host; all of ours have Path=/."""

    def __init__(self):
        self.cookies = {}

    def take(self, answer, secure):
        for line in answer.all("Set-Cookie"):
            cookie = Cookie(line)
            true(cookie.allowed(secure),
                 "a browser would drop this cookie: " + cookie.name)
            eq(cookie.attributes.get("path"), "/", "Path of the cookie")
            if cookie.erases:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value

    def header(self):
        return "; ".join("%s=%s" % pair for pair in self.cookies.items())

    def session(self):
        """The value of the session's cookie, or None."""
        for name in ("__Host-doorkeep", "doorkeep"):
            if name in self.cookies:
                return self.cookies[name]
        return None


class Browser:
    """One person's browser.  check, if given, is called with each answer."""

    def __init__(self, origin, check=None, secrets=None, connect=None):
        parts = urllib.parse.urlsplit(origin)
        self.origin, self.host = origin, parts.netloc
        self.secure = parts.scheme == "https"
        self.port = parts.port or (443 if self.secure else 80)
        self.connect_to = connect or "127.0.0.1"
        self.jar, self.check, self.secrets = Jar(), check, secrets
        self.timeout = 30

    def _connection(self):
        if not self.secure:
            return http.client.HTTPConnection(self.connect_to, self.port,
                                              timeout=self.timeout)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(
            self.connect_to, self.port, timeout=self.timeout, context=context)

    def request(self, method, path, headers=None, body=None, chunked=False,
                cookies=True):
        """Send it as it is; nothing is followed."""
        head = {"Host": self.host}
        if cookies and self.jar.cookies:
            head["Cookie"] = self.jar.header()
        head.update(headers or {})
        head = {k: v for k, v in head.items() if v is not None}
        connection = self._connection()
        try:
            connection.putrequest(method, path, skip_host=True,
                                  skip_accept_encoding=True)
            if chunked:
                head["Transfer-Encoding"] = "chunked"
            elif body is not None and "Content-Length" not in head:
                head["Content-Length"] = str(len(body))
            for name, value in head.items():
                for each in value if isinstance(value, list) else [value]:
                    connection.putheader(name, each)
            self._send(connection, body, chunked)
            raw = connection.getresponse()
            answer = Answer(raw.status, raw.reason, raw.getheaders(),
                            raw.read(), "%s %s" % (method, path))
        finally:
            connection.close()
        return self._took(answer, method, path)

    @staticmethod
    def _send(connection, body, chunked):
        try:
            connection.endheaders(body if not chunked else iter([body]),
                                  encode_chunked=chunked)
        except (BrokenPipeError, ConnectionResetError):
            pass  # an early answer to a body that is too long

    def _took(self, answer, method, path):
        if self.check is not None:
            self.check(answer, method, path, self.secure)
        self.jar.take(answer, self.secure)
        if self.secrets is not None and self.jar.session():
            self.secrets.add_cookie(self.jar.session())
        return answer

    # -- as a person would --
    def get(self, path, site="none", **headers):
        head = dict(NAVIGATION)
        head["Sec-Fetch-Site"] = site
        head.update({k.replace("_", "-"): v for k, v in headers.items()})
        return self.request("GET", path, head)

    def fetch(self, path, method="GET", body=None, more=None):
        """As a script of the site does: fetch()."""
        head = {"Accept": "*/*", "Sec-Fetch-Mode": "cors",
                "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
        if method != "GET":
            head["Origin"] = self.origin
        head.update(more or {})
        return self.request(method, path, head, body)

    def post_form(self, path, fields, more=None, chunked=False):
        head = dict(NAVIGATION)
        head.update({"Sec-Fetch-Site": "same-origin", "Origin": self.origin,
                     "Content-Type": "application/x-www-form-urlencoded"})
        head.update(more or {})
        body = urllib.parse.urlencode(fields).encode()
        return self.request("POST", path, head, body, chunked)

    def post_json(self, path, value, more=None):
        """As a program does: no Origin, no Sec-Fetch-*."""
        head = {"Content-Type": "application/json",
                "Accept": "application/json"}
        head.update(more or {})
        return self.request("POST", path, head, json.dumps(value).encode())

    def submit(self, form, changes, base):
        """Fill in a form and send it; base is the page's own path."""
        fields = dict(form.fields)
        fields.update(changes)
        action = urllib.parse.urljoin(base, form.action) if form.action \
            else base
        return self.post_form(action, fields)

    def sign_in(self, page, base, username, password, **more):
        form = page.form_with("password")
        return self.submit(form, {"username": username, "password": password,
                                  **more}, base)


def raw_exchange(port, data, seconds=10):
    """Send bytes as they are; all that comes back until the end."""
    with socket.create_connection(("127.0.0.1", port), seconds) as s:
        s.settimeout(seconds)
        s.sendall(data)
        got = b""
        while True:
            try:
                more = s.recv(65536)
            except (TimeoutError, ConnectionResetError):
                break
            if not more:
                break
            got += more
        return got
