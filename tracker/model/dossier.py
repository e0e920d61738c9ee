"""The dossier: one order with everything that is decided, and explained, together."""

from __future__ import annotations

import msgspec

from tracker.model.advisory import Advisory
from tracker.model.cases import CaseKind
from tracker.model.claims import Claim
from tracker.model.effects import Case, Effect
from tracker.model.order import Order, Shipment


class Dossier(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order with its shipments, window, cases, claims, effects (messages, tasks, recommendations).

    `version` counts the changes of its facts: a person's decision is taken only on the version that the person saw.
    """

    order: Order
    shipments: tuple[Shipment, ...] = ()
    cases: tuple[Case, ...] = ()
    claims: tuple[Claim, ...] = ()
    effects: tuple[Effect, ...] = ()
    version: int = 0
    advisories: tuple[Advisory, ...] = ()
    """The advisories that can concern it, ended ones included: which do concern a parcel is the policy's question (D19)."""

    @property
    def dispute_open(self) -> bool:
        """Whether money is contested in an open case: it stops outreach and extensions (D15)."""
        return bool(self.cases) and any(case.closed_at is None and case.kind.contested for case in self.cases)

    @property
    def message_waits(self) -> bool:
        """Whether a message of the buyer has no answer yet: he waits, whoever noted it (D15)."""
        return bool(self.cases) and any(
            case.kind is CaseKind.BUYER_MESSAGE and case.closed_at is None and case.answered_at is None for case in self.cases
        )
