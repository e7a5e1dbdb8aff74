"""`--map`: fields and classes, whatever is in the names, and the names that need none."""

from pathlib import Path

import pytest

from mammoseg.ingest.label_map import MapError, Says, map_columns, side_of

PATH = Path("labels.xlsx")
BENIGN = Says({"benign": 1}, {"malignant": 0})


def values(text: str, *columns: str) -> dict[str, Says]:
    [found] = map_columns(PATH, columns, [text]).values.values()
    return dict(found)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("malignant", Says({"malignant": 1})),
        ("benign", BENIGN),
        (" Benign + MALIGNANT ", Says({"benign": 1, "malignant": 1})),
        ("none", Says({"benign": 0, "malignant": 0})),
        ("not malignant", Says({"malignant": 0})),
        ("malignant+not benign", Says({"malignant": 1, "benign": 0})),
        ("not benign+not  malignant", Says({"malignant": 0, "benign": 0})),
        ("unknown", Says()),
        ("left", Says(side="L")),
        ("Right + malignant", Says({"malignant": 1}, side="R")),
        ("", Says()),
    ],
)
def test_classes(words: str, says: Says) -> None:
    assert values(f"Finding:x={words}", "Finding") == {"x": says}


def test_values_hold_any_sign() -> None:
    found = values(" finding : a, b = benign,c=d=malignant, =none,E:F=unknown", "Finding", "Other")
    assert found == {
        "a, b": BENIGN,
        "c=d": Says({"malignant": 1}),
        "": Says({"benign": 0, "malignant": 0}),
        "e:f": Says(),
    }


def test_columns_hold_any_sign() -> None:
    columns = ["Side", "Side: breast", "a=b", "Long  name"]
    maps = ["side: breast=laterality", "A=B:x=benign", "long name = Patient ID"]
    found = map_columns(PATH, columns, maps)
    assert found.fields == {"laterality": "Side: breast", "patient_id": "Long  name"}
    assert found.values == {"a=b": {"x": BENIGN}}


def test_sides_in_other_words() -> None:
    found = map_columns(PATH, ["Seite", "Befund"], ["Seite:links=left,rechts=right,beide="])
    assert (found.fields, found.label_columns, found.tells_labels) == ({"laterality": "Seite"}, [], False)
    with pytest.raises(MapError, match="'Side' is laterality already"):
        map_columns(PATH, ["Seite", "Side"], ["Side=laterality", "Seite:links=left"])


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Patient", "patient_id"),
        ("PatientID", "patient_id"),
        ("patient id", "patient_id"),
        ("PATIENT_ID", "patient_id"),
        ("Side", "laterality"),
        ("Image Laterality", "laterality"),
        ("View", "view"),
        ("File name", "path"),
        ("StudyInstanceUID", "study_uid"),
        ("Malignant", "malignant"),
        ("BIRADS", None),
        ("Age", None),
        ("Date", None),
        ("ID", None),
        ("Study", None),
    ],
)
def test_usual_names(column: str, name: str | None) -> None:
    assert map_columns(PATH, [column], []).fields == ({name: column} if name else {})


def test_what_is_said_goes_before_usual_names() -> None:
    found = map_columns(PATH, ["Patient", "Case", "Side"], ["Case=patient_id", "Side:l=benign"])
    assert found.fields == {"patient_id": "Case"}
    assert map_columns(PATH, ["Patient", "patient_id"], []).fields == {"patient_id": "patient_id"}
    with pytest.raises(MapError, match=r"'Patient', 'PatientID' can each be patient_id.*--map \"Patient=patient_id\""):
        map_columns(PATH, ["Patient", "PatientID"], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Findng:x=benign", r"labels\.xlsx has no column 'Findng'; there are 'Finding', 'Side'\. Expected"),
        ("Birads=view", r"no column 'Birads'; there are 'Finding', 'Side'\. Expected"),
        ("Finding", "no column 'Finding'|has no column"),
        ("Finding=cancer", "there is no field 'cancer'"),
        ("Finding:cancer=malignnt,normal=none", "'malignnt' is no class"),
        ("Finding:x=benign+not benign", r"'benign\+not benign' is no class"),
        ("Finding:x=none+benign", "is no class"),
        ("Finding:x=benign,cancer", "'cancer' has no class"),
        ("Finding:", "'' has no class"),
        ("Side=view", "'Finding' is view already"),
        ("Finding:b=left+right", r"'left\+right' is no side"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(MapError, match=message) as error:
        map_columns(PATH, ["Finding", "Side"], ["Finding=view", text])
    assert "Write, for example" in str(error.value)


def test_sides_as_people_write_them() -> None:
    assert [side_of(text) for text in ("l", "LEFT", "right  breast", "B", "")] == ["L", "L", "R", None, None]
