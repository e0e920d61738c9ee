"""Explain: every decision can be told, "nothing" too, in the same words everywhere (promise 3)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.policy.build import RULES, day, delivered, dossier, effect, parcel, refund, window
from tracker.config import english
from tracker.explain import Explanation, changes, explain, sentence
from tracker.explain import to_text as told_in
from tracker.model import (
    Advisory,
    Case,
    CaseKind,
    DecisionReason,
    Dossier,
    HoldReason,
    Intent,
    NotFound,
    OutboxState,
    Release,
    ReleaseVerdict,
    Remedy,
    Shipment,
    TaskState,
    WindowChange,
    WindowSource,
)
from tracker.policy import decide
from tracker.timeline import as_of

R = DecisionReason
ENGLISH = english()


def slow(**change: Any) -> Shipment:
    return parcel(last=28, heard=30.9, **change)


def of(told: Dossier, when: float = 31, **change: Any) -> Explanation:
    return explain(told, RULES, day(when), ENGLISH, **change)


def to_text(story: Explanation) -> list[str]:
    return told_in(story, ENGLISH)


def test_every_reason_has_its_sentence() -> None:
    """The names are the same enum in log, database, JSON and tests; the sentence is for people."""
    sentences = [sentence(ENGLISH, reason) for reason in DecisionReason]
    assert not [said for said in sentences if said.startswith("reason.")]
    assert len(set(sentences)) == len(sentences)
    assert changes(ENGLISH, R.NOT_PAID) == "the payment"
    assert changes(ENGLISH, R.ALREADY_DONE) is None


def test_it_is_the_daemons_own_answer() -> None:
    told = dossier(slow(), window=window(60))
    story, verdict = of(told), decide(told, RULES, day(31))
    assert [each.key for each in story.decisions] == [each.key for each in verdict.decisions]
    assert len(story.rules) == len(verdict.decisions) + len(verdict.considered)
    assert story.next_decide_at == verdict.next_at
    assert story.summary == "stage1: this stage of the ladder is due"


def test_rules_are_told_top_down_with_the_ones_that_did_not_match() -> None:
    story = of(dossier(slow(), window=window(60), waiting_since=day(30.5)))
    assert [(each.rule, each.applied, each.reason) for each in story.rules] == [
        ("buyer_waiting", False, R.NOT_YET_DUE),
        ("window.extend", False, R.WINDOW_FAR),
        ("refund.untrackable", False, R.SILENCE_WITHIN_LIMIT),
        ("br-standard.stage3", False, R.NOT_YET_DUE),
        ("compensation", False, R.NO_LOSS),
        ("ladder", False, R.BUYER_WAITS),
    ]


def test_claims_inquiries_and_notices_have_their_place() -> None:
    lost = parcel(last=None, heard=16, status=TrackingStatus.INFO_RECEIVED, suspect=None)
    rules = [each.rule for each in of(dossier(lost), 16.1).rules]
    assert rules.index("refund.untrackable") < rules.index("yanwen-before") < rules.index("forwarder_inquiry")
    paid = refund(60, state=OutboxState.SENT, task=TaskState.DONE)
    late = dossier(delivered(parcel(heard=66), 65), effects=(paid,), refunded_at=day(61), refunded_amount=paid.amount)
    told = [each.rule for each in of(late, 66.1).rules]
    assert told.index("refund") < told.index("stage3") < told.index("late_arrival")


def test_nothing_because_is_an_answer() -> None:
    assert of(dossier(delivered(slow(), 30.5))).summary == "nothing, because delivered (window.extend)"
    assert of(dossier(slow(), opted_out=True), 20).summary.startswith("nothing, because")
    young = dossier(parcel(last=1, heard=1.9))
    assert of(young, 2).summary == "nothing is due"


def test_facts_come_with_source_and_time() -> None:
    told = dossier(
        slow(
            not_found=NotFound(answers=3, since=day(29), sources=2),
            settled_by="platform",
            suspect="another_parcel",
            matched=False,
        ),
        window=window(60),
        cases=(
            Case(id="INR-1", kind=CaseKind.INQUIRY, opened_at=day(20), closed_at=day(22)),
            Case(id="INR-2", kind=CaseKind.INQUIRY, opened_at=day(30)),
        ),
        opted_out=True,
        cutover_at=day(2),
    )
    facts = {(each.about, each.name): each for each in of(told).facts}
    assert facts["8001", "window ends"].source == "file"
    assert facts["8001", "amount"].value == "30.00 USD"
    assert facts["8001", "cut over"].at == day(2)
    assert facts["8001", "case inquiry"].value == "open"
    assert (facts["LP1", "day 0"].value, facts["LP1", "day 0"].source) == ("2026-04-01, day 31 today", "D1")
    assert facts["LP1", "last scan"].at == day(28)
    assert facts["LP1", "not found"].value == "3 answers of 2 sources"
    assert facts["LP1", "settled by"].source == "services.toml"
    assert facts["LP1", "suspect"].source == "carrier"
    assert facts["LP1", "service"].value.startswith("not matched")
    bare = of(dossier(parcel(last=None, shipped_at=None), shipped_at=None, paid_at=None, amount=None))
    assert {each.name for each in bare.facts if each.about == "LP1"} == {
        "status",
        "profile",
        "silence limits",
        "carrier takes a claim",
    }


@pytest.mark.parametrize(
    ("last_mile", "told"),
    [(("AA123456785BR", "correios"), "AA123456785BR (correios)"), (("AA123456785BR", None), "AA123456785BR")],
)
def test_the_number_of_the_last_mile_is_told_as_the_source_linked_it(last_mile: tuple[str, str | None], told: str) -> None:
    """R36: where the buyer can look from now on; not every source names who carries it there."""
    facts = {each.name: each for each in of(dossier(slow(last_mile=last_mile))).facts}
    assert (facts["last mile"].value, facts["last mile"].source) == (told, "carrier")


def test_an_unknown_zone_is_said() -> None:
    first = slow().first_scan
    assert first is not None
    vague = slow(first_scan=replace(first, latest=day(1), description=""))
    facts = {each.name: each.value for each in of(dossier(vague)).facts}
    assert facts["first scan"] == "in_transit, zone unknown"


def test_old_effects_show_what_became_of_them() -> None:
    pending = effect(Intent.STAGE1, 30, state=OutboxState.PENDING, hold=None)
    held = refund(29, hold=HoldReason.MONEY_NEEDS_APPROVAL)
    refused = effect(Intent.STAGE2, 20, state=OutboxState.CANCELLED, rejected=True)
    task = effect(Intent.EXTENSION, 25, task=TaskState.OPEN, occasion="2026-05-28")
    story = of(
        dossier(slow(), effects=(pending, held, refused, task)),
        releases={pending.key: Release(verdict=ReleaseVerdict.DEFER, why="72_hours", until=day(32))},
    )
    old = {each.key.split(":")[1]: each for each in story.decisions if each.state != "new"}
    assert old["stage1"].release == "defer: 72_hours until 2026-05-03 01:00 UTC"
    assert (old["refund"].state, old["refund"].hold) == ("held", "money_needs_approval")
    assert (old["stage2"].state, old["extension"].task) == ("rejected", "open")
    sure = of(dossier(slow(), effects=(pending,)), releases={pending.key: Release(verdict=ReleaseVerdict.SEND, why="free")})
    assert [each.release for each in sure.decisions] == ["send: free"]


def test_it_says_what_would_change_the_answer() -> None:
    story = of(dossier(parcel(last=28, heard=25)))
    assert story.ask_now == ("LP1",)
    assert "the next answer of a source (br-standard.stage1)" in story.changes
    assert "any next answer of a source" in story.changes
    assert story.changes[0].startswith("time: 2026-05-24 01:00 UTC (refund.untrackable)") or story.changes[0].startswith("time: ")
    assert (
        "the case is closed (ladder)"
        in of(dossier(slow(), cases=(Case(id="1", kind=CaseKind.DISPUTE, opened_at=day(30)),))).changes
    )


def test_the_text_has_all_parts() -> None:
    told = dossier(
        slow(), parcel(number="LP2", id=2, last=28, heard=30.9), window=window(60), effects=(effect(Intent.STAGE2, 20),)
    )
    text = to_text(of(told, asked="LP2", next_poll_at={"LP1": day(31.2), "LP2": None}))
    assert text[0] == "Order 8001 of store jade, as of 2026-05-02 01:00 UTC"
    assert "  LP2  <- asked for" in text
    assert "  asked again    LP1  2026-05-02 05:48 UTC" in text
    assert "  asked again    LP2  never" in text
    whom = {"LP1": ("post", "many"), "LP2": ()}
    more = to_text(of(told, asked="LP2", next_poll_at={"LP1": day(31.2), "LP2": None}, asked_of=whom))
    assert "  asked again    LP1  2026-05-02 05:48 UTC  of post, many" in more
    assert "  asked again    LP2  never  no source is configured for it: tracker carriers status" in more
    assert [line for line in text if line and not line.startswith(" ")] == [
        text[0],
        "Facts",
        "Rules, top down",
        "Decisions",
        "Next",
    ]


def test_the_text_of_a_decision_shows_key_money_and_evidence() -> None:
    text = "\n".join(to_text(of(dossier(parcel(last=45, heard=60.9)), 61)))
    assert "order/jade/8001:refund:0  refund (full refund) 30.00 USD  new  (stage3_not_arrived)" in text
    assert "    share: the whole order" in text
    assert "  yes br-standard.stage3     LP1  stage3_not_arrived: " in text
    waiting = effect(Intent.STAGE1, 30, state=OutboxState.HELD, hold=HoldReason.STORE_OBSERVES)
    said = {waiting.key: Release(verdict=ReleaseVerdict.HOLD, why="store_observes", hold=HoldReason.STORE_OBSERVES)}
    held = "\n".join(to_text(of(dossier(slow(), effects=(waiting,)), releases=said)))
    assert "held, hold store_observes" in held
    assert "    release  hold: store_observes" in held


def test_a_recommendation_says_what_it_proposes() -> None:
    """R37, R40: sent again or sent on is no money paid twice; the sum alone would read so."""
    again = replace(refund(10, state=OutboxState.SENT, task=TaskState.DONE), remedy=Remedy.RESHIP)
    story = of(dossier(slow(), effects=(again,)))
    assert story.decisions[-1].remedy == "reship"
    [line] = [line for line in to_text(story) if again.key in line]
    assert "refund (send again)" in line


def test_whatever_a_rule_reads_of_the_order_stands_on_the_screen() -> None:
    """R15: a slip's clock counts from the order; R91, D19 and the nudge have facts of their own."""
    notice = Advisory(id=7, start=day(20).date(), end=day(40).date(), add_days=9, causes={}, created_at=day(20))
    money: dict[str, Any] = {"refunded_at": day(30), "refunded_amount": Decimal("3.50")}
    odd = dossier(slow(), payment="boleto", vip=True, risky=True, unread_since=day(29), **money)
    told = {(fact.name, fact.value) for fact in of(replace(odd, advisories=(notice,))).facts}
    assert {
        ("ordered", "2026-03-29"),
        ("vip", "yes"),
        ("risky", "yes"),
        ("unread since", "2026-04-30"),
        ("refunded", "2026-05-01, 3.50 USD"),
        ("advisory", "2026-04-21 - 2026-05-11, +9 days"),
    } <= told


