"""Open cases: what a person has to do, by when, and what our own facts advise (cases.toml, time-rules.toml)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingReason, TrackingStatus
from tests.policy.build import RULES as PLAIN
from tests.policy.build import at, day, decision, delivered, dossier, effect, evidence, keys, order, parcel, refund, scan, why
from tracker import config
from tracker.model import (
    ActionKind,
    Case,
    CaseAdvice,
    CaseKind,
    CaseReason,
    DateSource,
    Decision,
    DecisionReason,
    Intent,
    OutboxState,
    Remedy,
    Shipment,
    TaskState,
    Verdict,
)
from tracker.policy import decide
from tracker.policy.cases import TASKS
from tracker.rules import RemedyRule

R = DecisionReason
A = CaseAdvice
K = CaseKind
SHIPPED = config.load(None, environ={}).rules
RULES = replace(SHIPPED, stores=PLAIN.stores)
"""The rules as they ship, with the shops of these tests."""


def case(kind: CaseKind = K.DISPUTE, reason: CaseReason = CaseReason.NOT_RECEIVED, opened: float = 50, **change: Any) -> Case:
    values: dict[str, Any] = {"id": "C-1", "kind": kind, "reason": reason, "opened_at": day(opened)}
    return Case(**(values | change))


def when(count: float, case_: Case, *shipments: Shipment, **change: Any) -> Verdict:
    parcels = shipments or (parcel(last=49),)
    return at(count, *parcels, rules=RULES, cases=(case_,), **change)


def told(verdict: Verdict, intent: Intent = Intent.CASE_ANSWER) -> Mapping[str, str]:
    return evidence(verdict, intent)


def made(wanted: Decision, on: float = 50.5, task: TaskState = TaskState.OPEN, **change: Any) -> Any:
    """The task that a decision became."""
    return effect(wanted.intent, on, kind=ActionKind.TASK, occasion=wanted.occasion, task=task, **change)


NOWHERE = parcel(last=None, heard=3.4)
"""A parcel that no source has seen, long before that proves anything by itself."""
EARLY = case(reason=CaseReason.TRACKING_INVALID, opened=3)


# ------------------------------------------------------------------------------------------------------------------- advice


@pytest.mark.parametrize(
    ("reason", "promised", "advice"),
    [
        (CaseReason.NOT_RECEIVED, 55, A.REJECT),
        (CaseReason.NOT_RECEIVED, 49, A.AGREE),
        (CaseReason.NOT_RECEIVED, None, A.PROPOSE),
        (CaseReason.IN_TRANSIT, 55, A.REJECT),
        (CaseReason.SLOW_LOGISTICS, 40, A.AGREE),
    ],
)
@pytest.mark.parametrize("opened", [20, 50])
def test_r11_r12_late_is_agreed_to_and_not_late_rejected_with_evidence(
    reason: CaseReason, promised: float | None, advice: CaseAdvice, opened: float
) -> None:
    """R11, R12: the promised date decides, whether the dispute was opened before or after day 45."""
    promised_at = None if promised is None else day(promised)
    found = told(when(50.5, case(reason=reason, opened=opened), promised_at=promised_at))
    assert found["advice"] == advice.value
    assert "reject_with_evidence" in found["options"]
    assert "evidence_pack" in found["checklist"]
    assert ("promised_by" in found) is (promised is not None)


def test_r11_the_advice_turns_when_the_promised_date_passes() -> None:
    """R11: the task says what holds now; the older one is taken back, unless somebody has it in hand."""
    mine = case()
    first = when(50.5, mine, promised_at=day(52))
    assert first.next_at is not None
    assert first.next_at <= day(52)
    wanted = decision(first, Intent.CASE_ANSWER)
    later = when(52.5, mine, promised_at=day(52), effects=(made(wanted),))
    assert told(later)["advice"] == A.AGREE.value
    assert made(wanted).key in dict(later.withdraw)
    busy = when(52.5, mine, promised_at=day(52), effects=(made(wanted, task=TaskState.IN_HAND),))
    assert not [each for each in busy.decisions if each.intent is Intent.CASE_ANSWER]


@pytest.mark.parametrize(
    ("shipment", "advice"),
    [(parcel(last=2), A.REJECT), (NOWHERE, A.REFUND_NOW)],
    ids=["seen", "nowhere"],
)
def test_r9_a_dispute_about_tracking_is_verified_against_our_own(shipment: Shipment, advice: CaseAdvice) -> None:
    """R9: nothing there, refund at once; something there, evidence and a proposal."""
    assert told(when(3.5, EARLY, shipment))["advice"] == advice.value


def test_r9_d6_a_dispute_without_any_tracking_urges_the_refund() -> None:
    """R9, D6: recommended at once, urgent, and with what the dispute costs; never paid by itself (D11)."""
    verdict = when(3.5, EARLY, NOWHERE)
    found = decision(verdict, Intent.REFUND)
    assert (found.reason, found.urgent) == (R.DISPUTED_WITHOUT_TRACKING, True)
    assert found.evidence["cost_of_a_dispute"] == "7 days of freeze"
    assert found.evidence["case"] == "C-1"
    seen = when(3.5, EARLY, parcel(last=2))
    assert Intent.REFUND not in {each.intent for each in seen.decisions}


def test_r9_unknown_stays_unknown() -> None:
    """DESIGN promise 2: no source has answered about it, so nothing is proven; look first."""
    verdict = decide(dossier(parcel(last=None), cases=(EARLY,)), RULES, day(3.5))
    assert told(verdict)["advice"] == A.VERIFY.value
    assert Intent.REFUND not in {each.intent for each in verdict.decisions}


def test_r9_what_an_aggregator_says_of_a_number_it_was_just_told_proves_nothing() -> None:
    """R9, DESIGN promise 2: it was registered an hour before the answer; two days later the same answer counts."""
    just = replace(NOWHERE, registered_at=day(3.35))
    verdict = when(3.5, EARLY, just)
    assert told(verdict)["advice"] == A.VERIFY.value
    assert Intent.REFUND not in {each.intent for each in verdict.decisions}
    assert told(when(3.5, EARLY, replace(NOWHERE, registered_at=day(1))))["advice"] == A.REFUND_NOW.value


@pytest.mark.parametrize(
    ("reason", "promised", "advice"),
    [
        (CaseReason.TRACKING_INVALID, None, A.VERIFY),
        (CaseReason.NOT_RECEIVED, None, A.VERIFY),
        (CaseReason.NOT_RECEIVED, 60, A.VERIFY),
        (CaseReason.NOT_RECEIVED, 49, A.AGREE),
    ],
)
@pytest.mark.parametrize("arrived", [True, False])
def test_r9_r11_scans_under_a_number_in_doubt_are_no_evidence(
    arrived: bool, reason: CaseReason, promised: float | None, advice: CaseAdvice
) -> None:
    """R9, R11, faults row 17: they are another parcel's; nobody rejects a case with a stranger's proof of delivery."""
    strange = replace(delivered(parcel(last=45), 45) if arrived else parcel(last=49), suspect="other_destination")
    verdict = when(50.5, case(reason=reason), strange, promised_at=None if promised is None else day(promised))
    assert told(verdict)["advice"] == advice.value


@pytest.mark.parametrize(
    ("reason", "text", "advice", "liable"),
    [
        (TrackingReason.SEIZED, "Seized: counterfeit goods", A.AGREE, "seller"),
        (TrackingReason.CUSTOMS_HOLD, "Held, invoice missing", A.AGREE, "seller"),
        (TrackingReason.CUSTOMS_REFUSED, "Duty not paid by the recipient", A.GET_CERTIFICATE, "buyer, once"),
        (None, "Departed", A.GET_CERTIFICATE, None),
    ],
)
def test_r14_a_customs_dispute_goes_by_who_caused_it(
    reason: TrackingReason | None, text: str, advice: CaseAdvice, liable: str | None
) -> None:
    """R14: counterfeit, under-declared, papers missing are the seller's; not cleared the buyer's, if the carrier certifies it."""
    held = parcel(last=49, reason=reason, last_scan=scan(49, description=text))
    found = told(when(50.5, case(reason=CaseReason.CUSTOMS), held))
    assert found["advice"] == advice.value
    assert "carrier_certificate" in found["checklist"]
    assert (found.get("liable") or "").startswith(liable or "")


def test_r27_a_short_shipment_wants_photos_on_the_scale() -> None:
    """R27: unit weight, whole parcel, the slip, the carrier's certificate."""
    found = told(when(50.5, case(reason=CaseReason.SHORT)))
    assert found["checklist"].split(", ") == [
        "unit_weight_photos",
        "parcel_weight_photos",
        "shipping_slip",
        "carrier_weight_certificate",
    ]


