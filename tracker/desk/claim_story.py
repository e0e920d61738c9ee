"""Why a claim is as it is: terms, phase, day 0, window, payable with its arithmetic, papers, attempts, who files with whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tracker import compensation
from tracker.compensation import PaperState
from tracker.model import Claim, Dossier, Phase, Shipment
from tracker.rules import CompensationRule, Rules
from tracker.store.claims import ClaimView

_PHASES: Mapping[Phase, str] = {
    Phase.PRE_SCAN: "the carrier had not scanned it when the claim was opened",
    Phase.IN_TRANSIT: "the carrier had scanned it when the claim was opened",
    Phase.PICKUP: "the forwarder's driver collected it, and no warehouse booked it",
    Phase.ANY: "the terms do not ask for a phase",
}


def story(view: ClaimView, dossier: Dossier, shipment: Shipment, rules: Rules, now: datetime) -> dict[str, Any]:
    """Everything `tracker claims explain` shows, as plain values for `--json`."""
    claim = view.claim
    terms = compensation.terms_of(claim.rule, rules)
    _, today = compensation.origin_days(now, shipment.origin)
    cause = claim.loss_type.value
    span = None if terms is None else compensation.window(terms, shipment, dossier.order, cause)
    known = compensation.Known(
        weight_kg=claim.weight_kg,
        insured=claim.insured,
        insured_currency=claim.insured_currency,
        rates=rules.rates,
        on=today,
    )
    owed = None if terms is None else compensation.payable(terms, shipment, dossier.order, known)
    return {
        "claim": claim.id,
        "number": claim.number,
        "rule": claim.rule,
        "rule_is": "gone from the configuration" if terms is None else terms.evidence_of_rule,
        "unverified_fields": [] if terms is None else list(terms.unverified_fields),
        "not_paid_for": [] if terms is None else list(terms.exclusions),
        "seller_may_file": [] if terms is None else list(terms.seller_may_file),
        "phase": claim.phase,
        "phase_because": _PHASES[claim.phase],
        "cause": claim.cause,
        "loss_type": claim.loss_type,
        "liable": claim.liable,
        "clock": None if terms is None else terms.clock,
        "window": "the terms are gone from the configuration" if span is None else span.why,
        "earliest_on": claim.earliest_on,
        "latest_on": claim.latest_on,
        "days_left": _days_left(claim, today),
        "payable": claim.payable,
        "currency": claim.currency,
        "arithmetic": None if owed is None else owed.arithmetic,
        "papers": [_paper(each) for each in compensation.checklist(claim, terms, shipment)],
        "attempt": claim.attempt,
        "attempts_left": _attempts_left(claim, dossier, terms),
        "files": _files(view, terms, shipment),
        "state": claim.state,
        "possible": list(compensation.events_from(claim.state, inquiry_only=terms is not None and terms.inquiry_only)),
    }


def _days_left(claim: Claim, today: date) -> int | None:
    """Days on which it can still be filed, today included; 0 when the window is over, None where it has no known end."""
    return None if claim.latest_on is None else max((claim.latest_on - today).days + 1, 0)


def _attempts_left(claim: Claim, dossier: Dossier, terms: CompensationRule | None) -> int | None:
    """What was withdrawn before it was filed has used none."""
    most = None if terms is None else terms.max_attempts
    filed = sum(each.shipment == claim.shipment and each.filed_on is not None for each in dossier.claims)
    return None if most is None else max(most - filed, 0)


def _files(view: ClaimView, terms: CompensationRule | None, shipment: Shipment) -> str:
    """The sender files; a postal item's partner is the post of origin, whoever showed the last scans."""
    if terms is not None and terms.inquiry_only:
        return f"the sender asks {view.carrier or 'the carrier'} to search; nothing is paid"
    if terms is not None and "upu" in terms.carriers:
        origin = shipment.number[-2:] if shipment.number[-2:].isalpha() else shipment.origin
        return f"the sender files with the post of origin ({origin})"
    unsure = "" if terms is None or terms.evidence_of_rule == "verified" else "; the terms are not verified: look them up first"
    return f"the sender files with {view.carrier or 'the carrier'}{unsure}"


def _paper(state: PaperState) -> dict[str, Any]:
    paper = state.paper
    return {
        "code": state.code,
        "present": state.there,
        "file": None if paper is None else paper.file,
        "on": None if paper is None else paper.on,
        "acceptable_from": state.acceptable_from,
        "too_early": state.early,
    }
