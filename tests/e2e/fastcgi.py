"""FastCGI records from the web server's side (FastCGI 1.0), for tests: they
can be made as they should be, and as they should not be."""

import socket
import struct
import time

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP = 1
COMPLETE, CANT_MULTIPLEX, OVERLOADED, UNKNOWN_ROLE = range(4)


# ---- making records ---------------------------------------------------------

def record(kind, content=b"", rid=1, version=1, padding=0, length=None):
    """One record; `length` may lie about the content."""
    size = len(content) if length is None else length
    return struct.pack("!BBHHBx", version, kind, rid, size, padding) + \
        content + bytes(padding)


def begin(role=RESPONDER, flags=0, rid=1):
    return record(BEGIN, struct.pack("!HB5x", role, flags), rid)


def number(n):
    return struct.pack("!B", n) if n < 128 else \
        struct.pack("!I", n | 0x80000000)


def pair(name, value):
    name = name if isinstance(name, bytes) else name.encode()
    value = value if isinstance(value, bytes) else value.encode()
    return number(len(name)) + number(len(value)) + name + value


def pairs(params):
    """Of a dict, or of a list of pairs where names may repeat."""
    items = params.items() if isinstance(params, dict) else params
    return b"".join(pair(k, v) for k, v in items)


def stream(kind, content, rid=1, step=32000, end=True):
    """A stream in records of at most `step` bytes, ended by an empty one."""
    out = b"".join(record(kind, content[i:i + step], rid)
                   for i in range(0, len(content), step))
    return out + (record(kind, b"", rid) if end else b"")


def request(params, body=b"", role=RESPONDER, keep=False, rid=1):
    """A whole request as a web server sends it; an authorizer is sent no
    input."""
    out = begin(role, KEEP if keep else 0, rid)
    out += stream(PARAMS, pairs(params), rid)
    if role != AUTHORIZER:
        out += stream(STDIN, body, rid)
    return out


# ---- reading answers ----------------------------------------------------------

class Answer:
    """What came back on one request: its output, and how it ended."""

    def __init__(self):
        self.out = self.err = b""
        self.ended = None     # (application status, protocol status)
        self.others = []      # records of other ids or unexpected kinds
        self.closed = False   # the application closed before the end

    @property
    def head(self):
        return self.out.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self):
        return self.out.partition(b"\r\n\r\n")[2]

    @property
    def lines(self):
        return self.head.split("\r\n") if self.head else []

    @property
    def status(self):
        """The status as a number; 0 when there is no answer."""
        if not self.out.startswith(b"Status: "):
            return 0
        return int(self.out[8:11])

    def header(self, name):
        for line in self.lines:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


class Connection:
    """A connection to a FastCGI application, at "unix path" or (host, port)."""

    def __init__(self, address, timeout=15.0):
        family = socket.AF_UNIX if isinstance(address, str) else \
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self.left = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def send(self, data):
        """False when the other side has closed already."""
        try:
            self.sock.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def take(self, n):
        while len(self.left) < n:
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.left += more
        data, self.left = self.left[:n], self.left[n:]
        return data

    def record(self):
        """(kind, id, content), or None at the end of the connection."""
        head = self.take(8)
        if head is None:
            return None
        _, kind, rid, size, padding = struct.unpack("!BBHHBx", head)
        content = self.take(size + padding)
        return None if content is None else (kind, rid, content[:size])

    def answer(self, rid=1):
        """Read up to END_REQUEST of this id, or to the end."""
        answer = Answer()
        while True:
            got = self.record()
            if got is None:
                answer.closed = True
                return answer
            kind, its, content = got
            if its != rid:
                answer.others.append(got)
            elif kind == STDOUT:
                answer.out += content
            elif kind == STDERR:
                answer.err += content
            elif kind == END:
                answer.ended = struct.unpack("!IB3x", content)
                return answer
            else:
                answer.others.append(got)

    def is_closed(self, within=2.0):
        """True when the other side closes (and says nothing) in this time."""
        self.sock.settimeout(within)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False


def ask(address, params, body=b"", role=RESPONDER, timeout=15.0):
    """One request on a connection of its own."""
    with Connection(address, timeout) as c:
        c.send(request(params, body, role))
        return c.answer()


def wait_for(address, seconds=10.0):
    """True as soon as something accepts connections there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            Connection(address, 1.0).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False