def test_r39_damaged_goods_are_negotiated_and_then_closed() -> None:
    """R39: confirm the condition, partial or full refund, then have the case closed."""
    found = told(when(50.5, case(reason=CaseReason.DAMAGED)))
    assert found["options"].split(", ") == ["partial_refund", "reship", "refund", "ask_to_close"]
    assert found["proposes"] == "partial_refund"


@pytest.mark.parametrize(
    ("amount", "reason", "remedy"),
    [
        ("6", CaseReason.DAMAGED, "full_refund"),
        ("40", CaseReason.DAMAGED, "partial_refund"),
        ("40", CaseReason.QUALITY, "partial_refund"),
    ],
)
def test_r40_what_is_proposed_goes_by_the_value_of_the_goods(amount: str, reason: CaseReason, remedy: str) -> None:
    """R40: the table of tracker.toml; a recommendation only."""
    found = told(when(50.5, case(K.NOT_AS_DESCRIBED, reason), amount=Decimal(amount)))
    assert found["proposes"] == remedy


@pytest.mark.parametrize(
    ("amount", "promised", "recommended"),
    [("6.00", 49, True), ("6.00", 55, False), ("40.00", 49, False)],
)
def test_r41_cheap_goods_are_refunded_early_in_a_case_that_will_be_lost(amount: str, promised: float, recommended: bool) -> None:
    """R41: the platform sides with the buyer; a fight costs more than the goods. Where we are on time, we fight."""
    verdict = when(50.5, case(K.INQUIRY), amount=Decimal(amount), promised_at=day(promised))
    reasons = [each.reason for each in verdict.decisions if each.intent is Intent.REFUND]
    assert reasons == ([R.CASE_CHEAPER_REFUNDED] if recommended else [])


