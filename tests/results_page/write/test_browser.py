"""The page in a browser: Chromium, driven by Playwright. Skipped where either is missing."""

import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mammoseg.results_page.write import write_results_page

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

PER_CHANNEL = """
(text) => {
  const parts = text.match(/[\\d.]+/g).map(Number).slice(0, 3).map((v) => v / 255);
  const linear = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
"""
CONTRASTS = f"""
() => {{
  const luminance = {PER_CHANNEL};
  const ground = (element) => {{
    for (let at = element; at; at = at.parentElement) {{
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }}
    return "rgb(255, 255, 255)";
  }};
  const found = [...document.querySelectorAll("main *, header *, footer *")]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => [luminance(getComputedStyle(e).color), luminance(ground(e))].sort((a, b) => b - a));
  return found.map(([high, low]) => (high + 0.05) / (low + 0.05));
}}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[[Path], Any]]:
    """`visit(path)`: a page. Errors, dialogs and requests other than for the page itself fail the test."""
    contexts, wrong = [], []

    def go(path: Path) -> Any:
        context = browser.new_context(viewport={"width": 1100, "height": 800})
        contexts.append(context)
        page = context.new_page()
        address = path.as_uri()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(("data:", address)) or wrong.append(request.url))
        page.goto(address)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def page(visit: Callable[[Path], Any], evaluated: SimpleNamespace) -> Any:
    return visit(write_results_page(evaluated.folder, [evaluated.predictions], evaluated.manifest))


def test_a_screen_reader_finds_its_way(page: Any) -> None:
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((e) => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("table").count() == page.locator("table > caption").count() > 5
    assert page.evaluate("[...document.querySelectorAll('th')].every((e) => ['col', 'row'].includes(e.scope))")
    assert page.evaluate(
        "[...document.querySelectorAll('tbody tr')].every((e) => e.querySelectorAll('th').length === 1)"
    )
    assert page.evaluate("[...document.images].every((e) => e.alt.length > 10)")
    assert (
        page.evaluate("new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size")
        == page.locator("[id]").count()
    )
    assert page.locator("main").count() == page.locator("nav").count() == 1


def test_links_of_the_contents_lead_to_headings(page: Any) -> None:
    targets = page.evaluate(
        "[...document.querySelectorAll('nav a')].map((e) => document.querySelector(e.hash)?.tagName)"
    )
    assert len(targets) > 8
    assert set(targets) == {"H2"}


def test_pictures_are_shown(page: Any) -> None:
    assert page.evaluate("[...document.images].every((e) => e.complete && e.naturalWidth > 50)")
    assert page.locator(".cases img").count() >= 10


def test_words_stand_out_from_their_ground(page: Any) -> None:
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 100
    assert min(contrasts) >= 4.5, "WCAG 2.2, 1.4.3"


def test_it_prints_on_paper(page: Any) -> None:
    content = page.pdf(format="A4")
    assert content.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page[^s]", content))
    assert 3 <= pages <= 30
    page.set_viewport_size({"width": 680, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= 680"), "nothing is cut off at the right"


def test_a_hostile_evaluation_does_nothing(visit: Callable[[Path], Any], hostile: Path) -> None:
    page = visit(write_results_page(hostile))
    assert page.evaluate("window.hit") is None
    assert page.evaluate("document.documentElement.scrollWidth <= 1100"), "a word of 1,000 letters is broken"
    page.set_viewport_size({"width": 680, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= 680")
