from typing import Any

from mammoseg.evaluation.tables import all_rows, breakdown_table, summary_table

NAN = float("nan")


def number(value: float, low: float = NAN, high: float = NAN, **more: Any) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, **more}


def metrics() -> dict[str, Any]:
    counts = {"n": 1440, "positives": 61, "negatives": 1379, "unknown": 3, "unscored": 0}
    known = {**counts, "reason": None, "auc": number(0.8812, 0.8401, 0.9189), "average_precision": number(0.407)}
    undefined = {
        **counts,
        "reason": "no case with a positive label",
        "auc": number(NAN),
        "average_precision": number(NAN),
    }
    names = ("dice_soft", "dice_linear", "dice_half", "dice_best", "pxap")
    pixel = {name: number(0.25, std=0.1, n=9, undefined=1, reason=None) for name in names}
    table = {"maps": {"saliency": pixel, "random": pixel}, "ratio_to_random": {"saliency": pixel}}
    return {
        "scores": {"breast": {"benign": {"final": undefined}, "malignant": {"final": known}}},
        "maps": {"malignant": {**table, "saliency_minus_global": {}}},
        "by": {"density": {"level": "breast", "values": {"A": {"malignant": known}}}},
        "titles": {"auc": "AUC", "average_precision": "Average precision", "dice_soft": "Dice (soft)", "pxap": "PxAP"},
    }


def test_every_number_is_a_row() -> None:
    rows = all_rows(metrics())
    assert len(rows) == 4 + 3 * 5 + 2
    assert rows[2] == {
        "table": "scores", "level": "breast", "class": "malignant", "of": "final", "metric": "auc", "value": 0.8812,
        "low": 0.8401, "high": 0.9189, "n": 1440, "positives": 61, "negatives": 1379, "unknown": 3, "unscored": 0,
        "reason": None,
    }  # fmt: skip
    assert {row["table"] for row in rows} == {"scores", "maps", "ratio to random", "by density"}


def test_the_summary_is_text_and_says_what_is_undefined() -> None:
    rows = summary_table(metrics())
    assert all(isinstance(cell, str) for row in rows for cell in row.values())
    assert len({tuple(row) for row in rows}) == 1
    assert rows[0]["value"] == "undefined"
    assert rows[0]["remark"] == "no case with a positive label; 3 unknown"
    assert rows[2] == {
        "metric": "AUC", "of": "final, by breast", "class": "malignant", "value": "0.881",
        "interval": "0.840 to 0.919", "n": "1440 (61 positive)", "remark": "3 unknown",
    }  # fmt: skip
    assert [(row["of"], row["remark"]) for row in rows[4:]] == [
        ("saliency map", "1 undefined"),
        ("saliency map", "1 undefined"),
        ("random map", "1 undefined; the floor"),
        ("random map", "1 undefined; the floor"),
    ]


def test_a_caution_and_a_missing_interval_stand_in_the_line_of_the_number() -> None:
    few = metrics()
    final = few["scores"]["breast"]["malignant"]["final"]
    final["caution"] = "caution: only 3 positive patients"
    final["auc"] |= {"low": NAN, "high": NAN, "no_interval": "600 of 1000 replicates are defined"}
    row = summary_table(few)[2]
    assert (row["value"], row["interval"]) == ("0.881", "")
    assert row["remark"] == (
        "caution: only 3 positive patients; no interval (600 of 1000 replicates are defined); 3 unknown"
    )


def test_a_breakdown_is_a_table_of_its_own() -> None:
    assert breakdown_table(metrics(), "density") == [
        {
            "density": "A", "metric": "AUC", "class": "malignant", "value": "0.881", "interval": "0.840 to 0.919",
            "n": "1440 (61 positive)", "remark": "3 unknown",
        }
    ]  # fmt: skip
