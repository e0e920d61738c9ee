"""Who bears what the carrier reports: classified by cause, from the table of the configuration (R14, R70)."""

from __future__ import annotations

import msgspec

from carriers.model import TrackingReason
from tracker.model import Liable, Shipment
from tracker.rules import Rules

CUSTOMS = frozenset(
    {
        TrackingReason.CUSTOMS_HOLD,
        TrackingReason.CUSTOMS_REFUSED,
        TrackingReason.SEIZED,
        TrackingReason.PROHIBITED_CONTENT,
    }
)
"""Reasons of which customs have the word."""


class Fault(msgspec.Struct, frozen=True):
    """The cause by its id in the table, and who bears it; `certificate`: only once the carrier certifies it."""

    cause: str
    liable: Liable
    certificate: bool = False

    @property
    def told(self) -> str:
        """As evidence has it."""
        condition = ", once the carrier certifies it" if self.certificate and self.liable is Liable.BUYER else ""
        return f"{self.liable.value}{condition}"


UNKNOWN = Fault("unknown", Liable.UNKNOWN)


def fault(shipment: Shipment, rules: Rules) -> Fault:
    """Who bears what the carrier says of this parcel; `UNKNOWN` where the table has no line for it.

    Customs by their cause: counterfeit, undervalued, papers missing are the seller's; not cleared is the buyer's, if the carrier
    certifies it (R14). What happens in transport is the carrier's (R70).
    """
    text = "" if shipment.last_scan is None else shipment.last_scan.description
    for line in rules.liability:
        if line.fits(shipment.reason, text):
            return Fault(line.id, line.liable, line.certificate)
    return UNKNOWN
