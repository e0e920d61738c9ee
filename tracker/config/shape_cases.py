"""The shape of cases.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tracker.config.shape import Entry, Positive, Versioned
from tracker.model import CaseAdvice, CaseKind, CaseReason


class CaseRule(Entry):
    """A [[case]]."""

    kinds: Annotated[frozenset[CaseKind], Field(min_length=1)]
    advice: CaseAdvice
    weigh: Literal["tracking", "promise", "liability", "journey", "fixed"] = "fixed"
    platforms: frozenset[str] = frozenset()
    reasons: frozenset[CaseReason] = frozenset()
    options: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    evidence: str | None = None
    clocks: tuple[str, ...] = ()


class CasesFile(Versioned):
    """cases.toml."""

    logistic: frozenset[CaseReason] = frozenset()
    target_minutes: Positive
    case: tuple[CaseRule, ...] = ()
