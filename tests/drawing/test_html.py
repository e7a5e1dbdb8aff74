"""Cells and titles of pages are shown as they are, whatever they hold."""

from mammoseg.drawing.html import Html, page, table


def test_cells_are_escaped_unless_they_are_html() -> None:
    text = table(("a<b", "n"), [("<script>", 7), (Html("<b>bold</b>"), "x")])
    assert "<th>a&lt;b</th>" in text
    assert "<td>&lt;script&gt;</td><td class=n>7</td>" in text
    assert "<td><b>bold</b></td><td>x</td>" in text


def test_a_page_has_its_title_and_the_notice() -> None:
    text = page("A & B", "p { color: red }", ["<p>one</p>", "<p>two</p>"])
    assert text.startswith("<!doctype html>")
    assert "<title>A &amp; B</title>" in text
    assert "p { color: red }" in text
    assert "For research use only" in text
    assert text.endswith("<p>one</p>\n<p>two</p>\n</body></html>\n")
