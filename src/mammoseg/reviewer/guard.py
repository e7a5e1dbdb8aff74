"""What every request passes before anything looks at it: the name it was sent to, where it was sent from, its size, the token.

Host    A page of elsewhere whose name was made to lead here (DNS rebinding) asks under that name: only ours are answered.
Origin  What changes something is taken from pages of ours alone.
Token   Beyond this machine: in the header `Authorization: Bearer TOKEN`, or in the cookie that the login page has set.

What goes wrong inside is answered without details, and told in the log by its kind and place: messages may hold paths.
"""

import hashlib
import hmac
import ipaddress
import logging
import re
import socket
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from fastapi.responses import JSONResponse, RedirectResponse, Response

from mammoseg.reviewer.server import LOOPBACK

logger = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
"""Of the body of a request: a hundred lesions and two comments take a tenth."""
TOKEN_COOKIE = "mammoseg_token"
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
_LOGIN = "/login"
_OPEN = (_LOGIN, "/favicon.ico")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class Guard:
    """Stands around an ASGI application."""

    def __init__(self, app: _App, host: str, token: str | None) -> None:
        """`host`: the address that the server listens at. `token`: None where everyone on this machine may ask."""
        self._app, self._token = app, token
        self._names = {*LOOPBACK, host.lower()}
        self._any_address = host not in LOOPBACK
        if self._any_address:
            self._names.add(socket.gethostname().lower())

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        begun = False

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                given = {name.lower() for name, _ in message.get("headers", [])}
                message["headers"] = [*message.get("headers", []), *(h for h in _HEADERS if h[0] not in given)]
            await send(message)

        try:
            body = await _body(receive)
            refusal = self._refusal(scope, body)
            if refusal is not None:
                await refusal(scope, receive, send_guarded)
                return
            await self._app(scope, _again(body or b"", receive), send_guarded)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("a request failed (%s in %s, line %s)", type(error).__name__, place.name, place.lineno)
            if not begun:
                await said(500, "This did not work. The log of the server tells where.")(scope, receive, send_guarded)

    def _refusal(self, scope: _Scope, body: bytes | None) -> Response | None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        host = _only(headers, b"host").lower()
        if not self._is_ours(host):
            return said(421, "This server is not called so. Use the address that it printed when it started.")
        if body is None:
            return said(413, f"Too large. Expected at most {MOST_BYTES} bytes.")
        if scope["method"] not in ("GET", "HEAD") and _only(headers, b"origin").lower() not in (
            f"http://{host}",
            f"https://{host}",
        ):
            return said(403, "This was not sent by a page of this server. Load the page again.")
        if self._token is None or scope["path"] in _OPEN or self._is_known(headers, self._token):
            return None
        if scope["method"] == "GET" and "text/html" in _only(headers, b"accept"):
            return RedirectResponse(_LOGIN, 303)
        return said(401, "The token is missing or wrong. Log in again.")

    def _is_ours(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        name = found[1].strip("[]") if found else ""
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._any_address  # an address is no name that could lead elsewhere

    def _is_known(self, headers: dict[bytes, list[bytes]], token: str) -> bool:
        kind, _, given = _only(headers, b"authorization").partition(" ")
        in_header = kind.lower() == "bearer" and same(given, token)
        return in_header or same(_cookie(headers, TOKEN_COOKIE), cookie_of(token))


def said(status: int, words: str) -> JSONResponse:
    """An answer that is only words for people."""
    return JSONResponse({"error": words}, status)


def same(given: str, right: str) -> bool:
    """In a time that does not tell how far they agree."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def cookie_of(token: str) -> str:
    """What the browser keeps: it shows who knew the token, and is not the token."""
    return hmac.digest(token.encode(), b"mammoseg serve", hashlib.sha256).hex()


def _only(headers: dict[bytes, list[bytes]], name: bytes) -> str:
    """The value of a header that was sent once; of others nothing."""
    values = headers.get(name, [])
    return values[0].decode("latin-1") if len(values) == 1 else ""


def _cookie(headers: dict[bytes, list[bytes]], name: str) -> str:
    try:
        cookies = SimpleCookie(_only(headers, b"cookie"))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""


async def _body(receive: _Receive) -> bytes | None:
    """All of it; None: it is too large, and the rest is not read."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes, receive: _Receive) -> _Receive:
    """A body that was read, for the application to read."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return next_message
