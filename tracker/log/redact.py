"""What never reaches a log line: secrets by key and by value, e-mail addresses, Brazilian tax numbers (faults 26, 27)."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from stdnum.br import cpf

HIDDEN = "[redacted]"

_SECRET_KEY = re.compile(r"secret|token|passw(or)?d|api_?key|authori[sz]ation|cookie|credential", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}(@[\w-]+\.[\w.-]+)")
"""Bounded at both ends: an open one needs quadratic time on a long field."""
_CPF_WRITTEN = re.compile(r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b")
_CPF_BARE = re.compile(r"\b\d{11}\b")
_IDENTIFIERS = frozenset({"event", "file", "key", "order", "sample", "shipment", "source", "store", "time"})
"""Fields that name things: eleven digits there are an order or a parcel, not a person."""

_secrets: set[str] = set()


def register_secret(value: str) -> None:
    """Remember a secret's value, so that no line can contain it. Short ones would blank out ordinary words."""
    if len(value) >= 6:  # noqa: PLR2004 -- an honest key is longer
        _secrets.add(value)


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    """By its name. The fields of our lines are few, and the same again and again."""
    return _SECRET_KEY.search(key) is not None


def redact(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: mask every field of a line, the traceback's text included."""
    for key, value in line.items():
        line[key] = HIDDEN if _is_secret(key) else _clean(value, personal=key not in _IDENTIFIERS)
    return line


def masked(text: str) -> str:
    """A text without addresses, tax numbers and secrets, for what is kept longer than the people in it may be named."""
    return _mask(text, personal=True)


def _clean(value: Any, *, personal: bool) -> Any:  # noqa: ANN401 -- log fields are of any type
    if isinstance(value, str):
        return _mask(value, personal=personal)
    if isinstance(value, Mapping):
        return {k: HIDDEN if _is_secret(str(k)) else _clean(v, personal=personal) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, personal=personal) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _mask(str(value), personal=personal)


def _mask(text: str, *, personal: bool) -> str:
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    text = _EMAIL.sub(r"***\1", text)
    text = _CPF_WRITTEN.sub("***", text)
    if personal:
        text = _CPF_BARE.sub(lambda found: "***" if cpf.is_valid(found[0]) else found[0], text)
    return text
