"""axe-core (Deque, MPL 2.0) looks at what the browser shows.  It is fetched
once, in exactly one version; nothing of it is shipped."""

import hashlib
import os
import tarfile
import tempfile
import urllib.request

from harness import build_dir

URL = "https://registry.npmjs.org/axe-core/-/axe-core-4.10.2.tgz"
SHA256 = "9ea2d2d6917da998122bdacfd3b473e31ead53f4b87146c716a12edf89158100"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
         "best-practice"]
RUN = """
const done = arguments[arguments.length - 1];
const only = arguments[0] ? {type: "rule", values: arguments[0]}
	: {type: "tag", values: %r};
axe.run(document, {runOnly: only}).then(
	r => done({wrong: r.violations.flatMap(v => v.nodes.map(
		n => v.id + ": " + n.target.join(" ") + ": " +
			n.failureSummary)), passed: r.passes.length}),
	e => done({wrong: [String(e)], passed: 0}));
""" % RULES


def source():
    """The text of axe.min.js, from $AXE_CORE (a tarball) or the network."""
    kept = os.environ.get("AXE_CORE") or os.path.join(
        build_dir(), "axe-core.tgz")
    if not os.path.exists(kept):
        with urllib.request.urlopen(URL, timeout=60) as answer:
            data = answer.read()
        try:
            with open(kept, "wb") as f:
                f.write(data)
        except OSError:     # somebody else's build
            kept = tempfile.mkstemp(suffix=".tgz")[1]
            with open(kept, "wb") as f:
                f.write(data)
    with open(kept, "rb") as f:
        if hashlib.sha256(f.read()).hexdigest() != SHA256:
            raise AssertionError("%s is not axe-core as it was published; "
                                 "remove it" % kept)
    with tarfile.open(kept) as tar:
        return tar.extractfile("package/axe.min.js").read().decode()


class Axe:
    def __init__(self):
        self.source = source()
        self.pages = 0

    def wrong(self, driver, rules=None):
        """What axe finds on the page that the browser shows, by all rules or
        by those named.  The page's own security policy stops scripts of the
        page, not the driver's."""
        driver.set_script_timeout(30)
        if not driver.execute_script("return 'axe' in window"):
            driver.execute_script(self.source)
        found = driver.execute_async_script(RUN, rules)
        if found["passed"] == 0:
            return ["axe looked at nothing: %r" % found["wrong"]]
        self.pages += 1
        return found["wrong"]
