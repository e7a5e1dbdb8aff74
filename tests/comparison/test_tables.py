"""A comparison as text."""

from typing import Any

from mammoseg.comparison.tables import all_rows, text_rows

NAN = float("nan")
NUMBER = {
    "a": 0.8,
    "b": 0.85,
    "value": 0.05,
    "low": -0.01,
    "high": 0.11,
    "p": 0.09,
    "p_holm": 0.18,
    "holm_of": 2,
    "n": 40,
}
UNDEFINED = NUMBER | {"value": NAN, "low": NAN, "high": NAN, "p": NAN, "p_holm": NAN, "reason": "no case"}
RESULTS: dict[str, Any] = {
    "titles": {"auc": "AUC", "dice_soft": "Dice (soft)"},
    "scores": {
        "image": {"x": {"auc": UNDEFINED}},
        "breast": {
            "x": {
                "auc": NUMBER
                | {"positives": 9, "caution": "caution: only 9 positive patients", "reason": None}
                | {
                    "bootstrap": {"low": -0.02, "high": 0.1, "p": 0.2},
                    "permutation": {"low": NAN, "high": NAN, "p": 0.0004},
                }
                | {"non_inferiority": {"margin": 0.05, "low": -0.01, "p": 0.01, "shown": True, "reason": None}}
            }
        },
    },
    "operating_points": {
        "breast": {
            "x": {
                "threshold=0.5": {"threshold_a": 0.5, "threshold_b": 0.5, "chosen_on_these_cases": False}
                | {name: NUMBER | {"a_alone": 1, "b_alone": 3} for name in ("sensitivity", "specificity")}
            }
        }
    },
    "maps": {"x": {"dice_soft": NUMBER | {"higher": 7, "lower": 2}}},
}


def test_every_number_is_a_row() -> None:
    rows = all_rows(RESULTS)
    assert [(row["table"], row["level"], row["metric"]) for row in rows] == [
        ("scores", "image", "auc"),
        ("scores", "breast", "auc"),
        ("operating points", "breast", "sensitivity"),
        ("operating points", "breast", "specificity"),
        ("maps", "image", "dice_soft"),
    ]
    assert rows[1]["bootstrap_low"] == -0.02
    assert rows[2]["threshold_a"] == 0.5


def test_texts() -> None:
    tables = text_rows(RESULTS)
    assert list(tables) == ["Scores by image", "Scores by breast", "Operating points by breast", "Maps"]
    [row] = tables["Scores by breast"]
    assert (row["metric"], row["A"], row["B"], row["B - A"]) == ("AUC", "0.800", "0.850", "+0.050 (-0.010 to +0.110)")
    assert (row["p"], row["p, Holm"], row["n"]) == ("0.090", "0.180 of 2", "40 (9 positive)")
    assert row["remark"] == (
        "caution: only 9 positive patients; non-inferiority with margin 0.05 shown (one-sided p 0.010); "
        "bootstrap -0.020 to +0.100; permutation p < 0.001"
    )
    [undefined] = tables["Scores by image"]
    assert (undefined["B - A"], undefined["p"], undefined["remark"]) == ("undefined", "", "no interval: no case")
    assert tables["Operating points by breast"][0]["remark"] == "right in A alone 1, in B alone 3"
    assert tables["Maps"][0]["remark"] == "higher in 7, lower in 2 images"


def test_briefly_of_breasts_and_what_is_needed() -> None:
    tables = text_rows(RESULTS, brief=True)
    assert list(tables) == ["Scores by breast", "Operating points by breast", "Maps"]
    assert "permutation" not in tables["Scores by breast"][0]["remark"]
    assert "caution" in tables["Scores by breast"][0]["remark"]
    assert tables["Maps"][0]["remark"] == ""


def test_thresholds_of_these_cases_are_said_even_briefly() -> None:
    point = RESULTS["operating_points"]["breast"]["x"]["threshold=0.5"] | {"chosen_on_these_cases": True}
    tables = text_rows({**RESULTS, "operating_points": {"breast": {"x": {"sensitivity=0.9": point}}}}, brief=True)
    for row in tables["Operating points by breast"]:
        assert row["remark"] == "thresholds chosen on these cases and held fixed: the interval is too short"
