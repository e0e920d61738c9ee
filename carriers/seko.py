"""SEKO Logistics: OmniParcel, one POST for many numbers, answered by an array (facts: others, from samples only; times).

`OmniCode` is SEKO's own code of an event, `Code` the last mile's. Times are wall clocks of the place: their instants stay
unknown, and several events share one, in the order in which they are told.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime

import msgspec

from carriers.answers import decode, each, http_error, join, richest
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError
from carriers.model import Tracking, TrackingEvent, newest
from carriers.scans import arrange, event_key, instant
from carriers.talks import secret


class Event(msgspec.Struct, omit_defaults=True, rename="pascal", gc=False):
    """One scan; `EventDT` is a wall clock."""

    event_dt: str = msgspec.field(default="", name="EventDT")
    omni_code: str | None = None
    code: str | None = None
    description: str | None = None
    location: str | None = None


class Consignment(msgspec.Struct, omit_defaults=True, rename="pascal"):
    """One number; encoded it is the slice."""

    consignment_no: str
    status: str | None = None
    events: list[Event] = []


_ANSWER = msgspec.json.Decoder(list[msgspec.Raw])
_CONSIGNMENT = msgspec.json.Decoder(Consignment)


class Seko(Pushless):
    """Adapter `seko`. Secret: `api_key`. The request is (unverified) against the real service."""

    name = "seko"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One POST for all numbers."""
        numbers = [query.number for query in queries]
        response = yield Request(
            method="POST",
            url=f"{account.base_url.rstrip('/')}/labels/statusv2",
            headers={"access_key": secret(account, "api_key"), "content-type": "application/json"},
            body=msgspec.json.encode(numbers),
        )
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the array into consignments."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        listed = decode(_ANSWER, response.body)
        return join(richest((number, _cut(one)) for number, one in each(listed, _CONSIGNMENT, "consignment_no")), asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest event tells the status; where its code says nothing, the consignment's own word."""
        consignment, words = decode(_CONSIGNMENT, raw), Glossary(table("seko", "code"))
        own = words.of(consignment.status)
        events = arrange([_event(each, words) for each in consignment.events])
        last = newest(events)
        newer = (last.status, last.reason) if last is not None else UNKNOWN
        status, reason = newer if newer != UNKNOWN else own
        differ = UNKNOWN not in {own, newer} and own != newer
        return Tracking(
            number=consignment.consignment_no,
            status=status,
            reason=reason,
            raw_status=consignment.status,
            raw_sub_status=last.raw_code if last is not None else None,
            events=events,
            unmapped=words.unmapped,
            notes=(f"its own status is {consignment.status}, its newest event {last.raw_code}",)
            if last is not None and differ
            else (),
        )


def _cut(consignment: Consignment | CarrierError) -> bytes | CarrierError:
    return consignment if isinstance(consignment, CarrierError) else msgspec.json.encode(consignment)


def _event(event: Event, words: Glossary) -> TrackingEvent:
    status, reason = words.of(event.omni_code)
    time, local, offset = instant(event.event_dt)
    place, text = event.location or "", event.description or ""
    return TrackingEvent(
        key=event_key(event.omni_code or "", event.code or "", event.event_dt, text, place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.omni_code,
        description=text,
        location=place,
    )
