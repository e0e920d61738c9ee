"""What is advised in a case, by its kind, platform and reason (cases.toml)."""

from __future__ import annotations

import msgspec

from tracker.model import Case, CaseAdvice, CaseKind, CaseReason


class CaseRule(msgspec.Struct, frozen=True, kw_only=True):
    """A [[case]] of cases.toml; the first that fits wins. Empty `platforms` and `reasons` fit all of them.

    `weigh` names what the advice hangs on: `tracking` (R9), `promise` (R11, R12), `liability` (R14), `journey` (R63, R65, R66),
    or `fixed`: nothing, it is always `advice`. `advice` stands in as well where the facts do not say.
    """

    id: str
    kinds: frozenset[CaseKind]
    advice: CaseAdvice
    weigh: str = "fixed"
    platforms: frozenset[str] = frozenset()
    reasons: frozenset[CaseReason] = frozenset()
    options: tuple[str, ...] = ()
    """Words of the operators' table [case_option]: what a person can do, the best first."""
    checklist: tuple[str, ...] = ()
    """Words of [case_check]: what to gather before the answer (R13, R27)."""
    evidence: str | None = None
    """The time rule by which the platform wants evidence, where the case tells no date of its own (R13)."""
    clocks: tuple[str, ...] = ()
    """Further time rules that a person should know: a hint, nothing hangs on them (R76)."""

    def fits(self, case: Case, platform: str) -> bool:
        """Whether it speaks of this case."""
        return (
            case.kind in self.kinds
            and (not self.platforms or platform in self.platforms)
            and (not self.reasons or case.reason in self.reasons)
        )


class CasePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """All of cases.toml."""

    rules: tuple[CaseRule, ...] = ()
    logistic: frozenset[CaseReason] = frozenset()
    """Reasons that are the parcel's doing, not the product's: such a review is ours to learn from (R51, R106)."""
    target_minutes: int = 60
    """A first answer that is due sooner after the case's opening is told at once (R82, R83)."""

    def rule(self, case: Case, platform: str) -> CaseRule | None:
        """What is known about such a case; None: nothing, a person decides."""
        return next((each for each in self.rules if each.fits(case, platform)), None)
