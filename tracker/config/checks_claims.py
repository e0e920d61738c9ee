"""What the terms of carriers say against each other, and against what opens a claim (facts/compensation.md section 2).

A window that closes before it opens, a cap without a currency, two terms of equal rank are errors; terms that can never hold, or
that close before any silence is long enough, are warnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from tracker.compensation import equal_rank
from tracker.compensation.matching import ANY_CARRIER, ANY_POST
from tracker.config.build import Shapes
from tracker.config.merge import Merged
from tracker.config.problem import Level, meant
from tracker.config.shape_rules import ClaimRule, ClaimSheet
from tracker.model import Phase
from tracker.rules import CompensationRule, Rules

Found = tuple[Merged, str, Level]

_SHORTEST_MONTH = 28
_FIELDS = {
    "form": frozenset(
        {
            *("claim_no", "tracking_no", "order_id", "carrier", "service", "destination", "shipped_on", "first_scan_on"),
            *("last_scan_on", "last_scan_text", "loss_type", "phase", "declared_value", "declared_currency", "freight"),
            *("freight_currency", "amount", "currency", "carrier_ref", "earliest_on", "latest_on", "papers", "products", "note"),
        }
    ),
    "answers": frozenset({"claim_no", "tracking_no", "carrier_ref", "result", "amount", "currency", "on", "note"}),
    "statement": frozenset({"tracking_no", "amount", "currency", "on", "reference", "note"}),
}
"""What the columns of a [[sheet]] can mean."""


def check_claims(shapes: Shapes, rules: Rules) -> Iterator[Found]:
    """Every finding in compensation.toml."""
    known = {ANY_CARRIER, ANY_POST, *(each.id for each in shapes.carriers.carrier)}
    services = {each.service for each in shapes.services.service}
    proves = rules.fallback.silence.investigate
    for each in shapes.compensation.rule:
        yield from _names(each, known, services)
        yield from _window(each, proves)
        if (each.cap_amount is not None or each.cap_per_kg is not None) and each.cap_currency is None:
            yield ("rule", each.id), "a cap needs its cap_currency", "error"
        for field in sorted(set(each.unverified_fields) - set(ClaimRule.model_fields)):
            yield ("rule", each.id, "unverified_fields"), f"no such key{meant(field, ClaimRule.model_fields)}", "error"
    for one, other in combinations(rules.compensation, 2):
        if equal_rank(one, other):
            message = f"holds for the same parcels as {other.id}, and neither is more specific: narrow one of them"
            yield ("rule", one.id), message, "error"
    yield from _shadowed(rules.compensation)
    for sheet in shapes.compensation.sheet:
        yield from _sheet(sheet, known)


def _names(each: ClaimRule, known: set[str], services: set[str]) -> Iterator[Found]:
    for name in each.carriers:
        if name not in known:
            yield ("rule", each.id, "carriers"), f"no such carrier in carriers.toml{meant(name, known)}", "error"
    if each.services and not set(each.services) & services:
        listed = ", ".join(each.services)
        yield ("rule", each.id, "services"), f"can never hold: services.toml knows no service {listed}", "warning"


def _window(each: ClaimRule, proves: int) -> Iterator[Found]:
    path = ("rule", each.id)
    if each.latest_days is not None and each.latest_months is not None:
        yield (*path, "latest_months"), "latest_days or latest_months, not both", "error"
    same_clock = each.earliest_clock in {None, each.clock} and each.day_kind == "cal"
    last = each.latest_days if each.latest_days is not None else (each.latest_months or 0) * _SHORTEST_MONTH
    if not last and each.latest_days is None:
        return
    key = "latest_days" if each.latest_days is not None else "latest_months"
    if same_clock and last < each.earliest_days:
        yield (*path, key), f"closes on day {last}, before it opens on day {each.earliest_days}", "error"
    elif each.phase is not Phase.PRE_SCAN and each.basis != "none" and each.clock != "last_scan" and last < proves:
        message = f"closes on day {last}, before a silence reaches investigate ({proves} days, fallback): only a task warns"
        yield (*path, key), message, "warning"


def _shadowed(compensation: Iterable[CompensationRule]) -> Iterator[Found]:
    """Terms for any phase, where every phase has terms of its own for the same parcels."""
    for each in compensation:
        if each.phase is not Phase.ANY:
            continue
        alike = [
            other.phase
            for other in compensation
            if other.carriers == each.carriers
            and (other.services, other.origin, other.match) == (each.services, each.origin, each.match)
        ]
        if {Phase.PRE_SCAN, Phase.PICKUP, Phase.IN_TRANSIT} <= set(alike):
            yield ("rule", each.id, "phase"), "can never hold: every phase has terms of its own for these parcels", "warning"


def _sheet(each: ClaimSheet, known: set[str]) -> Iterator[Found]:
    path = ("sheet", each.id)
    for name in each.carriers:
        if name not in known:
            yield (*path, "carriers"), f"no such carrier in carriers.toml{meant(name, known)}", "error"
    for field in each.columns:
        if field not in _FIELDS[each.kind]:
            yield (*path, "columns", field), f"no such field{meant(field, _FIELDS[each.kind])}", "error"
