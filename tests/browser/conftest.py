"""A real Chromium against the live server, and axe-core on what it shows. Shared by all pages' browser tests.

def test_a_page(open_as, axe):
    page = open_as(user, "/consult/")
    ...
    axe(page)
"""

import os
import shutil
from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.conf import settings
from django.test import Client
from playwright.sync_api import Error, Page, expect, sync_playwright

from tests import embedded_plugin

CHROMIUM = os.environ.get("CHROMIUM", str(embedded_plugin.CHROMIUM or "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-gpu-compositing",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--lang=zh-CN",
    "--process-per-site",  # starting a process for each page takes as much as showing it
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 30_000  # ms for a page or what it should show: on a busy machine nothing else fails by being slow
LOOK = """options => axe.run(document, options)
  .then(found => ({...found, passes: [], incomplete: [], inapplicable: []}))"""
"""What is in order stays in the browser: there is much of it."""
AS_BEFORE = """() => {
  const shown = [...document.body.querySelectorAll('*')].filter(each => each.checkVisibility()).length;
  const now = document.documentElement.dataset.edition + shown + document.body.innerHTML;
  const before = window.lookedAt;
  window.lookedAt = now;
  return [typeof axe !== 'undefined', before === now]; }"""
"""Whether this document was looked at when it showed the very same: at another width."""


def pytest_collection_modifyitems(items):
    """Everything here needs Chromium and a committed database."""
    present = shutil.which(CHROMIUM)
    for item in items:
        if "tests/browser" not in str(item.path):
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.django_db(transaction=True))
        if not present:
            item.add_marker(pytest.mark.skip(reason="no chromium: apt-get install chromium fonts-noto-cjk, then again"))


@pytest.fixture(scope="session")
def chromium():
    """One browser for the session. Playwright's loop makes Django think that it runs in async code."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


QUIET = """async () => {
  if (!window.wasDrawn) await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  window.wasDrawn = true;
  return !document.body.classList.contains('busy'); }"""
"""The page was drawn, so what it puts the cursor into has it, and the last key has its answer."""


def looks_before_pressing(page: Page) -> None:
    """A key pressed into a page that is about to go is lost, and a machine is faster than the page that comes."""

    def first_looks(act: Callable) -> Callable:
        def pressed(keys: str, **more) -> None:
            page.wait_for_load_state()
            page.wait_for_function(QUIET)
            act(keys, **more)

        return pressed

    keyboard = page.keyboard
    keyboard.press, keyboard.type = first_looks(keyboard.press), first_looks(keyboard.type)


class Window:
    """A window with cookies of its own. A new one costs a second of work, so tests use the same ones in turn."""

    def __init__(self, browser, *, script: bool):
        self.script = script
        self.context = browser.new_context(
            locale="zh-CN",
            timezone_id="America/New_York",  # the client's own zone must not matter
            java_script_enabled=script,
            reduced_motion="reduce",  # what moves is drawn sixty times a second
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        if script:
            looks_before_pressing(self.page)
        self.page.troubles = []
        self.page.on("pageerror", lambda error: self.page.troubles.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.page.troubles.append(said.text))

    def sign_in(self, user, url: str) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])

    def wiped(self) -> bool:
        """Nothing left of who sat here; False: what the test left can't be wiped off."""
        try:
            for other in self.context.pages:
                if other is not self.page:
                    other.close()
            if self.script and self.page.url.startswith("http"):
                self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
            self.page.goto("about:blank")
            self.context.clear_cookies()
        except Error:  # closed, or on its way elsewhere
            return False
        return True


class Windows:
    """Those of a session that nobody sits at."""

    def __init__(self, browser):
        self.browser = browser
        self.free: list[Window] = []

    def take(self, *, script: bool) -> Window:
        window = next((each for each in self.free if each.script == script), None)
        if window is None:
            return Window(self.browser, script=script)
        self.free.remove(window)
        return window

    def give_back(self, window: Window, *, spoilt: bool) -> None:
        """`spoilt`: a stopped clock or a script of the test's own stays in a window until it is closed."""
        if not spoilt and window.wiped():
            self.free.append(window)
        else:
            window.context.close()


@pytest.fixture(scope="session")
def windows(chromium):
    return Windows(chromium)


@pytest.fixture
def open_as(request, windows, live_server, transactional_db) -> Callable[..., Page]:
    """open_as(user, path, size=(1440, 900)): a page of a browser window with nothing in it, signed in as `user`.

    Console errors and refused content (CSP) fail the test: `page.troubles` collects them. A test that fails or is
    marked `own_window` leaves its windows to nobody.
    """
    taken = []

    def open_page(user, path: str, *, size=(1440, 900), script: bool = True) -> Page:
        window = windows.take(script=script)
        taken.append(window)
        page = window.page
        page.troubles.clear()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if user is not None:
            window.sign_in(user, live_server.url)
        page.goto(live_server.url + path)
        return page

    failed = request.session.testsfailed
    yield open_page
    spoilt = bool(request.node.get_closest_marker("own_window")) or request.session.testsfailed > failed
    for window in taken:
        windows.give_back(window, spoilt=spoilt)


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """axe(page): no violation of WCAG 2 A and AA (2.2) and of axe's own best practice.

    Colours take most of its time and don't change with the width: a document that shows the same at the next width is
    not looked at for them again.
    """
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}

    def check(page: Page) -> None:
        page.wait_for_load_state()  # its style sheets are part of what is looked at
        known, as_before = page.evaluate(AS_BEFORE)
        if not known:
            page.evaluate(AXE_SCRIPT)
        colours = {"color-contrast": {"enabled": not as_before}}
        result = AxeResults(page.evaluate(LOOK, options | {"rules": colours}))
        assert result.violations_count == 0, result.generate_report()

    return check


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
