"""A parcel that one source does not find is asked of the carrier's next one (R8; facts/transit.md section 3)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from carriers.base import Account
from carriers.model import TrackingStatus
from tests import house
from tests.carriers.loopback import http, serving
from tests.conftest import Lines
from tests.house import ACCOUNT, START, TOKEN
from tests.polling.test_poller import moving
from tests.polling.test_routing import due
from tracker.clock import SimulatedClock
from tracker.demo.standin import Aggregator, ScriptedParcel, StandIn, Trouble
from tracker.model import DecisionReason, Shipment
from tracker.policy import decide
from tracker.polling import Cadence, Poller
from tracker.polling.conversation import Source
from tracker.polling.routing import Router
from tracker.store import Store
from tracker.store.rows import DueShipment

OTHER = "other"
DAY = timedelta(days=1)
RULES = replace(house.rules(), sources={"*": (ACCOUNT, OTHER)})


class Two:
    """A poller with two sources, each a stand-in of its own."""

    def __init__(
        self,
        stack: ExitStack,
        store: Store,
        clock: SimulatedClock,
        casts: Sequence[list[ScriptedParcel]],
        *troubles: Trouble,
        first: Sequence[Trouble] = (),
    ) -> None:
        ahead, second = (
            StandIn(Aggregator(cast, clock.now, token=TOKEN, troubles=troubles if place else first))
            for place, cast in enumerate(casts)
        )
        self.store, self.clock = store, clock
        self.first, self.second = stack.enter_context(ahead).aggregator, stack.enter_context(second).aggregator
        one = house.source(store, clock, ahead.base_url)
        other = house.source(store, clock, second.base_url)
        other = replace(other, account=Account(id=OTHER, base_url=second.base_url, secrets={"api_key": TOKEN}))
        self.sources: dict[str, Source] = {ACCOUNT: one, OTHER: other}
        self.poller = Poller(store=store, clock=clock, rules=RULES, sources=self.sources, cadence=Cadence())

    async def poll(self, *, days: float, times: int = 1) -> Shipment:
        for _ in range(times):
            self.clock.advance_to(self.clock.now() + days * DAY)
            while (await self.poller.poll_once()).more:
                pass
        (dossier,) = await self.store.load_dossiers([1])
        return dossier.shipments[0]

    async def close(self) -> None:
        for source in self.sources.values():
            await source.transport.close()


@pytest.fixture
def clock() -> SimulatedClock:
    return house.simulated()


@pytest.fixture
async def store(tmp_path: Path, clock: SimulatedClock) -> AsyncIterator[Store]:
    async with house.database(tmp_path, clock) as opened:
        yield opened


def unknown(number: str) -> ScriptedParcel:
    return ScriptedParcel(number=number, known=False)


async def test_r8_what_both_do_not_find_is_confirmed_sooner(store: Store, clock: SimulatedClock) -> None:
    """R8: 3 answers over 5 days from 2 sources; while one finds nothing new, the other is not asked about anything else."""
    (number,) = await house.bring_parcels(store, 1)
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[unknown(number)], [unknown(number)]])
        fresh = await two.poll(days=1)
        assert two.second.calls == {}, "a fresh not found is no news yet"
        lasting = await two.poll(days=1, times=8)
        await two.close()
    assert fresh.not_found is None
    assert lasting.not_found is not None
    assert lasting.not_found.sources == 2
    (dossier,) = await store.load_dossiers([1])
    [found] = [
        each for each in decide(dossier, RULES, clock.now()).decisions if each.reason is DecisionReason.NOT_FOUND_CONFIRMED
    ][:1]
    assert found.evidence["sources"] == "2 sources"


async def test_r8_the_other_source_has_the_story(store: Store, clock: SimulatedClock) -> None:
    """R8: found elsewhere is found, and stays followed there although the first source goes on not to know it."""
    (number,) = await house.bring_parcels(store, 1)
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[unknown(number)], [moving(number)]])
        early = await two.poll(days=1, times=5)
        late = await two.poll(days=1, times=5)
        await two.close()
    assert (early.status, early.not_found) == (TrackingStatus.IN_TRANSIT, None)
    assert late.last_scan is not None
    assert early.last_scan is not None
    assert late.last_scan.latest > early.last_scan.latest


async def test_an_announced_number_elsewhere_ends_the_run(store: Store, clock: SimulatedClock) -> None:
    """R8, word for word the same each day: a number that is only announced there is not *not found*."""
    (number,) = await house.bring_parcels(store, 1)
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[unknown(number)], [ScriptedParcel(number=number, label_at=START)]])
        shipment = await two.poll(days=1, times=12)
        await two.close()
    assert shipment.not_found is None
    assert shipment.last_scan is None


async def test_a_second_source_that_is_down_changes_nothing(store: Store, clock: SimulatedClock, log_lines: Lines) -> None:
    """R8, politeness: the first one's answers count, its next question comes in its own time."""
    (number,) = await house.bring_parcels(store, 1)
    outage = Trouble(start=START, end=START + 30 * DAY, kind="unavailable")
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[unknown(number)], [unknown(number)]], outage)
        shipment = await two.poll(days=1, times=9)
        asked = two.first.calls["gettrackinfo"]
        again = await two.poll(days=0.1)
        await two.close()
    assert shipment.not_found is not None
    assert shipment.not_found.sources == 1
    assert again == shipment, "not due again so soon"
    assert two.first.calls["gettrackinfo"] == asked
    assert "source.down" in {line["event"] for line in log_lines()}


