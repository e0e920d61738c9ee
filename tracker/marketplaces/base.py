"""What every marketplace's adapter promises, and the values it speaks in. Ids are strings: int64 ones never become floats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec

from tracker.model import Case, CaseKind


class Capability(StrEnum):
    """What an API may do for us. `api = [...]` of an account names those that it shall do; people do the others."""

    WINDOW = "window"
    DISPUTES = "disputes"
    EXTEND = "extend"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One seller's account. `secrets`: app_secret, access_token, refresh_token; they appear in no log, repr or error text."""

    id: str
    base_url: str
    app_key: str
    secrets: Mapping[str, str] = {}
    options: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """The id alone."""
        return f"Account({self.id!r})"


class WindowRead(msgspec.Struct, frozen=True, kw_only=True):
    """What the marketplace says about one order's delivery window now.

    `end` is aware UTC, the earlier bound where the local time exists twice; None: it shows none. `status` is the platform's own
    word. `over`: the order is finished or closed there. `proof` says where the end was read, without any person's data.
    """

    order: str
    end: datetime | None
    status: str
    disputed: bool = False
    frozen: bool = False
    over: bool = False
    proof: str = ""


class CaseRead(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the marketplace lists it, and the number of the order it is about (None: it names none that we could know)."""

    order: str | None
    case: Case


class CaseList(msgspec.Struct, frozen=True, kw_only=True):
    """All pages of the open cases. `complete`: what is not in it is open no more.

    `since`: kinds of which only the cases opened from then on (aware UTC) are listed; it says nothing about older ones.
    """

    cases: tuple[CaseRead, ...]
    complete: bool
    since: Mapping[CaseKind, datetime] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform said to an extension. `code` is its business code where it said no."""

    accepted: bool
    code: str | None = None
    memo: str = ""
    request: str | None = None


class Marketplace(Protocol):
    """One marketplace through one account. Every method raises MarketplaceError, nothing else that an operator could cause."""

    platform: ClassVar[str]
    offers: ClassVar[frozenset[Capability]]
    """What its API can do at all; a method that it does not offer is never called."""

    async def window(self, order: str) -> WindowRead:
        """Read an order's window."""
        ...

    async def disputes(self, now: datetime) -> CaseList:
        """Read every open case, independently of any mail (R42)."""
        ...

    async def extend(self, order: str, days: int) -> Answer:
        """Extend the buyer's window. Not idempotent: whoever calls has written the attempt down before (R7)."""
        ...
