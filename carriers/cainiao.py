"""Cainiao global tracking: the JSON behind its public page (facts: Cainiao).

Rules of this source: the instant of a scan is `timeStr` in `timeZone`, without one in GMT+8; the epoch `time` is the wall
clock read as if it were GMT+8, and never used. The status is the newest scan's: `module.status` DELIVERING means "in the
destination country", and CLEAR_CUSTOMS may still stand after the release. GTMS_STA_SIGNED is a pickup station, not the buyer.
An unknown number is a row without scans, without a status and without a last-mile number. Economy lines fall silent after the
hand-over: `copyRealMailNo` is the number to follow then.
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from carriers import codes
from carriers.answers import decode, each, http_error, join, richest, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import UNKNOWN, Glossary, Meaning
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingReason, TrackingStatus, newest
from carriers.persons import without_signer
from carriers.scans import alpha2, arrange, event_key, instant, iso_offset
from carriers.talks import opted_in

_HOME = "GMT+8"
"""The zone of a scan that names none: there both readings of its time agree."""

_BANS = (b"captcha", b"punish", b"rgv587", b"x5secdata")
"""What the pages contain with which the site's guard answers, in lower case, instead of data (unverified)."""


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One scan. `standerdDesc` (so spelled) is the text where `desc` is empty."""

    timeStr: str | None = None
    timeZone: str | None = None
    desc: str | None = None
    standerdDesc: str | None = None
    actionCode: str | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One row of the answer; encoded it is the slice."""

    mailNo: str
    destCountry: str | None = None
    status: str | None = None
    detailList: list[Scan] | None = None
    copyRealMailNo: str | None = None


class Body(msgspec.Struct):
    """An answer has a `module`, a failure an `errorCode`."""

    success: bool | None = None
    module: list[msgspec.Raw] | None = None
    errorCode: str | int | None = None


_BODY = msgspec.json.Decoder(Body)
_PARCEL = msgspec.json.Decoder(Parcel)
_ENCODER = msgspec.json.Encoder()


class Cainiao(Pushless):
    """Adapter `cainiao`. Secrets: none. Options: `public_page = true`, `language` (`en-US`).

    An unofficial public page without a contract: it slows down and shuts out whoever asks often. So nobody asks it unawares: the
    account must agree by `public_page = true`. Ask seldom (6 hours between two polls of a number), prefer an aggregator.
    """

    name = "cainiao"
    batch_size = 10

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One page for all numbers. Raises CarrierError(invalid_request) unless the account agrees to ask a public page."""
        opted_in(account)
        numbers = list(dict.fromkeys(query.number for query in queries))
        query = urlencode({"mailNos": ",".join(numbers), "lang": account.options.get("language", "en-US")}, safe=",")
        response = yield Request(
            method="GET",
            url=f"{account.base_url.rstrip('/')}/global/detail.json?{query}",
            headers={"accept": "application/json"},
        )
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an answer into one row per number."""
        failed = http_error(response)
        if failed is not None:
            raise failed
        body = _body(response.body)
        if body.module is None or body.success is False:
            raise _no_answer(body, response.body)
        rows = each(body.module, _PARCEL, "mailNo")
        return join(richest((number, row if isinstance(row, CarrierError) else _cut(row)) for number, row in rows), asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one row."""
        parcel = decode(_PARCEL, raw)
        glossary = Glossary(codes.table("cainiao", "code"))
        events = arrange([_event(scan, glossary) for scan in parcel.detailList or ()])
        status, reason = _standing(parcel, events, glossary)
        linked = (parcel.copyRealMailNo or "").strip()
        return Tracking(
            number=parcel.mailNo,
            status=status,
            reason=reason,
            raw_status=parcel.status,
            events=events,
            destination_country=alpha2(parcel.destCountry),
            linked_number=linked if linked and linked != parcel.mailNo else None,
            unmapped=glossary.unmapped,
            notes=_contradictions(parcel, events, (status, reason)),
        )


def _cut(parcel: Parcel) -> bytes:
    """The slice; the texts of last-mile carriers may name who took a parcel."""
    for scan in parcel.detailList or ():
        scan.desc, scan.standerdDesc = without_signer(scan.desc), without_signer(scan.standerdDesc)
    return _ENCODER.encode(parcel)


def _body(raw: bytes) -> Body:
    try:
        return decode(_BODY, raw)
    except CarrierError as error:
        raise _ban(raw) or error from None


def _no_answer(body: Body, raw: bytes) -> CarrierError:
    if body.success is not False:
        return _ban(raw) or CarrierError(ErrorKind.BAD_RESPONSE, "neither parcels nor an error of Cainiao")
    code = str(body.errorCode) if body.errorCode is not None else None
    return _ban(raw) or CarrierError(ErrorKind.UNAVAILABLE, short(f"Cainiao failed: {code or 'no code'}"), code=code)


def _ban(raw: bytes) -> CarrierError | None:
    """The error behind a page of the site's guard; None for anything else."""
    told = raw[:65_536].lower()
    if any(word in told for word in _BANS):
        return CarrierError(ErrorKind.RATE_LIMITED, "Cainiao asks for a captcha: it was asked too often")
    return None


def _event(scan: Scan, glossary: Glossary) -> TrackingEvent:
    code, wall, zone = scan.actionCode or "", scan.timeStr or "", scan.timeZone or ""
    # The last part first: what failed did not move the parcel on, whatever its family does.
    families = (f"family {code.rpartition('_')[2]}", f"family {code.partition('_')[0]}")
    status, reason = glossary.of(code, *families)
    time, local, offset = instant(wall.strip().replace(" ", "T", 1) + iso_offset(zone or _HOME))
    text = scan.desc or scan.standerdDesc or ""
    return TrackingEvent(
        key=event_key(code, wall, zone, text),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=text,
    )


def _standing(parcel: Parcel, events: tuple[TrackingEvent, ...], glossary: Glossary) -> Meaning:
    last = newest(events)
    if last is not None:
        return last.status, last.reason
    # A parcel with a last-mile number is known, whatever else its row leaves out.
    if parcel.detailList == [] and not parcel.status and not parcel.copyRealMailNo:
        return TrackingStatus.NOT_FOUND, None
    told = glossary.of(f"module {parcel.status}") if parcel.status else UNKNOWN
    # Without a scan nobody knows to whom it was delivered, nor when.
    return UNKNOWN if told[0] is TrackingStatus.DELIVERED else told


def _contradictions(parcel: Parcel, events: tuple[TrackingEvent, ...], standing: Meaning) -> tuple[str, ...]:
    """What `module.status` says against the scans: a delivery or a hold that they do not know, or the other way round."""
    said = codes.table("cainiao", "code").get(f"module {parcel.status}")
    if said is None:
        return ()
    last = newest(events)
    differ = (said[0] is TrackingStatus.DELIVERED) is not (standing[0] is TrackingStatus.DELIVERED)
    differ = differ or (said[1] is TrackingReason.CUSTOMS_HOLD and standing[1] is not TrackingReason.CUSTOMS_HOLD)
    return (f"the page says {parcel.status}, the newest scan {last and last.raw_code}",) if differ else ()
