"""Anjun (Brazil), from samples only (facts: others).

Rules of this source: the newest scan tells the status; wall clocks are Brasilia's. Who signed stands in fields that are not
kept, and may stand in the text of that scan, which is not kept either; nor is the street at which it was made.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from functools import cache, lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.persons import without_street
from carriers.scans import arrange, event_key, in_zone, instant, iso_day_first
from carriers.talks import Call, once, one_by_one, secret

_SIGNED = "sign"
"""How the codes begin whose texts say who took a parcel: `signed`, and whatever else of that kind may come."""

_HOUR = 13
"""Characters of a wall clock up to its hour: `2026-04-21T09`."""


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `dateTime` is `dd-MM-yyyy HH:mm:ss`."""

    statusCode: str | None = None
    dateTime: str | None = None
    status: str | None = None
    address: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """The answer; encoded it is the slice."""

    trackNo: str
    lastTrackStatus: str | None = None
    nodeDataList: list[Scan] | None = None


_PARCEL = msgspec.json.Decoder(Parcel)
_ENCODER = msgspec.json.Encoder()


@cache
def _brasilia() -> ZoneInfo:
    return ZoneInfo("America/Sao_Paulo")


@lru_cache(maxsize=4096)
def _offset(hour: str) -> str:
    """Brasilia's distance to Greenwich in an hour (`2026-04-21T09`): summer time until 2019. Hours repeat, zones are slow."""
    # A day alone has no hour: with an offset behind it, it would be read as one.
    _, _, minutes = in_zone(f"{hour}:00" if len(hour) == _HOUR else "", _brasilia())
    return "" if minutes is None else f"-{-minutes // 60:02}:00"


class Anjun(Pushless):
    """Adapter `anjun`. Secrets: `api_key`. Options: none. Its request is not documented (unverified): set `base_url`."""

    name = "anjun"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number."""
        headers = {"authorization": secret(account, "api_key"), "accept": "application/json"}

        def call(query: Query) -> Call:
            url = f"{account.base_url.rstrip('/')}/api/tracking/{quote(query.number, safe='')}"
            return once(Request(method="GET", url=url, headers=headers))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The one parcel of an answer."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        parcel = decode(_PARCEL, response.body)
        for scan in parcel.nodeDataList or ():
            if (scan.statusCode or "").startswith(_SIGNED):
                scan.status, scan.address = None, without_street(scan.address)
        return join({parcel.trackNo: _ENCODER.encode(parcel)}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one parcel."""
        parcel = decode(_PARCEL, raw)
        glossary = Glossary(codes.table("anjun", "code"))
        events = arrange([_event(scan, glossary) for scan in parcel.nodeDataList or ()])
        last = newest(events)
        said, newest_code = parcel.lastTrackStatus, last.raw_code if last else None
        return Tracking(
            number=parcel.trackNo,
            status=last.status if last else TrackingStatus.UNKNOWN,
            reason=last.reason if last else None,
            raw_status=said,
            raw_sub_status=newest_code,
            events=events,
            unmapped=glossary.unmapped,
            notes=(f"the status says {said}, the newest scan {newest_code}",) if said and said != newest_code else (),
        )


def _event(scan: Scan, glossary: Glossary) -> TrackingEvent:
    code, wall, place = scan.statusCode or "", scan.dateTime or "", scan.address or ""
    status, reason = glossary.of(code, code.partition("_")[0])
    at = iso_day_first(wall)
    time, local, offset = instant(at + _offset(at[:_HOUR]))
    return TrackingEvent(
        key=event_key(code, wall, scan.status or "", place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=scan.status or "",
        location=place,
        country="BR",
    )
