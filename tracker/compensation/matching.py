"""Which carrier terms hold for a parcel: the most specific rule wins (facts/compensation.md section 2)."""

from __future__ import annotations

from tracker.model import Phase, Shipment
from tracker.rules import CompensationRule, Rules

ANY_CARRIER = "*"
ANY_POST = "upu"


def phase_of(shipment: Shipment) -> Phase:
    """Before or after the first scan (未上网, 上网后); `pickup` is known only to a person who saw the driver's list."""
    return Phase.PRE_SCAN if shipment.first_scan is None else Phase.IN_TRANSIT


def match(shipment: Shipment, rules: Rules, phase: Phase | None = None) -> CompensationRule | None:
    """The terms that hold for this parcel now; a parcel whose phase changed is matched again.

    None: nobody knows whom to ask (the channel's text is unmatched, or the carrier unknown), so nothing is filed. A known carrier
    without terms gets the conservative `[defaults]`: nothing is paid, and nothing is filed by itself.
    """
    if not shipment.matched or shipment.carrier is None:
        return None
    now = phase or phase_of(shipment)
    candidates = [rule for rule in rules.compensation if _holds(rule, shipment, rules, now)]
    return max(candidates, key=_rank, default=rules.compensation_default)


def terms_of(rule: str, rules: Rules) -> CompensationRule | None:
    """The terms a claim was opened under, by their id, as they are today; None where the configuration has them no more."""
    if rule == rules.compensation_default.id:
        return rules.compensation_default
    return next((each for each in rules.compensation if each.id == rule), None)


def equal_rank(one: CompensationRule, other: CompensationRule) -> bool:
    """Whether both can hold for one parcel and neither is more specific: an error of the configuration."""
    overlap = (
        set(one.carriers) & set(other.carriers)
        and (not one.services or not other.services or set(one.services) & set(other.services))
        and (one.origin is None or other.origin is None or one.origin == other.origin)
    )
    if not overlap or _rank(one) != _rank(other):
        return False
    same_phase = one.phase is other.phase
    patterns = {rule.match.pattern for rule in (one, other) if rule.match is not None}
    return same_phase and len(patterns) < 2  # noqa: PLR2004 - two different patterns are taken to name different numbers


def _holds(rule: CompensationRule, shipment: Shipment, rules: Rules, phase: Phase) -> bool:
    carrier = rules.carriers.get(shipment.carrier or "")
    return (
        bool({shipment.carrier, ANY_CARRIER} & set(rule.carriers) or (carrier and carrier.post and ANY_POST in rule.carriers))
        and rule.phase in {phase, Phase.ANY}
        and (not rule.services or shipment.service in rule.services)
        and rule.origin in {None, shipment.origin}
        and (rule.match is None or rule.match.search(shipment.number) is not None)
    )


def _rank(rule: CompensationRule) -> tuple[int, bool, bool, bool, bool]:
    """The operator's own terms before `*`, that before the UPU's; then service, number pattern, origin, and an exact phase."""
    kind = 0 if ANY_POST in rule.carriers else 1 if ANY_CARRIER in rule.carriers else 2
    return kind, bool(rule.services), rule.match is not None, rule.origin is not None, rule.phase is not Phase.ANY