@pytest.mark.parametrize(
    "reason", [CaseReason.NOT_RECEIVED, CaseReason.NOT_AS_DESCRIBED, CaseReason.RETURN_NOT_REFUNDED, CaseReason.RETURN_REFUSED]
)
def test_r74_r75_r76_r77_r78_an_a_to_z_claim_lists_its_options_and_both_clocks(reason: CaseReason) -> None:
    """R74: each reason; R75: answered within 72 hours; R76: withdrawn within 3 days; R77: concessions; R78: represent."""
    mine = case(K.A_TO_Z, reason)
    verdict = when(50.5, mine, platform="amazon")
    assert decision(verdict, Intent.CASE_ANSWER).deadline == mine.opened_at + timedelta(hours=72)
    found = told(verdict)
    assert found["options"].split(", ") == ["refund", "partial_refund", "reship", "gift", "represent"]
    assert found["other_clocks"].startswith("amazon.atoz.withdraw 2026-05-24")
    assert "evidence_pack" in found["checklist"]


def test_r76_of_the_clocks_beside_the_answer_all_are_told_that_have_a_date() -> None:
    """R76: two of them are two lines of knowledge; one that is switched off, or counts from what nobody knows, is none."""
    clocks = ("amazon.atoz.withdraw", "amazon.atoz.appeal", "amazon.confirm", "switched.off")
    more = replace(SHIPPED.cases, rules=tuple(replace(each, clocks=clocks) for each in SHIPPED.cases.rules))
    table = replace(RULES, cases=more)

    def clocks_of(**change: Any) -> list[str]:
        found = told(at(50.5, parcel(last=49), rules=table, cases=(case(K.A_TO_Z),), platform="amazon", **change))
        return [each.split()[0] for each in found.get("other_clocks", "").split(", ")]

    assert clocks_of(ship_by=day(-2)) == ["amazon.atoz.withdraw", "amazon.confirm"]
    assert clocks_of() == ["amazon.atoz.withdraw"]


