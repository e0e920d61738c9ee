"""The brake where things leave: before the text is made, until somebody lets go; the clock that a person confirms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from tests.conftest import Lines
from tests.dispatch.conftest import DAY, Office
from tracker.dispatch.beginning import withheld
from tracker.messages import Texts
from tracker.model import Channel, HoldReason, Mode, OutboxState, Pause
from tracker.rules import Store as Shop


def pause(**change: Any) -> Pause:
    values: dict[str, Any] = {"id": 0, "reason": "broken text", "by": "Mei", "since": None}
    return Pause(**(values | change))


async def test_a_broken_text_waits_under_the_brake_instead_of_failing(due: Office) -> None:
    """What an operator pulls the brake for: the row is there when the text is mended."""
    good, due.texts = due.texts, Texts(sources={"en": {}}, words={})
    stands = await due.store.pause(pause(template="stage1"), due.clock.now())
    assert await due.dispatch() == 1
    row = await due.only(OutboxState.PENDING)
    assert (row.result, row.in_line_since) == (
        f"paused: by Mei, until somebody resumes: broken text (tracker resume {stands.id})",
        due.clock.now(),
    )
    due.texts = good
    await due.store.resume([stands.id], by="Mei", now=due.clock.now())
    await due.dispatch()
    assert len(due.post.sent) == 1


async def test_a_pause_with_an_end_is_looked_at_then_and_said_to_be_over(due: Office, log_lines: Lines) -> None:
    until = due.clock.now() + timedelta(hours=5)
    await due.store.pause(pause(until=until), due.clock.now())
    assert await due.dispatch() == 1
    assert (await due.only(OutboxState.PENDING)).not_before == until
    assert await due.dispatch(days=4 / 24) == 0
    assert await due.dispatch(days=1 / 24) == 1
    assert len(due.post.sent) == 1
    [over] = [line for line in log_lines() if line["event"] == "pause.ended"]
    assert (over["scope"], over["by"]) == ("everything", "Mei")


async def test_a_start_says_what_modes_withhold_and_which_pauses_stand(due: Office, log_lines: Lines) -> None:
    """D22: `tracker run` says at its start what each mode withholds."""
    await due.store.pause(pause(store="lamps"), due.clock.now())
    await due.store.pause(pause(store="other"), due.clock.now())
    modes = {"stage2": Mode.OBSERVE}
    lamps = replace(due.rules.stores["lamps"], mode=Mode.APPROVE, modes=modes)
    await due.dispatcher(rules=replace(due.rules, stores={"lamps": lamps})).recover()
    [mode] = [line for line in log_lines() if line["event"] == "store.mode"]
    assert (mode["mode"], mode["observes"], mode["pauses"]) == ("approve", ["stage2"], [1])
    assert {"stage1", "refund_issued"} <= set(mode["approves"])
    assert [line["scope"] for line in log_lines() if line["event"] == "pause.standing"] == ["store lamps", "store other"]


def test_what_a_mode_withholds_counts_only_what_is_switched_on(office: Office) -> None:
    def types(**change: Any) -> dict[Mode, tuple[str, ...]]:
        shop: Shop = replace(office.rules.stores["lamps"], **change)
        return withheld(shop, office.rules)

    live = types()
    assert live[Mode.OBSERVE] == live[Mode.APPROVE] == ()
    assert "placed" not in live[Mode.LIVE], "switched off"
    assert types(refund_offer_approved=False)[Mode.APPROVE] == ("stage2",)
    assert types(mode=Mode.OBSERVE, modes={"stage1": Mode.LIVE})[Mode.LIVE] == ("stage1",)


async def test_a_person_confirms_the_clock_and_the_running_daemon_believes_it(due: Office) -> None:
    """Faults row 13: outreach waits until a person confirms; no restart is needed."""
    due.guard = True
    confirmed: list[bool] = []
    dispatcher = due.dispatcher(trust_clock=lambda: confirmed.append(True))
    await dispatcher.dispatch_once()
    held = await due.only(OutboxState.HELD)
    assert held.hold is HoldReason.TIME_GUARD
    assert await due.store.clock_distrusted_at() == due.clock.now()
    await dispatcher.dispatch_once()
    assert not confirmed

    await due.store.confirm_clock(by="Mei", reason="the new time is right", now=due.clock.now())
    rows = await due.store.held_rows()
    assert await due.store.release_rows(rows, by="Mei", reason="", now=due.clock.now()) == [held.id]
    await dispatcher.dispatch_once()
    assert confirmed == [True]
    assert len(due.post.sent) == 1


async def test_a_clock_that_is_right_again_and_a_new_start_take_the_mark_away(due: Office) -> None:
    due.guard = True
    dispatcher = due.dispatcher()
    await dispatcher.dispatch_once()
    due.guard = False
    await dispatcher.dispatch_once()
    assert await due.store.clock_distrusted_at() is None
    await due.store.distrust_clock(due.clock.now())
    await due.dispatcher().recover()
    assert await due.store.clock_distrusted_at() is None


async def test_a_raised_mode_is_looked_at_when_the_new_configuration_starts(due: Office, log_lines: Lines) -> None:
    """D22: what waited because the store observed goes on, each row decided afresh."""
    watching = replace(due.rules.stores["lamps"], mode=Mode.OBSERVE)
    quiet = due.dispatcher(rules=replace(due.rules, stores={"lamps": watching}))
    await quiet.dispatch_once()
    await quiet.recover()
    assert (await due.only(OutboxState.HELD)).hold is HoldReason.STORE_OBSERVES
    due.clock.advance_to(due.clock.now() + DAY)
    await due.dispatcher().recover()
    assert [(line["store"], line["count"]) for line in log_lines() if line["event"] == "hold.mode_raised"] == [("lamps", 1)]
    row = await due.only(OutboxState.PENDING)
    assert (row.overdue, row.approved_by, row.channel) == (True, None, Channel.MAILDIR)
    assert [entry.what for entry in await due.store.audit_of(row.order_id)][-1] == "mode_raised"