def test_whom_else_to_ask() -> None:
    """The next configured one of the carrier; the last one has none after it."""
    shipment = DueShipment(
        id=1,
        number="LP1",
        next_poll_at=0,
        carrier="correios",
        service="standard",
        country="BR",
        shipped_at=None,
        status=TrackingStatus.NOT_FOUND,
        moved_at=None,
        last_answer_at=None,
        failures=0,
    )
    rules = replace(RULES, sources={"correios": ("a", "b", "c"), "*": ("c",)})
    there = {"a": _named("a"), "c": _named("c")}
    router = Router(rules=rules, sources=there)
    found = router.second(shipment, "a")
    assert found is not None
    assert found.id == "c"
    assert router.second(shipment, "c") is None
    assert router.second(shipment, "x") is None


def test_r8_another_account_at_the_same_source_is_no_second_opinion() -> None:
    """R8: the same aggregator asked twice confirms nothing; where the first key is refused, the second helps all the same."""
    first, same = _named("a"), replace(_named("a"), account=Account(id="b", base_url=_named("a").account.base_url))
    router = Router(rules=replace(RULES, sources={"*": ("a", "b", "c")}), sources={"a": first, "b": same, "c": _named("c")})
    shipment = due("LP1")
    found = [router.second(shipment, "a", opinion=opinion) for opinion in (True, False)]
    assert [each.id for each in found if each is not None] == ["c", "b"]
    assert router.ahead(shipment, "c") == ["a", "b"]


def _named(name: str) -> Source:
    made = house.source(None, house.simulated(), "http://127.0.0.1:1")  # type: ignore[arg-type]  # never asked
    return replace(made, account=Account(id=name, base_url=f"https://{name}.example", secrets={}))


async def test_a_number_that_one_source_refuses_is_asked_of_the_next(store: Store, clock: SimulatedClock) -> None:
    """Facts, what users complain about: "invalid number" concluded too soon; the seller is asked only when nobody knows it."""
    (number,) = await house.bring_parcels(store, 1)
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[], [moving(number)]])
        refusal = {"number": number, "error": {"code": -18010012, "message": "The format is invalid."}}
        refused = http(200, json.dumps({"code": 0, "data": {"accepted": [], "rejected": [refusal]}}).encode())
        async with serving(lambda *_: refused) as address:
            one = two.sources[ACCOUNT]
            two.sources[ACCOUNT] = replace(one, account=Account(id=ACCOUNT, base_url=address, secrets=one.account.secrets))
            shipment = await two.poll(days=1, times=3)
        await two.close()
    assert (shipment.status, shipment.unanswered) == (TrackingStatus.IN_TRANSIT, None)
    assert two.second.calls["gettrackinfo"] == 3, "and in its usual time, not once a week"


async def test_a_source_that_is_down_for_a_day_is_passed_over(store: Store, clock: SimulatedClock) -> None:
    """Issue, choosing the source: the fallback costs registrations, so an hour's outage is waited out; back is back."""
    (number,) = await house.bring_parcels(store, 1)
    outage = Trouble(start=START, end=START + 3 * DAY, kind="unavailable")
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[moving(number)], [moving(number)]], first=(outage,))
        await two.poll(days=0.2, times=4)
        waited = dict(two.second.calls)
        found = await two.poll(days=0.2, times=6)
        there = two.second.calls["gettrackinfo"]
        await two.poll(days=0.5, times=8)
        await two.close()
    assert waited == {}
    assert (found.status, found.last_answer_at is not None) == (TrackingStatus.IN_TRANSIT, True)
    assert two.first.calls["gettrackinfo"] > 5, "it was tried again, and is asked since it is back"
    assert two.second.calls["gettrackinfo"] - there <= 6


