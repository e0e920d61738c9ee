"""The ladder: what a slow parcel's buyer is told, and when (R1, R2, R5; facts/messages.md section 2).

Stages have names and are tuned in days since day 0. The most severe stage that is due acts; earlier ones that were missed are
skipped with a reason. Stage 3 is no message: it is the recommendation of tracker.policy.refunds, and its text follows the
refund (D13). The slot belongs to the order: several parcels share it, and the text speaks of the most delayed one (D12).
"""

from __future__ import annotations

from datetime import datetime

from carriers.model import TrackingReason
from tracker.dates import utc_text
from tracker.messages import MESSAGE_TYPES
from tracker.model import ActionKind, Decision, DecisionReason, Effect, Intent
from tracker.policy.cutover import left_behind, sent_after_all, stands
from tracker.policy.findings import Findings
from tracker.policy.slots import OUTLASTS, allowed, outreach_stop
from tracker.policy.view import Parcel, View, standing
from tracker.rules import STAGES

MESSAGES = (Intent.STAGE1, Intent.STAGE2)
"""The stages that write; each is a round of the issue (R45)."""

COUNTED = frozenset(Intent(each.slot) for each in MESSAGE_TYPES.values() if each.kind.counts)
"""The slots of stages and answers: each message is a round."""

RULE = "ladder"


def climb(view: View, out: Findings) -> None:
    """Decide the stages that write to the buyer."""
    stop = outreach_stop(view)
    if stop is not None:
        reason, until = stop
        out.nothing(RULE, reason, again=until)
        if reason not in OUTLASTS:
            for stage in MESSAGES:
                out.take_back(view.effects(stage), reason)
        return
    expected = [parcel for parcel in view.expected if not _turned_around(parcel)]
    if view.expected and not expected:
        # "On its way" would be untrue: the refund, and the text that follows it, speak of such a parcel.
        reason = DecisionReason.CARRIER_SAYS_LOST if view.expected[0].lost else DecisionReason.RETURNED_TO_SENDER
        out.nothing(RULE, reason, view.expected[0].shipment.number)
        for stage in MESSAGES:
            out.take_back(view.effects(stage), reason)
        return
    parcels = [parcel for parcel in expected if parcel.shipment.suspect is None and parcel.started is not None]
    if not parcels:
        out.nothing(RULE, DecisionReason.NO_DAY_ZERO)
        return
    lead = parcels[0] if len(parcels) == 1 else max(parcels, key=_delay)
    first, second = view.effects(Intent.STAGE1), view.effects(Intent.STAGE2)
    _step(view, out, lead, 0, first, later=lead.reached > 0 or standing(second) is not None)
    _step(view, out, lead, 1, second, later=lead.reached > 1)
    for parcel in parcels:
        # The next stage of any parcel changes who speaks, or what is skipped.
        out.again(next((due for due in parcel.dues[parcel.reached + 1 :] if due is not None), None))


def _turned_around(parcel: Parcel) -> bool:
    """Lost, says the carrier, or on its way back."""
    return parcel.lost or parcel.shipment.reason is TrackingReason.RETURNING


def _delay(parcel: Parcel) -> tuple[int, int, str]:
    """The most delayed parcel is the one furthest up its ladder, then the oldest."""
    return parcel.reached, parcel.age, parcel.shipment.number


def _step(view: View, out: Findings, lead: Parcel, index: int, effects: list[Effect], *, later: bool) -> None:
    stage, due = STAGES[index], lead.dues[index]
    rule = f"{lead.profile.id}.{stage.value}"
    used, left = standing(effects), left_behind(view, index, due)
    if used is not None and stands(used, left):
        out.nothing(rule, DecisionReason.ALREADY_DONE, detail=used.state.value)
        if later:
            out.take_back([used], DecisionReason.SUPERSEDED_BY_LATER_STAGE)
    elif left is not None and not (later and left.reason is DecisionReason.BEFORE_CUTOVER):
        out.nothing(rule, left.reason, lead.shipment.number, left.detail)
        out.take_back(effects, left.reason)
    elif later:
        out.nothing(rule, DecisionReason.SUPERSEDED_BY_LATER_STAGE, lead.shipment.number)
        out.take_back(effects, DecisionReason.SUPERSEDED_BY_LATER_STAGE)
    elif due is None or due > view.now:
        out.nothing(rule, DecisionReason.NOT_YET_DUE, lead.shipment.number, again=due)
    elif not allowed(view, stage.value):
        out.nothing(rule, DecisionReason.SWITCHED_OFF)
    elif rounds(view) >= view.rules.manners.rounds:
        out.nothing(rule, DecisionReason.ROUNDS_USED_UP, detail=str(rounds(view)))
    elif not view.fresh(lead, view.rules.manners.facts_age_message_hours):
        out.wait_for_facts(rule, lead, "a message needs facts of the last 48 hours")
    else:
        out.act(_message(view, lead, stage, rule, due))
        out.keep_day0(lead)


def rounds(view: View) -> int:
    """Messages of this issue that reached, or may have reached, the buyer, outside of this product too (R45)."""
    if not view.dossier.effects:
        return len(view.order.contacted)
    subject = view.order.subject
    mine = (effect for effect in view.dossier.effects if effect.intent in COUNTED and effect.subject == subject)
    return len(view.order.contacted) + sum(effect.acted for effect in mine)


def _message(view: View, lead: Parcel, stage: Intent, rule: str, due: datetime) -> Decision:
    return Decision(
        kind=ActionKind.MESSAGE,
        reason=DecisionReason.STAGE_DUE,
        rule=rule,
        subject=view.order.subject,
        intent=stage,
        shipment=lead.shipment.number,
        template=stage.value,
        not_before=due,
        deadline=next((at for at in lead.dues[STAGES.index(stage) + 1 :] if at is not None), None),
        approved_by=sent_after_all(view, stage),
        evidence=evidence(lead) | _whose_days(view, lead) | {"due_at": utc_text(due)},
    )


def _whose_days(view: View, lead: Parcel) -> dict[str, str]:
    """Where the days of this ladder come from, if not from the destination's own table."""
    if view.order.stages:
        return {"ladder": "order"}
    store = view.rules.stores.get(view.order.store)
    if store is not None and lead.profile.id in store.stages:
        return {"ladder": "store"}
    return {"own_deliveries": str(lead.profile.learned)} if lead.profile.learned else {}


def evidence(parcel: Parcel) -> dict[str, str]:
    """The facts about a parcel that every decision about it carries."""
    shipment = parcel.shipment
    facts = {"age_days": str(parcel.age), "status": shipment.status.value}
    if parcel.day0 is not None:
        facts["day0"] = utc_text(parcel.day0)
    if shipment.reason is not None:
        facts["status_reason"] = shipment.reason.value
    if shipment.last_scan is not None:
        facts["last_scan"] = shipment.last_scan.description
        facts["last_scan_at"] = utc_text(shipment.last_scan.latest)
    if shipment.last_answer_at is not None:
        facts["last_answer_at"] = utc_text(shipment.last_answer_at)
    if shipment.stopped_at is not None:
        facts["source_stopped_looking_at"] = utc_text(shipment.stopped_at)
    return facts
