"""The pages break none of the rules of axe-core that a program can check. Skipped without Playwright, Chromium or axe."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
UNFOLD = "document.querySelectorAll('details').forEach((each) => (each.open = true))"


def broken(page: Any) -> dict[str, list[str]]:
    """Rule -> the elements that break it."""
    found = axe.Axe().run(page, options={"runOnly": RULES}).response["violations"]
    return {each["id"]: [node["html"][:200] for node in each["nodes"]] for each in found}


def test_the_pages_of_the_report(study: Any, write: Callable[..., Path]) -> None:
    """With everything that can be opened open: prior, truth, patches, remarks, and then the list of keys."""
    for row in study.rows:
        row["study_date"] = "2024-05-01" if row["exam_id"] == "e1" else "2022-05-01"
    study.add("late", "R", "ML", "e2", "p2", label=0, date="2022-05-01")
    study.add("old", "R", "CC", "e0", "p1", date="2021-05-01")
    (study.root / "images" / "a_L-MLO.png").unlink()
    out = write(study, truth=True)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 950})
        page.goto((out / "exams" / "e1.html").as_uri())
        page.wait_for_selector("body[data-ready]")
        assert broken(page) == {}
        for key in "otbn":
            page.keyboard.press(key)
        page.get_by_role("button", name="Take its box").click()
        page.evaluate(UNFOLD)
        assert broken(page) == {}
        page.keyboard.press("?")
        assert broken(page) == {}
        page.set_viewport_size({"width": 700, "height": 900})
        assert broken(page) == {}
        page.goto((out / "index.html").as_uri())
        page.evaluate(UNFOLD)
        assert broken(page) == {}
        browser.close()
