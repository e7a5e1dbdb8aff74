from pathlib import Path

from mammoseg.ingest.tables import read_table
from mammoseg.io.text_table import UNKNOWN, TextTable


def test_tables_of_ingest_are_such(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("score,label\n0.5,1\nNA,0\n0.1\n0.2,0\n")
    table: TextTable = read_table(path)
    assert [table.path, list(table.columns), list(table.misfits)] == [path, ["score", "label"], [4]]
    assert [cells["score"].lower() in UNKNOWN for cells in table.rows.values()] == [False, True, False]
