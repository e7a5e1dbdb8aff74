"""The page of a run: complete, escaped, and its links lead to the files wherever the folder is moved."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from mammoseg.drawing.page import Figure, Step, write_page

ROWS = [{"metric": "AUC", "value": "0.9"}, {"metric": "Dice <soft>", "value": "0.4"}]


class Page(HTMLParser):
    """Links, pictures and text of a page; every tag that is opened must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.links += [values["href"]] if tag == "a" else []
        self.pictures += [values["src"]] if tag == "img" else []
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def page(tmp_path: Path) -> tuple[Page, Path]:
    folder = tmp_path / "out"
    pictures = [folder / "metrics" / "roc.png", folder / "a b#1 'ü'.png", folder / "50%.png"]
    for path in pictures:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    steps = [Step("1. One", "a < b", 1.25, folder / "metrics"), Step("2. Two", "c", 3, folder)]
    chart, *examples = [Figure(path, f"<caption {path.stem}>") for path in pictures]
    write_page(folder / "index.html", "T & T", "intro <script>", ROWS, examples, steps, chart)
    moved = tmp_path / "moved"
    folder.rename(moved)
    return Page((moved / "index.html").read_text(encoding="utf-8")), moved


def test_links_and_pictures_are_there(page: tuple[Page, Path]) -> None:
    parsed, folder = page
    assert len(parsed.pictures) == 3
    assert len(parsed.links) == 5
    for target in (*parsed.links, *parsed.pictures):
        assert (folder / unquote(target)).exists(), target


def test_text_is_shown_as_it_is(page: tuple[Page, Path]) -> None:
    parsed, _ = page
    for text in ("T & T", "intro <script>", "a < b", "Dice <soft>", "1.2", "3.0", "<caption roc>"):
        assert text in parsed.texts
    assert any("research use only" in text for text in parsed.texts)


def test_a_run_without_results(tmp_path: Path) -> None:
    write_page(tmp_path / "index.html", "t", "", [], [Figure(tmp_path / "one.png", "1")])
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert page.pictures == ["one.png"]
    assert "Steps" not in page.texts
