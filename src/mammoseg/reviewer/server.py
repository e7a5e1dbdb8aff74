"""The review as a process: what it needs, what the command line gives it, its socket and its threads."""

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from mammoseg.bounded import read_bounded
from mammoseg.data.manifest import Manifest
from mammoseg.data.predictions import Predictions
from mammoseg.reviewer.errors import ReviewError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that no other one reaches."""
_GRACE = 2.0  # seconds for requests that are being answered when the server ends
_SHORTEST_TOKEN = 16
_MOST_TEXT = 2**24  # bytes of a work list


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    predictions: Path
    out: Path
    manifest: Manifest | None
    order: tuple[str, ...] | None
    """The exam ids of the work list; None: all exams."""
    blinded: bool
    host: str
    port: int
    """0: any that is free."""
    token: str | None


def check_installed() -> None:
    """Raises ReviewError without the optional packages."""
    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise ReviewError(
            f"{' and '.join(missing)} cannot be imported. Expected the packages of the server. Install them: "
            "pip install 'mammoseg[serve]'"
        )


def read_order(path: Path) -> tuple[str, ...]:
    """The exam ids of a work list, one a line, in their order. Raises ReviewError if there are none."""
    try:
        lines = read_bounded(path, _MOST_TEXT).decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReviewError(
            f"{path}: the work list cannot be read ({reason}). Expected a text with an exam id in each line. Give such a file."
        ) from None
    order = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not order:
        raise ReviewError(
            f"{path}: the work list is empty. Expected an exam id in each line. Write some, or leave it out."
        )
    return order


def read_token(path: Path) -> str:
    """The token in a file. Raises ReviewError if it is missing or short enough to be guessed."""
    try:
        token = read_bounded(path, 1000).decode("ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no short text"
        raise ReviewError(
            f"{path}: the token cannot be read ({reason}). Expected one line of letters and digits. Write such a file."
        ) from None
    if len(token) < _SHORTEST_TOKEN:
        raise ReviewError(
            f"{path}: the token has {len(token)} characters. Expected {_SHORTEST_TOKEN} or more, drawn at random. "
            "Write a longer one."
        )
    return token


def new_token() -> str:
    """One that nobody guesses."""
    return secrets.token_urlsafe(32)


def serve(settings: Settings, started: Callable[[str], None]) -> None:
    """Serve until the process is told to stop. `started` gets the address once it can be asked.

    The caller holds the folder `settings.out`. Raises ReviewError where the address cannot be had, and RunFileError if there are no
    predictions.
    """
    import uvicorn

    from mammoseg.reviewer.app import Review, make_app
    from mammoseg.reviewer.following import Follower, following
    from mammoseg.reviewer.guard import Guard
    from mammoseg.reviewer.index import ExamIndex
    from mammoseg.reviewer.pages import ExamPages
    from mammoseg.reviewer.store import VerdictStore

    predictions = Predictions(settings.predictions, settings.manifest, settings.out, step="serve")
    store = VerdictStore(settings.out / "verdicts.sqlite")
    index = ExamIndex(settings.out / "index.sqlite", settings.predictions, store.path, settings.order)
    pages = ExamPages(predictions, settings.out / "pages", settings.blinded)
    review = Review(settings.predictions, index, store, pages, settings.blinded, settings.token)
    guard = Guard(make_app(review), settings.host, settings.token)
    config = uvicorn.Config(
        guard,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    follower = Follower(index, pages, store, settings.out / "verdicts.csv")
    with _socket(settings.host, settings.port) as listening, following(follower):
        # the main thread hears the signals that end the command (cli/stopping.py)
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        started(f"http://{name}:{listening.getsockname()[1]}/")
        try:
            thread.join()
        finally:
            server.should_exit = True
            thread.join(_GRACE)


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReviewError(
            f"{host} port {port}: the server cannot listen there ({reason}). Expected an address of this machine and a free port. "
            "Choose another --port or --host."
        ) from None
