"""The lines of the claims worksheet: what carriers owe, with room for what became of it (facts/daily-operations.md, "Desk")."""

from __future__ import annotations

from datetime import UTC, datetime, time

from tracker.compensation import PaperState, outstanding
from tracker.model import ClaimState
from tracker.phrases import Phrases, task_title
from tracker.reports.sheet import Link
from tracker.reports.worksheet import Line
from tracker.store.claims import ClaimView

_BEFORE_FILING = frozenset({ClaimState.DRAFT, ClaimState.READY})


def claim_line(view: ClaimView, papers: tuple[PaperState, ...], phrases: Phrases, *, url: str | None = None) -> Line:
    """The line of one claim. `papers` is its checklist, `url` the order's page."""
    claim = view.claim
    kind = "compensation" if claim.state in _BEFORE_FILING else "claim_follow_up"
    last = claim.latest_on if claim.state in _BEFORE_FILING else claim.answer_due_on or claim.payout_due_on
    amount = outstanding(claim) or claim.payable
    return Line(
        row=claim.id,
        key=claim.number,
        version=claim.revision,
        store=view.store,
        amount=amount,
        deadline=None if last is None else datetime.combine(last, time.max, UTC).replace(microsecond=0),
        cells={
            "id": claim.id,
            "order": view.order,
            "link": None if url is None else Link(url),
            "parcel": claim.shipment,
            "carrier": view.carrier,
            "claim_state": phrases.word("claim", claim.state),
            "advice": task_title(phrases, kind, view.order, {"shipment": claim.shipment}),
            "amount": amount,
            "currency": claim.claimed_currency or claim.currency,
            "reason": phrases.word("why", claim.cause) if phrases.knows(f"why.{claim.cause}") else claim.cause,
            "evidence": "\n".join(_paper(each) for each in papers),
            "whose": claim.owner,
        },
    )


def _paper(state: PaperState) -> str:
    since = f" (>= {state.acceptable_from})" if state.acceptable_from is not None and not state.there else ""
    return f"{'+' if state.there else '-'} {state.code}{since}"
