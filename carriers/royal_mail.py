"""Royal Mail Tracking v2 (facts: carriers, 19).

Rules of this source: `mailPieces` is an object with all events of one number, or a list with the newest scan of each (summary);
the status is the newest event's; E1142 is a number that is not known yet; few event codes are public, all others are `unknown`.
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
from carriers.numbers import normalise
from carriers.scans import alpha2_of, arrange, event_key, instant
from carriers.talks import Call, once, one_by_one, secret

_HTTP = {str(status) for status in range(100, 600)}
_NOTHING = msgspec.Raw(b"null")
_SPOKEN = frozenset({200, 400, 404})
"""HTTP statuses of an answer about a number: no login that is refused and no server that is down tells of one."""

_UNKNOWN_NUMBER = "E1142"
"""A barcode that is not known (unverified): a status, not a failure."""


class Scan(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """One event; `event_date_time` is ISO with an offset."""

    event_code: str | None = None
    event_name: str | None = None
    event_date_time: str | None = None
    location_name: str | None = None


class Summary(msgspec.Struct, gc=False, rename="camel"):
    """The newest event, and whither the parcel goes (ISO 3166 alpha-3)."""

    one_d_barcode: str | None = None
    destination_country_code: str | None = None
    last_event_code: str | None = None
    last_event_name: str | None = None
    last_event_date_time: str | None = None
    last_event_location_name: str | None = None
    status_category: str | None = None

    def scan(self) -> list[Scan]:
        """The newest event as the only one; nothing where there is none yet."""
        if not self.last_event_code:
            return []
        return [Scan(self.last_event_code, self.last_event_name, self.last_event_date_time, self.last_event_location_name)]


class Refusal(msgspec.Struct, gc=False, rename="camel"):
    """One error of the source."""

    error_code: str = ""
    error_description: str = ""


class Piece(msgspec.Struct, rename="camel"):
    """One parcel as it is answered, without the signature."""

    mail_piece_id: str | None = None
    status: str | int | None = None
    summary: Summary | None = None
    events: list[Scan] | None = None
    error: Refusal | None = None


class Named(msgspec.Struct, rename="camel"):
    """Whatever names a number."""

    mail_piece_id: str | None = None


class Body(msgspec.Struct, rename="camel"):
    """An answer has `mail_pieces`, a failure `errors` and an HTTP code that HTTP itself may not tell."""

    mail_pieces: msgspec.Raw = _NOTHING
    http_code: str | int | None = None
    http_message: str | None = None
    errors: list[Refusal] | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One number; encoded it is the slice."""

    number: str | None = None
    events: list[Scan] = []
    category: str | None = None
    destination: str | None = None
    absent: bool = False


_BODY = msgspec.json.Decoder(Body)
_PIECE = msgspec.json.Decoder(Piece)
_NAMED = msgspec.json.Decoder(Named)
_PIECES = msgspec.json.Decoder(list[msgspec.Raw])
_PARCEL = msgspec.json.Decoder(Parcel)


