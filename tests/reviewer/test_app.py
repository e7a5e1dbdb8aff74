"""What the server answers: pages, the list, verdicts; and in a blinded review nothing of the model before the verdict."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mammoseg.data.exam_names import exam_key

pytest.importorskip("fastapi")

SCORE = "0.8765"


def post(client: Any, key: str, sent: dict[str, Any]) -> Any:
    return client.post(f"/exams/{key}/verdict", json=sent)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_pages_are_those_of_the_report(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study)
    client = served.client("AB")
    page = client.get(f"/exams/{served.keys()['e1']}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    [text] = re.findall(r'<script type="application/json" id="exam">(.*?)</script>', page.text, re.DOTALL)
    images = json.loads(text)["images"]
    assert [image["name"] for image in images] == ["Right CC", "Left CC", "Right MLO", "Left MLO"]
    assert images[1]["findings"]
    assert images[1]["scores"]["malignant"] == pytest.approx(0.8765)
    assert page.text.count('"text/plain" data-pixels=') == 4


def test_the_policy_allows_requests_to_the_server_alone(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study, blinded=True)
    client = served.client("AB")
    for path in ("/", "/login", f"/exams/{served.keys()['e1']}"):
        page = client.get(path)
        policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', page.text)[0].replace("&#39;", "'")
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["connect-src"] == "'self'"
        assert rules["form-action"] == rules["base-uri"] == "'none'"
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"


def test_no_image_is_decoded_twice(
    study: Any, serve: Callable[..., Any], verdict: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mammoseg.data import predictions

    read: list[str] = []
    decode = predictions.read_image
    monkeypatch.setattr(predictions, "read_image", lambda path, *more: (read.append(path.stem), decode(path, *more))[1])
    served = serve(study, blinded=True)
    key = served.keys()["e1"]
    for reader in ("AB", "CD"):
        client = served.client(reader)
        client.get(f"/exams/{key}")
        post(client, key, verdict(reader))
        assert SCORE[:4] in client.get(f"/exams/{key}").text
    again = serve(study, blinded=True)
    again.client("EF").get(f"/exams/{key}")
    assert sorted(read) == ["a_L-CC", "a_L-MLO", "a_R-CC", "a_R-MLO"], "also after a restart"
    study.add("a_L-CC", "L", "CC", "e1", "NAME^OF", malignant=0.5)
    again.client("EF").get(f"/exams/{key}")
    assert len(read) == 8, "what has changed is made anew"


def test_a_blinded_page_holds_nothing_of_the_model(
    study: Any, serve: Callable[..., Any], verdict: Callable[..., Any]
) -> None:
    study.add("a_L-CC", "L", "CC", "e1", "NAME^OF", malignant=0.8765, notes=("a note of the model",))
    study.rows.pop()  # it is there already
    served = serve(study, blinded=True, truth=True)
    key, other = served.keys()["e1"], served.keys()["e2"]
    ab, cd = served.client("AB"), served.client("CD")

    def all_that_is_sent(client: Any) -> bytes:
        paths = (
            "/",
            "/index.json",
            "/index.json?by=malignant",
            f"/exams/{key}",
            f"/exams/{key}/state",
            "/verdicts.csv",
        )
        return b"".join(client.get(path).content + str(client.get(path).headers).encode() for path in paths)

    full = serve(study, truth=True).client("AB").get(f"/exams/{key}").content
    telling = [b"0.8765", b"0.88", b"0.43", b"a note of the model", b">attention<", b"truth: benign"]
    [text] = re.findall(rb'<script type="application/json" id="exam">(.*?)</script>', full, re.DOTALL)
    for image in json.loads(text)["images"]:
        telling.append(image["maps"]["data"].encode())
        telling += [finding["path"].encode() for finding in image["findings"]]
        telling += [
            json.dumps(line, separators=(",", ":")).encode() for lines in image["outlines"].values() for line in lines
        ]
    assert all(each in full for each in telling if each != b"0.8765")
    assert len(telling) > 12
    sent = all_that_is_sent(ab)
    assert b"data-pixels=" in sent
    assert not [each for each in telling if each in sent]
    [text] = re.findall(rb'<script type="application/json" id="exam">(.*?)</script>', sent, re.DOTALL)
    about = json.loads(text)
    assert about["classes"] == []
    assert not any(
        i["findings"] or i["scores"] or i["labels"] or i["outlines"] or i["patches"] for i in about["images"]
    )
    assert not any("scores" in exam for exam in ab.get("/index.json").json()["exams"])

    post(ab, key, verdict("AB", left={"birads": 5}))
    assert b"0.88" in ab.get(f"/exams/{key}").content
    listed = {exam["key"]: exam for exam in ab.get("/index.json").json()["exams"]}
    assert "scores" in listed[key]
    assert "scores" not in listed[other], "of this exam alone"
    sent = all_that_is_sent(cd)
    assert not [each for each in telling if each in sent], "to this reader alone"
    assert b"AB" not in cd.get("/verdicts.csv").content, (
        "what others say after they have seen the model is told by none"
    )


def test_a_refused_verdict_shows_nothing(study: Any, serve: Callable[..., Any], verdict: Callable[..., Any]) -> None:
    served = serve(study, blinded=True)
    client, key = served.client("AB"), served.keys()["e1"]
    for sent in (verdict("AB", left={"birads": None}), verdict("CD"), {**verdict("AB"), "verdicts": []}, {}):
        assert post(client, key, sent).status_code in (409, 422)
    assert b"0.88" not in client.get(f"/exams/{key}").content
    assert served.store.last_number() == 0


@pytest.mark.parametrize(
    "left",
    [
        {"birads": 7},
        {"birads": "5; DROP TABLE verdicts"},
        {"score": 101},
        {"score": 1.5},
        {"comment": "x" * 4001},
        {"comment": "a\0b"},
        {"seconds": -1},
        {"laterality": "R"},
        {"more": 1},
        {"ellipses": [{"image_id": "a_R-CC", "row": 1, "column": 1, "semi_rows": 1, "semi_columns": 1}]},
        {"ellipses": [{"image_id": "../../x", "row": 1, "column": 1, "semi_rows": 1, "semi_columns": 1}]},
        {"ellipses": [{"image_id": "a_L-CC", "row": 1e300, "column": 1, "semi_rows": 1, "semi_columns": 1}]},
    ],
    ids=str,
)
def test_a_wrong_verdict_is_refused_in_words(
    study: Any, serve: Callable[..., Any], verdict: Callable[..., Any], left: dict[str, Any]
) -> None:
    served = serve(study)
    answer = post(served.client("AB"), served.keys()["e1"], verdict("AB", left=left))
    assert answer.status_code == 422
    assert len(answer.json()["error"]) > 10
    assert served.store.last_number() == 0


def test_no_json_and_no_text_are_refused(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study)
    client, path = served.client("AB"), f"/exams/{served.keys()['e1']}/verdict"
    json_type = {"content-type": "application/json"}
    for content in (b"", b"{", b"[" * 100_000, b"NaN", b'{"reader": "\\ud800"}', b"\xff"):
        assert client.post(path, content=content, headers=json_type).status_code in (400, 422)
    assert client.post("/reader", content=b'{"reader": "\\ud800"}', headers=json_type).status_code == 422
    for name in ("", "   ", "x" * 81, "a\x1b[31m", "a\u202eb"):
        assert client.post("/reader", json={"reader": name}).status_code == 422


def test_the_table_is_that_of_the_reference(study: Any, serve: Callable[..., Any], verdict: Callable[..., Any]) -> None:
    served = serve(study)
    client, key = served.client('=A, "B"'), served.keys()["e1"]
    ellipse = {"image_id": "a_L-CC", "row": 64.0, "column": 36.5, "semi_rows": 12.0, "semi_columns": 11.5}
    left = {"birads": 5, "score": 85, "comment": "+spiculated\nsecond line", "ellipses": [ellipse]}
    assert post(client, key, verdict('=A, "B"', left=left)).json() == {"number": 2}
    answer = client.get("/verdicts.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    columns = "exam_id,laterality,reader,birads,score,ellipses,seconds,comment,truth_seen,exam_key"
    assert answer.text.splitlines()[0] == columns
    right_row, left_row = rows_of(answer.text)
    assert (left_row["exam_id"], left_row["laterality"], left_row["reader"]) == ("e1", "L", '\'=A, "B"')
    assert (left_row["birads"], left_row["score"], left_row["seconds"]) == ("5", "85", "12.3")
    assert left_row["comment"] == "'+spiculated\nsecond line"
    assert json.loads(left_row["ellipses"]) == [ellipse]
    assert (right_row["score"], right_row["truth_seen"], right_row["exam_key"]) == ("", "false", key)
    served.follower.look()
    assert (served.out / "verdicts.csv").read_text() == answer.text


def test_the_prior_of_a_blinded_exam_has_pixels_and_no_scores(
    new_study_in: Callable[[Path], Any], tmp_path: Path, serve: Callable[..., Any], verdict: Callable[..., Any]
) -> None:
    study = new_study_in(tmp_path / "study")
    for exam, date, score in (
        ("now", "2024-05-01", 0.1234),
        ("before", "2022-05-01", 0.8765),
        ("first", "2020-05-01", 0.4321),
    ):
        for side in "RL":
            parts = {"local": {"benign": 0.1, "malignant": score}}
            study.add(
                f"{exam}_{side}", side, "CC", exam, date=date, malignant=score, parts=parts, notes=(f"of {exam}",)
            )
    served = serve(study, blinded=True, truth=True)
    client, key = served.client("AB"), served.keys()["now"]

    def page() -> tuple[str, dict[str, Any]]:
        text = client.get(f"/exams/{key}").text
        [data] = re.findall(r'<script type="application/json" id="exam">(.*?)</script>', text, re.DOTALL)
        return text, json.loads(data)

    text, data = page()
    assert [(each["id"], each["prior"]) for each in data["priors"]] == [
        ("before_R", "prior, 24 months before"),
        ("before_L", "prior, 24 months before"),
    ]
    for each in (*data["images"], *data["priors"]):
        assert not each["scores"]
        assert not each["findings"]
        assert each["maps"]["shape"] == [0, 1, 1]
    for told in ("0.88", "0.8765", "0.12", "0.43", "malignant", "benign", "of before", "of now", "2022-05", "first_"):
        assert told not in text, told
    assert text.count('data-pixels="before_') == 2
    post(client, key, verdict("AB"))
    text, data = page()
    assert [each["scores"]["malignant"] for each in data["priors"]] == pytest.approx([0.8765] * 2)
    assert not any(each["findings"] for each in data["priors"])
    assert "malignant 0.88" in text


def test_exams_of_one_id_of_two_patients_are_told_apart(
    new_study_in: Callable[[Path], Any], tmp_path: Path, serve: Callable[..., Any], verdict: Callable[..., Any]
) -> None:
    study = new_study_in(tmp_path / "study")
    for patient in ("p1", "p2"):
        for side, view in (("R", "CC"), ("L", "CC")):
            study.add(f"{patient}_{side}-{view}", side, view, "e1", patient)
    served = serve(study)
    client = served.client("AB")
    keys = [exam["key"] for exam in client.get("/index.json").json()["exams"]]
    for birads, key in enumerate(keys, start=1):
        post(client, key, verdict("AB", left={"birads": birads}))
    rows = [row for row in rows_of(client.get("/verdicts.csv").text) if row["laterality"] == "L"]
    assert [(row["exam_id"], row["birads"], row["exam_key"]) for row in rows] == [
        ("e1", "1", exam_key("p1", "e1")),
        ("e1", "2", exam_key("p2", "e1")),
    ]


def test_a_reader_goes_on_where_the_work_stopped(
    study: Any, serve: Callable[..., Any], verdict: Callable[..., Any]
) -> None:
    served = serve(study, order=["e2", "not there yet", "e1"])
    keys = served.keys()
    assert [*keys] == ["e2", "e1"], "in the order of the work list"
    client = served.client("AB")
    assert client.get("/next").headers["location"] == f"/exams/{keys['e2']}"
    assert client.get(f"/next?after={keys['e2']}").headers["location"] == f"/exams/{keys['e1']}"
    assert client.get(f"/next?after={keys['e1']}").headers["location"] == f"/exams/{keys['e2']}", "from the first on"
    post(client, keys["e2"], verdict("AB", left={"birads": 4, "comment": "look again"}))
    client = serve(study, order=["e2", "e1"]).client("AB")
    assert client.get("/next").headers["location"] == f"/exams/{keys['e1']}", "after a restart"
    state = client.get(f"/exams/{keys['e2']}/state").json()
    assert (state["reader"], state["done"], state["total"]) == ("AB", 1, 2)
    assert [(v["laterality"], v["birads"], v["comment"]) for v in state["verdicts"]] == [
        ("R", 2, ""),
        ("L", 4, "look again"),
    ]
    assert served.client("CD").get("/next").headers["location"] == f"/exams/{keys['e2']}", "each reader alone"
    post(client, keys["e1"], verdict("AB"))
    assert client.get("/next").headers["location"] == "/"


def test_exams_beside_the_work_list_are_not_shown(study: Any, serve: Callable[..., Any]) -> None:
    key = serve(study).keys()["e1"]
    client = serve(study, order=["e2"]).client("AB")
    assert client.get(f"/exams/{key}").status_code == 404
    assert client.get("/index.json").json()["total"] == 1


def test_what_is_predicted_later_appears(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study)
    client = served.client("AB")
    study.add("c_L-CC", "L", "CC", "e3", "p3", malignant=0.7)
    served.follower.look()
    assert client.get("/index.json").json()["total"] == 3
    page = client.get(f"/exams/{served.keys()['e3']}")
    assert page.text.count('"text/plain" data-pixels=') == 1
    study.add("c_L-MLO", "L", "MLO", "e3", "p3", malignant=0.7)
    served.follower.look()
    assert client.get(f"/exams/{served.keys()['e3']}").text.count('"text/plain" data-pixels=') == 2


@pytest.mark.parametrize(
    "key",
    [
        "e1",
        "%2e%2e",
        "../verdicts.sqlite",
        "..%2fverdicts.sqlite",
        "%2fetc%2fpasswd",
        "0" * 16,
        "a" * 5000,
        "%00",
        "\u202e",
    ],
    ids=lambda key: key[:20],
)
def test_no_address_leads_out_of_the_folder(
    study: Any, serve: Callable[..., Any], verdict: Callable[..., Any], key: str
) -> None:
    client = serve(study).client("AB")
    for answer in (client.get(f"/exams/{key}"), client.get(f"/exams/{key}/state"), post(client, key, verdict("AB"))):
        assert answer.status_code in (404, 405)
        assert b"SQLite" not in answer.content


def test_hostile_ids_are_text_and_stay_in_the_folder(
    study: Any, serve: Callable[..., Any], verdict: Callable[..., Any], tmp_path: Path
) -> None:
    hostile = '../../"><script>alert(1)</script>{{7*7}}\u202e'
    study.add("x", "L", "CC", hostile, hostile)
    served = serve(study)
    client, key = served.client("AB"), served.keys()[hostile]
    page = client.get(f"/exams/{key}")
    assert "<script>alert" not in page.text
    assert client.get("/index.json").text.count("<script>alert") == 1, "as JSON, which no browser runs"
    assert client.get("/index.json").headers["content-type"] == "application/json"
    assert post(client, key, {**verdict("AB"), "verdicts": verdict("AB")["verdicts"][1:]}).status_code == 200
    assert rows_of(client.get("/verdicts.csv").text)[0]["exam_id"] == hostile
    assert {path.name for path in tmp_path.iterdir()} == {"study", "review"}
    assert [path.name for path in (tmp_path / "review" / "pages").iterdir()] == [f"{key}.html"]


def test_no_patient_and_no_path_is_sent(study: Any, serve: Callable[..., Any], tmp_path: Path) -> None:
    (study.root / "images" / "a_R-CC.png").unlink()
    served = serve(study, truth=True)
    client = served.client("AB")
    paths = ("/", "/index.json", "/verdicts.csv", *(f"/exams/{key}" for key in served.keys().values()))
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200
        for secret in ("NAME^OF", str(tmp_path), ".png"):
            assert secret not in answer.text


def test_a_missing_image_is_a_gap(study: Any, serve: Callable[..., Any]) -> None:
    (study.root / "images" / "a_R-CC.png").unlink()
    served = serve(study, blinded=True)
    page = served.client("AB").get(f"/exams/{served.keys()['e1']}")
    assert page.text.count('"text/plain" data-pixels=') == 3
    assert "cannot be shown" in page.text
    assert (served.out / "errors.csv").is_file()


def test_a_run_that_is_gone_is_told(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study)
    key = served.keys()["e1"]
    shutil.rmtree(study.folder)
    answer = served.client("AB").get(f"/exams/{key}")
    assert answer.status_code in (404, 503)
    served.follower.look()
    assert served.client("AB").get("/index.json").json()["total"] == 0


def test_without_a_name_nothing_is_shown(study: Any, serve: Callable[..., Any], verdict: Callable[..., Any]) -> None:
    served = serve(study)
    client, key = served.client(), served.keys()["e1"]
    assert client.get(f"/exams/{key}").headers["location"] == "/"
    assert post(client, key, verdict("AB")).status_code == 409
    client.cookies.set("mammoseg_reader", "no base64!")
    assert client.get(f"/exams/{key}").status_code == 303
    named = client.post("/reader", json={"reader": "AB"}).headers["set-cookie"]
    assert "HttpOnly" in named
    assert "SameSite=strict" in named
    assert "expires" not in named.lower(), "for the session of the browser"


def test_the_truth_once_seen_is_seen(study: Any, serve: Callable[..., Any], verdict: Callable[..., Any]) -> None:
    served = serve(study, truth=True)
    client, key = served.client("AB"), served.keys()["e1"]
    for seen in (False, True, False):
        post(client, key, verdict("AB", left={"truth_seen": seen}, right={"truth_seen": seen}))
    assert [row["truth_seen"] for row in rows_of(client.get("/verdicts.csv").text)] == ["false"] * 2 + ["true"] * 4
