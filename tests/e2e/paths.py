"""Every way to write the path of something that must not come out, through
every real server: what a stranger or somebody who is not permitted gets never
holds a byte of it (DK-A-06, DK-A-11, DK-G-09).

The requests are written by hand, onto a raw socket: no client tidies them
up."""

import concurrent.futures
import socket

from harness import eq, true

# Where the treasures lie, and what is open beside them.
TARGETS = {
    "file": ("/private/staff/secret.txt", "/private/open/secret.txt"),
    "index": ("/private/staff/", "/private/open/secret.txt"),
    "cgi": ("/private/staff/show.cgi", "/private/open/show.cgi"),
    "php": ("/private/staff/show.php", "/private/open/show.php"),
    "app": ("/private/app/staff/show", "/private/app/open/show"),
}
COUNTED = {}    # by server: backends, requests
KINDS = {"index": "file"}   # whose treasure it is; else its own

# One character of the path, written in another way.
DOTS = ("..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "..;", "..%3b",
        "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "..%20", "...", ".%0a.", ".. ",
        "%u002e%u002e", "%%32%65%%32%65")
SLASHES = ("/", "//", "%2f", "%2F", "%252f", "\\", "%5c", "%255c", "/./",
           "/%2e/", "/;/", "/;x=1/", "%c0%af", "%e0%80%af", "%ef%bc%8f",
           "/%20/", "/\t/", "%09/", "///", "/.//", "%u2215")
TAILS = ("", "/", "//", ".", "..", "/.", "/..", "%20", "%2e", "%00", "%00.txt",
         ";", ";x", ";.txt", ";jsessionid=1", "?", "?x=1", "??", "#", "#x",
         "%23", "%3f", "%3F.txt", "~", ".bak", ":", "::$DATA", "%3a%3a$DATA",
         "/x", "/x.txt", "/../open/", "/%2e%2e/open/secret.txt", "%0a",
         "%0d%0a", "\\", "%5c", "/x/../../open/x", "\x7f", "%ff", "\xff", "*",
         "%", "%2", "%zz", "/index.html", "/index.php/x", "/x.php", "/x.cgi")


def others(path):
    """Spellings that fit no pattern above."""
    head, _, name = path.strip("/").rpartition("/")
    yield path.upper()
    yield path.title()
    yield "/PRIVATE" + path[8:]
    yield "/private" + path[8:].upper()
    yield "".join("%%%02x" % ord(c) for c in path)
    yield "/" + "".join("%%%02x" % ord(c) for c in path[1:])
    yield path.replace("p", "%70").replace("s", "%73")
    yield path.replace("p", "%2570")
    yield path.replace("r", "%C5%99")
    yield path.replace("i", "%C4%B1").replace("s", "%C5%BF")
    yield path.replace("e", "%EF%BD%85")
    yield path[1:]
    yield "." + path
    yield "/." + path
    yield "/.." + path
    yield "/x/.." + path
    yield "/auth/.." + path
    yield "/auth/login/../.." + path
    yield "/auth" + path
    yield "/auth/login" + path
    yield "/auth/login?next=" + path
    yield "/index.html" + path
    yield "/index.html/.." + path
    yield "/todos/.." + path
    yield "/private"
    yield "/private/" + head[8:] + "/*" + name[-4:]
    yield "/_doorkeep_check"
    yield "/_doorkeep_refused"
    yield "/private;" + path[8:]
    yield "/private." + path[8:]
    yield "/private%20" + path[8:]
    yield "/private%00" + path[8:]
    yield "//localhost" + path
    yield "/" + "./" * 40 + path[1:]
    yield "/" + "x/" * 20 + "../" * 20 + path[1:]
    yield path + "?" + "x" * 7000
    yield path + "/" + "x" * 7000


