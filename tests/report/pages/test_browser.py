"""The pages in a browser: Chromium without a GPU, driven by Playwright. Skipped where either is missing."""

import base64
import csv
import json
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mammoseg.data.exam_names import exam_key
from mammoseg.report.write import write_report

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
NO_WEBGL = """
const original = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith("webgl") ? null : original.call(this, kind, ...rest);
};
"""
HOSTILE = "=\"><script>window.hit=1</script><img src=x onerror='window.hit=2'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(new_study_in: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exam e1 with a malignant left breast; its prior e0, of three views; one with hostile texts whose right CC is mirrored and
    whose other views are missing; e3, which cannot be read."""
    root = tmp_path_factory.mktemp("browser")
    study = new_study_in(root / "study")
    for side, view in (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO")):
        study.add(
            f"a_{side}-{view}",
            side,
            view,
            label=int(side == "L"),
            malignant=0.9 if side == "L" else 0.1,
            date="2024-03-01",
        )
        if (side, view) != ("L", "MLO"):
            study.add(f"old_{side}-{view}", side, view, "e0", label=0, malignant=0.65, date="2022-03-01")
    study.add("x", "R", "CC", HOSTILE, HOSTILE, points_right=True, label=0, malignant=0.6, notes=(HOSTILE,))
    study.add("gone", "R", "CC", "e3", "p3", label=0, malignant=0.7)
    (study.root / "images" / "gone.png").unlink()
    out = root / "report"
    write_report(study.predictions(out, truth=True), out)
    return out


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """`visit(path)`: a page that is ready. Errors, dialogs and requests other than for the page itself fail the test."""
    contexts, wrong = [], []

    def go(path: Path, script: str = "", **options: Any) -> Any:
        context = browser.new_context(viewport={"width": 1200, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: "willReadFrequently" in message.text or wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        address = path.as_uri()
        page.on(
            "request", lambda request: request.url.startswith(("data:", "blob:", address)) or wrong.append(request.url)
        )
        if script:
            page.add_init_script(script)
        page.goto(address)
        if path.name != "index.html" and options.get("java_script_enabled", True):
            page.wait_for_selector("body[data-ready]")
        return page

    yield go
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture
def exam(visit: Callable[..., Any], report: Path) -> Any:
    return visit(report / "exams" / "e1.html")


def pixels(page: Any, image_id: str) -> NDArray[np.uint8]:
    """What a view shows, as (rows, columns, RGB), once all that was asked for is drawn."""
    settle(page)
    address = page.evaluate('(id) => document.querySelector(`[data-image="${id}"] canvas`).toDataURL()', image_id)
    content = base64.b64decode(address.partition(",")[2])
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def settle(page: Any) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def colourful(picture: NDArray[np.uint8]) -> int:
    wide = picture.astype(int)
    return int(np.count_nonzero(np.ptp(wide, axis=-1) > 20))


def test_views_hang_back_to_back(exam: Any) -> None:
    boxes = {
        name: exam.locator(f'[data-image="a_{name}"]').bounding_box() for name in ("R-CC", "L-CC", "R-MLO", "L-MLO")
    }
    assert boxes["R-CC"]["x"] == boxes["R-MLO"]["x"] < boxes["L-CC"]["x"] == boxes["L-MLO"]["x"]
    assert boxes["R-CC"]["y"] == boxes["L-CC"]["y"] < boxes["R-MLO"]["y"] == boxes["L-MLO"]["y"]
    exam.keyboard.press("m")
    exam.keyboard.press("m")
    for name, inner in (("R-CC", slice(-60, None)), ("L-CC", slice(None, 60))):
        picture = pixels(exam, f"a_{name}")
        columns = picture.any(axis=(0, 2))
        assert columns[inner].all(), "the chest wall is at the inner border"
        assert not columns[::-1][inner].any(), "and nothing at the outer one"


def test_a_mirrored_image_hangs_with_its_chest_wall_inside(visit: Callable[..., Any], report: Path) -> None:
    [path] = [path for path in (report / "exams").iterdir() if path.stem not in ("e0", "e1", "e3")]
    page = visit(path)
    picture = pixels(page, "x")
    assert picture[:, -40:].any(axis=(0, 2)).all()
    assert page.locator(".gap").count() == 3
    assert page.get_by_text("shown mirrored").count() == 1
    assert page.evaluate("window.hit") is None
    assert page.title() == f"Exam {HOSTILE}"


def test_an_exam_of_gaps_has_no_error(visit: Callable[..., Any], report: Path) -> None:
    page = visit(report / "exams" / "e3.html")
    assert page.locator(".gap").count() == 4
    assert page.get_by_text("cannot be read").is_visible()
    for key in ("+", "ArrowLeft", "Enter", "n", "m", "r"):
        page.keyboard.press(key)
    assert not page.locator("#plain-note").is_visible()


def expected(page: Any, image_id: str, file: Path) -> NDArray[np.float64]:
    """What a view without a map shows: each pixel of the screen between its four neighbours of the file, through the window."""
    view = f"exam.views.find(({{ image }}) => image.id === '{image_id}')"
    place, (low, high) = page.evaluate(f"{view}.place"), page.evaluate(f"{view}.shown()")
    width, height = page.evaluate(f"[{view}.canvas.width, {view}.canvas.height]")
    values = cv2.imread(str(file), cv2.IMREAD_UNCHANGED).astype(np.float32)
    rows, columns = np.mgrid[:height, :width].astype(np.float32) + 0.5
    rows, columns = place["ay"] * rows + place["by"], place["ax"] * columns + place["bx"]
    seen = cv2.remap(
        values,
        (columns - 0.5).astype(np.float32),
        (rows - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = (rows >= 0) & (columns >= 0) & (rows < values.shape[0]) & (columns < values.shape[1])
    return np.where(inside, np.clip((seen - low) / (high - low), 0, 1) * 255, 0)


@pytest.mark.parametrize("image_id", ["a_L-CC", "a_R-MLO", "x"])
def test_every_pixel_is_that_of_the_file(visit: Callable[..., Any], report: Path, image_id: str) -> None:
    """Also mirrored, zoomed and panned."""
    [path] = [path for path in (report / "exams").iterdir() if f'data-image="{image_id}"' in path.read_text()]
    page = visit(path)
    page.get_by_label("Off").check(force=True)
    for keys in ((), ("+", "+", "ArrowDown", "ArrowRight", "Shift+ArrowLeft", "Shift+ArrowUp")):
        for key in keys:
            page.keyboard.press(key)
        shown = pixels(page, image_id).astype(float)
        difference = np.abs(
            shown - expected(page, image_id, report.parent / "study" / "images" / f"{image_id}.png")[..., None]
        )
        assert (difference > 4).mean() < 0.001, "cv2.remap rounds places to 1/32 of a pixel"
        assert shown.max() > 200


def test_dragging_changes_window_and_level(exam: Any) -> None:
    exam.keyboard.press("m")
    exam.keyboard.press("m")
    before = pixels(exam, "a_L-CC")
    assert before.std() > 20, "an empty canvas shows nothing"
    assert len(np.unique(before)) > 50
    exam.mouse.move(500, 250)
    exam.mouse.down()
    exam.mouse.move(500, 150, steps=3)
    exam.mouse.up()
    darker = pixels(exam, "a_L-CC")
    assert darker.mean() < 0.8 * before.mean(), "a higher level is darker"
    assert pixels(exam, "a_R-CC").mean() < before.mean(), "in all views"
    exam.keyboard.press("a")
    np.testing.assert_array_equal(pixels(exam, "a_L-CC"), before)
    exam.keyboard.press("Shift+ArrowRight")
    assert pixels(exam, "a_L-CC").std() < before.std(), "a wider window has less contrast"
    exam.keyboard.press("i")
    assert pixels(exam, "a_L-CC").mean() > before.mean()


def test_zoom_and_pan_are_linked(exam: Any) -> None:
    before = {name: pixels(exam, f"a_{name}") for name in ("L-CC", "R-MLO")}
    exam.mouse.move(500, 250)
    exam.mouse.wheel(0, -300)
    zoomed = {name: pixels(exam, f"a_{name}") for name in before}
    assert all((zoomed[name] != before[name]).any() for name in before)
    exam.keyboard.press("l")
    exam.keyboard.press("ArrowRight")
    other = pixels(exam, "a_R-CC")
    exam.locator('[data-image="a_L-CC"]').focus()
    exam.keyboard.press("ArrowDown")
    assert (pixels(exam, "a_R-CC") == other).all(), "one view alone"
    assert (pixels(exam, "a_L-CC") != zoomed["L-CC"]).any()
    exam.keyboard.press("r")
    np.testing.assert_array_equal(pixels(exam, "a_L-CC"), before["L-CC"])


def test_maps_by_class_threshold_and_opacity(exam: Any) -> None:
    exam.get_by_text("Findings", exact=True).first.click()
    both = colourful(pixels(exam, "a_L-CC"))
    exam.get_by_label("malignant", exact=True).check(force=True)
    malignant = colourful(pixels(exam, "a_L-CC"))
    assert 0 < malignant < both
    exam.keyboard.press("]")
    assert colourful(pixels(exam, "a_L-CC")) < malignant
    exam.get_by_label("Off").check(force=True)
    assert colourful(pixels(exam, "a_L-CC")) == 0
    exam.keyboard.press("m")
    slider = exam.get_by_label("Opacity")
    slider.fill("0")
    assert colourful(pixels(exam, "a_L-CC")) == 0


def contours(page: Any) -> list[str]:
    settle(page)
    return [str(path.get_attribute("d")) for path in page.locator('[data-image="a_L-CC"] .contour').all()]


def area(path: str) -> float:
    points = np.array([point.split() for point in path.strip("MZ").split("L")], float)
    x, y = points.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def test_the_contour_lies_where_the_map_says(exam: Any) -> None:
    exam.get_by_label("malignant", exact=True).check(force=True)
    exam.get_by_label("Contour").check(force=True)
    exam.get_by_label("Threshold").fill("0.45")
    [wide] = contours(exam)
    # a Gaussian of 0.9 at (0.4, 0.3) of 160 x 120 pixels falls to half at 4 sqrt(ln 2) cells of 4 pixels
    assert area(wide) == pytest.approx(np.pi * (16 * np.sqrt(np.log(2))) ** 2, rel=0.06)
    points = np.array([point.split() for point in wide.strip("MZ").split("L")], float)
    np.testing.assert_allclose(points.mean(axis=0), (38, 66), atol=1.5)
    exam.get_by_label("Threshold").fill("0.8")
    [narrow] = contours(exam)
    assert area(narrow) < area(wide) / 3


def test_the_prior_hangs_beside_each_view(exam: Any) -> None:
    assert exam.locator(".view:visible").count() == 4
    wide = exam.locator('[data-image="a_R-MLO"]').bounding_box()["width"]
    exam.keyboard.press("o")
    settle(exam)
    assert exam.get_by_label("Prior", exact=True).is_checked()
    assert exam.locator(".view:visible").count() == 7
    assert exam.get_by_role("group", name="Left MLO, prior, 24 months before: no image").is_visible()
    assert exam.get_by_text("prior, 24 months before", exact=True).count() == 4
    names = ("old_R-MLO", "a_R-MLO", "a_L-MLO")
    boxes = [exam.locator(f'[data-image="{name}"]').bounding_box() for name in names]
    assert [box["y"] for box in boxes] == [boxes[0]["y"]] * 3
    for box, other in pairwise(boxes):
        assert 0 <= other["x"] - box["x"] - box["width"] <= 4, "side by side, the prior at the outer side"
    assert boxes[1]["width"] < wide
    for name in ("a_R-CC", "old_R-CC"):
        assert pixels(exam, name).std() > 20
    scales = exam.evaluate("exam.views.map((view) => view.scale)")
    assert scales == pytest.approx([scales[0]] * 7)
    exam.locator('[data-image="a_R-MLO"]').focus()
    exam.keyboard.press("Enter")
    settle(exam)
    shown = exam.locator(".view:visible")
    assert [each.get_attribute("data-image") for each in shown.all()] == ["a_R-MLO", "old_R-MLO"]
    left, right = (exam.locator(f'[data-image="{name}"]').bounding_box() for name in ("old_R-MLO", "a_R-MLO"))
    assert left["x"] + left["width"] <= right["x"]
    exam.keyboard.press("Escape")
    exam.get_by_label("Prior", exact=True).uncheck(force=True)
    settle(exam)
    assert exam.locator(".view:visible").count() == 4
    assert exam.locator('[data-image="a_R-MLO"]').bounding_box()["width"] == wide


def test_nothing_of_the_prior_is_found_or_said(exam: Any) -> None:
    listed = exam.locator("#findings li").count()
    assert listed == exam.evaluate("exam.data.images.flatMap(({ findings }) => findings).length")
    exam.keyboard.press("o")
    settle(exam)
    assert exam.locator("#findings li").count() == listed
    assert exam.locator('[data-image^="old_"] .finding').count() == 0
    exam.keyboard.press("e")
    box = exam.locator('[data-image="old_R-CC"]').bounding_box()
    exam.mouse.move(box["x"] + 100, box["y"] + 150)
    exam.mouse.down()
    exam.mouse.move(box["x"] + 150, box["y"] + 200, steps=4)
    exam.mouse.up()
    assert exam.locator("#ellipses li").count() == 0
    assert exam.evaluate("exam.verdict.rows().flatMap(({ ellipses }) => ellipses)") == []
    assert exam.evaluate("exam.verdict.rows().map(({ exam_id }) => exam_id)") == ["e1", "e1"]


def test_the_pictures_are_seen_before_the_pixels(exam: Any) -> None:
    marks = exam.evaluate("performance.getEntriesByType('mark').map(({ name }) => name)")
    assert marks == ["pictures", "pixels"]


def test_findings_are_listed_above_the_threshold_and_are_jumped_to(exam: Any) -> None:
    listed = exam.locator("#findings li:visible")
    exam.get_by_label("Threshold").fill("0.5")
    settle(exam)
    assert listed.count() == 2
    before = pixels(exam, "a_L-CC")
    exam.keyboard.press("n")
    assert (pixels(exam, "a_L-CC") != before).any()
    assert exam.locator('#findings [aria-current="true"]').count() == 1
    assert "malignant" in exam.locator("#status").inner_text()
    exam.locator("#findings button").nth(1).click()
    settle(exam)
    assert exam.locator("#findings button").nth(1).get_attribute("aria-current") == "true"


def test_keys_and_help(exam: Any) -> None:
    exam.keyboard.press("?")
    dialog = exam.get_by_role("dialog")
    assert dialog.is_visible()
    assert dialog.get_by_text("next class").is_visible()
    exam.keyboard.press("Escape")
    assert not dialog.is_visible()
    exam.keyboard.press("b")
    settle(exam)
    assert exam.locator(".patch").count() == 4
    exam.keyboard.press("f")
    settle(exam)
    assert exam.locator("path.finding").count() == 0
    assert exam.locator("path.truth").count() == 0
    exam.keyboard.press("t")
    settle(exam)
    assert exam.locator("path.truth").count() == 2
    assert exam.get_by_text("truth: benign 0, malignant 1").first.is_visible()
    exam.locator('[data-image="a_L-MLO"]').focus()
    exam.keyboard.press("Enter")
    settle(exam)
    assert exam.locator(".view:visible").count() == 1
    exam.keyboard.press("Escape")
    assert exam.locator(".view:visible").count() == 4
    exam.get_by_label("Reader").press_sequentially("met")
    assert exam.get_by_label("Reader").input_value() == "met", "keys are letters where one writes"
    assert exam.locator(".patch").count() == 4


def test_a_screen_reader_hears_scores(exam: Any) -> None:
    view = exam.get_by_role("group", name="Left CC, benign 0.20, malignant 0.90")
    assert view.count() == 1
    assert "malignant 0.90" in str(view.locator("img").get_attribute("alt"))


def test_the_verdict_is_saved(exam: Any, tmp_path: Path) -> None:
    exam.get_by_label("Reader").fill('=A, "B"')
    right, left = (exam.get_by_role("group", name=f"{side} breast") for side in ("Right", "Left"))
    left.get_by_label("BI-RADS").select_option("5")
    left.get_by_label("Suspicious").fill("85")
    left.get_by_label("Comment").fill("spiculated\nsecond line")
    right.get_by_label("BI-RADS").select_option("1")
    exam.keyboard.press("Escape")
    exam.get_by_label("Ellipse").check(force=True)
    box = exam.locator('[data-image="a_L-CC"]').bounding_box()
    exam.mouse.move(box["x"] + 60, box["y"] + 150)
    exam.mouse.down()
    exam.mouse.move(box["x"] + 160, box["y"] + 250, steps=4)
    exam.mouse.up()
    assert exam.get_by_text("Lesion 1, Left CC").is_visible()
    saved = {}
    for kind in ("JSON", "CSV"):
        with exam.expect_download() as download:
            exam.get_by_role("button", name=f"Save {kind}").click()
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    file = json.loads(saved["JSON"].read_text())
    assert file["format"] == "mammoseg-verdict-1"
    assert file["checkpoint_sha256"] == "ab" * 32
    first, second = file["verdicts"]
    assert (first["exam_id"], first["laterality"], first["birads"], first["score"], first["ellipses"]) == (
        "e1",
        "R",
        1,
        None,
        [],
    )
    assert first["exam_key"] == second["exam_key"] == exam_key("p1", "e1")
    assert (second["laterality"], second["birads"], second["score"]) == ("L", 5, 85)
    assert second["comment"] == "spiculated\nsecond line"
    assert second["seconds"] > 0
    assert second["truth_seen"] is False
    [ellipse] = second["ellipses"]
    assert ellipse["image_id"] == "a_L-CC"
    scale = exam.evaluate("exam.views[1].scale")
    assert ellipse["column"] == pytest.approx(110 / scale, abs=0.3)
    assert ellipse["semi_rows"] == pytest.approx(50 / scale, abs=0.3)
    with saved["CSV"].open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["laterality"] for row in rows] == ["R", "L"]
    assert rows[1]["reader"] == '\'=A, "B"', "no formula"
    assert json.loads(rows[1]["ellipses"]) == [ellipse]
    assert rows[0]["score"] == ""
    assert rows[0]["exam_key"] == first["exam_key"]


def test_the_box_of_a_finding_is_taken_without_a_mouse(exam: Any) -> None:
    exam.keyboard.press("n")
    exam.get_by_role("button", name="Take its box").press("Enter")
    assert exam.locator("#ellipses li").count() == 1
    exam.get_by_role("button", name="Remove lesion 1").press("Enter")
    assert exam.locator("#ellipses li").count() == 0


def test_without_webgl_the_plain_picture_is_shown(visit: Callable[..., Any], report: Path) -> None:
    page = visit(report / "exams" / "e1.html", NO_WEBGL)
    assert page.locator("#plain-note").is_visible()
    assert pixels(page, "a_L-CC").std() > 20
    assert page.get_by_label("Colour").is_disabled()
    assert page.locator('[data-image="a_L-CC"] .finding').count() > 0
    assert page.locator('[data-image="a_L-CC"] .contour').count() > 0
    before = pixels(page, "a_L-CC")
    page.keyboard.press("+")
    assert (pixels(page, "a_L-CC") != before).any()


def test_without_scripts_pictures_and_outlines_are_shown(visit: Callable[..., Any], report: Path) -> None:
    page = visit(report / "exams" / "e1.html", java_script_enabled=False)
    assert page.locator('[data-image="a_L-CC"] img').is_visible()
    assert page.locator('[data-image="a_L-CC"] svg path').count() > 0


def test_all_exams_are_sorted_and_filtered(visit: Callable[..., Any], report: Path) -> None:
    page = visit(report / "index.html")
    rows = page.locator("#exams tbody tr")

    def first() -> str:
        return str(rows.first.locator("td").nth(1).inner_text())

    page.get_by_role("button", name="malignant", exact=True).click()
    assert first() == "e1", "the highest score first"
    page.get_by_role("button", name="malignant", exact=True).click()
    assert first() == HOSTILE
    page.get_by_role("button", name="disagreement").click()
    assert first() == "e3"
    page.get_by_label("Disagreement from").fill("0.5")
    assert page.locator("#exams tbody tr:visible").count() == 3
    page.get_by_label("Disagreement from").fill("")
    page.get_by_label("Label").select_option("malignant=1")
    assert page.locator("#exams tbody tr:visible").count() == 1
    assert page.get_by_role("status").inner_text() == "1 shown"
    page.get_by_label("Label").select_option("")
    page.get_by_label("with failures only").check()
    assert page.locator("#exams tbody tr:visible").count() == 1
    assert page.evaluate("window.hit") is None
    assert page.locator("#exams img").first.evaluate("(image) => image.naturalWidth") > 0
    assert rows.first.locator("a").first.get_attribute("href").startswith("exams/")


def test_an_exam_without_a_score_has_none_within_limits(visit: Callable[..., Any], report: Path) -> None:
    page = visit(report / "index.html")
    shown = page.locator("#exams tbody tr:visible")
    every = shown.count()
    page.locator("#exams tbody tr").first.evaluate("(row) => row.setAttribute('data-score-0', '')")
    for name, value in (("least", "0"), ("most", "1")):
        page.locator(f'#filters [name="{name}"]').fill(value)
        assert shown.count() == every - 1
        page.locator(f'#filters [name="{name}"]').fill("")
    assert shown.count() == every


def test_a_link_leads_to_the_exam(visit: Callable[..., Any], report: Path) -> None:
    page = visit(report / "index.html")
    for link in page.locator("#exams td:nth-child(2) a").all():
        assert (report / page.evaluate("decodeURIComponent", link.get_attribute("href"))).is_file()
