"""From an object to a Tracking: the SRO pairs (codigo, tipo) into our words.

Rules of this source (facts: Correios): events come newest first; the status is the newest one's; EST takes back the event before
it; an unknown `tipo` of a known family means what the whole family agrees on, never a delivery; wall clocks are Brasilia's,
except where a foreign post scanned.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import msgspec

from carriers import codes
from carriers.answers import decode
from carriers.codes import Meaning
from carriers.correios import wire
from carriers.model import Tracking, TrackingEvent, TrackingStatus, newest
from carriers.scans import Instant, arrange, event_key, instant

_WALL = len("2026-04-20T10:00:00")
VOID = "EST"
_VOIDS = "void_previous"
_UNKNOWN: Meaning = (TrackingStatus.UNKNOWN, None)
_PARCEL = msgspec.json.Decoder(wire.Parcel)


@cache
def _brasilia() -> ZoneInfo:
    """Winter and summer time as they were: Brazil had the latter until 2019."""
    return ZoneInfo("America/Sao_Paulo")


@cache
def _pairs() -> dict[tuple[str, str], Meaning]:
    return {(row["codigo"], row["tipo"]): codes.meaning(row) for row in codes.rows("correios_sro") if row["status"] != _VOIDS}


@cache
def _families() -> dict[str, TrackingStatus]:
    """Families all of whose known pairs mean one status; a delivery is never guessed."""
    statuses: dict[str, set[TrackingStatus]] = {}
    for (code, _), (status, _) in _pairs().items():
        statuses.setdefault(code, set()).add(status)
    return {code: next(iter(one)) for code, one in statuses.items() if len(one) == 1 and one != {TrackingStatus.DELIVERED}}


@cache
def _texts() -> dict[str, Meaning]:
    return {row["text"]: codes.meaning(row) for row in codes.rows("correios_texts")}


def _meaning(event: wire.Event, pair: tuple[str, str], unmapped: dict[str, None]) -> Meaning:
    meant = _pairs().get(pair)
    if meant is not None or pair[0] == VOID:
        return meant or _UNKNOWN
    unmapped[" ".join(pair)] = None
    spoken = f"{event.descricao or ''} {event.detalhe or ''}".casefold()
    for text, told in _texts().items():
        if text in spoken:
            return told
    return _families().get(pair[0], TrackingStatus.UNKNOWN), None


@lru_cache(maxsize=4096)
def _offset(hour: str) -> str:
    """The offset (`-03:00`) of Brasilia in an hour of its wall clock (`2026-04-20T10`); nothing for what is no hour."""
    try:
        return datetime.fromisoformat(hour).replace(tzinfo=_brasilia()).isoformat()[19:]
    except ValueError:
        return ""


def _instant(event: wire.Event) -> Instant:
    wall = event.dtHrCriado or ""
    if event.unidade is not None and event.unidade.abroad:
        return instant(wall)
    # What names its own offset is longer.
    return instant(wall + _offset(wall[:13]) if len(wall) <= _WALL else wall)


def _until(limit: str | None) -> str:
    """Until when a parcel lies ready for collection; whether that is soon is for somebody with a clock."""
    day = (limit or "")[:10]
    return f"retirar até {day}" if day else ""


def _event(event: wire.Event, unmapped: dict[str, None]) -> TrackingEvent:
    pair = (event.codigo.strip().upper(), str(event.tipo).strip().zfill(2))
    status, reason = _meaning(event, pair, unmapped)
    time, local, offset = _instant(event)
    unit = event.unidade or wire.Unit()
    place = unit.endereco or wire.Place()
    location = ", ".join(filter(None, (place.cidade, place.uf))) or unit.nome or ""
    return TrackingEvent(
        key=event_key(event.codigo, str(event.tipo), event.dtHrCriado or "", event.descricao or "", unit.nome or "", location),
        time=time,
        local_time=local,
        offset=offset,
        status=status,
        reason=reason,
        raw_code=" ".join(pair),
        description=". ".join(filter(None, (event.descricao, (event.detalhe or "").strip(), _until(event.dtLimiteRetirada)))),
        location=location,
        country=unit.country,
    )


def _without_void(events: Iterable[TrackingEvent], notes: dict[str, None]) -> list[TrackingEvent]:
    """Drop every EST together with the event that it takes back, and say so."""
    standing: list[TrackingEvent] = []
    for event in events:
        if (event.raw_code or "").partition(" ")[0] != VOID:
            standing.append(event)
        elif standing:
            notes[f"{event.raw_code} takes back {standing.pop().raw_code}"] = None
    return standing


def read(raw: bytes) -> Tracking:
    """Read one object. An object with neither events nor "not found" has no known status."""
    parcel = decode(_PARCEL, raw)
    unmapped: dict[str, None] = {}
    notes: dict[str, None] = {}
    events = tuple(_without_void(arrange([_event(event, unmapped) for event in reversed(parcel.eventos or ())]), notes))
    last = newest(events)
    if last is not None:
        status, reason, told = last.status, last.reason, last.raw_code
    elif not parcel.eventos and wire.code_of(parcel.mensagem) == wire.NOT_FOUND:
        status, reason, told = TrackingStatus.NOT_FOUND, None, wire.NOT_FOUND
    else:
        status, reason, told = TrackingStatus.UNKNOWN, None, None
    return Tracking(
        number=parcel.codObjeto or None,
        status=status,
        reason=reason,
        raw_status=told,
        events=events,
        unmapped=tuple(unmapped),
        notes=tuple(notes),
    )
