"""Polling end to end: a real database, real HTTP against the stand-in (faults rows 2, 6, 7, 8, 33; DESIGN promise 2)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests import house
from tests.conftest import Lines
from tests.house import ACCOUNT, START, TOKEN
from tracker.clock import SimulatedClock
from tracker.demo.standin import Aggregator, ScriptedEvent, ScriptedParcel, StandIn, Trouble
from tracker.model import Shipment
from tracker.polling import Cadence, Poller, PollReport
from tracker.rules import Rules
from tracker.store import PollWrite, PollWritten, Store

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Polling:
    """A poller on its database, and the source it asks."""

    def __init__(
        self, store: Store, clock: SimulatedClock, rules: Rules, stand_in: StandIn, *, reserve: float = 0, **settings: int
    ) -> None:
        self.store = store
        self.clock = clock
        self.aggregator = stand_in.aggregator
        self.source = house.source(store, clock, stand_in.base_url, **settings)
        self.poller = Poller(
            store=store, clock=clock, rules=rules, sources={ACCOUNT: self.source}, cadence=Cadence(), reserve=reserve
        )

    async def poll(self, *, days: float = 0) -> int:
        """Move the clock, then ask until nothing is due; how many parcels that were."""
        self.clock.advance_to(self.clock.now() + days * DAY)
        done, report = 0, PollReport(more=True)
        while report.more:
            report = await self.poller.poll_once()
            done += report.worked
        return done

    async def shipment(self, row: int = 0) -> Shipment:
        (dossier,) = await self.store.load_dossiers([row + 1])
        return dossier.shipments[0]

    async def close(self) -> None:
        await self.source.transport.close()


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
def rules() -> Rules:
    return house.rules()


def moving(number: str, *, start: datetime = START, until: int = 12) -> ScriptedParcel:
    """Accepted a day after the start, a scan every second day."""
    events = [
        ScriptedEvent(
            at=start + day * DAY,
            sub_status="InTransit_Other",
            description=f"Scan of day {day}",
            location="Shenzhen",
            country="CN",
        )
        for day in range(1, until, 2)
    ]
    return ScriptedParcel(number=number, events=tuple(events), label_at=start)


@contextmanager
def asking(clock: SimulatedClock, parcels: list[ScriptedParcel], *troubles: Trouble) -> Iterator[StandIn]:
    with StandIn(Aggregator(parcels, clock.now, token=TOKEN, troubles=troubles)) as stand_in:
        yield stand_in


async def test_news_reaches_the_dossier_and_wakes_it(store: Store, clock: SimulatedClock, rules: Rules) -> None:
    (number,) = await house.bring_parcels(store, 1)
    with asking(clock, [moving(number)]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        assert await polling.poll() == 1
        assert (await polling.shipment()).status is TrackingStatus.INFO_RECEIVED
        assert await polling.poll(days=4) == 1
        shipment = await polling.shipment()
        await polling.close()
    assert shipment.status is TrackingStatus.IN_TRANSIT
    assert shipment.first_scan is not None
    assert shipment.first_scan.latest == START + DAY
    assert shipment.last_scan is not None
    assert shipment.last_scan.description == "Scan of day 3"
    assert shipment.last_answer_at == clock.now().replace(microsecond=0)
    assert shipment.registered_at == START
    assert (await store.due_dossiers(clock.now(), 10))[0][0] == int(clock.now().timestamp())


async def test_batches_are_as_large_as_the_source_takes_and_one_line_each(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    made = await house.bring_parcels(store, 95)
    with asking(clock, [moving(number) for number in made]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        assert await polling.poll() == 95
        assert polling.aggregator.calls == {"register": 3, "gettrackinfo": 3}
        assert await polling.poll(days=2) == 95
        assert polling.aggregator.calls == {"register": 3, "gettrackinfo": 6}
        await polling.close()
    batches = [line for line in log_lines() if line["event"] == "poll.batch"]
    assert sorted(line["asked"] for line in batches) == [15, 15, 40, 40, 40, 40]
    assert sum(line["new_events"] for line in batches) == 95


async def test_an_identical_answer_writes_no_rows_but_moves_the_last_answer_every_time(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """Performance section 6: an identical payload N times adds 0 rows, and silence counts to the last answer."""
    (number,) = await house.bring_parcels(store, 1)
    with asking(clock, [moving(number, until=2)]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll(days=2)
        before = await polling.shipment()
        events = await store.load_events([1])
        seen = []
        for _ in range(5):
            assert await polling.poll(days=1.2) == 1
            seen.append((await polling.shipment()).last_answer_at)
        after = await polling.shipment()
        await polling.close()
    assert await store.load_events([1]) == events
    known = [at for at in seen if at is not None]
    assert known == sorted(set(known))
    assert len(known) == 5
    assert after.last_scan == before.last_scan
    quiet = [line for line in log_lines() if line["event"] == "poll.batch"][1:]
    assert [(line["changed"], line["unchanged"]) for line in quiet] == [(0, 1)] * 5


async def test_a_number_is_not_asked_again_before_its_time(store: Store, clock: SimulatedClock, rules: Rules) -> None:
    (number,) = await house.bring_parcels(store, 1)
    with asking(clock, [moving(number)]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll(days=2)
        assert await polling.poll(days=0.24) == 0
        assert await polling.poll(days=0.05) == 1
        await polling.close()


NAMED = {
    "unavailable": "unavailable",
    "rate_limited": "rate_limited",
    "html": "bad_response",
    "truncated": "bad_response",
    "inside_200": "unavailable",
}
TROUBLES = list(NAMED)


@pytest.mark.parametrize("kind", TROUBLES)
async def test_a_source_that_is_down_for_two_days_ages_no_parcel(
    kind: str, store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """R8, promise 2: only what a source answered may cost money. 503, 429, HTML, truncated JSON, an error inside 200."""
    made = await house.bring_parcels(store, 90)
    outage = Trouble(start=START + 3 * DAY, end=START + 5 * DAY, kind=kind)
    with asking(clock, [moving(number, until=4) for number in made], outage) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll(days=2.9)
        before = [await polling.shipment(row) for row in (0, 50, 89)]
        while clock.now() < START + 4.9 * DAY:
            await polling.poll(days=0.05)
        during = [await polling.shipment(row) for row in (0, 50, 89)]
        asked = polling.aggregator.calls["gettrackinfo"]
        await polling.poll(days=0.5)
        after = [await polling.shipment(row) for row in (0, 50, 89)]
        await polling.close()
    assert [replace(each, unanswered=None) for each in during] == before
    assert {each.unanswered for each in during} == {NAMED[kind]}, "it says why"
    assert asked < 400, "a source that is down is tried now and then, not hammered"
    assert all(shipment.last_answer_at and shipment.last_answer_at > START + 5 * DAY for shipment in after)
    events = [line["event"] for line in log_lines()]
    assert events.count("source.down") == 1
    assert events.count("source.up") == 1
    (up,) = [line for line in log_lines() if line["event"] == "source.up"]
    assert 1.5 * 86_400 < up["down_seconds"] < 2.5 * 86_400


async def test_a_wrong_key_is_said_once_and_asked_about_now_and_then(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """Auth and quota errors: the breaker opens, one line, not one a parcel."""
    made = await house.bring_parcels(store, 200)
    with StandIn(Aggregator([moving(number) for number in made], clock.now, token="another-key")) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll()
        first = polling.aggregator.calls["register"]
        for _ in range(24):
            await polling.poll(days=1 / 24)
        assert polling.aggregator.calls["register"] - first < 30
        await polling.close()
    assert first <= 8
    (down,) = [line for line in log_lines() if line["event"] == "source.down"]
    assert down["kind"] == "auth"
    assert (await store.breaker(ACCOUNT)).open_until is not None


async def test_the_breaker_survives_a_restart(store: Store, clock: SimulatedClock, rules: Rules) -> None:
    made = await house.bring_parcels(store, 200)
    outage = Trouble(start=START, end=START + DAY, kind="unavailable")
    with asking(clock, [moving(number) for number in made], outage) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll()
        asked = dict(polling.aggregator.calls)
        again = Polling(store, clock, rules, stand_in)
        await again.poll(days=0.001)
        assert polling.aggregator.calls == asked
        await polling.close()
        await again.close()


async def test_a_number_that_the_source_refuses_is_parked_and_shown(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """`invalid_number` is permanent: seven days, one warning, the others go on."""
    await house.bring(
        store,
        [house.order("1"), house.order("2", row=2)],
        [house.parcel("BAD-1", "1"), house.parcel("LZ000000001CN", "2", row=2)],
        START,
    )
    with asking(clock, [moving("LZ000000001CN")]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        assert await polling.poll() == 2
        counts = await store.status(clock.now())
        assert (counts.unanswered, counts.unanswered_sample) == (1, "BAD-1"), "a person sees it: nothing is ever decided of it"
        assert await polling.poll(days=3) == 1
        await polling.close()
    (warning,) = [line for line in log_lines() if line["event"] == "poll.number_errors"]
    assert (warning["kind"], warning["sample"], warning["count"]) == ("invalid_number", "BAD-1", 1)


async def test_a_code_that_nobody_knows_is_said_once_and_the_parcel_is_unknown(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    made = await house.bring_parcels(store, 3)
    odd = [
        ScriptedParcel(number=number, events=(ScriptedEvent(at=START, sub_status="Wormhole_Entered", description="?"),))
        for number in made
    ]
    with asking(clock, odd) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll(days=1)
        assert (await polling.shipment()).status is TrackingStatus.UNKNOWN
        await polling.close()
    (warning,) = [line for line in log_lines() if line["event"] == "poll.unmapped_code"]
    assert "Wormhole" in warning["code"]


async def test_a_fresh_not_found_is_no_news_and_a_lasting_one_is_counted(
    store: Store, clock: SimulatedClock, rules: Rules
) -> None:
    """R8: within 48 hours of registration nothing is counted; after that every answer is, byte for byte the same or not."""
    (number,) = await house.bring_parcels(store, 1)
    with asking(clock, [ScriptedParcel(number=number, known=False)]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        for _ in range(6):
            await polling.poll(days=0.3)
        assert clock.now() < START + 2 * DAY
        fresh = await polling.shipment()
        for _ in range(4):
            await polling.poll(days=1)
        lasting = await polling.shipment()
        await polling.close()
    assert (fresh.status, fresh.not_found) == (TrackingStatus.NOT_FOUND, None)
    assert fresh.last_answer_at is not None
    assert lasting.not_found is not None
    assert lasting.not_found.answers == 4


async def test_one_poisonous_answer_is_parked_and_the_others_go_on(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults row 33."""
    made = await house.bring_parcels(store, 5)
    with asking(clock, [moving(number) for number in made]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll()
        read = polling.source.adapter.read

        def stumble(raw: bytes) -> object:
            if made[2].encode() in raw:
                raise ZeroDivisionError
            return read(raw)

        monkeypatch.setattr(type(polling.source.adapter), "read", lambda _self, raw: stumble(raw))
        assert await polling.poll(days=2) == 5
        assert await polling.poll(days=0.3) == 4
        found = [(await polling.shipment(row)).last_scan is not None for row in range(5)]
        await polling.close()
    assert found == [True, True, False, True, True]
    (parked,) = [line for line in log_lines() if line["event"] == "poll.parked"]
    assert parked["shipment"] == made[2]


async def test_one_row_that_cannot_be_written_is_parked_and_the_others_are(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await house.bring_parcels(store, 9)
    with asking(clock, [moving(number) for number in made]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        write = store.write_poll

        async def refuse(batch: object) -> object:
            if any(change.number == made[4] for change in batch.changed):  # type: ignore[attr-defined]
                raise OverflowError
            return await write(batch)  # type: ignore[arg-type]

        monkeypatch.setattr(store, "write_poll", refuse)
        assert await polling.poll() == 9
        assert await polling.poll(days=0.5) == 8
        await polling.close()
    (parked,) = [line for line in log_lines() if line["event"] == "poll.parked"]
    assert parked["shipment"] == made[4]


async def test_no_source_for_a_carrier_is_said_once(store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines) -> None:
    await house.bring_parcels(store, 2)
    polling = Poller(store=store, clock=clock, rules=rules, sources={}, cadence=Cadence())
    assert (await polling.poll_once()).worked == 2
    assert (await polling.poll_once()).worked == 0
    clock.advance_to(START + DAY)
    assert (await polling.poll_once()).worked == 2
    (warning,) = [line for line in log_lines() if line["event"] == "poll.no_source"]
    assert (warning["carrier"], warning["count"]) == ("china_post", 2)


async def test_new_numbers_wait_when_the_days_registrations_are_used_up(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """Registrations cost money: the day's limit is kept, known numbers are asked all the same. To wait is no failure."""
    made = await house.bring_parcels(store, 100)
    with asking(clock, [moving(number) for number in made]) as stand_in:
        polling = Polling(store, clock, rules, stand_in, registrations=80)
        await polling.poll()
        assert polling.aggregator.quota_used == 80
        assert await polling.poll(days=0.3) >= 80
        assert polling.aggregator.quota_used == 80
        await polling.poll(days=1)
        assert polling.aggregator.quota_used == 100
        await polling.close()
    events = [line for line in log_lines() if line["event"] in {"poll.number_errors", "poll.waits"}]
    assert [(line["event"], line["count"], line["classes"]) for line in events] == [("poll.waits", 20, {"unscanned": 20})]


async def test_an_outage_does_not_eat_the_days_registrations(store: Store, clock: SimulatedClock, rules: Rules) -> None:
    """What the source did not take is given back; without a daily limit registrations are counted all the same."""
    made = await house.bring_parcels(store, 50)
    with asking(
        clock, [moving(number) for number in made], Trouble(start=START, end=START + HOUR, kind="unavailable")
    ) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll()
        assert await store.quota_days() == {ACCOUNT: {START.date(): 0}}
        await polling.poll(days=1)
        assert (await store.quota_days())[ACCOUNT][clock.now().date()] == 50
        await polling.close()


async def test_a_day_with_fewer_registrations_than_a_batch_still_uses_them_all(
    store: Store, clock: SimulatedClock, rules: Rules
) -> None:
    """All or nothing would never register anything at all."""
    made = await house.bring_parcels(store, 70)
    with asking(clock, [moving(number) for number in made]) as stand_in:
        polling = Polling(store, clock, rules, stand_in, registrations=25)
        await polling.poll()
        assert polling.aggregator.quota_used == 25
        await polling.poll(days=1)
        assert polling.aggregator.quota_used == 50
        await polling.close()


async def test_parcels_without_a_source_are_put_off_in_short_transactions(
    store: Store, clock: SimulatedClock, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 400 parcels a transaction, whatever happens to them."""
    await house.bring_parcels(store, 450)
    sizes, write = [], store.write_poll

    async def measured(work: PollWrite) -> PollWritten:
        sizes.append(len(work.failed))
        return await write(work)

    monkeypatch.setattr(store, "write_poll", measured)
    poller = Poller(store=store, clock=clock, rules=rules, sources={}, cadence=Cadence())
    await poller.poll_once()
    assert sorted(sizes) == [50, 400]


async def test_units_side_by_side_claim_different_parcels(store: Store, clock: SimulatedClock, rules: Rules) -> None:
    """The in-flight set: no parcel is asked about twice at the same time."""
    made = await house.bring_parcels(store, 60)
    with asking(clock, [moving(number) for number in made]) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        reports = await asyncio.gather(*(polling.poller.poll_once() for _ in range(3)))
        await polling.close()
        assert sum(report.worked for report in reports) == 60
        assert polling.aggregator.calls["gettrackinfo"] == 2


@pytest.mark.sqlite_only
async def test_a_journey_that_cannot_be_read_parks_its_parcel_alone(
    store: Store, clock: SimulatedClock, rules: Rules, tmp_path: Path, log_lines: Lines
) -> None:
    """Faults row 33: one damaged row must not hold up the other thirty-nine of its batch at every tick."""
    numbers = await house.bring_parcels(store, 3)
    with StandIn(Aggregator([moving(number) for number in numbers], clock.now, token=TOKEN)) as stand_in:
        polling = Polling(store, clock, rules, stand_in)
        await polling.poll(days=1)
        with sqlite3.connect(tmp_path / "tracker.db") as database:
            database.execute("UPDATE shipment SET journey = ? WHERE number = ?", (b"rubbish", numbers[1]))
        await polling.poll(days=4)
        first, last = await polling.shipment(0), await polling.shipment(2)
        await polling.close()
    assert all(each.last_scan is not None and each.last_scan.latest > START + 2 * DAY for each in (first, last))
    [parked] = [line for line in log_lines() if line["event"] == "poll.parked"]
    assert (parked["shipment"], "cannot be read" in parked["error"]) == (numbers[1], True)
