"""Which statuses a body can tell: those of which a code or text of the adapter's own tables stands among its values.

The rule is the tables', not the adapter's: who reads `delivered` out of a body in which no value means that has invented it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from python_calamine import CalamineError, CalamineWorkbook

from carriers import codes
from carriers.model import TrackingReason, TrackingStatus

ALWAYS = frozenset({TrackingStatus.UNKNOWN, TrackingStatus.NOT_FOUND})
"""What needs no word of its own: an empty answer is how most sources say "not found"."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "correios_sro": ("codigo", "tipo"),
    "correios_texts": ("text",),
    "dhl_unified_texts": ("text",),
    "russian_post": ("oper_type", "oper_attr"),
    "seventeen_track_status": ("sub_status",),
    "ups": ("code",),
    "usps": ("code",),
}
"""The columns of a table that a body must show; of every other table it is the first."""

_BORROWED: Mapping[str, tuple[str, ...]] = {"mydhl": ("dhl_express",), "sheet": ("upu_emsevt",)}
_JOINED = frozenset({"cainiao", "shopee_xpress", "ups", "yanwen", "yunexpress"})
"""Tables whose codes are several values of a body, or stand behind the name of a field (`PackageState 1`, `X SR`)."""

_FIELDS = frozenset({"family", "module", "milestone", "level1", "prefix", "checkpoint", "Code", "PackageState", "TrackingStatus"})

_FLAGS: Mapping[str, tuple[tuple[TrackingStatus, TrackingReason | None, str], ...]] = {
    "aftership": ((TrackingStatus.RETURNED, None, "true"),),
    "dhl_parcel_de": ((TrackingStatus.EXCEPTION, TrackingReason.RETURNING, "true"), (TrackingStatus.RETURNED, None, "true")),
}
"""What a source tells by a yes beside its codes: `return_to_sender`, `ruecksendung`."""

_OWN_WORDS = frozenset({"sheet", "fake"})
"""They take our own words."""

_END = "\x1f"


class Row(msgspec.Struct, frozen=True):
    """One row of a table: what must stand in a body, and what it tells then."""

    status: TrackingStatus
    reason: TrackingReason | None
    keys: tuple[str, ...]
    loose: bool
    """A text, which stands within a longer one."""

    def stands_in(self, blob: str) -> bool:
        """Whether all its keys are values of the body."""
        return all(key in blob if self.loose else f"{_END}{key}{_END}" in blob for key in self.keys)

    def may_stand_in(self, blob: str) -> bool:
        """Whether a value begins with its first key: the families to which unknown codes fall back."""
        return (self.keys[0] if self.loose else _END + self.keys[0]) in blob


@cache
def _rows(carrier: str) -> tuple[Row, ...]:
    found = [Row(status, None, (status.value,), loose=True) for status in TrackingStatus if carrier in _OWN_WORDS]
    found.extend(Row(status, reason, (word,), loose=False) for status, reason, word in _FLAGS.get(carrier, ()))
    for name in sorted(entry.name.removesuffix(".csv") for entry in files(codes).iterdir() if entry.name.endswith(".csv")):
        if name == carrier or name.startswith(f"{carrier}_") or name in _BORROWED.get(carrier, ()):
            found.extend(_of_table(name, loose=carrier in _OWN_WORDS))
    return tuple(found)


def _of_table(name: str, *, loose: bool) -> Iterator[Row]:
    for row in codes.rows(name):
        if row.get("status") not in set(TrackingStatus):
            continue
        columns = _KEYS.get(name) or (next(iter(row)),)
        status, reason = codes.meaning(row)
        told = row[columns[0]].split() if name in _JOINED else [row[column] for column in columns]
        keys = tuple(_plain(value) for value in told if value not in {"", "*"} | (_FIELDS if name in _JOINED else set()))
        yield Row(status, reason, keys, loose=loose or columns == ("text",) or "family" in told)
        if row.get("sub_status", "").endswith("_Other"):
            # The main status alone means what its family's rest does.
            yield Row(status, None, (_plain(row["main_status"]),), loose=False)


def _plain(value: object) -> str:
    """Values as they are compared: without case, blanks around them, and zeros before a number."""
    text = str(value).strip().casefold()
    return text.lstrip("0") or "0" if text.isdecimal() else text


def justified(carrier: str, body: bytes) -> frozenset[TrackingStatus]:
    """The statuses that the values of `body` can tell.

    A delivery needs its whole code. Any other status may come from a code's family; a return also from a delivery after the start
    of a return, which is one to the sender.
    """
    blob = _blob(body)
    told = {row.status for row in _rows(carrier) if row.stands_in(blob)}
    told |= {row.status for row in _rows(carrier) if row.status is not TrackingStatus.DELIVERED and row.may_stand_in(blob)}
    if TrackingStatus.DELIVERED in told:
        going_back = any(row.reason is TrackingReason.RETURNING and row.may_stand_in(blob) for row in _rows(carrier))
        told |= {TrackingStatus.RETURNED} if going_back else set()
    return frozenset(told) | ALWAYS


def _blob(body: bytes) -> str:
    return _END + _END.join({_plain(value) for value in _values(body)}) + _END


def _values(body: bytes) -> Iterator[object]:
    if body.startswith(b"PK"):
        yield from _unpacked(body)
    else:
        yield from _elements(body)
        yield from _scalars(body)


def _elements(body: bytes) -> Iterator[object]:
    if b"<" not in body:
        return
    try:
        for element in fromstring(body).iter():
            yield from (element.text or "", *element.attrib.values())
    except (SyntaxError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return


def _scalars(body: bytes) -> Iterator[object]:
    found: list[object] = []

    def pairs(items: list[tuple[str, object]]) -> None:
        # Of a key that stands twice, either value may be read.
        for _, value in items:
            _flat(value, found)

    try:
        # What is no UTF-8 may stand where nobody looks.
        text = body.decode("utf-8-sig", "replace")
        _flat(json.loads(text, object_pairs_hook=pairs, parse_int=str, parse_float=str), found)
    except (ValueError, RecursionError):
        # A table of lines is no JSON; whatever else is none, tells nothing.
        yield from (body.decode(encoding, "replace") for encoding in ("utf-8", "utf-16", "gb18030"))
    yield from found


def _flat(value: object, found: list[object]) -> None:
    if isinstance(value, list):
        for each in value:
            _flat(each, found)
    elif value is not None:
        found.append(value)


def _unpacked(body: bytes) -> Iterator[object]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        for name in book.sheet_names:
            for line in book.get_sheet_by_name(name).to_python():
                yield from line
    except (CalamineError, ValueError, OSError):
        return
