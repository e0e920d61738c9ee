"""Formats as data: config/formats.toml read into structs, aliases normalised by the same function as the headers of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from tracker.config.layers import read_layer
from tracker.config.merge import Section
from tracker.config.problem import ConfigError
from tracker.intake.errors import FormatsError
from tracker.intake.headers import normalise
from tracker.model import OrderState, Rank

STORES_ZONE = "store"
_Names = tuple[str, ...]
_K = TypeVar("_K")


class Field(StrEnum):
    """What a column can mean. `tracked` holds lines `logistics name:number`; the numbers of a forwarder are one parcel's."""

    ORDER = "order"
    STORE = "store"
    PLATFORM = "platform"
    STATE = "state"
    COUNTRY_CODE = "country_code"
    COUNTRY = "country"
    REGION = "region"
    BUYER = "buyer"
    EMAIL = "email"
    TAX_NUMBER = "tax_number"
    REMARK = "remark"
    AMOUNT = "amount"
    CURRENCY = "currency"
    REFUNDED = "refunded"
    ORDERED_AT = "ordered_at"
    PAID_AT = "paid_at"
    SHIPPED_AT = "shipped_at"
    PROMISED_AT = "promised_at"
    RECEIVED_AT = "received_at"
    WINDOW_END = "window_end"
    TRACKED = "tracked"
    LAST_MILE_NUMBER = "last_mile_number"
    TRACKING = "tracking"
    CARRIERS_NUMBER = "carriers_number"
    FORWARDERS_NUMBER = "forwarders_number"
    SERVICE = "service"
    PROVIDER = "provider"
    ORIGIN = "origin"
    DECLARED_VALUE = "declared_value"
    DECLARED_CURRENCY = "declared_currency"
    FREIGHT = "freight"
    FREIGHT_CURRENCY = "freight_currency"
    FULFILLED_BY = "fulfilled_by"


class Format(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layout (a `[[format]]` of formats.toml). All names are normalised once built.

    `zone` is IANA or `store` (the zone of the row's store); `dates` are strptime formats, year-first ISO forms are always read.
    `requires` are groups of names: one of each group must be there. `known` headers belong to the format and are not read.
    """

    id: str
    title: str
    rank_orders: Annotated[int, msgspec.Meta(ge=1, le=3)]
    rank_tracking: Annotated[int, msgspec.Meta(ge=1, le=3)]
    zone: str
    requires: tuple[_Names, ...]
    columns: Mapping[Field, _Names]
    coverage: float = 0.5
    platform: str | None = None
    store: str | None = None
    locale: str = "en_US"
    currency: str | None = None
    dates: _Names = ()
    known: _Names = ()
    states: Mapping[OrderState, _Names] = {}
    footers: _Names = ()
    platform_fulfilled: _Names = ()

    def names(self) -> set[str]:
        """Every header that belongs to this format."""
        return {*self.known, *(name for names in self.columns.values() for name in names)}

    def state(self, word: str) -> OrderState | None:
        """What a status word means here; None for a word nobody has seen."""
        folded = normalise(word)
        return next((state for state, words in self.states.items() if folded in words), None)

    def is_footer(self, row_text: str) -> bool:
        """Whether a row of this text is a footer."""
        return any(re.match(pattern, row_text, re.IGNORECASE) for pattern in self.footers)

    @property
    def ranks(self) -> tuple[Rank, Rank]:
        """Whose word counts for order facts, and for tracking facts."""
        return Rank(self.rank_orders), Rank(self.rank_tracking)


class Formats(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table. `aliases` find the header row of any layout (facts/file-formats.md section 6)."""

    format: tuple[Format, ...]
    schema: int = 1
    aliases: Mapping[str, _Names] = {}
    currencies: Mapping[str, str] = {}
    countries: Mapping[str, _Names] = {}
    tax: Mapping[str, _Names] = {}

    def header_names(self) -> frozenset[str]:
        """Every alias of every format: what a header row is found by."""
        listed = {name for names in self.aliases.values() for name in names}
        return frozenset(listed.union(*(one.names() for one in self.format)))

    def by_id(self, wanted: str) -> Format | None:
        """The format of this id."""
        return next((one for one in self.format if one.id == wanted), None)


def load_formats(shipped: Path, own: Path | None = None) -> Formats:
    """The shipped table with the operator's own formats.toml over it: merged by `id`, `enabled = false` removes a format.

    Raises:
        FormatsError: with the key and what is wrong there.
    """
    try:
        layers = [read_layer(shipped, shipped=True), *([read_layer(own)] if own and own.is_file() else [])]
    except ConfigError as error:
        raise FormatsError(str(error)) from error
    section = Section("formats", layers)
    wrong = [str(problem) for problem in section.problems if problem.level == "error"]
    if wrong:
        raise FormatsError("; ".join(wrong))
    return build_formats(section.data)


def build_formats(table: Mapping[str, Any]) -> Formats:
    """Formats from parsed (and merged) TOML. Raises FormatsError."""
    try:
        raw = msgspec.convert(table, Formats)
    except msgspec.ValidationError as error:
        raise FormatsError(f"formats.toml: {error}") from error
    for one in raw.format:
        _check(one)
    return Formats(
        format=tuple(map(_folded, raw.format)),
        aliases=_fold_values(raw.aliases),
        currencies=dict(sorted(raw.currencies.items(), key=lambda pair: -len(pair[0]))),
        countries=_fold_values(raw.countries),
        tax=raw.tax,
    )


def _check(one: Format) -> None:
    if one.zone != STORES_ZONE:
        try:
            ZoneInfo(one.zone)
        except (KeyError, OSError, ValueError) as error:
            raise FormatsError(f"formats.toml: {one.id}: zone: {one.zone!r} is no time zone: an IANA name, or 'store'") from error
    for pattern in one.footers:
        try:
            re.compile(pattern)
        except re.error as error:
            raise FormatsError(f"formats.toml: {one.id}: footers: {pattern!r}: {error}") from error


def _folded(one: Format) -> Format:
    return msgspec.structs.replace(
        one,
        requires=tuple(map(_fold, one.requires)),
        columns=_fold_values(one.columns),
        known=_fold(one.known),
        states=_fold_values(one.states),
        platform_fulfilled=_fold(one.platform_fulfilled),
    )


def _fold_values(table: Mapping[_K, _Names]) -> dict[_K, _Names]:
    return {key: _fold(names) for key, names in table.items()}


def _fold(names: _Names) -> _Names:
    return tuple(map(normalise, names))