async def test_promise_2_whoever_is_back_ends_the_run_that_the_fallback_began(store: Store, clock: SimulatedClock) -> None:
    """R8: announced at the first source, unknown to the fallback; back again and word for word as before, it ends the run."""
    (number,) = await house.bring_parcels(store, 1)
    outage = Trouble(start=START + 3 * DAY, end=START + 8 * DAY, kind="unavailable")
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[ScriptedParcel(number=number, label_at=START)], [unknown(number)]], first=(outage,))
        await two.poll(days=0.3, times=9)
        away = await two.poll(days=0.3, times=16)
        back = await two.poll(days=0.5, times=4)
        await two.close()
    assert away.not_found is not None, "the fallback was asked, and its word counts"
    assert (back.not_found, back.status) == (None, TrackingStatus.INFO_RECEIVED)


async def test_d10_what_a_second_source_repeats_is_kept_once(store: Store, clock: SimulatedClock) -> None:
    """D10: evidence is one row per changed answer, however often the second source is asked for its opinion."""
    (number,) = await house.bring_parcels(store, 1)
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[unknown(number)], [ScriptedParcel(number=number, label_at=START)]])
        await two.poll(days=1, times=12)
        await two.close()
    assert two.second.calls["gettrackinfo"] > 5
    assert len([each for each in await store.raw_answers([number]) if each.account == OTHER]) == 1


async def test_a_refused_number_is_not_lost_for_a_week_while_the_other_source_is_down(
    store: Store, clock: SimulatedClock
) -> None:
    """I2: the first source never takes this form of number; half a day without the second one costs half a day."""
    (number,) = await house.bring_parcels(store, 1)
    outage = Trouble(start=START, end=START + 0.5 * DAY, kind="unavailable")
    with ExitStack() as stack:
        two = Two(stack, store, clock, [[], [moving(number)]], outage)
        refusal = {"number": number, "error": {"code": -18010012, "message": "The format is invalid."}}
        refused = http(200, json.dumps({"code": 0, "data": {"accepted": [], "rejected": [refusal]}}).encode())
        async with serving(lambda *_: refused) as address:
            one = two.sources[ACCOUNT]
            two.sources[ACCOUNT] = replace(one, account=Account(id=ACCOUNT, base_url=address, secrets=one.account.secrets))
            down = await two.poll(days=0.1, times=4)
            shipment = await two.poll(days=0.2, times=6)
        await two.close()
    assert down.last_answer_at is None
    assert shipment.status is TrackingStatus.IN_TRANSIT


async def test_two_accounts_of_one_carrier_never_mix(store: Store, clock: SimulatedClock) -> None:
    """Facts rule 16: each shop's numbers go out with its own key, and what one account learns is not the other's."""
    made = {"jade": "LZ000000018CN", "norte": "LZ000000021CN"}
    orders = [replace(house.order(f"30000{row}", row=row), store=shop) for row, shop in enumerate(made)]
    parcels = [
        replace(house.parcel(number, f"30000{row}", row=row), store=shop) for row, (shop, number) in enumerate(made.items())
    ]
    await house.bring(store, orders, parcels, START)
    everything = [moving(number) for number in made.values()]
    with ExitStack() as stack:
        two = Two(stack, store, clock, [everything, everything])
        for name, shop in zip((ACCOUNT, OTHER), made, strict=True):
            two.sources[name] = replace(two.sources[name], stores=frozenset({shop}))
        await two.poll(days=3, times=2)
        seen = [source.registered for source in (two.first, two.second)]
        await two.close()
    assert seen == [{made["jade"]}, {made["norte"]}]
    kept = [(await store.load_memory(name, list(made.values()))).numbers.keys() for name in (ACCOUNT, OTHER)]
    assert [set(each) for each in kept] == seen
    assert (await store.load_dossiers([1]))[0].shipments[0].status is TrackingStatus.IN_TRANSIT
    assert (await store.load_dossiers([2]))[0].shipments[0].status is TrackingStatus.IN_TRANSIT
