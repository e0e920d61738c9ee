"""What a limited source needs of the store: dates beside parcels, who is awaited, who waits, what it says of itself (R6)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests.store.build import AT, DAY, HOUR, NOW, dossier, given, order, parcel, verdict
from tracker.clock import epoch
from tracker.polling.budget import turn_of
from tracker.polling.cadence import Cadence
from tracker.store import Store
from tracker.store.connection import Tx
from tracker.store.gate import ToldQuota
from tracker.store.rows import PollFailure, PollLater, PollQuiet, PollWrite, Unmapped
from tracker.store.status import Spans

CADENCE = Cadence()
SPANS = Spans(**{name: getattr(CADENCE, name) for name in Spans.__struct_fields__})


async def column(store: Store, name: str, row: int = 1) -> object:
    return await store._db.read(lambda tx: tx.value(f"SELECT {name} FROM shipment WHERE id = ?", row))  # noqa: S608 - a name


async def dated(store: Store, at: int | None, order_id: int = 1, parcel_id: int = 1) -> None:
    told = await dossier(store, order_id)
    await store.write_verdicts([replace(verdict(told), dates=((parcel_id, at),))], NOW)


async def test_r6_the_sweep_writes_the_next_date_where_polling_finds_it(store: Store) -> None:
    """R6: beside the parcel, so that nothing more is read to find out who is asked first."""
    await given(store)
    await dated(store, AT + 3600)
    (due,) = await store.due_shipments(NOW, 10)
    assert due.deadline_at == AT + 3600
    assert (await dossier(store)).shipments[0].deadline_at == AT + 3600
    await dated(store, None)
    assert await column(store, "deadline_at") is None


async def test_a_parcel_of_two_orders_keeps_the_nearest_of_their_dates(store: Store) -> None:
    """A combined parcel: what is urgent for one of its orders is urgent; a date that has passed is not in the way."""
    await given(store, order("8001"), order("8002"), parcel("LX001CN", "8001"))
    await given(store, parcel("LX001CN", "8002"), digest="d2")
    await dated(store, AT + 2 * 86_400, order_id=1)
    await dated(store, AT + 86_400, order_id=2)
    await dated(store, AT + 2 * 86_400, order_id=1)
    await dated(store, None, order_id=1)
    assert await column(store, "deadline_at") == AT + 86_400
    await store._db.write(lambda tx: tx.run("UPDATE shipment SET deadline_at = ?", AT - 60))
    await dated(store, AT + 2 * 86_400, order_id=1)
    assert await column(store, "deadline_at") == AT + 2 * 86_400


@pytest.mark.parametrize(("status", "again"), [(TrackingStatus.DELIVERED, True), (TrackingStatus.IN_TRANSIT, False)])
async def test_d20_a_finished_parcel_is_asked_about_again_when_money_is_open(
    store: Store, status: TrackingStatus, *, again: bool
) -> None:
    """D20: a case weeks after the delivery; a parcel that nobody follows for another reason stays as it is."""
    await given(store)
    await store._db.write(lambda tx: tx.run("UPDATE shipment SET status = ?, next_poll_at = NULL", status.value))
    await dated(store, AT + 86_400)
    assert await column(store, "next_poll_at") == (AT if again else None)


async def test_to_be_put_off_is_no_failure(store: Store) -> None:
    """R8: nothing is counted, nothing ages; a number that was corrected meanwhile keeps its own schedule."""
    await given(store)
    await store.write_poll(PollWrite(at=AT, failed=(PollFailure(1, "LX001CN", AT, "unavailable"),)))
    await store.write_poll(PollWrite(at=AT, later=(PollLater(1, "LX001CN", AT + 900), PollLater(1, "BEFORE", AT + 9000))))
    assert [await column(store, name) for name in ("next_poll_at", "failures", "last_answer_at")] == [AT + 900, 1, None]


async def test_whose_next_answer_a_decision_waits_for(store: Store) -> None:
    """D20."""
    await given(store, order("8001"), order("8002"), parcel("LX001CN", "8001"), parcel("LX002CN", "8002"))
    told = await dossier(store, 2)
    await store.write_verdicts([verdict(told, waits_for_answer=True)], NOW)
    assert await store.awaited([1, 2]) == {2}
    assert await store.awaited([]) == frozenset()


async def test_what_a_source_says_of_itself_is_counted_from_the_days_beginning(store: Store) -> None:
    """What was used today before it was asked is in its answer already."""
    await store.use_quota("17track", NOW.date(), 40, None)
    await store.tell_quota("17track", 4000, 200, NOW)
    await store.tell_quota("17track", 3990, None, NOW)
    assert await store.told_quotas() == {"17track": ToldQuota(left=4030, since=NOW.date(), at=NOW, daily=None)}
    assert await store.used_today("17track", NOW.date()) == 40
    assert await store.used_today("17track", (NOW + DAY).date()) == 0


async def test_codes_that_nobody_knew_are_counted(store: Store) -> None:
    """Facts 3 rule 8."""
    first = (Unmapped("17track", "Wormhole", "LX001CN", 2), Unmapped("17track", "Nebula", "LX002CN", 1))
    await store.write_poll(PollWrite(at=AT, unmapped=first))
    await store.write_poll(PollWrite(at=AT + 60, unmapped=(Unmapped("17track", "Wormhole", "LX003CN", 1),)))
    worm, nebula = await store.unmapped_codes(NOW)
    assert (worm.code, worm.times, worm.number, worm.first_at, worm.last_at) == (
        "Wormhole", 3, "LX003CN", NOW, NOW + timedelta(seconds=60),
    )  # fmt: skip
    assert nebula.code == "Nebula"
    assert [each.code for each in await store.unmapped_codes(NOW + timedelta(seconds=30))] == ["Wormhole"]
    assert await store.known_codes("17track", ["Nebula", "Quasar"]) == {"Nebula"}
    assert await store.known_codes("other", ["Nebula"]) == frozenset()


PARCELS = [
    (TrackingStatus.IN_TRANSIT, 40.0, 2.0, False),
    (TrackingStatus.IN_TRANSIT, 40.0, 4.0, True),
    (TrackingStatus.IN_TRANSIT, 1.0, None, False),
    (TrackingStatus.INFO_RECEIVED, None, None, False),
    (TrackingStatus.IN_TRANSIT, 40.0, -1.0, False),
    (TrackingStatus.DELIVERED, 1.0, 2.0, False),
    (TrackingStatus.DELIVERED, 1.0, 2.0, True),
]


_SHIPMENT = "UPDATE shipment SET status = ?, moved_at = ?, deadline_at = ? WHERE id = ?"


def _set(sql: str, values: tuple[object, ...], tx: Tx) -> None:
    tx.run(sql, *values)


async def test_what_status_counts_is_what_the_budget_sees(store: Store) -> None:
    """One list of classes, said twice: in SQL for the whole database, in Python for those that are due."""
    numbers = [f"LX{row:03}CN" for row in range(len(PARCELS))]
    await given(store, *(order(f"9{row}") for row in range(len(PARCELS))),
                *(parcel(number, f"9{row}", row=row) for row, number in enumerate(numbers)))  # fmt: skip
    for row, (status, moved, deadline, awaited) in enumerate(PARCELS, 1):
        values = (status.value, moved and AT - int(moved * 86_400), deadline and AT + int(deadline * 86_400), row)
        await store._db.write(partial(_set, _SHIPMENT, values))
        await store._db.write(partial(_set, "UPDATE dossier SET waits_for_answer = ? WHERE id = ?", (awaited, row)))
    due = await store.due_shipments(NOW, 20)
    awaited_ids = await store.awaited([each.id for each in due])
    wanted: dict[str, int] = {}
    for each in due:
        turn = turn_of(each, CADENCE, AT, awaited=each.id in awaited_ids).value
        wanted[turn] = wanted.get(turn, 0) + 1
    assert {each.turn: each.count for each in await store.followed(SPANS, NOW)} == wanted
    assert len(wanted) == 6


async def test_who_waits_is_whose_turn_has_passed(store: Store) -> None:
    """Due now is not waiting yet; answered in time is not; put off without an answer is; a failure is none of it."""
    await given(store, *(order(f"9{row}") for row in range(4)), *(parcel(f"LX{row}CN", f"9{row}", row=row) for row in range(4)))
    await store.write_poll(
        PollWrite(
            at=AT - 6 * 3600,
            quiet=(PollQuiet(1, "LX0CN", AT + 600),),
            later=(PollLater(2, "LX1CN", AT + 600),),
            failed=(PollFailure(3, "LX2CN", AT + 600, "unavailable"),),
        )
    )
    (found,) = await store.followed(SPANS, NOW)
    assert (found.carrier, found.turn, found.count) == ("yanwen", "unscanned", 4)
    assert (found.waiting, found.answered_today, found.failing) == (1, 1, 1)
    (later,) = await store.followed(SPANS, NOW + 9 * HOUR)
    assert later.waiting == 0, "all of them are due by now"
    await store.write_poll(PollWrite(at=AT, later=(PollLater(1, "LX0CN", epoch(NOW + 10 * HOUR)),)))
    (put_off,) = await store.followed(SPANS, NOW + 9 * HOUR)
    assert put_off.waiting == 1
