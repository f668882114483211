"""What a browser finds on a page: a real Chromium, on a desktop, a phone and paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DESKTOP, PHONE = (1280, 900), (390, 844)

# No sandbox as root; nothing that would call home; shared memory is small in containers.
_ARGUMENTS = [
    "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu",
    "--disable-dev-shm-usage", "--no-first-run", "--disable-component-update",
]  # fmt: skip

# Contrast as WCAG 2 defines it, of each text with the colour behind it.
_FACTS = """() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = rgb =>
    0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
  const numbers = text => text.match(/[0-9.]+/g).map(Number);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = numbers(getComputedStyle(node).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const contrast = node => {
    const [a, b] = [light(numbers(getComputedStyle(node).color)), light(behind(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const written = [...document.body.querySelectorAll('*')].filter(
    node => [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim()));
  const images = [...document.images];
  return {
    lang: document.documentElement.lang,
    title: document.title,
    headings: [...document.querySelectorAll('h1,h2,h3,h4')].map(one => Number(one.tagName[1])),
    widths: images.map(one => one.complete ? one.naturalWidth : 0),
    drawn: images.map(one => one.getBoundingClientRect().width),
    alts: images.map(one => one.alt),
    scripts: document.scripts.length,
    page_width: document.documentElement.scrollWidth,
    cut: written.filter(node => node.getBoundingClientRect().right > innerWidth + 1)
                .map(node => node.textContent.slice(0, 40)),
    contrast: Math.min(...written.map(contrast)),
    headless_tables: [...document.querySelectorAll('table')].filter(
      one => !one.querySelector('th')).length,
    text: document.body.innerText,
  };
}"""


@dataclass(frozen=True)
class Seen:
    """What a browser found."""

    facts: Mapping[tuple[int, int], Mapping[str, Any]]
    """What the page is like, by size of the window."""
    console: tuple[str, ...]
    """What was written to the console, and what was thrown."""
    requests: tuple[str, ...]
    """Where anything was asked for, but for ``data:``."""
    print_bytes: int
    """Length of the page as PDF."""


def look(chromium: str, page_file: Path) -> Seen:
    """Open a page in every size, and print it."""
    # An extra that tests alone have; the browser is the system's.
    from playwright.sync_api import sync_playwright

    console: list[str] = []
    requests: list[str] = []
    facts = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        page = browser.new_page()
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        for width, height in (DESKTOP, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(page_file.as_uri())
            facts[width, height] = page.evaluate(_FACTS)
        printed = len(page.pdf(format="A4"))
        browser.close()
    asked = tuple(url for url in requests if not url.startswith("data:"))
    return Seen(facts, tuple(console), asked, printed)