def test_an_order_without_decisions_says_so() -> None:
    text = to_text(of(dossier(parcel(last=1, heard=1.9)), 2))
    assert "  none so far" in text
    stale = to_text(of(dossier(parcel(last=28, heard=25)), 31))
    assert "  asked now      LP1" in stale
    assert any(line.endswith("or at the next answer") for line in stale)


def test_it_is_ready_for_json() -> None:
    """Money as text, times in UTC with Z."""
    document = json.loads(json.dumps(of(dossier(parcel(last=45, heard=60.9), window=window(90)), 61).to_dict()))
    assert document["at"] == "2026-06-01T01:00:00Z"
    assert document["decisions"][0]["amount"] == "30.00"
    assert document["decisions"][0]["reason"] == "stage3_not_arrived"
    assert document["rules"][0]["reason"] == "window_far"


@pytest.mark.parametrize(("when", "expected"), [(20, []), (31, ["stage1"])])
def test_any_date_goes_through_the_same_code(when: float, expected: list[str]) -> None:
    then = as_of(dossier(slow(registered_at=day(0))), {}, day(when))
    assert [each.key.split(":")[1] for each in of(then, when).decisions if each.kind == "message"] == expected


def test_what_waits_comes_before_why_nothing_more_is_done() -> None:
    """An operator asks why nothing went out: the first line says that it is held, and by what."""
    held = effect(Intent.STAGE1, 30.5, state=OutboxState.HELD, hold=HoldReason.STORE_OBSERVES)
    assert of(dossier(slow(), effects=(held,))).summary == "stage1 waits: held, store_observes"
    handed = effect(Intent.STAGE1, 30.5, state=OutboxState.SENT, task=TaskState.OPEN)
    assert of(dossier(slow(), effects=(handed,))).summary == "stage1 waits: its task is open"


