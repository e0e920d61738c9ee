"""Addresses that will never be called: inside a network that nobody has opened, or in the clear (facts/faults.md row 12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit

from carriers.reach import Reach, is_here, url_refusal
from tracker.config.merge import Merged
from tracker.config.problem import Level
from tracker.config.shape_tracker import TrackerFile

_ERROR: Level = "error"


def check_hosts(tracker: TrackerFile) -> Iterator[tuple[Merged, str, Level]]:
    """Every configured address but those behind references. What is no URL at all is told where its section is checked."""
    for each in tracker.source:
        # Some carriers have no TLS: whether a source that has is asked without is a warning elsewhere.
        yield from _told(("source", each.id), each.base_url, Reach(private=each.allow_private_hosts))
    for account in tracker.marketplace_account:
        yield from _told(("marketplace_account", account.id), account.base_url, reach_beside(account.base_url, account))
    for name, messenger in (("whatsapp", tracker.whatsapp), ("telegram", tracker.telegram)):
        if messenger is not None:
            yield from _told((name,), messenger.base_url, reach_beside(messenger.base_url, messenger))


class Opened(Protocol):
    """A section that may open private networks."""

    @property
    def allow_private_hosts(self) -> bool:
        """Whether it does."""
        ...


def reach_beside(url: str, section: Opened) -> Reach:
    """For whatever has TLS: plain http to this machine alone, or into a network that was opened."""
    return Reach(private=section.allow_private_hosts, plain=is_here(_host(url)))


def _told(path: Merged, url: str, reach: Reach) -> Iterator[tuple[Merged, str, Level]]:
    if _host(url) and url.lower().startswith(("https:", "http:")):
        refusal = url_refusal(url, reach)
        if refusal is not None:
            yield (*path, "base_url"), refusal, _ERROR


def _host(url: str) -> str:
    """Empty for a folder, and for what is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