class RoyalMail(Pushless):
    """Adapter `royal_mail`. Secrets: `client_id`, `client_secret`. Option: `summary = true`, one call for all numbers.

    A summary tells the newest scan of a number alone; without it each number is asked for by itself, with all its scans.
    """

    name = "royal_mail"
    batch_size = 20

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        """One call a number, or one for the summary of all."""
        headers = {
            "x-ibm-client-id": secret(account, "client_id"),
            "x-ibm-client-secret": secret(account, "client_secret"),
            "x-accept-rmg-terms": "yes",
            "accept": "application/json",
        }
        base = account.base_url.rstrip("/")

        def call(query: Query) -> Call:
            return once(Request(method="GET", url=f"{base}/{quote(query.number, safe='')}/events", headers=headers))

        if not account.options.get("summary"):
            return (yield from one_by_one(queries, call, self.split))
        numbers = list(dict.fromkeys(query.number for query in queries))
        listed = ",".join(quote(number, safe="") for number in numbers)
        response = yield Request(method="GET", url=f"{base}/summary?mailPieceId={listed}", headers=headers)
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        """Cut the events of one number, or a summary of several, into one slice per number."""
        only = asked[0] if len(asked) == 1 else ""
        body, failed = _body(response)
        refused = {refusal.error_code for refusal in body.errors or ()}
        if _UNKNOWN_NUMBER in refused and len(asked) <= 1 and response.status in _SPOKEN:
            return {only: msgspec.json.encode(Parcel(only or None, absent=True))}
        if failed is not None:
            raise failed
        if body.mail_pieces == _NOTHING:
            raise CarrierError(ErrorKind.BAD_RESPONSE, "neither mail pieces nor an error")
        single = bytes(body.mail_pieces).startswith(b"{")
        wanted = {normalise(number) for number in asked}
        cuts = [_cut(raw, wanted) for raw in ([body.mail_pieces] if single else decode(_PIECES, body.mail_pieces))]
        return join({number or only: told for number, told in cuts if number or single}, asked)

    def read(self, raw: bytes) -> Tracking:
        """Read one number."""
        parcel = decode(_PARCEL, raw)
        known = Glossary(codes.table("royal_mail", "code"))
        events = arrange([_event(scan, known) for scan in parcel.events])
        last = newest(events)
        status, reason = (last.status, last.reason) if last is not None else codes.UNKNOWN
        return Tracking(
            number=parcel.number,
            status=TrackingStatus.NOT_FOUND if parcel.absent else status,
            reason=reason,
            raw_status=last.raw_code if last is not None else _UNKNOWN_NUMBER if parcel.absent else None,
            raw_sub_status=parcel.category,
            events=events,
            destination_country=alpha2_of(parcel.destination or ""),
            unmapped=known.unmapped,
        )


def _body(response: Response) -> tuple[Body, CarrierError | None]:
    """What was answered, and the error that HTTP or the answer itself tells. Raises CarrierError for what is no answer."""
    failed = http_error(response)
    try:
        body = decode(_BODY, response.body)
    except CarrierError as error:
        # Without a body to read, the HTTP status is all that is known.
        raise failed or error from None
    said = "; ".join(f"{each.error_code} {each.error_description}" for each in body.errors or ()) or body.http_message or ""
    if failed is not None:
        return body, http_error(response, said)
    if not body.errors and not body.http_code:
        return body, None
    told = str(body.http_code or "")
    return body, CarrierError(_kind(told), short(f"Royal Mail {told}: {said}"), code=told or None)


def _kind(status: str | int | None) -> ErrorKind:
    """What an HTTP status told inside an answer stands for; it may come as a text."""
    told = str(status)
    return (http_kind(int(told)) if told in _HTTP else None) or ErrorKind.BAD_RESPONSE


def _cut(raw: msgspec.Raw, wanted: set[str]) -> tuple[str, bytes | CarrierError]:
    """The number of one piece, and its slice or error. A piece may be asked for by its barcode instead of its id."""
    number = ""
    try:
        number = decode(_NAMED, raw).mail_piece_id or ""
        piece = decode(_PIECE, raw)
    except CarrierError as error:
        return number, error
    summary = piece.summary or Summary()
    barcode = summary.one_d_barcode or ""
    if normalise(barcode) in wanted and normalise(number) not in wanted:
        number = barcode
    if piece.error is not None and piece.error.error_code:
        if piece.error.error_code == _UNKNOWN_NUMBER:
            return number, msgspec.json.encode(Parcel(number or None, absent=True))
        text = short(f"Royal Mail {piece.error.error_code}: {piece.error.error_description}")
        return number, CarrierError(_kind(piece.status), text, code=piece.error.error_code)
    parcel = Parcel(number or None, piece.events or summary.scan(), summary.status_category, summary.destination_country_code)
    return number, msgspec.json.encode(parcel)


def _event(scan: Scan, known: Glossary) -> TrackingEvent:
    status, reason = known.of(scan.event_code)
    code, when, where = scan.event_code or "", scan.event_date_time or "", scan.location_name or ""
    time, local, offset = instant(when)
    return TrackingEvent(
        key=event_key(code, when, where),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=code or None,
        description=scan.event_name or "",
        location=where,
    )