def test_r13_evidence_by_a_clock_that_is_switched_off_is_no_task() -> None:
    """R13: without the table's date, and none of the platform, nobody knows until when."""
    off = {name: tuple(each for each in group if each.id != "ae.evidence") for name, group in SHIPPED.times.items()}
    verdict = at(50.5, parcel(last=49), rules=replace(RULES, times=off), cases=(case(reason=CaseReason.IN_TRANSIT),))
    assert {Intent.CASE_ANSWER} == {each.intent for each in verdict.decisions if each.intent in TASKS}


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (CaseReason.STOLEN_CARD, A.REPRESENT),
        (CaseReason.DOUBLE_CHARGE, A.REPRESENT),
        (CaseReason.NOT_AS_DESCRIBED, A.REPRESENT),
        (CaseReason.NOT_RECEIVED, A.AGREE),
    ],
)
def test_r79_r80_a_chargeback_is_represented_or_refunded_within_seven_days(reason: CaseReason, advice: CaseAdvice) -> None:
    """R79: seven calendar days of the mail; R80: by the bank's reason."""
    mine = case(K.CHARGEBACK, reason)
    verdict = when(50.5, mine, platform="amazon", promised_at=day(45))
    assert decision(verdict, Intent.CASE_ANSWER).deadline == day(57)
    assert told(verdict)["advice"] == advice.value


@pytest.mark.parametrize(
    ("kind", "shipment", "facts", "advice"),
    [
        (K.CANCEL_REQUEST, None, {"shipped_at": None}, A.CANCEL),
        (K.CANCEL_REQUEST, parcel(last=None), {}, A.REFUND_EARLY),
        (K.CANCEL_REQUEST, parcel(last=49), {}, A.PERSUADE),
        (K.RETURN_REQUEST, parcel(last=None), {}, A.REFUND_EARLY),
        (K.RETURN_REQUEST, delivered(parcel(), 40), {}, A.PERSUADE),
    ],
)
def test_r63_r65_r66_who_wants_out_is_answered_by_how_far_the_parcel_is(
    kind: CaseKind, shipment: Shipment | None, facts: dict[str, Any], advice: CaseAdvice
) -> None:
    """R63: not shipped, cancel; R65: told as shipped but unseen, refund early; R66: else he looks first."""
    shipments = () if shipment is None else (shipment,)
    verdict = at(50.5, *shipments, rules=RULES, cases=(case(kind, CaseReason.OTHER),), **facts)
    assert told(verdict)["advice"] == advice.value


def test_r69_a_return_request_wants_its_address_within_48_hours() -> None:
    """R69: a person gives the address; the clock is ours."""
    mine = case(K.RETURN_REQUEST, CaseReason.OTHER)
    verdict = when(50.5, mine, platform="amazon")
    assert decision(verdict, Intent.CASE_ANSWER).deadline == mine.opened_at + timedelta(hours=48)
    assert "give_return_address" in told(verdict)["options"]


@pytest.mark.parametrize(
    ("platform", "within"), [("amazon", timedelta(hours=24)), ("taobao", timedelta(minutes=5)), ("aliexpress", None)]
)
def test_r55_r82_r83_r44_a_message_has_the_platforms_clock(platform: str, within: timedelta | None) -> None:
    """R55: 24 hours at Amazon; R82, R83: five minutes at Taobao; elsewhere none (R44: soft)."""
    mine = case(K.BUYER_MESSAGE, CaseReason.UNKNOWN)
    found = decision(when(50.001, mine, platform=platform), Intent.CASE_ANSWER)
    assert found.deadline == (None if within is None else mine.opened_at + within)
    assert found.evidence["options"] == "answer, no_answer_needed"


def test_r24_r72_r102_r51_r106_a_bad_review_is_solved_and_its_logistics_cause_tagged() -> None:
    """R24, R72, R102: reason first, then a solution, never a benefit for another review (D5b); R51, R106: ours or not."""
    slow = told(when(50.5, case(K.BAD_REVIEW, CaseReason.SLOW_LOGISTICS)))
    assert (slow["advice"], slow["logistics_cause"]) == (A.SOLVE.value, "yes")
    assert slow["options"].split(", ")[0] == "find_reason"
    assert "logistics_cause" not in told(when(50.5, case(K.LOW_SCORE, CaseReason.QUALITY)))