def test_r7_every_end_of_the_window_is_told_with_its_source() -> None:
    """R7: by how much it was extended, by whom; one end alone says nothing that the facts do not say."""
    first = WindowChange(at=day(1), end=day(60), source=WindowSource.FILE, by="import")
    moved = WindowChange(at=day(50), end=day(75), source=WindowSource.API, by="daemon", days=15, proof="read back")
    told = dossier(slow(), window=window(75))
    values = [fact.value for fact in of(told, windows=(first, moved)).facts if fact.name == "window was shown"]
    assert values == [f"{day(60):%Y-%m-%d}, import", f"{day(75):%Y-%m-%d} +15, daemon"]
    assert not [fact for fact in of(told, windows=(first,)).facts if fact.name == "window was shown"]


def test_all_dates_that_count_stand_on_the_screen() -> None:
    """Day 0, every stage, the window, the carrier's claim window, and until when an open case wants an answer."""
    case = Case(id="D-1", kind=CaseKind.DISPUTE, opened_at=day(30), due_at=day(35))
    told = dossier(slow(), cases=(case,), window=window(60))
    facts = {fact.name: fact.value for fact in of(told).facts}
    assert facts["stages"] == "stage1 2026-05-01, stage2 2026-05-16, stage3 2026-05-31"
    assert facts["carrier takes a claim"].startswith("2026-04-")
    assert facts["answer due"].startswith(day(35).date().isoformat())
    assert facts["day 0"].startswith("2026-04-01")
    assert facts["window ends"].startswith(day(60).date().isoformat())
