"""What is asked about and what is written: the hot path (facts/performance.md section 9, facts/engine.md 2.3)."""

from __future__ import annotations

import pytest

from carriers.model import TrackingStatus
from tests.store.build import (
    AT,
    DAY,
    HOUR,
    NOW,
    Row,
    batch,
    change,
    decided,
    dossier,
    given,
    order,
    parcel,
    polled,
    scan,
    travelled,
)
from tracker.store import AnswerWrite, PollFailure, PollQuiet, PollWrite, Remembered, Store


async def _parcels(store: Store, count: int) -> list[int]:
    rows: list[Row] = [*(order(str(n)) for n in range(count)), *(parcel(f"LX{n:03}CN", str(n)) for n in range(count))]
    await given(store, *rows)
    return [due.id for due in await store.due_shipments(NOW, count)]


async def test_due_parcels_come_in_pages_longest_due_first_without_those_in_flight(store: Store) -> None:
    ids = await _parcels(store, 7)
    later = tuple(PollQuiet(key, f"LX{key - 1:03}CN", AT + 60 * key) for key in ids)
    await store.write_poll(PollWrite(at=AT, quiet=later))
    now = NOW + HOUR
    first = await store.due_shipments(now, 3)
    assert [due.id for due in first] == ids[:3]
    page = await store.due_shipments(now, 3, after=(first[-1].next_poll_at, first[-1].id))
    assert [due.id for due in page] == ids[3:6]
    assert [due.id for due in await store.due_shipments(now, 3, skip=set(ids[:3]))] == ids[3:6]
    assert await store.due_shipments(NOW, 3) == []


async def test_an_answer_that_says_nothing_new_moves_two_columns_and_wakes_nobody(store: Store) -> None:
    """No event, no outbox row, no decision: silence is counted to the last successful answer, so only that must move."""
    await given(store)
    await decided(store)
    before = await dossier(store)
    for hour in range(1, 4):
        written = await store.write_poll(PollWrite(at=AT + hour * 3600, quiet=(PollQuiet(1, "LX001CN", AT + 9 * 3600),)))
        assert (written.events, written.woken) == (0, 0)
    after = await dossier(store)
    assert after.version == before.version
    assert after.shipments[0].last_answer_at == NOW + 3 * HOUR
    assert (await store.next_due()).poll == AT + 9 * 3600
    assert (await store.next_due()).decide == AT + 86_400


async def test_new_scans_are_kept_once_and_wake_the_order(store: Store) -> None:
    """I3: the same events again, in any order, add nothing."""
    await given(store)
    await decided(store)
    first, second = scan("a"), scan("b", NOW + HOUR)
    assert (await store.write_poll(polled(change(1, "LX001CN", first, second)))).events == 2
    assert (await store.write_poll(polled(change(1, "LX001CN", second, first)))).events == 0
    assert [each.event for each in await store.events_of(1)] == [first, second]
    assert await store.load_events([1]) == {1: (first, second)}
    known = (await store.load_polled([1]))[1]
    assert known.knows() >= {first.key, second.key}
    assert known.journey == travelled()
    told = await dossier(store)
    assert told.shipments[0].status is TrackingStatus.IN_TRANSIT
    assert told.shipments[0].last_scan == travelled().last_scan
    assert (await store.next_due()).decide == AT


async def test_a_dossier_that_waits_for_an_answer_is_woken_by_a_quiet_one(store: Store) -> None:
    """D20: it waits for facts; the next answer, changed or not, brings them."""
    await given(store)
    await decided(store, waits_for_answer=True, next_at=None)
    assert (await store.next_due()).decide is None
    assert (await store.write_poll(PollWrite(at=AT + 60, quiet=(PollQuiet(1, "LX001CN", None),)))).woken == 1
    assert (await store.next_due()).decide == AT + 60
    await decided(store, next_at=None)
    counted = change(1, "LX001CN", material=False)
    assert (await store.write_poll(polled(counted))).woken == 0


