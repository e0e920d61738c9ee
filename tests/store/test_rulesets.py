"""Rule sets that were in force, and what waits for those that nobody has accepted (faults row 20, D21)."""

from __future__ import annotations

import pytest

from tests.store.build import DAY, HOUR, NOW, decided, decision, dossier, given, held, order, parcel, pending, tasked, verdict
from tracker.clock import epoch
from tracker.model import ActionKind, Channel, HoldReason, Intent, OutboxState
from tracker.store import Conflict, NewRow, NotThere, Store
from tracker.store.rows import Freed
from tracker.store.rulesets import Begun, Ruleset

OLD, NEW, OTHER = "0ld0", "c1", "0ther"
REFUND = decision(Intent.REFUND)


def waiting(*intents: Intent) -> list[NewRow]:
    return [held(decision(intent), HoldReason.RULES_WAIT, Channel.SMTP) for intent in intents]


async def begin(store: Store, version: str, *, hours: int = 0) -> Begun:
    return await store.begin_ruleset(version, version.encode(), NOW + hours * HOUR)


async def settle(store: Store, version: str, *, waits: bool) -> int:
    return await store.settle_ruleset(
        version, NOW + HOUR, waits=waits, touched=80, open_parcels=400, summary={"new": {"stage1": 80}}
    )


async def changed(store: Store) -> Begun:
    """Old rules were in force, new ones begin."""
    await begin(store, OLD)
    return await begin(store, NEW, hours=1)


async def known(store: Store, version: str = NEW) -> Ruleset:
    return next(each for each in await store.rulesets() if each.hash == version)


async def states(store: Store) -> dict[Intent, tuple[OutboxState, HoldReason | None]]:
    return {view.row.intent: (view.row.state, view.row.hold) for view in await store.outbox()}


async def test_the_first_rules_of_a_database_have_nothing_to_be_compared_with(store: Store) -> None:
    assert await begin(store, OLD) == Begun(baseline=None, waits=False, compared=True)
    assert await begin(store, OLD, hours=1) == Begun(baseline=None, waits=False, compared=True), "a restart"
    [first] = await store.rulesets()
    assert (first.state, first.in_force, first.waits, first.accepted_by) == ("accepted", True, False, "daemon")


async def test_changed_rules_wait_until_they_are_compared_with_those_before(store: Store) -> None:
    begun = await changed(store)
    assert begun == Begun(baseline=(OLD, OLD.encode()), waits=True, compared=False)
    new = await known(store)
    assert (new.state, new.in_force, new.compared, new.waits) == ("waiting", True, False, False), "nobody is asked yet"
    assert await begin(store, NEW, hours=2) == begun, "a restart compares again"


async def test_few_new_effects_and_everything_goes_on(store: Store) -> None:
    """What was held while the comparison ran is no backlog."""
    await given(store)
    await changed(store)
    await decided(store, *waiting(Intent.STAGE1), held(REFUND, HoldReason.RULES_WAIT))
    assert await settle(store, NEW, waits=False) == 2
    assert await states(store) == {
        Intent.STAGE1: (OutboxState.PENDING, None),
        Intent.REFUND: (OutboxState.HELD, HoldReason.MONEY_NEEDS_APPROVAL),
    }
    assert [view.row.overdue for view in await store.outbox()] == [False, False]
    new = await known(store)
    assert (new.state, new.accepted_by, new.touched, new.open_parcels) == ("accepted", "daemon", 80, 400)


async def test_many_new_effects_wait_for_a_person(store: Store) -> None:
    await given(store)
    await changed(store)
    before = await decided(store, *waiting(Intent.STAGE1, Intent.STAGE2), held(REFUND, HoldReason.RULES_WAIT))
    assert await settle(store, NEW, waits=True) == 0
    new = await known(store)
    assert (new.waits, new.held, new.summary) == (True, 3, {"new": {"stage1": 80}})
    assert await store.free_ruleset(NEW, NOW) is None
    assert await store.accept_ruleset("c1", by="Mei", now=NOW + DAY) == 3
    assert await states(store) == {
        Intent.STAGE1: (OutboxState.PENDING, None),
        Intent.STAGE2: (OutboxState.PENDING, None),
        Intent.REFUND: (OutboxState.HELD, HoldReason.MONEY_NEEDS_APPROVAL),
    }
    for view in await store.outbox():
        assert view.row.overdue is (view.row.kind is ActionKind.MESSAGE), "D21: a backlog ramps"
        assert view.row.approved_by is None, "who accepts rules has approved no message, and no money (D11, D22)"
    pendings = await store.due_rows(NOW + DAY, 10)
    assert {row.not_before for row in pendings} == {NOW + DAY}
    assert (await dossier(store)).version > before.version
    assert [line.what for line in await store.audit_of(1)].count("hold_released") == 3
    assert (await known(store)).accepted_by == "Mei"


