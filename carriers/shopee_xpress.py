"""Shopee Xpress: the JSON behind its public page (facts: others).

Rules of this source: times are epoch seconds, newest first, and codes repeat. An unknown code means what its milestone means,
never a delivery. The texts name whoever took the parcel: the names of code and milestone are kept instead. `retcode` 2 is an
unknown number or a broken backend: an error of that number, never "not found", and no reason to leave the others unasked.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import NO_INSTANT, arrange, at_epoch, event_key
from carriers.talks import Call, once, one_by_one, opted_in

_OK = 0
_NO_ANSWER = 2


class Place(msgspec.Struct, gc=False, omit_defaults=True):
    """Where a scan was made; its full address is not kept."""

    location_name: str | None = None


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `actual_time` is epoch seconds."""

    tracking_code: str | None = None
    tracking_name: str | None = None
    actual_time: int | None = None
    milestone_code: int | None = None
    milestone_name: str | None = None
    current_location: Place | None = None


class Info(msgspec.Struct, omit_defaults=True):
    """`sls_tracking_info`."""

    sls_tn: str | None = None
    records: list[Scan] | None = None


class Order(msgspec.Struct, omit_defaults=True):
    """`order_info`, where there is one."""

    spx_tn: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """`data` of an answer; encoded it is the slice."""

    sls_tracking_info: Info
    order_info: Order | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers it answers to, its own first."""
        own = self.order_info.spx_tn if self.order_info else None
        return tuple(number for number in (own, self.sls_tracking_info.sls_tn) if number)


class Body(msgspec.Struct):
    """The envelope."""

    retcode: int | None = None
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_BODY = msgspec.json.Decoder(Body)
_PARCEL = msgspec.json.Decoder(Parcel)
_ENCODER = msgspec.json.Encoder()


class ShopeeXpress(Pushless):
    """Adapter `shopee_xpress`. Secrets: none. Options: `public_page = true`, `language` (`br`).

    An unofficial page for buyers: the account must agree to it by `public_page = true`.
    """

    name = "shopee_xpress"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number. Raises CarrierError(invalid_request) unless the account agrees to ask a public page."""
        opted_in(account)
        page = f"{account.base_url.rstrip('/')}/shipment/order/open/order/get_order_info?"
        language = account.options.get("language", "br")

        def call(query: Query) -> Call:
            asked = urlencode({"spx_tn": query.number, "language_code": language})
            return once(Request(method="GET", url=page + asked, headers={"accept": "application/json"}))

        return (yield from one_by_one(queries, call, self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """The one parcel of an answer."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        body = decode(_BODY, response.body)
        if body.retcode != _OK:
            code = None if body.retcode is None else str(body.retcode)
            kind = ErrorKind.UNAVAILABLE if body.retcode == _NO_ANSWER else ErrorKind.BAD_RESPONSE
            error = CarrierError(kind, short(f"Shopee Xpress {code}: {body.message or 'no message'}"), code=code)
            if body.retcode != _NO_ANSWER or not asked:
                raise error
            return dict.fromkeys(asked, error)
        parcel = decode(_PARCEL, body.data)
        numbers = parcel.numbers
        return join(dict.fromkeys(numbers if asked else numbers[:1], _ENCODER.encode(parcel)), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one parcel."""
        parcel = decode(_PARCEL, raw)
        glossary = Glossary(codes.table("shopee_xpress", "code"))
        events = arrange([_event(scan, glossary) for scan in parcel.sls_tracking_info.records or ()])
        last = newest(events)
        return Tracking(
            number=next(iter(parcel.numbers), None),
            status=last.status if last else TrackingStatus.UNKNOWN,
            reason=last.reason if last else None,
            raw_status=last.raw_code if last else None,
            events=events,
            unmapped=glossary.unmapped,
        )


def _event(scan: Scan, glossary: Glossary) -> TrackingEvent:
    code, at = scan.tracking_code or "", scan.actual_time
    status, reason = glossary.of(code, f"milestone {scan.milestone_code}")
    time, local, offset = NO_INSTANT if at is None else at_epoch(at)
    place = (scan.current_location or Place()).location_name or ""
    return TrackingEvent(
        key=event_key(code, str(at), place),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=scan.tracking_name or scan.milestone_name or "",
        location=place,
    )
