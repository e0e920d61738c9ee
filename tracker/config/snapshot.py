"""What rules were built from, in a form that can be kept: no secret, no place on this machine. And what differs between two.

The rules in force outlive the files: they are kept so that the next ones can be compared with them (faults row 20).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tracker.config.build import build_rules
from tracker.config.layers import Layer
from tracker.config.learned import with_quantiles
from tracker.config.load import MAIN, SHAPES, Loaded, shapes_of, shipped
from tracker.config.merge import Section
from tracker.config.problem import Problem
from tracker.config.show import MASK, hidden, without_password
from tracker.rules import Learned, Rules

_TABLES = (
    "outreach", "refunds", "notices", "remedy", "partial", "liability", "messages", "quiet_hours", "preparing", "time"
)  # fmt: skip
"""Tables of tracker.toml that rules are built from; of its sources only their names count, of accounts what they do by API."""

_ABSENT = object()


class RebuildError(Exception):
    """Rules of an earlier version that this version cannot build any more. The message says why."""


class Differs(msgspec.Struct, frozen=True, kw_only=True):
    """One value that differs: `section.key`; None where it is absent on that side. Secrets are masked."""

    key: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """`tracker.outreach.hourly_cap: 60 -> 40`."""
        return f"{self.key}: {_told(self.before)} -> {_told(self.after)}"


class _Kept(msgspec.Struct):
    sections: dict[str, dict[str, Any]]
    texts: dict[str, str]
    """language/key -> digest of the text."""
    learned: dict[str, Learned] = {}
    """What own deliveries said, by "COUNTRY/service"."""


_DECODER = msgspec.json.Decoder(_Kept)


def snapshot(loaded: Loaded) -> bytes:
    """What `rebuild` needs, packed."""
    sections = {name: section.data for name, section in loaded.sections.items() if name in SHAPES or name.startswith("stores/")}
    sections[MAIN] = _of_rules(sections[MAIN])
    kept = {"sections": sections, "texts": _digests(loaded)}
    if loaded.rules.learned:
        kept["learned"] = msgspec.to_builtins(loaded.rules.learned)
    return zlib.compress(json.dumps(kept, ensure_ascii=False, sort_keys=True, default=str).encode())


def rebuild(packed: bytes, version: str) -> Rules:
    """The rules of a snapshot. `version` is the hash under which they were in force. Raises RebuildError."""
    try:
        kept = _DECODER.decode(zlib.decompress(packed))
    except (zlib.error, msgspec.DecodeError) as error:
        raise RebuildError(f"the snapshot cannot be read: {error}") from error
    sections = {name: Section(name, [shipped(name)]) for name in SHAPES}
    for name, data in kept.sections.items():
        layer = Layer(f"the rules of {version}", data, "")
        sections[name] = Section(name, [shipped(MAIN), layer] if name == MAIN else [layer])
    problems: list[Problem] = []
    shapes = shapes_of(sections, problems)
    wrong = next((problem for problem in problems if problem.level == "error"), None)
    if wrong is not None:
        raise RebuildError(f"{wrong.key}: {wrong.message}")
    rules = build_rules(shapes, version)
    return with_quantiles(rules, kept.learned, version) if kept.learned else rules


def differences(before: Loaded, after: Loaded) -> tuple[Differs, ...]:
    """Everything that differs between two configurations, in the order of the keys."""
    learned = (before.rules.learned, after.rules.learned)
    return _differences(_facts(_data(before), _digests(before), learned[0]), _facts(_data(after), _digests(after), learned[1]))


def differences_since(packed: bytes, loaded: Loaded) -> tuple[Differs, ...]:
    """What differs in the rules and texts since a snapshot. Raises RebuildError where that cannot be read."""
    try:
        old = _DECODER.decode(zlib.decompress(packed))
        new = _DECODER.decode(zlib.decompress(snapshot(loaded)))
    except (zlib.error, msgspec.DecodeError) as error:
        raise RebuildError(f"the snapshot cannot be read: {error}") from error
    return _differences(_facts(old.sections, old.texts, old.learned), _facts(new.sections, new.texts, new.learned))


def _of_rules(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: data[name] for name in _TABLES if name in data}
    sources = [{"id": each["id"], "adapter": each["adapter"]} for each in data.get("source", ())]
    accounts = [_of_account(each) for each in data.get("marketplace_account", ())]
    return kept | ({"source": sources} if sources else {}) | ({"marketplace_account": accounts} if accounts else {})


def _of_account(data: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be there stands in for the key, which is nobody's business here."""
    return {"app_key": "-"} | {name: data[name] for name in ("id", "platform", "store", "api") if name in data}


def _data(loaded: Loaded) -> dict[str, Any]:
    return {name: section.data for name, section in loaded.sections.items()}


def _digests(loaded: Loaded) -> dict[str, str]:
    return {
        f"{language}/{key}": hashlib.blake2b(source.encode(), digest_size=4).hexdigest()
        for language, texts in loaded.texts.sources.items()
        for key, source in texts.items()
    }


def _facts(sections: Mapping[str, Any], texts: Mapping[str, str], learned: Mapping[str, Learned]) -> dict[str, Any]:
    facts = {f"messages/{name}": digest for name, digest in texts.items()}
    for name, own in learned.items():
        facts |= _flat(f"own deliveries {name}", msgspec.to_builtins(own))
    for name, data in sections.items():
        facts |= _flat(name, data)
    return facts


def _flat(path: str, value: object, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value under its path; the entries of an array of tables go by their id."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}", inner, name)
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) and "id" in each for each in value):
        for each in value:
            yield from _flat(f"{path}[{each['id']}]", {name: inner for name, inner in each.items() if name != "id"})
    else:
        yield path, MASK if hidden(key, value) else without_password(value)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Differs, ...]:
    found = []
    for key in sorted({*before, *after}):
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if old != new:
            found.append(Differs(key=key, before=None if old is _ABSENT else old, after=None if new is _ABSENT else new))
    return tuple(found)


def _told(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
