"""Names of files for exams."""

from mammoseg.data.exam_names import exam_names
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
