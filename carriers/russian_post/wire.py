"""SOAP of Russian Post as text: requests by escaping, answers as one slice per number.

`Parcel` and `Operation` are an allow-list: names of sender and addressee (`UserParameters`) never pass (facts: rules across
carriers, 14).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING

import msgspec

from carriers import codes, xmls
from carriers.answers import http_error, short
from carriers.base import Account, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.scans import iso_day_first
from carriers.talks import secret

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Found = bytes | CarrierError

NOT_FOUND = "12"
"""The error of a number that the service does not know: a status, not a failure."""

EMPTY = "no operations"
"""What stands for that error in the single service, whose histories are simply empty then."""

_BATCH = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:pos="http://fclient.russianpost.org/postserver" xmlns:fcl="http://fclient.russianpost.org">'
    "<soapenv:Header/><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
_SINGLE = (
    '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:oper="http://russianpost.org/operationhistory"'
    ' xmlns:data="http://russianpost.org/operationhistory/data" xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soap:Header/><soap:Body><oper:getOperationHistory><data:OperationHistoryRequest><data:Barcode>{}</data:Barcode>"
    "<data:MessageType>0</data:MessageType><data:Language>{}</data:Language></data:OperationHistoryRequest>"
    '<data:AuthorizationHeader soapenv:mustUnderstand="1"><data:login>{}</data:login><data:password>{}</data:password>'
    "</data:AuthorizationHeader></oper:getOperationHistory></soap:Body></soap:Envelope>"
)


class Operation(msgspec.Struct, gc=False, omit_defaults=True):
    """One operation. `at` is ISO, with an offset (single service) or without: local to the office then (batch)."""

    type: str
    attr: str = "0"
    at: str = ""
    name: str = ""
    detail: str = ""
    place: str = ""
    country: str = ""


class Parcel(msgspec.Struct, omit_defaults=True):
    """One number; encoded it is the slice. `absent` is what said that the service does not know it."""

    number: str | None = None
    operations: list[Operation] = []
    absent: str = ""
    destination: str = ""


class Post:
    """The requests of one account. Raises CarrierError(auth) where a secret is missing."""

    def __init__(self, account: Account) -> None:
        self._login, self._password = (escape(secret(account, name)) for name in ("login", "password"))
        self._base = account.base_url.rstrip("/")
        self._language = escape(str(account.options.get("language", "RUS")))

    def ticket(self, numbers: Sequence[str]) -> Request:
        """Ask for a ticket for `numbers`, 3000 at most."""
        items = "".join(f'<fcl:Item Barcode="{escape(number)}"/>' for number in numbers)
        language = f"<language>{self._language}</language>"
        return self._batch(f"<pos:ticketRequest><request>{items}</request>{self._account()}{language}</pos:ticketRequest>")

    def answer(self, ticket: str) -> Request:
        """Ask for the answer to a ticket."""
        return self._batch(
            f"<pos:answerByTicketRequest><ticket>{escape(ticket)}</ticket>{self._account()}</pos:answerByTicketRequest>"
        )

    def history(self, number: str) -> Request:
        """Ask the single service for the operations of one number."""
        body = _SINGLE.format(escape(number), self._language, self._login, self._password)
        headers = {"content-type": "application/soap+xml; charset=utf-8"}
        return Request(method="POST", url=f"{self._base}/rtm34", headers=headers, body=body.encode())

    def _account(self) -> str:
        return f"<login>{self._login}</login><password>{self._password}</password>"

    def _batch(self, body: str) -> Request:
        headers = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
        return Request(method="POST", url=f"{self._base}/fc", headers=headers, body=_BATCH.format(body).encode())


@cache
def _kinds() -> dict[str, ErrorKind]:
    return {row["code"]: ErrorKind(row["kind"]) for row in codes.rows("russian_post_errors")}


def ticket(response: Response) -> str:
    """The ticket that was given. Raises CarrierError."""
    told = xmls.text(_body(response), ".//ticketResponse/value")
    if told is None:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "the answer names no ticket")
    return told


def found(response: Response, asked: Sequence[str]) -> dict[str, Found]:
    """One slice or error per number. Raises CarrierError when the whole request failed, or its answer is still prepared."""
    body = _body(response)
    if body.find(".//ticketResponse/value") is not None:
        raise CarrierError(ErrorKind.NOT_READY, "a ticket: its answer is being prepared")
    listed = body.find(".//answerByTicketResponse/value")
    if listed is not None:
        return _items(listed)
    if body.find(".//getOperationHistoryResponse") is None:
        raise CarrierError(ErrorKind.BAD_RESPONSE, "neither a ticket, nor its answer, nor a history")
    only = asked[0] if len(asked) == 1 else ""
    return {number: msgspec.json.encode(parcel) for number, parcel in _histories(body, only).items()}


def _body(response: Response) -> Element:
    """The envelope. Raises the error that HTTP, a SOAP fault or the service's own `error` element tells."""
    failed = http_error(response)
    try:
        body = xmls.root(response.body)
    except CarrierError:
        # Without a fault to read, the HTTP status is all that is known.
        if failed is None:
            raise
        raise failed from None
    fault = body.find(".//Fault")
    if fault is not None:
        raise _fault(fault, failed)
    if failed is not None:
        raise failed
    error = body.find(".//error")
    if error is not None:
        raise _error(error)
    return body


