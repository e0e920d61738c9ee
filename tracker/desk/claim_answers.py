"""`tracker claims import FILE --carrier X`: a carrier's answers become states of the claims (R87, R90)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    known = _indexed(await desk.store.claims(carrier=carrier))
    return [await _one(desk, line, layout, known) for line in lines]


async def _one(desk: Desk, line: Line, layout: ClaimSheet, known: Index) -> Answered:
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
    currency = line.currency() or layout.currency
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


Index = Mapping[tuple[str, str], ClaimView]
"""By field of the line and what may stand in it: the newest attempt."""


def _indexed(views: Sequence[ClaimView]) -> Index:
    found: dict[tuple[str, str], ClaimView] = {}
    for view in sorted(views, key=lambda view: view.claim.attempt):
        claim = view.claim
        found["claim_no", claim.number.upper()] = found["tracking_no", claim.shipment.upper()] = view
        found |= {("carrier_ref", each): view for each in (claim.carrier_ref, claim.inquiry_ref) if each}
    return found


def _about(line: Line, known: Index) -> ClaimView:
    """The claim that a line speaks of: by its name, by the parcel's number, by the carrier's reference; the newest attempt."""
    names = {
        "claim_no": line.number("claim_no"),
        "tracking_no": line.number("tracking_no"),
        "carrier_ref": line.text("carrier_ref"),
    }
    for key in names.items():
        if key in known:
            return known[key]
    said = next((name for name in names.values() if name), "an empty number")
    raise BadLine(f"no claim with this carrier is known for {said}")
