"""What sources push ends in the same rows as what they answer (R6; faults rows 15, 16 and 33; DESIGN promise 2)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from carriers.model import TrackingStatus
from tests import house
from tests.conftest import Lines
from tests.house import ACCOUNT, START
from tests.receiver.knocking import KEY, body, signed
from tracker.clock import SimulatedClock, epoch
from tracker.model import Shipment
from tracker.polling import Cadence, Poller, Pusher, pushes
from tracker.store import PollWrite, PollWritten, Store, Unwritable
from tracker.store.rows import Link, PollChange

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OTHER = "other"

PICKED_UP = ("2026-03-02T10:00:00+08:00", "InTransit_PickedUp")
DEPARTED = ("2026-03-05T10:00:00+08:00", "InTransit_Departure")
ARRIVED = ("2026-03-09T10:00:00-03:00", "InTransit_Arrival")
DELIVERED = ("2026-03-12T10:00:00-03:00", "Delivered_Other")


class Post:
    """A house with parcels, two accounts at one source, and the postman."""

    def __init__(self, store: Store, clock: SimulatedClock, numbers: Sequence[str]) -> None:
        self.store = store
        self.clock = clock
        self.numbers = numbers
        mine = house.source(store, clock, "http://127.0.0.1:9")
        other = replace(mine, account=replace(mine.account, id=OTHER))
        sources = {ACCOUNT: mine, OTHER: other}
        self.poller = Poller(store=store, clock=clock, rules=house.rules(), sources=sources, cadence=Cadence())
        self.pusher = Pusher(self.poller)

    async def put(self, content: bytes, *, account: str = ACCOUNT, later: timedelta = timedelta(0)) -> bool:
        """One push comes, `later` than the one before."""
        self.clock.advance_to(self.clock.now() + later)
        adapter = self.poller.sources[ACCOUNT].adapter
        told = adapter.read_push(signed(content), content, KEY, self.clock.now())
        slices = [(each.number, each.slice) for each in told]
        return await self.store.keep_push(account, sha256(content).digest(), slices, self.clock.now())

    async def hear(self) -> int:
        """Hear all that waits; how many slices that were."""
        done = 0
        while (report := await self.pusher.hear_once()).more:
            done += report.worked
        return done

    async def shipment(self, row: int = 0) -> Shipment:
        (dossier,) = await self.store.load_dossiers([row + 1])
        return dossier.shipments[0]

    async def due(self) -> list[str]:
        """The numbers that are due to be asked about now."""
        return [each.number for each in await self.store.due_shipments(self.clock.now(), 100)]

    async def waiting(self) -> int:
        return len(await self.store.waiting_pushes(100))


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def post(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Post]:
    async with house.database(tmp_path, clock) as store:
        yield Post(store, clock, await house.bring_parcels(store, 3))


async def test_a_push_moves_a_parcel_like_an_answer(post: Post, log_lines: Lines) -> None:
    """Faults row 15: journey, scans, next poll, wake-up, last answer and digest, all in one transaction with the slice's end."""
    await post.put(body(post.numbers[0], PICKED_UP), later=2 * DAY)
    assert await post.hear() == 1
    parcel = await post.shipment()
    assert (parcel.status, parcel.last_answer_at) == (TrackingStatus.IN_TRANSIT, post.clock.now())
    assert parcel.first_scan is not None
    assert parcel.first_scan.latest.isoformat() == "2026-03-02T02:00:00+00:00"
    assert await post.due() == list(post.numbers[1:])
    assert (epoch(post.clock.now()), 1) in await post.store.due_dossiers(post.clock.now(), 10)
    memory = await post.store.load_memory(ACCOUNT, post.numbers)
    assert [number for number, each in memory.numbers.items() if each.digest] == [post.numbers[0]]
    assert await post.waiting() == 0
    (line,) = [line for line in log_lines() if line["event"] == "push.heard"]
    assert (line["heard"], line["changed"], line["new_events"], line["asked"]) == (1, 1, 1, 0)


async def test_hearing_the_same_again_changes_nothing(post: Post, log_lines: Lines) -> None:
    """Faults rows 15 and 16: the bytes around it are new, what they tell is not."""
    told = body(post.numbers[0], PICKED_UP)
    await post.put(told, later=2 * DAY)
    await post.hear()
    before = await post.shipment()
    await post.put(told.replace(b'"data"', b' "data"'), later=HOUR)
    assert await post.hear() == 1
    assert await post.shipment() == replace(before, last_answer_at=post.clock.now())
    assert [line["unchanged"] for line in log_lines() if line["event"] == "push.heard"] == [0, 1]


