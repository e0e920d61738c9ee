"""La Poste, Okapi Suivi v2 (facts: carriers, 20).

Rules of this source: one number asked gives an object, several an array (HTTP 207) in which each item has its own `returnCode`;
404 there and as the HTTP status means "not found"; events come newest first and the newest one tells the status; DI2, delivered
to the *sender*, is a return, and so is DI1 once it goes back.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from urllib.parse import quote

import msgspec

from carriers import codes
from carriers.answers import decode, http_error, http_kind, join, short
from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.codes import Glossary
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import alpha2, arrange, event_key, instant
from carriers.standing import handed_back
from carriers.talks import once, one_by_one, secret

_NOT_FOUND = 404
_NOTHING = msgspec.Raw(b"null")
_REFUSED = {400: ErrorKind.INVALID_NUMBER}
"""A number of the wrong form; what else a `returnCode` stands for is what the HTTP status of that number does."""


class Scan(msgspec.Struct, gc=False, omit_defaults=True):
    """One event; `date` is ISO with an offset."""

    code: str | None = None
    label: str | None = None
    date: str | None = None


class Partner(msgspec.Struct, gc=False, omit_defaults=True):
    """The carrier of the last mile, and its number (unverified)."""

    network: str | None = None
    reference: str | None = None


class Context(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """Where it goes, and by whom."""

    arrival_country: str | None = None
    partner: Partner | None = None


class Shipment(msgspec.Struct, omit_defaults=True, rename="camel"):
    """One parcel, without addresses and delivery choices; encoded it is the slice."""

    id_ship: str | None = None
    event: list[Scan] | None = None
    context_data: Context | None = None
    absent: bool = False


class Answer(msgspec.Struct, rename="camel"):
    """The answer for one number."""

    return_code: int = 0
    return_message: str | None = None
    id_ship: str | None = None
    shipment: msgspec.Raw = _NOTHING


_ANSWER = msgspec.json.Decoder(Answer)
_ANSWERS = msgspec.json.Decoder(list[msgspec.Raw])
_SHIPMENT = msgspec.json.Decoder(Shipment)


class LaPoste(Pushless):
    """Adapter `la_poste`. Secret: `api_key` (Okapi). Option: `language` of the labels (`en_GB`, `fr_FR`)."""

    name = "la_poste"
    batch_size = 10

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call for all numbers; one for each where the list is refused."""
        key = secret(account, "api_key")
        numbers = list(dict.fromkeys(query.number for query in queries))
        language = quote(str(account.options.get("language", "en_GB")), safe="")
        headers = {"x-okapi-key": key, "accept": "application/json"}

        def request(listed: str) -> Request:
            url = f"{account.base_url.rstrip('/')}/idships/{listed}?lang={language}"
            return Request(method="GET", url=url, headers=headers)

        response = yield request(",".join(quote(number, safe="") for number in numbers))
        try:
            return Batch(answers=self.split(response, numbers))
        except CarrierError as error:
            if error.kind is not ErrorKind.INVALID_NUMBER or len(numbers) == 1:
                raise
        # One number of a wrong form, and nobody says which: it must not hide the others.
        return (yield from one_by_one(queries, lambda query: once(request(quote(query.number, safe=""))), self.split))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut an object or an array into one shipment per number."""
        only = asked[0] if len(asked) == 1 else ""
        failed = http_error(response, _said(response.body))
        if failed is not None and response.status not in {_NOT_FOUND, *_REFUSED}:
            raise failed
        if response.body.lstrip().startswith(b"["):
            cuts = [_cut(raw, "") for raw in decode(_ANSWERS, response.body)]
            return join({number: told for number, told in cuts if number}, asked)
        number, told = _one(response.body, only, failed)
        return join({number: told}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one shipment."""
        parcel = decode(_SHIPMENT, raw)
        known = Glossary(codes.table("la_poste", "code"))
        events = handed_back(arrange([_event(scan, known) for scan in reversed(parcel.event or ())]))
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else codes.UNKNOWN
        context = parcel.context_data or Context()
        partner = context.partner or Partner()
        linked = partner.reference if partner.reference != parcel.id_ship else None
        return Tracking(
            number=parcel.id_ship,
            status=TrackingStatus.NOT_FOUND if parcel.absent else status,
            reason=reason,
            raw_status=last.raw_code if last is not None else str(_NOT_FOUND) if parcel.absent else None,
            events=events,
            destination_country=alpha2(context.arrival_country),
            linked_number=linked or None,
            linked_code=partner.network if linked else None,
            unmapped=known.unmapped,
        )


def _said(body: bytes) -> str:
    try:
        return decode(_ANSWER, body).return_message or ""
    except CarrierError:
        return ""


def _one(body: bytes, only: str, failed: CarrierError | None) -> tuple[str, bytes | CarrierError]:
    """The one number of an object. Raises `failed` where the source said nothing, or what it says of the whole request."""
    try:
        answer = decode(_ANSWER, body)
    except CarrierError:
        if failed is None:
            raise
        raise failed from None
    if failed is not None and not answer.return_code:
        raise failed
    number, told = _cut(msgspec.Raw(body), only)
    if isinstance(told, CarrierError) and told.kind not in {ErrorKind.INVALID_NUMBER, ErrorKind.BAD_RESPONSE}:
        raise told
    if isinstance(told, CarrierError) and not number:
        raise told
    return number, told


def _cut(raw: msgspec.Raw, only: str) -> tuple[str, bytes | CarrierError]:
    """The number of one answer, and its slice or error. One that drifted from its shape does not take the others with it."""
    number = only
    try:
        answer = decode(_ANSWER, raw)
        number = answer.id_ship or only
        if answer.return_code == _NOT_FOUND:
            return number, msgspec.json.encode(Shipment(number or None, absent=True))
        if http_kind(answer.return_code) is None and answer.shipment != _NOTHING:
            shipment = decode(_SHIPMENT, answer.shipment)
            shipment.id_ship = shipment.id_ship or number or None
            return shipment.id_ship or "", msgspec.json.encode(shipment)
    except CarrierError as error:
        return number, error
    kind = _REFUSED.get(answer.return_code) or http_kind(answer.return_code) or ErrorKind.BAD_RESPONSE
    text = short(f"La Poste {answer.return_code}: {answer.return_message or 'no shipment'}")
    return number, CarrierError(kind, text, code=str(answer.return_code))


def _event(scan: Scan, known: Glossary) -> TrackingEvent:
    status, reason = known.of(scan.code)
    code, label, date = scan.code or "", scan.label or "", scan.date or ""
    time, local, offset = instant(date)
    return TrackingEvent(
        key=event_key(code, date, label),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=label,
    )
