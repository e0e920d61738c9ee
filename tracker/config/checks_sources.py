"""What no source would thank us for: asked faster than it allows, or one account counted as two (facts/carriers.md 1).

And what its adapter would never read, or refuse at the first poll only: told here, as all other mistakes of a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from carriers import registry
from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.pushes import BEFORE, PRESENT
from tracker.config.shape_tracker import Source

_ERROR: Level = "error"
_WARNING: Level = "warning"
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_QUOTED = frozenset({"true", "false", "yes", "no", "on", "off"})


def check_politeness(sources: tuple[Source, ...]) -> Iterator[tuple[Merged, str, Level]]:
    """Rates above what the source's documents allow, at its own address; accounts that are named twice."""
    accounts: dict[tuple[str, ...], str] = {}
    for each in sources:
        if each.adapter not in registry.names():
            continue
        known = registry.describe(each.adapter)
        limits = (("rps", each.rps, known.rps, "second"), ("daily_quota", each.daily_quota, known.daily, "day"))
        for key, wanted, most, span in limits if each.base_url in {"", known.base_url} else ():
            if wanted is not None and most is not None and wanted > most:
                message = f"{known.title} allows {most:g} calls a {span} unless you agreed otherwise with it (got {wanted:g})"
                yield ("source", each.id, key), message, _WARNING
        keys = tuple(each.secrets[name] for name in known.secrets if name in each.secrets)
        if not keys:
            continue
        other = accounts.setdefault((each.adapter, *keys), each.id)
        if other != each.id:
            message = f"is the account of {other} again: each counts its own calls and quota, and the source sees the sum"
            yield ("source", each.id, "secrets"), message, _WARNING


def check_settings(sources: tuple[Source, ...]) -> Iterator[tuple[Merged, str, Level]]:
    """Secrets and options that the adapter never reads, a public page nobody agreed to, keys sent where all can read them."""
    for each in sources:
        if each.adapter in registry.names():
            known, path = registry.describe(each.adapter), ("source", each.id)
            yield from _secrets(each, known, path)
            yield from _options(each, known, path)
            if known.secrets and known.base_url.startswith("https:") and _is_open_line(each.base_url):
                message = "whoever is on the way can read the secrets: https:// where the source has it"
                yield (*path, "base_url"), message, _WARNING


def _secrets(source: Source, known: registry.Description, path: Merged) -> Iterator[tuple[Merged, str, Level]]:
    readable = {*known.secrets, *known.also}
    for name in sorted(source.secrets.keys() - readable - {PRESENT, BEFORE}):
        yield (*path, "secrets", name), f"{known.title} has no such secret{meant(name, readable)}", _WARNING


def _options(source: Source, known: registry.Description, path: Merged) -> Iterator[tuple[Merged, str, Level]]:
    for name, value in source.options.items():
        if name not in known.options:
            yield (*path, "options", name), f"{known.title} has no such option{meant(name, known.options)}", _ERROR
        elif isinstance(value, str) and value.lower() in _QUOTED:
            yield (*path, "options", name), f'has to be true or false without quotes (got "{value}")', _ERROR
    agreed = registry.PUBLIC_PAGE
    if agreed in known.options and source.options.get(agreed) is not True:
        message = f"{known.title}, may shut you out: agree by options = {{ {agreed} = true }}, or take this source out"
        yield (*path, "options"), message, _ERROR


def _is_open_line(address: str) -> bool:
    """Whether this is plain http to another machine."""
    parts = urlsplit(address)
    return parts.scheme.lower() == "http" and parts.hostname not in _HERE