async def test_a_poll_without_an_answer_ages_nothing(store: Store) -> None:
    """Fault 6: a transport error does not move `last_answer_at`; the backoff counts until the next answer."""
    await given(store)
    await store.write_poll(PollWrite(at=AT, quiet=(PollQuiet(1, "LX001CN", AT + 60),)))
    for _ in range(2):
        await store.write_poll(PollWrite(at=AT + 60, failed=(PollFailure(1, "LX001CN", AT + 120),)))
    (due,) = await store.due_shipments(NOW + DAY, 1)
    assert (due.failures, due.last_answer_at, due.next_poll_at) == (2, AT, AT + 120)
    await store.write_poll(PollWrite(at=AT + 120, quiet=(PollQuiet(1, "LX001CN", AT + 180),)))
    assert (await store.due_shipments(NOW + DAY, 1))[0].failures == 0


async def test_a_finished_parcel_is_asked_about_no_more(store: Store) -> None:
    await given(store)
    await store.write_poll(polled(change(1, "LX001CN", next_poll_at=None)))
    assert await store.due_shipments(NOW + 400 * DAY, 10) == []
    assert (await store.next_due()).poll is None


async def test_a_parcel_renumbered_while_it_was_asked_about_keeps_its_schedule(store: Store) -> None:
    """A command writes beside the daemon: the answer for the old number must not put the new one off."""
    await given(store)
    await store.save_import(batch(parcel("BR9001", aliases=("LX001CN",)), digest="d2"), NOW)
    await store.write_poll(PollWrite(at=AT, quiet=(PollQuiet(1, "LX001CN", AT + 86_400),)))
    assert [due.number for due in await store.due_shipments(NOW, 10)] == ["BR9001"]


async def test_an_adapters_memory_is_kept_by_account_and_number(store: Store) -> None:
    await given(store)
    registered = AnswerWrite(account="17track", number="LX001CN", memory={"registered_at": AT}, digest=b"one")
    await store.write_poll(polled(answers=(registered,), accounts={"17track": {"token": "t"}}))
    seen = AnswerWrite(account="17track", number="LX001CN", digest=b"two", status=TrackingStatus.IN_TRANSIT)
    await store.write_poll(polled(at=AT + 60, answers=(seen,)))
    memory = await store.load_memory("17track", ["LX001CN", "LX404CN"])
    assert memory.account == {"token": "t"}
    assert memory.numbers == {"LX001CN": Remembered({"registered_at": AT}, b"two")}
    assert (await store.load_memory("correios", ["LX001CN"])).numbers == {}
    (told,) = await store.answers_of(1)
    assert (told.account, told.status) == ("17track", TrackingStatus.IN_TRANSIT)
    assert (await store.status(NOW)).sources[0].last_answer_at == AT + 60


@pytest.mark.sqlite_only
async def test_the_number_of_statements_does_not_follow_the_number_of_parcels(store: Store) -> None:
    """One query a parcel would cost more than all the rest: 5 or 50 parcels are written by the same handful."""
    ids = await _parcels(store, 50)

    async def statements(some: list[int]) -> int:
        seen: list[str] = []
        raw = store._db._connection.connection.driver_connection  # type: ignore[attr-defined]
        assert raw is not None
        raw.set_trace_callback(seen.append)
        changes = [change(key, f"LX{key - 1:03}CN", scan(f"{key}")) for key in some]
        await store.write_poll(polled(*changes, quiet=tuple(PollQuiet(key, "x", AT) for key in some)))
        await store.load_dossiers(some)
        raw.set_trace_callback(None)
        return len({sql.split("VALUES", 1)[0].split("SET", 1)[0][:60] for sql in seen})

    assert await statements(ids[:5]) == await statements(ids)


@pytest.mark.sqlite_only
async def test_the_claim_follows_what_is_due_not_what_exists(store: Store) -> None:
    """Both due columns are found by their partial index."""
    await given(store)
    for sql, index in (
        ("SELECT id FROM shipment WHERE next_poll_at <= 5 ORDER BY next_poll_at, id LIMIT 5", "ix_shipment_due"),
        ("SELECT id FROM dossier WHERE next_decide_at <= 5 ORDER BY next_decide_at, id LIMIT 5", "ix_dossier_due"),
        ("SELECT id FROM outbox WHERE state = 'pending' AND not_before <= 5", "ix_outbox_due"),
    ):
        plan = await store._db.read(lambda tx, sql=sql: tx.rows(f"EXPLAIN QUERY PLAN {sql}"))  # type: ignore[misc]
        assert index in plan[0][3]
        assert not any("TEMP B-TREE" in row[3] for row in plan)
