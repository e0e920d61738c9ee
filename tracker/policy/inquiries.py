"""What a person must look into: a parcel never handed on, a number that looks reused, a channel text nobody knows (R8)."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.dates import utc_text
from tracker.model import ActionKind, Decision, DecisionReason, Intent
from tracker.policy.cutover import before, danger_from, pressing, told
from tracker.policy.findings import Findings
from tracker.policy.ladder import evidence
from tracker.policy.opening import coming
from tracker.policy.untrackable import Trace
from tracker.policy.view import Parcel, View, standing


def inquire(view: View, out: Findings, traces: Mapping[str, Trace]) -> None:
    """Decide the inquiries about all parcels."""
    for parcel in view.parcels:
        shipment = parcel.shipment
        if shipment.matched and shipment.suspect is None and shipment.last_scan is not None and not view.dossier.effects:
            continue
        found = traces.get(shipment.number)
        waiting = found is not None and found.unscanned and shipment.suspect is None and parcel.gone is None
        if waiting and found is not None and before(view, found.unscanned_at) and not pressing(view):
            detail = told(view, found.unscanned_at)
            reason = DecisionReason.BEFORE_CUTOVER
            out.nothing(Intent.FORWARDER_INQUIRY.value, reason, shipment.number, detail, again=danger_from(view))
            waiting = False
        facts = {} if found is None else dict(found.evidence)
        if waiting and (opening := coming(view.dossier, view.rules, view.now)) is not None:
            facts["opens_at"] = utc_text(opening.opens)
        answered = DecisionReason.SILENCE_WITHIN_LIMIT if found is None else found.reason
        _ask(view, out, parcel, Intent.FORWARDER_INQUIRY, DecisionReason.NO_FIRST_SCAN_YET, facts, answered, wanted=waiting)
        settled = parcel.gone in {DecisionReason.REFUNDED, DecisionReason.REPLACED}
        doubtful = shipment.suspect is not None and not settled
        doubt = {"suspect": shipment.suspect or ""}
        _ask(view, out, parcel, Intent.SUSPECT, DecisionReason.NUMBER_LOOKS_REUSED, doubt, answered, wanted=doubtful)
        if not shipment.matched and shipment.service_text is not None:
            _ask_about_text(view, out, parcel, shipment.service_text)


def _ask(
    view: View,
    out: Findings,
    parcel: Parcel,
    intent: Intent,
    reason: DecisionReason,
    facts: Mapping[str, str],
    answered: DecisionReason,
    *,
    wanted: bool,
) -> None:
    """Ask a person while it is `wanted`; `answered` is why it no longer is."""
    subject = parcel.shipment.subject
    past = view.effects(intent, subject)
    if not wanted:
        out.take_back(past, parcel.gone or answered)
    elif standing(past) is not None:
        out.nothing(intent.value, DecisionReason.ALREADY_DONE, parcel.shipment.number)
    else:
        out.act(
            Decision(
                kind=ActionKind.TASK,
                reason=reason,
                rule=intent.value,
                subject=subject,
                intent=intent,
                shipment=parcel.shipment.number,
                evidence=evidence(parcel) | dict(facts),
            )
        )


def _ask_about_text(view: View, out: Findings, parcel: Parcel, text: str) -> None:
    """One task a text, not one a parcel: the text is the subject, so that the key is the same for every order that carries it."""
    subject = f"service/{' '.join(text.split())}"
    intent = Intent.SERVICE_UNMATCHED
    if standing(view.effects(intent, subject)) is not None:
        out.nothing(intent.value, DecisionReason.ALREADY_DONE, parcel.shipment.number, text)
        return
    if any(decision.subject == subject for decision in out.decided):
        return
    out.act(
        Decision(
            kind=ActionKind.TASK,
            reason=DecisionReason.SERVICE_NOT_MATCHED,
            rule=intent.value,
            subject=subject,
            intent=intent,
            shipment=parcel.shipment.number,
            evidence={"service_text": text},
        )
    )
