"""The consult room's keys, pressed as a person does."""

from playwright.sync_api import Page, expect


def settled(page: Page) -> None:
    """The last key's answer is on the page."""
    expect(page.locator("body.busy")).to_have_count(0)


def hold(page: Page, key: str = "Enter") -> None:
    """Press a number's key once the page is there."""
    expect(page.locator("body.busy")).to_have_count(0)
    if key == "Enter":
        expect(page.locator(".time:focus")).to_be_visible()
    page.keyboard.press(key)
    expect(page.locator("#confirm")).to_be_focused()
    settled(page)