async def test_pushes_are_heard_in_the_order_in_which_they_came(post: Post) -> None:
    """Two about one parcel, and one about another: each builds on the one before."""
    await post.put(body(post.numbers[0], PICKED_UP), later=5 * DAY)
    await post.put(body(post.numbers[1], PICKED_UP))
    await post.put(body(post.numbers[0], DEPARTED, PICKED_UP))
    await post.put(body(post.numbers[0], ARRIVED, DEPARTED, PICKED_UP), later=5 * DAY)
    assert await post.hear() == 4
    parcel = await post.shipment()
    assert parcel.first_scan is not None
    assert parcel.last_scan is not None
    assert (parcel.first_scan.latest.day, parcel.last_scan.latest.day) == (2, 9)
    assert len((await post.store.load_events([1]))[1]) == 3
    assert (await post.shipment(1)).status is TrackingStatus.IN_TRANSIT


async def test_an_old_push_never_takes_back_the_end(post: Post) -> None:
    """Faults row 16: repeated an hour after the delivery was heard, it is not believed; the source is asked instead."""
    await post.put(body(post.numbers[0], DELIVERED, ARRIVED, status="Delivered"), later=12 * DAY)
    await post.hear()
    assert post.numbers[0] not in await post.due()
    await post.put(body(post.numbers[0], ARRIVED, DEPARTED), later=HOUR)
    assert await post.hear() == 1
    parcel = await post.shipment()
    assert parcel.status is TrackingStatus.DELIVERED
    assert parcel.delivered_scan is not None
    assert post.numbers[0] in await post.due()
    memory = await post.store.load_memory(ACCOUNT, post.numbers[:1])
    assert memory.numbers[post.numbers[0]].found


async def test_what_another_account_pushes_takes_nothing_back_and_is_heard(post: Post) -> None:
    """Only who told the end can take it back: here is nothing to doubt, and an earlier scan to learn."""
    await post.put(body(post.numbers[0], DELIVERED, ARRIVED, status="Delivered"), later=12 * DAY)
    await post.put(body(post.numbers[0], DEPARTED, PICKED_UP), account=OTHER, later=HOUR)
    assert await post.hear() == 2
    parcel = await post.shipment()
    assert parcel.status is TrackingStatus.DELIVERED
    assert parcel.first_scan is not None
    assert parcel.first_scan.latest.day == 2
    assert post.numbers[0] not in await post.due()


async def test_a_stop_after_the_end_is_no_doubt(post: Post) -> None:
    """17TRACK looks no longer: it says so without a scan, and that is no word about the parcel."""
    await post.put(body(post.numbers[0], DELIVERED, status="Delivered"), later=12 * DAY)
    stopped = {"event": "TRACKING_STOPPED", "data": {"number": post.numbers[0], "carrier": 3011}}
    await post.put(msgspec.json.encode(stopped), later=15 * DAY)
    assert await post.hear() == 2
    parcel = await post.shipment()
    assert (parcel.status, parcel.stopped_at) == (TrackingStatus.DELIVERED, post.clock.now())


async def test_an_old_push_that_reaches_less_far_leaves_the_word_to_the_newer_answer(post: Post) -> None:
    """Faults row 16: its scans are taken, the state stays."""
    await post.put(body(post.numbers[0], ARRIVED, status="InTransit", sub_status="InTransit_CustomsProcessing"), later=9 * DAY)
    await post.hear()
    before = await post.shipment()
    await post.put(body(post.numbers[0], PICKED_UP, status="OutForDelivery"), later=HOUR)
    await post.hear()
    parcel = await post.shipment()
    assert (parcel.status, parcel.reason, parcel.last_scan) == (before.status, before.reason, before.last_scan)
    assert parcel.first_scan is not None
    assert parcel.first_scan.latest.day == 2


async def test_a_pushed_not_found_costs_no_money(post: Post) -> None:
    """R8, promise 2: only what a source answered counts; a push makes us ask."""
    for day in range(1, 6):
        await post.put(body(post.numbers[0], status="NotFound", sub_status=f"NotFound_{day}"), later=4 * DAY)
        await post.hear()
    parcel = await post.shipment()
    assert (parcel.status, parcel.not_found, parcel.last_answer_at) == (TrackingStatus.UNKNOWN, None, None)
    assert await post.waiting() == 0
    assert post.numbers[0] in await post.due()


