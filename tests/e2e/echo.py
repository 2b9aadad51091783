"""The application behind the gate that tells what it was told."""

import hashlib
import http.server
import json
import posixpath
import threading
import urllib.parse


def plainly(path):
    """What the most obliging of applications would make of a path."""
    path = path.partition("?")[0].partition("#")[0]
    for _ in range(3):
        path = urllib.parse.unquote(path, "latin-1")
    for found, meant in (("\xc0\xae", "."), ("\xe0\x80\xae", "."),
                         ("\xc0\xaf", "/"), ("\xe0\x80\xaf", "/"),
                         ("\\", "/")):
        path = path.replace(found, meant)
    parts = (part.partition(";")[0].partition("\0")[0].strip(" \t\r\n")
             for part in path.split("/"))
    return posixpath.normpath("/" + "/".join(parts).lstrip("/")) + "/"


class Echo:
    """An HTTP server of this process; answers its request's headers, the
    hash of its body, and a word of its own."""

    def __init__(self, says=""):
        bodies = self.bodies = []   # of the POSTs that came

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length)
                if self.command == "POST":
                    bodies.append(sent)
                body = json.dumps({
                    "path": self.path, "headers": self.headers.items(),
                    "says": says if plainly(self.path).startswith(
                        ("/show/", "/staff/")) else "open to everybody, app",
                    "body": hashlib.sha256(sent).hexdigest()}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
