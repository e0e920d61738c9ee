"""The documents of a claim as a checklist: code, present or missing, acceptable from (facts/compensation.md section 3).

A statement of the buyer is worth nothing when it is dated too early: DHL eCommerce wants it dated after the waiting period and
after the last scan. So it is asked for only then, and by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from tracker.model import Claim, LossType, Paper, Shipment
from tracker.rules import CompensationRule, Rules

FROM_BUYER = frozenset({"consignee_statement", "addressee_non_receipt"})
"""What only the buyer can write, dated."""

_BY_LOSS: Mapping[LossType, tuple[str, ...]] = {
    LossType.DAMAGED: ("damage_photos", "carrier_certificate"),
    LossType.SHORT: ("weight_slip", "damage_photos"),
    LossType.NOT_IN_WAREHOUSE: ("signed_handover_manifest",),
}
"""What every carrier wants beyond its terms: proof and the delivery man's certificate (R88), the slip's weight (R87)."""


class PaperState(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the checklist. `acceptable_from`: an earlier date makes it worthless. `early`: it is there, and too early."""

    code: str
    paper: Paper | None
    acceptable_from: date | None = None

    @property
    def early(self) -> bool:
        """Whether its date makes it worthless."""
        day = None if self.paper is None else self.paper.on
        return day is not None and self.acceptable_from is not None and day < self.acceptable_from

    @property
    def there(self) -> bool:
        """Whether it can be handed in."""
        return self.paper is not None and not self.early


def checklist(claim: Claim, terms: CompensationRule | None, shipment: Shipment) -> tuple[PaperState, ...]:
    """Every document that the claim wants, in the order of its terms, and what else was put to it."""
    wanted = [*(() if terms is None else terms.evidence), *_BY_LOSS.get(claim.loss_type, ())]
    codes = dict.fromkeys([*wanted, *claim.papers])
    since = _not_before(claim, terms, shipment)
    return tuple(
        PaperState(code=code, paper=claim.papers.get(code), acceptable_from=since if code in FROM_BUYER else None)
        for code in codes
    )


def known_codes(rules: Rules) -> frozenset[str]:
    """Every document that some terms or some kind of loss want: what else is written is a slip of the finger."""
    wanted = [*(each.evidence for each in (rules.compensation_default, *rules.compensation)), *_BY_LOSS.values()]
    return frozenset(code for codes in wanted for code in codes)


def _not_before(claim: Claim, terms: CompensationRule | None, shipment: Shipment) -> date | None:
    """The day after the latest of the points that the terms name, where they are known."""
    points = {
        "earliest": claim.earliest_on,
        "last_scan": None if shipment.last_scan is None else shipment.last_scan.latest.date() + timedelta(days=1),
    }
    named = () if terms is None else terms.evidence_not_before
    return max((day for name in named if (day := points.get(name)) is not None), default=None)
