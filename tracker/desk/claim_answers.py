"""`tracker claims import FILE --carrier X`: a carrier's answers become states of the claims (R87, R90)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tracker.desk.claim_sheets import BadLine, Line, state_of
from tracker.desk.claims import ClaimPatch, Desk, Said, say
from tracker.desk.errors import Refused
from tracker.model import ClaimState
from tracker.rules import ClaimSheet
from tracker.store.claims import ClaimView
from tracker.store.errors import Conflict, NotThere

TAKEN, UNCHANGED, REFUSED = "taken", "unchanged", "refused"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line."""

    line: int
    parcel: str
    fate: str
    claim: int | None = None
    state: ClaimState | None = None
    message: str | None = None


async def take(desk: Desk, lines: Sequence[Line], layout: ClaimSheet, carrier: str) -> list[Answered]:
    """Record the answers one by one, each with its day; what cannot be recorded is told with its line and stops no other."""
    known = await desk.store.claims(carrier=carrier)
    return [await _one(desk, line, layout, known) for line in lines]


async def _one(desk: Desk, line: Line, layout: ClaimSheet, known: Sequence[ClaimView]) -> Answered:
    parcel = line.text("tracking_no") or line.text("claim_no") or line.text("carrier_ref")
    view: ClaimView | None = None
    try:
        view = _about(line, known)
        said = _said(line, layout, view)
        after = await say(desk, view.claim.id, said, ClaimPatch())
    except (BadLine, Refused, Conflict, NotThere) as error:
        return Answered(
            line=line.at, parcel=parcel, fate=REFUSED, claim=None if view is None else view.claim.id, message=str(error)
        )
    fate = UNCHANGED if after.claim.revision == view.claim.revision else TAKEN
    return Answered(line=line.at, parcel=parcel, fate=fate, claim=after.claim.id, state=after.claim.state)


def _said(line: Line, layout: ClaimSheet, view: ClaimView) -> Said:
    word = line.text("result")
    if not word:
        raise BadLine("the carrier's result is missing")
    claim = view.claim
    currency = line.text("currency").upper() or layout.currency
    state = state_of(word, layout)
    amount = line.amount("amount", currency or claim.claimed_currency)
    if state not in {ClaimState.FILED, ClaimState.APPROVED, ClaimState.APPROVED_PARTIAL, ClaimState.PAID, ClaimState.OFFSET}:
        amount = None
    if state is ClaimState.APPROVED and amount is not None and claim.claimed is not None and amount < claim.claimed:
        state = ClaimState.APPROVED_PARTIAL
    return Said(
        state=state,
        on=line.day("on"),
        reference=line.text("carrier_ref") or None,
        amount=amount,
        currency=currency,
        why=line.text("note") or f"the carrier says: {word}",
    )


def _about(line: Line, known: Sequence[ClaimView]) -> ClaimView:
    """The claim that a line speaks of: by its name, by the parcel's number, by the carrier's reference; the newest attempt."""
    named, parcel, reference = line.number("claim_no"), line.number("tracking_no"), line.text("carrier_ref")
    ways = (
        (named, lambda view: view.claim.number.upper() == named),
        (parcel, lambda view: view.claim.shipment.upper() == parcel),
        (reference, lambda view: reference in {view.claim.carrier_ref, view.claim.inquiry_ref}),
    )
    for value, matches in ways:
        found = [view for view in known if value and matches(view)]
        if found:
            return max(found, key=lambda view: view.claim.attempt)
    raise BadLine(f"no claim with this carrier is known for {named or parcel or reference or 'an empty number'}")
