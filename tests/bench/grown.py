"""Every adapter's own sample, grown to twenty scans, beside a plain parse of the same bytes (issue: speed, at most five times).

A sample is the richest of tests/samples. Its list of scans is found by trying: the one whose copies, each at another time, are
read as more scans. JSON stands beside `json.loads`, XML beside the standard library's parse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

from carriers import registry
from carriers.base import Adapter, Response
from carriers.errors import CarrierError
from tests.bench.micro import cpu_us
from tests.bench.report import Line, line, median
from tests.carriers import cases

SCANS = 20
_REPEATS = 5
_TIME = re.compile(r"\b([01]\d|2[0-3]):([0-5]\d)")
_SKIPPED = frozenset({"seventeen_track", "trackingmore", "aftership", "sheet", "fake"})
"""Measured in `reading` with forty parcels, or no source of JSON or XML."""


def _later(text: str, at: int) -> str:
    """A text with another time of day in it, where there is one: copies of one scan would count once."""
    return _TIME.sub(lambda found: f"{(int(found[1]) + at) % 24:02d}:{(int(found[2]) + 7 * at) % 60:02d}", text)


def _moved(value: Any, at: int) -> Any:
    if isinstance(value, dict):
        return {key: _moved(each, at) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, at) for each in value]
    if isinstance(value, str):
        return value[:-4] + f"{at:02d}00" if re.fullmatch(r"\d{6}", value) else _later(value, at)
    if isinstance(value, int) and value > 1_000_000_000:
        return value + 60 * at
    return value


def _lists(tree: Any) -> Iterator[list[Any]]:
    if isinstance(tree, list) and tree and isinstance(tree[0], dict):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _lists(each)


def _grown_json(adapter: Adapter, raw: bytes) -> bytes:
    tree = json.loads(raw)
    best = raw
    for place in range(sum(1 for _ in _lists(tree))):
        copy = deepcopy(tree)
        scans = list(_lists(copy))[place]
        scans.extend(_moved(scans[at % len(scans)], at) for at in range(1, SCANS + 1 - len(scans)))
        body = json.dumps(copy, ensure_ascii=False).encode()
        best = body if _events(adapter, body) > _events(adapter, best) else best
    return best


def _grown_xml(adapter: Adapter, raw: bytes) -> bytes:
    best = raw
    for place in range(sum(1 for _ in fromstring(raw).iter())):  # noqa: S314 - our own samples
        root = fromstring(raw)  # noqa: S314 - our own samples
        parent = list(root.iter())[place]
        for at in range(1, SCANS + 1 - len(parent)) if len(parent) else ():
            parent.append(_moved_element(parent[at % len(parent)], at))
        body = tostring(root)
        best = body if _events(adapter, body) > _events(adapter, best) else best
    return best


def _moved_element(element: Element, at: int) -> Element:
    copy = deepcopy(element)
    for each in copy.iter():
        each.text = _later(each.text, at) if each.text else each.text
        for name, value in each.attrib.items():
            each.set(name, _later(value, at))
    return copy


def _events(adapter: Adapter, raw: bytes) -> int:
    try:
        cut = adapter.split(Response(status=200, body=raw), ())
        return sum(len(adapter.read(each).events) for each in cut.values() if isinstance(each, bytes))
    except CarrierError:
        return -1


def bodies() -> dict[str, bytes]:
    """Adapter -> its body of some twenty scans."""
    found = {}
    for name in registry.names():
        if name not in _SKIPPED:
            adapter = registry.get(name)
            richest = max((sample.response.body for sample in cases.own(name)), key=lambda raw: _events(adapter, raw))
            found[name] = (_grown_xml if richest.lstrip().startswith(b"<") else _grown_json)(adapter, richest)
    return found


def measure(rounds: int) -> dict[str, float]:
    """CPU microseconds a body: `NAME plain` (json.loads, or the parse of XML) and `NAME read`; medians of interleaved repeats."""
    found: dict[str, list[float]] = {}
    for name, raw in bodies().items():
        for _ in range(_REPEATS):
            for step, work in _steps(name, raw).items():
                found.setdefault(f"{name} {step}", []).append(cpu_us(work, max(1, rounds // _REPEATS)))
    return {name: median(values) for name, values in found.items()}


def _steps(name: str, raw: bytes) -> dict[str, Callable[[], object]]:
    adapter, answer = registry.get(name), Response(status=200, body=raw)

    def read() -> None:
        for cut in adapter.split(answer, ()).values():
            if isinstance(cut, bytes):
                adapter.read(cut)

    plain: Callable[[], object] = (lambda: fromstring(raw)) if raw.lstrip().startswith(b"<") else (lambda: json.loads(raw))  # noqa: S314
    return {"plain": plain, "read": read}


def lines(found: dict[str, float]) -> list[Line]:
    """One figure an adapter."""
    told = {key.removesuffix(" read"): value for key, value in found.items() if key.endswith(" read")}
    return [
        line(f"{name} read", read, "us", found[f"{name} plain"], what=f"{name}: one answer", against="us plain parse")
        for name, read in sorted(told.items())
    ]