async def test_accepting_twice_says_so(store: Store) -> None:
    await changed(store)
    await settle(store, NEW, waits=True)
    assert await store.accept_ruleset(NEW, by="Mei", now=NOW) == 0
    assert await store.accept_ruleset(NEW, by="Ana", now=NOW) is None
    assert (await known(store)).accepted_by == "Mei"


@pytest.mark.parametrize("wrong", ["", "ffff", "c12"])
async def test_a_wrong_hash_names_the_rules_that_wait(store: Store, wrong: str) -> None:
    await changed(store)
    await settle(store, NEW, waits=True)
    with pytest.raises(NotThere, match=f"tracker config accept {NEW}"):
        await store.accept_ruleset(wrong, by="Mei", now=NOW)


async def test_a_hash_that_fits_two_is_refused(store: Store) -> None:
    await begin(store, OLD)
    await begin(store, OTHER, hours=1)
    with pytest.raises(NotThere, match="Several"):
        await store.accept_ruleset("0", by="Mei", now=NOW)


async def test_rules_that_are_replaced_before_anybody_accepted_them_take_their_effects_back(store: Store) -> None:
    """The wrong file is put right and reloaded: nothing of it stays, and the right rules decide anew."""
    await given(store)
    await changed(store)
    await decided(store, *waiting(Intent.STAGE1), next_at=NOW + 30 * DAY)
    await settle(store, NEW, waits=True)
    begun = await begin(store, OTHER, hours=3)
    assert begun.baseline == (OLD, OLD.encode()), "measured by the rules that a person knows, not by those that waited"
    assert await states(store) == {Intent.STAGE1: (OutboxState.CANCELLED, None)}
    assert [order_id for _, order_id in await store.due_dossiers(NOW + 3 * HOUR, 10)] == [1]
    await decided(store, pending(decision(Intent.STAGE1)))
    assert await states(store) == {Intent.STAGE1: (OutboxState.PENDING, None)}, "the slot was free again"
    with pytest.raises(NotThere, match="not in force any more"):
        await store.accept_ruleset(NEW, by="Mei", now=NOW)


async def test_a_row_of_rubbish_stops_nobody(store: Store) -> None:
    """Fault 33: whether they wait is known all the same, and what a comparison had found is found again."""
    await changed(store)
    await settle(store, NEW, waits=True)
    for summary in ("rubbish", "[]"):
        await store._db.write(lambda tx, said=summary: tx.run("UPDATE ruleset SET summary = ?", said))  # type: ignore[misc]
        assert [each.hash for each in await store.rulesets()] == [NEW, OLD]
        begun = await begin(store, NEW)
        assert (begun.waits, begun.compared, begun.baseline is not None) == (True, False, True)


async def test_back_to_the_rules_before_needs_nobody(store: Store) -> None:
    await given(store)
    await changed(store)
    await decided(store, *waiting(Intent.STAGE1))
    assert await begin(store, OLD, hours=2) == Begun(baseline=None, waits=False, compared=True)
    assert (await known(store, OLD)).in_force
    assert (await states(store))[Intent.STAGE1][0] is OutboxState.CANCELLED
    assert not [each for each in await store.rulesets() if each.waits]


async def test_old_rules_that_come_back_later_are_compared_again(store: Store) -> None:
    """They were accepted a year ago: today they may write to a thousand buyers."""
    await changed(store)
    await settle(store, NEW, waits=False)
    assert await begin(store, OLD, hours=5) == Begun(baseline=(NEW, NEW.encode()), waits=True, compared=False)


async def test_the_newest_is_in_force_even_where_the_clock_was_set_back(store: Store) -> None:
    await begin(store, OLD, hours=5)
    await begin(store, NEW, hours=1)
    assert [each.hash for each in await store.rulesets()] == [NEW, OLD]


