"""Parcels that are not asked about now: no source is configured, their source rests, or its day does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from tracker.clock import epoch, instant
from tracker.log import Event, get_logger
from tracker.polling.budget import Waits, by_turn
from tracker.polling.cadence import UNROUTED, scatter
from tracker.polling.writing import TRANSACTION, Outcome, Writer
from tracker.store.rows import Breaker, DueShipment, PollFailure, PollLater

_AFTER_PAUSE = 600
"""Seconds over which parcels are spread that wait for a source to come back."""

_log = get_logger()


class Waiting:
    """Puts parcels off, in transactions of the usual size. `first_time(topic, what)` keeps a warning from being repeated."""

    def __init__(self, writer: Writer, now: datetime, first_time: Callable[[str, str], bool]) -> None:
        self._writer = writer
        self._now = now
        self._first_time = first_time

    async def for_a_source(self, stranded: Sequence[DueShipment]) -> None:
        """Nobody can be asked about these before somebody mends the configuration. Said once a carrier."""
        by_carrier: dict[str, list[DueShipment]] = {}
        for shipment in stranded:
            by_carrier.setdefault(shipment.carrier or "*", []).append(shipment)
        for carrier, shipments in by_carrier.items():
            await self._in_vain(shipments, epoch(self._now) + UNROUTED)
            if self._first_time("no_source", carrier):
                _log.warning(Event.POLL_NO_SOURCE, carrier=carrier, count=len(shipments), sample=shipments[0].number)

    async def for_the_pause(self, shipments: Sequence[DueShipment], state: Breaker) -> None:
        """Their source is not asked before its pause is over."""
        await self._in_vain(shipments, epoch(state.open_until or self._now), state.kind)

    async def for_their_turn(self, source: str, waiting: Sequence[Waits]) -> None:
        """The day does not suffice for them: no failure, nothing ages. Said once a day and source."""
        if not waiting:
            return
        for at in range(0, len(waiting), TRANSACTION):
            some = [(each.shipment, each.until) for each in waiting[at : at + TRANSACTION]]
            await self._writer.add(Outcome(later=[PollLater(parcel.id, parcel.number, until) for parcel, until in some]))
        if self._first_time(f"waits {self._now.date()}", source):
            _log.warning(
                Event.POLL_WAITS,
                source=source,
                count=len(waiting),
                classes=by_turn(waiting),
                until=instant(max(each.until for each in waiting)),
            )

    async def _in_vain(self, shipments: Sequence[DueShipment], until: int, kind: str | None = None) -> None:
        failed = [PollFailure(each.id, each.number, until + scatter(each.number, _AFTER_PAUSE), kind) for each in shipments]
        for at in range(0, len(failed), TRANSACTION):
            await self._writer.add(Outcome(failed=failed[at : at + TRANSACTION]))
