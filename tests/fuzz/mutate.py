"""Mutations of a recorded body: of its bytes, of its JSON values, of its XML elements, of the files in a workbook."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any
from xml.etree.ElementTree import Element, tostring

from defusedxml.ElementTree import fromstring

from tests.fuzz.corpus import Corpus

WEIRD: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 1.5, 1e308, float("nan"), 2**31, 2**63, -(2**70), 10**30, 1_775_000_000, 1_775_000_000_000,
    "", " ", "0", "00", "-1", "null", "true", "\0", "\ud800", "\u202e", "𝒳", "ß" * 30, "A" * 5000, "1" * 400, "1e999", "NaN", "²",
    "0001-01-01T00:00:00", "9999-12-31T23:59:59+00:00", "2026-02-30T25:61:61Z", "2026-04-01", "20260401", "01.04.2026 10:00",
    "2026-04-01T10:00:00+99:99", "2026-04-01T10:00:00", "10:00", "+25:00", "GMT+99", "-00:00", "EST", "Asia/Nowhere", "../../etc",
    [], {}, [[]], [None], [{}], {"": ""}, [{"a": 1}] * 3,
)  # fmt: skip
"""Values that a field may turn into: wrong types, ends of ranges, times that are none."""


def weird(rng: Random) -> Any:
    """One of them, for the caller alone."""
    return deepcopy(rng.choice(WEIRD))


EDITS = (1, 1, 1, 1, 2, 2, 3, 6)
"""So many edits; few, for what drifts a little is read, and what drifts far is refused at once."""

Slot = tuple[Any, Any]
"""A container and the key or index of a value in it."""


def bytewise(body: bytes, rng: Random, corpus: Corpus) -> bytes:
    """Edits of single bytes or stretches."""
    data = bytearray(body)
    for _ in range(rng.choice(EDITS)):
        _BYTES[rng.randrange(len(_BYTES))](data, rng, corpus)
    return bytes(data)


def _at(data: bytearray, rng: Random) -> int:
    return rng.randrange(len(data) + 1)


def _flip(data: bytearray, rng: Random, _: Corpus) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _cut(data: bytearray, rng: Random, _: Corpus) -> None:
    del data[_at(data, rng) :]


def _drop(data: bytearray, rng: Random, _: Corpus) -> None:
    start = _at(data, rng)
    del data[start : start + rng.randint(1, 40)]


def _double(data: bytearray, rng: Random, _: Corpus) -> None:
    start = _at(data, rng)
    data[start:start] = data[start : start + rng.randint(1, 400)]


def _insert(data: bytearray, rng: Random, _: Corpus) -> None:
    at = _at(data, rng)
    data[at:at] = rng.choice(
        (b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b'"', b"{", b"]", b",,", b"<", b"&x;", b"\n", b"1e999", b"\\ud800")
    )


def _splice(data: bytearray, rng: Random, corpus: Corpus) -> None:
    other = rng.choice(corpus.responses).body
    start = _at(data, rng)
    data[start:] = other[rng.randrange(len(other)) :]


_BYTES: tuple[Callable[[bytearray, Random, Corpus], None], ...] = (_flip, _flip, _flip, _cut, _drop, _double, _insert, _splice)


def tree(body: bytes, rng: Random, corpus: Corpus) -> bytes:
    """Edits of the values of a JSON body, or of the elements of an XML body; of its bytes where it is neither."""
    if body.startswith(b"PK"):
        return _workbook(body, rng, corpus)
    if body.lstrip().startswith(b"<"):
        return _xml(body, rng, corpus)
    try:
        root = [json.loads(body)]
    except ValueError:
        return bytewise(body, rng, corpus)
    for _ in range(rng.choice(EDITS)):
        slots = list(_slots(root))
        edit(root, slots, rng, corpus)
    return json.dumps(root[0], ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _slots(value: Any) -> Iterator[Slot]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _slots(inner)


def edit(root: list[Any], slots: list[Slot], rng: Random, corpus: Corpus) -> None:
    """One edit of one value."""
    holder, key = rng.choice(slots)
    if holder is not root and isinstance(holder, dict) and rng.random() < 0.25:
        value = holder.pop(key)
        if rng.random() < 0.5:
            holder[rng.choice((key + "x", key.upper(), key[:-1], "", *corpus.keys[:50]))] = value
        return
    value = holder[key]
    if isinstance(value, list) and value and rng.random() < 0.5:
        _relist(value, rng)
        return
    holder[key] = _other(value, slots, rng, corpus)


def _relist(values: list[Any], rng: Random) -> None:
    how = rng.randrange(5)
    if how == 0:
        rng.shuffle(values)
    elif how == 1:
        del values[rng.randrange(len(values))]
    elif how == 2:
        values.extend(values[: rng.randint(1, 3)])
    elif how == 3:
        values.insert(rng.randrange(len(values) + 1), weird(rng))
    else:
        values.extend([values[0]] * rng.choice((10, 100)))


def _other(value: Any, slots: list[Slot], rng: Random, corpus: Corpus) -> Any:
    how = rng.randrange(7)
    if how == 0 and corpus.words:
        return rng.choice(corpus.words)
    if how == 1:
        holder, key = rng.choice(slots)
        # A copy: an edited tree must stay a tree.
        return deepcopy(holder[key])
    if how == 2:
        return [value]
    if how == 3:
        return list(value.values()) if isinstance(value, dict) else {"value": value}
    if how == 4 and isinstance(value, (str, int, float)):
        return str(value) if not isinstance(value, str) else (int(value) if value.isascii() and value.isdigit() else value[::-1])
    return weird(rng)


def _xml(body: bytes, rng: Random, corpus: Corpus) -> bytes:
    try:
        root: Element = fromstring(body)
    except (SyntaxError, ValueError):
        return bytewise(body, rng, corpus)
    for _ in range(rng.choice(EDITS)):
        _edit_xml(root, rng)
    text: bytes = tostring(root, encoding=rng.choice(("utf-8", "utf-8", "utf-8", "utf-16", "iso-8859-1", "us-ascii")))
    return text


def _edit_xml(root: Element, rng: Random) -> None:
    parents = [element for element in root.iter() if len(element)] or [root]
    parent = rng.choice(parents)
    element = rng.choice(list(parent) or [parent])
    texts = [each.text for each in root.iter() if each.text and each.text.strip()] or [""]
    how = rng.randrange(7)
    if how == 0:
        element.text = rng.choice(texts)
    elif how == 1:
        element.text = str(rng.choice(WEIRD)).translate(_NOT_XML)
    elif how == 2 and element is not parent:
        parent.remove(element)
    elif how == 3:
        parent.extend([element] * rng.choice((1, 2, 50)) if element is not parent else [])
    elif how == 4:
        element.tag = rng.choice((element.tag + "X", "Error", *{each.tag for each in parents}))
    elif how == 5 and element.attrib:
        element.attrib[rng.choice(list(element.attrib))] = str(rng.choice(WEIRD)).translate(_NOT_XML)
    else:
        rng.shuffle(parent[:])
        element.text = None


_NOT_XML = dict.fromkeys([*range(9), *range(0xD800, 0xE000)])


def _workbook(body: bytes, rng: Random, corpus: Corpus) -> bytes:
    """One file of the workbook edited, packed again."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        chosen = rng.choice(book.namelist())
        for name in book.namelist():
            data = book.read(name)
            # Without the time of day: the same case is the same bytes.
            told = bytewise(data, rng, corpus) if name == chosen else data
            packed.writestr(zipfile.ZipInfo(name), told, zipfile.ZIP_DEFLATED)
    return out.getvalue()
