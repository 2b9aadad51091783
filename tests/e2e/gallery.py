"""Pages as a site has answered them, shown in a browser as often as they are
needed: at any width, in light and dark, printed, in forced colours."""

import base64
import http.server
import shutil
import tempfile
import threading

from browser import open_browser
from harness import wait_for

# Headers that say how a page is shown.
KEPT = ("content-type", "content-security-policy", "content-language")


class Gallery:
    """self.pages: what stands at a path, as an answer of client.py."""

    def __init__(self):
        self.pages = {}
        gallery = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                gallery.answer(self)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.origin = "http://localhost:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.profile = tempfile.mkdtemp(prefix="dk-chromium-", dir="/tmp")
        self.driver = None
        try:
            self.driver = open_browser(self.profile)
        except BaseException:
            self.close()
            raise

    def answer(self, request):
        page = self.pages.get(request.path)
        request.send_response(200 if page else 404)
        for name, value in page.headers if page else ():
            if name.lower() in KEPT:
                request.send_header(name, value)
        body = page.body if page else b""
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def add(self, folder, answers):
        """Show them as /FOLDER/NAME; where a stylesheet or a logo stands, it
        is found, too."""
        for name, answer in answers.items():
            self.pages["/%s/%s" % (folder, name)] = answer

    def add_files(self, browser, page):
        for tag, a in page.tags:
            path = a.get("href" if tag == "link" else "src", "")
            if tag in ("link", "img") and path not in self.pages:
                self.pages[path] = browser.get(path)

    def show(self, path):
        self.driver.get(self.origin + path)

    def put(self, text):
        """The same in no time: in place of the page that is shown, with
        its stylesheet and under its policy."""
        tree = self.command("Page.getFrameTree")["frameTree"]
        self.command("Page.setDocumentContent", html=text,
                     frameId=tree["frame"]["id"])
        wait_for(lambda: self.driver.execute_script(
            "return document.readyState == 'complete' && "
            "document.styleSheets.length == 1"), 10, "the page")

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def size(self, width, height=800):
        self.command("Emulation.setDeviceMetricsOverride", width=width,
                     height=height, deviceScaleFactor=1, mobile=False)
        # As a phone has them: over the page.
        self.command("Emulation.setScrollbarsHidden", hidden=True)

    def media(self, kind="", **features):
        """media(prefers_color_scheme="dark")"""
        self.command("Emulation.setEmulatedMedia", media=kind, features=[
            {"name": name.replace("_", "-"), "value": value}
            for name, value in features.items()])

    def picture(self, path, width):
        """The whole page: in a window as high as it is.  (What Chromium
        captures beyond the window lies beside it from right to left.)"""
        height, window = self.driver.execute_script(
            "return [document.documentElement.scrollHeight, innerHeight]")
        if height > window:
            self.size(width, height)
        shot = self.command("Page.captureScreenshot")
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def close(self):
        if self.driver is not None:
            self.driver.quit()
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.profile, ignore_errors=True)
