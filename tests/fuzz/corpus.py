"""What the mutations start from: the bodies of all own samples, the words in them, and the slices that adapters cut from them."""

from __future__ import annotations

import json
from functools import cache

import msgspec

from carriers import registry
from carriers.base import Response
from carriers.errors import CarrierError
from tests.carriers import cases


class Corpus(msgspec.Struct, frozen=True):
    """One adapter's samples: their answers, the numbers they name, the slices of them, and every scalar that stands in them."""

    responses: tuple[Response, ...]
    numbers: tuple[str, ...]
    slices: tuple[bytes, ...]
    words: tuple[str, ...]
    keys: tuple[str, ...]


def names() -> tuple[str, ...]:
    """The adapters, in the order of the registry."""
    return registry.names()


@cache
def of(name: str) -> Corpus:
    """The corpus of one adapter."""
    samples = [sample for sample in cases.own(name) if sample.response.body]
    slices: dict[bytes, None] = {}
    for sample in samples:
        try:
            cut = registry.get(name).split(sample.response, ())
        except CarrierError:
            continue
        slices |= {each: None for each in cut.values() if isinstance(each, bytes)}
    words: dict[str, None] = {}
    keys: dict[str, None] = {}
    for sample in samples:
        _gather(sample.response.body, words, keys)
    numbers = dict.fromkeys(number for sample in samples for number in sample.numbers)
    return Corpus(tuple(sample.response for sample in samples), tuple(numbers), tuple(slices), tuple(words), tuple(keys))


def _gather(body: bytes, words: dict[str, None], keys: dict[str, None]) -> None:
    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        keys.update(dict.fromkeys(key for key, _ in found))
        words.update(dict.fromkeys(value for _, value in found if isinstance(value, str)))
        return dict(found)

    try:
        json.loads(body, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return
