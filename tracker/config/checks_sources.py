"""What no source would thank us for: asked faster than it allows, or one account counted as two (facts/carriers.md 1)."""

from __future__ import annotations

from collections.abc import Iterator

from carriers import registry
from tracker.config.merge import Merged
from tracker.config.problem import Level
from tracker.config.shape_tracker import Source

_WARNING: Level = "warning"


def check_politeness(sources: tuple[Source, ...]) -> Iterator[tuple[Merged, str, Level]]:
    """Rates above what the source's documents allow, at its own address; accounts that are named twice."""
    accounts: dict[tuple[str, ...], str] = {}
    for each in sources:
        if each.adapter not in registry.names():
            continue
        known = registry.describe(each.adapter)
        if each.rps is not None and known.rps is not None and each.rps > known.rps and each.base_url in {"", known.base_url}:
            message = f"{known.title} allows {known.rps:g} calls a second unless you agreed otherwise with it (got {each.rps:g})"
            yield ("source", each.id, "rps"), message, _WARNING
        keys = tuple(each.secrets[name] for name in known.secrets if name in each.secrets)
        if not keys:
            continue
        other = accounts.setdefault((each.adapter, *keys), each.id)
        if other != each.id:
            message = f"is the account of {other} again: each counts its own calls and quota, and the source sees the sum"
            yield ("source", each.id, "secrets"), message, _WARNING
