"""Names of files and keys for exams."""

from mammoseg.data.exam_names import exam_key, exam_names
from mammoseg.io.runs import is_safe_id


def test_names_of_pages() -> None:
    hostile = [
        "../../etc/passwd",
        "<script>",
        "e1",
        "E1",
        "x" * 1000,
        "",
        "\u202e",
        "CON:1",
        "a b",
        ".hidden",
        "fine-2.1",
    ]
    names = exam_names([("p", exam_id) for exam_id in hostile])
    assert names["p", "fine-2.1"] == "fine-2.1"
    assert all("/" not in name and "\\" not in name and len(name) < 80 for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(hostile)
    assert names == exam_names([("p", exam_id) for exam_id in hostile])
    assert is_safe_id(names["p", "e1"])
    twice = exam_names([("p1", "e"), ("p2", "e")])
    assert len(set(twice.values())) == 2


def test_the_key_is_the_documented_hash_and_differs_between_patients() -> None:
    """As docs/reference/verdicts.md has it."""
    assert exam_key("p00002", "p00002_e0") == "feb9ba5b2abdba5e"
    assert len({exam_key("p1", "e"), exam_key("p2", "e"), exam_key("p1e", ""), exam_key("\udcff", "e")}) == 4
