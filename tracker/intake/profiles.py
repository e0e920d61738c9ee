"""Formats as data: config/formats.toml read into structs, aliases normalised by the same function as the headers of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, UnknownLocaleError

from tracker.config.layers import read_layer
from tracker.config.merge import Section
from tracker.config.problem import ConfigError
from tracker.intake.errors import FormatsError
from tracker.intake.headers import matches, normalise
from tracker.model import OrderState, Rank

STORES_ZONE = "store"
_Names = tuple[str, ...]
_K = TypeVar("_K")


class Field(StrEnum):
    """What a column can mean. `tracked` holds lines `logistics name:number`; the numbers of a forwarder are one parcel's.

    `record` is the number that holds the rows of an order together where the order's own number may be missing;
    `cancelled_at` closes the order by being filled; `amount_plus` and `amount_minus` belong to the price, each column of them.
    """

    ORDER = "order"
    RECORD = "record"
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
    AMOUNT_PLUS = "amount_plus"
    AMOUNT_MINUS = "amount_minus"
    CURRENCY = "currency"
    REFUNDED = "refunded"
    ORDERED_AT = "ordered_at"
    PAID_AT = "paid_at"
    SHIPPED_AT = "shipped_at"
    PROMISED_AT = "promised_at"
    CANCELLED_AT = "cancelled_at"
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
    A form with `%b` takes a month's name in any length of the `locale`; one without a year takes the year of the sale.
    `requires` are groups of names: one of each group must be there. `known` headers belong to the format and are not read.
    `seller` finds the store's name in a footer; `per_item` adds up the amounts of an order's rows; `not_states` are words of the
    status column that are no status; `parcels_only` keeps the parcels where nobody can say which store their order is of;
    `refused` is why a file of this layout is no order file.
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
    not_states: _Names = ()
    footers: _Names = ()
    seller: str | None = None
    platform_fulfilled: _Names = ()
    per_item: bool = False
    parcels_only: bool = False
    refused: str | None = None

    def names(self) -> set[str]:
        """Every header that belongs to this format."""
        return {*self.known, *(name for names in self.columns.values() for name in names)}

    def state(self, word: str) -> OrderState | None:
        """What a status word means here; None for a word nobody has seen."""
        return next((state for state, words in self.states.items() if _means(words, word)), None)

    def is_no_state(self, word: str) -> bool:
        """Whether a word of the status column says nothing about the order (a package's summary row)."""
        return _means(self.not_states, word)

    def is_footer(self, row_text: str) -> bool:
        """Whether a row of this text is a footer."""
        return (
            any(re.match(pattern, row_text, re.IGNORECASE) for pattern in self.footers) or self.store_said(row_text) is not None
        )

    def store_said(self, row_text: str) -> str | None:
        """The store's name in a footer; None for every other row."""
        found = re.match(self.seller, row_text, re.IGNORECASE) if self.seller else None
        return found[1].strip() if found else None

    @property
    def yearless(self) -> bool:
        """Whether a date may stand there without its year."""
        return any("%y" not in form.casefold() for form in self.dates)

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
    for key, pattern in (*(("footers", each) for each in one.footers), ("seller", one.seller)):
        try:
            groups = re.compile(pattern).groups if pattern is not None else 1
        except re.error as error:
            raise FormatsError(f"formats.toml: {one.id}: {key}: {pattern!r}: {error}") from error
        if key == "seller" and groups != 1:
            raise FormatsError(f"formats.toml: {one.id}: seller: {pattern!r}: one group, the store's name, must stand in it")
    try:
        Locale.parse(one.locale)
    except (UnknownLocaleError, ValueError) as error:
        raise FormatsError(f"formats.toml: {one.id}: locale: {one.locale!r} is not known: write one like en_US") from error


def _folded(one: Format) -> Format:
    return msgspec.structs.replace(
        one,
        requires=tuple(map(_fold, one.requires)),
        columns=_fold_values(one.columns),
        known=_fold(one.known),
        states=_fold_values(one.states),
        not_states=_fold(one.not_states),
        platform_fulfilled=_fold(one.platform_fulfilled),
    )


def _means(words: _Names, said: str) -> bool:
    folded = normalise(said)
    return any(matches(word, folded) for word in words)


def _fold_values(table: Mapping[_K, _Names]) -> dict[_K, _Names]:
    return {key: _fold(names) for key, names in table.items()}


def _fold(names: _Names) -> _Names:
    return tuple(map(normalise, names))
