"""A reader in a browser: a blinded verdict, then the maps, and the row in the table. Skipped without Playwright or Chromium."""

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("uvicorn")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
SEEN = """() => {
  const canvas = document.querySelector('[data-image="a_L-CC"] canvas');
  return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value, i) => i % 4 < 3 && value);
}"""
EXPECTED = ("willReadFrequently", "[DOM]", "422")  # hints of Chromium; the verdict that is refused
TOKEN = "a-token-of-more-than-sixteen-characters"


@pytest.fixture
def address(start: Callable[..., Popen[str]], study: Any, tmp_path: Path) -> Iterator[str]:
    """Of a blinded review with a token."""
    (tmp_path / "token").write_text(TOKEN)
    process = start(
        "serve",
        study.folder,
        "--out",
        tmp_path / "review",
        "--port",
        0,
        "--blinded",
        "--token-file",
        tmp_path / "token",
    )
    assert process.stdout
    yield re.findall(r"http://\S+", process.stdout.readline())[0]
    process.kill()
    process.communicate()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """What goes wrong in it, and requests to elsewhere, fail the test."""
    wrong: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 850})
        page.on("console", lambda message: any(each in message.text for each in EXPECTED) or wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on(
            "request", lambda request: request.url.startswith(("data:", "blob:", address)) or wrong.append(request.url)
        )
        page.goto(address)
        yield page
        browser.close()
    assert not wrong


def ready(page: Any) -> None:
    page.wait_for_selector("body[data-ready][data-filled]")


def test_a_blinded_verdict_and_then_the_maps(page: Any, address: str) -> None:
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Reader").fill("A. Reader")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="e2").wait_for()
    assert page.get_by_text("0 of 2 read").is_visible()
    page.get_by_role("link", name="Continue").click()
    ready(page)
    views = page.locator(".view canvas")
    assert views.count() == 4
    page.wait_for_function(SEEN)
    assert page.locator("#findings").count() == 0
    assert page.get_by_text("malignant").count() == 0
    left, right = (page.get_by_role("group", name=f"{side} breast") for side in ("Left", "Right"))
    left.get_by_label("BI-RADS").select_option("5")
    left.get_by_label("Comment").fill("spiculated")
    page.get_by_role("button", name="Save verdict").click()
    page.get_by_text("Not saved. Give each breast a BI-RADS category").wait_for()
    assert page.evaluate("exam.verdict.dirty")
    right.get_by_label("BI-RADS").select_option("1")
    page.get_by_label("Ellipse").check(force=True)
    box = page.locator('[data-image="a_L-CC"]').bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 250, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Save verdict").click()

    page.wait_for_selector("#findings")
    ready(page)
    assert page.locator("#findings li").count() > 0
    assert page.get_by_role("group", name="Left CC, benign 0.20, malignant 0.88").count() == 1
    assert page.get_by_text("1 of 2 read").is_visible()
    assert left.get_by_label("BI-RADS").input_value() == "5"
    assert page.locator("#ellipses li").count() == 1
    assert not page.evaluate("exam.verdict.dirty")

    page.get_by_role("link", name="Next").click()
    ready(page)
    assert page.locator("#findings").count() == 0
    assert page.locator("h1").inner_text() == "Exam e2"
    table = page.evaluate("fetch('/verdicts.csv').then((answer) => answer.text())")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["exam_id"], row["laterality"], row["reader"], row["birads"]) for row in rows] == [
        ("e1", "R", "A. Reader", "1"),
        ("e1", "L", "A. Reader", "5"),
    ]
    assert rows[1]["comment"] == "spiculated"
    assert "a_L-CC" in rows[1]["ellipses"]


def test_the_pages_break_no_rule_of_accessibility(page: Any) -> None:
    """Those of axe-core that a program can check: login, name, list, an exam before its verdict and after it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def broken() -> list[str]:
        found = axe.Axe().run(page, options={"runOnly": rules}).response["violations"]
        return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]

    assert broken() == []
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Reader").fill("AB")
    assert broken() == []
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="e2").wait_for()
    assert broken() == []
    page.get_by_role("link", name="Continue").click()
    ready(page)
    assert broken() == []
    for side in ("Left", "Right"):
        page.get_by_role("group", name=f"{side} breast").get_by_label("BI-RADS").select_option("1")
    page.get_by_role("button", name="Save verdict").click()
    page.wait_for_selector("#findings")
    ready(page)
    assert broken() == []