async def test_accepted_while_they_were_compared_they_hold_nothing_more(store: Store) -> None:
    await given(store)
    await changed(store)
    await store.accept_ruleset(NEW, by="Mei", now=NOW)
    await decided(store, *waiting(Intent.STAGE1))
    await settle(store, NEW, waits=True)
    assert (await states(store))[Intent.STAGE1][0] is OutboxState.PENDING, "a sweep that had not heard of it yet"
    assert await store.free_ruleset(NEW, NOW) == 0


async def test_what_the_rules_before_want_too_is_let_go_alone(store: Store) -> None:
    """A deadline, or a stage whose old day has come meanwhile."""
    await given(store)
    await changed(store)
    extension = held(decision(Intent.EXTENSION), HoldReason.RULES_WAIT)
    await decided(store, *waiting(Intent.STAGE1), extension, held(REFUND, HoldReason.RULES_WAIT))
    free = (Freed(extension.decision.key), Freed(REFUND.key, HoldReason.MONEY_NEEDS_APPROVAL))
    told = verdict(await dossier(store))
    await store.write_verdicts(
        [type(told)(order_id=1, version=told.version, verdict=told.verdict, free=free, config_version="c1")], NOW
    )
    assert await states(store) == {
        Intent.STAGE1: (OutboxState.HELD, HoldReason.RULES_WAIT),
        Intent.EXTENSION: (OutboxState.PENDING, None),
        Intent.REFUND: (OutboxState.HELD, HoldReason.MONEY_NEEDS_APPROVAL),
    }


async def test_nothing_of_it_is_released_one_by_one(store: Store) -> None:
    """Money among it has not been approved: `hold release` would pay it out."""
    await given(store)
    await changed(store)
    await decided(store, held(REFUND, HoldReason.RULES_WAIT))
    [view] = await store.holds()
    with pytest.raises(Conflict, match=f"tracker config accept {NEW}"):
        await store.release_hold(view.row.id, by="Mei", reason="now", now=NOW)
    assert await store.release_rows(await store.held_rows(), by="Mei", reason="all", now=NOW) == []
    assert (await states(store))[Intent.REFUND] == (OutboxState.HELD, HoldReason.RULES_WAIT)


# ---------------------------------------------------------------------------------------------------------------- open orders


async def test_open_orders_come_page_by_page_and_settled_ones_not_at_all(store: Store) -> None:
    """Orders that time can change, or whose parcels are still asked about."""
    await given(store, *(order(str(number)) for number in range(5)), parcel("LX3", order="3"))
    for number in (1, 2, 3, 4):
        await decided(store, order_id=number, next_at=None)
    page = await store.open_dossiers(0, 1)
    assert [(each.id, each.next_decide_at) for each in page.found] == [(4, None)], "its parcel is asked about"
    assert page.last == 4
    page = await store.open_dossiers(page.last, 10)
    assert ([each.id for each in page.found], page.last) == ([5], None)
    assert (await store.open_dossiers(0, 10, store="elsewhere")).found == ()


async def test_an_order_is_decided_earlier_never_later(store: Store) -> None:
    await given(store, order("1"), order("2"), order("3"))
    await decided(store, order_id=1, next_at=NOW + DAY)
    await decided(store, order_id=2, next_at=NOW + 3 * DAY)
    await decided(store, order_id=3, next_at=None)
    assert await store.advance_dossiers([(each, NOW + 2 * DAY) for each in (1, 2, 3)]) == 2
    due = {order_id: at for at, order_id in await store.due_dossiers(NOW + 9 * DAY, 10)}
    assert due == {1: epoch(NOW + DAY), 2: epoch(NOW + 2 * DAY), 3: epoch(NOW + 2 * DAY)}
    assert await store.advance_dossiers([]) == 0


async def test_a_task_in_hand_is_no_matter_of_the_guard(store: Store) -> None:
    """Only what waits is moved."""
    await given(store)
    task = await tasked(store, decision(Intent.STAGE1))
    await store.take_task(task, by="Mei", now=NOW)
    await changed(store)
    await begin(store, OTHER, hours=2)
    assert (await states(store))[Intent.STAGE1][0] is OutboxState.SENT


async def test_the_first_of_a_fleet_that_finds_that_they_wait_is_right(store: Store) -> None:
    """Faults 20, 21: two workers compare while parcels move; a count just below the limit frees nothing."""
    await changed(store)
    assert await settle(store, NEW, waits=True) == 0
    assert await settle(store, NEW, waits=False) == 0
    assert (await known(store)).waits
    assert await store.free_ruleset(NEW, NOW + HOUR) is None