def test_r43_r42_the_account_and_cases_go_before_what_buyers_write() -> None:
    """R43: an alert of the platform is the most urgent thing; R42: cases rank above messages."""
    urgent = {kind: decision(when(50.5, case(kind, CaseReason.OTHER)), Intent.CASE_ANSWER).urgent for kind in CaseKind}
    assert {kind for kind, high in urgent.items() if not high} == {K.BUYER_MESSAGE, K.BAD_REVIEW, K.LOW_SCORE}
    assert told(when(50.5, case(K.ACCOUNT_ALERT, CaseReason.OTHER)))["advice"] == A.SAVE_ACCOUNT.value


def test_r49_a_risky_buyer_is_fought_or_put_before_the_platform() -> None:
    """R49: appeal, or ask the platform to step in."""
    found = told(when(50.5, case(), risky=True))
    assert found["options"].split(", ")[0] == "appeal_or_step_in"
    assert found["risky_buyer"] == "yes"


def test_who_was_refunded_is_shown_the_refund() -> None:
    """D13: what is done is said, with its reference."""
    paid = order().amount
    mine = case(opened=50)
    found = told(when(50.5, mine, refunded_at=day(48), refunded_amount=paid, refund_reference="R-1"))
    assert (found["advice"], found["refund"], found["reference"]) == (A.SHOW_REFUND.value, "30.00 USD", "R-1")


# -------------------------------------------------------------------------------------------------------------------- tasks


@pytest.mark.parametrize(
    ("change", "due", "source"),
    [
        ({}, datetime(2026, 5, 27, 1, 0, tzinfo=UTC), "table"),
        ({"due_at": day(51), "due_source": DateSource.TYPED}, day(51), "typed"),
        ({"due_at": day(59), "due_source": DateSource.API}, day(59), "api"),
    ],
)
def test_r33_d3_the_answer_is_due_by_the_marketplaces_own_clock(change: dict[str, Any], due: datetime, source: str) -> None:
    """R33: three business days at eBay, Memorial Day among them (D8); a date that was told is believed (D3)."""
    verdict = when(50.5, case(K.INQUIRY, **change), platform="ebay", country="US")
    found = decision(verdict, Intent.CASE_ANSWER)
    assert (found.deadline, found.evidence["answer_by_source"]) == (due, source)


def test_a_changed_date_opens_a_new_task_and_takes_the_old_one_back() -> None:
    """R10: the buyer has changed what he wants, and the clock starts again."""
    first = decision(when(50.5, case(due_at=day(53))), Intent.CASE_ANSWER)
    open_ = made(first)
    same = when(51, case(due_at=day(53)), effects=(open_,))
    assert Intent.CASE_ANSWER not in {each.intent for each in same.decisions}
    moved = when(51, case(due_at=day(58)), effects=(open_,))
    assert decision(moved, Intent.CASE_ANSWER).deadline == day(58)
    assert open_.key in dict(moved.withdraw)


@pytest.mark.parametrize(
    ("change", "reason"), [({"closed_at": day(51)}, R.CASE_CLOSED), ({"answered_at": day(51)}, R.CASE_ANSWERED)]
)
def test_tasks_take_themselves_back_when_the_case_is_answered_or_closed(change: dict[str, Any], reason: DecisionReason) -> None:
    """D17: nobody looks at work that is no more; R56: no answer needed closes it too."""
    open_ = made(decision(when(50.5, case()), Intent.CASE_ANSWER))
    verdict = when(51.5, case(**change), effects=(open_,))
    assert dict(verdict.withdraw)[open_.key] is reason
    assert not [each for each in verdict.decisions if each.intent in TASKS]


def test_r13_evidence_is_due_three_days_after_the_platforms_notice() -> None:
    """R13: the table's date, or the one that the platform itself has named."""
    verdict = when(50.5, case(reason=CaseReason.IN_TRANSIT))
    found = decision(verdict, Intent.CASE_EVIDENCE)
    assert found.deadline == day(53)
    assert "shipping_receipt" in found.evidence["checklist"]
    named = when(50.5, case(K.CHARGEBACK, CaseReason.STOLEN_CARD, evidence_due_at=day(52)), effects=(made(found),))
    assert decision(named, Intent.CASE_EVIDENCE).deadline == day(52)
    assert Intent.CASE_EVIDENCE not in {each.intent for each in when(50.5, case()).decisions}


