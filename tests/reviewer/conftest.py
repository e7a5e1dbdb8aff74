"""A review of two exams, in this process: the server behind its guard, asked without a network."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))
ADDRESS = "http://127.0.0.1:8421"


@dataclass
class Served:
    """A review and what it stands on."""

    study: Any
    out: Path
    app: Any
    index: Any
    store: Any
    follower: Any

    def client(self, reader: str = "", address: str = ADDRESS, **headers: str) -> Any:
        """A browser, of a reader who has said the name."""
        from fastapi.testclient import TestClient

        client = TestClient(self.app, base_url=address, headers={"origin": address, **headers}, follow_redirects=False)
        if reader:
            assert client.post("/reader", json={"reader": reader}).status_code == 200
        return client

    def keys(self) -> dict[str, str]:
        """exam_id -> the key of its address, of all exams of the work list."""
        from mammoseg.reviewer.index import Wanted

        return {exam["exam_id"]: exam["key"] for exam in self.index.listed("", Wanted())[0]}


@pytest.fixture
def study(new_study_in: Callable[[Path], Any], tmp_path: Path) -> Any:
    """Exam e1 of patient NAME^OF, malignant at the left, and exam e2."""
    study = new_study_in(tmp_path / "study")
    for side, view in VIEWS:
        malignant = 0.8765 if side == "L" else 0.1
        parts = {"local": {"benign": 0.1, "malignant": 0.4321}}
        study.add(
            f"a_{side}-{view}", side, view, "e1", "NAME^OF", label=int(side == "L"), malignant=malignant, parts=parts
        )
        study.add(f"b_{side}-{view}", side, view, "e2", "p2", label=0, malignant=0.2)
    return study


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Served]:
    """`serve(study, blinded=True, order=["e2"], truth=True, host=..., token=...)`."""

    def serve(
        study: Any,
        blinded: bool = False,
        order: list[str] | None = None,
        truth: bool = False,
        host: str = "127.0.0.1",
        token: str | None = None,
    ) -> Served:
        from mammoseg.reviewer.app import Review, make_app
        from mammoseg.reviewer.following import Follower
        from mammoseg.reviewer.guard import Guard
        from mammoseg.reviewer.index import ExamIndex
        from mammoseg.reviewer.pages import ExamPages
        from mammoseg.reviewer.store import VerdictStore

        out = tmp_path / "review"
        out.mkdir(exist_ok=True)
        store = VerdictStore(out / "verdicts.sqlite")
        index = ExamIndex(out / "index.sqlite", study.folder, store.path, order)
        pages = ExamPages(study.predictions(out, truth), out / "pages", blinded)
        follower = Follower(index, pages, store, out / "verdicts.csv")
        follower.look()
        app = Guard(make_app(Review(study.folder, index, store, pages, blinded, token)), host, token)
        return Served(study, out, app, index, store, follower)

    return serve


def breast(laterality: str, said: dict[str, Any]) -> dict[str, Any]:
    plain = {"birads": 2, "score": None, "ellipses": [], "seconds": 12.34, "comment": "", "truth_seen": False}
    return {"laterality": laterality, **plain, **said}


@pytest.fixture
def verdict() -> Callable[..., dict[str, Any]]:
    """`verdict("AB", left={"birads": 5})`: what the page posts."""

    def made(reader: str, left: dict[str, Any] | None = None, right: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"reader": reader, "page": "", "verdicts": [breast("R", right or {}), breast("L", left or {})]}

    return made
