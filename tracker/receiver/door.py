"""Who may come in: a body is believed once its source's signature over the raw bytes holds; then it is kept, then heard.

Facts: faults rows 15 and 28. Of a body without a signature nothing is kept, nothing is said: strangers learn and fill nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

import msgspec

from carriers.base import Adapter, Push
from carriers.errors import CarrierError, ErrorKind
from tracker.clock import Clock, epoch
from tracker.log import Event, get_logger
from tracker.log.tally import Tally
from tracker.store import Store, StoreError

REASONS: Mapping[HTTPStatus, str] = {
    HTTPStatus.UNAUTHORIZED: "signature",
    HTTPStatus.BAD_REQUEST: "unreadable",
    HTTPStatus.REQUEST_TIMEOUT: "too_slow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "compressed",
    HTTPStatus.SERVICE_UNAVAILABLE: "busy",
}
"""Why a push was refused, in the log and in the metrics."""

TURN = 5.0
"""Seconds that a push waits for those before it to be written; then it comes again."""

_log = get_logger()


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """The way in of one account: who reads its pushes, and the secrets with which they may be signed, the newest first."""

    account: str
    adapter: Adapter
    secrets: Sequence[str]

    def __repr__(self) -> str:
        """The account alone: secrets stay out of tracebacks."""
        return f"Door({self.account!r})"

    def open(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Push]:
        """What the push says. Raises CarrierError: auth where no secret fits, else what the adapter raises."""
        refused = CarrierError(ErrorKind.AUTH, f"the account {self.account} has no secret for pushes")
        for secret in self.secrets:
            try:
                return self.adapter.read_push(headers, body, secret, now)
            except CarrierError as error:
                if error.kind is not ErrorKind.AUTH:
                    raise
                refused = error
        raise refused


class Doorkeeper:
    """Takes a body to the store. `heard` is called after each one that was news."""

    def __init__(self, store: Store, clock: Clock, doors: Sequence[Door], heard: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._clock = clock
        self._doors = {door.account: door for door in doors}
        self._heard = heard
        self._tally = Tally()
        self._turn = asyncio.Lock()

    @property
    def refused(self) -> Mapping[tuple[str, str], int]:
        """(account, reason) -> pushes that were refused since the start."""
        return self._tally.total

    def knows(self, account: str) -> bool:
        """Whether the account has a door."""
        return account in self._doors

    def refuse(self, account: str, status: HTTPStatus) -> HTTPStatus:
        """Count a refusal; one line in the log an hour, account and reason."""
        count = self._counted(account, REASONS[status])
        if count:
            _log.warning(Event.PUSH_REFUSED, source=account, reason=REASONS[status], count=count)
        return status

    def _counted(self, account: str, reason: str) -> int:
        """How many of these are to be said now; 0: not yet."""
        return self._tally.add(account, reason, epoch(self._clock.now())) or 0

    async def take(self, account: str, headers: Mapping[str, str], body: bytes) -> HTTPStatus:
        """Believe, keep, answer: 200 also for what came before; 503 makes the source come again."""
        now = self._clock.now()
        try:
            pushes = self._doors[account].open(headers, body, now)
        except CarrierError as error:
            status = HTTPStatus.UNAUTHORIZED if error.kind is ErrorKind.AUTH else HTTPStatus.BAD_REQUEST
            return self.refuse(account, status)
        except Exception as error:  # noqa: BLE001 - a mistake of the adapter must not end the door
            if count := self._counted(account, "adapter"):
                _log.exception(Event.PUSH_FAILED, source=account, error=repr(error), count=count)
            return HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            slices = [(push.number, push.slice) for push in pushes]
            async with self._in_turn():
                fresh = await self._store.keep_push(account, sha256(body).digest(), slices, now)
        except TimeoutError:
            return self.refuse(account, HTTPStatus.SERVICE_UNAVAILABLE)
        except StoreError as error:
            if count := self._counted(account, "database"):
                _log.error(Event.PUSH_FAILED, source=account, error=str(error), count=count)
            return HTTPStatus.SERVICE_UNAVAILABLE
        except Exception as error:  # noqa: BLE001 - the web server is silent: what is not said here, nobody learns
            if count := self._counted(account, "database"):
                _log.exception(Event.PUSH_FAILED, source=account, error=repr(error), count=count)
            return HTTPStatus.SERVICE_UNAVAILABLE
        if fresh and slices:
            self._heard()
        return HTTPStatus.OK

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """One after the other: each try of a locked database stands still with the whole loop (faults row 3)."""
        async with asyncio.timeout(TURN):
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()