@pytest.mark.parametrize("how", ["refunded", "sent again"])
def test_r40_only_who_was_helped_is_asked_to_close(how: str) -> None:
    """R40: the text goes after the solution was carried out, in the place of the answer."""
    open_ = made(decision(when(50.5, case()), Intent.CASE_ANSWER))
    again = effect(Intent.RESHIP, 51, kind=ActionKind.TASK, task=TaskState.DONE)
    facts = {"refunded_at": day(51), "refunded_amount": order().amount} if how == "refunded" else {}
    verdict = when(51.5, case(), effects=(open_, *(() if facts else (again,))), **facts)
    assert decision(verdict, Intent.CASE_CLOSE).reason is R.SOLUTION_CARRIED_OUT
    assert dict(verdict.withdraw)[open_.key] is R.SOLUTION_CARRIED_OUT
    before = when(51.5, case(opened=51.2), effects=() if facts else (again,), **facts)
    assert Intent.CASE_CLOSE not in {each.intent for each in before.decisions}


def test_d15_only_contested_money_and_a_waiting_buyer_stop_outreach() -> None:
    """D15: a dispute, or a message without an answer; a bad review or an answered message does not."""
    slow = parcel(last=20)
    stops = {
        K.DISPUTE: R.DISPUTE_OPEN,
        K.BUYER_MESSAGE: R.BUYER_WAITS,
        K.BAD_REVIEW: None,
        K.RETURN_REQUEST: None,
    }
    for kind, reason in stops.items():
        verdict = at(31, slow, rules=RULES, cases=(case(kind, opened=30.9),))
        assert why(verdict, "ladder") is reason, kind
        assert ("stage1:0" in keys(verdict)) is (reason is None)
    answered = at(31, slow, rules=RULES, cases=(case(K.BUYER_MESSAGE, opened=30, answered_at=day(30.5)),))
    assert "stage1:0" in keys(answered)


def test_cases_go_on_when_the_order_is_over() -> None:
    """A chargeback comes months after: deadlines do not end with the order (DESIGN)."""
    verdict = when(50.5, case(K.CHARGEBACK), delivered(parcel(), 40), received_at=day(41))
    assert Intent.CASE_ANSWER in {each.intent for each in verdict.decisions}


def test_a_case_that_no_rule_knows_is_answered_as_a_person_sees_fit() -> None:
    verdict = at(50.5, parcel(last=49), cases=(case(),))
    assert evidence(verdict, Intent.CASE_ANSWER)["advice"] == A.ANSWER.value


def test_r40_a_table_that_says_wait_proposes_nothing() -> None:
    """R40: whoever would rather wait than give is told what is claimed, and no remedy."""
    table = replace(RULES, remedies=(RemedyRule(id="patience", causes=frozenset({"not_received"}), remedy=Remedy.WAIT),))
    found = told(at(50.5, parcel(last=49), rules=table, cases=(case(amount=Decimal(9), currency="USD"),)))
    assert (found["claimed"], "proposes" in found) == ("9 USD", False)


def test_a_case_about_an_order_whose_parcel_has_no_day_0_tells_its_status_alone() -> None:
    """D1, promise 2: typed in with a number and nothing else; nobody knows how long it has been on its way."""
    bare = parcel(last=None, shipped_at=None)
    found = told(when(50.5, case(), bare, shipped_at=None, paid_at=None))
    assert ("age_days" in found, found["status"], "last_scan_at" in found) == (False, bare.status.value, False)


def test_a_refund_that_a_person_refused_is_not_urged_again() -> None:
    """D2: the same reason, nothing new."""
    no = refund(3.2, R.DISPUTED_WITHOUT_TRACKING, state=OutboxState.CANCELLED, rejected=True, decided_at=day(3.3))
    verdict = when(3.5, EARLY, NOWHERE, effects=(no,))
    assert Intent.REFUND not in {each.intent for each in verdict.decisions}


def test_a_parcel_that_went_back_loses_the_case() -> None:
    back = parcel(last=49, status=TrackingStatus.RETURNED)
    assert told(when(50.5, case(), back, promised_at=day(60)))["advice"] == A.AGREE.value
    assert told(when(50.5, case(), delivered(parcel(), 40), promised_at=day(30)))["advice"] == A.REJECT.value
