"""Whether a source is alive: its breaker, kept in the store, and the two log lines of an outage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from carriers.errors import CarrierError
from tracker.log import Event, get_logger
from tracker.polling import breaker
from tracker.store import Store
from tracker.store.rows import Breaker

_log = get_logger()


class Pulse:
    """The breakers of all accounts. Where one daemon alone writes them, what was read once holds; of a fleet all write them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._breakers: dict[str, Breaker] = {}

    async def look(self, source: str) -> Breaker:
        """The breaker of one account."""
        known = self._breakers.get(source)
        if known is None or self._store.fleet:
            known = self._breakers[source] = await self._store.breaker(source)
        return known

    def now(self, source: str) -> Breaker:
        """The same without asking the store, after `look`."""
        return self._breakers[source]

    async def answered(self, source: str, now: datetime) -> None:
        """The source answered: after an outage it is up again."""
        before = await self.look(source)
        if before == breaker.CLOSED:
            return
        before = await self._change(source, lambda _: breaker.CLOSED)
        if before.since is not None:
            _log.info(Event.SOURCE_UP, source=source, down_seconds=round((now - before.since).total_seconds()))

    async def failed(self, source: str, error: CarrierError, now: datetime) -> None:
        """A whole request failed; the third in a row takes the source down."""
        before = await self._change(source, lambda known: breaker.failed(known, error, now))
        if before.since is None and self._breakers[source].since is not None:
            _log.error(Event.SOURCE_DOWN, source=source, kind=error.kind.value, message=error.message)

    async def _change(self, source: str, change: Callable[[Breaker], Breaker]) -> Breaker:
        """Change it as it stands at this moment, whoever else does; as it was before."""
        before, after = await self._store.change_breaker(source, change)
        self._breakers[source] = after
        return before
