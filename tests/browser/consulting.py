"""The consult room's keys, pressed as a person does."""

from playwright.sync_api import Page, expect


def settled(page: Page) -> None:
    """The page is whole, its scripts too, and so is the last key's answer."""
    page.wait_for_load_state()
    expect(page.locator("body.busy")).to_have_count(0)


def hold(page: Page, key: str = "Enter") -> None:
    """Press a number's key once the page is there."""
    settled(page)
    if key == "Enter":
        expect(page.locator(".time:focus")).to_be_visible()
    page.keyboard.press(key)
    expect(page.locator("#confirm")).to_be_focused()
    settled(page)
