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
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--lang=zh-CN",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")


@pytest.fixture
def open_as(chromium, live_server, transactional_db) -> Callable[..., Page]:
    """open_as(user, path, size=(1440, 900)): a page of a fresh browser window, signed in as `user`.

    Console errors and refused content (CSP) fail the test: `page.troubles` collects them.
    """
    contexts = []

    def open_page(user, path: str, *, size=(1440, 900), script: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="America/New_York",  # the client's own zone must not matter
            java_script_enabled=script,
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.troubles = []
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.troubles.append(said.text))
        page.set_default_timeout(8000)
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """axe(page): no violation of WCAG 2 A and AA (2.2) and of axe's own best practice."""
    checker = Axe()

    def check(page: Page) -> None:
        options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
        result = checker.run(page, options=options)
        assert result.violations_count == 0, result.generate_report()

    return check


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
