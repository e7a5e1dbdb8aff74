"""Who may ask, under which name, from where, how much."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("fastapi")

from mammoseg.reviewer.guard import MOST_BYTES, Guard, cookie_of

TOKEN = "a token of more than sixteen characters"
OUTSIDE = "http://10.0.0.5:8421"


@pytest.mark.parametrize("host", ["127.0.0.1:8421", "localhost:8421", "LOCALHOST", "[::1]:8421"])
def test_this_machine_is_answered(study: Any, serve: Callable[..., Any], host: str) -> None:
    assert serve(study).client().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "10.0.0.5",
        "",
        "127.0.0.1:x",
        "[::2]",
        "localhost:1:2",
    ],
)
def test_other_names_are_not_answered(study: Any, serve: Callable[..., Any], host: str) -> None:
    answer = serve(study).client().get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1:9999",
        "http://localhost:8421",
        "http://127.0.0.1:8421.evil.example",
    ],
)
def test_what_other_pages_send_is_not_taken(study: Any, serve: Callable[..., Any], origin: str) -> None:
    served = serve(study)
    answer = served.client().post("/reader", json={"reader": "AB"}, headers={"origin": origin})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    client = served.client()
    del client.headers["origin"]
    assert client.post("/reader", json={"reader": "AB"}).status_code == 403


def test_large_requests_are_not_taken(study: Any, serve: Callable[..., Any]) -> None:
    client = serve(study).client()
    json_type = {"content-type": "application/json"}
    assert client.post("/reader", content=b" " * (MOST_BYTES + 1), headers=json_type).status_code == 413
    assert client.post("/reader", content=(b" " * 1000 for _ in range(1000)), headers=json_type).status_code == 413
    assert client.post("/reader", content=b" " * MOST_BYTES, headers=json_type).status_code == 422


def test_with_a_token_nothing_is_sent_without_it(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study, host="0.0.0.0", token=TOKEN)
    client, key = served.client(address=OUTSIDE), served.keys()["e1"]
    for path in ("/", "/index.json", f"/exams/{key}", f"/exams/{key}/state", "/next", "/verdicts.csv", "/nothing"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert "e1" not in answer.text
    page = client.get("/", headers={"accept": "text/html,*/*"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    assert client.get("/login").status_code == 200
    for path in ("/reader", f"/exams/{key}/verdict"):
        assert client.post(path, json={"reader": "AB"}).status_code == 401


@pytest.mark.parametrize("given", ["", "x", TOKEN[:-1], TOKEN + "x", "\u00e4", cookie_of(TOKEN)])
def test_a_wrong_token_opens_nothing(study: Any, serve: Callable[..., Any], given: str) -> None:
    client = serve(study, host="0.0.0.0", token=TOKEN).client(address=OUTSIDE)
    answer = client.post("/login", json={"token": given})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert client.get("/", headers={"authorization": f"Bearer {given}".encode()}).status_code == 401
    assert client.get("/", headers={"cookie": f"mammoseg_token={TOKEN}"}).status_code == 401


def test_a_token_opens_as_a_header_and_by_login(study: Any, serve: Callable[..., Any]) -> None:
    served = serve(study, host="0.0.0.0", token=TOKEN)
    assert served.client(address=OUTSIDE).get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    client = served.client(address=OUTSIDE)
    cookie = client.post("/login", json={"token": f" {TOKEN}\n"}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert client.get("/").status_code == 200
    assert served.client(address="http://evil.example").get("/login").status_code == 421


def test_what_goes_wrong_is_told_without_details(caplog: pytest.LogCaptureFixture) -> None:
    from fastapi.testclient import TestClient

    async def fails(*_: object) -> None:
        raise RuntimeError("/home/patient NAME^OF")

    with caplog.at_level(logging.INFO):
        answer = TestClient(Guard(fails, "127.0.0.1", None), base_url="http://127.0.0.1").get("/")
    assert answer.status_code == 500
    assert "patient" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
