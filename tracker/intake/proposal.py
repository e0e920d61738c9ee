"""A mapping for a layout that nobody knows: by words in the headers, in many languages, and by what the values look like.

It is proposed, never used unasked: what cannot be told (the order of day and month, an unknown status) is left open and said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher

import msgspec

from tracker.intake import guessing
from tracker.intake.cells import line
from tracker.intake.guessing import Column
from tracker.intake.headers import Header
from tracker.intake.money import money
from tracker.intake.profiles import STORES_ZONE, Field, Formats
from tracker.intake.sheets import Sheet
from tracker.model import OrderState
from tracker.rules import Rules

EXAMPLES = 3
_LIKELY = 0.6
"""Share of a column's values that must look like what its header says."""

_SURE_BY_VALUE = 0.8
_DATES = (
    *(Field.PAID_AT, Field.ORDERED_AT, Field.SHIPPED_AT, Field.PROMISED_AT, Field.RECEIVED_AT, Field.WINDOW_END),
    *(Field.SHIP_BY, Field.PROMISED_FROM, Field.CONFIRMED_AT),
)
_AMOUNTS = (Field.AMOUNT, Field.REFUNDED, Field.FREIGHT, Field.DECLARED_VALUE, Field.PRICE)
_NUMBERS = (Field.TRACKING, Field.LAST_MILE_NUMBER)
_OPEN = (Field.ORDER, Field.STATE, Field.COUNTRY, Field.CURRENCY, Field.SERVICE, *_DATES, *_AMOUNTS, *_NUMBERS)
"""What may be shown as it is; every other value may be somebody's name, address or telephone."""

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"\w+")
_SHOWN_WORDS = 12


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """One column: its header, how a profile names it, what it is taken for (None: not read), why, and masked examples."""

    name: str
    alias: str
    field: Field | None
    why: str
    examples: tuple[str, ...]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """The whole mapping. `missing` are sentences; `doubtful_dates` are the two ways to read the dates where both fit."""

    columns: tuple[Guess, ...]
    missing: tuple[str, ...]
    zone: str
    locale: str
    dates: tuple[str, ...] = ()
    doubtful_dates: tuple[tuple[str, ...], ...] = ()
    store: str | None = None
    states: Mapping[OrderState, tuple[str, ...]] = {}
    unknown_words: tuple[str, ...] = ()

    def mapped(self, *fields: Field) -> list[Guess]:
        """The columns of these meanings."""
        return [guess for guess in self.columns if guess.field in fields]


def propose(sheet: Sheet, at: int, formats: Formats, rules: Rules, store: str | None = None) -> Proposal:
    """A mapping for the table whose header is line `at` of the sheet; `store` is what the person named."""
    header = Header.of(sheet.lines[at].cells)
    columns = guessing.columns_of(header.cells, header.keys, (each.cells for each in sheet.lines[at + 1 :]))
    taken = _assigned(columns, formats)
    by_field = {field: column for column, (field, _) in taken.items()}
    dates, doubtful, month_locales, unread = _dates([by_field[field] for field in _DATES if field in by_field])
    locale, unclear = _locale([by_field[field] for field in _AMOUNTS if field in by_field], month_locales, formats)
    states, unknown = _states(by_field.get(Field.STATE), formats)
    chinese = any(_CHINESE.search(column.name) for column in columns)
    missing = (*_missing(by_field, rules, store), *unread, *unclear)
    if unknown:
        missing += (f"status words that no table knows (never read as shipped): {', '.join(unknown[:_SHOWN_WORDS])}",)
    return Proposal(
        columns=tuple(_guess(column, *taken.get(column, (None, ""))) for column in columns),
        missing=missing,
        zone="Asia/Shanghai" if chinese else STORES_ZONE,
        locale=locale,
        dates=dates,
        doubtful_dates=doubtful,
        store=store,
        states=states,
        unknown_words=unknown,
    )


def _assigned(columns: Sequence[Column], formats: Formats) -> dict[Column, tuple[Field, str]]:
    """Each column's best meaning, each meaning once: the strongest first."""
    vocabulary = _vocabulary(formats)
    scores = [
        (score, -column.at, field.value, column, field, why)
        for column in columns
        for field, (score, why) in _scores(column, vocabulary, formats).items()
        if score > 0
    ]
    taken: dict[Column, tuple[Field, str]] = {}
    given: set[Field] = set()
    for *_, column, field, why in sorted(scores, key=lambda each: each[:3], reverse=True):
        if column not in taken and field not in given:
            taken[column] = (field, why)
            given.add(field)
    if Field.ORDER not in given:
        free = [each for each in columns if each not in taken and _names_orders(each)]
        if len(free) == 1:
            taken[free[0]] = (Field.ORDER, "every value is different")
    return taken


