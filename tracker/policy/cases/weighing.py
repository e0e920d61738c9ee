"""What our own facts say about a case: agree or reject, refund at once or look first (R9, R11, R12, R14, R63, R65, R66).

A recommendation, never an answer (D11). What a case hangs on stands in cases.toml; each way to weigh is one entry of `WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from tracker.dates import utc_text
from tracker.model import Case, CaseAdvice, Liable
from tracker.policy.liability import CUSTOMS, fault
from tracker.policy.view import Parcel, View
from tracker.rules import CaseRule


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What is advised, why (a word of [case_because]), on which facts, and when time alone can change it."""

    advice: CaseAdvice
    because: str = ""
    facts: Mapping[str, str] = {}
    again: datetime | None = None


_DOUBTED = Weighed(advice=CaseAdvice.VERIFY, because="number_in_doubt")


def weigh(view: View, case: Case, rule: CaseRule | None) -> Weighed:
    """The advice for one open case. Without a rule a person answers as he sees fit."""
    if rule is None:
        return Weighed(advice=CaseAdvice.ANSWER)
    order = view.order
    if case.kind.contested and order.refunded_at is not None and not order.paid_left:
        told = f"{order.refunded_amount or order.amount} {order.currency or ''}".strip()
        facts = {"refunded_at": utc_text(order.refunded_at), "refund": told, "reference": order.refund_reference or "-"}
        return Weighed(advice=CaseAdvice.SHOW_REFUND, because="refunded", facts=facts)
    return WAYS[rule.weigh](view, case, rule)


def concerned(view: View, case: Case) -> Sequence[Parcel]:
    """The parcel that the case names, else all of the order."""
    mine = [parcel for parcel in view.parcels if parcel.shipment.number == case.shipment]
    return mine or view.parcels


def without_trace(view: View, parcels: Sequence[Parcel]) -> bool:
    """Whether sources answered about every one of these parcels, and none of them was ever scanned (R9).

    What an aggregator says of a number that it was only just told is no answer yet; nor is anything about a number in doubt.
    """
    return bool(parcels) and all(_answered(view, parcel) and not _seen(parcel) for parcel in parcels)


def _answered(view: View, parcel: Parcel) -> bool:
    shipment = parcel.shipment
    heard, known = shipment.last_answer_at, shipment.registered_at
    fresh = timedelta(hours=view.rules.untrackable.fresh_not_found_hours)
    return shipment.suspect is None and heard is not None and (known is None or heard >= known + fresh)


def _seen(parcel: Parcel) -> bool:
    """Whether it was scanned itself: the scans under a number in doubt are somebody else's, and no evidence (faults row 17)."""
    shipment = parcel.shipment
    return shipment.suspect is None and (shipment.first_scan is not None or shipment.last_scan is not None)


def _in_doubt(parcels: Sequence[Parcel]) -> bool:
    return bool(parcels) and all(parcel.shipment.suspect is not None for parcel in parcels)


def _fixed(_view: View, _case: Case, rule: CaseRule) -> Weighed:
    return Weighed(advice=rule.advice)


def _tracking(view: View, case: Case, rule: CaseRule) -> Weighed:
    """R9: nothing there, refund at once; something there, reject with evidence; nobody asked yet, look first."""
    parcels = concerned(view, case)
    if any(_seen(parcel) for parcel in parcels):
        return Weighed(advice=CaseAdvice.REJECT, because="tracking_shows_it")
    if _in_doubt(parcels):
        return _DOUBTED
    if without_trace(view, parcels):
        return Weighed(advice=CaseAdvice.REFUND_NOW, because="tracking_shows_nothing")
    return Weighed(advice=rule.advice, because="nobody_answered_yet")


def _promise(view: View, case: Case, rule: CaseRule) -> Weighed:
    """R11, R12: past the promised date the platform rules for the buyer; before it, for who can show that the parcel travels."""
    parcels = concerned(view, case)
    doubted = _in_doubt(parcels)
    if parcels and not doubted and all(parcel.shipment.delivered for parcel in parcels):
        scan = parcels[0].shipment.delivered_scan
        facts = {} if scan is None else {"delivery": utc_text(scan.latest)}
        return Weighed(advice=CaseAdvice.REJECT, because="delivered", facts=facts)
    if parcels and not doubted and all(parcel.returned for parcel in parcels):
        return Weighed(advice=CaseAdvice.AGREE, because="went_back")
    promised = view.order.promised_at
    if promised is None and doubted:
        return _DOUBTED
    if promised is None:
        return Weighed(advice=rule.advice, because="promise_unknown")
    facts = {"promised_by": utc_text(promised)}
    if view.now > promised:
        return Weighed(advice=CaseAdvice.AGREE, because="promise_passed", facts=facts)
    if doubted:
        return replace(_DOUBTED, facts=facts, again=promised)
    return Weighed(advice=CaseAdvice.REJECT, because="promise_stands", facts=facts, again=promised)


def _liability(view: View, case: Case, rule: CaseRule) -> Weighed:
    """R14: by who caused it. What the buyer did not clear is his, once the carrier certifies it."""
    own = [parcel.shipment for parcel in concerned(view, case) if parcel.shipment.suspect is None]
    held = [shipment for shipment in own if shipment.reason is not None]
    found = [fault(shipment, view.rules) for shipment in sorted(held, key=lambda each: each.reason not in CUSTOMS)]
    mine = next((each for each in found if each.liable in {Liable.SELLER, Liable.BUYER}), None)
    if mine is None:
        return Weighed(advice=rule.advice, because="cause_unknown")
    facts = {"liable": mine.told}
    if mine.liable is Liable.SELLER:
        return Weighed(advice=CaseAdvice.AGREE, because="seller_caused_it", facts=facts)
    advice = CaseAdvice.GET_CERTIFICATE if mine.certificate else CaseAdvice.REJECT
    return Weighed(advice=advice, because="buyer_did_not_clear", facts=facts)


def _journey(view: View, case: Case, rule: CaseRule) -> Weighed:
    """R63: not shipped, cancel; R65: told as shipped but seen nowhere, refund early; R66: on its way, ask him to look first."""
    order, parcels = view.order, concerned(view, case)
    if any(_seen(parcel) for parcel in parcels):
        return Weighed(advice=CaseAdvice.PERSUADE, because="on_its_way")
    shipped = order.shipped_at is not None or order.confirmed_at is not None
    if shipped or any(parcel.shipment.shipped_at is not None for parcel in parcels):
        return Weighed(advice=CaseAdvice.REFUND_EARLY, because="shipped_but_unseen")
    return Weighed(advice=rule.advice, because="not_shipped")


WAYS: Mapping[str, Callable[[View, Case, CaseRule], Weighed]] = {
    "fixed": _fixed,
    "tracking": _tracking,
    "promise": _promise,
    "liability": _liability,
    "journey": _journey,
}
"""What `weigh` of cases.toml can say."""
