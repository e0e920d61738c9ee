"""Fill the blanks of a text: sandboxed Jinja2, dates and amounts written by Babel in the language of the text.

A text is a file: comments, a first line `subject: …`, an empty line, the body. Every blank it names has to be filled: an empty
one blocks the text and is named in the error, it never prints as nothing (facts/messages.md section 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from tracker.messages.catalogue import VARIABLES
from tracker.messages.clean import shorten
from tracker.messages.written import Value, days, write

_SUBJECT = "subject:"
_SHORTEST_EVENT = 12
_LANGUAGE = "_language"
_WORDS = "_words"
_NO_WORDS: Mapping[str, str] = MappingProxyType({})
_ALWAYS_KNOWN = frozenset({"tracking", "order", "store"})
"""They may be part of another value (a typed correction, the signature): there they are no phone number to the lint."""

_GAP = "[… {name} …]"


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
    """`{{ extra_days | days }}`: "1 day", "15 dias", "3 дня"."""
    return days(count, str(context[_LANGUAGE]), context[_WORDS])


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    environment.globals.clear()
    environment.filters["days"] = _days
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=1024)
def _compile(source: str) -> Template:
    """Its syntax was read before: `_names` tells errors with their line."""
    return _ENVIRONMENT.from_string(_parse(source))


@lru_cache(maxsize=1024)
def _names(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """All names a text uses, and those it only asks about (`{% if url %}`), which may be empty."""
    tree = _parse(source)
    asked = {name.name for test in tree.find_all(nodes.If) for name in _test_names(test)}
    return frozenset(meta.find_undeclared_variables(tree)), frozenset(asked)


@lru_cache(maxsize=256)
def _parse(source: str) -> nodes.Template:
    """Once for the blanks, the filters and the program: parsing is what a text costs. Raises RenderError."""
    try:
        return _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise RenderError(f"line {error.lineno}: {error.message}") from error


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


def counts_days(source: str) -> bool:
    """Whether the text writes a number of days, and so needs the plural forms of its language. Raises RenderError."""
    return any(each.name == "days" for each in _parse(source).find_all(nodes.Filter))


def render(
    source: str, values: Mapping[str, Value], language: str, *, words: Mapping[str, str] = _NO_WORDS, limit: int | None = None
) -> Rendered:
    """The finished text, in at most `limit` characters of body (the last event is shortened first). Raises RenderError.

    `words` are those of the language (words.toml): plural forms, the pattern of a date.
    """
    filled = _fill(source, values, language, words)
    missing = tuple(sorted(name for name in required(source) if filled.get(name) in {None, ""}))
    if missing:
        raise RenderError(f"nothing to fill in for {', '.join(missing)}", missing)
    rendered = _render(source, filled, language, words)
    surplus = len(rendered.body) - limit if limit else 0
    if surplus <= 0:
        return rendered
    event = str(filled.get("last_event", ""))
    if event not in rendered.body or len(event) - surplus < _SHORTEST_EVENT:
        raise RenderError(f"the text has {len(rendered.body)} characters, {limit} are allowed")
    return _render(source, {**filled, "last_event": shorten(event, len(event) - surplus)}, language, words)


def draft(
    source: str, values: Mapping[str, Value], language: str, missing: Iterable[str], *, words: Mapping[str, str] = _NO_WORDS
) -> Rendered:
    """The text for a person, with a visible gap where nothing is known: he fills it in before he pastes it."""
    gaps = {name: _GAP.replace("{name}", name) for name in missing}
    return _render(source, {**_fill(source, values, language, words), **gaps}, language, words)


def written(values: Mapping[str, Value], language: str, words: Mapping[str, str] = _NO_WORDS) -> dict[str, str]:
    """Every fact as a text of this language writes it, by the name of its blank."""
    currency = str(values["currency"]) if values.get("currency") else None
    return {name: str(write(name, value, language, currency, words)) for name, value in values.items()}


def _render(source: str, filled: Mapping[str, str | int | None], language: str, words: Mapping[str, str]) -> Rendered:
    template = _compile(source)
    try:
        text = template.render({name: filled.get(name) for name in VARIABLES} | {_LANGUAGE: language, _WORDS: words})
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise RenderError(f"the text cannot be filled in: {error}") from error
    head, _, body = text.strip().partition("\n")
    if not head.lower().startswith(_SUBJECT):
        raise RenderError("the first line has to be `subject: …`")
    known = {name: str(value) for name, value in filled.items() if value not in {None, ""}}
    return Rendered(subject=head[len(_SUBJECT) :].strip(), body=body.strip() + "\n", language=language, known=known)


def _fill(source: str, values: Mapping[str, Value], language: str, words: Mapping[str, str]) -> dict[str, str | int | None]:
    """The blanks that the text uses, as they are written in its language."""
    used = _names(source)[0] | _ALWAYS_KNOWN
    currency = str(values["currency"]) if values.get("currency") else None
    return {name: write(name, value, language, currency, words) for name, value in values.items() if name in used}
