"""The ASGI application: POST /push/{account}, GET /healthz, and nothing else. Bodies are capped, timed and read once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tracker.receiver.door import Doorkeeper

_HANG_UP = {"connection": "close"}
"""After a body that was not read to its end: what is still on its way is not waited for."""

_LATER = {"retry-after": "60"}
_PLAIN = frozenset({"", "identity"})


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of a body, requests side by side, seconds for a head and for a body; `hosts` that are answered to (empty: any)."""

    max_body: int = 1 << 20
    at_once: int = 32
    body_seconds: float = 10.0
    hosts: tuple[str, ...] = ()


class _RefusedError(Exception):
    """The body is not read to its end."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def make_app(keeper: Doorkeeper, limits: Limits) -> Starlette:
    """The application. It holds `at_once` x `max_body` bytes at most."""
    push = _PushDoor(keeper, limits)
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=list(limits.hosts), www_redirect=False)] if limits.hosts else []
    pushes = Route("/push/{account}", push.answer, methods=["POST"], middleware=guards)
    app = Starlette(routes=[pushes, Route("/healthz", _alive, methods=["GET"])])
    app.router.redirect_slashes = False
    return app


async def _alive(_request: Request) -> Response:
    """For whoever watches the door: it is open. What goes through it is nobody's business."""
    return Response()


class _PushDoor:
    def __init__(self, keeper: Doorkeeper, limits: Limits) -> None:
        self._keeper = keeper
        self._limits = limits
        self._inside = 0

    async def answer(self, request: Request) -> Response:
        """One push."""
        account = request.path_params["account"]
        if not self._keeper.knows(account):
            return Response("Not Found", HTTPStatus.NOT_FOUND)
        if self._inside >= self._limits.at_once:
            return self._refuse(account, HTTPStatus.SERVICE_UNAVAILABLE)
        self._inside += 1
        try:
            body = await self._body(request)
            status = await self._keeper.take(account, request.headers, body)
        except _RefusedError as refused:
            return self._refuse(account, refused.status)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it
        finally:
            self._inside -= 1
        return Response(status_code=status, headers=_LATER if status is HTTPStatus.SERVICE_UNAVAILABLE else None)

    def _refuse(self, account: str, status: HTTPStatus) -> Response:
        self._keeper.refuse(account, status)
        later = _LATER if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        return Response(status_code=status, headers=_HANG_UP | later)

    async def _body(self, request: Request) -> bytes:
        """The whole body. What is too large by its own word is not read at all, what turns out to be is not read on."""
        if request.headers.get("content-encoding", "").strip().lower() not in _PLAIN:
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        if int(request.headers.get("content-length", "0")) > self._limits.max_body:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self._limits.max_body:
                        raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except TimeoutError:
            raise _RefusedError(HTTPStatus.REQUEST_TIMEOUT) from None
        return bytes(body)
