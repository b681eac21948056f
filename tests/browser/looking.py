"""What a person sees and axe does not: what lies under a bar that stays, words broken in two, and pictures."""

import os
from pathlib import Path

from playwright.sync_api import Page

SHOTS = Path(__file__).parents[2] / "docs" / "screenshots"

COVERED = """() => [...document.querySelectorAll('main a, main button, main input, main select, .foot a, .foot button')]
  .filter(each => each.checkVisibility({checkOpacity: false}) && !each.disabled)
  .map(each => {
    each.focus();
    const shown = each.matches('input[type=radio], input[type=checkbox]') && each.labels.length ? each.labels[0] : each;
    const box = shown.getClientRects()[0];
    if (!box || !box.height || document.activeElement !== each) return null;
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
    const y = box.top + Math.min(box.height / 2, 20);
    const top = document.elementFromPoint(x, y);
    const bar = top && top.closest('.actionbar, .tabbar, .topbar');
    return (y < 0 || y > innerHeight || (bar && !bar.contains(each)))
      ? shown.outerHTML.slice(0, 100) + ' at ' + Math.round(y) : null;
  }).filter(Boolean)"""
"""Each thing to press, when the keyboard comes to it: what lies outside the window or under a bar (WCAG 2.4.11)."""

BROKEN = """() => {
  const broken = [];
  for (const each of document.querySelectorAll('h1, h2, h3, .btn, .topbar__title, .tabbar__tab, .actionbar')) {
    if (!each.checkVisibility()) continue;
    const walk = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
    while (walk.nextNode())
      for (const word of walk.currentNode.data.matchAll(/[A-Za-z]{2,}/g)) {
        const range = document.createRange();
        range.setStart(walk.currentNode, word.index);
        range.setEnd(walk.currentNode, word.index + word[0].length);
        const tops = new Set([...range.getClientRects()].filter(box => box.width).map(box => Math.round(box.top)));
        if (tops.size > 1) broken.push(word[0]);
      }
  }
  return broken; }"""
"""Latin words of headings and buttons that go on in the next line."""


def covered(page: Page) -> list[str]:
    return page.evaluate(COVERED)


OUTGROWN = """() => [...document.querySelectorAll('main .btn')]
  .filter(each => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .map(each => each.textContent.trim())"""
"""Buttons whose words need more room than they have."""


def outgrown(page: Page) -> list[str]:
    return page.evaluate(OUTGROWN)


def broken_words(page: Page) -> list[str]:
    return page.evaluate(BROKEN)


def shot(page: Page, name: str) -> None:
    """Screenshots for the docs are taken when asked for: SCREENSHOTS=1."""
    if os.environ.get("SCREENSHOTS"):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")