async def test_a_push_that_an_answer_has_overtaken_is_not_heard(post: Post) -> None:
    """It waited for a restart, and the parcel was answered meanwhile: the last answer never moves back."""
    await post.put(body(post.numbers[0], PICKED_UP), later=3 * DAY)
    came = epoch(post.clock.now())
    (parcel,) = (await post.store.shipments_by_number(post.numbers[:1])).values()
    journey = (await post.store.load_polled([parcel.id]))[parcel.id].journey
    answered = PollChange(id=parcel.id, number=parcel.number, next_poll_at=came + 99_999, journey=journey, source=ACCOUNT)
    await post.store.write_poll(PollWrite(at=came + 60, changed=(answered,)))
    post.clock.advance_to(post.clock.now() + HOUR)
    assert await post.hear() == 1
    after = await post.shipment()
    assert after.last_answer_at is not None
    assert (epoch(after.last_answer_at), after.status) == (came + 60, TrackingStatus.UNKNOWN)
    assert post.numbers[0] in await post.due()


async def test_a_parcel_that_is_asked_about_no_more_is_not_asked_again(post: Post) -> None:
    (parcel,) = (await post.store.shipments_by_number(post.numbers[:1])).values()
    journey = (await post.store.load_polled([parcel.id]))[parcel.id].journey
    done = PollChange(id=parcel.id, number=parcel.number, next_poll_at=None, journey=journey, source=ACCOUNT)
    await post.store.write_poll(PollWrite(at=epoch(START) + 60, changed=(done,)))
    await post.put(body(post.numbers[0], status="NotFound"), later=DAY)
    assert await post.hear() == 1
    assert post.numbers[0] not in await post.due()


async def test_two_accounts_of_one_source_never_mix(post: Post) -> None:
    """Each has its own memory of a number: what one pushed is news from the other, and the scans are there once."""
    told = body(post.numbers[0], PICKED_UP)
    await post.put(told, later=2 * DAY)
    await post.put(told, account=OTHER)
    assert await post.hear() == 2
    for account in (ACCOUNT, OTHER):
        memory = await post.store.load_memory(account, post.numbers)
        assert list(memory.numbers) == [post.numbers[0]]
    assert len((await post.store.load_events([1]))[1]) == 1
    assert {view.account for view in await post.store.answers_of(1)} == {ACCOUNT, OTHER}


async def test_what_nobody_follows_is_dropped_and_counted_once_an_hour(post: Post, log_lines: Lines) -> None:
    for serial in range(3):
        await post.put(body(f"LZ00000099{serial}CN", PICKED_UP))
        await post.hear()
    await post.put(body("LZ000000999CN", PICKED_UP), account="gone")
    await post.put(body("LZ000000999CN", PICKED_UP), later=HOUR)
    assert await post.hear() == 2
    assert await post.waiting() == 0
    told = [(line["source"], line["count"]) for line in log_lines() if line["event"] == "push.unfollowed"]
    assert told == [(ACCOUNT, 1), ("gone", 1), (ACCOUNT, 3)]


async def test_the_push_of_a_last_mile_number_makes_its_parcel_be_asked_about(post: Post) -> None:
    (parcel,) = (await post.store.shipments_by_number(post.numbers[:1])).values()
    journey = (await post.store.load_polled([parcel.id]))[parcel.id].journey
    linked = PollChange(
        id=parcel.id,
        number=parcel.number,
        next_poll_at=epoch(START) + 99_999_999,
        journey=journey,
        source=ACCOUNT,
        link=Link("NX123456785BR", "correios"),
    )
    await post.store.write_poll(PollWrite(at=epoch(START), changed=(linked,)))
    await post.put(body("NX123456785BR", ARRIVED), later=9 * DAY)
    assert post.numbers[0] not in await post.due()
    assert await post.hear() == 1
    assert post.numbers[0] in await post.due()


