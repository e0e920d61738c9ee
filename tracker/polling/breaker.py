"""The circuit breaker of an account: three whole-request failures in a row, and it is asked by one trial batch now and then.

Pure transitions over the store's `Breaker` row. A source goes down once in the log and comes back once (faults row 6). A
429 pauses at once: to wait is politeness, and no outage before the third pause in a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from carriers.errors import CarrierError, ErrorKind
from tracker.polling.gate import NOT_ASKED
from tracker.store.rows import Breaker

THRESHOLD = 3
CLOSED = Breaker()

_COUNTED = frozenset(
    {ErrorKind.AUTH, ErrorKind.QUOTA_EXHAUSTED, ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.BAD_RESPONSE}
)
_SHARED = _COUNTED - {ErrorKind.BAD_RESPONSE}
"""Kinds that speak of the account even where a source puts them beside each number."""

_TOO_FAST = 60
"""Seconds of pause after a 429 that names none."""

_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=1)
_ACCOUNT_PAUSE = timedelta(hours=1)
"""A wrong key or an empty quota does not heal by itself in minutes."""


def counts(error: CarrierError) -> bool:
    """Whether the failure of a whole request says something about the source (and not about our request, or our own gate)."""
    return error.kind in _COUNTED and error.code != NOT_ASKED


def shared_failure(answers: Mapping[str, bytes | CarrierError]) -> CarrierError | None:
    """The failure of the whole request that a source put beside every single number; None where any number was answered."""
    first: CarrierError | None = None
    for answer in answers.values():
        if not isinstance(answer, CarrierError) or answer.kind not in _SHARED:
            return None
        first = first or answer
    return first


def is_open(breaker: Breaker, now: datetime) -> bool:
    """Nobody asks at the moment."""
    return breaker.open_until is not None and now < breaker.open_until


def on_trial(breaker: Breaker) -> bool:
    """One batch goes first: the pause is over, but nobody knows yet whether the source is back."""
    return breaker.open_until is not None


def failed(breaker: Breaker, error: CarrierError, now: datetime) -> Breaker:
    """One more failure in a row. From the third on it opens, for longer each time; it is down since then.

    While it is open, failures are those of requests that were on their way already: one outage, counted once.
    """
    if breaker.open_until is not None and is_open(breaker, now):
        asked = now + timedelta(seconds=error.retry_after or 0)
        return replace(breaker, open_until=max(breaker.open_until, asked))
    failures = breaker.failures + 1
    if failures < THRESHOLD:
        pause = timedelta(seconds=error.retry_after or _TOO_FAST) if error.kind is ErrorKind.RATE_LIMITED else None
        return Breaker(failures=failures, open_until=now + pause if pause else None, kind=error.kind.value)
    if error.kind in {ErrorKind.AUTH, ErrorKind.QUOTA_EXHAUSTED}:
        pause = _ACCOUNT_PAUSE
    else:
        pause = min(_PAUSE * 2 ** min(failures - THRESHOLD, 5), _LONGEST_PAUSE)
    pause = max(pause, timedelta(seconds=error.retry_after or 0))
    return Breaker(failures=failures, open_until=now + pause, since=breaker.since or now, kind=error.kind.value)
