"""Opens the pages of a results folder in headless Chromium and compares what a reader gets with summary.csv.

    page.py RESULTS [SCREENSHOTS] [--axe FILE] [--once]

In light and dark, on a phone and on a desk: the verdicts in the DOM are those of summary.csv, nothing reaches the
console, nothing scrolls sideways but inside its own box, and axe (if its script is given) finds no violation.
Needs chromedriver and chromium; exits 1 and says why.
"""

import argparse
import base64
import csv
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars""".split()

CLAIMS = """return [...document.querySelectorAll('tr.claim')].map(row => [
    row.closest('tbody').id.replace('verdicts-', ''), row.querySelector('code').textContent,
    row.querySelector('.verdict').lastChild.textContent])"""

WIDER = """return [...document.body.querySelectorAll('*')].filter(e => !e.closest('.scroll, pre') &&
    e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120)).slice(0, 5)"""


class Browser:
    """A chromedriver session: https://www.w3.org/TR/webdriver2."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.profile = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        self.root = f"http://127.0.0.1:{port}"
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{self.root}/status").close()
                break
            except OSError:
                time.sleep(0.1)
        options = {"args": [*FLAGS, f"--user-data-dir={self.profile.name}"]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = self.post("session", capabilities={"alwaysMatch": wanted})
        self.root += f"/session/{session['sessionId']}"

    def post(self, command, **body):
        request = urllib.request.Request(f"{self.root}/{command}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def run(self, script, *arguments):
        return self.post("execute/sync", script=script, args=arguments)

    def devtools(self, command, **parameters):
        return self.post("goog/cdp/execute", cmd=command, params=parameters)

    def console(self):
        return [entry["message"] for entry in self.post("se/log", type="browser")]

    def open(self, page, theme, width):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        size = {"width": width, "height": 850, "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)
        self.post("url", url=page.resolve().as_uri())

    def photograph(self, path):
        image = self.devtools("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(image["data"]))

    def close(self):
        urllib.request.urlopen(urllib.request.Request(self.root, method="DELETE")).close()
        self.driver.terminate()
        self.driver.wait()
        self.profile.cleanup()


AXE = """document.querySelectorAll('figure svg > :not(title, desc)').forEach(mark => mark.remove());
    return axe.run().then(r => r.violations.map(v => [v.id, v.help, v.nodes.length, v.nodes[0].html.slice(0, 160)]))"""


def check(browser, page, theme, width, expected, screenshots, axe):
    """Everything that is wrong with one page in one theme at one width."""
    browser.console()
    browser.open(page, theme, width)
    wrong = [f"console: {message}" for message in browser.console()]
    if expected is not None:
        found = [tuple(claim) for claim in browser.run(CLAIMS)]
        if found != expected:
            odd = set(found) ^ set(expected)
            wrong.append(f"{len(found)} verdicts in the page, {len(expected)} in summary.csv; they differ in {odd}")
    if browser.run("return document.documentElement.scrollWidth > innerWidth"):
        wrong.append(f"the page scrolls sideways: {browser.run(WIDER)}")
    ground = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)")
    if (sum(map(int, ground)) < 384) != (theme == "dark"):
        wrong.append(f"the ground is rgb({', '.join(ground)})")
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
        browser.photograph(screenshots / f"{page.parent.name}-{theme}-{width}.png")
    if axe:
        # Through the debugger, which the page's policy does not concern; last, because it takes the drawings away.
        browser.devtools("Runtime.evaluate", expression=axe)
        wrong += [f"axe: {rule}: {help} ({n} times), e.g. {html}" for rule, help, n, html in browser.run(AXE)]
    return [f"{page} {theme} {width} px: {what}" for what in wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("screenshots", type=pathlib.Path, nargs="?")
    parser.add_argument("--axe", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--once", action="store_true", help="in one theme and width only")
    arguments = parser.parse_args()
    axe = arguments.axe and arguments.axe.read_text()
    rows = list(csv.DictReader((arguments.results / "summary.csv").open(encoding="utf-8")))
    pages = {arguments.results / "index.html": None}
    for paper in sorted({row["paper"] for row in rows}):
        own = [(row["experiment"], row["metric"], row["verdict"]) for row in rows if row["paper"] == paper]
        pages[arguments.results / paper / "report.html"] = own

    browser, wrong = Browser(), []
    try:
        for page, expected in pages.items():
            views = [(theme, width) for theme in ["light", "dark"] for width in [390, 1280]]
            for theme, width in views[: 1 if arguments.once else None]:
                wrong += check(browser, page, theme, width, expected, arguments.screenshots, axe)
    finally:
        browser.close()
    print("\n".join(wrong) or f"{len(pages)} pages, {len(rows)} claims: as in summary.csv, nothing on the console")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
