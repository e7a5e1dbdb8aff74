"""What the server answers: the list, the page of an exam, a verdict that is kept, the table of all verdicts.

In a blinded review the page of an exam, its place in the list and the table hold nothing of the model until the reader's verdict
on the exam is in the store.
"""

import base64
import binascii
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from mammoseg.bounded import open_regular
from mammoseg.io.errors import RunFileError
from mammoseg.report.stamp import model_of
from mammoseg.reviewer.errors import VerdictError
from mammoseg.reviewer.guard import TOKEN_COOKIE, cookie_of, said, same
from mammoseg.reviewer.index import PAGE, ExamIndex, ListedExam, Wanted
from mammoseg.reviewer.pages import REVIEW, ExamPages
from mammoseg.reviewer.store import VerdictStore
from mammoseg.reviewer.verdict import Named, Posted, Token, check, reader_name

READER_COOKIE = "mammoseg_reader"
_PIECE = 2**20  # bytes of a page that are in memory at once


@dataclass(frozen=True)
class Review:
    """All that is served."""

    folder: Path
    """The predictions."""
    index: ExamIndex
    store: VerdictStore
    pages: ExamPages
    blinded: bool
    token: str | None = None
    """None: none is asked for."""


def reader_of(request: Request) -> str:
    """The name that the browser keeps for its session; empty: none was given yet."""
    cookie = SimpleCookie(request.headers.get("cookie", "")).get(READER_COOKIE)
    try:
        return reader_name(base64.urlsafe_b64decode(cookie.value if cookie else "").decode()) or ""
    except (binascii.Error, ValueError):
        return ""


Reader = Annotated[str, Depends(reader_of)]


def make_app(review: Review) -> FastAPI:
    """The application, without its guard (guard.py)."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(RequestValidationError, _answer(422, "This is not in the form that the page sends."))
    app.add_exception_handler(400, _answer(400, "This is no JSON."))
    app.add_exception_handler(404, _answer(404, "There is nothing here."))
    app.add_exception_handler(405, _answer(405, "This cannot be done here."))
    app.add_exception_handler(VerdictError, lambda _, error: said(422, str(error)))
    app.add_exception_handler(RunFileError, _answer(503, "The predictions are being made anew. Try again soon."))
    _add_names(app, review)
    _add_list(app, review)
    _add_exams(app, review)
    return app


def _answer(status: int, words: str) -> Callable[[Request, Exception], Response]:
    return lambda _request, _error: said(status, words)


def _add_names(app: FastAPI, review: Review) -> None:
    @app.get("/login")
    def login_page() -> HTMLResponse:
        return HTMLResponse(REVIEW.render("login.html", {"model": None}))

    @app.get("/favicon.ico")
    def no_icon() -> Response:
        return Response(status_code=204)

    @app.post("/login")
    def login(sent: Token) -> JSONResponse:
        if review.token is None or not same(sent.token.strip(), review.token):
            return said(401, "This is not the token of this server.")
        answer = JSONResponse({})
        answer.set_cookie(TOKEN_COOKIE, cookie_of(review.token), httponly=True, samesite="strict")
        return answer

    @app.post("/reader")
    def reader(sent: Named) -> JSONResponse:
        name = reader_name(sent.reader)
        if name is None:
            return said(422, "Give a name of 1 to 80 characters.")
        answer = JSONResponse({"reader": name})
        value = base64.urlsafe_b64encode(name.encode()).decode()
        answer.set_cookie(READER_COOKIE, value, httponly=True, samesite="strict")
        return answer


def _add_list(app: FastAPI, review: Review) -> None:
    @app.get("/")
    def list_page() -> HTMLResponse:
        values = {"model": model_of(review.folder), "blinded": review.blinded, "page": PAGE}
        return HTMLResponse(REVIEW.render("list.html", values))

    @app.get("/index.json")
    def index(
        reader: Reader,
        text: Annotated[str, Query(max_length=200)] = "",
        done: bool | None = None,
        by: Annotated[str, Query(max_length=200)] = "",
        start: Annotated[int, Query(ge=0, le=10**9)] = 0,
    ) -> dict[str, Any]:
        exams, n = review.index.listed(reader, Wanted(text, done, "" if review.blinded else by, start))
        for exam in exams:
            if review.blinded and not exam["done"]:
                del exam["scores"]
        n_done, total = review.index.progress(reader)
        return {
            "reader": reader,
            "exams": exams,
            "found": n,
            "done": n_done,
            "total": total,
            "classes": review.index.classes(),
            "unread": review.index.unread_images(),
        }

    @app.get("/next")
    def next_exam(reader: Reader, after: Annotated[str, Query(max_length=16)] = "") -> RedirectResponse:
        key = review.index.next(reader, after) if reader else None
        return RedirectResponse(f"/exams/{key}" if key else "/", 303)

    @app.get("/verdicts.csv")
    def verdicts(reader: Reader) -> Response:
        text = review.store.csv(reader if review.blinded else None)
        headers = {"content-disposition": 'attachment; filename="verdicts.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _add_exams(app: FastAPI, review: Review) -> None:
    def exam_of(key: str) -> ListedExam:
        exam = review.index.find(key)
        if exam is None:
            raise HTTPException(404)
        return exam

    @app.get("/exams/{key}")
    def exam_page(reader: Reader, exam: Annotated[ListedExam, Depends(exam_of)]) -> Response:
        if not reader:
            return RedirectResponse("/", 303)
        blind = review.blinded and not review.store.has(reader, exam.exam_key)
        path = review.pages.page(exam, blind)
        if path is None:
            raise HTTPException(404)
        return _sent(path)

    @app.get("/exams/{key}/state")
    def state(reader: Reader, exam: Annotated[ListedExam, Depends(exam_of)]) -> dict[str, Any]:
        done, total = review.index.progress(reader)
        return {"reader": reader, "done": done, "total": total, "verdicts": review.store.latest(reader, exam.exam_key)}

    @app.post("/exams/{key}/verdict")
    def verdict(posted: Posted, reader: Reader, exam: Annotated[ListedExam, Depends(exam_of)]) -> JSONResponse:
        if not reader or posted.reader != reader:
            return said(409, "The reader has changed since the page was loaded. Load the page again.")
        check(posted, exam.sides)
        checkpoint = model_of(review.folder)["checkpoint_sha256"]
        number = review.store.add(exam.exam_key, exam.exam_id, posted, checkpoint, review.blinded)
        return JSONResponse({"number": number})


def _sent(path: Path) -> StreamingResponse:
    """A page, piece by piece, whole also if the next one is written meanwhile."""
    file = open_regular(path)
    size = os.fstat(file.fileno()).st_size

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    return StreamingResponse(pieces(), media_type="text/html; charset=utf-8", headers={"content-length": str(size)})
