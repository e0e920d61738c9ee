"""Formats as data: what config/formats.toml holds, with its names normalised by the same function as the headers of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from tracker.intake.headers import matches, normalise
from tracker.model import OrderState, Rank

STORES_ZONE = "store"
_Names = tuple[str, ...]
_LONGEST_WORD = 40
_PERSONAL = re.compile(r"\S*(?:@|\d{3,}|[*•]{2,})\S*")
_K = TypeVar("_K")


class Field(StrEnum):
    """What a column can mean. `tracked` holds lines `logistics name:number`; the numbers of a forwarder are one parcel's.

    `record` is the number that holds the rows of an order together where the order's own number may be missing;
    `cancelled_at` closes the order by being filled; `amount_plus` and `amount_minus` belong to the order's price, each column of
    them; `price` is that of one piece.
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
    PAYMENT = "payment"
    SHIP_BY = "ship_by"
    PROMISED_FROM = "promised_from"
    CONFIRMED_AT = "confirmed_at"
    PHONE = "phone"
    ADDRESS = "address"
    CITY = "city"
    POSTCODE = "postcode"
    SKU = "sku"
    TITLE = "title"
    QUANTITY = "quantity"
    PRICE = "price"


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


class Formats(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table. `aliases` and `words` find the header row of any layout (facts/file-formats.md section 6).

    `proposed` are layouts that nobody has agreed to yet: they are used where a person names them, and for nothing else.
    `words` name what a column may mean in many languages; `propose` reads them.
    """

    format: tuple[Format, ...]
    proposed: tuple[Format, ...] = ()
    aliases: Mapping[str, _Names] = {}
    words: Mapping[Field, _Names] = {}
    currencies: Mapping[str, str] = {}
    countries: Mapping[str, _Names] = {}
    tax: Mapping[str, _Names] = {}
    payments: Mapping[str, _Names] = {}
    """Our word for a way to pay -> how files call it, normalised; `name*` means every one that begins so (R15, R32)."""
    postcodes: Mapping[str, str] = {}
    """Country -> regular expression of its postal codes, without spaces and hyphens (R46)."""

    def payment(self, said: str) -> str:
        """The word for a way to pay; one that nobody knows stays as it is written, normalised, without addresses and numbers.

        Some shops write the buyer's account or the end of his card beside it: that is nobody's business here.
        """
        return self.known_payment(said) or " ".join(_PERSONAL.sub(" ", normalise(said)).split())[:_LONGEST_WORD]

    def known_payment(self, said: str) -> str | None:
        """Our word for a way to pay, also for that word itself; None where nobody knows it."""
        plain = normalise(said)
        return next(
            (word for word, names in self.payments.items() if word.replace("_", " ") == plain or _means(names, said)), None
        )

    def header_names(self) -> frozenset[str]:
        """Every alias of every format: what a header row is found by."""
        listed = {name for names in self.aliases.values() for name in names}
        return frozenset(listed.union(*(one.names() for one in (*self.format, *self.proposed))))

    def by_id(self, wanted: str) -> Format | None:
        """The format of this id, the proposed ones too."""
        return next((one for one in (*self.format, *self.proposed) if one.id == wanted), None)


def folded(one: Format) -> Format:
    """The format with all its names normalised as the headers of files are."""
    return msgspec.structs.replace(
        one,
        requires=tuple(map(fold, one.requires)),
        columns=fold_values(one.columns),
        known=fold(one.known),
        states=fold_values(one.states),
        not_states=fold(one.not_states),
        platform_fulfilled=fold(one.platform_fulfilled),
    )


def _means(words: _Names, said: str) -> bool:
    folded = normalise(said)
    return any(matches(word, folded) for word in words)


def fold_values(table: Mapping[_K, _Names]) -> dict[_K, _Names]:
    """A table of names, normalised."""
    return {key: fold(names) for key, names in table.items()}


def fold(names: _Names) -> _Names:
    """Names, normalised."""
    return tuple(map(normalise, names))
