"""Whether a parcel can reach the address of a row: what is missing, or cannot be right, as words (R46). Nothing of it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tracker.intake.cells import line
from tracker.intake.profiles import Field
from tracker.intake.record import Record

ADDRESS = (Field.ADDRESS, Field.CITY, Field.POSTCODE, Field.PHONE)
_MASKED = re.compile(r"[*•×xX#]{3,}")
_SHORTEST_PHONE, _LONGEST_PHONE = 7, 15
"""Digits of a telephone number: the longest by ITU-T E.164."""


def filled_fields(records: Iterable[Record]) -> frozenset[Field]:
    """The fields of an address that some row of the file fills: marketplaces leave whole columns empty for privacy."""
    open_fields, found = set(ADDRESS), set[Field]()
    for record in records:
        found |= {field for field in open_fields - found if record.line(field)}
        if found == open_fields:
            break
    return frozenset(found)


def address_problems(record: Record, country: str | None) -> tuple[str, ...] | None:
    """The words, in the order of an address; None where the row tells nothing of one, or the marketplace masks it."""
    told = {field: line(record.cell(field)) for field in ADDRESS if field in record.filled}
    if not any(told.values()) or any(_MASKED.search(value) for value in told.values()):
        return None
    missing = [f"missing_{field.value}" for field, value in told.items() if not value and not _needless(field, country, record)]
    return tuple(missing + list(_wrong(told, country, record.formats.postcodes)))


def _needless(field: Field, country: str | None, record: Record) -> bool:
    """Not every country has postal codes."""
    return field is Field.POSTCODE and country not in record.formats.postcodes


def _wrong(told: Mapping[Field, str], country: str | None, postcodes: Mapping[str, str]) -> Iterable[str]:
    pattern = postcodes.get(country or "")
    postcode = re.sub(r"[\s\-.]", "", told.get(Field.POSTCODE, "").removesuffix(".0")).upper()
    # A spreadsheet drops the zeros at the front of 01067.
    if pattern is not None and postcode and not any(re.fullmatch(pattern, zeros + postcode) for zeros in ("", "0", "00")):
        yield "bad_postcode"
    digits = re.sub(r"\D", "", told.get(Field.PHONE, ""))
    if told.get(Field.PHONE) and (not _SHORTEST_PHONE <= len(digits) <= _LONGEST_PHONE or len(set(digits)) == 1):
        yield "bad_phone"
