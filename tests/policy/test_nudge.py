"""R25: a buyer who provably did not read gets the same text once elsewhere; own shop only, by messenger, after two days."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.policy.build import RULES, at, day, delivered, dossier, effect, keys, parcel, row, why
from tracker.model import Channel, DecisionReason, Effect, Intent, OutboxState, Release, ReleaseVerdict, Totals
from tracker.policy import release
from tracker.policy.birth import birth
from tracker.rules import Rules

SUBJECT = "order/lotus/8001"
LOTUS = replace(RULES.stores["lotus"], fallback=(Channel.WHATSAPP, Channel.TASK), messenger_consent=True)
AGREED: Rules = replace(RULES, stores={**RULES.stores, "lotus": LOTUS})


def told(made: float = 30, **change: Any) -> Effect:
    return effect(Intent.STAGE1, made, subject=SUBJECT, shipment="LP1", **change)


def asked(when: float, *past: Effect, rules: Rules = AGREED, **facts: Any) -> Any:
    order: dict[str, Any] = {"platform": "ownshop", "store": "lotus", "unread_since": day(30.5)}
    return at(when, parcel(), rules=rules, effects=past or (told(),), **order | facts)


def test_an_unread_message_is_pointed_to_once() -> None:
    """R25: its own key, the text of the unread message, through the messenger; a second one never follows."""
    verdict = asked(33)
    assert keys(verdict) == ["nudge:0"]
    decision = verdict.decisions[0]
    assert (decision.template, decision.shipment, decision.reason) == ("stage1", "LP1", DecisionReason.MESSAGE_NOT_READ)
    case = dossier(parcel(heard=33), platform="ownshop", store="lotus", unread_since=day(30.5), effects=(told(),))
    made = birth(decision, case, AGREED)
    assert made is not None
    assert made.channel is Channel.WHATSAPP
    again = asked(40, told(), effect(Intent.NUDGE, 33, subject=SUBJECT))
    assert "nudge:0" not in keys(again)
    assert why(again, "nudge") is DecisionReason.ALREADY_DONE


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param({"rules": RULES}, DecisionReason.SWITCHED_OFF, id="no consent to messengers"),
        pytest.param({"platform": "aliexpress", "store": "jade"}, DecisionReason.SWITCHED_OFF, id="a marketplace, D5a"),
        pytest.param({"opted_out": True}, DecisionReason.OPTED_OUT, id="opted out, D15"),
        pytest.param({"waiting_since": day(32)}, DecisionReason.BUYER_WAITS, id="the buyer waits for us"),
        pytest.param({"unread_since": day(29)}, DecisionReason.NOTHING_UNREAD, id="nothing was sent before"),
    ],
)
def test_nobody_is_nudged_who(facts: dict[str, Any], reason: DecisionReason) -> None:
    """R25, D5a, D15: it is outreach like any other."""
    verdict = asked(33, **facts)
    assert "nudge:0" not in keys(verdict)
    assert why(verdict, "nudge") is reason


def test_two_days_are_left_to_read_it() -> None:
    """R25, R81: mind the frequency."""
    verdict = asked(32)
    assert why(verdict, "nudge") is DecisionReason.NOT_YET_DUE
    assert verdict.next_at is not None
    assert verdict.next_at <= day(32.5)
    assert "nudge:0" in keys(asked(32.6))


def test_a_read_message_costs_nothing() -> None:
    """R25: without a proof that it lies unread nothing is said at all."""
    assert why(asked(33, unread_since=None), "nudge") is None


def test_a_parcel_that_arrived_takes_it_back() -> None:
    """I4: what still waits is withdrawn."""
    waiting = effect(Intent.NUDGE, 33, subject=SUBJECT, state=OutboxState.PENDING)
    done = at(
        34, delivered(parcel(), 33.5), rules=AGREED, effects=(told(), waiting), platform="ownshop", store="lotus",
        unread_since=day(30.5),
    )  # fmt: skip
    assert [key for key, _ in done.withdraw] == [waiting.key]


def test_it_rings_in_the_daytime_and_not_within_72_hours() -> None:
    """D16, R81: day 33 of the tests is late evening in Brazil."""
    decision = asked(33).decisions[0]
    waits = row(decision, 33, store="lotus", channel=Channel.WHATSAPP)
    case = dossier(parcel(heard=33), platform="ownshop", store="lotus", region="SP", unread_since=day(30.5), effects=(told(),))
    rules = replace(AGREED, quiet=replace(AGREED.quiet, regions={"BR": {"": "America/Sao_Paulo"}}))
    said = release(waits, case, Totals(), rules, day(33))
    assert said == Release(verdict=ReleaseVerdict.DEFER, why="quiet_hours", until=day(33).replace(hour=12))
    assert release(waits, case, Totals(), rules, day(33).replace(hour=15)).verdict is ReleaseVerdict.SEND
    soon = Totals(last_message_at=day(32))
    assert release(waits, case, soon, rules, day(33).replace(hour=15)).why == "72_hours"
    by_mail = replace(waits, channel=Channel.MAILDIR)
    assert release(by_mail, case, Totals(), rules, day(33)).verdict is ReleaseVerdict.SEND