def spellings(secret, beside):
    """Request targets that some reader may take for the secret one."""
    head, _, name = secret.rstrip("/").rpartition("/")
    name += "/" if secret.endswith("/") else ""
    yield secret
    for slash in SLASHES:
        yield "/private" + slash + secret[9:]
        yield slash + secret[1:]
        yield head + slash + name
        yield head + slash + ".." + slash + "staff" + slash + name
        yield beside.rpartition("/")[0] + slash + ".." + slash + secret[9:]
    for dots in DOTS:
        yield "/private/open/" + dots + "/" + secret[9:]
        yield "/private/open/" + dots + "%2f" + secret[9:]
        yield "/private/open/" + dots + "\\" + secret[9:]
        yield beside + "/" + dots + "/" + dots + "/" + secret[9:]
        yield beside + "%2f" + dots + "%2f" + dots + "%2f" + secret[9:]
        yield "/" + dots + secret
        yield "/private/" + dots + secret
        yield "/private/./open/./" + dots + "/" + secret[9:]
    for tail in TAILS:
        yield secret + tail
        yield head + "/" + tail
        yield beside + tail + "/.." * 2 + "/" + secret[9:]
    yield from others(secret)


def forms(target, port):
    """The forms of a request line (RFC 9112 3.2), and none of them."""
    yield "http://localhost:%d%s" % (port, target), "localhost:%d" % port
    yield "HTTP://LOCALHOST:%d%s" % (port, target), "localhost:%d" % port
    yield "http://elsewhere.example%s" % target, "localhost:%d" % port
    yield "http://mallory@localhost:%d%s" % (port, target), "elsewhere.example"
    yield "https://localhost%s" % target, "localhost:%d" % port
    yield "http:%s" % target, "localhost:%d" % port
    yield "http:/%s" % target, "localhost:%d" % port
    yield "ftp://localhost:%d%s" % (port, target), "localhost:%d" % port
    yield target, "elsewhere.example"
    yield target, "localhost:%d/private/open/" % port
    yield target + " HTTP/1.1\r\nX-Second: x", "localhost:%d" % port
    yield target + " /private/open/", "localhost:%d" % port


class Paths:
    def __init__(self, stand, report, kinds=tuple(TARGETS)):
        self.stand, self.report, self.kinds = stand, report, kinds
        self.reached, self.out, self.asked = 0, [], 0

    def run(self):
        """After the flow: alice is permitted, bob is not."""
        stand = self.stand
        people = {"nobody": "", "bob": stand.signed_in("bob").jar.header(),
                  "alice": stand.signed_in("alice").jar.header()}
        for kind in self.kinds:
            self.kind(kind, people)
        COUNTED[self.stand.name] = (len(self.kinds), self.asked)
        pairs, cases = map(sum, zip(*COUNTED.values()))
        print("# paths: %d cases on %s; so far %d servers, %d of server and "
              "backend, %d cases" % (self.asked, self.stand.name,
                                     len(COUNTED), pairs, cases), flush=True)

    def kind(self, kind, people):
        secret, beside = TARGETS[kind]
        treasure = self.stand.treasure[KINDS.get(kind, kind)].encode()
        self.reached, self.out = 0, []
        asked = [(person, cookie, target, host, treasure)
                 for n, (target, host) in enumerate(self.lines(secret, beside))
                 for person, cookie in people.items()
                 # She shows that spellings arrive; every fourth will do.
                 if person != "alice" or n % 4 == 0]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(self.ask, *zip(*asked)))
        self.asked += len(asked)
        name = "%s: %s comes out in no spelling of its path, %d cases" % (
            self.stand.name, kind, len(asked))
        with self.report.case(name, "DK-A-06 DK-A-11 DK-G-09",
                              self.stand.box):
            eq(self.out[:20], [], "came out")
            # Some spellings are good, or this looks at the wrong place.
            true(self.reached > 1, "alice saw it %d times" % self.reached)

    def lines(self, secret, beside):
        port, seen = self.stand.port, set()
        for target in spellings(secret, beside):
            if target not in seen:
                seen.add(target)
                yield target, "localhost:%d" % port
        for target in (secret, beside + "/../" + secret[9:]):
            yield from forms(target, port)

    def ask(self, person, cookie, target, host, treasure):
        answer = exchange(self.stand.port, target, host, cookie)
        # Any half of it would be too much.
        if treasure[:20] in answer or treasure[20:] in answer:
            if person == "alice":
                self.reached += 1
            else:
                self.out.append((person, target))


def exchange(port, target, host, cookie):
    """All that comes back."""
    data = ("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
            "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n%s\r\n" % (
                target, host,
                "Cookie: %s\r\n" % cookie if cookie else "")).encode("latin-1")
    got = b""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(10)
        try:
            s.sendall(data)
            while True:
                more = s.recv(65536)
                if not more:
                    return got
                got += more
        except ConnectionError:
            return got
