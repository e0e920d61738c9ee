"""Correios' bodies: their shapes, and the cut into one object per number.

The structs are an allow-list: names of receivers and addresses never pass (facts: rules across carriers, 14).
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from carriers.answers import decode, http_error, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class Place(msgspec.Struct, gc=False, omit_defaults=True):
    """Town and state of a unit."""

    cidade: str | None = None
    uf: str | None = None


class Unit(msgspec.Struct, gc=False, omit_defaults=True):
    """Who scanned: a unit of Correios, or (`tipo` = "País") a foreign post named by its country."""

    tipo: str | None = None
    nome: str | None = None
    endereco: Place | None = None

    @property
    def abroad(self) -> bool:
        """Whether another post scanned: its wall clock is not Brazil's."""
        return self.tipo == "País" and (self.nome or "").upper() not in {"BRASIL", "BRAZIL"}


class Event(msgspec.Struct, omit_defaults=True):
    """One scan. `dtHrCriado` is a wall clock without a zone."""

    codigo: str
    tipo: str | int = ""
    dtHrCriado: str | None = None
    descricao: str | None = None
    detalhe: str | None = None
    unidade: Unit | None = None


class Parcel(msgspec.Struct, omit_defaults=True):
    """One object; encoded it is the slice."""

    codObjeto: str
    mensagem: str | None = None
    eventos: list[Event] | None = None


class Body(msgspec.Struct):
    """An answer has `objetos`, a failure `msgs`."""

    objetos: list[msgspec.Raw] | None = None
    msgs: list[str] | None = None


class Named(msgspec.Struct):
    """Whatever names a number."""

    codObjeto: str


Found = bytes | CarrierError

_BODY = msgspec.json.Decoder(Body)
_PARCEL = msgspec.json.Decoder(Parcel)
_NAMED = msgspec.json.Decoder(Named)

_ERRORS = {"SRO-019": ErrorKind.INVALID_NUMBER}
NOT_FOUND = "SRO-020"


def said(body: bytes) -> str:
    """The texts of a failure, for a person; empty when there are none."""
    try:
        return "; ".join(decode(_BODY, body).msgs or ())
    except CarrierError:
        return ""


def found(response: Response) -> dict[str, Found]:
    """One slice or error per number. Raises CarrierError when the whole request failed."""
    failed = http_error(response, said(response.body))
    if failed is not None:
        raise failed
    if response.body.lstrip().startswith((b"<?xml", b"<soap", b"<SOAP", b"<S:", b"<env:")):
        return {parcel.codObjeto: _slice(parcel) for parcel in _from_soap(response.body)}
    body = decode(_BODY, response.body)
    if body.objetos is None:
        text = "; ".join(body.msgs or ()) or "neither objects nor messages"
        raise CarrierError(ErrorKind.BAD_RESPONSE, f"Correios: {short(text)}")
    cut: dict[str, Found] = {}
    for raw in body.objetos:
        try:
            parcel = decode(_PARCEL, raw)
        except CarrierError as error:
            # One object that drifted from its shape must not take the others with it.
            name = _name(raw)
            if name is not None:
                cut[name] = error
        else:
            cut[parcel.codObjeto] = _slice(parcel)
    return cut


def _name(raw: msgspec.Raw) -> str | None:
    try:
        return decode(_NAMED, raw).codObjeto
    except CarrierError:
        return None


def _slice(parcel: Parcel) -> Found:
    text = parcel.mensagem or ""
    code = text.partition(":")[0].strip()
    if parcel.eventos is None and code != NOT_FOUND:
        kind = _ERRORS.get(code, ErrorKind.BAD_RESPONSE)
        return CarrierError(kind, short(f"Correios: {text or 'neither events nor a message'}"), code=code or None)
    return msgspec.json.encode(parcel)


def _from_soap(body: bytes) -> list[Parcel]:
    """The objects of the legacy service (`buscaEventosLista`): `tipo` and `status` are today's `codigo` and `tipo`."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise CarrierError(ErrorKind.BAD_RESPONSE, "not readable as XML") from None
    parcels = []
    for item in root.iter("objeto"):
        number = _text(item, "numero")
        if number:
            events = [_soap_event(event) for event in item.iter("evento")]
            parcels.append(Parcel(number, mensagem=_text(item, "erro"), eventos=events or None))
    return parcels


def _soap_event(item: Element) -> Event:
    wall = f"{_text(item, 'data') or ''} {_text(item, 'hora') or ''}"
    try:
        # Once per old event, off the hot path: the legacy service is a format of the past.
        moment = datetime.strptime(wall, "%d/%m/%Y %H:%M").isoformat()  # noqa: DTZ007 - the zone is the reader's knowledge
    except ValueError:
        moment = None
    return Event(
        _text(item, "tipo") or "",
        tipo=_text(item, "status") or "",
        dtHrCriado=moment,
        descricao=_text(item, "descricao"),
        detalhe=_text(item, "detalhe"),
        unidade=Unit(nome=_text(item, "local"), endereco=Place(_text(item, "cidade"), _text(item, "uf"))),
    )


def _text(item: Element, name: str) -> str | None:
    return (item.findtext(name) or "").strip() or None
