"""Holds an adapter's conversation over its transport: the only place where an adapter meets the network."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    wait_random_exponential,
)

from carriers.base import Account, Adapter, Batch, Memory, Metered, Query, Quota, Request, Response, Transport
from carriers.errors import CarrierError, ErrorKind
from tracker.clock import Clock

T = TypeVar("T")

ATTEMPTS = 3
_PASSING = frozenset({500, 502, 503, 504})
"""HTTP statuses worth a second try at once. 429 is not: the gate is closed by then."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One account of one source, ready to be asked: `batch` numbers a request, `concurrency` requests side by side."""

    account: Account
    adapter: Adapter
    transport: Transport
    batch: int
    concurrency: int = 8
    registers: bool = False
    """The source wants numbers to be registered, and that costs money: each one is counted."""
    registrations: int | None = None
    """New numbers a (UTC) day at most, where it does."""
    calls: int | None = None
    """Calls a (UTC) day at most, where it does not."""
    apiece: bool = False
    """A call answers about one number, however many a conversation is about."""
    asynchronous: bool = False
    """Answers are ordered and fetched later: one conversation at a time, so that each knows what the one before has ordered."""
    stores: frozenset[str] = frozenset()
    """The stores whose parcels it is asked about; empty = all."""

    @property
    def id(self) -> str:
        """The account's id: the name in log, gate, breaker and memory."""
        return self.account.id

    def serves(self, owners: frozenset[str]) -> bool:
        """Whether it may be asked about, and heard of, a parcel of these stores."""
        return not self.stores or bool(owners & self.stores)


async def converse(source: Source, queries: Sequence[Query], memory: Memory, now: datetime, clock: Clock) -> tuple[Batch, int]:
    """Ask about `queries`, at most `source.batch` of them; what came of it, and how many calls it took.

    Raises CarrierError when the whole request failed. A failed call
    is told to the adapter, not to us: what it learnt before (paid registrations) must not be lost.
    """
    return await _hold(source.adapter.ask(queries, source.account, memory, now), source, clock)


async def ask_quota(source: Source, clock: Clock) -> Quota | None:
    """What the source itself says is left of its account; None where it cannot tell. Raises CarrierError."""
    adapter = source.adapter
    return (await _hold(adapter.quota(source.account), source, clock))[0] if isinstance(adapter, Metered) else None


async def _hold(talk: Generator[Request, Response, T], source: Source, clock: Clock) -> tuple[T, int]:
    calls = 0
    try:
        request = next(talk)
        while True:
            calls += 1
            try:
                response = await _send(source.transport, request, clock)
            except CarrierError as error:
                request = talk.throw(error)
            else:
                request = talk.send(response)
    except StopIteration as end:
        found: T = end.value
        return found, calls


async def _send(transport: Transport, request: Request, clock: Clock) -> Response:
    """Perform one call, again after a passing failure: only then is the machinery of that set up.

    Every request of a conversation may be repeated: the whole conversation is, after a crash (polls are at least once).
    """
    first: Response | CarrierError
    try:
        first = await transport.send(request)
    except CarrierError as error:
        if not _may_pass(error):
            raise
        first = error
    else:
        if not _says_passing(first):
            return first
    done: list[Response | CarrierError] = [first]

    async def attempt() -> Response:
        if not done:
            return await transport.send(request)
        said = done.pop()
        if isinstance(said, CarrierError):
            raise said
        return said

    retrying = AsyncRetrying(
        sleep=clock.sleep,
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=5),
        retry=retry_if_exception(_may_pass) | retry_if_result(_says_passing),
        retry_error_callback=_last_outcome,
    )
    response: Response = await retrying(attempt)
    return response


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, CarrierError) and error.kind is ErrorKind.UNAVAILABLE


def _says_passing(response: Response) -> bool:
    return response.status in _PASSING and "retry-after" not in response.headers


def _last_outcome(state: RetryCallState) -> Response:
    """The last answer, or the last error raised: the adapter judges it."""
    if state.outcome is None:
        raise CarrierError(ErrorKind.UNAVAILABLE, "no attempt was made")
    response: Response = state.outcome.result()
    return response