@pytest.mark.sqlite_only
async def test_what_the_poller_is_asking_about_waits_for_its_answer(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the answer, read before the push, would overwrite the journey. What stands behind it goes on."""
    monkeypatch.setattr(pushes, "TRANSACTION", 1)
    await post.put(body(post.numbers[0], PICKED_UP), later=2 * DAY)
    await post.put(body(post.numbers[1], PICKED_UP))
    post.store._db.in_hand.add(1)
    assert await post.hear() == 1
    assert (await post.shipment(0)).status is TrackingStatus.UNKNOWN
    assert (await post.shipment(1)).status is TrackingStatus.IN_TRANSIT
    post.store._db.in_hand.clear()
    assert await post.hear() == 1
    assert (await post.shipment(0)).status is TrackingStatus.IN_TRANSIT


@pytest.mark.sqlite_only
async def test_what_is_being_heard_is_not_asked_about(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed: list[set[int]] = []
    load = post.store.load_polled

    async def watched(ids: Sequence[int]) -> object:
        claimed.append(set(post.store._db.in_hand))
        return await load(ids)

    monkeypatch.setattr(post.store, "load_polled", watched)
    await post.put(body(post.numbers[1], PICKED_UP), later=2 * DAY)
    await post.hear()
    assert claimed == [{2}]
    assert post.store._db.in_hand == set()


async def test_a_slice_that_cannot_be_read_hurts_no_other(post: Post) -> None:
    """Faults row 33: nobody asked, so no poll has failed; the parcel is asked about in its time."""
    good = body(post.numbers[1], PICKED_UP)
    (told,) = post.poller.sources[ACCOUNT].adapter.read_push(signed(good), good, KEY, START)
    slices = [(post.numbers[0], b'{"rubbish"'), (told.number, told.slice)]
    await post.store.keep_push(ACCOUNT, b"a" * 32, slices, START + 2 * DAY)
    assert await post.hear() == 2
    assert await post.waiting() == 0
    assert (await post.shipment(1)).status is TrackingStatus.IN_TRANSIT
    (parcel,) = (await post.store.shipments_by_number(post.numbers[:1])).values()
    assert (parcel.failures, parcel.last_answer_at) == (0, None)


async def test_a_push_that_cannot_be_written_is_parked_and_the_others_are_heard(
    post: Post, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    """Faults row 33: half by half; the slices go with the last half, so that a crash in between loses none."""
    for number in post.numbers:
        await post.put(body(number, PICKED_UP))
    write, gone = post.store.write_poll, list[int]()

    async def picky(poll: PollWrite) -> PollWritten:
        if any(change.id == 2 for change in poll.changed):
            raise ValueError("no such column")
        gone.append(len(poll.pushed))
        return await write(poll)

    monkeypatch.setattr(post.store, "write_poll", picky)
    assert await post.hear() == 3
    assert [(await post.shipment(row)).status.value for row in range(3)] == ["in_transit", "unknown", "in_transit"]
    assert (await post.waiting(), gone) == (0, [0, 0, 3])
    assert [line["shipment"] for line in log_lines() if line["event"] == "poll.parked"] == [post.numbers[1]]


@pytest.mark.sqlite_only
async def test_a_parcel_that_cannot_be_loaded_holds_up_no_other(post: Post, tmp_path: Path, log_lines: Lines) -> None:
    """Faults row 33: its slice goes, and it is asked about in its time; what came with it and after it is heard."""
    with closing(sqlite3.connect(tmp_path / "tracker.db")) as database, database:
        database.execute("UPDATE shipment SET journey = ? WHERE number = ?", (b"rubbish", post.numbers[1]))
    for number in post.numbers:
        await post.put(body(number, PICKED_UP))
    await post.put(body(post.numbers[0], DEPARTED, PICKED_UP), later=HOUR)
    assert await post.hear() == 4
    assert await post.waiting() == 0
    assert [len(events) for events in (await post.store.load_events([1, 3])).values()] == [2, 1]
    assert [line["shipment"] for line in log_lines() if line["event"] == "poll.parked"] == [post.numbers[1]]


async def test_a_source_of_one_shop_says_nothing_about_anothers_parcels(post: Post, log_lines: Lines) -> None:
    """Whoever holds one shop's secret must not be able to deliver what is another's: nobody follows that number there."""
    mine = post.poller.sources[ACCOUNT]
    post.poller.sources = {ACCOUNT: replace(mine, stores=frozenset({house.SHOP})), OTHER: replace(mine, stores=frozenset({"x"}))}
    await post.put(body(post.numbers[0], DELIVERED, status="Delivered"), account=OTHER, later=12 * DAY)
    assert await post.hear() == 1
    assert (await post.shipment()).status is TrackingStatus.UNKNOWN
    assert [line["count"] for line in log_lines() if line["event"] == "push.unfollowed"] == [1]
    await post.put(body(post.numbers[0], DELIVERED, status="Delivered"))
    assert await post.hear() == 1
    assert (await post.shipment()).status is TrackingStatus.DELIVERED


async def test_a_disk_that_is_full_keeps_what_was_pushed(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults row 4: what is not heard stands there until it is."""

    async def full(_poll: PollWrite) -> PollWritten:
        raise Unwritable("the disk is full")

    await post.put(body(post.numbers[0], PICKED_UP))
    with monkeypatch.context() as patched:
        patched.setattr(post.store, "write_poll", full)
        with pytest.raises(Unwritable):
            await post.hear()
    assert (await post.waiting(), post.store._db.in_hand) == (1, set())
    assert await post.hear() == 1
