"""Advisories: a person says that parcels somewhere are slow for a while (R35, D19). A handful of rows, read once a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from tracker.model import Advisory, Order, Shipment
from tracker.store.connection import Database, Record, Tx, instant_of
from tracker.store.encoding import json_text, sorted_texts, texts
from tracker.store.errors import Conflict, NotThere
from tracker.store.records import audit, wake
from tracker.store.tables import ADVISORY

_ALL = """
    SELECT id, leg, country, region, carrier, first_on, last_on, add_days, causes, by, created_at, ended_at, ended_by,
        ended_because
    FROM advisory ORDER BY id"""

_END = "UPDATE advisory SET ended_at = ?, ended_by = ?, ended_because = ? WHERE id = ? AND ended_at IS NULL"

_CHUNK = 400


class Advisories:
    """The store's methods for advisories."""

    _db: Database

    async def advisories(self) -> list[Advisory]:
        """All of them, oldest first; ended ones too."""
        return list(await self._db.read(told))

    async def add_advisory(self, wanted: Advisory, orders: Sequence[int], now: datetime) -> Advisory:
        """Write it and have these orders decided again. `wanted.id` and `created_at` are given here."""

        def add(tx: Tx) -> Advisory:
            row_id = tx.insert(
                ADVISORY,
                leg=wanted.leg,
                country=wanted.country,
                region=wanted.region,
                carrier=wanted.carrier,
                first_on=wanted.start,
                last_on=wanted.end,
                add_days=wanted.add_days,
                causes=json_text(sorted_texts(wanted.causes)),
                by=wanted.by,
                created_at=now,
            )
            _note(tx, wanted, row_id, "advisory_added", wanted.by, "", now)
            _wake(tx, orders, now)
            return msgspec.structs.replace(wanted, id=row_id, created_at=now)

        return await self._db.write(add)

    async def end_advisory(self, advisory_id: int, orders: Sequence[int], *, by: str, reason: str, now: datetime) -> Advisory:
        """It holds no longer than until today; these orders are decided again. Raises NotThere, Conflict: it has ended."""

        def end(tx: Tx) -> Advisory:
            found = named(told(tx), advisory_id)
            if tx.run(_END, now, by, reason, advisory_id) != 1:
                raise Conflict(f"Advisory {advisory_id} has ended already. See: tracker advisory list")
            _note(tx, found, advisory_id, "advisory_ended", by, reason, now)
            _wake(tx, orders, now)
            return msgspec.structs.replace(found, ended_at=now, ended_by=by, ended_because=reason)

        return await self._db.write(end)


def named(advisories: Sequence[Advisory], advisory_id: int) -> Advisory:
    """The one of that number. Raises NotThere."""
    found = next((each for each in advisories if each.id == advisory_id), None)
    if found is None:
        raise NotThere(f"There is no advisory {advisory_id}. See: tracker advisory list")
    return found


def told(tx: Tx) -> tuple[Advisory, ...]:
    """Every advisory that a person has made."""
    return tuple(_advisory(row) for row in tx.rows(_ALL))


def concerning(advisories: tuple[Advisory, ...], order: Order, shipments: Sequence[Shipment]) -> tuple[Advisory, ...]:
    """Those that can concern any parcel of the order, by place, carrier and the days it travels: for most orders none is left."""
    if not advisories:
        return advisories
    began = min((each for each in (order.paid_at, order.shipped_at) if each is not None), default=None)
    places = {order.country, *(place for each in shipments for place in (each.country, each.origin))}
    carriers = {each.carrier for each in shipments}
    region = (order.region or "").casefold()
    return tuple(
        each
        for each in advisories
        if (each.country is None or each.country in places)
        and (each.carrier is None or each.carrier in carriers)
        and (each.region is None or each.region.casefold() == region)
        and (began is None or each.end >= began.date())
    )


def _advisory(row: Record) -> Advisory:
    return Advisory(
        id=row[0],
        leg=row[1],
        country=row[2],
        region=row[3],
        carrier=row[4],
        start=date.fromisoformat(row[5]),
        end=date.fromisoformat(row[6]),
        add_days=row[7],
        causes=texts(row[8]),
        by=row[9],
        created_at=instant_of(row[10]),
        ended_at=instant_of(row[11]),
        ended_by=row[12],
        ended_because=row[13],
    )


def _wake(tx: Tx, orders: Sequence[int], now: datetime) -> None:
    for start in range(0, len(orders), _CHUNK):
        wake(tx, orders[start : start + _CHUNK], now)


def _note(tx: Tx, advisory: Advisory, row_id: int, what: str, by: str, reason: str, now: datetime) -> None:
    scope = {name: getattr(advisory, name) for name in ("leg", "country", "region", "carrier") if getattr(advisory, name)}
    after = {**scope, "start": advisory.start.isoformat(), "end": advisory.end.isoformat(), "add_days": advisory.add_days}
    audit(tx, now, who=by, what=what, order_id=None, subject=f"advisory/{row_id}", reason=reason, after=after)
