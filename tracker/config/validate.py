"""From merged data to a checked shape: pydantic finds what is wrong, this says it in the operators' words, all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from tracker.config.merge import Merged, Section
from tracker.config.problem import Problem, meant

ShapeT = TypeVar("ShapeT", bound=BaseModel)
ErrorDetails = Mapping[str, Any]
"""What pydantic tells about one error: loc, type, input, msg, ctx."""

_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "decimal_type": "has to be a number",
    "decimal_parsing": "has to be a number",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "string_type": "has to be text in quotes",
    "tuple_type": "has to be a list [...]",
    "list_type": "has to be a list [...]",
    "frozen_set_type": "has to be a list [...]",
    "dict_type": "has to be a table",
    "mapping_type": "has to be a table",
    "date_type": "has to be a date without quotes, for instance 2026-09-10",
    "date_parsing": "has to be a date without quotes, for instance 2026-09-10",
    "date_from_datetime_parsing": "has to be a date without quotes, for instance 2026-09-10",
    "date_from_datetime_inexact": "has to be a date without a time, for instance 2026-09-10",
    "model_type": "has to be a table",
    "model_attributes_type": "has to be a table",
}
_SALVAGE_ROUNDS = 3
"""A table that lost a wrong key may lack a needed one, and then goes as a whole."""

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def validate(shape: type[ShapeT], section: Section, problems: list[Problem]) -> ShapeT | None:
    """The section in its shape; None when it has none, with every reason in `problems`."""
    problems.extend(section.problems)
    try:
        return shape.model_validate(section.data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems.extend(_problem(shape, section, each) for each in found if not _echo(each, found))
        return None


def salvage(shape: type[ShapeT], section: Section, shipped: Mapping[str, Any]) -> ShapeT | None:
    """The section with what is shipped in the place of its wrong values, for checking the rest; never for running on it."""
    data = deepcopy(section.data)
    for _ in range(_SALVAGE_ROUNDS):
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            wrong = {_to_mend(each) for each in error.errors(include_url=False)}
            if () in wrong:
                return None
            # From behind: taking one entry out of a list moves those after it.
            for path in sorted(wrong, key=lambda path: [(isinstance(step, str), step) for step in path], reverse=True):
                _mend(data, shipped, path)
    return None


def _to_mend(error: ErrorDetails) -> tuple[int | str, ...]:
    """The wrong key; of a missing one the table that lacks it."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    return path[:-1] if error["type"] == "missing" else path


def _mend(data: object, shipped: object, path: tuple[int | str, ...]) -> None:
    for step in path[:-1]:
        data, shipped = _inside(data, step), _like(data, shipped, step)
    last = path[-1]
    if isinstance(data, dict):
        data.pop(last, None)
        if isinstance(shipped, dict) and last in shipped:
            data[last] = deepcopy(shipped[last])
    elif isinstance(data, list) and isinstance(last, int) and last < len(data):
        del data[last]


def _inside(data: object, step: int | str) -> object:
    if isinstance(data, dict):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _like(data: object, shipped: object, step: int | str) -> object:
    """The shipped value in the same place; an entry of a list is found by its id."""
    if isinstance(shipped, list):
        entry = _inside(data, step)
        name = entry.get("id") if isinstance(entry, dict) else None
        return next((each for each in shipped if isinstance(each, dict) and each.get("id") == name), None)
    return shipped.get(step) if isinstance(shipped, dict) else None


def _echo(error: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """A list whose entries are all wrong is called too short as well: once is enough."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(each["loc"][: len(loc)] == loc and len(each["loc"]) > len(loc) for each in found)


def _problem(shape: type[BaseModel], section: Section, error: ErrorDetails) -> Problem:
    path = _merged(section.data, error["loc"])
    if error["type"] == "extra_forbidden":
        return section.problem(path, "unknown key" + meant(path[-1], _fields(shape, error["loc"][:-1])))
    return section.problem(path, _message(error))


def _message(error: ErrorDetails) -> str:
    kind, got, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return _WORDS[kind]
    if kind in {"literal_error", "enum"}:
        return "is not one of its values" + meant(
            str(got), str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
        )
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"has to be {words} {context[name]}{_got(got)}"
    if kind == "tuple_type" and isinstance(got, dict) and len(error["loc"]) == 1:
        return f"has to be a list of tables: write [[{error['loc'][0]}]] (got a table)"
    if kind == "value_error":
        return str(context["error"])
    return _WORDS.get(kind, error["msg"]) + _got(got)


def _got(value: object) -> str:
    if isinstance(value, str):
        return f' (got "{value}")'
    if isinstance(value, bool):
        return f" (got {str(value).lower()})"
    return f" (got {value})" if isinstance(value, int | float | Decimal) else f" (got a {_TOML_NAMES.get(type(value), 'value')})"


_TOML_NAMES: Mapping[type, str] = {dict: "table", list: "list"}


def _merged(data: object, loc: tuple[int | str, ...]) -> Merged:
    """The loc of pydantic with ids instead of indices, as the origins know them. Its own marks (`[key]`) are left out."""
    path: list[str] = []
    for step in loc:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and step < len(data) else None
            path.append(data["id"] if isinstance(data, dict) and "id" in data else str(step))
        elif step != "[key]":
            data = data.get(step) if isinstance(data, dict) else None
            path.append(step)
    return tuple(path)


def _fields(shape: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """The keys that the table at `loc` may have."""
    inner: Any = shape
    for step in loc:
        if isinstance(step, str) and isinstance(inner, type) and issubclass(inner, BaseModel):
            field = _field(inner, step)
            inner = _model_in(field) if field is not None else None
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        return set()
    return {field.alias or name for name, field in inner.model_fields.items()}


def _field(shape: type[BaseModel], name: str) -> object:
    return next((field.annotation for key, field in shape.model_fields.items() if name in {key, field.alias}), None)


def _model_in(annotation: object) -> object:
    """The shape inside `tuple[Shape, ...]`, `Shape | None`, `Mapping[str, Shape]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each)) is not None), None)