def _names_orders(column: Column) -> bool:
    return column.distinct == 1 and len(column.values) > 1 and column.share(guessing.is_order_number) == 1


def _vocabulary(formats: Formats) -> dict[Field, frozenset[str]]:
    words: dict[Field, set[str]] = {field: set(map(_spaced, said)) for field, said in formats.words.items()}
    for one in formats.format:
        for field, names in one.columns.items():
            words.setdefault(field, set()).update(_spaced(name) for name in names if not re.search(r"[*]$|#\d$", name))
    return {field: frozenset(said) for field, said in words.items()}


def _spaced(name: str) -> str:
    return re.sub(r"[\s_\-]+", " ", name).strip()


def _scores(column: Column, vocabulary: Mapping[Field, frozenset[str]], formats: Formats) -> dict[Field, tuple[float, str]]:
    header = _spaced(re.sub(r"#\d+$", "", column.key))
    found: dict[Field, tuple[float, str]] = {}
    for field, words in vocabulary.items():
        score, word = _heard(header, words)
        if score and (fit := _fits(field, column, formats)) >= _LIKELY:
            found[field] = (score * fit, f"the header says {word!r}")
    for field, weight, looks_like, what in _BY_VALUE:
        if field not in found and column.share(lambda cell, test=looks_like: test(cell, formats)) >= _SURE_BY_VALUE:  # type: ignore[misc]
            found[field] = (weight, what)
    return found


def _heard(header: str, words: Iterable[str]) -> tuple[float, str]:
    """(how much of the header a word of the field is, the word): 1 for the whole of it."""
    best = (0.0, "")
    for word in words:
        if header == word:
            return 1.0, word
        inside = word in header if _CHINESE.search(word) else re.search(rf"(?<!\w){re.escape(word)}", header) is not None
        score = 0.5 + 0.45 * len(word) / len(header) if inside else 0.0
        if not score and min(len(word), len(header)) >= _LONG_ENOUGH and (like := _likeness(word, header)) >= _ALIKE:
            score = 0.6 * like
        best = max(best, (score, word))
    return best


_LONG_ENOUGH, _ALIKE = 5, 0.85


def _likeness(word: str, header: str) -> float:
    return SequenceMatcher(None, word, header).ratio()


def _fits(field: Field, column: Column, formats: Formats) -> float:
    """Whether the values agree with what the header says; an empty column does not contradict."""
    if not column.values:
        return 0.9
    if field in _DATES:
        return column.share(guessing.is_date)
    if field in _AMOUNTS:
        return column.share(lambda cell: guessing.is_money(cell, formats.currencies))
    if test := _TESTS.get(field):
        return test(column, formats)
    return 1 - max(column.share(guessing.is_date), column.share(guessing.is_mail))


_FEW = 8
_TESTS: Mapping[Field, Callable[[Column, Formats], float]] = {
    Field.ORDER: lambda column, _: column.share(guessing.is_order_number),
    Field.TRACKING: lambda column, _: column.share(guessing.is_tracking_number),
    Field.LAST_MILE_NUMBER: lambda column, _: column.share(guessing.is_tracking_number),
    Field.CARRIERS_NUMBER: lambda column, _: column.share(guessing.is_tracking_number),
    Field.FORWARDERS_NUMBER: lambda column, _: column.share(guessing.is_tracking_number),
    Field.COUNTRY: lambda column, formats: column.share(lambda cell: guessing.is_country(cell, formats.countries)),
    Field.COUNTRY_CODE: lambda column, formats: column.share(lambda cell: guessing.is_country(cell, formats.countries)),
    Field.CURRENCY: lambda column, _: column.share(guessing.is_currency),
    Field.CITY: lambda column, formats: 1 - column.share(lambda cell: guessing.is_country(cell, formats.countries)),
    Field.EMAIL: lambda column, _: column.share(guessing.is_mail),
    Field.STATE: lambda column, _: float(column.distinct <= 0.5 or len(column.values) <= _FEW),  # noqa: PLR2004 - words repeat
}

