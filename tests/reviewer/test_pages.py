"""A page that lacks an image is not made again with every request, but after a while."""

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("fastapi")

from mammoseg.data import predictions
from mammoseg.reviewer import pages


def test_a_page_that_lacks_an_image_is_tried_again_later(
    study: Any, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    decode = predictions.read_image
    monkeypatch.setattr(predictions, "read_image", lambda path, *more: (read.append(path.stem), decode(path, *more))[1])
    now = [1000.0]
    monkeypatch.setattr(pages, "monotonic", lambda: now[0])
    file = study.root / "images" / "a_R-CC.png"
    content = file.read_bytes()
    file.unlink()
    served = serve(study)
    client, address = served.client("AB"), f"/exams/{served.keys()['e1']}"
    assert client.get(address).text.count('"text/plain" data-pixels=') == 3
    before = len(read)
    file.write_bytes(content)
    now[0] += 59
    assert client.get(address).text.count('"text/plain" data-pixels=') == 3
    assert len(read) == before
    now[0] += 2
    assert client.get(address).text.count('"text/plain" data-pixels=') == 4
    assert not (served.out / "errors.csv").exists()


def test_pages_of_exams_that_are_gone_go(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study, blinded=True)
    keys = served.keys()
    for key in keys.values():
        served.client("AB").get(f"/exams/{key}")
    for record in (study.folder / "records").glob("b_*"):
        record.unlink()
    served.follower.look()
    assert {path.name for path in (served.out / "pages").iterdir()} == {
        f"{keys['e1']}.html",
        f"{keys['e1']}.blind.html",
    }
