"""What a value of the configuration may be, in words, from the type that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tracker.config import shape, shape_team

_NAMED: tuple[tuple[Any, str], ...] = (
    (shape.Zone, "an IANA time zone"),
    (shape.Regex, "a regular expression"),
    (shape.Reference, '"file:…", "env:…" or "credential:…"'),
    (shape.Country, 'a country: two capital letters, or "*"'),
    (shape.Currency, "a currency: three capital letters"),
    (shape_team.YearMonth, 'a month, as "2026-11"'),
    (shape_team.Hours, 'hours, as "09:00-18:00"'),
    (shape_team.Address, '"mail:…" or "apprise:…"'),
)
_PLAIN = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    date: "a day, as 2026-10-01",
    time: 'a time of day, as "08:30"',
    Any: "anything",
}


def hints(model: type[BaseModel]) -> Mapping[str, Any]:
    """The types of a shape's keys, by the key as it stands in the file."""
    found = get_type_hints(model, include_extras=True)
    return {field.alias or name: found[name] for name, field in model.model_fields.items()}


def nested(hint: Any) -> type[BaseModel] | None:
    """The shape of a table, or of the entries of an array of tables; None for a plain value."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for each in get_args(hint) if (found := nested(each)) is not None), None)


def in_words(hint: Any) -> str:
    """`Annotated[int, Field(ge=1, le=64)]` -> `1 to 64`."""
    named = next((words for known, words in _NAMED if hint == known), None)
    if named is not None:
        return named
    origin, inner = get_origin(hint), [each for each in get_args(hint) if each not in {type(None), ...}]
    if origin is Annotated:
        return _bounded(inner[0], [each for each in inner[1:] if isinstance(each, FieldInfo)])
    if (table := nested(hint)) is not None:
        listed = ", ".join(f"`{key}` {in_words(each)}" for key, each in hints(table).items())
        return f"{'a list of tables' if origin is tuple else 'a table'}: {listed}"
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return " | ".join(f"`{each}`" for each in inner or hint)
    if origin in {tuple, frozenset}:
        return f"a list: {in_words(inner[0])}"
    if origin is Mapping:
        return f"a table: name = {in_words(inner[1])}"
    return in_words(inner[0]) if inner else _PLAIN.get(hint, "a decimal, in quotes")


def _bounded(hint: Any, fields: list[FieldInfo]) -> str:
    limits: dict[str, Any] = {}
    for each in (limit for field in fields for limit in field.metadata):
        limits |= {name: getattr(each, name) for name in ("gt", "ge", "le", "pattern") if getattr(each, name, None) is not None}
    if "le" in limits and "ge" in limits:
        return f"{limits['ge']} to {limits['le']}"
    if "le" in limits:
        return f"more than {limits['gt']}, at most {limits['le']}"
    if "ge" in limits:
        return f"{limits['ge']} or more"
    return f"text like `{limits['pattern']}`" if "pattern" in limits else in_words(hint)
