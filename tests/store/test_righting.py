"""What a clock that was ahead has written is not waited for once it is right again (fault 13, I2)."""

from __future__ import annotations

from datetime import timedelta

from tests.store.build import AT, DAY, HOUR, NOW, change, decided, decision, dossier, given, only_row, pending, polled, scan
from tracker.clock import epoch
from tracker.store import Store
from tracker.store.rows import Breaker

YEAR = timedelta(days=365)


async def _a_year_ahead(store: Store) -> int:
    """Asked, decided and put off while the clock was a year ahead; the id of the row that was put off."""
    await given(store)
    then = NOW + YEAR
    at = epoch(then)
    await store.write_poll(polled(change(1, "LX001CN", scan("a", NOW), next_poll_at=at + 3600), at=at))
    await decided(store, pending(decision()), now=then)
    row = (await store.due_rows(then, 10))[0].id
    await store.defer_row(row, then + HOUR, "hourly_cap", then)
    await store.change_breaker("17track", lambda _: Breaker(failures=3, open_until=then + HOUR, since=then, kind="unavailable"))
    return row


async def test_polls_decisions_and_sends_go_on_when_the_clock_is_right_again(store: Store) -> None:
    """Without this a parcel would not be asked about, nor an order decided, for a year."""
    row = await _a_year_ahead(store)
    assert await store.wrote_ahead(NOW)
    assert await store.due_shipments(NOW, 10) == []
    assert await store.due_dossiers(NOW, 10) == []
    await store.clock_came_back(NOW)
    assert [each.number for each in await store.due_shipments(NOW, 10)] == ["LX001CN"]
    assert await store.due_dossiers(NOW, 10) == [(AT, 1)]
    found = await store.row(row)
    assert found is not None
    assert found.not_before == NOW
    assert (await dossier(store)).shipments[0].last_answer_at == NOW
    assert (await store.breaker("17track")).open_until == NOW


async def test_what_lies_ahead_by_right_stays_where_it_is(store: Store) -> None:
    """A week's rest, a send put off for an hour: nothing of that is touched by a clock that was always right."""
    await given(store)
    await store.write_poll(polled(change(1, "LX001CN", scan("a", NOW), next_poll_at=AT + 7 * 86_400)))
    await decided(store, pending(decision()))
    row = await only_row(store)
    assert not await store.wrote_ahead(NOW + HOUR)
    await store.clock_came_back(NOW + HOUR)
    assert await store.due_shipments(NOW + HOUR, 10) == []
    (due,) = await store.due_rows(NOW + HOUR, 10)
    assert (due.id, due.not_before) == (row.id, row.not_before)
    assert await store.due_dossiers(NOW + DAY, 10) != []


async def test_what_was_decided_too_soon_by_the_wrong_clock_still_waits_for_its_day(store: Store) -> None:
    """A stage of day 30 that a clock a year ahead has decided on day 10 goes out on day 30."""
    await given(store)
    await decided(store, pending(decision(not_before=NOW + 20 * DAY)), now=NOW + YEAR)
    row = (await store.due_rows(NOW + YEAR, 10))[0].id
    await store.defer_row(row, NOW + YEAR + HOUR, "hourly_cap", NOW + YEAR)
    await store.clock_came_back(NOW)
    found = await store.row(row)
    assert found is not None
    assert found.not_before == NOW + 20 * DAY
