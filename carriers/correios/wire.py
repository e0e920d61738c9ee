"""Correios' bodies: their shapes, and the cut into one object per number.

The structs are an allow-list: names of receivers and addresses never pass (facts: rules across carriers, 14).
"""

# ruff: noqa: N815 - fields carry the source's own names

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from carriers import xmls
from carriers.answers import decode, http_error, short
from carriers.base import Response
from carriers.errors import CarrierError, ErrorKind
from carriers.scans import alpha2_of, iso_day_first

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


_COUNTRY = frozenset({"país", "pais"})
_BRAZIL = frozenset({"BRASIL", "BRAZIL"})


class Place(msgspec.Struct, gc=False, omit_defaults=True):
    """Town and state of a unit."""

    cidade: str | None = None
    uf: str | None = None


class Unit(msgspec.Struct, gc=False, omit_defaults=True):
    """Who scanned: a unit of Correios, or (`tipo` = "País") a foreign post named by its country."""

    tipo: str | None = None
    nome: str | None = None
    codSro: str | None = None
    endereco: Place | None = None

    @property
    def abroad(self) -> bool:
        """Whether another post scanned: its wall clock is not Brazil's."""
        return (self.tipo or "").casefold() in _COUNTRY and (self.nome or "").upper() not in _BRAZIL

    @property
    def country(self) -> str | None:
        """ISO alpha-2. A foreign post's code holds the numeric one of its country: 00156000 is China."""
        if not self.abroad:
            return "BR"
        code = self.codSro or ""
        return alpha2_of(code[2:5]) if code[:2] == "00" and code[5:] == "000" else None


class Event(msgspec.Struct, omit_defaults=True):
    """One scan. `dtHrCriado` and `dtLimiteRetirada` (until when it lies ready) are wall clocks without a zone."""

    codigo: str
    tipo: str | int = ""
    dtHrCriado: str | None = None
    descricao: str | None = None
    detalhe: str | None = None
    unidade: Unit | None = None
    dtLimiteRetirada: str | None = None


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

_SPOKEN = frozenset({400, 404})
"""HTTP statuses of a failure that may be one number's: no login that is refused and no server that is down tells of one."""

_LEGACY_NOT_FOUND = "objeto não encontrado"
"""How the legacy service begins what today's calls SRO-020."""


def said(body: bytes) -> str:
    """The texts of a failure, for a person; empty when there are none."""
    try:
        return "; ".join(decode(_BODY, body).msgs or ())
    except CarrierError:
        return ""


def code_of(text: str | None) -> str:
    """The `SRO-nnn` that a message begins with, or nothing: the words behind it may change."""
    code = (text or "").strip()[:7].upper()
    return code if code.startswith("SRO-") else ""


def found(response: Response, asked: Sequence[str]) -> dict[str, Found]:
    """One slice or error per number. Raises CarrierError when the whole request failed."""
    failed = http_error(response)
    if failed is not None:
        text = said(response.body)
        if len(asked) <= 1 and response.status in _SPOKEN and code_of(text) in {NOT_FOUND, *_ERRORS}:
            # What is said of the only number asked for is said of that number.
            only = asked[0] if asked else ""
            return {only: _slice(Parcel(only, text))}
        raise _patient(http_error(response, text) or failed, response)
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


def _patient(failed: CarrierError, response: Response) -> CarrierError:
    """`failed`; a 429 (its body is empty) with the seconds in which the bucket fills again, where only its size is told."""
    if failed.kind is not ErrorKind.RATE_LIMITED or failed.retry_after is not None:
        return failed
    size, rate = (response.headers.get(f"x-ratelimit-{name}", "") for name in ("burst-capacity", "replenish-rate"))
    if size in _SMALL and rate in _SMALL:
        failed.retry_after = float(-(-int(size) // int(rate)))
    return failed


_SMALL = frozenset(str(number) for number in range(1, 10_000))


def _name(raw: msgspec.Raw) -> str | None:
    try:
        return decode(_NAMED, raw).codObjeto
    except CarrierError:
        return None


def _slice(parcel: Parcel) -> Found:
    code = code_of(parcel.mensagem)
    if parcel.eventos or code == NOT_FOUND or (parcel.eventos is not None and not code):
        return msgspec.json.encode(parcel)
    kind = _ERRORS.get(code, ErrorKind.BAD_RESPONSE)
    text = short(f"Correios: {parcel.mensagem or 'neither events nor a message'}")
    return CarrierError(kind, text, code=code or None)


def _from_soap(body: bytes) -> list[Parcel]:
    """The objects of the legacy service (`buscaEventosLista`): `tipo` and `status` are today's `codigo` and `tipo`."""
    parcels = []
    for item in xmls.all_of(xmls.root(body), "objeto"):
        number, error = xmls.text(item, "numero"), xmls.text(item, "erro")
        if number:
            events = [_soap_event(event) for event in xmls.all_of(item, "evento")]
            if error is not None and error.casefold().startswith(_LEGACY_NOT_FOUND):
                error = f"{NOT_FOUND}: {error}"
            parcels.append(Parcel(number, mensagem=error, eventos=events or None))
    return parcels


def _soap_event(event: Element) -> Event:
    day, time = xmls.text(event, "data") or "", xmls.text(event, "hora") or ""
    name, town, state = (xmls.text(event, field) for field in ("local", "cidade", "uf"))
    # An office of Correios names its town and state; a foreign post is but a country.
    kind = None if town or state else "País"
    return Event(
        xmls.text(event, "tipo") or "",
        tipo=xmls.text(event, "status") or "",
        dtHrCriado=iso_day_first(f"{day} {time}") if day else None,
        descricao=xmls.text(event, "descricao"),
        detalhe=xmls.text(event, "detalhe"),
        unidade=Unit(kind, name, xmls.text(event, "codigo"), Place(town, state)),
    )
