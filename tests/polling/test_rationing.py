"""A source whose day does not suffice, on a real database: who is asked, who waits, what waiting costs (R6, R8, D20)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carriers.base import Account, Batch, Memory, Pushless, Query, Request, Response
from carriers.errors import CarrierError, ErrorKind
from carriers.model import Tracking, TrackingStatus
from tests import house
from tests.conftest import Lines
from tests.house import ACCOUNT, START
from tracker.clock import SimulatedClock, epoch
from tracker.polling import Cadence, Pace, Poller, Source, StoreGate
from tracker.rules import Rules
from tracker.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEATS = 5


class Plain(Pushless):
    """A source without any ceremony: one call about up to five numbers."""

    name = "plain"
    batch_size = SEATS

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        numbers = [query.number for query in queries]
        response = yield Request(method="GET", url=f"{account.base_url}/{','.join(numbers)}")
        return Batch(answers=self.split(response, numbers))

    def split(self, response: Response, asked: Sequence[str]) -> dict[str, bytes | CarrierError]:
        answers: dict[str, bytes | CarrierError] = {}
        for number, said in msgspec.json.decode(response.body).items():
            answers[number] = CarrierError(ErrorKind.NOT_READY, "soon") if said == "soon" else msgspec.json.encode(said)
        return answers

    def read(self, raw: bytes) -> Tracking:
        said = msgspec.json.decode(raw)
        known = said in set(TrackingStatus)
        return Tracking(
            number=None,
            status=TrackingStatus(said) if known else TrackingStatus.UNKNOWN,
            raw_status=said,
            unmapped=() if known else (said,),
        )


class Ordered(Plain):
    """Nothing is asked: the answers that were ordered are not due yet."""

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        soon = CarrierError(ErrorKind.NOT_READY, "the ticket is not due")
        yield from ()
        return Batch(answers={query.number: soon for query in queries})


class Wire:
    """The transport: through the real gate, to a script that says something of every number, or fails."""

    def __init__(self, gate: StoreGate, says: Callable[[str], str]) -> None:
        self.gate, self.says = gate, says
        self.fails: CarrierError | None = None
        self.asked: list[str] = []
        self.calls = 0
        self.at_once = self.most_at_once = 0

    async def send(self, request: Request) -> Response:
        await self.gate.pass_(ACCOUNT)
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        for _ in range(20):
            await asyncio.sleep(0)
        self.at_once -= 1
        if self.fails is not None:
            raise self.fails
        numbers = request.url.rpartition("/")[2].split(",")
        self.asked += numbers
        return Response(status=200, body=msgspec.json.encode({number: self.says(number) for number in numbers}))

    async def close(self) -> None:
        """Nothing is held."""


class Shop:
    """A poller with one limited source."""

    def __init__(
        self, store: Store, clock: SimulatedClock, rules: Rules, *, calls: int | None, says: str = "info_received", **more: Any
    ) -> None:
        self.store, self.clock, self.rules = store, clock, rules
        gate = StoreGate(store, clock, {ACCOUNT: Pace(rps=1000, daily_quota=calls)})
        self.wire = Wire(gate, lambda _number: says)
        account = Account(id=ACCOUNT, base_url="https://plain.example")
        self.source = Source(
            account=account, adapter=Plain(), transport=self.wire, batch=SEATS, concurrency=2, calls=calls, **more
        )
        self.poller = self.restarted()

    def restarted(self) -> Poller:
        sources = {ACCOUNT: self.source}
        self.poller = Poller(store=self.store, clock=self.clock, rules=self.rules, sources=sources, cadence=Cadence())
        return self.poller

    async def until(self, hours: float, *, every: float = 0.25) -> None:
        """Look every quarter of an hour, as the daemon does every half minute."""
        end = self.clock.now() + hours * HOUR
        while self.clock.now() < end:
            while (await self.poller.poll_once()).more:
                pass
            self.clock.advance_to(self.clock.now() + every * HOUR)

    async def near(self, at: datetime, first: int) -> None:
        """The `first` parcels have a date that people must meet."""
        await self.store._db.write(lambda tx: tx.run("UPDATE shipment SET deadline_at = ? WHERE id <= ?", epoch(at), first))

    async def failures(self) -> int:
        found: int = await self.store._db.read(lambda tx: tx.value("SELECT sum(failures) FROM shipment"))
        return found


@pytest.fixture
def clock() -> SimulatedClock:
    clock = house.simulated()
    clock.advance_to(START + 12 * HOUR)
    return clock


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


@pytest.fixture(scope="module")
def rules() -> Rules:
    return house.rules()


async def test_r6_a_day_that_does_not_suffice_is_spread_and_nobody_is_a_failure(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """R6: 300 parcels, ten calls for five each. Deadlines come at once and again, the others share what is left, evenly."""
    made = await house.bring_parcels(store, 300, clock.now())
    shop = Shop(store, clock, rules, calls=10)
    await shop.near(clock.now() + 2 * DAY, 4)
    await shop.until(0.25)
    assert set(made[:4]) <= set(shop.wire.asked[:SEATS]), "the first call is theirs, and takes a fifth along"
    assert shop.wire.calls <= 2
    await shop.until(12)
    assert 4 <= shop.wire.calls <= 7, "half of the day, half of the calls"
    await shop.until(11.5)
    assert 8 <= shop.wire.calls <= 10
    assert min(shop.wire.asked.count(number) for number in made[:4]) >= 3, "every six hours"
    assert await shop.failures() == 0
    counts = await store.status(clock.now())
    assert counts.unanswered == 0
    waits = [line for line in log_lines() if line["event"] == "poll.waits"]
    assert [line["source"] for line in waits] == [ACCOUNT]
    assert set(waits[0]["classes"]) == {"unscanned"}
    assert (await store.breaker(ACCOUNT)).since is None


async def test_d20_what_a_decision_waits_for_goes_before_what_only_moves(
    store: Store, clock: SimulatedClock, rules: Rules
) -> None:
    """D20: the sweep has asked for fresh facts; the pace of the day does not hold them up."""
    made = await house.bring_parcels(store, 60, clock.now())
    await store._db.write(lambda tx: tx.run("UPDATE dossier SET waits_for_answer = TRUE WHERE id > 50"))
    shop = Shop(store, clock, rules, calls=10)
    await shop.until(0.25)
    assert set(made[50:]) == set(shop.wire.asked[:10])
    assert len(shop.wire.asked) < 30


async def test_a_spent_day_is_nobodys_failure_and_opens_no_breaker(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """The last call was taken by another command meanwhile: our own limit says nothing about the source (promise 2)."""
    await house.bring_parcels(store, 5, clock.now())
    shop = Shop(store, clock, rules, calls=None)
    shop.wire.gate = StoreGate(store, clock, {ACCOUNT: Pace(rps=1000, daily_quota=1)})
    await store.use_quota(ACCOUNT, clock.now().date(), 1, None)
    await shop.until(6)
    assert (shop.wire.calls, await shop.failures()) == (0, 0)
    assert (await store.breaker(ACCOUNT)).failures == 0
    assert {"poll.failed", "source.down"}.isdisjoint(line["event"] for line in log_lines())
    await shop.until(21)
    assert shop.wire.calls == 1, "the next day"


@pytest.mark.parametrize("whole", [False, True], ids=["beside each number", "for the whole request"])
async def test_r8_an_answer_that_is_still_being_made_costs_nothing(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines, *, whole: bool
) -> None:
    """R8, facts 2 (not_ready): asked again within minutes, the source counts as alive, no parcel as unanswered or older."""
    await house.bring_parcels(store, 3, clock.now())
    shop = Shop(store, clock, rules, calls=None, says="soon")
    shop.wire.fails = CarrierError(ErrorKind.NOT_READY, "the ticket is in work") if whole else None
    await shop.until(5)
    assert shop.wire.calls >= 15
    (health,) = (await store.status(clock.now())).sources
    assert health.last_answer_at is not None
    assert health.last_answer_at >= epoch(clock.now() - HOUR)
    assert (health.breaker.failures, await shop.failures()) == (0, 0)
    (dossier,) = await store.load_dossiers([1])
    assert (dossier.shipments[0].last_answer_at, dossier.shipments[0].unanswered) == (None, None)
    assert {line["event"] for line in log_lines()} <= {"poll.batch"}


async def test_a_conversation_without_a_call_proves_nobody_alive(store: Store, clock: SimulatedClock, rules: Rules) -> None:
    """Faults 6: all tickets are young, so nobody was asked: a source that is down stays down until it answers."""
    await house.bring_parcels(store, 3, clock.now())
    shop = Shop(store, clock, rules, calls=None)
    shop.wire.fails = CarrierError(ErrorKind.UNAVAILABLE, "no answer")
    await shop.until(8)
    before = await store.breaker(ACCOUNT)
    assert before.since is not None
    shop.source = msgspec.structs.replace(shop.source, adapter=Ordered())
    shop.restarted()
    await shop.until(6)
    assert await store.breaker(ACCOUNT) == before
    (health,) = (await store.status(clock.now())).sources
    assert health.last_answer_at is None


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("asynchronous", "most"), [(False, 3), (True, 1)])
async def test_an_asynchronous_source_is_asked_one_conversation_at_a_time(
    store: Store, clock: SimulatedClock, rules: Rules, monkeypatch: pytest.MonkeyPatch, *, asynchronous: bool, most: int
) -> None:
    """Facts 22: a ticket is asked for once in a quarter of an hour, also by two units side by side."""
    monkeypatch.setattr("tracker.polling.poller.CHUNK", SEATS)
    await house.bring_parcels(store, 3 * SEATS, clock.now())
    shop = Shop(store, clock, rules, calls=None, asynchronous=asynchronous)
    await asyncio.gather(*(shop.poller.poll_once() for _ in range(3)))
    assert (shop.wire.calls, shop.wire.most_at_once) == (3, most)


async def test_a_code_that_nobody_knows_is_kept_counted_and_said_once_for_ever(
    store: Store, clock: SimulatedClock, rules: Rules, log_lines: Lines
) -> None:
    """Facts 3 rule 8, style 7: one warning per code, after a restart as well; what is not mapped stays on the list."""
    made = await house.bring_parcels(store, 7, clock.now())
    shop = Shop(store, clock, rules, calls=None, says="Wormhole")
    await shop.until(0.25)
    shop.wire.says = lambda number: "Wormhole" if number == made[0] else "Blackhole"
    shop.restarted()
    await shop.until(8)
    said = [line["code"] for line in log_lines() if line["event"] == "poll.unmapped_code"]
    assert sorted(said) == ["Blackhole", "Wormhole"]
    known = {each.code: each for each in await store.unmapped_codes(START)}
    assert (known["Wormhole"].times, known["Blackhole"].times) == (7, 6), "a repeated answer is not read again"
    assert known["Wormhole"].account == ACCOUNT
    assert known["Wormhole"].number in made
    assert await store.unmapped_codes(clock.now()) == []


class Ticketing(Plain):
    """An answer is ordered, and fetched at the next conversation within half a day."""

    def ask(
        self, queries: Sequence[Query], account: Account, memory: Memory, now: datetime
    ) -> Generator[Request, Response, Batch]:
        numbers = [query.number for query in queries]
        response = yield Request(method="GET", url=f"{account.base_url}/{','.join(numbers)}")
        told = self.split(response, numbers)
        answers: dict[str, bytes | CarrierError] = {}
        kept: dict[str, dict[str, str]] = {}
        for number in numbers:
            ordered = memory.numbers.get(number, {}).get("at")
            usable = ordered is not None and now - datetime.fromisoformat(ordered) < DAY / 2
            answers[number] = told[number] if usable else CarrierError(ErrorKind.NOT_READY, "ordered", retry_after=900)
            kept[number] = {} if usable else {"at": now.isoformat()}
        return Batch(answers=answers, memory=Memory(numbers=kept))


async def test_r8_the_ticket_for_a_last_mile_is_fetched_before_it_is_gone(
    store: Store, clock: SimulatedClock, rules: Rules
) -> None:
    """R8, facts 22: a silent parcel is asked about once a day, a ticket lives half a day: the leg would never be heard."""
    await house.bring_parcels(store, 1, clock.now())
    link = "UPDATE shipment SET linked_number = 'NX000000439BR', linked_carrier = 'correios'"
    await store._db.write(lambda tx: tx.run(link))
    shop = Shop(store, clock, msgspec.structs.replace(rules, sources={"correios": ("post",), "*": (ACCOUNT,)}), calls=None)
    wire = Wire(StoreGate(store, clock, {ACCOUNT: Pace(rps=1000)}), lambda _number: "in_transit")
    post = msgspec.structs.replace(
        shop.source, account=Account(id="post", base_url="https://post.example"), adapter=Ticketing(), transport=wire
    )
    cadence = Cadence(fresh_h=24)
    shop.poller = Poller(
        store=store, clock=clock, rules=shop.rules, sources={ACCOUNT: shop.source, "post": post}, cadence=cadence
    )
    await shop.until(24 * 5)
    last = "SELECT digest FROM answer WHERE account = 'post'"
    assert await store._db.read(lambda tx: tx.value(last)) is not None
    assert len(wire.asked) <= 12, "ordered and fetched once a day, and never in a loop"
