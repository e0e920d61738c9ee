"""Fill the blanks of a text: sandboxed Jinja2, dates and amounts written by Babel in the language of the text.

A text is a file: comments, a first line `subject: …`, an empty line, the body. Every blank it names has to be filled: an empty
one blocks the text and is named in the error, it never prints as nothing (facts/messages.md section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import format_currency, format_decimal
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from tracker.messages.catalogue import VARIABLES
from tracker.messages.clean import clean, shorten

Value = str | int | Decimal | date

_SUBJECT = "subject:"
_SHORTEST_EVENT = 12
_LANGUAGE = "_language"
_NEVER_ROUND = 1e6


class RenderError(Exception):
    """A text that cannot be sent: what is wrong, in a sentence for the person who gets the task. `missing` names empty blanks."""

    def __init__(self, message: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A finished text. `known` holds the filled blanks as they stand in it: the lint masks numbers and dates with them."""

    subject: str
    body: str
    language: str
    known: Mapping[str, str]

    @property
    def text(self) -> str:
        """All of it, as the lint reads it."""
        return f"{self.subject}\n\n{self.body}"


@pass_context
def _days(context: Context, count: int) -> str:
    """`{{ extra_days | days }}`: "1 day", "15 dias". The threshold keeps Babel from rounding 45 days to "2 months"."""
    span = timedelta(days=count)
    return format_timedelta(span, granularity="day", threshold=_NEVER_ROUND, locale=_locale(str(context[_LANGUAGE])))


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    environment.globals.clear()
    environment.filters["days"] = _days
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=1024)
def _compile(source: str) -> Template:
    """Its syntax was read before: `_names` tells errors with their line."""
    return _ENVIRONMENT.from_string(source)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=1024)
def _names(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """All names a text uses, and those it only asks about (`{% if url %}`), which may be empty."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise RenderError(f"line {error.lineno}: {error.message}") from error
    asked = {name.name for test in tree.find_all(nodes.If) for name in _test_names(test)}
    return frozenset(meta.find_undeclared_variables(tree)), frozenset(asked)


def _test_names(test: nodes.If) -> list[nodes.Name]:
    return [test.test] if isinstance(test.test, nodes.Name) else list(test.test.find_all(nodes.Name))


def required(source: str) -> frozenset[str]:
    """The blanks that must be filled before this text can go out. Raises RenderError on a syntax error, with its line."""
    used, asked = _names(source)
    return used - asked


def undeclared(source: str) -> frozenset[str]:
    """Names in the text that no message of the product fills: misspelt, most likely. Raises RenderError on a syntax error."""
    used, _ = _names(source)
    return used - VARIABLES


def render(source: str, values: Mapping[str, Value], language: str, *, limit: int | None = None) -> Rendered:
    """The finished text, in at most `limit` characters of body (the last event is shortened first). Raises RenderError."""
    used, _ = _names(source)
    filled = _fill({name: value for name, value in values.items() if name in used}, values.get("currency"), language)
    missing = tuple(sorted(name for name in required(source) if filled.get(name) in {None, ""}))
    if missing:
        raise RenderError(f"nothing to fill in for {', '.join(missing)}", missing)
    rendered = _render(source, filled, language)
    surplus = len(rendered.body) - limit if limit else 0
    if surplus <= 0:
        return rendered
    event = str(filled.get("last_event", ""))
    if event not in rendered.body or len(event) - surplus < _SHORTEST_EVENT:
        raise RenderError(f"the text has {len(rendered.body)} characters, {limit} are allowed")
    return _render(source, {**filled, "last_event": shorten(event, len(event) - surplus)}, language)


def _render(source: str, filled: Mapping[str, str | int | None], language: str) -> Rendered:
    template = _compile(source)
    try:
        text = template.render({name: filled.get(name) for name in VARIABLES} | {_LANGUAGE: language})
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise RenderError(f"the text cannot be filled in: {error}") from error
    head, _, body = text.strip().partition("\n")
    if not head.lower().startswith(_SUBJECT):
        raise RenderError("the first line has to be `subject: …`")
    known = {name: str(value) for name, value in filled.items() if value not in {None, ""}}
    return Rendered(subject=head[len(_SUBJECT) :].strip(), body=body.strip() + "\n", language=language, known=known)


def _fill(values: Mapping[str, Value], currency: Value | None, language: str) -> dict[str, str | int | None]:
    return {name: _write(name, value, language, str(currency) if currency else None) for name, value in values.items()}


def _write(name: str, value: Value, language: str, currency: str | None) -> str | int:
    """Dates written out (no 03/04), amounts in the buyer's number format with the digits of their currency."""
    if isinstance(value, str):
        return clean(name, value)
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        if currency is None:
            return format_decimal(value, locale=_locale(language))
        return format_currency(value, currency, format="#,##0.00", locale=_locale(language))
    return format_date(value, format="long", locale=_locale(language))