_BY_VALUE: Sequence[tuple[Field, float, Callable[..., bool], str]] = (
    (Field.EMAIL, 0.40, lambda cell, _: guessing.is_mail(cell), "its values are e-mail addresses"),
    (Field.TRACKING, 0.45, lambda cell, _: guessing.is_known_tracking_number(cell), "its values are tracking numbers"),
    (Field.COUNTRY, 0.35, lambda cell, formats: guessing.is_country(cell, formats.countries), "its values are countries"),
    (Field.CURRENCY, 0.40, lambda cell, _: guessing.is_currency(cell), "its values are currencies"),
)


def _dates(columns: Sequence[Column]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], list[str], tuple[str, ...]]:
    """(forms, the two ways where day and month cannot be told apart, languages of months' names, what is missing)."""
    values = [value for column in columns for value in column.values]
    families = guessing.families_of(values)
    orders: dict[str, guessing.Family] = {}
    for family in families:
        orders.setdefault(family.order, family)
    if len(orders) > 1:
        ways = tuple(family.forms for family in orders.values())
        return (), ways, [], (f"the order of day and month in {line(values[0])!r}: choose one of the two `dates` in the profile",)
    if families:
        locales = [family.locale for family in families] if "month by name" in orders else []
        return families[0].forms, (), locales, ()
    if all(guessing.families_of([value]) == [] for value in values):
        return (), (), [], ()
    return (), (), [], ("a form in which all the dates are written: name them in `dates` of the profile",)


def _locale(columns: Sequence[Column], months: Sequence[str], formats: Formats) -> tuple[str, tuple[str, ...]]:
    """How amounts and months' names are written, and what is missing where amounts can be read in two ways."""
    values = [value for column in columns for value in column.values if isinstance(value, str)]
    notations = guessing.money_locales(values, formats.currencies)
    chosen = next((each for each in notations if not months or each in months), next(iter([*months, *notations]), "en_US"))
    readings = [[money(value, each, formats.currencies) for each in notations] for value in values]
    doubtful = next((value for value, read in zip(values, readings, strict=True) if any(each != read[0] for each in read)), None)
    if doubtful is None or not notations:
        return chosen, ()
    return chosen, (f"whether {line(doubtful)!r} has decimals: `locale` in the profile says how amounts are written",)


def _states(column: Column | None, formats: Formats) -> tuple[dict[OrderState, tuple[str, ...]], tuple[str, ...]]:
    """What the status words mean in the tables of the known layouts, and those that stand in none."""
    known: dict[OrderState, list[str]] = {}
    unknown = []
    for word in dict.fromkeys(map(line, column.values if column else ())):
        state = next((found for one in reversed(formats.format) if (found := one.state(word)) is not None), None)
        if state is None:
            unknown.append(word)
        else:
            known.setdefault(state, []).append(word)
    return {state: tuple(words) for state, words in known.items()}, tuple(unknown)


def _missing(found: Mapping[Field, Column], rules: Rules, store: str | None) -> tuple[str, ...]:
    told = []
    if not found.keys() & {Field.ORDER, *_NUMBERS}:
        told.append("a column of order numbers or of tracking numbers: without either no row can be taken")
    elif Field.ORDER not in found:
        told.append("the order's number: parcels join their orders by the tracking number")
    elif not found.keys() & set(_NUMBERS):
        told.append("the tracking number: it has to come from another file")
    if Field.COUNTRY not in found and Field.COUNTRY_CODE not in found:
        told.append("the destination: `default_country` of the store stands in for it")
    if not found.keys() & set(_DATES):
        told.append("a date: without one the days are counted from the first scan")
    if Field.AMOUNT in found and Field.CURRENCY not in found:
        told.append("the currency, where the amounts do not say it: the one of the store is taken")
    if Field.ORDER in found and Field.STORE not in found and store is None and len(rules.stores) > 1:
        told.append(f'which store it is: write store = "…" into the profile, one of {", ".join(sorted(rules.stores))}')
    return tuple(told)


def _guess(column: Column, field: Field | None, why: str) -> Guess:
    number = re.search(r"#\d+$", column.key)
    values = dict.fromkeys(map(line, column.values))
    return Guess(
        name=column.name,
        alias=column.name + (number[0] if number else ""),
        field=field,
        why=why,
        examples=tuple(value if field in _OPEN else masked(value) for value in list(values)[:EXAMPLES]),
    )


def masked(value: str) -> str:
    """Enough to recognise a value by for whoever has the file, nothing for anybody else: `A… S…`, `a…@s…`, `…89`."""
    return _WORD.sub(lambda word: f"…{word[0][-2:]}" if word[0].isdecimal() else f"{word[0][0]}…", value)[:40]