def _fault(fault: Element, failed: CarrierError | None) -> CarrierError:
    text = short(xmls.text(fault, ".//Text") or xmls.text(fault, "faultstring") or "a SOAP fault")
    for element in fault.iter():
        name = element.tag.removesuffix("Reason")
        if name in _kinds():
            return CarrierError(_kinds()[name], f"Russian Post: {text}", code=name)
    kind = failed.kind if failed is not None else ErrorKind.UNAVAILABLE
    return CarrierError(kind, f"Russian Post: {text}", code=failed.code if failed is not None else None)


def _error(element: Element) -> CarrierError:
    code = element.get("ErrorTypeID", "")
    text = short(element.get("ErrorName", ""))
    return CarrierError(_kinds().get(code, ErrorKind.BAD_RESPONSE), f"Russian Post, error {code}: {text}", code=code or None)


def _items(listed: Element) -> dict[str, Found]:
    """The numbers of a ticket's answer; of one that stands there twice what tells more."""
    told: dict[str, Found] = {}
    for item in xmls.all_of(listed, "Item"):
        number, cut = item.get("Barcode", ""), _item(item)
        before = told.get(number)
        if not isinstance(before, bytes) or (isinstance(cut, bytes) and len(cut) > len(before)):
            told[number] = cut
    return told


def _item(item: Element) -> Found:
    """One number of a ticket's answer: its operations, or its own error."""
    error = item.find("Error")
    if error is not None and error.get("ErrorTypeID") != NOT_FOUND:
        return _error(error)
    operations = [
        Operation(
            type=each.get("OperTypeID", ""),
            attr=each.get("OperCtgID") or "0",
            at=iso_day_first(each.get("DateOper", "")),
            name=each.get("OperName", ""),
            place=each.get("IndexOper", ""),
        )
        for each in item.iterfind("Operation")
    ]
    return msgspec.json.encode(Parcel(item.get("Barcode"), operations, "" if error is None else NOT_FOUND))


def _histories(body: Element, only: str) -> dict[str, Parcel]:
    """The records of the single service by their barcode. Without any it is the number asked for (`only`) that has none."""
    parcels: dict[str, Parcel] = {}
    for record in xmls.all_of(body, "historyRecord"):
        number = xmls.text(record, "ItemParameters/Barcode") or only
        parcel = parcels.setdefault(number, Parcel(number or None, []))
        parcel.operations.append(_record(record))
        parcel.destination = xmls.text(record, "AddressParameters/MailDirect/Code2A") or parcel.destination
    return parcels or {only: Parcel(only or None, absent=EMPTY)}


def _record(record: Element) -> Operation:
    told, address = record.find("OperationParameters"), record.find("AddressParameters")
    place = xmls.text(address, "OperationAddress/Description") or xmls.text(address, "OperationAddress/Index") or ""
    return Operation(
        type=xmls.text(told, "OperType/Id") or "",
        attr=xmls.text(told, "OperAttr/Id") or "0",
        at=xmls.text(told, "OperDate") or "",
        name=xmls.text(told, "OperType/Name") or "",
        detail=xmls.text(told, "OperAttr/Name") or "",
        place=" ".join(place.split()),
        country=xmls.text(address, "CountryOper/Code2A") or "",
    )
