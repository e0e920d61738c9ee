"""bpost: the tracking of SHM, in XML (facts: others, from samples only).

`systemException` inside HTTP 200 asks to try again: it is no missing parcel. Times carry their offset. Sender and addressee stand
in the answer; the addressee's country alone is kept.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from carriers.answers import decode, http_error, join
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, table
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, newest
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.talks import once, one_by_one, secret
from carriers.xmls import all_of, root, text


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One `stateInfo`: code, time with its offset, text."""

    code: str
    at: str
    label: str


class Parcel(msgspec.Struct, omit_defaults=True):
    """One item; encoded it is the slice."""

    number: str
    events: list[Event]
    country: str | None = None


_PARCEL = msgspec.json.Decoder(Parcel)
_DOWN = "systemException"


class Bpost(Pushless):
    """Adapter `bpost`. Secrets: `account_id`, `passphrase`. The request is (unverified) against the real service."""

    name = "bpost"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One GET a number, by HTTP Basic."""
        basic = b64encode(f"{secret(account, 'account_id')}:{secret(account, 'passphrase')}".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "accept": "application/xml"}

        def call(query: Query) -> Request:
            path = f"trackedmail/item/{quote(query.number, safe='')}/trackingInfo"
            return Request(method="GET", url=f"{account.base_url.rstrip('/')}/{path}", headers=headers)

        return (yield from one_by_one(queries, lambda query: once(call(query)), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the answer into its items."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        answer = root(response.body)
        if answer.tag == _DOWN:
            raise CarrierError(ErrorKind.UNAVAILABLE, "bpost: an error of the system, to be asked again later", code=_DOWN)
        found: dict[str, bytes] = {}
        for item in all_of(answer, "itemTracking"):
            number = text(item, "itemCode")
            if number is not None:
                names = ("stateCode", "time", "stateDescription")
                events = [Event(*(text(each, name) or "" for name in names)) for each in all_of(item, "stateInfo")]
                country = alpha2(text(item, "addressee/address/countryCode"))
                found[number] = msgspec.json.encode(Parcel(number, events, country))
        return join(found, asked)

    def read(self, raw: bytes) -> Tracking:
        """The newest state tells the status."""
        parcel, words = decode(_PARCEL, raw), Glossary(table("bpost", "code"))
        events = arrange([_event(each, words) for each in parcel.events])
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else UNKNOWN
        return Tracking(
            number=parcel.number,
            status=status,
            reason=reason,
            events=events,
            destination_country=parcel.country,
            unmapped=words.unmapped,
        )


def _event(event: Event, words: Glossary) -> TrackingEvent:
    status, reason = words.of(event.code)
    time, local, offset = instant(event.at)
    return TrackingEvent(
        key=event_key(event.code, event.at, event.label),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=event.code or None,
        description=event.label,
    )
